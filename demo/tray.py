"""The tray: the page from which a person hands a fictional traveller to the kiosk.

A chosen traveller's body follows the kiosk's instructions (lays the passport down, looks at the camera, turns the
head, puts the bag on the scale); the person in front of the browser touches the kiosk's screen. "Play it all" is
for those who want to watch.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from flask import (
    Flask,
    Response,
    abort,
    redirect,
    render_template,
    request,
    send_file,
    send_from_directory,
    url_for,
)
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.wrappers import Response as BaseResponse

from contracts.decision import Channel
from demo.puppet import Bench, Body, Hands, KioskScreen, StoryStuck
from hardware.specimens.story import Story

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
TURN_BACK_S = 12.0  # as long as the kiosk may wait for central
WATCHABLE_PACE_S = 0.9  # between two touches of "Play it all"

# What the traveller does at the kiosk, by the kiosk's prompt.
DEEDS = {
    "place_document": "lays the passport on the glass",
    "turn_document": "turns the card over",
    "remove_document": "takes the passport back",
    "look": "looks at the camera",
    "turn_left": "turns the head to the left",
    "turn_right": "turns the head to the right",
    "nod": "nods",
    "place_bag": "puts the bag on the scale",
    "remove_bag": "takes the bag down",
}
# What is left to the person in front of the browser, by screen; elsewhere the kiosk and the body do it.
TOUCHES = {
    "welcome": "Touch a language on the kiosk.",
    "notice": "Read the notice and touch the button.",
    "party": "Tell the kiosk who travels together.",
    "goods": "Choose one of the two answers.",
    "details": "Tell how much.",
    "about": "Answer the question.",
    "shares": "Tell what is a child's, or leave it empty.",
    "writing": "Write it down, or leave it empty.",
    "money": "Tell where the money is from.",
    "bag": "Answer the questions about bags.",
    "review": "Check the answers, then sign.",
    "result": "Read the result, then touch Finish.",
    "officer": "The kiosk has called an officer. Touch Finish when you have read it.",
}


@dataclass(frozen=True)
class Address:
    """A place to click, with what one needs to get in."""

    name: str
    url: str
    icon: str
    hint: str


@dataclass(frozen=True)
class Scene:
    """What the tray tells about the kiosk now."""

    traveller: str | None = None  # the story of whoever stands there
    plays_itself: bool = False
    deed: str = ""
    touch: str = ""
    screen: str = ""
    last: str | None = None  # the story that ended last, and how
    ended: str = ""
    trouble: str = ""


@dataclass
class Stage:
    """Who stands at the kiosk now. One thread plays; the web page only chooses."""

    kiosk_url: str
    bench: Bench
    stories: dict[str, tuple[Path, Story]]
    radio: str = "none"
    scene: Scene = Scene()
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def choose(self, story_id: str, *, hands_too: bool) -> None:
        """Send this traveller to the kiosk; whoever stood there leaves. Raises KeyError for an unknown story."""
        directory, story = self.stories[story_id]
        with self._lock:
            self._leave()
            self._stop = threading.Event()
            self.scene = Scene(traveller=story_id, plays_itself=hands_too)
            self._thread = threading.Thread(
                target=self._play, args=(directory, story, hands_too, self._stop), daemon=True, name="traveller"
            )
            self._thread.start()

    def clear(self) -> None:
        """Nobody stands at the kiosk, nothing lies on it, and its journey is taken back where it can be."""
        with self._lock:
            self._leave()
            self.scene = Scene()

    def _leave(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.bench.clear()
        self._turn_back()

    def _turn_back(self) -> None:
        """Touch Back until the kiosk welcomes again, so that the next traveller does not go on with this one's.

        Where there is no way back, an officer is asked for, as a traveller would who gives up.
        """
        screen = KioskScreen(self.kiosk_url)
        until = time.monotonic() + TURN_BACK_S
        with contextlib.suppress(requests.RequestException):
            while time.monotonic() < until:
                state = screen.state()
                if state["screen"] == "welcome":
                    break
                way = next((one for one in ("finish", "back", "ask_officer") if one in state["actions"]), None)
                if way is not None:
                    screen.act(way)
                time.sleep(0.1)

    def _play(self, directory: Path, story: Story, hands_too: bool, stop: threading.Event) -> None:
        screen = KioskScreen(self.kiosk_url)
        body = Body(self.bench, directory, story, self.radio)
        hands = Hands(screen, story)
        begun = False
        ended = ""
        while not stop.wait(WATCHABLE_PACE_S if hands_too else 0.1):
            try:
                state = screen.state()
                name = str(state["screen"])
                if begun and name == "welcome":
                    break
                begun = begun or name != "welcome"
                self.scene = _scene(story, state, hands_too)
                if story.behaviour.walks_away_at == name:
                    ended = "walked away; the kiosk waits, then forgets"
                    break
                if name == "result":
                    ended = _outcome(state)
                    self.bench.clear()
                    continue  # reading the result is left to the person
                body.follow(state)
                if hands_too:
                    hands.touch(screen.state())
            except StoryStuck as stuck:
                hands_too = False
                self.scene = Scene(traveller=story.id, trouble=str(stuck))
            except requests.RequestException:
                self.scene = Scene(traveller=story.id, trouble="The kiosk does not answer. We ask again.")
        self.bench.clear()
        if not stop.is_set():
            self.scene = Scene(last=story.id, ended=ended or "left before the end")


def _scene(story: Story, state: dict[str, Any], plays_itself: bool) -> Scene:
    name, prompt = str(state["screen"]), state.get("prompt")
    finished = name in ("result", "officer")
    return Scene(
        traveller=story.id,
        plays_itself=plays_itself,
        deed=DEEDS.get(str(prompt), ""),
        touch="" if plays_itself and not finished else TOUCHES.get(name, "") if not prompt else "",
        screen=name,
    )


def _outcome(state: dict[str, Any]) -> str:
    result = state.get("result") or {}
    if result.get("cleared"):
        return "was told: You can go"
    if result.get("desk"):
        return f"was told: Please go to desk {result['desk']}. Be the officer there"
    return "was told to see an officer"


def _in_order(stories: list[Story]) -> list[Story]:
    """Those who may pass come first: a newcomer begins with an ordinary traveller."""
    return sorted(stories, key=lambda story: story.expected is None or story.expected.channel is not Channel.GREEN)


def create_app(stage: Stage, addresses: tuple[Address, ...], assets_dir: Path) -> Flask:
    """The tray's own small application; loopback only, like everything of the demonstration."""
    app = Flask(__name__, static_folder=None)
    folders = [FileSystemLoader(TEMPLATES / name) for name in ("demo", "shared")]
    app.jinja_loader = ChoiceLoader(folders)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME="tray",
        SESSION_COOKIE_SAMESITE="Strict",
        TRUSTED_HOSTS=["127.0.0.1", "localhost"],
    )
    CSRFProtect(app)
    # The terminal keeps the addresses and passwords in sight; a line per request would push them out.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        lasting = request.endpoint in ("shared", "own", "assets", "page")
        response.headers["Cache-Control"] = "max-age=300" if lasting else "no-store"
        return response

    @app.get("/")
    def tray() -> str:
        stories = _in_order([story for _, story in stage.stories.values()])
        return render_template("tray.html", stories=stories, addresses=addresses, **_now())

    @app.get("/now")
    def now() -> Response:
        """The panel about the kiosk, for the page to put in place; its tag changes with its words."""
        answer = Response(render_template("now.html", addresses=addresses, **_now()))
        answer.add_etag()
        return answer

    def _now() -> dict[str, Any]:
        scene = stage.scene
        names = [name and stage.stories[name][1] for name in (scene.traveller, scene.last)]
        return {"scene": scene, "here": names[0], "last": names[1]}

    @app.post("/travellers/<story_id>")
    def send(story_id: str) -> BaseResponse:
        return _choose(story_id, hands_too=False)

    @app.post("/travellers/<story_id>/all")
    def play_all(story_id: str) -> BaseResponse:
        return _choose(story_id, hands_too=True)

    def _choose(story_id: str, *, hands_too: bool) -> BaseResponse:
        if story_id not in stage.stories:
            abort(404)
        stage.choose(story_id, hands_too=hands_too)
        return redirect(url_for("tray"), 303)

    @app.post("/clear")
    def clear() -> BaseResponse:
        stage.clear()
        return redirect(url_for("tray"), 303)

    @app.get("/pages/<story_id>")
    def page(story_id: str) -> Response:
        if story_id not in stage.stories:
            abort(404)
        directory, story = stage.stories[story_id]
        document = story.travellers[0].documents[0]
        return send_file(directory / (document.front or document.page))

    @app.get("/static/shared/<path:name>")
    def shared(name: str) -> Response:
        return send_from_directory(TEMPLATES / "shared/static", name)

    @app.get("/static/demo/<path:name>")
    def own(name: str) -> Response:
        return send_from_directory(TEMPLATES / "demo/static", name)

    @app.get("/assets/<path:name>")
    def assets(name: str) -> Response:
        return send_from_directory(assets_dir, name)

    return app
