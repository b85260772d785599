"""Another country is only a file: goods pages, amounts and review with every pack, and no line of code changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect

from contracts.declaration import DeclaredChannel, TransportMode
from contracts.party import Direction, DocumentFormat, TravelDocument
from declarations.money import Rates
from declarations.packs import load_pack
from hardware.registry import DevicesConfig
from kiosk import journey
from kiosk.actions import ACTIONS, Form
from kiosk.config import KioskConfig
from kiosk.presenter import Live, Presenter
from kiosk.screens import add_screens
from kiosk.view import Allowance, Screen, View

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PACKS = ("gb", "eu", "us", "ca", "eaeu-by-msq")
LANGUAGES = ("en", "ru", "be")
RATES = Rates(base="EUR", date=NOW.date(), source="test", rates={"USD": Decimal("0.9"), "GBP": Decimal("1.2")})
ADULT = TravelDocument(format=DocumentFormat.TD3, birth_date=datetime(1980, 5, 5, tzinfo=UTC).date())


class Shows:
    """Stands where the conductor stands: it only has a view."""

    def __init__(self) -> None:
        self.shown: View | None = None

    def view(self) -> View:
        assert self.shown is not None
        return self.shown


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Shows]]:
    directory = tmp_path_factory.mktemp("packs")
    application = Flask("other_packs", static_folder=None)
    application.secret_key = "only for the token of the test"
    CSRFProtect(application)
    (directory / "icons.svg").write_text("<svg/>")
    add_screens(application, assets_dir=directory, speech_dir=directory / "speech", speaker=None, rehearsal=False)
    shows = Shows()
    application.extensions["conductor"] = shows
    yield application, shows


def page(screens: tuple[Flask, Shows], view: View, address: str = "/screen") -> str:
    application, shows = screens
    shows.shown = view
    answer = application.test_client().get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


def presenter(pack: str, direction: Direction = Direction.ARRIVAL) -> Presenter:
    config = KioskConfig.model_construct(
        profile="test",
        site_id="site-1",
        site_name="An airport",
        kiosk_id="B3",
        timezone="Europe/London",
        direction=direction,
        flight=None,
        data_dir=Path("nowhere"),
        devices=DevicesConfig(),
    )
    return Presenter(config, load_pack(pack), RATES)


def state(screen: Screen, person: journey.PersonState | None = None, language: str = "en") -> journey.State:
    one = person or journey.PersonState("p1", identity=ADULT)
    return journey.State(screen=screen, persons=(one,), touched_at=NOW, started_at=NOW, language=language)


def shown(pack: str, screen: Screen, person: journey.PersonState | None = None, **more: str) -> View:
    direction = Direction(more.pop("direction", "arrival"))
    return presenter(pack, direction).view(state(screen, person, **more), Live(), 1, NOW)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("direction", ["arrival", "departure"])
def test_the_goods_pages_of_a_pack_have_all_their_words(
    screens: tuple[Flask, Shows], pack: str, language: str, direction: str
) -> None:
    on_goods = shown(pack, Screen.GOODS, language=language, direction=direction)
    cards = load_pack(pack).allowances(Direction(direction), TransportMode.AIR, NOW.date())
    assert [one.kind for one in on_goods.allowances] == [card.kind for card in cards]
    assert page(screens, on_goods) and page(screens, on_goods, "/screen?panel=list")
    assert page(screens, replace(on_goods, screen=Screen.DETAILS))
    every = journey.PersonState("p1", identity=ADULT, kinds=tuple(one.kind for one in on_goods.allowances))
    assert page(screens, shown(pack, Screen.DETAILS, every, language=language, direction=direction))
    for one in on_goods.allowances if language == "en" else ():
        alone = journey.PersonState("p1", identity=ADULT, kinds=(one.kind,))
        assert page(screens, shown(pack, Screen.DETAILS, alone, language=language, direction=direction))


def test_the_goods_page_of_great_britain(screens: tuple[Flask, Shows]) -> None:
    view = shown("gb", Screen.GOODS)
    figures = {one.kind: (one.free, one.unit, one.at_least) for one in view.allowances}
    assert list(figures)[:6] == ["beer", "wine", "spirits", "cigarettes", "cash", "goods"]
    assert figures["wine"] == ("18", "l", False)
    assert figures["spirits"] == ("4", "l", False) and figures["intermediate"] == ("9", "l", False)
    assert figures["cigarettes"] == ("200", "pcs", False) and figures["tobacco"] == ("250", "g", False)
    assert figures["cash"] == ("10,000", "GBP", True), "at, not over"
    assert figures["goods"] == ("390", "GBP", False)
    words = page(screens, view)
    assert "At least" in words and "More than 18 litres of wine" in words
    assert "or more" in page(screens, view, "/screen?panel=list")


def answered(pack: str, kinds: tuple[str, ...], **fields: str) -> journey.PersonState:
    """A traveller of a pack's country who chose these kinds and typed these amounts."""
    person = journey.PersonState("p1", identity=ADULT, kinds=kinds, unaccompanied=False, bag_count=0)
    form = Form(
        {name.replace("_", "-", 1): [value] for name, value in fields.items()}, NOW, "id", LANGUAGES,
        state(Screen.DETAILS, person),
    )  # fmt: skip
    given = ACTIONS["amounts"](form)
    assert isinstance(given, journey.AmountsGiven)
    return replace(person, items=given.items, money=given.money, declared=DeclaredChannel.RED)


