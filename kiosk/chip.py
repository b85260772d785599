"""The chip step: waits for the chip, has it read in its own process, joins what it says to the printed page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.checks import DOCUMENT_CHECKS, CheckName, Verdict
from contracts.party import TravelDocument
from documents.mrz import Mrz, MrzKey
from documents.reading import ChipReading, unread_chip
from documents.trust import TrustStore
from hardware.ports import ChipReader, DeviceError
from kiosk.document_page import OPTICAL_CHECKS

WAIT_S = 4.0  # the antenna lies under the page: a chip that is there answers at once


class Worker(Protocol):
    """`hardware.chip.worker.ChipWorker`, as far as it is used here."""

    def read(
        self,
        reader_url: str,
        key: MrzKey | None,
        trust: TrustStore,
        now: datetime,
        optical: Mrz | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> ChipReading: ...


@dataclass(frozen=True)
class ChipStep:
    """Reads the chip that lies on one reader."""

    reader: ChipReader
    reader_url: str
    worker: Worker
    trust: TrustStore

    def read(self, page: Mrz, now: datetime, progress: Callable[[str, float], None]) -> ChipReading:
        """Never raises: a reader that fails and a chip that is not there are answers too."""
        try:
            if not self.reader.wait_for_card(WAIT_S):
                return unread_chip(Verdict.ERROR, "no_card")
            return self.worker.read(self.reader_url, page.key, self.trust, now, page, progress)
        except DeviceError as error:
            return unread_chip(Verdict.ERROR, str(error.code).lower())


def opened(reading: ChipReading) -> bool:
    """Identity can be established from this chip: it let us in, or asks for no key, and gave its identity file."""
    let_in = reading.check(CheckName.ACCESS)
    in_clear = (Verdict.NOT_PRESENT, "no_access_control")
    if let_in.verdict is not Verdict.PASSED and (let_in.verdict, let_in.reason) != in_clear:
        return False
    return reading.document is not None


def why_not(reading: ChipReading) -> str:
    """The reason code of a chip that could not be used, for the hint on the screen."""
    access = reading.check(CheckName.ACCESS)
    return access.reason if access.verdict is not Verdict.PASSED else "chip_unreadable"


def join(page: TravelDocument, reading: ChipReading) -> TravelDocument:
    """One document: identity from the chip where it gave any, the optical checks of the page, all chip checks."""
    checks = {check.name: check for check in page.checks if check.name in OPTICAL_CHECKS}
    checks |= {check.name: check for check in reading.checks}
    base = reading.document or page
    return base.model_copy(
        update={
            "has_chip": True if reading.groups else None,
            "checks": tuple(checks[name] for name in DOCUMENT_CHECKS),
            "format": base.format if reading.document else page.format,
        }
    )
