"""The pieces that the network looks at: how wide each is, that grain is not resampled, and what bad input gets."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.ports import Frame
from kiosk.faces.pad.crops import (
    AROUND,
    CLOSE,
    SIDE,
    Landmarks,
    close_up,
    eye_distance,
    grain,
    surroundings,
)


def face_at(x: float, y: float, eyes: float) -> Landmarks:
    """Five points whose mean is (x, y): the eyes stand `eyes` apart and as far above the mouth."""
    half = eyes / 2
    points = [(-half, -half), (half, -half), (0.0, 0.0), (-half, half), (half, half)]
    return np.array([(x + across, y + down) for across, down in points], np.float64)


def bar(left: int, right: int) -> Frame:
    """A black frame with one white upright bar."""
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, left:right] = 255
    return image


@pytest.mark.parametrize(("cut", "width"), [(surroundings, AROUND), (close_up, CLOSE)])
def test_a_piece_is_so_many_eye_distances_wide(cut: object, width: float) -> None:
    assert callable(cut)
    piece = cut(bar(300, 340), face_at(320, 240, 40.0))  # one eye distance wide, in the middle
    lit = (piece[SIDE // 2, :, 0] > 127).sum()
    assert lit == pytest.approx(SIDE / width, abs=1.5)
    assert piece[SIDE // 2, SIDE // 2, 0] == 255


@pytest.mark.parametrize("cut", [surroundings, close_up])
def test_a_turned_head_keeps_its_size(cut: object) -> None:
    assert callable(cut)
    straight, turned = face_at(320, 240, 60.0), face_at(320, 240, 60.0)
    turned[:, 0] = 320 + (turned[:, 0] - 320) * 0.5  # eyes nearer to each other, the mouth as far below
    image = bar(310, 330)
    assert eye_distance(turned) == pytest.approx(30)
    assert np.array_equal(cut(image, straight), cut(image, turned))


def test_grain_is_the_sensors_own_pixels() -> None:
    image = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    piece = grain(image, face_at(320, 240, 60.0))
    assert np.array_equal(piece, image[240 - SIDE // 2 : 240 + SIDE // 2, 320 - SIDE // 2 : 320 + SIDE // 2])


@pytest.mark.parametrize("size", [(1, 1), (480, 1), (7, 640), (40, 50)])
@pytest.mark.parametrize("eyes", [0.0, 3.0, 5_000.0])
def test_any_frame_and_any_points_give_pieces_of_one_size(size: tuple[int, int], eyes: float) -> None:
    image = np.full((*size, 3), 90, np.uint8)
    for cut in (surroundings, close_up, grain):
        for x in (-300.0, 20.0, 9_000.0):
            assert cut(image, face_at(x, 10.0, eyes)).shape == (SIDE, SIDE, 3)
