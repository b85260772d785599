"""The tray: the page from which a person hands a fictional traveller to the kiosk.

A chosen traveller's body follows the kiosk's instructions (lays the passport down, looks at the camera, turns the
head, puts the bag on the scale); the person in front of the browser touches the kiosk's screen. "Play it all" is
for those who want to watch.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests
from flask import (
    Flask,
    Response,
    abort,
    jsonify,
    redirect,
    render_template,
    send_file,
    send_from_directory,
    url_for,
)
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from demo.puppet import Bench, Body, Hands, KioskScreen
from hardware.specimens.story import Story

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"


@dataclass(frozen=True)
class Address:
    """A place to click, with what one needs to get in."""

    name: str
    url: str
    hint: str = ""


@dataclass
class Stage:
    """Who stands at the kiosk now. One thread plays; the web page only chooses."""

    kiosk_url: str
    bench: Bench
    stories: dict[str, tuple[Path, Story]]
    radio: str = "none"
    chosen: str | None = None
    hands_too: bool = False
    screen: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def choose(self, story_id: str, *, hands_too: bool) -> None:
        """Send this traveller to the kiosk; whoever stood there leaves. Raises KeyError for an unknown story."""
        directory, story = self.stories[story_id]
        with self._lock:
            self._leave()
            self._stop = threading.Event()
            self.chosen, self.hands_too = story_id, hands_too
            self._thread = threading.Thread(
                target=self._play, args=(directory, story, hands_too, self._stop), daemon=True, name="traveller"
            )
            self._thread.start()

    def clear(self) -> None:
        """Nobody stands at the kiosk, and nothing lies on it."""
        with self._lock:
            self._leave()
            self.chosen = None

    def _leave(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.bench.clear()

    def _play(self, directory: Path, story: Story, hands_too: bool, stop: threading.Event) -> None:
        screen = KioskScreen(self.kiosk_url)
        body = Body(self.bench, directory, story, self.radio)
        hands = Hands(screen, story)
        while not stop.wait(0.1):
            try:
                state = screen.state()
                self.screen = str(state["screen"])
                body.follow(state)
                if hands_too and self.screen != "result":
                    time.sleep(0.9)  # a pace that a person can watch
                    hands.touch(screen.state())
            except requests.RequestException:
                self.screen = ""
            if self.screen == "result":
                self.bench.take("document")
                self.bench.take("face")
                hands_too = False


def create_app(stage: Stage, addresses: tuple[Address, ...], assets_dir: Path) -> Flask:
    """The tray's own small application; loopback only, like everything of the demonstration."""
    app = Flask(__name__, template_folder=str(TEMPLATES / "demo"), static_folder=None)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32), SESSION_COOKIE_NAME="tray", SESSION_COOKIE_SAMESITE="Strict"
    )
    CSRFProtect(app)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def tray() -> str:
        return render_template(
            "tray.html", stories=[story for _, story in stage.stories.values()], stage=stage, addresses=addresses
        )

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
        return redirect(url_for("tray") + f"#{story_id}", 303)

    @app.post("/clear")
    def clear() -> BaseResponse:
        stage.clear()
        return redirect(url_for("tray"), 303)

    @app.get("/now")
    def now() -> Response:
        return jsonify(traveller=stage.chosen, screen=stage.screen)

    @app.get("/pages/<story_id>")
    def page(story_id: str) -> Response:
        if story_id not in stage.stories:
            abort(404)
        directory, story = stage.stories[story_id]
        return send_file(directory / story.travellers[0].documents[0].page)

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
