"""The printed page: is one lying there, is it sharp and light enough, and what does its machine readable zone say.

In this release the optical reading supplies only the fields that a check digit guards (number, birth, expiry);
names come from the chip, and the comparison with the printed names is NOT_CHECKED `not_in_this_release`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from contracts.checks import DOCUMENT_CHECKS, Check, CheckName, Verdict
from contracts.party import TravelDocument
from documents.mrz import NO_MRZ, Mrz, parse_mrz
from hardware.ports import Camera, DeviceError, Frame
from kiosk.mrz.passporteye import PassportEyeReader

# Measured on a frame reduced to 160 pixels across: an empty glass is even and dark, a page is neither.
_SMALL = 160
PAGE_CONTRAST = 14.0  # standard deviation of grey levels
PAGE_LIGHT = 45.0  # median grey level of the lighter half
SHARP = 25.0  # variance of the Laplacian at 640 pixels across
STILL = 6.0  # mean change of grey levels between two frames
TRY_S = 9.0


@dataclass(frozen=True)
class PageState:
    """What the camera sees. `problem` None: a page that can be read."""

    present: bool
    problem: str | None


@dataclass(frozen=True, repr=False)
class Page:
    """The outcome of a look at a page."""

    mrz: Mrz
    frame: Frame | None
    problem: str | None  # why it could not be read: too_dark, blurred, not_read, camera_failed
    seconds: float

    @property
    def legible(self) -> bool:
        return self.mrz.key is not None


def assess(frame: Frame, before: Frame | None = None) -> PageState:
    """Judge one frame; `before` is the frame before it, to see whether the page lies still."""
    import cv2

    small = _small(frame)
    if float(small.std()) < PAGE_CONTRAST:
        return PageState(False, "no_page")
    if before is not None and before.shape == frame.shape:
        change = float(np.abs(small.astype(np.int16) - _small(before).astype(np.int16)).mean())
        if change > STILL:
            return PageState(True, "moving")
    if float(np.percentile(small, 75)) < PAGE_LIGHT:
        return PageState(True, "too_dark")
    width = 640
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    height = max(1, round(grey.shape[0] * width / grey.shape[1]))
    if (
        float(cv2.Laplacian(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), cv2.CV_64F).var())
        < SHARP
    ):
        return PageState(True, "blurred")
    return PageState(True, None)


def _small(frame: Frame) -> Frame:
    import cv2

    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    height = max(1, round(grey.shape[0] * _SMALL / grey.shape[1]))
    return np.asarray(cv2.resize(grey, (_SMALL, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


class PageScan:
    """Looks through one camera with one reader."""

    def __init__(self, camera: Camera, reader: PassportEyeReader) -> None:
        self._camera = camera
        self._reader = reader
        self._sequence = -1

    def scan(
        self,
        today: Callable[[], date],
        report: Callable[[PageState], None],
        stopped: Callable[[], bool],
        *,
        fresh: bool = False,
    ) -> Page | None:
        """One try; None when it was stopped. While no page lies there it waits. Never raises for a device.

        `fresh`: wait until the glass is empty first, or the last document would be read twice.
        """
        try:
            while fresh and not stopped():
                captured = self._camera.latest(seconds=2.0, after=self._sequence)
                self._sequence = captured.sequence
                state = assess(captured.image)
                report(state)
                fresh = state.present
            return self._scan(today, report, stopped)
        except DeviceError:
            return Page(NO_MRZ, None, "camera_failed", 0.0)

    def _scan(
        self, today: Callable[[], date], report: Callable[[PageState], None], stopped: Callable[[], bool]
    ) -> Page | None:
        before: Frame | None = None
        placed: float | None = None
        readings = 0
        while not stopped():
            captured = self._camera.latest(seconds=2.0, after=self._sequence)
            self._sequence = captured.sequence
            state = assess(captured.image, before)
            before = captured.image
            report(state)
            now = time.monotonic()
            if not state.present:
                placed = None
                continue
            if placed is None:
                placed = captured.at
            if state.problem is None:
                mrz = self._read(captured.image, today(), thorough=readings > 0)
                readings += 1
                if mrz.key is not None:
                    return Page(mrz, captured.image, None, time.monotonic() - placed)
                if readings >= 2:
                    return Page(mrz, captured.image, "not_read", time.monotonic() - placed)
            if now - placed > TRY_S:
                return Page(NO_MRZ, captured.image, state.problem or "not_read", now - placed)
        return None

    def _read(self, frame: Frame, today: date, *, thorough: bool) -> Mrz:
        best = NO_MRZ
        for lines in self._reader.read(frame, today, thorough=thorough):
            mrz = parse_mrz(lines, today, guarded_only=True)
            if mrz.key is not None:
                return mrz
            best = mrz if mrz.lines or best is NO_MRZ else best
        return best


def page_document(mrz: Mrz, today: date, chip_reason: str, problem: str | None = None) -> TravelDocument:
    """The document as the page alone shows it: the optical checks, and every chip check NOT_CHECKED.

    `problem` is what kept the camera from reading, when no zone was found at all.
    """
    checks = {check.name: check for check in mrz.checks(today)}
    if problem is not None and mrz is NO_MRZ:
        verdict = Verdict.ERROR if problem == "camera_failed" else Verdict.FAILED
        checks[CheckName.MRZ_READ] = Check(name=CheckName.MRZ_READ, verdict=verdict, reason=problem)
    checks[CheckName.MRZ_VIZ] = Check(
        name=CheckName.MRZ_VIZ, verdict=Verdict.NOT_CHECKED, reason="not_in_this_release"
    )
    checks[CheckName.MRZ_INFRARED] = Check(
        name=CheckName.MRZ_INFRARED, verdict=Verdict.NOT_PRESENT, reason="no_infrared"
    )
    for name in DOCUMENT_CHECKS:
        checks.setdefault(name, Check(name=name, verdict=Verdict.NOT_CHECKED, reason=chip_reason))
    return mrz.document.model_copy(update={"checks": tuple(checks[name] for name in DOCUMENT_CHECKS)})
