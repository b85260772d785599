"""Judges a whole film of a face for `corridor evaluate pad`; the kiosk gathers the same evidence as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from hardware.camera.jpeg import split_jpegs
from hardware.camera.sources import MAX_FILE_BYTES, bounded, decode
from hardware.ports import DeviceError, Frame
from kiosk.faces.detect import Face
from kiosk.faces.pad.crops import Landmarks
from kiosk.faces.pad.evidence import LOOKS, Evidence, load_fusion
from kiosk.faces.pad.motion import attitude
from kiosk.faces.pad.network import RecaptureNetwork

MOST_FRAMES = 40  # are looked at, evenly over the film
_LONGEST = 3_000  # frames of a film that are decoded at all
_WIDEST = 1280  # pixels; a larger frame is made smaller
_UNSURE = 0.08  # of the detector's confidence
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")

Item = TypeVar("Item")
Find = Callable[[Frame], tuple[Face, ...]]


@dataclass(frozen=True)
class Judged:
    """What a film was taken for. `score` is the probability of an attack; `reason` a code in words."""

    decision: Literal["live", "attack"]
    score: float
    reason: str


class UnreadableFilm(ValueError):
    """A clip that is no film; the text names the reason."""


def read_film(path: Path) -> Iterator[Frame]:
    """Frames of an MJPEG file, any film that OpenCV reads, or a folder of pictures. Raises UnreadableFilm."""
    if path.is_dir():
        yield from _folder(path)
        return
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableFilm("too_large_file")
        with path.open("rb") as opened:
            beginning = opened.read(3)
    except OSError:
        raise UnreadableFilm("no_such_file") from None
    if beginning == b"\xff\xd8\xff":
        parts = split_jpegs(path.read_bytes())
        for part in _evenly(parts):
            frame = _decoded(part)
            if frame is not None:
                yield frame
        return
    yield from _film(path)


def judge_film(frames: Sequence[Frame], find: Find, network: RecaptureNetwork) -> Judged:
    """Judge the frames of one film. What is not shown to be a living face is an attack."""
    evidence = gather(frames, find, network)
    if isinstance(evidence, str):
        return Judged("attack", 1.0, evidence)
    fusion = load_fusion()
    score = fusion.score(evidence.values())
    if score >= fusion.threshold:
        return Judged("attack", score, "recapture")
    return Judged("live", score, "ok")


def gather(
    frames: Sequence[Frame], find: Find, network: RecaptureNetwork, *, cues: bool = False
) -> Evidence | str:
    """The evidence of a film; or why there is none, as a reason code."""
    if len(frames) > 3 and all(np.array_equal(frames[0], frame) for frame in frames[1:]):
        return "stream_frozen"
    seen = [(frame, _subject(faces).landmarks) for frame in frames if (faces := find(frame))]
    if not seen:
        return "no_face"
    evidence = Evidence(network, cues=cues)
    for index in sorted({round(at) for at in np.linspace(0, len(seen) - 1, LOOKS)}):
        evidence.look(*seen[index])
    # The straightest look of the first third: from there movement is measured.
    first = range(max(1, len(seen) // 3))
    straight = min(first, key=lambda index: _turned(seen[index][1]))
    evidence.start(*seen[straight])
    for frame, landmarks in seen[straight + 1 :]:
        evidence.follow(frame, landmarks)
    return evidence


def _subject(faces: Sequence[Face]) -> Face:
    """The largest face, but none that is much less certain than another: a blurred wall may look like one.

    The kiosk refuses frames with two large faces; a film of somebody else's has to be judged as it is.
    """
    surest = max(face.confidence for face in faces)
    return max((face for face in faces if face.confidence > surest - _UNSURE), key=lambda face: face.area)


def _turned(landmarks: Landmarks) -> float:
    return abs(attitude(landmarks).turn)


def _folder(path: Path) -> Iterator[Frame]:
    pictures = sorted(each for each in path.iterdir() if each.suffix.lower() in _PICTURES)
    if not pictures:
        raise UnreadableFilm("empty")
    for picture in _evenly(pictures):
        frame = _decoded(picture.read_bytes()) if picture.stat().st_size <= MAX_FILE_BYTES else None
        if frame is not None:
            yield frame


def _film(path: Path) -> Iterator[Frame]:
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise UnreadableFilm("not_a_film")
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))  # nought or nonsense where the container does not tell
        wanted = set(_evenly(range(count if 0 < count <= _LONGEST else 3 * MOST_FRAMES)))
        index = 0
        while index <= max(wanted) and capture.grab():
            if index in wanted:
                arrived, image = capture.retrieve()
                if arrived and image is not None:
                    yield _reduced(bounded(image))
            index += 1
    except DeviceError:
        raise UnreadableFilm("frame_size") from None
    finally:
        capture.release()


def _decoded(data: bytes) -> Frame | None:
    try:
        frame = decode(data)
    except DeviceError:
        return None
    return None if frame is None else _reduced(frame)


def _reduced(frame: Frame) -> Frame:
    import cv2

    width = frame.shape[1]
    if width <= _WIDEST:
        return frame
    scale = _WIDEST / width
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _evenly(items: Sequence[Item]) -> list[Item]:
    """At most `MOST_FRAMES` of the items, evenly spread."""
    if len(items) <= MOST_FRAMES:
        return list(items)
    return [items[round(at)] for at in np.linspace(0, len(items) - 1, MOST_FRAMES)]
