"""The characters of the machine readable zone, and the check digit over them (ICAO 9303-3 §4.3, §4.9)."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
FILLER = "<"
DIGITS = ALPHABET[:10]
LETTERS = ALPHABET[10:36]

VALUES = {character: value for value, character in enumerate(ALPHABET[:36])} | {FILLER: 0}
WEIGHTS = (7, 3, 1)

# What an optical reader writes where only a digit can stand.
DIGIT_LOOKALIKES = str.maketrans("OQDILBSZG", "000118526")


def check_digit(text: str) -> str:
    """The check digit of `text` (9303-3 §4.9): weights 7, 3, 1, modulo 10. KeyError outside 0-9 A-Z <."""
    return str(sum(VALUES[character] * WEIGHTS[place % 3] for place, character in enumerate(text)) % 10)
