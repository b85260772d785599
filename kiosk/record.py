"""The transaction record: what the party gave and what was checked, as central decides on it.

Every check is there, whatever happened: a step that the journey did not reach is NOT_CHECKED `not_reached`.
Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from contracts.checks import DOCUMENT_CHECKS, Check, Verdict
from contracts.declaration import Circumstances, Declaration
from contracts.party import DocumentFormat, Party, Person, TravelDocument
from contracts.transaction import EvidenceReference, Provenance, TransactionRecord
from kiosk.config import KioskConfig
from kiosk.face_capture import not_compared
from kiosk.journey import PersonState, State

_Part = TypeVar("_Part", bound=BaseModel)
SOFTWARE = "corridor-kiosk-0.1.0"
NOTICE_VERSION = "notice-1"
NOT_REACHED = "not_reached"


def build_record(
    state: State,
    config: KioskConfig,
    *,
    rule_pack: str,
    provenance: Provenance,
    evidence: EvidenceReference | None,
    seconds: Mapping[str, float],
    completed_at: datetime,
) -> TransactionRecord:
    """The record of a journey that has ended (`state.finished` is set)."""
    assert state.record_id is not None and state.started_at is not None and state.finished is not None
    persons = tuple(_person(state, person, rule_pack) for person in state.persons)
    return TransactionRecord(
        site_id=config.site_id,
        kiosk_id=config.kiosk_id,
        record_id=state.record_id,
        direction=config.direction,
        flight=config.flight,
        started_at=state.started_at,
        completed_at=completed_at,
        party=Party(persons=persons),
        finished=state.finished,
        evidence=evidence,
        provenance=provenance,
        step_seconds={name: round(value, 3) for name, value in seconds.items()},
    )


def least_record(state: State, config: KioskConfig, *, completed_at: datetime) -> TransactionRecord:
    """What can be told of a journey whose record could not be made: always valid, and always for an officer.

    Whatever is valid by itself is kept, person by person; nothing is put in its place.
    """
    assert state.record_id is not None
    persons = tuple(_least_person(state, person) for person in state.persons or (PersonState("p1"),))
    return TransactionRecord(
        site_id=config.site_id,
        kiosk_id=config.kiosk_id,
        record_id=state.record_id,
        direction=config.direction,
        started_at=state.started_at or completed_at,
        completed_at=completed_at,
        party=Party(persons=persons),
        finished="to_officer",
        provenance=Provenance(profile=config.profile, software=SOFTWARE),
    )


def _least_person(state: State, person: PersonState) -> Person:
    lead = not state.persons or person.person_id == state.persons[0].person_id
    document = _valid(person.identity)
    return Person(
        person_id=person.person_id,
        role="lead" if lead else "minor" if person.minor else "adult",
        guardian=state.persons[0].person_id if person.minor and not lead else None,
        documents=(document or _unread_document(),),
        face=_valid(person.face) or not_compared(NOT_REACHED),
        bags=tuple(bag for bag in map(_valid, person.bags) if bag is not None)[:10],
        asked_for_officer=person.asked_for_officer,
    )


def _valid(part: _Part | None) -> _Part | None:
    """The part itself where it holds against its own contract: a part that was copied was not checked again."""
    try:
        return None if part is None else type(part).model_validate(part.model_dump(warnings=False))
    except ValueError:
        return None


def _person(state: State, person: PersonState, rule_pack: str) -> Person:
    return Person(
        person_id=person.person_id,
        role=state.role(person),
        guardian=state.persons[0].person_id if state.role(person) == "minor" else None,
        documents=(*person.visas, person.identity or _unread_document()),
        face=person.face or not_compared(NOT_REACHED),
        bags=person.bags,
        declaration=declaration_of(state, person, rule_pack),
        asked_for_officer=person.asked_for_officer,
    )


def declaration_of(state: State, person: PersonState, rule_pack: str) -> Declaration | None:
    """What this adult declared, certified or not; None for a minor and before the question was answered."""
    if person.declared is None or state.role(person) == "minor":
        return None
    return Declaration(
        declared_channel=person.declared,
        items=person.items,
        money=person.money,
        unaccompanied_baggage=person.unaccompanied,
        covers=tuple(minor.person_id for minor in state.minors_of(person)),
        circumstances=person.circumstances if person.circumstances != Circumstances() else None,
        addresses=person.addresses,
        route=person.route,
        rule_pack=rule_pack,
        notice_version=NOTICE_VERSION,
        language=state.language,
        certified_at=person.certified_at,
    )


def _unread_document() -> TravelDocument:
    return TravelDocument(
        format=DocumentFormat.UNKNOWN,
        checks=tuple(
            Check(name=name, verdict=Verdict.NOT_CHECKED, reason=NOT_REACHED) for name in DOCUMENT_CHECKS
        ),
    )
