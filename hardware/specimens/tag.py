"""Draws a bag tag as the scanner's camera sees it: an IATA licence plate in Interleaved 2 of 5 on a paper loop."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# Wide bars and spaces of each digit (ISO/IEC 16390): N narrow, W wide.
_PATTERNS = ("NNWWN", "WNNNW", "NWNNW", "WWNNN", "NNWNW", "WNWNN", "NWWNN", "NNNWW", "WNNWN", "NWNWN")
_MODULE = 3  # pixels of a narrow bar; zxing reads from two on
_WIDE = 3 * _MODULE
_QUIET = 10 * _MODULE
_BAR_HEIGHT = 96
SCENE = (800, 600)


def interleaved_2_of_5(digits: str) -> list[int]:
    """Widths in pixels of the bars and spaces in turn, beginning and ending with a bar.

    Raises ValueError for anything but an even number of digits (ISO/IEC 16390 §4).
    """
    if not digits.isdecimal() or not digits.isascii() or len(digits) % 2:
        raise ValueError("an even number of digits is needed")
    widths = [_MODULE] * 4
    for first, second in zip(digits[::2], digits[1::2], strict=True):
        for bar, space in zip(_PATTERNS[int(first)], _PATTERNS[int(second)], strict=True):
            widths += [_WIDE if bar == "W" else _MODULE, _WIDE if space == "W" else _MODULE]
    return [*widths, _WIDE, _MODULE, _MODULE]


def draw_tag(licence_plate: str, degrees: int = 0) -> bytes:
    """The tag on a dark belt, turned by `degrees`, as PNG of 800 x 600 pixels."""
    from hardware.specimens.page import sans

    widths = interleaved_2_of_5(licence_plate)
    paper = Image.new("RGB", (sum(widths) + 2 * _QUIET, 330), (244, 243, 238))
    pen = ImageDraw.Draw(paper)
    pen.rectangle((0, 0, paper.width, 46), fill=(32, 74, 104))
    pen.text((_QUIET, 34), "SPECIMEN  UTP", font=sans(2.0, bold=True), fill=(244, 243, 238), anchor="ls")
    pen.text((paper.width // 2, 104), "AMAUROT", font=sans(2.6, bold=True), fill=(24, 26, 30), anchor="ms")
    x = _QUIET
    for index, width in enumerate(widths):
        if index % 2 == 0:
            pen.rectangle((x, 128, x + width - 1, 128 + _BAR_HEIGHT), fill=(20, 20, 22))
        x += width
    pen.text((paper.width // 2, 276), licence_plate, font=sans(2.2), fill=(24, 26, 30), anchor="ms")
    turned = paper.convert("RGBA").rotate(degrees, resample=Image.Resampling.BICUBIC, expand=True)
    scene = Image.new("RGB", SCENE, (46, 47, 50))
    scene.paste(turned, ((SCENE[0] - turned.width) // 2, (SCENE[1] - turned.height) // 2), turned)
    random = np.random.default_rng(int(licence_plate))
    soft = np.asarray(scene.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    noisy = np.clip(soft + random.normal(0, 2.0, (*soft.shape[:2], 1)), 0, 255).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(noisy).save(out, "PNG", compress_level=3)
    return out.getvalue()
