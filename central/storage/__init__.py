"""Storage: one engine behind a URL, reads that never write, and writes that commit whole or not at all.

SQLite runs in WAL mode with `synchronous=FULL`: what was answered is on disk (rule 7). Writers take the lock at
the start (`BEGIN IMMEDIATE`), so that a transaction never fails half way for want of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session

MIGRATIONS = Path(__file__).parent / "migrations"


class Storage:
    """Opens sessions on one database. Threads may share it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._writing = threading.RLock()
        self.engine = _create_engine(url)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; nothing it changes is kept."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session  # closing rolls back and leaves loaded rows readable

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are all on disk when the block ends, or none of them if it raises.

        One writer at a time within the process; a second process waits for the database's own lock.
        """
        with self._writing, Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={"corridor_writes": True})
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        configuration = Config()
        configuration.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.connect() as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")

    def close(self) -> None:
        self.engine.dispose()


def _create_engine(url: str) -> Engine:
    if not make_url(url).drivername.startswith("sqlite"):
        return create_engine(url, pool_size=20, max_overflow=40)
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(
        url, connect_args={"timeout": 20, "check_same_thread": False}, pool_size=20, max_overflow=60
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("corridor_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
