"""Chips read end to end over every protocol, and every way in which a chip fails to prove what it is."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from contracts.checks import CheckName, Verdict
from documents import tlv
from documents.access import CardAccessNumber
from documents.files import FIRST_BLOCK
from documents.lds import FILES, encode_dg2
from documents.mrz import Mrz, MrzKey, compose_td3, parse_mrz
from documents.reading import CHIP_CHECKS, ChipReading, read_chip
from documents.secure_messaging import AES_128, AES_192, AES_256, SUITES, TRIPLE_DES, CipherSuite
from documents.security_infos import Mapping
from documents.trust import TrustStore
from hardware.simulators.card import CardGone, Fault, PassportCard
from hardware.simulators.card_keys import AuthenticationKey, CardKeys
from hardware.specimens.issuer import ChipFiles, ChipSecurity, SpecimenAuthority, untrusted_authority

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
IDENTIFIERS = {file.name: identifier for identifier, file in FILES.items()}
LINES = compose_td3(
    issuer="UTO",
    surname="Eriksson",
    given_names="Anna Maria",
    number="L898902C3",
    nationality="UTO",
    birth_date=date(1974, 8, 12),
    sex="F",
    expiry_date=date(2032, 4, 15),
)
OPTICAL = parse_mrz(LINES, NOW.date(), guarded_only=True)
UTOPIA, FOREIGN = SpecimenAuthority("UTO"), SpecimenAuthority("XYZ")
TRUST = TrustStore(
    (UTOPIA.csca_certificate, FOREIGN.csca_certificate), (UTOPIA.revocation_list, FOREIGN.revocation_list)
)


def _portrait() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((104, 134), 120).save(stream, "JPEG", quality=60)
    return stream.getvalue()


PORTRAIT = _portrait()
KEY = MrzKey("L898902C3", "740812", "320415")
GM, CAM = ("gm", AES_128, 13), ("cam", AES_128, 13)


def issue(*pace: tuple[Mapping, CipherSuite, int], keys: tuple[tuple[CipherSuite, int], ...] = ()) -> ChipFiles:
    return UTOPIA.issue(LINES, PORTRAIT, security=ChipSecurity(pace, keys, "123456"))


CHIP = issue(CAM, GM, keys=((AES_128, 12),))
ONLY_CAM = issue(CAM, GM)
PLAIN = issue(GM, keys=((AES_256, 13),))


class Line:
    """The card laid straight on the reader's transceiver."""

    def __init__(self, card: PassportCard) -> None:
        self.card = card
        self.sent: list[bytes] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.sent.append(apdu)
        return self.card.process(apdu)


def card(chip: ChipFiles, fault: str | None = None, active: object = None, **given: bytes) -> PassportCard:
    files = {IDENTIFIERS[name]: content for name, content in chip.files.items() if name in IDENTIFIERS}
    own = AuthenticationKey(chip.authentication_key) if chip.authentication_key is not None else None
    keys = CardKeys(
        MrzKey(*chip.mrz_key),
        CardAccessNumber(chip.can) if chip.can else None,
        active or own,  # type: ignore[arg-type]
        chip.chip_keys,
    )
    return PassportCard(
        files,
        keys,
        fault=Fault.parse(fault) if fault else None,
        card_access=chip.files.get("CardAccess"),
        card_security=chip.files.get("CardSecurity"),
        **given,  # type: ignore[arg-type]
    )


def read(
    chip: ChipFiles = CHIP,
    fault: str | None = None,
    *,
    key: MrzKey | None = KEY,
    can: CardAccessNumber | None = None,
    trust: TrustStore = TRUST,
    optical: Mrz | None = OPTICAL,
) -> ChipReading:
    return read_chip(Line(card(chip, fault)), key, trust, NOW, optical, can=can)


def failing(reading: ChipReading) -> dict[str, str]:
    """The checks that did not pass, as NAME: VERDICT reason."""
    assert [check.name for check in reading.checks] == list(CHIP_CHECKS)
    assert "not_understood" not in {check.reason for check in reading.checks}
    return {
        check.name.value: f"{check.verdict} {check.reason}"
        for check in reading.checks
        if check.verdict is not Verdict.PASSED
    }


# ------------------------------------------------------------------------------------------- honest chips


