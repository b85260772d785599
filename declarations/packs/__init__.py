"""Rule packs: customs law as data, in layers that merge visibly (rule 8).

A layer is one JSON file beside this module. `eaeu.json` is the base of the Eurasian Economic Union and
`by.json` lies over it. A layer may add rules, or name a rule of the layer below and give only the fields it
changes; `RulePack.explain` tells which layer said what. Another country is another file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from contracts import canonical
from contracts.base import Amount, Contract, CurrencyCode, Identifier, IssuerCode, ShortText, Text
from contracts.checks import CheckName
from contracts.declaration import GoodsCategory, GoodsKind, MoneyKind, TransportMode, Unit
from contracts.party import Direction, DocumentFormat

PACKS = Path(__file__).parent

ReasonCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{2,63}$")]
Subject = Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,31}$")]
Age = Annotated[int, Field(ge=0, le=120)]


class Measure(StrEnum):
    """What is counted of a declaration."""

    VALUE = "value"  # money worth of the items, in the rule's currency
    MASS = "mass"  # kg of the items
    SINGLE_MASS = "single_mass"  # kg of the heaviest single piece
    QUANTITY = "quantity"  # in the rule's unit
    MIXTURE = "mixture"  # kinds counted together through their equivalents
    PRESENCE = "presence"  # lines of that kind
    MONEY = "money"  # cash, cheques, instruments, in the rule's currency
    UNACCOMPANIED = "unaccompanied"  # baggage that travels apart


class Effect(StrEnum):
    """What follows when the comparator holds; for FREE, when it does not hold."""

    FREE = "free"
    DECLARE = "declare"
    DOCUMENTS = "documents"
    PROHIBIT = "prohibit"
    UNDECIDED = "undecided"  # the declaration cannot tell: an officer looks
    DECLARANT = "declarant"  # who may declare
    LARGER_OF = "larger_of"  # of several duties the largest is owed
    NOTE = "note"  # kept for people; never evaluated


class Status(StrEnum):
    """How well a rule is known."""

    VERIFIED = "V"  # seen in a stored source
    SECONDARY = "S"  # seen, but secondary or dated
    UNVERIFIED = "U"


class Excess(Contract):
    """What is owed: on the part over the norm, on the whole, or by an officer's assessment."""

    model: Literal["marginal", "whole", "assessed"]
    percent: Amount | None = None
    per_unit: Amount | None = None
    currency: CurrencyCode | None = None

    @model_validator(mode="after")
    def _has_one_rate(self) -> Excess:
        rates = (self.percent is not None) + (self.per_unit is not None)
        if rates != (self.model != "assessed") or (rates == 1) != (self.currency is not None):
            raise ValueError("an excess is assessed, or has one rate and a currency")
        return self

    @property
    def rate_text(self) -> str:
        """`30 %` or `10 EUR`; empty when an officer assesses."""
        if self.percent is not None:
            return f"{plain(self.percent)} %"
        return f"{plain(self.per_unit)} {self.currency}" if self.per_unit is not None else ""


class Rule(Contract):
    """One rule with its legal basis. Rules of one `subject` judge the same figure."""

    id: Identifier
    title: Text
    subject: Subject | None = None
    measure: Measure | None = None
    kinds: tuple[GoodsKind, ...] = Field(default=(), description="what counts and must be known")
    also: tuple[GoodsKind, ...] = Field(default=(), description="counted with what is stated")
    money: tuple[MoneyKind, ...] = ()
    equivalents: dict[GoodsKind, Amount] = Field(default_factory=dict, description="mixture: grams per unit")
    comparator: Literal[">", ">=", "<=", "any"] | None = None
    amount: Amount | None = None
    unit: Unit | None = None
    currency: CurrencyCode | None = None
    rate_date: Literal["day_of_declaration"] | None = None
    min_age: Age | None = None
    directions: tuple[Direction, ...]
    transport: tuple[TransportMode, ...]
    effect: Effect
    code: ReasonCode | None = None
    underage_code: ReasonCode | None = None
    category: GoodsCategory | None = None
    documents: Text = ""
    excess: Excess | None = None
    combines: tuple[Subject, ...] = ()
    shown: bool = Field(default=False, description="an officer sees this line even when nothing was declared")
    article: Text
    source: Text
    status: Status
    effective_from: date | None = None
    effective_to: date | None = None
    verified_by: ShortText | None = None
    verified_at: date | None = None
    note: Text = ""

    @model_validator(mode="after")
    def _complete(self) -> Rule:
        if (self.measure is None) != (self.subject is None):
            raise ValueError(f"{self.id}: subject and measure go together")
        if self.measure is not None and self.comparator is None:
            raise ValueError(f"{self.id}: comparator is missing")
        if self.comparator in (">", "<=") and self.amount is None:
            raise ValueError(f"{self.id}: {self.comparator} needs an amount")
        if self.measure in (Measure.VALUE, Measure.MONEY) and (self.currency is None or self.rate_date is None):
            raise ValueError(f"{self.id}: money needs a currency and a rate date")
        if self.measure in (Measure.MASS, Measure.SINGLE_MASS) and self.unit is not Unit.KILOGRAM:
            raise ValueError(f"{self.id}: mass is counted in kg")
        if self.measure in (Measure.QUANTITY, Measure.MIXTURE) and self.unit is None:
            raise ValueError(f"{self.id}: unit is missing")
        if self.measure is Measure.MIXTURE and (
            self.unit is not Unit.GRAM
            or set(self.equivalents) != set(self.kinds)
            or 0 in self.equivalents.values()
        ):
            raise ValueError(f"{self.id}: a mixture is counted in grams, with an equivalent for each kind")
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise ValueError(f"{self.id}: effective_to lies before effective_from")
        return self

    @property
    def legal_basis(self) -> str:
        """The article, or where it was seen when no article is known."""
        return self.article or self.source

    def applies(self, direction: Direction, transport: TransportMode, on: date | None) -> bool:
        """Whether the rule is law for this crossing. `on` None leaves the dates out."""
        return (
            direction in self.directions
            and transport in self.transport
            and (on is None or self.effective_from is None or self.effective_from <= on)
            and (on is None or self.effective_to is None or on <= self.effective_to)
        )


