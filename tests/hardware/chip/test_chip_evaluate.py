"""`corridor evaluate chip` over the real PC/SC daemon, directories of other origins, and a lift in the middle."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image

from contracts.checks import CheckName, Verdict
from documents.lds import FILES
from documents.mrz import MrzKey, compose_td3
from documents.reading import ChipReading
from documents.secure_messaging import AES_128
from documents.trust import TrustStore
from hardware.chip.evaluate import main
from hardware.chip.worker import ChipWorker
from hardware.pcsc_daemon import PcscDaemon
from hardware.simulators.card import PassportCard, SimulatedReader
from hardware.specimens.issuer import ChipFiles, ChipSecurity, SpecimenAuthority

pytestmark = pytest.mark.pcsc

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
AUTHORITY = SpecimenAuthority("UTO")
MOMENT = "2026-11-21T12:00:00"


@pytest.fixture(scope="module")
def chip() -> ChipFiles:
    portrait = BytesIO()
    Image.effect_noise((103, 133), 60).save(portrait, "JPEG", quality=40)
    security = ChipSecurity((("cam", AES_128, 13),), ((AES_128, 12),), "123456")
    return AUTHORITY.issue(LINES, portrait.getvalue(), security=security)


@pytest.fixture
def directory(tmp_path: Path, chip: ChipFiles) -> Iterator[Path]:
    chip.write(tmp_path / "chip")
    AUTHORITY.write_trust(tmp_path / "trust")
    yield tmp_path / "chip"


def test_a_chip_with_everything(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictions = directory.parent / "rows.jsonl"
    arguments = [
        str(directory),
        "--trust",
        str(directory.parent / "trust"),
        "--mrz",
        " ".join(LINES),
        "--at",
        MOMENT,
    ]
    assert main([*arguments, "--predictions", str(predictions)]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {check["verdict"] for check in told["checks"].values()} == {"PASSED"}
    assert told["checks"]["chip_authentication"] == {"verdict": "PASSED", "reason": "pace_cam"}
    assert set(told) >= {"checks", "apdus", "bytes", "seconds", "groups"}
    assert set(told["groups"]) == {"COM", "SOD", "DG1", "DG2", "DG14", "DG15"}
    assert told["apdus"] > 10 and told["bytes"] > 3000
    assert json.loads(predictions.read_text()) == {"id": "chip", **told}


def test_several_chips_one_of_them_a_clone(
    directory: Path, chip: ChipFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = directory.parent / "clone"
    chip.without_authentication_key().write(clone)
    trust = str(directory.parent / "trust")
    assert main([str(clone), str(directory), "--trust", trust, "--at", MOMENT]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["chips"]
    assert told["clone"]["checks"]["chip_authentication"]["verdict"] == "FAILED"
    assert told["clone"]["checks"]["active_authentication"]["verdict"] == "FAILED"
    assert told["chip"]["checks"]["active_authentication"]["verdict"] == "PASSED"


def test_what_is_no_directory_of_chip_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "not a directory of chip files" in capsys.readouterr().err
    assert main([str(tmp_path), "--mrz", "HELLO"]) == 2


def test_a_directory_by_identifiers_with_loose_keys(tmp_path: Path, chip: ChipFiles) -> None:
    """efXXXX.bin, no keys.json, and the private keys as PKCS #8, SEC 1 and DER beside them."""
    identifiers = {file.name: identifier for identifier, file in FILES.items()}
    for name, content in chip.files.items():
        identifier = {"CardAccess": 0x011C, "CardSecurity": 0x011D}.get(name, identifiers.get(name, 0))
        # EF.SOD and EF.CardSecurity share an identifier; in one folder only one of them can have the name.
        place = "EF_CardSecurity.bin" if name == "CardSecurity" else f"ef{identifier:04X}.bin"
        (tmp_path / place).write_bytes(content)
    values = [chip.authentication_key, *chip.chip_keys]
    curves = [ec.SECP256R1(), ec.SECP256R1(), ec.BrainpoolP256R1()]
    forms = [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8]
    for number, (value, curve, form) in enumerate(zip(values, curves, forms, strict=True)):
        assert value is not None
        key = ec.derive_private_key(value, curve)
        encoding = Encoding.DER if number == 2 else Encoding.PEM
        content = key.private_bytes(encoding, form, NoEncryption())
        (tmp_path / f"key-{number}{'.der' if number == 2 else '.pem'}").write_bytes(content)
    (tmp_path / "notes.key").write_bytes(b"not a key")
    card = PassportCard.from_directory(tmp_path)
    assert len(card._keys.chip) == 3  # whatever they are for: their public keys tell
    assert card._keys.active is not None

    class Line:
        def transmit(self, apdu: bytes) -> bytes:
            return card.process(apdu)

    from documents.reading import read_chip

    trust = TrustStore((AUTHORITY.csca_certificate,), (AUTHORITY.revocation_list,))
    reading = read_chip(Line(), MrzKey(*chip.mrz_key), trust, datetime(2026, 11, 21, tzinfo=UTC))
    not_passed = {check.name: check.reason for check in reading.checks if check.verdict is not Verdict.PASSED}
    assert not_passed == {CheckName.DG1_MRZ: "no_optical_mrz"}


def test_a_passport_that_slips_is_read_when_it_is_back(directory: Path, chip: ChipFiles) -> None:
    trust = TrustStore((AUTHORITY.csca_certificate,), (AUTHORITY.revocation_list,))
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    told: list[ChipReading] = []
    with (
        PcscDaemon() as access,
        SimulatedReader(access.vpcd_port) as reader,
        ChipWorker(access.environment) as worker,
    ):
        reader.insert(directory, remove_after=20)
        key, opened = MrzKey(*chip.mrz_key), threading.Event()

        def progress(phase: str, share: float) -> None:
            if phase == "files":
                opened.set()

        reading = threading.Thread(
            target=lambda: told.append(
                worker.read(access.reader_url, key, trust, now, progress=progress, card_wait=12.0)
            )
        )
        reading.start()
        assert opened.wait(20)
        reader.insert(directory)  # waits until the field has been empty as long as a hand leaves it
        reading.join(20)
        reader.remove()
    assert told[0].check(CheckName.ACCESS).verdict is Verdict.PASSED
    assert told[0].check(CheckName.CHIP_AUTHENTICATION).verdict is Verdict.PASSED
