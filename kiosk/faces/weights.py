"""The model files of the face part, known by their hash before they are loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

# tools/models.json has where they come from; a test keeps the two lists the same.
WEIGHTS = {
    "face_detection_yunet_2023mar.onnx": "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    "face_recognition_sface_2021dec.onnx": "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
}
DETECTOR, EMBEDDER = WEIGHTS
# Out of face_recognition's own package of models, which pip has checked by hash; checked again before use.
RESNET = "dlib_face_recognition_resnet_model_v1"
PREDICTOR = "shape_predictor_5_face_landmarks"
PACKAGED = {
    RESNET: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    PREDICTOR: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
}


class WeightsError(RuntimeError):
    """A model file is missing or is not the one we know. The text names the file and what to do."""


def verify_weights(models_dir: Path) -> dict[str, str]:
    """The SHA-256 of every model in use, after checking the files. Raises WeightsError."""
    found: dict[str, str] = {}
    for name, expected in WEIGHTS.items():
        found[name.partition(".")[0]] = _verified(models_dir / name, expected)
    for name, expected in PACKAGED.items():
        found[name] = _verified(packaged(name), expected)
    return found


def packaged(name: str) -> Path:
    """Where face_recognition's package of models keeps a file. The package itself loads nothing."""
    import face_recognition_models

    locate = {
        RESNET: face_recognition_models.face_recognition_model_location,
        PREDICTOR: face_recognition_models.pose_predictor_five_point_model_location,
    }
    return Path(locate[name]())


def _verified(path: Path, expected: str) -> str:
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        actual = ""
    if actual != expected:
        raise WeightsError(f"{path} is missing or altered; run `make setup`")
    return actual
