"""Configuration, keys, and what production refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.errors import ErrorCode
from hardware import registry
from hardware.specimens.issuer import SpecimenAuthority
from kiosk.command import main
from kiosk.config import ConfigError, KioskConfig, load_config
from kiosk.face import WEIGHTS
from kiosk.faces.pad.installed import InstalledCamera, Known
from kiosk.keys import KeyFileError, create_keys, load_outbox_key, load_signing_key
from kiosk.outbox import Outbox
from kiosk.production import refusals

TEXT = """
profile = "{profile}"
site_id = "msq"
site_name = "Minsk Airport"
kiosk_id = "K-01"
data_dir = "data"
central_url = "{central}"
signing_key_file = "signing.pem"
outbox_key_file = "outbox.key"
trust_dir = "trust"
radio_profile = "{radio}"
{more}
[devices]
{devices}
"""


def written(
    directory: Path,
    *,
    profile: str = "test",
    central: str = "https://central.example",
    radio: str = "none",
    more: str = "",
    devices: str = "",
) -> Path:
    path = directory / "kiosk.toml"
    path.write_text(TEXT.format(profile=profile, central=central, radio=radio, more=more, devices=devices))
    (directory / "trust").mkdir(exist_ok=True)
    return path


def test_paths_stand_beside_the_file(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, devices='scale = "mt-sics:/dev/ttyUSB0"'), profile="demo")
    assert config.data_dir == tmp_path / "data"
    assert config.profile == "demo"
    assert config.devices.scale == "mt-sics:/dev/ttyUSB0"


@pytest.mark.parametrize(
    ("more", "devices", "told"),
    [
        ("prot = 1", "", "prot"),
        ("port = 70000", "", "port"),
        ("[timeouts]\nwarning_s = 5", "", "timeouts.warning_s"),
        ("[face]\nmatch_rate = 0.001", "", "face.match_rate"),  # laxer than EES
        ("", 'scales = "x"', "devices.scales"),
        ("", 'scale = "usb:1"', "devices.scale"),
        ("[", "", "kiosk.toml"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, more: str, devices: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_config(written(tmp_path, more=more, devices=devices))


def test_keys_are_made_once_private_and_named(tmp_path: Path) -> None:
    public = create_keys(tmp_path, demonstration=False)
    assert create_keys(tmp_path, demonstration=False) == public
    assert len(public) == 43
    for name in ("signing.pem", "outbox.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    load_signing_key(tmp_path / "signing.pem")
    assert len(load_outbox_key(tmp_path / "outbox.key").key_id) == 16
    (tmp_path / "outbox.key").write_text("short\n")
    with pytest.raises(KeyFileError, match=r"outbox\.key"):
        load_outbox_key(tmp_path / "outbox.key")


def told(config: KioskConfig) -> str:
    devices = registry.open_devices(config.devices)
    try:
        return "\n".join(refusals(config, devices))
    finally:
        devices.close()


def test_production_refuses_everything_of_the_demonstration_at_once(tmp_path: Path) -> None:
    create_keys(tmp_path, demonstration=True)
    (tmp_path / "outbox.key").chmod(0o644)
    path = written(
        tmp_path,
        profile="production",
        central="http://central.example",
        radio="424",
        devices=f'document_camera = "file:{tmp_path}/page.png"\nultraviolet_camera = "file:{tmp_path}/page.png"\n'
        f'printer = "escpos:dummy:{tmp_path}"',
        more='host = "0.0.0.0"',
    )
    authority = SpecimenAuthority("UTO")
    (tmp_path / "trust" / "csca.cer").write_bytes(authority.csca_certificate)
    reasons = told(load_config(path))
    for place in (
        "devices.document_camera: a file",
        "devices.ultraviolet_camera: a file",
        "devices.printer",
        "radio_profile",
        "signing_key_file: a demonstration key",
        "outbox_key_file: a demonstration key",
        "outbox_key_file: readable",
        "trust_dir: specimen CSCA",
        "central_url: not https",
        "central_key: missing",
        "host:",
    ):
        assert place in reasons


def test_the_command_refuses_with_status_2_and_every_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create_keys(tmp_path, demonstration=True)
    path = written(tmp_path, central="http://central.example")
    assert main(["run", "--config", str(path), "--profile", "production"]) == 2
    told = capsys.readouterr().err
    assert told.count("refused in production") >= 4
    assert "no CSCA certificate" in told


def test_the_weights_are_those_of_the_manifest() -> None:
    manifest = json.loads((Path(__file__).parents[2] / "tools" / "models.json").read_text())
    listed = {entry["file"]: entry["sha256"] for entry in manifest}
    assert WEIGHTS.items() <= listed.items()


def test_without_a_configuration_the_commands_say_where_they_looked(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "devices", "outbox"):
        assert main([command]) == 2
        assert "/etc/corridor/kiosk.toml" in capsys.readouterr().err


def test_whoever_maintains_the_kiosk_accepts_another_face_camera(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create_keys(tmp_path, demonstration=True)
    path = written(tmp_path)
    data = load_config(path).data_dir
    data.mkdir(parents=True, exist_ok=True)
    installed = InstalledCamera(data)
    installed.note(Known("/dev/video0 uvc 7", (480, 640)))
    for said in ("The kiosk takes the camera", "No face camera was noted"):
        assert main(["devices", "--config", str(path), "--accept-face-camera"]) == 0
        assert capsys.readouterr().out.startswith(said)
        assert installed.read() is None


def test_the_outbox_command_counts_and_tells_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create_keys(tmp_path, demonstration=True)
    path = written(tmp_path)
    assert main(["outbox", "--config", str(path)]) == 0
    config = load_config(path)
    outbox = Outbox(config.data_dir / "outbox.sqlite", load_outbox_key(config.outbox_key_file), config.site_id)
    outbox.queue("r-1", b'{"surname":"LINDEN"}', now=1.0)
    outbox.queue("r-2", b'{"surname":"LINDEN"}', now=1.0)
    outbox.failed("r-2", ErrorCode.RECORD_INVALID, now=2.0, permanent=True)
    outbox.close()
    capsys.readouterr()
    assert main(["outbox", "--config", str(path)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["outbox"] == [
        {"state": "queued", "error": None, "records": 1},
        {"state": "refused", "error": "RECORD_INVALID", "records": 1},
    ]
    assert main(["outbox", "--config", str(path), "--offer-again"]) == 0
    assert json.loads(capsys.readouterr().out)["offered_again"] == 1
