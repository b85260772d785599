"""What bad input gets: a hint or no template, never a match, never an exception."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from contracts.checks import CheckName, Verdict
from contracts.errors import ErrorCode
from contracts.party import FaceDecision
from hardware.ports import CapturedFrame, DeviceError, Frame
from kiosk import face_capture
from kiosk.face import FaceMatcher, Template
from kiosk.face_capture import FaceCapture, Look, Seen
from kiosk.faces.embed import average
from kiosk.faces.pad import challenge
from kiosk.faces.pad.guard import PresentationGuard
from kiosk.faces.picture import decode_picture

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
PORTRAITS = Path(__file__).parents[2] / "hardware" / "specimens" / "portraits"


@pytest.fixture(scope="module")
def matcher() -> FaceMatcher:
    return FaceMatcher(MODELS)


def portrait(name: str) -> Image.Image:
    return Image.open(PORTRAITS / f"{name}.jpg")


def encoded(picture: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def turned_by_exif(picture: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by a quarter clockwise
    return encoded(picture.transpose(Image.Transpose.ROTATE_90), exif=exif)


# The chip's portrait

FORMS: dict[str, Callable[[Image.Image], bytes]] = {
    "grey": lambda picture: encoded(picture.convert("L")),
    "CMYK": lambda picture: encoded(picture.convert("CMYK")),
    "JPEG 2000": lambda picture: encoded(picture, "JPEG2000"),
    "grey JPEG 2000": lambda picture: encoded(picture.convert("L"), "JPEG2000"),
    "EXIF": turned_by_exif,
    "lying": lambda picture: encoded(picture.transpose(Image.Transpose.ROTATE_90)),
    "upside down": lambda picture: encoded(picture.transpose(Image.Transpose.ROTATE_180)),
    "tight": lambda picture: encoded(picture.crop((95, 95, 325, 400))),
    "small": lambda picture: encoded(picture.resize((120, 155)), quality=60),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_portrait_in_any_form_is_the_same_person(matcher: FaceMatcher, form: str) -> None:
    live = matcher.portrait(encoded(portrait("anna-smile")))
    other = matcher.portrait(encoded(portrait("greta-smile")))
    reference = matcher.portrait(FORMS[form](portrait("anna-neutral")))
    assert live is not None
    assert other is not None
    assert reference is not None
    assert matcher.compare(reference, live).decision is FaceDecision.MATCH
    assert matcher.compare(reference, other).decision is not FaceDecision.MATCH


def two_in_one(picture: Image.Image) -> Image.Image:
    both = Image.new("RGB", (picture.width * 2, picture.height))
    both.paste(picture, (0, 0))
    both.paste(portrait("greta-neutral"), (picture.width, 0))
    return both


NOBODY: dict[str, bytes] = {
    "nothing": b"",
    "text": b"no picture",
    "broken JPEG": b"\xff\xd8\xff\xe0 broken",
    "broken JPEG 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    "huge JPEG 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n\xff\x4f\xff\x51\x00\x29\x00\x00" + b"\x00\x0f\xff\xff" * 6,
    "one pixel": encoded(Image.new("RGB", (1, 1)), "PNG"),
    "black": encoded(Image.new("RGB", (413, 531))),
    "white": encoded(Image.new("RGB", (413, 531), (255, 255, 255))),
    "noise": encoded(Image.effect_noise((413, 531), 80).convert("RGB")),
    "two people": encoded(two_in_one(portrait("anna-neutral"))),
}


@pytest.mark.parametrize("what", NOBODY)
def test_a_portrait_that_shows_nobody_or_two_gives_no_template(matcher: FaceMatcher, what: str) -> None:
    assert matcher.portrait(NOBODY[what]) is None


WHOLE = (
    encoded(Image.new("RGB", (60, 60), (90, 120, 150))),
    encoded(portrait("anna-neutral").resize((82, 106)), "JPEG2000"),
)


@settings(deadline=None, max_examples=25)
@given(data=st.binary(max_size=64), at=st.integers(0, 9000))
def test_damaged_portraits_never_raise(data: bytes, at: int) -> None:
    for whole in WHOLE:
        damaged = whole[: at % len(whole)] + data + whole[at % len(whole) + len(data) :]
        found = decode_picture(damaged)
        assert found is None or (found.ndim == 3 and found.dtype == np.uint8)


# The live picture


class Film:
    """A camera that shows these frames in turn, ten a second by its own clock, the last one for ever."""

    name, simulated = "film", True

    def __init__(self, *frames: Frame) -> None:
        self._frames = frames
        self._number = -1

    def latest(self, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        self._number += 1
        shown = self._frames[min(self._number, len(self._frames) - 1)]
        return CapturedFrame(shown, self._number, self._number / 10)

    def health(self) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        pass


def in_the_booth(picture: Image.Image, *, width: int = 240, at: int = 200) -> Frame:
    """A person before a wall, 640 × 480."""
    wall = np.full((480, 640, 3), 150, dtype=np.uint8)
    person = np.asarray(picture.convert("RGB"))[:, :, ::-1]
    height = min(480, round(picture.height * width / picture.width))
    wall[480 - height :, at : at + width] = cv2.resize(person, (width, height), interpolation=cv2.INTER_AREA)
    return wall


def masked(picture: Image.Image, tone: tuple[int, int, int]) -> Image.Image:
    """A cloth from the nose down, drawn over the specimen."""
    pixels = np.asarray(picture.convert("RGB")).copy()
    corners = np.array([[118, 285], [206, 262], [295, 285], [285, 350], [245, 400], [168, 400], [128, 350]])
    cv2.fillPoly(pixels, [corners.astype(np.int32)], tone)
    return Image.fromarray(pixels)


def tried(
    matcher: FaceMatcher, *frames: Frame, monkeypatch: pytest.MonkeyPatch, printed: bool = False
) -> tuple[Look, list[Seen]]:
    """One try with so little patience that nobody waits for it, and a challenge that nobody follows."""
    monkeypatch.setattr(face_capture, "CAPTURE_S", 0.4)
    monkeypatch.setattr(face_capture, "EMBED_S", 60)
    monkeypatch.setattr(challenge, "MOVE_S", 0.1)
    reference = matcher.portrait(encoded(portrait("anna-neutral")))
    assert reference is not None
    seen: list[Seen] = []
    waited = iter(range(40))  # nobody there: it would wait for ever
    camera: Any = Film(*frames)
    capture = FaceCapture(camera, matcher, PresentationGuard())
    look = capture.look(reference, 1, seen.append, lambda: next(waited, 40) >= 12, printed=printed)
    return look or Look(face_capture.not_compared("stopped"), None, None), seen


def live_cases() -> dict[str, tuple[Frame, str]]:
    anna = portrait("anna-smile")
    alone = in_the_booth(anna)
    two = in_the_booth(anna, at=40)
    two[:, 360:600] = in_the_booth(portrait("greta-smile"), at=360)[:, 360:600]
    small = np.full((480, 640, 3), 150, dtype=np.uint8)
    small[200:280, 300:362] = cv2.resize(alone[175:, 200:440], (62, 80), interpolation=cv2.INTER_AREA)
    return {
        "black": (np.zeros((480, 640, 3), dtype=np.uint8), "too_dark"),
        "nobody": (np.full((480, 640, 3), 150, dtype=np.uint8), "no_face"),
        "one pixel": (np.zeros((1, 1, 3), dtype=np.uint8), "too_dark"),
        "two faces": (two, "two_faces"),
        "far": (small, "too_far"),
        "dim": ((alone // 12).astype(np.uint8), "too_dark"),
        "surgical mask": (in_the_booth(masked(anna, (170, 200, 225))), "covered"),
        "black mask": (in_the_booth(masked(anna, (25, 25, 28))), "covered"),
    }


@pytest.mark.parametrize("case", live_cases())
def test_a_live_picture_that_will_not_do_gets_its_hint_and_no_match(
    matcher: FaceMatcher, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, problem = live_cases()[case]
    look, seen = tried(matcher, frame, monkeypatch=monkeypatch)
    assert look.result.decision is FaceDecision.NOT_CAPTURED
    assert problem in {one.problem for one in seen}


def test_a_match_with_the_print_is_told_and_does_not_pass(
    matcher: FaceMatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who, decision, verdict, reason in (
        ("anna", FaceDecision.MATCH, Verdict.NOT_PRESENT, "printed_portrait"),
        ("greta", FaceDecision.MISMATCH, Verdict.FAILED, "other_person"),
    ):
        frame = in_the_booth(portrait(f"{who}-smile"))
        look, _ = tried(matcher, frame, monkeypatch=monkeypatch, printed=True)
        check = next(check for check in look.result.checks if check.name is CheckName.FACE_MATCH)
        assert (look.result.decision, check.verdict, check.reason) == (decision, verdict, reason)


def test_another_person_is_no_match(matcher: FaceMatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    look, _ = tried(matcher, in_the_booth(portrait("greta-smile")), monkeypatch=monkeypatch)
    assert look.result.decision is FaceDecision.MISMATCH
    assert look.problem == "not_matched"
    assert look.result.false_match_rate is not None


def test_the_person_is_a_match_with_a_rate_and_still_must_follow(
    matcher: FaceMatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen camera and a still picture follow no challenge: the match alone clears nobody."""
    look, seen = tried(matcher, in_the_booth(portrait("anna-smile")), monkeypatch=monkeypatch)
    assert look.result.decision is FaceDecision.MATCH
    assert look.result.false_match_rate is not None
    assert look.result.false_match_rate <= 0.0005
    assert look.problem is not None
    assert [one.fraction for one in seen] == sorted(one.fraction for one in seen)


