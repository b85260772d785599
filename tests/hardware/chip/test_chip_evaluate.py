"""`corridor evaluate chip` over the real PC/SC daemon, directories of other origins, and a lift in the middle."""

from __future__ import annotations

import hashlib
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
from documents import tlv
from documents.lds import FILES, encode_com, encode_dg1
from documents.mrz import MrzKey, compose_td3, parse_mrz
from documents.reading import ChipReading
from documents.secure_messaging import AES_128
from documents.trust import TrustStore
from hardware.chip.evaluate import _optical, main
from hardware.chip.worker import ChipWorker
from hardware.pcsc_daemon import PcscDaemon
from hardware.simulators.card import PassportCard, SimulatedReader, read_chip_files
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


def checks(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, dict[str, str]]]:
    """The checks of each chip, by the directory's name."""
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["chips"]
    return {name: row["checks"] for name, row in told.items()}


def test_a_directory_without_a_chip_is_answered_beside_one_with_a_chip(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "keys.json").write_text("[]")
    (tmp_path / "other" / "EF_COM.bin").write_bytes(b"hello")
    assert main([str(tmp_path / "empty"), str(directory), "--at", MOMENT]) == 0
    told = checks(capsys)
    assert told["empty"]["access"] == {"verdict": "NOT_PRESENT", "reason": "no_chip"}
    assert told["chip"]["access"] == {"verdict": "PASSED", "reason": "ok"}
    assert main([str(tmp_path / "other")]) == 2
    assert "not an object" in capsys.readouterr().err
    assert main([str(tmp_path), "--mrz", "HELLO"]) == 2


def test_a_zone_with_a_misread_digit_opens_nothing_and_is_answered(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = LINES[1].replace("L898902C3", "L898902C4")
    assert main(["--mrz", LINES[0], spoilt, str(directory), "--at", MOMENT]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["checks"]
    assert told["access"] == {"verdict": "NOT_CHECKED", "reason": "no_key"}
    assert "PASSED" not in {check["verdict"] for check in told.values()}


@pytest.mark.parametrize("form", ["{0} {1}", "{0}\n{1}\n", "{0}\\n{1}", "{0}/{1}", "{0}{1}"])
def test_the_forms_of_a_zone_on_the_command_line(form: str) -> None:
    mrz = _optical(form.format(*LINES), datetime(2026, 11, 21, tzinfo=UTC))
    assert mrz.key == MrzKey("L898902C3", "740812", "320415")


def test_a_first_group_that_gives_no_key(
    tmp_path: Path, chip: ChipFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    """Gone, cut, or with a digit that disagrees, and no keys.json: the rest is read and judged all the same."""
    spoilt = chip.files["DG1"].replace(b"L898902C3", b"L898902C4")
    for name, content in {"gone": None, "cut": chip.files["DG1"][:40], "spoilt": spoilt, "sound": b""}.items():
        chip.write(tmp_path / name)
        (tmp_path / name / "keys.json").unlink()
        if content is None:
            (tmp_path / name / "Datagroup1.bin").unlink()
        elif content:
            (tmp_path / name / "Datagroup1.bin").write_bytes(content)
    directories = [str(tmp_path / name) for name in ("gone", "cut", "spoilt", "sound")]
    assert main([*directories, "--mrz", "\n".join(LINES), "--at", MOMENT]) == 0
    told = checks(capsys)
    assert {name: row["dg_hashes"]["reason"] for name, row in told.items()} == {
        "gone": "group_missing_dg1",
        "cut": "group_malformed_dg1",
        "spoilt": "hash_mismatch_dg1",
        "sound": "ok",
    }
    assert {row["sod_signature"]["verdict"] for row in told.values()} == {"PASSED"}
    assert told["spoilt"]["dg1_mrz"]["verdict"] == "FAILED"


def test_a_group_that_no_kiosk_reads_is_read_here_and_hashed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mrz = parse_mrz(LINES, date(2026, 11, 21))
    assert mrz.key is not None
    more = tlv.encode(0x6B, tlv.encode(0x5C, b"\x5f\x0e") + tlv.encode(0x5F0E, b"ERIKSSON<<ANNA<MARIA"))
    groups = {1: encode_dg1(LINES), 2: b"\x75\x02\x00\x00", 3: b"\x63\x02\x00\x00", 11: more}
    files = {"COM": encode_com(frozenset(groups)), "SOD": AUTHORITY.sign(groups)}
    files |= {f"DG{number}": content for number, content in groups.items()}
    sound = ChipFiles(files, (mrz.key.number, mrz.key.birth, mrz.key.expiry), None, (), None)
    sound.write(tmp_path / "sound")
    sound.write(tmp_path / "altered")
    (tmp_path / "altered" / "Datagroup11.bin").write_bytes(more[:-1] + b"O")
    assert main([str(tmp_path / "sound"), str(tmp_path / "altered"), "--at", MOMENT]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["chips"]
    assert set(told["sound"]["groups"]) == {"COM", "SOD", "DG1", "DG2", "DG11"}
    assert told["sound"]["groups"]["DG11"] == hashlib.sha256(more).hexdigest()
    assert told["sound"]["checks"]["dg_hashes"] == {"verdict": "PASSED", "reason": "ok"}
    assert told["altered"]["checks"]["dg_hashes"] == {"verdict": "FAILED", "reason": "hash_mismatch_dg11"}


@pytest.mark.parametrize(
    "form",
    ["EF_{0}.bin", "EF_{0}.BIN", "EF.{0}", "{0}.dat", "ef_{1}.bin", "sub/EF_{0}.bin"],
)
def test_the_names_that_others_give_the_files(tmp_path: Path, chip: ChipFiles, form: str) -> None:
    for name, content in chip.files.items():
        path = tmp_path / form.format(
            name, name.lower().replace("dg", "dg0") if name[2:] in "12" else name.lower()
        )
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "README.txt").write_text("no chip file")
    (tmp_path / "portrait.bin").write_bytes(b"nor this")
    identifiers = {file.name: file.identifier for file in FILES.values()}
    files, master_files = read_chip_files(tmp_path)
    assert master_files == {name: chip.files[name] for name in ("CardAccess", "CardSecurity")}
    assert files == {identifiers[name]: content for name, content in chip.files.items() if name in identifiers}


def test_the_files_of_two_chips_are_not_mixed(tmp_path: Path, chip: ChipFiles) -> None:
    chip.write(tmp_path / "one")
    chip.write(tmp_path / "two")
    with pytest.raises(ValueError, match="two chips"):
        read_chip_files(tmp_path)


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
