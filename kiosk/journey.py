"""The journey: a pure state machine over a party. No device, no clock, no catalogue.

`advance(state, event)` answers the next state and the effects to run; it never raises for any order of events, and
an event that does not fit the state changes nothing. Time comes in events. Work given to devices carries a running
number, and an answer to work that is no longer wanted is dropped.

    WELCOME → NOTICE → DOCUMENT → FACE → PARTY ┬→ DOCUMENT (next person)
                                               └→ GOODS → DETAILS → questions → BAG → REVIEW ┬→ GOODS (next adult)
                                                                                             └→ SENDING → RESULT
    from anywhere before SENDING: OFFICER (a record is sent, a person takes over) → RESULT

The questions after DETAILS are those that the law of the day needs of this declaration, none as a rule, and one a
page: ABOUT (what of the person changes the outcome), SHARES (what is a child's), MONEY and WRITING (what its form
asks). Which they are is told with each answer (`Answer.asks`): the journey knows no law.

On DOCUMENT the zone is read first (phase `page`), then the chip (`chip`). A card whose names are on its other side
is turned over then (`front`).

A failed check never turns a traveller away on the screen: the journey goes on as for everybody, and central
decides. It ends early only where identity cannot be established at all, or where the traveller does not fit the
automatic path; then an officer gets the record. Whose chip stays shut looks into the camera once before that: the
officer is told whether the face is the printed portrait's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from contracts.checks import CheckName, Verdict
from contracts.decision import Channel, Decision
from contracts.declaration import (
    Addresses,
    Circumstances,
    DeclaredChannel,
    GoodsItem,
    Instrument,
    Money,
    MoneyKind,
    MoneyOrigin,
    MoneyOwner,
    MoneyUse,
    Route,
)
from contracts.party import Bag, DocumentFormat, FaceDecision, FaceResult, PartyRole, TravelDocument
from kiosk.view import Screen

VISAS = (DocumentFormat.MRV_A, DocumentFormat.MRV_B)
LARGEST_PARTY = 12
MOST_BAGS = 10

TextSize = Literal[100, 125, 150]
Contrast = Literal["normal", "high"]
# What the law can need to know beyond the amounts, by the page that asks it.
Fact = Literal["resident", "absence_hours", "days_since_exemption"]
Question = Literal[
    "resident",
    "absence_hours",
    "days_since_exemption",
    "shares",
    "money",
    "owner",
    "instrument",
    "address",
    "route",
]
_PAGES: dict[Question, Screen] = {
    "resident": Screen.ABOUT,
    "absence_hours": Screen.ABOUT,
    "days_since_exemption": Screen.ABOUT,
    "shares": Screen.SHARES,
    "money": Screen.MONEY,
    "owner": Screen.WRITING,
    "instrument": Screen.WRITING,
    "address": Screen.WRITING,
    "route": Screen.WRITING,
}


# -- state ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limits:
    """How often a step may be tried, and how long a screen waits (seconds)."""

    document_tries: int = 3
    face_tries: int = 3
    idle_s: float = 60.0
    warning_s: float = 25.0
    result_s: float = 30.0


@dataclass(frozen=True)
class PersonState:
    """What one traveller has given so far."""

    person_id: str
    visas: tuple[TravelDocument, ...] = ()
    identity: TravelDocument | None = None
    chip_opened: bool = False
    document_tries: int = 0
    minor: bool = False
    face: FaceResult | None = None
    face_tries: int = 0
    kinds: tuple[str, ...] = ()
    declared: DeclaredChannel | None = None
    withdrawn: bool = False  # declared red first, and nothing of it had to be
    items: tuple[GoodsItem, ...] = ()
    money: tuple[Money, ...] = ()
    circumstances: Circumstances = field(default_factory=Circumstances)
    not_known: tuple[Fact, ...] = ()  # asked, and the traveller does not know
    addresses: Addresses | None = None
    route: Route | None = None
    answered: tuple[Question, ...] = ()  # the pages gone through since the amounts, in order
    bag_count: int | None = None
    bags: tuple[Bag, ...] = ()
    unaccompanied: bool | None = None
    certified_at: datetime | None = None
    asked_for_officer: bool = False

    @property
    def identified(self) -> bool:
        """Identity is established: the chip was opened and a live face matches its portrait."""
        face = self.face
        return (
            self.chip_opened
            and face is not None
            and face.decision is FaceDecision.MATCH
            and any(
                check.name is CheckName.PRESENTATION_ATTACK and check.verdict is Verdict.PASSED
                for check in face.checks
            )
        )

    @property
    def money_explained(self) -> bool:
        """Where the money comes from, what it is for and whose it is was said of the present amounts."""
        return "money" in self.answered

    @property
    def bags_done(self) -> bool:
        return self.bag_count is not None and len(self.bags) >= self.bag_count and self.unaccompanied is not None


Phase = Literal["page", "chip", "front", ""]


@dataclass(frozen=True)
class State:
    """Everything the kiosk knows of the party in front of it. `State(limits=…)` is the empty state."""

    limits: Limits = Limits()
    screen: Screen = Screen.WELCOME
    phase: Phase = ""
    question: Question | None = None  # on the pages that ask what the law needs
    language: str = "en"
    text_size: TextSize = 100
    contrast: Contrast = "normal"
    record_id: str | None = None
    started_at: datetime | None = None
    touched_at: datetime | None = None
    warned_at: datetime | None = None
    persons: tuple[PersonState, ...] = ()
    current: int = 0
    work: int = 0  # number of the device work that is wanted now; it only grows, so that late answers never fit
    working: bool = False
    fresh: bool = False  # another document is expected than the one that was read last
    hint: str | None = None  # reason code of the last try, told to the traveller in words
    not_eligible: str | None = None
    finished: Literal["complete", "to_officer"] | None = None
    decision: Decision | None = None
    offline: bool = False
    printed: bool = False

    @property
    def person(self) -> PersonState:
        """Whose turn it is. Only where `persons` is not empty."""
        return self.persons[self.current]

    @property
    def adults(self) -> tuple[PersonState, ...]:
        return tuple(person for person in self.persons if not person.minor)

    @property
    def cleared(self) -> bool:
        """The traveller is told to walk on: a complete journey and a green answer to it."""
        return (
            self.screen is Screen.RESULT
            and self.finished == "complete"
            and self.decision is not None
            and self.decision.channel is Channel.GREEN
        )

    def role(self, person: PersonState) -> PartyRole:
        if person.person_id == self.persons[0].person_id:
            return "lead"
        return "minor" if person.minor else "adult"

    def minors_of(self, person: PersonState) -> tuple[PersonState, ...]:
        """The minors this person declares for: the lead is the guardian of all minors of the party."""
        if person.person_id != self.persons[0].person_id:
            return ()
        return tuple(other for other in self.persons[1:] if other.minor)


# -- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """Something that happened, and when."""

    at: datetime


@dataclass(frozen=True)
class Started(Event):
    record_id: str
    language: str | None = None


class NoticeAccepted(Event):
    pass


@dataclass(frozen=True)
class OfficerAsked(Event):
    record_id: str  # used when nothing has begun yet


class WentBack(Event):
    pass


class Retried(Event):
    pass


class PersonAdded(Event):
    pass


class PartyComplete(Event):
    pass


@dataclass(frozen=True)
class GoodsChosen(Event):
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class ChannelDeclared(Event):
    channel: DeclaredChannel
    kinds: tuple[str, ...] | None = None  # None: green clears what was chosen, red keeps it


@dataclass(frozen=True)
class Answer(Event):
    """Something is stated, and the law may need more: `asks` is what is still to be asked, the next one first."""

    asks: tuple[Question, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class AmountsGiven(Answer):
    items: tuple[GoodsItem, ...] = ()
    money: tuple[Money, ...] = ()
    stay: bool = False  # keep the amounts and stay on the page, to see them against the norms


@dataclass(frozen=True)
class CircumstanceStated(Answer):
    fact: Fact
    answer: bool | int | None  # None: the traveller does not know


@dataclass(frozen=True)
class SharesGiven(Answer):
    """The same goods, with those of the children `carried_for` them."""

    items: tuple[GoodsItem, ...]


@dataclass(frozen=True)
class MoneyExplained(Answer):
    origin: MoneyOrigin
    use: MoneyUse
    own: bool


@dataclass(frozen=True)
class WrittenDown(Answer):
    """What the form asks in words. None of it must be said: an officer writes down what is missing."""

    owner: MoneyOwner | None = None
    instrument: Instrument | None = None
    addresses: Addresses | None = None
    route: Route | None = None


@dataclass(frozen=True)
class BagsCounted(Event):
    count: int


@dataclass(frozen=True)
class UnaccompaniedAnswered(Event):
    answer: bool


@dataclass(frozen=True)
class ChangeAsked(Event):
    screen: Screen
    question: Question | None = None  # on the pages that have several


@dataclass(frozen=True)
class Withdrawn(Event):
    """Nothing need be declared after all. `free`: the law says so of what was stated."""

    free: bool = False


class Certified(Event):
    pass


class Left(Event):
    """The traveller has read the result."""


class MoreTimeAsked(Event):
    pass


@dataclass(frozen=True)
class LanguageChosen(Event):
    language: str


@dataclass(frozen=True)
class TextSizeChosen(Event):
    percent: TextSize


@dataclass(frozen=True)
class ContrastChosen(Event):
    mode: Contrast


class ReceiptAsked(Event):
    pass


class Ticked(Event):
    """Time passed."""


class Moved(Event):
    """A device saw the traveller do something: whoever follows an instruction is not idle."""


class StepFailed(Event):
    """The kiosk itself failed in a step; a person takes over."""


class ServiceStopped(Event):
    pass


class ServiceResumed(Event):
    pass


@dataclass(frozen=True)
class WorkEvent(Event):
    """An answer to device work number `work`."""

    work: int


@dataclass(frozen=True)
class PageRead(WorkEvent):
    """A page was looked at. `legible`: number, birth and expiry are certain, so the chip can be asked."""

    document: TravelDocument
    legible: bool
    hint: str | None = None


@dataclass(frozen=True)
class ChipRead(WorkEvent):
    """The chip was asked. `opened`: access was granted and the identity file was read.

    `turn`: the names are printed on the other side, which has to be seen too. `minor`: by law another declares.
    """

    document: TravelDocument
    opened: bool
    not_eligible: str | None = None
    hint: str | None = None
    turn: bool = False
    minor: bool = False


@dataclass(frozen=True)
class FrontRead(WorkEvent):
    """The other side of a card was looked at, whatever came of it."""

    document: TravelDocument


@dataclass(frozen=True)
class FaceCompared(WorkEvent):
    """One try is over. `hopeless`: another try cannot help, for example because there is no portrait."""

    face: FaceResult
    hopeless: bool = False
    hint: str | None = None


@dataclass(frozen=True)
class BagScanned(WorkEvent):
    bag: Bag


@dataclass(frozen=True)
class Answered(WorkEvent):
    decision: Decision


class Unanswered(WorkEvent):
    """No answer in time: the record waits in the outbox and an officer finishes."""


@dataclass(frozen=True)
class ReceiptPrinted(Event):
    printed: bool


# -- effects ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """Something to do outside."""


@dataclass(frozen=True)
class ReadPage(Effect):
    """`fresh`: another document than the last one is expected, so the glass must be empty first."""

    work: int
    person_id: str
    fresh: bool = False


@dataclass(frozen=True)
class ReadChip(Effect):
    work: int
    person_id: str


@dataclass(frozen=True)
class ReadFront(Effect):
    """Look at the other side of the card that was read last."""

    work: int
    person_id: str


@dataclass(frozen=True)
class CompareFace(Effect):
    work: int
    person_id: str
    attempt: int


@dataclass(frozen=True)
class ScanBag(Effect):
    work: int
    person_id: str
    index: int


@dataclass(frozen=True)
class SendRecord(Effect):
    work: int


@dataclass(frozen=True)
class PrintReceipt(Effect):
    pass


@dataclass(frozen=True)
class StopWork(Effect):
    """Whatever a device is doing for the traveller is no longer wanted."""


@dataclass(frozen=True)
class Wipe(Effect):
    """Forget the party: every buffer, picture and answer."""


Outcome = tuple[State, tuple[Effect, ...]]
ANYTIME = ("language", "text_size", "contrast")
IN_JOURNEY = (
    Screen.NOTICE,
    Screen.DOCUMENT,
    Screen.FACE,
    Screen.PARTY,
    Screen.GOODS,
    Screen.DETAILS,
    Screen.ABOUT,
    Screen.SHARES,
    Screen.MONEY,
    Screen.WRITING,
    Screen.BAG,
    Screen.REVIEW,
)
_CHANGEABLE = (Screen.GOODS, Screen.DETAILS, Screen.BAG)


def actions(state: State) -> tuple[str, ...]:
    """The names a traveller may post now (kiosk/app.py lists their fields)."""
    own: dict[Screen, tuple[str, ...]] = {
        Screen.WELCOME: ("start", "ask_officer"),
        Screen.NOTICE: ("accept_notice", "back"),
        Screen.DOCUMENT: ("retry", "back"),
        Screen.FACE: ("retry", "back"),
        Screen.PARTY: ("alone", "add_person", "back") if len(state.persons) < LARGEST_PARTY else ("alone", "back"),
        Screen.GOODS: ("declare", "goods", "back") if state.current == 0 else ("declare", "goods"),
        Screen.DETAILS: ("amounts", "recount", "goods", "back"),
        Screen.ABOUT: ("circumstance", "back"),
        Screen.SHARES: ("shares", "back"),
        Screen.MONEY: ("money", "back"),
        Screen.WRITING: ("writing", "back"),
        Screen.BAG: ("bag", "unaccompanied", "back"),
        Screen.REVIEW: ("sign", "change", *(("withdraw",) if _declares_things(state) else ()), "back"),
        Screen.RESULT: ("finish", "more_time", *(() if state.printed or state.offline else ("print_receipt",))),
    }
    names = own.get(state.screen, ())
    if state.screen in IN_JOURNEY:
        names += ("ask_officer",)
    if state.warned_at is not None:
        names += ("more_time",)
    return names + ANYTIME


def _declares_things(state: State) -> bool:
    if state.screen is not Screen.REVIEW:
        return False
    return state.person.declared is DeclaredChannel.RED and bool(state.person.items or state.person.money)


def empty(state: State) -> State:
    """The state with nothing of the party left in it."""
    return State(limits=state.limits, work=state.work + 1)


def advance(state: State, event: Event) -> Outcome:
    """The next state and what is to be done. Never raises; an event that does not fit is dropped."""
    if isinstance(event, WorkEvent) and (event.work != state.work or not state.working):
        return state, ()
    handler = _HANDLERS.get(type(event))
    if handler is None:
        return state, ()
    if isinstance(event, (Ticked, ServiceStopped, ServiceResumed)):
        return handler(state, event)
    advanced, effects = handler(state, event)
    if advanced.screen is not Screen.WELCOME:
        advanced = replace(advanced, touched_at=event.at, warned_at=None)
    return advanced, effects


# -- moving -----------------------------------------------------------------------------------------------------


def _with_person(state: State, person: PersonState) -> State:
    persons = (*state.persons[: state.current], person, *state.persons[state.current + 1 :])
    return replace(state, persons=persons)


def _idle(state: State, screen: Screen, question: Question | None = None) -> State:
    """Go to a screen that waits for the traveller only."""
    return replace(
        state, screen=screen, question=question, phase="", working=False, work=state.work + 1, hint=None
    )


def _put(state: State, question: Question) -> State:
    return _idle(state, _PAGES[question], question)


def _stopping(before: State, after: State) -> Outcome:
    return after, (StopWork(),) if before.working else ()


def _scan_page(state: State, hint: str | None = None, *, fresh: bool = False) -> Outcome:
    work = state.work + 1
    scanning = replace(
        state, screen=Screen.DOCUMENT, phase="page", working=True, work=work, hint=hint, fresh=fresh
    )
    return scanning, (ReadPage(work, scanning.person.person_id, fresh),)


def _scan_front(state: State) -> Outcome:
    work = state.work + 1
    turning = replace(state, screen=Screen.DOCUMENT, phase="front", working=True, work=work, hint=None)
    return turning, (ReadFront(work, turning.person.person_id),)


def _scan_face(state: State, hint: str | None = None) -> Outcome:
    work = state.work + 1
    looking = replace(state, screen=Screen.FACE, phase="", working=True, work=work, hint=hint)
    return looking, (CompareFace(work, looking.person.person_id, looking.person.face_tries + 1),)


def _bags(state: State) -> Outcome:
    """Stay on the bag page until everything is answered, scanning the next bag when one is expected."""
    person = state.person
    if person.bags_done:
        return _idle(state, Screen.REVIEW), ()
    if person.bag_count is not None and len(person.bags) < person.bag_count:
        work = state.work + 1
        scanning = replace(state, screen=Screen.BAG, question=None, phase="", working=True, work=work, hint=None)
        return scanning, (ScanBag(work, person.person_id, len(person.bags)),)
    return _idle(state, Screen.BAG), ()


def _send(state: State, finished: Literal["complete", "to_officer"]) -> Outcome:
    work = state.work + 1
    screen = Screen.SENDING if finished == "complete" else Screen.OFFICER
    sending = replace(
        state,
        screen=screen,
        question=None,
        phase="",
        finished=finished,
        working=True,
        work=work,
        hint=None,
        warned_at=None,
    )
    return sending, ((StopWork(),) if state.working else ()) + (SendRecord(work),)


def _wipe(state: State) -> Outcome:
    return empty(state), (StopWork(), Wipe())


# -- handlers ---------------------------------------------------------------------------------------------------


def _started(state: State, event: Started) -> Outcome:
    if state.screen is not Screen.WELCOME:
        return state, ()
    return (
        replace(
            state,
            screen=Screen.NOTICE,
            language=event.language or state.language,
            record_id=event.record_id,
            started_at=event.at,
        ),
        (),
    )


def _notice_accepted(state: State, event: NoticeAccepted) -> Outcome:
    if state.screen is not Screen.NOTICE:
        return state, ()
    return _scan_page(replace(state, persons=(PersonState("p1"),), current=0))


def _officer_asked(state: State, event: OfficerAsked) -> Outcome:
    if state.screen is Screen.WELCOME:
        state = replace(state, record_id=event.record_id, started_at=event.at)
    elif state.screen not in IN_JOURNEY:
        return state, ()
    asking = replace(state, persons=state.persons or (PersonState("p1"),))
    return _send(_with_person(asking, replace(asking.person, asked_for_officer=True)), "to_officer")


def _step_failed(state: State, event: StepFailed) -> Outcome:
    if state.screen not in IN_JOURNEY or not state.persons:
        return state, ()
    return _send(state, "to_officer")


def _page_read(state: State, event: PageRead) -> Outcome:
    if state.screen is not Screen.DOCUMENT or state.phase != "page":
        return state, ()
    person = state.person
    if event.legible and event.document.format in VISAS:
        if len(person.visas) < 2:
            person = replace(person, visas=(*person.visas, event.document))
        return _scan_page(_with_person(state, person), hint="visa_kept", fresh=True)
    if event.legible and _already_here(state, event.document):
        return _document_tried(state, "same_document")
    state = _with_person(
        state, replace(person, identity=event.document, chip_opened=False, minor=False, face=None)
    )
    if not event.legible:
        return _document_tried(state, event.hint)
    work = state.work + 1
    reading = replace(state, phase="chip", work=work, hint=None)
    return reading, (ReadChip(work, person.person_id),)


def _chip_read(state: State, event: ChipRead) -> Outcome:
    if state.screen is not Screen.DOCUMENT or state.phase != "chip":
        return state, ()
    person = replace(state.person, identity=event.document, chip_opened=event.opened, minor=event.minor)
    state = _with_person(state, person)
    alone = event.minor and state.current == 0
    if event.not_eligible or alone:
        return _send(replace(state, not_eligible=event.not_eligible or "unaccompanied_minor"), "to_officer")
    if not event.opened:
        return _document_tried(state, event.hint, legible=True)
    return _scan_front(state) if event.turn else _scan_face(state)


def _front_read(state: State, event: FrontRead) -> Outcome:
    if state.screen is not Screen.DOCUMENT or state.phase != "front":
        return state, ()
    return _scan_face(_with_person(state, replace(state.person, identity=event.document)))


def _document_tried(state: State, hint: str | None, *, legible: bool = False) -> Outcome:
    """One try with a document failed; `legible`: its page was read, its chip was not."""
    person = replace(state.person, document_tries=state.person.document_tries + 1)
    state = _with_person(state, person)
    if person.document_tries < state.limits.document_tries:
        return _scan_page(state, hint)
    # Without a chip an officer decides, and is told whether the traveller looks like the portrait on the page.
    return _scan_face(state) if legible else _send(state, "to_officer")


def _already_here(state: State, document: TravelDocument) -> bool:
    """Somebody else of the party has shown this document."""
    others = (person.identity for person in state.persons if person is not state.person)
    return any(other is not None and other.number == document.number for other in others)


def most_face_tries(state: State, person: PersonState) -> int:
    """Where an officer decides in any case, one try tells enough."""
    return state.limits.face_tries if person.chip_opened else 1


def _face_compared(state: State, event: FaceCompared) -> Outcome:
    if state.screen is not Screen.FACE:
        return state, ()
    tries = state.person.face_tries + 1
    person = replace(state.person, face=event.face, face_tries=tries)
    state = _with_person(state, person)
    if person.identified:
        return _idle(state, Screen.PARTY), ()
    if event.hopeless or tries >= most_face_tries(state, person):
        return _send(state, "to_officer")
    return _scan_face(state, event.hint)


def _person_added(state: State, event: PersonAdded) -> Outcome:
    if state.screen is not Screen.PARTY or len(state.persons) >= LARGEST_PARTY:
        return state, ()
    added = PersonState(f"p{len(state.persons) + 1}")
    added_to = replace(state, persons=(*state.persons, added), current=len(state.persons))
    return _scan_page(added_to, fresh=True)


def _party_complete(state: State, event: PartyComplete) -> Outcome:
    if state.screen is not Screen.PARTY:
        return state, ()
    return _idle(replace(state, current=0), Screen.GOODS), ()


def _goods_chosen(state: State, event: GoodsChosen) -> Outcome:
    if state.screen not in (Screen.GOODS, Screen.DETAILS):
        return state, ()
    return _with_person(state, replace(state.person, kinds=event.kinds)), ()


def money_card(money: Money) -> str:
    """The card of the goods page that money belongs to: cheques of travellers count with cash."""
    return "instrument" if money.kind is MoneyKind.INSTRUMENT else "cash"


def _channel_declared(state: State, event: ChannelDeclared) -> Outcome:
    if state.screen is not Screen.GOODS:
        return state, ()
    person = state.person
    kinds = event.kinds
    if kinds is None:
        kinds = person.kinds if event.channel is DeclaredChannel.RED else ()
    items = tuple(item for item in person.items if item.kind.value in kinds)
    money = tuple(one for one in person.money if money_card(one) in kinds)
    person = replace(
        person, declared=event.channel, withdrawn=False, kinds=kinds, items=items, money=money, answered=()
    )
    if event.channel is DeclaredChannel.GREEN and not kinds:  # nothing is kept that was told of other things
        person = replace(person, circumstances=Circumstances(), not_known=(), addresses=None, route=None)
    state = _with_person(state, person)
    if kinds or event.channel is DeclaredChannel.RED:
        return _idle(state, Screen.DETAILS), ()
    return _bags(state)


def _answer_given(state: State, event: Answer) -> Outcome:
    person = stated(state, event)
    if person is None:
        return state, ()
    state = _with_person(state, person)
    if isinstance(event, AmountsGiven) and event.stay:
        return state, ()
    return (_put(state, event.asks[0]), ()) if event.asks else _bags(state)


def stated(state: State, event: Answer) -> PersonState | None:
    """The person as the answer makes them; None for an answer that this page did not ask for."""
    if state.screen is Screen.DETAILS:
        return _with_amounts(state.person, event) if isinstance(event, AmountsGiven) else None
    question = state.question
    if question is None or _PAGES[question] is not state.screen:
        return None
    person = _with_answer(state.person, question, event)
    if person is None or question in person.answered:
        return person
    return replace(person, answered=(*person.answered, question))


def _with_amounts(person: PersonState, event: AmountsGiven) -> PersonState:
    money = tuple(_as_explained(one, person.money) for one in event.money)
    return replace(person, items=event.items, money=money, answered=())


def _with_answer(person: PersonState, question: Question, event: Answer) -> PersonState | None:
    if isinstance(event, CircumstanceStated):
        return _with_circumstance(person, event) if event.fact == question else None
    if isinstance(event, SharesGiven):
        return replace(person, items=event.items) if question == "shares" else None
    if isinstance(event, MoneyExplained):
        return _with_money_explained(person, event) if question == "money" else None
    return _written(person, question, event) if isinstance(event, WrittenDown) else None


def _with_circumstance(person: PersonState, event: CircumstanceStated) -> PersonState:
    circumstances = person.circumstances.model_copy(update={event.fact: event.answer})
    not_known = tuple(fact for fact in person.not_known if fact != event.fact)
    if event.answer is None:
        not_known += (event.fact,)
    return replace(person, circumstances=circumstances, not_known=not_known)


def _as_explained(money: Money, before: tuple[Money, ...]) -> Money:
    """Another amount is still the same money: what was said of it is not asked twice."""
    known = next((one for one in before if one.kind is money.kind and one.origin is not None), None)
    if money.origin is not None or known is None:
        return money
    said = {"origin": known.origin, "intended_use": known.intended_use}
    return money.model_copy(update=said | {"owner_is_declarant": known.owner_is_declarant})


def _with_money_explained(person: PersonState, event: MoneyExplained) -> PersonState:
    said = {"origin": event.origin, "intended_use": event.use, "owner_is_declarant": event.own}
    money = tuple(one.model_copy(update=said | ({"owner": None} if event.own else {})) for one in person.money)
    answered = tuple(page for page in person.answered if page != "owner")  # perhaps somebody else's now
    return replace(person, money=money, answered=answered)


def _written(person: PersonState, question: Question, event: WrittenDown) -> PersonState | None:
    if question == "owner":
        return replace(person, money=tuple(one.model_copy(update={"owner": event.owner}) for one in person.money))
    if question == "instrument":
        described = first_instrument(person)
        money = tuple(
            one.model_copy(update={"instrument": event.instrument}) if one is described else one
            for one in person.money
        )
        return replace(person, money=money)
    if question == "address":
        return replace(person, addresses=event.addresses or Addresses())
    return replace(person, route=event.route or Route()) if question == "route" else None


def first_instrument(person: PersonState) -> Money | None:
    """The line of bills or bank cheques that a page describes; the kiosk's own pages make one at most."""
    return next((one for one in person.money if one.kind is MoneyKind.INSTRUMENT), None)


