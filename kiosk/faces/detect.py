"""Finds faces: YuNet on a reduced frame, and with more patience where a picture must have one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.faces.weights import DETECTOR

Points = npt.NDArray[np.float64]

ALIGNED_SIDE = 112
# Where SFace wants the eyes, the nose and the corners of the mouth in its 112 × 112 input.
ALIGNED: Points = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)

_WIDTH = 480  # YuNet needs no more for a face that fills a tenth of the frame
_SMALLEST = 16  # pixels: no face is told from less
_SURE, _PATIENT = 0.7, 0.5  # YuNet's confidence: of a frame among many, and of the only picture there is
_CERTAIN = 0.91  # upright: a face that lies or hangs is seen too, as one that stands, with up to 0.89
_TURNED = 0.03  # by how much surer a turned picture must be: most stand upright
_MARGIN = 0.35  # of the picture's larger side, laid around one that a face may fill
_LARGEST_PIXELS = 2_000_000  # a picture of more is reduced before anything looks at it
# To place the landmarks, the face is looked at again, upright in the middle of squares of these sides.
_CLOSE_LOOKS = (160, 224)
_FILLING = 0.62  # of such a square, beside SFace's tight cut
_NEAR = 0.5  # eye distances: what is found farther from where the face was is another face


@dataclass(frozen=True)
class Face:
    """A face in a frame: box (x, y, width, height) and five landmarks (eyes, nose, mouth corners), in pixels."""

    box: tuple[float, float, float, float]
    landmarks: Points  # (5, 2); first the eye on the left of the picture
    confidence: float

    @property
    def width(self) -> float:
        return self.box[2]

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]

    @property
    def eye_distance(self) -> float:
        """Between the eyes' centres, in pixels (ISO/IEC 29794-5 §7.3.7)."""
        return float(np.hypot(*(self.landmarks[1] - self.landmarks[0])))

    @property
    def turn(self) -> float:
        """How far the nose stands beside the middle of the eyes, in eye distances; > 0 = to the picture's right.

        A head that turns moves its nose against its eyes, because the nose stands in front of them. A flat
        picture that is turned does not.
        """
        left, right, nose = self.landmarks[0], self.landmarks[1], self.landmarks[2]
        across = right - left
        distance = float(np.hypot(*across))
        if distance < 1.0:
            return 0.0
        return float(np.dot(nose - (left + right) / 2, across) / distance**2)

    def moved(self, scale: float, shift: tuple[float, float] = (0.0, 0.0)) -> Face:
        """The same face in a picture that is `scale` times as large, then moved by `shift` pixels."""
        x, y, width, height = (value * scale for value in self.box)
        box = (x + shift[0], y + shift[1], width, height)
        return Face(box, self.landmarks * scale + np.asarray(shift), self.confidence)


