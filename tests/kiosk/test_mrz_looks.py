"""Several looks: what they share grows surer, what one of them saw alone does not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from kiosk.mrz.looks import Posteriors, fuse

Array = npt.NDArray[np.float32]


def line(likeliest: list[int], probability: float = 0.6, second: int | None = None) -> Array:
    """Rows with `probability` on a character, and the rest on a `second` one or spread over the others."""
    rows = np.full((len(likeliest), 37), (1 - probability) / 36, dtype=np.float32)
    for place, character in enumerate(likeliest):
        if second is not None:
            rows[place] = 1e-4
            rows[place, second] = 1 - probability
        rows[place, character] = probability
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), dtype=np.float32)


def test_nothing_seen_is_nothing() -> None:
    assert fuse([]) == ()
    assert fuse([(), ()]) == ()


def test_one_look_is_itself() -> None:
    look = (line([1, 2, 3]), line([4, 5, 6]))
    for before, after in zip(look, fuse([look, ()]), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-4)


def test_looks_that_agree_are_surer_together_but_not_as_if_they_were_strangers() -> None:
    look = (line([7] * 30, 0.6, second=8), line([7] * 30, 0.6, second=8))
    fused = fuse([look] * 4)
    odds = float(fused[0][0, 7] / fused[0][0, 8])
    assert 1.5 < odds < 1.5**4 - 1


def test_the_many_outvote_the_one() -> None:
    right, wrong = (line([3, 3]), line([3, 3])), (line([9, 3]), line([3, 3]))
    fused = fuse([right, wrong, right])
    assert fused[0].argmax(axis=1).tolist() == [3, 3]


def test_a_look_of_another_length_is_left_out() -> None:
    right, short = (line([3] * 4), line([3] * 4)), (line([5] * 3), line([5] * 3))
    assert [len(each) for each in fuse([short, right, right])] == [4, 4]
    assert fuse([short, right, right])[0].argmax(axis=1).tolist() == [3] * 4


def test_of_two_equally_large_groups_the_surer_counts() -> None:
    sure, unsure = (line([3] * 4, 0.9),), (line([5] * 3, 0.4),)
    assert len(fuse([unsure, sure])[0]) == len(fuse([sure, unsure])[0]) == 4


@st.composite
def looks(draw: st.DrawFn) -> list[Posteriors]:
    seed = draw(st.integers(0, 2**32 - 1))
    shapes = draw(st.lists(st.sampled_from([(), (30, 30, 30), (36, 36), (44, 44)]), max_size=6))
    random = np.random.default_rng(seed)
    return [
        tuple(random.dirichlet(np.full(37, 0.05), size).astype(np.float32) for size in shape) for shape in shapes
    ]


@given(looks())
def test_whatever_was_seen_comes_out_as_probabilities(seen: list[Posteriors]) -> None:
    fused = fuse(seen)
    assert bool(fused) == any(seen)
    for each in fused:
        assert each.dtype == np.float32
        assert np.isfinite(each).all()
        np.testing.assert_allclose(each.sum(axis=1), 1, atol=1e-4)
    order = sorted(range(len(seen)), key=lambda index: -index)
    if len({tuple(map(len, look)) for look in seen if look}) == 1:
        for one, other in zip(fused, fuse([seen[index] for index in order]), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
