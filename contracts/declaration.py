"""The passenger customs declaration: the traveller's own legal statement.

Codes are those of the EAEU form (Collegium Decision 124 of 23.07.2019): categories 01 to 10, manner of
movement, purpose, money origin and use, transport mode. A correction after certification is a new version.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from contracts.base import Amount, Contract, CurrencyCode, Identifier, Moment, RetentionClass, Text, retained


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
    ALCOHOL = "alcohol"  # drinks over 0.5 % vol, litres
    ETHYL_ALCOHOL = "ethyl_alcohol"  # litres
    CIGARETTES = "cigarettes"  # sticks
    CIGARS = "cigars"  # pieces
    TOBACCO = "tobacco"  # loose, grams
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


class Unit(StrEnum):
    LITRE = "l"
    KILOGRAM = "kg"
    GRAM = "g"
    PIECE = "pcs"


class MoneyKind(StrEnum):
    CASH = "cash"
    TRAVELLERS_CHEQUES = "travellers_cheques"
    INSTRUMENT = "instrument"  # bills, bank cheques, bearer securities: no threshold


class Manner(StrEnum):
    """MovingCode."""

    ACCOMPANIED = "1"
    UNACCOMPANIED = "2"
    DELIVERED = "3"


class TransportMode(StrEnum):
    WATER = "10"
    RAIL = "20"
    ROAD = "30"
    AIR = "40"
    OTHER = "99"


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

    @model_validator(mode="after")
    def _units_come_with_numbers(self) -> GoodsItem:
        if (self.value is None) != (self.currency is None):
            raise ValueError("value and currency go together")
        if (self.quantity is None) != (self.unit is None):
            raise ValueError("quantity and unit go together")
        return self


class Money(Contract):
    """Cash or an instrument. Origin and use follow the annex (01 to 08 and 99; 01 to 04 and 99)."""

    kind: MoneyKind = retained(RetentionClass.DECLARATION)
    amount: Amount = retained(RetentionClass.DECLARATION)
    currency: CurrencyCode = retained(RetentionClass.DECLARATION)
    origin: Annotated[str, Field(pattern=r"^(0[1-8]|99)$")] | None = retained(
        RetentionClass.DECLARATION, default=None
    )
    intended_use: Annotated[str, Field(pattern=r"^(0[1-4]|99)$")] | None = retained(
        RetentionClass.DECLARATION, default=None
    )
    owner_is_declarant: bool = retained(RetentionClass.DECLARATION, default=True)


class Declaration(Contract):
    """A certified statement. `covers` names the minors it speaks for, by person_id."""

    declared_channel: DeclaredChannel = retained(RetentionClass.DECLARATION)
    items: tuple[GoodsItem, ...] = retained(RetentionClass.DECLARATION, default=(), max_length=500)
    money: tuple[Money, ...] = retained(RetentionClass.DECLARATION, default=(), max_length=50)
    unaccompanied_baggage: bool | None = retained(
        RetentionClass.DECLARATION, default=None, description="always asked; None means not answered and refers"
    )
    covers: tuple[Annotated[str, Field(pattern=r"^p[1-9][0-9]?$")], ...] = retained(
        RetentionClass.DECLARATION, default=()
    )
    version: Annotated[int, Field(ge=1, le=99)] = retained(RetentionClass.DECLARATION, default=1)
    rule_pack: Identifier = retained(RetentionClass.OPERATIONAL, description="pack and version shown")
    notice_version: Identifier = retained(RetentionClass.OPERATIONAL, description="privacy notice shown")
    language: Identifier = retained(RetentionClass.OPERATIONAL)
    certified_at: Moment | None = retained(RetentionClass.DECLARATION, default=None)
