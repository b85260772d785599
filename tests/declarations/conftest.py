"""The pack, a day's rates, and a traveller who declares."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from carried_goods import DAY, assess

from declarations.evaluate import PersonAssessment
from declarations.money import Rates
from declarations.packs import RulePack, load_pack


@pytest.fixture(scope="session")
def pack() -> RulePack:
    return load_pack("eaeu-by")


@pytest.fixture(scope="session")
def rates() -> Rates:
    """Round figures: one euro is 1.25 dollars."""
    return Rates(
        base="BYN",
        date=DAY,
        source="test",
        rates={"EUR": Decimal("4"), "USD": Decimal("3.2"), "RUB": Decimal("0.04"), "JPY": Decimal("0.02")},
    )


@pytest.fixture
def traveller(pack: RulePack, rates: Rates) -> Callable[..., PersonAssessment]:
    """`traveller(alcohol("4.5"), age=17)`: one adult arriving by air, unless told otherwise."""
    return partial(assess, pack, rates)
