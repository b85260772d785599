"""A central service of one's own per test, with a kiosk, an exit and officers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from central_scene import EXIT, KIOSK, Clock, MakeConfig, Sender, add_user, enrolled, write_config
from flask import Flask

from central import create_app
from central.access.permissions import Role, User
from central.config import CentralConfig
from central.service import Central, central_of
from contracts.disposition import Agency


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_config(tmp_path: Path) -> MakeConfig:
    return lambda **changes: write_config(tmp_path, **changes)


@pytest.fixture
def config(make_config: MakeConfig) -> CentralConfig:
    return make_config()


@pytest.fixture
def app(config: CentralConfig, clock: Clock) -> Iterator[Flask]:
    made = create_app(config, clock)
    yield made
    central_of(made).close()


@pytest.fixture
def central(app: Flask) -> Central:
    return central_of(app)


@pytest.fixture
def kiosk(app: Flask, central: Central, clock: Clock) -> Sender:
    return enrolled(app, central, clock, KIOSK, "kiosk")


@pytest.fixture
def exit_gate(app: Flask, central: Central, clock: Clock) -> Sender:
    return enrolled(app, central, clock, EXIT, "exit")


@pytest.fixture
def officer(central: Central) -> User:
    return add_user(central, "olga", (Role.OFFICER, Agency.CUSTOMS), (Role.OFFICER, Agency.BORDER))


@pytest.fixture
def supervisor(central: Central) -> User:
    return add_user(central, "sergei", (Role.SUPERVISOR, Agency.CUSTOMS), (Role.SUPERVISOR, Agency.BORDER))
