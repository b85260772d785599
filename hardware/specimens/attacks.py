"""Draws what the face camera sees of those who are not there: a photograph on a phone, a cut-out worn as a mask.

And of two who come at once. The form is that of `hardware.specimens.feed`, so that whoever plays a story need not
know; the physics is that of `hardware.specimens.recapture`. The attackers do what they can: the phone is turned
and tipped when the kiosk asks for a turn or a nod, and the mask moves with the head that wears it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np

from hardware.specimens.feed import HEIGHT, WIDTH, FeedName, Head, Pose, head_warp, poses
from hardware.specimens.recapture import (
    Hand,
    Held,
    Light,
    Picture,
    Print,
    Screen,
    Sensor,
    capture,
    hold_screen,
    to_light,
    wear_cut_out,
)

AttackName = Literal["phone", "cut_out", "two_faces"]

_SKIN = (0.16, 0.22, 0.36)
_PHONE = Screen(pitch=1.6, dots=0.5, white=0.8, glare=0.08, bezel=0.05, corner=0.07, bands=0.03)
_PAPER = Print(white=0.75, black=0.06, saturation=0.75, curl=1.2, shading=0.4, shadow=0.4)
_SENSOR = Sensor(blur=0.6, shot=0.006, read=0.002, pattern=0.0, quality=88)
_QUALITY = 85


def draw_attack(
    victim: tuple[bytes, Head], other: tuple[bytes, Head], kind: AttackName, name: FeedName, seed: int
) -> bytes:
    """One feed as bytes: `victim` is pictured, `other` stands there. Same arguments, same bytes."""
    import cv2

    random = np.random.default_rng(seed)
    drawing = {"phone": _phone, "cut_out": _cut_out, "two_faces": _two_faces}[kind]
    frames = []
    for light in drawing(victim, other, name):
        frame = capture(light, _SENSOR, random)
        done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not done:
            raise ValueError("the frame could not be encoded")
        frames.append(data.tobytes())
    return b"".join(frames)


class _Stands:
    """Somebody before the camera, drawn as the feeds draw them."""

    def __init__(self, portrait: tuple[bytes, Head]) -> None:
        import cv2

        image = cv2.imdecode(np.frombuffer(portrait[0], np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError("the portrait is not a picture")
        self._image = np.asarray(image, np.uint8)
        head = portrait[1]
        self._warp = head_warp(image.shape[1], image.shape[0], head, step=4)
        self.eyes = math.dist(head.right_eye, head.left_eye)
        self._left = (head.right_eye[0] + head.left_eye[0]) / 2 - WIDTH / 2
        self._top = (head.right_eye[1] + head.left_eye[1]) / 2 - 0.47 * HEIGHT

    def picture(self, pose: Pose) -> Picture:
        import cv2

        columns, rows = self._warp(pose, self._left, self._top)
        seen = cv2.remap(self._image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, np.uint8)


def _phone(victim: tuple[bytes, Head], other: tuple[bytes, Head], name: FeedName) -> Iterator[Light]:
    shown = _Stands(victim)
    eyes = shown.eyes
    middle = round(0.47 * HEIGHT + 0.4 * eyes)
    tall, wide = round(5.2 * eyes), round(3.2 * eyes)
    top, left = max(0, middle - tall // 2), (WIDTH - wide) // 2
    still = np.ascontiguousarray(shown.picture(Pose())[top : top + tall, left : left + wide])
    behind = to_light(_Stands(other).picture(Pose(x=40.0, y=25.0)))
    hand = Hand("bottom", _SKIN, at=0.55, size=0.09)
    for moment, pose in enumerate(poses(name)):
        held = Held(0.95, pose.x, 10 + pose.y, 1.15 * pose.yaw, -1.1 * pose.pitch, 0.02, near=0.2)
        yield hold_screen(still, _PHONE, held, behind, _SENSOR, moment, hand)


def _cut_out(victim: tuple[bytes, Head], other: tuple[bytes, Head], name: FeedName) -> Iterator[Light]:
    import cv2

    printed, wearer = _Stands(victim), _Stands(other)
    eyes = printed.eyes
    x, y = WIDTH / 2, 0.47 * HEIGHT
    left, right, top, bottom = (
        round(value) for value in (x - 1.7 * eyes, x + 1.7 * eyes, y - 1.5 * eyes, y + 2.4 * eyes)
    )
    content = np.ascontiguousarray(printed.picture(Pose())[max(0, top) : bottom, left:right])
    tall, wide = content.shape[:2]
    eye_row = y - max(0, top)
    shape = np.zeros((tall, wide), np.float32)
    cv2.ellipse(shape, ((wide / 2, eye_row + 0.5 * eyes), (2.3 * eyes, 3.2 * eyes), 0.0), 1.0, -1, cv2.LINE_AA)
    for side in (-0.5, 0.5):
        cv2.ellipse(shape, ((wide / 2 + side * eyes, eye_row), (0.42 * eyes, 0.2 * eyes), 0.0), 0.0, -1)
    scale = wearer.eyes / eyes
    for pose in poses(name):
        lean = 0.4 * wearer.eyes
        held = Held(
            scale,
            pose.x + lean * math.sin(pose.yaw),
            pose.y - 0.03 * HEIGHT + (tall / 2 - eye_row) * scale + lean * math.sin(pose.pitch),
            -pose.yaw,
            pose.pitch,
            near=0.3,
        )
        yield wear_cut_out(content, shape, _PAPER, held, to_light(wearer.picture(pose)))


def _two_faces(victim: tuple[bytes, Head], other: tuple[bytes, Head], name: FeedName) -> Iterator[Light]:
    one, two = _Stands(victim), _Stands(other)
    quarter, half = WIDTH // 4, WIDTH // 2
    for pose in poses(name):
        small = Pose(pose.yaw, pose.pitch, pose.x, pose.y, 0.62 * pose.scale)
        halves = [stands.picture(small)[:, quarter : quarter + half] for stands in (one, two)]
        yield to_light(np.ascontiguousarray(np.hstack(halves)))
