"""Whom to believe: country signing certificates (CSCA) and their revocation lists (ICAO 9303-12)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from asn1crypto import crl as asn1_crl
from asn1crypto import keys, pem
from asn1crypto import x509 as asn1_x509

from contracts.checks import Verdict
from documents.signatures import SignatureInvalid, SignatureUnsupported, verify

SPECIMEN_MARK = "CORRIDOR SPECIMEN"

Answer = tuple[Verdict, str]
PASSED: Answer = (Verdict.PASSED, "ok")


class Certificate:
    """One X.509 certificate, as far as passive authentication looks at it. ValueError for other bytes."""

    def __init__(self, der: bytes) -> None:
        self.der = der
        try:
            self._parsed = asn1_x509.Certificate.load(der, strict=True)
            validity = self._parsed["tbs_certificate"]["validity"]
            self.not_before: datetime = validity["not_before"].native
            self.not_after: datetime = validity["not_after"].native
            self.serial_number = int(self._parsed.serial_number)
            self.issuer_der: bytes = self._parsed.issuer.dump()
            self.subject_der: bytes = self._parsed.subject.dump()
            self.key_identifier: bytes | None = self._parsed.key_identifier
            self.authority_key_identifier: bytes | None = self._parsed.authority_key_identifier
            self.is_authority = bool(self._parsed.ca)
            self.country = _country(self._parsed.subject) or _country(self._parsed.issuer)
            self.common_name = str(self._parsed.subject.native.get("common_name", ""))
            self.public_key: keys.PublicKeyInfo = self._parsed.public_key
            self._signed = self._parsed["tbs_certificate"].dump()
            self._signature: bytes = self._parsed["signature_value"].native
            self._signature_algorithm = self._parsed["signature_algorithm"]
            self._algorithms_agree = (
                self._parsed["tbs_certificate"]["signature"].dump() == self._signature_algorithm.dump()
            )
            # asn1crypto parses lazily: what cannot be parsed shall show here and not in the middle of a check.
            _ = self.public_key["algorithm"].native, self._signature_algorithm.native
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"not an X.509 certificate ({type(error).__name__})") from None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, lower-case hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def is_specimen(self) -> bool:
        """True for the certificates of the project's own test authority."""
        return self.common_name.startswith(SPECIMEN_MARK)

    def signed_by(self, issuer: Certificate) -> None:
        """SignatureInvalid or SignatureUnsupported unless `issuer` signed this certificate."""
        if not self._algorithms_agree:  # RFC 5280 §4.1.1.2; the outer one is not signed
            raise SignatureInvalid
        verify(issuer.public_key, self._signature_algorithm, self._signature, self._signed)

    def valid_at(self, now: datetime) -> bool:
        return self.not_before <= now <= self.not_after


def _country(name: asn1_x509.Name) -> str | None:
    country = name.native.get("country_name")
    return country.upper() if isinstance(country, str) else None


class RevocationList:
    """One certificate revocation list. ValueError for other bytes."""

    def __init__(self, der: bytes) -> None:
        try:
            self._parsed = asn1_crl.CertificateList.load(der, strict=True)
            body = self._parsed["tbs_cert_list"]
            self.next_update: datetime | None = body["next_update"].native
            self.issuer_der: bytes = self._parsed.issuer.dump()
            self.authority_key_identifier: bytes | None = self._parsed.authority_key_identifier
            revoked = body["revoked_certificates"].native or ()
            self._signed = body.dump()
            self._signature: bytes = self._parsed["signature"].native
            self._signature_algorithm = self._parsed["signature_algorithm"]
            self._algorithms_agree = body["signature"].dump() == self._signature_algorithm.dump()
            _ = self._signature_algorithm.native
            self.serial_numbers = frozenset(int(entry["user_certificate"]) for entry in revoked)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a revocation list ({type(error).__name__})") from None

    def is_of(self, anchor: Certificate) -> bool:
        """True when the list names this anchor: by key identifier, else by name."""
        named = self.authority_key_identifier
        if named is not None and anchor.key_identifier is not None:
            return named == anchor.key_identifier
        return self.issuer_der == anchor.subject_der

    def signed_by(self, issuer: Certificate) -> None:
        """SignatureInvalid or SignatureUnsupported unless `issuer` signed this list."""
        if not self._algorithms_agree:
            raise SignatureInvalid
        verify(issuer.public_key, self._signature_algorithm, self._signature, self._signed)


