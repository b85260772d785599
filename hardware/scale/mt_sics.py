"""Scales that speak MT-SICS over a serial line (9600 8N1), as baggage and bench scales commonly do.

Polls `SI` and takes only answers marked stable (`S S`). Polling, rather than one `S` that waits, tells a
restless bag (SCALE_UNSTABLE) from a dead line (DEVICE_TIMEOUT). Source: Mettler Toledo, MT-SICS interface
commands, level 0.
"""

from __future__ import annotations

import re
import termios
import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.ports import DeviceError, Health, Weight

if TYPE_CHECKING:
    import serial

KILOGRAMS_PER_UNIT = {
    "kg": Decimal(1),
    "g": Decimal("0.001"),
    "lb": Decimal("0.45359237"),  # exact by definition (international pound, 1959)
    "oz": Decimal("0.028349523125"),
    "t": Decimal(1000),
}

_WEIGHT = re.compile(rb"S ([SD]) +(-?\d{1,7}(?:\.\d{1,6})?) (kg|g|lb|oz|t)")
_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 0.5
_PROBE_EVERY = 10.0

State = Literal["stable", "dynamic", "busy", "overload", "underload", "refused", "garbage"]


@dataclass(frozen=True)
class Answer:
    """One line of the scale: its state, and kilograms when it holds a weight."""

    state: State
    kilograms: Decimal | None = None


def parse_answer(line: bytes) -> Answer:
    """Read one answer line to `S` or `SI`. Never raises; what is not MT-SICS is `garbage`."""
    line = line.strip()
    weight = _WEIGHT.fullmatch(line)
    if weight:
        kilograms = Decimal(weight[2].decode()) * KILOGRAMS_PER_UNIT[weight[3].decode()]
        return Answer("stable" if weight[1] == b"S" else "dynamic", kilograms)
    marks: dict[bytes, State] = {
        b"S I": "busy",  # not executable now: still settling
        b"S +": "overload",
        b"S -": "underload",
        b"ES": "refused",  # syntax error, transmission error, logical error
        b"ET": "refused",
        b"EL": "refused",
    }
    return Answer(marks.get(line, "garbage"))


