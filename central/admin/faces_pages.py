"""The addresses of face comparison: what kiosks compare with, measurements, and what officers found."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from central import face_measurements
from central.access.guard import current_user, requires
from central.access.permissions import Permission
from central.admin.faces_view import ENGINES, faces_view, measurement_view, refusal, running_words
from central.counting import Busy
from central.face_sets import InvalidSet, read_set
from central.officer.shell import say, words_of_request
from central.service import Central, central_of
from contracts.face_measurement import FaceEngine

PLACE = "/admin/faces"
LARGEST_UPLOAD = 160 * 1024 * 1024

blueprint = Blueprint("faces", __name__, url_prefix=PLACE)


@blueprint.get("")
@requires(Permission.FACES_VIEW)
def faces() -> str:
    return render_template("admin/faces.html", faces=faces_view(_central(), current_user(), words_of_request()))


@blueprint.post("")
@requires(Permission.FACES_MEASURE)
def measure() -> BaseResponse:
    """Order a measurement; what does not fit comes back with words, and nothing is kept of it."""
    words, form = words_of_request(), request.form
    engine = form.get("engine", "")
    try:
        if engine not in ENGINES:
            raise InvalidSet("engine")
        number = face_measurements.order(
            _central(),
            current_user(),
            read_set(listed=_file("list"), pairs=_file("pairs"), archive=_file("pictures")),
            station_id=form.get("station", ""),
            engine=cast(FaceEngine, engine),
            match_rate=_rate(form.get("match_rate", "")),
            note=form.get("note", ""),
        )
    except InvalidSet as invalid:
        say("error", refusal(invalid.reason, invalid.place[:120], words))
        return redirect(PLACE, code=303)
    say("done", words("faces.ordered", number=number))
    return redirect(f"{PLACE}/{number}", code=303)


measure.corridor_body_limit = LARGEST_UPLOAD  # type: ignore[attr-defined]  # read by central.app


@blueprint.get("/<int:number>")
@requires(Permission.FACES_VIEW)
def measurement(number: int) -> str:
    try:
        view = measurement_view(_central(), current_user(), number, words_of_request())
    except face_measurements.UnknownMeasurement:
        abort(404)
    return render_template("admin/faces_measurement.html", faces=view)


@blueprint.get("/<int:number>/progress")
@requires(Permission.FACES_VIEW)
def measurement_progress(number: int) -> dict[str, Any]:
    try:
        one = face_measurements.measurement(_central(), current_user(), number)
    except face_measurements.UnknownMeasurement:
        abort(404)
    if not one.is_open:
        return {"running": False}
    says = running_words(one, words_of_request())
    return {"running": True, "done": one.done, "total": one.total, "says": says}


@blueprint.post("/<int:number>/stop")
@requires(Permission.FACES_MEASURE)
def stop(number: int) -> BaseResponse:
    try:
        face_measurements.stop(_central(), current_user(), number)
    except face_measurements.UnknownMeasurement:
        abort(404)
    say("done", words_of_request()("faces.stopped_now"))
    return redirect(f"{PLACE}/{number}", code=303)


@blueprint.post("/referrals")
@requires(Permission.FACES_MEASURE)
def count_referrals() -> BaseResponse:
    try:
        _central().face_referrals.start(_central(), current_user())
    except Busy:
        say("error", refusal("busy", "", words_of_request()))
    return redirect(f"{PLACE}#referrals", code=303)


@blueprint.get("/referrals/progress")
@requires(Permission.FACES_VIEW)
def referrals_progress() -> dict[str, Any]:
    progress = _central().face_referrals.progress
    if progress is None:
        return {"running": False}
    words = words_of_request()
    says = words("rules.effect_running", done=words.number(progress[0]), total=words.number(progress[1]))
    return {"running": True, "done": progress[0], "total": progress[1], "says": says}


@blueprint.post("/referrals/cancel")
@requires(Permission.FACES_MEASURE)
def cancel_referrals() -> BaseResponse:
    _central().face_referrals.cancel(_central(), current_user())
    return redirect(f"{PLACE}#referrals", code=303)


def _file(name: str) -> bytes:
    sent = request.files.get(name)
    return sent.read() if sent is not None and sent.filename else b""


def _rate(text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidSet("match_rate") from None


def _central() -> Central:
    return central_of(current_app)
