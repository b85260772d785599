"""A PC/SC daemon with the virtual reader: a private one, started and ended here.

The private one leaves /etc and /run alone: it gets a mount namespace of its own with an empty /run/pcscd, and
clients find its socket through /proc. Any number of them run side by side. Without root this takes a user
namespace; where the system forbids those, /run/pcscd must be writable and there is one daemon only.

The virtual reader's driver listens on all interfaces, which cannot be told otherwise: whoever reaches the port
can lay a card on it. Nothing that is trusted in production may stand on it, and nothing does.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ErrorCode
from hardware.ports import DeviceError

READER_NAME = "Corridor Virtual Reader"
_DRIVERS = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
_RUN_DIRECTORY = Path("/run/pcscd")
_SOCKET = _RUN_DIRECTORY / "pcscd.comm"
_EMPTY_RUN_DIRECTORY = (
    f"{{ mkdir -p {_RUN_DIRECTORY} 2>/dev/null && mount -t tmpfs corridor {_RUN_DIRECTORY}; }} || "
    f"{{ mount -t tmpfs corridor /run && mkdir -p {_RUN_DIRECTORY}; }}"
)
# In a chroot the root is no mount point and cannot be made private; there nothing is shared that could be touched.
_PROPAGATIONS = ("private", "unchanged")
_START_SECONDS = 10.0
_TRIES = 4


@dataclass(frozen=True)
class PcscAccess:
    """How to get at a daemon: the reader's name begins with `reader_name`, cards connect to `vpcd_port`.

    `environment` is what client processes need in theirs before they load the PC/SC library.
    """

    reader_name: str
    vpcd_port: int
    environment: Mapping[str, str]

    @property
    def reader_url(self) -> str:
        """The chip reader's URL for `hardware.registry`: the first slot."""
        return f"pcsc:{self.reader_name} 00 00"


class PcscDaemon:
    """Context manager around a private pcscd. Raises DeviceError with what to do when there can be none."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._directory: Path | None = None

    def __enter__(self) -> PcscAccess:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> PcscAccess:
        """Start the daemon and wait until its reader is there."""
        _require_programs()
        reason = ""
        for _ in range(_TRIES):  # another process may take the port between our look and the daemon's
            for propagation in _PROPAGATIONS if os.geteuid() == 0 else (*_PROPAGATIONS, None):
                try:
                    return self._start(_free_port_pair(), propagation)
                except DeviceError as error:
                    self.close()
                    reason = error.what
        raise DeviceError(
            ErrorCode.DEVICE_FAILED,
            f"pcscd did not start: {reason}",
            "Chips cannot be read.",
            f"Run as root, allow user namespaces, or: sudo install -d -o $USER {_RUN_DIRECTORY}",
        )

    def close(self) -> None:
        """End the daemon. Quick, never raises."""
        guard, self._guard = self._guard, None
        process, self._process = self._process, None
        for child in (guard, process):
            if child is not None and child.poll() is None:
                child.terminate()
                try:
                    child.wait(2.0)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        if guard is not None and guard.stdin is not None:
            guard.stdin.close()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def _start(self, port: int, propagation: str | None) -> PcscAccess:
        """`propagation` of the private mount namespace (unshare(1)); None: the system's own /run/pcscd."""
        private = propagation is not None
        self._directory = Path(tempfile.mkdtemp(prefix="corridor-pcsc-"))
        configuration = self._directory / "reader.conf"
        configuration.write_text(
            f'FRIENDLYNAME "{READER_NAME}"\nDEVICENAME /dev/null:{port:#06x}\n'
            f"LIBPATH {_DRIVERS}\nCHANNELID {port:#06x}\n"
        )
        daemon = f"{_which('pcscd')} --foreground --config {configuration}{_polkit_option()}"
        if propagation is not None:
            user = [] if os.geteuid() == 0 else ["--map-root-user"]
            # `exec` keeps one process id all the way, so that /proc/<pid>/root is the daemon's.
            script = f"{_EMPTY_RUN_DIRECTORY} && exec {daemon}"
            command = ["unshare", *user, "--mount", "--propagation", propagation, "sh", "-c", script]
        else:
            _require_writable_run_directory()
            command = daemon.split()
        with (self._directory / "pcscd.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (fixed words and our own paths)
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        sock = Path(f"/proc/{self._process.pid}/root{_SOCKET}") if private else _SOCKET
        self._wait_until_ready(sock, port)
        self._guard = _end_with_us(self._process.pid)
        return PcscAccess(READER_NAME, port, {"PCSCLITE_CSOCK_NAME": str(sock)} if private else {})

    def _wait_until_ready(self, sock: Path, port: int) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                raise DeviceError(ErrorCode.DEVICE_FAILED, "pcscd ended at once")
            if _listens(sock) and _port_taken(port):
                return
            time.sleep(0.02)
        raise DeviceError(ErrorCode.DEVICE_TIMEOUT, "pcscd was not ready in time")


def _end_with_us(pid: int) -> subprocess.Popen[bytes]:
    """A shell that ends the daemon when this process is gone, however it went: its input closes then."""
    script = f'read -r _; [ "$(cat /proc/{pid}/comm)" = pcscd ] && kill {pid}'
    return subprocess.Popen(  # noqa: S603 (fixed words and a number)
        ["/bin/sh", "-c", script], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _require_programs() -> None:
    missing = [name for name in ("pcscd", "unshare") if _which(name) is None]
    if not Path(_DRIVERS).exists():
        missing.append("vsmartcard-vpcd")
    if missing:
        raise DeviceError(
            ErrorCode.DEVICE_MISSING,
            f"not installed: {', '.join(missing)}",
            "Chips cannot be read.",
            "apt-get install pcscd vsmartcard-vpcd util-linux",
        )


def _which(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def _require_writable_run_directory() -> None:
    if _listens(_SOCKET):
        raise DeviceError(
            ErrorCode.DEVICE_FAILED,
            "another pcscd runs and this user may not start a private one",
            "The virtual reader cannot be offered.",
            "Run as root, or stop the other daemon.",
        )
    if not os.access(_RUN_DIRECTORY, os.W_OK):
        raise DeviceError(
            ErrorCode.DEVICE_FAILED,
            f"{_RUN_DIRECTORY} is not writable",
            "The virtual reader cannot be offered.",
            f"Run as root, or: sudo install -d -o $USER {_RUN_DIRECTORY}",
        )


def _polkit_option() -> str:
    """Newer daemons ask polkit about every client unless told not to."""
    words = subprocess.run(  # noqa: S603 (found on the system's path)
        [_which("pcscd") or "pcscd", "--help"], capture_output=True, check=False, timeout=10
    )
    return " --disable-polkit" if b"--disable-polkit" in words.stdout + words.stderr else ""


def _free_port_pair() -> int:
    """A port whose successor is free too: the driver opens one for each of its two slots."""
    for _ in range(200):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            if port >= 0xFFFE:
                continue
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise DeviceError(ErrorCode.DEVICE_FAILED, "no free port for the virtual reader")


def _port_taken(port: int) -> bool:
    """True when somebody listens, told by the table of sockets: a connection would be taken for a card."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == "0A":
                    return True
    return False


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def main() -> int:
    """Hold a daemon until stdin ends; print how to reach it. For trying things by hand."""
    with PcscDaemon() as access:
        sys.stdout.write(f"{access.reader_url}\n{access.vpcd_port}\n{dict(access.environment)}\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
