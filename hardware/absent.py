"""Devices that are not there. Each call says so; nothing waits, nothing is made up, nothing passes."""

from __future__ import annotations

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.ports import (
    CapturedFrame,
    CardChannel,
    DeviceError,
    Health,
    LightSignal,
    ReceiptDocument,
    TagReading,
    Weight,
)


class _Absent:
    """What all absent devices share: the reason, told at each call."""

    name = "absent"
    simulated = False

    def __init__(self, reason: DeviceError) -> None:
        self._reason = reason

    def health(self) -> Health:
        return Health(DeviceState.STOPPED, self._reason.what, self._reason.code)

    def close(self) -> None:
        """Nothing is open."""

    def _missing(self) -> DeviceError:
        return DeviceError(ErrorCode.DEVICE_MISSING, self._reason.what, self._reason.follows, self._reason.action)


class AbsentChipReader(_Absent):
    def wait_for_card(self, seconds: float) -> bool:
        raise self._missing()

    def connect(self) -> CardChannel:
        raise self._missing()


class AbsentCamera(_Absent):
    def latest(self, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        raise self._missing()


class AbsentTagScanner(_Absent):
    def read_tag(self, seconds: float) -> TagReading | None:
        raise self._missing()


class AbsentScale(_Absent):
    def weigh(self, seconds: float) -> Weight:
        raise self._missing()


class AbsentPrinter(_Absent):
    def print_receipt(self, receipt: ReceiptDocument) -> None:
        raise self._missing()


class AbsentLight(_Absent):
    """A light that is missing stops nobody: `show` does nothing, `health` tells."""

    def show(self, signal: LightSignal) -> None:
        """No light to show it with."""


class AbsentSpeaker(_Absent):
    def synthesise(self, text: str, language: str) -> bytes:
        raise self._missing()
