"""Who crosses: a party of one to n travellers, each with own identity, documents, checks and declaration."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from contracts.base import Contract, Identifier, IssuerCode, RetentionClass, Sha256Hex, ShortText, retained
from contracts.checks import Check
from contracts.declaration import Declaration

PartyRole = Literal["lead", "adult", "minor"]


class Direction(StrEnum):
    ARRIVAL = "arrival"
    DEPARTURE = "departure"
    TRANSFER = "transfer"


class DocumentFormat(StrEnum):
    """ICAO Doc 9303 formats (parts 4 to 7)."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"
    MRV_A = "MRV-A"
    MRV_B = "MRV-B"
    UNKNOWN = "unknown"


class NameSource(StrEnum):
    DG1 = "dg1"
    MRZ = "mrz"
    NONE = "none"


class PageReading(Contract):
    """How the printed zone was read: by whom, in how many looks, with how much repair. Nothing of what it says.

    `second_reader` is what the other engine said, which is asked only when the first is in doubt: `alone` where
    the first saw no zone at all, `silent` where it read nothing, `no_answer` where it took too long or died.
    """

    engine: Identifier = retained(RetentionClass.OPERATIONAL)
    looks: Annotated[int, Field(ge=0, le=1000)] = retained(RetentionClass.OPERATIONAL, default=0)
    repairs: Annotated[int, Field(ge=0, le=200)] = retained(RetentionClass.OPERATIONAL, default=0)
    second_reader: Literal["not_asked", "agrees", "differs", "silent", "no_answer", "alone"] = retained(
        RetentionClass.OPERATIONAL, default="not_asked"
    )


class TravelDocument(Contract):
    """One document as read. Fields are None when they could not be read with certainty."""

    format: DocumentFormat = retained(RetentionClass.IDENTITY)
    document_code: Annotated[str, Field(pattern=r"^[A-Z]{0,2}$")] = retained(RetentionClass.IDENTITY, default="")
    issuer: IssuerCode | None = retained(RetentionClass.IDENTITY, default=None)
    number: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,22}$")] | None = retained(
        RetentionClass.IDENTITY, default=None
    )
    nationality: IssuerCode | None = retained(RetentionClass.IDENTITY, default=None)
    surname: ShortText | None = retained(RetentionClass.IDENTITY, default=None)
    given_names: ShortText | None = retained(RetentionClass.IDENTITY, default=None)
    name_source: NameSource = retained(RetentionClass.OPERATIONAL, default=NameSource.NONE)
    birth_date: date | None = retained(RetentionClass.IDENTITY, default=None)
    sex: Literal["F", "M", "X"] | None = retained(RetentionClass.IDENTITY, default=None)
    expiry_date: date | None = retained(RetentionClass.IDENTITY, default=None)
    has_chip: bool | None = retained(RetentionClass.OPERATIONAL, default=None)
    reading: PageReading | None = retained(RetentionClass.OPERATIONAL, default=None)
    checks: tuple[Check, ...] = retained(RetentionClass.OUTCOME, default=())
    group_hashes: dict[Identifier, Sha256Hex] = retained(RetentionClass.BIOMETRIC, default_factory=dict)


class FaceDecision(StrEnum):
    MATCH = "match"
    DOUBT = "doubt"
    MISMATCH = "mismatch"
    NOT_CAPTURED = "not_captured"


class FaceResult(Contract):
    """The comparison of the live face with the chip's portrait; no image and no template."""

    decision: FaceDecision = retained(RetentionClass.BIOMETRIC)
    score: float | None = retained(
        RetentionClass.BIOMETRIC, default=None, ge=-1, le=1, description="cosine of the first embedder"
    )
    second_distance: float | None = retained(
        RetentionClass.BIOMETRIC, default=None, ge=0, le=2, description="Euclidean distance of the second embedder"
    )
    false_match_rate: float | None = retained(
        RetentionClass.BIOMETRIC, default=None, ge=0, le=1, description="calibrated at this score; None if unknown"
    )
    tries: int = retained(RetentionClass.OPERATIONAL, default=0, ge=0, le=20)
    models: dict[Identifier, Sha256Hex] = retained(RetentionClass.OPERATIONAL, default_factory=dict)
    checks: tuple[Check, ...] = retained(RetentionClass.OUTCOME, default=())


class Bag(Contract):
    """One bag of a person: its IATA licence plate (10 digits, RP 740) and weight."""

    tag: Annotated[str, Field(pattern=r"^[0-9]{10}$")] | None = retained(RetentionClass.IDENTITY, default=None)
    weight_kg: Annotated[float, Field(ge=0, le=500)] | None = retained(RetentionClass.DECLARATION, default=None)
    checks: tuple[Check, ...] = retained(RetentionClass.OUTCOME, default=())


class Person(Contract):
    """One traveller of the party. `person_id` is local to the party: p1, p2, …"""

    person_id: Annotated[str, Field(pattern=r"^p[1-9][0-9]?$")] = retained(RetentionClass.OPERATIONAL)
    role: PartyRole = retained(RetentionClass.DECLARATION)
    guardian: Annotated[str, Field(pattern=r"^p[1-9][0-9]?$")] | None = retained(
        RetentionClass.DECLARATION, default=None, description="person_id of the adult who declares for a minor"
    )
    documents: tuple[TravelDocument, ...] = retained(RetentionClass.IDENTITY, default=(), max_length=4)
    face: FaceResult | None = retained(RetentionClass.BIOMETRIC, default=None)
    bags: tuple[Bag, ...] = retained(RetentionClass.DECLARATION, default=(), max_length=10)
    declaration: Declaration | None = retained(
        RetentionClass.DECLARATION, default=None, description="None for a minor whose guardian declares"
    )
    asked_for_officer: bool = retained(RetentionClass.OPERATIONAL, default=False)

    @property
    def identity(self) -> TravelDocument | None:
        """The document that proves identity: the first that is not a visa."""
        visas = (DocumentFormat.MRV_A, DocumentFormat.MRV_B)
        return next((document for document in self.documents if document.format not in visas), None)


class Party(Contract):
    """One to twelve people who cross together."""

    persons: tuple[Person, ...] = Field(min_length=1, max_length=12)

    @model_validator(mode="after")
    def _people_fit_together(self) -> Party:
        identifiers = [person.person_id for person in self.persons]
        if len(set(identifiers)) != len(identifiers):
            raise ValueError("person_id must be unique in a party")
        if sum(person.role == "lead" for person in self.persons) != 1:
            raise ValueError("a party has exactly one lead")
        for person in self.persons:
            if person.guardian is not None and (
                person.guardian == person.person_id or person.guardian not in identifiers
            ):
                raise ValueError("a guardian is another person of the same party")
        return self
