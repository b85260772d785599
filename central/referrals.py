"""Referrals: the queue of an agency, the case, the claim, and the alarms (rules 1 and 9).

Everything here reads, claims or raises an alarm. Only `central.dispositions` closes a referral.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from central import risk
from central.access.permissions import Permission, User
from central.audit import PEOPLE, SERVICE
from central.evidence import Picture, open_bundle, pictures
from central.risk import Features
from central.sealing import Erased, Unreadable
from central.service import Central
from central.storage.models import (
    AuditEvent,
    StoredDecision,
    StoredDisposition,
    StoredEvidence,
    StoredReason,
    StoredReferral,
    StoredUser,
    Transaction,
)
from contracts.decision import Decision, ReasonClass, Severity
from contracts.disposition import Agency, Disposition, ReferralState
from contracts.events import AuditTag
from contracts.evidence import EvidenceKind
from contracts.transaction import TransactionRecord
from declarations.evaluate import PersonAssessment

CLOSED = (ReferralState.RELEASED, ReferralState.HANDED_OVER, ReferralState.NO_SHOW)


class NotAllowed(Exception):
    """The person may not do this here."""


class UnknownCase(LookupError):
    """There is no such referral for this agency."""


class HeldBy(Exception):
    """Somebody else holds the case; `user_id` and `name` say who."""

    def __init__(self, user_id: str, name: str, since: datetime) -> None:
        super().__init__(f"held by {user_id}")
        self.user_id, self.name, self.since = user_id, name, since


class Closed(Exception):
    """The referral is closed already."""


@dataclass(frozen=True)
class QueueReason:
    """One reason as the queue shows it: codes only, nothing is decrypted for a queue."""

    code: str
    reason_class: ReasonClass
    severity: Severity
    rule_id: str | None
    detail: str | None


@dataclass(frozen=True)
class QueueEntry:
    """One row of an agency's queue."""

    record_id: str
    receipt_number: str
    agency: Agency
    state: ReferralState
    severity: Severity
    reasons: tuple[QueueReason, ...]
    opened_at: datetime
    waiting: timedelta
    desk: str
    kiosk_id: str
    language: str
    people: int
    minors: int
    declared_channel: str
    claimed_by: str | None  # user id
    claimed_by_name: str | None
    claimed_at: datetime | None
    no_show_at: datetime | None
    exit_alarm_at: datetime | None

    @property
    def family(self) -> bool:
        return self.people > 1


@dataclass(frozen=True)
class Referral:
    """One agency's part of a case."""

    agency: Agency
    state: ReferralState
    opened_at: datetime
    claimed_by: str | None
    claimed_by_name: str | None
    claimed_at: datetime | None
    closed_at: datetime | None
    no_show_at: datetime | None
    exit_alarm_at: datetime | None


@dataclass(frozen=True)
class Case:
    """Everything an officer may see of a referred transaction, decrypted. Viewing it is audited.

    `record`, `decision` and `features` (what the decision relied on) are None once their retention class was
    erased; `pictures` is empty when no bundle arrived (`evidence_state` says why: "present", "not_present",
    "not_expected", "erased", "unreadable").
    """

    record_id: str
    agency: Agency
    record: TransactionRecord | None
    decision: Decision | None
    features: Features | None
    queue: QueueEntry
    referrals: tuple[Referral, ...]
    dispositions: tuple[Disposition, ...]
    evidence_state: str
    pictures: frozenset[tuple[str, EvidenceKind]]
    history: tuple[AuditEvent, ...]
    erased: tuple[str, ...] = ()

    @cached_property
    def assessments(self) -> Mapping[str, PersonAssessment]:
        """What the law said of each person when the record was decided."""
        return risk.assess(self.features).persons if self.features is not None else {}


