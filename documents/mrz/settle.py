"""A zone settled out of a recogniser's posteriors: the one reading that they and the rules of 9303 agree on.

The characters are taken as independent given the image, so the probability of a text is the product of its
characters'. Over all texts that the rules allow (kinds of characters, dates, check digits, composite), the sum of
these products and the greatest of them are computed exactly, by dynamic programming over the residues modulo 10
of a field's own check digit and of the composite. Their quotient is the certainty of the best text. It falls by
itself where two texts satisfy all rules, and so also where a character may be its own invisible twin: no check
digit tells the members of {0AKU<} {1BLV} {2CMW} {3DNX} {4EOY} {5FPZ} {6GQ} {7HR} {8IS} {9JT} apart.

A wrong reading that looks valid is the worst outcome; "take another look" is cheap. The constants lean that way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from contracts.checks import Verdict
from contracts.party import DocumentFormat
from documents.countries import CODES
from documents.mrz import russian
from documents.mrz.characters import ALPHABET, DIGITS, FILLER, LETTERS, VALUES, WEIGHTS
from documents.mrz.layout import (
    FILLER_COUNTED,
    LAYOUTS,
    MRV_A,
    MRV_B,
    OLD_FRENCH_CARD,
    RUSSIAN_INTERNAL_PASSPORT,
    TD1,
    TD2,
    TD3,
    Layout,
    Place,
    Span,
)
from documents.mrz.parse import parse_mrz
from documents.mrz.zone import NO_MRZ, FieldName, Mrz

# The share that the best text must have of the probability of all texts which the rules allow.
GUARDED_CERTAINTY: Final = 0.97  # number, dates, optional data under check digits, all together
NAME_CERTAINTY: Final = 0.97  # the whole name field
CODE_CERTAINTY: Final = 0.97  # each of document code, issuer, nationality and sex
OPTIONAL_CERTAINTY: Final = 0.98  # optional data without check digit: visas'
# What the image must say for a character that is put in place of the likeliest one.
REPAIR_PROBABILITY: Final = 0.003
REPAIR_RANK: Final = 6  # it is among the so many likeliest
# Of the likeliest character's: what the rules ask for and the image does not refute, in a reading not accepted.
SHOWN: Final = 0.05
REPAIRED_TEXT: Final = 1e-6  # the repaired text's probability, over that of the likeliest characters
# A text that breaks the rules is believed only if nothing in the image speaks for one that keeps them.
CERTAIN_CHARACTER: Final = 0.99  # every character of the zone has at least this
RULE_ABIDING_TEXT: Final = 2e-5  # and the best lawful text's probability is less than this part of it
UNKNOWN_CODE: Final = 5e-3  # how much rarer than a listed country code any other three letters are
RARE_SECOND_LETTER: Final = 0.2  # of a document code, against a filler or a letter that many states use
FILLER_LIKE_SECOND_LETTER: Final = 0.02  # of those that a filler is misread as
NO_SURNAME: Final = 0.01  # how much rarer a name is whose surname is left empty
FILLER_COUNTED_IN_NUMBER: Final = 0.1  # how much rarer that is, of the issuers who have done it
INNER_FILLER: Final = 0.02  # how much rarer another character is behind a filler than one more filler
FLOOR: Final = 1e-4  # of every posterior is given to all characters alike: no network is that sure
MOST_RESERVE: Final = 1e-3  # what a recogniser may give to every character alike, and it means nothing

_ROWS_SUM = (0.5, 2.0)  # what a row may sum up to before it is brought to one
_BEGINNING = 0.5  # what the first five characters must have for a layout that they tell
_DOUBTFUL_BEGINNING = 1e-3  # and where the second line tells it too
_LONG_NUMBER = 1e-3  # what the characters that tell a long number must have for it to be tried
_COLUMN = {character: column for column, character in enumerate(ALPHABET)}
_FILL = _COLUMN[FILLER]
_KIND = np.array([1 if each.isdigit() else -1 if each.isalpha() else 3 for each in ALPHABET])  # + and -: 0

Table = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Repair:
    """A character that was put in place of the likeliest one. Line and column are counted from 0."""

    line: int
    column: int
    read: str
    repaired: str


@dataclass(frozen=True, repr=False)
class Settled:
    """The outcome. `reason` is "ok" or "non_conforming" (certain, but against the rules) where accepted, else:

    no_lines, line_lengths, bad_posteriors: these are no posteriors of a zone;
    ambiguous_number, _birth_date, _expiry_date, _optional, _name, _issuer, _nationality, _sex, _document_code: two
    readings of that field satisfy all rules and both are too likely;
    unsupported_number, … (the same, and _composite): the rules ask for a character that the image does not show;
    no_zone: certain, but against so many rules that it is no document's.

    `lines` are the best reading, accepted or not (() where there are no lines), `confidence` the posterior of each
    of their characters before any rule, `certainty` the probability (0 to 1) that all of it is right,
    and `mrz` what the lines say: NO_MRZ unless accepted.
    """

    accepted: bool
    reason: str
    lines: tuple[str, ...] = ()
    confidence: tuple[tuple[float, ...], ...] = ()
    repairs: tuple[Repair, ...] = ()
    mrz: Mrz = NO_MRZ
    certainty: float = 0.0

    def __repr__(self) -> str:
        return f"Settled({self.reason}, …)"


def settle(posteriors: Sequence[NDArray[Any]], today: date) -> Settled:
    """Settle a zone; never raises, whatever arrays come.

    `posteriors`: one array per line, two of shape (36, 37) or (44, 37), or three of shape (30, 37); rows sum to 1,
    columns in the order of `ALPHABET`. `today` settles the centuries.
    """
    table, fault = _table(posteriors)
    if table is None:
        return Settled(False, fault)
    layout = _layout(table)
    flat = table.reshape(-1, len(ALPHABET))
    smooth = (1.0 - FLOOR) * flat + FLOOR / len(ALPHABET)
    likeliest = flat.argmax(axis=1)
    certain = float(flat.max(axis=1).min()) >= CERTAIN_CHARACTER
    settled = likeliest.copy()
    reason, certainty = "ok", 1.0
    for part in (_guarded(layout, smooth), *_unguarded(layout, smooth)):
        problem = _problem(part, flat, smooth, likeliest)
        if problem == "lawless" and certain:
            reason = "non_conforming" if reason == "ok" else reason
            certainty *= float(flat[part.cells].max(axis=1).prod())
            continue  # what is printed there is beyond doubt, and against the rules
        shown_only = problem in ("unsupported", "lawless") or (problem == "ambiguous" and not part.guarded)
        kept = _kept(part, flat, likeliest) if shown_only else slice(None)
        settled[part.cells[kept]] = part.columns[kept]
        certainty *= part.certainty
        if problem is not None and reason in _ACCEPTED:
            ambiguous = problem == "ambiguous"
            reason = f"ambiguous_{part.name}" if ambiguous else f"unsupported_{part.least_shown(flat)}"
    lines = _lines(settled, layout)
    given = flat[np.arange(len(flat)), settled].reshape(layout.lines, layout.width)
    confidence = tuple(tuple(map(float, row)) for row in given)
    mrz = parse_mrz(lines, today, confidence=confidence)
    if reason in _ACCEPTED:
        reason = _by_the_parser(mrz, reason, certain)
    repairs = tuple(
        Repair(*divmod(int(cell), layout.width), ALPHABET[likeliest[cell]], ALPHABET[settled[cell]])
        for cell in np.flatnonzero(settled != likeliest)
    )
    accepted = reason in _ACCEPTED
    return Settled(accepted, reason, lines, confidence, repairs, mrz if accepted else NO_MRZ, certainty)


_ACCEPTED = ("ok", "non_conforming")
_CHECKED: tuple[FieldName, ...] = ("number", "birth_date", "expiry_date", "optional", "composite")
_UNCHECKED: tuple[FieldName, ...] = ("document_code", "issuer", "nationality", "names", "sex")


def _looks_like_a_zone(mrz: Mrz) -> bool:
    """Any text in lines of this length may be certain, a zone that was cut at the wrong place among them.

    A document's has digits for dates, and enough that holds by no chance: three check digits of number, birth and
    expiry beside the composite or a listed code; or a document code, letters for issuer and nationality and two
    of the three; or one of them, and both codes listed; or none, as on specimens, and then all that needs none.
    """
    if any(mrz.verdict(name).reason == "not_a_date" for name in _CHECKED[1:3]):
        return False
    if mrz.layout == TD2.name and mrz.lines[0].startswith("P") and not mrz.verdict("composite").passed:
        return False  # number and dates stand where a passport has them, of which this is the beginning
    kept = sum(mrz.verdict(name).passed for name in _CHECKED[:3])
    listed = sum(mrz.verdict(name).passed for name in ("issuer", "nationality"))
    if kept == 3 and (listed or mrz.verdict("composite").passed):
        return True
    if not mrz.verdict("document_code").passed or mrz.issuer is None or mrz.nationality is None:
        return False
    if kept == 0:
        return all(mrz.verdict(name).passed for name in _UNCHECKED)
    return kept >= 2 or listed == 2


def _by_the_parser(mrz: Mrz, reason: str, certain: bool) -> str:
    """The rules once more: what the search does not know (the 30th of February) is caught here."""
    failed = [name for name in _CHECKED if mrz.verdict(name).verdict is Verdict.FAILED]
    if reason == "ok" and failed:
        if not certain:
            return f"unsupported_{failed[0]}"
        reason = "non_conforming"
    if any(mrz.verdict(name).verdict is Verdict.FAILED for name in _UNCHECKED):
        reason = "non_conforming"  # a code that is in no list, say
    if reason == "non_conforming" and not _looks_like_a_zone(mrz):
        return "no_zone"
    return reason


# ------------------------------------------------------------------------------------- what the arrays are


def _table(posteriors: Sequence[NDArray[Any]]) -> tuple[Table | None, str]:
    """The posteriors as one array (lines, width, 37) whose rows sum to 1, or None with what is wrong with them."""
    try:
        if len(posteriors) not in (2, 3):
            return None, "no_lines"
        arrays = [np.asarray(posterior, dtype=np.float64) for posterior in posteriors]
    except (TypeError, ValueError):
        return None, "bad_posteriors"
    if any(array.ndim != 2 or array.shape[1] != len(ALPHABET) for array in arrays):
        return None, "bad_posteriors"
    if (len(arrays), *{len(array) for array in arrays}) not in ((3, 30), (2, 36), (2, 44)):
        return None, "line_lengths"
    table = np.stack(arrays)
    if not np.isfinite(table).all() or (table < 0).any() or (table > _ROWS_SUM[1]).any():
        return None, "bad_posteriors"
    sums = table.sum(axis=2, keepdims=True)
    if (sums < _ROWS_SUM[0]).any() or (sums > _ROWS_SUM[1]).any():
        return None, "bad_posteriors"
    return _without_reserve(table / sums), ""


def _without_reserve(table: Table) -> Table:
    """Without what a recogniser gives to every character alike: that is caution, and no doubt about this one.

    Forty characters' caution would add up to a doubt about the name.
    """
    reserve = np.minimum(np.median(table, axis=2, keepdims=True), MOST_RESERVE)
    above = np.maximum(table - reserve, 0.0)
    return np.asarray(above / above.sum(axis=2, keepdims=True))


def _layout(table: Table) -> Layout:
    """Which layout the shape and the first letters speak for."""
    if table.shape[0] == 3:
        return TD1
    first = table[0, 0]
    visa = first[_COLUMN["V"]] > max(first[_COLUMN[letter]] for letter in "PIAC")
    if table.shape[1] == 44:
        expiry = TD3.span("expiry_date")
        endless = float(table[expiry.line, expiry.start : expiry.stop, _FILL].prod())
        if endless * _begins(table, "PNRUS") > _DOUBTFUL_BEGINNING:
            return RUSSIAN_INTERNAL_PASSPORT
        return MRV_A if visa else TD3
    begins = _begins(table, "IDFRA")
    if begins > _BEGINNING or (begins > _DOUBTFUL_BEGINNING and _has_no_birth_date(table)):
        return OLD_FRENCH_CARD
    return MRV_B if visa else TD2


def _begins(table: Table, text: str) -> float:
    return float(np.prod([table[0, place, _COLUMN[letter]] for place, letter in enumerate(text)]))


def _has_no_birth_date(table: Table) -> bool:
    """Where a card of two lines has its birth date, the old French one has given names."""
    span = TD2.span("birth_date")
    there = table[span.line, span.start : span.stop]
    return bool(there[:, :10].sum(axis=1).prod() < (there @ _LETTER_OR_FILLER).prod())


def _lines(columns: NDArray[np.intp], layout: Layout) -> tuple[str, ...]:
    text = "".join(ALPHABET[column] for column in columns)
    return tuple(text[start : start + layout.width] for start in range(0, len(text), layout.width))


@dataclass(frozen=True)
class _Part:
    """The best lawful text of some cells (line × width + column), and its share of all lawful texts."""

    name: str
    cells: NDArray[np.intp]
    columns: NDArray[np.intp]
    certainty: float
    required: float
    fields: tuple[str, ...] = ()  # of each cell, where the part has several

    @property
    def guarded(self) -> bool:
        return bool(self.fields)

    def least_shown(self, flat: Table) -> str:
        """The field of the character that the image shows least."""
        return self.fields[int(flat[self.cells, self.columns].argmin())] if self.fields else self.name


def _kept(part: _Part, flat: Table, likeliest: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Where a lawful text that the image does not show may still stand in the best reading, which is not accepted.

    A digit in place of a letter is what the place asks for, if it looks like it; another digit in place of a digit
    is an invention.
    """
    given, read, lawful = flat[part.cells, part.columns], likeliest[part.cells], part.columns
    alike = np.array([_alike(*pair) for pair in zip(read, lawful, strict=True)])
    other_kind = (_KIND[read] + _KIND[lawful] == 0) & (alike | (given >= REPAIR_PROBABILITY))
    return np.asarray((given >= SHOWN * flat[part.cells, read]) | other_kind)


