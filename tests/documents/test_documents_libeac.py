"""PACE against libeac (OpenPACE), another author's implementation, at both ends of the line.

Debian packages it as libeac3, and set-up installs it for these tests. The integrated mapping is compiled out, and
is held by appendix H instead.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from documents import tlv
from documents.access import CardAccessNumber, Pace
from documents.apdu import Command
from documents.key_agreement import FiniteGroup, RandomBelow
from documents.mrz import MrzKey
from documents.secure_messaging import AES_128, AES_192, AES_256, TRIPLE_DES, CipherSuite
from documents.security_infos import encode_pace_info, encode_security_infos, pace_protocol, parse_security_infos
from hardware.simulators.card_protocols import ChipRandom, PaceChip

_LIBRARY = ctypes.util.find_library("eac")

CAN = CardAccessNumber("123456")
_PACE_CAN = 2


class _Buffer(ctypes.Structure):
    _fields_ = (("length", ctypes.c_size_t), ("data", ctypes.c_void_p))


_Pointer = ctypes.POINTER(_Buffer)
_STEPS: dict[str, tuple[Any, int]] = {  # result, and how many buffers behind the context
    "PACE_STEP3A_generate_mapping_data": (_Pointer, 0),
    "PACE_STEP3A_map_generator": (ctypes.c_int, 1),
    "PACE_STEP3B_generate_ephemeral_key": (_Pointer, 0),
    "PACE_STEP3B_compute_shared_secret": (ctypes.c_int, 1),
    "PACE_STEP3C_derive_keys": (ctypes.c_int, 0),
    "PACE_STEP3D_compute_authentication_token": (_Pointer, 1),
    "PACE_STEP3D_verify_authentication_token": (ctypes.c_int, 1),
}


class Other:
    """One end of PACE as libeac computes it."""

    def __init__(self, card_access: bytes) -> None:
        self.public_keys: list[bytes] = []  # as it sent them
        self._library = ctypes.CDLL(_LIBRARY)
        self._crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
        self._crypto.BUF_MEM_new.restype = _Pointer
        self._crypto.BUF_MEM_grow.argtypes = (_Pointer, ctypes.c_size_t)
        self._library.EAC_init()
        self._library.EAC_CTX_new.restype = ctypes.c_void_p
        self._library.PACE_SEC_new.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.EAC_CTX_new())
        self._secret = ctypes.c_void_p(self._library.PACE_SEC_new(CAN.digits.encode(), 6, _PACE_CAN))
        length = ctypes.c_size_t(len(card_access))
        assert self._library.EAC_CTX_init_ef_cardaccess(card_access, length, self._context) == 1

    def step(self, name: str, *given: bytes) -> bytes:
        result, buffers = _STEPS[name]
        function = getattr(self._library, name)
        function.restype = result
        function.argtypes = (ctypes.c_void_p, *[_Pointer] * buffers)
        answer = function(self._context, *map(self._buffer, given))
        if result is ctypes.c_int:
            assert answer == 1, name
            return b""
        made = self._bytes(answer)
        if "generate" in name:
            self.public_keys.append(made)
        return made

    def encrypted_nonce(self) -> bytes:
        self._library.PACE_STEP1_enc_nonce.restype = _Pointer
        return self._bytes(self._library.PACE_STEP1_enc_nonce(self._context, self._secret))

    def take_nonce(self, sealed: bytes) -> None:
        assert self._library.PACE_STEP2_dec_nonce(self._context, self._secret, self._buffer(sealed)) == 1

    def _buffer(self, data: bytes) -> Any:
        buffer = self._crypto.BUF_MEM_new()
        self._crypto.BUF_MEM_grow(buffer, len(data))
        ctypes.memmove(buffer.contents.data, data, len(data))
        return buffer

    @staticmethod
    def _bytes(buffer: Any) -> bytes:
        return ctypes.string_at(buffer.contents.data, buffer.contents.length)


class OtherChip:
    """libeac as the chip."""

    def __init__(self, other: Other) -> None:
        self._other = other
        self._step = 0
        self._key = b""

    def transmit(self, apdu: bytes) -> bytes:
        asked = Command.parse(apdu)
        if asked.ins == 0x22:
            return b"\x90\x00"
        told = dict(tlv.objects(tlv.value(asked.data, 0x7C)))
        self._step += 1
        answers = {1: self._nonce, 2: self._map, 3: self._agree, 4: self._authenticate}
        return tlv.encode(0x7C, tlv.encode(0x7E + 2 * self._step, answers[self._step](told))) + b"\x90\x00"

    def _nonce(self, told: dict[int, bytes]) -> bytes:
        return self._other.encrypted_nonce()

    def _map(self, told: dict[int, bytes]) -> bytes:
        own = self._other.step("PACE_STEP3A_generate_mapping_data")
        self._other.step("PACE_STEP3A_map_generator", told[0x81])
        return own

    def _agree(self, told: dict[int, bytes]) -> bytes:
        own = self._other.step("PACE_STEP3B_generate_ephemeral_key")
        self._key = told[0x83]
        self._other.step("PACE_STEP3B_compute_shared_secret", self._key)
        self._other.step("PACE_STEP3C_derive_keys")
        return own

    def _authenticate(self, told: dict[int, bytes]) -> bytes:
        own = self._other.step("PACE_STEP3D_compute_authentication_token", self._key)
        self._other.step("PACE_STEP3D_verify_authentication_token", told[0x85])
        return own


WAYS = pytest.mark.parametrize(
    "way",
    [(AES_128, 13), (AES_256, 17), (TRIPLE_DES, 12), (AES_192, 15), (AES_128, 9), (AES_128, 0), (AES_256, 2)],
    ids=lambda way: f"{way[0].name}-{way[1]}",
)  # fmt: skip


def card_access(way: tuple[CipherSuite, int]) -> bytes:
    suite, number = way
    return encode_security_infos([encode_pace_info(pace_protocol("gm", suite, elliptic=number > 2), number)])


def until_both_can(way: tuple[CipherSuite, int], session: Callable[[Other, RandomBelow], None]) -> None:
    """Run a session, and another instead of one whose secret begins with zero, which one in 256 of a field does.

    libeac leaves these zeros out (OpenSSL's DH_compute_key does); RFC 2631 §2.1.2 keeps them, and so does the
    product: test_documents_pace.py holds it to another library. Whether a secret is such a one is computed here,
    from what we drew and what they sent.
    """
    (info,) = parse_security_infos(card_access(way)).pace
    for _ in range(5):
        other, drawn = Other(card_access(way)), list[int]()

        def below(most: int, drawn: list[int] = drawn) -> int:
            drawn.append(secrets.randbelow(most))
            return drawn[-1]

        try:
            return session(other, below)
        except AssertionError:
            pairs = zip((*drawn[:1], *drawn[-1:]), other.public_keys, strict=False)  # of mapping and of agreement
            if not isinstance(info.group, FiniteGroup) or not any(
                begins_with_zero(info.group, 1 + private, public) for private, public in pairs
            ):
                raise
    pytest.fail("five secrets in a row begin with zero")


def begins_with_zero(group: FiniteGroup, private: int, public: bytes) -> bool:
    return pow(int.from_bytes(public), private, group.prime) < 1 << 8 * (group.key_length - 1)


@WAYS
def test_our_reader_opens_their_chip(way: tuple[CipherSuite, int]) -> None:
    (info,) = parse_security_infos(card_access(way)).pace

    def session(other: Other, below: RandomBelow) -> None:
        Pace(info, below=below).open(OtherChip(other), CAN)

    until_both_can(way, session)


@WAYS
def test_their_reader_opens_our_chip(way: tuple[CipherSuite, int]) -> None:
    until_both_can(way, lambda reader, below: their_reader_opens_our_chip(way, reader, below))


def their_reader_opens_our_chip(way: tuple[CipherSuite, int], reader: Other, below: RandomBelow) -> None:
    offered = parse_security_infos(card_access(way))
    key = MrzKey("T22000129", "640812", "101031")
    chip = PaceChip(offered, key, CAN, [], lambda key: None, ChipRandom(below=below))

    def ask(tag: int, body: bytes = b"", *, last: bool = False) -> dict[int, bytes]:
        content = tlv.encode(tag, body) if tag else b""
        answer = chip.authenticate(Command(0x00 if last else 0x10, 0x86, 0, 0, tlv.encode(0x7C, content), 256))
        assert answer.ok
        return dict(tlv.objects(tlv.value(answer.data, 0x7C)))

    assert chip.set_up(tlv.encode(0x80, offered.pace[0].protocol) + tlv.encode(0x83, b"\x02")).ok
    reader.take_nonce(ask(0)[0x80])
    theirs = ask(0x81, reader.step("PACE_STEP3A_generate_mapping_data"))[0x82]
    reader.step("PACE_STEP3A_map_generator", theirs)
    public = ask(0x83, reader.step("PACE_STEP3B_generate_ephemeral_key"))[0x84]
    reader.step("PACE_STEP3B_compute_shared_secret", public)
    reader.step("PACE_STEP3C_derive_keys")
    token = reader.step("PACE_STEP3D_compute_authentication_token", public)
    reader.step("PACE_STEP3D_verify_authentication_token", ask(0x85, token, last=True)[0x86])
    assert chip.session is not None
