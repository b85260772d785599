"""The tables. `site_id` leads every key; personal data is ciphertext; plain columns are not personal.

Sealed columns hold what `central.sealing` makes. Their hashes go into the audit chain, so that erasing a data key
leaves the chain verifiable (rule 11).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Dialect,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MomentColumn(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC: the same in every engine, ordered, no lost time zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment needs a time zone")
        return (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: String(200),
        datetime: MomentColumn,
        bytes: LargeBinary,
        bool: Boolean,
        float: Float,
        int: Integer,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class Transaction(Base):
    """One accepted record. What is personal sits in `sealed_parts`."""

    __tablename__ = "transactions"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    kiosk_id: Mapped[str]
    contracts_version: Mapped[str]
    body_sha256: Mapped[str]
    direction: Mapped[str]
    finished: Mapped[str]
    declared_channel: Mapped[str]  # red if anybody of the party declared red; "none" before any declaration
    channel: Mapped[str]
    people: Mapped[int]
    minors: Mapped[int]
    language: Mapped[str]
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime]
    received_at: Mapped[datetime]
    machine_seconds: Mapped[float | None]
    step_seconds: Mapped[dict[str, Any]]
    evidence_sha256: Mapped[str | None]
    evidence_size: Mapped[int | None]

    __table_args__ = (Index("transactions_received", "site_id", "received_at"),)


class SealedPart(Base):
    """The part of a record, decision or disposition that one retention class covers, encrypted."""

    __tablename__ = "sealed_parts"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)  # record:identity, decision:1, features:1, evidence …
    retention: Mapped[str]
    suite: Mapped[str]
    ciphertext: Mapped[bytes]  # nonce first


class DataKey(Base):
    """The key of one retention class of one transaction, wrapped. Deleting it erases the class."""

    __tablename__ = "data_keys"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    retention: Mapped[str] = mapped_column(primary_key=True)
    suite: Mapped[str]
    master_key_id: Mapped[str]
    wrapped: Mapped[bytes]  # nonce first
    expires_at: Mapped[datetime]

    __table_args__ = (Index("data_keys_expiry", "site_id", "expires_at"),)


class Erasure(Base):
    """Proof that a retention class of a record was erased: what stayed behind is unreadable ciphertext."""

    __tablename__ = "erasures"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    retention: Mapped[str] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]
    ciphertext_sha256: Mapped[str]  # over all sealed parts of the class
    event_id: Mapped[int] = mapped_column(BigInteger)


class DocumentIndex(Base):
    """Blind index: finds the transactions of a document number without storing the number."""

    __tablename__ = "document_index"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    blind: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)


class StoredDecision(Base):
    """One version of the answer to a record. The reasons' facts are sealed; codes and classes are plain."""

    __tablename__ = "decisions"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    decided_at: Mapped[datetime]
    channel: Mapped[str]
    desk: Mapped[str | None]
    receipt_number: Mapped[str]
    versions: Mapped[dict[str, Any]]
    sampling_commitment: Mapped[str]  # SHA-256 of the period's seed
    sampling_population: Mapped[int]  # how many of the party took part in the draw
    sampling_drawn: Mapped[int]


class StoredReason(Base):
    """One reason of a decision: its codes, for queues and statistics."""

    __tablename__ = "reasons"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str | None]
    code: Mapped[str]
    reason_class: Mapped[str]
    severity: Mapped[str]
    rule_id: Mapped[str | None]
    rule_version: Mapped[str | None]
    detail: Mapped[str | None]


class StoredReferral(Base):
    """One agency's part of a referral. It is open until a named officer's signed disposition closes it."""

    __tablename__ = "referrals"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    severity: Mapped[str]
    desk: Mapped[str]
    receipt_number: Mapped[str]
    opened_at: Mapped[datetime]
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    may_leave: Mapped[bool | None]  # set when closed: may this traveller pass the exit as far as this agency goes
    no_show_at: Mapped[datetime | None]  # when the alarm was raised
    exit_alarm_at: Mapped[datetime | None]  # when the traveller stood at the exit without closure

    __table_args__ = (Index("referrals_state", "site_id", "state"),)


class StoredDisposition(Base):
    """What a named officer signed. The note is sealed; nothing writes here but `central.dispositions`."""

    __tablename__ = "dispositions"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    finding: Mapped[bool]  # anything but a release without finding and a no-show: what a hit rate counts
    reason_code: Mapped[str]
    hand_over_to: Mapped[str | None]
    officer_id: Mapped[str]
    second_officer_id: Mapped[str | None]
    decided_at: Mapped[datetime]
    suite: Mapped[str]
    key_id: Mapped[str]
    signature: Mapped[str]
    second_key_id: Mapped[str | None]
    second_signature: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("length(signature) = 86 AND length(officer_id) > 0", name="dispositions_are_signed"),
    )


