"""The law on one case: every declaration as it counts now, judged by the rules, rates and day of its record.

A decision is made once and stays. A correction that its owner has certified is judged anew, by the same law, so
that what is owed follows what is declared, and both answers stand side by side. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from central import amendments, risk
from central.amendments import NothingDeclared, Version
from central.referrals import Case
from central.risk import Features
from central.sealing import Erased
from central.service import Central
from contracts.declaration import Declaration
from contracts.transaction import TransactionRecord
from declarations.evaluate import PartyAssessment, PersonAssessment
from declarations.forms.fill import fill
from declarations.forms.model import PassengerDeclaration
from declarations.forms.versions import BrokenRow
from declarations.packs import RulePack


@dataclass(frozen=True)
class Standing:
    """One person's declaration: all its versions, oldest first, and which of them counts.

    `waiting` is a newer one that its owner has not signed yet. `broken`: the kept versions are no whole row, and
    the record's own stands in for them.
    """

    versions: tuple[Version, ...]
    counts: Version
    waiting: Version | None = None
    broken: bool = False

    @property
    def corrected(self) -> bool:
        """Whether what counts is another version than the decision was made on."""
        return self.counts is not self.versions[0]


@dataclass(frozen=True)
class CaseLaw:
    """What the law says of a party, `decided`: on what the decision was made; `now`: on what counts now.

    `standings` are of those who declare, by person. `if_signed` is the answer for who has a version that waits.
    """

    features: Features
    standings: Mapping[str, Standing]
    decided: PartyAssessment
    now: PartyAssessment
    if_signed: Mapping[str, PersonAssessment]

    @property
    def pack(self) -> RulePack:
        return self.features.pack

    @property
    def on(self) -> date:
        """The local day whose law and rates count."""
        return self.features.on

    def judged(self, person_id: str, declaration: Declaration) -> PersonAssessment:
        """What the law says of one version of a person, beside what counts of the others.

        A version that nobody has certified is judged as it stands, so that the declarant sees what it means.
        """
        counting = {other: standing.counts.declaration for other, standing in self.standings.items()}
        certified = declaration.certified_at or self.features.record.completed_at
        counting[person_id] = declaration.model_copy(update={"certified_at": certified})
        return _assess(self.features, counting).persons[person_id]


def case_law(central: Central, case: Case) -> CaseLaw | None:
    """The law on a case that was opened by `referrals.case`. None where what the decision relied on was erased.

    Where the agency has closed its part, what was certified until then counts: a later correction is for others.
    """
    if case.record is None or case.features is None:
        return None
    until = next(part.closed_at for part in case.referrals if part.agency is case.agency)
    standings = {}
    for person in case.record.party.persons:
        if person.declaration is None:
            continue
        try:
            standings[person.person_id] = _standing(central, case, case.record, person.person_id, until)
        except Erased:
            return None
    counting = {person_id: standing.counts.declaration for person_id, standing in standings.items()}
    decided = risk.assess(case.features)
    corrected = any(standing.corrected for standing in standings.values())
    law = CaseLaw(
        features=case.features,
        standings=standings,
        decided=decided,
        now=_assess(case.features, counting) if corrected else decided,
        if_signed={},
    )
    waiting = {
        person_id: law.judged(person_id, standing.waiting.declaration)
        for person_id, standing in standings.items()
        if standing.waiting is not None
    }
    return replace(law, if_signed=waiting)


def form(central: Central, case: Case, person_id: str, version: Version) -> PassengerDeclaration:
    """The whole form of a version, its categories ticked by the law of the record.

    Raises NothingDeclared, Erased or pydantic.ValidationError.
    """
    if case.record is None:
        raise Erased("the record was erased")
    law, declaration = case_law(central, case), version.declaration
    moment = declaration.certified_at or central.clock()
    return fill(
        case.record,
        amendments.declarant(case.record, person_id),
        declaration,
        law.judged(person_id, declaration).hits if law is not None else (),
        transport=central.config.transport,
        filled_on=moment.astimezone(central.timezone).date(),
        witness=str(version.witness or ""),
    )


def _standing(
    central: Central, case: Case, record: TransactionRecord, person_id: str, until: datetime | None
) -> Standing:
    try:
        versions = amendments.versions(central, case, person_id)
    except BrokenRow:
        own = amendments.declarant(record, person_id).declaration
        if own is None:
            raise NothingDeclared(person_id) from None
        first = Version(own, record.kiosk_id, record.completed_at, None)
        return Standing((first,), first, broken=True)
    signed = [one for one in versions[1:] if _certified_by(one, until)]
    newest = versions[-1]
    return Standing(
        versions,
        counts=signed[-1] if signed else versions[0],
        waiting=newest if until is None and len(versions) > 1 and not newest.certified else None,
    )


def _certified_by(version: Version, until: datetime | None) -> bool:
    certified = version.declaration.certified_at
    return certified is not None and (until is None or certified <= until)


def _assess(features: Features, declarations: Mapping[str, Declaration]) -> PartyAssessment:
    """The one evaluator's answer for the party with these declarations in the place of the record's own."""
    persons = tuple(
        person.model_copy(update={"declaration": declarations[person.person_id]})
        if person.person_id in declarations
        else person
        for person in features.record.party.persons
    )
    party = features.record.party.model_copy(update={"persons": persons})
    return risk.assess(replace(features, record=features.record.model_copy(update={"party": party})))
