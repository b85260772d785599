"""Certificates and revocation lists (RFC 5280, profile of 9303-12 §7), as far as trust looks at them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cached_property

from asn1crypto import core, keys
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509

from contracts.checks import Verdict
from documents.der import as_read
from documents.signatures import SignatureInvalid, SignatureUnsupported, can_check, verify

SPECIMEN_MARK = "CORRIDOR SPECIMEN"
MASTER_LIST_SIGNER = "2.23.136.1.1.3"  # id-icao-cscaMasterListSigningKey
DEVIATION_LIST_SIGNER = "2.23.136.1.1.8"  # id-icao-DLSigningKey

Answer = tuple[Verdict, str]
PASSED: Answer = (Verdict.PASSED, "ok")

_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError)
_UNDERSTOOD = frozenset(  # extensions that may be critical because somebody here looks at them
    {"key_usage", "basic_constraints", "extended_key_usage", "authority_key_identifier", "key_identifier"}
)
_WITHOUT_EFFECT = frozenset(  # nothing here depends on them, whatever they say
    {
        "certificate_policies", "private_key_usage_period", "subject_alt_name", "issuer_alt_name",
        "crl_distribution_points",
    }
)  # fmt: skip


class Certificate:
    """One X.509 certificate, as far as passive authentication looks at it. ValueError for other bytes."""

    def __init__(self, der: bytes) -> None:
        self.der = der
        try:
            self._parsed = asn1_x509.Certificate.load(der, strict=True)
            body = self._parsed["tbs_certificate"]
            validity = body["validity"]
            self.not_before: datetime = validity["not_before"].native
            self.not_after: datetime = validity["not_after"].native
            self.serial_number = int(self._parsed.serial_number)
            self.issuer: asn1_x509.Name = self._parsed.issuer
            self.issuer_der: bytes = as_read(self._parsed.issuer)
            self.subject_der: bytes = as_read(self._parsed.subject)
            self.key_identifier: bytes | None = self._parsed.key_identifier
            self.authority_key_identifier: bytes | None = self._parsed.authority_key_identifier
            usage = self._parsed.key_usage_value
            self.usage: frozenset[str] | None = None if usage is None else frozenset(usage.native)
            self.purposes = _purposes(self._parsed)
            self.distribution_points = _distribution_points(self._parsed)
            self.is_marked_authority = bool(self._parsed.ca)
            self.is_version_1 = body["version"].native == "v1"
            self.country = _country(self._parsed.subject) or _country(self._parsed.issuer)
            self.common_name = _common_name(self._parsed.subject)
            self.public_key: keys.PublicKeyInfo = self._parsed.public_key
            self.unknown_critical = frozenset(self._parsed.critical_extensions) - _UNDERSTOOD - _WITHOUT_EFFECT
            self._signed = as_read(body)
            self._signature = _whole_octets(self._parsed["signature_value"])
            self._signature_algorithm = self._parsed["signature_algorithm"]
            self._algorithms_agree = as_read(body["signature"]) == as_read(self._signature_algorithm)
            # asn1crypto parses lazily: what cannot be parsed shall show here and not in the middle of a check.
            _ = self.public_key["algorithm"].native, self._signature_algorithm.native
        except _MALFORMED as error:
            raise ValueError(f"not an X.509 certificate ({type(error).__name__})") from None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, lower-case hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def is_specimen(self) -> bool:
        """True for the certificates of the project's own test authority."""
        return self.common_name.startswith(SPECIMEN_MARK)

    @property
    def is_authority(self) -> bool:
        """True when it may sign certificates: marked as an authority, or given the usage.

        Link certificates of several countries carry keyCertSign and no basicConstraints, or cA FALSE. One of X.509
        version 1 can say neither: it is an authority when it names itself as its issuer (RFC 5280 §6.1.1).
        """
        if self.is_marked_authority or (self.usage is not None and "key_cert_sign" in self.usage):
            return True
        return self.is_version_1 and self.subject_der == self.issuer_der

    @cached_property
    def is_self_signed(self) -> bool:
        """True when its own key signed it: a root, and no link (9303-12 §7.1.1)."""
        try:
            self.signed_by(self)
        except (SignatureInvalid, SignatureUnsupported):
            return False
        return True

    @cached_property
    def has_usable_key(self) -> bool:
        """True when signatures of its key can be checked here."""
        return can_check(self.public_key)

    def signed_by(self, issuer: Certificate) -> None:
        """SignatureInvalid or SignatureUnsupported unless `issuer` signed this certificate."""
        if not self._algorithms_agree:  # RFC 5280 §4.1.1.2; the outer one is not signed
            raise SignatureInvalid
        verify(issuer.public_key, self._signature_algorithm, self._signature, self._signed)

    def valid_at(self, moment: datetime) -> bool:
        return self.not_before <= moment <= self.not_after


