"""A central service of one's own, a kiosk that signs, and records that would be green if nothing were wrong."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from http_message_signatures import HTTPMessageSigner, algorithms
from http_message_signatures.resolvers import MappingKeyResolver
from werkzeug.test import TestResponse

from central import kiosks
from central.access.permissions import Role, User
from central.config import CentralConfig
from central.keys import base64url, create_key_file
from central.service import Central
from contracts.checks import BAG_CHECKS, DOCUMENT_CHECKS, FACE_CHECKS, Check, CheckName, Verdict
from contracts.declaration import Declaration, DeclaredChannel
from contracts.disposition import Agency
from contracts.party import (
    Bag,
    Direction,
    DocumentFormat,
    FaceDecision,
    FaceResult,
    NameSource,
    Party,
    Person,
    TravelDocument,
)
from contracts.transaction import Provenance, TransactionRecord
from declarations.packs import load_pack

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SITE, KIOSK, EXIT = "minsk-2", "B3", "E1"
HOST = "http://127.0.0.1:8600"
NOT_IN_THIS_RELEASE = (CheckName.CARDACCESS_DG14, CheckName.CHIP_AUTHENTICATION)


@dataclass
class Clock:
    """The time of a test: it moves when it is told to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class Signed:
    """What a station sends: an URL, headers and a body, signed or deliberately not quite."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Sender:
    """A kiosk or exit with its key, speaking to the application as over the wire."""

    app: Flask
    clock: Clock
    station_id: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> str:
        return base64url(self.key.public_key().public_bytes_raw())

    def sign(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        idempotency_key: str | None = None,
        created: datetime | None = None,
        nonce: str | None = None,
        content_type: str = "application/json",
        covered: tuple[str, ...] | None = None,
        tag: str = "corridor",
    ) -> Signed:
        request = Signed(method, HOST + path, {"Host": HOST.removeprefix("http://")}, body)
        components = ["@method", "@authority", "@path", "@query"]
        if body:
            request.headers["Content-Type"] = content_type
            components += ["content-type", "content-digest"]
        if idempotency_key is not None:
            request.headers["Idempotency-Key"] = idempotency_key
            components.append("idempotency-key")
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={self.station_id: self.key}),
        )
        signer.sign(
            request,
            key_id=self.station_id,
            created=created or self.clock(),
            nonce=nonce or secrets.token_urlsafe(24),
            tag=tag,
            label="corridor",
            covered_component_ids=covered or tuple(components),
            body=body if body and covered is None else None,
        )
        return request

    def deliver(self, request: Signed) -> TestResponse:
        path = request.url.removeprefix(HOST)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        return self.app.test_client().open(
            path,
            method=request.method,
            base_url=HOST,
            data=request.body or None,
            headers=headers,
            environ_overrides={"RAW_URI": path, "REQUEST_URI": path},
        )

    def send(self, method: str, path: str, body: bytes = b"", **how: Any) -> TestResponse:
        return self.deliver(self.sign(method, path, body, **how))

    def sends_record(self, record: TransactionRecord) -> TestResponse:
        return self.send(
            "POST",
            "/api/v1/transactions",
            record.model_dump_json().encode(),
            idempotency_key=record.record_id,
        )

    def checks_receipt(self, token: str) -> str:
        """The exit's answer in one word."""
        body = {"site_id": SITE, "exit_id": self.station_id, "token": token}
        response = self.send(
            "POST", "/api/v1/receipts/check", json.dumps(body).encode(), idempotency_key=secrets.token_hex(8)
        )
        assert response.status_code == 200, response.text
        assert response.json is not None
        return str(response.json["answer"])


MakeConfig = Callable[..., CentralConfig]


