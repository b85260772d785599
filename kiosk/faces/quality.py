"""How good a picture of a face is, measure by measure, each with what the traveller can do about it.

The measures follow ISO/IEC 29794-5 in spirit, from pixels and five landmarks; they are not its algorithms and
their values are not its scores. All are taken on the frame or on the face turned upright and brought to one size,
so that they mean the same at any distance. None asks more light of dark skin than of fair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hardware.ports import Frame
from kiosk.faces.detect import Face, Points, similarity
from kiosk.faces.states import FaceStates, State
from kiosk.faces.subject import several_people

Name = Literal[
    "size",  # the face's width in the frame's
    "eye_distance",  # pixels
    "yaw",  # the nose beside the middle of the eyes, in eye distances
    "pitch",  # the nose between eyes (0) and mouth (1)
    "roll",  # degrees
    "relief",  # what light leaves of the face's relief: standard deviation of grey levels, noise averaged out
    "burnt",  # the share of the face without drawing
    "uniformity",  # the darker half of the face to the brighter one
    "sharpness",  # contrast between neighbouring pixels of the upright face, to its contrast as a whole
    "eyes",  # the probability that they are open
    "mouth",  # … that it is closed
    "covering",  # … that nothing lies over mouth, nose or eyes
    "background",  # standard deviation of grey levels beside the head, noise averaged out
]
Condition = Literal["light", "face", "distance"]

SIDE = 128  # the upright face: eyes at 44 of 128 from the top, mouth at 90
_UPRIGHT: Points = np.array([[44.0, 50.0], [84.0, 50.0], [64.0, 73.0], [48.0, 96.0], [80.0, 96.0]])

SMALLEST_FACE, LARGEST_FACE = 0.12, 0.62  # of the frame's width
LEAST_EYE_DISTANCE = 28.0
MOST_TURNED = 0.16
PITCH = (0.28, 0.80)
MOST_TILTED = 12.0  # as YuNet's landmarks say, which tilt by half as much as the head
# Light is judged by what it leaves of the face's relief, not by how dark the face is: a level would ask more light
# of dark skin than of fair. The specimens, of every skin tone, all match at gains from 0.25 to 1.6 with noise of 2
# and of 6 grey levels; below 6 levels of relief the first ones become doubtful.
LEAST_RELIEF = 8.0
BURNT, MOST_BURNT = 250, 0.5
DARK_ROOM = 25.0  # mean of a frame in which nobody could be found
LEAST_UNIFORMITY = 0.25
LEAST_SHARPNESS = 0.09
LEAST_EYES = 0.3
LEAST_UNCOVERED = 0.3


@dataclass(frozen=True)
class Measure:
    name: Name
    value: float
    good: bool


@dataclass(frozen=True)
class Quality:
    """What is wrong first, in the order in which a traveller can mend it; `problem` None: nothing.

    `grave`: no comparison may be made. A problem that is not grave is told, and the best picture is taken in the
    end: glasses, a squint or a dim corner are nobody's fault.
    """

    light: bool
    face: bool
    distance: bool
    problem: str | None
    grave: bool = True
    measures: tuple[Measure, ...] = ()

    @property
    def weight(self) -> float:
        """The picture's share in an average of several, 0 to 1: by its good measures and its sharpness."""
        if not self.measures:
            return 0.0
        good = sum(measure.good for measure in self.measures) / len(self.measures)
        sharpness = self.value("sharpness")
        return good**2 * min(1.0, 0.3 + sharpness / (3 * LEAST_SHARPNESS))

    def value(self, name: Name) -> float:
        return next((measure.value for measure in self.measures if measure.name == name), 0.0)


# In the order in which they are told; the last column: no comparison without it.
_PROBLEMS: tuple[tuple[Name, str, Condition, bool], ...] = (
    ("relief", "too_dark", "light", True),
    ("burnt", "too_bright", "light", True),
    ("size", "too_far", "distance", True),
    ("eye_distance", "too_far", "distance", True),
    ("covering", "covered", "face", True),
    ("yaw", "not_straight", "face", True),
    ("pitch", "not_straight", "face", False),
    ("roll", "not_straight", "face", False),
    ("eyes", "eyes_closed", "face", False),
    ("sharpness", "blurred", "face", False),
    ("uniformity", "uneven_light", "light", False),
)


def assess(image: Frame, faces: Sequence[Face], states: FaceStates | None = None) -> Quality:
    """Judge one frame; the first face is the subject. Without `states`, eyes and coverings are not judged."""
    if not faces:
        grey = float(image[::8, ::8].mean())
        return Quality(grey > DARK_ROOM, False, False, "no_face" if grey > DARK_ROOM else "too_dark")
    if several_people(faces):
        return Quality(True, False, True, "two_faces")
    measures = measure(image, faces[0], states)
    bad = {found.name: found for found in measures if not found.good}
    conditions: dict[Condition, bool] = {"light": True, "face": True, "distance": True}
    problem, grave = None, False
    for name, code, condition, serious in _PROBLEMS:
        if name not in bad:
            continue
        conditions[condition] = False
        if problem is None or (serious and not grave):
            problem, grave = _code(code, bad[name]), serious
    return Quality(**conditions, problem=problem, grave=grave, measures=measures)


