"""The form as XML in a namespace of our own, with an XSD made from the same model as the JSON Schema.

Elements carry the fields' names in camel case and stand in the order of the model; a list is an element that holds
one element per entry. The reader takes what the XSD takes, is stricter about white space and about control
characters, and says line and element of what it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, NoReturn
from xml.sax.saxutils import escape, quoteattr

from declarations.bounded_xml import Element, XmlRefused, parse
from declarations.forms.model import PassengerDeclaration
from declarations.forms.serialise import SCHEMA_ID, FormRefused, Problem, json_schema, plain, validated

NAMESPACE = SCHEMA_ID
ROOT = "passengerDeclaration"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT = _DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+\-][0-9]{2}:[0-9]{2})"
Node = dict[str, Any]


class XmlForm:
    """XML 1.0 in UTF-8 by an XSD 1.0."""

    media_type = "application/xml"
    suffix = "xml"

    def schema(self) -> bytes:
        return "\n".join(_xsd()).encode() + b"\n"

    def write(self, form: PassengerDeclaration) -> bytes:
        lines = ['<?xml version="1.0" encoding="UTF-8"?>']
        lines += _written(ROOT, plain(form), _schema(), 0, f" xmlns={quoteattr(NAMESPACE)}")
        return "\n".join(lines).encode() + b"\n"

    def read(self, data: bytes) -> PassengerDeclaration:
        try:
            root = parse(data)
        except XmlRefused as refused:
            raise FormRefused(Problem(refused.place, refused.reason)) from None
        if root.name != f"{{{NAMESPACE}}}{ROOT}":
            _refuse(root, f"not a {ROOT} of {NAMESPACE}")
        places: dict[tuple[str | int, ...], str] = {}
        return validated(_value(root, _schema(), (), places), places)


@cache
def _schema() -> Node:
    return json_schema()


def _resolved(node: Node) -> Node:
    """The definition behind a reference; of an optional field, what it is when it is there."""
    if "$ref" in node:
        return _resolved(_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    if "anyOf" in node:
        return _resolved(next(one for one in node["anyOf"] if one.get("type") != "null"))
    return node


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _entry(node: Node) -> str:
    """What an entry of a list is called: after its type, or plainly."""
    title = _resolved(node["items"]).get("title", "")
    return title[:1].lower() + title[1:] if title.isidentifier() else "entry"


# -- writing ----------------------------------------------------------------------------------------------------


def _written(name: str, value: Any, node: Node, depth: int, attributes: str = "") -> Iterator[str]:
    node, indent = _resolved(node), " " * depth
    if node.get("type") == "object":
        yield f"{indent}<{name}{attributes}>"
        for field, inner in node["properties"].items():
            if field in value:
                yield from _written(_camel(field), value[field], inner, depth + 1)
        yield f"{indent}</{name}>"
    elif node.get("type") == "array":
        yield f"{indent}<{name}>"
        for one in value:
            yield from _written(_entry(node), one, node["items"], depth + 1)
        yield f"{indent}</{name}>"
    else:
        text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        yield f"{indent}<{name}>{escape(text)}</{name}>"


# -- reading ----------------------------------------------------------------------------------------------------


def _value(
    element: Element, node: Node, path: tuple[str | int, ...], places: dict[tuple[str | int, ...], str]
) -> Any:
    """What an element says, as JSON. `places` learns the line of every field."""
    node = _resolved(node)
    places[path] = f"line {element.line}"
    if element.attributes:
        _refuse(element, "attributes are not used")
    if node.get("type") not in ("object", "array"):
        return _scalar(element, node)
    if element.text.strip():
        _refuse(element, "text where elements are expected")
    if node["type"] == "array":
        name = _entry(node)
        for child in element.children:
            _named(child, (name,))
        return [
            _value(child, node["items"], (*path, index), places) for index, child in enumerate(element.children)
        ]
    fields = {_camel(field): field for field in node["properties"]}
    order = tuple(fields)
    found: dict[str, Any] = {}
    last = -1
    for child in element.children:
        _named(child, order)
        position = order.index(child.local)
        if position <= last:
            _refuse(child, "the element is there twice" if position == last else "out of order")
        last = position
        field = fields[child.local]
        found[field] = _value(child, node["properties"][field], (*path, field), places)
    return found


def _scalar(element: Element, node: Node) -> Any:
    if element.children:
        _refuse(element, "elements where text is expected")
    text = element.text
    if node.get("type") == "boolean":
        if text not in ("true", "false"):
            _refuse(element, "neither true nor false")
        return text == "true"
    if node.get("type") == "integer":
        if not re.fullmatch(r"-?[0-9]{1,9}", text, re.ASCII):
            _refuse(element, "not a whole number")
        return int(text)
    for shape, pattern in (("date", _DATE), ("date-time", _MOMENT)):
        if node.get("format") == shape and not re.fullmatch(pattern, text):
            _refuse(element, f"not a {shape} as XSD writes it")
    if node.get("format") == "date-time":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            _refuse(element, "no such moment")
    if "pattern" in node and not re.fullmatch(node["pattern"], text):
        _refuse(element, f"not of the shape {node['pattern'].strip('^$')}")
    return text


def _named(element: Element, allowed: tuple[str, ...]) -> None:
    namespace, _, local = element.name.removeprefix("{").rpartition("}")
    if namespace != NAMESPACE or local not in allowed:
        raise FormRefused(Problem(f"line {element.line}", "an element that does not belong here"))


def _refuse(element: Element, reason: str) -> NoReturn:
    raise FormRefused(Problem(f"line {element.line}, element {element.local[:40]}", reason)) from None


# -- the schema -------------------------------------------------------------------------------------------------


def _xsd() -> Iterator[str]:
    root = _schema()
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NAMESPACE}" '
        f'targetNamespace="{NAMESPACE}" elementFormDefault="qualified">'
    )
    yield f' <xs:element name="{ROOT}" type="{root["title"]}"/>'
    yield from _complex(root)
    for name, node in sorted(root["$defs"].items()):
        if node.get("type") == "object":
            yield from _complex(node)
        else:
            yield f' <xs:simpleType name="{name}">'
            yield from _restriction(node, 2)
            yield " </xs:simpleType>"
    yield "</xs:schema>"


def _complex(node: Node) -> Iterator[str]:
    yield f' <xs:complexType name="{node["title"]}">'
    yield "  <xs:sequence>"
    for field, inner in node["properties"].items():
        optional = "" if field in node.get("required", ()) else ' minOccurs="0"'
        yield from _declared(_camel(field), inner, 3, optional)
    yield "  </xs:sequence>"
    yield " </xs:complexType>"


def _declared(name: str, node: Node, depth: int, occurs: str) -> Iterator[str]:
    indent = " " * depth
    if "anyOf" in node:
        node = next(one for one in node["anyOf"] if one.get("type") != "null")
    if "$ref" in node:
        yield f'{indent}<xs:element name="{name}" type="{node["$ref"].rpartition("/")[2]}"{occurs}/>'
        return
    yield f'{indent}<xs:element name="{name}"{occurs}>'
    if node.get("type") == "array":
        yield f"{indent} <xs:complexType><xs:sequence>"
        most = f' minOccurs="0" maxOccurs="{node.get("maxItems", "unbounded")}"'
        yield from _declared(_entry(node), node["items"], depth + 2, most)
        yield f"{indent} </xs:sequence></xs:complexType>"
    else:
        yield f"{indent} <xs:simpleType>"
        yield from _restriction(node, depth + 2)
        yield f"{indent} </xs:simpleType>"
    yield f"{indent}</xs:element>"


def _restriction(node: Node, depth: int) -> Iterator[str]:
    base, facets = "xs:string", []
    values = node.get("enum") or ([node["const"]] if "const" in node else [])
    facets += [f"enumeration value={quoteattr(str(value))}" for value in values]
    if node.get("type") == "boolean":
        base, facets = "xs:boolean", ['pattern value="true|false"']
    elif node.get("type") == "integer":
        base = "xs:integer"
        facets += ['pattern value="-?[0-9]{1,9}"']
        facets += [
            f'{facet} value="{node[name]}"'
            for name, facet in (("minimum", "minInclusive"), ("maximum", "maxInclusive"))
            if name in node
        ]
    elif node.get("format") in ("date", "date-time"):
        base = {"date": "xs:date", "date-time": "xs:dateTime"}[node["format"]]
        facets.append(f"pattern value={quoteattr(_DATE if node['format'] == 'date' else _MOMENT)}")
    else:
        if "pattern" in node:
            facets.append(f"pattern value={quoteattr(node['pattern'].removeprefix('^').removesuffix('$'))}")
        facets += [f'{name} value="{node[name]}"' for name in ("minLength", "maxLength") if name in node]
    indent = " " * depth
    yield f'{indent}<xs:restriction base="{base}">'
    for facet in facets:
        yield f"{indent} <xs:{facet}/>"
    yield f"{indent}</xs:restriction>"
