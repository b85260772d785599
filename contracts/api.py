"""The smaller messages between kiosk, exit and central."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Identifier, Moment, Sha256Hex, ShortText
from contracts.errors import ErrorCode
from contracts.face_measurement import FaceModels
from contracts.transaction import DriverProvenance


class DeviceState(StrEnum):
    WORKING = "working"
    WATCH = "watch"  # works, needs a person soon: paper low, calibration due
    STOPPED = "stopped"


class DeviceHealth(Contract):
    """One device's state; `detail` is a sentence for a technician, without personal data."""

    device: Identifier
    state: DeviceState
    error: ErrorCode | None = None
    detail: ShortText = ""
    checked_at: Moment


class Heartbeat(Contract):
    """Sent by each kiosk every few seconds and at each change."""

    site_id: Identifier
    kiosk_id: Identifier
    sent_at: Moment
    state: Literal["working", "in_use", "watch", "stopped"]
    software: Identifier
    devices: tuple[DeviceHealth, ...] = ()
    drivers: tuple[DriverProvenance, ...] = ()
    outbox_waiting: Annotated[int, Field(ge=0)] = 0
    faces: FaceModels | None = None  # what it compares faces with


class KioskConfiguration(Contract):
    """What central tells a kiosk at start and with each heartbeat's answer."""

    rule_pack: Identifier
    rule_pack_hash: Sha256Hex
    evidence_suite: Identifier
    evidence_key_id: Identifier
    evidence_public_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]  # X25519, base64url, no padding
    receipt_public_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]  # Ed25519
    suspended: bool = False
    # The trust store that kiosks shall have: its version and the hash of its `TrustBundle` without the signature.
    # 0: central keeps none, and kiosks use what they were set up with.
    trust_version: Annotated[int, Field(ge=0)] = 0
    trust_sha256: Sha256Hex | None = None
    # The law that kiosks shall have: the number and hash of central's `LawBundle` without the signature. 0: they
    # keep the pack they were set up with.
    law_version: Annotated[int, Field(ge=0)] = 0
    law_sha256: Sha256Hex | None = None
    server_time: Moment
    # Ed25519 of `receipt_public_key` over the canonical JSON of this without the signature: a kiosk that knows the
    # key seals its pictures for nobody else, whoever answers it.
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")] | None = None


Der = Annotated[str, Field(min_length=4, max_length=400_000, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]  # base64


class TrustBundle(Contract):
    """The trust store of a site as two administrators approved it, for its kiosks: DER in base64."""

    site_id: Identifier
    version: Annotated[int, Field(ge=1)]
    certificates: Annotated[tuple[Der, ...], Field(max_length=10_000)] = ()  # country signing authorities
    revocation_lists: Annotated[tuple[Der, ...], Field(max_length=2_000)] = ()
    signers: Annotated[tuple[Der, ...], Field(max_length=50_000)] = ()  # document signers, trusted for nothing
    # Ed25519 of central's receipt key over the canonical JSON of this without the signature.
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")] | None = None


class PackInForce(Contract):
    """A rule pack and the moment from which it is law at the site."""

    sha256: Sha256Hex = Field(description="of `content`")
    effective_at: Moment
    content: Annotated[str, Field(min_length=2, max_length=4_000_000)]  # canonical JSON of the merged pack


class LawBundle(Contract):
    """The law of a site for its kiosks: the pack in force, what follows on a known day, and exchange rates."""

    site_id: Identifier
    version: Annotated[int, Field(ge=1)]  # grows with every change of packs or rates
    packs: Annotated[tuple[PackInForce, ...], Field(min_length=1, max_length=8)]  # by moment, the oldest first
    rates: Annotated[tuple[Annotated[str, Field(max_length=100_000)], ...], Field(max_length=8)] = ()  # as JSON
    # Ed25519 of central's receipt key over the canonical JSON of this without the signature.
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")] | None = None


class ReceiptCheckRequest(Contract):
    """Sent by the exit's scanner."""

    site_id: Identifier
    exit_id: Identifier
    token: Annotated[str, Field(min_length=1, max_length=1200)]


class ReceiptAnswer(StrEnum):
    OPEN = "open"  # cleared: open the gate
    TO_DESK = "to_desk"  # a referral that is not closed yet
    USED = "used"  # single use
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # forged, altered or of another site


class ReceiptCheckResponse(Contract):
    answer: ReceiptAnswer
    receipt_number: str | None = None
    desk: str | None = None
