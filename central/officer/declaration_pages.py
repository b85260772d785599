"""The declaration as a paper of its own: its versions, prints and files, and corrections at the desk.

Whoever may see the case may print it, and every print is written down; only who holds the case amends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from central import amendments, law_case, referrals
from central.access.guard import current_user, requires
from central.access.permissions import Permission
from central.amendments import NotHeld, NothingDeclared, Version
from central.law_case import CaseLaw
from central.messages import LANGUAGES, Catalogue, Words
from central.officer.case_view import person_name
from central.officer.declaration_form import cash_norm, declaration_pdf
from central.officer.law_view import Changes, person_law, total
from central.officer.shell import say, words_of_request
from central.referrals import Case, Closed, NotAllowed, UnknownCase
from central.sealing import Erased
from central.service import Central, central_of
from contracts.declaration import (
    Declaration,
    GoodsItem,
    GoodsKind,
    Money,
    MoneyKind,
    MoneyOrigin,
    MoneyUse,
    Purpose,
    TransportMode,
    Unit,
)
from contracts.disposition import Agency
from declarations.forms.serialise import serialisers
from declarations.forms.versions import BrokenRow

blueprint = Blueprint("declaration", __name__, url_prefix="/officer")
MOST_ROWS = 60  # of a list that the page offers for correction; what lies beyond stays as it is
NEW_ROWS = 2
_ITEM_FIELDS = ("description", "quantity", "unit", "value", "currency", "weight_kg", "hs_code")
_NUMBERS = frozenset({"quantity", "value", "weight_kg", "amount"})
_ROUTE = ("departure_country", "departure_date", "destination_country", "arrival_date", "transport")


@dataclass(frozen=True)
class Row:
    """One row of the correction form: the names of its fields start with `item-3-` or `money-0-`."""

    prefix: str
    number: int
    values: Mapping[str, str]
    new: bool = False


@dataclass(frozen=True)
class VersionLine:
    """`duty` is what the law says of this version; `counts`: what is owed follows from it."""

    number: int
    words: str
    duty: str
    counts: bool


@dataclass(frozen=True)
class DeclarationPage:
    """What the page shows."""

    agency: str
    record_id: str
    person_id: str
    name: str
    receipt_number: str
    versions: tuple[VersionLine, ...]  # newest first
    changes: Changes | None
    may_amend: bool
    open_version: int | None  # waits for the declarant's signature
    items: tuple[Row, ...]
    money: tuple[Row, ...]
    fields: Mapping[str, str]
    beyond: int
    errors: tuple[str, ...]


@blueprint.get("/blank-declaration.pdf")
@requires(Permission.QUEUE_VIEW)
def blank() -> Response:
    """A form to fill by hand, for when nothing else works."""
    central, words = _central(), _words_of_form()
    pdf = declaration_pdf(None, words, cash_norm=cash_norm(central.pack, words))
    return _file(pdf, "application/pdf", f"declaration-blank-{words.language}.pdf")


@blueprint.get("/cases/<agency>/<record_id>/declarations/<person_id>")
@requires(Permission.CASE_VIEW)
def versions(agency: str, record_id: str, person_id: str) -> str:
    return _page(agency, record_id, person_id, {}, ())


@blueprint.get("/cases/<agency>/<record_id>/declarations/<person_id>/<int:number>.<suffix>")
@requires(Permission.CASE_VIEW)
def paper(agency: str, record_id: str, person_id: str, number: int, suffix: str) -> Response:
    """One version as PDF (`?language=`), JSON or XML; the print is written down before it leaves."""
    central, words = _central(), _words_of_form()
    found = _case(agency, record_id)
    version = next((one for one in _versions(found, person_id) if one.declaration.version == number), None)
    formats = serialisers()
    if version is None or suffix not in ("pdf", *formats):
        abort(404)
    try:
        form = law_case.form(central, found, person_id, version)
    except ValidationError:
        abort(422)  # a record that no form can carry: the case page still shows what it says
    if suffix == "pdf":
        norm = cash_norm(central.pack, words)
        data, media_type = declaration_pdf(form, words, cash_norm=norm), "application/pdf"
    else:
        data, media_type = formats[suffix].write(form), formats[suffix].media_type
    amendments.printed(central, current_user(), found, person_id, number, suffix)
    return _file(data, media_type, f"declaration-{found.queue.receipt_number}-{person_id}-{number}.{suffix}")


@blueprint.post("/cases/<agency>/<record_id>/declarations/<person_id>")
@requires(Permission.CASE_DISPOSE)
def amend(agency: str, record_id: str, person_id: str) -> BaseResponse | tuple[str, int]:
    """Keep what the declarant corrects as a new version, not certified yet."""
    words, posted = words_of_request(), request.form
    newest = _versions(_case(agency, record_id), person_id)[-1].declaration
    changes, rows = corrections(newest, posted)
    try:
        amendments.amend(_central(), current_user(), record_id, _agency(agency), person_id, **changes)
    except (NotAllowed, UnknownCase, NothingDeclared, Erased):
        abort(404)
    except NotHeld:
        return _page(agency, record_id, person_id, posted, (words("decide.claim_first"),)), 409
    except Closed:
        return _page(agency, record_id, person_id, posted, (words("queue.closed_already"),)), 409
    except ValidationError as invalid:
        errors = tuple(dict.fromkeys(_said(error["loc"], rows, words) for error in invalid.errors()))
        return _page(agency, record_id, person_id, posted, errors), 422
    except ValueError:
        return _page(agency, record_id, person_id, posted, (words("paper.error.nothing"),)), 422
    say("done", words("paper.added"))
    return redirect(
        url_for("declaration.versions", agency=agency, record_id=record_id, person_id=person_id), code=303
    )


@blueprint.post("/cases/<agency>/<record_id>/declarations/<person_id>/<int:number>/witness")
@requires(Permission.CASE_DISPOSE)
def witness(agency: str, record_id: str, person_id: str, number: int) -> BaseResponse | tuple[str, int]:
    """The declarant has signed the print of the newest version."""
    words = words_of_request()
    if request.form.get("signed") != "yes":
        return _page(agency, record_id, person_id, {}, (words("paper.error.unsigned"),)), 422
    try:
        amendments.witness(_central(), current_user(), record_id, _agency(agency), person_id, number)
    except (NotAllowed, UnknownCase, NothingDeclared):
        abort(404)
    except NotHeld:
        return _page(agency, record_id, person_id, {}, (words("decide.claim_first"),)), 409
    except Closed:
        return _page(agency, record_id, person_id, {}, (words("queue.closed_already"),)), 409
    say("done", words("paper.witnessed"))
    return redirect(
        url_for("declaration.versions", agency=agency, record_id=record_id, person_id=person_id), code=303
    )


# -- the correction form ----------------------------------------------------------------------------------------


def corrections(
    before: Declaration, posted: Mapping[str, str]
) -> tuple[dict[str, Any], dict[tuple[str, int], int]]:
    """What the posted form changes, and the number of the row that each entry of a list came from.

    A row that was not posted stays as it is, one with `remove` goes, a new one without a kind is none. Nothing is
    judged here: that is the contract's.
    """
    items, item_rows = _entries("item", before.items, posted, _item)
    money, money_rows = _entries("money", before.money, posted, _money)
    rows = {("items", index): number for index, number in enumerate(item_rows)}
    rows |= {("money", index): number for index, number in enumerate(money_rows)}
    changes: dict[str, Any] = {"items": items, "money": money}
    if "unaccompanied" in posted:
        changes["unaccompanied_baggage"] = {"yes": True, "no": False}.get(posted["unaccompanied"])
    if "purpose" in posted:
        changes["purpose"] = posted["purpose"] or None
    if any(f"route-{name}" in posted for name in _ROUTE):
        way: dict[str, Any] = {name: posted.get(f"route-{name}", "").strip() or None for name in _ROUTE}
        for name in ("departure_country", "destination_country"):
            way[name] = way[name].upper() if way[name] else None
        way["transit"] = tuple(re.findall(r"[^\s,;]+", posted.get("route-transit", "").upper()))
        changes["route"] = way if any(way.values()) else None
    return changes, rows


def _entries(
    name: str, before: Sequence[GoodsItem] | Sequence[Money], posted: Mapping[str, str], entry: Any
) -> tuple[list[dict[str, Any]], list[int]]:
    found, rows = [], []
    for index in range(len(before) + NEW_ROWS):
        prefix = f"{name}-{index}-"
        earlier = before[index].model_dump() if index < len(before) else None
        said = {key.removeprefix(prefix): value.strip() for key, value in posted.items() if key.startswith(prefix)}
        if said.get("remove") or (earlier is None and not said.get("kind")):
            continue
        found.append(entry(earlier or {}, said) if said else earlier or {})
        rows.append(index + 1)
    return found, rows


def _item(earlier: dict[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    values = {name: _plain(name, said[name]) for name in _ITEM_FIELDS if name in said}
    item = earlier | values | ({"kind": said["kind"]} if "kind" in said else {})
    item["description"] = item.get("description") or ""
    # A unit or currency is always chosen in the form; without its figure it says nothing.
    for figure, measure in (("quantity", "unit"), ("value", "currency")):
        if item.get(figure) is None:
            item[measure] = None
    return item


def _money(earlier: dict[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    names = ("kind", "amount", "currency", "origin", "intended_use")
    money = earlier | {name: _plain(name, said[name]) for name in names if name in said}
    if "owner" in said or "whose" in said:
        # A name says that it is somebody else's; that it is somebody else's does not say whose.
        name, address = said.get("owner", ""), (earlier.get("owner") or {}).get("address", "")
        money["owner_is_declarant"] = not name and said.get("whose", "own") != "other"
        money["owner"] = {"name": name, "address": address} if name else None
    if money.get("kind") != MoneyKind.INSTRUMENT:
        money["instrument"] = None
    return money


def _plain(name: str, text: str) -> str | None:
    """A figure as people write it, in the contract's form; empty is not known."""
    if name in _NUMBERS:
        text = re.sub(r"[\s\u00a0\u202f]", "", text).replace(",", ".")
    if name == "currency":
        text = text.upper()
    return text or None


