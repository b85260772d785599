"""A declaration as bytes that other parties read: JSON and XML, each with a published schema.

The table of formats is explicit; a national format is one more entry. The customs services' own XML (for one, the
namespace PassengerDeclaration of the Russian service) is not among them: nothing here claims to conform to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NoReturn, Protocol

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from declarations.bounded_xml import LARGEST
from declarations.forms.model import FORM_VERSION, PassengerDeclaration

FORM = "passenger-declaration"
SCHEMA_ID = f"urn:corridor:{FORM}:{FORM_VERSION}"
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Problem:
    """One thing that cannot be taken: where (`items[3].value`, `line 4, element weightKg`) and why."""

    place: str
    reason: str


class FormRefused(ValueError):
    """A document that is no declaration. Reasons name fields and rules, and never quote what was written."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.place}: {problem.reason}" for problem in problems))
        self.problems = problems


class Serialiser(Protocol):
    """One format. `read` raises FormRefused and nothing else, for any bytes."""

    media_type: str
    suffix: str

    def schema(self) -> bytes: ...

    def write(self, form: PassengerDeclaration) -> bytes: ...

    def read(self, data: bytes) -> PassengerDeclaration: ...


class JsonForm:
    """JSON (RFC 8259) by a JSON Schema of draft 2020-12. Amounts are strings, so that no digit is lost."""

    media_type = "application/json"
    suffix = "json"

    def schema(self) -> bytes:
        return (json.dumps(json_schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()

    def write(self, form: PassengerDeclaration) -> bytes:
        return json.dumps(plain(form), ensure_ascii=False, indent=1).encode()

    def read(self, data: bytes) -> PassengerDeclaration:
        if len(data) > LARGEST:
            _refuse("document", f"larger than {LARGEST} bytes")
        try:
            document = json.loads(
                data.decode(), object_pairs_hook=_once, parse_float=_no_fraction, parse_constant=_no_number
            )
        except UnicodeDecodeError:
            _refuse("document", "not UTF-8")
        except json.JSONDecodeError as error:
            _refuse(f"line {error.lineno}, column {error.colno}", error.msg)
        except RecursionError:
            _refuse("document", "nested too deeply")
        except FormRefused:
            raise
        except ValueError:  # an integer of thousands of digits
            _refuse("document", "a number that nobody can mean")
        return validated(document)


def serialisers() -> Mapping[str, Serialiser]:
    """Every format there is, by its name."""
    from declarations.forms.xml_form import XmlForm

    return {"json": JsonForm(), "xml": XmlForm()}


class _ExactAmounts(GenerateJsonSchema):
    """Amounts are strings with the digits that the model allows."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        places = schema["decimal_places"]
        whole = schema["max_digits"] - places
        return {"type": "string", "pattern": rf"^[0-9]{{1,{whole}}}(\.[0-9]{{1,{places}}})?$"}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the form. What has a default may be left out."""
    schema = PassengerDeclaration.model_json_schema(mode="serialization", schema_generator=_ExactAmounts)
    for node in (schema, *schema["$defs"].values()):
        if "required" in node:
            node["required"] = [name for name in node["required"] if "default" not in node["properties"][name]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}


def plain(value: Any) -> Any:
    """The form as JSON values. Amounts without exponents, moments in UTC; what is None or empty stays away."""
    if isinstance(value, BaseModel):
        fields = {name: plain(getattr(value, name)) for name in type(value).model_fields}
        return {name: field for name, field in fields.items() if field is not None and field != []}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value


def validated(document: Any, places: Mapping[tuple[str | int, ...], str] | None = None) -> PassengerDeclaration:
    """The form that the values make. `places` says where a field was written, when that is known.

    Raises FormRefused with up to twenty problems.
    """
    try:
        return PassengerDeclaration.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    problems = []
    for one in found[:MOST_PROBLEMS]:
        path, reason = tuple(one["loc"]), one["msg"].removeprefix("Value error, ")
        if not path:  # our own rules begin with the field they are about
            field, colon, rest = reason.partition(": ")
            named = bool(colon) and " " not in field
            problems.append(Problem(field if named else "declaration", rest if named else reason))
            continue
        place = _path(path)
        while path and places and path not in places:
            path = path[:-1]
        problems.append(Problem(f"{places[path]}, {place}" if places and path else place, reason))
    raise FormRefused(*problems)


def _path(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part[:40]}" if text else part[:40]
    return text


def _refuse(place: str, reason: str) -> NoReturn:
    raise FormRefused(Problem(place, reason)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        known = twice in _field_names()
        _refuse(twice if known else "document", "the field is there twice")
    return dict(pairs)


def _field_names() -> frozenset[str]:
    definitions = [*json_schema()["$defs"].values(), json_schema()]
    return frozenset(name for one in definitions for name in one.get("properties", ()))


def _no_fraction(text: str) -> NoReturn:
    _refuse("document", "an amount is written as a string")


def _no_number(text: str) -> NoReturn:
    _refuse("document", "not a number")
