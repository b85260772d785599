"""Face comparison beside its parents, in one run: `make bench-faces`.

Processor time to find, embed and compare a live face in a frame of 640 × 480, for Corridor's fusion, SFace alone
and face_recognition alone, each in a process of its own and on one thread; and to measure a frame's quality.
FACES_IMAGES=FILE (as `corridor evaluate faces` takes it) measures error rates of the three too. The markdown
tables are the end of stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODELS = Path(sys.prefix) / "share/corridor/models"
PORTRAITS = ROOT / "hardware" / "specimens" / "portraits"
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
WIDTH, HEIGHT = 640, 480


def times(engine_name: str, rounds: int) -> dict[str, float]:
    """Median milliseconds of processor time in this process."""
    import cv2
    import numpy as np

    from kiosk.faces.engines import ENGINES
    from kiosk.faces.match import FaceMatcher
    from kiosk.faces.picture import read_picture

    cv2.setNumThreads(1)
    frames = []
    for path in sorted(PORTRAITS.glob("*-smile.jpg"))[:6]:
        image = read_picture(path)
        assert image is not None
        frame = np.full(
            (HEIGHT, WIDTH, 3), 150, dtype=np.uint8
        )  # a person before a wall, as the kiosk's camera sees
        width = min(WIDTH, round(image.shape[1] * HEIGHT / image.shape[0]))
        left = (WIDTH - width) // 2
        frame[:, left : left + width] = cv2.resize(image, (width, HEIGHT), interpolation=cv2.INTER_AREA)
        frames.append(frame)

    def median(work: Callable[[int], Any]) -> float:
        work(0)
        spent = []
        for number in range(rounds):
            begun = time.process_time()
            work(number % len(frames))
            spent.append(time.process_time() - begun)
        return round(1000 * statistics.median(spent), 1)

    if engine_name == "quality":
        matcher = FaceMatcher(MODELS)
        found = [matcher.find(frame) for frame in frames]
        return {
            "find": median(lambda number: matcher.find(frames[number])),
            "quality": median(lambda number: matcher.assess(frames[number], found[number])),
            "frame of the capture": median(lambda number: matcher.template(frames[number], found[number][0])),
        }
    engine = ENGINES[engine_name](MODELS)
    engine.expect(len(frames) + 1)
    engine.embed(len(frames), frames[0])
    one = np.array([len(frames)])

    def whole(number: int) -> None:
        engine.embed(number, frames[number])
        engine.compare(np.array([number]), one)

    return {"whole": median(whole)}


def accuracy(images: Path, engine: str) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "corridor.py"), "evaluate", "faces", str(images), "--engine", engine]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--images", type=Path, default=os.environ.get("FACES_IMAGES"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(times(options.one, options.rounds)))
        return 0
    print("| CPU ms, median, one thread, 640 × 480 | |\n|---|---|")
    names = {"fused": "Corridor: find, embed, compare", "sface": "SFace alone", "dlib": "face_recognition alone"}
    for name in (*names, "quality"):
        command = [sys.executable, __file__, "--one", name, "--rounds", str(options.rounds)]
        done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True)
        for what, figure in json.loads(done.stdout).items():
            print(f"| {names.get(name, what)} | {figure} |", flush=True)
    if options.images:
        print(
            "\n| engine | EER | TAR at FMR 1e-2 / 1e-3 / 5e-4 / 1e-4 | at its threshold: FMR | FNMR |"
            "\n|---|---|---|---|---|"
        )
        for name in names:
            told = accuracy(Path(options.images), name)
            tar = " / ".join(f"{100 * rate:.1f}" for rate in told["tar_at_fmr"].values())
            print(
                f"| {name} | {100 * told['eer']:.2f} % | {tar} % | {told['fmr']:.6f} | {told['fnmr']:.4f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
