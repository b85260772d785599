"""Layers lie over each other by day and by field; a site only tightens; a draft judges nobody."""

from __future__ import annotations

import json
from datetime import date
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from carried_goods import DAY, alcohol, declaration, goods
from small_packs import EVERYWHERE, layer, note, pack_of, quantity, rule

from contracts.checks import CheckName
from contracts.declaration import TransportMode
from contracts.party import Direction, DocumentFormat
from declarations.evaluate import Law, PersonFacts, evaluate
from declarations.packs import RulePack, load_draft, load_pack, merge, pack_names, read_layer

CROSSING = (Direction.ARRIVAL, TransportMode.AIR)


def over(*rules: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {"layer": "yy", "over": "xx", "title": "Over", "version": "2", "rules": list(rules), **said}


def two(below: dict[str, Any], above: dict[str, Any]) -> RulePack:
    return merge("xx-yy", [layer(below), over(above)])


def amounts(pack: RulePack, *days: str) -> list[str]:
    found = []
    for day in days:
        rules = [one for one in pack.in_force(*CROSSING, date.fromisoformat(day)) if one.id == "R-1"]
        assert len(rules) < 2
        found.append(str(rules[0].amount) if rules else "")
    return found


# --- by day ---------------------------------------------------------------------------------------------------


def test_versions_of_a_rule_follow_each_other() -> None:
    old, new = rule(amount="300", effective_to="2024-03-31"), rule(amount="500", effective_from="2024-04-01")
    pack = pack_of(old, new)
    assert amounts(pack, "2024-03-31", "2024-04-01") == ["300", "500"]
    assert [str(one.amount) for one in pack.versions("R-1")] == ["300", "500"]
    assert pack.rule("R-1").amount == 500 and pack.rule("R-1", date(2024, 3, 31)).amount == 300
    with pytest.raises(KeyError):
        pack_of(new).rule("R-1", date(2024, 3, 31))
    person = PersonFacts("p1", 40, "lead", declaration(goods("400", "1")))
    for day, must_declare in ((date(2024, 3, 31), True), (date(2024, 4, 1), False)):
        assert evaluate(pack, *CROSSING, [person], None, day).must_declare == must_declare


@pytest.mark.parametrize(
    ("period", "days", "expected"),
    [
        ({}, ("2000-01-01", "2030-01-01"), ["200", "200"]),
        ({"effective_from": "2027-01-01"}, ("2026-12-31", "2027-01-01"), ["100", "200"]),
        ({"effective_to": "2026-12-31"}, ("2026-12-31", "2027-01-01"), ["200", "100"]),
        (
            {"effective_from": "2026-07-01", "effective_to": "2026-07-31"},
            ("2026-06-30", "2026-07-01", "2026-07-31", "2026-08-01"),
            ["100", "200", "200", "100"],
        ),
    ],
)
def test_an_overlay_changes_a_rule_in_its_period(
    period: dict[str, str], days: tuple[str, ...], expected: list[str]
) -> None:
    pack = two(rule(), {"id": "R-1", "amount": "200", **period})
    assert amounts(pack, *days) == expected
    assert pack.explain("R-1").origin["amount"] == "yy"
    assert pack.explain("R-1").origin["comparator"] == "xx"
    assert [said.layer for said in pack.explain("R-1").statements] == ["xx", "yy"]


def test_a_change_falls_on_every_version_it_meets() -> None:
    below = [rule(amount="300", effective_to="2024-03-31"), rule(amount="500", effective_from="2024-04-01")]
    above = {"id": "R-1", "code": "CHANGED", "effective_from": "2024-03-01"}
    pack = merge("xx-yy", [layer(*below), over(above)])
    said = [(str(one.amount), one.code, one.effective_from, one.effective_to) for one in pack.versions("R-1")]
    assert said == [
        ("300", "GOODS_OVER", None, date(2024, 2, 29)),
        ("300", "CHANGED", date(2024, 3, 1), date(2024, 3, 31)),
        ("500", "CHANGED", date(2024, 4, 1), None),
    ]


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"yy\.json: rule R-1: changed from 2027-01-01 .* no layer below has it"):
        two(rule(effective_to="2026-12-31"), {"id": "R-1", "amount": "1", "effective_from": "2027-01-01"})


