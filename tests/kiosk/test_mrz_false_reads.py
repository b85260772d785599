"""Print that looks like a zone and is none, in a zone's own type: nothing of it is accepted."""

from __future__ import annotations

import random
import string
from datetime import date

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from documents.mrz.settle import settle
from hardware.specimens.page import _ocr_b
from kiosk.mrz.read import MrzReader
from kiosk.mrz.reading import as_far_as_seen

TODAY = date(2026, 11, 22)
CAPITALS, DIGITS = string.ascii_uppercase, string.digits
NAME = "P<UTOERIKSSON<<ANNA<MARIA".ljust(44, "<")
NUMBER = "L898902C36UTO7408122F3204159ZE184226B<<<<<18"


@pytest.fixture(scope="module")
def reader() -> MrzReader:
    return MrzReader()


def rows(kind: str, width: int, seed: int) -> list[str]:
    chance = random.Random(f"{kind} {width} {seed}")

    def any_of(characters: str, count: int = width) -> str:
        return "".join(chance.choice(characters) for _ in range(count))

    lines = 3 if width == 30 else 2
    return {
        "serial numbers": [any_of(CAPITALS + DIGITS) for _ in range(lines)],
        "digits": [any_of(DIGITS) for _ in range(lines)],
        "with fillers": [any_of(CAPITALS + DIGITS + "<<<<<") for _ in range(lines)],
        "decoration": ["<" * width] * lines,
        "signs": [(any_of(CAPITALS, 6) + "<" * 7 + any_of(CAPITALS, 4)).ljust(width, "<")] * lines,
        "boarding pass": [
            ("M1" + any_of(CAPITALS, 8) + " " + any_of(CAPITALS, 5)).ljust(width, "<"),
            ("E" + any_of(CAPITALS + DIGITS, 7) + any_of(CAPITALS, 6) + any_of(DIGITS, 8)).ljust(width, "<"),
        ],
        "a sum in a form": [any_of(DIGITS, 13) + ">" + any_of(DIGITS, width - 25) + "+ " + any_of(DIGITS, 8) + ">"]
        * 2,
    }[kind]


def picture(lines: list[str], apart: float = 1.9) -> np.ndarray:
    """The lines on light paper, `apart` heights of the type from each other."""
    sheet = Image.new("RGB", (1300, 620), (226, 224, 214))
    pen = ImageDraw.Draw(sheet)
    font = _ocr_b()
    font = font.font_variant(size=font.size * 1080 / pen.textlength(lines[0], font=font))
    for number, line in enumerate(lines):
        pen.text((110, 260 + number * apart * font.size), line, font=font, fill=(30, 30, 34))
    return np.ascontiguousarray(np.asarray(sheet)[..., ::-1])


def accepted(reader: MrzReader, frame: np.ndarray) -> bool:
    look = as_far_as_seen(reader.look(frame), frame)
    return look.problem is None and settle(look.posteriors, TODAY).accepted


@pytest.mark.parametrize("width", [30, 36, 44])
@pytest.mark.parametrize(
    "kind", ["serial numbers", "digits", "with fillers", "decoration", "signs", "boarding pass", "a sum in a form"]
)
def test_lines_of_a_zones_type_and_length_are_no_zone(reader: MrzReader, kind: str, width: int) -> None:
    assert not accepted(reader, picture(rows(kind, width, 1)))


@pytest.mark.parametrize("lines", [[NAME], [NUMBER], [NUMBER, NAME], [NAME, NAME], [NUMBER, NUMBER]])
def test_the_lines_of_a_zone_in_another_order_are_no_zone(reader: MrzReader, lines: list[str]) -> None:
    assert not accepted(reader, picture(lines))


def test_two_lines_that_stand_far_apart_are_no_zone_and_beside_each_other_they_are(reader: MrzReader) -> None:
    assert not accepted(reader, picture([NAME, NUMBER], apart=6.0))
    assert accepted(reader, picture([NAME, NUMBER])), "the pictures above are such as can be read"


@pytest.mark.parametrize("kind", ["boarding pass", "a sum in a form"])
def test_sharp_print_that_is_no_zone_is_not_called_blurred(reader: MrzReader, kind: str) -> None:
    frame = picture(rows(kind, 30, 1))
    assert reader.look(frame).problem == "other_print"
    assert reader.look(cv2.GaussianBlur(frame, (0, 0), 12)).problem == "blurred"


@pytest.mark.parametrize("across", [(51, 1), (1, 51)])
def test_a_zone_that_moved_along_or_across_is_called_blurred(reader: MrzReader, across: tuple[int, int]) -> None:
    assert reader.look(cv2.blur(picture([NAME, NUMBER]), across)).problem == "blurred"
