"""Random crossings, seeded, crowded around the places where a law changes its mind.

Totals are chosen first, at a threshold or one smallest step beside it, and then split over lines and currencies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from oracle.traveller import Traveller

from contracts.declaration import Declaration, GoodsItem, GoodsKind, Manner, Money, MoneyKind, TransportMode, Unit
from contracts.party import Direction

DAY = date(2026, 11, 21)

Draft = dict[str, Any]

AGES = (None, 0, 9, 15, 15, 16, 16, 17, 17, 18, 18, 19, 20, 30, 30, 45, 70, 101)
STATED = ("EUR", "EUR", "EUR", "USD", "USD", "BYN", "RUB", "JPY", "GBP", "KWD", "XTS")


class Quoted(NamedTuple):
    """A list of official rates as it arrives; the tests turn it into the contract."""

    base: str
    rates: dict[str, Decimal]
    first_day: date
    last_day: date | None


class Crossing(NamedTuple):
    direction: Direction
    transport: TransportMode
    party: tuple[Traveller, ...]
    quoted: Quoted | None
    on: date


class Law(NamedTuple):
    """Where one country's law changes its mind, in thousandths, and what its travellers carry."""

    value_currency: str
    values: Sequence[int]
    weights: Sequence[int]
    carried: Sequence[tuple[GoodsKind, Unit, Sequence[int]]]
    listed: Sequence[GoodsKind]
    cash_currency: str
    cash: Sequence[int]
    values_by_land: Sequence[int] = ()  # where the norms differ by other ways than air
    weights_by_land: Sequence[int] = ()
    metals: Sequence[int] = ()  # precious, in the currency of cash
    facts: bool = False  # whether it asks where people live, how long they were away, and since when
    gold: float = 0.0  # the share of money that is gold
    gifts: Sequence[int] = ()  # a line of them, where they have a norm of their own


EAEU_BY = Law(
    value_currency="EUR",
    values=(10_000_000, 10_000_000, 10_000_010, 12_000_000, 10_100_000, 9_000_000, 500_000, 300_000, 0),
    weights=(50_000, 50_000, 25_000, 20_000, 35_000, 60_000, 90_000, 40_000, 0),
    carried=(
        (GoodsKind.ALCOHOL, Unit.LITRE, (3_000, 5_000, 4_500, 1_000, 0)),
        (GoodsKind.ETHYL_ALCOHOL, Unit.LITRE, (5_000, 1_000, 0)),
        (GoodsKind.CIGARETTES, Unit.PIECE, (200_000, 20_000, 0)),
        (GoodsKind.CIGARS, Unit.PIECE, (50_000, 5_000)),
        (GoodsKind.TOBACCO, Unit.GRAM, (250_000, 50_000)),
        (GoodsKind.FOOD_ANIMAL, Unit.KILOGRAM, (5_000, 5_000, 250, 0)),
        (GoodsKind.FOOD_PLANT, Unit.KILOGRAM, (5_000, 1_000)),
        (GoodsKind.BEER, Unit.LITRE, (3_000, 1_000)),
        (GoodsKind.SPIRITS, Unit.LITRE, (5_000, 1_000)),
        (GoodsKind.CIGARILLOS, Unit.PIECE, (50_000, 10_000)),
        (GoodsKind.FISH, Unit.KILOGRAM, (5_000, 2_000, 0)),
        (GoodsKind.CAVIAR, Unit.GRAM, (250_000, 100_000)),
        (GoodsKind.FUEL, Unit.LITRE, (10_000, 0)),
    ),
    listed=(
        GoodsKind.ANIMALS_PLANTS,
        GoodsKind.MEDICINES,
        GoodsKind.WEAPONS,
        GoodsKind.CULTURAL,
        GoodsKind.DRONE,
        GoodsKind.COLLECTIONS,
        GoodsKind.BIOLOGICAL_SAMPLES,
        GoodsKind.OTHER_RESTRICTED,
        GoodsKind.RELIEF,
        GoodsKind.WINE,
        GoodsKind.INTERMEDIATE,
        GoodsKind.HEATED_STICKS,
        GoodsKind.GIFTS,
        GoodsKind.COMMERCIAL,
        GoodsKind.PRECIOUS_METALS,
        GoodsKind.FARM_CONTACT,
    ),
    cash_currency="USD",
    cash=(10_000_000, 10_000_000, 10_000_000, 100_000_000, 100_000_000, 500_000, 8_000_000, 1, 0),
    values_by_land=(500_000, 500_000, 300_000, 300_000, 400_000, 1_000_000, 0),
    weights_by_land=(25_000, 25_000, 20_000, 20_000, 22_000, 40_000, 0),
    metals=(25_000_000, 25_000_000, 1_000_000),
)


