"""One figure of one person held against all rules of its subject: the line, and what calls for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from contracts.declaration import GoodsKind
from declarations.answer import Line, Owed, Relation, RuleHit
from declarations.duty import NOBODY_CAN_SAY, NOTHING, owed
from declarations.figures import CENT, ZERO, Figure, Meter, Sheet
from declarations.money import Conversion, Rates
from declarations.packs import Effect, Rule, RulePack, plain
from declarations.person import PersonFacts, holds

# Bound once: every look into an enumeration costs as much as a comparison of figures.
_WITHIN, _OVER = Relation.WITHIN, Relation.OVER
_UNKNOWN, _PROHIBITED = Relation.UNKNOWN, Relation.PROHIBITED
_UNDECIDED, _PROHIBIT, _ELSEWHERE = Effect.UNDECIDED, Effect.PROHIBIT, Effect.ELSEWHERE
_LENDING = (Effect.FREE, Effect.DECLARE)


@dataclass(frozen=True, slots=True)
class Lent:
    """What others of the household lend: of the norm, and of the width of each band, in the unit of the norm."""

    norm: Fraction = Fraction(0)
    bands: Mapping[int, Fraction] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Clause:
    """A rule as figures meet it: read once from the pack, for all the figures of a law."""

    rule: Rule
    effect: Effect
    amount: Decimal | None
    limit: Decimal  # the amount; 0 where there is none
    at_once: bool  # whatever there is passes it
    reached: bool  # the limit itself is too much

    @staticmethod
    def of(rule: Rule) -> Clause:
        amount, comparator = rule.amount, rule.comparator
        at_once = amount is None or (comparator == ">" and amount == 0)
        return Clause(rule, rule.effect, amount, amount or ZERO, at_once, comparator == ">=")

    def passed_by(self, figure: Figure, lent: Lent | None) -> bool:
        """Whether what is known of a figure passes the limit, whatever else there is."""
        if not figure.positive or self.effect is _ELSEWHERE:
            return False
        if self.at_once:
            return True
        if self.reached:
            return figure.scaled >= self.limit * figure.scale
        if lent is not None and self.effect in _LENDING:
            return Fraction(figure.scaled) > (Fraction(self.limit) + lent.norm) * Fraction(figure.scale)
        return figure.scaled > self.limit * figure.scale


@dataclass(slots=True, eq=False)
class Provisions:
    """The clauses of a subject that hold for somebody, in the order of the pack, and what they say together."""

    clauses: Sequence[Clause]
    waiting: Sequence[Clause]  # of these nobody knows whether they hold
    norm: Decimal | None  # the least amount of a rule that holds surely and says what follows
    aged: Rule | None  # the one that asks for the highest age; below it there is no norm
    levied: Sequence[Clause]
    elsewhere: bool  # other subjects judge this

    @staticmethod
    def of(clauses: Sequence[Clause], waiting: Sequence[Clause] = ()) -> Provisions:
        normed = [clause for clause in clauses if clause.amount is not None]
        said = [clause for clause in normed if clause.effect is not _UNDECIDED]
        certain = [clause for clause in said if clause not in waiting]
        norms = [clause.amount for clause in certain or said or normed if clause.amount is not None]
        aged = None
        for clause in clauses:
            age = clause.rule.min_age
            if age is not None and (aged is None or age > (aged.min_age or 0)):
                aged = clause.rule
        levied = [clause for clause in clauses if clause.rule.excess is not None]
        elsewhere = bool(clauses) and all(clause.effect is _ELSEWHERE for clause in clauses)
        return Provisions(clauses, waiting, min(norms, default=None), aged, levied, elsewhere)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The rules that judge one figure, in the order of the pack, and how the figure is measured."""

    name: str
    whole: Provisions  # all of them
    meter: Meter
    shown: bool
    papers: bool  # within its limits there is nothing to tell
    conditional: bool  # which of its rules hold depends on the person
    pooled: bool

    @staticmethod
    def of(name: str, rules: Sequence[Rule], elsewhere: frozenset[GoodsKind] = frozenset()) -> Subject:
        """`elsewhere` are the kinds that another subject counts."""
        bands = [band for rule in rules if rule.excess is not None for band in rule.excess.bands]
        return Subject(
            name=name,
            whole=Provisions.of([Clause.of(rule) for rule in rules]),
            meter=Meter.of(rules[0], elsewhere),
            shown=any(rule.shown for rule in rules),
            papers=rules[0].effect is Effect.DOCUMENTS,
            conditional=any(rule.conditions is not None for rule in rules),
            pooled=any(rule.pool != "none" for rule in rules) or any(band.pool != "none" for band in bands),
        )

    def holding(self, person: PersonFacts) -> Provisions:
        """What holds for a person, or may."""
        if not self.conditional:
            return self.whole
        answers = [(clause, holds(clause.rule.conditions, person)) for clause in self.whole.clauses]
        held = [clause for clause, answer in answers if answer is not False]
        return Provisions.of(held, [clause for clause, answer in answers if answer is None])


