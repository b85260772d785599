"""FastMRZ over a manifest, in its own process and its own environment: `FASTMRZ_PYTHON tools/fastmrz_rows.py`.

FastMRZ is AGPL: the product never imports it, and this file imports nothing of the product. It prints rows as
`corridor evaluate mrz --predictions` does, and on the last line what was measured. FastMRZ asks tesseract for the
language data `mrz`; where that is not installed it is given `eng`, or it would fail on every picture, and says so.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["OMP_THREAD_LIMIT"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main(manifest: Path) -> int:
    warnings.simplefilter("ignore")
    import cv2
    import pytesseract
    from fastmrz import FastMRZ

    cv2.setNumThreads(1)
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True).stdout
    language = "mrz" if "mrz" in listed.split() else "eng"
    recognise = pytesseract.image_to_string
    pytesseract.image_to_string = lambda image, lang, config: recognise(image, lang=language, config=config)
    reader = FastMRZ()
    seen: list[str] = []
    read_text = reader._get_mrz

    def watched(image: Any) -> str:
        seen[:] = [read_text(image)]
        return seen[0]

    reader._get_mrz = watched
    entries = json.loads(manifest.read_text())
    for number, entry in enumerate(entries, 1):
        seen.clear()
        cpu, wall = cpu_seconds(), time.perf_counter()
        try:
            answer = reader.get_details(str(manifest.parent / entry["image"]))
            accepted, reason = answer.get("status") == "SUCCESS", str(answer.get("status"))
        except Exception as error:
            accepted, reason = False, type(error).__name__
        row = {
            "image": entry["image"],
            "accepted": accepted,
            "lines": [line for line in "".join(seen).splitlines() if line],
            "reason": reason,
            "cpu_s": cpu_seconds() - cpu,
            "wall_s": time.perf_counter() - wall,
        }
        print(json.dumps(row), flush=True)
        print(f"fastmrz: {number} of {len(entries)} pictures", file=sys.stderr)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    detail = f"FastMRZ {version('fastmrz')}, tesseract -l {language}, one thread"
    print(json.dumps({"peak_mb": round(peak, 1), "engine_detail": detail}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
