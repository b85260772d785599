"""JSON and XML of the declaration: every form comes back as it went, by the published schemas, or is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from form_scene import forms, full_form
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts.declaration import GoodsItem, GoodsKind, Unit
from declarations.forms.model import PassengerDeclaration
from declarations.forms.serialise import FormRefused, json_schema, serialisers

FORMATS = serialisers()


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None)
@given(form=forms())
def test_every_form_comes_back_as_it_went(name: str, form: PassengerDeclaration) -> None:
    assert FORMATS[name].read(FORMATS[name].write(form)) == form


SCHEMA = Draft202012Validator(json_schema())


def test_the_json_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)
    for wrong in (_item(value="-1"), _item(value="1" * 40), _json(purpose="7"), _json(guilty=True)):
        assert not SCHEMA.is_valid(json.loads(wrong))


@settings(deadline=None, max_examples=50)
@given(form=forms())
def test_json_keeps_its_schema(form: PassengerDeclaration) -> None:
    SCHEMA.validate(json.loads(FORMATS["json"].write(form)))


def valid_by_libxml2(tmp_path: Path, documents: list[bytes]) -> list[bool]:
    """What libxml2, which is nobody's code here, says of each document by the published XSD."""
    assert shutil.which("xmllint"), "requirements/apt.txt names libxml2-utils"
    schema = tmp_path / "passenger_declaration.xsd"
    schema.write_bytes(FORMATS["xml"].schema())
    paths = []
    for index, document in enumerate(documents):
        paths.append(tmp_path / f"{index}.xml")
        paths[-1].write_bytes(document)
    command = ["xmllint", "--nonet", "--noout", "--schema", schema, *paths]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr.splitlines()
    return [f"{path} validates" in said for path in paths]


def test_xml_keeps_its_schema(tmp_path: Path) -> None:
    written: list[bytes] = [FORMATS["xml"].write(full_form())]

    @settings(deadline=None, database=None)
    @given(form=forms())
    def collect(form: PassengerDeclaration) -> None:
        written.append(FORMATS["xml"].write(form))

    collect()
    verdicts = valid_by_libxml2(tmp_path, written)
    assert len(verdicts) > 50 and all(verdicts)


# -- refusals ---------------------------------------------------------------------------------------------------


def refusal(name: str, data: bytes) -> tuple[str, str]:
    with pytest.raises(FormRefused) as refused:
        FORMATS[name].read(data)
    first = refused.value.problems[0]
    return first.place, first.reason


def _json(**changes: Any) -> bytes:
    return json.dumps(json.loads(FORMATS["json"].write(full_form())) | changes).encode()


CASH = {"kind": "cash", "amount": "1", "currency": "USD"}


def _item(**changes: Any) -> bytes:
    return _json(items=[{"kind": "goods", "value": "5", "currency": "EUR"} | changes])


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (_item(value="-1"), "items[0].value", "greater than or equal to 0"),
        (_item(value="NaN"), "items[0].value", "finite"),
        (_item(value="1" * 40), "items[0].value", "digits"),
        (_item(value="1e30"), "items[0].value", "digits"),
        (_item(value="0.0001"), "items[0].value", "decimal places"),
        (_item(value=None), "items[0]", "value and currency go together"),
        (_item(currency="ZZZ"), "items[0].currency", "no such currency"),
        (_item(currency="euro"), "items[0].currency", "pattern"),
        (_item(kind="elephants"), "items[0].kind", "'goods'"),
        (_item(hs_code="12"), "items[0].hs_code", "pattern"),
        (_json(items=[{"kind": "goods"}] * 501), "items", "500"),
        (_json(money=[CASH | {"origin": "09"}]), "money[0].origin", "'99'"),
        (_json(money=[CASH | {"amount": "-5"}]), "money[0].amount", "greater"),
        (_json(declarant={"birth_date": "2026-11-22"}), "declarant.birth_date", "after the day"),
        (_json(declarant={"birth_date": "1626-11-22"}), "declarant.birth_date", "memory"),
        (_json(declarant={"birth_date": "2026-02-30"}), "declarant.birth_date", ""),
        (_json(declarant={"nationality": ["RUS", "BLR"]}), "declarant.nationality", "not permitted"),
        (_json(declarant={"surname": "a\x00b"}), "declarant.surname", "control characters"),
        (_json(declarant={"surname": "a" * 121}), "declarant.surname", "120"),
        (_json(purpose="2"), "purpose", "vehicles only"),
        (_json(categories=["01", "01"]), "categories", "twice"),
        (_json(version=2), "amends", "what it amends"),
        (_json(witness="Olga", certified_at=None), "witness", "nothing was signed"),
        (_json(minors=True), "minors", "integer"),
        (_json(minors="3"), "minors", "integer"),
        (_json(certified_at="2026-11-21T09:00:00"), "certified_at", "timezone"),
        (_json(guilty=True), "guilty", "not permitted"),
        (b'{"purpose": "1", "purpose": "3"}', "purpose", "twice"),
        (b'{"minors": 1.5}', "document", "string"),
        (b'{"minors": NaN}', "document", "not a number"),
        (b'{"minors": ' + b"9" * 5000 + b"}", "document", "nobody"),
        (b"[" * 100_000, "document", "deep"),
        (b"\xff\xfe", "document", "UTF-8"),
        (b"{", "line 1, column 2", "Expecting"),
        (b" " * 2_000_001, "document", "larger"),
        (b"[]", "declaration", "object"),
    ],
)  # fmt: skip
def test_bad_json_is_refused_with_place_and_reason(data: bytes, place: str, reason: str) -> None:
    said = refusal("json", data)
    assert said[0] == place and reason in said[1]


