"""What hides a zone on the glass, and on which part of its lines."""

from __future__ import annotations

from datetime import date

import cv2
import numpy as np
import pytest

from documents.mrz import ALPHABET
from documents.mrz.settle import settle
from hardware.ports import Frame
from hardware.specimens.build import PORTRAITS, TRAVELLERS, compose_lines
from hardware.specimens.page import draw_page
from hardware.specimens.recipe import load_recipe
from kiosk.mrz.read import Look, MrzReader
from kiosk.page_obstacle import Obstacle, Part, find_obstacle

TODAY = date(2026, 11, 22)
PITCH, LINES, LENGTH = 14.0, (300.0, 340.0), 44


def page(start: float = 60.0) -> Frame:
    """Bars for characters, in two lines that begin at `start` in a frame of 740 by 400 pixels."""
    frame = np.full((400, 740, 3), 205, np.uint8)
    for top in LINES:
        for column in range(LENGTH):
            left = round(start + PITCH * column + 5)
            frame[round(top) : round(top) + 18, max(0, left) : max(0, left + 4)] = 40
    return frame


def seen(doubtful: range = range(0), start: float = 60.0) -> Look:
    """A look that is sure of all characters but those in `doubtful` columns of the first line."""
    rows = np.full((LENGTH, len(ALPHABET)), 1e-4, np.float32)
    rows[:, 3] = 0.9964
    first = rows.copy()
    for column in doubtful:
        first[column, [3, 4]] = 0.5
    ends = start + PITCH * LENGTH
    corners = tuple(
        np.array([(start, top), (ends, top), (ends, top + 18), (start, top + 18)], np.float64) for top in LINES
    )
    return Look((first, rows), corners, None)


def turned(frame: Frame, look: Look) -> tuple[Frame, Look]:
    """Both upside down: reading direction stays the lines' own."""
    size = np.array([frame.shape[1], frame.shape[0]])
    over = np.ascontiguousarray(frame[::-1, ::-1])
    return over, Look(look.posteriors, tuple(size - corners for corners in look.corners), None)


@pytest.mark.parametrize(("columns", "part"), [((2, 9), "start"), ((18, 26), "middle"), ((33, 44), "end")])
def test_glare_is_told_by_the_part_of_the_lines_however_the_page_lies(
    columns: tuple[int, int], part: Part
) -> None:
    frame = page()
    left, right = (round(60 + PITCH * column) for column in columns)
    frame[280:330, left:right] = 255
    look = seen(range(*columns))
    assert find_obstacle(frame, look) == Obstacle("glare", part)
    assert find_obstacle(*turned(frame, look)) == Obstacle("glare", part)


def test_light_beside_what_is_in_doubt_hides_nothing() -> None:
    frame = page()
    frame[280:330, 500:640] = 255
    assert find_obstacle(frame, seen(range(3, 6))) is None


def test_what_is_in_doubt_and_has_its_ink_is_not_hidden() -> None:
    assert find_obstacle(page(), seen(range(3, 30))) is None


@pytest.mark.parametrize("start", [12.0, 740 - PITCH * LENGTH - 12])
def test_lines_at_the_edge_of_the_frame_are_cut_off(start: float) -> None:
    frame, look = page(start), seen(range(20, 22), start)
    assert find_obstacle(frame, look) == find_obstacle(*turned(frame, look)) == Obstacle("cut_off")


def spot(across: int) -> Frame:
    frame = np.full((400, 640, 3), 120, np.uint8)
    cv2.circle(frame, (320, 200), across // 2, (255, 255, 255), -1)
    return frame


@pytest.mark.parametrize(("across", "expected"), [(12, None), (80, Obstacle("glare")), (380, None)])
def test_where_no_line_was_found_a_spot_of_light_is_glare_and_bright_paper_is_not(
    across: int, expected: Obstacle | None
) -> None:
    assert find_obstacle(spot(across), Look((), (), "blurred")) == expected


def test_a_lamp_over_a_drawn_page_is_glare_to_the_reader_too() -> None:
    recipe = load_recipe(TRAVELLERS / "cash").travellers[0].documents[0]
    portrait = (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes()
    drawn = draw_page(recipe, compose_lines(recipe), portrait)
    frame = np.asarray(cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    cv2.circle(frame, (810, 960), 190, (255, 255, 255), -1)
    look = MrzReader().look(frame)
    assert not settle(look.posteriors, TODAY).accepted
    obstacle = find_obstacle(frame, look)
    assert obstacle is not None
    assert obstacle.problem == "glare"
