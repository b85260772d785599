"""What a camera sees when a face is not there: a screen, a print or a cut-out is held before it.

The physics is simple and written out: light is added in linear units, a thing is a plane or a cylinder seen
through a pinhole, the dots of a screen meet the camera's pixels as a product that is sampled at pixel centres (so
that moiré comes by itself), and the sensor blurs, adds shot and read noise, sharpens and compresses. It is no
photograph of an attack: what is measured on it is called simulated.

All pictures are BGR. `Light` is linear, 1.0 is white.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float32]
Map = npt.NDArray[np.float32]

_GRID = 8  # the surface is computed on every eighth pixel


@dataclass(frozen=True)
class Sensor:
    """The kiosk's camera. Blurs are standard deviations in pixels, noises in shares of white."""

    blur: float = 0.6
    aperture: float = 0.8  # the share of a pixel's side that gathers light
    shot: float = 0.008  # at white; falls with the root of the light
    read: float = 0.003
    pattern: float = 0.004  # fixed pattern of the sensor: the gain of each pixel
    serial: int = 1  # which sensor's pattern
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)  # white balance, BGR
    exposure: float = 1.0
    gamma: float = 2.2
    sharpening: float = 0.3
    quality: int = 88  # JPEG


@dataclass(frozen=True)
class Held:
    """Where a flat thing is. Its middle lies at (x, y) pixels of the frame's middle; angles in radians."""

    scale: float  # pixels of the frame for one pixel of the content, seen straight
    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    near: float = 0.25  # the content's width as a share of its distance: how strong the perspective is


@dataclass(frozen=True)
class Screen:
    """A phone, tablet or monitor."""

    pitch: float = 2.2  # dots of the screen for one pixel of the content
    dots: float = 0.5  # depth of the dot pattern, 0 to 1
    stripes: float = 0.5  # how far the three colours lie apart, in thirds of a dot
    gamma: float = 2.2
    white: float = 0.9  # against the booth's white
    black: float = 0.02
    tint: tuple[float, float, float] = (1.05, 1.0, 0.96)
    saturation: float = 1.1
    bezel: float = 0.04  # of the content's longer side
    bezel_level: float = 0.02
    corner: float = 0.06
    glare: float = 0.05  # a reflection of a lamp or window on the glass
    bands: float = 0.02  # depth of the bands of a screen that is refreshed or dimmed by pulses
    band_rows: float = 160.0
    band_speed: float = 40.0  # rows for one frame
    quality: int = 80  # of the film or photograph that is shown


@dataclass(frozen=True)
class Print:
    """A print on paper or card."""

    white: float = 0.78
    black: float = 0.05
    saturation: float = 0.8
    gamma: float = 1.0  # of the print's tones against the picture's
    tint: tuple[float, float, float] = (0.97, 1.0, 1.0)
    margin: float = 0.05  # white border, of the content's longer side
    grain: float = 0.02
    lines: float = 0.0  # depth of the halftone as far as the camera sees it
    line_pitch: float = 0.6  # halftone cells for one pixel of the content
    curl: float = 0.0  # 1 / radius in content widths; 0 = flat
    shading: float = 0.15  # how much darker a side is that turns away
    shadow: float = 0.3
    quality: int = 92


def to_light(picture: Picture, gamma: float = 2.2) -> Light:
    """Linear light of a picture."""
    import cv2

    table = ((np.arange(256) / 255.0) ** gamma).astype(np.float32)
    return np.asarray(cv2.LUT(picture, table), np.float32)


