"""The random sample (rule 6, ADR 7): a secret lot per document and period, the same however often one starts.

`HMAC-SHA-256(seed of the period, period | direction | issuer | number) / 2^64 < rate`, over the first eight bytes.
The sample's population is every adult whose journey was completed: who ends at an officer is looked at anyway.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from contracts.party import Party
from contracts.transaction import TransactionRecord

FIXED_PERIOD = "fixed"
Rotation = Literal["day", "none"]


@dataclass(frozen=True, repr=False)
class Lottery:
    """One period's draw. `seed` is secret; `commitment` may be stored and shown."""

    period: str
    rate: float
    seed: bytes

    @property
    def commitment(self) -> str:
        """SHA-256 of period and seed: shows later that the seed was fixed before the draw."""
        return hashlib.sha256(f"{self.period}|".encode() + self.seed).hexdigest()

    def lot(self, direction: str, issuer: str, number: str) -> float:
        """The lot in [0, 1) of one document."""
        message = "|".join((self.period, direction, issuer, number)).encode()
        return int.from_bytes(hmac.digest(self.seed, message, "sha256")[:8], "big") / 2**64

    def drawn(self, record: TransactionRecord) -> frozenset[str]:
        """The person_ids of a record that are in the sample."""
        return frozenset(
            person_id
            for person_id, issuer, number in _documents(record)
            if self.lot(record.direction.value, issuer, number) < self.rate
        )


def lottery(secret: bytes, moment: datetime, zone: ZoneInfo, rate: float, rotation: Rotation) -> Lottery:
    """The draw at a moment: the seed of the local day, or the fixed one of a demonstration."""
    period = FIXED_PERIOD if rotation == "none" else moment.astimezone(zone).date().isoformat()
    return of_period(secret, period, rate)


def of_period(secret: bytes, period: str, rate: float) -> Lottery:
    """The draw of a stored period, for replay."""
    seed = (
        secret if period == FIXED_PERIOD else hmac.digest(secret, f"corridor sample|{period}".encode(), "sha256")
    )
    return Lottery(period, rate, seed)


def population(record: TransactionRecord) -> int:
    """How many of the party take part in the draw."""
    return len(_documents(record))


def _documents(record: TransactionRecord) -> list[tuple[str, str, str]]:
    if record.finished != "complete":
        return []
    party: Party = record.party
    found = []
    for person in party.persons:
        if person.role == "minor":
            continue
        document = person.identity
        if document is not None and document.issuer and document.number:
            found.append((person.person_id, document.issuer, document.number))
        else:
            found.append((person.person_id, "", f"{record.record_id}:{person.person_id}"))
    return found
