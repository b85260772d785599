"""Finds the text lines of machine readable zones in a picture of anything, at any angle.

A small network (`training/mrz_locator.py`) says for every fourth pixel whether the middle of a zone's line runs
there, which way it reads and how high its capitals are. What it finds becomes lines here: pieces joined, a curve
through them, ends to a fraction of a character. Finding too much is cheap, since the recogniser rejects what does
not read; finding too little is a traveller sent back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kiosk.inference import network
from kiosk.mrz.weights import LOCATOR, verified

Grey = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

SIDE = 640  # pixels of the picture's long side, as the network wants it
FINE_SIDE = 1280  # where nothing was found in a picture that has more to show
STRIDE = 4
MULTIPLE = 32
POINTS = 9  # along a line

_CORE = 0.35  # probability from which a cell belongs to a line
_END = 0.5  # where a line ends: half of a cell's middle
_FEWEST_CELLS = 4
_SHORTEST_PIECE = 2.0  # heights; less says nothing about the way it leads
_MOST_PIECES = 80
_MOST_LINES = 16
_SHORTEST = 11.0  # heights; a line of thirty characters has 28 or more, and may be half hidden
_LONGEST = 62.0  # heights; 44 characters have 52
_WIDEST_GAP = 7.0  # heights of glare or of a thumb that a line may bridge
_SMALL = 6.0  # pixels of height at the network's scale below which a second look is worth its time
_SECOND_LOOK = 12.0  # pixels of height that a second look aims at
_SECOND_LOOKS = 2


@dataclass(frozen=True, repr=False)
class LineBand:
    """A line as found. `points` (9, 2): the middle of its capitals from the first character's left side to the
    last one's right side, picture pixels. `height`: of a capital, pixels. `score`: 0..1, mean probability along
    it. `direction`: 0..1, how sure it is that the points run in reading direction and not against it.
    """

    points: Points
    height: float
    score: float
    direction: float

    @property
    def length(self) -> float:
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

    @property
    def along(self) -> Points:
        """Unit vector from its start to its end."""
        way = self.points[-1] - self.points[0]
        return np.asarray(way / max(float(np.hypot(*way)), 1e-9))

    def turned(self) -> LineBand:
        return replace(self, points=np.ascontiguousarray(self.points[::-1]))


class Locator:
    """`locate(grey)`: the lines in a picture. Not safe for several threads at once."""

    def __init__(self, weights: Path | None = None) -> None:
        """Raises WeightsError."""
        self._session: Any = network((weights or verified(LOCATOR)).read_bytes(), keep_memory=False)

    def locate(self, grey: Grey) -> list[LineBand]:
        """Every line of a zone in `grey` (height, width), the likeliest first; what belongs together says `zones`.

        Small print is looked at a second time at a higher resolution, where the picture has one.
        """
        if min(grey.shape) < 8:
            return []
        long_side = max(grey.shape)
        bands = self._look(grey, SIDE / long_side)
        if not _promising(bands) and long_side > 1.3 * SIDE:
            bands = _merged(bands, self._look(grey, min(FINE_SIDE, long_side) / long_side))
        return self._sharpened(grey, bands)

    def _sharpened(self, grey: Grey, bands: list[LineBand]) -> list[LineBand]:
        """Lines that were small at the first look, found again in their part of the picture alone."""
        zoom = SIDE / max(grey.shape)
        small = [band for band in bands if band.height * zoom < _SMALL]
        for group in zones(small)[:_SECOND_LOOKS]:
            height = float(np.mean([band.height for band in group]))
            spread = np.concatenate([band.points for band in group])
            margin = 8 * height
            low = np.maximum(spread.min(0) - margin, 0).astype(int)
            high = np.minimum(spread.max(0) + margin, [grey.shape[1], grey.shape[0]]).astype(int)
            part = grey[low[1] : high[1], low[0] : high[0]]
            nearer = min(_SECOND_LOOK / height, FINE_SIDE / max(part.shape), 1.5)
            if nearer < 1.3 * zoom or min(part.shape) < 8:
                continue
            found = [replace(band, points=band.points + low) for band in self._look(part, nearer)]
            if len(found) >= len(group):
                bands = _merged(found, [band for band in bands if all(band is not each for each in group)])
        return bands

    def _look(self, grey: Grey, zoom: float) -> list[LineBand]:
        import cv2

        height, width = grey.shape
        size = (max(8, round(width * zoom)), max(8, round(height * zoom)))
        method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        small = cv2.resize(grey, size, interpolation=method)
        right, bottom = -size[0] % MULTIPLE, -size[1] % MULTIPLE
        padded = cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=0)
        maps = self._session.run(None, {"grey": padded[None, None].astype(np.float32) / 255})[0][0]
        scale = np.array([width / size[0], height / size[1]])
        return [
            replace(band, points=(band.points + 0.5) * scale - 0.5, height=band.height * float(scale.mean()))
            for band in lines_of(maps)
        ]


def lines_of(maps: npt.NDArray[np.float32]) -> list[LineBand]:
    """The lines in the network's answer (4, rows, columns), in pixels of what it saw; the likeliest first."""
    import cv2

    core = (1 / (1 + np.exp(-maps[0]))).astype(np.float32)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((core > _CORE).astype(np.uint8), connectivity=8)
    pieces = []
    for label in range(1, count):
        x, y, w, h, cells = (int(value) for value in stats[label])
        if cells < _FEWEST_CELLS:
            continue
        inside = labels[y : y + h, x : x + w] == label
        rows, columns = np.nonzero(inside)
        pieces += _pieces(core, maps, rows + y, columns + x, _CORE)
    pieces = [piece for piece in pieces if piece.end - piece.start > _SHORTEST_PIECE * piece.height]
    found = [band for piece in _joined(pieces) if (band := _band(core, maps, piece)) is not None]
    return sorted(found, key=lambda band: -band.score * min(band.length / band.height, 30))[:_MOST_LINES]


