"""Figures as charts and sentences: what officers and administrators see of `central.figures`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

from sqlalchemy import select

from central.access.permissions import User
from central.figures import Figures, Share, last_days, today, wilson
from central.messages import Words
from central.officer.charts import Chart, Interval, RateChart, days_chart, hours_chart, rates_chart
from central.officer.queue_view import Fact
from central.officer.reasons import PREDICTS, Rate, rate_in_words
from central.service import Central
from central.storage.models import Transaction
from contracts.decision import Channel, ReasonClass, ReferralReason

DAYS = 28
WEEKS_FOR_USUAL = 3  # the same weekday is "usual" from three past ones on


@dataclass(frozen=True)
class StepRow:
    name: str
    median: str
    slow: str
    number: str


@dataclass(frozen=True)
class FiguresView:
    days: int
    per_hour: Chart
    has_usual: bool
    per_day: Chart
    hit_rates: RateChart
    steps: tuple[StepRow, ...]


@dataclass(frozen=True)
class _Day:
    """One local day: travellers by hour, transactions and those sent to a desk."""

    hours: tuple[int, ...]
    transactions: int
    referred: int


def figures_view(central: Central, user: User, words: Words) -> FiguresView:
    """The charts of the last 28 days, today's hours first. Raises NotAllowed."""
    days = _days(central)
    now = central.clock()
    local = now.astimezone(central.timezone).date()
    usual = _usual(days, local)
    span = last_days(central, user, DAYS)
    return FiguresView(
        days=DAYS,
        per_hour=hours_chart(days[local].hours if local in days else (0,) * 24, usual, now, words),
        has_usual=usual is not None,
        per_day=days_chart(
            [
                (day, _referred(days.get(day)))
                for day in (local - timedelta(days=DAYS - 1 - i) for i in range(DAYS))
            ],
            words,
        ),
        hit_rates=_hit_rates(span, words),
        steps=tuple(
            StepRow(
                words.either(f"step.{step.step}", step.step.replace("_", " ")),
                words("figures.seconds", seconds=words.number(step.median_s, 1)),
                words("figures.seconds", seconds=words.number(step.p95_s, 1)),
                words.number(step.n),
            )
            for step in span.steps
        ),
    )


def rates_of(central: Central, user: User, words: Words) -> Callable[[ReferralReason], Rate]:
    """How often each reason was right in the last 28 days, for the reason blocks. Raises NotAllowed."""
    shares = {rate.code: rate.share for rate in last_days(central, user, DAYS).hit_rates_by_code}

    def rate(reason: ReferralReason) -> Rate:
        share = shares.get(reason.code, Share(0, 0))
        return rate_in_words(reason.reason_class, share.count, share.of, share.interval or (0.0, 1.0), words)

    return rate


def queue_facts(central: Central, user: User, words: Words) -> tuple[Fact, ...]:
    """Today's four figures beside the queue. Raises NotAllowed."""
    figures = today(central, user)
    return (
        Fact(words("queue.cleared"), words.number(figures.green)),
        Fact(words("queue.sent"), share_in_words(figures.referred, words)),
        Fact(words("queue.usual_wait"), wait_in_words(figures.wait_median_s, words)),
        Fact(words("queue.sample"), share_in_words(figures.sample, words)),
    )


def share_in_words(share: Share, words: Words) -> str:
    return words.share(share.value) if share.value is not None else words("today.none_yet")


def wait_in_words(seconds: float | None, words: Words) -> str:
    return words.duration(seconds) if seconds is not None else words("today.none_yet")


def _hit_rates(figures: Figures, words: Words) -> RateChart:
    by_class = {ReasonClass(rate.reason_class): rate.share for rate in figures.hit_rates}
    shown = [ReasonClass.RANDOM, *(kind for kind in ReasonClass if kind is not ReasonClass.RANDOM)]
    rates = []
    for kind in shown:
        share = by_class.get(kind)
        if kind in PREDICTS and share is not None and share.of:
            low, high = share.interval or (0.0, 1.0)
            interval = Interval(share.value or 0.0, low, high, share.count, share.of)
            rates.append((words(f"class.{kind.value}"), interval, kind is ReasonClass.RANDOM))
    return rates_chart(rates, words)


def _days(central: Central) -> dict[date, _Day]:
    """The last 28 local days that have records, from plain columns."""
    zone = central.timezone
    local = central.clock().astimezone(zone).date()
    since = datetime.combine(local - timedelta(days=DAYS), time(), zone)
    with central.storage.read() as reading:
        rows = reading.execute(
            select(Transaction.received_at, Transaction.channel, Transaction.people).where(
                Transaction.site_id == central.config.site_id, Transaction.received_at >= since
            )
        ).all()
    hours: dict[date, list[int]] = defaultdict(lambda: [0] * 24)
    counts: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for received_at, channel, people in rows:
        moment = received_at.astimezone(zone)
        hours[moment.date()][moment.hour] += people
        counts[moment.date()][0] += 1
        counts[moment.date()][1] += channel == Channel.RED.value
    return {day: _Day(tuple(hours[day]), *counts[day]) for day in hours}


def _usual(days: dict[date, _Day], today_: date) -> Sequence[tuple[float, float, float]] | None:
    past = [day.hours for moment, day in days.items() if moment < today_ and moment.weekday() == today_.weekday()]
    if len(past) < WEEKS_FOR_USUAL:
        return None
    return [(min(hour), median(hour), max(hour)) for hour in zip(*past, strict=True)]


def _referred(day: _Day | None) -> Interval | None:
    if day is None or not day.transactions:
        return None
    low, high = wilson(day.referred, day.transactions) or (0.0, 1.0)
    return Interval(day.referred / day.transactions, low, high, day.referred, day.transactions)
