"""The network that finds the lines of machine readable zones: pages prepared, training, export.

    .venv/bin/python -m training.mrz_locator pages --out DIR --count 16000 --seed 1      (≈ 11 CPU minutes)
    TORCH/bin/python -m training.mrz_locator train --pages DIR --out locator.onnx --minutes 50 --seed 1

    .venv/bin/python -m training.mrz_locator measure --weights locator.onnx --count 500 --seed 99

from the root of the repository. `train` needs torch, onnx, numpy and OpenCV and nothing of the product. It may
start while `pages` is still writing; it gives the same network again where all pages were there. One core is
enough.

The network is fully convolutional, grey in (0..1, long side 640 at run time, multiples of 32), four maps out at a
quarter of the size: the logit of the core of a line (a band as high as two fifths of a capital, from the first
character to the last), the reading direction (cosine, sine) and log2 of the height of a capital over 8 pixels.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIDE = 640  # the long side of what the network sees at run time
CROP = 320  # of what it sees in training
STRIDE = 4
SHARD = 250
CORE = 0.4  # of a capital's height
THINNEST = 3.6  # pixels; a core thinner than a cell would not be learnt
SMALLEST = 3.2  # pixels of height below which a line is neither wanted nor an error


# -- pages --


def pages(out: Path, count: int, seed: int, held_back: bool) -> None:
    """Write shards of `SHARD` pages: JPEG bytes scaled as at run time, and the lines' edges."""
    from training.mrz_pages import Pool, page

    out.mkdir(parents=True, exist_ok=True)
    pool = Pool(held_back=held_back)
    for first in range(0, count, SHARD):
        target = out / f"{first // SHARD:05d}.npz"
        if target.exists():
            continue
        images, places, names = [], [], []
        for index in range(first, min(first + SHARD, count)):
            shown = page(seed, index, pool, held_back=held_back)
            zoom = SIDE / max(shown.image.shape)
            method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
            small = cv2.resize(shown.image, None, fx=zoom, fy=zoom, interpolation=method)
            images.append(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 94])[1])
            edges = [
                [line.top * zoom, line.bottom * zoom, np.full((len(line.top), 2), [len(line.text), number])]
                for number, zone in enumerate(shown.zones)
                for line in zone
            ]
            places.append(np.array(edges, np.float32).reshape(-1, 3, 12, 2))
            names.append(json.dumps([str(shown.format), shown.readable, *shown.degradations]))
        ends = np.cumsum([len(place) for place in places])
        starts = np.cumsum([len(image) for image in images])
        part = out / f"{first // SHARD:05d}.part.npz"
        np.savez(
            part, data=np.concatenate(images).ravel(), starts=starts, ends=ends, places=np.concatenate(places),
            names=np.array(names),
        )  # fmt: skip
        part.rename(target)
        print(f"{first + SHARD} pages", flush=True)


class Shards:
    """The pages on disc, kept in memory as JPEG."""

    def __init__(self, folder: Path, total: int) -> None:
        self.folder, self.total = folder, total
        self.pages: list[tuple[np.ndarray, np.ndarray]] = []

    def grow(self, wanted: int) -> None:
        while len(self.pages) < min(wanted, self.total):
            path = self.folder / f"{len(self.pages) // SHARD:05d}.npz"
            if not path.exists() and self.pages:
                return  # still being drawn
            while not path.exists():
                time.sleep(10)
            with np.load(path) as shard:
                data, starts, ends, places = (shard[key] for key in ("data", "starts", "ends", "places"))
            for image, first, last in zip(np.split(data, starts[:-1]), [0, *ends[:-1]], ends, strict=True):
                self.pages.append((image, places[first:last]))


# -- what one training example is --


def example(
    page: tuple[np.ndarray, np.ndarray], rng: np.random.Generator, crop: int = CROP
) -> tuple[np.ndarray, np.ndarray]:
    """A turned, scaled and shifted part of a page, and its six target maps at a quarter of the size.

    The maps: core, cosine, sine, log height, weight of the core's loss, weight of the others.
    """
    image = cv2.imdecode(page[0], cv2.IMREAD_GRAYSCALE)
    edges = page[1][:, :2]
    height, width = image.shape
    if len(edges) and rng.random() < 0.8:
        line = edges[rng.integers(len(edges))]
        at = line[:, rng.integers(line.shape[1])].mean(0) + rng.normal(0, 40, 2)
    else:
        at = rng.uniform([0, 0], [width, height])
    turn = rng.uniform(0, 360) if rng.random() < 0.5 else 90.0 * rng.integers(4) + rng.normal(0, 2)
    zoom = float(np.exp(rng.uniform(math.log(0.55), math.log(1.25))))
    if len(edges):
        tallest = float(np.linalg.norm(edges[:, 0] - edges[:, 1], axis=2).mean(1).max())
        zoom = min(zoom, 26.0 / tallest)
    matrix = cv2.getRotationMatrix2D((float(at[0]), float(at[1])), turn, zoom)
    matrix[:, 2] += crop / 2 - at
    if zoom < 0.75:
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / zoom)
    view = cv2.warpAffine(image, matrix, (crop, crop), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
                          borderValue=int(rng.integers(256)))  # fmt: skip
    moved = edges @ matrix[:, :2].T + matrix[:, 2]
    return _worn(view, rng), targets(moved, crop, crop)