def capture(
    light: Light, sensor: Sensor, random: np.random.Generator, smear: tuple[float, float] = (0, 0)
) -> Picture:
    """The camera's picture of some light. `smear`: how far the scene moved while the shutter was open, pixels."""
    import cv2

    height, width = light.shape[:2]
    seen: Light = light
    length = math.hypot(*smear)
    if length > 1.0:
        kernel = _smear(*smear)
        seen = np.asarray(cv2.filter2D(seen, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
    if sensor.blur > 0.25:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), sensor.blur), np.float32)
    pattern = 1 + sensor.pattern * sensor_pattern(sensor.serial, width, height)
    gains = np.asarray([gain * sensor.exposure for gain in sensor.gains], np.float32)
    lit = np.asarray(seen * gains * pattern[..., None], np.float32)
    grain = _noise(random, width, height) * (sensor.shot * np.sqrt(np.clip(lit, 0, 1)) + sensor.read)
    seen = np.asarray(lit + grain, np.float32)
    picture = from_light(seen, sensor.gamma)
    if sensor.sharpening > 0:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
        picture = np.asarray(
            cv2.addWeighted(picture, 1 + sensor.sharpening, soft, -sensor.sharpening, 0), np.uint8
        )
    return compressed(picture, sensor.quality)


def from_light(light: Light, gamma: float = 2.2) -> Picture:
    """A picture of linear light, by a table of 4,096 steps on the root (it keeps the shadows)."""
    steps = np.sqrt(np.clip(light, 0, 1)) * 4095
    table = np.clip(np.round(255 * (np.arange(4096) / 4095.0) ** (2 / gamma)), 0, 255).astype(np.uint8)
    return np.asarray(table[steps.astype(np.uint16)], np.uint8)


def compressed(picture: Picture, quality: int) -> Picture:
    import cv2

    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture cannot be encoded")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def sensor_pattern(serial: int, width: int, height: int) -> Light:
    """The fixed pattern of one sensor: unit variance, always the same for the same serial number."""
    kept = _pattern(serial, _rounded(width, 80), _rounded(height, 80))
    return kept if kept.shape == (height, width) else kept[:height, :width]


@lru_cache(32)
def _pattern(serial: int, width: int, height: int) -> Light:
    return np.random.default_rng(serial).standard_normal((height, width), dtype=np.float32)


