"""The law of a site: two people, local midnight, the version a session began with, and back again; all audited."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from central_scene import (
    Clock,
    MakeConfig,
    Sender,
    add_user,
    declaration,
    passport,
    person,
    record,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from central import create_app, lawmaking
from central.access.permissions import Role, User
from central.intake import accept
from central.keys import from_base64url
from central.law import day_of_law, midnight
from central.lawmaking import InvalidLaw
from central.referrals import NotAllowed
from central.replay import replay
from central.service import Central, build, central_of
from contracts.api import KioskConfiguration, LawBundle
from contracts.canonical import canonical_json, content_hash
from contracts.decision import Channel, Decision
from contracts.declaration import GoodsItem, GoodsKind, Unit
from contracts.disposition import Agency
from contracts.events import AuditTag
from contracts.transaction import Provenance, TransactionRecord
from declarations.packs import PACKS, RulePack, load_pack

MINSK = ZoneInfo("Europe/Minsk")
TOMORROW = date(2026, 11, 22)  # the clock stands at noon of the 21st in Minsk


@pytest.fixture
def nina(central: Central) -> User:
    return add_user(central, "nina", (Role.ADMINISTRATOR, Agency.CUSTOMS))


@pytest.fixture
def oleg(central: Central) -> User:
    return add_user(central, "oleg", (Role.ADMINISTRATOR, Agency.CUSTOMS))


def layer(name: str = "by", **changes: Any) -> bytes:
    said = json.loads((PACKS / f"{name}.json").read_text(encoding="utf-8"))
    return json.dumps(said | changes, ensure_ascii=False).encode()


def amended(version: str = "2030.1", **changes: Any) -> bytes:
    """The Belarus layer with another word in its first rule."""
    said = json.loads(layer(version=version, **changes))
    said["rules"][0]["note"] = "amended"
    return json.dumps(said, ensure_ascii=False).encode()


def put_in_force(central: Central, one: User, other: User, on: date = TOMORROW, version: str = "2030.1") -> int:
    made = lawmaking.propose(central, one, "eaeu-by", {"by": amended(version)})
    asked = lawmaking.ask(central, one, made.number, on)
    lawmaking.decide(central, other, asked.number, approve=True, looked=True)
    return made.number


def events(central: Central) -> list[str]:
    with central.storage.read() as reading:
        return [
            event.tag for event in central.audit.page(reading, limit=50).events if event.tag.startswith("rules")
        ]


def refused(action: Any) -> str:
    with pytest.raises(InvalidLaw) as raised:
        action()
    return raised.value.reason


# --- two people ---------------------------------------------------------------------------------------------


def test_it_begins_with_the_pack_of_the_set_up(central: Central, config: Any, clock: Clock) -> None:
    assert central.pack == load_pack("eaeu-by")
    (begun,) = lawmaking.activations(central)
    assert (begun.kind, begun.asked_by, begun.decided_by) == ("shipped", "set-up", None)
    before = events(central)
    again = build(config, clock)
    assert lawmaking.activations(again) == (begun,) and events(again) == before
    again.close()


def test_a_version_needs_two_and_waits_for_its_midnight(
    central: Central, nina: User, oleg: User, clock: Clock
) -> None:
    law = central.pack.content_hash
    made = lawmaking.propose(central, nina, "eaeu-by", {"by": amended()}, note="amended")
    assert (made.number, made.label, made.proposed_by) == (2, "eaeu-by:2030.1", "nina")
    asked = lawmaking.ask(central, nina, 2, TOMORROW)
    assert (
        refused(lambda: lawmaking.decide(central, nina, asked.number, approve=True, looked=True)) == "same_person"
    )
    assert refused(lambda: lawmaking.decide(central, oleg, asked.number, approve=True)) == "look_first"
    lawmaking.decide(central, oleg, asked.number, approve=True, looked=True)
    clock.now = datetime(2026, 11, 21, 20, 59, 59, 999_999, tzinfo=UTC)  # a moment before midnight in Minsk
    assert central.pack.content_hash == law
    clock.advance(microseconds=1)
    assert central.pack.content_hash == made.sha256 != law
    assert events(central)[:3] == [
        AuditTag.RULES_ACTIVATION_APPROVED,
        AuditTag.RULES_ACTIVATION_ASKED,
        AuditTag.RULES_VERSION_PROPOSED,
    ]
    with pytest.raises(LookupError):
        lawmaking.decide(central, oleg, asked.number, approve=True)


def test_whoever_proposed_does_not_approve_what_a_third_asked_for(
    central: Central, nina: User, oleg: User
) -> None:
    made = lawmaking.propose(central, nina, "eaeu-by", {"by": amended()})
    asked = lawmaking.ask(central, oleg, made.number, TOMORROW)
    assert (
        refused(lambda: lawmaking.decide(central, nina, asked.number, approve=True, looked=True)) == "same_person"
    )
    vera = add_user(central, "vera", (Role.ADMINISTRATOR, Agency.CUSTOMS))
    lawmaking.decide(central, vera, asked.number, approve=True, looked=True)


def test_the_database_itself_wants_two(central: Central, nina: User) -> None:
    made = lawmaking.propose(central, nina, "eaeu-by", {"by": amended()})
    lawmaking.ask(central, nina, made.number, TOMORROW)
    for changes in ("decided_by = asked_by", "decided_by = null"):
        with pytest.raises(IntegrityError, match="law_needs_two"), central.storage.write() as session:
            session.execute(text(f"update law_activations set state = 'approved', {changes} where kind = 'dated'"))


def test_only_administrators(central: Central, officer: User, supervisor: User) -> None:
    auditor = add_user(central, "ivan", (Role.AUDITOR, Agency.CUSTOMS))
    for user in (officer, supervisor, auditor):
        for action in (
            lambda: lawmaking.propose(central, user, "eaeu-by", {"by": amended()}),  # noqa: B023 - called at once
            lambda: lawmaking.ask(central, user, 1, TOMORROW),  # noqa: B023
            lambda: lawmaking.ask_rollback(central, user),  # noqa: B023
            lambda: lawmaking.decide(central, user, 1, approve=True),  # noqa: B023
            lambda: lawmaking.withdraw(central, user, 1),  # noqa: B023
        ):
            with pytest.raises(NotAllowed):
                action()


def test_rejected_and_withdrawn_leave_the_law_of_today(
    central: Central, nina: User, oleg: User, clock: Clock
) -> None:
    law = central.pack.content_hash
    made = lawmaking.propose(central, nina, "eaeu-by", {"by": amended()})
    asked = lawmaking.ask(central, nina, made.number, TOMORROW)
    lawmaking.decide(central, nina, asked.number, approve=False)  # one's own may be taken back
    number = lawmaking.ask(central, nina, made.number, TOMORROW).number
    lawmaking.decide(central, oleg, number, approve=True, looked=True)
    lawmaking.withdraw(central, nina, number)
    with pytest.raises(LookupError):
        lawmaking.withdraw(central, nina, number)
    clock.advance(days=2)
    assert central.pack.content_hash == law
    assert events(central)[0] == AuditTag.RULES_ACTIVATION_WITHDRAWN


def test_back_to_the_version_before_is_two_people_and_at_once(
    central: Central, nina: User, oleg: User, clock: Clock
) -> None:
    law = central.pack.content_hash
    assert refused(lambda: lawmaking.ask_rollback(central, nina)) == "nothing_before"
    put_in_force(central, nina, oleg)
    clock.advance(days=1)
    asked = lawmaking.ask_rollback(central, nina)
    assert refused(lambda: lawmaking.decide(central, nina, asked.number, approve=True)) == "same_person"
    assert central.pack.content_hash != law
    lawmaking.decide(central, oleg, asked.number, approve=True)
    assert central.pack.content_hash == law
    assert events(central)[:2] == [AuditTag.RULES_ACTIVATION_APPROVED, AuditTag.RULES_ACTIVATION_ASKED]
    with pytest.raises(LookupError):  # what is in force is not withdrawn: the way back is another activation
        lawmaking.withdraw(central, oleg, asked.number)


# --- what can be proposed -----------------------------------------------------------------------------------


def test_what_cannot_be_is_refused_with_place_and_reason(central: Central, nina: User) -> None:
    def reason(pack: str = "eaeu-by", **files: bytes) -> tuple[str, str]:
        with pytest.raises(InvalidLaw) as raised:
            lawmaking.propose(central, nina, pack, files)
        return raised.value.reason, raised.value.place

    assert reason() == ("known_already", load_pack("eaeu-by").label)
    assert reason(by=layer(title="Another")) == ("label_taken", load_pack("eaeu-by").label)
    assert reason(by=b"{")[0] == "not_json"
    assert reason(by=b"\xff")[0] == "not_json"
    assert reason(by=b"[" * 100_000)[0] == "not_json"
    assert reason(by=b"[]")[0] == "not_json"
    assert reason(by=b" " * (lawmaking.LARGEST_LAYER + 1))[0] == "layer_too_large"
    assert reason(gb=layer("gb")) == ("layer_not_of_pack", "gb")
    assert reason("eaeu-nowhere") == ("layer_missing", "nowhere")
    assert reason("../etc/passwd")[0] == "pack_name"
    assert reason("by-eaeu")[0] == "not_valid"  # in the wrong order
    said = json.loads(layer(version="2030.2"))
    said["rules"][0]["comparator"] = "<>"
    refused_as, place = reason(by=json.dumps(said).encode())
    assert refused_as == "not_valid" and said["rules"][0]["id"] in place and "comparator" in place
    assert [event for event in events(central) if event == AuditTag.RULES_VERSION_PROPOSED] == []


def test_a_pack_that_fails_its_own_worked_examples_is_not_asked_for(central: Central, nina: User) -> None:
    said = json.loads(layer("eaeu"))
    changed = [rule for rule in said["rules"] if rule.get("amount") == "3" and rule.get("unit") == "l"]
    for rule in changed:
        rule["amount"] = "2"
    files = {"eaeu": json.dumps(said).encode(), "by": layer(version="2030.1")}
    made = lawmaking.propose(central, nina, "eaeu-by", files)
    assert changed and refused(lambda: lawmaking.ask(central, nina, made.number, TOMORROW)) == "examples_fail"
    ran = lawmaking.run_examples(central.law.pack(made.sha256), TOMORROW)
    assert any(not one.holds for one in ran) and any(one.holds for one in ran)
    assert all(one.holds for one in lawmaking.run_examples(central.pack, TOMORROW))


@pytest.mark.parametrize("name", ["jp", "kr", "hk", "sg"])
def test_a_draft_is_never_a_version(central: Central, nina: User, name: str) -> None:
    assert refused(lambda: lawmaking.propose(central, nina, name, {})) == "draft"


def test_no_day_that_has_begun(central: Central, nina: User, oleg: User, clock: Clock) -> None:
    made = lawmaking.propose(central, nina, "eaeu-by", {"by": amended()})
    assert refused(lambda: lawmaking.ask(central, nina, made.number, date(2026, 11, 21))) == "date_passed"
    assert refused(lambda: lawmaking.ask(central, nina, 1, TOMORROW)) == "in_force_already"
    with pytest.raises(LookupError):
        lawmaking.ask(central, nina, 9, TOMORROW)
    asked = lawmaking.ask(central, nina, made.number, TOMORROW)
    assert refused(lambda: lawmaking.ask(central, oleg, made.number, TOMORROW)) == "one_waits"
    clock.advance(days=1)  # nobody approved in time: the day asked for has begun
    assert (
        refused(lambda: lawmaking.decide(central, oleg, asked.number, approve=True, looked=True)) == "date_passed"
    )


# --- midnight -----------------------------------------------------------------------------------------------

ZONES = ("Europe/Minsk", "Europe/Berlin", "America/Havana", "Asia/Beirut", "Africa/Cairo", "America/Asuncion")


@settings(deadline=None)
@given(day=st.dates(date(2015, 1, 2), date(2040, 12, 30)), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_a_day_begins_at_its_first_moment_in_any_zone(day: date, zone: ZoneInfo) -> None:
    begins = midnight(day, zone)
    assert begins.astimezone(zone).date() == day
    assert (begins - timedelta(microseconds=1)).astimezone(zone).date() == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "zone", "moment"),
    [
        ("2026-03-29", "Europe/Minsk", "2026-03-28T21:00"),  # no summer time here since 2011
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00"),  # clocks go forward at 02:00 of this day
        ("2026-03-30", "Europe/Berlin", "2026-03-29T22:00"),
        ("2026-10-26", "Europe/Berlin", "2026-10-25T23:00"),
        ("2026-03-08", "America/Havana", "2026-03-08T05:00"),  # midnight itself is skipped
        ("2026-11-01", "America/Havana", "2026-11-01T04:00"),  # midnight comes twice: the first
        ("2023-03-26", "Asia/Beirut", "2023-03-25T22:00"),
    ],
)
def test_around_changes_of_the_clock(day: str, zone: str, moment: str) -> None:
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert midnight(date.fromisoformat(day), ZoneInfo(zone)) == expected


def test_a_site_elsewhere_switches_at_its_own_midnight(make_config: MakeConfig, clock: Clock) -> None:
    app = create_app(make_config(timezone="Europe/Berlin"), clock)
    central = central_of(app)
    one, other = (add_user(central, name, (Role.ADMINISTRATOR, Agency.CUSTOMS)) for name in ("nina", "oleg"))
    clock.now = datetime(2027, 3, 20, 9, 0, tzinfo=UTC)
    put_in_force(central, one, other, date(2027, 3, 29))  # the day after summer time began: an hour earlier in UTC
    for moment, label in (
        ("2027-03-28T21:59:59", load_pack("eaeu-by").label),
        ("2027-03-28T22:00:00", "eaeu-by:2030.1"),
    ):
        clock.now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert central.pack.label == label
    central.close()


def test_a_session_over_midnight_stays_in_its_day() -> None:
    received = datetime(2026, 11, 21, 21, 3, tzinfo=UTC)  # 00:03 of the 22nd in Minsk
    assert day_of_law(received - timedelta(minutes=5), received, MINSK) == date(2026, 11, 21)
    assert day_of_law(received - timedelta(minutes=1), received, MINSK) == TOMORROW
    assert day_of_law(received - timedelta(hours=3), received, MINSK) == TOMORROW  # delivered late
    assert day_of_law(received + timedelta(hours=3), received, MINSK) == TOMORROW  # out of the future


# --- the version a session began with -----------------------------------------------------------------------


def session_of(pack: RulePack, began: datetime, **changes: Any) -> TransactionRecord:
    said = declaration(rule_pack=pack.label, certified_at=began, **changes)
    return record(
        person(declaration=said),
        started_at=began,
        completed_at=began + timedelta(minutes=1),
        provenance=Provenance(profile="test", software="corridor-test", rule_pack_sha256=pack.content_hash),
    )


def decided(central: Central, sent: TransactionRecord) -> Decision:
    return accept(central, sent, sent.model_dump_json().encode()).decision


def codes(decision: Decision) -> list[str]:
    return [reason.code for outcome in decision.persons for reason in outcome.reasons]


def test_a_session_keeps_the_version_it_began_with(central: Central, nina: User, oleg: User, clock: Clock) -> None:
    old = central.pack
    put_in_force(central, nina, oleg)
    switch = midnight(TOMORROW, MINSK)
    clock.now = switch + timedelta(minutes=1)
    new = central.pack
    assert new.label != old.label
    over_midnight = decided(central, session_of(old, switch - timedelta(minutes=1)))
    assert (over_midnight.channel, over_midnight.versions.rule_pack) == (Channel.GREEN, old.label)
    assert over_midnight.versions.rule_pack_hash == old.content_hash
    after = decided(central, session_of(new, switch + timedelta(seconds=5)))
    assert (after.channel, after.versions.rule_pack_hash) == (Channel.GREEN, new.content_hash)
    behind = decided(central, session_of(old, switch + timedelta(seconds=30)))  # the news was still on its way
    assert (behind.channel, behind.versions.rule_pack) == (Channel.GREEN, old.label)
    clock.advance(days=3)
    stuck = decided(central, session_of(old, clock() - timedelta(minutes=2)))
    assert codes(stuck) == ["RULE_PACK_NOT_IN_FORCE"]
    assert stuck.versions.rule_pack_hash == new.content_hash
    early = decided(
        central,
        session_of(old, clock()).model_copy(
            update={"provenance": Provenance(profile="test", software="corridor-test", rule_pack_sha256="0" * 64)}
        ),
    )
    assert "RULE_PACK_NOT_IN_FORCE" in codes(early)
    for decision in (over_midnight, after, behind, stuck):
        assert replay(central, decision.record_id).same is True


def test_a_pack_that_was_never_law_here_is_referred(central: Central, nina: User) -> None:
    made = lawmaking.propose(central, nina, "eaeu-by", {"by": amended()})  # and never approved
    stranger = central.law.pack(made.sha256)
    decision = decided(central, session_of(stranger, central.clock() - timedelta(minutes=1)))
    assert (decision.channel, codes(decision)) == (Channel.RED, ["RULE_PACK_NOT_KNOWN"])
    assert decision.versions.rule_pack == load_pack("eaeu-by").label
    assert replay(central, decision.record_id).same is True


def test_two_declarations_of_one_party_by_two_packs_are_referred(
    central: Central, nina: User, oleg: User, clock: Clock
) -> None:
    old = central.pack
    put_in_force(central, nina, oleg)
    clock.now = midnight(TOMORROW, MINSK) + timedelta(minutes=1)
    new = central.pack
    sent = record(
        person(declaration=declaration(rule_pack=old.label)),
        person(
            person_id="p2",
            role="adult",
            documents=(passport(number="X1"),),
            declaration=declaration(rule_pack=new.label),
        ),
        started_at=clock() - timedelta(minutes=2),
        completed_at=clock(),
    )
    assert set(codes(decided(central, sent))) == {"RULE_PACK_NOT_KNOWN"}


def test_the_law_changes_what_is_free(central: Central, nina: User, oleg: User, clock: Clock) -> None:
    """Three litres of spirits are free by the shipped law; under one litre as the norm they go to an officer."""
    said = json.loads(layer("eaeu", version="2030.1", examples=[]))
    changed = [rule for rule in said["rules"] if rule.get("amount") == "3" and rule.get("unit") == "l"]
    for rule in changed:
        rule["amount"] = "1"
    assert changed
    made = lawmaking.propose(
        central, nina, "eaeu-by", {"eaeu": json.dumps(said).encode(), "by": layer(version="2030.1", examples=[])}
    )
    lawmaking.decide(
        central, oleg, lawmaking.ask(central, nina, made.number, TOMORROW).number, approve=True, looked=True
    )
    bottles = (GoodsItem(kind=GoodsKind.ALCOHOL, quantity="3", unit=Unit.LITRE),)
    before = decided(central, session_of(central.pack, clock() - timedelta(minutes=1), items=bottles))
    clock.advance(days=1)
    after = decided(central, session_of(central.pack, clock() - timedelta(minutes=1), items=bottles))
    assert (before.channel, after.channel) == (Channel.GREEN, Channel.RED)
    assert replay(central, before.record_id).same and replay(central, after.record_id).same


# --- what kiosks get ----------------------------------------------------------------------------------------


def fetched(kiosk: Sender) -> tuple[KioskConfiguration, LawBundle]:
    said = KioskConfiguration.model_validate_json(kiosk.send("GET", "/api/v1/configuration").data)
    response = kiosk.send("GET", "/api/v1/law")
    assert response.status_code == 200, response.text
    return said, LawBundle.model_validate_json(response.data)


def test_kiosks_get_the_law_in_force_and_the_one_to_come_signed(
    central: Central, kiosk: Sender, nina: User, oleg: User, clock: Clock
) -> None:
    said, first = fetched(kiosk)
    assert [RulePack.model_validate_json(one.content) for one in first.packs] == [load_pack("eaeu-by")]
    assert (said.rule_pack, said.law_version) == (load_pack("eaeu-by").label, first.version)
    put_in_force(central, nina, oleg)
    said, bundle = fetched(kiosk)
    unsigned = bundle.model_copy(update={"signature": None})
    assert said.law_version == bundle.version > first.version
    assert said.law_sha256 == content_hash(unsigned)
    key = Ed25519PublicKey.from_public_bytes(from_base64url(said.receipt_public_key))
    key.verify(from_base64url(bundle.signature or ""), canonical_json(unsigned))
    now, then = bundle.packs
    assert (now.sha256, then.effective_at) == (load_pack("eaeu-by").content_hash, midnight(TOMORROW, MINSK))
    clock.now = midnight(TOMORROW, MINSK)
    again, same = fetched(kiosk)  # the day came: nothing to fetch, it is there already
    assert (same.version, again.rule_pack) == (bundle.version, "eaeu-by:2030.1")
    lawmaking.withdraw(central, nina, put_and_wait(central, nina, oleg))
    assert [one.sha256 for one in fetched(kiosk)[1].packs] == [then.sha256]


def put_and_wait(central: Central, one: User, other: User) -> int:
    put_in_force(central, one, other, date(2026, 12, 24), "2030.9")
    return lawmaking.activations(central)[0].number


def test_an_upgraded_service_keeps_the_law_that_was_in_force(
    make_config: MakeConfig, central: Central, nina: User, oleg: User, clock: Clock, tmp_path: Path, app: Flask
) -> None:
    put_in_force(central, nina, oleg)
    clock.advance(days=1)
    again = build(make_config(rule_pack="gb"), clock)  # what the configuration names is for the first start only
    assert again.pack.label == "eaeu-by:2030.1"
    again.close()
