"""Official exchange rates come in: from a file that an administrator gives, or from the address of the set-up.

What is imported is a new version beside the ones before, with its day, its source and who brought it. A figure
that has moved further than rates move in a day is taken for a mistake until somebody says that it is none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central import law_news
from central.access.permissions import Permission, User
from central.audit import PEOPLE, SERVICE
from central.law import SET_UP
from central.rates import NONE_YET, RatesVersion
from central.referrals import NotAllowed
from central.storage.models import StoredRates
from contracts.canonical import canonical_json
from contracts.events import AuditTag
from declarations import money
from declarations.money import Rates
from declarations.rates import parse_rates

if TYPE_CHECKING:
    from central.service import Central

LARGEST_FILE = 1024 * 1024
FROM_FILE, FROM_ENDPOINT = "file", "endpoint"
COMMAND_LINE = "command line"
_FURTHEST_AHEAD = timedelta(days=7)
_MOST_MOVED = Decimal("0.2")  # a fifth from one import to the next
_UNITS = frozenset(str(10**power) for power in range(7))  # a quotient by these is exact
_TIMEOUT_S, _DEADLINE_S = 5.0, 20.0


class InvalidRates(ValueError):
    """Rates that are not taken; `reason` is a stable code, `place` says where and what."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.reason, self.place = reason, place


def import_rates(
    central: Central, by: User | str, rates: Rates, *, origin: str = FROM_FILE, confirmed: bool = False
) -> RatesVersion:
    """Keep rates as the newest import of their day.

    `by` is who signed in, or the name of a process of this machine. `confirmed`: a person looked at figures that
    moved by more than a fifth. Raises NotAllowed, or InvalidRates: `demonstration`, `of_the_future`,
    `known_already`, `moved_too_far`.
    """
    if isinstance(by, User) and not by.may(Permission.RULES_CHANGE, site_id=central.config.site_id):
        raise NotAllowed
    now, site = central.clock(), central.config.site_id
    today = now.astimezone(central.timezone).date()
    if central.config.profile == "production" and rates.demonstration:
        raise InvalidRates("demonstration")
    if rates.date > today + _FURTHEST_AHEAD:
        raise InvalidRates("of_the_future", rates.date.isoformat())
    before = central.exchange.on(rates.date)
    if before == rates:
        raise InvalidRates("known_already", rates.date.isoformat())
    if not confirmed and not before.demonstration and (moved := _moved(before, rates)):
        raise InvalidRates("moved_too_far", moved)
    actor = by.user_id if isinstance(by, User) else by
    with central.storage.write() as session:
        row = _add(central, session, rates, origin, actor)
        law_news.announce(session, site)
        central.audit.append(
            session, chain=PEOPLE if isinstance(by, User) else SERVICE, tag=AuditTag.RATES_VERSION_IMPORTED,
            actor=actor, now=now, detail=_detail(row) | {"confirmed": confirmed},
        )  # fmt: skip
    central.broker.wake()
    return RatesVersion(row.version, rates.date, row.source, row.sha256, row.origin, actor, now)


def parse(
    content: bytes, *, day: date | None = None, base: str = "", source: str = "", valid_through: date | None = None
) -> Rates:
    """Rates out of a file: the National Bank's JSON, the ECB's XML, JSON of our own form, or CSV.

    CSV has the columns `currency` and `rate`, and `units` where a rate is for more than one unit; its day, base
    and source are given beside it. `valid_through` overrides how long the rates hold. Raises InvalidRates with the
    place and the reason.
    """
    if len(content) > LARGEST_FILE:
        raise InvalidRates("too_large")
    try:
        rates = _parse(content, day, base, source)
        if valid_through is not None:
            rates = Rates.model_validate(rates.model_dump() | {"valid_through": valid_through})
    except InvalidRates:
        raise
    except ValidationError as error:  # a ValueError that would quote its input
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise InvalidRates("not_valid", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]) from None
    except (ValueError, RecursionError) as error:
        raise InvalidRates("not_valid", " ".join(str(error).split())[:200]) from None
    return rates


def fetch(central: Central, by: User | str) -> RatesVersion:
    """Ask the address of the configuration (`rates_url`) for the rates of today and import them.

    https only, no redirects, within seconds and a megabyte. Raises NotAllowed, or InvalidRates: `no_endpoint`,
    `not_reached`, `too_large`, and what `parse` and `import_rates` refuse.
    """
    if isinstance(by, User) and not by.may(Permission.RULES_CHANGE, site_id=central.config.site_id):
        raise NotAllowed
    url = central.config.rates_url
    if not url:
        raise InvalidRates("no_endpoint")
    ca_file = central.config.rates_ca_file
    content = _download(url, str(ca_file) if ca_file is not None else True)
    return import_rates(central, by, parse(content), origin=FROM_ENDPOINT)


