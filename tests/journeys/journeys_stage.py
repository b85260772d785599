"""The house of the demonstration as a stage: travellers come to its kiosk, and central is looked into afterwards.

The processes are the real ones; central's database is read beside the running service.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from central import records
from central.replay import replay_all
from central.service import Central
from central.storage.models import StoredEvidence
from demo.house import House
from demo.puppet import Bench, Body, Hands, KioskScreen

State = dict[str, Any]
Row = dict[str, Any]


class Stuck(AssertionError):
    """What a test waited for did not come."""


@dataclass
class Visit:
    """One traveller before the kiosk."""

    stage: Stage
    story_id: str
    screens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory, self.story = self.stage.house.stories[self.story_id]
        self.screen = KioskScreen(self.stage.house.kiosk_url)
        self.body = Body(self.stage.bench, self.directory, self.story)
        self.hands = Hands(self.screen, self.story)

    def go_on_until(self, reached: Callable[[State], bool], seconds: float = 120.0) -> State:
        """Follow the story until the kiosk shows what is waited for. Raises Stuck."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.screen.state()
            if not self.screens or self.screens[-1] != state["screen"]:
                self.screens.append(state["screen"])
            if reached(state):
                return state
            self.body.follow(state)
            self.hands.touch(state)
            time.sleep(0.02)
        raise Stuck(f"{self.story_id}: {' > '.join(self.screens)}; hint {state.get('hint')}")

    def comes_to(self, screen: str) -> State:
        return self.go_on_until(lambda state: state["screen"] == screen)

    def ends(self) -> State:
        """The result screen's state."""
        return self.comes_to("result")

    def asks_for_an_officer(self) -> None:
        self.screen.act("ask_officer")

    def leaves(self) -> None:
        self.screen.act("finish")
        self.stage.bench.clear()


@dataclass
class Stage:
    """`central` reads the database of the running service; it writes nothing."""

    house: House
    central: Central
    temporary: Path  # where the house's processes put their temporary files

    @property
    def bench(self) -> Bench:
        assert self.house.bench is not None
        return self.house.bench

    def visit(self, story_id: str) -> Visit:
        """A traveller comes to an empty kiosk; whoever stood there before is brought to an officer."""
        self.bench.clear()
        screen = KioskScreen(self.house.kiosk_url)

        def is_empty() -> bool:
            state = screen.state()
            if state["screen"] == "result":
                screen.act("finish")
            elif state["screen"] != "welcome" and "ask_officer" in state["actions"]:
                screen.act("ask_officer")
            return bool(state["screen"] == "welcome")

        self.wait_for(is_empty, "an empty kiosk")
        return Visit(self, story_id)

    def play(self, story_id: str) -> tuple[State, Row]:
        """A whole visit: what the screen said at the end, and central's record of it."""
        visit = self.visit(story_id)
        result = visit.ends()["result"]
        visit.leaves()
        return result, self.record(result["receipt_number"])

    def kiosk_state(self) -> State:
        state: State = requests.get(f"{self.house.kiosk_url}/state", timeout=10).json()
        return state

    def record(self, receipt_number: str) -> Row:
        (row,) = records.rows(self.central, receipt=receipt_number)
        return row

    def records(self) -> dict[str, Row]:
        """Every record at central by its id; the same id twice is an error."""
        rows = list(records.rows(self.central))
        found = {row["record_id"]: row for row in rows}
        assert len(found) == len(rows)
        return found

    def outbox(self) -> list[tuple[str, str]]:
        """Record id and state of what lies in the kiosk's outbox."""
        path = self.house.directory / "kiosk/outbox.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT record_id, state FROM outbox").fetchall()

    def evidence_size(self, record_id: str) -> int:
        """Bytes of the sealed evidence of a record; 0 when none arrived."""
        place = (self.central.config.site_id, record_id)
        with self.central.storage.read() as session:
            stored = session.get(StoredEvidence, place)
            return stored.size if stored is not None else 0

    def delivered(self) -> None:
        """Wait until the outbox is empty."""
        self.wait_for(lambda: not self.outbox(), "an empty outbox")

    def books_are_straight(self) -> None:
        """Every chain verifies and every record is decided the same again."""
        with self.central.storage.read() as session:
            assert all(report.intact for report in self.central.audit.verify(session))
        answers = [one for one in replay_all(self.central) if one.same is not None]
        assert len(answers) == len(self.records())
        assert all(one.same for one in answers), [one.record_id for one in answers if not one.same]

    def wait_for(self, reached: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(requests.RequestException):
                if reached():
                    return
            time.sleep(0.05)
        raise Stuck(f"waited {seconds:.0f} s for {what}")

    def kill(self, name: str) -> None:
        """SIGKILL to a process and all that it started."""
        self.house.stop(name, kill=True)

    @contextlib.contextmanager
    def held(self, name: str) -> Iterator[None]:
        """A process that stands still; it goes on afterwards, unless it was killed meanwhile."""
        process = self.house.processes[name]
        os.killpg(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
