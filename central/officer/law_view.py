"""What the law says of a person, in the reader's words: at a glance, line by line with its reasons, what changed.

Figures and sentences come from the evaluator's answer and its explanation; nothing is compared or worked out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from central.amendments import Version
from central.law_case import CaseLaw, Standing
from central.messages import Words
from central.officer.reasons import reason_title
from declarations.evaluate import Line, PartyAssessment, PersonAssessment, Relation, RuleHit
from declarations.explain import Node, explain
from declarations.packs import RulePack

_FIGURES = ("declared", "norm", "left", "difference", "borrowed", "dutiable")
_BAR = Decimal(100)  # units that a bar is drawn in
# A day, a figure, or a unit where the evaluator writes one.
_WRITTEN = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"|(?<![\w.-])(?P<figure>\d+(?:\.\d+)?)(?P<then>, (?=\d))?"
    r"|(?<=[ /])(?P<unit>l|kg|g|pcs)(?![\w.])"
)


@dataclass(frozen=True)
class Why:
    """One step of the reasoning and those below it. `basis` names rule, article and layer; `href` leads there."""

    text: str
    basis: str = ""
    href: str = ""
    children: tuple[Why, ...] = ()


@dataclass(frozen=True)
class NormBar:
    """How much of a norm is used, of a bar of 100: `used`, then `over` beyond the mark at `norm`.

    `open`: more may be there than is drawn.
    """

    used: str
    over: str
    norm: str
    open: bool


@dataclass(frozen=True)
class LawLine:
    name: str
    declared: str
    norm: str
    result: str
    rate: str
    duty: str
    formula: str
    matters: bool
    bar: NormBar | None
    why: Why


@dataclass(frozen=True)
class GlanceRow:
    """One question at a glance, and its answers; none of them is said to be nothing."""

    key: str
    icon: str
    label: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class ChangeRow:
    name: str
    declared: tuple[str, str]
    duty: tuple[str, str]


@dataclass(frozen=True)
class Changes:
    """What a correction changed: pairs are before and now."""

    title: str
    rows: tuple[ChangeRow, ...]
    total: tuple[str, str]
    says: tuple[str, ...]


@dataclass(frozen=True)
class PersonLaw:
    """`form` says which version the lines are of and who certified it, `notes` what else to know of it."""

    form: str
    notes: tuple[str, ...] = ()
    glance: tuple[GlanceRow, ...] = ()
    lines: tuple[LawLine, ...] = ()
    beside: tuple[Why, ...] = ()  # what calls for a person and is of no line
    total: str = ""
    total_note: str = ""
    changes: Changes | None = None


def person_law(law: CaseLaw, person_id: str, words: Words, *, rules: str = "") -> PersonLaw:
    """The whole of it for one person of a case. `rules` is the address of the law's version, for its readers."""
    answer = law.now.persons[person_id]
    standing = law.standings.get(person_id)
    if standing is None:
        return PersonLaw(form="")
    lines, beside = explained(law.now, person_id, law.pack, words, rules=rules)
    return PersonLaw(
        form=certified(standing.counts, words),
        notes=tuple(_notes(law, person_id, standing, words)),
        glance=glance(answer, words) if lines or answer.hits else (),
        lines=lines,
        beside=beside,
        total=total(answer, words) if lines else "",
        total_note=_total_note(law, answer, words),
        changes=_changes(law, person_id, standing, words),
    )


def certified(version: Version, words: Words) -> str:
    """Which version it is, who certified it and when."""
    moment = version.declaration.certified_at
    if moment is None:
        return words("case.not_certified")
    if version.witness is not None:
        return words(
            "case.certified_before", name=version.witness, time=words.moment(moment), version=version.number
        )
    return words("case.certified", time=words.clock(moment), version=version.number)


def total(answer: PersonAssessment, words: Words) -> str:
    """The estimate, said to be the least where more may be owed."""
    sum_ = f"{words.number(answer.duty_total, 2)} {answer.currency}"
    return sum_ if answer.duty_complete else words("case.at_least", amount=sum_)


