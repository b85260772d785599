"""What bad cameras and wrong files get: an error with a code, a health that says why, and recovery."""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.camera import opencv
from hardware.camera.opencv import OpenCvCamera, open_camera
from hardware.camera.sources import bounded, is_loopback, open_source
from hardware.ports import DeviceError
from hardware.simulators.bench import Bench, BenchServer
from hardware.simulators.camera import CameraFault


@pytest.fixture
def bench_server() -> Iterator[BenchServer]:
    server = BenchServer(Bench(card=None), token="a token for this test")
    yield server
    server.close()


@pytest.fixture
def camera(bench_server: BenchServer) -> Iterator[OpenCvCamera]:
    camera = open_camera(bench_server.addresses["document_camera"])
    camera.latest(5)
    yield camera
    camera.close()


def _until_it_fails(camera: OpenCvCamera) -> DeviceError:
    patience = time.monotonic() + 15
    while time.monotonic() < patience:
        try:
            sequence = camera.latest(0.4).sequence
            camera.latest(0.4, after=sequence)
        except DeviceError as error:
            return error
    pytest.fail("the camera kept delivering")


def _told(camera: OpenCvCamera, state: DeviceState) -> str:
    """The sentence of the camera's health, once it is in this state."""
    patience = time.monotonic() + 15
    while time.monotonic() < patience:
        with contextlib.suppress(DeviceError):
            camera.latest(0.4)
        if camera.health().state is state:
            return camera.health().detail
    pytest.fail(f"the camera never was {state}")


@pytest.mark.parametrize("fault", ["frozen", "no_frames", "garbage"])
def test_a_broken_camera_has_no_frame_and_recovers(
    bench_server: BenchServer, camera: OpenCvCamera, monkeypatch: pytest.MonkeyPatch, fault: CameraFault
) -> None:
    monkeypatch.setattr(opencv, "FROZEN_SECONDS", 0.5)
    monkeypatch.setattr(opencv, "FRESH_SECONDS", 0.5)
    monkeypatch.setattr("hardware.camera.sources.SILENCE_SECONDS", 0.5)
    simulated = bench_server._bench.cameras["document"]
    simulated.fault = fault
    error = _until_it_fails(camera)
    assert error.code is ErrorCode.CAMERA_NO_FRAME
    assert error.what
    if fault == "frozen":
        # On a busy machine the first failure may be a late frame; the freeze is told a little later.
        assert "frozen" in _told(camera, DeviceState.STOPPED)
    simulated.fault = None
    assert camera.latest(15).image.any()
    _told(camera, DeviceState.WORKING)


def test_a_covered_lens_is_dark_and_not_broken(bench_server: BenchServer, camera: OpenCvCamera) -> None:
    bench_server._bench.cameras["document"].fault = "black"
    patience = time.monotonic() + 10
    sequence = -1
    while time.monotonic() < patience:
        frame = camera.latest(5, after=sequence)
        sequence = frame.sequence
        if frame.image.mean() < 3:
            break
    else:
        pytest.fail("never dark")
    assert camera.health().state is DeviceState.WORKING


def test_a_camera_that_goes_away_is_opened_again(bench_server: BenchServer) -> None:
    port = int(bench_server.addresses["control"].rpartition(":")[2])
    camera = open_camera(bench_server.addresses["face_camera"])
    last = camera.latest(5).sequence
    bench_server.close()
    _until_it_fails(camera)
    assert camera.health().state is DeviceState.STOPPED
    again = BenchServer(Bench(card=None), token="another", port=port)
    try:
        assert camera.latest(15, after=last).sequence > last
    finally:
        camera.close()
        again.close()


def test_nobody_at_the_address(unused_port: int) -> None:
    camera = open_camera(f"http://127.0.0.1:{unused_port}/camera.mjpeg")
    with pytest.raises(DeviceError) as told:
        camera.latest(0.3)
    assert told.value.code is ErrorCode.CAMERA_NO_FRAME
    assert camera.health().state is DeviceState.STOPPED
    camera.close()


