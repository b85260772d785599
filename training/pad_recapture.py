"""Simulated live clips and simulated attacks, with device parameters that training never sees kept for the test.

A clip is a list of frames, 640 x 480. A live one is a head that is drawn from a portrait by depth (the warp of the
specimens) before a background of its own, through a camera. An attack is such a clip, or one picture of it, on a
screen or a print held before the camera, or a face cut out of a print and worn.

Every parameter of camera, screen and print has a range of which some parts are held back (`Ranges(held_back=True)`
draws from these parts only, `False` from the rest only), so that a detector cannot have learnt the devices it is
tested on. The people differ too.

    .venv/bin/python training/pad_recapture.py --out DIR --clips 60 [--portraits DIR …] [--held-back] [--seed 1]

writes MJPEG clips and `clips.csv` (path, label, type) as `corridor evaluate pad` reads them. Without `--portraits`
the people are the specimens, who do not exist.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hardware.specimens.build import PORTRAITS, head_of
from hardware.specimens.feed import Head, Pose, head_warp
from hardware.specimens.recapture import (
    Hand,
    Held,
    Light,
    Picture,
    Print,
    Screen,
    Sensor,
    capture,
    hold_print,
    hold_screen,
    to_light,
    wear_cut_out,
)

WIDTH, HEIGHT = 640, 480  # training draws many of its frames smaller, with smaller faces
EYES = (42.0, 105.0)  # eye distance in the frame, pixels
ATTACKS = ("screen_photo", "screen_video", "print", "print_turned", "cut_out")
RATE = 10.0  # frames a second
MODELS = Path(sys.prefix) / "share/corridor/models"


@dataclass(frozen=True)
class Ranges:
    """Where device parameters come from. A range is cut into tenths; the test owns some of them."""

    random: np.random.Generator
    held_back: bool
    # Tenths of each range that only the test draws from: one inner part and one end.
    kept: tuple[int, ...] = (2, 6, 9)

    def draw(self, low: float, high: float, *, log: bool = False) -> float:
        tenths = [tenth for tenth in range(10) if (tenth in self.kept) is self.held_back]
        share = (tenths[int(self.random.integers(len(tenths)))] + float(self.random.random())) / 10
        if log:
            return float(low * (high / low) ** share)
        return float(low + (high - low) * share)

    def chance(self, share: float) -> bool:
        return float(self.random.random()) < share


@dataclass(frozen=True)
class Person:
    """A portrait with its head; `cover` is 1 where the person is, None where the picture keeps its background."""

    name: str
    image: Picture
    head: Head
    cover: Light | None


@dataclass
class Live:
    """A person before a camera."""

    person: Person
    behind: Light
    moves: tuple[str, ...]
    frames: int
    random: np.random.Generator
    size: float  # eye distance in the frame, pixels
    gain: float = 1.0
    slant: tuple[float, float] = (0.0, 0.0)
    amplitude: float = 30.0
    _phases: npt.NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self._phases = self.random.uniform(0, 2 * math.pi, 6)
        self._rates = self.random.uniform(0.6, 1.6, 6)
        self._sway = self.random.uniform(0.3, 1.5)
        self._shift = self.random.uniform((-WIDTH / 9, -HEIGHT / 14), (WIDTH / 9, HEIGHT / 14))
        self._blinks = self.random.uniform(0, self.frames, max(1, self.frames // 14))
        head = self.person.head
        height, width = self.person.image.shape[:2]
        self._warp = head_warp(width, height, head, (WIDTH, HEIGHT), step=4)
        eyes = np.array([head.right_eye, head.left_eye])
        self._between = float(np.linalg.norm(eyes[1] - eyes[0]))
        self._left = float(eyes[:, 0].mean() - WIDTH / 2)
        self._top = float(eyes[:, 1].mean() - 0.47 * HEIGHT)
        ramp_x, ramp_y = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
        relief = 1 + self.slant[0] * ramp_x + self.slant[1] * ramp_y
        self._relief = (self.gain * relief).astype(np.float32)[..., None]

    def pose(self, moment: float) -> Pose:
        wave = np.sin(2 * math.pi * self._rates * moment / (3 * RATE) * 3 + self._phases) * self._sway
        yaw, pitch = math.radians(2.0) * wave[0], math.radians(1.2) * wave[1]
        for index, move in enumerate(self.moves):
            share = move_share(moment, index, len(self.moves), self.frames)
            if move == "nod":
                pitch += math.radians(0.75 * self.amplitude) * share
            else:
                yaw += math.radians(self.amplitude) * share * (1 if move == "turn_left" else -1)
        scale = self.size / self._between * (1 + 0.012 * float(wave[2]))
        return Pose(yaw, pitch, float(self._shift[0] + 4 * wave[3]), float(self._shift[1] + 2.5 * wave[4]), scale)

    def light(self, moment: float) -> Light:
        pose = self.pose(moment)
        columns, rows = self._warp(pose, self._left, self._top)
        image = self._blinking(moment)
        seen = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        light = to_light(np.asarray(seen, np.uint8)) * self._relief
        if self.person.cover is None:
            return np.asarray(light, np.float32)
        cover = cv2.remap(self.person.cover, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(self.behind + (light - self.behind) * cover[..., None], np.float32)

    def _blinking(self, moment: float) -> Picture:
        closed = max((1 - abs(moment - at) / 1.2 for at in self._blinks), default=0.0)
        if closed <= 0.2:
            return self.person.image
        image = self.person.image.copy()
        between = self._between
        for x, y in (self.person.head.right_eye, self.person.head.left_eye):
            half, tall = 0.26 * between, 0.13 * between
            x0, x1, y0, y1 = round(x - half), round(x + half), round(y - tall), round(y + tall)
            up = round(0.22 * between)
            lid = image[max(0, y0 - up) : max(0, y1 - up), x0:x1]
            under = image[y0:y1, x0:x1]
            if lid.shape != under.shape or not lid.size:
                continue
            down, across = np.mgrid[-1 : 1 : lid.shape[0] * 1j, -1 : 1 : lid.shape[1] * 1j]
            edge = -1 + 2 * min(1.0, closed)  # the lid's lower edge
            weight = np.clip((edge - down) * 4 + 1, 0, 1) * np.clip((1 - across**2 - down**2) * 3, 0, 1)
            image[y0:y1, x0:x1] = (under + (lid.astype(np.float32) - under) * weight[..., None]).astype(np.uint8)
        return image

    def smear(self, moment: float) -> tuple[float, float]:
        now, before = self.pose(moment), self.pose(moment - 0.3)
        return now.x - before.x + 60 * (now.yaw - before.yaw), now.y - before.y + 60 * (now.pitch - before.pitch)


def move_share(moment: float, index: int, moves: int, frames: int) -> float:
    """How far move `index` has gone at a moment, 0 to 1: straight, out, hold, back, each move in its part."""
    part = frames / (moves + 0.5)
    phase = (moment - 0.25 * part - index * part) / part
    if not 0 < phase < 1:
        return 0.0
    share = min(max((math.sin(math.pi * phase) - 0.1) / 0.75, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def draw_sensor(ranges: Ranges) -> Sensor:
    gain = ranges.draw(0.85, 1.18)
    return Sensor(
        blur=ranges.draw(0.35, 1.3),
        aperture=ranges.draw(0.4, 1.0),
        shot=ranges.draw(0.003, 0.03, log=True),
        read=ranges.draw(0.0015, 0.008, log=True),
        pattern=ranges.draw(0.001, 0.008),
        serial=int(ranges.random.integers(1, 12)),
        gains=(ranges.draw(0.85, 1.15) * gain, gain, ranges.draw(0.85, 1.15) * gain),
        exposure=ranges.draw(0.75, 1.25),
        gamma=ranges.draw(2.0, 2.4),
        sharpening=ranges.draw(0.0, 0.8),
        quality=round(ranges.draw(62, 96)),
    )


def draw_background(random: np.random.Generator) -> Light:
    """A booth, a hall, a shelf: flat colours with edges of every kind, out of focus more or less."""
    grey = float(random.uniform(0.6, 0.98))
    base = random.uniform(40, 215, 3) * (1 - grey) + random.uniform(40, 215) * grey
    other = base * random.uniform(0.7, 1.2)
    wide, tall = WIDTH // 2, HEIGHT // 2  # at half the size: nothing behind a face is sharper
    ramp = np.linspace(0, 1, tall)[:, None, None]
    scene = np.clip(np.broadcast_to(base * (1 - ramp) + other * ramp, (tall, wide, 3)), 0, 255).astype(np.uint8)
    for _ in range(int(random.integers(0, 7))):
        colour = np.clip(base + random.normal(0, 12, 3) + random.normal(0, 45), 0, 255).round().tolist()
        at = random.uniform((-40, -40), (wide, tall))
        size = random.uniform((5, 10), (130, 210))
        x0, y0, x1, y1 = (round(float(value)) for value in (*at, *(at + size)))
        if random.random() < 0.75:
            cv2.rectangle(scene, (x0, y0), (x1, y1), colour, -1 if random.random() < 0.7 else 2)
        else:
            axes = (float(size[0]), float(size[1]))
            cv2.ellipse(scene, ((x0, y0), axes, float(random.uniform(0, 180))), colour, -1)
    scene = cv2.resize(cv2.GaussianBlur(scene, (0, 0), float(random.uniform(0.3, 3.5))), (WIDTH, HEIGHT))
    coarse = cv2.resize(random.normal(0, 4, (12, 16, 1)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return to_light(np.clip(scene + coarse.reshape(HEIGHT, WIDTH, 1), 0, 255).astype(np.uint8))


def draw_live(ranges: Ranges, people: Sequence[Person], frames: int, *, moving: bool | None = None) -> Live:
    random = ranges.random
    person = people[int(random.integers(len(people)))]
    moving = ranges.chance(0.65) if moving is None else moving
    names = ["turn_left", "turn_right", "nod"]
    moves = tuple(str(name) for name in random.permutation(names)[:2]) if moving else ()
    behind = draw_background(random)
    return Live(
        person,
        behind,
        moves,
        frames,
        random,
        size=ranges.draw(*EYES),
        gain=ranges.draw(0.7, 1.25),
        slant=(ranges.draw(-0.3, 0.3), ranges.draw(-0.15, 0.15)),
        amplitude=float(random.uniform(20, 36)),
    )


def live_clip(
    ranges: Ranges, people: Sequence[Person], frames: int, moments: Sequence[float]
) -> Iterator[Picture]:
    live, sensor = draw_live(ranges, people, frames), draw_sensor(ranges)
    for moment in moments:
        yield capture(live.light(moment), sensor, ranges.random, live.smear(moment))


@dataclass
class Jitter:
    """A hand that holds still as well as hands do, and turns the thing when the attacker answers the challenge."""

    random: np.random.Generator
    hands: float
    turns: tuple[str, ...]
    frames: int
    degrees: float

    def __post_init__(self) -> None:
        self._phases = self.random.uniform(0, 2 * math.pi, 5)
        self._rates = self.random.uniform(0.5, 2.2, 5)

    def held(self, base: Held, moment: float) -> Held:
        wave = np.sin(2 * math.pi * self._rates * moment / RATE + self._phases) * self.hands
        yaw, pitch = base.yaw + math.radians(1.2) * wave[0], base.pitch + math.radians(1.2) * wave[1]
        for index, move in enumerate(self.turns):
            share = move_share(moment, index, len(self.turns), self.frames)
            if move == "nod":
                pitch -= math.radians(0.8 * self.degrees) * share
            else:
                yaw += math.radians(self.degrees) * share * (1 if move == "turn_left" else -1)
        roll = base.roll + math.radians(1.0) * float(wave[2])
        return Held(
            base.scale, base.x + 2.5 * float(wave[3]), base.y + 2.5 * float(wave[4]), yaw, pitch, roll, base.near
        )


def skin(random: np.random.Generator) -> tuple[float, float, float]:
    level, red = random.uniform(0.12, 0.6), random.uniform(1.5, 2.2)
    return (float(level / red), float(level / math.sqrt(red)), float(level))


def draw_hand(ranges: Ranges) -> Hand | None:
    if ranges.chance(0.35):
        return None
    side = ("left", "right", "bottom")[int(ranges.random.integers(3))]
    return Hand(side, skin(ranges.random), float(ranges.random.uniform(0.35, 0.8)), ranges.draw(0.1, 0.25))


def draw_screen(ranges: Ranges) -> Screen:
    return Screen(
        pitch=ranges.draw(0.5, 4.0, log=True),
        dots=ranges.draw(0.25, 0.9),
        stripes=ranges.draw(0.3, 1.0),
        gamma=ranges.draw(1.8, 2.6),
        white=ranges.draw(0.45, 1.25),
        black=ranges.draw(0.004, 0.06),
        tint=(ranges.draw(0.92, 1.2), 1.0, ranges.draw(0.85, 1.05)),
        saturation=ranges.draw(0.85, 1.35),
        bezel=ranges.draw(0.008, 0.12),
        bezel_level=ranges.draw(0.004, 0.12) if ranges.chance(0.8) else ranges.draw(0.5, 0.9),
        corner=ranges.draw(0.0, 0.1),
        glare=ranges.draw(0.0, 0.16),
        bands=ranges.draw(0.0, 0.07),
        band_rows=ranges.draw(60, 500, log=True),
        band_speed=float(ranges.random.uniform(-90, 90)),
        quality=round(ranges.draw(45, 95)),
    )


def draw_print(ranges: Ranges, *, curl: float) -> Print:
    return Print(
        white=ranges.draw(0.55, 0.95),
        black=ranges.draw(0.02, 0.1),
        saturation=ranges.draw(0.55, 1.05),
        gamma=ranges.draw(0.8, 1.25),
        tint=(ranges.draw(0.85, 1.05), 1.0, ranges.draw(0.95, 1.08)),
        margin=ranges.draw(0.0, 0.1),
        grain=ranges.draw(0.005, 0.05),
        lines=ranges.draw(0.0, 0.12),
        line_pitch=ranges.draw(0.25, 1.2),
        curl=curl,
        shading=ranges.draw(0.0, 0.5),
        shadow=ranges.draw(0.0, 0.5),
        quality=round(ranges.draw(75, 97)),
    )


def attack_clip(
    kind: str, ranges: Ranges, people: Sequence[Person], frames: int, moments: Sequence[float]
) -> Iterator[Picture]:
    """Frames of an attack at these moments (in frames of the whole clip)."""
    if kind == "cut_out":
        yield from _cut_out_clip(ranges, people, frames, moments)
        return
    random = ranges.random
    victim = draw_live(ranges, people, frames, moving=kind == "screen_video" and ranges.chance(0.7))
    first, camera = draw_sensor(ranges), draw_sensor(ranges)
    behind = draw_background(random) * np.float32(ranges.draw(0.7, 1.2))
    if ranges.chance(0.4):  # the attacker's own head or shoulders stand behind
        behind = draw_live(ranges, people, frames, moving=False).light(0.0)
    turned = kind == "print_turned" or (kind == "screen_photo" and ranges.chance(0.5))
    names = [str(name) for name in random.permutation(["turn_left", "turn_right", "nod"])[:2]]
    jitter = Jitter(random, float(random.uniform(0.1, 2.0)), tuple(names) if turned else (), frames,
                    float(random.uniform(22, 50)))  # fmt: skip
    screen = draw_screen(ranges) if kind.startswith("screen") else None
    curl = ranges.draw(0.0, 1.2) if kind == "print_turned" or ranges.chance(0.4) else 0.0
    paper = draw_print(ranges, curl=curl)
    hand = draw_hand(ranges)
    box = _crop(victim, random, landscape=screen is not None and ranges.chance(0.4))
    size = ranges.draw(*EYES)  # of the face in the camera's frame
    zoom = float(random.uniform(0.9, 1.6))  # how finely the content is stored
    content_eye = victim.size * zoom
    base = Held(size / content_eye, 0, 0, *(float(value) for value in random.normal(0, (0.09, 0.09, 0.04))),
                near=ranges.draw(0.1, 0.45))  # fmt: skip
    still: Picture | None = None
    for moment in moments:
        if still is None or kind == "screen_video":
            frame = capture(victim.light(moment), first, random, victim.smear(moment))
            x0, y0, x1, y1 = box
            still = np.asarray(cv2.resize(frame[y0:y1, x0:x1], None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA
                                          if zoom < 1 else cv2.INTER_CUBIC), np.uint8)  # fmt: skip
        held = jitter.held(base, moment)
        before = jitter.held(base, moment - 0.3)
        if screen is not None:
            light = hold_screen(still, screen, held, behind, camera, int(moment), hand)
        else:
            light = hold_print(still, paper, held, behind, hand)
        yield capture(light, camera, random, (held.x - before.x, held.y - before.y))


def _crop(live: Live, random: np.random.Generator, *, landscape: bool) -> tuple[int, int, int, int]:
    """The part of the first camera's frame that is shown: around the face, tightly or not."""
    pose = live.pose(0.0)
    x, y = WIDTH / 2 + pose.x, 0.47 * HEIGHT + 0.4 * live.size + pose.y
    tall = live.size * float(random.uniform(3.6, 7.5))
    wide = tall * float(random.uniform(1.2, 1.7) if landscape else random.uniform(0.5, 0.9))
    wide = max(wide, 3.0 * live.size)
    x0, x1 = max(0, round(x - wide / 2)), min(WIDTH, round(x + wide / 2))
    y0, y1 = max(0, round(y - tall / 2)), min(HEIGHT, round(y + tall / 2))
    return x0, y0, x1, y1


