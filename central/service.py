"""The parts of a running central service, made once per application and handed to whoever needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from flask import Flask

from central.access.users import Users
from central.audit import SERVICE, Audit
from central.config import CentralConfig
from central.keys import KeyRing, load_key_file
from central.live import Broker
from central.screening import WatchList, load_lists
from central.sealing import Envelope, encrypt
from central.storage import Storage
from central.storage.models import Artifact
from contracts.canonical import canonical_json
from contracts.events import AuditTag
from declarations.money import Rates, demonstration_rates, load_rates
from declarations.packs import RulePack, load_pack

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
    pack: RulePack
    rates: Rates
    watch_list: WatchList

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.config.timezone)

    def close(self) -> None:
        """Let go of streams and database."""
        self.broker.close()
        self.storage.close()


def keep(central: Central) -> None:
    """Keep the rules, rates and lists in force, so that decisions that rely on them can be replayed (rule 4)."""
    now = central.clock()
    with central.storage.write() as session:
        for kind, sha256, content in (
            ("rule_pack", central.pack.content_hash, canonical_json(central.pack)),
            ("rates", central.rates.content_hash, canonical_json(central.rates)),
            ("watch_list", central.watch_list.content_hash, central.watch_list.content),
        ):
            place = (central.config.site_id, kind, sha256)
            if session.get(Artifact, place) is not None:
                continue
            key = central.master.current
            session.add(
                Artifact(
                    site_id=central.config.site_id,
                    kind=kind,
                    sha256=sha256,
                    suite=key.suite,
                    key_id=key.key_id,
                    content=encrypt(key.secret, content, "|".join(place)),
                    stored_at=now,
                )
            )
            tag = AuditTag.LIST_ENTRIES_LOADED if kind == "watch_list" else AuditTag.RULES_PACK_ACTIVATED
            central.audit.append(
                session, chain=SERVICE, tag=tag, actor="central", now=now, detail={"kind": kind, "sha256": sha256}
            )


def build(config: CentralConfig, clock: Clock = now) -> Central:
    """Load keys, rules, rates and lists; open and migrate the database.

    Raises KeyFileError, InvalidList, or ValueError for a rule pack or rates that cannot be used.
    """
    master = load_key_file(config.master_key_file, "master")
    receipt_keys = load_key_file(config.receipt_key_file, "receipt")
    pack = load_pack(config.rule_pack)
    rates = load_rates(config.rates_file) if config.rates_file else demonstration_rates()
    watch_list = load_lists(config.watch_list_files)
    storage = Storage(config.database)
    storage.migrate()
    audit = Audit(config.site_id, receipt_keys)
    central = Central(
        config=config,
        clock=clock,
        storage=storage,
        envelope=Envelope(config.site_id, master, config.retention),
        audit=audit,
        broker=Broker(storage, audit),
        users=Users(
            config.site_id,
            audit,
            throttle_key=load_key_file(config.session_secret_file, "session").current.secret,
            # Tests sign in hundreds of times; what they test is not how long a guess takes.
            hasher=PasswordHasher(time_cost=1, memory_cost=64) if config.profile == "test" else None,
            production=config.profile == "production",
        ),
        master=master,
        receipt_keys=receipt_keys,
        evidence_keys=load_key_file(config.evidence_key_file, "evidence"),
        sampling_seeds=load_key_file(config.sampling_seed_file, "sampling"),
        pack=pack,
        rates=rates,
        watch_list=watch_list,
    )
    keep(central)
    return central


def central_of(app: Flask) -> Central:
    """The service behind an application (also through `current_app`)."""
    return cast(Central, app.extensions["central"])
