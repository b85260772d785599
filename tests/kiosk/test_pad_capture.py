"""A whole try of the face page, films against the real models: who is let pass, and who is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.checks import Check, CheckName, Verdict
from contracts.party import FaceDecision
from hardware.camera.jpeg import split_jpegs
from hardware.ports import CapturedFrame, Frame, Health
from hardware.specimens.attacks import draw_attack
from hardware.specimens.build import PORTRAITS, head_of
from hardware.specimens.feed import FeedName, draw_feed
from kiosk.face import FaceMatcher
from kiosk.face_capture import FaceCapture, Look, Seen
from kiosk.faces.pad.challenge import Move
from kiosk.faces.pad.guard import PresentationGuard

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
FRAMES_PER_S = 10
FEED: dict[str, FeedName] = {"look": "neutral", "turn_left": "turn_left", "turn_right": "turn_right", "nod": "nod"}


class FilmCamera:
    """Plays the film that fits what the page asks for, a frame for each look; a film's frames never come twice.

    Its clock is the film's own, so that a slow machine sees the same as a fast one.
    """

    name, simulated = "films", True

    def __init__(
        self, films: dict[FeedName, list[Frame]], begins: tuple[FeedName, int] = ("neutral", 0), late: int = 0
    ) -> None:
        """`begins`: the film and the frame that it finds there; `late`: frames before it does what is asked."""
        self._films = films
        self._noise = np.random.default_rng(5)
        self._shown, self._at = begins
        self._wanted: FeedName = "neutral"
        self._late = late
        self._waits = late
        self._sequence = -1

    def ask(self, seen: Seen) -> None:
        wanted = FEED[seen.prompt]
        if wanted != self._wanted:
            self._wanted, self._waits = wanted, self._late

    def latest(self, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        if self._shown != self._wanted:
            if self._waits <= 0:
                self._shown, self._at = self._wanted, 0
            self._waits -= 1
        film = self._films[self._shown]
        frame = film[self._at % len(film)].copy()
        self._at += 1
        self._sequence += 1
        frame[::8, ::8] = np.clip(frame[::8, ::8] + self._noise.integers(-2, 3, frame[::8, ::8].shape), 0, 255)
        return CapturedFrame(frame, self._sequence, self._sequence / FRAMES_PER_S)

    def health(self) -> Health:
        raise NotImplementedError

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def matcher() -> FaceMatcher:
    return FaceMatcher(MODELS)


@pytest.fixture(scope="module")
def guard() -> PresentationGuard:
    return PresentationGuard()


def smile(name: str) -> bytes:
    return (PORTRAITS / f"{name}-smile.jpg").read_bytes()


def frames(data: bytes) -> Iterator[Frame]:
    for part in split_jpegs(data):
        image = cv2.imdecode(np.frombuffer(part, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        yield np.asarray(image, np.uint8)


def own_films(name: str) -> dict[FeedName, list[Frame]]:
    return {feed: list(frames(draw_feed(smile(name), head_of(name), feed, 0))) for feed in FEED.values()}


def tried(
    matcher: FaceMatcher,
    guard: PresentationGuard,
    name: str,
    films: dict[FeedName, list[Frame]],
    begins: tuple[FeedName, int] = ("neutral", 0),
    late: int = 0,
) -> Look:
    camera = FilmCamera(films, begins, late)
    reference = matcher.portrait((PORTRAITS / f"{name}-neutral.jpg").read_bytes())
    assert reference is not None
    look = FaceCapture(camera, matcher, guard).look(reference, 1, camera.ask, lambda: False)
    assert look is not None
    return look


def attack_of(look: Look) -> Check:
    return next(check for check in look.result.checks if check.name is CheckName.PRESENTATION_ATTACK)


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("anna", ("turn_left", "turn_right")),
        ("anna", ("turn_left", "nod")),
        ("samuel", ("nod", "turn_right")),  # bent down, his mouth is found too high
        ("joel", ("nod", "turn_left")),  # of all specimens the network is least sure of him
    ],
)
def test_a_living_specimen_passes(
    matcher: FaceMatcher,
    guard: PresentationGuard,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    moves: tuple[Move, ...],
) -> None:
    monkeypatch.setattr("kiosk.faces.pad.guard.draw_moves", lambda _: moves)
    look = tried(matcher, guard, name, own_films(name))
    assert look.result.decision is FaceDecision.MATCH
    assert attack_of(look).verdict is Verdict.PASSED
    assert attack_of(look).reason == "challenge_followed"


@pytest.mark.parametrize("begins", [("turn_left", 2), ("turn_left", 3), ("turn_right", 19)], ids=str)
def test_who_still_moves_when_the_try_begins_passes(
    matcher: FaceMatcher,
    guard: PresentationGuard,
    monkeypatch: pytest.MonkeyPatch,
    begins: tuple[FeedName, int],
) -> None:
    """As whoever was refused a moment ago does: what is pictured then is no straight look to measure from."""
    monkeypatch.setattr("kiosk.faces.pad.guard.draw_moves", lambda _: ("turn_right", "nod"))
    assert attack_of(tried(matcher, guard, "pavel", own_films("pavel"), begins, late=3)).verdict is Verdict.PASSED


def test_a_phone_that_is_turned_does_not(
    matcher: FaceMatcher, guard: PresentationGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.faces.pad.challenge.MOVE_S", 2.0)  # the whole film of a movement
    pair = ((smile("clara"), head_of("clara")), (smile("nora"), head_of("nora")))
    films = {feed: list(frames(draw_attack(*pair, "phone", feed, 0))) for feed in FEED.values()}
    look = tried(matcher, guard, "clara", films)
    assert attack_of(look).verdict is Verdict.FAILED
    assert attack_of(look).reason in ("challenge_not_followed", "flat_movement", "recapture")


def test_somebody_else_who_steps_in_for_the_movement_does_not(
    matcher: FaceMatcher, guard: PresentationGuard
) -> None:
    films = own_films("greta") | {"neutral": own_films("anna")["neutral"]}
    look = tried(matcher, guard, "anna", films)
    assert attack_of(look).verdict is Verdict.FAILED


def test_a_stream_that_is_opened_anew_during_the_try_does_not(
    matcher: FaceMatcher, guard: PresentationGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = FilmCamera.latest

    def reopened(self: FilmCamera, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        frame = plain(self, seconds, after)
        return CapturedFrame(frame.image, frame.sequence, frame.at, frame.device, 1 + (self._shown != "neutral"))

    monkeypatch.setattr(FilmCamera, "latest", reopened)
    look = tried(matcher, guard, "anna", own_films("anna"))
    assert attack_of(look).reason == "stream_interrupted"
