"""The product as its people meet it: travellers at the kiosk's screen, an officer at the console, the exit.

The house runs its real processes (demo.house); each traveller's body acts at the simulated devices
(demo.puppet.Body) and the browser is the hands. Bodies wait where a test tells them to, so that nothing races.
"""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from werkzeug.serving import make_server

from demo.auto import play_story
from demo.house import House, default_specimens, open_house
from demo.puppet import Body, KioskScreen
from demo.tray import Address, Stage, create_app

pytestmark = [pytest.mark.browser, pytest.mark.pcsc, pytest.mark.slow]
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
SOON_MS = 30_000
READING_MS = (
    700  # nobody reads a page faster; a touch in the same place before that is the second of a double touch
)
PROMPTS = (
    "place_document",
    "turn_document",
    "remove_document",
    "look",
    "turn_left",
    "turn_right",
    "nod",
    "place_bag",
    "remove_bag",
)


class Hall:
    """The house and a browser; every page complains here, and every request that leaves loopback does."""

    def __init__(self, house: House, browser: Browser) -> None:
        self.house, self.browser = house, browser
        self.complaints: list[str] = []

    def page(self, width: int, height: int, **options: Any) -> Page:
        context = self.browser.new_context(viewport={"width": width, "height": height}, **options)
        context.on("request", lambda request: self._ask(request.url))
        page = context.new_page()
        page.set_default_timeout(SOON_MS)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _ask(self, url: str) -> None:
        if not re.match(r"(http://127\.0\.0\.1:|data:|blob:)", url):
            self.complaints.append(f"asked {url}")

    def kiosk(self, **options: Any) -> Page:
        page = self.page(1080, 1920, **options)
        page.goto(f"{self.house.kiosk_url}/")
        on(page, "welcome")
        return page

    def officer(self, name: str) -> Page:
        page = self.page(1440, 900)
        page.goto(f"{self.house.central_url}/officer/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(self.password(name))
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    def password(self, name: str) -> str:
        return next(person.password for person in self.house.people if person.name == name)

    @contextmanager
    def traveller(self, story_id: str, waits_for: tuple[str, ...] = ()) -> Iterator[Visitor]:
        """Somebody at the kiosk; waits before each prompt of `waits_for` until `visitor.goes_on()`."""
        visitor = Visitor(self.house, story_id, waits_for)
        visitor.start()
        try:
            yield visitor
        finally:
            visitor.leave()
        assert visitor.trouble == []


class Visitor(threading.Thread):
    """The body of one traveller, following the kiosk's prompts at the simulated devices."""

    def __init__(self, house: House, story_id: str, waits_for: tuple[str, ...]) -> None:
        super().__init__(name=f"body of {story_id}", daemon=True)
        directory, story = house.stories[story_id]
        assert house.bench is not None
        self.bench = house.bench
        self.body = Body(house.bench, directory, story, house.radio)
        self.screen = KioskScreen(house.kiosk_url)
        self.waits_for = set(waits_for)
        self.trouble: list[str] = []
        self._left = threading.Event()

    def goes_on(self, *prompts: str) -> None:
        """No longer waits before these prompts (before any, when none is named)."""
        self.waits_for -= set(prompts or self.waits_for)

    def run(self) -> None:
        self.bench.clear()
        while not self._left.wait(0.05):
            try:
                state = self.screen.state()
                if state.get("prompt") not in self.waits_for:
                    self.body.follow(state)
            except Exception as error:  # shown by the test, which joins this thread
                self.trouble.append(repr(error))
                return

    def leave(self) -> None:
        self._left.set()
        self.join(timeout=30)
        self.bench.clear()


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    with open_house(default_specimens()) as house, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield Hall(house, browser)
        browser.close()


@pytest.fixture(autouse=True)
def nobody_complains(hall: Hall) -> Iterator[None]:
    """After each test: no error of a page or of its content policy, no request outside; the kiosk is free."""
    hall.complaints.clear()
    yield
    for context in hall.browser.contexts:
        context.close()
    screen = KioskScreen(hall.house.kiosk_url)
    while screen.state()["screen"] != "welcome":
        may = screen.state()["actions"]
        way = next((action for action in ("finish", "back", "ask_officer") if action in may), None)
        if way is not None:
            screen.act(way)
        time.sleep(0.1)
    assert hall.complaints == []


def on(page: Page, *screens: str) -> str:
    """Wait until the page shows one of these screens; returns which."""
    expect(page.locator("html")).to_have_attribute(
        "data-screen", re.compile(f"^({'|'.join(screens)})$"), timeout=SOON_MS
    )
    return str(page.locator("html").get_attribute("data-screen"))


def accessible(page: Page) -> None:
    page.wait_for_timeout(READING_MS)
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in violations] == [], page.url


