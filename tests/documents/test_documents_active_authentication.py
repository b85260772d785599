"""Active authentication: RSA (ISO/IEC 9796-2) against ICAO 9303-11 appendix F and forgeries, and ECDSA."""

from __future__ import annotations

import hashlib

import pytest
from asn1crypto import keys
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.checks import Verdict
from documents.active_authentication import authenticate, recovered, verify_answer, verify_rsa_answer
from documents.apdu import Answer, Command
from documents.lds import encode_dg15
from hardware.simulators.card_keys import AuthenticationKey, RsaAuthenticationKey

CHALLENGE = bytes.fromhex("F173589974BF40C6")
# Appendix F, step 9: the message representative. The appendix prints no key.
REPRESENTATIVE = bytes.fromhex(
    "6A9D2784A67F8E7C659973EA1AEA25D95B6C8F91E5002F369F0FBDCE8A3CEC1991B543F1696546C5524CF23A5303CD6C"
    "98599F40B79F377B5F3A1406B3B4D8F96784D23AA88DB7E1032A405E69325FA91A6E86F5C71AEA978264C4A207446DAD"
    "4E7292E2DCDA3024B47DA8C063AA1E6D22FBD976AB0FE73D94D2D9C6D88127BC"
)
PASSED, INVALID = (Verdict.PASSED, "ok"), (Verdict.FAILED, "signature_invalid")
HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")


def test_appendix_f_the_representative_recovers_with_its_challenge_only() -> None:
    assert recovered(REPRESENTATIVE, CHALLENGE) == PASSED
    assert recovered(REPRESENTATIVE, bytes(8)) == INVALID


@given(st.integers(0, len(REPRESENTATIVE) - 1), st.integers(1, 255))
def test_appendix_f_no_byte_may_change(place: int, change: int) -> None:
    spoilt = bytearray(REPRESENTATIVE)
    spoilt[place] ^= change
    assert recovered(bytes(spoilt), CHALLENGE) == INVALID


# --------------------------------------------------------------------------------------------------------- RSA


@pytest.fixture(scope="module", params=[(1024, 3), (1536, 65537), (2048, 65537)], ids=str)
def numbers(request: pytest.FixtureRequest) -> rsa.RSAPrivateNumbers:
    bits, exponent = request.param
    return rsa.generate_private_key(exponent, bits).private_numbers()


