"""What bad requests get: a code, never a traceback, and nothing stored."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from central_scene import EXIT, HOST, KIOSK, SITE, START, Clock, Sender, Signed, record, red_record
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from sqlalchemy import func, select

from central import kiosks
from central.access.permissions import User
from central.api import ENDPOINTS
from central.keys import from_base64url
from central.service import Central
from central.storage.models import Transaction
from contracts.api import Heartbeat, KioskConfiguration
from contracts.canonical import canonical_json
from contracts.errors import ErrorBody, ErrorCode
from contracts.transaction import Provenance
from declarations.packs import PACKS

PATH = "/api/v1/transactions"


def code(response: object) -> str:
    """The error code of a refusal, which has the contract's form and a request id."""
    body = ErrorBody.model_validate_json(response.data)  # type: ignore[attr-defined]
    assert response.status_code >= 400  # type: ignore[attr-defined]
    assert body.request_id == response.headers["X-Request-Id"]  # type: ignore[attr-defined]
    assert "Traceback" not in response.text  # type: ignore[attr-defined]
    return body.code.value


def stored(central: Central) -> int:
    with central.storage.read() as session:
        return session.scalar(select(func.count()).select_from(Transaction)) or 0


@pytest.fixture
def sent(kiosk: Sender) -> Signed:
    """A good request, not yet delivered."""
    one = record()
    return kiosk.sign("POST", PATH, one.model_dump_json().encode(), idempotency_key=one.record_id)


def test_the_good_request_is_taken(kiosk: Sender, sent: Signed) -> None:
    assert kiosk.deliver(sent).status_code == 200


def test_unsigned(kiosk: Sender, sent: Signed, central: Central) -> None:
    for missing in ("Signature", "Signature-Input"):
        headers = {name: value for name, value in sent.headers.items() if name != missing}
        assert code(kiosk.deliver(replace(sent, headers=headers))) == "SIGNATURE_MISSING"
    assert stored(central) == 0


def test_replayed(kiosk: Sender, sent: Signed, central: Central) -> None:
    assert kiosk.deliver(sent).status_code == 200
    assert code(kiosk.deliver(sent)) == "NONCE_REUSED"
    assert stored(central) == 1


def test_replayed_after_a_restart(kiosk: Sender, sent: Signed, central: Central, clock: Clock) -> None:
    from central import create_app
    from central.service import central_of

    assert kiosk.deliver(sent).status_code == 200
    again = create_app(central.config, clock)
    assert code(replace(kiosk, app=again).deliver(sent)) == "NONCE_REUSED"
    central_of(again).close()


def test_altered_body(kiosk: Sender, sent: Signed, central: Central) -> None:
    altered = sent.body.replace(b'"green"', b'"red"')
    assert altered != sent.body
    assert code(kiosk.deliver(replace(sent, body=altered))) == "SIGNATURE_INVALID"
    assert stored(central) == 0


@pytest.mark.parametrize("url", [f"{HOST}{PATH}?x=1", f"{HOST}/api/v1/heartbeats", f"{HOST}/api/v1//transactions"])
def test_altered_url(kiosk: Sender, sent: Signed, url: str, central: Central) -> None:
    assert kiosk.deliver(replace(sent, url=url)).status_code >= 400
    assert stored(central) == 0


def test_altered_headers(kiosk: Sender, sent: Signed) -> None:
    for name, value in (("Idempotency-Key", "other"), ("Content-Type", "text/plain")):
        assert code(kiosk.deliver(replace(sent, headers={**sent.headers, name: value}))) == "SIGNATURE_INVALID"


@pytest.mark.parametrize("age_s", [61, 3600, 23 * 3600, -6, -3600])
def test_too_old_or_of_the_future(kiosk: Sender, age_s: int, central: Central) -> None:
    one = record()
    request = kiosk.sign(
        "POST",
        PATH,
        one.model_dump_json().encode(),
        idempotency_key=one.record_id,
        created=START - timedelta(seconds=age_s),
    )
    assert code(kiosk.deliver(request)) == "SIGNATURE_TOO_OLD"
    assert stored(central) == 0


def test_just_in_time(kiosk: Sender) -> None:
    one = record()
    body = one.model_dump_json().encode()
    request = kiosk.sign("POST", PATH, body, idempotency_key=one.record_id, created=START - timedelta(seconds=60))
    assert kiosk.deliver(request).status_code == 200


def test_weak_coverage(kiosk: Sender, central: Central) -> None:
    """A signature that leaves the body, the path or the idempotency key out says nothing."""
    one = record()
    body = one.model_dump_json().encode()
    for covered in (
        ("@method", "@authority", "@path", "@query"),
        ("@method", "@authority", "content-type", "idempotency-key"),
        ("@method", "@authority", "@path", "content-type"),
    ):
        request = kiosk.sign("POST", PATH, body, idempotency_key=one.record_id, covered=covered)
        assert code(kiosk.deliver(request)) == "SIGNATURE_INVALID"
    assert stored(central) == 0