def _problem(part: _Part, flat: Table, smooth: Table, likeliest: NDArray[np.intp]) -> str | None:
    """None for a good part, else ambiguous, unsupported, or lawless: nothing speaks for any lawful text."""
    changed = part.columns != likeliest[part.cells]
    cells, columns = part.cells[changed], part.columns[changed]
    if len(cells):
        given = flat[cells, columns]
        odds = float(np.prod(smooth[cells, columns] / smooth[cells, likeliest[cells]]))
        ranks = (flat[cells] > given[:, None]).sum(axis=1)
        shown = (given >= REPAIR_PROBABILITY).all() and (ranks < REPAIR_RANK).all() and odds >= REPAIRED_TEXT
        if not shown:
            alike = all(_alike(*pair) for pair in zip(columns, likeliest[cells], strict=True))
            return "unsupported" if alike or odds >= RULE_ABIDING_TEXT else "lawless"
    return None if part.certainty >= part.required else "ambiguous"


# Whatever a recogniser is sure of: an S where a digit belongs is a misread 5 rather than a broken rule.
_ALIKE = ("0ODQ", "1ILT", "2Z", "5S", "6G", "8B", "7T")


def _alike(one: int, other: int) -> bool:
    return any(ALPHABET[one] in group and ALPHABET[other] in group for group in _ALIKE)