class StoredDeclaration(Base):
    """One version of one person's declaration, kept from the first amendment on; its words are the sealed part
    `declaration:<person>:<version>`. A row is never changed but for its certification, once.
    """

    __tablename__ = "declaration_versions"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    entered_by: Mapped[str]  # the kiosk for the first, the officer for every other
    entered_at: Mapped[datetime]
    certified_at: Mapped[datetime | None]
    witnessed_by: Mapped[str | None]  # the officer before whom the declarant signed it on paper

    __table_args__ = (
        CheckConstraint(
            "version = 1 OR (certified_at IS NULL) = (witnessed_by IS NULL)", name="declarations_are_witnessed"
        ),
    )


class StoredReceipt(Base):
    """A receipt that was issued. Single use."""

    __tablename__ = "receipts"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    receipt_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str]
    number: Mapped[str]
    channel: Mapped[str]
    desk: Mapped[str | None]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("site_id", "record_id", name="receipts_record"),
        Index("receipts_number", "site_id", "number"),
    )


class StoredEvidence(Base):
    """That an evidence bundle arrived; the ciphertext as received is a sealed part named `evidence`."""

    __tablename__ = "evidence"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    suite: Mapped[str]
    key_id: Mapped[str]
    ciphertext_sha256: Mapped[str]
    size: Mapped[int]
    received_at: Mapped[datetime]


class Station(Base):
    """A kiosk or an exit that may send requests, with its public key."""

    __tablename__ = "stations"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    station_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # kiosk | exit
    bank: Mapped[str]  # the group it stands in
    key_id: Mapped[str]
    public_key: Mapped[str]
    demo: Mapped[bool]
    suspended: Mapped[bool]
    suspended_reason: Mapped[str]
    enrolled_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    heartbeat: Mapped[dict[str, Any] | None]

    __table_args__ = (UniqueConstraint("site_id", "key_id", name="stations_key"),)


class Nonce(Base):
    """A nonce that was used; kept for as long as a signature lives."""

    __tablename__ = "nonces"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]

    __table_args__ = (Index("nonces_seen", "site_id", "seen_at"),)


class StoredAnswer(Base):
    """The answer that a request with an idempotency key got (receipt checks; a record has its decision)."""

    __tablename__ = "answers"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    station_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    body_sha256: Mapped[str]
    answer: Mapped[dict[str, Any]]
    answered_at: Mapped[datetime]


class Counter(Base):
    """Gap-free numbers of a day: receipts."""

    __tablename__ = "counters"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class Artifact(Base):
    """A rule pack, rates or watch list as it was when a decision relied on it. Watch lists are sealed."""

    __tablename__ = "artifacts"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  # rule_pack | rates | watch_list
    sha256: Mapped[str] = mapped_column(primary_key=True)
    suite: Mapped[str]
    key_id: Mapped[str]
    content: Mapped[bytes]
    stored_at: Mapped[datetime]


class StoredTrust(Base):
    """One version of the trust store: proposed by one administrator, decided by another, never changed after."""

    __tablename__ = "trust_versions"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]  # proposed | active | retired | rejected
    base_version: Mapped[int]  # the active one when it was proposed; 0 for none
    sha256: Mapped[str]  # of the bundle that kiosks get, without its signature
    content: Mapped[bytes]  # central.trust.Content as JSON
    fingerprints: Mapped[list[Any]]  # SHA-256 of every authority in it
    note: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "state NOT IN ('active', 'retired') OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="trust_needs_two",
        ),
    )


class StoredLaw(Base):
    """One version of the law: a merged rule pack with the layer files it was made of. Never changed."""

    __tablename__ = "law_versions"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]  # pack:version, as declarations name it
    sha256: Mapped[str]  # of `content`
    content: Mapped[bytes]  # the merged pack as canonical JSON
    layers: Mapped[dict[str, Any]]  # layer → its file's text
    unverified: Mapped[int]  # rules that nobody has verified in the source
    note: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("site_id", "sha256", name="law_once"),
        UniqueConstraint("site_id", "label", name="law_label"),
    )


class StoredActivation(Base):
    """That a version becomes law at a moment: asked for by one administrator, approved by another."""

    __tablename__ = "law_activations"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    activation: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    kind: Mapped[str]  # shipped (with the set-up) | dated | rollback
    state: Mapped[str]  # asked | approved | rejected | withdrawn
    effective_on: Mapped[str | None]  # the local day, YYYY-MM-DD; None: at once
    effective_at: Mapped[datetime | None]  # None until approved
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(["site_id", "version"], ["law_versions.site_id", "law_versions.version"]),
        CheckConstraint(
            "state <> 'approved' OR kind = 'shipped' OR (decided_by IS NOT NULL AND decided_by <> asked_by)",
            name="law_needs_two",
        ),
        CheckConstraint("state <> 'approved' OR effective_at IS NOT NULL", name="law_has_a_moment"),
    )


