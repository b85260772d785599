"""The one evaluator: what is free, what must be declared, what is owed, what is forbidden, and why.

Pure and exact: the same pack, people, rates and day give the same answer, whatever the order of lines or people.
An amount that nobody knows is `unknown`; it refers and is never free. What is already certain stays certain: four
litres and a bottle of unknown size are over three litres. `docs/law.md` tells how each word of a pack is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from contracts.declaration import GoodsItem, GoodsKind, MoneyKind, TransportMode
from contracts.party import Direction
from declarations.answer import Line, Owed, PartyAssessment, PersonAssessment, Relation, RuleHit
from declarations.figures import ZERO, Heap, Sheet
from declarations.judging import Lent, Subject, hit, judge
from declarations.money import EXACT, Rates
from declarations.packs import Effect, Measure, Rule, RulePack
from declarations.person import Party, PersonFacts, goods_of, speaks_for, statements_of
from declarations.pooling import pooled

__all__ = ["Law", "Line", "PartyAssessment", "PersonAssessment", "PersonFacts", "Relation", "RuleHit", "evaluate"]

Kind = GoodsKind | MoneyKind
# What is measured so has a norm of its own, and need not be stated again for the norm of all goods.
_OWN_NORM = (Measure.QUANTITY, Measure.MIXTURE, Measure.SHARE, Measure.MASS, Measure.NET_MASS)

GOODS_WEIGHT = "goods_weight"  # the subject of the norm by weight, in every pack that has one
_NOBODY = PersonFacts("nobody", None, "lead", None)
_EMPTY = Sheet({}, {}, apart=False)
_UNJUDGED = frozenset(("DECLARATION_UNKNOWN", "RULES_UNKNOWN", "GOODS_OWNER_UNKNOWN"))
_NOWHERE: frozenset[int] = frozenset()


def evaluate(
    pack: RulePack,
    direction: Direction,
    transport: TransportMode,
    people: Iterable[PersonFacts],
    rates: Rates | None,
    on: date,
) -> PartyAssessment:
    """Judge a party's declarations by the law of `on`, the local day of the declaration.

    Who judges many by one law makes the `Law` once. Raises ValueError when two people share a person_id.
    """
    return Law.of(pack, direction, transport, on).judge(people, rates)


@dataclass(frozen=True, slots=True)
class Law:
    """The law of one way to cross on one day, sorted by what it judges. Neither it nor its pack ever changes."""

    pack: RulePack
    on: date
    covered: bool
    subjects: tuple[Subject, ...]
    touched_by: Mapping[Kind, frozenset[int]]  # places of the subjects that count a kind
    baggage: frozenset[int]  # places of those that ask about baggage that travels apart
    personal: frozenset[int]  # and of those whose norm depends on the person
    pooled: tuple[int, ...]  # and of those whose norm a household may share
    untouched: Mapping[int, Line]  # lines of what was not declared
    known: frozenset[Kind]
    declarant: Rule | None
    largest_only: tuple[Rule, ...]
    levies: bool  # some duty is owed on goods this way

    @staticmethod
    def of(pack: RulePack, direction: Direction, transport: TransportMode, on: date) -> Law:
        """The rules of a pack for this crossing on that day."""
        covered = pack.covers(direction, transport)
        rules = pack.in_force(direction, transport, on) if covered else ()
        # A subject's rules need not stand together in the pack: an overlay appends.
        by_subject: dict[str, list[Rule]] = {}
        for rule in rules:
            if rule.subject is not None and rule.judges:
                by_subject.setdefault(rule.subject, []).append(rule)
        counted_alone = frozenset(
            kind for rule in rules if rule.judges and rule.measure in _OWN_NORM for kind in rule.kinds
        )
        subjects = tuple(Subject.of(name, group, counted_alone) for name, group in by_subject.items())
        touched: dict[Kind, set[int]] = {}
        for place, subject in enumerate(subjects):
            counted: set[Kind] = {*subject.meter.counted, *subject.meter.money}
            for kind in counted:
                touched.setdefault(kind, set()).add(place)
        return Law(
            pack=pack,
            on=on,
            covered=covered,
            subjects=subjects,
            touched_by={kind: frozenset(places) for kind, places in touched.items()},
            baggage=frozenset(
                place for place, subject in enumerate(subjects) if subject.meter.measure is Measure.UNACCOMPANIED
            ),
            personal=frozenset(
                place for place, subject in enumerate(subjects) if subject.conditional and subject.shown
            ),
            pooled=tuple(place for place, subject in enumerate(subjects) if subject.pooled),
            untouched=_untouched(pack, subjects, on),
            known=pack.known_kinds(direction),
            declarant=next((rule for rule in rules if rule.effect is Effect.DECLARANT), None),
            largest_only=tuple(rule for rule in rules if rule.effect is Effect.LARGER_OF),
            levies=any(rule.excess is not None for rule in rules if rule.judges),
        )

    @property
    def declarant_age(self) -> int:
        """From which age a person declares; nobody is too young where the law does not say."""
        return self.declarant.min_age or 0 if self.declarant is not None else 0

    def judge(self, people: Iterable[PersonFacts], rates: Rates | None) -> PartyAssessment:
        """The answer for a party. Raises ValueError when two people share a person_id."""
        party: dict[str, PersonFacts] = {}
        for person in people:
            if person.person_id in party:
                raise ValueError(f"{person.person_id} appears twice")
            party[person.person_id] = person
        if not self.covered:
            persons = {person_id: self._not_covered(person_id) for person_id in sorted(party)}
            return PartyAssessment(self.pack.label, persons)
        with localcontext(EXACT):
            sheets = {person_id: self._sheet(party[person_id], party) for person_id in sorted(party)}
            lent = self._lent(party, sheets, rates)
            persons = {
                person_id: self._assess(party[person_id], party, sheet, rates, lent.get(person_id, {}))
                for person_id, sheet in sheets.items()
            }
        return PartyAssessment(self.pack.label, persons)

    def weighed(self, kilograms: Decimal) -> Line | None:
        """What a scale shows, held against the norm of goods by weight; None where this crossing has none."""
        bags = Heap(items=[GoodsItem(kind=GoodsKind.GOODS)], mass=kilograms, net=kilograms)
        sheet = Sheet({GoodsKind.GOODS: bags}, {}, apart=False)
        for subject in self.subjects:
            if subject.name == GOODS_WEIGHT:
                with localcontext(EXACT):
                    return judge(subject, self.pack, _NOBODY, sheet, None, self.on)[0]
        return None

    def _not_covered(self, person_id: str) -> PersonAssessment:
        refused = hit(self.pack, None, "RULES_UNKNOWN", Relation.UNKNOWN)
        return PersonAssessment(person_id, (), (refused,), ZERO, False, self.pack.duty_currency)

    def _sheet(self, person: PersonFacts, party: Party) -> Sheet | None:
        """What a person carries; None for one who has not spoken and has no goods on another's declaration."""
        goods, stated = goods_of(person, party, self.declarant_age), statements_of(person)
        return Sheet.of(goods, stated) if stated or goods.items else None

    def _lent(
        self, party: Party, sheets: Mapping[str, Sheet | None], rates: Rates | None
    ) -> dict[str, dict[int, Lent]]:
        """What people borrow of each other, by person and place of the subject."""
        found: dict[str, dict[int, Lent]] = {}
        if len(party) > 1 and self.pooled:
            spoken = [(party[person_id], sheet) for person_id, sheet in sheets.items() if sheet is not None]
            for place in self.pooled:
                for person_id, lent in pooled(self.subjects[place], spoken, rates, self.on).items():
                    found.setdefault(person_id, {})[place] = lent
        return found

    def _assess(
        self,
        person: PersonFacts,
        party: Party,
        sheet: Sheet | None,
        rates: Rates | None,
        lent: Mapping[int, Lent],
    ) -> PersonAssessment:
        hits = self._declarant_hits(person, party)
        lines: list[Line] = []
        if sheet is not None:
            hits += self._unknown_kinds(sheet)
            if sheet.misplaced:
                hits.append(hit(self.pack, self.declarant, "GOODS_OWNER_UNKNOWN", Relation.UNKNOWN))
            touched = self._touched(sheet)
            for place, subject in enumerate(self.subjects):
                if place in touched:
                    line, found = judge(subject, self.pack, person, sheet, rates, self.on, lent.get(place))
                    if line is not None:
                        lines.append(line)
                        hits += found
                elif place in self.untouched:
                    lines.append(self.untouched[place])
        for rule in self.largest_only:
            lines = _largest_only(rule, lines)
        total, complete = ZERO, not (sheet is not None and sheet.delivered and self.levies)
        for line in lines:
            owed = line.owed
            if owed.amount is None:
                complete = False
            else:
                total += owed.amount
                complete = complete and owed.settled and line.exact and not line.open
        if hits:
            complete = complete and _UNJUDGED.isdisjoint([found.code for found in hits])
        return PersonAssessment(
            person.person_id, tuple(lines), tuple(hits), total, complete, self.pack.duty_currency
        )

    def _touched(self, sheet: Sheet) -> set[int]:
        """The places of the subjects to judge: those that count something here, or ask about the person."""
        places = set(self.personal)
        if sheet.apart is not False:
            places |= self.baggage
        for kind in sheet.heaps:
            places |= self.touched_by.get(kind, _NOWHERE)
        for sort in sheet.money:
            places |= self.touched_by.get(sort, _NOWHERE)
        return places

    def _unknown_kinds(self, sheet: Sheet) -> list[RuleHit]:
        """What the pack knows no law of is not free."""
        if self.known.issuperset(sheet.heaps) and self.known.issuperset(sheet.money):
            return []
        unknown = sorted(kind.value for kind in (*sheet.heaps, *sheet.money) if kind not in self.known)
        return [hit(self.pack, None, "RULES_UNKNOWN", Relation.UNKNOWN, {"kinds": ", ".join(unknown)})]

    def _declarant_hits(self, person: PersonFacts, party: Party) -> list[RuleHit]:
        """Whether somebody of age has spoken for this person."""
        rule, age, limit = self.declarant, person.known_age, self.declarant_age
        if speaks_for(person, party, limit) is not None:
            return []
        if person.declaration is None:
            return [hit(self.pack, rule, "DECLARATION_UNKNOWN", Relation.UNKNOWN)]
        if rule is None or (age is not None and age >= limit):
            return []
        code = "DECLARANT_UNKNOWN" if age is None else rule.code or "DECLARANT_UNDERAGE"
        return [hit(self.pack, rule, code, Relation.UNKNOWN, {"min_age": str(limit)})]


def _untouched(pack: RulePack, subjects: tuple[Subject, ...], on: date) -> dict[int, Line]:
    """The lines that an officer sees although nothing was declared, by the place of their subject."""
    lines = {}
    with localcontext(EXACT):
        for place, subject in enumerate(subjects):
            if subject.shown and not subject.conditional:
                line, _ = judge(subject, pack, _NOBODY, _EMPTY, None, on)
                if line is not None:
                    lines[place] = line
    return lines


def _largest_only(rule: Rule, lines: list[Line]) -> list[Line]:
    """Of the duties that a rule combines only the largest is owed; the others say so."""
    combines = rule.combines
    combined = [line for line in lines if line.owed.amount and line.kind in combines]
    if len(combined) < 2:
        return lines
    largest = max(combined, key=lambda line: line.owed.amount or ZERO)
    amounts = ", ".join(str(line.owed.amount) for line in combined)
    return [
        line
        if line is largest or line not in combined
        else line._replace(owed=_nothing_beside(line.owed, f"max({amounts}): {rule.id}"))
        for line in lines
    ]


def _nothing_beside(owed: Owed, why: str) -> Owed:
    return owed._replace(amount=ZERO, formula=f"{owed.formula}; {why}")
