"""`corridor kiosk run|devices|outbox|faces|keys`: serve one kiosk, look at its parts, measure faces, make keys."""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from kiosk.config import ConfigError, KioskConfig, load_config

CONFIG = Path("/etc/corridor/kiosk.toml")
THREADS = 32  # each open event stream and each preview holds one


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor kiosk", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("run", "serve the kiosk"),
        ("devices", "open every device once and tell its health"),
        ("outbox", "count what waits for central, by state and error code; JSON"),
        ("faces", "do the measurements of face comparison that central has for this kiosk"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--config", type=Path, default=CONFIG, help=f"default: {CONFIG}")
        command.add_argument("--profile", choices=("demo", "test", "production"))
        if name == "devices":
            command.add_argument(
                "--accept-face-camera",
                action="store_true",
                help="the kiosk takes the face camera that it sees next",
            )
        if name == "outbox":
            command.add_argument(
                "--offer-again", action="store_true", help="queue what central refused once more; the kiosk is off"
            )
        if name == "faces":
            command.add_argument("--pictures", type=Path, help="folder of the site's own set")
            command.add_argument("--once", action="store_true", help="end when there is nothing to do")
    keys = commands.add_parser("keys", help="make signing.pem and outbox.key; print the public key as JSON")
    keys.add_argument("directory", type=Path)
    keys.add_argument("--demo", action="store_true", help="mark them as demonstration keys")
    options = parser.parse_args(arguments)
    if options.command == "keys":
        from kiosk.keys import create_keys

        public = create_keys(options.directory, demonstration=options.demo)
        sys.stdout.write(json.dumps({"public_key": public}) + "\n")
        return 0
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.umask(0o077)  # outbox, its journal and receipts are nobody else's
    if not options.config.is_file():
        sys.stderr.write(
            f"corridor kiosk: there is no configuration at {options.config}; name one with --config\n"
        )
        return 2
    try:
        config = load_config(options.config, profile=options.profile)
        if options.command == "outbox":
            return _outbox(config, offer_again=options.offer_again)
        if options.command == "faces":
            return _faces(config, options.pictures, once=options.once)
        if options.command == "devices":
            return _accept_face_camera(config) if options.accept_face_camera else _devices(config)
        return _run(config)
    except ConfigError as error:
        sys.stderr.write(f"corridor kiosk: {error}\n")
        return 2


def _outbox(config: KioskConfig, *, offer_again: bool) -> int:
    """Counts and codes only; exit status 1 when central refused records for good."""
    from kiosk.keys import KeyFileError, load_outbox_key
    from kiosk.outbox import Outbox

    path = config.data_dir / "outbox.sqlite"
    counts: dict[tuple[str, str], int] = {}
    again = 0
    if path.exists():
        try:
            outbox = Outbox(path, load_outbox_key(config.outbox_key_file), config.site_id)
        except KeyFileError as error:
            raise ConfigError(str(error)) from None
        again = outbox.offer_again() if offer_again else 0
        counts = outbox.counts()
        outbox.close()
    rows = [
        {"state": state, "error": error or None, "records": number} for (state, error), number in counts.items()
    ]
    sys.stdout.write(json.dumps({"outbox": rows, "offered_again": again}) + "\n")
    return 1 if any(state == "refused" for state, _ in counts) else 0


def _faces(config: KioskConfig, folder: Path | None, *, once: bool) -> int:
    """Beside a kiosk that serves: it comes first. Nothing of a picture reaches a disk, also by a crash."""
    import signal

    from kiosk.central_client import CentralClient
    from kiosk.face import WeightsError
    from kiosk.faces.work import FaceWork
    from kiosk.keys import KeyFileError, load_signing_key

    if folder is not None and not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)
    try:
        key = load_signing_key(config.signing_key_file)
        client = CentralClient(config.central_url, config.kiosk_id, key, config.timeouts.central_s)
        work = FaceWork(client, config.site_id, config.models_dir, config.face, folder)
    except (KeyFileError, WeightsError) as error:
        raise ConfigError(str(error)) from None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: work.close())
    work.run(once=once)
    return 0


def _devices(config: KioskConfig) -> int:
    from contracts.api import DeviceState
    from hardware import registry

    devices = registry.open_devices(config.devices)
    try:
        health = registry.health(devices, datetime.now(UTC))
        for one, driver in zip(health, registry.provenance(devices), strict=True):
            note = " (simulated)" if driver.simulated else ""
            sys.stdout.write(f"{one.device:16} {one.state:8} {driver.driver}{note}  {one.detail}\n")
        return 1 if any(one.state is DeviceState.STOPPED for one in health) else 0
    finally:
        devices.close()


def _accept_face_camera(config: KioskConfig) -> int:
    from kiosk.faces.pad.installed import InstalledCamera

    try:
        noted = InstalledCamera(config.data_dir).forget()
    except OSError as error:
        raise ConfigError(f"the face camera cannot be forgotten: {error.strerror}") from None
    sys.stdout.write(
        "The kiosk takes the camera that it sees at its next start.\n"
        if noted
        else "No face camera was noted: the kiosk takes the one that it sees at its next start.\n"
    )
    return 0


def _run(config: KioskConfig) -> int:
    from kiosk.face import WeightsError

    if config.profile == "production" and (reasons := _refusals(config)):
        for reason in reasons:
            sys.stderr.write(f"corridor kiosk: refused in production: {reason}\n")
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no picture of memory on the disk
    try:
        _serve(config)
    except WeightsError as error:
        sys.stderr.write(f"corridor kiosk: {error}\n")
        return 2
    return 0


def _refusals(config: KioskConfig) -> tuple[str, ...]:
    from hardware import registry
    from kiosk.production import refusals

    devices = registry.open_devices(config.devices)
    try:
        return refusals(config, devices)
    finally:
        devices.close()


def _serve(config: KioskConfig) -> None:
    """One worker process: the devices have one owner. The application is made in it, after the fork."""
    from typing import Any

    from gunicorn.app.base import BaseApplication

    from kiosk import create_app

    class Kiosk(BaseApplication):
        def load_config(self) -> None:
            settings: dict[str, Any] = {
                "bind": f"{config.host}:{config.port}",
                "workers": 1,
                "worker_class": "gthread",
                "threads": THREADS,
                "timeout": 0,  # streams live as long as the screen
                "graceful_timeout": 3,
                "keepalive": 15,
                "accesslog": None,  # nothing of a traveller's way goes to a log
                "proc_name": "corridor-kiosk",
                "worker_exit": _close,
                "control_socket_disable": True,
            }
            for name, value in settings.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            self.application = create_app(config)
            return self.application

    def _close(_arbiter: Any, worker: Any) -> None:
        application = getattr(worker.app, "application", None)
        if application is not None:
            application.extensions["conductor"].close()

    Kiosk().run()
