"""A machine readable zone as read: texts, dates, a verdict per field, and the key that it gives for the chip."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from contracts.checks import Check, CheckName, Verdict
from contracts.party import DocumentFormat, NameSource, TravelDocument
from documents.mrz.characters import check_digit
from documents.mrz.dates import MrzDate
from documents.mrz.layout import Place, Span


@dataclass(frozen=True)
class FieldVerdict:
    """One field's answer: PASSED, FAILED, NOT_PRESENT or NOT_CHECKED, with its reason."""

    verdict: Verdict
    reason: str

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED


PASSED = FieldVerdict(Verdict.PASSED, "ok")
ABSENT = FieldVerdict(Verdict.NOT_PRESENT, "no_check_digit")
UNREAD = FieldVerdict(Verdict.NOT_CHECKED, "not_read")

FieldName = Literal[
    "number",
    "birth_date",
    "expiry_date",
    "optional",
    "composite",
    # No check digit guards these; their verdicts say whether they are of the kind that can stand there.
    "document_code",
    "issuer",
    "nationality",
    "names",
    "sex",
]


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

    `verdicts` has an answer for each name of FieldName. `conforming` is False where a rule of 9303 other than a
    check digit is broken (an issuer's own layout). `places` says where on the lines each field stands.
    `confidence` has, where the reader gave it, a number from 0 to 1 for each character of each line, else ().
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
    optional_second: str = ""  # TD1 only: the eleven characters of the second line
    verdicts: Mapping[FieldName, FieldVerdict] = field(default_factory=dict)
    conforming: bool = True
    layout: str = ""  # the name of documents.mrz.layout: TD1 …, old-french-card
    places: Mapping[Place, Span] = field(default_factory=dict, compare=False)
    birth_parts: MrzDate | None = None  # the birth with unknown parts, and how the century was settled
    expiry_parts: MrzDate | None = None
    confidence: tuple[tuple[float, ...], ...] = field(default=(), compare=False)

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
            document_code=self.document_code if self.document_code.isalpha() else self.document_code[:1],
            issuer=self.issuer,
            number=(self.number or "").replace("<", "") or None,
            nationality=self.nationality,
            surname=self.surname,
            given_names=self.given_names,
            name_source=NameSource.MRZ if named else NameSource.NONE,
            birth_date=self.birth_date,
            sex=self.sex,
            expiry_date=self.expiry_date,
        )

    def verdict(self, name: FieldName) -> FieldVerdict:
        return self.verdicts.get(name, UNREAD)

    def place(self, place: Place) -> tuple[tuple[int, int], ...]:
        """(line, column) of each character of a field, counted from 0; () where the layout has none."""
        span = self.places.get(place)
        return span.columns if span is not None else ()

    def certainty(self, place: Place) -> float | None:
        """The least confidence of a field's characters, 0 to 1; None where the reader gave none."""
        columns = self.place(place)
        if not self.confidence or not columns:
            return None
        return min(self.confidence[line][column] for line, column in columns)

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
