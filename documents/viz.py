"""Compares the print of the page (the visual inspection zone) with the machine readable zone: the check `mrz_viz`.

A field agrees when it stands on the page under a legal transliteration (ICAO 9303-3 §6). It differs only when it
was clearly read and says something else: a near miss, or another value in the place that its label names. In any
other case nobody knows, and the check is NOT_CHECKED. Freedom of spelling belongs to the tables
(documents.transliteration); what an optical reader confuses is tolerated apart from it, and only where it is
listed here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from contracts.checks import Check, CheckName, Verdict
from documents.mrz import FieldVerdict, Mrz
from documents.printed_dates import PrintedDate, printed_dates
from documents.transliteration import Spellings, edits, printed_letters
from documents.viz_labels import HONORIFICS, LABEL_WORDS, PARTICLES, labelled_field

VizField = Literal["surname", "given_names", "number", "birth_date", "expiry_date"]
FIELDS: tuple[VizField, ...] = ("number", "surname", "given_names", "birth_date", "expiry_date")

_USABLE = 0.5  # certainty of a line that may agree: five fields do not agree by chance
_CLEAR = 0.9  # certainty of a line that may differ
_CLEAR_NAME = 0.95  # of a name, which no pattern guards: below, a letter is missing or another
_CLEAR_HEIGHT = 14.0  # pixels of a line's box, capitals of eight: below, a reader guesses, however certain it is
_ZONE_LINE = 22  # characters without a blank: a line of the zone itself, which proves nothing
_DATES_OF_A_PAGE = 3  # birth, issue and expiry: when all were read and none is the zone's, the page says otherwise
_SHORTEST_NEAR_MISS = 4  # letters; below, everything is near to everything

_OK = FieldVerdict(Verdict.PASSED, "ok")
_ABSENT = FieldVerdict(Verdict.NOT_PRESENT, "not_in_the_zone")


@dataclass(frozen=True, repr=False)
class Fragment:
    """One line of print as an optical reader saw it. `box` is left, top, right, bottom on the upright page."""

    text: str
    confidence: float  # 0 to 1
    box: tuple[float, float, float, float]

    @property
    def height(self) -> float:
        return max(1.0, self.box[3] - self.box[1])


@dataclass(frozen=True, repr=False)
class VizComparison:
    """`check` is `mrz_viz`; `verdicts` has an answer for each field, NOT_PRESENT where the zone has none."""

    check: Check
    verdicts: Mapping[VizField, FieldVerdict] = field(default_factory=dict)


def compare_viz(fragments: Sequence[Fragment], mrz: Mrz) -> VizComparison:
    """The page against the zone. Never raises; takes some hundredths of a second.

    `fragments` may come from several looks or from both sides of a card. Reasons: PASSED `ok`; FAILED
    `number_differs` and so on; NOT_CHECKED `not_readable` (nothing agreed), `not_readable_number` and so on, or
    `zone_not_read` for a zone without a name or a number.
    """
    if mrz.number is None or (mrz.surname is None and mrz.given_names is None):
        return _answer(Verdict.NOT_CHECKED, "zone_not_read", {})
    page = _Page(tuple(_outside_the_zone(fragments)), mrz)
    verdicts = {name: page.verdict(name) for name in FIELDS}
    for wanted in (Verdict.FAILED, Verdict.NOT_CHECKED):
        for name in FIELDS:
            if verdicts[name].verdict is wanted:
                nothing = wanted is Verdict.NOT_CHECKED and not any(each.passed for each in verdicts.values())
                return _answer(wanted, "not_readable" if nothing else verdicts[name].reason, verdicts)
    return _answer(Verdict.PASSED, "ok", verdicts)


def everything_found(fragments: Sequence[Fragment], mrz: Mrz) -> bool:
    """Whether `compare_viz` passes already: the question of a reader that may stop."""
    if mrz.number is None or (mrz.surname is None and mrz.given_names is None):
        return False
    page = _Page(tuple(_outside_the_zone(fragments)), mrz)
    return all(page.found(name) is not False for name in FIELDS)


def _answer(verdict: Verdict, reason: str, verdicts: Mapping[VizField, FieldVerdict]) -> VizComparison:
    return VizComparison(Check(name=CheckName.MRZ_VIZ, verdict=verdict, reason=reason), verdicts)


def _outside_the_zone(fragments: Sequence[Fragment]) -> Iterator[Fragment]:
    """Without the zone's own lines and what is left of them at their height: it would agree with itself."""
    zone = [each for each in fragments if _is_zone_line(each.text)]
    for each in fragments:
        middle = (each.box[1] + each.box[3]) / 2
        if each.confidence >= _USABLE and not any(line.box[1] <= middle <= line.box[3] for line in zone):
            yield each


