"""Rules that send some people's goods to another norm, and norms that only some people have."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from small_packs import pack_of, rule

from contracts.declaration import Declaration, GoodsItem, GoodsKind, TransportMode
from contracts.party import Direction
from declarations.evaluate import PersonAssessment, PersonFacts, evaluate
from declarations.packs import RulePack

DAY = date(2026, 11, 21)
GIFTS = rule(
    "GIFTS", subject="gifts", kinds=["gifts"], code="GIFTS_OVER", amount="50", conditions={"resident": False}
)
GIFTS_AT_HOME: dict[str, Any] = {
    **rule("HOME", subject="gifts", kinds=["gifts"], comparator="any", conditions={"resident": True}),
    "effect": "elsewhere",
}
del GIFTS_AT_HOME["amount"], GIFTS_AT_HOME["code"]
TOGETHER = rule("ALL", kinds=["goods", "gifts"], amount="100", conditions={"resident": True})


def judged(pack: RulePack, value: str | None, **facts: Any) -> PersonAssessment:
    currency = None if value is None else "EUR"
    declaration = Declaration(
        declared_channel="green",
        items=(GoodsItem(kind=GoodsKind.GIFTS, value=value, currency=currency),),
        unaccompanied_baggage=False,
        rule_pack="test",
        notice_version="test",
        language="en",
    )
    person = PersonFacts("p1", 40, "lead", declaration, **facts)
    return evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, (person,), None, DAY).persons["p1"]


def codes(answer: PersonAssessment) -> list[str]:
    return sorted(hit.code for hit in answer.hits)


def test_what_is_counted_elsewhere_has_no_line_here() -> None:
    answer = judged(pack_of(GIFTS, GIFTS_AT_HOME, TOGETHER), "80", resident=True)
    assert [line.kind for line in answer.lines] == ["goods_value"]
    assert answer.hits == ()
    assert answer.duty_complete


def test_without_it_the_law_would_be_about_other_people() -> None:
    answer = judged(pack_of(GIFTS, TOGETHER), "80", resident=True)
    assert codes(answer) == ["GIFTS_UNKNOWN"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("50", []), ("50.01", ["GIFTS_UNKNOWN"]), (None, ["GIFTS_UNKNOWN"])],
)
def test_whoever_may_be_meant_is_asked_only_where_it_matters(value: str | None, expected: list[str]) -> None:
    answer = judged(pack_of(GIFTS, GIFTS_AT_HOME), value, resident=None)
    assert codes(answer) == expected


@pytest.mark.parametrize(
    "wrong",
    [{"conditions": None}, {"comparator": ">", "amount": "1"}, {"amount": "1"}, {"excess": {"model": "whole"}}],
)
def test_a_rule_that_sends_elsewhere_says_for_whom_and_nothing_more(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="HOME: what is judged elsewhere says for whom"):
        pack_of(GIFTS, GIFTS_AT_HOME | wrong)


@pytest.mark.parametrize(
    ("resident", "norm"),
    [(True, "0"), (None, "60"), (False, "60")],
)
def test_a_norm_that_may_not_be_this_persons_is_not_shown_as_theirs(resident: bool | None, norm: str) -> None:
    strict = rule("STRICT", subject="gifts", kinds=["gifts"], amount="0", conditions={"resident": True})
    everybody = rule("ALL", subject="gifts", kinds=["gifts"], amount="60")
    (line,) = judged(pack_of(strict, everybody), "70", resident=resident).lines
    assert line.relation == "over"
    assert line.norm == Decimal(norm)
    assert line.difference == Decimal(70) - Decimal(norm)
