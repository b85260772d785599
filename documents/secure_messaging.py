"""Secure messaging with two-key triple DES (ICAO 9303-11 §9.8), for both ends of the line.

The reader wraps its transceiver in `SecuredTransceiver`; the simulated card uses `unprotect` and `protect`.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from documents import tlv
from documents.apdu import Answer, Command, SessionBroken, SessionLost, Transceiver

_BLOCK = 8
_COUNTER_END = 1 << 64


def derive_key(seed: bytes, counter: int) -> bytes:
    """A 16-byte two-key triple DES key from a key seed (9303-11 §9.7.1): 1 for encryption, 2 for MAC."""
    digest = hashlib.sha1(seed + counter.to_bytes(4, "big")).digest()[:16]  # noqa: S324 (what 9303 prescribes)
    return bytes(byte & 0xFE | (byte >> 1).bit_count() & 1 ^ 1 for byte in digest)  # odd parity


def encrypt(key: bytes, data: bytes) -> bytes:
    """Triple DES in CBC mode with a zero IV; `data` is a multiple of eight bytes."""
    encryptor = _cipher(key).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt(key: bytes, data: bytes) -> bytes:
    decryptor = _cipher(key).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def retail_mac(key: bytes, padded: bytes) -> bytes:
    """ISO/IEC 9797-1 MAC algorithm 3 with DES over data that is already padded; eight bytes."""
    chained = bytes(_BLOCK)
    if len(padded) > _BLOCK:
        chained = encrypt(key[:8] * 2, padded[:-_BLOCK])[-_BLOCK:]  # K1 twice is single DES
    last = bytes(a ^ b for a, b in zip(chained, padded[-_BLOCK:], strict=True))
    return encrypt(key, last)


def pad(data: bytes) -> bytes:
    """ISO/IEC 9797-1 padding method 2."""
    return data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)


def unpad(data: bytes) -> bytes:
    """ValueError when there is no padding."""
    bare = data.rstrip(b"\x00")
    if not bare.endswith(b"\x80"):
        raise ValueError("no padding")
    return bare[:-1]


def _cipher(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(TripleDES(key + key[:8]), modes.CBC(bytes(_BLOCK)))


class Session:
    """The keys and the send sequence counter of one secured session."""

    def __init__(self, encryption_key: bytes, mac_key: bytes, counter: bytes) -> None:
        self._encryption_key = encryption_key
        self._mac_key = mac_key
        self.counter = int.from_bytes(counter, "big")

    # -------------------------------------------------------------------------------- the reader's end

    def protect_command(self, command: Command) -> bytes:
        """The command under encryption and MAC (9303-11 §9.8.4)."""
        head = bytes((command.cla | 0x0C, command.ins, command.p1, command.p2))
        objects = self._encrypted(command.data, odd=bool(command.ins & 1))
        if command.expected:
            short = command.expected <= 256
            length = (command.expected & (0xFF if short else 0xFFFF)).to_bytes(1 if short else 2, "big")
            objects += tlv.encode(0x97, length)
        mac = self._mac(pad(head) + objects)
        body = objects + tlv.encode(0x8E, mac)
        extended = len(body) > 255 or command.expected > 256
        return Command(head[0], command.ins, command.p1, command.p2, body, 65536 if extended else 256).encode()

    def unprotect_answer(self, answer: Answer) -> Answer:
        """The bare answer. SessionBroken unless its MAC proves it; SessionLost when the chip gave up."""
        if not answer.data:
            raise SessionLost("session_lost")
        try:
            found = dict(tlv.objects(answer.data))
        except tlv.TlvError:
            raise SessionBroken("response_malformed") from None
        covered = b"".join(tlv.encode(tag, found[tag]) for tag in found if tag != 0x8E)
        mac = self._mac(covered)
        if not hmac.compare_digest(mac, found.get(0x8E, b"")):
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
        found = dict(tlv.objects(command.data))
        if 0x8E not in found:
            raise LookupError("no MAC")
        head = bytes((command.cla, command.ins, command.p1, command.p2))
        covered = b"".join(tlv.encode(tag, found[tag]) for tag in found if tag != 0x8E)
        mac = self._mac(pad(head) + covered)
        if not hmac.compare_digest(mac, found[0x8E]):
            raise ValueError("wrong MAC")
        length = found.get(0x97, b"")
        expected = 0
        if length:
            expected = int.from_bytes(length, "big") or (256 if len(length) == 1 else 65536)
        return Command(command.cla & 0xF3, command.ins, command.p1, command.p2, self._decrypted(found), expected)

    def protect_answer(self, answer: Answer, *, odd: bool) -> Answer:
        objects = self._encrypted(answer.data, odd=odd) + tlv.encode(0x99, answer.status.to_bytes(2, "big"))
        return Answer(objects + tlv.encode(0x8E, self._mac(objects)), answer.status)

    # ---------------------------------------------------------------------------------------- private

    def _mac(self, covered: bytes) -> bytes:
        """Counts on, then MACs; nothing to cover leaves the counter alone in the padding."""
        self.counter = (self.counter + 1) % _COUNTER_END
        return retail_mac(self._mac_key, pad(self.counter.to_bytes(_BLOCK, "big") + covered))

    def _encrypted(self, data: bytes, *, odd: bool) -> bytes:
        if not data:
            return b""
        cryptogram = encrypt(self._encryption_key, pad(data))
        return tlv.encode(0x85, cryptogram) if odd else tlv.encode(0x87, b"\x01" + cryptogram)

    def _decrypted(self, found: dict[int, bytes]) -> bytes:
        if 0x87 in found:
            if found[0x87][:1] != b"\x01":
                raise ValueError("unknown padding indicator")
            return unpad(decrypt(self._encryption_key, found[0x87][1:]))
        return unpad(decrypt(self._encryption_key, found[0x85])) if 0x85 in found else b""


class SecuredTransceiver:
    """A transceiver whose every command and answer goes through a `Session`."""

    def __init__(self, transceiver: Transceiver, session: Session) -> None:
        self._transceiver = transceiver
        self._session = session

    def transmit(self, apdu: bytes) -> bytes:
        command = Command.parse(apdu)
        answer = Answer.parse(self._transceiver.transmit(self._session.protect_command(command)))
        return self._session.unprotect_answer(answer).encode()
