"""What can be measured: Corridor's fusion, and its two parents alone as their users call them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.faces.detect import Face, FaceDetector
from kiosk.faces.embed import Embedder, unit
from kiosk.faces.fusion import Calibration, Policy
from kiosk.faces.match import DOUBT_RATE, MATCH_RATE
from kiosk.faces.pinned import verify_outputs
from kiosk.faces.subject import subject_first
from kiosk.faces.weights import verify_weights

Indices = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]


class Engine(Protocol):
    """Embeds pictures under their numbers, then compares them by number. Higher scores: more alike."""

    name: str
    policy: Policy

    def expect(self, pictures: int) -> None:
        """Make room."""
        ...

    def embed(self, index: int, image: Frame) -> bool:
        """False where no face is found."""
        ...

    def compare(self, left: Indices, right: Indices) -> Scores: ...


class _OneFace:
    """Finds the face a picture is about, patiently; all engines are given the same one."""

    def __init__(self, models_dir: Path) -> None:
        verify_weights(models_dir)
        self._detector = FaceDetector(models_dir)

    def find(self, image: Frame, *, refined: bool = False) -> tuple[Frame, Face] | None:
        upright, faces = self._detector.find_patiently(image)
        if not faces:
            return None
        face = subject_first(faces, upright.shape[1], upright.shape[0])[0]
        return upright, self._detector.refined(upright, face) if refined else face


class FusedEngine:
    """Both networks as the kiosk uses them. The score is log10 of the likelihood ratio."""

    name = "fused"

    def __init__(self, models_dir: Path) -> None:
        self._calibration = Calibration.load()
        self.policy = self._calibration.policy(self.name, MATCH_RATE, DOUBT_RATE)
        self._faces = _OneFace(models_dir)
        self._embedder = Embedder(models_dir)
        verify_outputs(FaceDetector(models_dir), self._embedder)
        self.expect(0)

    def expect(self, pictures: int) -> None:
        self._first = np.zeros((pictures, 128), dtype=np.float32)
        self._second = np.zeros((pictures, 128), dtype=np.float32)

    def embed(self, index: int, image: Frame) -> bool:
        found = self._faces.find(image, refined=True)
        if found is None:
            return False
        template = self._embedder.template(*found)
        self._first[index] = template.first
        if template.second is not None:
            self._second[index] = template.second
        return True

    def compare(self, left: Indices, right: Indices) -> Scores:
        return self._calibration.fuse(
            (self._first[left], self._first[right]), (self._second[left], self._second[right])
        )


class SFaceEngine:
    """SFace alone, one crop. The score is the cosine; OpenCV's default threshold is 0.363."""

    name = "sface"

    def __init__(self, models_dir: Path) -> None:
        self.policy = Calibration.load().policy(self.name, MATCH_RATE, DOUBT_RATE)
        self._faces = _OneFace(models_dir)
        self._embedder = Embedder(models_dir)
        self.expect(0)

    def expect(self, pictures: int) -> None:
        self._vectors = np.zeros((pictures, 128), dtype=np.float32)

    def embed(self, index: int, image: Frame) -> bool:
        found = self._faces.find(image)
        if found is None:
            return False
        self._vectors[index] = unit(self._embedder.sface(*found))
        return True

    def compare(self, left: Indices, right: Indices) -> Scores:
        return _cosines(self._vectors, left, right)


class DlibEngine:
    """The library face_recognition, given YuNet's box. The score is 1 - distance; its default of 0.60 is 0.40."""

    name = "dlib"

    def __init__(self, models_dir: Path) -> None:
        import face_recognition

        self.policy = Calibration.load().policy(self.name, MATCH_RATE, DOUBT_RATE)
        self._faces = _OneFace(models_dir)
        self._library: Any = face_recognition
        self.expect(0)

    def expect(self, pictures: int) -> None:
        self._vectors = np.zeros((pictures, 128), dtype=np.float32)

    def embed(self, index: int, image: Frame) -> bool:
        found = self._faces.find(image)
        if found is None:
            return False
        upright, face = found
        rgb = np.ascontiguousarray(upright[:, :, ::-1])
        x, y, width, height = face.box
        across, down, half = x + width / 2, y + height * 0.58, max(width, height * 0.8) / 2
        box = (int(down - half), int(across + half), int(down + half), int(across - half))
        # model="small": five points. The other predictor of that package may not be used commercially.
        vectors = self._library.face_encodings(rgb, known_face_locations=[box], model="small")
        self._vectors[index] = vectors[0]
        return True

    def compare(self, left: Indices, right: Indices) -> Scores:
        apart = self._vectors[left] - self._vectors[right]
        return np.asarray(1 - np.linalg.norm(apart.astype(np.float64), axis=1), dtype=np.float64)


ENGINES: dict[str, Callable[[Path], Engine]] = {"dlib": DlibEngine, "sface": SFaceEngine, "fused": FusedEngine}


def _cosines(vectors: Vectors, left: Indices, right: Indices) -> Scores:
    alike = np.einsum("ij,ij->i", vectors[left], vectors[right])
    return np.asarray(alike, dtype=np.float64)