# ----------------------------------------------------------------------------------- without a check digit


def _unguarded(layout: Layout, smooth: Table) -> list[_Part]:
    """Document code, issuer, nationality, sex, name, and visas' optional data."""
    if layout is OLD_FRENCH_CARD:
        return [_sex(layout, smooth)]  # its composite goes over all the rest
    parts = [
        _document_code(layout, smooth),
        _country("issuer", layout, smooth),
        _country("nationality", layout, smooth),
        _sex(layout, smooth),
        _name(layout, smooth),
    ]
    if not layout.composite:
        cells = _cells(layout, layout.span("optional"))
        parts.append(_free("optional", cells, smooth[cells], OPTIONAL_CERTAINTY))
    return parts


def _cells(layout: Layout, span: Span) -> NDArray[np.intp]:
    return np.arange(span.line * layout.width + span.start, span.line * layout.width + span.stop)


def _free(name: str, cells: NDArray[np.intp], weights: Table, required: float) -> _Part:
    """Each character for itself; `weights` is 0 where a character cannot stand."""
    columns = weights.argmax(axis=1)
    certainty = float(np.prod(weights.max(axis=1) / weights.sum(axis=1)))
    return _Part(name, cells, columns, certainty, required)


def _weighted(characters: str, others: float = 0.0, weight: float = 1.0) -> Table:
    """One weight per character of the alphabet."""
    return np.array([weight if character in characters else others for character in ALPHABET])


