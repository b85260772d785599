"""Chips read end to end against the simulated card, and every way in which a chip can be wrong."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from contracts.checks import CheckName, Verdict
from contracts.errors import ErrorCode
from contracts.party import NameSource
from documents import tlv
from documents.lds import FILES, LdsError, encode_dg2, encode_dg15, parse_dg2
from documents.mrz import Mrz, MrzKey, compose_td1, compose_td3, parse_mrz
from documents.passive_authentication import parse_sod
from documents.reading import CHIP_CHECKS, ChipReading, read_chip, unread_chip
from documents.trust import TrustStore
from hardware.ports import DeviceError
from hardware.simulators.card import AuthenticationKey, CardGone, Fault, PassportCard
from hardware.specimens.issuer import ChipFiles, SpecimenAuthority, specimen_fingerprints, untrusted_authority

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
IDENTIFIERS = {file.name: identifier for identifier, file in FILES.items()}


def portrait(shade: int = 120) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((104, 134), shade).save(stream, "JPEG", quality=60)
    return stream.getvalue()


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
PORTRAIT = portrait()
UTOPIA = SpecimenAuthority("UTO")
FOREIGN = SpecimenAuthority("XYZ")
CHIP = UTOPIA.issue(LINES, PORTRAIT)
TRUST = TrustStore(
    (UTOPIA.csca_certificate, FOREIGN.csca_certificate), (UTOPIA.revocation_list, FOREIGN.revocation_list)
)
OPTICAL = parse_mrz(LINES, NOW.date(), guarded_only=True)


class Line:
    """The card laid straight on the reader's transceiver; it leaves as over PC/SC."""

    def __init__(self, card: PassportCard) -> None:
        self.card = card
        self.exchanges = 0

    def transmit(self, apdu: bytes) -> bytes:
        self.exchanges += 1
        try:
            return self.card.process(apdu)
        except CardGone:
            raise DeviceError(ErrorCode.CARD_REMOVED, "the card left the field") from None


def read(
    chip: ChipFiles = CHIP,
    fault: str | None = None,
    *,
    trust: TrustStore = TRUST,
    now: datetime = NOW,
    optical: Mrz | None = OPTICAL,
    key: MrzKey | None = None,
    card_access: bytes | None = None,
) -> ChipReading:
    files = {IDENTIFIERS[name]: content for name, content in chip.files.items()}
    card = PassportCard(
        files,
        MrzKey(*chip.mrz_key),
        chip.authentication_key,
        Fault.parse(fault) if fault else None,
        card_access=card_access,
    )
    return read_chip(Line(card), key or MrzKey(*chip.mrz_key), trust, now, optical)


def failing(reading: ChipReading) -> dict[str, str]:
    """The checks that did not pass and were there to check, as NAME: VERDICT reason."""
    assert "not_understood" not in {check.reason for check in reading.checks}
    return {
        check.name.value: f"{check.verdict} {check.reason}"
        for check in reading.checks
        if check.verdict is not Verdict.PASSED
        and check.name not in (CheckName.CARDACCESS_DG14, CheckName.CHIP_AUTHENTICATION)
    }


def test_an_honest_chip_passes_everything() -> None:
    reading = read()
    assert failing(reading) == {}
    assert [check.name for check in reading.checks] == list(CHIP_CHECKS)
    assert reading.check(CheckName.CARDACCESS_DG14).reason == "no_cardaccess"
    assert reading.check(CheckName.CHIP_AUTHENTICATION).reason == "no_dg14"
    assert reading.portrait == PORTRAIT
    assert reading.trust_anchor == UTOPIA.fingerprint
    assert reading.access_protocol == "bac"
    document = reading.document
    assert document is not None
    assert (document.surname, document.given_names, document.name_source) == (
        "ERIKSSON",
        "ANNA MARIA",
        NameSource.DG1,
    )
    assert document.has_chip is True
    assert set(document.group_hashes) == {"COM", "SOD", "DG1", "DG2", "DG15"}


