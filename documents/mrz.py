"""The machine readable zone: composed from fields, and parsed with a verdict per field (ICAO 9303-3 to -7).

Parsing never raises, whatever an optical reader delivers. A value is only offered where its own check digit
holds; what no check digit guards (names, nationality, sex) can be left out, because an optical reader that
gets the guarded fields right may still spoil the name line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from contracts.checks import Check, CheckName, Verdict
from contracts.party import DocumentFormat, NameSource, TravelDocument
from documents.transliteration import transliterate

_VALUES = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
_LINES = {
    DocumentFormat.TD1: (3, 30),
    DocumentFormat.TD2: (2, 36),
    DocumentFormat.TD3: (2, 44),
    DocumentFormat.MRV_A: (2, 44),
    DocumentFormat.MRV_B: (2, 36),
}
# What an optical reader writes where only a digit can stand.
_DIGIT_LOOKALIKES = str.maketrans("OQDILBSZG", "000118526")
_LONGEST_NUMBER = 22  # TD1: nine, and thirteen of the optional data
_LONGEST_LIFE_YEARS = 50  # two digits of a year: at most fifty ahead, else the past


def check_digit(text: str) -> str:
    """The check digit of `text` (9303-3 §4.9): weights 7, 3, 1, modulo 10. KeyError outside 0-9 A-Z <."""
    return str(sum(_VALUES[character] * (7, 3, 1)[place % 3] for place, character in enumerate(text)) % 10)


@dataclass(frozen=True)
class FieldVerdict:
    """One field's answer: PASSED, FAILED, NOT_PRESENT or NOT_CHECKED, with its reason."""

    verdict: Verdict
    reason: str

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED


_OK = FieldVerdict(Verdict.PASSED, "ok")
_ABSENT = FieldVerdict(Verdict.NOT_PRESENT, "no_check_digit")
_UNREAD = FieldVerdict(Verdict.NOT_CHECKED, "not_read")

FieldName = Literal["number", "birth_date", "expiry_date", "optional", "composite"]


@dataclass(frozen=True)
class MrzKey:
    """What opens the chip (9303-11 §4.3.2): number, birth and expiry as printed, YYMMDD for the dates."""

    number: str
    birth: str
    expiry: str

    def __post_init__(self) -> None:
        if not (
            re.fullmatch(r"[A-Z0-9<]{1,22}", self.number)
            and re.fullmatch(r"[0-9<]{6}", self.birth)
            and re.fullmatch(r"[0-9]{6}", self.expiry)
        ):
            raise ValueError("not a document number and two dates in MRZ characters")

    def __repr__(self) -> str:
        return "MrzKey(…)"  # a key that is printed is a key that is logged

    @property
    def readings(self) -> tuple[MrzKey, ...]:
        """This key, and at most two others that the same ink may mean, the likelier first.

        Optical readers take a filler for a K, and no check digit sees it: K counts 20 and a filler 0, and twenty
        times any weight is nothing modulo 10. So a number that ends in K may be a shorter one.
        """
        short = self.number.rstrip("K<")
        tail = self.number[len(short) :].rstrip("<")
        if not short or "K" not in tail or len(self.number) > 9:
            return (self,)
        numbers = [self.number, short]
        if "<" in tail:  # a letter behind a filler: not what issuers print
            numbers.reverse()
        elif len(tail) > 1:
            numbers.append(f"{short}K")
        return tuple(replace(self, number=number) for number in numbers)

    @property
    def information(self) -> str:
        """The MRZ information: each of the three, the number padded to nine, followed by its check digit."""
        number = self.number.rstrip("<").ljust(9, "<")
        return "".join(part + check_digit(part) for part in (number, self.birth, self.expiry))


