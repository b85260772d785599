"""The evidence bundle: the pictures an officer may need after a referral, readable by central alone.

It is encrypted the moment the journey ends, its hash goes into the record before the record is sent, and it is
kept in memory until the decision says whether it is wanted. Then it is uploaded, or forgotten. The form and the
suite are those of `contracts.evidence`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from contracts.evidence import EVIDENCE_SUITE, EvidenceKind, evidence_info
from contracts.transaction import EvidenceReference
from hardware.ports import Frame

_LARGEST_SIDE = 1600
_JPEG_QUALITY = 82
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, repr=False)
class SealedEvidence:
    """A bundle that only central can open, and what the record says about it."""

    ciphertext: bytes
    reference: EvidenceReference


@dataclass
class Pictures:
    """The pictures of one party, in memory only; `wipe` forgets them."""

    _held: dict[tuple[str, EvidenceKind, int], bytes] = field(default_factory=dict, repr=False)

    def keep_frame(self, person_id: str, kind: EvidenceKind, frame: Frame, side: int = 1) -> None:
        """Keep a camera frame as JPEG, 1600 pixels at most; the newest of its kind and `side` counts."""
        import cv2

        scale = min(1.0, _LARGEST_SIDE / max(frame.shape[:2]))
        if scale < 1.0:
            smaller = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            frame = np.asarray(smaller, np.uint8)
        ok, encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if ok:
            self._held[person_id, kind, side] = encoded.tobytes()

    def keep_portrait(self, person_id: str, portrait: bytes) -> None:
        """Keep the chip's portrait: JPEG as it is, JPEG 2000 as JPEG, which an officer's browser can show."""
        import cv2
        import numpy as np

        if portrait.startswith(b"\xff\xd8\xff"):
            self._held[person_id, EvidenceKind.CHIP_PORTRAIT, 1] = portrait
            return
        try:
            image = cv2.imdecode(np.frombuffer(portrait, dtype=np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            return
        if image is not None:
            self.keep_frame(person_id, EvidenceKind.CHIP_PORTRAIT, np.asarray(image, dtype=np.uint8))

    def forget(self, person_id: str) -> None:
        """Forget one person's pictures: their document is read again."""
        for key in [key for key in self._held if key[0] == person_id]:
            del self._held[key]

    def wipe(self) -> None:
        self._held.clear()

    def __bool__(self) -> bool:
        return bool(self._held)

    def named(self) -> dict[str, bytes]:
        """The pictures under the names they have in a bundle."""
        return {
            f"{person_id}-{kind.value}{f'-{side}' if side > 1 else ''}.jpg": data
            for (person_id, kind, side), data in self._held.items()
        }


def bundle(pictures: Mapping[str, bytes]) -> bytes:
    """A ZIP of the pictures and their index, the same bytes for the same pictures."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        index = {name: hashlib.sha256(picture).hexdigest() for name, picture in sorted(pictures.items())}
        archive.writestr(zipfile.ZipInfo("index.json", _EPOCH), json.dumps(index, sort_keys=True))
        for name, picture in sorted(pictures.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), picture)
    return buffer.getvalue()


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
        suite=EVIDENCE_SUITE,
        key_id=key_id,
        ciphertext_sha256=hashlib.sha256(ciphertext).hexdigest(),
        size=len(ciphertext),
    )
    return SealedEvidence(ciphertext, reference)
