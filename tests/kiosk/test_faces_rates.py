"""Error rates: counted by hand on few scores, and by their laws on any."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


FEW = st.lists(st.integers(-3, 3), min_size=1, max_size=30)


@settings(deadline=None)
@given(genuine=FEW, impostor=FEW)
def test_the_equal_error_rate_is_that_of_the_nearest_of_all_thresholds(
    genuine: list[int], impostor: list[int]
) -> None:
    def rates_at(threshold: int) -> tuple[Fraction, Fraction]:
        missed = sum(score < threshold for score in genuine)
        matched = sum(score >= threshold for score in impostor)
        return Fraction(missed, len(genuine)), Fraction(matched, len(impostor))

    crossing = min(map(rates_at, sorted({*genuine, *impostor})), key=lambda both: abs(both[0] - both[1]))
    found = rates.equal_error_rate(scores(*genuine), scores(*impostor))
    assert found == pytest.approx(float(sum(crossing)) / 2, abs=1e-6)
