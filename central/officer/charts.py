"""Charts drawn on the server: coordinates for SVG, and the words and tables that say the same.

No chart claims more than its numbers: intervals are always drawn and written, and under thirty people a share is
not drawn at all. Every chart carries its table, so a reader who does not see it loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date

from central.messages import Words

TOO_FEW = 30


@dataclass(frozen=True)
class Interval:
    """A share with its 95 % interval; `of` is the number of people."""

    share: float
    low: float
    high: float
    hits: int
    of: int


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str
    anchor: str = "start"
    strong: bool = False


@dataclass(frozen=True)
class Rule:
    """A hairline across (or down) the plot."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    full: bool = False


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Chart:
    """One drawing in the coordinates of a `width` × `height` view box; `empty` says why there is none."""

    width: int
    height: int
    summary: str
    table: Table
    rules: tuple[Rule, ...] = ()
    labels: tuple[Label, ...] = ()
    band: str = ""
    usual: str = ""
    trace: str = ""
    dots: tuple[Dot, ...] = ()
    intervals: tuple[tuple[Rule, float, bool], ...] = ()  # the span, its middle, whether it is the random sample
    empty: str = ""


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if index else 'M'}{x:.1f} {y:.1f}" for index, (x, y) in enumerate(points))


COUNT_STEPS = (4, 8, 12, 20, 40, 60, 80)  # divisible by the four parts of an axis
SHARE_STEPS = (0.04, 0.08, 0.12, 0.2, 0.4, 0.6, 0.8, 1.0)
RATE_STEPS = (0.03, 0.06, 0.12, 0.15, 0.3, 0.45, 0.6, 0.9, 1.0)  # divisible by three


def _count_ceiling(value: float) -> float:
    """The next round figure at or above `value` whose quarters are whole."""
    scale = 1
    while COUNT_STEPS[-1] * scale < value:
        scale *= 10
    return next(float(step * scale) for step in COUNT_STEPS if step * scale >= value)


def _share_ceiling(value: float, steps: Sequence[float]) -> float:
    return next((step for step in steps if step >= value), 1.0)


def hours_chart(
    today: Sequence[int],
    usual: Sequence[tuple[float, float, float]] | None,
    now: datetime,
    words: Words,
) -> Chart:
    """Travellers of each hour of the day: `today[h]` a count, `usual[h]` low, middle and high of past days."""
    width, height, left, top, bottom = 828, 258, 44, 14, 226
    hour = now.astimezone(words.timezone).hour
    table = Table(
        (words("today.hour"), words("today.travellers")),
        tuple((f"{index:02}:00", words.number(count)) for index, count in enumerate(today[: hour + 1])),
    )
    if not any(today):
        return Chart(width, height, words("today.nobody"), table, empty=words("today.nobody"))
    most = max([*today, *(high for _, _, high in usual or ())])
    ceiling = _count_ceiling(most)

    def x(index: float) -> float:
        return left + 8 + index * (width - left - 20) / 23

    def y(count: float) -> float:
        return bottom - count / ceiling * (bottom - top)

    shown = today[: hour + 1]
    first = next(index for index, count in enumerate(today) if count)
    start = max(first - 1, 0)
    points = [(x(index), y(count)) for index, count in enumerate(shown) if index >= start]
    last_hour = len(shown) - 1
    labels = [
        Label(left - 8, y(ceiling * part / 4) + 5, words.number(ceiling * part / 4), "end") for part in range(5)
    ]
    labels += [Label(x(index), bottom + 22, f"{index:02}:00", "middle") for index in range(0, 24, 2)]
    here = x(last_hour)
    late = last_hour > 16
    labels.append(
        Label(
            here + (-12 if late else 12),
            max(y(shown[-1]) - 10, top + 4),
            words("today.so_far", count=words.number(shown[-1]), hour=f"{last_hour:02}:00"),
            "end" if late else "start",
            strong=True,
        )
    )
    return Chart(
        width,
        height,
        words(
            "today.hours_summary",
            count=sum(today),
            most=words.number(max(today)),
            hour=f"{today.index(max(today)):02}:00",
        ),
        table,
        rules=tuple(Rule(left, y(ceiling * part / 4), width, y(ceiling * part / 4)) for part in range(5)),
        labels=tuple(labels),
        band=_band([(x(index), y(low), y(high)) for index, (low, _, high) in enumerate(usual)]) if usual else "",
        usual=_path([(x(index), y(middle)) for index, (_, middle, _) in enumerate(usual)]) if usual else "",
        trace=_path(points),
        dots=tuple(Dot(*point, full=index == len(points) - 1) for index, point in enumerate(points)),
    )


def _band(points: Sequence[tuple[float, float, float]]) -> str:
    upper = [(x, high) for x, _, high in points]
    lower = [(x, low) for x, low, _ in reversed(points)]
    return _path([*upper, *lower]) + " Z"


