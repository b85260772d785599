"""The frozen, typed configuration of the central service, read from one TOML file."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.base import Identifier, Sha256Hex
from contracts.declaration import TransportMode


class Retention(BaseModel):
    """Days that each class of stored data lives; the classes are `contracts.base.RetentionClass`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: Annotated[int, Field(ge=0)] = 30
    biometric: Annotated[int, Field(ge=0)] = 7
    evidence: Annotated[int, Field(ge=0)] = 30
    declaration: Annotated[int, Field(ge=0)] = 365 * 3
    outcome: Annotated[int, Field(ge=0)] = 365 * 5

    def days(self, retention: str) -> int:
        """Days of one class; KeyError for a class that central does not keep."""
        return int(self.model_dump()[retention])


class FaceGroups(BaseModel):
    """By which groups of travellers face comparison may be counted here, by what law; none unless it is said.

    They are read out of documents while those are kept; no group of fewer people than `least_group` is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: tuple[Literal["sex", "age_band", "issuer"], ...] = ()
    legal_basis: Annotated[str, Field(max_length=200)] = ""
    least_group: Annotated[int, Field(ge=10)] = 10

    @model_validator(mode="after")
    def _lawful(self) -> FaceGroups:
        if self.groups and not self.legal_basis.strip():
            raise ValueError("groups of travellers are counted by a law; name it as legal_basis")
        return self


class CentralConfig(BaseModel):
    """Everything that central needs to start. Paths are absolute after `load_config`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Literal["demo", "test", "production"]
    site_id: Identifier
    site_name: str
    timezone: str = "Europe/Minsk"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8600
    threads: Annotated[int, Field(ge=4, le=512)] = 64
    proxies: Annotated[int, Field(ge=0, le=4)] = (
        0  # how many of our own stand before: whose word on addresses counts
    )
    allowed_hosts: tuple[str, ...] = ()  # empty: any; production wants them named
    data_dir: Path
    database_url: str = ""  # empty: SQLite in data_dir
    master_key_file: Path
    receipt_key_file: Path
    evidence_key_file: Path
    session_secret_file: Path
    sampling_seed_file: Path
    sampling_rate: Annotated[float, Field(ge=0, le=1)] = 0.03
    sampling_floor: Annotated[float, Field(ge=0, le=1)] = 0.01
    sampling_rotation: Literal["day", "none"] = "day"
    rule_pack: Identifier = "eaeu-by"
    transport: TransportMode = TransportMode.AIR  # how people cross at this site
    watch_list_files: tuple[Path, ...] = ()
    rates_file: Path | None = None  # taken in at a start; None: the demonstration rates, outside production
    rates_url: Annotated[str, Field(pattern=r"^(https://.+)?$", max_length=500)] = ""  # asked on request only
    rates_ca_file: Path | None = None  # whom that address must be certified by; None: the system's authorities
    trusted_anchors: tuple[Sha256Hex, ...] = ()  # CSCA certificates that kiosks may rely upon; empty: any
    desks: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]{1,4}$")], ...] = ("4", "5")
    minutes_per_case: Annotated[int, Field(ge=1, le=120)] = 4
    no_show_minutes: Annotated[int, Field(ge=1)] = 15
    receipt_minutes: Annotated[int, Field(ge=1)] = 30
    session_idle_minutes: Annotated[int, Field(ge=1)] = 30
    session_hours: Annotated[int, Field(ge=1)] = 10
    retention: Retention = Retention()
    faces: FaceGroups = FaceGroups()
    assets_dir: Path = Path(sys.prefix) / "share/corridor/web"

    @model_validator(mode="after")
    def _fits_together(self) -> CentralConfig:
        ZoneInfo(self.timezone)
        if not self.desks:
            raise ValueError("a site has at least one desk")
        return self

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'central.sqlite'}"

    @property
    def effective_sampling_rate(self) -> float:
        """The share of travellers that the random sample draws: never below the floor (rule 6)."""
        return max(self.sampling_rate, self.sampling_floor)


def load_config(path: Path, **overrides: Any) -> CentralConfig:
    """Read a TOML file; relative paths in it are relative to the file.

    Raises ValueError (pydantic's or tomllib's) with the place of what is wrong, OSError if there is no file.
    """
    values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    values.update({name: value for name, value in overrides.items() if value is not None})
    base = path.resolve().parent

    def absolute(value: str) -> str:
        return str(base / value)

    for name in values:
        if name in ("data_dir", "assets_dir", "rates_file", "rates_ca_file") or name.endswith("_key_file"):
            values[name] = absolute(values[name])
    for name in ("session_secret_file", "sampling_seed_file"):
        if name in values:
            values[name] = absolute(values[name])
    values["watch_list_files"] = [absolute(value) for value in values.get("watch_list_files", [])]
    return CentralConfig.model_validate(values)
