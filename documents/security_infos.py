"""SecurityInfos (ICAO 9303-11 §9.2): the protocols a chip offers, in EF.CardAccess, EF.DG14 and EF.CardSecurity.

An entry that is not understood is kept in `entries`, for the comparison of the files, and otherwise left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asn1crypto import keys

from documents import tlv
from documents.key_agreement import FiniteGroup, Group, elliptic_group, standardised_group
from documents.lds import LdsError
from documents.secure_messaging import SUITES, TRIPLE_DES, CipherSuite
from documents.signatures import SignatureUnsupported, curve_of

Mapping = Literal["cam", "gm", "im"]
MAPPINGS: tuple[Mapping, ...] = ("cam", "gm", "im")
"""In the order of preference: the chip is proven on the way, is what most chips speak, is what few do."""

_SEQUENCE, _SET, _INTEGER, _BIT_STRING, _OBJECT_IDENTIFIER = 0x30, 0x31, 0x02, 0x03, 0x06
_MOST_ENTRIES = 64
_PRIME_BITS = range(1024, 4097)
_LONGEST_CURVE_KEY = 1024  # spelt-out parameters of 521 bits need half of it; a longer prime only costs time

# Object identifiers as they are encoded, without tag and length: MSE:Set AT sends them so.
_PACE = bytes.fromhex("04007F0007020204")
_PACE_KINDS: dict[int, tuple[bool, Mapping]] = {
    1: (False, "gm"),
    2: (True, "gm"),
    3: (False, "im"),
    4: (True, "im"),
    6: (True, "cam"),
}
_CHIP_AUTHENTICATION = bytes.fromhex("04007F0007020203")
_PUBLIC_KEYS = {bytes.fromhex("04007F000702020101"): False, bytes.fromhex("04007F000702020102"): True}
_ACTIVE_AUTHENTICATION = bytes.fromhex("678108010105")
_SIGNATURE_HASHES = {
    "04007F000701010401": {1: "sha1", 2: "sha224", 3: "sha256", 4: "sha384", 5: "sha512"},  # TR-03111, plain
    "2A8648CE3D0403": {1: "sha224", 2: "sha256", 3: "sha384", 4: "sha512"},  # ANSI X9.62
    "2A8648CE3D04": {1: "sha1"},
}
_EC_PUBLIC_KEY = bytes.fromhex("2A8648CE3D0201")
_STANDARDISED = bytes.fromhex("04007F00070102")
_DH_PKCS_3 = bytes.fromhex("2A864886F70D010301")
_DH_X9_42 = bytes.fromhex("2A8648CE3E0201")


@dataclass(frozen=True)
class PaceInfo:
    """One way to perform PACE (§9.2.1) with standardised domain parameters."""

    protocol: bytes  # the object identifier's encoding
    mapping: Mapping
    elliptic: bool
    suite: CipherSuite
    parameter: int
    group: Group


@dataclass(frozen=True)
class ChipKey:
    """A public key of chip authentication (§9.2.6), as the protocol sends it."""

    group: Group
    elliptic: bool
    public: bytes
    key_id: int | None


@dataclass(frozen=True)
class ChipAuthenticationInfo:
    """One way to perform chip authentication (§9.2.5)."""

    protocol: bytes
    elliptic: bool
    suite: CipherSuite
    key_id: int | None


@dataclass(frozen=True)
class SecurityInfos:
    """The entries of one file: `entries` as they came, the others by what they are, in the file's order.

    `offers_pace` is true for any PACEInfo, also where this reader cannot speak it. `active_authentication_hash` is
    the hash that ActiveAuthenticationInfo names.
    """

    entries: frozenset[bytes]
    pace: tuple[PaceInfo, ...] = ()
    pace_entries: frozenset[bytes] = frozenset()
    chip_keys: tuple[ChipKey, ...] = ()
    chip_authentication: tuple[ChipAuthenticationInfo, ...] = ()
    unsupported_keys: bool = False
    active_authentication_hash: str | None = None

    @property
    def offers_pace(self) -> bool:
        return bool(self.pace_entries)

    def disagreement(self, shown: SecurityInfos | None) -> str | None:
        """What is wrong with an unsigned EF.CardAccess, by these signed infos; None when nothing is.

        A chip that shows less than was signed leads a reader to a weaker protocol (9303-11 §9.2.11).
        """
        if shown is None:
            return "cardaccess_missing" if self.offers_pace else None
        same = shown.entries <= self.entries and self.pace_entries <= shown.entries
        return None if same else "cardaccess_differs"


def parse_security_infos(data: bytes) -> SecurityInfos:
    """The SET OF SecurityInfo that `data` is. LdsError("security_infos_malformed") when it is none."""
    try:
        entries = [(tag, value) for tag, value in tlv.objects(tlv.value(data, _SET))]
        if any(tag != _SEQUENCE for tag, _ in entries) or len(entries) > _MOST_ENTRIES:
            raise ValueError("not a set of sequences")
        return _sorted_out([value for _, value in entries])
    except (ValueError, IndexError):
        raise LdsError("security_infos_malformed") from None


def parse_dg14(data: bytes) -> SecurityInfos:
    """EF.DG14 (9303-10 §4.7.14). LdsError when it is none."""
    try:
        return parse_security_infos(tlv.value(data, 0x6E))
    except tlv.TlvError:
        raise LdsError("security_infos_malformed") from None


def _sorted_out(entries: list[bytes]) -> SecurityInfos:
    pace: list[PaceInfo] = []
    pace_entries: set[bytes] = set()
    chip_keys: list[ChipKey] = []
    chip_authentication: list[ChipAuthenticationInfo] = []
    unsupported = False
    hash_name: str | None = None
    for entry in entries:
        (tag, protocol), *rest = tlv.objects(entry)
        if tag != _OBJECT_IDENTIFIER:
            raise ValueError("no protocol")
        if protocol.startswith(_PACE) and len(protocol) == len(_PACE) + 2:
            pace_entries.add(entry)
            if (info := _pace_info(protocol, rest)) is not None:
                pace.append(info)
        elif protocol.startswith(_CHIP_AUTHENTICATION) and len(protocol) == len(_CHIP_AUTHENTICATION) + 2:
            if (way := _chip_authentication_info(protocol, rest)) is not None:
                chip_authentication.append(way)
        elif protocol in _PUBLIC_KEYS and rest:
            key = _chip_key(_PUBLIC_KEYS[protocol], rest)
            unsupported |= key is None
            chip_keys += [key] if key is not None else []
        elif protocol == _ACTIVE_AUTHENTICATION and len(rest) > 1:
            hash_name = _signature_hash(rest[1][1])
    return SecurityInfos(
        frozenset(entries),
        tuple(pace),
        frozenset(pace_entries),
        tuple(chip_keys),
        tuple(chip_authentication),
        unsupported,
        hash_name,
    )


def _integers(rest: list[tuple[int, bytes]]) -> list[int]:
    return [
        int.from_bytes(value, "big", signed=True) for tag, value in rest if tag == _INTEGER and len(value) <= 4
    ]


def _pace_info(protocol: bytes, rest: list[tuple[int, bytes]]) -> PaceInfo | None:
    """None where the mapping, the cipher, the version or the domain parameters are none of §9.2.1: explicit
    parameters stand unprotected in the file, and the password leaks over weak ones (§9.2.2)."""
    kind, suite = _PACE_KINDS.get(protocol[-2]), SUITES.get(protocol[-1])
    version, *parameter = _integers(rest) or [0]
    if kind is None or suite is None or version != 2 or not parameter:
        return None
    elliptic, mapping = kind
    group = standardised_group(parameter[0])
    if group is None or (group.public_tag == 0x86) is not elliptic:
        return None
    if mapping == "im" and elliptic and group.prime % 4 != 3:
        return None  # P-224: Table 12
    if mapping == "cam" and suite is TRIPLE_DES:
        return None
    return PaceInfo(protocol, mapping, elliptic, suite, parameter[0], group)


def _chip_authentication_info(protocol: bytes, rest: list[tuple[int, bytes]]) -> ChipAuthenticationInfo | None:
    suite = SUITES.get(protocol[-1])
    version, *key_id = _integers(rest) or [0]
    if protocol[-2] not in (1, 2) or suite is None or version != 1:  # version 2 is another protocol (TR-03110)
        return None
    return ChipAuthenticationInfo(protocol, protocol[-2] == 2, suite, key_id[0] if key_id else None)


def _chip_key(elliptic: bool, rest: list[tuple[int, bytes]]) -> ChipKey | None:
    """None for a key of a group that nobody can compute in."""
    (tag, info), *optional = rest
    if tag != _SEQUENCE:
        raise ValueError("no public key")
    (algorithm_tag, algorithm), (key_tag, key) = tlv.objects(info)
    if algorithm_tag != _SEQUENCE or key_tag != _BIT_STRING or key[:1] != b"\x00":
        raise ValueError("no public key")
    (_, name), *parameters = tlv.objects(algorithm)
    group = _group(name, parameters, info)
    if group is None or (group.public_tag == 0x86) is not elliptic:
        return None
    public = key[1:] if elliptic else tlv.value(key[1:], _INTEGER).lstrip(b"\x00")
    key_id = _integers(optional)
    return ChipKey(group, elliptic, public, key_id[0] if key_id else None)


def _group(name: bytes, parameters: list[tuple[int, bytes]], info: bytes) -> Group | None:
    if not parameters:
        return None
    tag, value = parameters[0]
    if name == _STANDARDISED:
        return standardised_group(int.from_bytes(value, "big")) if tag == _INTEGER and len(value) <= 2 else None
    if name == _EC_PUBLIC_KEY and len(info) <= _LONGEST_CURVE_KEY:
        try:
            return elliptic_group(curve_of(keys.PublicKeyInfo.load(tlv.encode(_SEQUENCE, info), strict=True)))
        except (SignatureUnsupported, ValueError, TypeError, KeyError, AttributeError):
            return None
    if name in (_DH_PKCS_3, _DH_X9_42) and tag == _SEQUENCE:
        numbers = [int.from_bytes(number, "big") for kind, number in tlv.objects(value) if kind == _INTEGER]
        if len(numbers) < (2 if name == _DH_PKCS_3 else 3) or numbers[0].bit_length() not in _PRIME_BITS:
            return None
        if not 1 < numbers[1] < numbers[0] - 1 or numbers[0] % 2 == 0:
            return None
        order = numbers[2] if name == _DH_X9_42 else None
        return FiniteGroup(numbers[0], numbers[1], order) if order is None or 1 < order < numbers[0] else None
    return None


def _signature_hash(algorithm: bytes) -> str | None:
    for prefix, hashes in _SIGNATURE_HASHES.items():
        if algorithm[:-1] == bytes.fromhex(prefix):
            return hashes.get(algorithm[-1])
    return None


# ----------------------------------------------------------------------------------------------- composing


def encode_security_infos(entries: list[bytes]) -> bytes:
    """The SET of these entries, each the bytes of its SEQUENCE; DER sorts them."""
    return tlv.encode(_SET, b"".join(sorted(entries)))


def encode_pace_info(protocol: bytes, parameter: int) -> bytes:
    """A PACEInfo of version 2."""
    return _entry(protocol, tlv.encode(_INTEGER, b"\x02") + tlv.encode(_INTEGER, bytes([parameter])))


def encode_chip_authentication_info(protocol: bytes, key_id: int | None = None) -> bytes:
    return _entry(protocol, tlv.encode(_INTEGER, b"\x01") + _key_id(key_id))


def encode_chip_key_info(public_key_info: bytes, *, elliptic: bool, key_id: int | None = None) -> bytes:
    """A ChipAuthenticationPublicKeyInfo around a DER SubjectPublicKeyInfo."""
    protocol = next(name for name, kind in _PUBLIC_KEYS.items() if kind is elliptic)
    return _entry(protocol, public_key_info + _key_id(key_id))


def pace_protocol(mapping: Mapping, suite: CipherSuite, *, elliptic: bool = True) -> bytes:
    """The object identifier of this kind of PACE. ValueError when there is none."""
    for kind, (curve, name) in _PACE_KINDS.items():
        if (curve, name) == (elliptic, mapping):
            return _PACE + bytes((kind, _suite_number(suite)))
    raise ValueError("no such mapping in prime fields")


def chip_authentication_protocol(suite: CipherSuite, *, elliptic: bool = True) -> bytes:
    return _CHIP_AUTHENTICATION + bytes((2 if elliptic else 1, _suite_number(suite)))


def standardised_key_info(parameter: int, public: bytes, *, elliptic: bool = True) -> bytes:
    """A SubjectPublicKeyInfo that names standardised domain parameters (§9.5.1)."""
    body = public if elliptic else tlv.encode(_INTEGER, b"\x00" * (public[0] >> 7) + public)
    algorithm = tlv.encode(_OBJECT_IDENTIFIER, _STANDARDISED) + tlv.encode(_INTEGER, bytes([parameter]))
    return tlv.encode(_SEQUENCE, tlv.encode(_SEQUENCE, algorithm) + tlv.encode(_BIT_STRING, b"\x00" + body))


def _entry(protocol: bytes, rest: bytes) -> bytes:
    return tlv.encode(_SEQUENCE, tlv.encode(_OBJECT_IDENTIFIER, protocol) + rest)


def _key_id(key_id: int | None) -> bytes:
    return b"" if key_id is None else tlv.encode(_INTEGER, bytes([key_id]))


def _suite_number(suite: CipherSuite) -> int:
    return next(number for number, found in SUITES.items() if found is suite)
