"""The outbox: a finished record survives whatever dies, and is delivered once (rule 7).

SQLite in WAL mode with synchronous=FULL: `queue` returns after the record is on the disk. What lies there is
AES-256-GCM under a key kept outside the database; the suite, the key's name and a fresh nonce stand beside each
ciphertext, and the additional data is `site|record_id|part`, so that no row can pass for another.

    queued ──answered──▶ answered ──acknowledged──▶ row deleted
      │ refused for good
      └────────────────▶ refused (kept for a technician; an officer has the traveller)

`queued`: central has not answered; the sealed evidence lies beside the record, or a crash before the answer would
lose what an officer needs. `answered`: central has the record; a wanted bundle may still have to go, another is
gone. Record and evidence of one traveller are deleted as soon as nothing has to be sent any more (rule 5). The
bundle is sealed for central before it comes here: this kiosk cannot open it.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.errors import ErrorCode
from kiosk.keys import OutboxKey

SUITE = "aes-256-gcm"
MOST_BUNDLES = 200  # beside queued records; in a longer outage the oldest bundles go, never a record
_LOG = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    site_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'answered', 'refused')),
    queued_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt REAL NOT NULL DEFAULT 0,
    error TEXT,
    suite TEXT NOT NULL,
    key_id TEXT NOT NULL,
    record BLOB,
    evidence BLOB,
    PRIMARY KEY (site_id, record_id)
) WITHOUT ROWID
"""


class OutboxError(Exception):
    """A row that cannot be read: another key, or altered bytes. The text names the record id only."""


@dataclass(frozen=True, repr=False)
class Waiting:
    """One delivery that is due."""

    record_id: str
    state: str
    body: bytes | None  # the record's bytes while queued
    evidence: bytes | None  # sealed bundle, once answered
    attempts: int


class Outbox:
    """The kiosk's records on their way. Safe to use from several threads."""

    def __init__(self, path: Path, key: OutboxKey, site_id: str) -> None:
        self._path = path
        self._key = key
        self._site = site_id
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        with self._lock:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA secure_delete=ON")
            self._connection.execute(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def queue(
        self, record_id: str, body: bytes, now: float, not_before: float = 0.0, evidence: bytes | None = None
    ) -> None:
        """Keep a record and its sealed evidence until central has answered. The same record twice is one record.

        `not_before` leaves the first attempt to whoever queued it.
        """
        sealed = None if evidence is None else self._seal(record_id, "evidence", evidence)
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO outbox"
                " (site_id, record_id, state, queued_at, next_attempt, suite, key_id, record, evidence)"
                " VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
                (
                    self._site,
                    record_id,
                    now,
                    not_before,
                    SUITE,
                    self._key.key_id,
                    self._seal(record_id, "record", body),
                    sealed,
                ),
            )
            connection.execute(
                "UPDATE outbox SET evidence = NULL WHERE state = 'queued' AND evidence IS NOT NULL"
                " AND (site_id, record_id) NOT IN (SELECT site_id, record_id FROM outbox WHERE state = 'queued'"
                " AND evidence IS NOT NULL ORDER BY queued_at DESC LIMIT ?)",
                (MOST_BUNDLES,),
            )

    def answered(self, record_id: str, *, evidence_wanted: bool = False) -> None:
        """Central has the record. Its body goes; a wanted bundle stays until it is uploaded."""
        with self._transaction() as connection:
            if evidence_wanted:
                connection.execute(
                    "UPDATE outbox SET state = 'answered', record = NULL, attempts = 0, next_attempt = 0,"
                    " error = NULL WHERE site_id = ? AND record_id = ? AND state = 'queued'"
                    " AND evidence IS NOT NULL",
                    (self._site, record_id),
                )
            connection.execute(
                "DELETE FROM outbox WHERE site_id = ? AND record_id = ? AND state = 'queued'",
                (self._site, record_id),
            )

    def acknowledged(self, record_id: str) -> None:
        """Nothing of this record has to be sent any more: forget it."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM outbox WHERE site_id = ? AND record_id = ? AND state = 'answered'",
                (self._site, record_id),
            )

    def failed(self, record_id: str, code: ErrorCode, *, now: float, permanent: bool = False) -> None:
        """An attempt failed: try again later (1, 2, 4 … 300 s), or never when central refuses it for good."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, error = ?,"
                " next_attempt = ? + MIN(300, 1 << MIN(attempts, 9)),"
                " state = CASE WHEN ? AND state = 'queued' THEN 'refused' ELSE state END,"
                " evidence = CASE WHEN ? THEN NULL ELSE evidence END"
                " WHERE site_id = ? AND record_id = ?",
                (code.value, now, permanent, permanent, self._site, record_id),
            )
            if permanent:  # a bundle that central will not take is not kept
                connection.execute(
                    "DELETE FROM outbox WHERE site_id = ? AND record_id = ? AND state = 'answered'",
                    (self._site, record_id),
                )

    def due(self, now: float, most: int = 50) -> list[Waiting]:
        """What should be sent now, the oldest first. A row that cannot be opened is set aside as refused."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT record_id, state, record, CASE WHEN state = 'answered' THEN evidence END, attempts"
                " FROM outbox WHERE site_id = ? AND state IN ('queued', 'answered') AND next_attempt <= ?"
                " ORDER BY queued_at LIMIT ?",
                (self._site, now, most),
            ).fetchall()
        found = []
        for record_id, state, record, evidence, attempts in rows:
            try:
                body = self._open(record_id, "record", record)
                found.append(
                    Waiting(record_id, state, body, self._open(record_id, "evidence", evidence), attempts)
                )
            except OutboxError:
                _LOG.error("record %s lies in the outbox and cannot be opened with the present key", record_id)
                self._set_aside(record_id)
        return found

    def _set_aside(self, record_id: str) -> None:
        with self._transaction() as connection:
            connection.execute(
                "UPDATE outbox SET state = 'refused', error = 'INTERNAL', evidence = NULL"
                " WHERE site_id = ? AND record_id = ?",
                (self._site, record_id),
            )

    def waiting(self) -> int:
        """How many records have not reached central yet."""
        with self._lock:
            row = self._connection.execute(
                "SELECT COUNT(*) FROM outbox WHERE site_id = ? AND state != 'answered'", (self._site,)
            ).fetchone()
        return int(row[0])

    def counts(self) -> dict[tuple[str, str], int]:
        """How many records stand where: by state and the last attempt's error code, '' where there was none."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT state, COALESCE(error, ''), COUNT(*) FROM outbox WHERE site_id = ?"
                " GROUP BY 1, 2 ORDER BY 1, 2",
                (self._site,),
            ).fetchall()
        return {(state, error): int(count) for state, error, count in rows}

    def offer_again(self) -> int:
        """Queue what central refused for good once more, after its cause was mended; returns how many."""
        with self._transaction() as connection:
            return connection.execute(
                "UPDATE outbox SET state = 'queued', attempts = 0, next_attempt = 0"
                " WHERE site_id = ? AND state = 'refused'",
                (self._site,),
            ).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _seal(self, record_id: str, part: str, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self._key.key).encrypt(nonce, plain, self._bound_to(record_id, part))

    def _open(self, record_id: str, part: str, sealed: bytes | None) -> bytes | None:
        if sealed is None:
            return None
        try:
            return AESGCM(self._key.key).decrypt(sealed[:12], sealed[12:], self._bound_to(record_id, part))
        except InvalidTag:
            raise OutboxError(f"record {record_id} cannot be opened with key {self._key.key_id}") from None

    def _bound_to(self, record_id: str, part: str) -> bytes:
        return f"{self._site}|{record_id}|{part}".encode()
