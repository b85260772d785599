"""A child's part of the goods: taken out of the declarant's line, counted in the child's norm, and put back."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from contracts.declaration import GoodsItem, GoodsKind, Unit
from kiosk.shares import figures, whole, with_figures

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=3)


@given(value=AMOUNTS, weight=AMOUNTS, first=st.fractions(0, 1), second=st.fractions(0, 1))
def test_parts_make_the_whole_again(value: Decimal, weight: Decimal, first: float, second: float) -> None:
    item = GoodsItem(kind=GoodsKind.GOODS, value=value, currency="EUR", weight_kg=weight)
    left = {name: figure for name, (figure, _) in figures(item).items()}
    parts = []
    for child, share in (("p2", first), ("p3", second)):
        part = {name: (figure * Decimal(float(share))).quantize(Decimal("0.001")) for name, figure in left.items()}
        part = {name: min(figure, left[name]) for name, figure in part.items()}
        left = {name: figure - part[name] for name, figure in left.items()}
        parts.append(with_figures(item, part, child))
    assert whole((with_figures(item, left, None), *parts)) == (item,)


def test_lines_that_differ_stay_apart() -> None:
    own = GoodsItem(kind=GoodsKind.GOODS, value=Decimal(5), currency="EUR")
    other_money = GoodsItem(kind=GoodsKind.GOODS, value=Decimal(5), currency="USD", carried_for="p2")
    other_kind = GoodsItem(kind=GoodsKind.GIFTS, value=Decimal(5), currency="EUR", carried_for="p2")
    assert len(whole((own, other_money, other_kind))) == 3
    assert all(item.carried_for is None for item in whole((own, other_money, other_kind)))


def test_own_lines_are_never_added_up() -> None:
    lines = (GoodsItem(kind=GoodsKind.GOODS, value=Decimal(300), currency="GBP"),) * 2
    assert whole(lines) == lines, "two things of 300 are not one of 600"


def test_what_went_to_a_child_altogether_comes_back() -> None:
    part = GoodsItem(kind=GoodsKind.CIGARS, quantity=Decimal(3), unit=Unit.PIECE, carried_for="p2")
    assert whole((part,)) == (part.model_copy(update={"carried_for": None}),)
