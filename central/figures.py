"""Statistics out of plain columns: nothing is decrypted to count. Each share carries its interval and its n."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median

from sqlalchemy import select

from central.access.permissions import Permission, User
from central.referrals import NotAllowed
from central.service import Central
from central.storage.models import StoredDecision, StoredDisposition, StoredReason, StoredReferral, Transaction
from contracts.decision import Channel
from contracts.disposition import DispositionOutcome

TOO_FEW = 30  # below this a share is not shown as one
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """A share with its 95 % Wilson interval; `too_few` asks the page to say so instead of a figure."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.count, self.of)

    @property
    def too_few(self) -> bool:
        return self.of < TOO_FEW


@dataclass(frozen=True)
class HitRate:
    """How often a control for this reason found something: findings of closed controls."""

    reason_class: str
    code: str | None  # None: the whole class
    share: Share


@dataclass(frozen=True)
class HourFigure:
    hour: int  # local
    green: int
    referred: int


@dataclass(frozen=True)
class StepFigure:
    step: str
    median_s: float
    p95_s: float
    n: int


@dataclass(frozen=True)
class Figures:
    """The figures of a span of time, for the dashboard and the figures page."""

    since: datetime
    until: datetime
    transactions: int
    travellers: int
    green: int
    referred: Share  # transactions sent to a desk
    hours: tuple[HourFigure, ...]
    hit_rates: tuple[HitRate, ...]  # by reason class
    hit_rates_by_code: tuple[HitRate, ...]
    reasons: tuple[tuple[str, str, int], ...]  # class, code, times
    sample: Share  # drawn of the sample's population
    sample_rate_set: float
    sample_compliance: Share  # drawn and controlled, nothing found
    steps: tuple[StepFigure, ...]
    wait_median_s: float | None  # referral to claim
    wait_p95_s: float | None
    open_referrals: int
    no_shows: int
    exit_alarms: int


def wilson(count: int, of: int) -> tuple[float, float] | None:
    """The 95 % Wilson score interval of `count` out of `of`; None when `of` is 0."""
    if of <= 0:
        return None
    share, square = count / of, Z_95**2
    centre = (share + square / (2 * of)) / (1 + square / of)
    half = Z_95 * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, centre - half), min(1.0, centre + half)


def today(central: Central, user: User) -> Figures:
    """The figures since local midnight. Raises NotAllowed."""
    now = central.clock()
    midnight = datetime.combine(now.astimezone(central.timezone).date(), time(), central.timezone)
    return between(central, user, midnight, now)


def last_days(central: Central, user: User, days: int) -> Figures:
    """The figures of the last `days` days. Raises NotAllowed."""
    now = central.clock()
    return between(central, user, now - timedelta(days=days), now)


def between(central: Central, user: User, since: datetime, until: datetime) -> Figures:
    """The figures of records received in [since, until). Raises NotAllowed."""
    site = central.config.site_id
    if not user.may(Permission.FIGURES_VIEW, site_id=site):
        raise NotAllowed
    with central.storage.read() as session:
        rows = session.scalars(
            select(Transaction).where(
                Transaction.site_id == site, Transaction.received_at >= since, Transaction.received_at <= until
            )
        ).all()
        ids = {row.record_id for row in rows}
        span = (Transaction.site_id == site, Transaction.received_at >= since, Transaction.received_at <= until)
        chosen = select(Transaction.record_id).where(*span)
        reasons = session.scalars(
            select(StoredReason).where(StoredReason.site_id == site, StoredReason.record_id.in_(chosen))
        ).all()
        referrals = session.scalars(
            select(StoredReferral).where(StoredReferral.site_id == site, StoredReferral.record_id.in_(chosen))
        ).all()
        dispositions = session.scalars(
            select(StoredDisposition).where(
                StoredDisposition.site_id == site, StoredDisposition.record_id.in_(chosen)
            )
        ).all()
        decisions = session.scalars(
            select(StoredDecision).where(StoredDecision.site_id == site, StoredDecision.record_id.in_(chosen))
        ).all()
    controlled, found = _controls(referrals, dispositions)
    by_class, by_code = _hit_rates(reasons, controlled, found)
    waits = [(row.claimed_at - row.opened_at).total_seconds() for row in referrals if row.claimed_at is not None]
    drawn = {reason.record_id for reason in reasons if reason.code == "RANDOM_SAMPLE"} & controlled
    return Figures(
        since=since,
        until=until,
        transactions=len(ids),
        travellers=sum(row.people for row in rows),
        green=sum(row.channel == Channel.GREEN.value for row in rows),
        referred=Share(sum(row.channel == Channel.RED.value for row in rows), len(rows)),
        hours=_hours(central, rows),
        hit_rates=by_class,
        hit_rates_by_code=by_code,
        reasons=tuple(
            (reason_class, code, count)
            for (reason_class, code), count in Counter(
                (reason.reason_class, reason.code) for reason in reasons
            ).most_common()
        ),
        sample=Share(
            sum(decision.sampling_drawn for decision in decisions),
            sum(decision.sampling_population for decision in decisions),
        ),
        sample_rate_set=central.config.effective_sampling_rate,
        sample_compliance=Share(len(drawn - found), len(drawn)),
        steps=_steps(rows),
        wait_median_s=median(waits) if waits else None,
        wait_p95_s=percentile(waits, 0.95) if waits else None,
        open_referrals=sum(row.closed_at is None for row in referrals),
        no_shows=sum(row.no_show_at is not None for row in referrals),
        exit_alarms=sum(row.exit_alarm_at is not None for row in referrals),
    )


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile of a non-empty list."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _controls(
    referrals: Sequence[StoredReferral], dispositions: Sequence[StoredDisposition]
) -> tuple[set[str], set[str]]:
    """Records whose control is over, and those with a signed finding. No-shows were not controlled."""
    still_open = {row.record_id for row in referrals if row.closed_at is None}
    absent = {row.record_id for row in dispositions if row.outcome == DispositionOutcome.NO_SHOW.value}
    controlled = {row.record_id for row in dispositions} - still_open - absent
    return controlled, {row.record_id for row in dispositions if row.finding} & controlled


def _hit_rates(
    reasons: Sequence[StoredReason], controlled: set[str], found: set[str]
) -> tuple[tuple[HitRate, ...], tuple[HitRate, ...]]:
    by_class: dict[str, set[str]] = defaultdict(set)
    by_code: dict[tuple[str, str], set[str]] = defaultdict(set)
    for reason in reasons:
        if reason.record_id in controlled:
            by_class[reason.reason_class].add(reason.record_id)
            by_code[reason.reason_class, reason.code].add(reason.record_id)
    return (
        tuple(HitRate(name, None, Share(len(ids & found), len(ids))) for name, ids in sorted(by_class.items())),
        tuple(
            HitRate(name, code, Share(len(ids & found), len(ids))) for (name, code), ids in sorted(by_code.items())
        ),
    )


def _hours(central: Central, rows: Sequence[Transaction]) -> tuple[HourFigure, ...]:
    counts: dict[int, list[int]] = {hour: [0, 0] for hour in range(24)}
    for row in rows:
        hour = row.received_at.astimezone(central.timezone).hour
        counts[hour][row.channel == Channel.RED.value] += row.people
    return tuple(HourFigure(hour, green, referred) for hour, (green, referred) in counts.items())


def _steps(rows: Sequence[Transaction]) -> tuple[StepFigure, ...]:
    times: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for step, seconds in row.step_seconds.items():
            times[step].append(float(seconds))
    return tuple(
        StepFigure(step, median(values), percentile(values, 0.95), len(values)) for step, values in times.items()
    )
