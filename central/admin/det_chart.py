"""The detection error trade-off of a measurement, drawn on the server, on normal deviates (ISO/IEC 19795-1).

On such axes the curve of two bell-shaped heaps of scores is a straight line. Rates that the data cannot tell from
nought are drawn on the edge, and the words and the table say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from central.messages import Words
from central.officer.charts import Label, Rule, Table
from contracts.face_measurement import FaceFigures

EES_RATE = 0.0005  # Implementing Decision (EU) 2019/329, annex
_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5)
_HIGHEST = 0.5
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 430, 74, 24, 622, 366
_MOST_ROWS = 12


@dataclass(frozen=True)
class DetChart:
    """One drawing in the coordinates of a `width` × `height` view box; `empty` says why there is none."""

    width: int
    height: int
    summary: str
    table: Table
    empty: str = ""
    rules: tuple[Rule, ...] = ()
    labels: tuple[Label, ...] = ()
    trace: str = ""
    limit: Rule | None = None  # the rate that EES asks for
    point: tuple[float, float] | None = None  # the configured one
    spans: tuple[Rule, ...] = ()  # its intervals


def det_chart(figures: FaceFigures, words: Words) -> DetChart:
    """The curve with the configured point and its intervals."""
    table = Table((words("faces.fmr"), words("faces.fnmr")), _rows(figures, words))
    if not figures.det or figures.fmr is None or figures.fnmr is None:
        return DetChart(_WIDTH, _HEIGHT, words("faces.no_curve"), table, empty=words("faces.no_curve"))
    across, down = _Axis(figures.impostor), _Axis(figures.genuine)

    def x(rate: float) -> float:
        return _LEFT + across.place(rate) * (_RIGHT - _LEFT)

    def y(rate: float) -> float:
        return _BOTTOM - down.place(rate) * (_BOTTOM - _TOP)

    here = x(figures.fmr), y(figures.fnmr)
    spans = []
    if figures.fmr_ci is not None:
        spans.append(Rule(x(figures.fmr_ci[0]), here[1], x(figures.fmr_ci[1]), here[1]))
    if figures.fnmr_ci is not None:
        spans.append(Rule(here[0], y(figures.fnmr_ci[0]), here[0], y(figures.fnmr_ci[1])))
    labels = [Label(x(tick), _BOTTOM + 20, rate_in_words(tick, words), "middle") for tick in across.ticks]
    labels += [Label(_LEFT - 8, y(tick) + 5, rate_in_words(tick, words), "end") for tick in down.ticks]
    labels += [
        Label((_LEFT + _RIGHT) / 2, _BOTTOM + 46, words("faces.fmr"), "middle"),
        Label(8, _TOP - 8, words("faces.fnmr")),
    ]
    ends = here[0] > (_LEFT + _RIGHT) / 2
    labels.append(
        Label(
            here[0] + (-14 if ends else 14),
            max(here[1] - 14, _TOP + 30),
            words("faces.configured"),
            "end" if ends else "start",
            strong=True,
        )
    )
    limit = None
    if across.lowest < EES_RATE:
        limit = Rule(x(EES_RATE), _TOP, x(EES_RATE), _BOTTOM)
        labels.append(Label(x(EES_RATE) + 6, _TOP + 12, words("faces.ees")))
    curve = [(x(fmr), y(fnmr)) for fmr, fnmr in figures.det if fmr <= _HIGHEST]
    return DetChart(
        _WIDTH,
        _HEIGHT,
        words(
            "faces.curve_summary",
            eer=rate_in_words(figures.eer or 0.0, words),
            fmr=rate_in_words(figures.fmr, words),
            fnmr=rate_in_words(figures.fnmr, words),
        ),
        table,
        rules=tuple(Rule(_LEFT, y(tick), _RIGHT, y(tick)) for tick in down.ticks)
        + tuple(Rule(x(tick), _TOP, x(tick), _BOTTOM) for tick in across.ticks),
        labels=tuple(labels),
        trace=_stairs(curve),
        limit=limit,
        point=here,
        spans=tuple(spans),
    )


def rate_in_words(rate: float, words: Words) -> str:
    """A fraction as a percentage with the figures that count: two of what is small, or of what is missing."""
    percent = 100 * min(rate, 1 - rate)
    places = 0
    if percent > 0:
        places = 4 if percent < 0.01 else 3 if percent < 0.1 else 2 if percent < 1 else 1 if percent < 10 else 0
    text = words.share(rate, places)
    decimal = "," if "," in text else "."
    if decimal in text:
        figures = text.rstrip("%\u00a0 ")
        text = text.replace(figures, figures.rstrip("0").rstrip(decimal))
    return text


class _Axis:
    """From the smallest rate that so many trials can tell, rounded down to a decade, up to a half."""

    def __init__(self, trials: int) -> None:
        smallest = min(1 / max(trials, 1), 0.01)
        self.lowest = max([tick for tick in _TICKS if tick <= smallest], default=_TICKS[0])
        self.ticks = tuple(tick for tick in _TICKS if tick >= self.lowest)
        self._low, self._high = _deviate(self.lowest), _deviate(_HIGHEST)

    def place(self, rate: float) -> float:
        """0 to 1 along the axis."""
        return (_deviate(min(max(rate, self.lowest), _HIGHEST)) - self._low) / (self._high - self._low)


def _deviate(rate: float) -> float:
    return NormalDist().inv_cdf(rate)


def _stairs(points: Sequence[tuple[float, float]]) -> str:
    """A path from point to point; between two it stays and then rises, as counts do."""
    steps: list[str] = []
    for place, (across, down) in enumerate(points):
        steps.append(f"M{across:.1f} {down:.1f}" if place == 0 else f"H{across:.1f}V{down:.1f}")
    return "".join(steps)


def _rows(figures: FaceFigures, words: Words) -> tuple[tuple[str, ...], ...]:
    step = max(1, len(figures.det) // _MOST_ROWS)
    return tuple((rate_in_words(fmr, words), rate_in_words(fnmr, words)) for fmr, fnmr in figures.det[::step])
