"""What kiosks are told of the law: the packs in force and to come, with the rates, under one growing number."""

from __future__ import annotations

import threading
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central.law import LawBook
from central.rates import RatesBook
from central.storage import Storage
from central.storage.models import Counter, StoredActivation, StoredLaw, StoredRates
from contracts.api import LawBundle, PackInForce
from contracts.canonical import canonical_json, content_hash

_COUNTER = "law"
_PACKS = 8


class LawNews:
    """The bundle of a site. It depends on what is stored alone, so it is made once for each number."""

    def __init__(self, storage: Storage, site_id: str, law: LawBook, rates: RatesBook) -> None:
        self._storage, self._site, self._law, self._rates = storage, site_id, law, rates
        self._made: tuple[LawBundle, str] | None = None
        self._lock = threading.Lock()

    def wanted(self) -> tuple[int, str | None]:
        """Number and hash of the bundle that kiosks shall have; (0, None) before there is any law."""
        made = self._current()
        return (0, None) if made is None else (made[0].version, made[1])

    def bundle(self) -> LawBundle | None:
        """The bundle without its signature."""
        made = self._current()
        return None if made is None else made[0]

    def _current(self) -> tuple[LawBundle, str] | None:
        with self._storage.read() as session:
            counter = session.get(Counter, (self._site, _COUNTER))
        if counter is None:
            return None
        with self._lock:
            if self._made is None or self._made[0].version != counter.value:
                bundle = self._make(counter.value)
                self._made = bundle, content_hash(bundle)
            return self._made

    def _make(self, number: int) -> LawBundle:
        told = self._last_change()
        terms = [term for term in self._law.terms() if term.ends is None or term.ends > told]
        with self._storage.read() as session:
            packs = tuple(
                PackInForce(
                    sha256=term.version.sha256,
                    effective_at=term.begins,
                    content=session.scalars(
                        select(StoredLaw.content).where(
                            StoredLaw.site_id == self._site, StoredLaw.sha256 == term.version.sha256
                        )
                    )
                    .one()
                    .decode(),
                )
                for term in terms[:_PACKS]
            )
        rates = tuple(canonical_json(rates).decode() for rates in self._rates.latest())
        return LawBundle(site_id=self._site, version=number, packs=packs, rates=rates)

    def _last_change(self) -> datetime:
        """When the number last grew: what ended before is no news."""
        with self._storage.read() as session:
            moments = [
                session.scalar(select(func.max(column)).where(table.site_id == self._site))
                for table, column in (
                    (StoredActivation, StoredActivation.decided_at),
                    (StoredActivation, StoredActivation.asked_at),
                    (StoredActivation, StoredActivation.withdrawn_at),
                    (StoredRates, StoredRates.imported_at),
                )
            ]
        return max(moment for moment in moments if moment is not None)


def announce(session: Session, site_id: str) -> None:
    """Within a write that changes packs or rates: kiosks will be told."""
    counter = session.get(Counter, (site_id, _COUNTER))
    if counter is None:
        session.add(Counter(site_id=site_id, name=_COUNTER, value=1))
    else:
        counter.value += 1
