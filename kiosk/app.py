"""The kiosk's web application: the screens' state, the traveller's touches, previews and live updates.

Actions: `POST /action/<name>`, form data, CSRF token (`csrf_token` field or `X-CSRFToken` header). Answers 303 to
/screen for a page's form and `{"revision": n}` for `Accept: application/json`; a refused one answers 409 (does not
fit the screen) or 422 (fields) with `contracts.errors.ErrorBody`. `GET /state` lists what may be posted now.

| action        | fields                                    | screen           | what it does                  |
|---------------|-------------------------------------------|------------------|-------------------------------|
| start         | language (optional)                       | welcome          | opens a journey               |
| accept_notice |                                           | notice           | begins with the document      |
| ask_officer   |                                           | before sending   | a person takes over           |
| back          |                                           | where meaningful | one step; answers are kept    |
| retry         |                                           | document, face   | looks again; costs no try     |
| alone         |                                           | party            | nobody else: on to the goods  |
| add_person    |                                           | party            | the next person's document    |
| goods         | kinds (repeated; GoodsKind or cash)       | goods, details   | chooses cards, stays          |
| declare       | channel=green/red, kinds (optional)       | goods            | the legal answer; green       |
|               |                                           |                  | without kinds clears cards    |
| amounts       | amount-<kind>, unit-<kind>, value-<kind>, | details          | how much; empty = not known   |
|               | currency-<kind>, weight-<kind>;           |                  |                               |
|               | or declaration = JSON {"items": [         |                  |                               |
|               | GoodsItem…], "money": [Money…]}           |                  |                               |
| recount       | as amounts                                | details          | keeps the amounts and stays   |
| bag           | count (0 to 10)                           | bag              | how many; scanned in turn     |
| unaccompanied | answer=yes/no                             | bag              | baggage sent apart            |
| change        | screen=goods/details/bag                  | review           | goes back to that answer      |
| sign          |                                           | review           | certifies; next adult or send |
| print_receipt |                                           | result           | prints once more              |
| finish        |                                           | result           | wipes                         |
| more_time     |                                           | with the warning | keeps the session             |
| language      | code                                      | all              | keeps all answers             |
| text_size     | percent=100/125/150                       | all              | keeps all answers             |
| contrast      | mode=normal/high                          | all              | keeps all answers             |

`GET /state` → the `View` as JSON without `review` and `travellers`, with `csrf_token` and `step_seconds` (machine
seconds of the journey by step; `challenge` is the traveller's own time, not in `total`). Its status is 503 until
the models are loaded.
`GET /events` → server-sent events, `data: <revision>` at each change.
`GET /preview/{face,document}.mjpeg` → multipart JPEG, only while that step is on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Literal, cast

from flask import Flask, Response, abort, current_app, jsonify, redirect, request
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from werkzeug.exceptions import HTTPException

from contracts.errors import ErrorBody, ErrorCode
from kiosk.conductor import Conductor
from kiosk.config import KioskConfig
from kiosk.screens import add_screens

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
# Everything a browser may ask a kiosk for; whatever is registered besides answers 404.
_OPEN = frozenset(
    {
        ("GET", "state"),
        ("GET", "events"),
        ("GET", "preview"),
        ("POST", "act"),
        ("GET", "screens.home"),
        ("GET", "screens.screen"),
        ("GET", "screens.gallery"),
        ("GET", "screens.gallery_page"),
        ("GET", "screens.static_file"),
        ("GET", "screens.asset"),
        ("GET", "screens.speech"),
    }
)
_LARGEST_POST = 128 * 1024
_KEEP_ALIVE_S = 15.0
_ERRORS = {
    HTTPStatus.NOT_FOUND: ErrorCode.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: ErrorCode.NOT_ALLOWED,
    HTTPStatus.FORBIDDEN: ErrorCode.NOT_ALLOWED,
    HTTPStatus.BAD_REQUEST: ErrorCode.NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ErrorCode.RECORD_TOO_LARGE,
}


def make_app(config: KioskConfig, conductor: Conductor) -> Flask:
    """The web application of one kiosk around a conductor that the caller starts and closes."""
    app = Flask("kiosk", static_folder=None)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),  # for the CSRF token only; a restart makes open pages reload
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_NAME="corridor-kiosk",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        MAX_CONTENT_LENGTH=_LARGEST_POST,
        MAX_FORM_PARTS=200,
    )
    CSRFProtect(app)
    app.extensions["conductor"] = conductor
    add_screens(
        app,
        assets_dir=config.assets_dir,
        speech_dir=config.data_dir / "speech",
        speaker=conductor.speaker,
        rehearsal=config.profile != "production",
    )
    hosts = frozenset({config.host, "127.0.0.1", "localhost", "[::1]", *config.trusted_hosts})

    @app.before_request
    def guard() -> None:
        if request.host.rpartition(":")[0] not in hosts and request.host not in hosts:
            abort(HTTPStatus.BAD_REQUEST)  # another name that was made to point here
        method = "GET" if request.method == "HEAD" else request.method
        if request.url_rule is not None and (method, request.endpoint) not in _OPEN:
            abort(HTTPStatus.NOT_FOUND)

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.add_url_rule("/state", "state", _state, methods=["GET"])
    app.add_url_rule("/events", "events", _events, methods=["GET"])
    app.add_url_rule("/preview/<kind>.mjpeg", "preview", _preview, methods=["GET"])
    app.add_url_rule("/action/<name>", "act", _act, methods=["POST"])
    app.register_error_handler(CSRFError, _csrf_missing)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _own_error)
    return app


def _conductor() -> Conductor:
    return cast(Conductor, current_app.extensions["conductor"])


def _state() -> Response:
    conductor = _conductor()
    view = asdict(conductor.view())
    del view["review"], view["travellers"], view["writing"]
    answer = jsonify({**view, "step_seconds": conductor.step_seconds, "csrf_token": generate_csrf()})
    if conductor.starting:
        answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE  # for whoever waits until it may be used
    return answer


def _events() -> Response:
    conductor = _conductor()

    def stream() -> Iterator[str]:
        revision = conductor.revision
        yield f"data: {revision}\n\n"
        while not conductor.closing:
            newer = conductor.wait_for_change(revision, _KEEP_ALIVE_S)
            yield f"data: {newer}\n\n" if newer != revision else ": still here\n\n"
            revision = newer

    return Response(stream(), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _preview(kind: str) -> Response:
    if kind not in ("face", "document"):
        abort(HTTPStatus.NOT_FOUND)
    pictures = _conductor().preview(cast(Literal["face", "document"], kind))

    def stream() -> Iterator[bytes]:
        for picture in pictures:
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            yield head.encode() + picture + b"\r\n"

    return Response(stream(), mimetype="multipart/x-mixed-replace; boundary=frame")


def _act(name: str) -> Any:
    refusal = _conductor().act(name, request.form.to_dict(flat=False))
    if not _wants_json():
        # The page shows what was wrong; a touch that came too late is simply answered by the present screen.
        return redirect("/screen", HTTPStatus.SEE_OTHER)
    if refusal is None:
        return jsonify({"revision": _conductor().revision})
    if not refusal.fits:
        return _refuse(HTTPStatus.CONFLICT, ErrorCode.NOT_ALLOWED, "This is not possible on the present screen.")
    return _refuse(
        HTTPStatus.UNPROCESSABLE_ENTITY, ErrorCode.RECORD_INVALID, "A field cannot be taken.", refusal.place
    )


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def _refuse(status: HTTPStatus, code: ErrorCode, message: str, place: str | None = None) -> Any:
    body = ErrorBody(code=code, message=message, place=place)
    return Response(body.model_dump_json(), status=status, mimetype="application/json")


def _csrf_missing(error: CSRFError) -> Any:
    if _wants_json():
        return _refuse(HTTPStatus.FORBIDDEN, ErrorCode.NOT_ALLOWED, "The page is out of date; load it again.")
    return redirect("/screen", HTTPStatus.SEE_OTHER)  # a page from before a restart: show the present one


def _http_error(error: HTTPException) -> Any:
    status = HTTPStatus(error.code or 500)
    return _refuse(status, _ERRORS.get(status, ErrorCode.INTERNAL), status.phrase)


def _own_error(error: Exception) -> Any:
    current_app.logger.error("a request failed: %s", type(error).__name__)  # its text could quote a field
    return _refuse(HTTPStatus.INTERNAL_SERVER_ERROR, ErrorCode.INTERNAL, "The kiosk could not answer.")
