"""A traveller as the second author sees one, who speaks for whom, and whose goods are whose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from contracts.declaration import Declaration, GoodsItem


class Traveller(NamedTuple):
    """`name` is the person's place in the party (p1, p2, …); `covered_by` the adult who speaks for them.

    `earlier` are declarations of the same crossing: baggage that came ahead, or follows. `crossings` counts how
    often they have crossed lately, with this time; None: not known. So it is with the other facts that some law
    asks: where somebody lives and with whom, how long they were away, and when they last used an exemption.
    """

    name: str
    age: int | None
    declaration: Declaration | None
    covered_by: str | None = None
    earlier: tuple[Declaration, ...] = ()
    crossings: int | None = None
    resident: bool | None = None
    absence_hours: int | None = None
    days_since_exemption: int | None = None
    household: str | None = None

    @property
    def sheets(self) -> tuple[Declaration, ...]:
        return self.earlier if self.declaration is None else (self.declaration, *self.earlier)

    @property
    def sends_baggage(self) -> bool | None:
        """Whether any sheet says that baggage travels alone; None when one leaves it open."""
        answers = {sheet.unaccompanied_baggage for sheet in self.sheets}
        return True if True in answers else None if None in answers else False


def speaker_of(child: Traveller, party: Sequence[Traveller], under: int) -> Traveller | None:
    """Who fills the form for a person below that age: one of at least that age, each naming the other."""
    if child.age is None or child.age >= under:
        return None
    for adult in party:
        if (
            adult.name == child.covered_by != child.name
            and adult.covered_by is None
            and adult.age is not None
            and adult.age >= under
            and adult.declaration is not None
            and child.name in adult.declaration.covers
        ):
            return adult
    return None


def goods_of(traveller: Traveller, party: Sequence[Traveller], under: int) -> list[GoodsItem]:
    """What counts as this person's: their own lines, and what their speaker carries for them."""
    mine = [
        item
        for sheet in traveller.sheets
        for item in sheet.items
        if item.carried_for is None
        or not any(one.name == item.carried_for and speaker_of(one, party, under) is traveller for one in party)
    ]
    speaker = speaker_of(traveller, party, under)
    if speaker is not None:
        mine += [item for sheet in speaker.sheets for item in sheet.items if item.carried_for == traveller.name]
    return mine
