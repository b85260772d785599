"""Error rates of a comparison (ISO/IEC 19795-1): FMR, FNMR, EER, TAR at an FMR, and whether groups differ.

Higher scores say "the same person". A comparison that could not be made scores minus infinity: it is a false
non-match where the two are one person, and no false match where they are not. Intervals are Clopper and Pearson's.
Comparisons that share a picture are not independent of each other, so the intervals are too narrow rather than too
wide; with few people trust the number of people more than the number of pairs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from contracts.fairness import clopper_pearson

Scores = npt.NDArray[np.float64]
Interval = list[float] | None

FALSE_MATCH_RATES = {"1e-2": 1e-2, "1e-3": 1e-3, "5e-4": 5e-4, "1e-4": 1e-4}


def share(events: int, trials: int) -> float | None:
    return None if trials == 0 else round(events / trials, 7)


def false_match_rate(impostor: Scores, threshold: float) -> tuple[int, float | None, Interval]:
    """How many impostor comparisons match at a threshold, their share and its interval."""
    events = int(np.count_nonzero(impostor >= threshold))
    return events, share(events, impostor.size), clopper_pearson(events, impostor.size)


def false_non_match_rate(genuine: Scores, threshold: float) -> tuple[int, float | None, Interval]:
    events = int(np.count_nonzero(genuine < threshold))
    return events, share(events, genuine.size), clopper_pearson(events, genuine.size)


def equal_error_rate(genuine: Scores, impostor: Scores) -> float | None:
    """Where FMR and FNMR cross; the mean of the two at the nearest threshold. None without both kinds."""
    if not genuine.size or not impostor.size:
        return None
    low, high = np.sort(genuine), np.sort(impostor)

    def counts(threshold: float) -> tuple[int, int]:
        missed = int(np.searchsorted(low, threshold, side="left"))
        return missed, high.size - int(np.searchsorted(high, threshold, side="left"))

    def gap(threshold: float) -> int:
        """FNMR less FMR, in whole numbers; it only grows with the threshold."""
        missed, matched = counts(threshold)
        return missed * high.size - matched * low.size

    beside = []  # the scores next to the crossing; the nearest of all is one of them
    for scores in (low, high):
        first = _first(scores, lambda score: gap(score) >= 0)
        beside += [float(scores[place]) for place in (first - 1, first) if 0 <= place < scores.size]
    missed, matched = counts(min(sorted(beside), key=lambda score: abs(gap(score))))
    return round((missed / low.size + matched / high.size) / 2, 6)


def _first(scores: Scores, holds: Callable[[float], bool]) -> int:
    """The first place of rising scores at which something holds that goes on to hold."""
    return bisect_left(range(scores.size), True, key=lambda place: holds(float(scores[place])))


def true_accept_rate(genuine: Scores, impostor: Scores, rate: float) -> tuple[float | None, Interval]:
    """The share of genuine comparisons above every threshold at which at most `rate` of the impostors match."""
    if not genuine.size or not impostor.size:
        return None, None
    allowed = min(int(rate * impostor.size + 1e-9), impostor.size - 1)
    highest_refused = np.partition(impostor, impostor.size - 1 - allowed)[impostor.size - 1 - allowed]
    accepted = int(np.count_nonzero(genuine > highest_refused))
    return share(accepted, genuine.size), clopper_pearson(accepted, genuine.size)


def det_curve(genuine: Scores, impostor: Scores, points: int = 40) -> list[list[float]]:
    """Points [FMR, FNMR] of the detection error trade-off, from FMR 1 down to the smallest the data can tell."""
    if not genuine.size or not impostor.size:
        return []
    low, high = np.sort(genuine), np.sort(impostor)[::-1]
    places = np.unique(np.geomspace(1, high.size, points).astype(int))[::-1]
    curve = []
    for place in places:
        threshold = high[place - 1]
        matched = int(np.count_nonzero(high >= threshold))
        missed = int(np.searchsorted(low, threshold, side="left"))
        curve.append([round(matched / high.size, 7), round(missed / low.size, 6)])
    return curve
