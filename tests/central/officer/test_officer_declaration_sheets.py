"""The declaration's sheets: every field of the form, in order, whoever wrote whatever into it."""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from central.messages import LANGUAGES, Catalogue, Words
from central.officer.declaration_form import FOLDER, TEMPLATES, cash_norm, declaration_page, declaration_pdf
from contracts.declaration import GoodsItem, GoodsKind, ItemDocument
from declarations.forms.model import Declarant, PassengerDeclaration, Vehicle
from declarations.packs import load_pack

sys.path.append(str(Path(__file__).resolve().parents[2] / "declarations"))
from form_scene import full_form

CATALOGUE = Catalogue.load()
LABELS = {name: json.loads((TEMPLATES / FOLDER / f"labels.{name}.json").read_text()) for name in LANGUAGES}
# What the description of the form asks, in its order: section by section, then the annex.
FIELDS = (  # noqa: SIM905 - a list of a hundred quoted names is no easier to read
    "title who_fills s1 surname given_names patronymic identity_document paper_country paper_series paper_number "
    "paper_issued permanent_address temporary_address departure_country destination_country minors "
    "s2 manner.1 manner.2 manner.3 s3 purpose purpose.1 purpose.3 purpose.4 purpose.5 "
    "category.01 category.02 category.03 category.04 category.05 category.06 category.07 category.08 category.09 "
    "category.10 s4 item_number item_description hs_code item_document item_measure item_value "
    "s5 purpose.1 purpose.2 purpose.3 purpose.4 purpose.5 vehicle.relief vehicle.road vehicle.vessel "
    "vehicle.aircraft vehicle.part vehicle.make_model vehicle.registration vehicle.made vehicle.vin "
    "vehicle.engine_cm3 vehicle.body vehicle.chassis vehicle.value "
    "s6 liability date signature representative customs customs.marks customs.officer customs.number "
    "customs.stamp "
    "annex a1 surname given_names birth_date identity_document stay_document a2 currency amount a3 currency "
    "amount a4 instrument.name instrument.issuer instrument.issued instrument.number instrument.nominal "
    "instrument.pieces "
    "a5 owner.self owner.other a6 origin.01 origin.02 origin.03 origin.04 origin.05 origin.06 origin.07 origin.08 "
    "origin.99 a7 use.01 use.02 use.03 use.04 use.99 a8 departure arrival transit mode mode.10 mode.20 mode.30 "
    "mode.40 mode.99 liability date signature representative customs customs.marks customs.officer customs.number "
    "customs.stamp"
).split()


def words(language: str) -> Words:
    return Words(CATALOGUE, language, ZoneInfo("Europe/Minsk"))


@cache
def norm(language: str) -> str:
    return cash_norm(load_pack("eaeu-by"), words(language))


