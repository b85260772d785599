"""Trains kiosk/faces/states.onnx: coverings, closed eyes and open mouths, drawn over portraits.

    .venv/bin/python -m training.face_states draw --out FILE.npz --count 6000 --seed 1 IMAGES.csv   (a minute)
    TORCH/bin/python -m training.face_states train --data FILE.npz --held FILE.npz --out states.onnx
    .venv/bin/python -m training.face_states alarms IMAGES.csv …     (how often plain pictures raise an alarm)

TORCH is an environment with torch, onnx and numpy. Portraits are of a controlled set, neutral and smiling, whose
file names say which ("smil"); identities whose number ends in 0 or 5 are held back (`--held-back`), and so are the
ranges of the drawings' parameters for them. Nothing here is a photograph of a mask, a hand or a closed eye: what
the network makes of real ones is not known.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

LABELS = ("lower", "upper", "closed", "mouth")
MODELS = Path(sys.prefix) / "share/corridor/models"
# Of the upright face of 128 pixels (kiosk/faces/quality.py).
EYES, MOUTH = ((44.0, 50.0), (84.0, 50.0)), (64.0, 96.0)
SIDE = 128


def colour(rng: Any, held_back: bool) -> tuple[float, float, float]:
    """Of cloth or paper: white, surgical blue, black, or anything; other anything where held back."""
    kind = rng.integers(0, 5)
    if kind == 0:
        base = np.array([1.0, 1.0, 1.0]) * rng.uniform(175, 250)
    elif kind == 1:
        base = np.array([rng.uniform(190, 240), rng.uniform(170, 215), rng.uniform(120, 180)])
    elif kind == 2:
        base = np.array([1.0, 1.0, 1.0]) * rng.uniform(12, 60)
    else:
        low, high = (110, 200) if held_back else (20, 235)
        base = rng.uniform(low, high, 3)
    blue, green, red = base.tolist()
    return blue, green, red


def cloth(face: Any, shape: Any, rng: Any, tone: Any, cv2: Any) -> Any:
    """Lay a colour over a shape, with the face's light on it, folds and a soft edge."""
    light = cv2.GaussianBlur(cv2.cvtColor(face.astype(np.uint8), cv2.COLOR_BGR2GRAY), (0, 0), 12).astype(
        np.float64
    )
    inside = shape > 0.5
    level = light / max(float(light[inside].mean()) if inside.any() else 1.0, 1.0)
    folds = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)), (0, 0), float(rng.uniform(1, 7)))
    folds = folds / max(float(folds.std()), 1e-6) * rng.uniform(0, 0.12)
    if rng.random() < 0.4:  # the pleats of a surgical mask
        rows = np.arange(SIDE)[:, None] / rng.uniform(5, 10) * 2 * np.pi + rng.uniform(0, 6)
        folds = folds + rng.uniform(0.02, 0.12) * np.sign(np.sin(rows)) * np.ones((1, SIDE))
    surface = np.asarray(tone)[None, None] * (level * (1 + folds))[..., None]
    edge = cv2.GaussianBlur(shape.astype(np.float64), (0, 0), float(rng.uniform(0.5, 1.5)))[..., None]
    return face * (1 - edge) + surface * edge


def polygon(points: Any, cv2: Any) -> Any:
    shape = np.zeros((SIDE, SIDE), dtype=np.float32)
    cv2.fillPoly(shape, [np.round(np.asarray(points)).astype(np.int32)], 1.0)
    return shape


def mask(face: Any, rng: Any, held_back: bool, cv2: Any) -> Any:
    top = rng.uniform(66, 82)
    side, jaw = rng.uniform(14, 26), rng.uniform(112, 128)
    left, right = side, SIDE - side
    points = [
        (left, top + rng.uniform(2, 12)), (50, top + rng.uniform(-3, 5)), (64, top - rng.uniform(0, 9)),
        (78, top + rng.uniform(-3, 5)), (right, top + rng.uniform(2, 12)), (right - rng.uniform(0, 14), jaw - 6),
        (78, 128), (50, 128), (left + rng.uniform(0, 14), jaw - 6),
    ]  # fmt: skip
    return cloth(face, polygon(points, cv2), rng, colour(rng, held_back), cv2)


