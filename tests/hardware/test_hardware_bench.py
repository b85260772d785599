"""The bench as its users meet it: a process with a state file, a token and hands."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contracts.api import DeviceState
from hardware.ports import Camera, Frame
from hardware.registry import DevicesConfig, health, open_devices
from hardware.simulators.camera import in_ultraviolet


@dataclass
class Remote:
    """The bench over HTTP."""

    addresses: dict[str, str]

    def __call__(
        self, method: str, path: str, body: object = None, token: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(
            self.addresses["control"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token or self.addresses['token']}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    state_file = tmp_path_factory.mktemp("bench") / "state.json"
    command = [
        sys.executable,
        "-m",
        "hardware.simulators.bench",
        "--until-stdin-closes",
        "--infrared",
        "--ultraviolet",
    ]
    process = subprocess.Popen([*command, "--state-file", str(state_file)], stdin=subprocess.PIPE)
    patience = time.monotonic() + 60
    while not state_file.exists():
        assert process.poll() is None
        assert time.monotonic() < patience
        time.sleep(0.05)
    assert state_file.stat().st_mode & 0o777 == 0o600
    yield Remote(json.loads(state_file.read_text()))
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=20) == 0
    assert not state_file.exists()


def seen_now(camera: Camera) -> Frame:
    """What the camera sees of the bench as it stands: one frame may still have been on its way."""
    return camera.latest(10, after=camera.latest(10).sequence + 1).image


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "page.png"), np.full((300, 400, 3), 230, np.uint8))
    frames = [cv2.imencode(".jpg", np.full((120, 160, 3), 20 + 60 * n, np.uint8))[1].tobytes() for n in range(3)]
    (tmp_path / "face.mjpeg").write_bytes(b"".join(frames))
    return tmp_path


def test_what_is_laid_down_is_what_the_drivers_see(bench: Remote, pictures: Path) -> None:
    devices = open_devices(
        DevicesConfig(
            document_camera=bench.addresses["document_camera"],
            face_camera=bench.addresses["face_camera"],
            tag_scanner="camera:" + bench.addresses["tag_camera"],
            scale="mt-sics:" + bench.addresses["scale"],
            speaker="null:",
        )
    )
    try:
        assert seen_now(devices.document_camera).mean() < 60
        assert bench("POST", "/document", {"page": str(pictures / "page.png"), "chip": None})[0] == 200
        page = seen_now(devices.document_camera)
        assert page.shape == (300, 400, 3)
        assert page.mean() > 200
        assert bench("DELETE", "/document")[0] == 200
        assert seen_now(devices.document_camera).mean() < 60

        assert bench("POST", "/face", {"feed": str(pictures / "face.mjpeg")})[0] == 200
        seen, sequence = set(), devices.face_camera.latest(10).sequence + 1
        for _ in range(6):
            face = devices.face_camera.latest(10, after=sequence)
            sequence = face.sequence
            seen.add(round(face.image.mean()))
        assert seen == {20, 80, 140}
        assert bench("DELETE", "/face")[0] == 200

        assert bench("POST", "/bag", {"weight_kg": 18.4, "tag": None})[0] == 200
        assert devices.scale.weigh(10).kilograms == 18.4
        assert bench("DELETE", "/bag")[0] == 200
        assert devices.scale.weigh(10).kilograms == 0
    finally:
        devices.close()


def test_infrared_light_shows_black_ink_and_no_coloured_print(bench: Remote, tmp_path: Path) -> None:
    page = np.full((300, 400, 3), (200, 226, 206), np.uint8)
    page[40:80, 40:360] = (60, 40, 190)  # red print
    page[200:220, 40:360] = (38, 30, 28)  # the zone's ink
    cv2.imwrite(str(tmp_path / "page.png"), page)
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((300, 400, 3), 236, np.uint8))
    devices = open_devices(DevicesConfig(infrared_camera=bench.addresses["infrared_camera"], speaker="null:"))
    try:
        camera = devices.infrared_camera
        assert camera is not None
        assert "infrared_camera" in devices.all()
        assert camera.simulated
        bench("POST", "/document", {"page": str(tmp_path / "page.png"), "chip": None})
        seen = seen_now(camera)
        assert seen[50:70, 60:340].mean() > 200
        assert seen[203:217, 60:340].mean() < 80
        bench("POST", "/document", {"page": str(tmp_path / "page.png"), "infrared": str(tmp_path / "blank.png")})
        assert seen_now(camera).min() > 200, "ink that vanishes can be played too"
        bench("DELETE", "/document")
    finally:
        devices.close()


def test_ultraviolet_light_tells_security_paper_from_a_copiers(bench: Remote, tmp_path: Path) -> None:
    page = np.full((300, 400, 3), (238, 241, 240), np.uint8)
    page[200:220, 40:360] = (38, 30, 28)  # the zone's ink
    cv2.imwrite(str(tmp_path / "page.png"), page)
    cv2.imwrite(str(tmp_path / "copy.png"), in_ultraviolet(page, brightened=True))
    devices = open_devices(
        DevicesConfig(ultraviolet_camera=bench.addresses["ultraviolet_camera"], speaker="null:")
    )
    try:
        camera = devices.ultraviolet_camera
        assert camera is not None
        assert "ultraviolet_camera" in devices.all()
        assert camera.simulated, "the production profile refuses it"
        assert seen_now(camera).max() < 20, "an empty glass stays dark"
        bench("POST", "/document", {"page": str(tmp_path / "page.png"), "chip": None})
        seen = seen_now(camera)
        assert np.median(seen) < 60
        assert seen[..., 1].max() > 150, "fluorescent ink shines"
        bench("POST", "/document", {"page": str(tmp_path / "page.png"), "ultraviolet": str(tmp_path / "copy.png")})
        glowing = seen_now(camera)
        assert np.median(glowing[..., 0]) > 200 > np.median(glowing[..., 2])
        assert glowing[205:215, 60:340].max() < 60, "ink covers the glow"
        bench("DELETE", "/document")
    finally:
        devices.close()


@pytest.mark.parametrize("role", ["infrared_camera", "ultraviolet_camera"])
def test_a_kiosk_without_other_light_misses_nothing(role: str) -> None:
    devices = open_devices(DevicesConfig(speaker="null:"))
    assert getattr(devices, role) is None
    assert role not in devices.all()


@pytest.mark.parametrize("role", ["infrared_camera", "ultraviolet_camera"])
def test_other_light_that_does_not_open_is_told(role: str) -> None:
    devices = open_devices(DevicesConfig.from_table({role: "file:/there/is/none.png", "speaker": "null:"}))
    told = {device.device: device.state for device in health(devices, datetime.now(UTC))}
    assert told[role] is DeviceState.STOPPED


def test_a_real_sensor_never_repeats_itself_and_neither_does_this_one(bench: Remote) -> None:
    devices = open_devices(DevicesConfig(document_camera=bench.addresses["document_camera"], speaker="null:"))
    try:
        frame = devices.document_camera.latest(10)
        for _ in range(12):
            following = devices.document_camera.latest(10, after=frame.sequence)
            assert not np.array_equal(frame.image, following.image)
            frame = following
    finally:
        devices.close()


def test_an_empty_booth_never_comes_twice_for_whoever_watches_for_films(bench: Remote) -> None:
    devices = open_devices(DevicesConfig(face_camera=bench.addresses["face_camera"], speaker="null:"))
    try:
        seen, sequence = set(), -1
        for _ in range(20):
            frame = devices.face_camera.latest(10, after=sequence)
            sequence = frame.sequence
            seen.add(frame.image[::8, ::8].tobytes())
        assert len(seen) == 20
    finally:
        devices.close()


def test_the_state_tells_what_lies_where_and_never_the_token(bench: Remote, pictures: Path) -> None:
    bench("POST", "/bag", {"weight_kg": 7})
    bench("POST", "/fault", {"device": "scale", "fault": "mute"})
    status, state = bench("GET", "/state")
    assert status == 200
    assert state["lying"]["bag"] == {"weight_kg": 7, "tag": None}
    assert state["faults"]["scale"] == "mute"
    assert bench.addresses["token"] not in json.dumps(state)
    bench("POST", "/fault", {"device": "scale", "fault": None})
    bench("DELETE", "/bag")


def test_without_the_token_nothing_moves(bench: Remote, pictures: Path) -> None:
    for method, path in (("POST", "/bag"), ("DELETE", "/document"), ("GET", "/state")):
        assert bench(method, path, {"weight_kg": 3}, token="guessed")[0] == 401
    assert bench("GET", "/state")[1]["lying"]["bag"] is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/document", {}),
        ("/document", {"page": "/there/is/none.png"}),
        ("/document", {"page": __file__}),
        ("/document", {"page": 7}),
        ("/face", {"feed": __file__}),
        ("/bag", {"weight_kg": -1}),
        ("/bag", {"weight_kg": "much"}),
        ("/bag", []),
        ("/fault", {"device": "toaster", "fault": "mute"}),
        ("/fault", {"device": "scale", "fault": "on_fire"}),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_words(bench: Remote, path: str, body: object) -> None:
    status, answer = bench("POST", path, body)
    assert status == 422
    assert answer["error"]


def test_a_chip_needs_a_reader(bench: Remote, pictures: Path) -> None:
    status, answer = bench("POST", "/document", {"page": str(pictures / "page.png"), "chip": str(pictures)})
    assert status == 422
    assert "reader" in answer["error"]
    bench("DELETE", "/document")


def test_unknown_paths_and_oversized_bodies(bench: Remote) -> None:
    assert bench("POST", "/party", {})[0] == 404
    assert bench("GET", "/cameras/ceiling.mjpeg")[0] == 404
    assert bench("POST", "/bag", {"weight_kg": 1, "note": "x" * 100_000})[0] == 413
