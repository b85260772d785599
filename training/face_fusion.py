"""Fits kiosk/faces/calibration.json: how SFace's and dlib's similarities become a likelihood ratio with an FMR.

    python -m training.face_fusion --cache FILE.npz IMAGES.csv …          (embeds; --seconds N at a time)
    python -m training.face_fusion --cache FILE.npz --fit IMAGES.csv …    (fits, prints, --write writes)

IMAGES.csv as `corridor evaluate faces` takes it. Everything is fitted on the first file (photographs in the wild);
a further file is measured only, by groups too. What is printed as "held back" was scored with a mean and weights
of other identities. Three numbers were chosen, not fitted: how much dlib counts beside SFace, and how much of what
a face has with everybody is taken off (SFace) or added (dlib). To take it off for dlib as well, and to count dlib
more, is as good on photographs in the wild, and multiplies false matches among the people whom dlib confuses.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contracts.fairness import differences
from kiosk.faces import rates
from kiosk.faces.detect import FaceDetector
from kiosk.faces.embed import Embedder, unit
from kiosk.faces.evaluate import GENUINE, IMPOSTOR, Item, Pairs, all_pairs, load_images
from kiosk.faces.fusion import CALIBRATION, Calibration
from kiosk.faces.match import MATCH_RATE
from kiosk.faces.picture import read_picture
from kiosk.faces.subject import subject_first

Array = npt.NDArray[Any]
MODELS = Path(sys.prefix) / "share/corridor/models"
FOLDS = 5
RIDGE = 1e-3  # of the logistic weights, for pairs that are told apart completely
LOWEST_RATE = 1e-6  # a table of rates ends here whatever the data says
POINTS = 60
SECOND = 0.6  # dlib beside SFace, in spreads of impostors
COMMON = (0.5, -0.5)  # SFace, dlib
SAVED = 50  # pictures between two copies of the cache


def embed(items: Sequence[Item], cache: dict[str, Array], seconds: float, file: Path) -> int:
    """Fill the cache with (4, 128) for each picture: SFace as fused, dlib as fused, SFace alone, dlib alone."""
    detector, embedder = FaceDetector(MODELS), Embedder(MODELS)
    begun, done = time.monotonic(), 0
    for item in items:
        key = str(item.path.resolve())
        if key in cache:
            continue
        if time.monotonic() - begun > seconds:
            break
        image = read_picture(item.path)
        upright, faces = (image, ()) if image is None else detector.find_patiently(image)
        rows = np.zeros((4, 128), dtype=np.float32)
        if faces and upright is not None:
            face = subject_first(faces, upright.shape[1], upright.shape[0])[0]
            template = embedder.template(upright, detector.refined(upright, face))
            assert template.second is not None
            alone = embedder.resnet([embedder.chip(upright, face)])[0]  # not of length 1: the library compares so
            rows[:] = template.first, template.second, unit(embedder.sface(upright, face)), alone
        cache[key] = rows
        done += 1
        if done % SAVED == 0:
            np.savez(file, **cache)
    np.savez(file, **cache)
    return done


def vectors_of(items: Sequence[Item], cache: dict[str, Array]) -> tuple[list[Item], Array]:
    """Those with a face, and their vectors (n, 4, 128)."""
    seen = [item for item in items if cache[str(item.path.resolve())].any()]
    return seen, np.stack([cache[str(item.path.resolve())] for item in seen]).astype(np.float64)


def mean_of(items: Sequence[Item], vectors: Array) -> Array:
    """(2, 128): the mean of people, each counting once, as much of it as is taken off."""
    people: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        people.setdefault(item.identity, []).append(place)
    mean = np.mean([vectors[places, :2].mean(axis=0) for places in people.values()], axis=0)
    return np.asarray(mean * np.array(COMMON)[:, None])


def columns_of(pairs: Pairs, vectors: Array, means: Array) -> Array:
    """(n, 4) for each pair: the two similarities that are fused, then SFace alone and dlib alone."""
    columns = np.empty((pairs.left.size, 4))
    for kind in range(3):
        columns[:, kind] = (vectors[:, kind] @ vectors[:, kind].T)[pairs.left, pairs.right]
    for kind in range(2):
        common = vectors[:, kind] @ means[kind]
        columns[:, kind] -= (common[pairs.left] + common[pairs.right]) / 2
    squares = (vectors[:, 3] ** 2).sum(axis=1)
    products = (vectors[:, 3] @ vectors[:, 3].T)[pairs.left, pairs.right]
    columns[:, 3] = 1 - np.sqrt(np.maximum(0, squares[pairs.left] + squares[pairs.right] - 2 * products))
    return columns


def logistic(inputs: Array, genuine: Array) -> Array:
    """Weights of the log10 likelihood ratio: Newton's method, both kinds of pairs counting the same."""
    spread = np.array([1.0, *inputs[~genuine, 1:].std(axis=0)])
    inputs = inputs / spread
    balance = np.where(genuine, 0.5 / genuine.sum(), 0.5 / (~genuine).sum())
    ridge = RIDGE * np.diag([0.0, *([1.0] * (inputs.shape[1] - 1))])
    weights = np.zeros(inputs.shape[1])
    for _ in range(60):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ weights, -40, 40)))
        gradient = inputs.T @ (balance * (chance - genuine)) + ridge @ weights
        curvature = (inputs * (balance * chance * (1 - chance))[:, None]).T @ inputs + ridge
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights / spread / np.log(10)


