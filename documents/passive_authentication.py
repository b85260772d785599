"""Passive authentication (ICAO 9303-11 §5.1): did the issuer sign what the chip says?

Each question is answered by itself, with a verdict and a reason; docs/checks.md lists the reasons.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.checks import CheckName, Verdict
from documents import der, tlv
from documents.countries import alpha_2
from documents.lds import Com
from documents.mrz import Mrz
from documents.security_object import EARLY_TYPES, LDS_SECURITY_OBJECT, SecurityObject
from documents.signatures import SUPPORTED_HASHES, SignatureUnsupported, digest
from documents.signed_data import PLAIN_DATA, SignedContent, read_signed
from documents.trust import PASSED, Answer, Certificate, TrustStore

_NOT_READ: Answer = (Verdict.NOT_CHECKED, "not_read")
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)
_CLOCKS_DIFFER = timedelta(days=1)
LEGACY_TYPE = "legacy_content_type"  # the object identifier of an early issuer
PLAIN_TYPE = "plain_content_type"  # that of any data, as in China: only its form says that it is a security object
_TYPE_DEFECTS: Mapping[str, tuple[str, ...]] = {
    LDS_SECURITY_OBJECT: (),
    PLAIN_DATA: (PLAIN_TYPE,),
    **dict.fromkeys(EARLY_TYPES, (LEGACY_TYPE,)),
}


@dataclass(frozen=True)
class Sod:
    """EF.SOD taken apart: the signed hashes, and the answer of its signature.

    `defects` are the ways in which its encoding misses the standard, in alphabetical order; `signed_at` is when
    the signer says that it signed, None where it does not say.
    """

    hash_algorithm: str
    hashes: Mapping[int, bytes]
    signer: Certificate | None
    signature: Answer
    signed_at: datetime | None = None
    defects: tuple[str, ...] = ()
    signed: SignedContent | None = None


def parse_sod(data: bytes) -> Sod:
    """EF.SOD with `sod_signature` answered. ValueError when it is no security object at all."""
    try:
        signed = read_signed(tlv.value(data, 0x77))
        content, defects = der.read(signed.content)
        security_object = SecurityObject.load(content, strict=True)
        hash_algorithm = str(security_object["hash_algorithm"]["algorithm"].native)
        hashes = {int(group["number"].native): group["hash"].native for group in security_object["groups"]}
        if signed.content_type not in _TYPE_DEFECTS or not hashes:
            raise ValueError("not a security object")
        if len(hashes) != len(security_object["groups"]):
            raise ValueError("a group signed twice")
    except _MALFORMED:
        raise ValueError("sod_malformed") from None
    defects += _TYPE_DEFECTS[signed.content_type]
    sod = Sod(hash_algorithm, hashes, None, signed.signature, signed.signed_at, defects)
    return _with_signature(sod, signed)


def _with_signature(sod: Sod, signed: SignedContent) -> Sod:
    """The answer of the signature put in: a weak hash and the first defect are told with a PASSED one."""
    defects = tuple(sorted({*sod.defects, *signed.defects}))
    answer = signed.signature
    if answer == PASSED and sod.hash_algorithm == "sha1":
        answer = (Verdict.PASSED, "weak_hash_sha1")
    if answer == PASSED and defects:
        answer = (Verdict.PASSED, f"defect_{defects[0]}")
    return replace(sod, signer=signed.signer, signature=answer, defects=defects, signed=signed)


def _find_signer(sod: Sod, trust: TrustStore) -> Sod:
    """The same with a signer whom the chip does not bring and the trust store knows (9303-10 §4.6.2.1)."""
    if sod.signer is not None or sod.signed is None:
        return sod
    for certificate in trust.known_signers:
        signed = sod.signed.under(certificate)
        if signed.signer is not None:
            return _with_signature(sod, signed)
    return sod


@dataclass(frozen=True)
class PassiveAuthentication:
    """The answers of passive authentication.

    `covered` are the groups whose bytes stand under a signature that leads to `anchor` and is not revoked: what
    further protocols may build on.
    """

    answers: Mapping[CheckName, Answer]
    covered: frozenset[int]
    signed_groups: frozenset[int]
    anchor: Certificate | None
    defects: tuple[str, ...] = ()


def authenticate(
    sod: Sod,
    groups: Mapping[int, bytes],
    absent: frozenset[int],
    spoilt: frozenset[int],
    wanted: frozenset[int],
    com: Com | None,
    dg1: Mrz | None,
    trust: TrustStore,
    now: datetime,
) -> PassiveAuthentication:
    """Answer all of passive authentication for what was read.

    `groups` are raw files, `absent` the groups the chip says it has not, `spoilt` those it delivered as no file
    can be, `wanted` those the reader reads when they are signed; a signed one that is nowhere was not read.
    """
    sod = _find_signer(sod, trust)
    matching = frozenset(number for number, data in groups.items() if _hash_matches(sod, number, data))
    answers: dict[CheckName, Answer] = {
        CheckName.SOD_SIGNATURE: sod.signature,
        CheckName.DG_HASHES: _hashes(sod, groups, absent, spoilt, wanted, matching),
        CheckName.COM_SOD: _com_sod(com, sod),
    }
    about_signer, path = _judge_signer(sod, trust, now)
    answers |= about_signer
    answers[CheckName.ISSUER_COUNTRY] = (
        _issuer_country(dg1, sod.signer)
        if sod.signer is not None
        else (Verdict.NOT_CHECKED, "signer_certificate_missing")
    )
    believed = (
        sod.signature[0] is Verdict.PASSED
        and bool(path)
        and answers[CheckName.REVOCATION][0] is not Verdict.FAILED
    )
    return PassiveAuthentication(
        answers,
        matching if believed else frozenset(),
        frozenset(sod.hashes),
        path[-1] if believed else None,
        sod.defects,
    )


def judge_signer(sod: Sod, trust: TrustStore, now: datetime) -> dict[CheckName, Answer]:
    """The answers about signature and signer, without any group: what a security object alone can tell."""
    return _judge_signer(_find_signer(sod, trust), trust, now)[0]


def _judge_signer(
    sod: Sod, trust: TrustStore, now: datetime
) -> tuple[dict[CheckName, Answer], tuple[Certificate, ...]]:
    """The answers, and the authorities from the signer's issuer up to the anchor (none without a chain)."""
    answers: dict[CheckName, Answer] = {CheckName.SOD_SIGNATURE: sod.signature}
    if sod.signer is None:
        for name in (CheckName.DS_CHAIN, CheckName.DS_VALIDITY, CheckName.REVOCATION):
            answers[name] = (Verdict.NOT_CHECKED, "signer_certificate_missing")
        return answers, ()
    answers[CheckName.DS_CHAIN], path = trust.chain(sod.signer)
    answers[CheckName.DS_VALIDITY] = _validity(sod.signer, path, sod.signed_at, now)
    answers[CheckName.REVOCATION] = (
        trust.revocation(sod.signer, path, now) if path else (Verdict.NOT_CHECKED, "no_trust_anchor")
    )
    return answers, path