@dataclass(frozen=True)
class TrustStore:
    """Trusted CSCA certificates and the revocation lists at hand, as DER; equal and picklable by content."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

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
                for der in _ders(path.read_bytes()):
                    if suffix == ".crl":
                        RevocationList(der)
                        crls.append(der)
                    else:
                        Certificate(der)
                        certificates.append(der)
            except ValueError as error:
                raise ValueError(f"{path.name}: {error}") from None
        return cls(tuple(certificates), tuple(crls))

    @cached_property
    def anchors(self) -> tuple[Certificate, ...]:
        return tuple(anchor for anchor in map(Certificate, self.certificates) if anchor.is_authority)

    @cached_property
    def _lists(self) -> tuple[RevocationList, ...]:
        return tuple(map(RevocationList, self.crls))

    @property
    def specimens(self) -> tuple[str, ...]:
        """Fingerprints of the anchors of the project's own test authority; empty in production."""
        return tuple(anchor.fingerprint for anchor in self.anchors if anchor.is_specimen)

    def chain(self, signer: Certificate) -> tuple[Answer, Certificate | None]:
        """`ds_chain`, and the anchor the signer hangs on when it passed.

        Issuers are chosen by key identifier: link certificates share their names with what they link.
        """
        wanted = signer.authority_key_identifier
        at_home = [anchor for anchor in self.anchors if anchor.country == signer.country]
        if wanted is not None:
            candidates = [anchor for anchor in self.anchors if anchor.key_identifier == wanted]
        else:
            candidates = [anchor for anchor in at_home if anchor.subject_der == signer.issuer_der]
        if not candidates:
            return (Verdict.FAILED, "issuer_unknown" if at_home else "no_trust_anchor"), None
        unsupported = False
        for anchor in candidates:
            try:
                signer.signed_by(anchor)
            except SignatureInvalid:
                continue
            except SignatureUnsupported:
                unsupported = True
                continue
            if anchor.country != signer.country:
                return (Verdict.FAILED, "anchor_of_other_country"), None
            return PASSED, anchor
        if unsupported:
            return (Verdict.ERROR, "algorithm_not_supported"), None
        return (Verdict.FAILED, "chain_signature"), None

    def revocation(self, signer: Certificate, anchor: Certificate, now: datetime) -> Answer:
        """`revocation` of a signer under its anchor, by the freshest list at hand."""
        lists = sorted(
            (found for found in self._lists if found.is_of(anchor)),
            key=lambda found: (found.next_update is not None, found.next_update),
            reverse=True,
        )
        if not lists:
            return Verdict.NOT_CHECKED, "no_crl"
        answers = [_revoked_on(found, signer, anchor, now) for found in lists]
        for answer in answers:
            if answer[1] == "signer_revoked":
                return answer
        return answers[0]


def _revoked_on(found: RevocationList, signer: Certificate, anchor: Certificate, now: datetime) -> Answer:
    try:
        found.signed_by(anchor)
    except SignatureInvalid:
        return Verdict.ERROR, "crl_signature"
    except SignatureUnsupported:
        return Verdict.ERROR, "algorithm_not_supported"
    if signer.serial_number in found.serial_numbers:
        return Verdict.FAILED, "signer_revoked"
    if found.next_update is None or found.next_update < now:
        return Verdict.NOT_CHECKED, "crl_stale"
    return PASSED


def _ders(content: bytes) -> Iterable[bytes]:
    if not pem.detect(content):
        return [content]
    return [der for _, _, der in pem.unarmor(content, multiple=True)]
