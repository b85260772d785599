"""Two similarities become one number with a meaning: the logarithm of a likelihood ratio, with its FMR.

Some faces resemble everybody: a similarity is counted from what the two have with the mean of many people. A
score of 3 says: such a pair of pictures is a thousand times as likely of one person as of two. How often different
people score so high is told by a table. The numbers are fitted by training/face_fusion.py and shipped as
calibration.json; docs/faces.md is their model card.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contracts.party import FaceDecision

Scores = npt.NDArray[np.float64]
Vector = npt.NDArray[np.floating[Any]]

CALIBRATION = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True)
class Scale:
    """What a score of one engine means: false match rates at rising scores, to be read between them."""

    scores: tuple[float, ...]
    log10_rates: tuple[float, ...]  # falling

    def rate(self, score: float) -> float:
        """The share of comparisons of different people that score as high. Never less than the table can tell."""
        return float(10 ** np.interp(score, self.scores, self.log10_rates))

    def score(self, rate: float) -> float:
        """The lowest score whose false match rate is at most `rate`."""
        return float(np.interp(-np.log10(rate), [-value for value in self.log10_rates], self.scores))


@dataclass(frozen=True)
class Policy:
    """From which score on two pictures are a match, and from which the question is open (both to be ≥)."""

    match: float
    doubt: float

    def decide(self, score: float, match: float | None = None) -> FaceDecision:
        """`match`: another threshold than the policy's."""
        at = self.match if match is None else match
        if score >= at:
            return FaceDecision.MATCH
        return FaceDecision.DOUBT if score >= min(self.doubt, at) else FaceDecision.MISMATCH


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers; what is a pair stands for SFace and dlib."""

    version: str
    weights: tuple[float, float, float]  # of 1 and the two similarities
    means: tuple[Vector, Vector]  # of the vectors of many people, as much of it as is taken off
    scales: dict[str, Scale]  # fused, sface, dlib

    @classmethod
    def load(cls, path: Path = CALIBRATION) -> Calibration:
        return cls.from_table(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Calibration:
        one, first, second = table["weights"]
        return cls(
            version=table["version"],
            weights=(one, first, second),
            means=(np.array(table["means"]["sface"]), np.array(table["means"]["dlib"])),
            scales={
                name: Scale(tuple(row[0] for row in rows), tuple(row[1] for row in rows))
                for name, rows in table["false_match_rates"].items()
            },
        )

    def fuse(self, first: tuple[Vector, Vector], second: tuple[Vector, Vector]) -> Scores:
        """log10 of each pair's likelihood ratio; SFace's vectors left and right, (n, 128) each, then dlib's."""
        one, two = similarity(*first, self.means[0]), similarity(*second, self.means[1])
        return self.weights[0] + self.weights[1] * one + self.weights[2] * two

    def policy(self, engine: str, match_rate: float, doubt_rate: float) -> Policy:
        """The thresholds at which false matches and false doubts are as rare as asked."""
        scale = self.scales[engine]
        return Policy(scale.score(match_rate), scale.score(max(match_rate, doubt_rate)))


def similarity(left: Vector, right: Vector, mean: Vector) -> Scores:
    """The cosines of pairs, less what each of the two has with the mean on average."""
    alike = np.einsum("ij,ij->i", left, right)
    return np.asarray(alike - (left @ mean + right @ mean) / 2, dtype=np.float64)
