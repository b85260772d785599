"""The declaration at the desk: printed, given away as a file, corrected as a new version; and who may not."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from central_scene import PASSWORD, Clock
from flask import Flask
from officer_scene import CASH, FIVE_LITRES, OVER_ALCOHOL, WITH_CASH, Console, arrives, joins, record_of
from sqlalchemy import select

from central import amendments, referrals, retention
from central.access.permissions import User
from central.amendments import NotHeld
from central.messages import Catalogue, Words
from central.officer.declaration_form import cash_norm, declaration_page
from central.officer.declaration_pages import corrections
from central.sealing import Erased
from central.service import Central
from central.storage.models import AuditEvent, SealedPart, StoredDeclaration
from contracts.decision import Decision
from contracts.declaration import Declaration, GoodsItem, GoodsKind, TransportMode
from contracts.disposition import Agency
from contracts.events import AuditTag
from declarations.forms.fill import fill
from declarations.forms.serialise import serialisers
from declarations.forms.versions import BrokenRow


@pytest.fixture
def declared(central: Central) -> Decision:
    return arrives(central, replace(OVER_ALCOHOL, money=(CASH,)))


@pytest.fixture
def olga(console: Console) -> Console:
    return console.signs_in("olga")


def page_of(decision: Decision, person: str = "p1") -> str:
    return f"/officer/cases/customs/{decision.record_id}/declarations/{person}"


def tags(central: Central, decision: Decision) -> list[str]:
    with central.storage.read() as reading:
        return list(reading.scalars(select(AuditEvent.tag).where(AuditEvent.record_id == decision.record_id)))


def corrects(olga: Console, decision: Decision, **fields: str) -> int:
    """What a browser sends of the row it shows, with the changes."""
    row = {"item-0-kind": "alcohol", "item-0-quantity": "5", "item-0-unit": "l", "item-0-currency": ""}
    return olga.submits(page_of(decision), **(row | fields)).status_code


# -- printing ---------------------------------------------------------------------------------------------------


def test_the_print_is_a_pdf_that_nothing_keeps(declared: Decision, olga: Console) -> None:
    answer = olga.client.get(f"{page_of(declared)}/1.pdf?language=ru")
    assert answer.status_code == 200 and answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-") and answer.headers["Cache-Control"] == "no-store"


def test_every_print_is_written_down_with_who_and_what(
    declared: Decision, central: Central, olga: Console
) -> None:
    before = tags(central, declared).count(AuditTag.DECLARATION_FORM_PRINTED)
    for suffix in ("pdf", "json", "xml"):
        assert olga.client.get(f"{page_of(declared)}/1.{suffix}").status_code == 200
    assert tags(central, declared).count(AuditTag.DECLARATION_FORM_PRINTED) == before + 3
    with central.storage.read() as reading:
        last = reading.scalars(
            select(AuditEvent)
            .where(AuditEvent.tag == AuditTag.DECLARATION_FORM_PRINTED)
            .order_by(AuditEvent.event_id.desc())
        ).first()
        assert last is not None and last.actor == "olga"
        assert last.detail == {"agency": "customs", "person": "p1", "version": 1, "format": "xml"}


def test_the_files_say_what_was_declared(declared: Decision, olga: Console) -> None:
    form, other = (
        serialiser.read(olga.client.get(f"{page_of(declared)}/1.{suffix}").data)
        for suffix, serialiser in serialisers().items()
    )
    assert form == other
    assert form.reference == declared.record_id and form.items == (FIVE_LITRES,) and form.money == (CASH,)
    assert form.declarant.surname == "ERIKSSON" and form.minors == 1
    assert [category.value for category in form.categories] == ["01", "03"]
    assert form.accompanied_baggage is True and form.unaccompanied_baggage is False


def test_who_may_not_see_the_case_prints_nothing(declared: Decision, central: Central, app: Flask) -> None:
    boris = Console(app).signs_in("boris")  # of the border service, which this case is not of
    for path in (page_of(declared), f"{page_of(declared)}/1.pdf", f"{page_of(declared)}/1.xml"):
        assert boris.client.get(path).status_code == 404
    assert AuditTag.DECLARATION_FORM_PRINTED not in tags(central, declared)


def test_what_is_not_there_is_not_found(declared: Decision, olga: Console) -> None:
    for place in ("p1/2.pdf", "p1/1.doc", "p2/1.pdf", "p9/1.pdf", "p2", "p1/0.xml"):
        path = f"/officer/cases/customs/{declared.record_id}/declarations/{place}"
        assert olga.client.get(path).status_code == 404, place


def test_the_case_leads_to_the_declaration_and_a_blank_form_is_at_hand(declared: Decision, olga: Console) -> None:
    case = olga.sees(f"/officer/cases/customs/{declared.record_id}")
    assert f'href="{page_of(declared)}"' in case and f'href="{page_of(declared, "p2")}"' not in case
    assert "/officer/blank-declaration.pdf" in olga.sees(page_of(declared))
    blank = olga.client.get("/officer/blank-declaration.pdf?language=be")
    assert blank.data.startswith(b"%PDF-")


# -- corrections ------------------------------------------------------------------------------------------------


def test_a_correction_is_a_version_that_counts_once_it_is_signed(
    declared: Decision, central: Central, olga: Console, clock: Clock
) -> None:
    olga.submits(f"/officer/cases/customs/{declared.record_id}/claim")
    assert corrects(olga, declared, **{"item-0-quantity": "4,5", "item-0-description": "wine"}) == 303
    page = olga.sees(page_of(declared))
    assert "Version 2" in page and "not signed by the declarant yet" in page and "15.00 EUR" in page
    clock.advance(minutes=3)
    refused = olga.submits(f"{page_of(declared)}/2/witness")
    assert refused.status_code == 422 and "Say that the declarant has signed" in refused.text
    assert olga.submits(f"{page_of(declared)}/2/witness", signed="yes").status_code == 303
    assert "Signed on paper before Olga" in olga.sees(page_of(declared))
    first, second = (
        serialisers()["json"].read(olga.client.get(f"{page_of(declared)}/{number}.json").data) for number in (1, 2)
    )
    assert first.items == (FIVE_LITRES,), "the first version is as it was"
    assert second.items[0].quantity == Decimal("4.5") and second.items[0].description == "wine"
    assert second.money == (CASH,) and second.version == 2 and second.amends is not None
    assert second.certified_at == clock() and (first.witness, second.witness) == ("", "Olga (olga)")
    with central.storage.read() as reading:
        kept = reading.get_one(StoredDeclaration, (central.config.site_id, declared.record_id, "p1", 2))
        assert (kept.witnessed_by, kept.certified_at) == ("olga", clock())
        (event,) = reading.scalars(
            select(AuditEvent).where(AuditEvent.tag == AuditTag.DECLARATION_VERSION_CERTIFIED)
        )
        assert (event.actor, event.detail["version"], event.at) == ("olga", 2, clock())
    assert AuditTag.DECLARATION_VERSION_ADDED in tags(central, declared)


def test_a_version_is_signed_once_and_only_the_newest(declared: Decision, olga: Console) -> None:
    olga.submits(f"/officer/cases/customs/{declared.record_id}/claim")
    assert olga.submits(f"{page_of(declared)}/1/witness", signed="yes").status_code == 404
    for quantity in ("4", "3.5"):
        assert corrects(olga, declared, **{"item-0-quantity": quantity}) == 303
    assert olga.submits(f"{page_of(declared)}/2/witness", signed="yes").status_code == 404
    assert olga.submits(f"{page_of(declared)}/3/witness", signed="yes").status_code == 303
    assert olga.submits(f"{page_of(declared)}/3/witness", signed="yes").status_code == 404


# What is posted beside the row as it stands, and what the page says to it.
REFUSED: tuple[tuple[dict[str, str], str], ...] = (
    ({"item-0-quantity": "-1"}, "Goods, row 1: Quantity cannot be taken."),
    ({"item-0-quantity": "NaN"}, "Goods, row 1: Quantity cannot be taken."),
    ({"item-0-quantity": "1" * 40}, "Goods, row 1: Quantity cannot be taken."),
    ({"item-0-value": "5"}, "Goods, row 1: Kind cannot be taken."),  # no currency
    ({"item-1-kind": "goods", "item-1-hs_code": "x"}, "Goods, row 2: HS code cannot be taken."),
    ({"item-1-kind": "elephants"}, "Goods, row 2: Kind cannot be taken."),
    ({"money-0-amount": ""}, "Money, row 1: Amount cannot be taken."),
    ({"money-0-origin": "09"}, "Money, row 1: Origin cannot be taken."),
    ({"money-0-currency": "dollars"}, "Money, row 1: Currency cannot be taken."),
    ({"route-departure_country": "Turkey"}, "From (country, two letters) cannot be taken."),
    ({"route-departure_date": "2026-11-21", "route-arrival_date": "2026-11-20"}, "cannot be taken."),
    ({"purpose": "2"}, "cannot be taken."),
    ({}, "Nothing was changed"),
)


def test_what_cannot_be_taken_comes_back_with_its_place(
    declared: Decision, olga: Console, central: Central
) -> None:
    olga.submits(f"/officer/cases/customs/{declared.record_id}/claim")
    row = {"item-0-kind": "alcohol", "item-0-quantity": "5", "item-0-unit": "l"}
    for fields, says in REFUSED:
        answer = olga.submits(page_of(declared), **(row | fields))
        assert answer.status_code == 422 and says in answer.text, fields
        for value in fields.values():
            assert f'value="{value}"' in answer.text or not value or value in ("09", "2", "elephants")
    with central.storage.read() as reading:
        assert list(reading.scalars(select(StoredDeclaration))) == []


def test_only_who_holds_the_open_case_corrects(
    declared: Decision, central: Central, app: Flask, olga: Console
) -> None:
    assert "Only the officer who holds the open case" in olga.sees(page_of(declared))
    assert corrects(olga, declared, **{"item-0-quantity": "4"}) == 409
    petr = Console(app).signs_in("petr")
    petr.submits(f"/officer/cases/customs/{declared.record_id}/claim")
    assert corrects(olga, declared, **{"item-0-quantity": "4"}) == 409
    assert corrects(petr, declared, **{"item-0-quantity": "4"}) == 303
    assert olga.submits(f"{page_of(declared)}/2/witness", signed="yes").status_code == 409
    form = {"outcome": "assess_duty", "reason_code": "A-01", "password": PASSWORD}
    petr.submits(f"/officer/cases/customs/{declared.record_id}/disposition", **form)
    assert corrects(petr, declared, **{"item-0-quantity": "3"}) == 409
    boris = Console(app).signs_in("boris")
    assert corrects(boris, declared, **{"item-0-quantity": "3"}) == 404


def test_the_words_of_versions_are_ciphertext_and_are_erased(
    declared: Decision, central: Central, olga: Console
) -> None:
    olga.submits(f"/officer/cases/customs/{declared.record_id}/claim")
    corrects(olga, declared, **{"item-0-description": "a word that nobody stores in the open"})
    with central.storage.read() as reading:
        kept = [
            part.ciphertext
            for part in reading.scalars(select(SealedPart).where(SealedPart.name.startswith("declaration:")))
        ]
        assert len(kept) == 2 and not any(b"nobody stores" in ciphertext for ciphertext in kept)
    user = _user(central, "olga")
    before = referrals.case(central, user, declared.record_id, Agency.CUSTOMS)
    retention.erase_record(central, declared.record_id)
    with pytest.raises(Erased):
        amendments.versions(central, before, "p1")
    assert olga.client.get(page_of(declared)).status_code == 404


def test_a_version_that_was_taken_out_shows(declared: Decision, central: Central, olga: Console) -> None:
    olga.submits(f"/officer/cases/customs/{declared.record_id}/claim")
    for quantity in ("4", "3"):
        corrects(olga, declared, **{"item-0-quantity": quantity})
    with central.storage.write() as session:
        gone = session.get(StoredDeclaration, (central.config.site_id, declared.record_id, "p1", 2))
        session.delete(gone)
    case = referrals.case(central, _user(central, "olga"), declared.record_id, Agency.CUSTOMS)
    with pytest.raises(BrokenRow):
        amendments.versions(central, case, "p1")
    assert olga.client.get(page_of(declared)).status_code == 500


def test_the_service_itself_asks_who_holds_the_case(declared: Decision, central: Central) -> None:
    joins(central, "olga")
    with pytest.raises(NotHeld):
        amendments.amend(central, _user(central, "olga"), declared.record_id, Agency.CUSTOMS, "p1", items=())


def _user(central: Central, user_id: str) -> User:
    with central.storage.read() as reading:
        return central.users.load(reading, user_id)


# -- the form's rows --------------------------------------------------------------------------------------------


def declaration(**changes: object) -> Declaration:
    common = {"declared_channel": "red", "rule_pack": "p:1", "notice_version": "1", "language": "en"}
    return Declaration.model_validate(common | changes)


def test_rows_that_were_not_posted_stay_and_removed_ones_go() -> None:
    items = tuple(GoodsItem(kind=GoodsKind.GOODS, description=str(number)) for number in range(5))
    changes, rows = corrections(declaration(items=items), {"item-1-remove": "yes", "item-3-description": "other"})
    assert [item["description"] for item in changes["items"]] == ["0", "2", "other", "4"]
    assert [rows["items", index] for index in range(4)] == [1, 3, 4, 5]
    assert "route" not in changes and "purpose" not in changes


def test_another_owner_is_not_the_declarant() -> None:
    changes, _ = corrections(declaration(money=(CASH,)), {"money-0-owner": "Karl Linden"})
    (money,) = changes["money"]
    assert money["owner_is_declarant"] is False and money["owner"] == {"name": "Karl Linden", "address": ""}
    back, _ = corrections(declaration(money=(money,)), {"money-0-owner": "", "money-0-whose": "own"})
    assert back["money"][0]["owner_is_declarant"] is True and back["money"][0]["owner"] is None


def test_somebody_else_s_money_stays_theirs_until_somebody_says_otherwise() -> None:
    unnamed = declaration(money=(CASH.model_copy(update={"owner_is_declarant": False}),))
    as_shown, _ = corrections(unnamed, {"money-0-whose": "other", "money-0-owner": "", "money-0-amount": "11000"})
    (money,) = as_shown["money"]
    assert money["owner_is_declarant"] is False and money["owner"] is None


# -- the sheets -------------------------------------------------------------------------------------------------


def test_the_record_of_a_hall_fills_the_form(central: Central, clock: Clock) -> None:
    record, _ = record_of(central, WITH_CASH, clock())
    person = record.party.persons[0]
    assert person.declaration is not None
    form = fill(record, person, person.declaration, (), transport=TransportMode.AIR, filled_on=clock().date())
    words = Words(Catalogue.load(), "ru", ZoneInfo("Europe/Minsk"))
    page = declaration_page(form, words, cash_norm=cash_norm(central.pack, words))
    assert "10 000 долларов США" in page.replace("\u00a0", " ") and "WEI" in page
    assert json.loads(serialisers()["json"].write(form))["money"][0]["origin"] == "01"
