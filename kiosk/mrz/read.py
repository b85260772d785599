"""One look at a picture: where is a machine readable zone, and which characters does it show with what certainty.

Nothing is decided here. `documents.mrz.settle` says what the posteriors may be taken for, `kiosk.mrz.looks` adds
up several looks. A picture in which nothing can be read gives the reason instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.mrz.grid import LENGTHS, STEP, Grid, Probabilities, characters, evenly_spaced, fit_grids
from kiosk.mrz.locate import Locator, zones
from kiosk.mrz.recognise import HEIGHT, Cut, Grey, Line, Points, Recogniser, cut, leaning, levelled
from kiosk.mrz.weights import LARGER, RECOGNISER, verified

LINES_OF = {30: 3, 36: 2, 44: 2}
_CREDIBLE = -0.45  # mean log probability that characters stand where the grid says, below which it is no zone
_GUESSED = -1.0  # mean log probability of the likeliest characters, below which it is other print
_UPRIGHT = -0.12  # from here on nobody asks whether the line reads better upside down
_SEEN = 0.3  # of a character that is there at all
_LONGER = 0.45  # of its length that a line is led on at both ends
_HOPELESS = -1.0  # a line that reads worse is none
_NONE = -9.0
_SOME = 8  # characters that make a piece of a line
_SPARSE = 6.5  # steps from one to the next in what is no zone's: theirs are 2.5 to 4
_MARGIN = 1.7  # characters that a cut shows before and behind a line
_NO_WORSE = 0.05  # of a score
_A_LITTLE = 0.15  # of its length that a line is led on to see that
_BEGINNING = 36  # characters, of a card or of a passport
_BY_EIGHT = 0.3  # of its length, which are more than the eight that it then lacks
_LED_ON = 2  # times that a line is led on
_MOST_LED_ON = 4  # and as long as more of it comes to light
_CERTAIN = 0.92  # every character at least this probable: a second cut would not tell more
_NEARLY = 0.75  # and from here on one more tells enough
_CLEAR = 0.9  # every character of all cuts together: nobody need look once more
_ONCE_MORE = 2  # cuts
_CAREFUL = 0.65  # what the larger network then says, of the whole
_NOMINAL = 12.5  # pixels of a cut from character to character
_HEIGHTS = (1.0, 0.76, 0.88, 1.14)  # of the height as judged: flat type and tall type
_ANOTHER = 0.88
_NUDGES = ((-0.09, 1.0), (0.09, 1.0), (0.0, 0.93), (0.0, 1.07))
_TRUST = 10.0  # how fast a less certain cut loses weight
_LINE_PITCHES = (2.65, 2.1, 1.65)  # heights of a capital from line to line: by the book, and as seen
_MOST_ZONES = 3
_MOST_CUTS = 28  # after which nothing is led on any more: the next frame is sooner there
_SMALLEST = 4.5  # pixels from character to character: less holds no letters
_GLARE = 250
_EDGE = 0.6  # characters
# Steepest step from one pixel of a cut to the next, along and across, as a share of the contrast: a zone that a
# lens has blurred has 0.15 and less in 99 of 100, other print that is mistaken for a zone 0.3 at the median.
_SHARP = 0.2
_TYPE = slice(5, 27)  # rows of a cut that its type fills
_LEAST_CONTRAST = 8.0  # grey levels
_WHITE = 245  # grey levels, from which on light may have taken ink away
NO_INK = 0.3  # of the line's usual contrast
UNKNOWN = 0.95  # of the posterior of a character without ink, which all characters share

Posteriors = tuple[Probabilities, ...]


@dataclass(frozen=True, repr=False)
class Look:
    """What one picture shows.

    `posteriors`: for each line of the zone (N, 37) in the order of `documents.mrz.ALPHABET`, N 30, 36 or 44, rows
    sum to 1; empty when there is no zone. `corners`: for each line (4, 2) pixels: above its start, above its end,
    below its end, below its start, in reading direction. `problem` is None where lines were found, else no_zone,
    too_far, cut_off, blurred, glare, too_dark, other_print (sharp lines, which are no zone's or of which something
    hides too much); several_documents comes with the lines of the clearest, and
    `kiosk.mrz.reading.as_far_as_seen` says cut_off of lines that may go on. `ink`: for each line (N,) the contrast
    of each character as a share of the line's median, where its paper is white; where it is not, 1. A row of
    `posteriors` is almost flat where no ink is left.
    """

    posteriors: Posteriors
    corners: tuple[Points, ...]
    problem: str | None
    ink: tuple[npt.NDArray[np.float64], ...] = ()


@dataclass(frozen=True, repr=False)
class _Found:
    """A line of a zone as read: where, how, with what result."""

    line: Line
    cut: Cut
    grids: dict[int, Grid]
    legible: tuple[int, int, int]  # how many characters are read with certainty, and the steps of first and last
    even: tuple[int, int, int]  # of these, the longest part at one pitch

    @property
    def score(self) -> float:
        return max((float(grid.score) for grid in self.grids.values()), default=_NONE)

    @property
    def is_piece(self) -> bool:
        """There are characters of a line here, as near to each other as a zone's."""
        count, first, last = self.legible
        return self.score > _HOPELESS or (count >= _SOME and last - first < _SPARSE * count)

    def margin(self, length: int) -> float:
        """Characters for which there is room before the first and behind the last one, whichever is less."""
        centres = self.grids[length].centres
        pitch = float(centres[-1] - centres[0]) / (length - 1)
        return min(float(centres[0]), float(self.cut.image.shape[1] - centres[-1])) / pitch


