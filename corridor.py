"""The console script: one table of subcommands, imported lazily. Nobody imports it."""

from __future__ import annotations

import importlib
import sys

# command: (module with `main(arguments) -> int`, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo.command", "start everything on loopback, or play specimen travellers (--auto N --json)"),
    "kiosk": ("kiosk.command", "run a kiosk, show its devices"),
    "central": ("central.command", "run the central service; migrate, replay, audit, users, packs, kiosks"),
    "simulate": ("hardware.simulators.command", "simulated devices by themselves: passport, scale, bench"),
    "specimens": ("hardware.specimens.command", "build or check the fictional travellers"),
    "schemas": ("contracts.command", "write the published JSON Schemas"),
}


def usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {help_line}" for name, (_, help_line) in COMMANDS.items()]
    return "usage: corridor COMMAND …\n\n" + "\n".join(lines) + "\n\n`corridor COMMAND --help` tells more."


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] not in COMMANDS:
        print(f"corridor: no command {arguments[0]!r}\n\n{usage()}", file=sys.stderr)
        return 2
    module = importlib.import_module(COMMANDS[arguments[0]][0])
    result: int = module.main(arguments[1:])
    return result


if __name__ == "__main__":
    sys.exit(main())