def entitled(aged: Rule | None, person: PersonFacts) -> bool | None:
    """Whether a person is of the age that norms ask for; None when the age is not known."""
    if aged is None:
        return True
    return None if person.known_age is None else person.known_age >= (aged.min_age or 0)


@dataclass(slots=True)
class _Case:
    """What is known about a figure before anything is concluded."""

    subject: Subject
    held: Provisions  # for this person
    figure: Figure
    passed: Sequence[Clause]  # and what follows is said
    undecided: Sequence[Clause]  # passed, and nobody here can tell what follows
    open: Sequence[Clause]  # nobody knows whether they are passed
    entitled: bool | None  # by age; as good as yes where there is nothing to be entitled to
    lent: Lent | None


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
    if case.held.elsewhere:
        return None, []
    relation, causes = _conclusion(case)
    if relation is _WITHIN and subject.papers:
        return None, []
    deciding = causes[0][0] if causes else (case.held.clauses or subject.whole.clauses)[0].rule
    conversion = None
    if figure.terms.rounded and figure.weights is not None and rates is not None:
        conversion = Conversion(rates, tuple(figure.weights), on)
    line = _line(case, deciding, relation, _due(case, relation, sheet), pack.duty_currency, conversion)
    return line, _hits(pack, case, causes, line) if causes else []


def hit(
    pack: RulePack, rule: Rule | None, code: str, relation: Relation, facts: Mapping[str, str] | None = None
) -> RuleHit:
    """A reason with the basis of its rule, or of the pack where no rule says it."""
    if rule is None:
        return RuleHit(code, relation, None, pack.version, pack.title, facts=facts or {})
    category = rule.category.value if rule.category else None
    return RuleHit(code, relation, rule.id, pack.version, rule.legal_basis, category, rule.documents, facts or {})


def _case(subject: Subject, person: PersonFacts, figure: Figure, lent: Lent | None) -> _Case:
    held = subject.holding(person)
    passed: list[Clause] = []
    undecided: list[Clause] = []
    open_: list[Clause] = []
    for clause in held.clauses:
        if clause.passed_by(figure, lent):
            if clause in held.waiting:
                open_.append(clause)
            elif clause.effect is _UNDECIDED:
                undecided.append(clause)
            else:
                passed.append(clause)
        elif not figure.complete and clause.effect is not _ELSEWHERE:
            open_.append(clause)
    may = entitled(held.aged, person) if figure.positive else True
    return _Case(subject, held, figure, passed, undecided, open_, may, lent)


def _conclusion(case: _Case) -> tuple[Relation, list[tuple[Rule, str]]]:
    """How the figure stands, and the rules that say so with their reason codes; the first one decides."""
    prohibiting = [clause for clause in case.passed if clause.effect is _PROHIBIT]
    if case.entitled is False and (aged := case.held.aged) is not None:
        code = aged.underage_code or f"UNDERAGE_{case.subject.name}".upper()
        return _PROHIBITED if prohibiting else _OVER, [(aged, code), *_coded(prohibiting)]
    if prohibiting:
        return _PROHIBITED, _coded(prohibiting)
    if case.passed:
        return _OVER, _coded(case.passed)
    doubtful = _doubtful(case)
    if doubtful is None:
        return _WITHIN, []
    return _UNKNOWN, [(doubtful, _unknown_code(case, doubtful))]


