"""Speaks to central: each attempt signed anew (RFC 9421, Ed25519), one idempotency key per record.

Covered: `@method @authority @path @query content-digest content-type idempotency-key`, those that exist, with
`created`, `nonce`, `keyid` (the kiosk's id) and `tag="corridor"`. `content-digest` is always there, over the
body as sent.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ValidationError

from contracts.api import Heartbeat, KioskConfiguration, LawBundle, TrustBundle
from contracts.decision import Decision
from contracts.errors import ErrorBody, ErrorCode
from contracts.face_measurement import FaceGoOn, FaceOrder, FaceOutcome, FaceProgress, FaceWork, FaceWorker

_M = TypeVar("_M", bound=BaseModel)

TAG = "corridor"
LABEL = "corridor"


class CentralError(Exception):
    """Central did not take a message. `code` is stable; `permanent`: the same message will never be taken."""

    def __init__(self, code: ErrorCode, permanent: bool = False) -> None:
        super().__init__(str(code))
        self.code = code
        self.permanent = permanent


# What another attempt with the same body cannot change.
_PERMANENT = frozenset(
    {
        ErrorCode.RECORD_INVALID,
        ErrorCode.RECORD_TOO_LARGE,
        ErrorCode.IDEMPOTENCY_CONFLICT,
        ErrorCode.CONTRACT_VERSION,
        ErrorCode.EVIDENCE_MISMATCH,
    }
)


@dataclass(frozen=True)
class CentralClient:
    """One kiosk's way to central. Thread-safe: holds no connection between calls."""

    base_url: str
    kiosk_id: str
    key: Ed25519PrivateKey
    timeout_s: float = 8.0

    def send_record(self, record_id: str, body: bytes) -> Decision:
        """POST a transaction record as it lies in the outbox. Raises CentralError."""
        answer = self._send("POST", "/api/v1/transactions", body, "application/json", record_id)
        decision = _parse(Decision, answer)
        if decision.record_id != record_id:
            raise CentralError(ErrorCode.INTERNAL)
        return decision

    def send_evidence(self, record_id: str, ciphertext: bytes) -> None:
        """PUT the sealed bundle of a record. Raises CentralError."""
        path = f"/api/v1/transactions/{record_id}/evidence"
        self._send("PUT", path, ciphertext, "application/octet-stream", f"{record_id}:evidence")

    def send_heartbeat(self, heartbeat: Heartbeat) -> KioskConfiguration:
        """POST the kiosk's state; central answers with its configuration. Raises CentralError."""
        body = heartbeat.model_dump_json().encode()
        return _parse(KioskConfiguration, self._send("POST", "/api/v1/heartbeats", body, "application/json"))

    def fetch_trust(self) -> TrustBundle:
        """GET the site's trust store as central signed it. Raises CentralError."""
        return _parse(TrustBundle, self._send("GET", "/api/v1/trust", b"", "application/json"))

    def fetch_law(self) -> LawBundle:
        """GET the site's rule packs and exchange rates as central signed them. Raises CentralError."""
        return _parse(LawBundle, self._send("GET", "/api/v1/law", b"", "application/json"))

    def fetch_face_work(self, asked: FaceWorker) -> FaceOrder | None:
        """POST a question for a measurement; None when there is none. Raises CentralError."""
        return _parse(FaceWork, self._post("/api/v1/face-measurements", asked)).order

    def fetch_face_picture(self, number: int, place: int) -> bytes:
        """GET one picture of a measurement. Raises CentralError; NOT_FOUND once the measurement has ended."""
        path = f"/api/v1/face-measurements/{number}/pictures/{place}"
        return self._send("GET", path, b"", "application/json")

    def send_face_progress(self, number: int, said: FaceProgress) -> bool:
        """POST how far a measurement is; False when it shall stop. Raises CentralError."""
        return _parse(FaceGoOn, self._post(f"/api/v1/face-measurements/{number}/progress", said)).go_on

    def send_face_outcome(self, number: int, said: FaceOutcome) -> bool:
        """POST the figures; False when nobody waits for them any more. Raises CentralError."""
        return _parse(FaceGoOn, self._post(f"/api/v1/face-measurements/{number}/outcome", said)).go_on

    def _post(self, path: str, message: BaseModel) -> bytes:
        return self._send("POST", path, message.model_dump_json().encode(), "application/json")

    def _send(self, method: str, path: str, body: bytes, content_type: str, key: str | None = None) -> bytes:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        request = requests.Request(method, self.base_url + path, data=body, headers=headers).prepare()
        self._sign(request, body)
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy and no netrc decides about the way to central
                response = session.send(request, timeout=self.timeout_s, allow_redirects=False)
        except requests.Timeout:
            raise CentralError(ErrorCode.CENTRAL_SLOW) from None
        except requests.RequestException:
            raise CentralError(ErrorCode.CENTRAL_UNREACHABLE) from None
        if response.ok:
            return response.content
        code = _error_code(response.content)
        raise CentralError(code, permanent=code in _PERMANENT)

    def _sign(self, request: requests.PreparedRequest, body: bytes) -> None:
        from http_message_signatures import HTTPMessageSigner, algorithms
        from http_message_signatures.resolvers import MappingKeyResolver

        # Said here and not left to the library, so that both sides mean the same @authority.
        request.headers["Host"] = urlsplit(str(request.url)).netloc
        covered = ["@method", "@authority", "@path", "@query", "content-digest", "content-type"]
        if "Idempotency-Key" in request.headers:
            covered.append("idempotency-key")
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={self.kiosk_id: self.key}),
        )
        signer.sign(
            request,
            key_id=self.kiosk_id,
            created=datetime.now(UTC),
            nonce=secrets.token_urlsafe(24),
            label=LABEL,
            tag=TAG,
            covered_component_ids=covered,
            body=body,
        )


def _error_code(content: bytes) -> ErrorCode:
    try:
        return ErrorBody.model_validate_json(content).code
    except ValidationError:
        return ErrorCode.INTERNAL


def _parse(model: type[_M], content: bytes) -> _M:
    try:
        return model.model_validate_json(content)
    except ValidationError:
        raise CentralError(ErrorCode.INTERNAL) from None