@dataclass(frozen=True, repr=False)
class _Zone:
    length: int
    lines: tuple[_Found, ...]

    @property
    def score(self) -> float:
        return sum(found.grids[self.length].score for found in self.lines) / len(self.lines)

    @property
    def certainty(self) -> float:
        return sum(_certainty(found.grids[self.length]) for found in self.lines) / len(self.lines)

    @property
    def complete(self) -> bool:
        return len(self.lines) == LINES_OF[self.length]


class MrzReader:
    """Holds the three networks. Not safe for several threads at once."""

    def __init__(self) -> None:
        """Raises `kiosk.mrz.weights.WeightsError`."""
        self._locator = Locator()
        self._recogniser = Recogniser(verified(RECOGNISER))
        self._larger = Recogniser(verified(LARGER))
        self._cuts = 0  # made for this look

    def look(self, frame: Frame) -> Look:
        """`frame` (H, W, 3) BGR or (H, W) grey, uint8. Never raises for a picture."""
        grey = _grey(frame)
        if min(grey.shape) < 24:
            return Look((), (), "no_zone")
        places = zones(self._locator.locate(grey))
        read: list[_Zone] = []
        self._cuts = 0
        seen = [
            self._read(grey, [Line(band.points, band.height) for band in place]) for place in places[:_MOST_ZONES]
        ]
        if not any(zone is not None and zone.complete and zone.score > _UPRIGHT for _, zone in seen):
            # Beside a zone that was read, another document would be found as easily: no need to look twice.
            seen = self._led_on(grey, seen)
        read = [zone for _, zone in seen if zone is not None and zone.score > _CREDIBLE and _inside(zone, grey)]
        complete = [zone for zone in read if zone.complete]
        if not complete:
            lines = [found.line for zone in read for found in zone.lines]
            lines = lines or [Line(band.points, band.height) for place in places[:1] for band in place]
            return Look((), (), _why(grey, lines) or "no_zone")
        best = max(complete, key=lambda zone: zone.score)
        ink = tuple(_ink_left(found, best.length) for found in best.lines)
        posteriors = tuple(
            _unknown_without(share, self._refined(grey, found, best.length))
            for share, found in zip(ink, best.lines, strict=True)
        )
        problem = "several_documents" if len(complete) > 1 else None
        corners = tuple(_corners(found, best.length) for found in best.lines)
        return Look(posteriors, corners, problem, ink)

    def _read(self, grey: Grey, lines: Sequence[Line]) -> tuple[Sequence[_Found], _Zone | None]:
        """The lines in the direction in which they read better, and the zone with those that were missed."""
        found = self._try(grey, lines)
        if max((each.score for each in found), default=_NONE) < _UPRIGHT:
            turned = self._try(grey, [line.turned() for line in lines])
            if _legibility(turned) > _legibility(found):
                found = turned
        return found, self._zone_of(grey, found)

    def _led_on(
        self, grey: Grey, seen: Sequence[tuple[Sequence[_Found], _Zone | None]]
    ) -> list[tuple[Sequence[_Found], _Zone | None]]:
        """Half a line may have been found only, the other under glare or in an odd type: look how it goes on."""
        longer: list[tuple[Sequence[_Found], _Zone | None]] = []
        for found, zone in sorted(seen, key=lambda place: -sum(each.legible[0] for each in place[0])):
            best, pieces, most = zone, found, 0
            for turn in range(_MOST_LED_ON):
                if not any(each.is_piece for each in pieces) or self._cuts > _MOST_CUTS:
                    break
                legible = sum(each.legible[0] for each in pieces)
                if turn >= _LED_ON and legible <= most:
                    break  # there is no more of it
                most = legible
                lines = [_trimmed(_part(each, each.legible).lengthened(_LONGER), grey) for each in pieces]
                pieces = self._try(grey, [levelled(grey, line) or line for line in lines])
                again = self._zone_of(grey, pieces)
                if again is None or not again.complete:
                    # In a row with a zone there may be other print, and what looks like characters and is none.
                    parts = [_part(each, each.even) for each in pieces if each.is_piece]
                    again = self._zone_of(grey, self._try(grey, parts)) or again
                best = max((each for each in (best, again) if each is not None), key=_rank, default=None)
                if best is not None and best.complete and best.score > _UPRIGHT:
                    return [*longer, (pieces, best)]
            longer.append((pieces, best))
        return longer

    def _zone_of(self, grey: Grey, found: Sequence[_Found]) -> _Zone | None:
        zone = self._zone_as_cut(grey, found)
        while zone is not None and zone.complete:
            near_its_end = any(each.margin(zone.length) < _MARGIN for each in zone.lines) or not _ends_seen(zone)
            may_be_longer = zone.length == _BEGINNING
            if not (near_its_end or may_be_longer):
                break
            # A line that ends where its cut ends may go on, and 36 characters may be the beginning of 44.
            share = _BY_EIGHT if may_be_longer else _A_LITTLE
            longer = [_trimmed(_traced(each, zone.length).lengthened(share), grey) for each in zone.lines]
            again = self._zone_as_cut(grey, self._try(grey, longer))
            if again is None or not again.complete or again.score <= zone.score - _NO_WORSE:
                break
            if again.length <= zone.length:
                return again if near_its_end or again.score > zone.score else zone
            zone = again
        return zone

    def _zone_as_cut(self, grey: Grey, found: Sequence[_Found]) -> _Zone | None:
        read = [each for each in self._aligned(grey, found) if each.grids]
        if not read:
            return None
        read = self._resized(grey, read)
        zone = _zone(read)
        return zone if zone is not None and zone.complete else self._completed(grey, read) or zone

    def _try(self, grey: Grey, lines: Sequence[Line]) -> list[_Found]:
        cuts = [(line, made) for line in lines if (made := cut(grey, line)) is not None]
        read = self._recogniser.probabilities([made.image for _, made in cuts])
        self._cuts += len(cuts)
        found = []
        for (line, made), each in zip(cuts, read, strict=True):
            seen = characters(each)
            found.append(_Found(line, made, fit_grids(each), _extent(seen), _extent(evenly_spaced(seen))))
        return found

    def _aligned(self, grey: Grey, found: Sequence[_Found]) -> list[_Found]:
        """Lines that were led astray beyond their ends, cut again between those of their best neighbour."""
        best = max(found, key=lambda each: each.score, default=None)
        if best is None or best.score < _UPRIGHT:
            return list(found)
        length = max(best.grids, key=lambda each: best.grids[each].score)
        line = _traced(best, length)
        astray = [
            each
            for each in found
            if each is not best and (length not in each.grids or each.grids[length].score < _UPRIGHT)
        ]
        moved = [_moved_to(line, each) for each in astray]
        again = self._try(grey, [levelled(grey, each) or each for each in moved])
        aligned = {
            id(old): new
            for old, new in zip(astray, again, strict=False)
            if length in new.grids and new.grids[length].score > max(old.score, _CREDIBLE)
        }
        return [aligned.get(id(each), each) for each in found]

    def _resized(self, grey: Grey, found: list[_Found]) -> list[_Found]:
        """Lines whose height was misjudged, or that read badly, cut again: at the size that their pitch tells."""
        again = {}
        for index, each in enumerate(found):
            grid = max(each.grids.values(), key=lambda one: one.score)
            pitch = float(grid.centres[-1] - grid.centres[0]) / (grid.length - 1)
            if not 0.85 < pitch / _NOMINAL < 1.18 or grid.score < _UPRIGHT:
                taller = float(np.clip(pitch / _NOMINAL, 0.6, 1.6))
                line = _righted(grey, each.line) if grid.score < _UPRIGHT else each.line
                again[index] = line.nudged(taller=taller)
        for index, better in zip(again, self._try(grey, list(again.values())), strict=False):
            if better.grids and better.score > found[index].score:
                found[index] = better
        return found

    def _completed(self, grey: Grey, found: Sequence[_Found]) -> _Zone | None:
        """The zone with the neighbours that the locator missed, where its lines say that there must be some."""
        for _ in range(max(LINES_OF.values()) - 1):
            zone = _zone(found, complete=False)
            if zone is None or zone.complete:
                return zone
            pitch = _line_pitch(zone)
            heights = _LINE_PITCHES if pitch is None else (pitch / zone.lines[0].line.height,)
            more: list[_Found] = []
            for each, side in ((zone.lines[0], -1), (zone.lines[-1], 1)):
                wanted = [_traced(each, zone.length).nudged(side * many) for many in heights]
                tried = self._try(grey, [levelled(grey, line) or line for line in wanted])
                more += sorted((each for each in tried if each.grids), key=lambda each: -each.score)[:1]
            if not more:
                return None
            found = [*found, *more]
        return _zone(found)

    def _refined(self, grey: Grey, found: _Found, length: int) -> Probabilities:
        """A line that is not certain is cut a few times more, a little beside, and the answers are averaged.

        Where that does not make it certain, the surest cuts are asked about once more, half a step aside: the
        network then looks at other places of each character. And then the larger network is asked about both.
        """
        tried = self._cut_again(grey, found, length)
        grids = [each.grids[length] for each in tried]
        answer = _averaged(grids)
        if float(answer.max(1).min()) >= _CLEAR:
            return answer
        surest = sorted(tried, key=lambda each: -_certainty(each.grids[length]))[:_ONCE_MORE]
        aside = [_aside(each.cut.image) for each in surest]
        answer = _averaged([*grids, *_grids(self._recogniser, aside, length)])
        careful = _grids(self._larger, [*(each.cut.image for each in surest), *aside], length)
        return _mixed(answer, _averaged(careful), _CAREFUL) if careful else answer

    def _cut_again(self, grey: Grey, found: _Found, length: int) -> list[_Found]:
        """The line as found, and cuts a little beside: the more, the less certain it is."""

        def these(lines: Sequence[Line]) -> list[_Found]:
            return [each for each in self._try(grey, lines) if length in each.grids]

        first = found.grids[length]
        if _certain(first):
            return [found]
        line = _traced(found, length)
        level = levelled(grey, line) or line
        if _certain(first, _NEARLY):
            return [found, *these([level.nudged(0.0, _ANOTHER)])]
        straight = leaning(grey, level)
        lines = [(straight or level).nudged(0.0, taller) for taller in _HEIGHTS]
        if straight is not None:
            lines.append(level)  # stripes may lean instead of the type: what reads better will say
        tried = [replace(found, line=line), *these(lines)]
        best = max(tried, key=lambda each: _certainty(each.grids[length]))
        if not _certain(best.grids[length], _NEARLY):
            tried += these([best.line.nudged(across, taller) for across, taller in _NUDGES])
        return tried


