"""Key strokes of a scanner that pretends to be a keyboard (struct input_event)."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from hardware.tags.wedge import keystrokes

KEY_1, KEY_0, KEY_ENTER, KEYPAD_7, KEY_A = 2, 11, 28, 71, 30


def _pressed(*codes: int) -> bytes:
    """Press, scan code, release and report for each key, as a kernel sends them."""
    events = b""
    for code in codes:
        for kind, number, value in ((4, 4, code), (1, code, 1), (0, 0, 0), (1, code, 0), (0, 0, 0)):
            events += struct.pack("llHHi", 1, 2, kind, number, value)
    return events


def test_digits_and_enter_are_text_once_per_key() -> None:
    assert keystrokes(_pressed(KEY_1, KEY_0, KEYPAD_7, KEY_ENTER)) == b"107\n"


def test_another_key_spoils_the_number() -> None:
    assert keystrokes(_pressed(KEY_1, KEY_A, KEY_0)) == b"1?0"


@given(st.integers(0, 8).flatmap(lambda n: st.binary(min_size=24 * n, max_size=24 * n)))
def test_no_events_raise(events: bytes) -> None:
    assert set(keystrokes(events)) <= set(b"0123456789?\n")
