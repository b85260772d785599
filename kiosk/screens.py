"""The traveller's screens: a `View` in, a page out, and the same words for the ear.

`add_screens` gives a Flask application the pages, their styles and scripts, the assets and the speech. It reads
`app.extensions["conductor"].view()` and never changes anything: every touch is a form posted to /action/<name>.
Pages work without script; kiosk.js makes them live.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    send_from_directory,
)
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from hardware.ports import DeviceError, Speaker
from kiosk.gallery import sample_views
from kiosk.messages import AUTONYMS, GREETINGS, PSEUDO, SOURCE, Catalogue, bold, countries, direction, placeholders
from kiosk.view import Allowance, Message, Screen, View
from kiosk.view import Result as ViewResult

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
PANELS = ("language", "notice", "list", "receipt")
SPOKEN_VALUE = re.compile(r"^[0-9]{1,3}$")
# Names of values that say nothing about a person, so that a sentence with them may be spoken and kept.
SPOKEN_VALUES = frozenset({"count", "number", "tries", "total", "people", "desk", "percent"})
CACHED_SPEECH = 2000  # sentences; the catalogue has a few hundred, each in a few languages
NEXT_SIZE: dict[int, Literal[100, 125, 150]] = {100: 125, 125: 150, 150: 100}
MOST_CARDS = 6  # of the goods page
MOST_NAMED = 4  # of what has no card, in words below the cards
# Any of these is declared, and one card says so for all of them.
NATURE = frozenset({"food_animal", "food_plant", "animals_plants"})
# Rows of the keyboard by its letters; the figures stand above them.
LETTERS = {
    "en": ("qwertyuiop-", "asdfghjkl.,", "zxcvbnm/'&"),
    "ru": ("йцукенгшщзх", "фывапролджэ", "ячсмитьбюъё"),
    "be": ("йцукенгшўзх", "фывапролджэ", "ячсмітьбюё’"),
}


class ShowsViews(Protocol):
    """What the screens need of the conductor."""

    def view(self) -> View: ...


@dataclass(frozen=True)
class Screens:
    """What the pages are made of; one per application."""

    catalogue: Catalogue
    assets_dir: Path
    speech_dir: Path
    speaker: Speaker | None
    rehearsal: bool


blueprint = Blueprint("screens", __name__)


def add_screens(
    app: Flask, *, assets_dir: Path, speech_dir: Path, speaker: Speaker | None, rehearsal: bool
) -> None:
    """Register the pages with `app`.

    `assets_dir` holds fonts and icons, `speech_dir` becomes the cache of spoken sentences. `rehearsal` adds the
    pseudo-language and the gallery; it is off in production. The template loader sees only kiosk and shared.
    """
    app.jinja_loader = FileSystemLoader([TEMPLATES / "kiosk", TEMPLATES / "shared"])
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.extensions["screens"] = Screens(
        Catalogue.load(pseudo=rehearsal), assets_dir.resolve(), speech_dir, speaker, rehearsal
    )
    app.register_blueprint(blueprint)


def _screens() -> Screens:
    return cast(Screens, current_app.extensions["screens"])


# -- pages ------------------------------------------------------------------------------------------------------


@blueprint.get("/")
def home() -> Any:
    return redirect("/screen")


@blueprint.get("/screen")
def screen() -> Response:
    conductor = cast(ShowsViews, current_app.extensions["conductor"])
    return page(conductor.view(), live=True)


@blueprint.get("/gallery/")
def gallery() -> Response:
    if not _screens().rehearsal:
        abort(404)
    names = list(sample_views())
    return _no_store(render_template("gallery.html", names=names, languages=_screens().catalogue.languages))


@blueprint.get("/gallery/<name>")
def gallery_page(name: str) -> Response:
    """One sample. Query: language, text_size, contrast, panel."""
    view = sample_views().get(name)
    if view is None or not _screens().rehearsal:
        abort(404)
    size = request.args.get("text_size", "100")
    return page(
        replace(
            view,
            language=request.args.get("language", SOURCE),
            text_size=NEXT_SIZE[{"125": 100, "150": 125}.get(size, 150)],
            contrast="high" if request.args.get("contrast") == "high" else "normal",
        ),
        live=False,
    )


@blueprint.get("/static/<audience>/<path:name>")
def static_file(audience: str, name: str) -> Response:
    if audience not in ("shared", "kiosk"):
        abort(404)
    return send_from_directory(TEMPLATES / audience / "static", name, max_age=300)


@blueprint.get("/assets/<path:name>")
def asset(name: str) -> Response:
    return send_from_directory(_screens().assets_dir, name, max_age=3600)


def page(view: View, *, live: bool) -> Response:
    """The page of one view. `live` connects it to /events; a sample of the gallery stays as it is."""
    screens = _screens()
    catalogue = screens.catalogue
    language = view.language if view.language in catalogue.languages else SOURCE
    panel = request.args.get("panel", "")

    def text(message_id: str, **values: object) -> Markup:
        return say(Message(message_id, {name: str(value) for name, value in values.items()}))

    def plain(message_id: str, **values: object) -> str:
        return _plain(catalogue.text(Message(message_id, {n: str(v) for n, v in values.items()}), language))

    def say(message: Message) -> Markup:
        pieces = bold(catalogue.text(message, language))
        return Markup("").join(
            Markup("<strong>{}</strong>").format(words) if leads else escape(words) for leads, words in pieces
        )

    return _no_store(
        render_template(
            f"{view.screen.value}.html",
            view=view,
            live=live,
            language=language,
            languages=catalogue.languages,
            names=AUTONYMS,
            greetings=GREETINGS,
            direction=direction(language),
            panel=panel if panel in PANELS else "",
            t=text,
            plain=plain,
            say=say,
            has=catalogue.has,
            amount=partial(_amount, catalogue, language),
            goods_page=goods_page,
            listed=partial(_listed, catalogue, language),
            countries=partial(countries, language),
            letters=_letters(language),
            next_size=NEXT_SIZE[view.text_size],
            now=datetime.now(ZoneInfo(view.timezone)),
            spoken=" ".join(spoken(view, catalogue, language)),
            receipt_code=partial(_receipt_code, view.result),
        )
    )


def _no_store(html: str) -> Response:
    response = Response(html, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def _plain(text: str) -> str:
    return "".join(words for _, words in bold(text))


def _letters(language: str) -> tuple[tuple[str, ...], ...]:
    """The rows of the keyboards, the traveller's own letters first; names in documents are Latin."""
    own = LETTERS.get(language)
    return (own, LETTERS[SOURCE]) if own is not None and own is not LETTERS[SOURCE] else (LETTERS[SOURCE],)


