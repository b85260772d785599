"""The network that tells a recapture and the weights that fuse it with the cues: our own, known by their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

NETWORK = "recapture.onnx"
FUSION = "fusion.json"

# A file that was swapped is refused; README.md says how each was made and measured.
SHA_256: dict[str, str] = {
    NETWORK: "530904a27143eb7ebd2e1490a1b5e053bdb40e089e73257ce406afea66fc2ac3",
    FUSION: "ac268558fccdba38f8754e6baf86bb1eaede64cfaa2f365470d6d7547b775a73",
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