def card(view: View, kind: str) -> Allowance:
    return next(one for one in view.allowances if one.kind == kind)


def test_amounts_are_held_against_the_law_of_great_britain(screens: tuple[Flask, Shows]) -> None:
    kinds = ("beer", "wine", "cash", "goods")
    person = answered(
        "gb", kinds, amount_beer="42", amount_wine="19", amount_cash="10000", currency_cash="GBP",
        value_goods="390", currency_goods="GBP",
    )  # fmt: skip
    view = shown("gb", Screen.DETAILS, person)
    assert [card(view, kind).relation for kind in kinds] == ["within", "over", "over", "within"]
    assert (card(view, "wine").difference, card(view, "wine").share) == ("1", 19 / 18)
    assert card(view, "cash").difference == "0"
    words = page(screens, shown("gb", Screen.REVIEW, person))
    assert "19 litres" in words and "Over by 1 litre" in words
    amounts = presenter("gb").view(state(Screen.DETAILS, replace(person, items=person.items[:1])), Live(), 1, NOW)
    assert "GBP" in page(screens, amounts), "the currency of the norm stands first"


def test_shares_of_a_mix_are_not_told_as_litres() -> None:
    person = answered("gb", ("spirits", "intermediate"), amount_spirits="2", amount_intermediate="5")
    view = shown("gb", Screen.DETAILS, person)
    assert card(view, "spirits").relation == card(view, "intermediate").relation == "over"
    assert card(view, "spirits").difference is None, "11 % over is no number of litres"


def test_what_the_pack_does_not_know_is_left_to_an_officer() -> None:
    view = shown("gb", Screen.DETAILS, answered("gb", ("weapons",)))
    assert card(view, "weapons").relation in (None, "unknown") and card(view, "weapons").free is None


def test_a_kind_stands_against_its_own_norm_and_goods_against_the_worse_of_two() -> None:
    kinds = ("goods", "precious_metals")
    person = answered(
        "eaeu-by-msq", kinds, value_goods="10100", currency_goods="EUR", weight_goods="90",
        value_precious_metals="500", currency_precious_metals="USD",
    )  # fmt: skip
    view = shown("eaeu-by-msq", Screen.DETAILS, person)
    assert (card(view, "goods").relation, card(view, "goods").difference) == ("over", "40"), "in kg, as the card"
    assert card(view, "precious_metals").relation == "within", "its own norm, whatever the goods are worth"


def test_at_an_amount_that_counts_already_nothing_is_over_by_nothing(screens: tuple[Flask, Shows]) -> None:
    person = answered("gb", ("cash",), amount_cash="10000", currency_cash="GBP")
    words = page(screens, shown("gb", Screen.DETAILS, person))
    assert "To be declared" in words and "free below 10,000 GBP" in words and "by 0" not in words
    assert "To be declared" in page(screens, shown("gb", Screen.REVIEW, person))
