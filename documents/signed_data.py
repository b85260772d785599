"""CMS SignedData (RFC 5652) as security objects and master lists use it: a signer, its certificate enclosed.

`read_signed` takes it apart and answers for the signature; whether the signer is anybody to believe is asked
of a trust store afterwards. Encodings that are not DER are put right where that is safe, and always named
(documents.der).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime

from asn1crypto import cms, core, x509

from contracts.checks import Verdict
from documents import der, tlv
from documents.certificates import PASSED, Answer, Certificate
from documents.signatures import SignatureInvalid, SignatureUnsupported, digest, hash_of, verify

SIGNER_BY_NAME = "signer_name_encoding"  # the signer is named by the same name in other characters' coding
SIGNER_NAME_ORDER = "signer_name_order"  # by the same parts of the name in another order (passports of Malaysia)
OLD_VERSION = "signed_data_version"  # the version of PKCS #7, for a type that is younger
ATTRIBUTES_UNSORTED = "attributes_unsorted"  # the signed attributes are no SET OF in DER order

_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)
_MOST_CERTIFICATES = 64
_MOST_SIGNERS = 8
_UNKNOWN: Answer = (Verdict.FAILED, "signer_certificate_missing")
PLAIN_DATA = "1.2.840.113549.1.7.1"  # id-data


@dataclass(frozen=True)
class SignedContent:
    """What was signed, by whom, and the answer of the signature (never yet of the signer).

    `signed_at` is what the signer says, None where it says nothing. `defects` are ways in which the encoding
    misses the standard and was read all the same, in alphabetical order.
    """

    content_type: str
    content: bytes
    certificates: tuple[Certificate, ...]
    signer: Certificate | None
    signature: Answer
    signed_at: datetime | None = None
    defects: tuple[str, ...] = ()
    signer_info: cms.SignerInfo | None = field(default=None, repr=False, compare=False)

    def under(self, signer: Certificate) -> SignedContent:
        """The same with the signature checked under a certificate that came another way (9303-10 §4.6.2.1)."""
        if self.signer is not None or self.signer_info is None:  # known, or one of several
            return self
        naming = _naming(signer, self.signer_info["sid"])
        if naming is None:
            return self
        answer, unsorted = _answer(self.signer_info, signer, self.content, self.content_type)
        defects = {*self.defects, *naming, *((ATTRIBUTES_UNSORTED,) if unsorted else ())}
        return replace(self, signer=signer, signature=answer, defects=tuple(sorted(defects)))


def read_signed(data: bytes) -> SignedContent:
    """The SignedData in `data`. ValueError when it is none.

    Where several have signed (9303-10 §4.6.2.1 recommends one), every signature must hold: told of is the first
    that does not, or else the first.
    """
    canonical, found = der.read(data)
    try:
        wrapped = cms.ContentInfo.load(canonical, strict=True)
        signed = wrapped["content"]
        if wrapped["content_type"].native != "signed_data" or not isinstance(signed, cms.SignedData):
            raise ValueError("not signed data")
        enclosed = signed["encap_content_info"]
        content_type = str(enclosed["content_type"].dotted)
        content = _octets(enclosed["content"])
        if not 1 <= len(signed["signer_infos"]) <= _MOST_SIGNERS:
            raise ValueError("no signer, or too many")
        if signed["version"].native == "v1" and content_type != PLAIN_DATA:
            found = (*found, OLD_VERSION)
        parts = SignedContent(content_type, content, _certificates(signed), None, _UNKNOWN, None, found)
        said = [_said_by(info, signed, parts) for info in signed["signer_infos"]]
    except _MALFORMED:
        raise ValueError("not signed data") from None
    return next((one for one in said if one.signature[0] is not Verdict.PASSED), said[0])


def unsigned_bundle(data: bytes) -> tuple[bytes, ...]:
    """Certificates and revocation lists, as DER, of a SignedData that nobody signed (a .p7b or .p7c file).

    ValueError when it is none: what is signed is no bundle.
    """
    try:
        canonical, _ = der.read(data)
        signed = cms.ContentInfo.load(canonical, strict=True)["content"]
        if not isinstance(signed, cms.SignedData) or len(signed["signer_infos"]):
            raise ValueError("not a bundle")
        certificates = [der.as_read(one) for one in signed["certificates"] if one.name == "certificate"]
        lists = [der.as_read(one) for one in signed["crls"] if one.name == "certificate_list"]
    except _MALFORMED:
        raise ValueError("not a bundle") from None
    return (*certificates, *lists)


def _said_by(info: cms.SignerInfo, signed: cms.SignedData, parts: SignedContent) -> SignedContent:
    """The same with one signer's answer. Raises ValueError and its like when it cannot be told who it is."""
    signer, naming = _signer(parts.certificates, info["sid"])
    defects = {*parts.defects, *naming}
    signed_at = _signed_at(info)
    try:
        if not _conforms(signed, info):
            answer: Answer = (Verdict.FAILED, "signature_malformed")
        elif signer is None:
            answer = _UNKNOWN
        else:
            answer, unsorted = _answer(info, signer, parts.content, parts.content_type)
            if unsorted:
                defects.add(ATTRIBUTES_UNSORTED)
    except _MALFORMED:
        answer = (Verdict.FAILED, "signature_malformed")
    return replace(
        parts,
        signer=signer,
        signature=answer,
        signed_at=signed_at,
        defects=tuple(sorted(defects)),
        signer_info=info if len(signed["signer_infos"]) == 1 else None,
    )


