"""The words of rule packs: what a layer may say, field by field, and what makes no sense is refused.

`docs/law.md` tells what each field means to the evaluator.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from math import lcm
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from contracts.base import Amount, Contract, CurrencyCode, Identifier, IssuerCode, ShortText, Text
from contracts.checks import CheckName
from contracts.declaration import GoodsCategory, GoodsKind, MoneyKind, TransportMode, Unit
from contracts.party import Direction, DocumentFormat
from declarations.packs.examples import Example

ReasonCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{2,63}$")]
Subject = Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,31}$")]
LayerName = Annotated[str, Field(pattern=r"^[a-z0-9]{2,16}$")]
Age = Annotated[int, Field(ge=0, le=120)]
Hours = Annotated[int, Field(ge=0, le=100_000)]
Pool = Literal["none", "household", "pair"]
Form = Literal["eaeu_passenger"]  # Collegium Decision 124 of 23.07.2019: declarations.forms
CheckTable = dict[DocumentFormat, tuple[CheckName | tuple[CheckName, ...], ...]]


class Measure(StrEnum):
    """What is counted of a declaration."""

    VALUE = "value"  # money worth of the items, in the rule's currency
    SINGLE_VALUE = "single_value"  # money worth of the dearest line
    MASS = "mass"  # kg of the items
    NET_MASS = "net_mass"  # kg of the items without packing: the stated quantity, where it is a mass
    SINGLE_MASS = "single_mass"  # kg of the heaviest single piece
    QUANTITY = "quantity"  # in the rule's unit
    MIXTURE = "mixture"  # kinds counted together through their equivalents in grams
    SHARE = "share"  # kinds counted together in per cent of each kind's own norm
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
    ELSEWHERE = "elsewhere"  # for the people of its conditions other rules count this
    NOTE = "note"  # kept for people; never evaluated


class Status(StrEnum):
    """How well a rule is known."""

    VERIFIED = "V"  # seen in a stored source
    SECONDARY = "S"  # seen, but secondary or dated
    UNVERIFIED = "U"


_MONEY_MEASURES = (Measure.VALUE, Measure.SINGLE_VALUE, Measure.MONEY)
_POOLED_MEASURES = (
    Measure.VALUE,
    Measure.MASS,
    Measure.NET_MASS,
    Measure.QUANTITY,
    Measure.MIXTURE,
    Measure.SHARE,
)


class Band(Contract):
    """A stretch of what is over the norm. Without a rate an officer assesses it; without a width it has no end."""

    width: Amount | None = None
    percent: Amount | None = None
    per_unit: Amount | None = None
    pool: Pool = Field(default="none", description="who may use up another's unused width")

    @model_validator(mode="after")
    def _has_one_rate(self) -> Band:
        if self.percent is not None and self.per_unit is not None:
            raise ValueError("a band has one rate")
        if self.width is not None and self.width == 0:
            raise ValueError("a band has a width")
        return self


class Excess(Contract):
    """What is owed once the norm is passed, and on which part.

    marginal: on what is over. whole: on all of it (the cliff). indivisible: on whole items, the free ones chosen
    so that least is owed. staged: on what is over, band by band. assessed: an officer says. Without a rate the
    part is known and an officer assesses it.
    """

    model: Literal["marginal", "whole", "indivisible", "staged", "assessed"]
    percent: Amount | None = None
    per_unit: Amount | None = None
    currency: CurrencyCode | None = None
    bands: tuple[Band, ...] = Field(default=(), max_length=12)

    @model_validator(mode="after")
    def _consistent(self) -> Excess:
        own = (self.percent is not None) + (self.per_unit is not None)
        banded = any(band.percent is not None or band.per_unit is not None for band in self.bands)
        if own > 1 or (self.model in ("staged", "assessed") and own):
            raise ValueError("an excess has one rate, of its own or of its bands, or is assessed")
        if bool(own or banded) != (self.currency is not None):
            raise ValueError("a rate and a currency go together")
        if (self.model == "staged") != bool(self.bands):
            raise ValueError("a staged excess has bands, and no other has")
        if any(band.width is None for band in self.bands[:-1]):
            raise ValueError("only the last band has no end")
        return self

    @property
    def rated(self) -> bool:
        """Whether the law's own file says how much is owed, at least on the first part."""
        first = self.bands[0] if self.bands else self
        return first.percent is not None or first.per_unit is not None

    @property
    def rate_text(self) -> str:
        """`30 %` or `10 EUR`; empty when an officer assesses."""
        if self.bands:
            return ", ".join(_rate_text(band, self.currency) for band in self.bands if band.width is not None)
        return _rate_text(self, self.currency)


def _rate_text(rated: Excess | Band, currency: str | None) -> str:
    if rated.percent is not None:
        return f"{plain(rated.percent)} %"
    return f"{plain(rated.per_unit)} {currency}" if rated.per_unit is not None else ""


