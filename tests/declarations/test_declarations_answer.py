"""What is read off an answer: entitlements, categories, prohibitions, papers, and the tree that explains it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from carried_goods import DAY, alcohol, cash, declaration, goods, some
from small_packs import pack_of, quantity, rule

from contracts.declaration import GoodsItem, GoodsKind, TransportMode, Unit
from contracts.party import Direction
from declarations.answer import PersonAssessment
from declarations.evaluate import Law, PersonFacts, evaluate
from declarations.explain import Node, english, explain, outcome, render
from declarations.money import Rates
from declarations.packs import RulePack, load_pack

Traveller = Callable[..., PersonAssessment]


def test_entitlements_are_used_and_left(traveller: Traveller) -> None:
    person = traveller(alcohol("1.25"), goods("200", "12.5"), some(GoodsKind.CIGARETTES, "300", Unit.PIECE))
    left = {line.kind: (line.declared, line.left, line.unit) for line in person.entitlements}
    assert left == {
        "alcohol": (Decimal("1.25"), Decimal("1.75"), "l"),
        "tobacco": (300, 0, "pcs"),
        "goods_value": (200, 9800, "EUR"),
        "goods_weight": (Decimal("12.5"), Decimal("37.5"), "kg"),
        "cash": (0, 10000, "USD"),
    }


def test_what_is_not_known_leaves_nothing_for_certain(traveller: Traveller) -> None:
    (line,) = [line for line in traveller(alcohol("1"), alcohol(None)).lines if line.kind == "alcohol"]
    assert (line.declared, line.exact, line.left) == (1, False, None)


def test_categories_prohibitions_and_papers(traveller: Traveller) -> None:
    carried = (
        alcohol("4"),
        goods("10001", "1"),
        cash("10001"),
        GoodsItem(kind=GoodsKind.WEAPONS),
        GoodsItem(kind=GoodsKind.DRONE),
        some(GoodsKind.FOOD_PLANT, None, None),
    )
    person = traveller(*carried)
    assert person.categories == {
        "01": ("CASH_OVER_THRESHOLD",),
        "03": ("ALCOHOL_OVER_NORM", "GOODS_VALUE_OVER_NORM"),
        "05": ("RESTRICTED_WEAPONS",),
        "10": ("DRONE_PROHIBITED",),
    }
    assert [hit.code for hit in person.prohibited] == ["DRONE_PROHIBITED"]
    assert [hit.documents for hit in person.documents] == ["annex; the full amount is declared", "permit"]
    assert person.must_declare and person.unknown


@pytest.mark.parametrize(
    ("carried", "said"),
    [
        ((), "free"),
        ((alcohol("3"),), "free"),
        ((alcohol(None),), "refer"),
        ((alcohol("4"), alcohol(None)), "declare"),
        ((alcohol("6"),), "prohibited"),
    ],
)
def test_the_strongest_is_said(traveller: Traveller, carried: tuple[GoodsItem, ...], said: str) -> None:
    person = traveller(*carried)
    assert outcome(person) == said
    assert (person.must_declare, person.unknown) == (
        said in ("declare", "prohibited"),
        said == "refer" or len(carried) == 2,
    )


def test_a_party_is_as_its_people(pack: RulePack, rates: Rates) -> None:
    crossing = (pack, Direction.ARRIVAL, TransportMode.AIR)
    calm = PersonFacts("p1", 40, "lead", declaration())
    over = PersonFacts("p2", 40, "adult", declaration(alcohol("4")))
    vague = PersonFacts("p3", 40, "adult", declaration(alcohol(None)))
    for people, must_declare, unknown in (
        ([calm], False, False),
        ([calm, over], True, False),
        ([calm, vague], False, True),
    ):
        party = evaluate(*crossing, people, rates, DAY)
        assert (party.must_declare, party.unknown, party.pack) == (must_declare, unknown, pack.label)


def test_a_law_judges_many(pack: RulePack, rates: Rates) -> None:
    crossing = (pack, Direction.ARRIVAL, TransportMode.AIR)
    law = Law.of(*crossing, DAY)
    for things in ((), (alcohol("4"),), (goods("12000", "60"), cash("1", "EUR"))):
        people = [
            PersonFacts("p2", 30, "adult", declaration(*things)),
            PersonFacts("p1", 40, "lead", declaration()),
        ]
        assert law.judge(people, rates) == evaluate(*crossing, people, rates, DAY)
        assert list(law.judge(people, rates).persons) == ["p1", "p2"]


def test_what_nobody_declared_is_judged_once_with_the_law() -> None:
    law = Law.of(pack_of(quantity(shown=True, pool="household")), Direction.ARRIVAL, TransportMode.AIR, DAY)
    people = [PersonFacts(f"p{place}", 40, "adult", declaration(), household="h") for place in (1, 2)]
    (untouched,) = law.untouched.values()
    assert all(person.lines[0] is untouched for person in law.judge(people, None).persons.values())


# --- the tree -------------------------------------------------------------------------------------------------


def find(node: Node, message: str) -> list[Node]:
    found = [node] if node.message == message else []
    return found + [one for child in node.children for one in find(child, message)]


@pytest.fixture
def tree(pack: RulePack, rates: Rates) -> Node:
    things = (alcohol("4"), goods("12000", "60", "USD"), cash("20000"), GoodsItem(kind=GoodsKind.DRONE))
    people = [
        PersonFacts("p1", 40, "lead", declaration(*things, unaccompanied=None)),
        PersonFacts("p2", 17, "adult", declaration(alcohol(None))),
        PersonFacts("p3", 17, "adult", None),
    ]
    return explain(evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, people, rates, DAY), pack)


def test_every_step_names_rule_article_and_layer(tree: Node) -> None:
    (over,) = [node for node in find(tree, "line.over") if node.facts["kind"] == "alcohol"]
    assert (over.rule_id, over.article, over.layer) == ("BY-06", "EEC Council Decision 107, annex 1", "eaeu")
    assert (over.facts["declared"], over.facts["norm"], over.facts["difference"]) == ("4", "3", "1")
    assert [child.message for child in over.children] == ["hit.category", "duty.known"]
    assert over.children[1].facts["formula"] == "10 EUR × (4 − 3) l = 10.00 EUR"
    (drone,) = [node for node in find(tree, "hit.category") if node.facts["code"] == "DRONE_PROHIBITED"]
    assert (drone.rule_id, drone.layer) == ("BY-23", "by")
    assert [node.facts["exchange"] for node in find(tree, "duty.exchange")] == [
        "1 EUR = 4 BYN, 1 USD = 3.2 BYN (2026-11-21, test)"
    ]
    assert find(tree, "person.prohibited")[0].facts == {"person": "p1"}
    assert find(tree, "person.declare")[0].facts == {"person": "p2"}
    assert find(tree, "person.refer")[0].facts == {"person": "p3"}


def test_the_tree_in_english(tree: Node) -> None:
    lines = list(render(tree))
    assert lines[0] == f"3 people by the law of {tree.facts['pack']}"
    assert lines[1] == "  p1: carries what may not cross"
    basis = "[BY-06, EEC Council Decision 107, annex 1, eaeu]"
    assert f"    alcohol: 4 l, 1 over the norm of 3 {basis}" in lines
    assert f"      ALCOHOL_OVER_NORM: category 03 of the form {basis}" in lines
    assert "      owed: 10 EUR × (4 − 3) l = 10.00 EUR" in lines
    assert any(line.strip().startswith("papers: annex") for line in lines)
    assert "    estimate: at least 10 EUR" in lines or any("estimate: at least" in line for line in lines)


def test_words_are_the_callers(tree: Node) -> None:
    said: set[str] = set()

    def words(message: str, facts: object) -> str:
        said.add(message)
        return message.upper()

    lines = list(render(tree, words))
    assert lines[0] == "PARTY" and lines[1] == "  PERSON.PROHIBITED"
    assert {"line.over", "line.within", "hit", "hit.documents", "total.at_least", "duty.unknown"} <= said


def test_every_kind_of_duty_has_its_words(rates: Rates) -> None:
    def said(pack: RulePack, *things: GoodsItem, household: str | None = None) -> str:
        people = [PersonFacts("p1", 40, "lead", declaration(*things), household=household)]
        people.append(PersonFacts("p2", 40, "adult", declaration(), household=household))
        answer = evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, people, rates, DAY)
        return "\n".join(render(explain(answer, pack)))

    wine = some(GoodsKind.WINE, "6", Unit.LITRE)
    assert "owed on 2 l; an officer assesses" in said(pack_of(quantity(excess={"model": "marginal"})), wine)
    assert "nobody can say yet what is owed" in said(pack_of(quantity(excess={"model": "assessed"})), wine)
    assert "nothing owed" in said(pack_of(quantity()), wine)
    rated = {"model": "marginal", "per_unit": "3", "currency": "EUR"}
    some_unknown = some(GoodsKind.WINE, None, None)
    assert "owed, or more: 3 EUR × (6 − 4) l ≥ 6.00 EUR" in said(
        pack_of(quantity(excess=rated)), wine, some_unknown
    )
    assert "2 l of the norm are unused by others" in said(pack_of(quantity(pool="household")), wine, household="h")
    beer = some(GoodsKind.BEER, "1", Unit.LITRE)
    assert "RULES_UNKNOWN [Test]" in said(pack_of(rule()), beer)


def test_an_answer_of_another_pack_is_not_explained(pack: RulePack, rates: Rates) -> None:
    answer = evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, [], rates, DAY)
    with pytest.raises(ValueError, match="not of gb"):
        explain(answer, load_pack("gb"))


def test_there_are_no_words_for_what_is_never_said() -> None:
    with pytest.raises(KeyError):
        english("weather", {})


def test_everybody_is_named_and_every_hit_has_its_rule(pack: RulePack, rates: Rates) -> None:
    people = [PersonFacts("p1", 15, "lead", declaration()), PersonFacts("p2", None, "adult", declaration())]
    answer = evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, people, rates, DAY)
    for person_id, code in (("p1", "DECLARANT_UNDERAGE"), ("p2", "DECLARANT_UNKNOWN")):
        person = answer.persons[person_id]
        assert (person.person_id, person.currency) == (person_id, "EUR")
        assert [(hit.code, hit.rule_id, hit.facts) for hit in person.hits] == [(code, "BY-28", {"min_age": "16"})]
    elsewhere = evaluate(pack, Direction.TRANSFER, TransportMode.AIR, people, rates, DAY)
    assert [person.person_id for person in elsewhere.persons.values()] == ["p1", "p2"]
    assert {person.currency for person in elsewhere.persons.values()} == {"EUR"}