class FaceDetector:
    """YuNet. Not safe for several threads at once."""

    def __init__(self, models_dir: Path) -> None:
        import cv2

        self._cv2 = cv2
        self._network = cv2.FaceDetectorYN.create(
            str(models_dir / DETECTOR), "", (320, 320), score_threshold=_PATIENT, nms_threshold=0.3, top_k=50
        )

    def find(self, image: Frame) -> tuple[Face, ...]:
        """The faces of a frame, the largest first."""
        return tuple(face for face in self._look(image) if face.confidence >= _SURE)

    def find_patiently(self, image: Frame) -> tuple[Frame, tuple[Face, ...]]:
        """The faces of a picture that is all there is, and the picture as it had to be turned to find them.

        A face that fills the picture is found inside a margin, a small one by enlarging, a lying one by turning:
        although one was seen, unless it is certain, because the network takes a lying face for a standing one.
        """
        best: tuple[float, Frame, tuple[Face, ...]] = (0.0, image, ())
        for quarters, turned in enumerate(_turned(_reduced(image, self._cv2))):
            for seen, scale, shift in self._views(turned):
                faces = tuple(face.moved(scale, shift) for face in self._look(seen))
                if faces:
                    surest = max(face.confidence for face in faces) - (_TURNED if quarters else 0.0)
                    if surest > best[0]:
                        best = surest, turned, faces
                    break
            if best[0] >= _CERTAIN:
                break
        return best[1], best[2]

    def refined(self, image: Frame, face: Face) -> Face:
        """The same face with its landmarks placed better: as two closer looks at it, upright, say on average.

        YuNet's landmarks are uncertain by a pixel or two of the size at which it looks, and worse of a tilted
        head; embeddings move with them.
        """
        places = [place for side in _CLOSE_LOOKS if (place := self._closer(image, face, side)) is not None]
        return Face(face.box, np.mean(places, axis=0), face.confidence) if places else face

    def _closer(self, image: Frame, face: Face, side: int) -> Points | None:
        """The landmarks, in the image, that are found in a square of the face turned upright."""
        upright = (ALIGNED - ALIGNED.mean(axis=0)) * (_FILLING * side / ALIGNED_SIDE) + side / 2
        matrix = similarity(face.landmarks, upright)
        square = self._cv2.warpAffine(image, matrix, (side, side), borderMode=self._cv2.BORDER_REPLICATE)
        back = self._cv2.invertAffineTransform(matrix)
        found = [
            (seen.confidence, seen.landmarks @ back[:, :2].T + back[:, 2])
            for seen in self._look(np.asarray(square, dtype=np.uint8))
        ]
        near = _NEAR * max(face.eye_distance, 1.0)
        same = [one for one in found if np.abs(one[1].mean(axis=0) - face.landmarks.mean(axis=0)).max() < near]
        return max(same, key=lambda one: one[0])[1] if same else None

    def _look(self, image: Frame) -> tuple[Face, ...]:
        height, width = image.shape[:2]
        if min(height, width) < _SMALLEST:
            return ()
        scale = min(1.0, _WIDTH / width)
        small = image if scale == 1.0 else self._cv2.resize(image, None, fx=scale, fy=scale)
        if min(small.shape[:2]) < _SMALLEST:
            return ()
        self._network.setInputSize((small.shape[1], small.shape[0]))
        rows: Any = self._network.detect(small)[1]
        if rows is None:
            return ()
        faces = [
            Face(
                box=(row[0] / scale, row[1] / scale, row[2] / scale, row[3] / scale),
                landmarks=np.asarray(row[4:14], dtype=np.float64).reshape(5, 2) / scale,
                confidence=float(row[14]),
            )
            for row in rows.tolist()
        ]
        return tuple(sorted(faces, key=lambda face: -face.area))

    def _views(self, image: Frame) -> Iterator[tuple[Frame, float, tuple[float, float]]]:
        """Ways to look at a picture; each with the scale and the shift that lead back to it."""
        height, width = image.shape[:2]
        yield image, 1.0, (0.0, 0.0)
        margin = round(_MARGIN * max(height, width))
        framed = self._cv2.copyMakeBorder(image, margin, margin, margin, margin, self._cv2.BORDER_REPLICATE)
        yield np.asarray(framed, dtype=np.uint8), 1.0, (-float(margin), -float(margin))
        if width < _WIDTH:
            scale = _WIDTH / width
            larger = self._cv2.resize(image, None, fx=scale, fy=scale, interpolation=self._cv2.INTER_CUBIC)
            yield np.asarray(larger, dtype=np.uint8), 1 / scale, (0.0, 0.0)


def _turned(image: Frame) -> Iterator[Frame]:
    for quarters in (0, 1, 3, 2):
        yield np.ascontiguousarray(np.rot90(image, quarters))


def _reduced(image: Frame, cv2: Any) -> Frame:
    pixels = image.shape[0] * image.shape[1]
    if pixels <= _LARGEST_PIXELS:
        return image
    scale = (_LARGEST_PIXELS / pixels) ** 0.5
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def similarity(source: Points, target: Points) -> Points:
    """The 2 × 3 matrix that turns, scales and moves `source` onto `target` (Umeyama 1991, without mirroring)."""
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - source_mean, target - target_mean
    # In the plane the best turn and scale are one complex number.
    a, b = centred[:, 0] + 1j * centred[:, 1], wanted[:, 0] + 1j * wanted[:, 1]
    power = float(np.sum(np.abs(a) ** 2))
    factor = complex(np.sum(b * np.conj(a))) / max(power, 1e-9)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([turn, (target_mean - turn @ source_mean)[:, None]])