def _amount(catalogue: Catalogue, language: str, number: str | None, unit: str | None, form: str = "") -> str:
    return catalogue.amount(number or "0", unit or "pcs", language, form)


@dataclass(frozen=True)
class GoodsPage:
    """What the goods page shows: cards, some for several kinds alike; names below them; that there is more."""

    cards: tuple[tuple[Allowance, bool], ...]
    named: tuple[str, ...]
    more: bool


def goods_page(allowances: tuple[Allowance, ...]) -> GoodsPage:
    """The pack's kinds shared out between the cards and the words below them."""
    alike = [one for one in allowances if one.kind in NATURE and one.free is None]
    grouped = len(alike) > 1
    cards = [one for one in allowances if not grouped or one not in alike[1:]][:MOST_CARDS]
    shown = {one.kind for one in cards} | ({one.kind for one in alike} if alike and alike[0] in cards else set())
    rest = list(dict.fromkeys(one.kind for one in allowances if one.kind not in shown))
    return GoodsPage(
        cards=tuple((one, grouped and one in alike) for one in cards),
        named=tuple(rest[:MOST_NAMED]),
        more=len(rest) > MOST_NAMED,
    )


def _listed(catalogue: Catalogue, language: str, kinds: tuple[str, ...]) -> str:
    """Kinds as a list within a sentence."""
    names = [catalogue.text(Message(f"kind.{kind}"), language) for kind in kinds]
    return ", ".join(name[:1].lower() + name[1:] for name in names)


def _receipt_code(result: ViewResult | None) -> Markup:
    """The receipt's token as a QR code: an SVG that takes its colours from the page."""
    import segno

    if result is None or not result.receipt_token:
        return Markup("")
    code = segno.make(result.receipt_token, error="m", micro=False)
    size = code.symbol_size(border=4)[0]
    path = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(code.matrix_iter(border=4))
        for x, dark in enumerate(row)
        if dark
    )
    return Markup('<svg class="code" viewBox="0 0 {0} {0}" aria-hidden="true"><path d="{1}"/></svg>').format(
        size, path
    )


