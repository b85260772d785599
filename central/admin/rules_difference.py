"""What one version of the law says otherwise than another, rule by rule and field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from declarations.packs import RulePack

# What a version holds beside its rules, and by what its entries are told apart.
_ENTRIES = {"cards": "kind", "eligibility": "code", "examples": "id"}
_WHOLE = ("title", "layers", "duty_currency", "coverage", "check_table", "bag_checks")


@dataclass(frozen=True)
class FieldChange:
    """One field; what is not said is empty."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One rule, or another part of the pack (`kind` says which), that was added, removed or changed."""

    part: str
    name: str
    title: str
    what: Literal["added", "removed", "changed"]
    fields: tuple[FieldChange, ...]


def differences(before: RulePack, after: RulePack) -> tuple[Change, ...]:
    """Every difference, the rules first, in the order of the newer version; removed ones last."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    found = list(_compared("rule", _by_key(old["rules"], "id"), _by_key(new["rules"], "id")))
    for part, key in _ENTRIES.items():
        found += _compared(part, _by_key(old[part], key), _by_key(new[part], key))
    whole = {name: (old[name], new[name]) for name in _WHOLE if old[name] != new[name]}
    if whole:
        fields = tuple(FieldChange(name, readable(one), readable(other)) for name, (one, other) in whole.items())
        found.append(Change("pack", after.id, "", "changed", fields))
    return tuple(found)


def readable(value: Any) -> str:
    """A value of a pack on one line, as a person reads it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "; ".join(
            f"{name}: {readable(one)}" for name, one in value.items() if one not in (None, "", [], {})
        )
    if isinstance(value, list | tuple):
        return ", ".join(
            f"({readable(one)})" if isinstance(one, Mapping | list) else readable(one) for one in value
        )
    return str(value)


def _by_key(entries: Iterable[Mapping[str, Any]], key: str) -> dict[str, Mapping[str, Any]]:
    """Entries by name; a rule that changes on a day, or a second card of a kind, has that beside its name."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        plain = " ".join(str(part) for part in (entry[key], entry.get("effective_from")) if part)
        name, copy = plain, 2
        while name in found:
            name, copy = f"{plain} {copy}", copy + 1
        found[name] = entry
    return found


def _compared(
    part: str, old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    for name, entry in new.items():
        if name not in old:
            yield Change(part, name, str(entry.get("title", "")), "added", _said({}, _told(part, entry)))
        elif old[name] != entry:
            yield Change(part, name, str(entry.get("title", "")), "changed", _said(old[name], entry))
    for name, entry in old.items():
        if name not in new:
            yield Change(part, name, str(entry.get("title", "")), "removed", _said(_told(part, entry), {}))


def _told(part: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is told of an entry that came or went: all of a rule, of an example what it is about."""
    return {"rule": entry["rule"], "title": entry["title"]} if part == "examples" else entry


def _said(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    names = dict.fromkeys((*before, *after))
    pairs = ((name, readable(before.get(name)), readable(after.get(name))) for name in names)
    return tuple(FieldChange(name, one, other) for name, one, other in pairs if one != other)
