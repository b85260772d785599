"""Nobody writes a second evaluator: outside `declarations` no amount meets a norm, and no duty is worked out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ("kiosk", "central", "demo")
# What the evaluator is made of; others ask `declarations.evaluate`.
INSIDE = {f"declarations.{name}" for name in ("duty", "figures", "judging", "person", "pooling", "answer")}
# Words that only rules, figures and lines have.
OF_RULES = {"excess", "per_unit", "bands", "comparator", "equivalents", "norms", "min_age", "only_with"}
AMOUNTS = {"amount", "norm", "declared", "quantity", "weight_kg", "duty", "duty_total", "free", "second_free"}
AMOUNTS |= {"at_most", "dutiable", "difference", "left", "borrowed", "value_eur"}

# Those that put rules before people, word by word, and judge nothing with them.
READ_RULES_ALOUD = {
    "central/admin/rules_view.py": {"comparator", "excess", "per_unit"},  # the administrator's table
    "central/officer/declaration_form.py": {"comparator"},  # the printed form's own heading
    "kiosk/reasons.py": {"comparator"},  # "up to" or "under", in the traveller's words
    "kiosk/declaration_pages.py": {"comparator"},  # of an allowance card: "up to" or "under"
}
# What is no norm and no duty.
OTHER_SUMS = {
    "central/law_effect.py": {  # two answers of the evaluator side by side
        "after.duty_total > before.duty_total",
        "after.duty_total < before.duty_total",
    },
    "central/officer/law_view.py": {  # where a bar ends, and its mark
        "_BAR / max(line.norm, line.declared)",
        "min(line.norm, line.declared) * unit",
        "line.declared - line.norm",
        "max(line.declared - line.norm, Decimal(0)) * unit",
        "line.norm * unit",
    },
    "kiosk/declaration_pages.py": {"line.declared / line.norm"},  # the length of a bar
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in OUTSIDE:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def words_of(node: ast.AST) -> set[str]:
    """The attributes that are read, but for those of numpy."""
    read = [one for one in ast.walk(node) if isinstance(one, ast.Attribute)]
    return {one.attr for one in read if not ast.unparse(one).startswith("np.")}


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_others_ask_the_evaluator_and_not_its_parts() -> None:
    asking = {place: sorted(imported(tree) & INSIDE) for place, tree in modules()}
    assert {place: parts for place, parts in asking.items() if parts} == {}


def test_rules_are_read_aloud_in_few_places() -> None:
    reading = {place: words_of(tree) & OF_RULES for place, tree in modules()}
    assert {place: words for place, words in reading.items() if words} == READ_RULES_ALOUD


def second_opinions(tree: ast.Module) -> set[str]:
    """Where an amount is ordered, or worked with."""
    found = set()
    for node in ast.walk(tree):
        ordering = isinstance(node, ast.Compare) and any(
            isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for sign in node.ops
        )
        working = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Mult | ast.Div)
        if (ordering or working) and words_of(node) & AMOUNTS:
            found.add(ast.unparse(node))
    return found


def test_no_amount_meets_a_norm_elsewhere() -> None:
    found = {place: second_opinions(tree) for place, tree in modules()}
    assert {place: sums for place, sums in found.items() if sums} == OTHER_SUMS


@pytest.mark.parametrize(
    "written",
    [
        "if item.quantity > 3: pass",
        "over = line.declared - 50",
        "duty = rule.amount * 30 / 100",
        "money.amount >= limit",
    ],
)
def test_a_second_evaluator_would_be_seen(written: str) -> None:
    assert second_opinions(ast.parse(written))
