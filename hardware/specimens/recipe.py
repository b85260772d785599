"""What the builder needs to make a specimen: `recipe.json` beside `story.json` in the repository.

A recipe is never part of a built specimen: what it says is then in the page, the chip and the feeds.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Identifier, IssuerCode, ShortText
from hardware.specimens.attacks import AttackName

PortraitName = Annotated[str, Field(pattern=r"^[a-z]+$")]
ChipFault = Literal["tampered_portrait", "cloned", "foreign_signer"]
# How the chip lets a reader in, and how it proves itself: AA and CA are active and chip authentication.
ChipProtocols = Literal["bac_aa", "pace_gm_ca", "pace_cam", "pace_im_aa"]


class DocumentRecipe(Contract):
    """One document: what is printed on it and what is in its chip."""

    format: Literal["TD1", "TD3", "MRV-A"] = "TD3"
    document_code: Annotated[str, Field(pattern=r"^[A-Z]{1,2}$")] = "P"
    issuer: IssuerCode = "UTO"
    nationality: IssuerCode = "UTO"
    surname: ShortText
    given_names: ShortText
    number: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,9}$")]
    birth_date: date
    sex: Literal["F", "M", "X"]
    expiry_date: date
    place_of_birth: ShortText = "Amaurot"
    portrait: PortraitName
    chip: bool = True
    chip_protocols: ChipProtocols = "bac_aa"
    chip_fault: ChipFault | None = None
    printed_surname: ShortText | None = None  # what the page says where it was altered; the zone and chip do not
    damaged: bool = False  # the machine readable zone is scratched and stained beyond reading


class BagRecipe(Contract):
    """A tag's licence plate (IATA RP 740) and how far it hangs turned before the camera."""

    licence_plate: Annotated[str, Field(pattern=r"^[0-9]{10}$")]
    degrees: Annotated[int, Field(ge=0, lt=360)] = 0


class Attack(Contract):
    """How a face gets before the camera that is not its owner's; `by`: who holds or wears it, or stands beside."""

    kind: AttackName
    by: PortraitName


class TravellerRecipe(Contract):
    documents: tuple[DocumentRecipe, ...] = Field(min_length=1)
    face: PortraitName | None = None  # whose face is before the camera
    attack: Attack | None = None
    bags: tuple[BagRecipe | None, ...] = ()  # in step with the story's bags; None = no tag


class Recipe(Contract):
    schema_version: Literal[1] = 1
    id: Identifier
    travellers: tuple[TravellerRecipe, ...] = Field(min_length=1)


def load_recipe(directory: Path) -> Recipe:
    """Read and check `recipe.json`. Raises ValueError for a malformed one, OSError when there is none."""
    return Recipe.model_validate(json.loads((directory / "recipe.json").read_text(encoding="utf-8")))
