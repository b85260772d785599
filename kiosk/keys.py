"""The kiosk's own keys: Ed25519 for its signatures, 256 bits for its outbox. Files of mode 0600, beside no data.

A key file made for a demonstration says so in its first line; the production profile refuses it (rule 10).
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DEMO_LABEL = "# CORRIDOR DEMONSTRATION KEY: refused by the production profile"


class KeyFileError(ValueError):
    """A key file that cannot be used; the text names the file and the reason, never its content."""


@dataclass(frozen=True, repr=False)
class OutboxKey:
    """An AES-256 key and its name: the first 16 hex digits of its SHA-256."""

    key: bytes
    key_id: str


def encode_public_key(key: Ed25519PrivateKey) -> str:
    """The public half as base64url without padding: 43 characters."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Raises KeyFileError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise KeyFileError(f"{path}: not a readable, unencrypted PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: not an Ed25519 key")
    return key


def load_outbox_key(path: Path) -> OutboxKey:
    """One line of base64url: 32 bytes; lines beginning with # are remarks. Raises KeyFileError."""
    try:
        lines = [line for line in path.read_text(encoding="ascii").splitlines() if line and line[0] != "#"]
        key = base64.urlsafe_b64decode(lines[0] + "=" * (-len(lines[0]) % 4))
    except (OSError, ValueError, IndexError):
        raise KeyFileError(f"{path}: not a readable key file") from None
    if len(key) != 32:
        raise KeyFileError(f"{path}: not a 256-bit key")
    return OutboxKey(key, hashlib.sha256(key).hexdigest()[:16])


def is_demonstration_key(path: Path) -> bool:
    try:
        return path.read_bytes().lstrip().startswith(b"# CORRIDOR DEMONSTRATION KEY")
    except OSError:
        return False


def readable_by_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False


def create_keys(directory: Path, *, demonstration: bool) -> str:
    """Make signing.pem and outbox.key where they are missing; returns the public key (base64url)."""
    directory.mkdir(parents=True, exist_ok=True)
    head = f"{DEMO_LABEL}\n" if demonstration else ""
    signing, outbox = directory / "signing.pem", directory / "outbox.key"
    if not signing.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_secret(signing, head + pem.decode())
    if not outbox.exists():
        _write_secret(outbox, head + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() + "\n")
    return encode_public_key(load_signing_key(signing))


def _write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
