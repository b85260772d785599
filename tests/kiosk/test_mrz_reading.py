"""Two readers: the first where it is certain, number and dates where both agree, nothing where they do not."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from contracts.party import NameSource
from documents.mrz import ALPHABET, NO_MRZ, compose_td3
from documents.mrz.settle import Settled, settle
from kiosk.mrz.looks import Posteriors
from kiosk.mrz.reading import first_opinion, second_opinion

TODAY = date(2026, 11, 21)
LINES = compose_td3(
    issuer="UTO",
    surname="Eriksson",
    given_names="Anna Maria",
    number="L898902C3",
    nationality="UTO",
    birth_date=date(1974, 8, 12),
    sex="F",
    expiry_date=date(2032, 4, 15),
)
OTHER = compose_td3(
    issuer="UTO",
    surname="Eriksson",
    given_names="Anna Maria",
    number="L898902C7",
    nationality="UTO",
    birth_date=date(1974, 8, 12),
    sex="F",
    expiry_date=date(2032, 4, 15),
)


def posteriors(
    lines: tuple[str, ...], sure: float = 0.999, doubts: dict[tuple[int, int], str] | None = None
) -> Posteriors:
    """What a reader is sure of; `doubts`: (line, column) as likely another character."""
    found = []
    for row, line in enumerate(lines):
        rows = np.full((len(line), 37), (1 - sure) / 36, dtype=np.float32)
        for column, character in enumerate(line):
            rows[column, ALPHABET.index(character)] = sure
            if other := (doubts or {}).get((row, column)):
                rows[column] = 1e-5
                rows[column, ALPHABET.index(character)] = 0.5
                rows[column, ALPHABET.index(other)] = 0.5
        found.append(np.asarray(rows / rows.sum(axis=1, keepdims=True), dtype=np.float32))
    return tuple(found)


def in_doubt(doubts: dict[tuple[int, int], str]) -> Settled:
    settled = settle(posteriors(LINES, doubts=doubts), TODAY)
    assert not settled.accepted
    return settled


NAME = {(0, 5): "F"}  # ERIKSSON or FRIKSSON: no check digit tells
NUMBER = {(1, 0): "1", (1, 9): "9"}


def test_a_certain_reading_stands_with_its_names() -> None:
    reading = first_opinion(settle(posteriors(LINES), TODAY), 3)
    assert reading.mrz.surname == "ERIKSSON"
    assert reading.reason == "ok"
    assert reading.mrz.document.name_source is NameSource.MRZ
    assert (reading.record.engine, reading.record.looks, reading.record.second_reader) == (
        "corridor",
        3,
        "not_asked",
    )


def test_a_repaired_reading_says_so() -> None:
    first, second = posteriors(LINES)
    second[14] = 1e-5
    second[14, ALPHABET.index("4")], second[14, ALPHABET.index("A")] = 0.4, 0.6  # where only a digit can stand
    reading = first_opinion(settle((first, second / second.sum(axis=1, keepdims=True)), TODAY), 1)
    assert reading.mrz.birth == "740812"
    assert reading.reason == "repaired"
    assert reading.record.repairs == 1


def test_what_is_in_doubt_is_not_said() -> None:
    reading = first_opinion(in_doubt(NAME), 2)
    assert reading.mrz is NO_MRZ
    assert reading.reason == "ambiguous_name"


def test_number_and_dates_stand_where_both_agree_and_nothing_else_does() -> None:
    reading = second_opinion(in_doubt(NAME), [LINES], TODAY, 4)
    assert reading.reason == "second_reader"
    assert reading.mrz.key is not None
    assert reading.mrz.number == "L898902C3"
    assert (reading.mrz.surname, reading.mrz.nationality, reading.mrz.sex) == (None, None, None)
    assert (reading.record.engine, reading.record.second_reader) == ("passporteye", "agrees")


def test_readers_that_disagree_say_nothing() -> None:
    reading = second_opinion(in_doubt(NAME), [OTHER], TODAY, 4)
    assert reading.mrz is NO_MRZ
    assert (reading.reason, reading.record.second_reader) == ("readers_disagree", "differs")


@pytest.mark.parametrize(
    "candidates", [[], [("GARBAGE" * 6, "GARBAGE" * 6)], [()]], ids=["none", "garbage", "empty"]
)
def test_a_silent_second_reader_changes_nothing(candidates: list[tuple[str, ...]]) -> None:
    reading = second_opinion(in_doubt(NAME), candidates, TODAY, 4)
    assert reading.mrz is NO_MRZ
    assert (reading.reason, reading.record.second_reader) == ("ambiguous_name", "silent")


def test_a_second_reader_that_gave_no_answer_is_recorded_as_such() -> None:
    reading = second_opinion(in_doubt(NAME), None, TODAY, 4)
    assert reading.mrz is NO_MRZ
    assert (reading.reason, reading.record.second_reader) == ("ambiguous_name", "no_answer")


def test_the_second_reader_alone_is_named_as_such() -> None:
    reading = second_opinion(None, [LINES], TODAY, 0)
    assert reading.mrz.key is not None
    assert (reading.reason, reading.record.second_reader) == ("second_reader_alone", "alone")
    assert second_opinion(None, [], TODAY, 0).reason == "no_zone"


def test_nothing_that_was_read_is_in_the_record_of_the_reading() -> None:
    for reading in (first_opinion(in_doubt(NAME), 2), second_opinion(in_doubt(NAME), [LINES], TODAY, 4)):
        told = reading.record.model_dump_json() + repr(reading)
        assert not any(part in told for part in ("ERIKSSON", "L898902C3", "740812"))