@dataclass(frozen=True, repr=False)
class Mrz:
    """A zone as read. Texts are None where nothing certain was read; `lines` are as given, cleaned.

    `verdicts` has an answer for each of number, birth_date, expiry_date, optional, composite.
    `conforming` is False where a rule of 9303 other than a check digit is broken (an issuer's own layout).
    """

    format: DocumentFormat
    lines: tuple[str, ...] = ()
    document_code: str = ""
    issuer: str | None = None
    number: str | None = None  # as printed, however long, without the fillers behind it
    nationality: str | None = None
    surname: str | None = None
    given_names: str | None = None
    name_truncated: bool = False
    birth: str | None = None  # YYMMDD as printed, "<" where unknown
    birth_date: date | None = None
    sex: Literal["F", "M", "X"] | None = None
    expiry: str | None = None
    expiry_date: date | None = None
    optional: str = ""
    verdicts: Mapping[FieldName, FieldVerdict] = field(default_factory=dict)
    conforming: bool = True

    def __repr__(self) -> str:
        return f"Mrz({self.format}, …)"  # never a name or number in a log or a traceback

    @property
    def key(self) -> MrzKey | None:
        """The key of the chip, or None unless number, birth and expiry all hold."""
        if self.number is None or self.birth is None or self.expiry is None:
            return None
        if not all(self.verdict(name).passed for name in ("number", "birth_date", "expiry_date")):
            return None
        return MrzKey(self.number, self.birth, self.expiry)

    @property
    def document(self) -> TravelDocument:
        """The zone as a contract; fields that are not certain are None. No checks and no hashes yet."""
        named = self.surname is not None or self.given_names is not None
        return TravelDocument(
            format=self.format,
            document_code=self.document_code,
            issuer=self.issuer,
            number=self.number.replace("<", "") if self.number else None,
            nationality=self.nationality,
            surname=self.surname,
            given_names=self.given_names,
            name_source=NameSource.MRZ if named else NameSource.NONE,
            birth_date=self.birth_date,
            sex=self.sex,
            expiry_date=self.expiry_date,
        )

    def verdict(self, name: FieldName) -> FieldVerdict:
        return self.verdicts.get(name, _UNREAD)

    def checks(self, today: date) -> tuple[Check, Check, Check]:
        """`mrz_read`, `mrz_check_digits` and `mrz_expiry` of this zone on `today`.

        A composite that was not read (guarded fields only) does not fail: each guarded field has its own digit.
        """
        guarded: tuple[FieldName, ...] = ("number", "birth_date", "expiry_date")
        everything: tuple[FieldName, ...] = (*guarded, "optional", "composite")
        failed = [name for name in everything if self.verdict(name).verdict is Verdict.FAILED]
        unread = [name for name in guarded if self.verdict(name).verdict is Verdict.NOT_CHECKED]
        if self.format is DocumentFormat.UNKNOWN:
            read, digits = (Verdict.FAILED, "no_mrz_found"), (Verdict.NOT_CHECKED, "not_read")
        elif unread:
            read = digits = (Verdict.FAILED, f"unread_{unread[0]}")
        else:
            read = (Verdict.PASSED, "ok" if self.conforming else "non_conforming")
            digits = (Verdict.FAILED, f"{self.verdict(failed[0]).reason}_{failed[0]}") if failed else read
        return (
            Check(name=CheckName.MRZ_READ, verdict=read[0], reason=read[1]),
            Check(name=CheckName.MRZ_CHECK_DIGITS, verdict=digits[0], reason=digits[1]),
            self._expiry_check(today),
        )

    def _expiry_check(self, today: date) -> Check:
        if self.expiry_date is None or not self.verdict("expiry_date").passed:
            return Check(name=CheckName.MRZ_EXPIRY, verdict=Verdict.NOT_CHECKED, reason="no_expiry_date")
        if self.expiry_date < today:
            return Check(name=CheckName.MRZ_EXPIRY, verdict=Verdict.FAILED, reason="document_expired")
        return Check(name=CheckName.MRZ_EXPIRY, verdict=Verdict.PASSED, reason="ok")


NO_MRZ = Mrz(DocumentFormat.UNKNOWN)


# ---------------------------------------------------------------------------------------------- composing


def compose_td3(
    *,
    issuer: str,
    surname: str,
    given_names: str,
    number: str,
    nationality: str,
    birth_date: date,
    sex: Literal["F", "M", "X"],
    expiry_date: date,
    document_code: str = "P",
    personal_number: str = "",
) -> tuple[str, str]:
    """The two lines of a passport (9303-4 §4.2). ValueError for a field that does not fit."""
    first = _fill(document_code, 2) + _fill(issuer, 3) + _names(surname, given_names, issuer, 39)
    number_field, _ = _number(number, room=0)
    personal = _fill(personal_number, 14)
    data = _data(number_field, nationality, birth_date, sex, expiry_date)
    second = data + personal + (check_digit(personal) if personal_number else "<")
    return first, second + check_digit(second[0:10] + second[13:20] + second[21:43])


