"""Rule 1 and rule 9: only a named officer's signature closes a referral, and every referral closes."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from central_scene import PASSWORD, Sender, add_user, passport, person, record, red_record
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from central.access.permissions import Role, User
from central.access.users import Refused
from central.dispositions import InvalidDisposition, Second, dispose, needs_second, verify_signature
from central.referrals import (
    Closed,
    HeldBy,
    NotAllowed,
    UnknownCase,
    alarms,
    case,
    claim,
    dispositions_of,
    queue,
    raise_no_shows,
    unclaim,
)
from central.service import Central
from central.storage.models import StoredDisposition, StoredReferral
from contracts.decision import Decision, ReasonClass
from contracts.disposition import Agency, DispositionOutcome, ReferralState
from contracts.transaction import TransactionRecord

CUSTOMS = Agency.CUSTOMS
RELEASE = {"outcome": DispositionOutcome.RELEASE, "reason_code": "R-01", "password": PASSWORD}
DETAIN = {"outcome": DispositionOutcome.DETAIN_GOODS, "reason_code": "D-01", "password": PASSWORD}


@pytest.fixture
def referred(kiosk: Sender) -> tuple[TransactionRecord, Decision]:
    sent = red_record()
    return sent, Decision.model_validate_json(kiosk.sends_record(sent).data)


def test_a_release_is_signed_and_closes(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User
) -> None:
    record_id = referred[0].record_id
    assert [entry.record_id for entry in queue(central, officer, CUSTOMS)] == [record_id]
    claim(central, officer, record_id, CUSTOMS)
    signed = dispose(central, officer, record_id, CUSTOMS, **RELEASE)
    assert queue(central, officer, CUSTOMS) == ()
    with central.storage.read() as session:
        assert dispositions_of(central, session, record_id) == (signed,)
        assert verify_signature(central, session, signed)
        for forged in (
            signed.model_copy(update={"note": "changed"}),
            signed.model_copy(update={"officer_id": "sergei"}),
            signed.model_copy(update={"outcome": DispositionOutcome.ASSESS_DUTY}),
            signed.model_copy(update={"signature": "A" * 86}),
        ):
            assert not verify_signature(central, session, forged)
    with pytest.raises(Closed):
        dispose(central, officer, record_id, CUSTOMS, **RELEASE)


def test_the_case_shows_everything_and_is_audited(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User
) -> None:
    seen = case(central, officer, referred[0].record_id, CUSTOMS)
    assert seen.record == referred[0]
    assert seen.decision == referred[1]
    assert seen.evidence_state == "not_expected"
    assert "p1" in seen.assessments
    with central.storage.read() as session:
        assert central.audit.page(session, tag="referral:case:viewed").events[0].actor == officer.user_id


def test_who_may_not(referred: tuple[TransactionRecord, Decision], central: Central, officer: User) -> None:
    record_id = referred[0].record_id
    administrator = add_user(central, "adam", (Role.ADMINISTRATOR, CUSTOMS))
    elsewhere = add_user(central, "vera", (Role.OFFICER, Agency.VETERINARY))
    for user in (administrator, elsewhere):
        with pytest.raises(NotAllowed):
            queue(central, user, CUSTOMS)
        with pytest.raises(NotAllowed):
            case(central, user, record_id, CUSTOMS)
        with pytest.raises(NotAllowed):
            claim(central, user, record_id, CUSTOMS)
        with pytest.raises(NotAllowed):
            dispose(central, user, record_id, CUSTOMS, **RELEASE)
    with pytest.raises(UnknownCase):
        claim(central, officer, record_id, Agency.BORDER)  # declared red is no matter of the border service
    other_site = replace(officer, grants=tuple(replace(grant, site_id="brest-1") for grant in officer.grants))
    with pytest.raises(NotAllowed):
        claim(central, other_site, record_id, CUSTOMS)


def test_one_officer_holds_a_case(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User, supervisor: User
) -> None:
    record_id = referred[0].record_id
    with pytest.raises(InvalidDisposition, match="not_claimed_by_you"):
        dispose(central, officer, record_id, CUSTOMS, **RELEASE)
    claim(central, officer, record_id, CUSTOMS)
    claim(central, officer, record_id, CUSTOMS)
    second = add_user(central, "boris", (Role.OFFICER, CUSTOMS))
    with pytest.raises(HeldBy) as held:
        claim(central, second, record_id, CUSTOMS)
    assert held.value.name == "Olga"
    with pytest.raises(NotAllowed):
        unclaim(central, second, record_id, CUSTOMS)
    unclaim(central, supervisor, record_id, CUSTOMS)
    claim(central, second, record_id, CUSTOMS)


def test_a_wrong_password_signs_nothing(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User
) -> None:
    record_id = referred[0].record_id
    claim(central, officer, record_id, CUSTOMS)
    for _ in range(5):
        with pytest.raises(Refused):
            dispose(central, officer, record_id, CUSTOMS, **(RELEASE | {"password": "guess"}))
    with pytest.raises(Refused, match="too many"):
        dispose(central, officer, record_id, CUSTOMS, **RELEASE)
    with central.storage.read() as session:
        assert session.scalars(select(StoredDisposition)).all() == []


def test_wrong_passwords_lock_the_one_who_gave_them_at_that_place_and_nobody_else(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User, kiosk: Sender
) -> None:
    record_id = referred[0].record_id
    for name in ("boris", "clara"):
        add_user(central, name, (Role.OFFICER, CUSTOMS))
    claim(central, officer, record_id, CUSTOMS)
    wrong = RELEASE | {"password": "guess"}
    for attempt in range(40):  # one careless officer, all day
        if attempt % 5 == 0:
            kiosk.clock.advance(minutes=16)
        with pytest.raises(Refused, match="password"):
            dispose(central, officer, record_id, CUSTOMS, address="10.0.0.1", **wrong)
    with pytest.raises(Refused, match="too many"):
        dispose(central, officer, record_id, CUSTOMS, address="10.0.0.1", **RELEASE)
    signed = dispose(central, officer, record_id, CUSTOMS, address="10.0.0.2", **RELEASE)
    assert signed.officer_id == officer.user_id, "elsewhere the right password still signs"


def test_the_second_officers_mistakes_are_the_seconds(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User
) -> None:
    record_id = referred[0].record_id
    for name in ("boris", "clara"):
        add_user(central, name, (Role.OFFICER, CUSTOMS))
    claim(central, officer, record_id, CUSTOMS)
    for _ in range(5):
        with pytest.raises(Refused, match="password"):
            dispose(central, officer, record_id, CUSTOMS, second=Second("boris", "guess"), **DETAIN)
    with pytest.raises(Refused, match="too many"):
        dispose(central, officer, record_id, CUSTOMS, second=Second("boris", PASSWORD), **DETAIN)
    signed = dispose(central, officer, record_id, CUSTOMS, second=Second("clara", PASSWORD), **DETAIN)
    assert signed.second_officer_id == "clara", "the first officer is not locked"


def test_a_disabled_officer_signs_nothing_not_even_as_the_second(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User
) -> None:
    record_id = referred[0].record_id
    add_user(central, "boris", (Role.OFFICER, CUSTOMS))
    claim(central, officer, record_id, CUSTOMS)

    def disable(user_id: str) -> None:
        with central.storage.write() as session:
            central.users.set_disabled(session, user_id=user_id, disabled=True, by="test", now=central.clock())

    disable("boris")
    with pytest.raises(Refused):
        dispose(central, officer, record_id, CUSTOMS, second=Second("boris", PASSWORD), **DETAIN)
    disable(officer.user_id)
    with pytest.raises(Refused):
        dispose(central, officer, record_id, CUSTOMS, **RELEASE)


def test_two_officers_sign_a_detention(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User
) -> None:
    record_id = referred[0].record_id
    claim(central, officer, record_id, CUSTOMS)
    add_user(central, "boris", (Role.OFFICER, CUSTOMS))
    add_user(central, "adam", (Role.ADMINISTRATOR, CUSTOMS))
    with pytest.raises(InvalidDisposition, match="second_officer_needed"):
        dispose(central, officer, record_id, CUSTOMS, **DETAIN)
    with pytest.raises(InvalidDisposition, match="second_officer_is_the_first"):
        dispose(central, officer, record_id, CUSTOMS, second=Second(officer.user_id, PASSWORD), **DETAIN)
    with pytest.raises(Refused):
        dispose(central, officer, record_id, CUSTOMS, second=Second("boris", "wrong"), **DETAIN)
    with pytest.raises(NotAllowed):
        dispose(central, officer, record_id, CUSTOMS, second=Second("adam", PASSWORD), **DETAIN)
    signed = dispose(central, officer, record_id, CUSTOMS, second=Second("boris", PASSWORD), **DETAIN)
    assert signed.second_officer_id == "boris"


def test_when_two_officers_sign() -> None:
    watch = frozenset({ReasonClass.WATCH_LIST})
    assert needs_second(DispositionOutcome.REFUSE, frozenset())
    assert needs_second(DispositionOutcome.HAND_OVER, watch)
    assert not needs_second(DispositionOutcome.HAND_OVER, frozenset())
    assert not needs_second(DispositionOutcome.RELEASE, watch)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"outcome": DispositionOutcome.REFUSE, "reason_code": "F-01"}, "outcome_not_of_this_agency"),
        ({"outcome": DispositionOutcome.RELEASE, "reason_code": "A-01"}, "reason_code_unknown"),
        ({"outcome": DispositionOutcome.HAND_OVER, "reason_code": "H-01"}, "hand_over_names_an_agency"),
        ({"outcome": DispositionOutcome.NO_SHOW, "reason_code": "N-01"}, None),
    ],
)
def test_what_does_not_fit(
    referred: tuple[TransactionRecord, Decision],
    central: Central,
    officer: User,
    how: dict[str, object],
    reason: str | None,
) -> None:
    claim(central, officer, referred[0].record_id, CUSTOMS)
    with pytest.raises(NotAllowed if reason is None else InvalidDisposition, match=reason):
        dispose(central, officer, referred[0].record_id, CUSTOMS, password=PASSWORD, **how)  # type: ignore[arg-type]


def test_handing_over_opens_the_others_referral_and_the_exit_waits_for_it(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User, exit_gate: Sender
) -> None:
    sent, decision = referred
    claim(central, officer, sent.record_id, CUSTOMS)
    dispose(
        central,
        officer,
        sent.record_id,
        CUSTOMS,
        outcome=DispositionOutcome.HAND_OVER,
        reason_code="H-01",
        hand_over_to=Agency.VETERINARY,
        password=PASSWORD,
    )
    assert exit_gate.checks_receipt(decision.receipt) == "to_desk"
    vet = add_user(central, "vera", (Role.OFFICER, Agency.VETERINARY))
    claim(central, vet, sent.record_id, Agency.VETERINARY)
    dispose(central, vet, sent.record_id, Agency.VETERINARY, **RELEASE)
    assert exit_gate.checks_receipt(decision.receipt) == "open"


def test_a_forged_document_goes_to_both_agencies_and_a_refusal_keeps_the_exit_shut(
    kiosk: Sender, exit_gate: Sender, central: Central, officer: User
) -> None:
    sent = record(person(documents=(passport(checks=()),)))
    decision = Decision.model_validate_json(kiosk.sends_record(sent).data)
    add_user(central, "boris", (Role.OFFICER, Agency.BORDER))
    for agency in (CUSTOMS, Agency.BORDER):
        claim(central, officer, sent.record_id, agency)
    dispose(central, officer, sent.record_id, CUSTOMS, **RELEASE)
    dispose(
        central,
        officer,
        sent.record_id,
        Agency.BORDER,
        outcome=DispositionOutcome.REFUSE,
        reason_code="F-01",
        password=PASSWORD,
        second=Second("boris", PASSWORD),
    )
    assert exit_gate.checks_receipt(decision.receipt) == "to_desk"


def test_a_no_show_raises_the_alarm_and_a_supervisor_closes_it(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User, supervisor: User, kiosk: Sender
) -> None:
    record_id = referred[0].record_id
    how = {"outcome": DispositionOutcome.NO_SHOW, "reason_code": "N-01", "password": PASSWORD}
    assert alarms(central, supervisor) == ()
    with pytest.raises(InvalidDisposition, match="no_alarm_yet"):
        dispose(central, supervisor, record_id, CUSTOMS, **how)  # type: ignore[arg-type]
    kiosk.clock.advance(minutes=central.config.no_show_minutes)
    assert raise_no_shows(central) == 1
    assert raise_no_shows(central) == 0, "one alarm per referral"
    assert [entry.record_id for entry in alarms(central, supervisor)] == [record_id]
    with pytest.raises(NotAllowed):
        alarms(central, officer)
    dispose(central, supervisor, record_id, CUSTOMS, **how)  # type: ignore[arg-type]
    assert alarms(central, supervisor) == ()


def test_a_claimed_case_is_no_no_show(
    referred: tuple[TransactionRecord, Decision], central: Central, officer: User, kiosk: Sender
) -> None:
    claim(central, officer, referred[0].record_id, CUSTOMS)
    kiosk.clock.advance(hours=3)
    assert raise_no_shows(central) == 0


class RuleOne(RuleBasedStateMachine):
    """Whatever is sent, claimed, waited for or tried: no disposition without its officer's own signature."""

    records = Bundle("records")
    scene: tuple[Central, Sender, Sender, User, User]  # set by the test below
    ever_signed = 0  # over all examples: a property of dispositions wants some

    def __init__(self) -> None:
        super().__init__()
        self.central, self.kiosk, self.exit, self.officer, self.supervisor = self.scene
        self.signed = 0
        with self.central.storage.read() as session:
            self.before = len(session.scalars(select(StoredDisposition)).all())

    @rule(target=records, red=st.booleans())
    def sends(self, red: bool) -> tuple[str, str]:
        sent = red_record() if red else record()
        response = self.kiosk.sends_record(sent)
        return sent.record_id, Decision.model_validate_json(response.data).receipt

    @rule(one=records)
    def sends_garbage_under_the_same_number(self, one: tuple[str, str]) -> None:
        body = b'{"record_id": "%s", "dispositions": [{"outcome": "release"}]}' % one[0].encode()
        response = self.kiosk.send("POST", "/api/v1/transactions", body, idempotency_key=one[0])
        assert response.status_code == 422

    @rule(one=records)
    def stands_at_the_exit(self, one: tuple[str, str]) -> None:
        self.exit.checks_receipt(one[1])

    @rule(minutes=st.integers(1, 40))
    def time_passes(self, minutes: int) -> None:
        self.kiosk.clock.advance(minutes=minutes)
        raise_no_shows(self.central)

    @rule(one=records, supervisor=st.booleans())
    def claims(self, one: tuple[str, str], supervisor: bool) -> None:
        with contextlib.suppress(HeldBy, Closed, UnknownCase):
            claim(self.central, self.supervisor if supervisor else self.officer, one[0], CUSTOMS)

    @rule(
        one=records,
        outcome=st.sampled_from(list(DispositionOutcome)),
        supervisor=st.booleans(),
        right=st.booleans(),
    )
    def disposes(self, one: tuple[str, str], outcome: DispositionOutcome, supervisor: bool, right: bool) -> None:
        codes = {"release": "R-01", "assess_duty": "A-01", "detain_goods": "D-01", "no_show": "N-01"}
        user = self.supervisor if supervisor else self.officer
        try:
            dispose(
                self.central,
                user,
                one[0],
                CUSTOMS,
                outcome=outcome,
                reason_code=codes.get(outcome.value, "H-01"),
                password=PASSWORD if right else "not the password",
            )
        except (Refused, NotAllowed, Closed, UnknownCase, InvalidDisposition):
            return
        assert right
        self.signed += 1
        RuleOne.ever_signed += 1

    @rule(one=records, supervisor=st.booleans(), right=st.booleans())
    def takes_and_releases(self, one: tuple[str, str], supervisor: bool, right: bool) -> None:
        """The way it goes on most days, so that the property sees signatures and not only refusals."""
        self.claims(one, supervisor)
        self.disposes(one, DispositionOutcome.RELEASE, supervisor, right)

    @invariant()
    def every_disposition_is_signed_and_every_closed_referral_has_one(self) -> None:
        with self.central.storage.read() as session:
            rows = session.scalars(select(StoredDisposition)).all()
            assert len(rows) == self.before + self.signed
            disposed = {(row.record_id, row.agency) for row in rows}
            for row in rows:
                (found,) = [
                    one
                    for one in dispositions_of(self.central, session, row.record_id)
                    if one.agency.value == row.agency
                ]
                assert verify_signature(self.central, session, found)
            for referral in session.scalars(select(StoredReferral)):
                closed = (referral.record_id, referral.agency) in disposed
                assert (referral.closed_at is not None) == closed
                assert (referral.state in {ReferralState.OPEN, ReferralState.PRESENTED}) != closed


def test_rule_one(central: Central, kiosk: Sender, exit_gate: Sender, officer: User, supervisor: User) -> None:
    RuleOne.ever_signed = 0
    RuleOne.scene = (central, kiosk, exit_gate, officer, supervisor)
    run_state_machine_as_test(
        RuleOne,
        settings=settings(
            max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert RuleOne.ever_signed > 0
