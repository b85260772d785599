"""Makes the view: what the state and the devices say, as message ids and figures. The only writer of `View`.

Figures of allowances, norms and duty come from the rule pack and the one evaluator. Words come later, from the
catalogue. Nothing here says why an officer is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from declarations.money import Rates
from declarations.packs import RulePack
from kiosk.config import KioskConfig
from kiosk.declaration_pages import DeclarationPages, money_questions, travellers, weight, writing
from kiosk.face_capture import Seen
from kiosk.journey import Answer, PersonState, Question, State, most_face_tries
from kiosk.page_obstacle import Part
from kiosk.view import (
    Condition,
    Line,
    Message,
    Panel,
    Result,
    Screen,
    Station,
    Step,
    View,
)

Prompt = Literal[
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

_STATIONS: dict[Screen, Station] = {
    Screen.DOCUMENT: Station.PASSPORT,
    Screen.FACE: Station.FACE,
    Screen.PARTY: Station.FACE,
    Screen.GOODS: Station.GOODS,
    Screen.DETAILS: Station.GOODS,
    Screen.ABOUT: Station.GOODS,
    Screen.SHARES: Station.GOODS,
    Screen.MONEY: Station.GOODS,
    Screen.WRITING: Station.GOODS,
    Screen.BAG: Station.BAG,
    Screen.REVIEW: Station.SIGN,
    Screen.SENDING: Station.SIGN,
}
_MOVES = {"turn_left": "face.hint.left", "turn_right": "face.hint.right", "nod": "face.hint.nod"}
# Reason codes of the last try, in the traveller's words.
_ERRORS = {
    "too_dark": "error.page_dark",
    "blurred": "error.page_blurred",
    "moving": "error.page_blurred",
    "glare": "error.page_glare",
    "cut_off": "error.page_cut_off",
    "too_far": "error.page_far",
    "several_documents": "error.page_several",
    "no_zone": "error.page_other",
    "not_read": "error.page_unreadable",
    "camera_failed": "error.device",
    "device_missing": "error.device",
    "device_failed": "error.device",
    "card_removed": "error.passport_lifted",
    "no_chip": "error.chip_unreadable",
    "no_face": "error.face_missing",
}
_UNSURE = ("ambiguous_", "unsupported_", "readers_disagree", "line", "no_lines", "bad_posteriors")  # of a zone
# Why the page cannot be read just now: what to do, as the instruction, and what is seen, as the line below it.
ADVICE = frozenset(
    ("moving", "too_dark", "blurred", "glare", "cut_off", "too_far", "several_documents", "no_zone", "zone_side")
)
_HINTS = {
    "no_face": "face.hint.look",
    "too_dark": "face.hint.light",
    "too_bright": "face.hint.light",
    "too_far": "face.hint.closer",
    "too_near": "face.hint.back",
    "not_straight": "face.hint.ahead",
    "two_faces": "face.hint.one",
    "covered": "face.hint.whole",
    "eyes_closed": "face.hint.look",
    "blurred": "face.hint.hold",
    "not_still": "face.hint.hold",
    "uneven_light": "face.hint.light",
}
_CONDITIONS: dict[tuple[str, bool], str] = {
    ("light", True): "face.light.good",
    ("face", True): "face.face.good",
    ("distance", True): "face.distance.good",
}
_FAULTS = {
    ("light", "too_bright"): "face.light.bright",
    ("face", "two_faces"): "face.face.several",
    ("distance", "too_near"): "face.distance.near",
}
_UNCLEAR = {"light": "face.light.dark", "face": "face.face.unclear", "distance": "face.distance.far"}


@dataclass(frozen=True)
class Live:
    """What the devices are doing right now; the conductor replaces it as they report."""

    page_present: bool = False
    page_problem: str | None = None
    page_part: Part | None = None  # of the zone's lines, where the problem lies on one
    glass_cleared: bool = False
    chip_fraction: float | None = None
    seen: Seen | None = None
    bag: Literal["waiting", "weighing", "tag", "done"] = "waiting"
    weight_kg: float | None = None
    form_error: str | None = None
    receipt_failed: bool = False


class Presenter:
    """Views for one kiosk."""

    def __init__(self, config: KioskConfig, pack: RulePack, rates: Rates | None) -> None:
        self._config = config
        self._pages = DeclarationPages(config, pack, rates)

    def view(self, state: State, live: Live, revision: int, now: datetime) -> View:
        """The view of a state. Personal data is on the review page alone."""
        person = state.persons[state.current] if state.persons else None
        screen = state.screen
        pages = self._pages
        began = state.started_at or now  # a session stays in the law of the day it began on
        on_goods = person is not None and screen in (Screen.GOODS, Screen.DETAILS)
        on_review = person is not None and screen is Screen.REVIEW
        return View(
            screen=screen,
            revision=revision,
            language=state.language,
            text_size=state.text_size,
            contrast=state.contrast,
            site=self._config.site_name,
            timezone=self._config.timezone,
            direction=self._config.direction,
            flight=self._config.flight,
            steps=_steps(screen),
            person=state.current + 1,
            people=max(1, len(state.persons)),
            minor_turn=person is not None and person.minor,
            side="front" if state.phase == "front" else "page",
            page_part=live.page_part if screen is Screen.DOCUMENT and live.page_problem in ADVICE else None,
            panel=_panel(state, live),
            hint=_hint(state, live),
            error=_error(state, live),
            conditions=_conditions(live.seen) if screen is Screen.FACE else (),
            try_number=min(_tried(state, person) + 1, _most_tries(state, person)),
            tries=_most_tries(state, person),
            allowances=pages.allowances(state, person, began) if on_goods and person is not None else (),
            apart=screen is Screen.GOODS and pages.asks_apart(began),
            about=pages.about(state, person, began) if person is not None and screen is Screen.ABOUT else None,
            shares=pages.shares(state, person, began) if person is not None and screen is Screen.SHARES else (),
            money=money_questions(person) if person is not None and screen is Screen.MONEY else None,
            writing=writing(state, person) if person is not None and screen is Screen.WRITING else None,
            paper=pages.paper(state, person, began) if on_review and person is not None else None,
            declared=None if person is None or person.declared is None else person.declared.value,
            withdrawn=on_review and person is not None and person.withdrawn,
            unaccompanied=None if person is None else person.unaccompanied,
            bags=0 if person is None else len(person.bags),
            bag_count=None if person is None else person.bag_count,
            weight_kg=weight(person, live.weight_kg) if screen in (Screen.BAG, Screen.REVIEW) else None,
            travellers=travellers(state) if on_review else (),
            review=pages.review(state, person, began) if on_review and person is not None else (),
            result=_result(state) if screen is Screen.RESULT else None,
            actions=pages.actions(state, now),
            prompt=_prompt(state, live),
            seconds_left=_seconds_left(state, now),
            speech=(),
        )

    def asks(self, state: State, answer: Answer) -> tuple[Question, ...]:
        """What the law needs to know after this answer."""
        return self._pages.asks(state, answer)

    def is_free(self, state: State, at: datetime) -> bool:
        """Whether the traveller, on the review page, could as well declare nothing."""
        return self._pages.is_free(state, at)


def _steps(screen: Screen) -> tuple[Step, ...]:
    now = _STATIONS.get(screen)
    if now is None:
        return ()
    stations = tuple(Station)
    at = stations.index(now)
    states: dict[bool, Literal["done", "next"]] = {True: "done", False: "next"}
    return tuple(
        Step(station, "now" if index == at else states[index < at]) for index, station in enumerate(stations)
    )


def _prompt(state: State, live: Live) -> Prompt | None:
    if state.screen is Screen.DOCUMENT and state.phase == "page":
        return "remove_document" if state.fresh and not live.glass_cleared else "place_document"
    if state.screen is Screen.DOCUMENT and state.phase == "front":
        return "turn_document"
    if state.screen is Screen.FACE:
        return live.seen.prompt if live.seen else "look"
    if state.screen is Screen.BAG and state.working:
        return "remove_bag" if live.bag == "done" else "place_bag"
    return None


def _panel(state: State, live: Live) -> Panel | None:
    if state.screen is Screen.DOCUMENT:
        return _document_panel(state, live)
    if state.screen is Screen.FACE:
        seen = live.seen or Seen("look")
        return Panel(Message(_MOVES.get(seen.prompt, "face.hint.look")), seen.fraction)
    if state.screen is Screen.BAG and state.working:
        return _bag_panel(live)
    if state.screen is Screen.SENDING:
        return Panel(
            Message("sending.panel"),
            0.6,
            (
                Line("done", Message("sending.sign.done")),
                Line("now", Message("sending.send.now")),
                Line("next", Message("sending.answer.next")),
            ),
        )
    return None


def _document_panel(state: State, live: Live) -> Panel:
    if state.phase == "chip":
        fraction = live.chip_fraction or 0.0
        done = Line("done", Message("document.page.done"))
        if fraction < 0.85:
            rest = (Line("now", Message("document.chip.now")), Line("next", Message("document.agree.next")))
        else:
            rest = (Line("done", Message("document.chip.done")), Line("now", Message("document.agree.now")))
        return Panel(Message("document.panel.hold"), 0.3 + 0.7 * fraction, (done, *rest))
    if state.phase == "front":
        return _front_panel(live)
    waiting = (Line("next", Message("document.chip.next")), Line("next", Message("document.agree.next")))
    if state.hint == "visa_kept":
        return Panel(Message("document.panel.visa"), None, (Line("next", Message("document.page.next")), *waiting))
    if state.fresh and not live.glass_cleared:
        return Panel(Message("document.panel.take"), None, (Line("next", Message("document.page.next")), *waiting))
    if live.page_problem in ADVICE:
        return advice(live.page_problem, waiting, part=live.page_part)
    if live.page_present:
        reading = Line("now", Message("document.page.now"))
        return Panel(Message("document.panel.hold"), 0.15, (reading, *waiting))
    instruction = "document.panel.again" if state.hint else "document.panel.place"
    return Panel(Message(instruction), None, (Line("next", Message("document.page.next")), *waiting))


def _front_panel(live: Live) -> Panel:
    chip = Line("done", Message("document.chip.done"))
    if live.page_problem in ADVICE:
        return advice(live.page_problem, (), before=(chip,))
    if live.page_present:
        return Panel(Message("document.do.moving"), 0.8, (chip, Line("now", Message("document.front.now"))))
    return Panel(Message("document.panel.turn"), None, (chip, Line("next", Message("document.front.next"))))


def advice(
    problem: str, after: tuple[Line, ...], before: tuple[Line, ...] = (), part: Part | None = None
) -> Panel:
    """The panel of a page that cannot be read just now: what to do, and why, among the other lines."""
    why = Line("attention", Message(f"document.see.{problem}" + (f".{part}" if part else "")))
    return Panel(Message(f"document.do.{problem}"), None, (*before, why, *after))


def _bag_panel(live: Live) -> Panel:
    weight = f"{live.weight_kg:.1f}" if live.weight_kg is not None else ""
    weighed = Line("done", Message("bag.weight.done", {"weight": weight}))
    if live.bag == "waiting":
        lines = (Line("next", Message("bag.weight.next")), Line("next", Message("bag.tag.next")))
        return Panel(Message("bag.panel.place"), None, lines)
    if live.bag == "weighing":
        lines = (Line("now", Message("bag.weight.now")), Line("next", Message("bag.tag.next")))
        return Panel(Message("bag.panel.hold"), 0.3, lines)
    if live.bag == "tag":
        return Panel(Message("bag.panel.hold"), 0.7, (weighed, Line("now", Message("bag.tag.now"))))
    return Panel(Message("bag.panel.done"), 1.0, (weighed,))


def _hint(state: State, live: Live) -> Message | None:
    if state.screen is not Screen.FACE or live.seen is None:
        return None
    if live.seen.prompt != "look":
        return Message(_MOVES[live.seen.prompt])
    return Message(_HINTS.get(live.seen.problem or "", "face.hint.hold"))


def _error(state: State, live: Live) -> Message | None:
    if live.form_error is not None:
        return Message(live.form_error)
    if state.screen is Screen.RESULT and live.receipt_failed:
        return Message("error.printer")
    if state.hint is None or state.hint == "visa_kept":
        return None
    if state.screen is Screen.DOCUMENT:
        unsure = state.hint.startswith(_UNSURE)
        return Message(_ERRORS.get(state.hint, "error.page_unreadable" if unsure else "error.chip_unreadable"))
    if state.screen is Screen.FACE:
        dark = state.hint == "too_dark"  # here the room, on the document page the page
        return Message("error.face_again" if dark else _ERRORS.get(state.hint, "error.face_again"))
    return None


def _conditions(seen: Seen | None) -> tuple[Condition, ...]:
    if seen is None:
        return ()
    return tuple(
        Condition(
            name,
            good,
            Message(_CONDITIONS[name, True] if good else _FAULTS.get((name, seen.problem or ""), _UNCLEAR[name])),
        )
        for name, good in seen.conditions
    )


def _tried(state: State, person: PersonState | None) -> int:
    if person is None:
        return 0
    return person.face_tries if state.screen is Screen.FACE else person.document_tries


def _most_tries(state: State, person: PersonState | None) -> int:
    if state.screen is Screen.FACE and person is not None:
        return most_face_tries(state, person)
    return state.limits.document_tries


def _seconds_left(state: State, now: datetime) -> int | None:
    if state.warned_at is not None:
        return max(0, round(state.limits.warning_s - (now - state.warned_at).total_seconds()))
    if state.screen is Screen.RESULT and state.touched_at is not None:
        return max(0, round(state.limits.result_s - (now - state.touched_at).total_seconds()))
    return None


def _result(state: State) -> Result:
    decision = state.decision
    if decision is None:
        return Result(False, None, None, "", "", printed=False, offline=True)
    return Result(
        cleared=state.cleared,
        desk=None if state.cleared else decision.desk,
        wait_minutes=None if state.cleared else decision.wait_minutes,
        receipt_number=decision.receipt_number,
        receipt_token=decision.receipt,
        printed=state.printed,
    )
