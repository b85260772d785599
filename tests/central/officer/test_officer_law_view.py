"""The law on a case page: at a glance, why per line in words, least amounts said so, corrections judged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from central_scene import PASSWORD, Clock
from flask import Flask
from officer_scene import CASH, FIVE_LITRES, OVER_ALCOHOL, Console, Guest, arrives

from central import law_case, referrals
from central.messages import LANGUAGES, Catalogue, Words
from central.officer.law_view import LawLine, Why, explained, glance, papers, sentence, total, written
from central.service import Central
from central.storage.models import StoredDeclaration
from contracts.declaration import Declaration, DeclaredChannel, GoodsItem, GoodsKind, TransportMode, Unit
from contracts.disposition import Agency
from contracts.party import Direction
from declarations.evaluate import PartyAssessment, PersonFacts, evaluate
from declarations.money import Rates
from declarations.packs import RulePack, load_pack, pack_names

CATALOGUE = Catalogue.load()
ON = date(2026, 11, 21)
PACK = load_pack("eaeu-by")
RATES = Rates.model_validate(
    {"base": "BYN", "date": "2026-11-21", "source": "National Bank", "rates": {"EUR": "3.4", "USD": "3.2"}}
)
NAMELESS = GoodsItem(kind=GoodsKind.ALCOHOL)  # a bottle of unknown size
WINE = GoodsItem(kind=GoodsKind.ALCOHOL, quantity=Decimal("2.5"), unit=Unit.LITRE)
COAT = GoodsItem(kind=GoodsKind.GOODS, value=Decimal(210), currency="USD")
WEAPON = GoodsItem(kind=GoodsKind.WEAPONS)
MEAT = GoodsItem(kind=GoodsKind.FOOD_ANIMAL, quantity=Decimal(7), unit=Unit.KILOGRAM)


def words(language: str = "en") -> Words:
    return Words(CATALOGUE, language, ZoneInfo("Europe/Minsk"))


def answered(*items: GoodsItem, age: int | None = 35, pack: RulePack = PACK) -> PartyAssessment:
    stated = Declaration(
        declared_channel=DeclaredChannel.RED,
        items=items,
        money=(CASH,),
        unaccompanied_baggage=False,
        rule_pack=pack.label,
        notice_version="1",
        language="en",
    )
    person = PersonFacts("p1", age, "lead", stated)
    return evaluate(pack, Direction.ARRIVAL, TransportMode.AIR, [person], RATES, ON)


def line_of(name: str, *items: GoodsItem, language: str = "en", age: int | None = 35) -> LawLine:
    lines, _ = explained(answered(*items, age=age), "p1", PACK, words(language))
    return next(line for line in lines if line.name == words(language)(f"kind.{name}"))


def texts(why: Why) -> Iterator[str]:
    yield why.text
    for child in why.children:
        yield from texts(child)


def glance_of(*items: GoodsItem, age: int | None = 35) -> dict[str, tuple[str, ...]]:
    return {row.key: row.answers for row in glance(answered(*items, age=age).persons["p1"], words())}


# -- why --------------------------------------------------------------------------------------------------------


def test_why_names_figure_rule_article_layer_formula_and_what_follows() -> None:
    why = line_of("alcohol", FIVE_LITRES).why
    assert why.text == "5.00 l, that is 2.00 l over the norm of 3.00 l"
    assert why.basis == "BY-06 · EEC Council Decision 107, annex 1 · layer eaeu"
    assert [child.text for child in why.children] == [
        "Alcohol over the norm: to be declared in box 3.3 of the form",
        "Owed: 10 EUR × (5 − 3) l = 20.00 EUR",
    ]
    assert all(child.basis == "" for child in why.children), "the rule of the line is not said again"


def test_why_names_the_rates_with_their_day_and_source() -> None:
    said = list(texts(line_of("goods_value", COAT).why))
    assert "Converted at 1 EUR = 3.4 BYN, 1 USD = 3.2 BYN (21 Nov 2026, National Bank)" in said


def test_why_leads_to_the_rule_for_its_readers_only() -> None:
    lines, _ = explained(answered(FIVE_LITRES), "p1", PACK, words(), rules="/admin/rules/versions/1")
    assert lines[0].why.href == "/admin/rules/versions/1/rules/BY-06"
    assert line_of("alcohol", FIVE_LITRES).why.href == ""


def test_reasons_that_are_of_no_line_are_said_beside_them() -> None:
    _, beside = explained(answered(FIVE_LITRES, age=None), "p1", PACK, words())
    assert [why.text for why in beside] == ["Age of the declarant not known: an officer looks"]
    assert beside[0].basis.startswith("BY-28")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in pack_names() if name not in ("jp", "kr", "hk", "sg")])
def test_every_worked_example_of_every_pack_is_explained_in_words(name: str, language: str) -> None:
    from declarations.examples import run

    pack = load_pack(name)
    for example in pack.examples:
        ran = run(pack, example, ON)
        party = PartyAssessment(pack.label, {"p1": ran.answer})
        lines, beside = explained(party, "p1", pack, words(language))
        for why in (*(line.why for line in lines), *beside):
            for text in texts(why):
                assert text and "{" not in text and "_" not in text, (example.id, text)
                assert not re.search(r"  |\(\)|: \.|\.\.", text), (example.id, text)
        assert total(ran.answer, words(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_paper_of_the_law_at_home_is_in_the_reader_s_words(language: str) -> None:
    asked = {rule.documents for rule in PACK.rules if rule.documents}
    assert len(asked) > 5
    said = {text: papers(text, words(language)) for text in asked}
    if language != "en":
        assert all(not re.search("[a-z]{4}", text) for text in said.values()), said
    assert papers("a paper that nobody knows", words(language)) == "a paper that nobody knows"


@pytest.mark.parametrize(
    ("language", "formula"),
    [("en", "10 EUR × (5,000 − 3.5) l ≥ 20.00 EUR"), ("ru", "10 EUR × (5\xa0000 − 3,5) л ≥ 20,00 EUR")],
)
def test_formulas_are_in_the_reader_s_figures_and_units(language: str, formula: str) -> None:
    assert written("10 EUR × (5000 − 3.5) l ≥ 20.00 EUR", words(language)) == formula
    assert written("10 EUR; max(600.00, 40.00): BY-04", words("ru")) == "10 EUR; max(600,00; 40,00): BY-04"
    assert written("30 %", words(language)) == "30 %" and written("10 EUR/kg", words("be")) == "10 EUR/кг"


def test_a_message_that_the_tree_may_get_later_is_an_error_and_no_empty_line() -> None:
    with pytest.raises(LookupError):
        sentence("line.unheard_of", {"kind": "alcohol", "unit": "l"}, words())


# -- least amounts, line by line --------------------------------------------------------------------------------


def test_what_is_only_the_least_is_said_to_be_so_on_its_line() -> None:
    line = line_of("alcohol", FIVE_LITRES, NAMELESS)
    assert (line.declared, line.result, line.duty) == (
        "at least 5.00 l",
        "over by at least 2.00 l",
        "at least 20.00 EUR",
    )
    assert "≥" in line.formula and line.bar is not None and line.bar.open
    assert "An amount is missing, so these figures are the least there can be" in list(texts(line.why))


def test_what_is_certain_is_not_called_the_least() -> None:
    line = line_of("alcohol", FIVE_LITRES)
    assert (line.declared, line.result, line.duty) == ("5.00 l", "over by 2.00 l", "20.00 EUR")
    assert line.bar is not None and not line.bar.open


def test_an_amount_that_nobody_stated_is_unknown_and_never_nothing() -> None:
    line = line_of("alcohol", NAMELESS)
    assert (line.declared, line.result, line.duty) == ("amount not known", "not known", "an officer assesses")
    assert line.matters and line.why.text == "No amount is known; the norm is 3.00 l"


def test_bars_show_what_is_used_and_what_lies_beyond_the_mark() -> None:
    over, within = line_of("alcohol", FIVE_LITRES).bar, line_of("alcohol", WINE).bar
    assert over is not None and (over.used, over.over, over.norm) == ("60.00", "40.00", "60.00")
    assert within is not None and (within.used, within.over, within.norm) == ("83.33", "0.00", "100.00")


# -- at a glance ------------------------------------------------------------------------------------------------


def test_a_glance_answers_every_question() -> None:
    seen = glance_of(FIVE_LITRES, COAT, WEAPON, MEAT)
    assert "Alcohol over the norm (box 3.3)" in seen["declare"]
    assert "Alcohol: 10 EUR × (5 − 3) l = 20.00 EUR" in seen["owed"]
    assert any(answer.startswith("veterinary certificate (") for answer in seen["papers"])
    assert any(answer.startswith("Goods, value: 9,802.35 EUR left") for answer in seen["free"])
    assert seen["forbidden"] == ()


def test_a_glance_says_what_is_forbidden_and_owes_nothing_known_for_it() -> None:
    six = FIVE_LITRES.model_copy(update={"quantity": Decimal(6)})
    seen = glance_of(six)
    assert any("lcohol" in answer for answer in seen["forbidden"])
    assert "Alcohol: an officer assesses" in seen["owed"]


def test_a_glance_says_what_is_unknown_and_that_it_refers() -> None:
    assert glance_of(NAMELESS)["unknown"] == ("Alcohol: amount not known",)
    assert "Alcohol: an amount is missing" in glance_of(FIVE_LITRES, NAMELESS)["unknown"]
    assert "Age of the declarant not known" in glance_of(age=None)["unknown"]


# -- the pages --------------------------------------------------------------------------------------------------


@pytest.fixture
def olga(console: Console) -> Console:
    return console.signs_in("olga")


def holds(olga: Console, central: Central, guest: Guest = OVER_ALCOHOL) -> str:
    """Olga holds the guest's case; where it is."""
    place = f"/officer/cases/customs/{arrives(central, guest).record_id}"
    olga.submits(f"{place}/claim")
    return place


