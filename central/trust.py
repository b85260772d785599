"""The trust store of the site: whose certificates its kiosks believe.

It is kept in versions. One administrator proposes a version out of files (master lists, certificates, revocation
lists, LDIF) on top of the active one; another approves it, and from then on kiosks fetch it, signed by central's
key. No version ever changes, and none becomes active by one person's doing. Master lists count only under roots
that were pinned in an approved version or are proposed, and so shown and approved, together with the list.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from central.access.permissions import Permission, User
from central.audit import PEOPLE
from central.keys import base64url
from central.referrals import NotAllowed
from central.service import Central
from central.storage.models import StoredTrust
from contracts.api import TrustBundle
from contracts.base import Contract, Sha256Hex, ShortText
from contracts.canonical import canonical_json, content_hash
from contracts.checks import Verdict
from contracts.events import AuditTag
from documents.certificates import Certificate, RevocationList
from documents.trust_sources import Collection, Source, SourceKind, collect

PROPOSED, ACTIVE, RETIRED, REJECTED = "proposed", "active", "retired", "rejected"


class InvalidTrust(ValueError):
    """A proposal or decision that cannot be; `reason` is a stable code, `place` the file it is about."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.reason, self.place = reason, place


class Kept(Contract):
    """One object of a version: its DER in base64, and the names of the files that brought it."""

    der: str
    sources: tuple[ShortText, ...] = ()


class KeptSource(Contract):
    """One file that went into a version, and what came of it."""

    name: ShortText
    kind: ShortText
    sha256: Sha256Hex
    verdict: ShortText
    reason: ShortText
    certificates: int = 0
    revocation_lists: int = 0
    signers: int = 0
    duplicates: int = 0
    unreadable: int = 0


class Content(Contract):
    """Everything that a version holds. `roots` are pinned for master lists; they are authorities as well."""

    authorities: tuple[Kept, ...] = ()
    revocation_lists: tuple[Kept, ...] = ()
    signers: tuple[Kept, ...] = ()
    roots: tuple[str, ...] = ()
    sources: tuple[KeptSource, ...] = Field(
        default=(), description="files of this version and of those it stands on"
    )


@dataclass(frozen=True)
class Version:
    """One version with what it holds."""

    number: int
    state: str
    base_version: int
    sha256: str
    note: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    content: Content

    @cached_property
    def authorities(self) -> tuple[tuple[Certificate, tuple[str, ...]], ...]:
        return tuple((Certificate(_bytes(kept.der)), kept.sources) for kept in self.content.authorities)

    @cached_property
    def roots(self) -> tuple[Certificate, ...]:
        return tuple(Certificate(_bytes(root)) for root in self.content.roots)

    @cached_property
    def revocation_lists(self) -> tuple[RevocationList, ...]:
        return tuple(RevocationList(_bytes(kept.der)) for kept in self.content.revocation_lists)


@dataclass(frozen=True)
class Upload:
    """One file of a proposal. `root` pins the certificate in it for the master lists beside it."""

    name: str
    content: bytes
    root: bool = False


# ---------------------------------------------------------------------------------------------------- reading


def wanted(central: Central) -> tuple[int, str | None]:
    """The active version and its hash, for kiosks; (0, None) while there is none."""
    with central.storage.read() as session:
        found = session.execute(
            select(StoredTrust.version, StoredTrust.sha256).where(
                StoredTrust.site_id == central.config.site_id, StoredTrust.state == ACTIVE
            )
        ).first()
    return (0, None) if found is None else (found[0], found[1])


def bundle(central: Central) -> TrustBundle | None:
    """The active version as kiosks get it, signed; None while there is none."""
    version = active(central)
    if version is None:
        return None
    made = _bundle(central.config.site_id, version.number, version.content)
    signature = central.receipt_keys.current.signing().sign(canonical_json(made))
    return made.model_copy(update={"signature": base64url(signature)})


def active(central: Central) -> Version | None:
    with central.storage.read() as session:
        return _version(_in_state(session, central.config.site_id, ACTIVE))


def proposed(central: Central) -> Version | None:
    """The version that waits for a second administrator; there is at most one."""
    with central.storage.read() as session:
        return _version(_in_state(session, central.config.site_id, PROPOSED))


def history(central: Central, limit: int = 20) -> tuple[Version, ...]:
    """The latest versions without their content, newest first."""
    with central.storage.read() as session:
        rows = session.scalars(
            select(StoredTrust)
            .where(StoredTrust.site_id == central.config.site_id)
            .order_by(StoredTrust.version.desc())
            .limit(limit)
            .options(defer(StoredTrust.content), defer(StoredTrust.fingerprints))
        ).all()
        return tuple(_made(row, Content()) for row in rows)


