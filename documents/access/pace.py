"""Password authenticated connection establishment (ICAO 9303-11 §4.4), the reader's end.

A nonce under the password, a mapping of it to a generator, key agreement on that generator, and a token from each
side. With chip authentication mapping the chip's token brings proof of its static key, which is worth what the
signature over that key is worth.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from documents import tlv
from documents.apdu import AccessRefused, Answer, Command, Transceiver, exchange
from documents.key_agreement import Group, RandomBelow, UnsafeKey, private_key
from documents.mrz import MrzKey
from documents.secure_messaging import CipherSuite, SecuredTransceiver, Session, unpad
from documents.security_infos import MAPPINGS, ChipKey, PaceInfo

_OBJECT_IDENTIFIER, _PUBLIC_KEY, _DYNAMIC = 0x06, 0x7F49, 0x7C
_SHORT_ANSWER = 240  # a public key of this length still fits a short answer
_PASSWORD_COUNTER = 3  # 9303-11 §9.7.3
# The constants c0 and c1 of the integrated mapping, §4.4.3.3.2, by the length of the nonce.
_C0 = {
    16: bytes.fromhex("a668892a7c41e3ca739f40b057d85904"),
    32: bytes.fromhex("d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"),
}
_C1 = {
    16: bytes.fromhex("a4e136ac725f738b01c1f60217c188ad"),
    32: bytes.fromhex("54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"),
}


@dataclass(frozen=True, repr=False)
class CardAccessNumber:
    """The CAN, as printed on the front of a card. ValueError for what cannot be one."""

    digits: str

    def __post_init__(self) -> None:
        if not (self.digits.isascii() and self.digits.isdigit() and 4 <= len(self.digits) <= 12):
            raise ValueError("not a card access number")


Password = MrzKey | CardAccessNumber


@dataclass(frozen=True, repr=False)
class PaceSession:
    """An opened chip: the secured line, and what it said about its own key (CAM only)."""

    line: SecuredTransceiver
    info: PaceInfo
    mapping_key: bytes  # the chip's ephemeral public key of the mapping
    chip_data: bytes | None  # the decrypted chip authentication data

    def proves(self, key: ChipKey) -> bool:
        """True when the chip has shown that it holds the private part of `key` (§4.4.3.5.2).

        The key of the mapping is the one whose identifier is that of the domain parameters (§9.2.1).
        """
        group = self.info.group
        if self.chip_data is None or not key.elliptic or key.key_id not in (None, self.info.parameter):
            return False
        try:
            shown = group.agree(int.from_bytes(self.chip_data, "big") % group.order, key.public)
        except UnsafeKey:
            return False
        return hmac.compare_digest(shown, self.mapping_key)


class Pace:
    """PACE as one PACEInfo describes it. `names_parameter` sends the domain parameters' identifier along, which
    older chips want although there is only one (§4.4.4.1 asks for it where it is ambiguous)."""

    def __init__(
        self,
        info: PaceInfo,
        *,
        names_parameter: bool = False,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        below: RandomBelow = secrets.randbelow,
    ) -> None:
        self._info = info
        self._names_parameter = names_parameter
        self._random_bytes = random_bytes
        self._below = below

    @property
    def name(self) -> str:
        return f"pace_{self._info.mapping}"

    def open(self, transceiver: Transceiver, password: Password) -> PaceSession:
        """The session, before any application is selected.

        AccessRefused: `pace_refused_setup`, `_nonce`, `_mapping`, `_agreement` when the chip does not take part in
        that step, `key_refused` when it does not accept the password, `chip_answer_invalid` for no proper answer.
        """
        try:
            return self._open(transceiver, password)
        except ValueError:  # a key of no group, no TLV, no whole blocks: what the chip said is no answer
            raise AccessRefused("chip_answer_invalid") from None

    def _open(self, transceiver: Transceiver, password: Password) -> PaceSession:
        info, suite = self._info, self._info.suite
        self._set_up(transceiver, password)
        sealed = self._general_authenticate(transceiver, b"", 0x80, "pace_refused_nonce")
        nonce = suite.decrypt(password_key(password, suite), sealed)
        group, mapping_key = self._map(transceiver, nonce)

        private = private_key(group, self._below)
        public = group.public(private)
        sent = tlv.encode(0x83, public)
        chip_public = self._general_authenticate(transceiver, sent, 0x84, "pace_refused_agreement")
        if hmac.compare_digest(chip_public, public):
            raise AccessRefused("chip_answer_invalid")  # our own key sent back (§4.4.1)
        secret = group.secret(private, chip_public)
        encryption_key, mac_key = suite.derive_key(secret, 1), suite.derive_key(secret, 2)

        token = tlv.encode(0x85, authentication_token(info, mac_key, chip_public))
        answer = self._authenticate(transceiver, token)
        expected = authentication_token(info, mac_key, public)
        if not hmac.compare_digest(tlv.value(answer, 0x86), expected):
            raise AccessRefused("chip_answer_invalid")
        chip_data = None
        if info.mapping == "cam":
            chip_data = _chip_authentication_data(suite, encryption_key, tlv.value(answer, 0x8A))
        line = SecuredTransceiver(transceiver, Session(suite, encryption_key, mac_key))
        return PaceSession(line, info, mapping_key, chip_data)

    def _set_up(self, transceiver: Transceiver, password: Password) -> None:
        reference = b"\x01" if isinstance(password, MrzKey) else b"\x02"
        template = tlv.encode(0x80, self._info.protocol) + tlv.encode(0x83, reference)
        if self._names_parameter:
            template += tlv.encode(0x84, bytes([self._info.parameter]))
        answer = exchange(transceiver, Command(0x00, 0x22, 0xC1, 0xA4, template))
        tries_left = answer.status >> 4 == 0x63C and answer.status & 0xF
        if not answer.ok and not tries_left:
            raise AccessRefused("pace_refused_setup")

    def _map(self, transceiver: Transceiver, nonce: bytes) -> tuple[Group, bytes]:
        """The group on the mapped generator, and the chip's public key of the mapping."""
        group, suite = self._info.group, self._info.suite
        if self._info.mapping == "im":
            own = self._random_bytes(suite.key_length)
            self._general_authenticate(transceiver, tlv.encode(0x81, own), 0x82, "pace_refused_mapping")
            return group.mapped_from(pseudo_random(suite, nonce, own, group.prime)), b""
        private = private_key(group, self._below)
        sent = tlv.encode(0x81, group.public(private))
        mapping_key = self._general_authenticate(transceiver, sent, 0x82, "pace_refused_mapping")
        return group.mapped_generically(nonce, group.agree(private, mapping_key)), mapping_key

    def _general_authenticate(self, transceiver: Transceiver, sent: bytes, tag: int, refusal: str) -> bytes:
        """One step of the chain; the answer's object `tag`, empty where the step leaves it out."""
        answer = self._send(transceiver, 0x10, sent)
        if not answer.ok:
            raise AccessRefused(refusal)
        objects = dict(tlv.objects(tlv.value(answer.data, _DYNAMIC))) if answer.data else {}
        if tag not in objects and not (tag == 0x82 and self._info.mapping == "im"):
            raise AccessRefused("chip_answer_invalid")
        return objects.get(tag, b"")

    def _authenticate(self, transceiver: Transceiver, sent: bytes) -> bytes:
        answer = self._send(transceiver, 0x00, sent)
        if not answer.ok:
            raise AccessRefused("key_refused")  # a wrong password shows here, and only here
        return tlv.value(answer.data, _DYNAMIC)

    def _send(self, transceiver: Transceiver, chained: int, sent: bytes) -> Answer:
        expected = 256 if self._info.group.key_length <= _SHORT_ANSWER else 65536
        command = Command(chained, 0x86, 0, 0, tlv.encode(_DYNAMIC, sent), expected)
        return exchange(transceiver, command)


