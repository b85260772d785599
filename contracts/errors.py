"""Stable error codes. They become words once, at the edge: what happened, what to do, who helps."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from contracts.base import Contract, Identifier, ShortText


class ErrorCode(StrEnum):
    # devices (the kiosk's edge)
    DEVICE_MISSING = "DEVICE_MISSING"
    DEVICE_FAILED = "DEVICE_FAILED"
    DEVICE_TIMEOUT = "DEVICE_TIMEOUT"
    CARD_REMOVED = "CARD_REMOVED"
    CARD_MUTE = "CARD_MUTE"
    CAMERA_NO_FRAME = "CAMERA_NO_FRAME"
    PRINTER_NO_PAPER = "PRINTER_NO_PAPER"
    SCALE_UNSTABLE = "SCALE_UNSTABLE"
    SCALE_OVERLOAD = "SCALE_OVERLOAD"
    # requests (central's edge)
    SIGNATURE_MISSING = "SIGNATURE_MISSING"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    SIGNATURE_TOO_OLD = "SIGNATURE_TOO_OLD"
    NONCE_REUSED = "NONCE_REUSED"
    KIOSK_UNKNOWN = "KIOSK_UNKNOWN"
    KIOSK_SUSPENDED = "KIOSK_SUSPENDED"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    RECORD_INVALID = "RECORD_INVALID"
    RECORD_TOO_LARGE = "RECORD_TOO_LARGE"
    RECORD_UNKNOWN = "RECORD_UNKNOWN"
    CONTRACT_VERSION = "CONTRACT_VERSION"
    EVIDENCE_MISMATCH = "EVIDENCE_MISMATCH"
    RECEIPT_INVALID = "RECEIPT_INVALID"
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    RATE_LIMITED = "RATE_LIMITED"
    INTERNAL = "INTERNAL"
    # the link between them
    CENTRAL_UNREACHABLE = "CENTRAL_UNREACHABLE"
    CENTRAL_SLOW = "CENTRAL_SLOW"


def place_of(error: BaseException) -> str:
    """Kind and place of an error that nobody foresaw, for a log: its text may quote what was being read."""
    place, traceback = "unknown", error.__traceback__
    while traceback is not None:
        place = f"{Path(traceback.tb_frame.f_code.co_filename).name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return f"{type(error).__name__} at {place}"


class ErrorBody(Contract):
    """The JSON body of every refused request."""

    code: ErrorCode
    message: ShortText
    place: ShortText | None = None
    request_id: Identifier | None = None
