"""Simulated clips: training and test draw from different devices, and every kind of clip shows a face."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.specimens.build import PORTRAITS, head_of
from kiosk.faces.detect import FaceDetector
from training.pad_recapture import ATTACKS, MODELS, Person, Ranges, clip, cut_out_person, move_share


def drawn(held_back: bool, log: bool = False) -> list[float]:
    ranges = Ranges(np.random.default_rng(4), held_back)
    return [ranges.draw(2.0, 10.0, log=log) for _ in range(2000)]


@pytest.mark.parametrize("log", [False, True])
def test_no_device_of_the_test_is_ever_trained_on(log: bool) -> None:
    def tenth(value: float) -> int:
        share = np.log(value / 2) / np.log(5) if log else (value - 2) / 8
        return min(9, int(share * 10 + 1e-9))

    fitted, tested = ({tenth(value) for value in drawn(held, log)} for held in (False, True))
    assert fitted.isdisjoint(tested)
    assert fitted | tested == set(range(10))


def test_two_moves_follow_each_other_and_end_straight() -> None:
    shares = np.array([[move_share(moment, index, 2, 24) for moment in range(24)] for index in range(2)])
    assert shares.max(axis=1).min() > 0.95
    assert (np.minimum(*shares) == 0).all()
    assert shares[:, -1].max() < 0.05


@pytest.fixture(scope="module")
def people() -> list[Person]:
    import cv2

    image = np.asarray(cv2.imread(str(PORTRAITS / "anna-smile.jpg")), np.uint8)
    return [Person("anna", image, head_of("anna"), cut_out_person(image, head_of("anna")))]


@pytest.mark.parametrize("kind", ["live", *ATTACKS])
def test_every_kind_shows_a_face_and_is_reproducible(people: list[Person], kind: str) -> None:
    detector = FaceDetector(MODELS)
    frames = list(clip(kind, Ranges(np.random.default_rng(11), held_back=False), people, 3))
    again = list(clip(kind, Ranges(np.random.default_rng(11), held_back=False), people, 3))
    assert all(np.array_equal(one, other) for one, other in zip(frames, again, strict=True))
    assert all(frame.shape == (480, 640, 3) for frame in frames)
    assert any(detector.find(frame) for frame in frames)
