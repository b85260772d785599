"""Machine time of whole chip readings over the PC/SC daemon, passive authentication and the proof included.

One specimen for each way of access and proof, each read many times by the kiosk's own worker, once per radio
profile: the time from the order to the answer, and its phases. The card lies there; waiting for it is not counted.
Prints rows for docs/benchmarks.md on stderr and one JSON object on the last line.

    python tools/bench_chip.py [--readings 60] [--profiles none 848] [--kinds 0 3]
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from contracts.checks import CheckName, Verdict
from documents import tlv
from documents.files import ATR_INFO
from documents.mrz import MrzKey, compose_td3
from documents.reading import ChipReading
from documents.secure_messaging import AES_128, AES_256
from documents.trust import TrustStore
from hardware.chip.worker import ChipWorker
from hardware.pcsc_daemon import PcscDaemon
from hardware.simulators.card import RADIO_PROFILES, SimulatedReader
from hardware.specimens.issuer import ChipFiles, ChipSecurity, SpecimenAuthority

KINDS: dict[str, tuple[bool, ChipSecurity | None]] = {
    "BAC, AA (P-256)": (True, None),
    "BAC, CA (P-256, AES-128)": (False, ChipSecurity((), ((AES_128, 12),))),
    "PACE-GM (brainpoolP256r1, AES-128), CA": (False, ChipSecurity((("gm", AES_128, 13),), ((AES_128, 12),))),
    "PACE-CAM (brainpoolP256r1, AES-128)": (False, ChipSecurity((("cam", AES_128, 13),))),
    "PACE-IM (P-256, AES-128), AA": (True, ChipSecurity((("im", AES_128, 12),))),
    "PACE-GM (brainpoolP512r1, AES-256), CA": (False, ChipSecurity((("gm", AES_256, 17),), ((AES_256, 17),))),
    "PACE-GM (DH 2048/256, AES-256), CA": (False, ChipSecurity((("gm", AES_256, 2),), ((AES_256, 2),))),
    "PACE-GM (brainpoolP256r1), CA, extended length": (
        False,
        ChipSecurity((("gm", AES_128, 13),), ((AES_128, 12),)),
    ),
}
EXTENDED = "extended length"
BUFFERS = 2048  # of a chip that states them in EF.ATR/INFO
PHASES = ("access", "files", "passive_authentication", "proof")
AUTHORITY = SpecimenAuthority("UTO")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def issue(*, active: bool, security: ChipSecurity | None) -> ChipFiles:
    """A chip with a portrait of about 16 kB, as issuers make them."""
    portrait = BytesIO()
    Image.effect_noise((413, 531), 30).save(portrait, "JPEG", quality=16)
    lines = compose_td3(
        issuer="UTO",
        surname="Eriksson",
        given_names="Anna Maria",
        number="L898902C3",
        nationality="UTO",
        birth_date=date(1974, 8, 12),
        sex="F",
        expiry_date=date(2032, 4, 15),
    )
    return AUTHORITY.issue(lines, portrait.getvalue(), aa=active, security=security)


def atr_info() -> bytes:
    """EF.ATR/INFO with the extended length information (9303-11 §9.3.1.2)."""
    stated = tlv.encode(0x02, BUFFERS.to_bytes(2, "big"))
    return tlv.encode(0x43, tlv.encode(0x7F66, stated + stated))


def proven(reading: ChipReading) -> bool:
    names = (CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION)
    return any(reading.check(name).verdict is Verdict.PASSED for name in names)


def phases(reading: ChipReading) -> dict[str, float]:
    """Seconds of each of PHASES; either authentication of the chip is its proof."""
    seconds = dict(reading.seconds)
    proof = seconds.pop("active_authentication", 0.0) + seconds.pop("chip_authentication", 0.0)
    return {name: seconds.get(name, 0.0) for name in PHASES} | {"proof": proof}


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of all lie, nearest rank."""
    return round(sorted(values)[max(0, math.ceil(share * len(values)) - 1)], 3)


def measure(worker: ChipWorker, reader_url: str, key: MrzKey, trust: TrustStore, count: int) -> dict[str, Any]:
    """`count` readings of the chip that lies there; one before them pays for caches."""
    readings, whole = [], []
    for number in range(count + 1):
        begin = time.monotonic()
        reading = worker.read(reader_url, key, trust, NOW)
        if number:
            whole.append(time.monotonic() - begin)
            readings.append(reading)
    by_phase = {name: [phases(reading)[name] for reading in readings] for name in PHASES}
    return {
        "p50": percentile(whole, 0.5),
        "p95": percentile(whole, 0.95),
        "phases": {name: {"p50": percentile(v, 0.5), "p95": percentile(v, 0.95)} for name, v in by_phase.items()},
        "apdus": readings[0].apdus,
        "bytes": readings[0].transferred,
        "proven": sum(map(proven, readings)),
    }


def in_table(kind: str, row: dict[str, Any]) -> str:
    """The row of docs/benchmarks.md: p50 / p95 of the whole and of each phase, in seconds."""
    parts = (row, *(row["phases"][name] for name in PHASES))
    times = " | ".join(f"{part['p50']:.3f} / {part['p95']:.3f}" for part in parts)
    return f"| {kind} | {times} | {row['apdus']} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=60)
    parser.add_argument("--profiles", nargs="+", choices=RADIO_PROFILES, default=["none", "848"])
    parser.add_argument("--kinds", nargs="+", type=int, default=list(range(len(KINDS))), help="by their number")
    options = parser.parse_args()
    trust = TrustStore((AUTHORITY.csca_certificate,), (AUTHORITY.revocation_list,))
    result: dict[str, Any] = {"machine": platform.machine(), "readings": options.readings, "profiles": {}}
    with (
        tempfile.TemporaryDirectory() as folder,
        PcscDaemon() as access,
        SimulatedReader(access.vpcd_port) as reader,
        ChipWorker(access.environment) as worker,
    ):
        for profile in options.profiles:
            rows: dict[str, Any] = {}
            for kind, (active, security) in (list(KINDS.items())[number] for number in options.kinds):
                chip = issue(active=active, security=security)
                directory = Path(folder) / f"{profile}-{len(rows)}"
                chip.write(directory)
                if kind.endswith(EXTENDED):
                    (directory / ATR_INFO.file_name).write_bytes(atr_info())
                reader.insert(directory, radio=profile)
                rows[kind] = measure(worker, access.reader_url, MrzKey(*chip.mrz_key), trust, options.readings)
                reader.remove()
                print(f"{profile}: {in_table(kind, rows[kind])}", file=sys.stderr, flush=True)
            result["profiles"][profile] = rows
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