def test_tolerated_defects_are_all_recorded_with_the_check_that_met_them() -> None:
    """Two of EF.SOD, of which a reason can name one; and one of the portrait's record, under a hash that holds."""
    groups = {int(name[2:]): content for name, content in CHIP.files.items() if name.startswith("DG")}
    length = groups[2].index(b"FAC\x00") + 14
    groups[2] = groups[2][:length] + bytes(4) + groups[2][length + 4 :]
    signed = tlv.value(UTOPIA.sign(groups), 0x77)
    begin = 2 + (signed[1] & 0x7F)
    loose = b"\x30\x84" + signed[2:begin].rjust(4, b"\x00") + signed[begin:] + b"\x00"
    reading = read(replace(CHIP, files={**CHIP.files, "DG2": groups[2], "SOD": tlv.encode(0x77, loose)}))
    assert failing(reading) == {}
    sod, hashes = reading.check(CheckName.SOD_SIGNATURE), reading.check(CheckName.DG_HASHES)
    assert (sod.reason, sod.defects) == ("defect_long_length", ("long_length", "trailing_bytes"))
    assert (hashes.reason, hashes.defects) == ("ok", ("record_lengths",))
    assert reading.portrait == PORTRAIT
    assert not any(check.defects for check in reading.checks if check not in (sod, hashes))
    assert not any(check.defects for check in read().checks)


def test_a_card_of_td1_with_a_long_number() -> None:
    lines = compose_td1(
        issuer="UTO",
        surname="Stevenson",
        given_names="Peter",
        number="D23145890734",
        nationality="UTO",
        birth_date=date(1984, 7, 12),
        sex="M",
        expiry_date=date(2031, 7, 12),
    )
    reading = read(UTOPIA.issue(lines, PORTRAIT), optical=parse_mrz(lines, NOW.date()))
    assert failing(reading) == {}
    assert reading.document is not None
    assert reading.document.number == "D23145890734"


def test_large_portraits_are_read_behind_the_short_offsets() -> None:
    image = PORTRAIT + bytes(60_000)
    big = CHIP.with_file("DG2", encode_dg2(image, 104, 134))
    signed = big.with_file("SOD", UTOPIA.sign({n: big.files[f"DG{n}"] for n in (1, 2, 15)}))
    reading = read(signed)
    assert failing(reading) == {}
    assert reading.portrait == image


