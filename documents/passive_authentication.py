"""Passive authentication (ICAO 9303-11 §5.1): did the issuer sign what the chip says?

Each question is answered by itself, with a verdict and a reason; docs/checks.md lists the reasons.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms

from contracts.checks import CheckName, Verdict
from documents import tlv
from documents.countries import alpha_2
from documents.lds import Com
from documents.mrz import Mrz
from documents.security_object import SECURITY_OBJECT_TYPES, SecurityObject
from documents.signatures import SUPPORTED_HASHES, SignatureInvalid, SignatureUnsupported, digest, hash_of, verify
from documents.trust import PASSED, Answer, Certificate, TrustStore

_NOT_READ: Answer = (Verdict.NOT_CHECKED, "not_read")
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)


@dataclass(frozen=True)
class Sod:
    """EF.SOD taken apart: the signed hashes, and the answer of its signature."""

    hash_algorithm: str
    hashes: Mapping[int, bytes]
    signer: Certificate | None
    signature: Answer


def parse_sod(data: bytes) -> Sod:
    """EF.SOD with `sod_signature` answered. ValueError when it is no security object at all."""
    try:
        signed = cms.ContentInfo.load(tlv.value(data, 0x77))["content"]
        if not isinstance(signed, cms.SignedData):
            raise ValueError("not signed data")
        enclosed = signed["encap_content_info"]
        content_type = enclosed["content_type"].dotted
        content = bytes(enclosed["content"])
        security_object = SecurityObject.load(content, strict=True)
        hash_algorithm = str(security_object["hash_algorithm"]["algorithm"].native)
        hashes = {int(group["number"].native): group["hash"].native for group in security_object["groups"]}
        if content_type not in SECURITY_OBJECT_TYPES or not hashes:
            raise ValueError("not a security object")
        signer_info = signed["signer_infos"][0]
        signer = _signer_certificate(signed, signer_info["sid"])
    except _MALFORMED:
        raise ValueError("sod_malformed") from None
    if signer is None:
        return Sod(hash_algorithm, hashes, None, (Verdict.FAILED, "signer_certificate_missing"))
    try:
        if not _conforms(signed, signer_info):
            return Sod(hash_algorithm, hashes, signer, (Verdict.FAILED, "signature_malformed"))
        answer = _signature(signer_info, signer, content, content_type)
        if answer == PASSED and hash_algorithm == "sha1":
            answer = (Verdict.PASSED, "weak_hash_sha1")
    except SignatureInvalid:
        answer = (Verdict.FAILED, "signature_invalid")
    except SignatureUnsupported:
        answer = (Verdict.ERROR, "algorithm_not_supported")
    except _MALFORMED:
        answer = (Verdict.FAILED, "signature_malformed")
    return Sod(hash_algorithm, hashes, signer, answer)


def _signer_certificate(signed: cms.SignedData, sid: cms.SignerIdentifier) -> Certificate | None:
    for choice in signed["certificates"]:
        if choice.name != "certificate":
            continue
        certificate = Certificate(choice.chosen.dump())
        if sid.name == "issuer_and_serial_number":
            same_issuer = sid.chosen["issuer"].dump() == certificate.issuer_der
            if same_issuer and int(sid.chosen["serial_number"].native) == certificate.serial_number:
                return certificate
        elif sid.chosen.native == certificate.key_identifier:
            return certificate
    return None


def _conforms(signed: cms.SignedData, info: cms.SignerInfo) -> bool:
    """Whether what no signature covers says what it must (RFC 5652 §5.1, §5.3): versions, and the digest's name.

    Raises ValueError and its like for what is malformed.
    """
    listed = {algorithm["algorithm"].dotted for algorithm in signed["digest_algorithms"]}
    algorithms = (*signed["digest_algorithms"], info["digest_algorithm"])
    return (
        signed["version"].native in ("v1", "v3", "v4", "v5")
        and info["version"].native in ("v1", "v3")
        and info["digest_algorithm"]["algorithm"].dotted in listed
        and all(algorithm["parameters"].native is None for algorithm in algorithms)
    )


def _signature(info: cms.SignerInfo, signer: Certificate, content: bytes, content_type: str) -> Answer:
    """`sod_signature` (RFC 5652 §5.4): the digest of the content, the type, and the signature over both.

    Raises what `verify` raises, and ValueError and its like for what is malformed.
    """
    algorithm = str(info["digest_algorithm"]["algorithm"].native)
    attributes = info["signed_attrs"]
    signed_bytes = content
    if len(attributes):
        given = {attribute["type"].native: attribute["values"] for attribute in attributes}
        if len(given) != len(attributes) or "message_digest" not in given or "content_type" not in given:
            return Verdict.FAILED, "signed_attributes_incomplete"
        if given["content_type"][0].dotted != content_type:
            return Verdict.FAILED, "content_type_mismatch"
        if not hmac.compare_digest(given["message_digest"][0].native, digest(algorithm, content)):
            return Verdict.FAILED, "message_digest_mismatch"
        signed_bytes = attributes.untag().dump()
    verify(signer.public_key, info["signature_algorithm"], info["signature"].native, signed_bytes, algorithm)
    if "sha1" in (algorithm, hash_of(info["signature_algorithm"], algorithm)):
        return Verdict.PASSED, "weak_hash_sha1"
    return PASSED


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
    matching = frozenset(number for number, data in groups.items() if _hash_matches(sod, number, data))
    answers: dict[CheckName, Answer] = {
        CheckName.SOD_SIGNATURE: sod.signature,
        CheckName.DG_HASHES: _hashes(sod, groups, absent, spoilt, wanted, matching),
        CheckName.COM_SOD: _com_sod(com, sod),
    }
    anchor: Certificate | None = None
    if sod.signer is None:
        for name in (CheckName.DS_CHAIN, CheckName.DS_VALIDITY, CheckName.REVOCATION, CheckName.ISSUER_COUNTRY):
            answers[name] = (Verdict.NOT_CHECKED, "signer_certificate_missing")
    else:
        answers[CheckName.DS_CHAIN], anchor = trust.chain(sod.signer)
        answers[CheckName.DS_VALIDITY] = _validity(sod.signer, anchor, now)
        answers[CheckName.REVOCATION] = (
            trust.revocation(sod.signer, anchor, now) if anchor else (Verdict.NOT_CHECKED, "no_trust_anchor")
        )
        answers[CheckName.ISSUER_COUNTRY] = _issuer_country(dg1, sod.signer)
    believed = (
        sod.signature[0] is Verdict.PASSED
        and anchor is not None
        and answers[CheckName.REVOCATION][0] is not Verdict.FAILED
    )
    return PassiveAuthentication(
        answers, matching if believed else frozenset(), frozenset(sod.hashes), anchor if believed else None
    )


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


def _validity(signer: Certificate, anchor: Certificate | None, now: datetime) -> Answer:
    if now < signer.not_before:
        return Verdict.FAILED, "signer_not_yet_valid"
    if now > signer.not_after:
        return Verdict.FAILED, "signer_expired"
    if anchor is not None and not anchor.valid_at(now):
        return Verdict.FAILED, "anchor_expired"
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