def weights_of(columns: Array, genuine: Array) -> Array:
    """Of one, SFace's and dlib's similarity."""
    spread = columns[~genuine, :2].std(axis=0)
    summed = columns[:, 0] / spread[0] + SECOND * columns[:, 1] / spread[1]
    start, slope = logistic(np.column_stack([np.ones(len(summed)), summed]), genuine)
    return np.array([start, slope / spread[0], slope * SECOND / spread[1]])


def table_of_rates(impostor: Array, trials: int) -> list[list[float]]:
    """[score, log10 FMR]: measured while 30 or more are above, then the straight line of the tail."""
    falling = np.sort(impostor)[::-1]
    places = np.unique(np.geomspace(30, falling.size * 0.5, POINTS - 8).astype(int))[::-1]
    rows = [[float(falling[place - 1]), float(np.log10(place / trials))] for place in places]
    tail = np.array([row for row in rows if row[1] < rows[-1][1] + 1.0])
    slope = np.polyfit(tail[:, 0], tail[:, 1], 1)[0]
    last = rows[-1]
    for rate in np.arange(last[1] - 0.25, np.log10(LOWEST_RATE) - 0.01, -0.25):
        rows.append([last[0] + (rate - last[1]) / float(slope), float(rate)])
    return [[round(score, 5), round(rate, 4)] for score, rate in rows]


def told(name: str, scores: Array, same: Array) -> str:
    genuine, impostor = scores[same == GENUINE], scores[same == IMPOSTOR]
    apart = (genuine.mean() - impostor.mean()) / np.sqrt((genuine.var() + impostor.var()) / 2)
    figures = [
        rates.true_accept_rate(genuine, impostor, rate)[0] or 0.0 for rate in (1e-2, 1e-3, 5e-4, 1e-4, 1e-5)
    ]
    eer = rates.equal_error_rate(genuine, impostor) or 0.0
    return (
        f"{name:24} EER {100 * eer:.2f} TAR " + " / ".join(f"{100 * x:.1f}" for x in figures) + f" d' {apart:.2f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--version", default="1")
    options = parser.parse_args()
    cache = dict(np.load(options.cache)) if options.cache.exists() else {}
    files = [load_images(path) for path in options.images]
    if not options.fit:
        done = embed([item for items in files for item in items], cache, options.seconds, options.cache)
        print(f"{done} pictures more, {len(cache)} of {sum(map(len, files))}")
        return 0
    ready = [[item for item in items if str(item.path.resolve()) in cache] for items in files]
    fit(ready, cache, options.version, write=options.write)
    return 0