def declares_nothing_and_signs(page: Page) -> None:
    """From the goods to the signature, with one bag and nothing to declare."""
    on(page, "goods")
    page.locator("#do-declare-green").click()
    answers_bags(page)
    on(page, "review")
    page.locator("#do-sign").click()


def answers_bags(page: Page) -> None:
    on(page, "bag")
    page.wait_for_timeout(READING_MS)
    page.locator("#do-unaccompanied-no").click()
    page.locator("#do-bag-1").click()


def reaches_goods(page: Page, language: str = "en") -> None:
    """From the welcome to the goods, alone."""
    page.locator(f"#language-{language}").click()
    on(page, "notice")
    page.locator("#do-accept_notice").click()
    on(page, "party")
    page.locator("#do-alone").click()
    on(page, "goods")


def preview_shows(page: Page) -> None:
    page.wait_for_function("document.getElementById('preview')?.naturalWidth > 100")


def test_an_ordinary_traveller_is_cleared_by_touch(hall: Hall) -> None:
    page = hall.kiosk(has_touch=True)
    page.evaluate("window.stayed = true")
    accessible(page)
    with hall.traveller("anna", waits_for=PROMPTS) as anna:
        page.locator("#language-en").tap()
        on(page, "notice")
        accessible(page)
        page.locator("#do-accept_notice").tap()
        on(page, "document")
        expect(page.locator(".panel-title")).to_have_text("Ready. Lay it down")
        accessible(page)
        anna.goes_on("place_document", "remove_document")
        on(page, "face")
        expect(page.locator("#heading")).to_have_text("Look at the camera")
        accessible(page)
        anna.goes_on("look")
        expect(page.locator(".hint")).to_have_text(
            re.compile("Turn your head (left|right)|Nod slowly"), timeout=SOON_MS
        )
        preview_shows(page)
        anna.goes_on("turn_left", "turn_right", "nod")
        on(page, "party")
        accessible(page)
        page.locator("#do-alone").tap()
        on(page, "goods")
        accessible(page)
        page.locator("#do-declare-green").tap()
        on(page, "bag")
        accessible(page)
        page.locator("#do-unaccompanied-no").tap()
        page.locator("#do-bag-1").tap()
        expect(page.locator(".panel-title")).to_have_text("Place one bag on the scale")
        accessible(page)
        anna.goes_on()
        on(page, "review")
        expect(page.locator(".review-line")).to_have_count(2)
        expect(page.locator(".review-line").nth(1)).to_contain_text("18.4 kg")
        accessible(page)
        page.locator("#do-sign").tap()
        on(page, "result")
    expect(page.locator("#heading")).to_have_text("You can go")
    assert "LINDQVIST" not in page.locator("body").inner_text().upper(), "no name on a result"
    accessible(page)
    page.locator("#receipt-phone").tap()
    expect(page.locator("main svg").last).to_be_visible()
    accessible(page)
    page.locator("#close-panel").tap()
    page.locator("#do-finish").tap()
    on(page, "welcome")
    assert not page.locator("#preview").count(), "no picture of the one before"


