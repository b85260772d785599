"""No speech: a short silence for every sentence."""

from __future__ import annotations

import io
import wave

from contracts.api import DeviceState
from hardware.ports import Health


class NullSpeaker:
    name = "null"
    simulated = False  # it pretends nothing: no fact of a record comes from it

    def synthesise(self, text: str, language: str) -> bytes:
        silence = io.BytesIO()
        with wave.open(silence, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(1600))
        return silence.getvalue()

    def health(self) -> Health:
        return Health(DeviceState.WORKING)

    def close(self) -> None:
        """Nothing is open."""


def open_speaker(url: str) -> NullSpeaker:
    """`null:`"""
    return NullSpeaker()
