"""Travellers with something wrong at the real kiosk: none is cleared, and central's record says what it was."""

from __future__ import annotations

import pytest
from journeys_stage import Stage
from journeys_travellers import WRONG, Wrong

from contracts.checks import CheckName

pytestmark = [pytest.mark.slow, pytest.mark.pcsc]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.id)
def test_nobody_with_something_wrong_is_cleared(stage: Stage, wrong: Wrong) -> None:
    visit = stage.visit(wrong.id)
    visit.comes_to("notice")  # a kiosk whose camera fails before that invites nobody
    try:
        for device, fault in wrong.faults:
            stage.bench.put("fault", device=device, fault=fault)
        if wrong.asks_when is not None:
            visit.go_on_until(wrong.asks_when)
            visit.asks_for_an_officer()
        result = visit.ends()["result"]
        visit.leaves()
    finally:
        for device, _ in wrong.faults:
            stage.bench.put("fault", device=device, fault=None)
    assert result["cleared"] is False
    row = stage.record(result["receipt_number"])
    assert row["channel"] == "red"
    assert set(row["reasons"]) == wrong.reasons, str(row["checks"])
    assert wrong.zone in (None, row["checks"][CheckName.MRZ_READ])
