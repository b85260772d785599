"""The passenger law of the European Union, arriving from outside it, a second time.

See `eaeu_by` for how it is used.

Readings:
- EU-01: 430 EUR by air and sea, 300 EUR by every other way. Plain goods and gifts count; drinks and tobacco have
  rows of their own. A line is one thing, and no thing is split: those that are free are chosen so that the least
  is taxed; a cent for each of them may be lost in choosing. At what rate is not said.
- EU-01, under 15: a Member State may free only 150 EUR, so what lies between is unknown; so it is at an unknown
  age.
- EU-02: shares of 200 cigarettes, 100 cigarillos, 50 cigars, 250 g. A Member State may free a fifth of each, so
  what lies between a fifth and the whole is unknown.
- EU-03: three allowances side by side: shares of 1 l over 22 % and 2 l up to it, 4 l of still wine, 16 l of beer.
- EU-02, EU-03 under 17: no allowance, so any amount is declared. For an unknown age what would be free is unknown.
- EU-04: at least 10,000 EUR of cash, cheques, bearer instruments and gold together, both ways.
- EU-05: money that travels apart is disclosed when somebody asks: whoever sends baggage, or does not say, is
  asked. What goods that travel apart may be worth has no row, so the estimate is open.
- EU-01, EU-02: what depends on a Member State's option belongs to no category of a form.
- EU-06 is from memory: meat and dairy are unknown.
- All goods on departure, transfers, and every kind of goods without a row are unknown: drink of an unnamed sort,
  pure alcohol, sticks for heating and medicines among them.
- The rows let nobody declare for another, and name no age for the declarant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from oracle.alone import apart, cash, no_row, stated
from oracle.opinion import (
    NOTHING,
    OVER,
    UNKNOWN,
    WHOLE,
    WITHIN,
    Call,
    Figure,
    Opinion,
    Sum,
    loose,
    measured,
    total,
    worth,
)
from oracle.traveller import Traveller

from contracts.declaration import GoodsItem, GoodsKind, TransportMode, Unit
from contracts.party import Direction

LITRES_AS_SPIRITS = {GoodsKind.SPIRITS: 1, GoodsKind.INTERMEDIATE: 2}
STICKS = {GoodsKind.CIGARETTES: 200, GoodsKind.CIGARILLOS: 100, GoodsKind.CIGARS: 50}
GRAMS = 250
ORDINARY = (GoodsKind.GOODS, GoodsKind.GIFTS)
WITH_A_ROW = (
    *ORDINARY,
    *LITRES_AS_SPIRITS,
    GoodsKind.WINE,
    GoodsKind.BEER,
    *STICKS,
    GoodsKind.TOBACCO,
    GoodsKind.FOOD_ANIMAL,
)
BY_AIR_OR_SEA = (TransportMode.AIR, TransportMode.WATER)


def judge(
    traveller: Traveller,
    party: Sequence[Traveller],
    direction: Direction,
    transport: TransportMode,
    quotes: Mapping[str, Fraction],
) -> Opinion:
    """The law of one traveller, whose company changes nothing."""
    opinion = Opinion()
    if direction is Direction.TRANSFER:
        no_row(opinion)
        return opinion
    items, money = stated(opinion, traveller)
    cash(opinion, "EU-04", money, "EUR", quotes)
    apart(opinion, "EU-05", traveller, items)
    if direction is Direction.ARRIVAL:
        _arrival(opinion, items, traveller.age, transport, quotes)
    known = WITH_A_ROW if direction is Direction.ARRIVAL else ()
    if any(item.kind not in known for item in items):
        no_row(opinion)
    return opinion


def _arrival(
    opinion: Opinion,
    items: Sequence[GoodsItem],
    age: int | None,
    transport: TransportMode,
    quotes: Mapping[str, Fraction],
) -> None:
    _goods(opinion, items, age, Fraction(430 if transport in BY_AIR_OR_SEA else 300), quotes)
    wine = total(measured(item, Unit.LITRE) for item in items if item.kind is GoodsKind.WINE)
    beer = total(measured(item, Unit.LITRE) for item in items if item.kind is GoodsKind.BEER)
    strong = total(
        _share(measured(item, Unit.LITRE), LITRES_AS_SPIRITS[item.kind])
        for item in items
        if item.kind in LITRES_AS_SPIRITS
    )
    tobacco = total(
        _share(loose(item), Fraction(GRAMS, 1000))
        if item.kind is GoodsKind.TOBACCO
        else _share(measured(item, Unit.PIECE), STICKS[item.kind])
        for item in items
        if item.kind in STICKS or item.kind is GoodsKind.TOBACCO
    )
    _allowance(opinion, "EU-03", "wine", wine, Fraction(4), age, "UNDERAGE_ALCOHOL")
    _allowance(opinion, "EU-03", "beer", beer, Fraction(16), age, "UNDERAGE_ALCOHOL")
    _allowance(opinion, "EU-03", "spirits", strong, WHOLE, age, "UNDERAGE_ALCOHOL")
    _allowance(opinion, "EU-02", "tobacco", tobacco, WHOLE, age, "UNDERAGE_TOBACCO", certain=Fraction(1, 5))
    if any(item.kind is GoodsKind.FOOD_ANIMAL for item in items):
        opinion.calls.append(Call("EU-06", "FOOD_ANIMAL_UNKNOWN", UNKNOWN, "07"))
        opinion.complete = False


def _share(amount: Fraction | None, of: int | Fraction) -> Fraction | None:
    return None if amount is None else amount / of


def _goods(
    opinion: Opinion, items: Sequence[GoodsItem], age: int | None, norm: Fraction, quotes: Mapping[str, Fraction]
) -> None:
    """EU-01."""
    values = [
        None if item.value is None or item.currency is None else worth(item.value, item.currency, "EUR", quotes)
        for item in items
        if item.kind in ORDINARY
    ]
    value = total(values)
    certain = Fraction(150) if age is None or age < 15 else norm
    if value.known > norm:
        opinion.calls.append(Call("EU-01", "GOODS_VALUE_OVER_NORM", OVER, "03"))
        if value.exact and len(values) <= 8:  # by trying every choice
            things = [one for one in values if one]
            opinion.taxed["goods_value"] = value.known - _most_for_free(things, norm)
            rounding = Fraction(len(things), 100)
            opinion.taxed_at_most["goods_value"] = value.known - _most_for_free(things, norm - rounding)
        opinion.state("goods_value", Figure(OVER, value, norm, None))
    elif not value.exact or value.known > certain:
        optional = value.known > certain and (value.exact or age is not None)
        asked = None if optional else "03"
        opinion.calls.append(Call("EU-01", "GOODS_VALUE_UNKNOWN", UNKNOWN, asked))
        opinion.state("goods_value", Figure(UNKNOWN, value, None))
    else:
        opinion.state("goods_value", Figure(WITHIN, value, None))


def _most_for_free(values: Sequence[Fraction], norm: Fraction) -> Fraction:
    """The dearest choice of whole things that is within the norm."""
    sums = {NOTHING}
    for value in values:
        sums |= {one + value for one in sums if one + value <= norm}
    return max(sums)


def _allowance(
    opinion: Opinion,
    row: str,
    subject: str,
    carried: Sum,
    norm: Fraction,
    age: int | None,
    underage: str,
    certain: Fraction | None = None,
) -> None:
    """What is within an allowance is free; what an excess costs no row says."""
    if carried.empty:
        opinion.state(subject, Figure(WITHIN, carried))
    elif age is not None and age < 17:
        opinion.calls.append(Call(row, underage, OVER, "03"))
        opinion.state(subject, Figure(OVER, carried, NOTHING, None))
    elif carried.known > norm:
        opinion.calls.append(Call(row, f"{subject.upper()}_OVER_NORM", OVER, "03"))
        opinion.state(subject, Figure(OVER, carried, norm, None))
    elif age is None or not carried.exact or carried.known > (norm if certain is None else certain):
        optional = certain is not None and carried.known > certain
        opinion.calls.append(Call(row, f"{subject.upper()}_UNKNOWN", UNKNOWN, None if optional else "03"))
        opinion.state(subject, Figure(UNKNOWN, carried, certain if optional else norm, None))
    else:
        opinion.state(subject, Figure(WITHIN, carried, norm))
