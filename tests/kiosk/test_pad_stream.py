"""The stream of a camera that was exchanged, fed by software or stopped is a finding; a camera's own is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from hardware.camera.sources import decode, video_device
from hardware.ports import CapturedFrame
from hardware.simulators.camera import CameraFault, SimulatedCamera, booth
from hardware.specimens.build import PORTRAITS, head_of
from hardware.specimens.feed import draw_feed
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
