"""What scanners share that send each code as a line of text: a thread reads, `read_tag` takes what comes next."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import Protocol

from contracts.api import DeviceState
from hardware.ports import DeviceError, Health, TagReading
from hardware.tags.camera_scanner import ten_digits

_MAX_LINE = 256
_REOPEN_SECONDS = 1.0


class LineSource(Protocol):
    """Bytes of text from a scanner."""

    def read(self, stop: threading.Event) -> bytes:
        """Some bytes, or none when nothing came for a moment. Raises DeviceError when the scanner is lost."""
        ...

    def close(self) -> None: ...


class LineTagScanner:
    """A hand-held or fixed scanner that decodes by itself. Only ten digits pass; other codes are passed over."""

    def __init__(self, name: str, source: LineSource, *, simulated: bool) -> None:
        self.name = name
        self.simulated = simulated
        self._source = source
        self._codes: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._loss: DeviceError | None = None
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read, name=f"tag scanner {name}", daemon=True)
        self._reader.start()

    def read_tag(self, seconds: float) -> TagReading | None:
        """The next code that comes: what was scanned before the call belongs to somebody else's bag."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(queue.Empty):
            while True:
                self._codes.get_nowait()
        while (remaining := deadline - time.monotonic()) > 0:
            if self._loss is not None:
                raise self._loss
            with contextlib.suppress(queue.Empty):
                for plate in ten_digits([self._codes.get(timeout=min(remaining, 0.2))]):
                    return TagReading(plate, 1)
        return None

    def health(self) -> Health:
        if self._loss is None:
            return Health(DeviceState.WORKING)
        return Health(DeviceState.STOPPED, self._loss.what, self._loss.code)

    def close(self) -> None:
        self._stop.set()
        self._reader.join(timeout=2.0)
        self._source.close()

    def _read(self) -> None:
        pending = b""
        while not self._stop.is_set():
            try:
                received = self._source.read(self._stop)
                self._loss = None
            except DeviceError as error:
                self._loss = error
                pending = b""
                self._stop.wait(_REOPEN_SECONDS)
                continue
            *lines, pending = (pending + received).replace(b"\r", b"\n").split(b"\n")
            pending = pending[-_MAX_LINE:]
            for line in lines:
                if line.strip():
                    self._codes.put(line.strip().decode("ascii", "replace"))
