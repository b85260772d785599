"""Bag-tag scanners that pretend to be a keyboard.

`wedge:/dev/input/event3` takes the scanner's key strokes for itself (EVIOCGRAB), so that digits never land in the
traveller's browser. Any other path is a stream of text with one code a line.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import threading
from pathlib import Path
from urllib.parse import urlsplit

from contracts.errors import ErrorCode
from hardware.ports import DeviceError
from hardware.tags.lines import LineTagScanner

_EVENT = struct.Struct("llHHi")  # struct input_event of a 64-bit kernel: time, type, code, value
_EV_KEY, _PRESSED = 1, 1
_EVIOCGRAB = 0x40044590
# linux/input-event-codes.h
_KEYS = {
    **{code: b"%d" % digit for code, digit in zip(range(2, 12), (*range(1, 10), 0), strict=True)},
    **{code: b"%d" % digit for digit, code in enumerate((82, 79, 80, 81, 75, 76, 77, 71, 72, 73))},  # keypad
    28: b"\n",
    96: b"\n",  # keypad Enter
}


def keystrokes(events: bytes) -> bytes:
    """The text of a run of whole `input_event`s; a key that is no digit and no Enter becomes `?`."""
    text = b""
    for _, _, kind, code, value in _EVENT.iter_unpack(events):
        if kind == _EV_KEY and value == _PRESSED:
            text += _KEYS.get(code, b"?")
    return text


class WedgeLines:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = path.is_relative_to("/dev/input")
        self._descriptor: int | None = None

    def read(self, stop: threading.Event) -> bytes:
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
                if self._keys:
                    fcntl.ioctl(self._descriptor, _EVIOCGRAB, 1)
            ready, _, _ = select.select([self._descriptor], [], [], 0.2)
            received = os.read(self._descriptor, _EVENT.size * 64) if ready else b""
        except BlockingIOError:
            return b""
        except OSError:
            self.close()
            raise DeviceError(
                ErrorCode.DEVICE_FAILED,
                "The tag scanner is lost.",
                "Bag tags are not read; the scanner is opened again by itself.",
                "Check the scanner's cable and its path in the kiosk's configuration.",
            ) from None
        if ready and not received:  # nobody writes to the pipe now
            stop.wait(0.1)
        return keystrokes(received) if self._keys else received

    def close(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def open_scanner(url: str) -> LineTagScanner:
    """The scanner at `wedge:PATH`."""
    path = Path(urlsplit(url).path)
    simulated = not path.is_relative_to("/dev") or path.is_relative_to("/dev/pts")
    return LineTagScanner("wedge", WedgeLines(path), simulated=simulated)
