"""Administrators: people, kiosks, rules, audit; every change is an event of the audit."""

from __future__ import annotations

from central_scene import KIOSK, PASSWORD, Sender
from officer_scene import HALL, ORDINARY, Console, arrives, joins
from sqlalchemy import text

from central.service import Central
from contracts.events import AuditTag


def tags(central: Central) -> list[str]:
    with central.storage.read() as reading:
        return [event.tag for event in central.audit.page(reading, limit=200).events]


def test_a_person_is_created_given_a_role_and_disabled(console: Console, central: Central) -> None:
    nina = console.signs_in("nina")
    form = {"name": "Maria Tank", "user": "maria", "password": PASSWORD, "grant": "officer/customs"}
    assert nina.submits("/admin/people", **form).status_code == 303
    assert "Maria Tank was added." in nina.sees("/admin/people")
    assert Console(console.app).submits("/sign-in", user_id="maria", password=PASSWORD).status_code == 303
    nina.submits("/admin/people/maria/roles", add="supervisor/customs")
    assert "Supervisor, Customs" in nina.sees("/admin/people")
    nina.submits("/admin/people/maria/roles", remove="officer/customs")
    nina.submits("/admin/people/maria/disable")
    assert Console(console.app).submits("/sign-in", user_id="maria", password=PASSWORD).status_code == 403
    assert tags(central).count(AuditTag.ACCESS_ROLE_CHANGED) >= 3


def test_what_cannot_be_is_refused_in_words(console: Console, central: Central) -> None:
    nina = console.signs_in("nina")
    short = nina.submits("/admin/people", name="Maria", user="maria", password="short", grant="officer/customs")
    assert short.status_code == 422 and "Nothing was changed" in short.text and 'value="maria"' in short.text
    assert "short" not in short.text.replace("shortcut", "")
    assert nina.submits("/admin/people", name="M", user="m1", password=PASSWORD, grant="king").status_code == 422
    nina.submits("/admin/people/nina/roles", remove="administrator/customs")
    assert "nobody takes away their own last role" in nina.sees("/admin/people")
    nina.submits("/admin/people/nina/disable")
    assert nina.sees("/admin/people")


def test_a_kiosk_is_suspended_with_a_reason_and_resumed(console: Console, kiosk: Sender, central: Central) -> None:
    nina = console.signs_in("nina")
    nina.submits(f"/admin/kiosks/{KIOSK}/suspend", reason="")
    assert "Nothing was changed" in nina.sees("/admin/kiosks")
    nina.submits(f"/admin/kiosks/{KIOSK}/suspend", reason="camera shakes")
    assert "was suspended: camera shakes" in nina.sees("/admin/kiosks")
    nina.submits(f"/admin/kiosks/{KIOSK}/resume", reason="camera fixed")
    assert "was suspended" not in nina.sees("/admin/kiosks")
    assert tags(central).count(AuditTag.KIOSK_STATE_CHANGED) == 2
    assert nina.submits("/admin/kiosks/unknown/suspend", reason="no such kiosk").status_code == 404


def test_a_supervisor_stops_every_kiosk_of_the_site(console: Console, kiosk: Sender) -> None:
    sergei = console.signs_in("sergei")
    sergei.submits("/officer/stop", kiosk="*", reason="fire alarm")
    assert "was suspended: fire alarm" in sergei.sees("/officer/kiosks")


def test_the_rules_show_source_layer_and_how_well_they_are_known(console: Console) -> None:
    page = console.signs_in("ivan").sees("/admin/rules")
    assert "BY-06" in page and "Decision 107" in page and "Verified in the source" in page
    assert "eaeu" in page and "&gt; 3 l" in page


def test_the_audit_verifies_and_finds_what_was_altered(console: Console, central: Central) -> None:
    for guest in HALL[:3]:
        arrives(central, guest)
    ivan = console.signs_in("ivan")
    assert "Broken" not in (page := ivan.submits("/admin/audit/verify").text) and "Whole" in page
    assert AuditTag.AUDIT_CHAIN_VERIFIED in tags(central)
    only = ivan.sees(f"/admin/audit?tag={AuditTag.TRANSACTION_DECISION_MADE.value}")
    assert only.count('<td class="digest">') == 2 * 3
    with central.storage.write() as writing:
        writing.execute(
            text("UPDATE audit_events SET actor = 'somebody' WHERE sequence = 2 AND chain LIKE 'station:%'")
        )
    assert "Broken at event 2: an event was altered" in ivan.submits("/admin/audit/verify").text


def test_today_says_in_words_what_is_not_known_yet(console: Console, central: Central) -> None:
    nina = console.signs_in("nina")
    page = nina.sees("/admin/today")
    assert "Nobody has crossed yet today." in page and "No kiosk is enrolled yet." in page
    assert "No officer has closed a referral yet." in page
    arrives(central, ORDINARY)
    page = nina.sees("/admin/today")
    assert "1 traveller today" in page
    assert "The same as a table" in page


def test_no_page_of_the_staff_needs_inline_script_or_style(console: Console, central: Central) -> None:
    joins(central, "nina")
    nina = console.signs_in("nina")
    for path in ("/admin/today", "/admin/rules", "/admin/people", "/admin/audit", "/admin/kiosks"):
        page = nina.sees(path)
        assert " style=" not in page and "<style" not in page and " onclick=" not in page
        assert page.count("<script") == page.count("<script src=")
