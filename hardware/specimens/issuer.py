"""The project's own test authority: chips of fictional documents, the same bytes each time.

Every key is derived from a published seed and every signature is deterministic (RFC 6979), so that specimens
can be rebuilt bit for bit and no private key is kept anywhere. For the same reason these keys prove nothing:
each certificate says CORRIDOR SPECIMEN, and the production profile refuses them (`specimen_fingerprints`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path

from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from documents import tlv
from documents.card_security import SECURITY_OBJECT
from documents.countries import alpha_2
from documents.files import CARD_SECURITY
from documents.key_agreement import standardised_group
from documents.lds import CARD_ACCESS, COM, GROUPS, SOD, encode_com, encode_dg1, encode_dg2, encode_dg15
from documents.mrz import parse_mrz
from documents.secure_messaging import CipherSuite
from documents.security_infos import (
    Mapping as PaceMapping,
)
from documents.security_infos import (
    chip_authentication_protocol,
    encode_chip_authentication_info,
    encode_chip_key_info,
    encode_pace_info,
    encode_security_infos,
    pace_protocol,
    standardised_key_info,
)
from documents.security_object import LDS_SECURITY_OBJECT, HashOfGroup, SecurityObject

PUBLISHED_SEED = "corridor specimens 1: everybody can derive these keys"
_VALID_FROM = datetime(2024, 1, 1, tzinfo=UTC)
_SIGNER_UNTIL = datetime(2049, 1, 1, tzinfo=UTC)
_ANCHOR_UNTIL = datetime(2049, 12, 31, tzinfo=UTC)
_ISSUED_ON = datetime(2026, 1, 1, tzinfo=UTC).date()  # settles the century of the holder's birth
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class ChipSecurity:
    """The protocols of one chip beyond BAC and active authentication.

    `pace` holds mapping, cipher and the number of standardised domain parameters (9303-11 Table 12) of each
    PACEInfo; `chip_authentication` the same of each key. Chip authentication mapping brings EF.CardSecurity along.
    """

    pace: tuple[tuple[PaceMapping, CipherSuite, int], ...] = ()
    chip_authentication: tuple[tuple[CipherSuite, int], ...] = ()
    can: str | None = None


@dataclass(frozen=True)
class ChipFiles:
    """What is on one chip: raw files by their name (COM, SOD, DG1 …), and what the simulated card knows.

    `mrz_key` is number, birth and expiry (YYMMDD) as printed. `authentication_key` is the private value of the
    active authentication key (P-256), None for a chip without one. `chip_keys` are those of chip authentication.
    """

    files: Mapping[str, bytes]
    mrz_key: tuple[str, str, str]
    authentication_key: int | None
    chip_keys: tuple[int, ...] = ()
    can: str | None = None

    def with_altered_portrait(self, portrait_jpeg: bytes) -> ChipFiles:
        """Another face in DG2, under the old signature: the tampered document."""
        return replace(self, files={**self.files, "DG2": _dg2(portrait_jpeg)})

    def without_authentication_key(self) -> ChipFiles:
        """The clone: every file copied, the keys that never leave a chip not."""
        return replace(self, authentication_key=None, chip_keys=())

    def with_authentication_key_of(self, other: ChipFiles) -> ChipFiles:
        """The clone that answers with a key of its own."""
        return replace(self, authentication_key=other.authentication_key)

    def with_flipped_byte(self, name: str, offset: int) -> ChipFiles:
        """One byte of one file inverted; `offset` may count from the end."""
        spoilt = bytearray(self.files[name])
        spoilt[offset] ^= 0xFF
        return replace(self, files={**self.files, name: bytes(spoilt)})

    def with_file(self, name: str, content: bytes | None) -> ChipFiles:
        """A file replaced, or left out with None."""
        kept = {known: data for known, data in self.files.items() if known != name}
        return replace(self, files=kept if content is None else {**kept, name: content})

    def write(self, directory: Path) -> None:
        """Write the directory form of docs/specimens.md, "Chip files"."""
        directory.mkdir(parents=True, exist_ok=True)
        known = {file.name: file for file in (CARD_ACCESS, CARD_SECURITY, COM, SOD, *GROUPS.values())}
        for stale in (*directory.glob("EF_*.bin"), *directory.glob("Datagroup*.bin")):
            stale.unlink()
        for name, content in self.files.items():
            (directory / known[name].file_name).write_bytes(content)
        number, birth, expiry = self.mrz_key
        key = None if self.authentication_key is None else f"{self.authentication_key:064x}"
        keys: dict[str, object] = {
            "mrz": {"number": number, "birth": birth, "expiry": expiry},
            "active_authentication": None if key is None else {"curve": "secp256r1", "private_value": key},
        }
        if self.chip_keys:
            keys["chip_authentication"] = [{"private_value": f"{value:x}"} for value in self.chip_keys]
        if self.can is not None:
            keys["can"] = self.can
        (directory / "keys.json").write_text(json.dumps(keys, indent=1) + "\n", encoding="utf-8")


class SpecimenAuthority:
    """A fictional country's CSCA, one document signer, and an empty CRL.

    `country` is the three-letter code of the certificates (UTO; XYZ for a foreign signer). Another `seed`
    gives another authority of the same name: one that nobody trusts.
    """

    def __init__(self, country: str = "UTO", seed: str = PUBLISHED_SEED, *, revoke_signer: bool = False) -> None:
        self.country = country
        self._seed = seed
        self._revoke_signer = revoke_signer

    # ------------------------------------------------------------------------------------ certificates

    @cached_property
    def csca_certificate(self) -> bytes:
        """The self-signed country signing certificate, DER."""
        key = self._key("csca")
        name = self._name(f"CORRIDOR SPECIMEN CSCA {self.country}")
        return (
            self._certificate(name, name, key.public_key(), key.public_key(), "csca", _ANCHOR_UNTIL)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
            .public_bytes(Encoding.DER)
        )

    @cached_property
    def signer_certificate(self) -> bytes:
        """The document signer's certificate, DER."""
        key = self._key("csca")
        issuer = self._name(f"CORRIDOR SPECIMEN CSCA {self.country}")
        subject = self._name(f"CORRIDOR SPECIMEN DS {self.country} 1")
        public = self._key("ds").public_key()
        return (
            self._certificate(subject, issuer, public, key.public_key(), "ds", _SIGNER_UNTIL)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
            .public_bytes(Encoding.DER)
        )

    @cached_property
    def revocation_list(self) -> bytes:
        """The CRL, DER: empty, or with the signer when `revoke_signer`."""
        key = self._key("csca")
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name(f"CORRIDOR SPECIMEN CSCA {self.country}"))
            .last_update(_VALID_FROM)
            .next_update(_SIGNER_UNTIL)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
                critical=False,
            )
        )
        if self._revoke_signer:
            entry = x509.RevokedCertificateBuilder().serial_number(self._serial("ds")).revocation_date(_VALID_FROM)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the CSCA certificate, lower-case hex."""
        return hashlib.sha256(self.csca_certificate).hexdigest()

    def write_trust(self, directory: Path) -> None:
        """Put the CSCA certificate and the CRL where a TrustStore finds them."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"csca-{self.country}.cer").write_bytes(self.csca_certificate)
        (directory / f"csca-{self.country}.crl").write_bytes(self.revocation_list)

    # ------------------------------------------------------------------------------------------- chips

    def issue(
        self,
        mrz_lines: tuple[str, ...],
        portrait_jpeg: bytes,
        *,
        aa: bool = True,
        signer: SpecimenAuthority | None = None,
        security: ChipSecurity | None = None,
    ) -> ChipFiles:
        """A chip for the document with these MRZ lines and this portrait (JPEG or JPEG 2000).

        `aa` adds an active authentication key (DG15), `security` further protocols (DG14 and the files of the
        master file). `signer` signs instead of this authority: the document
        names its issuer, and the signature is somebody else's. ValueError for lines that are no MRZ.
        """
        mrz = parse_mrz(mrz_lines, _ISSUED_ON)
        if mrz.key is None:
            raise ValueError("the lines are not an MRZ with valid check digits")
        groups = {1: encode_dg1(mrz_lines), 2: _dg2(portrait_jpeg)}
        key: ec.EllipticCurvePrivateKey | None = None
        if aa:
            key = self._key("active authentication " + hashlib.sha256("".join(mrz_lines).encode()).hexdigest())
            spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            groups[15] = encode_dg15(spki)
        master_files: dict[str, bytes] = {}
        chip_keys: list[int] = []
        if security is not None:
            groups[14], master_files, chip_keys = (signer or self)._security_files(security, "".join(mrz_lines))
        files = {"COM": encode_com(frozenset(groups)), "SOD": (signer or self).sign(groups)}
        files |= {f"DG{number}": content for number, content in groups.items()}
        value = None if key is None else key.private_numbers().private_value
        can = security.can if security is not None else None
        printed = (mrz.key.number, mrz.key.birth, mrz.key.expiry)
        return ChipFiles({**files, **master_files}, printed, value, tuple(chip_keys), can)

    def _security_files(self, security: ChipSecurity, holder: str) -> tuple[bytes, dict[str, bytes], list[int]]:
        """DG14, the files of the master file, and the private values of the keys that both name."""
        pace = [
            encode_pace_info(pace_protocol(mapping, suite, elliptic=number > 2), number)
            for mapping, suite, number in security.pace
        ]
        private_values: list[int] = []
        entries: list[bytes] = []
        for suite, number in security.chip_authentication:
            protocol = chip_authentication_protocol(suite, elliptic=number > 2)
            entries += [encode_chip_authentication_info(protocol, number)]
            entries += [self._chip_key(number, holder, private_values)]
        mapped = [number for mapping, _, number in security.pace if mapping == "cam"]
        proven = [self._chip_key(number, f"mapping {holder}", private_values) for number in mapped]
        master_files = {"CardAccess": encode_security_infos(pace)} if pace else {}
        if proven:
            master_files["CardSecurity"] = self._signed(encode_security_infos([*pace, *proven]), SECURITY_OBJECT)
        return tlv.encode(0x6E, encode_security_infos([*pace, *entries])), master_files, private_values

    def _chip_key(self, number: int, purpose: str, private_values: list[int]) -> bytes:
        """A ChipAuthenticationPublicKeyInfo over a derived key, whose private value goes to `private_values`."""
        group = standardised_group(number)
        if group is None:
            raise ValueError(f"no standardised domain parameters {number}")
        private = self._derived(f"chip authentication {number} {purpose}", group.order)
        private_values.append(private)
        elliptic = number > 2
        info = standardised_key_info(number, group.public(private), elliptic=elliptic)
        return encode_chip_key_info(info, elliptic=elliptic, key_id=number)

    def sign(self, groups: Mapping[int, bytes]) -> bytes:
        """EF.SOD over these groups (9303-10 §4.6.2): CMS SignedData, ECDSA P-256 with SHA-256."""
        content = SecurityObject(
            {
                "version": 0,
                "hash_algorithm": {"algorithm": "sha256"},
                "groups": [
                    HashOfGroup({"number": number, "hash": hashlib.sha256(data).digest()})
                    for number, data in sorted(groups.items())
                ],
            }
        ).dump()
        return tlv.encode(0x77, self._signed(content, LDS_SECURITY_OBJECT))

    def _signed(self, content: bytes, content_type: str) -> bytes:
        """CMS SignedData over `content` by the document signer, ECDSA P-256 with SHA-256."""
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": [content_type]},
                {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
            ]
        )
        signature = self._key("ds").sign(attributes.dump(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        certificate = asn1_x509.Certificate.load(self.signer_certificate)
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
                "encap_content_info": {
                    "content_type": content_type,
                    "content": core.ParsableOctetString(content),
                },
                "certificates": [certificate],
                "signer_infos": [
                    {
                        "version": "v1",
                        "sid": cms.SignerIdentifier(
                            name="issuer_and_serial_number",
                            value={
                                "issuer": certificate.issuer,
                                "serial_number": certificate.serial_number,
                            },
                        ),
                        "digest_algorithm": {"algorithm": "sha256"},
                        "signed_attrs": attributes,
                        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                        "signature": signature,
                    }
                ],
            }
        )
        return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())

    # ----------------------------------------------------------------------------------------- private

    def _key(self, purpose: str) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self._derived(purpose, _P256_ORDER), ec.SECP256R1())

    def _derived(self, purpose: str, order: int) -> int:
        """A private value below `order`, the same each time."""
        length = max(48, (order.bit_length() + 7) // 8 + 16)
        material = HKDF(hashes.SHA256(), length, b"corridor specimen keys", f"{self.country} {purpose}".encode())
        return int.from_bytes(material.derive(self._seed.encode()), "big") % (order - 1) + 1

    def _serial(self, purpose: str) -> int:
        digest = hashlib.sha256(f"{self._seed} {self.country} {purpose} serial".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1 | 1

    def _name(self, common_name: str) -> x509.Name:
        country = alpha_2(self.country) or self.country[:2]
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, country),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corridor specimens, not a government"),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )

    def _certificate(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        issuer_key: ec.EllipticCurvePublicKey,
        purpose: str,
        until: datetime,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(self._serial(purpose))
            .not_valid_before(_VALID_FROM)
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
        )


def specimen_fingerprints() -> frozenset[str]:
    """SHA-256 of every specimen CSCA that the repository builds: what production refuses to trust."""
    return frozenset(SpecimenAuthority(country).fingerprint for country in ("UTO", "XYZ"))


def untrusted_authority(country: str = "UTO") -> SpecimenAuthority:
    """An authority with the right name and the wrong key, for documents that nobody should believe."""
    return SpecimenAuthority(country, seed="corridor specimens: a forger's own seed")


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _dg2(portrait: bytes) -> bytes:
    from PIL import Image

    with Image.open(BytesIO(portrait)) as image:
        width, height = image.size
    return encode_dg2(portrait, width, height)
