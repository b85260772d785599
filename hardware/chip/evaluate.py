"""`corridor evaluate chip`: a directory of chip files, laid on the virtual reader and read back as a kiosk reads.

The directory (docs/specimens.md, "Chip files") is loaded into the simulated card with the private keys that it
holds; the reading goes through the PC/SC daemon and the worker process. Prints `{"checks": {name: {"verdict",
"reason"}}, "apdus", "bytes", "seconds": {phase: …}, "groups": {name: sha256}}` as the last line of stdout; with
several directories, `{"chips": {name: the same}}`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from documents.access import CardAccessNumber
from documents.mrz import Mrz, MrzKey, parse_mrz
from documents.reading import ChipReading
from documents.sod_evaluation import certificate_of, moment, named_files
from documents.trust import TrustStore
from documents.trust_sources import collect
from hardware.chip.worker import ChipWorker
from hardware.pcsc_daemon import PcscAccess, PcscDaemon
from hardware.ports import DeviceError
from hardware.simulators.card import FAULT_FORMS, RADIO_PROFILES, SimulatedReader, read_chip_files
from hardware.simulators.card_keys import read_keys


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor evaluate chip", description=__doc__)
    parser.add_argument(
        "directories", type=Path, nargs="+", metavar="DIR", help="chip files, and keys where there are"
    )
    parser.add_argument("--profile", choices=RADIO_PROFILES, default="none", help="kbit/s on the air")
    parser.add_argument(
        "--mrz", metavar="LINES", help="the printed zone, its lines apart by a space, / or newline"
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
    try:
        return _evaluate(options)
    except (OSError, ValueError, DeviceError) as error:
        words = [f"corridor evaluate chip: {error}", getattr(error, "action", "")]
        sys.stderr.write("\n".join(word for word in words if word) + "\n")
        return 2


def _evaluate(options: argparse.Namespace) -> int:
    now = options.at or datetime.now(UTC)
    roots = [certificate_of(path) for path in options.root]
    trust = collect(named_files(options.trust), roots, now).store
    optical = _optical(options.mrz, now) if options.mrz else None
    rows: dict[str, dict[str, Any]] = {}
    with (
        PcscDaemon() as access,
        SimulatedReader(access.vpcd_port) as reader,
        ChipWorker(access.environment) as worker,
    ):
        worker.start()
        for directory in options.directories:
            key = optical.key if optical is not None else _key_of(directory)
            reader.insert(directory, options.fault, options.profile)
            begin = time.monotonic()
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
    return worker.read(access.reader_url, key, trust, now, optical, can=number)


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


def _optical(lines: str, now: datetime) -> Mrz:
    """The printed zone of the command line. ValueError when it gives no key."""
    mrz = parse_mrz([line for line in re.split(r"\\n|[\s/|,]+", lines.strip()) if line], now.date())
    if mrz.key is None:
        raise ValueError("--mrz is no zone whose check digits hold")
    return mrz


def _key_of(directory: Path) -> MrzKey | None:
    """The key that the directory itself gives, where no printed zone was given: keys.json, or DG1."""
    try:
        files, _ = read_chip_files(directory)
        return read_keys(directory, files).mrz
    except (KeyError, TypeError, ValueError):
        return None  # the card itself says what is wrong with the directory


def _name(directory: Path, taken: dict[str, dict[str, Any]]) -> str:
    name = directory.resolve().name
    return name if name not in taken else str(directory)