# -- speech -----------------------------------------------------------------------------------------------------


def spoken(view: View, catalogue: Catalogue, language: str) -> list[str]:
    """The addresses of the sentences that Listen plays, in order: what is asked, then what is seen."""
    if view.seconds_left is not None and view.screen is not Screen.RESULT:
        messages = [Message("timeout.speech")]
    else:
        messages = [Message(name) for name in view.speech] or _default_speech(view)
        messages += [message for message in (view.error, view.hint) if message]
        if view.panel:
            messages.append(view.panel.instruction)
    addresses = []
    for message in messages:
        if catalogue.has(message.id) and _speakable(catalogue, message):
            query = f"?{urlencode(sorted(message.values.items()))}" if message.values else ""
            addresses.append(f"/speech/{language}/{message.id}.wav{query}")
    return addresses


def _default_speech(view: View) -> list[Message]:
    name = view.screen.value
    if view.screen is Screen.WELCOME:
        return [Message("welcome.title"), Message("welcome.touch")]
    if view.screen is Screen.OUT_OF_SERVICE:
        return [Message("out.title"), Message("out.lead")]
    if view.screen is Screen.DETAILS:
        return [Message("details.choose.title"), Message("details.choose.lead")]
    if view.about is not None:
        return [Message(f"about.{view.about.fact}.title"), Message("about.lead"), Message("about.officer")]
    if view.writing is not None:
        title, lead = (Message(f"writing.{view.writing.question}.{part}") for part in ("title", "lead"))
        return [title, lead, Message("writing.later")]
    if view.screen is Screen.REVIEW:
        return [Message("review.title"), Message("review.true"), Message("review.liability")]
    if view.screen is Screen.RESULT and view.result:
        return _result_speech(view.result)
    if view.side == "front":
        return [Message("document.front.title"), Message("document.front.lead")]
    return [Message(f"{name}.title"), Message(f"{name}.lead")]


def _result_speech(result: ViewResult) -> list[Message]:
    if result.cleared:
        return [Message("result.green.title"), Message("result.green.lead")]
    if result.desk is None:
        return [Message("result.anydesk.title"), Message("result.anydesk.lead")]
    return [Message("result.desk.title", {"desk": result.desk}), Message("result.desk.lead")]


def _speakable(catalogue: Catalogue, message: Message) -> bool:
    """Only sentences whose values are small numbers: nothing about a person is spoken or kept."""
    wanted = placeholders(catalogue.entry(message.id, SOURCE).forms[0])
    return wanted == message.values.keys() <= SPOKEN_VALUES and all(
        SPOKEN_VALUE.match(value) for value in message.values.values()
    )


@blueprint.get("/speech/<language>/<message_id>.wav")
def speech(language: str, message_id: str) -> Response:
    """One sentence of the catalogue as RIFF WAVE. 404 for what may not be spoken, 503 where there is no voice."""
    screens = _screens()
    message = Message(message_id, {name: value for name, value in request.args.items() if name != "v"})
    known = language in screens.catalogue.languages and screens.catalogue.has(message_id)
    if not known or not _speakable(screens.catalogue, message):
        abort(404)
    sentence = screens.catalogue.speech(message, language)
    voice = SOURCE if language == PSEUDO else language
    cached = screens.speech_dir / f"{hashlib.sha256(f'{voice} {sentence}'.encode()).hexdigest()[:32]}.wav"
    try:
        wave = cached.read_bytes()
    except OSError:
        if screens.speaker is None:
            abort(503)
        try:
            wave = screens.speaker.synthesise(sentence, voice)
        except DeviceError:
            abort(503)
        _keep(cached, wave)
    response = Response(wave, mimetype="audio/wav")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _keep(path: Path, wave: bytes) -> None:
    """Put a sentence into the cache, whole or not at all; a full or read-only cache only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in path.parent.iterdir()) >= CACHED_SPEECH:
            return
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as stream:
            stream.write(wave)
        Path(stream.name).replace(path)
    except OSError:
        return
