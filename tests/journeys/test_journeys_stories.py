"""Every built story through the real kiosk and central: exactly its channel and its reasons."""

from __future__ import annotations

import json
import time

import pytest
from journeys_stage import Stage

from demo.auto import outcomes_of, play_story
from demo.puppet import Body, KioskScreen, play, until_welcome
from hardware.specimens.build import known_specimens

pytestmark = [pytest.mark.slow, pytest.mark.pcsc]


@pytest.mark.parametrize("story_id", known_specimens())
def test_a_story_comes_out_as_told(stage: Stage, story_id: str) -> None:
    directory, story = stage.house.stories[story_id]
    assert story.expected is not None
    visit = play_story(stage.house, directory, story)
    assert visit.played is not None, visit.error
    row = stage.record(str(visit.played.result["receipt_number"]))
    assert row["channel"] == story.expected.channel.value
    assert tuple(row["reasons"]) == tuple(sorted(story.expected.reasons)), str(row["checks"])
    assert bool(visit.played.result["cleared"]) == (row["channel"] == "green")
    for name, verdict in story.expected.checks.items():
        assert row["checks"][name].startswith(verdict)


def test_the_runner_says_the_same(stage: Stage) -> None:
    """What `corridor demo --auto` prints comes from central's own command; one green and one red story."""
    visits = [play_story(stage.house, *stage.house.stories[story_id]) for story_id in ("anna", "sample")]
    outcomes = outcomes_of(stage.house, visits)
    assert [outcome.differences for outcome in outcomes] == [(), ()]
    assert [outcome.channel for outcome in outcomes] == ["green", "red"]


def test_a_printer_without_paper_costs_nobody_the_answer(stage: Stage) -> None:
    """The channel and the code on the screen stay; paper put in, the receipt comes when asked for."""
    house = stage.house
    assert house.bench is not None
    directory, story = house.stories["anna"]
    no_paper = house.directory / "receipts" / "no-paper"
    screen = KioskScreen(house.kiosk_url)
    until_welcome(screen)
    no_paper.touch()
    try:
        played = play(screen, Body(house.bench, directory, story), story)
        assert played.result["cleared"]
        time.sleep(2)  # a receipt takes a fifth of this
        assert not screen.state()["result"]["printed"]
    finally:
        no_paper.unlink()
    screen.act("print_receipt")
    patience = time.monotonic() + 20
    while not screen.state()["result"]["printed"] and time.monotonic() < patience:
        time.sleep(0.1)
    assert screen.state()["result"]["printed"]
    screen.act("finish")
    house.bench.clear()


@pytest.mark.parametrize("command", [("replay", "--all"), ("audit", "verify")], ids=" ".join)
def test_central_agrees_with_itself(stage: Stage, command: tuple[str, ...]) -> None:
    told = stage.house.command("central", *command, "--config", str(stage.house.directory / "central.toml"))
    answer = json.loads(told.splitlines()[-1])
    if command[0] == "replay":
        assert answer["records"] == answer["same"] == len(stage.records())
        assert answer["different"] == 0
    else:
        assert answer["events"] > len(stage.records())
        assert answer["broken"] == 0
