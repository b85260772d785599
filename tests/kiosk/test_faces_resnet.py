"""dlib's network as ONNX: the same numbers as the library's, and nothing but that file is read."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from kiosk.faces import pinned
from kiosk.faces.detect import FaceDetector
from kiosk.faces.embed import Embedder
from kiosk.faces.resnet import EMBEDDING, SIDE, FormatError, read_network
from kiosk.faces.weights import RESNET, WeightsError, packaged

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(MODELS)


def test_the_same_numbers_as_the_library(embedder: Embedder) -> None:
    """face_recognition's own embedding of the same chips, noise and a drawn face."""
    import dlib

    library = dlib.face_recognition_model_v1(str(packaged(RESNET)))
    noise = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    chips = [embedder.chip(pinned.built_in_image(), pinned.FACE), noise]
    ours = embedder.resnet(chips)
    assert ours.shape == (2, EMBEDDING)
    for own, chip in zip(ours, chips, strict=True):
        theirs = np.array(library.compute_face_descriptor(np.ascontiguousarray(chip[:, :, ::-1])))
        assert np.abs(own - theirs).max() < 1e-4


@pytest.mark.parametrize("change", ["empty", "cut", "other", "dimension"])
def test_other_bytes_are_refused(change: str) -> None:
    data = packaged(RESNET).read_bytes()
    changed = {
        "empty": b"",
        "cut": data[: len(data) // 2],
        "other": data.replace(b"affine_", b"batch__"),
        "dimension": data.replace(b"con_4\x01\x02\x02\x80\x12", b"con_4\x01\x02\x02\x80\x13", 1),
    }[change]
    assert changed != data
    with pytest.raises(FormatError):
        read_network(changed)


def test_a_network_that_computes_something_else_is_refused(embedder: Embedder) -> None:
    """The hash says it is the right file; this, that what was loaded out of it computes the right thing."""
    detector = FaceDetector(MODELS)
    pinned.verify_outputs(detector, embedder)

    class Drifted(Embedder):
        def __init__(self, which: str) -> None:
            self.__dict__.update(embedder.__dict__)
            self._which = which

        def sface(self, *arguments: object, **options: object) -> np.ndarray:
            vector = super().sface(*arguments, **options)  # type: ignore[arg-type]
            return vector[::-1] if self._which == "sface" else vector

        def resnet(self, chips: object) -> np.ndarray:
            vectors = super().resnet(chips)  # type: ignore[arg-type]
            return vectors[:, ::-1] if self._which == "resnet" else vectors

    for which in ("sface", "resnet"):
        with pytest.raises(WeightsError, match="make setup"):
            pinned.verify_outputs(detector, Drifted(which))
