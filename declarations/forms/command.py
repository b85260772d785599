"""`corridor declaration check FILE…` and `… schemas DIRECTORY`: for whoever writes or reads the form."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from declarations.forms.serialise import FORM, FormRefused, serialisers


def main(arguments: list[str]) -> int:
    """0: every file is a declaration. 1: one is not; place and reason are on standard output."""
    parser = argparse.ArgumentParser(prog="corridor declaration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="read declarations in JSON or XML and say what is wrong, and where")
    check.add_argument("files", type=Path, nargs="+")
    schemas = commands.add_parser("schemas", help="write the JSON Schema and the XSD")
    schemas.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    if options.command == "schemas":
        options.directory.mkdir(parents=True, exist_ok=True)
        for suffix, name in (("json", f"{FORM}.schema.json"), ("xml", f"{FORM}.xsd")):
            (options.directory / name).write_bytes(serialisers()[suffix].schema())
            sys.stdout.write(f"{options.directory / name}\n")
        return 0
    return max([_check(path) for path in options.files])


def _check(path: Path) -> int:
    serialiser = serialisers().get(path.suffix.removeprefix(".").lower())
    if serialiser is None:
        sys.stdout.write(f"{path}: neither .json nor .xml\n")
        return 1
    try:
        form = serialiser.read(path.read_bytes())
    except FormRefused as refused:
        for problem in refused.problems:
            sys.stdout.write(f"{path}: {problem.place}: {problem.reason}\n")
        return 1
    except OSError as error:
        sys.stdout.write(f"{path}: {error.strerror}\n")
        return 1
    sys.stdout.write(f"{path}: a declaration, version {form.version}, {len(form.items)} items\n")
    return 0
