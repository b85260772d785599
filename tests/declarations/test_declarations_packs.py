"""Packs merge visibly, refuse what is malformed with the place, and feed the screens."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.checks import CheckName
from contracts.declaration import TransportMode
from contracts.party import Direction, DocumentFormat
from declarations.packs import PACKS, Effect, RulePack, Status, load_draft, load_pack, pack_names
from declarations.review import completeness

ROWS = json.loads((Path(__file__).parent / "domain_rules.json").read_text(encoding="utf-8"))["rules"]
ARRIVAL_BY_AIR = (Direction.ARRIVAL, TransportMode.AIR)


def copy_with(tmp_path: Path, layer: str, change: Any) -> Path:
    """A directory with both layers, one of them changed by `change(layer)`."""
    for name in ("eaeu", "by"):
        content = json.loads((PACKS / f"{name}.json").read_text(encoding="utf-8"))
        if name == layer:
            change(content)
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def rule_of(layer: dict[str, Any], rule_id: str) -> dict[str, Any]:
    return next(rule for rule in layer["rules"] if rule["id"] == rule_id)


def test_identity_of_a_pack(pack: RulePack) -> None:
    assert (pack.id, pack.version, pack.label) == ("eaeu-by", "2026.11.3", "eaeu-by:2026.11.3")
    assert pack.layers == ("eaeu", "by")
    assert pack.content_hash == load_pack("eaeu-by").content_hash != load_pack("eaeu").content_hash


def rows_of(pack: RulePack) -> set[str]:
    """The rows of the domain table that a pack speaks about; what begins with GAP fills a hole in it."""
    return {rule.id.split(".")[0] for rule in pack.rules if not rule.id.startswith("GAP-")}


def test_every_row_of_the_domain_table_is_there() -> None:
    said = set().union(*(rows_of(load_draft(name)) for name in pack_names()))
    assert said == {row["id"] for row in ROWS}


def test_no_rule_is_better_known_than_its_row() -> None:
    order = "VSU"
    statuses: dict[str, set[str]] = {}
    for name in pack_names():
        for rule in load_draft(name).rules:
            assert rule.source and rule.legal_basis
            assert (rule.verified_by, rule.verified_at) == (None, None), f"{rule.id}: nobody has signed for it yet"
            if rule.id.startswith("GAP-"):
                assert (rule.effect, rule.status) == (Effect.UNDECIDED, Status.UNVERIFIED)
                assert rule.source == "no row of the domain table"
            else:
                statuses.setdefault(rule.id.split(".")[0], set()).add(rule.status.value)
    for row in ROWS:
        found = statuses[row["id"]]
        assert min(found, key=order.index) == row["status"], row["id"]


def test_what_is_from_memory_refers_and_tells_nobody_to_declare_but_for_one_row() -> None:
    from_memory = {
        rule.id: rule.effect
        for name in pack_names()
        for rule in load_draft(name).rules
        if rule.status is Status.UNVERIFIED
    }
    assert from_memory.pop("UK-05") is Effect.DECLARE  # cash in Great Britain: it waits for a second signature
    assert set(from_memory.values()) <= {Effect.UNDECIDED, Effect.NOTE}


def test_an_overlay_adds_and_explains(pack: RulePack) -> None:
    assert "BY-23" not in [rule.id for rule in load_pack("eaeu").rules]
    explanation = pack.explain("BY-23")
    assert explanation.rule.code == "DRONE_PROHIBITED"
    assert [statement.layer for statement in explanation.statements] == ["by"]
    with pytest.raises(KeyError):
        pack.explain("BY-99")


def test_an_overlay_changes_one_field_and_says_so(tmp_path: Path) -> None:
    directory = copy_with(tmp_path, "by", lambda layer: layer["rules"].append({"id": "BY-05", "amount": "2"}))
    explanation = load_pack("eaeu-by", directory).explain("BY-05")
    assert explanation.rule.amount == 2
    assert explanation.origin["amount"] == "by"
    assert explanation.origin["comparator"] == "eaeu"
    assert [(said.layer, said.said.get("amount")) for said in explanation.statements] == [
        ("eaeu", "3"),
        ("by", "2"),
    ]


@pytest.mark.parametrize(
    ("layer", "change", "complaint"),
    [
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-05").pop("comparator"), "BY-05: comparator is missing"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-05").update(unit="pint"), "unit"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-05").pop("unit"), "BY-05: unit is missing"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-11").pop("rate_date"), "BY-11: money needs"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-06").pop("amount"), "BY-06: > needs an amount"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-06").update(amount="-1"), "amount"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-06").update(amount="NaN"), "amount"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-06").update(unit="kg"), "do not judge the same figure"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-06")["excess"].update(currency="USD"), "duty is owed in EUR"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-06")["excess"].update(percent="1"), "one rate"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-09")["equivalents"].pop("cigars"), "BY-09: a mixture"),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-05").update(surprise=1), "surprise"),
        (
            "eaeu",
            lambda eaeu: rule_of(eaeu, "BY-03.value").update(effective_to="2019-01-01"),
            "BY-03.value: effective_to",
        ),
        ("eaeu", lambda eaeu: rule_of(eaeu, "BY-06").update(id="BY-05"), "two rules share an id"),
        ("eaeu", lambda eaeu: eaeu["required_checks"].pop("TD2"), "TD2"),
        ("eaeu", lambda eaeu: eaeu["required_checks"]["TD1"].append("feeling"), "feeling|check_table"),
        (
            "eaeu",
            lambda eaeu: eaeu["required_checks"]["TD1"].append(["mrz_infrared"]),
            "TD1 has a group with no ch",
        ),
        ("eaeu", lambda eaeu: eaeu["required_checks"]["TD2"].append([]), "TD2 has a group with no choice"),
        (
            "eaeu",
            lambda eaeu: eaeu["required_checks"]["TD3"].append(["mrz_infrared", "access"]),
            "TD3 names a check twice",
        ),
        ("eaeu", lambda eaeu: eaeu["cards"].append({"kind": "cash", "rule": "BY-77"}), "no rule BY-77"),
        ("eaeu", lambda eaeu: eaeu.update(mood="good"), "unknown fields"),
        ("by", lambda by: by.update(over="by"), "does not lie over eaeu"),
        ("by", lambda by: by["rules"].append({"id": "BY-80", "title": "incomplete"}), "BY-80|directions"),
    ],
)
def test_a_malformed_pack_is_refused_with_the_place(
    tmp_path: Path, layer: str, change: Any, complaint: str
) -> None:
    directory = copy_with(tmp_path, layer, change)
    with pytest.raises(ValueError, match=complaint):
        load_pack("eaeu-by", directory)


@pytest.mark.parametrize("name", ["", "xx", "eaeu-xx", "by", "by-eaeu", "../eaeu", "eaeu-eaeu"])
def test_no_pack_of_that_name(name: str) -> None:
    with pytest.raises(ValueError, match="pack"):
        load_pack(name)


def test_broken_json_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "eaeu.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"eaeu\.json"):
        load_pack("eaeu", tmp_path)


def test_required_checks_of_a_chip_document(pack: RulePack) -> None:
    for document_format in (DocumentFormat.TD1, DocumentFormat.TD2, DocumentFormat.TD3):
        without = pack.required_checks(document_format, has_bags=False)
        assert [group for group in without if len(group) > 1] == [
            {CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION}
        ], "which proof of itself a chip has, its issuer chose"
        assert set(CheckName) - frozenset().union(*without) == {
            CheckName.MRZ_INFRARED,
            CheckName.PAGE_ULTRAVIOLET,
            CheckName.PAGE_PORTRAIT,
            CheckName.CARDACCESS_DG14,
            CheckName.BAG_TAG,
            CheckName.BAG_WEIGHT,
        }
        with_bags = pack.required_checks(document_format, has_bags=True)
        assert set(with_bags) - set(without) == {
            frozenset({CheckName.BAG_TAG}),
            frozenset({CheckName.BAG_WEIGHT}),
        }


def test_required_checks_of_a_visa_and_of_the_unknown(pack: RulePack) -> None:
    names = (CheckName.MRZ_READ, CheckName.MRZ_CHECK_DIGITS, CheckName.MRZ_EXPIRY, CheckName.MRZ_VIZ)
    visa = {frozenset({name}) for name in names}
    assert set(pack.required_checks(DocumentFormat.MRV_A, has_bags=False)) == visa
    assert set(pack.required_checks(DocumentFormat.MRV_B, has_bags=False)) == visa
    unknown = pack.required_checks(DocumentFormat.UNKNOWN, has_bags=False)
    assert unknown == pack.required_checks(DocumentFormat.TD3, has_bags=False), (
        "what nobody knows is asked for all"
    )


def test_cards_of_the_goods_page(pack: RulePack) -> None:
    cards = {card.kind: card for card in pack.allowances(*ARRIVAL_BY_AIR)}
    kinds = list(cards)
    assert kinds[:4] == ["alcohol", "cigarettes", "cash", "goods"]
    assert kinds.index("drone") == kinds.index("weapons") + 1
    assert (cards["alcohol"].free, cards["alcohol"].unit, cards["alcohol"].at_most) == (3, "l", 5)
    assert (cards["cigarettes"].free, cards["cigarettes"].unit) == (200, "pcs")
    assert (cards["cigars"].free, cards["tobacco"].free, cards["tobacco"].unit) == (50, 250, "g")
    assert (cards["cash"].free, cards["cash"].unit) == (10000, "USD")
    goods = cards["goods"]
    assert (goods.free, goods.unit, goods.second_free, goods.second_unit) == (50, "kg", 10000, "EUR")
    assert cards["weapons"].free is None
    assert (cards["drone"].free, cards["drone"].at_most) == (None, 0)
    assert cards["alcohol"].legal_basis == "EEC Council Decision 107, annex 1"
    assert str(cards["cigarettes"].free) == "200", "figures are written as people write them"


def test_cards_on_departure_and_by_road() -> None:
    leaving = [card.kind for card in load_pack("eaeu-by").allowances(Direction.DEPARTURE, TransportMode.AIR)]
    assert "cash" in leaving and "alcohol" not in leaving and "drone" not in leaving
    by_road = load_pack("eaeu").allowances(Direction.ARRIVAL, TransportMode.ROAD, date(2026, 1, 1))
    (goods,) = [card for card in by_road if card.kind == "goods"]
    assert (goods.free, goods.second_free, goods.rule_id) == (25, 500, "BY-03.weight")


def test_the_norm_of_a_subject(pack: RulePack) -> None:
    weight = pack.norm("goods_weight", *ARRIVAL_BY_AIR)
    assert weight is not None and (weight.id, weight.amount) == ("BY-02", Decimal(50))
    assert pack.norm("goods_weight", Direction.DEPARTURE, TransportMode.AIR) is None


def test_every_row_is_told_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")
    spans = re.sub(r"([A-Z]{2})-(\d+) to \1-(\d+)", _spelt_out, page)
    assert [row["id"] for row in ROWS if not re.search(rf"\b{row['id']}\b", spans)] == []


def _spelt_out(span: re.Match[str]) -> str:
    """`BY-14 to BY-18` with all that lie between."""
    return ", ".join(f"{span[1]}-{number:02}" for number in range(int(span[2]), int(span[3]) + 1))


def test_the_figures_of_the_documentation_are_those_of_the_packs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")
    for name in ("eaeu", "eaeu-by", "eaeu-by-msq", "gb", "eu", "us", "ca"):
        known = completeness(load_pack(name))
        figures = (known.judging, known.seen, known.secondary, known.from_memory, known.gaps, known.examples)
        assert re.search(rf"^\| `{name}` \|[^|]*\| {' [|] '.join(map(str, figures))} \|", page, re.MULTILINE), (
            name,
            figures,
        )