def _is_clear(line: Fragment, certainty: float = _CLEAR) -> bool:
    return line.confidence >= certainty and line.height >= _CLEAR_HEIGHT


def _is_zone_line(text: str) -> bool:
    close = "".join(text.split())
    return "<<" in close or close.count("<") > 2 or (len(close) >= _ZONE_LINE and " " not in text.strip())


class _Page:
    """The readable print of one document, and what its zone says."""

    def __init__(self, fragments: tuple[Fragment, ...], mrz: Mrz) -> None:
        self._fragments = fragments
        self._lines = tuple(_running(fragments))
        self._names_of_rows = tuple(_across_labels(fragments))
        self._mrz = mrz
        self._issuer = mrz.issuer or ""

    def found(self, name: VizField) -> bool | None:
        """Whether the page has the field as the zone has it; None where the zone has no such field."""
        if name == "number":
            return self._number_found()
        if name == "birth_date" or name == "expiry_date":
            written = self._mrz.birth if name == "birth_date" else self._mrz.expiry
            return self._date_found(written) if written and written.strip("<") else None
        mine, other = self._names(name)
        return self._name_found(mine, other, name) if mine else None

    def verdict(self, name: VizField) -> FieldVerdict:
        found = self.found(name)
        if found is not False:
            return _OK if found else _ABSENT
        if name == "number":
            differs = self._number_differs()
        elif name == "birth_date" or name == "expiry_date":
            differs = self._date_differs(
                (self._mrz.birth if name == "birth_date" else self._mrz.expiry) or "", name
            )
        else:
            mine, other = self._names(name)
            differs = self._near_miss(mine, other) or self._clearly_another(name, mine, other)
        if differs:
            return FieldVerdict(Verdict.FAILED, f"{name}_differs")
        return FieldVerdict(Verdict.NOT_CHECKED, f"not_readable_{name}")

    # names ------------------------------------------------------------------------------------------------

    def _names(self, which: VizField) -> tuple[str, str]:
        """The name that is asked for, and the other one."""
        surname, given = self._mrz.surname or "", self._mrz.given_names or ""
        return (surname, given) if which == "surname" else (given, surname)

    def _name_found(self, mine: str, other: str, which: VizField) -> bool:
        labelled = [text for each in self._beside(which) for text in _scripts(each.text, self._issuer)]
        # One letter stands in many places; it is a name only where a name belongs.
        everywhere = sum(map(str.isalpha, mine)) > 1
        for line in (*self._lines, *(self._names_of_rows if " " in mine else ())):
            for text in _scripts(line.text, self._issuer):
                trusted = text in labelled
                if (trusted or everywhere) and self._agrees(text, mine, other, trusted):
                    return True
        return False

    def _agrees(self, text: str, mine: str, other: str, trusted: bool) -> bool:
        """Whether `text` is the name, with nothing beside it but labels, titles or the other name."""
        words = [word for word in _words(text) if any(map(str.isalpha, word)) or word[0].isdigit()]
        if trusted and self._same(" ".join(words), mine):
            return True
        if all(_plain(word) in LABEL_WORDS for word in words):
            return False  # a label is no value, unless it stands where a value belongs
        for start in range(len(words)):
            for end in range(len(words), start, -1):
                if not self._same(" ".join(words[start:end]), mine):
                    continue
                beside = words[:start] + words[end:]
                if any(_plain(word) in PARTICLES for word in (*words[:start][-1:], *words[end:][:1])):
                    continue  # CRUZ is not DE LA CRUZ
                named = " ".join(word for word in beside if not _is_noise(word))
                # Beside it may stand the other name, or the same in a second script.
                if not named or self._same(named, other) or self._same(named, mine):
                    return True
        return False

    def _same(self, printed: str, written: str, *, anywhere: bool = False) -> bool:
        if not printed:
            return False
        letters = sum(map(str.isalnum, printed))
        if letters > 2 * len(written) and not self._mrz.name_truncated:
            return False  # no table makes one letter of more than two; most of a page's text ends here
        extras = _name_confusions(printed, self._issuer, anywhere=anywhere)
        if edits(printed, written, self._issuer, limit=0, extras=extras) == 0:
            return True
        return self._mrz.name_truncated and _shortened(_words(printed.replace("-", " ")), written, self._issuer)

    def _near_miss(self, mine: str, other: str) -> bool:
        """A line that is clearly the name but for a letter or two."""
        letters = mine.replace(" ", "")
        if len(letters) < _SHORTEST_NEAR_MISS or self._mrz.name_truncated:
            return False
        limit = 1 if len(letters) < 7 else 2
        for line in self._lines:
            if not _is_clear(line, _CLEAR_NAME) or any(
                self._same(line.text, name) for name in (mine, other) if name
            ):
                continue
            words = " ".join(_named(line.text))
            if len(printed := printed_letters(words).replace(" ", "")) < 2:
                continue
            if _cut_off(printed, letters):
                continue
            extras = _name_confusions(words, self._issuer, anywhere=True)
            if any(
                0 < edits(text, mine, self._issuer, limit=limit, extras=extras if text == words else ()) <= limit
                for text in _scripts(words, self._issuer)
            ):
                return True
        return False

    def _clearly_another(self, which: VizField, mine: str, other: str) -> bool:
        """Something that can only be a name stands in the name's place."""
        for line in self._beside(which):
            text = " ".join(_named(line.text))
            if not _is_clear(line, _CLEAR_NAME) or len(text) < 3 or any(map(str.isdigit, text)):
                continue
            if _cut_off(printed_letters(text).replace(" ", ""), mine.replace(" ", "")):
                continue
            known = (text in (self._issuer, self._mrz.nationality), other and self._same(text, other))
            if not any(known) and not any(self._same(text, part, anywhere=True) for part in _parts(mine)):
                return True
        return False

    # number -----------------------------------------------------------------------------------------------

    @property
    def _number(self) -> str:
        return _number_form((self._mrz.number or "").replace("<", ""))

    def _number_found(self) -> bool:
        for line in self._fragments:
            tokens = _number_tokens(line.text)
            for start, end, joined in _runs(tokens):
                # A visa's zone has nine characters of a passport's number, however long that is (9303-7, note j).
                cut = joined[:9] if self._mrz.document_code.startswith("V") else joined
                if self._number in (joined, cut) and not any(map(_is_number, tokens[:start] + tokens[end:])):
                    return True
        return False

    def _number_differs(self) -> bool:
        clear = [line for line in self._fragments if _is_clear(line)]
        for line in clear:
            tokens = _number_tokens(line.text)
            for start, end, joined in _runs(tokens):
                if any(map(_is_number, tokens[start:end])) and _number_near_miss(joined, self._number):
                    return True
        if self._mrz.document_code.startswith("V"):
            return False  # a visa also names the number of the passport
        for line in self._beside("number"):
            form = _number_form(_without_labels(line.text))
            if _is_clear(line) and _is_number(form) and len(form) >= 6:
                return not _confusable(form, self._number) and not printed_dates(line.text)
        return False

    # dates ------------------------------------------------------------------------------------------------

    def _date_found(self, written: str) -> bool:
        year, month, day = (written[each : each + 2] for each in (0, 2, 4))
        if month == day == "<<":  # only the year is known, and only it is printed
            return any(re.search(rf"(?<!\d)\d*{year}(?!\d)", each.text) for each in self._fragments)
        return any(
            _is_date(date, year, month, day)
            for line in self._lines
            for date in printed_dates(line.text, self._issuer)
        )

    def _date_differs(self, written: str, which: VizField) -> bool:
        if "<" in written:
            return False
        dated = [line for line in self._fragments if _is_clear(line) and printed_dates(line.text, self._issuer)]
        texts = {line.text for line in self._beside(which)}
        return len(dated) >= _DATES_OF_A_PAGE or any(line.text in texts for line in dated)

    # where things stand -----------------------------------------------------------------------------------

    def _beside(self, which: VizField) -> list[Fragment]:
        """What stands where the field's label points: behind it on its line, to its right, or right below it."""
        found: list[Fragment] = []
        for label in self._fragments:
            if labelled_field(label.text) != which:
                continue
            if rest := _without_labels(label.text):
                found.append(Fragment(rest, label.confidence, label.box))
                continue
            values = [each for each in self._fragments if each is not label and not _is_label(each.text)]
            below = [each for each in values if _stands_below(label, each)]
            right = [each for each in values if _stands_right(label, each)]
            found += sorted(below, key=lambda each: each.box[1])[:2]
            found += sorted(right, key=lambda each: each.box[0])[:1]
        return found


