"""Evidence bundles: stored as received, opened only for an authorised officer (contracts.evidence)."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke

from central.keys import KeyRing
from central.sealing import Unreadable
from contracts.evidence import EVIDENCE_SUITE, EvidenceKind, evidence_info

LARGEST_PICTURE = 20_000_000
MOST_PICTURES = 60
NAME = re.compile(r"^(p[1-9][0-9]?)-(live_face|chip_portrait|data_page)(?:-[0-9]+)?\.[a-z0-9]+$")
MEDIA_TYPES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
)


@dataclass(frozen=True, repr=False)
class Picture:
    """One picture of one person; no repr, so that it cannot reach a log."""

    name: str
    person_id: str
    kind: EvidenceKind
    media_type: str
    data: bytes


def open_bundle(
    ciphertext: bytes, keys: KeyRing, *, suite: str, key_id: str, site_id: str, record_id: str
) -> bytes:
    """The plaintext ZIP of a bundle. Raises Unreadable."""
    key = keys.named(key_id)
    if suite != EVIDENCE_SUITE or key is None:
        raise Unreadable("the bundle names a suite or key that is not in the key file")
    opener = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    try:
        return opener.decrypt(ciphertext, key.exchange(), info=evidence_info(site_id, record_id))
    except (InvalidTag, ValueError) as problem:
        raise Unreadable("the bundle does not open") from problem


def pictures(bundle: bytes) -> tuple[Picture, ...]:
    """The pictures of a plaintext bundle whose hashes are as the index says. Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_PICTURES or any(entry.file_size > LARGEST_PICTURE for entry in entries):
                raise Unreadable("the bundle is larger than a bundle may be")
            index = json.loads(archive.read("index.json"))
            found = []
            for name, expected in sorted(index.items()):
                data = archive.read(name)
                match = NAME.match(name)
                media_type = next((kind for start, kind in MEDIA_TYPES if data.startswith(start)), None)
                if hashlib.sha256(data).hexdigest() != expected or match is None or media_type is None:
                    raise Unreadable("the bundle holds something other than its index says")
                found.append(Picture(name, match[1], EvidenceKind(match[2]), media_type, data))
            return tuple(found)
    except Unreadable:
        raise
    except Exception as problem:  # zlib, recursion, encryption: a hostile archive must not close the case page
        raise Unreadable("the bundle is not a bundle") from problem
