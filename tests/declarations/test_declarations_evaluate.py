"""The worked values of the law, each named by its rule, and every comparator at and around its boundary."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from carried_goods import DAY, alcohol, assess, cash, declaration, goods, some

from contracts.declaration import GoodsItem, GoodsKind, Manner, MoneyKind, TransportMode, Unit
from contracts.party import Direction
from declarations.evaluate import Line, PersonAssessment, PersonFacts, Relation, evaluate
from declarations.money import Rates
from declarations.packs import RulePack, load_pack

Traveller = Callable[..., PersonAssessment]


def codes(person: PersonAssessment) -> list[str]:
    return [hit.code for hit in person.hits]


def line(person: PersonAssessment, kind: str) -> Line:
    return next(line for line in person.lines if line.kind == kind)


def test_nothing_carried_is_free_and_complete(traveller: Traveller) -> None:
    person = traveller()
    assert (person.hits, person.duty_total, person.duty_complete) == ((), 0, True)
    assert not person.must_declare and not person.unknown
    assert [shown.kind for shown in person.lines] == ["alcohol", "tobacco", "goods_value", "goods_weight", "cash"]
    assert {shown.relation for shown in person.lines} == {Relation.WITHIN}
    assert line(person, "tobacco").norm == 200 and line(person, "tobacco").unit == "pcs"


@pytest.mark.parametrize(
    ("rule", "value", "kilograms", "duty", "hits"),
    [
        ("BY-01", "10000.00", "50.0", "0", []),
        ("BY-01", "9999.99", "49.999", "0", []),
        ("BY-01", "10000.01", "50", "0.00", ["GOODS_VALUE_OVER_NORM"]),
        ("BY-01", "12000", "40", "600.00", ["GOODS_VALUE_OVER_NORM"]),
        ("BY-02", "9000", "60", "40.00", ["GOODS_WEIGHT_OVER_NORM"]),
        ("BY-02", "10000", "50.001", "0.00", ["GOODS_WEIGHT_OVER_NORM"]),
        ("BY-04", "12000", "60", "600.00", ["GOODS_VALUE_OVER_NORM", "GOODS_WEIGHT_OVER_NORM"]),
        ("BY-04", "10100", "90", "160.00", ["GOODS_VALUE_OVER_NORM", "GOODS_WEIGHT_OVER_NORM"]),
    ],
)
def test_goods_by_air(
    traveller: Traveller, rule: str, value: str, kilograms: str, duty: str, hits: list[str]
) -> None:
    person = traveller(goods(value, kilograms))
    assert codes(person) == hits
    assert person.duty_total == Decimal(duty)
    assert person.duty_total == sum(shown.duty or 0 for shown in person.lines)
    assert person.duty_complete and not person.unknown


def test_by_04_says_that_the_larger_is_owed(traveller: Traveller) -> None:
    person = traveller(goods("12000", "60"))
    assert line(person, "goods_value").formula == "30 % × (12000 − 10000) EUR = 600.00 EUR"
    assert line(person, "goods_weight").duty == 0
    assert line(person, "goods_weight").formula == "4 EUR × (60 − 50) kg = 40.00 EUR; max(600.00, 40.00): BY-04"


@pytest.mark.parametrize(
    ("litres", "relation", "duty", "hits"),
    [
        ("2.999", Relation.WITHIN, "0", []),
        ("3.0", Relation.WITHIN, "0", []),
        ("3.001", Relation.OVER, "0.01", ["ALCOHOL_OVER_NORM"]),
        ("4.5", Relation.OVER, "15", ["ALCOHOL_OVER_NORM"]),
        ("5.0", Relation.OVER, "20", ["ALCOHOL_OVER_NORM"]),
        ("5.001", Relation.PROHIBITED, None, ["ALCOHOL_PROHIBITED"]),
        ("5.01", Relation.PROHIBITED, None, ["ALCOHOL_PROHIBITED"]),
    ],
)
def test_by_05_to_by_07_alcohol(
    traveller: Traveller, litres: str, relation: Relation, duty: str | None, hits: list[str]
) -> None:
    person = traveller(alcohol(litres))
    shown = line(person, "alcohol")
    assert (shown.relation, codes(person)) == (relation, hits)
    assert shown.duty == (None if duty is None else Decimal(duty))
    assert shown.norm == 3 and shown.declared == Decimal(litres)
    assert person.must_declare == bool(hits)


def test_by_06_carries_its_basis_and_figures(traveller: Traveller, pack: RulePack) -> None:
    (hit,) = traveller(alcohol("2.5"), alcohol("2.5")).hits
    assert (hit.rule_id, hit.rule_version, hit.category) == ("BY-06", pack.version, "03")
    assert hit.legal_basis == "EEC Council Decision 107, annex 1"
    assert hit.facts == {"declared": "5", "norm": "3", "difference": "2", "unit": "l"}


@pytest.mark.parametrize(
    ("litres", "hits", "duty"),
    [
        ("0.5", ["ETHYL_ALCOHOL_DECLARED"], Decimal("11.00")),
        ("5", ["ETHYL_ALCOHOL_DECLARED"], Decimal("110.00")),
        ("5.001", ["ETHYL_ALCOHOL_PROHIBITED"], None),
    ],
)
def test_by_08_ethyl_alcohol(traveller: Traveller, litres: str, hits: list[str], duty: Decimal | None) -> None:
    person = traveller(some(GoodsKind.ETHYL_ALCOHOL, litres, Unit.LITRE))
    assert codes(person) == hits
    assert line(person, "ethyl_alcohol").duty == duty


@pytest.mark.parametrize(
    ("amounts", "over"),
    [
        (("200", None, None), False),
        (("201", None, None), True),
        ((None, "50", None), False),
        ((None, "51", None), True),
        ((None, None, "250"), False),
        ((None, None, "250.001"), True),
        (("100", "25", None), False),
        (("100", "25", "0.001"), True),
        (("80", "15", "75"), False),
    ],
)
def test_by_09_tobacco(traveller: Traveller, amounts: tuple[str | None, ...], over: bool) -> None:
    kinds = ((GoodsKind.CIGARETTES, Unit.PIECE), (GoodsKind.CIGARS, Unit.PIECE), (GoodsKind.TOBACCO, Unit.GRAM))
    carried = [some(kind, amount, unit) for amount, (kind, unit) in zip(amounts, kinds, strict=True) if amount]
    person = traveller(*carried)
    assert codes(person) == (["TOBACCO_OVER_NORM"] if over else [])
    assert (line(person, "tobacco").duty is None) == over, "an officer assesses what is over"
    assert person.duty_complete != over


def test_by_09_one_kind_is_shown_in_its_own_unit(traveller: Traveller) -> None:
    shown = line(traveller(some(GoodsKind.CIGARETTES, "400", Unit.PIECE)), "tobacco")
    assert (shown.declared, shown.norm, shown.unit, shown.difference) == (400, 200, "pcs", 200)
    mixed = line(
        traveller(some(GoodsKind.CIGARETTES, "200", Unit.PIECE), some(GoodsKind.TOBACCO, "50", Unit.GRAM)),
        "tobacco",
    )
    assert (mixed.declared, mixed.norm, mixed.unit, mixed.difference) == (300, 250, "g", 50)


@pytest.mark.parametrize("kilograms", ["35", "35.001"])
def test_by_10_indivisible_item(traveller: Traveller, kilograms: str) -> None:
    piece = goods("100", kilograms, quantity=Decimal(1), unit=Unit.PIECE)
    person = traveller(piece, goods("100", "10"))
    assert codes(person) == (["INDIVISIBLE_ITEM"] if kilograms == "35.001" else [])


@pytest.mark.parametrize(
    ("age", "hits"),
    [(16, ["UNDERAGE_ALCOHOL", "UNDERAGE_TOBACCO"]), (17, ["UNDERAGE_ALCOHOL", "UNDERAGE_TOBACCO"]), (18, [])],
)
def test_by_05_and_by_09_entitle_adults_only(traveller: Traveller, age: int, hits: list[str]) -> None:
    person = traveller(alcohol("0.1"), some(GoodsKind.CIGARS, "1", Unit.PIECE), age=age)
    assert codes(person) == hits
    assert line(person, "alcohol").norm == (0 if hits else 3)
    assert person.must_declare == bool(hits)


def test_underage_alcohol_over_the_limit_is_both(traveller: Traveller) -> None:
    person = traveller(alcohol("6"), age=17)
    assert codes(person) == ["UNDERAGE_ALCOHOL", "ALCOHOL_PROHIBITED"]
    assert line(person, "alcohol").relation is Relation.PROHIBITED


@pytest.mark.parametrize(
    ("amount", "currency", "over"),
    [
        ("9999.99", "USD", False),
        ("10000.00", "USD", False),
        ("10000.01", "USD", True),
        ("8000.00", "EUR", False),
        ("8000.001", "EUR", True),
        ("800000", "RUB", False),
        ("800000.001", "RUB", True),
        ("32000", "BYN", False),
        ("32000.001", "BYN", True),
    ],
)
def test_by_11_cash_in_each_currency(traveller: Traveller, amount: str, currency: str, over: bool) -> None:
    for direction in (Direction.ARRIVAL, Direction.DEPARTURE):
        person = traveller(cash(amount, currency), direction=direction)
        assert codes(person) == (["CASH_OVER_THRESHOLD"] if over else [])
        assert person.duty_total == 0 and person.duty_complete
        shown = line(person, "cash")
        assert shown.declared is not None and shown.norm is not None
        assert (shown.declared > shown.norm) == over, "what is over never looks like equal"


def test_by_11_adds_currencies_and_cheques(traveller: Traveller) -> None:
    at_norm = (cash("4000"), cash("4000", "EUR"), cash("1000", kind=MoneyKind.TRAVELLERS_CHEQUES))
    assert codes(traveller(*at_norm)) == []
    assert codes(traveller(*at_norm, cash("0.01"))) == ["CASH_OVER_THRESHOLD"]
    shown = line(traveller(*at_norm), "cash")
    assert shown.declared == 10000
    assert shown.exchange == "1 USD = 3.2 BYN, 1 EUR = 4 BYN (2026-11-21, test)"


def test_by_12_an_instrument_has_no_threshold(traveller: Traveller) -> None:
    assert codes(traveller(cash("1", kind=MoneyKind.INSTRUMENT))) == ["INSTRUMENT_DECLARED"]
    assert codes(traveller(cash("0", kind=MoneyKind.INSTRUMENT))) == []


@pytest.mark.parametrize(("amount", "owed"), [("100000.00", False), ("100000.01", True)])
def test_by_13_documents_of_origin(traveller: Traveller, amount: str, owed: bool) -> None:
    person = traveller(cash(amount))
    assert codes(person) == ["CASH_OVER_THRESHOLD"] + ["CASH_DOCUMENTS_OWED"] * owed
    assert [shown.kind for shown in person.lines if shown.kind == "cash_documents"] == ["cash_documents"] * owed


def test_by_13_counts_cash_and_instruments_together(traveller: Traveller) -> None:
    person = traveller(cash("10000"), cash("90000.01", kind=MoneyKind.INSTRUMENT))
    assert codes(person) == ["INSTRUMENT_DECLARED", "CASH_DOCUMENTS_OWED"]


def test_by_14_unaccompanied_baggage(traveller: Traveller) -> None:
    assert codes(traveller(unaccompanied=True)) == ["UNACCOMPANIED_BAGGAGE"]
    unanswered = traveller(unaccompanied=None)
    assert codes(unanswered) == ["UNACCOMPANIED_BAGGAGE_UNKNOWN"]
    assert unanswered.unknown and not unanswered.must_declare


def test_by_14_goods_that_travel_apart_count_in_the_same_norms(traveller: Traveller) -> None:
    apart = goods("100", "30", manner=Manner.UNACCOMPANIED)
    assert codes(traveller(apart, goods("100", "30"))) == ["GOODS_WEIGHT_OVER_NORM", "UNACCOMPANIED_BAGGAGE"]


@pytest.mark.parametrize(
    ("kind", "code", "rule_id"),
    [
        (GoodsKind.CULTURAL, "RESTRICTED_CULTURAL", "BY-15"),
        (GoodsKind.WEAPONS, "RESTRICTED_WEAPONS", "BY-16"),
        (GoodsKind.MEDICINES, "RESTRICTED_MEDICINES", "BY-17"),
        (GoodsKind.ANIMALS_PLANTS, "RESTRICTED_ANIMALS_PLANTS", "BY-18"),
        (GoodsKind.COLLECTIONS, "RESTRICTED_COLLECTIONS", "BY-21.collections"),
        (GoodsKind.BIOLOGICAL_SAMPLES, "RESTRICTED_BIOLOGICAL_SAMPLES", "BY-21.samples"),
        (GoodsKind.OTHER_RESTRICTED, "RESTRICTED_OTHER_RESTRICTED", "BY-22"),
    ],
)
@pytest.mark.parametrize("direction", [Direction.ARRIVAL, Direction.DEPARTURE])
def test_by_15_to_by_22_restricted(
    traveller: Traveller, kind: GoodsKind, code: str, rule_id: str, direction: Direction
) -> None:
    person = traveller(GoodsItem(kind=kind), direction=direction)
    assert [(hit.code, hit.rule_id) for hit in person.hits] == [(code, rule_id)]
    assert person.hits[0].documents
    assert person.must_declare


@pytest.mark.parametrize(("kind", "code"), [("food_animal", "FOOD_ANIMAL"), ("food_plant", "FOOD_PLANT")])
def test_by_19_and_by_20_food(traveller: Traveller, kind: str, code: str) -> None:
    # Nobody but an officer tells where an animal product comes from.
    within = [f"{code}_UNKNOWN"] if kind == "food_animal" else []
    for quantity, unit, hits in (
        ("5", Unit.KILOGRAM, within),
        ("5000", Unit.GRAM, within),
        ("5.001", Unit.KILOGRAM, [f"{code}_OVER_NORM"]),
        ("5001", Unit.GRAM, [f"{code}_OVER_NORM"]),
        (None, None, [f"{code}_UNKNOWN"]),
    ):
        assert codes(traveller(some(GoodsKind(kind), quantity, unit))) == hits


def test_by_23_drones_are_belarus_and_arrival_only(traveller: Traveller) -> None:
    drone = GoodsItem(kind=GoodsKind.DRONE)
    arriving = traveller(drone)
    assert codes(arriving) == ["DRONE_PROHIBITED"]
    assert arriving.hits[0].relation is Relation.PROHIBITED
    assert codes(traveller(drone, direction=Direction.DEPARTURE)) == []


def test_by_25_relief(traveller: Traveller) -> None:
    assert codes(traveller(GoodsItem(kind=GoodsKind.RELIEF))) == ["RELIEF_CLAIMED"]


def test_by_26_export_of_fish_cannot_be_told_from_ham(traveller: Traveller) -> None:
    def leaving(kilograms: str) -> PersonAssessment:
        return traveller(some(GoodsKind.FOOD_ANIMAL, kilograms, Unit.KILOGRAM), direction=Direction.DEPARTURE)

    assert codes(leaving("0.25")) == []
    assert codes(leaving("0.251")) == ["FOOD_ANIMAL_UNKNOWN"]
    assert leaving("6").unknown and not leaving("6").must_declare


@pytest.mark.parametrize(("age", "hits"), [(15, ["DECLARANT_UNDERAGE"]), (16, []), (None, ["DECLARANT_UNKNOWN"])])
def test_by_28_declarant(traveller: Traveller, age: int | None, hits: list[str]) -> None:
    assert codes(traveller(age=age)) == hits


def test_goods_leave_without_the_norms_of_import(traveller: Traveller) -> None:
    person = traveller(goods("50000", "80"), alcohol("9"), direction=Direction.DEPARTURE)
    assert person.hits == ()


# --- unknown is never free ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carried", "hits"),
    [
        (goods(None, "5"), ["GOODS_VALUE_UNKNOWN"]),
        (goods("5", None), ["GOODS_WEIGHT_UNKNOWN"]),
        (alcohol(None), ["ALCOHOL_UNKNOWN"]),
        (some(GoodsKind.ALCOHOL, "2", Unit.PIECE), ["ALCOHOL_UNKNOWN"]),
        (some(GoodsKind.CIGARETTES, "10", Unit.LITRE), ["TOBACCO_UNKNOWN"]),
        (cash("1", "XTS"), ["CASH_UNKNOWN"]),
    ],
)
def test_what_nobody_knows_refers(traveller: Traveller, carried: GoodsItem, hits: list[str]) -> None:
    person = traveller(carried)
    assert [code for code in codes(person) if code != "CASH_DOCUMENTS_UNKNOWN"] == hits
    assert person.unknown and not person.must_declare


def test_what_is_certain_stays_certain(traveller: Traveller) -> None:
    person = traveller(alcohol("4"), alcohol(None))
    shown = line(person, "alcohol")
    assert codes(person) == ["ALCOHOL_OVER_NORM"]
    assert (shown.relation, shown.duty, shown.exact) == (Relation.OVER, 10, False)
    assert shown.formula == "10 EUR × (4 − 3) l ≥ 10.00 EUR"
    assert person.must_declare and person.unknown and not person.duty_complete


@pytest.mark.parametrize("days", [-1, 1])
def test_a_rate_of_another_day_is_no_rate(pack: RulePack, rates: Rates, days: int) -> None:
    other_day = DAY + timedelta(days=days)
    assert codes(assess(pack, rates, cash("1", "EUR"), on=other_day)) == ["CASH_UNKNOWN", "CASH_DOCUMENTS_UNKNOWN"]
    assert codes(assess(pack, rates, cash("10000"), on=other_day)) == [], "the norm's own currency needs no rate"
    assert codes(assess(pack, rates, cash("10000.01"), cash("1", "EUR"), on=other_day)) == [
        "CASH_OVER_THRESHOLD",
        "CASH_DOCUMENTS_UNKNOWN",
    ]


def test_no_rates_at_all(pack: RulePack) -> None:
    person = assess(pack, None, goods("1", "1", "USD"))
    assert codes(person) == ["GOODS_VALUE_UNKNOWN"]
    assert line(person, "goods_value").declared is None


def test_a_crossing_that_the_pack_does_not_know_refers(traveller: Traveller) -> None:
    for transport in (TransportMode.AIR, TransportMode.RAIL):
        person = traveller(direction=Direction.TRANSFER, transport=transport)
        assert codes(person) == ["RULES_UNKNOWN"] and person.unknown


def test_unknown_age_knows_no_alcohol_norm(traveller: Traveller) -> None:
    assert codes(traveller(alcohol("1"), age=None)) == ["DECLARANT_UNKNOWN", "ALCOHOL_UNKNOWN"]


# --- parties ------------------------------------------------------------------------------------------------


def party(pack: RulePack, rates: Rates, *people: PersonFacts) -> dict[str, PersonAssessment]:
    return evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, people, rates, DAY).persons


def test_a_minor_rides_on_the_guardians_declaration(pack: RulePack, rates: Rates) -> None:
    guardian = PersonFacts("p1", 40, "lead", declaration(covers=("p2",)))
    child = PersonFacts("p2", 9, "minor", None, covered_by="p1")
    assessed = party(pack, rates, guardian, child)
    assert assessed["p2"].hits == () and assessed["p1"].hits == ()


@pytest.mark.parametrize(
    "child",
    [
        PersonFacts("p2", 9, "minor", None),
        PersonFacts("p2", 9, "minor", None, covered_by="p7"),
        PersonFacts("p2", 9, "minor", None, covered_by="p3"),
        PersonFacts("p2", 16, "minor", None, covered_by="p1"),
        PersonFacts("p2", None, "minor", None, covered_by="p1"),
        PersonFacts("p2", 9, "minor", None, covered_by="p2"),
    ],
)
def test_nobody_is_covered_by_hope(pack: RulePack, rates: Rates, child: PersonFacts) -> None:
    guardian = PersonFacts("p1", 40, "lead", declaration(covers=("p2",)))
    stranger = PersonFacts("p3", 41, "adult", declaration())
    person = party(pack, rates, guardian, child, stranger)["p2"]
    assert codes(person) == ["DECLARATION_UNKNOWN"]
    assert person.unknown and not person.duty_complete


def test_nothing_is_pooled(pack: RulePack, rates: Rates) -> None:
    """Three litres for each adult: one with 4 l and one with 2 l is one over the norm."""
    people = (
        PersonFacts("p1", 40, "lead", declaration(alcohol("4"), covers=("p3",))),
        PersonFacts("p2", 41, "adult", declaration(alcohol("2"))),
        PersonFacts("p3", 9, "minor", None, covered_by="p1"),
    )
    assessed = party(pack, rates, *people)
    assert codes(assessed["p1"]) == ["ALCOHOL_OVER_NORM"]
    assert codes(assessed["p2"]) == codes(assessed["p3"]) == []


def test_goods_declared_for_a_child_have_its_own_norms(pack: RulePack, rates: Rates) -> None:
    guardian = PersonFacts("p1", 40, "lead", declaration(goods("9000", "40"), covers=("p2",)))
    child = PersonFacts("p2", 9, "minor", declaration(goods("9000", "40"), alcohol("1")), covered_by="p1")
    assessed = party(pack, rates, guardian, child)
    assert codes(assessed["p1"]) == []
    assert codes(assessed["p2"]) == ["UNDERAGE_ALCOHOL"]


def test_two_people_with_one_id_are_refused(pack: RulePack, rates: Rates) -> None:
    twin = PersonFacts("p1", 40, "lead", declaration())
    with pytest.raises(ValueError, match="p1 appears twice"):
        party(pack, rates, twin, twin)


# --- other ways to cross: the base layer alone ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kilograms", "duty"),
    [
        ("500", "25", "0"),
        ("500.01", "25", "0.00"),
        ("700", "25", "60.00"),
        ("500", "30", "20.00"),
        ("600", "40", "60.00"),
    ],
)
def test_by_03_by_road(value: str, kilograms: str, duty: str, rates: Rates) -> None:
    eaeu = load_pack("eaeu")
    person = assess(eaeu, rates, goods(value, kilograms), transport=TransportMode.ROAD)
    assert person.duty_total == Decimal(duty)
    assert person.must_declare == ((value, kilograms) != ("500", "25"))


def test_by_03_begins_on_its_day(rates: Rates) -> None:
    eaeu = load_pack("eaeu")
    before, after = date(2024, 3, 31), date(2024, 4, 1)
    assert eaeu.norm("goods_weight", Direction.ARRIVAL, TransportMode.ROAD, before) is None
    norm = eaeu.norm("goods_weight", Direction.ARRIVAL, TransportMode.ROAD, after)
    assert norm is not None and norm.amount == 25
