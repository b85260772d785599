"""What the case page shows, in the officer's words, made out of contracts only: no database, no request.

Reasons come before everything else, the face comparison is told in words, and what was not checked says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from central.messages import Words
from central.officer.law_view import PersonLaw
from central.officer.reasons import (
    CLASS_ICONS,
    VERDICT_ICONS,
    Rate,
    check_note,
    reason_sentence,
    reason_title,
)
from contracts.checks import Check, CheckName, Verdict
from contracts.decision import Decision, ReferralReason
from contracts.declaration import Declaration
from contracts.disposition import Agency
from contracts.evidence import EvidenceKind
from contracts.party import FaceDecision, FaceResult, Person, TravelDocument
from contracts.transaction import TransactionRecord

SHOWN_CHECKS = 6
_LEADING_CHECKS = (
    CheckName.MRZ_CHECK_DIGITS,
    CheckName.DG1_MRZ,
    CheckName.SOD_SIGNATURE,
    CheckName.REVOCATION,
    CheckName.ACTIVE_AUTHENTICATION,
    CheckName.DG_HASHES,
)


@dataclass(frozen=True)
class ReasonBlock:
    icon: str
    title: str
    person: str
    sentence: str
    legal_basis: str
    rule: str
    rate: Rate


@dataclass(frozen=True)
class CheckLine:
    name: str
    verdict: Verdict
    state: str
    icon: str
    note: str


@dataclass(frozen=True)
class DocumentChecks:
    words: str
    first: tuple[CheckLine, ...]
    rest: tuple[CheckLine, ...]


@dataclass(frozen=True)
class Picture:
    """`href` is None when the picture is not there: shown as Not present, with the cause in `missing`."""

    href: str | None
    alt: str
    missing: str
    caption: str
    note: str


@dataclass(frozen=True)
class FaceView:
    """`noticed`: a check of the face did not pass, so the list is open from the start."""

    pictures: tuple[Picture, ...]
    checks: tuple[CheckLine, ...]
    words: str
    score: str
    noticed: bool


@dataclass(frozen=True)
class PersonView:
    heading: str
    documents: tuple[DocumentChecks, ...]
    face: FaceView | None
    law: PersonLaw | None  # None: what the decision relied on was erased
    no_lines: str
    declaration_notes: tuple[str, ...]
    paper: str  # where their declaration is printed and corrected; empty when they have none
    paper_words: str


@dataclass(frozen=True)
class BagView:
    words: str
    weight: str


@dataclass(frozen=True)
class AgencyOutcome:
    name: str
    words: str


@dataclass(frozen=True)
class HistoryEntry:
    at: datetime
    text: str


@dataclass(frozen=True)
class CaseView:
    record_id: str
    agency: str
    receipt_number: str
    name: str
    subtitle: str
    declared: str
    closed: str
    holder: str
    since: datetime
    waited: str
    reasons: tuple[ReasonBlock, ...]
    persons: tuple[PersonView, ...]
    bags: tuple[BagView, ...]
    outcomes_so_far: tuple[AgencyOutcome, ...]
    history: tuple[HistoryEntry, ...]


@dataclass(frozen=True)
class CaseStanding:
    """Where the case stands now; everything else of a case page was fixed when the record was decided."""

    agency: Agency
    since: datetime
    now: datetime
    holder: str = ""
    closed: str = ""
    outcomes: tuple[AgencyOutcome, ...] = ()
    history: tuple[HistoryEntry, ...] = ()


def case_view(
    record: TransactionRecord,
    decision: Decision,
    law: Mapping[str, PersonLaw],
    pictures: frozenset[tuple[str, EvidenceKind]],
    rate: Callable[[ReferralReason], Rate],
    standing: CaseStanding,
    words: Words,
) -> CaseView:
    """The whole page. `law` is by person; `pictures` names those of the evidence that arrived and opened."""
    persons = record.party.persons
    lead = next(person for person in persons if person.role == "lead")
    return CaseView(
        record_id=record.record_id,
        agency=standing.agency.value,
        receipt_number=decision.receipt_number,
        name=person_name(lead, words),
        subtitle=_subtitle(record, decision, lead, words),
        declared=declared_in_words(persons, words),
        closed=standing.closed,
        holder=standing.holder,
        since=standing.since,
        waited=words.duration(standing.now - standing.since),
        reasons=tuple(
            _reason(reason, persons, rate, words) for outcome in decision.persons for reason in outcome.reasons
        ),
        persons=tuple(
            _person(person, record, law.get(person.person_id), pictures, standing.agency, words)
            for person in persons
        ),
        bags=tuple(
            BagView(
                words("bag.tag", tag=bag.tag) if bag.tag else words("bag.no_tag"),
                words("bag.weight", kg=words.number(bag.weight_kg, 1))
                if bag.weight_kg is not None
                else words("bag.not_weighed"),
            )
            for person in persons
            for bag in person.bags
        ),
        outcomes_so_far=standing.outcomes,
        history=standing.history,
    )


def person_name(person: Person, words: Words) -> str:
    """Surname, given names; words when no name was read with certainty."""
    document = person.identity
    if document is None or not document.surname:
        return words("case.no_name")
    given = f", {document.given_names}" if document.given_names else ""
    return f"{_title(document.surname)}{_title(given)}"


def _title(text: str) -> str:
    return text.title() if text.isupper() else text


def declared_in_words(persons: Sequence[Person], words: Words) -> str:
    """The travellers' own statement: red if anybody declared red."""
    channels = {person.declaration.declared_channel.value for person in persons if person.declaration}
    return words(f"declared.{'red' if 'red' in channels else 'green' if channels else 'none'}")


