"""Signatures of travel documents: RSA (v1.5 and PSS), DSA, and ECDSA on every curve that issuers use.

Many CSCA and DS certificates spell their curve out. Such explicit parameters are accepted only when they are,
in all of p, a, b, G and n, those of a known curve: brainpool r1 and t1 share p, and a curve of a forger's own
choosing could verify anything.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from documents.der import as_read

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
SUPPORTED_HASHES = frozenset(_HASHES)
# Curves that `cryptography` computes, by the name that `ecdsa` gives them; the others are computed by `ecdsa`.
_FAST_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "NIST224p": ec.SECP224R1,
    "NIST256p": ec.SECP256R1,
    "NIST384p": ec.SECP384R1,
    "NIST521p": ec.SECP521R1,
    "BRAINPOOLP256r1": ec.BrainpoolP256R1,
    "BRAINPOOLP384r1": ec.BrainpoolP384R1,
    "BRAINPOOLP512r1": ec.BrainpoolP512R1,
}
_PLAIN_ECDSA = {  # TR-03111 §5.2.1: r || s instead of a SEQUENCE
    "0.4.0.127.0.7.1.1.4.1.1": "sha1",
    "0.4.0.127.0.7.1.1.4.1.2": "sha224",
    "0.4.0.127.0.7.1.1.4.1.3": "sha256",
    "0.4.0.127.0.7.1.1.4.1.4": "sha384",
    "0.4.0.127.0.7.1.1.4.1.5": "sha512",
}
LARGEST_FIELD = 640  # bits of the prime of a curve; the standardised ones have 521 at most
_BARE_KEY_TYPES = frozenset({"1.2.840.113549.1.1.1", "1.2.840.10045.2.1"})  # rsaEncryption, id-ecPublicKey


class SignatureInvalid(Exception):
    """The signature is not this key's over this data."""


class SignatureUnsupported(Exception):
    """The algorithm, curve or key is none that can be checked."""


def digest(algorithm: str, data: bytes) -> bytes:
    """SignatureUnsupported for a hash that 9303 does not know."""
    if algorithm not in _HASHES:
        raise SignatureUnsupported("hash")
    return hashlib.new(algorithm, data).digest()


def hash_of(algorithm: algos.SignedDigestAlgorithm, fallback: str) -> str:
    """The hash a signature algorithm names; `fallback` where it names a bare key type, as some signers do.

    SignatureUnsupported for an algorithm that is neither.
    """
    dotted = algorithm["algorithm"].dotted
    if dotted in _PLAIN_ECDSA:
        return _PLAIN_ECDSA[dotted]
    if dotted in _BARE_KEY_TYPES:
        return fallback
    try:
        if algorithm["algorithm"].native == "rsassa_pss":
            return str(_pss(algorithm)["hash_algorithm"]["algorithm"].native)
        return str(algorithm.hash_algo)
    except ValueError:
        raise SignatureUnsupported("algorithm") from None


def verify(
    key: keys.PublicKeyInfo,
    algorithm: algos.SignedDigestAlgorithm,
    signature: bytes,
    data: bytes,
    fallback_hash: str = "sha256",
) -> None:
    """SignatureInvalid or SignatureUnsupported unless `signature` is the key's over `data`."""
    try:
        _refuse_strange_parameters(algorithm)
        name = hash_of(algorithm, fallback_hash)
        kind = key["algorithm"]["algorithm"].native
        if name not in _HASHES:
            raise SignatureUnsupported("hash")
        if kind == "ec":
            verify_ecdsa(key, name, signature, data)
        elif kind in ("rsa", "rsassa_pss"):
            _verify_rsa(key, algorithm, name, signature, data)
        elif kind == "dsa":
            _verify_dsa(key, name, signature, data)
        else:
            raise SignatureUnsupported("key")
    except (ValueError, TypeError, KeyError, AttributeError):
        # asn1crypto parses lazily: a malformed key or algorithm shows only when it is looked at.
        raise SignatureUnsupported("malformed") from None


