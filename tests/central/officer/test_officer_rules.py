"""The law and the rates in the browser: files in, words out, two administrators, what would change."""

from __future__ import annotations

import inspect
import io
import json
import re
from typing import Any

import pytest
from central_scene import Clock, add_user
from officer_scene import HALL, OVER_ALCOHOL, Console, arrives
from werkzeug.test import TestResponse

from central import lawmaking, rates_import
from central.access.permissions import Role
from central.admin.rates_view import rates_refusal
from central.admin.rules_difference import differences, readable
from central.admin.rules_view import refusal
from central.messages import LANGUAGES, Catalogue, Words
from central.service import Central
from contracts.disposition import Agency
from declarations.packs import PACKS, load_pack

RATES = b"currency,rate,units\nEUR,3.4450,1\nRUB,3.9200,100\nUSD,3.2100,1\n"


@pytest.fixture
def nina(console: Console) -> Console:
    return console.signs_in("nina")


@pytest.fixture
def oleg(console: Console, central: Central) -> Console:
    add_user(central, "oleg", (Role.ADMINISTRATOR, Agency.CUSTOMS))
    other = Console(console.app)
    assert other.submits("/sign-in", user_id="oleg", password="a long enough password").status_code == 303
    return other


def signs_in_again(console: Console, user_id: str) -> None:
    """A day later no session is left."""
    assert console.submits("/sign-in", user_id=user_id, password="a long enough password").status_code == 303


def layer(name: str, litres: str | None = None, **changes: Any) -> bytes:
    """A shipped layer with other words; `litres` in the place of the three that are free."""
    said = json.loads((PACKS / f"{name}.json").read_text(encoding="utf-8")) | changes
    for rule in said["rules"]:
        if litres is not None and rule.get("amount") == "3" and rule.get("unit") == "l":
            rule["amount"] = litres
    return json.dumps(said, ensure_ascii=False).encode()


def sends(console: Console, place: str, field: str, *files: tuple[str, bytes], **fields: str) -> TestResponse:
    token = re.search(r'name="csrf_token" value="([^"]+)"', console.client.get("/officer/me").text)
    assert token is not None
    data = {"csrf_token": token[1], **fields, field: [(io.BytesIO(content), name) for name, content in files]}
    return console.client.post(place, data=data, content_type="multipart/form-data")


def proposes(console: Console, **changes: Any) -> TestResponse:
    layers = (("eaeu.json", layer("eaeu", **changes)), ("by.json", layer("by", version="2030.1", examples=[])))
    return sends(console, "/admin/rules", "layers", *layers, pack="eaeu-by", note="by decision 1")


def test_one_proposes_and_asks_and_another_approves_for_a_midnight(
    nina: Console, oleg: Console, clock: Clock
) -> None:
    page = nina.sees("/admin/rules")
    assert "as it came with the set-up" in page and load_pack("eaeu-by").version in page
    sent = proposes(nina, litres="2", examples=[])
    assert sent.status_code == 303 and sent.location == "/admin/rules/versions/2"
    page = nina.sees("/admin/rules/versions/2")
    assert "eaeu-by:2030.1" in page and "by decision 1" in page and "never in force" in page
    nina.submits("/admin/rules/versions/2/activation", day="2026-11-21")
    assert "2026-11-21 has begun" in nina.sees("/admin/rules/versions/2")
    nina.submits("/admin/rules/versions/2/activation", day="2026-11-22")
    page = nina.sees("/admin/rules")
    assert "waits for another administrator" in page and "Another administrator approves it." in page
    assert "/admin/rules/activations/2/approve" not in page
    nina.submits("/admin/rules/activations/2/approve", looked="yes")
    assert "does not approve it" in nina.sees("/admin/rules")
    oleg.submits("/admin/rules/activations/2/approve")
    assert "that nobody has verified, and say so" in oleg.sees("/admin/rules")
    oleg.submits("/admin/rules/activations/2/approve", looked="yes")
    page = oleg.sees("/admin/rules")
    assert "comes into force" in page and "from 22 Nov 2026, 00:00:00 on" in page
    clock.advance(days=1)
    signs_in_again(nina, "nina")
    signs_in_again(oleg, "oleg")
    page = oleg.sees("/admin/rules")
    assert "Asked for by nina, approved by oleg." in page
    assert "Ask to go back to eaeu-by:" in page
    nina.submits("/admin/rules/rollback")
    oleg.submits("/admin/rules/activations/3/approve")
    assert f"{load_pack('eaeu-by').version}</span>" in oleg.sees("/admin/rules")
    assert oleg.submits("/admin/rules/activations/3/approve").status_code == 404


