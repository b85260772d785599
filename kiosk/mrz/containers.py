"""What a file is made of, walked before a decoder is: a file of a million parts, or one that says things a million
times, would keep a decoder busy for minutes, however small its picture is.

The bounds are far beyond what cameras, scanners and editors write, and what lies within them costs milliseconds.
Nothing is decoded here, and nothing raises for a file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

MOST_PARTS = 50_000  # segments, chunks, blocks; the largest file that is read has 8,000 of libpng's 8 kB
MOST_VALUES = 200_000  # numbers in one TIFF tag: a curve for each of three colours of 16 bits
MOST_TAGS = 4096  # of one TIFF directory
MOST_EXIF = 1_000_000  # bytes

_ENTROPY_CODED_ENDS = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # only a real marker looks like this in there
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_EXIF, _PICTURES = b"Exif\x00\x00", b"MPF\x00"  # CIPA DC-008 §4.7.2, DC-007 §5.2: each with a TIFF directory
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
# Bytes of a TIFF value by its type (TIFF 6.0 §2, BigTIFF); of the others every byte is one.
_VALUE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_TEXT_TYPES = (1, 2, 7)  # kept as they are


@dataclass(frozen=True)
class Build:
    """`sound` is False for a file that no decoder should see. The rest is about JPEG: whether the end of the image
    is there, how many times its samples are gone over, and whether all of them are kept meanwhile.
    """

    sound: bool = True
    complete: bool = True
    scans: int = 1
    keeps_coefficients: bool = False


_UNSOUND = Build(sound=False)


def build_of(data: bytes) -> Build:
    """How `data` is built, as far as it is JPEG, PNG, GIF or TIFF; what it is otherwise, others say."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Build(sound=_few(_png_chunks(data)))
    if data.startswith(b"GIF8"):
        return Build(sound=_few(_gif_blocks(data)))
    return Build(sound=directory_is_sound(data))


def _few(parts: Iterator[None]) -> bool:
    return all(number < MOST_PARTS for number, _ in enumerate(parts))


def _jpeg(data: bytes) -> Build:
    """ITU-T T.81 §B.1.1: segments, and entropy-coded data behind each start of scan."""
    place, scans, passed_over, exif = 2, 0, 0, b""
    components, scanned_first = 0, 0
    complete, progressive = False, False
    for _ in range(MOST_PARTS):
        found = _MARKER.search(data, place)
        if found is None:
            break
        passed_over += found.start() - place  # fill bytes, and what has no business there
        if passed_over > MOST_PARTS:
            return _UNSOUND
        place, marker = found.end(), data[found.end() - 1]
        if marker == 0xD9:
            complete = scans > 0
            if not complete:
                return _UNSOUND  # decoders go on looking for the beginning
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue  # these stand alone
        length = max(2, int.from_bytes(data[place : place + 2]))
        body = data[place + 2 : place + length]
        place += length
        if marker == 0xDA:
            scans += 1
            scanned_first = scanned_first or (body[0] if body else 0)
            end = _ENTROPY_CODED_ENDS.search(data, place)
            if end is None:
                break
            place = end.start()
        elif marker in _FRAMES:
            components = body[5] if len(body) > 5 else 0
            progressive = marker in _PROGRESSIVE
        elif marker == 0xE1 and body.startswith(_EXIF):
            exif += body[len(_EXIF) :]
            if len(exif) > MOST_EXIF:
                return _UNSOUND
        elif marker == 0xE2 and body.startswith(_PICTURES) and not directory_is_sound(body[len(_PICTURES) :]):
            return _UNSOUND
    else:
        return _UNSOUND
    if not directory_is_sound(exif):
        return _UNSOUND
    return Build(True, complete, max(1, scans), progressive or scanned_first != components)


def _png_chunks(data: bytes) -> Iterator[None]:
    """PNG §5.3: length, name, body, checksum."""
    place = 8
    while place + 8 <= len(data) and data[place + 4 : place + 8] != b"IEND":
        yield
        place += 12 + int.from_bytes(data[place : place + 4])


def _gif_blocks(data: bytes) -> Iterator[None]:
    """GIF89a §15 to §26, up to the first picture; a byte that begins no block is passed over, as decoders do."""
    if len(data) < 13:
        return
    place = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while place + 1 < len(data) and data[place] not in b",;":
        yield
        if data[place] != 0x21:
            place += 1
            continue
        place += 2
        while place < len(data) and data[place]:
            yield
            place += 1 + data[place]
        place += 1


def directory_is_sound(data: bytes) -> bool:
    """Whether the first directory of a TIFF file, or of EXIF (which is one), has no more values than are needed,
    and no more bytes than the file: entries may all point at the same ones, and a decoder copies each.
    """
    if not data.startswith(_TIFF):
        return True
    order, big = ("<" if data.startswith(b"II") else ">"), b"+" in data[:4]
    entry = struct.Struct(order + ("HHQ8x" if big else "HHI4x"))
    try:
        (place,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, place)
    except (struct.error, OverflowError):
        return True  # nothing is there to be read
    if count > MOST_TAGS:
        return False
    place += 8 if big else 2
    there = max(0, min(count, (len(data) - place) // entry.size))
    room = max(len(data), MOST_EXIF)
    for _, kind, values in entry.iter_unpack(data[place : place + there * entry.size]):
        if kind not in _TEXT_TYPES and values > MOST_VALUES:
            return False
        room -= values * _VALUE_BYTES.get(kind, 1)
    return room >= 0
