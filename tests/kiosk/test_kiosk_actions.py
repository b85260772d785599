"""What travellers post: every field checked, nothing raises but a FieldError."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.declaration import DeclaredChannel, GoodsItem, GoodsKind, Money, MoneyKind, Unit
from kiosk import journey
from kiosk.actions import ACTIONS, FieldError, Form
from kiosk.view import Screen

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def posted(action: str, chosen: tuple[str, ...] = (), **fields: str | list[str]) -> journey.Event:
    person = replace(journey.PersonState("p1"), kinds=chosen)
    state = replace(journey.State(), screen=Screen.DETAILS, persons=(person,))
    values = {name: value if isinstance(value, list) else [value] for name, value in fields.items()}
    return ACTIONS[action](Form(values, NOW, "id-1", ("en", "ru"), state))


def test_every_action_of_the_journey_has_its_parser() -> None:
    offered: set[str] = set()
    declaring = journey.PersonState("p1", declared=DeclaredChannel.RED, items=(GoodsItem(kind=GoodsKind.GOODS),))
    for screen in Screen:
        state = replace(journey.State(), screen=screen, persons=(declaring,), warned_at=NOW, touched_at=NOW)
        offered |= set(journey.actions(state))
    assert offered == set(ACTIONS)


def test_amounts_of_the_chosen_kinds() -> None:
    event = posted(
        "amounts",
        ("alcohol", "goods", "medicines", "cash"),
        **{
            "amount-alcohol": "4,5",
            "value-goods": "12 000",
            "weight-goods": "40",
            "amount-cash": "12,000",
            "amount-weapons": "3",  # not chosen: not taken
        },
    )
    assert isinstance(event, journey.AmountsGiven)
    alcohol, goods, medicines = event.items
    assert (alcohol.quantity, alcohol.unit) == (Decimal("4.5"), Unit.LITRE)
    assert (goods.value, goods.currency, goods.weight_kg) == (Decimal(12000), "EUR", Decimal(40))
    assert (medicines.kind, medicines.quantity) == (GoodsKind.MEDICINES, None)
    assert event.money == (Money(kind=MoneyKind.CASH, amount=Decimal(12000), currency="USD"),)


def test_an_instrument_is_money_of_its_own_kind() -> None:
    event = posted("amounts", ("cash", "instrument"), **{"amount-cash": "20", "amount-instrument": "1"})
    assert isinstance(event, journey.AmountsGiven)
    assert [(money.kind.value, str(money.amount)) for money in event.money] == [
        ("cash", "20"),
        ("instrument", "1"),
    ]
    assert event.items == ()


def test_a_hair_over_a_norm_is_not_rounded_under_it() -> None:
    event = posted("amounts", ("cash",), **{"amount-cash": "10000.0001"})
    assert isinstance(event, journey.AmountsGiven)
    assert event.money[0].amount > 10_000


def test_a_whole_declaration_in_one_field() -> None:
    lines = {"items": [{"kind": "alcohol", "quantity": "5", "unit": "l"}], "money": []}
    event = posted("amounts", declaration=json.dumps(lines))
    assert isinstance(event, journey.AmountsGiven)
    assert event.items[0].quantity == 5


@pytest.mark.parametrize("text", ["-1", "1e9", "NaN", "five", "1.2.3", "0x10", "1" * 20])
def test_impossible_numbers_are_refused_with_their_place(text: str) -> None:
    with pytest.raises(FieldError) as caught:
        posted("amounts", ("alcohol",), **{"amount-alcohol": text})
    assert caught.value.place == "amount-alcohol"
    assert caught.value.message.startswith("error.amount")


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("declare", {"channel": "blue"}),
        ("declare", {"channel": "green", "kinds": ["uranium"]}),
        ("bag", {"count": "-1"}),
        ("bag", {"count": "11"}),
        ("bag", {}),
        ("unaccompanied", {"answer": "maybe"}),
        ("language", {"code": "xx"}),
        ("text_size", {"percent": "500"}),
        ("change", {"screen": "result"}),
        ("amounts", {"declaration": "[]"}),
        ("amounts", {"declaration": '{"items": [{"kind": "alcohol", "quantity": "-1", "unit": "l"}]}'}),
        ("amounts", {"declaration": "[" * 30_000}),
        ("amounts", {"declaration": "x" * 70_000}),
    ],
)
def test_other_fields_are_refused(action: str, fields: dict[str, str | list[str]]) -> None:
    with pytest.raises(FieldError):
        posted(action, **fields)


def test_declaring_green_takes_the_kinds_only_when_they_are_sent() -> None:
    assert posted("declare", channel="green") == journey.ChannelDeclared(NOW, DeclaredChannel.GREEN, None)
    event = posted("declare", channel="red", kinds=["cash", "alcohol"])
    assert event == journey.ChannelDeclared(NOW, DeclaredChannel.RED, ("alcohol", "cash"))


@given(
    st.dictionaries(st.sampled_from(["amount-alcohol", "value-goods", "unit-alcohol", "declaration"]), st.text())
)
def test_any_text_gives_an_event_or_a_field_error(fields: dict[str, str]) -> None:
    try:
        event = posted("recount", ("alcohol", "goods"), **fields)
    except FieldError:
        return
    assert isinstance(event, journey.AmountsGiven)
    assert event.stay