def test_rejected_and_taken_back(nina: Console, oleg: Console) -> None:
    proposes(nina, examples=[])
    nina.submits("/admin/rules/versions/2/activation", day="2026-12-01")
    oleg.submits("/admin/rules/activations/2/reject")
    assert "Rejected. The law stays as it is." in oleg.sees("/admin/rules")
    nina.submits("/admin/rules/versions/2/activation", day="2026-12-01")
    oleg.submits("/admin/rules/activations/3/approve", looked="yes")
    nina.submits("/admin/rules/activations/3/withdraw")
    page = nina.sees("/admin/rules")
    assert "Taken back" in page and "comes into force" not in page


def test_refusals_name_the_place_and_keep_nothing(nina: Console) -> None:
    sends(nina, "/admin/rules", "layers", ("by.json", b"{"), pack="eaeu-by")
    assert "by: " in nina.sees("/admin/rules")
    sends(nina, "/admin/rules", "layers", ("by.json", layer("by")), pack="eaeu-by")
    assert "is a version already, word for word" in nina.sees("/admin/rules")
    sends(nina, "/admin/rules", "layers", ("gb.json", layer("gb")), pack="eaeu-by")
    assert "gb: not a layer of this pack" in nina.sees("/admin/rules")
    sends(nina, "/admin/rules", "layers", ("jp.json", layer("jp")), pack="jp")
    assert "a draft never becomes law" in nina.sees("/admin/rules")
    nina.submits("/admin/rules/versions/1/activation", day="soon")
    assert "Choose a day." in nina.sees("/admin/rules")
    for place in (
        "versions/9",
        "versions/1/rules/BY-999",
        "versions/1/differences?from=9",
        "versions/1/differences",
    ):
        assert nina.client.get(f"/admin/rules/{place}").status_code == 404


def test_a_rule_shows_which_layer_said_what(nina: Console) -> None:
    proposes(nina, examples=[])
    pack = load_pack("eaeu-by")
    twice = next(
        rule.id for rule in pack.rules if len({one.layer for one in pack.explain(rule.id).statements}) == 2
    )
    page = nina.sees(f"/admin/rules/versions/1/rules/{twice}")
    assert f"eaeu, {pack.version}" in page and f"by, {pack.version}" in page
    assert "(replaced)" in page and "2 layers speak of this rule" in page


def test_only_the_rules_that_need_a_second_look(nina: Console) -> None:
    pack = load_pack("eaeu-by")
    unsure = {rule.id for rule in pack.unverified}
    page = nina.sees("/admin/rules?show=second-look")
    shown = set(re.findall(r'class="code"><a href="[^"]+">([^<]+)</a>', page))
    assert shown == unsure
    everything = set(re.findall(r'class="code"><a href="[^"]+">([^<]+)</a>', nina.sees("/admin/rules")))
    assert everything == {rule.id for rule in pack.rules} > unsure


def test_differences_field_by_field(nina: Console) -> None:
    proposes(nina, litres="2", examples=[])
    page = nina.sees("/admin/rules/versions/2/differences?from=1")
    assert re.search(r"<td>3</td><td>2</td>", page)
    assert "rule, changed" in page and "worked example, removed" in page
    assert "0 differences" in nina.sees("/admin/rules/versions/1/differences?from=1")