@dataclass(frozen=True)
class _Piece:
    """Cells of one line: places (n, 2) in pixels, probabilities, and what they have in common."""

    places: Points
    weights: Points
    height: float
    middle: Points
    along: Points  # unit vector
    start: float  # along it, from the middle
    end: float


def _piece(places: Points, weights: Points, height: float) -> _Piece:
    middle = weights @ places / weights.sum()
    offset = places - middle
    (xx, xy), (_, yy) = (offset * weights[:, None]).T @ offset
    angle = 0.5 * math.atan2(2 * xy, xx - yy)
    along = np.array([math.cos(angle), math.sin(angle)])
    run = offset @ along
    return _Piece(places, weights, height, middle, along, float(run.min()), float(run.max()))


def _pieces(
    core: npt.NDArray[np.float32],
    maps: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    threshold: float,
) -> list[_Piece]:
    """One connected part as a piece; or several, where neighbouring lines have grown together."""
    import cv2

    weights = core[rows, columns].astype(np.float64)
    height = 8 * 2 ** float(weights @ np.clip(maps[3, rows, columns], -2, 3) / weights.sum())
    places: Points = np.stack([columns, rows], 1).astype(np.float64) * STRIDE + (STRIDE - 1) / 2
    piece = _piece(places, weights, height)
    thickest = 0.55 * height + 1.2
    offset = places - piece.middle
    across = offset @ np.array([-piece.along[1], piece.along[0]])
    if threshold > 0.85 or _spread(across, weights) < thickest:
        return [piece]
    run = offset @ piece.along
    if len(run) > 8 and _spread(across - np.polyval(np.polyfit(run, across, 2), run), weights) < thickest:
        return [piece]  # a bent page is no thick line
    top, left = rows.min(), columns.min()
    threshold = threshold + 0.15
    part = np.zeros((rows.max() - top + 1, columns.max() - left + 1), np.uint8)
    part[rows - top, columns - left] = weights > threshold
    count, labels = cv2.connectedComponents(part, connectivity=4)
    parts: list[_Piece] = []
    for label in range(1, count):
        inner_rows, inner_columns = np.nonzero(labels == label)
        if len(inner_rows) >= _FEWEST_CELLS:
            parts += _pieces(core, maps, inner_rows + top, inner_columns + left, threshold)
    return parts


def _spread(values: Points, weights: Points) -> float:
    return math.sqrt(float(weights @ values**2 / weights.sum()))


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """Pieces of one line made one, the long ones first: those that continue each other over glare or a thumb."""
    waiting = sorted(pieces, key=lambda piece: piece.start - piece.end)[:_MOST_PIECES]
    done: list[_Piece] = []
    while waiting:
        piece = waiting.pop(0)
        while (other := next((each for each in waiting if _continues(piece, each)), None)) is not None:
            waiting = [each for each in waiting if each is not other]
            share = len(other.weights) / (len(piece.weights) + len(other.weights))
            piece = _piece(
                np.concatenate([piece.places, other.places]),
                np.concatenate([piece.weights, other.weights]),
                piece.height + share * (other.height - piece.height),
            )
        done.append(piece)
    return done


