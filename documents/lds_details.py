"""The groups of further details (ICAO 9303-10 §4.7.7 to §4.7.16): signature, holder, document, persons to notify.

A border does not read them as a rule (docs/privacy.md); they are understood for those who may, and for tests of
documents. Values are as issued: `<` is a blank, `<<` parts a name. Parsing raises LdsError only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from documents import tlv
from documents.lds import LdsError

_MOST_ENTRIES = 64


@dataclass(frozen=True, repr=False)
class HolderDetails:
    """DG11 (§4.7.11). Fields are None when the issuer left them out."""

    name: str | None = None
    other_names: tuple[str, ...] = ()
    personal_number: str | None = None
    birth_date: date | None = None
    birth_place: str | None = None
    address: str | None = None
    telephone: str | None = None
    profession: str | None = None
    title: str | None = None
    summary: str | None = None
    proof_of_citizenship: bytes | None = None  # an image
    other_documents: tuple[str, ...] = ()
    custody: str | None = None


@dataclass(frozen=True, repr=False)
class DocumentDetails:
    """DG12 (§4.7.12). Fields are None when the issuer left them out."""

    authority: str | None = None
    issued_on: date | None = None
    other_persons: tuple[str, ...] = ()
    endorsements: str | None = None
    tax_or_exit: str | None = None
    front: bytes | None = None  # an image
    rear: bytes | None = None
    personalised_at: datetime | None = None
    personalisation_system: str | None = None


@dataclass(frozen=True, repr=False)
class PersonToNotify:
    """One entry of DG16 (§4.7.16)."""

    recorded_on: date | None
    name: str | None
    telephone: str | None
    address: str | None


def parse_dg7(data: bytes) -> tuple[bytes, ...]:
    """The displayed signatures or usual marks (JPEG): DG7 (§4.7.7). LdsError `dg7_malformed`."""
    return tuple(
        value for tag, value in _entries(_body(data, 0x67, "dg7_malformed"), "dg7_malformed") if tag == 0x5F43
    )


def parse_dg11(data: bytes) -> HolderDetails:
    """LdsError `dg11_malformed`, also for a listed field that is not there."""
    reason = "dg11_malformed"
    found = _fields(_body(data, 0x6B, reason), reason)
    born = found.get(0x5F2B)
    return HolderDetails(
        name=_text(found.get(0x5F0E), reason),
        other_names=_several(found.get(0xA0), 0x5F0F, reason),
        personal_number=_text(found.get(0x5F10), reason),
        birth_date=None if born is None else _date(born, reason),
        birth_place=_text(found.get(0x5F11), reason),
        address=_text(found.get(0x5F42), reason),
        telephone=_text(found.get(0x5F12), reason),
        profession=_text(found.get(0x5F13), reason),
        title=_text(found.get(0x5F14), reason),
        summary=_text(found.get(0x5F15), reason),
        proof_of_citizenship=found.get(0x5F16),
        other_documents=tuple(filter(None, (_text(found.get(0x5F17), reason) or "").split("<"))),
        custody=_text(found.get(0x5F18), reason),
    )


def parse_dg12(data: bytes) -> DocumentDetails:
    """LdsError `dg12_malformed`, also for a listed field that is not there."""
    reason = "dg12_malformed"
    found = _fields(_body(data, 0x6C, reason), reason)
    issued, personalised = found.get(0x5F26), found.get(0x5F55)
    return DocumentDetails(
        authority=_text(found.get(0x5F19), reason),
        issued_on=None if issued is None else _date(issued, reason),
        other_persons=_several(found.get(0xA0), 0x5F1A, reason),
        endorsements=_text(found.get(0x5F1B), reason),
        tax_or_exit=_text(found.get(0x5F1C), reason),
        front=found.get(0x5F1D),
        rear=found.get(0x5F1E),
        personalised_at=None if personalised is None else _moment(personalised, reason),
        personalisation_system=_text(found.get(0x5F56), reason),
    )


def parse_dg16(data: bytes) -> tuple[PersonToNotify, ...]:
    """LdsError `dg16_malformed`."""
    reason = "dg16_malformed"
    people = []
    for tag, value in _entries(_body(data, 0x70, reason), reason):
        if not 0xA1 <= tag <= 0xBE:
            continue
        entry = dict(_entries(value, reason))
        recorded = entry.get(0x5F50)
        people.append(
            PersonToNotify(
                recorded_on=None if recorded is None else _date(recorded, reason),
                name=_text(entry.get(0x5F51), reason),
                telephone=_text(entry.get(0x5F52), reason),
                address=_text(entry.get(0x5F53), reason),
            )
        )
    return tuple(people)


def _body(data: bytes, tag: int, reason: str) -> bytes:
    try:
        return tlv.value(data, tag)
    except tlv.TlvError:
        raise LdsError(reason) from None


def _entries(body: bytes, reason: str) -> list[tuple[int, bytes]]:
    try:
        entries = list(tlv.objects(body))
    except tlv.TlvError:
        raise LdsError(reason) from None
    if len(entries) > _MOST_ENTRIES:
        raise LdsError(reason)
    return entries


def _fields(body: bytes, reason: str) -> Mapping[int, bytes]:
    """The fields by tag. Each that the tag list (5C) names is there; a list may leave out what is."""
    found: dict[int, bytes] = {}
    for tag, value in _entries(body, reason):
        found.setdefault(tag, value)
    listed = found.pop(0x5C, None)
    if listed is None:
        raise LdsError(reason)
    offset = 0
    while offset < len(listed):
        wide = listed[offset] & 0x1F == 0x1F
        tag = int.from_bytes(listed[offset : offset + (2 if wide else 1)], "big")
        offset += 2 if wide else 1
        within = found.get(0xA0, b"")  # repeated fields are listed by their own tag and stand in A0
        if tag not in found and not any(inner == tag for inner, _ in _entries(within, reason)):
            raise LdsError(reason)
    return found


def _several(template: bytes | None, tag: int, reason: str) -> tuple[str, ...]:
    if template is None:
        return ()
    texts = (_text(value, reason) for found, value in _entries(template, reason) if found == tag)
    return tuple(text for text in texts if text is not None)


def _text(value: bytes | None, reason: str) -> str | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise LdsError(reason) from None


def _date(value: bytes, reason: str) -> date | None:
    """YYYYMMDD in eight digits, or packed into four bytes as the first edition had it; None for unknown parts."""
    text = value.hex() if len(value) == 4 else value.decode("ascii", "replace")
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        raise LdsError(reason)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None  # an unknown day or month is 00


def _moment(value: bytes, reason: str) -> datetime | None:
    """YYYYMMDDhhmmss of the issuer's own clock, in digits or packed; without a zone, as the standard has it."""
    text = value.hex() if len(value) == 7 else value.decode("ascii", "replace")
    if len(text) != 14 or not text.isascii() or not text.isdigit():
        raise LdsError(reason)
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - the standard gives no zone
    except ValueError:
        return None
