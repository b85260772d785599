"""What states really print: codes of their own, layouts of their own, and specimens that break the rules.

Each class was found on documents or specimens that states published; the zones here are generated.
"""

from __future__ import annotations

import random
import string
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mrz_recognition import doubted, printed

from contracts.checks import CheckName, Verdict
from contracts.party import DocumentFormat
from documents.countries import CODES
from documents.mrz import ALPHABET, LAYOUTS, check_digit, compose_td1, compose_td3, layout_of, parse_mrz
from documents.mrz.generate import Zone, generate
from documents.mrz.russian import SIGNS, encoded, latin
from documents.mrz.settle import Settled, settle

TODAY = date(2026, 11, 21)
SEEDS = st.integers(0, 2**32 - 1)
SURE = (0.97, 0.995, 0.9999)  # of each character, the rest on all others alike


def readings(lines: tuple[str, ...]) -> list[Settled]:
    return [settle(printed(lines, sure), TODAY) for sure in SURE]


def with_code(zone: Zone, code: str) -> tuple[str, ...]:
    """Another document code: under no check digit of a conforming format."""
    return (code.ljust(2, "<") + zone.lines[0][2:], *zone.lines[1:])


def conforming(seed: int, format: DocumentFormat) -> Zone:
    source = random.Random(seed)
    return next(zone for _ in iter(int, 1) if (zone := generate(source, format)).layout.name != "old-french-card")


# -------------------------------------------------------------------------------------------------- codes

CODE_LETTERS = {
    DocumentFormat.TD3: ("P", string.ascii_uppercase.replace("V", "")),
    DocumentFormat.MRV_A: ("V", string.ascii_uppercase.replace("V", "")),
    DocumentFormat.MRV_B: ("V", string.ascii_uppercase.replace("V", "")),
    DocumentFormat.TD1: ("IAC", string.ascii_uppercase.replace("V", "") + "12"),
    DocumentFormat.TD2: ("IAC", string.ascii_uppercase.replace("V", "")),
}


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(sorted(CODE_LETTERS)), st.data())
def test_any_second_letter_of_a_document_code_is_read(
    seed: int, format: DocumentFormat, data: st.DataObject
) -> None:
    """9303 leaves it to the issuer: PB of Bahrain, PC of Azerbaijan, PN of Angola, VE of France, C1 of the USA."""
    firsts, seconds = CODE_LETTERS[format]
    code = data.draw(st.sampled_from(firsts)) + data.draw(st.sampled_from(seconds))
    assume((format, code) not in ((DocumentFormat.TD1, "AI"), (DocumentFormat.TD2, "AC")))  # note k forbids them
    lines = with_code(conforming(seed, format), code)
    for settled in readings(lines):
        assert (settled.accepted, settled.reason, settled.lines) == (True, "ok", lines)
        assert settled.mrz.document_code == code
        assert settled.mrz.verdict("document_code").passed
        assert settled.mrz.document.document_code == (code if code.isalpha() else code[0])


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from(sorted(CODE_LETTERS)), st.data())
def test_a_doubtful_second_letter_is_never_settled_by_how_rare_it_is(
    seed: int, format: DocumentFormat, data: st.DataObject
) -> None:
    """Either of two letters at 0.6 and 0.35: how many states use one of them decides nothing."""
    firsts, seconds = CODE_LETTERS[format]
    second = data.draw(st.sampled_from("<" + seconds.translate({ord(each): None for each in "KXZ"})))
    other = data.draw(st.sampled_from([each for each in ALPHABET if each != second and each not in "KXZ"]))
    lines = with_code(conforming(seed, format), data.draw(st.sampled_from(firsts)) + second)
    for shares in ({second: 0.6, other: 0.35}, {second: 0.35, other: 0.6}):
        settled = settle(doubted(printed(lines), 0, 1, shares), TODAY)
        assert not settled.accepted or settled.lines == lines


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(["issuer", "nationality"]), st.text(string.ascii_uppercase, min_size=1, max_size=3))
def test_a_code_in_no_list_is_read_as_printed_and_said_to_be(seed: int, place: str, code: str) -> None:
    zone = conforming(seed, DocumentFormat.TD3)
    line, start = (0, 2) if place == "issuer" else (1, 10)
    changed = list(zone.lines)
    changed[line] = changed[line][:start] + code.ljust(3, "<") + changed[line][start + 3 :]
    lines = tuple(changed)
    for settled in readings(lines):
        assert (settled.accepted, settled.lines) == (True, lines)
        assert settled.reason == ("ok" if code in CODES else "non_conforming")


