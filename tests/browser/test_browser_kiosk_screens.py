"""The screens as a browser shows them: axe, and the house's own measures, which axe does not know.

One browser, one page, every sample. Lengths are design pixels of a 1080 x 1920 screen.
"""

from __future__ import annotations

import logging
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.serving import make_server

from hardware.speaker.espeak import open_speaker
from kiosk.gallery import sample_views
from kiosk.screens import add_screens
from kiosk.view import View

pytestmark = pytest.mark.browser
VIEWS = sample_views()
ASSETS = Path(sys.prefix) / "share/corridor/web"
PANELLED = (("welcome", "language"), ("document", "notice"), ("goods", "list"), ("result-green", "receipt"))
# Language, text size, contrast. Each language once as it is; the extremes with the longest words.
STATES = (
    ("en", 100, "normal"),
    ("ru", 100, "normal"),
    ("be", 100, "high"),
    ("ar-XB", 100, "normal"),
    ("ru", 150, "normal"),
    ("ar-XB", 150, "high"),
)
# Lists whose continuation is cut in sight; nothing else of the journey needs scrolling at normal size.
LONG = {"details-choose-many", "details-several", "goods-adult-2", "document#notice"}

# What is measured on each page, in one go.
MEASURE = """() => {
  const page = document.getElementById('page');
  const shown = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: false});
  const dialog = document.querySelector('[role=alertdialog]');
  const within = dialog || document;
  const main = document.getElementById('main');
  const window_ = main.getBoundingClientRect();
  const touched = 'a[href], button, select, summary, input:not([type=hidden])';
  const targets = [...within.querySelectorAll(touched)].filter(shown);
  const boxes = targets.map((e) => {
    // a choice is touched anywhere on its card
    const box = (e.closest('label.choice') || e).getBoundingClientRect();
    return {name: e.id || e.name || e.textContent.trim(), x: box.left, y: box.top, w: box.width, h: box.height,
            inMain: main.contains(e)};
  });
  const small = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.nodeValue.trim() || !shown(element) || element.closest('.visually-hidden')) continue;
    if (element.matches('option')) continue;
    const size = parseFloat(getComputedStyle(element).fontSize);
    if (size < 31.9) small.push([element.textContent.trim(), size]);
  }
  const wide = [...document.querySelectorAll('#page *')].filter((e) => {
    if (!shown(e) || e.closest('svg, .visually-hidden, .welcome-hero, .result-hero')) return false;
    const box = e.getBoundingClientRect();
    return box.width > 0 && (box.left < -1 || box.right > 1081);
  }).map((e) => e.className || e.tagName);
  const holders = '.button, .tile, .chip, .bar-button, .station-name, .condition, .card, .choice-words';
  const cut = [...document.querySelectorAll(holders)]
    .filter((e) => shown(e) && e.scrollWidth > e.clientWidth + 2)
    .map((e) => e.className + ': ' + e.textContent.trim());
  return {boxes, small, wide, cut, main: [window_.top, window_.bottom], dir: document.documentElement.dir,
          scrolls: main.scrollHeight - main.clientHeight,
          fonts: [...document.fonts].filter((f) => f.status === 'error').length};
}"""