def test_wrong_tag_and_short_nonce(kiosk: Sender) -> None:
    one = record()
    body = one.model_dump_json().encode()
    for how in ({"tag": "other"}, {"nonce": "short"}):
        request = kiosk.sign("POST", PATH, body, idempotency_key=one.record_id, **how)  # type: ignore[arg-type]
        assert code(kiosk.deliver(request)) == "SIGNATURE_INVALID"


def test_unknown_kiosk(kiosk: Sender, app: Flask, clock: Clock) -> None:
    assert code(Sender(app, clock, "Z9").sends_record(record())) == "KIOSK_UNKNOWN"


def test_anothers_key(kiosk: Sender, app: Flask, clock: Clock) -> None:
    impostor = Sender(app, clock, KIOSK, Ed25519PrivateKey.generate())
    assert code(impostor.sends_record(record())) == "SIGNATURE_INVALID"


def test_a_record_of_another_kiosk_or_site(kiosk: Sender) -> None:
    assert code(kiosk.sends_record(record(kiosk_id="B4"))) == "NOT_ALLOWED"
    assert code(kiosk.sends_record(record(site_id="brest-1"))) == "NOT_ALLOWED"


def test_suspended(kiosk: Sender, central: Central, supervisor: User) -> None:
    kiosks.set_suspended(central, supervisor, KIOSK, suspended=True, reason="camera to be calibrated")
    assert code(kiosk.sends_record(record())) == "KIOSK_SUSPENDED"
    told = KioskConfiguration.model_validate_json(kiosk.send("GET", "/api/v1/configuration").data)
    assert told.suspended, "a suspended kiosk still learns that it is"
    kiosks.set_suspended(central, supervisor, KIOSK, suspended=False, reason="")
    assert kiosk.sends_record(record()).status_code == 200


def test_the_same_number_with_another_body(kiosk: Sender, central: Central) -> None:
    one = record()
    assert kiosk.sends_record(one).status_code == 200
    assert code(kiosk.sends_record(one.model_copy(update={"flight": "B2985"}))) == "IDEMPOTENCY_CONFLICT"
    assert stored(central) == 1


def test_no_idempotency_key(kiosk: Sender) -> None:
    body = record().model_dump_json().encode()
    assert code(kiosk.send("POST", PATH, body)) == "RECORD_INVALID"
    assert code(kiosk.send("POST", PATH, body, idempotency_key="another")) == "RECORD_INVALID"


def test_another_major_version(kiosk: Sender) -> None:
    body = record().model_dump(mode="json") | {"contracts_version": "2.0.0"}
    response = kiosk.send("POST", PATH, json.dumps(body).encode(), idempotency_key=body["record_id"])
    assert code(response) == "CONTRACT_VERSION"


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b"null", b"\xff\xfe", b"{" * 10_000, b"[" * 200_000, b'{"site_id": 1}', b'"' + b"A" * 300_000],
    ids=["empty", "list", "null", "not utf-8", "braces", "deep", "wrong type", "long"],
)
def test_garbage(kiosk: Sender, body: bytes) -> None:
    assert code(kiosk.send("POST", PATH, body, idempotency_key="x")) == "RECORD_INVALID"


def test_a_refusal_does_not_repeat_what_was_sent(kiosk: Sender) -> None:
    body = record().model_dump(mode="json") | {"ERIKSSON ANNA": "L898902C3"}
    response = kiosk.send("POST", PATH, json.dumps(body).encode(), idempotency_key=body["record_id"])
    assert code(response) == "RECORD_INVALID"
    assert "ERIKSSON" not in response.text
    assert "L898902C3" not in response.text


@pytest.mark.parametrize("amount", ["-1", "1e400", "NaN", "Infinity", "9999999999999999", "0.0001", True])
def test_impossible_numbers(kiosk: Sender, amount: object) -> None:
    body = record().model_dump(mode="json")
    item = {"kind": "alcohol", "quantity": amount, "unit": "l"}
    body["party"]["persons"][0]["declaration"]["items"] = [item]
    response = kiosk.send("POST", PATH, json.dumps(body).encode(), idempotency_key=body["record_id"])
    assert code(response) == "RECORD_INVALID"


def test_huge(kiosk: Sender) -> None:
    assert code(kiosk.send("POST", PATH, b" " * (512 * 1024 + 1), idempotency_key="x")) == "RECORD_TOO_LARGE"


def test_production_takes_nothing_of_a_demo_and_a_test_nothing_of_production(kiosk: Sender) -> None:
    sent = record(provenance=Provenance(profile="production", software="corridor-test"))
    assert code(kiosk.sends_record(sent)) == "NOT_ALLOWED"


