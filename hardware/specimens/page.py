"""Draws the page that the document camera sees: a Utopian document, plainly marked as a specimen, on dark glass.

The machine readable zone keeps the measures of ICAO 9303-3 §4: OCR-B size 1, ten characters to the inch, lines a
quarter of an inch apart. The visual zone is in the spirit of 9303-4, -5 and -7. Everything is drawn from the same
seed, so the same recipe gives the same pixels.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from hardware.specimens.recipe import DocumentRecipe

DOTS_PER_MM = 300 / 25.4
GLASS_MM = (137.0, 100.0)  # what the camera sees; a passport page leaves six millimetres around
OCR_B = (
    Path("/usr/share/fonts/opentype/ocr-b/OCRB.otf"),  # Debian's fonts-ocr-b
    Path("/usr/share/fonts/opentype/fonts-ocr-b/OCRB.otf"),
)
CHARACTER_PITCH_MM = 2.54
LINE_PITCH_MM = 6.35
LAST_BASELINE_MM = 9.4  # from the lower edge, 9303-4 §4.1
INK = (28, 30, 38)
LABEL = (88, 104, 122)

FORMATS_MM = {"TD1": (85.6, 54.0), "TD3": (125.0, 88.0), "MRV-A": (120.0, 80.0)}


@dataclass(frozen=True)
class _Tint:
    paper: tuple[int, int, int]
    line: tuple[int, int, int]
    second: tuple[int, int, int]


_TINTS = {
    "TD1": _Tint((238, 240, 232), (196, 214, 198), (222, 206, 196)),
    "TD3": _Tint((240, 241, 238), (194, 212, 222), (224, 208, 214)),
    "MRV-A": _Tint((243, 239, 230), (222, 206, 178), (196, 212, 214)),
}


def draw_page(recipe: DocumentRecipe, mrz: Sequence[str], portrait_jpeg: bytes) -> bytes:
    """The camera's picture of one document as PNG, 1618 x 1181 pixels (300 dpi).

    `mrz` is printed as given. A TD1 card lies with its machine readable side down, so it shows no portrait:
    `draw_front` has that. Raises FileNotFoundError when the OCR-B font is not installed.
    """
    page, pen, width, height = _sheet(recipe)
    if recipe.format == "TD1":
        _card_back(page, pen, recipe)
    else:
        _portrait_side(page, pen, recipe, Image.open(BytesIO(portrait_jpeg)).convert("RGB"))
    _zone(pen, mrz, width, height)
    random = _random(recipe)
    if recipe.damaged:
        _damage(page, random, width, height, len(mrz))
    return _on_glass(page, random)


def draw_front(recipe: DocumentRecipe, portrait_jpeg: bytes) -> bytes:
    """The picture of a TD1 card that was turned over: portrait, names, number and dates, and no zone."""
    page, pen, _, _ = _sheet(recipe)
    _card_front(page, pen, recipe, Image.open(BytesIO(portrait_jpeg)).convert("RGB"))
    return _on_glass(page, _random(recipe))


def _sheet(recipe: DocumentRecipe) -> tuple[Image.Image, ImageDraw.ImageDraw, int, int]:
    width, height = (_pixels(each) for each in FORMATS_MM[recipe.format])
    page = _background(width, height, _TINTS[recipe.format])
    return page, ImageDraw.Draw(page), width, height


def _pixels(millimetres: float) -> int:
    return round(millimetres * DOTS_PER_MM)


def _random(recipe: DocumentRecipe) -> np.random.Generator:
    digest = hashlib.sha256(f"{recipe.format} {recipe.issuer} {recipe.number}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


@lru_cache(maxsize=32)
def sans(millimetres: float, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans out of matplotlib's data (found without importing it), its capitals about `millimetres` high."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise FileNotFoundError("matplotlib, whose fonts draw the visual zone, is not installed")
    fonts = Path(found.origin).parent / "mpl-data/fonts/ttf"
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(fonts / name), _pixels(millimetres / 0.73))


@lru_cache(maxsize=1)
def _ocr_b() -> ImageFont.FreeTypeFont:
    """OCR-B at the size whose advance is a tenth of an inch."""
    path = next((each for each in OCR_B if each.exists()), None)
    if path is None:
        raise FileNotFoundError("the OCR-B font is not installed (Debian: fonts-ocr-b)")
    trial = ImageFont.truetype(str(path), 1000).getlength("0")
    return ImageFont.truetype(str(path), CHARACTER_PITCH_MM * DOTS_PER_MM / trial * 1000)


def _background(width: int, height: int, tint: _Tint) -> Image.Image:
    """Security-paper look: two families of fine waves and a rosette, light enough for any reader."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    canvas = np.empty((height, width, 3), np.float32)
    canvas[:] = tint.paper
    waves = np.sin(rows / 5.5 + 2.2 * np.sin(columns / 61.0) + 1.4 * np.sin((columns + rows) / 143.0))
    canvas = _inked(canvas, waves > 0.72, tint.line, 0.55)
    waves = np.sin((columns - rows * 0.35) / 6.5 + 2.6 * np.sin(rows / 83.0))
    canvas = _inked(canvas, waves > 0.8, tint.second, 0.4)
    away = np.hypot(columns - width * 0.7, rows - height * 0.38)
    angle = np.arctan2(rows - height * 0.38, columns - width * 0.7)
    rosette = np.sin(away / 5.0 + 5 * np.sin(angle * 9))
    canvas = _inked(canvas, (rosette > 0.7) & (away < height * 0.3), tint.line, 0.7)
    return Image.fromarray(canvas.astype(np.uint8))


