"""What people decided. Nothing here is ever created without a named officer's signed action (rule 1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.base import Contract, Identifier, Moment, RetentionClass, Text, retained


class Agency(StrEnum):
    CUSTOMS = "customs"
    BORDER = "border"
    POLICE = "police"
    VETERINARY = "veterinary"
    PLANT_HEALTH = "plant_health"


class DispositionOutcome(StrEnum):
    RELEASE = "release"  # no finding
    ASSESS_DUTY = "assess_duty"
    DETAIN_GOODS = "detain_goods"  # two officers sign
    HAND_OVER = "hand_over"  # to another agency
    REFUSE = "refuse"  # border service: refusal of entry; two officers sign
    NO_SHOW = "no_show"  # closed by a supervisor after the alarm


class ReferralState(StrEnum):
    """Every referral closes (rule 9)."""

    OPEN = "open"  # answered red, the traveller is expected
    PRESENTED = "presented"  # claimed by an officer, traveller at the desk
    RELEASED = "released"
    HANDED_OVER = "handed_over"
    NO_SHOW = "no_show"


class Disposition(Contract):
    """One agency's decision on one referral, signed by its officer.

    `signature` is Ed25519 over the canonical JSON of this model without `signature`, made with the
    officer's key under the named suite.
    """

    record_id: Identifier = retained(RetentionClass.OUTCOME)
    agency: Agency = retained(RetentionClass.OUTCOME)
    outcome: DispositionOutcome = retained(RetentionClass.OUTCOME)
    reason_code: Annotated[str, Field(pattern=r"^[A-Z]-[0-9]{2}$")] = retained(RetentionClass.OUTCOME)
    note: Text = retained(RetentionClass.OUTCOME, default="")
    hand_over_to: Agency | None = retained(RetentionClass.OUTCOME, default=None)
    officer_id: Identifier = retained(RetentionClass.OUTCOME)
    second_officer_id: Identifier | None = retained(RetentionClass.OUTCOME, default=None)
    decided_at: Moment = retained(RetentionClass.OUTCOME)
    suite: Identifier = retained(RetentionClass.OPERATIONAL, default="ed25519")
    key_id: Identifier = retained(RetentionClass.OPERATIONAL)
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")] | None = retained(
        RetentionClass.OUTCOME, default=None, description="base64url without padding"
    )