def _bags_counted(state: State, event: BagsCounted) -> Outcome:
    if state.screen is not Screen.BAG or not 0 <= event.count <= MOST_BAGS:
        return state, ()
    # Counting again starts the bags again: an answer belongs to the bags that were really there.
    advanced, effects = _bags(_with_person(state, replace(state.person, bag_count=event.count, bags=())))
    return advanced, ((StopWork(),) if state.working else ()) + effects


def _unaccompanied_answered(state: State, event: UnaccompaniedAnswered) -> Outcome:
    if state.screen is not Screen.BAG:
        return state, ()
    state = _with_person(state, replace(state.person, unaccompanied=event.answer))
    return (state, ()) if state.working else _bags(state)


def _bag_scanned(state: State, event: BagScanned) -> Outcome:
    if state.screen is not Screen.BAG:
        return state, ()
    return _bags(_with_person(state, replace(state.person, bags=(*state.person.bags, event.bag))))


def _change_asked(state: State, event: ChangeAsked) -> Outcome:
    if state.screen is Screen.REVIEW and event.question is not None:
        state = _declaring_again(state)
        return (_put(state, event.question), ()) if said(state.person, event.question) else (state, ())
    if state.screen is not Screen.REVIEW or event.screen not in _CHANGEABLE:
        return state, ()
    state = _declaring_again(state)
    if event.screen is Screen.BAG:
        state = _with_person(state, replace(state.person, bag_count=None, bags=(), unaccompanied=None))
    return _idle(state, event.screen), ()


