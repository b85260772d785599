"""Canonical bytes of a contract: what is signed, hashed and compared (RFC 8785 in the subset we use)."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel


def canonical_json(model: BaseModel) -> bytes:
    """UTF-8 JSON with sorted keys and no white space.

    Contracts hold no floats outside [0, 1] scores and timings, which Python prints in shortest
    round-trip form, as RFC 8785 §3.2.2.3 asks.
    """
    return json.dumps(
        model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def content_hash(model: BaseModel) -> str:
    """SHA-256 of `canonical_json`, lower-case hex."""
    return hashlib.sha256(canonical_json(model)).hexdigest()
