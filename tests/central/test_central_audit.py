"""The chains: they show what was altered, and they stay whole when data is erased."""

from __future__ import annotations

from datetime import timedelta

import pytest
from central_scene import Clock, Sender, record, red_record
from sqlalchemy import select, text

from central import retention
from central.access.permissions import User
from central.referrals import case
from central.replay import replay, replay_all
from central.sealing import Erased
from central.service import Central
from central.storage.models import AuditEvent, DataKey, DocumentIndex, Erasure, SealedPart
from contracts.disposition import Agency
from contracts.transaction import TransactionRecord


def broken(central: Central) -> list[str]:
    with central.storage.read() as session:
        reports = central.audit.verify(session)
    assert reports
    return [f"{report.chain} {report.broken_at} {report.reason}" for report in reports if not report.intact]


def change(central: Central, statement: str) -> None:
    with central.storage.write() as session:
        result = session.execute(text(statement))
        assert result.rowcount > 0  # type: ignore[attr-defined]


@pytest.fixture
def lived(kiosk: Sender, central: Central) -> Central:
    for sent in (record(), red_record(), record()):
        kiosk.sends_record(sent)
    return central


def test_whole_chains_verify(lived: Central) -> None:
    assert broken(lived) == []
    with lived.storage.read() as session:
        chains = {report.chain: report.length for report in lived.audit.verify(session)}
    assert chains["station:B3"] == 9


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("update audit_events set actor = 'olga' where sequence = 2 and chain = 'station:B3'", "altered"),
        ("update audit_events set payload_sha256 = '0' where sequence = 4 and chain = 'station:B3'", "altered"),
        ("update audit_events set at = at + 1 where sequence = 1 and chain = 'station:B3'", "altered"),
        ("delete from audit_events where sequence = 5 and chain = 'station:B3'", "missing"),
        ("delete from audit_events where sequence > 6 and chain = 'station:B3'", "cut"),
        ("delete from audit_events where chain = 'station:B3'", "cut"),
        ("delete from audit_heads where chain = 'station:B3'", "cut"),
        ("update audit_heads set signature = 'AAAA' where chain = 'station:B3'", "signature"),
    ],
)
def test_tampering_shows(lived: Central, statement: str, reason: str) -> None:
    change(lived, statement)
    found = broken(lived)
    assert len(found) == 1
    assert reason in found[0]


def test_a_cut_tail_with_a_matching_head_lacks_its_signature(lived: Central) -> None:
    change(lived, "delete from audit_events where chain = 'station:B3' and sequence > 6")
    change(
        lived,
        "update audit_heads set sequence = 6, hash = (select hash from audit_events where chain = 'station:B3' "
        "and sequence = 6) where chain = 'station:B3'",
    )
    assert "signature" in broken(lived)[0]


def test_event_ids_grow_even_when_the_clock_stands(lived: Central) -> None:
    with lived.storage.read() as session:
        ids = session.scalars(select(AuditEvent.event_id)).all()
    assert len(ids) == len(set(ids))


def test_erasure_leaves_the_chains_whole(lived: Central, clock: Clock, officer: User) -> None:
    with lived.storage.read() as session:
        red = session.execute(text("select record_id from transactions where channel = 'red'")).scalar_one()
    clock.advance(days=lived.config.retention.biometric, seconds=1)
    assert retention.run(lived).erased == {"biometric": 3}
    assert broken(lived) == []
    with lived.storage.read() as session, pytest.raises(Erased):
        lived.envelope.open_model(session, red, "record", TransactionRecord)
    seen = case(lived, officer, red, Agency.CUSTOMS)
    assert seen.record is None
    assert seen.decision is not None, "the outcome's class lives longer"
    assert seen.erased == ("record",)
    assert replay(lived, red).same is None
    assert retention.run(lived).total == 0


def test_each_class_has_its_time_and_a_proof(lived: Central, clock: Clock) -> None:
    clock.advance(days=365 * 6)
    assert retention.run(lived).erased == {"biometric": 3, "identity": 3, "declaration": 3, "outcome": 3}
    assert broken(lived) == []
    with lived.storage.read() as session:
        assert session.scalars(select(DataKey)).all() == []
        assert session.scalars(select(DocumentIndex)).all() == []
        proofs = session.scalars(select(Erasure)).all()
        assert len(proofs) == 12
        for proof in proofs:
            event = session.scalars(select(AuditEvent).where(AuditEvent.event_id == proof.event_id)).one()
            assert event.payload_sha256 == proof.ciphertext_sha256
    assert [one.same for one in replay_all(lived)] == [None, None, None]


def test_a_ciphertext_cannot_be_moved(lived: Central) -> None:
    with lived.storage.write() as session:
        parts = session.scalars(select(SealedPart).where(SealedPart.name == "record:identity")).all()
        parts[0].ciphertext, parts[1].ciphertext = parts[1].ciphertext, parts[0].ciphertext
        with pytest.raises(ValueError, match="does not open"):
            lived.envelope.open_model(session, parts[0].record_id, "record", TransactionRecord)


def test_document_numbers_are_found_blindly(lived: Central) -> None:
    with lived.storage.read() as session:
        blind = lived.envelope.blind("UTO", "L898902C3")
        assert len(session.scalars(select(DocumentIndex).where(DocumentIndex.blind == blind)).all()) == 3
        assert lived.envelope.blind("UTO", "L898902C4") != blind


def test_one_record_is_erased_on_request(lived: Central) -> None:
    with lived.storage.read() as session:
        record_id = session.execute(text("select record_id from transactions limit 1")).scalar_one()
    assert retention.erase_record(lived, record_id).total == 4
    with pytest.raises(LookupError):
        retention.erase_record(lived, record_id)
    assert broken(lived) == []


def test_a_retry_after_erasure_is_no_new_record(kiosk: Sender, central: Central, clock: Clock) -> None:
    sent = record()
    kiosk.sends_record(sent)
    clock.advance(days=365 * 6)
    retention.run(central)
    response = kiosk.sends_record(sent)
    assert response.status_code == 410
    with central.storage.read() as session:
        assert session.execute(text("select count(*) from transactions")).scalar() == 1


def test_stale_clock_differences_do_not_reorder(central: Central, clock: Clock) -> None:
    with central.storage.read() as session:
        before = central.audit.last_id(session)
    clock.now -= timedelta(hours=1)
    from central.audit import SERVICE
    from contracts.events import AuditTag

    with central.storage.write() as session:
        event = central.audit.append(
            session, chain=SERVICE, tag=AuditTag.AUDIT_CHAIN_VERIFIED, actor="test", now=clock()
        )
    assert event.event_id > before