def _said(place: Sequence[int | str], rows: Mapping[tuple[str, int], int], words: Words) -> str:
    """Where the correction cannot be taken, in the words of the form."""
    head, index, field = [*place, "", "", ""][:3]
    if isinstance(index, int):
        number = rows.get((str(head), index), index + 1)
        name = words.either(f"paper.{field}", words("paper.kind"))
        return words("paper.error.row", section=words(f"paper.{head}"), row=number, field=name)
    return words("paper.error.field", field=words.either(f"paper.{index or head}", words("paper.route")))


# -- the page ---------------------------------------------------------------------------------------------------


def _page(agency: str, record_id: str, person_id: str, posted: Mapping[str, str], errors: tuple[str, ...]) -> str:
    central, words = _central(), words_of_request()
    found = _case(agency, record_id)
    assert found.record is not None
    kept = _versions(found, person_id)
    newest = kept[-1]
    person = next(one for one in found.record.party.persons if one.person_id == person_id)
    law = law_case.case_law(central, found)
    mine = next(part for part in found.referrals if part.agency is found.agency)
    page = DeclarationPage(
        agency=agency,
        record_id=record_id,
        person_id=person_id,
        name=person_name(person, words),
        receipt_number=found.queue.receipt_number,
        versions=tuple(_line(one, law, person_id, words) for one in reversed(kept)),
        changes=person_law(law, person_id, words).changes if law is not None else None,
        may_amend=mine.closed_at is None and mine.claimed_by == current_user().user_id,
        open_version=None if newest.certified else newest.declaration.version,
        items=_rows("item", newest.declaration.items, posted, words),
        money=_rows("money", newest.declaration.money, posted, words),
        fields=_fields(newest.declaration, posted),
        beyond=max(0, len(newest.declaration.items) - MOST_ROWS),
        errors=errors,
    )
    choices = {
        "kinds": [(kind.value, words.either(f"kind.{kind.value}", kind.value)) for kind in GoodsKind],
        "units": [(unit.value, words.either(f"unit.{unit.value}", unit.value)) for unit in Unit],
        "monies": [(kind.value, words(f"money.{kind.value}")) for kind in MoneyKind],
        "origins": [(code.value, words(f"origin.{code.value}")) for code in MoneyOrigin],
        "whose": [(answer, words(f"paper.whose.{answer}")) for answer in ("own", "other")],
        "uses": [(code.value, words(f"use.{code.value}")) for code in MoneyUse],
        "purposes": [
            (code.value, words(f"purpose.{code.value}"))
            for code in Purpose
            if code is not Purpose.TEMPORARY_IMPORT
        ],
        "modes": [(mode.value, words(f"mode.{mode.value}")) for mode in TransportMode],
    }
    return render_template("officer/declaration.html", page=page, choices=choices, languages=LANGUAGES)


