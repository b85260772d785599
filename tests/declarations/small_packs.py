"""Packs of a few rules, made for one test each."""

from __future__ import annotations

from typing import Any

from declarations.packs import RulePack, merge

EVERYWHERE: dict[str, Any] = {"directions": ["arrival"], "transport": ["40"]}


def rule(rule_id: str = "R-1", **said: Any) -> dict[str, Any]:
    """A rule on the worth of goods, over 100 EUR, unless told otherwise."""
    return {
        "id": rule_id,
        "title": "made for a test",
        "subject": "goods_value",
        "measure": "value",
        "kinds": ["goods"],
        "comparator": ">",
        "amount": "100",
        "currency": "EUR",
        "rate_date": "day_of_declaration",
        "effect": "declare",
        "code": "GOODS_OVER",
        "article": "article 1",
        "source": "a test",
        "status": "V",
        **EVERYWHERE,
        **said,
    }


def quantity(rule_id: str = "R-1", **said: Any) -> dict[str, Any]:
    """A rule on litres of wine, over 4 l, unless told otherwise."""
    made = rule(
        rule_id, subject="wine", measure="quantity", kinds=["wine"], unit="l", amount="4", code="WINE_OVER"
    )
    del made["currency"], made["rate_date"]
    return made | said


def note(rule_id: str = "N-1", **said: Any) -> dict[str, Any]:
    return {
        "id": rule_id,
        "title": "made for a test",
        "effect": "note",
        "article": "",
        "source": "a test",
        "status": "U",
        **EVERYWHERE,
        **said,
    }


def layer(*rules: dict[str, Any], name: str = "xx", **said: Any) -> dict[str, Any]:
    checks = {name: ["mrz_read"] for name in ("TD1", "TD2", "TD3", "MRV-A", "MRV-B", "unknown")}
    return {
        "layer": name,
        "over": None,
        "title": "Test",
        "version": "1",
        "duty_currency": "EUR",
        "coverage": EVERYWHERE,
        "rules": list(rules),
        "required_checks": checks,
        **said,
    }


def pack_of(*rules: dict[str, Any], **said: Any) -> RulePack:
    return merge("xx", [layer(*rules, **said)])
