"""The staff's pages in a real browser: axe, keyboard only, live cases, the strict content policy."""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

CENTRAL_TESTS = Path(__file__).resolve().parents[1] / "central"
sys.path[:0] = [str(CENTRAL_TESTS), str(CENTRAL_TESTS / "officer")]

from central_scene import PASSWORD, Clock, add_user, enrolled, write_config  # noqa: E402 - beside central's own tests
from faces_scene import ordered, outcome  # noqa: E402 - as above
from officer_scene import ALTERED_CHIP, HALL, WITH_CASH, arrives, joins  # noqa: E402 - as above

from central import create_app, face_measurements, law_effect, lawmaking, rates_import, trust  # noqa: E402 - as above
from central.access.permissions import Role  # noqa: E402 - as above
from central.service import Central, central_of  # noqa: E402 - as above
from contracts.disposition import Agency  # noqa: E402 - as above
from declarations.money import Rates  # noqa: E402 - as above
from declarations.packs import PACKS  # noqa: E402 - as above
from hardware.specimens.issuer import SpecimenAuthority  # noqa: E402 - as above

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-background-networking"]


def keeps_trust(central: Central) -> None:
    """One version of the trust store in force and one that waits."""
    one, other = (add_user(central, name, (Role.ADMINISTRATOR, Agency.CUSTOMS)) for name in ("vera", "oleg"))
    utopia, foreign = SpecimenAuthority("UTO"), SpecimenAuthority("XYZ")
    files = (
        trust.Upload("uto.cer", utopia.csca_certificate, root=True),
        trust.Upload("uto.crl", utopia.revocation_list),
    )
    trust.decide(central, other, trust.propose(central, one, files, note="Utopia joins").number, approve=True)
    trust.propose(central, one, (trust.Upload("xyz.cer", foreign.csca_certificate),))


def keeps_law(central: Central) -> None:
    """A second version of the law that waits, with its effect counted, and rates of the day."""
    one = add_user(central, "nils", (Role.ADMINISTRATOR, Agency.CUSTOMS))
    layer = json.loads((PACKS / "by.json").read_text(encoding="utf-8")) | {"version": "2030.1"}
    layer["rules"][0]["note"] = "amended"
    version = lawmaking.propose(central, one, "eaeu-by", {"by": json.dumps(layer).encode()})
    central.effects.start(central, one, version.number, date(2026, 11, 22))
    central.effects.wait(60)
    lawmaking.ask(central, one, version.number, date(2026, 11, 22))
    rates = {"base": "BYN", "date": "2026-11-21", "source": "National Bank", "rates": {"EUR": "3.4", "USD": "3.2"}}
    rates_import.import_rates(central, one, Rates.model_validate(rates))


def keeps_faces(central: Central) -> None:
    """A measurement with its figures, one that waits, and a count of what officers found."""
    one = add_user(central, "fedor", (Role.ADMINISTRATOR, Agency.CUSTOMS))
    number = ordered(central, one, "B3")
    face_measurements.take(central, "B3", has_folder=False)
    assert face_measurements.finish(central, "B3", number, outcome())
    ordered(central, one, "B3", note="gate cameras")
    central.face_referrals.start(central, one)
    central.face_referrals.wait(60)


class Hall:
    """A served central with waiting travellers, and a browser beside it."""

    def __init__(self, central: Central, address: str, browser: Browser) -> None:
        self.central, self.address, self.browser = central, address, browser
        self.complaints: list[str] = []
        self.decisions = [arrives(central, guest) for guest in HALL]
        keeps_trust(central)
        keeps_law(central)
        keeps_faces(central)

    def signs_in(self, user_id: str, width: int = 1440) -> Page:
        joins(self.central, user_id)
        page = self.browser.new_context(viewport={"width": width, "height": 900}).new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.address}/sign-in")
        page.keyboard.press("Tab")
        page.get_by_label("User name").fill(user_id)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)
        return page


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    clock = Clock()
    app = create_app(write_config(tmp_path_factory.mktemp("central")), clock)
    central = central_of(app)
    enrolled(app, central, clock, "B3", "kiosk")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield Hall(central, f"http://127.0.0.1:{server.server_port}", browser)
        browser.close()
    central.close()
    server.shutdown()
    serving.join()
    server.server_close()


def accessible(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    found = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations]
    assert found == [], page.url


