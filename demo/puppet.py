"""A traveller of flesh and wire: the body lays things down, the hands touch the screen.

The body watches what the screen asks for (`prompt` of the kiosk's state) and acts on the bench: documents, face,
bag. The hands post the actions that a story tells. In the browser a person is the hands; `--auto` plays both.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from hardware.specimens.story import Story, StoryAnswers, StoryDocument, StoryTraveller

JSON = dict[str, Any]


class StoryStuck(Exception):
    """The kiosk stayed on a screen that the story cannot leave."""


class Bench:
    """The control interface of the simulated devices (hardware.simulators.bench)."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def put(self, thing: str, **what: object) -> None:
        answer = self._session.post(f"{self._url}/{thing}", json=what, timeout=10)
        answer.raise_for_status()

    def take(self, thing: str) -> None:
        self._session.delete(f"{self._url}/{thing}", timeout=10).raise_for_status()

    def clear(self) -> None:
        for thing in ("document", "face", "bag"):
            self.take(thing)
        self.put("fault", device="face_camera", fault=None)


class KioskScreen:
    """The kiosk as its browser sees it: state, actions, CSRF token and cookie."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()

    def state(self) -> JSON:
        answer = self._session.get(f"{self.url}/state", timeout=30)
        answer.raise_for_status()
        state: JSON = answer.json()
        return state

    def act(self, action: str, **fields: object) -> JSON:
        """Post an action; returns the error body when it is refused, the new state otherwise."""
        state = self.state()
        headers = {"X-CSRFToken": state.get("csrf_token", ""), "Accept": "application/json", "Referer": self.url}
        answer = self._session.post(
            f"{self.url}/action/{action}", data=fields, headers=headers, timeout=60, allow_redirects=False
        )
        if answer.headers.get("Content-Type", "").startswith("application/json"):
            body: JSON = answer.json()
            return body
        return self.state()


@dataclass
class Body:
    """Answers prompts at the bench for one story."""

    bench: Bench
    directory: Path
    story: Story
    radio: str = "none"
    _person: int = 1
    _documents_shown: int = 0
    _bags_shown: int = 0
    _asked: tuple[object, ...] | None = None

    def traveller(self, person: int) -> StoryTraveller:
        return self.story.travellers[min(person, len(self.story.travellers)) - 1]

    def follow(self, state: JSON) -> None:
        """Do what the screen asks for, once for each time it asks."""
        person = int(state.get("person", 1))
        if person != self._person:
            self._person, self._documents_shown, self._asked = person, 0, None
        prompt = state.get("prompt")
        asked = (prompt, state.get("try_number"), json.dumps(state.get("hint")))
        if prompt is None or asked == self._asked:
            self._asked = asked
            return
        self._asked = asked
        traveller = self.traveller(person)
        if prompt == "place_document":
            self.bench.take("face")
            self._lay_document(traveller)
        elif prompt == "turn_document":
            self._turn_document(traveller)
        elif prompt == "remove_document":
            self.bench.take("document")
        elif prompt in ("look", "turn_left", "turn_right", "nod"):
            if self.story.behaviour.camera_fault is not None:
                self.bench.put("fault", device="face_camera", fault=self.story.behaviour.camera_fault)
            path = traveller.feeds.get("neutral" if prompt == "look" else prompt)
            if path is None:
                self.bench.take("face")
            else:
                self.bench.put("face", feed=str(self.directory / path))
        elif prompt == "place_bag" and traveller.bags:
            bag = traveller.bags[min(self._bags_shown, len(traveller.bags) - 1)]
            self._bags_shown += 1
            tag = str(self.directory / bag.tag) if bag.tag else None
            self.bench.put("bag", weight_kg=bag.weight_kg, tag=tag)
        elif prompt == "remove_bag":
            self.bench.take("bag")

    def _lay_document(self, traveller: StoryTraveller) -> None:
        index = min(self._documents_shown, len(traveller.documents) - 1)
        document = traveller.documents[index]
        self._documents_shown += 1
        self._lay(document, document.page)

    def _turn_document(self, traveller: StoryTraveller) -> None:
        """The other side of the card that was laid down last; a document that shows none lies as it lay."""
        document = traveller.documents[max(0, min(self._documents_shown, len(traveller.documents)) - 1)]
        self.bench.take("document")
        self._lay(document, document.front or document.page)

    def _lay(self, document: StoryDocument, page: str) -> None:
        behaviour = self.story.behaviour
        self.bench.put(
            "document",
            page=str(self.directory / page),
            infrared=str(self.directory / document.infrared) if document.infrared else None,
            ultraviolet=str(self.directory / document.ultraviolet) if document.ultraviolet else None,
            chip=str(self.directory / document.chip) if document.chip else None,
            fault=behaviour.chip_fault,
            radio=self.radio,
            remove_after=behaviour.lifts_passport_after_apdus,
        )


class Hands:
    """Touches what the story tells, once on each screen."""

    def __init__(self, screen: KioskScreen, story: Story) -> None:
        self._screen = screen
        self._story = story

    def touch(self, state: JSON) -> None:
        """One touch, if this screen wants one. Raises StoryStuck when the kiosk refuses it."""
        name = str(state["screen"])
        behaviour = self._story.behaviour
        if behaviour.asks_officer_at == name:
            self._act("ask_officer")
            return
        traveller = self._story.travellers[min(int(state.get("person", 1)), len(self._story.travellers)) - 1]
        answers = traveller.answers
        if name == "welcome":
            self._act("start", language=behaviour.language)
        elif name == "notice":
            self._act("accept_notice")
        elif name == "party":
            self._act("add_person" if int(state["people"]) < len(self._story.travellers) else "alone")
        elif name == "goods" and answers is not None:
            self._act("declare", channel=answers.declared_channel, kinds=_kinds(answers))
        elif name == "details" and answers is not None:
            lines = {
                "items": [item.model_dump(mode="json") for item in answers.items],
                "money": [money.model_dump(mode="json") for money in answers.money],
            }
            self._act("amounts", declaration=json.dumps(lines))
        elif name == "about" and answers is not None:
            told = answers.circumstances
            known = getattr(told, str(state["about"]["fact"])) if told is not None else None
            words = {None: "unknown", True: "yes", False: "no"}
            self._act("circumstance", answer=known if type(known) is int else words[known])
        elif name == "shares":
            self._act("shares")
        elif name == "writing":
            self._act("writing")  # an officer writes it down
        elif name == "money" and answers is not None:
            money = answers.money[0]
            owner = "own" if money.owner_is_declarant else "other"
            self._act("money", origin=money.origin or "99", use=money.intended_use or "99", owner=owner)
        elif name == "bag" and "bag" in state["actions"]:
            self._answer_bag(state, traveller)
        elif name == "review":
            self._act("sign")

    def _answer_bag(self, state: JSON, traveller: StoryTraveller) -> None:
        if state.get("unaccompanied") is None:
            sent_apart = traveller.answers is not None and traveller.answers.unaccompanied_baggage
            self._act("unaccompanied", answer="yes" if sent_apart else "no")
        elif state.get("bag_count") is None:
            self._act("bag", count=len(traveller.bags))

    def _act(self, action: str, **fields: object) -> None:
        answer = self._screen.act(action, **fields)
        # A refusal for the screen is a race with the kiosk's own progress; the next look at the state tells.
        if answer.get("code") and answer["code"] != "NOT_ALLOWED":
            raise StoryStuck(f"{action} was refused: {answer.get('message')} ({answer.get('place')})")


def _kinds(answers: StoryAnswers) -> list[str]:
    return sorted({item.kind.value for item in answers.items} | ({"cash"} if answers.money else set()))


@dataclass(frozen=True)
class Played:
    """How a story went at the screen."""

    screens: tuple[str, ...]
    result: JSON
    step_seconds: dict[str, float]  # what the machine took, by step; "send" included, so from the kiosk
    walked_away: bool
    seconds: float


def until_welcome(screen: KioskScreen, limit_s: float = 180.0) -> None:
    """Wait until the kiosk is free: whoever walked away is forgotten after the time-out. Raises StoryStuck."""
    begun = time.monotonic()
    while str(screen.state()["screen"]) != "welcome":
        if time.monotonic() - begun > limit_s:
            raise StoryStuck("the kiosk does not come back to its welcome")
        time.sleep(0.2)


def play(screen: KioskScreen, body: Body, story: Story, limit_s: float = 180.0) -> Played:
    """Play a story from the welcome screen to its result, or until the traveller walks away.

    Raises StoryStuck when neither comes within `limit_s` seconds.
    """
    hands = Hands(screen, story)
    screens: list[str] = []
    begun = time.monotonic()
    while time.monotonic() - begun < limit_s:
        state = screen.state()
        name = str(state["screen"])
        if not screens or screens[-1] != name:
            screens.append(name)
        if name == "welcome" and len(screens) > 1:
            raise StoryStuck(f"{story.id}: the kiosk went back to its welcome; screens: {' > '.join(screens)}")
        if name == "result":
            return Played(tuple(screens), state["result"], state["step_seconds"], False, time.monotonic() - begun)
        if story.behaviour.walks_away_at == name:
            return Played(tuple(screens), {}, {}, True, time.monotonic() - begun)
        body.follow(state)
        hands.touch(state)
        time.sleep(0.02)
    raise StoryStuck(f"{story.id}: no result after {limit_s:.0f} s; screens: {' > '.join(screens)}")
