"""National names written with the letters of the machine readable zone (ICAO 9303-3 §6, tables A and B)."""

from __future__ import annotations

import unicodedata

# Table A where the recommendation is not simply "the letter without its mark".
_LATIN = {
    "Ä": "AE", "Å": "AA", "Æ": "AE", "Ð": "D", "Đ": "D", "Ħ": "H", "Ĳ": "IJ", "ĸ": "Q", "Ł": "L", "Ŋ": "N",
    "Ö": "OE", "Ø": "OE", "Œ": "OE", "ẞ": "SS", "Ŧ": "T", "Þ": "TH", "Ü": "UE", "Ə": "E",
}  # fmt: skip

# Table B.
_CYRILLIC = {
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ё": "E", "Ж": "ZH", "З": "Z", "И": "I", "І": "I",
    "Й": "I", "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U",
    "Ф": "F", "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHCH", "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E",
    "Ю": "IU", "Я": "IA", "Ў": "U", "Ґ": "G", "Ѫ": "U", "Ѵ": "Y", "Ђ": "D", "Ѓ": "G", "Є": "IE", "Ї": "I",
    "Ѕ": "DZ", "Ј": "J", "Љ": "LJ", "Њ": "NJ", "Ќ": "K", "Ћ": "C", "Џ": "DZ",
}  # fmt: skip

# Notes of table B: letters that a national alphabet reads otherwise.
_NATIONAL = {
    "BLR": {"Г": "H", "Ё": "IO"},
    "UKR": {"Г": "H", "И": "Y"},
    "SRB": {"Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"},
    "MKD": {"Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"},
    "BGR": {"Щ": "SHT"},
}

_DROPPED = frozenset("'’‘ʼ`´.\u0301")  # apostrophes and full stops leave no trace
_ONE_LETTER = {"ß": "ẞ", "ı": "I"}  # str.upper() would lose which letter it was


def transliterate(name: str, issuer: str = "") -> str:
    """`name` as MRZ characters: A-Z with single `<` between words.

    Hyphens, commas and spaces become `<`, apostrophes and full stops vanish, letters without a rule are
    dropped. `issuer` (three letters) picks the national notes of table B.
    """
    national = _NATIONAL.get(issuer, {})
    written: list[str] = []
    for character in unicodedata.normalize("NFC", name):
        letter = _ONE_LETTER.get(character) or character.upper()
        if letter in _DROPPED:
            continue
        known = national.get(letter, _LATIN.get(letter, _CYRILLIC.get(letter)))
        if known is None:
            known = "".join(base for base in unicodedata.normalize("NFD", letter) if "A" <= base <= "Z")
            if not known and (character.isspace() or character in "-–—,<"):
                known = "<"
        written.append(known)
    return "<".join(word for word in "".join(written).split("<") if word)
