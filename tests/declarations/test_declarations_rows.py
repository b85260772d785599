"""Row by row: what the domain table says of a rule besides its amount stands in the packs as well.

Amounts, comparators and ages at their boundaries are in `test_boundaries.py`; which rows there are, how well known
and in whose words, in `test_declarations_packs.py`.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.declaration import TransportMode
from contracts.party import Direction
from declarations.packs import Rule, load_draft, pack_names

ROWS = {
    row["id"]: row for row in json.loads((Path(__file__).parent / "domain_rules.json").read_text("utf-8"))["rules"]
}
RULES = {
    (name, rule.id): rule for name in pack_names() for rule in load_draft(name).rules if "GAP-" not in rule.id
}
DIRECTIONS = {
    "in": {Direction.ARRIVAL},
    "out": {Direction.DEPARTURE},
    "both": {Direction.ARRIVAL, Direction.DEPARTURE},
    "transfer": {Direction.TRANSFER},
}
NOT_BY_AIR = set(TransportMode) - {TransportMode.AIR}
SPOKEN = {"EU-01.air": {TransportMode.AIR, TransportMode.WATER}}  # "air/sea traveller | other traveller"
SPOKEN["EU-01.land"] = set(TransportMode) - SPOKEN["EU-01.air"]

# Parts of a row that has an age, and why they have none.
AGELESS = {
    "BY-09.heated": "unverified at any age",
    "EU-02.option": "EU-02 says the age",
    "US-03.cigarettes": "the row's note names alcohol: -age refers below it",
    "US-03.cigars": "the row's note names alcohol: -age refers below it",
    "JP-01.goods": "a draft: the row does not say of what",
    "JP-01.drinks": "a draft: a note",
}

# What the column "excess" says: the model, then its rate, and the width of a band.
EXCESS: dict[str, tuple[str, str | None, str | None]] = {
    "BY-01": ("marginal", "30", None),
    "BY-02": ("marginal", "4", None),
    "BY-03.value": ("marginal", "30", None),
    "BY-03.weight": ("marginal", "4", None),
    "BY-06": ("marginal", "10", None),
    "BY-08": ("whole", "22", None),
    "BY-10": ("assessed", None, None),  # "aggregate customs payment on the whole item"
    "EU-01.air": ("indivisible", None, None),
    "EU-01.land": ("indivisible", None, None),
    "UK-01.beer": ("whole", None, None),
    "UK-01.wine": ("whole", None, None),
    "UK-01.spirits": ("whole", None, None),
    "UK-02": ("whole", None, None),
    "UK-03": ("indivisible", None, None),
    "US-02": ("staged", "3", "1000"),
    "CA-02": ("whole", None, None),
    "CA-03": ("marginal", None, None),  # the worked value: 49 h and 801 CAD: excess 1
}
SINCE = {
    "BY-03": date(2024, 4, 1),
    "BY-13": date(2020, 2, 4),
    "EU-04": date(2021, 6, 3),
    "EU-05": date(2021, 6, 3),  # the same regulation
    "KR-01.goods": date(2023, 5, 1),
}


def each() -> list[Any]:
    return [
        pytest.param(rule, ROWS[rule_id.split(".")[0]], id=f"{name}:{rule_id}")
        for (name, rule_id), rule in RULES.items()
    ]


@pytest.mark.parametrize(("rule", "row"), each())
def test_a_rule_crosses_as_its_row_does(rule: Rule, row: dict[str, Any]) -> None:
    way, _, by = row["dir"].partition(", ")
    assert set(rule.directions) == DIRECTIONS[way]
    modes = {"": set(TransportMode), "air": {TransportMode.AIR}, "not air": NOT_BY_AIR}[by]
    assert set(rule.transport) == SPOKEN.get(rule.id, modes)


@pytest.mark.parametrize(("rule", "row"), each())
def test_a_rule_counts_in_the_unit_of_its_row(rule: Rule, row: dict[str, Any]) -> None:
    if rule.unit is not None and row["id"] == "CA-02":  # "no alcohol/tobacco": those that CA-04 counts
        row = ROWS["CA-04"]
    said = " ".join(str(row[column]) for column in ("unit", "thr", "what", "note"))
    if rule.currency is not None and row["unit"] != "any":
        assert rule.currency in said
        assert rule.rate_date == "day_of_declaration"
    if rule.unit is not None and rule.unit.value != "pcs":
        assert re.search(rf"(?<![a-z]){rule.unit.value}(?![a-z])", said)
    elif rule.unit is not None:
        assert re.search(r"cig|stick", said)


@pytest.mark.parametrize(("rule", "row"), each())
def test_a_rule_asks_for_the_age_of_its_row(rule: Rule, row: dict[str, Any]) -> None:
    if isinstance(row["min_age"], int) and rule.id not in AGELESS:
        below = rule.conditions.age_below if rule.conditions else None
        assert row["min_age"] in (rule.min_age, below)
    else:
        assert rule.min_age is None


@pytest.mark.parametrize(("rule", "row"), each())
def test_a_rule_names_the_source_of_its_row(rule: Rule, row: dict[str, Any]) -> None:
    first = re.split(r"[\s,;/]", row["source"])[0]
    assert first in rule.source or rule.source.startswith("from memory")


@pytest.mark.parametrize(("pack", "rule_id"), [key for key in RULES if key[1] in EXCESS])
def test_an_excess_costs_what_its_row_says(pack: str, rule_id: str) -> None:
    model, rate, width = EXCESS[rule_id]
    excess = RULES[pack, rule_id].excess
    assert excess is not None
    rated = excess.bands[0] if excess.bands else excess
    assert excess.model == model
    assert [str(one) for one in (rated.percent, rated.per_unit) if one is not None] == ([rate] if rate else [])
    if rate is not None:
        assert rate in re.findall(r"\d+", ROWS[rule_id.split(".")[0]]["excess"])
    if width is not None:
        assert str(excess.bands[0].width) == width
        assert f"{int(width):,}" in ROWS[rule_id]["excess"]
        assert excess.bands[0].pool == "household"  # "family may combine"


def test_whatever_else_has_an_excess_is_assessed_by_an_officer() -> None:
    for (_, rule_id), rule in RULES.items():
        if rule.excess is not None and rule_id not in EXCESS and rule_id != "JP-01.goods":
            assert rule.excess.model == "assessed", rule_id


def test_rules_begin_when_their_rows_say() -> None:
    for (_, rule_id), rule in RULES.items():
        since = SINCE.get(rule_id) or SINCE.get(rule_id.split(".")[0]) if rule_id != "KR-01.cash" else None
        assert rule.effective_from == since, rule_id
        assert rule.effective_to is None
    for row_id, day in (("BY-03", "1 Apr 2024"), ("BY-13", "4 Feb 2020"), ("EU-04", "3 Jun 2021")):
        assert day in ROWS[row_id]["note"]
