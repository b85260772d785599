"""The grid: every length is counted, whatever the pitch, the perspective and the characters that were not seen."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.mrz.grid import BETWEEN, LENGTHS, STEP, evenly_spaced, fit_grids, sampled


def answers(
    characters: list[int], pitch: float, start: float, bend: float, hidden: frozenset[int] = frozenset()
) -> tuple[np.ndarray, np.ndarray]:
    """What a network would say of those characters, (T, 38), and their middles in steps."""
    numbers = np.arange(len(characters))
    centres = start + pitch * numbers * (1 + bend * numbers / len(characters))
    steps = np.arange(round(centres[-1] + start + 4))
    shares = np.full((len(steps), BETWEEN + 1), 1e-4, np.float64)
    shares[:, BETWEEN] = 1.0
    for number, (character, centre) in enumerate(zip(characters, centres, strict=True)):
        if number in hidden:
            continue
        near = np.exp(-((np.abs(steps - centre) / (0.33 * pitch)) ** 4))
        shares[:, character] = np.maximum(shares[:, character], near)
        shares[:, BETWEEN] = np.minimum(shares[:, BETWEEN], 1.001 - near)
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32), centres


@settings(deadline=None)
@given(
    st.sampled_from(LENGTHS).flatmap(lambda n: st.lists(st.integers(0, 36), min_size=n, max_size=n)),
    st.floats(2.5, 4.4),
    st.floats(2.0, 9.0),
    st.floats(-0.04, 0.04),
    st.frozensets(st.integers(1, 28), max_size=4),
)
def test_every_line_is_counted_and_read(
    characters: list[int], pitch: float, start: float, bend: float, hidden: frozenset[int]
) -> None:
    probabilities, centres = answers(characters, pitch, start, bend, hidden)
    grids = fit_grids(probabilities)
    best = max(grids.values(), key=lambda grid: grid.score)
    assert best.length == len(characters)
    seen = [number for number in range(len(characters)) if number not in hidden]
    assert [int(best.posteriors[number].argmax()) for number in seen] == [characters[number] for number in seen]
    assert np.abs(best.centres / STEP - 0.5 - centres).max() < 0.6
    assert np.allclose(best.posteriors.sum(1), 1, atol=1e-4)


def test_what_nobody_saw_may_be_anything() -> None:
    probabilities, _ = answers([10] * 44, 3.1, 4.0, 0.0, frozenset({20}))
    grid = fit_grids(probabilities)[44]
    assert grid.posteriors[20].max() < 0.2
    assert grid.posteriors[21].argmax() == 10


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 300))
def test_noise_is_never_an_error_and_seldom_a_line(seed: int, steps: int) -> None:
    noise = np.random.default_rng(seed).dirichlet(np.ones(38), steps).astype(np.float32).reshape(steps, 38)
    for length, grid in fit_grids(noise).items():
        assert length in LENGTHS
        assert grid.posteriors.shape == (length, 37)


def test_no_line_gives_no_grid() -> None:
    blank = np.zeros((160, 38), np.float32)
    blank[:, BETWEEN] = 1.0
    assert fit_grids(blank) == {}


def test_a_line_in_perspective_is_counted_from_one_character_to_the_next() -> None:
    """Gaps of 3 steps that become 2.5, one of them 3.9 wide: no character is read twice."""
    gaps = [3.0] * 4 + [3.9] + [3.0] * 12 + [2.5] * 26
    centres = 5 + np.concatenate([[0.0], np.cumsum(gaps)])
    characters = [number % 37 for number in range(44)]
    steps = np.arange(round(centres[-1]) + 8)
    shares = np.full((len(steps), BETWEEN + 1), 1e-4)
    shares[:, BETWEEN] = 1.0
    for character, centre in zip(characters, centres, strict=True):
        near = np.exp(-((np.abs(steps - centre) / 0.9) ** 4))
        shares[:, character] = np.maximum(shares[:, character], near)
        shares[:, BETWEEN] = np.minimum(shares[:, BETWEEN], 1.001 - near)
    grid = fit_grids((shares / shares.sum(1, keepdims=True)).astype(np.float32))[44]
    assert grid.posteriors.argmax(1).tolist() == characters


def test_a_place_between_two_characters_is_in_doubt() -> None:
    probabilities, _ = answers([10, 20] * 22, 3.2, 4.0, 0.0)
    places = 4.0 + 3.2 * np.arange(43)
    right = sampled(probabilities, places, places)
    assert right.max(1).min() > 0.95
    wrong = sampled(probabilities, 4.0 + 3.2 * 42 / 44 * np.arange(45), places)  # 45 places for 43 characters
    doubtful = wrong.max(1) < 0.5
    assert doubtful.sum() >= 2
    assert wrong[~doubtful].max(1).min() > 0.5


def test_of_print_in_one_row_the_evenly_spaced_part_is_the_zone() -> None:
    beside = np.array([2, 4, 9, 11, 16, 18, 23])
    zone = 30 + 3 * np.delete(np.arange(44), [7, 20, 21])  # three characters that nobody can tell
    assert evenly_spaced(np.concatenate([beside, zone])).tolist() == zone.tolist()
    narrowing = np.cumsum(np.linspace(4.6, 2.6, 44)).round().astype(int)
    assert evenly_spaced(narrowing).tolist() == narrowing.tolist()
    assert evenly_spaced(beside).tolist() == beside.tolist()
