"""Draws what the face camera sees: a traveller who stands there, and one who turns the head.

A feed is a file of concatenated JPEG pictures (motion JPEG), 640 x 480 at `FRAMES_PER_SECOND`, and loops without a
jump. A turn or nod moves every point of the face by its depth on a simple head, so that the nose outruns the eyes
as it does on a real head and as it cannot on a flat picture.

`turn_left` is the traveller's own left. The camera does not mirror, so the nose then moves to the image's right.
`nod` is the chin going to the chest and back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
FeedName = Literal["neutral", "turn_left", "turn_right", "nod"]
Map = npt.NDArray[np.float32]

WIDTH, HEIGHT = 640, 480
FRAMES_PER_SECOND = 12
SECONDS: dict[FeedName, float] = {"neutral": 3.0, "turn_left": 2.0, "turn_right": 2.0, "nod": 2.0}
TURN_DEGREES = 37.0
NOD_DEGREES = 30.0
JPEG_QUALITY = 82


@dataclass(frozen=True)
class Head:
    """Where the head is in the portrait: five points in YuNet's order, pixels (landmarks.json)."""

    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    nose: tuple[float, float]
    right_mouth: tuple[float, float]
    left_mouth: tuple[float, float]


@dataclass(frozen=True)
class Pose:
    """One moment: the turn of the head, a small shift and a small change of distance."""

    yaw: float = 0.0  # radians, positive towards the image's right
    pitch: float = 0.0  # radians, positive downwards
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0


