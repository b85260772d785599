"""The portrait on a page, where the chip has none to compare with: found beside its ghost, judged strictly."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from contracts.party import FaceDecision
from hardware.ports import Frame
from hardware.specimens.build import PORTRAITS, TRAVELLERS, compose_lines
from hardware.specimens.page import CHARACTER_PITCH_MM, DOTS_PER_MM, FORMATS_MM, GLASS_MM, LINE_PITCH_MM, draw_page
from hardware.specimens.recipe import DocumentRecipe, load_recipe
from kiosk.face import FaceMatcher
from kiosk.faces.embed import average

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"


@pytest.fixture(scope="module")
def matcher() -> FaceMatcher:
    return FaceMatcher(MODELS)


def page_of(recipe: DocumentRecipe) -> tuple[Frame, tuple[np.ndarray, ...]]:
    """The page on the glass, and the corners of its zone's lines."""
    lines = compose_lines(recipe)
    portrait = (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes()
    picture = np.asarray(Image.open(io.BytesIO(draw_page(recipe, lines, portrait))).convert("RGB"))
    length = CHARACTER_PITCH_MM * len(lines[0])
    left, last = (GLASS_MM[0] - length) / 2, (GLASS_MM[1] + FORMATS_MM[recipe.format][1]) / 2 - 9.4
    corners = []
    for row in range(len(lines)):
        base = last - (len(lines) - 1 - row) * LINE_PITCH_MM
        box = [[left, base - 2.6], [left + length, base - 2.6], [left + length, base], [left, base]]
        corners.append(np.array(box) * DOTS_PER_MM)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), dtype=np.uint8), tuple(corners)


@pytest.mark.parametrize("name", ["anna", "expired", "heavy"])
def test_the_printed_portrait_is_its_bearer_and_nobody_else(matcher: FaceMatcher, name: str) -> None:
    recipe = load_recipe(TRAVELLERS / name).travellers[0].documents[0]
    frame, lines = page_of(recipe)
    bearer = matcher.portrait((PORTRAITS / f"{recipe.portrait}-smile.jpg").read_bytes())
    other = matcher.portrait((PORTRAITS / "greta-smile.jpg").read_bytes())
    assert bearer is not None
    assert other is not None
    half_a_turn = [np.array(frame.shape[1::-1]) - line for line in lines]
    for page, zone in ((frame, lines), (np.ascontiguousarray(np.rot90(frame, 2)), half_a_turn)):
        printed, is_printed = matcher.reference(None, page, zone)
        assert printed is not None
        assert is_printed
        assert matcher.compare(printed, bearer, printed=True).decision is FaceDecision.MATCH
        assert matcher.compare(printed, other, printed=True).decision is not FaceDecision.MATCH


def test_a_page_without_a_portrait_gives_no_template(matcher: FaceMatcher) -> None:
    frame, lines = page_of(load_recipe(TRAVELLERS / "anna").travellers[0].documents[0])
    blank = frame.copy()
    blank[: int(lines[0][:, 1].min())] = 220
    assert matcher.reference(None, blank, lines) == (None, False)


def test_the_print_is_looked_at_only_where_the_chip_shows_nobody(matcher: FaceMatcher) -> None:
    recipe = load_recipe(TRAVELLERS / "anna").travellers[0].documents[0]
    frame, lines = page_of(recipe)
    held = (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes()
    nobody = io.BytesIO()
    Image.new("RGB", (240, 320), (180, 180, 180)).save(nobody, "JPEG")
    assert matcher.reference(held, frame, lines)[1] is False
    assert matcher.reference(nobody.getvalue(), frame, lines)[1] is True
    assert matcher.reference(b"no picture", None, ()) == (None, False)
    assert matcher.reference(None, frame, ()) == (None, False)  # nobody knows where the page is, and which way up


def test_the_print_asks_for_more_than_the_chip(matcher: FaceMatcher) -> None:
    """Of faces between two people some match a chip's portrait and not a printed one; none the other way round."""
    anna, smiling, greta = (
        matcher.portrait((PORTRAITS / f"{name}.jpg").read_bytes())
        for name in ("anna-neutral", "anna-smile", "greta-smile")
    )
    assert anna is not None
    assert smiling is not None
    assert greta is not None
    stricter = 0
    for share in np.linspace(0, 1, 201):
        between = average([smiling, greta], [1 - share, share])
        chip, printed = (matcher.compare(anna, between, printed=which).decision for which in (False, True))
        assert printed is not FaceDecision.MATCH or chip is FaceDecision.MATCH
        stricter += printed is not FaceDecision.MATCH and chip is FaceDecision.MATCH
    assert stricter
