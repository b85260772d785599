"""A line is cut out upright, whatever its angle, size and bend, and wherever it lies."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.mrz.recognise import CAPITAL, HEIGHT, LEAD, SQUEEZE, WIDEST, Line, cut, leaning, levelled


def picture(angle: float, height: float, lean: tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, Line]:
    """A page with a line of black bars, one capital high and a third of it wide, every 1.06 heights; leaning."""
    side = 900
    page = np.full((side, side), 230, np.uint8)
    along = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    down = np.array([-along[1], along[0]])
    middle, pitch = np.array([side / 2, side / 2]), 1.06 * height
    for number in range(20):
        centre = middle + (number - 9.5) * pitch * along
        own = lean[0] + (lean[1] - lean[0]) * number / 19
        across, tall = height / 6 * along, height / 2 * (down - own * along)
        corners = [centre - across - tall, centre + across - tall, centre + across + tall, centre - across + tall]
        cv2.fillConvexPoly(page, (np.array(corners) * 16).round().astype(np.int32), 20, cv2.LINE_AA, 4)
    ends = np.linspace(-10, 10, 9)[:, None] * pitch * along
    return page, Line(middle + ends, height)


@pytest.mark.parametrize("angle", [0, 7, 45, 90, 133, 180, 270])
@pytest.mark.parametrize("height", [9.0, 16.0, 34.0])
def test_a_line_is_cut_upright_and_to_size(angle: float, height: float) -> None:
    page, line = picture(angle, height)
    made = cut(page, line)
    assert made is not None
    assert made.image.shape[0] == HEIGHT
    assert made.image.shape[1] % 4 == 0
    pitch = 1.06 * CAPITAL * SQUEEZE
    centres = (LEAD + (np.arange(20) + 0.5) * pitch).astype(int)
    body = made.image[HEIGHT // 4 + 2 : -HEIGHT // 4 - 2]
    assert body[:, centres].max() < 110  # a bar
    assert body[:, (centres[:-1] + pitch / 2).astype(int)].min() > 150  # the paper between two
    assert made.image[:4].min() > 180
    assert made.image[-4:].min() > 180
    there = made.middle[centres[3]]
    assert page[round(there[1]), round(there[0])] < 60


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-500, 1500), st.floats(-500, 1500)), min_size=2, max_size=9),
    st.floats(0, 2000),
    st.sampled_from([(1, 1), (30, 2000), (600, 800)]),
)
def test_whatever_a_locator_says_is_no_error(
    points: list[tuple[float, float]], height: float, shape: tuple[int, int]
) -> None:
    made = cut(np.zeros(shape, np.uint8), Line(np.array(points), height))
    assert made is None or (made.image.shape[0] == HEIGHT and 4 <= made.image.shape[1] <= WIDEST)


def test_a_nudged_line_moves_down_across_itself() -> None:
    line = Line(np.array([[0.0, 0.0], [0.0, 10.0]]), 4.0)  # reads downwards: its lower side lies to the left
    moved = line.nudged(0.5, 1.5)
    assert moved.points.tolist() == [[-2.0, 0.0], [-2.0, 10.0]]
    assert moved.height == 6.0
    assert line.turned().points.tolist() == [[0.0, 10.0], [0.0, 0.0]]


@pytest.mark.parametrize("angle", [0, 33, 180])
@pytest.mark.parametrize(("shift", "tilt", "bend"), [(0.5, 0.0, 0.0), (0.0, -0.5, 0.0), (0.2, 0.2, 0.3)])
def test_a_line_beside_its_ink_is_brought_back(angle: float, shift: float, tilt: float, bend: float) -> None:
    page, line = picture(angle, 14.0)
    run = np.linspace(-1, 1, len(line.points))[:, None]
    across = line.nudged(1.0).points - line.points
    beside = Line(line.points + (shift + tilt * run + bend * (run * run - 1 / 3)) * across, line.height)
    moved = levelled(page, beside)
    assert moved is not None
    along = (line.points[-1] - line.points[0]) / np.hypot(*(line.points[-1] - line.points[0]))
    off = (moved.points - line.points[0]) @ np.array([-along[1], along[0]]) / line.height
    assert np.abs(off).max() < 0.2


def test_a_line_on_its_ink_stays_and_blank_paper_moves_nothing() -> None:
    page, line = picture(7, 14.0)
    assert levelled(page, line) is None
    assert levelled(np.full_like(page, 200), line) is None


@pytest.mark.parametrize("angle", [0, 33, 180])
@pytest.mark.parametrize("lean", [(0.35, 0.35), (-0.3, -0.3), (0.15, 0.4), (-0.1, -0.4)])
def test_type_that_leans_is_cut_upright(angle: float, lean: tuple[float, float]) -> None:
    page, line = picture(angle, 16.0, lean)
    found = leaning(page, line)
    assert found is not None
    assert found.lean == pytest.approx(lean, abs=0.1)
    made = cut(page, found)
    assert made is not None
    body = made.image[HEIGHT // 4 + 2 : -HEIGHT // 4 - 2]
    pitch = 1.06 * CAPITAL * SQUEEZE
    centres = (LEAD + (np.arange(20) + 0.5) * pitch).astype(int)
    assert body[:, centres].max() < 130
    assert body[:, (centres[:-1] + pitch / 2).astype(int)].min() > 150


def test_upright_type_and_blank_paper_do_not_lean() -> None:
    page, line = picture(7, 16.0)
    assert leaning(page, line) is None
    assert leaning(np.full_like(page, 200), line) is None


def test_a_line_keeps_its_lean_wherever_it_goes() -> None:
    line = Line(np.array([[0.0, 0.0], [10.0, 0.0]]), 4.0, (0.1, 0.3))
    assert line.turned().lean == (0.3, 0.1)  # what leads back still does when it stands on its head
    assert line.lengthened(0.1).lean == line.nudged(0.5, 1.5).lean == line.lean