GB = Law(
    value_currency="GBP",
    values=(390_000, 390_000, 390_010, 500_000, 270_000, 0),
    weights=(5_000, 20_000, 0),
    carried=(
        (GoodsKind.BEER, Unit.LITRE, (42_000, 10_000, 0)),
        (GoodsKind.WINE, Unit.LITRE, (18_000, 19_000, 1_000)),
        (GoodsKind.SPIRITS, Unit.LITRE, (4_000, 2_000)),
        (GoodsKind.INTERMEDIATE, Unit.LITRE, (9_000, 4_500)),
        (GoodsKind.CIGARETTES, Unit.PIECE, (200_000, 100_000, 0)),
        (GoodsKind.CIGARILLOS, Unit.PIECE, (100_000, 50_000)),
        (GoodsKind.CIGARS, Unit.PIECE, (50_000, 25_000)),
        (GoodsKind.TOBACCO, Unit.GRAM, (250_000, 125_000)),
        (GoodsKind.HEATED_STICKS, Unit.PIECE, (200_000, 100_000)),
    ),
    listed=tuple(GoodsKind),
    cash_currency="GBP",
    cash=(10_000_000, 10_000_000, 9_999_990, 500_000, 0),
)

EU = Law(
    value_currency="EUR",
    values=(430_000, 430_000, 430_010, 500_000, 150_000, 300_000, 0),
    weights=(5_000, 20_000, 0),
    carried=(
        (GoodsKind.BEER, Unit.LITRE, (16_000, 4_000, 0)),
        (GoodsKind.WINE, Unit.LITRE, (4_000, 1_000)),
        (GoodsKind.SPIRITS, Unit.LITRE, (1_000, 500)),
        (GoodsKind.INTERMEDIATE, Unit.LITRE, (2_000, 1_000)),
        (GoodsKind.CIGARETTES, Unit.PIECE, (200_000, 40_000, 100_000)),
        (GoodsKind.CIGARILLOS, Unit.PIECE, (100_000, 20_000)),
        (GoodsKind.CIGARS, Unit.PIECE, (50_000, 10_000)),
        (GoodsKind.TOBACCO, Unit.GRAM, (250_000, 50_000)),
    ),
    listed=tuple(GoodsKind),
    cash_currency="EUR",
    cash=(10_000_000, 10_000_000, 9_999_990, 500_000, 0),
    values_by_land=(300_000, 300_000, 300_010, 430_000, 150_000, 0),
    weights_by_land=(5_000, 20_000, 0),
    gold=0.1,
)


US = Law(
    value_currency="USD",
    values=(800_000, 800_000, 1_800_000, 1_800_000, 2_000_000, 2_800_000, 100_000, 900_330, 0),
    weights=(5_000, 20_000, 0),
    carried=(
        (GoodsKind.ALCOHOL, Unit.LITRE, (1_000, 500, 0)),
        (GoodsKind.WINE, Unit.LITRE, (1_000, 250)),
        (GoodsKind.SPIRITS, Unit.LITRE, (1_000, 750)),
        (GoodsKind.CIGARETTES, Unit.PIECE, (200_000, 100_000, 0)),
        (GoodsKind.CIGARS, Unit.PIECE, (100_000, 50_000)),
    ),
    listed=tuple(GoodsKind),
    cash_currency="USD",
    cash=(10_000_000, 10_000_000, 10_000_010, 500_000, 0),
    facts=True,
    gold=0.03,
    gifts=(100_000, 100_000, 50_000, 800_000),
)


CA = Law(
    value_currency="CAD",
    values=(200_000, 200_000, 800_000, 800_000, 801_000, 500_000, 60_000, 0),
    weights=(5_000, 20_000, 0),
    carried=(
        (GoodsKind.WINE, Unit.LITRE, (1_500, 750, 0)),
        (GoodsKind.SPIRITS, Unit.LITRE, (1_140, 570)),
        (GoodsKind.BEER, Unit.LITRE, (8_500, 4_250)),
        (GoodsKind.CIGARETTES, Unit.PIECE, (200_000, 100_000, 0)),
        (GoodsKind.CIGARS, Unit.PIECE, (50_000, 25_000)),
        (GoodsKind.TOBACCO, Unit.GRAM, (200_000, 100_000)),
        (GoodsKind.HEATED_STICKS, Unit.PIECE, (200_000, 100_000)),
    ),
    listed=tuple(GoodsKind),
    cash_currency="CAD",
    cash=(10_000_000, 10_000_000, 9_999_990, 500_000, 0),
    facts=True,
    gold=0.03,
    gifts=(60_000, 60_000, 50_000, 200_000),
)


