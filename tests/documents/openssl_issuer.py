"""A signing authority made by OpenSSL: certificates, lists and security objects that nobody here encoded."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from documents import tlv
from documents.security_object import LDS_SECURITY_OBJECT, HashOfGroup, SecurityObject

GROUPS = {1: b"a first group", 2: b"a second group"}
_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
C = {country}
O = Testers
CN = {common_name}
[root]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[signer]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[lists]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,2.23.136.1.1.3
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ca]
default_ca = authority
[authority]
database = {directory}/index.txt
crlnumber = {directory}/crlnumber
default_md = sha256
default_crl_days = 30
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid
"""
# What an authority that cuts its lists up adds (RFC 5280 §5.2.5), {} being the list's part and the flags.
PART = """issuingDistributionPoint = critical,@part
[part]
{}
"""
PSS = ("rsa_padding_mode:pss", "rsa_pss_saltlen:32")


@dataclass(frozen=True)
class Kind:
    """How an authority's keys are made and how it signs."""

    key: tuple[str, ...]
    pss: bool = False
    md: str = "sha256"


KINDS = {
    "rsa_v15": Kind(("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")),
    "rsa_pss": Kind(("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"), pss=True),
    "p256": Kind(("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")),
    "p521_sha512": Kind(("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"), md="sha512"),
    "brainpool_named": Kind(("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"), md="sha384"),
    "brainpool_explicit": Kind(
        (
            "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1",
            "-pkeyopt", "ec_param_enc:explicit",
        )
    ),
    "p224_explicit_sha224": Kind(
        ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224", "-pkeyopt", "ec_param_enc:explicit"),
        md="sha224",
    ),
    "brainpool320_explicit": Kind(
        (
            "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP320r1",
            "-pkeyopt", "ec_param_enc:explicit",
        )
    ),
}  # fmt: skip


def openssl(directory: Path, *arguments: str) -> str:
    ran = subprocess.run(
        ["openssl", *arguments], cwd=directory, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, f"openssl {' '.join(arguments)}: {ran.stderr}"
    return ran.stdout


class OpensslAuthority:
    """One CSCA key with a self-signed certificate, one document signer, CRLs and security objects."""

    def __init__(self, directory: Path, kind: Kind, country: str = "UT", name: str = "CSCA") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.kind, self.country = directory, kind, country
        (directory / "index.txt").write_text("")
        (directory / "crlnumber").write_text("01\n")
        self.configure(name)
        self.make_key("csca")
        openssl(
            directory, "req", "-x509", "-new", "-key", "csca.key", "-out", "csca.pem", "-config", "csca.cnf",
            "-extensions", "root", "-days", "3650", f"-{kind.md}", *self.sigopts,
        )  # fmt: skip

    def configure(self, name: str, file: str = "csca") -> None:
        text = _CONFIG.format(country=self.country, common_name=name, directory=self.directory)
        (self.directory / f"{file}.cnf").write_text(text)

    @property
    def sigopts(self) -> list[str]:
        return [part for option in PSS for part in ("-sigopt", option)] if self.kind.pss else []

    def make_key(self, name: str) -> None:
        openssl(self.directory, "genpkey", *self.kind.key, "-out", f"{name}.key")

    def certificate(self, name: str) -> bytes:
        openssl(self.directory, "x509", "-in", f"{name}.pem", "-outform", "DER", "-out", f"{name}.der")
        return (self.directory / f"{name}.der").read_bytes()

    def issue(self, name: str, extensions: str = "signer", issuer: str = "csca", *more: str) -> bytes:
        """A certificate for a new key (or for an existing one of that name), signed by `issuer`."""
        self.configure(name.upper(), name)
        if not (self.directory / f"{name}.key").exists():
            self.make_key(name)
        openssl(
            self.directory, "req", "-new", "-key", f"{name}.key", "-out", f"{name}.csr", "-config", f"{name}.cnf",
            f"-{self.kind.md}",
        )  # fmt: skip
        openssl(
            self.directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem",
            "-CAkey", f"{issuer}.key", "-set_serial", "4711", "-days", "3000", f"-{self.kind.md}",
            "-extfile", f"{name}.cnf", "-extensions", extensions, "-out", f"{name}.pem", *self.sigopts, *more,
        )  # fmt: skip
        return self.certificate(name)

    def revocation_list(self, *revoked: str, issuer: str = "csca") -> bytes:
        common = ("-config", f"{issuer}.cnf", "-cert", f"{issuer}.pem", "-keyfile", f"{issuer}.key")
        for name in revoked:
            openssl(self.directory, "ca", "-revoke", f"{name}.pem", *common, *self.sigopts)
        openssl(self.directory, "ca", "-gencrl", "-out", "list.pem", *common, *self.sigopts)
        openssl(self.directory, "crl", "-in", "list.pem", "-outform", "DER", "-out", "list.crl")
        return (self.directory / "list.crl").read_bytes()

    def sign(self, content: bytes, content_type: str, signer: str, *more: str) -> bytes:
        """CMS SignedData by OpenSSL; `more` are options of `openssl cms`."""
        (self.directory / "content").write_bytes(content)
        keyopts = [part for option in PSS for part in ("-keyopt", option)] if self.kind.pss else []
        openssl(
            self.directory, "cms", "-sign", "-binary", "-nodetach", "-in", "content", "-outform", "DER",
            "-econtent_type", content_type, "-signer", f"{signer}.pem", "-inkey", f"{signer}.key",
            "-md", self.kind.md, "-nosmimecap", "-out", "signed.der", *keyopts, *more,
        )  # fmt: skip
        return (self.directory / "signed.der").read_bytes()

    def security_object(
        self, groups: Mapping[int, bytes] = GROUPS, *more: str, content_type: str = LDS_SECURITY_OBJECT
    ) -> bytes:
        """EF.SOD over these groups by the signer `ds`."""
        content = SecurityObject(
            {
                "version": 0,
                "hash_algorithm": {"algorithm": self.kind.md},
                "groups": [
                    HashOfGroup({"number": number, "hash": hashlib.new(self.kind.md, data).digest()})
                    for number, data in sorted(groups.items())
                ],
            }
        ).dump()
        return tlv.encode(0x77, self.sign(content, content_type, "ds", *more))
