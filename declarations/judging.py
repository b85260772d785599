"""One figure of one person held against all rules of its subject: the line, and what calls for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from contracts.declaration import GoodsKind
from declarations.answer import Line, Relation, RuleHit
from declarations.duty import NOBODY_CAN_SAY, NOTHING, Owed, owed
from declarations.figures import CENT, ONE, ZERO, Figure, Meter, Sheet
from declarations.money import Rates
from declarations.packs import Effect, Rule, RulePack, plain
from declarations.person import PersonFacts, holds


@dataclass(frozen=True, slots=True)
class Lent:
    """What others of the household lend: of the norm, and of the width of each band, in the unit of the norm."""

    norm: Fraction = Fraction(0)
    bands: Mapping[int, Fraction] = field(default_factory=dict)


NOTHING_LENT = Lent()


@dataclass(frozen=True, slots=True)
class Subject:
    """The rules that judge one figure, in the order of the pack, and how the figure is measured."""

    name: str
    rules: tuple[Rule, ...]
    meter: Meter
    shown: bool
    conditional: bool  # which of its rules hold depends on the person
    pooled: bool

    @staticmethod
    def of(name: str, rules: tuple[Rule, ...], elsewhere: frozenset[GoodsKind] = frozenset()) -> Subject:
        bands = [band for rule in rules if rule.excess is not None for band in rule.excess.bands]
        return Subject(
            name=name,
            rules=rules,
            meter=Meter.of(rules[0], elsewhere),
            shown=any(rule.shown for rule in rules),
            conditional=any(rule.conditions is not None for rule in rules),
            pooled=any(rule.pool != "none" for rule in rules) or any(band.pool != "none" for band in bands),
        )


def entitled(subject: Subject, person: PersonFacts) -> bool:
    """Whether a person is known to be of the age that the norms of a subject ask for."""
    limits = [rule.min_age for rule in subject.rules if rule.min_age is not None]
    return not limits or (person.known_age is not None and person.known_age >= max(limits))


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known about a figure before anything is concluded."""

    subject: Subject
    rules: tuple[Rule, ...]  # those that hold for this person, or may
    figure: Figure
    exceeded: tuple[Rule, ...]
    undecided: tuple[Rule, ...]  # exceeded, and nobody here can tell what follows
    open: tuple[Rule, ...]  # nobody knows whether they are exceeded
    waiting: tuple[Rule, ...]  # nobody knows whether they hold
    aged: Rule | None  # below its age there is no norm
    underage: bool
    age_unknown: bool
    lent: Lent


def judge(
    subject: Subject,
    pack: RulePack,
    person: PersonFacts,
    sheet: Sheet,
    rates: Rates | None,
    on: date,
    lent: Lent = NOTHING_LENT,
) -> tuple[Line | None, list[RuleHit]]:
    """The line of one subject, None for what is absent or merely free of documents, and its hits.

    Call it within `money.EXACT`.
    """
    figure = subject.meter.reading(sheet, rates, on)
    if not figure.present and figure.complete and not subject.shown:
        return None, []
    case = _case(subject, person, figure, lent)
    relation, causes = _conclusion(case)
    if relation is Relation.WITHIN and subject.rules[0].effect is Effect.DOCUMENTS:
        return None, []
    deciding = causes[0][0] if causes else (case.rules or subject.rules)[0]
    due = _due(case, relation, sheet)
    line = _line(pack, case, deciding, relation, due)
    if not causes:
        return line, []
    facts = _facts(line, case.aged if case.underage else None)
    by_code: dict[str, Rule] = {}  # the first rule that says so stands for the code
    for rule, code in causes:
        by_code.setdefault(code, rule)
    return line, [hit(pack, rule, code, _relation_of(code, relation), facts) for code, rule in by_code.items()]


def hit(
    pack: RulePack, rule: Rule | None, code: str, relation: Relation, facts: dict[str, str] | None = None
) -> RuleHit:
    """A reason with the basis of its rule, or of the pack where no rule says it."""
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


