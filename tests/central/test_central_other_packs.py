"""Another country is only a file: central decides, explains and replays by any pack; no line of code changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from central_scene import KIOSK, START, Clock, MakeConfig, declaration, enrolled, passport, person, record
from flask import Flask

from central import create_app
from central.replay import replay_all
from central.risk import Features, decide
from central.service import central_of
from contracts.decision import Channel, Decision, ReasonClass
from contracts.declaration import Declaration, GoodsItem, GoodsKind, Money, MoneyKind, Unit
from contracts.party import Person
from declarations.money import demonstration_rates
from declarations.packs import load_pack

PACKS = ("gb", "eu", "us", "ca", "eaeu-by-msq")
LITRES = Unit.LITRE


def carrying(pack: str, *things: GoodsItem | Money, **changes: Any) -> Person:
    items = tuple(thing for thing in things if isinstance(thing, GoodsItem))
    money = tuple(thing for thing in things if isinstance(thing, Money))
    stated: Declaration = declaration(rule_pack=load_pack(pack).label, items=items, money=money)
    return person(declaration=stated, **changes)


def drinks(kind: GoodsKind, litres: str) -> GoodsItem:
    return GoodsItem(kind=kind, quantity=Decimal(litres), unit=LITRES)


def cash(amount: str, currency: str) -> Money:
    return Money(kind=MoneyKind.CASH, amount=Decimal(amount), currency=currency)


def codes(pack: str, *persons: Person) -> list[str]:
    sent = record(*persons)
    features = Features(
        record=sent,
        pack=load_pack(pack),
        rates=demonstration_rates(),
        on=START.date(),
        screened=frozenset(one.person_id for one in sent.party.persons),
    )
    return sorted(reason.code for outcome in decide(features) for reason in outcome.reasons)


@pytest.mark.parametrize("pack", PACKS)
def test_the_ordinary_traveller_is_green_by_every_pack(pack: str) -> None:
    assert codes(pack, carrying(pack)) == []


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"document_code": "PD"}, "ELIGIBILITY_DIPLOMAT"),
        ({"document_code": "AC"}, "ELIGIBILITY_CREW"),
        ({"nationality": "XXB"}, "ELIGIBILITY_REFUGEE"),
        ({"nationality": "XXA"}, "ELIGIBILITY_STATELESS"),
        ({"birth_date": None}, "ELIGIBILITY_AGE_UNKNOWN"),
    ],
)
def test_who_goes_to_a_person_by_every_pack(pack: str, document: dict[str, Any], code: str) -> None:
    assert code in codes(pack, carrying(pack, documents=(passport(**document),)))


@pytest.mark.parametrize(
    ("pack", "thing", "code"),
    [
        ("gb", drinks(GoodsKind.WINE, "19"), "WINE_OVER_NORM"),
        ("gb", drinks(GoodsKind.ALCOHOL, "1"), "RULES_UNKNOWN"),
        ("gb", GoodsItem(kind=GoodsKind.WEAPONS), "RULES_UNKNOWN"),
        ("gb", cash("10000", "GBP"), "CASH_OVER_THRESHOLD"),
        ("eu", cash("10000", "EUR"), "CASH_OVER_THRESHOLD"),
        ("us", cash("10000.01", "USD"), "CASH_OVER_THRESHOLD"),
        ("us", GoodsItem(kind=GoodsKind.FARM_CONTACT), "FARM_CONTACT_DECLARED"),
        ("ca", GoodsItem(kind=GoodsKind.GOODS, value=Decimal(1), currency="CAD"), "GOODS_TO_DECLARE"),
        ("eaeu-by-msq", drinks(GoodsKind.BEER, "3.001"), "ALCOHOL_OVER_NORM"),
    ],
)
def test_what_calls_for_a_person(pack: str, thing: GoodsItem | Money, code: str) -> None:
    assert code in codes(pack, carrying(pack, thing))


@pytest.mark.parametrize(
    ("pack", "thing"),
    [
        ("gb", drinks(GoodsKind.WINE, "18")),
        ("gb", cash("9999.99", "GBP")),
        ("eu", cash("9999.99", "EUR")),
        ("us", cash("10000", "USD")),
        ("us", drinks(GoodsKind.SPIRITS, "1")),
        ("eaeu-by-msq", drinks(GoodsKind.BEER, "3")),
    ],
)
def test_what_is_free_is_free(pack: str, thing: GoodsItem | Money) -> None:
    assert codes(pack, carrying(pack, thing)) == []


@pytest.mark.parametrize(
    ("pack", "born", "code"),
    [
        ("gb", date(2014, 11, 22), "ELIGIBILITY_CHILD"),  # 11 years old on the day
        ("gb", date(2008, 11, 22), "ELIGIBILITY_UNACCOMPANIED_MINOR"),  # 17
        ("eu", date(2008, 11, 22), "ELIGIBILITY_MINOR"),
        ("us", date(2008, 11, 22), "ELIGIBILITY_MINOR"),
        ("eaeu-by-msq", date(2010, 11, 22), "ELIGIBILITY_UNACCOMPANIED_MINOR"),  # 15
    ],
)
def test_ages_of_the_automatic_path(pack: str, born: date, code: str) -> None:
    assert code in codes(pack, carrying(pack, documents=(passport(birth_date=born),)))
    day_older = born.replace(day=21)
    assert code not in codes(pack, carrying(pack, documents=(passport(birth_date=day_older),)))


@pytest.fixture
def in_britain(make_config: MakeConfig, clock: Clock) -> Iterator[tuple[Flask, Callable[[Person], Decision]]]:
    """A central service whose configuration names another pack, and a kiosk that sends to it."""
    app = create_app(make_config(rule_pack="gb", timezone="Europe/London"), clock)
    kiosk = enrolled(app, central_of(app), clock, KIOSK, "kiosk")

    def decided(traveller: Person) -> Decision:
        answer = kiosk.sends_record(record(traveller))
        assert answer.status_code == 200, answer.text
        return Decision.model_validate_json(answer.data)

    yield app, decided
    central_of(app).close()


def test_a_central_service_of_another_country(
    in_britain: tuple[Flask, Callable[[Person], Decision]],
) -> None:
    app, decided = in_britain
    green = decided(carrying("gb", drinks(GoodsKind.WINE, "18")))
    assert (green.channel, green.versions.rule_pack) == (Channel.GREEN, load_pack("gb").label)
    red = decided(carrying("gb", drinks(GoodsKind.WINE, "19")))
    (reason,) = red.persons[0].reasons
    assert (red.channel, reason.code, reason.rule_id) == (Channel.RED, "WINE_OVER_NORM", "UK-01.wine")
    assert reason.reason_class is ReasonClass.DECLARATION_MISMATCH, "declared green, and over the norm"
    assert reason.facts["declared"] == "19" and reason.legal_basis
    assert [one.same for one in replay_all(central_of(app))] == [True, True]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("hk", "layer hk: One row for money"),
        ("eaeu-xx", "there is no layer xx"),
        ("by", "layer by does not lie over nothing"),
        ("eaeu_by", "no name of a pack"),
    ],
)
def test_a_pack_that_is_no_law_says_what_is_wrong_what_follows_and_what_to_do(
    make_config: MakeConfig, clock: Clock, name: str, wrong: str
) -> None:
    with pytest.raises(ValueError, match=r"^rule_pack ") as refused:
        create_app(make_config(rule_pack=name), clock)
    said = str(refused.value)
    assert wrong in said and "Central has not started" in said
    finished = said.partition("Name a finished pack as rule_pack: ")[2].partition(" (")[0].split(", ")
    assert "eaeu-by" in finished and "gb" in finished and "hk" not in finished
