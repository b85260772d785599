"""Pictures of travel documents that never were, with the place of every line of their machine readable zone.

A page has a template (what is printed where, with which security print) and a degradation (how it lies, what it
lies on, how it was photographed). Both are functions of seeds. Every fifth template, the degradations with it, the
backgrounds and some of the fonts behind it are held back: training never sees them (`held_back=True`).

    .venv/bin/python -m training.mrz_pages --out DIR --count 1000 --seed 1

from the root of the repository writes that many held-back documents and `manifest.json`, as `corridor evaluate
mrz` reads it. The same seed gives the same pictures. Needs Debian's fonts-ocr-b, fonts-dejavu and fonts-noto-core.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import random
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from contracts.party import DocumentFormat
from documents.mrz.generate import generate

Grey = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Rng = np.random.Generator

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
OCR_B = (Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf"), Path("/usr/share/fonts/opentype/ocr-b/OCRBS.otf"))
MONOSPACED = tuple(
    Path("/usr/share/fonts/truetype/dejavu") / f"{name}.ttf" for name in ("DejaVuSansMono", "DejaVuSansMono-Bold")
)
CAP = 36  # pixels of a capital letter in the printing block, which is drawn large once and made smaller after
HELD_BACK_SHARE = 5  # every fifth template
CENTRES = 12  # points along a line that are carried through every bend of the page

SIZES = {  # millimetres, 9303-4 to -7
    DocumentFormat.TD1: (85.6, 54.0),
    DocumentFormat.TD2: (105.0, 74.0),
    DocumentFormat.TD3: (125.0, 88.0),
    DocumentFormat.MRV_A: (120.0, 80.0),
    DocumentFormat.MRV_B: (105.0, 74.0),
}


@dataclass(frozen=True)
class Line:
    """One printed line: its text and its edges as (CENTRES, 2) points in pixels, from the first character's left
    side to the last one's right, along the reading direction. `top` and `bottom` bound the capital letters."""

    text: str
    top: Points
    bottom: Points

    @property
    def centre(self) -> Points:
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        """Of a capital letter, pixels, mean along the line."""
        return float(np.linalg.norm(self.top - self.bottom, axis=1).mean())

    @property
    def pitch(self) -> float:
        """From one character to the next, pixels."""
        return float(np.linalg.norm(np.diff(self.centre, axis=0), axis=1).sum()) / len(self.text)


@dataclass(frozen=True)
class Page:
    """A grey picture, the zones in it (each a tuple of lines, top first), and what was done to it.

    `readable`: one whole zone, sharp, bright and large enough that a good reader should get every character.
    """

    image: Grey
    zones: tuple[tuple[Line, ...], ...]
    format: DocumentFormat | None
    template: int
    readable: bool
    degradations: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for zone in self.zones for line in zone)


# -- textures and backgrounds, drawn once --


def _fractal(rng: Rng, height: int, width: int, coarsest: int = 3, octaves: int = 6, fall: float = 0.55) -> Grey:
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = coarsest * 2**octave
        grid = rng.normal(size=(cells, cells)).astype(np.float32) * fall**octave
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.normalize(total, None, 0, 255, cv2.NORM_MINMAX)).astype(np.uint8)


