"""Whether an error rate differs between groups: the one rule by which kiosk and central report it.

A rate is a count of events in a count of trials, with the interval of Clopper and Pearson (1934). "Not shown" is
never claimed of too few: it needs an interval that ends below three times the rate of all together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import StrEnum

CONFIDENCE = 0.95
MUCH = 3.0  # a group's rate that may be three times the overall one is not "no difference"


class Difference(StrEnum):
    SHOWN = "shown"
    NOT_SHOWN = "not_shown"
    NOT_ENOUGH_DATA = "not_enough_data"


def clopper_pearson(events: int, trials: int, confidence: float = CONFIDENCE) -> list[float] | None:
    """The exact two-sided interval of a binomial share, as fractions; None without trials."""
    if trials == 0:
        return None
    if 2 * events > trials:  # the same interval from the other end, with the shorter sum
        other = clopper_pearson(trials - events, trials, confidence)
        return None if other is None else [round(1 - other[1], 6), round(1 - other[0], 6)]
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else _solve(lambda share: 1 - _at_most(events - 1, trials, share) - tail)
    high = 1.0 if events == trials else _solve(lambda share: tail - _at_most(events, trials, share))
    return [round(low, 6), round(high, 6)]


def differences(counts: Mapping[str, tuple[int, int]]) -> dict[str, Difference]:
    """Of each group's (events, trials): is its rate higher than that of all together?

    Shown: the group's whole interval is above the overall rate. Not shown: its upper bound is below three times
    the overall rate. Else, and where there is no other group, nobody can say: not enough data.
    """
    if sum(of > 0 for _, of in counts.values()) < 2:
        return dict.fromkeys(counts, Difference.NOT_ENOUGH_DATA)
    trials = sum(of for _, of in counts.values())
    overall = sum(events for events, _ in counts.values()) / trials if trials else 0.0
    return {group: _difference(clopper_pearson(*own), overall) for group, own in counts.items()}


def _difference(interval: list[float] | None, overall: float) -> Difference:
    if interval is None:
        return Difference.NOT_ENOUGH_DATA
    if interval[0] > overall:
        return Difference.SHOWN
    return Difference.NOT_SHOWN if interval[1] < MUCH * overall else Difference.NOT_ENOUGH_DATA


def _at_most(events: int, trials: int, share: float) -> float:
    """The probability of at most so many events; share strictly between 0 and 1."""
    logarithms = (
        math.lgamma(trials + 1)
        - math.lgamma(count + 1)
        - math.lgamma(trials - count + 1)
        + count * math.log(share)
        + (trials - count) * math.log1p(-share)
        for count in range(events + 1)
    )
    return math.fsum(map(math.exp, logarithms))


def _solve(rising: Callable[[float], float]) -> float:
    """Where a rising function on (0, 1) becomes positive."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return high
