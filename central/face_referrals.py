"""What officers found of the site's own face comparisons: counts, rates by group, and whether groups differ.

Counted are the people of the last days. The machine said match or not, or had no usable picture; officers said of
some who had not matched that they are the holder (R-03), and of some people that they are not (F-02). Nobody else
is counted as anything. Groups are only those that the site's configuration names with their legal basis, and no
group of fewer people than it sets is kept or shown, also not as the difference between others.

The count runs on a thread of its own, one at a time, and keeps numbers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central.access.permissions import Permission, User
from central.audit import PEOPLE
from central.counting import BackgroundCount
from central.referrals import NotAllowed
from central.sealing import Erased, Unreadable, join
from central.storage.models import FaceReferralCount, StoredDisposition, Transaction
from contracts.base import RetentionClass
from contracts.checks import CheckName, Verdict
from contracts.events import AuditTag
from contracts.fairness import Difference, clopper_pearson, differences
from contracts.party import DocumentFormat

if TYPE_CHECKING:
    from central.service import Central

DAYS, MOST_RECORDS = 30, 20_000
IS_HOLDER, IS_NOT_HOLDER = "R-03", "F-02"
RATES = ("failure_to_capture", "sent_to_desk", "holder_not_matched", "other_matched")
AGE_BANDS = ((18, "under_18"), (40, "18_to_39"), (60, "40_to_59"))
LAST_BAND = "60_and_over"
_VISAS = (DocumentFormat.MRV_A.value, DocumentFormat.MRV_B.value)

Rate = tuple[int, int]  # events, trials
Said = Literal["holder", "other", ""]


@dataclass(frozen=True)
class GroupRate:
    """One rate of one group, and what can be said of it."""

    events: int
    trials: int
    difference: Difference | None = None  # None: of all together

    @property
    def share(self) -> float | None:
        return self.events / self.trials if self.trials else None

    @property
    def interval(self) -> list[float] | None:
        return clopper_pearson(self.events, self.trials)


@dataclass(frozen=True)
class Found:
    """A finished count. `groups`: dimension → rate → group; `withheld`: dimension → rate → how many groups."""

    state: str
    records: int
    unreadable: int
    people: int
    undecided: int
    overall: Mapping[str, GroupRate]
    groups: Mapping[str, Mapping[str, Mapping[str, GroupRate]]]
    withheld: Mapping[str, Mapping[str, int]]
    least: int
    basis: str
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True)
class Person:
    """What a count needs of one person: nothing that says who it is."""

    matched: bool | None  # None: no picture to compare
    said: Said
    groups: Mapping[str, str]


class FaceReferralCounter:
    """Counts for one site, one at a time. Threads may share it."""

    def __init__(self) -> None:
        self._counts = BackgroundCount("face referrals")

    @property
    def progress(self) -> tuple[int, int] | None:
        """Records done, and of how many; None when nothing runs."""
        return self._counts.progress

    def start(self, central: Central, user: User) -> None:
        """Begin to count. Raises NotAllowed or Busy."""
        _need(central, user, Permission.FACES_MEASURE)
        self._counts.start(_Job(central, user, central.clock(), Tally()))

    def cancel(self, central: Central, user: User) -> None:
        """Stop the count; what was counted so far is kept as such. Raises NotAllowed."""
        _need(central, user, Permission.FACES_MEASURE)
        self._counts.stop()

    def close(self) -> None:
        """Stop and wait for the thread."""
        self._counts.close()

    def wait(self, seconds: float) -> None:
        """Wait until nothing runs."""
        self._counts.wait(seconds)


def latest(central: Central, user: User) -> Found | None:
    """The last count that ended, or None. Raises NotAllowed."""
    _need(central, user, Permission.FACES_VIEW)
    with central.storage.read() as session:
        row = session.scalars(
            select(FaceReferralCount)
            .where(FaceReferralCount.site_id == central.config.site_id)
            .order_by(FaceReferralCount.number.desc())
            .limit(1)
        ).first()
    if row is None:
        return None
    result: dict[str, Any] = row.result
    return Found(
        state=row.state,
        records=result["records"],
        unreadable=result["unreadable"],
        people=result["people"],
        undecided=result["undecided"],
        overall={rate: GroupRate(*counts) for rate, counts in result["overall"].items()},
        groups={
            dimension: {
                rate: {
                    name: GroupRate(events, trials, Difference(said))
                    for name, (events, trials, said) in groups.items()
                }
                for rate, groups in of.items()
            }
            for dimension, of in result["groups"].items()
        },
        withheld=result["withheld"],
        least=result["least"],
        basis=result["basis"],
        asked_by=row.asked_by,
        asked_at=row.asked_at,
    )


@dataclass
class Tally:
    """Sums over people."""

    records: int = 0
    unreadable: int = 0
    people: int = 0
    undecided: int = 0
    overall: dict[str, list[int]] = field(default_factory=lambda: {rate: [0, 0] for rate in RATES})
    groups: dict[str, dict[str, dict[str, list[int]]]] = field(default_factory=dict)

    def add(self, person: Person) -> None:
        """Count one person in every rate that they say something about."""
        self.people += 1
        self.undecided += person.matched is False and not person.said
        for rate, event in _events(person):
            self.overall[rate][0] += event
            self.overall[rate][1] += 1
            for dimension, group in person.groups.items():
                counts = self.groups.setdefault(dimension, {}).setdefault(rate, {}).setdefault(group, [0, 0])
                counts[0] += event
                counts[1] += 1

    def result(self, least: int, basis: str) -> dict[str, Any]:
        """Counts as they may be kept: no group of fewer than `least`."""
        groups: dict[str, dict[str, dict[str, Any]]] = {}
        withheld: dict[str, Counter[str]] = {}
        for dimension, of in self.groups.items():
            for rate, counts in of.items():
                by_group = {name: (events, trials) for name, (events, trials) in counts.items()}
                shown, said = large_enough(by_group, least), differences(by_group)
                groups.setdefault(dimension, {})[rate] = {
                    name: [*by_group[name], said[name].value] for name in sorted(shown)
                }
                withheld.setdefault(dimension, Counter())[rate] = len(by_group) - len(shown)
        return {
            "records": self.records, "unreadable": self.unreadable, "people": self.people,
            "undecided": self.undecided, "overall": self.overall, "groups": groups, "withheld": withheld,
            "least": least, "basis": basis,
        }  # fmt: skip


def large_enough(counts: Mapping[str, Rate], least: int) -> frozenset[str]:
    """The groups that may be shown: at least `least` people in each, and as many in those left out, or nobody."""
    smallest_first = sorted(counts, key=lambda name: (counts[name][1], name))
    hidden = 0
    for place, name in enumerate(smallest_first):
        if counts[name][1] >= least and (hidden == 0 or hidden >= least):
            return frozenset(smallest_first[place:])
        hidden += counts[name][1]
    return frozenset()


def count_record(central: Central, record_id: str, received_at: datetime, tally: Tally) -> None:
    """Add the people of one record whose faces were looked at."""
    with central.storage.read() as session:
        try:
            record = _opened(central, session, record_id, RetentionClass.OUTCOME)
        except (Erased, Unreadable, KeyError):
            tally.unreadable += 1
            return
        try:
            identity = _opened(central, session, record_id, RetentionClass.IDENTITY)
        except (Erased, Unreadable, KeyError):
            identity = {}
        codes = set(
            session.scalars(
                select(StoredDisposition.reason_code).where(
                    StoredDisposition.site_id == central.config.site_id, StoredDisposition.record_id == record_id
                )
            )
        )
    tally.records += 1
    on = received_at.astimezone(central.timezone).date()
    for person in people_of(record, identity, codes, on, central.config.faces.groups):
        tally.add(person)


def people_of(
    record: Mapping[str, Any], identity: Mapping[str, Any], codes: set[str], on: date, dimensions: tuple[str, ...]
) -> Iterator[Person]:
    """The people of a record at whose face the kiosk looked, with what officers said of each.

    A disposition is about a whole record: it counts for the one person who did not match, or who came alone.
    """
    persons = _persons(record)
    documents = [_document(person) for person in _persons(identity)]
    looked = [(place, _matched(person)) for place, person in enumerate(persons) if _looked_at(person)]
    failed = [place for place, matched in looked if matched is False]
    meant = failed[0] if len(failed) == 1 else 0 if len(persons) == 1 else None
    for place, matched in looked:
        document = documents[place] if place < len(documents) else {}
        groups = {name: _group(name, document, on) for name in dimensions}
        yield Person(matched, _said(codes) if place == meant else "", groups)


def _events(person: Person) -> Iterator[tuple[str, bool]]:
    """The rates that a person is a trial of, and whether they are an event of it."""
    yield "failure_to_capture", person.matched is None
    if person.matched is None:
        return
    yield "sent_to_desk", not person.matched
    if person.said == "other":
        yield "other_matched", person.matched
    elif person.matched or person.said == "holder":
        yield "holder_not_matched", not person.matched


def _said(codes: set[str]) -> Said:
    return "other" if IS_NOT_HOLDER in codes else "holder" if IS_HOLDER in codes else ""


def _looked_at(person: Mapping[str, Any]) -> bool:
    face = person.get("face")
    return isinstance(face, dict) and int(face.get("tries") or 0) > 0 and _match_check(person) is not None


def _matched(person: Mapping[str, Any]) -> bool | None:
    check = _match_check(person)
    verdict = check["verdict"] if check else ""
    return {Verdict.PASSED.value: True, Verdict.FAILED.value: False}.get(verdict)


def _match_check(person: Mapping[str, Any]) -> Mapping[str, Any] | None:
    checks = (person.get("face") or {}).get("checks") or ()
    return next((check for check in checks if check["name"] == CheckName.FACE_MATCH.value), None)


def _document(person: Mapping[str, Any]) -> Mapping[str, Any]:
    documents = person.get("documents") or ()
    return next((one for one in documents if one.get("format") not in _VISAS), {})


def _group(dimension: str, document: Mapping[str, Any], on: date) -> str:
    """The group of a document's holder; `unknown` also once the identity is erased."""
    if dimension == "age_band":
        born = document.get("birth_date")
        return age_band(date.fromisoformat(born), on) if born else "unknown"
    return str(document.get(dimension) or "unknown")


