"""A zone parsed, with a verdict per field (ICAO 9303-3 to -7). Never raises, whatever a reader delivers.

A value is only offered where its own check digit holds. What no check digit guards (names, nationality, sex) has a
verdict of its own kind, and can be left out altogether, because an optical reader that gets the guarded fields
right may still spoil the name line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

from contracts.checks import Verdict
from contracts.party import DocumentFormat
from documents import countries
from documents.mrz import russian
from documents.mrz.characters import DIGIT_LOOKALIKES, VALUES, check_digit
from documents.mrz.dates import MrzDate
from documents.mrz.dates import birth_date as settle_birth
from documents.mrz.dates import expiry_date as settle_expiry
from documents.mrz.layout import (
    FILLER_COUNTED,
    MRV_B,
    OLD_FRENCH_CARD,
    RUSSIAN_INTERNAL_PASSPORT,
    TD1,
    TD2,
    Layout,
    layout_of,
)
from documents.mrz.zone import ABSENT, NO_MRZ, PASSED, UNREAD, FieldName, FieldVerdict, Mrz

_LONGEST_NUMBER = 22  # TD1: nine, and thirteen of the optional data
_UNGUARDED: tuple[FieldName, ...] = ("document_code", "issuer", "nationality", "names", "sex")


def parse_mrz(
    lines: Sequence[str],
    today: date,
    *,
    guarded_only: bool = False,
    confidence: Sequence[Sequence[float]] = (),
) -> Mrz:
    """Read a zone; never raises. `today` settles the centuries.

    `guarded_only` takes number, birth and expiry alone, each under its own check digit, from lines whose
    fillers, names or length may be spoilt: names, nationality, sex and composite stay unread.
    `confidence`, one number from 0 to 1 for each character of each line, is kept where its shape is the lines'.
    """
    cleaned = tuple(_clean(line) for line in lines)
    cleaned = tuple(line for line in cleaned if line)
    layout = layout_of(cleaned)
    if guarded_only:
        layout = _likely_layout(cleaned)
        if layout is None:
            return NO_MRZ
        cleaned = tuple(line[: layout.width].ljust(layout.width, "<") for line in cleaned[: layout.lines])
    if layout is None:
        return Mrz(DocumentFormat.UNKNOWN, cleaned)
    mrz = _parse(layout, cleaned, today)
    if [len(numbers) for numbers in confidence] == [len(line) for line in cleaned]:
        mrz = replace(mrz, confidence=tuple(tuple(map(float, numbers)) for numbers in confidence))
    if not guarded_only:
        return mrz
    certain = _guarded_fields(mrz)
    if layout is OLD_FRENCH_CARD:
        # Its layout is what tells it, so code and issuer are certain.
        return replace(certain, document_code=mrz.document_code, issuer=mrz.issuer, nationality=mrz.nationality)
    return certain


def _guarded_fields(mrz: Mrz) -> Mrz:
    """Only what stands under a check digit of its own; everything else is as if nobody had read it."""
    verdicts = dict(mrz.verdicts)
    for name in ("optional", "composite", *_UNGUARDED):
        if verdicts[name] != ABSENT:
            verdicts[name] = UNREAD
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
        optional_second="",
        verdicts=verdicts,
    )


def guarded_mrz(number: str, birth: str, expiry: str, today: date, document_format: DocumentFormat) -> Mrz:
    """A zone of the three guarded fields alone, each text ending in its check digit (`L898902C36`).

    For readers that find the fields without the lines. Never raises.
    """
    number, birth, expiry = _clean(number), _clean(birth), _clean(expiry)
    document_number, number_verdict = _guarded(number[:-1], number[-1:])
    birth_parts, birth_verdict = _birth(birth[:-1], birth[-1:], today)
    expiry_parts, expiry_verdict = _expiry(expiry[:-1], expiry[-1:], today)
    return Mrz(
        document_format,
        number=document_number,
        birth=birth_parts.printed if birth_parts else None,
        birth_date=birth_parts.date if birth_parts else None,
        expiry=expiry_parts.printed if expiry_parts else None,
        expiry_date=expiry_parts.date if expiry_parts else None,
        verdicts={"number": number_verdict, "birth_date": birth_verdict, "expiry_date": expiry_verdict},
        birth_parts=birth_parts,
        expiry_parts=expiry_parts,
    )


def _clean(line: str) -> str:
    return "".join(c if c in VALUES else "<" for c in line.upper() if not c.isspace())[:90]


def _likely_layout(lines: tuple[str, ...]) -> Layout | None:
    """The layout whose shape the lines come nearest to; lengths may be off by a few spoilt fillers."""
    if len(lines) == 3 and all(22 <= len(line) <= 36 for line in lines):
        return TD1
    if len(lines) != 2 or len(lines[1]) < 28:
        return None
    visa = lines[0].startswith("V")
    if max(map(len, lines)) > 40:
        return layout_of([line[:44].ljust(44, "<") for line in lines])
    if lines[0].startswith("IDFRA"):
        return OLD_FRENCH_CARD
    return MRV_B if visa else TD2


def _parse(layout: Layout, lines: tuple[str, ...], today: date) -> Mrz:
    optional = layout.text("optional", lines)
    if layout.overflow() is not None:
        number, number_verdict, optional = _long_number(layout, lines, optional)
    else:
        number, number_verdict = _guarded(layout.text("number", lines), layout.text("number_digit", lines))
    birth, birth_verdict = _birth(layout.text("birth_date", lines), layout.text("birth_digit", lines), today)
    if "expiry_date" in layout.places:
        expiry, expiry_verdict = _expiry(
            layout.text("expiry_date", lines), layout.text("expiry_digit", lines), today
        )
    else:
        expiry, expiry_verdict = None, FieldVerdict(Verdict.NOT_PRESENT, "no_expiry_date")
    if layout is OLD_FRENCH_CARD:
        surname, _, truncated = _parse_names(layout.text("names", lines))
        given, more, given_truncated = _parse_names(layout.text("given_names", lines))
        given = " ".join(part for part in (given, more) if part) or None
        truncated = truncated or given_truncated
        nationality: str | None = "FRA"  # only citizens have this card; it prints no nationality
        nationality_verdict = PASSED
    else:
        surname, given, truncated = _parse_names(_name_text(layout, lines))
        nationality = _code(layout.text("nationality", lines))
        nationality_verdict = _code_verdict(nationality)
    if layout is RUSSIAN_INTERNAL_PASSPORT and number is not None:
        number = russian.whole_number(number, optional)
    issuer = _code(layout.text("issuer", lines))
    document_code = _document_code(layout, lines)
    sex = _sex(layout.text("sex", lines))
    return Mrz(
        layout.format,
        lines,
        document_code=document_code,
        issuer=issuer,
        number=number,
        nationality=nationality,
        surname=surname,
        given_names=given,
        name_truncated=truncated,
        birth=birth.printed if birth else None,
        birth_date=birth.date if birth else None,
        sex=sex,
        expiry=expiry.printed if expiry else None,
        expiry_date=expiry.date if expiry else None,
        optional=optional.strip("<"),
        optional_second=layout.text("optional_second", lines).strip("<"),
        verdicts={
            "number": number_verdict,
            "birth_date": birth_verdict,
            "expiry_date": expiry_verdict,
            "optional": _optional_verdict(layout, lines),
            "composite": _composite_verdict(layout, lines),
            "document_code": _document_code_verdict(layout, document_code),
            "issuer": _code_verdict(issuer),
            "nationality": nationality_verdict,
            "names": _names_verdict(surname, given, truncated),
            "sex": PASSED if sex is not None else FieldVerdict(Verdict.FAILED, "unknown_sex"),
        },
        conforming=layout not in (OLD_FRENCH_CARD, RUSSIAN_INTERNAL_PASSPORT),
        layout=layout.name,
        places=layout.places,
        birth_parts=birth,
        expiry_parts=expiry,
    )


# ------------------------------------------------------------------------------------- under a check digit


def _guarded(text: str, digit: str) -> tuple[str | None, FieldVerdict]:
    """A text under its check digit; without fillers, or None with the reason."""
    digit = digit.translate(DIGIT_LOOKALIKES)
    bare = text.rstrip("<")
    if not bare:
        return None, FieldVerdict(Verdict.FAILED, "empty")
    if len(bare) > _LONGEST_NUMBER:
        return None, FieldVerdict(Verdict.FAILED, "too_long")
    if digit != check_digit(text):
        return None, FieldVerdict(Verdict.FAILED, "check_digit")
    return bare, PASSED


def _long_number(layout: Layout, lines: tuple[str, ...], optional: str) -> tuple[str | None, FieldVerdict, str]:
    """The number, its verdict, and the optional data that is left when the number ran over into it.

    A filler stands in place of the check digit then; the rest of the number, its check digit and a filler open
    the optional data (9303-5 §4.2.4; Belgium's cards are so). Portugal's cards, and Belgium's of some years, count
    that filler among the characters under the check digit: so weighs the rest.
    """
    text, digit = layout.text("number", lines), layout.text("number_digit", lines)
    if digit == "<" and text[-1] != "<" and (rest := optional.split("<")[0]):
        number, verdict = _guarded(text + rest[:-1], rest[-1])
        counted = layout.text("issuer", lines) in FILLER_COUNTED and verdict.reason == "check_digit"
        if counted and rest[-1] == check_digit(f"{text}<{rest[:-1]}"):
            number, verdict = text + rest[:-1], FieldVerdict(Verdict.PASSED, "filler_counted")
        return number, verdict, optional[len(rest) :]
    number, verdict = _guarded(text, digit)
    return number, verdict, optional


def _date_text(text: str, digit: str) -> tuple[str | None, FieldVerdict]:
    text, digit = text.translate(DIGIT_LOOKALIKES), digit.translate(DIGIT_LOOKALIKES)
    if not re.fullmatch(r"[0-9<]{6}", text):
        return None, FieldVerdict(Verdict.FAILED, "not_a_date")
    if digit != check_digit(text) and not (digit == "<" and text == "<<<<<<"):
        return None, FieldVerdict(Verdict.FAILED, "check_digit")
    return text, PASSED


def _birth(text: str, digit: str, today: date) -> tuple[MrzDate | None, FieldVerdict]:
    printed, verdict = _date_text(text, digit)
    if printed is None:
        return None, verdict
    born = settle_birth(printed, today)  # unknown parts are legal (9303-3 §4.8)
    return born, verdict if born.possible else FieldVerdict(Verdict.FAILED, "impossible_date")


def _expiry(text: str, digit: str, today: date) -> tuple[MrzDate | None, FieldVerdict]:
    printed, verdict = _date_text(text, digit)
    if printed is None:
        return None, verdict
    if "<" in printed:
        return None, FieldVerdict(Verdict.NOT_PRESENT, "no_expiry_date")
    expires = settle_expiry(printed, today)
    return expires, verdict if expires.possible else FieldVerdict(Verdict.FAILED, "impossible_date")


def _optional_verdict(layout: Layout, lines: tuple[str, ...]) -> FieldVerdict:
    if "optional_digit" not in layout.places:
        return ABSENT
    text, digit = layout.text("optional", lines), layout.text("optional_digit", lines)
    allowed = (check_digit(text),) if text.strip("<") else ("0", "<")  # 9303-4 §4.2.2.2, position 43
    return PASSED if digit in allowed else FieldVerdict(Verdict.FAILED, "check_digit")


def _composite_verdict(layout: Layout, lines: tuple[str, ...]) -> FieldVerdict:
    if not layout.composite:
        return ABSENT
    digit = layout.text("composite", lines).translate(DIGIT_LOOKALIKES)
    if digit == check_digit("".join(span.of(lines) for span in layout.composite)):
        return PASSED
    return FieldVerdict(Verdict.FAILED, "check_digit")


# -------------------------------------------------------------------------------------- without check digit


def _code(text: str) -> str | None:
    code = text.rstrip("<")
    return code if re.fullmatch(r"[A-Z]{1,3}", code) else None


def _code_verdict(code: str | None) -> FieldVerdict:
    if code is None:
        return FieldVerdict(Verdict.FAILED, "not_a_code")
    return PASSED if countries.known(code) else FieldVerdict(Verdict.FAILED, "unknown_code")


def _document_code(layout: Layout, lines: tuple[str, ...]) -> str:
    """9303-5 and -6 leave the second character of a card to the issuer: C1 are residents of the United States."""
    code = layout.text("document_code", lines).rstrip("<")
    card = layout.format in (DocumentFormat.TD1, DocumentFormat.TD2)
    return code if re.fullmatch("[A-Z][A-Z0-9]?" if card else "[A-Z]{1,2}", code) else ""


def _name_text(layout: Layout, lines: tuple[str, ...]) -> str:
    text = layout.text("names", lines)
    return russian.latin(text) if layout is RUSSIAN_INTERNAL_PASSPORT else text


# What 9303-5 and -6 (note k) forbid beside a V in the second place; AC is a TD1 crew member's certificate.
_NO_CODES = {DocumentFormat.TD1: ("AI",), DocumentFormat.TD2: ("AC",)}


def _document_code_verdict(layout: Layout, code: str) -> FieldVerdict:
    """9303-4 §4.2.2.1: P; -5 and -6: A, C or I; -7: V; -8 §4.1.5: PU, an emergency document of one sheet."""
    first = {DocumentFormat.TD3: "P", DocumentFormat.MRV_A: "V", DocumentFormat.MRV_B: "V"}.get(layout.format)
    if first is not None:
        known = code[:1] == first
    else:
        known = code[:1] in tuple("ACI") and code[1:] != "V" and code not in _NO_CODES[layout.format]
        known = known or (code == "PU" and layout.format is DocumentFormat.TD2)
    return PASSED if known else FieldVerdict(Verdict.FAILED, "unknown_code")


def _parse_names(text: str) -> tuple[str | None, str | None, bool]:
    """Surname, given names, and whether the field was too small for them.

    A single name is the primary identifier (9303-3 §4.6); India's passports leave that empty: `<<` and the name.
    """
    if not re.fullmatch(r"[A-Z<]+", text) or not text.strip("<"):
        return None, None, False
    primary, _, secondary = text.rstrip("<").partition("<<")
    surname = " ".join(word for word in primary.split("<") if word)
    given = " ".join(word for word in secondary.split("<") if word)
    return surname or None, given or None, not text.endswith("<")


def _names_verdict(surname: str | None, given: str | None, truncated: bool) -> FieldVerdict:
    """Nothing guards a name, so PASSED only says that one stands there; `truncated` says that it may be longer."""
    if surname is None and given is None:
        return FieldVerdict(Verdict.FAILED, "no_name")
    return FieldVerdict(Verdict.PASSED, "truncated" if truncated else "ok")


def _sex(text: str) -> Literal["F", "M", "X"] | None:
    return {"F": "F", "M": "M", "<": "X", "X": "X"}.get(text)  # type: ignore[return-value]  # str of a dict
