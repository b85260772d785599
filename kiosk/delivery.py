"""Brings records to central: at once while the traveller waits, and in the background until they are there."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict

from contracts.decision import Decision
from kiosk.central_client import CentralClient, CentralError
from kiosk.evidence import SealedEvidence
from kiosk.outbox import Outbox, Waiting

_LOG = logging.getLogger(__name__)
_MOST_SEALED = 32  # bundles of records without an answer yet; only in memory, a restart forgets them
_PAUSE_S = 1.0


class Delivery:
    """The outbox and the way to central. `start` delivers what a former run left, before and while serving."""

    def __init__(self, outbox: Outbox, client: CentralClient) -> None:
        self._outbox = outbox
        self._client = client
        self._sealed: OrderedDict[str, SealedEvidence] = OrderedDict()
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
        return self._outbox.waiting()

    def send(self, record_id: str, body: bytes, sealed: SealedEvidence | None) -> Decision | None:
        """Keep the record on disk, then ask for the answer once. None: it will be delivered later."""
        now = time.time()
        self._outbox.queue(record_id, body, now, not_before=now + self._client.timeout_s + 2)
        if sealed is not None:
            self._sealed[record_id] = sealed
            while len(self._sealed) > _MOST_SEALED:
                self._sealed.popitem(last=False)
        return self._attempt(Waiting(record_id, "queued", body, None, 0))

    def deliver_due(self) -> None:
        """One round over everything that is due."""
        for waiting in self._outbox.due(time.time()):
            if self._closing.is_set():
                return
            if waiting.state == "queued":
                self._attempt(waiting)
            elif waiting.evidence is not None:
                self._upload(waiting.record_id, waiting.evidence)
            else:
                self._outbox.acknowledged(waiting.record_id)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.deliver_due()
            except Exception:
                _LOG.exception("delivery failed; it goes on")
            self._wake.wait(_PAUSE_S)
            self._wake.clear()

    def _attempt(self, waiting: Waiting) -> Decision | None:
        record_id = waiting.record_id
        assert waiting.body is not None
        with self._sending:
            try:
                decision = self._client.send_record(record_id, waiting.body)
            except CentralError as error:
                _LOG.warning("record %s not delivered: %s", record_id, error.code)
                self._outbox.failed(record_id, error.code, now=time.time(), permanent=error.permanent)
                if error.permanent:
                    self._sealed.pop(record_id, None)
                return None
            sealed = self._sealed.pop(record_id, None)
            wanted = sealed.ciphertext if sealed is not None and decision.evidence_wanted else None
            self._outbox.answered(record_id, wanted)
        self._wake.set()  # a wanted bundle goes at once, in the background
        return decision

    def _upload(self, record_id: str, ciphertext: bytes) -> None:
        try:
            self._client.send_evidence(record_id, ciphertext)
        except CentralError as error:
            _LOG.warning("evidence of record %s not delivered: %s", record_id, error.code)
            self._outbox.failed(record_id, error.code, now=time.time(), permanent=error.permanent)
            return
        self._outbox.acknowledged(record_id)