def test_every_difference_is_told_and_no_other() -> None:
    pack = load_pack("eaeu-by")
    assert differences(pack, pack) == ()
    first, *others = pack.rules
    changed = first.model_copy(update={"note": "another"})
    (change,) = differences(pack, pack.model_copy(update={"rules": (changed, *others)}))
    assert (change.name.split()[0], change.what, change.fields[0].after) == (first.id, "changed", "another")
    (gone,) = differences(pack, pack.model_copy(update={"rules": tuple(others)}))
    assert (gone.what, gone.fields[0].before, gone.fields[0].after) == ("removed", first.id, "")
    (other,) = differences(pack, pack.model_copy(update={"duty_currency": "GBP"}))
    assert (other.part, other.fields[0].before, other.fields[0].after) == ("pack", pack.duty_currency, "GBP")
    assert readable({"a": ["x", {"b": True}], "c": None}) == "a: x, (b: true)"


def test_examples_run_with_one_button(nina: Console) -> None:
    page = nina.sees("/admin/rules/versions/1?examples=run")
    assert f"All {len(load_pack('eaeu-by').examples)} examples hold." in page
    proposes(nina, litres="2")
    page = nina.sees("/admin/rules/versions/2?examples=run")
    assert "cannot be put into force" in page and "differs" in page
    nina.submits("/admin/rules/versions/2/activation", day="2026-11-22")
    assert "worked examples of this version do not hold" in nina.sees("/admin/rules/versions/2")


def test_the_effect_is_counted_and_only_those_who_may_open_cases_see_records(
    nina: Console, oleg: Console, console: Console, central: Central
) -> None:
    decision = arrives(central, OVER_ALCOHOL)
    proposes(nina, litres="2", examples=[])
    nina.submits("/admin/rules/versions/2/effect", day="2026-11-22")
    central.effects.wait(30)
    assert nina.client.get("/admin/rules/effect").json == {"running": False}
    page = nina.sees("/admin/rules/versions/2")
    assert "1 records compared with" in page and "More duty" in page
    assert decision.record_id not in page and "shown to those who may open cases" in page
    olga = Console(console.app).signs_in("olga")
    page = olga.sees("/admin/rules/versions/2")
    assert decision.record_id in page and "action=" not in page.split('id="effect"')[1].split("</section>")[0]
    nina.submits("/admin/rules/versions/2/effect", day="when?")
    assert "Choose a day." in nina.sees("/admin/rules/versions/2")