def corrects(olga: Console, place: str, litres: str, person: str = "p1") -> None:
    row = {"item-0-kind": "alcohol", "item-0-quantity": litres, "item-0-unit": "l"}
    assert olga.submits(f"{place}/declarations/{person}", **row).status_code == 303


def signs(olga: Console, place: str, number: int) -> None:
    assert olga.submits(f"{place}/declarations/p1/{number}/witness", signed="yes").status_code == 303


def test_the_case_shows_why_per_line_folded_by_summary(olga: Console, central: Central) -> None:
    place = holds(olga, central)
    for language, why in (("en", "Why"), ("ru", "Почему"), ("be", "Чаму")):
        olga.submits("/officer/me", language=language, keys="on")
        page = olga.sees(place)
        assert len(re.findall(rf'<details><summary>{why}<span class="visually-hidden">', page)) >= 3, language
        assert "/admin/rules/versions/1/rules/BY-06" in page and "10 EUR ×" in page
    assert olga.client.get("/admin/rules/versions/1/rules/BY-06").status_code == 200


def test_a_correction_counts_once_it_is_signed_and_the_page_shows_both(olga: Console, central: Central) -> None:
    place = holds(olga, central)
    corrects(olga, place, "4")
    page = olga.sees(place)
    assert "form version 1" in page and "20.00 EUR" in page
    assert "Version 2 waits for the declarant&#39;s signature and does not count yet. By it: 10.00 EUR." in page
    assert "What changed" not in page
    signs(olga, place, 2)
    page = olga.sees(place)
    assert "signed on paper before Olga (olga), 21 Nov 2026, 12:00:00 · form version 2" in page
    changed = page[page.index("What changed from version 1 to version 2") :]
    figures = ("5.00 l", "4.00 l", "20.00 EUR", "10.00 EUR")
    assert [text for text in figures if text not in changed[: changed.index("</table>")]] == []
    assert "10 EUR × (4 − 3) l = 10.00 EUR" in page
    assert "The decision and its reasons stay as they were made on version 1." in page


