"""Trust stores from directories, and signatures on the curves and in the forms that issuers use."""

from __future__ import annotations

import hashlib
import pickle
import ssl
import subprocess
from pathlib import Path

import ecdsa
import pytest
from asn1crypto import algos, core, keys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.checks import Verdict
from documents import tlv
from documents.countries import alpha_2
from documents.signatures import SignatureInvalid, SignatureUnsupported, curve_of, verify
from documents.trust import Certificate, RevocationList, TrustStore
from hardware.specimens.issuer import SpecimenAuthority

DATA = b"what was signed"
ECDSA_SHA256 = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})


def explicit(key: ecdsa.SigningKey, base: bytes = b"", **changed: int) -> keys.PublicKeyInfo:
    """The public key with its curve spelt out, perhaps with a number changed or another base point."""
    curve, point = key.curve, key.curve.generator
    size = (curve.curve.p().bit_length() + 7) // 8
    numbers = {"p": curve.curve.p(), "a": curve.curve.a() % curve.curve.p(), "b": curve.curve.b()}
    numbers |= {"x": point.x(), "y": point.y(), "n": int(curve.order)} | changed
    whole = b"\x04" + int(numbers["x"]).to_bytes(size, "big") + int(numbers["y"]).to_bytes(size, "big")
    parameters = {
        "version": 1,
        "field_id": {"field_type": "prime_field", "parameters": core.Integer(int(numbers["p"]))},
        "curve": {"a": int(numbers["a"]).to_bytes(size, "big"), "b": int(numbers["b"]).to_bytes(size, "big")},
        "base": base or whole,
        "order": int(numbers["n"]),
        "cofactor": 1,
    }
    return keys.PublicKeyInfo.load(
        keys.PublicKeyInfo(
            {
                "algorithm": {
                    "algorithm": "ec",
                    "parameters": keys.ECDomainParameters(
                        name="specified", value=keys.SpecifiedECDomain(parameters)
                    ),
                },
                "public_key": keys.ECPointBitString(key.verifying_key.to_string("uncompressed")),
            }
        ).dump()
    )


@pytest.mark.parametrize(
    "curve",
    [ecdsa.NIST256p, ecdsa.NIST384p, ecdsa.BRAINPOOLP224r1, ecdsa.BRAINPOOLP256r1, ecdsa.BRAINPOOLP320r1],
    ids=lambda curve: curve.name,
)
def test_explicit_parameters_are_the_curve_they_spell(curve: ecdsa.curves.Curve) -> None:
    key = ecdsa.SigningKey.from_secret_exponent(0xC0FFEE, curve, hashlib.sha256)
    info = explicit(key)
    assert curve_of(info).name == curve.name
    for sigencode in (ecdsa.util.sigencode_der, ecdsa.util.sigencode_string):
        signature = key.sign_deterministic(DATA, sigencode=sigencode)
        verify(info, ECDSA_SHA256, signature, DATA)
        with pytest.raises(SignatureInvalid):
            verify(info, ECDSA_SHA256, signature, DATA + b".")


@pytest.mark.parametrize(
    "curve", [ecdsa.NIST224p, ecdsa.NIST256p, ecdsa.BRAINPOOLP512r1], ids=lambda curve: curve.name
)
def test_a_base_point_may_be_compressed(curve: ecdsa.curves.Curve) -> None:
    """P-224 among them, whose prime leaves 1 to the division by 4: no simple root."""
    key = ecdsa.SigningKey.from_secret_exponent(0xC0FFEE, curve, hashlib.sha256)
    x, y = curve.generator.x(), curve.generator.y()
    size = (curve.curve.p().bit_length() + 7) // 8
    sound = bytes([2 + (y & 1)]) + x.to_bytes(size, "big")
    other = bytes([3 - (y & 1)]) + x.to_bytes(size, "big")
    assert curve_of(explicit(key, base=sound)).name == curve.name
    for base in (other, sound[:-1], sound[:-1] + bytes([sound[-1] ^ 1]), b"\x05" + sound[1:]):
        with pytest.raises(SignatureUnsupported, match="curve"):
            curve_of(explicit(key, base=base))


@pytest.mark.parametrize("changed", ["a", "b", "x", "y", "n"])
def test_explicit_parameters_with_one_number_changed_are_no_curve(changed: str) -> None:
    """The curve of a forger's choosing (CVE-2020-0601): the right key point over another generator."""
    key = ecdsa.SigningKey.from_secret_exponent(0xC0FFEE, ecdsa.BRAINPOOLP256r1, hashlib.sha256)
    with pytest.raises(SignatureUnsupported, match="curve"):
        verify(explicit(key, b"", **{changed: 5}), ECDSA_SHA256, key.sign_deterministic(DATA), DATA)


def test_twisted_brainpool_is_told_from_the_one_with_the_same_prime() -> None:
    r1, t1 = ecdsa.BRAINPOOLP256r1, ecdsa.BRAINPOOLP256t1
    assert r1.curve.p() == t1.curve.p()
    for curve in (r1, t1):
        key = ecdsa.SigningKey.from_secret_exponent(7, curve, hashlib.sha256)
        assert curve_of(explicit(key)).name == curve.name


