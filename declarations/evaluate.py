"""The one evaluator: what is free, what must be declared, what is owed, what is forbidden, and why.

Pure and exact: the same pack, people, rates and day give the same answer, whatever the order of lines or people.
An amount that nobody knows is `unknown`; it refers and is never free. What is already certain stays certain: four
litres and a bottle of unknown size are over three litres.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from itertools import groupby

from contracts.declaration import Declaration, GoodsKind, TransportMode
from contracts.party import Direction, PartyRole
from declarations.figures import CENT, ZERO, Figure, measure
from declarations.money import EXACT, Rates
from declarations.packs import Effect, Excess, Rule, RulePack, plain


class Relation(StrEnum):
    """How a figure stands to its norm."""

    WITHIN = "within"
    OVER = "over"
    UNKNOWN = "unknown"
    PROHIBITED = "prohibited"


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the law asks about a person. `age` is None when the birth date is not known.

    `covered_by` is the person_id of the adult who declares for this minor.
    """

    person_id: str
    age: int | None
    role: PartyRole
    declaration: Declaration | None
    covered_by: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One figure against its norm.

    `kind` is the subject of the rules: a GoodsKind, or goods_value, goods_weight, tobacco, cash, instrument,
    cash_documents, indivisible_item, unaccompanied_baggage. `item_kinds` are the kinds of goods that count in it.
    """

    kind: str
    item_kinds: tuple[GoodsKind, ...]
    declared: Decimal | None  # in `unit`; None where things are not counted or nothing is known
    exact: bool  # False: some amount is unknown, and `declared` and `duty` are lower bounds
    norm: Decimal | None
    unit: str  # l, kg, g, pcs or a currency; empty where things are not counted
    relation: Relation
    difference: Decimal | None  # |declared - norm|
    duty: Decimal | None  # owed on this line; 0 = nothing, None = nobody can say yet
    currency: str
    rate: str  # `10 EUR/l`, `30 %`; empty when no duty has a rate
    formula: str  # `10 EUR × (5 − 3) l = 20.00 EUR`
    exchange: str  # rates used, with date and source
    rule_id: str


@dataclass(frozen=True, slots=True)
class RuleHit:
    """One rule that calls for a person, with its basis. `facts` fill the sentence."""

    code: str
    relation: Relation
    rule_id: str | None
    rule_version: str
    legal_basis: str
    category: str | None = None  # GoodsCategory of the form
    documents: str = ""  # documents owed, in words
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonAssessment:
    """One person's lines and hits. No hits means that nothing need be declared and nothing is unknown."""

    person_id: str
    lines: tuple[Line, ...]
    hits: tuple[RuleHit, ...]
    duty_total: Decimal  # estimate; the sum of the duties that are known
    duty_complete: bool  # False: more may be owed than `duty_total`
    currency: str

    @property
    def must_declare(self) -> bool:
        """True when something is over a norm, restricted or prohibited: green would be a false statement."""
        return any(hit.relation is not Relation.UNKNOWN for hit in self.hits)

    @property
    def unknown(self) -> bool:
        """True when some amount, rate, age or rule is not known."""
        return any(hit.relation is Relation.UNKNOWN for hit in self.hits) or not all(
            line.exact for line in self.lines
        )


@dataclass(frozen=True, slots=True)
class PartyAssessment:
    """The answer for a party: each person for oneself, nothing pooled."""

    pack: str  # label of the pack: id:version
    persons: dict[str, PersonAssessment]

    @property
    def must_declare(self) -> bool:
        return any(person.must_declare for person in self.persons.values())

    @property
    def unknown(self) -> bool:
        return any(person.unknown for person in self.persons.values())


