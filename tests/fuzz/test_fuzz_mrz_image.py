"""Mutated, truncated and invented files: a picture or a reason, never an exception, in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kiosk.mrz.image import Picture
from tests.fuzz.image_bytes import hold, seeds

SEEDS = seeds()
MEMORY_MB = 250
NUMBERS = [0, 1, 2, 127, 128, 255, 256, 7000, 30_000, 32_767, 65_535, 2**31 - 1, 2**32 - 1]


@pytest.fixture(autouse=True, scope="module")
def _little_memory() -> Iterator[None]:
    def peak_mb() -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

    Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak starts again from here
    before = peak_mb()
    yield
    assert peak_mb() - before < MEMORY_MB


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A file with changed bytes, numbers where headers hold theirs, parts cut, doubled or taken from another."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        if draw(st.booleans()):
            place = min(place, draw(st.integers(0, 64)))  # headers are where files break
        kind = draw(st.sampled_from(["byte", "number", "cut", "double", "splice", "end"]))
        if kind == "byte" and data:
            data[place] = draw(st.integers(0, 255))
        elif kind == "number":
            size, order = draw(st.sampled_from([(2, "big"), (2, "little"), (4, "big"), (4, "little")]))
            number = draw(st.sampled_from(NUMBERS)) % 256**size
            data[place : place + size] = number.to_bytes(size, "big" if order == "big" else "little")
        elif kind == "cut":
            del data[place : place + draw(st.integers(1, 40))]
        elif kind == "double":
            data[place:place] = data[place : place + draw(st.integers(1, 200))]
        elif kind == "splice":
            data[place:] = draw(st.sampled_from(SEEDS))[place:]
        else:
            del data[place:]
    return bytes(data)


def test_the_seeds_are_pictures() -> None:
    assert all(isinstance(hold(seed), Picture) for seed in SEEDS)


@pytest.mark.filterwarnings("default")  # what a library warns about in a broken file is for nobody
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_files(data: bytes) -> None:
    hold(data)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.floats(0, 1))
def test_truncated_files(seed: bytes, share: float) -> None:
    hold(seed[: round(share * len(seed))])


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([b"", *(seed[:16] for seed in SEEDS), b"%PDF", b"8BPS", b"\x00\x00\x00\x18ftypheic"]),
    st.binary(max_size=600),
)
@example(b"\xff\xd8", b"\xff" * 600)
@example(b"\xff\xd8\xff\xda\x00\x00", b"")
def test_random_bytes_behind_a_true_beginning(beginning: bytes, rest: bytes) -> None:
    hold(beginning + rest)