def preferred(infos: tuple[PaceInfo, ...]) -> list[PaceInfo]:
    """By mapping (CAM, GM, IM), then the stronger cipher, then curves before fields, then the file's order."""
    return sorted(
        infos, key=lambda info: (MAPPINGS.index(info.mapping), -_strength(info.suite), not info.elliptic)
    )


def _strength(suite: CipherSuite) -> int:
    return suite.key_length * (suite.block > 8)  # any AES before triple DES


# ---------------------------------------------------------------- what both ends compute, the chip being simulated


def password_key(password: Password, suite: CipherSuite) -> bytes:
    """Kπ (9303-11 §9.7.3)."""
    if isinstance(password, MrzKey):
        encoded = hashlib.sha1(password.information.encode()).digest()  # noqa: S324 (what 9303 prescribes)
    else:
        encoded = password.digits.encode("latin-1")
    return suite.derive_key(encoded, _PASSWORD_COUNTER)


def nonce_length(suite: CipherSuite) -> int:
    """The bytes of the chip's nonce: the fewest whole blocks that hold a key (§4.4.3.3)."""
    return -(-suite.key_length // suite.block) * suite.block


def pseudo_random(suite: CipherSuite, nonce: bytes, other: bytes, prime: int) -> int:
    """Rp(s, t) of the integrated mapping (§4.4.3.3.2), an element of the field. ValueError for a nonce of another
    length than the cipher asks for."""
    return int.from_bytes(pseudo_random_bytes(suite, nonce, other, prime), "big") % prime


def pseudo_random_bytes(suite: CipherSuite, nonce: bytes, other: bytes, prime: int) -> bytes:
    """R(s, t), before it is reduced to an element of the field."""
    length = nonce_length(suite)
    if len(nonce) != length or len(other) != suite.key_length:
        raise ValueError("nonces of other lengths")
    rounds = -(-(prime.bit_length() + 64) // (8 * length))
    state, output = suite.encrypt(other, nonce), b""
    for _ in range(rounds):
        key = state[: suite.key_length]
        output += suite.encrypt(key, _C1[length])
        state = suite.encrypt(key, _C0[length])
    return output


def authentication_token(info: PaceInfo, mac_key: bytes, public: bytes) -> bytes:
    """The token over the other side's ephemeral public key (§4.4.3.4)."""
    data = tlv.encode(_OBJECT_IDENTIFIER, info.protocol) + tlv.encode(info.group.public_tag, public)
    return info.suite.token(mac_key, tlv.encode(_PUBLIC_KEY, data))


def chip_data_iv(suite: CipherSuite, encryption_key: bytes) -> bytes:
    """The IV of the encrypted chip authentication data: all bits set, encrypted (§4.4.3.5.4)."""
    return suite.encrypt(encryption_key, b"\xff" * suite.block)


def _chip_authentication_data(suite: CipherSuite, encryption_key: bytes, sealed: bytes) -> bytes:
    return unpad(suite.decrypt(encryption_key, sealed, chip_data_iv(suite, encryption_key)))
