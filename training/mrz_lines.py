"""Synthetic lines of machine readable zones: what the recogniser of `training/mrz_recogniser.py` learns from.

Each sample is drawn the way it comes about: OCR-B ink on security paper, seen by a camera of some resolution,
sharpness and light, compressed, and cut out by a locator that is not exact. The cut has the shape that
`kiosk.mrz.recognise` gives the network: 32 pixels high, twice a capital's height, about 12.5 pixels a character.

    .venv/bin/python training/mrz_lines.py --out DIR --seed 1 --shards 400      (writes DIR/00000.npz, ...)
"""

from __future__ import annotations

import argparse
import math
import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from documents.mrz import ALPHABET

Grey = npt.NDArray[np.float32]

HEIGHT, WIDTH = 32, 640
CAP = 16.0  # pixels of a capital's height in the cut
PITCH = 12.5  # nominal pixels from character to character in the cut
SQUEEZE = PITCH / (CAP * 1.06)  # OCR-B: 2.54 mm from character to character, capitals of 2.4 mm
MOST = 44
SHARD = 512
MILD = 0.5  # of the samples: no glare, little blur, good contrast

FONTS = (
    ("/usr/share/fonts/opentype/ocr-b/OCRB.otf", 0.62),
    ("/usr/share/fonts/opentype/ocr-b/OCRBS.otf", 0.32),
    # Some specimens are set in whatever was at hand.
    ("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", 0.04),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf", 0.02),
)
OTHER_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSansCondensed.ttf",
)
DRAWN = 20  # pixels from character to character while drawing


@dataclass(frozen=True)
class Sample:
    """`image` (32, 640) uint8; `centres` in pixels along it; `labels` as places in ALPHABET. None: not a line."""

    image: npt.NDArray[np.uint8]
    centres: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]


@lru_cache(maxsize=8)
def _glyphs(path: str) -> tuple[npt.NDArray[np.float32], float]:
    """Every character of ALPHABET as ink (37, 60, 40) around its cell's middle, and the height of a capital."""
    font = ImageFont.truetype(path, 100)
    font = ImageFont.truetype(path, 100 * DRAWN / font.getlength("0"))
    cells = []
    top, bottom = font.getbbox("H", anchor="ms")[1], 0
    for character in ALPHABET:
        cell = Image.new("L", (40, 60))
        ImageDraw.Draw(cell).text((20, 30 - (top + bottom) / 2), character, font=font, fill=255, anchor="ms")
        cells.append(np.asarray(cell, dtype=np.float32) / 255)
    return np.stack(cells), float(bottom - top)


def _text(rng: random.Random, length: int) -> str:
    """Characters without meaning, so that the network learns shapes and not words; runs of fillers as in names."""
    kind = rng.random()
    if kind < 0.35:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    elif kind < 0.6:
        letters = "0123456789"
    else:
        letters = ALPHABET
    out = ""
    while len(out) < length:
        out += "".join(rng.choice(letters) for _ in range(rng.randint(1, 12)))
        if rng.random() < 0.6:
            out += "<" * rng.choice((1, 1, 1, 2, 2, 3, 5, 12))
        if rng.random() < 0.3:
            out += "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 8)))
    return out[:length]


def _lines(rng: random.Random) -> tuple[str, ...]:
    from documents.mrz.generate import generate

    if rng.random() < 0.45:
        return generate(rng).lines
    count, length = rng.choice(((2, 44), (2, 44), (2, 36), (3, 30)))
    return tuple(_text(rng, length) for _ in range(count))


def _noise(rng: np.random.Generator, height: int, width: int, cell: float) -> Grey:
    """Smooth noise of about unit size with details of `cell` pixels."""
    small = rng.standard_normal((max(2, round(height / cell) + 2), max(2, round(width / cell) + 2)))
    return np.asarray(cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC))