@pytest.mark.parametrize(
    "periods",
    [
        ({}, {}),
        ({"effective_to": "2026-01-01"}, {"effective_from": "2026-01-01"}),
        ({"effective_from": "2025-01-01"}, {"effective_from": "2026-01-01"}),
    ],
)
def test_periods_of_one_rule_do_not_overlap(periods: tuple[dict[str, str], ...]) -> None:
    content = layer(*(rule(**period) for period in periods))
    with pytest.raises(ValueError, match=r"xx\.json: rule R-1, effective_from: two rules share an id"):
        read_layer(json.dumps(content).encode(), "xx.json")
    with pytest.raises(ValueError, match="rule R-1: two versions are in force on"):
        merge("xx", [content])


# --- which layers ---------------------------------------------------------------------------------------------


def write(directory: Path, *layers: dict[str, Any]) -> Path:
    for content in layers:
        (directory / f"{content['layer']}.json").write_text(json.dumps(content), encoding="utf-8")
    return directory


def test_packs_are_named_by_their_layers(tmp_path: Path) -> None:
    write(tmp_path, layer(rule()), over(), over() | {"layer": "zz", "over": "yy", "site": True})
    assert pack_names(tmp_path) == ("xx", "xx-yy", "xx-yy-zz")
    assert load_pack("xx-yy-zz", tmp_path).layers == ("xx", "yy", "zz")


def test_a_loop_of_layers_is_refused(tmp_path: Path) -> None:
    write(tmp_path, over() | {"layer": "aa", "over": "bb"}, over() | {"layer": "bb", "over": "aa"})
    with pytest.raises(ValueError, match="a loop of layers"):
        pack_names(tmp_path)
    with pytest.raises(ValueError, match="does not lie over"):
        load_pack("aa-bb", tmp_path)


def test_a_layer_over_nothing_is_refused(tmp_path: Path) -> None:
    write(tmp_path, over())
    with pytest.raises(ValueError, match=r"yy\.json: there is no layer xx below it"):
        pack_names(tmp_path)