def ever_trusted(central: Central) -> frozenset[str]:
    """SHA-256 of every authority of every version that was ever approved: what a record may rely upon.

    A kiosk without a link delivers late what it decided under an earlier version.
    """
    with central.storage.read() as session:
        rows = session.scalars(
            select(StoredTrust.fingerprints).where(
                StoredTrust.site_id == central.config.site_id, StoredTrust.state.in_((ACTIVE, RETIRED))
            )
        ).all()
    return frozenset(str(fingerprint) for row in rows for fingerprint in row)


# --------------------------------------------------------------------------------------------------- changing


def propose(
    central: Central, user: User, uploads: Iterable[Upload], *, withdraw: Iterable[str] = (), note: str = ""
) -> Version:
    """A new version: the active one, plus the files, less the authorities with these fingerprints.

    Raises NotAllowed, or InvalidTrust when a file brings nothing, when nothing would change, or when a version
    waits already: every file is accounted for, and one thing is decided at a time.
    """
    _may_change(central, user)
    uploads, gone = tuple(uploads), frozenset(text.strip().lower() for text in withdraw if text.strip())
    base = active(central)
    content = _merged(central, base.content if base is not None else Content(), uploads, gone)
    now = central.clock()
    with central.storage.write() as session:
        site = central.config.site_id
        if _in_state(session, site, PROPOSED) is not None:
            raise InvalidTrust("one_waits")
        number = (
            session.scalar(select(func.max(StoredTrust.version)).where(StoredTrust.site_id == site)) or 0
        ) + 1
        row = StoredTrust(
            site_id=site,
            version=number,
            state=PROPOSED,
            base_version=base.number if base is not None else 0,
            sha256=content_hash(_bundle(site, number, content)),
            content=canonical_json(content),
            fingerprints=[Certificate(_bytes(kept.der)).fingerprint for kept in content.authorities],
            note=note.strip()[:120],
            proposed_by=user.user_id,
            proposed_at=now,
            decided_by=None,
            decided_at=None,
        )
        session.add(row)
        central.audit.append(
            session, chain=PEOPLE, tag=AuditTag.TRUST_VERSION_PROPOSED, actor=user.user_id, now=now,
            detail=_detail(row) | {"files": {upload.name[:120]: _digest(content, upload) for upload in uploads}},
        )  # fmt: skip
        return _made(row, content)


def decide(central: Central, user: User, number: int, *, approve: bool) -> None:
    """Approve what another administrator proposed, or reject a proposal (also one's own).

    Raises NotAllowed, LookupError for a version that does not wait, and InvalidTrust `same_person`, or
    `base_moved` when the store changed since it was proposed.
    """
    _may_change(central, user)
    now, site = central.clock(), central.config.site_id
    with central.storage.write() as session:
        row = session.get(StoredTrust, (site, number))
        if row is None or row.state != PROPOSED:
            raise LookupError(number)
        current = _in_state(session, site, ACTIVE)
        if approve:
            if row.proposed_by == user.user_id:
                raise InvalidTrust("same_person")
            if row.base_version != (current.version if current is not None else 0):
                raise InvalidTrust("base_moved")
            if current is not None:
                current.state = RETIRED
                session.flush()
        row.state, row.decided_by, row.decided_at = (ACTIVE if approve else REJECTED), user.user_id, now
        tag = AuditTag.TRUST_VERSION_APPROVED if approve else AuditTag.TRUST_VERSION_REJECTED
        central.audit.append(session, chain=PEOPLE, tag=tag, actor=user.user_id, now=now, detail=_detail(row))
    central.broker.wake()


# ---------------------------------------------------------------------------------------------------- merging


