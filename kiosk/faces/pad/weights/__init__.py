"""The network that tells a recapture and the weights that fuse it with the cues: our own, known by their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

NETWORK = "recapture.onnx"
FUSION = "fusion.json"

# A file that was swapped is refused; README.md says how each was made and measured.
SHA_256: dict[str, str] = {
    NETWORK: "25e0b40bc5f6b6c06d9e6a5c4c0b027152eb67937fa6d0b36cd8b84c88b19c11",
    FUSION: "585f9f8c4d5326d3cd33a6ed68f83f126b7589edb8513a6049624c561afd64db",
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
