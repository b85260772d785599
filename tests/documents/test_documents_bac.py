"""Basic access control and secure messaging against the worked example of ICAO 9303-11 appendix D."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.access import BacKeys, BasicAccessControl, session_of
from documents.apdu import AccessRefused, Answer, Command, SessionBroken, SessionLost
from documents.mrz import MrzKey
from documents.secure_messaging import AES_128, SUITES, CipherSuite, SecuredTransceiver, Session, pad, unpad

KEY = MrzKey("L898902C", "690806", "940623")
READER_NONCE = bytes.fromhex("781723860C06C226")
READER_SHARE = bytes.fromhex("0B795240CB7049B01C19B33E32804F0B")
CHIP_NONCE = bytes.fromhex("4608F91988702212")
CHIP_SHARE = bytes.fromhex("0B4F80323EB3191CB04970CB4052790B")


class Conversation:
    """Plays a fixed conversation: each command must be exactly the one of the example."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = [(bytes.fromhex(sent), bytes.fromhex(received)) for sent, received in pairs]

    def transmit(self, apdu: bytes) -> bytes:
        sent, received = self._pairs.pop(0)
        assert apdu.hex() == sent.hex()
        return received


AUTHENTICATION = (
    ("0084000008", "4608F919887022129000"),
    (
        "008200002872C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A728",
        "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D74499000",
    ),
)
MESSAGING = (
    ("0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800", "990290008E08FA855A5D4C50A8ED9000"),
    ("0CB000000D9701048E08ED6705417E96BA5500", "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000"),
    (
        "0CB000040D9701128E082EA28A70F3C7B53500",
        "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000",
    ),
)


def test_appendix_d_keys() -> None:
    keys = BacKeys.of(KEY)
    assert keys.encryption.hex().upper() == "AB94FDECF2674FDFB9B391F85D7F76F2"
    assert keys.mac.hex().upper() == "7962D9ECE03D1ACD4C76089DCE131543"


def test_appendix_d_mutual_authentication_and_secure_messaging() -> None:
    random = iter((READER_NONCE, READER_SHARE))
    line = Conversation(*AUTHENTICATION, *MESSAGING)
    secured = BasicAccessControl(lambda length: next(random)).open(line, KEY)
    assert secured.transmit(bytes.fromhex("00A4020C02011E")) == b"\x90\x00"
    assert secured.transmit(bytes.fromhex("00B0000004")).hex() == "60145f019000"
    assert secured.transmit(bytes.fromhex("00B0000412")).hex() == "04303130365f36063034303030305c026175" + "9000"


def test_appendix_d_from_the_card_s_end() -> None:
    session = session_of(READER_SHARE, CHIP_SHARE, READER_NONCE, CHIP_NONCE)
    assert session.counter == 0x887022120C06C226
    answers = (b"", bytes.fromhex("60145F01"), bytes.fromhex("04303130365F36063034303030305C026175"))
    for (sent, received), data in zip(MESSAGING, answers, strict=True):
        command = session.unprotect_command(Command.parse(bytes.fromhex(sent)))
        assert command.cla == 0x00
        assert session.protect_answer(Answer(data, 0x9000), odd=False).encode() == bytes.fromhex(received)


def test_a_wrong_key_and_an_impostor_chip_are_refused() -> None:
    refused = Conversation(AUTHENTICATION[0], (AUTHENTICATION[1][0], "6300"))
    random = iter((READER_NONCE, READER_SHARE) * 2)
    bac = BasicAccessControl(lambda length: next(random))
    with pytest.raises(AccessRefused, match="key_refused"):
        bac.open(refused, KEY)
    invented = Conversation(AUTHENTICATION[0], (AUTHENTICATION[1][0], "11" * 40 + "9000"))
    with pytest.raises(AccessRefused, match="chip_answer_invalid"):
        bac.open(invented, KEY)


@pytest.mark.parametrize("place", range(27))
def test_a_changed_answer_breaks_the_session(place: int) -> None:
    answer = bytearray.fromhex(MESSAGING[1][1])
    session = session_of(READER_SHARE, CHIP_SHARE, READER_NONCE, CHIP_NONCE)
    session.counter += 2
    answer[place] ^= 0x01
    secured = SecuredTransceiver(Conversation((MESSAGING[1][0], answer.hex())), session)
    with pytest.raises((SessionBroken, SessionLost)):
        secured.transmit(bytes.fromhex("00B0000004"))


