"""Basic access control (ICAO 9303-11 §4.3): a challenge, mutual authentication with keys from the printed zone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from documents.apdu import AccessRefused, Command, Transceiver, exchange
from documents.mrz import MrzKey
from documents.secure_messaging import (
    TRIPLE_DES,
    SecuredTransceiver,
    Session,
    decrypt,
    derive_key,
    encrypt,
    pad,
    retail_mac,
)


@dataclass(frozen=True)
class BacKeys:
    """The document basic access keys (9303-11 §9.7.2)."""

    encryption: bytes
    mac: bytes

    @classmethod
    def of(cls, key: MrzKey) -> BacKeys:
        seed = hashlib.sha1(key.information.encode()).digest()[:16]  # noqa: S324 (what 9303 prescribes)
        return cls(derive_key(seed, 1), derive_key(seed, 2))

    def seal(self, content: bytes) -> bytes:
        """The cryptogram and its MAC, as both ends of EXTERNAL AUTHENTICATE send it."""
        cryptogram = encrypt(self.encryption, content)
        return cryptogram + retail_mac(self.mac, pad(cryptogram))

    def unseal(self, sealed: bytes) -> bytes:
        """ValueError unless 32 bytes under the right MAC."""
        if len(sealed) != 40 or not hmac.compare_digest(retail_mac(self.mac, pad(sealed[:32])), sealed[32:]):
            raise ValueError("not under this key")
        return decrypt(self.encryption, sealed[:32])


def session_of(reader_share: bytes, chip_share: bytes, reader_nonce: bytes, chip_nonce: bytes) -> Session:
    """The session both ends derive from what they exchanged (9303-11 §4.3.3 and §9.8.6.3)."""
    seed = bytes(a ^ b for a, b in zip(reader_share, chip_share, strict=True))
    counter = int.from_bytes(chip_nonce[4:] + reader_nonce[4:], "big")
    return Session(TRIPLE_DES, derive_key(seed, 1), derive_key(seed, 2), counter)


class BasicAccessControl:
    """BAC: challenge, mutual authentication with keys from the MRZ, triple DES session."""

    name = "bac"

    def __init__(self, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random_bytes = random_bytes

    def open(self, transceiver: Transceiver, key: MrzKey) -> SecuredTransceiver:
        """The secured transceiver, with the application selected before. AccessRefused when chip and key do not
        go together."""
        keys = BacKeys.of(key)
        challenge = exchange(transceiver, Command(0x00, 0x84, 0, 0, expected=8))
        if not challenge.ok or len(challenge.data) != 8:
            raise AccessRefused("no_challenge")
        chip_nonce, reader_nonce, reader_share = challenge.data, self._random_bytes(8), self._random_bytes(16)
        sealed = keys.seal(reader_nonce + chip_nonce + reader_share)
        answer = exchange(transceiver, Command(0x00, 0x82, 0, 0, sealed, expected=40))
        if not answer.ok:
            raise AccessRefused("key_refused")
        try:
            content = keys.unseal(answer.data)
        except ValueError:
            raise AccessRefused("chip_answer_invalid") from None
        if content[:8] != chip_nonce or content[8:16] != reader_nonce:
            raise AccessRefused("chip_answer_invalid")
        return SecuredTransceiver(transceiver, session_of(reader_share, content[16:], reader_nonce, chip_nonce))
