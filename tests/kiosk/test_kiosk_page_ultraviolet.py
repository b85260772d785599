"""The page in ultraviolet light: security paper, a copier's paper, and light that says nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from film_camera import Film
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.checks import CheckName, Verdict
from hardware.ports import Frame
from hardware.simulators.camera import dark_glass, in_ultraviolet
from kiosk.page_ultraviolet import LOOKS, check_ultraviolet, judge


def drawn_page() -> Frame:
    """A page of light paper on dark glass, with print, a portrait's grey and two lines of black ink."""
    page = np.array(cv2.resize(dark_glass(), (740, 520)), np.uint8)
    page[40:480, 60:680] = (236, 240, 238)
    page[90:270, 90:230] = 120
    page[100:300:14, 260:640] = (90, 80, 70)
    page[390:404, 90:650:3] = page[430:444, 90:650:3] = 30
    return page


PAGE = drawn_page()
DULL, GLOWING = in_ultraviolet(PAGE), in_ultraviolet(PAGE, brightened=True)


def looked_at(film: Film, page: Frame | None = PAGE) -> tuple[Verdict, str]:
    check = check_ultraviolet(film, page)
    assert check.name is CheckName.PAGE_ULTRAVIOLET
    return check.verdict, check.reason


def test_security_paper_stays_dull_and_a_copiers_does_not() -> None:
    assert looked_at(Film([DULL])) == (Verdict.PASSED, "ok")
    assert looked_at(Film([GLOWING])) == (Verdict.FAILED, "office_paper")


def test_a_frame_from_before_the_page_lay_there_is_not_believed() -> None:
    assert looked_at(Film([DULL, GLOWING])) == (Verdict.FAILED, "office_paper")
    assert looked_at(Film([GLOWING, DULL])) == (Verdict.PASSED, "ok")


def test_light_that_comes_late_is_waited_for_and_not_for_ever() -> None:
    nothing = in_ultraviolet(dark_glass())
    assert looked_at(Film([nothing, nothing, DULL])) == (Verdict.PASSED, "ok")
    dark = Film([nothing])
    assert looked_at(dark) == (Verdict.NOT_CHECKED, "nothing_shines")
    assert dark.asked == LOOKS + 1


def test_a_camera_or_a_page_that_is_not_there_accuses_nobody() -> None:
    assert looked_at(Film([], fails=True)) == (Verdict.ERROR, "camera_failed")
    assert looked_at(Film([DULL]), None) == (Verdict.NOT_CHECKED, "page_not_seen")
    assert judge(np.zeros((1, 1, 3), np.uint8), DULL) == (Verdict.NOT_CHECKED, "page_not_seen")


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 4), st.floats(0.4, 1), st.sampled_from([0, 6, 12]), st.integers(0, 2**16))
def test_a_copiers_paper_passes_in_no_light(gain: float, falls_to: float, noise: float, seed: int) -> None:
    """Whatever the exposure, a lamp that is weaker on one side, a noisy sensor."""
    random = np.random.default_rng(seed)
    lamp = np.linspace(gain, gain * falls_to, PAGE.shape[1])[None, :, None]
    seen = np.clip(GLOWING * lamp + random.normal(0, noise, PAGE.shape), 0, 255).astype(np.uint8)
    assert judge(PAGE, seen)[0] is not Verdict.PASSED


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 4), st.floats(0.4, 1), st.sampled_from([0, 6, 12]), st.integers(0, 2**16))
def test_security_paper_is_never_accused(gain: float, falls_to: float, noise: float, seed: int) -> None:
    """Up to three times the light for which the levels were set; with more, its own violet looks like a glow."""
    random = np.random.default_rng(seed)
    lamp = np.linspace(min(gain, 3), min(gain, 3) * falls_to, PAGE.shape[1])[None, :, None]
    seen = np.clip(DULL * lamp + random.normal(0, noise, PAGE.shape), 0, 255).astype(np.uint8)
    verdict, reason = judge(PAGE, seen)
    assert verdict is not Verdict.FAILED, reason


@pytest.mark.parametrize(
    ("rows", "columns"),
    [((80, 280), (80, 240)), ((375, 460), (60, 680)), ((40, 480), (60, 260))],
    ids=["photograph", "zone", "third"],
)
def test_a_piece_of_other_paper_is_for_an_officer(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    place = slice(*rows), slice(*columns)
    page, seen = PAGE.copy(), DULL.copy()
    page[place] = (236, 240, 238)
    seen[place] = in_ultraviolet(page, brightened=True)[place]
    assert judge(page, seen) == (Verdict.NOT_CHECKED, "glow_unclear")


def test_another_colour_than_blue_white_is_no_brightener() -> None:
    """A substrate with a controlled response (9303-2): it may shine, in a colour of its own."""
    seen = DULL.copy()
    seen[40:480, 60:400] = (70, 190, 150)
    assert judge(PAGE, seen)[0] is not Verdict.FAILED


def test_a_dull_page_on_which_nothing_shines_proves_nothing() -> None:
    """A weak lamp shows a copier's paper just so."""
    seen = np.where(DULL.max(axis=2, keepdims=True) > 60, np.uint8(20), DULL)
    assert judge(PAGE, seen) == (Verdict.NOT_CHECKED, "nothing_shines")


def test_both_cameras_may_have_sizes_of_their_own() -> None:
    for seen, expected in ((DULL, Verdict.PASSED), (GLOWING, Verdict.FAILED)):
        assert judge(PAGE, np.asarray(cv2.resize(seen, (500, 352)), np.uint8))[0] is expected
