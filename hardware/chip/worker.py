"""The chip is read in a process of its own, which is ended when a card keeps it waiting.

A card that falls silent blocks the PC/SC call for as long as it is silent; nothing inside the process can end
that. So the reading runs in a warm worker, the parent waits no longer than ABORT_SECONDS, and a worker that
hangs is killed and replaced.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.checks import Verdict
from contracts.errors import ErrorCode
from documents.access import CardAccessNumber
from documents.mrz import Mrz, MrzKey
from documents.reading import WANTED_GROUPS, ChipReading, Progress, read_chip, unread_chip
from documents.trust import TrustStore
from hardware.ports import DeviceError

if TYPE_CHECKING:
    from hardware.chip.pcsc import PcscReader

ABORT_SECONDS = 15.0
CARD_WAIT_SECONDS = 3.0
RESUME_SECONDS = 2.0  # a passport that slipped is back by then
_LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, repr=False)
class _Order:
    reader_url: str
    key: MrzKey | None
    trust: TrustStore
    now: datetime
    optical: Mrz | None
    card_wait: float
    can: CardAccessNumber | None
    wanted: frozenset[int]


class ChipWorker:
    """Reads chips, one at a time, in a process kept warm. `environment` goes on top of the parent's."""

    def __init__(self, environment: Mapping[str, str] | None = None, abort_seconds: float = ABORT_SECONDS) -> None:
        self._environment = dict(environment or {})
        self._abort_seconds = abort_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the worker ahead of the first traveller; `read` does so by itself."""
        with self._lock:
            self._ensure()

    def read(
        self,
        reader_url: str,
        key: MrzKey | None,
        trust: TrustStore,
        now: datetime,
        optical: Mrz | None = None,
        progress: Progress | None = None,
        card_wait: float = CARD_WAIT_SECONDS,
        can: CardAccessNumber | None = None,
        wanted: frozenset[int] = WANTED_GROUPS,
    ) -> ChipReading:
        """Read the chip on `reader_url` (`pcsc:NAME`). Never raises; a failure is in the checks.

        `access` is NOT_PRESENT `no_chip` when no card answers within `card_wait` seconds, ERROR `card_mute` after
        the hard abort, ERROR `reader_failed` when reader or worker fail. `progress` is called in this thread.
        """
        with self._lock:
            try:
                line = self._ensure()
                line.send(_Order(reader_url, key, trust, now, optical, card_wait, can, wanted))
                return self._await_answer(line, progress or (lambda phase, share: None))
            except (OSError, EOFError):
                self._kill()
                return unread_chip(Verdict.ERROR, "reader_failed")

    def close(self) -> None:
        """End the worker. Quick, never raises; a running `read` ends with `reader_failed`."""
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._kill()

    def __enter__(self) -> ChipWorker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _await_answer(self, line: Connection, progress: Progress) -> ChipReading:
        end = time.monotonic() + self._abort_seconds
        while line.poll(max(0.0, end - time.monotonic())):
            answer = line.recv()
            if isinstance(answer, ChipReading):
                return answer
            progress(*answer)
        self._kill()
        return unread_chip(Verdict.ERROR, "card_mute")

    def _ensure(self) -> Connection:
        if self._process is not None and self._process.poll() is None and self._line is not None:
            return self._line
        self._kill()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-m", "hardware.chip.worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self._environment},
                cwd=Path(__file__).resolve().parents[2],
            )
        self._line = Connection(ours.detach())
        return self._line

    def _kill(self) -> None:
        process, self._process = self._process, None
        line, self._line = self._line, None
        if line is not None:
            line.close()
        if process is not None:
            process.kill()
            process.wait()


def _serve(line: Connection) -> None:
    """The worker's life: orders in, progress and readings out, until the parent is gone."""
    import smartcard.System  # noqa: F401 (its import is not to be paid for by the first traveller)

    trust = TrustStore()
    with contextlib.suppress(EOFError, OSError):
        while True:
            order = line.recv()
            trust = trust if order.trust == trust else order.trust  # keeps the parsed certificates
            line.send(_read(order, trust, lambda phase, share: line.send((phase, share))))


def _read(order: _Order, trust: TrustStore, progress: Callable[[str, float], None]) -> ChipReading:
    """Read what lies there. A card that leaves is waited for again, from the beginning: documents are laid down
    unsteadily, and the daemon notices a change only at its next look. One that had opened gets RESUME_SECONDS."""
    from hardware.chip.pcsc import open_reader

    end = time.monotonic() + order.card_wait
    reading, resumed = unread_chip(Verdict.NOT_PRESENT, "no_chip"), False
    try:
        reader = open_reader(order.reader_url)
        while reader.wait_for_card(max(0.0, end - time.monotonic())):
            reading = _read_once(reader, order, trust, progress)
            if not _was_lifted(reading):
                break
            if reading.access_protocol is not None and not resumed:
                resumed, end = True, max(end, time.monotonic() + RESUME_SECONDS)
            if time.monotonic() >= end:
                break
            time.sleep(_LOOK_AGAIN_SECONDS)
    except DeviceError:
        return unread_chip(Verdict.ERROR, "reader_failed")
    return reading


def _was_lifted(reading: ChipReading) -> bool:
    return any(check.reason == "card_removed" for check in reading.checks)


def _read_once(
    reader: PcscReader, order: _Order, trust: TrustStore, progress: Callable[[str, float], None]
) -> ChipReading:
    try:
        card = reader.connect()
    except DeviceError as error:
        if error.code is ErrorCode.CARD_REMOVED:
            return unread_chip(Verdict.ERROR, "card_removed")
        raise
    try:
        return read_chip(card, order.key, trust, order.now, order.optical, progress, order.can, order.wanted)
    finally:
        card.close()


if __name__ == "__main__":
    # Orders are pickled under the module's own name, not under __main__.
    from hardware.chip import worker

    worker._serve(Connection(int(sys.argv[1])))
