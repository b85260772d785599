"""Bag-tag scanners on a serial line: each code as one line (9600 8N1 by default), CR, LF or both."""

from __future__ import annotations

import termios
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from contracts.errors import ErrorCode
from hardware.ports import DeviceError
from hardware.tags.lines import LineTagScanner

if TYPE_CHECKING:
    import serial


class SerialLines:
    def __init__(self, port: str, baud: int) -> None:
        self._port = port
        self._baud = baud
        self._line: serial.Serial | None = None

    def read(self, stop: threading.Event) -> bytes:
        import serial

        try:
            if self._line is None:
                self._line = serial.Serial(self._port, self._baud, timeout=0.2)
            return bytes(self._line.read(max(1, self._line.in_waiting)))
        except (serial.SerialException, termios.error, OSError):
            self.close()
            raise DeviceError(
                ErrorCode.DEVICE_FAILED,
                "The tag scanner's line is lost.",
                "Bag tags are not read; the line is opened again by itself.",
                "Check the scanner's cable and the port in the kiosk's configuration.",
            ) from None

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def open_scanner(url: str) -> LineTagScanner:
    """The scanner at `serial:/dev/ttyACM0`, with `?baud=9600`."""
    parts = urlsplit(url)
    baud = int(parse_qs(parts.query).get("baud", ["9600"])[0])
    simulated = parts.path.startswith("/dev/pts/")
    return LineTagScanner("serial-scanner", SerialLines(parts.path, baud), simulated=simulated)
