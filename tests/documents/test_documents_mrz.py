"""The zone against the specimens of Doc 9303 parts 4 to 7, and against garbage."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.checks import CheckName, Verdict
from contracts.party import DocumentFormat, NameSource
from documents.mrz import (
    NO_MRZ,
    MrzKey,
    check_digit,
    compose_mrva,
    compose_mrvb,
    compose_td1,
    compose_td2,
    compose_td3,
    guarded_mrz,
    parse_mrz,
)
from documents.transliteration import transliterate

TODAY = date(2026, 11, 21)
THEN = date(2010, 1, 1)  # the Doc 9303 specimen was valid

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
MRVA = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
MRVB = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")

ANNA = {
    "issuer": "UTO",
    "surname": "Eriksson",
    "given_names": "Anna Maria",
    "nationality": "UTO",
    "birth_date": date(1974, 8, 12),
    "sex": "F",
    "expiry_date": date(2012, 4, 15),
}


def test_composes_the_specimens_of_doc_9303() -> None:
    assert compose_td3(**ANNA, number="L898902C3", personal_number="ZE184226B") == TD3  # type: ignore[arg-type]
    assert compose_td2(**ANNA, number="D23145890") == TD2  # type: ignore[arg-type]
    assert compose_td1(**ANNA, number="D23145890") == TD1  # type: ignore[arg-type]
    visa = {**ANNA, "nationality": "XXX", "birth_date": date(1940, 9, 7), "expiry_date": date(1996, 12, 10)}
    assert compose_mrva(**visa, number="L8988901C", optional="6ZE184226B") == MRVA  # type: ignore[arg-type]
    assert compose_mrvb(**visa, number="L8988901C") == MRVB  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(TD3, DocumentFormat.TD3), (TD2, DocumentFormat.TD2), (TD1, DocumentFormat.TD1)],
)
def test_parses_the_specimens_of_doc_9303(lines: tuple[str, ...], expected: DocumentFormat) -> None:
    mrz = parse_mrz(lines, THEN)
    document = mrz.document
    assert document.format is expected
    assert (document.surname, document.given_names, document.name_source) == (
        "ERIKSSON",
        "ANNA MARIA",
        NameSource.MRZ,
    )
    assert (document.birth_date, document.expiry_date) == (date(1974, 8, 12), date(2012, 4, 15))
    assert (document.issuer, document.nationality, document.sex) == ("UTO", "UTO", "F")
    assert all(check.verdict is Verdict.PASSED for check in mrz.checks(THEN))


@pytest.mark.parametrize(("lines", "expected"), [(MRVA, DocumentFormat.MRV_A), (MRVB, DocumentFormat.MRV_B)])
def test_visas_have_no_composite(lines: tuple[str, ...], expected: DocumentFormat) -> None:
    mrz = parse_mrz(lines, date(1995, 1, 1))
    assert mrz.format is expected
    assert mrz.verdict("composite").verdict is Verdict.NOT_PRESENT
    assert mrz.document.number == "L8988901C"
    assert all(check.verdict is Verdict.PASSED for check in mrz.checks(date(1995, 1, 1)))


def test_the_worked_example_of_the_document_basic_access_keys() -> None:
    # 9303-11 appendix D.2
    assert MrzKey("L898902C", "690806", "940623").information == "L898902C<369080619406236"
    assert MrzKey("D23145890734", "340712", "950712").information == "D23145890734934071279507122"


def test_long_number_runs_into_the_optional_data() -> None:
    # 9303-11 appendix D.2, TD1 with a number over nine characters
    lines = ("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<")
    mrz = parse_mrz(lines, date(1990, 1, 1))
    assert mrz.document.number == "D23145890734"
    assert mrz.key == MrzKey("D23145890734", "340712", "950712")
    assert all(check.verdict is Verdict.PASSED for check in mrz.checks(date(1990, 1, 1)))
    composed = compose_td1(
        issuer="UTO",
        surname="Stevenson",
        given_names="Peter John",
        number="D23145890734",
        nationality="UTO",
        birth_date=date(1934, 7, 12),
        sex="M",
        expiry_date=date(1995, 7, 12),
    )
    assert composed == lines


@pytest.mark.parametrize("place", [0, 8, 9, 13, 18, 19, 21, 26, 27, 28, 42, 43])
def test_each_guarded_place_is_guarded(place: int) -> None:
    second = TD3[1]
    spoilt = second[:place] + ("7" if second[place] != "7" else "4") + second[place + 1 :]
    verdicts = {check.name: check.verdict for check in parse_mrz((TD3[0], spoilt), THEN).checks(THEN)}
    assert verdicts[CheckName.MRZ_CHECK_DIGITS] is Verdict.FAILED


def test_guarded_only_lets_a_spoilt_name_line_through() -> None:
    spoilt = ("P<UT0ERIK5SONKKANNAKMARIAKKKKKKKKKKKKKK", TD3[1][:30] + "K" * 11)
    mrz = parse_mrz(spoilt, THEN, guarded_only=True)
    assert mrz.key == MrzKey("L898902C3", "740812", "120415")
    assert (mrz.surname, mrz.issuer, mrz.document.name_source) == (None, None, NameSource.NONE)
    assert [check.verdict for check in mrz.checks(THEN)] == [Verdict.PASSED] * 3
    same = guarded_mrz("L898902C36", "7408122", "1204159", THEN, DocumentFormat.TD3)
    assert same.key == mrz.key


def test_letters_that_look_like_digits_are_read_as_digits_in_dates() -> None:
    assert guarded_mrz("L898902C36", "74O8I22", "12O4IS9", THEN, DocumentFormat.TD3).key is not None


def test_empty_personal_number_has_zero_or_filler() -> None:
    for digit in "0<":
        second = TD3[1][:28] + "<" * 14 + digit
        second += check_digit(second[0:10] + second[13:20] + second[21:43])
        assert parse_mrz((TD3[0], second), THEN).verdict("optional").passed


def test_centuries() -> None:
    mrz = parse_mrz(
        compose_td3(
            issuer="UTO",
            surname="A",
            given_names="B",
            number="X1",
            nationality="UTO",
            birth_date=date(1927, 1, 2),
            sex="X",
            expiry_date=date(2031, 5, 6),
        ),
        TODAY,
    )
    assert (mrz.birth_date, mrz.expiry_date, mrz.sex) == (date(1927, 1, 2), date(2031, 5, 6), "X")
    assert parse_mrz(TD3, date(2011, 1, 1)).birth_date == date(1974, 8, 12)


@pytest.mark.parametrize("today", [date(2013, 1, 1), TODAY, date(2055, 1, 1)])
def test_expired_is_failed_however_long_ago(today: date) -> None:
    mrz = parse_mrz(TD3, today)
    expired = {check.name: check for check in mrz.checks(today)}
    assert expired[CheckName.MRZ_EXPIRY].verdict is Verdict.FAILED
    assert expired[CheckName.MRZ_EXPIRY].reason == "document_expired"
    assert mrz.key is not None


def test_unknown_birth_date_parts_and_impossible_dates() -> None:
    unknown = "74<<<<"
    mrz = guarded_mrz("L898902C36", unknown + check_digit(unknown), "1204159", THEN, DocumentFormat.TD3)
    assert mrz.birth_date is None
    assert mrz.key == MrzKey("L898902C3", unknown, "120415")
    impossible = "741340"
    mrz = guarded_mrz("L898902C36", impossible + check_digit(impossible), "1204159", THEN, DocumentFormat.TD3)
    assert mrz.verdict("birth_date").reason == "impossible_date"
    assert mrz.key is None


def test_old_french_card_is_read_and_called_non_conforming() -> None:
    mrz = parse_mrz(("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6"), TODAY)
    assert (mrz.surname, mrz.given_names, mrz.birth_date) == ("BERTHIER", "CORINNE", date(1965, 12, 6))
    assert mrz.document.number == "880692310285"
    checks = {check.name: check for check in mrz.checks(TODAY)}
    assert checks[CheckName.MRZ_CHECK_DIGITS].verdict is Verdict.PASSED
    assert checks[CheckName.MRZ_READ].reason == "non_conforming"
    assert checks[CheckName.MRZ_EXPIRY].verdict is Verdict.NOT_CHECKED
    assert mrz.key is None


@pytest.mark.parametrize(
    ("name", "issuer", "written"),
    [
        ("Müller-Öß", "D", "MUELLER<OESS"),
        ("O'Connor", "", "OCONNOR"),
        ("Þórsdóttir", "ISL", "THORSDOTTIR"),
        ("Łukasz Ądam", "", "LUKASZ<ADAM"),
        ("Гоголь", "RUS", "GOGOL"),
        ("Грыгор'еў", "BLR", "HRYHOREU"),
        ("Щербаков", "RUS", "SHCHERBAKOV"),
        ("van der Muellen", "", "VAN<DER<MUELLEN"),
    ],
)
def test_names_follow_the_tables_of_9303_3(name: str, issuer: str, written: str) -> None:
    assert transliterate(name, issuer) == written


@pytest.mark.parametrize(
    ("surname", "given"),
    [
        ("Nilavadhanananda", "Chayapa Dejthamrong Krasuang"),
        ("Bennelong Wooloomooloo Warrandyte Warnambool", "Dingo Potoroo"),
        ("Papandropoulous", "Jonathon Warrenton Trevor X"),
    ],
)
def test_long_names_end_in_a_letter(surname: str, given: str) -> None:
    first, second = compose_td3(**{**ANNA, "surname": surname, "given_names": given}, number="L898902C3")  # type: ignore[arg-type]
    assert (len(first), len(second)) == (44, 44)
    assert first[-1].isalpha()
    assert "<<" in first[5:]
    assert parse_mrz((first, second), THEN).name_truncated


def test_field_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        compose_td3(**ANNA, number="L898902C34")  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.lists(st.text(max_size=50), max_size=4), st.booleans())
def test_garbage_never_raises_and_never_passes(lines: list[str], guarded_only: bool) -> None:
    mrz = parse_mrz(lines, TODAY, guarded_only=guarded_only)
    assert mrz.document is not None
    assert mrz.checks(TODAY)[0].verdict in (Verdict.PASSED, Verdict.FAILED)


@settings(deadline=None)
@given(
    st.sampled_from([(44, 2), (36, 2), (30, 3)]).flatmap(
        lambda shape: st.lists(
            st.text("0123456789ABCDEFVXZ<", min_size=shape[0], max_size=shape[0]),
            min_size=shape[1],
            max_size=shape[1],
        )
    ),
    st.booleans(),
)
def test_any_characters_in_the_right_shape_are_answered(lines: list[str], guarded_only: bool) -> None:
    mrz = parse_mrz(lines, TODAY, guarded_only=guarded_only)
    assert mrz.format is not DocumentFormat.UNKNOWN
    for check in mrz.checks(TODAY):
        assert isinstance(check.verdict, Verdict)
    assert mrz.document.format is mrz.format


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_guarded_fields_never_raise(number: str, birth: str, expiry: str) -> None:
    mrz = guarded_mrz(number, birth, expiry, TODAY, DocumentFormat.TD3)
    assert mrz.document.format is DocumentFormat.TD3
    assert mrz.key is None or mrz.key.information


@settings(deadline=None)
@given(st.text("ABCDEFGHIJ0123456789", min_size=1, max_size=9), st.dates(date(1930, 1, 1), date(2026, 1, 1)))
def test_what_is_composed_parses_back(number: str, birth: date) -> None:
    lines = compose_td3(**{**ANNA, "birth_date": birth, "expiry_date": date(2035, 2, 3)}, number=number)  # type: ignore[arg-type]
    mrz = parse_mrz(lines, TODAY)
    assert mrz.document.number == number
    assert mrz.document.birth_date == birth
    assert [check.verdict for check in mrz.checks(TODAY)] == [Verdict.PASSED] * 3


def test_nothing_personal_in_the_representation() -> None:
    mrz = parse_mrz(TD3, THEN)
    assert "ERIKSSON" not in repr(mrz)
    assert "L898902" not in repr(mrz.key)
    assert NO_MRZ.checks(TODAY)[0].reason == "no_mrz_found"