# ---------------------------------------------------------------------------------------- long numbers


def long_number_lines(issuer: str, number: str, counted: bool) -> tuple[str, ...]:
    """A card whose number's check digit counts the filler in the middle, or does not, as 9303-5 has it."""
    digit = check_digit(f"{number[:9]}<{number[9:]}" if counted else number)
    first = f"I<{issuer}{number[:9]}<{number[9:]}{digit}<".ljust(30, "<")
    second = f"8503024F3203042{issuer}".ljust(29, "<")
    second += check_digit(first[5:30] + second[0:7] + second[8:15] + second[18:29])
    return first, second, "SPECIMEN<<JANA".ljust(30, "<")


NUMBERS = st.text(string.digits + "ZXV", min_size=10, max_size=22)


@settings(max_examples=15, deadline=None)
@given(NUMBERS, st.booleans(), st.sampled_from(["BEL", "PRT", "UTO", "NLD"]))
def test_long_numbers_whose_check_digit_counts_the_filler(number: str, counted: bool, issuer: str) -> None:
    """Portugal's cards and Belgium's of some years; for anybody else it is a wrong check digit."""
    lines = long_number_lines(issuer, number, counted)
    mrz = parse_mrz(lines, TODAY)
    same = long_number_lines(issuer, number, not counted) == lines  # some numbers are lawful by both
    if not counted or same or issuer in ("BEL", "PRT"):
        assert (mrz.number, mrz.verdict("number").verdict) == (number, Verdict.PASSED)
        assert mrz.verdict("number").reason == ("filler_counted" if counted and not same else "ok")
        assert mrz.key is not None
        expected = "ok"
    else:
        assert (mrz.number, mrz.verdict("number").reason) == (None, "check_digit")
        expected = "non_conforming"
    for settled in readings(lines):
        assert (settled.accepted, settled.reason, settled.lines) == (True, expected, lines)


@settings(max_examples=30, deadline=None)
@given(st.text(string.digits, min_size=12, max_size=12), st.booleans(), st.data())
def test_two_rules_for_one_digit_let_no_misread_number_pass(
    number: str, counted: bool, data: st.DataObject
) -> None:
    """Both rules together: a digit that is as likely another is not settled by choosing the rule."""
    lines = long_number_lines("BEL", number, counted)
    column = data.draw(st.sampled_from([*range(5, 14), 15, 16, 17]))
    other = data.draw(st.sampled_from([each for each in string.digits if each != lines[0][column]]))
    settled = settle(doubted(printed(lines), 0, column, {lines[0][column]: 0.5, other: 0.45}), TODAY)
    assert not settled.accepted or settled.lines == lines


# ------------------------------------------------------------------------------------------------- names


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([DocumentFormat.TD1, DocumentFormat.TD2, DocumentFormat.TD3, DocumentFormat.MRV_A]))
def test_an_empty_surname_is_read_and_the_given_names_stay_given_names(seed: int, format: DocumentFormat) -> None:
    zone = conforming(seed, format)
    line, start = (2, 0) if format is DocumentFormat.TD1 else (0, 5)
    width = len(zone.lines[line]) - start
    changed = list(zone.lines)
    changed[line] = changed[line][:start] + "<<ANNA<MARIA".ljust(width, "<")
    lines = tuple(changed)
    for settled in readings(lines):
        assert (settled.accepted, settled.reason, settled.lines) == (True, "ok", lines)
        assert (settled.mrz.surname, settled.mrz.given_names) == (None, "ANNA MARIA")
    changed[line] = changed[line][:start] + "<" * width
    for settled in readings(tuple(changed)):
        assert (settled.reason, settled.mrz.verdict("names").reason) == ("non_conforming", "no_name")


