"""Trains the recogniser of machine readable zones on the lines of `training/mrz_lines.py` and writes it as ONNX.

    .venv/bin/python training/mrz_lines.py --out LINES --seed 1 &      # goes on while the training runs
    .venv/bin/python -m training.mrz_page_lines --out LINES --seed 1 &
    TORCH/bin/python -m training.mrz_recogniser --lines LINES --held HELD --out kiosk/mrz/weights/recogniser.onnx

from the root of the repository. TORCH is an environment with torch 2.13.0, onnx, opencv and numpy; the product
never imports torch. Every step down the line (4 pixels) answers for itself which character's middle it stands on,
or that it stands between two: with the true places known there is no need of CTC, and runs of fillers keep their
count. No line is seen twice alike (`training/mrz_conditions.py`).
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.mrz_conditions import Prints, varied

WIDTH, HEIGHT, STEP = 640, 32, 4
VIEW = 384  # pixels of a line that are learned from at a time
PAGES = 0.6  # of the views are lines of pages (p*.npz), the rest lines drawn alone
CLASSES = 38  # the 37 characters, and "between"
BETWEEN = 37
IGNORED = -100
HIDDEN = 255  # the label of a character that nobody can tell (`training/mrz_page_lines.py`)
WINDOW = 65  # pixels over which light and contrast are evened out


class Recogniser(nn.Module):
    """(n, 1, 32, W) grey levels 0-255 → (n, W / 4, 38) logits."""

    def __init__(self) -> None:
        super().__init__()

        def block(
            into: int, out: int, kernel: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int]
        ) -> nn.Module:
            return nn.Sequential(
                nn.Conv2d(into, out, kernel, stride, pad, bias=False), nn.BatchNorm2d(out), nn.ReLU()
            )

        self.body = nn.Sequential(
            block(1, 24, (3, 3), (2, 2), (1, 1)),  # 16 x W/2
            block(24, 40, (3, 3), (2, 1), (1, 1)),  # 8 x W/2
            block(40, 64, (3, 3), (1, 2), (1, 1)),  # 8 x W/4
            block(64, 96, (3, 3), (2, 1), (1, 1)),  # 4 x W/4
            block(96, 160, (4, 3), (1, 1), (0, 1)),  # 1 x W/4
        )
        # Wider than a character: what repeats under several of them is print, and no ink of theirs.
        self.wide = nn.Sequential(
            nn.Conv2d(96, 96, 3, padding=(1, 2), dilation=(1, 2), bias=False), nn.BatchNorm2d(96)
        )
        nn.init.zeros_(self.wide[1].weight)  # begins as nothing, so that older checkpoints go on as they were
        self.along = nn.ModuleList(block(160, 160, (1, 3), (1, 1), (0, 1)) for _ in range(2))
        self.head = nn.Conv2d(160, CLASSES, 1)

    def forward(self, grey: Tensor) -> Tensor:
        columns = grey.mean(2)
        squares = (grey * grey).mean(2)
        mean = functional.avg_pool1d(columns, WINDOW, 1, WINDOW // 2, count_include_pad=False)
        square = functional.avg_pool1d(squares, WINDOW, 1, WINDOW // 2, count_include_pad=False)
        whole = squares.mean(2, keepdim=True) - columns.mean(2, keepdim=True) ** 2
        spread = torch.sqrt(torch.clamp(square - mean * mean, min=0.0) + 0.05 * torch.clamp(whole, min=0.0) + 2.0)
        hidden = self.body[:4]((grey - mean.unsqueeze(2)) / spread.unsqueeze(2))
        hidden = self.body[4](functional.relu(hidden + self.wide(hidden)))
        for layer in self.along:
            hidden = hidden + layer(hidden)
        return self.head(hidden).squeeze(2).transpose(1, 2)


def targets(centres: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n, VIEW / 4) classes: the character within a quarter of the pitch around its middle, "between" from 0.4."""
    frames = (np.arange(VIEW // STEP) + 0.5) * STEP
    out = np.full((len(centres), len(frames)), BETWEEN, np.int64)
    for row, (places, texts) in enumerate(zip(centres, labels, strict=True)):
        known = ~np.isnan(places)
        if known.sum() < 2:
            continue
        at, text = places[known], texts[known].astype(np.int64)
        text[text == HIDDEN] = IGNORED
        pitch = (at[-1] - at[0]) / (len(at) - 1)
        away = np.abs(frames[:, None] - at[None])
        nearest = away.argmin(1)
        away = away[np.arange(len(frames)), nearest] / pitch
        out[row] = np.where(away < 0.26, text[nearest], np.where(away < 0.40, IGNORED, BETWEEN))
    return out


def batches(
    pool: dict[str, dict[str, np.ndarray]], rng: np.random.Generator, size: int, prints: Prints
) -> tuple[Tensor, Tensor]:
    """`size` views: pieces of lines under conditions of their own (`mrz_conditions.varied`)."""
    kinds = [[shard for name, shard in pool.items() if name.startswith("p") == pages] for pages in (True, False)]
    images, centres, labels = [], [], []
    while len(images) < size:
        shards = kinds[int(rng.random() >= PAGES)] or list(pool.values())
        shard = shards[int(rng.integers(len(shards)))]
        row = int(rng.integers(len(shard["images"])))
        image, places = varied(shard["images"][row], shard["centres"][row], rng, prints)
        known = places[~np.isnan(places)]
        end = int(known.max()) + 40 if len(known) else WIDTH
        left = int(rng.integers(-20, max(-19, min(end, WIDTH) - VIEW + 1)))  # any phase against the steps
        columns = np.clip(np.arange(left, left + VIEW), 0, WIDTH - 1)
        places = places - left
        cut_through = (places < 4) | (places > VIEW - 4)
        images.append(image[:, columns].astype(np.float32))
        centres.append(places)
        labels.append(np.where(cut_through, HIDDEN, shard["labels"][row]))
    return torch.from_numpy(np.stack(images)[:, None]), torch.from_numpy(
        targets(np.stack(centres), np.stack(labels))
    )


@torch.no_grad()
def measure(net: Recogniser, held: list[dict[str, np.ndarray]]) -> tuple[float, float]:
    """Shares of characters and of whole lines read at their true places."""
    right, whole = [], []
    for shard in held:
        for start in range(0, len(shard["images"]), 64):
            part = slice(start, start + 64)
            logits = net(torch.from_numpy(shard["images"][part].astype(np.float32)[:, None]))[
                ..., :BETWEEN
            ].numpy()
            for line, places, texts in zip(logits, shard["centres"][part], shard["labels"][part], strict=True):
                known = ~np.isnan(places) & (texts != HIDDEN)
                if not known.any():
                    continue
                frames = np.clip((places[known] / STEP).astype(int), 0, len(line) - 1)
                same = line[frames].argmax(1) == texts[known]
                right.append(same.mean())
                whole.append(same.all())
    return float(np.mean(right)), float(np.mean(whole))


def load(directory: Path, pool: dict[str, dict[str, np.ndarray]], most: int) -> None:
    for path in sorted(directory.glob("*.npz")):
        if path.name not in pool and len(pool) < most:
            with np.load(path) as data:
                pool[path.name] = dict(data)


def export(net: Recogniser, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    net = copy.deepcopy(net).eval()
    torch.onnx.export(
        net,
        (torch.zeros(2, 1, HEIGHT, WIDTH),),
        str(path),
        input_names=["grey"],
        output_names=["logits"],
        dynamic_axes={"grey": {0: "lines", 3: "width"}, "logits": {0: "lines", 1: "steps"}},
        opset_version=17,
        dynamo=False,
    )


def mixed(parts: list[str]) -> Recogniser:
    """The mean of checkpoints that went on from each other, FILE:SHARE each, the latest first: steadier than any.

    What an older one lacks it has as nothing.
    """
    net = Recogniser()
    files = [(torch.load(name), float(share)) for name, share in (part.rsplit(":", 1) for part in parts)]
    latest = files[0][0]
    nothing = {"wide.1.weight", "wide.1.bias"}
    mean = {}
    for key, value in latest.items():
        missing = torch.zeros_like(value) if key in nothing else value
        mean[key] = (
            sum(share * state.get(key, missing) for state, share in files)
            if value.dtype.is_floating_point
            else value
        )
    net.load_state_dict(mean)
    return net


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=Path, default=Path("lines"))
    parser.add_argument("--held", type=Path, default=Path("held"), help="shards of another seed, only measured on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--start", type=Path, help="go on from this checkpoint")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--mix", nargs="+", metavar="FILE:SHARE", help="train nothing: the mean of these checkpoints"
    )
    options = parser.parse_args()
    if options.mix:
        export(mixed(options.mix), options.out)
        return
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(options.seed)
    prints = Prints(rng)
    net = Recogniser()
    if options.start:
        net.load_state_dict(torch.load(options.start), strict=False)
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=1e-2)
    pool: dict[str, dict[str, np.ndarray]] = {}
    held: dict[str, dict[str, np.ndarray]] = {}
    while not pool:
        load(options.lines, pool, 4000)
        time.sleep(1)
    begun = told = time.monotonic()
    step, loss_mean = 0, 0.0
    print("parameters", sum(each.numel() for each in net.parameters()))
    while (spent := (time.monotonic() - begun) / 60 / options.minutes) < 1:
        rate = options.rate * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * spent)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        net.train()
        image, target = batches(pool, rng, options.batch, prints)
        loss = functional.cross_entropy(net(image).reshape(-1, CLASSES), target.reshape(-1), ignore_index=IGNORED)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        with torch.no_grad():
            keep = min(0.998, step / (step + 100))
            for ours, theirs in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
                if ours.dtype.is_floating_point:
                    ours.lerp_(theirs, 1 - keep)
                else:
                    ours.copy_(theirs)
        loss_mean = float(loss.detach()) if step == 0 else 0.98 * loss_mean + 0.02 * float(loss.detach())
        step += 1
        if time.monotonic() - told > 120:
            told = time.monotonic()
            load(options.lines, pool, 4000)
            load(options.held, held, 2)
            mean.eval()
            characters, lines = measure(mean, list(held.values())) if held else (0.0, 0.0)
            print(
                f"{spent:5.0%} step {step} shards {len(pool)} rate {rate:.1e} loss {loss_mean:.4f} "
                f"characters {characters:.4f} lines {lines:.3f}",
                flush=True,
            )
            torch.save(mean.state_dict(), options.out.with_suffix(".pt"))
            export(mean, options.out)
    mean.eval()
    torch.save(mean.state_dict(), options.out.with_suffix(".pt"))
    export(mean, options.out)


if __name__ == "__main__":
    main()
