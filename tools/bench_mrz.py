"""Corridor's reader of printed zones beside its peers, in one run: `make bench-mrz`.

MRZ_MANIFEST=FILE names the pictures (as `corridor evaluate mrz` takes them); without it, synthetic documents are
drawn whose templates and degradations the training never saw. FASTMRZ_PYTHON names the interpreter of an
environment with FastMRZ, which is measured in its own process (it is AGPL, and no part of the product).
Every engine is a fresh process. The markdown table is the end of stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kiosk.mrz.evaluate import Item, Row, load_manifest, summary
from kiosk.mrz.image import Picture, decode_image
from kiosk.mrz.ladder import RUNGS, climb

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("corridor", "passporteye", "tesseract")
# One thread for whoever multiplies matrices: the figure is processor time, and waiting threads spin.
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1", "PYTHONPATH": str(ROOT)}


def drawn(folder: Path, count: int, seed: int) -> Path:
    """Held-back synthetic documents, the same for the same seed."""
    say(f"drawing {count} documents")
    command = [sys.executable, "-m", "training.mrz_pages", "--out", str(folder), "--count", str(count)]
    subprocess.run([*command, "--seed", str(seed)], cwd=ROOT, env=ENVIRONMENT, check=True)
    return folder / "manifest.json"


def own_command(manifest: Path, engine: str, ladder: bool) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "corridor.py"), "evaluate", "mrz", str(manifest), "--engine", engine]
    done = subprocess.run(
        [*command, *(["--ladder"] if ladder else [])],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def fastmrz(manifest: Path, python: str, ladder: bool, folder: Path) -> dict[str, Any]:
    """FastMRZ's rows, counted as the others' are. The ladder is written to files, for it reads nothing else."""
    items = load_manifest(manifest)
    targets: list[tuple[Item, str | None, Path]] = [(item, None, item.path.resolve()) for item in items]
    if ladder:
        targets += list(_ladder_files(items, folder))
    listed = folder / "fastmrz.json"
    listed.write_text(json.dumps([{"image": str(path)} for _, _, path in targets]))
    done = subprocess.run(
        [python, str(ROOT / "tools" / "fastmrz_rows.py"), str(listed)],
        env={key: value for key, value in ENVIRONMENT.items() if key != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *told, last = map(json.loads, done.stdout.splitlines())
    rows = [
        Row(item, row["accepted"], tuple(row["lines"]), row["reason"], row["cpu_s"], row["wall_s"], rung)
        for (item, rung, _), row in zip(targets, told, strict=True)
    ]
    plain, rungs = [row for row in rows if row.rung is None], [row for row in rows if row.rung is not None]
    return {**summary(plain, rungs), **last}


def _ladder_files(items: Sequence[Item], folder: Path) -> list[tuple[Item, str, Path]]:
    files = []
    for number, item in enumerate(items):
        data = item.path.read_bytes() if item.truth and item.path.is_file() else b""
        picture = decode_image(data)
        if not isinstance(picture, Picture):
            continue
        for rung in RUNGS:
            path = folder / f"{number}-{rung}.{'jpg' if rung == 'jpeg_15' else 'png'}"
            path.write_bytes(climb(picture.frame, rung, data))
            files.append((item, rung, path))
    return files


def table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown: one row a reader, and one table of the rungs where the ladder was climbed."""
    first = next(iter(results.values()))
    lines = [
        f"{first['images']} pictures, {first['with_truth']} with their text known; {platform.machine()}.",
        "",
        "| reader | exact | accepted | accepted, wrong (95% interval) | read without a zone | CPU s median | p95 "
        "| wall s median | p95 | peak MB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        interval = result["valid_but_wrong_ci"]
        bounds = f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
        lines.append(
            f"| {name} | {result['exact']} | {result['accepted']} | {result['valid_but_wrong']}{bounds} "
            f"| {result['false_reads']} | {result['cpu_s_median']:.3f} | {result['cpu_s_p95']:.3f} "
            f"| {result['wall_s_median']:.3f} | {result['wall_s_p95']:.3f} | {result['peak_mb']:.0f} |"
        )
    lines += ["", *(f"- {name}: {result['engine_detail']}." for name, result in results.items())]
    if first["by_rung"]:
        lines += ["", "Exact, of pictures whose text is known (accepted and wrong):", ""]
        lines += [f"| rung (pictures, burnt out) | {' | '.join(results)} |", f"|---|{'---|' * len(results)}"]
        for rung, group in first["by_rung"].items():
            cells = [_rung(result["by_rung"].get(rung)) for result in results.values()]
            lines.append(f"| {rung} ({group['images']}, {group['burnt_out']}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def _rung(group: dict[str, int] | None) -> str:
    if group is None:
        return "–"
    return f"{group['exact']}" + (f" ({group['valid_but_wrong']})" if group["valid_but_wrong"] else "")


def say(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=(*ENGINES, "fastmrz"), help="only these (repeatable)")
    parser.add_argument("--ladder", action="store_true", help="the degradations too; hours for the slow readers")
    parser.add_argument("--count", type=int, default=200, help="synthetic documents, without MRZ_MANIFEST")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    options = parser.parse_args()
    python = os.environ.get("FASTMRZ_PYTHON")
    engines = options.engine or [*ENGINES, *(["fastmrz"] if python else [])]
    if "fastmrz" in engines and not python:
        parser.error("name an interpreter with FastMRZ in FASTMRZ_PYTHON")
    with tempfile.TemporaryDirectory(prefix="bench-mrz-") as folder:
        named = os.environ.get("MRZ_MANIFEST")
        manifest = Path(named) if named else drawn(Path(folder) / "pages", options.count, options.seed)
        results: dict[str, dict[str, Any]] = {}
        for engine in engines:
            say(f"measuring {engine}")
            if engine == "fastmrz":
                results[engine] = fastmrz(manifest, str(python), options.ladder, Path(folder))
            else:
                results[engine] = own_command(manifest, engine, options.ladder)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
