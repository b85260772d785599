"""A view of a line under other conditions is the same text, and its characters are where it says they are."""

from __future__ import annotations

import numpy as np

from training.mrz_conditions import Prints, _laid, _struck, varied


def bars(count: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """A cut with a black bar, a capital high, at the middle of every character."""
    image = np.full((32, 640), 220, np.uint8)
    centres = np.full(44, np.nan, np.float32)
    for number in range(count):
        at = 40 + 12.5 * number
        image[8:24, round(at) - 2 : round(at) + 3] = 20
        centres[number] = at
    return image, centres


def test_a_line_laid_otherwise_takes_its_places_along() -> None:
    image, centres = bars()
    for seed in range(40):
        turned, moved = _laid(image, centres, np.random.default_rng(seed))
        assert turned.shape == image.shape
        for at in moved[~np.isnan(moved)]:
            around = turned[:, max(0, round(float(at)) - 6) : round(float(at)) + 7].astype(float)
            ink = (220 - around).clip(0).sum(0)
            middle = float((ink * np.arange(len(ink))).sum() / ink.sum()) + max(0, round(float(at)) - 6)
            assert abs(middle - float(at)) < 3.0  # a quarter of a character


def test_views_differ_and_lose_no_character_inside() -> None:
    image, centres = bars()
    rng = np.random.default_rng(3)
    prints = Prints(rng, 6)
    views = [varied(image, centres, rng, prints) for _ in range(60)]
    assert (
        len({view.tobytes() for view, _ in views}) > 30
    )  # a quarter of them stay, and some that nothing happens to
    for view, places in views:
        assert (view.shape, view.dtype, places.shape) == (image.shape, np.uint8, centres.shape)
        known = places[~np.isnan(places)]
        assert len(known) >= 25
        assert (np.diff(known) > 8).all()


def test_the_same_seed_gives_the_same_view() -> None:
    image, centres = bars()
    once, again = (
        varied(image, centres, np.random.default_rng(9), Prints(np.random.default_rng(1), 4)) for _ in "12"
    )
    assert np.array_equal(once[0], again[0])
    assert np.array_equal(once[1], again[1], equal_nan=True)


def test_strokes_come_over_the_type_and_leave_most_of_it() -> None:
    image, _ = bars()
    seen = image.astype(np.float32)
    touched = []
    for seed in range(40):
        struck = _struck(seen, 20.0, 200.0, slice(40, 420), np.random.default_rng(seed))
        assert np.array_equal(seen, image), "what is drawn on is its own"
        touched.append(float((np.abs(struck - seen) > 20).mean()))
    assert max(touched) < 0.15
    assert float(np.median(touched)) > 0.002
