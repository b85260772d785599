"""Who may use the automatic path, known from data before any capture; all others go to a person.

The exclusions are data of the rule pack (document codes, nationalities, issuers, ages) with their source.
A field that could not be read excludes nobody here: the document checks carry that, and refer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from contracts.party import TravelDocument
from declarations.packs import Exclusion, RulePack


@dataclass(frozen=True)
class Eligible:
    """The automatic path is open to this person."""


@dataclass(frozen=True)
class NotEligible:
    """A person serves this traveller. `code` is stable: DIPLOMAT, CREW, REFUGEE, STATELESS, …"""

    code: str
    source: str


def age_on(birth_date: date, day: date) -> int | None:
    """Completed years on that day; None when the birth lies after it. Born on 29 February: complete on 1 March."""
    if birth_date > day:
        return None
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def eligibility(
    document: TravelDocument, birth_date: date | None, today: date, pack: RulePack, accompanied: bool
) -> Eligible | NotEligible:
    """Judge one person by the identity document.

    `accompanied` says whether an adult of the same party stands by. A birth date that is unknown or lies in the
    future gives AGE_UNKNOWN: nobody may take a child for an adult.
    """
    for exclusion in pack.eligibility:
        if _named(exclusion, document):
            return NotEligible(exclusion.code, exclusion.source)
    age = age_on(birth_date, today) if birth_date else None
    for exclusion in pack.eligibility:
        limits = [exclusion.under_age] if accompanied else [exclusion.under_age, exclusion.unaccompanied_under_age]
        if age is None and (exclusion.under_age is not None or exclusion.unaccompanied_under_age is not None):
            return NotEligible("AGE_UNKNOWN", exclusion.source)
        if age is not None and any(limit is not None and age < limit for limit in limits):
            return NotEligible(exclusion.code, exclusion.source)
    return Eligible()


def _named(exclusion: Exclusion, document: TravelDocument) -> bool:
    return (
        document.document_code in exclusion.document_codes
        or document.nationality in exclusion.nationalities
        or document.issuer in exclusion.issuers
    )
