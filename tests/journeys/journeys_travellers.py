"""Travellers who bring something wrong to the kiosk, made out of the built specimens in a test directory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from journeys_chip import issued, write_trust

from hardware.camera.jpeg import split_jpegs
from hardware.simulators.camera import in_ultraviolet
from hardware.specimens.build import PORTRAITS, PROTOCOLS, TRAVELLERS
from hardware.specimens.issuer import ChipFiles, untrusted_authority
from hardware.specimens.page import draw_front
from hardware.specimens.recipe import ChipProtocols, load_recipe

Told = dict[str, Any]


@dataclass(frozen=True)
class Wrong:
    """A traveller, and the reasons for which central must send the party to an officer.

    `faults` are of the bench's devices. `asks_when`: instead of trying to the last, the traveller asks for an
    officer as soon as the kiosk's state says so. `zone`: what `mrz_read` says, where that matters.
    """

    id: str
    reasons: frozenset[str]
    make: Callable[[Path, Told], None] = lambda directory, told: None
    base: str = "anna"
    faults: tuple[tuple[str, str], ...] = ()
    asks_when: Callable[[dict[str, Any]], bool] | None = None
    zone: str | None = None


def _failed_once(state: dict[str, Any]) -> bool:
    return state["error"] is not None


def _chip_failed(state: dict[str, Any]) -> bool:
    return state["error"] is not None and state["error"]["id"] == "error.chip_unreadable"


def _visa_kept(state: dict[str, Any]) -> bool:
    return bool(state["panel"]) and state["panel"]["instruction"]["id"] == "document.panel.visa"


def _waits_on(screen: str) -> Callable[[dict[str, Any]], bool]:
    return lambda state: state["screen"] == screen and state["prompt"] is not None


def _wrong(id: str, *reasons: str, **more: Any) -> Wrong:
    if "asks_when" in more:
        reasons += ("ASKED_FOR_OFFICER",)
    return Wrong(id, frozenset(reasons), **more)


def _lead(told: Told) -> Told:
    lead: Told = told["travellers"][0]
    return lead


def _document(told: Told) -> Told:
    document: Told = _lead(told)["documents"][0]
    return document


def _chip(chip: ChipFiles) -> Callable[[Path, Told], None]:
    def make(directory: Path, told: Told) -> None:
        chip.write(directory / "chip-1")

    return make


def _behaves(**behaviour: object) -> Callable[[Path, Told], None]:
    def make(directory: Path, told: Told) -> None:
        told["behaviour"] = behaviour

    return make


def _downgraded(directory: Path, told: Told) -> None:
    """A chip with PACE, and somebody on the line who spoils it until the reader falls back to the old way in."""
    active, security = PROTOCOLS["pace_gm_ca"]
    issued(aa=active, security=security).write(directory / "chip-1")
    told["behaviour"] = {"chip_fault": "pace_refuses:mapping"}


def _copied(kind: ChipProtocols) -> Callable[[Path, Told], None]:
    active, security = PROTOCOLS[kind]
    return _chip(issued(aa=active, security=security).without_authentication_key())


def _anothers_face(directory: Path, told: Told) -> None:
    for feed in (directory.parent / "cash/feeds").iterdir():
        shutil.copy(feed, directory / "feeds" / feed.name)


def _anothers_page(directory: Path, told: Told) -> None:
    shutil.copy(directory.parent / "cash/page-1.png", directory / "page-1.png")


def _never_turned(directory: Path, told: Told) -> None:
    del _document(told)["front"]


def _anothers_front(directory: Path, told: Told) -> None:
    """The front of a card in another name; number and dates as on this one's back."""
    (recipe,) = load_recipe(TRAVELLERS / "card").travellers[0].documents
    portrait = (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes()
    forged = draw_front(recipe.model_copy(update={"printed_surname": "Tanaka"}), portrait)
    (directory / "front-1.png").write_bytes(forged)


def _copied_page(directory: Path, told: Told) -> None:
    """The page as a copier prints it, on the paper that lies in a copier."""
    page = np.asarray(cv2.imread(str(directory / "page-1.png")), np.uint8)
    cv2.imwrite(str(directory / "ultraviolet-1.png"), in_ultraviolet(page, brightened=True))
    _document(told)["ultraviolet"] = "ultraviolet-1.png"


def _no_portrait(directory: Path, told: Told) -> None:
    """Bare paper where the portrait was; the pale second one is still there."""
    page = np.array(cv2.imread(str(directory / "page-1.png")), np.uint8)
    page[160:770, 110:550] = page[1100, 800]
    cv2.imwrite(str(directory / "page-1.png"), page)


def _visa_only(directory: Path, told: Told) -> None:
    del _lead(told)["documents"][1:]


def _dark_page(directory: Path, told: Told) -> None:
    """So dark that the page can only just be told from the glass, and out of focus: darkness alone is read."""
    page = cv2.GaussianBlur(cv2.imread(str(directory / "page-1.png")), (0, 0), 9)
    cv2.imwrite(str(directory / "page-1.png"), (page * 0.187).astype(np.uint8))


def _lamp(directory: Path, told: Told) -> None:
    """A lamp in the laminate that nobody moves away: over two letters of the name and two digits of the number."""
    page = np.asarray(cv2.imread(str(directory / "page-1.png")), np.float32)
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    for place in ((373, 910), (286, 984)):
        light = 235 * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * 20.0**2))
        page += light[..., None].astype(np.float32)
    cv2.imwrite(str(directory / "page-1.png"), np.clip(page, 0, 255).astype(np.uint8))


