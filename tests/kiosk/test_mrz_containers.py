"""Small pictures in files of a million parts: refused in no time; what cameras and editors write is not."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from kiosk.mrz.containers import MOST_EXIF, MOST_PARTS, MOST_TAGS, MOST_VALUES, Build, build_of
from kiosk.mrz.image import Picture, Undecodable, decode_image, refusal

DAMAGED, TOO_MANY = Undecodable("damaged"), Undecodable("too_many_pixels")
TIFF_BYTE, TIFF_SHORT, TIFF_LONG = 1, 3, 4


def encoded(kind: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 90).save(buffer, kind, **options)
    return buffer.getvalue()


def behind_the_beginning(jpeg: bytes, more: bytes) -> bytes:
    return jpeg[:2] + more + jpeg[2:]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def directory(*entries: tuple[int, int, int, int], more: bytes = b"") -> bytes:
    """A TIFF directory of entries (tag, type, number of values, value or place)."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + body + bytes(4) + more


def greys(*more: tuple[int, int, int, int], side: int = 64) -> bytes:
    """A grey TIFF in one strip, its samples right behind the directory."""
    at = 8 + 2 + 12 * (9 + len(more)) + 4
    own = [(256, TIFF_LONG, 1, side), (257, TIFF_LONG, 1, side), (258, TIFF_SHORT, 1, 8), (259, TIFF_SHORT, 1, 1)]
    own += [(262, TIFF_SHORT, 1, 1), (273, TIFF_LONG, 1, at), (277, TIFF_SHORT, 1, 1), (278, TIFF_LONG, 1, side)]
    own += [(279, TIFF_LONG, 1, side * side)]
    return directory(*own, *more, more=bytes(side * side))


JPEG, PNG, GIF = encoded("JPEG"), encoded("PNG"), encoded("GIF", mode="P")
PNG_HEAD, GIF_HEAD = 8 + 25, GIF.index(b",")
LAST_SCAN = encoded("JPEG", progressive=True)[encoded("JPEG", progressive=True).rindex(b"\xff\xda") : -2]
MANY_EXIF = segment(0xE1, b"Exif\x00\x00" + bytes(60_000)) * (MOST_EXIF // 60_000 + 1)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(behind_the_beginning(JPEG, segment(0xE5, b"") * MOST_PARTS), id="segments"),
        pytest.param(behind_the_beginning(JPEG, b"\xff" * (MOST_PARTS + 3)), id="fill bytes"),
        pytest.param(behind_the_beginning(JPEG, b"\xff\x00" * MOST_PARTS), id="no markers"),
        pytest.param(behind_the_beginning(JPEG, b"x" * (MOST_PARTS + 3)), id="junk"),
        pytest.param(behind_the_beginning(JPEG, b"\xff\xd9" + b"\xff\xd0" * 99), id="an end before the beginning"),
        pytest.param(behind_the_beginning(JPEG, MANY_EXIF), id="much EXIF"),
        pytest.param(encoded("JPEG", progressive=True)[:-2] + LAST_SCAN * MOST_PARTS, id="scans"),
        pytest.param(PNG[:PNG_HEAD] + chunk(b"teST") * MOST_PARTS + PNG[PNG_HEAD:], id="chunks"),
        pytest.param(
            PNG[:-12] + chunk(b"tEXt", b"a\x00") * MOST_PARTS + PNG[-12:], id="chunks behind the picture"
        ),
        pytest.param(GIF[:GIF_HEAD] + b"!\xfe\x00" * (MOST_PARTS + 1) + GIF[GIF_HEAD:], id="extensions"),
        pytest.param(
            GIF[:GIF_HEAD] + b"!\xfe" + b"\x01a" * MOST_PARTS + b"\x00" + GIF[GIF_HEAD:], id="sub-blocks"
        ),
        pytest.param(GIF[:GIF_HEAD] + b"\x01" * (MOST_PARTS + 1) + GIF[GIF_HEAD:], id="no blocks"),
        pytest.param(greys((320, TIFF_SHORT, MOST_VALUES + 1, 8)), id="values"),
        pytest.param(
            greys(*((60_000 + n, TIFF_BYTE, 1_000_000, 8) for n in range(99))), id="the same bytes often"
        ),
        pytest.param(directory(*((n, TIFF_LONG, 1, 0) for n in range(MOST_TAGS + 1))), id="tags"),
    ],
)
def test_a_file_of_countless_parts_is_refused_by_its_build(data: bytes) -> None:
    assert build_of(data) == Build(sound=False)
    assert refusal(data) == decode_image(data) == DAMAGED


