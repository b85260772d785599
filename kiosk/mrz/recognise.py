"""Reads the characters of text lines that were found in a picture: cuts each out upright and asks the network.

The network answers every four pixels of the cut which of the 37 characters stands there, or none; `kiosk.mrz.grid`
makes a line out of that. Trained by `training/mrz_recogniser.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kiosk.inference import network
from kiosk.mrz.grid import Probabilities, quadratic

Grey = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

HEIGHT = 32  # pixels of a cut, twice a capital's height
CAPITAL = 16.0
SQUEEZE = 0.737  # a cut is narrower than it was: 12.5 pixels a character
LEAD = 28.0  # pixels of the cut before the first and behind the last character
WIDEST = 960
_LOCAL = 61  # pixels of a cut over which its ink is averaged, some five characters
_LEVEL = 1.0  # pixels by which it may lie beside the middle
_TALL = 64  # pixels of a cut in which a line's level is looked for
_REACH = 14  # pixels up and down: the neighbours are 26 away and more
_GAP = 6  # pixels above and below a line that are free of ink
_WINDOWS = 9
_STRAIGHT = 0.25  # of a pixel's ink: what a pixel of tilt or bend must be worth
_SHAPES = tuple(
    each.ravel()
    for each in np.meshgrid(np.arange(-12, 13), np.arange(-10, 11, 2), np.arange(-8, 9, 2), indexing="ij")
)
_LEANS = np.linspace(-0.4, 0.4, 17)  # pixels of a cut along it for one down
_LEANINGS = tuple(each.ravel() for each in np.meshgrid(_LEANS[2:-2], np.linspace(-0.15, 0.15, 7), indexing="ij"))
_STANDING = 1.0  # what leaning must be worth
_LEANT = 0.08
_COARSE = 1.5  # from here on a picture is reduced before it is cut, or its details would alias


@dataclass(frozen=True)
class Line:
    """A text line in a picture: points (k, 2) of its middle in reading direction, the height of its capitals.

    `lean`: how far its strokes lead back from top to bottom, at its first and its last point, in pixels for each
    pixel down: print in italics leans evenly, and what is seen askew leans more at one end than at the other.
    """

    points: Points
    height: float
    lean: tuple[float, float] = (0.0, 0.0)

    def turned(self) -> Line:
        return Line(np.ascontiguousarray(self.points[::-1]), self.height, self.lean[::-1])

    def lengthened(self, share: float) -> Line:
        """Led on straight at both ends, each by a share of its length."""
        way = (self.points[-1] - self.points[0]) * share
        points = np.concatenate([[self.points[0] - way], self.points, [self.points[-1] + way]])
        return Line(points, self.height, self.lean)

    def nudged(self, across: float = 0.0, taller: float = 1.0) -> Line:
        """Moved across by a share of its height, and of another height."""
        along = self.points[-1] - self.points[0]
        along = along / max(1e-9, float(np.hypot(*along)))
        moved = self.points + across * self.height * np.array([-along[1], along[0]])
        return Line(moved, self.height * taller, self.lean)


@dataclass(frozen=True, repr=False)
class Cut:
    """A line cut out: `image` (32, W), and the picture's coordinates of its middle row, (W, 2)."""

    image: Grey
    middle: Points
    normal: Points  # unit vectors down across the line, (W, 2)
    scale: float  # pixels of the picture for one of the cut, across the line


