"""Counts the characters of a line: an evenly spaced grid through what the recogniser saw.

A zone is printed at one pitch, so the middles of its characters lie on a line that is straight but for
perspective. Knowing the lengths that exist (30, 36, 44), a run of twenty fillers keeps its count and a character
that was not seen keeps its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float32]

LENGTHS = (30, 36, 44)
STEP = 4  # pixels of the cut between two answers of the network
BETWEEN = 37  # the class of the places between characters
_PEAK = 0.35  # from here on a character is there
_LEGIBLE = 0.7  # of one character
_STRAY = 0.35  # pitches beside its grid place from which a peak is no support
_FLOOR = 1e-5
_NARROWEST, _WIDEST = 2.1, 5.0  # steps from character to character
_BEND = 0.06  # turns a step by which perspective changes that from the middle to an end
_ROUNDED = 32  # steps to a multiple of which a line is lengthened, so that few sets of waves are ever made
_BESIDE = 4  # gaps to either side whose median is the pitch there
_NEXT = 0.4  # of a pitch by which the gap to the next character may differ from it
_EVEN = 0.2  # and one in which characters are missing, if they are to be counted one by one
_OFF = (0.3, 0.5, 0.75)  # pitches to the nearest character, of another place: in doubt; lost; no concern of it
_FEWEST = 12  # characters that make a line
_AT_ENDS = 5  # peaks before and behind a line that are no part of it
_SLACK = 4  # characters by which the peaks may miss a length
_STRAYS = 12  # and by which they may be more
_AGAINST = (0.5, 4.0)  # the logarithm of probability that a peak beside the grid costs: illegible, legible


@dataclass(frozen=True, repr=False)
class Grid:
    """`centres`: pixels along the cut, one for each character. `posteriors` (N, 37), rows sum to 1.

    `score`: mean log probability that a character stands where the grid says, less what stands beside it.
    """

    centres: npt.NDArray[np.float64]
    posteriors: Probabilities
    score: float

    @property
    def length(self) -> int:
        return len(self.centres)


def fit_grids(probabilities: Probabilities) -> dict[int, Grid]:
    """The best grid for every length that comes into question; empty where no line is. `probabilities` (T, 38)."""
    character = 1.0 - probabilities[:, BETWEEN].astype(np.float64)
    peaks = _peaks(character)
    if len(peaks) < _FEWEST:
        return {}
    places = _numbered(character, peaks)
    if places is None:
        return {}
    numbers, at = places
    # What stands beside the grid speaks against it, if it is a character: beside a page there may be anything.
    legible = probabilities[at.round().astype(np.int64), :BETWEEN].max(1)
    against = _AGAINST[0] + (_AGAINST[1] - _AGAINST[0]) * np.clip((legible - 0.4) / 0.4, 0.0, 1.0)
    ends = int(numbers[0]), int(numbers[-1])
    every = np.arange(ends[0] - _SLACK - 2, ends[1] + _SLACK + 3)
    steps = _evened(numbers, at, every)
    seen = np.log(np.maximum(_seen(character, steps), 1e-3))
    sums = np.concatenate([[0.0], np.cumsum(seen)])
    grids: dict[int, Grid] = {}
    for length in LENGTHS:
        spare = length - (ends[1] - ends[0] + 1)
        if not -_STRAYS <= spare <= _SLACK + 2:
            continue
        best: tuple[float, int] | None = None
        for start in range(ends[0] - max(spare, 0), ends[0] + max(-spare, 0) + 1):
            first = start - int(every[0])
            part = steps[first : first + length]
            if part[0] < -1.0 or part[-1] > len(character) or np.any(np.diff(part) < 1.2):
                continue  # the line goes on where nobody looked
            outside = float(against[(numbers < start) | (numbers >= start + length)].sum())
            score = float(sums[first + length] - sums[first] - outside) / length
            if best is None or score > best[0]:
                best = score, first
        if best is not None:
            part = steps[best[1] : best[1] + length]
            grids[length] = Grid((part + 0.5) * STEP, sampled(probabilities, part, peaks), best[0])
    return grids


def characters(probabilities: Probabilities) -> npt.NDArray[np.intp]:
    """The steps at which a character stands that is read with certainty. `probabilities` (T, 38)."""
    best = np.pad(probabilities[:, :BETWEEN].max(1), 1)
    top = (best[1:-1] > _LEGIBLE) & (best[1:-1] >= best[:-2]) & (best[1:-1] > best[2:])
    return np.flatnonzero(top)


def evenly_spaced(steps: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The longest part of `steps` at one pitch: what stands beside a zone in its row, mostly does not."""
    if len(steps) < _FEWEST:
        return steps
    even = _even(_gaps_in_pitches(steps.astype(np.float64)))
    breaks = np.flatnonzero(np.concatenate([[True], ~even, [True]]))
    longest = int(np.diff(breaks).argmax())
    return steps[breaks[longest] : breaks[longest + 1]]


