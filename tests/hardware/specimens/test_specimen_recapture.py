"""The physics of a recapture: perspective is exact, dots fold into moiré, a sensor has its own pattern."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from hardware.specimens.recapture import (
    Held,
    Light,
    Print,
    Screen,
    Sensor,
    capture,
    from_light,
    hold_print,
    hold_screen,
    sensor_pattern,
    surface,
    to_light,
)

FRAME = (320, 240)
GREY: Light = np.full((240, 320, 3), 0.2, np.float32)
QUIET = Sensor(blur=0.0, shot=0.0, read=0.0, pattern=0.0, sharpening=0.0, quality=98)


def test_a_flat_thing_is_seen_through_a_homography() -> None:
    held = Held(0.5, x=12.0, y=-8.0, yaw=0.6, pitch=-0.2, roll=0.1, near=0.3)
    columns, rows, _ = surface(held, (300, 400), FRAME)
    y, x = (axis.ravel().astype(np.float32) for axis in np.mgrid[20:220:25, 20:300:25])
    seen = np.stack([columns[y.astype(int), x.astype(int)], rows[y.astype(int), x.astype(int)]], axis=1)
    matrix, _ = cv2.findHomography(np.stack([x, y], axis=1), seen, 0)
    back = cv2.perspectiveTransform(np.stack([x, y], axis=1)[None], matrix)[0]
    assert float(np.abs(back - seen).max()) < 0.5


def test_straight_and_at_scale_one_the_thing_is_what_it_is() -> None:
    columns, rows, slope = surface(Held(1.0, near=0.01), (320, 240), FRAME)
    assert columns[120, 160] == pytest.approx(160.5, abs=0.6)
    assert rows[120, 160] == pytest.approx(120.5, abs=0.6)
    assert columns[120, 260] - columns[120, 160] == pytest.approx(100, abs=0.5)
    assert float(slope.min()) > 0.99


def test_a_curled_print_is_no_plane() -> None:
    flat, curled = (surface(Held(0.8, near=0.3), (300, 300), FRAME, curl)[0] for curl in (0.0, 1.0))
    assert float(np.abs(flat - curled)[120, 60:260].max()) > 5


def test_dots_that_are_finer_than_the_pixels_come_back_as_moire() -> None:
    """1.05 dots to a pixel beat with a period of twenty pixels."""
    content = np.full((240, 320, 3), 128, np.uint8)
    screen = Screen(pitch=1.05, dots=0.8, bezel=0.0, corner=0.0, glare=0.0, bands=0.0, quality=98)
    light = hold_screen(content, screen, Held(1.0, near=0.01), GREY, Sensor(blur=0.3, aperture=0.5), 0)
    row = light[120, 40:280, 1] - light[120, 40:280, 1].mean()
    spectrum = np.abs(np.fft.rfft(row * np.hanning(240)))
    assert abs(int(spectrum.argmax()) - 12) <= 1
    assert float(spectrum.max()) > 5 * float(np.median(spectrum))


def test_paper_has_less_contrast_than_what_is_printed() -> None:
    content = np.zeros((200, 200, 3), np.uint8)
    content[:, 100:] = 255
    light = hold_print(content, Print(margin=0.0, grain=0.0, shadow=0.0), Held(0.8, near=0.05), GREY)
    assert float(light[120, 130].mean()) > 0.03
    assert float(light[120, 190].mean()) < 0.9


def test_light_goes_to_a_picture_and_back() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.abs(from_light(to_light(ramp)).astype(int) - ramp.astype(int)).max() <= 1


def test_a_sensor_keeps_its_pattern_and_another_has_another() -> None:
    light = np.full((240, 320, 3), 0.4, np.float32)
    random = np.random.default_rng(2)

    def residue(serial: int) -> Light:
        sensor = Sensor(blur=0.0, shot=0.002, read=0.001, pattern=0.02, serial=serial, sharpening=0.0, quality=98)
        seen = capture(light, sensor, random).astype(np.float32).mean(axis=2)
        return np.asarray(seen - seen.mean(), np.float32)

    def alike(one: Light, other: Light) -> float:
        return float((one * other).sum() / math.sqrt(float((one**2).sum()) * float((other**2).sum())))

    assert alike(residue(1), residue(1)) > 0.5
    assert abs(alike(residue(1), residue(2))) < 0.05
    assert sensor_pattern(1, 320, 240) is sensor_pattern(1, 320, 240)
