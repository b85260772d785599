"""A portrait where the page should have one: on a passport, on a card's other side, and where it is missing."""

from __future__ import annotations

import io
import sys
from datetime import date
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from contracts.checks import Check, CheckName, Verdict
from documents.mrz import NO_MRZ, Mrz, parse_mrz
from hardware.ports import Frame
from hardware.specimens.build import PORTRAITS, TRAVELLERS, compose_lines
from hardware.specimens.page import (
    CHARACTER_PITCH_MM,
    DOTS_PER_MM,
    FORMATS_MM,
    GLASS_MM,
    LINE_PITCH_MM,
    draw_front,
    draw_page,
)
from hardware.specimens.recipe import DocumentRecipe, load_recipe
from kiosk.faces.detect import FaceDetector
from kiosk.page_portrait import check_front, check_portrait

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
TODAY = date(2026, 11, 22)
ABSENT = (Verdict.FAILED, "no_printed_portrait")
THERE = (Verdict.PASSED, "ok")
Corners = tuple[npt.NDArray[np.float64], ...]


@pytest.fixture(scope="module")
def finder() -> FaceDetector:
    return FaceDetector(MODELS)


def frame_of(png: bytes) -> Frame:
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), dtype=np.uint8)


@cache
def laid_down(name: str) -> tuple[DocumentRecipe, Frame, Corners, Mrz]:
    """The first document of a specimen: how the camera sees it, where its zone's lines are, what they say."""
    recipe = load_recipe(TRAVELLERS / name).travellers[0].documents[0]
    lines = compose_lines(recipe)
    frame = frame_of(draw_page(recipe, lines, portrait_of(recipe)))
    length = CHARACTER_PITCH_MM * len(lines[0])
    margin = 6.0 if recipe.format == "TD1" else 9.4
    left, last = (GLASS_MM[0] - length) / 2, (GLASS_MM[1] + FORMATS_MM[recipe.format][1]) / 2 - margin
    corners = []
    for row in range(len(lines)):
        base = last - (len(lines) - 1 - row) * LINE_PITCH_MM
        box = [[left, base - 2.6], [left + length, base - 2.6], [left + length, base], [left, base]]
        corners.append(np.array(box) * DOTS_PER_MM)
    return recipe, frame, tuple(corners), parse_mrz(lines, TODAY)


@cache
def other_side(name: str) -> Frame:
    recipe = laid_down(name)[0]
    return frame_of(draw_front(recipe, portrait_of(recipe)))


def portrait_of(recipe: DocumentRecipe) -> bytes:
    return (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes()


def without_portrait(frame: Frame) -> Frame:
    """The paper beside the portrait in its place; the second portrait stays where it is."""
    page = frame.copy()
    top, left = round((GLASS_MM[1] - 88) / 2 * DOTS_PER_MM), round((GLASS_MM[0] - 125) / 2 * DOTS_PER_MM)
    page[top + 100 : top + 700, left + 40 : left + 500] = (236, 240, 239)
    return page


def said(check: Check) -> tuple[Verdict, str]:
    assert check.name is CheckName.PAGE_PORTRAIT
    return check.verdict, check.reason


def half_turned(frame: Frame, corners: Corners) -> tuple[Frame, Corners]:
    return np.ascontiguousarray(np.rot90(frame, 2)), tuple(np.array(frame.shape[1::-1]) - line for line in corners)


@pytest.mark.parametrize("name", ["anna", "heavy"])
def test_a_passport_shows_its_bearer_whichever_way_it_lies(finder: FaceDetector, name: str) -> None:
    _, frame, corners, mrz = laid_down(name)
    assert said(check_portrait(finder, frame, corners, mrz)) == THERE
    assert said(check_portrait(finder, *half_turned(frame, corners), mrz)) == THERE


def test_a_page_without_its_portrait_is_noticed_though_the_second_one_is_there(finder: FaceDetector) -> None:
    _, frame, corners, mrz = laid_down("anna")
    page = without_portrait(frame)
    assert finder.find(page), "the second portrait is a face"
    assert said(check_portrait(finder, page, corners, mrz)) == ABSENT
    assert said(check_portrait(finder, *half_turned(page, corners), mrz)) == ABSENT


def test_a_face_in_another_place_is_not_the_portrait(finder: FaceDetector) -> None:
    _, frame, corners, mrz = laid_down("anna")
    mirrored = np.ascontiguousarray(frame[:, ::-1])
    mirrored[900:] = frame[900:]  # the zone reads as before
    assert said(check_portrait(finder, mirrored, corners, mrz)) == ABSENT


def test_where_only_the_second_reader_read_any_place_will_do(finder: FaceDetector) -> None:
    _, frame, _, mrz = laid_down("anna")
    assert said(check_portrait(finder, frame, (), mrz)) == THERE
    assert said(check_portrait(finder, without_portrait(frame), (), mrz)) == ABSENT


@pytest.mark.parametrize("quarters", [0, 1, 2])
def test_a_card_has_it_on_its_other_side(finder: FaceDetector, quarters: int) -> None:
    _, back, corners, mrz = laid_down("card")
    assert said(check_portrait(finder, back, corners, mrz)) == (Verdict.NOT_CHECKED, "front_not_shown")
    front = np.ascontiguousarray(np.rot90(other_side("card"), quarters))
    assert said(check_front(finder, front, corners, mrz)) == THERE
    assert said(check_front(finder, front, (), mrz)) == THERE
    assert said(check_front(finder, np.ascontiguousarray(np.rot90(back, quarters)), corners, mrz)) == ABSENT


def test_a_visa_needs_none_and_an_unread_page_is_not_judged(finder: FaceDetector) -> None:
    _, frame, corners, mrz = laid_down("visa")
    assert said(check_portrait(finder, frame, corners, mrz)) == (Verdict.NOT_PRESENT, "no_portrait_needed")
    assert said(check_portrait(finder, frame, (), NO_MRZ)) == (Verdict.NOT_CHECKED, "zone_not_read")
    _, _, corners, mrz = laid_down("anna")
    assert said(check_portrait(finder, None, corners, mrz)) == (Verdict.NOT_CHECKED, "zone_not_read")
