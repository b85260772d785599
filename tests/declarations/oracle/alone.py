"""What the second authors of countries share whose rows let nobody declare for another, and count money alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from oracle.opinion import OVER, UNKNOWN, WITHIN, Call, Figure, Opinion, total, worth
from oracle.traveller import Traveller

from contracts.declaration import GoodsItem, Manner, Money


def no_row(opinion: Opinion) -> None:
    """Something is there that no row speaks of."""
    _unknown(opinion, None, "RULES_UNKNOWN")


def stated(opinion: Opinion, traveller: Traveller) -> tuple[list[GoodsItem], list[Money]]:
    """Everything that the traveller states, and what is open because nobody may state it for another."""
    if traveller.declaration is None:
        _unknown(opinion, None, "DECLARATION_UNKNOWN")
    items = [item for sheet in traveller.sheets for item in sheet.items]
    if any(item.carried_for is not None and item.carried_for != traveller.name for item in items):
        _unknown(opinion, None, "GOODS_OWNER_UNKNOWN")
    return items, [one for sheet in traveller.sheets for one in sheet.money]


def apart(opinion: Opinion, row: str, traveller: Traveller, items: Sequence[GoodsItem]) -> None:
    """Baggage that travels apart, or of which the traveller does not say that there is none."""
    sends = traveller.sheets and traveller.sends_baggage is not False
    if sends or any(item.manner is not Manner.ACCOMPANIED for item in items):
        _unknown(opinion, row, "UNACCOMPANIED_BAGGAGE_UNKNOWN")


def cash(
    opinion: Opinion,
    row: str,
    money: Sequence[Money],
    currency: str,
    quotes: Mapping[str, Fraction],
    *,
    more_than: bool = False,
    papers: bool = False,
) -> None:
    """Ten thousand of a currency, declared when that much is reached, or with `more_than` when it is passed."""
    norm = Fraction(10_000)
    carried = total(worth(one.amount, one.currency, currency, quotes) for one in money)
    relation = WITHIN
    if carried.known > norm or (carried.known == norm and not more_than):
        relation = OVER
        opinion.calls.append(Call(row, "CASH_OVER_THRESHOLD", OVER, "01", papers=papers))
    elif not carried.exact:
        relation = UNKNOWN
        opinion.calls.append(Call(row, "CASH_UNKNOWN", UNKNOWN, "01"))
    opinion.state("cash", Figure(relation, carried, norm))


def _unknown(opinion: Opinion, row: str | None, code: str) -> None:
    opinion.calls.append(Call(row, code, UNKNOWN))
    opinion.complete = False
