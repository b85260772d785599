"""Deny by default: signing in, roles, sessions and the guard."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from central_scene import PASSWORD, Clock, MakeConfig, add_user
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from central import create_app
from central.access.guard import OPEN_VIEWS, SIGNED_BLUEPRINT
from central.access.pages import _local_path
from central.access.permissions import PERMISSIONS, Permission, Role, User
from central.access.users import InvalidUser
from central.service import Central, central_of
from central.storage.models import SignInSession, StoredUser
from contracts.disposition import Agency


def token(client: FlaskClient) -> str:
    page = client.get("/sign-in").text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page) or re.search(
        r'value="([^"]+)"[^>]*name="csrf_token"', page
    )
    assert found, page
    return found[1]


def sign_in(client: FlaskClient, user_id: str, password: str = PASSWORD, **more: str) -> int:
    form = {"user_id": user_id, "password": password, "csrf_token": token(client), **more}
    return client.post("/sign-in", data=form).status_code


def inside(client: FlaskClient) -> bool:
    """Whether the officers' pages let this browser in."""
    return "/sign-in" not in client.get("/officer/").headers.get("Location", "")


def test_every_view_is_open_signed_or_needs_a_permission(app: Flask) -> None:
    for endpoint, view in app.view_functions.items():
        signed = endpoint.startswith(f"{SIGNED_BLUEPRINT}.")
        needs = isinstance(getattr(view, "corridor_permission", None), Permission)
        assert (endpoint in OPEN_VIEWS) + signed + needs == 1, endpoint


def test_a_view_that_forgot_says_no_to_everybody(app: Flask, officer: User) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    client = app.test_client()
    assert client.get("/forgotten").status_code == 303
    sign_in(client, officer.user_id)
    assert client.get("/forgotten").status_code == 403


def test_signing_in_and_out(app: Flask, officer: User) -> None:
    client = app.test_client()
    assert client.get("/officer/").location.startswith("/sign-in?next=")
    assert sign_in(client, officer.user_id) == 303
    assert inside(client)
    page = client.get("/officer/me").text
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert csrf
    assert client.post("/sign-out", data={"csrf_token": csrf[1]}).status_code == 303
    assert not inside(client)


def test_wrong_password_unknown_user_and_disabled_look_alike(app: Flask, central: Central, officer: User) -> None:
    add_user(central, "former", (Role.OFFICER, Agency.CUSTOMS))
    with central.storage.write() as session:
        central.users.set_disabled(session, user_id="former", disabled=True, by="test", now=central.clock())
    pages = []
    for user_id, password in ((officer.user_id, "wrong password"), ("nobody", PASSWORD), ("former", PASSWORD)):
        client = app.test_client()
        form = {"user_id": user_id, "password": password, "csrf_token": token(client)}
        response = client.post("/sign-in", data=form)
        assert response.status_code == 403
        text = re.sub(r'value="[^"]*"', "", response.text)
        pages.append(re.sub(r'content="[^"]*"', "", text))
    assert pages[0] == pages[1] == pages[2]


def test_the_throttle(app: Flask, officer: User, clock: Clock) -> None:
    client = app.test_client()
    assert [sign_in(client, officer.user_id, "wrong password") for _ in range(6)] == [403] * 5 + [429]
    assert sign_in(client, officer.user_id) == 429, "also for the right password"
    clock.advance(minutes=16)
    assert sign_in(client, officer.user_id) == 303


def test_guessing_from_elsewhere_locks_nobody_out_of_their_own_place(
    app: Flask, central: Central, officer: User
) -> None:
    guesser, own = app.test_client(), app.test_client()
    guesser.environ_base["REMOTE_ADDR"] = "10.0.0.66"
    assert [sign_in(guesser, officer.user_id, "wrong password") for _ in range(6)] == [403] * 5 + [429]
    assert sign_in(own, officer.user_id) == 303


def test_one_address_that_tries_many_people_is_stopped(app: Flask, officer: User) -> None:
    client = app.test_client()
    for number in range(30):
        assert sign_in(client, f"user{number}", "wrong password") == 403
    assert sign_in(client, officer.user_id) == 429


