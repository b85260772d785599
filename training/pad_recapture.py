"""Simulated live clips and simulated attacks, with device parameters that training never sees kept for the test.

A clip is a list of frames, 640 x 480. A live one is a head that is drawn from a portrait by depth (the warp of the
specimens) before a background of its own, through a camera. An attack is such a clip, or one picture of it, on a
screen or a print held before the camera, or a face cut out of a print and worn.

Every parameter of camera, screen and print has a range of which some parts are held back (`Ranges(held_back=True)`
draws from these parts only, `False` from the rest only), so that a detector cannot have learnt the devices it is
tested on. The people differ too: `part_of` says whose face is trained on, calibrated with or tested on.

    .venv/bin/python training/pad_recapture.py --out DIR --clips 60 [--portraits DIR …] [--wild DIR …]
        [--part train|calibrate|test] [--held-back] [--seed 1]

writes MJPEG clips and `clips.csv` (path, label, type, person, group) as `corridor evaluate pad` reads them.
`--portraits` are folders of people before plain backgrounds, `--wild` of people anywhere (with images.csv, or an
info.csv beside, as the development data have them). Without either the people are the specimens, who do not exist.

What is no recapture is drawn for living people and for attacks alike: the same cameras, good and bad, the same
exposure, scaling, smoothing and compression, the same backgrounds, bars beside an upright film.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
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
    compressed,
    from_light,
    hold_print,
    hold_screen,
    to_light,
    wear_cut_out,
)

WIDTH, HEIGHT = 640, 480  # most frames are drawn smaller (`draw_small`): pixels are what costs
EYES = (36.0, 112.0)  # eye distance in the frame, pixels
ATTACKS = ("screen_photo", "screen_video", "print", "print_turned", "cut_out")
RATE = 10.0  # frames a second
DARKER = 0.3  # the share of people who are drawn with darker skin than their portrait's
MODELS = Path(sys.prefix) / "share/corridor/models"


def draw_small() -> None:
    """From now on frames are 480 x 360, with faces nearly as large."""
    global WIDTH, HEIGHT, EYES
    WIDTH, HEIGHT, EYES = 480, 360, (30.0, 100.0)


@dataclass(frozen=True)
class Ranges:
    """Where device parameters come from. A range is cut into tenths; the test owns some of them."""

    random: np.random.Generator
    held_back: bool
    # Tenths of each range that only the test draws from: one inner part and one end.
    kept: tuple[int, ...] = (2, 6, 9)
    # How often training draws from past the upper end, so that the test's end lies between what was learnt.
    beyond: float = 0.0

    def draw(self, low: float, high: float, *, log: bool = False) -> float:
        if self.beyond and self.chance(self.beyond):
            share = float(self.random.uniform(1.0, 1.3))
        else:
            tenths = [tenth for tenth in range(10) if (tenth in self.kept) is self.held_back]
            share = (tenths[int(self.random.integers(len(tenths)))] + float(self.random.random())) / 10
        if log:
            return float(low * (high / low) ** share)
        return float(low + (high - low) * share)

    def chance(self, share: float) -> bool:
        return float(self.random.random()) < share


@dataclass(frozen=True)
class Person:
    """A portrait with its head; `cover` is 1 where the person is, or where a whole picture is good."""

    name: str
    image: Picture
    head: Head
    cover: Light
    anywhere: bool = False  # the picture has a background of its own
    group: str = ""


def part_of(name: str) -> str:
    """Which set a person belongs to, by the name alone: train, calibrate or test."""
    share = hashlib.sha256(name.encode()).digest()[0] / 256
    return "train" if share < 0.55 else "calibrate" if share < 0.72 else "test"


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
        beyond = cv2.BORDER_REFLECT_101 if self.person.anywhere else cv2.BORDER_REPLICATE
        seen = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=beyond)
        light = np.asarray(to_light(np.asarray(seen, np.uint8)) * self._relief, np.float32)
        beyond = cv2.BORDER_CONSTANT if self.person.anywhere else cv2.BORDER_REPLICATE
        cover = cv2.remap(self.person.cover, columns, rows, cv2.INTER_LINEAR, borderMode=beyond)
        behind = self.behind
        if self.person.anywhere:  # beyond its picture the same colours go on, out of focus and without an edge
            small = cv2.resize(light, (20, 15), interpolation=cv2.INTER_AREA)
            behind = np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)
        return np.asarray(behind + (light - behind) * cover[..., None], np.float32)

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


@dataclass(frozen=True)
class Camera:
    """A sensor, and what the camera and its driver make of the picture before anybody sees it."""

    sensor: Sensor
    exposed: float | None  # linear light that the middle of the frame is brought to; None: as it comes
    enlarged: float  # the picture was so much smaller once: 1 = never
    smoothed: int  # side of a median that takes noise away; 0 = none
    contrast: float  # of the tones, 1 = as they are
    again: int  # quality of a second compression, 0 = none
    bars: float  # black bars left and right, as a share of the width

    def shot(self, light: Light, random: np.random.Generator, smear: tuple[float, float] = (0, 0)) -> Picture:
        height, width = light.shape[:2]
        if self.exposed is not None:
            middle = light[height // 5 : -height // 5 : 8, width // 4 : -width // 4 : 8]
            light = light * np.float32(min(max(self.exposed / (float(middle.mean()) + 1e-3), 0.3), 4.0))
        picture = capture(light, self.sensor, random, smear)
        if self.smoothed:
            picture = np.asarray(cv2.medianBlur(picture, self.smoothed), np.uint8)
        if self.contrast != 1:
            tones = 127.5 * (1 + np.tanh(self.contrast * np.linspace(-1, 1, 256)) / np.tanh(self.contrast))
            picture = np.asarray(cv2.LUT(picture, tones.astype(np.uint8)), np.uint8)
        if self.enlarged < 1:
            small = cv2.resize(picture, None, fx=self.enlarged, fy=self.enlarged, interpolation=cv2.INTER_AREA)
            small = compressed(np.asarray(small, np.uint8), self.sensor.quality)
            picture = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        if self.bars:
            side = round(self.bars * width)
            picture = picture.copy()
            picture[:, :side] = picture[:, width - side :] = 0
        return compressed(picture, self.again) if self.again else picture


def draw_sensor(ranges: Ranges) -> Sensor:
    gain = ranges.draw(0.85, 1.18)
    return Sensor(
        blur=ranges.draw(0.3, 2.0, log=True),
        aperture=ranges.draw(0.4, 1.0),
        shot=ranges.draw(0.002, 0.03, log=True),
        read=ranges.draw(0.001, 0.01, log=True),
        pattern=ranges.draw(0.001, 0.008),
        serial=int(ranges.random.integers(1, 8)) + (8 if ranges.held_back else 0),
        gains=(ranges.draw(0.82, 1.2) * gain, gain, ranges.draw(0.82, 1.2) * gain),
        exposure=ranges.draw(0.7, 1.3),
        gamma=ranges.draw(1.9, 2.5),
        sharpening=ranges.draw(0.0, 1.2) if ranges.chance(0.7) else 0.0,
        quality=min(100, round(ranges.draw(40, 97))),
    )


def draw_camera(ranges: Ranges) -> Camera:
    return Camera(
        draw_sensor(ranges),
        exposed=ranges.draw(0.1, 0.4) if ranges.chance(0.7) else None,
        enlarged=ranges.draw(0.4, 0.95) if ranges.chance(0.25) else 1.0,
        smoothed=(3, 3, 5)[int(ranges.random.integers(3))] if ranges.chance(0.3) else 0,
        contrast=ranges.draw(0.5, 1.6) if ranges.chance(0.3) else 1.0,
        again=min(100, round(ranges.draw(35, 90))) if ranges.chance(0.4) else 0,
        bars=ranges.draw(0.1, 0.25) if ranges.chance(0.07) else 0.0,
    )


def draw_background(random: np.random.Generator, people: Sequence[Person]) -> Light:
    """A booth, a hall, a shelf: flat colours with edges of every kind, or a piece of a photograph, blurred."""
    photographs = [person for person in people if person.anywhere]
    if photographs and random.random() < 0.45:
        image = photographs[int(random.integers(len(photographs)))].image
        tall, wide = image.shape[:2]
        side = round(wide * float(random.uniform(0.18, 0.3)))  # beside the face
        left = 0 if random.random() < 0.5 else wide - side
        top = round(float(random.uniform(0, 0.4)) * tall)
        piece = cv2.resize(image[top : top + side * 3 // 4, left : left + side], (160, 120))
        piece = cv2.GaussianBlur(piece, (0, 0), float(random.uniform(0.3, 2.0)))
        lit = to_light(np.asarray(cv2.resize(piece, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8))
        return np.asarray(lit * np.float32(random.uniform(0.5, 1.3)), np.float32)
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
    if ranges.chance(DARKER):
        person = darker(person, float(random.uniform(0.15, 0.85)))
    moving = ranges.chance(0.65) if moving is None else moving
    names = ["turn_left", "turn_right", "nod"]
    moves = tuple(str(name) for name in random.permutation(names)[:2]) if moving else ()
    behind = draw_background(random, people)
    return Live(
        person,
        behind,
        moves,
        frames,
        random,
        size=ranges.draw(*EYES),
        gain=ranges.draw(0.6, 1.3),
        slant=(ranges.draw(-0.5, 0.5), ranges.draw(-0.3, 0.3)),
        amplitude=float(random.uniform(20, 36)),
    )


def darker(person: Person, depth: float) -> Person:
    """The person with darker skin: at depth 1 it throws back 0.17, 0.135 and 0.11 of the red, green and blue.

    That leads from the fairest skin to the darkest; most portraits at hand are of fair people. What shines goes on
    shining: the surface throws it back, and not what lies under it.
    """
    half = cv2.resize(person.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    tall, wide = half.shape[:2]
    eyes = np.array([person.head.right_eye, person.head.left_eye]) / 2
    between = float(np.linalg.norm(eyes[1] - eyes[0]))
    x, y = (float(value) for value in eyes.mean(axis=0))
    colours = cv2.cvtColor(half.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)[..., 1:]
    row = min(round(y + 0.55 * between), tall - 1)
    cheeks = [colours[row, min(max(round(x + side * between), 0), wide - 1)] for side in (-0.45, -0.3, 0.3, 0.45)]
    away = np.linalg.norm(colours - np.median(cheeks, axis=0), axis=-1)
    near = np.zeros((tall, wide), np.float32)
    cv2.ellipse(near, ((x, y + 0.6 * between), (2.5 * between, 3.6 * between), 0.0), 1.0, -1)
    neck = (round(x - 1.1 * between), round(y + between)), (round(x + 1.1 * between), tall)
    cv2.rectangle(near, *neck, 1.0, -1)
    cover = cv2.blur(near, (max(1, round(0.3 * between)),) * 2) * np.clip((20 - away) / 8, 0, 1).astype(np.float32)
    cover = cv2.resize(cover, person.image.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None]
    light = to_light(person.image)
    shine = np.clip(light.min(axis=2, keepdims=True) - 0.45, 0, None)
    dark = light * np.exp(-depth * np.array([2.2, 2.0, 1.77], np.float32)) + np.float32(0.5 * depth) * shine
    return replace(person, image=from_light(np.asarray(light + (dark - light) * cover, np.float32)))


Shown = tuple[Light, tuple[float, float]]  # some light, and how far it moves while a shutter is open


def live_lights(
    ranges: Ranges, people: Sequence[Person], frames: int, moments: Sequence[float]
) -> Iterator[Shown]:
    live = draw_live(ranges, people, frames)
    for moment in moments:
        yield live.light(moment), live.smear(moment)


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
        dots=ranges.draw(0.15, 0.9),
        stripes=ranges.draw(0.3, 1.0),
        gamma=ranges.draw(1.8, 2.6),
        white=ranges.draw(0.45, 1.6),
        black=ranges.draw(0.002, 0.06),
        tint=(ranges.draw(0.92, 1.25), 1.0, ranges.draw(0.8, 1.05)),
        saturation=ranges.draw(0.8, 1.4),
        bezel=ranges.draw(0.008, 0.12),
        bezel_level=ranges.draw(0.004, 0.12) if ranges.chance(0.8) else ranges.draw(0.5, 0.9),
        corner=ranges.draw(0.0, 0.1),
        glare=ranges.draw(0.0, 0.25) if ranges.chance(0.7) else 0.0,
        bands=ranges.draw(0.0, 0.1) if ranges.chance(0.6) else 0.0,
        band_rows=ranges.draw(60, 500, log=True),
        band_speed=float(ranges.random.uniform(-90, 90)),
        quality=min(100, round(ranges.draw(40, 97))),
    )


def draw_print(ranges: Ranges, *, curl: float) -> Print:
    return Print(
        white=ranges.draw(0.55, 0.95),
        black=ranges.draw(0.02, 0.1),
        saturation=ranges.draw(0.5, 1.15) if ranges.chance(0.93) else 0.0,
        gamma=ranges.draw(0.75, 1.3),
        tint=(ranges.draw(0.85, 1.05), 1.0, ranges.draw(0.95, 1.08)),
        margin=ranges.draw(0.0, 0.12) if ranges.chance(0.7) else 0.0,
        grain=ranges.draw(0.005, 0.05),
        lines=ranges.draw(0.0, 0.2) if ranges.chance(0.7) else 0.0,
        line_pitch=ranges.draw(0.25, 1.2),
        curl=curl,
        shading=ranges.draw(0.0, 0.5),
        shadow=ranges.draw(0.0, 0.5),
        quality=min(100, round(ranges.draw(75, 97))),
    )


def attack_lights(
    kind: str, ranges: Ranges, people: Sequence[Person], frames: int, moments: Sequence[float], sensor: Sensor
) -> Iterator[Shown]:
    """What an attack holds before the camera at these moments (in frames of the whole clip)."""
    if kind == "cut_out":
        yield from _cut_out_lights(ranges, people, frames, moments)
        return
    random = ranges.random
    victim = draw_live(ranges, people, frames, moving=kind == "screen_video" and ranges.chance(0.7))
    first = draw_camera(ranges) if ranges.chance(0.6) else None  # None: a picture as good as there is
    behind = draw_background(random, people) * np.float32(ranges.draw(0.5, 1.3))
    size = ranges.draw(*EYES)  # of the face in the camera's frame
    if ranges.chance(0.4):  # the attacker's own head or shoulders stand behind
        attacker = draw_live(ranges, people, frames, moving=False)
        attacker.size = min(attacker.size, 0.7 * size)  # or the attacker's face would be the one that is judged
        behind = attacker.light(0.0)
    turned = kind == "print_turned" or (kind == "screen_photo" and ranges.chance(0.5))
    names = [str(name) for name in random.permutation(["turn_left", "turn_right", "nod"])[:2]]
    jitter = Jitter(random, float(random.uniform(0.1, 2.0)), tuple(names) if turned else (), frames,
                    float(random.uniform(22, 50)))  # fmt: skip
    screen = draw_screen(ranges) if kind.startswith("screen") else None
    curl = ranges.draw(0.0, 1.2) if kind == "print_turned" or ranges.chance(0.4) else 0.0
    paper = draw_print(ranges, curl=curl)
    hand = draw_hand(ranges)
    box = _crop(victim, random, landscape=screen is not None and ranges.chance(0.4), filling=ranges.chance(0.25))
    zoom = float(random.uniform(0.9, 1.6))  # how finely the content is stored
    content_eye = victim.size * zoom
    base = Held(size / content_eye, 0, 0, *(float(value) for value in random.normal(0, (0.09, 0.09, 0.04))),
                near=ranges.draw(0.1, 0.45))  # fmt: skip
    still: Picture | None = None
    for moment in moments:
        if still is None or kind == "screen_video":
            lit = victim.light(moment)
            frame = from_light(lit) if first is None else first.shot(lit, random, victim.smear(moment))
            x0, y0, x1, y1 = box
            still = np.asarray(cv2.resize(frame[y0:y1, x0:x1], None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA
                                          if zoom < 1 else cv2.INTER_CUBIC), np.uint8)  # fmt: skip
        held = jitter.held(base, moment)
        before = jitter.held(base, moment - 0.3)
        if screen is not None:
            light = hold_screen(still, screen, held, behind, sensor, int(moment), hand)
        else:
            light = hold_print(still, paper, held, behind, hand)
        yield light, (held.x - before.x, held.y - before.y)


def _crop(live: Live, random: np.random.Generator, *, landscape: bool, filling: bool) -> tuple[int, int, int, int]:
    """The part of the first camera's frame that is shown: about the face, or `filling` the view."""
    pose = live.pose(0.0)
    x, y = WIDTH / 2 + pose.x, 0.47 * HEIGHT + 0.4 * live.size + pose.y
    tall = live.size * float(random.uniform(8.0, 12.0) if filling else random.uniform(3.6, 7.5))
    wide = tall * float(random.uniform(1.2, 1.7) if landscape else random.uniform(0.5, 0.9))
    wide = max(wide, (7.5 if filling else 3.0) * live.size)
    x0, x1 = max(0, round(x - wide / 2)), min(WIDTH, round(x + wide / 2))
    y0, y1 = max(0, round(y - tall / 2)), min(HEIGHT, round(y + tall / 2))
    return x0, y0, x1, y1