def _texture(rng: Rng, side: int = 900) -> Grey:
    """Security print, mean about 128: guilloche, waves, stripes, dots, microtext, noise."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    kind = rng.integers(7)
    if kind == 0:  # fine guilloche lines
        wave = 0.0
        for _ in range(3):
            a, f, p = rng.uniform(8, 50), rng.uniform(0.004, 0.03), rng.uniform(0, 6.3)
            wave = wave + a * np.sin(f * x + p) * np.cos(rng.uniform(0.001, 0.01) * y)
        phase = (y + wave) * (2 * np.pi / rng.uniform(5, 22))
        image = np.abs(np.sin(phase)) ** rng.uniform(0.3, 1.5) * 255
    elif kind == 1:  # rosettes
        image = np.zeros((side, side), np.float32)
        for _ in range(5):
            cx, cy = rng.uniform(0, side, 2)
            r, t = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)
            bend = rng.uniform(6, 40) * np.sin(rng.integers(4, 14) * t)
            image += np.sin((r + bend) * (2 * np.pi / rng.uniform(7, 25)))
        image = (image / np.abs(image).max() + 1) * 127
    elif kind == 2:  # stripes
        angle = rng.uniform(0, np.pi)
        phase = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / rng.uniform(4, 40))
        image = (np.sin(phase) > rng.uniform(-0.6, 0.6)) * 255.0
    elif kind == 3:  # dots or hatching
        p, q = rng.uniform(5, 18, 2)
        image = ((np.sin(x * 6.28 / p) * np.sin(y * 6.28 / q)) > rng.uniform(0, 0.6)) * 255.0
    elif kind == 4:
        image = _fractal(rng, side, side, octaves=8, fall=0.75).astype(np.float32)
    elif kind == 5:  # microtext
        canvas = Image.new("L", (side, side), 255)
        draw = ImageDraw.Draw(canvas)
        font, step = _font(str(_FONTS[int(rng.integers(4))]), int(rng.integers(7, 14))), int(rng.integers(9, 20))
        word = _word(rng, 4, 12) + " "
        for top in range(0, side, step):
            draw.text((-int(rng.integers(60)), top), word * 40, font=font, fill=0)
        image = np.asarray(canvas, np.float32)
    else:  # blobs
        image = (_fractal(rng, side, side, coarsest=6, octaves=4).astype(np.float32) > 128) * 255.0
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(1, 8)))
    image = np.asarray(image, np.float32)
    image += 128 - image.mean()
    return np.clip(image, 0, 255).astype(np.uint8)


def _text_block(rng: Rng, height: int, width: int, paper: int, ink: int) -> Grey:
    """A printed page of running text."""
    canvas = Image.new("L", (width, height), paper)
    draw = ImageDraw.Draw(canvas)
    size = int(rng.integers(9, 30))
    mono = rng.random() < 0.3
    path = OCR_B[0] if mono and rng.random() < 0.3 else _FONTS[int(rng.integers(len(_FONTS)))]
    font = _font(str(path), size)
    margin, y = int(rng.integers(4, 40)), int(rng.integers(0, 30))
    while y < height:
        words = " ".join(_word(rng, 1, 10, upper=bool(rng.random() < 0.15)) for _ in range(width // (size * 2)))
        draw.text((margin, y), words[: int(rng.integers(8, 200))], font=font, fill=ink)
        y += int(size * rng.uniform(1.15, 1.7)) + (size * 2 if rng.random() < 0.1 else 0)
    return np.asarray(canvas, np.uint8).copy()


def _keyboard(rng: Rng, height: int, width: int) -> Grey:
    image = np.full((height, width), int(rng.integers(10, 120)), np.uint8)
    key = int(rng.integers(26, 70))
    tone, ink = int(rng.integers(0, 256)), int(rng.integers(0, 256))
    for row, y in enumerate(range(3, height, key)):
        for x in range(3 + row * key // 3 % key, width, key):
            cv2.rectangle(image, (x, y), (x + key - 6, y + key - 6), tone, -1)
            character = ALPHABET[int(rng.integers(36))]
            cv2.putText(image, character, (x + 5, y + key // 2), cv2.FONT_HERSHEY_SIMPLEX, key / 70, ink, 1)
    return image


def _background(rng: Rng, side: int = 1300) -> Grey:
    kind = rng.integers(9)
    base = int(rng.integers(10, 245))
    if kind == 0:
        return np.full((side, side), base, np.uint8)
    if kind == 1:  # a scanner's glass: dark, or a white lid
        image = cv2.convertScaleAbs(_fractal(rng, side, side), alpha=0.1, beta=int(rng.choice([4, 15, 30, 225])))
        return np.asarray(image)
    if kind == 2:  # wood
        grain = np.asarray(cv2.resize(_fractal(rng, side, 40, coarsest=20), (side, side)))
        image = cv2.addWeighted(grain, rng.uniform(0.1, 0.4), _fractal(rng, side, side), 0.1, base * 0.6)
        return np.asarray(np.rot90(image) if rng.random() < 0.5 else image)
    if kind == 3:
        ramp = np.linspace(0, 1, side, dtype=np.float32)
        image = base + rng.uniform(-90, 90) * ramp[:, None] + rng.uniform(-90, 90) * ramp[None]
        return np.clip(image, 0, 255).astype(np.uint8)
    if kind == 4:  # a landscape, cloth
        return _fractal(rng, side, side, coarsest=int(rng.integers(2, 30)), octaves=6, fall=rng.uniform(0.4, 0.9))
    if kind == 5:
        return np.asarray(cv2.resize(_texture(rng), (side, side)))
    image = np.asarray(
        cv2.convertScaleAbs(_fractal(rng, side, side), alpha=rng.uniform(0.05, 0.4), beta=base * 0.7)
    )
    for _ in range(int(rng.integers(6, 22))):  # a cluttered desk: printed pages, books, keyboards, cables, coins
        h, w = (int(v) for v in rng.integers(120, 700, 2))
        thing, paper = rng.integers(6), int(rng.integers(90, 256))
        if thing <= 2:
            ink = int(rng.integers(0, 70)) if paper > 120 else 250
            piece = _text_block(rng, h, w, paper, ink)
        elif thing == 3:
            piece = _keyboard(rng, h, w)
        elif thing == 4:
            piece = np.full((h, w), paper, np.uint8)
            cv2.putText(piece, _word(rng, 3, 9), (9, h // 2), cv2.FONT_HERSHEY_DUPLEX, w / 200, 255 - paper, 3)
        else:
            piece = _barcode(rng, h, w)
        angle = float(rng.choice([0, 90, rng.uniform(0, 360)]))
        matrix = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1.0)
        matrix[:, 2] += rng.uniform(-100, side - 100, 2)
        cv2.warpAffine(piece, matrix, (side, side), dst=image, borderMode=cv2.BORDER_TRANSPARENT)
        if rng.random() < 0.5:
            line = rng.integers(0, side, (4, 2)).astype(np.int32)
            cv2.polylines(image, [line], False, int(rng.integers(256)), int(rng.integers(2, 16)), cv2.LINE_AA)
            centre, tone = tuple(int(v) for v in rng.integers(0, side, 2)), int(rng.integers(256))
            cv2.circle(image, centre, int(rng.integers(8, 60)), tone, -1, cv2.LINE_AA)
    return image


def _barcode(rng: Rng, height: int, width: int) -> Grey:
    """Bars, or blocks in rows as a PDF417 has them: as regular as a zone, and none."""
    module = int(rng.integers(1, 5))
    rows = 1 if rng.random() < 0.4 else max(2, height // int(rng.integers(4, 12)))
    bits = rng.integers(0, 2, (rows, max(8, width // module))).astype(np.uint8)
    paper, ink = int(rng.integers(170, 256)), int(rng.integers(0, 80))
    return np.asarray(
        cv2.resize(np.where(bits, ink, paper).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    )


def _fonts() -> tuple[Path, ...]:
    dejavu = sorted(Path("/usr/share/fonts/truetype/dejavu").glob("DejaVuS*.ttf"))
    noto = [Path("/usr/share/fonts/truetype/noto") / f"Noto{name}.ttf" for name in (
        "Sans-Regular", "Sans-Bold", "Sans-BoldItalic", "Serif-Regular", "Serif-Bold", "SansMono-Regular",
        "SansMono-Bold", "SansDisplay-Regular", "SerifDisplay-Regular",
    )]  # fmt: skip
    return (*dejavu, *(path for path in noto if path.exists()))


_FONTS = _fonts()


@functools.lru_cache(maxsize=2000)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


_SYLLABLES = ("KA", "RO", "MI", "TE", "LU", "SAN", "BER", "DO", "VI", "NEL", "GRA", "PO", "CHE", "ZU", "AN", "HOL")


def _word(rng: Rng, shortest: int, longest: int, upper: bool = True) -> str:
    if rng.random() < 0.12:
        return str(int(rng.integers(10 ** int(rng.integers(1, 9)))))
    word = "".join(_SYLLABLES[int(i)] for i in rng.integers(0, len(_SYLLABLES), 5))
    word = word[: max(1, int(rng.integers(shortest, longest + 1)))]
    return word if upper else word.lower()


class Pool:
    """Textures and backgrounds, seeded; those held back are others than those of training."""

    def __init__(self, held_back: bool, textures: int = 48, backgrounds: int = 40) -> None:
        seed = 7_000_000 if held_back else 1
        self.textures = [_texture(np.random.default_rng([seed, 1, index])) for index in range(textures)]
        self.backgrounds = [_background(np.random.default_rng([seed, 2, index])) for index in range(backgrounds)]
        # Specimens on web pages are often typed in what was at hand; a locator should not mind.
        self.other_typefaces = 0.0 if held_back else 0.2
        self.fonts = _FONTS[::4] if held_back else tuple(f for i, f in enumerate(_FONTS) if i % 4)

    def texture(self, rng: Rng, height: int, width: int) -> Grey:
        source = self.textures[int(rng.integers(len(self.textures)))]
        zoom = rng.uniform(0.5, 1.6)
        h, w = min(900, int(height / zoom) + 1), min(900, int(width / zoom) + 1)
        y, x = int(rng.integers(0, 901 - h)), int(rng.integers(0, 901 - w))
        piece = source[y : y + h, x : x + w]
        piece = piece[:: int(rng.choice([-1, 1])), :: int(rng.choice([-1, 1]))]
        return np.asarray(cv2.resize(piece, (width, height), interpolation=cv2.INTER_LINEAR))

    def background(self, rng: Rng, height: int, width: int) -> Grey:
        source = np.rot90(self.backgrounds[int(rng.integers(len(self.backgrounds)))], int(rng.integers(4)))
        share = rng.uniform(0.4, 1.0)
        scale = share * 1300 / max(height, width)
        h, w = int(height * scale), int(width * scale)
        y, x = int(rng.integers(0, 1301 - h)), int(rng.integers(0, 1301 - w))
        method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(source[y : y + h, x : x + w], (width, height), interpolation=method))


# -- printing a document --


@functools.lru_cache(maxsize=8)
def _glyphs(path: str) -> dict[str, Grey]:
    """Each character as ink (255) on nothing, `CAP` high in a cell of CAP × 3 / 2 rows."""
    size = CAP
    while _font(path, size).getbbox("H")[3] - _font(path, size).getbbox("H")[1] < CAP:
        size += 1
    font = _font(path, size)
    top = font.getbbox("H")[1]
    glyphs = {}
    for character in ALPHABET:
        cell = Image.new("L", (CAP * 3 // 2, CAP * 3 // 2), 0)
        left, _, right, _ = font.getbbox(character)
        position = ((CAP * 3 // 2 - (right - left)) // 2 - left, CAP // 4 - top)
        ImageDraw.Draw(cell).text(position, character, font=font, fill=255)
        glyphs[character] = np.asarray(cell, np.uint8)
    return glyphs


@dataclass
class _Canvas:
    """A document being printed: grey picture, millimetres to pixels, and the lines so far in canvas pixels."""

    image: Grey
    scale: float
    zones: list[tuple[Line, ...]]

    def box(self, x: float, y: float, w: float, h: float) -> tuple[slice, slice]:
        s, (height, width) = self.scale, self.image.shape
        left, top = (min(max(0, round(v * s)), m - 1) for v, m in ((x, width), (y, height)))
        right, bottom = (
            min(width, max(left + 1, round((x + w) * s))),
            min(height, max(top + 1, round((y + h) * s))),
        )
        return slice(top, bottom), slice(left, right)

    def text(self, at: tuple[float, float], text: str, mm: float, path: Path | str, ink: int) -> None:
        """Print `text` with its top left corner at `at`; `mm` is the size of the type."""
        s = self.scale
        font = _font(str(path), max(5, round(mm * s)))
        x, y = round(at[0] * s), round(at[1] * s)
        width, height = min(self.image.shape[1] - x, int(font.getlength(text)) + 3), round(mm * s * 1.5) + 3
        height = min(height, self.image.shape[0] - y)
        if x < 0 or y < 0 or width < 3 or height < 3:
            return
        tile = Image.fromarray(self.image[y : y + height, x : x + width])
        ImageDraw.Draw(tile).text((0, 0), text, font=font, fill=ink)
        self.image[y : y + height, x : x + width] = np.asarray(tile)


def _print_zone(
    canvas: _Canvas, rng: Rng, lines: tuple[str, ...], left: float, top: float, room: float, typeface: Path,
    *, inkless: bool = False,
) -> None:  # fmt: skip
    """Print the lines of a zone `room` millimetres wide from (left, top), in one of the printers' manners.

    `inkless`: the same zone in the same place, but nothing reaches the paper.
    """
    glyphs = _glyphs(str(typeface))
    count = len(lines[0])
    pitch_mm = min(2.54 * rng.uniform(0.92, 1.04), room / count)
    cap_mm = pitch_mm * (rng.uniform(0.86, 1.06) if rng.random() < 0.75 else rng.uniform(0.65, 1.1))
    spacing_mm = pitch_mm * rng.uniform(2.1, 2.95) if rng.random() < 0.85 else pitch_mm * rng.uniform(1.6, 3.3)
    pitch = round(CAP * pitch_mm / cap_mm)
    spacing = round(CAP * spacing_mm / cap_mm)
    margin, cell = CAP, CAP * 3 // 2
    block = np.zeros((2 * margin + spacing * (len(lines) - 1) + cell, 2 * margin + pitch * count), np.uint8)
    offset = (pitch - cell) // 2
    jitter = rng.integers(0, 3) if rng.random() < 0.15 else 0
    for row, text in enumerate(lines):
        for column, character in enumerate(text):
            x = margin + column * pitch + offset
            y = margin + row * spacing - CAP // 4
            if jitter:
                y += int(rng.integers(-jitter, jitter + 1))
            part = block[y : y + cell, x : x + cell]
            np.maximum(part, glyphs[character], out=part)
    weight = rng.integers(-3, 4)
    if weight > 1:
        block = np.asarray(cv2.dilate(block, np.ones((weight, weight), np.uint8)))
    elif weight < -1:
        block = np.asarray(cv2.erode(block, np.ones((2, 2), np.uint8)))
    slant = rng.uniform(-0.12, 0.12) if rng.random() < 0.15 else 0.0
    if slant:
        shear = np.array([[1, slant, -slant * block.shape[0] / 2], [0, 1, 0]])
        block = np.asarray(cv2.warpAffine(block, shear, (block.shape[1], block.shape[0])))
    if rng.random() < 0.2:  # worn or badly inked
        holes = _fractal(rng, block.shape[0], block.shape[1], coarsest=12, octaves=4, fall=0.9)
        block = np.where(holes > rng.integers(170, 225), block // int(rng.integers(2, 5)), block)
    zoom = cap_mm * canvas.scale / CAP
    size = (max(1, round(block.shape[1] * zoom)), max(1, round(block.shape[0] * zoom)))
    small = cv2.resize(block, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    zx, zy = size[0] / block.shape[1], size[1] / block.shape[0]
    x0, y0 = round(left * canvas.scale - margin * zx), round(top * canvas.scale - margin * zy)
    ys, xs = max(0, -y0), max(0, -x0)
    ye = min(small.shape[0], canvas.image.shape[0] - y0)
    xe = min(small.shape[1], canvas.image.shape[1] - x0)
    small = small[ys:ye, xs:xe]
    target = canvas.image[y0 + ys : y0 + ye, x0 + xs : x0 + xe]
    paper = float(target.mean())
    ink = max(0.0, paper - rng.uniform(45, 255)) if rng.random() < 0.4 else rng.uniform(0, 60)
    ink = min(ink, paper - 40)
    if not inkless:
        target[:] = np.clip(target * (1 - small) + ink * small, 0, 255).astype(np.uint8)
    along = np.linspace(0, pitch * count, CENTRES) * zx
    printed = []
    for row, text in enumerate(lines):
        y = (margin + row * spacing) * zy
        lean = slant * (margin + row * spacing + CAP / 2 - block.shape[0] / 2)
        x = margin * zx + along + lean * zx
        edges = [np.stack([x + x0, np.full(CENTRES, y + y0 + extra)], axis=1) for extra in (0.0, CAP * zy)]
        printed.append(Line(text, edges[0], edges[1]))
    canvas.zones.append(tuple(printed))


def _portrait(rng: Rng, height: int, width: int) -> Grey:
    """A head as far as a locator cares: smooth ovals, and noise."""
    image = np.full((height, width), int(rng.integers(120, 250)), np.uint8)
    skin, hair = int(rng.integers(70, 220)), int(rng.integers(10, 190))
    cx, cy = width // 2, int(height * 0.45)
    cv2.ellipse(image, (cx, height), (int(width * 0.48), int(height * 0.3)), 0, 0, 360, hair // 2 + 40, -1)
    cv2.ellipse(image, (cx, cy - height // 14), (int(width * 0.33), int(height * 0.34)), 0, 0, 360, hair, -1)
    cv2.ellipse(image, (cx, cy), (int(width * 0.26), int(height * 0.31)), 0, 0, 360, skin, -1)
    for side in (-1, 1):
        eye = (cx + side * width // 9, cy - height // 20)
        cv2.ellipse(image, eye, (max(1, width // 20), max(1, height // 60)), 0, 0, 360, skin // 3, -1)
    cv2.ellipse(
        image, (cx, cy + height // 7), (max(1, width // 10), max(1, height // 70)), 0, 0, 360, skin // 2, -1
    )
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.6, width / 90)))
    noise = _fractal(rng, height, width, coarsest=5, octaves=5, fall=0.8)
    return np.asarray(cv2.addWeighted(image, 0.85, noise, 0.15, 0))


def _blend(target: Grey, layer: Grey, amount: float) -> None:
    """Add `layer` (128 = nothing) to a part of a picture."""
    target[:] = cv2.addWeighted(target, 1.0, layer, amount, -128.0 * amount)


def _visual_zone(
    canvas: _Canvas, style: Rng, rng: Rng, pool: Pool, box: tuple[float, float, float, float]
) -> None:
    """What stands above the zone. `style` is the template's, `rng` this document's."""
    x, y, w, h = box
    ink = int(style.integers(0, 80))
    fonts = [pool.fonts[int(i)] for i in style.integers(0, len(pool.fonts), 3)]
    value_font: Path | str = OCR_B[0] if style.random() < 0.15 else fonts[1]
    header = style.uniform(2.4, 6.0)
    for at in (0.02, style.uniform(0.35, 0.6)):
        words = " ".join(_word(style, 3, 10) for _ in range(int(style.integers(1, 4))))
        canvas.text((x + at * w, y + 1), words, header, fonts[0], ink)
    photo_w = style.uniform(0.2, 0.33) * w
    photo_h = min(h * 0.75, photo_w * style.uniform(1.15, 1.4))
    on_left = style.random() < 0.75
    photo_x = x + (style.uniform(0.01, 0.05) * w if on_left else w * 0.97 - photo_w)
    photo_y = y + h - photo_h - style.uniform(0, 0.1) * h
    if style.random() < 0.93:
        rows, columns = canvas.box(photo_x, photo_y, photo_w, photo_h)
        size = canvas.image[rows, columns].shape
        canvas.image[rows, columns] = _portrait(rng, size[0], size[1])
    field_x = photo_x + photo_w + 3 if on_left else x + 2
    field_end = x + w - 2 if on_left else photo_x - 2
    value, label = style.uniform(2.0, 3.8), style.uniform(1.2, 2.2)
    row_y, step = y + header + 3, style.uniform(0.9, 1.6) * (value + label)
    labels, bold = style.random() < 0.85, int(style.integers(0, 60))
    columns_of_fields = int(style.integers(1, 4))
    while row_y < y + h - value - label:
        for column in range(columns_of_fields):
            if style.random() < 0.15:
                continue
            column_x = field_x + (field_end - field_x) * column / columns_of_fields
            if labels:
                words = " / ".join(_word(style, 2, 9, upper=False) for _ in range(int(style.integers(1, 4))))
                canvas.text((column_x, row_y), words, label, fonts[2], min(200, ink + 40))
            words = " ".join(_word(rng, 2, 9) for _ in range(int(rng.integers(1, 4))))
            room = max(3, int((field_end - field_x) / columns_of_fields / value * 1.7))
            canvas.text((column_x, row_y + label * labels * 1.1), words[:room], value, value_font, bold)
        row_y += step
    extras = style.random(5)
    if extras[0] < 0.35:  # ghost portrait, emblem
        rows, columns = canvas.box(
            x + style.uniform(0.5, 0.8) * w, y + style.uniform(0.1, 0.5) * h, w * 0.15, h * 0.4
        )
        part = canvas.image[rows, columns]
        _blend(part, _portrait(rng, part.shape[0], part.shape[1]), style.uniform(0.15, 0.5))
    if extras[1] < 0.4:  # signature
        points = np.cumsum(rng.normal([1.2, 0], [1.5, 2.2], (30, 2)), axis=0)
        points = (
            points * [0.5, 0.6] + [field_x + rng.uniform(0, 20), y + h * rng.uniform(0.6, 0.95)]
        ) * canvas.scale
        cv2.polylines(
            canvas.image, [points.astype(np.int32)], False, bold, max(1, round(canvas.scale / 4)), cv2.LINE_AA
        )
    if extras[2] < 0.22:
        bw, bh = style.uniform(0.3, 0.7) * (field_end - field_x), style.uniform(4, 14)
        rows, columns = canvas.box(field_x + style.uniform(0, 5), y + h - bh - style.uniform(0, h * 0.3), bw, bh)
        size = canvas.image[rows, columns].shape
        canvas.image[rows, columns] = _barcode(rng, size[0], size[1])
    if extras[3] < 0.3:
        centre = (round((x + style.uniform(0.3, 0.9) * w) * canvas.scale), round((y + h * 0.4) * canvas.scale))
        radius = round(style.uniform(4, 12) * canvas.scale)
        cv2.circle(canvas.image, centre, radius, int(style.integers(60, 255)), -1 if style.random() < 0.3 else 2)


def _overprint(canvas: _Canvas, rng: Rng, pool: Pool) -> None:
    """Stamps, SPECIMEN, holograms, creases: what comes over print, and over the zone."""
    image, s = canvas.image, canvas.scale
    height, width = image.shape
    chance = rng.random(5)
    if chance[0] < 0.2:
        word = str(rng.choice(["SPECIMEN", "SPECIMEN", "MUSTER", "VOID", "SAMPLE", "VZOR"]))
        font = _font(str(pool.fonts[int(rng.integers(len(pool.fonts)))]), int(height * rng.uniform(0.1, 0.3)))
        tile = Image.new("L", (width, height), 0)
        at = (int(width * rng.uniform(0, 0.3)), int(height * rng.uniform(0.1, 0.75)))
        ImageDraw.Draw(tile).text(at, word, font=font, fill=255)
        angle = rng.uniform(-35, 35) if rng.random() < 0.7 else 0
        turned = cv2.warpAffine(
            np.asarray(tile), cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1), (width, height)
        )
        strength = rng.uniform(0.2, 0.7)
        tone = rng.uniform(60, 140)
        mask = turned.astype(np.float32) / 255 * strength
        # red or translucent ink: print below stays darker
        image[:] = np.minimum(image, np.clip(image * (1 - mask) + tone * mask, 0, 255)).astype(np.uint8)
    if chance[1] < 0.12:  # stamp
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0.2, 1) * height))
        radius, tone = int(rng.uniform(6, 16) * s), int(rng.integers(40, 150))
        cv2.circle(image, centre, radius, tone, max(1, round(s * 0.5)), cv2.LINE_AA)
        cv2.circle(image, centre, int(radius * 0.7), tone, 1, cv2.LINE_AA)
        words = (centre[0] - radius // 2, centre[1])
        cv2.putText(image, _word(rng, 3, 7), words, cv2.FONT_HERSHEY_DUPLEX, s / 9, tone, 1, cv2.LINE_AA)
    if chance[2] < 0.25:  # hologram: a bright pattern with soft edges
        w, h = int(rng.uniform(0.15, 0.7) * width), int(rng.uniform(0.2, 0.7) * height)
        x, y = int(rng.uniform(0, width - w)), int(rng.uniform(0, height - h))
        mask = np.zeros((h, w), np.float32)
        cv2.ellipse(mask, (w // 2, h // 2), (int(w * 0.4), int(h * 0.4)), 0, 0, 360, 1.0, -1)
        mask = np.asarray(cv2.blur(mask, (w // 8 + 1, h // 8 + 1))) * rng.uniform(0.2, 0.7)
        layer = pool.texture(rng, h, w).astype(np.float32) - 128 + rng.uniform(-20, 60)
        part = image[y : y + h, x : x + w]
        part[:] = np.clip(part + layer * mask, 0, 255).astype(np.uint8)
    if chance[3] < 0.15:  # creases
        for _ in range(int(rng.integers(1, 5))):
            a, b = (tuple(int(v) for v in rng.uniform(0, [width, height])) for _ in range(2))
            tone = int(rng.choice([30, 90, 220, 255]))
            cv2.line(image, a, b, tone, int(rng.integers(1, 3)), cv2.LINE_AA)
    if chance[4] < 0.1:  # a holder's dots, perforation
        x0, y0, step = rng.uniform(0, width), rng.uniform(0, height), s * rng.uniform(1.5, 3)
        for index in range(9):
            cv2.circle(image, (int(x0 + index * step), int(y0)), max(1, round(s * 0.5)), 20, -1, cv2.LINE_AA)


def _document(
    template: int, rng: Rng, pool: Pool, scale: float, kind: DocumentFormat | None, blank: bool,
    *, inkless: bool = False,
) -> tuple[_Canvas, DocumentFormat]:  # fmt: skip
    """One document's page at `scale` pixels a millimetre. `blank`: with no zone (another thing in its place)."""
    style = np.random.default_rng([11, template])
    formats = [
        DocumentFormat.TD1,
        DocumentFormat.TD2,
        DocumentFormat.TD3,
        DocumentFormat.MRV_A,
        DocumentFormat.MRV_B,
    ]
    form = kind or formats[int(style.choice(5, p=[0.27, 0.12, 0.41, 0.1, 0.1]))]
    width_mm, height_mm = SIZES[form]
    zone = generate(random.Random(int(rng.integers(2**62))), form)  # type: ignore[arg-type]
    lines = tuple(zone.lines)
    count = len(lines[0])
    paper = int(style.integers(130, 256))
    tall = form is DocumentFormat.TD3 and style.random() < 0.25  # with the page above it
    full_mm = height_mm * (2 if tall else 1)
    image = np.full((round(full_mm * scale), round(width_mm * scale)), paper, np.uint8)
    canvas = _Canvas(image, scale, [])
    for _ in range(int(style.integers(1, 4))):
        _blend(image, pool.texture(style, *image.shape), style.uniform(0.03, 0.35))
    offset = full_mm - height_mm
    spacing = 6.6 if len(lines) == 2 else 6.2
    strip = height_mm * (0.4 if len(lines) == 3 else 0.27)
    zone_height = spacing * (len(lines) - 1) + 2.6
    # where the zone lies in its strip, and what the strip is made of
    room = width_mm - style.uniform(2.5, 10)
    left = max(1.0, (width_mm - min(room, count * 2.54)) * style.uniform(0.3, 0.7))
    top = offset + height_mm - strip + (strip - zone_height) * style.uniform(0.2, 0.7)
    manner = style.random()
    rows, columns = canvas.box(0, offset + height_mm - strip, width_mm, strip)
    if manner < 0.45:  # a plain strip
        image[rows, columns] = int(style.integers(170, 256))
        if style.random() < 0.4:
            _blend(
                image[rows, columns], pool.texture(style, *image[rows, columns].shape), style.uniform(0.02, 0.15)
            )
    elif manner < 0.65:  # tinted
        tint = float(style.uniform(-50, 50))
        image[rows, columns] = np.clip(image[rows, columns].astype(np.float32) + tint, 60, 255).astype(np.uint8)
    if style.random() < 0.3:
        cv2.line(image, (0, rows.start), (image.shape[1], rows.start), int(style.integers(0, 200)), 1)
    _visual_zone(canvas, style, rng, pool, (2, offset + 1, width_mm - 4, height_mm - strip - 2))
    if tall:
        image[: round(offset * scale)] = cv2.convertScaleAbs(
            image[: round(offset * scale)], alpha=1.0, beta=style.uniform(-25, 15)
        )
        if style.random() < 0.6:
            _visual_zone(canvas, style, rng, pool, (2, 1, width_mm - 4, offset - 3))
        fold = round(offset * scale)
        cv2.line(image, (0, fold), (image.shape[1], fold), int(style.integers(20, 140)), max(1, round(scale / 3)))
    if blank:
        instead = rng.random()
        rows, columns = canvas.box(left, top, width_mm - 2 * left, zone_height)
        if instead < 0.35:
            size = image[rows, columns].shape
            image[rows, columns] = _barcode(rng, size[0], size[1])
        elif instead < 0.7:
            words = " ".join(_word(rng, 2, 10) for _ in range(8))
            path = OCR_B[0] if rng.random() < 0.3 else pool.fonts[0]
            canvas.text((left, top), words[: int(rng.integers(6, 40))], rng.uniform(2, 4), path, 20)
    else:
        if style.random() < 0.12:  # a sentence as long as a line, right beside the zone
            words = " ".join(_word(style, 2, 9) for _ in range(20))
            size = style.uniform(1.6, 2.6)
            beside = top - style.uniform(1.4, 2.2) * size if style.random() < 0.7 else top + zone_height + 1.5
            fitting = int((width_mm - 2 * left) / size * style.uniform(1.0, 1.6))
            canvas.text(
                (left, beside), words[:fitting], size, pool.fonts[int(style.integers(len(pool.fonts)))], 30
            )
        typeface = OCR_B[int(rng.random() < 0.25)]
        if rng.random() < pool.other_typefaces:
            typeface = MONOSPACED[int(rng.integers(len(MONOSPACED)))]
        _print_zone(canvas, rng, lines, left, top, width_mm - left - 1.0, typeface, inkless=inkless)
    _overprint(canvas, rng, pool)
    if rng.random() < 0.12:  # the zone alone, as a tight crop
        lines_now = canvas.zones[0] if canvas.zones else ()
        if lines_now:
            bound = np.concatenate([edge for line in lines_now for edge in (line.top, line.bottom)])
            pad = rng.uniform(0.6, 5.0, 4) * scale
            x0, y0 = np.maximum(0, bound.min(0) - pad[:2]).astype(int)
            x1, y1 = np.ceil(bound.max(0) + pad[2:]).astype(int)
            canvas.image = image[y0:y1, x0:x1]
            canvas.zones = [_shifted(lines_now, -np.array([x0, y0], float))]
    return canvas, form


