"""Nothing of the demonstration is trusted in production: both commands refuse, and name every reason."""

from __future__ import annotations

import subprocess
import sys

import pytest

from demo.house import House

pytestmark = [pytest.mark.pcsc, pytest.mark.slow]


def refusal(house: House, application: str) -> list[str]:
    """What the command says, started on the demonstration's configuration in profile production."""
    config = str(house.directory / f"{application}.toml")
    done = subprocess.run(
        [sys.executable, "-m", "corridor", application, "run", "--config", config, "--profile", "production"],
        capture_output=True,
        text=True,
        env=house.environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def names(lines: list[str], *words: str) -> bool:
    return any(all(word in line for word in words) for line in lines)


def test_the_kiosk_of_the_demonstration_refuses_production(house: House) -> None:
    lines = refusal(house, "kiosk")
    cameras = ("document_camera", "ultraviolet_camera", "face_camera")
    for device in ("chip_reader", *cameras, "tag_scanner", "scale", "printer"):
        assert names(lines, f"devices.{device}"), (device, lines)
    assert names(lines, "signing_key_file", "demonstration key")
    assert names(lines, "outbox_key_file", "demonstration key")
    assert names(lines, "trust_dir", "specimen CSCA")


def test_the_central_of_the_demonstration_refuses_production(house: House) -> None:
    lines = refusal(house, "central")
    for key in ("master", "receipt", "evidence", "session", "sampling"):
        assert names(lines, f"{key}.json", "demonstration key"), (key, lines)
    for person in house.people:
        assert names(lines, f"user {person.name} is a demonstration account"), (person.name, lines)
    assert names(lines, "kiosk B3", "demonstration key")
    assert names(lines, "sampling_rotation")
    assert names(lines, "rates_file")
