"""The journey: told ways through it, and properties that hold for any order of events."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts import CONTRACTS_VERSION
from contracts.checks import Check, CheckName, Verdict
from contracts.decision import Channel, Decision, PersonOutcome, ReasonClass, ReferralReason, Versions
from contracts.declaration import (
    Addresses,
    DeclaredChannel,
    GoodsItem,
    GoodsKind,
    Money,
    MoneyKind,
    MoneyOrigin,
    MoneyUse,
)
from contracts.party import Bag, DocumentFormat, FaceDecision, FaceResult, TravelDocument
from kiosk import journey
from kiosk.journey import State, actions, advance
from kiosk.view import Screen

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EMPTY = State()
CASH = Money(kind=MoneyKind.CASH, amount="12000", currency="USD")  # type: ignore[arg-type]


def passport(number: str = "P0000001", born: date = date(1980, 1, 1), **changes: object) -> TravelDocument:
    values: dict[str, object] = {
        "format": DocumentFormat.TD3,
        "document_code": "P",
        "issuer": "UTO",
        "number": number,
        "birth_date": born,
        "expiry_date": date(2031, 1, 1),
    }
    return TravelDocument.model_validate(values | changes)


def face(decision: FaceDecision = FaceDecision.MATCH, attack: Verdict = Verdict.PASSED) -> FaceResult:
    check = Check(name=CheckName.PRESENTATION_ATTACK, verdict=attack, reason="told")
    return FaceResult(decision=decision, score=0.8, checks=(check,))


def decision(record_id: str, channel: Channel = Channel.GREEN) -> Decision:
    reason = ReferralReason(code="RANDOM_SAMPLE", reason_class=ReasonClass.RANDOM)
    red = channel is Channel.RED
    return Decision(
        record_id=record_id,
        channel=channel,
        persons=(PersonOutcome(person_id="p1", channel=channel, reasons=(reason,) if red else ()),),
        desk="4" if red else None,
        receipt="token",
        receipt_number="1234",
        receipt_expires_at=START + timedelta(hours=1),
        decided_at=START,
        versions=Versions(
            software="s",
            contracts=CONTRACTS_VERSION,
            rule_pack="p",
            rule_pack_hash="0" * 64,
            watch_list_hash="0" * 64,
            rates_hash="0" * 64,
            sampling_period="d",
            sampling_rate=0.01,
        ),
    )


class Walk:
    """A traveller on the way; each verb is one event, a second after the last."""

    def __init__(self) -> None:
        self.state = EMPTY
        self.at = START
        self.effects: tuple[journey.Effect, ...] = ()

    def does(self, event_type: type[journey.Event], *values: object, **named: object) -> Walk:
        self.at += timedelta(seconds=1)
        if issubclass(event_type, journey.WorkEvent):
            values = (self.state.work, *values)
        self.state, self.effects = advance(self.state, event_type(self.at, *values, **named))
        return self

    def starts(self) -> Walk:
        return self.does(journey.Started, "r1", "ru").does(journey.NoticeAccepted)

    def shows(self, document: TravelDocument | None = None) -> Walk:
        document = document or passport()
        minor = document.birth_date is not None and document.birth_date > date(2010, 11, 21)
        return self.does(journey.PageRead, document, True).does(journey.ChipRead, document, True, minor=minor)

    def identified(self) -> Walk:
        return self.starts().shows().does(journey.FaceCompared, face())

    def declares_nothing(self) -> Walk:
        return self.does(journey.ChannelDeclared, DeclaredChannel.GREEN)

    def has_no_bag(self) -> Walk:
        return self.does(journey.BagsCounted, 0).does(journey.UnaccompaniedAnswered, False)


def test_an_ordinary_traveller_walks_from_welcome_to_green() -> None:
    walk = Walk().identified()
    assert walk.state.screen is Screen.PARTY
    walk.does(journey.PartyComplete).declares_nothing()
    assert walk.state.screen is Screen.BAG
    walk.does(journey.UnaccompaniedAnswered, False).does(journey.BagsCounted, 1)
    assert isinstance(walk.effects[-1], journey.ScanBag)
    walk.does(journey.BagScanned, Bag(weight_kg=18.4))
    assert walk.state.screen is Screen.REVIEW
    walk.does(journey.Certified)
    assert walk.state.screen is Screen.SENDING
    assert isinstance(walk.effects[-1], journey.SendRecord)
    walk.does(journey.Answered, decision("r1"))
    assert walk.state.cleared
    assert walk.effects == (journey.PrintReceipt(),)
    walk.does(journey.Left)
    assert walk.state == replace(EMPTY, work=walk.state.work)


def test_a_visa_is_kept_and_the_passport_asked_for() -> None:
    visa = passport(format=DocumentFormat.MRV_A, document_code="V", number="V1")
    walk = Walk().starts().does(journey.PageRead, visa, True)
    assert walk.state.screen is Screen.DOCUMENT
    assert walk.state.hint == "visa_kept"
    assert walk.effects == (journey.ReadPage(walk.state.work, "p1", fresh=True),)
    walk.shows()
    assert walk.state.person.visas == (visa,)
    assert walk.state.screen is Screen.FACE


def test_a_card_is_turned_over_after_its_chip() -> None:
    card = passport(format=DocumentFormat.TD1, document_code="I")
    walk = Walk().starts().does(journey.PageRead, card, True)
    walk.does(journey.ChipRead, card, True, turn=True)
    assert (walk.state.screen, walk.state.phase) == (Screen.DOCUMENT, "front")
    assert isinstance(walk.effects[-1], journey.ReadFront)
    seen = card.model_copy(update={"given_names": "Mei"})
    walk.does(journey.FrontRead, seen)
    assert walk.state.screen is Screen.FACE
    assert walk.state.person.identity == seen


def test_a_card_that_is_being_turned_can_be_looked_at_again_and_taken_back() -> None:
    card = passport(format=DocumentFormat.TD1, document_code="I")
    walk = Walk().starts().does(journey.PageRead, card, True).does(journey.ChipRead, card, True, turn=True)
    late = walk.state.work
    walk.does(journey.Retried)
    assert [type(effect) for effect in walk.effects] == [journey.StopWork, journey.ReadFront]
    assert advance(walk.state, journey.FrontRead(walk.at, late, card))[0] == walk.state, (
        "an answer that comes late"
    )
    assert walk.state.person.document_tries == 0, "touching the screen costs no try"
    walk.does(journey.WentBack)
    assert walk.state.screen is Screen.NOTICE


def test_whoever_leaves_with_a_card_half_turned_is_forgotten() -> None:
    card = passport(format=DocumentFormat.TD1, document_code="I")
    walk = Walk().starts().does(journey.PageRead, card, True).does(journey.ChipRead, card, True, turn=True)
    for _ in range(2):
        walk.at += timedelta(seconds=70)
        walk.does(journey.Ticked)
    assert walk.state.screen is Screen.WELCOME
    assert walk.effects == (journey.StopWork(), journey.Wipe())


def test_a_chip_that_does_not_open_turns_no_card() -> None:
    card = passport(format=DocumentFormat.TD1, document_code="I")
    walk = Walk().starts().does(journey.PageRead, card, True).does(journey.ChipRead, card, False, turn=True)
    assert walk.state.phase == "page"
    walk.does(journey.PageRead, card, True).does(journey.ChipRead, card, True, "diplomat", turn=True)
    assert walk.state.screen is Screen.OFFICER


def test_three_unreadable_pages_end_at_an_officer_with_a_record() -> None:
    walk = Walk().starts()
    for _ in range(3):
        assert walk.state.screen is Screen.DOCUMENT
        walk.does(journey.PageRead, passport(), False, "not_read")
    assert walk.state.screen is Screen.OFFICER
    assert walk.state.finished == "to_officer"
    assert isinstance(walk.effects[-1], journey.SendRecord)


def test_whose_chip_stays_shut_looks_into_the_camera_once_and_meets_an_officer() -> None:
    walk = Walk().starts()
    for _ in range(3):
        assert walk.state.screen is Screen.DOCUMENT
        walk.does(journey.PageRead, passport(), True).does(journey.ChipRead, passport(), False)
    assert walk.state.screen is Screen.FACE
    assert isinstance(walk.effects[-1], journey.CompareFace)
    walk.does(journey.FaceCompared, face())
    assert walk.state.screen is Screen.OFFICER
    assert not walk.state.persons[0].identified
    assert isinstance(walk.effects[-1], journey.SendRecord)


def test_a_green_answer_to_an_unfinished_journey_clears_nobody() -> None:
    walk = Walk().starts()
    walk.does(journey.OfficerAsked, "other").does(journey.Answered, decision("r1"))
    assert walk.state.screen is Screen.RESULT
    assert not walk.state.cleared


@pytest.mark.parametrize("channel", list(Channel))
def test_only_a_green_answer_to_a_complete_journey_clears(channel: Channel) -> None:
    walk = Walk().identified().does(journey.PartyComplete).declares_nothing().has_no_bag().does(journey.Certified)
    walk.does(journey.Answered, decision("r1", channel))
    assert walk.state.screen is Screen.RESULT
    assert walk.state.cleared is (channel is Channel.GREEN)


def test_a_face_that_matches_a_chip_nobody_opened_identifies_nobody() -> None:
    assert journey.PersonState("p1", chip_opened=True, face=face()).identified
    assert not journey.PersonState("p1", chip_opened=False, face=face()).identified


def test_an_answer_to_another_record_is_no_answer() -> None:
    walk = Walk().identified().does(journey.PartyComplete).declares_nothing().has_no_bag().does(journey.Certified)
    walk.does(journey.Answered, decision("someone-else"))
    assert walk.state.screen is Screen.SENDING
    assert walk.state.decision is None


@pytest.mark.parametrize("attack", [Verdict.FAILED, Verdict.NOT_CHECKED, Verdict.ERROR])
def test_a_matching_face_without_a_head_turn_is_tried_three_times(attack: Verdict) -> None:
    walk = Walk().starts().shows()
    for _ in range(3):
        assert walk.state.screen is Screen.FACE
        walk.does(journey.FaceCompared, face(attack=attack))
    assert walk.state.screen is Screen.OFFICER


def test_whoever_does_not_fit_the_automatic_path_meets_a_person_before_any_camera() -> None:
    diplomat = passport(document_code="PD")
    walk = Walk().starts().does(journey.PageRead, diplomat, True)
    walk.does(journey.ChipRead, diplomat, True, "diplomat")
    assert walk.state.screen is Screen.OFFICER
    assert not any(isinstance(effect, journey.CompareFace) for effect in walk.effects)


def test_a_child_alone_meets_a_person_and_a_child_with_an_adult_does_not_declare() -> None:
    child = passport("C1", date(2017, 1, 1))
    assert Walk().starts().shows(child).state.screen is Screen.OFFICER
    walk = Walk().identified().does(journey.PersonAdded).shows(child).does(journey.FaceCompared, face())
    walk.does(journey.PartyComplete).declares_nothing().has_no_bag().does(journey.Certified)
    assert walk.state.screen is Screen.SENDING
    assert walk.state.minors_of(walk.state.persons[0]) == (walk.state.persons[1],)


def test_the_second_adult_declares_after_the_first_has_signed() -> None:
    walk = Walk().identified().does(journey.PersonAdded)
    walk.shows(passport("P2")).does(journey.FaceCompared, face()).does(journey.PartyComplete)
    walk.declares_nothing().has_no_bag().does(journey.Certified)
    assert (walk.state.screen, walk.state.current) == (Screen.GOODS, 1)
    assert "back" not in actions(walk.state)
    walk.declares_nothing().has_no_bag().does(journey.Certified)
    assert walk.state.screen is Screen.SENDING


def test_one_passport_does_not_stand_for_two_people() -> None:
    walk = Walk().identified().does(journey.PersonAdded).does(journey.PageRead, passport(), True)
    assert walk.state.screen is Screen.DOCUMENT
    assert walk.state.hint == "same_document"


def test_changing_the_language_keeps_every_answer() -> None:
    walk = Walk().identified().does(journey.PartyComplete)
    walk.does(journey.ChannelDeclared, DeclaredChannel.RED, ("alcohol",))
    walk.does(journey.AmountsGiven, (GoodsItem(kind=GoodsKind.ALCOHOL),))
    before = walk.state
    walk.does(journey.LanguageChosen, "be").does(journey.TextSizeChosen, 150).does(journey.ContrastChosen, "high")
    after = walk.state
    assert (after.language, after.text_size, after.contrast) == ("be", 150, "high")
    assert after.persons == before.persons
    assert after.screen is before.screen


def test_a_walk_away_is_warned_then_wiped_and_sends_nothing() -> None:
    walk = Walk().identified()
    at = walk.at + timedelta(seconds=EMPTY.limits.idle_s)
    warned, effects = advance(walk.state, journey.Ticked(at))
    assert warned.warned_at == at
    assert "more_time" in actions(warned)
    assert effects == ()
    stayed, _ = advance(warned, journey.MoreTimeAsked(at + timedelta(seconds=20)))
    assert stayed.screen is Screen.PARTY
    assert stayed.warned_at is None
    gone, effects = advance(warned, journey.Ticked(at + timedelta(seconds=EMPTY.limits.warning_s)))
    assert gone == replace(EMPTY, work=gone.work)
    assert effects == (journey.StopWork(), journey.Wipe())


def test_a_certified_record_is_sent_even_if_the_traveller_is_gone() -> None:
    walk = Walk().identified().does(journey.PartyComplete).declares_nothing().has_no_bag().does(journey.Certified)
    later, effects = advance(walk.state, journey.Ticked(walk.at + timedelta(hours=1)))
    assert later == walk.state
    assert effects == ()


def test_green_clears_the_chosen_cards_and_red_keeps_them() -> None:
    walk = Walk().identified().does(journey.PartyComplete).does(journey.GoodsChosen, ("alcohol",))
    red = advance(walk.state, journey.ChannelDeclared(walk.at, DeclaredChannel.RED))[0]
    green = advance(walk.state, journey.ChannelDeclared(walk.at, DeclaredChannel.GREEN))[0]
    assert red.person.kinds == ("alcohol",)
    assert green.person.kinds == ()


_SIMPLE = (
    journey.NoticeAccepted,
    journey.WentBack,
    journey.Retried,
    journey.PersonAdded,
    journey.PartyComplete,
    journey.Certified,
    journey.Left,
    journey.MoreTimeAsked,
    journey.ReceiptAsked,
    journey.Moved,
    journey.StepFailed,
    journey.ServiceStopped,
    journey.ServiceResumed,
)


QUESTIONS = get_args(journey.Question)
ASKS = st.lists(st.sampled_from(QUESTIONS), max_size=2).map(tuple)


class AnyOrder(RuleBasedStateMachine):
    """Any events in any order, fitting or not. Checks what may never happen."""

    def __init__(self) -> None:
        super().__init__()
        self.state = EMPTY
        self.at = START
        self.sent: list[State] = []

    def _take(self, event: journey.Event) -> None:
        before = self.state
        self.state, effects = advance(before, event)
        for effect in effects:
            if isinstance(effect, journey.SendRecord):
                self.sent.append(self.state)
            if isinstance(effect, journey.Wipe):
                assert self.state == replace(EMPTY, work=self.state.work)
        if self.state.screen is Screen.WELCOME and before.screen is not Screen.WELCOME:
            self.sent.clear()

    def _later(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def _work(self, wanted: bool) -> int:
        return self.state.work if wanted else self.state.work - 1

    @rule(event=st.sampled_from(_SIMPLE))
    def simple(self, event: type[journey.Event]) -> None:
        self._take(event(self._later()))

    @rule()
    def starts(self) -> None:
        self._take(journey.Started(self._later(), "r1"))

    @rule()
    def asks(self) -> None:
        self._take(journey.OfficerAsked(self._later(), "r1"))

    @rule(seconds=st.sampled_from([1, 30, 61, 300]))
    def waits(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)
        self._take(journey.Ticked(self.at))

    @rule(
        wanted=st.booleans(),
        legible=st.booleans(),
        visa=st.booleans(),
        number=st.sampled_from("ABC"),
        child=st.booleans(),
    )
    def page(self, wanted: bool, legible: bool, visa: bool, number: str, child: bool) -> None:
        document = passport(
            number,
            date(2018, 1, 1) if child else date(1980, 1, 1),
            format=DocumentFormat.MRV_A if visa else DocumentFormat.TD3,
        )
        self._take(journey.PageRead(self._later(), self._work(wanted), document, legible, "hint"))

    @rule(
        wanted=st.booleans(),
        opened=st.booleans(),
        refused=st.sampled_from([None, None, None, "diplomat"]),
        number=st.sampled_from("ABC"),
        child=st.booleans(),
        turn=st.booleans(),
    )
    def chip(self, wanted: bool, opened: bool, refused: str | None, number: str, child: bool, turn: bool) -> None:
        document = passport(number, date(2018, 1, 1) if child else date(1980, 1, 1))
        self._take(
            journey.ChipRead(self._later(), self._work(wanted), document, opened, refused, turn=turn, minor=child)
        )

    @rule(wanted=st.booleans(), number=st.sampled_from("ABC"))
    def front(self, wanted: bool, number: str) -> None:
        self._take(journey.FrontRead(self._later(), self._work(wanted), passport(number)))

    @rule(number=st.sampled_from("ABCDEF"), steps=st.integers(1, 8))
    def goes_well(self, number: str, steps: int) -> None:
        """Fitting events, so that the far end is reached often enough to be tested."""
        for _ in range(steps):
            for event in self._fitting(number):
                self._take(event)

    def _fitting(self, number: str) -> list[journey.Event]:
        at, work = self._later(), self.state.work
        document = passport(number)
        return {
            Screen.WELCOME: [journey.Started(at, "r1")],
            Screen.NOTICE: [journey.NoticeAccepted(at)],
            Screen.DOCUMENT: [
                journey.PageRead(at, work, document, True),
                journey.ChipRead(at, work + 1, document, True, turn=number in "DE"),
                journey.FrontRead(at, work + 2, document),
            ],
            Screen.FACE: [journey.FaceCompared(at, work, face())],
            Screen.PARTY: [journey.PartyComplete(at)],
            Screen.GOODS: [journey.ChannelDeclared(at, DeclaredChannel.GREEN)],
            Screen.DETAILS: [journey.AmountsGiven(at)],
            Screen.MONEY: [journey.MoneyExplained(at, MoneyOrigin.OTHER, MoneyUse.OTHER, True)],
            Screen.BAG: [journey.BagsCounted(at, 0), journey.UnaccompaniedAnswered(at, False)],
            Screen.REVIEW: [journey.Certified(at)],
            Screen.SENDING: [journey.Answered(at, work, decision("r1"))],
            Screen.OFFICER: [journey.Answered(at, work, decision("r1"))],
        }.get(self.state.screen, [])

    @rule(
        wanted=st.booleans(),
        decided=st.sampled_from(FaceDecision),
        attack=st.sampled_from(Verdict),
        hopeless=st.booleans(),
    )
    def face(self, wanted: bool, decided: FaceDecision, attack: Verdict, hopeless: bool) -> None:
        self._take(journey.FaceCompared(self._later(), self._work(wanted), face(decided, attack), hopeless))

    @rule(channel=st.sampled_from(DeclaredChannel), kinds=st.sampled_from([None, (), ("alcohol",), ("cash",)]))
    def declares(self, channel: DeclaredChannel, kinds: tuple[str, ...] | None) -> None:
        self._take(journey.ChannelDeclared(self._later(), channel, kinds))

    @rule(stay=st.booleans(), money=st.sampled_from([(), (CASH,)]), asks=ASKS)
    def amounts(self, stay: bool, money: tuple[Money, ...], asks: tuple[journey.Question, ...]) -> None:
        items = (GoodsItem(kind=GoodsKind.ALCOHOL),)
        self._take(journey.AmountsGiven(self._later(), items, money, stay, asks=asks))

    @rule(own=st.booleans(), asks=ASKS)
    def explains(self, own: bool, asks: tuple[journey.Question, ...]) -> None:
        self._take(journey.MoneyExplained(self._later(), MoneyOrigin.LOAN, MoneyUse.PERSONS, own, asks=asks))

    @rule(fact=st.sampled_from(get_args(journey.Fact)), answer=st.sampled_from([None, True, False, 24]), asks=ASKS)
    def tells(self, fact: journey.Fact, answer: bool | int | None, asks: tuple[journey.Question, ...]) -> None:
        self._take(journey.CircumstanceStated(self._later(), fact, answer, asks=asks))

    @rule(said=st.booleans(), asks=ASKS)
    def writes(self, said: bool, asks: tuple[journey.Question, ...]) -> None:
        addresses = Addresses(permanent="Anywhere 1") if said else None
        self._take(journey.WrittenDown(self._later(), addresses=addresses, asks=asks))

    @rule(asks=ASKS)
    def shares(self, asks: tuple[journey.Question, ...]) -> None:
        self._take(journey.SharesGiven(self._later(), (GoodsItem(kind=GoodsKind.ALCOHOL),), asks=asks))

    @rule(free=st.booleans())
    def withdraws(self, free: bool) -> None:
        self._take(journey.Withdrawn(self._later(), free))

    @rule(count=st.integers(-1, 12))
    def counts(self, count: int) -> None:
        self._take(journey.BagsCounted(self._later(), count))

    @rule(answer=st.booleans())
    def unaccompanied(self, answer: bool) -> None:
        self._take(journey.UnaccompaniedAnswered(self._later(), answer))

    @rule(wanted=st.booleans())
    def bag(self, wanted: bool) -> None:
        self._take(journey.BagScanned(self._later(), self._work(wanted), Bag(weight_kg=10.0)))

    @rule(screen=st.sampled_from(Screen), question=st.sampled_from([None, *QUESTIONS]))
    def changes(self, screen: Screen, question: journey.Question | None) -> None:
        self._take(journey.ChangeAsked(self._later(), screen, question))

    @invariant()
    def what_was_withdrawn_was_declared_and_is_so_on_the_last_page_alone(self) -> None:
        for person in self.state.persons:
            if person.withdrawn:
                assert person.declared is DeclaredChannel.GREEN and (person.items or person.money)
                asked = person is self.state.persons[self.state.current] and not person.certified_at
                assert not asked or self.state.screen in (Screen.REVIEW, Screen.OFFICER, Screen.RESULT)

    @invariant()
    def a_page_that_asks_for_the_law_has_its_question_and_no_other_page_has(self) -> None:
        pages = (Screen.ABOUT, Screen.SHARES, Screen.MONEY, Screen.WRITING)
        assert (self.state.question is not None) is (self.state.screen in pages)

    @rule(wanted=st.booleans(), channel=st.sampled_from(Channel), record_id=st.sampled_from(["r1", "r2"]))
    def answered(self, wanted: bool, channel: Channel, record_id: str) -> None:
        self._take(journey.Answered(self._later(), self._work(wanted), decision(record_id, channel)))

    @rule(wanted=st.booleans())
    def unanswered(self, wanted: bool) -> None:
        self._take(journey.Unanswered(self._later(), self._work(wanted)))

    @rule(printed=st.booleans())
    def printed(self, printed: bool) -> None:
        self._take(journey.ReceiptPrinted(self._later(), printed))

    @invariant()
    def cleared_only_with_every_step(self) -> None:
        if not self.state.cleared:
            return
        assert self.sent
        for person in self.state.persons:
            assert person.identified
            if not person.minor:
                assert person.declared is not None
                assert person.bags_done
                assert person.certified_at is not None
        assert not self.state.persons[0].minor

    @invariant()
    def sends_once_and_only_what_was_signed_or_handed_over(self) -> None:
        assert len(self.sent) <= 1
        for state in self.sent:
            signed = all(person.certified_at for person in state.adults)
            assert state.finished == "to_officer" or (signed and state.persons)

    @invariant()
    def an_empty_screen_holds_nothing(self) -> None:
        if self.state.screen is Screen.WELCOME:
            kept = {"work", "language", "text_size", "contrast"}
            for one in fields(State):
                if one.name not in kept:
                    assert getattr(self.state, one.name) == getattr(EMPTY, one.name), one.name

    @invariant()
    def somebody_is_there_wherever_somebody_is_needed(self) -> None:
        if self.state.screen in (*journey.IN_JOURNEY[1:], Screen.SENDING, Screen.OFFICER):
            assert 0 <= self.state.current < len(self.state.persons)
        assert actions(self.state)


AnyOrder.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
