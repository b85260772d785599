"""The evidence bundle: the pictures an officer may need after a referral, readable by central alone.

It is encrypted the moment the journey ends, its hash goes into the record before the record is sent, and it is
kept in memory until the decision says whether it is wanted. Then it is uploaded, or forgotten.

Suite `hpke-x25519-hkdf-sha256-aes-256-gcm`: RFC 9180 base mode, single shot, ciphertext = enc (32 bytes) and
AEAD output; info = `corridor evidence v1|<site_id>|<record_id>`. Plaintext: a ZIP (stored) of pictures and
`index.json` with their SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from contracts.transaction import EvidenceReference

SUITE = "hpke-x25519-hkdf-sha256-aes-256-gcm"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, repr=False)
class SealedEvidence:
    """A bundle that only central can open, and what the record says about it."""

    ciphertext: bytes
    reference: EvidenceReference


def bundle(pictures: Mapping[str, bytes]) -> bytes:
    """A ZIP of the pictures (name → JPEG or JPEG 2000 bytes), the same bytes for the same pictures."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        index = {name: hashlib.sha256(picture).hexdigest() for name, picture in sorted(pictures.items())}
        archive.writestr(zipfile.ZipInfo("index.json", _EPOCH), json.dumps(index, sort_keys=True))
        for name, picture in sorted(pictures.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), picture)
    return buffer.getvalue()


def evidence_info(site_id: str, record_id: str) -> bytes:
    """Binds a ciphertext to its record: it opens for no other."""
    return f"corridor evidence v1|{site_id}|{record_id}".encode()


def seal(
    pictures: Mapping[str, bytes], *, public_key: str, key_id: str, site_id: str, record_id: str
) -> SealedEvidence:
    """Encrypt to central's X25519 key (base64url without padding). Raises ValueError for a malformed key."""
    raw = base64.urlsafe_b64decode(public_key + "=" * (-len(public_key) % 4))
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    ciphertext = suite.encrypt(
        bundle(pictures), X25519PublicKey.from_public_bytes(raw), info=evidence_info(site_id, record_id)
    )
    reference = EvidenceReference(
        suite=SUITE,
        key_id=key_id,
        ciphertext_sha256=hashlib.sha256(ciphertext).hexdigest(),
        size=len(ciphertext),
    )
    return SealedEvidence(ciphertext, reference)