def evaluate(
    pack: RulePack,
    direction: Direction,
    transport: TransportMode,
    people: Iterable[PersonFacts],
    rates: Rates | None,
    on: date,
) -> PartyAssessment:
    """Judge a party's declarations by the law of `on`, the local day of the declaration.

    Raises ValueError when two people share a person_id.
    """
    by_id = {}
    for person in people:
        if person.person_id in by_id:
            raise ValueError(f"{person.person_id} appears twice")
        by_id[person.person_id] = person
    if not pack.covers(direction, transport):
        persons = {person_id: _not_covered(pack, person_id) for person_id in by_id}
    else:
        rules = pack.in_force(direction, transport, on)
        with localcontext(EXACT):
            persons = {
                person_id: _assess(pack, rules, person, by_id, rates, on) for person_id, person in by_id.items()
            }
    return PartyAssessment(pack.label, {person_id: persons[person_id] for person_id in sorted(persons)})


# --- one person ---------------------------------------------------------------------------------------------


def _not_covered(pack: RulePack, person_id: str) -> PersonAssessment:
    hit = RuleHit("RULES_UNKNOWN", Relation.UNKNOWN, None, pack.version, pack.title)
    return PersonAssessment(person_id, (), (hit,), ZERO, False, pack.duty_currency)


def _assess(
    pack: RulePack,
    rules: tuple[Rule, ...],
    person: PersonFacts,
    party: dict[str, PersonFacts],
    rates: Rates | None,
    on: date,
) -> PersonAssessment:
    hits = list(_declarant_hits(pack, rules, person, party))
    lines: list[Line] = []
    if person.declaration is not None:
        judged = [rule for rule in rules if rule.subject is not None]
        # A subject's rules need not stand together in the pack: an overlay appends.
        order = {rule.subject: place for place, rule in reversed(list(enumerate(judged)))}
        judged.sort(key=lambda rule: order[rule.subject])
        for _, group in groupby(judged, key=lambda rule: rule.subject):
            line, found = _judge(pack, tuple(group), person, person.declaration, rates, on)
            lines += [line] if line else []
            hits += found
    for rule in rules:
        if rule.effect is Effect.LARGER_OF:
            lines = _largest_only(rule, lines)
    return PersonAssessment(
        person.person_id,
        tuple(lines),
        tuple(hits),
        duty_total=sum((line.duty for line in lines if line.duty is not None), ZERO),
        duty_complete=all(line.duty is not None and line.exact for line in lines) and not _undeclared(hits),
        currency=pack.duty_currency,
    )


def _undeclared(hits: Iterable[RuleHit]) -> bool:
    return any(hit.code == "DECLARATION_UNKNOWN" for hit in hits)


def _declarant_hits(
    pack: RulePack, rules: tuple[Rule, ...], person: PersonFacts, party: dict[str, PersonFacts]
) -> Iterable[RuleHit]:
    """Whether somebody of age has spoken for this person."""
    rule = next((rule for rule in rules if rule.effect is Effect.DECLARANT), None)
    age, limit = person.age, rule.min_age if rule is not None and rule.min_age is not None else 0
    if age is not None and age < limit and _covered(person, party):
        return
    if person.declaration is None:
        yield _hit(pack, rule, "DECLARATION_UNKNOWN", Relation.UNKNOWN)
    elif rule is not None and age is None:
        yield _hit(pack, rule, "DECLARANT_UNKNOWN", Relation.UNKNOWN, {"min_age": str(limit)})
    elif rule is not None and age is not None and age < limit:
        yield _hit(pack, rule, rule.code or "DECLARANT_UNDERAGE", Relation.UNKNOWN, {"min_age": str(limit)})


def _covered(minor: PersonFacts, party: dict[str, PersonFacts]) -> bool:
    """A guardian covers a minor by naming it in the guardian's own declaration."""
    guardian = party.get(minor.covered_by or "")
    return (
        guardian is not None
        and guardian.covered_by is None
        and guardian.declaration is not None
        and minor.person_id in guardian.declaration.covers
    )


