"""Where each field of each format stands (ICAO 9303-4 to -7, and two layouts of states' own)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from contracts.party import DocumentFormat

Place = Literal[
    "document_code",
    "issuer",
    "number",
    "number_digit",
    "nationality",
    "birth_date",
    "birth_digit",
    "sex",
    "expiry_date",
    "expiry_digit",
    "optional",
    "optional_digit",
    "optional_second",
    "composite",
    "names",
    "given_names",
]


@dataclass(frozen=True)
class Span:
    """Columns `start` to `stop` (exclusive) of line `line`, all counted from 0."""

    line: int
    start: int
    stop: int

    def of(self, lines: Sequence[str]) -> str:
        return lines[self.line][self.start : self.stop]

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """(line, column) of each character, in order."""
        return tuple((self.line, column) for column in range(self.start, self.stop))


@dataclass(frozen=True)
class Layout:
    """One kind of zone: its lines, its fields, and what the composite check digit goes over, in order."""

    name: str
    format: DocumentFormat
    lines: int
    width: int
    places: Mapping[Place, Span]
    composite: tuple[Span, ...] = ()  # empty: there is no composite check digit

    def span(self, place: Place) -> Span:
        return self.places[place]

    def text(self, place: Place, lines: Sequence[str]) -> str:
        """The field's characters, or "" where this layout has no such field."""
        span = self.places.get(place)
        return span.of(lines) if span is not None else ""

    def overflow(self) -> Span | None:
        """Where a document number of more than nine characters goes on (9303-5, 9303-6: TD1 and TD2 only)."""
        return self.places["optional"] if self.format in (DocumentFormat.TD1, DocumentFormat.TD2) else None


_FIRST_LINE: dict[Place, Span] = {"document_code": Span(0, 0, 2), "issuer": Span(0, 2, 5)}
_SECOND_LINE: dict[Place, Span] = {
    "number": Span(1, 0, 9),
    "number_digit": Span(1, 9, 10),
    "nationality": Span(1, 10, 13),
    "birth_date": Span(1, 13, 19),
    "birth_digit": Span(1, 19, 20),
    "sex": Span(1, 20, 21),
    "expiry_date": Span(1, 21, 27),
    "expiry_digit": Span(1, 27, 28),
}

TD1 = Layout(
    "TD1",
    DocumentFormat.TD1,
    3,
    30,
    {
        **_FIRST_LINE,
        "number": Span(0, 5, 14),
        "number_digit": Span(0, 14, 15),
        "optional": Span(0, 15, 30),
        "birth_date": Span(1, 0, 6),
        "birth_digit": Span(1, 6, 7),
        "sex": Span(1, 7, 8),
        "expiry_date": Span(1, 8, 14),
        "expiry_digit": Span(1, 14, 15),
        "nationality": Span(1, 15, 18),
        "optional_second": Span(1, 18, 29),
        "composite": Span(1, 29, 30),
        "names": Span(2, 0, 30),
    },
    (Span(0, 5, 30), Span(1, 0, 7), Span(1, 8, 15), Span(1, 18, 29)),
)
TD2 = Layout(
    "TD2",
    DocumentFormat.TD2,
    2,
    36,
    {
        **_FIRST_LINE,
        **_SECOND_LINE,
        "names": Span(0, 5, 36),
        "optional": Span(1, 28, 35),
        "composite": Span(1, 35, 36),
    },
    (Span(1, 0, 10), Span(1, 13, 20), Span(1, 21, 35)),
)
TD3 = Layout(
    "TD3",
    DocumentFormat.TD3,
    2,
    44,
    {
        **_FIRST_LINE,
        **_SECOND_LINE,
        "names": Span(0, 5, 44),
        "optional": Span(1, 28, 42),
        "optional_digit": Span(1, 42, 43),
        "composite": Span(1, 43, 44),
    },
    (Span(1, 0, 10), Span(1, 13, 20), Span(1, 21, 43)),
)
MRV_A = Layout(
    "MRV-A",
    DocumentFormat.MRV_A,
    2,
    44,
    {**_FIRST_LINE, **_SECOND_LINE, "names": Span(0, 5, 44), "optional": Span(1, 28, 44)},
)
MRV_B = Layout(
    "MRV-B",
    DocumentFormat.MRV_B,
    2,
    36,
    {**_FIRST_LINE, **_SECOND_LINE, "names": Span(0, 5, 36), "optional": Span(1, 28, 36)},
)
# The French identity card of 1988 to 2021: a layout of its own, without expiry, the composite over everything.
OLD_FRENCH_CARD = Layout(
    "old-french-card",
    DocumentFormat.TD2,
    2,
    36,
    {
        **_FIRST_LINE,
        "names": Span(0, 5, 30),
        "optional": Span(0, 30, 36),
        "number": Span(1, 0, 12),
        "number_digit": Span(1, 12, 13),
        "given_names": Span(1, 13, 27),
        "birth_date": Span(1, 27, 33),
        "birth_digit": Span(1, 33, 34),
        "sex": Span(1, 34, 35),
        "composite": Span(1, 35, 36),
    },
    (Span(0, 0, 36), Span(1, 0, 35)),
)
# Russia's passport for use at home and in some states beside it: TD3's places, names in a code with digits, no
# expiry, and a number that goes on in the optional data (documents.mrz.russian).
RUSSIAN_INTERNAL_PASSPORT = replace(TD3, name="russian-internal-passport")
# Issuers whose cards count the filler in the middle of a long number among the characters under its check digit.
FILLER_COUNTED = ("BEL", "PRT")
LAYOUTS = (TD1, TD2, TD3, MRV_A, MRV_B, RUSSIAN_INTERNAL_PASSPORT, OLD_FRENCH_CARD)


def layout_of(lines: Sequence[str]) -> Layout | None:
    """The layout that lines of this number, length and beginning have; None for any other shape."""
    if not lines or len({len(line) for line in lines}) != 1:
        return None
    shape = (len(lines), len(lines[0]))
    visa = lines[0].startswith("V")
    if shape == (3, 30):
        return TD1
    if shape == (2, 44):
        if lines[0].startswith("PNRUS") and not TD3.text("expiry_date", lines).strip("<"):
            return RUSSIAN_INTERNAL_PASSPORT
        return MRV_A if visa else TD3
    if shape == (2, 36):
        if lines[0].startswith("IDFRA"):
            return OLD_FRENCH_CARD
        return MRV_B if visa else TD2
    return None
