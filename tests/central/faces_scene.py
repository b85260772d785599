"""A small labelled set, somebody who orders it measured, and figures as a station would send them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from central import face_measurements
from central.access.permissions import User
from central.face_sets import FaceSet, read_set
from central.service import Central
from contracts.face_measurement import FaceFigures, FaceModels, FaceOutcome

PICTURES = {
    f"{person}-{place}.jpg": f"picture of {person} {place}".encode() for person in "ab" for place in (1, 2)
}
LIST = "path,identity,group\n" + "".join(
    f"{name},Secret Name {name[0]},{'north' if name[0] == 'a' else 'south'}\n" for name in PICTURES
)
MODELS = FaceModels(
    models={"face_recognition_sface_2021dec": "0b" * 32},
    calibration="1",
    calibration_sha256="ab" * 32,
    match_rate=0.0002,
    doubt_rate=0.01,
    printed_match_rate=0.00005,
)


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def faces(pairs: str = "") -> FaceSet:
    return read_set(listed=LIST.encode(), pairs=pairs.encode(), archive=packed(PICTURES))


def ordered(central: Central, user: User, station_id: str, **how: Any) -> int:
    return face_measurements.order(central, user, faces(), station_id=station_id, **how)


def figures(**changes: Any) -> FaceFigures:
    """Two groups, of which one differs."""

    def group(number: int, fmr: float, interval: tuple[float, float], said: str) -> dict[str, Any]:
        return {
            "group": number, "images": 400, "failure_to_detect": 1, "failure_to_detect_ci": (0.0001, 0.0138),
            "genuine": 200, "fnmr": 0.01, "fnmr_ci": (0.0012, 0.0357), "impostor": 4000, "fmr": fmr,
            "fmr_ci": interval,
            "differences": {"failure_to_detect": "not_enough_data", "fnmr": "not_enough_data", "fmr": said},
        }  # fmt: skip

    values: dict[str, Any] = {
        "engine": "fused", "images": 800, "failure_to_detect": 2, "pairs": 100400, "genuine": 400,
        "impostor": 100_000, "eer": 0.0045, "tar_at_fmr": {"1e-3": 0.992, "5e-4": 0.99, "1e-4": 0.98},
        "tar_ci": dict.fromkeys(("1e-3", "5e-4", "1e-4"), (0.97, 0.999)), "threshold": 0.753,
        "fmr": 0.0002, "fmr_ci": (0.00012, 0.00031), "fnmr": 0.01, "fnmr_ci": (0.0027, 0.0254),
        "by_group": [
            group(0, 0.02, (0.016, 0.025), "shown"), group(1, 0.0002, (0.0001, 0.0004), "not_shown"),
        ],
        "det": [(1.0, 0.0), (0.1, 0.0), (0.01, 0.002), (0.001, 0.008), (0.0001, 0.02), (0.00001, 0.04)],
        "ms_per_image_median": 131.0, "seconds": 104.0, "models": MODELS,
    }  # fmt: skip
    return FaceFigures.model_validate(values | changes)


def outcome(attempt: int = 1, **changes: Any) -> FaceOutcome:
    return FaceOutcome(attempt=attempt, figures=figures(**changes))
