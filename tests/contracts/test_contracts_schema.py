"""The published contracts: stable names, a retention class for every field, and records that survive the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from contracts.base import RetentionClass
from contracts.canonical import canonical_json, content_hash
from contracts.checks import Check, CheckName, Verdict
from contracts.decision import Channel, Decision, PersonOutcome, ReasonClass, ReferralReason, Versions
from contracts.declaration import (
    Declaration,
    DeclaredChannel,
    GoodsItem,
    GoodsKind,
    Money,
    MoneyKind,
    Route,
    Unit,
)
from contracts.events import TAG_GRAMMAR, AuditTag
from contracts.party import Direction, DocumentFormat, Party, Person, TravelDocument
from contracts.publish import PUBLISHED, schema
from contracts.transaction import Provenance, TransactionRecord

NOW = datetime(2026, 11, 21, 14, 32, tzinfo=UTC)


def record(**changes: Any) -> TransactionRecord:
    document = TravelDocument(
        format=DocumentFormat.TD3,
        document_code="P",
        issuer="UTO",
        number="L898902C3",
        checks=tuple(Check(name=name, verdict=Verdict.PASSED, reason="ok") for name in CheckName),
    )
    values: dict[str, Any] = {
        "site_id": "minsk-2",
        "kiosk_id": "B3",
        "record_id": "7f0e",
        "direction": Direction.ARRIVAL,
        "started_at": NOW,
        "completed_at": NOW,
        "party": Party(persons=(Person(person_id="p1", role="lead", documents=(document,)),)),
        "provenance": Provenance(profile="test", software="0.1.0"),
    }
    return TransactionRecord(**(values | changes))


def test_check_names_are_the_fixed_ones() -> None:
    names = (
        "mrz_read mrz_check_digits mrz_expiry mrz_viz mrz_infrared page_ultraviolet page_portrait access "
        "cardaccess_dg14 sod_signature ds_chain ds_validity revocation dg_hashes com_sod dg1_mrz issuer_country "
        "active_authentication chip_authentication face_match face_quality presentation_attack bag_tag bag_weight"
    )
    assert " ".join(CheckName) == names


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_schema_is_valid(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


def test_a_record_passes_its_own_schema_and_survives_the_wire() -> None:
    before = record()
    wire = before.model_dump_json()
    Draft202012Validator(schema("transaction-record")).validate(json.loads(wire))
    assert TransactionRecord.model_validate_json(wire) == before


PERSONAL = {
    "TravelDocument",
    "PageReading",
    "FaceResult",
    "Bag",
    "Person",
    "Declaration",
    "GoodsItem",
    "Money",
    "MoneyOwner",
    "Instrument",
    "ItemDocument",
    "Route",
    "Check",
}


def test_every_personal_field_names_its_retention_class() -> None:
    definitions: dict[str, Any] = schema("transaction-record")["$defs"]  # type: ignore[assignment]
    classes = set(RetentionClass)
    for model in PERSONAL:
        for name, field in definitions[model]["properties"].items():
            assert field.get("x-retention") in classes, f"{model}.{name} has no retention class"


def test_audit_tags_follow_their_grammar() -> None:
    for tag in AuditTag:
        assert TAG_GRAMMAR.match(tag), tag


def test_canonical_bytes_do_not_depend_on_how_the_record_came() -> None:
    one = record(step_seconds={"page": 1.25, "chip": 0.5})
    other = TransactionRecord.model_validate_json(
        record(step_seconds={"chip": 0.5, "page": 1.25}).model_dump_json()
    )
    assert canonical_json(one) == canonical_json(other)
    assert content_hash(one) != content_hash(record())


def test_unknown_fields_are_refused() -> None:
    values = json.loads(record().model_dump_json()) | {"guilty": True}
    with pytest.raises(ValidationError):
        TransactionRecord.model_validate(values)


@pytest.mark.parametrize("number", ["-1", "NaN", "Infinity", "1e40", "1" * 40, "0.0001"])
def test_impossible_numbers_are_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        Money(kind=MoneyKind.CASH, amount=number, currency="USD")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        GoodsItem(kind=GoodsKind.ALCOHOL, quantity=number, unit=Unit.LITRE)  # type: ignore[arg-type]


def test_a_declaration_holds_at_most_five_hundred_items() -> None:
    item = GoodsItem(kind=GoodsKind.MEDICINES)
    common = {"declared_channel": DeclaredChannel.RED, "rule_pack": "p:1", "notice_version": "1", "language": "en"}
    Declaration(items=(item,) * 500, **common)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Declaration(items=(item,) * 501, **common)  # type: ignore[arg-type]


def test_a_declaration_says_what_it_amends_and_what_it_is_for() -> None:
    common = {"declared_channel": "red", "rule_pack": "p:1", "notice_version": "1", "language": "en"}
    first = Declaration.model_validate(common)
    Declaration.model_validate(common | {"version": 2, "amends": content_hash(first)})
    for wrong in ({"version": 2}, {"amends": "0" * 64}, {"purpose": "2"}):
        with pytest.raises(ValidationError):
            Declaration.model_validate(common | wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "09"},
        {"intended_use": "05"},
        {"owner": {"name": "Somebody"}},  # but the money is said to be the declarant's
        {"instrument": {"name": "bill"}},  # of cash
        {"owner_is_declarant": False, "owner": {"name": ""}},
    ],
)
def test_money_keeps_to_the_lists_of_the_annex(wrong: dict[str, Any]) -> None:
    money = {"kind": "cash", "amount": "12000", "currency": "USD", "origin": "08", "intended_use": "99"}
    Money.model_validate(money)
    with pytest.raises(ValidationError):
        Money.model_validate(money | wrong)


def test_money_does_not_arrive_before_it_leaves() -> None:
    Route.model_validate({"departure_date": "2026-11-20", "arrival_date": "2026-11-20", "transit": ["PL"]})
    with pytest.raises(ValidationError):
        Route.model_validate({"departure_date": "2026-11-21", "arrival_date": "2026-11-20"})


def reason() -> ReferralReason:
    return ReferralReason(code="RANDOM_SAMPLE", reason_class=ReasonClass.RANDOM)


@given(red=st.lists(st.booleans(), min_size=1, max_size=5), channel=st.sampled_from(Channel), desk=st.booleans())
def test_a_party_is_green_only_when_everybody_is(red: list[bool], channel: Channel, desk: bool) -> None:
    persons = tuple(
        PersonOutcome(
            person_id=f"p{number}",
            channel=Channel.RED if is_red else Channel.GREEN,
            reasons=(reason(),) if is_red else (),
        )
        for number, is_red in enumerate(red, start=1)
    )

    def decision() -> Decision:
        return Decision(
            record_id="r",
            channel=channel,
            persons=persons,
            desk="4" if desk else None,
            receipt="token",
            receipt_number="1234",
            receipt_expires_at=NOW,
            decided_at=NOW,
            versions=Versions(
                software="1",
                contracts="1",
                rule_pack="p",
                rule_pack_hash="0" * 64,
                watch_list_hash="0" * 64,
                rates_hash="0" * 64,
                sampling_period="2026-11-21",
                sampling_rate=0.02,
            ),
        )

    sound = (channel is Channel.RED) == any(red) and (desk or not any(red))
    if sound:
        assert decision().channel is channel
    else:
        with pytest.raises(ValidationError):
            decision()


def test_a_referral_always_says_why() -> None:
    with pytest.raises(ValidationError):
        PersonOutcome(person_id="p1", channel=Channel.RED)
    with pytest.raises(ValidationError):
        PersonOutcome(person_id="p1", channel=Channel.GREEN, reasons=(reason(),))


def test_a_party_has_one_lead_and_known_guardians() -> None:
    lead = Person(person_id="p1", role="lead")
    with pytest.raises(ValidationError):
        Party(persons=(lead, Person(person_id="p1", role="adult")))
    with pytest.raises(ValidationError):
        Party(persons=(Person(person_id="p1", role="adult"),))
    with pytest.raises(ValidationError):
        Party(persons=(lead, Person(person_id="p2", role="minor", guardian="p9")))
