"""The pixels of a portrait: whatever the bytes are, a picture or nothing, and never much memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hardware.ports import Frame
from kiosk.mrz.image import MAX_BYTES, Picture, decode_image

LARGEST_PORTRAIT = 20_000_000  # pixels
_JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f\xff\x51"  # SOC and SIZ (ISO/IEC 15444-1 A.4.1, A.5.1)


def read_picture(path: Path) -> Frame | None:
    """The picture of a file, or None where there is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        return decode_picture(path.read_bytes())
    except (OSError, ValueError):  # ValueError: a path with a null byte
        return None


def decode_picture(data: bytes) -> Frame | None:
    """BGR pixels, upright as EXIF says, of grey, colour or CMYK; also JPEG 2000, as in chips. Never raises."""
    if data.startswith((_JP2, _CODESTREAM)):
        return _jpeg_2000(data)
    picture = decode_image(data)
    return picture.frame if isinstance(picture, Picture) else None


def _jpeg_2000(data: bytes) -> Frame | None:
    import cv2

    # What it claims to be, before a pixel is decoded: Xsiz and Ysiz stand behind the marker, length and profile.
    start = data.find(_CODESTREAM)
    if start < 0 or len(data) < start + 16:
        return None
    width = int.from_bytes(data[start + 8 : start + 12], "big")
    height = int.from_bytes(data[start + 12 : start + 16], "big")
    if not 0 < width * height <= LARGEST_PORTRAIT:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if image is None or image.shape[0] * image.shape[1] > LARGEST_PORTRAIT:
        return None
    return np.asarray(image, dtype=np.uint8)
