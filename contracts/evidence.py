"""The evidence bundle: pictures that an officer needs after a referral, encrypted by the kiosk for central.

The plaintext is a ZIP (stored, not deflated) of pictures and `index.json`, which maps each picture's name to its
SHA-256. A name is `<person_id>-<kind>.<ending>`, with the kinds below; a card's other side has `-2` before the
ending. The ciphertext is HPKE (RFC 9180, base mode, single shot, encapsulated key first) for the X25519 key that
`KioskConfiguration` names, with `evidence_info` as `info`, so that a bundle opens only for the record that it was
made for. `EvidenceReference.ciphertext_sha256` in the record binds it before anything is decided.
"""

from __future__ import annotations

from enum import StrEnum

EVIDENCE_SUITE = "hpke-x25519-hkdf-sha256-aes-256-gcm"


class EvidenceKind(StrEnum):
    LIVE_FACE = "live_face"  # the face as the camera saw it
    CHIP_PORTRAIT = "chip_portrait"  # the portrait of DG2
    DATA_PAGE = "data_page"


def evidence_info(site_id: str, record_id: str) -> bytes:
    """The HPKE `info` that ties a bundle to its record."""
    return f"corridor evidence v1|{site_id}|{record_id}".encode()
