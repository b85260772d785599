"""The chip over the real PC/SC daemon: pyscard, pcscd, the virtual reader and the simulated card's process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from contracts.checks import CheckName, Verdict
from contracts.errors import ErrorCode
from documents.mrz import compose_td3, parse_mrz
from documents.reading import CHIP_CHECKS, ChipReading
from documents.trust import TrustStore
from hardware.chip.worker import ABORT_SECONDS, ChipWorker
from hardware.pcsc_daemon import READER_NAME, PcscAccess, PcscDaemon
from hardware.ports import DeviceError
from hardware.simulators.card import SimulatedReader
from hardware.specimens.issuer import SpecimenAuthority

pytestmark = pytest.mark.pcsc

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LINES = compose_td3(
    issuer="UTO",
    surname="Eriksson",
    given_names="Anna Maria",
    number="L898902C3",
    nationality="UTO",
    birth_date=date(1974, 8, 12),
    sex="F",
    expiry_date=date(2032, 4, 15),
)
OPTICAL = parse_mrz(LINES, NOW.date(), guarded_only=True)
AUTHORITY = SpecimenAuthority("UTO")
TRUST = TrustStore((AUTHORITY.csca_certificate,), (AUTHORITY.revocation_list,))


@pytest.fixture(scope="module")
def passport(tmp_path_factory: pytest.TempPathFactory) -> Path:
    portrait = BytesIO()
    Image.effect_noise((207, 266), 60).save(portrait, "JPEG", quality=40)
    directory = tmp_path_factory.mktemp("chip")
    AUTHORITY.issue(LINES, portrait.getvalue()).write(directory)
    return directory


@pytest.fixture(scope="module")
def daemon() -> Iterator[PcscAccess]:
    with PcscDaemon() as access:
        yield access


@pytest.fixture(scope="module")
def reader(daemon: PcscAccess) -> Iterator[SimulatedReader]:
    with SimulatedReader(daemon.vpcd_port) as simulated:
        yield simulated


@pytest.fixture(scope="module")
def worker(daemon: PcscAccess) -> Iterator[ChipWorker]:
    with ChipWorker(daemon.environment) as chip_worker:
        yield chip_worker


def read(worker: ChipWorker, daemon: PcscAccess) -> ChipReading:
    return worker.read(daemon.reader_url, OPTICAL.key, TRUST, NOW, OPTICAL)


def test_an_honest_passport(
    daemon: PcscAccess, reader: SimulatedReader, worker: ChipWorker, passport: Path
) -> None:
    reader.insert(passport)
    reading = read(worker, daemon)
    reader.remove()
    not_passed = {check.name for check in reading.checks if check.verdict is not Verdict.PASSED}
    assert not_passed == {CheckName.CARDACCESS_DG14, CheckName.CHIP_AUTHENTICATION}
    assert reading.document is not None
    assert reading.document.surname == "ERIKSSON"
    assert reading.portrait is not None


@pytest.mark.parametrize(
    ("fault", "verdict", "reason"),
    [
        ("removed:5", Verdict.ERROR, "card_removed"),
        ("removed:20", Verdict.ERROR, "card_removed"),
        ("bad_mac:12", Verdict.FAILED, "response_mac_invalid"),
        ("6988:9", Verdict.PASSED, "ok"),
        ("no_bac", Verdict.NOT_PRESENT, "no_access_control"),
    ],
)
def test_faults(
    daemon: PcscAccess,
    reader: SimulatedReader,
    worker: ChipWorker,
    passport: Path,
    fault: str,
    verdict: Verdict,
    reason: str,
) -> None:
    reader.insert(passport, fault=fault)
    access = read(worker, daemon).check(CheckName.ACCESS)
    reader.remove()
    assert (access.verdict, access.reason) == (verdict, reason)


def test_a_passport_lifted_by_the_story(
    daemon: PcscAccess, reader: SimulatedReader, worker: ChipWorker, passport: Path
) -> None:
    reader.insert(passport, remove_after=15)
    assert read(worker, daemon).check(CheckName.ACCESS).reason == "card_removed"
    reader.remove()


def test_a_mute_card_is_given_up_and_the_next_one_is_read(
    daemon: PcscAccess, reader: SimulatedReader, passport: Path
) -> None:
    with ChipWorker(daemon.environment, abort_seconds=1.5) as impatient:
        reader.insert(passport, fault="mute:8")
        reading = read(impatient, daemon)
        reader.remove()
        assert [check.name for check in reading.checks] == list(CHIP_CHECKS)
        assert reading.check(CheckName.ACCESS).verdict is Verdict.ERROR
        assert reading.check(CheckName.ACCESS).reason == "card_mute"
    with ChipWorker(daemon.environment) as patient:
        reader.insert(passport)
        assert read(patient, daemon).check(CheckName.ACCESS).verdict is Verdict.PASSED
        reader.remove()


def test_the_hard_abort_is_at_fifteen_seconds(worker: ChipWorker) -> None:
    assert ABORT_SECONDS == 15.0
    assert worker._abort_seconds == ABORT_SECONDS


def test_the_second_slot_keeps_working_beside_a_mute_card(
    daemon: PcscAccess, reader: SimulatedReader, worker: ChipWorker, passport: Path
) -> None:
    """A second document reader of the same kiosk, while the first one waits for a card that says nothing."""
    second_slot = daemon.reader_url.replace("00 00", "00 01")
    ended: list[ChipReading] = []
    begun = threading.Event()
    with (
        ChipWorker(daemon.environment, abort_seconds=300.0) as waiting,
        SimulatedReader(daemon.vpcd_port + 1) as other_reader,
    ):
        reader.insert(passport, fault="mute:8")

        def wait() -> None:
            order = (daemon.reader_url, OPTICAL.key, TRUST, NOW, OPTICAL)
            ended.append(waiting.read(*order, lambda phase, share: begun.set(), card_wait=30.0))

        first = threading.Thread(target=wait)
        first.start()
        assert begun.wait(30)
        other_reader.insert(passport)
        beside = worker.read(second_slot, OPTICAL.key, TRUST, NOW, OPTICAL, card_wait=30.0)
        assert ended == [], "the first reader waits still"
        waiting.close()
        first.join(20)
        reader.remove()
    assert beside.check(CheckName.ACCESS).verdict is Verdict.PASSED
    assert beside.check(CheckName.ACTIVE_AUTHENTICATION).verdict is Verdict.PASSED
    assert ended[0].check(CheckName.ACCESS).reason == "reader_failed"


def test_the_same_passport_twice_and_nothing_of_it_in_the_next_reading(
    daemon: PcscAccess, reader: SimulatedReader, worker: ChipWorker, passport: Path
) -> None:
    reader.insert(passport)
    first, second = read(worker, daemon), read(worker, daemon)  # it was not lifted in between
    reader.remove()
    assert first.checks == second.checks and first.groups == second.groups
    assert first.apdus == second.apdus, "the second reading asked for everything again"
    reader.insert(passport, fault="missing:DG2")
    without = read(worker, daemon)
    reader.remove()
    assert without.portrait is None and "DG2" not in without.groups
    assert without.check(CheckName.DG_HASHES).reason == "group_missing_dg2"
    reader.insert(passport, fault="no_keys")
    copied = read(worker, daemon)
    reader.remove()
    assert copied.check(CheckName.ACTIVE_AUTHENTICATION).verdict is Verdict.FAILED


def test_no_card_and_no_reader(worker: ChipWorker) -> None:
    nothing = worker.read("pcsc:Corridor Virtual Reader 00 01", OPTICAL.key, TRUST, NOW, card_wait=0.2)
    assert nothing.check(CheckName.ACCESS).verdict is Verdict.NOT_PRESENT
    assert nothing.check(CheckName.ACCESS).reason == "no_chip"
    missing = worker.read("pcsc:No Such Reader", OPTICAL.key, TRUST, NOW)
    assert missing.check(CheckName.ACCESS).reason == "reader_failed"


def test_a_worker_that_dies_is_replaced(
    daemon: PcscAccess, reader: SimulatedReader, worker: ChipWorker, passport: Path
) -> None:
    worker.start()
    worker.close()
    reader.insert(passport)
    assert read(worker, daemon).check(CheckName.ACCESS).verdict is Verdict.PASSED
    reader.remove()


def test_progress_comes_out_of_the_worker(
    daemon: PcscAccess, reader: SimulatedReader, worker: ChipWorker, passport: Path
) -> None:
    told: list[tuple[str, float]] = []
    reader.insert(passport)
    worker.read(
        daemon.reader_url, OPTICAL.key, TRUST, NOW, OPTICAL, lambda phase, share: told.append((phase, share))
    )
    reader.remove()
    assert told[0] == ("access", 0.0)
    assert told[-1] == ("done", 1.0)
    assert any(phase == "portrait" for phase, _ in told)


def test_the_port_itself(daemon: PcscAccess, reader: SimulatedReader, passport: Path) -> None:
    """The driver in a process of its own, which alone carries the daemon's environment."""
    reader.insert(passport)
    script = (
        "import sys\n"
        "from hardware.chip.pcsc import open_reader\n"
        "reader = open_reader(sys.argv[1])\n"
        "assert reader.wait_for_card(3)\n"
        "card = reader.connect()\n"
        "assert card.transmit(bytes.fromhex('00A4040C07A0000002471001')) == b'\\x90\\x00'\n"
        "print(reader.name, reader.simulated, card.atr.hex(), reader.health().state)\n"
        "card.close()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, daemon.reader_url],
        env={**os.environ, **daemon.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    reader.remove()
    assert ran.stdout.split() == ["pcsc", "True", "3b80800101", "working"], ran.stderr


def test_daemons_live_side_by_side(daemon: PcscAccess) -> None:
    with PcscDaemon() as other:
        assert other.vpcd_port not in (daemon.vpcd_port, daemon.vpcd_port + 1)
        assert other.reader_name == READER_NAME


def test_orders_that_cannot_be_carried_out(reader: SimulatedReader, passport: Path, tmp_path: Path) -> None:
    with pytest.raises(DeviceError) as refused:
        reader.insert(tmp_path)
    assert refused.value.code is ErrorCode.DEVICE_FAILED
    for wrong in ({"fault": "explodes"}, {"radio": "9600"}):
        with pytest.raises(ValueError, match="there are"):
            reader.insert(passport, **wrong)
