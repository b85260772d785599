"""Storage: the migrations make the schema of the models, and what was answered survives kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from central_scene import write_config
from sqlalchemy import select, text

from central.service import build
from central.storage import Storage
from central.storage.models import AuditEvent, Base, StoredDecision, StoredReceipt, StoredReferral, Transaction


def test_the_migrations_make_the_schema_of_the_models(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'new.sqlite'}")
    storage.migrate()
    with storage.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
        assert found == []
    storage.migrate()
    storage.close()


def test_site_id_leads_every_key() -> None:
    for table in Base.metadata.tables.values():
        assert next(iter(table.primary_key.columns)).name == "site_id", table.name


def test_sqlite_is_durable(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with storage.read() as session:
        assert session.execute(text("pragma journal_mode")).scalar() == "wal"
        assert session.execute(text("pragma synchronous")).scalar() == 2  # FULL
    storage.close()


def test_a_write_that_raises_leaves_nothing(tmp_path: Path) -> None:
    central = build(write_config(tmp_path))
    with central.storage.read() as session:
        before = central.audit.last_id(session)
    with pytest.raises(RuntimeError), central.storage.write() as session:
        session.execute(text("update audit_heads set hash = 'x'"))
        raise RuntimeError
    with central.storage.read() as session:
        assert central.audit.last_id(session) == before
        assert all(report.intact for report in central.audit.verify(session))
    central.close()


KIOSK_THAT_TELLS_WHAT_WAS_ANSWERED = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from central_scene import Clock, enrolled, record, red_record, write_config
    from central import create_app
    from central.service import central_of, now
    app = create_app(write_config(Path(sys.argv[1])), now)
    kiosk = enrolled(app, central_of(app), now, "B3", "kiosk")
    while True:
        for sent in (record(), red_record()):
            print("sending", sent.record_id, flush=True)
            response = kiosk.sends_record(sent)
            assert response.status_code == 200, response.text
            print("answered", sent.record_id, flush=True)
    """
)


@pytest.mark.slow
@pytest.mark.parametrize("answers", [1, 4, 9])
def test_what_was_answered_survives_kill_9(tmp_path: Path, answers: int) -> None:
    write_config(tmp_path)
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])
    process = subprocess.Popen(
        [sys.executable, "-c", KIOSK_THAT_TELLS_WHAT_WAS_ANSWERED, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout is not None
    answered, sent = [], []
    while len(answered) < answers:
        line = process.stdout.readline()
        assert line, "the process ended by itself"
        word, record_id = line.split()
        (answered if word == "answered" else sent).append(record_id)
    os.kill(process.pid, signal.SIGKILL)
    for line in process.stdout:  # what it still managed to say
        if line.endswith("\n"):
            word, record_id = line.split()
            (answered if word == "answered" else sent).append(record_id)
    process.stdout.close()
    process.wait()

    central = build(write_config(tmp_path))
    with central.storage.read() as session:
        stored = session.scalars(select(Transaction.record_id)).all()
        assert set(answered) <= set(stored) <= set(sent)
        assert len(stored) == len(set(stored))
        for record_id in stored:
            channel = session.scalar(select(Transaction.channel).where(Transaction.record_id == record_id))
            assert session.scalar(select(StoredDecision).where(StoredDecision.record_id == record_id)) is not None
            assert session.scalar(select(StoredReceipt).where(StoredReceipt.record_id == record_id)) is not None
            referral = session.scalar(select(StoredReferral).where(StoredReferral.record_id == record_id))
            assert (referral is not None) == (channel == "red")
            tags = session.scalars(select(AuditEvent.tag).where(AuditEvent.record_id == record_id)).all()
            assert len(tags) == 3
        assert all(report.intact for report in central.audit.verify(session))
    central.close()
