"""Trains the recogniser of machine readable zones on the lines of `training/mrz_lines.py` and writes it as ONNX.

    .venv/bin/python training/mrz_lines.py --out LINES --seed 1 &      # goes on while the training runs
    .venv/bin/python -m training.mrz_page_lines --out LINES --seed 1 &
    TORCH/bin/python -m training.mrz_recogniser --lines LINES --held HELD --out kiosk/mrz/weights/recogniser.onnx

from the root of the repository. TORCH is an environment with torch 2.13.0, onnx, opencv and numpy; the product
never imports torch. Every step down the line (4 pixels) answers for itself which character's middle it stands on,
or that it stands between two: with the true places known there is no need of CTC, and runs of fillers keep their
count. No line is seen twice alike (`training/mrz_conditions.py`).

The larger network is asked where the smaller one is in doubt, and learns mostly from views in which that one is:

    TORCH/bin/python -m training.mrz_recogniser --larger --doubts kiosk/mrz/weights/recogniser.onnx \\
        --start kiosk/mrz/weights/recogniser.onnx --rate 1.2e-3 --minutes 85 --batch 20 --seed 101 \\
        --shared FOLDER --lines LINES --held HELD --out FOLDER/larger.onnx

Processes of different seeds with the same `--shared` folder learn together: every 90 s each takes the mean of its
own weights and the others'. With more than one, which mean they take depends on the clock, and a seed alone does
not repeat it.

`--start` takes a network that this script wrote, or its checkpoint: what is published can be trained further.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from kiosk.inference import network
from training.mrz_conditions import Prints, varied

WIDTH, HEIGHT, STEP = 640, 32, 4
VIEW = 384  # pixels of a line that are learned from at a time
PAGES = 0.6  # of the views are lines of pages (p*.npz), the rest lines drawn alone
CLASSES = 38  # the 37 characters, and "between"
BETWEEN = 37
IGNORED = -100
DOUBT = 0.85  # of a character's probability, below which the smaller network is in doubt of a view
CERTAIN = 0.08  # of the views it reads with certainty are learned from all the same
TOGETHER_S = 90.0  # after which processes that learn together take their mean
HIDDEN = 255  # the label of a character that nobody can tell (`training/mrz_page_lines.py`)
WINDOW = 65  # pixels over which light and contrast are evened out


class Added(nn.Module):
    """What a layer adds to what it is given; begins as nothing: a checkpoint without it goes on as it was."""

    def __init__(self, channels: int, kernel: tuple[int, int], dilation: tuple[int, int]) -> None:
        super().__init__()
        pad = (kernel[0] // 2 * dilation[0], kernel[1] // 2 * dilation[1])
        self.conv = nn.Conv2d(channels, channels, kernel, padding=pad, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, hidden: Tensor) -> Tensor:
        return functional.relu(hidden + self.norm(self.conv(hidden)))


class Recogniser(nn.Module):
    """(n, 1, 32, W) grey levels 0-255 → (n, W / 4, 38) logits. `larger`: two and a half times the work."""

    def __init__(self, larger: bool = False) -> None:
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
        every = [(1, 1), (1, 3), (1, 6)] if larger else []
        self.fine = nn.ModuleList(Added(40, (3, 3), dilation) for dilation in every[:2])
        self.coarse = nn.ModuleList(Added(96, (3, 3), dilation) for dilation in every)
        self.far = nn.ModuleList(Added(160, (1, 3), (1, 2**power)) for power in range(1, 1 + len(every)))

    def forward(self, grey: Tensor) -> Tensor:
        columns = grey.mean(2)
        squares = (grey * grey).mean(2)
        mean = functional.avg_pool1d(columns, WINDOW, 1, WINDOW // 2, count_include_pad=False)
        square = functional.avg_pool1d(squares, WINDOW, 1, WINDOW // 2, count_include_pad=False)
        whole = squares.mean(2, keepdim=True) - columns.mean(2, keepdim=True) ** 2
        spread = torch.sqrt(torch.clamp(square - mean * mean, min=0.0) + 0.05 * torch.clamp(whole, min=0.0) + 2.0)
        hidden = self.body[:2]((grey - mean.unsqueeze(2)) / spread.unsqueeze(2))
        for more in self.fine:
            hidden = more(hidden)
        hidden = self.body[2:4](hidden)
        hidden = functional.relu(hidden + self.wide(hidden))
        for more in self.coarse:
            hidden = more(hidden)
        hidden = self.body[4](hidden)
        for layer in self.along:
            hidden = hidden + layer(hidden)
        for more in self.far:
            hidden = more(hidden)
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


class Doubts:
    """Views that another network reads wrong or with little certainty, and a few of the others."""

    def __init__(self, other: Path) -> None:
        self._other = network(other.read_bytes())
        self._images = torch.empty(0, 1, HEIGHT, VIEW)
        self._targets = torch.empty(0, VIEW // STEP, dtype=torch.long)

    def batch(
        self, pool: dict[str, dict[str, np.ndarray]], rng: np.random.Generator, size: int, prints: Prints
    ) -> tuple[Tensor, Tensor]:
        while len(self._images) < size:
            images, wanted = batches(pool, rng, size, prints)
            doubted = torch.from_numpy(self._doubted(images.numpy(), wanted.numpy(), rng))
            self._images = torch.cat([self._images, images[doubted]])
            self._targets = torch.cat([self._targets, wanted[doubted]])
        now = self._images[:size], self._targets[:size]
        self._images, self._targets = self._images[size:], self._targets[size:]
        return now

    def _doubted(self, images: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        logits = self._other.run(None, {"grey": images})[0]
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        known = wanted != IGNORED
        right = np.take_along_axis(powers, np.where(known, wanted, 0)[..., None], -1)[..., 0] / powers.sum(-1)
        return (np.where(known, right, 1.0).min(1) < DOUBT) | (rng.random(len(images)) < CERTAIN)


@torch.no_grad()
def go_on_from(net: Recogniser, path: Path, images: Tensor) -> None:
    """Gives `net` the layers of a network that `export` wrote, the same one or a smaller; `images` as `forward`'s.

    A published network has its norms folded into the convolutions. They are taken out again by what these give on
    `images`, with weights as large as they begin: a step of the optimiser then is what it is for a new network.
    """
    model = onnx.load(path)
    values = {each.name: torch.from_numpy(numpy_helper.to_array(each).copy()) for each in model.graph.initializer}
    parts = dict(net.named_modules())
    norms = {}
    for node in (node for node in model.graph.node if node.op_type == "Conv"):
        *above, last = node.name.removesuffix("/Conv").strip("/").split("/")
        name = f"{above[-1]}.conv" if last == "conv" else last
        parts[name].weight.copy_(values[node.input[1]])
        if name == "head":
            parts[name].bias.copy_(values[node.input[2]])
            continue
        norm = parts[name.replace("conv", "norm") if last == "conv" else f"{name[:-1]}1"]
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1.0)
        norm.bias.copy_(values[node.input[2]])
        norms[norm] = parts[name]
    given: dict[nn.Module, Tensor] = {}
    for norm in norms:
        norm.register_forward_pre_hook(lambda norm, inputs: given.update({norm: inputs[0]}))
    net.eval()(images)
    for norm, conv in norms.items():
        norm._forward_pre_hooks.clear()
        scale = (3 * conv.weight[0].numel()) ** -0.5 / conv.weight.std((1, 2, 3)).clamp(min=1e-6)
        conv.weight.mul_(scale[:, None, None, None])
        mean, var = given[norm].mean((0, 2, 3)), given[norm].var((0, 2, 3))
        norm.bias.add_(mean)
        norm.running_mean.copy_(mean * scale)
        norm.running_var.copy_(var * scale * scale)
        norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps) / scale)


def together(folder: Path, own: str, nets: tuple[Recogniser, ...]) -> None:
    """Leaves one's weights for the others and takes the mean with what each of them has left."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{own}.unfinished"
    torch.save([net.state_dict() for net in nets], unfinished)
    unfinished.replace(folder / f"{own}.weights")
    for left in folder.glob("*.weights"):
        if left.stem == own or time.time() - left.stat().st_mtime > 1.5 * TOGETHER_S:
            continue  # whoever left it has stopped
        for net, other in zip(nets, torch.load(left), strict=True):
            for key, value in net.state_dict().items():
                if value.dtype.is_floating_point:
                    value.lerp_(other[key], 0.5)


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
    parser.add_argument(
        "--start", type=Path, help="go on from this network (.onnx) or checkpoint (.pt), this one or a smaller"
    )
    parser.add_argument("--larger", action="store_true", help="the network that is asked where one is in doubt")
    parser.add_argument("--doubts", type=Path, help="learn mostly from what this network (ONNX) does not read")
    parser.add_argument("--shared", type=Path, help="folder of processes that learn together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--mix", nargs="+", metavar="FILE:SHARE", help="train nothing: the mean of these checkpoints"
    )
    options = parser.parse_args()
    if options.mix:
        export(mixed(options.mix), options.out)
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(options.seed)
    prints = Prints(rng)
    net = Recogniser(options.larger)
    doubts = Doubts(options.doubts) if options.doubts else None
    pool: dict[str, dict[str, np.ndarray]] = {}
    held: dict[str, dict[str, np.ndarray]] = {}
    while not pool:
        load(options.lines, pool, 4000)
        time.sleep(1)
    if options.start and options.start.suffix == ".onnx":
        go_on_from(net, options.start, batches(pool, rng, 256, prints)[0])
    elif options.start:
        net.load_state_dict(torch.load(options.start), strict=False)
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=1e-2)
    begun = told = shared = time.monotonic()
    step, loss_mean = 0, 0.0
    print("parameters", sum(each.numel() for each in net.parameters()))
    while (spent := (time.monotonic() - begun) / 60 / options.minutes) < 1:
        rate = options.rate * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * spent)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        net.train()
        image, target = (doubts.batch if doubts else batches)(pool, rng, options.batch, prints)
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
        if options.shared and time.monotonic() - shared > TOGETHER_S:
            shared = time.monotonic()
            together(options.shared, str(options.seed), (net, mean))
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
