"""Biometric groups (ICAO 9303-10 §4.7.2 to §4.7.4): the portrait is read, fingers and irises are left alone.

A group is a CBEFF template around records: ISO/IEC 19794-5:2005 until now, ISO/IEC 39794-5:2019 beside it since
2026. Parsing raises LdsError only, and takes time and memory in proportion to the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from documents import tlv
from documents.lds import JPEG, JPEG_2000, ImageFormat, LdsError, image_format

RecordFormat = Literal["19794-5", "39794-5", "unknown"]

_MOST_RECORDS = 32
_FACE_MARK = b"FAC\x00"
_FACE_DATA_BLOCK = 0x65  # FaceImageDataBlock ::= [APPLICATION 5] SEQUENCE
_RECORD_HEADER, _FACE_HEADER, _POINT, _IMAGE_HEADER = 14, 20, 8, 12


@dataclass(frozen=True, repr=False)
class Portrait:
    """One face of DG2. `image` is JPEG or JPEG 2000 as it is in the chip.

    `defects` names what in its record misses the standard and was read all the same.
    """

    image: bytes
    image_format: ImageFormat
    record_format: RecordFormat
    defects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Biometrics:
    """What is in a biometric group, without its content: how many records, and in which formats."""

    records: int
    record_formats: tuple[str, ...]


def parse_portraits(data: bytes) -> tuple[Portrait, ...]:
    """The faces of DG2, in their order; at least one. LdsError `dg2_malformed` or `dg2_image_format`."""
    try:
        portraits = tuple(_portrait(record) for record in _records(data, 0x75))
    except tlv.TlvError:
        raise LdsError("dg2_malformed") from None
    if not portraits:
        raise LdsError("dg2_malformed")
    return portraits


def recognise(data: bytes, group: int) -> Biometrics:
    """What DG2, DG3 or DG4 holds, by its headers alone. LdsError `dgN_malformed`."""
    try:
        records = list(_records(data, {2: 0x75, 3: 0x63, 4: 0x76}[group]))
    except tlv.TlvError:
        raise LdsError(f"dg{group}_malformed") from None
    return Biometrics(len(records), tuple(sorted({_named(record) for record in records})))


def _named(record: bytes) -> str:
    marks = {_FACE_MARK: "19794-5", b"FIR\x00": "19794-4", b"FMR\x00": "19794-2", b"IIR\x00": "19794-6"}
    if record[:4] in marks:
        return marks[record[:4]]
    inner = _within_a1(record)
    numbers = {0x64: "39794-4", 0x65: "39794-5", 0x66: "39794-6"}
    return numbers.get(inner[0], "unknown") if inner else "unknown"


def _records(data: bytes, group_tag: int) -> Iterator[bytes]:
    """The biometric data blocks of the group's templates (5F2E primitive, 7F2E constructed)."""
    group = tlv.value(tlv.value(data, group_tag), 0x7F61)
    found = 0
    for tag, template in tlv.objects(group):
        if tag != 0x7F60:
            continue
        for block_tag, block in tlv.objects(template):
            if block_tag in (0x5F2E, 0x7F2E):
                found += 1
                if found > _MOST_RECORDS:
                    raise tlv.TlvError("too many records")
                yield block


def _portrait(record: bytes) -> Portrait:
    inner = _within_a1(record)
    defects: tuple[str, ...] = ()
    if record.startswith(_FACE_MARK):
        kind: RecordFormat = "19794-5"
        image, defects = _image_19794(record)
    elif inner and inner[0] == _FACE_DATA_BLOCK:
        kind, image = "39794-5", _image_39794(inner)
    else:
        kind, image, defects = "unknown", _image_within(record), ("record_unknown",)
    found = image_format(image)
    if found is None:
        raise LdsError("dg2_image_format")
    return Portrait(image, found, kind, defects)


def _image_19794(record: bytes) -> tuple[bytes, tuple[str, ...]]:
    """ISO/IEC 19794-5:2005 §5: header 14, facial information 20, feature points 8 each, image information 12.

    Some issuers count the block's length wrongly; the image is then what its own mark begins.
    """
    if len(record) < _RECORD_HEADER + _FACE_HEADER + _IMAGE_HEADER:
        raise LdsError("dg2_malformed")
    faces, block_length, points = struct.unpack_from(">HIH", record, _RECORD_HEADER - 2)
    begin = _RECORD_HEADER + _FACE_HEADER + _POINT * points + _IMAGE_HEADER
    end = _RECORD_HEADER + block_length
    counted = end == len(record) if faces == 1 else end <= len(record)
    if counted and image_format(record[begin:end]) is not None:
        return record[begin:end], ()
    return _image_within(record), ("record_lengths",)


def _within_a1(record: bytes) -> bytes:
    """What stands in the A1 of a 39794 block (9303-10 §4.7.2), or the record itself where it is bare."""
    if record[:1] != b"\xa1":
        return record
    try:
        return tlv.value(record, 0xA1)
    except tlv.TlvError:
        return b""


def _image_39794(data_block: bytes) -> bytes:
    """ISO/IEC 39794-5:2019 §8: block > representations > first > image representation > base > 2D > its data."""
    try:
        representations = tlv.value(tlv.value(data_block, _FACE_DATA_BLOCK), 0xA1)
        representation = tlv.value(representations, 0x30)
        two_dimensional = tlv.value(tlv.value(tlv.value(representation, 0xA1), 0xA0), 0xA0)
        return tlv.value(two_dimensional, 0x80)
    except tlv.TlvError:
        raise LdsError("dg2_malformed") from None


def _image_within(record: bytes) -> bytes:
    """The image by its signature; what follows it in the record stays behind it, which decoders ignore."""
    places = [place for mark in (JPEG, *JPEG_2000) if (place := record.find(mark)) >= 0]
    if not places:
        raise LdsError("dg2_image_format")
    return record[min(places) :]
