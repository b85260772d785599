"""The kiosk's configuration: one frozen value, read from a TOML file and handed to `create_app`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from contracts.base import Identifier
from contracts.party import Direction
from hardware.registry import DevicesConfig

Profile = Literal["demo", "test", "production"]
Move = Literal["turn_left", "turn_right", "nod"]


class ConfigError(ValueError):
    """A configuration that cannot be used; the text names the file, the place and the reason."""


class Timeouts(BaseModel):
    """Seconds. A warning leaves the traveller at least 20 to answer (EN 301 549, WCAG 2.2.1)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle_s: Annotated[float, Field(ge=5)] = 60.0
    warning_s: Annotated[float, Field(ge=20)] = 25.0
    result_s: Annotated[float, Field(ge=3)] = 30.0
    central_s: Annotated[float, Field(gt=0, le=30)] = 8.0
    heartbeat_s: Annotated[float, Field(ge=0.5)] = 5.0


class FaceRates(BaseModel):
    """False match rates from which on a face is a match, and a doubt. Never laxer than EES (0.05 %)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    match_rate: Annotated[float, Field(ge=1e-6, le=0.0005)] = 0.00002
    doubt_rate: Annotated[float, Field(ge=0.0005, le=0.05)] = 0.01
    printed_match_rate: Annotated[float, Field(ge=1e-6, le=0.0005)] = 0.000005


def _share() -> Path:
    return Path(sys.prefix) / "share" / "corridor"


class KioskConfig(BaseModel):
    """Everything a kiosk needs to know to start. Relative paths stand beside the file they are read from."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    profile: Profile
    site_id: Identifier
    site_name: str
    kiosk_id: Identifier
    timezone: str = "Europe/Minsk"
    direction: Direction = Direction.ARRIVAL
    flight: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,3}[0-9]{1,4}[A-Z]?$")] | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    trusted_hosts: tuple[str, ...] = ()  # further names a browser may call this kiosk by
    data_dir: Path
    central_url: str
    # Ed25519, base64url: what `corridor central init` names. Without it the first key seen is believed.
    central_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")] | None = None
    signing_key_file: Path
    outbox_key_file: Path
    trust_dir: Path
    rule_pack: str = "eaeu-by"
    languages: tuple[str, ...] = ("en", "ru", "be")
    models_dir: Path = Field(default_factory=lambda: _share() / "models")
    assets_dir: Path = Field(default_factory=lambda: _share() / "web")
    radio_profile: Identifier = "none"
    # What the face page asks for, two of them in random order. A kiosk whose travellers are films without a nod
    # leaves it out; every other asks for all.
    challenge_moves: Annotated[tuple[Move, ...], Field(min_length=2)] = ("turn_left", "turn_right", "nod")
    devices: DevicesConfig
    timeouts: Timeouts = Timeouts()
    face: FaceRates = FaceRates()

    @field_validator("devices", mode="before")
    @classmethod
    def _known_devices(cls, value: Any) -> DevicesConfig:
        if isinstance(value, DevicesConfig):
            return value
        if not isinstance(value, dict):
            raise ValueError("a table of device URLs")
        return DevicesConfig.from_table(value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
            raise ValueError("not a time zone of the IANA database") from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)

    @field_validator("central_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("an http or https address")
        return value.rstrip("/")


_PATHS = ("data_dir", "signing_key_file", "outbox_key_file", "trust_dir", "models_dir", "assets_dir")


def load_config(path: Path, **overrides: Any) -> KioskConfig:
    """Read a TOML file; `overrides` replace top-level values. Raises ConfigError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    table |= {name: value for name, value in overrides.items() if value is not None}
    for name in _PATHS:
        if isinstance(table.get(name), str):
            table[name] = path.parent / table[name]
    try:
        return KioskConfig(**table)
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'configuration'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise ConfigError(f"{path}: {reasons}") from None