def explained(
    answer: PartyAssessment, person_id: str, pack: RulePack, words: Words, *, rules: str = ""
) -> tuple[tuple[LawLine, ...], tuple[Why, ...]]:
    """One person's lines, each with its reasons, and the reasons that are of no line."""
    (tree,) = (
        node
        for node, said_of in zip(explain(answer, pack).children, answer.persons, strict=True)
        if said_of == person_id
    )
    nodes = [node for node in tree.children if node.message.startswith("line.")]
    lines = tuple(
        _line(line, node, words, rules) for line, node in zip(answer.persons[person_id].lines, nodes, strict=True)
    )
    beside = tuple(_why(node, words, rules) for node in tree.children if node.message.startswith("hit"))
    return lines, beside


def glance(answer: PersonAssessment, words: Words) -> tuple[GlanceRow, ...]:
    """What is free, what must be declared, what is owed, what is forbidden, which papers, what is unknown."""
    boxes = (
        f"{titles} ({words('glance.box', box=int(category))})"
        for category, codes in answer.categories.items()
        for titles in (", ".join(dict.fromkeys(reason_title(code, "rule", words) for code in codes)),)
    )
    unboxed = (
        hit
        for hit in answer.hits
        if hit.category is None and hit.relation not in (Relation.UNKNOWN, Relation.PROHIBITED)
    )
    owed = (
        f"{_name(line, words)}: {text}"
        for line in answer.lines
        if line.relation is not Relation.WITHIN
        for text in (written(line.formula, words) or _duty(line, words),)
        if text
    )
    within = (
        words("glance.left", name=_name(line, words), left=_figure(line.left, line.unit, words))
        for line in answer.entitlements
        if line.relation is Relation.WITHIN and line.declared and line.left is not None
    )
    documents = (f"{papers(hit.documents, words)} ({_title(hit, words)})" for hit in answer.documents)
    unknown = [_title(hit, words) for hit in answer.hits if hit.relation is Relation.UNKNOWN]
    unknown += [
        words("glance.least", name=_name(line, words))
        for line in answer.lines
        if not line.exact and line.relation is not Relation.UNKNOWN
    ]
    return (
        _row("declare", "file-text", (*boxes, *(_title(hit, words) for hit in unboxed)), words),
        _row("owed", "scale", tuple(owed), words),
        _row("forbidden", "ban", tuple(_title(hit, words) for hit in answer.prohibited), words),
        _row("papers", "badge-check", tuple(documents), words),
        _row("unknown", "circle-question-mark", tuple(unknown), words),
        _row("free", "check", tuple(within), words),
    )


def written(text: str, words: Words) -> str:
    """A formula or rate of the evaluator with its figures, days and units in the reader's form."""

    def inserted(found: re.Match[str]) -> str:
        if found["day"]:
            return words.calendar_day(date.fromisoformat(found["day"]))
        if found["unit"]:
            return words(f"unit.{found['unit']}")
        # A list of figures, where a comma may already be part of one.
        then = "; " if found["then"] else ""
        return words.number(Decimal(found["figure"]), len(found["figure"].partition(".")[2])) + then

    return _WRITTEN.sub(inserted, text)


def papers(text: str, words: Words) -> str:
    """The papers that a rule asks for; a pack's own text where there are no words for it."""
    return words.either(f"papers.{re.sub('[^a-z]+', '_', text.lower()).strip('_')}", text)


def sentence(message: str, facts: Mapping[str, str], words: Words) -> str:
    """One message of `declarations.explain` with its figures, in words."""
    unit = facts.get("unit", "")
    shown: dict[str, str] = {
        name: _figure(Decimal(facts[name]), unit, words) for name in _FIGURES if facts.get(name)
    }
    if message.startswith("hit") and message != "hit.documents":
        title = reason_title(facts["code"], "rule", words)
        if facts["relation"] == Relation.UNKNOWN.value:
            return words("why.hit.unknown", title=title)
        return words("why.hit.category", title=title, box=int(facts["category"])) if facts["category"] else title
    if message == "hit.documents":
        return words("why.papers", papers=papers(facts["documents"], words))
    if message.startswith("line."):
        known = "_".join(name for name in ("declared", "norm") if name in shown and facts[name] != "0")
        message_id = f"why.{message}.{known or 'neither'}"
        return words(message_id if words.has(message_id) else f"why.{message}", **{"left": "", **shown})
    if message == "duty.exchange":
        return words("why.exchange", exchange=_exchange(facts["exchange"], words))
    if message.startswith("total."):
        shown["duty"] = f"{words.number(Decimal(facts['duty']), 2)} {facts['currency']}"
    return words(f"why.{message}", **shown, formula=written(facts.get("formula", ""), words))