_FIRST_LETTER = {
    DocumentFormat.TD1: _weighted("IAC"),
    DocumentFormat.TD2: _weighted("IAC") + _weighted("P", weight=RARE_SECOND_LETTER),  # PU: emergency documents
    DocumentFormat.TD3: _weighted("P"),
    DocumentFormat.MRV_A: _weighted("V"),
    DocumentFormat.MRV_B: _weighted("V"),
}
# 9303-4 §4.2.2.1 lists those of passports; of cards and visas these are frequent.
_SECOND_LETTER = {
    DocumentFormat.TD3: _weighted(FILLER + "PDEOSRTLMU"),
    DocumentFormat.MRV_A: _weighted(FILLER + "ABCDINRST"),
    DocumentFormat.MRV_B: _weighted(FILLER + "ABCDINRST"),
}
_CARD_SECOND_LETTER = _weighted(FILLER + "DRPOAC") + _weighted("12", weight=RARE_SECOND_LETTER)  # C1: US residents
_RARE_LETTERS = _weighted("ABCDEFGHIJLMNOPQRSTUWY", weight=RARE_SECOND_LETTER) + _weighted(
    "KXZ", weight=FILLER_LIKE_SECOND_LETTER
)
_SEX = _weighted("FM<") + _weighted("X", weight=0.01)  # 9303 wants "<"; some print X
_LETTER = _weighted(LETTERS)
_LETTER_OR_FILLER = _weighted(LETTERS + FILLER)
_DIGIT = _weighted(DIGITS)
_RUSSIAN_SIGN = _weighted(russian.SIGNS)
_LETTER_OR_DIGIT = _weighted(LETTERS + DIGITS)
_ANYTHING = np.ones(len(ALPHABET))

_CODES = np.array([[_COLUMN[character] for character in code.ljust(3, FILLER)] for code in sorted(CODES)])


def _document_code(layout: Layout, smooth: Table) -> _Part:
    cells = _cells(layout, layout.span("document_code"))
    first = _FIRST_LETTER[layout.format]
    second = np.maximum(_SECOND_LETTER.get(layout.format, _CARD_SECOND_LETTER), _RARE_LETTERS)
    if layout is RUSSIAN_INTERNAL_PASSPORT:
        second = _weighted("N")
    return _free("document_code", cells, smooth[cells] * np.stack([first, second]), CODE_CERTAINTY)


def _sex(layout: Layout, smooth: Table) -> _Part:
    cells = _cells(layout, layout.span("sex"))
    return _free("sex", cells, smooth[cells] * _SEX, CODE_CERTAINTY)


def _country(place: Literal["issuer", "nationality"], layout: Layout, smooth: Table) -> _Part:
    """A listed code, or, much rarer, any one to three letters, or nothing (Macao's cards have no nationality)."""
    cells = _cells(layout, layout.span(place))
    first, second, third = smooth[cells]
    listed = first[_CODES[:, 0]] * second[_CODES[:, 1]] * third[_CODES[:, 2]]
    best = int(listed.argmax())
    columns, weight = _CODES[best], float(listed[best])
    letters = smooth[cells] * np.stack([_LETTER, _LETTER_OR_FILLER, _LETTER_OR_FILLER])
    other = UNKNOWN_CODE * float(np.prod(letters.max(axis=1)))
    if other > weight:
        columns, weight = letters.argmax(axis=1), other
    nothing = UNKNOWN_CODE * float(np.prod(smooth[cells, _FILL]))
    if nothing > weight:
        columns, weight = np.full(3, _FILL), nothing
    unlisted = max(0.0, float(np.prod(letters.sum(axis=1)) - listed.sum()))
    total = float(listed.sum()) + UNKNOWN_CODE * unlisted + nothing
    return _Part(place, cells, columns, weight / total, CODE_CERTAINTY)