def amount(thousandths: int) -> Decimal:
    return Decimal(thousandths).scaleb(-3)


def crossings(seed: int, law: Law) -> Iterator[Crossing]:
    """An endless row of parties crossing; the same seed gives the same row."""
    draw = Random(seed)
    while True:
        direction = draw.choices((Direction.ARRIVAL, Direction.DEPARTURE, Direction.TRANSFER), (70, 28, 2))[0]
        transport = TransportMode.AIR
        if draw.random() < 0.12:
            transport = draw.choice(
                (TransportMode.WATER, TransportMode.RAIL, TransportMode.ROAD, TransportMode.OTHER)
            )
        size = draw.choices((1, 2, 3, 4, 5, 6), (50, 20, 12, 8, 6, 4))[0]
        quoted = _quoted(draw)
        if quoted is not None and law.value_currency not in STATED and draw.random() < 0.95:
            quoted.rates[law.value_currency] = Decimal(draw.choice(("2", "2.5", f"{draw.uniform(2, 3):.4f}")))
        here = law
        if transport is not TransportMode.AIR and law.values_by_land:
            here = law._replace(values=law.values_by_land, weights=law.weights_by_land)
        party = _party(draw, here, size, quoted)
        if law.facts:
            party = tuple(_with_facts(draw, one) for one in party)
        yield Crossing(direction, transport, party, quoted, DAY)


def _quoted(draw: Random) -> Quoted | None:
    lot = draw.random()
    if lot < 0.04:
        return None
    base = draw.choice(("BYN", "BYN", "BYN", "EUR", "USD"))
    if draw.random() < 0.4:  # round figures, in which a total in two currencies meets a threshold exactly
        rates = {"EUR": "4", "USD": "3.2", "BYN": "0.5", "RUB": "0.04", "JPY": "0.02", "GBP": "5", "KWD": "10"}
    else:
        rates = {
            "EUR": f"{draw.uniform(2, 5):.4f}",
            "USD": f"{draw.uniform(2, 5):.4f}",
            "BYN": f"{draw.uniform(0.2, 1):.6f}",
            "RUB": f"{draw.uniform(0.01, 0.1):.8f}",
            "JPY": f"{draw.uniform(0.01, 0.1):.12f}",
            "GBP": f"{draw.uniform(2, 6):.4f}",
            "KWD": f"{draw.uniform(8, 12):.3f}",
        }
    rates[base] = "1"
    for currency in ("EUR", "USD", "RUB", "JPY", "GBP"):
        if currency != base and draw.random() < 0.04:
            del rates[currency]
    first_day = DAY + timedelta(days=draw.choices((0, -1, -7, 1), (75, 12, 8, 5))[0])
    last_day = draw.choice((None, first_day, first_day + timedelta(days=1), first_day + timedelta(days=7)))
    return Quoted(base, {currency: Decimal(rate) for currency, rate in rates.items()}, first_day, last_day)


def _party(draw: Random, law: Law, size: int, quoted: Quoted | None) -> tuple[Traveller, ...]:
    names = [f"p{number}" for number in range(1, size + 1)]
    ages = [draw.choice(AGES) for _ in names]
    speaks_for: dict[str, list[str]] = {name: [] for name in names}
    covered_by: dict[str, str | None] = dict.fromkeys(names)
    for name, age in zip(names, ages, strict=True):
        if draw.random() > (0.8 if age is None or age < 18 else 0.05):
            continue
        adult = draw.choice(names)
        covered_by[name] = adult if draw.random() < 0.95 else draw.choice((*names, "p9"))
        if draw.random() < 0.9:
            speaks_for[adult].append(name)
    return tuple(
        Traveller(
            name,
            age,
            None
            if draw.random() < (0.6 if covered_by[name] else 0.04)
            else declaration(draw, law, quoted, tuple(speaks_for[name])),
            covered_by[name],
            (declaration(draw, law, quoted),) if draw.random() < 0.04 else (),
            draw.choice((None, 1, 1, 2)),
        )
        for name, age in zip(names, ages, strict=True)
    )


