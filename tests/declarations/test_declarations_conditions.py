"""Rules that hold for some people only: conditions, ages, households, and whose the goods are."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from carried_goods import DAY, alcohol, cash, declaration, goods, some
from small_packs import note, pack_of, quantity, rule

from contracts.declaration import Declaration, GoodsItem, GoodsKind, Manner, Money, MoneyKind, TransportMode, Unit
from contracts.party import Direction
from declarations.answer import Line, PersonAssessment, Relation
from declarations.evaluate import PersonFacts, evaluate
from declarations.figures import Figure
from declarations.money import Rates
from declarations.packs import RulePack, load_pack


def wine(litres: str | None, **more: Any) -> GoodsItem:
    return some(GoodsKind.WINE, litres, Unit.LITRE).model_copy(update=more)


def person(*things: GoodsItem | Money, age: int | None = 40, **facts: Any) -> PersonFacts:
    return PersonFacts("p1", age, "lead", declaration(*things), **facts)


def judged(
    pack: RulePack, *people: PersonFacts, rates: Rates | None = None, transport: TransportMode = TransportMode.AIR
) -> list[PersonAssessment]:
    return list(evaluate(pack, Direction.ARRIVAL, transport, people, rates, DAY).persons.values())


def line(assessed: PersonAssessment, kind: str = "wine") -> Line:
    return next(line for line in assessed.lines if line.kind == kind)


def codes(assessed: PersonAssessment) -> list[str]:
    return [hit.code for hit in assessed.hits]


# --- conditions -----------------------------------------------------------------------------------------------

RESIDENTS = pack_of(
    rule("A", amount="200", conditions={"resident": True, "absence_hours_below": 48}, excess={"model": "whole"}),
    rule("B", amount="800", conditions={"resident": True, "absence_hours_from": 48}, excess={"model": "marginal"}),
)


@pytest.mark.parametrize(
    ("value", "facts", "relation", "dutiable"),
    [
        ("201", {"resident": True, "absence_hours": 25}, Relation.OVER, "201"),
        ("200", {"resident": True, "absence_hours": 25}, Relation.WITHIN, None),
        ("201", {"resident": True, "absence_hours": Decimal("47.9")}, Relation.OVER, "201"),
        ("801", {"resident": True, "absence_hours": 48}, Relation.OVER, "1"),
        ("201", {"resident": True, "absence_hours": 48}, Relation.WITHIN, None),
        ("150", {"resident": True}, Relation.WITHIN, None),
        ("201", {"resident": True}, Relation.UNKNOWN, None),
        ("801", {"resident": True}, Relation.UNKNOWN, None),
        ("201", {"absence_hours": 25}, Relation.UNKNOWN, None),
        ("201", {}, Relation.UNKNOWN, None),
        ("1", {"resident": False, "absence_hours": 25}, Relation.UNKNOWN, None),
        ("201", {"resident": True, "absence_hours": -1}, Relation.UNKNOWN, None),
        ("201", {"resident": True, "absence_hours": Decimal("NaN")}, Relation.UNKNOWN, None),
        ("201", {"resident": True, "absence_hours": Decimal("Infinity")}, Relation.UNKNOWN, None),
    ],
)
def test_a_condition_that_is_not_known_leaves_open_what_depends_on_it(
    value: str, facts: dict[str, Any], relation: Relation, dutiable: str | None
) -> None:
    (assessed,) = judged(RESIDENTS, person(goods(value, "1"), **facts))
    found = line(assessed, "goods_value")
    assert found.relation is relation
    assert found.dutiable == (None if dutiable is None else Decimal(dutiable))
    assert bool(assessed.hits) == (relation is not Relation.WITHIN)
    assert assessed.unknown == (relation is Relation.UNKNOWN) or dutiable is not None
    assert assessed.must_declare == (relation is Relation.OVER)
    if relation is Relation.UNKNOWN:
        assert codes(assessed) == ["GOODS_VALUE_UNKNOWN"]
        assert found.duty is None and not found.settled and not assessed.duty_complete


def test_the_norm_is_that_of_the_rule_which_holds() -> None:
    for hours, norm in ((25, 200), (48, 800)):
        (assessed,) = judged(RESIDENTS, person(goods("10", "1"), resident=True, absence_hours=hours))
        assert line(assessed, "goods_value").norm == norm
    (assessed,) = judged(RESIDENTS, person(goods("10", "1")))
    assert line(assessed, "goods_value").norm == 200


def test_nothing_carried_depends_on_nothing() -> None:
    (assessed,) = judged(RESIDENTS, person())
    assert (assessed.lines, assessed.hits, assessed.duty_complete) == ((), (), True)
    shown = pack_of(rule("A", amount="200", conditions={"resident": True}, shown=True))
    for resident in (True, None):
        (assessed,) = judged(shown, person(resident=resident))
        assert line(assessed, "goods_value").norm == 200 and not assessed.hits
    (assessed,) = judged(shown, person(resident=False))
    assert line(assessed, "goods_value").norm is None and not assessed.hits


@pytest.mark.parametrize(
    ("conditions", "inside", "outside"),
    [
        ({"days_since_exemption_from": 30}, {"days_since_exemption": 30}, {"days_since_exemption": 29}),
        ({"days_since_exemption_below": 30}, {"days_since_exemption": 29}, {"days_since_exemption": 30}),
        ({"crossings_from": 2}, {"crossings": 2}, {"crossings": 1}),
        ({"crossings_below": 2}, {"crossings": 1}, {"crossings": 2}),
        ({"age_from": 41}, {"age": 41}, {"age": 40}),
        ({"age_below": 41}, {"age": 40}, {"age": 41}),
        ({"resident": False}, {"resident": False}, {"resident": True}),
        ({"absence_hours_from": 24, "absence_hours_below": 48}, {"absence_hours": 24}, {"absence_hours": 48}),
    ],
)
def test_from_is_included_and_below_is_not(
    conditions: dict[str, Any], inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    pack = pack_of(rule(conditions=conditions), rule("R-2", amount="900", code="GOODS_FAR_OVER"))
    assert codes(judged(pack, person(goods("101", "1"), **inside))[0]) == ["GOODS_OVER"]
    assert codes(judged(pack, person(goods("101", "1"), **outside))[0]) == []
    unknown = {"age": None} if "age" in inside else {}
    assert codes(judged(pack, person(goods("101", "1"), **unknown))[0]) == ["GOODS_VALUE_UNKNOWN"]
    assert codes(judged(pack, person(goods("100", "1"), **unknown))[0]) == []


def test_one_condition_that_fails_outweighs_one_that_is_unknown() -> None:
    pack = pack_of(rule(conditions={"resident": True, "crossings_from": 2}), rule("R-2", amount="900"))
    (assessed,) = judged(pack, person(goods("101", "1"), resident=False))
    assert assessed.hits == ()


# A norm that depends on how often somebody crosses, beside one that does not.
TWICE = pack_of(
    rule("B-3", amount="500", excess={"model": "marginal", "percent": "30", "currency": "EUR"}),
    rule("B-33", amount="300", effect="undecided", code="GOODS_VALUE_UNKNOWN", conditions={"crossings_from": 2}),
)


@pytest.mark.parametrize(
    ("value", "crossings", "relation", "norm", "duty", "complete"),
    [
        ("300", None, Relation.WITHIN, 500, "0", True),
        ("300.01", None, Relation.UNKNOWN, 300, None, False),
        ("300.01", 1, Relation.WITHIN, 500, "0", True),
        ("300.01", 2, Relation.UNKNOWN, 300, None, False),
        ("600", None, Relation.OVER, 500, "30", False),
        ("600", 2, Relation.OVER, 500, "30", False),
        ("600", 1, Relation.OVER, 500, "30", True),
    ],
)
def test_how_often_somebody_crosses(
    value: str, crossings: int | None, relation: Relation, norm: int, duty: str | None, complete: bool
) -> None:
    (assessed,) = judged(TWICE, person(goods(value, "1"), crossings=crossings))
    found = line(assessed, "goods_value")
    assert (found.relation, found.norm) == (relation, norm)
    assert found.duty == (None if duty is None else Decimal(duty))
    assert (found.settled, assessed.duty_complete) == (complete, complete)
    assert assessed.hits == () if relation is Relation.WITHIN else len(assessed.hits) == 1


def test_an_undecided_rule_alone_shows_its_own_amount_and_code() -> None:
    pack = pack_of(quantity(effect="undecided", code="WINE_BY_OFFICER"))
    (assessed,) = judged(pack, person(wine("5")))
    assert (codes(assessed), line(assessed).norm, assessed.unknown) == (["WINE_BY_OFFICER"], 4, True)
    (assessed,) = judged(pack_of(quantity(effect="undecided", code=None)), person(wine("5")))
    assert codes(assessed) == ["WINE_UNKNOWN"]


@pytest.mark.parametrize(("litres", "over"), [("3.999", False), ("4", True), ("4.001", True)])
def test_at_least_includes_its_amount(litres: str, over: bool) -> None:
    pack = pack_of(quantity(comparator=">="), quantity("R-2", amount="9", code="WINE_FAR_OVER"))
    (assessed,) = judged(pack, person(wine(litres)))
    assert codes(assessed) == (["WINE_OVER"] if over else [])
    none = pack_of(quantity(comparator=">=", amount="0"))
    assert codes(judged(none, person(wine(litres)))[0]) == ["WINE_OVER"]
    assert codes(judged(none, person(wine("0")))[0]) == []


# --- ages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "code"),
    [(17, "UNDERAGE_WINE"), (18, None), (None, "WINE_UNKNOWN"), (-1, "WINE_UNKNOWN"), (131, "WINE_UNKNOWN")],
)
def test_ages_that_cannot_be_are_not_known(age: int | None, code: str | None) -> None:
    pack = pack_of(quantity(min_age=18), quantity("R-2", amount="9", min_age=16, code="WINE_FAR_OVER"))
    (assessed,) = judged(pack, person(wine("1"), age=age))
    assert codes(assessed) == ([code] if code else [])
    assert line(assessed).settled == (age in (17, 18))


def test_the_highest_age_of_a_subject_counts() -> None:
    pack = pack_of(quantity("R-2", amount="9", min_age=16, code="WINE_FAR_OVER"), quantity(min_age=18))
    (assessed,) = judged(pack, person(wine("1"), age=17))
    assert assessed.hits[0].facts["min_age"] == "18" and assessed.hits[0].rule_id == "R-1"


# --- shares ---------------------------------------------------------------------------------------------------

SHARE = {"subject": "strong", "measure": "share", "amount": "100", "unit": None, "code": "STRONG_OVER"}
STRONG = pack_of(
    quantity(kinds=["spirits", "intermediate"], norms={"spirits": "4", "intermediate": "9"}, shown=True, **SHARE)
)


@pytest.mark.parametrize(
    ("spirits", "intermediate", "over"),
    [
        ("4", None, False),
        ("4.001", None, True),
        (None, "9", False),
        (None, "9.001", True),
        ("2", "4.5", False),
        ("2", "4.501", True),
        ("2.001", "4.5", True),
        ("1.333", "6.003", True),
        ("1.333", "6", False),
    ],
)
def test_shares_add_up_exactly(spirits: str | None, intermediate: str | None, over: bool) -> None:
    things = [some(GoodsKind.SPIRITS, spirits, Unit.LITRE)] if spirits else []
    things += [some(GoodsKind.INTERMEDIATE, intermediate, Unit.LITRE)] if intermediate else []
    (assessed,) = judged(STRONG, person(*things))
    assert codes(assessed) == (["STRONG_OVER"] if over else [])
    found = line(assessed, "strong")
    assert found.unit == ("%" if spirits and intermediate else "l")
    assert found.norm == (100 if spirits and intermediate else 4 if spirits else 9)
    assert found.declared is not None and (found.declared > found.norm) == over


def test_shares_of_odd_norms_are_exact() -> None:
    """A common measure of twenty digits: a float of it would be 417 too many."""
    norms = {"wine": "0.003", "beer": "9999999.007", "spirits": "999999.937"}
    pack = pack_of(quantity(kinds=list(norms), norms=norms, **SHARE))
    assert judged(pack, person(wine("0.003")))[0].hits == ()
    assert codes(judged(pack, person(wine("0.003"), some(GoodsKind.BEER, "0.001", Unit.LITRE)))[0]) == [
        "STRONG_OVER"
    ]


def test_a_share_says_what_is_there() -> None:
    (assessed,) = judged(STRONG, person(some(GoodsKind.SPIRITS, "1", Unit.LITRE), wine_like("3")))
    found = line(assessed, "strong")
    assert (found.declared, found.difference, found.left) == (Decimal("58.34"), Decimal("41.66"), Decimal("41.66"))
    (assessed,) = judged(STRONG, person(some(GoodsKind.INTERMEDIATE, "3", Unit.LITRE)))
    assert (line(assessed, "strong").declared, line(assessed, "strong").left) == (3, 6)
    (assessed,) = judged(STRONG, person())
    assert (line(assessed, "strong").declared, line(assessed, "strong").norm) == (0, 4)
    (assessed,) = judged(STRONG, person(some(GoodsKind.SPIRITS, None, None), wine_like("3")))
    assert codes(assessed) == ["STRONG_UNKNOWN"] and line(assessed, "strong").left is None


def wine_like(litres: str) -> GoodsItem:
    return some(GoodsKind.INTERMEDIATE, litres, Unit.LITRE)


# --- what no rule knows ---------------------------------------------------------------------------------------


def test_a_kind_that_no_rule_names_refers() -> None:
    pack = pack_of(quantity())
    beer = some(GoodsKind.BEER, "1", Unit.LITRE)
    (assessed,) = judged(pack, person(beer, wine("1"), cash("1")))
    (hit,) = assessed.hits
    assert (hit.code, hit.relation, hit.rule_id, hit.facts) == (
        "RULES_UNKNOWN",
        Relation.UNKNOWN,
        None,
        {"kinds": "beer, cash"},
    )
    assert assessed.unknown and not assessed.must_declare and not assessed.duty_complete
    assert line(assessed).relation is Relation.WITHIN


def test_a_pack_may_say_which_kinds_it_knows() -> None:
    coverage = {"directions": ["arrival"], "transport": ["40"], "kinds": {"arrival": ["wine", "beer"]}}
    pack = pack_of(quantity(), note(), coverage=coverage)
    assert judged(pack, person(some(GoodsKind.BEER, "1", Unit.LITRE)))[0].hits == ()
    assert codes(judged(pack, person(goods("1", "1")))[0]) == ["RULES_UNKNOWN"]


def test_a_figure_may_matter_only_beside_another_kind() -> None:
    pack = pack_of(
        quantity(kinds=["wine", "beer"], only_with=["beer"], code="MIXED_OVER"),
        note(kinds=["wine"]),
    )
    assert judged(pack, person(wine("9")))[0].lines == ()
    (assessed,) = judged(pack, person(wine("3"), some(GoodsKind.BEER, "1.001", Unit.LITRE)))
    assert codes(assessed) == ["MIXED_OVER"]


@pytest.mark.parametrize(
    ("measure", "stated", "unit"),
    [
        ("quantity", {"quantity": Decimal(3), "unit": Unit.LITRE}, "l"),
        ("mass", {"weight_kg": Decimal(3)}, "kg"),
        ("net_mass", {"quantity": Decimal(3000), "unit": Unit.GRAM, "weight_kg": Decimal(9)}, "kg"),
        ("value", {"value": Decimal(3), "currency": "EUR"}, "EUR"),
    ],
)
def test_what_counts_with_what_is_stated(measure: str, stated: dict[str, Any], unit: str) -> None:
    money = {"unit": None, "currency": "EUR", "rate_date": "day_of_declaration"}
    pack = pack_of(quantity(measure=measure, also=["fuel"], **(money if unit == "EUR" else {"unit": unit})))
    silent, fuel = GoodsItem(kind=GoodsKind.FUEL), GoodsItem(kind=GoodsKind.FUEL, **stated)
    bottle = GoodsItem(kind=GoodsKind.WINE, **stated)
    (assessed,) = judged(pack, person(silent, silent))
    assert (assessed.hits, assessed.lines) == ((), ()), "nobody asks for it"
    (assessed,) = judged(pack, person(fuel, silent))
    assert (line(assessed).declared, line(assessed).unit, line(assessed).exact) == (3, unit, True)
    assert line(assessed).open and not assessed.duty_complete
    assert codes(judged(pack, person(fuel, bottle))[0]) == ["WINE_OVER"]
    assert not judged(pack, person(fuel, fuel.model_copy(update={"kind": GoodsKind.WINE})))[0].lines[0].open
    assert codes(judged(pack, person(GoodsItem(kind=GoodsKind.WINE), fuel))[0]) == ["WINE_UNKNOWN"]


def test_net_and_gross() -> None:
    jar = GoodsItem(kind=GoodsKind.WINE, quantity=Decimal(3), unit=Unit.KILOGRAM, weight_kg=Decimal(5))
    light = GoodsItem(kind=GoodsKind.WINE, quantity=Decimal(5), unit=Unit.KILOGRAM, weight_kg=Decimal(3))
    for measure, over in (("mass", [jar, light]), ("net_mass", [light])):
        pack = pack_of(quantity(measure=measure, unit="kg"))
        assert [one for one in (jar, light) if judged(pack, person(one))[0].hits] == over


def test_the_dearest_line(rates: Rates) -> None:
    pack = pack_of(rule(measure="single_value", amount="60", code="GIFT_OVER"))
    several = [goods("60", "1"), goods("59", "1"), goods("75", "1", "USD")]
    (assessed,) = judged(pack, person(*several), rates=rates)
    assert assessed.hits == () and line(assessed, "goods_value").declared == 60
    (assessed,) = judged(pack, person(*several, goods("75.01", "1", "USD")), rates=rates)
    assert codes(assessed) == ["GIFT_OVER"]
    (assessed,) = judged(pack, person(goods("61", "1"), goods("1", "1", "TRY")), rates=rates)
    assert codes(assessed) == ["GIFT_OVER"] and not line(assessed, "goods_value").exact
    (assessed,) = judged(pack, person(goods("1", "1"), goods(None, "1")))
    assert codes(assessed) == ["GOODS_VALUE_UNKNOWN"]
    assert (
        judged(pack_of(rule(measure="single_value", also=["gifts"])), person(GoodsItem(kind=GoodsKind.GIFTS)))[
            0
        ].hits
        == ()
    )


@pytest.mark.parametrize(
    ("pieces", "kilograms", "over"),
    [("1", "35", False), ("1", "35.001", True), ("2", "70", False), ("2", "70.001", True), ("1.5", "80", False)],
)
def test_the_heaviest_piece(eaeu_by: RulePack, pieces: str, kilograms: str, over: bool) -> None:
    item = goods("1", kilograms, quantity=Decimal(pieces), unit=Unit.PIECE)
    (assessed,) = judged(eaeu_by, person(item, goods("1", "1")))
    assert ("INDIVISIBLE_ITEM" in codes(assessed)) == over
    if over:
        found = line(assessed, "indivisible_item")
        assert (found.declared, found.unit) == (Decimal("35.01" if pieces == "2" else "35.001"), "kg")


@pytest.mark.parametrize(("kilograms", "over"), [("0.25", False), ("0.251", True)])
def test_kilograms_of_what_is_counted_in_grams(eaeu_by: RulePack, kilograms: str, over: bool) -> None:
    (assessed,) = judged(eaeu_by, person(some(GoodsKind.TOBACCO, kilograms, Unit.KILOGRAM)))
    assert codes(assessed) == (["TOBACCO_OVER_NORM"] if over else [])
    assert line(assessed, "tobacco").declared == Decimal(kilograms) * 1000


def test_things_that_are_not_counted_have_no_figures(eaeu_by: RulePack) -> None:
    apart = GoodsItem(kind=GoodsKind.WEAPONS, manner=Manner.UNACCOMPANIED)
    (assessed,) = judged(eaeu_by, person(apart))
    for kind in ("unaccompanied_baggage", "weapons"):
        found = line(assessed, kind)
        assert (found.declared, found.norm, found.difference, found.unit) == (None, None, None, "")


# --- households -----------------------------------------------------------------------------------------------


def family(*things: Sequence[GoodsItem], household: str | None = "h", **facts: Any) -> list[PersonFacts]:
    return [
        PersonFacts(f"p{place}", 40, "adult", declaration(*carried), household=household, **facts)
        for place, carried in enumerate(things, 1)
    ]


def pooled(pool: str, **said: Any) -> RulePack:
    return pack_of(quantity(pool=pool, **said))


def test_a_household_lends_what_it_does_not_use() -> None:
    pack = pooled("household")
    assert [codes(one) for one in judged(pack, *family([wine("5")], [wine("3")]))] == [[], []]
    first, second, third = judged(pack, *family([wine("6")], [wine("5")], [wine("1.5")]))
    assert (line(first).norm, line(first).borrowed, line(first).relation) == (6, 2, Relation.WITHIN)
    assert (line(second).norm, line(second).borrowed, line(second).relation) == (
        Decimal("4.5"),
        Decimal("0.5"),
        Relation.OVER,
    )
    assert line(third).borrowed == 0
    assert line(second).difference == Decimal("0.5")


@pytest.mark.parametrize("pool", ["none", "pair", "household"])
def test_who_may_pool(pool: str) -> None:
    two = judged(pooled(pool), *family([wine("5")], [wine("1")]))
    three = judged(pooled(pool), *family([wine("5")], [wine("1")], []))
    assert bool(two[0].hits) == (pool == "none")
    assert bool(three[0].hits) == (pool != "household")


def test_nobody_pools_on_a_guess() -> None:
    pack = pooled("household", min_age=18)
    strangers = family([wine("5")], [wine("1")], household=None)
    assert codes(judged(pack, *strangers)[0]) == ["WINE_OVER"]
    apart = [*family([wine("5")], household="one"), *family([], [wine("1")], household="two")[1:]]
    assert codes(judged(pack, *apart)[0]) == ["WINE_OVER"]
    vague = judged(pack, *family([wine("5")], [wine(None)]))
    assert [codes(one) for one in vague] == [["WINE_OVER"], ["WINE_UNKNOWN"]]
    for age in (17, None):
        child = PersonFacts("p2", age, "minor", declaration(), household="h")
        assert codes(judged(pack, *family([wine("5")]), child)[0]) == ["WINE_OVER"], "a child has no norm to lend"
    silent = PersonFacts("p2", 40, "adult", None, household="h")
    assert codes(judged(pack, *family([wine("5")]), silent)[0]) == ["WINE_OVER"]


def test_who_crosses_under_an_unknown_rule_does_not_lend() -> None:
    pack = pooled("household", conditions={"resident": True})
    known = judged(pack, *family([wine("5")], [wine("1")], resident=True))
    assert not known[0].hits
    mixed = [*family([wine("5")], resident=True), *family([], [wine("1")])[1:]]
    assert codes(judged(pack, *mixed)[0]) == ["WINE_OVER"]


def test_households_keep_apart() -> None:
    one, other = family([wine("5")], [wine("3")]), family([wine("5")], [wine("3")], household="k")
    others = [PersonFacts(f"q{each.person_id}", 40, "adult", each.declaration, household="k") for each in other]
    answers = judged(pooled("household"), *one, *others)
    assert [line(each).borrowed for each in answers] == [1, 0, 1, 0]
    assert not any(each.hits for each in answers)


def test_pooling_does_not_depend_on_order() -> None:
    people = family([wine("6")], [wine("5")], [wine("0.5")])
    assert judged(pooled("household"), *people) == judged(pooled("household"), *reversed(people))


def test_a_limit_is_not_pooled() -> None:
    pack = pack_of(
        quantity(pool="household"),
        quantity("R-2", amount="5", pool="household", effect="prohibit", code="WINE_NEVER"),
    )
    assert codes(judged(pack, *family([wine("5.001")], []))[0]) == ["WINE_NEVER"]


BAND = {"width": "1000", "percent": "3", "pool": "household"}


@pytest.mark.parametrize(
    ("values", "duties", "settled"),
    [
        (["2000", "800"], ["36", "0"], [True, True]),
        (["2800", "800"], ["60", "0"], [True, True]),
        (["2900", "800"], ["60", "0"], [False, True]),
        (["2300", "1300"], ["45", "15"], [True, True]),
        (["2300", "1400"], ["42", "18"], [False, True]),
        (["1800", "2300", "1300"], ["30", "45", "15"], [True, True, True]),
    ],
)
def test_a_household_shares_a_band(values: list[str], duties: list[str], settled: list[bool]) -> None:
    pack = pack_of(rule(amount="800", excess={"model": "staged", "currency": "EUR", "bands": [BAND, {}]}))
    answers = judged(pack, *family(*([goods(value, "1")] for value in values)))
    found = [line(one, "goods_value") for one in answers]
    assert [one.duty for one in found] == [Decimal(duty) for duty in duties]
    assert [one.settled for one in found] == settled
    assert [one.norm for one in found] == [800] * len(values)


def test_norm_and_band_are_shared_one_after_the_other(rates: Rates) -> None:
    excess = {"model": "staged", "currency": "EUR", "bands": [BAND, {"width": "100", "percent": "10"}]}
    pack = pack_of(rule(amount="800", pool="household", excess=excess))
    answers = judged(pack, *family([goods("2900", "1")], [goods("875", "1", "USD")]), rates=rates)
    first, second = (line(one, "goods_value") for one in answers)
    # 875 USD are 700 EUR: 100 of the norm and 1000 of the band are lent, and 2900 - 900 - 2000 = 0 are left.
    assert (first.norm, first.borrowed, first.duty, first.settled) == (900, 100, 60, True)
    assert (second.duty, second.relation) == (0, Relation.WITHIN)


def test_who_borrows_norm_needs_less_of_the_band() -> None:
    excess = {"model": "staged", "currency": "EUR", "bands": [BAND, {}]}
    pack = pack_of(rule(amount="800", pool="household", excess=excess))
    answers = judged(pack, *family([goods("2000", "1")], [goods("2700", "1")], [goods("700", "1")]))
    found = [line(one, "goods_value") for one in answers]
    assert [one.duty for one in found] == [33, 57, 0]
    assert all(one.settled for one in found)


# --- whose the goods are --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def eaeu_by() -> RulePack:
    return load_pack("eaeu-by")


def parent(*things: GoodsItem, age: int | None = 40, earlier: tuple[Declaration, ...] = ()) -> PersonFacts:
    return PersonFacts("p1", age, "lead", declaration(*things, covers=("p2",)), earlier=earlier)


CHILD = PersonFacts("p2", 9, "minor", None, covered_by="p1")


def test_goods_of_a_minor_count_in_the_minors_norms(eaeu_by: RulePack) -> None:
    mine, theirs = goods("9000", "40"), goods("9000", "40").model_copy(update={"carried_for": "p2"})
    adult, child = judged(eaeu_by, parent(mine, theirs), CHILD)
    assert codes(adult) == codes(child) == []
    assert line(adult, "goods_weight").declared == line(child, "goods_weight").declared == 40
    adult, child = judged(eaeu_by, parent(mine, goods("9000", "40")), CHILD)
    assert codes(adult) == ["GOODS_VALUE_OVER_NORM", "GOODS_WEIGHT_OVER_NORM"] and child.lines == ()


def test_a_child_has_no_alcohol_norm_on_any_sheet(eaeu_by: RulePack) -> None:
    bottle = alcohol("0.5").model_copy(update={"carried_for": "p2"})
    adult, child = judged(eaeu_by, parent(alcohol("3"), bottle), CHILD)
    assert (codes(adult), codes(child)) == ([], ["UNDERAGE_ALCOHOL"])


@pytest.mark.parametrize(
    "child",
    [
        PersonFacts("p2", 16, "adult", declaration(), covered_by="p1"),
        PersonFacts("p2", None, "minor", None, covered_by="p1"),
        PersonFacts("p2", 9, "minor", None, covered_by="p3"),
        PersonFacts("p3", 9, "minor", None, covered_by="p1"),
    ],
)
def test_goods_for_somebody_else_stay_the_declarants(eaeu_by: RulePack, child: PersonFacts) -> None:
    theirs = goods("9000", "40").model_copy(update={"carried_for": "p2"})
    adult, _ = judged(eaeu_by, parent(goods("9000", "40"), theirs), child)
    assert codes(adult) == ["GOODS_OWNER_UNKNOWN", "GOODS_VALUE_OVER_NORM", "GOODS_WEIGHT_OVER_NORM"]
    assert adult.unknown and adult.must_declare and not adult.duty_complete


def test_goods_named_for_oneself_are_ones_own(eaeu_by: RulePack) -> None:
    (adult,) = judged(eaeu_by, parent(goods("10", "1").model_copy(update={"carried_for": "p1"})))
    assert adult.hits == () and line(adult, "goods_value").declared == 10


@pytest.mark.parametrize("age", [15, None])
def test_only_an_adult_speaks_for_a_child(eaeu_by: RulePack, age: int | None) -> None:
    theirs = goods("10", "1").model_copy(update={"carried_for": "p2"})
    adult, child = judged(eaeu_by, parent(theirs, age=age), CHILD)
    assert "GOODS_OWNER_UNKNOWN" in codes(adult) and line(adult, "goods_value").declared == 10
    assert codes(child) == ["DECLARATION_UNKNOWN"]
    adult, child = judged(eaeu_by, parent(theirs, age=16), CHILD)
    assert codes(adult) == codes(child) == []


def test_one_crossing_counts_together(eaeu_by: RulePack) -> None:
    """What came ahead, or follows, counts in the same norms; so does money."""
    ahead = declaration(goods("6000", "30"), cash("6000"), unaccompanied=None)
    now = PersonFacts("p1", 40, "lead", declaration(goods("6000", "15"), cash("4000")), earlier=(ahead,))
    (assessed,) = judged(eaeu_by, now)
    assert codes(assessed) == ["GOODS_VALUE_OVER_NORM", "UNACCOMPANIED_BAGGAGE_UNKNOWN"]
    assert line(assessed, "goods_weight").declared == 45 and line(assessed, "cash").declared == 10000
    more = PersonFacts("p1", 40, "lead", declaration(cash("4000.01"), unaccompanied=True), earlier=(ahead,))
    assert codes(judged(eaeu_by, more)[0]) == ["CASH_OVER_THRESHOLD", "UNACCOMPANIED_BAGGAGE"]
    silent = PersonFacts("p1", 40, "lead", None, earlier=(ahead,))
    (assessed,) = judged(eaeu_by, silent)
    assert "DECLARATION_UNKNOWN" in codes(assessed) and line(assessed, "goods_weight").declared == 30


def test_goods_of_a_minor_that_came_ahead(eaeu_by: RulePack) -> None:
    ahead = declaration(goods("10", "45").model_copy(update={"carried_for": "p2"}))
    adult, child = judged(eaeu_by, parent(goods("10", "10"), earlier=(ahead,)), CHILD)
    assert line(child, "goods_weight").declared == 45 and line(adult, "goods_weight").declared == 10


def test_goods_that_cross_alone_leave_the_estimate_open(eaeu_by: RulePack) -> None:
    (assessed,) = judged(eaeu_by, person(goods("10", "1", manner=Manner.DELIVERED)))
    assert codes(assessed) == ["UNACCOMPANIED_BAGGAGE"] and not assessed.duty_complete
    (assessed,) = judged(eaeu_by, person(goods("10", "1", manner=Manner.UNACCOMPANIED)))
    assert codes(assessed) == ["UNACCOMPANIED_BAGGAGE"] and assessed.duty_complete
    leaving = evaluate(
        eaeu_by,
        Direction.DEPARTURE,
        TransportMode.AIR,
        [person(goods("10", "1", manner=Manner.DELIVERED))],
        None,
        DAY,
    )
    assert leaving.persons["p1"].duty_complete


def test_what_nobody_states_leaves_the_estimate_open(eaeu_by: RulePack) -> None:
    (assessed,) = judged(eaeu_by, person(GoodsItem(kind=GoodsKind.CULTURAL)))
    assert codes(assessed) == ["RESTRICTED_CULTURAL"] and not assessed.duty_complete
    stated = GoodsItem(kind=GoodsKind.CULTURAL, value=Decimal(5), currency="EUR", weight_kg=Decimal(1))
    (assessed,) = judged(eaeu_by, person(stated))
    assert codes(assessed) == ["RESTRICTED_CULTURAL"] and assessed.duty_complete
    for lacking in ({"weight_kg": None}, {"value": None, "currency": None}):
        (assessed,) = judged(eaeu_by, person(stated.model_copy(update=lacking)))
        assert not assessed.duty_complete
    (assessed,) = judged(eaeu_by, person(some(GoodsKind.CIGARETTES, "10", Unit.PIECE)))
    assert assessed.hits == () and assessed.duty_complete, "tobacco has a norm of its own"


def test_instruments_and_cash_are_told_apart(eaeu_by: RulePack) -> None:
    (assessed,) = judged(eaeu_by, person(cash("10000"), cash("1", kind=MoneyKind.INSTRUMENT)))
    assert codes(assessed) == ["INSTRUMENT_DECLARED"]


def test_no_hours_are_hours() -> None:
    pack = pack_of(quantity(conditions={"absence_hours_below": 48}))
    assert codes(judged(pack, person(wine("5"), absence_hours=0))[0]) == ["WINE_OVER"]


def test_a_norm_may_be_for_people_of_any_age_that_is_known() -> None:
    pack = pack_of(quantity(min_age=0))
    found = [line(judged(pack, person(wine("3"), age=age))[0]).relation for age in (0, 1, None)]
    assert found == [Relation.WITHIN, Relation.WITHIN, Relation.UNKNOWN]


def test_a_note_judges_nothing_even_of_a_subject() -> None:
    assert judged(pack_of(quantity(effect="note", code=None)), person(wine("5")))[0].lines == ()


def test_a_rule_for_other_people_levies_nothing() -> None:
    excess = {"model": "marginal", "per_unit": "3", "currency": "EUR"}
    pack = pack_of(quantity(), quantity("R-2", code="VISITORS", conditions={"resident": False}, excess=excess))
    found = line(judged(pack, person(wine("5"), resident=True))[0])
    assert (found.relation, found.duty, found.settled) == (Relation.OVER, 0, True)
    assert line(judged(pack, person(wine("5"), resident=False))[0]).duty == 3


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("measure", "stated"), [("quantity", {"quantity": Decimal(3), "unit": Unit.KILOGRAM}), ("mass", {})]
)
def test_what_is_stated_shows_beside_what_is_not(measure: str, stated: dict[str, Any], order: int) -> None:
    pack = pack_of(quantity(measure=measure, unit="kg", kinds=["food_plant"], also=["fish"], amount="4"))
    plants = GoodsItem(kind=GoodsKind.FOOD_PLANT, **(stated or {"weight_kg": Decimal(3)}))
    things = (plants, GoodsItem(kind=GoodsKind.FISH))
    found = line(judged(pack, person(*things[::order]))[0])
    assert (found.declared, found.exact, found.open) == (3, True, True)


def test_a_declarant_too_young_is_named_without_a_code() -> None:
    pack = pack_of(quantity(), note("D-1", effect="declarant", min_age=16))
    assert codes(judged(pack, person(age=15))[0]) == ["DECLARANT_UNDERAGE"]
    assert codes(judged(pack, person(age=16))[0]) == []


def test_what_depends_on_the_person_is_shown_beside_baggage_that_travels_apart() -> None:
    apart = rule("B-1", subject="unaccompanied_baggage", measure="unaccompanied", comparator="any", code="APART")
    for field in ("kinds", "amount", "currency", "rate_date"):
        del apart[field]
    pack = pack_of(quantity(shown=True, conditions={"resident": True}), apart)
    someone = PersonFacts("p1", 40, "lead", declaration(unaccompanied=True), resident=True)
    assert [one.kind for one in judged(pack, someone)[0].lines] == ["wine", "unaccompanied_baggage"]


def test_the_dearest_line_may_come_first() -> None:
    pack = pack_of(rule(measure="single_value", amount="60", code="GIFT_OVER"))
    (assessed,) = judged(pack, person(goods("61", "1"), goods("59", "1")))
    assert (codes(assessed), line(assessed, "goods_value").declared) == (["GIFT_OVER"], 61)


def test_a_scaled_figure_is_read_unscaled() -> None:
    assert Figure(Decimal(10), Decimal(4)).shown == Decimal("2.5")
