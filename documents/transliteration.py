"""National names and the letters of the machine readable zone (ICAO 9303-3 §6, tables A to C; Greek: ELOT 743).

`transliterate` goes one way and gives the recommended form. `edits` compares the other way: the tables leave
issuers a choice for many letters, so one printed name has many legal spellings, and a programme over the letters
finds the nearest of them without writing them out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

# Table A where the recommendation is not simply "the letter without its mark"; the first form is the usual one.
_LATIN: dict[str, tuple[str, ...]] = {
    "Ä": ("AE", "A"), "Å": ("AA", "A"), "Æ": ("AE",), "Ð": ("D",), "Đ": ("D",), "Ħ": ("H",), "Ĳ": ("IJ",),
    "ĸ": ("Q",), "Ł": ("L",), "Ŋ": ("N",), "Ñ": ("N", "NXX"), "Ö": ("OE", "O"), "Ø": ("OE",), "Œ": ("OE",),
    "ẞ": ("SS",), "Ŧ": ("T",), "Þ": ("TH",), "Ü": ("UE", "UXX", "U"), "Ə": ("E",), "Ŀ": ("L",),
}  # fmt: skip

# Table B.
_CYRILLIC: dict[str, tuple[str, ...]] = {
    letter: (written,)
    for letter, written in {
        "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ё": "E", "Ж": "ZH", "З": "Z", "И": "I",
        "І": "I", "Й": "I", "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S",
        "Т": "T", "У": "U", "Ф": "F", "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHCH", "Ъ": "IE",
        "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU", "Я": "IA", "Ў": "U", "Ґ": "G", "Ѫ": "U", "Ѵ": "Y", "Ђ": "D",
        "Ѓ": "G", "Є": "IE", "Ї": "I", "Ѕ": "DZ", "Ј": "J", "Љ": "LJ", "Њ": "NJ", "Ќ": "K", "Ћ": "C",
        "Џ": "DZ", "Ғ": "G", "Һ": "C",
    }.items()
}  # fmt: skip

# What a national alphabet reads otherwise: the notes of table B first, then what the state's own rules have used.
_NATIONAL: dict[str, dict[str, tuple[str, ...]]] = {
    "BLR": {"Г": ("H",), "Ё": ("IO", "YO"), "Й": ("I", "Y"), "Ю": ("IU", "YU"), "Я": ("IA", "YA")},
    # GOST R 52535.1-2006 beside today's table B
    "RUS": {"Ц": ("TS", "TC"), "Ъ": ("IE", ""), "Й": ("I", "Y"), "Ю": ("IU", "YU"), "Я": ("IA", "YA")},
    # Cabinet of Ministers 2010/55: at the beginning of a word YE, YI, Y, YU, YA
    "UKR": {
        "Г": ("H",), "И": ("Y",), "ЗГ": ("ZGH",), "Є": ("IE", "YE"), "Ї": ("I", "YI"), "Й": ("I", "Y"),
        "Ю": ("IU", "YU"), "Я": ("IA", "YA"),
    },
    "SRB": {"Г": ("G", "H"), "Ж": ("Z",), "Х": ("H",), "Ц": ("C",), "Ч": ("C",), "Ш": ("S",)},
    "MKD": {"Ѓ": ("GJ",), "Ќ": ("KJ",), "Х": ("H",), "Ц": ("C",), "Џ": ("DJ",)},
    # Transliteration Act 2009
    "BGR": {
        "Щ": ("SHT",), "Ъ": ("IE", "A"), "Х": ("KH", "H"), "Й": ("I", "Y"), "Ь": ("", "Y"), "Ю": ("IU", "YU"),
        "Я": ("IA", "YA"),
    },
}  # fmt: skip

# ELOT 743; two letters that are read as one come before their parts.
_GREEK: dict[str, tuple[str, ...]] = {
    "ΑΥ": ("AV", "AF"), "ΕΥ": ("EV", "EF"), "ΗΥ": ("IV", "IF"), "ΟΥ": ("OU",), "ΓΓ": ("NG",), "ΓΞ": ("NX",),
    "ΓΧ": ("NCH",), "ΜΠ": ("B", "MP"),
    "Α": ("A",), "Β": ("V",), "Γ": ("G",), "Δ": ("D",), "Ε": ("E",), "Ζ": ("Z",), "Η": ("I",), "Θ": ("TH",),
    "Ι": ("I",), "Κ": ("K",), "Λ": ("L",), "Μ": ("M",), "Ν": ("N",), "Ξ": ("X",), "Ο": ("O",), "Π": ("P",),
    "Ρ": ("R",), "Σ": ("S",), "Τ": ("T",), "Υ": ("Y",), "Φ": ("F",), "Χ": ("CH",), "Ψ": ("PS",), "Ω": ("O",),
}  # fmt: skip

# Table C.
_ARABIC: dict[str, tuple[str, ...]] = {
    "ء": ("XE",), "آ": ("XAA",), "أ": ("XAE",), "ؤ": ("U",), "إ": ("I",), "ئ": ("XI",), "ا": ("A",), "ب": ("B",),
    "ة": ("XTA", "XAH"), "ت": ("T",), "ث": ("XTH",), "ج": ("J",), "ح": ("XH",), "خ": ("XKH",), "د": ("D",),
    "ذ": ("XDH",), "ر": ("R",), "ز": ("Z",), "س": ("S",), "ش": ("XSH",), "ص": ("XSS",), "ض": ("XDZ",),
    "ط": ("XTT",), "ظ": ("XZZ",), "ع": ("E",), "غ": ("G",), "ف": ("F",), "ق": ("Q",), "ك": ("K",), "ل": ("L",),
    "م": ("M",), "ن": ("N",), "ه": ("H",), "و": ("W",), "ى": ("XAY",), "ي": ("Y",), "ٱ": ("XXA",), "ٹ": ("XXT",),
    "ټ": ("XRT",), "پ": ("P",), "ځ": ("XKE",), "څ": ("XXH",), "چ": ("XC",), "ڈ": ("XXD",), "ډ": ("XDR",),
    "ڑ": ("XXR",), "ړ": ("XRR",), "ږ": ("XRX",), "ژ": ("XJ",), "ښ": ("XXS",), "ک": ("XKK",), "ګ": ("XXK",),
    "ڭ": ("XNG",), "گ": ("XGG",), "ں": ("XNN",), "ڼ": ("XXN",), "ھ": ("XDO",), "ۀ": ("XYH",), "ہ": ("XXG",),
    "ۂ": ("XGE",), "ۃ": ("XTG",), "ی": ("XYA",), "ۍ": ("XXY",), "ې": ("Y",), "ے": ("XYB",), "ۓ": ("XBE",),
    "ڜ": ("",), "ڢ": ("",), "ڧ": ("",), "ڨ": ("",),
}  # fmt: skip

# Apostrophes, full stops, and what table C does not encode: the Arabic stretch and the vowels above and below.
_DROPPED = frozenset("'’‘ʼʻ`´.\u0301\u0640\u064b\u064c\u064d\u064e\u064f\u0650\u0652\u0670")
_SHADDA = "\u0651"  # the letter before it is written twice (table C, note 3)
_TEH_MARBUTA = "ة"  # XAH at the end of a name (table C, note 2)
_ONE_LETTER = {"ß": "ẞ", "ı": "I", "ς": "Σ", "ŉ": "N"}  # str.upper() would lose which letter it was
# An accent does not part two Greek letters that are read as one (a diaeresis does).
_GREEK_ACCENTS = str.maketrans("ΆΈΉΊΌΎΏ", "ΑΕΗΙΟΥΩ")
_SEPARATORS = "-–—,<"

Spellings = tuple[str, ...]


def transliterate(name: str, issuer: str = "") -> str:
    """`name` as MRZ characters: A-Z with single `<` between words.

    Hyphens, commas and spaces become `<`, apostrophes and full stops vanish, letters without a rule are
    dropped. `issuer` (three letters) picks the national notes of table B.
    """
    letters = _letters(name)
    written: list[str] = []
    place = 0
    while place < len(letters):
        letter = letters[place]
        if len(pair := letters[place : place + 2]) == 2 and (known := spellings(pair, issuer)):
            written.append(known[0])
            place += 2
            continue
        place += 1
        if known := spellings(letter, issuer):
            ends = letter == _TEH_MARBUTA and not letters[place : place + 1].isalpha()
            written.append(known[-1 if ends else 0])
        elif letter.isspace() or letter in _SEPARATORS:
            written.append("<")
    return "<".join(word for word in "".join(written).split("<") if word)


@lru_cache(maxsize=4096)
def spellings(letter: str, issuer: str = "") -> Spellings:
    """What `letter` (or two letters that are read as one), in upper case, may become; () for what is no letter.

    The first is the form that `transliterate` writes. National forms stand before the general ones, not in their
    stead: names from elsewhere are written by the general table in any state's documents.
    """
    national = _NATIONAL.get(issuer, {}).get(letter, ())
    general: Spellings = ()
    for table in (_LATIN, _CYRILLIC, _GREEK, _ARABIC):
        if letter in table:
            general = table[letter]
    if len(letter) == 2 and letter[0] == letter[1] and letter[0] in _ARABIC:  # as the standard's own FXDZDZXAH
        general = tuple(written + written.removeprefix("X") for written in _ARABIC[letter[0]])
    if not national and not general and len(letter) == 1:
        parts = unicodedata.normalize("NFD", letter)
        base = "".join(part for part in parts if "A" <= part <= "Z")
        greek = "".join(written for part in parts for written in _GREEK.get(part, ())[:1])
        general = (base or greek,) if base or greek else ()
    return tuple(dict.fromkeys((*national, *general)))


def edits(
    printed: str,
    written: str,
    issuer: str = "",
    *,
    limit: int = 2,
    extras: Sequence[Spellings] = (),
    open_end: bool = False,
) -> int:
    """How many letters of `written` (A-Z) must change to be a legal spelling of `printed`; 0 = it is one.

    Separators count for nothing on either side, because a blank is no letter. Gives `limit` + 1 for anything
    farther away. `extras` has, for each character of `printed`, further spellings that are taken for legal: what
    an optical reader is known to confuse. `open_end`: `written` may be cut off at its end (a truncated name).
    Costs the product of the two lengths, whatever the number of spellings.
    """
    letters = _letters(printed)
    if extras and len(extras) != len(letters):
        raise ValueError("extras are for each character of the printed name")
    tokens = [_tokens(letters, place, issuer, extras) for place in range(len(letters))]
    wanted = "".join(letter for letter in written if "A" <= letter <= "Z")
    if limit == 0:
        return 0 if _reaches(letters, wanted, tokens, open_end) else 1
    longest = sum(max((len(spelling) for _, spelling in each), default=0) for each in tokens)
    if not open_end and len(wanted) > longest + limit:
        return limit + 1
    far = limit + 1
    width = len(wanted) + 1
    # costs[p][i]: least edits after p printed characters and i written ones
    costs = [[far] * width for _ in range(len(letters) + 1)]
    costs[0][0] = 0
    nearest_end = far
    for place, row in enumerate(costs):
        for column in range(1, width):  # a letter that stands in the zone only
            row[column] = min(row[column], row[column - 1] + 1)
        if open_end:
            nearest_end = min(nearest_end, row[-1])
        if place == len(letters):
            break
        if not tokens[place]:  # a separator or a mark
            after = costs[place + 1]
            for column in range(width):
                after[column] = min(after[column], row[column] + (1 if letters[place].isalnum() else 0))
            continue
        for column, cost in enumerate(row):
            if cost > limit:
                continue
            after = costs[place + 1]
            after[column] = min(after[column], cost + 1)  # a letter that is printed only
            if column + 1 < width:
                after[column + 1] = min(after[column + 1], cost + 1)  # another letter
            for taken, spelling in tokens[place]:
                if wanted.startswith(spelling, column):
                    target = costs[place + taken]
                    target[column + len(spelling)] = min(target[column + len(spelling)], cost)
    return min(far, nearest_end if open_end else costs[-1][-1])


def _reaches(letters: str, wanted: str, tokens: Sequence[Sequence[tuple[int, str]]], open_end: bool) -> bool:
    """Whether `wanted` is a spelling: the same programme without edits, as sets of places that can be reached."""
    reached: list[set[int]] = [set() for _ in range(len(letters) + 1)]
    reached[0].add(0)
    for place, columns in enumerate(reached[:-1]):
        if open_end and len(wanted) in columns:
            return True
        if not tokens[place] and not letters[place].isalnum():
            reached[place + 1] |= columns
        for taken, spelling in tokens[place]:
            reached[place + taken] |= {c + len(spelling) for c in columns if wanted.startswith(spelling, c)}
    return len(wanted) in reached[-1]


def _letters(name: str) -> str:
    """One character a letter: composed, upper case, without what leaves no trace."""
    composed = unicodedata.normalize("NFC", name)
    upper = (_ONE_LETTER.get(character) or character.upper() for character in composed)
    kept: list[str] = []
    for each in "".join(upper):
        if each == _SHADDA:
            kept += kept[-1:]
        elif each not in _DROPPED:
            kept.append(each)
    return "".join(kept).translate(_GREEK_ACCENTS)


def printed_letters(name: str) -> str:
    """`name` as `edits` takes it apart: what the places of its `extras` are counted in."""
    return _letters(name)


def _tokens(letters: str, place: int, issuer: str, extras: Sequence[Spellings]) -> tuple[tuple[int, str], ...]:
    """(printed characters taken, spelling) of everything that may be read at a place."""
    single = spellings(letters[place], issuer)
    if extras:
        single += extras[place]
    pair = spellings(letters[place : place + 2], issuer) if place + 1 < len(letters) else ()
    return tuple((1, spelling) for spelling in single) + tuple((2, spelling) for spelling in pair)
