"""Writes the JSON Schemas that other parties build against: `corridor schemas DIRECTORY`."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from contracts import CONTRACTS_VERSION
from contracts.api import (
    Heartbeat,
    KioskConfiguration,
    LawBundle,
    ReceiptCheckRequest,
    ReceiptCheckResponse,
    TrustBundle,
)
from contracts.decision import Decision
from contracts.disposition import Disposition
from contracts.errors import ErrorBody
from contracts.face_measurement import FaceGoOn, FaceOutcome, FaceProgress, FaceWork, FaceWorker
from contracts.transaction import TransactionRecord

PUBLISHED: dict[str, type[BaseModel]] = {
    "transaction-record": TransactionRecord,
    "decision": Decision,
    "disposition": Disposition,
    "heartbeat": Heartbeat,
    "kiosk-configuration": KioskConfiguration,
    "trust-bundle": TrustBundle,
    "law-bundle": LawBundle,
    "receipt-check-request": ReceiptCheckRequest,
    "receipt-check-response": ReceiptCheckResponse,
    "face-worker": FaceWorker,
    "face-work": FaceWork,
    "face-progress": FaceProgress,
    "face-go-on": FaceGoOn,
    "face-outcome": FaceOutcome,
    "error": ErrorBody,
}


def schema(name: str) -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of one published contract. Raises KeyError for an unknown name."""
    document = PUBLISHED[name].model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:corridor:contract:{name}:{CONTRACTS_VERSION}",
        **document,
    }


def write_schemas(directory: Path) -> list[Path]:
    """Write every published schema into `directory`; returns the paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in PUBLISHED:
        path = directory / f"{name}.schema.json"
        path.write_text(json.dumps(schema(name), indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        paths.append(path)
    return paths