def _merged(central: Central, base: Content, uploads: tuple[Upload, ...], gone: frozenset[str]) -> Content:
    roots = {*base.roots}
    for upload in uploads:
        if upload.root:
            roots.add(_text(_only_certificate(upload).der))
    pinned = [Certificate(_bytes(root)) for root in sorted(roots)]
    found = collect(((upload.name, upload.content) for upload in uploads), pinned, central.clock())
    for source in found.sources:
        _accepted(source)
    for one in found.authorities:
        if one.standing[0] in (Verdict.FAILED, Verdict.ERROR):
            raise InvalidTrust(one.standing[1], one.sources[0])
        if one.certificate.is_specimen and central.config.profile == "production":
            raise InvalidTrust("specimen", one.sources[0])
    authorities = _union(base.authorities, {one.certificate.der: one.sources for one in found.authorities})
    kept = tuple(one for one in authorities if Certificate(_bytes(one.der)).fingerprint not in gone)
    if len(authorities) - len(kept) != len(gone):
        raise InvalidTrust("withdraw_unknown")
    content = Content(
        authorities=kept,
        revocation_lists=_latest(base.revocation_lists, found),
        signers=_union(base.signers, {signer.der: () for signer in found.signers}),
        roots=tuple(sorted(root for root in roots if Certificate(_bytes(root)).fingerprint not in gone)),
        sources=(*base.sources, *map(_kept_source, found.sources)),
    )
    if content.model_copy(update={"sources": base.sources}) == base:
        raise InvalidTrust("nothing_changes")
    return content


def _only_certificate(upload: Upload) -> Certificate:
    from documents.trust import ders

    try:
        (der,) = ders(upload.content)
        root = Certificate(der)
    except ValueError:
        raise InvalidTrust("root_not_understood", upload.name) from None
    if not root.is_authority or not root.is_self_signed:
        raise InvalidTrust("root_not_self_signed", upload.name)
    return root


def _accepted(source: Source) -> None:
    """A file of which nothing is taken stops the proposal: nobody should approve less than was meant."""
    if source.answer[0] is not Verdict.PASSED:
        raise InvalidTrust(source.answer[1], source.name)
    if source.kind is SourceKind.MASTER_LIST and source.unreadable:
        raise InvalidTrust("entries_unreadable", source.name)


def _union(base: tuple[Kept, ...], new: Mapping[bytes, tuple[str, ...]]) -> tuple[Kept, ...]:
    merged = {kept.der: kept.sources for kept in base}
    for der, sources in new.items():
        text = _text(der)
        named = (source[:120] for source in sources)
        merged[text] = tuple(dict.fromkeys((*merged.get(text, ()), *named)))
    return tuple(Kept(der=der, sources=sources) for der, sources in sorted(merged.items()))


def _latest(base: tuple[Kept, ...], found: Collection) -> tuple[Kept, ...]:
    """Of the lists of one issuer, key and part only the newest: the older ones say nothing more."""
    newest: dict[tuple[bytes, bytes | None, bytes], RevocationList] = {}
    for one in (*(RevocationList(_bytes(kept.der)) for kept in base), *found.revocation_lists):
        place = (one.issuer_der, one.authority_key_identifier, one.part)
        if place not in newest or newest[place].this_update < one.this_update:
            newest[place] = one
    return tuple(sorted((Kept(der=_text(one.der)) for one in newest.values()), key=lambda kept: kept.der))


def _kept_source(source: Source) -> KeptSource:
    return KeptSource(
        name=source.name[:120],
        kind=source.kind.value,
        sha256=source.sha256,
        verdict=source.answer[0].value,
        reason=source.answer[1],
        certificates=source.certificates,
        revocation_lists=source.revocation_lists,
        signers=source.signers,
        duplicates=source.duplicates,
        unreadable=source.unreadable,
    )


def _digest(content: Content, upload: Upload) -> str:
    return next(source.sha256 for source in reversed(content.sources) if source.name == upload.name[:120])


def _detail(row: StoredTrust) -> dict[str, object]:
    return {"version": row.version, "sha256": row.sha256, "authorities": len(row.fingerprints), "note": row.note}


def _may_change(central: Central, user: User) -> None:
    if not user.may(Permission.TRUST_CHANGE, site_id=central.config.site_id):
        raise NotAllowed


# ---------------------------------------------------------------------------------------------------- storing


def _bundle(site_id: str, number: int, content: Content) -> TrustBundle:
    return TrustBundle(
        site_id=site_id,
        version=number,
        certificates=tuple(kept.der for kept in content.authorities),
        revocation_lists=tuple(kept.der for kept in content.revocation_lists),
        signers=tuple(kept.der for kept in content.signers),
    )


def _in_state(session: Session, site_id: str, state: str) -> StoredTrust | None:
    return session.scalars(
        select(StoredTrust).where(StoredTrust.site_id == site_id, StoredTrust.state == state)
    ).one_or_none()


def _made(row: StoredTrust, content: Content) -> Version:
    return Version(
        number=row.version,
        state=row.state,
        base_version=row.base_version,
        sha256=row.sha256,
        note=row.note,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        content=content,
    )


def _version(row: StoredTrust | None) -> Version | None:
    return None if row is None else _made(row, Content.model_validate_json(row.content))


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