def test_a_chip_that_speaks_everything_passes_everything() -> None:
    reading = read()
    assert failing(reading) == {}
    assert reading.access_protocol == "pace_cam"
    assert reading.check(CheckName.CHIP_AUTHENTICATION).reason == "pace_cam"
    assert reading.portrait == PORTRAIT
    assert reading.apdus > 20 and reading.transferred > len(PORTRAIT)
    assert set(reading.seconds) == {
        "access",
        "files",
        "passive_authentication",
        "active_authentication",
        "chip_authentication",
    }


@pytest.mark.parametrize(
    "pace", [("gm", AES_192, 15), ("im", TRIPLE_DES, 13), ("gm", AES_256, 0), ("im", AES_128, 1)]
)
@pytest.mark.parametrize(
    "key", [(TRIPLE_DES, 13), (AES_128, 18), (AES_192, 10), (AES_256, 14), (TRIPLE_DES, 0), (AES_256, 2)],
    ids=lambda key: f"{key[0].name}-{key[1]}",
)  # fmt: skip
def test_access_and_chip_authentication_go_together_in_every_group(
    pace: tuple[Mapping, CipherSuite, int], key: tuple[CipherSuite, int]
) -> None:
    reading = read(issue(pace, keys=(key,)))
    assert failing(reading) == {}
    assert reading.access_protocol == f"pace_{pace[0]}"
    assert reading.check(CheckName.CHIP_AUTHENTICATION).reason == "ok"


def test_chip_authentication_behind_basic_access_control() -> None:
    reading = read(issue(keys=((AES_128, 13), (TRIPLE_DES, 12))))
    assert failing(reading) == {"cardaccess_dg14": "NOT_PRESENT no_cardaccess"}
    assert reading.access_protocol == "bac"


def test_active_authentication_alone_under_pace() -> None:
    assert failing(read(issue(GM))) == {"chip_authentication": "NOT_PRESENT no_key"}


def test_the_can_opens_what_the_zone_does_not_say() -> None:
    can = CardAccessNumber("123456")
    assert failing(read(key=None, can=can)) == {}
    assert failing(read(key=MrzKey("X", "740812", "320415"), can=can)) == {}
    assert failing(read(key=None, can=CardAccessNumber("123457")))["access"] == "FAILED key_refused"
    assert failing(read(key=None))["access"] == "NOT_CHECKED no_key"


def test_a_wrong_key_is_refused_once_and_not_called_a_downgrade() -> None:
    assert failing(read(key=MrzKey("X", "740812", "320415")))["access"] == "FAILED key_refused"


# ------------------------------------------------------------------------------------------- downgrades


@pytest.mark.parametrize("step", ["setup", "nonce", "mapping", "agreement", "token"])
def test_pace_that_fails_at_any_step_is_read_with_bac_and_refers(step: str) -> None:
    reading = read(PLAIN, f"pace_refuses:{step}")
    assert failing(reading) == {"access": "FAILED pace_downgraded"}
    assert reading.access_protocol == "bac"
    assert reading.document is not None


def test_pace_that_somebody_has_taken_away() -> None:
    assert failing(read(PLAIN, "missing:CardAccess")) == {
        "access": "FAILED pace_downgraded",
        "cardaccess_dg14": "FAILED cardaccess_missing",
    }


def test_a_weaker_pace_than_was_signed() -> None:
    both = issue(("gm", AES_256, 13), ("gm", TRIPLE_DES, 13))
    weaker = issue(("gm", TRIPLE_DES, 13)).files["CardAccess"]
    assert failing(read(both.with_file("CardAccess", weaker)))["cardaccess_dg14"] == "FAILED cardaccess_differs"


def test_an_ef_cardaccess_that_is_cut_or_changed() -> None:
    for fault in ("truncated:CardAccess", "tampered:CardAccess"):
        found = failing(read(PLAIN, fault))
        assert found["access"] == "FAILED pace_downgraded"
        assert found["cardaccess_dg14"].startswith("FAILED cardaccess_")


# --------------------------------------------------------------------------------------------------- clones


