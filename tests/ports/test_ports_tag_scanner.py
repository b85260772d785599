"""One suite for the camera, serial and keyboard-wedge scanners of bag tags."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import pytest
from bag_tags import PLATE, tag_image

from contracts.api import DeviceState
from hardware.ports import BagTagScanner, DeviceError
from hardware.registry import DevicesConfig, open_devices
from hardware.simulators.bench import Bench, BenchServer


@dataclass
class Scanned:
    """A scanner and the hand that holds a tag before it."""

    scanner: BagTagScanner
    show: Callable[[str], None]


def _camera(bench: Bench, url: str, directory: Path) -> Callable[[str], None]:
    def show(plate: str) -> None:
        cv2.imwrite(str(directory / "shown.png"), tag_image(plate))
        bench.put_bag({"tag": str(directory / "shown.png")})

    return show


@pytest.fixture(params=["camera", "serial", "wedge"])
def scanned(
    request: pytest.FixtureRequest, bench: Bench, bench_server: BenchServer, tmp_path: Path
) -> Iterator[Scanned]:
    descriptors: list[int] = []
    if request.param == "camera":
        url = f"camera:{bench_server.addresses['tag_camera']}"
        show = _camera(bench, url, tmp_path)
    else:
        if request.param == "serial":
            hand, line = os.openpty()
            tty.setraw(line)
            descriptors += [hand, line]
            url = f"serial:{os.ttyname(line)}"
        else:
            os.mkfifo(tmp_path / "wedge")
            hand = os.open(tmp_path / "wedge", os.O_RDWR)
            descriptors.append(hand)
            url = f"wedge:{tmp_path}/wedge"

        def show(plate: str) -> None:
            # A hand-held scanner sends once; again in a moment, since only what comes after the call counts.
            threading.Timer(0.3, os.write, (hand, f"{plate}\r\n".encode())).start()

    devices = open_devices(DevicesConfig(tag_scanner=url))
    yield Scanned(devices.tag_scanner, show)
    devices.close()
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_tag_is_read(scanned: Scanned) -> None:
    scanned.show(PLATE)
    reading = scanned.scanner.read_tag(10)
    assert reading is not None
    assert reading.licence_plate == PLATE
    assert reading.agreed >= 1


def test_no_tag_is_none_and_not_an_error(scanned: Scanned) -> None:
    assert scanned.scanner.read_tag(0.5) is None
    assert scanned.scanner.health().state is DeviceState.WORKING


def test_a_code_of_another_length_is_no_licence_plate(scanned: Scanned) -> None:
    scanned.show("01251234")
    assert scanned.scanner.read_tag(0.8) is None


def test_none_of_them_passes_for_a_real_scanner(scanned: Scanned) -> None:
    assert scanned.scanner.simulated


@pytest.mark.parametrize("url", ["serial:/dev/pts/there-is-none", "wedge:/there/is/none"])
def test_a_scanner_that_is_gone_is_an_error_and_not_no_tag(url: str) -> None:
    devices = open_devices(DevicesConfig(tag_scanner=url))
    with pytest.raises(DeviceError):
        devices.tag_scanner.read_tag(3)
    assert devices.tag_scanner.health().state is DeviceState.STOPPED
    devices.close()
