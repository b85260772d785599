"""A record as the form: what was stated and read, and nothing that nobody said."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from form_scene import AT, DAY
from pydantic import ValidationError

from contracts.declaration import (
    Declaration,
    GoodsItem,
    GoodsKind,
    Money,
    MoneyKind,
    Purpose,
    Route,
    TransportMode,
)
from contracts.party import Bag, Direction, DocumentFormat, Party, Person, TravelDocument
from contracts.transaction import Provenance, TransactionRecord
from declarations.evaluate import PersonFacts, Relation, RuleHit, evaluate
from declarations.forms.fill import categories, fill
from declarations.forms.model import PaperKind, PassengerDeclaration
from declarations.money import demonstration_rates
from declarations.packs import load_pack

PASSPORT = TravelDocument(
    format=DocumentFormat.TD3,
    issuer="UTO",
    number="L898902C3",
    surname="LINDEN",
    given_names="ANNA MARIA",
    birth_date=datetime.date(1984, 8, 12),
)
VISA = TravelDocument(format=DocumentFormat.MRV_A, issuer="BLR", number="V0042")
CASH = Money(kind=MoneyKind.CASH, amount=Decimal(12000), currency="USD")


def declaration(**changes: Any) -> Declaration:
    common = {"declared_channel": "red", "rule_pack": "p:1", "notice_version": "1", "language": "en"}
    return Declaration.model_validate(common | {"certified_at": AT, "unaccompanied_baggage": False} | changes)


def filled(*persons: Person, hits: tuple[RuleHit, ...] = (), **how: Any) -> PassengerDeclaration:
    record = TransactionRecord(
        site_id="s",
        kiosk_id="k",
        record_id="r1",
        direction=Direction.ARRIVAL,
        started_at=AT,
        completed_at=AT,
        party=Party(persons=persons),
        provenance=Provenance(profile="test", software="t"),
    )
    assert persons[0].declaration is not None
    values = {"transport": TransportMode.AIR, "filled_on": DAY} | how
    return fill(record, persons[0], persons[0].declaration, hits, **values)


def lead(**changes: Any) -> Person:
    values: dict[str, Any] = {"person_id": "p1", "role": "lead", "documents": (PASSPORT,)}
    return Person.model_validate(values | {"declaration": declaration()} | changes)


def test_what_was_read_and_stated_is_there() -> None:
    bag = Bag(weight_kg=12.0)
    form = filled(lead(documents=(VISA, PASSPORT), bags=(bag,), declaration=declaration(money=(CASH,))))
    assert (form.declarant.surname, form.declarant.given_names) == ("LINDEN", "ANNA MARIA")
    assert form.declarant.document is not None and form.declarant.document.number == "L898902C3"
    stay = form.declarant.stay_document
    assert stay is not None and (stay.kind, stay.number) == (PaperKind.VISA, "V0042")
    assert form.accompanied_baggage is True and form.unaccompanied_baggage is False
    assert form.certified_at == AT and form.needs_annex and form.reference == "r1"


def test_what_nobody_said_is_empty() -> None:
    form = filled(lead(documents=(), declaration=declaration(unaccompanied_baggage=None)))
    assert form.declarant.surname == "" and form.declarant.document is None
    assert (form.purpose, form.route, form.departure_country, form.accompanied_baggage) == (None,) * 4
    assert form.unaccompanied_baggage is None and form.manners == frozenset() and form.categories == ()


def test_the_children_that_the_statement_covers_are_counted() -> None:
    others = tuple(
        Person(person_id=name, role="minor" if name != "p4" else "adult", guardian=None if name == "p4" else "p1")
        for name in ("p2", "p3", "p4")
    )
    assert filled(lead(declaration=declaration(covers=("p2", "p3", "p4"))), *others).minors == 2
    assert filled(lead(), *others).minors == 0


def test_the_route_gives_the_countries_and_the_site_the_transport() -> None:
    route = Route(departure_country="TR", destination_country="BY", transit=("PL",))
    form = filled(lead(declaration=declaration(route=route, purpose=Purpose.IMPORT, money=(CASH,))))
    assert (form.departure_country, form.destination_country, form.purpose) == ("TR", "BY", Purpose.IMPORT)
    assert form.route is not None and form.route.transport is TransportMode.AIR and form.route.transit == ("PL",)
    by_rail = filled(lead(declaration=declaration(route=Route(transport=TransportMode.RAIL))))
    assert by_rail.route is not None and by_rail.route.transport is TransportMode.RAIL


def hit(category: str | None, relation: Relation) -> RuleHit:
    return RuleHit("CODE", relation, "R-1", "1", "law", category)


def test_only_what_is_known_to_be_declared_ticks_a_box() -> None:
    hits = (
        hit("03", Relation.OVER),
        hit("01", Relation.OVER),
        hit("03", Relation.OVER),
        hit("06", Relation.UNKNOWN),
        hit("10", Relation.PROHIBITED),
        hit(None, Relation.OVER),
    )
    assert [category.value for category in categories(hits)] == ["01", "03", "10"]


def test_the_evaluator_ticks_the_boxes_of_a_stated_basket() -> None:
    items = (
        GoodsItem(kind=GoodsKind.ALCOHOL, quantity=Decimal(4), unit="l"),  # type: ignore[arg-type]
        GoodsItem(kind=GoodsKind.MEDICINES),
        GoodsItem(kind=GoodsKind.CULTURAL, description="an icon"),
    )
    stated = declaration(items=items, money=(CASH,))
    rates = demonstration_rates()
    facts = PersonFacts("p1", 42, "lead", stated)
    answer = evaluate(load_pack("eaeu-by"), Direction.ARRIVAL, TransportMode.AIR, (facts,), rates, rates.date)
    form = filled(lead(declaration=stated), hits=answer.persons["p1"].hits)
    assert [category.value for category in form.categories] == ["01", "03", "04", "06"]


def test_a_birth_in_the_future_is_refused_with_its_place() -> None:
    unborn = PASSPORT.model_copy(update={"birth_date": DAY + datetime.timedelta(days=1)})
    with pytest.raises(ValidationError, match=r"declarant\.birth_date"):
        filled(lead(documents=(unborn,)))