def _coded(clauses: Iterable[Clause]) -> list[tuple[Rule, str]]:
    return [(clause.rule, code) for clause in clauses if (code := clause.rule.code)]


def _doubtful(case: _Case) -> Rule | None:
    """The rule that leaves the answer open, when nothing certain is over."""
    for clauses in (case.undecided, case.open):
        if clauses:
            return clauses[0].rule
    if case.entitled is None:
        return case.held.aged
    if not case.held.clauses and (case.figure.positive or not case.figure.complete):
        return case.subject.whole.clauses[0].rule  # the law of this subject is about other people
    return None


def _unknown_code(case: _Case, rule: Rule) -> str:
    if rule.effect is _UNDECIDED and rule.code:
        return rule.code
    return f"{case.subject.name}_UNKNOWN".upper()


def _hits(pack: RulePack, case: _Case, causes: Sequence[tuple[Rule, str]], line: Line) -> list[RuleHit]:
    """One hit for each code; the first rule that says so stands for it."""
    facts = _facts(line)
    if case.entitled is False:
        facts["min_age"] = str(causes[0][0].min_age)
    by_code: dict[str, Rule] = {}
    for rule, code in causes:
        by_code.setdefault(code, rule)
    return [hit(pack, rule, code, _relation_of(code, line.relation), facts) for code, rule in by_code.items()]


def _relation_of(code: str, relation: Relation) -> Relation:
    return _OVER if code.startswith("UNDERAGE_") else relation


def _norm(case: _Case, deciding: Rule, relation: Relation) -> Decimal | None:
    """The norm in the unit of the rules."""
    if case.entitled is False:
        return ZERO
    if relation is _UNKNOWN and deciding.effect is _UNDECIDED and deciding.amount is not None:
        return deciding.amount
    return case.held.norm


def _line(
    case: _Case, deciding: Rule, relation: Relation, due: Owed, currency: str, conversion: Conversion | None
) -> Line:
    figure, borrowed = case.figure, None
    norm = _norm(case, deciding, relation)
    if norm is not None:
        norm = figure.norm(norm)
        if case.lent is not None:
            borrowed = _shown(figure.norm(_decimal(case.lent.norm)))
            norm += borrowed
    known = figure.terms.counted and (figure.complete or bool(figure.scaled))
    unsure = relation is _UNKNOWN or bool(case.open or case.undecided) or case.entitled is None or figure.vague
    return Line(
        case.subject.name,
        deciding,
        figure.shown if known else None,
        figure.complete,
        figure.unit,
        norm,
        relation,
        due,
        currency,
        conversion,
        unsure,
        borrowed,
    )


def _due(case: _Case, relation: Relation, sheet: Sheet) -> Owed:
    """What the line owes. Nothing when within; nobody can say when unknown, forbidden or an officer assesses."""
    if relation is _WITHIN:
        return NOTHING
    levied = (case.held if case.held.clauses else case.subject.whole).levied
    if not levied:
        return NOBODY_CAN_SAY if relation is _PROHIBITED else NOTHING
    if relation is not _OVER or not case.entitled:
        return NOBODY_CAN_SAY
    charged = [clause for clause in levied if clause in case.passed or clause in case.undecided]
    if len(charged) != 1 or any(clause in case.held.waiting and clause in case.open for clause in levied):
        return NOBODY_CAN_SAY
    clause, excess = charged[0], charged[0].rule.excess
    if excess is None:
        return NOBODY_CAN_SAY
    norm, bands = clause.limit, {}
    if case.lent is not None:
        norm += _decimal(case.lent.norm)
        bands = {place: _decimal(width) for place, width in case.lent.bands.items()}
    worths = _worths(case, sheet) if excess.model == "indivisible" else ()
    return owed(excess, norm, case.figure, worths, bands)


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
    if line.difference is not None and line.relation in (_OVER, _PROHIBITED):
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
