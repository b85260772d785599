"""What ICAO puts into CMS SignedData (RFC 5652), in ASN.1: the security object of EF.SOD, and the master list.

ICAO 9303-10 §4.6.2 (hashes of the groups under the signature of a document signer) and 9303-12 §8.
"""

from __future__ import annotations

from asn1crypto import algos, core
from asn1crypto import x509 as asn1_x509

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"  # id-icao-mrtd-security-ldsSecurityObject
EARLY_TYPES = frozenset({"1.2.528.1.1006.1.20.1", "1.3.27.1.1.1"})  # of issuers before there was the one of ICAO


class HashOfGroup(core.Sequence):
    """DataGroupHash ::= SEQUENCE { number, hash }"""

    _fields = [("number", core.Integer), ("hash", core.OctetString)]  # noqa: RUF012 (asn1crypto's own form)


class HashesOfGroups(core.SequenceOf):
    _child_spec = HashOfGroup


class LdsVersionInfo(core.Sequence):
    _fields = [("lds_version", core.PrintableString), ("unicode_version", core.PrintableString)]  # noqa: RUF012 (the same)


class SecurityObject(core.Sequence):
    """LDSSecurityObject ::= SEQUENCE { version, hashAlgorithm, dataGroupHashValues, ldsVersionInfo OPTIONAL }"""

    _fields = [  # noqa: RUF012 (the same)
        ("version", core.Integer),
        ("hash_algorithm", algos.DigestAlgorithm),
        ("groups", HashesOfGroups),
        ("version_info", LdsVersionInfo, {"optional": True}),
    ]


class Certificates(core.SetOf):
    _child_spec = asn1_x509.Certificate


class CscaMasterList(core.Sequence):
    """CscaMasterList ::= SEQUENCE { version, certList SET OF Certificate }"""

    _fields = [("version", core.Integer), ("cert_list", Certificates)]  # noqa: RUF012 (the same)