def _worn(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The cheap degradations, so that a page is never the same twice."""
    chance = rng.random(5)
    if chance[0] < 0.2:
        view = cv2.GaussianBlur(view, (0, 0), rng.uniform(0.4, 1.3))
    if chance[1] < 0.5:
        gain, shift = rng.uniform(0.4, 1.4), rng.uniform(-40, 40)
        view = cv2.convertScaleAbs(np.clip(view * gain + shift, 0, 255))
    if chance[2] < 0.25:
        grain = rng.normal(0, rng.uniform(1, 9), view.shape)
        view = np.clip(view + grain, 0, 255).astype(np.uint8)
    if chance[3] < 0.2:
        quality = int(rng.integers(12, 60))
        view = cv2.imdecode(cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)
    if chance[4] < 0.1:
        centre = tuple(int(v) for v in rng.integers(0, view.shape[0], 2))
        spot = np.zeros(view.shape, np.float32)
        cv2.circle(spot, centre, int(rng.integers(5, 40)), float(rng.uniform(60, 300)), -1)
        view = np.clip(view + cv2.blur(spot, (15, 15)), 0, 255).astype(np.uint8)
    return view


def targets(edges: np.ndarray, height: int, width: int) -> np.ndarray:
    """(6, height / 4, width / 4) maps for lines given as (lines, 2, points, 2) edges in pixels."""
    core = np.zeros((height, width), np.uint8)
    ignored = np.zeros((height, width), np.uint8)
    maps = np.zeros((6, height // STRIDE, width // STRIDE), np.float32)
    for top, bottom in edges:
        size = float(np.linalg.norm(top - bottom, axis=1).mean())
        middle, half = (top + bottom) / 2, (bottom - top) / 2
        thick = max(CORE, THINNEST / max(size, 1e-3))
        band = np.concatenate([middle - half * thick, (middle + half * thick)[::-1]])
        box = np.concatenate([top, bottom[::-1]])
        if size < SMALLEST:
            cv2.fillPoly(ignored, [np.round(box).astype(np.int32)], 255)
            continue
        cv2.fillPoly(core, [np.round(band * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        along = middle[-1] - middle[0]
        along = along / max(float(np.linalg.norm(along)), 1e-6)
        small = np.zeros(maps.shape[1:], np.uint8)
        cv2.fillPoly(
            small, [np.round((box / STRIDE - 0.5 + 0.5 / STRIDE) * 16).astype(np.int32)], 1, cv2.LINE_8, 4
        )
        inside = small > 0
        maps[1][inside], maps[2][inside], maps[3][inside] = along[0], along[1], math.log2(size / 8)
        maps[5][inside] = 1
    cells = (width // STRIDE, height // STRIDE)
    maps[0] = cv2.resize(core, cells, interpolation=cv2.INTER_AREA) / 255
    maps[4] = 1 - (cv2.resize(ignored, cells, interpolation=cv2.INTER_AREA) > 20)
    return maps


# -- the network --


def network() -> Any:
    """108,000 parameters, plain convolutions: strides 2 to 16, a wide view at the coarsest, back to stride 4."""
    import torch
    from torch import nn

    def block(inputs: int, outputs: int, size: int = 3, stride: int = 1, dilation: int = 1) -> nn.Module:
        padding = dilation * (size // 2)
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, size, stride, padding, dilation, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )

    class Locator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.at_half = block(1, 8, 5, 2)
            self.to_quarter = nn.Sequential(block(8, 16, 3, 2), block(16, 16))
            self.to_eighth = nn.Sequential(block(16, 32, 3, 2), block(32, 32))
            self.to_coarse = nn.Sequential(
                block(32, 48, 3, 2), block(48, 48), block(48, 48, dilation=2), block(48, 48, dilation=4)
            )
            self.from_coarse, self.at_eighth = block(48, 32, 1), block(32, 32)
            self.from_eighth, self.at_quarter = block(32, 16, 1), block(16, 16)
            self.out = nn.Conv2d(16, 4, 1)

        def forward(self, grey: torch.Tensor) -> torch.Tensor:
            quarter = self.to_quarter(self.at_half(grey - 0.5))
            eighth = self.to_eighth(quarter)
            coarse = self.to_coarse(eighth)
            wide = nn.functional.interpolate(self.from_coarse(coarse), scale_factor=2.0, mode="nearest")
            eighth = self.at_eighth(eighth + wide)
            wide = nn.functional.interpolate(self.from_eighth(eighth), scale_factor=2.0, mode="nearest")
            return self.out(self.at_quarter(quarter + wide))

    return Locator()


def loss(answer: Any, maps: Any) -> tuple[Any, dict[str, float]]:
    """Cross-entropy and overlap of the core, squared error of direction and size within the lines."""
    import torch

    core, weight, inside = maps[:, 0], maps[:, 4], maps[:, 5]
    logits = answer[:, 0]
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, core, weight=weight * (1 + 4 * core), reduction="mean"
    )
    chance = torch.sigmoid(logits) * weight
    overlap = 1 - (2 * (chance * core).sum() + 1) / ((chance + core * weight).sum() + 1)
    count = inside.sum() + 1
    way = (((answer[:, 1] - maps[:, 1]) ** 2 + (answer[:, 2] - maps[:, 2]) ** 2) * inside).sum() / count
    size = (((answer[:, 3] - maps[:, 3]) ** 2) * inside).sum() / count
    total = 4 * entropy + 0.5 * overlap + 0.25 * way + 0.5 * size
    return total, {"entropy": float(entropy), "overlap": float(overlap), "way": float(way), "size": float(size)}


def train(folder: Path, out: Path, minutes: float, seed: int, batch: int, total: int, resume: Path | None) -> None:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = network().to(memory_format=torch.channels_last)
    calm = copy.deepcopy(net)  # the running mean of the weights, which is what is exported
    shards = Shards(folder, total)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-4)
    spent_before, step = 0.0, 0
    if resume and resume.exists():
        state = torch.load(resume, weights_only=False)
        net.load_state_dict(state["net"])
        calm.load_state_dict(state["calm"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent_before = state["step"], state["spent"]
        rng = np.random.default_rng([seed, step])
    start, waited = time.process_time(), time.process_time()
    means: dict[str, float] = {}
    while True:
        spent = spent_before + time.process_time() - start
        done = min(1.0, spent / (minutes * 60))
        if done >= 1.0:
            break
        rate = 3e-3 * (min(1.0, (step + 1) / 100)) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        shards.grow(4000 + step // 2)
        # The latest pages twice as often as all of them on average.
        chosen = [example(shards.pages[int(len(shards.pages) * u**0.5)], rng) for u in rng.random(batch)]
        views = torch.from_numpy(np.stack([view for view, _ in chosen])[:, None].astype(np.float32) / 255)
        maps = torch.from_numpy(np.stack([target for _, target in chosen]))
        net.train()
        value, parts = loss(net(views.to(memory_format=torch.channels_last)), maps)
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        step += 1
        with torch.no_grad():
            keep = min(0.998, step / (step + 20))
            for slow, quick in zip(calm.state_dict().values(), net.state_dict().values(), strict=True):
                if slow.dtype.is_floating_point:
                    slow.lerp_(quick, 1 - keep)
        for name, part in parts.items():
            means[name] = 0.98 * means.get(name, part) + 0.02 * part
        if step % 50 == 0:
            shown = " ".join(f"{name} {part:.4f}" for name, part in means.items())
            print(f"step {step} {spent:.0f} s of CPU, {len(shards.pages)} pages: {shown}", flush=True)
        if time.process_time() - waited > 120:
            waited = time.process_time()
            save(net, calm, optimiser, out, step, spent)
    save(net, calm, optimiser, out, step, spent)


def save(net: Any, calm: Any, optimiser: Any, out: Path, step: int, spent: float) -> None:
    import torch

    state = {
        "net": net.state_dict(),
        "calm": calm.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "spent": spent,
    }
    torch.save(state, out.with_suffix(".pt"))
    export(calm, out)


def export(net: Any, out: Path) -> None:
    """To ONNX, batch of one, any height and width that are multiples of 32."""
    import warnings

    import torch

    frozen = copy.deepcopy(net).to(memory_format=torch.contiguous_format).eval()
    part = out.with_suffix(".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            frozen, (torch.zeros(1, 1, 64, 64),), str(part), dynamo=False, opset_version=17,
            input_names=["grey"], output_names=["maps"],
            dynamic_axes={"grey": {2: "height", 3: "width"}, "maps": {2: "rows", 3: "columns"}},
        )  # fmt: skip
    part.rename(out)


# -- measuring on held-back pages --


def measure(weights: Path, count: int, seed: int) -> dict[str, Any]:
    """What `score` says of `count` held-back pages of `seed`."""
    from training.mrz_pages import Pool, page

    pool = Pool(held_back=True)
    shown = (page(seed, index, pool, held_back=True, long_side=(500, 1400)) for index in range(count))
    return score(weights, shown)


def score(weights: Path, shown: Iterable[Any]) -> dict[str, Any]:
    """Of the pages with one whole zone the share found: all its lines, both ends of each to one character.

    By degradation and by format; the same of single lines; how often the zone is the first one named, and reads
    the way it was said to; how often nothing is found where nothing is. CPU in milliseconds.
    """
    from kiosk.mrz.locate import Locator, zones

    locator = Locator(weights)
    tally: dict[str, list[bool]] = {}
    seconds, missed = [], []
    for index, page in enumerate(shown):
        start = time.process_time()
        bands = locator.locate(page.image)
        groups = zones(bands)
        seconds.append(time.process_time() - start)
        if not page.zones:
            tally.setdefault("nothing where nothing is", []).append(not bands)
        if not page.readable:
            continue
        truth = page.zones[0]
        lines = [_found(line, bands) for line in truth]
        for name in (*page.degradations, str(page.format), "all"):
            tally.setdefault(name, []).append(all(lines))
        tally.setdefault("each line", []).extend(lines)
        first = bool(groups) and len(groups[0]) == len(truth) and all(_found(line, groups[0]) for line in truth)
        tally.setdefault("zone named first", []).append(first)
        if first:
            way = truth[0].centre[-1] - truth[0].centre[0]
            tally.setdefault("direction", []).append(bool(groups[0][0].along @ way > 0))
        if not all(lines):
            missed.append(index)
    return {
        "found": {name: [round(float(np.mean(hits)), 4), len(hits)] for name, hits in sorted(tally.items())},
        "cpu_ms_median": round(float(np.median(seconds)) * 1000, 1),
        "cpu_ms_p95": round(float(np.percentile(seconds, 95)) * 1000, 1),
        "missed": missed,
    }


def _found(line: Any, bands: Any) -> bool:
    for band in bands:
        middle, points = line.centre, band.points
        if np.linalg.norm(points[0] - middle[0]) > np.linalg.norm(points[-1] - middle[0]):
            points = points[::-1]
        way = (middle[-1] - middle[0]) / np.linalg.norm(middle[-1] - middle[0])
        ends = max(abs(float((points[i] - middle[i]) @ way)) for i in (0, -1))
        normal = np.array([-way[1], way[0]])
        nearest = [middle[np.argmin(np.linalg.norm(middle - point, axis=1))] for point in points]
        beside = max(abs(float((point - near) @ normal)) for point, near in zip(points, nearest, strict=True))
        if ends < line.pitch and beside < 0.5 * line.height:
            return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("pages")
    make.add_argument("--out", type=Path, required=True)
    make.add_argument("--count", type=int, default=16000)
    make.add_argument("--seed", type=int, default=1)
    make.add_argument("--held-back", action="store_true")
    learn = commands.add_parser("train")
    learn.add_argument("--pages", type=Path, required=True)
    learn.add_argument("--out", type=Path, required=True)
    learn.add_argument("--minutes", type=float, default=50)
    learn.add_argument("--seed", type=int, default=1)
    learn.add_argument("--batch", type=int, default=12)
    learn.add_argument("--count", type=int, default=16000)
    learn.add_argument("--resume", type=Path)
    look = commands.add_parser("measure")
    look.add_argument("--weights", type=Path, required=True)
    look.add_argument("--count", type=int, default=500)
    look.add_argument("--seed", type=int, default=99)
    given = parser.parse_args()
    if given.command == "measure":
        print(json.dumps(measure(given.weights, given.count, given.seed)))
    elif given.command == "pages":
        pages(given.out, given.count, given.seed, given.held_back)
    else:
        train(given.pages, given.out, given.minutes, given.seed, given.batch, given.count, given.resume)


if __name__ == "__main__":
    main()
