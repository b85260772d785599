"""A page of which a part lies outside of the picture: its first 36 characters are not read as another format's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

import cv2
import numpy as np
import pytest

from documents.mrz import ALPHABET, compose_td2
from documents.mrz.settle import settle
from hardware.ports import Frame
from hardware.specimens.build import PORTRAITS, TRAVELLERS, compose_lines
from hardware.specimens.page import draw_page
from hardware.specimens.recipe import load_recipe
from kiosk.mrz.read import Look, MrzReader
from kiosk.mrz.reading import as_far_as_seen

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def reader() -> MrzReader:
    return MrzReader()


@lru_cache
def page(traveller: str) -> Frame:
    recipe = load_recipe(TRAVELLERS / traveller).travellers[0].documents[-1]
    portrait = (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes()
    drawn = draw_page(recipe, compose_lines(recipe), portrait)
    return np.asarray(cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("traveller", ["cash", "visa"])
@pytest.mark.parametrize("missing", [300, 320, 345, 360, 380, 395])  # pixels; behind the 36th character at 379
@pytest.mark.parametrize("turned", [False, True])
def test_the_beginning_of_a_zone_is_no_zone_of_another_format(
    reader: MrzReader, traveller: str, missing: int, turned: bool
) -> None:
    frame = page(traveller)[:, :-missing]
    frame = np.ascontiguousarray(np.rot90(frame, 2) if turned else frame)
    look = as_far_as_seen(reader.look(frame), frame)
    assert look.problem is not None or not settle(look.posteriors, TODAY).accepted


def seen(place: float, characters: int = 36, first: str = "P", last: str = "7") -> tuple[Look, Frame]:
    """Two lines of ten pixels a character in a frame of 600 pixels, from `place` on; their first and last."""
    lines = tuple(np.full((characters, len(ALPHABET)), 1 / len(ALPHABET), np.float32) for _ in range(2))
    lines[0][0, ALPHABET.index(first)] = lines[1][-1, ALPHABET.index(last)] = 0.995
    ends = place + 10.0 * characters
    corners = tuple(np.array([(place, y), (ends, y), (ends, y + 15), (place, y + 15)]) for y in (50.0, 80.0))
    return Look(lines, corners, None), np.zeros((200, 600, 3), np.uint8)


def test_paper_behind_the_last_character_is_what_tells() -> None:
    assert as_far_as_seen(*seen(219.0)).problem is None
    look, frame = seen(221.0)
    assert as_far_as_seen(look, frame) == replace(look, problem="cut_off")
    assert as_far_as_seen(*seen(150.0, characters=44)).problem is None, "no format has longer lines"


def test_a_card_ends_in_a_check_digit_and_a_small_visa_need_not() -> None:
    assert as_far_as_seen(*seen(100.0, first="P", last="<")).problem == "cut_off"
    assert as_far_as_seen(*seen(100.0, first="P", last="0")).problem is None
    assert as_far_as_seen(*seen(100.0, first="V", last="<")).problem is None


@pytest.mark.parametrize("first", "IAC")
def test_what_begins_as_a_card_is_one_however_tightly_it_was_cut_out(first: str) -> None:
    assert as_far_as_seen(*seen(238.0, first=first, last="<")).problem is None


def test_a_card_that_is_seen_whole_is_read(reader: MrzReader) -> None:
    """The zone of a card of the second size on the paper that the book leaves around it."""
    lines = compose_td2(
        issuer="UTO",
        surname="Harada",
        given_names="Mei",
        number="K46281937",
        nationality="UTO",
        birth_date=date(1997, 9, 12),
        sex="F",
        expiry_date=date(2032, 5, 19),
    )
    recipe = load_recipe(TRAVELLERS / "cash").travellers[0].documents[0]
    portrait = (PORTRAITS / f"{recipe.portrait}-neutral.jpg").read_bytes()
    drawn = np.asarray(cv2.imdecode(np.frombuffer(draw_page(recipe, lines, portrait), np.uint8), 1), np.uint8)
    frame = np.ascontiguousarray(drawn[:, 150:-150])
    settled = settle(as_far_as_seen(reader.look(frame), frame).posteriors, TODAY)
    assert settled.lines == lines
    assert settled.accepted
