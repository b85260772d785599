"""`corridor evaluate mrz`: what a reader makes of pictures of travel documents, and what that costs.

The manifest is a JSON list of objects with `image` (a path relative to the manifest) and, where they are known,
`mrz` (the lines as printed), `format`, and `negative` (true: no zone is in the picture). Progress goes to stderr;
the last line of stdout is one JSON object. Predictions hold what is printed on the documents: they are written for
their owner's eyes only, and nothing of them is shown.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from contracts.fairness import clopper_pearson as clopper_pearson
from kiosk.mrz.engines import ENGINES, Engine, EngineUnavailable, Reading
from kiosk.mrz.image import MAX_BYTES, Picture, decode_image

NO_TRUTH = "unknown"
NO_ZONE = "none"
UNTOLD = "?"  # in a printed line: a character outside the alphabet, or one that cannot be told from the picture
_FORMATS = {"MRVA": "MRV-A", "MRVB": "MRV-B"}
_SHAPES = {(3, 30): "TD1", (2, 36): "TD2", (2, 44): "TD3"}


class ManifestError(Exception):
    """The manifest cannot be used; the message says where, what, and what to do."""


@dataclass(frozen=True, repr=False)
class Item:
    """One picture. `truth` is () where nobody says what is printed; `negative`: no zone is in it."""

    image: str
    path: Path
    truth: tuple[str, ...] = ()
    format: str = NO_TRUTH
    negative: bool = False


@dataclass(frozen=True, repr=False)
class Row:
    """One picture as read, at one rung of the ladder (None: as it came)."""

    item: Item
    accepted: bool
    lines: tuple[str, ...]
    reason: str
    cpu_s: float
    wall_s: float
    rung: str | None = None
    second: str | None = None
    second_cpu_s: float = 0.0
    burnt_out: bool = False  # `kiosk.mrz.ladder.burns_out`

    @property
    def exact(self) -> bool:
        """Every character of every line."""
        return bool(self.item.truth) and self.lines == self.item.truth

    @property
    def wrong(self) -> bool:
        """Contradicts what is printed. Where nobody can tell a character, no reading of it is exact or wrong."""
        if len(self.lines) != len(self.item.truth):
            return bool(self.item.truth)
        return any(
            len(read) != len(printed) or any(c not in (UNTOLD, a) for a, c in zip(read, printed, strict=True))
            for read, printed in zip(self.lines, self.item.truth, strict=True)
        )

    def prediction(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "image": self.item.image,
            "accepted": self.accepted,
            "lines": list(self.lines),
            "reason": self.reason,
            "cpu_s": round(self.cpu_s, 4),
        }
        if self.rung is not None:
            row["rung"] = self.rung
        if self.second is not None:
            row["second_reader"] = self.second
        return row


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="corridor evaluate mrz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path, metavar="MANIFEST.json")
    parser.add_argument("--engine", choices=tuple(ENGINES), default="corridor")
    parser.add_argument("--ladder", action="store_true", help="also every readable picture at every degradation")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="one JSON row per picture and rung")
    options = parser.parse_args(arguments)
    try:
        items = load_manifest(options.manifest)
        with _predictions(options.predictions) as write:
            result = evaluate(items, options.engine, ladder=options.ladder, write=write, say=_say)
    except (ManifestError, EngineUnavailable) as error:
        sys.stderr.write(f"corridor evaluate mrz: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("corridor evaluate mrz: stopped\n")
        return 130
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def evaluate(
    items: Sequence[Item],
    engine_name: str,
    *,
    ladder: bool = False,
    write: Callable[[Row], None] = lambda row: None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Read every picture, then every readable one at every rung; the figures as JSON-ready values.

    Raises EngineUnavailable. `write` gets each row as soon as it is known, `say` a line of progress.
    """
    say(f"starting {engine_name}")
    engine = ENGINES[engine_name](datetime.now(UTC).date())
    try:
        rows = []
        for number, item in enumerate(items, 1):
            rows.append(measured(engine, item, _bytes(item.path)))
            write(rows[-1])
            say(f"{number} of {len(items)} pictures")
        memory = _memory_mb()
        rungs = list(_climbed(engine, items, write, say)) if ladder else []
        return {
            **summary(rows, rungs),
            "peak_mb": memory["peak_mb"],
            "engine": engine_name,
            "engine_detail": engine.detail,
            **{key: value for key, value in memory.items() if key != "peak_mb"},
        }
    finally:
        engine.close()


