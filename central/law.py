"""Which version of the law is in force, and when: read from the activations that two administrators made.

A version is a merged rule pack that never changes. An activation makes it law from a moment on, the local midnight
of a day or, for a rollback, the moment of its approval. Whatever took effect last is in force. Who changes this is
in `central.lawmaking`; here it is only read, as it stands in the database.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from central.storage import Storage
from central.storage.models import StoredActivation, StoredLaw
from declarations.packs import RulePack

ASKED, APPROVED, REJECTED, WITHDRAWN = "asked", "approved", "rejected", "withdrawn"
SHIPPED, DATED, ROLLBACK = "shipped", "dated", "rollback"
SET_UP = "set-up"  # who proposed what came with the installation

# A change reaches kiosks with their next heartbeats: until then a session may begin with the law before it.
NEWS_TRAVELS = timedelta(minutes=5)
# A session that began before midnight ends under the law of its first day; nobody stands at a kiosk for hours.
LONGEST_SESSION = timedelta(hours=2)
_PACKS_KEPT = 8


@dataclass(frozen=True)
class LawVersion:
    """A version as it is referred to: `label` in declarations, `sha256` in decisions."""

    number: int
    label: str
    sha256: str


@dataclass(frozen=True)
class Term:
    """A stretch of time in which a version is in force: from `begins` to just before `ends` (None: not known)."""

    version: LawVersion
    begins: datetime
    ends: datetime | None
    activation: int

    def holds(self, moment: datetime) -> bool:
        return self.begins <= moment and (self.ends is None or moment < self.ends)


@dataclass(frozen=True)
class Applicable:
    """The law by which a record is judged; without `problem` it is the one its session rightly began with."""

    version: LawVersion
    pack: RulePack
    problem: str = ""


class LawBook:
    """The terms of a site, read anew each time; packs, which never change, stay parsed. Threads may share it."""

    def __init__(self, storage: Storage, site_id: str) -> None:
        self._storage = storage
        self._site = site_id
        self._packs: OrderedDict[str, RulePack] = OrderedDict()
        self._lock = threading.Lock()

    def terms(self) -> tuple[Term, ...]:
        """Every term there was, is and will be, by the moment it begins."""
        with self._storage.read() as session:
            rows = session.execute(
                select(
                    StoredActivation.activation,
                    StoredActivation.effective_at,
                    StoredLaw.version,
                    StoredLaw.label,
                    StoredLaw.sha256,
                )
                .join(
                    StoredLaw,
                    (StoredLaw.site_id == StoredActivation.site_id)
                    & (StoredLaw.version == StoredActivation.version),
                )
                .where(StoredActivation.site_id == self._site, StoredActivation.state == APPROVED)
                .order_by(StoredActivation.effective_at, StoredActivation.activation)
            ).all()
        ends = [row.effective_at for row in rows[1:]] + [None]
        return tuple(
            Term(LawVersion(row.version, row.label, row.sha256), row.effective_at, end, row.activation)
            for row, end in zip(rows, ends, strict=True)
            if row.effective_at != end  # replaced in the moment it began
        )

    def term(self, at: datetime) -> Term:
        """The term that holds at a moment; the first one before there was any. Raises LookupError without law."""
        terms = self.terms()
        if not terms:
            raise LookupError("no version of the law is in force")
        return next((term for term in terms if term.holds(at)), terms[0])

    def pack(self, sha256: str) -> RulePack:
        """The pack of a version. Raises KeyError for a hash that is not kept."""
        with self._lock:
            if sha256 in self._packs:
                self._packs.move_to_end(sha256)
                return self._packs[sha256]
        with self._storage.read() as session:
            content = session.scalar(
                select(StoredLaw.content).where(StoredLaw.site_id == self._site, StoredLaw.sha256 == sha256)
            )
        if content is None:
            raise KeyError(sha256)
        pack = RulePack.model_validate_json(content)
        with self._lock:
            self._packs[sha256] = pack
            while len(self._packs) > _PACKS_KEPT:
                self._packs.popitem(last=False)
        return pack

    def applicable(
        self, labels: frozenset[str], sha256: str | None, began: datetime, received: datetime
    ) -> Applicable:
        """The law for a session that names its pack, by `labels` of its declarations and, where it says so, hash.

        It is the named version if that was in force at some moment from when the session began (less the time
        that news takes) until now. For anything else it is the law of this moment, and `problem` says that the
        traveller was shown another: such a record is never cleared.
        """
        terms = self.terms()
        if not terms:
            raise LookupError("no version of the law is in force")
        now = next((term.version for term in terms if term.holds(received)), terms[0].version)
        if not labels and sha256 is None:
            return Applicable(now, self.pack(now.sha256))  # nothing was declared by any pack
        earliest = min(began, received) - NEWS_TRAVELS
        for term in reversed(terms):
            named = labels <= {term.version.label} and sha256 in (None, term.version.sha256)
            meanwhile = term.begins <= received and (term.ends is None or earliest < term.ends)
            if named and meanwhile:
                return Applicable(term.version, self.pack(term.version.sha256))
        known = any(labels <= {term.version.label} for term in terms)
        return Applicable(now, self.pack(now.sha256), "not_in_force" if known else "not_known")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day begins in a zone: the first one of it, also where clocks change at midnight."""
    # fold=0: of a midnight that comes twice the first; one that is skipped is the moment of the change itself.
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(ZoneInfo("UTC"))


def day_of_law(began: datetime, received: datetime, zone: ZoneInfo) -> date:
    """The local day whose law and rates judge a session: the one it began on, however late it ends.

    A record that comes long after its session, or out of the future, is judged as of the day it comes.
    """
    fresh = timedelta(0) <= received - began <= LONGEST_SESSION
    return (began if fresh else received).astimezone(zone).date()
