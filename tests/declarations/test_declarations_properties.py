"""What must hold of the law whatever is carried."""

from __future__ import annotations

from decimal import Decimal

import pytest
from carried_goods import DAY, assess, declaration
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.declaration import GoodsItem, GoodsKind, Money, MoneyKind, TransportMode, Unit
from contracts.party import Direction
from declarations.evaluate import PersonAssessment, PersonFacts, Relation, evaluate
from declarations.money import Rates
from declarations.packs import load_pack

PACK = load_pack("eaeu-by")
RATES = Rates(
    base="BYN",
    date=DAY,
    source="test",
    rates={"EUR": Decimal("3.4411"), "USD": Decimal("3.17"), "RUB": Decimal("0.041")},
)
STRENGTH = [Relation.WITHIN, Relation.UNKNOWN, Relation.OVER, Relation.PROHIBITED]


def amounts(most: int = 20_000) -> st.SearchStrategy[Decimal]:
    return st.decimals(0, most, places=3, allow_nan=False, allow_infinity=False)


UNIT = {GoodsKind.TOBACCO: Unit.GRAM, GoodsKind.CIGARETTES: Unit.PIECE, GoodsKind.CIGARS: Unit.PIECE}
COUNTED = [GoodsKind.ALCOHOL, GoodsKind.ETHYL_ALCOHOL, *UNIT]
OTHER = [kind for kind in GoodsKind if kind not in (*COUNTED, GoodsKind.GOODS)]


@st.composite
def items(draw: st.DrawFn) -> GoodsItem:
    kind = draw(st.sampled_from(GoodsKind))
    if kind is GoodsKind.GOODS:
        return GoodsItem(kind=kind, value=draw(amounts()), currency=draw(currencies), weight_kg=draw(amounts(80)))
    if kind in COUNTED:
        most = 6 if kind not in UNIT else 300
        return GoodsItem(kind=kind, quantity=draw(amounts(most)), unit=UNIT.get(kind, Unit.LITRE))
    return GoodsItem(kind=kind, quantity=draw(amounts(8)), unit=Unit.KILOGRAM)


currencies = st.sampled_from(["EUR", "USD", "RUB", "BYN"])
moneys = st.builds(Money, kind=st.sampled_from(MoneyKind), amount=amounts(), currency=currencies)
carried = st.lists(items() | moneys, max_size=8)
ages = st.integers(16, 90)


def judge(things: list[GoodsItem | Money], age: int | None = 40) -> PersonAssessment:
    return assess(PACK, RATES, *things, age=age)


def worst(person: PersonAssessment) -> int:
    """The strongest relation of all hits; 0 when green is allowed."""
    return max((STRENGTH.index(hit.relation) for hit in person.hits), default=0)


def relations(person: PersonAssessment) -> dict[str, int]:
    return {line.kind: STRENGTH.index(line.relation) for line in person.lines}


@given(carried, items() | moneys, ages)
def test_more_never_means_less(things: list[GoodsItem | Money], one_more: GoodsItem | Money, age: int) -> None:
    before, after = judge(things, age), judge([*things, one_more], age)
    assert worst(after) >= worst(before)
    for kind, relation in relations(before).items():
        assert relations(after)[kind] >= relation
    if all(line.relation is not Relation.PROHIBITED for line in after.lines):
        assert after.duty_total >= before.duty_total


@given(carried, st.randoms(use_true_random=False), ages)
def test_order_never_matters(things: list[GoodsItem | Money], random: object, age: int) -> None:
    shuffled = list(things)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(shuffled, age) == judge(things, age)


