"""Why the law says so: the evaluator's explanation of one line, in the few sentences that a traveller can use."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from declarations.evaluate import Line, PartyAssessment
from declarations.explain import Node, explain
from declarations.packs import RulePack
from kiosk.view import Basis, Message


def basis(
    kind: str, line: Line | None, assessment: PartyAssessment, person_id: str, pack: RulePack
) -> Basis | None:
    """Why what was stated of a kind calls for a person: by the rule of its line, or because the pack knows none.

    None where nothing calls for anybody.
    """
    if line is None:
        return Basis((Message("why.not_in_pack"),), pack.title) if _unknown(kind, assessment, person_id) else None
    people = {node.facts["person"]: node for node in explain(assessment, pack).children}
    node = next((one for one in people[person_id].children if one.facts.get("kind") == line.kind), None)
    if node is None or node.message == "line.within" or node.rule_id is None:
        return None
    rule = pack.explain(node.rule_id).rule
    papers = (paper.facts["documents"] for child in node.children for paper in child.children)
    return Basis(
        tuple(_sentences(node, at_least=rule.comparator == ">=")),
        rule.article,
        rule.source,
        tuple(dict.fromkeys(papers)),
    )


def _unknown(kind: str, assessment: PartyAssessment, person_id: str) -> bool:
    return any(
        hit.code == "RULES_UNKNOWN" and kind in hit.facts.get("kinds", kind).split(", ")
        for hit in assessment.persons[person_id].hits
    )


def _sentences(node: Node, *, at_least: bool) -> Iterator[Message]:
    yield _call(node, at_least)
    for child in node.children:
        if child.message in ("duty.known", "duty.at_least"):
            owed = Decimal(child.facts["duty"])
            formula = child.facts["formula"].partition(";")[0]
            yield Message("why.duty", {"formula": _isolated(formula)}) if owed else Message("why.larger")
        elif child.message == "duty.assessed":
            yield Message("why.assessed")
        elif child.message == "duty.exchange":
            yield Message("why.exchange", {"exchange": _isolated(child.facts["exchange"])})


def _isolated(words: str) -> str:
    """Figures and signs that keep their own direction within a sentence that runs from right to left."""
    return f"\u2066{words}\u2069"


def _call(node: Node, at_least: bool) -> Message:
    """What the line itself says: how much is free, or that an officer has to look."""
    declared, norm, unit = (node.facts[name] for name in ("declared", "norm", "unit"))
    ages = [child.facts["min_age"] for child in node.children if "min_age" in child.facts]
    free = {"amount": f"{Decimal(norm):,f}", "unit": unit} if norm and unit else {}
    if ages:
        return Message("why.underage", {"count": ages[0]})
    if node.message == "line.unknown":
        return Message("why.unknown")
    if any(child.facts.get("relation") == "prohibited" for child in node.children):
        return Message("why.prohibited")
    if not free or not Decimal(norm):
        return Message("why.any")
    if unit == "%":
        return Message("why.share", {"amount": declared, "unit": unit})
    return Message("why.free_below" if at_least else "why.free_up_to", free)