def test_rates_come_in_by_file_and_say_when_they_are_stale(nina: Console, clock: Clock) -> None:
    assert "demonstration figures" in nina.sees("/admin/rates")
    sends(nina, "/admin/rates", "file", ("rates.csv", RATES), day="2026-11-21", base="byn", source="National Bank")
    page = nina.sees("/admin/rates")
    assert "Rates of 21 Nov 2026, National Bank." in page and "BYN for one" in page and "3.4450" in page
    assert "of today" in page and "0.0392" in page
    slipped = RATES.replace(b"3.4450", b"34.450")
    form = {"day": "2026-11-21", "base": "BYN", "source": "National Bank"}
    sends(nina, "/admin/rates", "file", ("rates.csv", slipped), **form)
    assert "moved by more than a fifth" in nina.sees("/admin/rates")
    sends(nina, "/admin/rates", "file", ("rates.csv", slipped), **form, confirmed="yes")
    assert "+900.00%" in nina.sees("/admin/rates")
    clock.advance(days=1)
    signs_in_again(nina, "nina")
    page = nina.sees("/admin/rates")
    assert "not of today" in page and "goes to an officer until rates of today are here" in page
    sends(nina, "/admin/rates", "file")
    assert "Choose a file." in nina.sees("/admin/rates")
    nina.submits("/admin/rates/fetch")
    assert "No address of a bank is set up." in nina.sees("/admin/rates")
    sends(nina, "/admin/rates", "file", ("r.csv", RATES), day="21.11.2026")
    assert "21.11.2026: not a day." in nina.sees("/admin/rates")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language(nina: Console, oleg: Console, central: Central, language: str, clock: Clock) -> None:
    for guest in HALL[:2]:
        arrives(central, guest)
    proposes(nina, litres="2", examples=[])
    nina.submits("/admin/rules/versions/2/effect", day="2026-11-22")
    central.effects.wait(30)
    nina.submits("/admin/rules/versions/2/activation", day="2026-11-22")
    oleg.submits("/officer/me", language=language)
    rule = load_pack("eaeu-by").rules[0].id
    for place in (
        "rules",
        "rules?show=second-look",
        "rules/versions/1?examples=run",
        "rules/versions/2",
        "rules/versions/2/differences?from=1",
        f"rules/versions/1/rules/{rule}",
        "rates",
    ):
        page = oleg.sees(f"/admin/{place}")
        assert f'lang="{language}"' in page
        shown = re.sub(r'(href|action|src|data-progress|accept)="[^"]*"', "", page)
        assert not re.search(r"\b(rules|rates)\.[a-z]", shown), place
        assert " style=" not in page and page.count("<script") == page.count("<script src=")


def test_an_auditor_reads_and_changes_nothing(console: Console, nina: Console) -> None:
    ivan = Console(nina.app).signs_in("ivan")
    page = ivan.sees("/admin/rules")
    assert '<form method="post"' not in page.split('id="main"')[1]
    assert '<form method="post"' not in ivan.sees("/admin/rates").split('id="main"')[1]
    assert sends(ivan, "/admin/rules", "layers", ("by.json", layer("by"))).status_code == 403
    assert sends(ivan, "/admin/rates", "file", ("r.csv", RATES)).status_code == 403


def test_every_refusal_has_its_words(central: Central) -> None:
    words = Words(Catalogue.load(), "en", central.timezone)
    for module, kind, said in (
        (lawmaking, "InvalidLaw", refusal),
        (rates_import, "InvalidRates", rates_refusal),
    ):
        reasons = set(re.findall(kind + r'\(\s*"([a-z_]+)"', inspect.getsource(module)))
        assert len(reasons) > 8
        assert {said(reason, "by.json", words) for reason in reasons | {"no_date", "known_already"}}


def test_worked_examples_are_in_words_and_say_why(nina: Console) -> None:
    stands = {
        "en": "Alcohol: over, 15 EUR; Alcohol over the norm",
        "ru": "Алкоголь: сверх, 15 EUR; Алкоголь сверх нормы",
        "be": "Алкаголь: звыш, 15 EUR; Алкаголь звыш нормы",
    }
    for language, said in stands.items():
        nina.submits("/officer/me", language=language, keys="on")
        page = nina.sees("/admin/rules/versions/1?examples=run")
        examples = page[page.index('id="examples"') : page.index('id="effect"')]
        assert said in examples and "ALCOHOL_OVER_NORM" not in examples and "goods_value" not in examples
        assert "/admin/rules/versions/1/rules/BY-06" in examples
        assert examples.count("<details><summary>") == len(load_pack("eaeu-by").examples)


def test_an_example_that_does_not_hold_says_where(nina: Console) -> None:
    proposes(nina, litres="2")
    page = nina.sees("/admin/rules/versions/2?examples=run")
    assert "alcohol: duty 25, not 15" in page


def test_amounts_of_rules_are_in_the_reader_s_signs_with_what_a_rate_is_for(nina: Console) -> None:
    page = nina.sees("/admin/rules/versions/1")
    assert "<td>≤ 3 l</td>" in page and "<td>&gt; 3 l; 10 EUR/l</td>" in page and "&lt;=" not in page