def _certainty(grid: Grid) -> float:
    """Mean logarithm of the probability of each place's likeliest character."""
    return float(np.log(grid.posteriors.max(1)).mean())


def _certain(grid: Grid, least: float = _CERTAIN) -> bool:
    return float(grid.posteriors.max(1).min()) >= least


def _averaged(grids: Sequence[Grid]) -> Probabilities:
    """The mean of the logarithms, the surer ones of more weight."""
    sureness = np.array([_certainty(grid) for grid in grids])
    weights = np.exp((sureness - sureness.max()) * _TRUST)
    mean = np.tensordot(weights / weights.sum(), np.log([grid.posteriors for grid in grids]), 1)
    powers = np.exp(mean - mean.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), dtype=np.float32)


def _aside(image: Grey) -> Grey:
    """The cut from half a step earlier on."""
    return np.concatenate([np.repeat(image[:, :1], STEP // 2, 1), image[:, : -STEP // 2]], 1)


def _grids(recogniser: Recogniser, images: Sequence[Grey], length: int) -> list[Grid]:
    found = [fit_grids(each) for each in recogniser.probabilities(images)]
    return [grids[length] for grids in found if length in grids]


def _mixed(one: Probabilities, other: Probabilities, share: float) -> Probabilities:
    """The mean of the logarithms, `share` of it the other's."""
    powers = one ** (1 - share) * other**share
    return np.asarray(powers / powers.sum(1, keepdims=True), dtype=np.float32)


def _ink_left(found: _Found, length: int) -> npt.NDArray[np.float64]:
    """`Look.ink` of a line. A reflection leaves less of it, and none where it is brightest."""
    centres = found.grids[length].centres
    half = float(centres[-1] - centres[0]) / (length - 1) / 2
    image = found.cut.image[_TYPE]
    ends = np.clip(np.stack([centres - half, centres + half], 1).round().astype(int), 0, image.shape[1])
    cells = [image[:, first:last] if last > first else image[:, :1] for first, last in ends]
    ink, paper = np.array([np.percentile(cell, (6, 90)) for cell in cells]).T
    share = (paper - ink) / max(1.0, float(np.median(paper - ink)))
    return np.asarray(np.where(paper >= _WHITE, share, 1.0))


def _unknown_without(ink: npt.NDArray[np.float64], posteriors: Probabilities) -> Probabilities:
    """Nothing is known of a character without ink; a network takes it for what often stands there."""
    unknown = np.where(ink < NO_INK, UNKNOWN, 0.0)[:, None]
    return np.asarray((1 - unknown) * posteriors + unknown / posteriors.shape[1], dtype=np.float32)


def _righted(grey: Grey, line: Line) -> Line:
    """The line where its ink is, and as its type leans."""
    level = levelled(grey, line) or line
    return leaning(grey, level) or level


def _trimmed(line: Line, grey: Grey) -> Line:
    """Without the ends that lie outside of the picture."""
    height, width = grey.shape
    x, y = line.points.T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    if inside.all() or inside.sum() < 2:
        return line
    run = np.linspace(0, 1, 60)
    own = np.linspace(0, 1, len(x))
    fine = np.stack([np.interp(run, own, x), np.interp(run, own, y)], 1)
    fine = fine[(fine[:, 0] >= 0) & (fine[:, 0] < width) & (fine[:, 1] >= 0) & (fine[:, 1] < height)]
    return Line(fine[np.linspace(0, len(fine) - 1, 9).round().astype(int)], line.height, line.lean)


def _grey(frame: Frame) -> Grey:
    import cv2

    return frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _legibility(found: Sequence[_Found]) -> tuple[float, int]:
    scores = [each.score if each.score > _HOPELESS else _NONE for each in found]
    score = sum(scores) / len(scores) if found else _NONE
    return score, sum(each.legible[0] for each in found)


def _extent(steps: npt.NDArray[np.intp]) -> tuple[int, int, int]:
    """How many, the first and the last."""
    return (len(steps), int(steps[0]), int(steps[-1])) if len(steps) else (0, 0, 0)


def _part(found: _Found, extent: tuple[int, int, int]) -> Line:
    """The line from the first to the last of these characters; all of it where there are few."""
    count, first, last = extent
    if count < _SOME:
        return found.line
    at = np.linspace(first * STEP, min(last * STEP + STEP, len(found.cut.middle)) - 1, 9).round().astype(int)
    return Line(found.cut.middle[at], found.line.height, found.line.lean)


def _moved_to(line: Line, other: _Found) -> Line:
    """`line` moved across to where most of `other` runs."""
    along = line.points[-1] - line.points[0]
    along = along / max(1e-9, float(np.hypot(*along)))
    across = np.array([-along[1], along[0]])
    run, rise = (other.cut.middle - line.points[0]) @ along, (other.cut.middle - line.points[0]) @ across
    own, own_rise = (line.points - line.points[0]) @ along, (line.points - line.points[0]) @ across
    beside = (run > own[0]) & (run < own[-1])
    if not beside.any():
        return other.line
    away = float(np.median(rise[beside] - np.interp(run[beside], own, own_rise)))
    return Line(line.points + away * across, line.height, line.lean)


def _zone(found: Sequence[_Found], complete: bool = True) -> _Zone | None:
    """The best run of neighbouring lines of one length; of the number that the length asks for, or fewer."""
    if not found:
        return None
    down = found[0].cut.normal.mean(0)
    ordered = sorted(found, key=lambda each: float(each.line.points.mean(0) @ down))
    best: _Zone | None = None
    for length in LENGTHS:
        most = LINES_OF[length]
        for count in range(most, 0, -1):
            for first in range(len(ordered) - count + 1):
                run = ordered[first : first + count]
                if any(length not in each.grids for each in run):
                    continue
                if not _apart(run, down):
                    continue
                zone = _Zone(length, tuple(run))
                if (
                    zone.score > _CREDIBLE
                    and zone.certainty > _GUESSED
                    and (best is None or _rank(zone) > _rank(best))
                ):
                    best = zone
    return best if best is not None and (best.complete or not complete) else None


def _rank(zone: _Zone) -> tuple[bool, int, float]:
    # A length that fits by chance to one line more than another is still the worse one; of what is not complete,
    # two lines that surely are there tell more than one of them.
    certain = all(found.grids[zone.length].score > _UPRIGHT for found in zone.lines)
    return zone.complete, len(zone.lines) if certain and not zone.complete else 0, zone.score


def _inside(zone: _Zone, grey: Grey) -> bool:
    """The zone's first and last characters are there; where it was cut off, another length may seem to fit."""
    height, width = grey.shape
    if not _ends_seen(zone):
        return False
    for found in zone.lines:
        ends = found.grids[zone.length].centres[[0, -1]].astype(int)
        if ends[0] < 0 or ends[1] >= len(found.cut.middle):
            return False
        x, y = found.cut.middle[ends].T
        if x.min() < 0 or y.min() < 0 or x.max() >= width or y.max() >= height:
            return False
    return True


def _ends_seen(zone: _Zone) -> bool:
    """At either end there is a character in one line or another."""
    ends = np.array([found.grids[zone.length].posteriors[[0, -1]].max(1) for found in zone.lines])
    return bool(ends.max(0).min() >= _SEEN)


def _apart(run: Sequence[_Found], down: npt.NDArray[np.float64]) -> bool:
    """Lines of a zone stand one and a half to four heights below each other."""
    places = [float(each.line.points.mean(0) @ down) for each in run]
    return all(
        1.2 < (below - above) / each.line.height < 4.5
        for above, below, each in zip(places, places[1:], run, strict=False)
    )


def _traced(found: _Found, length: int) -> Line:
    """The line from the first to the last character as the grid has it."""
    at = np.clip(found.grids[length].centres, 0, len(found.cut.middle) - 1)
    picked = at[np.linspace(0, length - 1, 7).round().astype(int)].astype(int)
    return Line(found.cut.middle[picked], found.line.height, found.line.lean)


def _line_pitch(zone: _Zone) -> float | None:
    if len(zone.lines) < 2:
        return None
    first, second = (each.line.points.mean(0) for each in zone.lines[:2])
    return abs(float((second - first) @ zone.lines[0].cut.normal.mean(0)))


def _corners(found: _Found, length: int) -> Points:
    centres = found.grids[length].centres
    half = (centres[-1] - centres[0]) / (length - 1) / 2
    last = len(found.cut.middle) - 1
    start, end = (int(np.clip(x, 0, last)) for x in (centres[0] - half, centres[-1] + half))
    middle, normal, reach = found.cut.middle, found.cut.normal, found.cut.scale * HEIGHT / 4
    return np.array(
        [
            middle[start] - normal[start] * reach,
            middle[end] - normal[end] * reach,
            middle[end] + normal[end] * reach,
            middle[start] + normal[start] * reach,
        ]
    )


def _why(grey: Grey, lines: Sequence[Line]) -> str | None:
    """Why the lines that are there could not be read."""
    if not lines:
        bright = float(np.percentile(grey[::4, ::4], 90))
        return "too_dark" if bright < 50 else None
    height, width = grey.shape
    points = np.concatenate([line.points for line in lines])
    tall = max(line.height for line in lines)
    reach = _EDGE * tall
    if np.any(points < reach) or np.any(points > np.array([width, height]) - reach):
        return "cut_off"
    if tall < _SMALLEST:
        return "too_far"
    low = np.maximum(points.min(0).astype(int) - round(tall), 0)
    high = np.minimum(points.max(0).astype(int) + round(tall), (width, height))
    zone = grey[low[1] : high[1], low[0] : high[0]]
    if zone.size and float((zone >= _GLARE).mean()) > 0.08 and float(np.median(zone)) < _GLARE - 15:
        return "glare"
    return "other_print" if any(_is_sharp(grey, line) for line in lines) else "blurred"


def _is_sharp(grey: Grey, line: Line) -> bool:
    """Both ways: what moved along one of them keeps its edges along the other."""
    made = cut(grey, line)
    if made is None:
        return False
    image = made.image[_TYPE].astype(np.float32)
    contrast = float(np.percentile(image, 97) - np.percentile(image, 3))
    steps = (float(np.percentile(np.abs(np.diff(image, axis=axis)), 98)) for axis in (0, 1))
    return min(steps) > _SHARP * max(contrast, _LEAST_CONTRAST)
