"""How the law of a site changes: a version is proposed, its activation asked for, and another person approves it.

Versions are made of layer files, merged and validated, and never change. Two administrators put one into force,
for the local midnight of a day to come; a rollback to the version before takes effect with its approval. Whoever
proposed a version does not approve it either, so that rules that nobody has verified are seen by a second person.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from central import law_news
from central.access.permissions import Permission, User
from central.audit import PEOPLE, SERVICE
from central.law import APPROVED, ASKED, DATED, REJECTED, ROLLBACK, SET_UP, SHIPPED, WITHDRAWN, Term, midnight
from central.referrals import NotAllowed
from central.storage.models import StoredActivation, StoredLaw
from contracts.canonical import canonical_json
from contracts.events import AuditTag
from declarations.examples import Ran, run
from declarations.packs import PACKS, RulePack, load_draft, load_pack, pack_names

if TYPE_CHECKING:
    from central.service import Central

LARGEST_LAYER = 2 * 1024 * 1024
_MOST_LAYERS = 6


class InvalidLaw(ValueError):
    """A proposal or decision that cannot be; `reason` is a stable code, `place` says where and what in words."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{reason}: {place}" if place else reason)
        self.reason, self.place = reason, place


@dataclass(frozen=True)
class Proposed:
    """A version as it lies there, without its pack."""

    number: int
    label: str
    sha256: str
    layers: Mapping[str, str]
    unverified: int
    note: str
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True)
class Activation:
    """A version's way into force, as it was asked for and decided."""

    number: int
    version: int
    label: str
    kind: str
    state: str
    effective_on: date | None
    effective_at: datetime | None
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None


# ---------------------------------------------------------------------------------------------------- reading


def versions(central: Central, limit: int = 30) -> tuple[Proposed, ...]:
    """The latest versions, newest first."""
    with central.storage.read() as session:
        rows = session.scalars(
            select(StoredLaw)
            .where(StoredLaw.site_id == central.config.site_id)
            .order_by(StoredLaw.version.desc())
            .limit(limit)
            .options(defer(StoredLaw.content))
        ).all()
        return tuple(_proposed(row) for row in rows)


def version(central: Central, number: int) -> Proposed:
    """One version. Raises LookupError."""
    with central.storage.read() as session:
        row = session.get(StoredLaw, (central.config.site_id, number), options=[defer(StoredLaw.content)])
        if row is None:
            raise LookupError(number)
        return _proposed(row)


def activations(central: Central, limit: int = 50) -> tuple[Activation, ...]:
    """The latest activations, newest first."""
    with central.storage.read() as session:
        rows = session.execute(
            select(StoredActivation, StoredLaw.label)
            .join(
                StoredLaw,
                (StoredLaw.site_id == StoredActivation.site_id) & (StoredLaw.version == StoredActivation.version),
            )
            .where(StoredActivation.site_id == central.config.site_id)
            .order_by(StoredActivation.activation.desc())
            .limit(limit)
        ).all()
        return tuple(_activation(row, label) for row, label in rows)


def before(central: Central) -> Term | None:
    """The term of the version that was law before the present one: where a rollback leads. None: there is none."""
    now = central.clock()
    current = central.law.term(now)
    earlier = [
        term
        for term in central.law.terms()
        if term.begins < current.begins and term.version.number != current.version.number
    ]
    return earlier[-1] if earlier else None


def shipped_layers() -> tuple[str, ...]:
    """The names of the layers that the software brings, without drafts."""
    return tuple(sorted(path.stem for path in PACKS.glob("*.json") if _is_layer(path)))


def run_examples(pack: RulePack, on: date) -> tuple[Ran, ...]:
    """The worked examples of a pack, each with what the evaluator answers and where that differs."""
    return tuple(run(pack, example, on) for example in pack.examples)


# ------------------------------------------------------------------------------------------------------ making


