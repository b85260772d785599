"""What a film of a face shows, gathered frame by frame, and one number out of it: a face, or a picture of one?

The number is the probability of an attack by a logistic fusion of the network's opinion and the geometry of the
movement, and perhaps of the cues that a person can check. Its weights are fitted on simulated attacks
(training/pad_fusion.py) and lie beside this file. Where a film shows no movement, the geometry says nothing.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.faces.pad.crops import Landmarks, cut_pieces
from kiosk.faces.pad.cues import CUES, frame_cues
from kiosk.faces.pad.motion import HeadTracker, Movement
from kiosk.faces.pad.network import RecaptureNetwork
from kiosk.faces.pad.weights import FUSION, verified

LOOKS = 8  # frames that the network and the cues look at

# Movement enough to tell a plane from a head.
TURNED, NODDED, SQUEEZED = 0.09, 0.05, 0.07


@dataclass(frozen=True)
class Fusion:
    """A logistic model over named values. `threshold` is a probability."""

    names: tuple[str, ...]
    weights: npt.NDArray[np.float64]
    bias: float
    threshold: float

    def score(self, values: dict[str, float]) -> float:
        """The probability of an attack."""
        at = float(np.dot(self.weights, [values[name] for name in self.names])) + self.bias
        return 1 / (1 + math.exp(-min(max(at, -60.0), 60.0)))


@lru_cache(1)
def load_fusion() -> Fusion:
    """The fitted weights. Raises WeightsError."""
    read = json.loads(verified(FUSION))
    return Fusion(
        tuple(read["weights"]),
        np.array(list(read["weights"].values()), np.float64),
        float(read["bias"]),
        float(read["threshold"]),
    )


class Evidence:
    """Gathers what the frames of one face show. Keeps numbers and the tracker's small frame, no pictures."""

    def __init__(self, network: RecaptureNetwork, *, cues: bool = False) -> None:
        """`cues`: take the cues too, which the shipped fusion gives no weight (weights/README.md)."""
        self._network = network
        self._wants_cues = cues
        self._opinions: list[float] = []
        self._cues: list[npt.NDArray[np.float64]] = []
        self._movements: list[Movement] = []
        self._tracker: HeadTracker | None = None

    @property
    def looks(self) -> int:
        return len(self._opinions)

    def look(self, image: Frame, landmarks: Landmarks) -> None:
        """Judge one frame by itself."""
        pieces = cut_pieces(image, landmarks)
        self._opinions.append(self._network.look(pieces))
        if self._wants_cues:
            self._cues.append(frame_cues(pieces.around, pieces.grain))

    def start(self, image: Frame, landmarks: Landmarks) -> None:
        """Take this as the straight look from which movement is measured."""
        self._tracker = HeadTracker(image, landmarks)

    @property
    def lost(self) -> bool:
        """Whether the movement can no longer be measured from the straight look that was taken."""
        return self._tracker is None or self._tracker.lost

    @property
    def thinned(self) -> bool:
        """Whether so many points were lost that a new straight look, when there is one, measures it better."""
        return self._tracker is None or self._tracker.thinned

    def follow(self, image: Frame, landmarks: Landmarks) -> Movement:
        """Measure the movement up to this frame. `start` comes first."""
        assert self._tracker is not None
        movement = self._tracker.follow(image, landmarks)
        self._movements.append(movement)
        return movement

    def values(self) -> dict[str, float]:
        """What was gathered, by name; `look` must have been called at least once."""
        opinions = np.array(self._opinions)
        values = {
            "network": float(np.clip(opinions, -8, 8).mean()),
            "network_high": float(np.quantile(np.clip(opinions, -8, 8), 0.9)),
        }
        if self._cues:
            values |= dict(zip(CUES, np.mean(self._cues, axis=0).tolist(), strict=True))
        return values | _geometry(self._movements)


def _geometry(movements: list[Movement]) -> dict[str, float]:
    """How much moved, and how much of it no plane explains; zeros where too little moved."""
    nothing = {"moved": 0.0, "flat": 0.0, "stiff": 0.0}
    if not movements:
        return nothing
    turn = _high([abs(each.turn) for each in movements])
    nod = _high([abs(each.nod) for each in movements])
    squeezes = [each.squeeze for each in movements if each.squeeze is not None]
    squeeze = _high(squeezes) if squeezes else 0.0
    amount = max(turn / TURNED, nod / NODDED, squeeze / SQUEEZED)
    if amount < 1:
        return nothing
    parallax = _high([each.parallax for each in movements])
    bends = [each.bend for each in movements if each.bend is not None]
    flat = -math.log(max(parallax, 0.005) / 0.08)
    stiff = -math.log(max(_high(bends), 0.002) / 0.02) if bends else 0.0
    return {"moved": 1.0, "flat": flat, "stiff": stiff}


def _high(values: list[float]) -> float:
    return float(np.quantile(values, 0.85))