def _climbed(
    engine: Engine, items: Sequence[Item], write: Callable[[Row], None], say: Callable[[str], None]
) -> Iterator[Row]:
    from kiosk.mrz.ladder import BURNING, RUNGS, burns_out, climb
    from kiosk.mrz.read import MrzReader

    readable = [item for item in items if item.truth]
    reader = MrzReader()  # says where the zone is, whichever engine is measured
    for rung in RUNGS:
        say(f"ladder: {rung}, {len(readable)} pictures")
        for item in readable:
            data = _bytes(item.path)
            picture = decode_image(data) if isinstance(data, bytes) else None
            if not isinstance(picture, Picture):
                continue  # its row without degradation tells why
            assert isinstance(data, bytes)
            row = measured(engine, item, climb(picture.frame, rung, data), rung)
            places = reader.look(picture.frame).corners if rung in BURNING else ()
            if len(places) == len(item.truth):
                row = replace(row, burnt_out=burns_out(picture.frame, rung, data, places, item.truth))
            write(row)
            yield row


def measured(engine: Engine, item: Item, data: bytes | str, rung: str | None = None) -> Row:
    """One reading with its cost, decoding included; the second reader's cost apart. `data` str: a reason.

    On the ladder the second reader is not asked: it changes no count, and takes a second each time.
    """
    if isinstance(data, str):
        return Row(item, False, (), data, 0.0, 0.0, rung)
    cpu, wall = cpu_seconds(), time.perf_counter()
    try:
        reading = engine.read(data)
    except Exception:  # one picture does not end the measurement; the reason makes the bug visible
        reading = Reading(False, (), "engine_error")
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    before = cpu_seconds()
    second = engine.second_look(reading) if rung is None else None
    answer, second_cpu = (None, 0.0) if second is None else (second.answer, cpu_seconds() - before)
    return Row(item, reading.accepted, reading.lines, reading.reason, cpu, wall, rung, answer, second_cpu)


def summary(rows: Sequence[Row], rungs: Sequence[Row] = ()) -> dict[str, Any]:
    """The figures of a run. Those that need a truth are None where no picture has one."""
    known = [row for row in rows if row.item.truth]
    believed = [row for row in known if row.accepted and (row.exact or row.wrong)]
    wrong = sum(row.wrong for row in believed)
    second = [row.second_cpu_s for row in rows if row.second is not None]
    return {
        "images": len(rows),
        "accepted": sum(row.accepted for row in rows),
        "exact": sum(row.exact for row in known) if known else None,
        "valid_but_wrong": wrong if known else None,
        "valid_but_wrong_ci": clopper_pearson(wrong, len(believed)),
        "false_reads": sum(row.accepted for row in rows if row.item.negative),
        "cpu_s_median": _percentile([row.cpu_s for row in rows], 0.5),
        "cpu_s_p95": _percentile([row.cpu_s for row in rows], 0.95),
        "wall_s_median": _percentile([row.wall_s for row in rows], 0.5),
        "wall_s_p95": _percentile([row.wall_s for row in rows], 0.95),
        "peak_mb": None,
        "by_format": _grouped(rows, lambda row: row.item.format),
        "by_rung": _grouped(rungs, lambda row: row.rung or "", ladder=True),
        "with_truth": len(known),
        "accepted_exact": sum(row.exact for row in believed) if known else None,
        "reasons": dict(Counter(row.reason for row in rows).most_common()),
        "second_reader_calls": len(second),
        "second_reader_answers": dict(Counter(row.second for row in rows if row.second is not None)),
        "second_reader_cpu_s_median": _percentile(second, 0.5),
        "second_reader_cpu_s_p95": _percentile(second, 0.95),
    }


def _grouped(rows: Iterable[Row], key: Callable[[Row], str], *, ladder: bool = False) -> dict[str, dict[str, int]]:
    groups: dict[str, dict[str, int]] = {}
    for row in rows:
        group = groups.setdefault(key(row), {"images": 0, "accepted": 0, "exact": 0})
        group["images"] += 1
        group["accepted"] += row.accepted
        group["exact"] += row.exact
        if ladder:
            group["valid_but_wrong"] = group.get("valid_but_wrong", 0) + (row.accepted and row.wrong)
            group["burnt_out"] = group.get("burnt_out", 0) + row.burnt_out
            group["burnt_out_exact"] = group.get("burnt_out_exact", 0) + (row.burnt_out and row.exact)
    return groups


