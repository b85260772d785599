"""What a traveller told of themselves at the kiosk frees them at central, and what nobody told still refers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from central_scene import START, declaration, person, record

from central.risk import Features, assess, decide
from contracts.declaration import Circumstances, GoodsItem, GoodsKind
from contracts.transaction import TransactionRecord
from declarations.money import demonstration_rates
from declarations.packs import load_pack

RATES = demonstration_rates()


def features(amount: str, told: Circumstances | None, *, certified: bool = True) -> Features:
    goods = GoodsItem(kind=GoodsKind.GOODS, value=Decimal(amount), currency="USD")
    stated = declaration(rule_pack=load_pack("us").label, items=(goods,), circumstances=told)
    if not certified:
        stated = stated.model_copy(update={"certified_at": None})
    sent = TransactionRecord.model_validate_json(record(person(declaration=stated)).model_dump_json())
    return Features(
        record=sent,
        pack=load_pack("us"),
        rates=RATES,
        on=START.date(),
        screened=frozenset(one.person_id for one in sent.party.persons),
    )


@pytest.mark.parametrize(
    ("amount", "told", "codes"),
    [
        ("500", None, ["GOODS_UNKNOWN", "GOODS_VALUE_UNKNOWN"]),
        ("500", Circumstances(), ["GOODS_UNKNOWN", "GOODS_VALUE_UNKNOWN"]),
        ("500", Circumstances(resident=True, days_since_exemption=30), []),
        ("500", Circumstances(resident=True, days_since_exemption=0), ["GOODS_VALUE_UNKNOWN"]),
        ("500", Circumstances(resident=False), ["GOODS_UNKNOWN"]),
        ("801", Circumstances(resident=True, days_since_exemption=30), ["GOODS_VALUE_OVER_NORM"]),
    ],
)
def test_central_judges_by_what_was_told(amount: str, told: Circumstances | None, codes: list[str]) -> None:
    outcomes = decide(features(amount, told))
    assert sorted(reason.code for outcome in outcomes for reason in outcome.reasons) == codes


def test_what_was_not_signed_is_not_told() -> None:
    told = Circumstances(resident=True, days_since_exemption=30)
    assert not assess(features("500", told)).unknown
    assert assess(features("500", told, certified=False)).unknown
