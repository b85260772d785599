"""The page against the zone: what agrees, what differs, and what nobody knows."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.checks import CheckName, Verdict
from contracts.party import DocumentFormat
from documents.mrz import NO_MRZ, Mrz, check_digit, compose_td3, parse_mrz
from documents.transliteration import spellings
from documents.viz import Fragment, compare_viz, everything_found

TODAY = date(2026, 5, 1)
LABELS = {
    "surname": "Surname / Nom",
    "given_names": "Given names / Prénoms",
    "number": "Passport No. / N° de passeport",
    "birth_date": "Date of birth / Date de naissance",
    "expiry_date": "Date of expiry / Date d'expiration",
}
ANNA = {
    "surname": "ERIKSSON",
    "given_names": "ANNA MARIA",
    "number": "L898902C3",
    "birth_date": "12 AUG 1974",
    "expiry_date": "15 APR 2032",
}


def zone(issuer: str = "UTO", surname: str = "ERIKSSON", given_names: str = "ANNA MARIA") -> Mrz:
    return parse_mrz(
        compose_td3(
            issuer=issuer,
            surname=surname,
            given_names=given_names,
            number="L898902C3",
            nationality=issuer,
            birth_date=date(1974, 8, 12),
            sex="F",
            expiry_date=date(2032, 4, 15),
        ),
        TODAY,
    )


def page(values: Mapping[str, str], confidence: float = 0.99, labels: bool = True) -> list[Fragment]:
    """Labels above values, as documents have them; an issue date, an authority and a country beside."""
    fragments = [
        Fragment("UTO", 0.99, (400, 40, 460, 60)),
        Fragment("OFFICE OF AMAUROT", 0.99, (400, 900, 700, 920)),
    ]
    fragments.append(Fragment("01 FEB 2022", 0.99, (400, 700, 600, 720)))
    for row, (name, value) in enumerate(values.items()):
        top = 100.0 + 100 * row
        if labels:
            fragments.append(Fragment(LABELS[name], 0.95, (50, top, 300, top + 14)))
        for line, text in enumerate(value.split("\n")):
            box = (50, top + 22 + 24 * line, 50 + 12 * len(text), top + 42 + 24 * line)
            fragments.append(Fragment(text, confidence, box))
    return fragments


def judged(
    mrz: Mrz | None = None, confidence: float = 0.99, labels: bool = True, **changed: str
) -> tuple[Verdict, str]:
    comparison = compare_viz(page(ANNA | changed, confidence, labels), mrz or zone())
    assert comparison.check.name is CheckName.MRZ_VIZ
    return comparison.check.verdict, comparison.check.reason


PASSED = (Verdict.PASSED, "ok")


def test_a_page_that_says_what_the_zone_says() -> None:
    assert judged() == PASSED
    assert judged(labels=False) == PASSED


@pytest.mark.parametrize(
    ("issuer", "surname", "given_names", "changed"),
    [
        ("DEU", "MUELLER", "JUERGEN", {"surname": "Müller", "given_names": "Jürgen"}),
        ("DEU", "MUELLER", "JUERGEN", {"surname": "MULLER", "given_names": "JURGEN"}),  # the marks were lost
        ("ESP", "IBANEZ", "BEGONA", {"surname": "Ibáñez", "given_names": "Begoña"}),
        ("ESP", "IBANXXEZ", "BEGONXXA", {"surname": "Ibáñez", "given_names": "BEGONA"}),
        ("FRA", "DARTAGNAN", "CHARLES", {"surname": "d’Artagnan", "given_names": "Charles"}),
        ("GBR", "SMITH JONES", "ANNE", {"surname": "Smith-Jones", "given_names": "Anne"}),
        ("ISL", "AEVARSDOTTIR", "THURIDUR OESP", {"surname": "ÆVARSDÓTTIR", "given_names": "PURIDUR ÖSP"}),
        ("NLD", "MEULENDIJK", "LOES ALBERTINE", {"surname": "MEULENDIK", "given_names": "Loes Albertine"}),
        ("NLD", "MEULENDIJK", "LOES ALBERTINE", {"surname": "MEULENDIIK", "given_names": "Loes Albertine"}),
        ("NLD", "VAN DER BERG", "LOES", {"surname": "van der Berg", "given_names": "Loes"}),
        ("BLR", "IOLKINA", "SVIATLANA", {"surname": "ЁЛКІНА\nIOLKINA", "given_names": "СВЯТЛАНА\nSVIATLANA"}),
        ("BLR", "IOLKINA", "SVIATLANA", {"surname": "ЁЛКІНА", "given_names": "СВЯТЛАНА"}),
        ("RUS", "MAKAROV", "STEPAN", {"surname": "МАКАРОВ / MAKAROV", "given_names": "СТЕПАН / STEPAN"}),
        ("RUS", "ILIN", "IGOR", {"surname": "ИЛЬИН", "given_names": "ИГОРЬ"}),  # fewer letters than are printed
        ("RUS", "TAKAKO", "EMMA", {"surname": "TAKAKO", "given_names": "EMMA"}),
        ("RUS", "SAVA", "MAKAR", {"surname": "CABA", "given_names": "MAKAP"}),  # Cyrillic ink read as Latin
        ("GRC", "PAPADOPOULOS", "GEORGIOS", {"surname": "ΠΑΠΑΔΟΠΟΥΛΟΣ\nPAPADOPOULOS", "given_names": "GEORGIOS"}),
        ("GRC", "PAPADOPOULOS", "GEORGIOS", {"surname": "ΠΑΠΑΔΟΠΟΥΛΟΣ", "given_names": "ΓΕΩΡΓΙΟΣ"}),
        ("EGY", "MXHMD", "EAXIXSHXTA", {"surname": "محمد", "given_names": "عائشة"}),
        ("UTO", "ERIKSSON", "ANNA MARIA", {"given_names": "ANNA\nMARIA"}),
        ("UTO", "ERIKSSON", "ANNA MARIA", {"surname": "1. ERIKSSON", "given_names": "2. ANNA MARIA"}),
        ("UTO", "ERIKSSON", "ANNA MARIA", {"surname": "ERIKSSON, ANNA MARIA", "given_names": "X"}),
        ("UTO", "ERIKSSON", "ANNA MARIA", {"surname": "Eriksson Anna Maria", "given_names": "X"}),
        ("UTO", "ERIKSSON", "ANNA MARIA", {"surname": "MRS ERIKSSON"}),
        ("UTO", "ERIKSSON", "ANNA MARIA", {"surname": "Eriksson, III", "given_names": "Dr. Anna, Maria"}),
        ("GBR", "ONEILL SMITH", "MARY ANN", {"surname": "O’Neill-Smith", "given_names": "Mary-Ann"}),
        ("MKD", "KJOSEV", "GJORGJI", {"surname": "ЌОСЕВ", "given_names": "ЃОРЃИ"}),
        ("SWE", "AASTROEM", "ASA", {"surname": "ASTROM", "given_names": "Åsa"}),
        ("UTO", "ERIKSSON", "ANNA MARIA", {"surname": "ERIKSS0N"}),  # a nought has no place in a name
        ("UTO", "ILIIN", "LIV", {"surname": "lIiin", "given_names": "Liv"}),
        (
            "VNM",
            "LE",
            "VAN",
            {"surname": "LE", "given_names": "VAN"},
        ),  # an article elsewhere, a name under its label
        ("UTO", "O", "MIN", {"surname": "O", "given_names": "MIN"}),
    ],
)
def test_legal_spellings_and_known_confusions(
    issuer: str, surname: str, given_names: str, changed: dict[str, str]
) -> None:
    assert judged(zone(issuer, surname, given_names), **changed) == PASSED


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"surname": "ERICSSON"}, "surname_differs"),
        ({"surname": "ERIKSSEN"}, "surname_differs"),
        ({"surname": "LINDQVIST"}, "surname_differs"),
        ({"surname": "ERIKSSON SMITH"}, "surname_differs"),
        ({"surname": "VON ERIKSSON"}, "surname_differs"),
        ({"surname": "DE LA ERIKSSON"}, "surname_differs"),
        ({"given_names": "ANNE MARIA"}, "given_names_differs"),
        ({"given_names": "GRETA"}, "given_names_differs"),
        ({"number": "L898902C4"}, "number_differs"),
        ({"number": "L898920C3"}, "number_differs"),
        ({"number": "X12345678"}, "number_differs"),
        ({"birth_date": "12 AUG 1975"}, "birth_date_differs"),
        ({"birth_date": "12.09.1974"}, "birth_date_differs"),
        ({"expiry_date": "15 APR 2033"}, "expiry_date_differs"),
    ],
)
def test_a_page_that_says_something_else(changed: dict[str, str], reason: str) -> None:
    assert judged(**changed) == (Verdict.FAILED, reason)
    # The same page badly read proves nothing.
    verdict, why = judged(confidence=0.7, **changed)
    assert verdict is Verdict.NOT_CHECKED
    assert why == f"not_readable_{reason.removesuffix('_differs')}"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"surname": "RIKSSON"}, "not_readable_surname"),  # the line's end was cut off
        ({"surname": "~"}, "not_readable_surname"),
        ({"number": "L8989O2CB"}, "not_readable_number"),
        ({"birth_date": "1 AUG"}, "not_readable_birth_date"),
    ],
)
def test_what_may_be_the_readers_fault_is_not_checked(changed: dict[str, str], reason: str) -> None:
    mrz = zone()
    if "number" in changed:  # a B for an 8 at the end
        mrz = parse_mrz(
            compose_td3(
                issuer="UTO", surname="ERIKSSON", given_names="ANNA MARIA", number="L898902C8", nationality="UTO",
                birth_date=date(1974, 8, 12), sex="F", expiry_date=date(2032, 4, 15),
            ),
            TODAY,
        )  # fmt: skip
    assert judged(mrz, **changed) == (Verdict.NOT_CHECKED, reason)


@pytest.mark.parametrize(
    ("issuer", "written", "printed", "verdict"),
    [
        ("DEU", "HAENSEL", "HANSEL", Verdict.PASSED),  # the reader lost two dots
        ("DEU", "HAENSEL", "HÄNSEL", Verdict.PASSED),
        ("GBR", "HAENSEL", "HÄNSEL", Verdict.PASSED),  # table A holds for every issuer
        ("GBR", "HAENSEL", "HANSEL", Verdict.NOT_CHECKED),  # another name, or a foreigner's without its dots
        ("GBR", "JOENSSON", "JONSSON", Verdict.NOT_CHECKED),
        ("EST", "JAANSON", "JANSON", Verdict.NOT_CHECKED),  # two names there; a lost ring would be a Swede's
        ("DNK", "JAANSON", "JANSON", Verdict.PASSED),
        ("GBR", "HAENSEL", "HONSEL", Verdict.FAILED),
        ("BLR", "THERIN", "PERIN", Verdict.FAILED),  # Þ is Iceland's
        ("ISL", "THERIN", "PERIN", Verdict.PASSED),
    ],
)
def test_marks_that_the_reader_lost(issuer: str, written: str, printed: str, verdict: Verdict) -> None:
    assert judged(zone(issuer, surname=written), surname=printed)[0] is verdict


def test_a_name_read_with_some_doubt_is_no_other_name() -> None:
    assert judged(confidence=0.93, surname="ERIKSON") == (Verdict.NOT_CHECKED, "not_readable_surname")
    assert judged(confidence=0.93, birth_date="12 AUG 1975") == (Verdict.FAILED, "birth_date_differs")


def test_print_too_small_to_be_sure_of_proves_nothing() -> None:
    small = [
        Fragment(each.text, each.confidence, (each.box[0], each.box[1], each.box[2], each.box[1] + 12))
        for each in page(ANNA | {"number": "L898902C4"})
    ]
    assert compare_viz(small, zone()).check.reason == "not_readable_number"


def test_numbers_with_blanks_and_lookalikes() -> None:
    for printed in (
        "L 898902 C3",
        "L898902-C3",
        "No L898902C3",
        "L8989O2C3",
        "l898902c3",
        "Passport No. L898902C3",
    ):
        assert judged(number=printed) == PASSED, printed
    # More digits beside it: another number.
    assert judged(number="L898902C3 77")[0] is not Verdict.PASSED
    assert judged(number="L898902C377")[0] is not Verdict.PASSED


@pytest.mark.parametrize(
    ("line", "surname", "given_names", "agrees"),
    [  # 9303-4 §4.2.3 and its examples: dropped at the end, cut to letters, both names cut
        ("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", "Nilavadhanananda", "Chayapa Dejthamrong Krasuang", True),
        (
            "BENNELONG<WOOLOOMOOLOO<WARRANDYTE<W<<DI",
            "Bennelong Wooloomooloo Warrandyte Warnambool",
            "Dingo Potoroo",
            True,
        ),
        ("NILAVADHANANANDA<<CHAYABA<DEJTHAMRONG<K", "Nilavadhanananda", "Chayapa Dejthamrong Krasuang", False),
        ("NILAVADHANANANDA<<DEJTHAMRONG<CHAYAPA<K", "Nilavadhanananda", "Chayapa Dejthamrong Krasuang", False),
        # never the first
        (
            "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K",
            "Nilavadhanananda",
            "Petch Chayapa Dejthamrong Krasuang",
            False,
        ),
    ],
)
def test_a_name_that_was_too_long_for_the_zone(line: str, surname: str, given_names: str, agrees: bool) -> None:
    mrz = parse_mrz((f"P<UTO{line}", zone().lines[1]), TODAY)
    assert mrz.name_truncated
    assert (judged(mrz, surname=surname, given_names=given_names) == PASSED) is agrees


ROWS = ("Фамилия / Surname", "Име / Name", "Презиме / Father's name")


def rows(values: Mapping[str, str]) -> list[Fragment]:
    """Rows close together, each label right above its value."""
    fragments: list[Fragment] = []
    for row, (label, value) in enumerate(values.items()):
        top = 100.0 + 46 * row
        fragments.append(Fragment(label, 0.95, (50, top, 300, top + 12)))
        fragments.append(Fragment(value, 0.99, (50, top + 16, 50 + 12 * len(value), top + 36)))
    return fragments


@pytest.mark.parametrize(
    ("printed", "names", "verdicts"),
    [
        # A father's name has a row of its own, or a second surname has; the zone has them as one.
        (("IVANOVA", "ELENA", "PETROVA"), ("IVANOVA", "ELENA PETROVA"), (Verdict.PASSED, Verdict.PASSED)),
        (("ИВАНОВА", "ЕЛЕНА", "ПЕТРОВА"), ("IVANOVA", "ELENA PETROVA"), (Verdict.PASSED, Verdict.PASSED)),
        (("GARCIA", "LORCA", "ANA"), ("GARCIA LORCA", "ANA"), (Verdict.PASSED, Verdict.PASSED)),
        (("IVANOVA", "ELENA", "~"), ("IVANOVA", "ELENA PETROVA"), (Verdict.PASSED, Verdict.NOT_CHECKED)),
        (("IVANOVA", "PETROVA", "ELENA"), ("IVANOVA", "ELENA PETROVA"), (Verdict.PASSED, Verdict.NOT_CHECKED)),
        (("IVANOVA", "ELENA", "PETKOVA"), ("IVANOVA", "ELENA PETROVA"), (Verdict.PASSED, Verdict.NOT_CHECKED)),
        (("IVANOVA", "GALINA", "PETROVA"), ("IVANOVA", "ELENA PETROVA"), (Verdict.PASSED, Verdict.FAILED)),
        (("IVANOVA", "ELENA", "PETROVA"), ("IVANOVA", "ELENA"), (Verdict.PASSED, Verdict.PASSED)),
    ],
)
def test_a_name_in_two_rows(
    printed: tuple[str, ...], names: tuple[str, str], verdicts: tuple[Verdict, Verdict]
) -> None:
    mrz = zone("BGR", *names)
    found = compare_viz(rows(dict(zip(ROWS, printed, strict=True))), mrz).verdicts
    assert (found["surname"].verdict, found["given_names"].verdict) == verdicts


def test_a_name_that_was_not_cut_off_must_be_whole() -> None:
    assert judged(zone(given_names="ANNA M"), given_names="ANNA MARIA")[0] is not Verdict.PASSED


def test_the_zone_proves_nothing_about_itself() -> None:
    mrz = zone()
    fragments = [
        Fragment(line, 0.99, (50, 1000 + 60 * row, 1200, 1030 + 60 * row)) for row, line in enumerate(mrz.lines)
    ]
    # What the reader cut out of the zone's height, and a zone whose fillers were read as blanks.
    fragments.append(Fragment("ERIKSSON ANNA MARIA", 0.99, (50, 1002, 600, 1028)))
    fragments.append(Fragment("L898902C3 12 AUG 1974 15 APR 2032", 0.99, (50, 1062, 600, 1088)))
    comparison = compare_viz(fragments, mrz)
    assert (comparison.check.verdict, comparison.check.reason) == (Verdict.NOT_CHECKED, "not_readable")


def test_an_empty_page_and_an_unread_zone() -> None:
    assert compare_viz([], zone()).check.reason == "not_readable"
    assert compare_viz(page(ANNA), NO_MRZ).check.reason == "zone_not_read"
    guarded = parse_mrz(zone().lines, TODAY, guarded_only=True)
    assert compare_viz(page(ANNA), guarded).check.reason == "zone_not_read"
    assert not everything_found(page(ANNA), guarded)


def test_a_zone_with_one_name_only() -> None:
    mrz = zone(surname="SUKARNO", given_names="")
    assert judged(mrz, surname="SUKARNO", given_names="-") == PASSED
    assert (
        compare_viz(page(ANNA | {"surname": "SUKARNO"}), mrz).verdicts["given_names"].verdict
        is Verdict.NOT_PRESENT
    )


def test_a_birth_with_unknown_parts() -> None:
    lines = zone().lines
    second = f"{lines[1][:13]}7408<<{lines[1][19:]}"
    second = second[:19] + check_digit("7408<<") + second[20:]
    mrz = parse_mrz((lines[0], second), TODAY)
    assert mrz.birth == "7408<<"
    assert judged(mrz, birth_date="XX AUG 1974") == PASSED
    assert judged(mrz, birth_date="12 AUG 1974")[0] is not Verdict.PASSED


def test_verdicts_are_given_for_every_field() -> None:
    comparison = compare_viz(page(ANNA | {"number": "X12345678", "birth_date": "?"}), zone())
    assert {name: verdict.reason for name, verdict in comparison.verdicts.items()} == {
        "number": "number_differs",
        "surname": "ok",
        "given_names": "ok",
        "birth_date": "not_readable_birth_date",
        "expiry_date": "ok",
    }


def test_nothing_personal_is_shown() -> None:
    fragments = page(ANNA)
    shown = repr(fragments) + repr(compare_viz(fragments, zone()))
    assert not any(value in shown for value in ANNA.values())


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZÁÄÅÆÇÉÈÍÑÖØÜÝÞŁŚŠŽẞ"
CYRILLIC = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЫЭЮЯ"
NAMES = st.one_of(st.text(LETTERS, min_size=3, max_size=14), st.text(CYRILLIC, min_size=3, max_size=8)).filter(
    lambda name: name.upper() == name
)


def mrz_of(surname: str, given_names: str) -> Mrz:
    return Mrz(
        DocumentFormat.TD3,
        issuer="UTO",
        number="L898902C3",
        surname=surname,
        given_names=given_names,
        birth="740812",
        expiry="320415",
    )


@settings(max_examples=60)
@given(NAMES, NAMES, st.sampled_from(["UTO", "DEU", "GBR", "BLR", "RUS", "UKR", "SRB", "MKD", "BGR"]), st.data())
def test_any_name_under_any_legal_transliteration_agrees(
    surname: str, given: str, issuer: str, data: st.DataObject
) -> None:
    written = [
        "".join(data.draw(st.sampled_from(spellings(letter, issuer))) for letter in name)
        for name in (surname, given)
    ]
    if not all(written):
        return
    mrz = replace(mrz_of(*written), issuer=issuer)
    comparison = compare_viz(page(ANNA | {"surname": surname, "given_names": given}), mrz)
    assert comparison.check.verdict is Verdict.PASSED


@settings(max_examples=60)
@given(
    st.text(string.ascii_uppercase, min_size=3, max_size=14),
    st.sampled_from(["GBR", "USA", "POL", "IND", "DEU", "NOR"]),
    st.data(),
)
def test_no_name_agrees_with_one_that_has_a_letter_more_or_less(
    name: str, issuer: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from(string.ascii_uppercase))
    printed, written = data.draw(st.permutations([name, name[:place] + letter + name[place:]]))
    # Where names have marks, an E behind a vowel, or a second A, may be what a mark became.
    assume(issuer not in ("DEU", "NOR") or not re.search("[AOU]E|AA", written))
    assume(written not in ("UTO", "ANNA", "MARIA"))  # these the page has elsewhere
    mrz = replace(mrz_of(written, "ANNA MARIA"), issuer=issuer)
    assert not compare_viz(page(ANNA | {"surname": printed}), mrz).verdicts["surname"].passed


@settings(max_examples=60)
@given(st.text(string.ascii_uppercase, min_size=4, max_size=14), st.data())
def test_any_name_with_one_other_letter_differs(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    other = data.draw(st.sampled_from([each for each in string.ascii_uppercase if each != name[place]]))
    changed = name[:place] + other + name[place + 1 :]
    assert changed not in ANNA["given_names"]
    comparison = compare_viz(page(ANNA | {"surname": changed}), mrz_of(name, "ANNA MARIA"))
    assert comparison.verdicts["surname"].verdict is Verdict.FAILED


@settings(max_examples=60)
@given(st.text(string.ascii_uppercase + string.digits, min_size=7, max_size=9), st.data())
def test_any_number_with_one_other_character_does_not_agree(number: str, data: st.DataObject) -> None:
    alike = [set("0OQD"), set("1IL")]
    place = data.draw(st.integers(0, len(number) - 1))
    choices = [
        each
        for each in string.ascii_uppercase + string.digits
        if each != number[place] and not any({each, number[place]} <= pair for pair in alike)
    ]
    changed = number[:place] + data.draw(st.sampled_from(choices)) + number[place + 1 :]
    mrz = Mrz(DocumentFormat.TD3, number=number, surname="ERIKSSON", birth="740812", expiry="320415")
    assert compare_viz(page(ANNA | {"number": number}), mrz).verdicts["number"].passed
    assert not compare_viz(page(ANNA | {"number": changed}), mrz).verdicts["number"].passed


@given(
    st.lists(
        st.builds(
            Fragment,
            st.text(max_size=40),
            st.floats(0, 1),
            st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 4),
        ),
        max_size=12,
    ),
    st.sampled_from(["ERIKSSON", "X", "DE", ""]),
)
def test_any_fragments_give_an_answer(fragments: list[Fragment], surname: str) -> None:
    mrz = mrz_of(surname or "A", "ANNA")
    comparison = compare_viz(fragments, mrz)
    assert comparison.check.verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.NOT_CHECKED)
    assert everything_found(fragments, mrz) == (comparison.check.verdict is Verdict.PASSED)
