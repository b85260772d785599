"""The stream of a camera that was exchanged, fed by software or stopped is a finding; a camera's own is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ErrorCode
from hardware.camera.sources import decode, video_device
from hardware.ports import CapturedFrame, DeviceError, Frame, Health
from hardware.simulators.camera import CameraFault, SimulatedCamera, booth
from hardware.specimens.build import PORTRAITS, head_of
from hardware.specimens.feed import draw_feed
from kiosk.faces.pad.guard import PresentationGuard
from kiosk.faces.pad.installed import NAME, InstalledCamera
from kiosk.faces.pad.stream import LEARNT, StreamWatch

FILM_FRAMES = 36


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "neutral.mjpeg"
    path.write_bytes(draw_feed((PORTRAITS / "anna-smile.jpg").read_bytes(), head_of("anna"), "neutral", 0))
    return path


@pytest.fixture
def camera(film: Path) -> Iterator[SimulatedCamera]:
    camera = SimulatedCamera(booth(), pattern=2.0)
    yield camera
    camera.close()


def frames(camera: SimulatedCamera, count: int, device: str = "usb camera 7") -> Iterator[CapturedFrame]:
    for number, payload in enumerate(islice(camera.parts(), count)):
        image = decode(payload)
        assert image is not None
        yield CapturedFrame(image, number, 0.0, device, 1)


def knowing(camera: SimulatedCamera, film: Path) -> StreamWatch:
    """A watch that has learnt the empty booth and has seen one traveller."""
    watch = StreamWatch()
    for frame in frames(camera, LEARNT):
        watch.learn(frame)
    assert watch.learnt
    camera.show_film(film)
    assert tried(watch, frames(camera, LEARNT)) is None
    return watch


def tried(watch: StreamWatch, seen: Iterator[CapturedFrame]) -> str | None:
    watch.begin()
    for frame in seen:
        watch.see(frame)
    return watch.finding()


def test_the_cameras_own_stream_is_no_finding_for_longer_than_a_film(camera: SimulatedCamera, film: Path) -> None:
    watch = knowing(camera, film)
    assert tried(watch, frames(camera, FILM_FRAMES + 8)) is None


@pytest.mark.parametrize(
    ("fault", "count", "reason"),
    [("replaced", 2, "camera_replaced"), ("looped", FILM_FRAMES + 4, "stream_repeats")],
)
def test_another_stream_is_a_finding(
    camera: SimulatedCamera, film: Path, fault: CameraFault, count: int, reason: str
) -> None:
    watch = knowing(camera, film)
    camera.fault = fault
    next(frames(camera, 1))  # the one that was under way
    assert tried(watch, frames(camera, count)) == reason


def test_a_sensor_of_the_same_make_is_told_by_its_pattern(camera: SimulatedCamera, film: Path) -> None:
    watch = knowing(camera, film)
    other = SimulatedCamera(booth(), pattern=2.0, serial=2)
    try:
        other.show_film(film)
        assert tried(watch, frames(other, LEARNT)) == "camera_replaced"
    finally:
        other.close()


def test_a_wall_without_a_sensors_pattern_is_not_taken_for_one(film: Path) -> None:
    """A camera that compresses its pattern away: the booth's own texture is gone when somebody stands there."""
    camera = SimulatedCamera(booth())
    try:
        watch = StreamWatch()
        for frame in frames(camera, LEARNT):
            watch.learn(frame)
        camera.show_film(film)
        for _ in range(2):
            assert tried(watch, frames(camera, LEARNT)) is None
    finally:
        camera.close()


def test_a_picture_that_stands_still_is_frozen(camera: SimulatedCamera, film: Path) -> None:
    watch = knowing(camera, film)
    one = next(frames(camera, 1))
    assert tried(watch, (replace(one, sequence=number) for number in range(8))) == "stream_frozen"


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ("/dev/video0 v4l2 loopback OBS platform:v4l2loopback-000", "virtual_camera"),
        ("usb camera 8", "camera_replaced"),
    ],
)
def test_another_device_is_a_finding(camera: SimulatedCamera, film: Path, device: str, reason: str) -> None:
    watch = knowing(camera, film)
    assert tried(watch, frames(camera, 2, device)) == reason


def test_a_stream_that_was_opened_anew_spoils_the_try_and_not_the_next(
    camera: SimulatedCamera, film: Path
) -> None:
    watch = knowing(camera, film)
    seen = list(frames(camera, 4))
    again = [*seen[:2], *(replace(frame, opening=2) for frame in seen[2:])]
    assert tried(watch, iter(again)) == "stream_interrupted"
    assert tried(watch, iter(again[2:])) is None


