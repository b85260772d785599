"""Active authentication (ICAO 9303-11 §6.1): does the chip hold the key that its DG15 names?

A copy of every file cannot answer. The answer counts only where DG15 stands under the issuer's signature,
because a clone brings a key of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from asn1crypto import keys

from contracts.checks import Verdict
from documents.apdu import Command, Transceiver, exchange
from documents.lds import LdsError, parse_dg15
from documents.signatures import SignatureInvalid, SignatureUnsupported, verify_ecdsa
from documents.trust import PASSED, Answer

# Without DG14 nothing names the hash (9303-11 §6.1): the usual one first.
_HASHES = ("sha256", "sha224", "sha384", "sha512", "sha1")


def authenticate(
    transceiver: Transceiver, dg15: bytes, random_bytes: Callable[[int], bytes] = secrets.token_bytes
) -> Answer:
    """`active_authentication` for a DG15 that is covered. Lets the transceiver's exceptions pass."""
    try:
        key = keys.PublicKeyInfo.load(parse_dg15(dg15), strict=True)
        if key["algorithm"]["algorithm"].native != "ec":
            return Verdict.NOT_CHECKED, "algorithm_not_supported"
    except (LdsError, ValueError, TypeError):
        return Verdict.FAILED, "key_malformed"
    challenge = random_bytes(8)
    answer = exchange(transceiver, Command(0x00, 0x88, 0, 0, challenge, expected=256))
    if not answer.ok or not answer.data:
        return Verdict.FAILED, "no_answer"
    return verify_answer(key, answer.data, challenge)


def verify_answer(key: keys.PublicKeyInfo, signature: bytes, challenge: bytes) -> Answer:
    """The chip's ECDSA signature over the challenge, plain (TR-03111) or DER."""
    for hash_name in _HASHES:
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