def _xml(old: str, new: str) -> bytes:
    text = FORMATS["xml"].write(full_form()).decode()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (
            _xml("<amount>12000</amount>", "<amount>-12000</amount>"),
            "element amount",
            "not of the shape",
        ),
        (_xml("<amount>12000</amount>", "<amount>1e9</amount>"), "element amount", "not of the shape"),
        (
            _xml("<amount>12000</amount>", f"<amount>{'1' * 40}</amount>"),
            "element amount",
            "not of the shape",
        ),
        (_xml("<amount>12000</amount>", "<amount>NaN</amount>"), "element amount", "not of the shape"),
        (_xml("<amount>12000</amount>", ""), "money[0].amount", "required"),
        (_xml("<currency>USD</currency>", "<currency>ZZZ</currency>"), "money[0].currency", "no such currency"),
        (_xml("<minors>1</minors>", "<minors>1</minors><minors>2</minors>"), "element minors", "twice"),
        (_xml("<minors>1</minors>", "<minors>one</minors>"), "element minors", "whole number"),
        (_xml("<minors>1</minors>", "<minors>51</minors>"), "minors", "50"),
        (_xml("<country>UTO</country>", "<country>UTO</country><country>BLR</country>"), "country", "twice"),
        (_xml("<minors>1</minors>", "<guilty/>"), "line 28", "does not belong"),
        (_xml("<minors>1</minors>", '<minors xmlns="urn:else">1</minors>'), "line 28", "does not belong"),
        (_xml("<minors>1</minors>", '<minors unit="x">1</minors>'), "element minors", "attributes"),
        (_xml("<minors>1</minors>", "stray"), "element passengerDeclaration", "text"),
        (_xml("<surname>LINDEN", "<surname><b/>LINDEN"), "element surname", "elements"),
        (_xml("<surname>LINDEN", "<surname>LIN\tDEN"), "declarant.surname", "control characters"),
        (_xml("<birthDate>1984", "<birthDate>2084"), "declarant.birth_date", "after the day"),
        (_xml("<birthDate>1984-08-12", "<birthDate>1984-02-31"), "declarant.birth_date", ""),
        (_xml("<purpose>1</purpose>", "<purpose>7</purpose>"), "purpose", "'5'"),
        (_xml("T09:14:05Z", "T09:14:05"), "element certifiedAt", "date-time"),
        (_xml("T09:14:05Z", "T29:14:05Z"), "element certifiedAt", "no such moment"),
        (_xml("declaration:1", "declaration:2"), "element passengerDeclaration", "not a passengerDeclaration"),
        (_xml("<?xml version", "<!DOCTYPE x [<!ENTITY a 'b'>]><?xml version"), "line 1", ""),
        (b"<a/>", "element a", "not a passengerDeclaration"),
        (b"", "line 1", "no element"),
    ],
)
def test_bad_xml_is_refused_with_place_and_reason(data: bytes, place: str, reason: str) -> None:
    said = refusal("xml", data)
    assert place in said[0] and reason in said[1]


def test_a_refusal_knows_the_line_of_what_the_model_refuses() -> None:
    place, _ = refusal("xml", _xml("<surname>LINDEN", "<surname>LIN\tDEN"))
    assert place == "line 9, declarant.surname"


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    for serialiser in FORMATS.values():
        with pytest.raises(FormRefused):
            serialiser.read(data)


@settings(deadline=None, max_examples=60)
@given(at=st.integers(0, 5000), junk=st.binary(min_size=1, max_size=6), name=st.sampled_from(sorted(FORMATS)))
def test_a_damaged_document_is_read_or_refused(at: int, junk: bytes, name: str) -> None:
    whole = FORMATS[name].write(full_form())
    try:
        FORMATS[name].read(whole[:at] + junk + whole[at + len(junk) :])
    except FormRefused as refused:
        assert all(problem.place and problem.reason for problem in refused.problems)


def test_what_the_reader_refuses_of_shape_libxml2_refuses_too(tmp_path: Path) -> None:
    wrong = [
        _xml("<amount>12000</amount>", "<amount>-12000</amount>"),
        _xml("<amount>12000</amount>", ""),
        _xml("<minors>1</minors>", "<minors>51</minors>"),
        _xml("<minors>1</minors>", "<guilty/>"),
        _xml("<purpose>1</purpose>", "<purpose>7</purpose>"),
        _xml("<origin>01</origin>", "<origin>09</origin>"),
        _xml("T09:14:05Z", "T09:14:05"),
    ]
    assert valid_by_libxml2(tmp_path, wrong) == [False] * len(wrong)


def test_refusals_quote_nothing_of_the_traveller() -> None:
    for data in (_json(declarant={"surname": "SECRET\x00"}), _item(value="SECRET"), _json(SECRETS=1)[:-1]):
        with pytest.raises(FormRefused) as refused:
            FORMATS["json"].read(data)
        assert "SECRET\x00" not in str(refused.value) and "SECRET'" not in str(refused.value)


def test_five_hundred_items_go_both_ways() -> None:
    item = GoodsItem(kind=GoodsKind.GOODS, description="x" * 500, quantity=Decimal("1"), unit=Unit.PIECE)
    form = full_form(items=(item,) * 500)
    for serialiser in FORMATS.values():
        assert serialiser.read(serialiser.write(form)) == form
