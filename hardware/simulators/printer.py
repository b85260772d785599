"""A simulated network printer: takes ESC/POS bytes over loopback TCP, keeps them, and answers status requests."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Literal, get_args

PrinterFault = Literal["no_paper", "low_paper", "mute"]
PRINTER_FAULTS: tuple[str, ...] = get_args(PrinterFault)

_REQUEST = b"\x10\x04\x04"  # DLE EOT 4: roll paper sensor
_ANSWERS = {None: b"\x12", "low_paper": b"\x1e", "no_paper": b"\x72"}


class SimulatedPrinter:
    """A printer at 127.0.0.1:`port`; `printed` holds the bytes of each connection that printed something."""

    def __init__(self) -> None:
        self.fault: PrinterFault | None = None
        self.printed: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._closed = False
        self._one_done = threading.Condition()
        self._thread = threading.Thread(target=self._serve, name="simulated printer", daemon=True)
        self._thread.start()

    def wait_for_receipts(self, count: int, seconds: float) -> bool:
        """True once `count` receipts have arrived whole."""
        with self._one_done:
            return self._one_done.wait_for(lambda: len(self.printed) >= count, seconds)

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass  # wakes `accept`
        self._thread.join(timeout=2.0)
        self._server.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._server.accept()
            with connection:
                if self._closed:
                    return
                received = self._take(connection)
            if received:
                with self._one_done:
                    self.printed.append(received)
                    self._one_done.notify_all()

    def _take(self, connection: socket.socket) -> bytes:
        received = b""
        with contextlib.suppress(OSError):
            while chunk := connection.recv(65_536):
                received += chunk
                # Only before the receipt: its raster may hold the same three bytes.
                if received == _REQUEST:
                    received = b""
                    answer = _ANSWERS.get(self.fault)
                    if answer is not None:
                        connection.sendall(answer)
        return received