def _inked(
    canvas: npt.NDArray[np.float32], where: npt.NDArray[np.bool_], ink: tuple[int, int, int], strength: float
) -> npt.NDArray[np.float32]:
    cover = where[..., None].astype(np.float32) * np.float32(strength)
    return canvas * (1 - cover) + np.asarray(ink, np.float32) * cover


def _text(
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    text: str,
    size: float,
    bold: bool = False,
    ink: tuple[int, int, int] = INK,
) -> None:
    """`text` with its baseline at (x, y), all in millimetres."""
    pen.text((_pixels(x), _pixels(y)), text, font=sans(size, bold), fill=ink, anchor="ls")


def _entry(pen: ImageDraw.ImageDraw, x: float, y: float, label: str, value: str) -> None:
    _text(pen, x, y, label, 1.15, ink=LABEL)
    _text(pen, x, y + 3.7, value, 2.05, bold=True)


def _portrait_side(
    page: Image.Image, pen: ImageDraw.ImageDraw, recipe: DocumentRecipe, portrait: Image.Image
) -> None:
    visa = recipe.format == "MRV-A"
    width_mm, height_mm = FORMATS_MM[recipe.format]
    zone_top = height_mm - 23.2
    _text(pen, 5, 6.4, "UTOPIA", 3.0, bold=True, ink=(32, 74, 104))
    _text(pen, 29, 6.4, "VISA" if visa else "PASSPORT · PASSEPORT", 2.0, ink=(32, 74, 104))
    _text(pen, width_mm - 33, 6.4, "SPECIMEN", 2.6, bold=True, ink=(176, 44, 52))
    photo_height = min(zone_top - 13.0, 45.0)
    photo = portrait.resize((_pixels(photo_height * 35 / 45), _pixels(photo_height)), Image.Resampling.LANCZOS)
    page.paste(photo, (_pixels(5), _pixels(10)))
    _ghost(page, portrait, (width_mm - 24.0, zone_top - 25.0))
    left, top = 5 + photo_height * 35 / 45 + 5, 12.0
    middle, right = left + 25, left + 46
    step = (zone_top - top) / 5.6
    _entry(pen, left, top, "Type", recipe.document_code)
    _entry(pen, middle, top, "Code of issuing State", recipe.issuer)
    _entry(pen, right, top, "Visa No." if visa else "Passport No.", recipe.number)
    _entry(pen, left, top + step, "Surname", recipe.printed_surname or recipe.surname)
    _entry(pen, left, top + 2 * step, "Given names", recipe.given_names)
    _entry(
        pen, left, top + 3 * step, "Nationality", "UTOPIAN" if recipe.nationality == "UTO" else recipe.nationality
    )
    _entry(pen, middle, top + 3 * step, "Date of birth", _date(recipe.birth_date.isoformat()))
    _entry(pen, left, top + 4 * step, "Sex", recipe.sex)
    _entry(pen, middle, top + 4 * step, "Place of birth", recipe.place_of_birth)
    _entry(
        pen,
        left,
        top + 4.9 * step,
        "Valid until" if visa else "Date of expiry",
        _date(recipe.expiry_date.isoformat()),
    )
    _entry(pen, middle + 6, top + 4.9 * step, "Authority", "OFFICE OF AMAUROT")


def _card_back(page: Image.Image, pen: ImageDraw.ImageDraw, recipe: DocumentRecipe) -> None:
    _text(pen, 4, 5.6, "UTOPIA", 2.4, bold=True, ink=(32, 90, 74))
    _text(pen, 24, 5.6, "IDENTITY CARD", 1.7, ink=(32, 90, 74))
    _text(pen, 60, 5.6, "SPECIMEN", 2.2, bold=True, ink=(176, 44, 52))
    _entry(pen, 4, 11, "Place of birth", recipe.place_of_birth)
    _entry(pen, 40, 11, "Authority", "OFFICE OF AMAUROT")
    _entry(pen, 4, 19, "Remarks", "SPECIMEN ONLY")


