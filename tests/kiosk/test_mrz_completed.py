"""What light took from a zone: put back from the page's print where that has all that was seen, else unknown."""

from __future__ import annotations

from datetime import date

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.mrz import ALPHABET
from documents.mrz.settle import settle
from documents.viz import Fragment
from hardware.ports import Frame
from hardware.specimens.build import PORTRAITS, TRAVELLERS, compose_lines
from hardware.specimens.page import draw_page
from hardware.specimens.recipe import load_recipe
from kiosk.mrz.completed import Completion, completed, is_dazzled
from kiosk.mrz.engines import ENGINES
from kiosk.mrz.read import Look, MrzReader
from kiosk.mrz.reading import completed_opinion

TODAY = date(2026, 11, 23)
ERIKSSON = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",  # 9303-4 appendix B
)
PAGE = (
    "UTOPIA",
    "Surname/Nom",
    "ERIKSSON",
    "Given names",
    "ANNA MARIA",
    "L898902C3",
    "12 AUG 1974",
    "15 APR 2012",
    "Z E 184226 B",
)
FILLER = ALPHABET.index("<")


def print_of(*texts: str, confidence: float = 0.99) -> tuple[Fragment, ...]:
    return tuple(
        Fragment(text, confidence, (0.0, 20.0 * row, 100.0, 20.0 * row + 15)) for row, text in enumerate(texts)
    )


def under_light(lines: tuple[str, ...], *spots: tuple[int, int, int], ink: float = 0.1) -> Look:
    """A look at lines of which light hides, of each spot's line, the columns from the second to before the third.

    Where no ink is left a network that knows zones takes what it sees for fillers.
    """
    posteriors, left = [], []
    for row, line in enumerate(lines):
        columns = np.array([ALPHABET.index(character) for character in line])
        share = np.ones(len(line))
        for _, first, last in (spot for spot in spots if spot[0] == row):
            columns[first:last], share[first:last] = FILLER, ink
        given = np.full((len(line), len(ALPHABET)), 1e-5, np.float32)
        given[np.arange(len(line)), columns] = 1 - 36e-5
        posteriors.append(given)
        left.append(share)
    return Look(tuple(posteriors), tuple(np.zeros((4, 2)) for _ in lines), None, tuple(left))


def completion(*spots: tuple[int, int, int], page: tuple[str, ...] = PAGE) -> Completion:
    return completed(under_light(ERIKSSON, *spots), print_of(*page), TODAY)


@pytest.mark.parametrize(
    "spot",
    [
        (0, 7, 10),  # of the surname
        (0, 11, 17),  # the end of the surname and the beginning of a given name, and what parts them
        (0, 18, 21),  # between two given names
        (0, 22, 27),  # the end of the last name, and of what follows
        (1, 4, 7),  # of the number
        (1, 15, 18),  # of the birth date
        (1, 24, 27),  # of the expiry date
        (1, 29, 33),  # of the personal number
    ],
)
def test_the_print_puts_back_what_light_took(spot: tuple[int, int, int]) -> None:
    look = under_light(ERIKSSON, spot)
    assert is_dazzled(look)
    assert settle(look.posteriors, TODAY).lines != ERIKSSON
    assert completion(spot).settled.lines == ERIKSSON


def test_a_hidden_check_digit_is_reckoned_and_guards_nothing() -> None:
    found = completion((1, 8, 10))
    assert found.settled.lines == ERIKSSON
    assert not found.guarded
    assert completed_opinion(found, TODAY, 1, "silent") is None


def test_number_and_dates_that_the_print_completes_may_open_the_chip_and_name_nobody() -> None:
    found = completion((0, 7, 10), (1, 4, 7))
    assert found.guarded
    opinion = completed_opinion(found, TODAY, 3, "silent")
    assert opinion is not None
    assert (opinion.reason, opinion.mrz.number, opinion.mrz.surname) == ("completed", "L898902C3", None)
    assert (opinion.record.engine, opinion.record.looks, opinion.record.second_reader) == ("corridor", 3, "silent")


@pytest.mark.parametrize(
    "page",
    [
        (),
        ("ERIKTSEN", "L899902C3"),  # has not what was seen
        ("ERIKSSONS",),  # is longer than what was seen
        ("ERIKSSON", "ERYKSSON", "ERIXSSON"),  # who knows which
        ("SON",),
    ],
)
def test_what_the_print_does_not_say_stays_unknown(page: tuple[str, ...]) -> None:
    found = completion((0, 7, 9), (1, 3, 6), page=page)
    assert found.settled.lines[0][7:9] != "IK"
    assert not found.settled.accepted
    assert completed_opinion(found, TODAY, 1, "silent") is None


def test_a_number_against_the_check_digit_that_was_seen_opens_nothing() -> None:
    found = completion((1, 4, 7), page=("L898612C3",))
    assert completed_opinion(found, TODAY, 1, "silent") is None


