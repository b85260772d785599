"""`page_portrait`: whether a portrait is printed where the document's format has one (9303-4, -5, -6: zone V).

A passport, and a card of the second size, has it left of the middle above the machine readable zone; a card of the
first size on its other side. Whose face it is, is not asked here: the traveller is compared with the chip's
portrait, and a page that lost its own would be noticed by nobody. The pale second portrait stands elsewhere and is
smaller, so that it is not taken for the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from contracts.checks import Check, CheckName, Verdict
from contracts.party import DocumentFormat
from documents.mrz import Mrz
from hardware.ports import Frame
from kiosk.face import Face
from kiosk.reduce import smaller
from kiosk.viz import upright

LEAST_FACE_MM = 12.0  # from forehead to chin: of portraits 16 and more, of second portraits 11 and less
MIDDLE = 0.5  # of the zone's length
UNKNOWN_SCALE = 0.08  # of a frame's longer side, where no zone says how large a millimetre is
_PITCH_MM = 2.54  # from character to character, 9303-3 §4
_CHARACTERS = {DocumentFormat.TD1: 30, DocumentFormat.TD2: 36, DocumentFormat.TD3: 44}
_ACROSS = 800  # pixels: a face of 12 mm is then 60 high

Corners = Sequence[npt.NDArray[np.float64]]


class FaceFinder(Protocol):
    """`kiosk.face.FaceMatcher`, as far as it is used here."""

    def find(self, image: Frame) -> tuple[Face, ...]: ...


def check_portrait(finder: FaceFinder, frame: Frame | None, corners: Corners, mrz: Mrz) -> Check:
    """Of the side on which the zone is. `corners` are the zone's lines in the frame, as `kiosk.mrz` finds them."""
    if frame is None or mrz.key is None:
        return _answer(Verdict.NOT_CHECKED, "zone_not_read")
    if mrz.format not in _CHARACTERS:
        return _answer(Verdict.NOT_PRESENT, "no_portrait_needed")
    if mrz.format is DocumentFormat.TD1:
        return _answer(Verdict.NOT_CHECKED, "front_not_shown")
    if not corners:  # the second reader read alone, and does not say where
        return _found(_shows_face(finder, frame, UNKNOWN_SCALE * max(frame.shape[:2])))
    small, scale = _reduced(frame)
    page, zone = upright(small, [line * scale for line in corners])
    if zone is None:
        return _answer(Verdict.NOT_CHECKED, "zone_not_read")
    left, top, right, _ = zone
    least = LEAST_FACE_MM * (right - left) / (_CHARACTERS[mrz.format] * _PITCH_MM)
    return _found(
        any(
            face.box[3] >= least
            and face.box[0] + face.box[2] / 2 < left + MIDDLE * (right - left)
            and face.box[1] + face.box[3] / 2 < top
            for face in finder.find(page)
        )
    )


def check_front(finder: FaceFinder, front: Frame, corners: Corners, mrz: Mrz) -> Check:
    """Of a card that was turned over, however it lies. `corners` are those of its zone, on the side before."""
    least = UNKNOWN_SCALE * max(front.shape[:2])
    if corners and mrz.format in _CHARACTERS:
        length = float(np.mean([np.hypot(*(line[1] - line[0])) for line in corners]))
        least = LEAST_FACE_MM * length / (_CHARACTERS[mrz.format] * _PITCH_MM)
    return _found(_shows_face(finder, front, least))


def _shows_face(finder: FaceFinder, frame: Frame, least: float) -> bool:
    """A face at least so many pixels high, whichever way up."""
    small, scale = _reduced(frame)
    return any(
        face.box[3] >= least * scale
        for quarters in (0, 2, 1, 3)
        for face in finder.find(np.ascontiguousarray(np.rot90(small, quarters)))
    )


def _reduced(frame: Frame) -> tuple[Frame, float]:
    small = smaller(frame, _ACROSS)
    return small, small.shape[1] / frame.shape[1]


def _found(face: bool) -> Check:
    return _answer(Verdict.PASSED, "ok") if face else _answer(Verdict.FAILED, "no_printed_portrait")


def _answer(verdict: Verdict, reason: str) -> Check:
    return Check(name=CheckName.PAGE_PORTRAIT, verdict=verdict, reason=reason)
