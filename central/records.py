"""Accepted records as rows without anything personal: what an operator or a test asks after a journey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.sealing import Erased
from central.service import Central
from central.storage.models import StoredDecision, StoredReason, Transaction
from contracts.checks import Check
from contracts.transaction import TransactionRecord


def rows(central: Central, *, receipt: str | None = None) -> Iterator[dict[str, Any]]:
    """The newest decision of each record, newest record first; with `receipt`, of that number only (at most one).

    `checks` joins the verdicts of all persons' identity documents, faces and bags, the worst first in doubt:
    "FAILED hash_mismatch_dg2". It is empty once the record's outcome is erased.
    """
    site = central.config.site_id
    query = (
        select(Transaction, StoredDecision)
        .join(
            StoredDecision,
            (StoredDecision.site_id == Transaction.site_id) & (StoredDecision.record_id == Transaction.record_id),
        )
        .where(Transaction.site_id == site)
        .order_by(Transaction.received_at.desc(), StoredDecision.version.desc())
    )
    if receipt is not None:
        query = query.where(StoredDecision.receipt_number == receipt).limit(1)
    with central.storage.read() as session:
        told: set[str] = set()
        for transaction, decision in session.execute(query):
            if transaction.record_id in told:
                continue
            told.add(transaction.record_id)
            yield {
                "record_id": transaction.record_id,
                "kiosk_id": transaction.kiosk_id,
                "receipt_number": decision.receipt_number,
                "channel": decision.channel,
                "declared_channel": transaction.declared_channel,
                "finished": transaction.finished,
                "people": transaction.people,
                "desk": decision.desk,
                "reasons": _reasons(session, site, transaction.record_id),
                "checks": _checks(central, session, transaction.record_id),
                "step_seconds": transaction.step_seconds,
                "received_at": transaction.received_at.isoformat(),
            }


def _reasons(session: Session, site: str, record_id: str) -> list[str]:
    codes = session.scalars(
        select(StoredReason.code)
        .where(StoredReason.site_id == site, StoredReason.record_id == record_id)
        .order_by(StoredReason.position)
    )
    return sorted(set(codes))


def _checks(central: Central, session: Session, record_id: str) -> dict[str, str]:
    try:
        record = central.envelope.open_model(session, record_id, "record", TransactionRecord)
    except Erased:
        return {}
    order = ("PASSED", "NOT_PRESENT", "NOT_CHECKED", "ERROR", "FAILED")
    worst: dict[str, Check] = {}
    for person in record.party.persons:
        identity = person.identity
        found = list(identity.checks) if identity else []
        found += list(person.face.checks) if person.face else []
        found += [check for bag in person.bags for check in bag.checks]
        for check in found:
            held = worst.get(check.name)
            if held is None or order.index(check.verdict) > order.index(held.verdict):
                worst[check.name] = check
    return {name: f"{check.verdict.value} {check.reason}" for name, check in worst.items()}
