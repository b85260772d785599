"""The committed portraits keep the bounds, measured again with the weights that the kiosk uses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from hardware.specimens.build import PORTRAITS, head_of
from hardware.specimens.feed import draw_feed

MODELS = Path(sys.prefix) / "share/corridor/models"
DETECTOR, RECOGNISER = MODELS / "face_detection_yunet_2023mar.onnx", MODELS / "face_recognition_sface_2021dec.onnx"
NAMES = sorted(path.name.removesuffix("-smile.jpg") for path in PORTRAITS.glob("*-smile.jpg"))

pytestmark = pytest.mark.slow

Image = npt.NDArray[np.uint8]


class Measure:
    def __init__(self) -> None:
        import cv2

        self.cv2 = cv2
        self.detector = cv2.FaceDetectorYN.create(str(DETECTOR), "", (320, 320), 0.7)
        self.recogniser = cv2.FaceRecognizerSF.create(str(RECOGNISER), "")

    def decode(self, data: bytes) -> Image:
        return np.asarray(self.cv2.imdecode(np.frombuffer(data, np.uint8), self.cv2.IMREAD_COLOR), dtype=np.uint8)

    def face(self, image: Image) -> npt.NDArray[np.float32]:
        self.detector.setInputSize((image.shape[1], image.shape[0]))
        faces = self.detector.detect(image)[1]
        assert faces is not None
        assert len(faces) == 1
        return np.asarray(faces[0], dtype=np.float32)

    def embedding(self, image: Image) -> npt.NDArray[np.float32]:
        vector = self.recogniser.feature(self.recogniser.alignCrop(image, self.face(image))).ravel()
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.fixture(scope="module")
def measure() -> Measure:
    return Measure()


@pytest.fixture(scope="module")
def embeddings(measure: Measure) -> npt.NDArray[np.float32]:
    """Names × (neutral, smile) × 128."""
    return np.array(
        [
            [
                measure.embedding(measure.decode((PORTRAITS / f"{name}-{kind}.jpg").read_bytes()))
                for kind in ("neutral", "smile")
            ]
            for name in NAMES
        ]
    )


def test_no_two_people_look_alike(embeddings: npt.NDArray[np.float32]) -> None:
    cross = np.einsum("ikd,jld->ijkl", embeddings, embeddings).max(axis=(2, 3))
    assert cross[np.triu_indices(len(NAMES), 1)].max() < 0.36


def test_the_two_pictures_of_one_person_do(embeddings: npt.NDArray[np.float32]) -> None:
    assert (embeddings[:, 0] * embeddings[:, 1]).sum(axis=1).min() > 0.6


def test_the_table_says_what_is_measured(embeddings: npt.NDArray[np.float32]) -> None:
    table = json.loads((PORTRAITS / "similarities.json").read_text(encoding="utf-8"))
    own = (embeddings[:, 0] * embeddings[:, 1]).sum(axis=1)
    assert [table["own"][name] for name in NAMES] == pytest.approx(own.tolist(), abs=0.01)
    assert all(len(contributors) >= 3 for contributors in table["contributors"].values())
    everybody = [number for contributors in table["contributors"].values() for number in contributors]
    assert len(everybody) == len(set(everybody))


def frames(measure: Measure, name: str, feed: str) -> list[Image]:
    smile = (PORTRAITS / f"{name}-smile.jpg").read_bytes()
    data = draw_feed(smile, head_of(name), feed, seed=0)  # type: ignore[arg-type]
    return [measure.decode(b"\xff\xd8" + part) for part in data.split(b"\xff\xd8")[1:]]


def turn(face: npt.NDArray[np.float32]) -> float:
    """Where the nose stands between the eyes, in eye distances; positive towards the right of the image."""
    first, second, nose = face[4:6], face[6:8], face[8:10]
    across = second - first
    return float((nose - (first + second) / 2) @ across / (across @ across))


@pytest.mark.parametrize("name", NAMES)
def test_the_camera_sees_the_holder(name: str, measure: Measure, embeddings: npt.NDArray[np.float32]) -> None:
    live = measure.embedding(frames(measure, name, "neutral")[9])
    scores = embeddings[:, 0] @ live
    place = NAMES.index(name)
    assert scores[place] > 0.6
    assert np.delete(scores, place).max() < 0.36


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_has_parallax_to_its_own_side(name: str, measure: Measure) -> None:
    for feed, sign in (("turn_left", 1.0), ("turn_right", -1.0)):
        turns = [sign * turn(measure.face(image)) for image in frames(measure, name, feed)[:13]]
        assert max(turns) - turns[0] > 0.18
        assert min(turns) - turns[0] > -0.08
