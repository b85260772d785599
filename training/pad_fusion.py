"""Fits the fusion of network, cues and geometry on simulated clips, and writes it with its threshold.

    .venv/bin/python training/pad_recapture.py --out CLIPS --clips 200 --seed 5 …
    .venv/bin/python training/pad_fusion.py --clips CLIPS/clips.csv --out kiosk/faces/pad/weights/fusion.json

A logistic regression with a ridge, by Newton's steps. The people of these clips should not be those that trained
the network. The threshold is where `--bpcer` of the live clips would be refused.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kiosk.faces.detect import FaceDetector
from kiosk.faces.pad.cues import CUES
from kiosk.faces.pad.film import gather, read_film
from kiosk.faces.pad.network import RecaptureNetwork

Values = npt.NDArray[np.float64]

GEOMETRY = ("network", "network_high", "moved", "flat", "stiff")
ALL = (*GEOMETRY, *CUES)
RIDGE = 1.0  # on standardised values


def fit(values: Values, attack: Values, ridge: float = RIDGE) -> tuple[Values, float]:
    """Weights and bias for raw values. Live and attacks count alike, however many there are of each."""
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    inputs = np.hstack([(values - mean) / spread, np.ones((len(values), 1))])
    share = attack.mean()
    weight = np.where(attack > 0, 0.5 / share, 0.5 / (1 - share))
    penalty = np.diag([ridge] * values.shape[1] + [0.0])
    beta = np.zeros(inputs.shape[1])
    for _ in range(60):
        odds = 1 / (1 + np.exp(-np.clip(inputs @ beta, -30, 30)))
        slope = inputs.T @ (weight * (odds - attack)) + penalty @ beta
        bend = (inputs * (weight * odds * (1 - odds))[:, None]).T @ inputs + penalty + 1e-6 * np.eye(len(beta))
        beta = beta - np.linalg.solve(bend, slope)
    weights = beta[:-1] / spread
    return weights, float(beta[-1] - weights @ mean)


def write(path: Path, names: Sequence[str], weights: Values, bias: float, threshold: float) -> None:
    fitted = {name: round(float(value), 6) for name, value in zip(names, weights, strict=True)}
    text = json.dumps({"weights": fitted, "bias": round(bias, 6), "threshold": round(threshold, 6)}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bpcer", type=float, default=0.01)
    parser.add_argument("--cues", action="store_true", help="give the cues weights too")
    options = parser.parse_args()
    detector = FaceDetector(Path(sys.prefix) / "share/corridor/models")
    network = RecaptureNetwork()
    names = ALL if options.cues else GEOMETRY
    rows, labels = [], []
    with options.clips.open(encoding="utf-8", newline="") as table:
        for line in csv.DictReader(table):
            evidence = gather(
                list(read_film(options.clips.parent / line["path"])), detector.find, network, cues=True
            )
            if not isinstance(evidence, str):
                seen = evidence.values()
                rows.append([seen[name] for name in names])
                labels.append(float(line["label"] == "attack"))
    values, attack = np.array(rows), np.array(labels)
    weights, bias = fit(values, attack)
    live = values[attack == 0] @ weights + bias
    write(options.out, names, weights, bias, float(1 / (1 + np.exp(-np.quantile(live, 1 - options.bpcer)))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
