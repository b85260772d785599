"""The passenger customs declaration: the traveller's own legal statement.

Codes are those of the EAEU form (Collegium Decision 124 of 23.07.2019): categories 01 to 10, manner of
movement, purpose, money origin and use, transport mode. A correction after certification is a new version.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from contracts.base import (
    Amount,
    Contract,
    CurrencyCode,
    Identifier,
    Moment,
    RetentionClass,
    Sha256Hex,
    ShortText,
    Text,
    retained,
)

# The EAEU forms name countries by two letters (ISO 3166-1 alpha-2), travel documents by three (ICAO 9303-3).
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Least = Annotated[int, Field(ge=0, le=100_000)]


class DeclaredChannel(StrEnum):
    """The traveller's statement, never the service's selection (rule 2)."""

    GREEN = "green"
    RED = "red"


class GoodsCategory(StrEnum):
    """GoodsCategoryCode of the form; the allowance kinds below refine 03."""

    CASH = "01"
    RELIEF = "02"
    OVER_NORM = "03"
    CULTURAL = "04"
    WEAPONS = "05"
    CONTROLLED_MEDICINES = "06"
    ANIMALS_PLANTS = "07"
    COLLECTIONS = "08"
    BIOLOGICAL_SAMPLES = "09"
    OTHER_RESTRICTED = "10"


class GoodsKind(StrEnum):
    """What an item is, as the evaluator counts it."""

    GOODS = "goods"  # personal goods: value and weight norms
    ALCOHOL = "alcohol"  # drinks over 0.5 % vol of whatever sort, litres
    BEER = "beer"  # litres
    WINE = "wine"  # still, litres
    INTERMEDIATE = "intermediate"  # other drinks up to 22 % vol: sparkling, fortified, cider; litres
    SPIRITS = "spirits"  # drinks over 22 % vol, litres
    ETHYL_ALCOHOL = "ethyl_alcohol"  # litres
    CIGARETTES = "cigarettes"  # sticks
    CIGARILLOS = "cigarillos"  # pieces of up to 3 g
    CIGARS = "cigars"  # pieces
    HEATED_STICKS = "heated_sticks"  # tobacco for heating, sticks
    TOBACCO = "tobacco"  # loose, grams
    GIFTS = "gifts"  # for people in the country of arrival, where its law treats them apart
    COMMERCIAL = "commercial"  # merchandise, samples
    FOOD_ANIMAL = "food_animal"  # kg
    FOOD_PLANT = "food_plant"  # kg
    ANIMALS_PLANTS = "animals_plants"
    MEDICINES = "medicines"
    WEAPONS = "weapons"
    CULTURAL = "cultural"
    DRONE = "drone"
    COLLECTIONS = "collections"
    BIOLOGICAL_SAMPLES = "biological_samples"
    OTHER_RESTRICTED = "other_restricted"
    RELIEF = "relief"
    FISH = "fish"  # and seafood, kg
    CAVIAR = "caviar"  # of sturgeon, g
    FUEL = "fuel"  # in a tank of its own, litres
    PRECIOUS_METALS = "precious_metals"  # and stones
    FARM_CONTACT = "farm_contact"  # soil, a visit to a farm, contact with livestock


class Unit(StrEnum):
    LITRE = "l"
    KILOGRAM = "kg"
    GRAM = "g"
    PIECE = "pcs"


# The unit in which people state how much of a kind there is; what is not here is counted in pieces.
COUNTED_IN = {
    **dict.fromkeys(
        (
            GoodsKind.ALCOHOL,
            GoodsKind.BEER,
            GoodsKind.WINE,
            GoodsKind.INTERMEDIATE,
            GoodsKind.SPIRITS,
            GoodsKind.ETHYL_ALCOHOL,
            GoodsKind.FUEL,
        ),
        Unit.LITRE,
    ),
    **dict.fromkeys((GoodsKind.TOBACCO, GoodsKind.CAVIAR), Unit.GRAM),
    **dict.fromkeys((GoodsKind.FOOD_ANIMAL, GoodsKind.FOOD_PLANT, GoodsKind.FISH), Unit.KILOGRAM),
}


class MoneyKind(StrEnum):
    CASH = "cash"
    TRAVELLERS_CHEQUES = "travellers_cheques"
    INSTRUMENT = "instrument"  # bills, bank cheques, bearer securities: no threshold
    GOLD = "gold"  # coins and bullion, where a country's law counts them with cash


class Manner(StrEnum):
    """MovingCode."""

    ACCOMPANIED = "1"
    UNACCOMPANIED = "2"
    DELIVERED = "3"


class Purpose(StrEnum):
    """TransferPurposeCode."""

    IMPORT = "1"  # release for free circulation
    TEMPORARY_IMPORT = "2"  # vehicles only
    EXPORT = "3"
    TEMPORARY_EXPORT = "4"
    TRANSIT = "5"


class MoneyOrigin(StrEnum):
    """OriginMoneyKind of the annex."""

    EARNINGS = "01"  # salary, business
    DIVIDENDS = "02"
    SALE = "03"  # of property
    GIFT = "04"  # grants and gifts
    PENSION = "05"  # and benefits
    RENT = "06"
    LOAN = "07"
    INHERITANCE = "08"
    OTHER = "99"


class MoneyUse(StrEnum):
    """Intended use of money, as the annex lists it."""

    SPENDING = "01"  # current needs
    INVESTMENT = "02"  # and real estate
    PERSONS = "03"  # transfers to persons
    ORGANISATIONS = "04"  # transfers to organisations
    OTHER = "99"


class TransportMode(StrEnum):
    WATER = "10"
    RAIL = "20"
    ROAD = "30"
    AIR = "40"
    OTHER = "99"


class ItemDocument(Contract):
    """A paper that goes with an item: a permit, a certificate, an invoice."""

    name: ShortText = retained(RetentionClass.DECLARATION, min_length=1)
    number: ShortText = retained(RetentionClass.DECLARATION, default="")
    date: datetime.date | None = retained(RetentionClass.DECLARATION, default=None)
    issued_by: ShortText = retained(RetentionClass.DECLARATION, default="")


class GoodsItem(Contract):
    """One line. An amount that the traveller does not know is None: it refers, it is never free."""

    kind: GoodsKind = retained(RetentionClass.DECLARATION)
    description: Text = retained(RetentionClass.DECLARATION, default="")
    quantity: Amount | None = retained(RetentionClass.DECLARATION, default=None)
    unit: Unit | None = retained(RetentionClass.DECLARATION, default=None)
    value: Amount | None = retained(RetentionClass.DECLARATION, default=None)
    currency: CurrencyCode | None = retained(RetentionClass.DECLARATION, default=None)
    weight_kg: Amount | None = retained(RetentionClass.DECLARATION, default=None)
    manner: Manner = retained(RetentionClass.DECLARATION, default=Manner.ACCOMPANIED)
    carried_for: Annotated[str, Field(pattern=r"^p[1-9][0-9]?$")] | None = retained(
        RetentionClass.DECLARATION,
        default=None,
        description="the minor whose goods these are; None: the declarant's",
    )
    documents: tuple[ItemDocument, ...] = retained(RetentionClass.DECLARATION, default=(), max_length=10)
    hs_code: Annotated[str, Field(pattern=r"^[0-9]{4,10}$")] | None = retained(
        RetentionClass.DECLARATION, default=None, description="HS heading or longer code; never required"
    )

    @model_validator(mode="after")
    def _units_come_with_numbers(self) -> GoodsItem:
        if (self.value is None) != (self.currency is None):
            raise ValueError("value and currency go together")
        if (self.quantity is None) != (self.unit is None):
            raise ValueError("quantity and unit go together")
        return self


class MoneyOwner(Contract):
    """Whose money it is when it is not the declarant's own."""

    name: ShortText = retained(RetentionClass.DECLARATION, min_length=1)
    address: Text = retained(RetentionClass.DECLARATION, default="")