LAW = (
    "rules",
    "rules?show=second-look",
    "rules/versions/1?examples=run",
    "rules/versions/1/rules/BY-05",
    "rules/versions/2",
    "rules/versions/2/differences?from=1",
    "rates",
)
PLACES = {
    "sergei": ("queue", "kiosks", "figures", "find", "me", "stop", "exit", "find?receipt=0001"),
    "nina": (*LAW, "faces", "faces/1", "faces/2", "today", "trust", "people", "kiosks", "figures", "audit"),
}


@pytest.mark.parametrize("language", ("en", "ru", "be"))
@pytest.mark.parametrize("user_id", PLACES)
def test_pages_are_accessible_and_fit(hall: Hall, user_id: str, language: str) -> None:
    page = hall.signs_in(user_id, width=1280)
    page.goto(f"{hall.address}/officer/me")
    page.locator("select[name=language]").select_option(language)
    page.locator("form[action='/officer/me'] button").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    places = [f"{'officer' if user_id == 'sergei' else 'admin'}/{place}" for place in PLACES[user_id]]
    if user_id == "sergei":
        # Two cases, each of another kind of reason.
        places += [f"officer/cases/customs/{decision.record_id}" for decision in hall.decisions[:2]]
    for place in places:
        page.goto(f"{hall.address}/{place}")
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, place
    assert hall.complaints == []


@pytest.mark.parametrize("language", ("en", "ru", "be"))
def test_the_way_in_and_the_way_that_does_not_exist_are_accessible(hall: Hall, language: str) -> None:
    page = hall.browser.new_context(viewport={"width": 1280, "height": 900}, locale=language).new_page()
    for place in (f"sign-in?language={language}", "no-such-page"):
        page.goto(f"{hall.address}/{place}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        accessible(page)


def test_an_officer_finishes_a_case_with_the_keyboard_alone(hall: Hall) -> None:
    page = hall.signs_in("olga")
    expect(page.get_by_role("heading", name="Red channel")).to_be_visible()
    page.keyboard.press("j")
    while "0002" not in page.locator(".case[data-current]").inner_text():
        page.keyboard.press("j")
    page.keyboard.press("c")
    page.wait_for_url(re.compile("/cases/customs/"))
    expect(page.get_by_role("heading", name="Cash over the threshold, full amount")).to_be_visible()
    accessible(page)
    page.keyboard.press("1")
    expect(page.get_by_role("radio", name="Release")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Reason code")).to_be_focused()
    page.get_by_label("Reason code").press_sequentially("R-01")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("This service has decided.")).to_be_visible()
    accessible(page)
    assert hall.complaints == []


def test_two_pictures_stand_side_by_side(hall: Hall) -> None:
    page = hall.signs_in("boris")
    page.goto(f"{hall.address}/officer/cases/border/{hall.decisions[HALL.index(ALTERED_CHIP)].record_id}")
    pictures = page.locator(".pictures img")
    expect(pictures).to_have_count(2)
    assert pictures.evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    expect(page.get_by_text("Show the raw figure")).not_to_be_visible()
    accessible(page)


def test_new_cases_gather_in_the_amber_button_and_no_row_moves(hall: Hall) -> None:
    page = hall.signs_in("petr")
    expect(page.get_by_text("Link up")).to_be_visible()
    rows = page.locator("[data-queue] .case")
    before = rows.evaluate_all("all => all.map(one => one.dataset.case)")
    arrives(hall.central, WITH_CASH)
    arrives(hall.central, WITH_CASH)
    button = page.get_by_role("link", name=re.compile("2 new cases"))
    expect(button).to_be_visible()
    assert rows.evaluate_all("all => all.map(one => one.dataset.case)") == before
    page.keyboard.press("n")
    expect(rows).to_have_count(len(before) + 2)
    assert hall.complaints == []


def test_a_count_shows_its_progress_and_then_its_result(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count waits at its first record until the page has been seen with it."""
    seen, count = threading.Event(), law_effect._Job.count

    def waits(job: law_effect._Job, record_id: str) -> None:
        seen.wait(60)
        count(job, record_id)

    monkeypatch.setattr(law_effect._Job, "count", waits)
    page = hall.signs_in("nina")
    page.goto(f"{hall.address}/admin/rules/versions/2")
    page.get_by_role("button", name="Count").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"Counting: 0 of \d+ records"))).to_be_visible()
    accessible(page)
    seen.set()
    expect(page.get_by_text("records compared with")).to_be_visible(timeout=60_000)
    assert hall.complaints == []
