"""The ladder of degradations: what a camera, a hand and a desk do to a page, one at a time, the same every time.

Each rung is a function of a picture and a generator seeded by the picture's own bytes, so that two readers, or the
same reader next year, climb the same ladder. Sizes are in pixels of the picture as it was given.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from hardware.ports import Frame

NARROW = 450  # pixels; a picture that is narrower already stays as it is
JPEG_QUALITY = 15
DARK_GAIN, DARK_NOISE = 0.2, 2.5  # of the light; standard deviation in grey levels, as a sensor has at high gain
CORNER_SHIFT = (0.03, 0.12)  # of the sides: how far each corner moves inwards in perspective
GLARE_SIGMA = 0.04  # of the width: about a tenth of it across at half height
GLARE_LIGHT = (
    225.0  # grey levels in the middle: paper saturates, and of black ink a few levels of contrast are left
)
GLARE_HEIGHT = (0.76, 0.96)  # where the zone lies, when a document fills the picture
BURNING = frozenset({"glare"})  # rungs that take ink away and leave the rest where it was
FAINT = 10  # grey levels between ink and what would be there without it
STROKES = 0.6  # of a capital's height: wider than any stroke of OCR-B
INK_LEFT = 0.3  # of a character's, from which on it may be told
CELL = (24, 16)  # rows and columns in which a character is looked at
DOCUMENT_SHARE = 0.6  # of the desk's width
DESK_TILT = 12.0  # degrees at most
DESK_WIDTH = 2000  # pixels at most

STRIP = 128  # rows

Degradation = Callable[[Frame, np.random.Generator], Frame]


def climb(frame: Frame, rung: str, seed: bytes) -> bytes:
    """The degraded picture as a file (PNG; JPEG where that is the degradation). KeyError for an unknown rung."""
    degraded = RUNGS[rung](frame, _chance(rung, seed))
    if rung == "jpeg_15":
        done, data = cv2.imencode(".jpg", degraded, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    else:
        done, data = cv2.imencode(".png", degraded, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done, "a frame of pixels can always be written"
    return data.tobytes()


def burns_out(
    frame: Frame, rung: str, seed: bytes, corners: Sequence[npt.NDArray[np.float64]], lines: Sequence[str]
) -> bool:
    """Whether the rung leaves less than `INK_LEFT` of the ink of a letter or digit: nobody can tell it any more.

    `corners` are the zone's lines in `frame` as `kiosk.mrz.read.Look` has them, `lines` what is printed there.
    The picture climbs twice, with its ink and with the paper around it in the ink's place: ink is left where the
    two differ. Fillers do not count, for a run of them goes on under the light.
    """
    if rung not in BURNING:
        return False
    tall = max(float(np.hypot(*(each[3] - each[0]))) for each in corners)
    wider = max(3, round(tall * STROKES) | 1)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wider, wider))
    paper = _frame(cv2.morphologyEx(frame, cv2.MORPH_CLOSE, brush))
    shown, bare = (RUNGS[rung](each, _chance(rung, seed)) for each in (frame, paper))
    rows, columns = CELL
    for quad, line in zip(corners, lines, strict=True):
        size = (len(line) * columns, rows)
        flat = np.array([[0, 0], [size[0], 0], size, [0, rows]], np.float32)
        turn = cv2.getPerspectiveTransform(quad.astype(np.float32), flat)
        ink, left = (
            cv2.warpPerspective(cv2.absdiff(under, over).max(2), turn, size).reshape(rows, len(line), columns)
            for under, over in ((paper, frame), (bare, shown))
        )
        is_ink = ink > np.percentile(ink, 95) / 2
        share = (is_ink & (left >= FAINT)).sum((0, 2)) / np.maximum(is_ink.sum((0, 2)), 1)
        printed = np.array([character != "<" for character in line]) & is_ink.any((0, 2))
        if np.any(printed & (share < INK_LEFT)):
            return True
    return False


def blurred(frame: Frame, random: np.random.Generator, *, sigma: float) -> Frame:
    return _frame(cv2.GaussianBlur(frame, (0, 0), sigma))


def rotated(frame: Frame, random: np.random.Generator, *, degrees: float) -> Frame:
    """Anticlockwise on a canvas that holds all of it; what the picture does not cover has its border's colour."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(frame, round(degrees / 90)))
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    grown = round(width * cosine + height * sine), round(width * sine + height * cosine)
    matrix[:, 2] += (grown[0] - width) / 2, (grown[1] - height) / 2
    return _frame(cv2.warpAffine(frame, matrix, grown, flags=cv2.INTER_CUBIC, borderValue=_border_colour(frame)))