def test_one_letter_that_an_optical_reader_mistook_is_forgiven_where_the_zone_shows_it() -> None:
    found = completion((0, 5, 7), page=("ERIKS5ON", "ER1KSSON", "ERIKSSQN"))
    assert found.settled.lines[0] == ERIKSSON[0]


def test_print_that_was_hardly_read_says_nothing() -> None:
    found = completed(under_light(ERIKSSON, (0, 7, 9)), print_of(*PAGE, confidence=0.3), TODAY)
    assert found.settled.lines != ERIKSSON


def test_a_completed_zone_is_never_accepted_where_a_name_was_hidden() -> None:
    """Its print would be compared with itself: `guarded` gives number and dates, and these alone."""
    found = completion((0, 7, 10))
    opinion = completed_opinion(found, TODAY, 1, "not_asked")
    assert opinion is not None
    assert (opinion.mrz.surname, opinion.mrz.given_names, opinion.mrz.nationality) == (None, None, None)


@given(
    texts=st.lists(st.text(alphabet=ALPHABET.replace("<", " ") + ".-/É1", max_size=24), max_size=8),
    spots=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 43), st.integers(1, 9)), min_size=1, max_size=3),
)
def test_no_print_changes_what_was_seen_of_a_name(texts: list[str], spots: list[tuple[int, int, int]]) -> None:
    look = under_light(ERIKSSON, *((line, first, min(44, first + count)) for line, first, count in spots))
    found = completed(look, print_of(*texts, *PAGE), TODAY)
    seen = look.ink[0] >= 0.6
    read = found.settled.lines[0]
    assert all(read[column] == ERIKSSON[0][column] for column in np.flatnonzero(seen) if column >= 5)


@given(
    shape=st.sampled_from([(3, 30), (2, 36), (2, 44)]),
    begins=st.sampled_from(["P<UTO", "I<UTO", "IDFRA", "V<UTO", "PNRUS", ""]),
    texts=st.lists(st.text(max_size=30), max_size=6),
    seed=st.integers(0, 2**16),
)
def test_nothing_that_a_page_may_say_stops_it(
    shape: tuple[int, int], begins: str, texts: list[str], seed: int
) -> None:
    random = np.random.default_rng(seed)
    lines, width = shape
    sharp = random.dirichlet(np.full(len(ALPHABET), 0.02), (lines, width)).astype(np.float32)
    for column, character in enumerate(begins):
        sharp[0, column] = np.eye(len(ALPHABET), dtype=np.float32)[ALPHABET.index(character)]
    ink = tuple(np.where(random.random(width) < 0.2, 0.1, 1.0) for _ in range(lines))
    found = completed(Look(tuple(sharp), (), None, ink), print_of(*texts, *PAGE), TODAY)
    assert [len(line) for line in found.settled.lines] == [width] * lines
    completed_opinion(found, TODAY, 1, "silent")


@pytest.fixture(scope="module")
def page() -> tuple[Frame, tuple[str, ...]]:
    """A specimen's page on the glass, and its lines."""
    recipe = load_recipe(TRAVELLERS / "anna").travellers[0].documents[0]
    lines = compose_lines(recipe)
    drawn = draw_page(recipe, lines, (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes())
    return np.asarray(cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR), np.uint8), lines


def lamp_over(frame: Frame, place: tuple[float, float], spread: float) -> Frame:
    """The frame with a lamp's reflection around a place (x, y), a Gaussian of `spread` pixels."""
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]]
    light = 235 * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * spread**2))
    return np.asarray(np.clip(frame + light[..., None], 0, 255), np.uint8)


def test_a_page_without_a_reflection_is_not_dazzled(page: tuple[Frame, tuple[str, ...]]) -> None:
    frame, lines = page
    look = MrzReader().look(frame)
    assert [len(share) for share in look.ink] == [len(line) for line in lines]
    assert not is_dazzled(look)
    assert not is_dazzled(Look((), (), "no_zone"))


def test_a_letter_under_a_lamp_is_put_back_from_a_page_that_was_really_read(
    page: tuple[Frame, tuple[str, ...]],
) -> None:
    frame, lines = page
    reader = MrzReader()
    corners = reader.look(frame).corners[0]
    start, end = corners[[0, 3]].mean(0), corners[[1, 2]].mean(0)
    place = start + (end - start) * (7.5 / len(lines[0]))
    shown = lamp_over(frame, (float(place[0]), float(place[1])), 20.0)
    look = reader.look(shown)
    dazzled = set(np.flatnonzero(look.ink[0] < 0.6).tolist())
    assert dazzled
    assert dazzled <= {6, 7, 8}, "only where the lamp is"
    assert (look.ink[1] > 0.6).all()
    assert settle(look.posteriors, TODAY).lines != lines
    engine = ENGINES["corridor"](TODAY)
    try:
        reading = engine.read(cv2.imencode(".png", shown)[1].tobytes())
    finally:
        engine.close()
    assert (reading.lines, reading.accepted) == (lines, False)