class Instrument(Contract):
    """What tells one monetary instrument from another: a bill, a bank cheque, a bearer security."""

    name: ShortText = retained(RetentionClass.DECLARATION, min_length=1)
    issuer: ShortText = retained(RetentionClass.DECLARATION, default="")
    issued: datetime.date | None = retained(RetentionClass.DECLARATION, default=None)
    number: ShortText = retained(RetentionClass.DECLARATION, default="")
    nominal: Amount | None = retained(RetentionClass.DECLARATION, default=None, description="of one piece")
    pieces: Annotated[int, Field(ge=1, le=100_000)] | None = retained(RetentionClass.DECLARATION, default=None)


class Money(Contract):
    """Cash or an instrument, with what the annex asks: whose it is, where it comes from, what it is for."""

    kind: MoneyKind = retained(RetentionClass.DECLARATION)
    amount: Amount = retained(RetentionClass.DECLARATION)
    currency: CurrencyCode = retained(RetentionClass.DECLARATION)
    origin: MoneyOrigin | None = retained(RetentionClass.DECLARATION, default=None)
    intended_use: MoneyUse | None = retained(RetentionClass.DECLARATION, default=None)
    owner_is_declarant: bool = retained(RetentionClass.DECLARATION, default=True)
    owner: MoneyOwner | None = retained(RetentionClass.DECLARATION, default=None)
    instrument: Instrument | None = retained(RetentionClass.DECLARATION, default=None)

    @model_validator(mode="after")
    def _owner_and_instrument_fit(self) -> Money:
        if self.owner_is_declarant and self.owner is not None:
            raise ValueError("money that is the declarant's own has no other owner")
        if self.instrument is not None and self.kind is not MoneyKind.INSTRUMENT:
            raise ValueError("only an instrument is described as one")
        return self


