"""What a single frame shows of a recapture, as numbers that a person can check.

| cue | of |
|---|---|
| `peak`, `colour_peak` | dots, moiré, halftone: a peak of the grain's spectrum over its surroundings |
| `frame_left` … `frame_below` | straight edges beside the face: bezel, paper |
| `highlights` | burnt spots on the face: glass, glossy paper |
| `darkest`, `spread` | black level and contrast of the face: screens and paper have less of both |
| `colour`, `blue` | saturation, and blue against red |
| `focus` | sharpness of the face against that of its surroundings |
| `noise`, `noise_ratio` | grain of the face, and against the surroundings: two cameras took a recapture |
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.ports import Frame
from kiosk.faces.pad.crops import SIDE

CUES = (
    "peak",
    "colour_peak",
    "frame_left",
    "frame_right",
    "frame_above",
    "frame_below",
    "highlights",
    "darkest",
    "spread",
    "colour",
    "blue",
    "focus",
    "noise",
    "noise_ratio",
)

Plane = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]


def frame_cues(around: Frame, grain: Frame) -> npt.NDArray[np.float64]:
    """The cues of one frame in the order of `CUES`, from its two crops."""
    import cv2

    colours = cv2.cvtColor(grain, cv2.COLOR_BGR2YCrCb).astype(np.float32)
    luma = colours[..., 0]
    grey = np.asarray(cv2.cvtColor(around, cv2.COLOR_BGR2GRAY), np.uint8)
    quarter = SIDE // 4
    face = around[quarter:-quarter, quarter:-quarter].astype(np.float32)
    bright = face.max(axis=2)
    dark = float(np.percentile(bright, 2))
    saturation = float(np.mean((bright - face.min(axis=2)) / np.maximum(bright, 16)))
    inside = _detail(grey[quarter:-quarter, quarter:-quarter])
    outside = _detail(np.vstack([grey[: quarter // 2], grey[-quarter // 2 :]]))
    noise = _noise(luma)
    return np.array(
        [
            _peak(luma),
            max(_peak(colours[..., 1]), _peak(colours[..., 2])),
            *_frames(grey),
            float(np.mean(bright > 246)),
            dark / 255,
            float(np.percentile(bright, 98) - dark) / 255,
            saturation,
            float(np.log((face[..., 0].mean() + 8) / (face[..., 2].mean() + 8))),
            float(np.log((inside + 0.5) / (outside + 0.5))),
            float(np.log(noise + 0.1)),
            float(np.log((noise + 0.1) / (_noise(grey.astype(np.float32)) + 0.1))),
        ]
    )


def _peak(plane: Plane) -> float:
    """The highest peak of the spectrum over the median at its frequency, natural logarithm."""
    window = np.hanning(SIDE).astype(np.float32)
    spectrum = np.abs(np.fft.rfft2((plane - plane.mean()) * window[:, None] * window[None, :]))
    across, down = np.meshgrid(np.fft.rfftfreq(SIDE), np.fft.fftfreq(SIDE))
    ring = np.round(np.hypot(across, down) * 40).astype(int)
    best = 0.0
    for index in range(5, 20):  # from an eighth of a cycle for each pixel up
        # The axes carry JPEG's blocks, which any camera has.
        values = spectrum[(ring == index) & (np.abs(across) > 0.02) & (np.abs(down) > 0.02)]
        best = max(best, float(np.log((values.max() + 1) / (np.median(values) + 1))))
    return best


def _frames(grey: Grey) -> tuple[float, float, float, float]:
    """The strongest straight edge left, right, above and below the face, in grey levels over its whole length."""
    import cv2

    soft = cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)
    quarter = SIDE // 4
    strengths = []
    for steps in (np.abs(np.diff(soft, axis=1)), np.abs(np.diff(soft, axis=0)).T):
        # The median along a line that may lean by some pixels: take the best of three neighbours first.
        wide = cv2.dilate(steps, np.ones((1, 5), np.uint8))
        lines = np.percentile(wide[quarter:-quarter], 30, axis=0)
        strengths += [float(lines[:quarter].max()), float(lines[-quarter:].max())]
    left, right, above, below = (float(np.log1p(value)) for value in strengths)
    return left, right, above, below


def _detail(grey: Grey) -> float:
    import cv2

    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


def _noise(plane: Plane) -> float:
    """Standard deviation of the finest grain, from the median of a Laplacian mask (Immerkær 1996)."""
    import cv2

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return float(np.median(np.abs(cv2.filter2D(plane, -1, mask)))) / (0.6745 * 6)
