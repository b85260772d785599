"""Counts the characters of a line: an evenly spaced grid through what the recogniser saw.

A zone is printed at one pitch, so the middles of its characters lie on a line that is straight but for
perspective. Knowing the lengths that exist (30, 36, 44), a run of twenty fillers keeps its count and a character
that was not seen keeps its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float32]

LENGTHS = (30, 36, 44)
STEP = 4  # pixels of the cut between two answers of the network
BETWEEN = 37  # the class of the places between characters
_PEAK = 0.35  # from here on a character is there
_STRAY = 0.30  # pitches beside its grid place from which a peak is no support
_FLOOR = 1e-5
_SLACK = 4  # characters by which the peaks may miss a length


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
    if len(peaks) < 12:
        return {}
    places = _numbered(peaks)
    if places is None:
        return {}
    grids: dict[int, Grid] = {}
    numbers, at = places
    found = int(numbers[-1] - numbers[0]) + 1
    for length in LENGTHS:
        if not -_SLACK <= length - found <= _SLACK + 2:
            continue
        best: Grid | None = None
        spare = length - found
        first = int(numbers[0])
        for start in range(first - max(spare, 0), first + max(-spare, 0) + 1):
            grid = _grid(probabilities, character, numbers, at, start, length)
            if grid is not None and (best is None or grid.score > best.score):
                best = grid
        if best is not None:
            grids[length] = best
    return grids


def _peaks(character: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Middles of the places where a character stands, in steps."""
    padded = np.pad(character, 1)
    smooth = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    around = np.pad(smooth, 1)
    top = (smooth >= around[:-2]) & (smooth > around[2:]) & (smooth > _PEAK)
    at = np.flatnonzero(top)
    left, right = around[at], around[at + 2]
    curve = left - 2 * smooth[at] + right
    return np.asarray(at + np.where(curve < -1e-6, np.clip(0.5 * (left - right) / np.minimum(curve, -1e-6), -0.5, 0.5), 0.0))


def _numbered(
    peaks: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]] | None:
    """The peaks with the number of each in the line, gaps counted; strays left out."""
    gaps = np.diff(peaks)
    pitch = float(np.median(gaps))
    usual = gaps[np.abs(gaps / pitch - 1) < 0.3]
    if len(usual) < 8:
        return None
    pitch = float(np.mean(usual))
    # From the middle of the longest even run outwards, with the pitch of the place (perspective changes it).
    start = _steadiest(np.abs(gaps / pitch - 1) < 0.25)
    numbers = np.zeros(len(peaks), np.int64)
    taken = np.zeros(len(peaks), bool)
    taken[start] = True
    for direction in (1, -1):
        last, local = start, pitch
        index = start + direction
        while 0 <= index < len(peaks):
            gap = abs(peaks[index] - peaks[last])
            steps = round(gap / local)
            if steps >= 1 and abs(gap / local - steps) < _STRAY + 0.05 * min(steps, 3):
                numbers[index] = numbers[last] + direction * steps
                taken[index] = True
                last = index
                if steps <= 2:
                    local = 0.8 * local + 0.2 * gap / steps
            index += direction
            if steps > 8:
                break
    return numbers[taken], peaks[taken]


def _steadiest(even: npt.NDArray[np.bool_]) -> int:
    best, run, end = 0, 0, 0
    for index, each in enumerate(even):
        run = run + 1 if each else 0
        if run > best:
            best, end = run, index
    return end - best // 2


def _grid(
    probabilities: Probabilities,
    character: npt.NDArray[np.float64],
    numbers: npt.NDArray[np.int64],
    at: npt.NDArray[np.float64],
    start: int,
    length: int,
) -> Grid | None:
    inside = (numbers >= start) & (numbers < start + length)
    if inside.sum() < 10:
        return None
    degree = 2 if inside.sum() > 20 else 1
    middle = start + (length - 1) / 2
    x, y = numbers[inside] - middle, at[inside]
    fit = np.polynomial.polynomial.polyfit(x, y, degree)
    rest = np.abs(np.polynomial.polynomial.polyval(x, fit) - y)
    keep = rest < max(0.35, 2.5 * float(np.median(rest)))
    if keep.sum() >= 10:
        fit = np.polynomial.polynomial.polyfit(x[keep], y[keep], degree)
    every = np.arange(start, start + length)
    steps = np.polynomial.polynomial.polyval(every - middle, fit)
    if steps[0] < -1.0 or steps[-1] > len(character) or np.any(np.diff(steps) < 1.2):
        return None  # the line goes on where nobody looked
    posteriors, seen = _sampled(probabilities, steps)
    outside = float(np.sum((numbers < start) | (numbers >= start + length)))
    score = float(np.mean(np.log(np.maximum(seen, 1e-3)))) - 4.0 * outside / length
    return Grid((steps + 0.5) * STEP, posteriors, score)


def _sampled(
    probabilities: Probabilities, steps: npt.NDArray[np.float64]
) -> tuple[Probabilities, npt.NDArray[np.float64]]:
    """What was read at the grid's places: between the two nearest answers, the more certain counts more."""
    last = len(probabilities) - 1
    left = np.clip(np.floor(steps).astype(int), 0, last)
    right = np.clip(left + 1, 0, last)
    part = np.clip(steps - left, 0.0, 1.0)
    both = np.stack([probabilities[left], probabilities[right]]).astype(np.float64)
    there = 1.0 - both[:, :, BETWEEN]
    # An answer "between" says nothing of the character that stands beside it.
    weights = np.stack([1 - part, part]) ** 2 * (0.02 + there) ** 2 + 1e-6
    weights /= weights.sum(0)
    seen = there.max(0)
    given = both[:, :, :BETWEEN] / np.maximum(there, 1e-6)[..., None]
    # What half stands there may be anything: the rest of its probability is spread over all characters.
    doubt = np.clip(1.0 - 1.5 * seen, 0.0, 1.0)[:, None]
    characters = (1 - doubt) * (weights[..., None] * given).sum(0) + doubt / BETWEEN
    characters = np.maximum(characters, _FLOOR)
    return (characters / characters.sum(1, keepdims=True)).astype(np.float32), seen
