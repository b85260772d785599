"""The worked examples of ICAO 9303-4 to -8: names in the zone beside those of the page, codes, long numbers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from contracts.checks import Verdict
from contracts.party import DocumentFormat
from documents.mrz import ALPHABET, Mrz, check_digit, parse_mrz
from documents.mrz.settle import settle
from documents.viz import Fragment, compare_viz

TODAY = date(2026, 5, 1)
TD1_DATA = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F3204156UTO<<<<<<<<<<<6")
TD2_DATA = "D231458907UTO7408122F1204159<<<<<<<6"
TD3_DATA = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
VISA_DATA = "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"

DINGO = ("BENNELONG WOOLOOMOOLOO WARRANDYTE WARNAMBOOL", "DINGO POTOROO")
CHAYAPA = ("NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG")
ARNPOL = ("NILAVADHANANANDA", "ARNPOL PETCH CHARONGUANG")
# 9303-4 §4.2.3, 9303-5 §4.2.3, 9303-6 §4.2.3 and 9303-7 §4.2.3: the name field, and the names in the visual zone.
EXAMPLES = [
    ("ERIKSSON<<ANNA<MARIA", ("ERIKSSON", "ANNA MARIA")),
    ("HENG<<DEBORAH<MING<LO", ("HENG", "DEBORAH MING LO")),
    ("SMITH<JONES<<SUSIE<MARGARET", ("SMITH-JONES", "SUSIE MARGARET")),
    ("OCONNOR<<ENYA<SIOBHAN", ("O'CONNOR", "ENYA SIOBHAN")),
    ("VAN<DER<MUELLEN<<MARTIN", ("VAN DER MUELLEN", "MARTIN")),
    ("AL<BASRI<<HUDA<MUHAMMAD<JAWAD", ("AL-BASRI", "HUDA MUHAMMAD JAWAD")),
    ("ARKFREITH", ("ARKFREITH", "")),
    ("SATRIYA<SUDARPA", ("SATRIYA SUDARPA", "")),
]
CUT_44 = [
    ("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", CHAYAPA),
    ("NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU", ARNPOL),
    ("BENNELONG<WOOLOOMOOLOO<WARRANDYTE<W<<DI", DINGO),
    ("BENNELONG<WOOLOOM<WARRAND<WARNAM<<DINGO", DINGO),
    ("BENNEL<WOOLOO<WARRAN<WARNAM<<DINGO<POTO", DINGO),
    ("PAPANDROPOULOUS<<JONATHON<WARREN<TREVOR", ("PAPANDROPOULOUS", "JONATHON WARREN TREVOR")),
]
CUT_36 = [
    ("NILAVADHANANANDA<<CHAYAPA<DEJ<K", CHAYAPA),
    ("NILAVADHANANANDA<<ARN<PET<CHARO", ARNPOL),
    ("BENNELONG<WOOLOOMOOLOO<W<W<<D<P", DINGO),
    ("BENNELONG<WOOLOOM<WAR<WARN<<D<P", DINGO),
    ("BENNEL<WOOLO<WARRA<WARNA<<DIN<P", DINGO),
    ("PAPANDROPOULOUS<<JONATHOON<ALEC", ("PAPANDROPOULOUS", "JONATHOON ALEC")),
    ("VILARCHAO<FERNANDEZ<<JOSE<RAMON", ("VILARCHAO FERNANDEZ", "JOSE RAMON")),
]
CUT_30 = [
    ("NILAVADHANANANDA<<CHAYAPA<DE<K", CHAYAPA),
    ("NILAVADHANANANDA<<ARNPOL<PE<CH", ARNPOL),
    ("BENNELONG<WOOLOOMOOLOO<W<W<<DI", DINGO),
    ("BENNELONG<WOOLOOM<WA<WARN<<D<P", DINGO),
    ("BENNE<WOOLO<WARRA<WARNA<<DIN<P", DINGO),
    ("PAPANDROPOULOUS<<JONATHON<ALEC", ("PAPANDROPOULOUS", "JONATHON ALEC")),
    ("VILARCHAO<FERNANDEZ<<JOSE<RAMO", ("VILARCHAO FERNANDEZ", "JOSE RAMON")),
]


def passport(name: str, code: str = "PP") -> tuple[str, ...]:
    return f"{code}UTO{name}".ljust(44, "<"), TD3_DATA


def visa(name: str) -> tuple[str, ...]:
    return f"V<UTO{name}".ljust(44, "<"), VISA_DATA


def card(name: str, code: str = "I<") -> tuple[str, ...]:
    return f"{code}UTO{name}".ljust(36, "<"), TD2_DATA


def small_card(name: str) -> tuple[str, ...]:
    return *TD1_DATA, name.ljust(30, "<")


ZONES = (
    [(make(name), name, names) for make in (passport, visa, card, small_card) for name, names in EXAMPLES]
    + [(make(name), name, names) for make in (passport, visa) for name, names in CUT_44]
    + [(card(name), name, names) for name, names in CUT_36]
    + [(small_card(name), name, names) for name, names in CUT_30]
)


def page(surname: str, given_names: str, number: str = "") -> list[Fragment]:
    texts = [surname, given_names, number]
    return [
        Fragment(text, 0.99, (50, 100.0 * row, 900, 100.0 * row + 24)) for row, text in enumerate(texts) if text
    ]


@pytest.mark.parametrize(("lines", "name", "names"), ZONES)
def test_names_of_the_examples(lines: tuple[str, ...], name: str, names: tuple[str, str]) -> None:
    mrz = parse_mrz(lines, TODAY)
    primary, _, secondary = name.partition("<<")
    assert (mrz.surname, mrz.given_names) == (primary.replace("<", " "), secondary.replace("<", " ") or None)
    # "The name must be treated as though truncation had occurred" where a letter stands in the last place.
    width = {DocumentFormat.TD1: 30, DocumentFormat.TD2: 31}.get(mrz.format, 39)
    assert mrz.name_truncated is (len(name) == width)
    assert mrz.verdict("names").passed
    assert mrz.verdict("names").reason == ("truncated" if mrz.name_truncated else "ok")
    found = compare_viz(page(*names), mrz).verdicts
    assert found["surname"].passed
    assert found["given_names"].passed or (not names[1] and found["given_names"].verdict is Verdict.NOT_PRESENT)


@pytest.mark.parametrize(("lines", "name", "names"), ZONES)
def test_other_names_than_those_of_the_examples(lines: tuple[str, ...], name: str, names: tuple[str, str]) -> None:
    mrz = parse_mrz(lines, TODAY)
    other = page(f"X{names[0]}", names[1] and f"{names[1][0]}X{names[1][1:]}")
    found = compare_viz(other, mrz).verdicts
    assert not found["surname"].passed
    assert not found["given_names"].passed or len(mrz.given_names or "") < 4  # D P may be of many names


@pytest.mark.parametrize("code", ["PP", "PE", "PD", "PO", "PR", "PT", "PS", "PL", "PM", "P<"])
def test_passport_codes(code: str) -> None:
    mrz = parse_mrz(passport("ERIKSSON<<ANNA<MARIA", code), TODAY)
    assert mrz.document_code == code.rstrip("<")
    assert mrz.verdict("document_code").passed


@pytest.mark.parametrize(
    ("code", "td1", "td2"),
    [
        ("I<", True, True), ("ID", True, True), ("CA", True, True), ("AR", True, True),
        ("IV", False, False), ("AV", False, False), ("CV", False, False),  # a V only a visa has
        ("AI", False, True), ("AC", True, False),  # note k of 9303-5 and of 9303-6
        ("PU", False, True),  # an emergency document of one sheet (9303-8 §4.1.5)
        ("P<", False, False), ("XX", False, False),
    ],
)  # fmt: skip
def test_card_codes(code: str, td1: bool, td2: bool) -> None:
    first = code + TD1_DATA[0][2:]
    small = parse_mrz((first, TD1_DATA[1], "ERIKSSON<<ANNA<MARIA".ljust(30, "<")), TODAY)
    large = parse_mrz(card("ERIKSSON<<ANNA<MARIA", code), TODAY)
    assert (small.verdict("document_code").passed, large.verdict("document_code").passed) == (td1, td2)


def posteriors(lines: tuple[str, ...], certainty: float) -> list[np.ndarray]:
    arrays = []
    for line in lines:
        array = np.full((len(line), len(ALPHABET)), (1 - certainty) / (len(ALPHABET) - 1))
        array[np.arange(len(line)), [ALPHABET.index(each) for each in line]] = certainty
        arrays.append(array)
    return arrays


@pytest.mark.parametrize("certainty", [0.995, 0.97])
def test_the_emergency_document_is_accepted(certainty: float) -> None:
    # The worked example of 9303-8, appendix B.
    lines = ("PUUTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F2606277<<<<<<<8")
    settled = settle(posteriors(lines, certainty), TODAY)
    assert (settled.reason, settled.lines, settled.mrz.document_code) == ("ok", lines, "PU")


def visa_mrz(number: str) -> Mrz:
    second = number + check_digit(number) + VISA_DATA[10:]
    return parse_mrz(("V<UTOERIKSSON<<ANNA<MARIA".ljust(44, "<"), second), TODAY)


def test_a_visa_has_nine_characters_of_a_longer_passport_number() -> None:
    found = [
        compare_viz(page("ERIKSSON", "ANNA MARIA", printed), visa_mrz("555123ABC")).verdicts["number"].passed
        for printed in ("555123ABC", "555123ABC12", "Passport 555123ABC12", "555123ABD12", "55512AB12")
    ]
    assert found == [True, True, True, False, False]
    # A passport's own zone has all of it (9303-4), and so has a card's (9303-5, note j).
    mrz = parse_mrz(passport("ERIKSSON<<ANNA<MARIA"), TODAY)
    assert not compare_viz(page("ERIKSSON", "ANNA MARIA", "L898902C312"), mrz).verdicts["number"].passed
