"""Intake: a record becomes a decision in one transaction, or nothing happened (rule 7).

Record, decision, reasons, referrals, receipt and audit are on disk together before the kiosk hears the answer.
The same record again gets the same answer; another body under the same number is a conflict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib import metadata

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central import receipts, risk, sampling, trust
from central.audit import station_chain
from central.law import day_of_law
from central.referrals import stored_decision
from central.risk import Features, ListHit
from central.sampling import Lottery
from central.screening import WatchList, fold
from central.service import Central
from central.storage.models import (
    DocumentIndex,
    StoredDecision,
    StoredEvidence,
    StoredReason,
    StoredReferral,
    Transaction,
)
from contracts import CONTRACTS_VERSION
from contracts.base import RetentionClass
from contracts.canonical import canonical_json
from contracts.decision import Channel, Decision, PersonOutcome, Versions
from contracts.disposition import Agency, ReferralState
from contracts.events import AuditTag
from contracts.party import Party
from contracts.transaction import TransactionRecord


class Conflict(Exception):
    """The record number was used with another body."""


class NotTrusted(Exception):
    """The record comes out of a world that this service must not trust (rule 10); `place` says which field."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class EvidenceRefused(Exception):
    """A bundle that was not asked for, is of an unknown record, or is not the one that the record promised."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason  # unknown | not_wanted | mismatch


@dataclass(frozen=True)
class Stored:
    """An answer, and whether it was given before."""

    decision: Decision
    repeated: bool


def software() -> str:
    """This software's name and version, as decisions record it."""
    try:
        return f"corridor-{metadata.version('corridor')}"
    except metadata.PackageNotFoundError:
        return "corridor-unreleased"


def accept(central: Central, record: TransactionRecord, body: bytes) -> Stored:
    """Decide on a record whose sender was verified. Raises Conflict or NotTrusted."""
    body_sha256 = hashlib.sha256(body).hexdigest()
    with central.storage.read() as session:
        before = _answered(central, session, record.record_id, body_sha256)
    if before is not None:
        return Stored(before, repeated=True)
    _trusted(central, record)
    now = central.clock()
    draw = sampling.lottery(
        central.sampling_seeds.current.secret,
        now,
        central.timezone,
        central.config.effective_sampling_rate,
        central.config.sampling_rotation,
    )
    features = features_of(central, record, draw, received=now)
    outcomes = risk.decide(features)
    with central.storage.write() as session:
        before = _answered(central, session, record.record_id, body_sha256)
        if before is not None:
            return Stored(before, repeated=True)
        with session.no_autoflush:
            decision = _store(central, session, features, draw, outcomes, body_sha256)
    central.broker.wake()
    return Stored(decision, repeated=False)


def features_of(central: Central, record: TransactionRecord, draw: Lottery, *, received: datetime) -> Features:
    """What a decision on this record depends on: the law its session began with, rates and lists."""
    on = day_of_law(record.started_at, received, central.timezone)
    hits, screened = screen(central.watch_list, record.party, on)
    declarations = [person.declaration for person in record.party.persons if person.declaration is not None]
    law = central.law.applicable(
        frozenset(declaration.rule_pack for declaration in declarations),
        record.provenance.rule_pack_sha256 if declarations else None,
        record.started_at,
        received,
    )
    return Features(
        record=record,
        pack=law.pack,
        pack_sha256=law.version.sha256,
        law_problem=law.problem,
        rates=central.exchange.on(on),
        on=on,
        transport=central.config.transport,
        drawn=draw.drawn(record),
        hits=hits,
        screened=screened,
    )


def screen(
    watch_list: WatchList, party: Party, on: date
) -> tuple[Mapping[str, tuple[ListHit, ...]], frozenset[str]]:
    """List hits by person, and who could be screened at all: somebody whose name was read from the chip."""
    hits: dict[str, tuple[ListHit, ...]] = {}
    screened = set()
    for person in party.persons:
        document = person.identity
        if document is None or not fold(f"{document.surname or ''}{document.given_names or ''}"):
            continue
        screened.add(person.person_id)
        found = watch_list.screen(document.surname or "", document.given_names or "", document.birth_date, on)
        if found:
            hits[person.person_id] = found
    return hits, frozenset(screened)


