"""The officers' pages and their addresses. Every view names its permission; services narrow to an agency."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    stream_with_context,
    url_for,
)
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from central import dispositions, receipts, referrals
from central.access.guard import current_user, requires, session_token, still_in
from central.access.permissions import Permission, User
from central.access.users import Refused, Throttled
from central.law_case import CaseLaw, case_law
from central.messages import LANGUAGES, Catalogue, Words
from central.officer import kiosk_pages
from central.officer.case_view import AgencyOutcome, CaseStanding, CaseView, HistoryEntry, case_view
from central.officer.decision_view import DecisionPanel, decision_panel
from central.officer.figures_view import figures_view, queue_facts, rates_of
from central.officer.law_view import person_law
from central.officer.queue_view import queue_view
from central.officer.shell import KEYS, LANGUAGE, say, template_context, words_of_request
from central.referrals import Case, Closed, HeldBy, NotAllowed, QueueEntry, UnknownCase
from central.service import Central, central_of
from central.storage.models import StoredReferral
from contracts.disposition import Agency, DispositionOutcome, ReferralState
from contracts.events import AuditTag
from contracts.evidence import EvidenceKind

blueprint = Blueprint("officer", __name__, url_prefix="/officer")
CONSOLE_EXIT = "console"  # the audit chain of exits that have no gate of their own
EXIT_ICONS = {
    "open": "circle-check",
    "to_desk": "arrow-right",
    "used": "history",
    "expired": "clock",
    "unknown": "ban",
}


@blueprint.record_once
def _load_messages(state: BlueprintSetupState) -> None:
    app = state.app
    app.extensions["staff_messages"] = Catalogue.load()
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


blueprint.app_context_processor(template_context)


# --- the queue ----------------------------------------------------------------------------------------------


@blueprint.get("/")
@requires(Permission.QUEUE_VIEW)
def home() -> BaseResponse:
    return redirect(url_for("officer.queue"), code=303)


@blueprint.get("/queue")
@requires(Permission.QUEUE_VIEW)
def queue() -> str:
    """The open cases of every agency that the officer works for."""
    central, user, words = _central(), current_user(), words_of_request()
    site = central.config.site_id
    agencies = user.agencies(Permission.QUEUE_VIEW, site_id=site)
    entries = _entries(central, user)
    sees_alarms = user.may(Permission.ALARMS_VIEW, site_id=site)
    view = queue_view(
        entries,
        me=user.user_id,
        shown=request.args.get("show", "all"),
        agencies=agencies,
        alarms=referrals.alarms(central, user) if sees_alarms else (),
        today=queue_facts(central, user, words),
        may_claim=user.may(Permission.CASE_CLAIM, site_id=site),
        now=central.clock(),
        words=words,
    )
    return render_template("officer/queue.html", queue=view)


@blueprint.get("/events")
@requires(Permission.QUEUE_VIEW)
def events() -> Response:
    """Server-sent events: `referral` for a new case of the officer's agencies, `change` for everything else.

    Ids are audit ids; a page that was away sends Last-Event-ID and gets what it missed. A traveller who was
    cleared is no news here, and neither is a case of an agency that the officer does not work for.
    """
    central, user, token = _central(), current_user(), session_token()
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 20 else None

    def written() -> Iterator[str]:
        yield "retry: 3000\n\n"
        for event in central.broker.stream(after):
            if not still_in(central, token, user):
                return  # signed out, disabled, idle for too long or of other roles: the page asks anew
            if event is None:
                yield ": still here\n\n"
                continue
            if event.record_id is not None and not _mine(central, user, event.record_id):
                continue
            new = event.tag == AuditTag.TRANSACTION_DECISION_MADE
            data = json.dumps({"tag": event.tag, "record_id": event.record_id})
            yield f"id: {event.id}\nevent: {'referral' if new else 'change'}\ndata: {data}\n\n"

    response = Response(stream_with_context(written()), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _mine(central: Central, user: User, record_id: str) -> bool:
    """Whether the record is a referral of an agency that the officer works for."""
    site = central.config.site_id
    agencies = [agency.value for agency in user.agencies(Permission.QUEUE_VIEW, site_id=site)]
    with central.storage.read() as reading:
        found = reading.scalar(
            select(StoredReferral.record_id).where(
                StoredReferral.site_id == site,
                StoredReferral.record_id == record_id,
                StoredReferral.agency.in_(agencies),
            )
        )
    return found is not None


def _entries(central: Central, user: User) -> tuple[QueueEntry, ...]:
    """The agencies' queues as one, in the same order of severity and waiting."""
    agencies = user.agencies(Permission.QUEUE_VIEW, site_id=central.config.site_id)
    entries = [entry for agency in agencies for entry in referrals.queue(central, user, agency)]
    return tuple(sorted(entries, key=lambda entry: (entry.opened_at, entry.record_id)))


