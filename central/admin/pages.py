"""The administrator's pages and their addresses. Nothing here opens a case; its service audits every change."""

from __future__ import annotations

import json

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from central.access.guard import current_user, requires
from central.access.permissions import Permission, Role, RoleGrant
from central.access.users import MINIMUM_PASSWORD, InvalidUser
from central.admin.today_view import today_view
from central.audit import PEOPLE
from central.messages import Words
from central.officer import kiosk_pages
from central.officer.figures_view import figures_view
from central.officer.shell import say, words_of_request
from central.service import Central, central_of
from central.storage.models import AuditHead
from contracts.disposition import Agency
from contracts.events import AuditTag

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("/")
@requires(Permission.FIGURES_VIEW)
def home() -> BaseResponse:
    return redirect(url_for("admin.today"), code=303)


@blueprint.get("/today")
@requires(Permission.FIGURES_VIEW)
def today() -> str:
    """Five figures, three charts, the kiosks, and what needs a person."""
    return render_template("admin/today.html", today=today_view(_central(), current_user(), words_of_request()))


@blueprint.get("/figures")
@requires(Permission.FIGURES_VIEW)
def figures() -> str:
    return render_template(
        "admin/figures.html", figures=figures_view(_central(), current_user(), words_of_request())
    )


# --- kiosks -------------------------------------------------------------------------------------------------


@blueprint.get("/kiosks")
@requires(Permission.KIOSKS_VIEW)
def kiosks() -> str:
    return kiosk_pages.page("admin/kiosks.html", "/admin/kiosks")


@blueprint.post("/kiosks/<kiosk_id>/suspend")
@requires(Permission.KIOSKS_CHANGE)
def suspend_kiosk(kiosk_id: str) -> BaseResponse:
    return kiosk_pages.change(kiosk_id, suspended=True, back="/admin/kiosks")


@blueprint.post("/kiosks/<kiosk_id>/resume")
@requires(Permission.KIOSKS_CHANGE)
def resume_kiosk(kiosk_id: str) -> BaseResponse:
    return kiosk_pages.change(kiosk_id, suspended=False, back="/admin/kiosks")


# --- people -------------------------------------------------------------------------------------------------


@blueprint.get("/people")
@requires(Permission.USERS_VIEW)
def people() -> str:
    return _people_page({"name": "", "user": ""})


@blueprint.post("/people")
@requires(Permission.USERS_CHANGE)
def create_person() -> BaseResponse | tuple[str, int]:
    """Add a person with a first role; what does not fit comes back with words."""
    central, words, form = _central(), words_of_request(), request.form
    filled = {"name": form.get("name", "").strip(), "user": form.get("user", "").strip()}
    try:
        with central.storage.write() as writing:
            central.users.create(
                writing,
                user_id=filled["user"],
                name=filled["name"],
                password=form.get("password", "")[:1000],
                grants=(_grant(form.get("grant", ""), words),),
                by=current_user().user_id,
                now=central.clock(),
                language=words.language,
            )
    except InvalidUser as invalid:
        say("error", words("people.refused", why=invalid))
        return _people_page(filled), 422
    say("done", words("people.created", name=filled["name"]))
    return redirect(url_for("admin.people"), code=303)


@blueprint.post("/people/<user_id>/roles")
@requires(Permission.USERS_CHANGE)
def change_roles(user_id: str) -> BaseResponse:
    """Add or remove one role; nobody removes their own way back in."""
    central, words = _central(), words_of_request()
    try:
        with central.storage.write() as writing:
            before = central.users.load(writing, user_id)
            grants = [(grant.role, grant.agency) for grant in before.grants]
            if added := request.form.get("add"):
                grants.append(_grant(added, words))
            elif removed := request.form.get("remove"):
                gone = _grant(removed, words)
                grants = [grant for grant in grants if grant != gone]
            keeps = any(role is Role.ADMINISTRATOR for role, _ in grants)
            if user_id == current_user().user_id and not keeps:
                raise InvalidUser(words("people.not_me"))
            central.users.set_grants(
                writing, user_id=user_id, grants=tuple(grants), by=current_user().user_id, now=central.clock()
            )
    except InvalidUser as invalid:
        say("error", words("people.refused", why=invalid))
    else:
        say("done", words("people.changed", name=before.name))
    return redirect(url_for("admin.people"), code=303)


@blueprint.post("/people/<user_id>/disable")
@requires(Permission.USERS_CHANGE)
def disable_person(user_id: str) -> BaseResponse:
    return _set_disabled(user_id, disabled=True)


