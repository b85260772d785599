"""A missing or stale rate is said, never guessed."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from declarations.money import Rates, demonstration_rates, load_rates

DAY = date(2026, 11, 21)


def rates_file(directory: Path, **changes: Any) -> Path:
    content: dict[str, Any] = {"base": "BYN", "date": "2026-11-21", "source": "test", "rates": {"EUR": "3.445"}}
    path = directory / "rates.json"
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")
    return path


def test_a_rate_holds_on_its_day_only(tmp_path: Path) -> None:
    rates = load_rates(rates_file(tmp_path))
    assert rates.rate("EUR", DAY) == Decimal("3.445")
    assert rates.rate("BYN", DAY) == 1
    assert rates.rate("EUR", date(2026, 11, 20)) is None
    assert rates.rate("EUR", date(2026, 11, 22)) is None
    assert rates.rate("BYN", date(2026, 11, 22)) is None
    assert rates.rate("XTS", DAY) is None


def test_a_weekend_is_stated(tmp_path: Path) -> None:
    rates = load_rates(rates_file(tmp_path, valid_through="2026-11-23"))
    assert rates.rate("EUR", date(2026, 11, 23)) == Decimal("3.445")
    assert rates.rate("EUR", date(2026, 11, 24)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"rates": {"EUR": "0"}},
        {"rates": {"EUR": "-1"}},
        {"rates": {"EUR": "NaN"}},
        {"rates": {"EUR": "Infinity"}},
        {"rates": {"EUR": "1" * 40}},
        {"rates": {"euro": "1"}},
        {"rates": {"BYN": "2"}},
        {"valid_through": "2026-11-20"},
        {"date": "yesterday"},
        {"surprise": 1},
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rates\.json"):
        load_rates(rates_file(tmp_path, **changes))


def test_the_hash_tells_rates_apart(tmp_path: Path) -> None:
    first = load_rates(rates_file(tmp_path))
    assert load_rates(rates_file(tmp_path)).content_hash == first.content_hash
    assert load_rates(rates_file(tmp_path, rates={"EUR": "3.446"})).content_hash != first.content_hash


def test_demonstration_rates_say_what_they_are(tmp_path: Path) -> None:
    rates: Rates = demonstration_rates()
    assert rates.demonstration and rates.source == "demonstration"
    assert not load_rates(rates_file(tmp_path)).demonstration
    assert all(rates.rate(currency, DAY) for currency in ("BYN", "EUR", "USD", "RUB"))
