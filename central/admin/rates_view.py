"""The exchange rates as administrators read them: which count today, whether they hold, what came before."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from central.access.permissions import Permission, User
from central.messages import Words
from central.rates import RatesVersion
from central.service import Central
from declarations.money import Rates

_FIRST = ("EUR", "USD", "GBP", "RUB", "BYN", "CNY")  # what travellers carry most comes first


@dataclass(frozen=True)
class RateRow:
    currency: str
    rate: str
    change: str


@dataclass(frozen=True)
class ImportRow:
    number: str
    day: str
    source: str
    origin: str
    imported: str
    digest: str


@dataclass(frozen=True)
class RatesPage:
    state: Literal["of_today", "stale", "missing", "demonstration"]
    state_words: str
    says: str
    what_follows: str
    unit: str
    rows: tuple[RateRow, ...]
    history: tuple[ImportRow, ...]
    endpoint: str
    base: str
    today: str
    may_change: bool


def rates_view(central: Central, user: User, words: Words) -> RatesPage:
    """The rates for today, and that they are missing or stale where they are."""
    today = central.clock().astimezone(central.timezone).date()
    rates, history = central.exchange.on(today), central.exchange.history()
    state: Literal["of_today", "stale", "missing", "demonstration"] = "of_today"
    if not rates.rates:
        state = "missing"
    elif not rates.in_force(today):
        state = "stale"
    elif rates.demonstration:
        state = "demonstration"
    says = (
        ""
        if state == "missing"
        else words("rates.says", day=words.calendar_day(rates.date), source=_source(rates.source, words))
    )
    if rates.valid_through is not None and state != "missing":
        says += " " + words("rates.holds_until", day=words.calendar_day(rates.valid_through))
    before = _before(central, rates, history)
    return RatesPage(
        state=state,
        state_words=words(f"rates.state.{state}"),
        says=says,
        what_follows=words("rates.refers") if state in ("missing", "stale") else "",
        unit=words(f"rates.unit.{rates.quote}", base=rates.base) if rates.rates else "",
        rows=tuple(_row(code, rates, before, words) for code in _ordered(rates)),
        history=tuple(_import(one, words) for one in history),
        endpoint=central.config.rates_url,
        base=rates.base if rates.rates else central.pack.duty_currency,
        today=today.isoformat(),
        may_change=user.may(Permission.RULES_CHANGE, site_id=central.config.site_id),
    )


def rates_refusal(reason: str, place: str, words: Words) -> str:
    """Why no rates were taken, and what it is about."""
    return words("rates.refused", why=words(f"rates.refused.{reason}", place=place))


def _before(central: Central, rates: Rates, history: tuple[RatesVersion, ...]) -> Rates | None:
    """The import that counted before these."""
    for place, one in enumerate(history):
        if one.sha256 == rates.content_hash:
            return central.exchange.version(history[place + 1].number) if place + 1 < len(history) else None
    return None


def _ordered(rates: Rates) -> list[str]:
    named = [code for code in _FIRST if code in rates.rates]
    return [code for code in (*named, *sorted(set(rates.rates) - set(named))) if code != rates.base]


def _row(code: str, rates: Rates, before: Rates | None, words: Words) -> RateRow:
    rate = rates.rates[code]
    change = ""
    comparable = before is not None and (before.base, before.quote) == (rates.base, rates.quote)
    if comparable and before is not None and code in before.rates:
        share = float(rate / before.rates[code] - 1)
        sign = "+" if share > 0 else ""
        change = words("rates.unchanged") if share == 0 else f"{sign}{words.share(share, 2)}"
    return RateRow(code, words.number(rate, _places(rate)), change)


def _places(rate: Decimal) -> int:
    exponent = rate.as_tuple().exponent
    return max(4, -exponent) if isinstance(exponent, int) else 4


def _import(one: RatesVersion, words: Words) -> ImportRow:
    name = words("rules.set_up") if one.imported_by == "set-up" else one.imported_by
    return ImportRow(
        number=str(one.number),
        day=words.calendar_day(one.date),
        source=_source(one.source, words),
        origin=words(f"rates.origin.{one.origin.replace('-', '_')}"),
        imported=words("trust.by", name=name, moment=words.moment(one.imported_at)),
        digest=one.sha256,
    )


def _source(source: str, words: Words) -> str:
    return words("rates.demonstration") if source == "demonstration" else source
