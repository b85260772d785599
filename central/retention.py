"""Retention: each class of data has its time; when it is over, the key goes, and a proof stays (rule 5)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from central import face_measurements
from central.audit import SERVICE
from central.service import Central
from central.storage.models import DataKey, DocumentIndex, Erasure, SealedPart, StoredAnswer
from contracts.base import RetentionClass
from contracts.events import AuditTag


@dataclass(frozen=True)
class ErasureReport:
    """How many records lost which class."""

    erased: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.erased.values())


def run(central: Central, batch: int = 500) -> ErasureReport:
    """Erase everything whose time is over. May be stopped at any moment and run again."""
    erased: dict[str, int] = {}
    while True:
        with central.storage.write() as session:
            due = session.scalars(
                select(DataKey)
                .where(DataKey.site_id == central.config.site_id, DataKey.expires_at <= central.clock())
                .limit(batch)
            ).all()
            for key in due:
                erased[key.retention] = erased.get(key.retention, 0) + 1
                _erase(central, session, key)
        if len(due) < batch:
            break
    face_measurements.expire(central)
    with central.storage.write() as session:
        # What only helps for a while: answers to exits, and sessions that are over in any case.
        session.execute(
            delete(StoredAnswer).where(
                StoredAnswer.site_id == central.config.site_id,
                StoredAnswer.answered_at < central.clock() - timedelta(days=1),
            )
        )
        longest = timedelta(hours=central.config.session_hours)
        central.users.end_stale(session, central.clock(), longest=longest)
    return ErasureReport(erased)


def erase_record(central: Central, record_id: str) -> ErasureReport:
    """Erase every class of one record before its time. Raises LookupError when there is nothing to erase."""
    with central.storage.write() as session:
        keys = session.scalars(
            select(DataKey).where(DataKey.site_id == central.config.site_id, DataKey.record_id == record_id)
        ).all()
        if not keys:
            raise LookupError(record_id)
        for key in keys:
            _erase(central, session, key)
    return ErasureReport({key.retention: 1 for key in keys})


def _erase(central: Central, session: Session, key: DataKey) -> None:
    """Delete the key, drop what can only be personal, keep the proof.

    The ciphertext of a record stays, unreadable: the chain's hashes are of it. An evidence bundle has a hash
    of its own in the chain and is large, so its ciphertext goes too.
    """
    site, record_id, now = key.site_id, key.record_id, central.clock()
    parts = session.scalars(
        select(SealedPart)
        .where(
            SealedPart.site_id == site, SealedPart.record_id == record_id, SealedPart.retention == key.retention
        )
        .order_by(SealedPart.name)
    ).all()
    proof = hashlib.sha256(b"".join(hashlib.sha256(part.ciphertext).digest() for part in parts)).hexdigest()
    if key.retention == RetentionClass.EVIDENCE.value:
        for part in parts:
            session.delete(part)
    if key.retention == RetentionClass.IDENTITY.value:
        session.execute(
            delete(DocumentIndex).where(DocumentIndex.site_id == site, DocumentIndex.record_id == record_id)
        )
    event = central.audit.append(
        session,
        chain=SERVICE,
        tag=AuditTag.TRANSACTION_DATA_ERASED,
        actor="central",
        now=now,
        record_id=record_id,
        detail={"retention": key.retention, "parts": len(parts)},
        payload_sha256=proof,
    )
    session.add(
        Erasure(
            site_id=site,
            record_id=record_id,
            retention=key.retention,
            erased_at=now,
            ciphertext_sha256=proof,
            event_id=event.event_id,
        )
    )
    session.delete(key)
    session.flush()
