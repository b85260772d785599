"""The network that tells a recapture and the weights that fuse it with the cues: our own, known by their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

NETWORK = "recapture.onnx"
FUSION = "fusion.json"

# A file that was swapped is refused; README.md says how each was made and measured.
SHA_256: dict[str, str] = {
    NETWORK: "44b17462eeb703793d64d8de58a3f009eef4fb49e7398d5fec1db532aac83d0a",
    FUSION: "4e6e4095cea0a07b06ac686ce8df3b3833dbabbd657bc5697a45c13fbe687f3f",
}


class WeightsError(RuntimeError):
    """A file of weights is missing or is not the one we know. The text names the file and what to do."""


def verified(name: str) -> bytes:
    """The bytes of a file of weights. Raises WeightsError."""
    try:
        data = (Path(__file__).parent / name).read_bytes()
    except OSError as error:
        raise WeightsError(f"{name} is missing beside {Path(__file__).name}: install Corridor again") from error
    if hashlib.sha256(data).hexdigest() != SHA_256.get(name):
        raise WeightsError(f"{name} is not what this version was tested with: install Corridor again")
    return data
