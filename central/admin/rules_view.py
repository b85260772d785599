"""The active rule pack as people read it: each rule with source, article, layer and how well it is known."""

from __future__ import annotations

from dataclasses import dataclass

from central.messages import Words
from declarations.packs import Rule, RulePack, Status


@dataclass(frozen=True)
class RuleRow:
    id: str
    title: str
    amount: str
    source: str
    layer: str
    status: str
    attention: bool


@dataclass(frozen=True)
class LayerRow:
    name: str
    words: str


@dataclass(frozen=True)
class RulesView:
    pack: str
    content_hash: str
    layers: tuple[LayerRow, ...]
    rules: tuple[RuleRow, ...]


def rules_view(pack: RulePack, words: Words) -> RulesView:
    """Rules that nobody has verified stand out: they wait for a person."""
    layers = []
    for layer in pack.layers:
        said = [statement for statement in pack.statements if statement.layer == layer]
        version = said[0].version if said else pack.version
        layers.append(LayerRow(layer, words("rules.layer_says", version=version, count=len(said))))
    return RulesView(
        pack=words("rules.pack", pack=pack.id, version=pack.version),
        content_hash=pack.content_hash,
        layers=tuple(layers),
        rules=tuple(_rule(pack, rule, words) for rule in pack.rules),
    )


def _rule(pack: RulePack, rule: Rule, words: Words) -> RuleRow:
    said = dict.fromkeys(statement.layer for statement in pack.explain(rule.id).statements)
    status = words(f"rules.status.{rule.status.value}")
    if rule.verified_by and rule.verified_at:
        status = words("rules.verified_by", status=status, name=rule.verified_by, day=rule.verified_at.isoformat())
    return RuleRow(
        id=rule.id,
        title=rule.title,
        amount=_amount(rule, words),
        source=f"{rule.article}. {rule.source}" if rule.article else rule.source,
        layer=" + ".join(said),
        status=status,
        attention=rule.status is Status.UNVERIFIED,
    )


def _amount(rule: Rule, words: Words) -> str:
    if rule.comparator == "any":
        return words("rules.any_amount")
    if rule.amount is None:
        return ""
    exponent = rule.amount.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    unit = words.either(f"unit.{rule.unit.value}", rule.unit.value) if rule.unit else (rule.currency or "")
    excess = f"; {rule.excess.rate_text}" if rule.excess and rule.excess.rate_text else ""
    return f"{rule.comparator or ''} {words.number(rule.amount, places)} {unit}{excess}".strip()