def _continues(piece: _Piece, other: _Piece) -> bool:
    if not 0.6 < piece.height / other.height < 1.67:
        return False
    height = max(piece.height, other.height)
    x, y = other.middle - piece.middle
    along, normal = piece.along, np.array([-piece.along[1], piece.along[0]])
    ahead, beside = x * along[0] + y * along[1], abs(x * normal[0] + y * normal[1])
    half = (other.end - other.start) / 2
    # First what costs nothing: near enough, and not far off to the side.
    if (
        not piece.start - half < ahead + _WIDEST_GAP * height
        or not ahead - _WIDEST_GAP * height < piece.end + half
    ):
        return False
    if beside > half + 3 * height:
        return False
    if half > 2 * height and abs(float(along @ other.along)) < 0.95:
        return False
    run = (other.places - piece.middle) @ along
    low, high = float(run.min()), float(run.max())
    gap = max(low - piece.end, piece.start - high)
    overlap = min(high, piece.end) - max(low, piece.start)
    if gap > _WIDEST_GAP * height or overlap > 0.5 * (high - low) + height:
        return False
    if max(high, piece.end) - min(low, piece.start) > _LONGEST * height:
        return False
    # The nearer end of the other must lie where this line leads, as bent as this line is.
    after = ahead > (piece.start + piece.end) / 2
    offset = piece.places - piece.middle
    mine = offset @ along
    near = mine > piece.end - 12 * height if after else mine < piece.start + 12 * height
    mine, across = mine[near], (offset @ normal)[near]
    centre, level = mine.mean(), across.mean()
    slope = 0.0
    if np.ptp(mine) > 3 * height:
        slope = float((mine - centre) @ (across - level) / ((mine - centre) @ (mine - centre)))
    theirs = run < low + 4 * height if after else run > high - 4 * height
    miss = (other.places - piece.middle) @ normal - level - slope * (run - centre)
    return bool(abs(float(miss[theirs].mean())) < 0.6 * height + 0.08 * max(gap, 0))