def compose_td2(
    *,
    issuer: str,
    surname: str,
    given_names: str,
    number: str,
    nationality: str,
    birth_date: date,
    sex: Literal["F", "M", "X"],
    expiry_date: date,
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
    birth_date: date,
    sex: Literal["F", "M", "X"],
    expiry_date: date,
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
    birth_date: date,
    sex: Literal["F", "M", "X"],
    expiry_date: date,
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
    birth_date: date,
    sex: Literal["F", "M", "X"],
    expiry_date: date,
    document_code: str = "V",
    optional: str = "",
) -> tuple[str, str]:
    """The two lines of a small visa (9303-7 §5.2)."""
    first = _fill(document_code, 2) + _fill(issuer, 3) + _names(surname, given_names, issuer, 31)
    number_field, _ = _number(number, room=0)
    return first, _data(number_field, nationality, birth_date, sex, expiry_date) + _fill(optional, 8)


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


def _data(number_field: str, nationality: str, birth: date, sex: str, expiry: date) -> str:
    birth_text, expiry_text = birth.strftime("%y%m%d"), expiry.strftime("%y%m%d")
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


# ------------------------------------------------------------------------------------------------ parsing


def parse_mrz(lines: Sequence[str], today: date, *, guarded_only: bool = False) -> Mrz:
    """Read a zone; never raises. `today` settles the centuries.

    `guarded_only` takes number, birth and expiry alone, each under its own check digit, from lines whose
    fillers, names or length may be spoilt: names, nationality, sex and composite stay unread.
    """
    cleaned = tuple(_clean(line) for line in lines)
    cleaned = tuple(line for line in cleaned if line)
    if guarded_only:
        document_format = _likely_format(cleaned)
        if document_format is None:
            return NO_MRZ
        count, width = _LINES[document_format]
        cleaned = tuple(line[:width].ljust(width, "<") for line in cleaned[:count])
    elif (known := _exact_format(cleaned)) is not None:
        document_format = known
    else:
        return Mrz(DocumentFormat.UNKNOWN, cleaned)
    if document_format is DocumentFormat.TD2 and cleaned[0].startswith("IDFRA"):
        mrz = _old_french_card(cleaned, today)
        if not guarded_only:
            return mrz
        # Its layout is what tells it, so code and issuer are certain.
        certain = _guarded_fields(mrz)
        return replace(certain, document_code=mrz.document_code, issuer=mrz.issuer, nationality=mrz.nationality)
    if document_format is DocumentFormat.TD1:
        mrz = _td1(cleaned, today)
    else:
        mrz = _two_lines(document_format, cleaned, today)
    return _guarded_fields(mrz) if guarded_only else mrz


def _guarded_fields(mrz: Mrz) -> Mrz:
    """Only what stands under a check digit of its own; everything else is as if nobody had read it."""
    verdicts = dict(mrz.verdicts)
    for name in ("optional", "composite"):
        if verdicts[name] != _ABSENT:
            verdicts[name] = _UNREAD
    return replace(
        mrz,
        document_code="",
        issuer=None,
        nationality=None,
        surname=None,
        given_names=None,
        name_truncated=False,
        sex=None,
        optional="",
        verdicts=verdicts,
    )


def guarded_mrz(number: str, birth: str, expiry: str, today: date, document_format: DocumentFormat) -> Mrz:
    """A zone of the three guarded fields alone, each text ending in its check digit (`L898902C36`).

    For readers that find the fields without the lines. Never raises.
    """
    number, birth, expiry = _clean(number), _clean(birth), _clean(expiry)
    document_number, number_verdict = _guarded(number[:-1], number[-1:])
    birth_text, birth_date, birth_verdict = _birth(birth[:-1], birth[-1:], today)
    expiry_text, expiry_date, expiry_verdict = _expiry(expiry[:-1], expiry[-1:], today)
    return Mrz(
        document_format,
        number=document_number,
        birth=birth_text,
        birth_date=birth_date,
        expiry=expiry_text,
        expiry_date=expiry_date,
        verdicts={"number": number_verdict, "birth_date": birth_verdict, "expiry_date": expiry_verdict},
    )


def _clean(line: str) -> str:
    return "".join(c if c in _VALUES else "<" for c in line.upper() if not c.isspace())[:90]


def _exact_format(lines: tuple[str, ...]) -> DocumentFormat | None:
    if len({len(line) for line in lines}) != 1:
        return None
    shape = (len(lines), len(lines[0]))
    if shape == (3, 30):
        return DocumentFormat.TD1
    visa = lines[0].startswith("V")
    if shape == (2, 44):
        return DocumentFormat.MRV_A if visa else DocumentFormat.TD3
    if shape == (2, 36):
        return DocumentFormat.MRV_B if visa else DocumentFormat.TD2
    return None


