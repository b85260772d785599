"""The random sample: even, stubborn, explainable, and the one that the demonstration computes too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from central_scene import passport, person, record

from central.sampling import lottery, of_period, population
from demo.sampling import draws

ZONE = ZoneInfo("Europe/Minsk")
SECRET = bytes(range(32))
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_whoever_starts_again_draws_the_same_lot_that_day() -> None:
    draw = lottery(SECRET, NOON, ZONE, 0.5, "day")
    later = lottery(SECRET, NOON + timedelta(hours=5), ZONE, 0.5, "day")
    assert draw.drawn(record()) == later.drawn(record())
    assert draw.commitment == later.commitment


def test_the_next_day_is_another_draw() -> None:
    first = lottery(SECRET, NOON, ZONE, 0.5, "day")
    second = lottery(SECRET, NOON + timedelta(days=1), ZONE, 0.5, "day")
    assert first.commitment != second.commitment
    lots = [(first.lot("arrival", "UTO", str(n)), second.lot("arrival", "UTO", str(n))) for n in range(200)]
    assert 60 < sum((one < 0.5) == (other < 0.5) for one, other in lots) < 140


def test_the_day_is_the_sites_day() -> None:
    late = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)  # half past midnight in Minsk
    assert lottery(SECRET, late, ZONE, 0.5, "day").period == date(2026, 11, 22).isoformat()


def test_the_share_is_the_rate() -> None:
    draw = lottery(SECRET, NOON, ZONE, 0.03, "day")
    drawn = sum(draw.lot("arrival", "UTO", f"N{n:07}") < draw.rate for n in range(20_000))
    assert 520 < drawn < 680  # 600 expected; 4 standard deviations are 97


def test_a_stored_period_gives_the_same_draw() -> None:
    draw = lottery(SECRET, NOON, ZONE, 0.5, "day")
    again = of_period(SECRET, draw.period, draw.rate)
    assert again.commitment == draw.commitment
    assert again.drawn(record()) == draw.drawn(record())


def test_the_demonstration_draws_as_central_does() -> None:
    draw = lottery(SECRET, NOON, ZONE, 0.3, "none")
    for number in range(300):
        central = draw.lot("arrival", "UTO", f"N{number}") < 0.3
        assert draws(SECRET, "fixed", "arrival", "UTO", f"N{number}", 0.3) == central


def test_every_adult_takes_part_and_no_child() -> None:
    child = person(person_id="p3", role="minor", guardian="p1", documents=(passport(number="C1"),))
    other = person(person_id="p2", role="adult", documents=(passport(number="B1"),))
    party = record(person(), other, child)
    assert population(party) == 2
    assert of_period(SECRET, "fixed", 1.0).drawn(party) == {"p1", "p2"}
    assert of_period(SECRET, "fixed", 0.0).drawn(party) == frozenset()


def test_without_a_number_the_record_is_drawn() -> None:
    unread = record(person(documents=()))
    assert of_period(SECRET, "fixed", 1.0).drawn(unread) == {"p1"}
    assert of_period(SECRET, "fixed", 1.0).drawn(record(finished="to_officer")) == frozenset()
