"""`corridor evaluate pad`: films of faces, each judged to be a living face or an attack.

CLIPS.csv has the columns `path` (relative to the table) and perhaps `label` (live, attack), `type` (of attack) and
`group` (of the living person). A clip is an MJPEG file, any film that OpenCV reads, or a folder of frames. Without
labels it only predicts.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from contracts.fairness import clopper_pearson, differences
from kiosk.faces.detect import FaceDetector
from kiosk.faces.pad.film import Judged, UnreadableFilm, judge_film, read_film
from kiosk.faces.pad.network import RecaptureNetwork
from kiosk.faces.pad.weights import WeightsError

Row = dict[str, Any]


class TableError(ValueError):
    """A table that cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Clip:
    """One line of the table. `label` is live, attack or nothing."""

    name: str
    path: Path
    label: str
    kind: str
    group: str = ""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="corridor evaluate pad", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, metavar="CLIPS.csv")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="one JSON row per clip")
    parser.add_argument("--models", type=Path, help="where the face detector is (default: of the environment)")
    options = parser.parse_args(arguments)
    try:
        clips = load_table(options.clips)
        models = options.models or Path(sys.prefix) / "share" / "corridor" / "models"
        result, rows = evaluate(clips, models, _say)
        if options.predictions is not None:
            _write(options.predictions, rows)
    except (TableError, WeightsError, OSError) as error:
        sys.stderr.write(f"corridor evaluate pad: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("corridor evaluate pad: stopped\n")
        return 130
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def load_table(path: Path) -> list[Clip]:
    """The clips of a table. Raises TableError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            lines = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: {error}") from None
    clips = []
    for number, line in enumerate(lines, 2):
        name = (line.get("path") or "").strip()
        if not name:
            raise TableError(f"{path}, line {number}: no path")
        label = (line.get("label") or "").strip().lower()
        if label in ("bona_fide", "bonafide", "bona fide", "genuine"):
            label = "live"
        elif label in ("spoof", "fake"):
            label = "attack"
        if label not in ("", "live", "attack"):
            raise TableError(f"{path}, line {number}: label is live or attack")
        kind, group = ((line.get(column) or "").strip() for column in ("type", "group"))
        clips.append(Clip(name, path.parent / name, label, kind or "attack", group))
    return clips


def evaluate(
    clips: Sequence[Clip], models: Path, say: Callable[[str], None] = lambda line: None
) -> tuple[Row, list[Row]]:
    """Judge every clip; the figures as JSON-ready values, and the rows. Raises WeightsError, OSError."""
    detector_file = models / "face_detection_yunet_2023mar.onnx"
    if not detector_file.exists():
        raise WeightsError(f"{detector_file} is missing; run `make setup`")
    detector, network = FaceDetector(models), RecaptureNetwork()
    rows = []
    for number, clip in enumerate(clips, 1):
        begun = time.monotonic()
        try:
            judged = judge_film(list(read_film(clip.path)), detector.find, network)
        except UnreadableFilm as error:
            judged = Judged("attack", 1.0, str(error))
        rows.append(
            {
                "path": clip.name,
                "decision": judged.decision,
                "score": round(judged.score, 6),
                "reason": judged.reason,
                "seconds": round(time.monotonic() - begun, 3),
            }
        )
        say(f"{number} of {len(clips)} clips")
    return summary(clips, rows), rows


def summary(clips: Sequence[Clip], rows: Sequence[Row]) -> Row:
    """APCER by type and BPCER (ISO/IEC 30107-3 §13), as shares, with what they were counted from.

    A clip in which no face is found, or that cannot be read, is taken for an attack: it is never let through.
    """
    passed: dict[str, list[bool]] = {}
    refused: list[bool] = []
    groups: dict[str, list[bool]] = {}
    for clip, row in zip(clips, rows, strict=True):
        if clip.label == "attack":
            passed.setdefault(clip.kind, []).append(row["decision"] == "live")
        elif clip.label == "live":
            refused.append(row["decision"] != "live")
            if clip.group:
                groups.setdefault(clip.group, []).append(refused[-1])
    return {
        "clips": len(clips),
        "apcer": {kind: _share(values) for kind, values in sorted(passed.items())},
        "bpcer": _share(refused),
        "per_clip": [{name: row[name] for name in ("path", "decision", "score")} for row in rows],
        "apcer_ci": {kind: clopper_pearson(sum(each), len(each)) for kind, each in sorted(passed.items())},
        "bpcer_ci": clopper_pearson(sum(refused), len(refused)),
        "attacks": {kind: len(values) for kind, values in sorted(passed.items())},
        "live": len(refused),
        "by_group": _by_group(groups),
        "taken_for_live": sum(row["decision"] == "live" for row in rows),
        "seconds_per_clip_median": round(median(row["seconds"] for row in rows), 3) if rows else None,
    }


def _by_group(groups: dict[str, list[bool]]) -> Row:
    """How often the living of each group were refused, and whether that is more than all together."""
    shown = differences({group: (sum(each), len(each)) for group, each in groups.items()})
    return {
        group: {
            "live": len(each),
            "bpcer": _share(each),
            "bpcer_ci": clopper_pearson(sum(each), len(each)),
            "difference": shown[group].value,
        }
        for group, each in sorted(groups.items())
    }


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _write(path: Path, rows: Iterable[Row]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