def _hit(
    pack: RulePack, rule: Rule | None, code: str, relation: Relation, facts: dict[str, str] | None = None
) -> RuleHit:
    return RuleHit(
        code=code,
        relation=relation,
        rule_id=rule.id if rule else None,
        rule_version=pack.version,
        legal_basis=rule.legal_basis if rule else pack.title,
        category=rule.category.value if rule and rule.category else None,
        documents=rule.documents if rule else "",
        facts=facts or {},
    )


# --- one subject --------------------------------------------------------------------------------------------


def _judge(
    pack: RulePack,
    rules: tuple[Rule, ...],
    person: PersonFacts,
    declaration: Declaration,
    rates: Rates | None,
    on: date,
) -> tuple[Line | None, list[RuleHit]]:
    """Judge one figure by all rules of its subject. No line for what is absent or merely free of documents."""
    first = rules[0]
    figure = measure(first, declaration, rates, on)
    if not figure.present and figure.complete and not any(rule.shown for rule in rules):
        return None, []

    held = {rule.id: _exceeds(rule, figure) for rule in rules}
    exceeded = [rule for rule in rules if held[rule.id]]
    prohibiting = [rule for rule in exceeded if rule.effect is Effect.PROHIBIT]
    undecided = [rule for rule in exceeded if rule.effect is Effect.UNDECIDED]
    aged = next((rule for rule in rules if rule.min_age is not None), None)
    underage = age_unknown = False
    if aged is not None and aged.min_age is not None and figure.positive:
        age_unknown = person.age is None
        underage = person.age is not None and person.age < aged.min_age

    causes: list[tuple[Rule, str]] = []
    if prohibiting:
        relation = Relation.PROHIBITED
        causes = [(rule, rule.code) for rule in prohibiting if rule.code]
    elif exceeded and len(exceeded) > len(undecided):
        relation = Relation.OVER
        if not underage:
            causes = [(rule, rule.code) for rule in exceeded if rule.code and rule.effect is not Effect.UNDECIDED]
    elif undecided or age_unknown or any(answer is None for answer in held.values()):
        relation = Relation.UNKNOWN
        causes = [(undecided[0] if undecided else first, f"{first.subject}_UNKNOWN".upper())]
    else:
        relation = Relation.WITHIN
    if underage and aged is not None:
        relation = max(relation, Relation.OVER, key=_STRENGTH.index)
        causes = [(rule, code) for rule, code in causes if not code.endswith("_UNKNOWN")]
        causes.insert(0, (aged, aged.underage_code or f"UNDERAGE_{first.subject}".upper()))

    if relation is Relation.WITHIN and first.effect is Effect.DOCUMENTS:
        return None, []
    deciding = causes[0][0] if causes else first
    line = _line(pack, rules, exceeded, deciding, figure, relation, underage=underage)
    facts = _facts(line, aged if underage else None)
    by_code = {code: rule for rule, code in reversed(causes)}  # the first rule that says so stands for the code
    codes = dict.fromkeys(code for _, code in causes)
    return line, [_hit(pack, by_code[code], code, _relation_of(code, relation), facts) for code in codes]


def _exceeds(rule: Rule, figure: Figure) -> bool | None:
    """Whether the figure passes the rule's limit; None when that is not known."""
    if rule.comparator == "any" or (rule.comparator == ">" and rule.amount == 0):
        answer = figure.positive
    else:
        limit = (rule.amount or ZERO) * figure.scale
        answer = figure.scaled >= limit if rule.comparator == ">=" else figure.scaled > limit
    return answer or (False if figure.complete else None)


_STRENGTH = [Relation.WITHIN, Relation.UNKNOWN, Relation.OVER, Relation.PROHIBITED]


def _relation_of(code: str, relation: Relation) -> Relation:
    return Relation.OVER if code.startswith("UNDERAGE_") else relation