@blueprint.post("/people/<user_id>/enable")
@requires(Permission.USERS_CHANGE)
def enable_person(user_id: str) -> BaseResponse:
    return _set_disabled(user_id, disabled=False)


def _set_disabled(user_id: str, *, disabled: bool) -> BaseResponse:
    central, words = _central(), words_of_request()
    try:
        with central.storage.write() as writing:
            central.users.set_disabled(
                writing, user_id=user_id, disabled=disabled, by=current_user().user_id, now=central.clock()
            )
    except InvalidUser as invalid:
        say("error", words("people.refused", why=invalid))
    else:
        say("done", words("people.changed", name=user_id))
    return redirect(url_for("admin.people"), code=303)


def _people_page(filled: dict[str, str]) -> str:
    central, words, me = _central(), words_of_request(), current_user().user_id
    with central.storage.read() as reading:
        rows = central.users.all(reading)
    shown = [
        {
            "name": row.user.name,
            "user": row.user.user_id,
            "grants": [_grant_choice(grant, words) for grant in row.user.grants],
            "state": words("people.disabled" if row.disabled else "people.enabled")
            + (f", {words('people.demo')}" if row.demo else ""),
            "disabled": row.disabled,
            "is_me": row.user.user_id == me,
        }
        for row in rows
    ]
    site = central.config.site_id
    choices = [_grant_choice(RoleGrant(role, agency, site), words) for role in Role for agency in Agency]
    page = {"people": shown, "grants": choices, "form": filled, "least_password": MINIMUM_PASSWORD}
    return render_template("admin/people.html", people=page)


def _grant_choice(grant: RoleGrant, words: Words) -> dict[str, str]:
    return {
        "value": f"{grant.role.value}/{grant.agency.value}",
        "words": words(
            "people.grant",
            role=words(f"role.{grant.role.value}"),
            agency=words(f"agency.{grant.agency.value}"),
            site=grant.site_id,
        ),
    }


def _grant(value: str, words: Words) -> tuple[Role, Agency]:
    role, _, agency = value.partition("/")
    try:
        return Role(role), Agency(agency)
    except ValueError as problem:
        raise InvalidUser(words("people.role_missing")) from problem


# --- audit --------------------------------------------------------------------------------------------------


@blueprint.get("/audit")
@requires(Permission.AUDIT_VIEW)
def audit() -> str:
    return _audit_page(verify=False)


@blueprint.post("/audit/verify")
@requires(Permission.AUDIT_VIEW)
def verify_audit() -> str:
    """Recompute every chain and show what was found; that somebody looked is itself an event."""
    return _audit_page(verify=True)


def _audit_page(*, verify: bool) -> str:
    central, words = _central(), words_of_request()
    before = request.args.get("before", "")
    tag, chain = request.args.get("tag", ""), request.args.get("chain", "")
    with central.storage.read() as reading:
        reports = central.audit.verify(reading) if verify else ()
        page = central.audit.page(
            reading,
            before=int(before) if before.isascii() and before.isdigit() and len(before) < 20 else None,
            tag=tag or None,
            chain=chain or None,
        )
        chain_names = reading.scalars(
            select(AuditHead.chain).where(AuditHead.site_id == central.config.site_id).order_by(AuditHead.chain)
        ).all()
    if verify:
        broken = [report.chain for report in reports if not report.intact]
        with central.storage.write() as writing:
            central.audit.append(
                writing,
                chain=PEOPLE,
                tag=AuditTag.AUDIT_CHAIN_VERIFIED,
                actor=current_user().user_id,
                now=central.clock(),
                detail={"chains": len(reports), "broken": broken},
            )
    older = url_for("admin.audit", before=page.next_before, tag=tag or None, chain=chain or None)
    shown = {
        "chains": [
            {
                "name": report.chain,
                "events": words.number(report.length),
                "whole": report.intact,
                "words": words("audit.whole")
                if report.intact
                else words("audit.broken", number=report.broken_at, why=report.reason),
            }
            for report in reports
        ]
        if verify
        else None,
        "tags": [tag.value for tag in AuditTag],
        "tag": tag,
        "chain_names": chain_names,
        "chain": chain,
        "events": [
            {
                "number": event.sequence,
                "at": words.moment(event.at),
                "tag": event.tag,
                "actor": event.actor,
                "record": event.record_id or "",
                "detail": json.dumps(event.detail, ensure_ascii=False, sort_keys=True) if event.detail else "",
            }
            for event in page.events
        ],
        "older": older if page.next_before is not None else "",
        "newest": url_for("admin.audit", tag=tag or None, chain=chain or None) if before else "",
    }
    return render_template("admin/audit.html", audit=shown)


def _central() -> Central:
    return central_of(current_app)
