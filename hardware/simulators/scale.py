"""A simulated scale: a pseudo-terminal that speaks MT-SICS level 0 (Mettler Toledo reference manual).

Commands `S`, `SI`, `I4`, `Z`, `@`; answers `S S`, `S D`, `S I`, `S +`, `S -`, `ES`. The weight settles after a
change as a bag on a real platform does.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from typing import Literal, get_args

ScaleFault = Literal["unstable", "overload", "underload", "busy", "mute", "garbage"]
SCALE_FAULTS: tuple[str, ...] = get_args(ScaleFault)

_STABLE_WAIT = 2.0  # how long `S` waits for a stable weight before it answers `S I`


class SimulatedScale:
    """A scale on a pty; `path` goes into the kiosk's configuration as `mt-sics:PATH`."""

    def __init__(self, settle_seconds: float = 0.4, unit: Literal["kg", "g", "lb"] = "kg") -> None:
        self._main, self._terminal = os.openpty()
        tty.setraw(self._terminal)
        self.path = os.ttyname(self._terminal)
        self.fault: ScaleFault | None = None
        self._unit = unit
        self._settle_seconds = settle_seconds
        self._from_kg = self._to_kg = 0.0
        self._changed_at = time.monotonic() - settle_seconds
        self._stop_reading, self._stop_writing = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="simulated scale", daemon=True)
        self._thread.start()

    def set_weight(self, kilograms: float) -> None:
        """Put something on the platform, or (0) take it off; the display settles after `settle_seconds`."""
        self._from_kg, _ = self._reading()
        self._to_kg = kilograms
        self._changed_at = time.monotonic()

    @property
    def kilograms(self) -> float:
        return self._to_kg

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._stop_writing, b"x")
        self._thread.join(timeout=2.0)
        for descriptor in (self._main, self._terminal, self._stop_reading, self._stop_writing):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _reading(self) -> tuple[float, bool]:
        since = time.monotonic() - self._changed_at
        if since >= self._settle_seconds:
            return self._to_kg, self.fault != "unstable"
        share = since / self._settle_seconds
        return self._from_kg + (self._to_kg - self._from_kg) * share, False

    def _serve(self) -> None:
        received = b""
        while True:
            ready, _, _ = select.select([self._main, self._stop_reading], [], [])
            if self._stop_reading in ready:
                return
            try:
                received += os.read(self._main, 256)
            except OSError:
                return
            *commands, received = received.replace(b"\r", b"\n").split(b"\n")
            for command in commands:
                answer = self._answer(command.strip().decode("ascii", "replace")) if command.strip() else None
                if answer is not None:
                    os.write(self._main, answer)

    def _answer(self, command: str) -> bytes | None:
        if self.fault == "mute":
            return None
        if self.fault == "garbage":
            return b"\x80\xffS S 12,,4 kk\r\nS S nan kg\r\n"
        if command == "S":
            deadline = time.monotonic() + _STABLE_WAIT
            while not self._reading()[1] and time.monotonic() < deadline:
                time.sleep(0.02)
            return self._weight() if self._reading()[1] else b"S I\r\n"
        if command == "SI":
            return self._weight()
        if command == "I4":
            return b'I4 A "CORRIDOR-SIM"\r\n'
        if command == "@":
            return b'I4 A "CORRIDOR-SIM"\r\n'
        if command == "Z":
            return b"Z A\r\n"
        return b"ES\r\n"

    def _weight(self) -> bytes:
        marks = {"overload": "S +", "underload": "S -", "busy": "S I"}
        if self.fault in marks:
            return f"{marks[self.fault]}\r\n".encode()
        kilograms, stable = self._reading()
        if self.fault == "unstable":
            kilograms += 0.05 * (1 + time.monotonic() % 1)
        value = {"kg": kilograms, "g": kilograms * 1000, "lb": kilograms / 0.45359237}[self._unit]
        shown = f"{value:.0f}" if self._unit == "g" else f"{value:.2f}"
        return f"S {'S' if stable else 'D'} {shown:>10} {self._unit}\r\n".encode()


def main(arguments: list[str] | None = None) -> int:
    """`python -m hardware.simulators.scale [KILOGRAMS]`: a scale by itself; a line on stdin sets the weight."""
    import sys

    scale = SimulatedScale()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        scale.set_weight(float(given[0]) if given else 0.0)
        sys.stdout.write(f"mt-sics:{scale.path}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            with contextlib.suppress(ValueError):
                scale.set_weight(float(line))
    except (KeyboardInterrupt, ValueError):
        return 2
    finally:
        scale.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