def age_band(born: date, on: date) -> str:
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return next((name for below, name in AGE_BANDS if age < below), LAST_BAND)


def _persons(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((record.get("party") or {}).get("persons") or ())


def _opened(central: Central, session: Session, record_id: str, retention: RetentionClass) -> dict[str, Any]:
    leaves = json.loads(central.envelope.open(session, record_id, f"record:{retention.value}"))
    found: dict[str, Any] = join(leaves)
    return found


@dataclass(frozen=True)
class _Job:
    central: Central
    user: User
    asked_at: datetime
    tally: Tally

    def records(self) -> Sequence[tuple[str, datetime]]:
        """The records of the last days with their moments, newest first and no more than the bound."""
        site, since = self.central.config.site_id, self.asked_at - timedelta(days=DAYS)
        with self.central.storage.read() as session:
            rows = session.execute(
                select(Transaction.record_id, Transaction.received_at)
                .where(Transaction.site_id == site, Transaction.received_at >= since)
                .order_by(Transaction.received_at.desc())
                .limit(MOST_RECORDS)
            ).all()
        return [(record_id, received_at) for record_id, received_at in rows]

    def count(self, record: tuple[str, datetime]) -> None:
        """Add the people of one record."""
        count_record(self.central, *record, self.tally)

    def keep(self, state: str) -> None:
        """Write down the numbers, and that they were asked for."""
        central, tally = self.central, self.tally
        site, now, faces = central.config.site_id, central.clock(), central.config.faces
        newest = select(func.max(FaceReferralCount.number)).where(FaceReferralCount.site_id == site)
        with central.storage.write() as session:
            session.add(
                FaceReferralCount(
                    site_id=site, number=(session.scalar(newest) or 0) + 1, state=state,
                    result=tally.result(faces.least_group, faces.legal_basis), asked_by=self.user.user_id,
                    asked_at=self.asked_at, ended_at=now,
                )
            )  # fmt: skip
            central.audit.append(
                session, chain=PEOPLE, tag=AuditTag.FACES_REFERRALS_COUNTED, actor=self.user.user_id, now=now,
                detail={"state": state, "records": tally.records, "groups": list(faces.groups)},
            )  # fmt: skip


def _need(central: Central, user: User, permission: Permission) -> None:
    if not user.may(permission, site_id=central.config.site_id):
        raise NotAllowed
