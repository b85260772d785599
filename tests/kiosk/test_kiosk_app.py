"""The web application: what a browser may ask, and what it may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from contracts.declaration import DeclaredChannel
from contracts.party import DocumentFormat, TravelDocument
from kiosk.app import make_app
from kiosk.assembly import assemble
from kiosk.conductor import Conductor
from kiosk.config import KioskConfig, load_config
from kiosk.journey import PersonState, State
from kiosk.keys import create_keys
from kiosk.view import Screen

TEXT = """
profile = "test"
site_id = "msq"
site_name = "Minsk Airport"
kiosk_id = "K-01"
data_dir = "data"
central_url = "http://127.0.0.1:9"
signing_key_file = "signing.pem"
outbox_key_file = "outbox.key"
trust_dir = "trust"
[devices]
speaker = "null:"
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> KioskConfig:
    directory = tmp_path_factory.mktemp("kiosk")
    create_keys(directory, demonstration=True)
    (directory / "trust").mkdir()
    (directory / "kiosk.toml").write_text(TEXT)
    return load_config(directory / "kiosk.toml")


@pytest.fixture
def conductor(config: KioskConfig) -> Iterator[Conductor]:
    """Not started: no device thread runs, so that a test sees the effect of its own touches only."""
    conductor = assemble(config)
    yield conductor
    conductor.close()


@pytest.fixture
def app(config: KioskConfig, conductor: Conductor) -> Flask:
    return make_app(config, conductor)


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def act(browser: FlaskClient, name: str, /, **fields: Any) -> Any:
    token = browser.get("/state").get_json()["csrf_token"]
    headers = {"X-CSRFToken": token, "Accept": "application/json"}
    return browser.post(f"/action/{name}", data=fields, headers=headers)


def test_a_touch_moves_the_journey_and_the_revision(browser: FlaskClient) -> None:
    before = browser.get("/state").get_json()
    assert before["screen"] == "welcome"
    answer = act(browser, "start", language="ru")
    assert answer.status_code == 200
    after = browser.get("/state").get_json()
    assert (after["screen"], after["language"]) == ("notice", "ru")
    assert after["revision"] == answer.get_json()["revision"] > before["revision"]


def test_a_form_of_a_page_comes_back_to_the_screen(browser: FlaskClient) -> None:
    token = browser.get("/state").get_json()["csrf_token"]
    answer = browser.post("/action/start", data={"csrf_token": token}, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.location) == (303, "/screen")


def test_without_the_token_nothing_is_taken(browser: FlaskClient) -> None:
    answer = browser.post("/action/start", headers={"Accept": "application/json"})
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "NOT_ALLOWED"
    assert browser.get("/state").get_json()["screen"] == "welcome"


def test_refusals_tell_what_and_where(browser: FlaskClient) -> None:
    late = act(browser, "sign")
    assert (late.status_code, late.get_json()["code"]) == (409, "NOT_ALLOWED")
    assert act(browser, "no_such_action").status_code == 409
    wrong = act(browser, "language", code="xx")
    assert (wrong.status_code, wrong.get_json()["code"], wrong.get_json()["place"]) == (
        422,
        "RECORD_INVALID",
        "code",
    )
    assert browser.get("/state").get_json()["error"]["id"] == "error.choose_one"
    assert act(browser, "language", code="be").status_code == 200
    assert browser.get("/state").get_json()["error"] is None


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8080"])
def test_another_name_for_this_kiosk_is_refused(browser: FlaskClient, host: str) -> None:
    assert browser.get("/state", headers={"Host": host}).status_code == 400
    assert browser.get("/state", headers={"Host": "localhost:8080"}).status_code == 200


@pytest.mark.parametrize("path", ["/state", "/screen", "/nothing", "/preview/face.mjpeg", "/action/start"])
def test_every_answer_is_hardened(browser: FlaskClient, path: str) -> None:
    headers = browser.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_only_listed_views_answer(app: Flask) -> None:
    app.add_url_rule("/debug", "debug", lambda: "everything", methods=["GET"])
    assert app.test_client().get("/debug").status_code == 404


def test_too_much_is_refused(browser: FlaskClient) -> None:
    assert act(browser, "start", language="x" * 300_000).status_code == 413


def test_a_preview_is_empty_when_its_step_is_not_on(browser: FlaskClient) -> None:
    assert browser.get("/preview/face.mjpeg").data == b""
    assert browser.get("/preview/receipts.mjpeg").status_code == 404


def test_the_state_holds_no_names(browser: FlaskClient) -> None:
    state = browser.get("/state").get_json()
    assert "review" not in state
    assert "travellers" not in state


def test_the_law_decides_what_is_asked_next_and_what_was_written_stays_off_the_state(
    browser: FlaskClient, conductor: Conductor
) -> None:
    """The whole way of an answer: posted, judged by the law of the session, shown."""
    began = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    adult = TravelDocument(format=DocumentFormat.TD3, birth_date=date(1980, 5, 5))
    person = PersonState("p1", identity=adult, kinds=("instrument",), declared=DeclaredChannel.RED)
    state = State(screen=Screen.DETAILS, record_id="r1", started_at=began, touched_at=began, persons=(person,))
    conductor._state = state  # the cameras before it are another test's
    act(browser, "amounts", **{"amount-instrument": "5", "currency-instrument": "EUR"})
    assert browser.get("/state").json["screen"] == "money"  # type: ignore[index]
    act(browser, "money", origin="03", use="02", owner="own")
    act(browser, "writing", name="A certain bill")
    act(browser, "back")
    shown = browser.get("/state")
    assert shown.json["screen"] == "writing"  # type: ignore[index]
    assert "A certain bill" not in shown.text and "A certain bill" in browser.get("/screen").text


def test_without_devices_the_traveller_meets_a_person_and_the_record_waits(
    browser: FlaskClient, conductor: Conductor, config: KioskConfig
) -> None:
    act(browser, "start")
    assert act(browser, "ask_officer").status_code == 200
    revision = 0
    while browser.get("/state").get_json()["screen"] != "result":
        revision = conductor.wait_for_change(revision, 10)
    result = browser.get("/state").get_json()["result"]
    assert result["offline"]
    assert not result["cleared"]
    assert conductor.outbox_waiting >= 1
    assert act(browser, "finish").status_code == 200
    assert browser.get("/state").get_json()["screen"] == "welcome"
