"""What people ask about rule packs: how complete they are, which layer said what, what is wrong with a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from declarations.examples import run
from declarations.packs import PACKS, Effect, Layer, Rule, RulePack, load_draft, pack_names, read_layer
from declarations.packs.merge import layer_files

SCHEMA_ID = "urn:corridor:rule-pack-layer:1"
GAP = "GAP-"  # rules that fill a hole of the domain table: an officer looks


def layer_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one layer file; committed as declarations/packs/schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **Layer.model_json_schema(),
    }


@dataclass(frozen=True, slots=True)
class Completeness:
    """How well a pack is known, in rules that judge. `notes` are kept for people and judge nobody."""

    label: str
    title: str
    layers: tuple[str, ...]
    draft: str  # why it is one; empty for a pack that can go live
    seen: int  # status V
    secondary: int  # status S
    from_memory: int  # status U, without the gaps
    gaps: int  # no row tells the law: an officer looks
    undecided: int  # an officer looks, gaps included
    signed: int  # verified by a named person on a day
    notes: int
    examples: int

    @property
    def judging(self) -> int:
        return self.seen + self.secondary + self.from_memory + self.gaps


def completeness(pack: RulePack) -> Completeness:
    """Counts of a pack's rules by how they are known."""
    judging = [rule for rule in pack.rules if rule.effect is not Effect.NOTE]
    known = Counter(rule.status.value for rule in judging if not rule.id.startswith(GAP))
    return Completeness(
        label=pack.label,
        title=pack.title,
        layers=pack.layers,
        draft=pack.draft,
        seen=known["V"],
        secondary=known["S"],
        from_memory=known["U"],
        gaps=sum(rule.id.startswith(GAP) for rule in judging),
        undecided=sum(rule.effect is Effect.UNDECIDED for rule in judging),
        signed=sum(rule.verified for rule in judging),
        notes=len(pack.rules) - len(judging),
        examples=len(pack.examples),
    )


def explanation(pack: RulePack, rule_id: str) -> Iterator[str]:
    """Lines for people: each version of a rule, field by field, whose word counts and what was said under it.

    Raises KeyError for an unknown id.
    """
    explained = pack.explain(rule_id)
    layers = {said.layer: said.version for said in explained.statements}
    for version in explained.versions:
        yield f"{rule_id}  {version.title}"
        yield f"  in force  {_period(version)}"
        yield f"  status    {_status(version)}"
        yield f"  source    {version.source}"
        if version.article:
            yield f"  article   {version.article}"
        for name, words in _said_of(version, explained.statements):
            yield f"  {name:<15} {words}"
    yield f"layers  {', '.join(f'{layer} {version}' for layer, version in layers.items())}"


def _period(rule: Rule) -> str:
    first = f"from {rule.effective_from}" if rule.effective_from else "from the beginning"
    return f"{first} to {rule.effective_to}" if rule.effective_to else f"{first}, without an end"


def _status(rule: Rule) -> str:
    known = {"V": "seen in a source", "S": "secondary or dated", "U": "from memory"}[rule.status.value]
    signed = f"signed by {rule.verified_by} on {rule.verified_at}" if rule.verified else "nobody has signed for it"
    return f"{rule.status.value} ({known}), {signed}"


_TOLD = {"title", "status", "source", "article", "verified_by", "verified_at", "effective_from", "effective_to"}


def _said_of(rule: Rule, statements: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """Each field that some layer speaks about: the word that counts, whose it is, and the words under it."""
    current = rule.model_dump(mode="json")
    for name in current:
        words = [(said.layer, said.said[name]) for said in statements if name in said.said and _meets(said, rule)]
        if not words or name == "id" or (name in _TOLD and len(words) == 1):
            continue
        layer, _ = words[-1]
        under = "".join(f"; {other} said {_plain(value)}" for other, value in reversed(words[:-1]))
        if current[name] is not None or len(words) > 1:
            yield name, f"{_plain(current[name])}  [{layer}{under}]"


def _meets(said: Any, rule: Rule) -> bool:
    """Whether a layer's words are about the period of this version."""
    first, last = (said.said.get(name) for name in ("effective_from", "effective_to"))
    return (not first or date.fromisoformat(first) <= rule.last_day) and (
        not last or rule.first_day <= date.fromisoformat(last)
    )


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def complaints(on: date, directory: Path = PACKS) -> Iterator[str]:
    """What is wrong with the layer files of a directory, each with place and reason; nothing when all is well.

    A file that cannot be read is named once. Examples are run as on the day `on`; those of drafts are not.
    """
    broken = False
    for path in layer_files(directory):
        try:
            read_layer(path.read_bytes(), path.name)
        except (OSError, ValueError) as problem:
            broken = True
            yield str(problem)
    if broken:
        return  # what lies over a broken file cannot be told from it
    try:
        names = pack_names(directory)
    except ValueError as problem:
        yield str(problem)
        return
    for name in names:
        try:
            pack = load_draft(name, directory)
        except ValueError as problem:
            yield str(problem)
            continue
        if not pack.draft:
            yield from _failing(pack, on)


def _failing(pack: RulePack, on: date) -> Iterator[str]:
    known = {rule.id for rule in pack.rules}
    for example in pack.examples:
        if example.rule not in known:
            yield f"pack {pack.id}: example {example.id}: there is no rule {example.rule}"
        for difference in run(pack, example, on).differences:
            yield f"pack {pack.id}: example {example.id}: {difference}"
