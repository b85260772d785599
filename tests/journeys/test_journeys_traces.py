"""After a journey nobody finds who it was: no name, number, zone or picture in clear where the house writes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from journeys_stage import Stage

from documents.lds import parse_dg2
from kiosk.face import FaceMatcher

pytestmark = [pytest.mark.slow, pytest.mark.pcsc]

# Beginnings of pictures, long enough not to occur in ciphertext by chance.
PICTURES = (b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff\xdb\x00\x43", b"\x89PNG\r\n\x1a\n")


def _files(*roots: Path) -> Iterator[Path]:
    for root in roots:
        for directory, _, names in os.walk(root):
            yield from (Path(directory) / name for name in names)


def _loose_files() -> set[Path]:
    """What lies openly in the places where anybody may write."""
    return {path for root in ("/tmp", "/dev/shm", "/var/tmp") for path in Path(root).iterdir() if path.is_file()}


def _secrets(stage: Stage, story_id: str) -> dict[str, bytes]:
    """What must not be found, in small letters."""
    directory, story = stage.house.stories[story_id]
    document = story.travellers[0].documents[0]
    surname, given = document.mrz[0][5:].split("<<")[:2]
    assert document.chip is not None
    portrait = parse_dg2((directory / document.chip / "Datagroup2.bin").read_bytes())
    secrets = {
        **_template(portrait),
        "surname": surname.encode(),
        "given names": given.replace("<", " ").encode(),
        "given names of the zone": given.encode(),
        "number": document.mrz[1][:9].rstrip("<").encode(),
        "first line": document.mrz[0].encode(),
        "second line": document.mrz[1].encode(),
        "portrait": portrait[2000:2064],
    }
    # Four letters in either case stand in ten megabytes of ciphertext by chance, once in thirty runs.
    return {name: secret for name, secret in secrets.items() if len(secret) > 4}


def _template(portrait: bytes) -> dict[str, bytes]:
    """Beginnings of the portrait's embeddings, as they would be written in binary or in a log's figures."""
    found = FaceMatcher(Path(sys.prefix) / "share" / "corridor" / "models").portrait(portrait)
    assert found is not None
    assert found.second is not None
    told = {}
    for name, vector in (("SFace", found.first), ("dlib", found.second)):
        told[f"{name} template"] = vector[:2].tobytes()
        told[f"{name} template, doubles"] = vector[:1].astype("float64").tobytes()
        told[f"{name} template, written"] = repr(float(vector[0]))[:9].encode()
    return told


def _found(path: Path, secrets: dict[str, bytes], *, pictures: bool) -> list[str]:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, PermissionError):
        return []
    small = content.lower()
    found = [name for name, secret in secrets.items() if secret in content or secret.lower() in small]
    if pictures:
        found += ["a picture" for beginning in PICTURES if beginning in content]
    return found


@pytest.mark.parametrize(("story_id", "cleared"), [("anna", True), ("heavy", False)], ids=["green", "red"])
def test_a_journey_leaves_no_trace(stage: Stage, story_id: str, cleared: bool) -> None:
    loose = _loose_files()
    visit = stage.visit(story_id)
    result = visit.ends()["result"]
    assert result["cleared"] is cleared
    visit.leaves()
    stage.wait_for(lambda: stage.kiosk_state()["screen"] == "welcome", "the welcome screen")
    stage.delivered()
    time.sleep(0.3)  # the receipt is still being printed
    secrets = _secrets(stage, story_id)
    temporary = stage.temporary
    for path in _files(stage.house.directory, temporary):
        # A receipt is a picture and belongs to the traveller; there is nothing personal on it.
        on_paper = path.is_relative_to(stage.house.directory / "receipts")
        assert _found(path, secrets, pictures=not on_paper) == [], path.name
    for path in _loose_files() - loose:
        assert _found(path, secrets, pictures=False) == [], path.name


def test_the_search_finds_what_is_there(stage: Stage, tmp_path: Path) -> None:
    secrets = _secrets(stage, "anna")
    directory, _ = stage.house.stories["anna"]
    told = directory / "story.json"
    assert {"number", "first line"} <= set(_found(told, secrets, pictures=False))
    assert _found(directory / "page-1.png", {}, pictures=True)
    assert _found(directory / "feeds/neutral.mjpeg", {}, pictures=True)
    assert _found(directory / "chip-1/Datagroup2.bin", secrets, pictures=False) == ["portrait"]
    for name, secret in secrets.items():
        if "template" in name:
            leaked = tmp_path / "leaked.log"
            leaked.write_bytes(b"score of [" + secret + b", 0.1]")
            assert name in _found(leaked, secrets, pictures=False)


def test_the_evidence_of_a_referral_is_there_and_sealed(stage: Stage) -> None:
    """The search would be worth nothing if the pictures had never arrived."""
    _, row = stage.play("heavy")
    stage.delivered()
    assert stage.evidence_size(row["record_id"]) > 20_000


def test_no_log_holds_a_traceback(stage: Stage) -> None:
    stage.play("anna")
    for name in ("kiosk", "central", "bench"):
        assert "Traceback" not in (stage.house.directory / f"{name}.log").read_text(errors="replace"), name
