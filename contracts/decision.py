"""The service's answer. It refers or clears; it never finds (rules 1 and 2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from contracts.base import Contract, Identifier, Moment, RetentionClass, Sha256Hex, ShortText, Text, retained
from contracts.checks import CheckReason


class Channel(StrEnum):
    """Where the traveller walks. Ordered: the party takes the maximum of its persons."""

    GREEN = "green"
    RED = "red"


class ReasonClass(StrEnum):
    """Why, by kind, so that hit rates never mix risk with broken devices."""

    DECLARED = "declared"
    RULE = "rule"
    WATCH_LIST = "watch_list"
    RANDOM = "random"
    DOCUMENT = "document"
    CHIP = "chip"
    FACE = "face"
    BAGGAGE = "baggage"
    DECLARATION_MISMATCH = "declaration_mismatch"
    ELIGIBILITY = "eligibility"
    TECHNICAL = "technical"
    TRUST_ANCHOR = "trust_anchor"  # no certificate of the document's country: says nothing of its bearer


class Severity(StrEnum):
    SEE_FIRST = "see_first"
    NEXT = "next"
    ROUTINE = "routine"


class ReferralReason(Contract):
    """One reason, with its legal basis and everything needed to explain and replay it.

    `code` is stable and is what stories, statistics and translations key on, for example
    `DECLARED_RED`, `ALCOHOL_OVER_NORM`, `CASH_OVER_THRESHOLD`, `RANDOM_SAMPLE`, `WATCH_LIST_NAME`,
    `CHECK_<NAME>_<VERDICT>` (CHECK_DG_HASHES_FAILED), `ELIGIBILITY_DIPLOMAT`, `ASKED_FOR_OFFICER`.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{2,63}$")] = retained(RetentionClass.OUTCOME)
    reason_class: ReasonClass = retained(RetentionClass.OUTCOME)
    severity: Severity = retained(RetentionClass.OUTCOME, default=Severity.NEXT)
    person_id: Annotated[str, Field(pattern=r"^p[1-9][0-9]?$")] | None = retained(
        RetentionClass.OUTCOME, default=None
    )
    rule_id: Identifier | None = retained(RetentionClass.OUTCOME, default=None)
    rule_version: Identifier | None = retained(RetentionClass.OUTCOME, default=None)
    legal_basis: Text = retained(RetentionClass.OUTCOME, default="")
    detail: CheckReason | None = retained(RetentionClass.OUTCOME, default=None)
    facts: dict[Identifier, ShortText] = retained(
        RetentionClass.OUTCOME,
        default_factory=dict,
        description="figures for the sentence: declared, norm, unit, …",
    )


class PersonOutcome(Contract):
    """One person's channel and what led to it."""

    person_id: Annotated[str, Field(pattern=r"^p[1-9][0-9]?$")] = retained(RetentionClass.OUTCOME)
    channel: Channel = retained(RetentionClass.OUTCOME)
    reasons: tuple[ReferralReason, ...] = retained(RetentionClass.OUTCOME, default=())

    @model_validator(mode="after")
    def _red_says_why(self) -> PersonOutcome:
        if (self.channel is Channel.RED) != bool(self.reasons):
            raise ValueError("red has at least one reason and green has none")
        return self


class Versions(Contract):
    """Everything that must be the same for the same inputs to give the same answer (rule 4)."""

    software: Identifier = retained(RetentionClass.OPERATIONAL)
    contracts: Identifier = retained(RetentionClass.OPERATIONAL)
    rule_pack: Identifier = retained(RetentionClass.OPERATIONAL)
    rule_pack_hash: Sha256Hex = retained(RetentionClass.OPERATIONAL)
    watch_list_hash: Sha256Hex = retained(RetentionClass.OPERATIONAL)
    rates_hash: Sha256Hex = retained(RetentionClass.OPERATIONAL)
    sampling_period: Identifier = retained(RetentionClass.OPERATIONAL)
    sampling_rate: Annotated[float, Field(ge=0, le=1)] = retained(RetentionClass.OPERATIONAL)


class Decision(Contract):
    """The answer to one transaction record."""

    record_id: Identifier = retained(RetentionClass.OUTCOME)
    channel: Channel = retained(RetentionClass.OUTCOME)
    persons: tuple[PersonOutcome, ...] = retained(RetentionClass.OUTCOME, min_length=1)
    desk: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,4}$")] | None = retained(RetentionClass.OUTCOME, default=None)
    wait_minutes: Annotated[int, Field(ge=0, le=600)] | None = retained(RetentionClass.OUTCOME, default=None)
    receipt: Annotated[str, Field(max_length=1200)] = retained(
        RetentionClass.OUTCOME, description="signed single-use token, shown as QR"
    )
    receipt_number: Annotated[str, Field(pattern=r"^[0-9]{4,8}$")] = retained(RetentionClass.OUTCOME)
    receipt_expires_at: Moment = retained(RetentionClass.OUTCOME)
    evidence_wanted: bool = retained(
        RetentionClass.OUTCOME, default=False, description="the kiosk uploads its evidence bundle, then wipes"
    )
    decided_at: Moment = retained(RetentionClass.OUTCOME)
    versions: Versions

    @model_validator(mode="after")
    def _party_takes_the_maximum(self) -> Decision:
        red = any(person.channel is Channel.RED for person in self.persons)
        if (self.channel is Channel.RED) != red:
            raise ValueError("the party is red when any person is red, and green otherwise")
        if red and self.desk is None:
            raise ValueError("a referral names a desk")
        return self
