"""CMS SignedData (RFC 5652) as security objects and master lists use it: one signer, its certificate enclosed.

`read_signed` takes it apart and answers for the signature; whether the signer is anybody to believe is asked
of a trust store afterwards. Encodings that are not DER are put right where that is safe, and always named
(documents.der).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import cms, x509

from contracts.checks import Verdict
from documents import der
from documents.certificates import PASSED, Answer, Certificate
from documents.signatures import SignatureInvalid, SignatureUnsupported, digest, hash_of, verify

SIGNER_BY_NAME = "signer_name_encoding"  # the signer is named by the same name in other characters' coding
SIGNER_NAME_ORDER = "signer_name_order"  # by the same parts of the name in another order (passports of Malaysia)
ATTRIBUTES_UNSORTED = "attributes_unsorted"  # the signed attributes are no SET OF in DER order

_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)
_MOST_CERTIFICATES = 64


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
        if self.signer is not None or self.signer_info is None:
            return self
        naming = _naming(signer, self.signer_info["sid"])
        if naming is None:
            return self
        answer, unsorted = _answer(self.signer_info, signer, self.content, self.content_type)
        defects = {*self.defects, *naming, *((ATTRIBUTES_UNSORTED,) if unsorted else ())}
        return SignedContent(
            self.content_type, self.content, self.certificates, signer, answer, self.signed_at,
            tuple(sorted(defects)), self.signer_info,
        )  # fmt: skip


def read_signed(data: bytes) -> SignedContent:
    """The SignedData in `data`. ValueError when it is none."""
    canonical, found = der.read(data)
    defects = set(found)
    try:
        wrapped = cms.ContentInfo.load(canonical, strict=True)
        signed = wrapped["content"]
        if wrapped["content_type"].native != "signed_data" or not isinstance(signed, cms.SignedData):
            raise ValueError("not signed data")
        enclosed = signed["encap_content_info"]
        content_type = str(enclosed["content_type"].dotted)
        content = bytes(enclosed["content"])
        if len(signed["signer_infos"]) != 1:
            raise ValueError("not one signer")
        info = signed["signer_infos"][0]
        certificates = _certificates(signed)
        signer, naming = _signer(certificates, info["sid"])
        signed_at = _signed_at(info)
    except _MALFORMED:
        raise ValueError("not signed data") from None
    defects |= naming
    try:
        if not _conforms(signed, info):
            answer: Answer = (Verdict.FAILED, "signature_malformed")
        elif signer is None:
            answer = (Verdict.FAILED, "signer_certificate_missing")
        else:
            answer, unsorted = _answer(info, signer, content, content_type)
            if unsorted:
                defects.add(ATTRIBUTES_UNSORTED)
    except _MALFORMED:
        answer = (Verdict.FAILED, "signature_malformed")
    return SignedContent(
        content_type, content, certificates, signer, answer, signed_at, tuple(sorted(defects)), info
    )


def _certificates(signed: cms.SignedData) -> tuple[Certificate, ...]:
    choices = [choice for choice in signed["certificates"] if choice.name == "certificate"]
    if len(choices) > _MOST_CERTIFICATES:
        raise ValueError("too many certificates")
    return tuple(Certificate(choice.chosen.dump()) for choice in choices)


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
    if issuer.dump() == certificate.issuer_der:
        return frozenset()
    if issuer == certificate.issuer:  # RFC 5280 §7.1, not byte by byte
        return frozenset({SIGNER_BY_NAME})
    if _parts(issuer) == _parts(certificate.issuer):
        return frozenset({SIGNER_NAME_ORDER})
    return None


def _parts(name: x509.Name) -> list[str]:
    return sorted(part.hashable for part in name.chosen)


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
        candidates = [attributes.untag().dump(force=True), attributes.untag().dump()]
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
    if protection["digest_algorithm"].dump() != info["digest_algorithm"].dump():
        return False
    named = protection["signature_algorithm"]
    return named.native is None or bool(named.dump()[1:] == info["signature_algorithm"].dump()[1:])
