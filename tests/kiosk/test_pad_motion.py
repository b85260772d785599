"""What a plane does is told from what a head does, and the challenge believes the head only."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.specimens.build import PORTRAITS, head_of
from hardware.specimens.feed import HEIGHT, WIDTH, FeedName, Head, Pose, head_warp, poses
from hardware.specimens.recapture import Held, Picture, Print, from_light, hold_print, to_light
from kiosk.faces.detect import FaceDetector
from kiosk.faces.pad.challenge import MOVES, NOT_FLAT, Challenge, Move, draw_moves
from kiosk.faces.pad.evidence import Evidence
from kiosk.faces.pad.motion import HeadTracker, Movement, attitude

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
PEOPLE = ("anna", "joel")
FRAME_S = 0.08


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(MODELS)


def portrait(name: str) -> tuple[Picture, Head]:
    image = cv2.imread(str(PORTRAITS / f"{name}-smile.jpg"))
    assert image is not None
    return np.asarray(image, np.uint8), head_of(name)


def head_frames(name: str, feed: FeedName) -> Iterator[Picture]:
    """Somebody who moves the head as asked, once out and held."""
    image, head = portrait(name)
    warp = head_warp(image.shape[1], image.shape[0], head, step=4)
    left = (head.right_eye[0] + head.left_eye[0]) / 2 - WIDTH / 2
    top = (head.right_eye[1] + head.left_eye[1]) / 2 - 0.47 * HEIGHT
    for pose in list(poses(feed))[:13]:
        columns, rows = warp(pose, left, top)
        seen = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        yield np.asarray(seen, np.uint8)


def print_frames(name: str, feed: FeedName, degrees: float, curl: float) -> Iterator[Picture]:
    """A print of the same portrait that is turned or tipped as far as `degrees`."""
    image, _ = portrait(name)
    behind = to_light(np.full((HEIGHT, WIDTH, 3), 190, np.uint8))
    paper = Print(curl=curl, grain=0.01)
    for share in [min(1.0, step / 8) for step in range(13)]:
        angle = math.radians(degrees) * share
        held = (
            Held(0.7, pitch=-angle, near=0.3)
            if feed == "nod"
            else Held(0.7, yaw=angle if feed == "turn_left" else -angle, near=0.3)
        )
        yield from_light(hold_print(image, paper, held, behind))


def movements(detector: FaceDetector, frames: Iterator[Picture]) -> list[Movement]:
    tracker: HeadTracker | None = None
    seen = []
    for frame in frames:
        faces = detector.find(frame)
        if not faces:
            continue
        if tracker is None:
            tracker = HeadTracker(frame, faces[0].landmarks)
        else:
            seen.append(tracker.follow(frame, faces[0].landmarks))
    return seen


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("feed", ["turn_left", "turn_right", "nod"])
def test_no_plane_explains_a_head(detector: FaceDetector, name: str, feed: FeedName) -> None:
    bends = [each.bend for each in movements(detector, head_frames(name, feed)) if each.bend is not None]
    assert max(bends) > NOT_FLAT


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize(("degrees", "curl"), [(50.0, 0.0), (50.0, 1.0)])
@pytest.mark.parametrize("feed", ["turn_left", "nod"])
def test_a_plane_explains_a_print_that_is_turned(
    detector: FaceDetector, name: str, feed: FeedName, degrees: float, curl: float
) -> None:
    bends = [
        each.bend for each in movements(detector, print_frames(name, feed, degrees, curl)) if each.bend is not None
    ]
    assert max(bends) < NOT_FLAT


def test_a_homography_is_no_bend_and_a_bump_is_one() -> None:
    """Exact geometry, without a detector: a plane under perspective, and the same plane with a nose on it."""
    rows = np.random.default_rng(3).normal(120, 45, (60, 80, 3)).clip(0, 255).astype(np.uint8)
    texture = cv2.resize(rows, (640, 480), interpolation=cv2.INTER_CUBIC)
    points = np.array([[270.0, 200], [370, 200], [320, 250], [285, 300], [355, 300]])
    matrix = np.array([[0.85, 0.03, 40], [-0.02, 0.98, 12], [-0.0002, 0.00005, 1.0]])
    flat = cv2.warpPerspective(texture, matrix, (640, 480))
    moved = cv2.perspectiveTransform(points[None], matrix)[0]
    tracker = HeadTracker(np.asarray(texture, np.uint8), points)
    seen = tracker.follow(np.asarray(flat, np.uint8), moved)
    assert seen.bend is not None
    assert seen.bend < 0.006
    assert seen.parallax < 0.001

    x, y = np.meshgrid(np.arange(640, dtype=np.float32), np.arange(480, dtype=np.float32))
    bump = 24 * np.exp(-(((x - 320) / 70) ** 2) - ((y - 250) / 80) ** 2)
    raised = cv2.remap(texture, (x - bump).astype(np.float32), y, cv2.INTER_LINEAR)
    shifted = points.copy()
    shifted[2, 0] += 24
    seen = HeadTracker(np.asarray(texture, np.uint8), points).follow(np.asarray(raised, np.uint8), shifted)
    assert seen.bend is not None
    assert seen.bend > NOT_FLAT
    assert seen.parallax > 0.1


def test_a_face_that_jumps_away_is_not_followed_at_all() -> None:
    noise = np.random.default_rng(1)
    one, other = (noise.integers(0, 255, (480, 640, 3), dtype=np.uint8) for _ in range(2))
    points = np.array([[270.0, 200], [370, 200], [320, 250], [285, 300], [355, 300]])
    assert HeadTracker(one, points).follow(other, points).bend is None


def test_the_moves_are_two_of_three_in_every_order() -> None:
    drawn = {draw_moves() for _ in range(400)}
    assert len(drawn) == len(MOVES) * (len(MOVES) - 1)
    assert all(len(set(moves)) == 2 for moves in drawn)
    assert {draw_moves(("turn_left", "turn_right")) for _ in range(64)} == {
        ("turn_left", "turn_right"),
        ("turn_right", "turn_left"),
    }


class Moments:
    """The kiosk's clock: a frame every 80 ms."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += FRAME_S
        return self.now


