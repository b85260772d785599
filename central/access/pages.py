"""Sign in and sign out. The page itself is templates/officer/sign_in.html."""

from __future__ import annotations

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from central.access.guard import TOKEN, requires, session_token
from central.access.permissions import Permission, User
from central.access.users import Refused, Throttled
from central.service import central_of

blueprint = Blueprint("access", __name__)


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    """The form (fields `user_id`, `password`, `next`) and its answer.

    The template gets `error` (None, "refused" or "throttled"), `user_id` as typed and `next`.
    """
    following = _local_path(request.values.get("next"))
    if request.method == "GET":
        if g.user is not None:
            return redirect(following or home_of(g.user), code=303)
        return _form(None, following, 200)
    user_id = request.form.get("user_id", "")[:64].strip()
    password = request.form.get("password", "")[:1000]
    central, now = central_of(current_app), central_of(current_app).clock()
    address = request.remote_addr or "unknown"
    try:
        with central.storage.read() as reading:
            central.users.throttle(reading, user_id, address, now)
            row = central.users.check_password(reading, user_id, password)
    except Throttled:
        return _form("throttled", following, 429)  # not counted: the window ends, also for who keeps knocking
    except Refused:
        with central.storage.write() as writing:
            central.users.count_failure(writing, user_id, address, now)
        return _form("refused", following, 403)
    session.clear()  # a new session for a new person: nothing planted before survives
    with central.storage.write() as writing:
        session[TOKEN] = central.users.sign_in(writing, row, now)
        user = central.users.load(writing, row.user_id)
    return redirect(following or home_of(user), code=303)


@blueprint.post("/sign-out")
@requires(Permission.SELF)
def sign_out() -> Response:
    """End this browser's session."""
    central = central_of(current_app)
    token = session_token()
    if token is not None:
        with central.storage.write() as writing:
            central.users.sign_out(writing, token, central.clock())
    session.clear()
    return redirect(url_for("access.sign_in"), code=303)


def home_of(user: User) -> str:
    """Where a person starts."""
    site = central_of(current_app).config.site_id
    return "/officer/" if user.may(Permission.QUEUE_VIEW, site_id=site) else "/admin/"


def _form(error: str | None, following: str | None, status: int) -> Response:
    page = render_template(
        "officer/sign_in.html",
        error=error,
        user_id=request.form.get("user_id", ""),
        next=following,
        site_name=central_of(current_app).config.site_name,
    )
    return make_response(page, status)


def _local_path(value: str | None) -> str | None:
    """A path of this site, or None: never another host (`//host`, `/\\host`)."""
    if not value or not value.startswith("/") or value.startswith(("//", "/\\")) or "\\" in value:
        return None
    return value if all(" " < character < "\x7f" for character in value) else None
