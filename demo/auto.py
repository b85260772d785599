"""Plays stories through the real kiosk and central without a browser, and tells how each came out.

What the traveller sees, and how long the machine took, comes from the kiosk; checks and reasons come from the
record of the transaction at central (`corridor central records`), found by the number of the receipt. Central is
asked once, when everybody has played: asking takes the processor from whoever stands at the kiosk.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.house import House
from demo.puppet import Body, KioskScreen, Played, StoryStuck, play, until_welcome
from hardware.specimens.story import Story

JSON = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """One story, as it came out; `differences` is empty when it came out as told (or nothing was told)."""

    story: str
    channel: str | None
    reasons: tuple[str, ...]
    checks: dict[str, str]
    steps: dict[str, float]
    machine_s: float | None
    wall_s: float
    screens: tuple[str, ...]
    differences: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True)
class Visit:
    """One story played: how it went at the screen, or why it got stuck."""

    story: Story
    played: Played | None
    error: str = ""


def play_story(house: House, directory: Path, story: Story) -> Visit:
    """One journey from the welcome screen back to it."""
    assert house.bench is not None
    house.turn(story.direction)
    screen = KioskScreen(house.kiosk_url)
    house.bench.clear()
    try:
        until_welcome(screen)
        played = play(screen, Body(house.bench, directory, story, house.radio), story)
    except StoryStuck as stuck:
        return Visit(story, None, str(stuck))
    finally:
        house.bench.clear()
    if not played.walked_away:
        screen.act("finish")
    return Visit(story, played)


def outcomes_of(house: House, visits: list[Visit]) -> list[Outcome]:
    """How each visit came out at central, beside what its story told."""
    listing = house.command("central", "records", "--config", str(house.directory / "central.toml"))
    rows: list[JSON] = [json.loads(line) for line in listing.splitlines()]
    records = {row["receipt_number"]: row for row in rows}
    return [_outcome(visit, records) for visit in visits]


def _outcome(visit: Visit, records: dict[str, JSON]) -> Outcome:
    story, played = visit.story, visit.played
    if played is None:
        return Outcome(story.id, None, (), {}, {}, None, 0.0, (), ("stuck",), visit.error)
    if played.walked_away:
        return Outcome(story.id, None, (), {}, {}, None, played.seconds, played.screens, ())
    return compare(story, played, records.get(str(played.result.get("receipt_number", ""))))


def compare(story: Story, played: Played, record: JSON | None) -> Outcome:
    """The story's expectations beside what happened: the same channel, and exactly the same reasons."""
    if record is None:
        return Outcome(story.id, None, (), {}, {}, None, played.seconds, played.screens, ("no record at central",))
    channel = str(record["channel"])
    reasons = tuple(sorted(record["reasons"]))
    checks: dict[str, str] = record["checks"]
    differences = []
    told = story.expected
    if told is not None:
        if told.channel.value != channel:
            differences.append(f"channel {channel}, told {told.channel.value}")
        if tuple(sorted(told.reasons)) != reasons:
            differences.append(
                f"reasons {' '.join(reasons) or 'none'}, told {' '.join(sorted(told.reasons)) or 'none'}"
            )
        differences += [
            f"{name} {checks.get(name)}, told {verdict}"
            for name, verdict in told.checks.items()
            if not str(checks.get(name, "")).startswith(verdict)
        ]
    if bool(played.result.get("cleared")) != (channel == "green"):
        differences.append("the screen and central say different channels")
    steps = played.step_seconds
    return Outcome(
        story.id,
        channel,
        reasons,
        checks,
        steps,
        steps.get("total"),
        played.seconds,
        played.screens,
        tuple(differences),
    )


def percentile(values: list[float], share: float) -> float:
    """The value at `share` of the sorted values, the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(outcomes: list[Outcome], radio: str) -> JSON:
    """The last line: counts, and machine time over the journeys that came to a channel."""
    times = [outcome.machine_s for outcome in outcomes if outcome.machine_s is not None]
    names = sorted({name for outcome in outcomes for name in outcome.steps})
    steps = {name: [outcome.steps[name] for outcome in outcomes if name in outcome.steps] for name in names}
    return {
        "travellers": len(outcomes),
        "as_expected": sum(not outcome.differences for outcome in outcomes),
        "green": sum(outcome.channel == "green" for outcome in outcomes),
        "referred": sum(outcome.channel == "red" for outcome in outcomes),
        "machine_s_median": round(statistics.median(times), 3) if times else None,
        "machine_s_p95": round(percentile(times, 0.95), 3) if times else None,
        "steps": {
            name: {"median": round(statistics.median(values), 3), "p95": round(percentile(values, 0.95), 3)}
            for name, values in steps.items()
        },
        "profile": radio,
    }


def tell(outcome: Outcome, as_json: bool) -> None:
    """One traveller's outcome: a JSON row on stdout, or a few lines for a reader."""
    if as_json:
        row = outcome.__dict__ | {"as_expected": not outcome.differences}
        print(json.dumps(row, default=list), flush=True)
    else:
        steps = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in outcome.steps.items())
        print(f"{outcome.story}: {outcome.channel or 'no channel'} ({outcome.wall_s:.1f} s; {steps})")
        if outcome.reasons:
            print(f"  reasons: {', '.join(outcome.reasons)}")
        not_passed = {
            name: verdict for name, verdict in outcome.checks.items() if not verdict.startswith("PASSED")
        }
        print(f"  checks not passed: {', '.join(f'{n} {v}' for n, v in not_passed.items()) or 'none'}")
    for difference in outcome.differences:
        print(f"{outcome.story}: NOT AS TOLD: {difference} {outcome.error}", file=sys.stderr, flush=True)


def run(house: House, count: int, as_json: bool) -> int:
    """Play `count` stories (all when 0); exit status 1 when one did not come out as told."""
    chosen = list(house.stories.values())
    if count:
        chosen = [chosen[index % len(chosen)] for index in range(count)]
    visits = []
    for number, (directory, story) in enumerate(chosen, start=1):
        visit = play_story(house, directory, story)
        visits.append(visit)
        seen = "stuck" if visit.played is None else f"{visit.played.seconds:.1f} s"
        print(f"[{number}/{len(chosen)}] {story.id}: {seen}", file=sys.stderr, flush=True)
    outcomes = outcomes_of(house, visits)
    for outcome in outcomes:
        tell(outcome, as_json)
    print(json.dumps(summary(outcomes, house.radio)), flush=True)
    return 0 if all(not outcome.differences for outcome in outcomes) else 1
