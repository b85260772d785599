"""The reader of the visual zone on the specimens' own pages, tampered ones, and things that are no page."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from contracts.checks import Verdict
from documents.mrz import Mrz, parse_mrz
from documents.viz import VizComparison, compare_viz
from hardware.ports import Frame
from hardware.specimens.build import PORTRAITS, TRAVELLERS, compose_lines
from hardware.specimens.page import CHARACTER_PITCH_MM, DOTS_PER_MM, FORMATS_MM, GLASS_MM, LINE_PITCH_MM, draw_page
from hardware.specimens.recipe import DocumentRecipe, load_recipe
from kiosk.viz import WEIGHTS, TextWeightsError, VizReader, upright, verify_weights
from kiosk.viz.text import PageText

MODELS = Path(sys.prefix) / "share/corridor/models"
ROOT = Path(__file__).parents[2]
TODAY = date(2026, 5, 1)
CORNERS = tuple[np.ndarray, ...]


@pytest.fixture(scope="module")
def reader() -> Iterator[VizReader]:
    reader = VizReader(MODELS)
    assert reader.wait_until_ready()
    yield reader
    reader.close()


def recipe(name: str, document: int = 0) -> DocumentRecipe:
    return load_recipe(TRAVELLERS / name).travellers[0].documents[document]


def drawn(printed: DocumentRecipe, zone: DocumentRecipe | None = None) -> tuple[Frame, CORNERS, Mrz]:
    """A page whose print says `printed` and whose zone says `zone`; the zone's lines in the frame; the zone."""
    lines = compose_lines(zone or printed)
    portrait = (PORTRAITS / f"{printed.portrait}-neutral.jpg").read_bytes()
    picture = Image.open(io.BytesIO(draw_page(printed, lines, portrait))).convert("RGB")
    frame = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR)
    _, height = FORMATS_MM[printed.format]
    length = CHARACTER_PITCH_MM * len(lines[0])
    left, last = (GLASS_MM[0] - length) / 2, (GLASS_MM[1] + height) / 2 - (6.0 if len(lines) == 3 else 9.4)
    corners = []
    for row in range(len(lines)):
        base = last - (len(lines) - 1 - row) * LINE_PITCH_MM
        box = [[left, base - 2.6], [left + length, base - 2.6], [left + length, base], [left, base]]
        corners.append(np.array(box) * DOTS_PER_MM)
    return np.asarray(frame, np.uint8), tuple(corners), parse_mrz(lines, TODAY)


def judged(reader: VizReader, printed: DocumentRecipe, zone: DocumentRecipe | None = None) -> VizComparison:
    frame, corners, mrz = drawn(printed, zone)
    return compare_viz(reader.read(frame, corners, mrz), mrz)


@pytest.mark.parametrize(("name", "document"), [("anna", 0), ("visa", 0), ("visa", 1), ("expired", 0)])
def test_an_honest_page_passes(reader: VizReader, name: str, document: int) -> None:
    comparison = judged(reader, recipe(name, document))
    assert (comparison.check.verdict, comparison.check.reason) == (Verdict.PASSED, "ok")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"surname": "Lindqvest"}, "surname_differs"),
        ({"surname": "Hallberg"}, "surname_differs"),
        ({"given_names": "Anne Maria"}, "given_names_differs"),
        ({"number": "L47312068"}, "number_differs"),
        ({"birth_date": date(1986, 4, 18)}, "birth_date_differs"),
        ({"expiry_date": date(2034, 5, 8)}, "expiry_date_differs"),
    ],
)
def test_a_page_with_another_print_than_zone_fails(
    reader: VizReader, changed: dict[str, object], reason: str
) -> None:
    honest = recipe("anna")
    comparison = judged(reader, honest.model_copy(update=changed), honest)
    assert (comparison.check.verdict, comparison.check.reason) == (Verdict.FAILED, reason)


@pytest.mark.parametrize(
    ("surname", "given_names", "issuer"),
    [("Müller-Großmann", "Jürgen", "D"), ("Ibáñez", "Begoña", "ESP"), ("Łukaszewicz", "Światosław", "POL")],
)
def test_marks_on_letters(reader: VizReader, surname: str, given_names: str, issuer: str) -> None:
    names = {"surname": surname, "given_names": given_names, "issuer": issuer}
    assert judged(reader, recipe("anna").model_copy(update=names)).check.verdict is Verdict.PASSED


