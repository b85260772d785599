"""Simulated clips: training and test draw from different devices, and every kind of clip shows a face."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.specimens.build import PORTRAITS, head_of
from kiosk.faces.detect import FaceDetector
from training.pad_recapture import (
    ATTACKS,
    MODELS,
    Person,
    Ranges,
    clip,
    cut_out_person,
    draw_camera,
    move_share,
    pair,
    part_of,
)


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


def test_no_camera_of_the_test_is_ever_trained_with() -> None:
    fitted, tested = (
        {draw_camera(Ranges(np.random.default_rng(seed), held)).sensor.serial for seed in range(60)}
        for held in (False, True)
    )
    assert fitted.isdisjoint(tested)


def test_everybody_is_in_one_part_and_most_are_trained_on() -> None:
    names = [f"p{number:04d}" for number in range(600)]
    parts = [part_of(name) for name in names]
    assert parts == [part_of(name) for name in names]
    assert 0.45 < parts.count("train") / 600 < 0.65
    assert 0.1 < parts.count("calibrate") / 600 < 0.25
    assert 0.2 < parts.count("test") / 600 < 0.35


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


def test_a_pair_is_one_scene_seen_by_two_cameras(people: list[Person]) -> None:
    detector = FaceDetector(MODELS)
    one, other = pair("live", Ranges(np.random.default_rng(3), held_back=False), people)
    assert one.shape == (480, 640, 3)
    assert other.shape[0] < 480
    assert other.shape[1] / other.shape[0] == pytest.approx(640 / 480, abs=0.01)
    first, second = (detector.find(frame)[0].landmarks.mean(axis=0) for frame in (one, other))
    assert second * one.shape[1] / other.shape[1] == pytest.approx(first, abs=12)
