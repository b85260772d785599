"""The guard of the people's pages: deny by default, with one list of open views.

A view says what it needs with `@requires(Permission.…)`. A view that says nothing and is not in `OPEN_VIEWS`
answers 403 to everybody, so that forgetting the decorator shows at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from central.access.permissions import Permission, User
from central.service import Central, central_of

OPEN_VIEWS: frozenset[str] = frozenset(
    {
        "access.sign_in",  # the sign-in page itself
        "static_files",  # styles, scripts, icons: nothing personal
        "asset_files",
        "home",  # sends to the sign-in page or the queue
        "healthy",  # says that the process lives, nothing else
    }
)
SIGNED_BLUEPRINT = "api"  # every view there checks an RFC 9421 signature or is listed as public in central.api
TOKEN = "corridor_token"  # noqa: S105 - the name of a cookie entry
TOUCH_EVERY = timedelta(minutes=1)

View = TypeVar("View", bound=Callable[..., Any])


def requires(permission: Permission) -> Callable[[View], View]:
    """Mark a view with the permission it needs, in any agency of the site; the view narrows to one."""

    def mark(view: View) -> View:
        view.corridor_permission = permission  # type: ignore[attr-defined]  # read by the guard
        return view

    return mark


def current_user() -> User:
    """The signed-in person of this request. Only for views behind `requires`."""
    user: User = g.user
    return user


def session_token() -> str | None:
    """The token of the browser's session, if it has one."""
    token = session.get(TOKEN)
    return token if isinstance(token, str) else None


def install(app: Flask) -> None:
    """Guard every request of `app`."""
    app.before_request(_guard)


def _guard() -> BaseResponse | None:
    g.user = None
    endpoint = request.endpoint
    if endpoint is None or request.blueprint == SIGNED_BLUEPRINT:
        return None  # 404 and 405 are Flask's; the API has its own guard
    central = central_of(current_app)
    if endpoint != "static_files" and endpoint != "asset_files":
        g.user = _signed_in(central)
    if endpoint in OPEN_VIEWS:
        return None
    if g.user is None:
        return _to_sign_in()
    view = current_app.view_functions[endpoint]
    permission: Permission | None = getattr(view, "corridor_permission", None)
    if permission is None or not g.user.may(permission, site_id=central.config.site_id):
        abort(403)
    return None


def _signed_in(central: Central) -> User | None:
    token = session_token()
    if token is None:
        return None
    now = central.clock()
    with central.storage.read() as reading:
        found = central.users.of_session(
            reading,
            token,
            now,
            idle=timedelta(minutes=central.config.session_idle_minutes),
            longest=timedelta(hours=central.config.session_hours),
        )
    if found is None:
        session.pop(TOKEN, None)
        return None
    user, seen_at = found
    if now - seen_at > TOUCH_EVERY:
        with central.storage.write() as writing:
            central.users.touch(writing, token, now)
    return user


def still_in(central: Central, token: str | None, user: User) -> bool:
    """Whether a stream that was opened long ago may go on: the same person, of the same roles, still signed in."""
    if token is None:
        return False
    with central.storage.read() as reading:
        found = central.users.of_session(
            reading,
            token,
            central.clock(),
            idle=timedelta(minutes=central.config.session_idle_minutes),
            longest=timedelta(hours=central.config.session_hours),
        )
    return found is not None and found[0] == user


def _to_sign_in() -> BaseResponse:
    if request.headers.get("HX-Request") or request.accept_mimetypes.best == "text/event-stream":
        return Response(status=401)
    following = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("access.sign_in", next=following), code=303)
