"""What bad input gets in a kiosk's record: refused with its place, or unknown, which refers. Never a guess.

The form's own readers are in `test_declarations_form_formats.py`, packs in `test_declarations_spoilt_packs.py`.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.declaration import Declaration, TransportMode
from contracts.party import Direction
from declarations.eligibility import age_on
from declarations.evaluate import PersonAssessment, PersonFacts, evaluate
from declarations.money import Rates
from declarations.packs import load_pack

DAY = date(2026, 11, 21)
RATES = Rates.model_validate(
    {"base": "BYN", "rates": {"EUR": "3.5", "USD": "3.2"}, "date": DAY, "valid_through": None, "source": "test"}
)
GOODS = {"kind": "goods", "value": "5", "currency": "EUR", "weight_kg": "1"}
CASH = {"kind": "cash", "amount": "1", "currency": "USD"}


def record(**said: Any) -> str:
    return json.dumps(
        {
            "declared_channel": "green",
            "unaccompanied_baggage": False,
            "rule_pack": "eaeu-by:1",
            "notice_version": "1",
            "language": "en",
            **said,
        }
    )


def answer(said: str, age: int | None = 40) -> PersonAssessment:
    person = PersonFacts("p1", age, "lead", Declaration.model_validate_json(said))
    pack = load_pack("eaeu-by")
    return evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, (person,), RATES, DAY).persons["p1"]


NUMBERS = [
    "-1",
    "-0.001",
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "9" * 40,
    "0." + "1" * 40,
    "1e400",
    "1e-9",
    "",
    "ten",
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    ("line", "field", "place"),
    [
        ("items", "value", ("items", 0, "value")),
        ("items", "weight_kg", ("items", 0, "weight_kg")),
        ("items", "quantity", ("items", 0, "quantity")),
        ("money", "amount", ("money", 0, "amount")),
    ],
)
def test_a_number_that_is_no_amount(line: str, field: str, place: tuple[str | int, ...], number: str) -> None:
    entry = (GOODS | {"quantity": "1", "unit": "pcs"}) if line == "items" else CASH
    with pytest.raises(ValidationError) as refused:
        Declaration.model_validate_json(record(**{line: [entry | {field: number}]}))
    (complaint,) = refused.value.errors()
    assert complaint["loc"] == place
    assert complaint["msg"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "-1", "9" * 40, "1e400"])
def test_nor_as_a_bare_number(number: str) -> None:
    said = record(items=[GOODS]).replace('"5"', number)
    with pytest.raises(ValidationError):
        Declaration.model_validate_json(said)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"items": [GOODS] * 501}, ("items",)),
        ({"money": [CASH] * 51}, ("money",)),
        ({"items": [GOODS | {"unit": "pint", "quantity": "1"}]}, ("items", 0, "unit")),
        ({"items": [GOODS | {"kind": "elephant"}]}, ("items", 0, "kind")),
        ({"items": [GOODS | {"currency": "euro"}]}, ("items", 0, "currency")),
        ({"items": [GOODS | {"guilty": True}]}, ("items", 0, "guilty")),
        ({"nationality": ["BLR", "RUS"]}, ("nationality",)),
        ({"declared_channel": "blue"}, ("declared_channel",)),
        ({"covers": ["everybody"]}, ("covers", 0)),
        ({"version": 2}, ()),
    ],
)
def test_what_the_record_has_no_place_for(said: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        Declaration.model_validate_json(record(**said))
    assert place in [complaint["loc"] for complaint in refused.value.errors()]


def test_five_hundred_items_are_judged_one_by_one() -> None:
    """The most that a record holds: 500 lines are 10,000 EUR and 50 kg; a cent more is over."""
    items = [GOODS | {"value": "20", "weight_kg": "0.1"}] * 500
    assert answer(record(items=items)).hits == ()
    items[499] = items[499] | {"value": "20.01"}
    (hit,) = answer(record(items=items)).hits
    assert hit.code == "GOODS_VALUE_OVER_NORM"


@pytest.mark.parametrize("currency", ["XTS", "ZZZ", "XXX", "SUR", "GBP"])
def test_a_currency_without_a_rate_of_the_day_refers(currency: str) -> None:
    by_value = answer(record(items=[GOODS | {"currency": currency}]))
    assert [hit.code for hit in by_value.hits] == ["GOODS_VALUE_UNKNOWN"]
    assert not by_value.duty_complete
    cash = answer(record(money=[CASH | {"currency": currency}]))
    assert {hit.code for hit in cash.hits} == {"CASH_UNKNOWN", "CASH_DOCUMENTS_UNKNOWN"}


def test_a_birthday_in_the_future_is_no_age_and_refers() -> None:
    years = age_on(date(2026, 11, 22), DAY)
    assert years is None
    beer = {"kind": "beer", "quantity": "1", "unit": "l"}
    assert {hit.code for hit in answer(record(items=[beer]), years).hits} == {
        "DECLARANT_UNKNOWN",
        "ALCOHOL_UNKNOWN",
    }


@pytest.mark.parametrize("left_out", ["value", "weight_kg"])
def test_what_nobody_stated_refers(left_out: str) -> None:
    item = {name: said for name, said in GOODS.items() if name != left_out}
    if left_out == "value":
        del item["currency"]
    (hit,) = answer(record(items=[item])).hits
    assert hit.relation == "unknown"