def days_chart(days: Sequence[tuple[date, Interval | None]], words: Words) -> Chart:
    """Share sent to a desk per day with its interval; a day of nobody is a gap."""
    width, height, left, top, bottom, right = 425, 240, 44, 14, 202, 410
    known = [(index, day, value) for index, (day, value) in enumerate(days) if value is not None and value.of]
    table = Table(
        (words("today.day"), words("today.share_of"), words("today.interval"), words("today.travellers")),
        tuple(
            (
                _day(day, words),
                words.share(value.share),
                words("rate.interval", low=words.points(value.low), high=words.points(value.high)),
                words.number(value.of),
            )
            for _, day, value in known
        ),
    )
    if not known:
        return Chart(width, height, words("today.no_days"), table, empty=words("today.no_days"))
    ceiling = _share_ceiling(max(value.high for _, _, value in known), SHARE_STEPS)
    span = max(len(days) - 1, 1)

    def x(index: int) -> float:
        return left + 8 + index * (right - left - 12) / span

    def y(share: float) -> float:
        return bottom - share / ceiling * (bottom - top)

    index, _, last = known[-1]
    labels = [
        Label(
            left - 6,
            y(ceiling * part / 4) + 5,
            words.share(ceiling * part / 4, 0),
            "end",
        )
        for part in range(5)
    ]
    labels += [
        Label(x(place), bottom + 24, _day(days[place][0], words), anchor)
        for place, anchor in ((0, "start"), (len(days) // 2, "middle"), (len(days) - 1, "end"))
    ]
    above = y(last.high) - 8 > top + 6
    labels.append(
        Label(
            right,
            y(last.high) - 8 if above else y(last.low) + 18,
            words("today.share_now", share=words.share(last.share)),
            "end",
            strong=True,
        )
    )
    return Chart(
        width,
        height,
        words(
            "today.share_summary",
            share=words.share(last.share),
            low=words.points(last.low),
            high=words.points(last.high),
            people=words.number(last.of),
        ),
        table,
        rules=tuple(Rule(left, y(ceiling * part / 4), right, y(ceiling * part / 4)) for part in range(5)),
        labels=tuple(labels),
        band=_band([(x(place), y(value.low), y(value.high)) for place, _, value in known])
        if len(known) > 1
        else "",
        trace=_path([(x(place), y(value.share)) for place, _, value in known]) if len(known) > 1 else "",
        intervals=((Rule(x(index), y(last.low), x(index), y(last.high)), y(last.share), False),)
        if len(known) == 1
        else (),
        dots=(Dot(x(index), y(last.share), full=True),),
    )


def _day(day: date, words: Words) -> str:
    return str(format_date(day, "d MMM", locale=words.locale))


@dataclass(frozen=True)
class RateRow:
    """One row of the hit rates: a diamond for the random sample, a dot for the others, words when too few."""

    name: str
    people: str
    share: str
    span: str
    y: float
    random: bool
    drawn: bool
    x: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class RateChart:
    width: int
    height: int
    rows: tuple[RateRow, ...]
    ticks: tuple[tuple[float, str], ...]
    table: Table
    empty: str = ""


def rates_chart(rates: Sequence[tuple[str, Interval, bool]], words: Words) -> RateChart:
    """How often each kind of referral was right; `rates` holds name, interval, whether it is the random sample."""
    width, row, left, right = 425, 42, 158, 318
    drawn = [interval.high for _, interval, _ in rates if interval.of >= TOO_FEW]
    ceiling = _share_ceiling(max([*drawn, 0.03]), RATE_STEPS)

    def x(share: float) -> float:
        return left + share / ceiling * (right - left)

    rows = []
    for index, (name, interval, random) in enumerate(rates):
        enough = interval.of >= TOO_FEW
        span = words("rate.interval", low=words.points(interval.low), high=words.points(interval.high))
        rows.append(
            RateRow(
                name=name,
                people=words("rate.people", count=interval.of),
                share=words.share(interval.share, 1 if interval.share < 0.2 else 0) if enough else "",
                span=span if enough else words("rate.too_few_short"),
                y=26 + index * row,
                random=random,
                drawn=enough,
                x=x(interval.share),
                low=x(interval.low),
                high=x(interval.high),
            )
        )
    table = Table(
        (words("today.kind"), words("today.share_right"), words("today.interval"), words("today.people")),
        tuple((line.name, line.share or line.span, line.span if line.drawn else "", line.people) for line in rows),
    )
    return RateChart(
        width,
        26 + row * len(rows) + 22,
        tuple(rows),
        tuple((x(ceiling * part / 3), words.share(ceiling * part / 3, 0)) for part in range(4)),
        table,
        "" if rates else words("today.no_rates"),
    )