class Conditions(Contract):
    """Facts of a person that a rule asks for; all of them must hold. `from` is included, `below` is not."""

    resident: bool | None = None
    absence_hours_from: Hours | None = None
    absence_hours_below: Hours | None = None
    days_since_exemption_from: Hours | None = None
    days_since_exemption_below: Hours | None = None
    crossings_from: Hours | None = Field(default=None, description="in the rule's period, this one included")
    crossings_below: Hours | None = None
    age_from: Age | None = None
    age_below: Age | None = None

    @model_validator(mode="after")
    def _some(self) -> Conditions:
        if not self.model_dump(exclude_none=True):
            raise ValueError("a condition names a fact")
        return self


class Rule(Contract):
    """One rule with its legal basis. Rules of one `subject` judge the same figure."""

    id: Identifier
    title: Text
    subject: Subject | None = None
    measure: Measure | None = None
    kinds: tuple[GoodsKind, ...] = Field(default=(), description="what counts and must be known")
    also: tuple[GoodsKind, ...] = Field(default=(), description="counted with what is stated")
    only_with: tuple[GoodsKind, ...] = Field(default=(), description="judged only where one of these is stated")
    money: tuple[MoneyKind, ...] = ()
    equivalents: dict[GoodsKind, Amount] = Field(default_factory=dict, description="mixture: grams per unit")
    norms: dict[GoodsKind, Amount] = Field(default_factory=dict, description="share: what is 100 % of a kind")
    comparator: Literal[">", ">=", "<=", "any"] | None = None
    amount: Amount | None = None
    unit: Unit | None = None
    currency: CurrencyCode | None = None
    rate_date: Literal["day_of_declaration"] | None = None
    min_age: Age | None = None
    directions: tuple[Direction, ...]
    transport: tuple[TransportMode, ...]
    conditions: Conditions | None = None
    effect: Effect
    code: ReasonCode | None = None
    underage_code: ReasonCode | None = None
    category: GoodsCategory | None = None
    documents: Text = ""
    excess: Excess | None = None
    pool: Pool = Field(default="none", description="who may use up another's unused norm")
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
        for complaint in _complaints(self):
            raise ValueError(f"{self.id}: {complaint}")
        return self

    @property
    def legal_basis(self) -> str:
        """The article, or where it was seen when no article is known."""
        return self.article or self.source

    @property
    def judges(self) -> bool:
        """Whether a figure is ever held against this rule."""
        return self.subject is not None and self.effect is not Effect.NOTE

    @property
    def verified(self) -> bool:
        """Whether somebody signed for it after it was seen in its source."""
        return self.status is Status.VERIFIED and self.verified_by is not None and self.verified_at is not None

    @property
    def figure(self) -> tuple[object, ...]:
        """What the rule measures. Rules of a subject that can meet must agree on it."""
        return (
            self.measure,
            self.kinds,
            self.also,
            self.only_with,
            self.money,
            self.unit,
            self.currency,
            tuple(self.equivalents.items()),
            tuple(self.norms.items()),
            self.pool,
        )

    def meets(self, other: Rule) -> bool:
        """Whether there is a crossing on a day for which both are law."""
        return (
            not set(self.directions).isdisjoint(other.directions)
            and not set(self.transport).isdisjoint(other.transport)
            and self.meets_in_time(other)
        )

    def meets_in_time(self, other: Rule) -> bool:
        return max(self.first_day, other.first_day) <= min(self.last_day, other.last_day)

    @property
    def first_day(self) -> date:
        return self.effective_from or date.min

    @property
    def last_day(self) -> date:
        return self.effective_to or date.max

    def applies(self, direction: Direction, transport: TransportMode, on: date | None) -> bool:
        """Whether the rule is law for this crossing. `on` None leaves the dates out."""
        return (
            direction in self.directions
            and transport in self.transport
            and (on is None or self.first_day <= on <= self.last_day)
        )