def _cut_out_clip(
    ranges: Ranges, people: Sequence[Person], frames: int, moments: Sequence[float]
) -> Iterator[Picture]:
    random = ranges.random
    attacker, victim = (draw_live(ranges, people, frames) for _ in range(2))
    first, camera = draw_sensor(ranges), draw_sensor(ranges)
    victim.moves = ()
    picture = capture(victim.light(0.0), first, random)
    pose = victim.pose(0.0)
    x, y = WIDTH / 2 + pose.x, 0.47 * HEIGHT + pose.y
    eye = victim.size
    x0, x1, y0, y1 = round(x - 1.7 * eye), round(x + 1.7 * eye), round(y - 1.5 * eye), round(y + 2.4 * eye)
    padded = cv2.copyMakeBorder(picture, 200, 200, 200, 200, cv2.BORDER_REPLICATE)
    content = np.asarray(padded[y0 + 200 : y1 + 200, x0 + 200 : x1 + 200], np.uint8)
    tall, wide = content.shape[:2]
    shape = np.zeros((tall, wide), np.float32)
    middle = (wide / 2, 1.5 * eye + 0.5 * eye)
    half_x, half_y = eye * float(random.uniform(1.0, 1.35)), eye * float(random.uniform(1.35, 1.75))
    cv2.ellipse(shape, (middle, (2 * half_x, 2 * half_y), 0.0), 1.0, -1, cv2.LINE_AA)
    if ranges.chance(0.75):
        for side in (-0.5, 0.5):
            hole = (eye * float(random.uniform(0.32, 0.5)), eye * float(random.uniform(0.16, 0.28)))
            cv2.ellipse(shape, ((wide / 2 + side * eye, 1.5 * eye), hole, 0.0), 0.0, -1, cv2.LINE_AA)
    paper = draw_print(ranges, curl=ranges.draw(0.3, 2.2))
    scale = attacker.size / eye * float(random.uniform(0.95, 1.12))
    for moment in moments:
        pose = attacker.pose(moment)
        # The paper's middle, in front of the attacker's eyes; it turns with the head that wears it.
        shift = (tall / 2 - 1.5 * eye) * scale
        held = Held(scale, pose.x + 0.4 * attacker.size * math.sin(pose.yaw),
                    pose.y - 0.03 * HEIGHT + shift + 0.4 * attacker.size * math.sin(pose.pitch),
                    -pose.yaw, pose.pitch, 0.0, near=0.3)  # fmt: skip
        light = wear_cut_out(content, shape, paper, held, attacker.light(moment))
        yield capture(light, camera, random, attacker.smear(moment))


