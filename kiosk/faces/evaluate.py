"""`corridor evaluate faces`: error rates of face comparison on pictures of your own.

IMAGES.csv has the columns path (relative to the file) and, where they are known, identity and group. PAIRS.csv
has left, right (as in IMAGES.csv) and perhaps same (1 or 0). Without pairs every two pictures are compared: one
identity is genuine, two are impostor. Where truth is missing the pairs are compared and counted only. Progress
goes to stderr, and at its end what can be said of each group; the last line of stdout is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np
import numpy.typing as npt

from contracts.fairness import clopper_pearson, differences
from contracts.party import FaceDecision
from hardware.ports import Frame
from kiosk.faces import rates
from kiosk.faces.engines import ENGINES, Engine
from kiosk.faces.picture import read_picture
from kiosk.faces.weights import WeightsError

# 32 bits: every two of LFW's 13,233 pictures are 88 million pairs.
Indices = npt.NDArray[np.int32]
Stage = Literal["pictures", "pairs"]
Progress = Callable[[Stage, int, int], None]

UNKNOWN, GENUINE, IMPOSTOR = -1, 1, 0
RATES = ("failure_to_detect", "fnmr", "fmr")
_BLOCK = 20_000  # pairs compared at a time: their vectors fit into a cache
_TELL_EVERY = 100  # pictures
_SAID = {"1": GENUINE, "true": GENUINE, "yes": GENUINE, "0": IMPOSTOR, "false": IMPOSTOR, "no": IMPOSTOR}


class InputError(Exception):
    """The input cannot be used; the message says where, what, and what to do."""


@dataclass(frozen=True, repr=False)
class Item:
    """One picture; `identity` and `group` are "" where nobody says."""

    name: str  # as in the file
    path: Path
    identity: str = ""
    group: str = ""


@dataclass(frozen=True)
class Pairs:
    """Indices into the pictures, and for each pair GENUINE, IMPOSTOR or UNKNOWN."""

    left: Indices
    right: Indices
    same: npt.NDArray[np.int8]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="corridor evaluate faces", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, metavar="IMAGES.csv")
    parser.add_argument("--pairs", type=Path, metavar="PAIRS.csv")
    parser.add_argument("--engine", choices=tuple(ENGINES), default="fused")
    parser.add_argument("--threshold", type=float, help="another score than the engine's operating point")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="one JSON row per pair")
    parser.add_argument(
        "--models", type=Path, default=Path(sys.prefix) / "share/corridor/models", help="directory of the weights"
    )
    options = parser.parse_args(arguments)
    try:
        items = load_images(options.images)
        pairs = load_pairs(options.pairs, items) if options.pairs else all_pairs(items)
        with _predictions(options.predictions) as file:
            engine = ENGINES[options.engine](options.models)
            result = evaluate(
                items, pairs, engine, threshold=options.threshold, rows=file, say=_say, progress=_Told()
            )
    except (InputError, WeightsError) as error:
        sys.stderr.write(f"corridor evaluate faces: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("corridor evaluate faces: stopped\n")
        return 130
    for line in fairness_in_words(result):
        _say(line)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(json.dumps(result | {"peak_mb": peak_mb}) + "\n")
    return 0


def evaluate(
    items: Sequence[Item],
    pairs: Pairs,
    engine: Engine,
    *,
    threshold: float | None = None,
    rows: TextIO | None = None,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda stage, done, total: None,
    look: Callable[[Item], Frame | None] = lambda item: read_picture(item.path),
) -> dict[str, Any]:
    """Compare every pair; the figures as JSON-ready values. `threshold` None: the engine's own.

    `look` fetches one picture when it is its turn; none is held beyond it. `progress` may raise to stop.
    """
    begun = time.monotonic()
    needed = np.unique(np.concatenate([pairs.left, pairs.right]))
    if not needed.size:
        needed = np.arange(len(items), dtype=np.int32)
    found, seconds = _embed(items, needed.tolist(), engine, look, say, progress)
    decided_at = engine.policy.match if threshold is None else threshold
    scores = np.full(pairs.left.size, -np.inf)
    for start in range(0, scores.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        both = found[pairs.left[part]] & found[pairs.right[part]]
        left, right = pairs.left[part][both], pairs.right[part][both]
        scores[part][both] = engine.compare(left.astype(np.intp), right.astype(np.intp))
        progress("pairs", min(start + _BLOCK, scores.size), scores.size)
    if rows is not None:
        for row in _rows(items, pairs, scores, engine, decided_at):
            rows.write(json.dumps(row) + "\n")
    return {
        **_summary(items, pairs, scores, found, needed, decided_at),
        "ms_per_image_median": round(1000 * float(np.median(seconds)), 1) if seconds else None,
        "engine": engine.name,
        "seconds": round(time.monotonic() - begun, 1),
    }


def _embed(
    items: Sequence[Item],
    needed: Sequence[int],
    engine: Engine,
    look: Callable[[Item], Frame | None],
    say: Callable[[str], None],
    progress: Progress,
) -> tuple[npt.NDArray[np.bool_], list[float]]:
    """Which pictures have a face, and the processor time for finding and embedding each of them."""
    found = np.zeros(len(items), dtype=np.bool_)
    seconds: list[float] = []
    engine.expect(len(items))
    for number, index in enumerate(needed, 1):
        image = look(items[index])
        if image is not None:
            begun = time.process_time()
            try:
                found[index] = engine.embed(index, image)
            except Exception as error:  # one picture does not end the measurement; the line makes the bug visible
                say(f"{items[index].name}: the engine failed ({type(error).__name__})")
            seconds.append(time.process_time() - begun)
        progress("pictures", number, len(needed))
    return found, seconds


def _rows(
    items: Sequence[Item], pairs: Pairs, scores: rates.Scores, engine: Engine, threshold: float
) -> Iterator[dict[str, Any]]:
    for left, right, score in zip(pairs.left.tolist(), pairs.right.tolist(), scores.tolist(), strict=True):
        captured = score > -np.inf
        decision = engine.policy.decide(score, threshold) if captured else FaceDecision.NOT_CAPTURED
        yield {
            "left": items[left].name,
            "right": items[right].name,
            "score": round(score, 6) if captured else None,
            "decision": decision.value,
        }


def _summary(
    items: Sequence[Item],
    pairs: Pairs,
    scores: rates.Scores,
    found: npt.NDArray[np.bool_],
    needed: Indices,
    threshold: float,
) -> dict[str, Any]:
    genuine, impostor = scores[pairs.same == GENUINE], scores[pairs.same == IMPOSTOR]
    accepted = {
        name: rates.true_accept_rate(genuine, impostor, rate) for name, rate in rates.FALSE_MATCH_RATES.items()
    }
    _, fmr, fmr_ci = rates.false_match_rate(impostor, threshold)
    _, fnmr, fnmr_ci = rates.false_non_match_rate(genuine, threshold)
    return {
        "images": int(needed.size),
        "failure_to_detect": int(np.count_nonzero(~found[needed])),
        "pairs": int(scores.size),
        "genuine": int(genuine.size),
        "impostor": int(impostor.size),
        "eer": rates.equal_error_rate(genuine, impostor),
        "tar_at_fmr": {name: value for name, (value, _) in accepted.items()},
        "tar_ci": {name: interval for name, (_, interval) in accepted.items()},
        "threshold": round(threshold, 6),
        "fmr": fmr,
        "fmr_ci": fmr_ci,
        "fnmr": fnmr,
        "fnmr_ci": fnmr_ci,
        "by_group": by_group(items, pairs, scores, found, needed, threshold),
        "det": rates.det_curve(genuine, impostor),
    }


def by_group(
    items: Sequence[Item],
    pairs: Pairs,
    scores: rates.Scores,
    found: npt.NDArray[np.bool_],
    needed: Indices,
    threshold: float,
) -> dict[str, Any]:
    """Rates of each group: of its pictures, and of pairs within it. `differences` says what can be said of them.

    Pairs across groups are impostors that a border meets too, but they say nothing of one group; they are counted
    in the overall figures only.
    """
    names = sorted({items[index].group for index in needed} - {""})
    number = {name: place for place, name in enumerate(names)}
    of = np.array([number.get(item.group, -1) for item in items], dtype=np.int32)
    within = of[pairs.left]
    within[within != of[pairs.right]] = -1
    counts: dict[str, dict[str, tuple[int, int]]] = {rate: {} for rate in RATES}
    for name in names:
        own = needed[of[needed] == number[name]]
        genuine = scores[(within == number[name]) & (pairs.same == GENUINE)]
        impostor = scores[(within == number[name]) & (pairs.same == IMPOSTOR)]
        counts["failure_to_detect"][name] = int(np.count_nonzero(~found[own])), int(own.size)
        counts["fnmr"][name] = rates.false_non_match_rate(genuine, threshold)[0], int(genuine.size)
        counts["fmr"][name] = rates.false_match_rate(impostor, threshold)[0], int(impostor.size)
    differ = {rate: differences(groups) for rate, groups in counts.items()}
    return {
        name: {
            "images": counts["failure_to_detect"][name][1],
            "failure_to_detect": counts["failure_to_detect"][name][0],
            "failure_to_detect_ci": clopper_pearson(*counts["failure_to_detect"][name]),
            "genuine": counts["fnmr"][name][1],
            "fnmr": rates.share(*counts["fnmr"][name]),
            "fnmr_ci": clopper_pearson(*counts["fnmr"][name]),
            "impostor": counts["fmr"][name][1],
            "fmr": rates.share(*counts["fmr"][name]),
            "fmr_ci": clopper_pearson(*counts["fmr"][name]),
            "differences": {rate: verdicts[name].value for rate, verdicts in differ.items()},
        }
        for name in names
    }


def fairness_in_words(result: dict[str, Any]) -> Iterator[str]:
    """One line for each group: its rates with their intervals, and whether each differs from that of all."""
    for name, group in result["by_group"].items():
        failed = rates.share(group["failure_to_detect"], group["images"])
        told = {"failure_to_detect": failed, "fnmr": group["fnmr"], "fmr": group["fmr"]}
        yield f"group {name}: " + "; ".join(
            f"{rate.replace('_', ' ')} {_percent(told[rate], group[f'{rate}_ci'])}, difference "
            f"{group['differences'][rate].replace('_', ' ')}"
            for rate in RATES
        )


def _percent(value: float | None, interval: list[float] | None) -> str:
    if value is None or interval is None:
        return "of none"
    return f"{100 * value:.3g} % ({100 * interval[0]:.3g} to {100 * interval[1]:.3g})"


# Input


def load_images(path: Path) -> list[Item]:
    """The pictures of IMAGES.csv in its order. Raises InputError."""
    items, seen = [], set()
    for line, row in _table(path, ("path",)):
        name = row["path"]
        if not name:
            raise InputError(f"{path}, line {line}: no path; write one, relative to this file")
        if name in seen:
            raise InputError(f"{path}, line {line}: {name} stands here twice; remove one of the two")
        seen.add(name)
        items.append(Item(name, path.parent / name, row.get("identity", ""), row.get("group", "")))
    if not items:
        raise InputError(f"{path} names no picture; add a line for each")
    return items


def load_pairs(path: Path, items: Sequence[Item]) -> Pairs:
    """The pairs of PAIRS.csv. Who is the same is said there, or by the identities. Raises InputError."""
    place = {item.name: index for index, item in enumerate(items)}
    left, right, same = [], [], []
    for line, row in _table(path, ("left", "right")):
        for side in ("left", "right"):
            if row[side] not in place:
                raise InputError(
                    f"{path}, line {line}: {row[side]!r} is not in the list of pictures; add it there"
                )
        one, other = place[row["left"]], place[row["right"]]
        said = row.get("same", "").lower()
        if said and said not in _SAID:
            raise InputError(f"{path}, line {line}: same is {said!r}; write 1, 0 or nothing")
        left.append(one)
        right.append(other)
        same.append(_SAID[said] if said else _kin(items[one], items[other]))
    if not left:
        raise InputError(f"{path} names no pair; add a line for each")
    return Pairs(np.array(left, dtype=np.int32), np.array(right, dtype=np.int32), np.array(same, dtype=np.int8))


def all_pairs(items: Sequence[Item]) -> Pairs:
    """Every two pictures; genuine or impostor where both identities are known."""
    numbers = {name: place for place, name in enumerate(sorted({item.identity for item in items} - {""}))}
    who = np.array([numbers.get(item.identity, -1) for item in items], dtype=np.int32)
    after = np.arange(len(items) - 1, -1, -1, dtype=np.int32)  # how many stand behind each
    left = np.repeat(np.arange(len(items), dtype=np.int32), after)
    right = np.concatenate([np.arange(one + 1, len(items), dtype=np.int32) for one in range(len(items))])
    same = np.where(who[left] == who[right], np.int8(GENUINE), np.int8(IMPOSTOR))
    same[(who[left] < 0) | (who[right] < 0)] = UNKNOWN
    return Pairs(left, right, same)


def _kin(one: Item, other: Item) -> int:
    if not one.identity or not other.identity:
        return UNKNOWN
    return GENUINE if one.identity == other.identity else IMPOSTOR


def _table(path: Path, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers. Raises InputError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            missing = [name for name in required if name not in names]
            if missing:
                raise InputError(f"{path} has no column {missing[0]!r}; its first line must name the columns")
            reader.fieldnames = names
            for row in reader:
                values = {key: value.strip() for key, value in row.items() if key and isinstance(value, str)}
                if any(values.values()):
                    yield reader.line_num, values
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); name a file that exists") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8 ({error})") from None


class _predictions:
    """A file that only its owner may read; without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> TextIO | None:
        if self._path is not None:
            try:
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            except OSError as error:
                raise InputError(
                    f"{self._path} cannot be written ({error.strerror}); name another file for the predictions"
                ) from None
            self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        return self._file

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()


class _Told:
    """Tells how far a measurement is, not more than is read."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        every = _TELL_EVERY if stage == "pictures" else 100 * _BLOCK
        if done % every == 0 or done == total:
            _say(f"{done} of {total} {stage}, {time.monotonic() - self._begun:.0f} s")


def _say(line: str) -> None:
    sys.stderr.write(f"faces: {line}\n")
    sys.stderr.flush()