def of_many_scans(side: int, scans: int) -> bytes:
    jpeg = encoded("JPEG", (side, side), progressive=True)
    return jpeg[:-2] + jpeg[jpeg.rindex(b"\xff\xda") : -2] * scans + jpeg[-2:]


def tiled(across: int) -> bytes:
    """A picture of 64 pixels on one tile."""
    return greys(
        (322, TIFF_LONG, 1, across), (323, TIFF_LONG, 1, across), (324, TIFF_LONG, 1, 8), (325, TIFF_LONG, 1, 9)
    )


def component_by_component(jpeg: bytes) -> bytes:
    """The first scan says that it has one component of the three: libjpeg then keeps the whole picture."""
    place = jpeg.index(b"\xff\xda")
    return jpeg[:place] + b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 63, 0) + jpeg[place + 14 :]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(of_many_scans(1000, 400), id="scans over the same pixels"),
        pytest.param(tiled(30_000), id="a tile larger than the picture"),
        pytest.param(component_by_component(encoded("JPEG", (5000, 4000))), id="coefficients kept"),
        pytest.param(encoded("PNG", (70_000, 20), "1"), id="a strip"),
    ],
)
def test_a_bomb_of_another_kind_is_refused_by_its_header(data: bytes) -> None:
    assert refusal(data) == decode_image(data) == TOO_MANY


def with_directory(kind: str, exif: bytes) -> bytes:
    return encoded(kind, exif=b"Exif\x00\x00" + exif)


@pytest.mark.parametrize(
    "data",
    [
        JPEG,
        encoded("JPEG", progressive=True),
        encoded("JPEG", (300, 200), "CMYK"),
        of_many_scans(200, 60),
        behind_the_beginning(JPEG, b"\xff" * 7 + segment(0xE2, bytes(60_000)) * 90),
        JPEG + bytes(2_000_000),  # a telephone's film behind the picture
        encoded("MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))]),
        PNG[:PNG_HEAD] + chunk(b"iTXt", b"a\x00\x00\x00\x00\x00" + b"b" * 90_000) * 9 + PNG[PNG_HEAD:],
        PNG + bytes(12 * MOST_PARTS),
        GIF,
        encoded("TIFF", compression="tiff_lzw"),
        greys((700, TIFF_BYTE, 60, 8), (320, TIFF_SHORT, 768, 8)),
        *(with_directory(kind, directory((0x0112, TIFF_SHORT, 1, 6))) for kind in ("JPEG", "PNG", "WEBP", "TIFF")),
    ],
)
def test_what_cameras_and_editors_write_is_read(data: bytes) -> None:
    picture = decode_image(data)
    assert isinstance(picture, Picture)
    assert picture.complete


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_orientation_of_a_million_values_is_none(kind: str) -> None:
    """Where a decoder looks at EXIF only when it is asked, the picture is shown as it lies."""
    exif = directory((0x0112, TIFF_SHORT, MOST_VALUES + 1, 26), more=struct.pack("<H", 6) * (MOST_VALUES + 1))
    picture = decode_image(with_directory(kind, exif))
    assert isinstance(picture, Picture)
    assert picture.frame.shape == (48, 64, 3)
