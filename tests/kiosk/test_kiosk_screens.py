"""Every view in every language becomes a page; nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFProtect

import kiosk.screens
from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.ports import DeviceError, Health
from kiosk.gallery import sample_views
from kiosk.messages import Catalogue
from kiosk.screens import SPOKEN_VALUES, TEMPLATES, add_screens, spoken
from kiosk.view import Message, Result, Screen, View

VIEWS = sample_views()
LANGUAGES = ("be", "ru", "en", "ar-XB")
PANELS = ("", "language", "notice", "list", "receipt")
VOID = {"meta", "link", "input", "img", "br", "hr"}


class Voice:
    """A speaker that says each sentence as bytes, and counts; silent in one language, as a real one may be."""

    name = "voice"
    simulated = True

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def synthesise(self, text: str, language: str) -> bytes:
        if language == "be":
            raise DeviceError(ErrorCode.DEVICE_FAILED, "no voice for be")
        self.said.append((text, language))
        return b"RIFF" + text.encode()

    def health(self) -> Health:
        return Health(DeviceState.WORKING)

    def close(self) -> None:
        return


class Shows:
    """Stands where the conductor stands: it only has a view."""

    def __init__(self, view: View) -> None:
        self.shown = view

    def view(self) -> View:
        return self.shown


class Outline(HTMLParser):
    """Whether tags close in order, what can be posted, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.actions: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.icons: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._note(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, dict(attrs))

    def _note(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.attributes |= set(attributes)
        if found := attributes.get("id"):
            self.ids.append(found)
        if tag == "form" and attributes.get("method") == "post":
            self.actions.add((attributes.get("action") or "").removeprefix("/action/"))
        if tag == "use":
            self.icons.add((attributes.get("href") or "").removeprefix("/assets/icons.svg#"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def voice() -> Voice:
    return Voice()


@pytest.fixture
def app(tmp_path: Path, voice: Voice) -> Flask:
    return kiosk_application(tmp_path, voice, rehearsal=True)


def kiosk_application(tmp_path: Path, voice: Voice | None, *, rehearsal: bool) -> Flask:
    application = Flask("screens_under_test", static_folder=None)
    application.secret_key = "only for the token of the test"
    CSRFProtect(application)
    assets = tmp_path / "assets"
    assets.mkdir(exist_ok=True)
    (assets / "icons.svg").write_text("<svg/>")
    add_screens(application, assets_dir=assets, speech_dir=tmp_path / "speech", speaker=voice, rehearsal=rehearsal)
    return application


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """One application for all tests that only look at samples."""
    with kiosk_application(tmp_path_factory.mktemp("gallery"), None, rehearsal=True).test_client() as client:
        yield client


def outline(html: str) -> Outline:
    parsed = Outline()
    parsed.feed(html)
    parsed.close()
    assert not parsed.open
    return parsed


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_becomes_a_sound_page(gallery: FlaskClient, name: str, language: str) -> None:
    for panel in PANELS if language == "en" else ("",):
        answer = gallery.get(f"/gallery/{name}?language={language}&panel={panel}")
        assert answer.status_code == 200
        page = outline(answer.text)
        assert len(page.ids) == len(set(page.ids)), "ids are unique"
        assert not {"style", "onclick", "onload"} & page.attributes, "the policy forbids inline style and script"
        assert "{" not in "".join(page.words), "no value was left open"
        # language and settings are always there; nothing can be posted that the journey would refuse
        assert page.actions <= {*VIEWS[name].actions, "recount"}
        assert {"text_size", "contrast"} <= page.actions


@pytest.mark.parametrize("name", VIEWS)
def test_every_action_of_a_view_can_be_reached(gallery: FlaskClient, name: str) -> None:
    view = VIEWS[name]
    pages = "".join(gallery.get(f"/gallery/{name}?panel={panel}").text for panel in PANELS)
    reachable = set(re.findall(r'"/action/([a-z_]+)"', pages)) | {"amounts", "goods", "recount", "retry"}
    silent = {"more_time"} if view.screen is Screen.RESULT else set()  # there a touch anywhere posts it
    assert set(view.actions) - silent <= reachable
    if "retry" in view.actions and view.error:
        assert "/action/retry" in pages


def test_a_page_shows_only_what_its_view_holds() -> None:
    """No allowance lives in a template: figures appear only through the view."""
    for path in (TEMPLATES / "kiosk").glob("*.html"):
        if path.name not in ("pictures.html", "gallery.html"):
            text = re.sub(r"\{[%#{].*?[%#}]\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            words = re.sub(r"<[^>]*>", " ", text)
            assert not re.search(r"\d{2,}", words), path.name


def test_all_icons_are_in_the_sprites_list(gallery: FlaskClient) -> None:
    listed = {line.strip() for line in (TEMPLATES.parent / "web/icons.txt").read_text().splitlines()}
    used: set[str] = set()
    for name in VIEWS:
        for panel in PANELS:
            used |= outline(gallery.get(f"/gallery/{name}?panel={panel}").text).icons
    assert used and used <= listed


def test_the_screen_follows_the_conductor_and_is_never_stored(app: Flask, client: FlaskClient) -> None:
    app.extensions["conductor"] = Shows(replace(VIEWS["review"], language="be", revision=41))
    answer = client.get("/screen")
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'lang="be"' in answer.text and 'data-revision="41"' in answer.text and "Anna Maria" in answer.text
    assert client.get("/").headers["Location"] == "/screen"
    app.extensions["conductor"] = Shows(replace(VIEWS["result-green"], language="xx"))
    assert "You can go" in client.get("/screen").text, "an unknown language is told in English"


def test_both_results_have_the_same_composition(gallery: FlaskClient) -> None:
    def bones(name: str) -> list[str]:
        return re.findall(
            r'class="((?:result|takes|answers|actions|clears)[a-z-]*)', gallery.get(f"/gallery/{name}").text
        )

    green, desk = bones("result-green"), bones("result-desk")
    assert len(green) > 8
    strip = ("result-disc", "result-tick")
    assert [part for part in green if part not in strip] == [part for part in desk if part not in strip]


def test_a_result_tells_no_name_and_no_reason(gallery: FlaskClient) -> None:
    for name in ("result-green", "result-desk", "result-offline", "officer"):
        text = gallery.get(f"/gallery/{name}").text
        assert "Eriksson" not in text and "referral" not in text and "reason" not in text


def test_the_receipt_is_a_code_in_the_page(gallery: FlaskClient) -> None:
    with_code = gallery.get("/gallery/result-green?panel=receipt").text
    assert '<svg class="code"' in with_code and "sample.receipt.token" not in with_code
    assert '<svg class="code"' not in gallery.get("/gallery/result-offline?panel=receipt").text


def test_hostile_values_stay_words(app: Flask, client: FlaskClient) -> None:
    review = VIEWS["review"]
    hostile = replace(review.travellers[0], name="<script>alert(1)</script>**x**")
    view = replace(review, travellers=(hostile,), flight='"><img src=x>', site="<b>")
    app.extensions["conductor"] = Shows(view)
    text = client.get("/screen").text
    assert "<script>alert" not in text and "<img src=x" not in text and "<b>" not in text
    desk = Result(False, "<i>4", 3, "<u>7", "t", printed=False)
    app.extensions["conductor"] = Shows(replace(VIEWS["result-desk"], result=desk))
    assert "<i>4" not in client.get("/screen").text and "<u>7" not in client.get("/screen?panel=receipt").text


def test_the_gallery_and_the_rehearsal_language_are_closed_in_production(tmp_path: Path) -> None:
    closed = kiosk_application(tmp_path, None, rehearsal=False)
    closed.extensions["conductor"] = Shows(replace(VIEWS["welcome"], language="ar-XB"))
    with closed.test_client() as client:
        assert client.get("/gallery/").status_code == 404
        assert client.get("/gallery/welcome").status_code == 404
        page = client.get("/screen").text
        assert "ar-XB" not in page and 'dir="ltr"' in page


def test_only_kiosk_and_shared_files_are_served(client: FlaskClient) -> None:
    for address in ("/static/kiosk/kiosk.js", "/static/shared/tokens.css", "/assets/icons.svg"):
        with client.get(address, buffered=True) as answer:
            assert answer.status_code == 200
    for address in ("/static/officer/console.css", "/static/kiosk/../base.html", "/assets/../speech/x.wav"):
        assert client.get(address).status_code == 404


def test_a_sentence_is_spoken_once_and_then_kept(client: FlaskClient, voice: Voice, tmp_path: Path) -> None:
    first = client.get("/speech/ru/document.title.wav")
    second = client.get("/speech/ru/document.title.wav")
    assert first.mimetype == "audio/wav" and first.data == second.data and first.data.startswith(b"RIFF")
    assert voice.said == [("Положите паспорт на стекло", "ru")]
    assert [path.suffix for path in (tmp_path / "speech").iterdir()] == [".wav"]
    assert client.get("/speech/ar-XB/face.title.wav").data == b"RIFFLook at the camera"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/speech/be/document.title.wav", 503),  # no voice for it
        ("/speech/xx/document.title.wav", 404),
        ("/speech/en/no.such.sentence.wav", 404),
        ("/speech/en/review.document.wav?issuer=UTO&last=6409", 404),  # about a person
        ("/speech/en/review.flight.wav?flight=XX204", 404),
        ("/speech/en/result.desk.title.wav?desk=4", 200),
        ("/speech/en/result.desk.title.wav", 404),
        ("/speech/en/result.desk.title.wav?desk=4&name=Anna", 404),
        ("/speech/en/result.desk.title.wav?desk=Anna", 404),
        ("/speech/en/timeout.speech.wav", 200),
    ],
)
def test_only_sentences_that_say_nothing_about_a_person_are_spoken(
    client: FlaskClient, address: str, status: int
) -> None:
    assert client.get(address).status_code == status


@pytest.mark.parametrize("language", ("en", "ru", "ar-XB"))
def test_listen_has_words_for_every_view(client: FlaskClient, language: str) -> None:
    catalogue = Catalogue.load()
    for name, view in VIEWS.items():
        addresses = spoken(view, catalogue, language)
        assert addresses, name
        assert all(client.get(address).status_code == 200 for address in addresses), name
    warned = spoken(VIEWS["document-time"], catalogue, "en")
    assert warned == ["/speech/en/timeout.speech.wav"], "the time-out is spoken alone"


def test_no_spoken_value_can_hold_a_name() -> None:
    catalogue = Catalogue.load()
    view = replace(VIEWS["document"], hint=Message("review.item", {"kind": "alcohol", "amount": "5", "unit": "l"}))
    assert not any("review.item" in address for address in spoken(view, catalogue, "en"))
    assert {"last", "issuer", "flight", "weight", "amount"}.isdisjoint(SPOKEN_VALUES)


def test_a_full_or_missing_cache_costs_only_time(
    app: Flask, client: FlaskClient, voice: Voice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk.screens, "CACHED_SPEECH", 0)
    for _ in range(2):
        assert client.get("/speech/en/face.title.wav").status_code == 200
    assert len(voice.said) == 2
    (tmp_path / "speech").rmdir()
    (tmp_path / "speech").write_text("a file where the cache should be")
    assert client.get("/speech/en/face.lead.wav").status_code == 200
