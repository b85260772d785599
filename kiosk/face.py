"""The face part's names in one place; the parts are in kiosk/faces/."""

from __future__ import annotations

from kiosk.faces.detect import Face
from kiosk.faces.embed import Template
from kiosk.faces.match import SAME_FILM_COSINE, Comparison, FaceMatcher, cosine
from kiosk.faces.weights import WEIGHTS, WeightsError, verify_weights

DOUBT_COSINE = SAME_FILM_COSINE

__all__ = [
    "DOUBT_COSINE",
    "WEIGHTS",
    "Comparison",
    "Face",
    "FaceMatcher",
    "Template",
    "WeightsError",
    "cosine",
    "verify_weights",
]