def cut(grey: Grey, line: Line, height: int = HEIGHT) -> Cut | None:
    """`height` pixels high, at the scale at which a capital has `CAPITAL`. None for a line without length."""
    import cv2

    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line.points, axis=0).T))])
    length = float(run[-1])
    if length < 4 or line.height < 2:
        return None
    across = line.height / CAPITAL
    along = across / SQUEEZE
    width = int(min(WIDEST, length / along + 2 * LEAD) // 4 * 4)
    degree = min(3, max(1, (len(line.points) - 1) // 2))
    bend = quadratic(2 * run / length - 1, line.points, degree)
    at = (2 * (np.arange(width) + 0.5 - LEAD) * along) / length - 1
    # Beyond the ends a line goes on straight: a bend that is a little wrong there would lead away from it.
    inner = np.clip(at, -1, 1)
    slope = np.vander(inner, degree, increasing=True) @ (bend[1:] * np.arange(1, degree + 1)[:, None])
    middle = np.vander(inner, degree + 1, increasing=True) @ bend + (at - inner)[:, None] * slope
    slope = slope / np.maximum(np.hypot(slope[:, 0], slope[:, 1]), 1e-9)[:, None]
    normal = np.stack([-slope[:, 1], slope[:, 0]], 1)
    rows = (np.arange(height) - height / 2 + 0.5) * across
    lean = line.lean[0] + (line.lean[1] - line.lean[0]) * (inner + 1) / 2
    down = normal - lean[:, None] * slope
    edges = np.concatenate([middle + rows[0] * down, middle + rows[-1] * down])
    low = np.maximum(np.floor(edges.min(0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(edges.max(0)).astype(int) + 3, (grey.shape[1], grey.shape[0]))
    if np.any(high - low < 4):
        return None
    part = grey[low[1] : high[1], low[0] : high[0]]
    middle_here, reduction = middle - low, np.ones(2)
    if across > _COARSE:
        size = (max(4, round(part.shape[1] / across)), max(4, round(part.shape[0] / across)))
        reduction = np.array([part.shape[1] / size[0], part.shape[0] / size[1]])
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    start = ((middle_here + 0.5) / reduction - 0.5).astype(np.float32)
    step = (down / reduction).astype(np.float32)
    below = rows.astype(np.float32)[:, None]
    image = cv2.remap(
        part,
        start[:, 0] + below * step[:, 0],
        start[:, 1] + below * step[:, 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Cut(np.asarray(image, dtype=np.uint8), middle, normal, across)


def levelled(grey: Grey, line: Line) -> Line | None:
    """The line with its middle where the ink's is; None where it is there already, or no ink tells.

    A page that bulges bends its lines more than a few points of a locator say, and what lies beside a page leads
    them astray. Upright strokes fill a band as high as a capital, above and below which there are none: of all
    bands that are shifted, askew and bent by a little, the one of the greatest difference.
    """
    import cv2

    made = cut(grey, line, _TALL)
    if made is None or made.image.shape[1] < 2 * LEAD + _LOCAL:
        return None
    image = made.image.astype(np.float32)
    strokes = np.abs(image[:, 2:] - image[:, :-2])
    strokes = cv2.blur(strokes, (_LOCAL, 1), borderType=cv2.BORDER_REPLICATE)
    at = np.linspace(LEAD, strokes.shape[1] - 1 - LEAD, _WINDOWS).round().astype(int)
    profile = strokes[:, at].T
    profile = profile / np.maximum(profile.mean(1, keepdims=True), 1e-3)
    sums = np.concatenate([np.zeros((_WINDOWS, 1)), np.cumsum(profile, axis=1)], axis=1)
    half, beyond = round(CAPITAL / 2), round(CAPITAL / 2) + _GAP
    middles = np.arange(_TALL // 2 - _REACH, _TALL // 2 + _REACH + 1)
    band = sums[:, middles + half] - sums[:, middles - half]
    around = sums[:, middles + beyond] - sums[:, middles - beyond] - band
    score = band - around  # (windows, 2 reach + 1)
    shift, tilt, bend = _SHAPES
    run = np.linspace(-1, 1, _WINDOWS)
    rise = shift[:, None] + tilt[:, None] * run + bend[:, None] * (run * run - 1 / 3)
    cells = np.clip(rise.round().astype(int) + _REACH, 0, 2 * _REACH)
    total = score[np.arange(_WINDOWS), cells].sum(1) - _STRAIGHT * (
        np.abs(tilt) + np.abs(bend) + 0.3 * np.abs(shift)
    )
    best = int(total.argmax())
    if float(np.abs(rise[best]).max()) < _LEVEL:
        return None
    moved = rise[best][:, None] * made.normal[at] * made.scale
    return Line(made.middle[at] + moved, line.height, line.lean)


def leaning(grey: Grey, line: Line) -> Line | None:
    """The line with the lean of its strokes; None where they stand upright, or where none tells.

    Sheared back by their lean, upright strokes stand in few columns each, and what is dark in a column adds up.
    """
    import cv2

    made = cut(grey, line)
    if made is None or made.image.shape[1] < 2 * LEAD + _LOCAL:
        return None
    top = round((HEIGHT - CAPITAL) / 2)
    image = made.image.astype(np.float32)
    strokes = (image[:, 2:] - image[:, :-2])[top:-top]
    rows = (np.arange(len(strokes)) - (len(strokes) - 1) / 2).astype(np.float32)[:, None]
    columns = np.arange(strokes.shape[1], dtype=np.float32)
    at = np.linspace(LEAD, strokes.shape[1] - 1 - LEAD, _WINDOWS).round().astype(int)
    lines = np.repeat(np.arange(len(strokes), dtype=np.float32)[:, None], strokes.shape[1], 1)
    sums = []
    for lean in _LEANS.astype(np.float32):
        sheared = cv2.remap(strokes, columns - lean * rows, lines, cv2.INTER_LINEAR)
        power = cv2.blur(sheared.sum(0, keepdims=True) ** 2, (_LOCAL, 1), borderType=cv2.BORDER_REPLICATE)
        sums.append(power[0, at])
    score = np.stack(sums, 1)  # (windows, leans)
    score = score / np.maximum(score.mean(1, keepdims=True), 1e-3)
    run = np.linspace(-1, 1, _WINDOWS)
    middle, change = _LEANINGS
    leans = middle[:, None] + change[:, None] * run
    cells = np.clip(np.rint((leans - _LEANS[0]) / (_LEANS[1] - _LEANS[0])).astype(int), 0, len(_LEANS) - 1)
    total = score[np.arange(_WINDOWS), cells].sum(1) - _STANDING * (np.abs(middle) + np.abs(change))
    best = int(total.argmax())
    if max(abs(middle[best] - change[best]), abs(middle[best] + change[best])) < _LEANT:
        return None
    first, last = (float(middle[best] + side * change[best]) / SQUEEZE for side in (-1, 1))
    return Line(line.points, line.height, (line.lean[0] + first, line.lean[1] + last))


class Recogniser:
    """`probabilities(images)`: for each cut's image (W / 4, 38). Not safe for several threads at once."""

    def __init__(self, weights: Path) -> None:
        self._session: Any = network(weights.read_bytes(), keep_memory=False)

    def probabilities(self, images: Sequence[Grey]) -> list[Probabilities]:
        if not images:
            return []
        width = max(each.shape[1] for each in images)
        batch = np.empty((len(images), 1, HEIGHT, width), np.float32)
        for row, each in enumerate(images):
            own = each.shape[1]
            batch[row, 0, :, :own] = each
            batch[row, 0, :, own:] = each[:, -1:]
        logits = self._session.run(None, {"grey": batch})[0]
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        shares = powers / powers.sum(-1, keepdims=True)
        return [
            np.asarray(share[: each.shape[1] // 4], dtype=np.float32)
            for share, each in zip(shares, images, strict=True)
        ]