def _cut_out_lights(
    ranges: Ranges, people: Sequence[Person], frames: int, moments: Sequence[float]
) -> Iterator[Shown]:
    random = ranges.random
    attacker, victim = (draw_live(ranges, people, frames) for _ in range(2))
    victim.moves = ()
    lit = victim.light(0.0)
    picture = draw_camera(ranges).shot(lit, random) if ranges.chance(0.5) else from_light(lit)
    pose = victim.pose(0.0)
    x, y = WIDTH / 2 + pose.x, 0.47 * HEIGHT + pose.y
    eye = victim.size
    x0, x1, y0, y1 = round(x - 1.7 * eye), round(x + 1.7 * eye), round(y - 1.5 * eye), round(y + 2.4 * eye)
    padded = cv2.copyMakeBorder(picture, 200, 200, 200, 200, cv2.BORDER_REPLICATE)
    content = np.asarray(padded[y0 + 200 : y1 + 200, x0 + 200 : x1 + 200], np.uint8)
    tall, wide = content.shape[:2]
    shape = _cut(ranges, wide, tall, eye)
    if ranges.chance(0.5):  # the paper's white edge, where scissors did not follow the face
        rim = shape - cv2.erode(shape, np.ones((3, 3), np.uint8), iterations=int(random.integers(1, 4)))
        content = np.asarray(content + (245.0 - content) * rim[..., None], np.uint8)
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
        yield light, attacker.smear(moment)


