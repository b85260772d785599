"""The evidence bundle: pictures that an officer needs after a referral, encrypted by the kiosk for central.

The plaintext is the canonical JSON of `EvidenceBundle`. The ciphertext is HPKE (RFC 9180, base mode, single
shot, encapsulated key first) for the X25519 key that `KioskConfiguration` names, with `evidence_info` as `info`,
so that a bundle opens only for the record that it was made for. `EvidenceReference.ciphertext_sha256` in the
record binds it before anything is decided.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Base64Bytes, Field

from contracts.base import Contract, Identifier

EVIDENCE_SUITE = "hpke-x25519-hkdf-sha256-aes-256-gcm"


class EvidenceKind(StrEnum):
    LIVE_FACE = "live_face"
    CHIP_PORTRAIT = "chip_portrait"
    DATA_PAGE = "data_page"


class EvidenceItem(Contract):
    """One picture of one person of the party. `data` is given as base64 and read as bytes."""

    person_id: Annotated[str, Field(pattern=r"^p[1-9][0-9]?$")]
    kind: EvidenceKind
    media_type: Literal["image/jpeg", "image/png", "image/jp2"] = "image/jpeg"
    data: Base64Bytes


class EvidenceBundle(Contract):
    """All pictures of one transaction."""

    schema_version: Literal[1] = 1
    record_id: Identifier
    items: tuple[EvidenceItem, ...] = Field(default=(), max_length=60)


def evidence_info(site_id: str, record_id: str) -> bytes:
    """The HPKE `info` that ties a bundle to its record."""
    return f"corridor evidence 1|{site_id}|{record_id}".encode()
