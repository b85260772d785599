"""The catalogue: complete in every language, in the house's voice, and turned right to left for rehearsal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import messages
from kiosk.gallery import sample_views
from kiosk.messages import PSEUDO, SOURCE, Catalogue, bold, country, direction, figures, placeholders
from kiosk.view import Message

CATALOGUE = Catalogue.load()
TRANSLATED = ("ru", "be")
KIOSK = Path(messages.__file__).parent.parent
FORBIDDEN = re.compile(
    r"\bmrz\b|мчз|biometr|биометр|біяметр|referr|violat|нарушен|парушэн|red channel|красн|чырвон|suspect|подозр"
    r"|inspect|досмотр|!",
    re.IGNORECASE,
)


@pytest.mark.parametrize("language", (*TRANSLATED, PSEUDO))
def test_every_language_has_every_message_with_the_same_values(language: str) -> None:
    assert CATALOGUE.ids(language) == CATALOGUE.ids(SOURCE)
    for message in CATALOGUE.ids(SOURCE):
        wanted = {placeholders(form) for form in CATALOGUE.entry(message, SOURCE).forms}
        found = {placeholders(form) for form in CATALOGUE.entry(message, language).forms}
        assert wanted == found and len(wanted) == 1, message


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_no_message_is_empty_or_leaves_the_house_voice(language: str) -> None:
    for message in CATALOGUE.ids(language):
        for form in CATALOGUE.entry(message, language).forms:
            assert form.strip(), message
            assert not FORBIDDEN.search(form), f"{message}: {form}"
            assert form.count("**") % 2 == 0, message


def test_belarusian_and_russian_are_translations_and_not_copies() -> None:
    kept = {"app.name", "unit.pcs", "unit.money", "review.item", "review.said", "unit.EUR", "unit.USD"}
    for message in CATALOGUE.ids(SOURCE) - kept:
        english = CATALOGUE.entry(message, SOURCE).forms
        assert all(CATALOGUE.entry(message, language).forms != english for language in TRANSLATED), message
    # Belarusian writes ў and і, never и or щ: a Russian sentence in its file would show.
    for message in CATALOGUE.ids("be"):
        assert not re.search("[ищъ]", "".join(CATALOGUE.entry(message, "be").forms).lower()), message


@pytest.mark.parametrize(
    ("language", "count", "words"),
    [
        ("en", "1", "1 bag"),
        ("en", "21", "21 bags"),
        ("ru", "1", "1 сумка"),
        ("ru", "21", "21 сумка"),
        ("ru", "3", "3 сумки"),
        ("ru", "11", "11 сумок"),
        ("be", "22", "22 сумкі"),
        ("be", "112", "112 сумак"),
    ],
)
def test_a_number_takes_its_form(language: str, count: str, words: str) -> None:
    assert CATALOGUE.text(Message("bag.count", {"count": count}), language) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Over by 0.5 litres"), ("ru", "Сверх нормы: 0,5 литра"), ("be", "Звыш нормы: 0,5 літры")],
)
def test_an_amount_comes_with_its_unit_in_the_language(language: str, words: str) -> None:
    message = Message("details.over", {"amount": "0.5", "unit": "l"})
    assert CATALOGUE.text(message, language) == words


def test_money_is_written_as_the_language_writes_it() -> None:
    assert CATALOGUE.amount("10,000", "USD", "en") == "$10,000"
    assert CATALOGUE.amount("10,000", "USD", "ru") == "10\u00a0000 $"
    assert CATALOGUE.amount("1,250.5", "BYN", "be") == "1\u00a0250,5 BYN"
    assert figures("20.50 EUR", "ru") == "20,50 EUR"
    assert figures("20.50 EUR", "en") == "20.50 EUR"


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_figures_keep_every_digit(number: object) -> None:
    english = f"{number:,}"
    for language in (*TRANSLATED, SOURCE, PSEUDO):
        assert re.sub(r"\D", "", figures(english, language)) == re.sub(r"\D", "", english)


def test_codes_become_words() -> None:
    assert country("BLR", "be") == "Беларусь"
    assert country("D", "en") == "D"  # the MRZ's code for Germany is no ISO code; Messages may name it
    told = CATALOGUE.text(Message("review.item", {"kind": "alcohol", "amount": "5", "unit": "l"}), "ru")
    assert told == "Алкоголь, 5 литров"


def test_the_rehearsal_language_is_longer_and_right_to_left_and_keeps_its_values() -> None:
    assert direction(PSEUDO) == "rtl" and direction("be") == "ltr"
    message = Message("face.try", {"number": "1", "tries": "3"})
    english, pseudo = CATALOGUE.text(message, SOURCE), CATALOGUE.text(message, PSEUDO)
    assert len(pseudo) > 1.2 * len(english) and "1" in pseudo and "3" in pseudo
    assert re.search("[\u0627-\u064a]", pseudo)
    assert pseudo.count("\u202e") == pseudo.count("\u202c")
    assert PSEUDO not in Catalogue.load(pseudo=False).languages


def test_speech_says_the_same_words_without_marks() -> None:
    message = Message("review.true")
    assert CATALOGUE.speech(message, "en") == "I declare that these answers are true and complete."
    assert CATALOGUE.speech(message, PSEUDO) == CATALOGUE.speech(message, SOURCE)


def test_bold_loses_no_word() -> None:
    text = "Take the **green channel** to the exit."
    assert list(bold(text)) == [(False, "Take the "), (True, "green channel"), (False, " to the exit.")]


def test_every_message_that_the_kiosk_names_exists() -> None:
    named = set()
    for path in KIOSK.glob("*.py"):
        named |= set(re.findall(r'Message\(\s*"([a-z_.A-Z]+)"', path.read_text(encoding="utf-8")))
        named |= set(
            re.findall(r'"((?:error|face|document|bag|review|sending|result)\.[a-z_.]+)"', path.read_text("utf-8"))
        )
    assert len(named) > 60
    assert {name for name in named if not CATALOGUE.has(name)} == set()


def test_an_unknown_message_is_an_error_and_never_an_empty_line() -> None:
    with pytest.raises(KeyError):
        CATALOGUE.text(Message("no.such.message"), "en")
    with pytest.raises(KeyError):
        CATALOGUE.text(Message("face.try", {"number": "1"}), "en")


def test_the_samples_show_every_message_of_the_views_they_hold() -> None:
    for name, view in sample_views().items():
        panel = (view.panel.instruction, *(line.text for line in view.panel.lines)) if view.panel else ()
        for message in (view.hint, view.error, *panel, *(condition.text for condition in view.conditions)):
            if message is not None:
                for language in CATALOGUE.languages:
                    assert CATALOGUE.text(message, language), name
