"""`corridor specimens build [--out DIR] [--only ID]` and `corridor specimens check DIR`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from pydantic import ValidationError

from hardware.specimens.build import build_specimens, default_directory
from hardware.specimens.story import load_story


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor specimens", description="The fictional travellers.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="make pages, chips, feeds and tags (a second run does nothing)")
    build.add_argument("--out", type=Path, default=default_directory(), help="default: %(default)s")
    build.add_argument("--only", action="append", default=[], metavar="ID", help="may be repeated")
    check = commands.add_parser("check", help="check specimen directories of any origin")
    check.add_argument("directory", type=Path, help="one specimen, or a directory of specimens")
    options = parser.parse_args(arguments)
    return _build(options.out, options.only) if options.command == "build" else _check(options.directory)


def _build(out: Path, only: list[str]) -> int:
    started = time.monotonic()

    def progress(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    try:
        built, fresh = build_specimens(out, only, progress)
    except (ValueError, FileNotFoundError) as error:
        sys.stderr.write(f"corridor specimens: {error}\n")
        return 1
    answer = {"built": len(built), "fresh": len(fresh), "seconds": round(time.monotonic() - started, 1)}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def _check(root: Path) -> int:
    """One line per specimen; exit status 1 when one is not well-formed or there is none."""
    directories = [root] if (root / "story.json").exists() else sorted(p.parent for p in root.glob("*/story.json"))
    if not directories:
        sys.stderr.write(f"corridor specimens: {root}: no specimen found (a directory with story.json)\n")
        return 1
    wrong = 0
    for directory in directories:
        try:
            story = load_story(directory)
        except (ValidationError, ValueError, OSError) as error:
            wrong += 1
            sys.stdout.write(f"{directory.name}: {error}\n")
        else:
            sys.stdout.write(f"{directory.name}: well-formed, {len(story.travellers)} traveller(s)\n")
    return 1 if wrong else 0
