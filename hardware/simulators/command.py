"""`corridor simulate passport DIR | scale | bench`: simulated devices by themselves."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hardware.pcsc_daemon import PcscDaemon
from hardware.ports import DeviceError
from hardware.simulators import bench, scale
from hardware.simulators.card import FAULT_FORMS, RADIO_PROFILES, SimulatedReader


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor simulate", description=__doc__)
    devices = parser.add_subparsers(dest="device", required=True, metavar="DEVICE")
    passport = devices.add_parser("passport", help="an e-passport on a virtual PC/SC reader")
    passport.add_argument("directory", type=Path, help="chip files and keys.json (docs/specimens.md)")
    passport.add_argument("--fault", help=FAULT_FORMS)
    passport.add_argument("--radio", choices=RADIO_PROFILES, default="none", help="kbit/s on the air")
    passport.add_argument("--remove-after", type=int, metavar="N", help="lift the passport after N APDUs")
    passport.add_argument("--vpcd-port", type=int, help="use this virtual reader; without it, start a daemon")
    devices.add_parser("scale", help="a scale on a pseudo-terminal, speaking MT-SICS", add_help=False)
    devices.add_parser("bench", help="every device of one kiosk, with cameras over loopback", add_help=False)
    options, rest = parser.parse_known_args(arguments)
    if options.device == "scale":
        return scale.main(rest)
    if options.device == "bench":
        return bench.main(rest)
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return _passport(options)
    except (DeviceError, ValueError) as error:
        action = getattr(error, "action", "")
        sys.stderr.write(f"corridor simulate: {error}\n{action}\n" if action else f"corridor simulate: {error}\n")
        return 1


def _passport(options: argparse.Namespace) -> int:
    if options.vpcd_port is not None:
        sys.stdout.write(f"card on the virtual reader at port {options.vpcd_port}\n")
        return _lie_there(options, options.vpcd_port)
    with PcscDaemon() as access:
        sys.stdout.write(f"reader: {access.reader_url}\n")
        for name, value in access.environment.items():
            sys.stdout.write(f"clients need: {name}={value}\n")
        return _lie_there(options, access.vpcd_port)


def _lie_there(options: argparse.Namespace, port: int) -> int:
    """The card stays until Enter, the end of input or Ctrl-C."""
    with SimulatedReader(port) as reader:
        reader.insert(options.directory, options.fault, options.radio, options.remove_after)
        sys.stdout.write("the passport lies on the reader; Enter lifts it\n")
        sys.stdout.flush()
        try:
            sys.stdin.readline()
        except KeyboardInterrupt:
            sys.stdout.write("\n")
    return 0