def _line(version: Version, law: CaseLaw | None, person_id: str, words: Words) -> VersionLine:
    declaration = version.declaration
    if declaration.certified_at is None:
        said = words("paper.draft_by", name=version.entered_by)
    elif version.witness is not None:
        said = words("paper.signed_before", name=version.witness, moment=words.moment(declaration.certified_at))
    else:
        said = words("paper.certified_at", name=version.entered_by, moment=words.moment(declaration.certified_at))
    if law is None:
        return VersionLine(version.number, said, "", counts=False)
    duty = words("paper.duty", duty=total(law.judged(person_id, declaration), words))
    counts = version.number == law.standings[person_id].counts.number
    return VersionLine(version.number, said, duty, counts)


def _rows(
    name: str, entries: Sequence[GoodsItem] | Sequence[Money], posted: Mapping[str, str], words: Words
) -> tuple[Row, ...]:
    rows = []
    shown = list(range(min(len(entries), MOST_ROWS)))
    for index in [*shown, *range(len(entries), len(entries) + NEW_ROWS)]:
        prefix = f"{name}-{index}-"
        entry = entries[index] if index < len(entries) else None
        values = {
            key: "" if value is None else f"{value}"
            for key, value in (entry.model_dump().items() if entry else ())
            if not isinstance(value, (dict, tuple))
        }
        if isinstance(entry, Money):
            values["whose"] = "own" if entry.owner_is_declarant else "other"
            values["owner"] = entry.owner.name if entry.owner is not None else ""
        values |= {key.removeprefix(prefix): value for key, value in posted.items() if key.startswith(prefix)}
        rows.append(Row(prefix, index + 1, values, new=entry is None))
    return tuple(rows)