class MtSicsScale:
    """A scale on a serial port. Opens at first use and again after a loss; calls are serialised."""

    name = "mt-sics"

    def __init__(self, port: str, baud: int = 9600) -> None:
        self._port = port
        self._baud = baud
        self._line: serial.Serial | None = None
        self._exchange = threading.Lock()
        self._error: DeviceError | None = None
        self._probed_at = 0.0

    @property
    def simulated(self) -> bool:
        return self._port.startswith("/dev/pts/")  # a pseudo-terminal: a program answers, not a scale

    def weigh(self, seconds: float) -> Weight:
        deadline = time.monotonic() + seconds
        with self._exchange:
            try:
                weight = self._weigh(deadline)
            except DeviceError as error:
                # A restless or overloaded platform is the bag's state, not a fault of the scale.
                on_platform = error.code in (ErrorCode.SCALE_UNSTABLE, ErrorCode.SCALE_OVERLOAD)
                self._error = None if on_platform else error
                raise
            self._error = None
            self._probed_at = time.monotonic()
            return weight

    def _weigh(self, deadline: float) -> Weight:
        heard: Answer | None = None
        while True:
            answer = self._ask(b"SI", min(deadline, time.monotonic() + _ANSWER_SECONDS))
            heard = answer or heard
            if answer is not None:
                if answer.state == "stable" and answer.kilograms is not None:
                    return Weight(float(answer.kilograms), stable=True)
                if answer.state in ("overload", "underload"):
                    over = answer.state == "overload"
                    raise DeviceError(
                        ErrorCode.SCALE_OVERLOAD,
                        "The scale is overloaded." if over else "The scale's platform is off.",
                        "The bag is not weighed.",
                        "Take everything off, check the platform, and put the bag on again.",
                    )
                if answer.state == "refused":
                    raise self._failed("refuses the command for a weight")
            if time.monotonic() + _POLL_SECONDS >= deadline:
                break
            time.sleep(_POLL_SECONDS)
        if heard is None:
            raise DeviceError(
                ErrorCode.DEVICE_TIMEOUT,
                "The scale does not answer.",
                "The bag is not weighed.",
                "Check the scale's power, its cable and that it is set to MT-SICS, 9600 baud, 8N1.",
            )
        if heard.state == "garbage":
            raise self._failed("answers with what is not MT-SICS")
        raise DeviceError(
            ErrorCode.SCALE_UNSTABLE,
            "The weight does not come to rest.",
            "The bag is not weighed.",
            "Ask the traveller to let go of the bag.",
        )

    def health(self) -> Health:
        if self._exchange.acquire(blocking=False):  # a running `weigh` is the better probe
            try:
                if time.monotonic() - self._probed_at > _PROBE_EVERY or self._error is not None:
                    self._probe()
            finally:
                self._exchange.release()
        error = self._error
        if error is None:
            return Health(DeviceState.WORKING)
        return Health(DeviceState.STOPPED, error.what, error.code)

    def close(self) -> None:
        with self._exchange:
            self._drop()

    def _probe(self) -> None:
        try:
            answered = self._send(b"I4", time.monotonic() + 0.3, expected=b"I4 ")
            self._error = None if answered else DeviceError(ErrorCode.DEVICE_TIMEOUT, "The scale does not answer.")
        except DeviceError as error:
            self._error = error
        self._probed_at = time.monotonic()

    def _ask(self, command: bytes, deadline: float) -> Answer | None:
        """One exchange about weight; None when nothing came."""
        line = self._send(command, deadline, expected=b"")
        return None if line is None else parse_answer(line)

    def _send(self, command: bytes, deadline: float, expected: bytes) -> bytes | None:
        """Send a command and return the first answer line that begins as expected, or None at the deadline."""
        import serial

        try:
            line = self._opened()
            line.reset_input_buffer()  # a late answer belongs to the bag before
            line.write(command + b"\r\n")
            while time.monotonic() < deadline:
                line.timeout = max(0.01, deadline - time.monotonic())
                received: bytes = line.read_until(b"\n", 64)
                if received.endswith(b"\n") and received.startswith(expected):
                    return received
                if len(received) >= 64:
                    return received  # no line is that long: garbage
            return None
        except (serial.SerialException, termios.error, OSError) as error:
            self._drop()
            raise DeviceError(
                ErrorCode.DEVICE_FAILED,
                f"The scale's line is lost ({type(error).__name__}).",
                "The bag is not weighed; the line is opened again at the next weighing.",
                "Check the scale's cable and the port in the kiosk's configuration.",
            ) from None

    def _opened(self) -> serial.Serial:
        import serial

        if self._line is None:
            self._line = serial.Serial(
                self._port,
                self._baud,
                bytesize=serial.EIGHTBITS,
                parity=serial.PARITY_NONE,
                stopbits=serial.STOPBITS_ONE,
                timeout=_ANSWER_SECONDS,
                write_timeout=_ANSWER_SECONDS,
            )
        return self._line

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _failed(self, what: str) -> DeviceError:
        return DeviceError(
            ErrorCode.DEVICE_FAILED,
            f"The scale {what}.",
            "The bag is not weighed.",
            "Set the scale to MT-SICS, 9600 baud, 8N1.",
        )


def open_scale(url: str) -> MtSicsScale:
    """The scale at `mt-sics:/dev/ttyUSB0`, with `?baud=9600`. Raises DeviceError for a port that is not there."""
    parts = urlsplit(url)
    scale = MtSicsScale(parts.path, int(parse_qs(parts.query).get("baud", ["9600"])[0]))
    health = scale.health()
    if health.error is ErrorCode.DEVICE_FAILED:
        scale.close()
        raise DeviceError(
            ErrorCode.DEVICE_MISSING,
            "The scale's port does not open.",
            "Bags are not weighed; travellers with bags go to an officer.",
            "Check the port in the kiosk's configuration.",
        )
    return scale
