"""Officers at work: queue, claim, case, signature, exit; and what they must not see or do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import pytest
from central_scene import PASSWORD, Clock
from flask import Flask
from officer_scene import (
    ALTERED_CHIP,
    CHOSE_A_PERSON,
    HALL,
    NO_CAMERA,
    ORDINARY,
    OVER_ALCOHOL,
    WITH_CASH,
    Console,
    arrives,
    joins,
)
from sqlalchemy import select

from central.service import Central
from central.storage.models import StoredDisposition
from contracts.decision import Channel, Decision

DETAIN = {"outcome": "detain_goods", "reason_code": "D-01"}


def case_of(decision: Decision, agency: str = "customs") -> str:
    return f"/officer/cases/{agency}/{decision.record_id}"


def dispositions(central: Central) -> list[StoredDisposition]:
    with central.storage.read() as reading:
        return list(reading.scalars(select(StoredDisposition)))


@pytest.fixture
def declared(central: Central) -> Decision:
    """A traveller with a child who declared five litres."""
    decision = arrives(central, OVER_ALCOHOL)
    assert decision.channel is Channel.RED
    return decision


@pytest.fixture
def olga(console: Console) -> Console:
    return console.signs_in("olga")


def test_the_queue_orders_by_severity_and_shows_reasons_in_words(central: Central, app: Flask) -> None:
    for guest in HALL:
        arrives(central, guest)
    page = Console(app).signs_in("boris").sees("/officer/queue")
    assert page.index("See first") < page.index("Chip data was changed") < page.index("Next")
    assert "ERIKSSON" not in page.upper(), "names belong to the case page, where each view is audited"


def test_a_cleared_traveller_is_in_no_queue(central: Central, olga: Console) -> None:
    assert arrives(central, ORDINARY).channel is Channel.GREEN
    assert "Nobody is waiting for you" in olga.sees("/officer/queue")


def test_the_case_says_why_with_law_and_arithmetic(declared: Decision, olga: Console) -> None:
    page = olga.sees(case_of(declared))
    assert "Alcohol over the norm" in page and "5 l declared, 3 l free." in page
    assert "EEC Council Decision 107" in page and "BY-06" in page
    assert "over by 2.00 l" in page and "20.00 EUR" in page
    assert "An adult of the party declares for this child." in page
    assert "0.61" in page and page.index("0.61") > page.index("Alcohol over the norm")


def test_pictures_are_streamed_to_the_case_and_kept_nowhere(declared: Decision, olga: Console) -> None:
    picture = olga.client.get(f"{case_of(declared)}/evidence/p1/live_face")
    assert picture.status_code == 200 and picture.mimetype == "image/jpeg"
    assert picture.headers["Cache-Control"] == "no-store"
    assert olga.client.get(f"{case_of(declared)}/evidence/p2/live_face").status_code == 404
    assert olga.client.get(f"{case_of(declared)}/evidence/p1/anything").status_code == 404


def test_a_bundle_that_never_came_is_said_to_be_absent(central: Central, olga: Console) -> None:
    decision = arrives(central, NO_CAMERA)
    page = olga.sees(case_of(decision))
    assert "Not present" in page and "The kiosk took none." in page
    assert "Live person: not checked" in page


def test_a_claim_that_fails_says_who_holds_the_case(declared: Decision, app: Flask, olga: Console) -> None:
    petr = Console(app).signs_in("petr")
    assert petr.submits(f"{case_of(declared)}/claim").status_code == 303
    olga.submits(f"{case_of(declared)}/claim")
    assert "Petr holds this case since" in olga.sees("/officer/queue")


def test_nothing_is_chosen_before_the_officer_chooses(declared: Decision, olga: Console) -> None:
    olga.submits(f"{case_of(declared)}/claim")
    page = olga.sees(case_of(declared))
    assert page.count('name="outcome"') == 4
    assert not re.search(r"<input[^>]* (checked|autofocus)", page)


def test_a_disposition_needs_the_password_that_signs(declared: Decision, central: Central, olga: Console) -> None:
    olga.submits(f"{case_of(declared)}/claim")
    form = {"outcome": "assess_duty", "reason_code": "A-01", "note": "five bottles"}
    refused = olga.submits(f"{case_of(declared)}/disposition", password="not mine at all", **form)
    assert refused.status_code == 422 and "Nothing was signed" in refused.text
    assert "not mine at all" not in refused.text and "five bottles" in refused.text
    assert dispositions(central) == []
    signed = olga.submits(f"{case_of(declared)}/disposition", password=PASSWORD, **form)
    assert signed.status_code == 303
    (stored,) = dispositions(central)
    assert stored.officer_id == "olga" and len(stored.signature) == 86
    page = olga.sees(case_of(declared))
    assert "This service has decided" in page and "Assess duty, A-01 · Olga" in page
    assert "20.00 EUR" in olga.sees(f"{case_of(declared)}/duty-sheet")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "Choose an outcome."),
        ({"outcome": "release"}, "Choose a reason code of this outcome."),
        ({"outcome": "release", "reason_code": "A-01"}, "Choose a reason code of this outcome."),
        ({"outcome": "refuse", "reason_code": "F-01"}, "Your service does not have this outcome."),
        ({"outcome": "hand_over", "reason_code": "H-01"}, "Say which service takes over."),
        ({"outcome": "detain_goods", "reason_code": "D-01"}, "Two officers sign this."),
        (
            {"outcome": "release", "reason_code": "R-01", "second_officer": "petr", "second_password": PASSWORD},
            "One officer signs this.",
        ),
        (
            {
                "outcome": "detain_goods",
                "reason_code": "D-01",
                "second_officer": "olga",
                "second_password": PASSWORD,
            },
            "somebody else than you",
        ),
        (
            {
                "outcome": "detain_goods",
                "reason_code": "D-01",
                "second_officer": "petr",
                "second_password": "wrong",
            },
            "Nothing was signed",
        ),
    ],
)
def test_what_does_not_fit_comes_back_in_words(
    declared: Decision, central: Central, olga: Console, form: dict[str, str], says: str
) -> None:
    joins(central, *filter(None, [form.get("second_officer")]))
    olga.submits(f"{case_of(declared)}/claim")
    answer = olga.submits(f"{case_of(declared)}/disposition", password=PASSWORD, **form)
    assert answer.status_code == 422 and says in answer.text
    assert dispositions(central) == []


def test_a_second_officer_of_another_service_cannot_confirm(
    declared: Decision, central: Central, olga: Console
) -> None:
    joins(central, "boris")
    olga.submits(f"{case_of(declared)}/claim")
    form = {
        "outcome": "detain_goods",
        "reason_code": "D-01",
        "second_officer": "boris",
        "second_password": PASSWORD,
    }
    answer = olga.submits(f"{case_of(declared)}/disposition", password=PASSWORD, **form)
    assert answer.status_code == 422 and "may not confirm for this service" in answer.text
    assert dispositions(central) == []


def test_two_officers_detain_goods(declared: Decision, central: Central, olga: Console) -> None:
    joins(central, "petr")
    olga.submits(f"{case_of(declared)}/claim")
    form = {
        "outcome": "detain_goods",
        "reason_code": "D-01",
        "second_officer": "petr",
        "second_password": PASSWORD,
    }
    answer = olga.submits(f"{case_of(declared)}/disposition", password=PASSWORD, **form)
    assert answer.status_code == 303
    (stored,) = dispositions(central)
    assert stored.second_officer_id == "petr" and stored.second_signature


def test_whoever_does_not_hold_the_case_cannot_sign(declared: Decision, central: Central, olga: Console) -> None:
    form = {"outcome": "release", "reason_code": "R-01", "password": PASSWORD}
    answer = olga.submits(f"{case_of(declared)}/disposition", **form)
    assert answer.status_code == 422 and "Claim the case before you sign." in answer.text
    assert dispositions(central) == []


def test_an_officer_of_another_service_sees_nothing_of_the_case(declared: Decision, app: Flask) -> None:
    boris = Console(app).signs_in("boris")
    assert declared.receipt_number not in boris.sees("/officer/queue")
    assert "No case of your service" in boris.sees(f"/officer/find?receipt={declared.receipt_number}")
    for path in (case_of(declared), f"{case_of(declared)}/evidence/p1/live_face", case_of(declared, "border")):
        assert boris.client.get(path).status_code == 404
    assert boris.submits(f"{case_of(declared)}/claim").status_code == 404


def test_the_stream_tells_of_own_referrals_only(central: Central, app: Flask) -> None:
    cleared = arrives(central, ORDINARY)
    customs_only = arrives(central, WITH_CASH)
    both = arrives(central, ALTERED_CHIP)
    told = read_until(Console(app).signs_in("boris"), both.record_id)
    assert "event: referral" in told
    assert customs_only.record_id not in told and cleared.record_id not in told
    told = read_until(Console(app).signs_in("olga"), both.record_id)
    assert customs_only.record_id in told and cleared.record_id not in told


def test_the_stream_ends_with_the_session_it_was_opened_in(central: Central, app: Flask) -> None:
    first = arrives(central, WITH_CASH)
    answer = Console(app).signs_in("olga").client.get("/officer/events", headers={"Last-Event-ID": "0"})
    parts: Iterator[bytes] = iter(answer.response)  # type: ignore[arg-type]
    while first.record_id.encode() not in next(parts):
        pass
    with central.storage.write() as writing:
        central.users.set_disabled(writing, user_id="olga", disabled=True, by="test", now=central.clock())
    second = arrives(central, WITH_CASH)
    rest = b"".join(islice(parts, 3))  # more than it would take to tell
    assert second.record_id.encode() not in rest
    answer.close()


def read_until(console: Console, record_id: str) -> str:
    """What the stream says from the first event on until it names the record."""
    answer = console.client.get("/officer/events", headers={"Last-Event-ID": "0"})
    assert answer.mimetype == "text/event-stream"
    parts: Iterator[bytes] = iter(answer.response)  # type: ignore[arg-type]
    told = ""
    for part in parts:
        told += part.decode()
        if record_id in told:
            break
    answer.close()
    return told


def test_the_exit_answers_in_words(declared: Decision, central: Central, olga: Console) -> None:
    cleared = arrives(central, ORDINARY)

    def scans(token: str) -> str:
        return olga.submits("/officer/exit", receipt=token).text

    assert "Open the gate" in scans(cleared.receipt)
    assert "Used already" in scans(cleared.receipt)
    assert f"Back to desk {declared.desk}" in scans(declared.receipt)
    assert "Not a receipt of this site" in scans(cleared.receipt[:-2])
    assert "The number alone is not enough" in scans(declared.receipt_number)


def test_alarms_show_at_the_supervisors_page(
    declared: Decision, central: Central, clock: Clock, app: Flask, olga: Console
) -> None:
    olga.submits("/officer/exit", receipt=declared.receipt)
    clock.advance(minutes=central.config.no_show_minutes + 1)
    sergei = Console(app).signs_in("sergei")
    page = sergei.sees("/officer/queue")
    assert "at the exit, not finished" in page and f"not at desk {declared.desk}" in page
    olga.signs_in("olga")
    assert "not at desk" not in olga.sees("/officer/queue")
    assert "Did not come" in sergei.sees(case_of(declared))
    form = {"outcome": "no_show", "reason_code": "N-01", "password": PASSWORD}
    assert sergei.submits(f"{case_of(declared)}/disposition", **form).status_code == 303
    assert [row.outcome for row in dispositions(central)] == ["no_show"]


def test_whoever_asks_for_a_person_is_routine(central: Central, olga: Console) -> None:
    arrives(central, CHOSE_A_PERSON)
    page = olga.sees("/officer/queue")
    assert "Chose an officer instead of the kiosk" in page
    assert page.index("nothing is suspected") < page.index("Chose an officer")


@pytest.mark.parametrize(("language", "word"), [("ru", "Почему пассажир направлен к вам"), ("be", "Чаму пасажыр")])
def test_the_case_reads_in_the_officers_language(
    declared: Decision, olga: Console, language: str, word: str
) -> None:
    assert olga.submits("/officer/me", language=language, keys="on").status_code == 303
    page = olga.sees(case_of(declared))
    assert word in page and f'<html lang="{language}">' in page


def test_a_refusal_is_a_page_in_words(olga: Console) -> None:
    answer = olga.client.get("/admin/people")
    assert answer.status_code == 403 and "Your role does not open this page." in answer.text
    answer = olga.client.post("/officer/me")
    assert answer.status_code == 400 and "reload the page" in answer.text
