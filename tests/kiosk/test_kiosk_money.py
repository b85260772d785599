"""Money that is declared in writing: asked where the law asks it, once, and never beyond what was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.declaration import DeclaredChannel, GoodsItem, GoodsKind, Money, MoneyKind, MoneyOrigin, MoneyUse
from contracts.party import Direction, DocumentFormat, TravelDocument
from declarations.money import Rates
from declarations.packs import load_pack
from hardware.registry import DevicesConfig
from kiosk import journey
from kiosk.actions import ACTIONS, FieldError, Form
from kiosk.config import KioskConfig
from kiosk.journey import AmountsGiven, MoneyExplained, PersonState, State, advance
from kiosk.messages import Catalogue
from kiosk.presenter import Live, Presenter
from kiosk.view import Screen

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RATES = Rates(base="EUR", date=NOW.date(), source="test", rates={"USD": Decimal("0.9"), "BYN": Decimal("0.3")})
ADULT = TravelDocument(format=DocumentFormat.TD3, birth_date=date(1980, 5, 5))
OF_A_SALE = MoneyExplained(NOW, MoneyOrigin.SALE, MoneyUse.INVESTMENT, own=True)


def cash(amount: str, currency: str = "USD", kind: MoneyKind = MoneyKind.CASH) -> Money:
    return Money(kind=kind, amount=Decimal(amount), currency=currency)


def presenter(pack: str = "eaeu-by", rates: Rates | None = RATES) -> Presenter:
    config = KioskConfig.model_construct(
        profile="test",
        site_id="site-1",
        site_name="An airport",
        kiosk_id="B3",
        timezone="Europe/Minsk",
        direction=Direction.ARRIVAL,
        flight=None,
        data_dir=Path("nowhere"),
        devices=DevicesConfig(),
    )
    return Presenter(config, load_pack(pack), rates)


def on(screen: Screen, person: PersonState | None = None) -> State:
    person = person or PersonState("p1", identity=ADULT, kinds=("cash",), declared=DeclaredChannel.RED)
    question = "money" if screen is Screen.MONEY else None
    return State(
        screen=screen, question=question, record_id="r1", started_at=NOW, touched_at=NOW, persons=(person,)
    )


# -- where the law asks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "in_writing"),
    [
        ((cash("10000"),), False),
        ((cash("10000.001"),), True),
        ((cash("5000"), cash("5000.001", kind=MoneyKind.TRAVELLERS_CHEQUES)), True),
        ((cash("5000"), cash("15000", "BYN")), False),  # 15,000 × 0.3 / 0.9 = 5,000: exactly the norm
        ((cash("5000"), cash("15000.01", "BYN")), True),
        ((cash("0.001", kind=MoneyKind.INSTRUMENT),), True),
        ((cash("9000", "ZZZ"),), False),  # no rate: not known, and an officer counts
        ((), False),
    ],
)
def test_the_evaluator_says_when_it_is_in_writing(money: tuple[Money, ...], in_writing: bool) -> None:
    asks = presenter().asks(on(Screen.DETAILS), AmountsGiven(NOW, (), money))
    assert ("money" in asks) is in_writing and ("address" in asks) is in_writing


def test_goods_over_their_norm_ask_nothing_about_money() -> None:
    goods = GoodsItem(kind=GoodsKind.GOODS, value=Decimal(90000), currency="EUR")
    assert presenter().asks(on(Screen.DETAILS), AmountsGiven(NOW, (goods,), (cash("20"),))) == ()


# -- the way through --------------------------------------------------------------------------------------------


def test_money_in_writing_goes_by_its_own_page_and_other_money_does_not() -> None:
    for in_writing, screen in ((True, Screen.MONEY), (False, Screen.BAG)):
        given = AmountsGiven(NOW, (), (cash("12000"),), asks=("money",) if in_writing else ())
        state, _ = advance(on(Screen.DETAILS), given)
        assert state.screen is screen
    stays, _ = advance(on(Screen.DETAILS), AmountsGiven(NOW, (), (cash("12000"),), stay=True, asks=("money",)))
    assert stays.screen is Screen.DETAILS


def test_the_answers_are_of_all_money_and_lead_to_the_bag() -> None:
    state, _ = advance(
        on(Screen.DETAILS), AmountsGiven(NOW, (), (cash("12000"), cash("500", "EUR")), asks=("money",))
    )
    state, _ = advance(state, OF_A_SALE)
    assert state.screen is Screen.BAG
    said = {(one.origin, one.intended_use, one.owner_is_declarant) for one in state.person.money}
    assert said == {(MoneyOrigin.SALE, MoneyUse.INVESTMENT, True)} and len(state.person.money) == 2


def test_the_page_is_gone_back_to_and_what_was_said_is_kept() -> None:
    state, _ = advance(on(Screen.DETAILS), AmountsGiven(NOW, (), (cash("12000"),), asks=("money",)))
    state, _ = advance(state, replace(OF_A_SALE, own=False))
    state, _ = advance(state, journey.WentBack(NOW))
    assert state.screen is Screen.MONEY
    shown = presenter().view(state, Live(), 1, NOW).money
    assert shown is not None
    assert (shown.origin, shown.use, shown.own) == ("03", "02", False) and shown.amounts == (("12,000", "USD"),)
    state, _ = advance(state, journey.WentBack(NOW))
    assert state.screen is Screen.DETAILS
    state, _ = advance(state, AmountsGiven(NOW, (), (cash("13000"),), asks=("money",)))
    (money,) = state.person.money
    assert (money.amount, money.origin) == (13000, MoneyOrigin.SALE)


def test_less_money_than_in_writing_asks_nothing_and_a_way_back_skips_the_page() -> None:
    state, _ = advance(on(Screen.DETAILS), AmountsGiven(NOW, (), (cash("12000"),), asks=("money",)))
    state, _ = advance(state, OF_A_SALE)
    state, _ = advance(state, journey.WentBack(NOW))
    state, _ = advance(state, journey.WentBack(NOW))
    state, _ = advance(state, AmountsGiven(NOW, (), (cash("900"),)))
    assert state.screen is Screen.BAG
    assert advance(state, journey.WentBack(NOW))[0].screen is Screen.DETAILS


@pytest.mark.parametrize("screen", [one for one in Screen if one is not Screen.MONEY])
def test_answers_that_nobody_asked_for_change_nothing(screen: Screen) -> None:
    state = on(screen)
    assert advance(state, OF_A_SALE)[0].persons == state.persons


def test_the_review_shows_what_was_said_of_the_money() -> None:
    state, _ = advance(on(Screen.DETAILS), AmountsGiven(NOW, (), (cash("12000"),), asks=("money",)))
    before = presenter().view(replace(state, screen=Screen.REVIEW), Live(), 1, NOW).review
    state, _ = advance(state, replace(OF_A_SALE, own=False))
    shown = presenter().view(replace(state, screen=Screen.REVIEW), Live(), 1, NOW).review
    (line,) = [one for one in shown if one not in before]
    assert line.note is not None and (line.change, line.question) == (Screen.MONEY, "money")
    catalogue = Catalogue.load()
    assert catalogue.text(line.title, "en") == "Somebody else’s money: Sale of property"
    assert catalogue.text(line.note, "ru") == "На что: Вложения или жильё"


# -- what is posted ---------------------------------------------------------------------------------------------


def posted(**fields: str) -> journey.Event:
    values = {name: [value] for name, value in fields.items()}
    return ACTIONS["money"](Form(values, NOW, "id-1", ("en",), on(Screen.MONEY)))


def test_three_answers_are_three_codes() -> None:
    assert posted(origin="03", use="02", owner="own") == OF_A_SALE
    assert posted(origin="99", use="99", owner="other") == MoneyExplained(
        NOW, MoneyOrigin.OTHER, MoneyUse.OTHER, own=False
    )


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({}, "origin"),
        ({"origin": "", "use": "02", "owner": "own"}, "origin"),
        ({"origin": "09", "use": "02", "owner": "own"}, "origin"),
        ({"origin": "03", "use": "05", "owner": "own"}, "use"),
        ({"origin": "03", "use": "02"}, "owner"),
        ({"origin": "03", "use": "02", "owner": "mine"}, "owner"),
    ],
)
def test_an_answer_that_is_missing_or_no_choice_comes_back(fields: dict[str, str], place: str) -> None:
    with pytest.raises(FieldError) as refused:
        posted(**fields)
    assert (refused.value.place, refused.value.message) == (place, "error.money")
