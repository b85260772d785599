"""The queue in an officer's words: severity by place, icon, word and weight; reasons before everything else.

A row names a receipt, not a person: who the traveller is shows on the case page, where each view is audited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from central.messages import Words
from central.officer.case_view import language_name
from central.officer.reasons import reason_title
from central.referrals import QueueEntry
from contracts.decision import Severity
from contracts.disposition import Agency

SEVERITY_ICONS = {
    Severity.SEE_FIRST: "octagon-alert",
    Severity.NEXT: "triangle-alert",
    Severity.ROUTINE: "circle-dot",
}
FULL_BAR_SECONDS = 600  # the waiting bar is full after ten minutes


@dataclass(frozen=True)
class Flag:
    text: str
    icon: str = ""
    title: str = ""


@dataclass(frozen=True)
class Filter:
    name: str
    text: str
    chosen: bool


@dataclass(frozen=True)
class CaseRow:
    record_id: str
    agency: str
    receipt_number: str
    since: datetime
    waited: str
    waited_share: float
    title: str
    second: str
    traveller: str
    traveller_second: str
    flags: tuple[Flag, ...]
    held_by: str
    held_by_me: bool


@dataclass(frozen=True)
class Group:
    severity: str
    icon: str
    title: str
    word: str
    note: str
    cases: tuple[CaseRow, ...]


@dataclass(frozen=True)
class Walk:
    desk: str
    receipt_number: str
    since: datetime
    waited: str


@dataclass(frozen=True)
class Alarm:
    title: str
    text: str
    href: str


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class QueueView:
    shown: str
    filters: tuple[Filter, ...]
    groups: tuple[Group, ...]
    walking: tuple[Walk, ...]
    alarms: tuple[Alarm, ...]
    today: tuple[Fact, ...]
    may_claim: bool
    new_case_forms: dict[str, str]


def queue_view(
    entries: Sequence[QueueEntry],
    *,
    me: str,
    shown: str,
    agencies: Sequence[Agency],
    alarms: Iterable[QueueEntry],
    today: tuple[Fact, ...],
    may_claim: bool,
    now: datetime,
    words: Words,
) -> QueueView:
    """`shown` is `all`, `mine` or the name of an agency; anything else means `all`."""
    kept = {
        "all": list(entries),
        "mine": [entry for entry in entries if entry.claimed_by == me],
        **{agency.value: [entry for entry in entries if entry.agency is agency] for agency in agencies},
    }
    shown = shown if shown in kept else "all"
    filters = [
        Filter("all", words("queue.all", number=words.number(len(entries))), shown == "all"),
        Filter("mine", words("queue.mine", number=words.number(len(kept["mine"]))), shown == "mine"),
    ]
    if len(agencies) > 1:
        filters += [
            Filter(
                agency.value,
                words(
                    "queue.of_agency",
                    agency=words(f"agency.{agency.value}"),
                    number=words.number(len(kept[agency.value])),
                ),
                shown == agency.value,
            )
            for agency in agencies
        ]
    walking = sorted((entry for entry in entries if entry.claimed_by is None), key=lambda entry: entry.opened_at)
    return QueueView(
        shown=shown,
        filters=tuple(filters),
        groups=_groups(kept[shown], me, len(agencies) > 1, now, words),
        walking=tuple(
            Walk(entry.desk, entry.receipt_number, entry.opened_at, words.duration(now - entry.opened_at))
            for entry in walking[-4:]
            if entry.no_show_at is None
        ),
        alarms=tuple(alarm for entry in alarms for alarm in _alarms(entry, now, words)),
        today=today,
        may_claim=may_claim,
        new_case_forms=_plural_forms(words),
    )


def _groups(
    entries: Sequence[QueueEntry], me: str, several: bool, now: datetime, words: Words
) -> tuple[Group, ...]:
    groups = []
    for severity in Severity:
        rows = tuple(_row(entry, me, several, now, words) for entry in entries if entry.severity is severity)
        if rows:
            name = severity.value
            groups.append(
                Group(
                    name,
                    SEVERITY_ICONS[severity],
                    words(f"severity.{name}"),
                    words(f"severity.{name}.word"),
                    words(f"severity.{name}.note"),
                    rows,
                )
            )
    return tuple(groups)


def _row(entry: QueueEntry, me: str, several: bool, now: datetime, words: Words) -> CaseRow:
    order = {severity: place for place, severity in enumerate(Severity)}
    reasons = sorted(entry.reasons, key=lambda reason: order[reason.severity])
    first = reasons[0]
    second = [words(f"class.{first.reason_class.value}")]
    if several:  # whoever works for two services signs for each
        second.append(words("queue.for", agency=words(f"agency.{entry.agency.value}")))
    if first.rule_id:
        second.append(first.rule_id)
    if len(reasons) > 1:
        second.append(words("queue.more", count=len(reasons) - 1))
    waited = (now - entry.opened_at).total_seconds()
    return CaseRow(
        record_id=entry.record_id,
        agency=entry.agency.value,
        receipt_number=entry.receipt_number,
        since=entry.opened_at,
        waited=words.duration(waited),
        waited_share=min(waited / FULL_BAR_SECONDS, 1.0),
        title=reason_title(first.code, first.reason_class.value, words, first.detail),
        second=" · ".join(second),
        traveller=words("queue.receipt", number=entry.receipt_number),
        traveller_second=words("queue.from", kiosk=entry.kiosk_id, desk=entry.desk),
        flags=_flags(entry, words),
        held_by=entry.claimed_by_name or "",
        held_by_me=entry.claimed_by == me,
    )


def _flags(entry: QueueEntry, words: Words) -> tuple[Flag, ...]:
    flags = [Flag(entry.language.split("-")[0].upper(), title=language_name(entry.language, words))]
    if entry.minors:
        flags.append(Flag(words("queue.child", count=entry.minors), "baby"))
    if entry.people > 1:
        flags.append(Flag(words("queue.people", count=entry.people), "users"))
    return tuple(flags)


def _alarms(entry: QueueEntry, now: datetime, words: Words) -> Iterable[Alarm]:
    href = f"/officer/cases/{entry.agency.value}/{entry.record_id}"
    if entry.exit_alarm_at is not None:
        yield Alarm(
            words("alarm.exit", number=entry.receipt_number),
            words("alarm.exit.text", time=words.clock(entry.exit_alarm_at), desk=entry.desk),
            href,
        )
    if entry.no_show_at is not None:
        yield Alarm(
            words("alarm.no_show", number=entry.receipt_number, desk=entry.desk),
            words(
                "alarm.no_show.text",
                minutes=int((now - entry.opened_at).total_seconds() // 60),
                time=words.clock(entry.no_show_at),
            ),
            href,
        )


def _plural_forms(words: Words) -> dict[str, str]:
    """The words of the amber button by CLDR plural category, with # for the number, for the page's script."""
    examples = {"one": 1, "few": 2, "many": 5, "other": 2 if words.language == "en" else 5}
    return {
        category: words("queue.new_cases", count=count).replace(str(count), "#")
        for category, count in examples.items()
    }
