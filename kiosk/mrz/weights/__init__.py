"""The networks that read machine readable zones: our own, shipped with the package, known by their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

LOCATOR = "locator.onnx"
RECOGNISER = "recogniser.onnx"

# A file that was swapped is refused; README.md says how each was made and measured.
SHA_256: dict[str, str] = {
    RECOGNISER: "6a6d432f32efbbddb5d0a475d77065c3e795599874ee338f8480161e48cb98a5",
    LOCATOR: "7f3976e68096f5ce3c24bf375b859b3d644c4440f17ec6e92894326eade2a5ea",
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
