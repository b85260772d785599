"""Which norm a household shares, where a subject has several rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from carried_goods import DAY, declaration, goods, some
from small_packs import pack_of, quantity, rule

from contracts.declaration import GoodsItem, GoodsKind, TransportMode, Unit
from contracts.party import Direction
from declarations.duty import most_within
from declarations.evaluate import Line, PersonFacts, evaluate
from declarations.packs import RulePack


def wine(litres: str) -> GoodsItem:
    return some(GoodsKind.WINE, litres, Unit.LITRE)


def lines(pack: RulePack, *carried: tuple[GoodsItem, ...], **facts: Any) -> list[Line]:
    people = [
        PersonFacts(f"p{place}", 40, "adult", declaration(*things), household="h", **facts)
        for place, things in enumerate(carried, 1)
    ]
    answer = evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, people, None, DAY)
    return [person.lines[0] for person in answer.persons.values()]


@pytest.mark.parametrize("amounts", [("6", "4"), ("4", "6")])
def test_the_least_norm_is_shared(amounts: tuple[str, str]) -> None:
    rules = [
        quantity(f"R-{place}", amount=amount, code=f"OVER_{place}", pool="household")
        for place, amount in enumerate(amounts)
    ]
    first, second = lines(pack_of(*rules), (wine("5"),), (wine("3.5"),))
    assert (first.borrowed, first.norm, second.borrowed) == (Decimal("0.5"), Decimal("4.5"), 0)


def test_a_rule_for_other_people_shares_nothing() -> None:
    pack = pack_of(
        quantity(amount="4", pool="household"),
        quantity("R-2", amount="2", code="VISITORS", pool="household", conditions={"resident": False}),
    )
    first, second = lines(pack, (wine("5"),), (wine("1"),), resident=True)
    assert (first.borrowed, first.norm, second.borrowed) == (1, 5, 0)


def test_a_rule_without_an_amount_shares_nothing() -> None:
    pack = pack_of(
        quantity(amount="4", pool="household"),
        quantity("R-2", comparator="any", amount=None, effect="undecided", code="LOOK", pool="household"),
    )
    first, second = lines(pack, (wine("5"),), (wine("1"),))
    assert (first.borrowed, second.borrowed) == (1, 0)


def test_a_band_is_shared_by_place() -> None:
    bands = [
        {"width": "100", "percent": "1"},
        {"width": "100", "percent": "2", "pool": "household"},
        {"percent": "10"},
    ]
    excess = {"model": "staged", "currency": "EUR", "bands": bands}
    first, second = lines(pack_of(rule(amount="100", excess=excess)), (goods("320", "1"),), (goods("150", "1"),))
    # 220 over: 100 in the first band, all the rest in the second, which the other does not use.
    assert (first.duty, second.duty) == (Decimal("3.40"), Decimal("0.50"))


def test_items_of_great_worth_are_counted_in_coarser_steps_on_the_safe_side() -> None:
    worth = Decimal("1000000.001")
    assert most_within([worth], worth) == 0
    assert most_within([Decimal("999999.999")], Decimal("1000000")) == 1000000
    assert most_within([Decimal("999.999")], Decimal("1000")) == Decimal("999.999"), (
        "a million steps are fine ones"
    )


@pytest.mark.parametrize("order", [1, -1])
def test_grams_and_kilograms_of_one_kind_add_up(order: int) -> None:
    pack = pack_of(quantity(kinds=["food_animal"], unit="kg", amount="2.4"))
    things = (some(GoodsKind.FOOD_ANIMAL, "2", Unit.KILOGRAM), some(GoodsKind.FOOD_ANIMAL, "500", Unit.GRAM))
    (found,) = lines(pack, things[::order])
    assert (found.declared, found.exact) == (Decimal("2.5"), True)


def test_a_norm_of_nothing_is_the_least() -> None:
    pack = pack_of(
        quantity(amount="0.5", pool="household"), quantity("R-2", amount="0", code="ANY", pool="household")
    )
    first, second = lines(pack, (wine("1.5"),), (wine("0"),))
    assert (first.borrowed, first.norm) == (0, 0)
    assert second.borrowed == 0


def test_what_is_lent_is_told_to_the_cent_upwards() -> None:
    kinds = {"cigarettes": "3", "tobacco": "1"}
    pack = pack_of(
        quantity(measure="mixture", kinds=list(kinds), equivalents=kinds, unit="g", amount="10", pool="household")
    )
    sticks, ounces = (
        some(GoodsKind.CIGARETTES, "4", Unit.PIECE),
        some(GoodsKind.TOBACCO, "3", Unit.GRAM),
    )
    first, second = lines(pack, (sticks,), (ounces,))
    # Two grams are borrowed of seven: two thirds of a stick.
    assert (first.borrowed, first.unit, second.borrowed, second.unit) == (Decimal("0.67"), "pcs", 0, "g")


def test_thousandths_are_lent_as_they_are() -> None:
    first, _ = lines(pack_of(quantity(pool="household")), (wine("5"),), (wine("3.875"),))
    assert (first.borrowed, first.difference) == (Decimal("0.125"), Decimal("0.875"))


def test_a_small_need_takes_nothing_from_what_is_lent() -> None:
    found = lines(pack_of(quantity(pool="household")), (wine("4.5"),), (wine("5.5"),), (wine("2"),))
    assert [one.borrowed for one in found] == [Decimal("0.5"), Decimal("1.5"), 0]


def bands(*widths: str | None) -> dict[str, Any]:
    """Bands at one, two, … per cent; each but one without an end may be used by others of the household."""
    made = [
        {"width": width, "percent": str(percent), "pool": "household" if width else "none"}
        for percent, width in enumerate(widths, 1)
    ]
    return {"model": "staged", "currency": "EUR", "bands": made}


def test_what_one_band_lends_is_not_borrowed_again_of_the_next() -> None:
    found = lines(
        pack_of(rule(excess=bands("100", "100", None))),
        (goods("350", "1"),),
        (goods("50", "1"),),
        (goods("500", "1"),),
    )
    # 250 over: 200 in the first band, 50 in the second, which lends its other half as the second person lends all.
    # 400 over: 100 in the first band, which is used up, 250 in the second, 50 beyond.
    assert [one.duty for one in found] == [Decimal("3.00"), 0, Decimal("7.50")]


def test_bands_are_lent_where_every_band_may_be() -> None:
    first, second = lines(pack_of(rule(excess=bands("100"))), (goods("250", "1"),), (goods("50", "1"),))
    assert (first.duty, first.settled, second.duty) == (Decimal("1.50"), True, 0)


def of_either(pack: RulePack, *carried: tuple[GoodsItem, bool]) -> list[Line]:
    """The lines of one household, of which some are residents."""
    people = [
        PersonFacts(f"p{place}", 40, "adult", declaration(thing), household="h", resident=resident)
        for place, (thing, resident) in enumerate(carried, 1)
    ]
    answer = evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, people, None, DAY)
    return [person.lines[0] for person in answer.persons.values()]


@pytest.mark.parametrize(
    ("others", "duty", "settled"),
    [
        (bands("100", "100"), "5.00", True),  # 200 at one per cent, 150 at two, of which half is lent
        (bands("100"), "4.00", False),  # 200 at one per cent, 100 at two
        (None, "3.00", False),
    ],
)
def test_who_has_fewer_bands_lends_those(others: dict[str, Any] | None, duty: str, settled: bool) -> None:
    pack = pack_of(
        rule(pool="household", excess=bands("100", "100"), conditions={"resident": True}),
        rule("R-2", pool="household", excess=others, conditions={"resident": False}),
    )
    first, second = of_either(pack, (goods("450", "1"), True), (goods("100", "1"), False))
    assert (first.duty, first.settled, first.borrowed, second.duty) == (Decimal(duty), settled, 0, 0)


OWN_BANDS = {"model": "staged", "currency": "EUR", "bands": [{"width": "100", "percent": "1"}]}


@pytest.mark.parametrize("others", [OWN_BANDS, None])
def test_nothing_is_borrowed_by_who_has_no_part_in_it(others: dict[str, Any] | None) -> None:
    pack = pack_of(
        rule(excess=bands("100"), conditions={"resident": True}),
        rule("R-2", excess=others, conditions={"resident": False}),
    )
    found = of_either(pack, (goods("250", "1"), True), (goods("50", "1"), True), (goods("50", "1"), False))
    assert [one.borrowed for one in found] == [0, 0, None]
    assert found[0].duty == Decimal("1.50")


def test_nobody_borrows_in_a_household_of_one() -> None:
    alone = PersonFacts("p0", 40, "adult", declaration(wine("5")), household="k")
    family = [PersonFacts(f"p{n}", 40, "adult", declaration(wine("4")), household="h") for n in (1, 2)]
    answer = evaluate(
        pack_of(quantity(pool="household")), Direction.ARRIVAL, TransportMode.AIR, [alone, *family], None, DAY
    )
    assert [person.lines[0].borrowed for person in answer.persons.values()] == [None, 0, 0]


def test_a_sixteenth_is_told_to_the_cent_upwards() -> None:
    kinds = {"cigarettes": "16", "tobacco": "1"}
    pack = pack_of(
        quantity(measure="mixture", kinds=list(kinds), equivalents=kinds, unit="g", amount="10", pool="household")
    )
    first, _ = lines(
        pack, (some(GoodsKind.CIGARETTES, "1", Unit.PIECE),), (some(GoodsKind.TOBACCO, "9", Unit.GRAM),)
    )
    # One gram is borrowed of six: 0.0625 of a cigarette.
    assert (first.borrowed, first.unit) == (Decimal("0.07"), "pcs")
