"""MT-SICS answer lines: what is a weight, and what is not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.scale.mt_sics import Answer, parse_answer


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"S S     100.00 g\r\n", Answer("stable", Decimal("0.10000"))),  # the manual's own example
        (b"S D      18.40 kg\r\n", Answer("dynamic", Decimal("18.40"))),
        (b"S S      -0.02 kg", Answer("stable", Decimal("-0.02"))),
        (b"S S      10.00 lb", Answer("stable", Decimal("4.5359237"))),
        (b"S I\r\n", Answer("busy")),
        (b"S +\r\n", Answer("overload")),
        (b"S -\r\n", Answer("underload")),
        (b"ES\r\n", Answer("refused")),
        (b"ET\r\n", Answer("refused")),
        (b"EL\r\n", Answer("refused")),
    ],
)
def test_known_lines(line: bytes, answer: Answer) -> None:
    assert parse_answer(line) == answer


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"S S 12,4 kg",
        b"S S nan kg",
        b"S S 1e3 kg",
        b"S S 12.4",
        b"S S 12.4 stone",
        b"X S 12.4 kg",
        b"S S 12.4 kg 7",
    ],
)
def test_other_lines_are_garbage(line: bytes) -> None:
    assert parse_answer(line) == Answer("garbage")


@given(st.binary(max_size=80))
def test_no_line_raises_and_only_a_whole_one_is_stable(line: bytes) -> None:
    answer = parse_answer(line)
    assert (answer.kilograms is not None) == (answer.state in ("stable", "dynamic"))


@given(st.decimals(min_value=0, max_value=99999, places=3, allow_nan=False))
def test_grams_become_kilograms_exactly(grams: Decimal) -> None:
    answer = parse_answer(b"S S %10s g" % str(grams).encode())
    assert answer.kilograms == grams / 1000
