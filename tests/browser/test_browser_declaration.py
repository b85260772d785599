"""The declaration at the desk in a real browser: axe, every language, and a correction by keyboard alone."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

CENTRAL_TESTS = Path(__file__).resolve().parents[1] / "central"
sys.path[:0] = [str(CENTRAL_TESTS), str(CENTRAL_TESTS / "officer")]

from central_scene import PASSWORD, Clock, write_config  # noqa: E402 - beside central's own tests
from officer_scene import CASH, OVER_ALCOHOL, STAFF, arrives, joins  # noqa: E402 - as above

from central import create_app, referrals  # noqa: E402 - as above
from central.access.permissions import RoleGrant, User  # noqa: E402 - as above
from central.service import central_of  # noqa: E402 - as above
from contracts.disposition import Agency  # noqa: E402 - as above

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-background-networking"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Olga holds the case of somebody with wine and cash; the page is that traveller's declaration."""
    app = create_app(write_config(tmp_path_factory.mktemp("central")), Clock())
    central = central_of(app)
    decision = arrives(central, replace(OVER_ALCOHOL, money=(CASH,)))
    joins(central, "olga")
    role, agency = STAFF["olga"]
    olga = User("olga", "Olga", "en", (RoleGrant(role, agency, central.config.site_id),))
    referrals.claim(central, olga, decision.record_id, Agency.CUSTOMS)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    address = f"http://127.0.0.1:{server.server_port}"
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{address}/sign-in")
        page.get_by_label("User name").fill("olga")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)
        page.goto(f"{address}/officer/cases/customs/{decision.record_id}/declarations/p1")
        yield page
        browser.close()
    central.close()
    server.shutdown()
    serving.join()
    server.server_close()
    assert complaints == []


@pytest.mark.parametrize("language", ("ru", "be", "en"))
def test_the_page_is_accessible_and_fits(desk: Page, language: str) -> None:
    here = desk.url
    desk.goto(here[: here.index("/officer/")] + "/officer/me")
    desk.locator("select[name=language]").select_option(language)
    desk.locator("form[action='/officer/me'] button").click()
    expect(desk.locator("html")).to_have_attribute("lang", language)
    desk.goto(here)
    violations = Axe().run(desk).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations] == []
    assert desk.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_correction_is_written_and_witnessed_by_keyboard_alone(desk: Page) -> None:
    def reach(name: str) -> None:
        for _ in range(200):
            desk.keyboard.press("Tab")
            focused = "document.activeElement.getAttribute('aria-label') || document.activeElement.name"
            if name in (desk.evaluate(focused), desk.evaluate("document.activeElement.textContent.trim()")):
                return
        raise AssertionError(f"{name} is not reached")

    desk.reload()
    reach("Quantity, row 1")
    desk.keyboard.press("Control+A")
    desk.keyboard.type("4,5")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Version 2 waits for a signature")).to_be_visible()
    reach("signed")
    desk.keyboard.press("Space")
    reach("Record the signature")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Signed on paper before Olga")).to_be_visible()


def test_the_case_says_why_by_keyboard_alone_and_stays_accessible_unfolded(desk: Page) -> None:
    here = desk.url
    desk.goto(here[: here.index("/declarations/")])
    why = desk.locator(".reasoning > td > details").first
    tree = why.locator(".steps").first
    expect(tree).to_be_hidden()
    why.locator("> summary").focus()
    desk.keyboard.press("Enter")
    expect(tree).to_be_visible()
    expect(tree.get_by_text("Alcohol over the norm")).to_be_visible()
    desk.keyboard.press("Tab")  # the first step, which folds what is below it
    desk.keyboard.press("Space")
    expect(tree.get_by_text("Alcohol over the norm")).to_be_hidden()
    desk.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    violations = Axe().run(desk).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations] == []
    assert desk.evaluate("document.documentElement.scrollWidth") <= 1280
    desk.goto(here)