def _facts(line: Line, aged: Rule | None) -> dict[str, str]:
    facts = {"unit": line.unit}
    if line.declared is not None:
        facts["declared"] = plain(line.declared)
    if line.norm is not None:
        facts["norm"] = plain(line.norm)
    if line.difference is not None and line.relation in (Relation.OVER, Relation.PROHIBITED):
        facts["difference"] = plain(line.difference)
    if aged is not None:
        facts["min_age"] = str(aged.min_age)
    return {name: text for name, text in sorted(facts.items()) if text}


def _line(
    pack: RulePack,
    rules: tuple[Rule, ...],
    exceeded: list[Rule],
    deciding: Rule,
    figure: Figure,
    relation: Relation,
    *,
    underage: bool,
) -> Line:
    amounts = [rule.amount for rule in rules if rule.amount is not None]
    norm = None if not amounts else ZERO if underage else min(amounts) / figure.grams_per_unit
    nothing_known = not figure.complete and not figure.scaled
    declared = figure.shown if figure.counted and not nothing_known else None
    difference = abs(declared - norm) if declared is not None and norm is not None else None
    owed = _duty(rules, exceeded, figure, relation, underage=underage)
    excess = owed.excess
    return Line(
        kind=str(deciding.subject),
        item_kinds=(*deciding.kinds, *deciding.also),
        declared=_tidy(declared),
        exact=figure.complete,
        norm=_tidy(norm),
        unit=figure.unit,
        relation=relation,
        difference=_tidy(difference),
        duty=owed.amount,
        currency=pack.duty_currency,
        rate=f"{excess.rate_text}/{figure.unit}"
        if excess and excess.per_unit
        else excess.rate_text
        if excess
        else "",
        formula=owed.formula,
        exchange=figure.exchange,
        rule_id=deciding.id,
    )


def _tidy(number: Decimal | None) -> Decimal | None:
    """The same number without exponent or trailing zeros."""
    return None if number is None else Decimal(plain(number))


# --- duty ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Owed:
    amount: Decimal | None
    excess: Excess | None = None
    formula: str = ""


def _duty(
    rules: tuple[Rule, ...], exceeded: list[Rule], figure: Figure, relation: Relation, *, underage: bool
) -> _Owed:
    """What the line owes. Nothing when within; nobody can say when unknown, forbidden or an officer assesses."""
    levied = next((rule for rule in rules if rule.excess is not None), None)
    if levied is None or levied.excess is None or relation is Relation.WITHIN:
        return _Owed(None if relation is Relation.PROHIBITED else ZERO)
    if relation in (Relation.UNKNOWN, Relation.PROHIBITED) or underage or levied not in exceeded:
        return _Owed(None)
    excess = levied.excess
    norm = levied.amount or ZERO
    if excess.model == "assessed":
        return _Owed(None, excess)
    base = figure.scaled if excess.model == "whole" else figure.scaled - norm * figure.scale
    each = excess.percent / 100 if excess.percent is not None else excess.per_unit or ZERO
    amount = (each * base / figure.scale).quantize(CENT, ROUND_HALF_UP)
    part = plain(figure.shown) if excess.model == "whole" else f"({plain(figure.shown)} − {plain(norm)})"
    sign = "=" if figure.complete else "≥"
    return _Owed(amount, excess, f"{excess.rate_text} × {part} {figure.unit} {sign} {amount} {excess.currency}")


def _largest_only(rule: Rule, lines: list[Line]) -> list[Line]:
    """Of the duties that a rule combines only the largest is owed; the others say so."""
    combined = [line for line in lines if line.kind in rule.combines and line.duty]
    if len(combined) < 2:
        return lines
    largest = max(combined, key=lambda line: line.duty or ZERO)
    return [
        replace(
            line, duty=ZERO, formula=f"{line.formula}; max({', '.join(str(o.duty) for o in combined)}): {rule.id}"
        )
        if line in combined and line is not largest
        else line
        for line in lines
    ]
