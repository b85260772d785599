"""A rule pack: the law at a site, its layers merged, every rule traceable to the layer that said it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import combinations

from pydantic import Field, model_validator

from contracts import canonical
from contracts.base import Contract, CurrencyCode, Identifier, Text
from contracts.checks import CheckName
from contracts.declaration import COUNTED_IN, GoodsKind, MoneyKind, TransportMode, Unit
from contracts.party import Direction, DocumentFormat
from declarations.packs.examples import Example
from declarations.packs.schema import (
    Card,
    CheckTable,
    Coverage,
    Effect,
    Exclusion,
    Form,
    Measure,
    Rule,
    Statement,
    Status,
    plain,
)


@dataclass(frozen=True)
class Explanation:
    """A merged rule and who said what, lowest layer first. `versions` are in the order of their dates."""

    versions: tuple[Rule, ...]
    statements: tuple[Statement, ...]

    @property
    def rule(self) -> Rule:
        """The newest version."""
        return self.versions[-1]

    @property
    def origin(self) -> dict[str, str]:
        """Field of the rule → the layer whose word counts."""
        return {field: statement.layer for statement in self.statements for field in statement.said}


@dataclass(frozen=True)
class AllowanceCard:
    """One card of the goods page. `kind` is a GoodsKind, `cash` or `instrument`.

    `free` is None where anything counts. Numbers are decimals; the page writes them its own way.
    """

    kind: str
    free: Decimal | None
    unit: str | None
    comparator: str
    rule_id: str
    legal_basis: str
    second_free: Decimal | None = None
    second_unit: str | None = None
    second_rule_id: str | None = None
    at_most: Decimal | None = None  # beyond it not importable; 0 for a prohibited kind
    min_age: int | None = None


class RulePack(Contract):
    """The law in force at a site: layers merged, every rule traceable to the layer that said it.

    A rule may have several versions, in force one after the other.
    """

    id: Identifier
    version: Identifier
    title: Text
    layers: tuple[Identifier, ...]
    draft: Text = Field(default="", description="why this is a draft; a draft judges nobody")
    duty_currency: CurrencyCode
    coverage: Coverage
    form: Form | None = Field(
        default=None, description="on which paper is declared in writing; none: the record is all"
    )
    rules: tuple[Rule, ...]
    cards: tuple[Card, ...]
    eligibility: tuple[Exclusion, ...]
    check_table: CheckTable = Field(
        description="what green needs: every name, and of every list of names at least one and none failed"
    )
    bag_checks: tuple[CheckName, ...]
    statements: tuple[Statement, ...]
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> RulePack:
        for complaint in _complaints(self):
            raise ValueError(complaint)
        return self

    @property
    def label(self) -> str:
        """Pack and version in one identifier, as a declaration records it."""
        return f"{self.id}:{self.version}"

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON of the merged pack."""
        return canonical.content_hash(self)

    @property
    def unverified(self) -> tuple[Rule, ...]:
        """The rules that judge and that nobody has signed for: they need a second look before they go live."""
        return tuple(rule for rule in self.rules if rule.effect is not Effect.NOTE and not rule.verified)

    @property
    def from_memory(self) -> tuple[Rule, ...]:
        """The rules that judge and were seen in no source at all."""
        return tuple(rule for rule in self.unverified if rule.status is Status.UNVERIFIED)

    def versions(self, rule_id: str) -> tuple[Rule, ...]:
        """Every version of a rule, oldest first. Raises KeyError for an unknown id."""
        found = [rule for rule in self.rules if rule.id == rule_id]
        if not found:
            raise KeyError(rule_id)
        return tuple(sorted(found, key=lambda rule: rule.first_day))

    def rule(self, rule_id: str, on: date | None = None) -> Rule:
        """The rule of that day, or its newest version. Raises KeyError for an unknown id or a day without it."""
        for rule in reversed(self.versions(rule_id)):
            if on is None or rule.first_day <= on <= rule.last_day:
                return rule
        raise KeyError(rule_id)

    def explain(self, rule_id: str) -> Explanation:
        """Which layer said what about a rule. Raises KeyError for an unknown id."""
        said = tuple(statement for statement in self.statements if statement.rule_id == rule_id)
        return Explanation(self.versions(rule_id), said)

    def covers(self, direction: Direction, transport: TransportMode) -> bool:
        """Whether the pack claims to know the law of this crossing at all. A draft knows none."""
        return not self.draft and direction in self.coverage.directions and transport in self.coverage.transport

    def known_kinds(self, direction: Direction) -> frozenset[GoodsKind | MoneyKind]:
        """The kinds whose law the pack knows on this way; whatever else is declared refers."""
        if direction in self.coverage.kinds:
            return frozenset(self.coverage.kinds[direction])
        named: set[GoodsKind | MoneyKind] = set()
        for rule in self.rules:
            named.update(rule.kinds, rule.also, rule.money)
        return frozenset(named)

    def in_force(self, direction: Direction, transport: TransportMode, on: date | None = None) -> tuple[Rule, ...]:
        """The rules for this crossing, in the order of the pack."""
        return tuple(rule for rule in self.rules if rule.applies(direction, transport, on))

    def norm(
        self, subject: str, direction: Direction, transport: TransportMode, on: date | None = None
    ) -> Rule | None:
        """The rule whose amount is the norm of a subject (`goods_weight`), or None where there is none.

        A rule that holds for some people only is nobody's norm here.
        """
        rules = [
            rule
            for rule in self.in_force(direction, transport, on)
            if rule.subject == subject and rule.judges and rule.conditions is None
        ]
        return min(rules, key=lambda rule: rule.amount or Decimal(0), default=None)

    def required_checks(
        self, document_format: DocumentFormat, *, has_bags: bool
    ) -> tuple[frozenset[CheckName], ...]:
        """What green needs, by the format of the document that proves identity.

        Of every set of checks at least one is PASSED and none failed. Most sets hold one check; which one of a
        larger set a document offers was its issuer's choice.
        """
        entries = (*self.check_table[document_format], *(self.bag_checks if has_bags else ()))
        return tuple(frozenset(entry if isinstance(entry, tuple) else (entry,)) for entry in entries)

    def allowances(
        self, direction: Direction, transport: TransportMode, on: date | None = None
    ) -> tuple[AllowanceCard, ...]:
        """The cards of the goods page for this crossing, in the order of the pack."""
        in_force = {rule.id: rule for rule in self.in_force(direction, transport, on)}
        return tuple(
            _allowance(
                card, in_force[card.rule], in_force.get(card.second or ""), in_force.get(card.at_most or "")
            )
            for card in self.cards
            if card.rule in in_force
        )


