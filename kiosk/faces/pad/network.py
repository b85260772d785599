"""The network that tells a recapture by how it looks: our own, trained on simulated recapture (docs/pad.md)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.faces.pad.crops import SIDE
from kiosk.faces.pad.weights import NETWORK, verified


class RecaptureNetwork:
    """Holds the loaded network. Not safe for several threads at once."""

    def __init__(self) -> None:
        """Raises WeightsError."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(verified(NETWORK), options, providers=providers)

    def look(self, around: Frame, grain: Frame) -> float:
        """The log-odds that a frame shows a recapture, from its two crops (`SIDE` × `SIDE`, BGR)."""
        answer = self._session.run(None, {"around": _planes(around), "grain": _planes(grain)})
        return float(np.ravel(answer[0])[0])


def _planes(crop: Frame) -> npt.NDArray[np.float32]:
    assert crop.shape == (SIDE, SIDE, 3)
    return np.ascontiguousarray(crop.transpose(2, 0, 1)[None], dtype=np.float32)
