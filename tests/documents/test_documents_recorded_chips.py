"""Chip authentication as four states' passports performed it: each command byte for byte, each answer believed.

The exchanges were recorded by the authors of gmrtd and are published in its tests (chipauth/chip_auth_test.go).
What names a document is left out: the chips' public keys. In their place stands what the agreement with them came
to, from which they cannot be computed; the agreement itself is held by other vectors (test_documents_pace.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contracts.checks import Verdict
from documents import tlv
from documents.apdu import Answer, Command
from documents.chip_authentication import authenticate
from documents.secure_messaging import AES_128, AES_256, TRIPLE_DES, CipherSuite, SecuredTransceiver, Session
from documents.security_infos import ChipAuthenticationInfo, ChipKey, SecurityInfos, chip_authentication_protocol


@dataclass(frozen=True)
class Recorded:
    """One exchange: the session before it, what our side sent, and the first exchange under the new keys."""

    before: Session
    reader_public: str
    agreed: str
    suite: CipherSuite
    new_keys: tuple[str, str]
    exchanges: tuple[tuple[str, str], ...]  # commands and answers, as they went over the line
    select: tuple[str, str]
    key_id: int | None = None
    info: bool = True  # DG14 says how the key is to be used

    @property
    def infos(self) -> SecurityInfos:
        key = ChipKey(AgreedGroup(self), True, b"", self.key_id)
        protocol = chip_authentication_protocol(self.suite, elliptic=True)
        info = ChipAuthenticationInfo(protocol, True, self.suite, self.key_id)
        return SecurityInfos(frozenset(), chip_keys=(key,), chip_authentication=(info,) if self.info else ())


@dataclass(frozen=True)
class AgreedGroup:
    """The group of a recorded key, which knows the outcome of one agreement and nothing else."""

    recorded: Recorded
    order: int = 1 << 256
    prime: int = (1 << 256) - 189
    key_length: int = 65
    public_tag: int = 0x86

    def public(self, private: int) -> bytes:
        return bytes.fromhex(self.recorded.reader_public)

    def secret(self, private: int, public: bytes) -> bytes:
        return bytes.fromhex(self.recorded.agreed)

    def valid(self, public: bytes) -> bool:
        return True


def session(suite: CipherSuite, encryption: str, mac: str, counter: int) -> Session:
    return Session(suite, bytes.fromhex(encryption), bytes.fromhex(mac), counter)


def recorded() -> dict[str, Recorded]:
    return {
        "AT, AES-128": Recorded(
            session(AES_128, "524170DE3419B7AF2F23E45AD6EF9595", "97893F5FDC29A5C13A924FE7D8ED44FD", 0xF0),
            "044827C781BE1AC7A00B351214FD783AC76D99E831A6316C8FD6DE7BD96CFA31DA"
            "06B6B57BA380789729F4A028212A768C49BF5F97D98B1DB12BEEC1A1CD324FB2",
            "0346C3CA1A64F5CD62B61D7591020283089496A53DB2BB5E900D386E92F4686D",
            AES_128,
            ("C8E27260EFD3F318D18C080CBF11C7E6", "A942190365204A21409EB28B52BF9160"),
            (
                (
                    "0C2241A41D8711015D8F69B1EA365CCE4304970DB12421F38E085340D338128085E700",
                    "990290008E083F5136E82A6C34779000",
                ),
                (
                    "0C860000608751019E18F1BA79D805379752BB560EB70AAC3CE3BC5AFE2FDD4AEB325CA8B578B4A93B9F66A5DF40005F"
                    "8E878535251D33DD974AAF77FB858773E5799FA9DC1034E89B1150EC7F0BB3DB4BF37A1B9EA4458A9701008E089D204D"
                    "950C0B95DB00",
                    "8711010B0A5DFFC7432DE4DEB604291377A05B990290008E08B3384A1F5D1579739000",
                ),
            ),
            (
                "0CA4020C1D8711011B2EE500E84960DF7F37AFE7ADFF53838E084500F3B43E192A5700",
                "990290008E0803C4B125B4218CEF9000",
            ),
        ),
        "DE, AES-128, the key named": Recorded(
            session(AES_128, "CC86415F2ED7E8FD663B754265695AE1", "581E84B8EE06C4D3EEE30461498D7FB3", 0xBA),
            "04897FA47C895D35949A8DB8F776A62D775BDF764A1AA1BDC2D8FC96CD5C2E80E3"
            "9F631C67E84364DCF85F5C9F8CE79A752071896819A0D510CF9701652486817C",
            "6A20F0F65089717668374FBADA665D91DE073C835928F0DE45C9165CA0D379D7",
            AES_128,
            ("AF0EEDB52E87B945FC5503B1C6875C1C", "CEB85BEDCECFF1DD1E25DFB672C4A5BF"),
            (
                (
                    "0C2241A41D871101980953D37F67558690045D78A853B18A8E08929767A2CEF172E200",
                    "990290008E08FC873EBB62219C8A9000",
                ),
                (
                    "0C8600006087510161912C367A6322D24AA1D4522DC47A7345369257672DF1D1163D506EB6489395D8083FAD393A3942"
                    "97CE8703C42F22C864C1F4C8E70EE1CF9B497ACF6579190D90F36CF9E16FE2149FF57247285D9E1E9701008E08A1D7A1"
                    "6EFBFD932C00",
                    "87110123E7159AC9B0EF92CE1F6755B89697E3990290008E088972F1595E1508C29000",
                ),
            ),
            (
                "0CA4020C1D871101FAD37EADBCDE7E6A0833035A9FFF5B708E0836560BBCE1FECD5F00",
                "990290008E0829D0E1EBBB61BE7A9000",
            ),
            key_id=0xC3,
        ),
        "MY, triple DES, by GENERAL AUTHENTICATE": Recorded(
            session(
                TRIPLE_DES,
                "896DE34A942C7076FEC207207ACB79C2",
                "D6C47FF4677AC8AE91CB49F4CE673432",
                0x9646C154BFB7BE79,
            ),
            "043DA6D3B923689B96AA65D744F1BD1537FCF1F8A5DD9BC6B01D7B30FC1812645B"
            "510CB66BED899C67A802A7881313E4BCA87055CDE3CF615EFDBADBB64BC32462",
            "6257699DF0C5ED46BDFED8E0EC8C936D8EED9779B393B28C752635B51FBFC3E8",
            TRIPLE_DES,
            ("75B95468910849CDF1A1A2AE5452CE9B", "CD0BEF85D5A82A7AE0FBC12368A41FEF"),
            (
                (
                    "0C2241A41D8711019D1E70C6F5EE06A7CA1E98FBF5C945C98E087AC379DC78702E6300",
                    "990290008E08643C2C3AC66585E49000",
                ),
                (
                    "0C86000058874901A9C6BF370C62AA43CA1EC9B97071727654822361DEB8BA4E5719AA05D8E86AA36164DFA5E506DBF6"
                    "0DC7418858179FD25DAC5E9E49393DDE37E29652444941B562142AB5F19AEA919701008E085083316637060C4D00",
                    "87090108166157B375BC1E990290008E08FF8A254C50179F519000",
                ),
            ),
            (
                "0CA4020C1587090106904D37288D69488E08A13B74E87B87E44600",
                "990290008E08C2BF01FDDD1D599D9000",
            ),
        ),
        "FR, triple DES, a key and no word how to use it": Recorded(
            session(
                AES_256,
                "17DA5D46E356F5B31C3D65B1369EF531CA811EFFC76967D2B62335E1AD9FE5CB",
                "5CB99A25E6081581FAC80C8DA621087939B6BDE273F2F7C65693B3A0EA3051ED",
                0xC6,
            ),
            "04334F809C8842A4C9316C19E52A0D6EA0285996C40FF6DB303CEF72099198C8AD"
            "5D6B46E93482DE899533D06EAC54C289DF5AA1436A846FB9154100C5322439EA",
            "6E804E69FBD31A6A1B546B0BA37DB78288FEFD46EC6C694826A98B85D36C2873",
            TRIPLE_DES,
            ("8AE910A12991FBFE5E37C2C726A2DF29", "1ADAC8970843D9BF8570737A04A8D50D"),
            (
                (
                    "0C2241A65D8751013AE386873DF68BD7E9F8D7AB2E696CED29EEB8DA78D502645B5E97D566361341E2EAA56318F6D84B"
                    "F0BC44F7808AFAF14798D16048AAB03545F017F557D2CCE9DEE724F099E3D643ABD0FB03E567D9B18E08F2D238DEDE5A"
                    "BBF100",
                    "990290008E089666AC14D11E8C2C9000",
                ),
            ),
            (
                "0CA4020C15870901DB66E918FE3525F98E08D870008CEA2BA80000",
                "990290008E08420DEA0A913418AE9000",
            ),
            info=False,
        ),
    }


class Chip:
    """The other end: gives the recorded answers, whatever is said, and keeps what was said."""

    def __init__(self, one: Recorded) -> None:
        self.heard: list[str] = []
        self._answers = [answer for _, answer in (*one.exchanges, one.select)]

    def transmit(self, apdu: bytes) -> bytes:
        self.heard.append(apdu.hex().upper())
        return bytes.fromhex(self._answers[len(self.heard) - 1])


@pytest.mark.parametrize("name", recorded())
def test_the_keys_and_the_first_exchange_under_them(name: str) -> None:
    one = recorded()[name]
    agreed = bytes.fromhex(one.agreed)
    keys = tuple(one.suite.derive_key(agreed, counter).hex().upper()[:32] for counter in (1, 2))
    assert keys == one.new_keys
    fresh = Session.of(one.suite, agreed)
    select_dg14 = Command(0x00, 0xA4, 0x02, 0x0C, bytes.fromhex("010E"))
    assert fresh.protect_command(select_dg14).hex().upper() == one.select[0]
    assert fresh.unprotect_answer(Answer.parse(bytes.fromhex(one.select[1]))).ok


@pytest.mark.parametrize("name", [name for name in recorded() if not name.startswith("MY")])
def test_our_reader_says_what_was_said_and_believes_the_chip(name: str) -> None:
    one = recorded()[name]
    chip = Chip(one)
    answer, line = authenticate(SecuredTransceiver(chip, one.before), chip, one.infos)
    assert answer == (Verdict.PASSED, "ok")
    assert line is not None
    assert chip.heard[:-1] == [command for command, _ in one.exchanges]


@pytest.mark.parametrize("name", [name for name in recorded() if not name.startswith("MY")])
def test_another_key_is_not_proven_by_the_same_answers(name: str) -> None:
    one = recorded()[name]
    other = f"{int(one.agreed, 16) ^ 1:064X}"
    forged = Recorded(**{**vars(one), "agreed": other})
    chip = Chip(one)
    answer, _ = authenticate(SecuredTransceiver(chip, one.before), chip, forged.infos)
    assert answer == (Verdict.FAILED, "key_not_proven")


def test_triple_des_by_the_way_that_our_reader_tries_second() -> None:
    """Ours begins with MSE:Set KAT and turns to this where the chip refuses it (9303-11 §8.5, note 1)."""
    one = recorded()["MY, triple DES, by GENERAL AUTHENTICATE"]
    protocol = tlv.encode(0x80, chip_authentication_protocol(TRIPLE_DES, elliptic=True))
    key = tlv.encode(0x7C, tlv.encode(0x80, bytes.fromhex(one.reader_public)))
    said = (Command(0x00, 0x22, 0x41, 0xA4, protocol), Command(0x00, 0x86, 0x00, 0x00, key, 256))
    for command, (sent, answer) in zip(said, one.exchanges, strict=True):
        assert one.before.protect_command(command).hex().upper() == sent
        assert one.before.unprotect_answer(Answer.parse(bytes.fromhex(answer))).ok