def begin(central: Central) -> None:
    """Take the rates of the configuration in, once each; outside production, without any, demonstration rates."""
    from central.service import keep_artifact

    config = central.config
    with central.storage.write() as session:
        # That there are no rates is an input of a decision like any other, kept for its replay.
        none = canonical_json(NONE_YET)
        keep_artifact(central, session, "rates", NONE_YET.content_hash, none, central.clock())
        if config.rates_file is not None:
            rates = money.load_rates(config.rates_file)
        elif config.profile != "production":
            rates = money.demonstration_rates()
        else:
            return
        site = config.site_id
        known = select(func.count()).where(StoredRates.site_id == site)
        if config.rates_file is not None:
            known = known.where(StoredRates.sha256 == rates.content_hash)
        if session.scalar(known):
            return
        row = _add(central, session, rates, SET_UP, SET_UP)
        law_news.announce(session, site)
        central.audit.append(
            session, chain=SERVICE, tag=AuditTag.RATES_VERSION_IMPORTED, actor="central", now=central.clock(),
            detail=_detail(row),
        )  # fmt: skip


def _add(central: Central, session: Session, rates: Rates, origin: str, actor: str) -> StoredRates:
    from central.service import keep_artifact

    site, now = central.config.site_id, central.clock()
    last = session.scalar(select(func.max(StoredRates.version)).where(StoredRates.site_id == site))
    row = StoredRates(
        site_id=site,
        version=(last or 0) + 1,
        date=rates.date.isoformat(),
        source=rates.source,
        sha256=rates.content_hash,
        content=canonical_json(rates),
        origin=origin,
        imported_by=actor,
        imported_at=now,
    )
    session.add(row)
    keep_artifact(central, session, "rates", row.sha256, row.content, now)
    return row


def _detail(row: StoredRates) -> dict[str, object]:
    return {
        "version": row.version,
        "date": row.date,
        "source": row.source,
        "sha256": row.sha256,
        "origin": row.origin,
    }


def _moved(before: Rates, after: Rates) -> str:
    """The currency that moved most, where it moved by more than a fifth: `EUR 3.445 → 34.45`."""
    if (before.base, before.quote) != (after.base, after.quote):
        return ""
    moves = {
        currency: abs(rate / before.rates[currency] - 1)
        for currency, rate in after.rates.items()
        if currency in before.rates
    }
    worst = max(moves, key=lambda currency: moves[currency], default=None)
    if worst is None or moves[worst] <= _MOST_MOVED:
        return ""
    return f"{worst} {before.rates[worst]} → {after.rates[worst]}"


def _parse(content: bytes, day: date | None, base: str, source: str) -> Rates:
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"[", b"{"):
        return parse_rates(content, source=source.strip())
    return _csv(content, day, base, source)


def _csv(content: bytes, day: date | None, base: str, source: str) -> Rates:
    if day is None or not base or not source.strip():
        raise InvalidRates("csv_needs_more")
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
    if not {"currency", "rate"} <= set(rows.fieldnames or ()):
        raise InvalidRates("csv_columns")
    rates: dict[str, Decimal] = {}
    for row in rows:
        place = f"line {rows.line_num}"
        currency = (row["currency"] or "").strip().upper()
        if currency in rates:
            raise InvalidRates("csv_twice", f"{place}: {currency}")
        rates[currency] = _figure(row, place)
    return Rates.model_validate({"base": base, "date": day, "source": source.strip(), "rates": rates})


def _figure(row: Mapping[str, str | None], place: str) -> Decimal:
    try:
        rate = Decimal((row["rate"] or "").strip())
        units = (row.get("units") or "1").strip()
    except InvalidOperation:
        raise InvalidRates("csv_figure", place) from None
    if not rate.is_finite() or rate <= 0 or units not in _UNITS:
        raise InvalidRates("csv_figure", place)
    return rate / int(units)


def _download(url: str, verify: str | bool) -> bytes:
    import time

    import requests

    begun = time.monotonic()
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy and no netrc decides where rates come from
            with session.get(
                url, timeout=_TIMEOUT_S, allow_redirects=False, stream=True, verify=verify
            ) as response:
                if response.status_code != 200:
                    raise InvalidRates("not_reached", str(response.status_code))
                content = b""
                for piece in response.iter_content(16_384):
                    content += piece
                    if len(content) > LARGEST_FILE:
                        raise InvalidRates("too_large")
                    if time.monotonic() - begun > _DEADLINE_S:
                        raise InvalidRates("not_reached", "timeout")
                return content
    except requests.RequestException as error:
        raise InvalidRates("not_reached", type(error).__name__) from None
