"""A correction is a new version, and a row of versions shows every one that was taken out or altered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from form_scene import AT
from hypothesis import given
from hypothesis import strategies as st

from contracts.declaration import Declaration, DeclaredChannel, GoodsItem, GoodsKind, Money, MoneyKind, Unit
from declarations.forms.versions import BrokenRow, amendment, kept, row

WINE = GoodsItem(kind=GoodsKind.ALCOHOL, quantity=Decimal(5), unit=Unit.LITRE)
CASH = Money(kind=MoneyKind.CASH, amount=Decimal(12000), currency="USD")
FIRST = Declaration(
    declared_channel=DeclaredChannel.RED,
    items=(WINE,),
    unaccompanied_baggage=False,
    rule_pack="eaeu-by:2026.11.1",
    notice_version="1",
    language="en",
    certified_at=AT,
)


def test_an_amendment_is_the_next_version_and_nobody_has_certified_it() -> None:
    second = amendment(kept(FIRST), money=(CASH,))
    assert (second.version, second.certified_at, second.items, second.money) == (2, None, (WINE,), (CASH,))
    assert row([kept(FIRST), kept(second)]) == (FIRST, second)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "nothing was changed"),
        ({"items": (WINE,)}, "nothing was changed"),
        ({"guilty": True}, "guilty"),
        ({"items": ({"kind": "goods", "value": "-1", "currency": "EUR"},)}, "value"),
        ({"items": (WINE,) * 501}, "500"),
    ],
)
def test_what_is_no_amendment_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        amendment(kept(FIRST), **changes)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True), st.data())
def test_a_row_shows_what_was_taken_out_moved_or_altered(amounts: list[int], data: st.DataObject) -> None:
    versions = [kept(FIRST)]
    for amount in amounts:
        versions.append(
            kept(amendment(versions[-1], money=(CASH.model_copy(update={"amount": Decimal(amount)}),)))
        )
    assert [version.version for version in row(versions)] == list(range(1, len(versions) + 1))
    # Whatever is cut from the end leaves a shorter whole row: that is for whoever keeps them to notice.
    position = data.draw(st.integers(0, len(versions) - 2))
    without = versions[:position] + versions[position + 1 :]
    altered = versions.copy()
    altered[position] = altered[position].replace(b'"language":"en"', b'"language":"ru"')
    moved = versions.copy()
    moved[position], moved[position + 1] = moved[position + 1], moved[position]
    for wrong in (without, altered, moved):
        with pytest.raises(BrokenRow):
            row(wrong)


def test_what_is_no_declaration_breaks_a_row() -> None:
    with pytest.raises(BrokenRow, match="version 2 is no declaration"):
        row([kept(FIRST), b"{}"])