# ------------------------------------------------------------------------------------------------------- words


def _shortened(printed: Sequence[str], written: str, issuer: str) -> bool:
    """Whether the zone's words are the printed ones, in order, cut off or left out for want of room.

    9303-4 §4.2.3: words may be cut to one letter or dropped, but never the first.
    """
    wanted = written.split()
    for word in printed:
        extras = _name_confusions(word, issuer)
        if wanted and edits(word, wanted[0], issuer, limit=0, extras=extras, open_end=True) == 0:
            wanted = wanted[1:]
        elif len(wanted) == len(written.split()):
            return False
    return not wanted


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s/:,()<>&;|+·]+", text) if word.strip(".-'’°")]


def _plain(text: str) -> str:
    """Upper case, Latin letters without their marks."""
    decomposed = unicodedata.normalize("NFD", text.upper())
    return "".join(each for each in decomposed if not unicodedata.combining(each)).strip(".-'’°")


def _is_noise(word: str) -> bool:
    """A label, a title, a number of a field: what may stand on a name's line without being of the name."""
    plain = _plain(word)
    return len(plain) < 2 or not any(map(str.isalpha, plain)) or plain in LABEL_WORDS or plain in HONORIFICS


def _named(text: str) -> list[str]:
    """The words of a line that are no labels or titles; a particle belongs to the word behind it."""
    found: list[str] = []
    for word in reversed(_words(text)):
        if not _is_noise(word) or (found and _plain(word) in PARTICLES):
            found.append(word)
    return found[::-1]


