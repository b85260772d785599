"""The decision: pure, explained, and the same for the same features (rules 2, 3 and 4).

Green needs everything: declared green, every required check PASSED, nothing over a norm or unknown, no list hit,
not drawn, nobody asked for. Whatever is missing refers; nothing here knows how to clear what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from contracts.checks import BAG_CHECKS, FACE_CHECKS, PRINTED_CHECKS, Check, CheckName, Verdict
from contracts.decision import Channel, PersonOutcome, ReasonClass, ReferralReason, Severity
from contracts.declaration import DeclaredChannel, TransportMode
from contracts.disposition import Agency
from contracts.party import DocumentFormat, FaceDecision, Person
from contracts.transaction import TransactionRecord
from declarations.eligibility import NotEligible, age_on, eligibility
from declarations.evaluate import Law, PartyAssessment, PersonFacts, Relation, RuleHit, evaluate
from declarations.money import Rates
from declarations.packs import RulePack, plain

# A failure of these means that the document or its holder is not what it says.
GRAVE_CHECKS = frozenset(
    {
        CheckName.SOD_SIGNATURE,
        CheckName.DS_CHAIN,
        CheckName.REVOCATION,
        CheckName.DG_HASHES,
        CheckName.ISSUER_COUNTRY,
        CheckName.ACTIVE_AUTHENTICATION,
        CheckName.CHIP_AUTHENTICATION,
        CheckName.FACE_MATCH,
        CheckName.PRESENTATION_ATTACK,
    }
)
NO_TRUST_ANCHOR = "no_trust_anchor"  # of ds_chain, and of what waits for it
# What not every kiosk looks at, for want of such light or being an older one: nobody misses it there, and it
# counts where somebody looked.
WHERE_OFFERED = frozenset({CheckName.MRZ_INFRARED, CheckName.PAGE_ULTRAVIOLET, CheckName.PAGE_PORTRAIT})
# What many chips do not offer and no document is asked for: but one that contradicts itself here is not cleared.
NEVER_FAILED = frozenset(
    {CheckName.CARDACCESS_DG14, CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION}
)
CONTRADICTS = (Verdict.FAILED, Verdict.ERROR)
VISAS = (DocumentFormat.MRV_A, DocumentFormat.MRV_B)


@dataclass(frozen=True)
class ListHit:
    """A watch-list entry that a person may be. `score` and `support` explain it."""

    entry: str
    list_name: str
    reason_code: str
    owner: Agency
    score: int  # 0 to 100
    birth_date: str  # agrees | differs | unknown


@dataclass(frozen=True)
class Features:
    """Everything a decision depends on. The same features give the same answer."""

    record: TransactionRecord
    pack: RulePack
    rates: Rates | None
    on: date  # the local day whose law and rates count
    transport: TransportMode = TransportMode.AIR
    drawn: frozenset[str] = frozenset()  # person_ids in the random sample
    hits: Mapping[str, tuple[ListHit, ...]] = field(default_factory=dict)  # by person_id
    screened: frozenset[str] = frozenset()  # person_ids whose name was compared with the lists
    pack_sha256: str = ""  # of the pack as central keeps it
    law_problem: str = ""  # why the pack is not the one that the journey went by; empty when it is

    @property
    def rates_sha256(self) -> str:
        return self.rates.content_hash if self.rates is not None else ""


def decide(features: Features) -> tuple[PersonOutcome, ...]:
    """Each person's channel and reasons, in the order of the party; the party walks the stricter way."""
    assessment = assess(features)
    return tuple(
        PersonOutcome(
            person_id=person.person_id,
            channel=Channel.RED if reasons else Channel.GREEN,
            reasons=reasons,
        )
        for person in features.record.party.persons
        for reasons in (tuple(_distinct(_reasons(features, person, assessment))),)
    )


def assess(features: Features) -> PartyAssessment:
    """The one evaluator's answer for the party, on what was certified."""
    persons = features.record.party.persons
    people = []
    for person in persons:
        document = person.identity
        birth = document.birth_date if document is not None else None
        certified = person.declaration is not None and person.declaration.certified_at is not None
        stated = person.declaration.circumstances if person.declaration is not None and certified else None
        people.append(
            PersonFacts(
                person_id=person.person_id,
                age=age_on(birth, features.on) if birth else None,
                role=person.role,
                declaration=person.declaration if certified else None,
                covered_by=person.guardian,
                **(stated.model_dump() if stated is not None else {}),
            )
        )
    return evaluate(
        features.pack, features.record.direction, features.transport, people, features.rates, features.on
    )