def root_of_length(rest: int) -> bytes:
    """A root whose signed part is `rest` bytes over a multiple of 256 long. It spells out that an extension is not
    critical: a defect of DER, and signed as it is."""
    key = ecdsa.SigningKey.from_secret_exponent(0xC0FFEE, ecdsa.NIST256p, hashlib.sha256)
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    usage = bytes.fromhex("300e0603551d0f0101ff040403020106") + bytes.fromhex("300f0603551d130101ff040530030101ff")
    validity = tlv.encode(0x30, tlv.encode(0x17, b"200101000000Z") + tlv.encode(0x17, b"360101000000Z"))
    for size in range(4, 300):
        identifier = tlv.encode(0x04, tlv.encode(0x04, b"k" * (20 + size % 2)))
        loose = tlv.encode(0x30, bytes.fromhex("0603551d0e010100") + identifier)
        name = tlv.encode(
            0x30,
            tlv.encode(0x31, bytes.fromhex("3009060355040613025554"))
            + tlv.encode(
                0x31, tlv.encode(0x30, bytes.fromhex("060355040a") + tlv.encode(0x0C, b"x" * (size // 2)))
            ),
        )
        body = bytes.fromhex("a003020102020101") + algorithm + name + validity + name
        body += key.verifying_key.to_der() + tlv.encode(0xA3, tlv.encode(0x30, usage + loose))
        if len(body) % 256 == rest:
            signed = tlv.encode(0x30, body)
            signature = key.sign_deterministic(signed, sigencode=ecdsa.util.sigencode_der)
            return tlv.encode(0x30, signed + algorithm + tlv.encode(0x03, b"\x00" + signature))
    raise AssertionError(rest)


@pytest.mark.parametrize("rest", [0x7F, 0x80, 0x81])
def test_what_was_signed_is_what_was_issued_whatever_its_length(rest: int, tmp_path: Path) -> None:
    """asn1crypto writes a value anew whose length ends in 80: a true signature over loose DER would not hold."""
    content = root_of_length(rest)
    (tmp_path / "root.der").write_bytes(content)
    verified = ("openssl", "verify", "-check_ss_sig", "-no_check_time", "-CAfile")
    ran = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-in", "root.der", "-out", "root.pem"], cwd=tmp_path, check=False
    )
    assert ran.returncode == 0
    ran = subprocess.run([*verified, "root.pem", "root.pem"], cwd=tmp_path, check=False, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    assert Certificate(content).is_self_signed
    truth = content.index(bytes.fromhex("0603551d130101ff")) + 7
    altered = content[:truth] + b"\xfe" + content[truth + 1 :]
    assert not Certificate(altered).is_self_signed


def test_rsa_in_both_paddings() -> None:
    key = rsa.generate_private_key(65537, 2048)
    info = keys.PublicKeyInfo.load(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    old = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"})
    pss = algos.SignedDigestAlgorithm(
        {
            "algorithm": "rsassa_pss",
            "parameters": {
                "hash_algorithm": {"algorithm": "sha256"},
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
                "salt_length": 32,
            },
        }
    )
    signed_old = key.sign(DATA, padding.PKCS1v15(), hashes.SHA256())
    signed_pss = key.sign(DATA, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    verify(info, old, signed_old, DATA)
    verify(info, pss, signed_pss, DATA)
    for algorithm, signature in ((old, signed_pss), (pss, signed_old)):
        with pytest.raises(SignatureInvalid):
            verify(info, algorithm, signature, DATA)


def test_a_directory_becomes_a_store(tmp_path: Path) -> None:
    utopia, foreign = SpecimenAuthority("UTO"), SpecimenAuthority("XYZ")
    utopia.write_trust(tmp_path)
    foreign.write_trust(tmp_path)
    (tmp_path / "README.txt").write_text("not a certificate, and not taken for one")
    store = TrustStore.from_directory(tmp_path)
    assert {anchor.country for anchor in store.anchors} == {"UT", "XY"}
    assert store.chain(Certificate(utopia.signer_certificate))[0] == (Verdict.PASSED, "ok")
    assert pickle.loads(pickle.dumps(store)) == store


def test_a_document_signer_is_no_anchor() -> None:
    utopia = SpecimenAuthority("UTO")
    store = TrustStore((utopia.signer_certificate,))
    assert store.anchors == ()
    assert store.chain(Certificate(utopia.signer_certificate))[0][1] == "no_trust_anchor"


@pytest.mark.parametrize("name", ["broken.cer", "broken.crl", "broken.pem"])
def test_a_store_with_a_hole_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x30\x03\x02\x01\x01")
    with pytest.raises(ValueError, match="broken"):
        TrustStore.from_directory(tmp_path)
    with pytest.raises(FileNotFoundError):
        TrustStore.from_directory(tmp_path / "nowhere")


def test_any_flipped_byte_of_certificate_and_list_is_refused() -> None:
    utopia = SpecimenAuthority("UTO")
    anchor = Certificate(utopia.csca_certificate)
    for good, parse in ((utopia.signer_certificate, Certificate), (utopia.revocation_list, RevocationList)):
        parse(good).signed_by(anchor)
        for place in range(len(good)):
            bad = bytearray(good)
            bad[place] ^= 0xFF
            try:
                parse(bytes(bad)).signed_by(anchor)
            except (ValueError, SignatureInvalid, SignatureUnsupported):
                continue
            pytest.fail(f"byte {place} of {parse.__name__} is not guarded")


def test_country_codes() -> None:
    assert [alpha_2(code) for code in ("BLR", "D", "DEU", "UTO", "XXA")] == ["BY", "DE", "DE", "UT", None]


def test_openssl_agrees_about_certificates_and_the_security_object(tmp_path: Path) -> None:
    """Reader and issuer share their knowledge; OpenSSL has its own."""
    utopia = SpecimenAuthority("UTO")
    (tmp_path / "sod.der").write_bytes(tlv.value(utopia.sign({1: b"a group", 2: b"another"}), 0x77))
    (tmp_path / "csca.pem").write_text(ssl.DER_cert_to_PEM_cert(utopia.csca_certificate))
    command = "openssl cms -verify -inform DER -in sod.der -CAfile csca.pem -purpose any -binary -out content"
    ran = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert hashlib.sha256(b"another").digest() in (tmp_path / "content").read_bytes()
