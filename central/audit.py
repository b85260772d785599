"""The audit: hash chains over what happened, one per kiosk or exit, one for people, one for the service.

An event holds codes, never personal data; what it says about personal data is the hash of its ciphertext, so that
erasure leaves every chain verifiable. The end of each chain is signed, so that a cut tail shows.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central.keys import KeyRing, base64url, from_base64url
from central.storage.models import EPOCH, AuditEvent, AuditHead
from contracts.events import AuditTag

PEOPLE = "people"
SERVICE = "central"
GENESIS = "0" * 64


def station_chain(station_id: str) -> str:
    """The chain of a kiosk or exit."""
    return f"station:{station_id}"


@dataclass(frozen=True)
class ChainReport:
    """What verifying one chain found. `broken_at` is the first sequence number that does not fit."""

    chain: str
    length: int
    intact: bool
    broken_at: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class AuditPage:
    """Events, newest first, and where the next page starts (None at the end)."""

    events: tuple[AuditEvent, ...]
    next_before: int | None


class Audit:
    """Appends to and verifies the chains of one site."""

    def __init__(self, site_id: str, signing: KeyRing) -> None:
        self._site = site_id
        self._signing = signing
        self._last_id = 0
        self._allotting = threading.Lock()

    def append(
        self,
        session: Session,
        *,
        chain: str,
        tag: AuditTag,
        actor: str,
        now: datetime,
        record_id: str | None = None,
        detail: dict[str, Any] | None = None,
        payload_sha256: str | None = None,
    ) -> AuditEvent:
        """Add one event to a chain within the caller's write; it exists exactly if that write commits."""
        with session.no_autoflush:
            head = session.get(AuditHead, (self._site, chain))
        event = AuditEvent(
            site_id=self._site,
            event_id=self._allot(session, now),
            chain=chain,
            sequence=1 if head is None else head.sequence + 1,
            at=now,
            tag=tag.value,
            actor=actor,
            record_id=record_id,
            detail=detail or {},
            payload_sha256=payload_sha256,
            previous_hash=GENESIS if head is None else head.hash,
            hash="",
        )
        event.hash = event_hash(event)
        session.add(event)
        if head is None:
            head = AuditHead(site_id=self._site, chain=chain)
            session.add(head)
        key = self._signing.current
        head.sequence, head.hash = event.sequence, event.hash
        head.suite, head.key_id = key.suite, key.key_id
        head.signature = base64url(key.signing().sign(_head_bytes(head)))
        if event.sequence == 1:
            session.flush()  # from now on the head is found by its key
        return event

    def chains(self, session: Session) -> tuple[str, ...]:
        """The names of all chains of the site."""
        return tuple(
            session.scalars(
                select(AuditEvent.chain)
                .where(AuditEvent.site_id == self._site)
                .union(select(AuditHead.chain).where(AuditHead.site_id == self._site))
                .order_by(AuditEvent.chain)
            )
        )

    def verify(self, session: Session) -> tuple[ChainReport, ...]:
        """Recompute every chain of the site from its first event to its signed end."""
        return tuple(self._verify_chain(session, chain) for chain in self.chains(session))

    def page(
        self,
        session: Session,
        *,
        before: int | None = None,
        limit: int = 50,
        tag: str | None = None,
        actor: str | None = None,
        record_id: str | None = None,
        chain: str | None = None,
    ) -> AuditPage:
        """Events newest first; `before` is the `next_before` of the page above."""
        query = select(AuditEvent).where(AuditEvent.site_id == self._site)
        for column, wanted in (
            (AuditEvent.tag, tag),
            (AuditEvent.actor, actor),
            (AuditEvent.record_id, record_id),
            (AuditEvent.chain, chain),
        ):
            if wanted:
                query = query.where(column == wanted)
        if before is not None:
            query = query.where(AuditEvent.event_id < before)
        found = session.scalars(query.order_by(AuditEvent.event_id.desc()).limit(limit + 1)).all()
        return AuditPage(tuple(found[:limit]), found[limit - 1].event_id if len(found) > limit else None)

    def since(self, session: Session, event_id: int, tags: Sequence[str], limit: int = 200) -> list[AuditEvent]:
        """Events after `event_id`, oldest first: what a live page missed."""
        return list(
            session.scalars(
                select(AuditEvent)
                .where(
                    AuditEvent.site_id == self._site,
                    AuditEvent.event_id > event_id,
                    AuditEvent.tag.in_(list(tags)),
                )
                .order_by(AuditEvent.event_id)
                .limit(limit)
            )
        )

    def last_id(self, session: Session) -> int:
        """The newest event's id, 0 when there is none."""
        return session.scalar(select(func.max(AuditEvent.event_id)).where(AuditEvent.site_id == self._site)) or 0

    def _allot(self, session: Session, now: datetime) -> int:
        """Ids are microseconds, pushed on where two would collide: ordered, and no counter row to queue at."""
        with self._allotting:
            if self._last_id == 0:
                self._last_id = self.last_id(session)
            self._last_id = max(self._last_id + 1, (now - EPOCH) // timedelta(microseconds=1))
            return self._last_id

    def _verify_chain(self, session: Session, chain: str) -> ChainReport:
        previous, expected = GENESIS, 1
        query = (
            select(AuditEvent)
            .where(AuditEvent.site_id == self._site, AuditEvent.chain == chain)
            .order_by(AuditEvent.sequence)
        )
        for event in session.scalars(query.execution_options(yield_per=500)):
            if event.sequence != expected:
                return ChainReport(chain, expected - 1, False, expected, "an event is missing")
            if event.previous_hash != previous or event_hash(event) != event.hash:
                return ChainReport(chain, expected - 1, False, expected, "an event was altered")
            previous, expected = event.hash, expected + 1
        head = session.get(AuditHead, (self._site, chain))
        length = expected - 1
        if head is None or head.sequence != length or head.hash != previous:
            return ChainReport(chain, length, False, expected, "the end of the chain was cut or replaced")
        key = self._signing.named(head.key_id)
        try:
            public: Ed25519PublicKey | None = key.signing().public_key() if key else None
            if public is None:
                return ChainReport(chain, length, False, length, "the key that signed the end is not known")
            public.verify(from_base64url(head.signature), _head_bytes(head))
        except (InvalidSignature, ValueError):
            return ChainReport(chain, length, False, length, "the signature of the end does not hold")
        return ChainReport(chain, length, True)


def event_hash(event: AuditEvent) -> str:
    """SHA-256 over every column of the event but the hash itself, and so over the one before."""
    return hashlib.sha256(
        json.dumps(
            [
                event.site_id,
                event.event_id,
                event.chain,
                event.sequence,
                (event.at - EPOCH) // timedelta(microseconds=1),
                event.tag,
                event.actor,
                event.record_id,
                event.detail,
                event.payload_sha256,
                event.previous_hash,
            ],
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode()
    ).hexdigest()


def _head_bytes(head: AuditHead) -> bytes:
    return f"corridor audit head 1|{head.site_id}|{head.chain}|{head.sequence}|{head.hash}".encode()
