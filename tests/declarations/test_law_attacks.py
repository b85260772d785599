"""What somebody might try, under every country's law: none of it makes a traveller freer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any

import asked
import pytest
from oracle.declared import CA, EAEU_BY, EU, GB, US, Crossing, crossings
from oracle.traveller import Traveller

from contracts.declaration import Declaration, GoodsItem, GoodsKind, Manner, TransportMode, Unit
from contracts.party import Direction
from declarations.evaluate import PersonAssessment, PersonFacts

LAWS = {"eaeu": EAEU_BY, "eaeu-by": EAEU_BY, "gb": GB, "eu": EU, "us": US, "ca": CA}
DRINKS = ("alcohol", "beer", "wine", "intermediate", "spirits", "ethyl_alcohol")
TOBACCO = ("cigarettes", "cigarillos", "cigars", "heated_sticks", "tobacco")


def answers(name: str, crossing: Crossing, instead: Traveller | None = None) -> dict[str, PersonAssessment]:
    """The answer for a party, with one of the travellers put in place of the one of that name."""
    party = [instead if instead and instead.name == one.name else one for one in crossing.party]
    return asked.answers(name, crossing, party)


def codes(answer: PersonAssessment) -> set[str]:
    return {hit.code for hit in answer.hits}


def told(answer: PersonAssessment) -> tuple[Any, ...]:
    lines = sorted((line.kind, line.relation, line.declared, line.exact, line.duty) for line in answer.lines)
    return sorted((hit.code, hit.relation) for hit in answer.hits), lines, answer.duty_total, answer.duty_complete


def declarants(name: str, seed: int, count: int) -> Iterator[tuple[Crossing, Traveller, Declaration, Random]]:
    for number, crossing in enumerate(islice(crossings(seed, LAWS[name]), count)):
        for one in crossing.party:
            if one.declaration is not None:
                yield crossing, one, one.declaration, Random(f"{seed} {number} {one.name}")


@pytest.mark.parametrize("name", LAWS)
def test_what_came_ahead_counts_as_if_it_came_along(name: str) -> None:
    """A bag or a bundle of cash on another declaration of the same crossing changes nothing."""
    for crossing, one, said, draw in declarants(name, 21, 60):
        items, money = ([draw.random() < 0.5 for _ in lines] for lines in (said.items, said.money))
        sheets = [
            said.model_copy(
                update={
                    "items": tuple(item for item, first in zip(said.items, items, strict=True) if first is ahead),
                    "money": tuple(line for line, first in zip(said.money, money, strict=True) if first is ahead),
                }
            )
            for ahead in (True, False)
        ]
        split = one._replace(declaration=sheets[1], earlier=(*one.earlier, sheets[0]))
        before, after = answers(name, crossing), answers(name, crossing, split)
        assert {person: told(answer) for person, answer in after.items()} == {
            person: told(answer) for person, answer in before.items()
        }, (crossing, one.name)


@pytest.mark.parametrize("name", LAWS)
def test_what_travels_apart_is_never_freer(name: str) -> None:
    for crossing, one, said, draw in declarants(name, 22, 60):
        if not said.items:
            continue
        items = list(said.items)
        place = draw.randrange(len(items))
        items[place] = items[place].model_copy(update={"manner": Manner.UNACCOMPANIED})
        apart = one._replace(declaration=said.model_copy(update={"items": tuple(items)}))
        before, after = answers(name, crossing), answers(name, crossing, apart)
        for person, answer in before.items():
            # Whether something travels apart is known now.
            assert codes(answer) - codes(after[person]) <= {"UNACCOMPANIED_BAGGAGE_UNKNOWN"}, (crossing, one.name)


@pytest.mark.parametrize("name", LAWS)
def test_who_keeps_a_fact_back_is_never_freer(name: str) -> None:
    for crossing, one, _, _ in declarants(name, 23, 50):
        known = answers(name, crossing)[one.name]
        for fact in asked.FACTS:
            if getattr(one, fact) is None:
                continue
            kept_back = answers(name, crossing, one._replace(**{fact: None}))[one.name]
            assert codes(kept_back) or not codes(known), (crossing, one.name, fact)
            if kept_back.duty_complete:
                assert known.duty_complete and known.duty_total <= kept_back.duty_total, (crossing, fact)


@pytest.mark.parametrize("name", LAWS)
def test_no_childs_drinks_or_tobacco_are_free(name: str) -> None:
    """Each kind that the law knows calls for somebody, in any amount, below every country's age.

    In Canada all goods are declared: there the figure of the kind calls as well.
    """
    law = asked.law_of(name, Direction.ARRIVAL, TransportMode.AIR)
    known = [kind for kind in GoodsKind if kind in law.known and kind.value in DRINKS + TOBACCO]
    assert known
    for kind in known:
        for quantity in (Decimal("0.001"), Decimal(1), None):
            for age in (0, 9, 15, 16):
                item = GoodsItem(kind=kind, quantity=quantity, unit=quantity and unit_of(kind))
                with_it, without = (
                    {hit.code for hit in law.judge((child_of(age, *items),), None).persons["p1"].hits}
                    for items in ((item,), ())
                )
                assert with_it - without - {"GOODS_TO_DECLARE"}, (kind, quantity, age)


def child_of(age: int, *items: GoodsItem) -> PersonFacts:
    said = Declaration(
        declared_channel="green",
        items=items,
        unaccompanied_baggage=False,
        rule_pack="test",
        notice_version="test",
        language="en",
    )
    return PersonFacts("p1", age, "lead", said, resident=True, absence_hours=200, household="one")


def unit_of(kind: GoodsKind) -> Unit:
    return Unit.LITRE if kind.value in DRINKS else Unit.GRAM if kind is GoodsKind.TOBACCO else Unit.PIECE
