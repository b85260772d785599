"""Whether what moves before the camera is a head, or a plane that carries a picture of one.

A plane that is turned, tilted or carried about maps from frame to frame by a homography, whatever the perspective
(Hartley and Zisserman, Multiple View Geometry, §13.1). A head does not: nose and cheeks stand before the eyes and
move on their own. Two measures of what no plane explains, both in eye distances of the straight face:

- `parallax`, on the five landmarks: eyes and mouth corners fix a homography; how far does the nose miss it?
- `bend`, on up to a hundred points that are followed from frame to frame: what the best homography leaves.

`turn`, `nod`, `shortening` and `squeeze` say how much it turned at all: without that nothing is shown either
way. The first three are the landmarks', which a detector bends towards a face; `squeeze` is the homography's own:
by how much one direction in the middle of the face became shorter than the other. `sunk` is the followed points'
own: how far the middle of the face moved towards the chin beside the face's rim, as a head's does when it nods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.faces.pad.crops import Landmarks, eye_distance

_EYES = 56.0  # eye distance in the small grey frames on which points are followed, pixels
_POINTS = 90
_FEWEST = 16
_WHOLE = 0.8  # of the points that were begun with
_MIDDLE, _RIM = 0.55, 0.8  # eye distances from the middle of the face: within the one, beyond the other
_FEWEST_EACH = 4  # points
_SPREAD = 0.1  # of the points, the worst followed, which are left out

Points = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Attitude:
    """How a face is held, from its five landmarks. Both are shares of distances in the face."""

    turn: float  # the nose beside the middle of the eyes, in eye distances; > 0: to the picture's right
    nod: float  # the nose between eyes (0) and mouth (1)
    narrow: float  # eye distance over eye-mouth distance


@dataclass(frozen=True)
class Movement:
    """What one frame shows against the straight one."""

    turn: float
    nod: float
    shortening: float
    parallax: float
    bend: float | None  # None: too few points could be followed
    squeeze: float | None = None
    sunk: float | None = None  # eye distances


def attitude(landmarks: Landmarks) -> Attitude:
    """How the face of these landmarks is held; zeros where they are no face."""
    left, right, nose = landmarks[0], landmarks[1], landmarks[2]
    eyes, mouth = (left + right) / 2, landmarks[3:].mean(axis=0)
    across, down = right - left, mouth - eyes
    wide, tall = float(np.hypot(*across)), float(np.hypot(*down))
    if wide < 1.0 or tall < 1.0:
        return Attitude(0.0, 0.0, 0.0)
    turn = float(np.dot(nose - eyes, across)) / wide**2
    return Attitude(turn, float(np.dot(nose - eyes, down)) / tall**2, wide / tall)


class HeadTracker:
    """Follows one face away from a straight look. Keeps two small grey frames and some points, nothing else."""

    def __init__(self, image: Frame, landmarks: Landmarks) -> None:
        import cv2

        self._straight = landmarks.astype(np.float64)
        self._attitude = attitude(landmarks)
        self._scale = min(1.0, _EYES / max(eye_distance(landmarks), 1.0))
        self._unit = max(eye_distance(landmarks) * self._scale, 1.0)
        self._grey = self._small(image)
        mask = np.zeros(self._grey.shape, np.uint8)
        middle = self._straight.mean(axis=0) * self._scale
        axes = (2.0 * self._unit, 2.7 * self._unit)
        cv2.ellipse(mask, ((float(middle[0]), float(middle[1])), axes, 0.0), 255, -1)
        found = cv2.goodFeaturesToTrack(self._grey, _POINTS, 0.005, 0.06 * self._unit, mask=mask)
        start = np.zeros((0, 2), np.float32) if found is None else np.asarray(found, np.float32).reshape(-1, 2)
        self._begun = len(start)
        self._first: Points = start
        self._now: Points = start.copy()

    @property
    def lost(self) -> bool:
        """Whether too few points are still followed: a fast movement, or a cut in the film."""
        return len(self._now) < _FEWEST

    @property
    def thinned(self) -> bool:
        """Whether many points were lost, and those first that show a head: the nose and the rim of the face."""
        return len(self._now) < _WHOLE * self._begun

    def follow(self, image: Frame, landmarks: Landmarks) -> Movement:
        """What the next frame shows. Frames are given in their order, not too far apart."""
        held = attitude(landmarks)
        shortening = 1 - held.narrow / max(self._attitude.narrow, 1e-6)
        self._track(self._small(image))
        bend, squeeze = self._fitted()
        return Movement(
            turn=held.turn - self._attitude.turn,
            nod=held.nod - self._attitude.nod,
            shortening=shortening,
            parallax=self._parallax(landmarks),
            bend=bend,
            squeeze=squeeze,
            sunk=self._sunk(),
        )

    def _small(self, image: Frame) -> Grey:
        import cv2

        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        size = (max(16, round(grey.shape[1] * self._scale)), max(16, round(grey.shape[0] * self._scale)))
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _track(self, grey: Grey) -> None:

        if grey.shape != self._grey.shape or len(self._now) < _FEWEST:
            self._now = self._first = np.zeros((0, 2), np.float32)
            self._grey = grey
            return
        there, found = _followed(self._grey, grey, self._now)
        back, again = _followed(grey, self._grey, there)
        kept = found & again & (np.hypot(*(back - self._now).T) < 0.03 * self._unit)
        self._first, self._now, self._grey = self._first[kept], there[kept], grey

    def _fitted(self) -> tuple[float | None, float | None]:
        """What the best homography leaves, and what it does to the middle of the face."""
        import cv2

        if len(self._now) < _FEWEST:
            return None, None
        first, now = self._first, self._now
        left, matrix = 1.0, np.eye(3)
        for _ in range(2):
            found: npt.NDArray[Any] | None = cv2.findHomography(first, now, 0)[0]
            if found is None:  # all on one line
                return None, None
            matrix = np.asarray(found, np.float64)
            missed = np.hypot(*(_mapped(matrix, first) - now).T)
            kept = missed <= np.quantile(missed, 1 - _SPREAD)
            left = float(np.sqrt(np.mean(missed[kept] ** 2)))
            first, now = first[kept], now[kept]
        return left / self._unit, _squeezed(matrix, self._straight.mean(axis=0) * self._scale)

    def _sunk(self) -> float | None:
        eyes, mouth = self._straight[:2].mean(axis=0), self._straight[3:].mean(axis=0)
        down = (mouth - eyes) / max(float(np.hypot(*(mouth - eyes))), 1e-6)
        away = np.hypot(*(self._first - self._straight.mean(axis=0) * self._scale).T) / self._unit
        moved = (self._now - self._first) @ down / self._unit
        middle, rim = moved[away < _MIDDLE], moved[away > _RIM]
        if min(len(middle), len(rim)) < _FEWEST_EACH:
            return None
        return float(np.median(middle) - np.median(rim))

    def _parallax(self, landmarks: Landmarks) -> float:
        import cv2

        outer = [0, 1, 3, 4]
        source, target = self._straight[outer].astype(np.float32), landmarks[outer].astype(np.float32)
        matrix = cv2.getPerspectiveTransform(source, target)
        expected = _mapped(np.asarray(matrix), self._straight[2:3].astype(np.float32))[0]
        eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
        unit = float(np.hypot(*(mouth - eyes)))  # keeps its length when a head turns
        return float(min(1.0, np.hypot(*(landmarks[2] - expected)) / max(unit, 1.0)))


def _squeezed(matrix: npt.NDArray[np.float64], at: npt.NDArray[np.float64]) -> float:
    """How much shorter than the longest the shortest direction becomes at a point, 0 to 1."""
    x, y, depth = matrix @ np.append(at, 1.0)
    slope = (matrix[:2, :2] - np.outer((x / depth, y / depth), matrix[2, :2])) / depth
    longest, shortest = np.linalg.svd(slope, compute_uv=False)
    return float(1 - shortest / max(longest, 1e-9))


def _followed(before: Grey, after: Grey, points: Points) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Where the points went, and which of them were found."""
    import cv2

    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.empty_like(points), winSize=(15, 15), maxLevel=3
    )
    return np.asarray(there, np.float32), np.asarray(found).ravel() == 1


def _mapped(matrix: npt.NDArray[np.float64], points: Points) -> npt.NDArray[np.float64]:
    whole = np.hstack([points, np.ones((len(points), 1))]) @ matrix.T
    return np.asarray(whole[:, :2] / whole[:, 2:])
