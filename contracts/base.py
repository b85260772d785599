"""The base of all contract models, and the few constrained types they share."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


class Contract(BaseModel):
    """A frozen value that refuses unknown fields.

    Serialise with `model_dump_json()`; the canonical bytes that are signed and hashed come from
    `contracts.canonical.canonical_json`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=False, allow_inf_nan=False, validate_default=True
    )


class RetentionClass(StrEnum):
    """How long a field may live. The times are configuration of central; these are the classes."""

    SESSION = "session"  # gone when the traveller leaves the kiosk
    IDENTITY = "identity"  # name, document number, dates: personal
    BIOMETRIC = "biometric"  # scores and image hashes about a body
    DECLARATION = "declaration"  # the legal statement; national limitation period
    EVIDENCE = "evidence"  # encrypted pictures after a referral
    OUTCOME = "outcome"  # decision, dispositions: accountability
    OPERATIONAL = "operational"  # nothing personal: versions, timings, health


def retained(retention: RetentionClass, **keywords: Any) -> Any:
    """A `pydantic.Field` whose schema names its retention class (`x-retention`)."""
    return Field(json_schema_extra={"x-retention": retention.value}, **keywords)


# The last two are no characters at all, and no XML can carry them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff]")


def _reject_control_characters(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


Text = Annotated[str, Field(max_length=500), AfterValidator(_reject_control_characters)]
ShortText = Annotated[str, Field(max_length=120), AfterValidator(_reject_control_characters)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
IssuerCode = Annotated[str, Field(pattern=r"^[A-Z]{1,3}$", description="ICAO 9303-3 §5 code, fillers removed")]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
# Decimals travel as strings; 15 digits and 3 places hold any amount a person can carry.
Amount = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=3, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Moment = AwareDatetime

__all__ = [
    "Amount",
    "Contract",
    "CurrencyCode",
    "Fraction",
    "Identifier",
    "IssuerCode",
    "Moment",
    "RetentionClass",
    "Sha256Hex",
    "ShortText",
    "Text",
    "retained",
]
