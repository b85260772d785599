"""Reads the print of a document's page (the visual inspection zone) in a process of its own.

The process stays warm between travellers, runs on one thread and can work while the chip is read. It is killed
when it takes too long or dies, and started again: no image can stop the kiosk. Nothing of a page leaves memory.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from documents.mrz import Mrz
from documents.viz import Fragment, everything_found
from hardware.ports import Frame
from kiosk.asking import ask
from kiosk.viz.text import WEIGHTS, PageText, TextWeightsError, verify_weights

__all__ = ["WEIGHTS", "TextWeightsError", "VizReader", "read_page", "upright", "verify_weights"]

READ_SECONDS = 20.0  # an ordinary page takes one
START_SECONDS = 60.0
READY = "ready"

_WHOLE = 960  # pixels along the longer side at which lines are looked for, where no zone gives the scale
_CHARACTER = 15.2  # pixels a character of the zone at which lines are looked for: capitals of 2 mm are 12 tall
_LARGEST = 2400  # pixels along the longer side of the upright page
# Around the zone, in its own lengths: a page reaches 0.06 to its sides, 0.6 above it and 0.1 below, a card's less.
_BESIDE, _ABOVE, _BELOW = 0.15, 0.8, 0.15
_STEP = 4  # lines between two looks at whether everything was found

Corners = npt.NDArray[np.float64]  # (4, 2): start-top, end-top, end-bottom, start-bottom, in frame pixels


class VizReader:
    """`read(frame)` → the lines of print on a page. Never raises for an image; one read at a time."""

    def __init__(self, models_dir: Path) -> None:
        self._models_dir = models_dir
        self._process: Any = None
        self._pipe: Connection | None = None
        self._ready = False
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start the process now, so that the first traveller does not wait for it."""
        with self._lock:
            if self._process is not None and self._process.is_alive():
                return
            self.close()
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(theirs, self._models_dir), daemon=True, name="viz-reader"
            )
            process.start()
            theirs.close()
            self._process, self._pipe, self._ready = process, ours, False

    def wait_until_ready(self, seconds: float = START_SECONDS) -> bool:
        """Loading takes two seconds; better now than while a traveller waits."""
        with self._lock:
            self.start()
            assert self._pipe is not None
            with contextlib.suppress(OSError, EOFError):
                if not self._ready and self._pipe.poll(seconds):
                    self._ready = self._pipe.recv() == READY
            return self._ready

    def read(
        self,
        frame: Frame,
        corners: Sequence[Corners] = (),
        mrz: Mrz | None = None,
        *,
        seconds: float = READ_SECONDS,
    ) -> tuple[Fragment, ...]:
        """The lines of print, the zone itself left out; () when nothing was read.

        `corners` are the zone's lines in `frame`: they tell which way is up and where the page is; without them
        the frame is taken as it is. With `mrz` reading stops as soon as every field of it was found.
        """
        with self._lock:
            if not self.wait_until_ready() or self._pipe is None:
                self.close()
                return ()
            try:
                answer: tuple[Fragment, ...] = ask(
                    self._process, self._pipe, (frame, tuple(corners), mrz), seconds
                )
            except (OSError, EOFError):
                self.close()
                return ()
            return answer

    def close(self) -> None:
        """End the process; a reading that is under way ends with it."""
        with contextlib.suppress(AttributeError, ValueError):  # another thread was first
            self._process.kill()
        with self._lock:
            if self._pipe is not None:
                self._pipe.close()
            if self._process is not None:
                self._process.kill()
                self._process.join(5)
            self._process = self._pipe = None
            self._ready = False


def _serve(pipe: Connection, models_dir: Path) -> None:
    import cv2

    cv2.setNumThreads(1)
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        text = PageText(models_dir)
        pipe.send(READY)
        while True:
            frame, corners, mrz = pipe.recv()
            try:
                found = tuple(read_page(text, frame, corners, mrz))
            except Exception:  # whatever an odd image makes the libraries raise; no text is the answer
                found = ()
            pipe.send(found)


def read_page(
    text: PageText, frame: Frame, corners: Sequence[Corners] = (), mrz: Mrz | None = None
) -> tuple[Fragment, ...]:
    """What `VizReader.read` does, in this process."""
    page, zone = upright(frame, corners)
    longest = _WHOLE
    if zone is not None:
        characters = 30 if len(corners) == 3 else 44
        longest = round(max(page.shape[:2]) * min(1.0, characters * _CHARACTER / (zone[2] - zone[0])))
    lines = [line for line in text.find(page, longest) if not _within(line.mean(axis=0), zone)]
    fragments: list[Fragment] = []
    for line in text.read(page, tuple(lines)):
        (left, top), (right, bottom) = line.corners.min(axis=0).tolist(), line.corners.max(axis=0).tolist()
        fragments.append(Fragment(line.text, line.confidence, (left, top, right, bottom)))
        if mrz is not None and len(fragments) % _STEP == 0 and everything_found(fragments, mrz):
            break
    return tuple(fragments)


def upright(frame: Frame, corners: Sequence[Corners]) -> tuple[Frame, tuple[float, float, float, float] | None]:
    """The part of the frame around the zone, turned so that the zone reads from left to right, and the zone in it.

    The zone is left, top, right, bottom in pixels of the page that is returned, None when none was given.
    """
    import cv2

    height, width = frame.shape[:2]
    if not corners:
        scale = min(1.0, _LARGEST / max(height, width))
        page = frame if scale == 1.0 else cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return np.asarray(page, dtype=np.uint8), None
    lines = np.stack([np.asarray(line, dtype=np.float64).reshape(4, 2) for line in corners])
    ahead = (lines[:, 1] - lines[:, 0] + lines[:, 2] - lines[:, 3]).mean(axis=0)
    angle = math.atan2(ahead[1], ahead[0])
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    frame_corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) @ turn.T
    zone = lines.reshape(-1, 2) @ turn.T
    length = float(zone[:, 0].max() - zone[:, 0].min())
    reach = np.array([_BESIDE * length, _ABOVE * length]), np.array([_BESIDE * length, _BELOW * length])
    low = np.maximum(zone.min(axis=0) - reach[0], frame_corners.min(axis=0))
    high = np.minimum(zone.max(axis=0) + reach[1], frame_corners.max(axis=0))
    scale = min(1.0, _LARGEST / float((high - low).max()))
    matrix = np.hstack([turn, -low[:, None]]) * scale
    size = np.ceil((high - low) * scale).astype(int)
    page = cv2.warpAffine(
        frame, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    (left, top), (right, bottom) = (
        ((zone.min(axis=0) - low) * scale).tolist(),
        ((zone.max(axis=0) - low) * scale).tolist(),
    )
    return np.asarray(page, dtype=np.uint8), (left, top, right, bottom)


def _within(point: Corners, zone: tuple[float, float, float, float] | None) -> bool:
    return zone is not None and zone[0] <= point[0] <= zone[2] and zone[1] <= point[1] <= zone[3]
