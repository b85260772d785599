"""Declarations after they were certified: corrections are kept as versions, never written over what they correct.

The officer who holds the case writes down what the declarant corrects and prints it; the version counts once the
declarant has signed that paper before the officer. What the kiosk sent, and the decision on it, stay as they were;
what the law says of the version that counts is `central.law_case`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.access.permissions import Permission, User
from central.audit import PEOPLE
from central.referrals import Case, Closed, NotAllowed, UnknownCase
from central.sealing import Erased
from central.service import Central
from central.storage.models import StoredDeclaration, StoredReferral, StoredUser
from contracts.base import RetentionClass
from contracts.declaration import Declaration
from contracts.disposition import Agency
from contracts.events import AuditTag
from contracts.party import Person
from contracts.transaction import TransactionRecord
from declarations.forms.versions import amendment, kept, row


class NothingDeclared(LookupError):
    """This person of the record has no declaration of their own."""


class NotHeld(Exception):
    """Only who holds the case amends or witnesses."""


@dataclass(frozen=True)
class Witness:
    """The officer before whom a declarant signed on paper."""

    officer_id: str
    name: str

    def __str__(self) -> str:
        return self.name if self.name == self.officer_id else f"{self.name} ({self.officer_id})"


@dataclass(frozen=True)
class Version:
    """One version as it is kept. `declaration.certified_at` says whether, and when, its owner certified it."""

    declaration: Declaration
    entered_by: str  # a kiosk, or an officer's name
    entered_at: datetime
    witness: Witness | None  # None for what was certified at a kiosk, or not at all yet

    @property
    def number(self) -> int:
        return self.declaration.version

    @property
    def certified(self) -> bool:
        return self.declaration.certified_at is not None


def versions(central: Central, case: Case, person_id: str) -> tuple[Version, ...]:
    """Every version of a person's declaration, oldest first.

    `case` was opened by `referrals.case`, which asked for the permission and wrote the view down. Raises
    NothingDeclared, Erased, or `declarations.forms.versions.BrokenRow` when the kept ones are no whole row.
    """
    if case.record is None:
        raise Erased("the record was erased")
    person = declarant(case.record, person_id)
    assert person.declaration is not None
    with central.storage.read() as session:
        rows = _rows(central, session, case.record_id, person_id)
        if not rows:
            first = Version(person.declaration, case.record.kiosk_id, case.record.completed_at, None)
            return (first,)
        declarations = row([_opened(central, session, kept_row) for kept_row in rows])
        return tuple(
            Version(
                declaration.model_copy(update={"certified_at": kept_row.certified_at}),
                _name(central, session, kept_row.entered_by),
                kept_row.entered_at,
                Witness(kept_row.witnessed_by, _name(central, session, kept_row.witnessed_by))
                if kept_row.witnessed_by
                else None,
            )
            for declaration, kept_row in zip(declarations, rows, strict=True)
        )


def amend(
    central: Central, user: User, record_id: str, agency: Agency, person_id: str, **changes: Any
) -> Declaration:
    """Keep a corrected version, not certified yet.

    Raises NotAllowed, UnknownCase, Closed, NotHeld, NothingDeclared, Erased, or ValueError with the place for what
    makes no declaration and for what changes nothing.
    """
    now = central.clock()
    with central.storage.write() as session:
        _held(central, session, user, record_id, agency)
        rows = _rows(central, session, record_id, person_id)
        if not rows:
            record = central.envelope.open_model(session, record_id, "record", TransactionRecord)
            first = declarant(record, person_id).declaration
            assert first is not None
            rows = [_keep(central, session, record_id, person_id, first, record.kiosk_id, now)]
            rows[0].certified_at = first.certified_at
        before = _opened(central, session, rows[-1])
        corrected = amendment(before, **changes)
        added = _keep(central, session, record_id, person_id, corrected, user.user_id, now)
        central.audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.DECLARATION_VERSION_ADDED,
            actor=user.user_id,
            now=now,
            record_id=record_id,
            detail={"agency": agency.value, "person": person_id, "version": added.version},
        )
    central.broker.wake()
    return corrected


def witness(central: Central, user: User, record_id: str, agency: Agency, person_id: str, version: int) -> None:
    """The declarant has signed the print of the newest version before this officer.

    Raises NotAllowed, UnknownCase, Closed, NotHeld; NothingDeclared for any version but the newest that is open.
    """
    now = central.clock()
    with central.storage.write() as session:
        _held(central, session, user, record_id, agency)
        rows = _rows(central, session, record_id, person_id)
        if not rows or rows[-1].version != version or rows[-1].certified_at is not None:
            raise NothingDeclared(person_id)
        rows[-1].certified_at, rows[-1].witnessed_by = now, user.user_id
        central.audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.DECLARATION_VERSION_CERTIFIED,
            actor=user.user_id,
            now=now,
            record_id=record_id,
            detail={"agency": agency.value, "person": person_id, "version": version},
        )
    central.broker.wake()


def declarant(record: TransactionRecord, person_id: str) -> Person:
    """Who declares under that id. Raises NothingDeclared."""
    person = next((one for one in record.party.persons if one.person_id == person_id), None)
    if person is None or person.declaration is None:
        raise NothingDeclared(person_id)
    return person


def printed(central: Central, user: User, case: Case, person_id: str, version: int, form_name: str) -> None:
    """Write down that a version left as a file or on paper."""
    with central.storage.write() as session:
        central.audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.DECLARATION_FORM_PRINTED,
            actor=user.user_id,
            now=central.clock(),
            record_id=case.record_id,
            detail={"agency": case.agency.value, "person": person_id, "version": version, "format": form_name},
        )


def _held(central: Central, session: Session, user: User, record_id: str, agency: Agency) -> None:
    site = central.config.site_id
    if not user.may(Permission.CASE_DISPOSE, site_id=site, agency=agency):
        raise NotAllowed(Permission.CASE_DISPOSE.value)
    referral = session.get(StoredReferral, (site, record_id, agency.value))
    if referral is None:
        raise UnknownCase(record_id)
    if referral.closed_at is not None:
        raise Closed
    if referral.claimed_by != user.user_id:
        raise NotHeld


def _rows(central: Central, session: Session, record_id: str, person_id: str) -> list[StoredDeclaration]:
    return list(
        session.scalars(
            select(StoredDeclaration)
            .where(
                StoredDeclaration.site_id == central.config.site_id,
                StoredDeclaration.record_id == record_id,
                StoredDeclaration.person_id == person_id,
            )
            .order_by(StoredDeclaration.version)
        )
    )


def _keep(
    central: Central,
    session: Session,
    record_id: str,
    person_id: str,
    declaration: Declaration,
    entered_by: str,
    now: datetime,
) -> StoredDeclaration:
    central.envelope.seal(
        session,
        record_id,
        f"declaration:{person_id}:{declaration.version}",
        RetentionClass.DECLARATION,
        kept(declaration),
        now,
    )
    added = StoredDeclaration(
        site_id=central.config.site_id,
        record_id=record_id,
        person_id=person_id,
        version=declaration.version,
        entered_by=entered_by,
        entered_at=now,
        certified_at=None,
        witnessed_by=None,
    )
    session.add(added)
    return added


def _opened(central: Central, session: Session, kept_row: StoredDeclaration) -> bytes:
    return central.envelope.open(
        session, kept_row.record_id, f"declaration:{kept_row.person_id}:{kept_row.version}"
    )


def _name(central: Central, session: Session, user_id: str) -> str:
    user = session.get(StoredUser, (central.config.site_id, user_id))
    return user.name if user is not None else user_id
