"""Bag tags at every angle: the right number or none, never another."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
from bag_tags import PLATE, tag_image

from hardware.tags.camera_scanner import find_plate, ten_digits

ANGLES = (0, 90, 180, 270, 30, -30, 45, -45, 20, 67, 160)


@pytest.mark.parametrize("angle", ANGLES)
def test_the_number_is_read_at_every_angle(angle: int) -> None:
    numbers = random.Random(angle)
    for _ in range(5):
        plate = f"{numbers.randrange(10**10):010d}"
        found = find_plate(tag_image(plate, angle, module=2))
        assert found is not None
        assert found[0] == plate


def test_the_angle_that_is_told_reads_the_next_frame_at_once() -> None:
    found = find_plate(tag_image(PLATE, 40))
    assert found is not None
    assert find_plate(tag_image(PLATE, 40), first=found[1]) == found


def test_two_tags_in_view_are_nobodys() -> None:
    above, below = tag_image(PLATE), tag_image("0999999999")
    assert find_plate(np.vstack([above, below])) is None


@pytest.mark.parametrize("scene", ["belt", "noise", "text"])
def test_no_tag_no_number(scene: str) -> None:
    image = np.full((480, 640, 3), 60, np.uint8)
    if scene == "noise":
        image = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    if scene == "text":
        cv2.putText(image, "0125123456", (40, 240), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 5)
    assert find_plate(image) is None


def test_only_ten_latin_digits_pass() -> None:
    assert list(ten_digits(["0125123456", "012512345", "01251234567", "٠١٢٥١٢٣٤٥٦", "01251²3456", ""])) == [PLATE]