def in_perspective(frame: Frame, random: np.random.Generator) -> Frame:
    """Every corner moves inwards by its own share: a telephone held askew."""
    height, width = frame.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=np.float32)
    shift = random.uniform(*CORNER_SHIFT, size=(4, 2)).astype(np.float32)
    moved = corners + inwards * shift * np.array([width, height], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    return _frame(
        cv2.warpPerspective(
            frame, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=_border_colour(frame)
        )
    )


def with_glare(frame: Frame, random: np.random.Generator) -> Frame:
    """A lamp in the laminate, somewhere over the zone: white in its middle, softer outwards."""
    height, width = frame.shape[:2]
    x = np.arange(width, dtype=np.float32) - random.uniform(0.15, 0.85) * width
    y = np.arange(height, dtype=np.float32) - random.uniform(*GLARE_HEIGHT) * height
    spread = 2 * (GLARE_SIGMA * width) ** 2
    across, down = np.exp(-(x**2) / spread), np.exp(-(y**2) / spread)

    def shine(rows: slice) -> npt.NDArray[np.float32]:
        light = np.float32(GLARE_LIGHT) * down[rows, None] * across
        return np.asarray(frame[rows] + light[:, :, None], dtype=np.float32)

    return _by_rows(frame.shape, shine)


def compressed(frame: Frame, random: np.random.Generator) -> Frame:
    """Nothing here: `climb` writes it as JPEG of a low quality."""
    return frame


def narrowed(frame: Frame, random: np.random.Generator) -> Frame:
    height, width = frame.shape[:2]
    if width <= NARROW:
        return frame
    size = (NARROW, max(1, round(height * NARROW / width)))
    return _frame(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))


def darkened(frame: Frame, random: np.random.Generator) -> Frame:
    def dim(rows: slice) -> npt.NDArray[np.float32]:
        noise = random.standard_normal(frame[rows].shape, dtype=np.float32) * np.float32(DARK_NOISE)
        return frame[rows] * np.float32(DARK_GAIN) + noise

    return _by_rows(frame.shape, dim)


def on_a_desk(frame: Frame, random: np.random.Generator) -> Frame:
    """The document lies a little askew between papers, a book, a keyboard, coins and cables."""
    widest = DESK_WIDTH * DOCUMENT_SHARE
    if frame.shape[1] > widest:
        scale = widest / frame.shape[1]
        frame = _frame(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    height, width = frame.shape[:2]
    desk_width = round(width / DOCUMENT_SHARE)
    desk_height = round(max(0.72 * desk_width, 1.35 * height))
    desk = _desk(desk_width, desk_height, random)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-DESK_TILT, DESK_TILT), 1.0)
    slack = 0.5 * (desk_width - width), 0.5 * (desk_height - height)
    matrix[:, 2] += slack[0] * random.uniform(0.7, 1.3), slack[1] * random.uniform(0.7, 1.3)
    size = (desk_width, desk_height)
    cover = _frame(cv2.warpAffine(np.full((height, width), 255, dtype=np.uint8), matrix, size))
    shadow = _frame(cv2.GaussianBlur(cover, (0, 0), 0.012 * desk_width))
    document = _frame(cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_CUBIC))

    def cast(rows: slice) -> npt.NDArray[np.float32]:
        return desk[rows] * (1 - np.float32(0.45 / 255) * shadow[rows, :, None])

    desk = _by_rows(desk.shape, cast)
    return _blended(desk, document, cover)


RUNGS: dict[str, Degradation] = {
    "blur_1": partial(blurred, sigma=1.0),
    "blur_2": partial(blurred, sigma=2.0),
    **{f"rotate_{degrees}": partial(rotated, degrees=degrees) for degrees in (5, 15, 45, 90, 180)},
    "perspective": in_perspective,
    "glare": with_glare,
    "jpeg_15": compressed,
    "width_450": narrowed,
    "dark": darkened,
    "desk": on_a_desk,
}


def _chance(rung: str, seed: bytes) -> np.random.Generator:
    digest = hashlib.sha256(rung.encode() + b"\0" + seed).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))


def _frame(image: npt.NDArray[np.generic]) -> Frame:
    return np.asarray(image, dtype=np.uint8)


def _by_rows(shape: tuple[int, ...], paint: Callable[[slice], npt.NDArray[np.float32]]) -> Frame:
    """A picture computed in floating point strip by strip: as a whole it would take hundreds of megabytes."""
    result = np.empty(shape, dtype=np.uint8)
    for top in range(0, shape[0], STRIP):
        rows = slice(top, top + STRIP)
        result[rows] = np.clip(paint(rows), 0, 255)
    return result


def _blended(under: Frame, over: Frame, cover: Frame) -> Frame:
    """`over` where `cover` is 255, `under` where it is 0."""

    def blend(rows: slice) -> npt.NDArray[np.float32]:
        share = cover[rows, :, None] * np.float32(1 / 255)
        return over[rows] * share + under[rows] * (1 - share)

    return _by_rows(under.shape, blend)


def _border_colour(frame: Frame) -> tuple[float, float, float]:
    edge = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
    blue, green, red = (float(value) for value in np.median(edge, axis=0))
    return blue, green, red


