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
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import requests

from demo.puppet import Bench
from demo.sampling import find_seed
from hardware.pcsc_daemon import PcscDaemon
from hardware.specimens.story import Story, load_stories

SITE, KIOSK, EXIT = "minsk-2", "B3", "E1"
RATE, PERIOD = 0.02, "fixed"


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
        self.start("kiosk", "-m", "corridor", "kiosk", "run", "--config", str(self.directory / "kiosk.toml"))
        self._await(f"{self.kiosk_url}/state", "kiosk")

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
    from documents.mrz import parse_mrz

    wanted: dict[tuple[str, str, str], bool] = {}
    for _, story in stories.values():
        told = story.setup.random_sample
        for index, traveller in enumerate(story.travellers):
            for document in traveller.documents:
                if not document.mrz:
                    continue
                read = parse_mrz(document.mrz).document
                if read.issuer and read.number:
                    key = (story.direction.value, read.issuer, read.number)
                    wanted[key] = wanted.get(key, False) or (told and index == 0)
    return find_seed(wanted, PERIOD, RATE)
