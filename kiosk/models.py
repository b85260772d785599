"""Every model that a kiosk relies on, known by its hash before it is used."""

from __future__ import annotations

from pathlib import Path

from kiosk import face, viz
from kiosk.face import WeightsError
from kiosk.faces import states
from kiosk.faces.pad import weights as recapture
from kiosk.mrz import weights


def verify_models(models_dir: Path) -> dict[str, str]:
    """Name to SHA-256, as it goes into the record's provenance. Raises WeightsError for one that is not ours."""
    try:
        for name in weights.SHA_256:
            weights.verified(name)
        for name in recapture.SHA_256:
            recapture.verified(name)
        pad = {f"pad_{name.partition('.')[0]}": digest for name, digest in recapture.SHA_256.items()}
        zone = {f"mrz_{name.partition('.')[0]}": digest for name, digest in weights.SHA_256.items()}
        own = states.verify_network() | zone | pad
        return face.verify_weights(models_dir) | viz.verify_weights(models_dir) | own
    except (viz.TextWeightsError, weights.WeightsError, recapture.WeightsError) as error:
        raise WeightsError(str(error)) from None