def _percentile(values: Sequence[float], share: float) -> float | None:
    """Linear between the two nearest; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (place - below), 4)


# The manifest


def load_manifest(path: Path) -> list[Item]:
    """The manifest's pictures in its order. Raises ManifestError."""
    try:
        entries = json.loads(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path} cannot be read ({error.strerror}); name a manifest that exists") from None
    except ValueError as error:
        raise ManifestError(f"{path} is not JSON ({error}); it must be a list of objects") from None
    if not isinstance(entries, list):
        raise ManifestError(f'{path} must be a list of objects such as {{"image": "a.jpg", "mrz": null}}')
    if not entries:
        raise ManifestError(f"{path} names no picture; add one object for each")
    return [_item(entry, number, path) for number, entry in enumerate(entries, 1)]


def _item(entry: object, number: int, manifest: Path) -> Item:
    where = f"{manifest}, entry {number}"
    if not isinstance(entry, dict):
        raise ManifestError(f"{where} is not an object; write at least the key image")
    image, lines, kind, negative = (entry.get(key) for key in ("image", "mrz", "format", "negative"))
    if not isinstance(image, str) or not image:
        raise ManifestError(f"{where} has no image; write its path, relative to the manifest")
    if lines is not None and not (
        isinstance(lines, list) and all(isinstance(line, str) and line for line in lines)
    ):
        raise ManifestError(f"{where} ({image}): mrz must be a list of the printed lines, or null if unknown")
    if kind is not None and not isinstance(kind, str):
        raise ManifestError(f"{where} ({image}): format must be a name such as TD3, or null")
    if negative not in (None, True, False):
        raise ManifestError(f"{where} ({image}): negative must be true or false")
    if negative and lines:
        raise ManifestError(f"{where} ({image}): a picture without zone has no mrz; remove one of the two")
    truth = tuple(line.strip() for line in lines or ())
    name = _FORMATS.get(kind, kind) if kind else _format(truth)
    return Item(image, manifest.parent / image, truth, NO_ZONE if negative else name, bool(negative))


def _format(truth: tuple[str, ...]) -> str:
    if not truth:
        return NO_TRUTH
    name = _SHAPES.get((len(truth), len(truth[0])), NO_TRUTH)
    visas = {"TD2": "MRV-B", "TD3": "MRV-A"}
    return visas.get(name, name) if truth[0].startswith("V") else name


def _bytes(path: Path) -> bytes | str:
    """A picture's file, or the reason why there is none."""
    try:
        if not path.is_file():  # a device or a pipe may have no end
            return "no_such_file"
        if path.stat().st_size > MAX_BYTES:
            return "too_large_file"
        return path.read_bytes()
    except (OSError, ValueError):  # ValueError: a path with a null byte
        return "no_such_file"


# Output and cost


class _predictions:
    """A file of JSON rows that only its owner may read; without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Callable[[Row], None]:
        if self._path is not None:
            try:
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            except OSError as error:
                raise ManifestError(
                    f"{self._path} cannot be written ({error.strerror}); name another file for the predictions"
                ) from None
            self._file = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")  # a run may be stopped
        return self._write

    def _write(self, row: Row) -> None:
        if self._file is not None:
            self._file.write(json.dumps(row.prediction()) + "\n")

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()


def _say(line: str) -> None:
    sys.stderr.write(f"mrz: {line}\n")
    sys.stderr.flush()


def cpu_seconds() -> float:
    """Processor time of this process and its children, those that still run included."""
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used + sum(_process_cpu_s(child.pid) for child in multiprocessing.active_children())


def _process_cpu_s(pid: int | None) -> float:
    """Processor time of a running process and of its finished children (proc(5): utime to cstime)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _memory_mb() -> dict[str, float]:
    """Peak resident memory: of this process or its largest finished child, and of the second reader's process."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figures = {"peak_mb": round(max(_high_water_mb("self"), children), 1)}
    running = [_high_water_mb(str(child.pid)) for child in multiprocessing.active_children()]
    if running:
        figures["second_reader_peak_mb"] = round(max(running), 1)
    return figures


def _high_water_mb(process: str) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