def said(person: PersonState, question: Question) -> bool:
    """Whether this was asked and answered, if only with "I do not know"."""
    if question == "address":
        return person.addresses is not None
    if question == "route":
        return person.route is not None
    told = getattr(person.circumstances, question, None) is not None
    return told or question in person.not_known or question in person.answered


def _withdrawn(state: State, event: Withdrawn) -> Outcome:
    """The traveller's own statement becomes green; what was stated stays, for whoever judges it again."""
    if not event.free or not _declares_things(state):
        return state, ()
    return _with_person(state, replace(state.person, declared=DeclaredChannel.GREEN, withdrawn=True)), ()


def _declaring_again(state: State) -> State:
    """Whoever changes an answer declares as before: that it was free held of the answers as they stood."""
    if not state.person.withdrawn:
        return state
    return _with_person(state, replace(state.person, declared=DeclaredChannel.RED, withdrawn=False))


def _certified(state: State, event: Certified) -> Outcome:
    if state.screen is not Screen.REVIEW or state.person.declared is None or not state.person.bags_done:
        return state, ()
    state = _with_person(state, replace(state.person, certified_at=event.at))
    for index, person in enumerate(state.persons):
        if not person.minor and person.certified_at is None:
            return _idle(replace(state, current=index), Screen.GOODS), ()
    return _send(state, "complete")


