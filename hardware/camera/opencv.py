"""The camera driver: OpenCV behind a reader thread that keeps only the newest frame.

Whoever asks gets the newest frame at once or waits for the next; nobody ever gets a queued, old one. A lost
camera is opened again with growing pauses. A camera whose picture has not changed at all for three seconds is
frozen: a sensor has noise, so identical frames mean that something between sensor and kiosk hangs.
"""

from __future__ import annotations

import threading
import time

import numpy as np

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.camera.sources import FrameSource, decode, open_source
from hardware.ports import CapturedFrame, DeviceError, Frame, Health

FROZEN_SECONDS = 3.0
FRESH_SECONDS = 2.0  # an older frame is not what is before the camera now
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


class OpenCvCamera:
    """A camera that opens by itself and stays open. `latest` may be called from any thread."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._decoding = threading.Lock()
        self._payload: bytes | Frame | None = None
        self._sequence = -1
        self._opening = 0  # how often the source was opened
        self._device = source.name
        self._arrived = 0.0
        self._differs_since = 0.0  # when the picture last differed from the one before
        self._decoded: CapturedFrame | None = None
        self._loss: DeviceError | None = None  # why the source stopped; over with the next frame
        self._undecodable = False  # the newest frame that anybody looked at was no picture
        self._reader = threading.Thread(target=self._read, name=f"camera {source.name}", daemon=True)
        self._reader.start()

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def simulated(self) -> bool:
        return self._source.simulated

    def latest(self, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        deadline = time.monotonic() + seconds
        while True:
            with self._changed:
                while not self._has_newer(after):
                    remaining = deadline - time.monotonic()
                    if remaining <= 0 or self._stop.is_set():
                        raise self._no_frame()
                    self._changed.wait(min(remaining, 0.25))
                payload, sequence, arrived = self._payload, self._sequence, self._arrived
                device, opening = self._device, self._opening
            frame = self._decode(payload, sequence, arrived, device, opening)
            if frame is not None:
                return frame
            after = max(after, sequence)

    def health(self) -> Health:
        with self._changed:
            if self._stop.is_set():
                return Health(DeviceState.STOPPED, "The camera was closed.", ErrorCode.DEVICE_MISSING)
            delivering = self._has_newer(-1)
            payload, sequence, arrived = self._payload, self._sequence, self._arrived
            device, opening = self._device, self._opening
        # After a frame that was no picture, look whether they are pictures again.
        if delivering and not (
            self._undecodable and self._decode(payload, sequence, arrived, device, opening) is None
        ):
            return Health(DeviceState.WORKING)
        error = self._no_frame()
        return Health(DeviceState.STOPPED, error.what, error.code)

    def close(self) -> None:
        self._stop.set()
        self._source.interrupt()
        self._reader.join(timeout=2.0)
        with self._changed:
            self._payload = self._decoded = None  # nothing of the last traveller stays in memory
            self._changed.notify_all()

    def _has_newer(self, after: int) -> bool:
        now = time.monotonic()
        return (
            self._loss is None
            and self._payload is not None
            and self._sequence > after
            and now - self._arrived <= FRESH_SECONDS
            and (self._source.still or self._arrived - self._differs_since <= FROZEN_SECONDS)
        )

    def _no_frame(self) -> DeviceError:
        now = time.monotonic()
        if self._loss is not None:
            return DeviceError(ErrorCode.CAMERA_NO_FRAME, self._loss.what, self._loss.follows, self._loss.action)
        if self._payload is None or now - self._arrived > FRESH_SECONDS:
            what = "The camera sends no frames."
        elif not self._source.still and self._arrived - self._differs_since > FROZEN_SECONDS:
            what = "The camera's picture is frozen: identical frames for more than three seconds."
        elif self._undecodable:
            what = "The camera sends what is no picture."
        else:
            what = "The camera sent no new frame in time."
        return DeviceError(
            ErrorCode.CAMERA_NO_FRAME,
            what,
            "Travellers go to an officer.",
            "Check the camera's power and cable, then restart it.",
        )

    def _decode(
        self, payload: bytes | Frame | None, sequence: int, arrived: float, device: str = "", opening: int = 0
    ) -> CapturedFrame | None:
        """The frame, decoded once for all who ask; None when it is no picture."""
        with self._decoding:
            known = self._decoded
            if known is not None and known.sequence == sequence:
                return known
            try:
                image = decode(payload) if isinstance(payload, bytes) else payload
            except DeviceError:
                image = None
            self._undecodable = image is None
            if image is None:
                return None
            frame = CapturedFrame(image, sequence, arrived, device, opening)
            self._decoded = frame
            return frame

    def _read(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            try:
                device, first = self._source.name, True
                for payload in self._source.frames(self._stop):
                    if first:  # it is open now
                        device, first = self._source.device(), False
                        with self._changed:
                            self._opening += 1
                    self._keep(payload, device)
                    pause = _FIRST_PAUSE
                    if self._stop.is_set():
                        return
            except DeviceError as error:
                self._lose(error)
            except Exception as error:  # a decoder's own exception must not end the camera
                what = f"The camera's driver failed ({type(error).__name__})."
                self._lose(DeviceError(ErrorCode.DEVICE_FAILED, what, "No frames."))
            self._stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _lose(self, error: DeviceError) -> None:
        with self._changed:
            self._loss = error
            self._payload = self._decoded = None
            self._changed.notify_all()

    def _keep(self, payload: bytes | Frame, device: str) -> None:
        now = time.monotonic()
        with self._changed:
            self._device = device
            if not _same(self._payload, payload) or now - self._arrived > FRESH_SECONDS:
                self._differs_since = now
            self._payload = payload
            self._sequence += 1
            self._arrived = now
            self._loss = None
            decoded = self._decoded
            if decoded is not None and now - decoded.at > FRESH_SECONDS:
                self._decoded = None  # nobody looks any more: the last traveller's picture goes
            self._changed.notify_all()


def _same(one: bytes | Frame | None, other: bytes | Frame) -> bool:
    if isinstance(one, bytes) or isinstance(other, bytes) or one is None:
        return isinstance(one, bytes) and isinstance(other, bytes) and one == other
    return one is other or np.array_equal(one, other)


def open_camera(url: str) -> OpenCvCamera:
    """The camera at a URL (forms in `hardware.camera.sources`).

    A camera that is not there yet is waited for in the background. Raises DeviceError for an unknown form of
    URL and for a file that is no picture.
    """
    return OpenCvCamera(open_source(url))
