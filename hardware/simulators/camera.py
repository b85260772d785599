"""Simulated cameras: MJPEG over loopback HTTP, so that the kiosk's own OpenCV driver reads them.

Each camera shows an empty scene (dark glass, booth, belt), a picture laid before it, or a film. Frames carry a
little sensor noise and are never identical twice running, as with a real sensor; a camera that repeats itself
is a fault, and one that can be asked for. A camera with a `pattern` has the fixed pattern of one sensor in every
frame, films included, and never shows the same frame again: whoever watches for injected streams looks at it.

| fault | |
|---|---|
| `frozen` | the same frame over and over |
| `black`, `garbage`, `no_frames` | as they say |
| `replaced` | another camera on the same line: another sensor, another size of picture |
| `looped` | no sensor: the film's own frames are fed in, over and over |
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from hardware.camera.jpeg import split_jpegs
from hardware.ports import Frame

CameraFault = Literal["frozen", "black", "no_frames", "garbage", "replaced", "looped"]
CAMERA_FAULTS: tuple[str, ...] = get_args(CameraFault)

RATE = 12.5  # frames per second; films are made for about this pace
_VARIANTS = 6  # noisy copies of a still scene, made once and shown in turn
_NOISE = 1.6  # standard deviation, grey levels
_QUALITY = 92
_SENSOR_QUALITY = 97  # of a camera with a pattern, which coarser steps would leave nothing of
_REPLACEMENT = (800, 600)
_BOUNDARY = "frame"

# Of the simulated ultraviolet light, blue, green, red: what brightened paper sends back, what of the lamp's own
# violet comes back from a dull page, an ink that shines yellow-green; and how narrow its lines are (a height).
_BRIGHTENED = np.array([1.0, 0.84, 0.76], np.float32)
_VIOLET = np.array([1.0, 0.6, 0.75], np.float32)
_FLUORESCENT = np.array([70, 205, 150], np.float32)
_LINES = 0.96

Grain = npt.NDArray[np.int16]


class SimulatedCamera:
    """One camera. `show_…` return when the next frame that is sent shows the new scene."""

    def __init__(self, empty: Frame, *, pattern: float = 0.0, serial: int = 1) -> None:
        """`pattern`: standard deviation of the sensor's fixed pattern, grey levels; `serial`: whose it is."""
        self._empty = empty
        self._pattern = _fixed_pattern(empty.shape[:2], pattern, serial) if pattern else None
        self._other_pattern = _fixed_pattern(_REPLACEMENT[::-1], pattern, serial + 1) if pattern else None
        self._film: dict[int, Frame] = {}  # decoded frames of the film that plays, when each needs a pattern
        self._scene = empty
        self._frames: list[bytes] = []
        self._growing = True  # a still scene; it still gets more noisy copies where each is not drawn anew
        self._turn = 0
        self._fault: CameraFault | None = None
        self._shown: tuple[int, bytes] = (0, b"")
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._closed = False
        self._noise = np.random.default_rng()
        self.show_nothing()
        self._pump = threading.Thread(target=self._run, name="simulated camera", daemon=True)
        self._pump.start()

    def show_nothing(self) -> None:
        self._show(self._empty, [self._variant(self._empty)], growing=True)

    def show_picture(self, path: Path) -> None:
        """Lay a picture (PNG, JPEG) before the camera. Raises ValueError when it is none."""
        import cv2

        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{path.name} is no picture")
        self.show_scene(np.asarray(image, np.uint8))

    def show_scene(self, scene: Frame) -> None:
        """Lay a picture before the camera that is in memory already."""
        self._show(scene, [self._variant(scene)], growing=True)

    def show_film(self, path: Path) -> None:
        """Play an MJPEG file over and over. Raises ValueError when it holds no frame."""
        frames = split_jpegs(path.read_bytes())
        if not frames:
            raise ValueError(f"{path.name} is no MJPEG film")
        self._show(self._empty, frames, growing=False)

    @property
    def fault(self) -> CameraFault | None:
        return self._fault

    @fault.setter
    def fault(self, fault: CameraFault | None) -> None:
        with self._changed:
            self._fault = fault
        self._wake.set()

    def parts(self) -> Iterator[bytes]:
        """JPEG bytes, each as soon as it is shown, until the camera is closed. Slow readers miss frames."""
        seen = self._shown[0]
        while True:
            with self._changed:
                while not self._closed and self._shown[0] == seen:
                    self._changed.wait()
                if self._closed:
                    return
                seen, payload = self._shown
            yield payload

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._wake.set()
        self._pump.join(timeout=2.0)

    def _show(self, scene: Frame, frames: list[bytes], growing: bool) -> None:
        with self._changed:
            self._scene, self._frames, self._growing, self._turn = scene, frames, growing, 0
            self._film = {}
        self._wake.set()

    def _run(self) -> None:
        while not self._closed:
            self._wake.clear()
            with self._changed:
                payload = self._next()
                if payload is not None:
                    self._shown = (self._shown[0] + 1, payload)
                    self._changed.notify_all()
                wanted = self._growing and self._pattern is None and len(self._frames) < _VARIANTS
                grow = self._scene if wanted else None
            if grow is not None:  # outside the lock: a scene that is laid down meanwhile goes first
                variant = self._variant(grow)
                with self._changed:
                    if grow is self._scene and self._growing:
                        self._frames.append(variant)
            self._wake.wait(1 / RATE)

    def _next(self) -> bytes | None:
        if self._fault == "no_frames":
            return None
        if self._fault == "frozen":
            return self._shown[1] or self._frames[0]
        if self._fault == "garbage":
            return secrets.token_bytes(4096)
        if self._fault == "black":
            return _noisy(np.zeros_like(self._empty), self._noise, deviation=0.8)
        index = self._turn % len(self._frames)
        self._turn += 1
        payload = self._frames[index]
        return payload if self._pattern is None or self._fault == "looped" else self._sensed(index, payload)

    def _sensed(self, index: int, payload: bytes) -> bytes:
        """A still scene or a film's frame as this camera's sensor sees it; after `replaced`, as another's."""
        import cv2

        scene = self._scene if self._growing else self._film.get(index)
        if scene is None:
            scene = np.asarray(cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR), np.uint8)
            self._film[index] = scene
        pattern = self._pattern
        if self._fault == "replaced":
            scene, pattern = np.asarray(cv2.resize(scene, _REPLACEMENT), np.uint8), self._other_pattern
        return _noisy(scene, self._noise, pattern=pattern)

    def _variant(self, scene: Frame) -> bytes:
        return _noisy(scene, self._noise, pattern=self._pattern)


