"""Pictures of every kind decode alike; what is no picture is named; a bomb costs nothing."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from kiosk.mrz.image import ENOUGH_PIXELS, Picture, Undecodable, decode_image, refusal

WIDTH, HEIGHT = 120, 80


def scene(mode: str = "RGB") -> Image.Image:
    """Smooth, so that JPEG changes little, and different in each corner."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    pixels = np.stack([x * 2, y * 3, np.full_like(x, 90)], axis=-1).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rgb(data: bytes) -> np.ndarray[Any, Any]:
    picture = decode_image(data)
    assert isinstance(picture, Picture), picture
    assert picture.frame.dtype == np.uint8
    assert picture.frame.flags["C_CONTIGUOUS"]
    assert picture.frame.shape[2] == 3
    return picture.frame[:, :, ::-1].astype(int)


def difference(data: bytes, expected: Image.Image) -> float:
    return float(np.abs(rgb(data) - np.asarray(expected.convert("RGB"), dtype=int)).mean())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF"])
def test_every_format_gives_the_same_picture(kind: str) -> None:
    assert difference(encoded(scene(), kind), scene()) < 6


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK"])
def test_every_colour_model_gives_what_it_shows(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert difference(encoded(scene(mode), kind), scene(mode)) < 2


def test_a_cmyk_jpeg_is_not_shown_as_its_negative() -> None:
    assert difference(encoded(scene("CMYK"), "JPEG", quality=95), scene()) < 6


def test_sixteen_bits_use_the_whole_scale() -> None:
    ramp = np.tile(np.linspace(0, 4095, WIDTH), (HEIGHT, 1)).astype(np.uint16)  # a 12 bit camera
    shown = rgb(encoded(Image.fromarray(ramp), "PNG"))
    assert shown.min() == 0
    assert shown.max() == 255


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    assert rgb(encoded(clear, "PNG")).min() == 255
    palette = Image.new("P", (WIDTH, HEIGHT), 0)
    assert rgb(encoded(palette, "PNG", transparency=0)).min() == 255


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_stands_the_picture_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(scene(), kind, exif=exif)
    assert difference(data, ImageOps.exif_transpose(Image.open(io.BytesIO(data)))) < 2


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference(encoded(scene(), "PNG", exif=exif), scene()) == 0


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("blue", "red", "green")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert difference(data, frames[0]) < 3, kind


def test_a_large_jpeg_is_decoded_smaller_and_an_ordinary_one_is_not() -> None:
    large = Image.effect_noise((4032, 3024), 30).convert("RGB")
    picture = decode_image(encoded(large, "JPEG"))
    assert isinstance(picture, Picture)
    assert picture.reduction == 2
    assert picture.frame.shape == (1512, 2016, 3)
    ordinary = decode_image(encoded(large.resize((2000, 1500)), "JPEG"))
    assert isinstance(ordinary, Picture)
    assert (ordinary.reduction, ordinary.frame.shape) == (1, (1500, 2000, 3))


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_other_large_pictures_are_made_smaller(mode: str) -> None:
    picture = decode_image(encoded(Image.new(mode, (4000, 2500)), "PNG"))
    assert isinstance(picture, Picture)
    assert picture.reduction == 2
    assert picture.frame.shape[0] * picture.frame.shape[1] <= ENOUGH_PIXELS


def test_a_truncated_jpeg_shows_what_is_there_and_says_so() -> None:
    data = encoded(Image.effect_noise((400, 300), 60), "JPEG", quality=90)
    whole, part, end = (decode_image(data[:length]) for length in (len(data), len(data) // 2, len(data) - 2))
    assert isinstance(whole, Picture)
    assert isinstance(part, Picture)
    assert isinstance(end, Picture)
    assert (whole.complete, part.complete, end.complete) == (True, False, False)
    assert np.array_equal(part.frame[:100], whole.frame[:100])
    assert part.frame[-20:].std() < 1, "grey where nothing came"
    assert np.array_equal(end.frame, whole.frame)


def test_the_end_of_an_embedded_preview_is_not_the_end_of_the_picture() -> None:
    preview = encoded(scene(), "JPEG")
    data = encoded(Image.effect_noise((400, 300), 60), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    with_preview = data[:2] + segment + data[2:]
    whole, part = decode_image(with_preview), decode_image(with_preview[: len(segment) + 6000])
    assert isinstance(whole, Picture)
    assert isinstance(part, Picture)
    assert (whole.complete, part.complete) == (True, False)


def test_a_truncated_png_is_refused() -> None:
    data = encoded(Image.effect_noise((400, 300), 60), "PNG")
    assert decode_image(data[: len(data) // 2]) == Undecodable("truncated")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "not_an_image"),
        (b"\x00" * 5000, "not_an_image"),
        (b"%PDF-1.7\n", "unsupported_format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported_format"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "unsupported_format"),
        (b"\xff\xd8\xff\xe0", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (encoded(Image.new("RGB", (1, 1)), "PNG"), "too_small"),
        (encoded(Image.new("RGB", (1, 1)), "JPEG"), "too_small"),
        (encoded(Image.new("RGB", (5000, 3)), "PNG"), "too_small"),
        (encoded(scene(), "PNG") + b"\x00" * 64_000_000, "too_large_file"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, reason: str) -> None:
    assert decode_image(data) == Undecodable(reason)


def png_bomb(side: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6)))


def resized(kind: str, side: int) -> bytes:
    """A small picture whose header claims more."""
    data = bytearray(encoded(scene(), kind))
    if kind == "JPEG":
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = struct.pack(">HH", side, side)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", side, side)
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", side, side)
    elif kind == "WEBP":  # RFC 9649 §3.4: 14 bits each, less one
        data = bytearray(encoded(scene(), "WEBP", lossless=True))
        place = data.index(b"VP8L") + 9
        flags = struct.unpack_from("<I", data, place)[0] >> 28
        struct.pack_into("<I", data, place, (side - 1) | (side - 1) << 14 | flags << 28)
    elif kind == "TIFF":
        for old in (WIDTH, HEIGHT):
            for code in ("<H", "<I"):
                entry = struct.pack("<HH", 256 if old == WIDTH else 257, 3 if code == "<H" else 4)
                entry += struct.pack("<I", 1) + struct.pack(code, old)
                replacement = entry[: -struct.calcsize(code)] + struct.pack(code, side)
                data = bytearray(bytes(data).replace(entry, replacement))
    return bytes(data)


def bombs() -> list[bytes]:
    return [
        png_bomb(30_000),
        png_bomb(10_000),
        *(resized(kind, 30_000) for kind in ("JPEG", "GIF", "BMP", "TIFF")),
        resized("JPEG", 65_500),
        resized("WEBP", 16_000),
    ]


def test_a_bomb_is_refused_by_its_header() -> None:
    for bomb in bombs():
        assert refusal(bomb) == Undecodable("too_many_pixels")
        assert decode_image(bomb) == Undecodable("too_many_pixels")


MEASURE = """
import sys
from pathlib import Path
from kiosk.mrz.image import decode_image
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
decode_image(Path(sys.argv[1]).read_bytes())
before = peak()
for name in sys.argv[2:]:
    decode_image(Path(name).read_bytes())
print(peak() - before)
"""


def test_bombs_take_no_memory(tmp_path: Any) -> None:
    paths = []
    for number, data in enumerate([encoded(scene(), "PNG"), *bombs()]):
        paths.append(tmp_path / f"{number}.bin")
        paths[-1].write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, paths)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20_000, "kilobytes; one bomb decoded would be 2.7 gigabytes"
