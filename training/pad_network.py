"""Trains the network that tells a recapture, on frames that `pad_recapture` draws, and writes it as ONNX.

    .venv/bin/python training/pad_network.py frames --out DIR --seconds 600 [--portraits DIR …] [--wild DIR …]
    PYTHON_WITH_TORCH training/pad_network.py train --frames DIR --minutes 30 --onnx recapture.onnx [--from FILE]
    PYTHON_WITH_TORCH training/pad_network.py mean --of FILE FILE --onnx recapture.onnx

The last two need torch, which the product does not; the first needs the product and no torch. People and devices
are chosen as `pad_recapture` says. Frames that are drawn while the training runs join it with the next pass.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SIDE, CUT = 112, 64  # of the crops, and of the piece of grain that training looks at
KINDS = 6  # live and five attacks


def draw_frames(options: argparse.Namespace) -> int:
    """Draw frames for some seconds of processor time; pieces and kinds as files of arrays."""
    import cv2
    import pad_recapture as recapture

    from kiosk.faces.detect import FaceDetector
    from kiosk.faces.pad.crops import close_up, grain, surroundings

    cv2.setNumThreads(1)
    if options.small:
        recapture.draw_small()
    people = recapture.gather_people(options)
    detector = FaceDetector(recapture.MODELS)
    pieces: dict[str, list[Any]] = {"around": [], "close": [], "grain": []}
    kinds: list[int] = []
    options.out.mkdir(parents=True, exist_ok=True)
    begun, number = time.process_time(), options.first
    while time.process_time() - begun < options.seconds:
        random = np.random.default_rng((options.seed, number))
        ranges = recapture.Ranges(random, options.held_back, beyond=options.beyond)
        number += 1
        kind = "live" if ranges.chance(0.5) else str(ranges.random.choice(recapture.ATTACKS))
        for frame in recapture.pair(kind, ranges, people):
            landmarks = _middle(detector, frame)
            if landmarks is None:
                continue
            pieces["around"].append(surroundings(frame, landmarks))
            pieces["close"].append(close_up(frame, landmarks))
            pieces["grain"].append(grain(frame, landmarks))
            kinds.append(0 if kind == "live" else 1 + recapture.ATTACKS.index(kind))
        if number % 100 == 0:
            print(f"{len(kinds)} frames of {number} scenes, {time.process_time() - begun:.0f} s", flush=True)
            _write(options, number, pieces, kinds)
    _write(options, number, pieces, kinds)
    return 0


def _middle(detector: Any, frame: Any) -> Any:
    """Five points of the face that stands nearest to the middle, found in a picture of half the size; or None."""
    import cv2

    half = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    centre = np.array([half.shape[1], half.shape[0]]) / 2
    away = [(float(np.hypot(*(face.landmarks.mean(axis=0) - centre))), face) for face in detector.find(half)]
    distance, face = min(away, key=lambda each: each[0], default=(math.inf, None))
    if face is None or distance > 0.25 * half.shape[1]:  # who stands behind is not who is shown
        return None
    return face.landmarks * 2 + 0.5


def _write(options: argparse.Namespace, number: int, pieces: dict[str, list[Any]], kinds: list[int]) -> None:
    if kinds:
        path = options.out / f"{options.part}-{options.seed:03d}-{number:06d}.npz"
        arrays = {name: np.array(each, np.uint8) for name, each in pieces.items()}
        half = path.with_suffix(".part")  # a training beside this reads whole files only
        with half.open("wb") as out:
            np.savez(out, kind=np.array(kinds), **arrays)
        half.rename(path)
    for each in (*pieces.values(), kinds):
        each.clear()


def build() -> Any:
    """The network: a branch for each piece, joined by what each saw on the whole and anywhere."""
    import torch
    from torch import nn
    from torch.nn import functional

    def block(into: int, out: int, stride: int = 2, kernel: int = 3) -> Any:
        convolution = nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU())

    class Recapture(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.around = nn.Sequential(nn.AvgPool2d(2), block(3, 16, 2, 5), block(16, 32), block(32, 64))
            self.close = nn.Sequential(block(3, 16, 2, 5), block(16, 32), block(32, 48), block(48, 64))
            self.grain = nn.Sequential(block(6, 16), block(16, 32), block(32, 48))
            self.drop = nn.Dropout(0.2)
            self.joined = nn.Linear(2 * (64 + 64 + 48), 64)
            self.attack = nn.Linear(64, 1)
            self.kind = nn.Linear(64, KINDS)  # which attack: asked in training alone

        def seen(self, around: Any, close: Any, grain: Any, kept: Any = None) -> Any:
            """What the branches make of the pieces. `kept` (n, 3): how much of each branch is listened to."""
            around, close, grain = around / 64 - 2, close / 64 - 2, grain / 64 - 2
            # What is finer than five pixels, made large: dots and noise, without the face.
            fine = (grain - functional.avg_pool2d(grain, 5, 1, 2, count_include_pad=False)) * 4
            branches = [self.around(around), self.close(close), self.grain(torch.cat([grain, fine], 1))]
            pooled = [torch.cat([each.mean((2, 3)), each.amax((2, 3))], 1) for each in branches]
            if kept is not None:
                pooled = [each * kept[:, index : index + 1] for index, each in enumerate(pooled)]
            return functional.relu(self.joined(self.drop(torch.cat(pooled, 1))))

        def forward(self, around: Any, close: Any, grain: Any) -> Any:
            return self.attack(self.seen(around, close, grain))[:, 0]

    return Recapture()


def train(options: argparse.Namespace) -> int:
    """Train for some minutes, and export. `train` frames are learnt, `calibrate` frames watched."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    net = build()
    if options.start is not None:
        net.load_state_dict(torch.load(options.start))
    averaging = torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    mean = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=averaging, use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), options.rate, weight_decay=2e-3)
    begun, share, steps = time.monotonic(), 0.0, 0
    drawn: dict[Path, tuple[list[Any], Any]] = {}  # by file: pieces and kinds
    watched = None
    while share < 1:
        new = [path for path in sorted(options.frames.glob("*.npz")) if path not in drawn]
        drawn |= {path: _read([path]) for path in new if path.name.startswith("train-")}
        if any(path.name.startswith("calibrate-") for path in new) and watched is None:
            watched = _read(sorted(options.frames.glob("calibrate-*.npz")))
        files = list(drawn.values())
        places = torch.tensor([(file, at) for file, each in enumerate(files) for at in range(len(each[1]))])
        order = places[torch.randperm(len(places))].tolist()
        total, done = 0.0, 0
        net.train()
        for start in range(0, len(order) - 31, 32):
            share = (time.monotonic() - begun) / (60 * options.minutes)
            if share >= 1:
                break
            steps, done = steps + 1, done + 1
            warm = min(1.0, steps / 60)
            for group in optimiser.param_groups:
                group["lr"] = warm * options.rate * (0.5 + 0.5 * math.cos(math.pi * share)) + 1e-5
            chosen = order[start : start + 32]
            pieces = [torch.stack([files[file][0][piece][at] for file, at in chosen]) for piece in range(3)]
            kinds = torch.stack([files[file][1][at] for file, at in chosen])
            seen = net.seen(*augmented(*pieces), kept=_kept(len(chosen)))
            wanted = (kinds > 0).float() * 0.96 + 0.02
            loss = functional.binary_cross_entropy_with_logits(net.attack(seen)[:, 0], wanted)
            loss = loss + 0.3 * functional.cross_entropy(net.kind(seen), kinds)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            mean.update_parameters(net)
            total += loss.item()
        said = _missed(mean.module, *watched) if watched is not None else ""
        print(f"{len(order)} frames, {share:.0%}, loss {total / max(1, done):.3f} {said}", flush=True)
        torch.save(mean.module.state_dict(), options.onnx.with_suffix(".pt"))
    export(mean.module, options.onnx)
    return 0


