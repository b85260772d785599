"""The second author held to the domain text: each of its worked values, by row."""

from __future__ import annotations

from fractions import Fraction

import pytest
from oracle import eaeu_by, gb
from oracle.opinion import Opinion
from oracle.traveller import Traveller

from contracts.declaration import Declaration, GoodsItem, GoodsKind, Money, MoneyKind, TransportMode, Unit
from contracts.party import Direction


def goods(value: str | None, weight: str | None) -> GoodsItem:
    return GoodsItem(
        kind=GoodsKind.GOODS, value=value, currency=None if value is None else "EUR", weight_kg=weight
    )


def litres(kind: GoodsKind, quantity: str) -> GoodsItem:
    return GoodsItem(kind=kind, quantity=quantity, unit=Unit.LITRE)


def pieces(kind: GoodsKind, quantity: str) -> GoodsItem:
    return GoodsItem(kind=kind, quantity=quantity, unit=Unit.PIECE)


def money(kind: MoneyKind, amount: str) -> Money:
    return Money(kind=kind, amount=amount, currency="USD")


def opinion_of(law: object, *carried: GoodsItem | Money, age: int | None = 40) -> Opinion:
    traveller = Traveller(
        "p1",
        age,
        Declaration(
            declared_channel="green",
            items=tuple(one for one in carried if isinstance(one, GoodsItem)),
            money=tuple(one for one in carried if isinstance(one, Money)),
            unaccompanied_baggage=False,
            rule_pack="test",
            notice_version="test",
            language="en",
        ),
    )
    return law.judge(traveller, (traveller,), Direction.ARRIVAL, TransportMode.AIR, {})


def codes(opinion: Opinion) -> list[str]:
    return [call.code for call in opinion.calls]


@pytest.mark.parametrize(
    ("value", "weight", "duty", "called_for"),
    [
        ("10000.00", "50.0", "0", []),
        ("12000", "40", "600", ["GOODS_VALUE_OVER_NORM"]),
        ("9000", "60", "40", ["GOODS_WEIGHT_OVER_NORM"]),
        ("12000", "60", "600", ["GOODS_VALUE_OVER_NORM", "GOODS_WEIGHT_OVER_NORM"]),
        ("10100", "90", "160", ["GOODS_VALUE_OVER_NORM", "GOODS_WEIGHT_OVER_NORM"]),
    ],
)
def test_value_and_weight_by_01_to_04(value: str, weight: str, duty: str, called_for: list[str]) -> None:
    opinion = opinion_of(eaeu_by, goods(value, weight))
    assert opinion.duty == Fraction(duty)
    assert opinion.complete
    assert codes(opinion) == called_for


@pytest.mark.parametrize(
    ("quantity", "duty", "called_for"),
    [
        ("3.0", "0", []),
        ("4.5", "15", ["ALCOHOL_OVER_NORM"]),
        ("5.0", "20", ["ALCOHOL_OVER_NORM"]),
        ("5.01", None, ["ALCOHOL_PROHIBITED"]),
    ],
)
def test_beer_and_wine_by_05_to_07(quantity: str, duty: str | None, called_for: list[str]) -> None:
    half = str(Fraction(quantity) / 2 * 1000 // 1 / 1000)
    beer = litres(GoodsKind.BEER, half)
    wine = litres(GoodsKind.WINE, str(round(float(quantity) - float(half), 3)))
    opinion = opinion_of(eaeu_by, beer, wine)
    assert codes(opinion) == called_for
    assert opinion.complete is (duty is not None)
    assert opinion.duty == Fraction(duty or 0)


@pytest.mark.parametrize(
    "item", [litres(GoodsKind.BEER, "0.1"), litres(GoodsKind.ALCOHOL, "3"), pieces(GoodsKind.CIGARETTES, "1")]
)
def test_any_alcohol_or_tobacco_at_17_by_05_by_09(item: GoodsItem) -> None:
    (call,) = opinion_of(eaeu_by, item, age=17).calls
    assert call.code.startswith("UNDERAGE_")
    assert call.relation == "over"


def test_the_norms_of_by_08_and_by_09() -> None:
    assert opinion_of(eaeu_by, litres(GoodsKind.ETHYL_ALCOHOL, "5")).duty == 110
    assert codes(opinion_of(eaeu_by, pieces(GoodsKind.CIGARETTES, "200"))) == []
    assert codes(opinion_of(eaeu_by, pieces(GoodsKind.CIGARETTES, "201"))) == ["TOBACCO_OVER_NORM"]
    assert codes(opinion_of(eaeu_by, pieces(GoodsKind.CIGARS, "50"))) == []
    assert codes(opinion_of(eaeu_by, pieces(GoodsKind.CIGARS, "51"))) == ["TOBACCO_OVER_NORM"]


@pytest.mark.parametrize(
    ("carried", "called_for"),
    [
        (money(MoneyKind.CASH, "10000.00"), []),
        (money(MoneyKind.CASH, "10000.01"), ["CASH_OVER_THRESHOLD"]),
        (money(MoneyKind.CASH, "100000.00"), ["CASH_OVER_THRESHOLD"]),
        (money(MoneyKind.CASH, "100000.01"), ["CASH_OVER_THRESHOLD", "CASH_DOCUMENTS_OWED"]),
        (money(MoneyKind.INSTRUMENT, "1"), ["INSTRUMENT_DECLARED"]),
    ],
)
def test_money_by_11_to_13(carried: Money, called_for: list[str]) -> None:
    opinion = opinion_of(eaeu_by, carried)
    assert codes(opinion) == called_for
    assert all(call.papers for call in opinion.calls)


def test_nineteen_litres_of_wine_uk_01() -> None:
    opinion = opinion_of(gb, litres(GoodsKind.WINE, "19"))
    assert codes(opinion) == ["WINE_OVER_NORM"]
    assert opinion.taxed["wine"] == 19