def _dark_glass(directory: Path, told: Told) -> None:
    _document(told)["chip"] = None
    cv2.imwrite(str(directory / "page-1.png"), np.full((1040, 1480, 3), 20, np.uint8))


def _no_chip(directory: Path, told: Told) -> None:
    _lead(told)["documents"][0]["chip"] = None


def _nobody(directory: Path, told: Told) -> None:
    _lead(told)["feeds"] = {}


def _two_people(directory: Path, told: Told) -> None:
    """Two heads side by side, as in a picture of one frame that is shown over and over."""
    frames = []
    for name in ("anna", "cash"):
        first = split_jpegs((directory.parent / name / "feeds/neutral.mjpeg").read_bytes())[0]
        image = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
        frames.append(image[:, 160:480])
    cv2.imwrite(str(directory / "feeds/neutral.png"), np.hstack(frames))
    _lead(told)["feeds"]["neutral"] = "feeds/neutral.png"


def _no_tag(directory: Path, told: Told) -> None:
    _lead(told)["bags"][0]["tag"] = None


def _torn_tag(directory: Path, told: Told) -> None:
    noise = np.random.default_rng(2026).integers(0, 255, (480, 640, 3))
    cv2.imwrite(str(directory / "tag-1.png"), noise.astype(np.uint8))


