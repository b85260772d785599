"""Words for what a traveller carries, shared by the tests of the law."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from contracts.declaration import (
    Declaration,
    DeclaredChannel,
    GoodsItem,
    GoodsKind,
    Money,
    MoneyKind,
    TransportMode,
    Unit,
)
from contracts.party import Direction
from declarations.evaluate import PersonAssessment, PersonFacts, evaluate
from declarations.money import Rates
from declarations.packs import RulePack

DAY = date(2026, 11, 21)


def declaration(
    *things: GoodsItem | Money, unaccompanied: bool | None = False, covers: tuple[str, ...] = ()
) -> Declaration:
    return Declaration(
        declared_channel=DeclaredChannel.GREEN,
        items=tuple(thing for thing in things if isinstance(thing, GoodsItem)),
        money=tuple(thing for thing in things if isinstance(thing, Money)),
        unaccompanied_baggage=unaccompanied,
        covers=covers,
        rule_pack="eaeu-by:test",
        notice_version="1",
        language="en",
    )


def goods(value: str | None, kilograms: str | None, currency: str = "EUR", **more: Any) -> GoodsItem:
    return GoodsItem(
        kind=GoodsKind.GOODS,
        value=None if value is None else Decimal(value),
        currency=None if value is None else currency,
        weight_kg=None if kilograms is None else Decimal(kilograms),
        **more,
    )


def some(kind: GoodsKind, quantity: str | None, unit: Unit | None) -> GoodsItem:
    if quantity is None:
        return GoodsItem(kind=kind)
    return GoodsItem(kind=kind, quantity=Decimal(quantity), unit=unit)


def alcohol(litres: str | None) -> GoodsItem:
    return some(GoodsKind.ALCOHOL, litres, Unit.LITRE)


def cash(amount: str, currency: str = "USD", kind: MoneyKind = MoneyKind.CASH) -> Money:
    return Money(kind=kind, amount=Decimal(amount), currency=currency)


def assess(
    pack: RulePack,
    rates: Rates | None,
    *things: GoodsItem | Money,
    age: int | None = 40,
    direction: Direction = Direction.ARRIVAL,
    transport: TransportMode = TransportMode.AIR,
    on: date = DAY,
    unaccompanied: bool | None = False,
) -> PersonAssessment:
    person = PersonFacts("p1", age, "lead", declaration(*things, unaccompanied=unaccompanied))
    return evaluate(pack, direction, transport, [person], rates, on).persons["p1"]
