"""What is owed once a norm is passed: on what is over, on all of it, on whole items, by bands."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

import pytest
from carried_goods import assess, goods, some
from hypothesis import given, settings
from hypothesis import strategies as st
from small_packs import pack_of, quantity, rule

from contracts.declaration import GoodsItem, GoodsKind, Unit
from declarations.answer import Line, PersonAssessment, Relation
from declarations.duty import FINEST, most_within
from declarations.money import Rates
from declarations.packs import RulePack


def line(person: PersonAssessment, kind: str = "goods_value") -> Line:
    return next(line for line in person.lines if line.kind == kind)


def wine(litres: str | None) -> GoodsItem:
    return some(GoodsKind.WINE, litres, Unit.LITRE)


@pytest.mark.parametrize(
    ("excess", "duty", "dutiable", "formula", "rate"),
    [
        (
            {"model": "marginal", "per_unit": "3", "currency": "EUR"},
            "6",
            "2",
            "3 EUR × (6 − 4) l = 6.00 EUR",
            "3 EUR/l",
        ),
        ({"model": "whole", "per_unit": "3", "currency": "EUR"}, "18", "6", "3 EUR × 6 l = 18.00 EUR", "3 EUR/l"),
        ({"model": "marginal"}, None, "2", "", ""),
        ({"model": "whole"}, None, "6", "", ""),
        ({"model": "assessed"}, None, None, "", ""),
    ],
)
def test_models_of_excess(
    excess: dict[str, str], duty: str | None, dutiable: str | None, formula: str, rate: str
) -> None:
    pack = pack_of(quantity(excess=excess))
    found = line(assess(pack, None, wine("6")), "wine")
    assert found.relation is Relation.OVER
    assert found.duty == (None if duty is None else Decimal(duty))
    assert found.dutiable == (None if dutiable is None else Decimal(dutiable))
    assert (found.formula, found.rate, found.settled) == (formula, rate, duty is not None)
    within = assess(pack, None, wine("4"))
    assert (line(within, "wine").duty, line(within, "wine").formula, within.duty_complete) == (0, "", True)


def test_a_rate_in_per_cent() -> None:
    pack = pack_of(rule(excess={"model": "whole", "percent": "15", "currency": "EUR"}))
    found = line(assess(pack, None, goods("100.10", "1")))
    assert (found.duty, found.rate, found.formula) == (Decimal("15.02"), "15 %", "15 % × 100.1 EUR = 15.02 EUR")


def test_two_rules_that_levy_leave_the_duty_to_an_officer() -> None:
    excess = {"model": "whole", "per_unit": "3", "currency": "EUR"}
    pack = pack_of(quantity(excess=excess), quantity("R-2", amount="5", code="WINE_FAR_OVER", excess=excess))
    assert line(assess(pack, None, wine("4.5")), "wine").duty == Decimal("13.5")
    both = line(assess(pack, None, wine("6")), "wine")
    assert (both.duty, both.settled) == (None, False)


def test_a_lower_bound_says_so() -> None:
    pack = pack_of(quantity(excess={"model": "marginal", "per_unit": "3", "currency": "EUR"}))
    person = assess(pack, None, wine("6"), wine(None))
    found = line(person, "wine")
    assert (found.duty, found.exact, found.settled) == (6, False, False)
    assert found.formula == "3 EUR × (6 − 4) l ≥ 6.00 EUR"
    assert not person.duty_complete and person.unknown


# --- bands ----------------------------------------------------------------------------------------------------

BANDS = [{"width": "1000", "percent": "3"}, {"width": "500", "percent": "10"}, {}]


def staged(*bands: dict[str, str]) -> RulePack:
    excess = {"model": "staged", "currency": "EUR", "bands": list(bands)}
    return pack_of(rule(amount="800", excess=excess))


@pytest.mark.parametrize(
    ("value", "duty", "settled", "formula"),
    [
        ("800", "0", True, ""),
        ("800.01", "0.00", True, "3 % × 0.01 EUR = 0.00 EUR"),
        ("1800", "30", True, "3 % × 1000 EUR = 30.00 EUR"),
        ("1800.1", "30.01", True, "3 % × 1000 EUR + 10 % × 0.1 EUR = 30.01 EUR"),
        ("2300", "80", True, "3 % × 1000 EUR + 10 % × 500 EUR = 80.00 EUR"),
        ("2300.01", "80", False, "3 % × 1000 EUR + 10 % × 500 EUR + ? × 0.01 EUR ≥ 80.00 EUR"),
        ("9000", "80", False, "3 % × 1000 EUR + 10 % × 500 EUR + ? × 6700 EUR ≥ 80.00 EUR"),
    ],
)
def test_bands(value: str, duty: str, settled: bool, formula: str) -> None:
    for pack in (staged(*BANDS), staged(*BANDS[:-1])):  # beyond the last band an officer assesses as well
        person = assess(pack, None, goods(value, "1"))
        found = line(person)
        assert (found.duty, found.settled, found.formula) == (Decimal(duty), settled, formula)
        assert person.duty_complete == settled
        assert found.relation is (Relation.OVER if Decimal(value) > 800 else Relation.WITHIN)
        if found.relation is Relation.OVER:
            assert found.dutiable == Decimal(value) - 800
            assert found.rate == "3 %, 10 %"


def test_bands_per_unit_and_a_first_band_without_a_rate() -> None:
    per_litre = {
        "model": "staged",
        "currency": "EUR",
        "bands": [{"width": "2", "per_unit": "1.5"}, {"per_unit": "4"}],
    }
    found = line(assess(pack_of(quantity(excess=per_litre)), None, wine("7")), "wine")
    assert (found.duty, found.formula) == (7, "1.5 EUR × 2 l + 4 EUR × 1 l = 7.00 EUR")
    unrated = {"model": "staged", "currency": "EUR", "bands": [{"width": "2"}, {"per_unit": "4"}]}
    found = line(assess(pack_of(quantity(excess=unrated)), None, wine("7")), "wine")
    assert (found.duty, found.dutiable, found.settled, found.formula) == (None, 3, False, "")


def test_bands_of_a_converted_sum(rates: Rates) -> None:
    found = line(assess(staged(*BANDS), rates, goods("2500", "1", "USD")))  # 2000 EUR
    assert (found.duty, found.dutiable, found.settled) == (50, 1200, True)
    assert found.formula == "3 % × 1000 EUR + 10 % × 200 EUR = 50.00 EUR"


def test_a_band_without_end_of_digits_is_shown_to_the_cent(rates: Rates) -> None:
    odd = rates.model_copy(update={"rates": {**rates.rates, "EUR": Decimal("3.7")}})
    found = line(assess(staged(*BANDS), odd, goods("1000", "1", "USD")))  # 864.864… EUR
    assert found.formula == "3 % × 64.87 EUR = 1.95 EUR"


# --- whole items ----------------------------------------------------------------------------------------------

WHOLE_ITEMS = pack_of(rule(amount="430", excess={"model": "indivisible"}))


@pytest.mark.parametrize(
    ("values", "dutiable"),
    [
        (["300", "200"], "200"),
        (["200", "300"], "200"),
        (["430.001"], "430.001"),
        (["431", "430"], "431"),
        (["215", "215", "0.001"], "0.001"),
        (["200", "200", "200"], "200"),
        (["100", "150", "180", "250"], "250"),
        (["1000", "1", "2"], "1000"),
    ],
)
def test_whole_items_are_chosen_for_the_traveller(values: list[str], dutiable: str) -> None:
    found = line(assess(WHOLE_ITEMS, None, *(goods(value, "1") for value in values)))
    assert found.relation is Relation.OVER
    assert (found.dutiable, found.duty, found.settled) == (Decimal(dutiable), None, False)


def test_whole_items_within_the_norm_are_free() -> None:
    person = assess(WHOLE_ITEMS, None, goods("215", "1"), goods("215", "1"))
    assert (line(person).relation, line(person).dutiable, person.hits) == (Relation.WITHIN, None, ())


def test_whole_items_with_a_rate_and_in_other_currencies(rates: Rates) -> None:
    pack = pack_of(rule(amount="430", excess={"model": "indivisible", "percent": "10", "currency": "EUR"}))
    # 375 USD are 300 EUR, 250 USD are 200 EUR; a lira has no rate and its worth is not known.
    found = line(assess(pack, rates, goods("375", "1", "USD"), goods("250", "1", "USD")))
    assert (found.dutiable, found.duty) == (200, 20)
    found = line(assess(pack, rates, goods("375", "1", "USD"), goods("200", "1"), goods("5", "1", "TRY")))
    assert (found.dutiable, found.duty, found.exact, found.settled) == (200, 20, False, False)


@given(st.lists(st.integers(1, 600_000), max_size=9), st.integers(0, 430_000))
@settings(deadline=None)
def test_the_best_choice_is_the_best_of_all_choices(steps: list[int], limit: int) -> None:
    worths = [Decimal(step) / 1000 for step in steps]
    sums = {sum(chosen) for size in range(len(steps) + 1) for chosen in combinations(steps, size)}
    assert most_within(worths, Decimal(limit) / 1000) * 1000 == max(one for one in sums if one <= limit)


@given(st.lists(st.integers(1, 3 * FINEST), max_size=6), st.integers(FINEST, 4 * FINEST))
@settings(deadline=None, max_examples=30)
def test_a_coarser_choice_never_takes_too_much(steps: list[int], limit: int) -> None:
    worths = [Decimal(step) / 1000 for step in steps]
    sums = {sum(chosen) for size in range(len(steps) + 1) for chosen in combinations(steps, size)}
    found = most_within(worths, Decimal(limit) / 1000) * 1000
    assert found <= limit
    assert found >= max(one for one in sums if one <= limit - 10 * len(steps))  # ten steps to an item are lost


def test_a_band_without_a_rate_leaves_the_next_its_own() -> None:
    bands = [{"width": "100", "percent": "1"}, {"width": "100"}, {"percent": "10"}]
    pack = pack_of(rule(excess={"model": "staged", "currency": "EUR", "bands": bands}))
    found = line(assess(pack, None, goods("350", "1")))
    assert (found.duty, found.settled, found.dutiable) == (Decimal("6.00"), False, 250)
    assert found.formula == "1 % × 100 EUR + ? × 100 EUR + 10 % × 50 EUR ≥ 6.00 EUR"


def test_a_rule_that_only_may_be_exceeded_charges_nothing() -> None:
    excess = {"model": "marginal", "per_unit": "3", "currency": "EUR"}
    pack = pack_of(quantity(excess=excess), quantity("R-2", amount="9", code="WINE_FAR_OVER", excess=excess))
    found = line(assess(pack, None, wine("6"), wine(None)), "wine")
    assert (found.duty, found.settled, found.formula) == (6, False, "3 EUR × (6 − 4) l ≥ 6.00 EUR")


def test_only_what_is_over_says_by_how_much() -> None:
    pack = pack_of(quantity())
    (hit,) = assess(pack, None, wine("3"), wine(None)).hits
    assert (hit.relation, hit.facts) == (Relation.UNKNOWN, {"declared": "3", "norm": "4", "unit": "l"})
    (over,) = assess(pack, None, wine("6")).hits
    assert over.facts == {"declared": "6", "difference": "2", "norm": "4", "unit": "l"}


def test_half_a_cent_is_a_cent() -> None:
    pack = pack_of(quantity(excess={"model": "marginal", "per_unit": "1", "currency": "EUR"}))
    assert line(assess(pack, None, wine("4.125")), "wine").duty == Decimal("0.13")
    bands = [{"percent": "1"}]
    staged = pack_of(rule(excess={"model": "staged", "currency": "EUR", "bands": bands}))
    assert line(assess(staged, None, goods("112.50", "1"))).duty == Decimal("0.13")


def test_three_digits_of_a_band_are_shown_and_four_are_not(rates: Rates) -> None:
    assert line(assess(staged(*BANDS), None, goods("900.005", "1"))).formula == "3 % × 100.005 EUR = 3.00 EUR"
    sixteen = rates.model_copy(update={"rates": {**rates.rates, "EUR": Decimal(16), "USD": Decimal(1)}})
    found = line(assess(staged(*BANDS), sixteen, goods("12801", "1", "USD")))  # 800.0625 EUR
    assert found.formula == "3 % × 0.07 EUR = 0.00 EUR"


def test_coarser_steps_are_as_fine_as_they_can_be() -> None:
    assert most_within([Decimal(1001)], Decimal(1001)) == 1001


def test_something_of_unknown_amount_is_more_than_nothing() -> None:
    for pack in (
        pack_of(quantity(amount="0")),
        pack_of(quantity(comparator="any", amount=None)),
        pack_of(quantity(measure="mass", unit="kg", comparator="any", amount=None)),
    ):
        found = line(assess(pack, None, wine(None)), "wine")
        assert (found.relation, found.exact) == (Relation.OVER, False)