def _whole_octets(signature: core.OctetBitString) -> bytes:
    """A signature: a BIT STRING of which no bit is unused. ValueError for another."""
    if signature.contents[:1] != b"\x00":
        raise ValueError("not whole octets")
    return bytes(signature.native)


def _country(name: asn1_x509.Name) -> str | None:
    country = name.native.get("country_name")
    return country.strip().upper() if isinstance(country, str) else None


def _common_name(name: asn1_x509.Name) -> str:
    found = name.native.get("common_name", "")
    return found if isinstance(found, str) else ""


def _purposes(parsed: asn1_x509.Certificate) -> frozenset[str]:
    extended = parsed.extended_key_usage_value
    return frozenset() if extended is None else frozenset(purpose.dotted for purpose in extended)


def _distribution_points(parsed: asn1_x509.Certificate) -> frozenset[bytes]:
    """The names of all points from which revocation lists for this certificate come, as DER."""
    points = parsed.crl_distribution_points_value or ()
    return frozenset(name for point in points for name in _names_of(point["distribution_point"]))


def _names_of(point: asn1_x509.DistributionPointName) -> frozenset[bytes]:
    if point.native is None or point.name != "full_name":
        return frozenset()  # relative to the issuer's name: nobody of ours writes it so
    return frozenset(as_read(name) for name in point.chosen)


class RevocationList:
    """One certificate revocation list. ValueError for other bytes."""

    def __init__(self, der: bytes) -> None:
        self.der = der
        try:
            self._parsed = asn1_crl.CertificateList.load(der, strict=True)
            body = self._parsed["tbs_cert_list"]
            self.this_update: datetime = body["this_update"].native
            self.next_update: datetime | None = body["next_update"].native
            self.issuer_der: bytes = as_read(self._parsed.issuer)
            self.country = _country(self._parsed.issuer)
            self.authority_key_identifier: bytes | None = self._parsed.authority_key_identifier
            # A delta or a partial list says nothing about whom it leaves out (RFC 5280 §5.2.4, §5.2.5).
            self._scope = self._parsed.issuing_distribution_point_value
            self._other_critical = self._parsed.critical_extensions - {"issuing_distribution_point"}
            _ = None if self._scope is None else self._scope.native  # malformed ones show here
            revoked = body["revoked_certificates"].native or ()
            self._signed = as_read(body)
            self._signature = _whole_octets(self._parsed["signature"])
            self._signature_algorithm = self._parsed["signature_algorithm"]
            self._algorithms_agree = as_read(body["signature"]) == as_read(self._signature_algorithm)
            _ = self._signature_algorithm.native
            self.serial_numbers = frozenset(int(entry["user_certificate"]) for entry in revoked)
        except _MALFORMED as error:
            raise ValueError(f"not a revocation list ({type(error).__name__})") from None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, lower-case hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def part(self) -> bytes:
        """What tells the parts of an authority's list from each other and from changes to it; none for a whole."""
        scope = b"" if self._scope is None else as_read(self._scope)
        return scope + " ".join(sorted(self._other_critical)).encode()

    def is_about(self, certificate: Certificate) -> bool:
        """True when the list would name this certificate of its issuer were it revoked.

        An authority that cuts its list up says in each part which certificates it is for: those that name the same
        point of distribution.
        """
        if self._other_critical:
            return False
        if self._scope is None:
            return True
        only = "only_contains_user_certs" if certificate.is_authority else "only_contains_ca_certs"
        parts = ("indirect_crl", "only_contains_attribute_certs", only)
        if any(self._scope[part].native for part in parts) or self._scope["only_some_reasons"].native:
            return False
        point = self._scope["distribution_point"]
        return point.native is None or bool(_names_of(point) & certificate.distribution_points)

    def is_of(self, authority: Certificate) -> bool:
        """True when the list names this authority: by key identifier, else by name."""
        named = self.authority_key_identifier
        if named is not None and authority.key_identifier is not None:
            return named == authority.key_identifier
        return self.issuer_der == authority.subject_der

    def signed_by(self, issuer: Certificate) -> None:
        """SignatureInvalid or SignatureUnsupported unless `issuer` signed this list."""
        if not self._algorithms_agree:
            raise SignatureInvalid
        verify(issuer.public_key, self._signature_algorithm, self._signature, self._signed)