def test_the_duty_sheet_carries_the_version_that_counts_and_who_witnessed_it(
    olga: Console, central: Central
) -> None:
    place = holds(olga, central)
    assert "form version 1" in olga.sees(f"{place}/duty-sheet")
    corrects(olga, place, "4")
    signs(olga, place, 2)
    sheet = olga.sees(f"{place}/duty-sheet")
    assert "signed on paper before Olga (olga)" in sheet and "form version 2" in sheet
    assert "10 EUR × (4 − 3) l = 10.00 EUR" in sheet and "BY-06 · EEC Council Decision 107" in sheet
    form = {"outcome": "assess_duty", "reason_code": "A-01", "password": PASSWORD}
    assert olga.submits(f"{place}/disposition", **form).status_code == 303
    assert "Signed by Olga (olga)" in olga.sees(f"{place}/duty-sheet")


def test_a_correction_that_puts_things_right_says_what_is_no_longer_so(olga: Console, central: Central) -> None:
    place = holds(olga, central)
    corrects(olga, place, "2.5")
    signs(olga, place, 2)
    page = olga.sees(place)
    assert "No longer so: Alcohol over the norm" in page
    assert "Alcohol over the norm</h3>" in page, "the reason of the decision stays where it was"


def test_the_paper_page_says_what_each_version_owes_and_which_counts(olga: Console, central: Central) -> None:
    place = holds(olga, central)
    corrects(olga, place, "4")
    signs(olga, place, 2)
    corrects(olga, place, "3.5")
    page = olga.sees(f"{place}/declarations/p1")
    third, second, first = page.split("<strong>Version ")[1:4]
    assert "By this version: 5.00 EUR" in third and "Counts now" not in third
    assert "By this version: 10.00 EUR" in second and "Counts now" in second
    assert "By this version: 20.00 EUR" in first and "Counts now" not in first


