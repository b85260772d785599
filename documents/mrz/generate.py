"""Valid zones of people who do not exist, of every format and special case (ICAO 9303-3 to -7), from a seed.

Training draws its texts here, and the tests their round trips. The shares of the special cases are the constants
below: more frequent than in the world, so that they are learned and tested.
"""

from __future__ import annotations

import random as randomness
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from contracts.party import DocumentFormat
from documents.countries import CODES
from documents.mrz.compose import (
    compose_mrva,
    compose_mrvb,
    compose_old_french_card,
    compose_td1,
    compose_td2,
    compose_td3,
)
from documents.mrz.layout import Layout, layout_of
from documents.mrz.vocabulary import CODAS, GIVEN_NAMES, ONSETS, SURNAMES, VOWELS

TODAY = date(2026, 11, 21)  # births lie before it, most expiries behind it; a seed gives the same zones for ever

LONG_NUMBER = 0.15  # of TD1 and TD2: a number of ten characters or more
BELGIAN_NUMBER = 0.3  # of those long numbers: twelve digits, issuer BEL
EMPTY_PERSONAL_NUMBER = 0.5  # of TD3; its check digit is "0" in half of them and "<" in the others
BELARUSIAN = 0.04  # of TD3: two letters and seven digits, a personal number of fourteen (layout unverified)
UNKNOWN_BIRTH = 0.04  # the day, day and month, or everything printed as "<<"
UNSPECIFIED_SEX = 0.08
NO_GIVEN_NAMES = 0.05
LONG_NAMES = 0.08  # as a rule too long for the field, so that it is truncated
INVENTED_NAMES = 0.5  # of the words of names: syllables, so that every pair of letters occurs
SPECIAL_CODES = 0.06  # issuer or nationality of 9303-3 §5 parts B to E
OTHER_NATIONALITY = 0.05  # another than the issuer's; of visas always drawn for itself
GERMAN = 0.03  # D<<, a code of one letter
CREW = 0.08  # of TD1: a crew member's certificate, AC
OLD_FRENCH = 0.12  # of TD2
WITHOUT_EXPIRY = 0.01  # of TD1 and TD2: a permanent card, all fillers
SHORT_NUMBER = 0.3  # fewer than nine characters
INNER_FILLERS = 0.1  # of optional data: a blank or a hyphen printed as "<"