def _gaps_in_pitches(at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The gaps from one to the next, in pitches as they are there: perspective changes the pitch."""
    gaps = np.diff(at)
    beside = np.lib.stride_tricks.sliding_window_view(np.pad(gaps, _BESIDE, mode="edge"), 2 * _BESIDE + 1)
    usual = float(np.median(gaps))
    return np.asarray(gaps / np.clip(np.median(beside, axis=1), 0.8 * usual, 1.25 * usual))


def _even(gaps: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    counted = gaps.round()
    return np.asarray((counted >= 1) & (np.abs(gaps - counted) < np.where(counted == 1, _NEXT, _EVEN)))


def _peaks(character: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Middles of the places where a character stands, in steps."""
    padded = np.pad(character, 1)
    smooth = 0.1 * padded[:-2] + 0.8 * padded[1:-1] + 0.1 * padded[2:]
    around = np.pad(smooth, 1)
    top = (smooth >= around[:-2]) & (smooth > around[2:]) & (smooth > _PEAK)
    at = np.flatnonzero(top)
    left, right = around[at], around[at + 2]
    curve = np.minimum(left - 2 * smooth[at] + right, -1e-6)  # of a top; flat ones have none
    return np.asarray(at + np.clip(0.5 * (left - right) / curve, -0.5, 0.5))


def _numbered(
    character: npt.NDArray[np.float64], peaks: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]] | None:
    """The peaks with the number of each in the line, gaps counted; strays left out.

    The pitch and its change along the line are those at which all the line's characters chime in: the frequency of
    the greatest power, over the whole line at once, so that no single place where two characters touch or one is
    hidden can shift the count.
    """
    steps = _gaps_in_pitches(peaks)
    even = _even(steps)
    breaks = np.flatnonzero(np.concatenate([[True], ~even, [True]]))
    longest = int(np.diff(breaks).max())  # peaks one after the other
    if longest >= max(_FEWEST, len(peaks) - _AT_ENDS):  # the rest, before or behind, is another thing's
        numbers = np.concatenate([[0], np.cumsum(steps.round().astype(np.int64))])
        return numbers, peaks  # nothing to be mistaken about
    padded = -(-len(character) // _ROUNDED) * _ROUNDED
    plain, bent, frequencies, bends, curve = _waves(padded)
    inside = np.zeros(padded, np.float32)
    first, last = int(peaks[0]), min(len(character), int(peaks[-1]) + 2)
    inside[first:last] = character[first:last] - character[first:last].mean()
    power = np.abs((plain * inside) @ bent)
    best = np.unravel_index(int(power.argmax()), power.shape)
    phases = frequencies[best[0]] * np.arange(padded) + bends[best[1]] * curve
    offset = float(np.angle(np.sum(inside * np.exp(2j * np.pi * phases)))) / (2 * np.pi)
    places = np.interp(peaks, np.arange(padded), phases - offset)
    numbers = places.round().astype(np.int64)
    away = np.abs(places - numbers)
    order = np.lexsort((away, numbers))
    kept = order[np.concatenate([[True], np.diff(numbers[order]) > 0])]
    kept = kept[away[kept] < _STRAY]
    return (numbers[kept], peaks[kept]) if len(kept) >= _FEWEST else None


@lru_cache(maxsize=12)
def _waves(steps: int) -> tuple[Any, Any, Any, Any, Any]:
    """Waves of every frequency and every bend over so many steps, a tenth of a turn apart at the ends."""
    half = steps / 2
    at = np.arange(steps)
    curve = ((at - half) / half) ** 2 * half
    frequencies = np.arange(1 / _WIDEST, 1 / _NARROWEST, 0.2 / steps)
    bends = np.arange(-_BEND, _BEND + 1e-9, 0.2 / steps)
    plain = np.exp(2j * np.pi * np.outer(frequencies, at)).astype(np.complex64)
    bent = np.exp(2j * np.pi * np.outer(curve, bends)).astype(np.complex64)
    return plain, bent, frequencies, bends, curve


def quadratic(x: npt.NDArray[Any], y: npt.NDArray[Any], degree: int = 2) -> npt.NDArray[np.float64]:
    """The coefficients of the least squares polynomial, the constant first. `x` around zero and of size one."""
    powers = np.vander(x, degree + 1, increasing=True)
    return np.asarray(np.linalg.solve(powers.T @ powers + 1e-9 * np.eye(degree + 1), powers.T @ y))


def _evened(
    numbers: npt.NDArray[np.int64], at: npt.NDArray[np.float64], every: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Where the characters of those numbers stand, in steps: evenly, but for perspective."""
    middle, half = (numbers[0] + numbers[-1]) / 2, max(1.0, (numbers[-1] - numbers[0]) / 2)
    x, wanted = (numbers - middle) / half, (every - middle) / half
    degree = 3 if len(numbers) > 24 else 2 if len(numbers) > 16 else 1
    fit = quadratic(x, at, degree)
    rest = np.abs(np.vander(x, degree + 1, increasing=True) @ fit - at)
    keep = rest < max(0.35, 2.5 * float(np.median(rest)))
    if 10 <= keep.sum() < len(at):
        fit = quadratic(x[keep], at[keep], degree)
    return np.asarray(np.vander(wanted, degree + 1, increasing=True) @ fit)


def _around(steps: npt.NDArray[np.float64], count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    left = np.clip(np.floor(steps).astype(np.int64), 0, count - 1)
    return left, np.minimum(left + 1, count - 1)


def _seen(character: npt.NDArray[np.float64], steps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    left, right = _around(steps, len(character))
    return np.maximum(character[left], character[right])


def sampled(
    probabilities: Probabilities, steps: npt.NDArray[np.float64], peaks: npt.NDArray[np.float64]
) -> Probabilities:
    """What was read at the grid's places, of the two nearest answers the nearer one first."""
    left, right = _around(steps, len(probabilities))
    part = np.clip(steps - left, 0.0, 1.0)
    both = np.stack([probabilities[left], probabilities[right]]).astype(np.float64)
    there = 1.0 - both[:, :, BETWEEN]
    # An answer "between" says nothing of the character that stands beside it.
    weights = np.stack([1 - part, part]) ** 2 * (0.02 + there) ** 2 + 1e-6
    weights /= weights.sum(0)
    given = both[:, :, :BETWEEN] / np.maximum(there, 1e-6)[..., None]
    # What half stands there may be anything: the rest of its probability is spread over all characters.
    doubt = np.clip(1.0 - 1.5 * there.max(0), 0.0, 1.0)
    # Nor may one character be read at two places, where the count went wrong.
    away = np.abs(steps[:, None] - peaks)
    nearest = away.argmin(1)
    another = away.argmin(0)[nearest] != np.arange(len(steps))
    off = away.min(1) / np.gradient(steps)
    off = np.where(another & (off < _OFF[2]), off, 0.0)
    doubt = np.maximum(doubt, np.clip((off - _OFF[0]) / (_OFF[1] - _OFF[0]), 0.0, 1.0))[:, None]
    characters = (1 - doubt) * (weights[..., None] * given).sum(0) + doubt / BETWEEN
    characters = np.maximum(characters, _FLOOR)
    return np.asarray(characters / characters.sum(1, keepdims=True), dtype=np.float32)