def fit(files: Sequence[Sequence[Item]], cache: dict[str, Array], version: str, *, write: bool) -> None:
    seen, vectors = vectors_of(files[0], cache)
    pairs = all_pairs(seen)
    genuine = pairs.same == GENUINE

    # Held back: both people of a pair are of the fold; mean and weights come from pairs without any of it.
    fold = {name: place % FOLDS for place, name in enumerate(sorted({item.identity for item in seen}))}
    of = np.array([fold[item.identity] for item in seen])
    left, right = of[pairs.left], of[pairs.right]
    plain = columns_of(pairs, vectors, np.zeros((2, 128)))
    scored = np.full(pairs.left.size, np.nan)
    for number in range(FOLDS):
        kept = np.flatnonzero(of != number)
        columns = columns_of(pairs, vectors, mean_of([seen[place] for place in kept], vectors[kept]))
        others, within = (left != number) & (right != number), (left == number) & (right == number)
        scored[within] = with_one(columns[within]) @ weights_of(columns[others], genuine[others])
    held = ~np.isnan(scored)
    same = pairs.same[held]
    for name, column in (("sface", 2), ("dlib", 3), ("sface, two crops", 0), ("dlib, two crops", 1)):
        print(told(name, plain[held, column], same))
    standard = [column / column[same == IMPOSTOR].std() for column in (plain[held, 2], plain[held, 3])]
    print(told("sum of z-scores, alone", standard[0] + standard[1], same))
    print(told("fused, held back", scored[held], same), f"of {held.sum()} pairs")

    means = np.round(mean_of(seen, vectors), 5)
    columns = columns_of(pairs, vectors, means)
    weights = [round(float(value), 5) for value in weights_of(columns, genuine)]
    table: dict[str, Any] = {
        "version": version,
        "weights": weights,
        "means": {"sface": means[0].tolist(), "dlib": means[1].tolist()},
        "false_match_rates": {},
    }
    for name, scores in (
        ("fused", with_one(columns) @ weights),
        ("sface", columns[:, 2]),
        ("dlib", columns[:, 3]),
    ):
        impostor = scores[pairs.same == IMPOSTOR]
        table["false_match_rates"][name] = table_of_rates(impostor, impostor.size)
    calibration = Calibration.from_table(table)
    print(
        "weights",
        weights,
        "in spreads",
        [round(float(weights[k + 1] * columns[~genuine, k].std()), 3) for k in (0, 1)],
    )
    for items in files:
        people, own = vectors_of(items, cache)
        compared = all_pairs(people)
        columns = columns_of(compared, own, means)
        scores = with_one(columns) @ weights
        print(f"{len(people)} pictures: {told('fused, all', scores, compared.same)}")
        matching, other = scores[compared.same == GENUINE], scores[compared.same == IMPOSTOR]
        for rate in (1e-2, 1e-3, 5e-4, 2e-4, 1e-4, 7e-5, 5e-5, 2e-5):
            at = calibration.scales["fused"].score(rate)
            fmr, fnmr = float((other >= at).mean()), float((matching < at).mean())
            print(f"  at {rate:g}: score {at:.3f} FMR {fmr:.6f} FNMR {fnmr:.4f}")
        thresholds = {"fused": MATCH_RATE, "sface": MATCH_RATE, "dlib": MATCH_RATE}
        at_points = [(name, calibration.scales[name].score(rate)) for name, rate in thresholds.items()]
        for name, at in [*at_points, ("sface", 0.363), ("dlib", 0.40)]:
            values = {"fused": scores, "sface": columns[:, 2], "dlib": columns[:, 3]}[name]
            by_groups(people, compared, values, name, at)
    if write:
        CALIBRATION.write_text(json.dumps(table) + "\n", encoding="utf-8")


def by_groups(people: Sequence[Item], pairs: Pairs, scores: Array, name: str, at: float) -> None:
    """A row of a table: FNMR and FMR of all, then FMR within each group with its interval."""
    group = np.array([item.group for item in people])
    left, right = group[pairs.left], group[pairs.right]
    missed, missed_share, _ = rates.false_non_match_rate(scores[pairs.same == GENUINE], at)
    matched, matched_share, _ = rates.false_match_rate(scores[pairs.same == IMPOSTOR], at)
    cells = [f"{name} at {at:.3f}", f"{missed} ({missed_share})", f"{matched} ({matched_share})"]
    counts = {}
    for one in sorted(set(group.tolist()) - {""}):
        within = scores[(left == one) & (right == one) & (pairs.same == IMPOSTOR)]
        events, _, interval = rates.false_match_rate(within, at)
        if within.size and interval:
            counts[one] = events, int(within.size)
            cells.append(f"{one}: {events} of {within.size}, {100 * interval[0]:.2f} to {100 * interval[1]:.2f} %")
    print("| " + " | ".join(cells) + " |", {name: verdict.value for name, verdict in differences(counts).items()})


def with_one(columns: Array) -> Array:
    return np.column_stack([np.ones(len(columns)), columns[:, :2]])


if __name__ == "__main__":
    sys.exit(main())