def _rounded(side: int, step: int) -> int:
    """Up to one of a few sizes, so that what is kept for a size serves frames of any."""
    return -(-side // step) * step


@lru_cache(8)
def _sheet(width: int, height: int) -> Light:
    """One large sheet of noise in three colours that go partly together, as after a colour filter is undone."""
    import cv2

    random = np.random.default_rng(0)
    coarse = random.standard_normal((height // 2, width // 2, 3), dtype=np.float32)
    fine = random.standard_normal((height, width, 1), dtype=np.float32)
    soft = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(0.8 * fine + 0.8 * soft, np.float32)


def _noise(random: np.random.Generator, width: int, height: int) -> Light:
    """A piece of the sheet, anywhere: a tenth of the price of new noise."""
    sheet = _sheet(_rounded(width, 160) + 509, _rounded(height, 160) + 509)
    x, y = (int(value) for value in random.integers(0, 509, 2))
    piece = sheet[y : y + height, x : x + width]
    if random.integers(2):
        piece = piece[::-1]
    return np.asarray(piece[:, ::-1] if random.integers(2) else piece, np.float32)


def _smear(x: float, y: float) -> Map:
    import cv2

    reach = max(1, math.ceil(max(abs(x), abs(y)) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    ends = [(round(reach + sign * x / 2), round(reach + sign * y / 2)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def surface(
    held: Held, content: tuple[int, int], frame: tuple[int, int], curl: float = 0.0
) -> tuple[Map, Map, Map]:
    """For each pixel of the frame: column and row on the thing, in pixels of the content, and the slope.

    `content` and `frame` are (width, height). The slope is the cosine between the surface and the line of sight.
    Where the line of sight misses a curled thing, the column lies far outside.
    """
    import cv2

    width, height = frame
    grid_x, grid_y = np.meshgrid(*(np.arange(side // _GRID) * _GRID + (_GRID - 1) / 2 for side in frame))
    # The thing's own units: content pixels. It stands so far away that one of them is `scale` pixels wide.
    distance = content[0] / held.near
    focal = held.scale * distance  # in pixels
    ray = np.stack(
        [(grid_x - width / 2 - held.x), (grid_y - height / 2 - held.y), np.full_like(grid_x, focal)], -1
    )
    turn = _rotation(held.yaw, held.pitch, held.roll)
    ray = ray @ turn  # into the thing's own frame
    eye = -np.array([0.0, 0.0, distance]) @ turn
    if abs(curl) < 1e-6:
        along = -eye[2] / ray[..., 2]
        at = eye + along[..., None] * ray
        across, normal_x, normal_z = at[..., 0], np.zeros_like(along), np.full_like(along, -1.0)
        missed = along <= 0
    else:
        # A cylinder about the upright axis, bent away from the camera: the middle is nearest.
        radius = content[0] / abs(curl)
        origin_z = eye[2] - radius
        a = ray[..., 0] ** 2 + ray[..., 2] ** 2
        b = 2 * (eye[0] * ray[..., 0] + origin_z * ray[..., 2])
        c = eye[0] ** 2 + origin_z**2 - radius**2
        under = b**2 - 4 * a * c
        missed = under <= 0
        along = (-b - np.sqrt(np.clip(under, 0, None))) / (2 * a)
        at = eye + along[..., None] * ray
        angle = np.arctan2(at[..., 0], -(at[..., 2] - radius))
        across = radius * angle
        normal_x, normal_z = np.sin(angle), -np.cos(angle)
    slope = np.abs(normal_x * ray[..., 0] + normal_z * ray[..., 2]) / np.linalg.norm(ray, axis=-1)
    u = np.where(missed, 1e4, across + content[0] / 2)
    v = np.where(missed, 1e4, at[..., 1] + content[1] / 2)
    u, v, slope = (
        np.asarray(cv2.resize(cells.astype(np.float32), frame, interpolation=cv2.INTER_LINEAR), np.float32)
        for cells in (u, v, slope)
    )
    return u, v, slope


def _rotation(yaw: float, pitch: float, roll: float) -> npt.NDArray[np.float64]:
    cy, sy, cp, sp, cr, sr = (
        math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch), math.cos(roll), math.sin(roll)
    )  # fmt: skip
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def hold_screen(
    content: Picture,
    screen: Screen,
    held: Held,
    behind: Light,
    sensor: Sensor,
    moment: int,
    hand: Hand | None = None,
) -> Light:
    """A screen that shows `content`, held before what is `behind` (whose size is the frame's)."""

    height, width = behind.shape[:2]
    tall, wide = content.shape[:2]
    u, v, _ = surface(held, (wide, tall), (width, height))
    shown = to_light(compressed(content, screen.quality), screen.gamma)
    shown = _saturated(shown, screen.saturation)
    shown = shown * ((screen.white - screen.black) * np.asarray(screen.tint, np.float32)) + np.float32(
        screen.black
    )
    border = round(screen.bezel * max(wide, tall))
    canvas, mask = _framed(shown, border, screen.bezel_level, round(screen.corner * max(wide, tall)))
    lit = _placed(canvas, u, v, border)
    cover = _placed(mask, u, v, border, constant=True)
    inside = ((u >= 0) & (u < wide) & (v >= 0) & (v < tall)).astype(np.float32)
    if screen.dots > 0:
        lit = lit * (1 + (_dots(u, v, screen, sensor) * inside[..., None]))
    rows = np.arange(height, dtype=np.float32)
    phase = 2 * math.pi * (rows + moment * screen.band_speed) / screen.band_rows
    lit = lit * (1 + inside[..., None] * (screen.bands * np.sin(phase))[:, None, None])
    lit = lit + (screen.glare * _glow(u / wide, v / tall))[..., None]
    out: Light = behind * (1 - cover[..., None]) + lit * cover[..., None]
    if hand is not None:
        out = hand.over(out, u, v, wide, tall, border)
    return np.asarray(out, np.float32)


def hold_print(content: Picture, paper: Print, held: Held, behind: Light, hand: Hand | None = None) -> Light:
    """A print of `content`, held before what is `behind`."""
    height, width = behind.shape[:2]
    tall, wide = content.shape[:2]
    u, v, slope = surface(held, (wide, tall), (width, height), paper.curl)
    border = round(paper.margin * max(wide, tall))
    canvas, mask = _framed(printed(content, paper), border, paper.white, 0)
    cover = _placed(mask, u, v, border, constant=True)
    shade = 1 - paper.shading * (1 - slope) * 2
    lit = _placed(canvas, u, v, border) * np.clip(shade, 0.3, 1.2)[..., None]
    out = _shadowed(behind, cover, paper.shadow) * (1 - cover[..., None]) + lit * cover[..., None]
    if hand is not None:
        out = hand.over(np.asarray(out, np.float32), u, v, wide, tall, border)
    return np.asarray(out, np.float32)


def wear_cut_out(content: Picture, shape: Light, paper: Print, held: Held, behind: Light) -> Light:
    """A face cut out of a print, worn before one's own: `shape` is 1 where paper is, in the content's pixels."""
    height, width = behind.shape[:2]
    tall, wide = content.shape[:2]
    u, v, slope = surface(held, (wide, tall), (width, height), paper.curl)
    cover = _placed(shape, u, v, 0, constant=True)
    shade = 1 - paper.shading * (1 - slope) * 2
    lit = _placed(printed(content, paper), u, v, 0) * np.clip(shade, 0.3, 1.2)[..., None]
    return np.asarray(
        _shadowed(behind, cover, paper.shadow) * (1 - cover[..., None]) + lit * cover[..., None], np.float32
    )


def printed(content: Picture, paper: Print) -> Light:
    """What a print throws back: fewer tones and colours than the picture has, with the grain of paper and ink."""
    tall, wide = content.shape[:2]
    light = _saturated(to_light(compressed(content, paper.quality), 2.2 * paper.gamma), paper.saturation)
    light = np.float32(paper.black) + light * ((paper.white - paper.black) * np.asarray(paper.tint, np.float32))
    # The same sheet has the same grain in each frame.
    grain = np.random.default_rng(wide * 7919 + tall).standard_normal((tall, wide, 1), dtype=np.float32)
    light = np.asarray(light * (1 + paper.grain * grain), np.float32)
    if paper.lines > 0:
        across, down = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(tall, dtype=np.float32))
        for channel, degrees in enumerate((15.0, 75.0, 45.0)):
            c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            turn = 2 * math.pi * paper.line_pitch
            cells = np.cos(turn * (across * c + down * s)) + np.cos(turn * (down * c - across * s))
            light[..., channel] *= 1 + 0.5 * paper.lines * cells
    return np.asarray(light, np.float32)


@dataclass(frozen=True)
class Hand:
    """A hand that holds the thing by one side. `skin` is BGR linear light."""

    side: str  # left, right, bottom
    skin: tuple[float, float, float]
    at: float = 0.6  # along the side
    size: float = 0.16  # of the content's width

    def over(self, light: Light, u: Map, v: Map, wide: int, tall: int, border: int) -> Light:
        """The light with fingers over the thing's edge."""
        import cv2

        size = self.size * wide
        cover = np.zeros(light.shape[:2], np.float32)
        for finger in range(1 if self.side == "bottom" else 3):
            if self.side == "bottom":
                x, y, reach, thick = self.at * wide, tall + border * 0.4, 1.0 * size, 2.2 * size
            else:
                x = -border if self.side == "left" else wide + border
                y, reach, thick = self.at * tall + (finger - 1) * 1.05 * size, 1.5 * size, 0.5 * size
            away = ((u - x) / reach) ** 2 + ((v - y) / thick) ** 2
            cover = np.maximum(cover, np.clip((1.15 - away) / 0.3, 0, 1))
        soft = cv2.GaussianBlur(cover, (0, 0), 1.0)[..., None]
        relief = 0.75 + 0.35 * cv2.GaussianBlur(cover, (0, 0), 9.0)[..., None]
        return np.asarray(light * (1 - soft) + soft * relief * np.asarray(self.skin, np.float32), np.float32)


def _dots(u: Map, v: Map, screen: Screen, sensor: Sensor) -> Light:
    """The dot pattern at the camera's pixel centres: the fundamental each way and the colours' stripes.

    Each wave is weakened by what lens and pixel let through at its frequency there, and folds by itself.
    """
    across, down = u * np.float32(screen.pitch), v * np.float32(screen.pitch)
    depth_x = screen.dots * _passed(across, sensor)
    depth_y = screen.dots * 0.7 * _passed(down, sensor)
    out = np.empty((*u.shape, 3), np.float32)
    lines = depth_y * np.cos(2 * np.pi * down)
    for channel in range(3):
        out[..., channel] = depth_x * np.cos(2 * np.pi * (across + screen.stripes * channel / 3)) + lines
    return out


def _passed(phase: Map, sensor: Sensor) -> Light:
    """What the optics let through of a wave with this phase map (in turns)."""
    slope_y, slope_x = np.gradient(phase[::16, ::16], 16.0)
    import cv2

    frequency = np.clip(np.hypot(slope_x, slope_y), 0, 8)
    kept = np.exp(-2 * (math.pi * max(sensor.blur, 0.3) * frequency) ** 2) * np.abs(
        np.sinc(frequency * sensor.aperture)
    )
    # The camera's own blur comes afterwards on the folded wave; here only the part that keeps moiré visible is
    # weakened: without a floor no dense screen would ever show it, and in truth many do.
    kept = np.maximum(kept, 0.05 * np.exp(-frequency))
    return np.asarray(
        cv2.resize(kept.astype(np.float32), (phase.shape[1], phase.shape[0]), interpolation=cv2.INTER_LINEAR)
    )


def _framed(content: Light, border: int, level: float, corner: int) -> tuple[Light, Light]:
    """The content within its border, and where the thing is at all."""
    import cv2

    canvas = np.asarray(
        cv2.copyMakeBorder(content, border, border, border, border, cv2.BORDER_CONSTANT, value=(level,) * 3),
        np.float32,
    )
    tall, wide = canvas.shape[:2]
    mask = np.ones((tall, wide), np.float32)
    if corner > 1:
        rounded = np.zeros((tall, wide), np.uint8)
        cv2.rectangle(rounded, (corner, 0), (wide - corner, tall), 255, -1)
        cv2.rectangle(rounded, (0, corner), (wide, tall - corner), 255, -1)
        for x in (corner, wide - corner - 1):
            for y in (corner, tall - corner - 1):
                cv2.circle(rounded, (x, y), corner, 255, -1)
        mask = (rounded / 255).astype(np.float32)
    return canvas, mask


def _placed(canvas: Light, u: Map, v: Map, border: int, *, constant: bool = False) -> Light:
    import cv2

    mode = cv2.BORDER_CONSTANT if constant else cv2.BORDER_REPLICATE
    shift = np.float32(border)
    return np.asarray(cv2.remap(canvas, u + shift, v + shift, cv2.INTER_LINEAR, borderMode=mode), np.float32)


def _shadowed(behind: Light, cover: Light, depth: float) -> Light:
    import cv2

    small = cv2.resize(cover, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), 1.8), (cover.shape[1], cover.shape[0]))
    return np.asarray(behind * (1 - depth * soft)[..., None], np.float32)


def _glow(u: Map, v: Map) -> Light:
    """A soft light on the glass, upper left."""
    return np.asarray(np.exp(-(((u - 0.25) / 0.35) ** 2) - ((v - 0.2) / 0.22) ** 2), np.float32)


def _saturated(light: Light, saturation: float) -> Light:
    grey = light.mean(axis=2, keepdims=True)
    return np.asarray(np.clip(grey + (light - grey) * np.float32(saturation), 0, 1), np.float32)