def _with_facts(draw: Random, one: Traveller) -> Traveller:
    return one._replace(
        resident=draw.choices((True, False, None), (70, 22, 8))[0],
        absence_hours=draw.choice((None, 0, 23, 24, 24, 25, 47, 48, 48, 49, 167, 168, 400)),
        days_since_exemption=draw.choice((None, 0, 29, 29, 30, 30, 31, 400, 400)),
        household=draw.choice((None, "one", "one", "one", "two")),
    )


def declaration(draw: Random, law: Law, quoted: Quoted | None, covers: tuple[str, ...] = ()) -> Declaration:
    drafts: list[Draft] = []
    if draw.random() < 0.75:
        for kind, unit, thresholds in law.carried:
            if draw.random() < 0.15:
                drafts += _split(draw, kind, unit, _beside(draw, thresholds))
        if draw.random() < 0.08:
            drafts += _mixed_tobacco(draw)
        while draw.random() < 0.15:
            drafts.append(_listed(draw, law))
        if draw.random() < 0.45:
            pieces = draw.choices((1, 2, 4, 40, 480), (55, 25, 15, 4.6, 0.4))[0]
            drafts += [{"kind": GoodsKind.GOODS} for _ in range(pieces)]
        _pour(draw, law, drafts, quoted)
        for draft in drafts:
            if draw.random() < (0.25 if covers else 0.02):
                draft["carried_for"] = draw.choice((*covers, *covers, "p2"))
        if draw.random() < 0.06:
            drafts.append(_unit_of_weight(draw))
        if law.metals and draw.random() < 0.04:
            value, currency = _in_some_currency(draw, _beside(draw, law.metals), law.cash_currency, quoted)
            drafts.append({"kind": GoodsKind.PRECIOUS_METALS, "value": value, "currency": currency})
        while law.gifts and draw.random() < 0.2:
            value, currency = _in_some_currency(draw, _beside(draw, law.gifts), law.value_currency, quoted)
            drafts.append({"kind": GoodsKind.GIFTS, "value": value, "currency": currency})
        for draft in drafts:
            _spoil(draw, draft)
        draw.shuffle(drafts)
    return Declaration(
        declared_channel=draw.choice(("green", "red")),
        items=tuple(GoodsItem(**draft) for draft in drafts[:500]),
        money=_money(draw, law, quoted) if draw.random() < 0.45 else (),
        unaccompanied_baggage=draw.choices((False, True, None), (88, 7, 5))[0],
        covers=covers,
        rule_pack="test",
        notice_version="test",
        language="en",
    )


def _beside(draw: Random, thresholds: Sequence[int]) -> int:
    """A threshold, a smallest step beside it, or somewhere near it."""
    threshold = draw.choice(thresholds)
    lot = draw.random()
    if lot < 0.75:
        return max(0, threshold + draw.choice((-1, 0, 0, 1, 1)))
    return draw.randint(0, 2 * threshold + 1000)


def _parts(draw: Random, whole: int, count: int) -> list[int]:
    cuts = sorted(draw.randint(0, whole) for _ in range(count - 1))
    return [upper - lower for lower, upper in zip([0, *cuts], [*cuts, whole], strict=True)]


def _split(draw: Random, kind: GoodsKind, unit: Unit, whole: int) -> list[Draft]:
    drafts: list[Draft] = []
    for part in _parts(draw, whole, draw.choices((1, 2, 3, 6), (60, 22, 12, 6))[0]):
        stated, thousandths = unit, part
        if unit is Unit.GRAM and part % 1000 == 0 and draw.random() < 0.2:
            stated, thousandths = Unit.KILOGRAM, part // 1000
        elif unit is Unit.KILOGRAM and draw.random() < 0.2:
            stated, thousandths = Unit.GRAM, part * 1000
        if unit is Unit.KILOGRAM and draw.random() < 0.2:
            drafts.append({"kind": kind, "weight_kg": amount(part)})
        else:
            drafts.append({"kind": kind, "quantity": amount(thousandths), "unit": stated})
    return drafts


def _mixed_tobacco(draw: Random) -> list[Draft]:
    """Cigarettes, cigars and tobacco that together are the whole allowance, or a step beside it."""
    cigarettes, cigars = draw.randint(0, 120), draw.randint(0, 20)
    grams = 250_000 - cigarettes * 1250 - cigars * 5000 + draw.choice((-1, 0, 0, 1))
    drafts: list[Draft] = [
        {"kind": GoodsKind.CIGARETTES, "quantity": Decimal(cigarettes), "unit": Unit.PIECE},
        {"kind": GoodsKind.CIGARS, "quantity": Decimal(cigars), "unit": Unit.PIECE},
    ]
    if grams >= 0:
        drafts.append({"kind": GoodsKind.TOBACCO, "quantity": amount(grams), "unit": Unit.GRAM})
    return drafts


