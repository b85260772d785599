"""The evidence bundle: readable by central alone, for one record alone."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contracts.evidence import EVIDENCE_SUITE, EvidenceKind, evidence_info
from kiosk.evidence import Pictures, seal

KEY = X25519PrivateKey.generate()
PUBLIC = base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).rstrip(b"=").decode()
SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def pictures() -> Pictures:
    held = Pictures()
    frame = np.full((2000, 1000, 3), 90, dtype=np.uint8)
    held.keep_frame("p1", EvidenceKind.LIVE_FACE, frame)
    held.keep_portrait("p1", b"\xff\xd8\xff portrait")
    held.keep_portrait("p2", b"no picture at all")
    return held


def test_central_opens_what_the_kiosk_sealed() -> None:
    sealed = seal(pictures().named(), public_key=PUBLIC, key_id="e1", site_id="msq", record_id="r1")
    assert sealed.reference.suite == EVIDENCE_SUITE
    assert sealed.reference.ciphertext_sha256 == hashlib.sha256(sealed.ciphertext).hexdigest()
    assert sealed.reference.size == len(sealed.ciphertext)
    plain = SUITE.decrypt(sealed.ciphertext, KEY, info=evidence_info("msq", "r1"))
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        index = json.loads(archive.read("index.json"))
        assert set(index) == {"p1-live_face.jpg", "p1-chip_portrait.jpg"}
        for name, expected in index.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == expected


def test_a_bundle_opens_for_no_other_record() -> None:
    sealed = seal(pictures().named(), public_key=PUBLIC, key_id="e1", site_id="msq", record_id="r1")
    with pytest.raises(InvalidTag):
        SUITE.decrypt(sealed.ciphertext, KEY, info=evidence_info("msq", "r2"))


def test_pictures_are_forgotten_by_person_and_by_party() -> None:
    held = pictures()
    held.forget("p1")
    assert held.named() == {}
    held = pictures()
    held.wipe()
    assert not held
