"""The shipped networks read a page whichever way it lies, and say why where they cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from documents.mrz import compose_td1, compose_td3
from documents.mrz.settle import settle
from hardware.specimens.page import draw_page
from hardware.specimens.recipe import DocumentRecipe
from kiosk.mrz import weights
from kiosk.mrz.grid import BETWEEN, STEP, Probabilities
from kiosk.mrz.locate import Grey, LineBand, Locator
from kiosk.mrz.read import MrzReader
from kiosk.mrz.weights import WeightsError, verified

TODAY = date(2026, 11, 21)
ANNA = {
    "issuer": "UTO",
    "surname": "Eriksson",
    "given_names": "Anna Maria",
    "nationality": "UTO",
    "birth_date": date(1974, 8, 12),
    "sex": "F",
    "expiry_date": date(2032, 4, 15),
}
PASSPORT = compose_td3(number="L898902C3", personal_number="ZE184226B", **ANNA)  # type: ignore[arg-type]
CARD = compose_td1(number="D23145890", **ANNA)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def reader() -> Iterator[MrzReader]:
    yield MrzReader()


def page(lines: tuple[str, ...], across: int = 1000) -> np.ndarray:
    form = "TD1" if len(lines) == 3 else "TD3"
    recipe = DocumentRecipe(
        format=form,
        number="L898902C3",
        portrait="anna",
        **{**ANNA, "document_code": lines[0][0]},  # type: ignore[arg-type]
    )
    portrait = BytesIO()
    Image.new("RGB", (413, 531), (150, 140, 130)).save(portrait, "JPEG")
    drawn = np.asarray(Image.open(BytesIO(draw_page(recipe, lines, portrait.getvalue()))).convert("RGB"))
    scale = across / drawn.shape[1]
    small = cv2.resize(drawn[..., ::-1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small)


def turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    height, width = picture.shape[:2]
    side = int(np.hypot(height, width)) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    matrix[:, 2] += [(side - width) / 2, (side - height) / 2]
    return cv2.warpAffine(picture, matrix, (side, side), borderValue=(24, 24, 24))


@pytest.mark.parametrize("degrees", [0, 5, 38, 90, 180, 217, 270])
@pytest.mark.parametrize("lines", [PASSPORT, CARD])
def test_a_page_is_read_whichever_way_it_lies(reader: MrzReader, lines: tuple[str, ...], degrees: float) -> None:
    look = reader.look(turned(page(lines), degrees))
    settled = settle(look.posteriors, TODAY)
    assert (look.problem, settled.reason, settled.lines) == (None, "ok", lines)


def test_the_corners_of_a_line_go_round_it_in_reading_direction(reader: MrzReader) -> None:
    look = reader.look(page(PASSPORT))
    upper, lower = look.corners
    assert upper[0][0] < upper[1][0]  # from the start to the end
    assert upper[0][1] < upper[3][1]  # from above to below
    assert upper[:, 1].mean() < lower[:, 1].mean()
    across = (upper[1][0] - upper[0][0]) / 1000 * 137.0  # millimetres on the glass
    assert across == pytest.approx(44 * 2.54, abs=1.5)
    upside_down = reader.look(turned(page(PASSPORT), 180)).corners[0]
    assert upside_down[0][0] > upside_down[1][0]


def test_the_size_of_the_picture_does_not_matter(reader: MrzReader) -> None:
    for across in (560, 2400):
        assert settle(reader.look(page(PASSPORT, across)).posteriors, TODAY).lines == PASSPORT


class ShortSighted(Locator):
    """Sees so much of each line only, as where the rest lies in the shadow."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def locate(self, grey: Grey) -> list[LineBand]:
        return [
            replace(each, points=each.points[0] + (each.points - each.points[0]) * self._share)
            for each in super().locate(grey)
        ]


@pytest.mark.parametrize("seen", [27.0, 30.3, 34.0, 35.6, 36.3, 38.0])
def test_a_zone_seen_in_part_is_not_taken_for_a_shorter_one(
    reader: MrzReader, monkeypatch: pytest.MonkeyPatch, seen: float
) -> None:
    monkeypatch.setattr(reader, "_locator", ShortSighted(seen / 44))
    assert settle(reader.look(page(PASSPORT)).posteriors, TODAY).lines == PASSPORT


