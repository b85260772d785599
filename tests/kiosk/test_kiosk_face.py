"""Faces: the comparison, conditions of the page, and weights that nobody swaps."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from contracts.party import FaceDecision
from kiosk.face import WEIGHTS, Face, FaceMatcher, WeightsError, verify_weights
from kiosk.faces.quality import assess

ROOT = Path(__file__).parents[2]
MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
PORTRAITS = ROOT / "hardware" / "specimens" / "portraits"


def test_a_swapped_weight_file_is_refused(tmp_path: Path) -> None:
    for name in WEIGHTS:
        (tmp_path / name).write_bytes(b"other weights")
    with pytest.raises(WeightsError, match="make setup"):
        verify_weights(tmp_path)


def test_only_the_five_point_predictor_is_ever_asked() -> None:
    """The 68-point model that the same package carries may not be used commercially."""
    for path in (ROOT / "kiosk").rglob("*.py"):
        text = path.read_text()
        for call in re.findall(r"face_encodings\([^)]*\)", text):
            assert 'model="small"' in call
        assert "face_landmarks(" not in text
        assert "pose_predictor_model_location" not in text
        assert "68" not in re.findall(r"shape_predictor_(\d+)", text)


@pytest.fixture(scope="module")
def matcher() -> FaceMatcher:
    return FaceMatcher(MODELS)


def portrait(name: str) -> bytes:
    return (PORTRAITS / f"{name}.jpg").read_bytes()


def test_the_same_person_matches_and_another_does_not(matcher: FaceMatcher) -> None:
    document, live, other = (
        matcher.portrait(portrait(name)) for name in ("anna-neutral", "anna-smile", "greta-neutral")
    )
    assert document is not None
    assert live is not None
    assert other is not None
    assert matcher.compare(document, live).decision is FaceDecision.MATCH
    assert matcher.compare(document, other).decision is FaceDecision.MISMATCH


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"\xff\xd8\xff\xe0 broken", b"\x00\x00\x00\x0cjP  \r\n\x87\n"]
)
def test_bytes_that_are_no_portrait_give_no_template(matcher: FaceMatcher, data: bytes) -> None:
    assert matcher.portrait(data) is None


@pytest.mark.parametrize("noise", [2.0, 6.0])
@pytest.mark.parametrize("gain", [1.4, 1.0, 0.7, 0.5])
def test_the_same_light_is_enough_for_every_skin(matcher: FaceMatcher, gain: float, noise: float) -> None:
    """From a bright booth to half its light: nobody is asked for more light than anybody else."""
    for name in PEOPLE:
        lit = exposed(matcher, name, gain, noise)
        assert assess(lit, matcher.find(lit)).light, name


def test_where_the_matcher_begins_to_fail_the_light_is_refused_for_everybody(matcher: FaceMatcher) -> None:
    for name in PEOPLE:
        dim = exposed(matcher, name, 0.12, 2.0)
        assert not assess(dim, matcher.find(dim)).light, name


def test_a_burnt_out_face_is_refused(matcher: FaceMatcher) -> None:
    glare = exposed(matcher, "anna", 2.6, 2.0)
    assert assess(glare, matcher.find(glare)).problem == "too_bright"


PEOPLE = sorted({path.name.rpartition("-")[0] for path in PORTRAITS.glob("*-smile.jpg")})


def exposed(matcher: FaceMatcher, name: str, gain: float, noise: float) -> np.ndarray:
    """A live picture under `gain` times the light, with `noise` grey levels of the sensor's own."""
    image = matcher.decode(portrait(f"{name}-smile"))
    assert image is not None
    drawn = image.astype(np.float64) * gain + np.random.default_rng(7).normal(0, noise, image.shape)
    return np.clip(drawn, 0, 255).astype(np.uint8)


def face_at(x: float, width: float) -> Face:
    landmarks = np.array(
        [
            [x + 0.3 * width, 100],
            [x + 0.7 * width, 100],
            [x + 0.5 * width, 130],
            [x + 0.35 * width, 160],
            [x + 0.65 * width, 160],
        ]
    )
    return Face((x, 60, width, 140), landmarks, 0.9)


def test_conditions_are_told_one_at_a_time() -> None:
    relief = (np.indices((480, 640)).sum(axis=0) // 40 % 2 * 60 + 100).astype(np.uint8)
    booth = np.repeat(relief[..., None], 3, axis=2)
    one = face_at(220, 200)
    assert assess(booth, (one,)).problem is None
    assert assess(booth, ()).problem == "no_face"
    assert assess(booth // 10, ()).problem == "too_dark"
    assert assess(booth // 12, (one,)).problem == "too_dark"
    assert assess(booth, (one, face_at(20, 180))).problem == "two_faces"
    assert assess(booth, (one, face_at(20, 60))).problem is None
    assert assess(booth, (face_at(300, 50),)).problem == "too_far"
    assert assess(booth, (face_at(50, 500),)).problem == "too_near"
