"""Signatures against answers that nobody here computed: vectors of NIST, sound and spoilt in every way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import algos, keys

from documents.signatures import SignatureInvalid, can_check, verify

VECTORS = json.loads((Path(__file__).parent / "vectors" / "nist_cavp_signatures.json").read_text())["vectors"]
CURVES = {  # object identifier, bytes of a coordinate
    "P-192": ("1.2.840.10045.3.1.1", 24),
    "P-224": ("1.3.132.0.33", 28),
    "P-256": ("1.2.840.10045.3.1.7", 32),
    "P-384": ("1.3.132.0.34", 48),
    "P-521": ("1.3.132.0.35", 66),
}


def key_of(vector: dict[str, Any]) -> keys.PublicKeyInfo:
    if vector["kind"] == "ecdsa":
        name, size = CURVES[vector["curve"]]
        point = b"\x04" + int(vector["x"], 16).to_bytes(size) + int(vector["y"], 16).to_bytes(size)
        curve = keys.ECDomainParameters(name="named", value=name)
        made = {"algorithm": {"algorithm": "ec", "parameters": curve}, "public_key": keys.ECPointBitString(point)}
    else:
        numbers = {"modulus": int(vector["n"], 16), "public_exponent": int(vector["e"], 16)}
        made = {"algorithm": {"algorithm": "rsa"}, "public_key": keys.RSAPublicKey(numbers)}
    return keys.PublicKeyInfo.load(keys.PublicKeyInfo(made).dump())


def algorithm_of(vector: dict[str, Any]) -> algos.SignedDigestAlgorithm:
    name = vector["hash"]
    if vector["kind"] != "rsa_pss":
        return algos.SignedDigestAlgorithm(
            {"algorithm": f"{name}_{'ecdsa' if vector['kind'] == 'ecdsa' else 'rsa'}"}
        )
    parameters = {
        "hash_algorithm": {"algorithm": name},
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": name}},
        "salt_length": vector["salt"],
    }
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})


def signature_of(vector: dict[str, Any]) -> bytes:
    if vector["kind"] != "ecdsa":
        return bytes.fromhex(vector["signature"])
    return bytes(algos.DSASignature({"r": int(vector["r"], 16), "s": int(vector["s"], 16)}).dump())


@pytest.mark.parametrize(
    "vector",
    VECTORS,
    ids=lambda vector: f"{vector['kind']} {vector.get('curve', '')} {vector['hash']} {vector['why'].strip()}",
)
def test_nist(vector: dict[str, Any]) -> None:
    key = key_of(vector)
    checked = (key, algorithm_of(vector), signature_of(vector), bytes.fromhex(vector["message"]))
    if vector["holds"]:
        verify(*checked)
        assert can_check(key)
    else:
        with pytest.raises(SignatureInvalid):
            verify(*checked)
