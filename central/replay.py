"""Replay: decide a stored record again, by the rules, rates and lists of its own day, and compare (rule 4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from central import risk, sampling
from central.audit import SERVICE
from central.intake import screen
from central.referrals import UnknownCase, stored_decision
from central.risk import Features
from central.screening import WatchList
from central.sealing import Erased, decrypt
from central.service import Central
from central.storage.models import Artifact, StoredDecision
from contracts.decision import Decision, PersonOutcome
from contracts.declaration import TransportMode
from contracts.events import AuditTag
from contracts.transaction import TransactionRecord
from declarations.money import Rates
from declarations.packs import RulePack

Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class Replayed:
    """One record decided again. `same` compares channels and reasons; None: erased, not replayable."""

    record_id: str
    same: bool | None
    difference: str = ""
    explanation: dict[str, object] | None = None


def replay(central: Central, record_id: str, artifacts: Artifacts | None = None) -> Replayed:
    """Decide one record again. Raises UnknownCase."""
    with central.storage.read() as session:
        decision_row = session.scalar(
            select(StoredDecision).where(
                StoredDecision.site_id == central.config.site_id, StoredDecision.record_id == record_id
            )
        )
        if decision_row is None:
            raise UnknownCase(record_id)
        try:
            record = central.envelope.open_model(session, record_id, "record", TransactionRecord)
            decision = stored_decision(central, session, record_id)
            features = stored_features(central, session, record, decision, artifacts)
            kept = json.loads(central.envelope.open(session, record_id, "features:1"))
        except Erased:
            return Replayed(record_id, None, "erased")
    again = risk.decide(features)
    differences = list(_differences(decision.persons, again))
    draw = _draw(central, decision, decision_row.sampling_commitment)
    if draw.commitment != decision_row.sampling_commitment:
        differences.append("the sampling seed is another one")
    if sorted(features.drawn) != kept["drawn"]:
        differences.append("the random sample drew otherwise")
    return Replayed(
        record_id,
        not differences,
        "; ".join(differences),
        {
            "rule_pack": decision.versions.rule_pack,
            "sampling_period": decision.versions.sampling_period,
            "sampling_rate": decision.versions.sampling_rate,
            "sampling_commitment": decision_row.sampling_commitment,
            "drawn": sorted(features.drawn),
            "persons": [outcome.model_dump(mode="json") for outcome in again],
        },
    )


def replay_all(central: Central) -> tuple[Replayed, ...]:
    """Decide every stored record again; one audit event says how it went."""
    with central.storage.read() as session:
        record_ids = session.scalars(
            select(StoredDecision.record_id)
            .where(StoredDecision.site_id == central.config.site_id)
            .order_by(StoredDecision.decided_at)
        ).all()
    artifacts = Artifacts(central)
    found = tuple(replay(central, record_id, artifacts) for record_id in dict.fromkeys(record_ids))
    with central.storage.write() as session:
        central.audit.append(
            session,
            chain=SERVICE,
            tag=AuditTag.TRANSACTION_DECISION_REPLAYED,
            actor="central",
            now=central.clock(),
            detail={"records": len(found), "same": sum(1 for one in found if one.same)},
        )
    return found


class Artifacts:
    """The packs, rates and lists that decisions relied on, parsed once for a run over many decisions."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._parsed: dict[tuple[str, str], object] = {}

    def pack(self, session: Session, sha256: str) -> RulePack:
        return self._of(session, "rule_pack", sha256, RulePack.model_validate_json)

    def rates(self, session: Session, sha256: str) -> Rates:
        return self._of(session, "rates", sha256, Rates.model_validate_json)

    def watch_list(self, session: Session, sha256: str) -> WatchList:
        return self._of(session, "watch_list", sha256, WatchList.from_content)

    def _of(self, session: Session, kind: str, sha256: str, parse: Callable[[bytes], Parsed]) -> Parsed:
        if (kind, sha256) not in self._parsed:
            self._parsed[kind, sha256] = parse(artifact(self._central, session, kind, sha256))
        return cast(Parsed, self._parsed[kind, sha256])


def stored_features(
    central: Central,
    session: Session,
    record: TransactionRecord,
    decision: Decision,
    artifacts: Artifacts | None = None,
) -> Features:
    """The features of a stored decision, made again from what it relied on. Raises Erased."""
    kept = json.loads(central.envelope.open(session, record.record_id, "features:1"))
    versions, artifacts = decision.versions, artifacts or Artifacts(central)
    pack = artifacts.pack(session, versions.rule_pack_hash)
    rates = artifacts.rates(session, versions.rates_hash)
    lists = artifacts.watch_list(session, versions.watch_list_hash)
    on = date.fromisoformat(kept["on"])
    hits, screened = screen(lists, record.party, on)
    return Features(
        record=record,
        pack=pack,
        pack_sha256=versions.rule_pack_hash,
        law_problem=kept.get("law_problem", ""),
        rates=rates,
        on=on,
        transport=TransportMode(kept["transport"]),
        drawn=_draw(central, decision, _commitment(central, session, record.record_id)).drawn(record),
        hits=hits,
        screened=screened,
    )


def artifact(central: Central, session: Session, kind: str, sha256: str) -> bytes:
    """A kept rule pack, rates or list. Raises Erased when it is no longer kept, Unreadable."""
    place = (central.config.site_id, kind, sha256)
    row = session.get(Artifact, place)
    key = central.master.named(row.key_id) if row is not None else None
    if row is None or key is None:
        raise Erased(f"the {kind} of this decision is no longer kept")
    return decrypt(key.secret, row.content, "|".join(place))


def _draw(central: Central, decision: Decision, commitment: str) -> sampling.Lottery:
    """The draw of a decision: by the seed that its commitment names, whichever is current now."""
    versions = decision.versions
    draws = [
        sampling.of_period(key.secret, versions.sampling_period, versions.sampling_rate)
        for key in central.sampling_seeds.keys
    ]
    return next((draw for draw in draws if draw.commitment == commitment), draws[0])


def _commitment(central: Central, session: Session, record_id: str) -> str:
    return (
        session.scalar(
            select(StoredDecision.sampling_commitment).where(
                StoredDecision.site_id == central.config.site_id, StoredDecision.record_id == record_id
            )
        )
        or ""
    )


def _differences(before: tuple[PersonOutcome, ...], after: tuple[PersonOutcome, ...]) -> list[str]:
    found = []
    for one, other in zip(before, after, strict=True):
        if one.channel is not other.channel:
            found.append(f"{one.person_id}: {one.channel.value} became {other.channel.value}")
        elif one.reasons != other.reasons:
            codes = (sorted(reason.code for reason in outcome.reasons) for outcome in (one, other))
            found.append(f"{one.person_id}: reasons {' -> '.join(','.join(names) for names in codes)}")
    return found