def _band(core: npt.NDArray[np.float32], maps: npt.NDArray[np.float32], piece: _Piece) -> LineBand | None:
    """A curve through a piece, with ends to a fraction of a cell; None where it is too short to be a line."""
    import cv2

    if piece.end - piece.start < _SHORTEST * piece.height:
        return None
    normal = np.array([-piece.along[1], piece.along[0]])
    offset = piece.places - piece.middle
    run, across = offset @ piece.along, offset @ normal
    reach = (piece.end - piece.start) / 2
    basis = np.stack([np.ones_like(run), run / reach, (run / reach) ** 2], 1)
    strength = (basis * piece.weights[:, None]).T @ basis
    strength[2, 2] += 0.02 * piece.weights.sum()  # straight, unless the page says otherwise
    bend = np.linalg.solve(strength, basis.T @ (piece.weights * across))

    def at(run: Points) -> Points:
        side = bend[0] + bend[1] * run / reach + bend[2] * (run / reach) ** 2
        return np.asarray(piece.middle + run[:, None] * piece.along + side[:, None] * normal)

    steps = np.arange(piece.start - 3 * STRIDE, piece.end + 3 * STRIDE, 1.0)
    cells = ((at(steps) - (STRIDE - 1) / 2) / STRIDE).astype(np.float32)
    profile = cv2.remap(
        core, cells[None, :, 0], cells[None, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )[0]
    inside = np.flatnonzero(profile > _END * min(1.0, float(np.percentile(profile, 70))))
    if not len(inside):
        return None
    start, end = float(steps[inside[0]]) - 0.5, float(steps[inside[-1]]) + 0.5
    points = at(np.linspace(start, end, POINTS))
    rows, columns = (
        np.clip(np.round((piece.places[:, axis] - 1.5) / STRIDE).astype(int), 0, None) for axis in (1, 0)
    )
    way = maps[1:3, rows, columns].astype(np.float64) @ piece.weights / piece.weights.sum()
    sense = float(way @ piece.along)
    score = float(profile[inside[0] : inside[-1] + 1].mean())
    band = LineBand(points, piece.height, score, min(1.0, abs(sense)))
    return band.turned() if sense < 0 else band


# -- which lines belong together --


def zones(bands: Sequence[LineBand]) -> list[tuple[LineBand, ...]]:
    """Lines grouped into zones, each of one to three, top line first, all turned the way most of it reads.

    The likeliest zone comes first: of two or three lines, long, well seen. A line cut short by glare is led on to
    where its neighbours end.
    """
    groups: list[list[LineBand]] = []
    for band in bands:
        beside = [group for group in groups if any(_neighbours(band, other) for other in group)]
        groups = [group for group in groups if all(group is not each for each in beside)]
        groups.append([band, *(other for group in beside for other in group)])
    for group in groups:
        group.sort(key=lambda band: -band.score * band.length)
        del group[3:]
    return sorted((_ordered(group) for group in groups), key=_likelihood)


def _likelihood(group: tuple[LineBand, ...]) -> float:
    return -sum(band.score * min(band.length / band.height, 40) for band in group[:3])


def _neighbours(band: LineBand, other: LineBand) -> bool:
    """Parallel, of one height, one to three and a half heights apart, side by side for most of the shorter one."""
    height = (band.height + other.height) / 2
    if not 0.65 < band.height / other.height < 1.54 or abs(float(band.along @ other.along)) < 0.97:
        return False
    normal = np.array([-other.along[1], other.along[0]])
    offset = band.points - other.points.mean(0)
    if not 1.1 * height < abs(float((offset @ normal).mean())) < 4.6 * height:
        return False
    run, own = offset @ other.along, (other.points - other.points.mean(0)) @ other.along
    shared = min(run.max(), own.max()) - max(run.min(), own.min())
    return bool(shared > 0.6 * min(band.length, other.length))


def _ordered(group: list[LineBand]) -> tuple[LineBand, ...]:
    along = group[0].along
    turned = [band if float(band.along @ along) >= 0 else band.turned() for band in group]
    votes = sum(
        (1 if each is band else -1) * band.direction * band.length
        for band, each in zip(group, turned, strict=True)
    )
    total = sum(band.direction * band.length for band in group)
    if votes < 0:
        turned = [band.turned() for band in turned]
        along = -along
    sure = abs(votes) / max(total, 1e-9) * float(np.mean([band.direction for band in group]))
    down = np.array([-along[1], along[0]])
    turned.sort(key=lambda band: float((band.points.mean(0)) @ down))
    return tuple(replace(band, direction=sure) for band in _led_on(turned, along))


def _led_on(group: list[LineBand], along: Points) -> list[LineBand]:
    """Every line of a zone begins and ends with the others; one that falls short is led on straight."""
    if len(group) < 2:
        return group
    origin = group[0].points[0]
    starts = [float((band.points[0] - origin) @ along) for band in group]
    ends = [float((band.points[-1] - origin) @ along) for band in group]
    longest = max(range(len(group)), key=lambda index: ends[index] - starts[index])
    led = []
    for band, start, end in zip(group, starts, ends, strict=True):
        before, behind = start - starts[longest], ends[longest] - end
        points = band.points
        if before > 1.5 * band.height or behind > 1.5 * band.height:
            first = points[0] - max(before, 0.0) * _slope(points[:5]) if before > 1.5 * band.height else points[0]
            last = (
                points[-1] + max(behind, 0.0) * _slope(points[-5:]) if behind > 1.5 * band.height else points[-1]
            )
            points = _spaced(np.concatenate([first[None], points, last[None]]))
        led.append(replace(band, points=points))
    return led


def _slope(points: Points) -> Points:
    way = points[-1] - points[0]
    return np.asarray(way / max(float(np.hypot(*way)), 1e-9))


def _spaced(points: Points) -> Points:
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, run[-1], POINTS)
    return np.stack([np.interp(at, run, points[:, axis]) for axis in (0, 1)], 1)


def _merged(better: list[LineBand], others: list[LineBand]) -> list[LineBand]:
    """All lines, of two that are the same line the first list's."""
    return better + [other for other in others if not any(_same(band, other) for band in better)]


def _same(band: LineBand, other: LineBand) -> bool:
    normal = np.array([-band.along[1], band.along[0]])
    offset = other.points - band.points.mean(0)
    run = offset @ band.along
    beside = np.abs(run) < band.length / 2
    return bool(
        beside.any() and float(np.abs(offset @ normal)[beside].mean()) < 0.9 * max(band.height, other.height)
    )


def _promising(bands: list[LineBand]) -> bool:
    return any(len(group) > 1 and min(band.score for band in group) > 0.6 for group in zones(bands))
