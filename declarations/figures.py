"""Sums of a declaration, as far as they are known: litres, kilograms, pieces, mixtures, shares, money.

Sums are exact; what is not stated, or cannot be converted, leaves a sum incomplete and never makes it smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from math import lcm
from typing import NamedTuple

from contracts.declaration import Declaration, GoodsItem, GoodsKind, Manner, Money, MoneyKind, Unit
from declarations.money import Rates
from declarations.packs import Measure, Rule, natural_unit

CENT = Decimal("0.01")
ZERO = Decimal(0)
ONE = Decimal(1)
THOUSAND = Decimal(1000)
HUNDRED = Decimal(100)


class Figure(NamedTuple):
    """A sum as far as it is known: `scaled / scale` in the unit of the norm.

    Scaling spares comparisons a division. People read it in `unit`, which is `times / per` of it: a mixture of one
    kind is shown in that kind's own unit.
    """

    scaled: Decimal = ZERO
    scale: Decimal = ONE
    complete: bool = True
    present: bool = False  # something of the kind is on the declaration
    positive: bool = False  # and it is certainly more than nothing
    counted: bool = True
    unit: str = ""
    exchange: str = ""
    times: Decimal = ONE
    per: Decimal = ONE
    rounded: bool = False  # shown to the cent, as quotients have no end
    weights: Mapping[str, Decimal] | None = None  # what a unit of each currency is worth; None: none was converted
    vague: bool = False  # something counts with what is stated, and nothing is stated of it anywhere

    @property
    def shown(self) -> Decimal:
        """The figure for people. A quotient is rounded up to the cent: over never looks like equal."""
        return self.in_words_of(self.scaled)

    def in_words_of(self, scaled: Decimal) -> Decimal:
        """A part of the figure, scaled as it is, for people."""
        shown = scaled * self.times / (self.scale * self.per)
        return shown.quantize(CENT, ROUND_CEILING) if self.rounded else shown

    def norm(self, amount: Decimal) -> Decimal:
        """A norm of the figure, for people."""
        return amount * self.times / self.per


class Sheet(NamedTuple):
    """What one person carries, sorted once for all rules."""

    items: dict[GoodsKind, list[GoodsItem]]
    money: dict[MoneyKind, list[Money]]
    apart: bool | None  # baggage that travels apart; None: not answered
    delivered: bool = False  # some of it crosses without the person

    @staticmethod
    def of(items: Iterable[GoodsItem], declaration: Declaration | None) -> Sheet:
        """`items` are the goods to judge; money and the answer on baggage are the declaration's own."""
        goods: dict[GoodsKind, list[GoodsItem]] = {}
        money: dict[MoneyKind, list[Money]] = {}
        apart = declaration.unaccompanied_baggage if declaration is not None else False
        delivered = False
        for item in items:
            goods.setdefault(item.kind, []).append(item)
            if item.manner is not Manner.ACCOMPANIED:
                apart = True
                delivered = delivered or item.manner is Manner.DELIVERED
        if declaration is not None:
            for sum_ in declaration.money:
                money.setdefault(sum_.kind, []).append(sum_)
        return Sheet(goods, money, apart, delivered)


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures one figure, as the rules of one subject tell it."""

    measure: Measure
    kinds: frozenset[GoodsKind]  # what counts and must be known
    counted: frozenset[GoodsKind]  # and what counts with what is stated
    elsewhere: frozenset[GoodsKind]  # and of that, what another subject counts, so that nobody need state it here
    order: tuple[GoodsKind, ...]
    money: tuple[MoneyKind, ...]
    unit: Unit | None
    currency: str
    # Mixtures and shares: the unit people count a kind in, what one such unit weighs, and what it is shown as.
    units: dict[GoodsKind, Unit]
    weights: dict[GoodsKind, Decimal]
    shown: dict[GoodsKind, tuple[Decimal, Decimal]]
    scale: Decimal

    @staticmethod
    def of(rule: Rule, elsewhere: frozenset[GoodsKind] = frozenset()) -> Meter:
        units: dict[GoodsKind, Unit] = {}
        weights: dict[GoodsKind, Decimal] = {}
        shown: dict[GoodsKind, tuple[Decimal, Decimal]] = {}
        scale = ONE
        if rule.measure is Measure.MIXTURE:
            units = {kind: natural_unit(kind, rule) for kind in rule.kinds}
            weights = dict(rule.equivalents)
            shown = {kind: (ONE, grams) for kind, grams in rule.equivalents.items()}
        elif rule.measure is Measure.SHARE:
            # Per cent of several norms add up exactly over their least common multiple.
            whole = {kind: int(norm * THOUSAND) for kind, norm in rule.norms.items()}
            multiple = lcm(*whole.values())
            units = {kind: natural_unit(kind, rule) for kind in rule.kinds}
            weights = {kind: Decimal(multiple // norm) * THOUSAND * HUNDRED for kind, norm in whole.items()}
            shown = {kind: (norm, HUNDRED) for kind, norm in rule.norms.items()}
            scale = Decimal(multiple)
        return Meter(
            measure=rule.measure or Measure.PRESENCE,
            kinds=frozenset(rule.kinds),
            counted=frozenset((*rule.kinds, *rule.also)),
            elsewhere=elsewhere,
            order=rule.kinds,
            money=rule.money,
            unit=rule.unit,
            currency=rule.currency or "",
            units=units,
            weights=weights,
            shown=shown,
            scale=scale,
        )

    def reading(self, sheet: Sheet, rates: Rates | None, on: date) -> Figure:
        """The figure of a sheet. Call it within `money.EXACT`."""
        match self.measure:
            case Measure.UNACCOMPANIED:
                apart = sheet.apart is True
                return Figure(complete=sheet.apart is not None, present=apart, positive=apart, counted=False)
            case Measure.PRESENCE:
                there = not self.kinds.isdisjoint(sheet.items)
                return Figure(present=there, positive=there, counted=False)
            case Measure.MONEY:
                sums = [(one.amount, one.currency) for kind in self.money for one in sheet.money.get(kind, ())]
                return self._worth(sums, 0, rates, on)
            case Measure.VALUE | Measure.SINGLE_VALUE:
                sums, unstated = self.worths(sheet)
                return self._worth(sums, unstated, rates, on)._replace(vague=self._vague(sheet))
            case _:
                return self._amount(sheet)

    def _vague(self, sheet: Sheet) -> bool:
        """Whether something that counts with what is stated says nothing of itself, here or elsewhere."""
        loose = self.counted - self.kinds - self.elsewhere
        if self.measure is Measure.SINGLE_MASS or loose.isdisjoint(sheet.items):
            return False
        by_value = self.measure in (Measure.VALUE, Measure.SINGLE_VALUE)
        return any(
            (item.value if by_value else self._stated(item)) is None
            for kind in loose
            for item in sheet.items.get(kind, ())
        )

    def worths(self, sheet: Sheet) -> tuple[list[tuple[Decimal, str]], int]:
        """The stated values of the goods that count, and how many should be stated and are not."""
        sums: list[tuple[Decimal, str]] = []
        unstated = 0
        for kind, items in sheet.items.items():
            if kind in self.counted:
                for item in items:
                    if item.value is not None and item.currency is not None:
                        sums.append((item.value, item.currency))
                    elif kind in self.kinds:
                        unstated += 1
        return sums, unstated

    def _worth(self, sums: list[tuple[Decimal, str]], unstated: int, rates: Rates | None, on: date) -> Figure:
        """Money in the rule's currency, or in the rates' base when currencies differ: added up, or the largest."""
        target = self.currency
        foreign = sorted({currency for amount, currency in sums if currency != target and amount})
        known = conversion(target, foreign, rates, on)
        scale = known.get(target) if foreign else None
        scaled = ZERO
        missing = unstated
        single = self.measure is Measure.SINGLE_VALUE
        for amount, currency in sums:
            if currency == target:
                worth = amount * scale if scale else amount
            elif not amount:
                continue
            elif scale and currency in known:
                worth = amount * known[currency]
            else:
                missing += 1
                continue
            scaled = max(scaled, worth) if single else scaled + worth
        return Figure(
            scaled=scaled,
            scale=scale or ONE,
            complete=not missing,
            present=bool(sums) or bool(unstated),
            positive=bool(unstated) or any(amount for amount, _ in sums),
            unit=target,
            exchange=rates.words(known, on) if scale and rates else "",
            rounded=scale is not None,
            weights=known if scale else None,
        )

    def _amount(self, sheet: Sheet) -> Figure:
        """Litres, kilograms, pieces or, in a mixture, grams; in shares, per cent."""
        total = ZERO
        complete = True
        positive = False
        present: list[GoodsKind] = []
        single = self.measure is Measure.SINGLE_MASS
        for kind, items in sheet.items.items():
            if kind not in self.counted:
                continue
            required = kind in self.kinds and not single
            for item in items:
                amount = _of_a_piece(item) if single else self._stated(item)
                if amount is None:
                    if required:
                        present.append(kind)
                        complete, positive = False, True
                    continue
                present.append(kind)
                positive = positive or amount > 0
                total = max(total, amount) if single else total + amount
        if not self.shown:
            unit = self.unit.value if self.unit is not None else ""
            vague = self._vague(sheet)
            return Figure(total, ONE, complete, bool(present), positive, unit=unit, vague=vague)
        kinds = set(present)
        if len(kinds) <= 1:  # one kind is shown in its own unit
            kind = kinds.pop() if kinds else self.order[0]
            times, per = self.shown[kind]
            own = self.units[kind].value
            return Figure(total, self.scale, complete, bool(present), positive, unit=own, times=times, per=per)
        unit, rounded = ("g", False) if self.measure is Measure.MIXTURE else ("%", True)
        return Figure(total, self.scale, complete, True, positive, unit=unit, rounded=rounded)

    def _stated(self, item: GoodsItem) -> Decimal | None:
        """One item in the unit of the figure, or None when the declaration does not say."""
        match self.measure:
            case Measure.MASS:
                # Weight and quantity may both be stated: the larger counts.
                by_quantity = _in_unit(item, Unit.KILOGRAM)
                if by_quantity is None or item.weight_kg is None:
                    return item.weight_kg if by_quantity is None else by_quantity
                return max(item.weight_kg, by_quantity)
            case Measure.MIXTURE | Measure.SHARE:
                quantity = _in_unit(item, self.units[item.kind])
                return None if quantity is None else quantity * self.weights[item.kind]
            case _:
                return _in_unit(item, self.unit)


def conversion(target: str, foreign: Iterable[str], rates: Rates | None, on: date) -> dict[str, Decimal]:
    """What a unit of each currency that has a rate is worth, in one measure; the target's own comes first."""
    return {} if rates is None else rates.weights((target, *foreign), on)


def _of_a_piece(item: GoodsItem) -> Decimal | None:
    """What the heaviest of a line's pieces weighs at least, in kg; None where pieces or weight are not stated."""
    pieces = item.quantity if item.unit is Unit.PIECE else None
    if pieces is None or item.weight_kg is None or pieces < 1 or pieces != pieces.to_integral_value():
        return None
    return item.weight_kg / pieces


def _in_unit(item: GoodsItem, unit: Unit | None) -> Decimal | None:
    """The stated quantity in `unit`; grams and kilograms convert, nothing else does."""
    if item.quantity is None or item.unit is None:
        return None
    if item.unit is unit:
        return item.quantity
    match item.unit, unit:
        case Unit.KILOGRAM, Unit.GRAM:
            return item.quantity * THOUSAND
        case Unit.GRAM, Unit.KILOGRAM:
            return item.quantity / THOUSAND
        case _:
            return None