def test_the_side_of_a_card_without_names_is_not_checked(reader: VizReader) -> None:
    comparison = judged(reader, recipe("card"))
    assert (comparison.check.verdict, comparison.check.reason) == (Verdict.NOT_CHECKED, "not_readable")


@pytest.mark.parametrize("degrees", [180, 90, 37])
def test_the_zone_tells_which_way_is_up(reader: VizReader, degrees: int) -> None:
    frame, corners, mrz = drawn(recipe("anna"))
    matrix = cv2.getRotationMatrix2D((frame.shape[1] / 2, frame.shape[0] / 2), degrees, 0.8)
    matrix[:, 2] += 200
    turned = np.asarray(cv2.warpAffine(frame, matrix, (2000, 1600)), np.uint8)
    moved = tuple(np.hstack([line, np.ones((4, 1))]) @ matrix.T for line in corners)
    assert compare_viz(reader.read(turned, moved, mrz), mrz).check.verdict is Verdict.PASSED
    page, zone = upright(turned, moved)
    assert zone is not None
    assert page.shape[1] > page.shape[0]
    assert zone[3] > page.shape[0] / 2  # the zone is at the foot of the page


def test_what_is_read_leaves_the_zone_out(reader: VizReader) -> None:
    frame, corners, mrz = drawn(recipe("anna"))
    whole = reader.read(frame, corners)
    assert not any("<" in each.text for each in whole)
    assert len(whole) >= len(reader.read(frame, corners, mrz))  # stops once everything was found


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((480, 640, 3), np.uint8),
        np.full((1, 1, 3), 255, np.uint8),
        np.zeros((3, 4000, 3), np.uint8),
        np.random.default_rng(1).integers(0, 256, (700, 900, 3), dtype=np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((40, 40), np.uint8),
    ],
    ids=["black", "pixel", "strip", "noise", "nothing", "grey"],
)
def test_any_image_gives_an_answer(reader: VizReader, frame: Frame) -> None:
    assert isinstance(reader.read(frame), tuple)
    nowhere = (np.full((4, 2), np.nan), np.zeros((4, 2)))
    assert reader.read(frame, nowhere) == ()
    assert reader.wait_until_ready(0)  # and the process lives on


def test_a_process_that_died_or_hangs_is_replaced() -> None:
    reader = VizReader(MODELS)
    frame, corners, mrz = drawn(recipe("anna"))
    try:
        assert reader.wait_until_ready()
        assert reader._process is not None
        os.kill(reader._process.pid, signal.SIGSTOP)  # hangs
        assert reader.read(frame, corners, mrz, seconds=0.2) == ()
        assert reader.read(frame, corners, mrz)  # a new one
        os.kill(reader._process.pid, signal.SIGKILL)
        reader._process.join(5)
        assert reader.read(frame, corners, mrz)
    finally:
        reader.close()
    reader.close()  # twice does no harm


def test_closing_does_not_wait_for_a_reading() -> None:
    reader = VizReader(MODELS)
    frame, corners, _ = drawn(recipe("anna"))
    assert reader.wait_until_ready()
    assert reader._process is not None
    os.kill(reader._process.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as others:
        reading = others.submit(reader.read, frame, corners)
        while not reading.running():
            pass
        reader.close()
        assert reading.result() == ()


def test_without_its_weights_nothing_is_read(tmp_path: Path) -> None:
    for name in WEIGHTS:
        (tmp_path / name).write_bytes(b"other weights")
    with pytest.raises(TextWeightsError, match="make setup"):
        verify_weights(tmp_path)
    with pytest.raises(TextWeightsError):
        PageText(tmp_path)


def test_the_weights_are_those_of_the_manifest() -> None:
    entries = {entry["file"]: entry for entry in json.loads((ROOT / "tools/models.json").read_text())}
    for name, sha256 in WEIGHTS.items():
        assert entries[name]["sha256"] == sha256
        assert entries[name]["licence"] == "Apache-2.0"
        assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == sha256
