"""Finds and reads the lines of print on an upright page: PP-OCRv6 (Apache-2.0), two networks under onnxruntime.

The detector gives a map of where print is; connected regions of it become turned rectangles, each is cut out of
the full picture and read by the recogniser (CTC). Only Latin and Greek letters, digits and marks can be read: what
the networks know of other scripts would only turn a smudge into a Chinese character (docs/adr/0012).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.inference import network

# tools/models.json has where they come from; a test keeps the two lists the same.
WEIGHTS = {
    "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "PP-OCRv6_rec_small.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
}
_DETECTOR, _RECOGNISER = WEIGHTS

_STRIDE = 32  # the detector wants sides that are multiples of it
_INK = 0.3  # a pixel of the map that belongs to print
_LINE = 0.5  # mean of the map inside a rectangle that is a line of print
_GROWTH = 1.6  # the map shrinks lines; the rectangle grows back by area x this / perimeter
_ENLARGED = 2.0
_SMALLEST = 3.0  # pixels of the map
_LINES = 120  # a page has thirty; more is a pattern, and each costs time
_HEIGHT = 48  # what the recogniser reads
_WIDEST = 1440
_MARKS = " .,-/'’()<:;&+°№"

Corners = npt.NDArray[np.float64]  # (4, 2): start-top, end-top, end-bottom, start-bottom, in pixels


class TextWeightsError(RuntimeError):
    """A model file is missing or is not the one we know. The text names the file and what to do."""


@dataclass(frozen=True, repr=False)
class Line:
    """A line that was read: its text, the mean certainty of its characters (0 to 1), and where it stands."""

    text: str
    confidence: float
    corners: Corners


class PageText:
    """Holds the two networks, one thread each. Not safe for several threads at once."""

    def __init__(self, models_dir: Path) -> None:
        """Raises TextWeightsError."""
        self.models = verify_weights(models_dir)
        self._detector, self._recogniser = (
            network((models_dir / name).read_bytes(), keep_memory=False) for name in WEIGHTS
        )
        known = self._recogniser.get_modelmeta().custom_metadata_map["character"].splitlines()
        letters = np.array(["", *known, " "])
        self._columns = np.array([column for column, letter in enumerate(letters) if _wanted(letter)])
        self._letters = letters[self._columns]

    def find(self, page: Frame, longest: int) -> tuple[Corners, ...]:
        """The lines of print on `page`, seen at `longest` pixels along its longer side, the tallest print first.

        A small picture is enlarged: print of six pixels is lost on the detector's map, which is a quarter as fine.
        """
        import cv2

        height, width = page.shape[:2]
        scale = min(_ENLARGED, longest / max(height, width))
        size = (_stepped(width * scale), _stepped(height * scale))
        small = cv2.resize(page, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        given = np.ascontiguousarray((small.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None])
        print_map = self._detector.run(None, {self._detector.get_inputs()[0].name: given})[0][0, 0]
        mask = cv2.dilate((print_map > _INK).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
        back = np.array([width / size[0], height / size[1]])
        found = [corners * back for contour in contours if (corners := _rectangle(contour, print_map)) is not None]
        found.sort(key=_tallness, reverse=True)
        return tuple(found[:_LINES])

    def read(self, page: Frame, lines: tuple[Corners, ...]) -> Iterator[Line]:
        """The texts of `lines`, one by one, in the order given; those without a text are left out."""
        for corners in lines:
            given = (_cut(page, corners).astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
            chances = self._recogniser.run(None, {"x": np.ascontiguousarray(given)})[0][0]
            text, confidence = self._decode(chances)
            if text:
                yield Line(text, confidence, corners)

    def _decode(self, chances: npt.NDArray[np.float32]) -> tuple[str, float]:
        """CTC, the best path: repetitions are one character, column 0 stands between characters."""
        wanted = chances[:, self._columns]
        best = wanted.argmax(axis=1)
        keep = (best != 0) & (np.diff(best, prepend=0) != 0)
        text = "".join(self._letters[best[keep]])
        return text.strip(), float(wanted.max(axis=1)[keep].mean()) if keep.any() else 0.0


def verify_weights(models_dir: Path) -> dict[str, str]:
    """The SHA-256 of both networks, after checking them. Raises TextWeightsError."""
    for name, expected in WEIGHTS.items():
        if _sha256(models_dir / name) != expected:
            raise TextWeightsError(f"{models_dir / name} is missing or altered; run `make setup`")
    return {name.partition(".")[0]: expected for name, expected in WEIGHTS.items()}


def _wanted(letter: str) -> bool:
    """The blank of CTC, digits, marks, and letters of the Latin and Greek alphabets as names are written."""
    if letter == "" or letter in _MARKS or letter in "0123456789":
        return True
    if len(letter) != 1 or not letter.isalpha():
        return False
    if letter in "ƏəȘșȚțẞ":
        return True
    name = unicodedata.name(letter, "")
    return name.startswith("LATIN" if letter < "ƀ" else "GREEK") and not "ƀ" <= letter < "Ͱ" and letter < "Ϗ"


def _stepped(pixels: float) -> int:
    return max(_STRIDE, round(pixels / _STRIDE) * _STRIDE)


def _rectangle(contour: Any, print_map: npt.NDArray[np.float32]) -> Corners | None:
    """The turned rectangle around a region of the map, grown to the size of the print; None when it is no line."""
    import cv2

    centre, (width, height), degrees = cv2.minAreaRect(contour)
    if min(width, height) < _SMALLEST:
        return None
    left, top, across, down = cv2.boundingRect(contour)
    inside = np.zeros((down, across), np.uint8)
    corners = cv2.boxPoints((centre, (width, height), degrees)) - (left, top)
    cv2.fillPoly(inside, [np.round(corners).astype(np.int32)], 1)
    if cv2.mean(print_map[top : top + down, left : left + across], inside)[0] < _LINE:
        return None
    growth = width * height * _GROWTH / (2 * (width + height))
    grown = cv2.boxPoints((centre, (width + 2 * growth, height + 2 * growth), degrees)).astype(np.float64)
    # The page is upright, so a line starts at its left end and its top is above.
    ends = grown[np.argsort(grown[:, 0])]
    start, end = ends[:2], ends[2:]
    start, end = start[np.argsort(start[:, 1])], end[np.argsort(end[:, 1])]
    ordered = np.array([start[0], end[0], end[1], start[1]])
    return ordered if _tallness(ordered) < 1.5 * np.hypot(*(ordered[1] - ordered[0])) else None


def _tallness(corners: Corners) -> float:
    return float(np.hypot(*(corners[3] - corners[0])) + np.hypot(*(corners[2] - corners[1]))) / 2


def _cut(page: Frame, corners: Corners) -> Frame:
    """The line, straightened, `_HEIGHT` pixels tall."""
    import cv2

    length = (np.hypot(*(corners[1] - corners[0])) + np.hypot(*(corners[2] - corners[3]))) / 2
    width = int(np.clip(np.ceil(length * _HEIGHT / max(_tallness(corners), 1.0)), _HEIGHT // 2, _WIDEST))
    target = np.array([[0, 0], [width, 0], [width, _HEIGHT], [0, _HEIGHT]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    cut = cv2.warpPerspective(
        page, matrix, (width, _HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, dtype=np.uint8)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
