"""The way to central, over a real socket: signatures, answers, silence, and what is left for later."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageVerifier, algorithms
from http_message_signatures.resolvers import MappingKeyResolver

from contracts.api import DeviceState, Heartbeat
from contracts.errors import ErrorBody, ErrorCode
from contracts.transaction import EvidenceReference
from kiosk.central_client import CentralClient, CentralError
from kiosk.delivery import Delivery
from kiosk.evidence import SealedEvidence
from kiosk.keys import OutboxKey
from kiosk.outbox import Outbox

KEY = Ed25519PrivateKey.generate()
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Central:
    """Answers like central: verifies every signature, remembers every nonce and record."""

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}
        self.evidence: dict[str, bytes] = {}
        self.nonces: list[str] = []
        self.attempts = 0
        self.refuse: ErrorCode | None = None
        self.silent_s = 0.0
        self.drop = False  # take the record, and die before the answer
        self.evidence_wanted = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(central) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                central._take(self)

            do_PUT = do_POST

            def log_message(self, *_: object) -> None:
                return

        return Handler

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.attempts += 1
        self._verify(request, body)
        if self.silent_s:
            time.sleep(self.silent_s)
        if self.refuse is not None:
            return self._answer(request, 422, ErrorBody(code=self.refuse, message="no").model_dump_json())
        if request.path.endswith("/evidence"):
            self.evidence[request.path.split("/")[-2]] = body
            return self._answer(request, 200, "{}")
        record_id = request.headers["Idempotency-Key"]
        assert self.records.setdefault(record_id, body) == body
        if self.drop:
            self.drop = False
            request.close_connection = True
            request.connection.close()
            return None
        return self._answer(request, 200, json.dumps(self._decision(record_id)))

    def _verify(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        message = SimpleNamespace(
            method=request.command, url=self.url + request.path, headers=dict(request.headers), body=body
        )
        verifier = HTTPMessageVerifier(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys={"K-01": KEY.public_key()}, private_keys={}),
        )
        (result,) = verifier.verify(message, max_age=timedelta(seconds=60), body=body)
        covered = set(result.covered_components)
        wanted = {'"@method"', '"@authority"', '"@path"', '"@query"', '"content-digest"', '"content-type"'}
        assert covered >= wanted
        assert ('"idempotency-key"' in covered) == ("Idempotency-Key" in request.headers)
        assert result.parameters["tag"] == "corridor"
        assert result.parameters["nonce"] not in self.nonces
        self.nonces.append(result.parameters["nonce"])

    def _decision(self, record_id: str) -> dict[str, Any]:
        zero = "0" * 64
        return {
            "record_id": record_id,
            "channel": "green",
            "persons": [{"person_id": "p1", "channel": "green"}],
            "receipt": "token",
            "receipt_number": "1234",
            "receipt_expires_at": NOW.isoformat(),
            "evidence_wanted": self.evidence_wanted,
            "decided_at": NOW.isoformat(),
            "versions": {
                "software": "s",
                "contracts": "1.0.0",
                "rule_pack": "p",
                "rule_pack_hash": zero,
                "watch_list_hash": zero,
                "rates_hash": zero,
                "sampling_period": "d",
                "sampling_rate": 0.0,
            },
        }

    @staticmethod
    def _answer(request: BaseHTTPRequestHandler, status: int, body: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # a kiosk that no longer waits
            request.send_response(status)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body.encode())


@pytest.fixture
def central() -> Iterator[Central]:
    central = Central()
    yield central
    central.close()


def client(central: Central, timeout_s: float = 5.0) -> CentralClient:
    return CentralClient(central.url, "K-01", KEY, timeout_s)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.sqlite", OutboxKey(bytes(32), "k1"), "msq")


SEALED = SealedEvidence(
    b"ciphertext", EvidenceReference(suite="s", key_id="k", ciphertext_sha256="0" * 64, size=10)
)


def test_an_answered_record_leaves_the_outbox(central: Central, outbox: Outbox) -> None:
    delivery = Delivery(outbox, client(central))
    decision = delivery.send("r1", b"{}", SEALED)
    assert decision is not None
    assert decision.receipt_number == "1234"
    assert delivery.waiting == 0
    delivery.deliver_due()
    assert central.evidence == {}  # not wanted, so it never left
    delivery.close()


def test_wanted_evidence_follows_as_it_was_sealed(central: Central, outbox: Outbox) -> None:
    central.evidence_wanted = True
    delivery = Delivery(outbox, client(central))
    delivery.send("r1", b"{}", SEALED)
    delivery.deliver_due()
    assert central.evidence == {"r1": b"ciphertext"}
    delivery.deliver_due()
    assert central.attempts == 2
    delivery.close()


def test_evidence_survives_a_restart_before_the_answer(central: Central, tmp_path: Path) -> None:
    central.evidence_wanted = True
    key, path = OutboxKey(bytes(32), "k1"), tmp_path / "outbox.sqlite"
    nobody = CentralClient("http://127.0.0.1:9", "K-01", KEY)
    died = Delivery(Outbox(path, key, "msq"), nobody)
    assert died.send("r1", b"{}", SEALED) is None
    died.close()
    outbox = Outbox(path, key, "msq")
    started = Delivery(outbox, client(central))
    for waiting in outbox.due(time.time() + 600):
        started._attempt(waiting)
    started.deliver_due()
    assert (list(central.records), central.evidence) == (["r1"], {"r1": b"ciphertext"})
    assert outbox.counts() == {}
    started.close()


def test_a_disk_that_takes_nothing_loses_no_answer_and_is_told(central: Central, outbox: Outbox) -> None:
    central.evidence_wanted = True
    delivery = Delivery(outbox, client(central))
    assert delivery.health(NOW).state is DeviceState.WORKING
    outbox._connection.execute("PRAGMA query_only = ON")  # as a full or dying disk
    central.refuse = ErrorCode.INTERNAL
    assert delivery.send("r1", b"{}", SEALED) is None
    assert delivery.waiting == 1
    assert delivery.health(NOW).state is DeviceState.STOPPED
    central.refuse = None
    delivery._unkept_again = 0.0
    delivery.deliver_due()
    delivery.deliver_due()
    assert (list(central.records), central.evidence) == (["r1"], {"r1": b"ciphertext"})
    assert delivery.waiting == 0
    assert delivery.health(NOW).state is DeviceState.STOPPED, "nothing is lost, and the disk is not well"
    outbox._connection.execute("PRAGMA query_only = OFF")
    delivery.deliver_due()
    assert delivery.health(NOW).state is DeviceState.WORKING
    delivery.close()


def test_the_health_counts_what_central_refused_for_good(central: Central, outbox: Outbox) -> None:
    delivery = Delivery(outbox, client(central))
    central.refuse = ErrorCode.RECORD_INVALID
    for number in range(2):
        delivery.send(f"r{number}", b"{}", None)
    health = delivery.health(NOW)
    assert (health.state, health.error) == (DeviceState.WATCH, ErrorCode.RECORD_INVALID)
    assert "2 (RECORD_INVALID)" in health.detail
    delivery.close()


def test_an_answer_lost_on_the_way_is_asked_for_again_with_a_new_nonce(central: Central, outbox: Outbox) -> None:
    central.drop = True
    delivery = Delivery(outbox, client(central))
    assert delivery.send("r1", b"{}", None) is None
    assert delivery.waiting == 1
    assert delivery.send("r1", b"{}", None) is not None
    assert len(set(central.nonces)) == 2
    assert list(central.records) == ["r1"]
    assert delivery.waiting == 0
    delivery.close()


def test_a_slow_central_is_not_waited_for_and_gets_the_record_later(central: Central, outbox: Outbox) -> None:
    central.silent_s = 1.0
    delivery = Delivery(outbox, client(central, timeout_s=0.2))
    assert delivery.send("r1", b"{}", None) is None
    assert delivery.waiting == 1
    central.silent_s = 0.0
    (waiting,) = outbox.due(now=time.time() + 60)
    assert waiting.body == b"{}"
    delivery.close()


@pytest.mark.parametrize(
    ("code", "permanent"),
    [(ErrorCode.RECORD_INVALID, True), (ErrorCode.SIGNATURE_TOO_OLD, False), (ErrorCode.INTERNAL, False)],
)
def test_a_refusal_is_an_error_code(central: Central, code: ErrorCode, permanent: bool) -> None:
    central.refuse = code
    with pytest.raises(CentralError) as caught:
        client(central).send_record("r1", b"{}")
    assert (caught.value.code, caught.value.permanent) == (code, permanent)


def test_nobody_there_is_told_from_nonsense(central: Central) -> None:
    with pytest.raises(CentralError, match="CENTRAL_UNREACHABLE"):
        CentralClient("http://127.0.0.1:9", "K-01", KEY).send_record("r1", b"{}")
    beat = Heartbeat(site_id="msq", kiosk_id="K-01", sent_at=NOW, state="working", software="s")
    with pytest.raises(CentralError, match="INTERNAL"):  # an answer that is no configuration
        client(central).send_heartbeat(beat)
