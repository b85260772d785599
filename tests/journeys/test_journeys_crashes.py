"""SIGKILL to kiosk or central at every screen: no certified record is lost, and none is counted twice (rule 7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journeys_stage import Stage, State

pytestmark = [pytest.mark.slow, pytest.mark.pcsc]

BEFORE_SIGNING = ("document", "face", "goods", "bag", "review")


@pytest.fixture(autouse=True)
def straight_books(stage: Stage) -> Iterator[None]:
    """Whatever a test kills, both sides run again afterwards, nothing waits, and the books verify."""
    yield
    if "central" not in stage.house.processes:
        stage.house.start_central()
    if "kiosk" not in stage.house.processes:
        stage.house.start_kiosk()
    stage.delivered()
    stage.books_are_straight()


@pytest.mark.parametrize("screen", BEFORE_SIGNING)
def test_the_kiosk_dies_before_anything_is_signed(stage: Stage, screen: str) -> None:
    """The traveller has said nothing that counts yet: the kiosk comes back empty."""
    before = stage.records()
    visit = stage.visit("anna")
    visit.comes_to(screen)
    stage.kill("kiosk")
    stage.bench.clear()
    stage.house.start_kiosk()
    stage.wait_for(lambda: stage.kiosk_state()["screen"] == "welcome", "the welcome screen")
    assert stage.outbox() == []
    assert stage.records() == before


def test_the_kiosk_dies_while_it_sends(stage: Stage) -> None:
    before = stage.records()
    visit = stage.visit("anna")
    visit.comes_to("review")
    with stage.held("central"):
        visit.comes_to("sending")
        stage.wait_for(stage.outbox, "the record in the outbox")
        ((record_id, state),) = stage.outbox()
        assert state == "queued"
        stage.kill("kiosk")
        assert stage.outbox() == [(record_id, "queued")]
    stage.bench.clear()
    stage.house.start_kiosk()
    stage.delivered()
    assert stage.records().keys() - before.keys() == {record_id}


def test_the_kiosk_dies_with_the_result_on_its_screen(stage: Stage) -> None:
    before = stage.records()
    stage.visit("sample").ends()
    stage.kill("kiosk")
    stage.bench.clear()
    stage.house.start_kiosk()
    stage.delivered()
    assert len(stage.records()) == len(before) + 1


def test_central_dies_on_every_screen_of_one_journey(stage: Stage) -> None:
    before = stage.records()
    visit = stage.visit("anna")
    for screen in BEFORE_SIGNING:
        visit.comes_to(screen)
        stage.kill("central")
        stage.house.start_central()
    result = visit.ends()["result"]
    visit.leaves()
    assert result["cleared"] is True
    assert len(stage.records()) == len(before) + 1


def test_central_dies_with_the_record_in_its_hands(stage: Stage) -> None:
    """The kiosk does not know whether central has it: an officer finishes, and central has it once."""
    before = stage.records()
    visit = stage.visit("anna")
    visit.comes_to("review")
    with stage.held("central"):
        visit.comes_to("sending")
        stage.kill("central")
    _an_officer_finishes(visit.ends())
    ((record_id, _),) = stage.outbox()
    stage.house.start_central()
    stage.delivered()
    assert stage.records().keys() - before.keys() == {record_id}
    visit.leaves()


def test_central_is_down_when_the_traveller_signs(stage: Stage) -> None:
    before = stage.records()
    visit = stage.visit("anna")
    visit.comes_to("review")
    stage.kill("central")
    _an_officer_finishes(visit.ends())
    ((record_id, _),) = stage.outbox()
    visit.leaves()
    stage.house.start_central()
    stage.delivered()
    assert stage.records().keys() - before.keys() == {record_id}


def test_central_is_too_slow_for_the_traveller(stage: Stage) -> None:
    before = stage.records()
    visit = stage.visit("anna")
    visit.comes_to("review")
    with stage.held("central"):
        _an_officer_finishes(visit.ends())
        ((record_id, _),) = stage.outbox()
    stage.delivered()
    assert stage.records().keys() - before.keys() == {record_id}
    visit.leaves()


def test_central_dies_after_its_answer(stage: Stage) -> None:
    visit = stage.visit("anna")
    result = visit.ends()["result"]
    stage.kill("central")
    stage.house.start_central()
    visit.leaves()
    assert stage.record(result["receipt_number"])["channel"] == "green"


def _an_officer_finishes(state: State) -> None:
    assert state["result"]["cleared"] is False
    assert state["result"]["offline"] is True
