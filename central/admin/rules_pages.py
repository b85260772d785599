"""The addresses of the law and the rates: see versions, propose, put into force with another, count effects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from central import lawmaking, rates_import
from central.access.guard import current_user, requires
from central.access.permissions import Permission
from central.admin.rates_view import rates_refusal, rates_view
from central.admin.rules_view import (
    differences_view,
    overview,
    progress_says,
    refusal,
    rule_view,
    version_view,
)
from central.counting import Busy
from central.messages import Words
from central.officer.shell import say, words_of_request
from central.service import Central, central_of

PLACE = "/admin/rules"
RATES = "/admin/rates"
_MOST_FILES = 6
_LARGEST_PROPOSAL = _MOST_FILES * lawmaking.LARGEST_LAYER + 64 * 1024
_LARGEST_RATES = rates_import.LARGEST_FILE + 64 * 1024

blueprint = Blueprint("law", __name__, url_prefix="/admin")


@blueprint.get("/rules")
@requires(Permission.RULES_VIEW)
def law() -> str:
    """The law in force, what waits, every version, and the rules with source and layer."""
    view = overview(_central(), current_user(), words_of_request(), request.args.get("show", ""))
    return render_template("admin/rules.html", law=view)


@blueprint.post("/rules")
@requires(Permission.RULES_CHANGE)
def propose() -> BaseResponse:
    """A new version out of layer files; what does not fit comes back with its place, and nothing is kept of it."""
    words, central = words_of_request(), _central()
    files: dict[str, bytes] = {}
    for file in request.files.getlist("layers")[:_MOST_FILES]:
        if file.filename:
            files[file.filename.rsplit("/", 1)[-1].removesuffix(".json").lower()] = file.read()
    name = request.form.get("pack", "")[:100] or central.pack.id
    try:
        version = lawmaking.propose(central, current_user(), name, files, note=request.form.get("note", ""))
    except lawmaking.InvalidLaw as invalid:
        say("error", refusal(invalid.reason, invalid.place, words))
        return redirect(PLACE, code=303)
    say("done", words("rules.proposed_now", label=version.label))
    return redirect(_version_place(version.number), code=303)


propose.corridor_body_limit = _LARGEST_PROPOSAL  # type: ignore[attr-defined]  # read by central.app


@blueprint.get("/rules/versions/<int:number>")
@requires(Permission.RULES_VIEW)
def version(number: int) -> str:
    """One version; with `examples=run` its worked examples are run."""
    ran = request.args.get("examples") == "run"
    shown = request.args.get("show", "")
    return _found(
        lambda words: render_template(
            "admin/rules_version.html",
            version=version_view(_central(), current_user(), words, number, shown, run_examples=ran),
        )
    )


@blueprint.get("/rules/versions/<int:number>/rules/<rule_id>")
@requires(Permission.RULES_VIEW)
def rule(number: int, rule_id: str) -> str:
    """Which layer said what about one rule."""
    return _found(
        lambda words: render_template("admin/rules_rule.html", rule=rule_view(_central(), words, number, rule_id))
    )


@blueprint.get("/rules/versions/<int:number>/differences")
@requires(Permission.RULES_VIEW)
def differences(number: int) -> str:
    """What this version says otherwise than another (`from`)."""
    before = request.args.get("from", "")
    if not before.isascii() or not before.isdigit() or len(before) > 9:
        abort(404)
    return _found(
        lambda words: render_template(
            "admin/rules_differences.html", view=differences_view(_central(), words, int(before), number)
        )
    )


@blueprint.post("/rules/versions/<int:number>/activation")
@requires(Permission.RULES_CHANGE)
def ask(number: int) -> BaseResponse:
    words = words_of_request()
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        say("error", refusal("no_date", "", words))
        return redirect(_version_place(number), code=303)
    return _changed(
        lambda: lawmaking.ask(_central(), current_user(), number, day),
        words("rules.asked_now"),
        PLACE,
        _version_place(number),
    )


@blueprint.post("/rules/rollback")
@requires(Permission.RULES_CHANGE)
def rollback() -> BaseResponse:
    words = words_of_request()
    return _changed(lambda: lawmaking.ask_rollback(_central(), current_user()), words("rules.asked_now"), PLACE)


@blueprint.post("/rules/activations/<int:number>/approve")
@requires(Permission.RULES_CHANGE)
def approve(number: int) -> BaseResponse:
    looked = request.form.get("looked") == "yes"
    return _changed(
        lambda: lawmaking.decide(_central(), current_user(), number, approve=True, looked=looked),
        words_of_request()("rules.approved_now"),
        PLACE,
    )


@blueprint.post("/rules/activations/<int:number>/reject")
@requires(Permission.RULES_CHANGE)
def reject(number: int) -> BaseResponse:
    return _changed(
        lambda: lawmaking.decide(_central(), current_user(), number, approve=False),
        words_of_request()("rules.rejected_now"),
        PLACE,
    )


@blueprint.post("/rules/activations/<int:number>/withdraw")
@requires(Permission.RULES_CHANGE)
def withdraw(number: int) -> BaseResponse:
    return _changed(
        lambda: lawmaking.withdraw(_central(), current_user(), number),
        words_of_request()("rules.withdrawn_now"),
        PLACE,
    )


@blueprint.post("/rules/versions/<int:number>/effect")
@requires(Permission.RULES_CHANGE)
def count_effect(number: int) -> BaseResponse:
    """Begin to count what the version would change, as if everybody crossed on the day that is given."""
    central, words = _central(), words_of_request()
    try:
        day = date.fromisoformat(request.form.get("day", ""))
        central.effects.start(central, current_user(), number, day)
    except ValueError:
        say("error", refusal("no_date", "", words))
    except LookupError:
        abort(404)
    except Busy:
        say("error", refusal("busy", "", words))
    return redirect(f"{_version_place(number)}#effect", code=303)


@blueprint.post("/rules/effect/cancel")
@requires(Permission.RULES_CHANGE)
def cancel_effect() -> BaseResponse:
    central = _central()
    progress = central.effects.progress
    central.effects.cancel(central, current_user())
    return redirect(PLACE if progress is None else f"{_version_place(progress.version)}#effect", code=303)


@blueprint.get("/rules/effect")
@requires(Permission.RULES_VIEW)
def effect_progress() -> Response:
    """How far the count is, for the page that shows it: words and figures; `running` false when it ended."""
    progress = progress_says(_central(), words_of_request())
    if progress is None:
        return jsonify({"running": False})
    return jsonify({"running": True, "says": progress.says, "done": progress.done, "total": progress.total})


# --- rates --------------------------------------------------------------------------------------------------


@blueprint.get("/rates")
@requires(Permission.RULES_VIEW)
def rates() -> str:
    """The exchange rates that count today, where they are from, and every import."""
    view = rates_view(_central(), current_user(), words_of_request())
    return render_template("admin/rates.html", rates=view)


@blueprint.post("/rates")
@requires(Permission.RULES_CHANGE)
def import_rates() -> BaseResponse:
    words, central, form = words_of_request(), _central(), request.form
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise rates_import.InvalidRates("no_file")
        made = rates_import.import_rates(
            central,
            current_user(),
            rates_import.parse(
                file.read(),
                day=_day_or_none(form.get("day", "")),
                base=form.get("base", "").strip().upper()[:3],
                source=form.get("source", "")[:120],
                valid_through=_day_or_none(form.get("valid_through", "")),
            ),
            confirmed=form.get("confirmed") == "yes",
        )
    except rates_import.InvalidRates as invalid:
        say("error", rates_refusal(invalid.reason, invalid.place, words))
    else:
        say("done", words("rates.imported_now", day=words.calendar_day(made.date), source=made.source))
    return redirect(RATES, code=303)


import_rates.corridor_body_limit = _LARGEST_RATES  # type: ignore[attr-defined]  # read by central.app


@blueprint.post("/rates/fetch")
@requires(Permission.RULES_CHANGE)
def fetch_rates() -> BaseResponse:
    words = words_of_request()
    try:
        made = rates_import.fetch(_central(), current_user())
    except rates_import.InvalidRates as invalid:
        say("error", rates_refusal(invalid.reason, invalid.place, words))
    else:
        say("done", words("rates.imported_now", day=words.calendar_day(made.date), source=made.source))
    return redirect(RATES, code=303)


# --- small --------------------------------------------------------------------------------------------------


def _central() -> Central:
    return central_of(current_app)


def _version_place(number: int) -> str:
    return f"{PLACE}/versions/{number}"


def _found(page: Callable[[Words], str]) -> str:
    try:
        return page(words_of_request())
    except LookupError:
        abort(404)


def _changed(
    change: Callable[[], object], done: str, place: str, place_refused: str | None = None
) -> BaseResponse:
    try:
        change()
    except LookupError:
        abort(404)
    except lawmaking.InvalidLaw as invalid:
        say("error", refusal(invalid.reason, invalid.place, words_of_request()))
        return redirect(place_refused or place, code=303)
    say("done", done)
    return redirect(place, code=303)


def _day_or_none(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise rates_import.InvalidRates("no_date", text[:20]) from None
