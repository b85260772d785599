"""The evaluator is asked about the random crossings of `oracle`: the one place where they meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from oracle.declared import DAY, Crossing
from oracle.traveller import Traveller

from contracts.declaration import TransportMode
from contracts.party import Direction
from declarations.evaluate import Law, PersonAssessment, PersonFacts
from declarations.money import Rates
from declarations.packs import load_pack

FACTS = ("resident", "absence_hours", "days_since_exemption", "crossings", "household")


@cache
def law_of(pack: str, direction: Direction, transport: TransportMode) -> Law:
    """What `evaluate` makes of a pack before it judges anybody; made once here for all the crossings."""
    return Law.of(load_pack(pack), direction, transport, DAY)


def answers(
    pack: str,
    crossing: Crossing,
    party: Sequence[Traveller] | None = None,
    law: Callable[[str, Direction, TransportMode], Law] = law_of,
) -> dict[str, PersonAssessment]:
    """The evaluator's answer for each traveller by name; for `party` instead of the crossing's own."""
    quoted = crossing.quoted
    rates = quoted and Rates(
        base=quoted.base, rates=quoted.rates, date=quoted.first_day, valid_through=quoted.last_day, source="test"
    )
    people = [
        PersonFacts(
            one.name,
            one.age,
            "lead",
            one.declaration,
            one.covered_by,
            earlier=one.earlier,
            **{fact: getattr(one, fact) for fact in FACTS},
        )
        for one in party or crossing.party
    ]
    return law(pack, crossing.direction, crossing.transport).judge(people, rates).persons