def propose(
    central: Central, user: User, pack_name: str, files: Mapping[str, bytes], *, note: str = ""
) -> Proposed:
    """A new version of the pack `pack_name` (`eaeu-by`): each layer is one of `files`, else the software's own.

    `files` maps the name of a layer to the content of its file. Raises NotAllowed, or InvalidLaw with the place
    and the reason: nothing that is not valid, and no draft, ever becomes a version.
    """
    _may_change(central, user)
    pack, layers = merged(pack_name, files)
    now, site = central.clock(), central.config.site_id
    with central.storage.write() as session:
        row = _add(session, site, pack, layers, note, user.user_id, now)
        central.audit.append(
            session, chain=PEOPLE, tag=AuditTag.RULES_VERSION_PROPOSED, actor=user.user_id, now=now,
            detail=_detail(row) | {"layers": {name: _sha256(text) for name, text in layers.items()}},
        )  # fmt: skip
        return _proposed(row)


def merged(pack_name: str, files: Mapping[str, bytes]) -> tuple[RulePack, dict[str, str]]:
    """The pack and the text of its layers. Raises InvalidLaw."""
    names = pack_name.strip().lower().split("-")
    if not 1 <= len(names) <= _MOST_LAYERS or not all(_is_name(name) for name in names):
        raise InvalidLaw("pack_name", pack_name[:60])
    if stray := sorted(set(files) - set(names)):
        raise InvalidLaw("layer_not_of_pack", ", ".join(stray)[:120])
    with tempfile.TemporaryDirectory(prefix="corridor-law-") as place:
        directory, texts = Path(place), {}
        for name in names:
            texts[name] = _layer(name, files)
            (directory / f"{name}.json").write_text(texts[name], encoding="utf-8")
        try:
            pack = load_pack("-".join(names), directory)
        except ValueError as error:
            raise InvalidLaw("not_valid", _plain(str(error))) from None
    return pack, texts


def ask(central: Central, user: User, number: int, effective_on: date) -> Activation:
    """Ask that a version becomes law at the midnight that begins a day of the site to come.

    Raises NotAllowed, LookupError for an unknown version, or InvalidLaw: `date_passed`, `examples_fail`,
    `one_waits`, `in_force_already`.
    """
    _may_change(central, user)
    now = central.clock()
    pack = central.law.pack(version(central, number).sha256)
    if failing := [ran.example.id for ran in run_examples(pack, effective_on) if not ran.holds]:
        raise InvalidLaw("examples_fail", ", ".join(failing)[:200])
    if midnight(effective_on, central.timezone) <= now:
        raise InvalidLaw("date_passed", effective_on.isoformat())
    with central.storage.write() as session:
        return _asked(central, session, user, number, DATED, effective_on)


def ask_rollback(central: Central, user: User) -> Activation:
    """Ask to go back to the version that was law before; it takes effect with another's approval.

    Raises NotAllowed, or InvalidLaw: `nothing_before`, `one_waits`.
    """
    _may_change(central, user)
    earlier = before(central)
    if earlier is None:
        raise InvalidLaw("nothing_before")
    with central.storage.write() as session:
        return _asked(central, session, user, earlier.version.number, ROLLBACK, None)


def decide(central: Central, user: User, number: int, *, approve: bool, looked: bool = False) -> None:
    """Approve what another administrator asked for, or reject it (also one's own).

    `looked`: the approver says to have looked at the rules that nobody has verified; without it a version that
    has such rules is not approved. Raises NotAllowed, LookupError for an activation that does not wait, or
    InvalidLaw: `same_person`, `look_first`, `date_passed`, `before_moved`.
    """
    _may_change(central, user)
    now, site = central.clock(), central.config.site_id
    earlier = before(central)
    with central.storage.write() as session:
        row = session.get(StoredActivation, (site, number))
        if row is None or row.state != ASKED:
            raise LookupError(number)
        law = session.get_one(StoredLaw, (site, row.version))
        if approve:
            if user.user_id == row.asked_by or (row.kind == DATED and user.user_id == law.proposed_by):
                raise InvalidLaw("same_person")
            if row.kind == DATED and law.unverified and not looked:
                raise InvalidLaw("look_first", str(law.unverified))
            row.effective_at = now
            if row.effective_on is not None:
                row.effective_at = midnight(date.fromisoformat(row.effective_on), central.timezone)
                if row.effective_at <= now:
                    raise InvalidLaw("date_passed", row.effective_on)
            elif earlier is None or earlier.version.number != row.version:
                raise InvalidLaw("before_moved")  # what was asked for is no longer the version before
            _keep(central, session, law.sha256, law.content, now)
            law_news.announce(session, site)
        row.state, row.decided_by, row.decided_at = (APPROVED if approve else REJECTED), user.user_id, now
        tag = AuditTag.RULES_ACTIVATION_APPROVED if approve else AuditTag.RULES_ACTIVATION_REJECTED
        central.audit.append(
            session, chain=PEOPLE, tag=tag, actor=user.user_id, now=now, detail=_moment(row) | _detail(law)
        )
    central.broker.wake()


