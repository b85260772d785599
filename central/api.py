"""`/api/v1`: what kiosks and exits say to central. One table of endpoints; the OpenAPI document comes out of it.

Every view but the public ones runs behind a verified signature. Every refusal is an `ErrorBody`; no traceback and
nothing personal leaves.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from central import face_measurements, intake, kiosks, receipts, trust
from central.audit import station_chain
from central.keys import base64url
from central.sealing import Erased
from central.service import Central, central_of
from central.signatures import Sender, SignatureRefused, SignedRequest, verify
from central.storage.models import StoredAnswer
from contracts import CONTRACTS_VERSION
from contracts.api import (
    Heartbeat,
    KioskConfiguration,
    ReceiptAnswer,
    ReceiptCheckRequest,
    ReceiptCheckResponse,
)
from contracts.canonical import canonical_json
from contracts.decision import Decision
from contracts.errors import ErrorBody, ErrorCode
from contracts.events import AuditTag
from contracts.face_measurement import FaceGoOn, FaceOutcome, FaceProgress, FaceWork, FaceWorker
from contracts.publish import PUBLISHED, schema
from contracts.transaction import TransactionRecord
from declarations.forms.serialise import FORM, serialisers
from declarations.review import layer_schema

PREFIX = "/api/v1"
LAYER = "rule-pack-layer"  # the name under which the schema of a layer file is published
KIB, MIB = 1024, 1024 * 1024

logger = logging.getLogger("corridor.central")
blueprint = Blueprint("api", __name__, url_prefix=PREFIX)

STATUS: dict[ErrorCode, int] = {
    ErrorCode.SIGNATURE_MISSING: 401,
    ErrorCode.SIGNATURE_INVALID: 401,
    ErrorCode.SIGNATURE_TOO_OLD: 401,
    ErrorCode.NONCE_REUSED: 401,
    ErrorCode.KIOSK_UNKNOWN: 401,
    ErrorCode.KIOSK_SUSPENDED: 403,
    ErrorCode.IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.RECORD_INVALID: 422,
    ErrorCode.RECORD_TOO_LARGE: 413,
    ErrorCode.RECORD_UNKNOWN: 404,
    ErrorCode.CONTRACT_VERSION: 400,
    ErrorCode.EVIDENCE_MISMATCH: 409,
    ErrorCode.RECEIPT_INVALID: 422,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.NOT_ALLOWED: 403,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL: 500,
}
MESSAGES: dict[ErrorCode, str] = {
    ErrorCode.SIGNATURE_MISSING: "The request is not signed.",
    ErrorCode.SIGNATURE_INVALID: "The signature does not hold for this request.",
    ErrorCode.SIGNATURE_TOO_OLD: "The signature is too old or of the future; check the clock.",
    ErrorCode.NONCE_REUSED: "This request was sent before; sign each attempt anew.",
    ErrorCode.KIOSK_UNKNOWN: "No kiosk or exit with this key is enrolled.",
    ErrorCode.KIOSK_SUSPENDED: "This kiosk is suspended.",
    ErrorCode.IDEMPOTENCY_CONFLICT: "This idempotency key was used with another body.",
    ErrorCode.RECORD_INVALID: "The body does not fit the contract.",
    ErrorCode.RECORD_TOO_LARGE: "The body is larger than allowed.",
    ErrorCode.RECORD_UNKNOWN: "There is no such record.",
    ErrorCode.CONTRACT_VERSION: "The contract's major version is not spoken here.",
    ErrorCode.EVIDENCE_MISMATCH: "The bundle is not the one that the record names.",
    ErrorCode.NOT_FOUND: "There is nothing here.",
    ErrorCode.NOT_ALLOWED: "This sender may not do that.",
    ErrorCode.INTERNAL: "Something went wrong here; try again.",
}


class ApiError(Exception):
    """A refusal with its code; `place` is where in the body, never what stood there."""

    def __init__(self, code: ErrorCode, place: str | None = None, status: int | None = None) -> None:
        super().__init__(code.value)
        self.code, self.place, self.status = code, place, status


@dataclass(frozen=True)
class Endpoint:
    """One row of the table that routes, guards, limits and documents."""

    method: str
    path: str  # in the form of an OpenAPI path
    view: str
    summary: str
    senders: tuple[str, ...]  # kiosk, exit; empty: public
    limit: int  # bytes of the body
    body: str | None  # published contract, "binary" or None
    answers: str | None  # published contract, "binary", or None for any JSON
    idempotent: bool = False  # wants an Idempotency-Key
    success: int = 200


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/transactions", "post_transaction", "Decide on a transaction record.", ("kiosk",), 512 * KIB,
             "transaction-record", "decision", idempotent=True),
    Endpoint("PUT", "/transactions/{record_id}/evidence", "put_evidence",
             "Upload the evidence bundle that was asked for.", ("kiosk",), 50 * MIB, "binary", None, success=204),
    Endpoint("POST", "/heartbeats", "post_heartbeat", "Say how a kiosk is, and learn its configuration.",
             ("kiosk",), 64 * KIB, "heartbeat", "kiosk-configuration"),
    Endpoint("GET", "/configuration", "get_configuration", "Learn a kiosk's configuration.", ("kiosk",), 0, None,
             "kiosk-configuration"),
    Endpoint("GET", "/trust", "get_trust", "Fetch the approved trust store.", ("kiosk",), 0, None, "trust-bundle"),
    Endpoint("GET", "/law", "get_law", "Fetch the rule packs and the rates.", ("kiosk",), 0, None, "law-bundle"),
    Endpoint("POST", "/receipts/check", "check_receipt", "Ask whether a receipt opens the exit.", ("exit",),
             4 * KIB, "receipt-check-request", "receipt-check-response", idempotent=True),
    Endpoint("POST", "/face-measurements", "take_faces", "Ask for faces to compare.", ("kiosk",), 4 * KIB,
             "face-worker", "face-work"),
    Endpoint("GET", "/face-measurements/{number}/pictures/{position}", "get_face_picture",
             "Fetch one picture of a measurement that was taken.", ("kiosk",), 0, None, "binary"),
    Endpoint("POST", "/face-measurements/{number}/progress", "post_face_progress", "Say how far a measurement is.",
             ("kiosk",), 4 * KIB, "face-progress", "face-go-on"),
    Endpoint("POST", "/face-measurements/{number}/outcome", "post_face_outcome",
             "Bring the figures of a measurement.", ("kiosk",), 256 * KIB, "face-outcome", "face-go-on"),
    Endpoint("GET", "/openapi.json", "get_openapi", "This document.", (), 0, None, None),
    Endpoint("GET", "/schemas/{name}.json", "get_schema", "A published contract.", (), 0, None, None),
    Endpoint("GET", "/schemas/{name}.xsd", "get_xml_schema", "A published contract in XML.", (), 0, None, None),
)  # fmt: skip

Model = TypeVar("Model", bound=BaseModel)
Answer = TypeVar("Answer")


def post_transaction() -> Response:
    central, sender, body = _central(), _sender(), _body()
    record = _parsed(TransactionRecord, body, versioned=True)
    _from_here(record.site_id, record.kiosk_id, sender)
    if _idempotency_key() != record.record_id:
        raise ApiError(ErrorCode.RECORD_INVALID, "Idempotency-Key")
    try:
        stored = intake.accept(central, record, body)
    except intake.Conflict:
        raise ApiError(ErrorCode.IDEMPOTENCY_CONFLICT) from None
    except Erased:
        raise ApiError(ErrorCode.RECORD_UNKNOWN, "erased", status=410) from None
    except intake.NotTrusted as refusal:
        raise ApiError(ErrorCode.NOT_ALLOWED, refusal.place) from None
    return _json(stored.decision)


def put_evidence(record_id: str) -> Response:
    codes = {
        "unknown": ErrorCode.RECORD_UNKNOWN,
        "not_wanted": ErrorCode.NOT_ALLOWED,
        "mismatch": ErrorCode.EVIDENCE_MISMATCH,
    }
    try:
        intake.store_evidence(_central(), _sender().station_id, record_id, _body())
    except intake.EvidenceRefused as refusal:
        raise ApiError(codes[refusal.reason]) from None
    return Response(status=204)


def post_heartbeat() -> Response:
    heartbeat = _parsed(Heartbeat, _body())
    _from_here(heartbeat.site_id, heartbeat.kiosk_id, _sender())
    return _json(kiosks.record_heartbeat(_central(), heartbeat))


def get_configuration() -> Response:
    return _json(kiosks.configuration(_central(), suspended=_sender().suspended))


def get_trust() -> Response:
    bundle = trust.bundle(_central())
    if bundle is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    return _json(bundle)


def get_law() -> Response:
    central = _central()
    bundle = central.news.bundle()
    if bundle is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    signature = central.receipt_keys.current.signing().sign(canonical_json(bundle))
    return _json(bundle.model_copy(update={"signature": base64url(signature)}))


def check_receipt() -> Response:
    central, sender, body = _central(), _sender(), _body()
    asked = _parsed(ReceiptCheckRequest, body)
    _from_here(asked.site_id, asked.exit_id, sender)
    place = (central.config.site_id, sender.station_id, _idempotency_key())
    body_sha256 = hashlib.sha256(body).hexdigest()
    with central.storage.write() as session:
        before = session.get(StoredAnswer, place)
        if before is not None:
            if before.body_sha256 != body_sha256:
                raise ApiError(ErrorCode.IDEMPOTENCY_CONFLICT)
            return _json(ReceiptCheckResponse.model_validate(before.answer))
        now = central.clock()
        kiosks.saw(central, session, sender.station_id, now)
        answer = receipts.check(central, session, token=asked.token, exit_id=sender.station_id)
        session.add(
            StoredAnswer(
                site_id=place[0],
                station_id=place[1],
                idempotency_key=place[2],
                body_sha256=body_sha256,
                answer=answer.model_dump(mode="json"),
                answered_at=now,
            )
        )
    if answer.answer is not ReceiptAnswer.OPEN:
        central.broker.wake()
    return _json(answer)


def take_faces() -> Response:
    asked = _parsed(FaceWorker, _body())
    _from_here(asked.site_id, asked.kiosk_id, _sender())
    order = face_measurements.take(_central(), _sender().station_id, has_folder=asked.has_folder)
    return _json(FaceWork(order=order))


def get_face_picture(number: str, position: str) -> Response:
    place = _number(number), _number(position)
    content = _measured(lambda: face_measurements.picture(_central(), _sender().station_id, *place))
    return Response(content, mimetype="application/octet-stream")


def post_face_progress(number: str) -> Response:
    said, which = _parsed(FaceProgress, _body()), _number(number)
    go_on = _measured(lambda: face_measurements.progress(_central(), _sender().station_id, which, said))
    return _json(FaceGoOn(go_on=go_on))


def post_face_outcome(number: str) -> Response:
    said, which = _parsed(FaceOutcome, _body()), _number(number)
    taken = _measured(lambda: face_measurements.finish(_central(), _sender().station_id, which, said))
    return _json(FaceGoOn(go_on=taken))


def get_openapi() -> Response:
    from central.openapi import document

    return Response(json.dumps(document(), indent=1, sort_keys=True), mimetype="application/json")


def get_schema(name: str) -> Response:
    if name == FORM:
        return Response(serialisers()["json"].schema(), mimetype="application/schema+json")
    if name != LAYER and name not in PUBLISHED:
        raise ApiError(ErrorCode.NOT_FOUND)
    published = layer_schema() if name == LAYER else schema(name)
    return Response(json.dumps(published, indent=1, sort_keys=True), mimetype="application/schema+json")


def get_xml_schema(name: str) -> Response:
    if name != FORM:
        raise ApiError(ErrorCode.NOT_FOUND)
    return Response(serialisers()["xml"].schema(), mimetype="application/xml")


def error_response(error: HTTPException) -> Response:
    """The `ErrorBody` of an HTTP error that Flask itself raised below `/api/`."""
    codes = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.NOT_ALLOWED, 413: ErrorCode.RECORD_TOO_LARGE}
    status = error.code or 500
    code = codes.get(status, ErrorCode.INTERNAL if status >= 500 else ErrorCode.RECORD_INVALID)
    return refusal(code, status=status)


def refusal(code: ErrorCode, place: str | None = None, status: int | None = None) -> Response:
    """The answer to a refused request."""
    body = ErrorBody(
        code=code,
        message=MESSAGES.get(code, "The request was refused."),
        place=place[:120] if place else None,
        request_id=g.get("request_id") or None,
    )
    return Response(body.model_dump_json(), status=status or STATUS[code], mimetype="application/json")


@blueprint.errorhandler(ApiError)
def _refuse(error: ApiError) -> Response:
    sender: Sender | None = g.get("sender")
    logger.info("request %s refused: %s", g.get("request_id", ""), error.code.value)
    if sender is not None:
        central = _central()
        tag = AuditTag.TRANSACTION_RECORD_REFUSED if request.path.endswith("/transactions") else (
            AuditTag.KIOSK_REQUEST_REFUSED
        )  # fmt: skip
        with central.storage.write() as session:
            central.audit.append(
                session, chain=station_chain(sender.station_id), tag=tag, actor=sender.station_id,
                now=central.clock(), detail={"code": error.code.value, "place": error.place or ""},
            )  # fmt: skip
    return refusal(error.code, error.place, error.status)


def _guarded(endpoint: Endpoint, view: Callable[..., Response]) -> Callable[..., Response]:
    """The view behind its row of the table: size, signature, sender, suspension, in that order."""

    def guarded(**values: Any) -> Response:
        g.sender = None
        if not endpoint.senders:
            return view(**values)
        g.body = _read(endpoint.limit)
        try:
            sender = verify(_central(), _as_sent(g.body))
        except SignatureRefused as problem:
            raise ApiError(problem.code) from problem
        g.sender = sender
        if sender.kind not in endpoint.senders:
            raise ApiError(ErrorCode.NOT_ALLOWED)
        if sender.suspended and endpoint.view not in ("post_heartbeat", "get_configuration"):
            raise ApiError(ErrorCode.KIOSK_SUSPENDED)
        return view(**values)

    return guarded


def _read(limit: int) -> bytes:
    if request.content_length is None and request.headers.get("Transfer-Encoding"):
        raise ApiError(ErrorCode.RECORD_TOO_LARGE)  # a body of unknown length is not waited for
    if not request.content_length:
        return b""
    if request.content_length > limit:
        raise ApiError(ErrorCode.RECORD_TOO_LARGE)
    request.max_content_length = limit
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise ApiError(ErrorCode.RECORD_TOO_LARGE) from None


def _as_sent(body: bytes) -> SignedRequest:
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path.rstrip("?")
    if not target.startswith("/"):
        raise ApiError(ErrorCode.SIGNATURE_INVALID)  # absolute form: nobody of ours speaks through a proxy
    headers = {name.lower(): value for name, value in request.headers.items()}
    return SignedRequest(request.method, f"{request.scheme}://{request.host}{target}", headers, body)


def _parsed(model: type[Model], body: bytes, *, versioned: bool = False) -> Model:
    if versioned:
        _version(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as problem:
        place = ".".join(
            str(step) for step in problem.errors(include_input=False, include_context=False)[0]["loc"]
        )
        raise ApiError(ErrorCode.RECORD_INVALID, _known(place)) from None


def _version(body: bytes) -> None:
    try:
        said = json.loads(body)
        version = said.get("contracts_version", CONTRACTS_VERSION) if isinstance(said, dict) else CONTRACTS_VERSION
    except (ValueError, RecursionError):
        return  # the contract itself refuses it
    if str(version).split(".")[0] != CONTRACTS_VERSION.split(".")[0]:
        raise ApiError(ErrorCode.CONTRACT_VERSION, "contracts_version")


def _known(place: str) -> str:
    """A place without what a sender made up: unknown fields could be anything, also personal."""
    steps = [
        step if step.isdigit() or (step.isidentifier() and len(step) < 32) else "?" for step in place.split(".")
    ]
    return ".".join(steps)[:120]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise ApiError(ErrorCode.NOT_FOUND)
    return int(text)


def _measured(asked: Callable[[], Answer]) -> Answer:
    try:
        return asked()
    except face_measurements.UnknownMeasurement:
        raise ApiError(ErrorCode.NOT_FOUND) from None


def _from_here(site_id: str, station_id: str, sender: Sender) -> None:
    if site_id != _central().config.site_id or station_id != sender.station_id:
        raise ApiError(ErrorCode.NOT_ALLOWED, "site_id")


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= 128:
        raise ApiError(ErrorCode.RECORD_INVALID, "Idempotency-Key")
    return key


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), mimetype="application/json")


def _central() -> Central:
    return central_of(current_app)


def _sender() -> Sender:
    sender: Sender = g.sender
    return sender


def _body() -> bytes:
    body: bytes = g.body
    return body


for _endpoint in ENDPOINTS:
    blueprint.add_url_rule(
        _endpoint.path.replace("{", "<").replace("}", ">"),
        endpoint=_endpoint.view,
        view_func=_guarded(_endpoint, globals()[_endpoint.view]),
        methods=[_endpoint.method],
    )

__all__ = ["ENDPOINTS", "PREFIX", "Decision", "Endpoint", "KioskConfiguration", "blueprint", "error_response"]
