"""Error rates of a comparison (ISO/IEC 19795-1): FMR, FNMR, EER, TAR at an FMR, and whether groups differ.

Higher scores say "the same person". A comparison that could not be made scores minus infinity: it is a false
non-match where the two are one person, and no false match where they are not. Intervals are Clopper and Pearson's.
Comparisons that share a picture are not independent of each other, so the intervals are too narrow rather than too
wide; with few people trust the number of people more than the number of pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from kiosk.mrz.evaluate import clopper_pearson

Scores = npt.NDArray[np.float64]
Interval = list[float] | None
Difference = Literal["shown", "not_shown", "not_enough_data"]

FALSE_MATCH_RATES = {"1e-2": 1e-2, "1e-3": 1e-3, "5e-4": 5e-4, "1e-4": 1e-4}
_MUCH = 3.0  # a group's rate that may be three times the overall one is not "no difference"


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
    thresholds = np.unique(np.concatenate([low, high]))
    missed = np.searchsorted(low, thresholds, side="left") / low.size
    matched = 1 - np.searchsorted(high, thresholds, side="left") / high.size
    nearest = int(np.argmin(np.abs(missed - matched)))
    return round(float(missed[nearest] + matched[nearest]) / 2, 6)


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


def differences(counts: Mapping[str, tuple[int, int]]) -> dict[str, Difference]:
    """Of each group's (events, trials): is its error rate higher than that of all together?

    Shown: the group's whole interval is above the overall rate. Not shown: its upper bound is below three times
    the overall rate. Else nobody can say: not enough data.
    """
    events = sum(count[0] for count in counts.values())
    trials = sum(count[1] for count in counts.values())
    overall = events / trials if trials else 0.0
    verdicts: dict[str, Difference] = {}
    for group, (own, of) in counts.items():
        interval = clopper_pearson(own, of)
        if interval is None:
            verdicts[group] = "not_enough_data"
        elif interval[0] > overall:
            verdicts[group] = "shown"
        else:
            verdicts[group] = "not_shown" if interval[1] < _MUCH * overall else "not_enough_data"
    return verdicts