class Route(Contract):
    """The way of declared money: from where, to where, when, by what. Unknown parts stay None."""

    departure_country: CountryCode | None = retained(RetentionClass.DECLARATION, default=None)
    departure_date: datetime.date | None = retained(RetentionClass.DECLARATION, default=None)
    destination_country: CountryCode | None = retained(RetentionClass.DECLARATION, default=None)
    arrival_date: datetime.date | None = retained(RetentionClass.DECLARATION, default=None)
    transit: tuple[CountryCode, ...] = retained(RetentionClass.DECLARATION, default=(), max_length=10)
    transport: TransportMode | None = retained(RetentionClass.DECLARATION, default=None)

    @model_validator(mode="after")
    def _leaves_before_it_arrives(self) -> Route:
        if self.departure_date and self.arrival_date and self.arrival_date < self.departure_date:
            raise ValueError("the arrival lies before the departure")
        return self


class Circumstances(Contract):
    """Facts of the declarant that the law asks about. None: nobody asked, or the declarant does not know.

    A number is the least of the stretch that was chosen, between limits that the rule pack sets: 48 hours of
    absence are 48 or more, up to the next limit.
    """

    resident: bool | None = retained(RetentionClass.DECLARATION, default=None)
    absence_hours: Least | None = retained(RetentionClass.DECLARATION, default=None)
    days_since_exemption: Least | None = retained(RetentionClass.DECLARATION, default=None)
    crossings: Least | None = retained(RetentionClass.DECLARATION, default=None, description="this one included")


class Addresses(Contract):
    """Where the declarant lives, and where in the member state: the form asks it for money, vehicles, transit."""

    permanent: Text = retained(RetentionClass.DECLARATION, default="")
    temporary: Text = retained(RetentionClass.DECLARATION, default="")


class Declaration(Contract):
    """A certified statement. `covers` names the minors it speaks for, by person_id.

    A correction after certification is a new version; `amends` is the SHA-256 of the one before, so that no
    version can be taken out of the row (declarations/forms/versions.py).
    """

    declared_channel: DeclaredChannel = retained(RetentionClass.DECLARATION)
    items: tuple[GoodsItem, ...] = retained(RetentionClass.DECLARATION, default=(), max_length=500)
    money: tuple[Money, ...] = retained(RetentionClass.DECLARATION, default=(), max_length=50)
    unaccompanied_baggage: bool | None = retained(
        RetentionClass.DECLARATION, default=None, description="always asked; None means not answered and refers"
    )
    covers: tuple[Annotated[str, Field(pattern=r"^p[1-9][0-9]?$")], ...] = retained(
        RetentionClass.DECLARATION, default=()
    )
    purpose: Purpose | None = retained(RetentionClass.DECLARATION, default=None)
    route: Route | None = retained(RetentionClass.DECLARATION, default=None)
    circumstances: Circumstances | None = retained(RetentionClass.DECLARATION, default=None)
    addresses: Addresses | None = retained(RetentionClass.DECLARATION, default=None)
    version: Annotated[int, Field(ge=1, le=99)] = retained(RetentionClass.DECLARATION, default=1)
    amends: Sha256Hex | None = retained(RetentionClass.DECLARATION, default=None)
    rule_pack: Identifier = retained(RetentionClass.OPERATIONAL, description="pack and version shown")
    notice_version: Identifier = retained(RetentionClass.OPERATIONAL, description="privacy notice shown")
    language: Identifier = retained(RetentionClass.OPERATIONAL)
    certified_at: Moment | None = retained(RetentionClass.DECLARATION, default=None)

    @model_validator(mode="after")
    def _is_in_order(self) -> Declaration:
        if (self.version == 1) != (self.amends is None):
            raise ValueError("the first version amends nothing, and every later one names what it amends")
        if self.purpose is Purpose.TEMPORARY_IMPORT:
            raise ValueError("temporary import is a purpose of vehicles only")
        return self