def agencies(outcomes: Iterable[PersonOutcome], owners: Iterable[Agency] = ()) -> tuple[Agency, ...]:
    """Whose referral a red answer opens: customs always, the border service for identity."""
    wanted = {Agency.CUSTOMS, *owners}
    for outcome in outcomes:
        for reason in outcome.reasons:
            identity = reason.reason_class in _OF_IDENTITY
            eligible = reason.reason_class is ReasonClass.ELIGIBILITY and reason.code.startswith("ELIGIBILITY_")
            unread = reason.reason_class is ReasonClass.TECHNICAL and _about_identity(reason.code)
            if identity or eligible or unread:
                wanted.add(Agency.BORDER)
    return tuple(agency for agency in Agency if agency in wanted)


_OF_IDENTITY = (ReasonClass.DOCUMENT, ReasonClass.CHIP, ReasonClass.FACE, ReasonClass.TRUST_ANCHOR)


def worst(outcomes: Iterable[PersonOutcome]) -> Severity:
    """The first severity in order that any reason has; ROUTINE when there is none."""
    found = {reason.severity for outcome in outcomes for reason in outcome.reasons}
    return next((severity for severity in Severity if severity in found), Severity.ROUTINE)


def _reasons(features: Features, person: Person, assessment: PartyAssessment) -> Iterator[ReferralReason]:
    early = features.record.finished == "to_officer"
    said = list(_own_reasons(features, person, assessment, early))
    yield from said
    if early and not said:
        yield _reason(person, "JOURNEY_ENDED_EARLY", ReasonClass.TECHNICAL)


def _own_reasons(
    features: Features, person: Person, assessment: PartyAssessment, early: bool
) -> Iterator[ReferralReason]:
    if person.asked_for_officer:
        yield _reason(person, "ASKED_FOR_OFFICER", ReasonClass.ELIGIBILITY, Severity.ROUTINE)
    yield from _eligibility(features, person, early)
    yield from _checks(features, person, early)
    yield from _declared(features, person, assessment, early)
    yield from _lists(features, person, early)
    if person.person_id in features.drawn:
        yield _reason(person, "RANDOM_SAMPLE", ReasonClass.RANDOM, Severity.ROUTINE)


def _eligibility(features: Features, person: Person, early: bool) -> Iterator[ReferralReason]:
    document = person.identity
    if document is None:
        return  # the checks carry that
    accompanied = person.guardian is not None
    found = eligibility(document, document.birth_date, features.on, features.pack, accompanied)
    if isinstance(found, NotEligible) and not (early and found.code == "AGE_UNKNOWN"):
        yield _reason(
            person,
            f"ELIGIBILITY_{found.code}",
            ReasonClass.ELIGIBILITY,
            Severity.ROUTINE,
            legal_basis=found.source,
        )


def _checks(features: Features, person: Person, early: bool) -> Iterator[ReferralReason]:
    for name, verdict, detail in _unpassed(features, person):
        # After an early end most things were never looked at, and that is silence; what was looked at and failed,
        # or was not there at all (a passport without a chip), is the cause.
        if early and verdict is Verdict.NOT_CHECKED:
            continue
        yield _check_reason(person, name, verdict, detail)


def _unpassed(features: Features, person: Person) -> Iterator[tuple[CheckName, Verdict, str]]:
    """Required checks that are not PASSED. A check that is missing from the record was not checked."""
    pack, identity = features.pack, person.identity
    required = pack.required_checks(
        identity.format if identity is not None else DocumentFormat.UNKNOWN, has_bags=bool(person.bags)
    )
    of_face = [group for group in required if group <= frozenset(FACE_CHECKS)]
    of_bags = [group for group in required if group <= frozenset(BAG_CHECKS)]
    of_document = [group for group in required if group not in of_face and group not in of_bags]
    yield from _compare(of_document, identity.checks if identity is not None else ())
    yield from _compare_offered(identity.checks if identity is not None else (), required)
    yield from _compare(of_face, person.face.checks if person.face is not None else ())
    for bag in person.bags:
        yield from _compare(of_bags, bag.checks)
    for visa in (document for document in person.documents if document.format in VISAS):
        of_visa = pack.required_checks(visa.format, has_bags=False)
        yield from _compare(of_visa, visa.checks)
        yield from _compare_offered(visa.checks, of_visa)
    face_passed = {check.name: check.verdict for check in person.face.checks} if person.face is not None else {}
    if (
        any(CheckName.FACE_MATCH in group for group in of_face)
        and person.face is not None
        and person.face.decision is not FaceDecision.MATCH
        and face_passed.get(CheckName.FACE_MATCH) is Verdict.PASSED
    ):
        yield CheckName.FACE_MATCH, Verdict.ERROR, "decision_disagrees"


