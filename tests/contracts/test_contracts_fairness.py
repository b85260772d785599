"""Whether groups differ: intervals beside scipy's, and a verdict that never claims more than they say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from contracts.fairness import clopper_pearson, differences


@pytest.mark.parametrize(
    ("events", "trials"), [(0, 50), (1, 3000), (49, 50), (50, 50), (30, 100_000), (2988, 3000), (160, 300)]
)
def test_intervals_are_clopper_and_pearsons(events: int, trials: int) -> None:
    told = clopper_pearson(events, trials)
    known = stats.binomtest(events, trials).proportion_ci(0.95, "exact")
    assert told == pytest.approx([known.low, known.high], abs=2e-6)


def test_a_difference_is_shown_not_shown_or_nobody_can_say() -> None:
    verdicts = differences({"a": (50, 156), "b": (17, 4692), "c": (0, 20)})
    assert verdicts == {"a": "shown", "b": "not_shown", "c": "not_enough_data"}
    assert differences({"a": (500, 1000), "b": (0, 0)}) == {"a": "not_enough_data", "b": "not_enough_data"}, (
        "alone"
    )
    assert differences({"a": (0, 100_000), "b": (0, 0)}) == {"a": "not_enough_data", "b": "not_enough_data"}


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.text(max_size=2), st.tuples(st.integers(0, 30), st.integers(30, 400)), max_size=4))
def test_no_difference_is_claimed_only_below_three_times_the_overall_rate(
    counts: dict[str, tuple[int, int]],
) -> None:
    events, trials = (sum(count[place] for count in counts.values()) for place in (0, 1))
    for group, verdict in differences(counts).items():
        interval = stats.binomtest(*counts[group]).proportion_ci(0.95, "exact")
        if verdict == "not_shown":
            assert interval.high < 3 * events / trials + 1e-5
        if verdict == "shown":
            assert interval.low > events / trials - 1e-5