def test_the_watch_keeps_no_picture(camera: SimulatedCamera, film: Path) -> None:
    watch = knowing(camera, film)
    one = next(frames(camera, 1)).image
    kept = [value for value in vars(watch).values() if getattr(value, "shape", None) == one.shape]
    assert kept == []


def test_after_a_try_nothing_of_its_frames_is_left(camera: SimulatedCamera, film: Path) -> None:
    watch = knowing(camera, film)
    watch.forget()
    assert watch._residues == []
    assert not watch._seen
    assert watch.learnt


def test_a_device_tells_what_the_kernel_knows(tmp_path: Path) -> None:
    """A device without VIDIOC_QUERYCAP is named by its path and what sysfs says; a missing one by its path."""
    described = tmp_path / "sys/class/video4linux/video3"
    described.mkdir(parents=True)
    (described / "name").write_text("Integrated Camera: HD\n")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/video3").write_bytes(b"")
    assert video_device(3, tmp_path).endswith("video3 Integrated Camera: HD")
    assert video_device("/dev/video99", tmp_path) == "/dev/video99"


@dataclass
class Seeing:
    """A camera that shows one picture for ever, under a name of its own."""

    device: str
    image: Frame
    name: str = "camera"
    simulated: bool = False
    broken: bool = False

    def latest(self, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        if self.broken:
            raise DeviceError(ErrorCode.CAMERA_NO_FRAME, "it is not there")
        return CapturedFrame(self.image, after + 1, 0.0, self.device, 1)

    def health(self) -> Health:
        raise AssertionError("nobody asks it for its health")

    def close(self) -> None:
        """There is nothing to close."""


IMAGE = np.full((480, 640, 3), 90, np.uint8)


def started_with(camera: Seeing, directory: Path) -> str | None:
    """What a try finds after a start of the kiosk with this camera."""
    guard = PresentationGuard()
    guard.learn(camera, InstalledCamera(directory))
    guard.watch.begin()
    guard.watch.see(CapturedFrame(camera.image, 100, 0.0, camera.device, 1))
    return guard.watch.finding()


def test_a_camera_exchanged_while_the_kiosk_was_off_is_a_finding_until_it_is_accepted(tmp_path: Path) -> None:
    own, other = Seeing("/dev/video0 uvc 7", IMAGE), Seeing("/dev/video0 uvc 8", IMAGE)
    small = Seeing(own.device, np.ascontiguousarray(IMAGE[:240, :320]))
    assert started_with(own, tmp_path) is None, "the first is the installed one"
    for _ in range(2):
        assert started_with(other, tmp_path) == "camera_replaced", "nor does it get used to another one"
        assert started_with(small, tmp_path) == "camera_replaced"
        assert started_with(own, tmp_path) is None
    assert InstalledCamera(tmp_path).forget()
    assert started_with(other, tmp_path) is None
    assert started_with(own, tmp_path) == "camera_replaced"


def test_a_camera_that_comes_late_is_still_compared_with_the_installed_one(tmp_path: Path) -> None:
    started_with(Seeing("/dev/video0 uvc 7", IMAGE), tmp_path)
    guard = PresentationGuard()
    guard.learn(Seeing("", IMAGE, broken=True), InstalledCamera(tmp_path))
    guard.watch.begin()
    guard.watch.see(CapturedFrame(IMAGE, 1, 0.0, "/dev/video0 uvc 8", 1))
    assert guard.watch.finding() == "camera_replaced"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"device": "/dev/video0 uvc 7"}', "\xff"])
def test_a_note_that_cannot_be_read_trusts_no_camera(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content, encoding="latin-1")
    assert started_with(Seeing("/dev/video0 uvc 7", IMAGE), tmp_path) == "camera_replaced"


def test_simulated_cameras_are_not_noted(tmp_path: Path) -> None:
    assert started_with(Seeing("127.0.0.1:4001", IMAGE, simulated=True), tmp_path) is None
    assert started_with(Seeing("127.0.0.1:4002", IMAGE, simulated=True), tmp_path) is None
    assert not (tmp_path / NAME).exists()


def test_nothing_that_the_camera_saw_is_written(tmp_path: Path) -> None:
    started_with(Seeing("/dev/video0 uvc 7", IMAGE), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert json.loads((tmp_path / NAME).read_text()) == {
        "device": "/dev/video0 uvc 7",
        "height": 480,
        "width": 640,
    }
