"""The table of drivers, and a kiosk of which only some devices open."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.registry import DRIVERS, DevicesConfig, health, open_devices, provenance


@pytest.mark.parametrize(
    ("module", "factory"), sorted({place for drivers in DRIVERS.values() for place in drivers.values()})
)
def test_every_driver_of_the_table_exists(module: str, factory: str) -> None:
    assert callable(getattr(importlib.import_module(module), factory))


@pytest.mark.parametrize(
    "table",
    [{"scale": "escpos:dummy:x"}, {"toaster": "null:"}, {"scale": 5}, {"face_camera": "camera:file:x"}],
)
def test_a_mistake_in_the_configuration_is_named(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"devices\.") as told:
        DevicesConfig.from_table(table)
    assert next(iter(table)) in str(told.value)


def test_what_does_not_open_is_absent_and_the_rest_works(tmp_path: Path) -> None:
    devices = open_devices(
        DevicesConfig.from_table(
            {
                "document_camera": "file:/there/is/none.png",
                "scale": "mt-sics:/dev/pts/there-is-none",
                "printer": f"escpos:dummy:{tmp_path}",
                "light": "null:",
            }
        )
    )
    told = {device.device: device for device in health(devices, datetime.now(UTC))}
    assert told["document_camera"].state is DeviceState.STOPPED
    assert told["document_camera"].error is ErrorCode.DEVICE_FAILED
    assert told["scale"].error is ErrorCode.DEVICE_MISSING
    assert told["printer"].state is DeviceState.WORKING
    drivers = {driver.device: driver for driver in provenance(devices)}
    assert drivers["printer"].driver == "escpos-dummy"
    assert drivers["printer"].simulated
    assert drivers["scale"].driver == "absent"
    devices.close()


def test_a_health_that_raises_silences_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = open_devices(DevicesConfig())

    def broken() -> None:
        raise RuntimeError("secret of the driver")

    monkeypatch.setattr(devices.light, "health", broken)
    told = {device.device: device for device in health(devices, datetime.now(UTC))}
    assert told["light"].state is DeviceState.STOPPED
    assert "secret" not in told["light"].detail
    assert told["speaker"].device == "speaker"
    devices.close()