def test_an_address_that_is_no_camera(bench_server: BenchServer) -> None:
    camera = open_camera(bench_server.addresses["control"] + "/state")
    with pytest.raises(DeviceError) as told:
        camera.latest(1)
    assert "401" in told.value.what
    camera.close()


def test_no_message_holds_the_cameras_password(unused_port: int) -> None:
    camera = open_camera(f"http://kiosk:hushhush@127.0.0.1:{unused_port}/camera.mjpeg")
    with pytest.raises(DeviceError) as told:
        camera.latest(0.3)
    assert "hushhush" not in repr((told.value.args, told.value.what, told.value.action, camera.health()))
    camera.close()


@pytest.mark.parametrize("content", [b"", b"This is no picture.", b"\xff\xd8\xff\xe0 and then nothing"])
def test_a_wrong_file_in_a_camera(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "page.jpg").write_bytes(content)
    with pytest.raises(DeviceError) as told:
        open_camera(f"file:{tmp_path}/page.jpg")
    assert told.value.code is ErrorCode.DEVICE_FAILED
    assert told.value.follows
    assert told.value.action


@pytest.mark.parametrize("url", ["file:/there/is/none.png", "gopher://camera", "camera"])
def test_a_missing_file_and_an_unknown_form(url: str) -> None:
    with pytest.raises(DeviceError):
        open_camera(url)


def test_frames_of_odd_form_or_size_are_refused() -> None:
    for odd in (
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.uint16),
        np.zeros((16, 640, 3), np.uint8),
        np.broadcast_to(np.uint8(0), (9000, 9000, 3)),
    ):
        with pytest.raises(DeviceError):
            bounded(odd)


@pytest.mark.parametrize(
    ("url", "simulated"),
    [
        ("v4l2:/dev/video0", False),
        ("v4l2:0", False),
        ("rtsp://192.0.2.7/stream", False),
        ("rtsp://127.0.0.1/stream", True),
        ("http://192.0.2.7/camera.mjpeg", False),
        ("http://localhost:8000/camera.mjpeg", True),
        ("http://[::1]:8000/camera.mjpeg", True),
    ],
)
def test_what_counts_as_simulated(url: str, simulated: bool) -> None:
    assert open_source(url).simulated is simulated


def test_loopback_is_this_machine_and_nothing_else() -> None:
    assert is_loopback("127.1.2.3")
    assert not is_loopback("localhost.example")
    assert not is_loopback("10.0.0.1")


def test_a_still_file_is_not_frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencv, "FROZEN_SECONDS", 0.1)
    cv2.imwrite(str(tmp_path / "page.png"), np.full((100, 150, 3), 200, np.uint8))
    camera = open_camera(f"file:{tmp_path}/page.png?fps=20")
    frame = camera.latest(5)
    for _ in range(8):
        frame = camera.latest(5, after=frame.sequence)
    assert camera.health().state is DeviceState.WORKING
    camera.close()


@pytest.mark.parametrize("url", ["rtsp://kiosk:hushhush@127.0.0.1:{port}/stream", "v4l2:/dev/there-is-none"])
def test_a_camera_that_is_not_there_is_waited_for(url: str, unused_port: int) -> None:
    camera = open_camera(url.format(port=unused_port))
    with pytest.raises(DeviceError) as told:
        camera.latest(1)
    assert told.value.code is ErrorCode.CAMERA_NO_FRAME
    assert "hushhush" not in told.value.what
    assert camera.health().state is DeviceState.STOPPED
    camera.close()


def test_the_picture_of_who_left_does_not_stay_in_memory(
    camera: OpenCvCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opencv, "FRESH_SECONDS", 0.3)
    seen = camera.latest(5)
    gone = weakref.ref(seen.image)
    del seen
    patience = time.monotonic() + 10
    while gone() is not None and time.monotonic() < patience:
        time.sleep(0.05)
    assert gone() is None
