"""The console script: one table of subcommands, imported lazily. Nobody imports it."""

from __future__ import annotations

import importlib
import os
import sys

# command: (module with `main(arguments) -> int`, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo.command", "start everything on loopback, or play specimen travellers (--auto N --json)"),
    "kiosk": ("kiosk.command", "run a kiosk, show its devices"),
    "central": ("central.command", "run the central service; migrate, replay, audit, users, packs, kiosks"),
    "simulate": ("hardware.simulators.command", "simulated devices by themselves: passport, scale, bench"),
    "specimens": ("hardware.specimens.command", "build or check the fictional travellers"),
    "schemas": ("contracts.command", "write the published JSON Schemas"),
    "declaration": ("declarations.forms.command", "check a declaration in JSON or XML, write its schemas"),
    "evaluate": ("", "measure a part on data of your own: `corridor evaluate` lists the parts"),
}

# Each takes data from outside, shows progress on stderr and prints one JSON object as the last line of stdout.
EVALUATIONS: dict[str, tuple[str, str]] = {
    "mrz": ("kiosk.mrz.evaluate", "pictures of travel documents: what is read of the printed zone"),
    "faces": ("kiosk.faces.evaluate", "pictures of faces, compared: FMR, FNMR, EER, and how groups differ"),
    "chip": ("hardware.chip.evaluate", "a directory of chip files, read back through the PC/SC daemon"),
    "pad": ("kiosk.faces.pad.evaluate", "films of faces: a living person, or a picture of one"),
    "sod": ("documents.sod_evaluation", "a document security object under given country signing certificates"),
    "masterlist": ("documents.master_list_evaluation", "a CSCA master list under a pinned root"),
}


def usage(name: str, table: dict[str, tuple[str, str]]) -> str:
    width = max(map(len, table))
    lines = [f"  {command:<{width}}  {help_line}" for command, (_, help_line) in table.items()]
    return f"usage: {name} COMMAND …\n\n" + "\n".join(lines) + f"\n\n`{name} COMMAND --help` tells more."


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    # Our matrices are small: numpy's second thread would only spin, on a core that reads the chip meanwhile.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if arguments and arguments[0] == "evaluate":
        return _run("corridor evaluate", EVALUATIONS, arguments[1:])
    return _run("corridor", COMMANDS, arguments)


def _run(name: str, table: dict[str, tuple[str, str]], arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage(name, table))
        return 0 if arguments else 2
    if arguments[0] not in table:
        print(f"{name}: no command {arguments[0]!r}\n\n{usage(name, table)}", file=sys.stderr)
        return 2
    module = importlib.import_module(table[arguments[0]][0])
    result: int = module.main(arguments[1:])
    return result


if __name__ == "__main__":
    sys.exit(main())
