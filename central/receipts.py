"""Receipts: signed, single use, expiring; and the exit that reads them (rule 9).

A token is `c1.<payload>.<signature>`: base64url of canonical JSON `{"exp", "jti", "kid", "num", "site"}` and an
Ed25519 signature over `c1.<payload>`. It says neither channel nor name. The database has the last word.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.audit import station_chain
from central.keys import KeyRing, base64url, from_base64url
from central.service import Central
from central.storage.models import Counter, StoredReceipt, StoredReferral
from contracts.api import ReceiptAnswer, ReceiptCheckResponse
from contracts.decision import Channel
from contracts.events import AuditTag

PREFIX = "c1"
NUMBER_DIGITS = 4


class InvalidReceipt(ValueError):
    """A token that this site did not sign."""


@dataclass(frozen=True)
class Receipt:
    """What a genuine token says."""

    receipt_id: str
    number: str
    site_id: str
    expires_at: int  # seconds since 1970


def issue(
    central: Central, session: Session, *, record_id: str, channel: Channel, desk: str | None, now: datetime
) -> tuple[str, str, datetime]:
    """Store a new receipt; returns token, number and expiry. The number is gap-free within the local day."""
    number = _next_number(central, session, now)
    receipt_id = secrets.token_urlsafe(12)
    expires_at = now + timedelta(minutes=central.config.receipt_minutes)
    session.add(
        StoredReceipt(
            site_id=central.config.site_id,
            receipt_id=receipt_id,
            record_id=record_id,
            number=number,
            channel=channel.value,
            desk=desk,
            issued_at=now,
            expires_at=expires_at,
            used_at=None,
            used_by=None,
        )
    )
    receipt = Receipt(receipt_id, number, central.config.site_id, int(expires_at.timestamp()))
    return write_token(receipt, central.receipt_keys), number, expires_at


def write_token(receipt: Receipt, keys: KeyRing) -> str:
    """The signed token of a receipt."""
    key = keys.current
    payload = {
        "exp": receipt.expires_at,
        "jti": receipt.receipt_id,
        "kid": key.key_id,
        "num": receipt.number,
        "site": receipt.site_id,
    }
    head = f"{PREFIX}.{base64url(json.dumps(payload, sort_keys=True, separators=(',', ':')).encode())}"
    return f"{head}.{base64url(key.signing().sign(head.encode()))}"


def read_token(token: str, keys: KeyRing) -> Receipt:
    """The receipt of a genuine token. Raises InvalidReceipt for anything else."""
    try:
        prefix, payload, signature = token.strip().split(".")
        if prefix != PREFIX:
            raise InvalidReceipt("unknown form")
        said = json.loads(from_base64url(payload))
        key = keys.named(said["kid"])
        if key is None:
            raise InvalidReceipt("unknown key")
        key.signing().public_key().verify(from_base64url(signature), f"{prefix}.{payload}".encode())
        return Receipt(str(said["jti"]), str(said["num"]), str(said["site"]), int(said["exp"]))
    except (InvalidSignature, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise InvalidReceipt("not a receipt of this site") from problem


def check(
    central: Central, session: Session, *, token: str, exit_id: str, actor: str | None = None
) -> ReceiptCheckResponse:
    """Answer an exit; an opened gate uses the receipt up, a referral that is not closed raises the exit alarm.

    Runs in the caller's write. `exit_id` names the chain; `actor` is the officer who typed it, if one did.
    """
    site, now = central.config.site_id, central.clock()
    try:
        said = read_token(token, central.receipt_keys)
    except InvalidReceipt:
        return _refuse(central, session, exit_id, actor, now, ReceiptCheckResponse(answer=ReceiptAnswer.UNKNOWN))
    row = session.get(StoredReceipt, (site, said.receipt_id)) if said.site_id == site else None
    if row is None:
        return _refuse(central, session, exit_id, actor, now, ReceiptCheckResponse(answer=ReceiptAnswer.UNKNOWN))
    return _answer(central, session, row, exit_id, actor, now)


def _answer(
    central: Central, session: Session, row: StoredReceipt, exit_id: str, actor: str | None, now: datetime
) -> ReceiptCheckResponse:
    if row.used_at is not None:
        answer = ReceiptCheckResponse(answer=ReceiptAnswer.USED, receipt_number=row.number)
        return _refuse(central, session, exit_id, actor, now, answer, row.record_id)
    held = [
        referral
        for referral in session.scalars(
            select(StoredReferral).where(
                StoredReferral.site_id == central.config.site_id, StoredReferral.record_id == row.record_id
            )
        )
        if not referral.may_leave
    ]
    if held or (row.channel == Channel.RED.value and not _was_referred(central, session, row)):
        for referral in held:
            referral.exit_alarm_at = referral.exit_alarm_at or now
        answer = ReceiptCheckResponse(answer=ReceiptAnswer.TO_DESK, receipt_number=row.number, desk=row.desk)
        return _refuse(central, session, exit_id, actor, now, answer, row.record_id)
    if now >= row.expires_at:
        answer = ReceiptCheckResponse(answer=ReceiptAnswer.EXPIRED, receipt_number=row.number)
        return _refuse(central, session, exit_id, actor, now, answer, row.record_id)
    row.used_at, row.used_by = now, exit_id
    central.audit.append(
        session, chain=station_chain(exit_id), tag=AuditTag.RECEIPT_TOKEN_CHECKED, actor=actor or exit_id, now=now,
        record_id=row.record_id, detail={"answer": ReceiptAnswer.OPEN.value},
    )  # fmt: skip
    return ReceiptCheckResponse(answer=ReceiptAnswer.OPEN, receipt_number=row.number)


def _refuse(
    central: Central,
    session: Session,
    exit_id: str,
    actor: str | None,
    now: datetime,
    answer: ReceiptCheckResponse,
    record_id: str | None = None,
) -> ReceiptCheckResponse:
    central.audit.append(
        session, chain=station_chain(exit_id), tag=AuditTag.RECEIPT_TOKEN_REFUSED, actor=actor or exit_id, now=now,
        record_id=record_id, detail={"answer": answer.answer.value},
    )  # fmt: skip
    return answer


def _was_referred(central: Central, session: Session, row: StoredReceipt) -> bool:
    return (
        session.scalar(
            select(StoredReferral.agency)
            .where(StoredReferral.site_id == central.config.site_id, StoredReferral.record_id == row.record_id)
            .limit(1)
        )
        is not None
    )


def _next_number(central: Central, session: Session, now: datetime) -> str:
    name = f"receipt:{now.astimezone(central.timezone).date().isoformat()}"
    counter = session.get(Counter, (central.config.site_id, name))
    if counter is None:
        counter = Counter(site_id=central.config.site_id, name=name, value=0)
        session.add(counter)
    counter.value += 1
    return f"{counter.value:0{NUMBER_DIGITS}d}"