def _complaints(rule: Rule) -> list[str]:
    """What is wrong with a rule, in words."""
    found = []
    measure, excess = rule.measure, rule.excess
    if (measure is None) != (rule.subject is None):
        found.append("subject and measure go together")
    if measure is None and (rule.conditions is not None or excess is not None or rule.pool != "none"):
        found.append("conditions, excess and pool belong to a measure")
    if measure is not None and rule.comparator is None:
        found.append("comparator is missing")
    if measure is not None and rule.comparator != "any" and rule.amount is None:
        found.append(f"{rule.comparator} needs an amount")
    if rule.effect is Effect.FREE and rule.comparator != "<=":
        found.append("what is free is up to an amount: <=")
    if rule.comparator == "<=" and measure is not None and rule.effect not in (Effect.FREE, Effect.NOTE):
        found.append("<= says what is free")
    if rule.effect is Effect.ELSEWHERE and (
        rule.conditions is None or rule.comparator != "any" or rule.amount is not None or excess is not None
    ):
        found.append("what is judged elsewhere says for whom, and of any amount")
    if measure in _MONEY_MEASURES and (rule.currency is None or rule.rate_date is None):
        found.append("money needs a currency and a rate date")
    if measure in (Measure.MASS, Measure.NET_MASS, Measure.SINGLE_MASS) and rule.unit is not Unit.KILOGRAM:
        found.append("mass is counted in kg")
    if measure in (Measure.QUANTITY, Measure.MIXTURE) and rule.unit is None:
        found.append("unit is missing")
    if measure is Measure.MIXTURE and (
        rule.unit is not Unit.GRAM or set(rule.equivalents) != set(rule.kinds) or 0 in rule.equivalents.values()
    ):
        found.append("a mixture is counted in grams, with an equivalent for each kind")
    if measure is Measure.SHARE and (
        rule.unit is not None or set(rule.norms) != set(rule.kinds) or 0 in rule.norms.values()
    ):
        found.append("shares are counted in per cent, with a norm for each kind and no unit")
    elif measure is Measure.SHARE and lcm(*(int(norm * 1000) for norm in rule.norms.values())) > 10**20:
        found.append("the norms of shares have no common measure")
    if rule.also and measure in (Measure.MIXTURE, Measure.SHARE, Measure.PRESENCE):
        found.append("nothing counts beside the kinds of this measure")
    if measure in (Measure.PRESENCE, Measure.UNACCOMPANIED) and (
        rule.amount is not None or (excess is not None and excess.model != "assessed")
    ):
        found.append("what is not counted has no amount and no rate")
    if rule.equivalents and measure is not Measure.MIXTURE:
        found.append("equivalents belong to a mixture")
    if rule.norms and measure is not Measure.SHARE:
        found.append("norms of kinds belong to shares")
    if measure in (Measure.MONEY, Measure.UNACCOMPANIED) and (rule.kinds or rule.also):
        found.append("goods are not counted here")
    if (measure is Measure.MONEY) != bool(rule.money):
        found.append("kinds of money belong to the measure money")
    if measure not in (None, Measure.MONEY, Measure.UNACCOMPANIED) and not rule.kinds:
        found.append("no kinds to count")
    if rule.pool != "none" and (measure not in _POOLED_MEASURES or rule.comparator == ">="):
        found.append("what is pooled is a sum with a norm that may be reached")
    if excess is not None:
        found += _excess_complaints(rule, excess)
    if rule.effective_from and rule.effective_to and rule.effective_to < rule.effective_from:
        found.append("effective_to lies before effective_from")
    if (rule.verified_by is None) != (rule.verified_at is None):
        found.append("verified_by and verified_at go together")
    return found


def _excess_complaints(rule: Rule, excess: Excess) -> list[str]:
    found = []
    if excess.model == "indivisible" and rule.measure is not Measure.VALUE:
        found.append("only a value has items that cannot be split")
    by_share = excess.percent is not None or any(band.percent is not None for band in excess.bands)
    if by_share and (rule.measure is not Measure.VALUE or rule.currency != excess.currency):
        found.append("a rate in per cent needs a value in the currency of the duty")
    if rule.pool != "none" and excess.model not in ("marginal", "staged", "assessed"):
        found.append("what is pooled is owed on the part over the norm")
    return found


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
    under_age: Age | None = Field(default=None, description="even beside an adult")
    unaccompanied_under_age: Age | None = None
    source: Text


class Coverage(Contract):
    """The crossings, and the kinds of goods and money, that a pack knows the law of; any other refers.

    Without `kinds` for a direction, those are known that any rule of the pack names.
    """

    directions: tuple[Direction, ...]
    transport: tuple[TransportMode, ...]
    kinds: dict[Direction, tuple[GoodsKind | MoneyKind, ...]] = Field(default_factory=dict)


# Of a rule that a layer below has, a layer says only what it changes: any of a rule's fields beside the id.
_WORDS: dict[str, Any] = {
    name: (field.rebuild_annotation() | None, Field(default=None, description=field.description))
    for name, field in Rule.model_fields.items()
    if name != "id"
}
RuleWords = create_model("RuleWords", __base__=Contract, id=(Identifier, ...), **_WORDS)


class Layer(Contract):
    """One file. The lowest layer of a pack says `over: null` and how documents are checked; others add to it."""

    layer: LayerName
    over: LayerName | None
    title: Text
    version: Identifier
    draft: bool = Field(default=False, description="kept to be read; can never be put in force")
    why: Text = Field(default="", description="why it is a draft")
    site: bool = Field(default=False, description="a place of the country below: it may add and tighten, no more")
    duty_currency: CurrencyCode | None = None
    coverage: Coverage | None = None
    form: Form | None = Field(default=None, description="on which paper is declared in writing; none: on none")
    rules: tuple[RuleWords, ...] = ()
    cards: tuple[Card, ...] = ()
    eligibility: tuple[Exclusion, ...] = ()
    required_checks: CheckTable = Field(default_factory=dict)
    required_bag_checks: tuple[CheckName, ...] | None = None
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Layer:
        if self.draft != bool(self.why):
            raise ValueError("a draft says why it is one, and nothing else does")
        if self.over is None and (self.site or self.duty_currency is None or self.coverage is None):
            raise ValueError("the lowest layer has a duty currency and a coverage, and is no site")
        return self


class Statement(Contract):
    """What one layer says about one rule, field by field."""

    layer: Identifier
    version: Identifier
    rule_id: Identifier
    said: dict[str, Any]


def plain(number: Decimal | None) -> str:
    """A decimal as people write it, without exponent or trailing zeros; empty for None."""
    if number is None:
        return ""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
