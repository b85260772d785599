"""The networks that read machine readable zones: our own, shipped with the package, known by their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

LOCATOR = "locator.onnx"
RECOGNISER = "recogniser.onnx"
LARGER = "recogniser_larger.onnx"  # asked where the other is in doubt

# A file that was swapped is refused; README.md says how each was made and measured.
SHA_256: dict[str, str] = {
    RECOGNISER: "9ebe4893780a3a9b6dcc3bf7276eb1a98564bc83e54c1eb56bb2abd36b4e4b74",
    LARGER: "5a7a37ad7a5330ff9ee483c49d185c0acfe3d640a1d08e906e0e1c9ee3000f06",
    LOCATOR: "6d725f79e01813c726e04a50b524d43d17e95b8246dcc885cc85de7e0e4046ca",
}


class WeightsError(RuntimeError):
    """A network's file is missing or is not the one we know. The text names the file and what to do."""


def verified(name: str) -> Path:
    """The file of a network. Raises WeightsError."""
    path = Path(__file__).parent / name
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(f"{name} is missing beside {Path(__file__).name}: install Corridor again") from error
    if digest != SHA_256.get(name):
        raise WeightsError(f"{name} is not the network that this version was tested with: install Corridor again")
    return path