def _case(subject: Subject, person: PersonFacts, figure: Figure, lent: Lent) -> _Case:
    rules, exceeded, open_, waiting = [], [], [], []
    for rule in subject.rules:
        applies = holds(rule.conditions, person) if subject.conditional else True
        if applies is False:
            continue
        rules.append(rule)
        exceeds = _exceeds(rule, figure, lent)
        if applies is None:
            waiting.append(rule)
            exceeds = None if exceeds else exceeds
        if exceeds is None:
            open_.append(rule)
        elif exceeds:
            exceeded.append(rule)
    age = person.known_age
    aged = max((rule for rule in rules if rule.min_age is not None), key=_min_age, default=None)
    counts = aged is not None and figure.positive
    return _Case(
        subject=subject,
        rules=tuple(rules),
        figure=figure,
        exceeded=tuple(exceeded),
        undecided=tuple(rule for rule in exceeded if rule.effect is Effect.UNDECIDED),
        open=tuple(open_),
        waiting=tuple(waiting),
        aged=aged,
        underage=counts and age is not None and aged is not None and age < _min_age(aged),
        age_unknown=counts and age is None,
        lent=lent,
    )


def _min_age(rule: Rule) -> int:
    return rule.min_age or 0


def _exceeds(rule: Rule, figure: Figure, lent: Lent) -> bool | None:
    """Whether the figure passes the rule's limit; None when that is not known."""
    if rule.comparator == "any" or rule.amount is None:
        answer = figure.positive
    elif rule.comparator == ">=":
        answer = figure.positive and figure.scaled >= rule.amount * figure.scale
    elif rule.amount == 0:
        answer = figure.positive
    elif lent.norm and rule.effect in (Effect.FREE, Effect.DECLARE):
        limit = (Fraction(rule.amount) + lent.norm) * Fraction(figure.scale)
        answer = Fraction(figure.scaled) > limit
    else:
        answer = figure.scaled > rule.amount * figure.scale
    return answer or (False if figure.complete else None)


def _conclusion(case: _Case) -> tuple[Relation, list[tuple[Rule, str]]]:
    """How the figure stands, and the rules that say so with their reason codes; the first one decides."""
    decided = [rule for rule in case.exceeded if rule.effect is not Effect.UNDECIDED]
    prohibiting = [rule for rule in decided if rule.effect is Effect.PROHIBIT]
    causes: list[tuple[Rule, str]] = []
    if prohibiting:
        relation = Relation.PROHIBITED
        causes = [(rule, rule.code) for rule in prohibiting if rule.code]
    elif decided:
        relation = Relation.OVER
        causes = [(rule, rule.code) for rule in decided if rule.code and not case.underage]
    elif doubtful := _doubtful(case):
        relation = Relation.UNKNOWN
        causes = [] if case.underage else [(doubtful, _unknown_code(case, doubtful))]
    else:
        relation = Relation.WITHIN
    if case.underage and case.aged is not None:
        relation = Relation.PROHIBITED if prohibiting else Relation.OVER
        code = case.aged.underage_code or f"UNDERAGE_{case.subject.name}".upper()
        causes.insert(0, (case.aged, code))
    return relation, causes


def _doubtful(case: _Case) -> Rule | None:
    """The rule that leaves the answer open, when nothing certain is over."""
    if case.undecided:
        return case.undecided[0]
    if case.open:
        return case.open[0]
    if case.age_unknown:
        return case.aged
    if not case.rules and (case.figure.positive or not case.figure.complete):
        return case.subject.rules[0]  # the law of this subject is about other people
    return None


def _unknown_code(case: _Case, rule: Rule) -> str:
    if rule.effect is Effect.UNDECIDED and rule.code:
        return rule.code
    return f"{case.subject.name}_UNKNOWN".upper()


def _relation_of(code: str, relation: Relation) -> Relation:
    return Relation.OVER if code.startswith("UNDERAGE_") else relation


