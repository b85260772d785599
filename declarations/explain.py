"""The answer as a tree that says why, by article and layer, and in words: whoever asks gives the words.

A node names a message and its figures, never a sentence; kiosk and central have catalogues of their own. English
is there for those who have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from declarations.answer import Line, PartyAssessment, PersonAssessment, Relation, RuleHit
from declarations.packs import RulePack, plain

Words = Callable[[str, Mapping[str, str]], str]
Outcome = Literal["free", "declare", "prohibited", "refer"]


@dataclass(frozen=True, slots=True)
class Node:
    """One step of the reasoning. `layer` names who said the rule, lowest first: `eaeu + by`."""

    message: str
    facts: Mapping[str, str] = field(default_factory=dict)
    rule_id: str | None = None
    article: str = ""
    layer: str = ""
    children: tuple[Node, ...] = ()


def explain(assessment: PartyAssessment, pack: RulePack) -> Node:
    """The tree of a party's answer, made by `pack`: people, lines with norm and duty, and what each calls for.

    Raises ValueError when the answer comes from another pack.
    """
    if assessment.pack != pack.label:
        raise ValueError(f"the answer is of {assessment.pack}, not of {pack.label}")
    people = tuple(_person(person, pack) for person in assessment.persons.values())
    return Node("party", {"pack": assessment.pack, "people": str(len(people))}, children=people)


def outcome(person: PersonAssessment) -> Outcome:
    """The strongest thing that is said of a person."""
    if person.prohibited:
        return "prohibited"
    if person.must_declare:
        return "declare"
    return "refer" if person.unknown else "free"


def render(node: Node, words: Words | None = None, *, depth: int = 0) -> Iterator[str]:
    """The tree as lines, children indented by two spaces. Without `words` in English."""
    say = words or english
    basis = ", ".join(part for part in (node.rule_id or "", node.article, node.layer) if part)
    text = say(node.message, node.facts)
    yield f"{'  ' * depth}{text} [{basis}]" if basis else f"{'  ' * depth}{text}"
    for child in node.children:
        yield from render(child, words, depth=depth + 1)


def english(message: str, facts: Mapping[str, str]) -> str:
    """The built-in words. Raises KeyError for a message that the tree does not have."""
    return _ENGLISH[message].format_map(facts)


_ENGLISH = {
    "party": "{people} people by the law of {pack}",
    "person.free": "{person}: nothing to declare",
    "person.declare": "{person}: must declare",
    "person.prohibited": "{person}: carries what may not cross",
    "person.refer": "{person}: not known; an officer looks",
    "line.within": "{kind}: {declared} of {norm} {unit}, {left} left",
    "line.over": "{kind}: {declared} {unit}, {difference} over the norm of {norm}",
    "line.unknown": "{kind}: {declared} {unit} known, norm {norm}; not settled",
    "line.prohibited": "{kind}: {declared} {unit}, may not cross",
    "line.there": "{kind}: stated",
    "line.borrowed": "{borrowed} {unit} of the norm are unused by others of the household",
    "duty.known": "owed: {formula}",
    "duty.at_least": "owed, or more: {formula}",
    "duty.nothing": "nothing owed",
    "duty.assessed": "owed on {dutiable} {unit}; an officer assesses",
    "duty.unknown": "nobody can say yet what is owed",
    "duty.exchange": "converted at {exchange}",
    "hit": "{code}",
    "hit.category": "{code}: category {category} of the form",
    "hit.documents": "papers: {documents}",
    "total.known": "estimate: {duty} {currency}",
    "total.at_least": "estimate: at least {duty} {currency}",
}


def _person(person: PersonAssessment, pack: RulePack) -> Node:
    said = _rules_of(pack)
    by_line: dict[str, list[RuleHit]] = {}
    loose: list[RuleHit] = []
    kinds = {line.kind for line in person.lines}
    for hit in person.hits:
        subject = said.get(hit.rule_id or "", "")
        if subject in kinds:
            by_line.setdefault(subject, []).append(hit)
        else:
            loose.append(hit)
    lines = [_line(line, by_line.get(line.kind, []), pack) for line in person.lines]
    facts = {"duty": plain(person.duty_total), "currency": person.currency}
    total = Node("total.known" if person.duty_complete else "total.at_least", facts)
    children = (*(_hit(hit, pack) for hit in loose), *lines, total)
    return Node(f"person.{outcome(person)}", {"person": person.person_id}, children=children)


def _rules_of(pack: RulePack) -> dict[str, str]:
    return {rule.id: rule.subject for rule in pack.rules if rule.subject is not None}


def _line(line: Line, hits: list[RuleHit], pack: RulePack) -> Node:
    facts = {
        "kind": line.kind,
        "unit": line.unit,
        "declared": plain(line.declared),
        "norm": plain(line.norm),
        "left": plain(line.left),
        "difference": plain(line.difference),
    }
    message = f"line.{line.relation.value}"
    if not facts["declared"] and line.relation is not Relation.UNKNOWN:
        message = "line.there"
    children = [_hit(hit, pack) for hit in hits]
    if line.borrowed:
        children.append(Node("line.borrowed", {"borrowed": plain(line.borrowed), "unit": line.unit}))
    if line.relation is not Relation.WITHIN:
        children.append(_duty(line))
    if line.exchange:
        children.append(Node("duty.exchange", {"exchange": line.exchange}))
    article, layer = _basis(line.rule_id, pack)
    return Node(message, facts, line.rule_id, article, layer, tuple(children))


def _duty(line: Line) -> Node:
    facts = {
        "duty": plain(line.duty),
        "currency": line.currency,
        "formula": line.formula,
        "rate": line.rate,
        "dutiable": plain(line.dutiable),
        "unit": line.unit,
    }
    if line.duty is None:
        return Node("duty.assessed" if line.dutiable is not None else "duty.unknown", facts)
    if not line.formula:
        return Node("duty.nothing", facts)
    return Node("duty.known" if line.settled and line.exact else "duty.at_least", facts)


def _hit(hit: RuleHit, pack: RulePack) -> Node:
    facts = dict(hit.facts) | {"code": hit.code, "category": hit.category or "", "relation": hit.relation.value}
    article, layer = _basis(hit.rule_id, pack) if hit.rule_id else (hit.legal_basis, "")
    papers = (Node("hit.documents", {"documents": hit.documents}),) if hit.documents else ()
    return Node("hit.category" if hit.category else "hit", facts, hit.rule_id, article, layer, papers)


def _basis(rule_id: str, pack: RulePack) -> tuple[str, str]:
    """The legal basis of a rule, and the layers that said something of it."""
    explanation = pack.explain(rule_id)
    layers = dict.fromkeys(statement.layer for statement in explanation.statements)
    return explanation.rule.legal_basis, " + ".join(layers)
