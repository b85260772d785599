"""What a kiosk compares faces with, as it tells central: models, calibration and operating points."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from contracts.face_measurement import FaceModels
from kiosk.config import FaceRates
from kiosk.faces.fusion import CALIBRATION, Calibration
from kiosk.faces.states import verify_network
from kiosk.faces.weights import PACKAGED, WEIGHTS


def describe(models: Mapping[str, str], rates: FaceRates) -> FaceModels:
    """Of the verified models of a kiosk those for faces, with what turns their output into a decision."""
    own = {*(name.partition(".")[0] for name in WEIGHTS), *PACKAGED, *verify_network()}
    return FaceModels(
        models={name: digest for name, digest in models.items() if name in own},
        calibration=Calibration.load().version,
        calibration_sha256=hashlib.sha256(CALIBRATION.read_bytes()).hexdigest(),
        match_rate=rates.match_rate,
        doubt_rate=rates.doubt_rate,
        printed_match_rate=rates.printed_match_rate,
    )