@pytest.mark.parametrize(
    ("name", "curve"),
    [("secp521r1", ec.SECP521R1()), ("brainpoolP256r1", ec.BrainpoolP256R1())],
)
def test_active_authentication_on_other_curves(name: str, curve: ec.EllipticCurve) -> None:
    public = ec.derive_private_key(0xC0FFEE, curve).public_key()
    dg15 = encode_dg15(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    files = {0x0101: CHIP.files["DG1"], 0x0102: CHIP.files["DG2"], 0x010F: dg15, 0x011E: CHIP.files["COM"]}
    files[0x011D] = UTOPIA.sign({1: files[0x0101], 2: files[0x0102], 15: dg15})
    for key, expected in ((0xC0FFEE, Verdict.PASSED), (0xDECAF, Verdict.FAILED)):
        card = PassportCard(files, MrzKey(*CHIP.mrz_key), AuthenticationKey(key, name))
        reading = read_chip(Line(card), MrzKey(*CHIP.mrz_key), TRUST, NOW, OPTICAL)
        assert reading.check(CheckName.ACTIVE_AUTHENTICATION).verdict is expected


def test_a_bare_dump_of_files_opens_with_its_own_zone_and_proves_nothing(tmp_path: Path) -> None:
    CHIP.write(tmp_path)
    (tmp_path / "keys.json").unlink()
    card = PassportCard.from_directory(tmp_path)
    reading = read_chip(Line(card), MrzKey(*CHIP.mrz_key), TRUST, NOW, OPTICAL)
    assert failing(reading) == {"active_authentication": "FAILED no_answer"}


# ------------------------------------------------------------------------------------------ the fault stories


def test_tampered_portrait() -> None:
    assert failing(read(CHIP.with_altered_portrait(portrait(90)))) == {"dg_hashes": "FAILED hash_mismatch_dg2"}


def test_clone_without_its_key_and_clone_with_another_key() -> None:
    other = UTOPIA.issue(
        compose_td3(
            issuer="UTO",
            surname="Other",
            given_names="",
            number="X1",
            nationality="UTO",
            birth_date=date(1990, 1, 1),
            sex="X",
            expiry_date=date(2031, 1, 1),
        ),
        PORTRAIT,
    )
    assert failing(read(CHIP.without_authentication_key())) == {"active_authentication": "FAILED no_answer"}
    assert failing(read(CHIP.with_authentication_key_of(other))) == {
        "active_authentication": "FAILED signature_invalid"
    }


def test_clone_that_brings_its_own_key_and_group() -> None:
    other = UTOPIA.issue(
        compose_td3(
            issuer="UTO",
            surname="Other",
            given_names="",
            number="X1",
            nationality="UTO",
            birth_date=date(1990, 1, 1),
            sex="X",
            expiry_date=date(2031, 1, 1),
        ),
        PORTRAIT,
    )
    clone = CHIP.with_file("DG15", other.files["DG15"]).with_authentication_key_of(other)
    assert failing(read(clone)) == {
        "dg_hashes": "FAILED hash_mismatch_dg15",
        "active_authentication": "NOT_CHECKED key_not_covered",
    }


def test_clone_that_leaves_the_key_out() -> None:
    assert failing(read(CHIP.with_file("DG15", None).without_authentication_key())) == {
        "dg_hashes": "FAILED group_missing_dg15",
        "active_authentication": "FAILED key_removed",
    }


def test_chip_without_active_authentication() -> None:
    assert failing(read(UTOPIA.issue(LINES, PORTRAIT, aa=False))) == {
        "active_authentication": "NOT_PRESENT no_dg15"
    }


def test_signer_of_another_country_that_is_trusted() -> None:
    assert failing(read(UTOPIA.issue(LINES, PORTRAIT, signer=FOREIGN))) == {
        "issuer_country": "FAILED signer_of_other_country"
    }


def test_no_anchor_for_the_country_and_a_forger_with_the_right_name() -> None:
    only_foreign = TrustStore((FOREIGN.csca_certificate,), (FOREIGN.revocation_list,))
    uncovered = {
        "revocation": "NOT_CHECKED no_trust_anchor",
        "active_authentication": "NOT_CHECKED key_not_covered",
    }
    assert failing(read(trust=only_foreign)) == {"ds_chain": "FAILED no_trust_anchor", **uncovered}
    forged = untrusted_authority().issue(LINES, PORTRAIT)
    assert failing(read(forged)) == {"ds_chain": "FAILED issuer_unknown", **uncovered}


def test_revoked_signer_and_lists_that_do_not_help() -> None:
    revoking = SpecimenAuthority("UTO", revoke_signer=True)
    anchors = (UTOPIA.csca_certificate,)
    assert failing(read(trust=TrustStore(anchors, (revoking.revocation_list,)))) == {
        "revocation": "FAILED signer_revoked",
        "active_authentication": "NOT_CHECKED key_not_covered",
    }
    assert failing(read(trust=TrustStore(anchors))) == {"revocation": "NOT_CHECKED no_crl"}
    assert failing(read(trust=TrustStore(anchors, (FOREIGN.revocation_list,)))) == {
        "revocation": "NOT_CHECKED no_crl"
    }
    forged = bytearray(UTOPIA.revocation_list)
    forged[-1] ^= 1
    assert failing(read(trust=TrustStore(anchors, (bytes(forged),)))) == {"revocation": "ERROR crl_signature"}


def test_certificates_are_judged_at_the_moment_given() -> None:
    late = datetime(2049, 6, 1, tzinfo=UTC)
    assert read(now=late).check(CheckName.DS_VALIDITY).reason == "signer_expired"
    assert read(now=late).check(CheckName.REVOCATION).reason == "crl_stale"
    early = datetime(2023, 6, 1, tzinfo=UTC)
    assert read(now=early).check(CheckName.DS_VALIDITY).reason == "signer_not_yet_valid"


def test_a_chip_of_another_document() -> None:
    other = compose_td3(
        issuer="UTO",
        surname="Other",
        given_names="",
        number="X1",
        nationality="UTO",
        birth_date=date(1990, 1, 1),
        sex="X",
        expiry_date=date(2031, 1, 1),
    )
    optical = parse_mrz(other, NOW.date())
    assert read(optical=optical).check(CheckName.DG1_MRZ).reason == "differs_number"
    refused = read(key=optical.key)
    assert failing(refused)["access"] == "FAILED key_refused"
    assert refused.check(CheckName.DG_HASHES).verdict is Verdict.NOT_CHECKED
    assert read_chip(Line(PassportCard({}, MrzKey("A", "900101", "310101"))), None, TRUST, NOW).check(
        CheckName.ACCESS
    ).reason == ("no_key")


@pytest.mark.parametrize(
    ("printed", "seen", "opens"),
    [
        ("AB12345", "AB12345KK", True),
        ("AB12345", "AB12345K<", True),
        ("AB12345", "AB12345<K", True),
        ("AB12345K", "AB12345KK", True),
        ("AB12345K", "AB12345K<", True),
        ("AB123456K", "AB123456K", True),
        ("AB12345K", "AB12345<<", False),  # nobody reads a letter as a filler
        ("AB12345", "AB1234KKK", False),
    ],
)
def test_fillers_that_were_read_as_letters_still_open_the_chip(printed: str, seen: str, opens: bool) -> None:
    fields = {
        "issuer": "UTO", "surname": "Short", "given_names": "Nora", "nationality": "UTO",
        "birth_date": date(1990, 1, 1), "sex": "X", "expiry_date": date(2031, 1, 1),
    }  # fmt: skip
    lines = compose_td3(number=printed, **fields)  # type: ignore[arg-type]
    spoilt = (lines[0], seen + lines[1][9:])
    optical = parse_mrz(spoilt, NOW.date(), guarded_only=True)
    if optical.key is None:
        assert not opens  # its check digit gave it away
        return
    assert len(optical.key.readings) <= 3
    reading = read(UTOPIA.issue(lines, PORTRAIT), optical=optical, key=optical.key)
    if not opens:
        assert failing(reading)["access"] == "FAILED key_refused"
        return
    assert failing(reading) == {}
    document = reading.document
    assert document is not None
    assert document.number == printed
    right = seen.rstrip("<") == printed
    assert reading.check(CheckName.ACCESS).reason == ("ok" if right else "filler_read_as_letter")


def test_another_passports_number_is_not_excused_by_a_letter_at_its_end() -> None:
    """The reading that opened is compared, and only that: a chip of another number still differs."""
    optical = parse_mrz((LINES[0], "L898902KK" + LINES[1][9:]), NOW.date(), guarded_only=True)
    assert read(optical=optical).check(CheckName.DG1_MRZ).verdict is not Verdict.PASSED


def test_pace_that_is_offered_and_not_spoken_is_recorded() -> None:
    """A chip that offers PACE with domain parameters of its own only (9303-11 §9.2.2), and BAC."""
    reading = read(card_access=bytes.fromhex("31143012060A04007F00070202040202020102020120"))
    assert failing(reading) == {"access": "FAILED pace_downgraded"}
    assert reading.check(CheckName.CARDACCESS_DG14).reason == "no_dg14"
    assert reading.access_protocol == "bac"
    assert reading.document is not None


@pytest.mark.parametrize("content", ["3100", "310130", "3003020100", "31"])
def test_an_ef_cardaccess_that_offers_nothing_or_is_none(content: str) -> None:
    reading = read(card_access=bytes.fromhex(content))
    assert failing(reading) == {}
    answer = reading.check(CheckName.CARDACCESS_DG14)
    assert answer.reason == ("no_dg14" if content == "3100" else "cardaccess_malformed")


# ------------------------------------------------------------------------------------------- faults of the card


@pytest.mark.parametrize("at", range(6, 14))
@pytest.mark.parametrize("status", ["6700", "6982", "6987", "6988"])
def test_a_session_that_the_chip_closes_once_is_opened_again(status: str, at: int) -> None:
    assert failing(read(fault=f"{status}:{at}")) == {}


@pytest.mark.parametrize("at", range(1, 14))
def test_a_card_that_leaves_early(at: int) -> None:
    reading = read(fault=f"removed:{at}")
    assert failing(reading)
    assert reading.check(CheckName.ACCESS).reason == "card_removed"


def test_a_card_that_leaves_during_active_authentication() -> None:
    files = {IDENTIFIERS[name]: content for name, content in CHIP.files.items()}
    honest = Line(PassportCard(files, MrzKey(*CHIP.mrz_key), CHIP.authentication_key))
    read_chip(honest, MrzKey(*CHIP.mrz_key), TRUST, NOW, OPTICAL)
    assert failing(read(fault=f"removed:{honest.exchanges}")) == {"active_authentication": "ERROR card_removed"}


@pytest.mark.parametrize("at", range(6, 12))
def test_answers_that_do_not_prove_themselves_end_the_reading(at: int) -> None:
    assert failing(read(fault=f"bad_mac:{at}"))["access"] == "FAILED response_mac_invalid"
    assert failing(read(fault=f"wrong_ssc:{at}"))["access"] == "ERROR session_lost"


@pytest.mark.parametrize(
    ("fault", "check", "answer"),
    [
        ("truncated:DG1", "dg_hashes", "FAILED group_malformed_dg1"),
        ("truncated:DG2", "dg_hashes", "FAILED group_malformed_dg2"),
        ("truncated:DG15", "dg_hashes", "FAILED group_malformed_dg15"),
        ("truncated:SOD", "sod_signature", "FAILED file_cut_short"),
        ("truncated:COM", "com_sod", "FAILED file_cut_short"),
        ("missing:DG1", "dg_hashes", "FAILED group_missing_dg1"),
        ("missing:DG2", "dg_hashes", "FAILED group_missing_dg2"),
        ("missing:SOD", "sod_signature", "FAILED sod_missing"),
        ("missing:COM", "com_sod", "FAILED com_missing"),
        ("no_bac", "access", "NOT_PRESENT no_access_control"),
    ],
)
def test_files_that_are_cut_or_missing(fault: str, check: str, answer: str) -> None:
    assert failing(read(fault=fault))[check] == answer


# ----------------------------------------------------------------------------------------------- every byte


def mutations() -> list[tuple[str, int]]:
    places = []
    for name in ("COM", "DG1", "DG2", "DG15", "SOD"):
        size = len(CHIP.files[name])
        places += [(name, place) for place in sorted({0, 1, 2, 3, 5, size // 3, size // 2, size - 40, size - 1})]
    return [(name, place) for name, place in places if place >= 0]


@pytest.mark.parametrize(("name", "place"), mutations())
def test_a_flipped_byte_is_found_by_the_check_of_its_file(name: str, place: int) -> None:
    verdicts = failing(read(CHIP.with_flipped_byte(name, place)))
    if name == "COM":
        # EF.COM is not signed; a version number may change, the list of groups may not
        assert place in (5, 7, len(CHIP.files["COM"]) // 2) or "com_sod" in verdicts
    elif name == "SOD":
        assert {"sod_signature", "ds_chain"} & verdicts.keys()
    else:
        assert verdicts["dg_hashes"].startswith("FAILED")
        assert f"dg{name[2:]}" in verdicts["dg_hashes"]


def test_every_byte_of_what_is_signed_is_guarded() -> None:
    """A byte flipped anywhere in EF.SOD fails a check, unless it lies among versions and hints (RFC 5652 §5.1)."""
    sod, certificate = CHIP.files["SOD"], UTOPIA.signer_certificate
    content = sod.index(bytes.fromhex("0606678108010101")) - 2
    attributes = sod.index(bytes.fromhex("06092A864886F70D010903")) - 2
    guarded = {
        *range(content, sod.index(certificate)),
        *range(sod.index(certificate), sod.index(certificate) + len(certificate)),
        *range(attributes, len(sod)),
    }
    for place in range(len(sod)):
        try:
            parsed = parse_sod(CHIP.with_flipped_byte("SOD", place).files["SOD"])
        except ValueError:
            continue
        believed = parsed.signature[0] is Verdict.PASSED and parsed.signer is not None
        if believed and parsed.signer is not None and TRUST.chain(parsed.signer)[0][0] is Verdict.PASSED:
            assert place not in guarded
            assert parsed.hashes == parse_sod(sod).hashes


# --------------------------------------------------------------------------------------------------- parsers


@given(st.binary(max_size=200))
def test_no_bytes_break_the_parsers(data: bytes) -> None:
    for parse, error in ((parse_sod, ValueError), (parse_dg2, LdsError)):
        for wrapped in (data, tlv.encode(0x77, data), tlv.encode(0x75, tlv.encode(0x7F61, data))):
            try:
                parse(wrapped)
            except error:
                continue


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=120), st.sampled_from(sorted(IDENTIFIERS)))
def test_any_content_in_any_file_gets_answers(content: bytes, name: str) -> None:
    reading = read(CHIP.with_file(name, content))
    assert [check.name for check in reading.checks] == list(CHIP_CHECKS)
    if name in CHIP.files:
        assert failing(reading)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=12))
def test_any_answers_of_a_card_get_answers(answers: list[bytes]) -> None:
    class Babbler:
        def transmit(self, apdu: bytes) -> bytes:
            return answers.pop() if answers else b"\x90\x00"

    reading = read_chip(Babbler(), MrzKey(*CHIP.mrz_key), TRUST, NOW, OPTICAL)
    assert reading.check(CheckName.ACCESS).verdict in (Verdict.FAILED, Verdict.ERROR)
    assert reading.document is None


def test_a_file_that_claims_to_be_huge_is_not_read() -> None:
    huge = CHIP.with_file("DG1", bytes.fromhex("61847FFFFFFF") + bytes(500))
    files = {IDENTIFIERS[name]: content for name, content in huge.files.items()}
    line = Line(PassportCard(files, MrzKey(*CHIP.mrz_key), CHIP.authentication_key))
    reading = read_chip(line, MrzKey(*CHIP.mrz_key), TRUST, NOW, OPTICAL)
    assert failing(reading)["dg_hashes"] == "FAILED group_malformed_dg1"
    honest = Line(PassportCard({**files, 0x0101: CHIP.files["DG1"]}, MrzKey(*CHIP.mrz_key)))
    read_chip(honest, MrzKey(*CHIP.mrz_key), TRUST, NOW, OPTICAL)
    assert line.exchanges <= honest.exchanges


# ---------------------------------------------------------------------------------------------- the authority


def test_specimens_are_the_same_bytes_each_time_and_say_what_they_are() -> None:
    assert SpecimenAuthority("UTO").issue(LINES, PORTRAIT) == CHIP
    assert UTOPIA.fingerprint in specimen_fingerprints()
    assert set(TRUST.specimens) == specimen_fingerprints()
    assert b"CORRIDOR SPECIMEN" in UTOPIA.csca_certificate
    assert untrusted_authority().fingerprint != UTOPIA.fingerprint


def test_progress_goes_up_to_the_end() -> None:
    told: list[float] = []
    files = {IDENTIFIERS[name]: content for name, content in CHIP.files.items()}
    card = PassportCard(files, MrzKey(*CHIP.mrz_key), CHIP.authentication_key)
    read_chip(Line(card), MrzKey(*CHIP.mrz_key), TRUST, NOW, OPTICAL, lambda phase, share: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_an_unread_chip_answers_everything() -> None:
    reading = unread_chip(Verdict.ERROR, "card_mute")
    assert [check.name for check in reading.checks] == list(CHIP_CHECKS)
    assert reading.check(CheckName.ACCESS).reason == "card_mute"
    assert {check.verdict for check in reading.checks[1:]} == {Verdict.NOT_CHECKED}
