"""The passenger law of Great Britain, by air and rail, a second time; see `eaeu_by` for how it is used.

Readings:
- UK-01: three allowances side by side: beer, still wine, and the rest by shares of 4 l over 22 % and 9 l up to it.
- UK-01, UK-02: beyond an allowance the whole category is taxed, not the excess. At what rate is not said.
- UK-01, UK-02 under 17: no allowance, so any amount is declared. For an unknown age what would be free is unknown.
- UK-03: a plain item or a gift without a value is unknown. A single item over the allowance is taxed in full; what
  of several is taxed, and what it costs, is not said.
- UK-05: at least 10,000 GBP. Instruments and gold have no row.
- Unaccompanied baggage, other ways of travel (private craft have a lower allowance), all goods on departure and
  every kind of goods without a row are unknown. Drink of an unnamed sort and pure alcohol have no row.
- The rows let nobody declare for another, and name no age for the declarant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from oracle.alone import cash, no_row, stated
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

from contracts.declaration import GoodsItem, GoodsKind, Manner, MoneyKind, TransportMode, Unit
from contracts.party import Direction

STICKS = {
    GoodsKind.CIGARETTES: 200,
    GoodsKind.CIGARILLOS: 100,
    GoodsKind.CIGARS: 50,
    GoodsKind.HEATED_STICKS: 200,
}
LITRES_AS_SPIRITS = {GoodsKind.SPIRITS: 4, GoodsKind.INTERMEDIATE: 9}
NO_AGE_ASKED = 99
COUNTED = (MoneyKind.CASH, MoneyKind.TRAVELLERS_CHEQUES)
ORDINARY = (GoodsKind.GOODS, GoodsKind.GIFTS)
WITH_A_ROW = (
    GoodsKind.BEER,
    GoodsKind.WINE,
    *LITRES_AS_SPIRITS,
    *STICKS,
    GoodsKind.TOBACCO,
    *ORDINARY,
)


def judge(
    traveller: Traveller,
    party: Sequence[Traveller],
    direction: Direction,
    transport: TransportMode,
    quotes: Mapping[str, Fraction],
) -> Opinion:
    """The law of one traveller, whose company changes nothing."""
    opinion = Opinion()
    if direction is Direction.TRANSFER or transport not in (TransportMode.AIR, TransportMode.RAIL):
        no_row(opinion)
        return opinion
    items, money = stated(opinion, traveller)
    cash(opinion, "UK-05", [one for one in money if one.kind in COUNTED], "GBP", quotes)
    strange = any(one.kind in (MoneyKind.INSTRUMENT, MoneyKind.GOLD) for one in money)
    if direction is Direction.DEPARTURE:
        strange |= bool(items)
    else:
        _arrival(opinion, items, traveller.age, quotes)
        strange |= any(item.kind not in WITH_A_ROW for item in items)
        if traveller.sends_baggage is not False or any(item.manner is not Manner.ACCOMPANIED for item in items):
            opinion.calls.append(Call("GAP-unaccompanied", "UNACCOMPANIED_BAGGAGE_UNKNOWN", UNKNOWN))
            opinion.complete = False
    if strange:
        no_row(opinion)
    return opinion


def _arrival(
    opinion: Opinion, items: Sequence[GoodsItem], age: int | None, quotes: Mapping[str, Fraction]
) -> None:
    beer = total(measured(item, Unit.LITRE) for item in items if item.kind is GoodsKind.BEER)
    wine = total(measured(item, Unit.LITRE) for item in items if item.kind is GoodsKind.WINE)
    shares_of_spirits: list[Fraction | None] = []
    shares_of_tobacco: list[Fraction | None] = []
    for item in items:
        litres, pieces, mass = measured(item, Unit.LITRE), measured(item, Unit.PIECE), loose(item)
        if item.kind in LITRES_AS_SPIRITS:
            shares_of_spirits.append(None if litres is None else litres / LITRES_AS_SPIRITS[item.kind])
        elif item.kind in STICKS:
            shares_of_tobacco.append(None if pieces is None else pieces / STICKS[item.kind])
        elif item.kind is GoodsKind.TOBACCO:
            shares_of_tobacco.append(None if mass is None else mass * 4)
    _allowance(opinion, "UK-01", "beer", beer, Fraction(42), age, "UNDERAGE_ALCOHOL")
    _allowance(opinion, "UK-01", "wine", wine, Fraction(18), age, "UNDERAGE_ALCOHOL")
    _allowance(opinion, "UK-01", "spirits", total(shares_of_spirits), WHOLE, age, "UNDERAGE_ALCOHOL")
    _allowance(opinion, "UK-02", "tobacco", total(shares_of_tobacco), WHOLE, age, "UNDERAGE_TOBACCO")
    ordinary = [item for item in items if item.kind in ORDINARY]
    value = total(
        None if item.value is None or item.currency is None else worth(item.value, item.currency, "GBP", quotes)
        for item in ordinary
    )
    _allowance(
        opinion, "UK-03", "goods_value", value, Fraction(390), NO_AGE_ASKED, "", taxed_whole=len(ordinary) == 1
    )


def _allowance(
    opinion: Opinion,
    row: str,
    subject: str,
    carried: Sum,
    norm: Fraction,
    age: int | None,
    underage: str,
    taxed_whole: bool = True,
) -> None:
    """What is within an allowance is free; beyond it a category is taxed, at a rate that no row names."""
    if carried.empty:
        opinion.state(subject, Figure(WITHIN, carried))
    elif age is not None and age < 17:
        opinion.calls.append(Call(row, underage, OVER, "03"))
        opinion.state(subject, Figure(OVER, carried, NOTHING, None))
    elif carried.known > norm:
        opinion.calls.append(Call(row, f"{subject.upper()}_OVER_NORM", OVER, "03"))
        if taxed_whole:
            opinion.taxed[subject] = carried.known
        opinion.state(subject, Figure(OVER, carried, norm, None))
    elif age is None or not carried.exact:
        opinion.calls.append(Call(row, f"{subject.upper()}_UNKNOWN", UNKNOWN, "03"))
        opinion.state(subject, Figure(UNKNOWN, carried, norm, None))
    else:
        opinion.state(subject, Figure(WITHIN, carried, norm))
