"""The house of the demonstration: every process on loopback, with keys and passwords of its own.

PC/SC daemon, simulated devices, central, kiosk. Everything lives in one directory of mode 0700 and ends with the
house. Central and kiosk are started by their own commands, as an operator would start them.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import requests

from contracts.party import Direction, TravelDocument
from demo.puppet import Bench
from demo.sampling import find_seed
from hardware.pcsc_daemon import PcscDaemon
from hardware.specimens.story import Story, StoryDocument, load_stories

SITE, KIOSK, EXIT = "minsk-2", "B3", "E1"
RATE, PERIOD = 0.02, "fixed"
OFFERED = ("infrared_camera", "ultraviolet_camera")  # where the document reader has such light
FLIGHT = re.compile(r"^[A-Z0-9]{2,3}[0-9]{1,4}[A-Z]?$")


class HouseError(Exception):
    """A process did not start; the text says which, and what it said last."""


@dataclass(frozen=True)
class Person:
    """A demonstration account."""

    name: str
    role: str
    agency: str
    password: str


@dataclass
class House:
    """Addresses and keys of a running demonstration."""

    directory: Path
    stories: dict[str, tuple[Path, Story]]
    radio: str
    kiosk_url: str = ""
    central_url: str = ""
    direction: Direction = Direction.ARRIVAL
    bench: Bench | None = None
    people: tuple[Person, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def command(self, *arguments: str, stdin: str | None = None) -> str:
        """Run `corridor …` to its end. Raises HouseError."""
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [sys.executable, "-m", "corridor", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            check=False,
        )
        if done.returncode:
            raise HouseError(f"corridor {' '.join(arguments[:3])}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def start(self, name: str, *arguments: str) -> None:
        """Start a process of the house; its output goes to NAME.log."""
        log: IO[bytes] = (self.directory / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                start_new_session=True,
            )

    def stop(self, name: str, kill: bool = False) -> None:
        """End a process and those it started."""
        process = self.processes.pop(name, None)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)

    def start_central(self) -> None:
        self.start("central", "-m", "corridor", "central", "run", "--config", str(self.directory / "central.toml"))
        self._await(f"{self.central_url}/healthz", "central")

    def start_kiosk(self) -> None:
        self.spawn_kiosk()
        self.await_kiosk()

    def spawn_kiosk(self) -> None:
        self.start("kiosk", "-m", "corridor", "kiosk", "run", "--config", str(self.directory / "kiosk.toml"))

    def await_kiosk(self) -> None:
        """Return when the kiosk has loaded its models."""
        self._await(f"{self.kiosk_url}/state", "kiosk")

    def start_face_worker(self) -> None:
        """What measures faces for the administrator; a process beside the kiosk, under its name."""
        self.start("faces", "-m", "corridor", "kiosk", "faces", "--config", str(self.directory / "kiosk.toml"))

    def turn(self, direction: Direction) -> None:
        """A kiosk stands in a hall of one direction: start it again in the other one when a story wants that."""
        if direction is self.direction:
            return
        config = self.directory / "kiosk.toml"
        line = 'direction = "{}"'
        text = config.read_text(encoding="utf-8")
        write_secret(config, text.replace(line.format(self.direction.value), line.format(direction.value)))
        self.direction = direction
        self.stop("kiosk")
        self.start_kiosk()

    def _await(self, url: str, name: str, seconds: float = 90.0) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            process = self.processes[name]
            if process.poll() is not None:
                break
            with contextlib.suppress(requests.RequestException):
                if requests.get(url, timeout=2).ok:
                    return
            time.sleep(0.1)
        said = (self.directory / f"{name}.log").read_text(errors="replace")[-3000:]
        raise HouseError(f"{name} does not answer; it said last:\n{said}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def toml(values: dict[str, object]) -> str:
    """A flat TOML document with tables one level deep; enough for our own configurations."""
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    text = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in plain.items())
    for name, table in values.items():
        if isinstance(table, dict):
            text += f"\n[{name}]\n{toml(table)}"
    return text


def sampling_seed(stories: dict[str, tuple[Path, Story]]) -> bytes:
    """The fixed seed that draws exactly the travellers whose stories say so (demo/sampling.py)."""
    wanted: dict[tuple[str, str, str], bool] = {}
    for directory, story in stories.values():
        told = story.setup.random_sample
        for index, traveller in enumerate(story.travellers):
            for document in traveller.documents:
                read = _identity(directory, document)
                if read is not None and read.issuer and read.number:
                    key = (story.direction.value, read.issuer, read.number)
                    wanted[key] = wanted.get(key, False) or (told and index == 0)
    return find_seed(wanted, PERIOD, RATE)


def _identity(directory: Path, document: StoryDocument) -> TravelDocument | None:
    """Issuer and number, from the story's lines or else from the chip's first group; None where neither says."""
    from documents.lds import LdsError, parse_dg1
    from documents.mrz import parse_mrz

    today = datetime.now(UTC).date()
    if document.mrz:
        return parse_mrz(document.mrz, today).document
    if document.chip is None:
        return None
    try:
        return parse_dg1((directory / document.chip / "Datagroup1.bin").read_bytes(), today).document
    except (OSError, LdsError):
        return None


def trust_directory(specimens: Path) -> Path:
    """The trust anchors beside the travellers or, where there are none, those of the project's own."""
    own = specimens / "trust"
    return (own if own.is_dir() else default_specimens() / "trust").resolve()