def test_behind_a_proxy_the_workstation_counts_and_a_forged_address_does_not(
    make_config: MakeConfig, clock: Clock
) -> None:
    app = create_app(make_config(proxies=1), clock)
    try:
        add_user(central_of(app), "olga", (Role.OFFICER, Agency.CUSTOMS))
        guesser, own = app.test_client(), app.test_client()
        own.environ_base["HTTP_X_FORWARDED_FOR"] = "10.0.0.1"
        answers = []
        for number in range(6):
            guesser.environ_base["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}, 10.0.0.66"
            answers.append(sign_in(guesser, "olga", "wrong password"))
        assert answers == [403] * 5 + [429]
        assert sign_in(own, "olga") == 303
    finally:
        central_of(app).close()


def test_csrf(app: Flask, officer: User) -> None:
    client = app.test_client()
    assert client.post("/sign-in", data={"user_id": officer.user_id, "password": PASSWORD}).status_code == 400
    sign_in(client, officer.user_id)
    assert client.post("/sign-out").status_code == 400
    assert inside(client)


def test_sessions_end(app: Flask, central: Central, officer: User, clock: Clock) -> None:
    client = app.test_client()
    sign_in(client, officer.user_id)
    for _ in range(3):
        clock.advance(minutes=central.config.session_idle_minutes - 1)
        assert inside(client), "work keeps a session open"
    clock.advance(minutes=central.config.session_idle_minutes + 1)
    assert not inside(client)


def test_a_disabled_person_is_out_at_once(app: Flask, central: Central, officer: User) -> None:
    client = app.test_client()
    sign_in(client, officer.user_id)
    with central.storage.write() as session:
        central.users.set_disabled(session, user_id=officer.user_id, disabled=True, by="test", now=central.clock())
    assert not inside(client)
    with central.storage.read() as session:
        assert session.scalars(select(SignInSession)).all() == []


def test_a_stolen_database_holds_no_password_key_or_session(app: Flask, central: Central, officer: User) -> None:
    client = app.test_client()
    sign_in(client, officer.user_id)
    with client.session_transaction() as cookie:
        secret = str(cookie["corridor_token"])
    with central.storage.read() as session:
        row = session.scalars(select(StoredUser)).one()
        assert row.password_hash.startswith("$argon2id$")
        assert PASSWORD not in row.password_hash
        assert secret not in session.scalars(select(SignInSession)).one().token_sha256


@pytest.mark.parametrize("path", ["//evil", "/\\evil", "https://evil", "evil", "/ok\nSet-Cookie: x", "", None])
def test_next_stays_here(path: str | None) -> None:
    assert _local_path(path) is None
    assert _local_path("/officer/cases/1?x=2") == "/officer/cases/1?x=2"


def test_roles_are_of_an_agency_and_a_site(officer: User, central: Central) -> None:
    site = central.config.site_id
    assert officer.may(Permission.QUEUE_VIEW, site_id=site, agency=Agency.CUSTOMS)
    assert not officer.may(Permission.QUEUE_VIEW, site_id=site, agency=Agency.POLICE)
    assert not officer.may(Permission.QUEUE_VIEW, site_id="brest-1")
    assert not officer.may(Permission.USERS_CHANGE, site_id=site)
    assert Permission.CASE_VIEW not in PERMISSIONS[Role.ADMINISTRATOR], "administrators see no cases"


@pytest.mark.parametrize(
    ("user_id", "password"), [("x", PASSWORD), ("a b", PASSWORD), ("anna", "short"), ("olga", PASSWORD)]
)
def test_users_that_cannot_be(central: Central, officer: User, user_id: str, password: str) -> None:
    with central.storage.write() as session, pytest.raises(InvalidUser):
        central.users.create(
            session, user_id=user_id, name="Anna", password=password, grants=(), by="test", now=central.clock()
        )


def test_a_page_has_the_headers(app: Flask) -> None:
    headers = app.test_client().get("/sign-in").headers
    assert headers["Cache-Control"] == "no-store"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_stale_sessions_are_forgotten(central: Central, officer: User, clock: Clock) -> None:
    with central.storage.write() as session:
        row = session.get_one(StoredUser, (central.config.site_id, officer.user_id))
        central.users.sign_in(session, row, clock())
        central.users.end_stale(session, clock() + timedelta(hours=11), longest=timedelta(hours=10))
        assert session.scalars(select(SignInSession)).all() == []