def hand(face: Any, rng: Any, where: tuple[float, float], cv2: Any) -> Any:
    """Fingers and a palm in the colour of the person's own forehead, a little darker or fairer."""
    skin = face[22:36, 50:78].reshape(-1, 3).mean(axis=0) * rng.uniform(0.7, 1.15)
    angle = rng.uniform(-0.7, 0.7) + (np.pi if rng.random() < 0.3 else 0.0)
    along, across = np.array([np.sin(angle), -np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
    wide = rng.uniform(9, 14)
    start = np.asarray(where) - along * rng.uniform(0, 18)
    for finger in range(int(rng.integers(2, 5))):
        shape = np.zeros((SIDE, SIDE), dtype=np.float32)
        root = start + across * (finger - 1.5) * wide
        tip = root + along * rng.uniform(30, 55)
        back = root - along * rng.uniform(25, 60)
        ends = [tuple(int(value) for value in np.round(point)) for point in (back, tip)]
        cv2.line(shape, ends[0], ends[1], 1.0, int(wide))
        face = cloth(face, shape, rng, skin * rng.uniform(0.9, 1.1), cv2)
        cv2.line(shape := np.zeros((SIDE, SIDE), dtype=np.float32), ends[0], ends[1], 1.0, 1)
        shadow = np.roll(shape, int(wide / 2), axis=1)[..., None]
        face = face * (1 - 0.4 * cv2.GaussianBlur(shadow, (0, 0), 0.8)[..., None])
    return face


def sheet(face: Any, rng: Any, where: tuple[float, float], held_back: bool, cv2: Any) -> Any:
    """A telephone, a document, a scarf's edge: a rectangle of any angle."""
    size = (float(rng.uniform(45, 90)), float(rng.uniform(34, 60)))
    box = cv2.boxPoints(((float(where[0]), float(where[1])), size, float(rng.uniform(-40, 40))))
    return cloth(face, polygon(box, cv2), rng, colour(rng, held_back), cv2)


def dark_glasses(face: Any, rng: Any, cv2: Any) -> Any:
    shape = np.zeros((SIDE, SIDE), dtype=np.float32)
    wide, high, drop = rng.uniform(13, 19), rng.uniform(9, 14), rng.uniform(-2, 5)
    for x, y in EYES:
        cv2.ellipse(shape, (int(x), int(y + drop)), (int(wide), int(high)), 0, 0, 360, 1.0, -1)
    cv2.line(shape, (int(EYES[0][0]), int(48 + drop)), (int(EYES[1][0]), int(48 + drop)), 1.0, 2)
    return cloth(face, shape, rng, np.array([1.0, 1.0, 1.0]) * rng.uniform(5, 45), cv2)


def clear_glasses(face: Any, rng: Any, cv2: Any) -> Any:
    """Frames and a reflection: not a covering."""
    wide, high, drop = rng.uniform(13, 18), rng.uniform(9, 14), rng.uniform(-1, 5)
    tone = tuple(float(value) for value in rng.uniform(5, 120, 3))
    drawn = face.copy()
    for x, y in EYES:
        box = (int(x), int(y + drop)), (int(wide), int(high))
        cv2.ellipse(drawn, *box, 0, 0, 360, tone, int(rng.integers(1, 3)))
    cv2.line(drawn, (58, int(48 + drop)), (70, int(48 + drop)), tone, 1)
    return drawn


def beard(face: Any, rng: Any, cv2: Any) -> Any:
    """Darker, rough skin about the mouth, which stays: not a covering."""
    shape = polygon([(28, 84), (44, 88), (64, 84), (84, 88), (100, 84), (96, 120), (64, 128), (32, 120)], cv2)
    lips = np.zeros((SIDE, SIDE), dtype=np.float32)
    cv2.ellipse(lips, (64, 97), (17, 6), 0, 0, 360, 1.0, -1)
    edge = cv2.GaussianBlur(np.clip(shape - lips, 0, 1), (0, 0), 3) * rng.uniform(0.4, 0.9)
    hair = rng.normal(1, 0.35, (SIDE, SIDE, 1)) * rng.uniform(20, 90) * np.array([0.8, 0.9, 1.0])
    return face * (1 - edge[..., None]) + hair * edge[..., None]


def lids(face: Any, rng: Any, cv2: Any) -> Any:
    """Close the eyes: the skin between brow and eye is drawn down over it, lashes along the lower edge."""
    drawn = face.copy()
    for x, y in EYES:
        left, right = int(x - 14), int(x + 15)
        top, upper, lower = int(y - 9), int(y - 5), int(y + rng.uniform(3, 6))
        skin = cv2.resize(face[top:upper, left:right], (right - left, lower - top), interpolation=cv2.INTER_LINEAR)
        mean = face[top:upper, left:right].reshape(-1, 3).mean(axis=0)
        skin = 0.5 * skin + 0.5 * mean * (1 + 0.05 * np.linspace(1, -1, lower - top)[:, None, None])
        soft = np.zeros((SIDE, SIDE), dtype=np.float32)
        cv2.ellipse(soft, (int(x), int((y - 3 + lower) / 2)), (13, max(4, (lower - top) // 2)), 0, 0, 360, 1.0, -1)
        soft = cv2.GaussianBlur(soft, (0, 0), 1.3)[..., None]
        layer = drawn.copy()
        layer[top:lower, left:right] = skin
        drawn = drawn * (1 - soft) + layer * soft
        curve = np.zeros((SIDE, SIDE), dtype=np.float32)
        bend = int(rng.integers(2, 6))
        cv2.ellipse(curve, (int(x), lower - bend), (12, bend), 0, 10, 170, 1.0, 1)
        dark = cv2.GaussianBlur(curve, (0, 0), 0.7)[..., None] * rng.uniform(0.4, 0.9)
        drawn = drawn * (1 - dark) + mean * 0.25 * dark
    return drawn


def camera(face: Any, rng: Any, cv2: Any) -> Any:
    """Light from a side, colour, size, focus, noise, compression; a little off the place."""
    face = face.astype(np.float32)
    across = (np.arange(SIDE) / SIDE - 0.5)[None, :, None]
    face = face * (1 + rng.normal(0, 0.35) * across) * rng.uniform(0.45, 1.3) * rng.uniform(0.88, 1.12, 3)
    matrix = cv2.getRotationMatrix2D((64, 64), float(rng.normal(0, 4)), float(rng.uniform(0.92, 1.08)))
    matrix[:, 2] += rng.normal(0, 2, 2)
    face = cv2.warpAffine(face, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.6:
        small = int(rng.integers(40, 110))
        face = cv2.resize(cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    if rng.random() < 0.4:
        face = cv2.GaussianBlur(face, (0, 0), float(rng.uniform(0.4, 1.8)))
    face = np.clip(face + rng.normal(0, rng.uniform(0, 8), face.shape), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))]
    return cv2.imdecode(cv2.imencode(".jpg", face, quality)[1], cv2.IMREAD_COLOR)


def drawn_sample(face: Any, smiles: bool, rng: Any, held_back: bool, cv2: Any) -> tuple[Any, list[int]]:
    face = face.astype(np.float64)
    labels = dict.fromkeys(LABELS, 0)
    labels["mouth"] = int(smiles)
    if rng.random() < 0.25:
        face = clear_glasses(face, rng, cv2)
    if rng.random() < 0.2:
        face = beard(face, rng, cv2)
    if rng.random() < 0.3:
        face, labels["closed"] = lids(face, rng, cv2), 1
    chance = rng.random()
    mouth = (MOUTH[0] + rng.normal(0, 6), MOUTH[1] - 6 + rng.normal(0, 6))
    if chance < 0.22:
        face, labels["lower"] = mask(face, rng, held_back, cv2), 1
    elif chance < 0.34:
        face, labels["lower"] = hand(face, rng, mouth, cv2), 1
    elif chance < 0.42:
        face, labels["lower"] = sheet(face, rng, mouth, held_back, cv2), 1
    elif chance < 0.52:
        face, labels["upper"] = dark_glasses(face, rng, cv2), 1
    elif chance < 0.57:
        face, labels["upper"] = hand(face, rng, (64 + rng.normal(0, 18), 52 + rng.normal(0, 4)), cv2), 1
    elif chance < 0.60:
        face, labels["upper"] = sheet(face, rng, (64 + rng.normal(0, 12), 48), held_back, cv2), 1
    return camera(face, rng, cv2), [labels[name] for name in LABELS]


def draw(images: Path, out: Path, count: int, seed: int, held_back: bool) -> None:
    import cv2

    from kiosk.faces.detect import FaceDetector
    from kiosk.faces.evaluate import load_images
    from kiosk.faces.picture import read_picture
    from kiosk.faces.quality import upright_face
    from kiosk.faces.states import SIDE as SMALL

    detector = FaceDetector(MODELS)
    faces = []
    for item in load_images(images):
        if (item.identity[-1:] in ("0", "5")) is not held_back:
            continue
        image = read_picture(item.path)
        found = () if image is None else detector.find(image)
        if image is not None and found:
            faces.append((upright_face(image, found[0]), "smil" in item.name))
    rng = np.random.default_rng(seed)
    pictures = np.empty((count, SMALL, SMALL, 3), dtype=np.uint8)
    labels = np.empty((count, len(LABELS)), dtype=np.uint8)
    for index in range(count):
        face, smiles = faces[rng.integers(0, len(faces))]
        if rng.random() < 0.5:
            face = face[:, ::-1]
        sample, labels[index] = drawn_sample(face, smiles, rng, held_back, cv2)
        pictures[index] = cv2.resize(sample, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    np.savez_compressed(out, pictures=pictures, labels=labels)
    print(f"{count} of {len(faces)} faces")


def inputs(pictures: Any) -> Any:
    """As kiosk/faces/states.py makes them, for many."""
    values = pictures.astype(np.float32)
    values -= values.mean(axis=(1, 2, 3), keepdims=True)
    values /= np.maximum(values.std(axis=(1, 2, 3), keepdims=True), 4.0)
    return values.transpose(0, 3, 1, 2)


def train(data: Path, held: Path, out: Path, epochs: int) -> None:
    import torch
    from torch import nn

    torch.manual_seed(1)
    torch.set_num_threads(1)
    kept, back = np.load(data), np.load(held)
    x, y = torch.from_numpy(inputs(kept["pictures"])), torch.from_numpy(kept["labels"].astype(np.float32))
    test, truth = torch.from_numpy(inputs(back["pictures"])), back["labels"]
    network = nn.Sequential(
        nn.Conv2d(3, 12, 5, 2, 2), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.ReLU(),
        nn.Conv2d(24, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 16, 1), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(16 * 64, 24), nn.ReLU(), nn.Linear(24, len(LABELS)),
    )  # fmt: skip
    batch, steps = 64, epochs * (len(x) // 64)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    # What is covered cannot be told: eyes behind dark glasses, a mouth behind a mask.
    weights = torch.ones_like(y)
    weights[:, 2], weights[:, 3] = 1 - y[:, 1], 1 - y[:, 0]
    loss_of = nn.BCEWithLogitsLoss(reduction="none")
    for epoch in range(epochs):
        network.train()
        order, total = torch.randperm(len(x)), 0.0
        for start in range(0, len(x) - batch + 1, batch):
            rows = order[start : start + batch]
            loss = (loss_of(network(x[rows]), y[rows]) * weights[rows]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss)
        network.eval()
        with torch.no_grad():
            logits = network(test).numpy()
        told = []
        for place, name in enumerate(LABELS):
            told_apart = truth[:, {2: 1, 3: 0}[place]] == 0 if place > 1 else np.ones(len(truth), dtype=bool)
            positive = logits[(truth[:, place] == 1) & told_apart, place]
            negative = logits[(truth[:, place] == 0) & told_apart, place]
            missed = float((positive < np.quantile(negative, 0.98)).mean())
            told.append(f"{name} {100 * missed:.1f}")
        print(
            f"{epoch + 1}: loss {total * batch / len(x):.4f}; missed % at 2 % alarms: " + ", ".join(told),
            flush=True,
        )
    torch.onnx.export(
        network, (torch.zeros(1, 3, 64, 64),), str(out), input_names=["face"], output_names=["logits"],
        dynamic_axes={"face": {0: "n"}, "logits": {0: "n"}}, dynamo=False,
    )  # fmt: skip


def alarms(lists: list[Path]) -> None:
    from kiosk.faces.detect import FaceDetector
    from kiosk.faces.evaluate import load_images
    from kiosk.faces.picture import read_picture
    from kiosk.faces.quality import upright_face
    from kiosk.faces.states import FaceStates
    from kiosk.faces.subject import subject_first

    detector, states = FaceDetector(MODELS), FaceStates()
    for path in lists:
        found = []
        for item in load_images(path):
            image = read_picture(item.path)
            if image is None:
                continue
            faces = subject_first(detector.find(image), image.shape[1], image.shape[0])
            if faces:
                state = states.judge(upright_face(image, faces[0]))
                found.append((state.uncovered, state.eyes_open, state.mouth_closed))
        values = np.array(found)
        for place, name in enumerate(("uncovered", "eyes open", "mouth closed")):
            shares = [
                f"{100 * float((values[:, place] < at).mean()):.1f} % below {at}" for at in (0.02, 0.1, 0.3, 0.5)
            ]
            print(f"{path.name}, {len(values)} faces, {name}: " + ", ".join(shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    part = parts.add_parser("draw")
    part.add_argument("images", type=Path)
    part.add_argument("--out", type=Path, required=True)
    part.add_argument("--count", type=int, default=6000)
    part.add_argument("--seed", type=int, default=1)
    part.add_argument("--held-back", action="store_true")
    part = parts.add_parser("train")
    part.add_argument("--data", type=Path, required=True)
    part.add_argument("--held", type=Path, required=True)
    part.add_argument("--out", type=Path, required=True)
    part.add_argument("--epochs", type=int, default=14)
    part = parts.add_parser("alarms")
    part.add_argument("images", type=Path, nargs="+")
    options = parser.parse_args()
    if options.part == "draw":
        draw(options.images, options.out, options.count, options.seed, options.held_back)
    elif options.part == "train":
        train(options.data, options.held, options.out, options.epochs)
    else:
        alarms(options.images)


if __name__ == "__main__":
    main()