def test_alcohol_over_the_norm_goes_to_a_desk_and_an_officer_closes_it(hall: Hall) -> None:
    console = hall.officer("olga")
    expect(console.get_by_text("Link up")).to_be_visible()
    console.evaluate("window.stayed = true")
    accessible(console)
    page = hall.kiosk()
    with hall.traveller("alcohol"):
        reaches_goods(page)
        page.locator("#do-declare-red").click()
        on(page, "details")
        accessible(page)
        page.locator("label.choice:has(input[value=alcohol])").click()
        page.locator("#do-goods").click()
        for row, times in (("wine", 4), ("beer", 4)):
            for _ in range(times):
                page.locator(f"[data-row={row}] [data-more]").click()
        expect(page.locator(".have-amount")).to_have_text("5 litres")
        expect(page.locator(".chip--over")).to_contain_text("Over by 2 litres")
        expect(page.get_by_text("This is an estimate.")).to_be_visible()
        accessible(page)
        page.locator("#do-amounts").click()
        answers_bags(page)
        on(page, "review")
        expect(page.locator(".review-note--attention")).to_contain_text("Over by 2 litres")
        page.locator("#do-sign").click()
        on(page, "result")
    heading = page.locator("#heading").inner_text()
    assert re.fullmatch(r"Please go to desk \d", heading)
    accessible(page)

    new = console.get_by_role("link", name=re.compile("1 new case"))
    expect(new).to_be_visible()
    assert console.evaluate("window.stayed"), "the queue told it without being loaded anew"
    console.keyboard.press("n")
    row = console.locator("tr.case").filter(has_text="Alcohol over the norm")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"desk {heading[-1]}")
    row.locator("a.main").click()
    expect(console.get_by_role("heading", name="Hallberg, Greta")).to_be_visible()
    both_pictures(console)
    expect(console.locator("tr.matters")).to_contain_text("20.00 EUR")
    accessible(console)
    console.get_by_role("button", name="Claim this case").click()
    decides(console, "Assess duty", hall.password("olga"))
    accessible(console)
    console.goto(f"{hall.house.central_url}/officer/queue")
    expect(console.locator("tr.case").filter(has_text="Alcohol over the norm")).to_have_count(0)


def both_pictures(console: Page) -> None:
    """The live picture and the chip's, decoded by the browser; they follow the record by a moment."""
    pictures = console.locator(".pictures img")
    for _ in range(20):
        if pictures.count() == 2:
            break
        console.wait_for_timeout(250)
        console.reload()
    expect(pictures).to_have_count(2)
    console.wait_for_function("[...document.querySelectorAll('.pictures img')].every(one => one.naturalWidth > 0)")


def decides(console: Page, outcome: str, password: str) -> None:
    console.get_by_role("radio", name=outcome).check()
    codes = console.get_by_label("Reason code").locator("optgroup:not([disabled]) option")
    console.get_by_label("Reason code").select_option(codes.first.get_attribute("value"))
    console.locator("#password").fill(password)
    console.locator("[data-sign]").click()
    expect(console.get_by_text("This service has decided.")).to_be_visible()


def test_a_family_of_three_walks_together(hall: Hall) -> None:
    page = hall.kiosk()
    with hall.traveller("family"):
        page.locator("#language-be").click()
        on(page, "notice")
        page.locator("#do-accept_notice").click()
        for people in (1, 2):
            expect(page.locator(".party-count")).to_contain_text(str(people), timeout=SOON_MS)
            page.locator("#do-add_person").click()
            on(page, "document", "face")
        expect(page.locator(".party-count")).to_contain_text("3", timeout=SOON_MS)
        accessible(page)
        page.locator("#do-alone").click()
        declares_nothing_and_signs(page)
        expect(page.locator(".turn")).to_contain_text("2", timeout=SOON_MS)
        declares_nothing_and_signs(page)
        on(page, "result")
    expect(page.locator(".page--cleared #heading")).to_have_text("Можна ісці")
    accessible(page)


