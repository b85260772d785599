"""Diffie-Hellman in the groups of travel documents, on curves and in prime fields (ICAO 9303-11 §9.5, §9.6).

Keys travel as the bytes that stand in the protocols: an uncompressed point, or an unsigned integer. A key that is
not in the group raises UnsafeKey before anything is computed with it (BSI TR-03111 §3.2.2, RFC 2631 §2.1.5): one
outside would give away the password of PACE. Curve arithmetic comes from the `ecdsa` package, which takes no pains
to be constant in time; the secrets of this end are used once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

RandomBelow = Callable[[int], int]
"""Draws an integer from 0 up to, and without, its argument."""


class UnsafeKey(ValueError):
    """A public key, or a mapped generator, that is none of the group."""


class Group(Protocol):
    """A group of prime order with a generator."""

    @property
    def public_tag(self) -> int:
        """The tag of a public key of this group in a public key data object (9303-11 Tables 10 and 11)."""
        ...

    @property
    def order(self) -> int: ...

    @property
    def prime(self) -> int:
        """The prime of the underlying field."""
        ...

    @property
    def key_length(self) -> int:
        """The bytes of a public key."""
        ...

    def public(self, private: int) -> bytes: ...

    def agree(self, private: int, public: bytes) -> bytes:
        """The shared element, encoded like a public key. UnsafeKey for a key that is none."""
        ...

    def secret(self, private: int, public: bytes) -> bytes:
        """The shared secret as key derivation takes it: the x-coordinate, or the element at the field's length."""
        ...

    def mapped_generically(self, nonce: bytes, shared: bytes) -> Group:
        """The group with the generator of the generic mapping, §4.4.3.3.1; `shared` as `agree` gave it."""
        ...

    def mapped_from(self, element: int) -> Group:
        """The group with the generator of the integrated mapping, §4.4.3.3.2; `element` of the field."""
        ...


def private_key(group: Group, below: RandomBelow = secrets.randbelow) -> int:
    """A private key whose public key has full length: some chips read a shorter integer as malformed."""
    while True:
        private = 1 + below(group.order - 1)
        if len(group.public(private)) == group.key_length:
            return private


# ---------------------------------------------------------------------------------------------------- curves