def _noisy(
    scene: Frame, noise: np.random.Generator, deviation: float = _NOISE, pattern: Grain | None = None
) -> bytes:
    """The scene with sensor noise, as JPEG. Noise is dear: one small tile covers the frame."""
    import cv2

    height, width = scene.shape[:2]
    tile = noise.normal(0, deviation, (256, 256)).astype(np.int16)
    grain = np.tile(tile, (height // 256 + 1, width // 256 + 1))[:height, :width]
    if pattern is not None and pattern.shape == grain.shape:
        grain = grain + pattern
    image = cv2.add(scene, cv2.merge([grain, grain, grain]), dtype=cv2.CV_8U)
    quality = _QUALITY if pattern is None else _SENSOR_QUALITY
    encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise ValueError("the scene cannot be encoded")
    return data.tobytes()


def _fixed_pattern(shape: tuple[int, ...], deviation: float, serial: int) -> Grain:
    """What one sensor adds to each of its frames, pixel by pixel."""
    return np.random.default_rng(serial).normal(0, deviation, shape[:2]).round().astype(np.int16)


def in_infrared(scene: Frame) -> Frame:
    """The scene in near-infrared light (B900): carbon ink and what is dark stay, coloured ink becomes paper."""
    brightest = scene.max(axis=2).astype(np.float32)
    grey = np.clip(30 + (brightest - 30) * 2.2, 0, 236)
    return np.ascontiguousarray(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))


def in_ultraviolet(scene: Frame, *, brightened: bool = False) -> Frame:
    """The scene in ultraviolet light (UV-A, 365 nm).

    Security paper stays dull and shows lines of fluorescent ink. `brightened`: printed on paper with optical
    brighteners, as a copier's is, which glows blue-white wherever no ink covers it.
    """
    import cv2

    grey = np.asarray(cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY), np.uint8)
    levels = np.arange(256, dtype=np.float32)[:, None]
    if brightened:
        table = np.clip((levels - 60) * 1.3, 4, 250) * _BRIGHTENED
    else:
        table = np.clip((levels - 20) * 0.16, 3, 40) * _VIOLET
    seen = cv2.LUT(cv2.merge([grey, grey, grey]), table.astype(np.uint8)[None])
    if not brightened:
        rows = np.arange(scene.shape[0], dtype=np.float32)[:, None] / 21
        bends = 2.6 * np.sin(np.arange(scene.shape[1], dtype=np.float32) / 160)
        seen[(np.sin(rows + bends) > _LINES) & (grey > 150)] = _FLUORESCENT
    return np.asarray(seen, np.uint8)


def dark_glass() -> Frame:
    """What the document camera sees with nothing on it."""
    return _gradient((1040, 1480), (26, 24, 22), (14, 13, 12))


def booth() -> Frame:
    """What the face camera sees with nobody there."""
    return _gradient((480, 640), (196, 200, 200), (168, 172, 174))


def belt() -> Frame:
    """What the tag camera sees with no bag: dark rubber with seams."""
    scene = _gradient((720, 960), (62, 60, 58), (48, 47, 46))
    scene[:, ::160] = 30
    return scene


def _gradient(shape: tuple[int, int], top: Sequence[int], bottom: Sequence[int]) -> Frame:
    ramp = np.linspace(0, 1, shape[0])[:, None, None]
    column = np.asarray(top) * (1 - ramp) + np.asarray(bottom) * ramp
    return np.ascontiguousarray(np.broadcast_to(column, (*shape, 3)).astype(np.uint8))


def stream(handler: BaseHTTPRequestHandler, camera: SimulatedCamera) -> None:
    """Answer a GET with the camera's MJPEG stream (multipart/x-mixed-replace) until either side ends it."""
    handler.send_response(200)
    handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
    handler.send_header("Cache-Control", "no-store")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    with contextlib.suppress(OSError):
        for payload in camera.parts():
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(payload)}\r\n\r\n"
            handler.wfile.write(head.encode() + payload + b"\r\n")
