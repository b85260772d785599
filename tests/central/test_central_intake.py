"""From a signed record to an answer, and the same answer again."""

from __future__ import annotations

from central_scene import Sender, passport, person, record, red_record
from sqlalchemy import select, text

from central.replay import replay, replay_all
from central.service import Central
from central.storage.models import Artifact, SealedPart, StoredReferral
from contracts.decision import Channel, Decision


def decided(response: object) -> Decision:
    assert response.status_code == 200, response.text  # type: ignore[attr-defined]
    return Decision.model_validate_json(response.data)  # type: ignore[attr-defined]


def test_an_ordinary_traveller_is_green(kiosk: Sender) -> None:
    decision = decided(kiosk.sends_record(record()))
    assert decision.channel is Channel.GREEN
    assert decision.persons[0].reasons == ()
    assert decision.desk is None
    assert decision.receipt_number == "0001"
    assert not decision.evidence_wanted


def test_a_red_declaration_goes_to_a_desk(kiosk: Sender, central: Central) -> None:
    decision = decided(kiosk.sends_record(red_record()))
    assert [reason.code for reason in decision.persons[0].reasons] == ["DECLARED_RED"]
    assert decision.desk == "4"
    assert decided(kiosk.sends_record(red_record())).desk == "5", "the less loaded desk"
    with central.storage.read() as session:
        assert len(session.scalars(select(StoredReferral)).all()) == 2


def test_the_same_record_gets_the_same_bytes(kiosk: Sender, central: Central) -> None:
    sent = record()
    first, second = kiosk.sends_record(sent), kiosk.sends_record(sent)
    assert first.data == second.data
    with central.storage.read() as session:
        assert session.execute(text("select count(*) from transactions")).scalar() == 1
        assert session.execute(text("select count(*) from receipts")).scalar() == 1


def test_nothing_personal_lies_in_the_database_in_clear(kiosk: Sender, central: Central) -> None:
    decided(kiosk.sends_record(red_record()))
    central.storage.engine.dispose()
    stored = b"".join(path.read_bytes() for path in central.config.data_dir.glob("central.sqlite*"))
    assert stored
    for personal in (b"LINDEN", b"ANNA MARIA", b"L898902C3", b"1984-08-12", b"0123456789"):
        assert personal not in stored


def test_replay_says_the_same(kiosk: Sender, central: Central) -> None:
    sent = [record(), red_record(), record(person(documents=(passport(expiry_date="2032-04-15", checks=()),)))]
    for one in sent:
        kiosk.sends_record(one)
    assert [one.same for one in replay_all(central)] == [True, True, True]


def test_replay_notices_another_rule_pack(kiosk: Sender, central: Central) -> None:
    """The pack of the day is kept by its hash; without it nothing is decided again, least of all by today's."""
    sent = record()
    kiosk.sends_record(sent)
    with central.storage.write() as session:
        for row in session.scalars(select(Artifact).where(Artifact.kind == "rule_pack")):
            session.delete(row)
    assert replay(central, sent.record_id).same is None


def test_sealed_parts_name_their_suite(kiosk: Sender, central: Central) -> None:
    kiosk.sends_record(record())
    with central.storage.read() as session:
        parts = session.scalars(select(SealedPart)).all()
        assert {part.suite for part in parts} == {"aes-256-gcm"}
        assert {part.retention for part in parts} == {"identity", "biometric", "declaration", "outcome"}