# -- a line -----------------------------------------------------------------------------------------------------


def _line(line: Line, node: Node, words: Words, rules: str) -> LawLine:
    declared = _figure(line.declared, line.unit, words)
    if line.declared == 0:
        declared = words("case.none_declared")
    if not line.exact:
        declared = words("case.at_least", amount=declared) if line.declared else words("case.amount_unknown")
    return LawLine(
        name=_name(line, words),
        declared=declared or words("case.stated"),
        norm=_figure(line.norm, line.unit, words),
        result=_result(line, words),
        rate=written(line.rate, words),
        duty=_duty(line, words),
        formula=written(line.formula, words),
        matters=line.relation is not Relation.WITHIN or not line.exact,
        bar=_bar(line),
        why=_line_why(line, node, words, rules),
    )


def _result(line: Line, words: Words) -> str:
    by = _figure(line.difference, line.unit, words) if line.declared else ""
    if not line.exact and line.relation is Relation.OVER and by:
        return words("relation.over_by", by=words("case.at_least", amount=by))
    if not line.exact and line.relation is Relation.WITHIN:
        return words("relation.within_known")
    if by and line.relation in (Relation.WITHIN, Relation.OVER):
        return words(f"relation.{line.relation.value}_by", by=by)
    return words(f"relation.{line.relation.value}")


def _duty(line: Line, words: Words) -> str:
    """What is owed on the line; the least of it where more may be, and words where nobody can say."""
    if line.duty is None:
        return words("case.duty_by_officer")
    more = not (line.exact and line.settled)
    if not line.duty:
        return ""
    sum_ = f"{words.number(line.duty, 2)} {line.currency}"
    return words("case.at_least", amount=sum_) if more else sum_


def _bar(line: Line) -> NormBar | None:
    if not line.norm or line.declared is None:
        return None
    unit = _BAR / max(line.norm, line.declared)
    used, over = min(line.norm, line.declared) * unit, max(line.declared - line.norm, Decimal(0)) * unit
    return NormBar(f"{used:.2f}", f"{over:.2f}", f"{line.norm * unit:.2f}", open=not line.exact)


def _line_why(line: Line, node: Node, words: Words, rules: str) -> Why:
    why = _why(node, words, rules)
    said = []
    if not line.exact:
        said.append(Why(words("why.least")))
    if line.open and line.exact:
        said.append(Why(words("why.open")))
    return Why(why.text, why.basis, why.href, (*said, *why.children))


def _why(node: Node, words: Words, rules: str, above: str | None = None) -> Why:
    """A node with its basis, which is left out where it is that of the node above."""
    layer = words("why.layer", layer=node.layer) if node.layer else ""
    said = node.rule_id is not None and node.rule_id == above
    basis = "" if said else " · ".join(filter(None, (node.rule_id, node.article, layer)))
    return Why(
        text=sentence(node.message, node.facts, words),
        basis=basis,
        href=f"{rules}/rules/{node.rule_id}" if rules and basis and node.rule_id else "",
        children=tuple(_why(child, words, rules, node.rule_id) for child in node.children),
    )


# -- versions ---------------------------------------------------------------------------------------------------


def _notes(law: CaseLaw, person_id: str, standing: Standing, words: Words) -> Iterable[str]:
    if standing.broken:
        yield words("case.broken")
    if standing.waiting is not None:
        duty = total(law.if_signed[person_id], words)
        yield words("case.waits", version=standing.waiting.number, duty=duty)


