"""Name screening against small lists in memory, tolerant of transliteration, typing errors and the order of names.

Two ways to find candidates, their union, then one comparison: trigrams of the folded name catch typing errors,
a phonetic key per name part catches another spelling of the same sound (Aleksandr Ivanov, Alexander Iwanow).
A candidate hits at `THRESHOLD`, or at `THRESHOLD_WITH_BIRTH_DATE` when the birth dates agree; two known birth
dates that differ in the year by more than one ask for `THRESHOLD_AGAINST_BIRTH_DATE`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rapidfuzz import fuzz

from central.risk import ListHit
from contracts.disposition import Agency

THRESHOLD = 88
THRESHOLD_WITH_BIRTH_DATE = 82
THRESHOLD_AGAINST_BIRTH_DATE = 97
CANDIDATE_TRIGRAMS = 0.3  # share of the entry's trigrams that the name must hold

# Cyrillic as ICAO 9303-3 table B writes it, near enough for comparison after folding.
CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіўґєї",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "e",
            "zh",
            "z",
            "i",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "",
            "y",
            "",
            "e",
            "iu",
            "ia",
            "i",
            "u",
            "g",
            "ie",
            "i",
        ],
        strict=True,
    )
)
# Spellings of one sound across the usual transliterations, longest first.
SOUNDS: tuple[tuple[str, str], ...] = (
    ("szcz", "s"), ("sz", "s"), ("cz", "c"), ("rz", "s"),  # Polish
    ("shch", "s"), ("sch", "s"), ("tch", "c"), ("tsch", "c"), ("dzh", "j"), ("zh", "j"), ("kh", "h"),
    ("ch", "c"), ("sh", "s"), ("ts", "c"), ("tz", "c"), ("ph", "f"), ("th", "t"), ("ck", "k"), ("ks", "x"),
    ("ou", "u"), ("off", "ov"), ("eff", "ev"), ("iff", "iv"), ("ow", "ov"), ("ew", "ev"), ("aw", "av"),
    ("iw", "iv"), ("yo", "e"), ("jo", "e"), ("io", "e"), ("ye", "e"), ("je", "e"), ("ie", "e"), ("ya", "a"),
    ("ja", "a"), ("ia", "a"), ("yu", "u"), ("ju", "u"), ("iu", "u"), ("iy", "i"), ("ij", "i"), ("ii", "i"),
    ("yi", "i"), ("ey", "ei"), ("y", "i"), ("j", "i"), ("w", "v"), ("q", "k"), ("z", "s"), ("x", "ks"),
)  # fmt: skip


class InvalidList(ValueError):
    """A watch list that cannot be used; the text names the file and line, never a name on the list."""


@dataclass(frozen=True)
class Entry:
    """One name on a list."""

    name: str
    birth_date: date | None
    list_name: str
    reason_code: str
    owner: Agency
    expires: date | None

    @property
    def key(self) -> str:
        """A stable id: the hash of the entry."""
        return hashlib.sha256(json.dumps(_as_json(self), sort_keys=True).encode()).hexdigest()[:16]


class WatchList:
    """Entries, indexed. Immutable; a change of the lists makes a new one with another hash."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(sorted(set(entries), key=lambda entry: entry.key))
        self._folded = [fold(entry.name) for entry in self.entries]
        self._trigrams: dict[str, list[int]] = {}
        self._phonetic: dict[str, list[int]] = {}
        self._sizes: list[int] = []
        for place, folded in enumerate(self._folded):
            grams = trigrams(folded)
            self._sizes.append(max(1, len(grams)))
            for gram in grams:
                self._trigrams.setdefault(gram, []).append(place)
            for part in folded.split():
                self._phonetic.setdefault(sound(part), []).append(place)

    @property
    def content(self) -> bytes:
        """Canonical JSON of all entries: what is kept with the decisions that relied on it."""
        return json.dumps(
            [_as_json(entry) for entry in self.entries], sort_keys=True, ensure_ascii=False, separators=(",", ":")
        ).encode()

    @property
    def content_hash(self) -> str:
        """SHA-256 of `content`."""
        return hashlib.sha256(self.content).hexdigest()

    @classmethod
    def from_content(cls, content: bytes) -> WatchList:
        """The inverse of `content`."""
        return cls(
            Entry(
                name=row["name"],
                birth_date=date.fromisoformat(row["birth_date"]) if row["birth_date"] else None,
                list_name=row["list"],
                reason_code=row["reason_code"],
                owner=Agency(row["owner"]),
                expires=date.fromisoformat(row["expires"]) if row["expires"] else None,
            )
            for row in json.loads(content)
        )

    def screen(self, surname: str, given_names: str, birth_date: date | None, on: date) -> tuple[ListHit, ...]:
        """The entries that this person may be, best first. Expired entries never hit."""
        name = fold(f"{surname} {given_names}")
        hits = []
        for place in sorted(self._candidates(name)):
            entry = self.entries[place]
            if entry.expires is not None and entry.expires < on:
                continue
            score = similarity(name, self._folded[place])
            support = _support(birth_date, entry.birth_date)
            needed = {
                "agrees": THRESHOLD_WITH_BIRTH_DATE,
                "unknown": THRESHOLD,
                "differs": THRESHOLD_AGAINST_BIRTH_DATE,
            }[support]
            if score >= needed:
                hits.append(ListHit(entry.key, entry.list_name, entry.reason_code, entry.owner, score, support))
        return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.entry)))

    def _candidates(self, name: str) -> set[int]:
        shared: dict[int, int] = {}
        for gram in trigrams(name):
            for place in self._trigrams.get(gram, ()):
                shared[place] = shared.get(place, 0) + 1
        found = {place for place, count in shared.items() if count / self._sizes[place] >= CANDIDATE_TRIGRAMS}
        sounding: dict[int, int] = {}
        for part in set(map(sound, name.split())):
            for place in set(self._phonetic.get(part, ())):
                sounding[place] = sounding.get(place, 0) + 1
        return found | {place for place, count in sounding.items() if count >= 2 or len(name.split()) == 1}