def test_one_leading_filler_is_no_empty_surname() -> None:
    mrz = parse_mrz(("P<UTO<ANNA<<MARIA".ljust(44, "<"), "X" * 44), TODAY)
    assert (mrz.surname, mrz.given_names) == ("ANNA", "MARIA")


# --------------------------------------------------------------------------------- Russia's internal passport


def internal_passport(surname: str, given: str, series: str, number: str) -> tuple[str, str]:
    first = f"PNRUS{encoded(surname)}<<{encoded(given)}"[:44].ljust(44, "<")
    front = series[:3] + number
    middle = f"{front}{check_digit(front)}RUS7207233M<<<<<<<"
    optional = f"{series[3]}151218910003<"
    second = f"{middle}{optional}{check_digit(optional)}"
    return first, second + check_digit(second[0:10] + second[13:20] + second[21:43])


RUSSIAN_WORDS = st.text("АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ", min_size=2, max_size=12)


def test_the_code_of_the_internal_passport() -> None:
    # The signs the specimen shows: Ю 7, Й Q, Ь 9, Ч 3.
    assert (encoded("Юрьев"), encoded("Андрей Чеславич")) == ("7R9EV", "ANDREQ<3ESLAVI3")
    assert latin("7R9EV<<ANDREQ<3ESLAVI3<<") == "IUREV<<ANDREI<CHESLAVICH<<"
    assert latin("A1B") == "A1B"  # no sign of the code: left alone
    assert len(set(SIGNS)) == 33


@settings(max_examples=25, deadline=None)
@given(RUSSIAN_WORDS, RUSSIAN_WORDS, st.text(string.digits, min_size=10, max_size=10))
def test_the_internal_passport_is_read_with_its_whole_number(surname: str, given: str, digits: str) -> None:
    lines = internal_passport(surname, given, digits[:4], digits[4:])
    layout = layout_of(lines)
    assert layout is not None
    assert layout.name == "russian-internal-passport"
    for settled in readings(lines):
        assert (settled.accepted, settled.reason, settled.lines) == (True, "ok", lines)
        mrz = settled.mrz
        assert (mrz.number, mrz.issuer, mrz.document_code) == (digits, "RUS", "PN")
        assert (mrz.key, mrz.conforming, mrz.format) == (None, False, DocumentFormat.TD3)
        assert mrz.verdict("expiry_date").reason == "no_expiry_date"
        checks = {check.name: check for check in mrz.checks(TODAY)}
        assert checks[CheckName.MRZ_READ].reason == "non_conforming"
        assert checks[CheckName.MRZ_CHECK_DIGITS].verdict is Verdict.PASSED
        assert checks[CheckName.MRZ_EXPIRY].verdict is Verdict.NOT_CHECKED
    assert parse_mrz(lines, TODAY, guarded_only=True).number == digits


def test_names_of_the_internal_passport_are_in_latin_letters() -> None:
    mrz = parse_mrz(internal_passport("Юрьев-Щукин", "Илья Эдуардович", "4509", "123456"), TODAY)
    assert (mrz.surname, mrz.given_names) == ("IUREV SHCHUKIN", "ILIA EDUARDOVICH")
    # With an expiry it is another document, whose names have no digits.
    lines = internal_passport("Юрьев", "Илья", "4509", "123456")
    dated = (lines[0], lines[1][:21] + "3001019" + lines[1][28:])
    assert (parse_mrz(dated, TODAY).layout, parse_mrz(dated, TODAY).surname) == ("TD3", None)


