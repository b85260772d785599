"""The three pieces of a frame that tell a recapture: the face with its surroundings, the face, and its grain.

A bezel, a hand or the edge of a print lies beside the face, and a network that sees the face alone never sees it.
The edge of a mask and the holes cut for its eyes lie in the face and are too fine for the first piece. Dots, moiré
and the grain of a print are finer than any picture that was made smaller, so the grain is cut out pixel for pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame

SIDE = 112  # of all pieces, pixels
AROUND = 7.0  # eye distances that the surroundings take in
CLOSE = 4.0  # and the face
# A face that fills more of its frame than any that was trained on is made smaller first. Eye distance, pixels.
LARGEST_EYES = 110.0

Landmarks = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """What is cut out of one frame: each `SIDE` × `SIDE`, BGR."""

    around: Frame
    close: Frame
    grain: Frame


def cut_pieces(image: Frame, landmarks: Landmarks) -> Pieces:
    """The three pieces about the face with these five points."""
    return Pieces(surroundings(image, landmarks), close_up(image, landmarks), grain(image, landmarks))


def eye_distance(landmarks: Landmarks) -> float:
    """Pixels between the eyes, or less than one where the landmarks are none."""
    return float(np.hypot(*(landmarks[1] - landmarks[0])))


def surroundings(image: Frame, landmarks: Landmarks) -> Frame:
    """The face and what is around it, `SIDE` × `SIDE`, BGR; black where the frame ends."""
    return _piece(image, landmarks, AROUND)


def close_up(image: Frame, landmarks: Landmarks) -> Frame:
    """The face from the hair to the chin, `SIDE` × `SIDE`, BGR; black where the frame ends."""
    return _piece(image, landmarks, CLOSE)


def _piece(image: Frame, landmarks: Landmarks, width: float) -> Frame:
    """A square about the face, `width` units wide.

    The unit is the longer of eye distance and eye-mouth distance, so that a turned head keeps its size.
    """
    import cv2

    centre = landmarks.mean(axis=0)
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    unit = max(eye_distance(landmarks), float(np.hypot(*(mouth - eyes))), 4.0)
    scale = SIDE / (width * unit)
    matrix = np.array([[scale, 0, SIDE / 2 - scale * centre[0]], [0, scale, SIDE / 2 - scale * centre[1]]])
    if scale < 0.5:  # the warp samples without averaging: shrink by whole areas first
        factor = 2 * scale
        image = _shrunk(image, factor)
        matrix[:, :2] /= factor
    return np.asarray(cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.uint8)


def grain(image: Frame, landmarks: Landmarks) -> Frame:
    """The middle of the face as the sensor saw it, `SIDE` × `SIDE`, BGR; edges repeated where the frame ends."""
    import cv2

    eyes = eye_distance(landmarks)
    centre = landmarks.mean(axis=0)
    if eyes > LARGEST_EYES:
        factor = LARGEST_EYES / eyes
        image = _shrunk(image, factor)
        centre = centre * factor
    height, width = image.shape[:2]
    x = int(np.clip(round(centre[0]) - SIDE // 2, 0, max(0, width - SIDE)))
    y = int(np.clip(round(centre[1]) - SIDE // 2, 0, max(0, height - SIDE)))
    piece = image[y : y + SIDE, x : x + SIDE]
    missing = (SIDE - piece.shape[0], SIDE - piece.shape[1])
    if any(missing):
        piece = np.asarray(cv2.copyMakeBorder(piece, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE), np.uint8)
    return np.ascontiguousarray(piece)


def _shrunk(image: Frame, factor: float) -> Frame:
    import cv2

    size = [max(1, round(side * factor)) for side in (image.shape[1], image.shape[0])]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
