"""Curves that a certificate spells out itself."""

from __future__ import annotations

import pytest
from asn1crypto.keys import ECDomainParameters

from documents import tlv
from documents.signatures import SignatureUnsupported, _spelt_out


def test_a_curve_that_nobody_needs_costs_no_time() -> None:
    """A prime of 20,000 bits and a compressed base point: a root of it would take minutes."""
    prime = ((1 << 20_000) - 1).to_bytes(2500, "big")
    integer, octets = tlv.encode(0x02, b"\x00" + prime), tlv.encode(0x04, prime)
    field = tlv.encode(0x30, bytes.fromhex("06072A8648CE3D0101") + integer)
    base = tlv.encode(0x04, b"\x02" + prime)
    version = bytes.fromhex("020101")
    spelt = tlv.encode(0x30, version + field + tlv.encode(0x30, octets + octets) + base + integer)
    with pytest.raises(SignatureUnsupported):
        _spelt_out(ECDomainParameters.load(spelt).chosen)
