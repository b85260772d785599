"""What officers found of face comparisons: who counts as what, small groups stay hidden, nobody is named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from central_scene import PASSWORD, START, Clock, MakeConfig, add_user, passed, passport, person, record
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from central import create_app, dispositions, face_referrals, referrals
from central.access.permissions import Role, User
from central.config import FaceGroups
from central.counting import Busy
from central.face_referrals import Tally, age_band, large_enough, latest, people_of
from central.intake import accept
from central.referrals import NotAllowed
from central.service import Central, central_of
from central.storage.models import FaceReferralCount
from contracts.checks import FACE_CHECKS, Check, CheckName, Verdict
from contracts.disposition import Agency, DispositionOutcome
from contracts.party import FaceDecision, FaceResult, Person

ALL = ("sex", "age_band", "issuer")


def face(verdict: str, tries: int = 1) -> dict[str, Any]:
    return {"tries": tries, "checks": [{"name": "face_match", "verdict": verdict, "reason": "ok"}]}


def said_of(
    faces: Sequence[dict[str, Any] | None], codes: set[str], documents: Sequence[dict[str, Any]] = ()
) -> list[face_referrals.Person]:
    record = {"party": {"persons": [{"face": one} for one in faces]}}
    identity = {"party": {"persons": [{"documents": [one]} for one in documents]}}
    return list(people_of(record, identity, codes, date(2026, 11, 21), ALL if documents else ()))


@pytest.mark.parametrize(
    ("verdict", "codes", "matched", "said"),
    [
        ("PASSED", set(), True, ""),
        ("FAILED", set(), False, ""),
        ("FAILED", {"R-03"}, False, "holder"),
        ("FAILED", {"F-02"}, False, "other"),
        ("FAILED", {"R-03", "F-02"}, False, "other"),
        ("FAILED", {"R-01", "H-03"}, False, ""),
        ("PASSED", {"F-02"}, True, "other"),
        ("NOT_CHECKED", {"R-03"}, None, "holder"),
        ("ERROR", set(), None, ""),
    ],
)
def test_what_is_said_of_one_traveller(verdict: str, codes: set[str], matched: bool | None, said: str) -> None:
    (one,) = said_of([face(verdict)], codes)
    assert (one.matched, one.said) == (matched, said)


def test_a_finding_about_a_party_counts_for_the_one_who_did_not_match() -> None:
    found = said_of([face("PASSED"), face("FAILED")], {"F-02"})
    assert [(one.matched, one.said) for one in found] == [(True, ""), (False, "other")]
    for faces in ([face("FAILED"), face("FAILED")], [face("PASSED"), face("PASSED")]):
        assert {one.said for one in said_of(faces, {"F-02"})} == {""}, "nobody knows of whom"


def test_who_was_never_looked_at_counts_nowhere() -> None:
    assert said_of([None, face("NOT_CHECKED", tries=0), {"tries": 2, "checks": []}], {"R-03"}) == []


def test_groups_come_out_of_the_first_document_that_is_no_visa() -> None:
    visa = {"format": "MRV-A", "sex": "M", "issuer": "XXA"}
    own = {"format": "TD3", "sex": "F", "issuer": "UTO", "birth_date": "1986-11-22"}
    record = {"party": {"persons": [{"face": face("PASSED")}]}}
    identity = {"party": {"persons": [{"documents": [visa, own]}]}}
    (one,) = people_of(record, identity, set(), date(2026, 11, 21), ALL)
    assert one.groups == {"sex": "F", "age_band": "18_to_39", "issuer": "UTO"}
    (erased,) = people_of(record, {}, set(), date(2026, 11, 21), ALL)
    assert set(erased.groups.values()) == {"unknown"}


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (date(2008, 11, 22), "under_18"), (date(2008, 11, 21), "18_to_39"), (date(1986, 11, 21), "40_to_59"),
        (date(1966, 11, 22), "40_to_59"), (date(1966, 11, 21), "60_and_over"),
    ],
)  # fmt: skip
def test_age_bands_turn_on_birthdays(born: date, band: str) -> None:
    assert age_band(born, date(2026, 11, 21)) == band


def test_everybody_is_a_trial_of_what_they_say_something_about() -> None:
    tally = Tally()
    people = [
        *said_of([face("PASSED")], set()) * 20,
        *said_of([face("FAILED")], {"R-03"}) * 3,
        *said_of([face("FAILED")], {"F-02"}) * 2,
        *said_of([face("PASSED")], {"F-02"}),
        *said_of([face("FAILED")], set()) * 4,
        *said_of([face("ERROR")], set()) * 5,
    ]
    for one in people:
        tally.add(one)
    assert tally.overall == {
        "failure_to_capture": [5, 35],
        "sent_to_desk": [9, 30],
        "holder_not_matched": [3, 23],
        "other_matched": [1, 3],
    }
    assert (tally.people, tally.undecided) == (35, 4)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=2), st.integers(1, 40).map(lambda trials: (0, trials)), max_size=8
    )
)
def test_no_small_group_shows_also_not_as_a_difference(counts: dict[str, tuple[int, int]]) -> None:
    shown = large_enough(counts, 10)
    assert all(counts[name][1] >= 10 for name in shown)
    left_out = [trials for name, (_, trials) in counts.items() if name not in shown]
    assert not left_out or sum(left_out) >= 10 or not shown
    if all(trials >= 10 for _, trials in counts.values()):
        assert shown == set(counts), "and no large group is hidden without need"


def test_groups_need_a_law_and_ten_people() -> None:
    with pytest.raises(ValidationError, match="legal_basis"):
        FaceGroups(groups=("sex",))
    with pytest.raises(ValidationError):
        FaceGroups(groups=("sex",), legal_basis="a law", least_group=9)
    assert FaceGroups().groups == ()


# --- out of stored records ----------------------------------------------------------------------------------


def traveller(verdict: Verdict, **document: Any) -> Person:
    match = Check(name=CheckName.FACE_MATCH, verdict=verdict, reason="ok")
    checks = (match, *(check for check in passed(*FACE_CHECKS) if check.name is not CheckName.FACE_MATCH))
    decision = FaceDecision.MATCH if verdict is Verdict.PASSED else FaceDecision.DOUBT
    return person(documents=(passport(**document),), face=FaceResult(decision=decision, tries=1, checks=checks))


def crosses(central: Central, verdict: Verdict, **document: Any) -> str:
    sent = record(traveller(verdict, **document), started_at=START - timedelta(minutes=2), completed_at=START)
    accept(central, sent, sent.model_dump_json().encode())
    return sent.record_id


def confirms_the_holder(central: Central, officer: User, record_id: str) -> None:
    referrals.claim(central, officer, record_id, Agency.BORDER)
    dispositions.dispose(
        central, officer, record_id, Agency.BORDER, outcome=DispositionOutcome.RELEASE, reason_code="R-03",
        password=PASSWORD,
    )  # fmt: skip


def test_counted_out_of_records_by_the_groups_of_the_configuration(make_config: MakeConfig, clock: Clock) -> None:
    app = create_app(make_config(faces={"groups": ("sex",), "legal_basis": "Border act, art. 12"}), clock)
    central = central_of(app)
    try:
        _count_and_look(central, clock)
    finally:
        central.close()


def _count_and_look(central: Central, clock: Clock) -> None:
    nina = add_user(central, "nina", (Role.ADMINISTRATOR, Agency.CUSTOMS))
    boris = add_user(central, "boris", (Role.OFFICER, Agency.BORDER))
    for number in range(12):
        crosses(central, Verdict.PASSED, sex="F", number=f"F{number:07}")
    for number in range(9):
        crosses(central, Verdict.PASSED, sex="M", number=f"M{number:07}")
    confirms_the_holder(central, boris, crosses(central, Verdict.FAILED, sex="F", number="F9000000"))
    crosses(central, Verdict.FAILED, sex="F", number="F9000001")
    central.face_referrals.start(central, nina)
    central.face_referrals.wait(120)
    found = latest(central, nina)
    assert found is not None and (found.state, found.records, found.people, found.undecided) == ("done", 23, 23, 1)
    assert (found.overall["holder_not_matched"].events, found.overall["holder_not_matched"].trials) == (1, 22)
    # Nine men are too few, and with them hidden the women would show them as the difference.
    assert found.groups["sex"]["holder_not_matched"] == {}
    assert found.withheld["sex"]["holder_not_matched"] == 2
    for number in range(3):
        crosses(central, Verdict.PASSED, sex="M", number=f"M1{number:06}")
    central.face_referrals.start(central, nina)
    central.face_referrals.wait(120)
    found = latest(central, nina)
    assert found is not None
    by_sex = found.groups["sex"]["holder_not_matched"]
    assert {name: (one.events, one.trials) for name, one in by_sex.items()} == {"F": (1, 13), "M": (0, 12)}
    assert {one.difference for one in by_sex.values()} == {"not_enough_data"}
    assert "issuer" not in found.groups and found.basis == "Border act, art. 12"
    with central.storage.read() as session:
        kept = json.dumps([row.result for row in session.scalars(select(FaceReferralCount))])
        events = central.audit.page(session, tag="faces:referrals:counted").events
    for personal in ("LINDEN", "ANNA", "F9000000", "1984"):
        assert personal not in kept and personal not in json.dumps([event.detail for event in events])
    assert [event.actor for event in events] == ["nina", "nina"]
    with pytest.raises(NotAllowed):
        latest(central, boris)
    with pytest.raises(NotAllowed):
        central.face_referrals.start(central, boris)


def test_one_count_at_a_time_and_stopped_with_what_there_is(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    nina = add_user(central, "nina", (Role.ADMINISTRATOR, Agency.CUSTOMS))
    for number in range(3):
        crosses(central, Verdict.PASSED, number=f"F{number:07}")
    count, seen = face_referrals.count_record, []

    def stops(*arguments: Any) -> None:
        count(*arguments)
        seen.append(central.face_referrals.progress)
        with pytest.raises(Busy):
            central.face_referrals.start(central, nina)
        central.face_referrals.cancel(central, nina)

    monkeypatch.setattr(face_referrals, "count_record", stops)
    central.face_referrals.start(central, nina)
    central.face_referrals.wait(120)
    found = latest(central, nina)
    assert found is not None and (found.state, found.people, found.groups) == ("stopped", 1, {})
    assert seen == [(0, 3)]
    assert central.face_referrals.progress is None