def _likely_format(lines: tuple[str, ...]) -> DocumentFormat | None:
    """The format whose shape the lines come nearest to; lengths may be off by a few spoilt fillers."""
    if len(lines) == 3 and all(22 <= len(line) <= 36 for line in lines):
        return DocumentFormat.TD1
    if len(lines) != 2 or len(lines[1]) < 28:
        return None
    visa = lines[0].startswith("V")
    if max(map(len, lines)) > 40:
        return DocumentFormat.MRV_A if visa else DocumentFormat.TD3
    return DocumentFormat.MRV_B if visa else DocumentFormat.TD2


def _guarded(text: str, digit: str) -> tuple[str | None, FieldVerdict]:
    """A text under its check digit; without fillers, or None with the reason."""
    digit = digit.translate(_DIGIT_LOOKALIKES)
    bare = text.rstrip("<")
    if not bare:
        return None, FieldVerdict(Verdict.FAILED, "empty")
    if len(bare) > _LONGEST_NUMBER:
        return None, FieldVerdict(Verdict.FAILED, "too_long")
    if digit != check_digit(text):
        return None, FieldVerdict(Verdict.FAILED, "check_digit")
    return bare, _OK


def _date_text(text: str, digit: str) -> tuple[str | None, FieldVerdict]:
    text, digit = text.translate(_DIGIT_LOOKALIKES), digit.translate(_DIGIT_LOOKALIKES)
    if not re.fullmatch(r"[0-9<]{6}", text):
        return None, FieldVerdict(Verdict.FAILED, "not_a_date")
    if digit != check_digit(text) and not (digit == "<" and text == "<<<<<<"):
        return None, FieldVerdict(Verdict.FAILED, "check_digit")
    return text, _OK


