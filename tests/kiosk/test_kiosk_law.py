"""Which law a kiosk goes by: its own, then what central says; it changes at midnight, also without a link."""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.api import DeviceState, KioskConfiguration, LawBundle, PackInForce
from contracts.canonical import canonical_json, content_hash
from contracts.errors import ErrorCode
from contracts.transaction import TransactionRecord
from declarations.money import Rates, demonstration_rates
from declarations.packs import RulePack, load_pack
from kiosk import journey
from kiosk.assembly import assemble
from kiosk.central_client import CentralError
from kiosk.central_key import CentralKey
from kiosk.config import load_config
from kiosk.keys import create_keys
from kiosk.law import FILE_NAME, Law, LawKeeper

MINSK = ZoneInfo("Europe/Minsk")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=MINSK)
MIDNIGHT = datetime(2026, 11, 22, 0, 0, tzinfo=MINSK)
CENTRAL, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PACK, LATER = load_pack("eaeu-by"), load_pack("eaeu")
OWN = Law(load_pack("eaeu-by"), load_pack("eaeu-by").content_hash, demonstration_rates())
RATES = tuple(
    Rates(base="BYN", date=date(2026, 11, day), source="National Bank", rates={"EUR": "3.4", "USD": "3.1"})
    for day in (21, 22)
)


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def entry(pack: RulePack, begins: datetime) -> PackInForce:
    return PackInForce(sha256=pack.content_hash, effective_at=begins, content=canonical_json(pack).decode())


def bundle(version: int, *, key: Ed25519PrivateKey = CENTRAL, **changes: Any) -> LawBundle:
    made = LawBundle(
        site_id="minsk-2",
        version=version,
        packs=(entry(PACK, NOW - timedelta(days=9)), entry(LATER, MIDNIGHT)),
        rates=tuple(canonical_json(one).decode() for one in RATES),
    ).model_copy(update=changes)
    return made.model_copy(update={"signature": text(key.sign(canonical_json(made)))})


@dataclass
class Central:
    """What central would say and give; counts how often it was asked."""

    gives: LawBundle | None = None
    asked: int = 0

    def fetch(self) -> LawBundle:
        self.asked += 1
        if self.gives is None:
            raise CentralError(ErrorCode.CENTRAL_UNREACHABLE)
        return self.gives

    def says(self, version: int | None = None) -> KioskConfiguration:
        unsigned = None if self.gives is None else self.gives.model_copy(update={"signature": None})
        return KioskConfiguration(
            rule_pack="p",
            rule_pack_hash="0" * 64,
            evidence_suite="s",
            evidence_key_id="k",
            evidence_public_key=text(bytes(32)),
            receipt_public_key=text(CENTRAL.public_key().public_bytes_raw()),
            server_time=NOW,
            law_version=version if version is not None else (self.gives.version if self.gives else 0),
            law_sha256=None if unsigned is None else content_hash(unsigned),
        )


def keeper(directory: Path, central: Central, *, production: bool = False) -> LawKeeper:
    key = CentralKey(directory, text(CENTRAL.public_key().public_bytes_raw()))
    return LawKeeper(directory, "minsk-2", OWN, key, central.fetch, production=production)


def test_its_own_until_central_says_and_then_over_restarts(tmp_path: Path) -> None:
    central = Central()
    kiosk = keeper(tmp_path, central)
    kiosk.follow(central.says())
    assert (kiosk.at(NOW), kiosk.version, central.asked) == (OWN, 0, 0)
    central.gives = bundle(3)
    kiosk.follow(central.says())
    kiosk.follow(central.says())
    assert (kiosk.version, central.asked) == (3, 1)
    assert kiosk.at(NOW) == Law(PACK, PACK.content_hash, RATES[0])
    assert kiosk.health(NOW).state is DeviceState.WORKING
    again = keeper(tmp_path, central)
    assert (again.at(NOW), again.version, central.asked) == (kiosk.at(NOW), 3, 1)


def test_midnight_comes_without_a_link(tmp_path: Path) -> None:
    central = Central(bundle(3))
    kiosk = keeper(tmp_path, central)
    kiosk.follow(central.says())
    central.gives = None
    assert kiosk.at(MIDNIGHT - timedelta(microseconds=1)).pack == PACK
    assert kiosk.at(MIDNIGHT) == Law(LATER, LATER.content_hash, RATES[1])
    assert kiosk.at(NOW - timedelta(days=90)) == Law(PACK, PACK.content_hash, None)  # a clock that is far behind
    assert kiosk.at(NOW.astimezone(UTC).astimezone(MINSK)).rates == RATES[0]


