"""The frame around every page: rail, person, language, clock, and what the last form said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import current_app, flash, g, get_flashed_messages, request, session

from central.access.permissions import Permission, User
from central.messages import LANGUAGE_NAMES, LANGUAGES, Catalogue, Words
from central.service import Central, central_of

LANGUAGE = "language"
KEYS = "keys_off"


@dataclass(frozen=True)
class RailLink:
    label: str
    icon: str
    href: str
    current: bool


@dataclass(frozen=True)
class Shell:
    """What `officer/console.html` draws around a page."""

    rail: tuple[tuple[RailLink, ...], ...]
    person_name: str
    site_name: str
    timezone: str
    now: datetime
    messages: tuple[tuple[str, str], ...]
    keys: bool


# Where each link leads, and what it takes to see it. Officers' pages come first for whoever holds both.
_OFFICER_RAIL = (
    ("queue", "list-checks", "/officer/queue", Permission.QUEUE_VIEW),
    ("case", "file-text", "/officer/case", Permission.CASE_VIEW),
    ("exit", "door-open", "/officer/exit", Permission.EXIT_CHECK),
    ("find", "search", "/officer/find", Permission.QUEUE_VIEW),
)
_ADMIN_RAIL = (
    ("today", "gauge", "/admin/today", Permission.FIGURES_VIEW),
    ("rules", "scale", "/admin/rules", Permission.RULES_VIEW),
    ("trust", "badge-check", "/admin/trust", Permission.TRUST_VIEW),
    ("faces", "scan-face", "/admin/faces", Permission.FACES_VIEW),
    ("people", "users", "/admin/people", Permission.USERS_VIEW),
    ("audit", "history", "/admin/audit", Permission.AUDIT_VIEW),
)
_SHARED_RAIL = (
    ("kiosks", "monitor", "kiosks", Permission.KIOSKS_VIEW),
    ("figures", "chart-line", "figures", Permission.FIGURES_VIEW),
)


def words_of_request() -> Words:
    """The catalogue in the reader's language: chosen, the person's own, or the browser's."""
    central = central_of(current_app)
    wanted = request.args.get("language") if request.endpoint == "access.sign_in" else None
    if wanted in LANGUAGES:
        session[LANGUAGE] = wanted
    user: User | None = g.get("user")
    language = (
        session.get(LANGUAGE)
        or (user.language if user is not None else None)
        or request.accept_languages.best_match(LANGUAGES)
    )
    catalogue: Catalogue = current_app.extensions["staff_messages"]
    return Words(catalogue, language if language in LANGUAGES else "en", central.timezone)


def template_context() -> dict[str, Any]:
    """What every template of central may use: `words`, `shell` for whoever is signed in, `language_names`."""
    context: dict[str, Any] = {"words": words_of_request(), "language_names": LANGUAGE_NAMES}
    user: User | None = g.get("user")
    if user is not None:
        context["shell"] = _shell(central_of(current_app), user)
    return context


def say(kind: str, text: str) -> None:
    """A sentence on top of the next page; `kind` is `done` or `error`."""
    flash(text, kind)


def _shell(central: Central, user: User) -> Shell:
    site = central.config.site_id
    officer = user.may(Permission.QUEUE_VIEW, site_id=site)
    base = "/officer" if officer else "/admin"

    def link(label: str, icon: str, href: str) -> RailLink:
        within = {
            "case": ("/officer/cases/",),
            "rules": ("/admin/rules/", "/admin/rates"),
            "faces": ("/admin/faces/",),
        }.get(label)
        here = request.path == href or (within is not None and request.path.startswith(within))
        return RailLink(f"rail.{label}", icon, href, here)

    def allowed(entries: tuple[tuple[str, str, str, Permission], ...], prefix: str = "") -> list[RailLink]:
        return [
            link(label, icon, prefix + href)
            for label, icon, href, permission in entries
            if user.may(permission, site_id=site)
        ]

    shown = allowed(_OFFICER_RAIL)
    # Officers read rules and figures in their own pages; the rest of the administration has roles of its own.
    if (
        not officer
        or user.may(Permission.USERS_VIEW, site_id=site)
        or user.may(Permission.AUDIT_VIEW, site_id=site)
    ):
        shown += allowed(_ADMIN_RAIL)
    shown += allowed(_SHARED_RAIL, f"{base}/")
    foot = [link("me", "user", "/officer/me")]
    if user.may(Permission.KIOSKS_VIEW, site_id=site):
        foot.insert(0, link("stop", "hand", "/officer/stop"))
    return Shell(
        rail=(tuple(shown), tuple(foot)),
        person_name=user.name,
        site_name=central.config.site_name,
        timezone=central.config.timezone,
        now=central.clock(),
        messages=tuple(cast(list[tuple[str, str]], get_flashed_messages(with_categories=True))),
        keys=not session.get(KEYS, False),
    )