def _code(code: str, found: Measure) -> str:
    if found.name == "size" and found.value > LARGEST_FACE:
        return "too_near"
    if found.name == "relief" and found.value < 0:
        return "too_bright"
    return code


def measure(image: Frame, face: Face, states: FaceStates | None = None) -> tuple[Measure, ...]:
    """Every measure of a face, in the order of `Name`; without `states`, not those of eyes, mouth and covering."""
    import cv2

    upright = upright_face(image, face)
    grey = np.asarray(cv2.cvtColor(upright, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    relief, burnt = _lighting(image, face)
    share = face.width / image.shape[1]
    pitch, roll = _pitch(face), _roll(face)
    uniformity, sharpness = _uniformity(grey), _sharpness(grey)
    clear = abs(face.turn) <= MOST_TURNED and PITCH[0] <= pitch <= PITCH[1] and abs(roll) <= MOST_TILTED
    clear = clear and sharpness >= LEAST_SHARPNESS
    return (
        Measure("size", share, SMALLEST_FACE <= share <= LARGEST_FACE),
        Measure("eye_distance", face.eye_distance, face.eye_distance >= LEAST_EYE_DISTANCE),
        Measure("yaw", face.turn, abs(face.turn) <= MOST_TURNED),
        Measure("pitch", pitch, PITCH[0] <= pitch <= PITCH[1]),
        Measure("roll", roll, abs(roll) <= MOST_TILTED),
        Measure("relief", relief, abs(relief) >= LEAST_RELIEF),
        Measure("burnt", burnt, burnt <= MOST_BURNT),
        Measure("uniformity", uniformity, uniformity >= LEAST_UNIFORMITY),
        Measure("sharpness", sharpness, sharpness >= LEAST_SHARPNESS),
        # Of a turned or blurred head, which it was not shown, the network would say that something covers it.
        *(_state(states.judge(upright)) if states is not None and clear else ()),
        Measure("background", _background(image, face), True),  # told to nobody: a traveller cannot mend it
    )


def _state(state: State) -> tuple[Measure, ...]:
    return (
        Measure("eyes", state.eyes_open, state.eyes_open >= LEAST_EYES),
        Measure("mouth", state.mouth_closed, True),  # who smiles is recognised as well
        Measure("covering", state.uncovered, state.uncovered >= LEAST_UNCOVERED),
    )


def upright_face(image: Frame, face: Face) -> Frame:
    """The face turned upright, 128 × 128, from the hairline to below the chin."""
    import cv2

    matrix = similarity(face.landmarks, _UPRIGHT)
    turned = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.uint8)


def _inside(image: Frame, face: Face) -> Frame:
    x, y, width, height = (round(value) for value in face.box)
    return image[max(0, y) : max(0, y + max(1, height)), max(0, x) : max(0, x + max(1, width))]


def _lighting(image: Frame, face: Face) -> tuple[float, float]:
    """The relief, negative where it is lost in brightness, and the burnt share."""
    import cv2

    inside = _inside(image, face)
    if not inside.size:
        return 0.0, 0.0
    # Reduced to 32 × 32, so that noise does not count as relief.
    small = cv2.resize(cv2.cvtColor(inside, cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    relief = float(small.std())
    return (relief if float(small.mean()) < 128 else -relief), float((small >= BURNT).mean())


def _uniformity(grey: Frame) -> float:
    """Of the cheeks beside the nose: the darker to the brighter. Skin tone cancels out."""
    left, right = float(grey[62:92, 36:56].mean()), float(grey[62:92, 72:92].mean())
    return min(left, right) / max(left, right, 1.0)


def _sharpness(grey: Frame) -> float:
    """Between neighbours two pixels apart, over the inner face; noise of single pixels is smoothed away first."""
    import cv2

    inner = cv2.GaussianBlur(grey, (0, 0), 0.8)[36:108, 32:96].astype(np.float64)
    across, down = inner[:, 2:] - inner[:, :-2], inner[2:] - inner[:-2]
    return float(np.sqrt((across**2).mean() + (down**2).mean()) / max(float(inner.std()), 1.0) / 4)


def _pitch(face: Face) -> float:
    """Where the nose stands on the way from the eyes to the mouth; less when the head looks up."""
    eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
    way = mouth - eyes
    length = float(way @ way)
    return float((face.landmarks[2] - eyes) @ way / length) if length > 1 else 0.0


def _roll(face: Face) -> float:
    across = face.landmarks[1] - face.landmarks[0]
    return float(np.degrees(np.arctan2(across[1], across[0])))


def _background(image: Frame, face: Face) -> float:
    """How busy it is left and right of the head."""
    import cv2

    x, y, width, height = face.box
    rows = slice(max(0, int(y - 0.3 * height)), max(1, int(y + height)))
    beside = [image[rows, : max(0, int(x - 0.4 * width))], image[rows, int(x + 1.4 * width) :]]
    spreads = [
        float(cv2.resize(cv2.cvtColor(side, cv2.COLOR_BGR2GRAY), (16, 16), interpolation=cv2.INTER_AREA).std())
        for side in beside
        if min(side.shape[:2]) >= 16
    ]
    return max(spreads, default=0.0)
