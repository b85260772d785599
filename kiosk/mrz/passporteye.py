"""The second reader: PassportEye and tesseract on a page image, in a process of its own.

It is asked only when the first reader is in doubt (`kiosk.mrz.looks`).
The process stays warm between travellers. It is killed when it takes too long or dies, and started again: no image
can stop the kiosk. tesseract runs on one thread, and the crops that PassportEye writes for it lie in a private
directory in memory where the system has one, emptied after each reading (rule 5). This side removes it when the
process was killed, and what a kiosk that died left there is removed by the next one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from documents.mrz import parse_mrz
from hardware.ports import Frame
from kiosk.asking import ask

MAX_WIDTH = 1800
READ_SECONDS = 30.0  # an image on which a filter hangs; an ordinary page takes one
# Of processor time, after which no further region or filter is tried: what was not read by then seldom is, and a
# person waits. Not of the clock, so that a busy machine reads the same.
EFFORT_SECONDS = 4.0
START_SECONDS = 90.0
READY = "ready"
PREFIX = "corridor-mrz-"
CARD_WIDTH = 600  # pixels across 30 characters
CARD_ASPECT = 7.5  # width to height of two lines of a card; a passport's are twice as flat
SHORTEST_LINE = 22  # characters; a card's line of 30 may lose some fillers


class PassportEyeReader:
    """`read(image)` → candidate texts, the likeliest first; each a tuple of lines. Never raises for an image.

    None where there was no answer: it took too long, or its process died or never began.
    """

    def __init__(self) -> None:
        self._process: Any = None
        self._pipe: Connection | None = None
        self._ready = False
        self._directory: Path | None = None

    def start(self) -> None:
        """Start the process now, so that the first traveller does not wait for it."""
        if self._process is not None and self._process.is_alive():
            return
        self.close()
        _sweep(_memory())
        self._directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_memory()))
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, str(self._directory)), daemon=True, name="second-reader"
        )
        process.start()
        theirs.close()
        self._process, self._pipe, self._ready = process, ours, False

    def wait_until_ready(self, seconds: float = START_SECONDS) -> bool:
        """Its imports take seconds; better now than while a traveller waits."""
        self.start()
        assert self._pipe is not None
        if not self._ready and self._pipe.poll(seconds):
            with contextlib.suppress(OSError, EOFError):
                self._ready = self._pipe.recv() == READY
        return self._ready

    def read(
        self, image: Frame, today: date, *, thorough: bool = False, seconds: float = READ_SECONDS
    ) -> tuple[tuple[str, ...], ...] | None:
        """`thorough` also tries PassportEye's enlargements and filters: slower, for a page that would not read."""
        if not self.wait_until_ready() or self._pipe is None:
            self.close()
            return None
        try:
            answer: tuple[tuple[str, ...], ...] = ask(self._process, self._pipe, (image, today, thorough), seconds)
        except (OSError, EOFError):
            self.close()
            return None
        return answer

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join(5)
        self._process = self._pipe = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None


def _memory() -> Path:
    base = Path("/dev/shm")  # noqa: S108 - memory, not disk; a directory of mode 0700 is made in it
    return base if os.access(base, os.W_OK) else Path(tempfile.gettempdir())


def _sweep(base: Path) -> None:
    """Remove the crops of kiosks that died in the middle of a page: ours, and of no living process."""
    for left in base.glob(f"{PREFIX}*-*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if owner.isdigit() and not Path(f"/proc/{owner}").exists() and left.stat().st_uid == os.getuid():
                shutil.rmtree(left, ignore_errors=True)


def _serve(pipe: Connection, place: str) -> None:
    os.environ["OMP_THREAD_LIMIT"] = "1"
    directory = Path(place)
    tempfile.tempdir = place
    try:
        with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
            with contextlib.suppress(Exception):  # pays for the imports; what an empty image gives is no matter
                tuple(_recognise(np.zeros((64, 64, 3), dtype=np.uint8), False))
            pipe.send(READY)
            while True:
                image, today, thorough = pipe.recv()
                try:
                    found = _until_certain(_recognise(image, thorough), today)
                except Exception:  # libraries raise whatever they like on odd images; no text is the answer
                    found = ()
                for left in directory.iterdir():
                    left.unlink(missing_ok=True)
                pipe.send(found)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _effort() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    return sum(os.times()[:4])


def _until_certain(
    readings: Iterator[tuple[str, ...]], today: date, effort: Callable[[], float] = _effort
) -> tuple[tuple[str, ...], ...]:
    """The readings up to the first whose check digits hold, that one first: each costs half a second.

    All that there are where none does, or those that `EFFORT_SECONDS` of `effort` gave.
    """
    found: list[tuple[str, ...]] = []
    begun = effort()
    for lines in readings:
        if parse_mrz(lines, today, guarded_only=True).key is not None:
            return (lines, *found)
        found.append(lines)
        if effort() - begun > EFFORT_SECONDS:
            break
    return tuple(found)


def _recognise(image: Frame, thorough: bool) -> Iterator[tuple[str, ...]]:
    import warnings

    import cv2

    warnings.simplefilter("ignore")  # deprecations inside scikit-image; this process prints nothing
    from passporteye.mrz.image import BoxToMRZ, MRZPipeline
    from passporteye.util.ocr import ocr

    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    if grey.shape[1] > MAX_WIDTH:
        scale = MAX_WIDTH / grey.shape[1]
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    pipeline = MRZPipeline(None)
    pipeline["img"] = grey.astype(np.float64) / 255.0
    boxes = pipeline["boxes"]
    for box in boxes:
        region = box.extract_from_image(pipeline["img"], 1.0 / pipeline["scale_factor"])
        if region.shape[0] > region.shape[1]:
            continue
        wide = region.shape[1] > CARD_WIDTH
        if wide and region.shape[1] < CARD_ASPECT * region.shape[0]:
            # Few, large characters: a card's. tesseract reads them better at a passport's size.
            yield from _candidates(ocr(_narrowed(region)))
        yield from _candidates(ocr(region))
        if thorough:
            if wide:
                yield from _candidates(ocr(_narrowed(region)))
            yield from _candidates(
                BoxToMRZ()(box, pipeline["img"], pipeline["img_small"], pipeline["scale_factor"])[1]
            )


def _narrowed(region: Any) -> Any:
    import cv2

    scale = CARD_WIDTH / region.shape[1]
    return np.clip(cv2.resize(region, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), 0.0, 1.0)


def _candidates(text: str) -> Iterator[tuple[str, ...]]:
    """What the lines of one region may be: the zone itself, or the first two lines of a card's.

    A card's name line is often short, so that it is found as a region of its own; nothing on it is guarded by a
    check digit, and so nothing of it is wanted.
    """
    lines = _lines(text)
    yield lines
    if len(lines) == 2 and all(len(line) <= 36 for line in lines):
        yield (*lines, "<" * 30)


def _lines(text: str) -> tuple[str, ...]:
    """The long lines of what the recogniser saw, without blanks, the last three at most."""
    lines = ("".join(line.split()) for line in text.splitlines())
    return tuple(line for line in lines if len(line) >= SHORTEST_LINE)[-3:]