def test_a_layer_lies_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="layer xx lies over itself"):
        merge("xx-xx", [layer(rule()), layer(rule())])


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"\xff", "decode"),
        (b"{" * 100_000, r"xx\.json"),
        (json.dumps(layer(rule(title="\ud800"))).encode(), r"xx\.json: .*surrogates not allowed"),
        (b" " * 3_000_000, "over 2000000 bytes"),
        (b'{"layer": "xx", "layer": "xx"}', "layer is said twice"),
        (json.dumps(layer(rule(amount=1.5))).encode(), "1.5: amounts are written as text"),
        (json.dumps(layer(rule(amount="1e400"))).encode(), "rule R-1, amount"),
        (json.dumps(layer(rule(amount="9" * 40))).encode(), "rule R-1, amount"),
        (json.dumps(layer(rule(unit="pint"))).encode(), "rule R-1, unit: .*, not pint"),
        (json.dumps(layer(rule(surprise=1))).encode(), "rule R-1, surprise: unknown fields"),
        (json.dumps(layer(draft=True)).encode(), "a draft says why"),
        (json.dumps(layer(why="because")).encode(), "a draft says why"),
        (json.dumps(layer(site=True)).encode(), "the lowest layer"),
        (json.dumps(layer() | {"duty_currency": None}).encode(), "the lowest layer"),
    ],
)
def test_a_malformed_layer_is_refused_with_its_place(said: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_layer(said, "xx.json")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"comparator": None}, "comparator is missing"),
        ({"comparator": ">=", "amount": None}, ">= needs an amount"),
        ({"comparator": "<="}, "<= says what is free"),
        ({"effect": "free"}, "what is free is up to an amount"),
        ({"currency": None}, "money needs a currency"),
        ({"kinds": []}, "no kinds to count"),
        ({"money": ["cash"]}, "kinds of money belong"),
        ({"equivalents": {"goods": "1"}}, "equivalents belong to a mixture"),
        ({"norms": {"goods": "1"}}, "norms of kinds belong to shares"),
        ({"pool": "pair", "comparator": ">="}, "what is pooled is a sum"),
        ({"measure": "single_value", "pool": "pair"}, "what is pooled is a sum"),
        ({"pool": "household", "excess": {"model": "whole"}}, "what is pooled is owed on the part over"),
        ({"excess": {"model": "marginal", "percent": "3"}}, "a rate and a currency go together"),
        ({"excess": {"model": "marginal", "currency": "EUR"}}, "a rate and a currency go together"),
        ({"excess": {"model": "assessed", "percent": "3", "currency": "EUR"}}, "one rate"),
        ({"excess": {"model": "staged"}}, "a staged excess has bands"),
        ({"excess": {"model": "marginal", "bands": [{}]}}, "a staged excess has bands"),
        ({"excess": {"model": "staged", "bands": [{}, {"width": "1"}]}}, "only the last band has no end"),
        ({"excess": {"model": "staged", "bands": [{"width": "0"}]}}, "a band has a width"),
        (
            {"excess": {"model": "staged", "currency": "EUR", "bands": [{"percent": "1", "per_unit": "1"}]}},
            "a band has one rate",
        ),
        (
            {"currency": "USD", "excess": {"model": "marginal", "percent": "3", "currency": "EUR"}},
            "a rate in per cent",
        ),
        ({"conditions": {}}, "a condition names a fact"),
        ({"verified_by": "somebody"}, "verified_by and verified_at go together"),
        ({"effective_from": "2026-01-02", "effective_to": "2026-01-01"}, "effective_to lies before"),
        ({"subject": None}, "subject and measure go together"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        pack_of(rule(**change))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"measure": "mass"}, "mass is counted in kg"),
        ({"measure": "quantity", "unit": None}, "unit is missing"),
        ({"excess": {"model": "indivisible"}}, "only a value has items"),
        ({"measure": "share", "unit": None}, "shares are counted in per cent"),
        ({"measure": "share", "unit": None, "norms": {"wine": "0"}}, "shares are counted in per cent"),
        ({"measure": "mixture", "equivalents": {"wine": "1"}}, "a mixture is counted in grams"),
        ({"measure": "presence", "also": ["beer"]}, "nothing counts beside"),
        ({"measure": "presence", "comparator": ">", "amount": "5"}, "not counted has no amount"),
        (
            {
                "measure": "share",
                "unit": None,
                "kinds": ["wine", "beer"],
                "norms": {"wine": "99999999977.003", "beer": "99999999947.001"},
            },
            "no common measure",
        ),
    ],
)
def test_a_measure_that_makes_no_sense_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        pack_of(quantity(**change))


# --- what merges beside the rules -----------------------------------------------------------------------------


def test_exclusions_checks_and_cards_merge() -> None:
    below = layer(
        rule(),
        quantity("R-2"),
        eligibility=[{"code": "CREW", "title": "t", "source": "below"}],
        cards=[{"kind": "goods", "rule": "R-1"}, {"kind": "wine", "rule": "R-2"}],
    )
    above = over(
        eligibility=[
            {"code": "CREW", "title": "t", "source": "above"},
            {"code": "CHILD", "title": "t", "source": "above", "under_age": 12},
        ],
        required_checks={"TD3": ["mrz_read", "mrz_expiry"]},
        required_bag_checks=["bag_tag"],
        cards=[{"kind": "goods", "rule": "R-1", "after": "wine"}],
    )
    pack = merge("xx-yy", [below, above])
    assert [(one.code, one.source) for one in pack.eligibility] == [("CREW", "above"), ("CHILD", "above")]
    assert [card.kind for card in pack.cards] == ["wine", "goods"]
    assert pack.required_checks(DocumentFormat.TD3, has_bags=True) == (
        {CheckName.MRZ_READ},
        {CheckName.MRZ_EXPIRY},
        {CheckName.BAG_TAG},
    )
    assert pack.required_checks(DocumentFormat.TD1, has_bags=False) == ({CheckName.MRZ_READ},)
    assert (pack.version, pack.label, pack.title) == ("2", "xx-yy:2", "Test · Over")


def site(*rules: dict[str, Any], **said: Any) -> RulePack:
    below = layer(
        rule(), eligibility=[{"code": "CREW", "title": "t", "source": "s"}], required_bag_checks=["bag_tag"]
    )
    return merge("xx-yy", [below, over(*rules, site=True, **said)])


