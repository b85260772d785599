"""Dates as documents print them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.printed_dates import PrintedDate, printed_dates

TWELFTH_OF_AUGUST = PrintedDate(74, 8, 12)


@pytest.mark.parametrize(
    "text",
    [
        "12 AUG 1974",
        "12 Aug 74",
        "12 AUG/AOUT 74",
        "12 AOÛT/AUG 1974",
        "12 AUGUST/AOUT 74",
        "12AUG1974",
        "12 AUG1974",
        "12-AUG-1974",
        "12.08.1974",
        "12. 08. 1974",
        "12/08/1974",
        "12-08-1974",
        "12 08 1974",
        "12 08 74",
        "12081974",
        "12 081974",
        "1974-08-12",
        "1974.08.12",
        "1974 08 12",
        "19740812",
        "August 12, 1974",
        "1974 AUG 12",
        "12 августа 1974",
        "12 АВГ 1974",
        "12 жніўня 1974",
        "12 ЖНІ/AUG 1974",
        "12 серпня 1974",
        "12 ΑΥΓ 1974",
        "12 SIE/AUG 1974",
        "12 ELO/AUG 74",
        "12 AĞU/AUG 1974",
        "Date of birth 12 AUG 1974",
        "I2 AUG 1974",
        "12 AUG 1974.",
        "12.O8.1974",
    ],
)
def test_every_printed_style(text: str) -> None:
    assert TWELFTH_OF_AUGUST in printed_dates(text)


def test_words_that_are_two_months_are_settled_by_the_second_language() -> None:
    assert {date.month for date in printed_dates("13 LIP 2016")} == {6, 7}
    assert printed_dates("13 LIP/JUL 2016") == {PrintedDate(16, 7, 13)}
    assert printed_dates("13 LIP/JUN 2016") == {PrintedDate(16, 6, 13)}


def test_month_before_day_only_where_it_is_printed_so() -> None:
    assert PrintedDate(99, 8, 12) in printed_dates("08/12/1999", "USA")
    assert PrintedDate(99, 8, 12) not in printed_dates("08/12/1999", "DEU")


def test_an_unknown_day() -> None:
    assert printed_dates("XX AUG 1974") == {PrintedDate(74, 8, 0)}


@pytest.mark.parametrize(
    "text", ["", "OFFICE OF AMAUROT", "L898902C3", "32 08 1974", "12 13 1974", "12 XYZ 1974", "151 CM", "7408122"]
)
def test_what_is_no_date(text: str) -> None:
    assert TWELFTH_OF_AUGUST not in printed_dates(text)
    assert all(1 <= date.month <= 12 and date.day <= 31 for date in printed_dates(text))


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    printed_dates(text)


@given(st.dates(), st.sampled_from(["{d:02}.{m:02}.{y:04}", "{y:04}-{m:02}-{d:02}", "{d:02} {m:02} {y:04}"]))
def test_numbers_round_trip(date: object, style: str) -> None:
    year, month, day = date.year, date.month, date.day  # type: ignore[attr-defined]
    text = style.format(y=year, m=month, d=day)
    assert PrintedDate(year % 100, month, day) in printed_dates(text)
