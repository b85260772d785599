"""Finding faces: whichever way up a picture lies, with landmarks that stay in place however the head is held."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.ports import Frame
from kiosk.faces.detect import Face, FaceDetector
from kiosk.faces.picture import read_picture

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
PORTRAITS = Path(__file__).parents[2] / "hardware" / "specimens" / "portraits"
PEOPLE = sorted(path.stem for path in PORTRAITS.glob("*-smile.jpg"))[::3]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(MODELS)


def picture(name: str, width: int = 250) -> Frame:
    image = read_picture(PORTRAITS / f"{name}.jpg")
    assert image is not None
    size = (width, round(image.shape[0] * width / image.shape[1]))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_lying_picture_is_turned_upright(detector: FaceDetector, quarters: int) -> None:
    """A camera that writes no EXIF: the network takes a lying face for a standing one and sees it wrongly."""
    for name in PEOPLE:
        image = picture(name)
        upright, faces = detector.find_patiently(np.ascontiguousarray(np.rot90(image, quarters)))
        assert faces, name
        assert np.array_equal(upright, image), name


def test_an_upright_picture_stays_as_it_is(detector: FaceDetector) -> None:
    for name in PEOPLE:
        image = picture(name)
        assert np.array_equal(detector.find_patiently(image)[0], image), name


def moved(image: Frame, degrees: float, scale: float) -> tuple[Frame, np.ndarray]:
    """The picture turned and reduced about its middle, and the matrix that leads there."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.uint8), matrix


def test_closer_looks_place_the_landmarks_better(detector: FaceDetector) -> None:
    """Of one face held in several ways, brought back: the landmarks agree with each other."""
    spread: dict[str, list[float]] = {"first": [], "closer": []}
    for name in PEOPLE:
        image = picture(name)
        found: dict[str, list[np.ndarray]] = {"first": [], "closer": []}
        for degrees, scale in ((0, 1.0), (12, 0.9), (-14, 0.75), (20, 0.6)):
            turned, matrix = moved(image, degrees, scale)
            back = cv2.invertAffineTransform(matrix)
            face = detector.find(turned)[0]
            for kind, one in (("first", face), ("closer", detector.refined(turned, face))):
                found[kind].append(one.landmarks @ back[:, :2].T + back[:, 2])
        for kind, places in found.items():
            spread[kind].append(float(np.std(places, axis=0).mean()))
    assert np.mean(spread["closer"]) < 0.75 * np.mean(spread["first"])


def test_where_a_closer_look_finds_nobody_the_face_stays_as_it_was(detector: FaceDetector) -> None:
    drawn = Face(
        (80.0, 80.0, 60.0, 80.0), np.array([[95.0, 110], [125, 110], [110, 128], [98, 145], [122, 145]]), 0.9
    )
    assert detector.refined(np.full((240, 240, 3), 120, dtype=np.uint8), drawn) is drawn


def test_a_closer_look_does_not_leap_to_the_neighbour(detector: FaceDetector) -> None:
    both = np.hstack([picture("anna-smile"), picture("greta-smile")])
    for face in detector.find(both):
        assert float(np.abs(detector.refined(both, face).landmarks - face.landmarks).max()) < 0.2 * face.width