class LawEffect(Base):
    """What a version would have changed in stored declarations: counts and reasons, nothing personal."""

    __tablename__ = "law_effects"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    effect: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    compared_with: Mapped[int]
    state: Mapped[str]  # done | cancelled | failed
    result: Mapped[dict[str, Any]]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime]


class StoredRates(Base):
    """One import of official exchange rates. Never changed; of one day the newest import counts."""

    __tablename__ = "rate_versions"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    date: Mapped[str]  # the day the rates are of, YYYY-MM-DD
    source: Mapped[str]
    sha256: Mapped[str]  # of `content`
    content: Mapped[bytes]  # declarations.money.Rates as canonical JSON
    origin: Mapped[str]  # set-up | file | endpoint
    imported_by: Mapped[str]
    imported_at: Mapped[datetime]

    __table_args__ = (Index("rate_versions_date", "site_id", "date"),)


class FaceMeasurement(Base):
    """One order to measure face comparison. The order and its pictures are ciphertext under a key of their own,
    which is forgotten when the measurement ends; figures stay.
    """

    __tablename__ = "face_measurements"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]  # arriving | waiting | running | done | stopped | failed | expired
    station_id: Mapped[str]  # the only one that may take it
    engine: Mapped[str]
    match_rate: Mapped[float | None]  # None: as the station is configured
    note: Mapped[str]
    with_pictures: Mapped[bool]  # False: they lie in the station's folder
    pictures: Mapped[int]
    people: Mapped[int]
    groups: Mapped[list[Any]]  # what the groups are called
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    attempt: Mapped[int]
    stage: Mapped[str]
    done: Mapped[int]
    total: Mapped[int]
    heard_at: Mapped[datetime | None]  # when the station last spoke of it
    ended_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]  # contracts.face_measurement.FaceFigures
    suite: Mapped[str]
    master_key_id: Mapped[str]
    wrapped_key: Mapped[bytes | None]
    sealed_order: Mapped[bytes | None]

    __table_args__ = (
        CheckConstraint(
            "ended_at IS NULL OR (wrapped_key IS NULL AND sealed_order IS NULL)",
            name="face_measurements_are_wiped",
        ),
    )


class FaceMeasurementPicture(Base):
    """One picture of a measurement, encrypted, until it ends."""

    __tablename__ = "face_measurement_pictures"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]  # nonce first


class FaceReferralCount(Base):
    """What officers found of the site's own face referrals: counts by group, none of fewer people than is set."""

    __tablename__ = "face_referral_counts"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]  # done | stopped | failed
    result: Mapped[dict[str, Any]]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime]


class StoredUser(Base):
    """A person who signs in. The signing key is wrapped by a key that only the password yields."""

    __tablename__ = "users"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    language: Mapped[str]
    password_hash: Mapped[str]
    disabled: Mapped[bool]
    demo: Mapped[bool]
    created_at: Mapped[datetime]
    signing_suite: Mapped[str]
    signing_key_id: Mapped[str]
    signing_public_key: Mapped[str]
    signing_key_wrapped: Mapped[bytes]  # salt, nonce, ciphertext


class Grant(Base):
    """One permission bundle: role × agency × site."""

    __tablename__ = "grants"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime]
    granted_by: Mapped[str]

    __table_args__ = (ForeignKeyConstraint(["site_id", "user_id"], ["users.site_id", "users.user_id"]),)


class SignInSession(Base):
    """A signed-in browser. The cookie holds the token; here is only its hash."""

    __tablename__ = "sessions"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class SignInFailure(Base):
    """A refused sign-in, for the throttle. The subject is a keyed hash of the user name or address."""

    __tablename__ = "sign_in_failures"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    attempt_id: Mapped[str] = mapped_column(primary_key=True)
    failed_at: Mapped[datetime]


class AuditEvent(Base):
    """One event of a hash chain: a chain per kiosk or exit, one for people, one for the service itself."""

    __tablename__ = "audit_events"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    chain: Mapped[str]
    sequence: Mapped[int]
    at: Mapped[datetime]
    tag: Mapped[str]
    actor: Mapped[str]
    record_id: Mapped[str | None]
    detail: Mapped[dict[str, Any]]  # codes and counts, never a name
    payload_sha256: Mapped[str | None]  # of ciphertext
    previous_hash: Mapped[str]
    hash: Mapped[str]

    __table_args__ = (
        UniqueConstraint("site_id", "chain", "sequence", name="audit_sequence"),
        Index("audit_record", "site_id", "record_id"),
    )


class AuditHead(Base):
    """The signed end of a chain, so that cutting off its tail shows."""

    __tablename__ = "audit_heads"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    chain: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    hash: Mapped[str]
    suite: Mapped[str]
    key_id: Mapped[str]
    signature: Mapped[str]
