"""A kiosk whose devices are all missing still opens, says so, and makes nothing up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.ports import Device, DeviceError, DeviceSet, ReceiptDocument
from hardware.registry import DevicesConfig, health, open_devices, provenance

CALLS: dict[str, Callable[[DeviceSet], object]] = {
    "chip_reader.wait_for_card": lambda devices: devices.chip_reader.wait_for_card(1),
    "chip_reader.connect": lambda devices: devices.chip_reader.connect(),
    "document_camera": lambda devices: devices.document_camera.latest(1),
    "face_camera": lambda devices: devices.face_camera.latest(1),
    "tag_scanner": lambda devices: devices.tag_scanner.read_tag(1),
    "scale": lambda devices: devices.scale.weigh(1),
    "printer": lambda devices: devices.printer.print_receipt(ReceiptDocument("", "", (), "")),
    "speaker": lambda devices: devices.speaker.synthesise("", "en"),
}


@pytest.fixture
def nothing() -> DeviceSet:
    return open_devices(DevicesConfig(light="absent:", speaker="absent:"))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_each_call_says_that_the_device_is_missing(
    nothing: DeviceSet, call: Callable[[DeviceSet], object]
) -> None:
    with pytest.raises(DeviceError) as told:
        call(nothing)
    assert told.value.code is ErrorCode.DEVICE_MISSING


def test_health_and_provenance_name_every_device(nothing: DeviceSet) -> None:
    told = health(nothing, datetime.now(UTC))
    assert [device.device for device in told] == list(nothing.all())
    assert {device.state for device in told} == {DeviceState.STOPPED}
    assert {driver.driver for driver in provenance(nothing)} == {"absent"}


def test_every_driver_is_a_device(nothing: DeviceSet) -> None:
    assert all(isinstance(device, Device) for device in nothing.all().values())
    nothing.light.show("desk")
    nothing.close()
