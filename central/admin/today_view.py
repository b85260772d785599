"""Today at the site: five figures, the charts, the kiosks, and what needs a person, each in words too."""

from __future__ import annotations

from dataclasses import dataclass

from central.access.permissions import Permission, User
from central.figures import Figures, Share, today
from central.messages import Words
from central.officer.charts import Chart, RateChart
from central.officer.figures_view import figures_view, share_in_words, wait_in_words
from central.officer.kiosk_pages import KiosksView, kiosks_view
from central.service import Central


@dataclass(frozen=True)
class Figure:
    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Footnote:
    icon: str
    text: str


@dataclass(frozen=True)
class TodayView:
    five: tuple[Figure, ...]
    per_hour: Chart
    per_hour_note: str
    per_day: Chart
    hit_rates: RateChart
    kiosks: KiosksView
    footnotes: tuple[Footnote, ...]


def today_view(central: Central, user: User, words: Words) -> TodayView:
    """Raises NotAllowed."""
    figures = today(central, user)
    charts = figures_view(central, user, words)
    if user.may(Permission.KIOSKS_VIEW, site_id=central.config.site_id):
        kiosks = kiosks_view(central, words, "/admin/kiosks")
    else:
        kiosks = KiosksView((), (), False, "/admin/kiosks")
    return TodayView(
        five=_five(central, figures, words),
        per_hour=charts.per_hour,
        per_hour_note=words("today.per_hour_usual" if charts.has_usual else "today.per_hour_note"),
        per_day=charts.per_day,
        hit_rates=charts.hit_rates,
        kiosks=kiosks,
        footnotes=_footnotes(central, figures, words),
    )


def _five(central: Central, figures: Figures, words: Words) -> tuple[Figure, ...]:
    hour = central.clock().astimezone(central.timezone).hour
    now = figures.hours[hour]
    machine = next((step for step in figures.steps if step.step == "total"), None)
    asked = sum(count for _, code, count in figures.reasons if code == "ASKED_FOR_OFFICER")
    cleared = Share(figures.green, figures.transactions)
    return (
        Figure(
            words("today.travellers_today"),
            words.number(figures.travellers),
            words("today.this_hour", count=now.green + now.referred),
        ),
        Figure(
            words("today.machine_time"),
            words("figures.seconds", seconds=words.number(machine.median_s, 1))
            if machine
            else words("today.none_yet"),
            words("today.slowest", value=words("figures.seconds", seconds=words.number(machine.p95_s, 1)))
            if machine
            else words("today.no_measure"),
        ),
        Figure(
            words("today.finished"),
            share_in_words(cleared, words),
            words("today.asked", share=share_in_words(Share(asked, figures.transactions), words)),
        ),
        Figure(
            words("today.sample"),
            share_in_words(figures.sample, words),
            words(
                "today.sample_set",
                rate=words.share(figures.sample_rate_set),
                floor=words.share(central.config.sampling_floor),
            ),
        ),
        Figure(
            words("today.wait"),
            wait_in_words(figures.wait_median_s, words),
            words("today.slowest", value=wait_in_words(figures.wait_p95_s, words)),
        ),
    )


def _footnotes(central: Central, figures: Figures, words: Words) -> tuple[Footnote, ...]:
    low = figures.sample.interval is not None and figures.sample.interval[1] < central.config.sampling_floor
    term = central.law.term(central.clock())
    pack = central.law.pack(term.version.sha256)
    stale = not central.rates.in_force(central.clock().astimezone(central.timezone).date())
    rules = words("today.footer_rules", pack=pack.id, version=pack.version)
    return (
        Footnote("shield-check", f"{rules}, {words('today.footer_since', day=words.date(term.begins))}"),
        *((Footnote("triangle-alert", words("today.footer_rates")),) if stale else ()),
        Footnote("shuffle", words("today.footer_sample_low" if low else "today.footer_sample_ok")),
    )