# What may follow what in a name: words parted by one filler, surname and given names by two, fillers to the end.
# A surname may be left empty: two fillers, and then given names.
_SURNAME, _SURNAME_GAP, _PARTING, _GIVEN, _GIVEN_GAP, _END, _FIRST_FILLER, _SECOND_FILLER = range(8)
_IN_WORD = (True, False, False, True, False, False, False, False)
# For each state, those that may come before it.
_BEFORE = (
    (_SURNAME, _SURNAME_GAP),
    (_SURNAME,),
    (_SURNAME_GAP,),
    (_PARTING, _GIVEN, _GIVEN_GAP, _SECOND_FILLER),
    (_GIVEN,),
    (_PARTING, _GIVEN_GAP, _END),
    (),
    (_FIRST_FILLER,),
)


def _name(layout: Layout, smooth: Table) -> _Part:
    cells = _cells(layout, layout.span("names"))
    letters = smooth[cells] * (_RUSSIAN_SIGN if layout is RUSSIAN_INTERNAL_PASSPORT else _LETTER)
    best_letter = letters.argmax(axis=1)
    letter_max, letter_sum = letters.max(axis=1).tolist(), letters.sum(axis=1).tolist()
    filler = smooth[cells, _FILL].tolist()
    total = [letter_sum[0], 0.0, 0.0, 0.0, 0.0, 0.0, NO_SURNAME * filler[0], 0.0]
    best = [letter_max[0], 0.0, 0.0, 0.0, 0.0, 0.0, NO_SURNAME * filler[0], 0.0]
    origins: list[list[int]] = []
    for place in range(1, len(cells)):
        origin = [max(before, key=best.__getitem__, default=_FIRST_FILLER) for before in _BEFORE]
        one, all_of, gap = letter_max[place], letter_sum[place], filler[place]
        best = [best[source] * (one if word else gap) for source, word in zip(origin, _IN_WORD, strict=True)]
        best[_FIRST_FILLER] = 0.0  # the first is passed
        surname, surname_gap, parting, given, given_gap, end, first_filler, second_filler = total
        total = [
            (surname + surname_gap) * all_of,
            surname * gap,
            surname_gap * gap,
            (parting + given + given_gap + second_filler) * all_of,
            given * gap,
            (parting + given_gap + end) * gap,
            0.0,
            first_filler * gap,
        ]
        origins.append(origin)
    state = max(range(len(best)), key=best.__getitem__)
    certainty = best[state] / sum(total) if sum(total) > 0.0 else 0.0
    states = [state]
    for origin in reversed(origins):
        states.append(origin[states[-1]])
    words = np.array([_IN_WORD[state] for state in reversed(states)])
    return _Part("name", cells, np.where(words, best_letter, _FILL), certainty, NAME_CERTAINTY)


# ----------------------------------------------------------------------------------- under the check digits
#
# A state is 10 × a + b: a the residue of the field's own weighted sum, b of the composite's. Both depend on a
# character's value modulo 10 only, so the 37 characters fall into ten classes of invisible twins.


@dataclass(frozen=True)
class _Unit:
    """One character, or a pair that is a year, month or day; with its weights in its own and the composite sum.

    `allowed`: for one character, 1 or 0 for each of the alphabet; for a pair, its texts as two columns each.
    """

    cells: tuple[int, ...]
    allowed: NDArray[Any]
    own: tuple[int, ...]
    composite: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Field:
    """`empties` are further lawful texts of all its cells, of fillers and zeros only, so of residue 0."""

    name: str
    units: tuple[_Unit, ...]
    digit: int | None = None  # the cell of its own check digit
    digit_weight: int = 0  # of that in the composite
    fillers: tuple[int, ...] = ()  # cells that hold a filler
    empties: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[int, ...]:
        own = (self.digit,) if self.digit is not None else ()
        return (*(cell for unit in self.units for cell in unit.cells), *own, *self.fillers)


@dataclass(frozen=True)
class _Plan:
    """One way in which the guarded fields can share their cells; `composite` is the cell of that digit.

    Where the number is longer than nine, `long_number` has the cells that hold fillers then, and its digit.
    `counted`: the first of those fillers is among the characters under the digit; the plan before this is the same
    without that, and some texts are lawful by both.
    """

    fields: tuple[_Field, ...]
    composite: int | None
    long_number: tuple[tuple[int, ...], int] | None = None
    counted: bool = False

    def worth_a_try(self, smooth: Table) -> bool:
        if self.long_number is None:
            return True
        if self.counted and not any(
            np.prod([smooth[2 + place, _COLUMN[letter]] for place, letter in enumerate(code)]) > _BEGINNING
            for code in FILLER_COUNTED
        ):
            return False
        fillers, digit = self.long_number
        return bool(min(*smooth[list(fillers), _FILL], smooth[digit, :10].sum()) >= _LONG_NUMBER)


