"""A face becomes two vectors: SFace's, and that of dlib's network as `face_recognition` uses it.

Each is the mean over a few ways to cut the face out (mirrored, a little wider), which takes out much of what the
noise of the landmarks puts in; which ways, was chosen on pictures in the wild (docs/faces.md). dlib's network runs
in onnxruntime (kiosk/faces/resnet.py). Its face is cut out as dlib does it, after the eye corners and the base of
the nose that the 5-point predictor finds, and once more as YuNet's landmarks say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.faces.detect import ALIGNED, ALIGNED_SIDE, Face, Points, similarity
from kiosk.faces.resnet import SIDE, onnx_model, read_network
from kiosk.faces.weights import EMBEDDER, PREDICTOR, RESNET, packaged
from kiosk.inference import network

Vector = npt.NDArray[np.float32]

_WIDER = 0.9  # a face of nine tenths the size, about the middle of the input
# dlib's chip has the eyes 52.6 of 150 pixels apart at this height: the same five points at its scale.
_CHIP: Points = (ALIGNED - ALIGNED[:2].mean(axis=0)) * (52.55 / 35.24) + np.array([74.0, 47.1])


@dataclass(frozen=True, repr=False, eq=False)
class Template:
    """The embeddings of one face, each of length 1. Never stored, never sent; `wipe` when the step is over."""

    first: Vector  # SFace
    second: Vector | None  # dlib; None where it was not wanted

    def wipe(self) -> None:
        """Overwrite the numbers."""
        self.first.fill(0)
        if self.second is not None:
            self.second.fill(0)


def average(templates: Sequence[Template], weights: Sequence[float]) -> Template:
    """One template of several of the same face, each with its weight; the second where all have one."""
    first = sum((weight * one.first for one, weight in zip(templates, weights, strict=True)), np.float32(0))
    seconds = [one.second for one in templates if one.second is not None]
    second = None
    if len(seconds) == len(templates):
        second = unit(sum((weight * one for one, weight in zip(seconds, weights, strict=True)), np.float32(0)))
    return Template(unit(first), second)


def unit(vector: Any) -> Vector:
    """Of length 1."""
    values = np.asarray(vector, dtype=np.float32).ravel()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), dtype=np.float32)


class Embedder:
    """Holds both networks, one thread each. Not safe for several threads at once."""

    def __init__(self, models_dir: Path) -> None:
        import cv2
        import dlib

        self._cv2, self._dlib = cv2, dlib
        # Of the two runtimes OpenCV's is the faster for SFace, with the same numbers.
        self._sface = cv2.dnn.readNet(str(models_dir / EMBEDDER))
        self._resnet: Any = network(onnx_model(read_network(packaged(RESNET).read_bytes())))
        self._corners = dlib.shape_predictor(str(packaged(PREDICTOR)))

    def template(self, image: Frame, face: Face, *, second: bool = True) -> Template:
        """Both embeddings of a face; the second is None where it is not wanted."""
        first = unit(self.sface(image, face, zoom=_WIDER)) + unit(self.sface(image, face, mirrored=True))
        return Template(unit(first), self._second(image, face) if second else None)

    def sface(self, image: Frame, face: Face, *, zoom: float = 1.0, mirrored: bool = False) -> Vector:
        """SFace's vector, 128, of any length, of the face as it was trained to see it, or varied."""
        middle = ALIGNED_SIDE / 2
        aligned = self._cut(image, face, (ALIGNED - middle) * zoom + middle, ALIGNED_SIDE)
        self._sface.setInput(_channels_first(aligned, mirrored)[None])
        return np.array(self._sface.forward()[0], dtype=np.float32)

    def resnet(self, chips: Sequence[Frame]) -> Vector:
        """dlib's vectors, (n, 128), of chips of 150 × 150 pixels."""
        blob = np.stack([_channels_first(chip, mirrored=False) for chip in chips])
        return np.asarray(self._resnet.run(None, {"chips": blob})[0], dtype=np.float32)

    def chip(self, image: Frame, face: Face) -> Frame:
        """The face as dlib cuts it out."""
        x, y, width, height = face.box
        # Cut to the surroundings first: dlib copies what it is given.
        margin = max(width, height)
        left, top = max(0, int(x - margin)), max(0, int(y - margin))
        around = image[top : int(y + height + margin) + 1, left : int(x + width + margin) + 1]
        # dlib's own detector boxes are square and cut at the brows; this is the same shape made of YuNet's box.
        centre_x, centre_y = x + width / 2 - left, y + height * 0.58 - top
        half = max(width, height * 0.8) / 2
        place = self._dlib.rectangle(
            int(centre_x - half), int(centre_y - half), int(centre_x + half), int(centre_y + half)
        )
        rgb = np.ascontiguousarray(around[:, :, ::-1])
        cut = self._dlib.get_face_chip(rgb, self._corners(rgb, place), size=SIDE)
        return np.asarray(cut, dtype=np.uint8)[:, :, ::-1]

    def _second(self, image: Frame, face: Face) -> Vector:
        chips = [self.chip(image, face), self._cut(image, face, _CHIP, SIDE)[:, ::-1]]
        return unit(sum(unit(vector) for vector in self.resnet(chips)))

    def _cut(self, image: Frame, face: Face, target: Points, side: int) -> Frame:
        matrix = similarity(face.landmarks, target)
        return np.asarray(self._cv2.warpAffine(image, matrix, (side, side)), dtype=np.uint8)


def _channels_first(image: Frame, mirrored: bool) -> Vector:
    """BGR (height, width, 3) to RGB (3, height, width), 0 to 255."""
    seen = image[:, ::-1] if mirrored else image
    return np.ascontiguousarray(seen[:, :, ::-1].transpose(2, 0, 1), dtype=np.float32)