# --- the case -----------------------------------------------------------------------------------------------


@blueprint.get("/case")
@requires(Permission.CASE_VIEW)
def current_case() -> BaseResponse | str:
    """The case the officer claimed last, or words."""
    central, user, words = _central(), current_user(), words_of_request()
    mine = [entry for entry in _entries(central, user) if entry.claimed_by == user.user_id and entry.claimed_at]
    if mine:
        entry = max(mine, key=lambda entry: str(entry.claimed_at))
        return redirect(url_for("officer.case", agency=entry.agency.value, record_id=entry.record_id), code=303)
    return render_template("officer/words.html", heading=words("case.none"), text=words("case.none_text"))


@blueprint.get("/cases/<agency>/<record_id>")
@requires(Permission.CASE_VIEW)
def case(agency: str, record_id: str) -> str:
    return _case_page(_agency(agency), record_id, {}, ())


@blueprint.post("/cases/<agency>/<record_id>/claim")
@requires(Permission.CASE_CLAIM)
def claim(agency: str, record_id: str) -> BaseResponse:
    """Take the case; a claim that fails says who holds it."""
    words = words_of_request()
    try:
        referrals.claim(_central(), current_user(), record_id, _agency(agency))
    except HeldBy as held:
        say("error", words("queue.held", name=held.name, time=words.clock(held.since)))
        return redirect(url_for("officer.queue"), code=303)
    except Closed:
        say("error", words("queue.closed_already"))
        return redirect(url_for("officer.queue"), code=303)
    except (NotAllowed, UnknownCase):
        abort(404)
    return redirect(url_for("officer.case", agency=agency, record_id=record_id), code=303)


@blueprint.post("/cases/<agency>/<record_id>/unclaim")
@requires(Permission.CASE_CLAIM)
def unclaim(agency: str, record_id: str) -> BaseResponse:
    try:
        referrals.unclaim(_central(), current_user(), record_id, _agency(agency))
    except Closed:
        say("error", words_of_request()("queue.closed_already"))
    except (NotAllowed, UnknownCase):
        abort(404)
    return redirect(url_for("officer.queue"), code=303)


@blueprint.post("/cases/<agency>/<record_id>/disposition")
@requires(Permission.CASE_DISPOSE)
def dispose(agency: str, record_id: str) -> BaseResponse | tuple[str, int]:
    """Sign and close the agency's part of the case. What does not fit comes back with words, passwords empty."""
    words, mine = words_of_request(), _agency(agency)
    form = request.form
    filled = {
        name: form.get(name, "") for name in ("outcome", "reason_code", "hand_over_to", "note", "second_officer")
    }
    problem: str
    try:
        outcome = DispositionOutcome(filled["outcome"])
        two_sign = bool(filled["second_officer"] or form.get("second_password"))
        hands_over = outcome is DispositionOutcome.HAND_OVER and filled["hand_over_to"]
        dispositions.dispose(
            _central(),
            current_user(),
            record_id,
            mine,
            outcome=outcome,
            reason_code=filled["reason_code"],
            password=form.get("password", "")[:1000],
            note=" ".join(filled["note"].split())[:500],
            hand_over_to=Agency(filled["hand_over_to"]) if hands_over else None,
            second=dispositions.Second(filled["second_officer"].strip(), form.get("second_password", "")[:1000])
            if two_sign
            else None,
            address=request.remote_addr or "unknown",
        )
    except dispositions.InvalidDisposition as invalid:
        problem = invalid.reason
    except Throttled:
        problem = "throttled"
    except Refused:
        problem = "password_refused"
    except Closed:
        say("error", words("queue.closed_already"))
        return redirect(url_for("officer.queue"), code=303)
    except ValueError:
        problem = "outcome_missing"
    except NotAllowed:
        if not two_sign:
            abort(404)
        problem = "second_officer_not_allowed"  # a page of a case that is not the officer's own is 404 anyway
    except UnknownCase:
        abort(404)
    else:
        say("done", words("decide.done", outcome=words(f"outcome.{outcome.value}")))
        return redirect(url_for("officer.case", agency=agency, record_id=record_id), code=303)
    return _case_page(mine, record_id, filled, (words(f"decide.error.{problem}"),)), 422