def _answered(state: State, event: Answered) -> Outcome:
    if state.screen not in (Screen.SENDING, Screen.OFFICER) or event.decision.record_id != state.record_id:
        return state, ()
    return _idle(replace(state, decision=event.decision), Screen.RESULT), (PrintReceipt(),)


def _unanswered(state: State, event: Unanswered) -> Outcome:
    if state.screen not in (Screen.SENDING, Screen.OFFICER):
        return state, ()
    return _idle(replace(state, offline=True), Screen.RESULT), ()


def _receipt_asked(state: State, event: ReceiptAsked) -> Outcome:
    if state.screen is not Screen.RESULT or state.decision is None:
        return state, ()
    return state, (PrintReceipt(),)


def _receipt_printed(state: State, event: ReceiptPrinted) -> Outcome:
    return (replace(state, printed=event.printed), ()) if state.screen is Screen.RESULT else (state, ())


def _left(state: State, event: Left) -> Outcome:
    return _wipe(state) if state.screen is Screen.RESULT else (state, ())


def _retried(state: State, event: Retried) -> Outcome:
    """Start the current look again. It costs no try: nobody loses one by touching the screen."""
    if state.screen is Screen.DOCUMENT:
        advanced, effects = _scan_front(state) if state.phase == "front" else _scan_page(state)
    elif state.screen is Screen.FACE:
        advanced, effects = _scan_face(state)
    else:
        return state, ()
    return advanced, (StopWork(), *effects)


