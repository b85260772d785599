"""The networks' output on a picture made of arithmetic: a swapped or damaged network is refused at start-up.

The hash of a file says that it is the file we know; this says that what was loaded out of it computes what it did
when it was calibrated, through whatever library is installed today.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.ports import Frame
from kiosk.faces.detect import Face, FaceDetector
from kiosk.faces.embed import Embedder, Vector, unit
from kiosk.faces.weights import WeightsError

_TOLERANCE = 0.01  # of each number; processors and library versions differ by less than 0.0001
_PIXELS = 6.0

# Where the built-in face is, as YuNet sees it.
FACE = Face(
    (27.0, 16.0, 105.0, 133.0),
    np.array([[55.0, 69.0], [104.0, 67.0], [81.0, 95.0], [60.0, 115.0], [102.0, 113.0]]),
    1.0,
)
# The first twelve numbers of each vector of length 1, as they were when the fusion was fitted.
SFACE = (0.0346, -0.0876, 0.0112, 0.0546, 0.0077, 0.1533, 0.0203, 0.0847, -0.0852, -0.0195, 0.0610, -0.0248)
RESNET = (-0.0595, 0.0988, 0.0537, -0.0414, -0.1071, 0.0297, -0.0345, -0.0955, 0.1018, -0.1232, 0.1516, -0.0180)


def built_in_image() -> Frame:
    """A drawn face, 160 × 160: two dark eyes, a nose and a mouth on a lit oval. Made of arithmetic only."""
    y, x = np.mgrid[0:160, 0:160].astype(np.float64)

    def blob(centre_x: float, centre_y: float, wide: float, high: float) -> Any:
        return np.exp(-(((x - centre_x) / wide) ** 2 + ((y - centre_y) / high) ** 2))

    head = 1 / (1 + np.exp(12 * (((x - 80) / 52) ** 2 + ((y - 84) / 68) ** 2 - 1)))
    light = 60 + 120 * head + 20 * head * np.cos((x - 60) / 50)
    light -= 110 * (blob(60, 68, 9, 5) + blob(100, 68, 9, 5)) + 40 * (blob(60, 56, 14, 3) + blob(100, 56, 14, 3))
    light -= 35 * (blob(74, 96, 4, 3) + blob(86, 96, 4, 3)) + 70 * blob(80, 117, 16, 4)
    light += 18 * blob(80, 86, 5, 20)
    colours = np.stack([light * 0.72, light * 0.82, light], axis=-1)
    return np.asarray(np.clip(np.rint(colours), 0, 255), dtype=np.uint8)


def verify_outputs(detector: FaceDetector, embedder: Embedder) -> None:
    """Raises WeightsError for a network that does not compute what it should."""
    image = built_in_image()
    found = detector.find(image)
    if len(found) != 1 or float(np.abs(found[0].landmarks - FACE.landmarks).max()) > _PIXELS:
        raise _other("the face detector")
    if not _near(embedder.sface(image, FACE), SFACE):
        raise _other("SFace")
    if not _near(embedder.resnet([embedder.chip(image, FACE)]), RESNET):
        raise _other("dlib's face network")


def _near(vector: Vector, expected: tuple[float, ...]) -> bool:
    return float(np.abs(unit(vector)[: len(expected)] - np.asarray(expected)).max()) < _TOLERANCE


def _other(what: str) -> WeightsError:
    return WeightsError(f"{what} computes something else than it was calibrated with; run `make setup`")
