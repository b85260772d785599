"""`corridor demo`: everything on loopback, for a person with a browser; or `--auto N`, without one."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from demo.house import House, HouseError, default_specimens, open_house
from hardware.ports import DeviceError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor demo", description=__doc__)
    parser.add_argument(
        "--auto", type=int, metavar="N", help="play N specimen journeys, without a browser (0: all)"
    )
    parser.add_argument("--json", action="store_true", help="with --auto: one JSON row per traveller on stdout")
    parser.add_argument("--specimens", type=Path, help="a directory of travellers (docs/specimens.md)")
    parser.add_argument("--only", action="append", metavar="ID", help="with --auto: only this story (repeatable)")
    parser.add_argument("--radio", choices=("none", "424", "848"), default="none", help="radio delay of the chip")
    for name in ("infrared", "ultraviolet"):
        parser.add_argument(f"--{name}", action="store_true", help=f"the document reader has {name} light too")
    parser.add_argument("--keep", type=Path, help="keep databases, logs and receipts in this directory")
    parser.add_argument("--port", type=int, default=8600, help="first of three ports (central, kiosk, tray)")
    options = parser.parse_args(arguments)
    specimens = options.specimens or default_specimens()
    automatic = options.auto is not None
    ports = (0, 0) if automatic else (options.port, options.port + 1)
    # Ctrl-C and a plain kill end the house in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with open_house(
            specimens,
            radio=options.radio,
            keep=options.keep,
            ports=ports,
            say=_say,
            light=[name for name in ("infrared", "ultraviolet") if getattr(options, name)],
        ) as house:
            if automatic:
                from demo.auto import run

                if options.only:
                    house.stories = {name: house.stories[name] for name in options.only}
                return run(house, options.auto, options.json)
            return _with_browser(house, options.port + 2)
    except (HouseError, DeviceError, ValueError) as error:
        print(f"corridor demo: {error}", file=sys.stderr)
        return 2
    except KeyError as error:
        print(f"corridor demo: no story {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130 if automatic else 0  # Ctrl-C is how the demonstration is meant to end


def _say(line: str) -> None:
    print(f"  starting: {line}", file=sys.stderr, flush=True)


def _names(house: House, role: str) -> str:
    return "sign in as " + " or ".join(person.name for person in house.people if person.role == role)


def _with_browser(house: House, port: int) -> int:
    from werkzeug.serving import make_server

    from demo.tray import Address, Stage, create_app

    assert house.bench is not None
    house.start_face_worker()
    stage = Stage(house.kiosk_url, house.bench, house.stories, house.radio)
    addresses = (
        Address("Kiosk", f"{house.kiosk_url}/", "monitor", "the traveller's screen"),
        Address("Officer", f"{house.central_url}/officer/", "list-checks", _names(house, "officer")),
        Address("Administrator", f"{house.central_url}/admin/", "gauge", _names(house, "administrator")),
    )
    assets = Path(sys.prefix) / "share/corridor/web"
    server = make_server("127.0.0.1", port, create_app(stage, addresses, assets), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True, name="tray").start()
    print(f"""
Corridor is running. Everybody in it is fictional.

  1  Send a traveller    http://127.0.0.1:{port}/
  2  Touch the kiosk     {house.kiosk_url}/
  3  Be the officer      {house.central_url}/officer/
  4  Administer          {house.central_url}/admin/

  Sign-in (new at every start):""")
    for person in house.people:
        print(f"     {person.name:8} {person.password:14} {person.role}, {person.agency}")
    print("\nCtrl-C ends it and removes everything.", flush=True)
    try:
        threading.Event().wait()
    finally:
        stage.clear()
        server.shutdown()
    return 0
