"""Any bytes become a picture, or a reason why not: never an exception, and never much memory.

What an image claims to be is read off its header, before a pixel is decoded: a bomb is refused in milliseconds.
Pillow decodes, from an explicit list of formats; its other plugins (one starts Ghostscript) are never tried.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.ports import Frame
from kiosk.mrz.containers import Build, build_of, directory_is_sound

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 64_000_000  # of the file
MAX_PIXELS = 50_000_000  # a 48 megapixel telephone, an A4 page at 600 dpi
MAX_WORKING_BYTES = 100_000_000  # decoded, before it is made smaller; 25 megapixels in colour
MAX_SCANNED = 400_000_000  # pixels of all scans of a JPEG together: 24 of 16 megapixels; encoders make about ten
MIN_SIDE, MAX_SIDE = 16, 65_535  # pixels; three lines of text need more, and no JPEG can have more
ENOUGH_PIXELS = 8_000_000  # more is decoded at half, quarter or eighth the scale
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF")

_END_OF_IMAGE = b"\xff\xd9"
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "LA": 4, "I;16": 2, "I;16B": 2, "I;16L": 2}  # in Pillow; others 4
_COEFFICIENT_BYTES = 6  # of a JPEG in several scans libjpeg keeps all: 16 bits, three components
_TILE_BYTES = 4  # at most, a pixel; libtiff holds one whole tile, however large beside the picture
_WEBP_BYTES = 12  # libwebp composes frames on two canvases of four bytes a pixel, and Pillow copies one
_STRIP = 128  # rows of the result
# EXIF orientation (CIPA DC-008 §4.6.5.1.6): quarter turns anticlockwise, then mirrored left to right.
_ORIENTATIONS = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}
# Recognised, so that the reason can say more than "not an image".
_UNSUPPORTED = (b"%PDF", b"%!PS", b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51", b"8BPS")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"II*\x00", b"MM\x00*", b"BM", b"RIFF", b"GIF8")


@dataclass(frozen=True, repr=False)
class Picture:
    """`frame` is upright as EXIF says, BGR, (height, width, 3), uint8; of several frames it is the first.

    `reduction` is 1, 2, 4 or 8: how many times smaller than stored. `complete` is False for a JPEG that ends
    early: what is there is shown, the rest is grey.
    """

    frame: Frame
    reduction: int = 1
    complete: bool = True


@dataclass(frozen=True)
class Undecodable:
    """Why there is no picture. `reason` is one of empty, not_an_image, unsupported_format, too_large_file,
    too_many_pixels, too_small, truncated, damaged.
    """

    reason: str


def decode_image(data: bytes) -> Picture | Undecodable:
    """The picture in a file's bytes (JPEG, PNG, TIFF, BMP, WebP, GIF). Never raises, whatever the bytes.

    Colour models, 16 bit, palettes and transparency (on white) become 8 bit BGR.
    """
    with _quiet():
        opened = _open(data)
        if isinstance(opened, Undecodable):
            return opened
        image, complete = opened
        try:
            reduction = _reduce_while_decoding(image)
            image.load()
            turns, mirrored = _ORIENTATIONS.get(_orientation(image), (0, False))
            frame, shrunk = _small_enough(image)
        except MemoryError:
            return Undecodable("too_many_pixels")
        except Exception as error:  # libraries raise whatever they like on odd images
            return Undecodable("truncated" if "truncated" in str(error) else "damaged")
    frame = np.rot90(frame, turns)
    if mirrored:
        frame = frame[:, ::-1]
    return Picture(np.ascontiguousarray(frame), reduction * shrunk, complete)


def refusal(data: bytes) -> Undecodable | None:
    """What the header alone says against decoding, without a pixel decoded; None when it says nothing."""
    with _quiet():
        opened = _open(data)
    return opened if isinstance(opened, Undecodable) else None


def _open(data: bytes) -> tuple[Any, bool] | Undecodable:
    """The image with its header read, and whether its file is complete."""
    from PIL import Image

    _register_formats()
    if not data:
        return Undecodable("empty")
    if len(data) > MAX_BYTES:
        return Undecodable("too_large_file")
    build = build_of(data)
    if not build.sound:
        return Undecodable("damaged")
    if not build.complete:
        data += _END_OF_IMAGE  # then libjpeg fills what is missing with grey instead of giving nothing
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return Undecodable("too_many_pixels")
    except Exception:
        return Undecodable(_kind(data))
    width, height = image.size
    too_much_work = build.scans * width * height > MAX_SCANNED or _working_bytes(image, build) > MAX_WORKING_BYTES
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE or too_much_work:
        return Undecodable("too_many_pixels")
    if min(width, height) < MIN_SIDE:
        return Undecodable("too_small")
    return image, build.complete


def _register_formats() -> None:
    """Importing a plugin registers its format; for a format that is missing Pillow would import all forty."""
    from PIL import (  # noqa: F401
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )


def _kind(data: bytes) -> str:
    """What to call bytes that no decoder opened."""
    if data.startswith(_UNSUPPORTED) or data[4:8] == b"ftyp":
        return "unsupported_format"
    return "damaged" if data.startswith(_SIGNATURES) else "not_an_image"


def _working_bytes(image: Any, build: Build) -> int:
    pixels = _pixels(image)
    if image.format in ("JPEG", "MPO"):
        if build.keeps_coefficients:
            return pixels * _COEFFICIENT_BYTES
        return 4 * pixels // _reduction(pixels) ** 2
    if image.format == "WEBP":
        return pixels * _WEBP_BYTES
    return pixels * _BYTES_PER_PIXEL.get(image.mode, 4) + _tile_pixels(image) * _TILE_BYTES


def _tile_pixels(image: Any) -> int:
    """TIFF 6.0 §15: the width and length of its tiles; 0 where it has none."""
    if image.format != "TIFF":
        return 0
    sides = [image.tag_v2.get(tag, 0) for tag in (322, 323)]
    return sides[0] * sides[1] if all(isinstance(side, int) for side in sides) else 0


def _pixels(image: Image.Image) -> int:
    return image.width * image.height


def _reduction(pixels: int) -> int:
    reduction = 1
    while pixels > ENOUGH_PIXELS * reduction**2 and reduction < 8:
        reduction *= 2
    return reduction


def _reduce_while_decoding(image: Image.Image) -> int:
    """Tell libjpeg to decode at a smaller scale, which costs less than decoding all and shrinking."""
    reduction = _reduction(_pixels(image))
    if reduction == 1 or image.format not in ("JPEG", "MPO"):
        return 1
    width = image.width
    image.draft(image.mode, (max(1, image.width // reduction), max(1, image.height // reduction)))
    return round(width / image.width)


def _orientation(image: Image.Image) -> int:
    stored = image.info.get("exif")
    if isinstance(stored, bytes) and not directory_is_sound(stored.removeprefix(b"Exif\x00\x00")):
        return 1
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # damaged EXIF is no reason to refuse the picture
        return 1
    return value if isinstance(value, int) else 1


def _small_enough(image: Image.Image) -> tuple[Frame, int]:
    """The picture in BGR, and how many times it was reduced for that: strip by strip, or the copies of a large
    picture would weigh more than itself.
    """
    import cv2

    levels = image.getextrema() if image.mode[0] in "IF" else None
    factor = _reduction(_pixels(image))
    if factor == 1:
        return _bgr(image, levels), 1
    width, height = image.width // factor, image.height // factor
    frame = np.empty((height, width, 3), dtype=np.uint8)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        strip = _bgr(image.crop((0, top * factor, width * factor, bottom * factor)), levels)
        cv2.resize(strip, (width, bottom - top), dst=frame[top:bottom], interpolation=cv2.INTER_AREA)
    return frame, factor


def _bgr(image: Image.Image, levels: Any) -> Frame:
    import cv2

    if levels is not None:  # 16 or 32 bit grey, or floating point
        return _as_bgr(_stretched(np.asarray(image, dtype=np.float32), *levels))
    if image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        image = _on_white(image.convert("RGBA"))
    elif image.mode in ("1", "L"):
        return _as_bgr(np.asarray(image if image.mode == "L" else image.convert("L")))
    pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    from PIL import Image as Module

    return Module.alpha_composite(Module.new("RGBA", image.size, (255, 255, 255, 255)), image)


def _as_bgr(grey: np.ndarray[Any, Any]) -> Frame:
    import cv2

    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def _stretched(values: np.ndarray[Any, Any], low: float, high: float) -> Frame:
    """The brightest value of the picture becomes white: 10 and 12 bit cameras use a part of 16 bits only."""
    low = min(0.0, low)
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (255.0 / max(high - low, 1e-9))
    return np.asarray(np.clip(scaled, 0, 255), dtype=np.uint8)


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns about bombs and damaged metadata: the first is refused here, the second does no harm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
