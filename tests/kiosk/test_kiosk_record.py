"""Rule 7 inside the kiosk: whatever fails while the record is made, an officer gets one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.checks import DOCUMENT_CHECKS, Check, CheckName, Verdict
from contracts.declaration import DeclaredChannel, GoodsItem, GoodsKind
from contracts.party import Bag, DocumentFormat, TravelDocument
from contracts.transaction import TransactionRecord
from hardware.ports import DeviceSet
from kiosk.assembly import assemble
from kiosk.conductor import Conductor
from kiosk.config import KioskConfig, load_config
from kiosk.journey import PersonState, State, _send
from kiosk.keys import create_keys
from kiosk.record import least_record

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
TEXT = """
profile = "test"
site_id = "msq"
site_name = "Minsk Airport"
kiosk_id = "K-01"
data_dir = "data"
central_url = "http://127.0.0.1:9"
signing_key_file = "signing.pem"
outbox_key_file = "outbox.key"
trust_dir = "trust"
[devices]
speaker = "null:"
"""
PASSPORT = TravelDocument(
    format=DocumentFormat.TD3,
    issuer="UTO",
    number="L898902C3",
    surname="LINDEN",
    birth_date=date(1984, 8, 12),
    checks=tuple(Check(name=name, verdict=Verdict.PASSED, reason="ok") for name in DOCUMENT_CHECKS),
)


@pytest.fixture
def config(tmp_path: Path) -> KioskConfig:
    create_keys(tmp_path, demonstration=True)
    (tmp_path / "trust").mkdir()
    (tmp_path / "kiosk.toml").write_text(TEXT)
    return load_config(tmp_path / "kiosk.toml")


@pytest.fixture
def conductor(config: KioskConfig) -> Iterator[Conductor]:
    conductor = assemble(config)
    yield conductor
    conductor.close()


def ended(*persons: PersonState) -> State:
    """A journey that everybody has certified, about to be sent."""
    started = State(record_id="r-1", started_at=NOW - timedelta(minutes=2), persons=persons)
    return _send(started, "complete")[0]


def sent(conductor: Conductor, state: State) -> TransactionRecord:
    """The record that the kiosk queues for this journey; central is not there."""
    conductor._state = state
    conductor._send(_send(state, "complete")[1][-1], state)  # type: ignore[arg-type]
    (waiting,) = conductor._parts.delivery._outbox.due(1e12)
    assert waiting.body is not None
    return TransactionRecord.model_validate_json(waiting.body)


def test_a_journey_is_sent_as_it_was(conductor: Conductor) -> None:
    record = sent(conductor, ended(PersonState("p1", identity=PASSPORT)))
    assert (record.finished, record.party.persons[0].identity) == ("complete", PASSPORT)


class DyingDevices:
    """Devices of which one dies when it is asked who it is."""

    def __init__(self, devices: DeviceSet) -> None:
        self._devices = devices

    def __getattr__(self, name: str) -> object:
        return getattr(self._devices, name)

    def all(self) -> dict[str, object]:
        raise OSError("no such device: LINDEN L898902C3")


def test_a_part_that_dies_while_the_record_is_made_costs_the_record_nothing_but_the_green(
    conductor: Conductor, caplog: pytest.LogCaptureFixture
) -> None:
    conductor._parts = replace(conductor._parts, devices=DyingDevices(conductor._parts.devices))  # type: ignore[arg-type]
    conductor._session.pictures._held["p1", "live_face"] = b"\xff\xd8\xff a face"  # type: ignore[index]
    with caplog.at_level(logging.DEBUG):
        record = sent(conductor, ended(PersonState("p1", identity=PASSPORT)))
    assert (record.record_id, record.finished) == ("r-1", "to_officer")
    assert record.party.persons[0].identity == PASSPORT, "what is valid is kept, with its checks"
    assert not conductor._session.pictures
    assert "OSError at " in caplog.text
    assert "LINDEN" not in caplog.text
    assert "L898902C3" not in caplog.text


@pytest.mark.parametrize(
    "spoilt",
    [
        {"identity": PASSPORT.model_copy(update={"number": "X" * 900})},
        {"identity": PASSPORT.model_copy(update={"checks": ("no check",)})},
        {"bags": (Bag(weight_kg=3.0).model_copy(update={"weight_kg": -3.0}),)},
        {"visas": (PASSPORT,) * 5},
    ],
)
def test_a_part_that_central_would_refuse_is_left_out_before_it_is_sent(
    conductor: Conductor, spoilt: dict[str, object]
) -> None:
    state = ended(replace(PersonState("p1", identity=PASSPORT), **spoilt), PersonState("p2", minor=True))  # type: ignore[arg-type]
    record = sent(conductor, state)
    assert record.finished == "to_officer"
    assert [person.role for person in record.party.persons] == ["lead", "minor"]
    identity = record.party.persons[0].identity
    assert identity is not None
    assert {check.name for check in identity.checks} == set(DOCUMENT_CHECKS)
    assert record.party.persons[0].declaration is None, "nobody is said to have declared what cannot be told"


def test_pictures_that_cannot_be_sealed_do_not_keep_the_record(conductor: Conductor) -> None:
    conductor._session.pictures._held["p1", "no kind"] = b"x"  # type: ignore[index]
    conductor._configuration = object()  # type: ignore[assignment]
    record = sent(conductor, ended(PersonState("p1", identity=PASSPORT)))
    assert (record.finished, record.evidence) == ("complete", None)


def test_the_least_record_of_nothing_is_valid(config: KioskConfig) -> None:
    record = least_record(State(record_id="r-2"), config, completed_at=NOW)
    again = TransactionRecord.model_validate_json(record.model_dump_json())
    assert again == record
    face = record.party.persons[0].face
    assert face is not None
    assert all(check.verdict is not Verdict.PASSED for check in face.checks)
    assert CheckName.FACE_MATCH in {check.name for check in face.checks}


@pytest.mark.parametrize("channel", list(DeclaredChannel))
@pytest.mark.parametrize("litres", [None, "1", "500"])
def test_what_was_declared_is_sent_as_it_was_said_whatever_it_holds(
    conductor: Conductor, channel: DeclaredChannel, litres: str | None
) -> None:
    """Rule 2: the channel is the traveller's own statement; no amount and no machine changes it."""
    items = () if litres is None else (GoodsItem(kind=GoodsKind.ALCOHOL, quantity=Decimal(litres), unit="l"),)
    person = PersonState(
        "p1", identity=PASSPORT, declared=channel, items=items, unaccompanied=False, certified_at=NOW
    )
    declaration = sent(conductor, ended(person)).party.persons[0].declaration
    assert declaration is not None
    assert (declaration.declared_channel, declaration.items) == (channel, items)
