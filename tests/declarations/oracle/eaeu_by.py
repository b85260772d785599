"""The passenger law of the Eurasian Economic Union and Belarus, a second time.

Written from the project's domain text (its row ids stand beside each rule) by an author who had not read the
evaluator, with every threshold typed in again. The two are compared over random declarations.

Where a row leaves a reading open, the reading is said here:
- BY-01 to BY-03: all goods for personal use count but drinks and ethyl alcohol (own rows) and goods with relief
  (BY-25). A plain item or gift without value or weight is unknown. Tobacco and food, which the law asks by the
  piece or by weight, add what is stated. Other goods without value or weight call a person anyway, and leave the
  estimate of duty open.
- BY-33: into Belarus, not by air, the norms are lower for who crosses more than once in three months, if that
  decree is still in force. Unless this is known to be the first time, all between the two norms is unknown, and
  over both the estimate is a floor.
- BY-04: the larger of the two amounts, each to the cent, half a cent upwards.
- BY-08: the row carries ethyl alcohol up to 5 l; beyond, it is not importable, like drinks (BY-07).
- BY-09: a mix is up to 250 g where 200 cigarettes, 50 cigars or cigarillos, and 250 g of tobacco are each the
  whole of it. What an excess costs is not said. Heated sticks are unverified: unknown.
- BY-05 to BY-09 for a minor: no entitlement, so any amount is declared, and what it costs is not said. For an
  unknown age the excess is declared either way, and the duty is unknown.
- BY-10: a line of n whole pieces holds a unit over 35 kg for certain when its weight exceeds n times 35 kg. The
  whole counts in BY-02 as well, whose text excludes nothing but alcohol.
- BY-14: goods delivered without the traveller (manner 3) are declared like unaccompanied ones and counted with
  them, but no row gives their norm: the duty stays open.
- BY-15 to BY-25: one line is "any", whatever its amount.
- BY-18 to BY-20: a food's weight is the larger of what is stated. Fish and caviar are animal products.
- BY-26: animal food that is not told apart may be fish or caviar: where there is some, it is unknown when it would
  be too much together with the fish, or with the caviar, that there is. Here the packaging does not count.
- BY-09, BY-26: tobacco and caviar are what is stated in grams or kilograms, without their packaging.
- BY-27: unverified, so what exceeds it is unknown. Gold coins, which BY-11 does not count, are precious metals.
- BY-28: a person under 16 is spoken for when a declarant of 16 or more, for whom nobody else is said to speak,
  names them and they name the declarant. Anything less is a contradiction, and refers. What the declarant carries
  for such a person counts in that person's norms; what is said to be for anybody else, in the declarant's.
- What was declared earlier in the same crossing counts in the same norms.
- A kind of goods that no row speaks of is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from oracle.opinion import (
    NOTHING,
    OVER,
    PROHIBITED,
    UNKNOWN,
    WHOLE,
    WITHIN,
    Call,
    Figure,
    Opinion,
    Sum,
    cents,
    kilograms,
    loose,
    measured,
    net,
    total,
    worth,
)
from oracle.traveller import Traveller, goods_of, speaker_of

from contracts.declaration import GoodsItem, GoodsKind, Manner, Money, MoneyKind, TransportMode, Unit
from contracts.party import Direction

DRINKS = (GoodsKind.ALCOHOL, GoodsKind.BEER, GoodsKind.WINE, GoodsKind.INTERMEDIATE, GoodsKind.SPIRITS)
ANIMAL_FOOD = (GoodsKind.FOOD_ANIMAL, GoodsKind.FISH, GoodsKind.CAVIAR)
PIECES_OF_TOBACCO = {GoodsKind.CIGARETTES: 200, GoodsKind.CIGARS: 50, GoodsKind.CIGARILLOS: 50}
TOBACCO = (*PIECES_OF_TOBACCO, GoodsKind.TOBACCO)
ORDINARY = (GoodsKind.GOODS, GoodsKind.GIFTS)
NO_ROW = (GoodsKind.COMMERCIAL, GoodsKind.FARM_CONTACT)

# BY-15 to BY-18, BY-21, BY-22: kinds that are declared whatever their amount, with papers.
WITH_PAPERS = {
    GoodsKind.CULTURAL: Call("BY-15", "RESTRICTED_CULTURAL", OVER, "04", papers=True),
    GoodsKind.WEAPONS: Call("BY-16", "RESTRICTED_WEAPONS", OVER, "05", papers=True),
    GoodsKind.MEDICINES: Call("BY-17", "RESTRICTED_MEDICINES", OVER, "06", papers=True),
    GoodsKind.ANIMALS_PLANTS: Call("BY-18", "RESTRICTED_ANIMALS_PLANTS", OVER, "07", papers=True),
    GoodsKind.COLLECTIONS: Call("BY-21", "RESTRICTED_COLLECTIONS", OVER, "08", papers=True),
    GoodsKind.BIOLOGICAL_SAMPLES: Call("BY-21", "RESTRICTED_BIOLOGICAL_SAMPLES", OVER, "09", papers=True),
    GoodsKind.OTHER_RESTRICTED: Call("BY-22", "RESTRICTED_OTHER_RESTRICTED", OVER, "10", papers=True),
}
RELIEF = Call("BY-25", "RELIEF_CLAIMED", OVER, "02", papers=True)  # arrival
DRONE = Call("BY-23", "DRONE_PROHIBITED", PROHIBITED, "10")  # arrival

CALLED_ANYWAY = (*WITH_PAPERS, GoodsKind.DRONE, GoodsKind.PRECIOUS_METALS)
NOT_IN_THE_NORM = (*DRINKS, GoodsKind.ETHYL_ALCOHOL, GoodsKind.RELIEF, GoodsKind.FUEL, *NO_ROW)


class Norms(NamedTuple):
    row_of_value: str
    value: Fraction
    row_of_weight: str
    weight: Fraction
    doubtful_value: Fraction  # beyond these, BY-33 may be in force
    doubtful_weight: Fraction


BY_AIR = Norms("BY-01", Fraction(10_000), "BY-02", Fraction(50), Fraction(10_000), Fraction(50))
BY_OTHER_WAYS = Norms("BY-03", Fraction(500), "BY-03", Fraction(25), Fraction(500), Fraction(25))
OFTEN = BY_OTHER_WAYS._replace(doubtful_value=Fraction(300), doubtful_weight=Fraction(20))


def judge(
    traveller: Traveller,
    party: Sequence[Traveller],
    direction: Direction,
    transport: TransportMode,
    quotes: Mapping[str, Fraction],
    belarus: bool = True,
) -> Opinion:
    """The law of one traveller. `quotes` are the day's rates, empty when there are none of that day.

    `belarus`: with the overlay of that member state; without it, the Union's law alone.
    """
    opinion = Opinion()
    if direction is Direction.TRANSFER:
        opinion.calls.append(Call(None, "RULES_UNKNOWN", UNKNOWN))
        opinion.complete = False
        return opinion
    speaker = speaker_of(traveller, party, under=16)
    declaration = traveller.declaration
    items = goods_of(traveller, party, under=16)
    if speaker is None and declaration is None:
        opinion.calls.append(Call("BY-28", "DECLARATION_UNKNOWN", UNKNOWN))
        opinion.complete = False
    elif speaker is None and traveller.age is None:
        opinion.calls.append(Call("BY-28", "DECLARANT_UNKNOWN", UNKNOWN))
    elif speaker is None and traveller.age < 16:
        opinion.calls.append(Call("BY-28", "DECLARANT_UNDERAGE", UNKNOWN))
    if any(item.carried_for is not None and item.carried_for != traveller.name for item in items):
        opinion.calls.append(Call("BY-28", "GOODS_OWNER_UNKNOWN", UNKNOWN))
        opinion.complete = False
    if not traveller.sheets and not items:
        return opinion
    _money(opinion, [one for sheet in traveller.sheets for one in sheet.money], quotes)
    _unaccompanied(opinion, items, traveller.sends_baggage)
    opinion.calls += [WITH_PAPERS[kind] for kind in {item.kind for item in items} & WITH_PAPERS.keys()]
    arrival = direction is Direction.ARRIVAL
    if any(item.kind in NO_ROW for item in items):
        opinion.calls.append(Call(None, "RULES_UNKNOWN", UNKNOWN))
        opinion.complete = False
    _precious(opinion, items, quotes)
    if not arrival:
        _departure(opinion, items)
        return opinion
    norms = BY_AIR if transport is TransportMode.AIR else BY_OTHER_WAYS
    if belarus and transport is not TransportMode.AIR and (traveller.crossings is None or traveller.crossings > 1):
        norms = OFTEN
    _arrival(opinion, items, traveller.age, norms, quotes)
    if belarus and any(item.kind is GoodsKind.DRONE for item in items):
        opinion.calls.append(DRONE)
        opinion.complete = False
    return opinion


def _money(opinion: Opinion, money: Sequence[Money], quotes: Mapping[str, Fraction]) -> None:
    cash = total(
        worth(one.amount, one.currency, "USD", quotes)
        for one in money
        if one.kind in (MoneyKind.CASH, MoneyKind.TRAVELLERS_CHEQUES)
    )
    instruments = total(
        worth(one.amount, one.currency, "USD", quotes) for one in money if one.kind is MoneyKind.INSTRUMENT
    )
    both = Sum(cash.known + instruments.known, cash.exact and instruments.exact)
    # BY-11: strictly over 10,000 USD
    relation = _over(cash, Fraction(10_000))
    opinion.state("cash", Figure(relation, cash, Fraction(10_000)))
    if relation == OVER:
        opinion.calls.append(Call("BY-11", "CASH_OVER_THRESHOLD", OVER, "01", papers=True))
    elif relation == UNKNOWN:
        opinion.calls.append(Call("BY-11", "CASH_UNKNOWN", UNKNOWN, "01"))
    # BY-12: any instrument at all
    if any(one.amount > 0 for one in money if one.kind is MoneyKind.INSTRUMENT):
        opinion.state("instrument", Figure(OVER, instruments, NOTHING))
        opinion.calls.append(Call("BY-12", "INSTRUMENT_DECLARED", OVER, "01", papers=True))
    # BY-13: strictly over 100,000 USD together
    relation = _over(both, Fraction(100_000))
    opinion.state("cash_documents", Figure(relation, both, Fraction(100_000)))
    if relation == OVER:
        opinion.calls.append(Call("BY-13", "CASH_DOCUMENTS_OWED", OVER, "01", papers=True))
    elif relation == UNKNOWN:
        opinion.calls.append(Call("BY-13", "CASH_DOCUMENTS_UNKNOWN", UNKNOWN, "01"))


def _over(figure: Sum, norm: Fraction) -> str:
    if figure.known > norm:
        return OVER
    return WITHIN if figure.exact else UNKNOWN


def _unaccompanied(opinion: Opinion, items: Sequence[GoodsItem], answer: bool | None) -> None:
    """BY-14."""
    if answer or any(item.manner is not Manner.ACCOMPANIED for item in items):
        opinion.calls.append(Call("BY-14", "UNACCOMPANIED_BAGGAGE", OVER))
    elif answer is None:
        opinion.calls.append(Call("BY-14", "UNACCOMPANIED_BAGGAGE_UNKNOWN", UNKNOWN))
        opinion.complete = False


def _precious(opinion: Opinion, items: Sequence[GoodsItem], quotes: Mapping[str, Fraction]) -> None:
    """BY-27."""
    metals = [item for item in items if item.kind is GoodsKind.PRECIOUS_METALS]
    value = total(
        None if item.value is None or item.currency is None else worth(item.value, item.currency, "USD", quotes)
        for item in metals
    )
    if metals and (value.known > 25_000 or not value.exact):
        opinion.state("precious_metals", Figure(UNKNOWN, value, Fraction(25_000), NOTHING))
        opinion.calls.append(Call("BY-27", "PRECIOUS_METALS_UNKNOWN", UNKNOWN, "10"))


def _departure(opinion: Opinion, items: Sequence[GoodsItem]) -> None:
    """BY-26."""
    fish = total(kilograms(item) for item in items if item.kind is GoodsKind.FISH)
    caviar = total(loose(item) for item in items if item.kind is GoodsKind.CAVIAR)
    fuel = total(measured(item, Unit.LITRE) for item in items if item.kind is GoodsKind.FUEL)
    for name, figure, norm, scale in (
        ("fish", fish, Fraction(5), 1),
        ("caviar", caviar, Fraction(1, 4), 1000),
        ("fuel", fuel, Fraction(10), 1),
    ):
        relation = _over(figure, norm)
        if relation == OVER:
            opinion.calls.append(Call("BY-26", f"{name.upper()}_PROHIBITED", PROHIBITED, "10"))
            relation = PROHIBITED
        elif relation == UNKNOWN:
            opinion.calls.append(Call("BY-26", f"{name.upper()}_UNKNOWN", UNKNOWN, "10"))
        duty = None if relation == PROHIBITED else NOTHING
        opinion.state(name, Figure(relation, Sum(figure.known * scale, figure.exact), norm * scale, duty))
    if not any(item.kind is GoodsKind.FOOD_ANIMAL for item in items):
        return
    for name, other, norm in (("fish", GoodsKind.FISH, Fraction(5)), ("caviar", GoodsKind.CAVIAR, Fraction(1, 4))):
        together = total(net(item) for item in items if item.kind in (GoodsKind.FOOD_ANIMAL, other))
        relation = WITHIN if _over(together, norm) == WITHIN else UNKNOWN
        if relation == UNKNOWN:
            opinion.calls.append(Call("BY-26", "FOOD_ANIMAL_UNKNOWN", UNKNOWN, "07"))
        opinion.state(f"food_or_{name}", Figure(relation, together, norm))


def _arrival(
    opinion: Opinion, items: Sequence[GoodsItem], age: int | None, norms: Norms, quotes: Mapping[str, Fraction]
) -> None:
    _drinks(opinion, total(measured(item, Unit.LITRE) for item in items if item.kind in DRINKS), age)
    _ethyl(
        opinion, total(measured(item, Unit.LITRE) for item in items if item.kind is GoodsKind.ETHYL_ALCOHOL), age
    )
    _tobacco(opinion, total(_share_of_tobacco(item) for item in items if item.kind in TOBACCO), age)
    if any(item.kind is GoodsKind.HEATED_STICKS for item in items):
        opinion.calls.append(Call("BY-09", "HEATED_STICKS_UNKNOWN", UNKNOWN, "03"))
        opinion.complete = False
    _norms(opinion, [item for item in items if item.kind not in NOT_IN_THE_NORM], norms, quotes)
    for row, name, kinds in (
        ("BY-19", "food_animal", ANIMAL_FOOD),
        ("BY-20", "food_plant", (GoodsKind.FOOD_PLANT,)),
    ):
        food = total(kilograms(item) for item in items if item.kind in kinds)
        relation = _over(food, Fraction(5))
        norm: Fraction | None = Fraction(5)
        if row == "BY-19" and not food.empty:
            # What it is made of, and whether its country is free of disease, nobody asked: none is surely free.
            opinion.complete = False
            if relation != OVER:
                relation, norm = UNKNOWN, Fraction(0) if food.known else None
        opinion.state(name, Figure(relation, food, norm))
        if relation == OVER:
            opinion.calls.append(Call(row, f"{name.upper()}_OVER_NORM", OVER, "07", papers=True))
        elif relation == UNKNOWN:
            opinion.calls.append(Call(row, f"{name.upper()}_UNKNOWN", UNKNOWN, "07"))
    if any(item.kind is GoodsKind.RELIEF for item in items):
        opinion.calls.append(RELIEF)
    if any(item.kind is GoodsKind.FUEL for item in items):
        opinion.calls.append(Call("GAP-fuel", "FUEL_UNKNOWN", UNKNOWN))
        opinion.complete = False
    if any(item.manner is Manner.DELIVERED for item in items):
        opinion.complete = False


def _drinks(opinion: Opinion, litres: Sum, age: int | None) -> None:
    if litres.empty:
        opinion.state("alcohol", Figure(WITHIN, litres))
        return
    forbidden = litres.known > 5  # BY-07
    if forbidden:
        opinion.calls.append(Call("BY-07", "ALCOHOL_PROHIBITED", PROHIBITED, "03"))
    if age is not None and age < 18:
        opinion.calls.append(Call("BY-05", "UNDERAGE_ALCOHOL", OVER, "03"))
        opinion.state("alcohol", Figure(PROHIBITED if forbidden else OVER, litres, NOTHING, None))
    elif forbidden:
        opinion.state("alcohol", Figure(PROHIBITED, litres, Fraction(3), None))
    elif litres.known > 3:  # BY-06: 10 EUR a litre over 3 l
        opinion.calls.append(Call("BY-06", "ALCOHOL_OVER_NORM", OVER, "03"))
        duty = None if age is None else cents(10 * (litres.known - 3))
        opinion.taxed["alcohol"] = litres.known - 3
        opinion.state("alcohol", Figure(OVER, litres, Fraction(3), duty))
    elif age is None or not litres.exact:
        opinion.calls.append(Call("BY-05", "ALCOHOL_UNKNOWN", UNKNOWN, "03"))
        opinion.state("alcohol", Figure(UNKNOWN, litres, Fraction(3), None))
    else:  # BY-05
        opinion.state("alcohol", Figure(WITHIN, litres, Fraction(3)))


def _ethyl(opinion: Opinion, litres: Sum, age: int | None) -> None:
    """BY-08: any amount is declared, at 22 EUR a litre."""
    if litres.empty:
        opinion.state("ethyl_alcohol", Figure(WITHIN, litres))
        return
    forbidden = litres.known > 5
    minor = age is not None and age < 18
    if forbidden:
        opinion.calls.append(Call("BY-08", "ETHYL_ALCOHOL_PROHIBITED", PROHIBITED, "03"))
    if minor:
        opinion.calls.append(Call("BY-08", "UNDERAGE_ALCOHOL", OVER, "03"))
    elif not forbidden:
        opinion.calls.append(Call("BY-08", "ETHYL_ALCOHOL_DECLARED", OVER, "03"))
    duty = None if forbidden or age is None or minor else cents(22 * litres.known)
    if not forbidden and not minor:
        opinion.taxed["ethyl_alcohol"] = litres.known
    opinion.state("ethyl_alcohol", Figure(PROHIBITED if forbidden else OVER, litres, NOTHING, duty))


def _share_of_tobacco(item: GoodsItem) -> Fraction | None:
    """What part of BY-09 a line uses up."""
    if item.kind is GoodsKind.TOBACCO:
        mass = loose(item)
        return None if mass is None else mass / Fraction(1, 4)
    pieces = measured(item, Unit.PIECE)
    return None if pieces is None else pieces / PIECES_OF_TOBACCO[item.kind]


def _tobacco(opinion: Opinion, share: Sum, age: int | None) -> None:
    """BY-09. The figure is a share of the allowance."""
    if share.empty:
        opinion.state("tobacco", Figure(WITHIN, share))
    elif age is not None and age < 18:
        opinion.calls.append(Call("BY-09", "UNDERAGE_TOBACCO", OVER, "03"))
        opinion.state("tobacco", Figure(OVER, share, NOTHING, None))
    elif share.known > 1:
        opinion.calls.append(Call("BY-09", "TOBACCO_OVER_NORM", OVER, "03"))
        opinion.state("tobacco", Figure(OVER, share, WHOLE, None))
    elif age is None or not share.exact:
        opinion.calls.append(Call("BY-09", "TOBACCO_UNKNOWN", UNKNOWN, "03"))
        opinion.state("tobacco", Figure(UNKNOWN, share, WHOLE, None))
    else:
        opinion.state("tobacco", Figure(WITHIN, share, WHOLE))


def _norms(opinion: Opinion, items: Sequence[GoodsItem], norms: Norms, quotes: Mapping[str, Fraction]) -> None:
    """BY-01 to BY-04 and BY-10."""
    values: list[Fraction | None] = []
    weights: list[Fraction | None] = []
    indivisible = False
    for item in items:
        weight = kilograms(item)
        if item.value is not None and item.currency is not None:
            values.append(worth(item.value, item.currency, "EUR", quotes))
        elif item.kind in ORDINARY:
            values.append(None)
        if weight is not None or item.kind in ORDINARY:
            weights.append(weight)
        if item.kind in CALLED_ANYWAY and (item.value is None or weight is None):
            opinion.complete = False
        pieces = measured(item, Unit.PIECE)
        if pieces and pieces.denominator == 1 and weight is not None and weight > 35 * pieces:
            indivisible = True
    if indivisible:
        opinion.calls.append(Call("BY-10", "INDIVISIBLE_ITEM", OVER, "03"))
        opinion.complete = False  # the aggregate payment on the whole item is not ours to name
    value, weight_sum = total(values), total(weights)
    by_value = max(NOTHING, value.known - norms.value) * Fraction(30, 100)
    by_weight = max(NOTHING, weight_sum.known - norms.weight) * 4
    opinion.larger_of = cents(max(by_value, by_weight))
    opinion.duty += opinion.larger_of
    for row, subject, figure, norm, doubtful in (
        (norms.row_of_value, "goods_value", value, norms.value, norms.doubtful_value),
        (norms.row_of_weight, "goods_weight", weight_sum, norms.weight, norms.doubtful_weight),
    ):
        relation = _over(figure, norm)
        if relation == OVER:
            opinion.calls.append(Call(row, f"{subject.upper()}_OVER_NORM", OVER, "03"))
            opinion.complete &= doubtful == norm
            opinion.taxed[subject] = figure.known - norm
        elif relation == UNKNOWN or figure.known > doubtful:
            relation = UNKNOWN
            opinion.calls.append(Call(row, f"{subject.upper()}_UNKNOWN", UNKNOWN, "03"))
        compared = (
            None if doubtful != norm and relation == UNKNOWN else norm
        )  # BY-03 or BY-33: either is beside it
        opinion.state(subject, Figure(relation, figure, compared, None if relation == UNKNOWN else NOTHING))