@dataclass(frozen=True)
class _Solved:
    """For each residue of the composite: the probability of all lawful texts of a field, and the best."""

    total: Table
    best: Table
    trace: list[tuple[_Weights, NDArray[np.intp]]]
    ends: NDArray[np.intp]  # the state before the check digit
    digits: NDArray[np.intp] | None
    fillers: tuple[int, ...]
    empty: tuple[int, ...] | None  # of residue 0, where that is the best

    def text(self, residue: int) -> tuple[int, ...]:
        """The best text's columns of the alphabet, in the order of the field's cells."""
        if residue == 0 and self.empty is not None:
            return self.empty
        state = int(self.ends[residue])
        columns: list[int] = []
        for weights, back in reversed(self.trace):
            step = int(back[state])
            columns[:0] = weights.columns[step].tolist()
            state = int(weights.steps[step, state])
        if self.digits is not None:
            columns.append(int(self.digits[residue]))
        return (*columns, *self.fillers)


def _pairs(texts: Sequence[str]) -> NDArray[Any]:
    return np.array([[_COLUMN[character] for character in text] for text in texts])


_UNKNOWN = (FILLER * 2,)
_YEARS = tuple(f"{year:02}" for year in range(100))
_MONTHS = tuple(f"{month:02}" for month in range(1, 13))
_DAYS = tuple(f"{day:02}" for day in range(1, 32))


class _Planner:
    """Writes down once, for one layout, what stands where and with which weights."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        cells = [cell for span in layout.composite for cell in _cells(layout, span)]
        self._composite = {int(cell): WEIGHTS[place % 3] for place, cell in enumerate(cells)}

    def plans(self) -> tuple[_Plan, ...]:
        composite = self._cell("composite") if "composite" in self._layout.places else None
        rest = [self._date("birth_date", (*_YEARS, *_UNKNOWN), (*_MONTHS, *_UNKNOWN), (*_DAYS, *_UNKNOWN))]
        if "expiry_date" in self._layout.places:
            rest.append(self._date("expiry_date", _YEARS, _MONTHS, _DAYS))
        number = self._number()
        if self._layout is OLD_FRENCH_CARD:
            return (_Plan((*self._french(), number, *rest), composite),)
        if "optional_digit" in self._layout.places:
            rest.append(self._personal_number())
        if "optional_second" in self._layout.places:
            rest.append(self._plain("optional", self._span("optional_second"), _ANYTHING))
        overflow = self._layout.overflow()
        if overflow is None:
            return (_Plan((number, *rest), composite),)
        optional = self._span("optional")
        plans = [_Plan((number, self._plain("optional", optional, _ANYTHING), *rest), composite)]
        for more in range(1, len(optional) - 1):
            left = optional[more + 2 :]
            others = [self._plain("optional", left, _ANYTHING), *rest] if left else rest
            fillers = (self._cell("number_digit"), optional[more + 1])
            for counted in (False, True):
                number = self._long_number(optional, more, counted)
                plans.append(_Plan((number, *others), composite, (fillers, optional[more]), counted))
        return tuple(plans)

    def _span(self, place: Place) -> list[int]:
        return [int(cell) for cell in _cells(self._layout, self._layout.span(place))]

    def _cell(self, place: Place) -> int:
        return self._span(place)[0]

    def _unit(self, cells: Sequence[int], allowed: NDArray[Any], own: Sequence[int]) -> _Unit:
        return _Unit(tuple(cells), allowed, tuple(own), tuple(self._composite.get(cell, 0) for cell in cells))

    def _plain(self, name: str, cells: Sequence[int], allowed: NDArray[Any]) -> _Field:
        """Characters that only the composite goes over."""
        return _Field(name, tuple(self._unit((cell,), allowed, (0,)) for cell in cells))

    def _run(self, cells: Sequence[int], allowed: Sequence[NDArray[Any]], first: int = 0) -> tuple[_Unit, ...]:
        """Cells under one check digit; `first` is the place of the first of them."""
        return tuple(
            self._unit((cell,), kind, (WEIGHTS[place % 3],))
            for place, (cell, kind) in enumerate(zip(cells, allowed, strict=True), first)
        )

    def _number(self) -> _Field:
        cells, digit = self._span("number"), self._cell("number_digit")
        allowed = [_LETTER_OR_DIGIT, *[_ANYTHING] * (len(cells) - 1)]
        return _Field("number", self._run(cells, allowed), digit, self._composite.get(digit, 0))

    def _long_number(self, optional: list[int], more: int, counted: bool) -> _Field:
        """Nine characters, a filler in the check digit's place, `more` characters, check digit and filler."""
        begin, digit = self._span("number"), optional[more]
        fillers = (self._cell("number_digit"), optional[more + 1])
        run = self._run(begin, [_LETTER_OR_DIGIT] * len(begin))
        run += self._run(optional[:more], [_LETTER_OR_DIGIT] * more, len(begin) + counted)
        return _Field("number", run, digit, self._composite.get(digit, 0), fillers)

    def _date(self, place: Literal["birth_date", "expiry_date"], *parts: tuple[str, ...]) -> _Field:
        cells = self._span(place)
        digit = self._cell("birth_digit" if place == "birth_date" else "expiry_digit")
        units = tuple(
            self._unit(cells[start : start + 2], _pairs(texts), (WEIGHTS[start % 3], WEIGHTS[(start + 1) % 3]))
            for start, texts in zip((0, 2, 4), parts, strict=True)
        )
        nothing = [FILLER * 7]
        if place == "expiry_date":
            nothing.append(FILLER * 6 + "0")  # of a birth this is among the parts that may be unknown
        lasting = self._layout.format in (DocumentFormat.TD1, DocumentFormat.TD2)
        lasting = lasting or self._layout is RUSSIAN_INTERNAL_PASSPORT
        empties = tuple(nothing) if place == "birth_date" or lasting else ()
        return _Field(place, units, digit, self._composite.get(digit, 0), (), empties)

    def _personal_number(self) -> _Field:
        cells, digit = self._span("optional"), self._cell("optional_digit")
        empties = (FILLER * 15,)  # 9303-4 §4.2.2.2: "0" or "<" then
        units = self._run(cells, [_ANYTHING] * len(cells))
        return _Field("optional", units, digit, self._composite.get(digit, 0), (), empties)

    def _french(self) -> tuple[_Field, ...]:
        head = zip((*self._span("document_code"), *self._span("issuer")), "IDFRA", strict=True)
        return (
            _Field("document_code", tuple(self._unit((cell,), _weighted(letter), (0,)) for cell, letter in head)),
            self._plain("name", self._span("names"), _LETTER_OR_FILLER),
            self._plain("optional", self._span("optional"), _ANYTHING),
            self._plain("name", self._span("given_names"), _LETTER_OR_FILLER),
            self._plain("sex", self._span("sex"), _SEX),
        )


