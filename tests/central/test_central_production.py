"""The production profile: each thing of a demonstration is named, and nothing starts (rule 10)."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from central_scene import Sender, write_config

from central import create_app
from central.access.users import InvalidUser
from central.command import main
from central.keys import Purpose, create_key_file
from central.kiosks import InvalidStation, enroll
from central.production import KEY_FILES, NotForProduction, refusals
from central.service import Central, central_of
from contracts.api import Heartbeat
from contracts.transaction import DriverProvenance

ANCHOR = "ab" * 32
RATES = '{"base": "BYN", "date": "2026-11-21", "source": "National Bank", "rates": {"EUR": "3.4", "USD": "3.1"}}'
LIST = "name,birth_date,list,reason_code,owner,expires\n"


def production_config(directory: Path, **changes: object) -> object:
    rates, listed = directory / "rates.json", directory / "list.csv"
    rates.write_text(RATES)
    listed.write_text(LIST)
    values: dict[str, object] = {
        "profile": "production",
        "sampling_rate": 0.03,
        "sampling_floor": 0.01,
        "sampling_rotation": "day",
        "allowed_hosts": ("central.example",),
        "trusted_anchors": (ANCHOR,),
        "watch_list_files": (listed,),
        "rates_file": rates,
    }
    made = write_config(directory, **(values | changes))
    for purpose, name in KEY_FILES:
        path: Path = getattr(made, name)
        path.unlink()
        create_key_file(path, purpose, demo=False)
    return made


def test_a_real_site_starts(tmp_path: Path) -> None:
    assert refusals(production_config(tmp_path)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sampling_rotation": "none"}, "sampling_rotation"),
        ({"sampling_floor": 0.0}, "sampling_floor"),
        ({"allowed_hosts": ()}, "allowed_hosts"),
        ({"trusted_anchors": ()}, "trusted_anchors"),
        ({"watch_list_files": ()}, "watch_list_files"),
        ({"rates_file": None}, "rates_file"),
    ],
)
def test_each_setting(tmp_path: Path, changes: dict[str, object], named: str) -> None:
    found = refusals(production_config(tmp_path, **changes))  # type: ignore[arg-type]
    assert len(found) == 1
    assert named in found[0]


@pytest.mark.parametrize(("purpose", "name"), KEY_FILES)
def test_each_key(tmp_path: Path, purpose: Purpose, name: str) -> None:
    made = production_config(tmp_path)
    path: Path = getattr(made, name)
    path.chmod(0o644)
    assert any("readable by others" in reason for reason in refusals(made))  # type: ignore[arg-type]
    path.unlink()
    assert any("cannot be read" in reason for reason in refusals(made))  # type: ignore[arg-type]
    create_key_file(path, purpose, demo=True)
    assert any("a demonstration key" in reason for reason in refusals(made))  # type: ignore[arg-type]
    path.unlink()
    create_key_file(path, purpose, demo=False, secret=b"\0" * 32)
    assert any("a default secret" in reason for reason in refusals(made))  # type: ignore[arg-type]


def test_demo_accounts_stations_and_simulated_devices(central: Central, kiosk: Sender) -> None:
    heartbeat = Heartbeat(
        site_id="minsk-2",
        kiosk_id="B3",
        sent_at=central.clock(),
        state="working",
        software="corridor-1",
        drivers=(DriverProvenance(device="scale", driver="mt_sics", simulated=True),),
    )
    kiosk.send("POST", "/api/v1/heartbeats", heartbeat.model_dump_json().encode())
    with central.storage.write() as session:
        central.users.create(
            session, user_id="demo", name="Demo", password="demonstration", grants=(), by="test",
            now=central.clock(), demo=True,
        )  # fmt: skip
    found = " / ".join(refusals(central.config))
    assert "user demo is a demonstration account" in found
    assert "kiosk B3 is enrolled with a demonstration key" in found
    assert "simulated devices: scale" in found


def test_a_running_production_service_lets_nothing_of_a_demonstration_in(tmp_path: Path) -> None:
    app = create_app(production_config(tmp_path))  # type: ignore[arg-type]
    central = central_of(app)
    try:
        with central.storage.write() as session, pytest.raises(InvalidUser, match="demonstration"):
            central.users.create(
                session, user_id="demo", name="Demo", password="demonstration", grants=(), by="test",
                now=central.clock(), demo=True,
            )  # fmt: skip
        for kind in ("kiosk", "exit"):
            with pytest.raises(InvalidStation, match="demonstration"):
                enroll(central, station_id="X1", kind=kind, public_key="A" * 43, by="test", demo=True)  # type: ignore[arg-type]
    finally:
        central.close()


def test_another_server_does_not_get_round_the_refusal(tmp_path: Path) -> None:
    with pytest.raises(NotForProduction, match="rates_file"):
        create_app(production_config(tmp_path, rates_file=None))  # type: ignore[arg-type]


def test_the_command_refuses_with_every_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "central.toml"
    names = {"session": "session_secret_file", "sampling": "sampling_seed_file"}
    keys = [f'{names.get(purpose, f"{purpose}_key_file")} = "keys/{purpose}.json"' for purpose, _ in KEY_FILES]
    path.write_text(
        "\n".join(['profile = "demo"', 'site_id = "minsk-2"', 'site_name = "Minsk"', 'data_dir = "data"', *keys])
    )
    config = ["--config", str(path)]
    assert main(["init", *config]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough password\n"))
    grant = ["--grant", "officer:customs:minsk-2"]
    assert main(["users", "add", *config, "--id", "olga", *grant, "--password-stdin", "--demo"]) == 0
    assert main(["replay", "--all", *config]) == 0
    assert main(["audit", "verify", *config]) == 0
    assert main(["retention", "run", *config]) == 0
    capsys.readouterr()
    assert main(["run", *config, "--profile", "production"]) == 2
    said = capsys.readouterr().err
    assert said.count("refused:") >= 9
    assert main(["audit", "verify", "--config", str(tmp_path / "none.toml")]) == 2
    assert main(["run"]) == 2
    assert "/etc/corridor/central.toml" in capsys.readouterr().err
    path.write_text(path.read_text() + "\nunheard_of = 1\n")
    assert main(["init", *config]) == 2
    assert "unheard_of" in capsys.readouterr().err