def _cut(ranges: Ranges, wide: int, tall: int, eye: float) -> Light:
    """Where paper is: an oval cut by hand, with holes for the eyes, and perhaps the mouth, or without."""
    random = ranges.random
    shape = np.zeros((tall, wide), np.float32)
    x, y = wide / 2, 1.5 * eye
    half_x, half_y = eye * ranges.draw(0.95, 1.5), eye * ranges.draw(1.3, 1.85)
    angles = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    wander = 1 + float(random.uniform(0, 0.05)) * sum(
        np.sin(order * angles + random.uniform(0, 2 * math.pi)) for order in (2, 3, 5, 7)
    )
    outline = np.stack([x + half_x * wander * np.cos(angles), y + 0.5 * eye + half_y * wander * np.sin(angles)], 1)
    cv2.fillPoly(shape, [np.round(outline * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    if ranges.chance(0.7):
        hole = (eye * float(random.uniform(0.32, 0.6)), eye * float(random.uniform(0.16, 0.34)))
        for side in (-0.5, 0.5):
            cv2.ellipse(shape, ((x + side * eye, y), hole, 0.0), 0.0, -1, cv2.LINE_AA)
    if ranges.chance(0.15):
        hole = (eye * float(random.uniform(0.5, 0.9)), eye * float(random.uniform(0.2, 0.4)))
        cv2.ellipse(shape, ((x, y + 1.05 * eye), hole, 0.0), 0.0, -1, cv2.LINE_AA)
    return shape


def lights(
    kind: str, ranges: Ranges, people: Sequence[Person], frames: int, moments: Sequence[float], sensor: Sensor
) -> Iterator[Shown]:
    """What stands before the camera at these moments: `kind` is live or one of `ATTACKS`."""
    if kind == "live":
        return live_lights(ranges, people, frames, moments)
    return attack_lights(kind, ranges, people, frames, moments, sensor)


def clip(kind: str, ranges: Ranges, people: Sequence[Person], frames: int) -> Iterator[Picture]:
    """A whole clip, as one camera sees it."""
    camera = draw_camera(ranges)
    moments = [float(moment) for moment in range(frames)]
    for light, smear in lights(kind, ranges, people, frames, moments, camera.sensor):
        yield camera.shot(light, ranges.random, smear)


def pair(kind: str, ranges: Ranges, people: Sequence[Person]) -> tuple[Picture, Picture]:
    """Two frames of one scene, by two cameras, of which the second has fewer pixels. Scenes cost the most."""
    one, other = draw_camera(ranges), draw_camera(ranges)
    moments = [float(ranges.random.uniform(0, 24))]
    light, smear = next(iter(lights(kind, ranges, people, 24, moments, one.sensor)))
    scale = float(ranges.random.uniform(0.5, 0.9))
    smaller = cv2.resize(light, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return (
        one.shot(light, ranges.random, smear),
        other.shot(np.asarray(smaller, np.float32), ranges.random, (scale * smear[0], scale * smear[1])),
    )


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


def folder_people(folder: Path, part: str, *, plain: bool, most: int = 10_000) -> list[Person]:
    """The people of one part out of a folder; but who has no clear face. `plain`: the background may go."""
    detector = cv2.FaceDetectorYN.create(str(MODELS / "face_detection_yunet_2023mar.onnx"), "", (320, 320), 0.8)
    names = _column(folder / "images.csv", "path", "identity")
    groups = _column(folder.parent / "info.csv", "face_id", "face_eth")
    people: list[Person] = []
    for path in sorted(folder.glob("*.jpg")):
        name = names.get(path.name, path.stem.partition("_")[0])
        if part_of(name) != part or len(people) == most:
            continue
        image = cv2.imread(str(path))
        if image is None or _wedged(image):
            continue
        scale = min(1.0, 640 / max(image.shape[:2]))
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        detector.setInputSize((image.shape[1], image.shape[0]))
        found = detector.detect(image)[1]
        if found is None or len(found) != 1:
            continue
        points = found[0][4:14].reshape(5, 2).astype(float)
        head = Head(*((float(x), float(y)) for x, y in points))
        cover = cut_out_person(image, head) if plain else _inner(image)
        people.append(Person(name, image, head, cover, not plain, groups.get(name, "")))
    return people


def _inner(image: Picture) -> Light:
    """One in the middle of a picture, falling to nothing at its edges."""
    height, width = image.shape[:2]
    across, down = (np.minimum(np.arange(side), np.arange(side)[::-1]) / (0.12 * side) for side in (width, height))
    return np.asarray(np.clip(np.minimum(across[None, :], down[:, None]), 0, 1), np.float32)


def _wedged(image: Picture) -> bool:
    """Whether a picture was turned and its corners filled with black: an edge that no camera makes."""
    corners = [image[:6, :6], image[:6, -6:], image[-6:, :6], image[-6:, -6:]]
    return any(int(corner.max()) < 14 for corner in corners)


def _column(table: Path, key: str, value: str) -> dict[str, str]:
    if not table.exists():
        return {}
    with table.open(encoding="utf-8", newline="") as opened:
        return {line[key]: line[value] for line in csv.DictReader(opened)}


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


def gather_people(options: argparse.Namespace) -> list[Person]:
    """Whoever of the wanted part is in the folders that were named; without any, the specimens."""
    people: list[Person] = []
    for folder in options.portraits:
        people += folder_people(folder, options.part, plain=True)
    for folder in options.wild:
        people += folder_people(folder, options.part, plain=False)
    return people if options.part != "train" and people else people + specimen_people()


def add_people(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--portraits", type=Path, nargs="*", default=[], help="folders of plain portraits")
    parser.add_argument("--wild", type=Path, nargs="*", default=[], help="folders of people anywhere")
    parser.add_argument("--part", choices=("train", "calibrate", "test"), default="train")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="frames of 480 x 360")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first clip")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--held-back", action="store_true", help="device parameters that training never draws")
    add_people(parser)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.small:
        draw_small()
    people = gather_people(options)
    options.out.mkdir(parents=True, exist_ok=True)
    kinds = [kind for attack in ATTACKS for kind in ("live", attack)]  # as many live clips as attacks
    with (options.out / "clips.csv").open("a", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        if options.first == 0:
            writer.writerow(("path", "label", "type", "person", "group"))
        for index in range(options.first, options.first + options.clips):
            kind = kinds[index % len(kinds)]
            ranges = Ranges(np.random.default_rng((options.seed, index)), options.held_back)
            name = f"{index:04d}-{kind}.mjpeg"
            write_clip(options.out / name, clip(kind, ranges, people, options.frames))
            attack = kind != "live"
            writer.writerow((name, "attack" if attack else "live", kind if attack else "", "", ""))
            print(f"{index + 1}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