def queue(central: Central, user: User, agency: Agency, *, closed: bool = False) -> tuple[QueueEntry, ...]:
    """The open cases of an agency, what to see first on top, then by waiting time (or the newest closed ones).

    Raises NotAllowed.
    """
    _need(central, user, Permission.QUEUE_VIEW, agency)
    raise_no_shows(central)
    with central.storage.read() as session:
        query = select(StoredReferral).where(
            StoredReferral.site_id == central.config.site_id, StoredReferral.agency == agency.value
        )
        if closed:
            query = query.where(StoredReferral.closed_at.is_not(None)).order_by(StoredReferral.closed_at.desc())
        else:
            query = query.where(StoredReferral.closed_at.is_(None)).order_by(StoredReferral.opened_at)
        rows = session.scalars(query.limit(200)).all()
        entries = _entries(central, session, rows)
    if closed:
        return entries
    order = {severity: position for position, severity in enumerate(Severity)}
    return tuple(sorted(entries, key=lambda entry: (order[entry.severity], entry.opened_at, entry.record_id)))


def alarms(central: Central, user: User) -> tuple[QueueEntry, ...]:
    """Referred travellers who did not come, or stood at the exit: the supervisor's page. Raises NotAllowed."""
    _need(central, user, Permission.ALARMS_VIEW, None)
    raise_no_shows(central)
    agencies = [agency.value for agency in user.agencies(Permission.ALARMS_VIEW, site_id=central.config.site_id)]
    with central.storage.read() as session:
        rows = session.scalars(
            select(StoredReferral)
            .where(
                StoredReferral.site_id == central.config.site_id,
                StoredReferral.agency.in_(agencies),
                StoredReferral.closed_at.is_(None),
                StoredReferral.no_show_at.is_not(None) | StoredReferral.exit_alarm_at.is_not(None),
            )
            .order_by(StoredReferral.opened_at)
        ).all()
        return _entries(central, session, rows)


def find(central: Central, user: User, receipt_number: str) -> tuple[QueueEntry, ...]:
    """Referrals by receipt number, newest first, of the agencies that the person works for."""
    _need(central, user, Permission.QUEUE_VIEW, None)
    agencies = [agency.value for agency in user.agencies(Permission.QUEUE_VIEW, site_id=central.config.site_id)]
    with central.storage.read() as session:
        rows = session.scalars(
            select(StoredReferral)
            .where(
                StoredReferral.site_id == central.config.site_id,
                StoredReferral.agency.in_(agencies),
                StoredReferral.receipt_number == receipt_number,
            )
            .order_by(StoredReferral.opened_at.desc())
            .limit(50)
        ).all()
        return _entries(central, session, rows)


def claim(central: Central, user: User, record_id: str, agency: Agency) -> None:
    """Take a case: the traveller is at the desk. Claiming one's own case again does nothing.

    Raises NotAllowed, UnknownCase, Closed or HeldBy.
    """
    _need(central, user, Permission.CASE_CLAIM, agency)
    now = central.clock()
    with central.storage.write() as session:
        row = _referral(central, session, record_id, agency)
        if row.closed_at is not None:
            raise Closed
        if row.claimed_by == user.user_id:
            return
        if row.claimed_by is not None:
            raise HeldBy(row.claimed_by, _name(central, session, row.claimed_by), row.claimed_at or now)
        row.claimed_by, row.claimed_at, row.state = user.user_id, now, ReferralState.PRESENTED.value
        central.audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.REFERRAL_CASE_CLAIMED,
            actor=user.user_id,
            now=now,
            record_id=record_id,
            detail={"agency": agency.value},
        )
    central.broker.wake()


def unclaim(central: Central, user: User, record_id: str, agency: Agency) -> None:
    """Give a case back to the queue; its holder may, and a supervisor of the agency for somebody else.

    Raises NotAllowed, UnknownCase or Closed.
    """
    _need(central, user, Permission.CASE_CLAIM, agency)
    now = central.clock()
    with central.storage.write() as session:
        row = _referral(central, session, record_id, agency)
        if row.closed_at is not None:
            raise Closed
        if row.claimed_by is None:
            return
        if row.claimed_by != user.user_id and not user.may(
            Permission.NO_SHOW_CLOSE, site_id=central.config.site_id, agency=agency
        ):
            raise NotAllowed
        detail = {"agency": agency.value, "held_by": row.claimed_by}
        row.claimed_by, row.claimed_at, row.state = None, None, ReferralState.OPEN.value
        central.audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.REFERRAL_CASE_UNCLAIMED,
            actor=user.user_id,
            now=now,
            record_id=record_id,
            detail=detail,
        )
    central.broker.wake()


