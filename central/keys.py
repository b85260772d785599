"""Key files: every secret names its purpose, suite and key id, and says when it belongs to a demo (rules 10, 11).

A key file is JSON with the current key first, so that keys can turn over while old data stays readable:
`{"purpose": "master", "keys": [{"suite": …, "key_id": …, "demo": false, "secret": base64url}, …]}`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contracts.evidence import EVIDENCE_SUITE

Purpose = Literal["master", "receipt", "evidence", "session", "sampling"]

SUITES: dict[Purpose, str] = {
    "master": "aes-256-gcm",
    "receipt": "ed25519",
    "evidence": EVIDENCE_SUITE,
    "session": "hmac-sha256",
    "sampling": "hmac-sha256",
}


class KeyFileError(ValueError):
    """A key file that cannot be used; the text says which and why, without key material."""


@dataclass(frozen=True, repr=False)
class Key:
    """One secret of 32 bytes with its names. It has no repr, so that it cannot leak into a log."""

    purpose: Purpose
    suite: str
    key_id: str
    demo: bool
    secret: bytes

    def signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)

    def exchange(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.secret)

    def public_text(self) -> str:
        """The public half as base64url without padding (43 characters)."""
        if self.purpose == "receipt":
            return base64url(self.signing().public_key().public_bytes_raw())
        if self.purpose == "evidence":
            return base64url(self.exchange().public_key().public_bytes_raw())
        raise KeyFileError(f"a {self.purpose} key has no public half")


@dataclass(frozen=True, repr=False)
class KeyRing:
    """The keys of one purpose: the first is used for new data, the others open old data."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        return self.keys[0]

    def named(self, key_id: str) -> Key | None:
        return next((key for key in self.keys if key.key_id == key_id), None)


def base64url(data: bytes) -> str:
    """RFC 4648 §5 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The inverse of `base64url`. Raises ValueError for anything else."""
    if any(character in "+/=" for character in text):
        raise ValueError("not base64url without padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def create_key_file(path: Path, purpose: Purpose, *, demo: bool, secret: bytes | None = None) -> Key:
    """Write a new key file of mode 0600. Raises FileExistsError rather than replace a key."""
    secret = secret if secret is not None else secrets.token_bytes(32)
    key_id = f"{purpose}-{hashlib.sha256(b'key id' + secret).hexdigest()[:12]}"
    key = Key(purpose=purpose, suite=SUITES[purpose], key_id=key_id, demo=demo, secret=secret)
    document = {
        "purpose": purpose,
        "keys": [{"suite": key.suite, "key_id": key.key_id, "demo": demo, "secret": base64url(secret)}],
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def load_key_file(path: Path, purpose: Purpose) -> KeyRing:
    """Read a key file. Raises KeyFileError when it is missing, of another purpose or malformed."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["purpose"] != purpose:
            raise KeyFileError(f"{path}: the key is for {document['purpose']}, not for {purpose}")
        keys = tuple(
            Key(
                purpose=purpose,
                suite=entry["suite"],
                key_id=entry["key_id"],
                demo=bool(entry["demo"]),
                secret=from_base64url(entry["secret"]),
            )
            for entry in document["keys"]
        )
    except OSError as problem:
        raise KeyFileError(f"{path}: cannot be read ({problem.strerror})") from problem
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        if isinstance(problem, KeyFileError):
            raise
        raise KeyFileError(f"{path}: not a key file") from problem
    if not keys or any(len(key.secret) != 32 or key.suite != SUITES[purpose] for key in keys):
        raise KeyFileError(f"{path}: no usable {SUITES[purpose]} key of 32 bytes")
    return KeyRing(keys)


def readable_by_others(path: Path) -> bool:
    """True when group or others may read or write the file."""
    return bool(path.stat().st_mode & 0o077)
