"""Whom to believe: country signing certificates (CSCA), the links between them, and revocation lists (9303-12)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from asn1crypto import pem

from contracts.checks import Verdict
from documents.certificates import (
    DEVIATION_LIST_SIGNER,
    MASTER_LIST_SIGNER,
    PASSED,
    SPECIMEN_MARK,
    Answer,
    Certificate,
    RevocationList,
)
from documents.signatures import SignatureInvalid, SignatureUnsupported

Authorities = tuple[Certificate, ...]
_LONGEST_PATH = 8
_MOST_OBJECTS = 100_000  # in one file
_PADDING = b"\x00\r\n\t \x1a"  # what editors and file systems leave behind an object


@dataclass(frozen=True)
class TrustStore:
    """Trusted CSCA certificates and the revocation lists at hand, as DER; equal and picklable by content.

    `signers` are document signer certificates that came another way than in a chip (the PKD): they are looked
    up where a security object encloses none, and are trusted for nothing by themselves.
    """

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    signers: tuple[bytes, ...] = ()

    @classmethod
    def from_directory(cls, directory: Path) -> TrustStore:
        """Every *.cer, *.der, *.pem and *.crl of a directory.

        ValueError with the file's name for one that is neither certificate nor list: a trust store with a
        hole in it is worse than none. FileNotFoundError without the directory.
        """
        if not directory.is_dir():
            raise FileNotFoundError(f"no trust store at {directory}")
        certificates: list[bytes] = []
        crls: list[bytes] = []
        for path in sorted(directory.iterdir()):
            suffix = path.suffix.lower()
            if suffix not in (".cer", ".crt", ".der", ".pem", ".crl"):
                continue
            try:
                for der in ders(path.read_bytes()):
                    if suffix == ".crl":
                        RevocationList(der)
                        crls.append(der)
                    else:
                        Certificate(der)
                        certificates.append(der)
            except ValueError as error:
                raise ValueError(f"{path.name}: {error}") from None
        return cls(tuple(certificates), tuple(crls))

    def __getstate__(self) -> tuple[tuple[bytes, ...], ...]:
        return self.certificates, self.crls, self.signers  # what was parsed of them is parsed again elsewhere

    def __setstate__(self, state: tuple[tuple[bytes, ...], ...]) -> None:
        for name, value in zip(("certificates", "crls", "signers"), state, strict=True):
            object.__setattr__(self, name, value)

    @cached_property
    def anchors(self) -> tuple[Certificate, ...]:
        """The authorities of the store: self-signed CSCA certificates and links."""
        return tuple(anchor for anchor in map(self._certificate, self.certificates) if anchor.is_authority)

    @cached_property
    def _parsed(self) -> dict[bytes, Certificate]:
        return {}

    def _certificate(self, der: bytes) -> Certificate:
        if der not in self._parsed:
            self._parsed[der] = Certificate(der)
        return self._parsed[der]

    def _holding(self, piece: bytes) -> Iterator[Certificate]:
        """Authorities with `piece` (a key identifier, a name) anywhere in their bytes.

        A store of all countries takes most of a second to parse; a reader that waits needs three of them.
        """
        for der in self.certificates:
            if piece in der:
                certificate = self._certificate(der)
                if certificate.is_authority:
                    yield certificate

    @cached_property
    def _lists(self) -> tuple[RevocationList, ...]:
        return tuple(map(RevocationList, self.crls))

    @cached_property
    def known_signers(self) -> tuple[Certificate, ...]:
        return tuple(map(Certificate, self.signers))

    @property
    def specimens(self) -> tuple[str, ...]:
        """Fingerprints of the anchors of the project's own test authority; empty in production."""
        return tuple(anchor.fingerprint for anchor in self.anchors if anchor.is_specimen)

    def has_anchor_of(self, country: str | None) -> bool:
        """True when any authority of the country (two letters) is in the store."""
        return any(anchor.country == country for anchor in self.anchors)

    # --------------------------------------------------------------------------------------------- the chain

    def chain(self, signer: Certificate) -> tuple[Answer, Authorities]:
        """`ds_chain`, and when it passed the authorities from the signer's issuer up to the anchor.

        Issuers are chosen by key identifier: link certificates share their names with what they link. Where the
        identifier leads nowhere, any authority of the signer's country that verifiably signed is its issuer.
        """
        unfit = _unfit(signer)
        if unfit is not None:
            return (Verdict.FAILED, unfit), ()
        answer, path = self._path(signer)
        if path and any(authority.country != signer.country for authority in path):
            nameless = any(authority.country is None for authority in path)
            return (Verdict.FAILED, "anchor_without_country" if nameless else "anchor_of_other_country"), ()
        return answer, path

    def _path(self, child: Certificate, below: frozenset[bytes] = frozenset()) -> tuple[Answer, Authorities]:
        """The way from `child` up to a root of the store, or to a link whose issuer is not in the store."""
        issuers, reason = self._issuers(child, below)
        unsupported = False
        failed: Answer | None = None
        for issuer in issuers:
            try:
                child.signed_by(issuer)
            except SignatureInvalid:
                continue
            except SignatureUnsupported:
                unsupported = True
                continue
            answer, path = self._upwards(issuer, below | {child.der})
            if path:
                return (Verdict.PASSED, reason), path
            failed = failed or answer
        if failed is not None:
            return failed, ()
        if unsupported:
            return (Verdict.ERROR, "algorithm_not_supported"), ()
        if issuers and reason == "ok":
            return (Verdict.FAILED, "chain_signature"), ()
        return (Verdict.FAILED, "issuer_unknown" if self.has_anchor_of(child.country) else "no_trust_anchor"), ()

    def _upwards(self, authority: Certificate, below: frozenset[bytes]) -> tuple[Answer, Authorities]:
        """The rest of the way from an authority of the store: none from a root, over its issuer from a link."""
        if authority.is_self_signed:
            return PASSED, (authority,)
        if len(below) >= _LONGEST_PATH:
            return (Verdict.FAILED, "path_too_long"), ()
        answer, path = self._path(authority, below)
        if path:
            return PASSED, (authority, *path)
        if answer[1] in ("issuer_unknown", "no_trust_anchor"):
            # Approved with the store while the key it links from has long been withdrawn: an anchor by itself.
            return PASSED, (authority,)
        return (Verdict.FAILED, "link_signature"), ()

    def _issuers(self, child: Certificate, below: frozenset[bytes]) -> tuple[Authorities, str]:
        """Authorities that the certificate names, roots first, or those of its country for want of one."""
        wanted = child.authority_key_identifier
        if wanted is not None:
            named = tuple(anchor for anchor in self._holding(wanted) if anchor.key_identifier == wanted)
        else:
            named = tuple(
                anchor
                for anchor in self._holding(child.issuer_der)
                if anchor.subject_der == child.issuer_der and anchor.country == child.country
            )
        named = tuple(one for one in named if one.der != child.der and one.der not in below)
        if named:
            return tuple(sorted(named, key=lambda one: not one.is_self_signed)), "ok"
        return tuple(
            anchor
            for anchor in self.anchors
            if anchor.country == child.country and anchor.is_self_signed and anchor.der != child.der
        ), "issuer_by_signature"

    # ---------------------------------------------------------------------------------------- the revocation

    def revocation(self, signer: Certificate, path: Authorities, now: datetime) -> Answer:
        """`revocation` of a signer and of the authorities above it, by the lists at hand.

        A revoked one is FAILED whichever list says so. A country's lists are signed by its newest key and
        cover what the older ones issued (9303-12 §7.1.4), so every authority of the country may have signed.
        """
        answers = [self._on_list(found, signer, path[0], now) for found in self._lists]
        said = [answer for answer in answers if answer is not None]
        for child, issuer in zip(path, (*path[1:], path[-1]), strict=True):
            for found in self._lists:
                answer = self._on_list(found, child, issuer, now)
                if answer is not None and answer[1] == "signer_revoked":
                    return Verdict.FAILED, "anchor_revoked"
        for reason in ("signer_revoked", "ok", "crl_stale", "crl_not_yet_valid"):
            for answer in said:
                if answer[1] == reason:
                    return answer
        return said[0] if said else (Verdict.NOT_CHECKED, "no_crl")

    def _on_list(
        self, found: RevocationList, child: Certificate, issuer: Certificate, now: datetime
    ) -> Answer | None:
        """What one list says of a certificate; None when it is not about certificates of its issuer."""
        if not found.is_of(issuer) and found.issuer_der != child.issuer_der:
            return None
        mark = found.authority_key_identifier or found.issuer_der
        signers = [anchor for anchor in (issuer, *self._holding(mark)) if found.is_of(anchor)]
        unsupported = False
        for anchor in dict.fromkeys(one for one in signers if one.country == issuer.country):
            try:
                found.signed_by(anchor)
            except SignatureInvalid:
                continue
            except SignatureUnsupported:
                unsupported = True
                continue
            return _standing(found, child, now)
        return Verdict.ERROR, "algorithm_not_supported" if unsupported else "crl_signature"


