"""What the law asks about a person: facts, who speaks for whom, and whose the goods are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from contracts.declaration import Declaration, GoodsItem
from contracts.party import PartyRole
from declarations.packs import Conditions

OLDEST = 130  # an age that nobody has is not known

Party = Mapping[str, "PersonFacts"]


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the law asks about a person. None is not known, and so is what cannot be.

    `covered_by` is the person_id of the adult who declares for this minor. `crossings` counts this one.
    `household` names the people who live together. `earlier` are declarations of the same crossing whose goods
    and money count in the same norms: baggage that came ahead, or follows.
    """

    person_id: str
    age: int | None
    role: PartyRole
    declaration: Declaration | None
    covered_by: str | None = None
    resident: bool | None = None
    absence_hours: int | Decimal | None = None
    days_since_exemption: int | Decimal | None = None
    crossings: int | Decimal | None = None
    household: str | None = None
    earlier: tuple[Declaration, ...] = ()

    @property
    def known_age(self) -> int | None:
        return self.age if self.age is not None and 0 <= self.age <= OLDEST else None


def holds(conditions: Conditions | None, person: PersonFacts) -> bool | None:
    """Whether every condition is met; None when that depends on a fact that is not known."""
    if conditions is None:
        return True
    answers: list[bool | None] = []
    if conditions.resident is not None:
        answers.append(None if person.resident is None else person.resident is conditions.resident)
    for fact, first, below in (
        (person.absence_hours, conditions.absence_hours_from, conditions.absence_hours_below),
        (person.days_since_exemption, conditions.days_since_exemption_from, conditions.days_since_exemption_below),
        (person.crossings, conditions.crossings_from, conditions.crossings_below),
        (person.known_age, conditions.age_from, conditions.age_below),
    ):
        if first is not None or below is not None:
            answers.append(_between(fact, first, below))
    if False in answers:
        return False
    return None if None in answers else True


def _between(fact: int | Decimal | None, first: int | None, below: int | None) -> bool | None:
    if fact is None or not Decimal(fact).is_finite() or fact < 0:
        return None
    return (first is None or fact >= first) and (below is None or fact < below)


def speaks_for(minor: PersonFacts, party: Party, declarant_age: int) -> PersonFacts | None:
    """The adult who declares for a minor, by naming it in the adult's own declaration; None when nobody does."""
    if minor.covered_by is None:
        return None
    age, guardian = minor.known_age, party.get(minor.covered_by)
    if age is None or age >= declarant_age or guardian is None or guardian.covered_by is not None:
        return None
    if guardian.known_age is None or guardian.known_age < declarant_age:
        return None
    if guardian.declaration is None or minor.person_id not in guardian.declaration.covers:
        return None
    return guardian


class Goods(NamedTuple):
    """What counts in a person's norms."""

    items: Sequence[GoodsItem]
    misplaced: bool  # some of it is said to be another's, whom the declarant does not speak for


def goods_of(person: PersonFacts, party: Party, declarant_age: int) -> Goods:
    """The own goods, earlier ones, and what the guardian declares for a minor.

    Goods that a declarant states for somebody else stay the declarant's, unless the declarant speaks for that
    person.
    """
    me, items, misplaced = person.person_id, [], False
    for declaration in statements_of(person):
        for item in declaration.items:
            owner = item.carried_for
            if owner is not None and owner != me:
                minor = party.get(owner)
                if minor is not None and speaks_for(minor, party, declarant_age) is person:
                    continue
                misplaced = True
            items.append(item)
    guardian = speaks_for(person, party, declarant_age)
    if guardian is not None:
        for declaration in statements_of(guardian):
            items += [item for item in declaration.items if item.carried_for == me]
    return Goods(items, misplaced)


def statements_of(person: PersonFacts) -> Sequence[Declaration]:
    """What a person has stated, earlier declarations of the same crossing first."""
    return person.earlier if person.declaration is None else (*person.earlier, person.declaration)
