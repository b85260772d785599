"""The MT-SICS driver against a scale on a pseudo-terminal, in every unit and with every fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.ports import DeviceError
from hardware.scale.mt_sics import MtSicsScale, open_scale
from hardware.simulators.scale import ScaleFault, SimulatedScale


@pytest.fixture
def platform() -> Iterator[SimulatedScale]:
    platform = SimulatedScale(settle_seconds=0.05)
    yield platform
    platform.close()


@pytest.fixture
def scale(platform: SimulatedScale) -> Iterator[MtSicsScale]:
    scale = open_scale(f"mt-sics:{platform.path}")
    yield scale
    scale.close()


def test_a_bag_is_weighed_once_it_lies_still(platform: SimulatedScale, scale: MtSicsScale) -> None:
    platform.set_weight(18.4)
    weight = scale.weigh(5)
    assert weight.stable
    assert weight.kilograms == 18.4


def test_the_bag_before_is_never_weighed_again(platform: SimulatedScale, scale: MtSicsScale) -> None:
    for kilograms in (18.4, 0.0, 62.0, 7.25):
        platform.set_weight(kilograms)
        assert scale.weigh(5).kilograms == kilograms


@pytest.mark.parametrize(("unit", "kilograms"), [("g", 18.4), ("lb", 4.5359237)])
def test_units_other_than_kilograms(unit: str, kilograms: float) -> None:
    platform = SimulatedScale(settle_seconds=0.01, unit=unit)  # type: ignore[arg-type]
    scale = open_scale(f"mt-sics:{platform.path}")
    try:
        platform.set_weight(kilograms)
        assert scale.weigh(5).kilograms == pytest.approx(kilograms, abs=1e-9)
    finally:
        scale.close()
        platform.close()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unstable", ErrorCode.SCALE_UNSTABLE),
        ("busy", ErrorCode.SCALE_UNSTABLE),
        ("overload", ErrorCode.SCALE_OVERLOAD),
        ("underload", ErrorCode.SCALE_OVERLOAD),
        ("mute", ErrorCode.DEVICE_TIMEOUT),
        ("garbage", ErrorCode.DEVICE_FAILED),
    ],
)
def test_a_fault_gives_no_weight_and_passes_when_mended(
    platform: SimulatedScale, scale: MtSicsScale, fault: ScaleFault, code: ErrorCode
) -> None:
    platform.set_weight(18.4)
    platform.fault = fault
    with pytest.raises(DeviceError) as told:
        scale.weigh(0.4)
    assert told.value.code is code
    platform.fault = None
    assert scale.weigh(5).kilograms == 18.4
    assert scale.health().state is DeviceState.WORKING


def test_a_restless_bag_is_no_fault_of_the_scale(platform: SimulatedScale, scale: MtSicsScale) -> None:
    platform.fault = "unstable"
    with pytest.raises(DeviceError):
        scale.weigh(0.2)
    assert scale.health().state is DeviceState.WORKING


def test_a_dead_scale_says_so_in_its_health(platform: SimulatedScale, scale: MtSicsScale) -> None:
    platform.fault = "mute"
    with pytest.raises(DeviceError):
        scale.weigh(0.2)
    assert scale.health().state is DeviceState.STOPPED
    platform.close()
    with pytest.raises(DeviceError) as told:
        scale.weigh(0.2)
    assert told.value.code in (ErrorCode.DEVICE_FAILED, ErrorCode.DEVICE_TIMEOUT)


def test_a_port_that_is_not_there() -> None:
    with pytest.raises(DeviceError) as told:
        open_scale("mt-sics:/dev/pts/there-is-none")
    assert told.value.code is ErrorCode.DEVICE_MISSING
