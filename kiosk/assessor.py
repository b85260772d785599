"""What the law says of what was stated, and what it still has to be told. The one evaluator counts, not this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from contracts.declaration import DeclaredChannel, GoodsCategory, GoodsItem, TransportMode
from contracts.party import Direction
from declarations.eligibility import age_on
from declarations.evaluate import Law, PartyAssessment, PersonFacts, Relation
from declarations.money import Rates
from declarations.packs import RulePack
from kiosk import shares
from kiosk.journey import Answer, PersonState, Question, State, first_instrument, stated
from kiosk.questions import Answers, answers, first_open
from kiosk.record import declaration_of

CROSSES_BY = TransportMode.AIR  # kiosks stand in airports
_LEAST = Decimal("0.001")  # the smallest part of anything that can be stated


class Assessor:
    """The law of one kiosk's crossing; one for each law that it goes by."""

    def __init__(self, direction: Direction, pack: RulePack, rates: Rates | None) -> None:
        self.pack = pack
        self._direction = direction
        self._rates = rates
        self._laws: dict[date, Law] = {}

    def assess(self, state: State, person: PersonState, on: date) -> PartyAssessment:
        """The evaluator's answer for a person and the minors they declare for."""
        return self._judge(on, self._people(state, person, on))

    def answers(self, on: date) -> Answers:
        """The facts of a person that this law looks at, with the answers that it tells apart."""
        return answers(self.pack, self._direction, CROSSES_BY, on)

    def asks(self, state: State, answer: Answer) -> tuple[Question, ...]:
        """What the law needs to know after this answer; the journey asks for the first."""
        person = stated(state, answer)
        if person is None:
            return ()
        return tuple(self._open(state, person, (state.started_at or answer.at).date()))

    def is_free(self, state: State, at: datetime) -> bool:
        """Whether nothing that was stated need be declared, and nothing is left open: green would be true."""
        person = state.person
        assessed = self.assess(state, person, (state.started_at or at).date())
        return person.unaccompanied is False and not assessed.must_declare and not assessed.unknown

    def shareable(self, state: State, person: PersonState, on: date) -> dict[str, tuple[GoodsItem, ...]]:
        """What is over the declarant's norm and falls under one of a child's own, by the child's person_id."""
        minors = state.minors_of(person)
        items = shares.whole(person.items)
        lone = [item for item in items if sum(other.kind is item.kind for other in items) == 1]
        if not minors or not lone:
            return {}
        passed = {
            line.kind: line.item_kinds
            for line in self.assess(state, replace(person, items=items), on).persons[person.person_id].lines
            if line.relation is Relation.OVER and line.norm is not None
        }
        found = {
            minor.person_id: tuple(
                item
                for item in lone
                if self._norms(state, person, minor, item, on)
                & {subject for subject, kinds in passed.items() if item.kind in kinds}
            )
            for minor in minors
        }
        return {minor: theirs for minor, theirs in found.items() if theirs}

    def _norms(
        self, state: State, person: PersonState, minor: PersonState, item: GoodsItem, on: date
    ) -> frozenset[str]:
        """The subjects of the law that leave a child free of a part, however small, of such a thing."""
        least = shares.with_figures(item, dict.fromkeys(shares.figures(item), _LEAST), minor.person_id)
        assessed = self.assess(state, replace(person, items=(least,)), on).persons[minor.person_id]
        return frozenset(
            line.kind for line in assessed.lines if line.relation is Relation.WITHIN and line.declared
        )

    def _open(self, state: State, person: PersonState, on: date) -> Iterator[Question]:
        known = self.answers(on)
        if known and (person.items or person.money):
            told = person.circumstances.model_dump()
            settled = {fact for fact in known if told[fact] is not None or fact in person.not_known}
            own, *others = self._people(state, person, on)
            fact = first_open(own, known, settled, lambda supposed: self._judge(on, [supposed, *others]))
            if fact is not None:
                yield fact
        if "shares" not in person.answered and self.shareable(state, person, on):
            yield "shares"
        if self.in_writing(state, person, on):
            yield from _on_the_annex(person)

    def in_writing(self, state: State, person: PersonState, on: date) -> bool:
        """Whether the law wants the stated money on a form's annex: where from, what for, whose."""
        if self.pack.form is None or not person.money:
            return False
        hits = self.assess(state, person, on).persons[person.person_id].hits
        return any(hit.category == GoodsCategory.CASH and hit.relation is not Relation.UNKNOWN for hit in hits)

    def _judge(self, on: date, people: list[PersonFacts]) -> PartyAssessment:
        law = self._laws.get(on)
        if law is None:
            law = self._laws[on] = Law.of(self.pack, self._direction, CROSSES_BY, on)
        return law.judge(people, self._rates)

    def _people(self, state: State, person: PersonState, on: date) -> list[PersonFacts]:
        speaking = replace(person, declared=person.declared or DeclaredChannel.RED)
        own = PersonFacts(
            person.person_id,
            _age(person, on),
            state.role(person),
            declaration_of(state, speaking, self.pack.label),
            **person.circumstances.model_dump(),
        )
        return [
            own,
            *(
                PersonFacts(minor.person_id, _age(minor, on), "minor", None, covered_by=person.person_id)
                for minor in state.minors_of(person)
            ),
        ]


def _on_the_annex(person: PersonState) -> Iterator[Question]:
    if "money" not in person.answered:
        yield "money"
    if "owner" not in person.answered and not all(one.owner_is_declarant for one in person.money):
        yield "owner"
    if "instrument" not in person.answered and first_instrument(person) is not None:
        yield "instrument"
    if person.addresses is None:
        yield "address"
    if person.route is None:
        yield "route"


def _age(person: PersonState, on: date) -> int | None:
    birth = person.identity.birth_date if person.identity else None
    return age_on(birth, on) if birth else None
