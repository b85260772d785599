"""Kiosks and exits: enrolment, suspension, heartbeats and the health that administrators and officers see."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy import select
from sqlalchemy.orm import Session

from central import trust
from central.access.permissions import Permission, User
from central.audit import PEOPLE, station_chain
from central.keys import base64url, from_base64url
from central.referrals import NotAllowed
from central.service import Central
from central.storage.models import Station
from contracts.api import DeviceHealth, Heartbeat, KioskConfiguration
from contracts.base import Identifier
from contracts.canonical import canonical_json
from contracts.events import AuditTag
from contracts.evidence import EVIDENCE_SUITE
from contracts.transaction import DriverProvenance

SILENT_AFTER = timedelta(seconds=45)
STATION_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")
State = Literal["working", "in_use", "watch", "stopped", "silent", "suspended", "never_seen"]


class InvalidStation(ValueError):
    """A kiosk or exit that cannot be enrolled or changed; the text says why."""


@dataclass(frozen=True)
class StationHealth:
    """One kiosk or exit on the list, as it said last and as central sees it."""

    station_id: str
    kind: str
    bank: str
    state: State
    demo: bool
    suspended: bool
    suspended_reason: str
    enrolled_at: datetime
    last_seen_at: datetime | None
    software: str
    outbox_waiting: int
    devices: tuple[DeviceHealth, ...]
    drivers: tuple[DriverProvenance, ...]


def enroll(
    central: Central,
    *,
    station_id: str,
    kind: Literal["kiosk", "exit"],
    public_key: str,
    by: str,
    bank: str = "",
    demo: bool = False,
) -> str:
    """Let a kiosk or exit in, or give it a new key; returns the key id. Raises InvalidStation.

    `public_key` is Ed25519: 43 characters base64url, or PEM.
    """
    if not STATION_ID.match(station_id):
        raise InvalidStation("a kiosk or exit is named by 1 to 64 letters, digits and . _ : -")
    if demo and central.config.profile == "production":
        raise InvalidStation("a production service enrols no demonstration key")
    text = _public_key(public_key)
    key_id = f"station-{hashlib.sha256(from_base64url(text)).hexdigest()[:16]}"
    now = central.clock()
    with central.storage.write() as session:
        row = session.get(Station, (central.config.site_id, station_id))
        other = session.scalar(
            select(Station.station_id).where(Station.site_id == central.config.site_id, Station.key_id == key_id)
        )
        if other not in (None, station_id):
            raise InvalidStation("this key belongs to another kiosk or exit")
        if row is None:
            row = Station(
                site_id=central.config.site_id,
                station_id=station_id,
                suspended=False,
                suspended_reason="",
                enrolled_at=now,
            )
            session.add(row)
        row.kind, row.bank, row.key_id, row.public_key, row.demo = kind, bank[:64], key_id, text, demo
        central.audit.append(
            session, chain=PEOPLE, tag=AuditTag.KIOSK_KEY_ENROLLED, actor=by, now=now,
            detail={"station": station_id, "kind": kind, "key_id": key_id},
        )  # fmt: skip
    return key_id


def stations(central: Central, user: User) -> tuple[StationHealth, ...]:
    """All kiosks and exits of the site, by name. Raises NotAllowed."""
    if not user.may(Permission.KIOSKS_VIEW, site_id=central.config.site_id):
        raise NotAllowed
    with central.storage.read() as session:
        rows = session.scalars(
            select(Station).where(Station.site_id == central.config.site_id).order_by(Station.station_id)
        ).all()
    return tuple(_health(row, central.clock()) for row in rows)


def station(central: Central, user: User, station_id: str) -> StationHealth:
    """One kiosk or exit. Raises NotAllowed or LookupError."""
    found = [one for one in stations(central, user) if one.station_id == station_id]
    if not found:
        raise LookupError(station_id)
    return found[0]


def set_suspended(central: Central, user: User, station_id: str, *, suspended: bool, reason: str) -> None:
    """Suspend a kiosk or let it work again, audited. Raises NotAllowed, LookupError or InvalidStation."""
    if not user.may(Permission.KIOSKS_CHANGE, site_id=central.config.site_id):
        raise NotAllowed
    if suspended and not reason.strip():
        raise InvalidStation("a suspension has a reason")
    now = central.clock()
    with central.storage.write() as session:
        row = session.get(Station, (central.config.site_id, station_id))
        if row is None:
            raise LookupError(station_id)
        row.suspended, row.suspended_reason = suspended, reason.strip()[:120] if suspended else ""
        central.audit.append(
            session, chain=PEOPLE, tag=AuditTag.KIOSK_STATE_CHANGED, actor=user.user_id, now=now,
            detail={"station": station_id, "suspended": suspended, "reason": reason.strip()[:120]},
        )  # fmt: skip
    central.broker.wake()


def record_heartbeat(central: Central, heartbeat: Heartbeat) -> KioskConfiguration:
    """Keep what a kiosk says of itself and answer with what it should know."""
    now = central.clock()
    with central.storage.write() as session:
        row = session.get_one(Station, (central.config.site_id, heartbeat.kiosk_id))
        before = _digest(row.heartbeat)
        row.heartbeat, row.last_seen_at = heartbeat.model_dump(mode="json"), now
        changed = _digest(row.heartbeat) != before
        if changed:
            central.audit.append(
                session, chain=station_chain(row.station_id), tag=AuditTag.KIOSK_HEALTH_CHANGED,
                actor=row.station_id, now=now, detail={"states": _digest(row.heartbeat)},
            )  # fmt: skip
        suspended = row.suspended
    if changed:
        central.broker.wake()
    return configuration(central, suspended=suspended)


def configuration(central: Central, *, suspended: bool) -> KioskConfiguration:
    """What a kiosk learns at start and with each heartbeat."""
    trust_version, trust_sha256 = trust.wanted(central)
    law_version, law_sha256 = central.news.wanted()
    in_force = central.law.term(central.clock()).version
    said = KioskConfiguration(
        rule_pack=in_force.label,
        rule_pack_hash=in_force.sha256,
        evidence_suite=EVIDENCE_SUITE,
        evidence_key_id=central.evidence_keys.current.key_id,
        evidence_public_key=central.evidence_keys.current.public_text(),
        receipt_public_key=central.receipt_keys.current.public_text(),
        suspended=suspended,
        trust_version=trust_version,
        trust_sha256=trust_sha256,
        law_version=law_version,
        law_sha256=law_sha256,
        server_time=central.clock(),
    )
    signature = central.receipt_keys.current.signing().sign(canonical_json(said))
    return said.model_copy(update={"signature": base64url(signature)})


def saw(central: Central, session: Session, station_id: Identifier, now: datetime) -> None:
    """Note that an exit was heard of (exits send no heartbeats)."""
    row = session.get(Station, (central.config.site_id, station_id))
    if row is not None:
        row.last_seen_at = now


def _public_key(text: str) -> str:
    try:
        if text.lstrip().startswith("-----BEGIN"):
            key = load_pem_public_key(text.encode())
            if not isinstance(key, Ed25519PublicKey):
                raise InvalidStation("the key is not Ed25519")
            return base64url(key.public_bytes_raw())
        raw = from_base64url(text.strip())
        return base64url(Ed25519PublicKey.from_public_bytes(raw).public_bytes_raw())
    except ValueError as problem:
        raise InvalidStation("the public key is not an Ed25519 key in base64url or PEM") from problem


def _digest(heartbeat: dict[str, object] | None) -> dict[str, str]:
    if not heartbeat:
        return {}
    devices = heartbeat.get("devices")
    states = {"kiosk": "working" if heartbeat.get("state") == "in_use" else str(heartbeat.get("state"))}
    for device in devices if isinstance(devices, list) else []:
        states[f"device.{device['device']}"] = str(device["state"])
    return states


def _health(row: Station, now: datetime) -> StationHealth:
    said = Heartbeat.model_validate(row.heartbeat) if row.heartbeat else None
    state: State
    if row.suspended:
        state = "suspended"
    elif row.last_seen_at is None:
        state = "never_seen"
    elif said is None:
        state = "working"  # an exit sends no heartbeat; it was heard of
    elif now - row.last_seen_at > SILENT_AFTER:
        state = "silent"
    else:
        state = said.state
    return StationHealth(
        station_id=row.station_id,
        kind=row.kind,
        bank=row.bank,
        state=state,
        demo=row.demo,
        suspended=row.suspended,
        suspended_reason=row.suspended_reason,
        enrolled_at=row.enrolled_at,
        last_seen_at=row.last_seen_at,
        software=said.software if said else "",
        outbox_waiting=said.outbox_waiting if said else 0,
        devices=said.devices if said else (),
        drivers=said.drivers if said else (),
    )
