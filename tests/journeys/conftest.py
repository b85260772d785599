"""One house for all journeys: the real processes on loopback, started once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from journeys_stage import Stage
from journeys_travellers import write_travellers

from central.config import load_config
from central.service import build
from demo.house import House, default_specimens, open_house
from hardware.specimens.build import build_specimens


@pytest.fixture(scope="session")
def specimens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own specimens and those of the mutations, as one directory."""
    built = default_specimens()
    build_specimens(built)
    return write_travellers(built, tmp_path_factory.mktemp("travellers"))


@pytest.fixture(scope="session")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="session")
def house(specimens: Path, temporary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A demonstration whose temporary files have a place of their own, where a test can look for traces."""
    directory = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "TMPDIR", str(temporary))
        with open_house(specimens, keep=directory, light=("ultraviolet",)) as house:
            yield house


@pytest.fixture(scope="session")
def stage(house: House, temporary: Path) -> Iterator[Stage]:
    central = build(load_config(house.directory / "central.toml"))
    yield Stage(house, central, temporary)
    central.close()
