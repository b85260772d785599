"""The parts of a running central service, made once per application and handed to whoever needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from flask import Flask

from central.access.users import Users
from central.audit import Audit
from central.config import CentralConfig
from central.keys import KeyRing, load_key_file
from central.live import Broker
from central.sealing import Envelope
from central.storage import Storage

Clock = Callable[[], datetime]


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Central:
    """Everything that intake, officers and administrators share. Frozen; the parts know how to be shared."""

    config: CentralConfig
    clock: Clock
    storage: Storage
    envelope: Envelope
    audit: Audit
    broker: Broker
    users: Users
    master: KeyRing
    receipt_keys: KeyRing
    evidence_keys: KeyRing
    sampling_seeds: KeyRing

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.config.timezone)

    def close(self) -> None:
        """Let go of streams and database."""
        self.broker.close()
        self.storage.close()


def build(config: CentralConfig, clock: Clock = now) -> Central:
    """Load the keys, open and migrate the database. Raises KeyFileError."""
    master = load_key_file(config.master_key_file, "master")
    receipt_keys = load_key_file(config.receipt_key_file, "receipt")
    storage = Storage(config.database)
    storage.migrate()
    audit = Audit(config.site_id, receipt_keys)
    return Central(
        config=config,
        clock=clock,
        storage=storage,
        envelope=Envelope(config.site_id, master, config.retention),
        audit=audit,
        broker=Broker(storage, audit),
        users=Users(config.site_id, audit, throttle_key=load_key_file(config.session_secret_file, "session").current.secret),
        master=master,
        receipt_keys=receipt_keys,
        evidence_keys=load_key_file(config.evidence_key_file, "evidence"),
        sampling_seeds=load_key_file(config.sampling_seed_file, "sampling"),
    )


def central_of(app: Flask) -> Central:
    """The service behind an application (also through `current_app`)."""
    return cast(Central, app.extensions["central"])
