"""The passenger law of the United States, on arrival, a second time.

See `eaeu_by` for how it is used.

Readings:
- US-01: over 10,000 USD of cash, cheques and instruments together, with a paper (the FinCEN form). Gold has no
  row.
- US-02: a resident's goods and gifts are free up to 800 USD, once in 30 days: the thirtieth day is free again. The
  next 1,000 USD cost 3 %, to the cent, half a cent upwards; what lies beyond is taxed at a tariff that no row
  names.
- US-02, "family may combine": in one household, whoever leaves a part of those 1,000 USD lends it, the first of
  the party to the first that needs it. Only whoever has the exemption and whose goods are all known lends or
  borrows; a household that nobody names is none.
- US-02: for a resident who used the exemption within 30 days other figures stand in the row, without their
  conditions: any goods are unknown. What goods of a visitor are free no row says; gifts of a visitor are, up to
  100 USD.
- US-02, residence or the last exemption not known: what depends on it is unknown, by either rule that may hold.
- US-03: 1 l of drinks of whatever sort together, from 21: below it no allowance, so any amount is declared, and
  for an unknown age what would be free is unknown. 200 cigarettes and 100 cigars: the age of 21 is the row's,
  and its note names alcohol alone, so below it, or at an unknown age, what would be free is unknown.
- US-04: each yes is declared, whatever its amount. Fish and caviar are "meats-animals". What commercial goods cost
  no row says.
- Baggage that travels apart has no row: unknown. So are all other kinds of goods, other directions, and gold.
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
    WITHIN,
    Call,
    Figure,
    Opinion,
    Sum,
    cents,
    measured,
    total,
    worth,
)
from oracle.traveller import Traveller

from contracts.declaration import GoodsItem, GoodsKind, MoneyKind, TransportMode, Unit
from contracts.party import Direction

DRINKS = (GoodsKind.ALCOHOL, GoodsKind.BEER, GoodsKind.WINE, GoodsKind.INTERMEDIATE, GoodsKind.SPIRITS)
ASKED = {
    GoodsKind.FOOD_PLANT: Call("US-04", "FOOD_PLANT_DECLARED", OVER, "07"),
    GoodsKind.ANIMALS_PLANTS: Call("US-04", "RESTRICTED_ANIMALS_PLANTS", OVER, "07"),
    GoodsKind.BIOLOGICAL_SAMPLES: Call("US-04", "RESTRICTED_BIOLOGICAL_SAMPLES", OVER, "09"),
    GoodsKind.FARM_CONTACT: Call("US-04", "FARM_CONTACT_DECLARED", OVER),
    GoodsKind.COMMERCIAL: Call("US-04", "COMMERCIAL_DECLARED", OVER),
}
ANIMAL_FOOD = (GoodsKind.FOOD_ANIMAL, GoodsKind.FISH, GoodsKind.CAVIAR)
WITH_A_ROW = (
    GoodsKind.GOODS,
    GoodsKind.GIFTS,
    *DRINKS,
    GoodsKind.CIGARETTES,
    GoodsKind.CIGARS,
    *ANIMAL_FOOD,
    *ASKED,
)
EXEMPT, FLAT, GIFTS_OF_A_VISITOR = Fraction(800), Fraction(1000), Fraction(100)


def judge(
    traveller: Traveller,
    party: Sequence[Traveller],
    direction: Direction,
    transport: TransportMode,
    quotes: Mapping[str, Fraction],
) -> Opinion:
    """The law of one traveller, who may use what their household leaves of the flat rate."""
    opinion = Opinion()
    if direction is not Direction.ARRIVAL:
        no_row(opinion)
        return opinion
    items, money = stated(opinion, traveller)
    carried = [one for one in money if one.kind is not MoneyKind.GOLD]
    cash(opinion, "US-01", carried, "USD", quotes, more_than=True, papers=True)
    apart(opinion, "GAP-unaccompanied", traveller, items)
    _goods(opinion, traveller, party, quotes)
    _gifts(opinion, traveller, quotes)
    _drinks(opinion, total(measured(item, Unit.LITRE) for item in items if item.kind in DRINKS), traveller.age)
    for subject, kind, norm in (("cigarettes", GoodsKind.CIGARETTES, 200), ("cigars", GoodsKind.CIGARS, 100)):
        pieces = total(measured(item, Unit.PIECE) for item in items if item.kind is kind)
        _pieces(opinion, subject, pieces, norm, traveller.age)
    kinds = {item.kind for item in items}
    opinion.calls += [call for kind, call in ASKED.items() if kind in kinds]
    if any(kind in kinds for kind in ANIMAL_FOOD):
        opinion.calls.append(Call("US-04", "FOOD_ANIMAL_DECLARED", OVER, "07"))
    opinion.complete &= GoodsKind.COMMERCIAL not in kinds
    if any(kind not in WITH_A_ROW for kind in kinds) or any(one.kind is MoneyKind.GOLD for one in money):
        no_row(opinion)
    return opinion


def _items(traveller: Traveller) -> list[GoodsItem]:
    return [item for sheet in traveller.sheets for item in sheet.items]


def _worth(items: Sequence[GoodsItem], kinds: Sequence[GoodsKind], quotes: Mapping[str, Fraction]) -> Sum:
    return total(
        None if item.value is None or item.currency is None else worth(item.value, item.currency, "USD", quotes)
        for item in items
        if item.kind in kinds
    )


def _brought(traveller: Traveller, quotes: Mapping[str, Fraction]) -> Sum:
    """What counts against a resident's exemption."""
    return _worth(_items(traveller), (GoodsKind.GOODS, GoodsKind.GIFTS), quotes)


