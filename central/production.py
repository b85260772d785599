"""What the production profile refuses: anything of a demonstration, and anything left as it came (rule 10)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from central.config import CentralConfig
from central.keys import KeyFileError, Purpose, load_key_file, readable_by_others
from central.storage import Storage
from central.storage.models import Station, StoredRates, StoredUser
from declarations.money import DEMONSTRATION, load_rates

KEY_FILES: tuple[tuple[Purpose, str], ...] = (
    ("master", "master_key_file"),
    ("receipt", "receipt_key_file"),
    ("evidence", "evidence_key_file"),
    ("session", "session_secret_file"),
    ("sampling", "sampling_seed_file"),
)


class NotForProduction(ValueError):
    """A service that must not serve real travellers; the text says everything that stands against it."""


def refusals(config: CentralConfig) -> list[str]:
    """Every reason why this configuration may not run as production, in sentences. Empty: it may."""
    return [*_configuration(config), *_keys(config), *_database(config)]


def _configuration(config: CentralConfig) -> Iterator[str]:
    if config.sampling_rotation == "none":
        yield "sampling_rotation is none: the random sample could be foreseen; a production seed changes daily"
    if config.effective_sampling_rate <= 0 or config.sampling_floor <= 0:
        yield "sampling_floor is 0: a random sample is taken everywhere, from everybody"
    if not config.allowed_hosts:
        yield "allowed_hosts is empty: name the host names under which this service answers"
    if not config.trusted_anchors:
        yield "trusted_anchors is empty: name the country signing certificates that kiosks may rely upon"
    if not config.watch_list_files:
        yield "watch_list_files is empty: nobody would be screened"
    if config.rates_file is not None:
        try:
            if load_rates(config.rates_file).demonstration:
                yield f"{config.rates_file}: these are demonstration rates"
        except (OSError, ValueError):
            yield f"{config.rates_file}: not a rates file"


def _keys(config: CentralConfig) -> Iterator[str]:
    seen: dict[bytes, str] = {}
    for purpose, name in KEY_FILES:
        path: Path = getattr(config, name)
        try:
            ring = load_key_file(path, purpose)
        except KeyFileError as problem:
            yield str(problem)
            continue
        if readable_by_others(path):
            yield f"{path}: readable by others; its mode must be 0600"
        if any(key.demo for key in ring.keys):
            yield f"{path}: a demonstration key"
        for key in ring.keys:
            if len(set(key.secret)) < 8:
                yield f"{path}: a default secret, not a random one"
            if key.secret in seen:
                yield f"{path}: the same secret as {seen[key.secret]}"
            seen[key.secret] = str(path)


def _database(config: CentralConfig) -> Iterator[str]:
    if config.database.startswith("sqlite:///") and not Path(config.database.removeprefix("sqlite:///")).exists():
        yield from _without_rates(config)
        return
    storage = Storage(config.database)
    try:
        tables = set(inspect(storage.engine).get_table_names())
        if not {"users", "stations"} <= tables:
            yield from _without_rates(config)
            return
        with storage.read() as session:
            for user in session.scalars(select(StoredUser).where(StoredUser.demo.is_(True))):
                yield f"user {user.user_id} is a demonstration account"
            if "rate_versions" in tables:
                yield from _imported_rates(session, config)
            for station in session.scalars(select(Station).where(Station.demo.is_(True))):
                yield f"{station.kind} {station.station_id} is enrolled with a demonstration key"
            for station in session.scalars(select(Station)):
                drivers = (station.heartbeat or {}).get("drivers", [])
                simulated = sorted({driver["device"] for driver in drivers if driver.get("simulated")})
                if simulated:
                    yield f"kiosk {station.station_id} last reported simulated devices: {', '.join(simulated)}"
    finally:
        storage.close()


def _imported_rates(session: Session, config: CentralConfig) -> Iterator[str]:
    """Rates may come in while central runs; what lies there must be real ones."""
    newest = session.scalars(
        select(StoredRates.source)
        .where(StoredRates.site_id == config.site_id)
        .order_by(StoredRates.date.desc(), StoredRates.version.desc())
        .limit(1)
    ).first()
    if newest is None:
        yield from _without_rates(config)
    elif newest == DEMONSTRATION and config.rates_file is None:
        yield "the newest imported rates are demonstration figures; import official ones or name a rates_file"


def _without_rates(config: CentralConfig) -> Iterator[str]:
    if config.rates_file is None:
        yield "rates_file is missing and no rates were imported: the shipped ones are demonstration figures"
