"""Reads layers and lays them over each other; the malformed is refused with the file, the rule and the field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from declarations.packs.pack import RulePack
from declarations.packs.schema import Layer

PACKS = Path(__file__).parent
LARGEST_LAYER = 2_000_000  # bytes
_NO_LAYER = frozenset({"rates-demo", "schema"})  # other files of the directory

Words = dict[str, Any]


def load_pack(name: str, directory: Path = PACKS) -> RulePack:
    """Read and merge the layers of a pack: `eaeu-by` is `eaeu.json` with `by.json` over it.

    Raises ValueError with the place and the reason for an unknown or malformed pack, and for a draft.
    """
    pack = _load(name, directory)
    if pack.draft:
        raise ValueError(f"pack {name}: a draft cannot be put in force: {pack.draft}")
    return pack


def load_draft(name: str, directory: Path = PACKS) -> RulePack:
    """A pack to be read by people, drafts included. It judges nobody: `covers` says no to every crossing.

    Raises ValueError as `load_pack` does.
    """
    return _load(name, directory)


def _load(name: str, directory: Path) -> RulePack:
    layers = []
    for layer_name in name.split("-"):
        path = directory / f"{layer_name}.json"
        if not layer_name.isalnum() or not path.is_file():
            raise ValueError(f"pack {name}: there is no layer {layer_name}")
        layers.append(read_layer(path.read_bytes(), path.name))
    return merge(name, layers)


def layer_files(directory: Path = PACKS) -> tuple[Path, ...]:
    """The files of a directory that are layers, in the order of their names."""
    return tuple(path for path in sorted(directory.glob("*.json")) if path.stem not in _NO_LAYER)


def pack_names(directory: Path = PACKS) -> tuple[str, ...]:
    """The name of every pack that the layers of a directory make, drafts included: `eaeu`, `eaeu-by`, `gb`.

    Raises ValueError for a layer over one that is not there, and for a loop of layers.
    """
    below: dict[str, str | None] = {
        path.stem: read_layer(path.read_bytes(), path.name).get("over") for path in layer_files(directory)
    }
    return tuple(sorted("-".join(_chain(name, below)) for name in below))


def _chain(name: str, below: Mapping[str, str | None]) -> list[str]:
    chain = [name]
    while (lower := below[chain[0]]) is not None:
        if lower in chain:
            raise ValueError(
                f"{name}.json: a loop of layers: {' over '.join([*chain[: chain.index(lower)], *chain])}"
            )
        if lower not in below:
            raise ValueError(f"{chain[0]}.json: there is no layer {lower} below it")
        chain.insert(0, lower)
    return chain


def read_layer(content: bytes, place: str) -> Words:
    """The words of one layer, checked as far as one file can be. `place` names it in complaints.

    Raises ValueError: not JSON, a field said twice or unknown, an amount written as a binary fraction.
    """
    if len(content) > LARGEST_LAYER:
        raise ValueError(f"{place}: over {LARGEST_LAYER} bytes")
    try:
        said = json.loads(
            content.decode("utf-8"), object_pairs_hook=_said_once, parse_float=_refused, parse_constant=_refused
        )
        json.dumps(said, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no character
        if not isinstance(said, dict):
            raise ValueError("a layer is an object")
        Layer.model_validate(said)
    except ValidationError as error:
        raise ValueError(f"{place}: {_reason(error, said)}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: {error}") from error
    if over := _overlapping(said.get("rules", ())):
        raise ValueError(f"{place}: {over}")
    return said


def _said_once(pairs: Iterable[tuple[str, Any]]) -> Words:
    said: Words = {}
    for name, value in pairs:
        if name in said:
            raise ValueError(f"{name} is said twice")
        said[name] = value
    return said


def _refused(number: str) -> Any:
    raise ValueError(f"{number}: amounts are written as text, in decimals")


def _reason(error: ValidationError, said: Words) -> str:
    """The first complaint with its place: `rule BY-05, unit: …`."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if "[" not in str(part)]
    reason = "unknown fields are not read" if first["type"] == "extra_forbidden" else first["msg"]
    reason = reason.removeprefix("Value error, ")
    if len(place) > 1 and place[0] in ("rules", "eligibility", "examples", "cards"):
        entry = said[place[0]][int(place[1])]
        named = entry.get("id") or entry.get("code") or entry.get("kind") if isinstance(entry, dict) else None
        place[:2] = [f"{place[0].rstrip('s')} {named or place[1]}"]
        reason = reason.removeprefix(f"{named}: ")
    if isinstance(first["input"], str | int) and place:
        reason += f", not {str(first['input'])[:40]}"
    return f"{', '.join(place)}: {reason}" if place else str(reason)


def _overlapping(rules: Sequence[Words]) -> str:
    """Two versions of one rule that would be in force on the same day; empty when there are none."""
    seen: dict[str, list[tuple[date, date]]] = {}
    for said in rules:
        first, last = _period(said)
        for other_first, other_last in seen.setdefault(said["id"], []):
            if max(first, other_first) <= min(last, other_last):
                return (
                    f"rule {said['id']}, effective_from: two rules share an id and are in force on "
                    f"{max(first, other_first)}"
                )
        seen[said["id"]].append((first, last))
    return ""


def merge(name: str, layers: Sequence[Words]) -> RulePack:
    """Lay the words of `read_layer` over each other, the lowest first.

    Raises ValueError with the place and the reason: layers in a wrong order or twice, an overlay that changes a
    rule on days when there is none, a site that loosens, whatever makes no sense once merged.
    """
    below = None
    for layer in layers:
        if layer["layer"] in [other["layer"] for other in layers if other is not layer]:
            raise ValueError(f"pack {name}: layer {layer['layer']} lies over itself")
        if layer["over"] != below:
            raise ValueError(f"pack {name}: layer {layer['layer']} does not lie over {below or 'nothing'}")
        below = layer["layer"]
    try:
        said = _merged(name, layers)
    except ValueError as error:
        raise ValueError(f"pack {name}: {error}") from error
    try:
        return RulePack.model_validate(said)
    except ValidationError as error:
        raise ValueError(f"pack {name}: {_reason(error, said)}") from error


def _merged(name: str, layers: Sequence[Words]) -> Words:
    """The words of a pack, before anybody asks whether they make sense together."""
    rules: dict[str, list[Words]] = {}
    cards: list[Words] = []
    exclusions: dict[str, Words] = {}
    examples: dict[str, Words] = {}
    statements = []
    top: Words = {"check_table": {}, "bag_checks": ()}
    for layer in layers:
        for said in layer.get("rules", ()):
            lower = rules.get(said["id"], []) if _is_below(said["id"], layer, layers) else []
            if layer.get("site") and lower and (law := sorted(set(said) - _OF_A_SITE)):
                raise ValueError(
                    f"{layer['layer']}.json: rule {said['id']}, {law[0]}: a site cannot change the law"
                )
            changed = _changed(lower, said, layer) if lower else [*rules.get(said["id"], ()), said]
            rules[said["id"]] = changed
            statements.append(
                {"layer": layer["layer"], "version": layer["version"], "rule_id": said["id"], "said": said}
            )
        for card in layer.get("cards", ()):
            cards = [other for other in cards if (other["kind"], other["rule"]) != (card["kind"], card["rule"])]
            kinds = [other["kind"] for other in cards]
            behind = card.get("after")
            # An overlay may put its card behind another; without that, it goes to the end.
            place = len(kinds) - kinds[::-1].index(behind) if behind in kinds else len(kinds)
            cards.insert(place, card)
        if layer.get("site"):
            _only_grows(layer, exclusions, top)
        exclusions |= {said["code"]: said for said in layer.get("eligibility", ())}
        examples |= {said["id"]: said for said in layer.get("examples", ())}
        top["check_table"] |= layer.get("required_checks", {})
        top |= {field: layer[said] for said, field in _TOP.items() if layer.get(said) is not None}
    return {
        "id": name,
        "title": " · ".join(layer["title"] for layer in layers),
        "layers": [layer["layer"] for layer in layers],
        "draft": "; ".join(layer["why"] for layer in layers if layer.get("draft")),
        "rules": [version for versions in rules.values() for version in versions],
        "cards": cards,
        "eligibility": list(exclusions.values()),
        "statements": statements,
        "examples": list(examples.values()),
        **top,
    }


# What a site may say about a rule of the country: how it is shown to its officers, and when.
_OF_A_SITE = frozenset({"id", "shown", "note"})


def _only_grows(layer: Words, exclusions: Words, top: Words) -> None:
    """A site sends more people to an officer and asks for more checks, never fewer."""
    place = f"{layer['layer']}.json"
    for said in layer.get("eligibility", ()):
        if said["code"] in exclusions:
            raise ValueError(f"{place}: eligibility {said['code']}: a site cannot say it anew")
    for document_format, entries in layer.get("required_checks", {}).items():
        if any(entry not in entries for entry in top["check_table"].get(document_format, ())):
            raise ValueError(f"{place}: required_checks, {document_format}: a site cannot ask for fewer")
    bag_checks = layer.get("required_bag_checks")
    if bag_checks is not None and not set(top["bag_checks"]) <= set(bag_checks):
        raise ValueError(f"{place}: required_bag_checks: a site cannot ask for fewer")
    for field in ("coverage", "duty_currency", "form"):
        if field in layer:
            raise ValueError(f"{place}: {field}: a site cannot change the law")


# What an overlay says anew replaces what was said below.
_TOP = {
    "version": "version",
    "duty_currency": "duty_currency",
    "coverage": "coverage",
    "form": "form",
    "required_bag_checks": "bag_checks",
}


def _is_below(rule_id: str, layer: Words, layers: Sequence[Words]) -> bool:
    """Whether a layer under this one has spoken about the rule."""
    under = layers[: [other["layer"] for other in layers].index(layer["layer"])]
    return any(said["id"] == rule_id for other in under for said in other.get("rules", ()))


def _changed(versions: Sequence[Words], said: Words, layer: Words) -> list[Words]:
    """The versions of a rule after an overlay spoke about its period; on other days the layer below stands."""
    first, last = _period(said)
    changes = {field: value for field, value in said.items() if field not in _PERIOD}
    found: list[Words] = []
    spoke = False
    for version in versions:
        from_day, to_day = _period(version)
        start, end = max(first, from_day), min(last, to_day)
        if start > end:
            found.append(version)
            continue
        spoke = True
        if from_day < start:
            found.append(version | _dated(from_day, start - timedelta(days=1)))
        found.append(version | changes | _dated(start, end))
        if end < to_day:
            found.append(version | _dated(end + timedelta(days=1), to_day))
    if not spoke:
        raise ValueError(
            f"{layer['layer']}.json: rule {said['id']}: changed from {first} to {last}, when no layer below has it"
        )
    return found


_PERIOD = ("effective_from", "effective_to")


def _period(said: Words) -> tuple[date, date]:
    """First and last day, open ends as the ends of the calendar."""
    first, last = (said.get(name) for name in _PERIOD)
    return (
        date.fromisoformat(first) if first else date.min,
        date.fromisoformat(last) if last else date.max,
    )


def _dated(first: date, last: date) -> Words:
    return {
        "effective_from": None if first == date.min else first.isoformat(),
        "effective_to": None if last == date.max else last.isoformat(),
    }
