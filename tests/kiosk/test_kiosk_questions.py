"""What the law has to be told about a person: asked where an answer changes the outcome, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from contracts.declaration import Declaration, DeclaredChannel, GoodsItem, GoodsKind, TransportMode, Unit
from contracts.party import Direction
from declarations.evaluate import Law, PersonFacts
from declarations.money import demonstration_rates
from declarations.packs import RulePack, load_pack, pack_names
from kiosk.assessor import CROSSES_BY
from kiosk.questions import FACTS, Stretch, answers, first_open

RATES = demonstration_rates()
DAY = RATES.date
PACKS = ("eaeu", "eaeu-by", "eaeu-by-msq", "gb", "eu", "us", "ca")
YES_NO = (Stretch(True), Stretch(False))


def goods(amount: str, currency: str, kind: GoodsKind = GoodsKind.GOODS) -> GoodsItem:
    return GoodsItem(kind=kind, value=Decimal(amount), currency=currency)


def adult(pack: RulePack, *items: GoodsItem, **facts: bool | int) -> PersonFacts:
    stated = Declaration(
        declared_channel=DeclaredChannel.RED,
        items=items,
        unaccompanied_baggage=False,
        rule_pack=pack.label,
        notice_version="n",
        language="en",
    )
    return replace(PersonFacts("p1", 40, "lead", stated), **facts)  # type: ignore[arg-type]


def asked(name: str, *items: GoodsItem, settled: tuple[str, ...] = (), **facts: bool | int) -> str | None:
    pack = load_pack(name)
    law = Law.of(pack, Direction.ARRIVAL, CROSSES_BY, DAY)
    known = answers(pack, Direction.ARRIVAL, CROSSES_BY, DAY)
    settled = (*settled, *facts)
    return first_open(adult(pack, *items, **facts), known, settled, lambda person: law.judge((person,), RATES))


def test_the_packs_whose_law_looks_at_a_person_by_air_are_two() -> None:
    found = {
        name: answers(load_pack(name), direction, CROSSES_BY, DAY)
        for name in PACKS
        for direction in (Direction.ARRIVAL, Direction.DEPARTURE)
        if answers(load_pack(name), direction, CROSSES_BY, DAY)
    }
    assert found == {
        "us": {"resident": YES_NO, "days_since_exemption": (Stretch(0, 30), Stretch(30))},
        "ca": {"resident": YES_NO, "absence_hours": (Stretch(0, 24), Stretch(24, 48), Stretch(48))},
    }


def test_no_fact_that_a_shipped_pack_looks_at_by_air_is_left_out() -> None:
    """A pack that looks at another fact, or lets a household share a norm, has to be asked about on the screen."""
    for name in PACKS:
        for direction in Direction:
            rules = [rule for rule in load_pack(name).in_force(direction, CROSSES_BY, DAY) if rule.judges]
            named = {
                field.removesuffix("_from").removesuffix("_below")
                for rule in rules
                if rule.conditions is not None
                for field in rule.conditions.model_dump(exclude_none=True)
            }
            assert named <= {*FACTS, "age"}, (name, direction)  # the age is in the document
            assert {rule.pool for rule in rules} <= {"none"}, (name, direction)
    assert set(PACKS) < set(pack_names()), "and the others are drafts"


def test_by_land_the_law_of_belarus_asks_how_often_and_the_kiosk_does_not_stand_there() -> None:
    rules = load_pack("eaeu-by").in_force(Direction.ARRIVAL, TransportMode.ROAD, DAY)
    assert any(rule.conditions is not None and rule.conditions.crossings_from == 2 for rule in rules)
    assert CROSSES_BY is TransportMode.AIR


@pytest.mark.parametrize("name", ["eaeu-by-msq", "gb", "eu"])
def test_where_no_rule_looks_at_the_person_nothing_is_asked(name: str) -> None:
    assert asked(name, goods("90000", "EUR")) is None


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("us", goods("500", "USD")),  # free for a resident, an officer's for a visitor
        ("us", goods("900", "USD")),
        ("ca", goods("100", "CAD")),
        ("ca", GoodsItem(kind=GoodsKind.WINE, quantity=Decimal(1), unit=Unit.LITRE)),
    ],
)
def test_residence_is_asked_first_where_goods_count_for_some_people(name: str, item: GoodsItem) -> None:
    assert asked(name, item) == "resident"


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("us", GoodsItem(kind=GoodsKind.CIGARETTES, quantity=Decimal(300), unit=Unit.PIECE)),  # over for everybody
        ("us", GoodsItem(kind=GoodsKind.FOOD_PLANT)),
        ("ca", GoodsItem(kind=GoodsKind.WEAPONS)),  # no law of it in the pack
    ],
)
def test_goods_that_are_judged_alike_for_everybody_ask_nothing(name: str, item: GoodsItem) -> None:
    assert asked(name, item) is None


def test_the_next_question_depends_on_the_answer() -> None:
    assert asked("us", goods("500", "USD"), resident=True) == "days_since_exemption"
    assert asked("us", goods("500", "USD"), resident=False) is None
    assert asked("us", goods("500", "USD"), resident=True, days_since_exemption=30) is None
    assert asked("ca", goods("300", "CAD"), resident=True) == "absence_hours"
    assert asked("ca", goods("300", "CAD"), resident=False) is None


def test_who_does_not_know_is_not_asked_again_and_what_could_still_help_is() -> None:
    assert asked("us", goods("500", "USD"), settled=("resident",)) is None, "unknown either way"
    assert asked("us", goods("500", "USD"), settled=("resident", "days_since_exemption")) is None


@pytest.mark.parametrize(
    ("name", "item", "facts", "free"),
    [
        ("us", goods("800", "USD"), {"resident": True, "days_since_exemption": 30}, True),
        ("us", goods("800.01", "USD"), {"resident": True, "days_since_exemption": 30}, False),
        ("us", goods("800", "USD"), {"resident": True, "days_since_exemption": 0}, False),
        ("us", goods("800", "USD"), {}, False),
    ],
)
def test_the_answer_is_what_frees_an_honest_traveller(
    name: str, item: GoodsItem, facts: dict[str, bool | int], free: bool
) -> None:
    pack = load_pack(name)
    law = Law.of(pack, Direction.ARRIVAL, CROSSES_BY, DAY)
    assessed = law.judge((adult(pack, item, **facts),), RATES)
    assert (not assessed.must_declare and not assessed.unknown) is free


def test_a_stretch_stands_for_every_number_in_it() -> None:
    """The least of a stretch is judged as any other in it: the record keeps the least."""
    pack = load_pack("ca")
    law = Law.of(pack, Direction.ARRIVAL, CROSSES_BY, DAY)
    item = goods("300", "CAD")
    for stretch in answers(pack, Direction.ARRIVAL, CROSSES_BY, DAY)["absence_hours"]:
        last = 100_000 if stretch.below is None else stretch.below - 1
        hits = {
            tuple((hit.code, hit.relation) for hit in law.judge((person,), RATES).persons["p1"].hits)
            for person in (adult(pack, item, resident=True, absence_hours=one) for one in (stretch.value, last))
        }
        assert len(hits) == 1, stretch


def test_the_day_of_the_law_counts() -> None:
    assert answers(load_pack("us"), Direction.ARRIVAL, CROSSES_BY, date(2026, 11, 21))
    assert answers(load_pack("us"), Direction.DEPARTURE, CROSSES_BY, DAY) == {}
