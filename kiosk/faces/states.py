"""What lies over a face, and whether its eyes are open and its mouth is closed: a small network of our own.

Trained by training/face_states.py on drawn coverings and lids over portraits; docs/faces.md is its model card.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardware.ports import Frame
from kiosk.faces.weights import WeightsError
from kiosk.inference import network

NETWORK = Path(__file__).with_name("states.onnx")
SHA_256 = "d5779baa33d32e08cb74aa1dce2dd7fcef8c304b582f2333fd89f9f809572f47"
SIDE = 64  # of the upright face that the network sees


@dataclass(frozen=True)
class State:
    """Probabilities as the network gives them; they are ordered well, and no more than that."""

    eyes_open: float
    mouth_closed: float
    uncovered: float


def verify_network() -> dict[str, str]:
    """The network's SHA-256 by its name. Raises WeightsError."""
    try:
        actual = hashlib.sha256(NETWORK.read_bytes()).hexdigest()
    except OSError:
        actual = ""
    if actual != SHA_256:
        raise WeightsError(f"{NETWORK} is missing or altered; install the package again")
    return {"face_states": actual}


class FaceStates:
    """Holds the network, on one thread. Not safe for several threads at once."""

    def __init__(self) -> None:
        """Raises WeightsError."""
        import cv2

        verify_network()
        self._cv2 = cv2
        self._network: Any = network(NETWORK.read_bytes())

    def judge(self, upright: Frame) -> State:
        """Of an upright face (kiosk/faces/quality.py), of any size."""
        small = self._cv2.resize(upright, (SIDE, SIDE), interpolation=self._cv2.INTER_AREA)
        logits = self._network.run(None, {"face": network_input(np.asarray(small, dtype=np.uint8))[None]})[0][0]
        lower, upper, closed, mouth = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).tolist()
        return State(eyes_open=1 - closed, mouth_closed=1 - mouth, uncovered=1 - max(lower, upper))


def network_input(small: Frame) -> Any:
    """(3, 64, 64) of a BGR picture, by its own mean and spread, so that neither light nor skin tone counts."""
    values = small.astype(np.float32)
    values = (values - values.mean()) / max(float(values.std()), 4.0)
    return np.ascontiguousarray(values.transpose(2, 0, 1))
