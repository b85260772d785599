"""Receipt printers that speak ESC/POS, through python-escpos: USB, network, device file, and a dummy.

| URL | printer |
|---|---|
| `escpos:usb:04b8:0e15` | USB, vendor and product in hexadecimal (needs pyusb) |
| `escpos:tcp:HOST:PORT` | network, usually port 9100 |
| `escpos:file:/dev/usb/lp0` | a device file; it cannot be asked about its paper |
| `escpos:dummy:DIR` | none: the bytes are kept as `.bin` beside a `.pdf`; a file `no-paper` in DIR is the fault |
"""

from __future__ import annotations

import contextlib
import importlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.ports import DeviceError, Health, ReceiptDocument
from hardware.printer.receipt import receipt_pdf, receipt_picture

KEPT_RECEIPTS = 50  # of the dummy; older ones are deleted
_TIMEOUT = 3.0
_PROFILE = "TM-T20II"  # python-escpos' word for 80 mm paper, 576 dots, a cutter
_PAPER_STATUS = b"\x10\x04\x04"  # DLE EOT 4: roll paper sensor
_NO_PAPER, _LOW_PAPER = 0x60, 0x0C

Connect = Callable[[], Any]  # returns an open python-escpos printer


class EscposPrinter:
    """A printer behind a connection that is opened for each receipt, so that it may be switched off in between."""

    simulated = False

    def __init__(self, name: str, connect: Connect, *, answers: bool) -> None:
        self.name = name
        self._connect = connect
        self._answers = answers
        self._one_at_a_time = threading.Lock()
        self._health = Health(DeviceState.WORKING, "Not used yet.")

    def print_receipt(self, receipt: ReceiptDocument) -> None:
        with self._one_at_a_time:
            try:
                with _opened(self._connect) as printer:
                    self._health = self._paper(printer)
                    _send(printer, receipt)
            except DeviceError as error:
                self._health = Health(DeviceState.STOPPED, error.what, error.code)
                raise

    def health(self) -> Health:
        return self._health

    def close(self) -> None:
        """The connection is closed after each receipt."""

    def _paper(self, printer: Any) -> Health:
        """Ask for paper. Raises DeviceError(PRINTER_NO_PAPER), or DEVICE_FAILED when there is no answer."""
        if not self._answers:
            return Health(DeviceState.WORKING, "This connection cannot ask the printer about its paper.")
        status: bytes = printer.query_status(_PAPER_STATUS)
        if not status:
            raise _failed("does not answer")
        if status[-1] & _NO_PAPER:
            raise no_paper()
        if status[-1] & _LOW_PAPER:
            return Health(DeviceState.WATCH, "The printer's paper is low.")
        return Health(DeviceState.WORKING)


class DummyPrinter:
    """No printer: keeps the bytes that one would get, and the receipt as a PDF."""

    name = "escpos-dummy"
    simulated = True

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._one_at_a_time = threading.Lock()
        # WeasyPrint takes more than a second to import; the first traveller should not wait for it.
        self._warming = threading.Thread(target=importlib.import_module, args=("weasyprint",), daemon=True)
        self._warming.start()

    def print_receipt(self, receipt: ReceiptDocument) -> None:
        from escpos.printer import Dummy

        with self._one_at_a_time:
            if self._out_of_paper():
                raise no_paper()
            with _opened(lambda: Dummy(profile=_PROFILE)) as printer:
                _send(printer, receipt)
                printed: bytes = printer.output
            self._warming.join()
            name = re.sub(r"[^A-Za-z0-9]+", "-", receipt.number).strip("-") or "receipt"
            self._keep(f"{name}.bin", printed)
            self._keep(f"{name}.pdf", receipt_pdf(receipt))
            self._forget_old()

    def health(self) -> Health:
        if self._out_of_paper():
            error = no_paper()
            return Health(DeviceState.STOPPED, error.what, error.code)
        return Health(DeviceState.WORKING)

    def close(self) -> None:
        """Nothing is open."""

    def _out_of_paper(self) -> bool:
        return (self._directory / "no-paper").exists()

    def _keep(self, name: str, content: bytes) -> None:
        path = self._directory / name
        try:
            path.touch(mode=0o600)
            path.write_bytes(content)
        except OSError as error:
            raise _failed(f"cannot keep the receipt ({type(error).__name__})") from None

    def _forget_old(self) -> None:
        for suffix in ("bin", "pdf"):
            kept = sorted(self._directory.glob(f"*.{suffix}"), key=lambda path: path.stat().st_mtime_ns)
            for path in kept[:-KEPT_RECEIPTS]:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _opened(connect: Connect) -> Iterator[Any]:
    """The printer that `connect` opens, closed afterwards; its errors and the system's become DeviceError."""
    from escpos.exceptions import Error

    try:
        printer = connect()
        try:
            yield printer
        finally:
            printer.close()
    except TimeoutError:
        raise _failed("does not answer") from None
    except (Error, OSError, RuntimeError) as error:  # pyusb's own derive from OSError
        raise _failed(f"cannot be used ({type(error).__name__})") from None


