"""Whom a kiosk believes to be central: the key it was told, or the first it saw, over restarts."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.api import KioskConfiguration
from contracts.canonical import canonical_json
from kiosk.central_key import FILE_NAME, CentralKey

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CENTRAL, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def answer(key: Ed25519PrivateKey = CENTRAL, evidence: bytes = bytes(32), **changes: Any) -> KioskConfiguration:
    said = KioskConfiguration(
        rule_pack="p",
        rule_pack_hash="0" * 64,
        evidence_suite="s",
        evidence_key_id="k",
        evidence_public_key=text(evidence),
        receipt_public_key=text(key.public_key().public_bytes_raw()),
        server_time=NOW,
    ).model_copy(update=changes)
    return said.model_copy(update={"signature": text(key.sign(canonical_json(said)))})


def test_the_first_key_is_believed_and_no_other_after_it_over_restarts(tmp_path: Path) -> None:
    assert CentralKey(tmp_path).accepts(answer(), NOW)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0
    again = CentralKey(tmp_path)
    assert not again.accepts(answer(STRANGER), NOW)
    assert again.accepts(answer(), NOW)


def test_the_evidence_key_may_turn_over_under_the_pinned_one(tmp_path: Path) -> None:
    key = CentralKey(tmp_path)
    assert key.accepts(answer(), NOW)
    assert key.accepts(answer(evidence=b"\1" * 32), NOW)


def test_a_configured_key_is_the_only_one(tmp_path: Path) -> None:
    key = CentralKey(tmp_path, text(CENTRAL.public_key().public_bytes_raw()))
    assert not key.accepts(answer(STRANGER), NOW)
    assert key.accepts(answer(), NOW)
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence_public_key": text(b"\2" * 32)},
        {"suspended": True},
        {"signature": None},
        {"signature": "A" * 86},
    ],
)
def test_an_altered_or_unsigned_answer_is_not_centrals_and_pins_nothing(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert not CentralKey(tmp_path).accepts(answer().model_copy(update=changes), NOW)
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_answer_of_another_time_is_not_believed(tmp_path: Path, minutes: int) -> None:
    assert not CentralKey(tmp_path).accepts(answer(), NOW + timedelta(minutes=minutes))
