"""What happens to a line between the press and the reader, drawn anew for every view of it in training.

The lines of `training/mrz_lines.py` and `training/mrz_page_lines.py` are drawn once, with the conditions they have
then. Here a line gets others on top: security print, slant, a cut that misses, a camera that is soft, moving,
coarse, noisy or short of light. So no line is ever seen twice alike, for less time than a step of training takes.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rng = np.random.Generator

PITCH = 12.5  # pixels of a cut from character to character
CAPITAL = 16.0
ALIKE = 0.25  # of the views stay as they were drawn
PRINTED, LAID, SHOT = 0.4, 0.5, 0.75  # of the others
STRUCK = 0.35  # of the others, by a pen, a fold or a scratch


class Prints:
    """Security print: a pool of patterns between 0 and 1, of which any part may lie under a line."""

    def __init__(self, rng: Rng, count: int = 160) -> None:
        self._rng = rng
        self._pool = [_print(rng, 160, 1000) for _ in range(count)]

    def take(self, height: int, width: int) -> Floats:
        rng = self._rng
        source = self._pool[int(rng.integers(len(self._pool)))]
        zoom = rng.uniform(0.6, 1.5)
        h, w = math.ceil(height / zoom), min(math.ceil(width / zoom), source.shape[1])
        top, left = int(rng.integers(0, source.shape[0] - h + 1)), int(rng.integers(0, source.shape[1] - w + 1))
        part = source[top : top + h, left : left + w][:: int(rng.choice((-1, 1))), :: int(rng.choice((-1, 1)))]
        return np.asarray(cv2.resize(np.ascontiguousarray(part), (width, height)), dtype=np.float32)


def _print(rng: Rng, height: int, width: int) -> Floats:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, math.pi)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    kind = rng.integers(6)
    if kind == 0:  # stripes
        wave = np.sin(along * (2 * math.pi / rng.uniform(3.5, 32)))
        pattern = (wave > rng.uniform(-0.6, 0.6)).astype(np.float32)
    elif kind == 1:  # guilloche
        bend = np.zeros_like(x)
        for _ in range(3):
            bend += rng.uniform(2, 25) * np.sin(rng.uniform(0.004, 0.06) * along + rng.uniform(0, 6.3))
        pattern = np.abs(np.sin((across + bend) * (math.pi / rng.uniform(3.5, 18)))) ** rng.uniform(0.3, 1.5)
    elif kind == 2:  # dots, hatching
        p, q = 2 * math.pi / rng.uniform(4, 18, 2)
        pattern = (np.sin(along * p) * np.sin(across * q) > rng.uniform(-0.2, 0.6)).astype(np.float32)
    elif kind == 3:  # rosettes
        pattern = np.zeros_like(x)
        for _ in range(4):
            cx, cy = rng.uniform(0, width), rng.uniform(-height, 2 * height)
            distance, turn = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)
            petals = rng.uniform(4, 30) * np.sin(rng.integers(4, 14) * turn)
            pattern += np.sin((distance + petals) * (2 * math.pi / rng.uniform(5, 22)))
    elif kind == 4:  # clouds, from coarse to fine
        pattern = np.zeros_like(x)
        for octave in range(int(rng.integers(2, 7))):
            cells = int(rng.integers(2, 6)) * 2**octave
            grid = rng.standard_normal((max(2, cells * height // width + 2), cells)).astype(np.float32)
            pattern += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.7**octave
        if rng.random() < 0.5:
            pattern = (pattern > 0).astype(np.float32)
    else:  # small print
        pen = np.zeros((height, width), np.uint8)
        size, step = rng.uniform(0.2, 0.5), int(rng.integers(7, 20))
        word = "".join(rng.choice(list("ABCDEIMNORSTU "), 9)) * 30
        for row in range(0, height + step, step):
            at = (-int(rng.integers(80)), row)
            cv2.putText(pen, word, at, cv2.FONT_HERSHEY_SIMPLEX, float(size), 255, 1, cv2.LINE_AA)
        pattern = pen.astype(np.float32)
    pattern = cv2.GaussianBlur(pattern.astype(np.float32), (0, 0), rng.uniform(0.3, 1.2))
    low, high = float(pattern.min()), float(pattern.max())
    return np.asarray((pattern - low) / max(high - low, 1e-6), dtype=np.float32)


def varied(image: Grey, centres: Floats, rng: Rng, prints: Prints) -> tuple[Grey, Floats]:
    """A line (32, W) under other conditions, and where its characters then are (nan where there is none)."""
    if rng.random() < ALIKE:
        return image, centres
    moved = centres
    if rng.random() < LAID:
        image, moved = _laid(image, centres, rng)
    seen = image.astype(np.float32)
    known = moved[~np.isnan(moved)]
    own = slice(int(known.min()), int(known.max()) + 1) if len(known) else slice(None)
    dark, bright = (float(each) for each in np.percentile(seen[8:24, own], (4, 90)))
    contrast = max(4.0, bright - dark)
    if rng.random() < PRINTED:
        amount = contrast * rng.uniform(0.1, 1.0)  # at most as strong as the ink
        layer = prints.take(*image.shape) - rng.uniform(0, 0.6)
        if rng.random() < 0.7:  # under the ink: what is black stays black
            layer = layer * np.clip((seen - dark) / contrast, 0, 1.2)
        seen = seen - amount * layer
    if rng.random() < STRUCK:
        seen = _struck(seen, dark, contrast, own, rng)
    if rng.random() < SHOT:
        seen = _shot(seen, contrast, rng)
    return np.clip(seen, 0, 255).astype(np.uint8), moved


def _laid(image: Grey, centres: Floats, rng: Rng) -> tuple[Grey, Floats]:
    """Slanted, stretched, a little off its middle or askew, as type and locators have it."""
    height, width = image.shape
    slant = rng.normal(0, 0.13)
    stretch, taller = np.exp(rng.normal(0, 0.05)), np.exp(rng.normal(0, 0.1))
    lean, rise, bend = rng.normal(0, 0.005), rng.normal(0, 1.3), rng.normal(0, 1.0)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    middle, centre = height / 2 - 0.5, width / 2
    away = (x - centre) / centre
    from_y = (y - middle) * taller + middle + rise + lean * (x - centre) + bend * (away * away - 0.3)
    from_x = (x - centre) * stretch + centre + slant * (from_y - middle)
    turned = cv2.remap(
        image,
        from_x.astype(np.float32),
        from_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    # Along the line's own middle the slant moves nothing.
    moved = (centres - centre) / stretch + centre
    moved = np.where((moved > 3) & (moved < width - 3), moved, np.nan)
    return np.asarray(turned, dtype=np.uint8), np.asarray(moved, dtype=np.float32)


def _struck(seen: Floats, dark: float, contrast: float, own: slice, rng: Rng) -> Floats:
    """Strokes that come over the type: straight as folds and scratches are, or up and down as a signature."""
    seen = seen.copy()
    height, width = seen.shape
    finer = 4
    for _ in range(int(rng.integers(1, 5))):
        x = rng.uniform(own.start or 0, own.stop or width)
        if rng.random() < 0.6:
            slope, reach = rng.uniform(0, math.pi), rng.uniform(8, 90)
            y = rng.uniform(4, height - 4)
            ends = np.array([-0.5, 0.5]) * reach
            points = np.stack([x + ends * math.cos(slope), y + ends * math.sin(slope)], 1)
        else:
            count = int(rng.integers(3, 9))
            points = np.stack([x + np.cumsum(rng.normal(2, 6, count)), rng.uniform(-4, height + 4, count)], 1)
        left, right = (int(np.clip(at, 0, width)) for at in (points[:, 0].min() - 3, points[:, 0].max() + 4))
        if right - left < 2:
            continue
        pen = np.zeros((height * finer, (right - left) * finer), np.uint8)
        thick = max(1, round(finer * rng.uniform(0.5, 2.6)))
        moved = ((points - (left, 0)) * finer).round().astype(np.int32)
        cv2.polylines(pen, [moved], False, 255, thick, cv2.LINE_AA)
        cover = cv2.resize(pen, (right - left, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        is_light = rng.random() < 0.2  # the ink is gone there
        tone = dark + contrast * (rng.uniform(0.9, 1.3) if is_light else rng.uniform(-0.2, 0.6))
        under = seen[:, left:right]
        away = tone - under if is_light else np.minimum(tone - under, 0)
        under += cover * rng.uniform(0.6, 1.0) * away
    return seen


def _shot(seen: Floats, contrast: float, rng: Rng) -> Floats:
    """Through a camera of so many pixels a character, then cut out again. One or two things are wrong with it."""
    height, width = seen.shape
    wrong = set(
        rng.choice(("soft", "moving", "coarse", "noisy", "compressed", "dim"), int(rng.integers(1, 3)), False)
    )
    pitch = rng.uniform(5.0, 8.0) if "coarse" in wrong else rng.uniform(7.0, 14.0)
    x, y = pitch / PITCH, pitch * rng.uniform(0.85, 1.15) * 1.3 / CAPITAL
    if "soft" in wrong:
        sigma = min(rng.uniform(0.4, 2.4), 0.24 * pitch)
        seen = cv2.GaussianBlur(seen, (0, 0), sigmaX=max(0.2, sigma / x), sigmaY=max(0.2, sigma / y))
    if "moving" in wrong:
        reach, angle = rng.uniform(0.15, 0.85) * PITCH, rng.uniform(0, math.pi)
        half = 9
        kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
        for part in np.linspace(-0.5, 0.5, 25):
            u, v = half + part * reach * math.cos(angle), half + part * reach * math.sin(angle) * x / y
            column, row = math.floor(u), math.floor(v)
            for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
                share = (1 - abs(u - column - i)) * (1 - abs(v - row - j))
                kernel[row + j, column + i] += share
        seen = cv2.filter2D(seen, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    size = (max(16, round(width * x)), max(8, round(height * y)))
    small = cv2.resize(seen, size, interpolation=cv2.INTER_AREA if pitch < PITCH else cv2.INTER_LINEAR)
    if "dim" in wrong:
        dark = rng.uniform(0.06, 0.4)
        small = np.round(small * dark + rng.standard_normal(small.shape) * rng.uniform(0.3, 2.5))
        contrast *= dark
    if "noisy" in wrong:
        grain = rng.standard_normal(small.shape).astype(np.float32) * rng.uniform(0.03, 0.38) * contrast
        if rng.random() < 0.5:
            grain = 1.5 * cv2.GaussianBlur(grain, (0, 0), 0.7)
        small = small + grain
    small = np.clip(small, 0, 255)
    if "compressed" in wrong:
        shift = rng.integers(0, 8, 2)  # of the picture's blocks against the line
        padded = np.pad(small, ((int(shift[0]), 0), (int(shift[1]), 0)), mode="edge").astype(np.uint8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 50))]
        done, data = cv2.imencode(".jpg", padded, quality)
        assert done
        small = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)[int(shift[0]) :, int(shift[1]) :]
    method = cv2.INTER_CUBIC if rng.random() < 0.3 else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(small.astype(np.float32), (width, height), interpolation=method), dtype=np.float32
    )