def test_print_above_a_zone_seen_in_part_makes_no_card_of_it(
    reader: MrzReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three lines of 30 characters are a card's: those of a passport, led on once, must be led on again."""
    picture = page(PASSPORT)
    upper, lower = reader.look(picture).corners
    pitch = round(float(lower[0, 1] - upper[0, 1]))
    top, bottom = round(float(upper[0, 1])) - 5, round(float(upper[3, 1])) + 5
    left, right = round(float(upper[0, 0])) - 2, round(float(upper[0, 0] + (upper[1, 0] - upper[0, 0]) * 30 / 44))
    picture[top - pitch : bottom - pitch] = 240
    picture[top - pitch : bottom - pitch, left:right] = picture[top:bottom, left:right]
    monkeypatch.setattr(reader, "_locator", ShortSighted(30.3 / 44))
    assert settle(reader.look(picture).posteriors, TODAY).lines == PASSPORT


def test_two_passports_at_once_are_said_to_be_two(reader: MrzReader) -> None:
    one, other = page(PASSPORT, 700), page(PASSPORT, 700)
    assert reader.look(np.vstack([one, other])).problem == "several_documents"


def test_a_zone_that_leaves_the_picture_is_cut_off(reader: MrzReader) -> None:
    look = reader.look(page(PASSPORT)[:, :700])
    assert (look.posteriors, look.problem) == ((), "cut_off")


@pytest.mark.parametrize(
    ("picture", "problem"),
    [
        (np.zeros((480, 640, 3), np.uint8), "too_dark"),
        (np.full((480, 640, 3), 200, np.uint8), "no_zone"),
        (np.full((1, 1, 3), 200, np.uint8), "no_zone"),
        (np.random.default_rng(1).integers(0, 256, (480, 640), np.uint8), "no_zone"),
    ],
)
def test_what_holds_no_zone_gives_none(reader: MrzReader, picture: np.ndarray, problem: str) -> None:
    look = reader.look(picture)
    assert (look.posteriors, look.corners, look.problem) == ((), (), problem)


def test_the_larger_network_is_asked_where_a_line_is_in_doubt_and_nowhere_else(
    reader: MrzReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Larger:
        def probabilities(self, images: Sequence[Grey]) -> list[Probabilities]:
            asked.append(len(images))
            return larger.probabilities(images)

    larger = reader._larger
    monkeypatch.setattr(reader, "_larger", Larger())
    clear = page(PASSPORT)
    assert (settle(reader.look(clear).posteriors, TODAY).lines, asked) == (PASSPORT, [])
    assert settle(reader.look(cv2.GaussianBlur(clear, (0, 0), 5.0)).posteriors, TODAY).lines == PASSPORT
    assert asked
    assert max(asked) <= 4, "a few cuts of each line"


def test_what_the_larger_network_says_counts_and_where_it_sees_no_line_the_smaller_one_stands(
    reader: MrzReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blind:
        def probabilities(self, images: Sequence[Grey]) -> list[Probabilities]:
            nothing = np.zeros(BETWEEN + 1, np.float32)
            nothing[BETWEEN] = 1.0
            return [np.tile(nothing, (each.shape[1] // STEP, 1)) for each in images]

    dim = cv2.GaussianBlur(page(PASSPORT), (0, 0), 5.0)
    both = reader.look(dim).posteriors
    monkeypatch.setattr(reader, "_larger", Blind())
    alone = reader.look(dim).posteriors
    assert settle(alone, TODAY).lines == PASSPORT
    assert any(np.abs(one - other).max() > 0.01 for one, other in zip(both, alone, strict=True))


def test_a_swapped_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.SHA_256, weights.RECOGNISER, "0" * 64)
    with pytest.raises(WeightsError, match=r"recogniser\.onnx is not the network"):
        MrzReader()
    with pytest.raises(WeightsError, match=r"nothing\.onnx is missing"):
        verified("nothing.onnx")
