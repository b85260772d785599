"""The parts of a running central service, made once per application and handed to whoever needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy.orm import Session

from central.access.users import Users
from central.audit import SERVICE, Audit
from central.config import CentralConfig
from central.keys import KeyRing, load_key_file
from central.law import LawBook
from central.law_news import LawNews
from central.live import Broker
from central.rates import RatesBook
from central.screening import WatchList, load_lists
from central.sealing import Envelope, encrypt
from central.storage import Storage
from central.storage.models import Artifact
from contracts.events import AuditTag
from declarations.money import Rates
from declarations.packs import RulePack

if TYPE_CHECKING:
    from central.face_referrals import FaceReferralCounter
    from central.law_effect import EffectCounter

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
    law: LawBook
    exchange: RatesBook
    news: LawNews
    effects: EffectCounter
    face_referrals: FaceReferralCounter
    watch_list: WatchList

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.config.timezone)

    @property
    def pack(self) -> RulePack:
        """The law in force now; a session keeps the one it began with (`LawBook.applicable`)."""
        return self.law.pack(self.law.term(self.clock()).version.sha256)

    @property
    def rates(self) -> Rates:
        """The newest rates up to today; whether they are of today is theirs to say."""
        return self.exchange.on(self.clock().astimezone(self.timezone).date())

    def close(self) -> None:
        """Let go of streams and database."""
        self.effects.close()
        self.face_referrals.close()
        self.broker.close()
        self.storage.close()


def keep_artifact(
    central: Central, session: Session, kind: str, sha256: str, content: bytes, now: datetime
) -> bool:
    """Keep a rule pack, rates or a list, so that decisions that rely on it can be replayed (rule 4).

    Returns False when it is kept already.
    """
    place = (central.config.site_id, kind, sha256)
    if session.get(Artifact, place) is not None:
        return False
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
    return True


def _keep_lists(central: Central) -> None:
    now, sha256 = central.clock(), central.watch_list.content_hash
    with central.storage.write() as session:
        if keep_artifact(central, session, "watch_list", sha256, central.watch_list.content, now):
            central.audit.append(
                session, chain=SERVICE, tag=AuditTag.LIST_ENTRIES_LOADED, actor="central", now=now,
                detail={"kind": "watch_list", "sha256": sha256},
            )  # fmt: skip


def build(config: CentralConfig, clock: Clock = now) -> Central:
    """Load keys and lists; open and migrate the database; without any law or rates there, begin with the set-up's.

    Raises KeyFileError, InvalidList, or ValueError for a rule pack or rates that cannot be used.
    """
    # Both need a whole service, as their changes are audited; this module is below them.
    from central import lawmaking, rates_import
    from central.face_referrals import FaceReferralCounter
    from central.law_effect import EffectCounter

    master = load_key_file(config.master_key_file, "master")
    receipt_keys = load_key_file(config.receipt_key_file, "receipt")
    watch_list = load_lists(config.watch_list_files)
    storage = Storage(config.database)
    storage.migrate()
    audit = Audit(config.site_id, receipt_keys)
    law, exchange = LawBook(storage, config.site_id), RatesBook(storage, config.site_id)
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
        law=law,
        exchange=exchange,
        news=LawNews(storage, config.site_id, law, exchange),
        effects=EffectCounter(),
        face_referrals=FaceReferralCounter(),
        watch_list=watch_list,
    )
    try:
        lawmaking.begin(central)
        rates_import.begin(central)
        _keep_lists(central)
    except BaseException:
        central.close()
        raise
    return central


def central_of(app: Flask) -> Central:
    """The service behind an application (also through `current_app`)."""
    return cast(Central, app.extensions["central"])
