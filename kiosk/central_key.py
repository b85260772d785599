"""Central's own key, as this kiosk knows it: what central tells is believed only under its signature.

The evidence key comes with an answer of central; pictures sealed for a stranger's key would be the stranger's. So
the answer is signed, and the key that signs is pinned: by the configuration (`central_key`, which production
wants), else the first one that was ever seen, kept over restarts in the data directory. Evidence keys may turn
over freely under it. When central's own key turns over, somebody who knows tells the kiosk.
"""

from __future__ import annotations

import base64
import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.api import KioskConfiguration
from contracts.canonical import canonical_json

FILE_NAME = "central.key"
OLDEST = timedelta(minutes=5)  # an answer of former days is no answer


class CentralKey:
    """The pinned key. `accepts` says whether an answer is central's."""

    def __init__(self, data_dir: Path, configured: str | None = None) -> None:
        self._path = data_dir / FILE_NAME
        self._configured = configured

    def accepts(self, said: KioskConfiguration, now: datetime) -> bool:
        """True for a fresh answer under the pinned key; the first key that is ever seen is pinned here."""
        pinned = self._configured or self._kept()
        if pinned is not None and pinned != said.receipt_public_key:
            return False
        if not _signed(said) or abs(now - said.server_time) > OLDEST:
            return False
        if pinned is None:
            self._keep(said.receipt_public_key)
        return True

    def vouches(self, content: bytes, signature: str | None) -> bool:
        """True when the pinned key signed `content`. False while none is pinned."""
        pinned = self._configured or self._kept()
        return pinned is not None and signature is not None and _holds(pinned, signature, content)

    def _kept(self) -> str | None:
        try:
            return self._path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None

    def _keep(self, key: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())


def _signed(said: KioskConfiguration) -> bool:
    if said.signature is None:
        return False
    return _holds(
        said.receipt_public_key, said.signature, canonical_json(said.model_copy(update={"signature": None}))
    )


def _holds(key: str, signature: str, content: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(key)).verify(_bytes(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