_SHARES = {
    DocumentFormat.TD3: 0.4,
    DocumentFormat.TD1: 0.3,
    DocumentFormat.TD2: 0.14,
    DocumentFormat.MRV_A: 0.08,
    DocumentFormat.MRV_B: 0.08,
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_COUNTRIES = tuple(sorted(CODES))
_SPECIAL_CODES = "EUE UNO UNA UNK XXA XXB XXC XXX XOM XPO XBA XIM XCC XCE XCO XEC XES XMP XDC IAO RKS GBD UTO"
_SPECIAL = tuple(_SPECIAL_CODES.split())


@dataclass(frozen=True, repr=False)
class Zone:
    """One zone and what it says. `birth` and `expiry` are as printed, YYMMDD; `number` without fillers behind it.

    `surname` and `given_names` are the whole names, with blanks between words, also where the field was too small.
    """

    format: DocumentFormat
    lines: tuple[str, ...]
    layout: Layout
    document_code: str
    issuer: str
    number: str
    nationality: str
    surname: str
    given_names: str
    birth: str
    sex: Literal["F", "M", "X"]
    expiry: str  # "" on the old French card, which prints none
    optional: str = ""
    optional_second: str = ""

    def __repr__(self) -> str:
        return f"Zone({self.layout.name}, …)"


def generate(random: randomness.Random, format: DocumentFormat | None = None) -> Zone:
    """A valid zone; the same `random` state gives the same zone. `format` None draws one. ValueError: UNKNOWN."""
    if format is None:
        format = random.choices(tuple(_SHARES), tuple(_SHARES.values()))[0]
    makers: dict[DocumentFormat, Callable[[randomness.Random], Zone]] = {
        DocumentFormat.TD1: _td1,
        DocumentFormat.TD2: _td2,
        DocumentFormat.TD3: _td3,
        DocumentFormat.MRV_A: lambda source: _visa(source, DocumentFormat.MRV_A),
        DocumentFormat.MRV_B: lambda source: _visa(source, DocumentFormat.MRV_B),
    }
    if format not in makers:
        raise ValueError("there is no such format to generate")
    return makers[format](random)


# ------------------------------------------------------------------------------------------------- formats


@dataclass(frozen=True)
class _Person:
    issuer: str
    nationality: str
    surname: str
    given_names: str
    birth: str
    sex: Literal["F", "M", "X"]
    expiry: str


def _td3(random: randomness.Random) -> Zone:
    person = _person(random)
    code = random.choices(("P", "PP", "PD", "PS", "PO", "PE", "PR", "PT", "PL", "PM", "PU"), (12, 2, *[1] * 9))[0]
    number, personal = _number(random), ""
    if random.random() < BELARUSIAN:
        person = _of(person, "BLR")
        number = _pattern(random, "LL7777777")
        personal = _pattern(random, "7777777L777LL7")
    elif random.random() >= EMPTY_PERSONAL_NUMBER:
        personal = _optional(random, 14)
    lines = compose_td3(
        **_names_and_dates(person),
        number=number,
        document_code=code,
        personal_number=personal,
        empty_personal_digit=random.choice(("0", "<")),
    )
    return _zone(person, lines, code, number, personal)


def _td2(random: randomness.Random) -> Zone:
    if random.random() < OLD_FRENCH:
        return _old_french_card(random)
    person = _person(random, permanent=True)
    code = random.choice(("I", "ID", "IR", "IP", "A", "AR", "C", "CR"))
    if (code, person.issuer) == ("ID", "FRA"):
        code = "I"  # lines of 36 that begin with IDFRA are laid out as the old French card
    long = random.random() < LONG_NUMBER
    number = _pattern(random, random.choice("7L*") + "*" * random.randint(9, 13)) if long else _number(random)
    room = 7 - (len(number) - 9 + 2) if long else 7
    optional = _optional(random, room) if random.random() < 0.4 else ""
    lines = compose_td2(**_names_and_dates(person), number=number, document_code=code, optional=optional)
    return _zone(person, lines, code, number, optional)


def _td1(random: randomness.Random) -> Zone:
    person = _person(random, permanent=True)
    crew = random.random() < CREW
    code = "AC" if crew else random.choice(("I", "ID", "IR", "IP", "IO", "A", "AR", "C", "CA"))
    room = 15
    if random.random() < LONG_NUMBER:
        if random.random() < BELGIAN_NUMBER:
            person = _of(person, "BEL")
            number = _pattern(random, "777777777777")
        else:
            number = _pattern(random, random.choice("7L*") + "*" * random.randint(9, 20))
        room = 15 - (len(number) - 9 + 2)
    else:
        number = _number(random)
    optional = _optional(random, room) if room > 0 and random.random() < 0.35 else ""
    second = _optional(random, 11) if random.random() < 0.35 else ""
    lines = compose_td1(
        **_names_and_dates(person),
        number=number,
        document_code=code,
        optional=optional,
        optional_second=second,
    )
    return _zone(person, lines, code, number, optional, second)


def _visa(random: randomness.Random, format: DocumentFormat) -> Zone:
    person = _person(random)
    nationality = _country(random)
    person = replace(person, nationality=nationality)
    code = random.choice(("V", "VC", "VA", "VB", "VD", "VI", "VN"))
    number = _number(random)
    width = 16 if format is DocumentFormat.MRV_A else 8
    optional = _optional(random, width) if random.random() < 0.6 else ""
    compose = compose_mrva if format is DocumentFormat.MRV_A else compose_mrvb
    lines = compose(**_names_and_dates(person), number=number, document_code=code, optional=optional)
    return _zone(person, lines, code, number, optional)


def _old_french_card(random: randomness.Random) -> Zone:
    person = _of(_person(random), "FRA")
    sex: Literal["F", "M"] = "F" if person.sex == "F" else "M"
    birth = person.birth if "<" not in person.birth else "650101"
    given = " ".join(person.given_names.split(" ")[:2]) or "CORINNE"
    person = _Person("FRA", "FRA", person.surname, given, birth, sex, "")
    # Year, month and department of issue, a running number.
    number = _pattern(random, "77") + f"{random.randint(1, 12):02}" + _pattern(random, random.choice(("77", "2L")))
    number = number[:6] + _pattern(random, "777777")
    office = _pattern(random, random.choice(("777777", "777", "77L777"))) if random.random() < 0.6 else ""
    lines = compose_old_french_card(
        surname=person.surname,
        given_names=person.given_names,
        number=number,
        birth_date=birth,
        sex=sex,
        office=office,
    )
    return _zone(person, lines, "ID", number, office)


def _zone(
    person: _Person, lines: tuple[str, ...], code: str, number: str, optional: str = "", second: str = ""
) -> Zone:
    layout = layout_of(lines)
    assert layout is not None
    return Zone(
        layout.format,
        lines,
        layout,
        code,
        person.issuer,
        number,
        person.nationality,
        person.surname,
        person.given_names,
        person.birth,
        person.sex,
        person.expiry,
        optional,
        second,
    )


# -------------------------------------------------------------------------------------------------- fields


def _names_and_dates(person: _Person) -> dict[str, Any]:
    return {
        "issuer": person.issuer,
        "nationality": person.nationality,
        "surname": person.surname,
        "given_names": person.given_names,
        "birth_date": person.birth,
        "sex": person.sex,
        "expiry_date": person.expiry,
    }


def _person(random: randomness.Random, *, permanent: bool = False) -> _Person:
    issuer = _country(random)
    nationality = _country(random) if random.random() < OTHER_NATIONALITY else issuer
    if nationality == issuer and random.random() < SPECIAL_CODES / 2:
        nationality = random.choice(("XXA", "XXB", "XXC", "XXX"))  # refugees' and stateless people's documents
    sex: Literal["F", "M", "X"] = random.choice(("F", "M"))
    if random.random() < UNSPECIFIED_SEX:
        sex = "X"
    surname, given = _names(random)
    expiry = (TODAY + timedelta(days=random.randint(-2500, 3650))).strftime("%y%m%d")
    if permanent and random.random() < WITHOUT_EXPIRY:
        expiry = "<<<<<<"
    return _Person(issuer, nationality, surname, given, _birth(random), sex, expiry)


def _of(person: _Person, country: str) -> _Person:
    return replace(person, issuer=country, nationality=country)


def _country(random: randomness.Random) -> str:
    draw = random.random()
    if draw < GERMAN:
        return "D"
    return random.choice(_SPECIAL if draw < GERMAN + SPECIAL_CODES else _COUNTRIES)


def _birth(random: randomness.Random) -> str:
    printed = (TODAY - timedelta(days=random.randint(0, 36_000))).strftime("%y%m%d")
    if random.random() < UNKNOWN_BIRTH:
        known = random.choice((4, 2, 0))
        return printed[:known].ljust(6, "<")
    return printed


def _names(random: randomness.Random) -> tuple[str, str]:
    long = random.random() < LONG_NAMES
    surname = " ".join(_word(random, SURNAMES) for _ in range(_words(random, long)))
    if random.random() < NO_GIVEN_NAMES:
        return surname, ""
    return surname, " ".join(_word(random, GIVEN_NAMES) for _ in range(_words(random, long)))


def _words(random: randomness.Random, long: bool) -> int:
    return random.randint(2, 5) if long else random.choices((1, 2, 3), (70, 25, 5))[0]


def _word(random: randomness.Random, known: tuple[str, ...]) -> str:
    if random.random() >= INVENTED_NAMES:
        return random.choice(known).replace("<", " ")
    if random.random() < 0.03:
        return random.choice(_LETTERS)  # an initial
    syllables = (
        random.choice(ONSETS) + random.choice(VOWELS) for _ in range(random.choices((1, 2, 3, 4), (2, 4, 3, 1))[0])
    )
    return "".join(syllables) + (random.choice(CODAS) if random.random() < 0.5 else "")


def _number(random: randomness.Random) -> str:
    """A document number of at most nine characters, in one of the patterns that issuers use."""
    pattern = random.choice(
        ("777777777", "L77777777", "LL7777777", "LLL777777", "77LL77777", "L7L777777", "LL777777L", "*********")
    )
    number = _pattern(random, pattern)
    if random.random() < SHORT_NUMBER:
        number = number[: random.randint(6, 8)]
    return number


def _optional(random: randomness.Random, width: int) -> str:
    """Optional data that ends in no filler; "" where `width` has no room."""
    if width <= 0:
        return ""
    length = width if random.random() < 0.3 else random.randint(1, width)
    text = _pattern(random, random.choice("77*") * length)
    if length >= 4 and random.random() < INNER_FILLERS:
        hole = random.randint(1, length - 2)
        text = text[:hole] + "<" + text[hole + 1 :]
    return text


def _pattern(random: randomness.Random, pattern: str) -> str:
    """Each L a letter, each 7 a digit, each * either; anything else as it stands."""
    choices = {"L": _LETTERS, "7": _DIGITS, "*": _DIGITS + _LETTERS}
    return "".join(random.choice(choices.get(place, place)) for place in pattern)