def withdraw(central: Central, user: User, number: int) -> None:
    """Take back an approved activation whose day has not come: the law of today stays. One person may do that.

    Raises NotAllowed, or LookupError for an activation that is not to come.
    """
    _may_change(central, user)
    now, site = central.clock(), central.config.site_id
    with central.storage.write() as session:
        row = session.get(StoredActivation, (site, number))
        if row is None or row.state != APPROVED or row.effective_at is None or row.effective_at <= now:
            raise LookupError(number)
        law = session.get_one(StoredLaw, (site, row.version))
        row.state, row.withdrawn_by, row.withdrawn_at = WITHDRAWN, user.user_id, now
        law_news.announce(session, site)
        central.audit.append(
            session, chain=PEOPLE, tag=AuditTag.RULES_ACTIVATION_WITHDRAWN, actor=user.user_id, now=now,
            detail=_moment(row) | _detail(law),
        )  # fmt: skip
    central.broker.wake()


def begin(central: Central) -> None:
    """Without any law yet, the pack of the configuration is law from now on, as it came with the set-up.

    Raises ValueError for a pack that cannot be used: what is wrong, what follows, what to do.
    """
    now, site = central.clock(), central.config.site_id
    with central.storage.read() as session:
        if session.scalar(select(func.count()).where(StoredLaw.site_id == site)):
            return
    try:
        pack, layers = merged(central.config.rule_pack, {})
    except InvalidLaw as invalid:
        raise ValueError(_unusable(central.config.rule_pack, invalid)) from None
    with central.storage.write() as session:
        if session.scalar(select(func.count()).where(StoredLaw.site_id == site)):
            return  # another process was first
        row = _add(session, site, pack, layers, "", SET_UP, now)
        session.add(
            StoredActivation(
                site_id=site, activation=1, version=row.version, kind=SHIPPED, state=APPROVED, effective_on=None,
                effective_at=now, asked_by=SET_UP, asked_at=now, decided_by=None, decided_at=None,
                withdrawn_by=None, withdrawn_at=None,
            )
        )  # fmt: skip
        _keep(central, session, row.sha256, row.content, now)
        law_news.announce(session, site)
        central.audit.append(
            session, chain=SERVICE, tag=AuditTag.RULES_PACK_ACTIVATED, actor="central", now=now,
            detail={"kind": "rule_pack", **_detail(row)},
        )  # fmt: skip


# ------------------------------------------------------------------------------------------------------ inside


def _asked(
    central: Central, session: Session, user: User, number: int, kind: str, effective_on: date | None
) -> Activation:
    site, now = central.config.site_id, central.clock()
    law = session.get(StoredLaw, (site, number))
    if law is None:
        raise LookupError(number)
    waiting = select(func.count()).where(StoredActivation.site_id == site, StoredActivation.state == ASKED)
    if session.scalar(waiting):
        raise InvalidLaw("one_waits")
    if central.law.term(now).version.number == number:
        raise InvalidLaw("in_force_already")
    last = session.scalar(select(func.max(StoredActivation.activation)).where(StoredActivation.site_id == site))
    row = StoredActivation(
        site_id=site,
        activation=(last or 0) + 1,
        version=number,
        kind=kind,
        state=ASKED,
        effective_on=effective_on.isoformat() if effective_on else None,
        effective_at=None,
        asked_by=user.user_id,
        asked_at=now,
        decided_by=None,
        decided_at=None,
        withdrawn_by=None,
        withdrawn_at=None,
    )
    session.add(row)
    central.audit.append(
        session, chain=PEOPLE, tag=AuditTag.RULES_ACTIVATION_ASKED, actor=user.user_id, now=now,
        detail=_moment(row) | _detail(law),
    )  # fmt: skip
    return _activation(row, law.label)


