"""No light: every signal goes to the log, so that a demonstration and a test can follow it."""

from __future__ import annotations

import logging

from contracts.api import DeviceState
from hardware.ports import Health, LightSignal

_log = logging.getLogger(__name__)


class NullLight:
    name = "null"
    simulated = False  # it pretends nothing: no fact of a record comes from it

    def __init__(self) -> None:
        self.signal: LightSignal = "off"

    def show(self, signal: LightSignal) -> None:
        self.signal = signal
        _log.info("channel light: %s", signal)

    def health(self) -> Health:
        return Health(DeviceState.WORKING)

    def close(self) -> None:
        self.signal = "off"


def open_light(url: str) -> NullLight:
    """`null:`"""
    return NullLight()