@dataclass(frozen=True, repr=False)
class EllipticGroup:
    """A prime curve of cofactor one; `curve` and `generator` are of the `ecdsa` package."""

    curve: Any
    generator: Any
    order: int
    public_tag: int = 0x86

    @property
    def prime(self) -> int:
        return int(self.curve.p())

    @property
    def key_length(self) -> int:
        return 1 + 2 * self._size

    @property
    def _size(self) -> int:
        return (self.prime.bit_length() + 7) // 8

    def public(self, private: int) -> bytes:
        return self._encoded(self.generator * private)

    def agree(self, private: int, public: bytes) -> bytes:
        return self._encoded(self._point(public) * private)

    def secret(self, private: int, public: bytes) -> bytes:
        return self.agree(private, public)[1 : 1 + self._size]

    def mapped_generically(self, nonce: bytes, shared: bytes) -> EllipticGroup:
        mapped = self._encoded(self.generator * int.from_bytes(nonce, "big") + self._point(shared))
        return EllipticGroup(self.curve, self._point(mapped), self.order)

    def mapped_from(self, element: int) -> EllipticGroup:
        """9303-11 appendix B.2. UnsafeKey on P-224, whose prime does not allow it (Table 12)."""
        p, a, b = self.prime, int(self.curve.a()), int(self.curve.b())
        if p % 4 != 3:
            raise UnsafeKey("no integrated mapping on this curve")
        alpha = -element * element % p
        both = (alpha + alpha * alpha) % p
        if both == 0:
            raise UnsafeKey("nothing to map")
        x2 = -b * (1 + both) * pow(a * both, -1, p) % p
        x3 = alpha * x2 % p
        h2 = (pow(x2, 3, p) + a * x2 + b) % p
        u = pow(element, 3, p) * h2 % p
        root = pow(h2, p - 1 - (p + 1) // 4, p)
        x, y = (x2, root * h2 % p) if root * root * h2 % p == 1 else (x3, root * u % p)
        point = b"\x04" + x.to_bytes(self._size, "big") + y.to_bytes(self._size, "big")
        return EllipticGroup(self.curve, self._point(point), self.order)

    def _encoded(self, point: Any) -> bytes:
        from ecdsa.ellipticcurve import INFINITY

        if point == INFINITY:
            raise UnsafeKey("infinity")
        return bytes(point.to_bytes("uncompressed"))

    def _point(self, data: bytes) -> Any:
        from ecdsa.ellipticcurve import PointJacobi

        size = self._size
        x, y = int.from_bytes(data[1 : 1 + size], "big"), int.from_bytes(data[1 + size :], "big")
        if len(data) != 1 + 2 * size or data[0] != 4 or max(x, y) >= self.prime:
            raise UnsafeKey("no point")
        if not self.curve.contains_point(x, y):
            raise UnsafeKey("not on the curve")
        return PointJacobi(self.curve, x, y, 1, self.order)


# ---------------------------------------------------------------------------------------------- prime fields


@dataclass(frozen=True, repr=False)
class FiniteGroup:
    """The subgroup of a prime field that `generator` makes. `subgroup_order` is None where a key names no order
    (PKCS #3): then only the trivial elements can be told."""

    prime: int
    generator: int
    subgroup_order: int | None
    public_tag: int = 0x84

    @property
    def order(self) -> int:
        return self.subgroup_order or self.prime - 1

    @property
    def key_length(self) -> int:
        return (self.prime.bit_length() + 7) // 8

    def public(self, private: int) -> bytes:
        return self._encoded(pow(self.generator, private, self.prime))

    def agree(self, private: int, public: bytes) -> bytes:
        return self._encoded(pow(self._element(public), private, self.prime))

    def secret(self, private: int, public: bytes) -> bytes:
        return self.agree(private, public).rjust(self.key_length, b"\x00")

    def mapped_generically(self, nonce: bytes, shared: bytes) -> FiniteGroup:
        number = int.from_bytes(nonce, "big")
        return self._with(pow(self.generator, number, self.prime) * self._element(shared) % self.prime)

    def mapped_from(self, element: int) -> FiniteGroup:
        if self.subgroup_order is None:
            raise UnsafeKey("no order, no cofactor")
        return self._with(pow(element, (self.prime - 1) // self.subgroup_order, self.prime))

    def _with(self, generator: int) -> FiniteGroup:
        if generator <= 1:
            raise UnsafeKey("trivial generator")
        return FiniteGroup(self.prime, generator, self.subgroup_order)

    def _encoded(self, element: int) -> bytes:
        return element.to_bytes((element.bit_length() + 7) // 8, "big")  # §9.4.1: no leading zeros

    def _element(self, data: bytes) -> int:
        element = int.from_bytes(data, "big")
        if len(data) > self.key_length + 1 or not 1 < element < self.prime - 1:
            raise UnsafeKey("no element")
        if self.subgroup_order is not None and pow(element, self.subgroup_order, self.prime) != 1:
            raise UnsafeKey("of another subgroup")
        return element


# ---------------------------------------------------------------------------- standardised domain parameters


def standardised_group(identifier: int) -> Group | None:
    """The group of 9303-11 Table 12; None for an identifier that is not in use."""
    if identifier in _RFC_5114:
        prime, generator, order = (int(number, 16) for number in _RFC_5114[identifier])
        return FiniteGroup(prime, generator, order)
    name = _CURVES.get(identifier)
    return elliptic_group(_curve(name)) if name is not None else None


def elliptic_group(curve: Any) -> EllipticGroup:
    """The group of a curve of the `ecdsa` package."""
    return EllipticGroup(curve.curve, curve.generator, int(curve.order))


@cache
def _curve(name: str) -> Any:
    from ecdsa.curves import curve_by_name

    return curve_by_name(name)


_CURVES = {
    8: "NIST192p",
    9: "BRAINPOOLP192r1",
    10: "NIST224p",
    11: "BRAINPOOLP224r1",
    12: "NIST256p",
    13: "BRAINPOOLP256r1",
    14: "BRAINPOOLP320r1",
    15: "NIST384p",
    16: "BRAINPOOLP384r1",
    17: "BRAINPOOLP512r1",
    18: "NIST521p",
}
# RFC 5114 §2.1 to §2.3: prime, generator, order of the subgroup.
_RFC_5114 = {
    0: (
        "B10B8F96A080E01DDE92DE5EAE5D54EC52C99FBCFB06A3C69A6A9DCA52D23B616073E28675A23D189838EF1E2EE652C0"
        "13ECB4AEA906112324975C3CD49B83BFACCBDD7D90C4BD7098488E9C219A73724EFFD6FAE5644738FAA31A4FF55BCCC0"
        "A151AF5F0DC8B4BD45BF37DF365C1A65E68CFDA76D4DA708DF1FB2BC2E4A4371",
        "A4D1CBD5C3FD34126765A442EFB99905F8104DD258AC507FD6406CFF14266D31266FEA1E5C41564B777E690F5504F213"
        "160217B4B01B886A5E91547F9E2749F4D7FBD7D3B9A92EE1909D0D2263F80A76A6A24C087A091F531DBF0A0169B6A28A"
        "D662A4D18E73AFA32D779D5918D08BC8858F4DCEF97C2A24855E6EEB22B3B2E5",
        "F518AA8781A8DF278ABA4E7D64B7CB9D49462353",
    ),
    1: (
        "AD107E1E9123A9D0D660FAA79559C51FA20D64E5683B9FD1B54B1597B61D0A75E6FA141DF95A56DBAF9A3C407BA1DF15"
        "EB3D688A309C180E1DE6B85A1274A0A66D3F8152AD6AC2129037C9EDEFDA4DF8D91E8FEF55B7394B7AD5B7D0B6C12207"
        "C9F98D11ED34DBF6C6BA0B2C8BBC27BE6A00E0A0B9C49708B3BF8A317091883681286130BC8985DB1602E714415D9330"
        "278273C7DE31EFDC7310F7121FD5A07415987D9ADC0A486DCDF93ACC44328387315D75E198C641A480CD86A1B9E587E8"
        "BE60E69CC928B2B9C52172E413042E9B23F10B0E16E79763C9B53DCF4BA80A29E3FB73C16B8E75B97EF363E2FFA31F71"
        "CF9DE5384E71B81C0AC4DFFE0C10E64F",
        "AC4032EF4F2D9AE39DF30B5C8FFDAC506CDEBE7B89998CAF74866A08CFE4FFE3A6824A4E10B9A6F0DD921F01A70C4AFA"
        "AB739D7700C29F52C57DB17C620A8652BE5E9001A8D66AD7C17669101999024AF4D027275AC1348BB8A762D0521BC98A"
        "E247150422EA1ED409939D54DA7460CDB5F6C6B250717CBEF180EB34118E98D119529A45D6F834566E3025E316A330EF"
        "BB77A86F0C1AB15B051AE3D428C8F8ACB70A8137150B8EEB10E183EDD19963DDD9E263E4770589EF6AA21E7F5F2FF381"
        "B539CCE3409D13CD566AFBB48D6C019181E1BCFE94B30269EDFE72FE9B6AA4BD7B5A0F1C71CFFF4C19C418E1F6EC0179"
        "81BC087F2A7065B384B890D3191F2BFA",
        "801C0D34C58D93FE997177101F80535A4738CEBCBF389A99B36371EB",
    ),
    2: (
        "87A8E61DB4B6663CFFBBD19C651959998CEEF608660DD0F25D2CEED4435E3B00E00DF8F1D61957D4FAF7DF4561B2AA30"
        "16C3D91134096FAA3BF4296D830E9A7C209E0C6497517ABD5A8A9D306BCF67ED91F9E6725B4758C022E0B1EF4275BF7B"
        "6C5BFC11D45F9088B941F54EB1E59BB8BC39A0BF12307F5C4FDB70C581B23F76B63ACAE1CAA6B7902D52526735488A0E"
        "F13C6D9A51BFA4AB3AD8347796524D8EF6A167B5A41825D967E144E5140564251CCACB83E6B486F6B3CA3F7971506026"
        "C0B857F689962856DED4010ABD0BE621C3A3960A54E710C375F26375D7014103A4B54330C198AF126116D2276E11715F"
        "693877FAD7EF09CADB094AE91E1A1597",
        "3FB32C9B73134D0B2E77506660EDBD484CA7B18F21EF205407F4793A1A0BA12510DBC15077BE463FFF4FED4AAC0BB555"
        "BE3A6C1B0C6B47B1BC3773BF7E8C6F62901228F8C28CBB18A55AE31341000A650196F931C77A57F2DDF463E5E9EC144B"
        "777DE62AAAB8A8628AC376D282D6ED3864E67982428EBC831D14348F6F2F9193B5045AF2767164E1DFC967C1FB3F2E55"
        "A4BD1BFFE83B9C80D052B985D182EA0ADB2A3B7313D3FE14C8484B1E052588B9B7D2BBD2DF016199ECD06E1557CD0915"
        "B3353BBB64E0EC377FD028370DF92B52C7891428CDC67EB6184B523D1DB246C32F63078490F00EF8D647D148D4795451"
        "5E2327CFEF98C582664B4C0F6CC41659",
        "8CF83642A709A097B447997640129DA299B1A47D1EB3750BA308B0FE64F5FBD3",
    ),
}
