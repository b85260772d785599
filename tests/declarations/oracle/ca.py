"""The passenger law of Canada, on arrival, a second time.

See `eaeu_by` for how it is used.

Readings:
- CA-01: at least 10,000 CAD of cash, cheques and instruments together. Gold has no row.
- CA-02, CA-03: a resident's goods and gifts, by the hours away: from 24 h free up to 200 CAD, and beyond it all of
  them are taxed; from 48 h free up to 800 CAD, and beyond it the excess is. At what rate is not said. Who was away
  for less than 24 h, and what goods of a visitor are free, has no row: unknown. So it is where residence or the
  hours are not known.
- CA-02: that exemption holds no drinks and no tobacco: any amount is declared, also one that nobody stated.
- CA-04: one of 1.5 l of wine, 1.14 l of spirits, 8.5 l of beer: a mix of more than their shares together is too
  much on every reading. 200 cigarettes, 50 cigars, 200 g, 200 sticks side by side. The legal age is the
  province's, so what would be free is unknown at any age. The row asks for no residence.
- CA-05: a visitor's gifts are free up to 60 CAD each, a line being one gift. A resident's count as goods.
- CA-05: every good is declared, exempt or not.
- Baggage that travels apart: the rows let goods follow after 7 days, but not on which declaration: unknown.
- Kinds of goods that no row names are to be declared like all others; what they owe is unknown.
- Other directions, and gold, are unknown.
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

from contracts.declaration import GoodsItem, GoodsKind, MoneyKind, TransportMode, Unit
from contracts.party import Direction

LITRES = {GoodsKind.WINE: Fraction("1.5"), GoodsKind.SPIRITS: Fraction("1.14"), GoodsKind.BEER: Fraction("8.5")}
PIECES = {GoodsKind.CIGARETTES: 200, GoodsKind.CIGARS: 50, GoodsKind.HEATED_STICKS: 200}
GRAMS = 200
ORDINARY = (GoodsKind.GOODS, GoodsKind.GIFTS)
WITH_A_ROW = (*ORDINARY, *LITRES, *PIECES, GoodsKind.TOBACCO)


def judge(
    traveller: Traveller,
    party: Sequence[Traveller],
    direction: Direction,
    transport: TransportMode,
    quotes: Mapping[str, Fraction],
) -> Opinion:
    """The law of one traveller, whose company changes nothing."""
    opinion = Opinion()
    if direction is not Direction.ARRIVAL:
        no_row(opinion)
        return opinion
    items, money = stated(opinion, traveller)
    cash(opinion, "CA-01", [one for one in money if one.kind is not MoneyKind.GOLD], "CAD", quotes)
    apart(opinion, "GAP-unaccompanied", traveller, items)
    if items:
        opinion.calls.append(Call("CA-05", "GOODS_TO_DECLARE", OVER, "03"))
        opinion.state("all_goods", Figure(OVER, Sum(NOTHING, True)))
    _goods(opinion, items, traveller, quotes)
    _gifts(opinion, [item for item in items if item.kind is GoodsKind.GIFTS], traveller.resident, quotes)
    _drinks_and_tobacco(opinion, items, traveller)
    if any(item.kind not in WITH_A_ROW for item in items) or any(one.kind is MoneyKind.GOLD for one in money):
        no_row(opinion)
    return opinion


def _away(traveller: Traveller) -> str | None:
    """Which exemption a resident away for so long has: "day", "days", "none"; None where nobody knows."""
    if traveller.absence_hours is None:
        return None
    if traveller.absence_hours >= 48:
        return "days"
    return "day" if traveller.absence_hours >= 24 else "none"


def _value(item: GoodsItem, quotes: Mapping[str, Fraction]) -> Fraction | None:
    return None if item.value is None or item.currency is None else worth(item.value, item.currency, "CAD", quotes)


def _goods(
    opinion: Opinion, items: Sequence[GoodsItem], traveller: Traveller, quotes: Mapping[str, Fraction]
) -> None:
    away = _away(traveller)
    brought = total(_value(item, quotes) for item in items if item.kind in ORDINARY)
    plain = total(_value(item, quotes) for item in items if item.kind is GoodsKind.GOODS)
    norm = {"day": Fraction(200), "days": Fraction(800)}.get(away or "")
    row = "CA-02" if away == "day" else "CA-03"
    if traveller.resident is not True and not plain.empty:  # a visitor's, for all we know
        opinion.calls.append(Call("GAP-visitor", "GOODS_UNKNOWN", UNKNOWN, "03"))
        opinion.complete = False
    if traveller.resident is False or brought.empty:
        return
    if norm is None or (traveller.resident is None and not (brought.exact and brought.known <= norm)):
        opinion.calls.append(Call("CA-02", "GOODS_VALUE_UNKNOWN", UNKNOWN, "03"))
        opinion.state("goods_value", Figure(UNKNOWN, brought))
    elif brought.known > norm:
        opinion.calls.append(Call(row, "GOODS_VALUE_OVER_NORM", OVER, "03"))
        opinion.taxed["goods_value"] = brought.known - (norm if away == "days" else NOTHING)
        opinion.state("goods_value", Figure(OVER, brought, norm, None))
    elif not brought.exact:
        opinion.calls.append(Call("CA-02", "GOODS_VALUE_UNKNOWN", UNKNOWN, "03"))
        opinion.state("goods_value", Figure(UNKNOWN, brought, norm, None))
    else:
        opinion.state("goods_value", Figure(WITHIN, brought, norm))  # and a visitor's have a row of their own


def _gifts(
    opinion: Opinion, gifts: Sequence[GoodsItem], resident: bool | None, quotes: Mapping[str, Fraction]
) -> None:
    """CA-05, first half."""
    values = [_value(item, quotes) for item in gifts]
    if resident is True or total(values).empty:
        return
    dearest = max((value for value in values if value is not None), default=NOTHING)
    figure = Sum(dearest, None not in values)
    if dearest > 60 and resident is False:
        opinion.calls.append(Call("CA-05", "GIFTS_OVER_NORM", OVER, "03"))
        opinion.state("gifts", Figure(OVER, figure, Fraction(60), None))
    elif dearest > 60 or not figure.exact:
        opinion.calls.append(Call("CA-05", "GIFTS_UNKNOWN", UNKNOWN, "03"))
        opinion.state("gifts", Figure(UNKNOWN, figure, Fraction(60), None))
    else:
        opinion.state("gifts", Figure(WITHIN, figure, Fraction(60)))


def _drinks_and_tobacco(opinion: Opinion, items: Sequence[GoodsItem], traveller: Traveller) -> None:
    none_free = traveller.resident is True and _away(traveller) == "day"
    shares = [
        None if litres is None else litres / LITRES[item.kind]
        for item in items
        if item.kind in LITRES
        for litres in (measured(item, Unit.LITRE),)
    ]
    _norm(opinion, "alcohol", total(shares), WHOLE, none_free)
    for kind, norm in PIECES.items():
        pieces = total(measured(item, Unit.PIECE) for item in items if item.kind is kind)
        _norm(opinion, kind.value, pieces, Fraction(norm), none_free)
    grams = total(
        None if mass is None else mass * 1000
        for item in items
        if item.kind is GoodsKind.TOBACCO
        for mass in (loose(item),)
    )
    _norm(opinion, "loose_tobacco", grams, Fraction(GRAMS), none_free)


def _norm(opinion: Opinion, subject: str, carried: Sum, norm: Fraction, none_free: bool) -> None:
    """CA-04, and what CA-02 says of it."""
    if carried.empty:
        opinion.state(subject, Figure(WITHIN, carried))
    elif none_free:
        opinion.calls.append(Call("CA-02", f"{subject.upper()}_OVER_NORM", OVER, "03"))
        opinion.state(subject, Figure(OVER, carried, NOTHING, None))
    elif carried.known > norm:
        opinion.calls.append(Call("CA-04", f"{subject.upper()}_OVER_NORM", OVER, "03"))
        opinion.state(subject, Figure(OVER, carried, norm, None))
    else:
        opinion.calls.append(Call("CA-04", f"{subject.upper()}_UNKNOWN", UNKNOWN, "03"))
        opinion.state(subject, Figure(UNKNOWN, carried, NOTHING, None))
