"""Declarations of fictional people, whole and odd, for the tests of the forms."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import strategies as st

from contracts.base import Contract
from contracts.declaration import (
    GoodsCategory,
    GoodsItem,
    GoodsKind,
    Instrument,
    ItemDocument,
    Manner,
    Money,
    MoneyKind,
    MoneyOrigin,
    MoneyOwner,
    MoneyUse,
    Purpose,
    Route,
    TransportMode,
    Unit,
)
from contracts.party import Direction
from declarations.forms.model import (
    Declarant,
    IdentityPaper,
    PaperKind,
    PassengerDeclaration,
    Representative,
    Vehicle,
)
from declarations.money import currencies

DAY = datetime.date(2026, 11, 21)
AT = datetime.datetime(2026, 11, 21, 9, 14, 5, tzinfo=datetime.UTC)

# Whatever Text allows: every script, both directions, marks, white space, XML's own characters.
_texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\ufffe\uffff\x7f", min_codepoint=0x20), max_size=20
)
_named = _texts.filter(bool)
_amounts = st.decimals(0, 10**12 - 1, places=3) | st.integers(0, 10**12 - 1)
_past = st.dates(datetime.date(1950, 1, 1), DAY)
_any_day = st.dates(datetime.date(2000, 1, 1), datetime.date(2100, 1, 1))
_currency = st.sampled_from(sorted(currencies()))
_countries = st.sampled_from(["BY", "RU", "PL", "TR", "CN"])


def _of(model: type[Contract], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The model with each of the fields given or left out, where it may be."""
    required = {name: fields[name] for name, field in model.model_fields.items() if field.is_required()}
    optional = {name: fields[name] for name in fields if name not in required}
    return st.fixed_dictionaries(required, optional=optional).map(model.model_validate)


_documents = _of(ItemDocument, name=_named, number=_texts, date=_past, issued_by=_texts)
_items = st.fixed_dictionaries(
    {"kind": st.sampled_from(GoodsKind)},
    optional={
        "description": _texts,
        "measure": st.tuples(_amounts, st.sampled_from(Unit)),
        "worth": st.tuples(_amounts, _currency),
        "weight_kg": _amounts,
        "manner": st.sampled_from(Manner),
        "documents": st.lists(_documents, max_size=3).map(tuple),
        "hs_code": st.from_regex(r"[0-9]{4,10}", fullmatch=True),
    },
)


def _item(fields: dict[str, Any]) -> GoodsItem:
    quantity, unit = fields.pop("measure", (None, None))
    value, currency = fields.pop("worth", (None, None))
    return GoodsItem(quantity=quantity, unit=unit, value=value, currency=currency, **fields)


def _money(fields: dict[str, Any]) -> Money:
    if fields["kind"] is not MoneyKind.INSTRUMENT:
        fields.pop("instrument", None)
    return Money(owner_is_declarant="owner" not in fields, **fields)


_monies = st.fixed_dictionaries(
    {"kind": st.sampled_from(MoneyKind), "amount": _amounts, "currency": _currency},
    optional={
        "origin": st.sampled_from(MoneyOrigin),
        "intended_use": st.sampled_from(MoneyUse),
        "owner": _of(MoneyOwner, name=_named, address=_texts),
        "instrument": _of(
            Instrument, name=_named, issuer=_texts, issued=_past, number=_texts, nominal=_amounts,
            pieces=st.integers(1, 100_000),
        ),
    },
).map(_money)  # fmt: skip
_papers = _of(
    IdentityPaper,
    kind=st.sampled_from(PaperKind),
    country=st.sampled_from(["BLR", "D", "UTO"]),
    series=_texts,
    number=_texts,
    issued=_past,
)
_declarants = _of(
    Declarant,
    surname=_texts,
    given_names=_texts,
    patronymic=_texts,
    birth_date=_past,
    document=_papers,
    stay_document=_papers,
    permanent_address=_texts,
    temporary_address=_texts,
)
_vehicles = _of(
    Vehicle,
    kind=st.sampled_from(["road", "vessel", "aircraft", "part"]),
    purpose=st.sampled_from(Purpose),
    relief=st.booleans(),
    make_model=_texts,
    registration=_texts,
    registration_country=_countries,
    vin=st.from_regex(r"[A-HJ-NPR-Z0-9]{17}", fullmatch=True),
    engine_cm3=st.integers(1, 100_000),
    body=_texts,
    chassis=_texts,
    made=_past,
)
_routes = _of(
    Route,
    departure_country=_countries,
    departure_date=st.just(DAY),
    destination_country=_countries,
    arrival_date=st.dates(DAY, datetime.date(2030, 1, 1)),
    transit=st.lists(_countries, max_size=3).map(tuple),
    transport=st.sampled_from(TransportMode),
)
_versions = st.just({}) | st.fixed_dictionaries(
    {"version": st.integers(2, 99), "amends": st.from_regex(r"[0-9a-f]{64}", fullmatch=True)}
)