def page(form: PassengerDeclaration | None, language: str = "en") -> str:
    """The words of the sheets, in reading order."""
    html = declaration_page(form, words(language), cash_norm=norm(language))
    body = html[html.index("<section") :]
    text = re.sub(r"<[^>]+>", "\n", body)
    for entity, character in (("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def text_of(pdf: bytes) -> list[str]:
    """The text of each sheet, without white space, as another program reads it."""
    from pdfminer.converter import TextConverter
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage

    sheets, resources = [], PDFResourceManager()
    for sheet in PDFPage.get_pages(BytesIO(pdf)):
        written = StringIO()
        PDFPageInterpreter(resources, TextConverter(resources, written)).process_page(sheet)
        sheets.append(re.sub(r"\s", "", written.getvalue()))
    return sheets


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_of_the_form_is_there_in_its_order(language: str) -> None:
    labels, at = LABELS[language], 0
    for form in (None, full_form()):
        text, at = page(form, language), 0
        for field in FIELDS:
            label = labels[field].format(norm=norm(language))
            found = text.find(label, at)
            assert found >= 0, f"{field} is not there, or not after what comes before it"
            at = found


def test_the_labels_are_the_same_in_every_language() -> None:
    figures = re.compile(r"\{(\w+)\}")
    for language in LANGUAGES:
        assert set(LABELS[language]) == set(LABELS["en"])
        for name, label in LABELS[language].items():
            assert label.strip() and figures.findall(label) == figures.findall(LABELS["en"][name]), name


def test_the_sum_for_the_annex_comes_from_the_rule_pack() -> None:
    assert norm("en") == "10,000 US dollars"
    assert "10,000 US dollars" in page(None) and "10" not in LABELS["en"]["category.01"]


def ticked(form: PassengerDeclaration, label: str) -> bool:
    html = declaration_page(form, words("en"), cash_norm=norm("en"))
    found = re.findall(r'<span class="box">(.?)</span>(?:\d\d )?' + re.escape(label), html)
    assert found, label
    return found[0] == "✕"


@pytest.mark.parametrize(
    ("label", "there"),
    [
        ("accompanied baggage", True),
        ("unaccompanied baggage", False),
        ("import (free circulation)", True),
        ("transit", False),
        ("Goods over the norms", True),
        ("Cultural property", False),
        ("The money is my own", True),
        ("The owner is another person", True),
        ("salary, business", True),
        ("inheritance", True),
        ("loan", False),
        ("current spending", True),
        ("air", True),
        ("rail", False),
    ],
)
def test_boxes_are_ticked_for_what_was_said(label: str, there: bool) -> None:
    assert ticked(full_form(), label) is there


def test_vehicles_are_printed_empty_and_filled() -> None:
    assert page(full_form()).count("Motor vehicle, trailer") == 1
    car = Vehicle(kind="road", purpose="2", make_model="Zaporozhets 968", registration="AA 1", vin="A" * 17)
    filled = page(full_form(vehicles=(car, car)))
    assert filled.count("Zaporozhets 968") == 2 and filled.count("A" * 17) == 2


def test_the_annex_is_there_only_for_money() -> None:
    assert LABELS["en"]["annex"] not in page(full_form(money=(), categories=()))


def test_a_draft_says_so_on_every_side_that_is_signed() -> None:
    draft = page(full_form(certified_at=None, version=2, amends="a" * 64))
    assert draft.count(LABELS["en"]["draft"]) == 2 and "Certified electronically" not in draft
    assert LABELS["en"]["draft"] not in page(full_form())
    assert "Signed on paper before officer Olga (olga), 21.11.2026" in page(full_form(witness="Olga (olga)"))


def test_two_sides_and_the_annex_hold_an_ordinary_declaration() -> None:
    sheets = text_of(declaration_pdf(full_form(), words("ru"), cash_norm=norm("ru")))
    assert len(sheets) == 3
    assert "LINDEN" in sheets[0] and "lens400mm" in sheets[1] and "KarlLinden" in sheets[2]
    blank = text_of(declaration_pdf(None, words("ru"), cash_norm=norm("ru")))
    assert len(blank) == 3


def test_five_hundred_items_go_on_continuation_sheets_and_none_is_lost() -> None:
    items = tuple(GoodsItem(kind=GoodsKind.GOODS, description=f"thing{number}.") for number in range(1, 501))
    sheets = text_of(declaration_pdf(full_form(items=items, money=()), words("en"), cash_norm=norm("en")))
    assert all(f"thing{number}." in "".join(sheets) for number in range(1, 501))
    assert "Continuationsheet" in sheets[2] and "Customs".lower() in sheets[1].lower()
    assert all(sheet.endswith(f"{number}/{len(sheets)}") for number, sheet in enumerate(sheets, start=1))


def test_the_longest_words_break_nothing_and_nothing_is_cut() -> None:
    paper = ItemDocument(name="N" * 119 + "7", number="U" * 119 + "8", issued_by="I" * 119 + "9")
    longest = full_form(
        declarant=Declarant(
            surname="S" * 119 + "1", given_names="G" * 119 + "2", patronymic="P" * 119 + "3",
            permanent_address="A" * 499 + "4", temporary_address="T" * 499 + "5", birth_date=date(1984, 8, 12),
        ),
        items=(
            GoodsItem(
                kind=GoodsKind.GOODS,
                description="D" * 499 + "6",
                documents=(paper,) * 10,
            ),
        ),
    )  # fmt: skip
    text = "".join(text_of(declaration_pdf(longest, words("be"), cash_norm=norm("be"))))
    for letter, last in ("S1", "G2", "P3", "A4", "T5", "D6"):
        assert letter * 20 in text and letter + last in text
    assert text.count("N7,") == 10 and text.count("U8,") == 10 and text.count("I9") == 10


def test_what_is_written_from_right_to_left_stays_in_its_own_box() -> None:
    turned = full_form(declarant=Declarant(surname="الحداد", given_names="\u202eevil"))
    html = declaration_page(turned, words("en"), cash_norm=norm("en"))
    assert "<bdi>الحداد</bdi>" in html and "<bdi>\u202eevil</bdi>" in html
    assert not re.search(r"(?<!<bdi>)الحداد", html), "a name outside of its isolation turns what stands beside it"


def test_nothing_that_a_traveller_writes_is_markup_or_fetched() -> None:
    evil = '<img src="file:///etc/passwd"><style>@import "http://127.0.0.1:1/"</style>{{ 7 * 7 }}'
    form = full_form(items=(GoodsItem(kind=GoodsKind.GOODS, description=evil),))
    html = declaration_page(form, words("en"), cash_norm=norm("en"))
    assert "<img" not in html and html.count("<style>") == 1 and "{{ 7 * 7 }}" in html
    assert declaration_pdf(form, words("en"), cash_norm=norm("en")).startswith(b"%PDF-")
