"""The chip's end of PACE and of chip authentication (ICAO 9303-11 §4.4, §6.2)."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from documents import tlv
from documents.access.pace import (
    CardAccessNumber,
    Password,
    authentication_token,
    chip_data_iv,
    nonce_length,
    password_key,
    pseudo_random,
)
from documents.apdu import Answer, Command
from documents.key_agreement import Group, RandomBelow, private_key
from documents.mrz import MrzKey
from documents.secure_messaging import SUITES, TRIPLE_DES, Session, pad
from documents.security_infos import (
    ChipAuthenticationInfo,
    ChipKey,
    PaceInfo,
    SecurityInfos,
    chip_authentication_protocol,
)

_OK, _WRONG_DATA, _NOT_FOUND, _NO_SEQUENCE, _FAILED = 0x9000, 0x6A80, 0x6A88, 0x6985, 0x6300
_DYNAMIC = 0x7C
PACE_STEPS = ("setup", "nonce", "mapping", "agreement", "token")

KeyHolder = Callable[[ChipKey], int | None]
"""Gives the private value of a public key, None for a chip that does not hold it."""


@dataclass(frozen=True, repr=False)
class ChipRandom:
    """Where the chip's nonces and private keys come from."""

    bytes: Callable[[int], bytes] = secrets.token_bytes
    below: RandomBelow = secrets.randbelow