def store_evidence(central: Central, kiosk_id: str, record_id: str, ciphertext: bytes) -> bool:
    """Keep a bundle as received; returns False when it was kept before. Raises EvidenceRefused."""
    site, now = central.config.site_id, central.clock()
    sha256 = hashlib.sha256(ciphertext).hexdigest()
    with central.storage.write() as session:
        transaction = session.get(Transaction, (site, record_id))
        if transaction is None or transaction.kiosk_id != kiosk_id:
            raise EvidenceRefused("unknown")
        if transaction.channel != Channel.RED.value or transaction.evidence_sha256 is None:
            raise EvidenceRefused("not_wanted")
        if transaction.evidence_sha256 != sha256 or transaction.evidence_size != len(ciphertext):
            raise EvidenceRefused("mismatch")
        if session.get(StoredEvidence, (site, record_id)) is not None:
            return False
        record = central.envelope.open_model(session, record_id, "record", TransactionRecord)
        assert record.evidence is not None
        payload = central.envelope.seal(session, record_id, "evidence", RetentionClass.EVIDENCE, ciphertext, now)
        session.add(
            StoredEvidence(
                site_id=site,
                record_id=record_id,
                suite=record.evidence.suite,
                key_id=record.evidence.key_id,
                ciphertext_sha256=sha256,
                size=len(ciphertext),
                received_at=now,
            )
        )
        central.audit.append(
            session, chain=station_chain(kiosk_id), tag=AuditTag.TRANSACTION_EVIDENCE_STORED, actor=kiosk_id,
            now=now, record_id=record_id, detail={"size": len(ciphertext)}, payload_sha256=payload,
        )  # fmt: skip
    central.broker.wake()
    return True


def _answered(central: Central, session: Session, record_id: str, body_sha256: str) -> Decision | None:
    row = session.get(Transaction, (central.config.site_id, record_id))
    if row is None:
        return None
    if row.body_sha256 != body_sha256:
        raise Conflict(record_id)
    return stored_decision(central, session, record_id)


def _trusted(central: Central, record: TransactionRecord) -> None:
    """Production takes nothing of a demo, a test or a simulator; a demo takes nothing of production."""
    production = central.config.profile == "production"
    if (record.provenance.profile == "production") != production:
        raise NotTrusted("provenance.profile")
    if production and any(driver.simulated for driver in record.provenance.drivers):
        raise NotTrusted("provenance.drivers")
    allowed = central.config.trusted_anchors
    beyond = set(record.provenance.trust_anchors) - set(allowed)
    if allowed and beyond and not beyond <= trust.ever_trusted(central):
        raise NotTrusted("provenance.trust_anchors")


def _store(
    central: Central,
    session: Session,
    features: Features,
    draw: Lottery,
    outcomes: tuple[PersonOutcome, ...],
    body_sha256: str,
) -> Decision:
    record, site, now = features.record, central.config.site_id, central.clock()
    channel = Channel.RED if any(outcome.channel is Channel.RED for outcome in outcomes) else Channel.GREEN
    desk, wait = _desk(central, session) if channel is Channel.RED else (None, None)
    token, number, expires_at = receipts.issue(
        central, session, record_id=record.record_id, channel=channel, desk=desk, now=now
    )
    decision = Decision(
        record_id=record.record_id,
        channel=channel,
        persons=outcomes,
        desk=desk,
        wait_minutes=wait,
        receipt=token,
        receipt_number=number,
        receipt_expires_at=expires_at,
        evidence_wanted=channel is Channel.RED and record.evidence is not None,
        decided_at=now,
        versions=Versions(
            software=software(),
            contracts=CONTRACTS_VERSION,
            rule_pack=features.pack.label,
            rule_pack_hash=features.pack_sha256,
            watch_list_hash=central.watch_list.content_hash,
            rates_hash=features.rates_sha256,
            sampling_period=draw.period,
            sampling_rate=draw.rate,
        ),
    )
    session.add(_row(record, channel, body_sha256, now))
    sealed_record = central.envelope.seal_model(session, record.record_id, "record", record, now)
    sealed_decision = central.envelope.seal(
        session, record.record_id, "decision:1", RetentionClass.OUTCOME, decision.model_dump_json().encode(), now
    )
    central.envelope.seal(
        session, record.record_id, "features:1", RetentionClass.IDENTITY, snapshot(features, draw), now
    )
    session.add(
        StoredDecision(
            site_id=site,
            record_id=record.record_id,
            version=1,
            decided_at=now,
            channel=channel.value,
            desk=desk,
            receipt_number=number,
            versions=decision.versions.model_dump(mode="json"),
            sampling_commitment=draw.commitment,
            sampling_population=sampling.population(record),
            sampling_drawn=len(features.drawn),
        )
    )
    reasons = [reason for outcome in outcomes for reason in outcome.reasons]
    for position, reason in enumerate(reasons):
        session.add(
            StoredReason(
                site_id=site,
                record_id=record.record_id,
                position=position,
                person_id=reason.person_id,
                code=reason.code,
                reason_class=reason.reason_class.value,
                severity=reason.severity.value,
                rule_id=reason.rule_id,
                rule_version=reason.rule_version,
                detail=reason.detail,
            )
        )
    blinds = {
        central.envelope.blind(document.issuer, document.number)
        for person in record.party.persons
        for document in person.documents
        if document.issuer and document.number
    }
    session.add_all(DocumentIndex(site_id=site, blind=blind, record_id=record.record_id) for blind in blinds)
    if channel is Channel.RED and desk is not None:
        owners = {hit.owner for hits in features.hits.values() for hit in hits}
        for agency in risk.agencies(outcomes, owners):
            session.add(_referral(site, record.record_id, agency, risk.worst(outcomes).value, desk, number, now))
    chain = station_chain(record.kiosk_id)
    for tag, payload, detail in (
        (AuditTag.TRANSACTION_RECORD_ACCEPTED, sealed_record, {"body_sha256": body_sha256}),
        (AuditTag.TRANSACTION_DECISION_MADE, sealed_decision, {"channel": channel.value, "reasons": len(reasons)}),
        (AuditTag.RECEIPT_TOKEN_ISSUED, None, {"number": number}),
    ):
        central.audit.append(
            session, chain=chain, tag=tag, actor=record.kiosk_id, now=now, record_id=record.record_id,
            detail=detail, payload_sha256=payload,
        )  # fmt: skip
    return decision


