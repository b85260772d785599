"""The network that tells a recapture by how it looks: our own, trained on simulated recapture (docs/pad.md)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.faces.pad.crops import SIDE, Pieces
from kiosk.faces.pad.weights import NETWORK, verified
from kiosk.inference import network


class RecaptureNetwork:
    """Holds the loaded network. Not safe for several threads at once."""

    def __init__(self) -> None:
        """Raises WeightsError."""
        self._session = network(verified(NETWORK))

    def look(self, pieces: Pieces) -> float:
        """The log-odds that a frame shows a recapture, from the pieces that were cut out of it.

        The mean of what the network says of them as they are and mirrored: what it is sure of, it says of both.
        """
        return (self._odds(pieces, 1) + self._odds(pieces, -1)) / 2

    def _odds(self, pieces: Pieces, step: int) -> float:
        inputs = {
            "around": _planes(pieces.around[:, ::step]),
            "close": _planes(pieces.close[:, ::step]),
            "grain": _planes(pieces.grain[:, ::step]),
        }
        return float(np.ravel(self._session.run(None, inputs)[0])[0])


def _planes(piece: Frame) -> npt.NDArray[np.float32]:
    assert piece.shape == (SIDE, SIDE, 3)
    return np.ascontiguousarray(piece.transpose(2, 0, 1)[None], dtype=np.float32)