def write_config(directory: Path, **changes: Any) -> CentralConfig:
    """A configuration with fresh keys in `directory`; the sample draws nobody unless told otherwise."""
    values: dict[str, Any] = {
        "profile": "test",
        "site_id": SITE,
        "site_name": "Minsk 2",
        "data_dir": directory,
        "sampling_rate": 0.0,
        "sampling_floor": 0.0,
        "sampling_rotation": "none",
    }
    for purpose in ("master", "receipt", "evidence", "session", "sampling"):
        name = {"session": "session_secret_file", "sampling": "sampling_seed_file"}.get(
            purpose, f"{purpose}_key_file"
        )
        path = directory / "keys" / f"{purpose}.json"
        if not path.exists():
            create_key_file(path, purpose, demo=True)  # type: ignore[arg-type]
        values[name] = path
    return CentralConfig.model_validate(values | changes)


def enrolled(app: Flask, central: Central, clock: Clock, station_id: str, kind: Any) -> Sender:
    sender = Sender(app, clock, station_id)
    kiosks.enroll(central, station_id=station_id, kind=kind, public_key=sender.public_key, by="test", demo=True)
    return sender


PASSWORD = "a long enough password"


def add_user(central: Central, user_id: str, *grants: tuple[Role, Agency]) -> User:
    with central.storage.write() as session:
        return central.users.create(
            session,
            user_id=user_id,
            name=user_id.title(),
            password=PASSWORD,
            grants=grants,
            by="test",
            now=central.clock(),
        )


# --- records ------------------------------------------------------------------------------------------------


def passed(*names: CheckName) -> tuple[Check, ...]:
    return tuple(
        Check(name=name, verdict=Verdict.NOT_CHECKED, reason="not_in_this_release")
        if name in NOT_IN_THIS_RELEASE
        else Check(name=name, verdict=Verdict.PASSED, reason="ok")
        for name in names
    )


def passport(**changes: Any) -> TravelDocument:
    values: dict[str, Any] = {
        "format": DocumentFormat.TD3,
        "document_code": "P",
        "issuer": "UTO",
        "number": "L898902C3",
        "nationality": "UTO",
        "surname": "LINDEN",
        "given_names": "ANNA MARIA",
        "name_source": NameSource.DG1,
        "birth_date": date(1984, 8, 12),
        "sex": "F",
        "expiry_date": date(2032, 4, 15),
        "has_chip": True,
        "checks": passed(*DOCUMENT_CHECKS),
    }
    return TravelDocument.model_validate(values | changes)


def declaration(**changes: Any) -> Declaration:
    values: dict[str, Any] = {
        "declared_channel": DeclaredChannel.GREEN,
        "unaccompanied_baggage": False,
        "rule_pack": load_pack("eaeu-by").label,
        "notice_version": "1",
        "language": "en",
        "certified_at": START,
    }
    return Declaration.model_validate(values | changes)


def person(**changes: Any) -> Person:
    values: dict[str, Any] = {
        "person_id": "p1",
        "role": "lead",
        "documents": (passport(),),
        "face": FaceResult(decision=FaceDecision.MATCH, score=0.7, tries=1, checks=passed(*FACE_CHECKS)),
        "bags": (Bag(tag="0123456789", weight_kg=18.4, checks=passed(*BAG_CHECKS)),),
        "declaration": declaration(),
    }
    return Person.model_validate(values | changes)


def record(*persons: Person, **changes: Any) -> TransactionRecord:
    """A record that is green when its persons are as `person()` makes them."""
    values: dict[str, Any] = {
        "site_id": SITE,
        "kiosk_id": KIOSK,
        "record_id": f"r-{secrets.token_hex(8)}",
        "direction": Direction.ARRIVAL,
        "flight": "B2984",
        "started_at": START - timedelta(minutes=2),
        "completed_at": START,
        "party": Party(persons=persons or (person(),)),
        "provenance": Provenance(profile="test", software="corridor-test"),
        "step_seconds": {"page": 0.4, "chip": 2.1, "total": 6.2},
    }
    return TransactionRecord.model_validate(values | changes)


def red_record(**changes: Any) -> TransactionRecord:
    return record(person(declaration=declaration(declared_channel=DeclaredChannel.RED)), **changes)