@pytest.mark.parametrize("status", ["6982", "6987", "6988", "6700"])
def test_a_bare_status_means_that_the_chip_gave_up(status: str) -> None:
    session = session_of(READER_SHARE, CHIP_SHARE, READER_NONCE, CHIP_NONCE)
    session.counter += 2
    with pytest.raises(SessionLost):
        SecuredTransceiver(Conversation((MESSAGING[1][0], status)), session).transmit(bytes.fromhex("00B0000004"))


ANY_SUITE = st.sampled_from(list(SUITES.values()))


@given(ANY_SUITE, st.binary(max_size=300), st.integers(0, 65536), st.booleans())
def test_commands_and_answers_survive_protection(
    suite: CipherSuite, data: bytes, expected: int, odd: bool
) -> None:
    reader, card = (Session.of(suite, b"a") for _ in range(2))
    command = Command(0x00, 0xB1 if odd else 0xB0, 1, 2, data, expected)
    arrived = card.unprotect_command(Command.parse(reader.protect_command(command)))
    assert arrived == command
    answer = Answer(data, 0x9000)
    assert reader.unprotect_answer(card.protect_answer(answer, odd=odd)) == answer


@given(ANY_SUITE, st.binary(max_size=40))
def test_any_answer_is_refused_without_the_key(suite: CipherSuite, data: bytes) -> None:
    session = Session.of(suite, b"a")
    with pytest.raises((SessionBroken, SessionLost)):
        session.unprotect_answer(Answer(data, 0x9000))


@given(st.binary(max_size=600), st.integers(0, 65536))
def test_commands_parse_back(data: bytes, expected: int) -> None:
    command = Command(0x00, 0xB0, 1, 2, data, expected)
    assert Command.parse(command.encode()) == command


@given(st.binary(max_size=30))
def test_padding(data: bytes) -> None:
    for block in (8, 16):
        assert unpad(pad(data, block)) == data
        assert len(pad(data, block)) % block == 0


def test_nothing_may_follow_the_mac_and_no_object_comes_twice() -> None:
    for spoilt in (b"\x99\x02\x90\x00", b"\x87\x01\x01"):
        session, card = (Session.of(SUITES[2], b"a") for _ in range(2))
        answer = card.protect_answer(Answer(b"", 0x9000), odd=False)
        with pytest.raises(SessionBroken, match="response_malformed"):
            session.unprotect_answer(Answer(answer.data + spoilt, 0x9000))


@pytest.mark.parametrize("header", ["8E8108", "8E820008", "8E07", "8E09"])
def test_the_mac_s_own_header_has_one_form(header: str) -> None:
    """It stands under no MAC: found by fuzzing, an answer whose MAC had a length written longer was believed."""
    sealed = Session.of(SUITES[2], b"k").protect_answer(Answer(bytes(20), 0x9000), odd=False).data
    assert sealed[-10:-8] == bytes.fromhex("8E08")
    spoilt = sealed[:-10] + bytes.fromhex(header) + sealed[-8:]
    spoilt = spoilt[:-1] if header == "8E07" else spoilt + b"\x00" if header == "8E09" else spoilt
    with pytest.raises(SessionBroken, match="response_malformed"):
        Session.of(SUITES[2], b"k").unprotect_answer(Answer(spoilt, 0x9000))
    Session.of(SUITES[2], b"k").unprotect_answer(Answer(sealed, 0x9000))


def test_aes_messaging_under_the_keys_of_appendix_g_1() -> None:
    """SELECT of the application as another implementation protects it (jcexpress, aes-session.properties)."""
    keys = (bytes.fromhex("F5F0E35C0D7161EE6724EE513A0D9A7F"), bytes.fromhex("FE251C7858B356B24514B3BD5F4297D1"))
    line = Conversation(
        (
            "0CA4040C1D871101752F676B09FAC86A87D632749A49C7CC8E08C18BA1FCE707BD9F00",
            "990290008E08BEA7B381C494A0799000",
        )
    )
    secured = SecuredTransceiver(line, Session(AES_128, *keys))
    assert secured.transmit(bytes.fromhex("00A4040C07A0000002471001")) == b"\x90\x00"