def _norm(case: _Case, deciding: Rule, relation: Relation) -> Decimal | None:
    """The norm in the unit of the rules: the least amount of a rule that says what follows."""
    if case.underage:
        return ZERO
    if relation is Relation.UNKNOWN and deciding.effect is Effect.UNDECIDED and deciding.amount is not None:
        return deciding.amount
    settled = [r.amount for r in case.rules if r.amount is not None and r.effect is not Effect.UNDECIDED]
    return min(settled or [r.amount for r in case.rules if r.amount is not None], default=None)


def _line(pack: RulePack, case: _Case, deciding: Rule, relation: Relation, due: Owed) -> Line:
    figure = case.figure
    amount = _norm(case, deciding, relation)
    norm = figure.norm(amount) if amount is not None else None
    borrowed = None
    if case.lent.norm and norm is not None:
        borrowed = figure.norm(_decimal(case.lent.norm))
        norm += borrowed
    known = figure.counted and (figure.complete or bool(figure.scaled))
    declared = figure.shown if known else None
    sure = not case.undecided and not case.open and not case.age_unknown and relation is not Relation.UNKNOWN
    sure = sure and not figure.vague
    return Line(
        kind=case.subject.name,
        item_kinds=(*deciding.kinds, *deciding.also),
        declared=_tidy(declared),
        exact=figure.complete,
        norm=_tidy(norm),
        unit=figure.unit,
        relation=relation,
        difference=_tidy(abs(declared - norm)) if declared is not None and norm is not None else None,
        duty=due.amount,
        currency=pack.duty_currency,
        rate=due.rate,
        formula=due.formula,
        exchange=figure.exchange,
        rule_id=deciding.id,
        dutiable=_tidy(due.part),
        settled=sure and due.settled,
        borrowed=_tidy(borrowed),
    )


def _due(case: _Case, relation: Relation, sheet: Sheet) -> Owed:
    """What the line owes. Nothing when within; nobody can say when unknown, forbidden or an officer assesses."""
    levied = [rule for rule in case.rules if rule.excess is not None]
    if not levied or relation is Relation.WITHIN:
        return Owed(None, settled=False) if relation is Relation.PROHIBITED else NOTHING
    if relation in (Relation.UNKNOWN, Relation.PROHIBITED) or case.underage or case.age_unknown:
        return NOBODY_CAN_SAY
    charged = [rule for rule in levied if rule in case.exceeded]
    if len(charged) != 1 or any(rule in case.waiting and rule in case.open for rule in levied):
        return NOBODY_CAN_SAY
    (rule,) = charged
    if rule.excess is None:
        return NOBODY_CAN_SAY
    worths = _worths(case, sheet) if rule.excess.model == "indivisible" else ()
    lent = {place: _decimal(width) for place, width in case.lent.bands.items()}
    norm = (rule.amount or ZERO) + _decimal(case.lent.norm)
    return owed(rule.excess, norm, case.figure, worths, lent)


def _worths(case: _Case, sheet: Sheet) -> Sequence[Decimal]:
    """The values of the items, scaled as the figure is."""
    sums, _ = case.subject.meter.worths(sheet)
    weights = case.figure.weights or {case.subject.meter.currency: ONE}
    return [amount * weights[currency] for amount, currency in sums if currency in weights]


def _facts(line: Line, aged: Rule | None) -> dict[str, str]:
    facts = {}
    if line.declared is not None:
        facts["declared"] = plain(line.declared)
    if line.difference is not None and line.relation in (Relation.OVER, Relation.PROHIBITED):
        facts["difference"] = plain(line.difference)
    if aged is not None:
        facts["min_age"] = str(aged.min_age)
    if line.norm is not None:
        facts["norm"] = plain(line.norm)
    if line.unit:
        facts["unit"] = line.unit
    return facts


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _tidy(number: Decimal | None) -> Decimal | None:
    """The same number without exponent or trailing zeros; a quotient without end is shown to the cent."""
    if number is None:
        return None
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -6:
        number = number.quantize(CENT, ROUND_CEILING)
    return Decimal(plain(number))