def _compare(
    required: Iterable[frozenset[CheckName]], given: Iterable[Check]
) -> Iterator[tuple[CheckName, Verdict, str]]:
    """What stands between the checks given and those required: of each group one PASSED, and none that failed.

    Where none of several passed, the causes are those that failed, or else those that nobody looked at; what a
    document does not have is a cause only where it has none of them.
    """
    said: dict[CheckName, list[tuple[Verdict, str]]] = {}
    for check in given:
        said.setdefault(check.name, []).append((check.verdict, check.reason))
    for group in sorted((sorted(group, key=_ORDER.__getitem__) for group in required), key=lambda g: _ORDER[g[0]]):
        answers = [(name, *answer) for name in group for answer in said.get(name, _MISSING)]
        unpassed = [answer for answer in answers if answer[1] is not Verdict.PASSED]
        none_passed = len({name for name, _, _ in unpassed}) == len(group)  # said twice: the worse one counts
        if len(group) == 1:
            yield from unpassed
        elif failed := [answer for answer in unpassed if answer[1] in CONTRADICTS]:
            yield from failed
        elif none_passed:
            yield from [answer for answer in unpassed if answer[1] is Verdict.NOT_CHECKED] or unpassed


_MISSING = [(Verdict.NOT_CHECKED, "missing")]
_ORDER = {name: place for place, name in enumerate(CheckName)}


def _compare_offered(
    given: Iterable[Check], required: Iterable[frozenset[CheckName]]
) -> Iterator[tuple[CheckName, Verdict, str]]:
    """What the kiosk could look at beyond what is required."""
    asked = frozenset().union(*required)
    looked_at = [
        check
        for check in given
        if (check.name in WHERE_OFFERED - asked and check.verdict is not Verdict.NOT_PRESENT)
        or (check.name in NEVER_FAILED - asked and check.verdict in CONTRADICTS)
    ]
    return _compare({frozenset({check.name}) for check in looked_at}, looked_at)


def _check_reason(person: Person, name: CheckName, verdict: Verdict, detail: str) -> ReferralReason:
    if detail == NO_TRUST_ANCHOR:
        reason_class = ReasonClass.TRUST_ANCHOR
    elif verdict in (Verdict.ERROR, Verdict.NOT_CHECKED):
        reason_class = ReasonClass.TECHNICAL
    elif name in FACE_CHECKS:
        reason_class = ReasonClass.FACE
    elif name in BAG_CHECKS:
        reason_class = ReasonClass.BAGGAGE
    else:
        reason_class = ReasonClass.DOCUMENT if name in PRINTED_CHECKS else ReasonClass.CHIP
    # That no certificate of a country is loaded here is our gap and says nothing against whoever comes from there.
    grave = verdict is Verdict.FAILED and name in GRAVE_CHECKS and detail != NO_TRUST_ANCHOR
    return _reason(
        person,
        f"CHECK_{name.value.upper()}_{verdict.value}",
        reason_class,
        Severity.SEE_FIRST if grave else Severity.NEXT,
        detail=detail,
    )


def _declared(
    features: Features, person: Person, assessment: PartyAssessment, early: bool
) -> Iterator[ReferralReason]:
    declaration = person.declaration
    certified = declaration is not None and declaration.certified_at is not None
    if early and not certified:
        return
    red = declaration is not None and declaration.declared_channel is DeclaredChannel.RED
    if red:
        yield _reason(person, "DECLARED_RED", ReasonClass.DECLARED, Severity.ROUTINE)
    if declaration is not None and not certified:
        yield _reason(person, "DECLARATION_NOT_CERTIFIED", ReasonClass.TECHNICAL)
    if features.law_problem and declaration is not None:
        yield _reason(
            person,
            f"RULE_PACK_{features.law_problem.upper()}",
            ReasonClass.TECHNICAL,
            facts={"named": declaration.rule_pack, "used": features.pack.label},
        )
    for hit in assessment.persons[person.person_id].hits:
        if hit.code == "DECLARATION_UNKNOWN" and declaration is not None:
            continue  # said above, and better
        yield _hit_reason(person, hit, red)
    if assessment.persons[person.person_id].unknown and not assessment.persons[person.person_id].hits:
        yield _reason(person, "DECLARATION_AMOUNT_UNKNOWN", ReasonClass.RULE)
    if assessment.persons[person.person_id].unknown and declaration is not None:
        yield from _rates(features, person)
    if not red:
        yield from _weight(features, person)