@given(carried, st.data(), ages)
def test_splitting_never_helps(things: list[GoodsItem | Money], data: st.DataObject, age: int) -> None:
    """One line told as two lines of the same sum changes nothing."""
    split: list[GoodsItem | Money] = []
    for thing in things:
        if isinstance(thing, Money):
            part = data.draw(st.integers(0, int(thing.amount * 1000))) / Decimal(1000)
            split += [
                thing.model_copy(update={"amount": part}),
                thing.model_copy(update={"amount": thing.amount - part}),
            ]
        else:
            half = {
                name: (amount / 2).quantize(Decimal("0.001"))
                for name in ("quantity", "value", "weight_kg")
                if (amount := getattr(thing, name)) is not None
            }
            rest = {name: getattr(thing, name) - amount for name, amount in half.items()}
            split += [thing.model_copy(update=half), thing.model_copy(update=rest)]
    whole, parts = judge(things, age), judge(split, age)
    assert parts.hits == whole.hits
    assert parts.lines == whole.lines


@given(carried, st.data(), st.one_of(st.none(), ages))
def test_unknown_is_never_free(things: list[GoodsItem | Money], data: st.DataObject, age: int | None) -> None:
    """Leaving out the amount of something that needs one never lets its carrier pass."""
    counted = [GoodsKind.ALCOHOL, GoodsKind.ETHYL_ALCOHOL, *UNIT, GoodsKind.GOODS, GoodsKind.FOOD_ANIMAL]
    kind = data.draw(st.sampled_from(counted))
    person = judge([*things, GoodsItem(kind=kind)], age)
    assert person.hits and person.unknown
    assert not person.duty_complete or kind is GoodsKind.FOOD_ANIMAL or worst(person) >= 1


@given(
    st.integers(0, 17), amounts(6), st.sampled_from([GoodsKind.ALCOHOL, GoodsKind.CIGARETTES, GoodsKind.TOBACCO])
)
def test_a_child_never_inherits_a_norm_of_adults(age: int, amount: Decimal, kind: GoodsKind) -> None:
    """Whether it declares or an adult declares for it, beside however many adults."""
    guardian = PersonFacts("p1", 40, "lead", declaration(covers=("p2",)))
    item = GoodsItem(kind=kind, quantity=amount, unit=UNIT.get(kind, Unit.LITRE))
    child = PersonFacts("p2", age, "minor", declaration(item), covered_by="p1")
    assessed = evaluate(PACK, Direction.ARRIVAL, TransportMode.AIR, [guardian, child], RATES, DAY)
    underage = [hit for hit in assessed.persons["p2"].hits if hit.code.startswith("UNDERAGE_")]
    assert bool(underage) == (amount > 0)
    assert assessed.persons["p1"].hits == ()


@given(carried, ages)
def test_lines_add_up(things: list[GoodsItem | Money], age: int) -> None:
    person = judge(things, age)
    assert person.duty_total == sum((line.duty for line in person.lines if line.duty is not None), Decimal(0))
    for line in person.lines:
        if line.relation is Relation.WITHIN:
            assert line.duty == 0
        if line.declared is not None and line.norm is not None and line.relation is Relation.OVER:
            assert line.declared > line.norm


@given(carried, carried)
def test_people_never_change_each_others_answer(
    mine: list[GoodsItem | Money], yours: list[GoodsItem | Money]
) -> None:
    me = PersonFacts("p1", 40, "lead", declaration(*mine))
    you = PersonFacts("p2", 30, "adult", declaration(*yours))
    alone = evaluate(PACK, Direction.ARRIVAL, TransportMode.AIR, [me], RATES, DAY)
    together = evaluate(PACK, Direction.ARRIVAL, TransportMode.AIR, [you, me], RATES, DAY)
    assert together.persons["p1"] == alone.persons["p1"]
    assert list(together.persons) == ["p1", "p2"]


# --- every pack -----------------------------------------------------------------------------------------------