def _is_label(text: str) -> bool:
    words = [word for word in _words(text) if len(_plain(word)) > 1]
    labels = sum(_plain(word) in LABEL_WORDS for word in words)
    return labels * 2 >= len(words) and any(_plain(word) in LABEL_WORDS - PARTICLES for word in words)


def _parts(name: str) -> list[str]:
    """The name, and each part of it that may have a row of its own: a father's name, a second surname."""
    return [joined for _, _, joined in _runs(name.split(), " ")] or [name]


def _cut_off(printed: str, letters: str) -> bool:
    """Whether a line is a name's beginning or end, the rest lost where the line was cut: that is no other name."""
    plain = _plain(printed)
    return 2 * len(plain) >= len(letters) and (letters.startswith(plain) or letters.endswith(plain))


def _without_labels(text: str) -> str:
    return " ".join(word for word in _words(text) if not _is_noise(word) or any(map(str.isdigit, word)))


# Latin capitals whose ink is also a Cyrillic or Greek capital's: a reader of Latin letters reads them so.
_CYRILLIC_INK = str.maketrans("ABCEHIKMOPTXYJS", "АВСЕНІКМОРТХУЈЅ")
_GREEK_INK = str.maketrans("ABEZHIKMNOPTYX", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
_CYRILLIC_ISSUERS = frozenset(("RUS", "BLR", "UKR", "BGR", "SRB", "MKD", "MNE", "BIH", "KAZ", "KGZ", "TJK", "MNG"))
_GREEK_ISSUERS = frozenset(("GRC", "CYP"))


def _scripts(text: str, issuer: str) -> tuple[str, ...]:
    """`text`, and the same ink as letters of the issuer's own alphabet where every letter may be one of it."""
    upper = text.upper()
    letters = {each for each in upper if each.isalpha()}
    if issuer in _CYRILLIC_ISSUERS and letters <= set("ABCEHIKMOPTXYJS"):
        return text, upper.translate(_CYRILLIC_INK)
    if issuer in _GREEK_ISSUERS and all(each in "ABEZHIKMNOPTYX" or "Ͱ" <= each < "Ͽ" for each in letters):
        return text, upper.translate(_GREEK_INK)
    return (text,)


# A digit has no place in a name, so what looks like one is a letter; and no name has the double X of table A.
_NAME_CONFUSIONS: dict[str, Spellings] = {
    "0": ("O",), "1": ("I", "L"), "5": ("S",), "8": ("B",), "|": ("I", "L"), "U": ("UXX",), "N": ("NXX",),
}  # fmt: skip
# What the optical reader loses: the mark on a letter whose marked form has a spelling of its own. It may agree
# where the issuer's names have such letters. Anywhere else HANSEN in print and HAENSEN in the zone are two names,
# or a foreigner's one, and nobody knows.
_TWO_DOTS: dict[str, Spellings] = {
    "A": ("AE",), "Á": ("AE",), "À": ("AE",), "O": ("OE",), "Ó": ("OE",), "Ò": ("OE",), "Õ": ("OE",), "Ő": ("OE",),
    "0": ("OE",), "U": ("UE",), "Ú": ("UE",), "Ù": ("UE",), "Ű": ("UE",),
}  # fmt: skip
_RING: dict[str, Spellings] = {"A": ("AA",), "Á": ("AA",), "À": ("AA",)}
_RING_ISSUERS = frozenset(("SWE", "FIN", "NOR", "DNK", "FRO", "GRL"))
_TWO_DOTS_ISSUERS = _RING_ISSUERS | {
    "ISL", "D", "DEU", "AUT", "CHE", "LIE", "LUX", "BEL", "NLD", "EST", "HUN",
}  # fmt: skip
_DUTCH: dict[str, Spellings] = {"I": ("IJ", "J"), "Y": ("IJ",)}  # the letter ĳ, whose dots and tail touch
_NORTHERN: dict[str, Spellings] = {"P": ("TH",), "E": ("AE",)}  # Þ and Æ in small print
_DUTCH_ISSUERS = frozenset(("NLD", "BEL"))
_NORTHERN_ISSUERS = frozenset(("ISL", "DNK", "NOR", "FRO", "GRL"))


def _name_confusions(printed: str, issuer: str, *, anywhere: bool = False) -> tuple[Spellings, ...]:
    """For each letter of `printed` what it may also have been in ink; `anywhere`: whoever issued the document."""
    found: list[Spellings] = []
    letters = printed_letters(printed)
    cased = printed if len(printed) == len(letters) else letters
    for place, letter in enumerate(letters):
        extra = _NAME_CONFUSIONS.get(letter, ())
        if anywhere or issuer in _TWO_DOTS_ISSUERS:
            extra += _TWO_DOTS.get(letter, ())
        if anywhere or issuer in _RING_ISSUERS:
            extra += _RING.get(letter, ())
        if issuer in _NORTHERN_ISSUERS:
            extra += _NORTHERN.get(letter, ())
        if issuer in _DUTCH_ISSUERS:
            extra += _DUTCH.get(letter, ())
        before = cased[place - 1] if place else " "
        # A capital I inside a word in small letters is an l, and an l before or among capitals an I.
        if cased[place] == "I" and before.islower():
            extra += ("L",)
        if cased[place] == "l" and not before.islower():
            extra += ("I",)
        if "Α" <= letter <= "Ω" and (latin := _LATIN_OF_GREEK.get(letter)):
            extra += (latin,)
        found.append(extra)
    return tuple(found)


_LATIN_OF_GREEK = {chr(greek): chr(latin) for latin, greek in _GREEK_INK.items()}


# ----------------------------------------------------------------------------------------------------- numbers


def _number_tokens(text: str) -> list[str]:
    tokens = (_number_form(token) for token in re.split(r"[\s:°№#]+", text))
    return [token for token in tokens if token]


def _runs(tokens: Sequence[str], between: str = "") -> Iterator[tuple[int, int, str]]:
    """Neighbouring tokens as one: numbers are printed with blanks."""
    for start in range(len(tokens)):
        for end in range(start + 1, len(tokens) + 1):
            yield start, end, between.join(tokens[start:end])


def _number_form(text: str) -> str:
    """Letters and digits alone; O for 0 and I for 1, which no eye tells apart, are digits."""
    close = "".join(each for each in text.upper() if each.isascii() and each.isalnum())
    return close.replace("O", "0").replace("I", "1") if any(map(str.isdigit, close)) else close


def _is_number(form: str) -> bool:
    return sum(map(str.isdigit, form)) >= 2


_LOOKALIKES = tuple(map(frozenset, ("0QD", "1LT7", "5S", "8B", "2Z", "6G", "UV", "VY")))


def _confusable(one: str, other: str) -> bool:
    """Whether all differences are between characters that readers take for each other: then nobody knows."""
    return len(one) == len(other) and all(
        a == b or any(a in alike and b in alike for alike in _LOOKALIKES) for a, b in zip(one, other, strict=True)
    )


def _number_near_miss(printed: str, wanted: str) -> bool:
    if len(printed) != len(wanted) or len(wanted) < 6 or _confusable(printed, wanted):
        return False
    return sum(a != b for a, b in zip(printed, wanted, strict=True)) <= 2


# ------------------------------------------------------------------------------------------------------- dates


def _is_date(date: PrintedDate, year: str, month: str, day: str) -> bool:
    """Whether a printed date has every part that the zone knows, and no day where the zone knows none."""
    return (
        (year == "<<" or date.year == int(year))
        and (month == "<<" or date.month == int(month))
        and (date.day == 0 if day == "<<" else date.day == int(day))
    )


# ------------------------------------------------------------------------------------------------------ places


def _running(fragments: tuple[Fragment, ...]) -> Iterator[Fragment]:
    """Every line, and lines that go on: beside each other, or two or three one above the other."""
    yield from fragments
    for first in fragments:
        for second in fragments:
            if _goes_on_beside(first, second):
                yield _joined(first, second)
            elif _goes_on_below(first, second):
                both = _joined(first, second)
                yield both
                yield from (_joined(both, third) for third in fragments if _goes_on_below(second, third))


def _across_labels(fragments: tuple[Fragment, ...]) -> Iterator[Fragment]:
    """Two or three rows of one column, their labels between them: a name and a father's, the first surname and the
    second. The zone has them as one.
    """
    following = {
        place: [other for other in fragments if _goes_on_past_a_label(first, other, fragments)]
        for place, first in enumerate(fragments)
    }
    place_of = {id(each): place for place, each in enumerate(fragments)}
    for place, first in enumerate(fragments):
        for second in following[place]:
            both = _joined(first, second)
            yield both
            yield from (_joined(both, third) for third in following[place_of[id(second)]])


def _goes_on_past_a_label(first: Fragment, second: Fragment, fragments: tuple[Fragment, ...]) -> bool:
    gap = second.box[1] - first.box[3]
    aligned = abs(second.box[0] - first.box[0]) < 1.5 * first.height
    if not (_alike(first, second) and aligned and first.height <= gap < 4 * first.height):
        return False
    between = [
        each
        for each in fragments
        if first.box[3] <= (each.box[1] + each.box[3]) / 2 <= second.box[1]
        and each.box[0] < first.box[2]
        and each.box[2] > first.box[0]
    ]
    return bool(between) and all(each.height < 0.85 * first.height or _is_label(each.text) for each in between)


def _joined(first: Fragment, second: Fragment) -> Fragment:
    a, b = first.box, second.box
    box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    return Fragment(f"{first.text} {second.text}", min(first.confidence, second.confidence), box)


def _alike(first: Fragment, second: Fragment) -> bool:
    return first is not second and 0.6 < first.height / second.height < 1.67


def _goes_on_beside(first: Fragment, second: Fragment) -> bool:
    gap = second.box[0] - first.box[2]
    level = abs(first.box[1] + first.box[3] - second.box[1] - second.box[3]) / 2
    return _alike(first, second) and -first.height / 2 < gap < 2.5 * first.height and level < first.height / 2


def _goes_on_below(first: Fragment, second: Fragment) -> bool:
    gap = second.box[1] - first.box[3]
    aligned = abs(second.box[0] - first.box[0]) < 1.5 * first.height
    return _alike(first, second) and aligned and -first.height / 2 < gap < first.height


def _stands_below(label: Fragment, value: Fragment) -> bool:
    tall = max(label.height, value.height)
    gap = value.box[1] - label.box[3]
    overlaps = value.box[0] < label.box[2] and value.box[2] > label.box[0]
    return overlaps and -tall / 2 < gap < 1.5 * tall


def _stands_right(label: Fragment, value: Fragment) -> bool:
    level = abs(label.box[1] + label.box[3] - value.box[1] - value.box[3]) / 2
    return level < max(label.height, value.height) / 2 and 0 <= value.box[0] - label.box[2] < 8 * value.height