def test_the_exit_opens_once_and_only_for_who_may_leave(hall: Hall) -> None:
    tokens = {name: receipt(hall, name) for name in ("card", "voluntary")}
    console = hall.officer("olga")
    console.goto(f"{hall.house.central_url}/officer/exit")
    assert shows(console, tokens["card"]) == "open"
    accessible(console)
    assert shows(console, tokens["card"]) == "used"
    assert shows(console, tokens["voluntary"]) == "to_desk"
    accessible(console)
    assert shows(console, tokens["voluntary"][:-2] + "AA") == "unknown"
    console.goto(f"{hall.house.central_url}/officer/queue")
    console.locator("tr.case a.main").first.click()
    console.get_by_role("button", name="Claim this case").click()
    decides(console, "Release", hall.password("olga"))
    console.goto(f"{hall.house.central_url}/officer/exit")
    assert shows(console, tokens["voluntary"]) == "open"


def receipt(hall: Hall, story_id: str) -> str:
    directory, story = hall.house.stories[story_id]
    visit = play_story(hall.house, directory, story)
    assert visit.played is not None, visit.error
    return str(visit.played.result["receipt_token"])


def shows(console: Page, token: str) -> str:
    """What the exit answers to this receipt, typed as its scanner types."""
    console.locator("#receipt").fill(token)
    console.keyboard.press("Enter")
    console.wait_for_load_state()
    answer = console.locator(".answer")
    expect(answer).to_be_visible()
    name = re.search(r"answer--(\w+)", str(answer.get_attribute("class")))
    assert name is not None
    return name[1]


def test_a_whole_journey_with_keys_alone(hall: Hall) -> None:
    page = hall.kiosk()
    with hall.traveller("anna"):
        presses(page, "#language-en")
        on(page, "notice")
        presses(page, "#do-accept_notice")
        on(page, "party")
        presses(page, "#do-alone")
        on(page, "goods")
        presses(page, "#do-declare-green")
        on(page, "bag")
        presses(page, "#do-unaccompanied-no")
        expect(page.locator(".form--chosen")).to_have_count(1)
        presses(page, "#do-bag-1")
        on(page, "review")
        presses(page, "#do-sign")
        on(page, "result")
    expect(page.locator("#heading")).to_be_focused()
    presses(page, "#do-finish")
    on(page, "welcome")


def test_a_card_is_turned_over_with_keys_alone(hall: Hall) -> None:
    """The page that asks for it says so to eye and ear, can be left, and gives way to the camera by itself."""
    page = hall.kiosk()
    with hall.traveller("card", waits_for=("turn_document",)) as mei:
        presses(page, "#language-be")
        on(page, "notice")
        presses(page, "#do-accept_notice")
        on(page, "document-front")
        expect(page.locator("#heading")).to_have_text("Перавярніце вашу картку")
        expect(page.locator("#heading")).to_be_focused()
        expect(page.locator("#announcer")).to_contain_text(
            re.compile("Перавярніце картку|Гэты бок мы ўжо прачыталі")
        )
        assert "/speech/be/document.front.title.wav" in str(
            page.locator("#bar-listen").get_attribute("data-speech")
        )
        accessible(page)
        presses(page, "#do-back")
        on(page, "notice")
        presses(page, "#do-accept_notice")
        on(page, "document-front")
        mei.goes_on()
        on(page, "party")


