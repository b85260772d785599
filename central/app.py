"""The Flask application: blueprints, templates, static files, headers, errors."""

from __future__ import annotations

import importlib
import io
import logging
import secrets
from pathlib import Path

from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask_wtf.csrf import CSRFProtect
from jinja2 import FileSystemLoader, PrefixLoader
from jinja2.exceptions import TemplateNotFound
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from central import service
from central.access import guard, pages
from central.config import CentralConfig
from central.keys import load_key_file
from central.production import NotForProduction, refusals
from contracts.errors import place_of

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
AUDIENCES = ("shared", "officer", "admin", "print", "public")  # central's loader sees no kiosk template
# Engineers' blueprints by module; each module offers `blueprint`.
PAGES: tuple[str, ...] = (
    "central.officer.pages",
    "central.officer.declaration_pages",
    "central.admin.pages",
    "central.admin.trust_pages",
    "central.admin.rules_pages",
    "central.admin.faces_pages",
)

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

logger = logging.getLogger("corridor.central")


def make_app(config: CentralConfig, clock: service.Clock) -> Flask:
    """See `central.create_app`."""
    if config.profile == "production" and (reasons := refusals(config)):
        raise NotForProduction("; ".join(reasons))  # also for a server that is not ours
    app = Flask("central", static_folder=None, template_folder=None)
    app.request_class = _RequestInMemory
    if config.proxies:
        # Else every workstation has the proxy's address, and one guesser locks out all. The host is not theirs
        # to say: it is signed by kiosks and checked against allowed_hosts.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask tells to
            app.wsgi_app, x_for=config.proxies, x_proto=config.proxies, x_host=0, x_prefix=0
        )
    app.url_map.merge_slashes = False  # a signed path is the path, not something near it
    central = service.build(config, clock)
    app.extensions["central"] = central
    app.config.update(
        SECRET_KEY=load_key_file(config.session_secret_file, "session").current.secret,
        SESSION_COOKIE_NAME="corridor_central",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=config.profile == "production",
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session, which has its own limits
        WTF_CSRF_SSL_STRICT=config.profile == "production",
        MAX_CONTENT_LENGTH=256 * 1024,  # pages; the API has limits of its own per view
        TRUSTED_HOSTS=list(config.allowed_hosts) or None,
    )
    app.jinja_loader = PrefixLoader({audience: FileSystemLoader(TEMPLATES / audience) for audience in AUDIENCES})
    app.jinja_env.autoescape = True
    protection = CSRFProtect()
    app.before_request(_name_request)
    guard.install(app)
    app.before_request(_allow_larger_bodies)
    protection.init_app(app)
    app.after_request(_headers)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    _register_files(app, config)

    from central.api import blueprint as api

    app.register_blueprint(api)
    protection.exempt(api)  # kiosks hold no cookie: their requests are signed instead
    app.register_blueprint(pages.blueprint)
    for module in PAGES:
        blueprint: Blueprint = importlib.import_module(module).blueprint
        app.register_blueprint(blueprint)
    return app


class _RequestInMemory(Request):
    """Files that are sent stay in memory, bounded by the view's limit: no picture reaches a disk in clear."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> io.BytesIO:
        return io.BytesIO()


def _register_files(app: Flask, config: CentralConfig) -> None:
    @app.get("/static/<audience>/<path:name>", endpoint="static_files")
    def static_files(audience: str, name: str) -> Response:
        if audience not in AUDIENCES:
            raise NotFound
        return send_from_directory(TEMPLATES / audience / "static", name, max_age=3600)

    @app.get("/assets/<path:name>", endpoint="asset_files")
    def asset_files(name: str) -> Response:
        return send_from_directory(config.assets_dir, name, max_age=3600)

    @app.get("/", endpoint="home")
    def home() -> BaseResponse:
        return redirect(url_for("access.sign_in") if g.user is None else pages.home_of(g.user), code=303)

    @app.get("/healthz", endpoint="healthy")
    def healthy() -> dict[str, str]:
        return {"state": "working"}


def _allow_larger_bodies() -> None:
    """A view that takes files says how much (`corridor_body_limit`); the guard has been there before."""
    view = current_app.view_functions.get(request.endpoint or "")
    limit: int | None = getattr(view, "corridor_body_limit", None)
    if limit is not None:
        request.max_content_length = limit


def _name_request() -> None:
    g.request_id = secrets.token_hex(8)


def _headers(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.endpoint not in ("static_files", "asset_files"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _http_error(error: HTTPException) -> BaseResponse:
    from central.api import error_response

    if request.path.startswith("/api/"):
        return error_response(error)
    status = error.code or 500
    if error.response is not None:  # a redirect of the router
        return error.get_response()
    try:
        page = render_template("public/error.html", status=status, request_id=g.get("request_id", ""))
    except TemplateNotFound:
        page = f"{status} {error.name}. Request {g.get('request_id', '')}."
        return Response(page, status=status, mimetype="text/plain")
    return Response(page, status=status)


def _unexpected(error: Exception) -> BaseResponse:
    """An error that nobody foresaw: kind and place go to the log, its text may be personal."""
    logger.error("request %s: %s", g.get("request_id", ""), place_of(error))
    from werkzeug.exceptions import InternalServerError

    return _http_error(InternalServerError())
