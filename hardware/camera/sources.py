"""Where frames come from: one class per kind of URL. A source opens, yields frames, and says why it stopped.

| URL | source |
|---|---|
| `v4l2:/dev/video0`, `v4l2:0`, with `?width=1920&height=1080&fourcc=MJPG` | a camera on this machine |
| `rtsp://…` | a network camera |
| `http://…`, `https://…` | MJPEG over HTTP |
| `file:PATH`, with `?fps=12` | an image, a `.mjpeg` file or any video, looped at its rate; never a real device |
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import http.client
import ipaddress
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from contracts.errors import ErrorCode
from hardware.camera.jpeg import MAX_PIXELS, MIN_SIDE, JpegSplitter, split_jpegs
from hardware.ports import DeviceError, Frame

if TYPE_CHECKING:
    import cv2

SILENCE_SECONDS = 3.0  # after which a source without bytes is given up and opened again
FILE_RATE = 12.0  # frames per second of a .mjpeg file, which has no rate of its own
STILL_RATE = 8.0
_QUERYCAP, _CAPABILITY_BYTES = 0x80685600, 104  # VIDIOC_QUERYCAP = _IOR('V', 0, struct v4l2_capability)
MAX_FILE_BYTES = 300_000_000
# ffmpeg's defaults wait for whole groups of pictures before the first frame.
_FFMPEG_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|max_delay;0"


class FrameSource(Protocol):
    """Yields frames as they arrive: decoded arrays, or JPEG bytes that are decoded only when somebody looks."""

    name: str
    simulated: bool
    still: bool  # frames are expected to be identical

    def frames(self, stop: threading.Event) -> Iterator[bytes | Frame]:
        """Open and yield until `stop`, the end or a loss. Raises DeviceError with the reason."""
        ...

    def device(self) -> str:
        """Which camera stands behind the stream that is open, as far as the system can tell. No secrets."""
        ...

    def interrupt(self) -> None:
        """Wake a `frames` that waits for bytes, from another thread."""
        ...


def open_source(url: str) -> FrameSource:
    """The source for a URL. Raises DeviceError for an unknown form, or a file that is no picture."""
    parts = urlsplit(url)
    if parts.scheme == "v4l2":
        return V4l2Source(parts)
    if parts.scheme in ("rtsp", "rtsps"):
        return RtspSource(url, parts)
    if parts.scheme in ("http", "https"):
        return HttpMjpegSource(parts)
    if parts.scheme == "file":
        return FileSource(parts)
    raise DeviceError(
        ErrorCode.DEVICE_MISSING,
        f"No camera driver for '{parts.scheme}:'.",
        "The camera is not used.",
        "Name it as v4l2:, rtsp://, http:// or file: in the kiosk's configuration.",
    )


def is_loopback(host: str | None) -> bool:
    """True for this machine: whatever answers there is no camera."""
    if not host or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class V4l2Source:
    name = "opencv-v4l2"
    simulated = False
    still = False

    def __init__(self, parts: SplitResult) -> None:
        self._device = parts.path or "0"
        self._options = parse_qs(parts.query)

    def frames(self, stop: threading.Event) -> Iterator[bytes | Frame]:
        import cv2

        device: int | str = int(self._device) if self._device.isdecimal() else self._device
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
        if "fourcc" in self._options:
            fourcc = cv2.VideoWriter.fourcc(*self._options["fourcc"][0][:4].ljust(4))
            capture.set(cv2.CAP_PROP_FOURCC, fourcc)
        for name, option in (("width", cv2.CAP_PROP_FRAME_WIDTH), ("height", cv2.CAP_PROP_FRAME_HEIGHT)):
            if name in self._options:
                capture.set(option, float(self._options[name][0]))
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        yield from _captured(capture, stop, "The camera", "Check its cable and its path.")

    def device(self) -> str:
        return video_device(int(self._device)) if self._device.isdecimal() else video_device(self._device)

    def interrupt(self) -> None:
        """OpenCV gives a silent V4L2 device up by itself after ten seconds."""


def video_device(device: int | str, root: Path = Path("/")) -> str:
    """Driver, card, bus and serial number of a V4L2 device, as far as the kernel tells (VIDIOC_QUERYCAP, sysfs).

    A device that tells nothing is named by its path alone. Never raises.
    """
    path = root / f"dev/video{device}" if isinstance(device, int) else Path(device)
    told = [str(path)]
    with contextlib.suppress(OSError):
        path = path.resolve()
        described = bytearray(_CAPABILITY_BYTES)
        opened = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(opened, _QUERYCAP, described)
            # struct v4l2_capability: driver[16], card[32], bus_info[32] (linux/videodev2.h)
            parts = (described[:16], described[16:48], described[48:80])
            told += [part.split(b"\0")[0].decode("ascii", "replace") for part in parts]
        finally:
            os.close(opened)
    described_by = root / "sys/class/video4linux" / path.name
    for place in ("name", "device/../serial"):
        with contextlib.suppress(OSError):
            told.append((described_by / place).read_text(encoding="utf-8", errors="replace").strip())
    return " ".join(told)


class RtspSource:
    name = "opencv-rtsp"
    still = False

    def __init__(self, url: str, parts: SplitResult) -> None:
        self._url = url  # may carry a password: never into a message
        self.simulated = is_loopback(parts.hostname)

    def frames(self, stop: threading.Event) -> Iterator[bytes | Frame]:
        import cv2

        os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _FFMPEG_OPTIONS)
        milliseconds = int(SILENCE_SECONDS * 1000)
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        yield from _captured(capture, stop, "The network camera", "Check its address, password and cable.")

    def device(self) -> str:
        return f"{self.name} {urlsplit(self._url).hostname}"

    def interrupt(self) -> None:
        """ffmpeg gives up after `SILENCE_SECONDS` by itself."""


def _captured(capture: cv2.VideoCapture, stop: threading.Event, what: str, action: str) -> Iterator[bytes | Frame]:
    try:
        if not capture.isOpened():
            raise DeviceError(ErrorCode.DEVICE_MISSING, f"{what} does not open.", "No frames.", action)
        while not stop.is_set():
            arrived, image = capture.read()
            if not arrived or image is None:
                raise DeviceError(ErrorCode.CAMERA_NO_FRAME, f"{what} stopped sending.", "No frames.", action)
            yield bounded(image)
    finally:
        capture.release()


class HttpMjpegSource:
    """MJPEG over HTTP, split here rather than by ffmpeg: as fast (60-90 ms from scene to frame, both), but a
    frame that nobody looks at is never decoded, and a camera that is silent or sends rubbish is told apart.
    """

    name = "opencv-http"
    still = False

    def __init__(self, parts: SplitResult) -> None:
        self._parts = parts
        self.simulated = is_loopback(parts.hostname)
        self._socket: socket.socket | None = None

    def frames(self, stop: threading.Event) -> Iterator[bytes | Frame]:
        parts = self._parts
        secure = parts.scheme == "https"
        connecting = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        try:
            connection = connecting(parts.hostname or "", parts.port, timeout=SILENCE_SECONDS)
            with contextlib.closing(connection):
                headers = {"Accept": "multipart/x-mixed-replace, image/jpeg"}
                if parts.username:
                    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
                    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request("GET", target, headers=headers)
                self._socket = connection.sock
                # A camera does not keep connections alive, and http.client drops its socket then: read on anyway.
                with connection.getresponse() as response:
                    if response.status != 200:
                        raise self._lost(f"answered with status {response.status}")
                    yield from self._split(response, stop)
        except TimeoutError:
            raise self._lost("sends nothing") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._lost(f"cannot be reached ({type(error).__name__})") from None
        finally:
            self._socket = None

    def _split(self, response: http.client.HTTPResponse, stop: threading.Event) -> Iterator[bytes]:
        splitter = JpegSplitter()
        last_image = time.monotonic()
        while not stop.is_set():
            chunk = response.read1(262_144)
            if not chunk:
                raise self._lost("closed the stream")
            for image in splitter.feed(chunk):
                last_image = time.monotonic()
                yield image
            if time.monotonic() - last_image > SILENCE_SECONDS:
                raise self._lost("sends what is no picture")

    def device(self) -> str:
        return f"{self.name} {self._parts.hostname}:{self._parts.port}{self._parts.path}"

    def interrupt(self) -> None:
        waiting = self._socket
        if waiting is not None:
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)

    def _lost(self, what: str) -> DeviceError:
        return DeviceError(
            ErrorCode.CAMERA_NO_FRAME,
            f"The network camera at {self._parts.hostname} {what}.",
            "No frames; the kiosk keeps trying.",
            "Check its power, its cable and its address.",
        )


class FileSource:
    """A file in place of a camera: for demonstrations and tests, refused by the production profile."""

    name = "opencv-file"
    simulated = True

    def __init__(self, parts: SplitResult) -> None:
        import cv2

        self._path = Path(unquote(parts.path))
        self._rate = float(parse_qs(parts.query).get("fps", ["0"])[0])
        self._jpegs: list[bytes] = []
        self._image: Frame | None = None
        try:
            if self._path.stat().st_size > MAX_FILE_BYTES:
                raise self._wrong("is too large")
            with self._path.open("rb") as opened:
                beginning = opened.read(3)
        except OSError:
            raise self._wrong("cannot be opened") from None
        if beginning == b"\xff\xd8\xff":
            self._jpegs = split_jpegs(self._path.read_bytes())
            if not self._jpegs or decode(self._jpegs[0]) is None:
                raise self._wrong("is no picture")
        else:
            image = cv2.imread(str(self._path)) if cv2.haveImageReader(str(self._path)) else None
            if image is not None:
                self._image = bounded(image)
            else:
                capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
                readable = capture.isOpened() and capture.read()[0]
                capture.release()
                if not readable:
                    raise self._wrong("is no picture and no film")
        self.still = self._image is not None or len(self._jpegs) == 1

    def frames(self, stop: threading.Event) -> Iterator[bytes | Frame]:
        if self._image is not None:
            return self._paced(itertools.repeat(self._image), self._rate or STILL_RATE, stop)
        if self._jpegs:
            return self._paced(
                itertools.cycle(self._jpegs), self._rate or (STILL_RATE if self.still else FILE_RATE), stop
            )
        return self._film(stop)

    def _film(self, stop: threading.Event) -> Iterator[bytes | Frame]:
        import cv2

        while not stop.is_set():
            capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
            rate = self._rate or capture.get(cv2.CAP_PROP_FPS) or FILE_RATE
            try:
                yield from self._paced(self._once(capture), rate, stop)
            finally:
                capture.release()

    @staticmethod
    def _once(capture: cv2.VideoCapture) -> Iterator[bytes | Frame]:
        while True:
            arrived, image = capture.read()
            if not arrived or image is None:
                return
            yield bounded(image)

    @staticmethod
    def _paced(images: Iterator[bytes | Frame], rate: float, stop: threading.Event) -> Iterator[bytes | Frame]:
        for image in images:
            yield image
            if stop.wait(1 / rate):
                return

    def device(self) -> str:
        return self.name

    def interrupt(self) -> None:
        """Nothing waits here but the pace, which listens to `stop`."""

    def _wrong(self, what: str) -> DeviceError:
        return DeviceError(
            ErrorCode.DEVICE_FAILED,
            f"The file given as a camera {what}.",
            "The camera is not used; travellers go to an officer.",
            "Name an image (JPEG, PNG), a .mjpeg file or a film in the kiosk's configuration.",
        )


def decode(jpeg: bytes) -> Frame | None:
    """The picture as BGR (height, width, 3), or None when OpenCV cannot read it."""
    import cv2
    import numpy as np

    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else bounded(image)


def bounded(image: object) -> Frame:
    """The frame itself when its size is sane. Raises DeviceError otherwise: nothing downstream need ask again."""
    import numpy as np

    array = np.asarray(image)
    if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3:
        height, width = array.shape[:2]
        if min(height, width) >= MIN_SIDE and height * width <= MAX_PIXELS:
            return array
    raise DeviceError(
        ErrorCode.DEVICE_FAILED,
        "The camera's picture has a size or form that is not accepted.",
        "The frame is not used.",
        "Set the camera to a colour picture of at most 40 megapixels.",
    )