class Card(Contract):
    """Where the goods page gets its figures from."""

    kind: Identifier
    rule: Identifier
    second: Identifier | None = None
    at_most: Identifier | None = None
    after: Identifier | None = None  # an overlay says behind which kind its card goes


class Exclusion(Contract):
    """Who goes to a person instead of the automatic path. Any one match excludes."""

    code: ReasonCode
    title: Text
    document_codes: tuple[Annotated[str, Field(pattern=r"^[A-Z]{1,2}$")], ...] = ()
    nationalities: tuple[IssuerCode, ...] = ()
    issuers: tuple[IssuerCode, ...] = ()
    unaccompanied_under_age: Age | None = None
    source: Text


class Coverage(Contract):
    """The crossings that this pack knows the law of; any other is unknown and refers."""

    directions: tuple[Direction, ...]
    transport: tuple[TransportMode, ...]


class Statement(Contract):
    """What one layer says about one rule, field by field."""

    layer: Identifier
    version: Identifier
    rule_id: Identifier
    said: dict[str, Any]


@dataclass(frozen=True)
class Explanation:
    """A merged rule and who said what, lowest layer first."""

    rule: Rule
    statements: tuple[Statement, ...]

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
    """The law in force at a site: layers merged, every rule traceable to the layer that said it."""

    id: Identifier
    version: Identifier
    title: Text
    layers: tuple[Identifier, ...]
    duty_currency: CurrencyCode
    coverage: Coverage
    rules: tuple[Rule, ...]
    cards: tuple[Card, ...]
    eligibility: tuple[Exclusion, ...]
    check_table: dict[DocumentFormat, tuple[CheckName | tuple[CheckName, ...], ...]] = Field(
        description="what green needs: every name, and of every list of names at least one and none failed"
    )
    bag_checks: tuple[CheckName, ...]
    statements: tuple[Statement, ...]

    @model_validator(mode="after")
    def _consistent(self) -> RulePack:
        by_id = {rule.id: rule for rule in self.rules}
        if len(by_id) != len(self.rules):
            raise ValueError("two rules share an id")
        judged: dict[str, tuple[Any, ...]] = {}
        for rule in self.rules:
            if rule.subject is None:
                continue
            figure = (rule.measure, rule.kinds, rule.also, rule.money, rule.unit, rule.currency)
            if judged.setdefault(rule.subject, figure) != figure:
                raise ValueError(f"{rule.id}: rules of {rule.subject} do not judge the same figure")
        for rule in self.rules:
            if rule.excess and rule.excess.currency not in (None, self.duty_currency):
                raise ValueError(f"{rule.id}: duty is owed in {self.duty_currency}")
        for card in self.cards:
            for rule_id in (card.rule, card.second, card.at_most):
                if rule_id is not None and rule_id not in by_id:
                    raise ValueError(f"card {card.kind}: no rule {rule_id}")
        if missing := set(DocumentFormat) - set(self.check_table):
            raise ValueError(f"required_checks: {sorted(missing)} missing")
        for document_format, entries in self.check_table.items():
            groups = [entry for entry in entries if isinstance(entry, tuple)]
            if any(len(group) < 2 for group in groups):
                raise ValueError(f"required_checks: {document_format} has a group with no choice in it")
            names = [name for entry in entries for name in (entry if isinstance(entry, tuple) else (entry,))]
            if len(set(names)) != len(names):
                raise ValueError(f"required_checks: {document_format} names a check twice")
        return self

    @property
    def label(self) -> str:
        """Pack and version in one identifier, as a declaration records it."""
        return f"{self.id}:{self.version}"

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON of the merged pack."""
        return canonical.content_hash(self)

    def rule(self, rule_id: str) -> Rule:
        """The merged rule. Raises KeyError for an unknown id."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def explain(self, rule_id: str) -> Explanation:
        """Which layer said what about a rule. Raises KeyError for an unknown id."""
        return Explanation(self.rule(rule_id), tuple(said for said in self.statements if said.rule_id == rule_id))

    def covers(self, direction: Direction, transport: TransportMode) -> bool:
        """Whether the pack claims to know the law of this crossing at all."""
        return direction in self.coverage.directions and transport in self.coverage.transport

    def in_force(self, direction: Direction, transport: TransportMode, on: date | None = None) -> tuple[Rule, ...]:
        """The rules for this crossing, in the order of the pack."""
        return tuple(rule for rule in self.rules if rule.applies(direction, transport, on))

    def norm(
        self, subject: str, direction: Direction, transport: TransportMode, on: date | None = None
    ) -> Rule | None:
        """The rule whose amount is the norm of a subject (`goods_weight`), or None where there is none."""
        rules = [rule for rule in self.in_force(direction, transport, on) if rule.subject == subject]
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


