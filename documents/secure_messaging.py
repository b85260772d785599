"""Secure messaging with triple DES and AES (ICAO 9303-11 §9.8), for both ends of the line.

A `CipherSuite` is the cipher with its key derivation and its message authentication code; a `Session` is two keys
and a counter under one suite. The reader wraps its transceiver in `SecuredTransceiver`; the simulated card uses
`unprotect_command` and `protect_answer`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from documents import tlv
from documents.apdu import Answer, Command, SessionBroken, SessionLost, Transceiver

_DES_BLOCK = 8
_AES_BLOCK = 16
_MAC_LENGTH = 8


# ------------------------------------------------------------------------------------------------ triple DES


def derive_key(seed: bytes, counter: int) -> bytes:
    """A 16-byte two-key triple DES key from a secret (9303-11 §9.7.1.1): 1 for encryption, 2 for MAC, 3 for π."""
    digest = hashlib.sha1(seed + counter.to_bytes(4, "big")).digest()[:16]  # noqa: S324 (what 9303 prescribes)
    return bytes(byte & 0xFE | (byte >> 1).bit_count() & 1 ^ 1 for byte in digest)  # odd parity


def encrypt(key: bytes, data: bytes) -> bytes:
    """Triple DES in CBC mode with a zero IV; `data` is a multiple of eight bytes."""
    encryptor = _triple_des(key).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt(key: bytes, data: bytes) -> bytes:
    decryptor = _triple_des(key).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def retail_mac(key: bytes, padded: bytes) -> bytes:
    """ISO/IEC 9797-1 MAC algorithm 3 with DES over data that is already padded; eight bytes."""
    chained = bytes(_DES_BLOCK)
    if len(padded) > _DES_BLOCK:
        chained = encrypt(key[:8] * 2, padded[:-_DES_BLOCK])[-_DES_BLOCK:]  # K1 twice is single DES
    last = bytes(a ^ b for a, b in zip(chained, padded[-_DES_BLOCK:], strict=True))
    return encrypt(key, last)


def pad(data: bytes, block: int = _DES_BLOCK) -> bytes:
    """ISO/IEC 9797-1 padding method 2."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


def unpad(data: bytes) -> bytes:
    """ValueError when there is no padding."""
    bare = data.rstrip(b"\x00")
    if not bare.endswith(b"\x80"):
        raise ValueError("no padding")
    return bare[:-1]