@blueprint.get("/cases/<agency>/<record_id>/evidence/<person_id>/<kind>")
@requires(Permission.CASE_VIEW)
def evidence(agency: str, record_id: str, person_id: str, kind: str) -> Response:
    """One decrypted picture: authorised, audited, never stored on the way."""
    try:
        picture = referrals.picture(
            _central(), current_user(), record_id, _agency(agency), person_id, EvidenceKind(kind)
        )
    except (NotAllowed, LookupError, ValueError):
        abort(404)
    response = Response(picture.data, mimetype=picture.media_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = "inline"
    return response


@blueprint.get("/cases/<agency>/<record_id>/duty-sheet")
@requires(Permission.CASE_VIEW)
def duty_sheet(agency: str, record_id: str) -> str:
    """The arithmetic on paper: line, norm, rate, formula, sum, and who signed."""
    central, words = _central(), words_of_request()
    found = _case(central, _agency(agency), record_id)
    if found.record is None or found.decision is None:
        abort(404)
    signed = next((item for item in found.dispositions if item.agency is found.agency), None)
    signer = ""
    if signed is not None:
        with central.storage.read() as reading:
            names = {row.user.user_id: row.user.name for row in central.users.all(reading)}
        signer = f"{names.get(signed.officer_id, signed.officer_id)} ({signed.officer_id})"
    return render_template(
        "print/duty_sheet.html",
        case=_shown(central, found, words),
        signed=signed,
        signer=signer,
        printed=central.clock(),
    )


def _case(central: Central, agency: Agency, record_id: str) -> Case:
    try:
        return referrals.case(central, current_user(), record_id, agency)
    except (NotAllowed, UnknownCase):
        abort(404)


def _case_page(agency: Agency, record_id: str, filled: Mapping[str, str], errors: tuple[str, ...]) -> str:
    central, words = _central(), words_of_request()
    found = _case(central, agency, record_id)
    if found.record is None or found.decision is None:
        return render_template(
            "officer/words.html",
            heading=words("case.title", number=found.queue.receipt_number),
            text=words("case.no_name_erased"),
        )
    panel = _panel(central, found, filled, errors, words)
    return render_template("officer/case.html", case=_shown(central, found, words), decision=panel)


def _shown(central: Central, found: Case, words: Words) -> CaseView:
    assert found.record is not None and found.decision is not None
    law = case_law(central, found)
    rules, people = _rules(central, law), law.now.persons if law is not None else ()
    return case_view(
        found.record,
        found.decision,
        {person_id: person_law(law, person_id, words, rules=rules) for person_id in people if law is not None},
        found.pictures,
        rates_of(central, current_user(), words),
        _standing(central, found, words),
        words,
    )


def _rules(central: Central, law: CaseLaw | None) -> str:
    """Where the version of the law is read that a case is judged by; empty for who may not read it."""
    if law is None or not current_user().may(Permission.RULES_VIEW, site_id=central.config.site_id):
        return ""
    numbers = {term.version.sha256: term.version.number for term in central.law.terms()}
    number = numbers.get(law.features.pack_sha256)
    return f"/admin/rules/versions/{number}" if number is not None else ""


def _standing(central: Central, found: Case, words: Words) -> CaseStanding:
    mine = next(part for part in found.referrals if part.agency is found.agency)
    me = current_user().user_id
    if mine.claimed_by is None:
        holder = words("case.unclaimed")
    else:
        holder = words("case.mine") if mine.claimed_by == me else words("case.held", name=mine.claimed_by_name)
    signed = {item.agency: item for item in found.dispositions}
    with central.storage.read() as reading:
        names = {row.user.user_id: row.user.name for row in central.users.all(reading)}
    outcomes = []
    for part in found.referrals:
        state = words(f"referral.{part.state.value}")
        if part.agency in signed:
            item = signed[part.agency]
            state = words(
                "case.outcome",
                outcome=words(f"outcome.{item.outcome.value}"),
                code=item.reason_code,
                name=names.get(item.officer_id, item.officer_id),
                time=words.clock(item.decided_at),
            )
        outcomes.append(AgencyOutcome(words(f"agency.{part.agency.value}"), state))
    return CaseStanding(
        agency=found.agency,
        since=mine.opened_at,
        now=central.clock(),
        holder=holder,
        closed=words("case.closed", time=words.clock(mine.closed_at)) if mine.closed_at else "",
        outcomes=tuple(outcomes),
        history=tuple(
            HistoryEntry(
                event.at, words.either(f"history.{event.tag}", event.tag) + _by(event.actor, names, words)
            )
            for event in found.history
            # Looking at a picture is part of looking at the case.
            if "picture" not in event.detail
        ),
    )


def _by(actor: str, names: Mapping[str, str], words: Words) -> str:
    return words("history.by", name=names[actor]) if actor in names else ""


def _panel(
    central: Central, found: Case, filled: Mapping[str, str], errors: tuple[str, ...], words: Words
) -> DecisionPanel:
    """The form for whoever holds the case, or for a supervisor after the alarm; words for everybody else."""
    user, site = current_user(), central.config.site_id
    mine = next(part for part in found.referrals if part.agency is found.agency)
    if mine.state not in (ReferralState.OPEN, ReferralState.PRESENTED):
        signed = next((item for item in found.dispositions if item.agency is found.agency), None)
        assessed = signed is not None and signed.outcome is DispositionOutcome.ASSESS_DUTY
        return DecisionPanel(False, why_not=words("decide.closed"), duty_sheet=assessed, errors=errors)
    holds = mine.claimed_by == user.user_id
    closes_no_show = (
        mine.no_show_at is not None
        and mine.claimed_by is None
        and user.may(Permission.NO_SHOW_CLOSE, site_id=site, agency=found.agency)
    )
    if not (holds or closes_no_show) or not user.may(Permission.CASE_DISPOSE, site_id=site, agency=found.agency):
        free = mine.claimed_by is None
        why = words("decide.claim_first") if free else words("case.held", name=mine.claimed_by_name)
        return DecisionPanel(
            False,
            may_claim=free and user.may(Permission.CASE_CLAIM, site_id=site, agency=found.agency),
            why_not=why,
            errors=errors,
        )
    classes = frozenset(reason.reason_class for reason in found.queue.reasons)
    return decision_panel(
        found.agency, classes, no_show=closes_no_show and not holds, filled=filled, errors=errors, words=words
    )


def _agency(name: str) -> Agency:
    try:
        return Agency(name)
    except ValueError:
        abort(404)


# --- finding, the exit --------------------------------------------------------------------------------------


@blueprint.get("/find")
@requires(Permission.QUEUE_VIEW)
def find() -> str:
    """Cases by the number on the receipt; names are not searched."""
    words = words_of_request()
    sought = request.args.get("receipt", "").strip()[:8]
    entries = referrals.find(_central(), current_user(), sought) if sought.isdigit() else ()
    found = [
        {
            "record_id": entry.record_id,
            "agency": entry.agency.value,
            "receipt_number": entry.receipt_number,
            "text": words(
                "find.line",
                agency=words(f"agency.{entry.agency.value}"),
                state=words(f"referral.{entry.state.value}"),
                day=words.moment(entry.opened_at),
            ),
        }
        for entry in entries
    ]
    return render_template("officer/find.html", sought=sought, found=found)


@blueprint.route("/exit", methods=["GET", "POST"])
@requires(Permission.EXIT_CHECK)
def exit_check() -> str:
    """Scan the receipt; the answer in words, big."""
    words, answer = words_of_request(), None
    if request.method == "POST":
        answer = _exit_answer(request.form.get("receipt", "").strip()[:1200], words)
    return render_template("officer/exit.html", answer=answer)


def _exit_answer(token: str, words: Words) -> dict[str, str]:
    """What the officer at the exit reads. A bare number opens nothing: anybody can read it over a shoulder."""
    if token.isdigit():
        return {
            "value": "unknown",
            "icon": EXIT_ICONS["unknown"],
            "title": words("exit.number_only"),
            "text": words("exit.number_only.text", number=token[:8]),
        }
    central = _central()
    with central.storage.write() as writing:
        checked = receipts.check(central, writing, token=token, exit_id=CONSOLE_EXIT, actor=current_user().user_id)
    central.broker.wake()
    value, number = checked.answer.value, checked.receipt_number
    return {
        "value": value,
        "icon": EXIT_ICONS[value],
        "title": words(f"exit.{value}", desk=checked.desk),
        "text": words(f"exit.{value}.text", number=number),
    }


# --- kiosks, figures, me ------------------------------------------------------------------------------------


@blueprint.get("/kiosks")
@requires(Permission.KIOSKS_VIEW)
def kiosks() -> str:
    return kiosk_pages.page("officer/kiosks.html", "/officer/kiosks")


@blueprint.post("/kiosks/<kiosk_id>/suspend")
@requires(Permission.KIOSKS_CHANGE)
def suspend_kiosk(kiosk_id: str) -> BaseResponse:
    return kiosk_pages.change(kiosk_id, suspended=True, back="/officer/kiosks")


@blueprint.post("/kiosks/<kiosk_id>/resume")
@requires(Permission.KIOSKS_CHANGE)
def resume_kiosk(kiosk_id: str) -> BaseResponse:
    return kiosk_pages.change(kiosk_id, suspended=False, back="/officer/kiosks")


@blueprint.get("/stop")
@requires(Permission.KIOSKS_VIEW)
def stop() -> str:
    return kiosk_pages.stop_page("/officer/stop")


@blueprint.post("/stop")
@requires(Permission.KIOSKS_CHANGE)
def stop_now() -> BaseResponse:
    return kiosk_pages.stop(back="/officer/stop")


@blueprint.get("/figures")
@requires(Permission.FIGURES_VIEW)
def figures() -> str:
    return render_template(
        "officer/figures.html", figures=figures_view(_central(), current_user(), words_of_request())
    )


@blueprint.get("/me")
@requires(Permission.SELF)
def me() -> str:
    central, user, words = _central(), current_user(), words_of_request()
    with central.storage.read() as reading:
        row = next(row for row in central.users.all(reading) if row.user.user_id == user.user_id)
    grants = [
        words(
            "people.grant",
            role=words(f"role.{grant.role.value}"),
            agency=words(f"agency.{grant.agency.value}"),
            site=grant.site_id,
        )
        for grant in user.grants
    ]
    shown = {"name": user.name, "grants": grants, "key_id": row.signing_key_id}
    return render_template("officer/me.html", me=shown)


@blueprint.post("/me")
@requires(Permission.SELF)
def change_me() -> BaseResponse:
    """The reader's language and whether single keys act, for this browser's session."""
    language = request.form.get("language", "")
    if language in LANGUAGES:
        session[LANGUAGE] = language
    session[KEYS] = request.form.get("keys") != "on"
    say("done", words_of_request()("me.saved"))
    return redirect(url_for("officer.me"), code=303)


def _central() -> Central:
    return central_of(current_app)