def _allowance(card: Card, rule: Rule, second: Rule | None, limit: Rule | None) -> AllowanceCard:
    free, unit = rule.amount or None, rule.unit.value if rule.unit else rule.currency
    if rule.measure is Measure.MIXTURE and rule.amount is not None:
        kind = GoodsKind(card.kind)
        free = Decimal(plain(rule.amount / rule.equivalents[kind]))
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


def natural_unit(kind: GoodsKind, rule: Rule) -> Unit:
    """The unit in which a kind of a mixture is counted on its own: grams for loose tobacco, else pieces."""
    return Unit.GRAM if rule.equivalents[kind] == 1 else Unit.PIECE


def plain(number: Decimal | None) -> str:
    """A decimal as people write it, without exponent or trailing zeros; empty for None."""
    if number is None:
        return ""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def load_pack(name: str, directory: Path = PACKS) -> RulePack:
    """Read and merge the layers of a pack: `eaeu-by` is `eaeu.json` with `by.json` over it.

    Raises ValueError with the place and the reason for an unknown or malformed pack.
    """
    layers = []
    below = None
    for layer_name in name.split("-"):
        path = directory / f"{layer_name}.json"
        if not layer_name.isalnum() or not path.is_file():
            raise ValueError(f"pack {name}: there is no layer {layer_name}")
        try:
            layer = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        if layer.get("layer") != layer_name or layer.get("over") != below:
            raise ValueError(f"pack {name}: layer {layer_name} does not lie over {below or 'nothing'}")
        layers.append(layer)
        below = layer_name
    try:
        return _merge(name, layers)
    except (KeyError, ValueError) as error:
        raise ValueError(f"pack {name}: {error}") from error


_LAYER_KEYS = {
    "layer", "over", "title", "version", "duty_currency", "coverage", "rules", "cards", "eligibility",
    "required_checks", "required_bag_checks",
}  # fmt: skip


def _merge(name: str, layers: list[dict[str, Any]]) -> RulePack:
    rules: dict[str, dict[str, Any]] = {}
    cards: list[dict[str, Any]] = []
    statements = []
    merged: dict[str, Any] = {}
    for layer in layers:
        if unknown := set(layer) - _LAYER_KEYS:
            raise ValueError(f"layer {layer['layer']}: unknown fields {sorted(unknown)}")
        own_ids = [said["id"] for said in layer.get("rules", ())]
        if len(set(own_ids)) != len(own_ids):
            raise ValueError(f"layer {layer['layer']}: two rules share an id")
        for said in layer.get("rules", ()):
            rules[said["id"]] = {**rules.get(said["id"], {}), **said}
            statements.append(
                {"layer": layer["layer"], "version": layer["version"], "rule_id": said["id"], "said": said}
            )
        for card in layer.get("cards", ()):
            kinds = [other["kind"] for other in cards]
            behind = card.get("after")
            # An overlay may put its card behind another; without that, it goes to the end.
            place = len(kinds) - kinds[::-1].index(behind) if behind in kinds else len(kinds)
            cards.insert(place, card)
        merged |= {key: layer[key] for key in layer if key not in ("layer", "over", "rules", "cards")}
    return RulePack(
        id=name,
        version=merged["version"],
        title=" · ".join(layer["title"] for layer in layers),
        layers=tuple(layer["layer"] for layer in layers),
        duty_currency=merged["duty_currency"],
        coverage=merged["coverage"],
        rules=tuple(Rule.model_validate(rule) for rule in rules.values()),
        cards=tuple(Card.model_validate(card) for card in cards),
        eligibility=merged["eligibility"],
        check_table=merged["required_checks"],
        bag_checks=merged["required_bag_checks"],
        statements=tuple(Statement.model_validate(said) for said in statements),
    )