def _listed(draw: Random, law: Law) -> Draft:
    draft: Draft = {"kind": draw.choice(law.listed)}
    if draw.random() < 0.6:
        draft |= {"quantity": Decimal(draw.randint(0, 3)), "unit": Unit.PIECE}
    return draft


def _unit_of_weight(draw: Random) -> Draft:
    """Pieces that weigh about 35 kg each."""
    pieces = draw.choice((1, 1, 1, 2, 3))
    kind = draw.choice((GoodsKind.GOODS, GoodsKind.GOODS, GoodsKind.CULTURAL, GoodsKind.FOOD_PLANT))
    weight = pieces * draw.choice((35_000, 35_000, 40_000, 20_000)) + draw.choice((-1, 0, 1))
    draft: Draft = {"kind": kind, "quantity": Decimal(pieces), "unit": Unit.PIECE, "weight_kg": amount(weight)}
    if draw.random() < 0.9:
        draft |= {"value": amount(draw.randint(0, 11_000_000)), "currency": "EUR"}
    return draft


def _pour(draw: Random, law: Law, drafts: list[Draft], quoted: Quoted | None) -> None:
    """Spread a total value and a total weight over the lines."""
    shared = [draft for draft in drafts if draft["kind"] is GoodsKind.GOODS or draw.random() < 0.35]
    if not shared:
        return
    for draft, value in zip(shared, _parts(draw, _beside(draw, law.values), len(shared)), strict=True):
        draft["value"], draft["currency"] = _in_some_currency(draw, value, law.value_currency, quoted)
    weighed = [draft for draft in shared if "weight_kg" not in draft]
    if not weighed:
        return
    for draft, weight in zip(weighed, _parts(draw, _beside(draw, law.weights), len(weighed)), strict=True):
        if draft["kind"] is GoodsKind.GOODS and draw.random() < 0.1:
            draft["quantity"], draft["unit"] = amount(weight), Unit.KILOGRAM
        else:
            draft["weight_kg"] = amount(weight)
            if draft["kind"] is GoodsKind.GOODS and draw.random() < 0.15:
                draft["quantity"], draft["unit"] = Decimal(draw.randint(0, 3)), Unit.PIECE


def _in_some_currency(draw: Random, thousandths: int, currency: str, quoted: Quoted | None) -> tuple[Decimal, str]:
    """About this much, in the law's currency or said in another one, to the nearest thousandth."""
    if quoted is None or draw.random() < 0.7:
        return amount(thousandths), currency
    stated = draw.choice(STATED)
    here, there = quoted.rates.get(currency), quoted.rates.get(stated)
    if here is None or there is None:
        return amount(thousandths), stated
    return amount(round(thousandths * here / there)), stated


def _money(draw: Random, law: Law, quoted: Quoted | None) -> tuple[Money, ...]:
    parts = _parts(draw, _beside(draw, law.cash), draw.choices((1, 2, 3, 8, 50), (50, 27, 15, 7, 1))[0])
    instrument = draw.choices((0, 0.3, 1), (70, 22, 8))[0]
    money = []
    for part in parts:
        stated, currency = _in_some_currency(draw, part, law.cash_currency, quoted)
        kind = draw.choices((MoneyKind.CASH, MoneyKind.TRAVELLERS_CHEQUES), (80, 20))[0]
        if draw.random() < instrument:
            kind = MoneyKind.INSTRUMENT
        if law.gold and draw.random() < law.gold:
            kind = MoneyKind.GOLD
        money.append(Money(kind=kind, amount=stated, currency=currency))
    return tuple(money)


def _spoil(draw: Random, draft: Draft) -> None:
    """What people leave out, mix up, or send ahead."""
    lot = draw.random()
    if lot < 0.02:
        draft.pop("value", None), draft.pop("currency", None)
    elif lot < 0.04:
        draft.pop("weight_kg", None)
    elif lot < 0.06:
        draft.pop("quantity", None), draft.pop("unit", None)
    elif lot < 0.075 and "unit" in draft:
        draft["unit"] = draw.choice(tuple(Unit))
    if draw.random() < 0.04:
        draft["manner"] = draw.choice((Manner.UNACCOMPANIED, Manner.UNACCOMPANIED, Manner.DELIVERED))