@lru_cache(maxsize=len(LAYOUTS))
def _plans(name: str) -> tuple[_Plan, ...]:
    return _Planner(next(layout for layout in LAYOUTS if layout.name == name)).plans()


@dataclass(frozen=True)
class _Text:
    """The best text of a plan, its probability, and that of all texts of the plan."""

    cells: tuple[int, ...]
    columns: tuple[int, ...]
    fields: tuple[str, ...]  # of each cell
    weakest: str  # the field that is least certain of itself
    best: float
    total: float

    def is_the_same_as(self, other: _Text | None) -> bool:
        return other is not None and dict(zip(self.cells, self.columns, strict=True)) == dict(
            zip(other.cells, other.columns, strict=True)
        )


def _guarded(layout: Layout, smooth: Table) -> _Part:
    """The best lawful text of all fields with a check digit and all that the composite goes over."""
    solved: dict[_Field, _Solved] = {}
    total, choice, before = 0.0, None, None
    for plan in _plans(layout.name):
        text = _text(plan, solved, smooth) if plan.worth_a_try(smooth) else None
        if text is not None:
            total += text.total
            if plan.counted and text.is_the_same_as(before):
                total -= text.best  # lawful by both plans: it was counted
            if choice is None or text.best > choice.best:
                choice = text
        before = text
    assert choice is not None  # the first plan is always tried
    certainty = min(1.0, choice.best / total) if total > 0.0 else 0.0
    cells, columns = np.array(choice.cells), np.array(choice.columns)
    return _Part(choice.weakest, cells, columns, certainty, GUARDED_CERTAINTY, choice.fields)


def _text(plan: _Plan, solved: dict[_Field, _Solved], smooth: Table) -> _Text:
    """`solved` has what plans share, and takes what is new."""
    for field in plan.fields:
        if field not in solved:
            solved[field] = _solve(field, smooth)
    sums, bests, backs = np.eye(10)[0], np.eye(10)[0], []
    for field in plan.fields:
        sums = solved[field].total @ sums[_DIFFERENCES]
        candidates = solved[field].best[:, None] * bests[_DIFFERENCES]
        back = candidates.argmax(axis=0)
        bests = candidates[back, _RESIDUES]
        backs.append(back)
    digits = smooth[plan.composite, :10] if plan.composite is not None else np.ones(10)
    if plan.counted:
        digits = digits * FILLER_COUNTED_IN_NUMBER
    residue = int((bests * digits).argmax())
    total, best = float(sums @ digits), float(bests[residue] * digits[residue])
    cells: list[int] = []
    columns: list[int] = []
    fields: list[str] = []
    if plan.composite is not None:
        fields.append("composite")
        cells.append(plan.composite)
        columns.append(residue)
    weakest, least = "number", 2.0
    for field, back in zip(reversed(plan.fields), reversed(backs), strict=True):
        own = int(back[residue])
        cells += field.cells
        fields += [field.name] * len(field.cells)
        columns += solved[field].text(own)
        certainty = float(solved[field].best[own] / max(solved[field].total[own], 1e-300))
        if certainty < least:
            weakest, least = field.name, certainty
        residue = (residue - own) % 10
    return _Text(tuple(cells), tuple(columns), tuple(fields), weakest, best, total)


