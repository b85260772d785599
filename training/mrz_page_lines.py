"""Lines cut out of the synthetic pages of `training/mrz_pages.py`: what the recogniser learns beside the lines of
`training/mrz_lines.py`, which know security print, creases and overprints less well.

A line is cut by the reader's own `kiosk.mrz.recognise.cut` along a middle that is a little wrong, as the
locator's is. A character that nobody can tell (`mrz_pages.visible`) keeps its place and is marked `HIDDEN`:
nothing is to be learnt from it.

    .venv/bin/python -m training.mrz_page_lines --out DIR --seed 1 --shards 60    (writes DIR/p00000.npz, ...)

from the root of the repository.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.mrz.recognise import HEIGHT, Line, cut
from training import mrz_pages
from training.mrz_pages import ALPHABET, Page, Pool, page, visible

WIDTH, MOST, SHARD = 640, 44, 512
HIDDEN = 255  # the label of a character that cannot be told
_OVERLAP = 4.0  # pixels of a cut from which on a character is in it
_FEW = 0.5  # of the pages have two conditions at most


def samples(seed: int, index: int, pool: Pool) -> Iterator[tuple[npt.NDArray[np.uint8], list[tuple[float, int]]]]:
    """Each line of one page as the reader may cut it: (32, 640) and (place along it, label) of every character."""
    rng = np.random.default_rng([seed, 21, index])
    few = bool(rng.random() < _FEW)
    shown = page(seed, index, pool, long_side=(520, 1200), negative=False, few=few)
    if not shown.readable or len(shown.zones) != 1:
        return
    without = page(seed, index, pool, long_side=(520, 1200), negative=False, few=few, inkless=True)
    for line, seen in zip(shown.zones[0], visible(shown, without), strict=True):
        made = _cut(shown, line, seen, rng)
        if made is not None:
            yield made


def _cut(
    shown: Page, line: mrz_pages.Line, seen: tuple[bool, ...], rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], list[tuple[float, int]]] | None:
    centre, height = line.centre, line.height
    along = centre[-1] - centre[0]
    length = float(np.hypot(*along))
    along = along / length
    normal = np.array([-along[1], along[0]])
    points = centre[np.linspace(0, len(centre) - 1, 9).round().astype(int)].copy()
    askew = rng.normal(0, 0.06, 2) * height
    points += np.linspace(askew[0], askew[1], 9)[:, None] * normal
    points[0] += along * length * rng.normal(-0.01, 0.015)
    points[-1] += along * length * rng.normal(0.01, 0.015)
    made = cut(shown.image, Line(points, height * float(np.exp(rng.normal(0, 0.08)))))
    if made is None or made.image.shape[1] > WIDTH:
        return None
    image = np.empty((HEIGHT, WIDTH), np.uint8)
    own = made.image.shape[1]
    image[:, :own] = made.image
    image[:, own:] = made.image[:, -1:]
    count = len(line.text)
    between = (np.arange(count) + 0.5) / count * (len(centre) - 1)
    middles = np.stack([np.interp(between, np.arange(len(centre)), centre[:, axis]) for axis in (0, 1)], 1)
    run = made.middle @ along
    places = np.interp(middles @ along, run, np.arange(own) + 0.5, left=-1.0, right=WIDTH + 1.0)
    found = [
        (float(place), ALPHABET.index(character) if there else HIDDEN)
        for place, character, there in zip(places, line.text, seen, strict=True)
        if _OVERLAP < place < own - _OVERLAP
    ]
    return image, found


def shards(seed: int, first: int, count: int) -> Iterator[dict[str, npt.NDArray[np.generic]]]:
    """As `mrz_lines.shard`: images (n, 32, 640), centres (n, 44) with nan behind the last, labels (n, 44)."""
    pool = Pool(held_back=False)
    index = first * 1000
    for _ in range(count):
        images = np.zeros((SHARD, HEIGHT, WIDTH), np.uint8)
        centres = np.full((SHARD, MOST), np.nan, np.float32)
        labels = np.zeros((SHARD, MOST), np.uint8)
        at = 0
        while at < SHARD:
            index += 1
            for image, found in samples(seed, index, pool):
                if at < SHARD:
                    images[at] = image
                    centres[at, : len(found)] = [place for place, _ in found]
                    labels[at, : len(found)] = [label for _, label in found]
                    at += 1
        yield {"images": images, "centres": centres, "labels": labels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    parser.add_argument("--shards", type=int, default=60)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    made = shards(options.seed, options.first, options.shards)
    for number, data in enumerate(made, options.first):
        part = options.out / f"p{number:05d}.part"
        with part.open("wb") as file:
            np.savez(file, **data)  # type: ignore[arg-type]
        part.rename(options.out / f"p{number:05d}.npz")


if __name__ == "__main__":
    main()
