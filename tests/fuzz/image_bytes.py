"""What the fuzzers start from and what they hold the decoder to: shared by hypothesis and atheris."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from kiosk.mrz.image import ENOUGH_PIXELS, MIN_SIDE, Picture, Undecodable, decode_image

REASONS = {
    *("empty", "not_an_image", "unsupported_format", "too_large_file", "too_many_pixels", "too_small"),
    *("truncated", "damaged"),
}


def seeds() -> list[bytes]:
    """One small file of every format, colour model and compression that the decoder may meet."""
    y, x = np.mgrid[0:24, 0:40]
    colour = Image.fromarray(np.stack([x * 6, y * 10, x * y % 255], axis=-1).astype(np.uint8))
    deep = Image.fromarray((x * y * 16).astype(np.uint16))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = [
        (colour, "JPEG", {"exif": exif}),
        (colour, "JPEG", {"progressive": True}),
        (colour.convert("CMYK"), "JPEG", {}),
        (colour, "PNG", {"exif": exif}),
        (colour.convert("P"), "PNG", {"transparency": 3}),
        (colour.convert("RGBA"), "PNG", {}),
        (deep, "PNG", {}),
        (colour, "TIFF", {"compression": "tiff_lzw"}),
        (colour, "TIFF", {"compression": "tiff_adobe_deflate"}),
        (colour.convert("1"), "TIFF", {"compression": "group4"}),
        (deep, "TIFF", {}),
        (colour, "BMP", {}),
        (colour.convert("P"), "BMP", {}),
        (colour, "GIF", {"save_all": True, "append_images": [colour.rotate(90)]}),
        (colour, "WEBP", {"lossless": True, "exif": exif}),
        (colour, "WEBP", {"save_all": True, "append_images": [colour.rotate(90)]}),
        (colour, "MPO", {"save_all": True, "append_images": [colour.rotate(90)]}),
    ]
    encoded = []
    for image, kind, options in files:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        encoded.append(buffer.getvalue())
    return encoded


def hold(data: bytes) -> Picture | Undecodable:
    """Decode, and fail where the decoder's promise is broken."""
    result = decode_image(data)
    if isinstance(result, Undecodable):
        assert result.reason in REASONS
        return result
    height, width, channels = result.frame.shape
    assert channels == 3
    assert result.frame.dtype == np.uint8
    assert height * width <= ENOUGH_PIXELS
    assert min(height, width) * result.reduction >= MIN_SIDE - result.reduction
    return result
