"""The groups of the logical data structure: the standard's own example, both biometric records, any bytes."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import tlv
from documents.lds import (
    LdsError,
    encode_com,
    encode_dg1,
    encode_dg2,
    encode_dg15,
    parse_com,
    parse_dg1,
    parse_dg2,
)
from documents.lds import parse_dg15 as parse_key
from documents.lds_biometrics import parse_portraits, recognise
from documents.lds_details import parse_dg7, parse_dg11, parse_dg12, parse_dg16

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(200))
JPEG_2000 = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(range(200))
CODESTREAM = b"\xff\x4f\xff\x51" + bytes(range(200))


def test_dg11_of_the_standard() -> None:
    """The example of ICAO 9303-10 §4.7.11 (whose printed outer length, 63, does not count its own content: 60)."""
    found = parse_dg11(
        bytes.fromhex(
            "6B605C0A5F0E5F115F425F125F135F0E0D534D4954483C3C4A4F484E3C4A5F110A414E59544F574E3C4D4E"
            "5F4217313233204D41504C452052443C414E59544F574E3C4D4E5F120B31363132353535313231325F130C"
            "54524156454C3C4147454E54"
        )
    )
    assert found.name == "SMITH<<JOHN<J"
    assert found.birth_place == "ANYTOWN<MN"
    assert found.address == "123 MAPLE RD<ANYTOWN<MN"
    assert found.telephone == "16125551212"
    assert found.profession == "TRAVEL<AGENT"
    assert found.birth_date is None


def field(tag: int, text: str) -> bytes:
    return tlv.encode(tag, text.encode())


def test_dg11_in_all_its_fields() -> None:
    body = (
        tlv.encode(0x5C, bytes.fromhex("5F0E5F0F5F105F2B5F17"))
        + field(0x5F0E, "Линдквист<<Анна")
        + tlv.encode(0xA0, tlv.encode(0x02, b"\x02") + field(0x5F0F, "ONE") + field(0x5F0F, "TWO"))
        + field(0x5F10, "4170486A")
        + tlv.encode(0x5F2B, bytes.fromhex("19860417"))
        + field(0x5F17, "AB123<CD456")
    )
    found = parse_dg11(tlv.encode(0x6B, body))
    assert found.name == "Линдквист<<Анна"
    assert found.other_names == ("ONE", "TWO")
    assert found.birth_date == date(1986, 4, 17)  # packed, as the first edition had it
    assert found.other_documents == ("AB123", "CD456")
    assert "Анна" not in repr(found)


def test_dg12() -> None:
    body = (
        tlv.encode(0x5C, bytes.fromhex("5F195F265F1A5F1D5F55"))
        + field(0x5F19, "UTOPIA PASSPORT OFFICE")
        + field(0x5F26, "20230508")
        + tlv.encode(0xA0, tlv.encode(0x02, b"\x01") + field(0x5F1A, "CHILD<<A"))
        + tlv.encode(0x5F1D, JPEG)
        + field(0x5F55, "20230508101112")
    )
    found = parse_dg12(tlv.encode(0x6C, body))
    assert found.authority == "UTOPIA PASSPORT OFFICE"
    assert found.issued_on == date(2023, 5, 8)
    assert found.other_persons == ("CHILD<<A",)
    assert found.front == JPEG
    assert found.personalised_at == datetime(2023, 5, 8, 10, 11, 12)  # noqa: DTZ001 - the standard gives no zone
    with pytest.raises(LdsError, match="dg12_malformed"):  # a field that is listed and is not there
        parse_dg12(tlv.encode(0x6C, tlv.encode(0x5C, bytes.fromhex("5F19"))))


def test_dg7_and_dg16() -> None:
    assert parse_dg7(tlv.encode(0x67, tlv.encode(0x02, b"\x01") + tlv.encode(0x5F43, JPEG))) == (JPEG,)
    entry = field(0x5F50, "20230508") + field(0x5F51, "BEN<<A") + field(0x5F52, "123") + field(0x5F53, "STREET")
    (person,) = parse_dg16(tlv.encode(0x70, tlv.encode(0x02, b"\x01") + tlv.encode(0xA1, entry)))
    assert (person.recorded_on, person.name, person.address) == (date(2023, 5, 8), "BEN<<A", "STREET")


# ------------------------------------------------------------------------------------------------- portraits


def group(*records: bytes, tag: int = 0x75, block: int = 0x5F2E) -> bytes:
    head = tlv.encode(0xA1, tlv.encode(0x81, b"\x02"))
    templates = b"".join(tlv.encode(0x7F60, head + tlv.encode(block, record)) for record in records)
    return tlv.encode(tag, tlv.encode(0x7F61, tlv.encode(0x02, bytes([len(records)])) + templates))


def face_39794(image: bytes) -> bytes:
    """FaceImageDataBlock of ISO/IEC 39794-5:2019 with one representation, as its ASN.1 nests (automatic tags)."""
    kind = tlv.encode(0xA1, tlv.encode(0xA0, tlv.encode(0x80, b"\x02")))
    two_dimensional = tlv.encode(0xA0, tlv.encode(0x80, image) + kind)
    representation = tlv.encode(0x80, b"\x01") + tlv.encode(0xA1, tlv.encode(0xA0, two_dimensional))
    version = tlv.encode(0xA0, tlv.encode(0x80, b"\x03") + tlv.encode(0x81, b"\x07\xe3"))
    return tlv.encode(0x65, version + tlv.encode(0xA1, tlv.encode(0x30, representation)))


@pytest.mark.parametrize(
    ("image", "kind"),
    [(JPEG, "jpeg"), (JPEG_2000, "jpeg2000"), (CODESTREAM, "jpeg2000")],
    ids=["jpeg", "jp2", "j2k"],
)
def test_both_records_with_every_image(image: bytes, kind: str) -> None:
    (old,) = parse_portraits(encode_dg2(image, 104, 134))
    assert (old.image, old.image_format, old.record_format, old.defects) == (image, kind, "19794-5", ())
    for data in (
        group(tlv.encode(0xA1, face_39794(image)), block=0x7F2E),
        group(face_39794(image), block=0x5F2E),  # without the A1, as some write it
    ):
        (new,) = parse_portraits(data)
        assert (new.image, new.image_format, new.record_format, new.defects) == (image, kind, "39794-5", ())
        assert parse_dg2(data) == image


def test_a_record_that_miscounts_itself_is_read_and_named() -> None:
    sound = encode_dg2(JPEG, 104, 134)
    place = sound.index(b"FAC\x00") + 14
    wrong = sound[:place] + struct.pack(">I", 40) + sound[place + 4 :]
    (portrait,) = parse_portraits(wrong)
    assert (portrait.image, portrait.defects) == (JPEG, ("record_lengths",))


def test_several_faces_and_none() -> None:
    block = tlv.encode(0xA1, face_39794(JPEG))
    assert len(parse_portraits(group(block, block, block=0x7F2E))) == 3 - 1
    for data in (group(), group(b"nothing"), group(tlv.encode(0xA1, face_39794(b"GIF89a")), block=0x7F2E)):
        with pytest.raises(LdsError, match=r"dg2_"):
            parse_portraits(data)


def test_fingers_and_irises_are_recognised_and_left_alone() -> None:
    fingers = recognise(group(b"FIR\x00010\x00" + bytes(40), b"FIR\x00010\x00", tag=0x63), 3)
    assert (fingers.records, fingers.record_formats) == (2, ("19794-4",))
    irises = recognise(group(tlv.encode(0xA1, tlv.encode(0x66, b"\x80\x00")), tag=0x76, block=0x7F2E), 4)
    assert (irises.records, irises.record_formats) == (1, ("39794-6",))
    assert recognise(group(tag=0x63), 3).records == 0  # an empty group, as cards of the Union have it
    with pytest.raises(LdsError, match="dg3_malformed"):
        recognise(b"\x63\x05\x7f", 3)


# ------------------------------------------------------------------------------------------------ any bytes

PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "com": (parse_com, encode_com(frozenset({1, 2, 14}))),
    "dg1": (lambda data: parse_dg1(data, date(2026, 11, 21)), encode_dg1(("P<UTOERIKSSON<<ANNA" + "<" * 25,) * 2)),
    "dg2": (parse_portraits, group(tlv.encode(0xA1, face_39794(JPEG)), block=0x7F2E)),
    "dg2_old": (parse_portraits, encode_dg2(JPEG_2000, 104, 134)),
    "dg3": (lambda data: recognise(data, 3), group(b"FIR\x00010\x00" + bytes(40), tag=0x63)),
    "dg7": (parse_dg7, tlv.encode(0x67, tlv.encode(0x02, b"\x01") + tlv.encode(0x5F43, JPEG))),
    "dg11": (parse_dg11, tlv.encode(0x6B, tlv.encode(0x5C, bytes.fromhex("5F0E")) + field(0x5F0E, "SMITH<<JOHN"))),
    "dg12": (parse_dg12, tlv.encode(0x6C, tlv.encode(0x5C, bytes.fromhex("5F26")) + field(0x5F26, "20230508"))),
    "dg15": (parse_key, encode_dg15(b"\x30\x03\x02\x01\x01")),
    "dg16": (parse_dg16, tlv.encode(0x70, tlv.encode(0xA1, field(0x5F50, "20230508")))),
}


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_any_bytes_are_parsed_or_refused(name: str, data: st.DataObject) -> None:
    parse, sound = PARSERS[name]
    parse(sound)
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    spoilt = (
        bytes(content[: data.draw(st.integers(0, len(content)))]) if data.draw(st.booleans()) else bytes(content)
    )
    for given_ in (spoilt, data.draw(st.binary(max_size=64))):
        with contextlib.suppress(LdsError):
            parse(given_)
