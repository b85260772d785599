"""What follows the amounts: the pages that the law of the day needs, what they take, what the record then says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.declaration import (
    Addresses,
    Circumstances,
    DeclaredChannel,
    GoodsItem,
    GoodsKind,
    Instrument,
    Money,
    MoneyKind,
    MoneyOrigin,
    MoneyOwner,
    MoneyUse,
    Route,
    Unit,
)
from contracts.party import Direction, DocumentFormat, TravelDocument
from declarations.money import demonstration_rates
from declarations.packs import RulePack, load_pack
from hardware.registry import DevicesConfig
from kiosk import journey
from kiosk.actions import ACTIONS, FieldError, Form
from kiosk.assessor import CROSSES_BY
from kiosk.config import KioskConfig
from kiosk.journey import AmountsGiven, PersonState, State, WentBack, Withdrawn, advance
from kiosk.law import Law
from kiosk.messages import Catalogue
from kiosk.presenter import Live, Presenter
from kiosk.record import declaration_of
from kiosk.view import Message, Screen, View

RATES = demonstration_rates()
NOW = datetime(RATES.date.year, RATES.date.month, RATES.date.day, 12, tzinfo=UTC)
CATALOGUE = Catalogue.load()
ADULT = TravelDocument(format=DocumentFormat.TD3, birth_date=date(1980, 5, 5))
CHILD = TravelDocument(format=DocumentFormat.TD3, birth_date=date(2016, 5, 5))
GREEN, RED = DeclaredChannel.GREEN, DeclaredChannel.RED


class Kiosk:
    """A traveller at the pages of one pack; each touch is posted, judged and advanced as the conductor does it."""

    def __init__(self, pack: str, *, children: int = 0) -> None:
        config = KioskConfig.model_construct(
            profile="test",
            site_id="site-1",
            site_name="An airport",
            kiosk_id="B3",
            timezone="UTC",
            direction=Direction.ARRIVAL,
            flight=None,
            data_dir=Path("nowhere"),
            devices=DevicesConfig(),
        )
        self.presenter = Presenter(config, load_pack(pack), RATES)
        self.pack = pack
        lead = PersonState("p1", identity=ADULT, bag_count=0, unaccompanied=False)
        minors = (PersonState(f"p{2 + n}", identity=CHILD, minor=True) for n in range(children))
        self.state = State(
            screen=Screen.GOODS, record_id="r1", started_at=NOW, touched_at=NOW, persons=(lead, *minors)
        )

    def posts(self, action: str, **fields: str) -> Kiosk:
        assert action in journey.actions(self.state), f"{action} is not offered on {self.state.screen}"
        posted = {name.replace("_", "-"): [value] for name, value in fields.items()}
        event = ACTIONS[action](Form(posted, NOW, "id", ("en",), self.state))
        if isinstance(event, journey.Answer):
            event = replace(event, asks=self.presenter.asks(self.state, event))
        elif isinstance(event, Withdrawn):
            event = replace(event, free=self.presenter.is_free(self.state, NOW))
        self.state, _ = advance(self.state, event)
        return self

    def declares(self, *items: GoodsItem, money: tuple[Money, ...] = ()) -> Kiosk:
        kinds = (*(item.kind.value for item in items), *("cash" for _ in money))
        self.state, _ = advance(self.state, journey.ChannelDeclared(NOW, RED, kinds))
        event = AmountsGiven(NOW, items, money)
        self.state, _ = advance(self.state, replace(event, asks=self.presenter.asks(self.state, event)))
        return self

    def back(self) -> Kiosk:
        self.state, _ = advance(self.state, WentBack(NOW))
        return self

    @property
    def at(self) -> tuple[Screen, str | None]:
        return self.state.screen, self.state.question

    @property
    def view(self) -> View:
        return self.presenter.view(self.state, Live(), 1, NOW)

    def says(self, message: Message | None, language: str = "en") -> str:
        return "" if message is None else CATALOGUE.text(message, language)


def goods(amount: str, currency: str = "EUR", kg: str | None = None) -> GoodsItem:
    weight = None if kg is None else Decimal(kg)
    return GoodsItem(kind=GoodsKind.GOODS, value=Decimal(amount), currency=currency, weight_kg=weight)


def cash(amount: str, currency: str = "USD", kind: MoneyKind = MoneyKind.CASH) -> Money:
    return Money(kind=kind, amount=Decimal(amount), currency=currency)


def litres(kind: GoodsKind, amount: str) -> GoodsItem:
    return GoodsItem(kind=kind, quantity=Decimal(amount), unit=Unit.LITRE)


# -- about the person -------------------------------------------------------------------------------------------


def test_the_law_of_the_united_states_asks_two_things_and_then_nothing_need_be_declared() -> None:
    kiosk = Kiosk("us").declares(goods("500", "USD"))
    assert kiosk.at == (Screen.ABOUT, "resident")
    about = kiosk.view.about
    assert about is not None and [choice.value for choice in about.choices] == ["yes", "no"]
    kiosk.posts("circumstance", answer="yes")
    assert kiosk.at == (Screen.ABOUT, "days_since_exemption")
    about = kiosk.view.about
    assert about is not None and [choice.value for choice in about.choices] == ["0", "30"]
    kiosk.posts("circumstance", answer="30")
    assert kiosk.at == (Screen.REVIEW, None)
    assert "withdraw" in kiosk.view.actions
    kiosk.posts("withdraw")
    assert kiosk.state.person.declared is GREEN and kiosk.view.withdrawn
    stated = declaration_of(kiosk.state, kiosk.state.person, "us:1")
    assert stated is not None and len(stated.items) == 1, "what was stated stays in the record"
    assert stated.circumstances == Circumstances(resident=True, days_since_exemption=30)


def test_a_visitor_is_asked_once_and_stays_with_the_officer() -> None:
    kiosk = Kiosk("us").declares(goods("500", "USD")).posts("circumstance", answer="no")
    assert kiosk.at == (Screen.REVIEW, None)
    assert "withdraw" not in kiosk.view.actions, "an officer's question is not nothing to declare"


def test_who_does_not_know_goes_on_and_the_record_says_nothing_for_them() -> None:
    kiosk = Kiosk("ca").declares(goods("300", "CAD")).posts("circumstance", answer="unknown")
    assert kiosk.at == (Screen.REVIEW, None)
    stated = declaration_of(kiosk.state, kiosk.state.person, "ca:1")
    assert stated is not None and stated.circumstances is None
    (line,) = [line for line in kiosk.view.review if line.question == "resident"]
    assert line.attention and line.change is Screen.ABOUT


def test_nothing_is_asked_twice_and_an_answer_can_be_changed() -> None:
    kiosk = Kiosk("ca").declares(goods("300", "CAD")).posts("circumstance", answer="yes")
    kiosk.posts("circumstance", answer="24")
    state = kiosk.state
    state, _ = advance(state, journey.ChangeAsked(NOW, Screen.DETAILS))
    kiosk.state = state
    event = AmountsGiven(NOW, (goods("400", "CAD"),))
    assert kiosk.presenter.asks(kiosk.state, event) == ()
    kiosk.state, _ = advance(kiosk.state, event)
    assert kiosk.at == (Screen.REVIEW, None)
    kiosk.posts("change", question="absence_hours")
    assert kiosk.at == (Screen.ABOUT, "absence_hours")
    about = kiosk.view.about
    assert about is not None and [choice.chosen for choice in about.choices] == [False, True, False]
    kiosk.posts("circumstance", answer="48")
    assert kiosk.state.person.circumstances.absence_hours == 48


def test_back_walks_through_the_questions_and_then_to_the_amounts() -> None:
    kiosk = Kiosk("ca").declares(goods("300", "CAD")).posts("circumstance", answer="yes")
    assert kiosk.at == (Screen.ABOUT, "absence_hours")
    assert kiosk.back().at == (Screen.ABOUT, "resident")
    assert kiosk.back().at == (Screen.DETAILS, None)


def test_an_answer_to_another_question_changes_nothing() -> None:
    kiosk = Kiosk("ca").declares(goods("300", "CAD"))
    before = kiosk.state.persons
    for event in (
        journey.CircumstanceStated(NOW, "absence_hours", 48),
        journey.WrittenDown(NOW, addresses=Addresses(permanent="x")),
        journey.SharesGiven(NOW, ()),
    ):
        assert advance(kiosk.state, event)[0].persons == before


@pytest.mark.parametrize("answer", ["", "maybe", "-1", "999999", "48"])
def test_an_answer_that_is_no_choice_comes_back(answer: str) -> None:
    with pytest.raises(FieldError):
        Kiosk("ca").declares(goods("300", "CAD")).posts("circumstance", answer=answer)


@pytest.mark.parametrize("language", ["en", "ru", "be"])
def test_every_question_and_answer_has_words(language: str) -> None:
    for pack, amount in (("us", goods("500", "USD")), ("ca", goods("300", "CAD"))):
        kiosk = Kiosk(pack).declares(amount)
        for answer in ("yes", "0"):
            about = kiosk.view.about
            assert about is not None and CATALOGUE.has(f"about.{about.fact}.title")
            words = [CATALOGUE.text(choice.text, language) for choice in about.choices]
            assert all(words) and len(set(words)) == len(words)
            kiosk.posts("circumstance", answer=answer)


# -- nothing to declare after all -------------------------------------------------------------------------------


def test_only_the_law_can_say_that_nothing_need_be_declared() -> None:
    within = Kiosk("eaeu-by").declares(litres(GoodsKind.ALCOHOL, "3"))
    assert within.at == (Screen.REVIEW, None) and "withdraw" in within.view.actions
    assert within.posts("withdraw").state.person.declared is GREEN
    for items in (
        (litres(GoodsKind.ALCOHOL, "3.001"),),
        (GoodsItem(kind=GoodsKind.ALCOHOL),),
        (GoodsItem(kind=GoodsKind.MEDICINES),),
        (litres(GoodsKind.ALCOHOL, "1"), GoodsItem(kind=GoodsKind.FUEL)),
    ):
        kiosk = Kiosk("eaeu-by").declares(*items)
        assert "withdraw" not in kiosk.view.actions
        kiosk.posts("withdraw")
        assert kiosk.state.person.declared is RED, "a touch that was not offered changes nothing"


def test_a_bag_that_travels_apart_is_not_nothing() -> None:
    kiosk = Kiosk("eaeu-by").declares(litres(GoodsKind.ALCOHOL, "1"))
    kiosk.state = replace(kiosk.state, persons=(replace(kiosk.state.person, unaccompanied=True),))
    assert "withdraw" not in kiosk.view.actions


@pytest.mark.parametrize("away", [{"screen": "details"}, {"screen": "bag"}, {"screen": "goods"}, {}])
def test_whoever_changes_an_answer_declares_again(away: dict[str, str]) -> None:
    kiosk = Kiosk("eaeu-by").declares(litres(GoodsKind.ALCOHOL, "1")).posts("withdraw")
    kiosk.posts("change", **away) if away else kiosk.back()
    assert kiosk.state.person.declared is RED and not kiosk.state.person.withdrawn


def test_green_with_nothing_keeps_nothing_that_was_told() -> None:
    kiosk = Kiosk("ca").declares(goods("300", "CAD")).posts("circumstance", answer="yes").back().back().back()
    kiosk.posts("declare", channel="green")
    stated = declaration_of(kiosk.state, kiosk.state.person, "ca:1")
    assert stated is not None and (stated.circumstances, stated.items) == (None, ())


def test_green_is_the_traveller_s_own_touch() -> None:
    kiosk = Kiosk("eaeu-by").declares(litres(GoodsKind.ALCOHOL, "1"))
    signed, _ = advance(kiosk.state, journey.Certified(NOW))
    assert signed.person.declared is RED


# -- what is a child's ------------------------------------------------------------------------------------------


def test_goods_over_the_norm_ask_what_is_a_childs_and_then_both_are_within() -> None:
    kiosk = Kiosk("eaeu-by", children=1).declares(goods("15000", kg="60"))
    assert kiosk.at == (Screen.SHARES, "shares")
    fields = {field.name: field.total for field in kiosk.view.shares}
    assert fields == {"value-goods-p2": "15,000", "weight-goods-p2": "60"}
    kiosk.posts("shares", **{"value-goods-p2": "6000", "weight-goods-p2": "20"})
    assert kiosk.at == (Screen.REVIEW, None)
    own, childs = kiosk.state.person.items
    assert (own.value, own.weight_kg, own.carried_for) == (9000, 40, None)
    assert (childs.value, childs.weight_kg, childs.carried_for) == (6000, 20, "p2")
    assert "withdraw" in kiosk.view.actions
    titles = [kiosk.says(line.title) for line in kiosk.view.review]
    assert "Child 1: Personal goods, €6,000" in titles


@pytest.mark.parametrize(
    ("children", "item"),
    [
        (0, goods("15000")),  # nobody else is there
        (1, goods("9000")),  # nothing is over
        (1, litres(GoodsKind.ALCOHOL, "4")),  # a child has no norm of alcohol
        (1, GoodsItem(kind=GoodsKind.CIGARETTES, quantity=Decimal(300), unit=Unit.PIECE)),
        (1, GoodsItem(kind=GoodsKind.GOODS)),  # nobody knows how much it is
        (1, GoodsItem(kind=GoodsKind.MEDICINES)),
    ],
)
def test_a_childs_part_is_asked_only_where_the_child_has_a_norm_that_helps(children: int, item: GoodsItem) -> None:
    assert Kiosk("eaeu-by", children=children).declares(item).state.screen is not Screen.SHARES


def test_a_child_of_great_britain_has_nobody_who_speaks_for_it() -> None:
    assert Kiosk("gb", children=1).declares(goods("5000", "GBP")).state.screen is Screen.REVIEW


def test_a_part_is_never_larger_than_the_whole_and_never_half_told() -> None:
    kiosk = Kiosk("eaeu-by", children=2).declares(goods("15000", kg="60"))
    for fields, message in (
        ({"value-goods-p2": "15000.001", "weight-goods-p2": "1"}, "error.share_more"),
        (
            {"value-goods-p2": "8000", "weight-goods-p2": "1", "value-goods-p3": "8000", "weight-goods-p3": "1"},
            "error.share_more",
        ),
        ({"value-goods-p2": "5000"}, "error.share_both"),
        ({"value-goods-p2": "a lot", "weight-goods-p2": "1"}, "error.amount"),
    ):
        with pytest.raises(FieldError) as refused:
            kiosk.posts("shares", **fields)
        assert refused.value.message == message


def test_whoever_leaves_it_empty_keeps_everything_and_is_not_asked_again() -> None:
    kiosk = Kiosk("eaeu-by", children=1).declares(goods("15000")).posts("shares")
    assert kiosk.at == (Screen.REVIEW, None)
    assert [item.carried_for for item in kiosk.state.person.items] == [None]


def test_going_back_shows_the_parts_and_takes_others() -> None:
    kiosk = Kiosk("eaeu-by", children=1).declares(goods("15000"))
    kiosk.posts("shares", **{"value-goods-p2": "6000"}).back()
    assert kiosk.at == (Screen.SHARES, "shares")
    assert [(field.total, field.given) for field in kiosk.view.shares] == [("15,000", "6000")]
    kiosk.posts("shares", **{"value-goods-p2": "7000"})
    assert [item.value for item in kiosk.state.person.items] == [8000, 7000]


# -- in writing -------------------------------------------------------------------------------------------------

OF_A_SALE = {"origin": "03", "use": "02"}


def test_cash_in_writing_asks_for_what_the_form_needs_and_no_more() -> None:
    kiosk = Kiosk("eaeu-by").declares(money=(cash("12000"),))
    pages = [kiosk.at]
    kiosk.posts("money", **OF_A_SALE, owner="own")
    pages.append(kiosk.at)
    kiosk.posts("writing", permanent="1 Example Street ", temporary="")
    pages.append(kiosk.at)
    kiosk.posts("writing", **{"from": "TR", "to": "BY"})
    assert pages == [(Screen.MONEY, "money"), (Screen.WRITING, "address"), (Screen.WRITING, "route")]
    assert kiosk.at == (Screen.REVIEW, None)
    stated = declaration_of(kiosk.state, kiosk.state.person, "p:1")
    assert stated is not None
    assert stated.addresses == Addresses(permanent="1 Example Street")
    assert stated.route == Route(departure_country="TR", destination_country="BY")
    (money,) = stated.money
    assert (money.origin, money.intended_use, money.owner) == (MoneyOrigin.SALE, MoneyUse.INVESTMENT, None)


def test_somebody_elses_money_asks_whose() -> None:
    kiosk = Kiosk("eaeu-by").declares(money=(cash("12000"),)).posts("money", **OF_A_SALE, owner="other")
    assert kiosk.at == (Screen.WRITING, "owner")
    kiosk.posts("writing", name="Example  Ltd", address="Exampletown")
    assert kiosk.at == (Screen.WRITING, "address")
    (money,) = kiosk.state.person.money
    assert money.owner == MoneyOwner(name="Example Ltd", address="Exampletown")
    writing = kiosk.back().view.writing
    assert writing is not None and writing.said == {"name": "Example Ltd", "address": "Exampletown"}


def test_a_bill_is_described_and_every_field_is_checked() -> None:
    kiosk = Kiosk("eaeu-by").declares(money=(cash("500", "EUR", MoneyKind.INSTRUMENT),))
    kiosk.posts("money", **OF_A_SALE, owner="own")
    assert kiosk.at == (Screen.WRITING, "instrument")
    for field, value in (
        ("issued", "31.02.2026"),
        ("issued", "tomorrow"),
        ("issued", "01.01.2099"),
        ("pieces", "0"),
    ):
        with pytest.raises(FieldError) as refused:
            kiosk.posts("writing", name="Bill", **{field: value})
        assert refused.value.place == field
    kiosk.posts("writing", name="Bill", issuer="A bank", number="7", issued="3.4.2026", nominal="250", pieces="2")
    (money,) = kiosk.state.person.money
    assert money.instrument == Instrument(
        name="Bill", issuer="A bank", number="7", issued=date(2026, 4, 3), nominal=Decimal(250), pieces=2
    )


def test_whoever_is_in_a_hurry_leaves_it_empty_and_is_not_asked_again() -> None:
    kiosk = Kiosk("eaeu-by").declares(money=(cash("12000"),)).posts("money", **OF_A_SALE, owner="other")
    for _ in range(3):
        assert kiosk.state.screen is Screen.WRITING
        kiosk.posts("writing")
    assert kiosk.at == (Screen.REVIEW, None)
    kiosk.state, _ = advance(kiosk.state, journey.ChangeAsked(NOW, Screen.DETAILS))
    assert set(kiosk.presenter.asks(kiosk.state, AmountsGiven(NOW, (), kiosk.state.person.money))) == {
        "money",
        "owner",
    }, "other money may have another origin; the address is the same"


def test_words_that_no_record_can_carry_come_back() -> None:
    kiosk = Kiosk("eaeu-by").declares(money=(cash("12000"),)).posts("money", **OF_A_SALE, owner="own")
    for words in ("a\x07b", "x" * 501):
        with pytest.raises(FieldError) as refused:
            kiosk.posts("writing", permanent=words)
        assert (refused.value.place, refused.value.message) == ("permanent", "error.words")


def test_what_was_written_is_shown_to_the_traveller_and_never_with_the_state() -> None:
    kiosk = Kiosk("eaeu-by").declares(money=(cash("12000"),)).posts("money", **OF_A_SALE, owner="own")
    kiosk.posts("writing", permanent="1 Example Street").posts("writing", **{"from": "TR", "to": "BY"})
    shown = {line.question: kiosk.says(line.title, "be") for line in kiosk.view.review if line.question}
    assert shown["address"] == "Дом: 1 Example Street"
    assert "Турцыя" in shown["route"] and "Беларусь" in shown["route"]
    kiosk.posts("change", question="address")
    assert kiosk.at == (Screen.WRITING, "address")


# -- on which paper ---------------------------------------------------------------------------------------------


def test_great_britain_has_no_form_and_says_so() -> None:
    kiosk = Kiosk("gb").declares(money=(cash("12000", "GBP"),))
    assert kiosk.at == (Screen.REVIEW, None), "no question of another country's annex"
    assert kiosk.view.paper is False
    (money,) = kiosk.state.person.money
    assert money.origin is None


def test_the_union_has_one_and_only_for_what_must_be_declared() -> None:
    over = Kiosk("eaeu-by").declares(litres(GoodsKind.ALCOHOL, "4"))
    assert over.view.paper is True
    within = Kiosk("eaeu-by").declares(litres(GoodsKind.ALCOHOL, "3"))
    assert within.view.paper is None


@pytest.mark.parametrize(("pack", "form"), [("eaeu-by-msq", "eaeu_passenger"), ("gb", None), ("us", None)])
def test_the_form_is_the_packs(pack: str, form: str | None) -> None:
    assert load_pack(pack).form == form


# -- why --------------------------------------------------------------------------------------------------------


def why(pack: str, item: GoodsItem | Money, language: str = "en") -> tuple[list[str], str, str, tuple[str, ...]]:
    kiosk = Kiosk(pack)
    kiosk.declares(item) if isinstance(item, GoodsItem) else kiosk.declares(money=(item,))
    state = replace(kiosk.state, screen=Screen.REVIEW, question=None)
    line = kiosk.presenter.view(state, Live(), 1, NOW).review[0]
    assert line.why is not None and line.attention
    return (
        [kiosk.says(sentence, language) for sentence in line.why.sentences],
        line.why.article,
        line.why.source,
        line.why.papers,
    )


def test_what_is_over_says_how_much_is_free_what_is_owed_and_by_which_law() -> None:
    sentences, article, source, _ = why("eaeu-by", litres(GoodsKind.ALCOHOL, "5"))
    assert sentences == [
        "Free for one person: 3 litres. Who has more declares it.",
        "About what is owed: \u206610 EUR × (5 − 3) l = 20.00 EUR\u2069",
    ]
    rule = load_pack("eaeu-by").rule("BY-06")
    assert (article, source) == (rule.article, rule.source) and "107" in article


@pytest.mark.parametrize(
    ("pack", "item", "words"),
    [
        ("gb", cash("10000", "GBP"), "Free: less than 10,000 GBP"),
        ("eaeu-by", GoodsItem(kind=GoodsKind.MEDICINES), "however little"),
        ("eaeu-by", GoodsItem(kind=GoodsKind.DRONE), "may not cross"),
        ("eaeu-by", GoodsItem(kind=GoodsKind.ALCOHOL), "Too little is known"),
        ("gb", GoodsItem(kind=GoodsKind.WEAPONS), "say nothing about it"),
        ("us", goods("500", "USD"), "Too little is known"),
        ("gb", litres(GoodsKind.BEER, "43"), "Free for one person: 42 litres"),
    ],
)
def test_every_call_for_a_person_says_why(pack: str, item: GoodsItem | Money, words: str) -> None:
    assert words in " ".join(why(pack, item)[0])


def test_papers_are_named() -> None:
    assert any("medical" in paper for paper in why("eaeu-by", GoodsItem(kind=GoodsKind.MEDICINES))[3])


def test_what_is_within_says_nothing() -> None:
    kiosk = Kiosk("eaeu-by").declares(litres(GoodsKind.ALCOHOL, "3"))
    assert [line.why for line in kiosk.view.review] == [None] * len(kiosk.view.review)


@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_the_duty_that_is_not_owed_says_so_in_every_language(language: str) -> None:
    kiosk = Kiosk("eaeu-by").declares(goods("12000", kg="60"))
    (basis,) = [line.why for line in kiosk.view.review if line.why is not None]
    assert all(kiosk.says(sentence, language) for sentence in basis.sentences)


# -- who declares -----------------------------------------------------------------------------------------------


def minor(pack: RulePack, age: int | None) -> bool | None:
    birth = None if age is None else NOW.date().replace(year=NOW.year - age)
    return Law(pack, pack.content_hash, RATES).is_minor(birth, NOW.date(), Direction.ARRIVAL, CROSSES_BY)


@pytest.mark.parametrize(
    ("pack", "first"),
    [("eaeu-by", 16), ("gb", 18), ("us", 18), ("ca", 18), ("eu", 18)],
)
def test_the_age_from_which_one_declares_is_the_packs(pack: str, first: int) -> None:
    law = load_pack(pack)
    assert [minor(law, age) for age in (first - 1, first)] == [True, False]


def test_an_age_that_nobody_says_is_for_an_officer() -> None:
    law = load_pack("gb")
    silent = law.model_copy(update={"eligibility": ()})
    assert minor(silent, 40) is None and minor(silent, 4) is None
    assert minor(law, None) is None
