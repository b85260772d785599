"""Quality of a face's picture: each measure falls as what it measures gets worse; nobody's face is a fault."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.camera.jpeg import split_jpegs
from hardware.ports import Frame
from hardware.specimens.build import head_of
from hardware.specimens.feed import draw_feed
from kiosk.face import FaceMatcher
from kiosk.faces import states
from kiosk.faces.detect import Face
from kiosk.faces.picture import read_picture
from kiosk.faces.quality import Name, Quality
from kiosk.faces.states import FaceStates, verify_network
from kiosk.faces.subject import several_people, subject_first
from kiosk.faces.weights import WeightsError
from training import face_states as drawings

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
PORTRAITS = Path(__file__).parents[2] / "hardware" / "specimens" / "portraits"
NETWORK = FaceStates()
PEOPLE = sorted(path.stem for path in PORTRAITS.glob("*-smile.jpg"))


@pytest.fixture(scope="module")
def matcher() -> FaceMatcher:
    return FaceMatcher(MODELS)


def picture(name: str) -> Frame:
    image = read_picture(PORTRAITS / f"{name}.jpg")
    assert image is not None
    return image


def judged(matcher: FaceMatcher, image: Frame) -> Quality:
    return matcher.assess(image, matcher.find(image))


@pytest.mark.parametrize("name", PEOPLE)
def test_nobodys_face_is_a_fault(matcher: FaceMatcher, name: str) -> None:
    """Every sex, age and skin of the specimens, as they come."""
    quality = judged(matcher, picture(name))
    assert quality.problem is None, quality.measures
    assert all(measure.good for measure in quality.measures)
    assert 0.8 < quality.weight <= 1


@pytest.mark.parametrize("down", [-100, 0, 110])
@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_children_seated_and_tall_people_stand_where_they_stand(
    matcher: FaceMatcher, down: int, scale: float
) -> None:
    """A face may be anywhere in the frame: nobody is asked to stretch or to bend."""
    film = draw_feed((PORTRAITS / "anna-smile.jpg").read_bytes(), head_of("anna"), "neutral", 0)
    frame = cv2.imdecode(np.frombuffer(split_jpegs(film)[0], np.uint8), cv2.IMREAD_COLOR)
    assert frame is not None
    matrix = np.array([[scale, 0, 320 * (1 - scale)], [0, scale, 240 * (1 - scale) + down]])
    moved = cv2.warpAffine(frame, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    assert judged(matcher, np.asarray(moved, np.uint8)).problem is None


WORSE: dict[Name, tuple[float, ...]] = {
    "sharpness": (0.0, 4.0, 12.0),
    "uniformity": (0.0, 0.5, 0.9),
    "relief": (1.0, 0.4, 0.15),
}


def worse(name: Name, image: Frame, amount: float) -> Frame:
    if name == "sharpness":
        return np.asarray(cv2.GaussianBlur(image, (0, 0), amount) if amount else image, dtype=np.uint8)
    if name == "uniformity":
        left = np.arange(image.shape[1])[None, :, None] < image.shape[1] / 2  # where the specimens' noses are
        return (image * np.where(left, 1 - amount, 1.0)).astype(np.uint8)
    return np.clip(image * amount, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", WORSE)
def test_a_measure_falls_as_the_picture_gets_worse(matcher: FaceMatcher, name: Name) -> None:
    for person in PEOPLE[::7]:
        image = picture(person)
        face = matcher.find(image)[:1]
        values = [abs(matcher.assess(worse(name, image, amount), face).value(name)) for amount in WORSE[name]]
        assert values == sorted(values, reverse=True), (person, values)
        assert values[-1] < 0.6 * values[0]


def test_blur_weighs_less_in_an_average(matcher: FaceMatcher) -> None:
    image = picture("anna-smile")
    face = matcher.find(image)[:1]
    assert matcher.assess(worse("sharpness", image, 12.0), face).weight < 0.8 * matcher.assess(image, face).weight


def test_a_tilted_head_is_asked_to_look_straight_and_is_compared_all_the_same(matcher: FaceMatcher) -> None:
    image = picture("anna-smile")
    matrix = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), 32, 0.8)
    tilted = cv2.warpAffine(image, matrix, (image.shape[1], image.shape[0]), borderValue=(200, 200, 200))
    quality = judged(matcher, np.asarray(tilted, dtype=np.uint8))
    assert quality.problem == "not_straight"
    assert not quality.grave


# Coverings and lids as training/face_states.py draws them, on people whom the training never saw


def drawn(matcher: FaceMatcher, name: str, what: str, seed: int) -> states.State:
    from kiosk.faces.quality import upright_face

    image = picture(name)
    face = upright_face(image, matcher.find(image)[0]).astype(np.float64)
    rng = np.random.default_rng(seed)
    changed = {
        "mask": lambda: drawings.mask(face, rng, True, cv2),
        "hand": lambda: drawings.hand(face, rng, (64, 90), cv2),
        "dark glasses": lambda: drawings.dark_glasses(face, rng, cv2),
        "clear glasses": lambda: drawings.clear_glasses(face, rng, cv2),
        "beard": lambda: drawings.beard(face, rng, cv2),
        "lids": lambda: drawings.lids(face, rng, cv2),
        "nothing": lambda: face,
    }[what]()
    return NETWORK.judge(np.clip(changed, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(("what", "least"), [("mask", 0.9), ("hand", 0.6), ("dark glasses", 0.8)])
def test_most_coverings_are_seen(matcher: FaceMatcher, what: str, least: float) -> None:
    seen = [drawn(matcher, name, what, seed).uncovered < 0.3 for seed, name in enumerate(PEOPLE)]
    assert np.mean(seen) >= least


def test_closed_eyes_are_seen(matcher: FaceMatcher) -> None:
    assert np.mean([drawn(matcher, name, "lids", seed).eyes_open < 0.5 for seed, name in enumerate(PEOPLE)]) >= 0.7


@pytest.mark.parametrize("what", ["nothing", "clear glasses", "beard"])
def test_glasses_and_beards_are_no_covering(matcher: FaceMatcher, what: str) -> None:
    covered = [drawn(matcher, name, what, seed).uncovered < 0.3 for seed, name in enumerate(PEOPLE)]
    assert np.mean(covered) <= 0.05


def test_an_altered_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "states.onnx"
    other.write_bytes(states.NETWORK.read_bytes() + b"\0")
    assert verify_network() == {"face_states": states.SHA_256}
    monkeypatch.setattr(states, "NETWORK", other)
    with pytest.raises(WeightsError, match="altered"):
        FaceStates()


# The subject


def face(x: float, y: float, width: float) -> Face:
    return Face((x, y, width, width * 1.3), np.zeros((5, 2)), 0.9)


def test_the_subject_is_the_large_face_near_the_middle() -> None:
    middle, edge, far = face(270, 150, 100), face(0, 100, 110), face(400, 200, 40)
    assert subject_first((edge, far, middle), 640, 480)[0] is middle
    assert several_people((edge, far, middle))
    assert not several_people((middle, far))
    assert not several_people(())


def test_the_face_in_the_middle_is_meant_before_a_larger_one_at_the_edge() -> None:
    middle, edge = face(122, 122, 77), face(218, 110, 102)
    assert subject_first((edge, middle), 320, 320)[0] is middle
    assert several_people((edge, middle))  # for a traveller's picture that is no answer: nobody is guessed at
