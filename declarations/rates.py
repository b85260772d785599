"""Official rates as the banks publish them: bytes in, `Rates` out, or a reason with its place. Nothing is fetched.

National Bank of the Republic of Belarus: the JSON of its exrates service, roubles per `Cur_Scale` units. European
Central Bank: `eurofxref-daily.xml`, units per euro. Both are kept as they were published, without a division.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from declarations.bounded_xml import Element, parse
from declarations.money import Rates

LARGEST = 500_000  # bytes; both publish less than twenty thousand
MOST_CURRENCIES = 400
_SCALES = frozenset(10**power for power in range(7))  # a quotient by these ends

NBRB_SOURCE = "National Bank of the Republic of Belarus"
ECB_SOURCE = "European Central Bank"


def parse_rates(content: bytes, *, source: str = "", valid_through: datetime.date | None = None) -> Rates:
    """The rates of any form that is read here: NBRB JSON, ECB XML, or our own JSON.

    `source` is kept beside the bank's name; `valid_through` is the last day they hold where the file does not say.
    Raises ValueError with the place and the reason.
    """
    _bounded(content)
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        return parse_ecb(content, source=source, valid_through=valid_through)
    if start == b"[":
        return parse_nbrb(content, source=source, valid_through=valid_through)
    if start == b"{":
        return _rates(_json(content), "rates")
    raise ValueError("rates: neither XML nor JSON")


def parse_nbrb(content: bytes, *, source: str = "", valid_through: datetime.date | None = None) -> Rates:
    """Roubles per unit, from the answer of `exrates/rates?periodicity=0`. Raises ValueError as `parse_rates`."""
    _bounded(content)
    entries = _json(content)
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_CURRENCIES:
        raise ValueError(f"rates: a list of 1 to {MOST_CURRENCIES} currencies is expected")
    days, quoted = set(), []
    for place, entry in enumerate(entries, 1):
        if not isinstance(entry, Mapping):
            raise ValueError(f"entry {place}: not an object")
        code, scale, rate, day = (
            entry.get(name) for name in ("Cur_Abbreviation", "Cur_Scale", "Cur_OfficialRate", "Date")
        )
        where = f"entry {place} ({str(code)[:8]})"
        if isinstance(scale, bool) or not isinstance(scale, int) or scale not in _SCALES:
            raise ValueError(f"{where}, Cur_Scale: not a power of ten")
        if isinstance(rate, bool) or not isinstance(rate, int | Decimal):
            raise ValueError(f"{where}, Cur_OfficialRate: not a number")
        days.add(_day(day, f"{where}, Date"))
        quoted.append((where, code, Decimal(rate) / scale))
    if len(days) != 1:
        raise ValueError("rates, Date: more than one day")
    return _rates(
        {
            "base": "BYN",
            "date": days.pop(),
            "valid_through": valid_through,
            "source": _named(NBRB_SOURCE, source),
            "rates": _each_once(quoted),
        },
        "rates",
    )


def parse_ecb(content: bytes, *, source: str = "", valid_through: datetime.date | None = None) -> Rates:
    """Units per euro, from `eurofxref-daily.xml`. Raises ValueError as `parse_rates`."""
    _bounded(content)
    root = parse(content.removeprefix(b"\xef\xbb\xbf"), largest=LARGEST)
    dated = [element for element in _all(root) if element.local == "Cube" and "time" in element.attributes]
    if root.local != "Envelope" or len(dated) != 1:
        raise ValueError("rates: an Envelope with the Cube of one day is expected")
    (daily,) = dated
    quoted = []
    for element in daily.children:
        where = f"line {element.line}"
        code, rate = element.attributes.get("currency"), element.attributes.get("rate", "")
        if element.local != "Cube" or code is None:
            raise ValueError(f"{where}: not the rate of a currency")
        quoted.append((f"{where} ({code[:8]})", code, rate))
    if not 0 < len(quoted) <= MOST_CURRENCIES:
        raise ValueError(f"rates: 1 to {MOST_CURRENCIES} currencies are expected")
    return _rates(
        {
            "base": "EUR",
            "date": _day(daily.attributes["time"], f"line {daily.line}, time"),
            "valid_through": valid_through,
            "source": _named(ECB_SOURCE, source),
            "quote": "units_per_base",
            "rates": _each_once(quoted),
        },
        "rates",
    )


def _bounded(content: bytes) -> None:
    if len(content) > LARGEST:
        raise ValueError(f"rates: over {LARGEST} bytes")


def _json(content: bytes) -> Any:
    try:
        return json.loads(
            content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refused, object_pairs_hook=_said_once
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f"rates: {error}") from error


def _refused(number: str) -> Any:
    raise ValueError(f"{number} is no rate")


def _said_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in pairs:
        if name in said:
            raise ValueError(f"{name[:40]} is said twice")
        said[name] = value
    return said


def _day(said: object, place: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(said).removesuffix("T00:00:00"))
    except ValueError as error:
        raise ValueError(f"{place}: not a date") from error


def _named(bank: str, source: str) -> str:
    return f"{bank}, {source}" if source else bank


def _each_once(quoted: Iterable[tuple[str, Any, Any]]) -> dict[str, Any]:
    rates: dict[str, Any] = {}
    for where, code, rate in quoted:
        if not isinstance(code, str):
            raise ValueError(f"{where}: no code of a currency")
        if code in rates:
            raise ValueError(f"{where}: {code[:8]} is said twice")
        rates[code] = rate
    return rates


def _rates(content: Any, place: str) -> Rates:
    try:
        return Rates.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ", ".join(str(part)[:40] for part in first["loc"] if part != "[key]")
        raise ValueError(f"{place}{', ' if where else ''}{where}: {first['msg']}") from error


def _all(root: Element) -> Iterable[Element]:
    yield root
    for child in root.children:
        yield from _all(child)