def snapshot(features: Features, draw: Lottery) -> bytes:
    """What a decision relied on beside the record: enough to decide again and to compare step by step."""
    return json.dumps(
        {
            "on": features.on.isoformat(),
            "law_problem": features.law_problem,
            "transport": features.transport.value,
            "period": draw.period,
            "rate": draw.rate,
            "drawn": sorted(features.drawn),
            "screened": sorted(features.screened),
            "hits": {
                person_id: [
                    {"entry": hit.entry, "score": hit.score, "birth_date": hit.birth_date} for hit in found
                ]
                for person_id, found in sorted(features.hits.items())
            },
            "record_sha256": hashlib.sha256(canonical_json(features.record)).hexdigest(),
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def _row(record: TransactionRecord, channel: Channel, body_sha256: str, now: datetime) -> Transaction:
    persons = record.party.persons
    declared = {
        person.declaration.declared_channel.value
        for person in persons
        if person.declaration is not None and person.declaration.certified_at is not None
    }
    lead = next(person for person in persons if person.role == "lead")
    languages = [lead.declaration.language] if lead.declaration is not None else []
    return Transaction(
        site_id=record.site_id,
        record_id=record.record_id,
        kiosk_id=record.kiosk_id,
        contracts_version=record.contracts_version,
        body_sha256=body_sha256,
        direction=record.direction.value,
        finished=record.finished,
        declared_channel="red" if "red" in declared else "green" if declared else "none",
        channel=channel.value,
        people=len(persons),
        minors=sum(person.role == "minor" for person in persons),
        language=languages[0] if languages else "",
        started_at=record.started_at,
        completed_at=record.completed_at,
        received_at=now,
        machine_seconds=record.step_seconds.get("total"),
        step_seconds=dict(record.step_seconds),
        evidence_sha256=record.evidence.ciphertext_sha256 if record.evidence else None,
        evidence_size=record.evidence.size if record.evidence else None,
    )


def _referral(
    site: str, record_id: str, agency: Agency, severity: str, desk: str, number: str, now: datetime
) -> StoredReferral:
    return StoredReferral(
        site_id=site,
        record_id=record_id,
        agency=agency.value,
        state=ReferralState.OPEN.value,
        severity=severity,
        desk=desk,
        receipt_number=number,
        opened_at=now,
    )


def _desk(central: Central, session: Session) -> tuple[str, int]:
    """The desk with the fewest open cases, in the order of the configuration, and the wait there in minutes."""
    site = central.config.site_id
    cases = func.count(StoredReferral.record_id.distinct())
    open_cases = {
        row[0]: int(row[1])
        for row in session.execute(
            select(StoredReferral.desk, cases)
            .where(StoredReferral.site_id == site, StoredReferral.closed_at.is_(None))
            .group_by(StoredReferral.desk)
        )
    }
    desk = min(central.config.desks, key=lambda name: open_cases.get(name, 0))
    return desk, min(600, open_cases.get(desk, 0) * central.config.minutes_per_case)