def _shifted(zone: tuple[Line, ...], by: Points) -> tuple[Line, ...]:
    return tuple(replace(line, top=line.top + by, bottom=line.bottom + by) for line in zone)


def _mounted(canvas: _Canvas, rng: Rng, pool: Pool) -> _Canvas:
    """The document as a figure on a web page, or on the screen of a telephone."""
    height, width = canvas.image.shape
    if rng.random() < 0.5:
        top, bottom, side = (int(rng.uniform(0.03, 0.4) * width) for _ in range(3))
        paper = int(rng.choice([255, 255, 240, 30]))
        page = np.full((height + top + bottom, width + 2 * side), paper, np.uint8)
        ink = 20 if paper > 100 else 230
        page[:top] = _text_block(rng, top, page.shape[1], paper, ink) if top > 8 else paper
        caption = _text_block(rng, bottom, page.shape[1], paper, ink) if bottom > 8 else paper
        page[height + top :] = caption
    else:
        rim = max(2, int(0.03 * width))
        top, bottom, side = rim + int(rng.uniform(0, 0.4) * height), rim + int(rng.uniform(0, 0.4) * height), rim
        page = np.full((height + top + bottom, width + 2 * side), int(rng.choice([0, 10, 245])), np.uint8)
        cv2.rectangle(page, (0, 0), (page.shape[1] - 1, page.shape[0] - 1), int(rng.integers(0, 60)), rim)
    page[top : top + height, side : side + width] = canvas.image
    by = np.array([side, top], float)
    return _Canvas(page, canvas.scale, [_shifted(zone, by) for zone in canvas.zones])