def _birth(text: str, digit: str, today: date) -> tuple[str | None, date | None, FieldVerdict]:
    printed, verdict = _date_text(text, digit)
    if printed is None or "<" in printed:
        return printed, None, verdict  # unknown parts are legal (9303-3 §4.8)
    for century in (today.year // 100 * 100, today.year // 100 * 100 - 100):
        born = _calendar(century, printed)
        if born is not None and born <= today:
            return printed, born, verdict
    return printed, None, FieldVerdict(Verdict.FAILED, "impossible_date")


def _expiry(text: str, digit: str, today: date) -> tuple[str | None, date | None, FieldVerdict]:
    printed, verdict = _date_text(text, digit)
    if printed is None:
        return None, None, verdict
    if "<" in printed:
        return None, None, FieldVerdict(Verdict.NOT_PRESENT, "no_expiry_date")
    this_century = today.year // 100 * 100
    for century in (this_century, this_century + 100, this_century - 100):
        expires = _calendar(century, printed)
        if expires is not None and _LONGEST_LIFE_YEARS - 100 < expires.year - today.year <= _LONGEST_LIFE_YEARS:
            return printed, expires, verdict
    return printed, None, FieldVerdict(Verdict.FAILED, "impossible_date")


def _calendar(century: int, yymmdd: str) -> date | None:
    try:
        return date(century + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        return None


def _code(text: str) -> str | None:
    code = text.rstrip("<")
    return code if re.fullmatch(r"[A-Z]{1,3}", code) else None


def _parse_names(text: str) -> tuple[str | None, str | None, bool]:
    """Surname, given names, and whether the field was too small for them."""
    if not re.fullmatch(r"[A-Z<]+", text) or not text.strip("<"):
        return None, None, False
    primary, _, secondary = text.strip("<").partition("<<")
    surname = " ".join(word for word in primary.split("<") if word)
    given = " ".join(word for word in secondary.split("<") if word)
    return surname or None, given or None, not text.endswith("<")


def _sex(text: str) -> Literal["F", "M", "X"] | None:
    return {"F": "F", "M": "M", "<": "X", "X": "X"}.get(text)  # type: ignore[return-value]  # str of a dict


def _document_code(text: str) -> str:
    code = text.rstrip("<")
    return code if re.fullmatch(r"[A-Z]{1,2}", code) else ""


def _number_field(text: str, digit: str, optional: str) -> tuple[str | None, FieldVerdict, str]:
    """The number, its verdict, and the optional data that is left when the number ran over into it."""
    if digit == "<" and text[-1] != "<" and (rest := optional.split("<")[0]):
        number, verdict = _guarded(text + rest[:-1], rest[-1])
        return number, verdict, optional[len(rest) :].strip("<")
    number, verdict = _guarded(text, digit)
    return number, verdict, optional.strip("<")


def _composite(text: str, digit: str) -> FieldVerdict:
    if digit.translate(_DIGIT_LOOKALIKES) == check_digit(text):
        return _OK
    return FieldVerdict(Verdict.FAILED, "check_digit")


def _td1(lines: tuple[str, ...], today: date) -> Mrz:
    first, second, third = lines
    number, number_verdict, optional = _number_field(first[5:14], first[14], first[15:30])
    birth, birth_date, birth_verdict = _birth(second[0:6], second[6], today)
    expiry, expiry_date, expiry_verdict = _expiry(second[8:14], second[14], today)
    composite = _composite(first[5:30] + second[0:7] + second[8:15] + second[18:29], second[29])
    surname, given, truncated = _parse_names(third)
    return Mrz(
        DocumentFormat.TD1,
        lines,
        document_code=_document_code(first[:2]),
        issuer=_code(first[2:5]),
        number=number,
        nationality=_code(second[15:18]),
        surname=surname,
        given_names=given,
        name_truncated=truncated,
        birth=birth,
        birth_date=birth_date,
        sex=_sex(second[7]),
        expiry=expiry,
        expiry_date=expiry_date,
        optional=optional,
        verdicts={
            "number": number_verdict,
            "birth_date": birth_verdict,
            "expiry_date": expiry_verdict,
            "optional": _ABSENT,
            "composite": composite,
        },
    )


def _two_lines(document_format: DocumentFormat, lines: tuple[str, ...], today: date) -> Mrz:
    first, second = lines
    width = len(second)
    visa = document_format in (DocumentFormat.MRV_A, DocumentFormat.MRV_B)
    optional_verdict = composite = _ABSENT
    if document_format is DocumentFormat.TD3:
        number, number_verdict, _ = _number_field(second[0:9], second[9], "")
        optional = second[28:42].strip("<")
        composite = _composite(second[0:10] + second[13:20] + second[21:43], second[43])
        allowed = ("0", "<") if not optional else (check_digit(second[28:42]),)  # 9303-4 §4.2.2.2, position 43
        optional_verdict = _OK if second[42] in allowed else FieldVerdict(Verdict.FAILED, "check_digit")
    elif document_format is DocumentFormat.TD2:
        number, number_verdict, optional = _number_field(second[0:9], second[9], second[28:35])
        composite = _composite(second[0:10] + second[13:20] + second[21:35], second[35])
    else:
        number, number_verdict, _ = _number_field(second[0:9], second[9], "")
        optional = second[28:width].strip("<")
    birth, birth_date, birth_verdict = _birth(second[13:19], second[19], today)
    expiry, expiry_date, expiry_verdict = _expiry(second[21:27], second[27], today)
    surname, given, truncated = _parse_names(first[5:])
    return Mrz(
        document_format,
        lines,
        document_code=_document_code(first[:2]),
        issuer=_code(first[2:5]),
        number=number,
        nationality=_code(second[10:13]),
        surname=surname,
        given_names=given,
        name_truncated=truncated,
        birth=birth,
        birth_date=birth_date,
        sex=_sex(second[20]),
        expiry=expiry,
        expiry_date=expiry_date,
        optional=optional,
        verdicts={
            "number": number_verdict,
            "birth_date": birth_verdict,
            "expiry_date": expiry_verdict,
            "optional": optional_verdict if not visa else _ABSENT,
            "composite": composite,
        },
    )


def _old_french_card(lines: tuple[str, ...], today: date) -> Mrz:
    """The French identity card of 1988 to 2021: two lines of 36 in a layout of its own, no expiry date."""
    first, second = lines
    number, number_verdict = _guarded(second[0:12], second[12])
    birth, birth_date, birth_verdict = _birth(second[27:33], second[33], today)
    surname, _, _ = _parse_names(first[5:30])
    given, more, _ = _parse_names(second[13:27])
    return Mrz(
        DocumentFormat.TD2,
        lines,
        document_code="ID",
        issuer="FRA",
        number=number,
        nationality="FRA",
        surname=surname,
        given_names=" ".join(part for part in (given, more) if part) or None,
        birth=birth,
        birth_date=birth_date,
        sex=_sex(second[34]),
        verdicts={
            "number": number_verdict,
            "birth_date": birth_verdict,
            "expiry_date": FieldVerdict(Verdict.NOT_PRESENT, "no_expiry_date"),
            "optional": _ABSENT,
            "composite": _composite(first + second[:35], second[35]),
        },
        conforming=False,
    )