def _fields(declaration: Declaration, posted: Mapping[str, str]) -> dict[str, str]:
    answer = {True: "yes", False: "no", None: ""}[declaration.unaccompanied_baggage]
    route = declaration.route
    fields = {"unaccompanied": answer, "purpose": declaration.purpose or ""}
    fields |= {f"route-{name}": str(getattr(route, name, None) or "") for name in _ROUTE}
    fields["route-transit"] = ", ".join(route.transit) if route else ""
    return fields | {name: posted[name] for name in fields if name in posted}


def _versions(found: Case, person_id: str) -> tuple[Version, ...]:
    try:
        return amendments.versions(_central(), found, person_id)
    except (NothingDeclared, Erased):
        abort(404)
    except BrokenRow:
        abort(500)  # versions that were taken out or altered are for the auditor, not for the desk


def _case(agency: str, record_id: str) -> Case:
    try:
        found = referrals.case(_central(), current_user(), record_id, _agency(agency))
    except (NotAllowed, UnknownCase):
        abort(404)
    if found.record is None:
        abort(404)
    return found


def _agency(name: str) -> Agency:
    try:
        return Agency(name)
    except ValueError:
        abort(404)


def _words_of_form() -> Words:
    """The catalogue in the language that the print is asked for, else in the reader's own."""
    words = words_of_request()
    wanted = request.args.get("language", words.language)
    catalogue: Catalogue = current_app.extensions["staff_messages"]
    return Words(catalogue, wanted, words.timezone) if wanted in LANGUAGES else words


def _file(data: bytes, media_type: str, name: str) -> Response:
    response = Response(data, mimetype=media_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _central() -> Central:
    return central_of(current_app)