@pytest.mark.parametrize(
    ("fault", "answers"),
    [
        ("no_keys", {"active_authentication": "FAILED no_answer", "chip_authentication": "FAILED no_answer"}),
        (
            "other_keys",
            {"active_authentication": "FAILED signature_invalid", "chip_authentication": "FAILED key_not_proven"},
        ),
    ],
)
def test_a_clone_of_a_chip_with_chip_authentication(fault: str, answers: dict[str, str]) -> None:
    for suite in SUITES.values():
        assert failing(read(issue(GM, keys=((suite, 13),)), fault)) == answers


@pytest.mark.parametrize("fault", ["no_keys", "other_keys"])
def test_a_clone_of_a_chip_with_chip_authentication_mapping(fault: str) -> None:
    assert failing(read(CHIP, fault))["chip_authentication"] == "FAILED key_not_proven"


def test_a_clone_that_brings_its_own_key() -> None:
    own = issue(GM, keys=((AES_128, 13),))
    other = SpecimenAuthority("UTO", seed="another").issue(
        LINES, PORTRAIT, security=ChipSecurity((GM,), ((AES_128, 13),), "123456")
    )
    clone = replace(own.with_file("DG14", other.files["DG14"]), chip_keys=other.chip_keys)
    assert failing(read(clone)) == {
        "dg_hashes": "FAILED hash_mismatch_dg14",
        "cardaccess_dg14": "NOT_CHECKED dg14_not_covered",
        "chip_authentication": "NOT_CHECKED key_not_covered",
    }


def test_a_clone_that_leaves_the_key_out() -> None:
    assert failing(read(PLAIN.with_file("DG14", None))) == {
        "dg_hashes": "FAILED group_missing_dg14",
        "cardaccess_dg14": "NOT_CHECKED dg14_not_covered",
        "chip_authentication": "FAILED key_removed",
    }


@pytest.mark.parametrize(
    ("file", "answer"),
    [
        (None, "FAILED cardsecurity_missing"),
        (b"\x30\x03\x02\x01\x00", "NOT_CHECKED key_not_covered"),
        ("forged", "NOT_CHECKED key_not_covered"),
        ("foreign", "NOT_CHECKED key_not_covered"),
    ],
)
def test_an_ef_cardsecurity_that_proves_nothing(file: bytes | str | None, answer: str) -> None:
    only = issue(CAM)
    if isinstance(file, str):
        issuer = untrusted_authority() if file == "forged" else FOREIGN
        other = issuer.issue(LINES, PORTRAIT, security=ChipSecurity((CAM,)))
        only = replace(only.with_file("CardSecurity", other.files["CardSecurity"]), chip_keys=other.chip_keys)
    else:
        only = only.with_file("CardSecurity", file)
    assert failing(read(only)) == {"chip_authentication": answer}


def test_an_ef_cardsecurity_of_another_chip() -> None:
    lines = compose_td3(
        issuer="UTO",
        surname="Other",
        given_names="",
        number="X1",
        nationality="UTO",
        birth_date=date(1990, 1, 1),
        sex="X",
        expiry_date=date(2031, 1, 1),
    )
    other = UTOPIA.issue(lines, PORTRAIT, security=ChipSecurity((CAM,)))
    clone = issue(CAM).with_file("CardSecurity", other.files["CardSecurity"])
    assert failing(read(clone)) == {"chip_authentication": "FAILED key_not_proven"}


def test_where_the_signer_is_not_believed_no_key_counts() -> None:
    found = failing(read(trust=TrustStore((FOREIGN.csca_certificate,), (FOREIGN.revocation_list,))))
    assert found["active_authentication"] == found["chip_authentication"] == "NOT_CHECKED key_not_covered"
    assert found["cardaccess_dg14"] == "NOT_CHECKED dg14_not_covered"
    revoked = TrustStore(
        (UTOPIA.csca_certificate,), (SpecimenAuthority("UTO", revoke_signer=True).revocation_list,)
    )
    assert failing(read(trust=revoked))["chip_authentication"] == "NOT_CHECKED key_not_covered"


# ------------------------------------------------------------------------------------------- what chips accept


@pytest.mark.parametrize("fault", ["short_reads", "no_short_identifiers"])
@pytest.mark.parametrize("chip", [CHIP, UTOPIA.issue(LINES, PORTRAIT)], ids=["pace", "bac"])
def test_reading_adapts_to_what_the_chip_accepts(fault: str, chip: ChipFiles) -> None:
    reading = read(chip, fault)
    assert set(failing(reading)) <= {"cardaccess_dg14", "chip_authentication"}
    assert reading.portrait == PORTRAIT


