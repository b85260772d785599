"""The virtual reader's line (vpcd): the card connects by TCP, the reader asks.

Each message is two bytes of length, big-endian, and that many bytes: a command APDU, or one control byte
(0 power off, 1 power on, 2 reset, 4 send the ATR). A card is in the field while its connection stands.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Protocol

ATR = bytes.fromhex("3B80800101")  # contactless, T=1: extended APDUs pass
_POWER = {0: "off", 1: "on", 2: "reset"}
_GET_ATR = 4
_CONNECT_SECONDS = 5.0


class Card(Protocol):
    """What lies on the reader. `process` may raise to leave the field."""

    def process(self, apdu: bytes) -> bytes: ...

    def reset(self) -> None: ...


class CardInSlot:
    """One card in one virtual slot, answered from a thread until `remove` or until the card leaves."""

    def __init__(self, card: Card, host: str, port: int) -> None:
        self._card = card
        self._left_at: float | None = None
        self._socket = _connect(host, port)
        self._thread = threading.Thread(target=self._serve, name="card", daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Break the connection: the card has left the field. A card that is silent is left to its thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(0.5)
        self._socket.close()
        self._left_at = self._left_at or time.monotonic()

    @property
    def left_at(self) -> float | None:
        """When the card left the field (monotonic seconds); None while it is there."""
        return self._left_at

    def _serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                message = self._receive(int.from_bytes(self._receive(2), "big"))
                if len(message) == 1:
                    if message[0] == _GET_ATR:
                        self._send(ATR)
                    elif message[0] in _POWER:
                        self._card.reset()
                    continue
                try:
                    answer = self._card.process(message)
                except Exception:
                    break  # whatever happened to the card, the field is empty now
                self._send(answer)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._left_at = self._left_at or time.monotonic()

    def _receive(self, count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            # The kernel forgets it after each receive; a delayed acknowledgement costs 44 ms per APDU.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            if not part:
                raise EOFError
            parts += part
        return parts

    def _send(self, message: bytes) -> None:
        self._socket.sendall(len(message).to_bytes(2, "big") + message)


def _connect(host: str, port: int) -> socket.socket:
    """A connection to the virtual reader, which may still be starting. OSError when it never listens."""
    end = time.monotonic() + _CONNECT_SECONDS
    while True:
        try:
            connection = socket.create_connection((host, port), timeout=_CONNECT_SECONDS)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
            continue
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
