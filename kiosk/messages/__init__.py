"""The traveller's words: one catalogue for text and for speech.

`messages.po` files with symbolic ids are read as they are, without a compile step. `**bold**` marks what leads a
sentence. Values that are codes (`kind`, `issuer`, and `amount` with its `unit`) are put into words here, so that
whoever composes a `Message` needs no language.

`ar-XB` is no language: it is English made longer and right to left, to prove the screens before a translator
comes.
"""

from __future__ import annotations

import gettext
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.core import get_global
from babel.messages.pofile import read_po

from kiosk.view import Message

HERE = Path(__file__).resolve().parent
SOURCE = "en"
PSEUDO = "ar-XB"
AUTONYMS = {"be": "Беларуская", "ru": "Русский", "en": "English", PSEUDO: "Pseudo ⟵"}
GREETINGS = ("Вітаем", "Добро пожаловать", "Welcome", "Witamy", "مرحبًا")

# Codes of CLDR that are no country of ISO 3166-1: unions, pseudo-locales, "unknown".
_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA", "XK"})
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")
# Arabic letters without a meaning: they bring the real font and the real direction.
_FILLER = "ابجد هوز حطي كلمن سعفص قرشت"


@dataclass(frozen=True)
class Entry:
    """The forms of one message, and which form a number takes."""

    forms: tuple[str, ...]
    choose: Callable[[int], int]


class Catalogue:
    """Every message in every language."""

    def __init__(self, languages: Mapping[str, Mapping[str, Entry]]) -> None:
        self._languages = languages

    @classmethod
    def load(cls, *, pseudo: bool = True) -> Catalogue:
        """Read the catalogues beside this file; `pseudo` adds the right-to-left rehearsal language.

        Raises ValueError for a file that cannot be read, and OSError.
        """
        languages: dict[str, dict[str, Entry]] = {}
        for path in sorted(HERE.glob("*/messages.po")):
            languages[path.parent.name] = _read(path)
        if pseudo:
            languages[PSEUDO] = {
                # The product's name is a name in every language.
                message: entry if message == "app.name" else Entry(tuple(map(_pseudo, entry.forms)), entry.choose)
                for message, entry in languages[SOURCE].items()
            }
        return cls(languages)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes in the order in which the welcome page offers them."""
        return tuple(sorted(self._languages, key=lambda code: [*AUTONYMS, code].index(code)))

    def ids(self, language: str = SOURCE) -> frozenset[str]:
        return frozenset(self._languages[language])

    def has(self, message_id: str) -> bool:
        return message_id in self._languages[SOURCE]

    def entry(self, message_id: str, language: str) -> Entry:
        """The message's forms; English where a language is unknown. Raises KeyError for an unknown id."""
        return self._languages.get(language, {}).get(message_id) or self._languages[SOURCE][message_id]

    def text(self, message: Message, language: str) -> str:
        """The sentence with its values, with `**bold**` still marked.

        The value `count` chooses the plural form. Raises KeyError for an unknown id or a missing value.
        """
        entry = self.entry(message.id, language)
        form = entry.forms[0]
        if len(entry.forms) > 1:
            form = entry.forms[entry.choose(_number(message.values["count"]))]
        return form.format_map(self._words(message.values, language))

    def speech(self, message: Message, language: str) -> str:
        """The same sentence for the ear. The rehearsal language is spoken as the English it comes from."""
        return _BOLD.sub(r"\1", self.text(message, SOURCE if language == PSEUDO else language))

    def amount(self, number: str, unit: str, language: str, form: str = "") -> str:
        """A number with its unit or currency: "5 litres", "$10,000", "200".

        `form` is "short" for scales and sizes, or "more" for the case that follows "more than".
        """
        candidates = (f"unit.{unit}.{form}", f"unit.{unit}", "unit.money")
        message_id = next(candidate for candidate in candidates if self.has(candidate))
        return self.text(Message(message_id, {"count": number, "currency": unit}), language)

    def _words(self, values: Mapping[str, str], language: str) -> dict[str, str]:
        words = {name: figures(value, language) for name, value in values.items()}
        if "unit" in words and "amount" in words:
            words["amount"] = self.amount(words["amount"], words["unit"], language)
        if "kind" in words and self.has(f"kind.{words['kind']}"):
            words["kind"] = self.text(Message(f"kind.{words['kind']}"), language)
        for name in ("origin", "use"):  # codes of the annex for declared money
            if name in words and self.has(f"money.{name}.{words[name]}"):
                words[name] = self.text(Message(f"money.{name}.{words[name]}"), language)
        for name in ("country", "destination"):  # of a route, by two letters
            if name in words:
                words[name] = country(words[name], language)
        if "issuer" in words:
            known = f"country.{words['issuer']}"
            named = self.text(Message(known), language) if self.has(known) else country(words["issuer"], language)
            words["issuer"] = named
        return words


