"""The trust store as administrators read it: what is in force, what waits, where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from central import trust
from central.access.permissions import Permission, User
from central.messages import Words
from central.officer.reasons import check_note
from central.service import Central
from central.trust import KeptSource, Version
from documents.certificates import Certificate, RevocationList


@dataclass(frozen=True)
class CountryRow:
    name: str
    code: str
    authorities: str
    valid_until: str
    lists: str
    sources: str
    attention: bool


@dataclass(frozen=True)
class FileRow:
    name: str
    kind: str
    result: str
    digest: str


@dataclass(frozen=True)
class RootRow:
    name: str
    valid_until: str
    fingerprint: str


@dataclass(frozen=True)
class ActiveView:
    says: str
    counts: str
    sha256: str
    note: str
    countries: tuple[CountryRow, ...]
    roots: tuple[RootRow, ...]


@dataclass(frozen=True)
class WaitingView:
    number: int
    says: str
    counts: str
    sha256: str
    note: str
    adds: str
    removes: str
    files: tuple[FileRow, ...]
    roots: tuple[RootRow, ...]
    own: bool


@dataclass(frozen=True)
class HistoryRow:
    number: str
    state: str
    proposed: str
    decided: str
    note: str


@dataclass(frozen=True)
class TrustView:
    active: ActiveView | None
    waiting: WaitingView | None
    history: tuple[HistoryRow, ...]
    may_change: bool


def trust_view(central: Central, user: User, words: Words) -> TrustView:
    now = central.clock()
    active, waiting = trust.active(central), trust.proposed(central)
    return TrustView(
        active=None if active is None else _active(active, words, now),
        waiting=None if waiting is None else _waiting(waiting, active, user, words),
        history=tuple(_history(version, words) for version in trust.history(central)),
        may_change=user.may(Permission.TRUST_CHANGE, site_id=central.config.site_id),
    )


def refusal(reason: str, place: str, words: Words) -> str:
    """Why nothing was changed, with the file it is about."""
    message_id = f"trust.refused.{reason}"
    why = words(message_id) if words.has(message_id) else check_note(reason, words)
    return words("trust.refused", why=f"{place}: {why}" if place else why)


def _active(version: Version, words: Words, now: datetime) -> ActiveView:
    authorities, lists = version.authorities, version.revocation_lists
    return ActiveView(
        says=words(
            "trust.version_says",
            number=version.number,
            proposer=version.proposed_by,
            day=words.date(version.proposed_at),
            approver=version.decided_by or "",
            decided=words.date(version.decided_at or version.proposed_at),
        ),
        counts=_counts(authorities, lists, words),
        sha256=version.sha256,
        note=version.note,
        countries=tuple(_countries(authorities, lists, words, now)),
        roots=_roots(version, words),
    )


def _counts(
    authorities: Iterable[tuple[Certificate, tuple[str, ...]]], lists: Iterable[RevocationList], words: Words
) -> str:
    certificates = [certificate for certificate, _ in authorities]
    return words(
        "trust.counts",
        authorities=words.number(len(certificates)),
        countries=words.number(len({certificate.country for certificate in certificates})),
        lists=words.number(len(tuple(lists))),
    )


def _countries(
    authorities: Iterable[tuple[Certificate, tuple[str, ...]]],
    lists: Iterable[RevocationList],
    words: Words,
    now: datetime,
) -> Iterable[CountryRow]:
    by_country: dict[str, list[tuple[Certificate, tuple[str, ...]]]] = {}
    for certificate, sources in authorities:
        by_country.setdefault(certificate.country or "?", []).append((certificate, sources))
    newest: dict[str, RevocationList] = {}
    for found in lists:
        country = found.country or "?"
        if country not in newest or newest[country].this_update < found.this_update:
            newest[country] = found
    for country in sorted(by_country, key=lambda code: words.country(code)):
        entries = by_country[country]
        until = max(certificate.not_after for certificate, _ in entries)
        listed, stale = _list_words(newest.get(country), words, now)
        yield CountryRow(
            name=words.country(country),
            code=country,
            authorities=words.number(len(entries)),
            valid_until=words.date(until),
            lists=listed,
            sources=", ".join(dict.fromkeys(source for _, sources in entries for source in sources)),
            attention=stale or until < now,
        )


def _list_words(found: RevocationList | None, words: Words, now: datetime) -> tuple[str, bool]:
    if found is None:
        return words("trust.list_none"), False
    if found.next_update is None or found.next_update < now:
        return words("trust.list_stale", day=words.date(found.next_update or found.this_update)), True
    return words("trust.list_until", day=words.date(found.next_update)), False


def _waiting(version: Version, active: Version | None, user: User, words: Words) -> WaitingView:
    before = _by_fingerprint(active)
    after = _by_fingerprint(version)
    earlier = active.content.sources if active is not None else ()
    return WaitingView(
        number=version.number,
        says=words(
            "trust.waiting_says",
            number=version.number,
            proposer=version.proposed_by,
            day=words.date(version.proposed_at),
        ),
        counts=_counts(version.authorities, version.revocation_lists, words),
        sha256=version.sha256,
        note=version.note,
        adds=_by_country(after, before, words),
        removes=_by_country(before, after, words),
        files=tuple(_file(source, words) for source in version.content.sources[len(earlier) :]),
        roots=_roots(version, words),
        own=version.proposed_by == user.user_id,
    )


def _by_fingerprint(version: Version | None) -> dict[str, Certificate]:
    if version is None:
        return {}
    return {certificate.fingerprint: certificate for certificate, _ in version.authorities}


def _by_country(these: Mapping[str, Certificate], those: Mapping[str, Certificate], words: Words) -> str:
    """What is in `these` and not in `those`: `Germany 3, Latvia 1`."""
    counted: dict[str, int] = {}
    for fingerprint, certificate in these.items():
        if fingerprint not in those:
            country = words.country(certificate.country or "?")
            counted[country] = counted.get(country, 0) + 1
    return ", ".join(f"{country} {words.number(count)}" for country, count in sorted(counted.items()))


def _file(source: KeptSource, words: Words) -> FileRow:
    said = words(
        "trust.file_says",
        authorities=words.number(source.certificates),
        lists=words.number(source.revocation_lists),
        signers=words.number(source.signers),
        known=words.number(source.duplicates),
    )
    return FileRow(source.name, words(f"trust.kind.{source.kind}"), said, source.sha256)


def _roots(version: Version, words: Words) -> tuple[RootRow, ...]:
    roots = {certificate.fingerprint: certificate for certificate in version.roots}
    return tuple(
        RootRow(
            name=" ".join(part for part in (words.country(root.country or "?"), root.common_name) if part),
            valid_until=words.date(root.not_after),
            fingerprint=fingerprint,
        )
        for fingerprint, root in sorted(roots.items(), key=lambda item: item[1].country or "")
    )


def _history(version: Version, words: Words) -> HistoryRow:
    decided = ""
    if version.decided_by is not None and version.decided_at is not None:
        decided = words("trust.by", name=version.decided_by, moment=words.moment(version.decided_at))
    return HistoryRow(
        number=str(version.number),
        state=words(f"trust.state.{version.state}"),
        proposed=words("trust.by", name=version.proposed_by, moment=words.moment(version.proposed_at)),
        decided=decided,
        note=version.note,
    )
