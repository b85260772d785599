"""The machine readable zone composed from fields (ICAO 9303-4 to -7)."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from documents.mrz.characters import check_digit
from documents.transliteration import transliterate


def compose_td3(
    *,
    issuer: str,
    surname: str,
    given_names: str,
    number: str,
    nationality: str,
    birth_date: date | str,
    sex: Literal["F", "M", "X"],
    expiry_date: date | str,
    document_code: str = "P",
    personal_number: str = "",
    empty_personal_digit: Literal["0", "<"] = "<",
) -> tuple[str, str]:
    """The two lines of a passport (9303-4 §4.2). ValueError for a field that does not fit.

    Here and below, a date is a `date` or six characters as printed, with `<<` for a part that is not known.
    """
    first = _fill(document_code, 2) + _fill(issuer, 3) + _names(surname, given_names, issuer, 39)
    number_field, _ = _number(number, room=0)
    personal = _fill(personal_number, 14)
    data = _data(number_field, nationality, birth_date, sex, expiry_date)
    second = data + personal + (check_digit(personal) if personal_number else empty_personal_digit)
    return first, second + check_digit(second[0:10] + second[13:20] + second[21:43])


def compose_td2(
    *,
    issuer: str,
    surname: str,
    given_names: str,
    number: str,
    nationality: str,
    birth_date: date | str,
    sex: Literal["F", "M", "X"],
    expiry_date: date | str,
    document_code: str = "I",
    optional: str = "",
) -> tuple[str, str]:
    """The two lines of a TD2 card (9303-6 §4.2); a number over nine characters runs into the optional data."""
    first = _fill(document_code, 2) + _fill(issuer, 3) + _names(surname, given_names, issuer, 31)
    number_field, rest = _number(number, room=7)
    second = _data(number_field, nationality, birth_date, sex, expiry_date) + _fill(rest + optional, 7)
    return first, second + check_digit(second[0:10] + second[13:20] + second[21:35])


def compose_td1(
    *,
    issuer: str,
    surname: str,
    given_names: str,
    number: str,
    nationality: str,
    birth_date: date | str,
    sex: Literal["F", "M", "X"],
    expiry_date: date | str,
    document_code: str = "I",
    optional: str = "",
    optional_second: str = "",
) -> tuple[str, str, str]:
    """The three lines of a TD1 card (9303-5 §4.2); a number over nine characters runs into the optional data."""
    number_field, rest = _number(number, room=15)
    first = _fill(document_code, 2) + _fill(issuer, 3) + number_field + _fill(rest + optional, 15)
    data = _data("", nationality, birth_date, sex, expiry_date)  # nationality, dates and sex in TD3's order
    second = data[3:] + data[:3] + _fill(optional_second, 11)
    composite = check_digit(first[5:30] + second[0:7] + second[8:15] + second[18:29])
    return first, second + composite, _names(surname, given_names, issuer, 30)


def compose_mrva(
    *,
    issuer: str,
    surname: str,
    given_names: str,
    number: str,
    nationality: str,
    birth_date: date | str,
    sex: Literal["F", "M", "X"],
    expiry_date: date | str,
    document_code: str = "V",
    optional: str = "",
) -> tuple[str, str]:
    """The two lines of a full-page visa (9303-7 §4.2): no composite, no check digit on the optional data."""
    first = _fill(document_code, 2) + _fill(issuer, 3) + _names(surname, given_names, issuer, 39)
    number_field, _ = _number(number, room=0)
    return first, _data(number_field, nationality, birth_date, sex, expiry_date) + _fill(optional, 16)


def compose_mrvb(
    *,
    issuer: str,
    surname: str,
    given_names: str,
    number: str,
    nationality: str,
    birth_date: date | str,
    sex: Literal["F", "M", "X"],
    expiry_date: date | str,
    document_code: str = "V",
    optional: str = "",
) -> tuple[str, str]:
    """The two lines of a small visa (9303-7 §5.2)."""
    first = _fill(document_code, 2) + _fill(issuer, 3) + _names(surname, given_names, issuer, 31)
    number_field, _ = _number(number, room=0)
    return first, _data(number_field, nationality, birth_date, sex, expiry_date) + _fill(optional, 8)


def compose_old_french_card(
    *,
    surname: str,
    given_names: str,
    number: str,
    birth_date: date | str,
    sex: Literal["F", "M"],
    office: str = "",
) -> tuple[str, str]:
    """The two lines of the French identity card of 1988 to 2021; `number` has twelve characters."""
    if len(number) != 12:
        raise ValueError("the number of this card has twelve characters")
    # Its fields are cut off where they end, and the given names are parted by two fillers.
    first = "IDFRA" + transliterate(surname, "FRA")[:25].ljust(25, "<") + _fill(office, 6)
    given = "<<".join(transliterate(given_names, "FRA").split("<"))[:14].ljust(14, "<")
    birth_text = _date(birth_date)
    second = number + check_digit(_fill(number, 12)) + given + birth_text + check_digit(birth_text) + sex
    return first, second + check_digit(first + second)


def _fill(text: str, width: int) -> str:
    text = text.upper().replace(" ", "<")
    if not re.fullmatch(r"[A-Z0-9<]*", text) or len(text) > width:
        raise ValueError(f"does not fit into {width} MRZ characters")
    return text.ljust(width, "<")


def _number(number: str, room: int) -> tuple[str, str]:
    """The number's nine characters and check digit, and what runs on into `room` optional characters."""
    if len(number) <= 9:
        filled = _fill(number, 9)
        return filled + check_digit(filled), ""
    rest = number[9:] + check_digit(_fill(number, len(number))) + "<"
    if len(rest) > room:
        raise ValueError("the document number is too long for this format")
    return number[:9] + "<", rest


def _date(value: date | str) -> str:
    text = value if isinstance(value, str) else value.strftime("%y%m%d")
    if not re.fullmatch(r"([0-9]{2}|<<){3}", text):
        raise ValueError("not a date in MRZ characters")
    return text


def _data(number_field: str, nationality: str, birth: date | str, sex: str, expiry: date | str) -> str:
    birth_text, expiry_text = _date(birth), _date(expiry)
    return (
        number_field
        + _fill(nationality, 3)
        + birth_text
        + check_digit(birth_text)
        + ("<" if sex == "X" else sex)
        + expiry_text
        + check_digit(expiry_text)
    )


def _names(surname: str, given_names: str, issuer: str, width: int) -> str:
    """The name field; one that is too long keeps a letter in its last place (9303-4 §4.2.3)."""
    primary, secondary = transliterate(surname, issuer), transliterate(given_names, issuer)
    if not primary:
        primary, secondary = secondary, ""  # a single name is the primary identifier
    if secondary and len(primary) > width - 3:
        primary = primary[: width - 3].rstrip("<")
    name = f"{primary}<<{secondary}" if secondary else primary
    if len(name) <= width:
        return name.ljust(width, "<")
    cut = name[:width]
    if not cut.endswith("<"):
        return cut
    # The cut fell between two words: shorten the word before it, so that the next one's initial ends the field.
    return cut.rstrip("<")[:-1][: width - 2] + "<" + name[width:].lstrip("<")[0]
