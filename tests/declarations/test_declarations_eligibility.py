"""Who goes to a person before any capture."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.party import DocumentFormat, TravelDocument
from declarations.eligibility import Eligible, NotEligible, age_on, eligibility
from declarations.packs import Exclusion, RulePack

TODAY = date(2026, 11, 21)
ADULT = date(1980, 5, 1)


def document(code: str = "P", nationality: str | None = "UTO", issuer: str | None = "UTO") -> TravelDocument:
    return TravelDocument(format=DocumentFormat.TD3, document_code=code, nationality=nationality, issuer=issuer)


@pytest.mark.parametrize("code", ["P", "PP", "PE", "PT", "I", "ID", "IP", "C", "A", ""])
def test_ordinary_documents_are_eligible(pack: RulePack, code: str) -> None:
    assert eligibility(document(code), ADULT, TODAY, pack, accompanied=False) == Eligible()


@pytest.mark.parametrize(
    ("code", "nationality", "issuer", "reason"),
    [
        ("PD", "UTO", "UTO", "DIPLOMAT"),
        ("PO", "UTO", "UTO", "OFFICIAL"),
        ("PM", "UTO", "UTO", "OFFICIAL"),
        ("AC", "UTO", "UTO", "CREW"),
        ("PR", "UTO", "UTO", "REFUGEE"),
        ("P", "XXB", "UTO", "REFUGEE"),
        ("P", "XXC", "UTO", "REFUGEE"),
        ("PS", "UTO", "UTO", "STATELESS"),
        ("P", "XXA", "UTO", "STATELESS"),
        ("P", "XXX", "UTO", "NATIONALITY_UNSPECIFIED"),
        ("PL", "UTO", "UTO", "LAISSEZ_PASSER"),
        ("P", "UNO", "UNO", "LAISSEZ_PASSER"),
        ("P", "UTO", "EUE", "LAISSEZ_PASSER"),
        ("P", "UTO", "XOM", "LAISSEZ_PASSER"),
    ],
)
def test_who_goes_to_a_person(pack: RulePack, code: str, nationality: str, issuer: str, reason: str) -> None:
    answer = eligibility(document(code, nationality, issuer), ADULT, TODAY, pack, accompanied=True)
    assert isinstance(answer, NotEligible)
    assert answer.code == reason
    assert "ICAO Doc 9303" in answer.source


@pytest.mark.parametrize(
    ("birth", "accompanied", "reason"),
    [
        (date(2010, 11, 21), False, None),
        (date(2010, 11, 22), False, "UNACCOMPANIED_MINOR"),
        (date(2010, 11, 22), True, None),
        (date(2026, 11, 22), True, "AGE_UNKNOWN"),
        (None, True, "AGE_UNKNOWN"),
        (None, False, "AGE_UNKNOWN"),
    ],
)
def test_age(pack: RulePack, birth: date | None, accompanied: bool, reason: str | None) -> None:
    answer = eligibility(document(), birth, TODAY, pack, accompanied)
    assert (answer.code if isinstance(answer, NotEligible) else None) == reason


def test_what_could_not_be_read_excludes_nobody_here(pack: RulePack) -> None:
    assert eligibility(document("", None, None), ADULT, TODAY, pack, accompanied=False) == Eligible()


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2008, 11, 22), date(2026, 11, 21), 17),
        (date(2008, 11, 21), date(2026, 11, 21), 18),
        (date(2026, 11, 21), date(2026, 11, 21), 0),
        (date(2026, 11, 22), date(2026, 11, 21), None),
    ],
)
def test_completed_years(birth: date, day: date, age: int | None) -> None:
    assert age_on(birth, day) == age


@pytest.mark.parametrize(
    ("birth", "accompanied", "reason"),
    [
        (date(2014, 11, 21), True, None),
        (date(2014, 11, 22), True, "TOO_YOUNG"),
        (date(2014, 11, 22), False, "TOO_YOUNG"),
        (date(2014, 11, 21), False, "UNACCOMPANIED_MINOR"),
        (None, True, "AGE_UNKNOWN"),
    ],
)
def test_too_young_even_beside_an_adult(
    pack: RulePack, birth: date | None, accompanied: bool, reason: str | None
) -> None:
    limits = (
        Exclusion(code="TOO_YOUNG", title="t", under_age=12, source="s"),
        Exclusion(code="UNACCOMPANIED_MINOR", title="t", unaccompanied_under_age=18, source="s"),
    )
    answer = eligibility(document(), birth, TODAY, pack.model_copy(update={"eligibility": limits}), accompanied)
    assert (answer.code if isinstance(answer, NotEligible) else None) == reason