class NoNetwork:
    """Stands where nothing is looked at: the challenge alone is under test."""

    def look(self, around: Picture, grain: Picture) -> float:
        raise AssertionError("the challenge does not ask the network")


def outcome(detector: FaceDetector, moves: tuple[Move, ...], films: list[Iterator[Picture]]) -> str | None:
    """What a challenge comes to when these films are shown, each until the next movement is asked for."""
    clock = Moments()
    challenge: Challenge | None = None
    for number, film in enumerate(films):
        for frame in film:
            faces = detector.find(frame)
            if not faces:
                continue
            landmarks = faces[0].landmarks
            if challenge is None:
                evidence = Evidence(NoNetwork())  # type: ignore[arg-type]  # never asked
                challenge = Challenge(moves, evidence, frame, landmarks, clock())
                continue
            over = challenge.follow(frame, landmarks, clock())
            if over is not None:
                return over
            if challenge.number > number:
                break
    assert challenge is not None
    return challenge.expired(clock.now + 60)


@pytest.mark.parametrize("moves", [("turn_left", "nod"), ("nod", "turn_right"), ("turn_right", "turn_left")])
def test_a_head_that_does_as_asked_passes(detector: FaceDetector, moves: tuple[Move, ...]) -> None:
    assert outcome(detector, moves, [head_frames("anna", move) for move in moves]) == "challenge_followed"


def test_a_head_that_turns_the_other_way_does_not(detector: FaceDetector) -> None:
    assert outcome(detector, ("turn_left", "nod"), [head_frames("anna", "turn_right")]) == "turned_other_way"


def test_a_head_that_stays_straight_does_not(detector: FaceDetector) -> None:
    still = outcome(detector, ("turn_left", "nod"), [head_frames("anna", "neutral")])
    assert still == "challenge_not_followed"


def test_half_of_the_challenge_is_none(detector: FaceDetector) -> None:
    films = [head_frames("anna", "turn_left"), head_frames("anna", "neutral")]
    assert outcome(detector, ("turn_left", "nod"), films) == "challenge_not_followed"


@pytest.mark.parametrize("moves", [("turn_left", "nod"), ("nod", "turn_right")])
@pytest.mark.parametrize("curl", [0.0, 1.0])
def test_a_print_turned_by_fifty_degrees_never_passes(
    detector: FaceDetector, moves: tuple[Move, ...], curl: float
) -> None:
    for name in PEOPLE[:1]:
        films = [print_frames(name, move, 50.0, curl) for move in moves]
        assert outcome(detector, moves, films) in ("flat_movement", "challenge_not_followed", "turned_other_way")


def test_landmarks_of_no_face_have_no_attitude() -> None:
    held = attitude(np.zeros((5, 2)))
    assert (held.turn, held.nod, held.narrow) == (0.0, 0.0, 0.0)


def test_the_warp_that_is_solved_coarsely_is_the_same() -> None:
    image, head = portrait("anna")
    pose = Pose(yaw=0.4, pitch=0.2, x=3.0, y=-2.0, scale=1.02)
    fine, coarse = (head_warp(image.shape[1], image.shape[0], head, step=step) for step in (1, 4))
    for one, other in zip(fine(pose, 60.0, 40.0), coarse(pose, 60.0, 40.0), strict=True):
        inner = np.abs(one - other)[8:-8, 8:-8]
        assert float(np.quantile(inner, 0.99)) < 1.0
