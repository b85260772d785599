"""The passenger declaration on paper: a form, or nothing, becomes the official two sides, annex and all, as PDF.

Labels are data beside the template, one file per language. Nothing is fetched while a page is set: no network, no
file, whatever a traveller wrote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, get_currency_name
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from central.messages import Words
from contracts.declaration import GoodsCategory, GoodsItem, GoodsKind
from declarations.forms.model import PassengerDeclaration
from declarations.packs import RulePack

FOLDER = "print/passenger_declaration"
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# How many lines of section 4 the back side has room for, and how many letters of a description go on one.
BACK_LINES = 28
LETTERS = 34


def declaration_pdf(form: PassengerDeclaration | None, words: Words, *, cash_norm: str) -> bytes:
    """The form as PDF in the language of `words`; None prints a blank one.

    `cash_norm` is the sum above which cash goes on the annex, in words.
    """
    from weasyprint import HTML

    page = declaration_page(form, words, cash_norm=cash_norm)
    pdf: bytes = HTML(string=page, base_url=None, url_fetcher=_fetches_nothing).write_pdf()
    return pdf


def declaration_page(form: PassengerDeclaration | None, words: Words, *, cash_norm: str) -> str:
    """What the PDF is set from, as HTML."""
    labels = _labels(words.language)
    here, beyond = _shared_out(form.items if form else ())
    return (
        _environment()
        .get_template(f"{FOLDER}/form.html")
        .render(
            form=form,
            language=words.language,
            items_here=here,
            items_beyond=beyond,
            categories=[category.value for category in GoodsCategory],
            cash_norm=cash_norm,
            t=lambda name, /, **values: labels[name].format(**values),
            **_figures(words),
        )
    )


def cash_norm(pack: RulePack, words: Words) -> str:
    """The sum above which cash is declared in writing, by the pack in force: `10,000 US dollars`."""
    for rule in pack.rules:
        if (
            rule.category is GoodsCategory.CASH
            and rule.amount
            and rule.currency
            and rule.comparator in (">", ">=")
        ):
            name = get_currency_name(rule.currency, count=rule.amount, locale=words.locale)
            return f"{words.number(rule.amount)} {name}"
    return "…"


def _figures(words: Words) -> dict[str, Callable[..., str]]:
    """Figures, days and names in the form's language."""
    locale = words.locale

    def country(code: str | None) -> str:
        """The name of a country by two letters or three; ICAO's own codes stay as they are."""
        two = (get_global("territory_aliases").get(code) or [code])[0] if code else None
        return f"{words.country(two)} ({code})" if two and words.country(two) != two else code or ""

    def kind(value: GoodsKind) -> str:
        return words.either(f"kind.{value.value}", value.value.replace("_", " "))

    def moment(value: datetime) -> str:
        return str(format_datetime(value.astimezone(words.timezone), "dd.MM.y HH:mm", locale=locale))

    def day(value: date | None) -> str:
        return str(format_date(value, "dd.MM.y", locale=locale)) if value else ""

    def currency(code: str) -> str:
        name: str | None = Locale.parse(locale).currencies.get(code)
        return name or ""

    def number_of(value: Decimal) -> str:
        return str(format_decimal(value.normalize(), format="#,##0.###", locale=locale))

    def sum_of(value: Decimal) -> str:
        whole = value == value.to_integral_value()
        return str(format_decimal(value, format="#,##0" if whole else "#,##0.00#", locale=locale))

    def countries(codes: Sequence[str]) -> str:
        return ", ".join(map(country, codes))

    return {
        "country": country,
        "countries": countries,
        "kind": kind,
        "moment": moment,
        "day": day,
        "currency": currency,
        "number_of": number_of,
        "sum_of": sum_of,
    }


def _shared_out(items: Sequence[GoodsItem]) -> tuple[Sequence[GoodsItem], Sequence[GoodsItem]]:
    """The items that have room on the back side, and those for continuation sheets."""
    lines = 0.0
    for index, item in enumerate(items):
        lines += _lines(item) + 0.4  # the rule between two rows
        if lines > BACK_LINES:
            return items[:index], items[index:]
    return items, ()


def _lines(item: GoodsItem) -> int:
    described = math.ceil((len(item.description) + 12) / LETTERS) + bool(item.hs_code) + (item.manner != "1")
    papers = sum(
        math.ceil((len(paper.name) + len(paper.number) + len(paper.issued_by) + 14) / LETTERS * 1.3)
        for paper in item.documents
    )
    measured = (item.quantity is not None) + (item.weight_kg is not None)
    return max(1, described, papers, measured)


@cache
def _labels(language: str) -> dict[str, str]:
    path = TEMPLATES / FOLDER / f"labels.{language}.json"
    labels: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return labels


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def _fetches_nothing(url: str, *_: Any, **__: Any) -> NoReturn:
    raise ValueError("a declaration is printed without fetching anything")
