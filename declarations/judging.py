"""One figure of one person held against all rules of its subject: the line, and what calls for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import NamedTuple

from contracts.declaration import GoodsKind
from declarations.answer import Line, Relation, RuleHit
from declarations.duty import NOBODY_CAN_SAY, NOTHING, Owed, owed
from declarations.figures import CENT, ZERO, Figure, Meter, Sheet
from declarations.money import Rates
from declarations.packs import Effect, Rule, RulePack, plain
from declarations.person import PersonFacts, holds


@dataclass(frozen=True, slots=True)
class Lent:
    """What others of the household lend: of the norm, and of the width of each band, in the unit of the norm."""

    norm: Fraction = Fraction(0)
    bands: Mapping[int, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """The rules that judge one figure, in the order of the pack, and how the figure is measured."""

    name: str
    rules: tuple[Rule, ...]
    meter: Meter
    shown: bool
    conditional: bool  # which of its rules hold depends on the person
    pooled: bool
    ages: bool  # some norm is for people of an age

    @staticmethod
    def of(name: str, rules: tuple[Rule, ...], elsewhere: frozenset[GoodsKind] = frozenset()) -> Subject:
        """`elsewhere` are the kinds that another subject counts."""
        bands = [band for rule in rules if rule.excess is not None for band in rule.excess.bands]
        return Subject(
            name=name,
            rules=rules,
            meter=Meter.of(rules[0], elsewhere),
            shown=any(rule.shown for rule in rules),
            conditional=any(rule.conditions is not None for rule in rules),
            pooled=any(rule.pool != "none" for rule in rules) or any(band.pool != "none" for band in bands),
            ages=any(rule.min_age is not None for rule in rules),
        )


def entitled(rules: Sequence[Rule], person: PersonFacts) -> bool | None:
    """Whether a person is of the age that norms ask for; None when the age is not known."""
    aged = _aged(rules)
    if aged is None:
        return True
    return None if person.known_age is None else person.known_age >= (aged.min_age or 0)


def _aged(rules: Sequence[Rule]) -> Rule | None:
    """The rule that asks for the highest age; below it there is no norm."""
    found = None
    for rule in rules:
        if rule.min_age is not None and (found is None or rule.min_age > (found.min_age or 0)):
            found = rule
    return found


class _Case(NamedTuple):
    """What is known about a figure before anything is concluded."""

    subject: Subject
    rules: Sequence[Rule]  # those that hold for this person, or may
    figure: Figure
    exceeded: Sequence[Rule]
    open: Sequence[Rule]  # nobody knows whether they are exceeded
    waiting: Sequence[Rule]  # nobody knows whether they hold
    entitled: bool | None  # by age; as good as yes where there is nothing to be entitled to
    lent: Lent | None

    @property
    def undecided(self) -> list[Rule]:
        """What is exceeded, and nobody here can tell what follows."""
        return [rule for rule in self.exceeded if rule.effect is Effect.UNDECIDED]


def judge(
    subject: Subject,
    pack: RulePack,
    person: PersonFacts,
    sheet: Sheet,
    rates: Rates | None,
    on: date,
    lent: Lent | None = None,
) -> tuple[Line | None, list[RuleHit]]:
    """The line of one subject, None for what is absent or merely free of documents, and its hits.

    Call it within `money.EXACT`.
    """
    figure = subject.meter.reading(sheet, rates, on)
    if not figure.present and figure.complete and not subject.shown:
        return None, []
    case = _case(subject, person, figure, lent)
    if subject.conditional and case.rules and all(rule.effect is Effect.ELSEWHERE for rule in case.rules):
        return None, []
    relation, causes = _conclusion(case)
    if relation is Relation.WITHIN and subject.rules[0].effect is Effect.DOCUMENTS:
        return None, []
    deciding = causes[0][0] if causes else (case.rules or subject.rules)[0]
    exchange = rates.words(figure.weights or (), on) if figure.converted and rates is not None else ""
    line = _line(pack, case, deciding, relation, _due(case, relation, sheet), exchange)
    if not causes:
        return line, []
    facts = _facts(line)
    if case.entitled is False:
        facts["min_age"] = str(deciding.min_age)
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


def _case(subject: Subject, person: PersonFacts, figure: Figure, lent: Lent | None) -> _Case:
    rules: Sequence[Rule] = subject.rules
    waiting: list[Rule] = []
    if subject.conditional:
        answers = [(rule, holds(rule.conditions, person)) for rule in subject.rules]
        rules = [rule for rule, answer in answers if answer is not False]
        waiting = [rule for rule, answer in answers if answer is None]
    exceeded, open_ = [], []
    for rule in rules:
        exceeds = _exceeds(rule, figure, lent)
        if exceeds is None or (exceeds and rule in waiting):
            open_.append(rule)
        elif exceeds:
            exceeded.append(rule)
    may = entitled(rules, person) if figure.positive and subject.ages else True
    return _Case(subject, rules, figure, exceeded, open_, waiting, may, lent)


def _exceeds(rule: Rule, figure: Figure, lent: Lent | None) -> bool | None:
    """Whether the figure passes the rule's limit; None when that is not known."""
    if rule.effect is Effect.ELSEWHERE:
        return False
    if not figure.positive:
        answer = False
    elif rule.amount is None or (rule.comparator == ">" and rule.amount == 0):
        answer = True
    elif rule.comparator == ">=":
        answer = figure.scaled >= rule.amount * figure.scale
    elif lent is not None and rule.effect in (Effect.FREE, Effect.DECLARE):
        answer = Fraction(figure.scaled) > (Fraction(rule.amount) + lent.norm) * Fraction(figure.scale)
    else:
        answer = figure.scaled > rule.amount * figure.scale
    return answer or (False if figure.complete else None)


