"""Which circumstances of a person can change what the law says of their declaration: only those are asked.

No rule is read here for what it means. The one evaluator is asked with every answer that the pack tells apart, and
a question whose answers all come to the same is not put: nobody is asked for nothing, and nobody is sent to an
officer for a fact that they could have told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import Any, get_args

from contracts.declaration import TransportMode
from contracts.party import Direction
from declarations.evaluate import PartyAssessment, PersonFacts, Relation
from declarations.packs import Conditions, RulePack
from kiosk.journey import Fact

# In the order in which they are asked. How often somebody crossed is not among them: the one pack that looks at it
# does so by land and water only (BY-33). Nor is the household: it only moves the estimate of US-02.
FACTS: tuple[Fact, ...] = get_args(Fact)
Judge = Callable[[PersonFacts], PartyAssessment]


@dataclass(frozen=True)
class Stretch:
    """One answer: `value`, and for a number all from there to below `below`, or without end."""

    value: bool | int
    below: int | None = None


Answers = Mapping[Fact, Sequence[Stretch]]


def answers(pack: RulePack, direction: Direction, transport: TransportMode, on: date) -> Answers:
    """The facts that the law of this crossing looks at, in order, with the answers that it tells apart."""
    conditions = [
        rule.conditions
        for rule in pack.in_force(direction, transport, on)
        if rule.judges and rule.conditions is not None
    ]
    found: dict[Fact, Sequence[Stretch]] = {}
    for fact in FACTS:
        if fact == "resident":
            if any(one.resident is not None for one in conditions):
                found[fact] = (Stretch(True), Stretch(False))
        elif limits := sorted({limit for one in conditions for limit in _limits(one, fact)} - {0}):
            ends = [*limits, None]
            found[fact] = tuple(Stretch(first, below) for first, below in zip([0, *limits], ends, strict=True))
    return found


def _limits(conditions: Conditions, fact: Fact) -> Iterator[int]:
    for end in ("from", "below"):
        limit = getattr(conditions, f"{fact}_{end}")
        if limit is not None:
            yield limit


def first_open(person: PersonFacts, known: Answers, settled: Collection[str], judge: Judge) -> Fact | None:
    """The first fact whose answer can change the outcome, whatever the answers to the others; None: none can.

    `settled` are the facts that were asked already, whether they are known now or not.
    """
    open_facts = [fact for fact in known if fact not in settled]
    for fact in open_facts:
        others = [other for other in open_facts if other != fact]
        for told in product(*(known[other] for other in others)):
            rest: dict[str, Any] = {other: one.value for other, one in zip(others, told, strict=True)}
            if len({_outcome(judge, person, {**rest, fact: one.value}) for one in known[fact]}) > 1:
                return fact
    return None


def _outcome(judge: Judge, person: PersonFacts, supposed: Mapping[str, Any]) -> tuple[object, ...]:
    """What people must do and owe, and whether an officer has to find out the rest; not what is within."""
    assessed = judge(replace(person, **supposed)).persons.values()
    hits = [hit for one in assessed for hit in one.hits if hit.relation is not Relation.UNKNOWN]
    calls = tuple((hit.code, hit.relation, hit.category, hit.documents) for hit in hits)
    lines = [
        line for one in assessed for line in one.lines if line.relation in (Relation.OVER, Relation.PROHIBITED)
    ]
    owed = tuple((line.kind, line.relation, line.duty, line.dutiable, line.settled) for line in lines)
    return calls, owed, tuple(one.unknown for one in assessed)
