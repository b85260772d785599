"""What a simulated chip knows and never gives away: passwords and private keys, from a directory of chip files.

`keys.json` names them (docs/specimens.md). Beside it, or instead of it, private keys may lie in the directory as
PKCS #8, SEC 1 or PKCS #1 files; they are recognised by the public keys that the chip's own files show.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from asn1crypto import keys as asn1_keys
from asn1crypto import pem

from documents import tlv
from documents.access import CardAccessNumber
from documents.card_security import parse_card_security
from documents.key_agreement import UnsafeKey, elliptic_group
from documents.lds import GROUPS, parse_dg1, parse_dg15
from documents.mrz import MrzKey
from documents.security_infos import ChipKey, parse_dg14
from documents.signatures import SignatureUnsupported, curve_of

_CURVES = {
    "secp256r1": "NIST256p",
    "secp384r1": "NIST384p",
    "secp521r1": "NIST521p",
    "secp224r1": "NIST224p",
    "brainpoolP224r1": "BRAINPOOLP224r1",
    "brainpoolP256r1": "BRAINPOOLP256r1",
    "brainpoolP320r1": "BRAINPOOLP320r1",
    "brainpoolP384r1": "BRAINPOOLP384r1",
    "brainpoolP512r1": "BRAINPOOLP512r1",
}
_KEY_FILES = (".pem", ".der", ".key", ".p8", ".pk8", ".pkcs8")
_TRAILERS = {
    "sha1": b"\xbc",
    "sha224": b"\x38\xcc",
    "sha256": b"\x34\xcc",
    "sha384": b"\x36\xcc",
    "sha512": b"\x35\xcc",
}


@dataclass(frozen=True, repr=False)
class AuthenticationKey:
    """An elliptic private key of active authentication. ValueError for a curve that there is not."""

    private_value: int
    curve: str = "secp256r1"
    hash_name: str = "sha256"
    encoding: Literal["plain", "der"] = "plain"

    def __post_init__(self) -> None:
        if self.curve not in _CURVES:
            raise ValueError(f"unknown curve; there are: {', '.join(_CURVES)}")

    def sign(self, challenge: bytes) -> bytes:
        """ECDSA as r || s (TR-03111 §5.2.1), or as a DER sequence."""
        import ecdsa
        from ecdsa.curves import curve_by_name

        key = ecdsa.SigningKey.from_secret_exponent(self.private_value, curve_by_name(_CURVES[self.curve]))
        encode = ecdsa.util.sigencode_der if self.encoding == "der" else ecdsa.util.sigencode_string
        signed: bytes = key.sign(
            challenge, hashfunc=getattr(hashlib, self.hash_name), sigencode=encode, allow_truncate=True
        )
        return signed


@dataclass(frozen=True, repr=False)
class RsaAuthenticationKey:
    """An RSA private key of active authentication: ISO/IEC 9796-2 scheme 1. `smaller` signs by B.6 of the standard
    (the smaller of two roots), else by B.4; `option_1` writes the trailer BC whatever the hash."""

    modulus: int
    private_exponent: int
    hash_name: str = "sha256"
    smaller: bool = True
    option_1: bool = False

    def sign(self, challenge: bytes) -> bytes:
        length = (self.modulus.bit_length() + 7) // 8
        trailer = b"\xbc" if self.option_1 else _TRAILERS[self.hash_name]
        own = secrets.token_bytes(length - 1 - hashlib.new(self.hash_name).digest_size - len(trailer))
        digest = hashlib.new(self.hash_name, own + challenge).digest()
        representative = b"\x6a" + own + digest + trailer
        signature = pow(int.from_bytes(representative, "big"), self.private_exponent, self.modulus)
        if self.smaller:
            signature = min(signature, self.modulus - signature)
        return signature.to_bytes(length, "big")


@dataclass(frozen=True, repr=False)
class CardKeys:
    """Everything secret of one chip. `chip` are the private values of chip authentication, in no order: which
    public key each belongs to shows by computing it. `pretended` are those of a clone that uses others."""

    mrz: MrzKey
    can: CardAccessNumber | None = None
    active: AuthenticationKey | RsaAuthenticationKey | None = None
    chip: tuple[int, ...] = ()
    pretended: tuple[int, ...] = ()

    def private_of(self, key: ChipKey) -> int | None:
        """The private value of a public key of chip authentication, None for a chip that does not hold it."""
        for value in self.chip:
            try:
                if 0 < value < key.group.prime and key.group.public(value) == key.public:
                    return value
            except UnsafeKey:
                continue
        return self.pretended[0] if self.pretended else None


def read_keys(directory: Path, files: dict[int, bytes]) -> CardKeys:
    """The secrets of a directory of chip files. ValueError and its like when they are not what they should be.

    Without keys.json the chip opens with the key that its DG1 gives.
    """
    path = directory / "keys.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    loose = list(_loose_keys(directory))
    chip = tuple(int(entry["private_value"], 16) for entry in told.get("chip_authentication") or ())
    return CardKeys(
        mrz=_mrz(told, files),
        can=CardAccessNumber(told["can"]) if told.get("can") else None,
        active=_active(told.get("active_authentication")) or _recognised(loose, files),
        chip=(*chip, *(value for kind, value, _ in loose if kind != "rsa")),
    )


def chip_keys(files: dict[int, bytes], card_security: bytes | None) -> list[ChipKey]:
    """The public keys of chip authentication that these files show; none where they say nothing."""
    found: list[ChipKey] = []
    dg14 = files.get(GROUPS[14].identifier)
    with contextlib.suppress(ValueError):
        found += parse_dg14(dg14).chip_keys if dg14 is not None else ()
    with contextlib.suppress(ValueError):
        found += parse_card_security(card_security).infos.chip_keys if card_security is not None else ()
    return found


def _mrz(told: dict[str, Any], files: dict[int, bytes]) -> MrzKey:
    if "mrz" in told:
        return MrzKey(told["mrz"]["number"], told["mrz"]["birth"], told["mrz"]["expiry"])
    key = parse_dg1(files[GROUPS[1].identifier], datetime.now(UTC).date()).key
    if key is None:
        raise ValueError("DG1 gives no key")
    return key


def _active(
    told: dict[str, Any] | None,
) -> AuthenticationKey | RsaAuthenticationKey | None:
    if not told:
        return None
    name = told.get("hash", "sha256")
    if "modulus" in told:
        return RsaAuthenticationKey(int(told["modulus"], 16), int(told["private_exponent"], 16), name)
    return AuthenticationKey(int(told["private_value"], 16), told.get("curve", "secp256r1"), name)


def _recognised(
    loose: list[tuple[str, int, int]], files: dict[int, bytes]
) -> AuthenticationKey | RsaAuthenticationKey | None:
    """The key among these that DG15 shows the public part of."""
    dg15 = files.get(GROUPS[15].identifier)
    if dg15 is None or not loose:
        return None
    try:
        public = asn1_keys.PublicKeyInfo.load(parse_dg15(dg15))
        if public["algorithm"]["algorithm"].native == "rsa":
            modulus = int(public["public_key"].parsed["modulus"].native)
            return next(
                (RsaAuthenticationKey(n, d) for kind, d, n in loose if kind == "rsa" and n == modulus), None
            )
        curve = curve_of(public)
        group, point = elliptic_group(curve), bytes(public["public_key"])
    except (ValueError, TypeError, KeyError, AttributeError, SignatureUnsupported):
        return None
    name = next((name for name, found in _CURVES.items() if found == curve.name), "")
    for kind, value, _ in loose:
        if kind == "ec" and name and 0 < value < group.order and group.public(value) == point:
            return AuthenticationKey(value, name)
    return None


def _loose_keys(directory: Path) -> Iterator[tuple[str, int, int]]:
    """Kind, private value and, of an RSA key, modulus of each key file; files of other content are left alone."""
    for path in sorted(directory.rglob("*")):
        if path.suffix.lower() not in _KEY_FILES or not path.is_file() or path.stat().st_size > 16_384:
            continue
        data = path.read_bytes()
        try:
            blocks = [data] if not pem.detect(data) else [der for _, _, der in pem.unarmor(data, multiple=True)]
            for der in blocks:
                yield from _private(der)
        except (ValueError, IndexError):
            continue


def _private(der: bytes) -> Iterator[tuple[str, int, int]]:
    """What a PrivateKeyInfo, an ECPrivateKey or an RSAPrivateKey holds, by its shape."""
    parts = list(tlv.objects(tlv.value(der, 0x30)))
    tags = [tag for tag, _ in parts]
    if tags[:3] == [0x02, 0x30, 0x04]:  # PKCS #8: version, algorithm, key
        inner = parts[2][1]
        if inner[:1] == b"\x02":
            yield "dh", int.from_bytes(tlv.value(inner, 0x02), "big"), 0
        else:
            yield from _private(inner)
    elif tags[:2] == [0x02, 0x04]:  # SEC 1: version, private value
        yield "ec", int.from_bytes(parts[1][1], "big"), 0
    elif tags[:4] == [0x02] * 4:  # PKCS #1: version, n, e, d
        yield "rsa", int.from_bytes(parts[3][1], "big"), int.from_bytes(parts[1][1], "big")