def _card_front(
    page: Image.Image, pen: ImageDraw.ImageDraw, recipe: DocumentRecipe, portrait: Image.Image
) -> None:
    _text(pen, 4, 5.6, "UTOPIA", 2.4, bold=True, ink=(32, 90, 74))
    _text(pen, 24, 5.6, "IDENTITY CARD", 1.7, ink=(32, 90, 74))
    _text(pen, 60, 5.6, "SPECIMEN", 2.2, bold=True, ink=(176, 44, 52))
    page.paste(portrait.resize((_pixels(28), _pixels(36)), Image.Resampling.LANCZOS), (_pixels(4), _pixels(10)))
    left, middle, top, step = 36.0, 61.0, 11.0, 7.2
    _entry(pen, left, top, "Surname", recipe.printed_surname or recipe.surname)
    _entry(pen, left, top + step, "Given names", recipe.given_names)
    _entry(
        pen, left, top + 2 * step, "Nationality", "UTOPIAN" if recipe.nationality == "UTO" else recipe.nationality
    )
    _entry(pen, middle, top + 2 * step, "Date of birth", _date(recipe.birth_date.isoformat()))
    _entry(pen, left, top + 3 * step, "Sex", recipe.sex)
    _entry(pen, middle, top + 3 * step, "Date of expiry", _date(recipe.expiry_date.isoformat()))
    _entry(pen, left, top + 4 * step, "Document No.", recipe.number)


def _date(iso: str) -> str:
    year, month, day = iso.split("-")
    names = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
    return f"{day} {names[int(month) - 1]} {year}"


def _ghost(page: Image.Image, portrait: Image.Image, place_mm: tuple[float, float]) -> None:
    """The faint second portrait."""
    small = ImageOps.grayscale(portrait).resize((_pixels(15.5), _pixels(20)), Image.Resampling.LANCZOS)
    pale = ImageEnhance.Contrast(small).enhance(0.8)
    at = (_pixels(place_mm[0]), _pixels(place_mm[1]))
    under = page.crop((*at, at[0] + pale.width, at[1] + pale.height))
    tinted = ImageOps.colorize(pale, (70, 98, 122), (244, 244, 240))
    fade = Image.new("L", pale.size, 0)
    ImageDraw.Draw(fade).ellipse((8, 8, pale.width - 8, pale.height - 8), fill=120)
    page.paste(Image.composite(tinted, under, fade.filter(ImageFilter.GaussianBlur(9))), at)


def _zone(pen: ImageDraw.ImageDraw, mrz: Sequence[str], width: int, height: int) -> None:
    """The machine readable zone, character by character at the exact pitch, on clear paper."""
    font, pitch = _ocr_b(), CHARACTER_PITCH_MM * DOTS_PER_MM
    zone_mm = 23.2
    pen.rectangle((0, height - _pixels(zone_mm), width, height), fill=(246, 246, 243))
    start = (width - pitch * max(map(len, mrz))) / 2
    last = height - LAST_BASELINE_MM * DOTS_PER_MM
    if len(mrz) == 3:
        last = height - 6.0 * DOTS_PER_MM
    for row, line in enumerate(mrz):
        baseline = last - (len(mrz) - 1 - row) * LINE_PITCH_MM * DOTS_PER_MM
        for column, character in enumerate(line):
            centre = start + (column + 0.5) * pitch
            pen.text((centre, baseline), character, font=font, fill=INK, anchor="ms")


def _damage(page: Image.Image, random: np.random.Generator, width: int, height: int, lines: int) -> None:
    """Water, folds and scratches over the machine readable zone: no field of it can be read."""
    pen = ImageDraw.Draw(page)
    top = height - _pixels(21)
    for _ in range(26):
        x, y = int(random.integers(0, width)), int(random.integers(top, height - _pixels(5)))
        radius_x, radius_y = int(random.integers(30, 110)), int(random.integers(14, 44))
        shade = int(random.integers(150, 232))
        pen.ellipse((x - radius_x, y - radius_y, x + radius_x, y + radius_y), fill=(shade, shade - 6, shade - 18))
    for _ in range(60):
        x, y = int(random.integers(0, width)), int(random.integers(top, height))
        pen.line(
            (x, y, x + int(random.integers(-160, 160)), y + int(random.integers(-90, 90))),
            fill=(242, 240, 234),
            width=int(random.integers(3, 9)),
        )
    zone = (0, top, width, height)
    page.paste(page.crop(zone).filter(ImageFilter.GaussianBlur(2.2)), zone[:2])


def _on_glass(page: Image.Image, random: np.random.Generator) -> bytes:
    """The page in the middle of the dark glass, lit a little unevenly, slightly soft and noisy."""
    scene = Image.new("RGB", (_pixels(GLASS_MM[0]), _pixels(GLASS_MM[1])), (22, 24, 27))
    scene.paste(page, ((scene.width - page.width) // 2, (scene.height - page.height) // 2))
    pixels = np.asarray(scene.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float32)
    across = np.linspace(1.0, 0.95, scene.width, dtype=np.float32)[None, :, None]
    grain = random.normal(0, 1.6, (scene.height, scene.width, 1)).astype(np.float32)
    lit = np.clip(pixels * across + grain, 0, 255).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(lit).save(out, "PNG", compress_level=3)
    return out.getvalue()
