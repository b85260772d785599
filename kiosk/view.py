"""What a screen may show: the only thing that templates, the tray of the demo and the tests see.

A `View` holds message ids with parameters, never sentences, so that text and speech come from one catalogue,
and no personal data except on the review page, which needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from contracts.party import Direction


class Screen(StrEnum):
    """The pages a traveller would recognise, in the order of the journey."""

    WELCOME = "welcome"  # language choice; attract when idle
    NOTICE = "notice"  # what is taken, why, how long, who sees it
    DOCUMENT = "document"  # printed page and chip
    FACE = "face"
    PARTY = "party"  # does anyone travel with you
    GOODS = "goods"  # the two legal answers
    DETAILS = "details"  # how much of each chosen thing
    ABOUT = "about"  # what of the person changes the outcome: where they live, how long they were away
    SHARES = "shares"  # what of the goods is a child's
    MONEY = "money"  # where declared money comes from, what it is for, whose it is
    WRITING = "writing"  # what a form asks in words: addresses, the owner of money, an instrument, the route
    BAG = "bag"  # weight, tag, unaccompanied baggage
    REVIEW = "review"  # every answer, the liability sentence, sign
    SENDING = "sending"
    RESULT = "result"  # the channel and the receipt
    OFFICER = "officer"  # a person takes over; you keep your place
    OUT_OF_SERVICE = "out_of_service"


class Station(StrEnum):
    """The named stations of the progress line."""

    PASSPORT = "passport"
    FACE = "face"
    GOODS = "goods"
    BAG = "bag"
    SIGN = "sign"


@dataclass(frozen=True)
class Message:
    """A message id of the catalogue and its parameters (numbers already in the traveller's form)."""

    id: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """A station and where the traveller stands towards it."""

    station: Station
    state: Literal["done", "now", "next"]


@dataclass(frozen=True)
class Line:
    """One line of the live panel."""

    state: Literal["done", "now", "next", "attention"]
    text: Message


@dataclass(frozen=True)
class Panel:
    """One big instruction, a bar (0 to 1, or None), then lines in words."""

    instruction: Message
    fraction: float | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Condition:
    """One condition of the face page, in words: light, face, distance."""

    name: Literal["light", "face", "distance"]
    good: bool
    text: Message


@dataclass(frozen=True)
class Allowance:
    """One card of the goods page and, when amounts are given, its meter. Figures come from the rule pack."""

    kind: str  # GoodsKind or "cash"
    free: str | None  # "3", "200", "10,000" as the traveller's language writes it; None = anything counts
    unit: str | None  # l, pcs, kg, USD …
    chosen: bool = False
    amount: str | None = None  # decimal string as entered
    relation: Literal["within", "over", "unknown"] | None = None
    difference: str | None = None
    duty: str | None = None  # estimate, with currency
    share: float | None = None  # amount / free, for the meter
    second_free: str | None = None
    second_unit: str | None = None
    at_most: str | None = None  # the norm with duty, in `unit`; None = no such limit
    at_least: bool = False  # `free` itself counts already: at, not over


@dataclass(frozen=True)
class MoneyQuestions:
    """What the form asks of money that is declared in writing, and what was answered: codes of its annex."""

    amounts: tuple[tuple[str, str], ...]  # figure and currency, as stated
    origins: tuple[str, ...]
    uses: tuple[str, ...]
    origin: str | None = None
    use: str | None = None
    own: bool | None = None


@dataclass(frozen=True)
class Choice:
    """One answer of a question with few, and whether it was given before."""

    value: str
    text: Message
    chosen: bool = False


@dataclass(frozen=True)
class About:
    """A question about the person: `fact` names it in the catalogue."""

    fact: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Share:
    """One figure of a child's part: the field's name, whose, of what and how much of it there is."""

    name: str
    child: int  # of the party's children, from 1
    kind: str
    measure: Literal["amount", "value", "weight"]
    unit: str
    total: str
    given: str = ""


@dataclass(frozen=True)
class Writing:
    """What the form asks in words now, and what was said before, by field."""

    question: Literal["owner", "instrument", "address", "route"]
    said: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Basis:
    """Why the law says so: sentences, then article and source as the rule pack names them."""

    sentences: tuple[Message, ...]
    article: str
    source: str = ""
    papers: tuple[str, ...] = ()  # that the law wants to see, in the pack's own words


@dataclass(frozen=True)
class ReviewLine:
    """One answer on the review page, and the screen where it can be changed."""

    icon: str
    title: Message
    note: Message | None
    attention: bool
    change: Screen
    question: str | None = None  # that can be answered anew, where `change` has several
    why: Basis | None = None


@dataclass(frozen=True)
class Traveller:
    """A person of the party as the review page shows them; empty elsewhere."""

    name: str
    document: Message
    minor: bool = False


@dataclass(frozen=True)
class Result:
    """What is told at the end. No reason, no name."""

    cleared: bool
    desk: str | None
    wait_minutes: int | None
    receipt_number: str
    receipt_token: str
    printed: bool
    offline: bool = False  # no answer from central: an officer finishes


@dataclass(frozen=True)
class View:
    """The whole state of the screen."""

    screen: Screen
    revision: int  # grows with every change; pages reload when it does
    language: str
    text_size: Literal[100, 125, 150] = 100
    contrast: Literal["normal", "high"] = "normal"
    site: str = ""
    timezone: str = "UTC"
    direction: Direction = Direction.ARRIVAL
    flight: str | None = None
    steps: tuple[Step, ...] = ()
    person: int = 1  # whose turn it is
    people: int = 1
    minor_turn: bool = False
    side: Literal["page", "front"] = "page"  # of the document that is asked for: a card is turned to its front
    page_part: Literal["start", "middle", "end"] | None = None  # of the zone's lines, that light hides
    panel: Panel | None = None
    hint: Message | None = None
    error: Message | None = None
    conditions: tuple[Condition, ...] = ()
    try_number: int = 1
    tries: int = 3
    allowances: tuple[Allowance, ...] = ()
    apart: bool = False  # the law asks about baggage that travels apart
    about: About | None = None
    shares: tuple[Share, ...] = ()
    money: MoneyQuestions | None = None
    writing: Writing | None = None
    paper: bool | None = None  # in writing on a form that an officer prints; None: nothing is said of it
    declared: Literal["green", "red"] | None = None
    withdrawn: bool = False  # what was stated is free, and is declared no longer
    unaccompanied: bool | None = None
    bags: int = 0
    bag_count: int | None = None  # how many the traveller said; None = not answered yet
    weight_kg: str | None = None
    travellers: tuple[Traveller, ...] = ()
    review: tuple[ReviewLine, ...] = ()
    result: Result | None = None
    actions: tuple[str, ...] = ()  # what may be posted to /action/<name> now
    prompt: (
        Literal[
            "place_document",
            "turn_document",
            "remove_document",
            "look",
            "turn_left",
            "turn_right",
            "nod",
            "place_bag",
            "remove_bag",
        ]
        | None
    ) = None  # what the body is asked to do; the demo's tray acts on it
    seconds_left: int | None = None  # set when the time-out warning shows
    speech: tuple[str, ...] = ()  # message ids to be spoken for this screen
