"""Every model that a kiosk relies on, known by its hash before it is used."""

from __future__ import annotations

from pathlib import Path

from kiosk import face, viz
from kiosk.face import WeightsError
from kiosk.faces import states
from kiosk.mrz import weights


def verify_models(models_dir: Path) -> dict[str, str]:
    """Name to SHA-256, as it goes into the record's provenance. Raises WeightsError for one that is not ours."""
    try:
        for name in weights.SHA_256:
            weights.verified(name)
        zone = {f"mrz_{name.partition('.')[0]}": digest for name, digest in weights.SHA_256.items()}
        return face.verify_weights(models_dir) | states.verify_network() | viz.verify_weights(models_dir) | zone
    except (viz.TextWeightsError, weights.WeightsError) as error:
        raise WeightsError(str(error)) from None