def mean(options: argparse.Namespace) -> int:
    """Export the mean of the weights of networks that were trained one from the other."""
    import torch

    states = [torch.load(path) for path in options.of]
    net = build()
    net.load_state_dict({
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[-1].items()
    })  # fmt: skip
    torch.save(net.state_dict(), options.onnx.with_suffix(".pt"))
    export(net, options.onnx)
    return 0


def _read(paths: list[Path]) -> tuple[list[Any], Any]:
    """Pieces (n, 3, side, side) and kinds (n,) of some files."""
    import torch

    read = [np.load(path) for path in paths]
    pieces = [
        torch.from_numpy(np.concatenate([each[name] for each in read])).permute(0, 3, 1, 2)
        for name in ("around", "close", "grain")
    ]
    return pieces, torch.from_numpy(np.concatenate([each["kind"] for each in read])).long()


def _kept(count: int) -> Any:
    """In one frame of four, one branch is not listened to: none may carry the decision alone."""
    import torch

    kept = torch.ones(count, 3)
    for index in torch.nonzero(torch.rand(count) < 0.25)[:, 0].tolist():
        kept[index, int(torch.randint(3, (1,)))] = 0.0
    return kept


def _missed(net: Any, pieces: list[Any], kinds: Any) -> str:
    """How many frames of each attack pass where one living frame of twenty is refused."""
    import torch

    net.eval()
    with torch.no_grad():
        starts = range(0, len(kinds), 64)
        odds = torch.cat([net(*(each[start : start + 64].float() for each in pieces)) for start in starts])
    limit = torch.quantile(odds[kinds == 0], 0.95)
    return " ".join(f"{float((odds[kinds == kind] < limit).float().mean()):.2f}" for kind in range(1, KINDS))