def test_a_site_adds() -> None:
    more = {"TD3": ["mrz_read", "mrz_expiry"]}
    pack = site(
        {"id": "R-1", "shown": True}, note(), required_checks=more, required_bag_checks=["bag_tag", "bag_weight"]
    )
    assert pack.rule("R-1").shown and pack.rule("N-1")
    assert pack.bag_checks == (CheckName.BAG_TAG, CheckName.BAG_WEIGHT)


@pytest.mark.parametrize(
    ("rules", "said", "complaint"),
    [
        ([{"id": "R-1", "amount": "200"}], {}, "rule R-1, amount: a site cannot change the law"),
        ([{"id": "R-1", "effective_to": "2026-01-01"}], {}, "rule R-1, effective_to: a site"),
        ([], {"eligibility": [{"code": "CREW", "title": "t", "source": "s"}]}, "eligibility CREW: a site"),
        ([], {"required_checks": {"TD3": ["mrz_expiry"]}}, "required_checks, TD3: a site cannot ask for fewer"),
        ([], {"required_bag_checks": []}, "required_bag_checks: a site cannot ask for fewer"),
        ([], {"coverage": EVERYWHERE}, "coverage: a site cannot change the law"),
        ([], {"duty_currency": "USD"}, "duty_currency: a site cannot change the law"),
    ],
)
def test_a_site_loosens_nothing(rules: list[dict[str, Any]], said: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        site(*rules, **said)


# --- drafts and what nobody signed ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jp", "kr", "hk", "sg"])
def test_a_draft_is_read_and_never_in_force(name: str) -> None:
    with pytest.raises(ValueError, match=f"pack {name}: a draft cannot be put in force"):
        load_pack(name)
    draft = load_draft(name)
    assert draft.draft and draft.rules
    for direction in Direction:
        assert not any(draft.covers(direction, transport) for transport in TransportMode)
    person = PersonFacts("p1", 40, "lead", declaration(alcohol("1")))
    assert [hit.code for hit in evaluate(draft, *CROSSING, [person], None, DAY).persons["p1"].hits] == [
        "RULES_UNKNOWN"
    ]


def test_a_pack_over_a_draft_is_a_draft() -> None:
    pack = merge("xx-yy", [layer(rule(), draft=True, why="half of it"), over()])
    assert pack.draft == "half of it" and not pack.covers(*CROSSING)


def test_what_nobody_signed_is_listed() -> None:
    signed = rule("A", verified_by="N. N.", verified_at="2026-11-01")
    pack = pack_of(signed, quantity("B"), quantity("C", amount="9", status="U"), note())
    assert [one.id for one in pack.unverified] == ["B", "C"]
    assert [one.id for one in pack.from_memory] == ["C"]
    assert pack.rule("A").verified and not pack.rule("C").verified


def test_the_scale_meets_the_norm_by_weight() -> None:
    law = Law.of(load_pack("eaeu-by"), *CROSSING, DAY)
    for kilograms, relation in (("50", "within"), ("50.0001", "over")):
        line = law.weighed(Decimal(kilograms))
        assert line is not None
        assert (line.relation.value, line.rule_id, line.norm, line.declared) == (
            relation,
            "BY-02",
            50,
            Decimal(kilograms),
        )
    assert Law.of(load_pack("gb"), *CROSSING, DAY).weighed(Decimal(500)) is None


@pytest.mark.parametrize("measure", ["mass", "net_mass"])
def test_the_scale_counts_goods_wherever_the_norm_does(measure: str) -> None:
    weight = quantity(
        subject="goods_weight", measure=measure, unit="kg", amount="50", kinds=["gifts"], also=["goods"]
    )
    law = Law.of(pack_of(weight), *CROSSING, DAY)
    with localcontext(Context(prec=3)):  # whoever asks may count otherwise
        found = [law.weighed(Decimal(kilograms)) for kilograms in ("50", "50.01")]
    assert [one and one.relation.value for one in found] == ["within", "over"]


def test_the_scale_knows_nobody() -> None:
    weight = quantity(
        subject="goods_weight",
        measure="mass",
        unit="kg",
        amount="50",
        kinds=["goods"],
        conditions={"resident": True},
    )
    line = Law.of(pack_of(weight), *CROSSING, DAY).weighed(Decimal(60))
    assert line is not None and line.relation.value == "unknown"