class Stage:
    """A view that can change, its revisions as a stream, and what was posted."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.shown = VIEWS["document-place"]
        self.posted: list[tuple[str, dict[str, str]]] = []
        self.closed = False

    def view(self) -> View:
        return self.shown

    def show(self, view: View) -> None:
        with self.changed:
            self.shown = replace(view, revision=self.shown.revision + 1)
            self.changed.notify_all()

    def revisions(self) -> Iterator[str]:
        told = None
        while not self.closed:
            if told != self.shown.revision:
                told = self.shown.revision
                yield f"data: {told}\n\n"
            with self.changed:
                self.changed.wait(timeout=0.2)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, stage: Stage) -> Iterator[str]:
    """The gallery on loopback, under the kiosk's own content policy."""
    app = Flask("gallery_under_test", static_folder=None)
    app.secret_key = "only for the token of the test"
    CSRFProtect(app)
    add_screens(
        app,
        assets_dir=ASSETS,
        speech_dir=tmp_path_factory.mktemp("speech"),
        speaker=open_speaker("espeak:"),
        rehearsal=True,
    )

    app.extensions["conductor"] = stage

    @app.get("/events")
    def events() -> Response:
        return Response(stage.revisions(), mimetype="text/event-stream")

    @app.post("/action/<name>")
    def action(name: str) -> Response:
        stage.posted.append((name, {key: value for key, value in request.form.items() if key != "csrf_token"}))
        return jsonify(revision=stage.shown.revision)

    @app.after_request
    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    stage.closed = True
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def page(site: str) -> Iterator[Any]:
    """One page of one browser; it fails the test at the end for any complaint of the console."""
    from playwright.sync_api import sync_playwright

    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        shown = browser.new_page(viewport={"width": 1080, "height": 1920}, reduced_motion="reduce")
        shown.on(
            "console",
            lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        yield shown
        browser.close()
    assert complaints == []


def show(page: Any, site: str, name: str, language: str = "en", size: int = 100, contrast: str = "normal") -> None:
    name, _, panel = name.partition("#")
    page.goto(f"{site}/gallery/{name}?language={language}&text_size={size}&contrast={contrast}&panel={panel}")
    page.evaluate("document.fonts.ready.then(() => true)")


def all_names() -> list[str]:
    return [*VIEWS, *(f"{name}#{panel}" for name, panel in PANELLED)]


@pytest.mark.parametrize(("language", "size", "contrast"), STATES)
def test_every_screen_keeps_the_house_measures(
    page: Any, site: str, language: str, size: int, contrast: str
) -> None:
    wrong: list[str] = []
    for name in all_names():
        show(page, site, name, language, size, contrast)
        found = page.evaluate(MEASURE)
        wrong += [f"{name}: {problem}" for problem in measured(found, size)]
        if found["dir"] != ("rtl" if language == "ar-XB" else "ltr"):
            wrong.append(f"{name}: dir {found['dir']}")
        if size == 100 and language != "ar-XB" and name not in LONG and found["scrolls"] > 2:
            wrong.append(f"{name}: {found['scrolls']} pixels have to be scrolled to")
    assert not wrong, "\n".join(map(str, wrong))


def measured(found: dict[str, Any], size: int) -> list[str]:
    """What breaks the measures: targets of 72 and more with 16 between, below 640; words of 32 and more."""
    wrong = [f"small words {words}" for words in found["small"]]
    wrong += [f"outside the page: {wide}" for wide in found["wide"]]
    wrong += [f"cut: {cut}" for cut in found["cut"]]
    wrong += ["a font did not load"] if found["fonts"] else []
    top, bottom = found["main"]
    boxes = found["boxes"]
    for box in boxes:
        if min(box["w"], box["h"]) < 72:
            wrong.append(f"small target {box}")
        if size == 100 and box["y"] < 640:
            wrong.append(f"too high to touch {box}")
        if not box["inMain"] and box["y"] + box["h"] > 1921:
            wrong.append(f"below the screen {box}")
    # What the page scrolls out of sight is no neighbour of what stays.
    seen = [
        box for box in boxes if not box["inMain"] or (box["y"] >= top - 1 and box["y"] + box["h"] <= bottom + 1)
    ]
    for index, one in enumerate(seen):
        for other in seen[index + 1 :]:
            across = max(one["x"], other["x"]) - min(one["x"] + one["w"], other["x"] + other["w"])
            along = max(one["y"], other["y"]) - min(one["y"] + one["h"], other["y"] + other["h"])
            if one["w"] and other["w"] and max(across, along) < 15.5:
                wrong.append(f"too close: {one['name']} and {other['name']} ({max(across, along):.0f})")
    return wrong


@pytest.mark.parametrize(("language", "size", "contrast"), (STATES[0], STATES[2], STATES[3], STATES[4]))
def test_axe_finds_nothing(page: Any, site: str, language: str, size: int, contrast: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    wrong = []
    for name in all_names():
        show(page, site, name, language, size, contrast)
        for violation in Axe().run(page).response["violations"]:
            wrong.append((name, violation["id"], [node["html"][:120] for node in violation["nodes"][:2]]))
    assert not wrong, "\n".join(map(str, wrong))


def test_keys_reach_every_control_and_focus_is_seen(page: Any, site: str) -> None:
    asked = ("about-resident", "shares", "writing-route")
    for name in ("welcome", "goods", "details", *asked, "bag", "review", "result-green", "document-time"):
        show(page, site, name)
        wanted = page.evaluate(MEASURE)["boxes"]
        reached = set()
        for _ in range(len(wanted) + 2):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e.closest('.choice') || e);
                   return {name: e.id || e.name || e.textContent.trim(), ring: parseFloat(s.outlineWidth),
                           shadow: s.boxShadow, body: e === document.body}; }"""
            )
            if not focused["body"]:
                reached.add(focused["name"])
                assert focused["ring"] >= 4 and "8px" in focused["shadow"], (name, focused)
        off = page.evaluate(
            "[...document.querySelectorAll(':disabled')].map(e => e.id || e.name || e.textContent)"
        )
        stops = {box["name"] for box in wanted} - set(off)
        assert stops <= reached, (name, stops - reached)


def test_no_legal_answer_has_focus_or_is_chosen_at_the_start(page: Any, site: str) -> None:
    show(page, site, "goods")
    assert page.evaluate("document.activeElement === document.body")
    one, other = page.locator(".button--legal").all()
    first, second = one.bounding_box(), other.bounding_box()
    assert (first["width"], first["height"]) == (second["width"], second["height"])
    colours = page.locator(".button--legal").evaluate_all(
        "all => all.map(e => getComputedStyle(e).backgroundColor)"
    )
    assert colours[0] == colours[1]


def test_right_to_left_mirrors_order_and_arrows_but_not_pictures(page: Any, site: str) -> None:
    places = {}
    for language in ("en", "ar-XB"):
        show(page, site, "details-cash", language)
        places[language] = {
            name: page.locator(selector).first.bounding_box()["x"]
            for name, selector in {
                "back": "#do-back",
                "on": "#do-amounts",
                "officer": "#do-ask_officer",
                "listen": "#bar-listen",
                "one": "[data-key='1']",
                "three": "[data-key='3']",
            }.items()
        }
    assert places["en"]["back"] < places["en"]["on"] and places["en"]["officer"] < places["en"]["listen"]
    assert (
        places["ar-XB"]["back"] > places["ar-XB"]["on"] and places["ar-XB"]["officer"] > places["ar-XB"]["listen"]
    )
    assert places["ar-XB"]["one"] < places["ar-XB"]["three"], "number keys keep their order"
    arrow = page.locator("#do-back .icon--direction").evaluate("e => getComputedStyle(e).transform")
    assert arrow.startswith("matrix(-1")


def test_counting_bottles_fills_the_amount(page: Any, site: str) -> None:
    show(page, site, "details-cigarettes")
    more = page.locator("[data-row=packet] [data-more]")
    more.click()
    more.click()
    page.locator("[data-row=single] [data-more]").click()
    assert page.locator("#amount-cigarettes").input_value() == "41"
    less = page.locator("[data-row=single] [data-less]")
    less.click()
    assert less.is_disabled() and page.locator("#amount-cigarettes").input_value() == "40"
    show(page, site, "details-cash")
    page.locator("#amount-cash").fill("")
    for key in ("1", "2", ".", ".", "5", "delete"):
        page.locator(f"[data-key='{key}']").click()
    assert page.locator("#amount-cash").input_value() == "12."


def test_words_are_typed_where_the_cursor_is(page: Any, site: str) -> None:
    show(page, site, "writing-address", "be")
    page.locator("#writing-permanent").fill("")
    for key in "піч":
        page.locator(f"[data-key='{key}']").click()
    page.locator("[data-swap]").click()
    page.locator("#writing-temporary").focus()
    for key in ("a", " ", "b", "1", "delete"):
        page.locator(f"[data-key='{key}']").click()
    assert page.locator("#writing-permanent").input_value() == "Піч", "the first letter of a word is a capital"
    assert page.locator("#writing-temporary").input_value() == "A B"
    page.locator("#writing-temporary").evaluate("e => e.setSelectionRange(0, 1)")
    page.locator("[data-key='z']").click()
    assert page.locator("#writing-temporary").input_value() == "Z B", "what was selected is written over"


def test_why_opens_by_keys_and_stays_open_while_the_page_follows(page: Any, site: str, stage: Stage) -> None:
    from playwright.sync_api import expect

    stage.show(VIEWS["review"])
    page.goto(f"{site}/screen")
    law = page.locator(".why-law").first
    expect(law).to_be_hidden()
    page.locator(".why summary").focus()
    page.keyboard.press("Enter")
    expect(law).to_be_visible()
    stage.show(replace(VIEWS["review"], contrast="high"))
    expect(page.locator("html")).to_have_attribute("data-contrast", "high")
    expect(law).to_be_visible()


@pytest.mark.parametrize("window", ((768, 1366), (1440, 900), (390, 844)))
def test_the_screens_fit_other_windows(page: Any, site: str, window: tuple[int, int]) -> None:
    page.set_viewport_size({"width": window[0], "height": window[1]})
    try:
        for name in ("welcome", "goods", "review", "result-desk", "document-time"):
            show(page, site, name)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            bar = page.locator(".bar").bounding_box()
            assert bar["y"] + bar["height"] <= window[1] + 1
    finally:
        page.set_viewport_size({"width": 1080, "height": 1920})


def test_the_live_page_follows_the_journey_and_keeps_focus(page: Any, site: str, stage: Stage) -> None:
    from playwright.sync_api import expect

    stage.show(VIEWS["document-place"])
    page.goto(f"{site}/screen")
    page.locator("#do-back").focus()
    stage.show(VIEWS["document"])
    expect(page.locator(".panel-title")).to_have_text("Hold still")
    assert page.evaluate("document.activeElement.id") == "do-back", "what changes elsewhere takes no focus"
    expect(page.locator("#announcer")).not_to_be_empty()
    stage.show(VIEWS["document-error"])
    expect(page.locator("#error")).to_be_focused()
    with page.expect_response("**/speech/en/timeout.speech.wav") as spoken:
        stage.show(VIEWS["document-time"])
    assert spoken.value.ok, "the time-out speaks by itself"
    expect(page.locator("#do-more_time")).to_be_focused()
    stage.show(replace(VIEWS["party"], language="be", contrast="high"))
    expect(page.locator("#heading")).to_be_focused()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dataset.contrast]") == [
        "be",
        "high",
    ]


def test_a_touch_posts_without_leaving_the_page(page: Any, site: str, stage: Stage) -> None:
    from playwright.sync_api import expect

    stage.posted.clear()
    stage.show(VIEWS["goods"])
    page.goto(f"{site}/screen?panel=language")
    page.evaluate("window.stayed = true")
    page.locator("#language-ru").click()
    stage.show(replace(VIEWS["goods"], language="ru"))
    expect(page.locator("#heading")).to_have_text("Везёте что-то из этого?")
    page.locator("#do-declare-red").click()
    stage.show(VIEWS["details-choose"])
    page.locator("label.choice").first.click()
    page.locator("#do-goods").click()
    stage.show(VIEWS["details-cigarettes"])
    with page.expect_response("**/action/recount"):
        page.locator("[data-row=packet] [data-more]").click()
    stage.show(VIEWS["details-cigarettes"])
    expect(page.locator("[data-row=packet] [data-count]")).to_have_text("1")
    page.locator("#do-amounts").click()
    stage.show(VIEWS["bag"])
    expect(page.locator("#do-bag-2")).to_be_visible()
    assert page.evaluate("window.stayed"), "the page was never loaded anew"
    assert [name for name, _ in stage.posted] == ["language", "declare", "goods", "recount", "amounts"]
    assert stage.posted[1][1] == {"channel": "red"} and stage.posted[2][1] == {"kinds": "alcohol"}
    assert stage.posted[4][1]["amount-cigarettes"] == "20"


def test_a_result_that_is_touched_stays(page: Any, site: str, stage: Stage) -> None:
    stage.posted.clear()
    stage.show(VIEWS["result-desk"])
    page.goto(f"{site}/screen")
    with page.expect_response("**/action/more_time"):
        page.locator(".result-plan").click()
    assert stage.posted == [("more_time", {})]


def test_without_script_every_touch_is_a_form(page: Any, site: str, stage: Stage) -> None:
    stage.posted.clear()
    stage.show(VIEWS["goods"])
    plain = page.context.browser.new_context(java_script_enabled=False, viewport={"width": 1080, "height": 1920})
    try:
        shown = plain.new_page()
        shown.goto(f"{site}/screen")
        shown.locator("#do-declare-green").click()
        assert stage.posted == [("declare", {"channel": "green"})]
    finally:
        plain.close()
