"""Active authentication (ICAO 9303-11 §6.1): does the chip hold the key that its DG15 names?

A copy of every file cannot answer. The answer counts only where DG15 stands under the issuer's signature,
because a clone brings a key of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Literal

from asn1crypto import keys

from contracts.checks import Verdict
from documents.apdu import Command, Transceiver, exchange
from documents.lds import LdsError, parse_dg15
from documents.signatures import SignatureInvalid, SignatureUnsupported, verify_ecdsa
from documents.trust import PASSED, Answer

_CHALLENGE = 8
# Without DG14 nothing names the hash (9303-11 §6.1.2.3): the usual one first.
_HASHES = ("sha256", "sha224", "sha384", "sha512", "sha1")
_SHORT_SIGNATURE = 224  # bytes that fit a short secured answer (§6.1.4)
_MODULUS_BITS = range(1024, 8193)
# ISO/IEC 9796-2 trailers: option 1 names no hash, SHA-1 by 9303-11 §6.1.2.2; option 2 does.
_TRAILER_OPTION_1 = 0xBC
_TRAILERS = {0x33CC: "sha1", 0x38CC: "sha224", 0x34CC: "sha256", 0x36CC: "sha384", 0x35CC: "sha512"}
_MASK, _HEADER, _MORE_DATA, _BORDER, _PADDING = 0xC0, 0x40, 0x20, 0x0A, 0x0B


def authenticate(
    transceiver: Transceiver,
    dg15: bytes,
    named_hash: str | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Answer:
    """`active_authentication` for a DG15 that is covered. Lets the transceiver's exceptions pass.

    `named_hash` is what ActiveAuthenticationInfo in a covered DG14 says of an ECDSA key.
    """
    try:
        key = keys.PublicKeyInfo.load(parse_dg15(dg15), strict=True)
        kind: str = key["algorithm"]["algorithm"].native
        modulus = _rsa_numbers(key)[0] if kind == "rsa" else 0
    except (LdsError, ValueError, TypeError, KeyError, AttributeError):
        return Verdict.FAILED, "key_malformed"
    if kind not in ("rsa", "ec") or (kind == "rsa" and modulus.bit_length() not in _MODULUS_BITS):
        return Verdict.ERROR, "algorithm_not_supported"
    challenge = random_bytes(_CHALLENGE)
    signature = _ask(transceiver, challenge, extended=modulus.bit_length() > 8 * _SHORT_SIGNATURE)
    if not signature:
        return Verdict.FAILED, "no_answer"
    if kind == "rsa":
        return verify_rsa_answer(key, signature, challenge)
    return verify_answer(key, signature, challenge, named_hash)


def _ask(transceiver: Transceiver, challenge: bytes, *, extended: bool) -> bytes:
    """INTERNAL AUTHENTICATE; a chip that cannot answer at length is asked once more for what it can give."""
    for expected in (65536, 256) if extended else (256,):
        answer = exchange(transceiver, Command(0x00, 0x88, 0, 0, challenge, expected))
        if answer.ok and answer.data:
            return answer.data
        if answer.status not in (0x6700, 0x6C00):
            break
    return b""


def verify_answer(
    key: keys.PublicKeyInfo, signature: bytes, challenge: bytes, named_hash: str | None = None
) -> Answer:
    """The chip's ECDSA signature over the challenge, plain (TR-03111) or DER."""
    for hash_name in (named_hash,) if named_hash else _HASHES:
        try:
            verify_ecdsa(key, hash_name, signature, challenge)
        except SignatureInvalid:
            continue
        except SignatureUnsupported:
            return Verdict.ERROR, "algorithm_not_supported"
        except ValueError:
            return Verdict.FAILED, "signature_invalid"
        return PASSED
    return Verdict.FAILED, "signature_invalid"


# ------------------------------------------------------------------------------- RSA: ISO/IEC 9796-2, scheme 1


def verify_rsa_answer(key: keys.PublicKeyInfo, signature: bytes, challenge: bytes) -> Answer:
    """The chip's RSA signature with partial message recovery over its own nonce and the challenge."""
    modulus, exponent = _rsa_numbers(key)
    number = int.from_bytes(signature, "big")
    if len(signature) > (modulus.bit_length() + 7) // 8 or not 0 < number < modulus:
        return Verdict.FAILED, "signature_invalid"
    opened = pow(number, exponent, modulus)
    # ISO/IEC 9796-2 B.6 signs with the smaller of two square roots of the same thing; B.4 does not. The true
    # representative ends in the nibble C.
    for representative in (opened, modulus - opened):
        if representative & 0xF == 0xC:
            length = (modulus.bit_length() + 7) // 8
            return recovered(representative.to_bytes(length, "big"), challenge)
    return Verdict.FAILED, "signature_invalid"


def recovered(representative: bytes, challenge: bytes) -> Answer:
    """Whether a representative F of ISO/IEC 9796-2 scheme 1 is one over `challenge` (9303-11 appendix F)."""
    trailer = _trailer(representative)
    if trailer is None or representative[0] & _MASK != _HEADER:
        return Verdict.FAILED, "signature_invalid"
    hashes, trailer_length = trailer
    begin = _message_begin(representative)
    for name in hashes:
        end = len(representative) - trailer_length - hashlib.new(name).digest_size
        if begin is None or begin > end:
            continue
        message = representative[begin:end]
        if representative[0] & _MORE_DATA:
            message += challenge
        elif not message.endswith(challenge):
            continue  # everything was recovered, and the challenge is not in it: a signature of another day
        digest = representative[end : len(representative) - trailer_length]
        if hmac.compare_digest(hashlib.new(name, message).digest(), digest):
            return PASSED
    return Verdict.FAILED, "signature_invalid"


def _message_begin(representative: bytes) -> int | None:
    """Where the recoverable part begins: behind the header's padding, nibbles B that end with an A."""
    if representative[0] & 0x0F == _BORDER:
        return 1
    bare = representative[1:].lstrip(b"\xbb")
    if representative[0] & 0x0F != _PADDING or bare[:1] != b"\xba":
        return None
    return len(representative) - len(bare) + 1


def _trailer(representative: bytes) -> tuple[tuple[str, ...], Literal[1, 2]] | None:
    """The hashes that the trailer allows, and its length."""
    if representative[-1] == _TRAILER_OPTION_1:
        return ("sha1", "sha256", "sha224", "sha384", "sha512"), 1
    name = _TRAILERS.get(int.from_bytes(representative[-2:], "big"))
    return None if name is None else ((name,), 2)


def _rsa_numbers(key: keys.PublicKeyInfo) -> tuple[int, int]:
    """Modulus and public exponent. ValueError and its like for no RSA key."""
    numbers = key["public_key"].parsed
    modulus, exponent = int(numbers["modulus"].native), int(numbers["public_exponent"].native)
    if modulus % 2 == 0 or not 3 <= exponent < 1 << 64:
        raise ValueError("no RSA key")
    return modulus, exponent