WRONG = (
    _wrong("wrong-face", "CHECK_FACE_MATCH_FAILED", make=_anothers_face),
    _wrong("wrong-page", "CHECK_ACCESS_FAILED", "CHECK_FACE_MATCH_FAILED", make=_anothers_page),
    _wrong("wrong-visa-alone", make=_visa_only, base="visa", asks_when=_visa_kept),
    _wrong(
        "wrong-lifted",
        "CHECK_ACCESS_ERROR",
        "CHECK_DG_HASHES_ERROR",
        "CHECK_FACE_MATCH_NOT_PRESENT",
        make=_behaves(lifts_passport_after_apdus=40),
    ),
    _wrong("wrong-mute", "CHECK_ACCESS_ERROR", make=_behaves(chip_fault="mute"), asks_when=_chip_failed),
    _wrong("wrong-refused", "CHECK_ACCESS_FAILED", make=_behaves(chip_fault="6982:3"), asks_when=_chip_failed),
    _wrong("wrong-no-chip", "CHECK_ACCESS_NOT_PRESENT", "CHECK_FACE_MATCH_NOT_PRESENT", make=_no_chip),
    _wrong("wrong-downgraded", "CHECK_ACCESS_FAILED", make=_downgraded),
    _wrong("wrong-copy", "CHECK_CHIP_AUTHENTICATION_FAILED", make=_copied("pace_gm_ca")),
    _wrong("wrong-dark-page", "CHECK_MRZ_READ_FAILED", make=_dark_page, asks_when=_failed_once),
    _wrong("wrong-lamp", "CHECK_MRZ_VIZ_NOT_CHECKED", make=_lamp, zone="PASSED completed"),
    _wrong("wrong-copied-page", "CHECK_PAGE_ULTRAVIOLET_FAILED", make=_copied_page),
    _wrong("wrong-no-portrait", "CHECK_PAGE_PORTRAIT_FAILED", make=_no_portrait),
    _wrong(
        "wrong-card-not-turned",
        "CHECK_MRZ_VIZ_NOT_CHECKED",
        "CHECK_PAGE_PORTRAIT_NOT_CHECKED",
        make=_never_turned,
        base="card",
    ),
    _wrong("wrong-card-front", "CHECK_MRZ_VIZ_FAILED", make=_anothers_front, base="card"),
    _wrong("wrong-dark-glass", make=_dark_glass, asks_when=_waits_on("document")),
    _wrong("wrong-nobody", make=_nobody, asks_when=_waits_on("face")),
    _wrong("wrong-two-people", "CHECK_FACE_QUALITY_FAILED", make=_two_people, asks_when=_failed_once),
    _wrong("wrong-document-camera", "CHECK_MRZ_READ_ERROR", faults=(("document_camera", "garbage"),)),
    _wrong(
        "wrong-face-camera",
        "CHECK_FACE_MATCH_ERROR",
        "CHECK_FACE_QUALITY_ERROR",
        "CHECK_PRESENTATION_ATTACK_ERROR",
        faults=(("face_camera", "garbage"),),
    ),
    _wrong("wrong-scale-overload", "CHECK_BAG_WEIGHT_ERROR", faults=(("scale", "overload"),)),
    _wrong("wrong-scale-unstable", "CHECK_BAG_WEIGHT_ERROR", faults=(("scale", "unstable"),)),
    _wrong("wrong-no-tag", "CHECK_BAG_TAG_FAILED", make=_no_tag),
    _wrong("wrong-torn-tag", "CHECK_BAG_TAG_FAILED", make=_torn_tag),
    _wrong("wrong-portrait-byte", "CHECK_DG_HASHES_FAILED", make=_chip(issued().with_flipped_byte("DG2", -1))),
    _wrong(
        "wrong-forger",
        "CHECK_DS_CHAIN_FAILED",
        "CHECK_REVOCATION_NOT_CHECKED",
        "CHECK_ACTIVE_AUTHENTICATION_NOT_CHECKED",
        make=_chip(issued(by=untrusted_authority())),
    ),
)


def write_travellers(specimens: Path, root: Path) -> Path:
    """The built specimens (as links) and all of WRONG, with what the kiosk trusts and the watch list."""
    for path in specimens.iterdir():
        if (path / "story.json").exists() or path.name == "watch_list.csv":
            (root / path.name).symlink_to(path.resolve())
    write_trust(root / "trust")
    for wrong in WRONG:
        directory = root / wrong.id
        shutil.copytree(specimens / wrong.base, directory)
        told = json.loads((directory / "story.json").read_text(encoding="utf-8"))
        told.pop("expected", None)
        told["id"] = wrong.id
        wrong.make(directory, told)
        (directory / "story.json").write_text(json.dumps(told), encoding="utf-8")
    return root