def _conclusion(case: _Case) -> tuple[Relation, list[tuple[Rule, str]]]:
    """How the figure stands, and the rules that say so with their reason codes; the first one decides."""
    decided = [rule for rule in case.exceeded if rule.effect is not Effect.UNDECIDED]
    prohibiting = [rule for rule in decided if rule.effect is Effect.PROHIBIT]
    causes: list[tuple[Rule, str]] = []
    if case.entitled is False and (aged := _aged(case.rules)) is not None:
        code = aged.underage_code or f"UNDERAGE_{case.subject.name}".upper()
        prohibited = [(rule, rule.code) for rule in prohibiting if rule.code]
        return Relation.PROHIBITED if prohibiting else Relation.OVER, [(aged, code), *prohibited]
    if prohibiting:
        return Relation.PROHIBITED, [(rule, rule.code) for rule in prohibiting if rule.code]
    if decided:
        return Relation.OVER, [(rule, rule.code) for rule in decided if rule.code]
    doubtful = _doubtful(case)
    if doubtful is not None:
        causes = [(doubtful, _unknown_code(case, doubtful))]
    return Relation.UNKNOWN if causes else Relation.WITHIN, causes


def _doubtful(case: _Case) -> Rule | None:
    """The rule that leaves the answer open, when nothing certain is over."""
    for rules in (case.undecided, case.open):
        if rules:
            return rules[0]
    if case.entitled is None:
        return _aged(case.rules)
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
    """The norm in the unit of the rules: the least amount of a rule that holds surely and says what follows."""
    if case.entitled is False:
        return ZERO
    if relation is Relation.UNKNOWN and deciding.effect is Effect.UNDECIDED and deciding.amount is not None:
        return deciding.amount
    said = [rule for rule in case.rules if rule.amount is not None and rule.effect is not Effect.UNDECIDED]
    certain = [rule for rule in said if rule not in case.waiting] if case.waiting else said
    amounts = [rule.amount for rule in certain or said or case.rules if rule.amount is not None]
    return min(amounts, default=None)


def _line(pack: RulePack, case: _Case, deciding: Rule, relation: Relation, due: Owed, exchange: str) -> Line:
    figure = case.figure
    amount = _norm(case, deciding, relation)
    norm = figure.norm(amount) if amount is not None else None
    borrowed = None
    if case.lent is not None and norm is not None:
        borrowed = _shown(figure.norm(_decimal(case.lent.norm)))
        norm += borrowed
    known = figure.counted and (figure.complete or bool(figure.scaled))
    declared = figure.shown if known else None
    unsure = bool(case.open or case.undecided) or case.entitled is None or figure.vague
    unsure = unsure or relation is Relation.UNKNOWN
    return Line(
        kind=case.subject.name,
        item_kinds=(*deciding.kinds, *deciding.also),
        declared=declared,
        exact=figure.complete,
        norm=norm,
        unit=figure.unit,
        relation=relation,
        difference=abs(declared - norm) if declared is not None and norm is not None else None,
        duty=due.amount,
        currency=pack.duty_currency,
        rate=due.rate,
        formula=due.formula,
        exchange=exchange,
        rule_id=deciding.id,
        dutiable=due.part,
        open=unsure,
        settled=due.settled and not unsure,
        borrowed=borrowed,
    )


def _due(case: _Case, relation: Relation, sheet: Sheet) -> Owed:
    """What the line owes. Nothing when within; nobody can say when unknown, forbidden or an officer assesses."""
    if relation is Relation.WITHIN:
        return NOTHING
    levied = [rule for rule in case.rules or case.subject.rules if rule.excess is not None]
    if not levied:
        return NOBODY_CAN_SAY if relation is Relation.PROHIBITED else NOTHING
    if relation is not Relation.OVER or not case.entitled:
        return NOBODY_CAN_SAY
    charged = [rule for rule in levied if rule in case.exceeded]
    if len(charged) != 1 or any(rule in case.waiting and rule in case.open for rule in levied):
        return NOBODY_CAN_SAY
    (rule,) = charged
    if rule.excess is None:
        return NOBODY_CAN_SAY
    norm, bands = rule.amount or ZERO, {}
    if case.lent is not None:
        norm += _decimal(case.lent.norm)
        bands = {place: _decimal(width) for place, width in case.lent.bands.items()}
    worths = _worths(case, sheet) if rule.excess.model == "indivisible" else ()
    return owed(rule.excess, norm, case.figure, worths, bands)


def _worths(case: _Case, sheet: Sheet) -> Sequence[Decimal]:
    """The values of the items, scaled as the figure is."""
    weights = case.figure.weights or {}
    return [
        item.value * weights[item.currency]
        for item in case.subject.meter.items(sheet)
        if item.value is not None and item.currency is not None and item.currency in weights
    ]


def _facts(line: Line) -> dict[str, str]:
    facts = {}
    if line.declared is not None:
        facts["declared"] = plain(line.declared)
    if line.difference is not None and line.relation in (Relation.OVER, Relation.PROHIBITED):
        facts["difference"] = plain(line.difference)
    if line.norm is not None:
        facts["norm"] = plain(line.norm)
    if line.unit:
        facts["unit"] = line.unit
    return facts


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _shown(number: Decimal) -> Decimal:
    """A quotient without end, to the cent."""
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and exponent >= -3 else number.quantize(CENT, ROUND_CEILING)
