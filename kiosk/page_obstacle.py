"""What hides a zone that is there: light that is reflected into the camera, or the edge of what the camera sees.

The reader says of lines that it found how sure it is of each character, and where they are. Where it is not sure,
and no ink is left in the brightest light that the camera knows, a reflection lies; the traveller is told on which
part of the lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.mrz.read import Look
from kiosk.reduce import smaller

Part = Literal["start", "middle", "end"]  # of the lines, in reading direction: the same however the page lies

BURNT = 250  # grey level from which on a camera may have no more to tell
SURE = 0.9  # probability of a character that nothing hides
NO_INK = 5  # percentile of a character's place that is burnt where no ink is left of it
# A reflection that leaves no line to be found, as a share of the frame; more is bright paper, less hides nothing.
LEAST_SPOT, MOST_SPOT = 0.004, 0.4
EDGE = 1.5  # characters between the end of a line and the edge of the frame; every format leaves more paper
_ACROSS = 640


@dataclass(frozen=True)
class Obstacle:
    """`problem` is glare or cut_off; `part` is known of glare on lines that were found."""

    problem: Literal["glare", "cut_off"]
    part: Part | None = None


def find_obstacle(frame: Frame, look: Look) -> Obstacle | None:
    """What hides the zone in `frame` (H, W, 3), of which `look` was no certain reading; None: nobody knows."""
    import cv2

    grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
    if not look.posteriors:
        return Obstacle("glare") if _has_spot(grey) else None
    hidden = [
        (column + 0.5) / len(line)
        for line, corners in zip(look.posteriors, look.corners, strict=True)
        for column in np.flatnonzero(line.max(axis=1) < SURE)
        if _is_burnt(grey, corners, int(column), len(line))
    ]
    if hidden:
        return Obstacle("glare", _part(float(np.mean(hidden))))
    ends = (np.array(look.corners), [len(line) for line in look.posteriors])
    return Obstacle("cut_off") if _at_the_edge(grey, *ends) else None


def _has_spot(grey: Frame) -> bool:
    import cv2

    burnt = (smaller(grey, _ACROSS) >= BURNT).astype(np.uint8)
    if burnt.mean() > MOST_SPOT:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(burnt)
    return bool((stats[1:, cv2.CC_STAT_AREA] >= LEAST_SPOT * burnt.size).any())


def _is_burnt(grey: Frame, corners: npt.NDArray[np.float64], column: int, length: int) -> bool:
    """Whether the place of one character, a parallelogram taken as the rectangle around its middle, has no ink."""
    start, end = corners[[0, 3]].mean(0), corners[[1, 2]].mean(0)
    centre = start + (end - start) * ((column + 0.5) / length)
    half = max(2.0, float(np.hypot(*(end - start))) / length / 2)
    left, top = np.maximum(centre - half, 0).astype(int)
    right, bottom = (centre + half).astype(int) + 1
    place = grey[top:bottom, left:right]
    return bool(place.size and np.percentile(place, NO_INK) >= BURNT)


def _part(place: float) -> Part:
    return "start" if place < 1 / 3 else "middle" if place < 2 / 3 else "end"


def _at_the_edge(grey: Frame, corners: npt.NDArray[np.float64], lengths: list[int]) -> bool:
    """`corners` (lines, 4, 2): a page that lies whole on the glass shows paper before and behind its lines."""
    starts, ends = corners[:, [0, 3]].mean(1), corners[:, [1, 2]].mean(1)
    reach = (ends - starts) * (EDGE / np.array(lengths))[:, None]
    around = np.concatenate([starts - reach, ends + reach])
    return bool((around < 0).any() or (around > np.array(grey.shape[::-1])).any())
