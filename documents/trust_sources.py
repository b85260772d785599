"""Trust from many sources: master lists, certificates, revocation lists and LDIF files, merged with provenance.

`collect` never drops anything quietly: every certificate says which files brought it and how it stands among
the others, and every file what came of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from contracts.checks import Verdict
from documents.certificates import PASSED, Answer, Certificate, RevocationList
from documents.master_list import is_master_list, parse_master_list
from documents.signatures import SignatureInvalid, SignatureUnsupported
from documents.signed_data import unsigned_bundle
from documents.trust import TrustStore, ders

LARGEST_FILE = 64 * 1024 * 1024
_LISTS = frozenset({"pkdmasterlistcontent", "cscamasterlistdata"})
_OBJECTS = frozenset({"usercertificate", "cacertificate", "certificaterevocationlist"})
_LONGEST_LINE = 8 * 1024 * 1024  # of LDIF, unfolded: a master list in base64


class SourceKind(StrEnum):
    MASTER_LIST = "master_list"
    CERTIFICATES = "certificates"
    REVOCATION_LIST = "revocation_list"
    LDIF = "ldif"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Source:
    """One file and what came of it. `answer` is FAILED for one of which nothing was taken."""

    name: str
    kind: SourceKind
    sha256: str
    answer: Answer
    certificates: int = 0
    revocation_lists: int = 0
    signers: int = 0
    duplicates: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Collected:
    """One authority of the collection: where it came from, and how it stands.

    `standing` is PASSED `self_signed` for a root, PASSED `linked` for a link whose issuer is here and signed it,
    NOT_CHECKED `issuer_missing` for one whose issuer is not, FAILED `link_signature` for one it did not sign,
    ERROR `key_not_usable` when its key cannot be used for anything.
    """

    certificate: Certificate
    sources: tuple[str, ...]
    standing: Answer


@dataclass(frozen=True)
class Collection:
    """Everything that was collected. Authorities that FAILED their standing are not in the `store`."""

    sources: tuple[Source, ...]
    certificates: Mapping[str, tuple[Certificate, tuple[str, ...]]] = field(repr=False)  # by fingerprint
    revocation_lists: tuple[RevocationList, ...] = field(default=(), repr=False)
    signers: tuple[Certificate, ...] = field(default=(), repr=False)

    @cached_property
    def authorities(self) -> tuple[Collected, ...]:
        """Every authority with its standing, by country and then by age."""
        certificates = [certificate for certificate, _ in self.certificates.values()]
        found = [
            Collected(certificate, sources, standing(certificate, certificates))
            for certificate, sources in self.certificates.values()
        ]
        return tuple(sorted(found, key=lambda one: (one.certificate.country or "", one.certificate.not_before)))

    @cached_property
    def store(self) -> TrustStore:
        return TrustStore(
            tuple(
                one.certificate.der
                for one in self.authorities
                if one.standing[0] in (Verdict.PASSED, Verdict.NOT_CHECKED)
            ),
            tuple(found.der for found in self.revocation_lists),
            tuple(signer.der for signer in self.signers),
        )

    @property
    def countries(self) -> dict[str, int]:
        """How many authorities of each country."""
        return dict(sorted(Counter(one.certificate.country or "?" for one in self.authorities).items()))


def standing(certificate: Certificate, among: Iterable[Certificate]) -> Answer:
    """How an authority stands among the others (see `Collected`)."""
    if not certificate.has_usable_key:
        return Verdict.ERROR, "key_not_usable"
    if certificate.is_self_signed:
        return Verdict.PASSED, "self_signed"
    others = [other for other in among if other.der != certificate.der and other.country == certificate.country]
    wanted = certificate.authority_key_identifier
    named = [other for other in others if wanted is not None and other.key_identifier == wanted]
    for issuer in named or others:
        try:
            certificate.signed_by(issuer)
        except (SignatureInvalid, SignatureUnsupported):
            continue
        return Verdict.PASSED, "linked"
    return (Verdict.FAILED, "link_signature") if named else (Verdict.NOT_CHECKED, "issuer_missing")


def collect(files: Iterable[tuple[str, bytes]], roots: Iterable[Certificate], now: datetime) -> Collection:
    """Merge files (name, content), in their order, into one collection. Never raises for what a file holds.

    A master list counts only when it stands under one of `roots`; with no roots at all it counts when its
    signature holds, and its answer says `no_root`. Certificates and lists given by themselves are taken as they
    are: whoever hands them over vouches for them.
    """
    merging = _Merging(tuple(roots), now)
    sources = tuple(merging.add(name, content) for name, content in files)
    return Collection(
        sources,
        {key: (certificate, tuple(named)) for key, (certificate, named) in merging.certificates.items()},
        tuple(merging.lists.values()),
        tuple(merging.signers.values()),
    )


class _Merging:
    """What was merged so far."""

    def __init__(self, roots: tuple[Certificate, ...], now: datetime) -> None:
        self._roots, self._now = roots, now
        self.certificates: dict[str, tuple[Certificate, list[str]]] = {}
        self.lists: dict[str, RevocationList] = {}
        self.signers: dict[str, Certificate] = {}

    def add(self, name: str, content: bytes) -> Source:
        sha256 = hashlib.sha256(content).hexdigest()
        if len(content) > LARGEST_FILE:
            return Source(name, SourceKind.UNKNOWN, sha256, (Verdict.FAILED, "file_too_large"))
        counted: Counter[str] = Counter()
        try:
            if _looks_like_ldif(content):
                kind, answer = SourceKind.LDIF, self._ldif(name, content, counted)
            elif is_master_list((objects := tuple(ders(content)))[0]):
                kind, answer = SourceKind.MASTER_LIST, self._master_list(name, objects[0], counted)
            else:
                kind, answer = self._objects(name, objects, counted)
        except ValueError:
            return Source(name, SourceKind.UNKNOWN, sha256, (Verdict.FAILED, "not_understood"))
        return Source(name, kind, sha256, answer, **counted)

    def _objects(self, name: str, objects: tuple[bytes, ...], counted: Counter[str]) -> tuple[SourceKind, Answer]:
        """All the objects of one file, or none: with one that is not understood nothing is taken."""
        found = [one for der in objects for one in _understood(der)]
        for one in found:
            self._object(name, one, counted)
        if not found:
            return SourceKind.UNKNOWN, (Verdict.FAILED, "not_understood")
        listed = any(isinstance(one, RevocationList) for one in found)
        alone = not any(isinstance(one, Certificate) for one in found)
        return SourceKind.REVOCATION_LIST if listed and alone else SourceKind.CERTIFICATES, PASSED

    def _object(self, name: str, found: Certificate | RevocationList, counted: Counter[str]) -> None:
        if isinstance(found, Certificate):
            self._certificate(name, found, counted)
        else:
            self._revocation_list(found, counted)

    def _certificate(self, name: str, certificate: Certificate, counted: Counter[str]) -> None:
        if not certificate.is_authority:
            counted["duplicates" if certificate.fingerprint in self.signers else "signers"] += 1
            self.signers.setdefault(certificate.fingerprint, certificate)
            return
        known = self.certificates.get(certificate.fingerprint)
        if known is None:
            counted["certificates"] += 1
            self.certificates[certificate.fingerprint] = (certificate, [name])
        else:
            counted["duplicates"] += 1
            if name not in known[1]:
                known[1].append(name)

    def _revocation_list(self, found: RevocationList, counted: Counter[str]) -> None:
        counted["duplicates" if found.fingerprint in self.lists else "revocation_lists"] += 1
        self.lists.setdefault(found.fingerprint, found)

    def _master_list(self, name: str, content: bytes, counted: Counter[str]) -> Answer:
        found = parse_master_list(content, self._roots, self._now)
        answer = found.answer
        if answer[0] is not Verdict.PASSED and answer != (Verdict.NOT_CHECKED, "no_root"):
            return answer
        counted["unreadable"] += found.unreadable
        for certificate in found.certificates:
            self._certificate(name, certificate, counted)
        return answer

    def _ldif(self, name: str, content: bytes, counted: Counter[str]) -> Answer:
        """The entries of the PKD: signers, revocation lists, master lists. The first failed list is the answer."""
        answer, seen = PASSED, False
        for attribute, value in ldif_values(content):
            seen = True
            if attribute in _LISTS:
                try:
                    said = self._master_list(name, value, counted)
                except ValueError:
                    counted["unreadable"] += 1
                    continue
                answer = said if answer == PASSED else answer
            elif attribute in _OBJECTS:
                try:
                    for one in _understood(value):
                        self._object(name, one, counted)
                except ValueError:
                    counted["unreadable"] += 1
        return answer if seen else (Verdict.FAILED, "not_understood")


def _understood(der: bytes) -> tuple[Certificate | RevocationList, ...]:
    """A certificate, a revocation list, or those of a bundle that nobody signed. ValueError for anything else."""
    for read in (Certificate, RevocationList):
        try:
            return (read(der),)
        except ValueError:
            continue
    return tuple(one for part in unsigned_bundle(der) for one in _understood(part))


def _looks_like_ldif(content: bytes) -> bool:
    head = content[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    return head.startswith((b"version:", b"dn:", b"#")) or b"\ndn:" in head


def ldif_values(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The base64 values of an LDIF file (RFC 2849): attribute in lower case without its options, and bytes.

    Text values and what cannot be decoded are passed over. Linear in the size of the file.
    """
    line: list[bytes] = []
    length = 0
    for raw in (*content.splitlines(), b""):
        if raw[:1] == b" ":
            length += len(raw)
            if length <= _LONGEST_LINE:
                line.append(raw[1:])
            continue
        joined, line, length = b"".join(line), [raw], len(raw)
        name, mark, value = joined.partition(b"::")
        if not mark or joined[:1] == b"#":
            continue
        try:
            attribute = name.decode("ascii").partition(";")[0].strip().lower()
            yield attribute, base64.b64decode(value.strip(), validate=True)
        except (UnicodeDecodeError, binascii.Error):
            continue
