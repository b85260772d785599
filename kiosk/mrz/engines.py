"""The readers that `corridor evaluate mrz` compares: Corridor's own, and its peers as their users call them.

An engine takes a file's bytes and gives a reading. Each refuses the same files by their header first, so that a
bomb measures nobody. Nothing here raises for an image.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np

from contracts.checks import Verdict
from documents.mrz import layout_of, parse_mrz
from documents.mrz.settle import Settled, settle
from hardware.ports import Frame
from kiosk.mrz.completed import completed, is_dazzled
from kiosk.mrz.image import Undecodable, decode_image, refusal
from kiosk.mrz.reading import as_far_as_seen, second_opinion

TESSERACT_SECONDS = 60
SHORTEST_LINE = 22  # characters of a zone's line that lost some
LONGEST_ZONE = 3  # lines


@dataclass(frozen=True, repr=False)
class Doubt:
    """A picture, and what the first reader could not settle in it."""

    frame: Frame
    settled: Settled


@dataclass(frozen=True, repr=False)
class Reading:
    """`lines` are the best reading, accepted or not. `doubt` is what a second reader should see."""

    accepted: bool
    lines: tuple[str, ...]
    reason: str
    doubt: Doubt | None = None


@dataclass(frozen=True, repr=False)
class SecondReading:
    """What the second reader said to a reading in doubt: agrees, differs, silent or no_answer (`PageReading`)."""

    answer: str


class Engine(Protocol):
    """`detail` says what exactly is measured: versions, language data."""

    @property
    def detail(self) -> str: ...

    def read(self, data: bytes) -> Reading: ...

    def second_look(self, reading: Reading) -> SecondReading | None:
        """Ask the second reader where there is one and the reading is in doubt. Measured apart."""
        ...

    def close(self) -> None: ...


class EngineUnavailable(Exception):
    """The engine cannot run here; the message says what is missing and what to do."""


class CorridorEngine:
    """Corridor's own reader, and PassportEye as the second one: asked only when the first is in doubt.

    Where light has taken characters from a zone in doubt, the best reading is completed from the page's print
    (`kiosk.mrz.completed`), as a kiosk does; that is a part of `read`, and of its cost.
    """

    def __init__(self, today: date) -> None:
        import cv2

        from kiosk.mrz.passporteye import PassportEyeReader
        from kiosk.mrz.read import MrzReader
        from kiosk.mrz.weights import WeightsError
        from kiosk.viz import VizReader

        cv2.setNumThreads(1)
        self._today = today
        try:
            self._reader = MrzReader()
        except WeightsError as error:
            raise EngineUnavailable(str(error)) from None
        self._reader.look(np.full((240, 320, 3), 127, dtype=np.uint8))  # the first look pays for the kernels
        self._second = PassportEyeReader()
        self._print = VizReader(Path(sys.prefix) / "share/corridor/models")
        self._print.start()  # both load at the same time
        self._second.wait_until_ready()
        self._print.wait_until_ready()

    @property
    def detail(self) -> str:
        return "own networks, one thread; PassportEye asked when in doubt, the print where light hides characters"

    def read(self, data: bytes) -> Reading:
        picture = decode_image(data)
        if isinstance(picture, Undecodable):
            return Reading(False, (), picture.reason)
        look = as_far_as_seen(self._reader.look(picture.frame), picture.frame)
        if not look.posteriors:
            return Reading(False, (), (look.problem or "no_zone") if picture.complete else "truncated")
        settled = settle(look.posteriors, self._today)
        if look.problem is not None:  # one of several documents, or only the beginning of one
            return Reading(False, settled.lines, look.problem)
        if settled.accepted:
            return Reading(True, settled.lines, settled.reason)
        lines = settled.lines
        if is_dazzled(look):
            beside = self._print.read(picture.frame, look.corners)
            lines = completed(look, beside, self._today).settled.lines
        return Reading(False, lines, settled.reason, Doubt(picture.frame, settled))

    def second_look(self, reading: Reading) -> SecondReading | None:
        if reading.doubt is None:
            return None
        candidates = self._second.read(reading.doubt.frame, self._today)
        opinion = second_opinion(reading.doubt.settled, candidates, self._today, looks=1)
        return SecondReading(opinion.record.second_reader)

    def close(self) -> None:
        self._second.close()
        self._print.close()


class PassportEyeEngine:
    """`read_mrz` on the file, as PassportEye's users call it; with tesseract's MRZ data where it is installed."""

    def __init__(self, today: date) -> None:
        from importlib.metadata import version

        self._language = tesseract_language()
        os.environ["OMP_THREAD_LIMIT"] = "1"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import passporteye  # noqa: F401 - the first image does not pay for the import
        self._version = version("passporteye")

    @property
    def detail(self) -> str:
        return f"PassportEye {self._version}, tesseract -l {self._language}, one thread"

    def read(self, data: bytes) -> Reading:
        refused = refusal(data)
        if refused is not None:
            return Reading(False, (), refused.reason)
        from passporteye import read_mrz

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside scikit-image
            try:
                found = read_mrz(io.BytesIO(data), extra_cmdline_params=f"-l {self._language}")
            except Exception:  # libraries raise whatever they like on odd images
                return Reading(False, (), "engine_error")
        if found is None:
            return Reading(False, (), "no_zone")
        lines = tuple("".join(line.split()) for line in found.aux["raw_text"].splitlines() if line.strip())
        return Reading(bool(found.valid), lines, "ok" if found.valid else "check_digits")

    def second_look(self, reading: Reading) -> SecondReading | None:
        return None

    def close(self) -> None:
        return None


class TesseractEngine:
    """tesseract on the whole picture, sparse text; its longest lines are taken for the zone."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._language = tesseract_language()
        os.environ["OMP_THREAD_LIMIT"] = "1"

    @property
    def detail(self) -> str:
        return f"tesseract -l {self._language} --psm 11 on the whole picture, one thread"

    def read(self, data: bytes) -> Reading:
        import cv2

        picture = decode_image(data)
        if isinstance(picture, Undecodable):
            return Reading(False, (), picture.reason)
        _, page = cv2.imencode(".bmp", picture.frame)
        command = ["tesseract", "stdin", "stdout", "-l", self._language, "--psm", "11"]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command, found on the path as its users have it
                command, input=page.tobytes(), capture_output=True, timeout=TESSERACT_SECONDS, check=True
            )
        except subprocess.SubprocessError:
            return Reading(False, (), "engine_error")
        lines = zone_lines(done.stdout.decode(errors="replace"))
        if not lines:
            return Reading(False, (), "no_zone")
        accepted = keeps_its_check_digits(lines, self._today)
        return Reading(accepted, lines, "ok" if accepted else "check_digits")

    def second_look(self, reading: Reading) -> SecondReading | None:
        return None

    def close(self) -> None:
        return None