def public_of(numbers: rsa.RSAPrivateNumbers) -> keys.PublicKeyInfo:
    key = numbers.public_numbers.public_key()
    return keys.PublicKeyInfo.load(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("smaller", [True, False])
@pytest.mark.parametrize("option_1", [True, False])
def test_every_hash_trailer_and_signature_production(
    numbers: rsa.RSAPrivateNumbers, hash_name: str, smaller: bool, option_1: bool
) -> None:
    key = RsaAuthenticationKey(numbers.public_numbers.n, numbers.d, hash_name, smaller, option_1)
    signature, public = key.sign(CHALLENGE), public_of(numbers)
    assert verify_rsa_answer(public, signature, CHALLENGE) == PASSED
    assert verify_rsa_answer(public, signature, bytes(8)) == INVALID
    assert verify_rsa_answer(public, signature[:-1] + bytes([signature[-1] ^ 1]), CHALLENGE) == INVALID
    for wrong in (b"", b"\x00", signature + b"\x00", numbers.public_numbers.n.to_bytes(len(signature), "big")):
        assert verify_rsa_answer(public, wrong, CHALLENGE) == INVALID


def signed(numbers: rsa.RSAPrivateNumbers, representative: bytes) -> bytes:
    value = pow(int.from_bytes(representative, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(len(representative), "big")


def test_a_signature_that_recovers_everything_must_hold_the_challenge(numbers: rsa.RSAPrivateNumbers) -> None:
    """Header 4A: total recovery. An old signature of any other message would otherwise be replayed for ever."""
    length = (numbers.public_numbers.n.bit_length() + 7) // 8
    for message_end, expected in ((CHALLENGE, PASSED), (bytes(8), INVALID)):
        message = bytes(length - 1 - 32 - 2 - 8) + message_end
        representative = b"\x4a" + message + hashlib.sha256(message).digest() + b"\x34\xcc"
        assert verify_rsa_answer(public_of(numbers), signed(numbers, representative), CHALLENGE) == expected


def test_padded_messages_and_wrong_padding(numbers: rsa.RSAPrivateNumbers) -> None:
    length = (numbers.public_numbers.n.bit_length() + 7) // 8
    own = bytes(range(20))
    digest = hashlib.sha256(own + CHALLENGE).digest() + b"\x34\xcc"
    filler = length - 2 - len(own) - len(digest)
    for head, expected in (
        (b"\x6b" + b"\xbb" * filler + b"\xba", PASSED),
        (b"\x6b" + b"\xbb" * (filler - 1) + b"\xb0\xba", INVALID),
        (b"\x60" + b"\x00" * filler + b"\x0a", INVALID),
        (b"\x2b" + b"\xbb" * filler + b"\xba", INVALID),
    ):
        signature = signed(numbers, head + own + digest)
        assert verify_rsa_answer(public_of(numbers), signature, CHALLENGE) == expected


class Chip:
    """Answers INTERNAL AUTHENTICATE, at length only where it is asked at length."""

    def __init__(self, key: RsaAuthenticationKey | AuthenticationKey, longest: int = 65536) -> None:
        self._key, self._longest = key, longest
        self.asked: list[int] = []

    def transmit(self, apdu: bytes) -> bytes:
        command = Command.parse(apdu)
        self.asked.append(command.expected)
        if command.expected > self._longest:
            return b"\x67\x00"
        return Answer(self._key.sign(command.data), 0x9000).encode()


def test_a_long_signature_is_asked_for_at_length_and_shorter_where_refused(
    numbers: rsa.RSAPrivateNumbers,
) -> None:
    key = RsaAuthenticationKey(numbers.public_numbers.n, numbers.d)
    dg15 = encode_dg15(public_of(numbers).dump())
    long = key.modulus.bit_length() > 1848
    for longest in (65536, 256):
        chip = Chip(key, longest)
        assert authenticate(chip, dg15) == PASSED
        assert chip.asked == ([65536] if long and longest > 256 else [65536, 256] if long else [256])


# ------------------------------------------------------------------------------------------------------- ECDSA


@pytest.mark.parametrize("curve", ["secp224r1", "secp256r1", "brainpoolP320r1", "brainpoolP512r1"])
@pytest.mark.parametrize("hash_name", HASHES[1:])
@pytest.mark.parametrize("encoding", ["plain", "der"])
def test_ecdsa_with_every_hash_plain_and_der(curve: str, hash_name: str, encoding: str) -> None:
    from ecdsa.curves import curve_by_name

    names = {"secp224r1": "NIST224p", "secp256r1": "NIST256p"}
    found = curve_by_name(names.get(curve, curve.replace("brainpoolP", "BRAINPOOLP")))
    import ecdsa

    signing = ecdsa.SigningKey.from_secret_exponent(0xC0FFEE, found)
    public = keys.PublicKeyInfo.load(signing.verifying_key.to_der())
    signature = AuthenticationKey(0xC0FFEE, curve, hash_name, encoding).sign(CHALLENGE)  # type: ignore[arg-type]
    assert verify_answer(public, signature, CHALLENGE) == PASSED
    assert verify_answer(public, signature, CHALLENGE, hash_name) == PASSED
    assert verify_answer(public, signature, bytes(8)) == INVALID
    other = "sha256" if hash_name != "sha256" else "sha224"
    assert verify_answer(public, signature, CHALLENGE, other) == INVALID


def test_keys_that_are_none_or_of_another_kind() -> None:
    chip = Chip(AuthenticationKey(5))
    small = rsa.RSAPublicNumbers(65537, (1 << 700) + 1)
    ed = bytes.fromhex("302A300506032B6570032100") + bytes(32)
    info = keys.PublicKeyInfo.wrap(keys.RSAPublicKey({"modulus": small.n, "public_exponent": small.e}), "rsa")
    even = keys.PublicKeyInfo.wrap(keys.RSAPublicKey({"modulus": 1 << 1500, "public_exponent": 3}), "rsa")
    assert authenticate(chip, encode_dg15(info.dump())) == (Verdict.ERROR, "algorithm_not_supported")
    assert authenticate(chip, encode_dg15(ed)) == (Verdict.ERROR, "algorithm_not_supported")
    for malformed in (even.dump(), b"", b"\x30\x00"):
        assert authenticate(chip, encode_dg15(malformed)) == (Verdict.FAILED, "key_malformed")
    assert chip.asked == []


EC_KEY = ec.derive_private_key(5, ec.SECP256R1()).public_key().public_bytes(
    Encoding.DER, PublicFormat.SubjectPublicKeyInfo
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=140), st.integers(0, len(EC_KEY) - 1), st.integers(0, 255))
def test_any_answer_and_any_changed_key_fails_or_errs(answer: bytes, place: int, change: int) -> None:
    class Any:
        def transmit(self, apdu: bytes) -> bytes:
            return answer + b"\x90\x00"

    spoilt = bytearray(EC_KEY)
    spoilt[place] ^= change
    assert authenticate(Any(), encode_dg15(bytes(spoilt)))[0] in (Verdict.FAILED, Verdict.ERROR)
