"""Speech from espeak-ng, in a process of its own; the text goes in on stdin, never on the command line."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.ports import DeviceError, Health

# language: espeak-ng's voice. A language that is not here, nor its first part, has no speech.
VOICES = {
    "en": "en-gb",
    "ru": "ru",
    "be": "be",
    "ar": "ar",
    "ar-XB": "en-gb",  # the pseudo-locale is English written from right to left
}
WORDS_PER_MINUTE = 150  # slower than espeak-ng's 175: a hall is loud and the language may not be one's own
_MAX_CHARACTERS = 2000
_SECONDS = 15.0


class EspeakSpeaker:
    """Speech for sentences of the message catalogue. Not cached here: the caller knows what repeats."""

    name = "espeak-ng"
    simulated = False

    def __init__(self, program: str) -> None:
        self._program = program
        self._health = Health(DeviceState.WORKING)

    def synthesise(self, text: str, language: str) -> bytes:
        voice = VOICES.get(language) or VOICES.get(language.partition("-")[0])
        if voice is None:
            raise _failed(f"There is no voice for the language '{language[:16]}'.")
        command = [self._program, "-v", voice, "-s", str(WORDS_PER_MINUTE), "--stdin", "--stdout"]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program and a voice from the table above
                command, input=text[:_MAX_CHARACTERS].encode(), capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._stopped(f"espeak-ng does not run ({type(error).__name__}).") from None
        if done.returncode != 0 or done.stdout[:4] != b"RIFF":
            raise self._stopped("espeak-ng made no sound.")
        self._health = Health(DeviceState.WORKING)
        return with_true_length(done.stdout)

    def health(self) -> Health:
        return self._health

    def close(self) -> None:
        """No process outlives its sentence."""

    def _stopped(self, what: str) -> DeviceError:
        error = _failed(what)
        self._health = Health(DeviceState.STOPPED, error.what, error.code)
        return error


def with_true_length(streamed: bytes) -> bytes:
    """The WAVE file with its real length: espeak-ng writing to a pipe cannot know it beforehand."""
    with wave.open(io.BytesIO(streamed), "rb") as source:
        channels, width, rate = source.getnchannels(), source.getsampwidth(), source.getframerate()
    samples = streamed[44:]
    samples = samples[: len(samples) - len(samples) % (channels * width)]
    whole = io.BytesIO()
    with wave.open(whole, "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(width)
        target.setframerate(rate)
        target.writeframes(samples)
    return whole.getvalue()


def _failed(what: str) -> DeviceError:
    return DeviceError(
        ErrorCode.DEVICE_FAILED,
        what,
        "The screen is not spoken; everything stays written on it.",
        "Install espeak-ng with its voices.",
    )


def open_speaker(url: str) -> EspeakSpeaker:
    """`espeak:`. Raises DeviceError when espeak-ng is not installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise DeviceError(
            ErrorCode.DEVICE_MISSING,
            "espeak-ng is not installed.",
            "The screens are not spoken.",
            "Install the package espeak-ng.",
        )
    return EspeakSpeaker(program)
