"""Every worked value of the domain file, named by its rule, and every example of every pack.

The table is typed in here once more, so that an example in a pack cannot be bent to what the evaluator says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from carried_goods import alcohol, cash, declaration, goods, some

from contracts.declaration import GoodsItem, GoodsKind, Money, MoneyKind, TransportMode, Unit
from contracts.party import Direction
from declarations.evaluate import Line, PersonAssessment, PersonFacts, Relation, evaluate
from declarations.examples import run
from declarations.money import Rates
from declarations.packs import RulePack, load_pack, pack_names
from declarations.packs.examples import Example, ExpectedLine

DAY = date(2026, 11, 21)
PACKS = {name: load_pack(name) for name in pack_names() if name not in ("hk", "jp", "kr", "sg")}
D = Decimal


def beer(litres: str) -> GoodsItem:
    return some(GoodsKind.BEER, litres, Unit.LITRE)


def wine(litres: str) -> GoodsItem:
    return some(GoodsKind.WINE, litres, Unit.LITRE)


def cigarettes(number: str) -> GoodsItem:
    return some(GoodsKind.CIGARETTES, number, Unit.PIECE)


@dataclass(frozen=True)
class Worked:
    """One row of the table: what is carried, and what follows."""

    rule: str
    carried: tuple[GoodsItem | Money, ...]
    codes: frozenset[str] = frozenset()
    duty: Decimal | None = None  # in all; None where the row does not say
    dutiable: tuple[str, Decimal] | None = None  # subject, and the part of it that duty is owed on
    pack: str = "eaeu-by"
    person: dict[str, Any] = field(default_factory=dict)


def worked(rule: str, *carried: GoodsItem | Money, codes: str = "", **rest: Any) -> Worked:
    return Worked(rule, carried, frozenset(codes.split()), **rest)


OVER_VALUE, OVER_WEIGHT = "GOODS_VALUE_OVER_NORM", "GOODS_WEIGHT_OVER_NORM"
ANNEX, ORIGIN = "CASH_OVER_THRESHOLD", "CASH_DOCUMENTS_OWED"
CANADA = {"resident": True}
TABLE = [
    worked("BY-01", goods("10000.00", "50.0"), duty=D(0)),
    worked("BY-01", goods("12000", "40"), codes=OVER_VALUE, duty=D(600), dutiable=("goods_value", D(2000))),
    worked("BY-02", goods("9000", "60"), codes=OVER_WEIGHT, duty=D(40), dutiable=("goods_weight", D(10))),
    worked("BY-04", goods("12000", "60"), codes=f"{OVER_VALUE} {OVER_WEIGHT}", duty=D(600)),
    worked("BY-04", goods("10100", "90"), codes=f"{OVER_VALUE} {OVER_WEIGHT}", duty=D(160)),
    worked("BY-05", beer("1.5"), wine("1.5"), duty=D(0)),
    worked("BY-06", beer("2.5"), wine("2.0"), codes="ALCOHOL_OVER_NORM", duty=D(15)),
    worked("BY-06", beer("2.5"), wine("2.5"), codes="ALCOHOL_OVER_NORM", duty=D(20)),
    worked("BY-07", beer("2.5"), wine("2.51"), codes="ALCOHOL_PROHIBITED"),
    worked("BY-05", alcohol("0.001"), codes="UNDERAGE_ALCOHOL", person={"age": 17}),
    worked("BY-09", cigarettes("1"), codes="UNDERAGE_TOBACCO", person={"age": 17}),
    worked("BY-11", cash("10000.00")),
    worked("BY-11", cash("10000.01"), codes=ANNEX),
    worked("BY-13", cash("100000.00"), codes=ANNEX),
    worked("BY-13", cash("100000.01"), codes=f"{ANNEX} {ORIGIN}"),
    worked("BY-12", cash("1", kind=MoneyKind.INSTRUMENT), codes="INSTRUMENT_DECLARED"),
    worked("EU-04", cash("10000.00", "EUR"), codes=ANNEX, pack="eu"),
    worked(
        "EU-01.air", goods("300", None), goods("200", None), codes=OVER_VALUE, pack="eu",
        dutiable=("goods_value", D(200)),
    ),
    worked("UK-01.wine", wine("19"), codes="WINE_OVER_NORM", dutiable=("wine", D(19)), pack="gb"),
    worked(
        "CA-02", goods("201", None, "CAD"), codes=f"{OVER_VALUE} GOODS_TO_DECLARE", pack="ca",
        dutiable=("goods_value", D(201)), person={**CANADA, "absence_hours": 25},
    ),
    worked(
        "CA-03", goods("801", None, "CAD"), codes=f"{OVER_VALUE} GOODS_TO_DECLARE", pack="ca",
        dutiable=("goods_value", D(1)), person={**CANADA, "absence_hours": 49},
    ),
]  # fmt: skip


def judged(row: Worked) -> PersonAssessment:
    pack = PACKS[row.pack]
    age = row.person.get("age", 40)
    facts = {name: fact for name, fact in row.person.items() if name != "age"}
    person = PersonFacts("p1", age, "lead", declaration(*row.carried), **facts)
    rates = Rates(base=pack.duty_currency, date=DAY, source="test", rates={})
    return evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, (person,), rates, DAY).persons["p1"]


def line_of(answer: PersonAssessment, subject: str) -> Line:
    return next(line for line in answer.lines if line.kind == subject)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.rule)
def test_worked_value(row: Worked) -> None:
    answer = judged(row)
    assert {hit.code for hit in answer.hits} == row.codes
    if row.duty is not None:
        assert answer.duty_total == row.duty and answer.duty_complete
    if row.dutiable is not None:
        subject, part = row.dutiable
        assert line_of(answer, subject).dutiable == part


def test_what_cannot_be_imported_owes_no_duty_that_anybody_could_pay() -> None:
    answer = judged(TABLE[8])
    assert line_of(answer, "alcohol").relation is Relation.PROHIBITED
    assert line_of(answer, "alcohol").duty is None and not answer.duty_complete


def test_of_two_items_the_dearer_is_free_and_the_other_is_taxed_in_full() -> None:
    row = next(row for row in TABLE if row.rule == "EU-01.air")
    assert line_of(judged(row), "goods_value").norm == 430
    alone = worked("EU-01.air", goods("500", None), codes=OVER_VALUE, pack="eu")
    assert line_of(judged(alone), "goods_value").dutiable == 500


def examples() -> list[Any]:
    return [
        pytest.param(pack, example, id=f"{name}:{example.id}")
        for name, pack in PACKS.items()
        for example in pack.examples
    ]


@pytest.mark.parametrize(("pack", "example"), examples())
def test_example_of_a_pack(pack: RulePack, example: Example) -> None:
    assert run(pack, example, DAY).differences == ()
    assert pack.rule(example.rule).id == example.rule


@pytest.mark.parametrize("name", PACKS)
def test_every_rule_that_judges_has_an_example(name: str) -> None:
    pack = PACKS[name]
    assert {rule.id for rule in pack.rules if rule.judges} <= {example.rule for example in pack.examples}


def test_an_example_that_does_not_hold_says_where() -> None:
    pack = PACKS["gb"]
    example = next(example for example in pack.examples if example.id == "UK-01.wine-over")
    wrong = example.model_copy(
        update={
            "codes": ("BEER_OVER_NORM",),
            "total": D(1),
            "lines": (
                ExpectedLine(kind="wine", relation="within", declared=D(18), dutiable=D(1), duty=D(0)),
                ExpectedLine(kind="gifts", relation="within"),
            ),
        }
    )
    assert run(pack, wrong, DAY).differences == (
        "reasons: WINE_OVER_NORM, not BEER_OVER_NORM",
        "wine: over, not within",
        "wine: declared 19, not 18",
        "wine: dutiable 19, not 1",
        "wine: duty unknown, not 0",
        "gifts: there is no such line",
        "total: 0, not 1",
    )
    assert not run(pack, wrong, DAY).holds and run(pack, example, DAY).holds