ATR_INFO = bytes.fromhex("43047F660802020400020204000000")
STATED = tlv.encode(0x43, tlv.encode(0x7F66, bytes.fromhex("0202100002021000")))


@pytest.mark.parametrize("size", [100, 33_000, 70_000])
@pytest.mark.parametrize("stated", [None, STATED], ids=["short", "extended"])
def test_large_files_in_short_and_in_extended_answers(size: int, stated: bytes | None) -> None:
    big = CHIP.with_file("DG2", encode_dg2(PORTRAIT + bytes(size), 104, 134))
    groups = {number: big.files[f"DG{number}"] for number in (1, 2, 14, 15)}
    line = Line(card(big.with_file("SOD", UTOPIA.sign(groups)), **({"atr_info": stated} if stated else {})))
    reading = read_chip(line, KEY, TRUST, NOW, OPTICAL)
    assert failing(reading) == {}
    blocks = (size + len(PORTRAIT)) // FIRST_BLOCK
    assert len(line.sent) > blocks if stated is None else len(line.sent) < 45 + blocks // 10


@pytest.mark.parametrize(
    "content", [b"", b"\x43", ATR_INFO, tlv.encode(0x43, tlv.encode(0x7F66, b"\x02\x01\x00\x02\x01\xff"))]
)
def test_buffers_that_are_stated_wrongly_are_not_used(content: bytes) -> None:
    reading = read_chip(Line(card(CHIP, atr_info=content)), KEY, TRUST, NOW, OPTICAL)
    assert failing(reading) == {}


@pytest.mark.parametrize("status", ["6700", "6982", "6987", "6988"])
@pytest.mark.parametrize("at", [12, 14, 18, 25])
def test_a_pace_session_that_the_chip_closes_once_is_opened_again(status: str, at: int) -> None:
    assert failing(read(CHIP, f"{status}:{at}")) == {}


@pytest.mark.parametrize("at", [10, 12, 20])
def test_answers_that_do_not_prove_themselves_end_the_reading(at: int) -> None:
    assert failing(read(CHIP, f"bad_mac:{at}"))["access"] == "FAILED response_mac_invalid"
    assert failing(read(CHIP, f"wrong_ssc:{at}"))["access"] in ("ERROR session_lost", "FAILED key_refused")


def test_a_card_that_leaves_at_any_command() -> None:
    line = Line(card(CHIP))
    read_chip(line, KEY, TRUST, NOW, OPTICAL)
    for at in range(1, len(line.sent) + 1, 7):
        with pytest.raises(CardGone):
            leaving = card(CHIP, f"removed:{at}")
            for apdu in line.sent[:at]:
                leaving.process(apdu)
        found = failing(read(CHIP, f"removed:{at}"))
        assert "reader_failed" in " ".join(found.values()), at  # CardGone is no DeviceError here


# --------------------------------------------------------------------------------------------------- any bytes


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=120), st.sampled_from(["CardAccess", "CardSecurity", "DG14", "DG15"]), st.booleans())
def test_any_content_in_the_files_of_the_protocols_gets_answers(content: bytes, name: str, signed: bool) -> None:
    tag = {"CardAccess": 0x31, "CardSecurity": 0x30, "DG14": 0x6E, "DG15": 0x6F}[name]
    chip = ONLY_CAM.with_file(name, tlv.encode(tag, content))
    if signed and name.startswith("DG"):
        chip = chip.with_file("SOD", UTOPIA.sign({n: chip.files[f"DG{n}"] for n in (1, 2, 14, 15)}))
    assert failing(read(chip))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=40, max_size=40), st.integers(4, 40), st.booleans())
def test_any_answers_from_any_moment_on_get_answers(garbage: list[bytes], after: int, polite: bool) -> None:
    honest, answers = card(CHIP), list(garbage)

    class Line:
        def __init__(self) -> None:
            self.count = 0

        def transmit(self, apdu: bytes) -> bytes:
            self.count += 1
            if self.count < after:
                return honest.process(apdu)
            return (answers.pop() if answers else b"") + (b"\x90\x00" if polite else b"")

    reading = read_chip(Line(), KEY, TRUST, NOW, OPTICAL)
    assert failing(reading)