def _subtitle(record: TransactionRecord, decision: Decision, lead: Person, words: Words) -> str:
    parts = [words("queue.receipt", number=decision.receipt_number)]
    document = lead.identity
    if document is not None and document.issuer:
        parts.append(
            words("case.document", issuer=document.issuer, kind=words(f"document.{document.format.value}"))
        )
    if record.flight:
        parts.append(words("case.flight", flight=record.flight))
    if lead.declaration is not None:
        parts.append(words("case.speaks", language=language_name(lead.declaration.language, words)))
    minors = [person for person in record.party.persons if person.role == "minor"]
    adults = len(record.party.persons) - len(minors) - 1
    if adults:
        parts.append(words("case.with_adults", count=adults))
    if minors:
        parts.append(words("case.with_children", count=len(minors), ages=_ages(minors, record.started_at.date())))
    return " · ".join(parts)


def language_name(code: str, words: Words) -> str:
    return words.either(f"language.{code.split('-')[0]}", code.upper())


def _ages(minors: Sequence[Person], today: date) -> str:
    births = [person.identity.birth_date for person in minors if person.identity and person.identity.birth_date]
    ages = [today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day)) for birth in births]
    return ", ".join(map(str, ages)) or "?"


def _reason(
    reason: ReferralReason, persons: Sequence[Person], rate: Callable[[ReferralReason], Rate], words: Words
) -> ReasonBlock:
    person = next((person for person in persons if person.person_id == reason.person_id), None)
    drawn = rate(reason)
    rule = (
        words("case.rule", rule=reason.rule_id, version=reason.rule_version or "1")
        if reason.rule_id
        else reason.code
    )
    return ReasonBlock(
        icon=CLASS_ICONS[reason.reason_class],
        title=reason_title(reason.code, reason.reason_class, words, reason.detail),
        person=person_name(person, words) if person is not None and len(persons) > 1 else "",
        sentence=reason_sentence(reason, words),
        legal_basis=reason.legal_basis or words(f"basis.{reason.reason_class.value}"),
        rule=f"{rule} · {drawn.words_interval}" if drawn.words_interval else rule,
        rate=drawn,
    )


def _person(
    person: Person,
    record: TransactionRecord,
    law: PersonLaw | None,
    pictures: frozenset[tuple[str, EvidenceKind]],
    agency: Agency,
    words: Words,
) -> PersonView:
    return PersonView(
        heading=f"{person_name(person, words)}, {words(f'role.{person.role}')}",
        documents=tuple(_document(document, words) for document in person.documents),
        face=_face(person, record, pictures, agency, words),
        law=law,
        no_lines=_no_lines(person, words),
        declaration_notes=_declaration_notes(person.declaration, words),
        paper=f"/officer/cases/{agency.value}/{record.record_id}/declarations/{person.person_id}"
        if person.declaration is not None
        else "",
        paper_words=words("paper.open")
        if len(record.party.persons) == 1
        else words("paper.open_of", name=person_name(person, words)),
    )


def _no_lines(person: Person, words: Words) -> str:
    if person.declaration is None:
        return words("case.guardian_declares" if person.guardian else "case.not_declared")
    return words("case.nothing_declared")


