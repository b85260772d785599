"""What a kiosk tells a traveller and what central decides by are one answer, through the record between them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any

import pytest
from oracle.declared import CA, EAEU_BY, EU, GB, US, crossings

from central.risk import Features
from central.risk import assess as central_assess
from contracts.declaration import Circumstances, DeclaredChannel, TransportMode
from contracts.party import Direction, DocumentFormat, Party, Person, TravelDocument
from contracts.transaction import Provenance, TransactionRecord
from declarations.evaluate import PersonAssessment
from declarations.money import Rates
from declarations.packs import load_pack
from kiosk.assessor import Assessor
from kiosk.journey import PersonState, State
from kiosk.record import declaration_of

DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LAWS = {"eaeu-by": EAEU_BY, "gb": GB, "eu": EU, "us": US, "ca": CA}
RATES = Rates.model_validate(
    {
        "base": "BYN",
        "rates": {"EUR": "3.5", "USD": "3.2", "GBP": "4.1", "CAD": "2.4", "RUB": "0.04"},
        "date": DAY,
        "valid_through": None,
        "source": "test",
    }
)


def parties(name: str, seed: int, count: int) -> list[tuple[Direction, State]]:
    """Families as a kiosk knows them: adults who have certified, the first of whom speaks for all the minors."""
    found = []
    for number, crossing in enumerate(islice(crossings(seed, LAWS[name]), count)):
        draw = Random(f"{seed} {number}")
        persons = []
        for place, one in enumerate(crossing.party):
            age = one.age or 40
            minor = place > 0 and age < 16
            said = one.declaration
            persons.append(
                PersonState(
                    one.name,
                    identity=TravelDocument(
                        format=DocumentFormat.TD3,
                        birth_date=None if draw.random() < 0.05 else date(2026 - age, 11, draw.choice((20, 21))),
                    ),
                    minor=minor,
                    declared=None if minor or said is None else DeclaredChannel(said.declared_channel),
                    items=said.items if said else (),
                    money=said.money if said else (),
                    unaccompanied=said.unaccompanied_baggage if said else None,
                    circumstances=Circumstances(
                        resident=one.resident,
                        absence_hours=one.absence_hours,
                        days_since_exemption=one.days_since_exemption,
                        crossings=one.crossings,
                    ),
                    certified_at=NOW,
                )
            )
        found.append((crossing.direction, State(persons=tuple(persons))))
    return found


def as_a_record(state: State, direction: Direction, pack: str) -> TransactionRecord:
    """What central gets: the bytes that crossed the wire."""
    lead = state.persons[0].person_id
    persons = tuple(
        Person(
            person_id=person.person_id,
            role=state.role(person),
            guardian=lead if person.minor else None,
            documents=(person.identity,),
            declaration=declaration_of(state, person, pack),
        )
        for person in state.persons
        if person.identity is not None
    )
    record = TransactionRecord(
        site_id="MSQ",
        kiosk_id="k1",
        record_id="00000000-0000-4000-8000-000000000001",
        direction=direction,
        started_at=NOW,
        completed_at=NOW,
        party=Party(persons=persons),
        finished="complete",
        provenance=Provenance(profile="test", software="test"),
    )
    return TransactionRecord.model_validate_json(record.model_dump_json())


def told(answer: PersonAssessment) -> tuple[Any, ...]:
    lines = sorted(
        (line.kind, line.relation, line.declared or Decimal(-1), line.exact, line.duty or 0)
        for line in answer.lines
    )
    hits = sorted((hit.code, str(hit.rule_id), hit.relation) for hit in answer.hits)
    return hits, lines, answer.duty_total, answer.duty_complete


@pytest.mark.parametrize("name", LAWS)
def test_the_kiosk_says_what_central_decides_by(name: str) -> None:
    pack, compared = load_pack(name), 0
    for direction, state in parties(name, 31, 80):
        record = as_a_record(state, direction, pack.label)
        decided = central_assess(Features(record, pack, RATES, DAY, TransportMode.AIR)).persons
        kiosk = Assessor(direction, pack, RATES)
        for person in state.persons:
            if person.minor or person.declared is None:
                continue
            for person_id, answer in kiosk.assess(state, person, DAY).persons.items():
                assert told(answer) == told(decided[person_id]), (name, person_id, record)
                compared += 1
    assert compared > 50