def test_what_another_agency_corrects_later_does_not_change_a_closed_part(
    olga: Console, central: Central, clock: Clock, app: Flask
) -> None:
    guest = replace(OVER_ALCOHOL, asked=True)
    decision = arrives(central, guest)
    place = f"/officer/cases/customs/{decision.record_id}"
    olga.submits(f"{place}/claim")
    form = {"outcome": "hand_over", "hand_over_to": "border", "reason_code": "H-01", "password": PASSWORD}
    assert olga.submits(f"{place}/disposition", **form).status_code == 303
    clock.advance(minutes=5)
    boris = Console(app).signs_in("boris")
    theirs = f"/officer/cases/border/{decision.record_id}"
    boris.submits(f"{theirs}/claim")
    corrects(boris, theirs, "4")
    signs(boris, theirs, 2)
    assert "form version 2" in boris.sees(theirs)
    closed = olga.sees(place)
    assert "form version 1" in closed and "20.00 EUR" in closed and "form version 2" not in closed


def test_versions_that_are_not_whole_are_said_and_the_kiosk_s_own_stands_in(
    olga: Console, central: Central
) -> None:
    place = holds(olga, central)
    corrects(olga, place, "4")
    corrects(olga, place, "3")
    record_id = place.rsplit("/", 1)[-1]
    with central.storage.write() as session:
        session.delete(session.get(StoredDeclaration, (central.config.site_id, record_id, "p1", 2)))
    page = olga.sees(place)
    assert "The kept corrections are not whole" in page and "form version 1" in page and "20.00 EUR" in page


def test_the_record_and_its_decision_stay_as_they_were(olga: Console, central: Central) -> None:
    place = holds(olga, central)
    corrects(olga, place, "4")
    signs(olga, place, 2)
    with central.storage.read() as reading:
        user = central.users.load(reading, "olga")
    case = referrals.case(central, user, place.rsplit("/", 1)[-1], Agency.CUSTOMS)
    law = law_case.case_law(central, case)
    assert law is not None and case.record is not None
    own = case.record.party.persons[0].declaration
    assert own is not None and own.items == (FIVE_LITRES,) and own.version == 1
    assert law.decided.persons == case.assessments
    assert law.now.persons["p1"].duty_total == Decimal(10) and law.standings["p1"].counts.number == 2