def _paper(rng: np.random.Generator, height: int, width: int) -> Grey:
    """Security paper between 0 and 1: tint, waves, stripes, other print underneath."""
    paper = np.full((height, width), rng.uniform(0.6, 1.0), np.float32)
    if rng.random() < 0.5:
        paper += rng.uniform(0.01, 0.08) * _noise(rng, height, width, rng.uniform(30, 200))
    if rng.random() < 0.35:
        paper += rng.uniform(0.01, 0.06) * _noise(rng, height, width, rng.uniform(1.5, 8))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(int(rng.choice((0, 0, 1, 1, 2, 3)))):
        angle, period = rng.uniform(0, math.pi), rng.uniform(3, 40)
        along = columns * math.cos(angle) + rows * math.sin(angle)
        across = rows * math.cos(angle) - columns * math.sin(angle)
        bend = rng.uniform(0, period * 1.5) * np.sin(across / rng.uniform(12, 90) + rng.uniform(0, 6))
        wave = np.sin((along + bend) * (2 * math.pi / period))
        if rng.random() < 0.6:
            wave = (wave > rng.uniform(0.2, 0.9)).astype(np.float32)
        paper -= rng.uniform(0.02, 0.22) * wave
    if rng.random() < 0.15:
        pen = (paper * 255).clip(0, 255).astype(np.uint8)
        for _ in range(int(rng.integers(1, 6))):
            ends = rng.integers(-20, (width + 20, height + 20), (2, 2))
            cv2.line(
                pen,
                ends[0].tolist(),
                ends[1].tolist(),
                int(rng.integers(90, 255)),
                int(rng.integers(1, 5)),
                cv2.LINE_AA,
            )
        paper = pen.astype(np.float32) / 255
    if rng.random() < 0.08:
        picture = Image.new("L", (width, height))
        font = ImageFont.truetype(OTHER_FONTS[int(rng.integers(4))], int(rng.integers(14, 90)))
        word = "".join(rng.choice(list("SPECIMENVOIDMUSTER "), int(rng.integers(4, 14))))
        ImageDraw.Draw(picture).text(
            (rng.uniform(-50, width / 2), rng.uniform(-30, height / 2)), word, font=font, fill=255
        )
        turned = picture.rotate(rng.uniform(-40, 40))
        paper -= rng.uniform(0.05, 0.35) * np.asarray(turned, dtype=np.float32) / 255
    if rng.random() < 0.2:
        edge = int(rng.integers(0, height // 5))
        paper[-edge - 1 :] = rng.uniform(0, 1)
        if rng.random() < 0.5:
            paper[: int(rng.integers(1, height // 5))] = rng.uniform(0, 1)
    return paper


def _other_text(rng: np.random.Generator, height: int, width: int, left: float, right: float) -> Grey:
    """Ink of ordinary print, a line where the zone would be: nothing to be read."""
    picture = Image.new("L", (width, height))
    pen = ImageDraw.Draw(picture)
    size = int(rng.integers(16, 34))
    font = ImageFont.truetype(OTHER_FONTS[int(rng.integers(4))], size)
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789    .,-/")
    for row in range(3):
        word = "".join(rng.choice(letters, int(rng.integers(3, 70))))
        pen.text(
            (left + rng.uniform(-30, 60), height / 2 + (row - 1) * size * rng.uniform(1.2, 2)),
            word,
            font=font,
            fill=255,
            anchor="lm",
        )
    return np.asarray(picture, dtype=np.float32) / 255


class Papers:
    """A pool of papers, each used many times, turned and mixed: drawing one takes longer than all the rest."""

    def __init__(self, rng: np.random.Generator, count: int = 300) -> None:
        self._rng = rng
        self._pool = [_paper(rng, 240, 1180) for _ in range(count)]

    def take(self, height: int, width: int) -> Grey:
        rng = self._rng
        if rng.random() < 0.1:
            self._pool[int(rng.integers(len(self._pool)))] = _paper(rng, 240, 1180)
        paper = self._pool[int(rng.integers(len(self._pool)))]
        paper = paper[:: int(rng.choice((-1, 1))), :: int(rng.choice((-1, 1)))]
        top, left = int(rng.integers(0, 241 - height)), int(rng.integers(0, 1181 - width))
        paper = paper[top : top + height, left : left + width]
        strength = rng.uniform(0.0, 1.0)
        mean = float(paper.mean())
        return mean + strength * (paper - mean)


def _spread(small: Grey, height: int, width: int) -> Grey:
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def make(rng: np.random.Generator, plain: random.Random, papers: Papers) -> Sample:
    mild = rng.random() < MILD  # as a kiosk's reader sees it; the rest is what telephones and the web make of it
    path = str(rng.choice([each[0] for each in FONTS], p=[each[1] for each in FONTS]))
    glyphs, cap = _glyphs(path)
    lines = _lines(plain)
    row = plain.randrange(len(lines))
    text = lines[row]
    count = len(text)

    # The ink, drawn upright at DRAWN pixels a character.
    margin_x, spacing = 5 * DRAWN, DRAWN * rng.uniform(2.05, 2.75)
    height, width = round(spacing * 2 + 90), round(count * DRAWN + 2 * margin_x)
    middle = height / 2
    ink = np.zeros((height, width), np.float32)
    stretch = rng.uniform(0.93, 1.07)  # the pitch against the glyphs
    step = DRAWN * stretch if count * DRAWN * stretch + margin_x < width else DRAWN
    centres = margin_x + DRAWN / 2 + step * np.arange(count)
    uneven = rng.uniform(0, 0.5) if rng.random() < 0.3 else 0.0
    negative = rng.random()
    if negative < 0.05:
        ink = _other_text(rng, height, width, margin_x, width - margin_x)
    else:
        for offset in range(-1, 2):
            if not 0 <= row + offset < len(lines):
                continue
            base = round(middle + offset * spacing)
            for place, character in enumerate(lines[row + offset]):
                x = round(centres[min(place, count - 1)] + rng.normal(0, uneven)) - 20
                y = base - 30 + (round(rng.normal(0, uneven)) if uneven else 0)
                if y < 0 or y + 60 > height or x < 0 or x + 40 > width:
                    continue
                cell = ink[y : y + 60, x : x + 40]
                np.maximum(cell, glyphs[ALPHABET.index(character)], out=cell)
        weight = rng.normal(0, 1.0)  # bold or thin
        if abs(weight) > 0.3:
            ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.8, 1.5))
            level = float(np.clip(0.5 - 0.17 * weight, 0.2, 0.72))
            ink = np.clip((ink - level) * rng.uniform(2, 5) + 0.5, 0, 1)
    if rng.random() < 0.15:  # worn ink
        ink *= np.clip(1.1 - rng.uniform(0.1, 0.7) * (_noise(rng, height, width, rng.uniform(2, 12)) > 0.9), 0, 1)
    if rng.random() < 0.1:
        ink *= np.clip(1 + rng.uniform(0.1, 0.35) * _noise(rng, height, width, rng.uniform(40, 150)), 0.2, 1.3)

    paper = papers.take(height, width)
    mean = float(paper.mean())
    dark = mean * (rng.uniform(0.0, 0.45) if mild or rng.random() < 0.7 else rng.uniform(0.45, 0.8))
    page = paper + ink * (np.minimum(dark + 0.3 * (paper - mean), paper) - paper)

    # Light: uneven, glare, hologram, shadow.
    if rng.random() < 0.4:
        page *= 1 + rng.uniform(0.05, 0.3) * _noise(rng, height, width, rng.uniform(100, 500))
    rows, columns = 4 * np.mgrid[0 : height // 4, 0 : width // 4].astype(np.float32)
    if not mild and rng.random() < 0.25:
        spot = np.array([rng.uniform(0, width), rng.uniform(0, height)])
        away = ((columns - spot[0]) / rng.uniform(40, 260)) ** 2 + ((rows - spot[1]) / rng.uniform(30, 140)) ** 2
        page += _spread(rng.uniform(0.2, 1.0) * np.exp(-away), height, width)
    if rng.random() < 0.12:
        side = columns * rng.uniform(-1, 1) + rows * rng.uniform(-1, 1)
        edge = rng.uniform(float(side.min()), float(side.max()))
        page *= _spread(
            1 - rng.uniform(0.2, 0.6) / (1 + np.exp(np.clip((edge - side) / rng.uniform(1, 30), -50, 50))),
            height,
            width,
        )

    # The camera: resolution, sharpness, noise, compression.
    seen = float(np.exp(rng.uniform(math.log(5.5 if mild else 4.6), math.log(21))))  # pixels a character
    scale = seen / DRAWN
    turn = rng.uniform(-12, 12) if rng.random() < 0.3 else rng.uniform(-1.5, 1.5)
    small_width, small_height = round(width * scale), round(height * scale)
    tilt = rng.uniform(-0.12, 0.12) if rng.random() < 0.35 else 0.0  # one end is nearer
    slant = rng.normal(0, 0.04)
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    target = source.copy()
    target[[0, 3], 1] += (source[[0, 3], 1] - middle) * tilt
    target[[1, 2], 1] -= (source[[1, 2], 1] - middle) * tilt
    target[[0, 1], 0] += slant * middle
    target[[2, 3], 0] -= slant * middle
    radians = math.radians(turn)
    grown = abs(math.sin(radians)) * width * scale + 8
    rotation = np.array([[math.cos(radians), -math.sin(radians)], [math.sin(radians), math.cos(radians)]])
    target = ((target - [width / 2, middle]) * scale) @ rotation.T + [small_width / 2, (small_height + grown) / 2]
    to_camera = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    size = (small_width, round(small_height + grown))
    if scale < 1:
        page = cv2.GaussianBlur(page, (0, 0), 0.45 / scale * rng.uniform(0.6, 1.2))
    seen_page = cv2.warpPerspective(page, to_camera, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    blurred = rng.random() * (0.55 if not mild else 1.0)
    if mild and blurred < 0.45:
        seen_page = cv2.GaussianBlur(seen_page, (0, 0), max(0.15, rng.uniform(0.0, 0.14) * seen))
    elif blurred < 0.45:
        sigma = rng.uniform(0.0, 0.3) ** 1.3 * 1.4 * seen
        seen_page = cv2.GaussianBlur(seen_page, (0, 0), max(0.15, min(sigma, 2.6)))
    elif blurred < 0.55 and not mild:
        reach = max(2, round(rng.uniform(0.1, 0.5) * seen))
        angle = rng.uniform(0, math.pi)
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        away = (reach * np.array([math.cos(angle), math.sin(angle)]) / 2).round().astype(int)
        cv2.line(kernel, (reach - away[0], reach - away[1]), (reach + away[0], reach + away[1]), 1.0, 1)
        seen_page = cv2.filter2D(seen_page, -1, kernel / kernel.sum())
    exposure = rng.uniform(0.12, 0.4) if rng.random() < 0.1 else rng.uniform(0.6, 1.1)
    seen_page = np.clip(seen_page, 0, 1.15) ** rng.uniform(0.7, 1.4) * exposure
    if rng.random() < 0.6:
        seen_page = seen_page + rng.standard_normal(seen_page.shape, dtype=np.float32) * np.float32(
            rng.uniform(0.05, 0.22) ** 2 * exposure
        )
    if rng.random() < 0.15:  # a sharpened scan, or a thumbnail of one
        soft = cv2.GaussianBlur(seen_page, (0, 0), rng.uniform(0.7, 1.6))
        seen_page = seen_page + rng.uniform(0.5, 1.8) * (seen_page - soft)
    if rng.random() < 0.05:
        level = cv2.GaussianBlur(seen_page, (0, 0), seen * 1.5) * rng.uniform(0.8, 0.97)
        seen_page = (seen_page > level).astype(np.float32) * 0.9
    picture = (seen_page * 255).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        quality = int(rng.integers(12, 50)) if rng.random() < 0.4 else int(rng.integers(50, 96))
        picture = cv2.imdecode(
            cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE
        )
    if rng.random() < 0.02:
        picture = 255 - picture

    # The cut: as a locator gives it that misses a little in place, size, angle and bend.
    points = np.stack([centres, np.full(count, middle)], 1).astype(np.float32)[None]
    ends = cv2.perspectiveTransform(points, to_camera)[0]
    start, end = ends[0], ends[-1]
    along = (end - start) / max(1e-6, float(np.hypot(*(end - start))))
    normal = np.array([-along[1], along[0]])
    true_cap = cap * scale
    wrong = 1 + rng.normal(0, 0.07)
    guessed = true_cap * float(np.clip(wrong, 0.8, 1.25))
    per_y = guessed / CAP
    per_x = per_y / SQUEEZE * rng.uniform(0.9, 1.1)
    lead = rng.uniform(10, 34)  # pixels of the cut before the first character's middle
    offset = rng.normal(0, 0.09) * true_cap
    lean = rng.normal(0, 0.006)
    bend = rng.normal(0, 0.06) * true_cap if rng.random() < 0.4 else 0.0
    xs = np.arange(WIDTH, dtype=np.float64)
    length = float(np.hypot(*(end - start)))
    run = (xs - lead) * per_x
    rise = offset + lean * (run - length / 2) + bend * np.cos(np.clip(run / max(length, 1), 0, 1) * 2 * math.pi)
    ys = (np.arange(HEIGHT) - HEIGHT / 2 + 0.5) * per_y
    map_x = start[0] + run[None] * along[0] + (ys[:, None] + rise[None]) * normal[0]
    map_y = start[1] + run[None] * along[1] + (ys[:, None] + rise[None]) * normal[1]
    if per_y > 1.6:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.35 * per_y)
    upside_down = 0.05 <= negative < 0.12
    method = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
    cut = cv2.remap(
        picture, map_x.astype(np.float32), map_y.astype(np.float32), method, borderMode=cv2.BORDER_REPLICATE
    )
    places = ((ends - start) @ along) / per_x + lead
    inside = (places > 3) & (places < WIDTH - 3)
    labels = np.array([ALPHABET.index(character) for character in text])
    if negative < 0.12:
        inside[:] = False
    if upside_down:
        cut = np.ascontiguousarray(cut[::-1, ::-1])
    return Sample(cut, places[inside].astype(np.float32), labels[inside])


def shard(seed: int) -> dict[str, npt.NDArray[np.generic]]:
    """SHARD samples as arrays: images (n, 32, 640), centres (n, 44) with nan behind the last, labels (n, 44)."""
    rng, plain = np.random.default_rng(seed), random.Random(seed)
    papers = Papers(rng, 40)
    images = np.zeros((SHARD, HEIGHT, WIDTH), np.uint8)
    centres = np.full((SHARD, MOST), np.nan, np.float32)
    labels = np.zeros((SHARD, MOST), np.int64)
    for at in range(SHARD):
        sample = make(rng, plain, papers)
        images[at] = sample.image
        centres[at, : len(sample.centres)] = sample.centres
        labels[at, : len(sample.labels)] = sample.labels
    return {"images": images, "centres": centres, "labels": labels.astype(np.uint8)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    parser.add_argument("--shards", type=int, default=400)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    for number in range(options.first, options.first + options.shards):
        part = options.out / f"{number:05d}.part"
        with part.open("wb") as file:
            np.savez(file, **shard(options.seed * 1_000_003 + number))
        part.rename(options.out / f"{number:05d}.npz")


if __name__ == "__main__":
    main()
