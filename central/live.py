"""The live wire to officers' pages: server-sent events whose ids are audit ids.

A page that was away sends `Last-Event-ID` and gets what it missed from the audit; the broker only wakes waiters.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from central.audit import Audit
from central.storage import Storage
from contracts.events import AuditTag

LIVE_TAGS: tuple[str, ...] = tuple(
    tag.value
    for tag in (
        AuditTag.TRANSACTION_DECISION_MADE,
        AuditTag.TRANSACTION_EVIDENCE_STORED,
        AuditTag.REFERRAL_CASE_CLAIMED,
        AuditTag.REFERRAL_CASE_UNCLAIMED,
        AuditTag.REFERRAL_DISPOSITION_SIGNED,
        AuditTag.REFERRAL_CASE_CLOSED,
        AuditTag.REFERRAL_NO_SHOW_RAISED,
        AuditTag.RECEIPT_TOKEN_REFUSED,
        AuditTag.KIOSK_STATE_CHANGED,
        AuditTag.KIOSK_HEALTH_CHANGED,
    )
)


@dataclass(frozen=True)
class LiveEvent:
    """Something that an officer's page may want to show. `record_id` is None for kiosks' events."""

    id: int
    tag: str
    record_id: str | None
    actor: str


class Broker:
    """Wakes every open stream after a commit."""

    def __init__(self, storage: Storage, audit: Audit) -> None:
        self._storage = storage
        self._audit = audit
        self._changed = threading.Condition()
        self._generation = 0
        self._closed = False

    def wake(self) -> None:
        """Called after each commit that officers should see."""
        with self._changed:
            self._generation += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Ends every stream."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stream(self, after: int | None, heartbeat_s: float = 15.0) -> Iterator[LiveEvent | None]:
        """Events after the id `after` (None: from now on), forever; None about every `heartbeat_s` of silence."""
        with self._storage.read() as session:
            cursor = self._audit.last_id(session) if after is None else after
        while not self._closed:
            with self._changed:
                seen = self._generation
            with self._storage.read() as session:
                events = self._audit.since(session, cursor, LIVE_TAGS)
            for event in events:
                cursor = event.event_id
                yield LiveEvent(event.event_id, event.tag, event.record_id, event.actor)
            if events:
                continue
            with self._changed:
                # A commit between the look above and here has moved the generation on: then nobody waits.
                woken = self._closed or self._generation != seen or self._changed.wait(heartbeat_s)
            if not woken:
                yield None