def fold(name: str) -> str:
    """Lower case Latin letters and single spaces: Cyrillic transliterated, accents and signs dropped."""
    lowered = "".join(CYRILLIC.get(character, character) for character in name.lower())
    plain = unicodedata.normalize("NFKD", lowered.replace("ł", "l").replace("ß", "ss").replace("ø", "o"))
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    parts = re.sub(r"[^a-z]+", " ", letters.replace("'", "").replace("’", "")).strip()
    return re.sub(r"\b(al|el) (?=[a-z])", r"\1", parts)  # an article belongs to its name, however it is printed


def sound(part: str) -> str:
    """A phonetic key of one folded name part: one spelling per sound, no vowels after the first letter."""
    text = part
    for spelling, one in SOUNDS:
        text = text.replace(spelling, one)
    return re.sub(r"(.)\1+", r"\1", text[:1] + re.sub(r"[aeiouh]", "", text[1:]))


def trigrams(name: str) -> set[str]:
    """Trigrams of each part with its edges marked."""
    return {f"  {part} "[place : place + 3] for part in name.split() for place in range(len(part) + 1)}


def similarity(one: str, other: str) -> int:
    """0 to 100: how well the parts of the shorter name find their likes in the longer one, in any order."""
    ours, theirs = one.split(), other.split()
    if not ours or not theirs:
        return 0
    shorter, longer = sorted((ours, theirs), key=len)
    remaining = list(longer)
    total = weight = 0.0
    for part in sorted(shorter, key=len, reverse=True):
        best = max(remaining, key=lambda candidate: _part_similarity(part, candidate), default="")
        if best:
            remaining.remove(best)
        total += _part_similarity(part, best) * len(part)
        weight += len(part)
    score = total / weight
    # One shared part alone is an ordinary coincidence: missing parts cost a little, a lone part much.
    missing = len(longer) - len(shorter)
    penalty = 0.0 if missing == 0 else 4.0 * missing if len(shorter) > 1 else 20.0
    return round(max(0.0, score - penalty))


def _part_similarity(one: str, other: str) -> float:
    spelt = fuzz.ratio(one, other)
    if sound(one) == sound(other) and len(sound(one)) > 1:
        spelt = max(spelt, 92.0)
    return spelt


def _support(one: date | None, other: date | None) -> str:
    if one is None or other is None:
        return "unknown"
    if one == other:
        return "agrees"
    return "differs" if abs(one.year - other.year) > 1 else "unknown"


def load_lists(paths: Iterable[Path]) -> WatchList:
    """Read CSV lists with the columns name, birth_date, list, reason_code, owner, expires. Raises InvalidList."""
    return WatchList(entry for path in paths for entry in _read(path))


def _read(path: Path) -> Iterator[Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidList(f"{path}: cannot be read") from problem
    for line, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            if not fold(row["name"]):
                raise ValueError("empty name")
            yield Entry(
                name=row["name"].strip(),
                birth_date=date.fromisoformat(row["birth_date"])
                if (row.get("birth_date") or "").strip()
                else None,
                list_name=row["list"].strip(),
                reason_code=row["reason_code"].strip(),
                owner=Agency((row.get("owner") or "customs").strip()),
                expires=date.fromisoformat(row["expires"]) if (row.get("expires") or "").strip() else None,
            )
        except (KeyError, ValueError, AttributeError, TypeError) as problem:
            raise InvalidList(f"{path}: line {line} is not a list entry") from problem


def _as_json(entry: Entry) -> dict[str, str]:
    return {
        "name": entry.name,
        "birth_date": entry.birth_date.isoformat() if entry.birth_date else "",
        "list": entry.list_name,
        "reason_code": entry.reason_code,
        "owner": entry.owner.value,
        "expires": entry.expires.isoformat() if entry.expires else "",
    }
