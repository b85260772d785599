"""Measurements of face comparison: an administrator orders one, a kiosk's software does it, figures come back.

A set of pictures is personal: it is encrypted on arrival under a key of its own, handed piece by piece to the one
station that the order names, and erased with its key the moment the measurement ends, is stopped, or is too old.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from central.access.permissions import Permission, User
from central.audit import PEOPLE, SERVICE, station_chain
from central.face_sets import FaceSet, InvalidSet
from central.referrals import NotAllowed
from central.sealing import SUITE, Unreadable, decrypt, encrypt
from central.service import Central
from central.storage.models import FaceMeasurement, FaceMeasurementPicture, Station
from contracts.events import AuditTag
from contracts.face_measurement import FaceEngine, FaceFigures, FaceOrder, FaceOutcome, FaceProgress

ARRIVING, WAITING, RUNNING = "arriving", "waiting", "running"
DONE, STOPPED, FAILED, EXPIRED = "done", "stopped", "failed", "expired"
OPEN = (ARRIVING, WAITING, RUNNING)
KEPT_FOR = timedelta(days=2)  # pictures of a measurement that nobody takes
MATCH_RATES = (0.0005, 0.0002, 0.0001, 0.00005, 0.00002, 0.00001)  # 0.05 % is what EES asks for
_AT_ONCE = 20  # pictures written in one go: kiosks wait for the same lock


class UnknownMeasurement(LookupError):
    """There is no such measurement, or not for this station."""


@dataclass(frozen=True)
class Measurement:
    """One measurement as administrators see it."""

    number: int
    state: str
    station_id: str
    engine: str
    match_rate: float | None
    note: str
    with_pictures: bool
    pictures: int
    people: int
    groups: tuple[str, ...]
    asked_by: str
    asked_at: datetime
    stage: str
    done: int
    total: int
    heard_at: datetime | None
    ended_at: datetime | None
    problem: str | None
    figures: FaceFigures | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


# --- administrators -----------------------------------------------------------------------------------------


def order(
    central: Central,
    user: User,
    faces: FaceSet,
    *,
    station_id: str,
    engine: FaceEngine = "fused",
    match_rate: float | None = None,
    note: str = "",
) -> int:
    """Queue a measurement for one station; returns its number. Raises NotAllowed or InvalidSet.

    `match_rate` is another operating point than the station's own.
    """
    site, now = central.config.site_id, central.clock()
    _need(central, user, Permission.FACES_MEASURE)
    if match_rate is not None and match_rate not in MATCH_RATES:
        raise InvalidSet("match_rate")
    key, master = secrets.token_bytes(32), central.master.current
    with central.storage.write() as session:
        station = session.get(Station, (site, station_id))
        if station is None or station.kind != "kiosk" or station.suspended:
            raise InvalidSet("no_station", station_id[:64])
        number = _next(session, site)
        wanted = FaceOrder(
            number=number, attempt=1, engine=engine, match_rate=match_rate, pictures=faces.pictures,
            pairs=faces.pairs,
        )  # fmt: skip
        session.add(
            FaceMeasurement(
                site_id=site, number=number, state=ARRIVING, station_id=station_id, engine=engine,
                match_rate=match_rate, note=note.strip()[:120], with_pictures=faces.archive is not None,
                pictures=len(faces.pictures), people=faces.people, groups=list(faces.groups),
                asked_by=user.user_id, asked_at=now, attempt=0, stage="pictures", done=0,
                total=len(faces.pictures), suite=SUITE, master_key_id=master.key_id,
                wrapped_key=encrypt(master.secret, key, _place(site, number, "key")),
                sealed_order=encrypt(key, wanted.model_dump_json().encode(), _place(site, number, "order")),
            )
        )  # fmt: skip
        central.audit.append(
            session, chain=PEOPLE, tag=AuditTag.FACES_MEASUREMENT_ORDERED, actor=user.user_id, now=now,
            detail={"number": number, "pictures": len(faces.pictures), "station": station_id, "engine": engine},
        )  # fmt: skip
    try:
        _keep_pictures(central, number, key, faces)
    except Exception:  # whatever it was: no key and no picture of half a set may stay
        with central.storage.write() as session:
            _end(central, session, session.get_one(FaceMeasurement, (site, number)), FAILED, "archive")
        raise
    with central.storage.write() as session:
        row = session.get_one(FaceMeasurement, (site, number))
        if row.state == ARRIVING:  # it may have been stopped meanwhile
            row.state = WAITING
    return number


def measurements(central: Central, user: User, most: int = 50) -> tuple[Measurement, ...]:
    """The newest measurements first. Raises NotAllowed."""
    _need(central, user, Permission.FACES_VIEW)
    expire(central)
    with central.storage.read() as session:
        rows = session.scalars(
            select(FaceMeasurement)
            .where(FaceMeasurement.site_id == central.config.site_id)
            .order_by(FaceMeasurement.number.desc())
            .limit(most)
        ).all()
        return tuple(_measurement(row) for row in rows)


def measurement(central: Central, user: User, number: int) -> Measurement:
    """One measurement. Raises NotAllowed or UnknownMeasurement."""
    _need(central, user, Permission.FACES_VIEW)
    with central.storage.read() as session:
        row = session.get(FaceMeasurement, (central.config.site_id, number))
        if row is None:
            raise UnknownMeasurement(number)
        return _measurement(row)


def stop(central: Central, user: User, number: int) -> None:
    """End a measurement and erase its pictures; the station hears of it with its next word.

    Raises NotAllowed or UnknownMeasurement; one that has ended stays as it is.
    """
    _need(central, user, Permission.FACES_MEASURE)
    with central.storage.write() as session:
        row = session.get(FaceMeasurement, (central.config.site_id, number))
        if row is None:
            raise UnknownMeasurement(number)
        if row.state in OPEN:
            _end(central, session, row, STOPPED)
            central.audit.append(
                session, chain=PEOPLE, tag=AuditTag.FACES_MEASUREMENT_STOPPED, actor=user.user_id,
                now=central.clock(), detail={"number": number},
            )  # fmt: skip


def expire(central: Central) -> int:
    """Erase the sets of measurements that nobody took or finished in time; how many."""
    before = central.clock() - KEPT_FOR
    stale = (
        FaceMeasurement.site_id == central.config.site_id,
        FaceMeasurement.state.in_(OPEN),
        FaceMeasurement.asked_at < before,
    )
    with central.storage.read() as session:
        if not session.scalar(select(func.count()).select_from(FaceMeasurement).where(*stale)):
            return 0
    with central.storage.write() as session:
        rows = session.scalars(select(FaceMeasurement).where(*stale)).all()
        for row in rows:
            _end(central, session, row, EXPIRED)
    return len(rows)


# --- the station --------------------------------------------------------------------------------------------


def take(central: Central, station_id: str, *, has_folder: bool) -> FaceOrder | None:
    """The oldest order for this station, begun anew if it had begun before; None when there is none."""
    expire(central)
    site, now = central.config.site_id, central.clock()
    theirs = (
        FaceMeasurement.site_id == site,
        FaceMeasurement.station_id == station_id,
        FaceMeasurement.state.in_((WAITING, RUNNING)),
        FaceMeasurement.with_pictures.is_(True) | has_folder,
    )
    with central.storage.read() as session:  # stations ask every few seconds: no lock for a no
        if session.scalar(select(FaceMeasurement.number).where(*theirs).limit(1)) is None:
            return None
    with central.storage.write() as session:
        row = session.scalars(
            select(FaceMeasurement).where(*theirs).order_by(FaceMeasurement.number).limit(1)
        ).first()
        if row is None or row.sealed_order is None:
            return None
        row.state, row.attempt, row.stage, row.done, row.heard_at = RUNNING, row.attempt + 1, "pictures", 0, now
        content = decrypt(_key(central, row), row.sealed_order, _place(site, row.number, "order"))
        central.audit.append(
            session, chain=station_chain(station_id), tag=AuditTag.FACES_MEASUREMENT_TAKEN, actor=station_id,
            now=now, detail={"number": row.number, "attempt": row.attempt},
        )  # fmt: skip
        return FaceOrder.model_validate_json(content).model_copy(update={"attempt": row.attempt})


def picture(central: Central, station_id: str, number: int, position: int) -> bytes:
    """One picture of a measurement that this station has begun. Raises UnknownMeasurement."""
    site = central.config.site_id
    with central.storage.read() as session:
        row = session.get(FaceMeasurement, (site, number))
        kept = session.get(FaceMeasurementPicture, (site, number, position))
        if row is None or kept is None or row.station_id != station_id or row.state != RUNNING:
            raise UnknownMeasurement(number)
        return decrypt(_key(central, row), kept.ciphertext, _place(site, number, str(position)))


def progress(central: Central, station_id: str, number: int, said: FaceProgress) -> bool:
    """Note how far the station is; False when it shall stop. Raises UnknownMeasurement."""
    with central.storage.write() as session:
        row = _of_station(central, session, station_id, number)
        if row.state != RUNNING or row.attempt != said.attempt:
            return False
        row.stage, row.done, row.total, row.heard_at = said.stage, said.done, said.total, central.clock()
    return True


def finish(central: Central, station_id: str, number: int, said: FaceOutcome) -> bool:
    """Keep the figures, erase the pictures. False for an attempt that no longer counts.

    Raises UnknownMeasurement.
    """
    with central.storage.write() as session:
        row = _of_station(central, session, station_id, number)
        if row.state != RUNNING or row.attempt != said.attempt:
            return False
        figures = said.figures
        if figures is not None and any(one.group >= len(row.groups) for one in figures.by_group):
            figures = None
        if figures is not None:
            row.result = figures.model_dump(mode="json")
        problem = None if figures is not None else (said.problem.value if said.problem else "failed")
        _end(central, session, row, DONE if figures is not None else FAILED, problem)
        central.audit.append(
            session, chain=station_chain(station_id), tag=AuditTag.FACES_MEASUREMENT_ENDED, actor=station_id,
            now=central.clock(), detail={"number": number, "state": row.state, "problem": problem or ""},
        )  # fmt: skip
    return True


# --- small --------------------------------------------------------------------------------------------------


def _keep_pictures(central: Central, number: int, key: bytes, faces: FaceSet) -> None:
    site = central.config.site_id
    sealed = (
        FaceMeasurementPicture(
            site_id=site, number=number, position=place,
            ciphertext=encrypt(key, content, _place(site, number, str(place))),
        )
        for place, content in enumerate(faces.contents())
    )  # fmt: skip
    while some := list(islice(sealed, _AT_ONCE)):
        with central.storage.write() as session:
            if session.get_one(FaceMeasurement, (site, number)).state != ARRIVING:
                return
            session.add_all(some)


def _end(central: Central, session: Session, row: FaceMeasurement, state: str, problem: str | None = None) -> None:
    """The end of a measurement: the key goes, the pictures go, and the chain knows it."""
    row.state, row.problem, row.ended_at = state, problem, central.clock()
    row.wrapped_key = row.sealed_order = None
    own = (FaceMeasurementPicture.site_id == row.site_id, FaceMeasurementPicture.number == row.number)
    there = session.scalar(select(func.count()).select_from(FaceMeasurementPicture).where(*own)) or 0
    session.execute(delete(FaceMeasurementPicture).where(*own))
    central.audit.append(
        session, chain=SERVICE, tag=AuditTag.FACES_PICTURES_ERASED, actor="central", now=central.clock(),
        detail={"number": row.number, "pictures": there, "state": state},
    )  # fmt: skip


def _of_station(central: Central, session: Session, station_id: str, number: int) -> FaceMeasurement:
    row = session.get(FaceMeasurement, (central.config.site_id, number))
    if row is None or row.station_id != station_id:
        raise UnknownMeasurement(number)
    return row


def _key(central: Central, row: FaceMeasurement) -> bytes:
    master = central.master.named(row.master_key_id)
    if master is None or row.wrapped_key is None:
        raise Unreadable(f"measurement {row.number} has no key any more")
    return decrypt(master.secret, row.wrapped_key, _place(row.site_id, row.number, "key"))


def _place(site: str, number: int, name: str) -> str:
    return f"{site}|face measurement {number}|{name}"


def _next(session: Session, site: str) -> int:
    last = session.scalar(select(func.max(FaceMeasurement.number)).where(FaceMeasurement.site_id == site))
    return (last or 0) + 1


def _need(central: Central, user: User, permission: Permission) -> None:
    if not user.may(permission, site_id=central.config.site_id):
        raise NotAllowed


def _measurement(row: FaceMeasurement) -> Measurement:
    return Measurement(
        number=row.number,
        state=row.state,
        station_id=row.station_id,
        engine=row.engine,
        match_rate=row.match_rate,
        note=row.note,
        with_pictures=row.with_pictures,
        pictures=row.pictures,
        people=row.people,
        groups=tuple(row.groups),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        stage=row.stage,
        done=row.done,
        total=row.total,
        heard_at=row.heard_at,
        ended_at=row.ended_at,
        problem=row.problem,
        figures=FaceFigures.model_validate(row.result) if row.result is not None else None,
    )