def natural_unit(kind: GoodsKind, rule: Rule) -> Unit:
    """The unit in which a kind of a mixture or of shares is counted on its own."""
    if rule.measure is Measure.SHARE:
        return COUNTED_IN.get(kind, Unit.PIECE)
    return Unit.GRAM if rule.equivalents[kind] == 1 else Unit.PIECE


def _allowance(card: Card, rule: Rule, second: Rule | None, limit: Rule | None) -> AllowanceCard:
    free, unit = rule.amount or None, rule.unit.value if rule.unit else rule.currency
    if rule.measure is Measure.MIXTURE and rule.amount is not None:
        kind = GoodsKind(card.kind)
        free = Decimal(plain(rule.amount / rule.equivalents[kind]))
        unit = natural_unit(kind, rule).value
    elif rule.measure is Measure.SHARE and rule.amount is not None:
        kind = GoodsKind(card.kind)
        free = Decimal(plain(rule.norms[kind] * rule.amount / 100))
        unit = natural_unit(kind, rule).value
    prohibited = Decimal(0) if rule.effect is Effect.PROHIBIT else None
    return AllowanceCard(
        kind=card.kind,
        free=free,
        unit=unit,
        comparator=rule.comparator or "any",
        rule_id=rule.id,
        legal_basis=rule.legal_basis,
        second_free=second.amount if second else None,
        second_unit=(second.unit or second.currency) if second else None,
        second_rule_id=second.id if second else None,
        at_most=limit.amount if limit else prohibited,
        min_age=rule.min_age,
    )


def _complaints(pack: RulePack) -> Iterable[str]:
    """What is wrong with a pack as a whole, in words."""
    for one, other in combinations(pack.rules, 2):
        if one.id == other.id and one.meets_in_time(other):
            yield f"rule {one.id}: two versions are in force on {max(one.first_day, other.first_day)}"
        same_subject = one.judges and other.judges and one.subject == other.subject
        if same_subject and one.figure != other.figure and one.meets(other):
            yield f"{other.id}: rules of {one.subject} do not judge the same figure"
    for rule in pack.rules:
        if rule.excess and rule.excess.currency not in (None, pack.duty_currency):
            yield f"{rule.id}: duty is owed in {pack.duty_currency}"
    known = {rule.id: rule for rule in pack.rules}
    for card in pack.cards:
        for rule_id in (card.rule, card.second, card.at_most):
            if rule_id is not None and rule_id not in known:
                yield f"card {card.kind}: no rule {rule_id}"
        named = known.get(card.rule)
        if (
            named is not None
            and named.measure in (Measure.MIXTURE, Measure.SHARE)
            and card.kind not in {kind.value for kind in named.kinds}
        ):
            yield f"card {card.kind}: rule {card.rule} does not count it"
    yield from _check_complaints(pack)


def _check_complaints(pack: RulePack) -> Iterable[str]:
    missing = set(DocumentFormat) - set(pack.check_table)
    if missing and not pack.draft:
        yield f"required_checks: {sorted(missing)} missing"
    for document_format, entries in pack.check_table.items():
        groups = [entry for entry in entries if isinstance(entry, tuple)]
        if any(len(group) < 2 for group in groups):
            yield f"required_checks: {document_format} has a group with no choice in it"
        names = [name for entry in entries for name in (entry if isinstance(entry, tuple) else (entry,))]
        if len(set(names)) != len(names):
            yield f"required_checks: {document_format} names a check twice"
