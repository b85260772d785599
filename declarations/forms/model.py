"""The passenger customs declaration of the EAEU, field by field (Collegium Decision 124 of 23.07.2019).

The wire contract (`contracts.declaration`) holds what a traveller states at a kiosk; this is the whole paper: who
declares, sections 1 to 5 and the annex for cash. Whatever nobody said is None or empty and is printed as a box to
be filled by hand. `declarations.forms.fill` makes one out of a stored record.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from contracts.base import (
    Amount,
    Contract,
    CurrencyCode,
    Identifier,
    IssuerCode,
    Moment,
    Sha256Hex,
    ShortText,
    Text,
)
from contracts.declaration import (
    CountryCode,
    GoodsCategory,
    GoodsItem,
    Manner,
    Money,
    Purpose,
    Route,
)
from contracts.party import Direction
from declarations.money import known_currency

FORM_VERSION: Literal["1"] = "1"  # of this model and of the schemas made from it
OLDEST = datetime.date(1880, 1, 1)  # nobody who travels was born before
LATEST = datetime.date(2200, 1, 1)


class PaperKind(StrEnum):
    PASSPORT = "passport"
    CARD = "card"
    VISA = "visa"
    RESIDENCE_PERMIT = "residence_permit"
    OTHER = "other"


class IdentityPaper(Contract):
    """A document that says who somebody is, or that they may stay. `country` is a code of ICAO 9303-3."""

    kind: PaperKind
    country: IssuerCode | None = None
    series: ShortText = ""
    number: ShortText = ""
    issued: datetime.date | None = None


class Declarant(Contract):
    """Section 1, and what the annex adds: the birth date, and the visa or residence permit.

    Addresses are asked only for vehicles, cash and transit.
    """

    surname: ShortText = ""
    given_names: ShortText = ""
    patronymic: ShortText = ""
    birth_date: datetime.date | None = None
    document: IdentityPaper | None = None
    stay_document: IdentityPaper | None = Field(default=None, description="visa or residence permit")
    permanent_address: Text = ""
    temporary_address: Text = Field(default="", description="in the member state")


class Representative(Contract):
    """Who signs for the declarant, and by which power of attorney."""

    name: ShortText = Field(min_length=1)
    power_of_attorney: ShortText = ""
    power_issued: datetime.date | None = None


class Vehicle(Contract):
    """Section 5: a vehicle for personal use, a vessel, an aircraft, or a replaced part."""

    kind: Literal["road", "vessel", "aircraft", "part"]
    purpose: Purpose
    relief: bool = False
    make_model: ShortText = ""
    registration: ShortText = ""
    registration_country: CountryCode | None = None
    vin: Annotated[str, Field(pattern=r"^[A-HJ-NPR-Z0-9]{17}$")] | None = None
    engine_cm3: Annotated[int, Field(ge=1, le=100_000, strict=True)] | None = None
    body: ShortText = ""
    chassis: ShortText = ""
    made: datetime.date | None = None
    value: Amount | None = None
    currency: CurrencyCode | None = None

    @model_validator(mode="after")
    def _value_has_a_currency(self) -> Vehicle:
        if (self.value is None) != (self.currency is None):
            raise ValueError("value and currency go together")
        return self


class PassengerDeclaration(Contract):
    """The whole form of one declarant. It is theirs once `certified_at` is set; before, it is a draft.

    Refused on construction: an unknown currency, a date after the form was filled, a category twice, more than 500
    items, a later version that does not say what it amends. pydantic's error names the place.
    """

    form_version: Literal["1"] = FORM_VERSION
    reference: Identifier | None = Field(default=None, description="record that the form was filled from")
    rule_pack: Identifier | None = Field(default=None, description="rules that ticked the categories")
    direction: Direction
    filled_on: datetime.date
    declarant: Declarant = Declarant()
    minors: Annotated[int, Field(ge=0, le=50, strict=True)] = Field(
        default=0, description="accompanying persons under 16"
    )
    departure_country: CountryCode | None = None
    destination_country: CountryCode | None = None
    accompanied_baggage: bool | None = None
    unaccompanied_baggage: bool | None = None
    delivered: bool = Field(default=False, description="delivered without the person crossing")
    purpose: Purpose | None = None
    categories: tuple[GoodsCategory, ...] = Field(default=(), max_length=10)
    items: tuple[GoodsItem, ...] = Field(default=(), max_length=500)
    vehicles: tuple[Vehicle, ...] = Field(default=(), max_length=20)
    money: tuple[Money, ...] = Field(default=(), max_length=50)
    route: Route | None = None
    version: Annotated[int, Field(ge=1, le=99, strict=True)] = 1
    amends: Sha256Hex | None = None
    certified_at: Moment | None = None
    witness: Text = Field(default="", description="officer before whom it was signed on paper: name (id)")
    representative: Representative | None = None

    @property
    def manners(self) -> frozenset[Manner]:
        """What is ticked in section 2."""
        said = {
            Manner.ACCOMPANIED: self.accompanied_baggage,
            Manner.UNACCOMPANIED: self.unaccompanied_baggage,
            Manner.DELIVERED: self.delivered,
        }
        return frozenset(manner for manner, ticked in said.items() if ticked) | {
            item.manner for item in self.items
        }

    @property
    def needs_annex(self) -> bool:
        """Declared money goes on the annex, with its origin and use."""
        return bool(self.money)

    @model_validator(mode="after")
    def _is_in_order(self) -> PassengerDeclaration:
        if self.purpose is Purpose.TEMPORARY_IMPORT:
            raise ValueError("purpose: temporary import is a purpose of vehicles only")
        if len(set(self.categories)) != len(self.categories):
            raise ValueError("categories: one is there twice")
        if self.witness and self.certified_at is None:
            raise ValueError("witness: nothing was signed yet")
        if (self.version == 1) != (self.amends is None):
            raise ValueError("amends: the first version amends nothing, and every later one says what it amends")
        if not OLDEST <= self.filled_on <= LATEST:
            raise ValueError("filled_on: not a date of this time")
        if self.certified_at is not None and not OLDEST < self.certified_at.date() < LATEST:
            raise ValueError("certified_at: not a date of this time")
        for place, date in self._past_dates():
            if date is not None and not OLDEST <= date <= self.filled_on:
                raise ValueError(f"{place}: lies after the day the form was filled, or before anybody's memory")
        for place, currency in self._currencies():
            if currency is not None and not known_currency(currency):
                raise ValueError(f"{place}: no such currency")
        return self

    def _past_dates(self) -> Iterator[tuple[str, datetime.date | None]]:
        who = self.declarant
        yield "declarant.birth_date", who.birth_date
        for name, paper in (("document", who.document), ("stay_document", who.stay_document)):
            yield f"declarant.{name}.issued", paper.issued if paper else None
        if self.representative is not None:
            yield "representative.power_issued", self.representative.power_issued
        for index, item in enumerate(self.items):
            for position, document in enumerate(item.documents):
                yield f"items[{index}].documents[{position}].date", document.date
        for index, vehicle in enumerate(self.vehicles):
            yield f"vehicles[{index}].made", vehicle.made
        for index, money in enumerate(self.money):
            yield f"money[{index}].instrument.issued", money.instrument.issued if money.instrument else None

    def _currencies(self) -> Iterator[tuple[str, str | None]]:
        for index, item in enumerate(self.items):
            yield f"items[{index}].currency", item.currency
        for index, vehicle in enumerate(self.vehicles):
            yield f"vehicles[{index}].currency", vehicle.currency
        for index, money in enumerate(self.money):
            yield f"money[{index}].currency", money.currency
