"""The evaluator's answer: lines of figures against norms, and the reasons that call for a person.

Lines and hits record what was found; what is said of it in words is made when somebody reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from contracts.declaration import GoodsKind
from declarations.money import EXACT, Conversion
from declarations.packs import Rule

_ZERO = Decimal(0)
_NO_FACTS: Mapping[str, str] = MappingProxyType({})


class Relation(StrEnum):
    """How a figure stands to its norm."""

    WITHIN = "within"
    OVER = "over"
    UNKNOWN = "unknown"
    PROHIBITED = "prohibited"


class Owed(NamedTuple):
    """`amount` None: nobody can say. `settled` False: more may be owed. `part` is what duty is owed on."""

    amount: Decimal | None
    settled: bool = True
    part: Decimal | None = None
    rate: str = ""
    formula: str = ""


class Line(NamedTuple):
    """One figure against its norm.

    `kind` is the subject of the rules: a GoodsKind, or goods_value, goods_weight, tobacco, cash, instrument,
    cash_documents, indivisible_item, unaccompanied_baggage, …
    """

    kind: str
    rule: Rule  # the one that decides
    declared: Decimal | None  # in `unit`; None where things are not counted or nothing is known
    exact: bool  # False: some amount is unknown, and `declared` is a lower bound
    unit: str  # l, kg, g, pcs, % or a currency; empty where things are not counted
    norm: Decimal | None
    relation: Relation
    owed: Owed
    currency: str  # of what is owed
    conversion: Conversion | None  # the rates that `declared` was converted by
    open: bool  # the line depends on an age, a fact or an amount that is not known
    borrowed: Decimal | None  # the part of `norm` that others of the household lend

    @property
    def rule_id(self) -> str:
        return self.rule.id

    @property
    def item_kinds(self) -> tuple[GoodsKind, ...]:
        """The kinds of goods that count in it."""
        return (*self.rule.kinds, *self.rule.also)

    @property
    def duty(self) -> Decimal | None:
        """Owed on this line; 0 = nothing, None = nobody can say yet."""
        return self.owed.amount

    @property
    def dutiable(self) -> Decimal | None:
        """The part of `declared` that duty is owed on; None where nobody can say."""
        return self.owed.part

    @property
    def settled(self) -> bool:
        """False: more may be owed than `duty`."""
        return self.owed.settled and not self.open

    @property
    def rate(self) -> str:
        """`10 EUR/l`, `30 %`; empty when no duty has a rate."""
        return self.owed.rate

    @property
    def formula(self) -> str:
        """`10 EUR × (5 − 3) l = 20.00 EUR`."""
        return self.owed.formula

    @property
    def exchange(self) -> str:
        """Rates used, with date and source; empty where nothing was converted."""
        return str(self.conversion or "")

    @property
    def difference(self) -> Decimal | None:
        """|declared - norm|."""
        if self.norm is None or self.declared is None:
            return None
        return EXACT.subtract(self.declared, self.norm).copy_abs()

    @property
    def left(self) -> Decimal | None:
        """What is free still, in `unit`; None where there is no norm or the figure is not known."""
        if self.norm is None or self.declared is None or not self.exact:
            return None
        return max(self.norm - self.declared, _ZERO)


class RuleHit(NamedTuple):
    """One rule that calls for a person, with its basis. `facts` fill the sentence."""

    code: str
    relation: Relation
    rule_id: str | None
    rule_version: str
    legal_basis: str
    category: str | None = None  # GoodsCategory of the form
    documents: str = ""  # documents owed, in words
    facts: Mapping[str, str] = _NO_FACTS


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
