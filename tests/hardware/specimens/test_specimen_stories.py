"""Every committed story is well-formed, agrees with its recipe, and tells of fictional people of Utopia."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from documents.mrz import parse_mrz
from hardware.specimens.build import PORTRAITS, TRAVELLERS, build_specimen, compose_lines, known_specimens
from hardware.specimens.command import main
from hardware.specimens.recipe import DocumentRecipe, load_recipe
from hardware.specimens.story import Story, load_story

TODAY = date(2026, 1, 1)
TOLD_OF = {
    *("anna", "family", "alcohol", "cash", "sample", "impostor", "tampered", "expired", "clone", "unreadable"),
    *("listed", "heavy", "signer", "diplomat", "card", "visa", "helper", "voluntary", "altered"),
    *("phone", "mask", "camera", "crowd"),
}


def story(name: str) -> Story:
    return Story.model_validate(json.loads((TRAVELLERS / name / "story.json").read_text(encoding="utf-8")))


def documents() -> list[tuple[str, DocumentRecipe]]:
    return [
        (name, document)
        for name in known_specimens()
        for traveller in load_recipe(TRAVELLERS / name).travellers
        for document in traveller.documents
    ]


def test_all_stories_are_there() -> None:
    assert set(known_specimens()) >= TOLD_OF


@pytest.mark.parametrize("name", known_specimens())
def test_story_expects_reasons_exactly_when_it_ends_red(name: str) -> None:
    expected = story(name).expected
    assert expected is not None
    assert (expected.channel == "red") == bool(expected.reasons)
    assert list(expected.reasons) == sorted(set(expected.reasons))


@pytest.mark.parametrize(
    ("name", "document"), documents(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_zone_is_a_valid_one_of_utopia(name: str, document: DocumentRecipe) -> None:
    mrz = parse_mrz(compose_lines(document), TODAY)
    assert mrz.conforming
    assert mrz.key is not None
    assert (mrz.issuer, mrz.number, mrz.birth_date) == ("UTO", document.number, document.birth_date)
    assert mrz.expiry_date == document.expiry_date


def test_nobody_appears_twice() -> None:
    """Each face belongs to one name, and each document number and bag tag exists once.

    Who attacks the camera borrows a face: no such story can end green.
    """
    holders: dict[str, set[tuple[str, str]]] = {}
    for name, document in documents():
        attacked = any(each.attack for each in load_recipe(TRAVELLERS / name).travellers)
        if attacked or story(name).behaviour.camera_fault:
            expected = story(name).expected
            assert expected is not None and expected.channel == "red"
            continue
        holders.setdefault(document.portrait, set()).add((document.surname, document.given_names))
    assert all(len(names) == 1 for names in holders.values())
    numbers = Counter(document.number for _, document in documents())
    assert max(numbers.values()) == 1
    tags = Counter(
        bag.licence_plate
        for name in known_specimens()
        for traveller in load_recipe(TRAVELLERS / name).travellers
        for bag in traveller.bags
        if bag is not None
    )
    assert max(tags.values()) == 1


def test_only_the_impostor_shows_another_face() -> None:
    strangers = {
        name
        for name in known_specimens()
        for traveller in load_recipe(TRAVELLERS / name).travellers
        if traveller.face not in {document.portrait for document in traveller.documents}
    }
    assert strangers == {"impostor"}


def test_portraits_are_small_and_attributed() -> None:
    pictures = sorted(PORTRAITS.glob("*.jpg"))
    assert len(pictures) >= 32
    assert all(picture.stat().st_size < 60_000 for picture in pictures)
    assert "CC BY 4.0" in (PORTRAITS / "ATTRIBUTION.md").read_text(encoding="utf-8")


def test_a_recipe_that_does_not_fit_its_story_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(TRAVELLERS / "anna", tmp_path / "anna")
    recipe = json.loads((tmp_path / "anna/recipe.json").read_text(encoding="utf-8"))
    recipe["travellers"][0]["documents"][0]["chip"] = False
    (tmp_path / "anna/recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    monkeypatch.setattr("hardware.specimens.build.TRAVELLERS", tmp_path)
    with pytest.raises(ValueError, match="differ in chips"):
        build_specimen("anna", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"page": "../page.png"}, "page"),
        ({"page": "/etc/hostname"}, "page"),
        ({"page": "absent.png"}, "is missing"),
    ],
)
def test_a_story_that_names_files_elsewhere_is_refused(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    told = json.loads((TRAVELLERS / "anna/story.json").read_text(encoding="utf-8"))
    told["travellers"][0]["documents"][0].update(change)
    (tmp_path / "story.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises((ValueError, ValidationError), match=message):
        load_story(tmp_path)


def test_a_path_out_of_the_directory_through_a_subdirectory_is_refused(tmp_path: Path) -> None:
    told = json.loads((TRAVELLERS / "anna/story.json").read_text(encoding="utf-8"))
    told["travellers"][0]["documents"][0]["page"] = "a/../../outside.png"
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.png").write_bytes(b"")
    (tmp_path / "inside/story.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ValueError, match="lies outside"):
        load_story(tmp_path / "inside")


def test_check_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/story.json").write_text('{"schema_version": 1}', encoding="utf-8")
    assert main(["check", str(tmp_path)]) == 1
    assert "broken" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "nothing")]) == 1
    assert "no specimen found" in capsys.readouterr().err
