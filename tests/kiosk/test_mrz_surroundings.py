"""What stands around a zone, and how it is looked at, does not keep it from being read."""

from __future__ import annotations

import random
from datetime import date

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from documents.mrz.settle import settle
from hardware.specimens.page import _ocr_b
from kiosk.mrz.locate import Grey, LineBand, Locator
from kiosk.mrz.read import MrzReader

TODAY = date(2026, 11, 22)
PASSPORT = ("P<UTOERIKSSON<<ANNA<MARIA".ljust(44, "<"), "L898902C36UTO7408122F3204159ZE184226B<<<<<18")
TD2_CARD = ("I<UTOERIKSSON<<ANNA<MARIA".ljust(36, "<"), "D231458907UTO7408122F1204159<<<<<<<6")
DESK = (70, 70, 80)
TD1_CARD = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")


@pytest.fixture(scope="module")
def reader() -> MrzReader:
    return MrzReader()


def sheet(
    lines: tuple[str, ...], left: int = 110, right: int = 1190, print_beside: int | None = None
) -> np.ndarray:
    """The lines on light paper, from `left` to `right`; letters in the same rows before them, drawn by a seed."""
    paper = Image.new("RGB", (1300, 620), (226, 224, 214))
    pen, ink = ImageDraw.Draw(paper), (30, 30, 34)
    font = _ocr_b()
    font = font.font_variant(size=font.size * (right - left) / pen.textlength(lines[0], font=font))
    chance = random.Random(print_beside)
    for number, line in enumerate(lines):
        y = 260 + number * 1.9 * font.size
        pen.text((left, y), line, font=font, fill=ink)
        x = 20.0
        while print_beside is not None and x < left - 1.3 * font.size:
            pen.text((x, y), chance.choice("AOUJSBK0"), font=font, fill=ink)
            x += font.size * chance.uniform(0.55, 0.95)
    return np.ascontiguousarray(np.asarray(paper)[..., ::-1])


def read(reader: MrzReader, picture: np.ndarray) -> tuple[str, ...]:
    return settle(reader.look(picture).posteriors, TODAY).lines


@pytest.mark.parametrize("seed", range(6))
def test_print_beside_the_lines_in_their_own_type(reader: MrzReader, seed: int) -> None:
    assert read(reader, sheet(PASSPORT, 520, 1240, print_beside=seed)) == PASSPORT


@pytest.mark.parametrize("turned", [False, True])
def test_lines_that_run_together_towards_one_end(reader: MrzReader, turned: bool) -> None:
    picture = sheet(TD2_CARD)
    height, width = picture.shape[:2]
    far = 0.2 * height
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = np.array([(0, 0), (0.9 * width, far), (0.9 * width, height - far), (0, height)], np.float32)
    askew = cv2.warpPerspective(
        picture, cv2.getPerspectiveTransform(corners, seen), (width, height), borderValue=DESK
    )
    assert read(reader, np.ascontiguousarray(askew[::-1, ::-1]) if turned else askew) == TD2_CARD


class SomeLines(Locator):
    """Finds only these lines of a zone, counted from the top."""

    def __init__(self, found: tuple[int, ...]) -> None:
        super().__init__()
        self._found = found

    def locate(self, grey: Grey) -> list[LineBand]:
        lines = sorted(super().locate(grey), key=lambda band: float(band.points[0, 1]))
        return [lines[index] for index in self._found]


@pytest.mark.parametrize("found", [(1,), (0, 1), (1, 2), (0, 2)])
def test_lines_that_were_not_found_are_looked_for_between_and_beside_the_others(
    reader: MrzReader, monkeypatch: pytest.MonkeyPatch, found: tuple[int, ...]
) -> None:
    monkeypatch.setattr(reader, "_locator", SomeLines(found))
    assert read(reader, sheet(TD1_CARD)) == TD1_CARD