def _add(
    session: Session, site: str, pack: RulePack, layers: Mapping[str, str], note: str, actor: str, now: datetime
) -> StoredLaw:
    sha256 = pack.content_hash
    known = session.scalars(
        select(StoredLaw).where(
            StoredLaw.site_id == site, (StoredLaw.sha256 == sha256) | (StoredLaw.label == pack.label)
        )
    ).first()
    if known is not None:
        # Declarations name the version by its label: one label never means two laws.
        raise InvalidLaw("known_already" if known.sha256 == sha256 else "label_taken", pack.label)
    last = session.scalar(select(func.max(StoredLaw.version)).where(StoredLaw.site_id == site))
    row = StoredLaw(
        site_id=site,
        version=(last or 0) + 1,
        label=pack.label,
        sha256=sha256,
        content=canonical_json(pack),
        layers=dict(layers),
        unverified=len(pack.unverified),
        note=note.strip()[:120],
        proposed_by=actor,
        proposed_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _keep(central: Central, session: Session, sha256: str, content: bytes, now: datetime) -> None:
    """Keep the pack beside the decisions that will rely on it, so that they can be replayed (rule 4)."""
    from central.service import keep_artifact

    keep_artifact(central, session, "rule_pack", sha256, content, now)


def _layer(name: str, files: Mapping[str, bytes]) -> str:
    if name in files:
        if len(files[name]) > LARGEST_LAYER:
            raise InvalidLaw("layer_too_large", name)
        try:
            text = files[name].decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidLaw("not_json", name) from None
    elif (own := PACKS / f"{name}.json").is_file():
        text = own.read_text(encoding="utf-8")
    else:
        raise InvalidLaw("layer_missing", name)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidLaw("not_json", f"{name}: {error}"[:120]) from None
    if not isinstance(said, dict):
        raise InvalidLaw("not_json", name)
    if said.get("draft"):
        raise InvalidLaw("draft", f"{name}: {said.get('why', '')}"[:300])
    return text


_WRONG = {
    "draft": "layer {place}. That is a draft, and a draft never becomes law",
    "layer_missing": "there is no layer {place}",
    "pack_name": "{place} is no name of a pack: names of layers, from the base up, joined by hyphens",
    "not_json": "layer {place} is no JSON",
    "not_valid": "{place}",
}


def _unusable(name: str, invalid: InvalidLaw) -> str:
    """Why the pack of the configuration is not law, what follows, and what to do."""
    place = invalid.place.removeprefix(f"pack {name}: ").rstrip(". ")
    wrong = _WRONG[invalid.reason].format(place=place)
    finished = ", ".join(name for name in pack_names() if not load_draft(name).draft)
    return (
        f"rule_pack {name}: {wrong}. Central has not started: without a law it decides nothing. "
        f"Name a finished pack as rule_pack: {finished} (`corridor central packs list` says more)"
    )


def _is_layer(path: Path) -> bool:
    said: Any = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(said, dict) and "layer" in said and not said.get("draft")


def _is_name(name: str) -> bool:
    return name.isascii() and name.isalnum() and len(name) <= 16


def _plain(text: str) -> str:
    """An error on one line, without what was put in."""
    return " ".join(text.split())[:400]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _proposed(row: StoredLaw) -> Proposed:
    return Proposed(
        row.version,
        row.label,
        row.sha256,
        {str(name): str(text) for name, text in row.layers.items()},
        row.unverified,
        row.note,
        row.proposed_by,
        row.proposed_at,
    )


def _activation(row: StoredActivation, label: str) -> Activation:
    return Activation(
        row.activation,
        row.version,
        label,
        row.kind,
        row.state,
        date.fromisoformat(row.effective_on) if row.effective_on else None,
        row.effective_at,
        row.asked_by,
        row.asked_at,
        row.decided_by,
        row.decided_at,
        row.withdrawn_by,
        row.withdrawn_at,
    )


def _detail(law: StoredLaw) -> dict[str, object]:
    return {
        "version": law.version,
        "label": law.label,
        "sha256": law.sha256,
        "unverified": law.unverified,
        "note": law.note,
    }


def _moment(row: StoredActivation) -> dict[str, object]:
    return {
        "activation": row.activation,
        "kind": row.kind,
        "effective_on": row.effective_on,
        "effective_at": row.effective_at.astimezone(UTC).isoformat() if row.effective_at else None,
    }


def _may_change(central: Central, user: User) -> None:
    if not user.may(Permission.RULES_CHANGE, site_id=central.config.site_id):
        raise NotAllowed
