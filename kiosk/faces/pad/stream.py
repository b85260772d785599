"""Whether the frames still come from the camera that has been there, and come from a sensor at all.

Injection attacks never show the camera anything: they replace it. What gives them away is the stream itself, in
the spirit of CEN/TS 18099. Findings, each a reason of the check `presentation_attack`:

| reason | what was seen |
|---|---|
| `camera_replaced` | another device, another size of picture, or a sensor with another fixed pattern |
| `virtual_camera` | a driver that is software: loopback, screen capture |
| `stream_interrupted` | the stream was opened anew while a face was looked at |
| `stream_frozen` | the same pixels again and again: a sensor has noise |
| `stream_repeats` | a frame that was there some frames ago, pixel for pixel: a film in a loop |

What the watch knows of the camera it learns while nobody stands there (`learn`), and keeps: size, device, and the
fixed pattern of the sensor; device and size outlast a restart (`installed.py`). Many cameras compress so hard that
no pattern is left, and a wall's own texture may pass for one: it counts only after it was seen again with somebody
before the wall.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from hardware.ports import CapturedFrame, Frame
from kiosk.faces.pad.installed import Known

Residue = npt.NDArray[np.float32]

_SOFTWARE = ("loopback", "akvcam", "obs", "virtual", "dummy", "vivid", "manycam", "droidcam", "screen")
_FROZEN = 4  # the same pixels so often in a row
_REMEMBERED = 400  # frames, half a minute of them
LEARNT = 12  # frames from which a fixed pattern is taken
_SIDE = 256  # of the middle of the frame on which patterns are compared
_SMOOTH = 3.0  # grey levels: rougher places carry the scene and not the sensor
_OBSERVABLE = 0.25  # correlation of one half of what was learnt with the other: below, no pattern can be seen
_OTHER = 0.08  # below, it is another sensor
_LEAST = 4_000  # smooth pixels that a comparison needs


class StreamWatch:
    """Watches one camera for as long as the kiosk runs. Keeps hashes and one average of noise, no pictures."""

    def __init__(self) -> None:
        self._device: str | None = None
        self._size: tuple[int, int] | None = None
        self._pattern: Residue | None = None
        self._confirmed = False
        self._known: list[Residue] = []
        self._opening: int | None = None
        self._seen: OrderedDict[bytes, int] = OrderedDict()
        self._sequence = -1
        self._still = 0
        self._found: str | None = None
        self._residues: list[Residue] = []

    def learn(self, frame: CapturedFrame) -> None:
        """Take a frame that nobody stands before as one of the camera that belongs here."""
        self._device, self._size = frame.device, (frame.image.shape[0], frame.image.shape[1])
        self._known.append(_residue(frame.image))
        if len(self._known) == LEARNT:
            halves = [np.mean(self._known[start::2], axis=0) for start in (0, 1)]
            strength = _correlation(halves[0], halves[1])
            observable = strength is not None and strength >= _OBSERVABLE
            self._pattern = np.asarray(np.mean(self._known, axis=0), np.float32) if observable else None
            self._confirmed = False
            self._known.clear()

    @property
    def known(self) -> Known | None:
        """The camera that the watch takes for the one that belongs here."""
        return None if self._device is None or self._size is None else Known(self._device, self._size)

    def expect(self, camera: Known) -> None:
        """Whatever was learnt, this camera is the one that belongs here."""
        if camera != self.known:
            self._pattern = None  # of a sensor that does not belong here
        self._device, self._size = camera.device, camera.size

    @property
    def learnt(self) -> bool:
        """Whether the camera is known, its pattern included where it has one."""
        return self._size is not None and not self._known

    def begin(self) -> None:
        """A try begins: what was seen before it does not count against it."""
        self._opening, self._still, self._found = None, 0, None
        self.forget()

    def forget(self) -> None:
        """A try is over: nothing of whoever stood there stays. What is known of the camera does."""
        self._seen.clear()
        self._residues.clear()

    def see(self, frame: CapturedFrame) -> None:
        """Take a frame of a try."""
        if frame.sequence == self._sequence and self._seen:
            return
        self._sequence = frame.sequence
        if any(word in frame.device.lower() for word in _SOFTWARE):
            self._find("virtual_camera")
        if self._size is not None and (frame.image.shape[:2] != self._size or frame.device != self._device):
            self._find("camera_replaced")
        if self._opening is not None and frame.opening != self._opening:
            self._find("stream_interrupted")
        self._opening = frame.opening
        self._repeated(frame)
        if self._pattern is not None and len(self._residues) < LEARNT and frame.image.shape[:2] == self._size:
            self._residues.append(_residue(frame.image))

    def finding(self) -> str | None:
        """The reason of a finding of this try, or None."""
        if self._found is None and self._pattern is not None and len(self._residues) >= LEARNT // 2:
            seen = np.asarray(np.mean(self._residues, axis=0), np.float32)
            alike = _correlation(self._pattern, seen)
            if alike is not None and alike >= _OBSERVABLE:
                self._confirmed = True
            elif alike is not None and alike < _OTHER and self._confirmed:
                self._find("camera_replaced")
        return self._found

    def _repeated(self, frame: CapturedFrame) -> None:
        # One pixel in 64 is enough: noise leaves none of them alone.
        digest = hashlib.blake2b(frame.image[::8, ::8].tobytes(), digest_size=16).digest()
        last = next(reversed(self._seen), None)
        if digest == last:
            self._still += 1
            if self._still >= _FROZEN:
                self._find("stream_frozen")
            return
        self._still = 0
        if digest in self._seen:
            self._find("stream_repeats")
        self._seen[digest] = frame.sequence
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _find(self, reason: str) -> None:
        self._found = self._found or reason


def _residue(image: Frame) -> Residue:
    """What is left of the middle of a frame when everything smooth is taken away; rough places are nought."""
    import cv2

    height, width = image.shape[:2]
    top, left = max(0, (height - _SIDE) // 2), max(0, (width - _SIDE) // 2)
    grey = cv2.cvtColor(image[top : top + _SIDE, left : left + _SIDE], cv2.COLOR_BGR2GRAY).astype(np.float32)
    fine = grey - cv2.medianBlur(grey, 5)
    rough = cv2.blur(np.abs(fine), (9, 9)) > _SMOOTH
    fine[rough] = 0
    return np.asarray(fine, np.float32)


def _correlation(one: Residue, other: Residue) -> float | None:
    """How alike two averages of residues are, over the places that are smooth in both; None: too few."""
    if one.shape != other.shape:
        return None
    both = (one != 0) & (other != 0)
    if int(both.sum()) < _LEAST:
        return None
    a, b = one[both], other[both]
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else None