def _declaration_notes(declaration: Declaration | None, words: Words) -> tuple[str, ...]:
    if declaration is None:
        return ()
    asked = {True: "yes", False: "no", None: "unanswered"}[declaration.unaccompanied_baggage]
    notes = [words(f"case.unaccompanied.{asked}")]
    notes += [
        words(
            "case.money_use",
            amount=f"{words.number(money.amount, 2)} {money.currency}",
            kind=words(f"money.{money.kind.value}"),
            origin=words(f"origin.{money.origin}") if money.origin else words("case.not_said"),
            use=words(f"use.{money.intended_use}") if money.intended_use else words("case.not_said"),
        )
        for money in declaration.money
    ]
    return tuple(notes)


def _document(document: TravelDocument, words: Words) -> DocumentChecks:
    lines = {check.name: check for check in document.checks}
    noticed = [name for name in lines if lines[name].verdict is not Verdict.PASSED]
    leading = [name for name in _LEADING_CHECKS if name in lines and name not in noticed]
    failed = [name for name in noticed if lines[name].verdict in (Verdict.FAILED, Verdict.ERROR)]
    other = [name for name in noticed if name not in failed]
    quiet = [name for name in lines if name not in noticed and name not in leading]
    ordered = [*failed, *other, *leading, *quiet]
    # What did not pass is never folded away.
    shown = max(SHOWN_CHECKS, len(noticed))
    return DocumentChecks(
        words=words(
            "case.document_line",
            kind=words(f"document.{document.format.value}"),
            issuer=document.issuer or "?",
            number=document.number or words("case.not_read"),
            birth=document.birth_date.isoformat() if document.birth_date else words("case.not_read"),
            expiry=document.expiry_date.isoformat() if document.expiry_date else words("case.not_read"),
        ),
        first=tuple(check_line(lines[name], words) for name in ordered[:shown]),
        rest=tuple(check_line(lines[name], words) for name in ordered[shown:]),
    )


def check_line(check: Check, words: Words) -> CheckLine:
    plainly = check.verdict is Verdict.PASSED and check.reason == "ok"
    note = words(f"check_passed.{check.name.value}") if plainly else check_note(check.reason, words)
    defects = [name for name in check.defects if check.reason != f"defect_{name}"]  # the reason may name one
    return CheckLine(
        name=words(f"check.{check.name.value}"),
        verdict=check.verdict,
        state=words(f"verdict.{check.verdict.value}"),
        icon=VERDICT_ICONS[check.verdict],
        note="; ".join([note, *(words.either(f"defect.{name}", name.replace("_", " ")) for name in defects)]),
    )


def _face(
    person: Person,
    record: TransactionRecord,
    pictures: frozenset[tuple[str, EvidenceKind]],
    agency: Agency,
    words: Words,
) -> FaceView | None:
    if person.face is None and person.identity is None:
        return None
    name = person_name(person, words)
    missing = words("face.not_arrived" if record.evidence is not None else "face.not_taken")

    def picture(kind: EvidenceKind, alt: str, caption: str, note: str) -> Picture:
        there = (person.person_id, kind) in pictures
        path = f"/officer/cases/{agency.value}/{record.record_id}/evidence/{person.person_id}/{kind.value}"
        return Picture(path if there else None, alt, missing, caption, note)

    face = person.face
    live = words("face.live_alt", name=name)
    return FaceView(
        pictures=(
            picture(
                EvidenceKind.LIVE_FACE,
                live,
                words("face.live", kiosk=record.kiosk_id),
                words.clock(record.completed_at),
            ),
            picture(EvidenceKind.CHIP_PORTRAIT, words("face.chip_alt", name=name), words("face.chip"), ""),
        ),
        checks=tuple(check_line(check, words) for check in face.checks) if face else (),
        words=face_in_words(face, words),
        score=words("face.score", score=words.number(face.score, 3)) if face and face.score is not None else "",
        noticed=face is not None and any(check.verdict is not Verdict.PASSED for check in face.checks),
    )


def face_in_words(face: FaceResult | None, words: Words) -> str:
    """The comparison with its false match rate; nothing that looks like a score."""
    if face is None:
        return words("face.not_captured")
    sentence = words(f"face.{face.decision.value}")
    if face.decision is FaceDecision.NOT_CAPTURED:
        return sentence
    rate = face.false_match_rate
    if rate is None:
        return f"{sentence} {words('face.rate_unknown')}"
    if rate <= 0:
        return f"{sentence} {words('face.rate_none')}"
    return f"{sentence} {words('face.rate', people=words.number(round(1 / rate)))}"
