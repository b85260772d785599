"""The zone of Russia's internal passport, which its citizens also travel with to Belarus and other neighbours.

Its two lines have TD3's places, and three things of their own: names in the code below, one sign for each letter
of the alphabet, digits among them; no expiry, because it depends on the holder's age; and three digits of the
series before the number, the fourth at the head of the optional data, before the date of issue and the office.
Source: the annex on the machine readable record to the Russian interior ministry's rules for this passport
(order 773 of 2020 and those before it); checked with one specimen.
"""

from __future__ import annotations

import re

from documents.transliteration import transliterate

SIGNS = "ABVGDE2JZIQKLMNOPRSTUFHC34WXY9678"
_LETTERS = dict(zip(SIGNS, "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ", strict=True))
_SIGNS = {letter: sign for sign, letter in _LETTERS.items()}


def encoded(name: str) -> str:
    """A Russian name as its zone has it, words parted by `<`. KeyError for what is no letter of the alphabet."""
    return "<".join("".join(_SIGNS[letter] for letter in word) for word in re.split(r"[\s-]+", name.upper()))


def latin(text: str) -> str:
    """Signs and fillers of the zone as the same holder's travel passport has them: table B of 9303-3 §6.

    A text with other signs stays as it is.
    """
    if not set(text) <= {*SIGNS, "<"}:
        return text
    letters = "".join(_LETTERS.get(sign, sign) for sign in text)
    return re.sub(r"[^<]+", lambda word: transliterate(word[0], "RUS"), letters)


def whole_number(number: str, optional: str) -> str:
    """Series and number, ten digits, out of the zone's two places; the nine alone where the tenth is no digit."""
    return number[:3] + optional[0] + number[3:] if optional[:1].isdigit() and len(number) == 9 else number
