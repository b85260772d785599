"""Who opens what: every page of officers and administrators against every role, and forms without their token."""

from __future__ import annotations

import pytest
from flask import Flask
from officer_scene import Console

from central.access.guard import OPEN_VIEWS

OFFICERS = {"olga", "petr", "boris", "sergei"}
SUPERVISOR, ADMINISTRATOR, AUDITOR = {"sergei"}, {"nina"}, {"ivan"}
STAFF = OFFICERS | ADMINISTRATOR | AUDITOR
EXPECTED: dict[str, set[str]] = {
    "officer.home": OFFICERS,
    "officer.queue": OFFICERS,
    "officer.events": OFFICERS,
    "officer.current_case": OFFICERS,
    "officer.case": OFFICERS,
    "officer.claim": OFFICERS,
    "officer.unclaim": OFFICERS,
    "officer.dispose": OFFICERS,
    "officer.evidence": OFFICERS,
    "officer.duty_sheet": OFFICERS,
    "officer.find": OFFICERS,
    "declaration.blank": OFFICERS,
    "declaration.versions": OFFICERS,
    "declaration.paper": OFFICERS,
    "declaration.amend": OFFICERS,
    "declaration.witness": OFFICERS,
    "officer.exit_check": OFFICERS,
    "officer.kiosks": OFFICERS | ADMINISTRATOR,
    "officer.suspend_kiosk": SUPERVISOR | ADMINISTRATOR,
    "officer.resume_kiosk": SUPERVISOR | ADMINISTRATOR,
    "officer.stop": OFFICERS | ADMINISTRATOR,
    "officer.stop_now": SUPERVISOR | ADMINISTRATOR,
    "officer.figures": STAFF,
    "officer.me": STAFF,
    "officer.change_me": STAFF,
    "admin.home": STAFF,
    "admin.today": STAFF,
    "admin.figures": STAFF,
    "law.law": STAFF,
    "law.version": STAFF,
    "law.rule": STAFF,
    "law.differences": STAFF,
    "law.effect_progress": STAFF,
    "law.rates": STAFF,
    "law.propose": ADMINISTRATOR,
    "law.ask": ADMINISTRATOR,
    "law.rollback": ADMINISTRATOR,
    "law.approve": ADMINISTRATOR,
    "law.reject": ADMINISTRATOR,
    "law.withdraw": ADMINISTRATOR,
    "law.count_effect": ADMINISTRATOR,
    "law.cancel_effect": ADMINISTRATOR,
    "law.import_rates": ADMINISTRATOR,
    "law.fetch_rates": ADMINISTRATOR,
    "admin.kiosks": OFFICERS | ADMINISTRATOR,
    "admin.suspend_kiosk": SUPERVISOR | ADMINISTRATOR,
    "admin.resume_kiosk": SUPERVISOR | ADMINISTRATOR,
    "admin.people": ADMINISTRATOR,
    "admin.create_person": ADMINISTRATOR,
    "admin.change_roles": ADMINISTRATOR,
    "admin.disable_person": ADMINISTRATOR,
    "admin.enable_person": ADMINISTRATOR,
    "trust.store": ADMINISTRATOR | AUDITOR,
    "trust.propose": ADMINISTRATOR,
    "trust.approve": ADMINISTRATOR,
    "trust.reject": ADMINISTRATOR,
    "faces.faces": ADMINISTRATOR | AUDITOR,
    "faces.measurement": ADMINISTRATOR | AUDITOR,
    "faces.measurement_progress": ADMINISTRATOR | AUDITOR,
    "faces.referrals_progress": ADMINISTRATOR | AUDITOR,
    "faces.measure": ADMINISTRATOR,
    "faces.stop": ADMINISTRATOR,
    "faces.count_referrals": ADMINISTRATOR,
    "faces.cancel_referrals": ADMINISTRATOR,
    "admin.audit": ADMINISTRATOR | AUDITOR,
    "admin.verify_audit": ADMINISTRATOR | AUDITOR,
}
ARGUMENTS = {
    "agency": "customs",
    "record_id": "none",
    "person_id": "p1",
    "kind": "live_face",
    "kiosk_id": "B3",
    "user_id": "olga",
    "number": "1",
    "rule_id": "BY-06",
    "suffix": "json",
}


def pages(app: Flask) -> dict[str, list[tuple[str, str]]]:
    """Endpoint → the methods and addresses of officers' and administrators' pages."""
    found: dict[str, list[tuple[str, str]]] = {}
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint.split(".")[0] in ("officer", "declaration", "admin", "trust", "law", "faces"):
                path = rule.rule
                for name in rule.arguments:
                    path = path.replace(f"<{name}>", ARGUMENTS[name]).replace(f"<int:{name}>", ARGUMENTS[name])
                methods = sorted((rule.methods or set()) & {"GET", "POST"})
                found.setdefault(rule.endpoint, []).extend((method, path) for method in methods)
    return found


def test_the_table_names_every_page(app: Flask) -> None:
    assert set(pages(app)) == set(EXPECTED)
    assert not set(EXPECTED) & OPEN_VIEWS


@pytest.mark.parametrize("user_id", sorted(STAFF))
def test_each_role_opens_its_pages_and_no_other(app: Flask, console: Console, user_id: str) -> None:
    console.signs_in(user_id)
    for endpoint, places in pages(app).items():
        for method, path in places:
            if endpoint == "officer.events" and user_id in OFFICERS:
                continue  # a stream without end; test_officer_pages reads it
            status = console.client.open(path, method=method).status_code
            if user_id not in EXPECTED[endpoint]:
                assert status == 403, (endpoint, method, status)
            elif method == "POST":
                assert status == 400, f"{endpoint} takes a form without its token"
            else:
                assert status in (200, 303, 404), (endpoint, status)


def test_nobody_gets_in_without_signing_in(app: Flask, console: Console) -> None:
    for places in pages(app).values():
        for method, path in places:
            answer = console.client.open(path, method=method)
            assert answer.status_code in (303, 400), path
            if answer.status_code == 303:
                assert "/sign-in" in answer.headers["Location"]
