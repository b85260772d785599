"""Runs the worked examples of a pack through the one evaluator and says where the answer differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from contracts.declaration import Declaration, DeclaredChannel
from declarations.evaluate import PersonAssessment, PersonFacts, evaluate
from declarations.money import Rates
from declarations.packs import RulePack, plain
from declarations.packs.examples import Example, ExpectedLine


@dataclass(frozen=True, slots=True)
class Ran:
    """An example, what the evaluator answered, and each difference in words. None of them: it holds."""

    example: Example
    answer: PersonAssessment
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


def run(pack: RulePack, example: Example, on: date) -> Ran:
    """Judge an example by `pack`, on its own day or else on `on`. Raises nothing for a wrong expectation."""
    day = example.on or on
    declaration = Declaration(
        declared_channel=DeclaredChannel.RED,
        items=example.items,
        money=example.money,
        unaccompanied_baggage=example.unaccompanied,
        rule_pack=pack.label,
        notice_version="example",
        language="en",
    )
    facts: dict[str, Any] = dict(example.facts)
    person = PersonFacts("p1", example.age, "lead", declaration, **facts)
    rates = Rates(base=pack.duty_currency, date=day, source="example", rates=example.rates)
    answer = evaluate(pack, example.direction, example.transport, (person,), rates, day).persons["p1"]
    return Ran(example, answer, tuple(_differences(example, answer)))


def _differences(example: Example, answer: PersonAssessment) -> list[str]:
    found = []
    codes = sorted(hit.code for hit in answer.hits)
    if codes != sorted(example.codes):
        found.append(f"reasons: {', '.join(codes) or 'none'}, not {', '.join(sorted(example.codes)) or 'none'}")
    for line in example.lines:
        found += _line_differences(line, answer)
    if example.total is not None and answer.duty_total != example.total:
        found.append(f"total: {plain(answer.duty_total)}, not {plain(example.total)}")
    return found


def _line_differences(expected: ExpectedLine, answer: PersonAssessment) -> list[str]:
    line = next((line for line in answer.lines if line.kind == expected.kind), None)
    if line is None:
        return [f"{expected.kind}: there is no such line"]
    found = []
    if line.relation.value != expected.relation:
        found.append(f"{expected.kind}: {line.relation.value}, not {expected.relation}")
    for name in ("declared", "dutiable", "duty"):
        wanted: Decimal | None = getattr(expected, name)
        given: Decimal | None = getattr(line, name)
        if wanted is not None and given != wanted:
            found.append(f"{expected.kind}: {name} {plain(given) or 'unknown'}, not {plain(wanted)}")
    return found