def damaged(pack: RulePack) -> PackInForce:
    said = json.loads(canonical_json(pack)) | {"a_field_of_later_software": 1}
    content = json.dumps(said)
    return PackInForce(sha256=hashlib.sha256(content.encode()).hexdigest(), effective_at=NOW, content=content)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (lambda: bundle(2, key=STRANGER), "signature_invalid"),
        (lambda: bundle(2).model_copy(update={"signature": None}), "signature_invalid"),
        (lambda: bundle(2, site_id="riga-1"), "of_another_site"),
        (lambda: bundle(2, packs=(damaged(PACK),)), "malformed"),
        (lambda: bundle(2, packs=(entry(PACK, NOW).model_copy(update={"sha256": "0" * 64}),)), "malformed"),
        (lambda: bundle(2, rates=("{}",)), "malformed"),
    ],
    ids=["stranger", "unsigned", "other_site", "later_software", "other_hash", "rates"],
)
def test_what_is_not_to_be_believed_changes_nothing(
    tmp_path: Path, given: Callable[[], LawBundle], problem: str
) -> None:
    central = Central(given())
    kiosk = keeper(tmp_path, central)
    kiosk.follow(central.says())
    assert (kiosk.at(NOW), kiosk.version) == (OWN, 0)
    assert problem in kiosk.health(NOW).detail
    assert kiosk.health(NOW).state is DeviceState.WATCH
    assert not (tmp_path / FILE_NAME).exists()


def test_another_bundle_than_the_one_that_was_named(tmp_path: Path) -> None:
    central = Central(bundle(2))
    said = central.says()
    central.gives = bundle(2, rates=())
    kiosk = keeper(tmp_path, central)
    kiosk.follow(said)
    assert (kiosk.version, "not_what_was_named" in kiosk.health(NOW).detail) == (0, True)


def test_never_back_to_an_older_one_and_away_is_asked_again(tmp_path: Path) -> None:
    central = Central()
    kiosk = keeper(tmp_path, central)
    kiosk.follow(central.says(version=1))
    assert (kiosk.version, "not_fetched" in kiosk.health(NOW).detail) == (0, True)
    central.gives = bundle(5)
    kiosk.follow(central.says())
    central.gives = bundle(4)
    kiosk.follow(central.says())
    assert (kiosk.version, central.asked) == (5, 2)
    assert "central_is_behind" in kiosk.health(NOW).detail


def test_production_takes_no_demonstration_rates(tmp_path: Path) -> None:
    central = Central(bundle(1, rates=(canonical_json(demonstration_rates()).decode(),)))
    kiosk = keeper(tmp_path, central, production=True)
    kiosk.follow(central.says())
    assert (kiosk.version, "demonstration" in kiosk.health(NOW).detail) == (0, True)


@pytest.mark.parametrize(
    "spoil", [lambda kept: kept[:-40], lambda kept: kept.replace(b'"version":1', b'"version":9', 1)]
)
def test_a_kept_file_that_somebody_changed_is_not_used(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    central = Central(bundle(1))
    keeper(tmp_path, central).follow(central.says())
    path = tmp_path / FILE_NAME
    path.write_bytes(spoil(path.read_bytes()))
    kiosk = keeper(tmp_path, central)
    assert (kiosk.at(NOW), kiosk.version, kiosk.health(NOW).state) == (OWN, 0, DeviceState.WATCH)
    kiosk.follow(central.says())  # and it is had again
    assert (kiosk.version, kiosk.health(NOW).state) == (1, DeviceState.WORKING)


# --- at a whole kiosk ---------------------------------------------------------------------------------------

TEXT = """
profile = "test"
site_id = "minsk-2"
site_name = "Minsk 2"
kiosk_id = "B3"
data_dir = "data"
central_url = "http://127.0.0.1:{port}"
central_key = "{key}"
signing_key_file = "signing.pem"
outbox_key_file = "outbox.key"
trust_dir = "trust"
[devices]
speaker = "null:"
"""


@pytest.fixture
def received() -> Iterator[tuple[int, queue.SimpleQueue[bytes]]]:
    """A central on loopback that hands on what it gets and answers nothing of use: its port, and the bodies."""
    bodies: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(503)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_session_over_midnight_names_the_law_it_began_with(
    tmp_path: Path, received: tuple[int, queue.SimpleQueue[bytes]]
) -> None:
    port, bodies = received
    create_keys(tmp_path, demonstration=True)
    (tmp_path / "trust").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE_NAME).write_text(bundle(3).model_dump_json())
    key = text(CENTRAL.public_key().public_bytes_raw())
    (tmp_path / "kiosk.toml").write_text(TEXT.format(port=port, key=key))
    config = load_config(tmp_path / "kiosk.toml")
    for number, began, expected in (
        ("r-1", MIDNIGHT - timedelta(minutes=1), PACK),
        ("r-2", MIDNIGHT + timedelta(seconds=1), LATER),
    ):
        conductor = assemble(config)  # not started: nothing happens but what the test says
        try:
            conductor.handle(journey.Started(began, number, "en"))
            conductor.handle(journey.OfficerAsked(MIDNIGHT + timedelta(minutes=2), number))
            record = TransactionRecord.model_validate_json(bodies.get(timeout=60))
        finally:
            conductor.close()
        assert (record.record_id, record.started_at) == (number, began)
        assert record.provenance.rule_pack_sha256 == expected.content_hash