class PaceChip:
    """One chip's PACE. `set_up` and `authenticate` answer the commands; `session` is there once it is done.

    `static_key` is the public key of chip authentication mapping and `private_of` gives its private value.
    `refuses` is a step of PACE_STEPS that the chip pretends not to know.
    """

    def __init__(
        self,
        offered: SecurityInfos,
        mrz: MrzKey,
        can: CardAccessNumber | None,
        chip_keys: list[ChipKey],
        private_of: KeyHolder,
        random: ChipRandom | None = None,
        refuses: str = "",
    ) -> None:
        self._offered = offered
        self._passwords: dict[int, Password | None] = {1: mrz, 2: can}
        self._chip_keys = chip_keys
        self._private_of = private_of
        self._random = random or ChipRandom()
        self._refuses = refuses
        self._info: PaceInfo | None = None
        self._step = 0
        self.session: Session | None = None

    def set_up(self, data: bytes) -> Answer:
        """MSE:Set AT."""
        self._info, self._step, self.session = None, 0, None
        if self._refuses == "setup":
            return Answer(b"", _WRONG_DATA)
        try:
            told = dict(tlv.objects(data))
        except tlv.TlvError:
            return Answer(b"", _WRONG_DATA)
        password = self._passwords.get(int.from_bytes(told.get(0x83, b""), "big"))
        possible = [info for info in self._offered.pace if info.protocol == told.get(0x80)]
        if 0x84 in told:
            possible = [info for info in possible if info.parameter == int.from_bytes(told[0x84], "big")]
        if password is None or len(possible) != 1:
            return Answer(b"", _NOT_FOUND)
        self._info, self._password = possible[0], password
        return Answer(b"", _OK)

    def authenticate(self, command: Command) -> Answer:
        """GENERAL AUTHENTICATE: the next step of the chain."""
        info = self._info
        last = self._step == 3
        if info is None or bool(command.cla & 0x10) is last:
            return self._end(_NO_SEQUENCE)
        if self._refuses == PACE_STEPS[self._step + 1]:
            return self._end(_FAILED if last else _WRONG_DATA)
        try:
            told = dict(tlv.objects(tlv.value(command.data, _DYNAMIC)))
            step = (self._nonce_step, self._mapping_step, self._agreement_step, self._token_step)[self._step]
            body = step(info, told)
        except (ValueError, KeyError):
            return self._end(_FAILED if last else _WRONG_DATA)
        self._step += 1
        return Answer(tlv.encode(_DYNAMIC, body), _OK)

    def _end(self, status: int) -> Answer:
        self._info, self._step, self.session = None, 0, None
        return Answer(b"", status)

    def _nonce_step(self, info: PaceInfo, told: dict[int, bytes]) -> bytes:
        length = nonce_length(info.suite) if info.mapping == "im" else 16
        self._nonce = self._random.bytes(length)
        return tlv.encode(0x80, info.suite.encrypt(password_key(self._password, info.suite), self._nonce))

    def _mapping_step(self, info: PaceInfo, told: dict[int, bytes]) -> bytes:
        self._group: Group
        if info.mapping == "im":
            element = pseudo_random(info.suite, self._nonce, told[0x81], info.group.prime)
            self._group = info.group.mapped_from(element)
            return tlv.encode(0x82, b"")
        self._mapping_private = private_key(info.group, self._random.below)
        shared = info.group.agree(self._mapping_private, told[0x81])
        self._group = info.group.mapped_generically(self._nonce, shared)
        return tlv.encode(0x82, info.group.public(self._mapping_private))

    def _agreement_step(self, info: PaceInfo, told: dict[int, bytes]) -> bytes:
        private = private_key(self._group, self._random.below)
        self._public, self._other = self._group.public(private), told[0x83]
        if self._public == self._other:
            raise ValueError("our own key")
        secret = self._group.secret(private, self._other)
        self._keys = info.suite.derive_key(secret, 1), info.suite.derive_key(secret, 2)
        return tlv.encode(0x84, self._public)

    def _token_step(self, info: PaceInfo, told: dict[int, bytes]) -> bytes:
        encryption_key, mac_key = self._keys
        if not hmac.compare_digest(told[0x85], authentication_token(info, mac_key, self._public)):
            raise ValueError("the wrong password")
        body = tlv.encode(0x86, authentication_token(info, mac_key, self._other))
        if info.mapping == "cam":
            body += tlv.encode(0x8A, self._chip_data(info, encryption_key))
        self.session = Session(info.suite, encryption_key, mac_key)
        return body

    def _chip_data(self, info: PaceInfo, encryption_key: bytes) -> bytes:
        """The encrypted chip authentication data; of a chip that does not hold the key, a guess."""
        order = info.group.order
        static = next((key for key in self._chip_keys if key.key_id in (None, info.parameter)), None)
        private = self._private_of(static) if static is not None else None
        data = pow(private, -1, order) * self._mapping_private % order if private else self._random.below(order)
        padded = pad(data.to_bytes((order.bit_length() + 7) // 8, "big"), info.suite.block)
        return info.suite.encrypt(encryption_key, padded, chip_data_iv(info.suite, encryption_key))


class ChipAuthenticationChip:
    """One chip's chip authentication. `session` is what the next command has to use, once there is one."""

    def __init__(self, infos: SecurityInfos, private_of: KeyHolder) -> None:
        self._infos = infos
        self._private_of = private_of
        self._chosen: tuple[ChipAuthenticationInfo, ChipKey, int] | None = None
        self.session: Session | None = None

    def set_key_agreement(self, data: bytes) -> Answer:
        """MSE:Set KAT: key agreement at once, with triple DES."""
        try:
            told = dict(tlv.objects(data))
        except tlv.TlvError:
            return Answer(b"", _WRONG_DATA)
        for elliptic in (True, False):
            protocol = chip_authentication_protocol(TRIPLE_DES, elliptic=elliptic)
            if self._choose(protocol, told.get(0x84)):
                return self._agree(told.get(0x91, b""), b"")
        return Answer(b"", _NOT_FOUND)

    def set_up(self, data: bytes) -> Answer:
        """MSE:Set AT."""
        try:
            told = dict(tlv.objects(data))
        except tlv.TlvError:
            return Answer(b"", _WRONG_DATA)
        chosen = self._choose(told.get(0x80, b""), told.get(0x84))
        return Answer(b"", _OK if chosen else _NOT_FOUND)

    def authenticate(self, command: Command) -> Answer:
        """GENERAL AUTHENTICATE."""
        try:
            public = tlv.value(tlv.value(command.data, _DYNAMIC), 0x80)
        except tlv.TlvError:
            return Answer(b"", _WRONG_DATA)
        return self._agree(public, tlv.encode(_DYNAMIC, b""))

    def _choose(self, protocol: bytes, key_id: bytes | None) -> bool:
        self._chosen = None
        number = int.from_bytes(key_id, "big") if key_id is not None else None
        infos = [info for info in self._infos.chip_authentication if info.protocol == protocol]
        if not self._infos.chip_authentication:  # an early document: the key alone means triple DES
            infos = [
                ChipAuthenticationInfo(protocol, elliptic, TRIPLE_DES, None)
                for elliptic in (True, False)
                if protocol == chip_authentication_protocol(SUITES[1], elliptic=elliptic)
            ]
        for info in infos:
            for key in self._infos.chip_keys:
                private = self._private_of(key)
                if key.elliptic is info.elliptic and number in (None, key.key_id) and private is not None:
                    self._chosen = (info, key, private)
                    return True
        return False

    def _agree(self, public: bytes, body: bytes) -> Answer:
        if self._chosen is None:
            return Answer(b"", _NO_SEQUENCE)
        info, key, private = self._chosen
        self._chosen = None
        try:
            self.session = Session.of(info.suite, key.group.secret(private, public))
        except ValueError:
            return Answer(b"", _WRONG_DATA)
        return Answer(body, _OK)
