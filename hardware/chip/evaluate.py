"""`corridor evaluate chip`: a directory of chip files, laid on the virtual reader and read back as a kiosk reads.

The directory (docs/specimens.md, "Chip files") is loaded into the simulated card with the private keys that it
holds; the reading goes through the PC/SC daemon and the worker process, and takes every group but fingerprints and
irises, which is more than a kiosk does. Prints `{"checks": {name: {"verdict", "reason"}}, "apdus", "bytes",
"seconds": {phase: …}, "groups": {name: sha256}}` as the last line of stdout; with several directories, `{"chips":
{name: the same}}`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contracts.checks import Verdict
from documents.access import CardAccessNumber
from documents.lds import GROUPS, parse_dg1
from documents.mrz import Mrz, MrzKey, parse_mrz
from documents.reading import READABLE_GROUPS, ChipReading, unread_chip
from documents.sod_evaluation import certificate_of, moment, named_files
from documents.trust import TrustStore
from documents.trust_sources import collect
from hardware.chip.worker import ChipWorker
from hardware.pcsc_daemon import PcscAccess, PcscDaemon
from hardware.ports import DeviceError
from hardware.simulators.card import FAULT_FORMS, RADIO_PROFILES, SimulatedReader, read_chip_files
from hardware.simulators.card_keys import read_keys

_JOINED = {88: 44, 72: 36, 90: 30}  # characters of a whole zone, and of its lines
_MADE_UP = MrzKey("000000000", "000101", "000101")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor evaluate chip", description=__doc__)
    parser.add_argument(
        "directories", type=Path, nargs="*", metavar="DIR", help="chip files, and keys where there are"
    )
    parser.add_argument("--profile", choices=RADIO_PROFILES, default="none", help="kbit/s on the air")
    parser.add_argument(
        "--mrz",
        metavar="LINES",
        nargs="+",
        default=[],
        help="the printed zone, its lines apart by a space, / or newline, or joined",
    )
    parser.add_argument("--can", help="the card access number, for PACE")
    parser.add_argument(
        "--trust",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="certificates, revocation lists, master lists, LDIF files, or directories of them",
    )
    parser.add_argument(
        "--root", type=Path, action="append", default=[], help="a master list counts only under it"
    )
    parser.add_argument("--fault", help=FAULT_FORMS)
    parser.add_argument("--at", type=moment, help="judge at this moment (ISO 8601) instead of now")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="one JSON row per chip")
    options = parser.parse_args(arguments)
    # The lines of a zone may be several words of the command line, and a directory may stand behind them.
    options.directories += [Path(word) for word in options.mrz if Path(word).is_dir()]
    options.mrz = [word for word in options.mrz if not Path(word).is_dir()]
    if not options.directories:
        parser.error("a directory of chip files is needed")
    try:
        return _evaluate(options)
    except (OSError, ValueError, KeyError, TypeError, DeviceError) as error:
        words = [f"corridor evaluate chip: {error}", getattr(error, "action", "")]
        sys.stderr.write("\n".join(word for word in words if word) + "\n")
        return 2


def _evaluate(options: argparse.Namespace) -> int:
    now = options.at or datetime.now(UTC)
    roots = [certificate_of(path) for path in options.root]
    trust = collect(named_files(options.trust), roots, now).store
    optical = _optical(" ".join(options.mrz), now) if options.mrz else None
    rows: dict[str, dict[str, Any]] = {}
    with (
        PcscDaemon() as access,
        SimulatedReader(access.vpcd_port) as reader,
        ChipWorker(access.environment) as worker,
    ):
        worker.start()
        for directory in options.directories:
            with _laid(directory, optical) as (laid, key):
                begin = time.monotonic()
                if laid is None:
                    reading = unread_chip(Verdict.NOT_PRESENT, "no_chip")
                else:
                    reader.insert(laid, options.fault, options.profile)
                    reading = _read(worker, access, key, trust, now, optical, options.can)
                    reader.remove()
            sys.stderr.write(f"{directory.name}: {reading.apdus} APDUs, {time.monotonic() - begin:.2f} s\n")
            rows[_name(directory, rows)] = _row(reading)
    if options.predictions is not None:
        lines = (json.dumps({"id": name, **row}) + "\n" for name, row in rows.items())
        options.predictions.write_text("".join(lines), encoding="utf-8")
    only = next(iter(rows.values()))
    sys.stdout.write(json.dumps(only if len(rows) == 1 else {"chips": rows}) + "\n")
    return 0


def _read(
    worker: ChipWorker,
    access: PcscAccess,
    key: MrzKey | None,
    trust: TrustStore,
    now: datetime,
    optical: Mrz | None,
    can: str | None,
) -> ChipReading:
    number = CardAccessNumber(can) if can else None
    return worker.read(access.reader_url, key, trust, now, optical, can=number, wanted=READABLE_GROUPS)


def _row(reading: ChipReading) -> dict[str, Any]:
    return {
        "checks": {
            check.name.value: {"verdict": check.verdict.value, "reason": check.reason} for check in reading.checks
        },
        "defects": {check.name.value: list(check.defects) for check in reading.checks if check.defects},
        "apdus": reading.apdus,
        "bytes": reading.transferred,
        "seconds": {phase: round(seconds, 4) for phase, seconds in reading.seconds.items()},
        "groups": {name: hashlib.sha256(content).hexdigest() for name, content in reading.groups.items()},
        "access_protocol": reading.access_protocol,
    }


def _optical(text: str, now: datetime) -> Mrz:
    """The printed zone of the command line; it may be one that gives no key. ValueError for what is no zone."""
    lines = [line for line in re.split(r"\\n|[\s/|,]+", text.strip()) if line]
    if len(lines) == 1 and (size := _JOINED.get(len(lines[0]))) is not None:
        lines = [lines[0][place : place + size] for place in range(0, len(lines[0]), size)]
    if any(len(line) not in _JOINED.values() for line in lines):
        raise ValueError("--mrz is no machine-readable zone")
    return parse_mrz(lines, now.date())


@contextmanager
def _laid(directory: Path, optical: Mrz | None) -> Iterator[tuple[Path | None, MrzKey | None]]:
    """The directory to lay on the reader, and the key to open it with; None for one without any chip file.

    A chip whose DG1 is gone or spoilt gives no key. It is copied, with the printed zone's key, or one made up, so
    that the other files can be judged.
    """
    try:
        files, _ = read_chip_files(directory)
    except ValueError as error:
        sys.stderr.write(f"{directory.name}: {error}\n")
        yield None, None
        return
    told = _told(directory)
    own = told.get("mrz") or _key_of_dg1(files)
    if own is not None:
        key = own if isinstance(own, MrzKey) else read_keys(directory, files).mrz
        yield directory, optical.key if optical is not None else key
        return
    key = optical.key if optical is not None and optical.key is not None else _MADE_UP
    sys.stderr.write(f"{directory.name}: gives no key; opened with that of the printed zone, or one made up\n")
    with TemporaryDirectory() as temporary:
        copy = Path(temporary) / "chip"
        shutil.copytree(directory, copy)
        told["mrz"] = {"number": key.number, "birth": key.birth, "expiry": key.expiry}
        (copy / "keys.json").write_text(json.dumps(told), encoding="utf-8")
        yield copy, key


def _told(directory: Path) -> dict[str, Any]:
    """What keys.json says, nothing without one. ValueError for one that says nothing."""
    path = directory / "keys.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if not isinstance(told, dict):
        raise ValueError(f"{path}: not an object")
    return told


def _key_of_dg1(files: dict[int, bytes]) -> MrzKey | None:
    try:
        return parse_dg1(files[GROUPS[1].identifier], datetime.now(UTC).date()).key
    except (KeyError, ValueError):
        return None


def _name(directory: Path, taken: dict[str, dict[str, Any]]) -> str:
    name = directory.resolve().name
    return name if name not in taken else str(directory)