def test_a_kiosk_is_no_exit_and_an_exit_no_kiosk(kiosk: Sender, exit_gate: Sender) -> None:
    asked = json.dumps({"site_id": SITE, "exit_id": EXIT, "token": "x"}).encode()
    assert code(kiosk.send("POST", "/api/v1/receipts/check", asked, idempotency_key="x")) == "NOT_ALLOWED"
    one = record(kiosk_id=EXIT)
    assert code(exit_gate.sends_record(one)) == "NOT_ALLOWED"


def test_unknown_paths_and_methods(app: Flask) -> None:
    client = app.test_client()
    assert code(client.get("/api/v1/nothing")) == "NOT_FOUND"
    assert code(client.get(PATH)) == "NOT_ALLOWED"
    assert code(client.get("/api/v1/schemas/nothing.json")) == "NOT_FOUND"


def test_the_declaration_is_published_in_json_and_xml(app: Flask) -> None:
    client = app.test_client()
    published = client.get("/api/v1/schemas/passenger-declaration.json")
    assert published.json is not None and published.json["$id"] == "urn:corridor:passenger-declaration:1"
    xml = client.get("/api/v1/schemas/passenger-declaration.xsd")
    assert (
        xml.mimetype == "application/xml" and b'targetNamespace="urn:corridor:passenger-declaration:1"' in xml.data
    )
    assert code(client.get("/api/v1/schemas/transaction-record.xsd")) == "NOT_FOUND"


def test_the_schema_of_a_rule_pack_is_published_and_holds_what_ships(app: Flask) -> None:
    published = app.test_client().get("/api/v1/schemas/rule-pack-layer.json")
    assert published.mimetype == "application/schema+json" and published.json is not None
    assert published.json["$id"] == "urn:corridor:rule-pack-layer:1"
    validator = Draft202012Validator(published.json)
    layer = json.loads((PACKS / "by.json").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(layer)) == []
    assert list(validator.iter_errors(layer | {"rules": [{"id": "X", "unit": "pint"}]})) != []


def test_heartbeats_are_kept_and_answered(kiosk: Sender, central: Central, supervisor: User) -> None:
    heartbeat = Heartbeat(site_id=SITE, kiosk_id=KIOSK, sent_at=START, state="working", software="corridor-1")
    response = kiosk.send("POST", "/api/v1/heartbeats", heartbeat.model_dump_json().encode())
    told = KioskConfiguration.model_validate_json(response.data)
    assert told.rule_pack_hash == central.pack.content_hash
    assert told.evidence_public_key == central.evidence_keys.current.public_text()
    assert kiosks.station(central, supervisor, KIOSK).state == "working"
    kiosk.clock.advance(seconds=46)
    assert kiosks.station(central, supervisor, KIOSK).state == "silent"


def test_the_openapi_document_is_valid_and_whole(app: Flask) -> None:
    response = app.test_client().get("/api/v1/openapi.json")
    assert response.json is not None
    validate(response.json)
    assert response.json["openapi"].startswith("3.1")
    documented = {(method.upper(), path) for path, row in response.json["paths"].items() for method in row}
    assert documented == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


def test_every_code_has_a_status_and_words() -> None:
    from central.api import MESSAGES, STATUS

    assert set(MESSAGES) <= set(STATUS) <= set(ErrorCode)
    assert set(STATUS) - set(MESSAGES) <= {ErrorCode.RATE_LIMITED, ErrorCode.RECEIPT_INVALID}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_whatever_arrives_is_refused_in_order(kiosk: Sender, body: bytes, header: str) -> None:
    headers = {"Signature-Input": header, "Signature": "corridor=:AAAA:", "Content-Type": "application/json"}
    response = kiosk.deliver(Signed("POST", HOST + PATH, headers, body))
    assert response.status_code == 401
    assert code(response) in {"SIGNATURE_MISSING", "SIGNATURE_INVALID", "KIOSK_UNKNOWN"}


def test_a_refused_record_of_a_known_kiosk_is_in_the_audit(kiosk: Sender, central: Central) -> None:
    kiosk.sends_record(red_record(kiosk_id="B4"))
    with central.storage.read() as session:
        tags = [event.tag for event in central.audit.page(session, chain=f"station:{KIOSK}").events]
    assert tags == ["transaction:record:refused"]


def test_a_kiosk_can_tell_that_its_configuration_is_centrals_and_unaltered(
    kiosk: Sender, central: Central
) -> None:
    answer = kiosk.send("GET", "/api/v1/configuration")
    said = KioskConfiguration.model_validate_json(answer.data)
    assert said.signature is not None
    key = Ed25519PublicKey.from_public_bytes(from_base64url(said.receipt_public_key))
    unsigned = said.model_copy(update={"signature": None})
    key.verify(from_base64url(said.signature), canonical_json(unsigned))
    with pytest.raises(InvalidSignature):
        altered = unsigned.model_copy(update={"evidence_public_key": "A" * 43})
        key.verify(from_base64url(said.signature), canonical_json(altered))
