"""`corridor schemas DIRECTORY`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contracts.publish import write_schemas


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor schemas", description=__doc__)
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    for path in write_schemas(options.directory):
        sys.stdout.write(f"{path}\n")
    return 0