# ------------------------------------------------------------------------------------- specimens against the rules


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from([DocumentFormat.TD1, DocumentFormat.TD3, DocumentFormat.MRV_B]))
def test_a_specimen_without_one_right_check_digit_is_read_and_said_to_be_so(
    seed: int, format: DocumentFormat
) -> None:
    zone = conforming(seed, format)
    changed = [list(line) for line in zone.lines]
    for place in ("number_digit", "birth_digit", "expiry_digit"):
        for line, column in zone.layout.span(place).columns:
            changed[line][column] = str((int(changed[line][column].replace("<", "0")) + 5) % 10)
    lines = tuple("".join(line) for line in changed)
    settled = settle(printed(lines, 0.9999), TODAY)
    assert (settled.accepted, settled.reason, settled.lines) == (True, "non_conforming", lines)
    assert settled.mrz.key is None
    checks = {check.name: check for check in settled.mrz.checks(TODAY)}
    assert checks[CheckName.MRZ_CHECK_DIGITS].verdict is Verdict.FAILED


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from(["I<", "AR", "RP", "TS", "D<", "X<"]))
def test_every_check_digit_right_under_another_document_code_is_a_zone(seed: int, code: str) -> None:
    """Residence permits RP, cards in a passport's size: read as printed, and told to be against the rules."""
    lines = with_code(conforming(seed, DocumentFormat.TD3), code)
    for settled in readings(lines):
        assert (settled.accepted, settled.reason, settled.lines) == (True, "non_conforming", lines)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from(["I<", "AR", "RP"]))
def test_three_check_digits_and_a_listed_code_are_a_zone_without_the_composite(seed: int, code: str) -> None:
    zone = conforming(seed, DocumentFormat.TD3)
    first, second = with_code(zone, code)
    lines = (first, second[:43] + str((int(second[43]) + 5) % 10))
    settled = settle(printed(lines, 0.9999), TODAY)
    assert (settled.accepted, settled.reason, settled.lines) == (True, "non_conforming", lines)


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("share", [0.2, 0.35, 0.6])
def test_the_old_french_card_is_known_by_its_second_line_too(place: int, share: float) -> None:
    source = random.Random(f"{place} {share}")
    for _ in range(5):
        zone = next(each for _ in iter(int, 1) if (each := generate(source)).layout is LAYOUTS[-1])
        letter = zone.lines[0][place]
        other = {"I": "T", "D": "O", "F": "P", "R": "B", "A": "H"}[letter]
        settled = settle(doubted(printed(zone.lines), 0, place, {letter: share, other: 0.95 - share}), TODAY)
        assert settled.lines == zone.lines
        assert settled.accepted is (share > 0.003)


def test_a_permit_in_an_order_of_its_own_is_no_document_of_9303() -> None:
    """China's permits to Hong Kong: number, expiry and birth in one line, a coded name in the next."""
    first = "CSC12345678" + check_digit("C12345678") + "<3001011<8501014<"
    lines = (first.ljust(30, "4"), "BCHOMIOFKCEP" + "ZHENGJIAN<<YANGBEN", "F" + "0" * 26 + "110")
    for settled in readings(tuple(line[:30].ljust(30, "<") for line in lines)):
        assert not settled.accepted


def test_a_clear_letter_is_never_shown_as_another_for_being_rare() -> None:
    """At 0.9, with the rest on what it looks like: not accepted, and still what was read."""
    zone = compose_td3(
        issuer="BHR", surname="Eriksson", given_names="Anna", number="B1234567", nationality="BHR",
        birth_date=date(1990, 1, 28), sex="M", expiry_date=date(2032, 12, 16), document_code="PB",
    )  # fmt: skip
    for shares in ({"B": 0.9, "R": 0.05, "P": 0.05}, {"B": 0.9, "<": 0.1}, {"B": 0.97, "R": 0.03}):
        assert settle(doubted(printed(zone), 0, 1, shares), TODAY).lines == zone
    card = compose_td1(
        issuer="UTO", surname="Eriksson", given_names="Anna", number="B1234567", nationality="UTO",
        birth_date=date(1990, 1, 28), sex="M", expiry_date=date(2032, 12, 16),
    )  # fmt: skip
    unlisted = ("I<UTQ" + card[0][5:], *card[1:])
    assert settle(doubted(printed(unlisted), 0, 4, {"Q": 0.96, "O": 0.04}), TODAY).lines == unlisted
