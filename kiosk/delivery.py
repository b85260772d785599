"""Brings records to central: at once while the traveller waits, and in the background until they are there."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import datetime

from contracts.api import DeviceHealth, DeviceState
from contracts.decision import Decision
from contracts.errors import ErrorCode, place_of
from kiosk.central_client import CentralClient, CentralError
from kiosk.evidence import SealedEvidence
from kiosk.outbox import Outbox, Waiting

_LOG = logging.getLogger(__name__)
_PAUSE_S = 1.0
_AGAIN_S = 5.0


class Delivery:
    """The outbox and the way to central. `start` delivers what a former run left, before and while serving."""

    def __init__(self, outbox: Outbox, client: CentralClient) -> None:
        self._outbox = outbox
        self._client = client
        # What the disk did not take: kept in memory and sent like the rest; the kiosk serves nobody new meanwhile.
        self._unkept: dict[str, Waiting] = {}
        self._unkept_again = 0.0
        self._disk_failed = False
        self._sending = threading.Lock()  # one sender at a time: an answer is handled once
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(self._client.timeout_s + 2)
        self._outbox.close()

    @property
    def waiting(self) -> int:
        try:
            return self._outbox.waiting() + len(self._unkept)
        except sqlite3.Error:
            self._disk_failed = True
            return len(self._unkept)

    def health(self, now: datetime) -> DeviceHealth:
        """STOPPED: records cannot be kept. WATCH: central refused some for good. Counts and codes only."""
        refused: dict[str, int] = {}
        try:
            for (state, error), count in self._outbox.counts().items():
                if state == "refused":
                    refused[error] = count
        except sqlite3.Error:
            self._disk_failed = True
        state, code, detail = DeviceState.WORKING, None, ""
        if refused:
            codes = ", ".join(sorted(refused))
            state, code = DeviceState.WATCH, _known(next(iter(refused)))
            detail = f"Records that central refused for good: {sum(refused.values())} ({codes})"[:120]
        if self._disk_failed or self._unkept:
            state, code, detail = DeviceState.STOPPED, ErrorCode.INTERNAL, "Records cannot be kept on the disk."
        return DeviceHealth(device="outbox", state=state, error=code, detail=detail, checked_at=now)

    def send(self, record_id: str, body: bytes, sealed: SealedEvidence | None) -> Decision | None:
        """Keep the record on disk, then ask for the answer once. None: it will be delivered later."""
        now = time.time()
        evidence = sealed.ciphertext if sealed is not None else None
        later = now + self._client.timeout_s + 2
        if not self._on_disk(lambda: self._outbox.queue(record_id, body, now, later, evidence)):
            self._unkept_again = later
            self._unkept[record_id] = Waiting(record_id, "queued", body, evidence, 0)
        return self._attempt(Waiting(record_id, "queued", body, None, 0))

    def deliver_due(self) -> None:
        """One round over everything that is due."""
        due = self._outbox.due(time.time())
        self._disk_failed = False
        if self._unkept and time.time() >= self._unkept_again:
            self._unkept_again = time.time() + _AGAIN_S
            due += self._unkept.values()
        for waiting in due:
            if self._closing.is_set():
                return
            if waiting.state == "queued":
                self._attempt(waiting)
            elif waiting.evidence is not None:
                self._upload(waiting.record_id, waiting.evidence)
            else:
                self._on_disk(lambda known=waiting.record_id: self._outbox.acknowledged(known))  # type: ignore[misc]

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.deliver_due()
            except Exception as error:
                self._disk_failed = self._disk_failed or isinstance(error, sqlite3.Error)
                _LOG.error("delivery failed; it goes on: %s", place_of(error))
            self._wake.wait(_PAUSE_S)
            self._wake.clear()

    def _attempt(self, waiting: Waiting) -> Decision | None:
        record_id = waiting.record_id
        assert waiting.body is not None
        with self._sending:
            try:
                decision = self._client.send_record(record_id, waiting.body)
            except CentralError as error:
                code, permanent = error.code, error.permanent
                _LOG.warning("record %s not delivered: %s", record_id, code)
                self._on_disk(lambda: self._outbox.failed(record_id, code, now=time.time(), permanent=permanent))
                return None
            wanted = decision.evidence_wanted
            self._on_disk(lambda: self._outbox.answered(record_id, evidence_wanted=wanted))
            unkept = self._unkept.pop(record_id, None)
            if unkept is not None and unkept.evidence is not None and wanted:
                self._unkept[record_id] = Waiting(record_id, "answered", None, unkept.evidence, 0)
                self._unkept_again = 0.0
        self._wake.set()  # a wanted bundle goes at once, in the background
        return decision

    def _upload(self, record_id: str, ciphertext: bytes) -> None:
        try:
            self._client.send_evidence(record_id, ciphertext)
        except CentralError as error:
            code, permanent = error.code, error.permanent
            _LOG.warning("evidence of record %s not delivered: %s", record_id, code)
            self._on_disk(lambda: self._outbox.failed(record_id, code, now=time.time(), permanent=permanent))
            if permanent:
                self._unkept.pop(record_id, None)
            return
        self._unkept.pop(record_id, None)
        self._on_disk(lambda: self._outbox.acknowledged(record_id))

    def _on_disk(self, write: Callable[[], None]) -> bool:
        """Write, or say in the health that it failed: an answer of central is not lost for a full disk."""
        try:
            write()
        except sqlite3.Error as error:
            self._disk_failed = True
            _LOG.error("the outbox cannot be written: %s", place_of(error))
            return False
        return True


def _known(code: str) -> ErrorCode:
    return ErrorCode(code) if code in ErrorCode.__members__ else ErrorCode.INTERNAL
