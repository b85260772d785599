"""The evaluator's answer: lines of figures against norms, and the reasons that call for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from contracts.declaration import GoodsKind


class Relation(StrEnum):
    """How a figure stands to its norm."""

    WITHIN = "within"
    OVER = "over"
    UNKNOWN = "unknown"
    PROHIBITED = "prohibited"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure against its norm.

    `kind` is the subject of the rules: a GoodsKind, or goods_value, goods_weight, tobacco, cash, instrument,
    cash_documents, indivisible_item, unaccompanied_baggage, … `item_kinds` are the kinds of goods that count in
    it.
    """

    kind: str
    item_kinds: tuple[GoodsKind, ...]
    declared: Decimal | None  # in `unit`; None where things are not counted or nothing is known
    exact: bool  # False: some amount is unknown, and `declared` is a lower bound
    norm: Decimal | None
    unit: str  # l, kg, g, pcs, % or a currency; empty where things are not counted
    relation: Relation
    difference: Decimal | None  # |declared - norm|
    duty: Decimal | None  # owed on this line; 0 = nothing, None = nobody can say yet
    currency: str
    rate: str  # `10 EUR/l`, `30 %`; empty when no duty has a rate
    formula: str  # `10 EUR × (5 − 3) l = 20.00 EUR`
    exchange: str  # rates used, with date and source
    rule_id: str
    dutiable: Decimal | None = None  # the part of `declared` that duty is owed on; None where nobody can say
    open: bool = False  # the line depends on an age, a fact or an amount that is not known
    settled: bool = True  # False: more may be owed than `duty`
    borrowed: Decimal | None = None  # the part of `norm` that others of the household lend

    @property
    def left(self) -> Decimal | None:
        """What is free still, in `unit`; None where there is no norm or the figure is not known."""
        if self.norm is None or self.declared is None or not self.exact:
            return None
        return max(self.norm - self.declared, Decimal(0))


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
        """True when some amount, rate, age, fact or rule is not known."""
        return any(hit.relation is Relation.UNKNOWN for hit in self.hits) or not all(
            line.exact and not line.open for line in self.lines
        )

    @property
    def entitlements(self) -> tuple[Line, ...]:
        """The lines that have a norm: `declared` of it is used, `left` is left."""
        return tuple(line for line in self.lines if line.norm is not None)

    @property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """What must be declared: category of the form → reason codes. What is only unknown is not in it."""
        found: dict[str, tuple[str, ...]] = {}
        for hit in self.hits:
            if hit.category is not None and hit.relation is not Relation.UNKNOWN:
                found[hit.category] = (*found.get(hit.category, ()), hit.code)
        return dict(sorted(found.items()))

    @property
    def prohibited(self) -> tuple[RuleHit, ...]:
        return tuple(hit for hit in self.hits if hit.relation is Relation.PROHIBITED)

    @property
    def documents(self) -> tuple[RuleHit, ...]:
        """The hits that owe documents."""
        return tuple(hit for hit in self.hits if hit.documents and hit.relation is not Relation.UNKNOWN)


@dataclass(frozen=True, slots=True)
class PartyAssessment:
    """The answer for a party: each person for oneself, and pooled only where the law says so."""

    pack: str  # label of the pack: id:version
    persons: dict[str, PersonAssessment]

    @property
    def must_declare(self) -> bool:
        return any(person.must_declare for person in self.persons.values())

    @property
    def unknown(self) -> bool:
        return any(person.unknown for person in self.persons.values())
