"""Trains the network that tells a recapture, on frames that `pad_recapture` draws, and writes it as ONNX.

    .venv/bin/python training/pad_network.py frames --out DIR --seconds 600 [--portraits DIR …] [--wild DIR …]
    PYTHON_WITH_TORCH training/pad_network.py train --frames DIR --seconds 300 --onnx recapture.onnx [--from FILE]

The second needs torch, which the product does not; the first needs the product and no torch. `--portraits` are
folders of people before plain backgrounds, `--wild` of people anywhere; without either the people are specimens.
Frames are drawn small (320 x 240): pixels are what costs.
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
    """Draw frames for some seconds of processor time; crops and kinds as one file of arrays."""
    import cv2
    import pad_recapture as recapture

    from kiosk.faces.detect import FaceDetector
    from kiosk.faces.pad.crops import grain, surroundings

    cv2.setNumThreads(1)
    recapture.WIDTH, recapture.HEIGHT, recapture.EYES = 320, 240, (30.0, 72.0)
    people = gather_people(options)
    detector = FaceDetector(recapture.MODELS)
    around: list[Any] = []
    fine: list[Any] = []
    kinds: list[int] = []
    begun, number = time.process_time(), 0
    while time.process_time() - begun < options.seconds:
        number += 1
        ranges = recapture.Ranges(np.random.default_rng((options.seed, number)), held_back=False)
        kind = "live" if ranges.chance(0.5) else str(ranges.random.choice(recapture.ATTACKS))
        frame = recapture.single(kind, ranges, people)
        faces = detector.find(frame)
        if faces:
            around.append(surroundings(frame, faces[0].landmarks))
            fine.append(grain(frame, faces[0].landmarks))
            kinds.append(0 if kind == "live" else 1 + recapture.ATTACKS.index(kind))
    options.out.mkdir(parents=True, exist_ok=True)
    np.savez(options.out / f"{options.seed:04d}.npz", a=np.array(around), b=np.array(fine), y=np.array(kinds))
    print(f"{len(kinds)} frames of {number}")
    return 0


def gather_people(options: argparse.Namespace) -> list[Any]:
    """The specimens and whoever is in the folders that were named."""
    import pad_recapture as recapture

    people = recapture.specimen_people()
    for folders, plain in ((options.portraits, True), (options.wild, False)):
        paths = [path for folder in folders for path in sorted(folder.rglob("*.jpg"))]
        people += recapture.folder_people(paths, plain=plain)
    return people


def build() -> Any:
    """The network: one branch for the surroundings, one for the grain, joined by what each saw anywhere."""
    import torch
    from torch import nn
    from torch.nn import functional

    def block(into: int, out: int, stride: int = 2, kernel: int = 3) -> Any:
        convolution = nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU())

    class Recapture(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Sequential(block(3, 16, 4, 7), block(16, 32), block(32, 48), block(48, 48, 1))
            self.b = nn.Sequential(block(6, 10, 1, 3), block(10, 16, 2), block(16, 24), block(24, 32))
            self.drop = nn.Dropout(0.2)
            self.h = nn.Linear(48 * 2 + 32 * 2, 48)
            self.o = nn.Linear(48, 1)
            self.t = nn.Linear(48, KINDS)  # which attack: asked in training alone

        def feat(self, around: Any, grain: Any) -> Any:
            around, grain = around / 64 - 2, grain / 64 - 2
            # What is finer than five pixels, made large: dots and noise, without the face.
            fine = (grain - functional.avg_pool2d(grain, 5, 1, 2, count_include_pad=False)) * 4
            x, y = self.a(around), self.b(torch.cat([grain, fine], 1))
            seen = [x.mean((2, 3)), x.amax((2, 3)), y.mean((2, 3)), y.amax((2, 3))]
            return functional.relu(self.h(self.drop(torch.cat(seen, 1))))

        def forward(self, around: Any, grain: Any) -> Any:
            return self.o(self.feat(around, grain))[:, 0]

    return Recapture()


def train(options: argparse.Namespace) -> int:
    """Train for some seconds of processor time, and export."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    read = [np.load(path) for path in sorted(options.frames.glob("*.npz"))]
    a, b = (
        torch.from_numpy(np.concatenate([each[name] for each in read])).permute(0, 3, 1, 2) for name in ("a", "b")
    )
    y = torch.from_numpy(np.concatenate([each["y"] for each in read])).long()
    net = build()
    if options.start is not None:
        net.load_state_dict(torch.load(options.start))
    optimiser = torch.optim.AdamW(net.parameters(), options.rate, weight_decay=1e-3)
    begun, last, epoch = time.process_time(), 0.0, 0
    while (spent := time.process_time() - begun) + last < options.seconds:
        for group in optimiser.param_groups:
            group["lr"] = options.rate * (0.5 + 0.5 * math.cos(math.pi * spent / options.seconds)) + 1e-5
        order = torch.randperm(len(y))
        total = 0.0
        for start in range(0, len(y) - 31, 32):
            chosen = order[start : start + 32]
            around, grain = augmented(a[chosen].float(), b[chosen].float())
            seen = net.feat(around, grain)
            wanted = (y[chosen] > 0).float() * 0.96 + 0.02
            loss = functional.binary_cross_entropy_with_logits(net.o(seen)[:, 0], wanted)
            loss = loss + 0.3 * functional.cross_entropy(net.t(seen), y[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        epoch, last = epoch + 1, time.process_time() - begun - spent
        print(f"epoch {epoch}: {total / (len(y) // 32):.3f}, {last:.1f} s", flush=True)
    torch.save(net.state_dict(), options.onnx.with_suffix(".pt"))
    export(net, options.onnx)
    return 0


def augmented(around: Any, grain: Any) -> tuple[Any, Any]:
    """Mirrored, in other light, with a side of the surroundings hidden, and one piece of the grain."""
    import torch

    count = len(around)
    mirrored = (torch.rand(count) < 0.5)[:, None, None, None]
    around, grain = (torch.where(mirrored, each.flip(3), each) for each in (around, grain))
    gain, shift = 1 + 0.15 * torch.randn(count, 1, 1, 1), 10 * torch.randn(count, 1, 1, 1)
    colour = 1 + 0.05 * torch.randn(count, 3, 1, 1)
    around, grain = ((each * gain * colour + shift).clamp(0, 255) for each in (around, grain))
    top, left = (int(torch.randint(0, SIDE - CUT + 1, (1,))) for _ in range(2))
    for index in torch.nonzero(torch.rand(count) < 0.15)[:, 0].tolist():
        depth, side = int(torch.randint(10, 30, (1,))), int(torch.randint(4, (1,)))
        hidden = [slice(None, depth), slice(-depth, None)][side % 2]
        around[(index, slice(None), hidden) if side < 2 else (index, slice(None), slice(None), hidden)] = 0
    return around, grain[:, :, top : top + CUT, left : left + CUT]


def export(net: Any, path: Path) -> None:
    import torch

    net.eval()
    examples = (torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1, 3, SIDE, SIDE))
    torch.onnx.export(net, examples, str(path), input_names=["around", "grain"], output_names=["attack"],
                      opset_version=17, dynamo=False)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    frames = commands.add_parser("frames")
    frames.add_argument("--out", type=Path, required=True)
    frames.add_argument("--seconds", type=float, default=600)
    frames.add_argument("--portraits", type=Path, nargs="*", default=[])
    frames.add_argument("--wild", type=Path, nargs="*", default=[])
    frames.add_argument("--seed", type=int, default=1)
    training = commands.add_parser("train")
    training.add_argument("--frames", type=Path, required=True)
    training.add_argument("--seconds", type=float, default=300)
    training.add_argument("--onnx", type=Path, required=True)
    training.add_argument("--from", dest="start", type=Path)
    training.add_argument("--rate", type=float, default=2e-3)
    training.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    return {"frames": draw_frames, "train": train}[options.command](options)


if __name__ == "__main__":
    raise SystemExit(main())
