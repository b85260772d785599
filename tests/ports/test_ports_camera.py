"""One suite for every camera driver that can be had without a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.camera.opencv import OpenCvCamera, open_camera
from hardware.ports import DeviceError
from hardware.simulators.bench import BenchServer


def _http(directory: Path, request: pytest.FixtureRequest) -> str:
    server: BenchServer = request.getfixturevalue("bench_server")
    return server.addresses["face_camera"]


def _image(directory: Path, request: pytest.FixtureRequest) -> str:
    cv2.imwrite(str(directory / "still.png"), np.full((120, 160, 3), 90, np.uint8))
    return f"file:{directory}/still.png"


def _mjpeg(directory: Path, request: pytest.FixtureRequest) -> str:
    frames = [cv2.imencode(".jpg", np.full((120, 160, 3), 40 * n, np.uint8))[1].tobytes() for n in range(1, 5)]
    (directory / "film.mjpeg").write_bytes(b"".join(frames))
    return f"file:{directory}/film.mjpeg?fps=50"


def _film(directory: Path, request: pytest.FixtureRequest) -> str:
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(directory / "film.avi"), fourcc, 25, (160, 120))
    for n in range(1, 5):
        writer.write(np.full((120, 160, 3), 40 * n, np.uint8))
    writer.release()
    return f"file:{directory}/film.avi"


@pytest.fixture(params=[_http, _image, _mjpeg, _film])
def camera(request: pytest.FixtureRequest, tmp_path: Path, bench_server: BenchServer) -> Iterator[OpenCvCamera]:
    url: Callable[[Path, pytest.FixtureRequest], str] = request.param
    camera = open_camera(url(tmp_path, request))
    yield camera
    camera.close()


def test_frames_are_colour_pictures_in_opencv_order(camera: OpenCvCamera) -> None:
    frame = camera.latest(5)
    assert frame.image.dtype == np.uint8
    assert frame.image.ndim == 3
    assert frame.image.shape[2] == 3


def test_each_frame_is_newer_than_the_one_before(camera: OpenCvCamera) -> None:
    first = camera.latest(5)
    second = camera.latest(5, after=first.sequence)
    third = camera.latest(5, after=second.sequence)
    assert first.sequence < second.sequence < third.sequence
    assert first.at <= second.at <= third.at


def test_a_frame_that_does_not_come_is_an_error_with_a_code(camera: OpenCvCamera) -> None:
    camera.latest(5)
    with pytest.raises(DeviceError) as told:
        camera.latest(0.05, after=1_000_000)
    assert told.value.code is ErrorCode.CAMERA_NO_FRAME
    assert told.value.what
    assert told.value.action


def test_a_camera_with_frames_is_well_and_a_closed_one_is_not(camera: OpenCvCamera) -> None:
    camera.latest(5)
    assert camera.health().state is DeviceState.WORKING
    camera.close()
    camera.close()
    assert camera.health().state is DeviceState.STOPPED
    with pytest.raises(DeviceError):
        camera.latest(0.05)


def test_none_of_them_passes_for_a_real_camera(camera: OpenCvCamera) -> None:
    assert camera.simulated
