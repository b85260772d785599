"""Turn bytes of every file of a chip, one at a time, and tell which check caught each.

    python tools/alter_chip.py DIR [--trust FILE|DIR …] [--bytes 64] [--at MOMENT]

DIR is a directory of chip files (docs/chip.md), supplied or a specimen's. Every altered copy is read whole, in
process, with the keys of the directory. A byte is caught when a check that passed before does not pass.
The first 24 bytes, the last, and a sample of the others are turned: the same each time. Files that a reading
leaves in the chip are counted as not read. EF.COM is signed by nobody: of it only the list of groups can be
checked. Prints one JSON object on the last line; the exit status is 1 when a byte of a signed file went unseen.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from contracts.checks import Verdict
from documents.mrz import Mrz
from documents.reading import READABLE_GROUPS, ChipReading, read_chip
from documents.sod_evaluation import moment, named_files
from documents.trust import TrustStore
from documents.trust_sources import collect
from hardware.simulators.card import PassportCard, read_chip_files
from hardware.simulators.card_keys import read_keys

UNSIGNED = ("EF_COM.bin", "ef011E.bin")


class Line:
    def __init__(self, card: PassportCard) -> None:
        self._card = card

    def transmit(self, apdu: bytes) -> bytes:
        return self._card.process(apdu)


def read(directory: Path, source: Path, trust: TrustStore, now: datetime, optical: Mrz | None) -> ChipReading:
    """The chip of `directory`, opened with the key of the sound one: the printed zone is not altered."""
    files, _ = read_chip_files(source)
    line, key = Line(PassportCard.from_directory(directory)), read_keys(source, files).mrz
    return read_chip(line, key, trust, now, optical, wanted=READABLE_GROUPS)


def keep_key(source: Path, copy: Path) -> None:
    """A directory without keys opens with its own DG1, and has to do so when that is altered."""
    if not (copy / "keys.json").exists():
        files, _ = read_chip_files(source)
        key = read_keys(source, files).mrz
        mrz = {"number": key.number, "birth": key.birth, "expiry": key.expiry}
        (copy / "keys.json").write_text(json.dumps({"mrz": mrz}), encoding="utf-8")


def unpassed(reading: ChipReading) -> set[str]:
    return {f"{check.name} {check.verdict}" for check in reading.checks if check.verdict is not Verdict.PASSED}


def places(size: int, count: int) -> list[int]:
    """The beginning, the end, and as many between as `count` allows."""
    others = range(min(24, size), size)
    sample = random.Random(2026).sample(others, min(len(others), max(0, count - 25)))
    return sorted({*range(min(24, size)), size - 1, *sample})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--trust", type=Path, nargs="+", default=[])
    parser.add_argument("--bytes", type=int, default=64, help="of each file")
    parser.add_argument("--at", type=moment, default=None)
    options = parser.parse_args()
    now = options.at or datetime.now(UTC)
    trust = collect(named_files(options.trust), [], now).store
    plain = read(options.directory, options.directory, trust, now, None)
    sound = read(options.directory, options.directory, trust, now, plain.mrz)
    before = unpassed(sound)
    result: dict[str, Any] = {"sound": sorted(before), "files": {}}
    unseen = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "chip"
        shutil.copytree(options.directory, copy)
        keep_key(options.directory, copy)
        for path in sorted(copy.glob("*.bin")):
            content = path.read_bytes()
            caught: Counter[str] = Counter()
            missed: list[int] = []
            turned = places(len(content), options.bytes)
            for place in turned:
                path.write_bytes(content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :])
                found = unpassed(read(copy, options.directory, trust, now, plain.mrz)) - before
                caught.update(found)
                if not found:
                    missed.append(place)
            path.write_bytes(content)
            is_read = content in sound.groups.values() or "Card" in path.name
            unseen += len(missed) if is_read and path.name not in UNSIGNED else 0
            row = {"turned": len(turned), "unseen": missed, "caught_by": dict(caught)}
            result["files"][path.name] = row if is_read else {"not_read": True}
            print(f"{path.name}: {row if is_read else 'not read'}", file=sys.stderr)
    result["unseen"] = unseen
    print(json.dumps(result))
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