def _exempt(traveller: Traveller) -> bool:
    """Whether this is known to be a resident whose exemption is unused."""
    since = traveller.days_since_exemption
    return traveller.resident is True and since is not None and since >= 30


def _goods(
    opinion: Opinion, traveller: Traveller, party: Sequence[Traveller], quotes: Mapping[str, Fraction]
) -> None:
    brought = _brought(traveller, quotes)
    plain = _worth(_items(traveller), (GoodsKind.GOODS,), quotes)
    if traveller.resident is not True and not plain.empty:  # a visitor's, for all we know
        opinion.calls.append(Call("US-02", "GOODS_UNKNOWN", UNKNOWN, "03"))
        opinion.complete = False
    if traveller.resident is False or brought.empty:
        return
    if not _exempt(traveller):
        since = traveller.days_since_exemption
        if since is None or since < 30 or not brought.exact or brought.known > EXEMPT:
            opinion.calls.append(Call("US-02", "GOODS_VALUE_UNKNOWN", UNKNOWN, "03"))
            opinion.state("goods_value", Figure(UNKNOWN, brought))
        return
    over = brought.known - EXEMPT
    if over > 0:
        opinion.calls.append(Call("US-02", "GOODS_VALUE_OVER_NORM", OVER, "03"))
        flat = min(over, FLAT + _lent(traveller, party, quotes))
        opinion.taxed["goods_value"] = over
        opinion.complete &= flat == over
        duty = cents(flat * Fraction(3, 100))
        opinion.state("goods_value", Figure(OVER, brought, EXEMPT, duty))
        opinion.larger_of += duty
    elif brought.exact:
        opinion.state("goods_value", Figure(WITHIN, brought, EXEMPT))
    else:
        opinion.calls.append(Call("US-02", "GOODS_VALUE_UNKNOWN", UNKNOWN, "03"))
        opinion.state("goods_value", Figure(UNKNOWN, brought, EXEMPT))


def _lent(borrower: Traveller, party: Sequence[Traveller], quotes: Mapping[str, Fraction]) -> Fraction:
    """What the household lends to this person of its bands at the flat rate."""
    if borrower.household is None:
        return NOTHING
    left: dict[str, Fraction] = {}
    needed: dict[str, Fraction] = {}
    for one in party:
        brought = _brought(one, quotes)
        if one.household == borrower.household and _exempt(one) and brought.exact and one.sheets:
            used = max(NOTHING, brought.known - EXEMPT)
            left[one.name] = max(NOTHING, FLAT - used)
            needed[one.name] = max(NOTHING, used - FLAT)
    for name in sorted(needed):
        lent = NOTHING
        for lender in sorted(left):
            part = min(left[lender], needed[name] - lent)
            left[lender] -= part
            lent += part
        if name == borrower.name:
            return lent
    return NOTHING


def _gifts(opinion: Opinion, traveller: Traveller, quotes: Mapping[str, Fraction]) -> None:
    gifts = _worth(_items(traveller), (GoodsKind.GIFTS,), quotes)
    if traveller.resident is True or gifts.empty:
        return  # a resident's count as goods
    certain = traveller.resident is False
    if gifts.known > GIFTS_OF_A_VISITOR and certain:
        opinion.calls.append(Call("US-02", "GIFTS_OVER_NORM", OVER, "03"))
        opinion.state("gifts", Figure(OVER, gifts, GIFTS_OF_A_VISITOR, None))
    elif gifts.known > GIFTS_OF_A_VISITOR or not gifts.exact:
        opinion.calls.append(Call("US-02", "GIFTS_UNKNOWN", UNKNOWN, "03"))
        opinion.state("gifts", Figure(UNKNOWN, gifts, GIFTS_OF_A_VISITOR, None))
    else:
        opinion.state("gifts", Figure(WITHIN, gifts, GIFTS_OF_A_VISITOR))


def _drinks(opinion: Opinion, litres: Sum, age: int | None) -> None:
    """US-03."""
    if litres.empty:
        opinion.state("alcohol", Figure(WITHIN, litres))
    elif age is not None and age < 21:
        opinion.calls.append(Call("US-03", "UNDERAGE_ALCOHOL", OVER, "03"))
        opinion.state("alcohol", Figure(OVER, litres, NOTHING, None))
    elif litres.known > 1:
        opinion.calls.append(Call("US-03", "ALCOHOL_OVER_NORM", OVER, "03"))
        opinion.state("alcohol", Figure(OVER, litres, Fraction(1), None))
    elif age is None or not litres.exact:
        opinion.calls.append(Call("US-03", "ALCOHOL_UNKNOWN", UNKNOWN, "03"))
        opinion.state("alcohol", Figure(UNKNOWN, litres, Fraction(1), None))
    else:
        opinion.state("alcohol", Figure(WITHIN, litres, Fraction(1)))


def _pieces(opinion: Opinion, subject: str, pieces: Sum, norm: int, age: int | None) -> None:
    if pieces.known > norm:
        opinion.calls.append(Call("US-03", f"{subject.upper()}_OVER_NORM", OVER, "03"))
        opinion.state(subject, Figure(OVER, pieces, Fraction(norm), None))
    elif not pieces.exact or (not pieces.empty and (age is None or age < 21)):
        opinion.calls.append(Call("US-03", f"{subject.upper()}_UNKNOWN", UNKNOWN, "03"))
        opinion.state(subject, Figure(UNKNOWN, pieces, None, None))
    else:
        opinion.state(subject, Figure(WITHIN, pieces, Fraction(norm)))