def _went_back(state: State, event: WentBack) -> Outcome:
    if state.screen is Screen.NOTICE:
        return _wipe(state)
    if state.screen is Screen.DOCUMENT:
        if state.current == 0:
            return _stopping(state, replace(_idle(state, Screen.NOTICE), persons=()))
        fewer = replace(state, persons=state.persons[:-1], current=state.current - 1)
        return _stopping(state, _idle(fewer, Screen.PARTY))
    if state.screen is Screen.FACE:
        advanced, effects = _scan_page(state)
        return advanced, (StopWork(), *effects)
    if state.screen is Screen.PARTY:
        return _scan_face(state)
    if state.screen is Screen.GOODS:
        # Only the first adult, and only while nobody has signed: a signed statement is not reopened here.
        if state.current == 0:
            return _idle(replace(state, current=len(state.persons) - 1), Screen.PARTY), ()
        return state, ()
    if state.screen is Screen.DETAILS:
        return _idle(state, Screen.GOODS), ()
    if state.question is not None:
        return _before(state, state.question), ()
    if state.screen is Screen.BAG:
        return _stopping(state, _before(state))
    if state.screen is Screen.REVIEW:
        return _before(_declaring_again(state)), ()
    return state, ()


def _before(state: State, question: Question | None = None) -> State:
    """The page before this question, or before the bags; the last one that was answered comes first."""
    person = state.person
    earlier = person.answered
    if question in earlier:
        earlier = earlier[: earlier.index(question)]
    if earlier:
        return _put(state, earlier[-1])
    chose = person.kinds or person.declared is DeclaredChannel.RED
    return _idle(state, Screen.DETAILS if chose else Screen.GOODS)