def default_specimens() -> Path:
    """Where set-up puts the project's own travellers."""
    return Path(sys.prefix) / "share/corridor/specimens"


@contextlib.contextmanager
def open_house(
    specimens: Path,
    *,
    radio: str = "none",
    keep: Path | None = None,
    ports: tuple[int, int] = (0, 0),
    say: Callable[[str], None] = lambda line: None,
    light: Sequence[str] = (),
) -> Iterator[House]:
    """Start everything for the stories under `specimens`, and end it all afterwards.

    `keep` names a directory that stays (databases, logs, receipts); without it a temporary one is removed. `light`
    (`infrared`, `ultraviolet`): what the document reader has beside the visible. Raises HouseError, ValueError
    (specimens) or DeviceError (PC/SC) with what to do.
    """
    stories = {story.id: (directory, story) for directory, story in load_stories(specimens)}
    directory = keep if keep is not None else Path(tempfile.mkdtemp(prefix="corridor-"))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    house = House(directory, stories, radio, environment=dict(os.environ))
    house.direction = next(story.direction for _, story in stories.values())
    with contextlib.ExitStack() as leaving:
        if keep is None:
            leaving.callback(shutil.rmtree, directory, ignore_errors=True)
        leaving.callback(_stop_all, house)
        say("smart-card daemon")
        access = leaving.enter_context(PcscDaemon())
        house.environment |= dict(access.environment)
        say("simulated devices and keys")
        _spawn_bench(house, access.vpcd_port, light)
        (directory / "keys").mkdir(mode=0o700, exist_ok=True)
        public_key = json.loads(house.command("kiosk", "keys", str(directory / "keys/kiosk"), "--demo"))
        devices = _await_bench(house)
        # The kiosk takes longest, with its models; central is made and started meanwhile.
        say("kiosk (loading its models)")
        house.central_url = f"http://127.0.0.1:{ports[0] or free_port()}"
        _write_kiosk(house, specimens, access.reader_url, devices, ports[1] or free_port())
        house.spawn_kiosk()
        say("central service")
        _write_central(house, specimens, public_key["public_key"])
        house.start_central()
        house.await_kiosk()
        yield house


def _stop_all(house: House) -> None:
    for name in ("faces", "kiosk", "central", "bench"):
        house.stop(name)


def _spawn_bench(house: House, vpcd_port: int, light: Sequence[str]) -> None:
    options = ["--vpcd-port", str(vpcd_port), "--state-file", str(house.directory / "bench.json")]
    house.start("bench", "-m", "hardware.simulators.bench", *options, *(f"--{name}" for name in light))


def _await_bench(house: House) -> dict[str, str]:
    state_file = house.directory / "bench.json"
    until = time.monotonic() + 30
    while not state_file.exists():
        if time.monotonic() > until or house.processes["bench"].poll() is not None:
            said = (house.directory / "bench.log").read_text(errors="replace")[-3000:]
            raise HouseError(f"the simulated devices do not start; they said last:\n{said}")
        time.sleep(0.05)
    devices: dict[str, str] = json.loads(state_file.read_text())
    house.bench = Bench(devices["control"], devices["token"])
    return devices


