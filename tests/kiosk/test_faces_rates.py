"""Error rates: counted by hand on few scores, and by their laws on any."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kiosk.faces import rates

NOBODY = -np.inf


def scores(*values: float) -> rates.Scores:
    return np.array(values, dtype=np.float64)


def test_rates_at_a_threshold_are_counted_with_what_was_not_captured() -> None:
    genuine, impostor = scores(NOBODY, 0.4, 0.5, 0.9), scores(NOBODY, 0.1, 0.5, 0.2, 0.3)
    assert rates.false_non_match_rate(genuine, 0.5)[:2] == (2, 0.5), "the threshold itself matches"
    assert rates.false_match_rate(impostor, 0.5)[:2] == (1, 0.2)


def test_the_equal_error_rate_of_a_known_overlap() -> None:
    genuine = scores(*(0.5 + 0.01 * k for k in range(100)))
    impostor = scores(*(-0.3 + 0.01 * k for k in range(100)))
    # They overlap on 20 steps of 100; at the middle of it each loses 10.
    assert rates.equal_error_rate(genuine, impostor) == pytest.approx(0.10, abs=0.006)
    assert rates.equal_error_rate(genuine, scores(0.1, 0.2)) == 0
    assert rates.equal_error_rate(genuine, scores()) is None


def test_acceptance_at_a_rate_allows_as_many_false_matches_and_no_more() -> None:
    impostor = scores(*range(1000))
    genuine = scores(NOBODY, 998.5, 999.5, 989.5)
    assert rates.true_accept_rate(genuine, impostor, 1e-3)[0] == 0.5, "one impostor of a thousand may be above"
    assert rates.true_accept_rate(genuine, impostor, 1e-4)[0] == 0.25, "none may"
    assert rates.true_accept_rate(genuine, impostor, 1e-2)[0] == 0.75
    assert rates.true_accept_rate(scores(), impostor, 1e-2) == (None, None)


@settings(deadline=None)
@given(
    genuine=st.lists(st.floats(-5, 5), min_size=1, max_size=40),
    impostor=st.lists(st.floats(-5, 5), min_size=1, max_size=40),
    rate=st.sampled_from(sorted(rates.FALSE_MATCH_RATES.values())),
)
def test_the_laws_of_rates(genuine: list[float], impostor: list[float], rate: float) -> None:
    matching, other = scores(*genuine), scores(*impostor)
    accepted, interval = rates.true_accept_rate(matching, other, rate)
    assert accepted is not None
    assert interval is not None
    assert interval[0] <= round(accepted, 6) <= interval[1]
    eer = rates.equal_error_rate(matching, other)
    assert eer is not None
    assert 0 <= eer <= 1
    curve = rates.det_curve(matching, other)
    assert curve[0][0] == 1
    assert all(one[0] >= two[0] and one[1] <= two[1] for one, two in itertools.pairwise(curve))


@pytest.mark.parametrize(("events", "trials"), [(0, 50), (1, 3000), (49, 50), (50, 50), (30, 100_000)])
def test_intervals_are_clopper_and_pearsons(events: int, trials: int) -> None:
    told = rates.clopper_pearson(events, trials)
    known = stats.binomtest(events, trials).proportion_ci(0.95, "exact")
    assert told == pytest.approx([known.low, known.high], abs=2e-6)


def test_a_difference_is_shown_not_shown_or_nobody_can_say() -> None:
    verdicts = rates.differences({"a": (50, 156), "b": (17, 4692), "c": (0, 20)})
    assert verdicts == {"a": "shown", "b": "not_shown", "c": "not_enough_data"}
    assert rates.differences({"a": (0, 100_000), "b": (0, 0)}) == {"a": "not_enough_data", "b": "not_enough_data"}


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.text(max_size=2), st.tuples(st.integers(0, 30), st.integers(30, 400)), max_size=4))
def test_no_difference_is_claimed_only_below_three_times_the_overall_rate(
    counts: dict[str, tuple[int, int]],
) -> None:
    events, trials = (sum(count[place] for count in counts.values()) for place in (0, 1))
    for group, verdict in rates.differences(counts).items():
        interval = stats.binomtest(*counts[group]).proportion_ci(0.95, "exact")
        if verdict == "not_shown":
            assert interval.high < 3 * events / trials + 1e-5
        if verdict == "shown":
            assert interval.low > events / trials - 1e-5
