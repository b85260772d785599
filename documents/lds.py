"""The logical data structure of the chip (ICAO 9303-10): which files there are, and what is in them.

Parsing raises LdsError only, for content that is not what the standard says; it never guesses.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import date
from typing import Literal

from documents import tlv
from documents.mrz import Mrz, parse_mrz

APPLICATION = bytes.fromhex("A0000002471001")  # 9303-10 §3.1, the LDS1 eMRTD application


class LdsError(ValueError):
    """A file's content is not as 9303-10 says. `reason` is a stable code; nothing of the content is in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class ElementaryFile:
    """One file of the application: its name here, identifiers, outer tag, and the size nobody should exceed."""

    name: str  # COM, SOD, DG1 …
    identifier: int
    tag: int
    limit: int = 64 * 1024

    @property
    def short_identifier(self) -> int:
        return self.identifier & 0x1F

    @property
    def file_name(self) -> str:
        """The name in a directory of chip files (docs/specimens.md)."""
        return f"EF_{self.name}.bin" if not self.name.startswith("DG") else f"Datagroup{self.name[2:]}.bin"


_GROUP_TAGS = (0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70)
_GROUP_LIMITS = {1: 1024, 2: 1024 * 1024, 14: 8 * 1024, 15: 4 * 1024}

CARD_ACCESS = ElementaryFile("CardAccess", 0x011C, 0x31, 4 * 1024)
COM = ElementaryFile("COM", 0x011E, 0x60, 1024)
SOD = ElementaryFile("SOD", 0x011D, 0x77, 64 * 1024)
GROUPS = {
    number: ElementaryFile(f"DG{number}", 0x0100 + number, tag, _GROUP_LIMITS.get(number, 64 * 1024))
    for number, tag in enumerate(_GROUP_TAGS, start=1)
}
FILES = {file.identifier: file for file in (COM, SOD, *GROUPS.values())}


def _body(data: bytes, tag: int, reason: str) -> bytes:
    try:
        return tlv.value(data, tag)
    except tlv.TlvError:
        raise LdsError(reason) from None


# ------------------------------------------------------------------------------------------------ EF.COM


@dataclass(frozen=True)
class Com:
    """EF.COM (9303-10 §4.6.1): versions, and the numbers of the groups said to be present."""

    lds_version: str
    unicode_version: str
    groups: frozenset[int]


def encode_com(groups: frozenset[int], lds_version: str = "0107", unicode_version: str = "040000") -> bytes:
    tags = bytes(_GROUP_TAGS[number - 1] for number in sorted(groups))
    return tlv.encode(
        0x60,
        tlv.encode(0x5F01, lds_version.encode())
        + tlv.encode(0x5F36, unicode_version.encode())
        + tlv.encode(0x5C, tags),
    )


def parse_com(data: bytes) -> Com:
    body = _body(data, 0x60, "com_malformed")
    tags = _body(body, 0x5C, "com_malformed")
    versions = (_body(body, 0x5F01, "com_malformed"), _body(body, 0x5F36, "com_malformed"))
    lds_version, unicode_version = (version.decode("ascii", "replace") for version in versions)
    # Nothing signs this file: what cannot be what was issued is all that can be seen here (9303-10 §4.6.1).
    if not all(version.isdigit() for version in (lds_version, unicode_version)):
        raise LdsError("com_malformed")
    if any(tag not in _GROUP_TAGS for tag in tags):
        raise LdsError("com_malformed")
    return Com(lds_version, unicode_version, frozenset(_GROUP_TAGS.index(tag) + 1 for tag in tags))


# --------------------------------------------------------------------------------------------------- DG1


def encode_dg1(lines: tuple[str, ...]) -> bytes:
    return tlv.encode(0x61, tlv.encode(0x5F1F, "".join(lines).encode("ascii")))


def parse_dg1(data: bytes, today: date) -> Mrz:
    """DG1 (9303-10 §4.7.1): the zone without its line breaks."""
    zone = _body(_body(data, 0x61, "dg1_malformed"), 0x5F1F, "dg1_malformed")
    width = {90: 30, 72: 36, 88: 44}.get(len(zone))
    if width is None or not zone.isascii():
        raise LdsError("dg1_malformed")
    text = zone.decode("ascii")
    return parse_mrz([text[start : start + width] for start in range(0, len(text), width)], today)


# --------------------------------------------------------------------------------------------------- DG2

ImageFormat = Literal["jpeg", "jpeg2000"]
JPEG = b"\xff\xd8\xff"
JPEG_2000 = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")  # a JP2 box, a bare codestream


def image_format(image: bytes) -> ImageFormat | None:
    if image.startswith(JPEG):
        return "jpeg"
    return "jpeg2000" if image.startswith(JPEG_2000) else None


def encode_dg2(image: bytes, width: int, height: int) -> bytes:
    """DG2 with one portrait in an ISO/IEC 19794-5:2005 record under a CBEFF header (9303-10 §4.7.2)."""
    kind = image_format(image)
    if kind is None:
        raise LdsError("dg2_image_format")
    information = struct.pack(">BBHHBBHH", 1, 0 if kind == "jpeg" else 1, width, height, 1, 2, 0, 0)
    block = struct.pack(">IH14x", 20 + 12 + len(image), 0) + information + image
    record = b"FAC\x00010\x00" + struct.pack(">IH", 14 + len(block), 1) + block
    head = b"".join(
        tlv.encode(tag, value)
        for tag, value in (
            (0x80, b"\x01\x01"),
            (0x81, b"\x02"),  # facial features
            (0x82, b"\x00"),
            (0x87, b"\x01\x01"),  # ISO/IEC JTC 1/SC 37
            (0x88, b"\x00\x08"),
        )
    )
    template = tlv.encode(0x7F60, tlv.encode(0xA1, head) + tlv.encode(0x5F2E, record))
    return tlv.encode(0x75, tlv.encode(0x7F61, tlv.encode(0x02, b"\x01") + template))


def parse_dg2(data: bytes) -> bytes:
    """The first portrait of DG2 (documents.lds_biometrics), JPEG or JPEG 2000 as it is in the chip. LdsError."""
    from documents.lds_biometrics import parse_portraits  # which stands on this file

    return parse_portraits(data)[0].image


# -------------------------------------------------------------------------------------------------- DG15


def encode_dg15(public_key_info: bytes) -> bytes:
    return tlv.encode(0x6F, public_key_info)


def parse_dg15(data: bytes) -> bytes:
    """DG15 (9303-10 §4.7.15): the DER SubjectPublicKeyInfo of active authentication."""
    return _body(data, 0x6F, "dg15_malformed")