def augmented(around: Any, close: Any, grain: Any) -> tuple[Any, Any, Any]:
    """Mirrored, softer or crisper, in other light, grey at times, a side hidden; and a piece of the grain."""
    import torch
    from torch.nn import functional

    count = len(around)
    # Other lenses, sharpening and tones than were drawn: cameras of the test are none of those of training.
    crisp = torch.where(torch.rand(count, 1, 1, 1) < 0.5, torch.empty(count, 1, 1, 1).uniform_(0.3, 1.7), 1.0)
    gamma = torch.exp(0.12 * torch.randn(count, 1, 1, 1))
    top, left = (int(torch.randint(0, SIDE - CUT + 1, (1,))) for _ in range(2))
    grain = grain[:, :, top : top + CUT, left : left + CUT]
    mirrored = torch.rand(count) < 0.5
    gain = (1 + 0.15 * torch.randn(count, 1, 1, 1)) * (1 + 0.06 * torch.randn(count, 3, 1, 1))
    shift = 10 * torch.randn(count, 1, 1, 1)
    grey = torch.rand(count) < 0.05
    pieces = []
    for each in (around, close, grain):
        soft = functional.avg_pool2d(each.float(), 3, 1, 1, count_include_pad=False)
        lit = (soft + (each - soft) * crisp).div_(255).clamp_(0, 1).pow_(gamma)
        lit = lit.mul_(255 * gain).add_(shift).clamp_(0, 255)
        lit[mirrored] = lit[mirrored].flip(3)
        lit[grey] = lit[grey].mean(1, keepdim=True).expand(-1, 3, -1, -1)
        pieces.append(lit)
    around, close, grain = pieces
    noisy = torch.rand(count) < 0.15
    grain[noisy] += 6 * torch.rand(int(noisy.sum()), 1, 1, 1) * torch.randn_like(grain[noisy])
    for index in torch.nonzero(torch.rand(count) < 0.3)[:, 0].tolist():
        depth, side = int(torch.randint(8, 34, (1,))), int(torch.randint(6, (1,)))
        if side in (0, 4, 5):  # 4 and 5: both, as beside an upright film
            around[index, :, :, :depth] = 0
        if side in (1, 4, 5):
            around[index, :, :, -depth:] = 0
        if side == 2:
            around[index, :, :depth] = 0
        if side == 3:
            around[index, :, -depth:] = 0
    return around, close, grain


def export(net: Any, path: Path) -> None:
    import torch

    net.eval()
    examples = tuple(torch.zeros(1, 3, SIDE, SIDE) for _ in range(3))
    torch.onnx.export(net, examples, str(path), input_names=["around", "close", "grain"],
                      output_names=["attack"], opset_version=17, dynamo=False)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    frames = commands.add_parser("frames")
    frames.add_argument("--out", type=Path, required=True)
    frames.add_argument("--seconds", type=float, default=600)
    frames.add_argument("--first", type=int, default=0, help="number of the first scene")
    frames.add_argument("--held-back", action="store_true")
    frames.add_argument(
        "--beyond", type=float, default=0.0, help="how often a parameter lies past its range's end"
    )
    frames.add_argument("--portraits", type=Path, nargs="*", default=[])
    frames.add_argument("--wild", type=Path, nargs="*", default=[])
    frames.add_argument("--part", choices=("train", "calibrate", "test"), default="train")
    frames.add_argument("--seed", type=int, default=1)
    frames.add_argument("--small", action="store_true", help="frames of 480 x 360")
    training = commands.add_parser("train")
    training.add_argument("--frames", type=Path, required=True)
    training.add_argument("--minutes", type=float, default=30)
    training.add_argument("--onnx", type=Path, required=True)
    training.add_argument("--from", dest="start", type=Path)
    training.add_argument("--rate", type=float, default=2e-3)
    training.add_argument("--seed", type=int, default=0)
    averaging = commands.add_parser("mean")
    averaging.add_argument("--of", type=Path, nargs="+", required=True)
    averaging.add_argument("--onnx", type=Path, required=True)
    options = parser.parse_args()
    return {"frames": draw_frames, "train": train, "mean": mean}[options.command](options)


if __name__ == "__main__":
    raise SystemExit(main())