ENGINES: dict[str, Callable[[date], Engine]] = {
    "corridor": CorridorEngine,
    "passporteye": PassportEyeEngine,
    "tesseract": TesseractEngine,
}


def zone_lines(text: str) -> tuple[str, ...]:
    """The zone's lines out of a whole page's text: the last long ones with a filler, or as long as such a one."""
    lines = ["".join(line.split()) for line in text.splitlines()]
    long = [line for line in lines if len(line) >= SHORTEST_LINE]
    with_filler = {len(line) for line in long if "<" in line}
    return tuple([line for line in long if "<" in line or len(line) in with_filler][-LONGEST_ZONE:])


def keeps_its_check_digits(lines: tuple[str, ...], today: date) -> bool:
    """A peer that has no opinion of its own is believed when every check digit of the zone holds."""
    if layout_of(lines) is None:
        return False
    mrz = parse_mrz(lines, today)
    return mrz.key is not None and all(answer.verdict is not Verdict.FAILED for answer in mrz.verdicts.values())


def tesseract_language() -> str:
    """`mrz` where tesseract has that language data, else `eng`. Raises EngineUnavailable without tesseract."""
    program = shutil.which("tesseract")
    if program is None:
        raise EngineUnavailable("tesseract is not installed: apt-get install tesseract-ocr")
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False)  # noqa: S603
    return "mrz" if "mrz" in listed.stdout.split() else "eng"
