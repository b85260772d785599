"""The decision, pure: what refers and why, and the matrix of rule 3: nothing but PASSED is green."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from central_scene import START, declaration, passed, passport, person, record
from hypothesis import given
from hypothesis import strategies as st

from central.risk import PRINTED_CHECKS, WHERE_OFFERED, Features, ListHit, agencies, decide
from contracts.checks import BAG_CHECKS, DOCUMENT_CHECKS, FACE_CHECKS, Check, CheckName, Verdict
from contracts.decision import Channel, ReasonClass, Severity
from contracts.declaration import DeclaredChannel, GoodsItem, GoodsKind, Money, MoneyKind, Unit
from contracts.disposition import Agency
from contracts.party import Bag, DocumentFormat, FaceDecision, FaceResult, Person
from declarations.money import demonstration_rates
from declarations.packs import load_pack

PACK, RATES = load_pack("eaeu-by"), demonstration_rates()
TODAY = START.date()
RED = DeclaredChannel.RED


def features(*persons: Person, finished: str = "complete", **changes: Any) -> Features:
    sent = record(*persons, finished=finished)
    everybody = frozenset(one.person_id for one in sent.party.persons)
    made = Features(record=sent, pack=PACK, rates=RATES, on=TODAY, screened=everybody)
    return replace(made, **changes)


def codes(*persons: Person, **changes: Any) -> list[str]:
    return sorted(reason.code for outcome in decide(features(*persons, **changes)) for reason in outcome.reasons)


def altered(name: CheckName, check: Check | None) -> Person:
    """The ordinary traveller with one check replaced, or left out."""

    def of(names: tuple[CheckName, ...]) -> tuple[Check, ...]:
        rest = tuple(one for one in passed(*names) if one.name is not name)
        return (*rest, check) if check is not None and name in names else rest

    return person(
        documents=(passport(checks=of(DOCUMENT_CHECKS)),),
        face=FaceResult(decision=FaceDecision.MATCH, score=0.7, checks=of(FACE_CHECKS)),
        bags=(Bag(tag="0123456789", weight_kg=18.4, checks=of(BAG_CHECKS)),),
    )


GROUPS = PACK.required_checks(DocumentFormat.TD3, has_bags=True)
REQUIRED = sorted(name for group in GROUPS if len(group) == 1 for name in group)
(PROOF,) = (group for group in GROUPS if len(group) > 1)  # that the chip is no copy: any one will do
ACTIVE, BY_KEY = sorted(PROOF)


def never_green() -> Iterator[tuple[CheckName, Verdict | None]]:
    for name in REQUIRED:
        for verdict in (*(verdict for verdict in Verdict if verdict is not Verdict.PASSED), None):
            yield name, verdict


def test_the_ordinary_traveller_is_green() -> None:
    assert codes(person()) == []
    assert len(REQUIRED) == 18
    assert (ACTIVE, BY_KEY) == (CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION)


@pytest.mark.parametrize(("name", "verdict"), [*never_green()])
def test_no_required_check_but_passed_is_green(name: CheckName, verdict: Verdict | None) -> None:
    check = Check(name=name, verdict=verdict, reason="told_by_the_test") if verdict else None
    told = Verdict.NOT_CHECKED if verdict is None else verdict
    assert codes(altered(name, check)) == [f"CHECK_{name.value.upper()}_{told.value}"]


ANSWERS = (*Verdict, None)


def proofs(active: Verdict | None, by_key: Verdict | None) -> Person:
    """The ordinary traveller whose chip gave these two answers about itself."""
    rest = tuple(check for check in passed(*DOCUMENT_CHECKS) if check.name not in PROOF)
    given_answers = ((ACTIVE, active), (BY_KEY, by_key))
    own = tuple(
        Check(name=name, verdict=verdict, reason="told_by_the_test")
        for name, verdict in given_answers
        if verdict is not None
    )
    return person(documents=(passport(checks=(*rest, *own)),))


@pytest.mark.parametrize("active", ANSWERS)
@pytest.mark.parametrize("by_key", ANSWERS)
def test_a_chip_needs_one_proof_of_itself_and_none_that_failed(
    active: Verdict | None, by_key: Verdict | None
) -> None:
    verdicts = [Verdict.NOT_CHECKED if verdict is None else verdict for verdict in (active, by_key)]
    said = dict(zip((ACTIVE, BY_KEY), verdicts, strict=True))
    failed = [name for name, verdict in said.items() if verdict in ("FAILED", "ERROR")]
    unknown = [name for name, verdict in said.items() if verdict == "NOT_CHECKED"]
    wrong = failed or ([] if Verdict.PASSED in verdicts else unknown or [ACTIVE, BY_KEY])
    assert codes(proofs(active, by_key)) == [f"CHECK_{name.upper()}_{said[name]}" for name in wrong]


@pytest.mark.parametrize("name", sorted(PROOF))
@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.PASSED])
def test_a_proof_said_twice_counts_as_the_worse(name: CheckName, verdict: Verdict) -> None:
    other = next(iter(PROOF - {name}))
    rest = tuple(check for check in passed(*DOCUMENT_CHECKS) if check.name not in PROOF)
    own = tuple(
        Check(name=of, verdict=said, reason="told_by_the_test")
        for of, said in ((other, Verdict.NOT_PRESENT), (name, Verdict.PASSED), (name, verdict))
    )
    assert f"CHECK_{name.upper()}_{verdict}" in codes(person(documents=(passport(checks=(*rest, *own)),)))


@pytest.mark.parametrize("name", [CheckName.CARDACCESS_DG14])
@pytest.mark.parametrize("verdict", ANSWERS)
def test_what_many_chips_lack_refers_only_where_it_failed(name: CheckName, verdict: Verdict | None) -> None:
    check = Check(name=name, verdict=verdict, reason="told_by_the_test") if verdict else None
    found = verdict in (Verdict.FAILED, Verdict.ERROR)
    assert codes(altered(name, check)) == ([f"CHECK_{name.value.upper()}_{verdict}"] if found else [])


@pytest.mark.parametrize("verdict", [*Verdict, None])
@pytest.mark.parametrize("name", sorted(WHERE_OFFERED))
def test_what_a_kiosk_may_look_at_counts_where_it_did(name: CheckName, verdict: Verdict | None) -> None:
    """And where it did not, as in records of older kiosks, nothing is missed."""
    check = Check(name=name, verdict=verdict, reason="told_by_the_test") if verdict else None
    silent = verdict in (None, Verdict.PASSED, Verdict.NOT_PRESENT)
    assert codes(altered(name, check)) == ([] if silent else [f"CHECK_{name.value.upper()}_{verdict}"])


def test_another_name_on_the_page_is_a_matter_of_the_document() -> None:
    check = Check(name=CheckName.MRZ_VIZ, verdict=Verdict.FAILED, reason="surname_differs")
    (outcome,) = decide(features(altered(CheckName.MRZ_VIZ, check)))
    (reason,) = outcome.reasons
    assert (reason.reason_class, reason.detail) == (ReasonClass.DOCUMENT, "surname_differs")


def test_a_check_said_twice_counts_as_the_worse() -> None:
    checks = (
        *passed(*DOCUMENT_CHECKS),
        Check(name=CheckName.DG_HASHES, verdict=Verdict.FAILED, reason="hash_mismatch_dg2"),
    )
    assert codes(person(documents=(passport(checks=checks),))) == ["CHECK_DG_HASHES_FAILED"]


def test_every_bag_is_checked() -> None:
    second = Bag(
        tag=None, weight_kg=10, checks=(Check(name=CheckName.BAG_TAG, verdict="NOT_PRESENT", reason="x_1"),)
    )
    found = codes(person(bags=(*person().bags, second)))
    assert found == ["CHECK_BAG_TAG_NOT_PRESENT", "CHECK_BAG_WEIGHT_NOT_CHECKED"]


def test_no_bags_need_no_bag_checks() -> None:
    assert codes(person(bags=())) == []


def test_no_face_no_document_no_declaration() -> None:
    assert "CHECK_FACE_MATCH_NOT_CHECKED" in codes(person(face=None))
    assert "CHECK_MRZ_READ_NOT_CHECKED" in codes(person(documents=()))
    assert codes(person(declaration=None)) == ["DECLARATION_UNKNOWN"]


def test_a_face_that_did_not_match_whatever_the_check_says() -> None:
    face = FaceResult(decision=FaceDecision.DOUBT, score=0.4, checks=passed(*FACE_CHECKS))
    assert codes(person(face=face)) == ["CHECK_FACE_MATCH_ERROR"]


def test_classes_keep_risk_and_broken_devices_apart() -> None:
    def classes(name: CheckName, verdict: Verdict) -> list[ReasonClass]:
        check = Check(name=name, verdict=verdict, reason="told_by_the_test")
        return [reason.reason_class for reason in decide(features(altered(name, check)))[0].reasons]

    assert classes(CheckName.DG_HASHES, Verdict.FAILED) == [ReasonClass.CHIP]
    assert classes(CheckName.MRZ_EXPIRY, Verdict.FAILED) == [ReasonClass.DOCUMENT]
    assert classes(CheckName.FACE_MATCH, Verdict.FAILED) == [ReasonClass.FACE]
    assert classes(CheckName.BAG_TAG, Verdict.NOT_PRESENT) == [ReasonClass.BAGGAGE]
    for verdict in (Verdict.ERROR, Verdict.NOT_CHECKED):
        assert classes(CheckName.DG_HASHES, verdict) == [ReasonClass.TECHNICAL]


def test_declared_red_with_and_without_anything_over() -> None:
    assert codes(person(declaration=declaration(declared_channel=RED))) == ["DECLARED_RED"]
    item = GoodsItem(kind=GoodsKind.ALCOHOL, quantity="5", unit=Unit.LITRE)
    outcome = decide(features(person(declaration=declaration(declared_channel=RED, items=(item,)))))[0]
    assert [(reason.code, reason.reason_class) for reason in outcome.reasons] == [
        ("DECLARED_RED", ReasonClass.DECLARED),
        ("ALCOHOL_OVER_NORM", ReasonClass.DECLARED),
    ]
    assert outcome.reasons[1].facts["declared"] == "5"
    assert outcome.reasons[1].facts["norm"] == "3"
    assert outcome.reasons[1].legal_basis


def test_over_a_norm_and_declared_green_is_a_mismatch() -> None:
    item = GoodsItem(kind=GoodsKind.ALCOHOL, quantity="5", unit=Unit.LITRE)
    reasons = decide(features(person(declaration=declaration(items=(item,)))))[0].reasons
    assert [(reason.code, reason.reason_class) for reason in reasons] == [
        ("ALCOHOL_OVER_NORM", ReasonClass.DECLARATION_MISMATCH)
    ]


def test_cash() -> None:
    money = Money(kind=MoneyKind.CASH, amount="12000", currency="USD")
    found = codes(person(declaration=declaration(declared_channel=RED, money=(money,))))
    assert found == ["CASH_OVER_THRESHOLD", "DECLARED_RED"]


def test_an_unknown_amount_refers() -> None:
    item = GoodsItem(kind=GoodsKind.ALCOHOL)
    assert codes(person(declaration=declaration(items=(item,)))) == ["ALCOHOL_UNKNOWN"]


def test_the_unaccompanied_question_not_answered() -> None:
    found = codes(person(declaration=declaration(unaccompanied_baggage=None)))
    assert found == ["UNACCOMPANIED_BAGGAGE_UNKNOWN"]


def test_nothing_is_green_that_nobody_certified() -> None:
    assert codes(person(declaration=declaration(certified_at=None))) == ["DECLARATION_NOT_CERTIFIED"]


@pytest.mark.parametrize(("weight", "found"), [(50.0, []), (50.1, ["BAG_WEIGHT_OVER_NORM"])])
def test_the_scale_against_the_weight_norm(weight: float, found: list[str]) -> None:
    bag = Bag(tag="0123456789", weight_kg=weight, checks=passed(*BAG_CHECKS))
    assert codes(person(bags=(bag,))) == found


def test_two_bags_are_one_persons_weight() -> None:
    bag = Bag(tag="0123456789", weight_kg=26, checks=passed(*BAG_CHECKS))
    assert codes(person(bags=(bag, bag))) == ["BAG_WEIGHT_OVER_NORM"]


def test_lists_and_the_sample() -> None:
    hit = ListHit("e1", "wanted", "W-01", Agency.POLICE, 93, "agrees")
    made = features(person(), hits={"p1": (hit,)}, drawn=frozenset({"p1"}))
    outcomes = decide(made)
    assert [reason.code for reason in outcomes[0].reasons] == ["WATCH_LIST_NAME", "RANDOM_SAMPLE"]
    assert outcomes[0].reasons[0].severity is Severity.SEE_FIRST
    assert agencies(outcomes, {Agency.POLICE}) == (Agency.CUSTOMS, Agency.POLICE)


def test_nobody_is_green_whom_nobody_screened() -> None:
    assert codes(person(), screened=frozenset()) == ["WATCH_LIST_NOT_CHECKED"]


def test_a_diplomat_goes_to_a_person_before_the_face() -> None:
    diplomat = person(documents=(passport(document_code="PD"),), face=None, bags=(), declaration=None)
    assert codes(diplomat, finished="to_officer") == ["ELIGIBILITY_DIPLOMAT"]
    assert agencies(decide(features(diplomat, finished="to_officer"))) == (Agency.CUSTOMS, Agency.BORDER)


def test_an_unreadable_page_lists_its_cause_only() -> None:
    checks = (Check(name=CheckName.MRZ_READ, verdict=Verdict.FAILED, reason="not_read"),)
    page = passport(format="unknown", document_code="", issuer=None, number=None, nationality=None, surname=None,
                    given_names=None, birth_date=None, expiry_date=None, sex=None, checks=checks)  # fmt: skip
    found = codes(
        person(documents=(page,), face=None, bags=(), declaration=None),
        finished="to_officer",
        screened=frozenset(),
    )
    assert found == ["CHECK_MRZ_READ_FAILED"]


def test_a_passport_without_a_chip_says_so() -> None:
    unread = tuple(
        Check(name=CheckName.ACCESS, verdict=Verdict.NOT_PRESENT, reason="no_chip")
        if check.name is CheckName.ACCESS
        else Check(name=check.name, verdict=Verdict.NOT_CHECKED, reason="not_read")
        if check.name not in PRINTED_CHECKS
        else check
        for check in passed(*DOCUMENT_CHECKS)
    )
    chipless = person(documents=(passport(checks=unread),), face=None, bags=(), declaration=None)
    assert codes(chipless, finished="to_officer") == ["CHECK_ACCESS_NOT_PRESENT"]


def test_who_asks_for_an_officer_is_asked_nothing_else() -> None:
    asking = person(asked_for_officer=True, declaration=None, bags=())
    assert codes(asking, finished="to_officer") == ["ASKED_FOR_OFFICER"]


def test_a_journey_that_ended_early_is_never_green() -> None:
    assert codes(person(), finished="to_officer") == ["JOURNEY_ENDED_EARLY"]
    nothing = person(documents=(), face=None, bags=(), declaration=None)
    assert codes(nothing, finished="to_officer", screened=frozenset()) == ["JOURNEY_ENDED_EARLY"]


def family(**minor: Any) -> tuple[Person, ...]:
    child = passport(number="C1234567", given_names="MAYA", birth_date=date(2017, 5, 1))
    values: dict[str, Any] = {
        "person_id": "p2",
        "role": "minor",
        "guardian": "p1",
        "declaration": None,
        "bags": (),
    }
    values["documents"] = (child,)
    return person(declaration=declaration(covers=("p2",))), person(**(values | minor))


def test_a_family_is_green_together_and_red_together() -> None:
    assert codes(*family()) == []
    assert codes(*family(face=None)) == [
        "CHECK_FACE_MATCH_NOT_CHECKED",
        "CHECK_FACE_QUALITY_NOT_CHECKED",
        "CHECK_PRESENTATION_ATTACK_NOT_CHECKED",
    ]


def test_a_minor_whom_nobody_speaks_for() -> None:
    lead, child = family()
    assert codes(lead.model_copy(update={"declaration": declaration()}), child) == ["DECLARATION_UNKNOWN"]
    assert "ELIGIBILITY_UNACCOMPANIED_MINOR" in codes(lead, child.model_copy(update={"guardian": None}))


def test_a_visa_has_checks_of_its_own() -> None:
    good = passport(format="MRV-A", document_code="V", checks=passed(*DOCUMENT_CHECKS[:4]))
    assert codes(person(documents=(good, passport()))) == []
    bad = good.model_copy(update={"checks": ()})
    assert codes(person(documents=(bad, passport()))) == [
        "CHECK_MRZ_CHECK_DIGITS_NOT_CHECKED",
        "CHECK_MRZ_EXPIRY_NOT_CHECKED",
        "CHECK_MRZ_READ_NOT_CHECKED",
        "CHECK_MRZ_VIZ_NOT_CHECKED",
    ]


@given(
    st.dictionaries(st.sampled_from(list(CheckName)), st.sampled_from(ANSWERS), max_size=6),
    st.sampled_from(["complete", "to_officer"]),
    st.sampled_from(list(DeclaredChannel)),
    st.booleans(),
)
def test_green_only_by_rule_2(
    given_checks: dict[CheckName, Verdict | None], finished: str, declared: DeclaredChannel, drawn: bool
) -> None:
    def of(names: tuple[CheckName, ...]) -> tuple[Check, ...]:
        made = []
        for name in names:
            verdict = given_checks.get(name, Verdict.PASSED)
            if verdict is not None:
                made.append(Check(name=name, verdict=verdict, reason="told_by_the_test"))
        return tuple(made)

    traveller = person(
        documents=(passport(checks=of(DOCUMENT_CHECKS)),),
        face=FaceResult(decision=FaceDecision.MATCH, checks=of(FACE_CHECKS)),
        bags=(Bag(tag="0123456789", weight_kg=5, checks=of(BAG_CHECKS)),),
        declaration=declaration(declared_channel=declared),
    )
    made = features(traveller, finished=finished, drawn=frozenset({"p1"} if drawn else ()))
    unpassed = [name for name in REQUIRED if given_checks.get(name, Verdict.PASSED) is not Verdict.PASSED]
    offered = (None, Verdict.PASSED, Verdict.NOT_PRESENT)
    unpassed += [name for name in WHERE_OFFERED if given_checks.get(name) not in offered]
    unpassed += [
        name
        for name in (CheckName.CARDACCESS_DG14, *PROOF)
        if given_checks.get(name) in (Verdict.FAILED, Verdict.ERROR)
    ]
    unpassed += [] if any(given_checks.get(name, Verdict.PASSED) == "PASSED" for name in PROOF) else [*PROOF]
    should_be_green = finished == "complete" and declared == "green" and not drawn and not unpassed
    assert (decide(made)[0].channel is Channel.GREEN) == should_be_green
    assert decide(made) == decide(made)


def test_a_country_without_a_trust_anchor_refers_in_a_class_of_its_own() -> None:
    """What our store lacks is neither a finding about the chip nor a broken device, and stands in no hit rate."""
    unknown = Check(name=CheckName.DS_CHAIN, verdict=Verdict.FAILED, reason="no_trust_anchor")
    (outcome,) = decide(features(altered(CheckName.DS_CHAIN, unknown)))
    assert outcome.channel is Channel.RED
    (reason,) = outcome.reasons
    assert (reason.code, reason.reason_class, reason.severity, reason.detail) == (
        "CHECK_DS_CHAIN_FAILED",
        ReasonClass.TRUST_ANCHOR,
        Severity.NEXT,
        "no_trust_anchor",
    )
    assert Agency.BORDER in agencies((outcome,))
    forged = Check(name=CheckName.DS_CHAIN, verdict=Verdict.FAILED, reason="chain_signature")
    (outcome,) = decide(features(altered(CheckName.DS_CHAIN, forged)))
    assert (outcome.reasons[0].reason_class, outcome.reasons[0].severity) == (ReasonClass.CHIP, Severity.SEE_FIRST)