def forms() -> st.SearchStrategy[PassengerDeclaration]:
    """Any form that the model allows."""
    whole = _of(
        PassengerDeclaration,
        reference=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,10}", fullmatch=True),
        rule_pack=st.just("eaeu-by:2026.11.1"),
        direction=st.sampled_from(Direction),
        filled_on=st.just(DAY),
        declarant=_declarants,
        minors=st.integers(0, 50),
        departure_country=_countries,
        destination_country=_countries,
        accompanied_baggage=st.booleans(),
        unaccompanied_baggage=st.booleans(),
        delivered=st.booleans(),
        purpose=st.sampled_from([purpose for purpose in Purpose if purpose is not Purpose.TEMPORARY_IMPORT]),
        categories=st.lists(st.sampled_from(GoodsCategory), unique=True).map(tuple),
        items=st.lists(_items.map(_item), max_size=4).map(tuple),
        vehicles=st.lists(_vehicles, max_size=2).map(tuple),
        money=st.lists(_monies, max_size=3).map(tuple),
        route=_routes,
        certified_at=st.datetimes(
            datetime.datetime(2000, 1, 1),  # noqa: DTZ001 - the zone is drawn beside
            datetime.datetime(2100, 1, 1),  # noqa: DTZ001
            timezones=st.timezones(),
        ),
        representative=_of(Representative, name=_named, power_of_attorney=_texts, power_issued=_past),
    )
    return st.builds(lambda form, version: form.model_validate(dict(form) | version), whole, _versions)


def full_form(**changes: Any) -> PassengerDeclaration:
    """Every field filled as a traveller would."""
    values: dict[str, Any] = {
        "reference": "7f0e",
        "rule_pack": "eaeu-by:2026.11.1",
        "direction": Direction.ARRIVAL,
        "filled_on": DAY,
        "declarant": Declarant(
            surname="LINDEN",
            given_names="ANNA MARIA",
            birth_date=datetime.date(1984, 8, 12),
            document=IdentityPaper(kind=PaperKind.PASSPORT, country="UTO", number="L898902C3"),
            stay_document=IdentityPaper(kind=PaperKind.VISA, country="BLR", number="V0042"),
            permanent_address="Lindenweg 4, Utopia",
        ),
        "minors": 1,
        "departure_country": "TR",
        "destination_country": "BY",
        "accompanied_baggage": True,
        "unaccompanied_baggage": False,
        "purpose": Purpose.IMPORT,
        "categories": (GoodsCategory.CASH, GoodsCategory.OVER_NORM, GoodsCategory.CONTROLLED_MEDICINES),
        "items": (
            GoodsItem(kind=GoodsKind.ALCOHOL, description="wine, ten bottles", quantity=5, unit=Unit.LITRE),
            GoodsItem(
                kind=GoodsKind.MEDICINES,
                description="tablets <50 mg> & ampoules",
                quantity=40,
                unit=Unit.PIECE,
                documents=(ItemDocument(name="prescription", number="12/7", date=DAY, issued_by="Clinic 3"),),
            ),
            GoodsItem(
                kind=GoodsKind.GOODS,
                description="lens 400 mm, no. 55112",
                value="12000.50",
                currency="EUR",
                weight_kg="3.2",
                hs_code="900211",
            ),
        ),
        "money": (
            Money(
                kind=MoneyKind.CASH,
                amount=12000,
                currency="USD",
                origin=MoneyOrigin.EARNINGS,
                intended_use=MoneyUse.SPENDING,
            ),
            Money(
                kind=MoneyKind.INSTRUMENT,
                amount=5000,
                currency="EUR",
                origin=MoneyOrigin.INHERITANCE,
                intended_use=MoneyUse.PERSONS,
                owner_is_declarant=False,
                owner=MoneyOwner(name="Karl Linden", address="Lindenweg 4"),
                instrument=Instrument(name="bill", issuer="Bank of Utopia", number="B-9", nominal=2500, pieces=2),
            ),
        ),
        "route": Route(
            departure_country="TR",
            departure_date=DAY,
            destination_country="BY",
            arrival_date=DAY,
            transit=("PL",),
            transport=TransportMode.AIR,
        ),
        "certified_at": AT,
    }
    return PassengerDeclaration.model_validate(values | changes)
