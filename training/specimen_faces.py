"""Portraits of people who do not exist, morphed out of the Face Research Lab London Set.

Each portrait mixes three or more contributors of one sex and group, and no contributor serves two portraits. The
inner face is an average in shape and colour; hair, ears and neck are the outline of one contributor, since an
average of hair is a ghost. A seeded search chooses who is mixed with whom, so that every two portraits stay below
the impostor bound and the two pictures of one portrait above the genuine bound, both as SFace cosine.

    .venv/bin/python training/specimen_faces.py --london DIR --models DIR --out hardware/specimens/portraits

Writes `<name>-neutral.jpg` (413 x 531, the passport crop of ICAO 9303-3: 35 x 45 mm at 300 dpi),
`<name>-smile.jpg` (640 x 640, head and shoulders, for the camera), `landmarks.json` (the five points of
each smile) and `similarities.json` (every pair as measured on the written files, each portrait's likeness to
its contributors).
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.interpolate import RBFInterpolator

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

SIDE = 675  # the London pictures as distributed to us; the common frame has the same size
EYES = np.array([[285.0, 335.0], [389.0, 335.0]])  # where the pupils lie in the common frame
FRAME_GRID = 9  # a warp is smooth: computing it on every ninth pixel is exact to a tenth of one

# Landmarks of the 189-point template.
INNER = [*range(109), *range(158, 183)]  # eyes, brows, nose, mouth, cheeks, chin
EDGE = [*range(109, 115), *range(125, 134), *range(185, 189)]  # front of the ears, jaw, side of the face
OUTLINE = [*range(134, 158), 183, 184]  # hairline, outer hair, neck
JAW = range(125, 134)
BROWS = [*range(71, 88)]

STRAY_LIMIT = 2.8  # pixels by which a landmark may miss itself when carried to the smile and back
TILT_LIMIT = 7.0  # degrees
IMPOSTOR_BOUND = 0.36
GENUINE_BOUND = 0.60
SEARCH_STEPS = 40_000
MENDING_TRIES = 150
MENDING_GOAL = 0.335  # room for JPEG and for the feeds
WEIGHTS = np.array([0.2, 0.4, 0.4])  # the one who lends the outline gives least of the face
EXAGGERATION = 1.3  # a morph's shape is drawn away from the mean of its group, as real faces are


# Whose portraits are made: name and group. The child is a morph of young ones, bent to a child's proportions.
CAST = {
    "anna": "female white",
    "mira": "female white",
    "greta": "female white",
    "ines": "female white",
    "clara": "female white",
    "nora": "female white",
    "lea": "female white",
    "tomas": "male white",
    "viktor": "male white",
    "oskar": "male white",
    "pavel": "male white",
    "lukas": "male white",
    "stefan": "male white",
    "marek": "male white",
    "samuel": "male black",
    "joel": "male black",
    "amara": "female black",
    "mei": "female east_asian",
    "kenji": "male east_asian",
    "leila": "female west_asian",
    "darian": "male west_asian",
}
CHILD = "lea"
CHILD_CONTRIBUTORS = ("100", "097", "083")  # chosen by eye; the search leaves them alone


@dataclass(frozen=True)
class Contributor:
    """One person of the set, both pictures brought to the common frame with their landmarks."""

    number: str
    group: str
    neutral: Image
    smile: Image
    neutral_points: Points  # 189 x 2, pixels
    smile_points: Points
    embedding: npt.NDArray[np.float64]


class Measure:
    """YuNet and SFace, as the kiosk uses them."""

    def __init__(self, models: Path) -> None:
        self._detector = cv2.FaceDetectorYN.create(
            str(models / "face_detection_yunet_2023mar.onnx"), "", (320, 320), 0.7
        )
        self._recogniser = cv2.FaceRecognizerSF.create(str(models / "face_recognition_sface_2021dec.onnx"), "")

    def face(self, image: Image) -> npt.NDArray[np.float32]:
        """The largest face: box, five points, score (15 numbers). Raises ValueError when there is none."""
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        _, faces = self._detector.detect(image)
        if faces is None:
            raise ValueError("no face found")
        return np.asarray(max(faces, key=lambda face: face[2] * face[3]), dtype=np.float32)

    def embedding(self, image: Image) -> npt.NDArray[np.float64]:
        """The SFace embedding of the largest face, of length one."""
        feature = self._recogniser.feature(self._recogniser.alignCrop(image, self.face(image)))
        vector = np.asarray(feature, dtype=np.float64).ravel()
        return vector / np.linalg.norm(vector)


def load_contributors(london: Path, measure: Measure) -> list[Contributor]:
    """Everyone of the set, in the order of info.csv; a group is one sex and one ethnicity."""
    found = []
    with (london / "info.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        number = row["face_id"]
        neutral = cv2.imread(str(london / f"neutral_front/{number}_03.jpg"))
        smile = cv2.imread(str(london / f"smiling_front/{number}_08.jpg"))
        if neutral is None or smile is None:
            continue
        lines = (london / f"neutral_front/{number}_03.tem").read_text(encoding="utf-8").splitlines()
        points = np.array([[float(part) for part in line.split()] for line in lines[1:190]]) * 0.5
        matrix = similarity(points[:2], EYES)
        points = points @ matrix[:, :2].T + matrix[:, 2]
        smiling_eyes = measure.face(smile)[4:8].reshape(2, 2).astype(np.float64)
        neutral_eyes = measure.face(neutral)[4:8].reshape(2, 2).astype(np.float64)
        upright = similarity(smiling_eyes, neutral_eyes @ matrix[:, :2].T + matrix[:, 2])
        neutral, smile = framed(neutral, matrix), framed(smile, upright)
        smile_points = carried(neutral, smile, points)
        strayed = np.linalg.norm(carried(smile, neutral, smile_points) - points, axis=1)
        tilt = abs(np.degrees(np.arctan2(upright[1, 0], upright[0, 0])))
        if np.percentile(strayed[EDGE + BROWS], 90) > STRAY_LIMIT or tilt > TILT_LIMIT:
            print(
                f"  {number} left out: the smile cannot be followed, or is tilted by {tilt:.0f}°", file=sys.stderr
            )
            continue
        group = f"{row['face_gender']} {row['face_eth'].split('/')[0]}"
        embedding = measure.embedding(neutral)
        found.append(Contributor(number, group, neutral, smile, points, smile_points, embedding))
    return found


def similarity(source: Points, target: Points) -> npt.NDArray[np.float64]:
    """The 2 x 3 matrix of the rotation, scaling and shift that brings two points onto two others."""
    before, after = source[1] - source[0], target[1] - target[0]
    turn = complex(*after) / complex(*before)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, target[0] - linear @ source[0]])


def framed(image: Image, matrix: npt.NDArray[np.float64]) -> Image:
    return np.asarray(
        cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )


def carried(neutral: Image, smile: Image, points: Points) -> Points:
    """The landmarks of the neutral picture found again in the smile, by dense optical flow."""
    flow_finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in (neutral, smile)]
    flow = cv2.GaussianBlur(flow_finder.calc(grey[0], grey[1], None), (0, 0), 3)
    at = np.clip(points.round().astype(int), 0, SIDE - 1)
    return points + flow[at[:, 1], at[:, 0]]


def warped(image: Image, source: Points, target: Points) -> npt.NDArray[np.float32]:
    """`image` bent so that `source` comes to lie on `target`; the frame's border stays (thin-plate spline)."""
    ticks = np.linspace(0, SIDE - 1, 9)
    border = np.array([[x, y] for x in ticks for y in ticks if {x, y} & {ticks[0], ticks[-1]}])
    source, target = np.vstack([source, border]), np.vstack([target, border])
    _, first = np.unique(target.round(1), axis=0, return_index=True)
    spline = RBFInterpolator(target[first], source[first] - target[first], smoothing=0.5)
    axis = np.linspace(0, SIDE - 1, SIDE // FRAME_GRID)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    shift = spline(grid).reshape(len(axis), len(axis), 2).astype(np.float32)
    columns, rows = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
    scale = (len(axis) - 1) / (SIDE - 1)
    full = cv2.remap(shift, columns * scale, rows * scale, cv2.INTER_LINEAR)
    return np.asarray(
        cv2.remap(
            image, columns + full[..., 0], rows + full[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
        dtype=np.float32,
    )


def face_mask(points: Points) -> npt.NDArray[np.float32]:
    """One inside the face, zero at the jaw, the temples and just above the brows, soft between."""
    centre = points[INNER].mean(axis=0)
    jaw = centre + (points[list(JAW)] - centre) * 0.99
    brows = points[BROWS] + [0.0, -22.0]
    sides = points[[109, 110, 111, 112, 113, 114, 134, 144]]
    hull = cv2.convexHull(np.vstack([jaw, brows, sides, points[INNER]]).astype(np.float32))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(mask, hull.round().astype(np.int32), 255)
    inside = np.minimum(cv2.distanceTransform(mask, cv2.DIST_L2, 5) / 20.0, 1.0)
    smooth = inside * inside * (3 - 2 * inside)
    return np.asarray(cv2.GaussianBlur(smooth, (0, 0), 2)[..., None], dtype=np.float32)


def coloured_like(
    image: npt.NDArray[np.float32], model: npt.NDArray[np.float32], mask: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """`image` with the mean colour and contrast that `model` has under the mask (CIE Lab)."""
    place = mask[..., 0] > 0.5
    lab, wanted = (cv2.cvtColor(np.clip(each, 0, 255) / 255, cv2.COLOR_BGR2LAB) for each in (image, model))
    mean, deviation = lab[place].mean(axis=0), lab[place].std(axis=0)
    goal, spread = wanted[place].mean(axis=0), wanted[place].std(axis=0)
    moved = (lab - mean) * np.clip(spread / deviation, 0.7, 1.4) + goal
    return np.asarray(cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_LAB2BGR) * 255, dtype=np.float32)


def morph(
    people: list[Contributor], weights: npt.NDArray[np.float64], mean: dict[str, Points], kind: str
) -> tuple[Image, Points]:
    """The face of `people` in the outline of the first of them; `kind` is neutral or smile.

    Gives the picture in the common frame and where its landmarks lie.
    """
    pictures = [getattr(person, kind) for person in people]
    points = [getattr(person, f"{kind}_points") for person in people]
    base = points[0]
    blend = sum(weight * each for weight, each in zip(weights, points, strict=True))
    target = base.copy()
    moving = INNER + EDGE
    target[moving] = mean[kind][moving] + EXAGGERATION * (blend[moving] - mean[kind][moving])
    everything = moving + OUTLINE
    layers = [
        warped(picture, each[everything], target[everything])
        for picture, each in zip(pictures, points, strict=True)
    ]
    mask = face_mask(target)
    layers = [layers[0], *(coloured_like(layer, layers[0], mask) for layer in layers[1:])]
    average = sum(np.float32(weight) * layer for weight, layer in zip(weights, layers, strict=True))
    # An average has no pores: the finest detail comes from one contributor, and not from the one of the outline.
    detail = layers[1] - cv2.GaussianBlur(layers[1], (0, 0), 2.0)
    average_detail = average - cv2.GaussianBlur(average, (0, 0), 2.0)
    face = average + 0.6 * (detail - average_detail)
    return np.clip(layers[0] * (1 - mask) + face * mask, 0, 255).astype(np.uint8), target


def childlike(image: Image, points: Points) -> Image:
    """A grown-up's face bent to a child's proportions: lower and larger eyes, short nose, small and round jaw."""
    target = points.copy()
    eyes = points[:2].mean(axis=0)
    length = points[129, 1] - eyes[1]  # eyes to chin
    face = INNER + EDGE
    depth = np.clip((points[:, 1] - eyes[1]) / length, 0, 1)[:, None]
    # The lower face is short, its middle is full and its end narrow.
    target[face, 1] = (eyes[1] + (points[:, 1] - eyes[1]) * (1 - 0.14 * depth[:, 0]))[face]
    fullness = 1 + 0.035 * np.sin(np.pi * depth) - 0.10 * depth**3
    target[face, 0] = (eyes[0] + (points[:, 0] - eyes[0]) * fullness[:, 0])[face]
    for pupil in (0, 1):
        eye = [index for index in range(50) if np.linalg.norm(points[index] - points[pupil]) < 0.33 * length]
        target[eye] = target[pupil] + (points[eye] - points[pupil]) * [1.13, 1.19]
    nose = [*range(50, 71), *range(170, 174), *range(179, 183)]
    middle = target[nose].mean(axis=0)
    target[nose] = middle + (target[nose] - middle) * [0.84, 0.86] - [0, 0.02 * length]
    mouth = [*range(87, 109)]
    middle = target[mouth].mean(axis=0)
    target[mouth] = middle + (target[mouth] - middle) * [0.86, 0.95]
    target[face, 1] += 0.075 * length  # a high forehead
    neck = [145, 157, 183, 184]
    target[neck, 0] = eyes[0] + (target[neck, 0] - eyes[0]) * 0.8
    everything = face + OUTLINE
    bent = warped(image, points[everything], target[everything])
    # Young skin: the fine shadows of a grown-up's face go, its edges stay.
    smooth = cv2.bilateralFilter(np.clip(bent, 0, 255).astype(np.uint8), 9, 22, 7)
    mask = face_mask(target)
    return np.clip(bent * (1 - 0.75 * mask) + smooth * (0.75 * mask), 0, 255).astype(np.uint8)


@dataclass
class Mixture:
    """One portrait to be: its name and who is mixed, the one who lends the outline first."""

    name: str
    group: str
    members: list[int]
    predicted: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def mix(people: list[Contributor], seed: int) -> list[Mixture]:
    """Who is mixed with whom: simulated annealing over what SFace should say of each mixture.

    An embedding of a morph lies near the mean of its contributors' embeddings (correlation of pair values 0.6), so
    the search needs no picture.
    """
    random = np.random.default_rng(seed)
    free: dict[str, list[int]] = {}
    for index in random.permutation(len(people)):
        free.setdefault(people[index].group, []).append(int(index))
    reserved = [next(i for i, person in enumerate(people) if person.number == each) for each in CHILD_CONTRIBUTORS]
    mixtures = [Mixture(CHILD, CAST[CHILD], reserved)]
    free = {group: [index for index in pool if index not in reserved] for group, pool in free.items()}
    for name, group in CAST.items():
        if name != CHILD:
            mixtures.append(Mixture(name, group, free[group][: len(WEIGHTS)]))
            free[group] = free[group][len(WEIGHTS) :]

    def predict(members: list[int]) -> npt.NDArray[np.float64]:
        pull = WEIGHTS + np.array([0.25, 0.0, 0.0])  # the outline speaks too
        vector = pull @ np.array([people[index].embedding for index in members])
        return np.asarray(vector / np.linalg.norm(vector))

    def cost(vectors: npt.NDArray[np.float64]) -> float:
        values = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
        return float(np.log(np.exp(30 * values).sum()))

    vectors = np.array([predict(mixture.members) for mixture in mixtures])
    current = cost(vectors)
    for step in range(SEARCH_STEPS):
        heat = 0.3 * (1 - step / SEARCH_STEPS) + 1e-3
        one = mixtures[random.integers(1, len(mixtures))]  # the child's contributors stay
        place = random.integers(len(WEIGHTS))
        others = [other for other in mixtures[1:] if other.group == one.group]
        spare = free[one.group]
        choice = int(random.integers(len(others) * len(WEIGHTS) + len(spare)))
        if choice < len(spare):
            partner, at = spare, choice
        else:
            other, at = divmod(choice - len(spare), len(WEIGHTS))
            partner = others[other].members
        one.members[place], partner[at] = partner[at], one.members[place]
        tried = np.array([predict(mixture.members) for mixture in mixtures if mixture.group == one.group])
        trial = vectors.copy()
        trial[[mixture.group == one.group for mixture in mixtures]] = tried
        value = cost(trial)
        if value < current or random.random() < np.exp((current - value) / heat):
            current, vectors = value, trial
        else:
            one.members[place], partner[at] = partner[at], one.members[place]
    return mixtures


def cropped_neutral(image: Image) -> Image:
    """The passport picture, 413 x 531: head about 75 % of the height (ICAO 9303-3, ISO/IEC 19794-5)."""
    return np.asarray(cv2.resize(image[64:640, 113:561], (413, 531), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def cropped_smile(image: Image) -> Image:
    """Head and shoulders, 640 x 640."""
    return np.asarray(cv2.resize(image[10:650, 17:657], (640, 640), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def render(people: list[Contributor], mixture: Mixture) -> tuple[Image, Image]:
    """Neutral and smile of one mixture, cropped."""
    group = [person for person in people if person.group == mixture.group]
    mean = {
        "neutral": np.mean([person.neutral_points for person in group], axis=0),
        "smile": np.mean([person.smile_points for person in group], axis=0),
    }
    chosen = [people[index] for index in mixture.members]
    pair = []
    for kind in ("neutral", "smile"):
        image, points = morph(chosen, WEIGHTS, mean, kind)
        pair.append(childlike(image, points) if mixture.name == CHILD else image)
    return cropped_neutral(pair[0]), cropped_smile(pair[1])


def mend(
    people: list[Contributor], mixtures: list[Mixture], measure: Measure, seed: int
) -> list[tuple[Image, Image]]:
    """Renders all, then exchanges contributors of whoever is in the worst pair until the bound is kept with room.

    What counts here is what SFace says of the pictures themselves.
    """
    random = np.random.default_rng(seed + 1000)
    pictures = [render(people, mixture) for mixture in mixtures]
    vectors = np.array([[measure.embedding(image) for image in pair] for pair in pictures])

    def row(pair: npt.NDArray[np.float64], at: int) -> npt.NDArray[np.float64]:
        values = np.einsum("kd,jld->jkl", pair, vectors).max(axis=(1, 2))
        values[at] = 0
        return np.asarray(values)

    for _ in range(MENDING_TRIES):
        rows = np.array([row(pair, at) for at, pair in enumerate(vectors)])
        if rows.max() < MENDING_GOAL:
            break
        pair_in_question = np.unravel_index(rows.argmax(), rows.shape)
        at = int(random.choice([each for each in pair_in_question if mixtures[each].name != CHILD]))
        mixture = mixtures[at]
        used = {index for other in mixtures for index in other.members}
        spare = [
            index for index, person in enumerate(people) if person.group == mixture.group and index not in used
        ]
        members = [int(index) for index in random.permutation(mixture.members)]
        for _ in range(int(random.integers(0, 3))):
            if spare:
                members[random.integers(len(members))] = spare.pop(int(random.integers(len(spare))))
        trial = Mixture(mixture.name, mixture.group, members)
        pair = render(people, trial)
        tried = np.array([measure.embedding(image) for image in pair])
        if row(tried, at).max() < rows[at].max() and tried[0] @ tried[1] > GENUINE_BOUND + 0.1:
            mixtures[at], pictures[at], vectors[at] = trial, pair, tried
            print(f"  {mixture.name}: {rows[at].max():.3f} -> {row(tried, at).max():.3f}", file=sys.stderr)
    return pictures


def jpeg(image: Image, quality: int) -> bytes:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    return data.tobytes()


def measured(files: dict[str, tuple[bytes, bytes]], measure: Measure) -> tuple[list[str], Points, Points]:
    """Names, the highest cosine of each pair of people over all four pictures, and each own pair's cosine."""
    names = sorted(files)
    decoded = [
        [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in files[name]] for name in names
    ]
    vectors = np.array([[measure.embedding(image) for image in pair] for pair in decoded])
    cross = np.einsum("ikd,jld->ijkl", vectors, vectors).max(axis=(2, 3))
    own = (vectors[:, 0] * vectors[:, 1]).sum(axis=1)
    return names, cross, own


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--london", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="the seed with the lowest pair is kept")
    options = parser.parse_args()
    measure = Measure(options.models)
    print("reading the contributors", file=sys.stderr)
    people = load_contributors(options.london, measure)
    best: tuple[float, int, list[Mixture], dict[str, tuple[bytes, bytes]]] | None = None
    for seed in options.seeds:
        mixtures = mix(people, seed)
        pictures = mend(people, mixtures, measure, seed)
        files = {
            mixture.name: (jpeg(pair[0], 90), jpeg(pair[1], 88))
            for mixture, pair in zip(mixtures, pictures, strict=True)
        }
        _, cross, own = measured(files, measure)
        worst = float(cross[np.triu_indices(len(cross), 1)].max())
        print(f"seed {seed}: highest impostor pair {worst:.3f}, lowest own pair {own.min():.3f}", file=sys.stderr)
        if own.min() > GENUINE_BOUND and (best is None or worst < best[0]):
            best = worst, seed, mixtures, files
    if best is None or best[0] >= IMPOSTOR_BOUND:
        print("no seed keeps the bounds", file=sys.stderr)
        return 1
    write(options.out, people, best[1], best[2], best[3], measure)
    return 0


def write(
    out: Path,
    people: list[Contributor],
    seed: int,
    mixtures: list[Mixture],
    files: dict[str, tuple[bytes, bytes]],
    measure: Measure,
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    landmarks = {}
    for name, (neutral, smile) in sorted(files.items()):
        (out / f"{name}-neutral.jpg").write_bytes(neutral)
        (out / f"{name}-smile.jpg").write_bytes(smile)
        face = measure.face(cv2.imdecode(np.frombuffer(smile, np.uint8), cv2.IMREAD_COLOR))
        landmarks[name] = {
            "box": [round(float(value), 1) for value in face[:4]],
            "points": [[round(float(value), 1) for value in pair] for pair in face[4:14].reshape(5, 2)],
        }
    (out / "landmarks.json").write_text(json.dumps(landmarks, indent=1) + "\n", encoding="utf-8")
    names, cross, own = measured(files, measure)
    contributors = {}
    for mixture in mixtures:
        vector = measure.embedding(cv2.imdecode(np.frombuffer(files[mixture.name][0], np.uint8), cv2.IMREAD_COLOR))
        contributors[mixture.name] = {
            people[index].number: round(float(people[index].embedding @ vector), 3) for index in mixture.members
        }
    upper = np.triu_indices(len(names), 1)
    table = {
        "measure": "SFace cosine; the highest over the four pictures of a pair of people",
        "seed": seed,
        "highest_impostor_pair": round(float(cross[upper].max()), 3),
        "lowest_own_pair": round(float(own.min()), 3),
        "own": {name: round(float(value), 3) for name, value in zip(names, own, strict=True)},
        "pairs": {
            f"{names[row]} {names[column]}": round(float(cross[row, column]), 3)
            for row, column in zip(*upper, strict=True)
        },
        "contributors": dict(sorted(contributors.items())),
    }
    (out / "similarities.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
