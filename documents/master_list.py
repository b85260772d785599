"""CSCA master lists (ICAO 9303-12 §8): the signing certificates that one State vouches for, under its signature.

A list is believed when its signature holds, its signer may sign master lists, and a root that the reader
pinned beforehand issued that signer. A root that only the list itself brings proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.checks import Verdict
from documents import der
from documents.certificates import MASTER_LIST_SIGNER, PASSED, Answer, Certificate
from documents.security_object import CscaMasterList
from documents.signatures import SignatureInvalid, SignatureUnsupported
from documents.signed_data import SignedContent, read_signed

MASTER_LIST_TYPE = "2.23.136.1.1.2"  # id-icao-cscaMasterList
_MASTER_LIST_TYPE_DER = bytes.fromhex("0606678108010102")
_SPOILT_BYTES = 4  # by which a spoilt key identifier may differ from a sound one


@dataclass(frozen=True)
class MasterList:
    """One list taken apart. `unreadable` counts entries that are no certificates; nothing else is left out.

    `signature` is the answer of the CMS signature alone, `standing` that of the signer under the pinned roots;
    `answer` is what the whole is worth.
    """

    certificates: tuple[Certificate, ...]
    unreadable: int
    signer: Certificate | None
    signed_at: datetime | None
    signature: Answer
    standing: Answer
    defects: tuple[str, ...]

    @property
    def answer(self) -> Answer:
        return self.signature if self.signature[0] is not Verdict.PASSED else self.standing


def is_master_list(data: bytes) -> bool:
    """True for bytes that may be a master list by the type that their first bytes name; nothing is checked."""
    return _MASTER_LIST_TYPE_DER in data[:160]


def parse_master_list(data: bytes, roots: Iterable[Certificate], now: datetime) -> MasterList:
    """The master list in `data`, judged under the pinned `roots`. ValueError when it is none."""
    signed = read_signed(data)
    if signed.content_type != MASTER_LIST_TYPE:
        raise ValueError("not a master list")
    try:
        content, defects = der.read(signed.content)
        listed = CscaMasterList.load(content, strict=True)
        entries = [der.as_read(entry) for entry in listed["cert_list"]]
    except (ValueError, TypeError, KeyError):
        raise ValueError("not a master list") from None
    certificates, unreadable = [], 0
    for entry in entries:
        try:
            certificates.append(Certificate(entry))
        except ValueError:
            unreadable += 1
    return MasterList(
        certificates=tuple(certificates),
        unreadable=unreadable,
        signer=signed.signer,
        signed_at=signed.signed_at,
        signature=signed.signature,
        standing=_standing(signed, tuple(certificates), tuple(roots), now),
        defects=tuple(sorted({*signed.defects, *defects})),
    )


def _standing(
    signed: SignedContent, listed: tuple[Certificate, ...], roots: tuple[Certificate, ...], now: datetime
) -> Answer:
    """Whether a pinned root issued the signer, for this, and when it signed."""
    signer = signed.signer
    if signer is None:
        return Verdict.NOT_CHECKED, "signer_certificate_missing"
    known = (*roots, *listed, signer)
    others = {one.der for one in signed.certificates} - {one.der for one in known}
    if not all(_sound(one, (*known, *signed.certificates)) for one in signed.certificates if one.der in others):
        return Verdict.FAILED, "enclosed_certificate"
    if not roots:
        return Verdict.NOT_CHECKED, "no_root"
    if MASTER_LIST_SIGNER not in signer.purposes:
        return Verdict.FAILED, "signer_purpose"
    moment = signed.signed_at or now
    if not signer.valid_at(moment) or moment > now:
        return Verdict.FAILED, "signer_not_valid"
    answer: Answer = (Verdict.FAILED, "other_root")
    for root in roots:
        path = _under(signer, root, signed.certificates)
        if path is None:
            continue
        if all(authority.valid_at(moment) for authority in path):
            return PASSED
        answer = (Verdict.FAILED, "root_expired")
    return answer


def _sound(enclosed: Certificate, among: Iterable[Certificate]) -> bool:
    """Whether a certificate beside the signer's is as somebody issued it.

    It is under no signature of the list and trusted for nothing; but a file with a changed byte is refused. A link
    from a key that is not here cannot be checked and is let be: a name of a key that resembles none here.
    """
    among = tuple(among)
    if any(_issued(enclosed, one) for one in among if one.subject_der == enclosed.issuer_der):
        return True
    named = enclosed.authority_key_identifier
    here = [one.key_identifier for one in among if one.key_identifier is not None]
    return named is not None and all(_apart(named, one) for one in here)


def _apart(one: bytes, other: bytes) -> bool:
    """Two keys' identifiers, and not one of them with a byte or two changed."""
    return len(one) != len(other) or sum(a != b for a, b in zip(one, other, strict=True)) > _SPOILT_BYTES


def _under(
    signer: Certificate, root: Certificate, enclosed: tuple[Certificate, ...]
) -> tuple[Certificate, ...] | None:
    """The authorities from the signer's issuer to the pinned root: itself, or over an enclosed link."""
    if _issued(signer, root):
        return (root,)
    for link in enclosed:
        if link.is_authority and link.der != root.der and _issued(signer, link) and _issued(link, root):
            return link, root
    return None


def _issued(child: Certificate, authority: Certificate) -> bool:
    if not authority.is_authority:
        return False
    try:
        child.signed_by(authority)
    except (SignatureInvalid, SignatureUnsupported):
        return False
    return True
