"""What light took from a zone, put back from the print of the same page.

Where a reflection leaves no ink of a character, no reader of the zone can tell it, and check digits (ICAO 9303-3
§4.9) can tell one at most. The page says names, number and dates a second time. A word of its print, as 9303-3 §6
transliterates it, is taken for the zone's where it has the zone's letters in all places that were seen; what no
print says stays unknown.

Two things follow. A zone that was completed is never accepted as read: its print would be compared with itself.
And it may open the chip all the same, for a check digit that was seen stands over what was put back.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from documents.mrz import ALPHABET, layout_of
from documents.mrz.characters import FILLER
from documents.mrz.layout import Layout, Place
from documents.mrz.settle import Settled, settle
from documents.printed_dates import printed_dates
from documents.transliteration import transliterate
from documents.viz import Fragment
from kiosk.mrz.read import NO_INK, UNKNOWN, Look

_INK = 0.6  # of a line's usual contrast: with more of it a character is told, with `NO_INK` it is not
_NEAR = 2  # characters
_SAID = 0.9  # of the posterior of a character that the print says
_SEEN = 0.5  # probability of a character that is there
_SURE = 0.9  # and of one that is whole, and may open the chip
_USABLE = 0.5  # certainty of a line of print
_WORDS = 5  # of a name, or of a number that is printed in groups
_MOST_HIDDEN = 10  # characters in a row of a name: of more too little is left to know it by
_LEAST_SEEN = 2  # characters of the zone that a word must have, to be taken for one of its
_SEEN_PER_SLIP = 4  # so many must agree for each in which an optical reader may have slipped
_CLEARER = 1.0  # difference of log likelihood between the best way to complete a field and the next
_FLOOR = 1e-4
_NAMES: tuple[Place, ...] = ("names", "given_names")
_PLAIN: tuple[Place, ...] = ("number", "optional", "optional_second")
_DATES: tuple[Place, ...] = ("birth_date", "expiry_date")
_DIGITS: dict[Place, Place] = {
    "number": "number_digit",
    "birth_date": "birth_digit",
    "expiry_date": "expiry_digit",
}
_COLUMN = {character: column for column, character in enumerate(ALPHABET)}

Table = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Completion:
    """The zone as completed. `guarded`: number and dates are known, each under a check digit that was seen."""

    settled: Settled
    guarded: bool


def is_dazzled(look: Look) -> bool:
    """Whether there are characters whose ink light has taken away."""
    return any(bool((line < _INK).any()) for line in look.ink)


def completed(look: Look, fragments: Sequence[Fragment], today: date) -> Completion:
    """The zone of a look that is dazzled, with what `fragments`, the page's print, say of it.

    `today` settles the centuries. Takes some hundredths of a second; never raises.
    """
    flat = np.concatenate([line.astype(np.float64) for line in look.posteriors])
    ink = np.concatenate(look.ink)
    hidden = np.concatenate([_hidden(*line) for line in zip(look.posteriors, look.ink, strict=True)])
    unknown = UNKNOWN * np.clip((_INK - ink) / (_INK - NO_INK), 0.0, 1.0)[:, None]
    flat = (1 - unknown) * flat + unknown / len(ALPHABET)
    width = len(look.posteriors[0])
    settled = settle(_lines(flat, width), today)
    layout = layout_of(settled.lines)
    if layout is None:
        return Completion(settled, False)
    zone = _Zone(flat, hidden, ink >= NO_INK, "".join(settled.lines), layout)
    said = zone.said_by([each.text for each in fragments if each.confidence >= _USABLE])
    for cell, character in said.items():
        flat[cell] = (1 - _SAID) / len(ALPHABET)
        flat[cell, _COLUMN[character]] += _SAID
    settled = settle(_lines(flat, width), today)
    return Completion(settled, zone.is_guarded("".join(settled.lines), said))


def _hidden(posteriors: npt.NDArray[np.float32], ink: Table) -> npt.NDArray[np.bool_]:
    """Characters without ink, and those beside them that lost a stroke: what is left of an N is a dark I."""
    dazzled = ink < _INK
    near = np.convolve(dazzled, np.ones(2 * _NEAR + 1), "same") > 0.5
    return np.asarray(dazzled | (near & (posteriors.max(1) < _SURE)))


def _lines(flat: Table, width: int) -> list[Table]:
    return [flat[start : start + width] for start in range(0, len(flat), width)]


@dataclass(frozen=True, repr=False)
class _Zone:
    """`flat` (cells, 37) with flat rows where nothing is known, `text` the best reading.

    (cells,) each: `hidden` where light lies, `told` where there is ink that tells something.
    """

    flat: Table
    hidden: npt.NDArray[np.bool_]
    told: npt.NDArray[np.bool_]
    text: str
    layout: Layout

    def _cells(self, place: Place) -> range:
        span = self.layout.places.get(place)
        if span is None:
            return range(0)
        return range(span.line * self.layout.width + span.start, span.line * self.layout.width + span.stop)

    def said_by(self, texts: Sequence[str]) -> dict[int, str]:
        """What the print says of cells that are hidden."""
        issuer = self.layout.text("issuer", _split(self.text, self.layout.width)).rstrip(FILLER)
        said: dict[int, str] = {}
        phrases = sorted({phrase for text in texts for phrase in _phrases(text, issuer)})
        for place in _NAMES:
            cells = self._cells(place)
            for part in self._dazzled_parts(cells):
                said |= self._completed(part, self._names(part, cells, phrases), slips=True)
        numbers = {number for text in texts for number in _numbers(text)}
        for place in _PLAIN:
            said |= self._completed(self._cells(place), numbers)
        dates = {
            f"{each.year:02}{each.month:02}{each.day:02}"
            for text in texts
            for each in printed_dates(text, issuer)
            if each.day
        }
        for place in _DATES:
            said |= self._completed(self._cells(place), dates)
        return said

    def _dazzled_parts(self, cells: range) -> Iterator[range]:
        """The words of a name of which something is hidden, with what parts them where that is hidden too."""
        first = cells.start
        for cell in (*cells, cells.stop):
            if cell in cells and (self.hidden[cell] or self.text[cell] != FILLER):
                continue
            if 0 < int(self.hidden[first:cell].sum()) <= _MOST_HIDDEN:
                yield range(first, cell)
            first = cell + 1

    def _names(self, part: range, cells: range, phrases: Sequence[str]) -> Iterator[str]:
        """What may stand in `part` of a name's `cells`: a phrase, or two with a surname's two fillers between.

        Where the part is not the name's beginning a filler or two may come before; at its end what is long is cut.
        """
        last, ends = len(part), part[-1] == cells[-1]
        hidden_end = next((count for count, cell in enumerate(reversed(part)) if not self.hidden[cell]), last)
        if last - int(self.hidden[part.start : part.stop].sum()) < _LEAST_SEEN:
            return
        for lead in (0,) if part[0] == cells[0] else (0, 1, 2):
            for one in (FILLER * lead + phrase for phrase in phrases):
                if not self._may_begin_with(part, one):
                    continue
                yield one[: last if ends else None]
                room = last - len(one) - 2
                if room > 0:
                    others = (other for other in phrases if len(other) >= room - hidden_end)
                    yield from (f"{one}{2 * FILLER}{other[: room if ends else None]}" for other in others)

    def _may_begin_with(self, part: range, text: str) -> bool:
        against = sum(
            not self.hidden[cell] and self.flat[cell, _COLUMN[character]] < _SEEN
            for cell, character in zip(part, text, strict=False)
        )
        return bool(against * (_SEEN_PER_SLIP + 1) <= len(part))

    def _completed(self, cells: range, texts: Iterable[str], *, slips: bool = False) -> dict[int, str]:
        """The hidden ones of `cells` as the one text says that has all others."""
        if not self.hidden[cells.start : cells.stop].any():
            return {}
        found: dict[str, tuple[int, float]] = {}
        for text in texts:
            padded = text.ljust(len(cells), FILLER)
            agreement = None if len(padded) > len(cells) else self._agreement(cells, padded, slips=slips)
            if agreement is not None:
                put = "".join(padded[cell - cells.start] for cell in cells if self.hidden[cell])
                found[put] = min(found.get(put, agreement), agreement)
        ranked = sorted(found.items(), key=lambda each: each[1])
        if not ranked:
            return {}
        (put, (slipped, unlikely)), *others = ranked
        if any(more == slipped and also - unlikely < _CLEARER for _, (more, also) in others):
            return {}  # two words would do
        return dict(zip((cell for cell in cells if self.hidden[cell]), put, strict=True))

    def _agreement(self, cells: range, text: str, *, slips: bool) -> tuple[int, float] | None:
        """Slips, and how unlikely the image finds what is put in; None where this is another text."""
        agreed = slipped = 0
        unlikely = 0.0
        for cell, character in zip(cells, text, strict=True):
            given = float(self.flat[cell, _COLUMN[character]])
            if self.hidden[cell]:
                unlikely -= math.log(max(given, _FLOOR)) if self.told[cell] else 0.0
            elif given >= _SEEN:
                agreed += character != FILLER
            elif slips and FILLER not in (character, self.text[cell]):
                slipped += 1
            else:
                return None
        return (slipped, unlikely) if agreed >= max(_LEAST_SEEN, _SEEN_PER_SLIP * slipped) else None

    def is_guarded(self, text: str, said: dict[int, str]) -> bool:
        """Every character of number and dates was seen or is said by the print, and every digit over them seen."""
        wanted: set[int] = set()
        for place, digit in _DIGITS.items():
            digits = self._cells(digit)
            if self.hidden[digits.start : digits.stop].any():
                return False
            wanted.update(self._cells(place), digits)
        overflow = self.layout.overflow()
        if overflow is not None and text[self._cells("number_digit")[0]] == FILLER:
            wanted.update(self._cells("optional"))
        return all(
            said.get(cell) == text[cell]
            if self.hidden[cell]
            else bool(self.flat[cell, _COLUMN[text[cell]]] >= _SURE)
            for cell in wanted
        )


def _split(text: str, width: int) -> list[str]:
    return [text[start : start + width] for start in range(0, len(text), width)]


def _phrases(text: str, issuer: str) -> Iterator[str]:
    """Each word of a line of print, and words in a row, as the zone writes them."""
    words = transliterate(text, issuer).split(FILLER)
    for first in range(len(words)):
        for last in range(first + 1, min(len(words), first + _WORDS) + 1):
            yield FILLER.join(words[first:last])


def _numbers(text: str) -> Iterator[str]:
    """Letters and digits of words in a row."""
    words = re.findall(r"[A-Z0-9]+", text.upper())
    for first in range(len(words)):
        for last in range(first + 1, min(len(words), first + _WORDS) + 1):
            yield "".join(words[first:last])