def figures(text: str, language: str) -> str:
    """A number written the English way, as the language writes it: "10,000.5" is "10 000,5" in Russian.

    A currency code may follow it.
    """
    if language in (SOURCE, PSEUDO) or not re.fullmatch(r"(\d{1,3}(,\d{3})*(\.\d+)?|\d+\.\d+)( [A-Z]{3})?", text):
        return text
    symbols = Locale.parse(language).number_symbols["latn"]
    return text.translate({ord(","): symbols["group"], ord("."): symbols["decimal"]})


def direction(language: str) -> str:
    """`rtl` or `ltr`, for the page's `dir`."""
    return "rtl" if Locale.parse(language.split("-")[0]).text_direction == "rtl" else "ltr"


def country(code: str, language: str) -> str:
    """The country's name for an ICAO 9303-3 §5 code, or the code where there is no such country."""
    aliases = get_global("territory_aliases").get(code, [code])
    locale = Locale.parse("en" if language == PSEUDO else language)
    return str(locale.territories.get(aliases[0], code))


def countries(language: str) -> list[tuple[str, str]]:
    """Every country by its two letters (ISO 3166-1) and its name, in the order of the names."""
    locale = Locale.parse("en" if language == PSEUDO else language)
    names = {
        code: str(name)
        for code, name in locale.territories.items()
        if re.fullmatch(r"[A-Z]{2}", code) and code not in _NO_COUNTRY
    }
    return sorted(names.items(), key=lambda one: one[1].casefold())


def bold(text: str) -> Iterator[tuple[bool, str]]:
    """The sentence in pieces: whether it leads, and its words."""
    for index, piece in enumerate(_BOLD.split(text)):
        if piece:
            yield index % 2 == 1, piece


def placeholders(form: str) -> frozenset[str]:
    """The names of the values that a form asks for."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(form) if name)


def _number(text: str) -> int:
    """The whole number that decides the form: 1 for "1", 10000 for "10,000". A fraction counts as few."""
    number = re.sub(r"(?<=\d)[\s,.\u00a0\u202f](?=\d{3}(\D|$))", "", text.strip())
    return int(number) if number.isdecimal() else 2


def _read(path: Path) -> dict[str, Entry]:
    with path.open("rb") as stream:
        catalog = read_po(stream, locale=path.parent.name, abort_invalid=True)
    choose = gettext.c2py(catalog.plural_expr)
    entries = {}
    for message in catalog:
        if not message.id:
            continue
        name = message.id if isinstance(message.id, str) else message.id[0]
        forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        entries[name] = Entry(forms, choose)
    return entries


def _pseudo(form: str) -> str:
    """English words turned right to left, with a third more of them in Arabic letters."""
    words = []
    letters = 0
    for piece in re.split(r"(\s+|\*\*|\{[a-z_]+\})", form):
        if not piece or piece.isspace() or piece == "**" or _PLACEHOLDER.fullmatch(piece):
            words.append(piece)
        else:
            letters += len(piece)
            words.append(f"\u202e{piece}\u202c")
    if letters < 3:
        return form
    return "".join(words) + " " + _FILLER[: max(3, round(letters * 0.35))].strip()