def case(central: Central, user: User, record_id: str, agency: Agency) -> Case:
    """The case for an officer of the agency; the view is audited. Raises NotAllowed or UnknownCase."""
    from central.replay import stored_features

    _need(central, user, Permission.CASE_VIEW, agency)
    now = central.clock()
    with central.storage.write() as session:
        row = _referral(central, session, record_id, agency)
        central.audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.REFERRAL_CASE_VIEWED,
            actor=user.user_id,
            now=now,
            record_id=record_id,
            detail={"agency": agency.value},
        )
    with central.storage.read() as session:
        erased: list[str] = []
        record = decision = None
        try:
            record = central.envelope.open_model(session, record_id, "record", TransactionRecord)
        except Erased:
            erased.append("record")
        try:
            decision = stored_decision(central, session, record_id)
        except Erased:
            erased.append("decision")
        features = None
        if record is not None and decision is not None:
            try:
                features = stored_features(central, session, record, decision)
            except Erased:
                erased.append("features")
        state, found = _pictures(central, session, record_id)
        mine = (StoredReferral.site_id == central.config.site_id, StoredReferral.record_id == record_id)
        rows = session.scalars(select(StoredReferral).where(*mine).order_by(StoredReferral.opened_at)).all()
        return Case(
            record_id=record_id,
            agency=agency,
            record=record,
            decision=decision,
            features=features,
            queue=_entries(central, session, [row])[0],
            referrals=tuple(_shown(central, session, other) for other in rows),
            dispositions=dispositions_of(central, session, record_id),
            evidence_state=state,
            pictures=frozenset((picture.person_id, picture.kind) for picture in found),
            history=tuple(reversed(central.audit.page(session, record_id=record_id, limit=100).events)),
            erased=tuple(erased),
        )


def picture(
    central: Central, user: User, record_id: str, agency: Agency, person_id: str, kind: EvidenceKind
) -> Picture:
    """One decrypted picture, for a page that is never stored; the view is audited.

    Raises NotAllowed, UnknownCase, or LookupError when the picture is not present.
    """
    _need(central, user, Permission.CASE_VIEW, agency)
    now = central.clock()
    with central.storage.write() as session:
        _referral(central, session, record_id, agency)
        _, found = _pictures(central, session, record_id)
        wanted = next((item for item in found if item.person_id == person_id and item.kind is kind), None)
        if wanted is None:
            raise LookupError("not present")
        central.audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.REFERRAL_CASE_VIEWED,
            actor=user.user_id,
            now=now,
            record_id=record_id,
            detail={"agency": agency.value, "picture": kind.value, "person": person_id},
        )
    return wanted


def raise_no_shows(central: Central) -> int:
    """Raise the alarm for referrals that nobody claimed in time; returns how many were new."""
    now = central.clock()
    limit = now - timedelta(minutes=central.config.no_show_minutes)
    late = (
        StoredReferral.site_id == central.config.site_id,
        StoredReferral.state == ReferralState.OPEN.value,
        StoredReferral.closed_at.is_(None),
        StoredReferral.no_show_at.is_(None),
        StoredReferral.opened_at <= limit,
    )
    with central.storage.read() as session:
        if session.scalar(select(StoredReferral.record_id).where(*late).limit(1)) is None:
            return 0
    with central.storage.write() as session:
        rows = session.scalars(select(StoredReferral).where(*late)).all()
        for row in rows:
            row.no_show_at = now
            central.audit.append(
                session,
                chain=SERVICE,
                tag=AuditTag.REFERRAL_NO_SHOW_RAISED,
                actor="central",
                now=now,
                record_id=row.record_id,
                detail={"agency": row.agency},
            )
    central.broker.wake()
    return len(rows)


def stored_decision(central: Central, session: Session, record_id: str) -> Decision:
    """The newest answer to a record, byte for byte as it was given. Raises UnknownCase or Erased."""
    version = session.scalar(
        select(StoredDecision.version)
        .where(StoredDecision.site_id == central.config.site_id, StoredDecision.record_id == record_id)
        .order_by(StoredDecision.version.desc())
        .limit(1)
    )
    if version is None:
        raise UnknownCase(record_id)
    return Decision.model_validate_json(central.envelope.open(session, record_id, f"decision:{version}"))