def presses(page: Page, selector: str) -> None:
    """Tab to a control, as somebody without a pointer does, and press Enter."""
    wanted: Locator = page.locator(selector)
    expect(wanted).to_be_visible()
    for _ in range(40):
        if wanted.evaluate("e => e === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()
    page.keyboard.press("Enter")


def test_a_hurried_traveller_loses_nothing_and_answers_nothing_by_accident(hall: Hall) -> None:
    page = hall.kiosk()
    with hall.traveller("anna", waits_for=("place_bag",)):
        page.locator("#language-en").dblclick()
        on(page, "notice")
        page.locator("#do-accept_notice").dblclick()
        on(page, "party")
        assert "panel" not in page.url, "the second touch opened nothing"
        page.locator("#do-alone").dblclick()
        on(page, "goods")
        page.reload()
        on(page, "goods")
        beside = page.context.new_page()
        beside.goto(f"{hall.house.kiosk_url}/")
        on(beside, "goods")
        page.locator("#do-declare-green").dblclick()
        on(page, "bag")
        on(beside, "bag")
        expect(page.locator(".form--chosen")).to_have_count(0)
        beside.locator("#do-unaccompanied-no").click()
        expect(page.locator(".form--chosen")).to_have_count(1)
        page.locator("#bar-language").click()
        page.locator("#language-ru").click()
        expect(page.locator("html")).to_have_attribute("lang", "ru")
        expect(beside.locator("html")).to_have_attribute("lang", "ru")
        on(page, "bag")
        expect(page.locator(".form--chosen")).to_have_count(1)
        page.locator("#do-back").click()
        on(page, "goods")
        page.locator("#do-declare-green").click()
        on(page, "bag")
        expect(page.locator("#heading")).to_have_text("Ваш багаж")


@pytest.fixture
def tray(hall: Hall) -> Iterator[str]:
    house = hall.house
    assert house.bench is not None
    stage = Stage(house.kiosk_url, house.bench, house.stories)
    places = (Address("Kiosk", f"{house.kiosk_url}/", "monitor", "the traveller's screen"),)
    app = create_app(stage, places, Path(sys.prefix) / "share/corridor/web")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    for context in hall.browser.contexts:  # an open page goes on asking, and complains when nobody answers
        context.close()
    stage.clear()
    server.shutdown()
    serving.join()
    server.server_close()


def test_the_tray_sends_a_traveller_and_tells_whose_turn_it_is(hall: Hall, tray: str) -> None:
    page = hall.page(1440, 900)
    page.goto(tray)
    now = page.locator("#now")
    expect(now).to_contain_text("Nobody")
    expect(page.locator(".person").first.locator("h2")).to_have_text("An ordinary traveller")
    accessible(page)
    page.locator("#send-anna").click()
    expect(page.locator("[data-story=anna]")).to_have_attribute("aria-current", "true")
    expect(now).to_contain_text("Touch a language on the kiosk.")
    kiosk = hall.kiosk()
    kiosk.locator("#language-en").click()
    on(kiosk, "notice")
    expect(now).to_contain_text("Read the notice")
    kiosk.locator("#do-accept_notice").click()
    on(kiosk, "party")
    expect(now).to_contain_text("Tell the kiosk who travels together.")
    accessible(page)
    page.locator("#clear").click()
    on(kiosk, "welcome")
    expect(now).to_contain_text("Nobody")
    page.locator("#play-card").click()
    on(kiosk, "result")
    expect(now).to_contain_text("Read the result")
    kiosk.locator("#do-finish").click()
    expect(now).to_contain_text("An identity card was told: You can go.")
    accessible(page)


def test_without_central_a_traveller_is_told_to_see_an_officer(hall: Hall) -> None:
    page = hall.kiosk()
    with hall.traveller("anna"):
        reaches_goods(page)
        hall.house.stop("central", kill=True)
        try:
            declares_nothing_and_signs(page)
            on(page, "result")
            expect(page.locator(".page--desk")).to_have_count(1)
            words = page.locator("body").inner_text().lower()
            assert "officer" in words
            assert not re.search(r"error|fail|offline|central|refus|suspic|\bred\b", words)
            accessible(page)
        finally:
            hall.house.start_central()