def _hash_matches(sod: Sod, number: int, data: bytes) -> bool:
    try:
        return hmac.compare_digest(sod.hashes.get(number, b""), digest(sod.hash_algorithm, data))
    except SignatureUnsupported:
        return False


def _hashes(
    sod: Sod,
    groups: Mapping[int, bytes],
    absent: frozenset[int],
    spoilt: frozenset[int],
    wanted: frozenset[int],
    matching: frozenset[int],
) -> Answer:
    if sod.hash_algorithm not in SUPPORTED_HASHES:
        return Verdict.ERROR, "algorithm_not_supported"
    for number in (1, 2):
        if number not in sod.hashes:
            return Verdict.FAILED, f"group_unsigned_dg{number}"
    signed = sorted(wanted & sod.hashes.keys())
    for number in signed:
        if number in groups and number not in matching:
            return Verdict.FAILED, f"hash_mismatch_dg{number}"
    for number in signed:
        if number in spoilt:
            return Verdict.FAILED, f"group_malformed_dg{number}"
        if number in absent:
            return Verdict.FAILED, f"group_missing_dg{number}"
    for number in signed:
        if number not in groups:
            return Verdict.ERROR, f"group_unread_dg{number}"
    return PASSED


def _com_sod(com: Com | None, sod: Sod) -> Answer:
    if com is None:
        return _NOT_READ
    if com.groups - sod.hashes.keys():
        return Verdict.FAILED, f"group_unsigned_dg{min(com.groups - sod.hashes.keys())}"
    if sod.hashes.keys() - com.groups:
        return Verdict.FAILED, f"group_unlisted_dg{min(sod.hashes.keys() - com.groups)}"
    return PASSED


def _validity(
    signer: Certificate, path: tuple[Certificate, ...], signed_at: datetime | None, now: datetime
) -> Answer:
    """Signer and authorities were valid when the document was signed; at the clock where it does not say when.

    The signer states that moment itself, so it cannot lie in the future, and revocation is asked at the clock.
    """
    if now < signer.not_before:
        return Verdict.FAILED, "signer_not_yet_valid"
    if signed_at is None:
        if now > signer.not_after:
            return Verdict.FAILED, "signer_expired"
    elif signed_at > now + _CLOCKS_DIFFER:
        return Verdict.FAILED, "signed_in_future"
    elif not signer.valid_at(signed_at):
        return Verdict.FAILED, "signed_outside_validity"
    moment = signed_at or now
    if any(not authority.valid_at(moment) for authority in path):
        return Verdict.FAILED, "anchor_expired"
    if now > signer.not_after:
        return Verdict.PASSED, "signer_expired_since"
    return PASSED


def _issuer_country(dg1: Mrz | None, signer: Certificate) -> Answer:
    if dg1 is None:
        return _NOT_READ
    if signer.country is None:
        return Verdict.FAILED, "signer_without_country"
    issuer = alpha_2(dg1.issuer or "")
    if issuer is None:
        return Verdict.ERROR, "issuer_unknown"
    if issuer != signer.country:
        return Verdict.FAILED, "signer_of_other_country"
    return PASSED