def _refuse_strange_parameters(algorithm: algos.SignedDigestAlgorithm) -> None:
    """Parameters of algorithms that have none are left out or NULL (RFC 4055 §5, RFC 5758 §3). In a SignerInfo no
    signature covers them, and a byte that means nothing is refused there too."""
    plain = [algorithm]
    if algorithm["algorithm"].native == "rsassa_pss":
        parameters = _pss(algorithm)
        plain = [parameters["hash_algorithm"], parameters["mask_gen_algorithm"]["parameters"]]
    for one in plain:
        if as_read(one["parameters"]) not in (b"", b"\x05\x00"):
            raise SignatureUnsupported("parameters")


def can_check(key: keys.PublicKeyInfo) -> bool:
    """True when `verify` could check a signature of this key: its kind, curve and numbers are sound."""
    try:
        kind = key["algorithm"]["algorithm"].native
        if kind == "ec":
            import ecdsa

            ecdsa.VerifyingKey.from_string(bytes(key["public_key"]), curve_of(key))
        elif kind in ("rsa", "rsassa_pss"):
            _rsa_key(key)
        elif kind == "dsa":
            _dsa_key(key)
        else:
            return False
    except (SignatureUnsupported, ValueError, TypeError, KeyError, AttributeError, AssertionError):
        return False  # ecdsa.MalformedPointError is an AssertionError
    return True


def verify_ecdsa(key: keys.PublicKeyInfo, hash_name: str, signature: bytes, data: bytes) -> None:
    """ECDSA, the signature as a DER SEQUENCE or as plain r || s of the order's length (TR-03111 §5.2)."""
    curve = curve_of(key)
    point = bytes(key["public_key"])
    size = (curve.order.bit_length() + 7) // 8
    r, s = _integers(signature, size)
    try:
        if curve.name in _FAST_CURVES:
            public = ec.EllipticCurvePublicKey.from_encoded_point(_FAST_CURVES[curve.name](), point)
            public.verify(encode_dss_signature(r, s), data, ec.ECDSA(_HASHES[hash_name]()))
            return
    except InvalidSignature:
        raise SignatureInvalid from None
    except ValueError:
        raise SignatureUnsupported("point") from None
    _verify_slowly(curve, point, hash_name, (r, s), data)


def curve_of(key: keys.PublicKeyInfo) -> Any:
    """The `ecdsa` curve of a key, by name or by explicit parameters. SignatureUnsupported for any other."""
    parameters = key["algorithm"]["parameters"]
    if parameters.name == "named":
        found = _named_curves().get(parameters.chosen.dotted)
    elif parameters.name == "specified":
        found = _spelt_curves().get(_spelt_out(parameters.chosen))
    else:
        found = None
    if found is None:
        raise SignatureUnsupported("curve")
    return found


def _verify_rsa(
    key: keys.PublicKeyInfo, algorithm: algos.SignedDigestAlgorithm, name: str, signature: bytes, data: bytes
) -> None:
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if algorithm["algorithm"].native == "rsassa_pss":
        parameters = _pss(algorithm)
        mask = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
        if mask not in _HASHES or parameters["mask_gen_algorithm"]["algorithm"].native != "mgf1":
            raise SignatureUnsupported("mask")
        if parameters["trailer_field"].native != "trailer_field_bc":
            raise SignatureUnsupported("trailer")
        scheme = padding.PSS(padding.MGF1(_HASHES[mask]()), int(parameters["salt_length"].native))
    try:
        _rsa_key(key).verify(signature, data, scheme, _HASHES[name]())
    except InvalidSignature:
        raise SignatureInvalid from None
    except ValueError:
        raise SignatureUnsupported("key") from None


def _pss(algorithm: algos.SignedDigestAlgorithm) -> algos.RSASSAPSSParams:
    """The parameters of RSASSA-PSS; left out, they are the defaults of RFC 4055 §3.1 (SHA-1, salt of 20)."""
    parameters = algorithm["parameters"]
    if isinstance(parameters, algos.RSASSAPSSParams):
        return parameters
    if parameters.native is None:
        return algos.RSASSAPSSParams({})
    raise SignatureUnsupported("parameters")