def _changes(law: CaseLaw, person_id: str, standing: Standing, words: Words) -> Changes | None:
    """None where the answer is of the version that the decision was made on."""
    before, now = law.decided.persons[person_id], law.now.persons[person_id]
    if before == now and not standing.corrected:
        return None
    first, counts = standing.versions[0].number, standing.counts.number
    rows = tuple(
        ChangeRow(
            words.either(f"kind.{kind}", kind.replace("_", " ")),
            (_declared(one, words), _declared(other, words)),
            (_owed(one, words), _owed(other, words)),
        )
        for kind, one, other in _paired(before.lines, now.lines)
        if _stands(one) != _stands(other)
    )
    gone = _titles(before.hits, now.hits, words)
    come = _titles(now.hits, before.hits, words)
    says = [words("change.gone", titles=gone)] if gone else []
    says += [words("change.come", titles=come)] if come else []
    if not rows and not says:
        says.append(words("change.nothing"))
    return Changes(
        title=words("change.title", before=first, now=counts)
        if standing.corrected
        else words("change.by_another"),
        rows=rows,
        total=(total(before, words), total(now, words)),
        says=(*says, words("change.decision", number=first)),
    )


def _paired(before: Iterable[Line], now: Iterable[Line]) -> Iterator[tuple[str, Line | None, Line | None]]:
    """The lines of two answers side by side, by what they are about."""
    old, new = {line.kind: line for line in before}, {line.kind: line for line in now}
    for kind in dict.fromkeys((*old, *new)):
        yield kind, old.get(kind), new.get(kind)


def _stands(line: Line | None) -> object:
    return None if line is None else (line.declared, line.exact, line.relation, line.duty, line.settled)


def _declared(line: Line | None, words: Words) -> str:
    if line is None or line.declared == 0:
        return words("case.none_declared")
    shown = _figure(line.declared, line.unit, words)
    if not line.exact:
        return words("case.at_least", amount=shown) if shown else words("case.amount_unknown")
    return shown or words("case.stated")


def _owed(line: Line | None, words: Words) -> str:
    return _duty(line, words) if line is not None else ""


def _titles(some: Iterable[RuleHit], others: Iterable[RuleHit], words: Words) -> str:
    """The titles of reasons that are among `some` and not among `others`."""
    known = {hit.code for hit in others}
    return "; ".join(dict.fromkeys(_title(hit, words) for hit in some if hit.code not in known))


# -- small ------------------------------------------------------------------------------------------------------


def _total_note(law: CaseLaw, answer: PersonAssessment, words: Words) -> str:
    """What the sum is: an estimate, by which law of which day, and the rates it was made with."""
    exchanges = dict.fromkeys(_exchange(line.exchange, words) for line in answer.lines if line.exchange)
    note = words("case.estimate" if answer.duty_complete else "case.estimate_at_least")
    law_of = words("case.law", pack=law.pack.label, day=words.calendar_day(law.on))
    return "; ".join([note, law_of, *exchanges])


def _exchange(text: str, words: Words) -> str:
    """`1 EUR = 3.4 BYN (2026-11-21, bank)`; the name of the source stays as it is."""
    pairs, _, source = text.partition(" (")
    day, _, name = source.removesuffix(")").partition(", ")
    name = words("rates.demonstration") if name == "demonstration" else name
    return f"{written(pairs, words)} ({written(day, words)}, {name})"


def _row(key: str, icon: str, answers: tuple[str, ...], words: Words) -> GlanceRow:
    return GlanceRow(key, icon, words(f"glance.{key}"), tuple(dict.fromkeys(answers)))


def _title(hit: RuleHit, words: Words) -> str:
    return reason_title(hit.code, "rule", words)


def _name(line: Line, words: Words) -> str:
    return words.either(f"kind.{line.kind}", line.kind.replace("_", " "))


def _figure(value: Decimal | None, unit: str, words: Words) -> str:
    if value is None:
        return ""
    places = 0 if unit in ("pcs", "g") else 2
    return f"{words.number(value, places)} {words.either(f'unit.{unit}', unit)}".strip()
