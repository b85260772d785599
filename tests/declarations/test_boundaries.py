"""Every comparator of every rule at, just below and just above its boundary, in each currency that has a rate.

Which rules there are comes from the packs. On which side an amount lies does not: the limit is read from the
domain table (`domain_rules.json`), the comparison is made here, in fractions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from carried_goods import declaration

from contracts.declaration import COUNTED_IN, GoodsItem, GoodsKind, Money, Unit
from declarations.evaluate import PersonAssessment, PersonFacts, evaluate
from declarations.money import Rates
from declarations.packs import Effect, Measure, Rule, RulePack, load_pack

DAY = date(2026, 11, 21)
ROWS = {
    row["id"]: row
    for row in json.loads((Path(__file__).parent / "domain_rules.json").read_text(encoding="utf-8"))["rules"]
}
PACKS = {name: load_pack(name) for name in ("eaeu", "eaeu-by-msq", "gb", "eu", "us", "ca")}
# Units of BYN for one of each: no boundary of any pack falls on the same amount in two of them.
QUOTED = {
    "BYN": "1",
    "EUR": "3.4451",
    "USD": "3.21",
    "GBP": "4.1807",
    "CAD": "2.3",
    "RUB": "0.0392",
    "JPY": "0.0212",
}
RATES = Rates(base="BYN", date=DAY, source="test", rates={code: Decimal(rate) for code, rate in QUOTED.items()})
STEP = Decimal("0.001")

# Where the table writes the limit of a rule: the field of its row, and which of the numbers there. A kind of its
# own limit has its own entry. What is not here has no limit in the table: the least amount counts.
Place = tuple[str, int]
LIMITS: dict[str, Place | dict[str, Place]] = {
    "BY-01": ("thr", 0),
    "BY-02": ("thr", 0),
    "BY-03.value": ("thr", 0),
    "BY-03.weight": ("thr", 1),
    "BY-05": ("thr", 0),
    "BY-06": ("thr", 0),
    "BY-07": ("thr", 0),
    "BY-08.limit": ("thr", 0),
    "BY-09": {"cigarettes": ("thr", 0), "cigars": ("thr", 1), "cigarillos": ("thr", 1), "tobacco": ("thr", 2)},
    "BY-10": ("thr", 0),
    "BY-11": ("thr", 0),
    "BY-12": ("thr", 0),
    "BY-13": ("thr", 0),
    "BY-19": ("thr", 0),
    "BY-20": ("thr", 0),
    "BY-26.fish": ("thr", 0),
    "BY-26.caviar": ("thr", 1),
    "BY-26.fuel": ("thr", 2),
    "BY-26": ("thr", 1),  # in grams: food that may be caviar
    "BY-26.food": ("thr", 0),
    "BY-27": ("thr", 0),
    "BY-33.value": ("thr", 0),
    "BY-33.weight": ("thr", 1),
    "EU-01.air": ("thr", 0),
    "EU-01.land": ("thr", 1),
    "EU-01.child": ("note", 0),
    "EU-02": {"cigarettes": ("what", 0), "cigarillos": ("what", 1), "cigars": ("what", 2), "tobacco": ("what", 3)},
    "EU-02.option": {
        "cigarettes": ("note", 0), "cigarillos": ("note", 1), "cigars": ("note", 2), "tobacco": ("note", 3),
    },
    "EU-03.spirits": {"spirits": ("what", 0), "intermediate": ("what", 2)},
    "EU-03.wine": ("what", 4),
    "EU-03.beer": ("what", 5),
    "EU-04": ("thr", 0),
    "UK-01.beer": ("thr", 0),
    "UK-01.wine": ("thr", 1),
    "UK-01.spirits": {"spirits": ("what", 2), "intermediate": ("what", 4)},
    "UK-02": {
        "cigarettes": ("what", 0), "cigarillos": ("what", 1), "cigars": ("what", 2), "tobacco": ("what", 3),
        "heated_sticks": ("what", 4),
    },
    "UK-03": ("thr", 0),
    "UK-05": ("thr", 0),
    "US-01": ("thr", 0),
    "US-02": ("thr", 0),
    "US-02.gifts": ("note", 2),
    "US-03.alcohol": ("thr", 0),
    "US-03.cigarettes": ("thr", 1),
    "US-03.cigars": ("thr", 2),
    "CA-01": ("thr", 0),
    "CA-02": ("thr", 0),
    "CA-03": ("thr", 0),
    "CA-04.alcohol": {"wine": ("what", 0), "spirits": ("what", 1), "beer": ("what", 2)},
    "CA-04.cigarettes": ("what", 3),
    "CA-04.cigars": ("what", 4),
    "CA-04.loose_tobacco": ("what", 5),
    "CA-04.heated_sticks": ("what", 6),
    "CA-05": ("thr", 0),
}  # fmt: skip
# Comparators that a row writes in words.
IN_WORDS = {"3<q<=5": ">", "any": "any", "yes": "any", "-": "any"}


def numbers(row: dict[str, Any], field: str) -> list[Decimal]:
    text = re.sub(r"<=?\s*\d+%|>=?\s*\d+%|100%|3\.\.5", lambda found: found[0].replace("..", " "), str(row[field]))
    return [Decimal(found.replace(",", "")) for found in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)]


def limit_of(rule: Rule, kind: str | None) -> Decimal | None:
    """What the table says; None where it names no amount."""
    place = LIMITS.get(rule.id)
    if isinstance(place, dict):
        place = place[str(kind)]
    return None if place is None else numbers(ROWS[rule.id.split(".")[0]], place[0])[place[1]]


def beyond(rule: Rule, amount: Fraction, limit: Fraction | None) -> bool:
    """Whether an amount calls for the rule's effect, by the comparator of the table."""
    row = ROWS.get(rule.id.split(".")[0])
    comparator = IN_WORDS.get(row["cmp"], row["cmp"]) if row else "any"
    if limit is None or comparator == "any":
        return amount > 0
    return amount >= limit if comparator == ">=" else amount > limit  # what is free up to it is over beyond it