def _rsa_key(key: keys.PublicKeyInfo) -> rsa.RSAPublicKey:
    numbers = key["public_key"].parsed
    return rsa.RSAPublicNumbers(numbers["public_exponent"].native, numbers["modulus"].native).public_key()


def _dsa_key(key: keys.PublicKeyInfo) -> dsa.DSAPublicKey:
    domain = key["algorithm"]["parameters"]
    group = dsa.DSAParameterNumbers(domain["p"].native, domain["q"].native, domain["g"].native)
    return dsa.DSAPublicNumbers(key["public_key"].parsed.native, group).public_key()


def _verify_dsa(key: keys.PublicKeyInfo, name: str, signature: bytes, data: bytes) -> None:
    try:
        _dsa_key(key).verify(signature, data, _HASHES[name]())
    except InvalidSignature:
        raise SignatureInvalid from None
    except ValueError:
        raise SignatureUnsupported("key") from None


def _verify_slowly(curve: Any, point: bytes, hash_name: str, signature: tuple[int, int], data: bytes) -> None:
    import ecdsa

    try:
        public = ecdsa.VerifyingKey.from_string(point, curve)
        public.verify(
            signature, data, getattr(hashlib, hash_name), sigdecode=lambda given, order: given, allow_truncate=True
        )
    except ecdsa.BadSignatureError:
        raise SignatureInvalid from None
    except (ecdsa.MalformedPointError, ValueError):
        raise SignatureUnsupported("point") from None


def _integers(signature: bytes, size: int) -> tuple[int, int]:
    """r and s. A plain signature of exactly twice the order's length is never mistaken for DER and back."""
    if len(signature) != 2 * size or signature[:1] == b"\x30":
        try:
            both = algos.DSASignature.load(signature, strict=True)
            return both["r"].native, both["s"].native
        except (ValueError, TypeError):
            pass  # perhaps a plain one that begins with 30
    if len(signature) != 2 * size:
        raise SignatureInvalid
    return int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")


@cache
def _named_curves() -> dict[str, Any]:
    from ecdsa.curves import curves

    return {
        ".".join(map(str, curve.oid)): curve for curve in curves if curve.oid and hasattr(curve.generator, "x")
    }


@cache
def _spelt_curves() -> dict[tuple[int, ...], Any]:
    spelt: dict[tuple[int, ...], Any] = {}
    for curve in _named_curves().values():
        if not hasattr(curve.curve, "b"):
            continue  # an Edwards curve
        p, g = curve.curve.p(), curve.generator
        spelt[(p, curve.curve.a() % p, curve.curve.b() % p, g.x(), g.y(), curve.order)] = curve
    return spelt


def _spelt_out(parameters: Any) -> tuple[int, ...]:
    """p, a, b, Gx, Gy, n of explicit parameters; Gy is the known curve's when the base point is compressed."""
    if parameters["field_id"]["field_type"].native != "prime_field":
        raise SignatureUnsupported("curve")
    p = int(parameters["field_id"]["parameters"].native)
    if p.bit_length() > LARGEST_FIELD:  # a forged one of thirty thousand would be computed with for minutes
        raise SignatureUnsupported("curve")
    a = int.from_bytes(bytes(parameters["curve"]["a"]), "big")
    b = int.from_bytes(bytes(parameters["curve"]["b"]), "big")
    n = int(parameters["order"].native)
    base, size = bytes(parameters["base"]), (p.bit_length() + 7) // 8
    x = int.from_bytes(base[1 : 1 + size], "big")
    if base[:1] == b"\x04" and len(base) == 1 + 2 * size:
        return p, a, b, x, int.from_bytes(base[1 + size :], "big"), n
    if base[:1] in (b"\x02", b"\x03") and len(base) == 1 + size:
        for known in _spelt_curves():
            if (*known[:4], known[5]) == (p, a, b, x, n) and known[4] & 1 == base[0] & 1:
                return known
    raise SignatureUnsupported("curve")
