"""Receipts at the exit: open once, and never past a referral that is not closed."""

from __future__ import annotations

import json

import pytest
from central_scene import EXIT, PASSWORD, SITE, Clock, Sender, record, red_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from central.access.permissions import User
from central.dispositions import dispose
from central.keys import create_key_file, load_key_file
from central.receipts import InvalidReceipt, Receipt, read_token, write_token
from central.referrals import alarms, claim
from central.service import Central
from central.storage.models import StoredReceipt
from contracts.decision import Decision
from contracts.disposition import Agency, DispositionOutcome


def decision(kiosk: Sender, sent: object) -> Decision:
    return Decision.model_validate_json(kiosk.sends_record(sent).data)  # type: ignore[arg-type]


def test_green_opens_once(kiosk: Sender, exit_gate: Sender) -> None:
    receipt = decision(kiosk, record()).receipt
    assert exit_gate.checks_receipt(receipt) == "open"
    assert exit_gate.checks_receipt(receipt) == "used"


def test_a_lost_answer_is_given_again(kiosk: Sender, exit_gate: Sender) -> None:
    """The gate that did not hear the answer asks again under the same key, and the receipt is not used up."""
    token = decision(kiosk, record()).receipt
    body = json.dumps({"site_id": SITE, "exit_id": EXIT, "token": token}).encode()
    answers = [
        exit_gate.send("POST", "/api/v1/receipts/check", body, idempotency_key="gate-1").data for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["answer"] == "open"
    other = exit_gate.send("POST", "/api/v1/receipts/check", body + b" ", idempotency_key="gate-1")
    assert other.status_code == 409


def test_green_expires(kiosk: Sender, exit_gate: Sender, central: Central, clock: Clock) -> None:
    receipt = decision(kiosk, record()).receipt
    clock.advance(minutes=central.config.receipt_minutes)
    assert exit_gate.checks_receipt(receipt) == "expired"


def test_a_referral_that_is_not_closed_raises_the_alarm(
    kiosk: Sender, exit_gate: Sender, central: Central, officer: User, supervisor: User, clock: Clock
) -> None:
    sent = red_record()
    receipt = decision(kiosk, sent).receipt
    assert exit_gate.checks_receipt(receipt) == "to_desk"
    assert alarms(central, supervisor)[0].exit_alarm_at == clock.now
    claim(central, officer, sent.record_id, Agency.CUSTOMS)
    clock.advance(minutes=50)
    assert exit_gate.checks_receipt(receipt) == "to_desk", "an expired receipt does not hide a referral"
    dispose(
        central,
        officer,
        sent.record_id,
        Agency.CUSTOMS,
        outcome=DispositionOutcome.RELEASE,
        reason_code="R-01",
        password=PASSWORD,
    )
    assert exit_gate.checks_receipt(receipt) == "open", "the control outlasted the receipt, which lives on"
    assert exit_gate.checks_receipt(receipt) == "used"


def test_forged_and_foreign(kiosk: Sender, exit_gate: Sender, central: Central, tmp_path: object) -> None:
    token = decision(kiosk, record()).receipt
    head, payload, signature = token.split(".")
    create_key_file(tmp_path / "other.json", "receipt", demo=True)  # type: ignore[operator]
    other = load_key_file(tmp_path / "other.json", "receipt")  # type: ignore[operator]
    said = read_token(token, central.receipt_keys)
    never_issued = write_token(Receipt("never", "0001", SITE, said.expires_at), central.receipt_keys)
    other_site = write_token(Receipt(said.receipt_id, "0001", "brest-1", said.expires_at), central.receipt_keys)
    swapped = signature[:-2] + ("AA" if not signature.endswith("AA") else "BB")
    for forged in (
        "x",
        f"{head}.{payload}.{swapped}",
        f"{head}.{payload[:-4]}AAAA.{signature}",
        write_token(said, other),
        never_issued,
        other_site,
    ):
        assert exit_gate.checks_receipt(forged) == "unknown"
    assert exit_gate.checks_receipt(token) == "open", "forgeries use nothing up"


def test_the_token_tells_nothing_about_the_traveller(kiosk: Sender, central: Central) -> None:
    sent = red_record()
    token = decision(kiosk, sent).receipt
    said = read_token(token, central.receipt_keys)
    assert sent.record_id not in json.dumps(said.__dict__)
    assert "red" not in json.dumps(said.__dict__)
    with central.storage.read() as session:
        assert session.scalars(select(StoredReceipt)).one().record_id == sent.record_id


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_whatever_is_scanned(central: Central, scanned: str) -> None:
    with pytest.raises(InvalidReceipt):
        read_token(scanned, central.receipt_keys)