def clip(kind: str, ranges: Ranges, people: Sequence[Person], frames: int) -> Iterator[Picture]:
    """A whole clip: `kind` is live or one of `ATTACKS`."""
    moments = [float(moment) for moment in range(frames)]
    if kind == "live":
        return live_clip(ranges, people, frames, moments)
    return attack_clip(kind, ranges, people, frames, moments)


def single(kind: str, ranges: Ranges, people: Sequence[Person]) -> Picture:
    """One frame out of a clip of its own."""
    moments = [float(ranges.random.uniform(0, 24))]
    frames = live_clip(ranges, people, 24, moments) if kind == "live" else attack_clip(
        kind, ranges, people, 24, moments)  # fmt: skip
    return next(frames)


# -- people -----------------------------------------------------------------------------------------------------


def specimen_people() -> list[Person]:
    """The specimens' portraits."""
    people = []
    for path in sorted(PORTRAITS.glob("*-smile.jpg")):
        name = path.name.partition("-")[0]
        image = np.asarray(cv2.imread(str(path)), np.uint8)
        head = head_of(name)
        people.append(Person(name, image, head, cut_out_person(image, head)))
    return people


def folder_people(paths: Sequence[Path], *, plain: bool) -> list[Person]:
    """People out of pictures; those without one clear face are left out. `plain`: the background may go."""
    detector = cv2.FaceDetectorYN.create(str(MODELS / "face_detection_yunet_2023mar.onnx"), "", (320, 320), 0.8)
    people = []
    for path in paths:
        image = cv2.imread(str(path))
        if image is None:
            continue
        scale = 640 / max(image.shape[:2])
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
        detector.setInputSize((image.shape[1], image.shape[0]))
        found = detector.detect(image)[1]
        if found is None or len(found) != 1:
            continue
        points = found[0][4:14].reshape(5, 2).astype(float)
        head = Head(*((float(x), float(y)) for x, y in points))
        people.append(Person(path.stem, image, head, cut_out_person(image, head) if plain else None))
    return people


