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