def _octets(content: core.Asn1Value) -> bytes:
    """What is enclosed. In the first version of SignedData (PKCS #7) it may be anything, and is octets here."""
    return bytes(content.parse(core.OctetString) if isinstance(content, core.Any) else content)


def _certificates(signed: cms.SignedData) -> tuple[Certificate, ...]:
    choices = [choice for choice in signed["certificates"] if choice.name == "certificate"]
    if len(choices) > _MOST_CERTIFICATES:
        raise ValueError("too many certificates")
    return tuple(Certificate(der.as_read(choice)) for choice in choices)


def _signer(
    certificates: tuple[Certificate, ...], sid: cms.SignerIdentifier
) -> tuple[Certificate | None, frozenset[str]]:
    """The certificate that the signature names, the one named exactly first; and the defects of the naming."""
    named = [
        (certificate, naming) for certificate in certificates if (naming := _naming(certificate, sid)) is not None
    ]
    return min(named, key=lambda one: len(one[1]), default=(None, frozenset()))


def _naming(certificate: Certificate, sid: cms.SignerIdentifier) -> frozenset[str] | None:
    """With which defects `sid` names this certificate, None where it names another.

    The naming is under no signature and proves nothing: it only says which key to try.
    """
    if sid.name != "issuer_and_serial_number":
        same = certificate.key_identifier is not None and sid.chosen.native == certificate.key_identifier
        return frozenset() if same else None
    issuer = sid.chosen["issuer"]
    if int(sid.chosen["serial_number"].native) != certificate.serial_number:
        return None
    if der.as_read(issuer) == certificate.issuer_der:
        return frozenset()
    theirs, ours = _parts(issuer), _parts(certificate.issuer)
    if theirs == ours:
        return frozenset({SIGNER_BY_NAME})
    return frozenset({SIGNER_NAME_ORDER}) if sorted(theirs) == sorted(ours) else None


def _parts(name: x509.Name) -> list[list[tuple[str, str]]]:
    """What a name says, whatever its strings are coded as (RFC 5280 §7.1, but for the space between words)."""
    return [
        sorted((one["type"].dotted, str(one["value"].native).casefold()) for one in part) for part in name.chosen
    ]


def _signed_at(info: cms.SignerInfo) -> datetime | None:
    for attribute in info["signed_attrs"]:
        if attribute["type"].native == "signing_time":
            moment = attribute["values"][0].native
            return moment if isinstance(moment, datetime) else None
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


def _answer(info: cms.SignerInfo, signer: Certificate, content: bytes, content_type: str) -> tuple[Answer, bool]:
    """The answer of the signature, and whether its attributes were out of order."""
    try:
        return _signature(info, signer, content, content_type)
    except SignatureInvalid:
        return (Verdict.FAILED, "signature_invalid"), False
    except SignatureUnsupported:
        return (Verdict.ERROR, "algorithm_not_supported"), False
    except _MALFORMED:
        return (Verdict.FAILED, "signature_malformed"), False


def _signature(
    info: cms.SignerInfo, signer: Certificate, content: bytes, content_type: str
) -> tuple[Answer, bool]:
    """RFC 5652 §5.4: the digest of the content, the type, and the signature over both.

    Raises what `verify` raises, and ValueError and its like for what is malformed.
    """
    algorithm = str(info["digest_algorithm"]["algorithm"].native)
    attributes = info["signed_attrs"]
    candidates = [content]
    if len(attributes):
        given = {attribute["type"].native: attribute["values"] for attribute in attributes}
        if len(given) != len(attributes) or "message_digest" not in given or "content_type" not in given:
            return (Verdict.FAILED, "signed_attributes_incomplete"), False
        if given["content_type"][0].dotted != content_type:
            return (Verdict.FAILED, "content_type_mismatch"), False
        if not hmac.compare_digest(given["message_digest"][0].native, digest(algorithm, content)):
            return (Verdict.FAILED, "message_digest_mismatch"), False
        if "cms_algorithm_protection" in given and not _protects(given["cms_algorithm_protection"][0], info):
            return (Verdict.FAILED, "algorithm_protection_mismatch"), False
        # Signed is the DER of the set; some signers sort it neither before signing nor before sending.
        candidates = [attributes.untag().dump(force=True), tlv.encode(0x31, attributes.contents)]
    unsorted = len({*candidates}) > 1
    for candidate in dict.fromkeys(candidates):
        try:
            verify(signer.public_key, info["signature_algorithm"], info["signature"].native, candidate, algorithm)
        except SignatureInvalid:
            continue
        weak = "sha1" in (algorithm, hash_of(info["signature_algorithm"], algorithm))
        return ((Verdict.PASSED, "weak_hash_sha1") if weak else PASSED), unsorted
    raise SignatureInvalid


def _protects(protection: cms.CMSAlgorithmProtection, info: cms.SignerInfo) -> bool:
    """RFC 6211 §3: the attribute repeats the algorithms that were used (the second one under a tag of its own)."""
    if der.as_read(protection["digest_algorithm"]) != der.as_read(info["digest_algorithm"]):
        return False
    named = protection["signature_algorithm"]
    return named.native is None or der.as_read(named)[1:] == der.as_read(info["signature_algorithm"])[1:]