def _rates(features: Features, person: Person) -> Iterator[ReferralReason]:
    """That something could not be converted may lie with our rates: then it is said of which day they are."""
    rates = features.rates
    if rates is None or not rates.rates:
        yield _reason(person, "RATES_MISSING", ReasonClass.TECHNICAL)
    elif not rates.in_force(features.on):
        facts = {"date": rates.date.isoformat(), "source": rates.source}
        yield _reason(person, "RATES_STALE", ReasonClass.TECHNICAL, facts=facts)


def _hit_reason(person: Person, hit: RuleHit, red: bool) -> ReferralReason:
    if hit.relation is Relation.UNKNOWN:
        reason_class = ReasonClass.RULE
    else:
        reason_class = ReasonClass.DECLARED if red else ReasonClass.DECLARATION_MISMATCH
    return _reason(
        person,
        hit.code,
        reason_class,
        Severity.NEXT,
        rule_id=hit.rule_id,
        rule_version=hit.rule_version,
        legal_basis=hit.legal_basis,
        facts=hit.facts,
    )


def _weight(features: Features, person: Person) -> Iterator[ReferralReason]:
    """The scale shows more than the norm, and the traveller said that there is nothing to declare."""
    law = Law.of(features.pack, features.record.direction, features.transport, features.on)
    line = law.weighed(
        sum((Decimal(str(bag.weight_kg)) for bag in person.bags if bag.weight_kg is not None), Decimal(0))
    )
    if line is not None and line.relation is not Relation.WITHIN:
        over = line.relation is Relation.OVER
        yield _reason(
            person,
            "BAG_WEIGHT_OVER_NORM" if over else "GOODS_WEIGHT_UNKNOWN",
            ReasonClass.DECLARATION_MISMATCH if over else ReasonClass.RULE,
            rule_id=line.rule_id,
            rule_version=features.pack.version,
            legal_basis=features.pack.rule(line.rule_id, features.on).legal_basis,
            facts={
                "declared": plain(line.declared),
                "norm": plain(line.norm),
                "difference": plain(line.difference),
                "unit": line.unit,
            },
        )


def _lists(features: Features, person: Person, early: bool) -> Iterator[ReferralReason]:
    hits = features.hits.get(person.person_id, ())
    for hit in hits:
        yield _reason(
            person,
            "WATCH_LIST_NAME",
            ReasonClass.WATCH_LIST,
            Severity.SEE_FIRST,
            facts={
                "list": hit.list_name,
                "reason_code": hit.reason_code,
                "owner": hit.owner.value,
                "score": str(hit.score),
                "birth_date": hit.birth_date,
            },
        )
    if person.person_id not in features.screened and not early:
        yield _reason(person, "WATCH_LIST_NOT_CHECKED", ReasonClass.TECHNICAL)


def _reason(
    person: Person,
    code: str,
    reason_class: ReasonClass,
    severity: Severity = Severity.NEXT,
    *,
    rule_id: str | None = None,
    rule_version: str | None = None,
    legal_basis: str = "",
    detail: str | None = None,
    facts: Mapping[str, str] | None = None,
) -> ReferralReason:
    return ReferralReason(
        code=code,
        reason_class=reason_class,
        severity=severity,
        person_id=person.person_id,
        rule_id=rule_id,
        rule_version=rule_version,
        legal_basis=legal_basis[:500],
        detail=detail,
        facts={name: value[:120] for name, value in (facts or {}).items()},
    )


def _distinct(reasons: Iterable[ReferralReason]) -> Iterator[ReferralReason]:
    """One reason per code and person: two bags without a tag are one reason, two list entries are one person."""
    seen: set[str] = set()
    for reason in reasons:
        if reason.code not in seen:
            seen.add(reason.code)
            yield reason


def _about_identity(code: str) -> bool:
    bags = tuple(f"CHECK_{name.value.upper()}_" for name in BAG_CHECKS)
    return (code.startswith("CHECK_") and not code.startswith(bags)) or code == "WATCH_LIST_NOT_CHECKED"
