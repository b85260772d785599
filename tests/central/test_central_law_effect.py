"""The effect of a version on stored declarations: counted rightly, bounded, cancelled, nothing personal kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from central_scene import Clock, add_user, declaration, person, record
from sqlalchemy import select, text

from central import law_effect, lawmaking
from central.access.permissions import Role, User
from central.counting import DONE, Busy
from central.intake import accept
from central.law_effect import Counted, EffectCounter, Progress, latest
from central.referrals import NotAllowed
from central.service import Central
from central.storage.models import LawEffect
from contracts.declaration import DeclaredChannel, GoodsItem, GoodsKind, Unit
from contracts.disposition import Agency
from contracts.events import AuditTag
from declarations.packs import PACKS

TOMORROW = date(2026, 11, 22)


@pytest.fixture
def nina(central: Central) -> User:
    return add_user(central, "nina", (Role.ADMINISTRATOR, Agency.CUSTOMS))


def one_litre(central: Central, user: User) -> int:
    """A version in which one litre of alcohol is free where the shipped law has three, without its examples."""
    layers = {name: json.loads((PACKS / f"{name}.json").read_text(encoding="utf-8")) for name in ("eaeu", "by")}
    changed = 0
    for said in layers.values():
        said |= {"version": "2030.1", "examples": []}
        for rule in said["rules"]:
            if rule.get("amount") == "3" and rule.get("unit") == "l":
                rule["amount"] = "1"
                changed += 1
    assert changed
    files = {name: json.dumps(said).encode() for name, said in layers.items()}
    return lawmaking.propose(central, user, "eaeu-by", files).number


def crosses(central: Central, litres: str | None, channel: DeclaredChannel = DeclaredChannel.GREEN) -> str:
    items = (
        () if litres is None else (GoodsItem(kind=GoodsKind.ALCOHOL, quantity=Decimal(litres), unit=Unit.LITRE),)
    )
    began = central.clock() - timedelta(minutes=2)
    said = declaration(items=items, declared_channel=channel, certified_at=began)
    sent = record(person(declaration=said), started_at=began, completed_at=central.clock())
    accept(central, sent, sent.model_dump_json().encode())
    return sent.record_id


def counted(central: Central, user: User, number: int) -> Counted:
    central.effects.start(central, user, number, TOMORROW)
    central.effects.wait(60)
    found = latest(central, number)
    assert found is not None and found.state == DONE
    return found.counted


def test_what_would_change_is_counted(central: Central, nina: User) -> None:
    crosses(central, None)
    crosses(central, "1")
    two = crosses(central, "2")
    four = crosses(central, "4", DeclaredChannel.RED)
    number = one_litre(central, nina)
    found = counted(central, nina, number)
    assert (found.records, found.people, found.erased, found.all_records) == (4, 4, 0, 4)
    assert (found.to_red, found.to_green) == (1, 0)
    assert found.duty_more == 2  # two litres were free and four were one over
    assert found.duty_less == 0
    assert set(found.samples) == {two, four}
    assert found.added == {"ALCOHOL_OVER_NORM": 1} and found.removed == {}
    assert found.on == "2026-11-22"


def test_the_same_law_changes_nothing(central: Central, nina: User) -> None:
    for litres in (None, "2", "4"):
        crosses(central, litres)
    found = counted(central, nina, 1)
    assert (found.records, found.to_red, found.to_green, found.other_reasons) == (3, 0, 0, 0)
    assert (found.duty_more, found.duty_less, found.added, found.samples) == (0, 0, {}, [])


def test_nothing_personal_is_kept_of_it(central: Central, nina: User) -> None:
    crosses(central, "2")
    counted(central, nina, one_litre(central, nina))
    with central.storage.read() as session:
        row = session.scalars(select(LawEffect)).one()
        kept = json.dumps(row.result)
        events = central.audit.page(session, tag=AuditTag.RULES_EFFECT_COUNTED.value).events
    for personal in ("LINDEN", "ANNA", "L898902C3", "1984"):
        assert personal not in kept and personal not in json.dumps([event.detail for event in events])
    assert [event.actor for event in events] == ["nina"]


def test_only_the_last_thirty_days_and_no_more_than_the_bound(
    central: Central, nina: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    crosses(central, "2")
    clock.advance(days=31)
    newest = [crosses(central, "2") for _ in range(3)]
    number = one_litre(central, nina)
    assert counted(central, nina, number).records == 3
    monkeypatch.setattr(law_effect, "MOST_RECORDS", 2)
    found = counted(central, nina, number)
    assert (found.records, found.all_records) == (2, 3)
    assert set(found.samples) <= set(newest)


def test_what_was_erased_is_said(central: Central, nina: User) -> None:
    crosses(central, "2")
    crosses(central, "2")
    with central.storage.write() as session:
        session.execute(text("delete from data_keys where record_id = (select min(record_id) from transactions)"))
    found = counted(central, nina, one_litre(central, nina))
    assert (found.records, found.erased) == (1, 1)


def test_one_at_a_time_and_cancelled_with_what_there_is(
    central: Central, nina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        crosses(central, "2")
    number = one_litre(central, nina)
    seen: list[Progress | None] = []

    def cancels(job: Any, record_id: str, count: Callable[..., None] = law_effect._Job.count) -> None:
        count(job, record_id)
        seen.append(central.effects.progress)
        with pytest.raises(Busy):
            central.effects.start(central, nina, number, TOMORROW)
        central.effects.cancel(central, nina)

    monkeypatch.setattr(law_effect._Job, "count", cancels)
    central.effects.start(central, nina, number, TOMORROW)
    central.effects.wait(60)
    found = latest(central, number)
    assert found is not None and (found.state, found.counted.records) == (law_effect.CANCELLED, 1)
    assert seen == [Progress(number, 0, 3)]
    assert central.effects.progress is None


def test_only_those_who_may_change_the_law(central: Central, nina: User, officer: User) -> None:
    number = one_litre(central, nina)
    for action in (
        lambda: EffectCounter().start(central, officer, number, TOMORROW),
        lambda: central.effects.cancel(central, officer),
    ):
        with pytest.raises(NotAllowed):
            action()
    with pytest.raises(LookupError):
        central.effects.start(central, nina, 99, TOMORROW)
