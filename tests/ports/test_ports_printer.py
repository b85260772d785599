"""One suite for the receipt printers: what arrives at the printer is the receipt, code and all."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from pdfminer.converter import TextConverter
from pdfminer.layout import LAParams
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.ports import DeviceError, ReceiptDocument, ReceiptPrinter
from hardware.printer.escpos_printer import open_printer
from hardware.printer.receipt import WIDTH, receipt_picture
from hardware.simulators.printer import SimulatedPrinter

RECEIPT = ReceiptDocument("Зелёный коридор", "R-1024", ("Проходите к выходу 3.",), "token-of-R-1024", "ru")
ARABIC = ReceiptDocument(
    "الممر الأخضر", "R-1025", ("يرجى التوجه إلى المخرج رقم 3",), "token-of-R-1025", "ar", True
)


@dataclass
class Printing:
    printer: ReceiptPrinter
    printed: Callable[[], bytes]


@pytest.fixture
def network_printer() -> Iterator[SimulatedPrinter]:
    printer = SimulatedPrinter()
    yield printer
    printer.close()


@pytest.fixture(params=["dummy", "file", "tcp"])
def printing(
    request: pytest.FixtureRequest, tmp_path: Path, network_printer: SimulatedPrinter
) -> Iterator[Printing]:
    def from_network() -> bytes:
        assert network_printer.wait_for_receipts(1, 10)
        return network_printer.printed[-1]

    if request.param == "dummy":
        url, printed = f"escpos:dummy:{tmp_path}", lambda: next(tmp_path.glob("*.bin")).read_bytes()
    elif request.param == "file":
        url, printed = f"escpos:file:{tmp_path}/lp0", (tmp_path / "lp0").read_bytes
    else:
        url, printed = f"escpos:tcp:127.0.0.1:{network_printer.port}", from_network
    printer = open_printer(url)
    yield Printing(printer, printed)
    printer.close()


def _raster(printed: bytes) -> np.ndarray:
    """The rows of dots in a run of `GS v 0` commands, black as 0."""
    rows = []
    at = printed.find(b"\x1dv0")
    while at >= 0:
        across = int.from_bytes(printed[at + 4 : at + 6], "little")
        down = int.from_bytes(printed[at + 6 : at + 8], "little")
        dots = np.frombuffer(printed[at + 8 : at + 8 + across * down], np.uint8).reshape(down, across)
        rows.append(np.unpackbits(dots, axis=1))
        at = printed.find(b"\x1dv0", at + 8 + across * down)
    return np.asarray(255 * (1 - np.vstack(rows)), np.uint8)


@pytest.mark.parametrize("receipt", [RECEIPT, ARABIC], ids=["ru", "ar"])
def test_what_the_printer_gets_is_the_receipt(printing: Printing, receipt: ReceiptDocument) -> None:
    printing.printer.print_receipt(receipt)
    picture = _raster(printing.printed())
    assert picture.shape[1] == WIDTH
    assert (picture == np.asarray(receipt_picture(receipt).convert("L"))).all()
    assert zxingcpp.read_barcode(picture).text == receipt.token
    assert printing.printer.health().state is DeviceState.WORKING


def test_no_paper_in_a_network_printer(network_printer: SimulatedPrinter) -> None:
    printer = open_printer(f"escpos:tcp:127.0.0.1:{network_printer.port}")
    network_printer.fault = "no_paper"
    with pytest.raises(DeviceError) as told:
        printer.print_receipt(RECEIPT)
    assert told.value.code is ErrorCode.PRINTER_NO_PAPER
    assert printer.health().error is ErrorCode.PRINTER_NO_PAPER
    assert network_printer.printed == []
    network_printer.fault = "low_paper"
    printer.print_receipt(RECEIPT)
    assert printer.health().state is DeviceState.WATCH


def test_no_paper_in_the_dummy(tmp_path: Path) -> None:
    printer = open_printer(f"escpos:dummy:{tmp_path}")
    (tmp_path / "no-paper").touch()
    with pytest.raises(DeviceError) as told:
        printer.print_receipt(RECEIPT)
    assert told.value.code is ErrorCode.PRINTER_NO_PAPER
    assert printer.health().error is ErrorCode.PRINTER_NO_PAPER
    assert not list(tmp_path.glob("*.pdf"))


def test_a_printer_that_is_off(network_printer: SimulatedPrinter) -> None:
    printer = open_printer(f"escpos:tcp:127.0.0.1:{network_printer.port}")
    network_printer.close()
    with pytest.raises(DeviceError) as told:
        printer.print_receipt(RECEIPT)
    assert told.value.code is ErrorCode.DEVICE_FAILED
    assert printer.health().state is DeviceState.STOPPED


@pytest.mark.parametrize("url", ["escpos:", "escpos:tcp:host", "escpos:usb:1:2", "escpos:fax:1"])
def test_other_forms_of_url_are_told(url: str) -> None:
    with pytest.raises(DeviceError) as told:
        open_printer(url)
    assert told.value.code is ErrorCode.DEVICE_MISSING


def _text(pdf: Path) -> str:
    text, resources = io.StringIO(), PDFResourceManager()
    with pdf.open("rb") as opened:
        interpreter = PDFPageInterpreter(resources, TextConverter(resources, text, laparams=LAParams()))
        for page in PDFPage.get_pages(opened):
            interpreter.process_page(page)
    return text.getvalue()


@pytest.mark.parametrize("receipt", [RECEIPT, ARABIC], ids=["ru", "ar"])
def test_the_kept_pdf_holds_real_text(tmp_path: Path, receipt: ReceiptDocument) -> None:
    open_printer(f"escpos:dummy:{tmp_path}").print_receipt(receipt)
    (pdf,) = tmp_path.glob("*.pdf")
    text = _text(pdf)
    assert receipt.number in text
    for word in receipt.lines[0].split():
        assert (word[::-1] if receipt.right_to_left else word) in text  # as it stands on the paper
    assert pdf.stat().st_mode & 0o077 == 0


def test_the_dummy_forgets_old_receipts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardware.printer.escpos_printer.KEPT_RECEIPTS", 2)
    printer = open_printer(f"escpos:dummy:{tmp_path}")
    for number in range(4):
        printer.print_receipt(ReceiptDocument("Receipt", f"R-{number}", (), "token"))
    assert sorted(path.name for path in tmp_path.glob("*.bin")) == ["R-2.bin", "R-3.bin"]