class Watched(FaceMatcher):
    """Remembers every template that it makes."""

    def __init__(self, matcher: FaceMatcher) -> None:
        self.__dict__.update(matcher.__dict__)
        self.made: list[Template] = []

    def template(self, image: Frame, face: Any, *, second: bool = True) -> Template:
        self.made.append(super().template(image, face, second=second))
        return self.made[-1]


class Unplugged(Film):
    """A camera whose cable is pulled after so many frames."""

    def __init__(self, *frames: Frame, after: int) -> None:
        super().__init__(*frames)
        self._left = after

    def latest(self, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        self._left -= 1
        if self._left < 0:
            raise DeviceError(ErrorCode.CAMERA_NO_FRAME, "the cable is pulled")
        return super().latest(seconds, after)


class Surprise(Exception):
    pass


# How many frames the camera gives, after how many reports the page is gone or fails, and how many live templates
# a try has made by then; the average is one of them once there are three.
WAYS_OUT: dict[str, tuple[int, int | None, int | None, int]] = {
    "judged": (99, None, None, 4),
    "camera fails while it captures": (3, None, None, 2),
    "camera fails while it challenges": (5, None, None, 4),
    "walked away while it captures": (99, 3, None, 2),
    "walked away while it challenges": (99, 5, None, 4),
    "a mistake of ours while it captures": (99, None, 4, 2),
    "a mistake of ours while it challenges": (99, None, 5, 4),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_template_outlives_a_try(matcher: FaceMatcher, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, gone_after, broken_after, least = WAYS_OUT[way]
    watched = Watched(matcher)
    averages: list[Template] = []

    def averaged(templates: Any, weights: Any) -> Template:
        averages.append(average(templates, weights))
        return averages[-1]

    monkeypatch.setattr(face_capture, "average", averaged)
    monkeypatch.setattr(face_capture, "EMBED_S", 60)
    monkeypatch.setattr(challenge, "MOVE_S", 0.1)
    reference = watched.portrait(encoded(portrait("anna-neutral")))
    assert reference is not None
    watched.made.clear()
    seen: list[Seen] = []

    def report(now: Seen) -> None:
        seen.append(now)
        if len(seen) == broken_after:
            raise Surprise

    camera: Any = Unplugged(in_the_booth(portrait("anna-smile")), after=frames)
    capture = FaceCapture(camera, watched, PresentationGuard())
    with pytest.raises(Surprise) if broken_after else contextlib.nullcontext():
        capture.look(reference, 1, report, lambda: gone_after is not None and len(seen) >= gone_after)
    live = [*watched.made, *averages]
    assert len(live) >= least
    assert not any(one.first.any() or (one.second is not None and one.second.any()) for one in live)
    assert reference.first.any()  # it is the caller's, for the next try


def test_who_steps_in_leaves_no_template_either(matcher: FaceMatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_capture, "EMBED_S", 60)
    watched = Watched(matcher)
    reference = watched.portrait(encoded(portrait("anna-neutral")))
    assert reference is not None
    watched.made.clear()
    anna, greta = in_the_booth(portrait("anna-smile")), in_the_booth(portrait("greta-smile"))
    camera: Any = Film(anna, anna, anna, greta)
    reports: list[Seen] = []
    FaceCapture(camera, watched, PresentationGuard()).look(reference, 1, reports.append, lambda: len(reports) >= 5)
    assert len(watched.made) >= 3  # two of her, and one of whom she was exchanged for
    assert not any(one.first.any() for one in watched.made)


def test_an_average_leans_to_the_heavier_and_has_a_second_only_if_all_have(matcher: FaceMatcher) -> None:
    def axis(place: int) -> np.ndarray:
        vector = np.zeros(128, dtype=np.float32)
        vector[place] = 1
        return vector

    mixed = average([Template(axis(0), axis(2)), Template(axis(1), None)], [0.9, 0.1])
    assert mixed.second is None
    assert mixed.first[0] > 8 * mixed.first[1] > 0
    assert float(np.linalg.norm(mixed.first)) == pytest.approx(1, abs=1e-5)
