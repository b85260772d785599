"""Counts over stored records that run beside everything else: one at a time, watched, stopped, kept as numbers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from contracts.errors import place_of

DONE, STOPPED, FAILED = "done", "stopped", "failed"
_BREATH_S = 0.002  # after each record: whoever waits for an answer goes first
_LOG = logging.getLogger("corridor.central")

Record = TypeVar("Record")


class Busy(Exception):
    """A count is running already."""


class Count(Protocol[Record]):
    """One count. It holds its own numbers."""

    def records(self) -> Sequence[Record]:
        """What is gone through, in this order."""
        ...

    def count(self, record: Record) -> None:
        """Add one record to the numbers."""
        ...

    def keep(self, state: str) -> None:
        """Write the numbers down; `state` is DONE, STOPPED or FAILED."""
        ...


class BackgroundCount:
    """Runs counts of one kind on a thread of its own. Threads may share it."""

    def __init__(self, what: str) -> None:
        """`what` is counted, in words for the log."""
        self._what = what
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._progress: tuple[int, int] | None = None
        self._last: Any = None
        self._thread: threading.Thread | None = None

    @property
    def progress(self) -> tuple[int, int] | None:
        """Records done, and of how many; None when nothing runs."""
        return self._progress

    @property
    def last(self) -> Any:
        """The count that runs or ran last, as it was given."""
        return self._last

    def start(self, count: Count[Any]) -> None:
        """Begin to count. Raises Busy."""
        with self._lock:
            if self._progress is not None:
                raise Busy
            self._stop.clear()
            self._last, self._progress = count, (0, 0)
            self._thread = threading.Thread(target=self._run, args=(count,), name=self._what, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """What was counted so far is kept as such."""
        self._stop.set()

    def close(self) -> None:
        """Stop and wait for the thread."""
        self.stop()
        self.wait(10)

    def wait(self, seconds: float) -> None:
        """Wait until nothing runs."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join(seconds)

    def _run(self, count: Count[Any]) -> None:
        state = FAILED
        try:
            records = count.records()
            for place, record in enumerate(records):
                self._progress = (place, len(records))
                if self._stop.wait(_BREATH_S):
                    break
                count.count(record)
            state = STOPPED if self._stop.is_set() else DONE
        except Exception as error:  # kind and place: a text could quote what was being read
            _LOG.error("%s: not counted: %s", self._what, place_of(error))
        try:
            count.keep(state)
        except Exception as error:  # the thread ends either way; whoever asked sees no result and may ask again
            _LOG.error("%s: the count was not kept: %s", self._what, place_of(error))
        finally:
            self._progress = None