def dispositions_of(central: Central, session: Session, record_id: str) -> tuple[Disposition, ...]:
    """The signed dispositions of a record, oldest first; those whose notes were erased are left out."""
    rows = session.scalars(
        select(StoredDisposition)
        .where(StoredDisposition.site_id == central.config.site_id, StoredDisposition.record_id == record_id)
        .order_by(StoredDisposition.decided_at)
    ).all()
    found = []
    for row in rows:
        try:
            sealed = central.envelope.open(session, record_id, f"disposition:{row.agency}")
        except Erased:
            continue
        found.append(Disposition.model_validate_json(sealed))
    return tuple(found)


def _pictures(central: Central, session: Session, record_id: str) -> tuple[str, tuple[Picture, ...]]:
    site = central.config.site_id
    row = session.get(StoredEvidence, (site, record_id))
    if row is None:
        transaction = session.get(Transaction, (site, record_id))
        promised = transaction is not None and transaction.evidence_sha256 is not None
        return ("not_present" if promised else "not_expected"), ()
    try:
        ciphertext = central.envelope.open(session, record_id, "evidence")
        bundle = open_bundle(
            ciphertext,
            central.evidence_keys,
            suite=row.suite,
            key_id=row.key_id,
            site_id=site,
            record_id=record_id,
        )
        return "present", pictures(bundle)
    except (Erased, KeyError):
        return "erased", ()
    except Unreadable:
        return "unreadable", ()


def _entries(central: Central, session: Session, rows: Iterable[StoredReferral]) -> tuple[QueueEntry, ...]:
    now, site = central.clock(), central.config.site_id
    entries = []
    for row in rows:
        transaction = session.get_one(Transaction, (site, row.record_id))
        reasons = session.scalars(
            select(StoredReason)
            .where(StoredReason.site_id == site, StoredReason.record_id == row.record_id)
            .order_by(StoredReason.position)
        ).all()
        entries.append(
            QueueEntry(
                record_id=row.record_id,
                receipt_number=row.receipt_number,
                agency=Agency(row.agency),
                state=ReferralState(row.state),
                severity=Severity(row.severity),
                reasons=tuple(
                    QueueReason(
                        reason.code,
                        ReasonClass(reason.reason_class),
                        Severity(reason.severity),
                        reason.rule_id,
                        reason.detail,
                    )
                    for reason in reasons
                ),
                opened_at=row.opened_at,
                waiting=max(timedelta(0), (row.claimed_at or now) - row.opened_at),
                desk=row.desk,
                kiosk_id=transaction.kiosk_id,
                language=transaction.language,
                people=transaction.people,
                minors=transaction.minors,
                declared_channel=transaction.declared_channel,
                claimed_by=row.claimed_by,
                claimed_by_name=_name(central, session, row.claimed_by) if row.claimed_by else None,
                claimed_at=row.claimed_at,
                no_show_at=row.no_show_at,
                exit_alarm_at=row.exit_alarm_at,
            )
        )
    return tuple(entries)


def _shown(central: Central, session: Session, row: StoredReferral) -> Referral:
    return Referral(
        agency=Agency(row.agency),
        state=ReferralState(row.state),
        opened_at=row.opened_at,
        claimed_by=row.claimed_by,
        claimed_by_name=_name(central, session, row.claimed_by) if row.claimed_by else None,
        claimed_at=row.claimed_at,
        closed_at=row.closed_at,
        no_show_at=row.no_show_at,
        exit_alarm_at=row.exit_alarm_at,
    )


def _referral(central: Central, session: Session, record_id: str, agency: Agency) -> StoredReferral:
    row = session.get(StoredReferral, (central.config.site_id, record_id, agency.value))
    if row is None:
        raise UnknownCase(record_id)
    return row


def _name(central: Central, session: Session, user_id: str) -> str:
    row = session.get(StoredUser, (central.config.site_id, user_id))
    return row.name if row is not None else user_id


def _need(central: Central, user: User, permission: Permission, agency: Agency | None) -> None:
    if not user.may(permission, site_id=central.config.site_id, agency=agency):
        raise NotAllowed(permission.value)