def _desk(width: int, height: int, random: np.random.Generator) -> Frame:
    """A wooden table with things on it; everything scales with the width."""
    desk = _wood(width, height, random)
    places = [
        (_paper, 0.0, 0.0),
        (_book, 0.55, 0.0),
        (_keyboard, 0.0, 0.62),
        (_cloth, 0.6, 0.6),
        (_paper, 0.3, 0.75),
    ]
    for thing, x, y in places:
        extent = round(width * random.uniform(0.35, 0.6)), round(height * random.uniform(0.25, 0.45))
        at = round(width * (x + random.uniform(-0.12, 0.08))), round(height * (y + random.uniform(-0.1, 0.08)))
        desk = _laid(desk, thing(*extent, random), at, random.uniform(-25, 25))
    for _ in range(4):
        centre = int(random.uniform(0, width)), int(random.uniform(0, height))
        radius = max(3, round(width * random.uniform(0.015, 0.04)))
        metal = int(random.integers(110, 220))
        cv2.circle(desk, centre, radius, (metal * 0.7, metal * 0.9, metal), -1, cv2.LINE_AA)
        cv2.circle(desk, centre, round(radius * 0.8), (metal * 0.6, metal * 0.8, metal * 0.9), 1, cv2.LINE_AA)
    for _ in range(2):
        start, first, second, end = random.uniform(0, 1, (4, 2)) * (width, height)
        t = np.linspace(0, 1, 60)[:, None]
        cable = start * (1 - t) ** 3 + 3 * first * t * (1 - t) ** 2 + 3 * second * t**2 * (1 - t) + end * t**3
        points = cable.astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(desk, [points], False, (35.0, 35.0, 35.0), max(2, width // 180), cv2.LINE_AA)
    return desk


def _laid(desk: Frame, thing: Frame, at: tuple[int, int], degrees: float) -> Frame:
    height, width = thing.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += at
    size = (desk.shape[1], desk.shape[0])
    cover = _frame(cv2.warpAffine(np.full((height, width), 255, dtype=np.uint8), matrix, size))
    return _blended(desk, _frame(cv2.warpAffine(thing, matrix, size)), cover)


def _wood(width: int, height: int, random: np.random.Generator) -> Frame:
    coarse = random.standard_normal((max(2, height // 6), max(2, width // 60)), dtype=np.float32)
    grain = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    base = np.array([60, 95, 140], dtype=np.float32) * np.float32(random.uniform(0.5, 1.4))
    light = np.linspace(0.85, 1.15, width, dtype=np.float32)[:, None]
    return _by_rows((height, width, 3), lambda rows: (base + 12 * grain[rows, :, None]) * light)


def _sheet(width: int, height: int, colour: tuple[int, int, int]) -> Frame:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def _paper(width: int, height: int, random: np.random.Generator) -> Frame:
    """Printed lines, some in capitals and digits as a boarding pass has them."""
    sheet = _sheet(width, height, (235, 238, 240))
    size = max(0.25, width / 900)
    step = max(6, round(26 * size))
    capitals = string.ascii_uppercase + string.digits + " <"
    letters = list(capitals if random.random() < 0.5 else string.ascii_lowercase + "   ")
    for y in range(step, height, step):
        text = "".join(random.choice(letters, 60))
        cv2.putText(sheet, text, (step, y), cv2.FONT_HERSHEY_SIMPLEX, size, (50, 45, 45), 1, cv2.LINE_AA)
    return sheet


def _book(width: int, height: int, random: np.random.Generator) -> Frame:
    blue, green, red = (int(value) for value in random.integers(20, 160, 3))
    sheet = _sheet(width, height, (blue, green, red))
    cv2.rectangle(sheet, (width // 12, height // 8), (width - width // 12, height // 2), (230, 230, 230), 2)
    title = "".join(random.choice(list(string.ascii_uppercase), 8))
    place = (width // 8, height // 3)
    cv2.putText(sheet, title, place, cv2.FONT_HERSHEY_COMPLEX, width / 320, (240, 240, 240), 2, cv2.LINE_AA)
    return sheet


def _keyboard(width: int, height: int, random: np.random.Generator) -> Frame:
    sheet = _sheet(width, height, (45, 45, 45))
    side = max(8, width // 14)
    for y in range(2, height - side, side):
        for x in range(2, width - side, side):
            cv2.rectangle(sheet, (x + 1, y + 1), (x + side - 2, y + side - 2), (80, 80, 80), -1)
            letter = str(random.choice(list(string.ascii_uppercase)))
            place = (x + side // 4, y + 3 * side // 4)
            cv2.putText(sheet, letter, place, cv2.FONT_HERSHEY_SIMPLEX, side / 50, (225, 225, 225), 1, cv2.LINE_AA)
    return sheet


def _cloth(width: int, height: int, random: np.random.Generator) -> Frame:
    """Stripes: regular, dark on light, as text lines are to an edge filter."""
    period = max(4, width // int(random.integers(25, 60)))
    stripes = (150 + 90 * (np.arange(height) // max(1, period // 2) % 2)).astype(np.uint8)
    return np.repeat(np.repeat(stripes[:, None, None], width, axis=1), 3, axis=2)
