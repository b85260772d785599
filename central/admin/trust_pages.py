"""The addresses of the trust store: see it, propose a version, approve or reject what another proposed."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from central import trust
from central.access.guard import current_user, requires
from central.access.permissions import Permission
from central.admin.trust_view import refusal, trust_view
from central.officer.shell import say, words_of_request
from central.service import central_of
from documents.trust_sources import LARGEST_FILE

PLACE = "/admin/trust"
_LARGEST_UPLOAD = LARGEST_FILE + 1024 * 1024
_MOST_FILES = 64

blueprint = Blueprint("trust", __name__, url_prefix=PLACE)


@blueprint.get("")
@requires(Permission.TRUST_VIEW)
def store() -> str:
    view = trust_view(central_of(current_app), current_user(), words_of_request())
    return render_template("admin/trust.html", trust=view)


@blueprint.post("")
@requires(Permission.TRUST_CHANGE)
def propose() -> BaseResponse:
    """A new version out of the files; what does not fit comes back with words, and nothing is kept of it."""
    words, central = words_of_request(), central_of(current_app)
    uploads = [
        trust.Upload(file.filename, file.read(), root=field == "root")
        for field in ("root", "files")
        for file in request.files.getlist(field)[:_MOST_FILES]
        if file.filename
    ]
    withdraw = request.form.get("withdraw", "")[:20_000].split()
    if not uploads and not withdraw:
        say("error", refusal("no_files", "", words))
        return redirect(PLACE, code=303)
    try:
        version = trust.propose(
            central, current_user(), uploads, withdraw=withdraw, note=request.form.get("note", "")
        )
    except trust.InvalidTrust as invalid:
        say("error", refusal(invalid.reason, invalid.place[:120], words))
    else:
        say("done", words("trust.proposed_now", number=version.number))
    return redirect(PLACE, code=303)


propose.corridor_body_limit = _LARGEST_UPLOAD  # type: ignore[attr-defined]  # read by central.app


@blueprint.post("/<int:number>/approve")
@requires(Permission.TRUST_CHANGE)
def approve(number: int) -> BaseResponse:
    return _decide(number, approve=True)


@blueprint.post("/<int:number>/reject")
@requires(Permission.TRUST_CHANGE)
def reject(number: int) -> BaseResponse:
    return _decide(number, approve=False)


def _decide(number: int, *, approve: bool) -> BaseResponse:
    words = words_of_request()
    try:
        trust.decide(central_of(current_app), current_user(), number, approve=approve)
    except LookupError:
        abort(404)
    except trust.InvalidTrust as invalid:
        say("error", refusal(invalid.reason, invalid.place, words))
    else:
        say("done", words("trust.approved_now" if approve else "trust.rejected_now", number=number))
    return redirect(PLACE, code=303)