def draw_feed(portrait_jpeg: bytes, head: Head, name: FeedName, seed: int) -> bytes:
    """One feed as bytes. The same arguments give the same bytes."""
    import cv2

    portrait = cv2.imdecode(np.frombuffer(portrait_jpeg, np.uint8), cv2.IMREAD_COLOR)
    if portrait is None:
        raise ValueError("the portrait is not a picture")
    random = np.random.default_rng(seed)
    warp = head_warp(portrait.shape[1], portrait.shape[0], head)
    top = round((head.right_eye[1] + head.left_eye[1]) / 2 - 0.47 * HEIGHT)
    left = round((head.right_eye[0] + head.left_eye[0]) / 2 - WIDTH / 2)
    grain = random.normal(0, 1.5, (HEIGHT, WIDTH)).round().astype(np.int16)
    sheet = np.repeat(grain[..., None], 3, axis=2)
    frames = []
    for pose in poses(name):
        columns, rows = warp(pose, left, top)
        frame = cv2.remap(portrait, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        # One sheet of noise, laid differently on each frame, costs a tenth of new noise.
        laid = np.roll(sheet, tuple(int(shift) for shift in random.integers(0, HEIGHT, 2)), (0, 1))
        noisy = cv2.add(frame, laid, dtype=cv2.CV_8U)
        done, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise ValueError("the frame could not be encoded")
        frames.append(data.tobytes())
    return b"".join(frames)


def poses(name: FeedName) -> Iterator[Pose]:
    """How the head is held in each frame of a feed."""
    count = round(SECONDS[name] * FRAMES_PER_SECOND)
    for index in range(count):
        phase = 2 * math.pi * index / count  # whole periods: the end meets the beginning
        sway = Pose(
            yaw=math.radians(1.2) * math.sin(phase),
            x=2.0 * math.sin(phase + 0.6),
            y=1.2 * math.sin(2 * phase),
            scale=1 + 0.004 * math.sin(phase),
        )
        if name == "neutral":
            yield sway
            continue
        # centre, out, hold, back, centre
        share = min(max((math.sin(phase / 2) - 0.15) / 0.85, 0.0), 1.0)
        moved = share * share * (3 - 2 * share)
        if name == "nod":
            yield Pose(sway.yaw, moved * math.radians(NOD_DEGREES), sway.x, sway.y, sway.scale)
            continue
        turned = moved * math.radians(TURN_DEGREES)
        yield Pose(turned if name == "turn_left" else -turned, 0.0, sway.x, sway.y, sway.scale)


def _hill(
    columns: npt.NDArray[np.float32],
    rows: npt.NDArray[np.float32],
    top: tuple[float, float],
    half_width: float,
    half_height: float,
) -> npt.NDArray[np.float32]:
    """One at `top`, falling off as a bell; wide enough that the turned picture does not fold over itself."""
    away = ((columns - top[0]) / half_width) ** 2 + ((rows - top[1]) / half_height) ** 2
    return np.asarray(np.exp(-away), dtype=np.float32)


def head_warp(
    width: int, height: int, head: Head, frame: tuple[int, int] = (WIDTH, HEIGHT), step: int = 1
) -> Callable[[Pose, float, float], tuple[Map, Map]]:
    """A function from a pose to the map of `cv2.remap`: for each pixel of the frame, where in the portrait.

    `width` and `height` are the portrait's, `frame` the picture's that is drawn. The function's two further
    arguments say which column and row of the portrait lie in the frame's corner when the head is straight. With a
    `step`, the map is solved on every step-th pixel and drawn out, which is as good for the eye and much quicker.
    """
    import cv2

    eyes = np.array([head.right_eye, head.left_eye])
    between = float(np.linalg.norm(eyes[1] - eyes[0]))
    middle_x, eye_y = eyes.mean(axis=0)
    mouth_y = (head.right_mouth[1] + head.left_mouth[1]) / 2
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    from_middle = columns - np.float32(middle_x)
    down = rows - np.float32((eye_y + mouth_y) / 2)
    # The skull is a dome that falls to nothing at the hair's edge (a true ellipsoid would fold there); then the
    # nose and the eye sockets.
    away = (from_middle / (1.75 * between)) ** 2 + (down / (2.45 * between)) ** 2
    depth = 1.30 * between * np.clip(1 - away, 0, None)
    depth += between * (0.80 * _hill(columns, rows, head.nose, 0.50 * between, 0.46 * between))
    for eye in (head.right_eye, head.left_eye):
        depth -= between * (0.12 * _hill(columns, rows, eye, 0.60 * between, 0.34 * between))
    # The neck turns less and the shoulders not at all.
    chin = mouth_y + 0.62 * between
    fall = np.clip((rows - chin) / (0.8 * between), 0, 1)
    follows = 1 - fall * fall * (3 - 2 * fall)
    outside = np.clip((np.sqrt(away) - 1) / 0.5, 0, 1)
    foreshortened = from_middle * follows * (1 - outside)
    shortened = down * follows * (1 - outside)
    depth *= follows
    # Each cell stands for the pixels around its middle, as `cv2.resize` draws it out.
    frame_x, frame_y = np.meshgrid(
        *(np.arange(side // step, dtype=np.float32) * step + np.float32((step - 1) / 2) for side in frame)
    )
    half_x, half_y = frame[0] / 2, frame[1] / 2

    def solved(start_x: Map, start_y: Map, moved: Map, along_rows: bool) -> Map:
        """x with x + moved(x) = start, by iteration."""
        found = start_y if along_rows else start_x
        for _ in range(8):
            maps = (start_x, found) if along_rows else (found, start_y)
            step = cv2.remap(moved, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            found = (start_y if along_rows else start_x) - step
        return np.asarray(found, dtype=np.float32)

    def warp(pose: Pose, left: float, top: float) -> tuple[Map, Map]:
        at_x = ((frame_x - half_x - pose.x) / pose.scale + half_x + left).astype(np.float32)
        at_y = ((frame_y - half_y - pose.y) / pose.scale + half_y + top).astype(np.float32)
        if pose.pitch:
            moved = (shortened * (math.cos(pose.pitch) - 1) + depth * math.sin(pose.pitch)).astype(np.float32)
            at_y = solved(at_x, at_y, moved, along_rows=True)
        moved = (foreshortened * (math.cos(pose.yaw) - 1) + depth * math.sin(pose.yaw)).astype(np.float32)
        at_x = solved(at_x, at_y, moved, along_rows=False)
        return (at_x, at_y) if step == 1 else (_drawn_out(at_x, frame), _drawn_out(at_y, frame))

    return warp


def _drawn_out(cells: Map, frame: tuple[int, int]) -> Map:
    import cv2

    return np.asarray(cv2.resize(cells, frame, interpolation=cv2.INTER_LINEAR), np.float32)
