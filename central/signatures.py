"""RFC 9421 signatures of kiosks and exits: Ed25519, the whole request covered, fresh, and each nonce once.

The library verifies; the policy is here. A request must cover method, authority, path, query (if there is one),
the digest and type of its body, and its idempotency key; its `created` lies at most `MAX_AGE` back; its nonce was
never seen; its tag is ours. Without these the library accepts replays and changed bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from central.keys import from_base64url
from central.service import Central
from central.storage.models import Nonce, Station
from contracts.errors import ErrorCode

TAG = "corridor"
MAX_AGE = timedelta(seconds=60)
CLOCK_SKEW = timedelta(seconds=5)
NONCE_LENGTH = range(16, 129)
ALWAYS_COVERED = ("@method", "@authority", "@path")
COVERED_WHEN_SENT = ("content-digest", "content-type", "idempotency-key")


class SignatureRefused(Exception):
    """A request that is not let in; `code` says why."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True)
class SignedRequest:
    """The request as it came over the wire: `url` with the raw, still encoded path and query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def has_query(self) -> bool:
        return "?" in self.url


@dataclass(frozen=True)
class Sender:
    """A station whose signature held."""

    station_id: str
    kind: str  # kiosk | exit
    suspended: bool
    suspended_reason: str


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, public_key: Ed25519PublicKey) -> None:
        self._public_key = public_key

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        return self._public_key


def verify(central: Central, request: SignedRequest) -> Sender:
    """The enrolled sender of a request, whose nonce is used up now. Raises SignatureRefused."""
    key_id = _claimed_key_id(request.headers)
    with central.storage.read() as session:
        station = _station(central, session, key_id)
    if station is None:
        raise SignatureRefused(ErrorCode.KIOSK_UNKNOWN)
    required = [*ALWAYS_COVERED, *(name for name in COVERED_WHEN_SENT if name in request.headers)]
    if request.body:
        required += ["content-digest", "content-type"]
    if request.has_query:
        required.append("@query")
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.ED25519,
        key_resolver=_OneKey(Ed25519PublicKey.from_public_bytes(from_base64url(station.public_key))),
    )
    verifier.max_clock_skew = timedelta(
        days=50 * 365
    )  # the time is judged below, by our clock and with its own code
    try:
        results = verifier.verify(
            request,
            max_age=None,
            expect_tag=TAG,
            require_components=tuple(dict.fromkeys(required)),
            body=request.body,
        )
    except (HTTPMessageSignaturesException, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise SignatureRefused(ErrorCode.SIGNATURE_INVALID) from problem
    if len(results) != 1:
        raise SignatureRefused(ErrorCode.SIGNATURE_INVALID)
    parameters = results[0].parameters
    created, nonce = parameters.get("created"), results[0].nonce
    if parameters.get("keyid") != key_id or not isinstance(created, int):
        raise SignatureRefused(ErrorCode.SIGNATURE_INVALID)
    if nonce is None or len(nonce) not in NONCE_LENGTH:
        raise SignatureRefused(ErrorCode.SIGNATURE_INVALID)
    _fresh(created, central.clock())
    _use_nonce(central, station.key_id, nonce)
    return Sender(station.station_id, station.kind, station.suspended, station.suspended_reason)


def _claimed_key_id(headers: Mapping[str, str]) -> str:
    """The keyid that the request names, before anything is verified: it only chooses the key to verify with."""
    said = headers.get("signature-input")
    if not said or not headers.get("signature"):
        raise SignatureRefused(ErrorCode.SIGNATURE_MISSING)
    try:
        labels = cast(dict[str, Any], http_sf.parse(said.encode("ascii"), tltype="dictionary"))
        ours = [parameters for _, parameters in labels.values() if parameters.get("tag") == TAG]
        key_id = ours[0]["keyid"]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
        raise SignatureRefused(ErrorCode.SIGNATURE_INVALID) from problem
    if not isinstance(key_id, str) or len(ours) != 1:
        raise SignatureRefused(ErrorCode.SIGNATURE_INVALID)
    return key_id


def _station(central: Central, session: Session, key_id: str) -> Station | None:
    return session.scalar(
        select(Station).where(
            Station.site_id == central.config.site_id, (Station.station_id == key_id) | (Station.key_id == key_id)
        )
    )


def _fresh(created: int, now: datetime) -> None:
    try:
        moment = datetime.fromtimestamp(created, UTC)
    except (OverflowError, ValueError, OSError) as problem:
        raise SignatureRefused(ErrorCode.SIGNATURE_INVALID) from problem
    if not now - MAX_AGE <= moment <= now + CLOCK_SKEW:
        raise SignatureRefused(ErrorCode.SIGNATURE_TOO_OLD)


def _use_nonce(central: Central, key_id: str, nonce: str) -> None:
    now = central.clock()
    with central.storage.write() as session:
        if session.get(Nonce, (central.config.site_id, key_id, nonce)) is not None:
            raise SignatureRefused(ErrorCode.NONCE_REUSED)
        # A nonce older than any signature that could still pass need not be remembered.
        session.execute(
            delete(Nonce).where(
                Nonce.site_id == central.config.site_id, Nonce.seen_at < now - 2 * (MAX_AGE + CLOCK_SKEW)
            )
        )
        session.add(Nonce(site_id=central.config.site_id, key_id=key_id, nonce=nonce, seen_at=now))