@dataclass(frozen=True)
class Tried:
    """Something carried, and whether that is beyond the limit."""

    carried: tuple[GoodsItem | Money, ...]
    beyond: bool
    words: str


def around(
    rule: Rule, kind: str | None, step: Decimal, scale: Fraction = Fraction(1)
) -> Iterator[tuple[Decimal, bool]]:
    """Amounts below, at and above a limit that lies at `scale` times the table's number."""
    limit = limit_of(rule, kind)
    exact = Fraction(limit or 0) * scale
    near = Decimal(exact.numerator // (exact.denominator * Fraction(step))) * step if exact else Decimal(0)
    for amount in (near - step, near, near + step):
        if amount >= 0:
            yield amount, beyond(rule, Fraction(amount), None if limit is None else exact)


def tried(rule: Rule) -> Iterator[Tried]:
    match rule.measure:
        case Measure.MONEY:
            for money in rule.money:
                for currency, amount, over in in_each_currency(rule, None):
                    carried = (Money(kind=money, amount=amount, currency=currency),)
                    yield Tried(carried, over, f"{money} {amount} {currency}")
        case Measure.VALUE | Measure.SINGLE_VALUE:
            for kind in rule.kinds:
                for currency, amount, over in in_each_currency(rule, kind):
                    carried = (GoodsItem(kind=kind, value=amount, currency=currency, weight_kg=Decimal(1)),)
                    yield Tried(carried, over, f"{kind} {amount} {currency}")
        case Measure.PRESENCE:
            for kind in rule.kinds:
                yield Tried((GoodsItem(kind=kind),), True, f"{kind}")
            yield Tried((), False, "nothing")
        case _:
            for kind in rule.kinds:
                yield from counted(rule, kind)
    if rule.measure in (Measure.SHARE, Measure.MIXTURE) and limit_of(rule, rule.kinds[0]) is not None:
        yield from mixed(rule)


def in_each_currency(rule: Rule, kind: str | None) -> Iterator[tuple[str, Decimal, bool]]:
    for currency in QUOTED:
        scale = Fraction(QUOTED[str(rule.currency)]) / Fraction(QUOTED[currency])
        for amount, over in around(rule, kind, STEP, scale):
            yield currency, amount, over


def counted(rule: Rule, kind: GoodsKind) -> Iterator[Tried]:
    """One kind alone, by weight or in its own unit."""
    unit = COUNTED_IN.get(kind, Unit.PIECE)
    step = Decimal(1) if unit is Unit.PIECE else STEP
    if rule.measure in (Measure.MASS, Measure.NET_MASS, Measure.SINGLE_MASS):
        one = {"quantity": Decimal(1), "unit": Unit.PIECE} if rule.measure is Measure.SINGLE_MASS else {}
        scale = Fraction(1, 1000) if rule.id == "BY-26" else Fraction(1)  # the row says 250 g
        # A rule that speaks only beside another kind: the least of that kind lies on top.
        beside = () if kind in rule.only_with else tuple(weighing(other, STEP) for other in rule.only_with)
        for amount, over in around(rule, kind, STEP, scale):
            item = weighing(kind, amount - STEP * len(beside), **one)
            yield Tried((item, *beside), over, f"{kind} {amount} kg")
        return
    for amount, over in around(rule, kind, step):
        yield Tried((some(kind, amount),), over, f"{kind} {amount} {unit}")


def weighing(kind: GoodsKind, kilograms: Decimal, **more: Any) -> GoodsItem:
    return GoodsItem(kind=kind, weight_kg=kilograms, value=Decimal(1), currency="EUR", **more)


def mixed(rule: Rule) -> Iterator[Tried]:
    """Half of one norm and half of another are all of it; the least more is over."""
    for one, other in zip(rule.kinds, rule.kinds[1:], strict=False):
        halves = [(limit_of(rule, kind) or Decimal(0)) / 2 for kind in (one, other)]
        step = Decimal(1) if COUNTED_IN.get(other, Unit.PIECE) is Unit.PIECE else STEP
        for more in (-step, Decimal(0), step):
            words = f"{one} {halves[0]} and {other} {halves[1] + more}"
            yield Tried((some(one, halves[0]), some(other, halves[1] + more)), more > 0, words)


def some(kind: GoodsKind, amount: Decimal) -> GoodsItem:
    return GoodsItem(kind=kind, quantity=amount, unit=COUNTED_IN.get(kind, Unit.PIECE))


def facts_for(rule: Rule) -> dict[str, Any]:
    """Facts of a person for whom the rule holds."""
    said = rule.conditions.model_dump(exclude_none=True) if rule.conditions else {}
    facts: dict[str, Any] = {"resident": said["resident"]} if "resident" in said else {}
    for name in ("absence_hours", "days_since_exemption", "crossings"):
        if f"{name}_from" in said:
            facts[name] = said[f"{name}_from"]
        elif f"{name}_below" in said:
            facts[name] = said[f"{name}_below"] - 1
    facts["age"] = said["age_below"] - 1 if "age_below" in said else 40
    return facts


def judged(pack: RulePack, rule: Rule, carried: tuple[GoodsItem | Money, ...], **facts: Any) -> PersonAssessment:
    unaccompanied = facts.pop("unaccompanied", False)
    person = PersonFacts(
        "p1", facts.pop("age"), "lead", declaration(*carried, unaccompanied=unaccompanied), **facts
    )
    transport = next(mode for mode in rule.transport if mode in pack.coverage.transport)
    return evaluate(pack, rule.directions[0], transport, (person,), RATES, DAY).persons["p1"]


FOLLOWS = {
    Effect.FREE: ("over",),
    Effect.DECLARE: ("over",),
    Effect.DOCUMENTS: ("over",),
    Effect.PROHIBIT: ("prohibited",),
    Effect.UNDECIDED: ("unknown", "over"),  # another rule of the subject may be certain at the same time
}


def rules() -> list[Any]:
    return [
        pytest.param(pack, rule, id=f"{name}:{rule.id}")
        for name, pack in PACKS.items()
        for rule in pack.rules
        if rule.judges
        and rule.measure is not Measure.UNACCOMPANIED
        and rule.effect is not Effect.ELSEWHERE
        and (name != "eaeu-by-msq" or "BY" in rule.id)
    ]


@pytest.mark.parametrize(("pack", "rule"), rules())
def test_at_below_and_above_the_boundary(pack: RulePack, rule: Rule) -> None:
    sides = set()
    for one in tried(rule):
        answer = judged(pack, rule, one.carried, **facts_for(rule))
        line = next((line for line in answer.lines if line.kind == rule.subject), None)
        follows = line is not None and line.relation.value in FOLLOWS[rule.effect]
        if one.beyond:
            assert follows, one.words
            if rule.code and rule.effect is not Effect.UNDECIDED:
                assert rule.code in {hit.code for hit in answer.hits}, one.words
        elif rule.effect is not Effect.UNDECIDED:
            assert not follows, one.words
            assert rule.effect is Effect.FREE or rule.code not in {
                hit.code for hit in answer.hits if hit.rule_id == rule.id
            }, one.words
        else:
            assert rule.id not in {hit.rule_id for hit in answer.hits}, one.words
        sides.add(one.beyond)
    assert sides == {True, False}, "both sides were tried"


@pytest.mark.parametrize("rule_id", ["BY-26", "BY-26.food"])
def test_a_rule_of_a_sum_is_silent_without_the_kind_it_is_about(rule_id: str) -> None:
    pack = PACKS["eaeu"]
    rule = pack.rule(rule_id)
    (other,) = set(rule.kinds) - set(rule.only_with)
    answer = judged(pack, rule, (weighing(other, Decimal(100)),), age=40)
    assert rule.subject not in {line.kind for line in answer.lines}


@pytest.mark.parametrize("name", PACKS)
def test_baggage_that_travels_apart(name: str) -> None:
    pack = PACKS[name]
    rule = next(rule for rule in pack.rules if rule.measure is Measure.UNACCOMPANIED)
    for answered, relation in ((True, FOLLOWS[rule.effect][0]), (False, None), (None, "unknown")):
        answer = judged(pack, rule, (), age=40, unaccompanied=answered)
        line = next((line for line in answer.lines if line.kind == rule.subject), None)
        assert (line and line.relation.value) == relation


AGED = [
    pytest.param(PACKS[name], rule, kind, id=f"{name}:{rule.id}:{kind}")
    for name in ("eaeu", "gb", "eu", "us")
    for rule in PACKS[name].rules
    if rule.judges and rule.min_age is not None
    for kind in rule.kinds
]


@pytest.mark.parametrize(("pack", "rule", "kind"), AGED)
def test_the_least_amount_below_the_age(pack: RulePack, rule: Rule, kind: GoodsKind) -> None:
    age = int(ROWS[rule.id.split(".")[0]]["min_age"])
    carried = (some(kind, Decimal(1) if COUNTED_IN.get(kind, Unit.PIECE) is Unit.PIECE else STEP),)
    for years, underage in ((age - 1, True), (age, False), (age + 1, False)):
        codes = {hit.code for hit in judged(pack, rule, carried, age=years).hits}
        assert any(code.startswith("UNDERAGE_") for code in codes) == underage
    unknown = judged(pack, rule, carried, age=None)
    assert unknown.unknown, "nobody may take a child for an adult"


@pytest.mark.parametrize(
    ("hours", "norm"),
    [(23, None), (Decimal("23.999"), None), (24, 200), (Decimal("47.999"), 200), (48, 800), (500, 800)],
)
def test_canada_counts_hours_of_absence(hours: Any, norm: int | None) -> None:
    assert [int(numbers(ROWS[row], "what")[0]) for row in ("CA-02", "CA-03")] == [24, 48]
    pack = PACKS["ca"]
    for worth in (200, 201, 800, 801):
        item = GoodsItem(kind=GoodsKind.GOODS, value=Decimal(worth), currency="CAD")
        answer = judged(pack, pack.rule("CA-02"), (item,), age=40, resident=True, absence_hours=hours)
        line = next(line for line in answer.lines if line.kind == "goods_value")
        expected = "unknown" if norm is None else "over" if worth > norm else "within"
        assert line.relation.value == expected


def test_every_limit_of_the_table_is_held_against_a_rule() -> None:
    judging = {rule.id for pack in PACKS.values() for rule in pack.rules if rule.judges}
    assert set(LIMITS) <= judging
    numbered = {rule.id for pack in PACKS.values() for rule in pack.rules if rule.judges and rule.amount}
    assert numbered <= set(LIMITS), "an amount that the table does not know"


# What the table's actions say, by the words they begin with.
ACTIONS = {
    "declare": Effect.DECLARE,
    "written declaration": Effect.DECLARE,
    "refer to": Effect.DECLARE,
    "free": Effect.FREE,
    "allowed without": Effect.FREE,
    "no phyto": Effect.FREE,
    "documents of origin": Effect.DOCUMENTS,
    "not importable": Effect.PROHIBIT,
    "export prohibited": Effect.PROHIBIT,
    "prohibited": Effect.PROHIBIT,
    "stop": Effect.PROHIBIT,
}
# Parts of a row that say something else than the row's first words; each is told in the rule's note.
READINGS = {"BY-08.limit": Effect.PROHIBIT}


@pytest.mark.parametrize(("pack", "rule"), rules())
def test_the_effect_is_that_of_the_row(pack: RulePack, rule: Rule) -> None:
    if rule.effect is Effect.UNDECIDED or rule.id in READINGS:
        assert rule.effect is READINGS.get(rule.id, Effect.UNDECIDED)
        assert rule.note or rule.source == "no row of the domain table", "why it is read so"
    else:
        action = ROWS[rule.id.split(".")[0]]["action"]
        assert rule.effect is next(effect for words, effect in ACTIONS.items() if action.startswith(words))