def _send(printer: Any, receipt: ReceiptDocument) -> None:
    printer.hw("INIT")
    printer.image(receipt_picture(receipt), impl="bitImageRaster")
    printer.cut()


def no_paper() -> DeviceError:
    return DeviceError(
        ErrorCode.PRINTER_NO_PAPER,
        "The receipt printer is out of paper.",
        "The traveller keeps the receipt on the screen; the journey goes on.",
        "Put in a new roll of 80 mm thermal paper.",
    )


def _failed(what: str) -> DeviceError:
    return DeviceError(
        ErrorCode.DEVICE_FAILED,
        f"The receipt printer {what}.",
        "The receipt is not printed; the traveller sees it on the screen.",
        "Check the printer's power, cover and cable.",
    )


def open_printer(url: str) -> EscposPrinter | DummyPrinter:
    """The printer at a URL (forms above). Raises DeviceError for another form or a missing directory."""
    _, _, rest = url.partition(":")
    kind, _, place = rest.partition(":")
    if kind == "dummy" and place:
        directory = Path(place)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            raise _failed("has no directory to keep its receipts in") from None
        return DummyPrinter(directory)
    if kind == "file" and place:
        return EscposPrinter("escpos-file", lambda: _file(place), answers=False)
    host, _, number = place.rpartition(":")
    if kind == "tcp" and host and number.isdecimal():
        return EscposPrinter("escpos-tcp", lambda: _network(host, int(number)), answers=True)
    if kind == "usb" and re.fullmatch(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}", place):
        vendor, product = (int(part, 16) for part in place.split(":"))
        if importlib.util.find_spec("usb") is None:
            raise DeviceError(
                ErrorCode.DEVICE_MISSING,
                "USB printers need the package pyusb, which is not installed.",
                "Receipts are not printed.",
                "Install pyusb, or name the printer's device file as escpos:file:/dev/usb/lp0.",
            )
        return EscposPrinter("escpos-usb", lambda: _usb(vendor, product), answers=True)
    raise DeviceError(
        ErrorCode.DEVICE_MISSING,
        "The printer's URL has none of the known forms.",
        "Receipts are not printed.",
        "Write escpos:usb:VID:PID, escpos:tcp:HOST:PORT, escpos:file:PATH or escpos:dummy:DIR.",
    )


def _network(host: str, port: int) -> Any:
    from escpos.printer import Network

    printer = Network(host, port, timeout=_TIMEOUT, profile=_PROFILE)
    # Its own `open` leaves the socket open when the printer is off.
    printer.device = socket.create_connection((host, port), timeout=_TIMEOUT)
    return printer


def _usb(vendor: int, product: int) -> Any:
    from escpos.printer import Usb

    printer = Usb(vendor, product, timeout=int(_TIMEOUT * 1000), profile=_PROFILE)
    printer.open()
    return printer


def _file(path: str) -> Any:
    from escpos.printer import File

    printer = File(path, profile=_PROFILE)
    printer.open()
    return printer