# -- the camera --

CONDITIONS = ("uneven", "shadow", "glare", "dark", "flat", "blur", "motion", "low_resolution", "noise", "jpeg")


def _place(
    image: Grey, document: _Canvas, rng: Rng, size: float, angle: float, tilt: float, curve: float, at: Points
) -> list[tuple[Line, ...]]:
    """Lay `document` into `image`, `size` pixels wide, turned by `angle` degrees about `at`; its zones."""
    height, width = document.image.shape
    zoom = size / width
    matrix = cv2.getRotationMatrix2D((0, 0), -angle, 1.0)[:, :2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    placed = (corners - [width / 2, height / 2]) * zoom
    if tilt:
        placed = placed * (1 + rng.uniform(-tilt, tilt, (4, 2)))
        lean = rng.uniform(-tilt, tilt, 2)
        depth = 1 + (placed / max(placed.max(), 1)) @ lean
        placed = placed / depth[:, None]
    placed = placed @ matrix.T + at
    transform = cv2.getPerspectiveTransform(corners, placed.astype(np.float32))
    h, w = image.shape
    bow = curve * height
    phase, waves = rng.uniform(0, 6.3), rng.uniform(0.5, 1.4)

    def bend(x: Points) -> Points:
        return np.asarray(bow * np.sin(x / width * np.pi * waves + phase))

    source = document.image
    if zoom < 0.7:  # a lens averages; a warp picks
        source = np.asarray(cv2.GaussianBlur(source, (0, 0), 0.4 / zoom))
    if bow:
        inverse = np.linalg.inv(transform)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        third = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
        u = ((inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / third).astype(np.float32)
        v = ((inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / third).astype(np.float32)
        v -= bend(u).astype(np.float32)
        inside = (third > 0) & (u >= 0) & (u < width - 1) & (v >= 0) & (v < height - 1)
        laid = cv2.remap(source, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    else:
        laid = cv2.warpPerspective(
            source, transform, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        ones = np.full(source.shape, 255, np.uint8)
        inside = cv2.warpPerspective(ones, transform, (w, h), flags=cv2.INTER_NEAREST) > 0
    if rng.random() < 0.4:  # its shadow on the table
        shadow = cv2.blur(inside.astype(np.uint8) * 255, (max(3, w // 40),) * 2)
        dark = rng.uniform(0.2, 0.6)
        image[:] = (image * (1 - dark / 255 * shadow.astype(np.float32))).astype(np.uint8)
    cv2.copyTo(laid, inside.astype(np.uint8), image)

    def carry(points: Points) -> Points:
        bent = points.astype(np.float64).copy()
        bent[:, 1] += bend(bent[:, 0]) if bow else 0.0
        return np.asarray(cv2.perspectiveTransform(bent[None], transform)[0], np.float64)

    return [
        tuple(replace(line, top=carry(line.top), bottom=carry(line.bottom)) for line in zone)
        for zone in document.zones
    ]


def _fingers(image: Grey, rng: Rng, at: Points, reach: float) -> None:
    tone = int(rng.integers(60, 220))
    for _ in range(int(rng.integers(1, 4))):
        direction = rng.uniform(0, 2 * math.pi)
        centre = at + reach * np.array([math.cos(direction), math.sin(direction)])
        axes = (int(reach * rng.uniform(0.2, 0.45)), int(reach * rng.uniform(0.06, 0.11)))
        where = (int(centre[0]), int(centre[1]))
        cv2.ellipse(image, where, axes, math.degrees(direction), 0, 360, tone, -1, cv2.LINE_AA)
        cv2.ellipse(image, where, axes, math.degrees(direction), 0, 360, max(0, tone - 50), 1, cv2.LINE_AA)


def _light(
    image: Grey, rng: Rng, names: list[str], zones: list[tuple[Line, ...]], only: frozenset[str] | None
) -> Grey:
    """Uneven light, shadows, glare, darkness; `only` these where given, else each by its chance."""
    height, width = image.shape

    def falls(name: str, chance: float) -> bool:
        drawn = rng.random() < chance
        return drawn if only is None else name in only

    if falls("uneven", 0.45):
        small = rng.uniform(-1, 1, (int(rng.integers(2, 4)), int(rng.integers(2, 4)))).astype(np.float32)
        field = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * rng.uniform(0.1, 0.45)
        image = np.clip(image * (1 + field), 0, 255).astype(np.uint8)
        names.append("uneven")
    if falls("shadow", 0.12):
        mask = np.zeros((height, width), np.float32)
        edge = rng.uniform(-0.2, 1.2, (4, 2)) * [width, height]
        cv2.fillPoly(mask, [edge.astype(np.int32)], 1.0)
        mask = np.asarray(cv2.blur(mask, (max(3, width // int(rng.integers(8, 60))),) * 2))
        image = (image * (1 - mask * rng.uniform(0.2, 0.65))).astype(np.uint8)
        names.append("shadow")
    if falls("glare", 0.16):
        layer = np.zeros((height, width), np.float32)
        lines = [line for zone in zones for line in zone]
        for _ in range(int(rng.integers(1, 4))):
            centre = rng.uniform(0, [width, height])
            if lines and rng.random() < 0.7:
                line = lines[int(rng.integers(len(lines)))]
                centre = line.centre[int(rng.integers(CENTRES))] + rng.normal(0, line.height, 2)
            axes = rng.uniform(0.02, 0.14, 2) * max(width, height)
            at, size = (int(centre[0]), int(centre[1])), (int(axes[0]) + 1, int(axes[1]) + 1)
            cv2.ellipse(layer, at, size, rng.uniform(0, 180), 0, 360, 1.0, -1)
        side = int(max(width, height) * rng.uniform(0.01, 0.08)) | 1
        layer = np.asarray(cv2.blur(cv2.blur(layer, (side, side)), (side, side)))
        image = np.clip(image + layer * rng.uniform(60, 330), 0, 255).astype(np.uint8)
        names.append("glare")
    if falls("dark", 0.14):
        gain = rng.uniform(0.08, 0.45)
        image = np.clip(image * gain + rng.uniform(0, 12), 0, 255).astype(np.uint8)
        names.append("dark")
    elif falls("flat", 0.2):
        low, high = rng.uniform(0, 90), rng.uniform(150, 290)
        image = np.clip(image.astype(np.float32) / 255 * (high - low) + low, 0, 255).astype(np.uint8)
    return image


def _lens(image: Grey, rng: Rng, names: list[str], pitch: float, only: frozenset[str] | None) -> Grey:
    """Blur, motion, few pixels, noise, JPEG, black and white; within reason for `pitch` pixels a character.

    `only` these where given, else each by its chance.
    """
    height, width = image.shape
    chance = rng.random(7)
    if only is not None:
        lens = ("blur", "motion", "low_resolution", "noise", "binarised", "sharpened", "jpeg")
        chance = np.array([0.0 if name in only else 1.0 for name in lens])
    if chance[0] < 0.3:
        sigma = min(rng.uniform(0.4, 2.3), pitch * rng.uniform(0.08, 0.2))
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.3, sigma)))
        names.append("blur")
    elif chance[1] < 0.12:
        length = int(min(rng.integers(3, 14), max(3, pitch * 0.55)))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1
        turned = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1)
        kernel = np.asarray(cv2.warpAffine(kernel, turned, (length, length)))
        image = np.asarray(cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-3)))
        names.append("motion")
    if chance[2] < 0.15:
        shrink = max(rng.uniform(0.35, 0.9), 5.0 / max(pitch, 5.0))
        size = (max(16, int(width * shrink)), max(16, int(height * shrink)))
        small = cv2.resize(image, size, interpolation=int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR])))
        image = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
        names.append("low_resolution")
    if chance[3] < 0.3:
        grain = rng.normal(0, rng.uniform(2, 13), (height // 2 + 1, width // 2 + 1)).astype(np.float32)
        grain = (
            cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)
            if rng.random() < 0.5
            else (np.tile(grain, (2, 2))[:height, :width])
        )
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
        names.append("noise")
    if chance[4] < 0.06:
        window = int(max(11, pitch * rng.uniform(1.5, 5))) | 1
        image = np.asarray(
            cv2.adaptiveThreshold(image, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, window, 12)
        )
        names.append("binarised")
    if chance[5] < 0.08:
        soft = cv2.GaussianBlur(image, (0, 0), 1.2)
        image = np.asarray(cv2.addWeighted(image, 1.8, soft, -0.8, 0))
        names.append("sharpened")
    if chance[6] < 0.6:
        quality = int(rng.integers(12, 96)) if rng.random() < 0.75 else 15
        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
        if quality < 35:
            names.append("jpeg")
    return image


def page(
    seed: int, index: int, pool: Pool, *, held_back: bool = False, kind: DocumentFormat | None = None,
    long_side: tuple[int, int] = (480, 900), negative: bool | None = None, inkless: bool = False,
    few: bool = False,
) -> Page:  # fmt: skip
    """The picture number `index` of `seed`: one or two documents, or none, photographed. Sides in pixels.

    `kind` fixes the format of the document, `negative` whether there is no zone (else one in twelve has none),
    `inkless` leaves out the zone's ink and nothing else: by what the two differ the zone can be seen.
    `few`: at most two of `CONDITIONS` at once, as a camera meets them; else each by its own chance, up to ten.
    """
    only = None
    if few:
        draw = np.random.default_rng([seed, 9, index])
        only = frozenset(str(name) for name in draw.choice(CONDITIONS, int(draw.integers(0, 3)), replace=False))
    rng = np.random.default_rng([seed, 1 if held_back else 0, index])
    template = int(rng.integers(4000)) * HELD_BACK_SHARE
    template += 0 if held_back else int(rng.integers(1, HELD_BACK_SHARE))
    names: list[str] = []
    without = rng.random() < 1 / 12 if negative is None else negative
    side = int(rng.integers(*long_side))
    aspect = rng.uniform(0.6, 1.0)
    angle = _angle(rng, names)
    upright = abs(math.cos(math.radians(angle))) > 0.7
    height, width = (int(side * aspect), side) if upright == (rng.random() < 0.85) else (side, int(side * aspect))
    if rng.random() < 0.12 and not without:
        return _scan(rng, pool, template, kind, side, names, inkless=inkless, only=only)
    image = np.ascontiguousarray(pool.background(rng, height, width))
    zones: list[tuple[Line, ...]] = []
    form: DocumentFormat | None = None
    pitch = 10.0
    if without and rng.random() < 0.5:
        if rng.random() < 0.5:
            image = _text_block(rng, height, width, int(rng.integers(150, 256)), int(rng.integers(0, 90)))
        at, extent = np.array([width / 2, height / 2]), side / 2
    else:
        two = rng.random() < 0.05 and kind is None and negative is None
        for number in range(2 if two else 1):
            share = rng.uniform(0.45, 1.0) if rng.random() < 0.8 else rng.uniform(0.3, 1.15)
            extent = side * share * (0.45 if two else 0.95)
            template += number * HELD_BACK_SHARE
            document_mm = SIZES[kind or DocumentFormat.TD3][0]
            scale = float(np.clip(extent / document_mm * 1.25, 3.5, 10))
            document, form = _document(template, rng, pool, scale, kind, without, inkless=inkless)
            mounted = rng.random() < 0.1
            if mounted:
                document = _mounted(document, rng, pool)
                names.append("mounted")
            h, w = document.image.shape
            size = extent if w >= h else extent * w / h
            # a document that does not fit the picture is cut; seldom wanted
            turned = math.radians(angle)
            reach_x = abs(size * math.cos(turned)) + abs(size * h / w * math.sin(turned))
            reach_y = abs(size * math.sin(turned)) + abs(size * h / w * math.cos(turned))
            fit = min(width / reach_x, height / reach_y) * (1 if rng.random() < 0.9 else rng.uniform(1, 1.2))
            size *= min(1.0, fit * (0.6 if two else 1.0))
            slack = np.maximum(0, np.array([width, height]) - np.array([reach_x, reach_y]) * min(1.0, fit)) / 2
            at = np.array([width, height]) / 2 + rng.uniform(-1, 1, 2) * slack
            if two:
                offset = np.array([width / 4, 0]) if width > height else np.array([0, height / 4])
                at = np.array([width, height]) / 2 + offset * (1 if number else -1)
            tilt = rng.uniform(0.01, 0.12) if rng.random() < 0.5 else 0.0
            curve = rng.uniform(0.005, 0.035) if rng.random() < 0.2 else 0.0
            names += ["perspective"] * (tilt > 0.04) + ["curved"] * (curve > 0)
            zones += _place(image, document, rng, size, angle, tilt, curve, at)
        if rng.random() < 0.12:
            _fingers(image, rng, at, extent * 0.62)
    if zones:
        pitch = min(line.pitch for zone in zones for line in zone)
    image = _light(image, rng, names, zones, only)
    image = _lens(image, rng, names, pitch, only)
    inside = all(
        (edge >= -1).all() and (edge[:, 0] <= width).all() and (edge[:, 1] <= height).all()
        for zone in zones
        for line in zone
        for edge in (line.top, line.bottom)
    )
    readable = len(zones) == 1 and inside and pitch >= 6.0 and float(np.ptp(image)) > 40
    return Page(image, tuple(zones), form if zones else None, template, readable, tuple(dict.fromkeys(names)))


def _angle(rng: Rng, names: list[str]) -> float:
    choice = rng.random()
    if choice < 0.45:
        angle = rng.normal(0, 3)
    elif choice < 0.55:
        angle = 180 + rng.normal(0, 3)
    elif choice < 0.7:
        angle = float(rng.choice([90, 270])) + rng.normal(0, 3)
    else:
        angle = rng.uniform(0, 360)
    if abs(angle) > 8:
        names.append("turned")
    return float(angle)


def _scan(
    rng: Rng, pool: Pool, template: int, kind: DocumentFormat | None, side: int, names: list[str],
    *, inkless: bool, only: frozenset[str] | None,
) -> Page:  # fmt: skip
    """The page fills the picture and lies straight, as page readers and web sites show it; down to 250 pixels."""
    scale = side / SIZES[kind or DocumentFormat.TD3][0]
    document, form = _document(template, rng, pool, scale, kind, False, inkless=inkless)
    if rng.random() < 0.3:
        document = _mounted(document, rng, pool)
    image = np.ascontiguousarray(document.image)
    zones = document.zones
    if rng.random() < 0.4:  # a thumbnail
        small = rng.uniform(250, 450) / image.shape[1]
        image = np.asarray(cv2.resize(image, None, fx=small, fy=small, interpolation=cv2.INTER_AREA))
        zones = [
            tuple(replace(line, top=line.top * small, bottom=line.bottom * small) for line in zone)
            for zone in zones
        ]
        names.append("thumbnail")
    if rng.random() < 0.3 or only is not None:
        image = _light(image, rng, names, zones, only)
    pitch = zones[0][0].pitch
    image = _lens(image, rng, names, pitch, only)
    return Page(image, tuple(zones), form, template, pitch >= 6.0, (*dict.fromkeys(names), "scan"))


# -- what can be seen of a zone --

VISIBLE = 10.0  # grey levels between ink and what would be there without it; less drowns in noise and JPEG
_ROWS, _COLUMNS = 24, 16  # of the patch in which one character is looked at


def visible(shown: Page, inkless: Page, least: float = VISIBLE) -> tuple[tuple[bool, ...], ...]:
    """For each character of the zone: does at least half of every part of it that bears ink show in the picture?

    `inkless` is the same page without the zone's ink. A character under a finger, in a burnt-out reflection or
    outside the picture leaves no difference between the two, and nobody can tell it. Parts are the sixths of its
    box (two across, three down).
    """
    difference = cv2.absdiff(shown.image, inkless.image).astype(np.float32)
    glyphs = _glyphs(str(OCR_B[0]))
    found = []
    for line in shown.zones[0]:
        count = len(line.text)
        across = (np.arange(count * _COLUMNS) + 0.5) / (count * _COLUMNS) * (CENTRES - 1)
        down = ((np.arange(_ROWS) + 0.5) / _ROWS)[:, None]
        top, bottom = (
            np.stack([np.interp(across, np.arange(CENTRES), edge[:, axis]) for axis in (0, 1)])
            for edge in (line.top, line.bottom)
        )
        x, y = ((a * (1 - down) + b * down).astype(np.float32) for a, b in zip(top, bottom, strict=True))
        strip = cv2.remap(difference, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        width = max(1, round(_COLUMNS * 1.5 * line.height / line.pitch))
        row = []
        for index, character in enumerate(line.text):
            glyph = glyphs[character][CAP // 4 : CAP // 4 + CAP].astype(np.float32) / 255
            glyph = cv2.resize(glyph, (width, _ROWS), interpolation=cv2.INTER_AREA)
            ink = np.zeros((_ROWS, _COLUMNS), np.float32)
            # both are centred; what stands over the cell is the neighbour's
            taken = min(width, _COLUMNS)
            from_, to = (width - taken) // 2, (_COLUMNS - taken) // 2
            ink[:, to : to + taken] = glyph[:, from_ : from_ + taken]
            patch = strip[:, index * _COLUMNS : (index + 1) * _COLUMNS]
            parts = [
                (float(((patch[r, c] >= least) * ink[r, c]).sum()), float(ink[r, c].sum()))
                for r in (slice(0, 8), slice(8, 16), slice(16, 24))
                for c in (slice(0, 8), slice(8, 16))
            ]
            row.append(all(seen >= 0.5 * weight for seen, weight in parts if weight >= 0.08 * 64))
        found.append(tuple(row))
    return tuple(found)


# -- a held-back set on disc --


def _tinted(image: Grey, rng: Rng) -> npt.NDArray[np.uint8]:
    """Coloured as paper and ink are: a table from grey to blue, green and red."""
    levels = np.linspace(0, 1, 256)[:, None]
    ink, paper = rng.uniform(0, 0.12, 3), rng.uniform(0.86, 1.0, 3)
    table = ((ink + (paper - ink) * levels ** rng.uniform(0.85, 1.15, 3)) * 255).astype(np.uint8)
    return np.asarray(table[image], np.uint8)


def write(folder: Path, count: int, seed: int, pool: Pool | None = None, *, few: bool = True) -> None:
    """`count` held-back documents on which every character shows, and one picture without a zone for every ten.

    `few` as in `page`. Overprints, creases, angles, perspective and what lies around come in either case.

    Documents on the way that hide something go into `hidden.json` beside `manifest.json`, with `?` for what nobody
    can tell (`visible`): nothing there may be accepted that contradicts the rest.
    """
    pool = pool or Pool(held_back=True)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    whole: list[dict[str, object]] = []
    hidden: list[dict[str, object]] = []
    index = documents = 0
    kinds = list(SIZES)
    while documents < count:
        index += 1
        negative = index % 11 == 0
        choice = {
            "held_back": True,
            "kind": kinds[index % len(kinds)],
            "long_side": (700, 1500),
            "negative": negative,
            "few": few,
        }
        shown = page(seed, index, pool, **choice)  # type: ignore[arg-type]
        if not negative and (not shown.readable or shown.zones[0][0].pitch < 8):
            continue
        rng = np.random.default_rng([seed, 5, index])
        name = f"images/{index:05d}.{'png' if 'jpeg' in shown.degradations else 'jpg'}"
        options = [cv2.IMWRITE_JPEG_QUALITY, 88] if name.endswith("jpg") else []
        cv2.imwrite(str(folder / name), _tinted(shown.image, rng), options)
        texts: list[str] = []
        if not negative:
            seen = visible(shown, page(seed, index, pool, inkless=True, **choice))  # type: ignore[arg-type]
            texts = [
                "".join(character if there else "?" for character, there in zip(line.text, row, strict=True))
                for line, row in zip(shown.zones[0], seen, strict=True)
            ]
        lost = any("?" in text for text in texts)
        documents += not negative and not lost
        (hidden if lost else whole).append(
            {
                "image": name,
                "mrz": texts or None,
                "format": None if negative else str(shown.format).replace("-", "").replace("_", ""),
                "all_checks_valid": not negative,
                "negative": negative,
                "degradations": list(shown.degradations),
            }
        )
    for rows, name in ((whole, "manifest.json"), (hidden, "hidden.json")):
        (folder / name).write_text(json.dumps(rows, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hard", action="store_true", help="any number of degradations at once")
    given = parser.parse_args()
    write(given.out, given.count, given.seed, few=not given.hard)


if __name__ == "__main__":
    main()