def _standing(found: RevocationList, child: Certificate, now: datetime) -> Answer:
    if child.serial_number in found.serial_numbers:
        return Verdict.FAILED, "signer_revoked"
    if not found.is_about(child):
        return Verdict.ERROR, "crl_partial"
    if now < found.this_update:
        return Verdict.NOT_CHECKED, "crl_not_yet_valid"
    if found.next_update is None or found.next_update < now:
        return Verdict.NOT_CHECKED, "crl_stale"
    return PASSED


def _unfit(signer: Certificate) -> str | None:
    """Why a certificate may not sign documents whoever issued it (9303-12 §7.1.1), or None."""
    if signer.unknown_critical:
        return "signer_extension_unknown"
    if signer.is_authority or (signer.usage is not None and "digital_signature" not in signer.usage):
        return "signer_usage"
    if signer.purposes & {MASTER_LIST_SIGNER, DEVIATION_LIST_SIGNER}:
        return "signer_purpose"
    return None


def ders(content: bytes) -> Iterator[bytes]:
    """The DER objects in a file: those of its PEM blocks, of base64 or hexadecimal without any, or one behind the
    other. Bytes that are none of it come back as they are. ValueError for a broken PEM file."""
    if pem.detect(content):
        blocks: Iterable[tuple[str, object, bytes]] = pem.unarmor(content, multiple=True)
        for _, _, der in blocks:
            yield der
        return
    content, offset = _plain(content), 0
    for _ in range(_MOST_OBJECTS):
        end = _end(content, offset)
        if end is None or content[end : end + 1] != b"\x30":
            break
        yield content[offset:end]
        offset = end
    else:
        raise ValueError("too many objects")
    bare = end is not None and not content[end:].strip(_PADDING)
    yield content[offset : end if bare else None]


def _plain(content: bytes) -> bytes:
    """The object that a text of base64 or of hexadecimal digits stands for; other bytes as they are."""
    text = b"".join(content.split())
    for decode in (partial(base64.b64decode, validate=True), binascii.unhexlify):
        try:
            plain = decode(text)
        except ValueError:
            continue
        if plain[:1] in (b"\x30", b"\x77"):
            return plain
    return content


def _end(data: bytes, begin: int) -> int | None:
    """Where the SEQUENCE at `begin` ends; None for no whole one, or one of indefinite length."""
    head = data[begin : begin + 10]
    if head[:1] != b"\x30" or len(head) < 2 or head[1] == 0x80:
        return None
    count = head[1] & 0x7F if head[1] & 0x80 else 0
    size = int.from_bytes(head[2 : 2 + count], "big") if count else head[1]
    end = begin + 2 + count + size
    return end if count <= 8 and end <= len(data) else None


__all__ = ["PASSED", "SPECIMEN_MARK", "Answer", "Certificate", "RevocationList", "TrustStore", "ders"]