def _triple_des(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(TripleDES(key + key[:8]), modes.CBC(bytes(_DES_BLOCK)))


# ------------------------------------------------------------------------------------------------ the suites


class CipherSuite(Protocol):
    """A block cipher as 9303-11 uses it. Blocks and keys in bytes; `encrypt` and `decrypt` want whole blocks and
    raise ValueError for others."""

    @property
    def name(self) -> str: ...

    @property
    def block(self) -> int: ...

    @property
    def key_length(self) -> int: ...

    def derive_key(self, secret: bytes, counter: int) -> bytes:
        """KDF(secret, counter), 9303-11 §9.7.1."""
        ...

    def encrypt(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        """CBC; without an IV, the IV of zeros."""
        ...

    def decrypt(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes: ...

    def message_iv(self, key: bytes, counter: int) -> bytes:
        """The IV of the message with this send sequence counter (9303-11 §9.8.6.1, §9.8.7.1)."""
        ...

    def mac(self, key: bytes, padded: bytes) -> bytes:
        """Eight bytes over data that secure messaging has padded."""
        ...

    def token(self, key: bytes, data: bytes) -> bytes:
        """Eight bytes over data that nobody has padded: the authentication tokens of PACE (§4.4.3.4)."""
        ...


@dataclass(frozen=True)
class _TripleDes:
    """Two-key triple DES with the retail MAC."""

    name: str = "3des"
    block: int = _DES_BLOCK
    key_length: int = 16

    def derive_key(self, secret: bytes, counter: int) -> bytes:
        return derive_key(secret, counter)

    def encrypt(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        encryptor = Cipher(TripleDES(key + key[:8]), modes.CBC(iv or bytes(_DES_BLOCK))).encryptor()
        return encryptor.update(data) + encryptor.finalize()

    def decrypt(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        decryptor = Cipher(TripleDES(key + key[:8]), modes.CBC(iv or bytes(_DES_BLOCK))).decryptor()
        return decryptor.update(data) + decryptor.finalize()

    def message_iv(self, key: bytes, counter: int) -> bytes:
        return bytes(_DES_BLOCK)

    def mac(self, key: bytes, padded: bytes) -> bytes:
        return retail_mac(key, padded)

    def token(self, key: bytes, data: bytes) -> bytes:
        return retail_mac(key, pad(data))


@dataclass(frozen=True)
class _Aes:
    """AES with CMAC of eight bytes."""

    key_length: int
    block: int = _AES_BLOCK

    @property
    def name(self) -> str:
        return f"aes{self.key_length * 8}"

    def derive_key(self, secret: bytes, counter: int) -> bytes:
        # 9303-11 §9.7.1.2: SHA-1 as long as it suffices, SHA-256 beyond.
        digest = hashlib.sha1 if self.key_length == 16 else hashlib.sha256
        return digest(secret + counter.to_bytes(4, "big")).digest()[: self.key_length]

    def encrypt(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        encryptor = Cipher(AES(key), modes.CBC(iv or bytes(_AES_BLOCK))).encryptor()
        return encryptor.update(data) + encryptor.finalize()

    def decrypt(self, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
        decryptor = Cipher(AES(key), modes.CBC(iv or bytes(_AES_BLOCK))).decryptor()
        return decryptor.update(data) + decryptor.finalize()

    def message_iv(self, key: bytes, counter: int) -> bytes:
        return self.encrypt(key, counter.to_bytes(_AES_BLOCK, "big"))  # one block under CBC with a zero IV is ECB

    def mac(self, key: bytes, padded: bytes) -> bytes:
        code = CMAC(AES(key))
        code.update(padded)
        return code.finalize()[:_MAC_LENGTH]

    def token(self, key: bytes, data: bytes) -> bytes:
        return self.mac(key, data)


TRIPLE_DES: CipherSuite = _TripleDes()
AES_128: CipherSuite = _Aes(16)
AES_192: CipherSuite = _Aes(24)
AES_256: CipherSuite = _Aes(32)
# The last arc of every object identifier of PACE and of chip authentication (9303-11 §9.2.3, §9.2.7).
SUITES: dict[int, CipherSuite] = {1: TRIPLE_DES, 2: AES_128, 3: AES_192, 4: AES_256}


# ----------------------------------------------------------------------------------------------- the session


class Session:
    """The keys and the send sequence counter of one secured session."""

    def __init__(self, suite: CipherSuite, encryption_key: bytes, mac_key: bytes, counter: int = 0) -> None:
        self._suite = suite
        self._encryption_key = encryption_key
        self._mac_key = mac_key
        self._counters = 1 << 8 * suite.block
        self.counter = counter

    @classmethod
    def of(cls, suite: CipherSuite, secret: bytes) -> Session:
        """The session after PACE or chip authentication: keys from the agreed secret, the counter at zero."""
        return cls(suite, suite.derive_key(secret, 1), suite.derive_key(secret, 2))

    # -------------------------------------------------------------------------------- the reader's end

    def protect_command(self, command: Command) -> bytes:
        """The command under encryption and MAC (9303-11 §9.8.4)."""
        head = bytes((command.cla | 0x0C, command.ins, command.p1, command.p2))
        self._count()
        objects = self._encrypted(command.data, odd=bool(command.ins & 1))
        if command.expected:
            short = command.expected <= 256
            length = (command.expected & (0xFF if short else 0xFFFF)).to_bytes(1 if short else 2, "big")
            objects += tlv.encode(0x97, length)
        mac = self._mac(pad(head, self._suite.block) + objects)
        body = objects + tlv.encode(0x8E, mac)
        extended = len(body) > 255 or command.expected > 256
        return Command(head[0], command.ins, command.p1, command.p2, body, 65536 if extended else 256).encode()

    def unprotect_answer(self, answer: Answer) -> Answer:
        """The bare answer. SessionBroken unless its MAC proves it; SessionLost when the chip gave up."""
        if not answer.data:
            raise SessionLost("session_lost")
        try:
            covered, found = _data_objects(answer.data)
        except tlv.TlvError:
            raise SessionBroken("response_malformed") from None
        self._count()
        if not hmac.compare_digest(self._mac(covered), found.get(0x8E, b"")):
            raise SessionBroken("response_mac_invalid")
        status = found.get(0x99, b"")
        if len(status) != 2 or int.from_bytes(status, "big") != answer.status:
            raise SessionBroken("response_status_invalid")
        try:
            return Answer(self._decrypted(found), answer.status)
        except ValueError:
            raise SessionBroken("response_malformed") from None

    # ---------------------------------------------------------------------------------- the card's end

    def unprotect_command(self, command: Command) -> Command:
        """The bare command. LookupError for missing data objects (6987), ValueError for wrong ones (6988)."""
        covered, found = _data_objects(command.data)
        if 0x8E not in found:
            raise LookupError("no MAC")
        head = bytes((command.cla, command.ins, command.p1, command.p2))
        self._count()
        if not hmac.compare_digest(self._mac(pad(head, self._suite.block) + covered), found[0x8E]):
            raise ValueError("wrong MAC")
        length = found.get(0x97, b"")
        expected = 0
        if length:
            expected = int.from_bytes(length, "big") or (256 if len(length) == 1 else 65536)
        return Command(command.cla & 0xF3, command.ins, command.p1, command.p2, self._decrypted(found), expected)

    def protect_answer(self, answer: Answer, *, odd: bool) -> Answer:
        self._count()
        objects = self._encrypted(answer.data, odd=odd) + tlv.encode(0x99, answer.status.to_bytes(2, "big"))
        return Answer(objects + tlv.encode(0x8E, self._mac(objects)), answer.status)

    # ---------------------------------------------------------------------------------------- private

    def _count(self) -> None:
        self.counter = (self.counter + 1) % self._counters

    def _mac(self, covered: bytes) -> bytes:
        block = self._suite.block
        return self._suite.mac(self._mac_key, pad(self.counter.to_bytes(block, "big") + covered, block))

    def _encrypted(self, data: bytes, *, odd: bool) -> bytes:
        if not data:
            return b""
        iv = self._suite.message_iv(self._encryption_key, self.counter)
        cryptogram = self._suite.encrypt(self._encryption_key, pad(data, self._suite.block), iv)
        return tlv.encode(0x85, cryptogram) if odd else tlv.encode(0x87, b"\x01" + cryptogram)

    def _decrypted(self, found: dict[int, bytes]) -> bytes:
        cryptogram = found.get(0x85)
        if 0x87 in found:
            if found[0x87][:1] != b"\x01":
                raise ValueError("unknown padding indicator")
            cryptogram = found[0x87][1:]
        if cryptogram is None:
            return b""
        iv = self._suite.message_iv(self._encryption_key, self.counter)
        return unpad(self._suite.decrypt(self._encryption_key, cryptogram, iv))


def _data_objects(data: bytes) -> tuple[bytes, dict[int, bytes]]:
    """The bytes that the MAC covers, as they came, and the objects by tag.

    TlvError unless the MAC is the last object and no object comes twice: what follows a MAC is covered by nothing.
    Nor is the header of its own object, which therefore has one form only.
    """
    found: dict[int, bytes] = {}
    offset = covered = 0
    while offset < len(data):
        tag, begin, length = tlv.header(data, offset)
        if begin + length > len(data) or tag in found or 0x8E in found:
            raise tlv.TlvError("cut within a value, an object twice, or something behind the MAC")
        if tag == 0x8E and (begin - offset, length) != (2, _MAC_LENGTH):
            raise tlv.TlvError("a MAC of another length, or written otherwise")
        covered = offset
        offset = begin + length
        found[tag] = data[begin:offset]
    return data[:covered] if 0x8E in found else data, found


class SecuredTransceiver:
    """A transceiver whose every command and answer goes through a `Session`."""

    def __init__(self, transceiver: Transceiver, session: Session) -> None:
        self._transceiver = transceiver
        self._session = session

    def rekeyed(self, session: Session) -> SecuredTransceiver:
        """The same line under another session: chip authentication exchanges the keys and nothing else."""
        return SecuredTransceiver(self._transceiver, session)

    def transmit(self, apdu: bytes) -> bytes:
        command = Command.parse(apdu)
        answer = Answer.parse(self._transceiver.transmit(self._session.protect_command(command)))
        return self._session.unprotect_answer(answer).encode()
