"""Machine time of whole chip readings over the PC/SC daemon, passive authentication and the proof included.

One specimen for each way of access and proof, each read many times by the kiosk's own worker, once per radio
profile; prints one JSON object on the last line. The card lies there: finding it is not counted.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from contracts.checks import CheckName, Verdict
from documents.mrz import MrzKey, compose_td3
from documents.reading import ChipReading
from documents.secure_messaging import AES_128, AES_256
from documents.trust import TrustStore
from hardware.chip.worker import ChipWorker
from hardware.pcsc_daemon import PcscDaemon
from hardware.simulators.card import SimulatedReader
from hardware.specimens.issuer import ChipFiles, ChipSecurity, SpecimenAuthority

KINDS: dict[str, tuple[bool, ChipSecurity | None]] = {
    "BAC, AA (P-256)": (True, None),
    "BAC, CA (P-256, AES-128)": (False, ChipSecurity((), ((AES_128, 12),))),
    "PACE-GM (brainpoolP256r1, AES-128), CA": (False, ChipSecurity((("gm", AES_128, 13),), ((AES_128, 12),))),
    "PACE-CAM (brainpoolP256r1, AES-128)": (False, ChipSecurity((("cam", AES_128, 13),))),
    "PACE-IM (P-256, AES-128), AA": (True, ChipSecurity((("im", AES_128, 12),))),
    "PACE-GM (brainpoolP512r1, AES-256), CA": (False, ChipSecurity((("gm", AES_256, 17),), ((AES_256, 17),))),
    "PACE-GM (DH 2048/256, AES-256), CA": (False, ChipSecurity((("gm", AES_256, 2),), ((AES_256, 2),))),
}
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


def proven(reading: ChipReading) -> bool:
    names = (CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION)
    return any(reading.check(name).verdict is Verdict.PASSED for name in names)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=20)
    options = parser.parse_args()
    trust = TrustStore((AUTHORITY.csca_certificate,), (AUTHORITY.revocation_list,))
    result: dict[str, Any] = {"machine": platform.machine(), "readings": options.readings, "profiles": {}}
    with (
        tempfile.TemporaryDirectory() as folder,
        PcscDaemon() as access,
        SimulatedReader(access.vpcd_port) as reader,
        ChipWorker(access.environment) as worker,
    ):
        for profile in ("none", "848"):
            rows: dict[str, Any] = {}
            for number, (kind, (active, security)) in enumerate(KINDS.items()):
                chip = issue(active=active, security=security)
                directory = Path(folder) / f"{profile}-{number}"
                chip.write(directory)
                reader.insert(directory, radio=profile)
                readings = [
                    worker.read(access.reader_url, MrzKey(*chip.mrz_key), trust, NOW)
                    for _ in range(options.readings + 1)
                ][1:]  # the first pays for caches
                reader.remove()
                seconds = sorted(sum(reading.seconds.values()) for reading in readings)
                rows[kind] = {
                    "median": round(statistics.median(seconds), 3),
                    "p95": round(seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))], 3),
                    "access": round(statistics.median(reading.seconds["access"] for reading in readings), 3),
                    "apdus": readings[0].apdus,
                    "bytes": readings[0].transferred,
                    "proven": sum(map(proven, readings)),
                }
                print(f"{profile}: {kind}: {rows[kind]}", file=sys.stderr)
            result["profiles"][profile] = rows
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
