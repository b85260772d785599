"""The light that is only logged, and the voices."""

from __future__ import annotations

import io
import logging
import wave

import pytest

from contracts.api import DeviceState
from hardware.light.null import open_light
from hardware.ports import DeviceError
from hardware.speaker import espeak, null


def test_the_light_leaves_each_signal_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    light = open_light("null:")
    with caplog.at_level(logging.INFO):
        light.show("proceed")
    assert light.signal == "proceed"
    assert "proceed" in caplog.text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Put your passport on the glass."),
        ("ru", "Положите паспорт на стекло."),
        ("be", "Пакладзіце пашпарт."),
    ],
)
def test_each_language_has_a_voice_and_the_file_its_true_length(language: str, text: str) -> None:
    sound = espeak.open_speaker("espeak:").synthesise(text, language)
    with wave.open(io.BytesIO(sound), "rb") as opened:
        seconds = opened.getnframes() / opened.getframerate()
        samples = opened.readframes(opened.getnframes())
    assert len(samples) == len(sound) - 44
    assert 0.5 < seconds < 20
    assert any(samples)


def test_a_language_without_a_voice_is_an_error_and_the_speaker_stays_well() -> None:
    speaker = espeak.open_speaker("espeak:")
    with pytest.raises(DeviceError):
        speaker.synthesise("text", "xx")
    assert speaker.health().state is DeviceState.WORKING


def test_silence_is_a_sound_file_too() -> None:
    with wave.open(io.BytesIO(null.open_speaker("null:").synthesise("text", "en")), "rb") as opened:
        assert opened.getnframes() > 0