def _language_chosen(state: State, event: LanguageChosen) -> Outcome:
    return replace(state, language=event.language), ()


def _text_size_chosen(state: State, event: TextSizeChosen) -> Outcome:
    return replace(state, text_size=event.percent), ()


def _contrast_chosen(state: State, event: ContrastChosen) -> Outcome:
    return replace(state, contrast=event.mode), ()


def _touched(state: State, event: Event) -> Outcome:
    return state, ()


def _ticked(state: State, event: Ticked) -> Outcome:
    touched = state.touched_at
    if touched is None:
        return state, ()
    if state.screen is Screen.RESULT:
        over = event.at - touched >= timedelta(seconds=state.limits.result_s)
        return _wipe(state) if over else (state, ())
    if state.screen not in IN_JOURNEY:
        return state, ()
    if state.warned_at is not None:
        over = event.at - state.warned_at >= timedelta(seconds=state.limits.warning_s)
        return _wipe(state) if over else (state, ())
    if event.at - touched >= timedelta(seconds=state.limits.idle_s):
        return replace(state, warned_at=event.at), ()
    return state, ()


def _service_stopped(state: State, event: ServiceStopped) -> Outcome:
    """Only an idle kiosk closes: whoever has begun is brought to the end or to an officer."""
    if state.screen is not Screen.WELCOME:
        return state, ()
    return replace(state, screen=Screen.OUT_OF_SERVICE), ()


