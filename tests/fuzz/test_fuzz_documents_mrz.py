"""The fuzz target of the MRZ under hypothesis: always, also where atheris is not installed."""

from __future__ import annotations

import random

from fuzz_documents_mrz import one_input
from hypothesis import example, given, settings
from hypothesis import strategies as st

from documents.mrz.generate import generate


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=4000))
@example(b"")
@example(b"\x01")
@example(b"\x00P<\n\xdf\xb5\n")  # characters whose upper case is longer or outside Latin-1
def test_any_bytes(data: bytes) -> None:
    one_input(data)


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.lists(st.tuples(st.integers(0), st.characters()), max_size=6))
def test_zones_with_spoilt_characters(source: random.Random, spoilt: list[tuple[int, str]]) -> None:
    text = list("\n".join(generate(source).lines))
    for place, character in spoilt:
        text[place % len(text)] = character
    one_input(b"\x00" + "".join(text).encode("latin-1", errors="replace"))
