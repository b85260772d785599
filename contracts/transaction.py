"""The one signed record a kiosk sends. It carries no image (rule 5)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts import CONTRACTS_VERSION
from contracts.base import Contract, Identifier, Moment, RetentionClass, Sha256Hex, retained
from contracts.party import Direction, Party


class DriverProvenance(Contract):
    """Which driver served a device, and whether it stood for a simulator."""

    device: Identifier
    driver: Identifier
    simulated: bool
    detail: Annotated[str, Field(max_length=120)] = ""


class Provenance(Contract):
    """Where the record's facts come from (rule 10)."""

    profile: Literal["demo", "test", "production"]
    software: Identifier
    drivers: tuple[DriverProvenance, ...] = ()
    trust_anchors: tuple[Sha256Hex, ...] = retained(
        RetentionClass.OPERATIONAL, default=(), description="SHA-256 of the CSCA certificates relied upon"
    )
    models: dict[Identifier, Sha256Hex] = retained(RetentionClass.OPERATIONAL, default_factory=dict)
    radio_profile: Identifier = "none"
    rule_pack_sha256: Sha256Hex | None = retained(
        RetentionClass.OPERATIONAL, default=None, description="of the rule pack that the journey began with"
    )


class EvidenceReference(Contract):
    """Binds the encrypted evidence bundle to the record: the hash of its ciphertext."""

    suite: Identifier
    key_id: Identifier
    ciphertext_sha256: Sha256Hex
    size: Annotated[int, Field(ge=1, le=50_000_000)]


class TransactionRecord(Contract):
    """Everything central needs to decide, and to decide again the same way."""

    contracts_version: str = CONTRACTS_VERSION
    site_id: Identifier
    kiosk_id: Identifier
    record_id: Identifier = retained(
        RetentionClass.OUTCOME, description="UUID; also the idempotency key of every attempt"
    )
    direction: Direction
    flight: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,3}[0-9]{1,4}[A-Z]?$")] | None = retained(
        RetentionClass.IDENTITY, default=None
    )
    started_at: Moment
    completed_at: Moment
    party: Party
    finished: Literal["complete", "to_officer"] = retained(
        RetentionClass.OUTCOME,
        default="complete",
        description="to_officer: the journey ended early and a person takes over",
    )
    evidence: EvidenceReference | None = None
    provenance: Provenance
    step_seconds: dict[Identifier, Annotated[float, Field(ge=0, le=86_400)]] = retained(
        RetentionClass.OPERATIONAL, default_factory=dict
    )
