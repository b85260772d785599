"""Whose face it is: the subject among the faces of a frame, chosen deliberately, or nobody where two may be meant.

About one kiosk picture in fourteen holds several faces (NIST IR 8381). A passer-by is small or at the edge; a
second person of the subject's size is another traveller, or a picture of one, and the kiosk does not guess.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kiosk.faces.detect import Face

SECOND_FACE = 0.35  # another face of this share of the first one's area is a second person, not a passer-by
_CENTRAL = 10.0  # how fast a face loses weight away from the middle: at a quarter of the picture 0.54


def subject_first(faces: Sequence[Face], width: int, height: int) -> tuple[Face, ...]:
    """The faces by how much each is what the picture is about: its size, and its place near the middle."""

    def weight(face: Face) -> float:
        x, y = face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2
        away = ((x - width / 2) / width) ** 2 + ((y - height / 2) / height) ** 2
        return face.area * math.exp(-_CENTRAL * away)

    return tuple(sorted(faces, key=weight, reverse=True))


def several_people(faces: Sequence[Face]) -> bool:
    """Two or more faces of which none is clearly the only one meant. The order does not matter."""
    areas = sorted((face.area for face in faces), reverse=True)
    return len(areas) > 1 and areas[1] >= SECOND_FACE * areas[0]