def cut_out_person(image: Picture, head: Head) -> Light:
    """Where a person is in a picture with a plain background."""
    small = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = small.shape[:2]
    eyes = np.array([head.right_eye, head.left_eye]) / 2
    between = float(np.linalg.norm(eyes[1] - eyes[0]))
    x, y = eyes.mean(axis=0)
    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    border = max(4, width // 40)
    mask[:border], mask[: height // 3, :border], mask[: height // 3, -border:] = (cv2.GC_BGD,) * 3
    cv2.ellipse(
        mask, ((float(x), float(y + 0.3 * between)), (4.2 * between, 5.6 * between), 0.0), cv2.GC_PR_FGD, -1
    )
    cv2.ellipse(mask, ((float(x), float(y + 0.45 * between)), (2.0 * between, 3.0 * between), 0.0), cv2.GC_FGD, -1)
    mask[round(y + 2.6 * between) :, round(x - between) : round(x + between)] = cv2.GC_FGD
    cv2.grabCut(small, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    person = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.float32)
    soft = cv2.GaussianBlur(cv2.resize(person, (image.shape[1], image.shape[0])), (0, 0), 1.6)
    return np.asarray(np.clip((soft - 0.35) / 0.5, 0, 1), np.float32)


def write_clip(path: Path, frames: Iterator[Picture]) -> None:
    """An MJPEG file."""
    with path.open("wb") as out:
        for frame in frames:
            out.write(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--portraits", type=Path, nargs="*", default=[], help="folders of plain portraits")
    parser.add_argument("--held-back", action="store_true", help="device parameters that training never draws")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    people = specimen_people()
    if options.portraits:
        paths = [path for folder in options.portraits for path in sorted(folder.rglob("*.jpg"))]
        people = folder_people(paths, plain=True)
    options.out.mkdir(parents=True, exist_ok=True)
    kinds = ["live"] * len(ATTACKS) + list(ATTACKS)  # as many live clips as attacks
    with (options.out / "clips.csv").open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("path", "label", "type"))
        for index in range(options.clips):
            kind = kinds[index % len(kinds)]
            ranges = Ranges(np.random.default_rng((options.seed, index)), options.held_back)
            name = f"{index:04d}-{kind}.mjpeg"
            write_clip(options.out / name, clip(kind, ranges, people, options.frames))
            writer.writerow((name, "live" if kind == "live" else "attack", "" if kind == "live" else kind))
            print(f"{index + 1} of {options.clips}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