def _write_central(house: House, specimens: Path, kiosk_key: str) -> None:
    """Configuration, keys and accounts of the demonstration's central service, which knows the kiosk."""
    directory = house.directory
    keys = {f"{name}_key_file": f"keys/{name}.json" for name in ("master", "receipt", "evidence")}
    config: dict[str, object] = {
        "profile": "demo",
        "site_id": SITE,
        "site_name": "Minsk Airport",
        "port": int(house.central_url.rpartition(":")[2]),
        "data_dir": "central",
        **keys,
        "session_secret_file": "keys/session.json",
        "sampling_seed_file": "keys/sampling.json",
        "sampling_rate": RATE,
        "sampling_rotation": "none",
        "desks": ["3", "4", "5"],
        "no_show_minutes": 10,
    }
    watch_list = specimens / "watch_list.csv"
    if watch_list.exists():
        config["watch_list_files"] = [str(watch_list.resolve())]
    (directory / "central").mkdir(mode=0o700, exist_ok=True)
    seed = sampling_seed(house.stories)
    key = {
        "suite": "hmac-sha256",
        "key_id": f"sampling-{hashlib.sha256(b'key id' + seed).hexdigest()[:12]}",
        "demo": True,
        "secret": base64.urlsafe_b64encode(seed).rstrip(b"=").decode(),
    }
    write_secret(directory / "keys/sampling.json", json.dumps({"purpose": "sampling", "keys": [key]}))
    write_secret(directory / "central.toml", toml(config))
    house.people = tuple(
        Person(name, role, agency, secrets.token_urlsafe(9))
        for name, role, agency in (
            ("olga", "officer", "customs"),
            ("boris", "officer", "border"),
            ("vera", "supervisor", "customs"),
            ("adam", "administrator", "customs"),
            ("alina", "administrator", "customs"),  # a second one approves what the first proposes
        )
    )
    admission: dict[str, object] = {
        "users": [
            {
                "id": person.name,
                "name": person.name.capitalize(),
                "password": person.password,
                "grants": [f"{person.role}:{person.agency}:{SITE}"],
                "demo": True,
            }
            for person in house.people
        ],
        "kiosks": [{"id": KIOSK, "public_key": kiosk_key, "bank": "B", "demo": True}],
    }
    anchors = [path for path in sorted(trust_directory(specimens).iterdir()) if path.suffix in (".cer", ".crl")]
    if anchors:
        files = [str(path) for path in anchors]
        admission["trust"] = {"files": files, "proposed_by": "adam", "approved_by": "alina"}
    config_file = str(directory / "central.toml")
    house.command("central", "init", "--config", config_file, "--admit-stdin", stdin=json.dumps(admission))


def _moves(stories: dict[str, tuple[Path, Story]]) -> list[str]:
    """What the kiosk may ask a head to do: what the films of everybody who comes can answer."""
    films = [traveller.feeds for _, story in stories.values() for traveller in story.travellers if traveller.feeds]
    return ["turn_left", "turn_right", *(["nod"] if all("nod" in feeds for feeds in films) else [])]


def _write_kiosk(house: House, specimens: Path, reader: str, devices: dict[str, str], port: int) -> None:
    """Configuration of the demonstration's kiosk."""
    directory = house.directory
    house.kiosk_url = f"http://127.0.0.1:{port}"
    flights = {
        story.flight.replace(" ", "")
        for _, story in house.stories.values()
        if story.flight and FLIGHT.match(story.flight.replace(" ", ""))
    }
    write_secret(
        directory / "kiosk.toml",
        toml(
            {
                "profile": "demo",
                "site_id": SITE,
                "site_name": "Minsk Airport",
                "kiosk_id": KIOSK,
                "direction": house.direction.value,
                **({"flight": min(flights)} if len(flights) == 1 else {}),
                "port": port,
                "data_dir": "kiosk",
                "central_url": house.central_url,
                "signing_key_file": "keys/kiosk/signing.pem",
                "outbox_key_file": "keys/kiosk/outbox.key",
                "trust_dir": str(trust_directory(specimens)),
                "radio_profile": house.radio,
                "challenge_moves": _moves(house.stories),
                "devices": {
                    "chip_reader": reader,
                    "document_camera": devices["document_camera"],
                    "face_camera": devices["face_camera"],
                    **{name: url for name, url in devices.items() if name in OFFERED},
                    "tag_scanner": f"camera:{devices['tag_camera']}",
                    "scale": f"mt-sics:{devices['scale']}",
                    "printer": f"escpos:dummy:{directory / 'receipts'}",
                    "light": "null:",
                    "speaker": "espeak:",
                },
            }
        ),
    )
