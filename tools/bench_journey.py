"""Machine time of whole journeys, from "document placed" to "channel shown", with its parts.

Plays the ordinary traveller many times through the real kiosk, central and PC/SC daemon, once per radio profile,
and prints one JSON object on the last line. The traveller's own time (reading, touching, walking) is left out;
what the machine makes the traveller wait for is in.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from typing import Any

from demo.auto import Outcome, outcomes_of, percentile, play_story
from demo.house import default_specimens, open_house


def figures(outcomes: list[Outcome]) -> dict[str, Any]:
    """Median and 95th percentile of each step, in seconds."""
    names = sorted({name for outcome in outcomes for name in outcome.steps})
    table = {}
    for name in names:
        values = [outcome.steps[name] for outcome in outcomes if name in outcome.steps]
        table[name] = {"median": round(statistics.median(values), 3), "p95": round(percentile(values, 0.95), 3)}
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journeys", type=int, default=20)
    parser.add_argument("--story", default="anna")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": platform.machine(), "journeys": options.journeys, "profiles": {}}
    for radio in ("none", "848"):
        with open_house(default_specimens(), radio=radio) as house:
            directory, story = house.stories[options.story]
            play_story(house, directory, story)  # the first pays for caches
            visits = []
            for number in range(options.journeys):
                visits.append(play_story(house, directory, story))
                print(f"radio {radio}: {number + 1} of {options.journeys}", file=sys.stderr)
            outcomes = outcomes_of(house, visits)
        complete = [outcome for outcome in outcomes if outcome.channel == "green"]
        result["profiles"][radio] = {"complete": len(complete), "seconds": figures(complete)}
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