OTHERS = {name: load_pack(name) for name in ("eaeu", "eaeu-by-msq", "gb", "eu", "us", "ca")}
ALL_RATES = RATES.model_copy(
    update={"rates": {**RATES.rates, "GBP": Decimal("4.1803"), "CAD": Decimal("2.31"), "JPY": Decimal("0.0212")}}
)
FACTS = st.fixed_dictionaries(
    {
        "resident": st.none() | st.booleans(),
        "absence_hours": st.none() | st.integers(0, 200),
        "days_since_exemption": st.none() | st.integers(0, 60),
        "crossings": st.none() | st.integers(1, 4),
    }
)


def told(
    name: str, things: list[GoodsItem | Money], age: int | None, facts: dict[str, object]
) -> PersonAssessment:
    person = PersonFacts("p1", age, "lead", declaration(*things), **facts)  # type: ignore[arg-type]
    return evaluate(OTHERS[name], Direction.ARRIVAL, TransportMode.AIR, [person], ALL_RATES, DAY).persons["p1"]


@pytest.mark.parametrize("name", OTHERS)
@given(things=carried, more=items() | moneys, age=st.none() | ages, facts=FACTS)
@settings(deadline=None, max_examples=40)
def test_more_never_means_less_in_any_pack(
    name: str, things: list[GoodsItem | Money], more: GoodsItem | Money, age: int | None, facts: dict[str, object]
) -> None:
    before, after = told(name, things, age, facts), told(name, [*things, more], age, facts)
    assert worst(after) >= worst(before)
    for kind, relation in relations(before).items():
        assert relations(after)[kind] >= relation
    if after.duty_complete:
        assert before.duty_complete
        assert after.duty_total >= before.duty_total


@pytest.mark.parametrize("name", OTHERS)
@given(things=carried, random=st.randoms(use_true_random=False), age=st.none() | ages, facts=FACTS)
@settings(deadline=None, max_examples=30)
def test_order_never_matters_in_any_pack(
    name: str, things: list[GoodsItem | Money], random: object, age: int | None, facts: dict[str, object]
) -> None:
    shuffled = list(things)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(name, shuffled, age, facts) == told(name, things, age, facts)


# The law of these lets a traveller gain by calling one thing two: whole items are free or not (EU-01, UK-03), a
# gift is judged by itself (CA-05). What the property asks there is that things be stated as they are.
SPLITTING_HELPS = {"eu": "goods_value", "gb": "goods_value", "ca": "gifts"}


@pytest.mark.parametrize("name", OTHERS)
@given(money=st.lists(moneys, max_size=5), data=st.data(), age=ages, facts=FACTS)
@settings(deadline=None, max_examples=30)
def test_a_bundle_of_cash_is_one_sum_in_every_pack(
    name: str, money: list[Money], data: st.DataObject, age: int, facts: dict[str, object]
) -> None:
    parts = []
    for one in money:
        part = data.draw(st.integers(0, int(one.amount * 1000))) / Decimal(1000)
        parts += [one.model_copy(update={"amount": part}), one.model_copy(update={"amount": one.amount - part})]
    assert told(name, list(parts), age, facts) == told(name, list(money), age, facts)


@pytest.mark.parametrize("name", OTHERS)
@given(things=st.lists(items(), max_size=6), age=ages, facts=FACTS)
@settings(deadline=None, max_examples=30)
def test_a_bag_split_in_two_changes_no_line(
    name: str, things: list[GoodsItem], age: int, facts: dict[str, object]
) -> None:
    split = []
    for thing in things:
        half = {
            field: (amount / 2).quantize(Decimal("0.001"))
            for field in ("quantity", "value", "weight_kg")
            if (amount := getattr(thing, field)) is not None
        }
        rest = {field: getattr(thing, field) - amount for field, amount in half.items()}
        split += [thing.model_copy(update=half), thing.model_copy(update=rest)]
    whole, parts = told(name, list(things), age, facts), told(name, list(split), age, facts)
    apart = SPLITTING_HELPS.get(name)
    assert [line for line in parts.lines if line.kind != apart] == [
        line for line in whole.lines if line.kind != apart
    ]
