"""A built specimen is complete, the same each time, and what a kiosk's own parts can read."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hardware.specimens.build import (
    PORTRAITS,
    TRAVELLERS,
    build_specimens,
    compose_lines,
    issue_chip,
    known_specimens,
    watch_list,
)
from hardware.specimens.command import main
from hardware.specimens.feed import HEIGHT, SECONDS, WIDTH
from hardware.specimens.page import draw_page
from hardware.specimens.recipe import DocumentRecipe, load_recipe
from hardware.specimens.story import load_story
from hardware.specimens.tag import draw_tag, interleaved_2_of_5


def digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("specimens")
    build_specimens(out, ["visa"])
    return out


def test_a_built_specimen_is_complete(built: Path) -> None:
    story = load_story(built / "visa")
    assert [document.chip is not None for document in story.travellers[0].documents] == [False, True]
    assert all(document.mrz for document in story.travellers[0].documents)
    assert {path.suffix for path in (built / "trust").iterdir()} == {".cer", ".crl"}
    assert not (built / "visa/recipe.json").exists()


def test_the_same_inputs_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    build_specimens(tmp_path, ["visa"])
    assert digests(tmp_path) == digests(built)


def test_a_second_build_does_nothing(built: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (built / "visa").rglob("*")}
    assert build_specimens(built, ["visa"]) == ((), ("visa",))
    assert {path: path.stat().st_mtime_ns for path in (built / "visa").rglob("*")} == before


def test_a_changed_input_is_built_again(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    (tmp_path / "visa/.built").write_text("another", encoding="utf-8")
    (tmp_path / "visa/tag-1.png").write_bytes(b"spoilt")
    assert build_specimens(tmp_path, ["visa"]) == (("visa",), ())
    assert digests(tmp_path) == digests(built)


def test_an_unknown_specimen_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--out", str(tmp_path), "--only", "nobody"]) == 1
    assert "no specimen is called nobody" in capsys.readouterr().err


def test_feeds_are_motion_jpeg_of_the_promised_size(built: Path) -> None:
    for name, seconds in SECONDS.items():
        data = (built / f"visa/feeds/{name}.mjpeg").read_bytes()
        frames = [b"\xff\xd8" + part for part in data.split(b"\xff\xd8")[1:]]
        assert len(frames) == round(seconds * 12)
        with Image.open(io.BytesIO(frames[-1])) as last:
            assert last.size == (WIDTH, HEIGHT)


def test_the_watch_list_has_the_columns_that_central_reads() -> None:
    lines = watch_list().splitlines()
    assert lines[0] == "name,birth_date,list,reason_code,owner,expires"
    assert len(lines) == 2


def tags() -> list[tuple[str, int]]:
    return [
        (bag.licence_plate, bag.degrees)
        for name in known_specimens()
        for traveller in load_recipe(TRAVELLERS / name).travellers
        for bag in traveller.bags
        if bag is not None
    ]


@pytest.mark.parametrize(("plate", "degrees"), tags())
def test_a_tag_can_be_read(plate: str, degrees: int) -> None:
    import zxingcpp

    with Image.open(io.BytesIO(draw_tag(plate, degrees))) as picture:
        found = zxingcpp.read_barcodes(np.asarray(picture))
    assert [code.text for code in found] == [plate]


def test_only_pairs_of_digits_make_a_bar_code() -> None:
    for wrong in ("123", "12a4", "١٢"):
        with pytest.raises(ValueError, match="even number of digits"):
            interleaved_2_of_5(wrong)


def test_a_card_has_a_front_and_nothing_else_has(tmp_path: Path) -> None:
    build_specimens(tmp_path, ["card"])
    (card,) = load_story(tmp_path / "card").travellers[0].documents
    assert card.front is not None
    with Image.open(tmp_path / "card" / card.page) as page, Image.open(tmp_path / "card" / card.front) as front:
        assert page.size == front.size, "both lie on the same glass"
        assert np.abs(np.asarray(page, np.int16) - np.asarray(front, np.int16)).mean() > 5


def test_an_altered_page_says_what_zone_and_chip_do_not() -> None:
    (honest,) = load_recipe(TRAVELLERS / "anna").travellers[0].documents
    altered = honest.model_copy(update={"printed_surname": "Lindgren"})
    assert compose_lines(altered) == compose_lines(honest)
    assert page_of(altered) != page_of(honest)


def page_of(document: DocumentRecipe) -> bytes:
    portrait = (PORTRAITS / f"{document.portrait}-neutral.jpg").read_bytes()
    return draw_page(document, compose_lines(document), portrait)


def pages() -> list[DocumentRecipe]:
    return [
        document
        for name in known_specimens()
        for traveller in load_recipe(TRAVELLERS / name).travellers
        for document in traveller.documents
    ]


@pytest.mark.slow
@pytest.mark.parametrize("document", pages(), ids=lambda document: f"{document.given_names}-{document.format}")
def test_a_page_is_read_by_the_engine_of_this_release(
    document: DocumentRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Number, birth and expiry with valid check digits; nothing of the damaged page."""
    monkeypatch.setitem(os.environ, "OMP_THREAD_LIMIT", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from passporteye.mrz.image import MRZBoxLocator, MRZPipeline

        with Image.open(io.BytesIO(page_of(document))) as picture:
            pipeline = MRZPipeline(None)
            pipeline["img"] = np.asarray(picture.convert("L")) / 255.0
        # Three lines of a card are less than five times as wide as high, which is what it takes for a zone.
        pipeline.replace_component("box_locator", MRZBoxLocator(min_box_aspect=4))
        mrz = pipeline.result
    if document.damaged:
        assert mrz is None or not (mrz.valid_number and mrz.valid_date_of_birth and mrz.valid_expiration_date)
        return
    assert mrz is not None
    assert (mrz.number.rstrip("<"), mrz.date_of_birth, mrz.expiration_date) == (
        document.number,
        document.birth_date.strftime("%y%m%d"),
        document.expiry_date.strftime("%y%m%d"),
    )
    assert mrz.valid_number
    assert mrz.valid_date_of_birth
    assert mrz.valid_expiration_date


def test_chips_carry_the_faults_of_their_stories() -> None:
    faults = {document.chip_fault: document for document in pages()}
    portrait = (PORTRAITS / "anna-neutral.jpg").read_bytes()
    sound = next(page for page in pages() if page.chip_fault is None and page.chip_protocols == "bac_aa")
    chip = issue_chip(sound, compose_lines(sound), portrait)
    assert chip.authentication_key is not None
    cloned = faults["cloned"]
    assert issue_chip(cloned, compose_lines(cloned), portrait).authentication_key is None
    foreign = faults["foreign_signer"]
    assert b"CSCA XYZ" in issue_chip(foreign, compose_lines(foreign), portrait).files["SOD"]
    tampered = faults["tampered_portrait"]
    altered = issue_chip(tampered, compose_lines(tampered), portrait)
    assert portrait in altered.files["DG2"]
    assert hashlib.sha256(altered.files["DG2"]).digest() not in altered.files["SOD"]
