"""Chip authentication, version 1 (ICAO 9303-11 §6.2): agreement with the chip's static key, then new session keys.

The chip is proven by the first answer under the new keys: only who holds the private key can have computed them.
As with active authentication this is worth what the signature over the public key is worth.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.checks import Verdict
from documents import tlv
from documents.access.pace import PaceSession
from documents.apdu import Command, SessionBroken, SessionLost, Transceiver, exchange
from documents.key_agreement import RandomBelow, UnsafeKey, private_key
from documents.lds import COM
from documents.secure_messaging import TRIPLE_DES, CipherSuite, SecuredTransceiver, Session
from documents.security_infos import (
    ChipAuthenticationInfo,
    ChipKey,
    SecurityInfos,
    chip_authentication_protocol,
)
from documents.trust import PASSED, Answer

_DYNAMIC = 0x7C
_SHORT_KEY = 200  # a public key of this length still fits a short secured command


@dataclass(frozen=True)
class Way:
    """One key with one protocol for it."""

    key: ChipKey
    info: ChipAuthenticationInfo


def ways(infos: SecurityInfos) -> list[Way]:
    """What DG14 offers, AES before triple DES (9303-11 §8.5).

    A key without any ChipAuthenticationInfo, as early documents have it, is used with triple DES.
    """
    found = [
        Way(key, info)
        for info in infos.chip_authentication
        for key in infos.chip_keys
        if key.elliptic is info.elliptic and (info.key_id is None or key.key_id in (None, info.key_id))
    ]
    if not infos.chip_authentication:
        found = [Way(key, _implied(key)) for key in infos.chip_keys]
    return sorted(found, key=lambda way: -_strength(way.info.suite))


def _implied(key: ChipKey) -> ChipAuthenticationInfo:
    protocol = chip_authentication_protocol(TRIPLE_DES, elliptic=key.elliptic)
    return ChipAuthenticationInfo(protocol, key.elliptic, TRIPLE_DES, key.key_id)


def _strength(suite: CipherSuite) -> int:
    return suite.key_length * (suite.block > 8)


def authenticate(
    line: Transceiver, bare: Transceiver, infos: SecurityInfos, below: RandomBelow = secrets.randbelow
) -> tuple[Answer, SecuredTransceiver | None]:
    """`chip_authentication` for a DG14 that is covered, and the re-keyed line where it passed.

    `line` is the conversation so far, `bare` what it runs over. Lets the transceiver's exceptions pass, but not
    those of the new session: they are the answer.
    """
    offered = ways(infos)
    if not offered:
        if infos.unsupported_keys or infos.chip_keys:
            return (Verdict.ERROR, "algorithm_not_supported"), None
        return (Verdict.NOT_PRESENT, "no_key"), None
    way = offered[0]
    ambiguous = len(infos.chip_keys) > 1 or way.info.key_id is not None
    try:
        private = private_key(way.key.group, below)
        secret = way.key.group.secret(private, way.key.public)
    except UnsafeKey:
        return (Verdict.FAILED, "key_malformed"), None
    if not _agree(line, way, way.key.group.public(private), name_key=ambiguous):
        return (Verdict.FAILED, "no_answer"), None
    rekeyed = SecuredTransceiver(bare, Session.of(way.info.suite, secret))
    try:
        # Whatever the chip says to it: that it says so under the new keys is what counts.
        exchange(rekeyed, Command(0x00, 0xA4, 0x02, 0x0C, COM.identifier.to_bytes(2, "big")))
    except (SessionBroken, SessionLost):
        return (Verdict.FAILED, "key_not_proven"), None
    return PASSED, rekeyed


def judge_mapping(pace: PaceSession, keys: Iterable[ChipKey]) -> Answer:
    """`chip_authentication` by what the chip proved in PACE, for the `keys` that are believed (§4.4.3.5.2)."""
    keys = tuple(keys)
    if not keys:
        return Verdict.NOT_CHECKED, "key_not_covered"
    if any(pace.proves(key) for key in keys):
        return Verdict.PASSED, "pace_cam"
    return Verdict.FAILED, "key_not_proven"


def _agree(line: Transceiver, way: Way, public: bytes, *, name_key: bool) -> bool:
    """Send our public key; True when the chip has taken it."""
    named = b""
    key_id = way.key.key_id if way.key.key_id is not None else way.info.key_id
    if name_key and key_id is not None:
        named = tlv.encode(0x84, key_id.to_bytes(max(1, (key_id.bit_length() + 7) // 8), "big"))
    if way.info.suite is TRIPLE_DES:
        template = Command(0x00, 0x22, 0x41, 0xA6, tlv.encode(0x91, public) + named)
        if exchange(line, template).ok:
            return True
        # Documents exist that take triple DES only the other way (9303-11 §8.5, note 1).
    template = Command(0x00, 0x22, 0x41, 0xA4, tlv.encode(0x80, way.info.protocol) + named)
    if not exchange(line, template).ok:
        return False
    expected = 256 if len(public) <= _SHORT_KEY else 65536
    body = tlv.encode(_DYNAMIC, tlv.encode(0x80, public))
    return exchange(line, Command(0x00, 0x86, 0, 0, body, expected)).ok
