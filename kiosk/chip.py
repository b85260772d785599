"""The chip step: who reads it, whether it could be used, and the document that page and chip make together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from contracts.checks import DOCUMENT_CHECKS, PRINTED_CHECKS, CheckName, Verdict
from contracts.party import TravelDocument
from documents.mrz import Mrz, MrzKey
from documents.reading import ChipReading
from documents.trust import TrustStore

# A chip that anybody can read, and one that was opened another way than it offers: identity yes, green never.
_LET_IN_ALL_THE_SAME = ((Verdict.NOT_PRESENT, "no_access_control"), (Verdict.FAILED, "pace_downgraded"))


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


def opened(reading: ChipReading) -> bool:
    """Identity can be established from this chip: it let us in, or asks for no key, and gave its identity file."""
    let_in = reading.check(CheckName.ACCESS)
    if let_in.verdict is not Verdict.PASSED and (let_in.verdict, let_in.reason) not in _LET_IN_ALL_THE_SAME:
        return False
    return reading.document is not None


def why_not(reading: ChipReading) -> str:
    """The reason code of a chip that could not be used, for the hint on the screen."""
    access = reading.check(CheckName.ACCESS)
    return access.reason if access.verdict is not Verdict.PASSED else "chip_unreadable"


def join(page: TravelDocument, reading: ChipReading) -> TravelDocument:
    """One document: identity from the chip where it gave any, the optical checks of the page, all chip checks."""
    checks = {check.name: check for check in page.checks if check.name in PRINTED_CHECKS}
    checks |= {check.name: check for check in reading.checks}
    base = reading.document or page
    return base.model_copy(
        update={
            "has_chip": True if reading.groups else None,
            "checks": tuple(checks[name] for name in DOCUMENT_CHECKS),
            "format": base.format if reading.document else page.format,
        }
    )
