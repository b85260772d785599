"""The outbox: nothing lost, nothing twice, nothing in clear."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.errors import ErrorCode
from kiosk.keys import OutboxKey
from kiosk.outbox import Outbox

KEY = OutboxKey(bytes(range(32)), "k1")
BODY = b'{"surname":"ERIKSSON"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "outbox.sqlite"


def opened(path: Path, key: OutboxKey = KEY) -> Outbox:
    return Outbox(path, key, "msq")


def test_a_record_waits_until_it_is_answered_and_leaves_no_trace(path: Path) -> None:
    outbox = opened(path)
    outbox.queue("r1", BODY, now=1.0)
    outbox.queue("r1", b"another body", now=2.0)  # the same record is one record
    (waiting,) = outbox.due(now=3.0)
    assert (waiting.record_id, waiting.state, waiting.body) == ("r1", "queued", BODY)
    assert outbox.waiting() == 1
    outbox.answered("r1")
    assert outbox.due(now=4.0) == []
    outbox.close()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT COUNT(*) FROM outbox").fetchone() == (0,)
    database.close()


def test_evidence_is_on_the_disk_before_the_answer_and_waits_after_it(path: Path) -> None:
    outbox = opened(path)
    outbox.queue("r1", BODY, now=1.0, evidence=b"sealed pictures")
    outbox.close()
    outbox = opened(path)  # a crash before the answer
    (waiting,) = outbox.due(now=2.0)
    assert (waiting.state, waiting.body, waiting.evidence) == ("queued", BODY, None)
    outbox.answered("r1", evidence_wanted=True)
    outbox.close()
    outbox = opened(path)  # and one after it
    (waiting,) = outbox.due(now=2.0)
    assert (waiting.state, waiting.body, waiting.evidence) == ("answered", None, b"sealed pictures")
    assert outbox.waiting() == 0
    outbox.acknowledged("r1")
    assert outbox.counts() == {}
    outbox.close()


def test_evidence_that_is_not_wanted_goes_with_the_record(path: Path) -> None:
    outbox = opened(path)
    outbox.queue("r1", BODY, now=1.0, evidence=b"sealed pictures")
    outbox.answered("r1")
    outbox.queue("r2", BODY, now=1.0)
    outbox.answered("r2", evidence_wanted=True)  # wanted, and there is none
    assert outbox.counts() == {}
    outbox.close()


def test_a_long_outage_costs_the_oldest_bundles_and_no_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.outbox.MOST_BUNDLES", 2)
    outbox = opened(path)
    for number in range(4):
        outbox.queue(f"r{number}", BODY, now=float(number), evidence=b"sealed pictures")
    assert outbox.counts() == {("queued", ""): 4}
    for number in range(4):
        outbox.answered(f"r{number}", evidence_wanted=True)
    assert [waiting.record_id for waiting in outbox.due(now=9.0)] == ["r2", "r3"]
    outbox.close()


def test_a_refusal_for_good_is_counted_keeps_no_pictures_and_can_be_offered_again(path: Path) -> None:
    outbox = opened(path)
    outbox.queue("r1", BODY, now=1.0, evidence=b"sealed pictures")
    outbox.failed("r1", ErrorCode.RECORD_INVALID, now=2.0, permanent=True)
    assert outbox.counts() == {("refused", "RECORD_INVALID"): 1}
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT evidence IS NULL FROM outbox").fetchone() == (1,)
    database.close()
    assert outbox.due(now=1e9) == []
    assert outbox.offer_again() == 1
    assert [waiting.body for waiting in outbox.due(now=3.0)] == [BODY]
    outbox.close()


def test_nothing_lies_on_the_disk_in_clear(path: Path) -> None:
    outbox = opened(path)
    outbox.queue("r1", BODY, now=1.0)
    on_disk = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"ERIKSSON" not in on_disk
    assert KEY.key not in on_disk
    assert b"aes-256-gcm" in on_disk
    assert path.stat().st_mode & 0o077 == 0
    outbox.close()


def test_a_row_opens_only_with_its_key_and_only_in_its_place(path: Path) -> None:
    outbox = opened(path)
    outbox.queue("r1", BODY, now=1.0)
    outbox.queue("r2", b"second", now=2.0)
    outbox.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE outbox SET record = (SELECT record FROM outbox WHERE record_id = 'r2')")
    database.close()
    outbox = opened(path)
    assert [waiting.record_id for waiting in outbox.due(now=3.0)] == ["r2"]  # r1 holds r2's bytes: set aside
    assert outbox.waiting() == 2  # and still counted as not delivered
    outbox.close()
    outbox = opened(path, OutboxKey(bytes(32), "k2"))
    assert outbox.due(now=3.0) == []
    outbox.close()


def test_a_failed_attempt_waits_longer_each_time(path: Path) -> None:
    outbox = opened(path)
    outbox.queue("r1", BODY, now=0.0)
    waits = []
    now = 0.0
    for _ in range(12):
        outbox.failed("r1", ErrorCode.CENTRAL_UNREACHABLE, now=now)
        step = 1.0
        while not outbox.due(now + step):
            step += 1.0
        waits.append(step)
        now += step
    assert waits == sorted(waits)
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == 300.0
    outbox.close()


def test_what_central_refuses_for_good_is_kept_for_a_person_and_not_sent_again(path: Path) -> None:
    outbox = opened(path)
    outbox.queue("r1", BODY, now=0.0)
    outbox.failed("r1", ErrorCode.RECORD_INVALID, now=1.0, permanent=True)
    assert outbox.due(now=10_000.0) == []
    assert outbox.waiting() == 1
    outbox.close()


WRITER = """
import sys
from pathlib import Path
from kiosk.keys import OutboxKey
from kiosk.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]), OutboxKey(bytes(range(32)), "k1"), "msq")
number = 0
while True:
    number += 1
    outbox.queue(f"r{number}", b"body %d" % number, float(number), evidence=b"evidence")
    print(number, flush=True)
    if number % 3 == 0:
        outbox.answered(f"r{number}", evidence_wanted=bool(number % 2))
        print(-number, flush=True)
"""


def test_kill_9_loses_nothing_that_was_confirmed(path: Path) -> None:
    for _ in range(3):
        path.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(25)]
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        told += [int(line) for line in rest.split(b"\n")[:-1]]
        outbox = opened(path)
        found = {waiting.record_id: waiting for waiting in outbox.due(now=1e9, most=100_000)}
        queued = {number for number in told if number > 0}
        answered = {-number for number in told if number < 0}
        for number in queued - answered:
            if f"r{number}" not in found:
                assert number == max(queued)  # answered, and killed before it could say so
                assert number % 6 == 0
                continue
            assert found[f"r{number}"].body in (b"body %d" % number, None)
        for number in answered:
            assert (f"r{number}" in found) == bool(number % 2)
        outbox.close()
