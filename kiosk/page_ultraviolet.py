"""`page_ultraviolet`: whether the page is printed on security paper, seen in ultraviolet light (UV-A, 365 nm).

ICAO 9303-2 appendix A asks for paper, labels and cards that are dull in such light, or shine in a colour that
cannot be taken for the blue-white of optical brighteners, which are in nearly every other paper. What is judged is
the bare paper: the lighter part of what the document camera sees, looked up in the ultraviolet frame, which has to
show the same glass in the same frame. Fluorescent ink, which the same appendix asks for, is little of the page or
of another colour, and no glow; that it shines proves that there was light to judge by.

Thresholds are levels of a camera whose exposure is fixed. They were set on simulated light alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contracts.checks import Check, CheckName, Verdict
from hardware.ports import Camera, DeviceError, Frame
from kiosk.reduce import smaller

GLOWS = 110  # level of blue, of paper that glows; in simulation office paper has twice as much,
DULL = 70  # and security paper half of this
BLUE_WHITE = 4  # levels by which green or red may surpass blue, for noise
OFFICE_SHARE = 0.5  # of the paper that glows, from where on it is not security paper
DULL_SHARE = 0.08  # of the paper that may be brighter than dull, of security paper
# Of the brightest hundredth: the level that fluorescent ink has at least, and how many times the paper's. Where
# nothing shines the lamp may be weak or off, and then a copier's paper looks dull too.
SHINES, SHINES_TIMES = 40, 3.0
LOOKS = 3
_ACROSS = 320  # pixels at which both frames are compared
_LEAST_PAPER = 0.05  # of the frame


def check_ultraviolet(camera: Camera, page: Frame | None) -> Check:
    """`page` is the document camera's frame of what lies there. Never raises for a device."""
    if page is None:
        return _answer(Verdict.NOT_CHECKED, "page_not_seen")
    verdict, reason = Verdict.NOT_CHECKED, "nothing_shines"
    try:
        sequence = camera.latest(seconds=1.0).sequence  # may be older than the page
        for _ in range(LOOKS):
            captured = camera.latest(seconds=1.0, after=sequence)
            sequence = captured.sequence
            verdict, reason = judge(page, captured.image)
            if verdict is not Verdict.NOT_CHECKED:
                break
    except DeviceError:
        return _answer(Verdict.ERROR, "camera_failed")
    return _answer(verdict, reason)


def judge(page: Frame, ultraviolet: Frame) -> tuple[Verdict, str]:
    """What two frames of the same page say, one in visible and one in ultraviolet light; (H, W, 3) BGR each."""
    import cv2

    small = smaller(page, _ACROSS)
    paper = _paper(small)
    if paper.mean() < _LEAST_PAPER:
        return Verdict.NOT_CHECKED, "page_not_seen"
    seen = cv2.resize(smaller(ultraviolet, _ACROSS), small.shape[1::-1], interpolation=cv2.INTER_AREA)
    seen = np.asarray(seen, np.int16)[paper]
    blue, other = seen[:, 0], seen[:, 1:].max(axis=1)
    glow = np.where(blue >= other - BLUE_WHITE, blue, 0)
    if (glow >= GLOWS).mean() >= OFFICE_SHARE:
        return Verdict.FAILED, "office_paper"
    if (glow >= DULL).mean() > DULL_SHARE:  # a part of the page is of other paper, or all of it glows faintly
        return Verdict.NOT_CHECKED, "glow_unclear"
    shining, usual = np.percentile(np.maximum(blue, other), [99, 50])
    if shining < max(SHINES, SHINES_TIMES * usual):
        return Verdict.NOT_CHECKED, "nothing_shines"
    return Verdict.PASSED, "ok"


def _paper(page: Frame) -> npt.NDArray[np.bool_]:
    """Where bare paper is: what is lighter than ink, portrait and glass, less its edges."""
    import cv2

    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    _, light = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(cv2.erode(light, np.ones((3, 3), np.uint8)), np.uint8) > 0


def _answer(verdict: Verdict, reason: str) -> Check:
    return Check(name=CheckName.PAGE_ULTRAVIOLET, verdict=verdict, reason=reason)
