"""What a version of the law would change: stored declarations judged by it and by the law in force, and counted.

The count runs beside everything else on a thread of its own, one at a time, can be watched and cancelled, and
keeps numbers and reason codes. Nothing personal leaves it; record numbers are for those who may open the cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central import risk
from central.access.permissions import Permission, User
from central.audit import PEOPLE
from central.counting import STOPPED, BackgroundCount
from central.referrals import NotAllowed, stored_decision
from central.replay import Artifacts, stored_features
from central.risk import Features
from central.sealing import Erased, Unreadable
from central.storage.models import LawEffect, StoredLaw, Transaction
from contracts.decision import Channel
from contracts.events import AuditTag
from contracts.transaction import TransactionRecord
from declarations.packs import RulePack

if TYPE_CHECKING:
    from central.service import Central

DAYS, MOST_RECORDS = 30, 5_000
MOST_SAMPLES = MOST_CODES = 20
CANCELLED = "cancelled"


@dataclass
class Counted:
    """The numbers of a count, which grow while it runs. `duty_more` and `duty_less` are people whose known duty
    estimate changed; `added` and `removed` are reason codes with how often they came and went.
    """

    on: str  # the day on which everybody is taken to cross
    all_records: int = 0  # that there are; `records` were counted, `erased` could not be
    records: int = 0
    erased: int = 0
    people: int = 0
    to_red: int = 0
    to_green: int = 0
    other_reasons: int = 0
    duty_more: int = 0
    duty_less: int = 0
    duty_unknown: int = 0
    added: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)

    def kept(self) -> dict[str, Any]:
        """As JSON keeps it, with the codes that changed most."""
        codes = {name: dict(getattr(self, name).most_common(MOST_CODES)) for name in ("added", "removed")}
        return vars(self) | codes

    @staticmethod
    def of(kept: Mapping[str, Any]) -> Counted:
        """What `kept` made."""
        codes = {name: Counter(kept[name]) for name in ("added", "removed")}
        return Counted(**{**kept, **codes})


@dataclass(frozen=True)
class Effect:
    """A finished count of one version against another."""

    version: int
    compared_with: int
    state: str
    counted: Counted
    asked_by: str
    asked_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Progress:
    """A count that runs: `done` of `total` records."""

    version: int
    done: int
    total: int


class EffectCounter:
    """Counts for one site, one at a time. Threads may share it."""

    def __init__(self) -> None:
        self._counts = BackgroundCount("the effect of a rule pack")

    def start(self, central: Central, user: User, number: int, on: date) -> None:
        """Begin to count what version `number` would change, as if everybody crossed on `on`.

        Raises NotAllowed, LookupError for an unknown version, or Busy.
        """
        if not user.may(Permission.RULES_CHANGE, site_id=central.config.site_id):
            raise NotAllowed
        with central.storage.read() as session:
            row = session.get(StoredLaw, (central.config.site_id, number))
            if row is None:
                raise LookupError(number)
            sha256 = row.sha256
        term = central.law.term(central.clock())
        job = _Job(
            central,
            user,
            number,
            term.version.number,
            central.law.pack(sha256),
            central.law.pack(term.version.sha256),
            on,
            central.clock(),
            Artifacts(central),
            Counted(on=on.isoformat()),
        )
        self._counts.start(job)

    @property
    def progress(self) -> Progress | None:
        """The count that runs, or None."""
        progress = self._counts.progress
        return None if progress is None else Progress(self._counts.last.number, *progress)

    def cancel(self, central: Central, user: User) -> None:
        """Stop the count; what was counted so far is kept as such. Raises NotAllowed."""
        if not user.may(Permission.RULES_CHANGE, site_id=central.config.site_id):
            raise NotAllowed
        self._counts.stop()

    def close(self) -> None:
        """Stop and wait for the thread."""
        self._counts.close()

    def wait(self, seconds: float) -> None:
        """Wait until nothing runs."""
        self._counts.wait(seconds)


def latest(central: Central, number: int) -> Effect | None:
    """The last count of a version that ended, or None."""
    with central.storage.read() as session:
        row = session.scalars(
            select(LawEffect)
            .where(LawEffect.site_id == central.config.site_id, LawEffect.version == number)
            .order_by(LawEffect.effect.desc())
            .limit(1)
        ).first()
    if row is None:
        return None
    counted = Counted.of(row.result)
    return Effect(row.version, row.compared_with, row.state, counted, row.asked_by, row.asked_at, row.ended_at)


@dataclass(frozen=True)
class _Job:
    central: Central
    user: User
    number: int
    compared_with: int
    pack: RulePack
    present: RulePack
    on: date
    asked_at: datetime
    artifacts: Artifacts
    counted: Counted

    def records(self) -> Sequence[str]:
        """The records of the last days, newest first and no more than the bound."""
        site, since = self.central.config.site_id, self.asked_at - timedelta(days=DAYS)
        recent = (Transaction.site_id == site, Transaction.received_at >= since)
        with self.central.storage.read() as session:
            total = session.scalar(select(func.count()).select_from(Transaction).where(*recent))
            self.counted.all_records = total or 0
            return session.scalars(
                select(Transaction.record_id)
                .where(*recent)
                .order_by(Transaction.received_at.desc())
                .limit(MOST_RECORDS)
            ).all()

    def count(self, record_id: str) -> None:
        """Judge one record by both laws and add what differs."""
        counted = self.counted
        with self.central.storage.read() as session:
            try:
                features = self._features(session, record_id)
            except (Erased, Unreadable, KeyError):
                counted.erased += 1
                return
        counted.records += 1
        changed = False
        now, then = risk.decide(features), risk.decide(replace(features, pack=self.pack))
        for before, after in zip(now, then, strict=True):
            counted.people += 1
            gone = {reason.code for reason in before.reasons} - {reason.code for reason in after.reasons}
            come = {reason.code for reason in after.reasons} - {reason.code for reason in before.reasons}
            counted.removed.update(gone)
            counted.added.update(come)
            if before.channel is not after.channel:
                counted.to_red += after.channel is Channel.RED
                counted.to_green += after.channel is Channel.GREEN
            elif gone or come:
                counted.other_reasons += 1
            changed = changed or bool(gone or come)
        changed = self._duty(features, counted) or changed
        if changed and len(counted.samples) < MOST_SAMPLES:
            counted.samples.append(record_id)

    def keep(self, state: str) -> None:
        """Write down the numbers, and that they were asked for."""
        kept_as = CANCELLED if state == STOPPED else state
        central, site = self.central, self.central.config.site_id
        now = central.clock()
        with central.storage.write() as session:
            last = session.scalar(select(func.max(LawEffect.effect)).where(LawEffect.site_id == site))
            session.add(
                LawEffect(
                    site_id=site, effect=(last or 0) + 1, version=self.number, compared_with=self.compared_with,
                    state=kept_as, result=self.counted.kept(), asked_by=self.user.user_id, asked_at=self.asked_at,
                    ended_at=now,
                )
            )  # fmt: skip
            central.audit.append(
                session, chain=PEOPLE, tag=AuditTag.RULES_EFFECT_COUNTED, actor=self.user.user_id, now=now,
                detail={"version": self.number, "compared_with": self.compared_with, "state": kept_as,
                        "records": self.counted.records, "on": self.counted.on},
            )  # fmt: skip

    def _features(self, session: Session, record_id: str) -> Features:
        """What the decision relied on, moved to the day of the count: its rates count as if they were of it."""
        central = self.central
        record = central.envelope.open_model(session, record_id, "record", TransactionRecord)
        decision = stored_decision(central, session, record_id)
        features = stored_features(central, session, record, decision, self.artifacts)
        rates = features.rates
        if rates is not None and rates.in_force(features.on):
            rates = rates.model_copy(update={"date": self.on, "valid_through": None})
        return replace(features, pack=self.present, rates=rates, on=self.on, law_problem="")

    def _duty(self, features: Features, counted: Counted) -> bool:
        changed = False
        now, then = risk.assess(features).persons, risk.assess(replace(features, pack=self.pack)).persons
        for person_id, before in now.items():
            after = then[person_id]
            if not (before.duty_complete and after.duty_complete) or before.currency != after.currency:
                counted.duty_unknown += 1
                continue
            counted.duty_more += after.duty_total > before.duty_total
            counted.duty_less += after.duty_total < before.duty_total
            changed = changed or after.duty_total != before.duty_total
        return changed
