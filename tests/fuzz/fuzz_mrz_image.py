"""A long run over the image path with atheris (libFuzzer), where it is installed:

PYTHONPATH=. python tests/fuzz/fuzz_mrz_image.py -max_total_time=3600 [CORPUS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports():
    from tests.fuzz.image_bytes import hold, seeds


def main() -> None:
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds()):
            Path(corpus, str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], hold)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