def _service_resumed(state: State, event: ServiceResumed) -> Outcome:
    if state.screen is not Screen.OUT_OF_SERVICE:
        return state, ()
    return empty(state), ()


_E = TypeVar("_E", bound=Event)


@dataclass(frozen=True)
class _Table:
    """Which handler takes which event; typed at the one place where they are put together."""

    handlers: dict[type[Event], Callable[[State, Event], Outcome]] = field(default_factory=dict)

    def on(self, event: type[_E], handler: Callable[[State, _E], Outcome]) -> None:
        def handle(state: State, happened: Event) -> Outcome:
            assert isinstance(happened, event)
            return handler(state, happened)

        self.handlers[event] = handle

    def get(self, event: type[Event]) -> Callable[[State, Event], Outcome] | None:
        return self.handlers.get(event)


def _table() -> _Table:
    table = _Table()
    table.on(Started, _started)
    table.on(NoticeAccepted, _notice_accepted)
    table.on(OfficerAsked, _officer_asked)
    table.on(WentBack, _went_back)
    table.on(Retried, _retried)
    table.on(PersonAdded, _person_added)
    table.on(PartyComplete, _party_complete)
    table.on(GoodsChosen, _goods_chosen)
    table.on(ChannelDeclared, _channel_declared)
    for answer in (AmountsGiven, CircumstanceStated, SharesGiven, MoneyExplained, WrittenDown):
        table.on(answer, _answer_given)
    table.on(BagsCounted, _bags_counted)
    table.on(UnaccompaniedAnswered, _unaccompanied_answered)
    table.on(ChangeAsked, _change_asked)
    table.on(Withdrawn, _withdrawn)
    table.on(Certified, _certified)
    table.on(Left, _left)
    table.on(MoreTimeAsked, _touched)
    table.on(Moved, _touched)
    table.on(LanguageChosen, _language_chosen)
    table.on(TextSizeChosen, _text_size_chosen)
    table.on(ContrastChosen, _contrast_chosen)
    table.on(ReceiptAsked, _receipt_asked)
    table.on(ReceiptPrinted, _receipt_printed)
    table.on(Ticked, _ticked)
    table.on(StepFailed, _step_failed)
    table.on(ServiceStopped, _service_stopped)
    table.on(ServiceResumed, _service_resumed)
    table.on(PageRead, _page_read)
    table.on(ChipRead, _chip_read)
    table.on(FrontRead, _front_read)
    table.on(FaceCompared, _face_compared)
    table.on(BagScanned, _bag_scanned)
    table.on(Answered, _answered)
    table.on(Unanswered, _unanswered)
    return table


_HANDLERS = _table()
