"""Worked examples of a pack: what somebody carries, and what the law answers, as data beside the rules.

With them an editor sees what a change does, and the tests run every one. `declarations.examples` runs them.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from contracts.base import Amount, Contract, CurrencyCode, Identifier, ShortText
from contracts.declaration import GoodsItem, Money, TransportMode
from contracts.party import Direction

Stands = Literal["within", "over", "unknown", "prohibited"]
Fact = bool | Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=3, allow_inf_nan=False)]


class ExpectedLine(Contract):
    """What the answer says about one subject. A field that is left out is not looked at."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,31}$", description="subject of the rules")]
    relation: Stands
    declared: Amount | None = None
    dutiable: Amount | None = Field(default=None, description="the part that duty is owed on")
    duty: Amount | None = None


class Example(Contract):
    """One person crosses with this, and this is the answer. `rule` names what the example is about."""

    id: Identifier
    rule: Identifier
    title: ShortText
    direction: Direction
    transport: TransportMode
    on: date | None = Field(default=None, description="day of the declaration; absent: any day, the caller's")
    age: Annotated[int, Field(ge=0, le=120)] | None = None
    facts: dict[Identifier, Fact] = Field(default_factory=dict, description="resident, absence_hours and the like")
    items: tuple[GoodsItem, ...] = Field(default=(), max_length=50)
    money: tuple[Money, ...] = Field(default=(), max_length=50)
    unaccompanied: bool | None = False
    rates: dict[CurrencyCode, Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=12)]] = Field(
        default_factory=dict, description="units of the pack's duty currency per one unit"
    )
    lines: tuple[ExpectedLine, ...] = ()
    codes: tuple[Identifier, ...] = Field(description="every reason that calls for a person, and no other")
    total: Amount | None = Field(default=None, description="duty estimate of all lines")

    @model_validator(mode="after")
    def _consistent(self) -> Example:
        if len(set(self.codes)) != len(self.codes):
            raise ValueError(f"{self.id}: a code is named twice")
        kinds = [line.kind for line in self.lines]
        if len(set(kinds)) != len(kinds):
            raise ValueError(f"{self.id}: a line is named twice")
        return self
