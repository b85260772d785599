"""Reads bag tags from camera frames with zxing-cpp: Interleaved 2 of 5, ten digits, no check digit.

A slanted Interleaved 2 of 5 yields wrong, mostly shorter numbers, and the code has no check digit. So the frame
is turned in steps of 15° until the bars stand upright, only ten digits count, two different numbers in one frame
count for nothing, and two frames have to agree (IATA RP 740).
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from contracts.api import DeviceState
from hardware.camera.opencv import open_camera
from hardware.ports import Camera, DeviceError, Frame, Health, TagReading

AGREEING_FRAMES = 2
# zxing-cpp looks along rows and columns, so turning by up to 75° covers the circle.
ANGLES = (0, 15, 75, 30, 60, 45)
_LONGEST_SIDE = 1280  # more pixels cost time and gain nothing at the distance of a belt


class CameraTagScanner:
    """A bag-tag scanner over any camera."""

    name = "zxing-camera"

    def __init__(self, camera: Camera) -> None:
        self._camera = camera

    @property
    def simulated(self) -> bool:
        return self._camera.simulated

    def read_tag(self, seconds: float) -> TagReading | None:
        deadline = time.monotonic() + seconds
        votes: dict[str, int] = {}
        angle, sequence = 0, -1
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            try:
                frame = self._camera.latest(remaining, after=sequence)
            except DeviceError:
                if time.monotonic() >= deadline and sequence >= 0:
                    return None  # frames came, the time is over
                raise
            sequence = frame.sequence
            found = find_plate(frame.image, first=angle)
            if found is None:
                continue
            plate, angle = found
            votes[plate] = votes.get(plate, 0) + 1
            # A number that other frames contradict needs a clear lead, not just a second vote.
            others = sum(count for other, count in votes.items() if other != plate)
            if votes[plate] - others >= AGREEING_FRAMES:
                return TagReading(plate, votes[plate])

    def health(self) -> Health:
        state = self._camera.health()
        if state.state is DeviceState.WORKING:
            return state
        return Health(state.state, f"Tag scanner: {state.detail}", state.error)

    def close(self) -> None:
        self._camera.close()


def find_plate(image: Frame, first: int = 0) -> tuple[str, int] | None:
    """The one licence plate in a frame and the angle (degrees) at which it was read, or None.

    `first` is the angle to try before all others: a tag that lies still keeps its angle.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    scale = _LONGEST_SIDE / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for angle in (first, *(other for other in ANGLES if other != first)):
        plates = _plates(_turned(grey, angle) if angle else grey)
        if len(plates) == 1:
            return plates.pop(), angle
        if plates:
            return None  # two tags in view: an officer's matter
    return None


def _turned(grey: object, angle: int) -> object:
    """The picture turned by `angle` degrees on a canvas that holds all of it."""
    import cv2
    import numpy as np

    array = np.asarray(grey)
    height, width = array.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    new_width, new_height = int(height * sin + width * cos), int(height * cos + width * sin)
    turn[0, 2] += new_width / 2 - width / 2
    turn[1, 2] += new_height / 2 - height / 2
    return cv2.warpAffine(array, turn, (new_width, new_height), flags=cv2.INTER_LINEAR, borderValue=(128,))


def _plates(grey: object) -> set[str]:
    import zxingcpp

    read = zxingcpp.read_barcodes(
        grey,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.ITF),
        try_rotate=True,
        try_downscale=False,
        try_invert=False,
    )
    return set(ten_digits(barcode.text for barcode in read))


def ten_digits(texts: Iterable[str]) -> Iterable[str]:
    """Those that can be a licence plate: exactly ten ASCII digits."""
    return (text for text in texts if len(text) == 10 and text.isascii() and text.isdecimal())


def open_scanner(url: str) -> CameraTagScanner:
    """The scanner at `camera:` followed by a camera's URL. Raises DeviceError as the camera does."""
    return CameraTagScanner(open_camera(url.removeprefix("camera:")))