_CLASS = np.array([VALUES[character] % 10 for character in ALPHABET])
_LARGEST_CLASS = 5  # 0 A K U <
_NO_COLUMN = len(ALPHABET)  # fills up the smaller classes
_MEMBERS = np.array(
    [[*np.flatnonzero(value == _CLASS), *[_NO_COLUMN] * _LARGEST_CLASS][:_LARGEST_CLASS] for value in range(10)]
)
_STATES = np.arange(100)
_RESIDUES = np.arange(10)
_DIFFERENCES = (_RESIDUES[None, :] - _RESIDUES[:, None]) % 10  # [t, s]: from where a step by t leads to s


def _step(own: NDArray[Any], composite: NDArray[Any]) -> NDArray[np.intp]:
    """[t, s]: the state from which the t-th step, by own[t] and composite[t], leads to s."""
    a = (_STATES[None, :] // 10 - own[:, None]) % 10
    b = (_STATES[None, :] % 10 - composite[:, None]) % 10
    return np.asarray(10 * a + b)


# For one character of class v with these weights.
_STEPS = {
    (own, composite): _step(own * _RESIDUES % 10, composite * _RESIDUES % 10)
    for own in (0, *WEIGHTS)
    for composite in (0, *WEIGHTS)
}
_ANY_STEP = _step(_STATES // 10, _STATES % 10)
# [b, a]: the state that ends in composite residue b when the check digit, weighing so much there, is a.
_ENDS = {
    weight: 10 * _RESIDUES[None, :] + (_RESIDUES[:, None] - weight * _RESIDUES[None, :]) % 10
    for weight in (0, *WEIGHTS)
}


@dataclass(frozen=True)
class _Weights:
    """What the image says of one unit: for each step, sum and maximum of its texts, and the best of them."""

    steps: NDArray[np.intp]
    total: Table
    best: Table
    columns: NDArray[np.intp]  # one row per step, one column per cell


def _weights(units: Sequence[_Unit], smooth: Table) -> Iterator[_Weights]:
    if not units:
        return
    if len(units[0].cells) == 2:  # a date: pairs only
        yield from (_pair(unit, smooth) for unit in units)
        return
    given = smooth[[unit.cells[0] for unit in units]] * np.stack([unit.allowed for unit in units])
    # Fillers come in a row up to the end: a lone K among them is a filler that was misread.
    filler = given[:-1, _FILL : _FILL + 1].copy()
    given[1:, :_FILL] *= 1.0 - (1.0 - INNER_FILLER) * filler
    classes = np.pad(given, ((0, 0), (0, 1)))[:, _MEMBERS]
    members, best, total = classes.argmax(axis=2), classes.max(axis=2), classes.sum(axis=2)
    for place, unit in enumerate(units):
        columns = _MEMBERS[_RESIDUES, members[place]][:, None]
        yield _Weights(_STEPS[unit.own[0], unit.composite[0]], total[place], best[place], columns)


def _pair(unit: _Unit, smooth: Table) -> _Weights:
    first, second = unit.allowed.T
    given = smooth[unit.cells[0], first] * smooth[unit.cells[1], second]
    own = (_CLASS[first] * unit.own[0] + _CLASS[second] * unit.own[1]) % 10
    composite = (_CLASS[first] * unit.composite[0] + _CLASS[second] * unit.composite[1]) % 10
    step = 10 * own + composite
    best, columns = np.zeros(100), np.zeros((100, 2), dtype=np.intp)
    order = given.argsort()  # of several texts with the same step, the likeliest is written last and stays
    best[step[order]] = given[order]
    columns[step[order]] = unit.allowed[order]
    return _Weights(_ANY_STEP, np.bincount(step, given, 100).astype(np.float64), best, columns)


def _solve(field: _Field, smooth: Table) -> _Solved:
    """Sum and maximum over all lawful texts of a field, for each residue of the composite."""
    total, best = np.zeros(100), np.zeros(100)
    total[0] = best[0] = np.prod(smooth[list(field.fillers), _FILL])
    trace: list[tuple[_Weights, NDArray[np.intp]]] = []
    for weights in _weights(field.units, smooth):
        candidates = weights.best[:, None] * best[weights.steps]
        back = candidates.argmax(axis=0)
        trace.append((weights, back))
        best = candidates[back, _STATES]
        total = weights.total @ total[weights.steps]
    if field.digit is None:
        digits, ends = None, _RESIDUES  # a is 0 throughout
        sums, tops = total[:10].copy(), best[:10].copy()
    else:
        finals = best[_ENDS[field.digit_weight]] * smooth[field.digit, :10]
        digits = finals.argmax(axis=1)
        ends = _ENDS[field.digit_weight][_RESIDUES, digits]
        sums, tops = total[_ENDS[field.digit_weight]] @ smooth[field.digit, :10], finals.max(axis=1)
    empty: tuple[int, ...] | None = None
    for text in field.empties:
        written = tuple(_COLUMN[character] for character in text)
        weight = float(np.prod(smooth[list(field.cells), written]))
        sums[0] += weight
        if weight > tops[0]:
            tops[0], empty = weight, written
    return _Solved(sums, tops, trace, ends, digits, (_FILL,) * len(field.fillers), empty)
