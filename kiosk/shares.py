"""What of the goods is a child's: a line becomes the declarant's part and those of the children, and one again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, get_args

from contracts.declaration import GoodsItem

Measure = Literal["amount", "value", "weight"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
_FIELDS: dict[Measure, str] = {"amount": "quantity", "value": "value", "weight": "weight_kg"}


def figures(item: GoodsItem) -> dict[Measure, tuple[Decimal, str]]:
    """The figures that say how much of an item there is, each with its unit or currency."""
    found: dict[Measure, tuple[Decimal, str]] = {}
    if item.quantity is not None and item.unit is not None:
        found["amount"] = (item.quantity, item.unit.value)
    if item.value is not None and item.currency is not None:
        found["value"] = (item.value, item.currency)
    if item.weight_kg is not None:
        found["weight"] = (item.weight_kg, "kg")
    return found


def with_figures(item: GoodsItem, changed: Mapping[Measure, Decimal], carried_for: str | None) -> GoodsItem:
    """The item with other figures, of the person who carries it."""
    update: dict[str, object] = {_FIELDS[measure]: figure for measure, figure in changed.items()}
    return item.model_copy(update={**update, "carried_for": carried_for})


def whole(items: Iterable[GoodsItem]) -> tuple[GoodsItem, ...]:
    """The items as they were before children had parts in them; the declarant's own lines stay apart."""
    items = tuple(items)
    found = [item for item in items if item.carried_for is None]
    for part in items:
        if part.carried_for is None:
            continue
        place = next((place for place, own in enumerate(found) if _of_one(part, own)), None)
        if place is None:
            found.append(part.model_copy(update={"carried_for": None}))
        else:
            own = figures(found[place])
            sums = {name: own[name][0] + figure for name, (figure, _) in figures(part).items()}
            found[place] = with_figures(found[place], sums, None)
    return tuple(found)


def _of_one(item: GoodsItem, other: GoodsItem) -> bool:
    """Whether both are parts of one line: the same in all but the figures and the carrier."""
    free: dict[str, object] = dict.fromkeys((*_FIELDS.values(), "carried_for", "unit", "currency"))
    units = [{name: unit for name, (_, unit) in figures(one).items()} for one in (item, other)]
    return units[0] == units[1] and item.model_copy(update=free) == other.model_copy(update=free)
