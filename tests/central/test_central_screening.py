"""Names: another spelling hits, an ordinary name does not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.screening import Entry, InvalidList, WatchList, fold, load_lists, similarity
from contracts.disposition import Agency

TODAY = date(2026, 11, 21)


def entry(name: str, birth_date: date | None = None, expires: date | None = None) -> Entry:
    return Entry(name, birth_date, "wanted", "W-01", Agency.POLICE, expires)


LIST = WatchList(
    [
        entry("Aleksandr Ivanov"),
        entry("Katarzyna Wojciechowska", date(1979, 3, 2)),
        entry("Juri Kowaltschuk"),
        entry("Mohammed al-Rashid"),
        entry("Marta Lindqvist", expires=date(2026, 11, 20)),
    ]
)


@pytest.mark.parametrize(
    "name",
    [
        ("IVANOV", "ALEKSANDR"),
        ("IWANOW", "ALEXANDER"),
        ("IVANOU", "ALIAKSANDR"),
        ("ALEXANDR", "IVANOV"),  # names in any order
        ("IVANOV", "ALEKSANDR PETROVICH"),
        ("IVANQV", "ALEKSANDR"),  # a reading error
        ("Иванов", "Александр"),
        ("WOJCIECHOWSKA", "KATARZYNA"),
        ("VOITSEKHOVSKA", "KATARZINA"),
        ("KOVALCHUK", "YURIY"),
        ("AL RASHID", "MOHAMMAD"),
        ("ALRASHEED", "MUHAMMED"),
    ],
)
def test_another_spelling_hits(name: tuple[str, str]) -> None:
    assert LIST.screen(*name, date(1979, 3, 2) if "KATARZ" in name[1] else None, TODAY)


@pytest.mark.parametrize(
    "name",
    [
        ("IVANOV", "PETR"), ("IVANOV", "ANDREI"), ("SMITH", "ALEXANDER"), ("ALEKSANDROV", "IVAN"),
        ("LINDEN", "ANNA MARIA"),
        ("ERIKSSON", "ANNA MARIA"), ("KOWALSKI", "JAN"), ("KOVALENKO", "YULIA"), ("RASHIDOV", "TIMUR"),
        ("WOJCIK", "KATARZYNA"), ("LI", "WEI"), ("", "ALEKSANDR"), ("IVANOV", ""), ("", ""),
    ],
)  # fmt: skip
def test_an_ordinary_name_does_not(name: tuple[str, str]) -> None:
    assert LIST.screen(*name, None, TODAY) == ()


def test_an_expired_entry_does_not_hit() -> None:
    assert LIST.screen("LINDQVIST", "MARTA", None, TODAY) == ()
    assert LIST.screen("LINDQVIST", "MARTA", None, date(2026, 11, 20))


def test_a_birth_date_supports_and_weakens() -> None:
    near = ("WOJCIECHOVSKI", "KATARZINA")
    assert LIST.screen(*near, date(1979, 3, 2), TODAY)[0].birth_date == "agrees"
    assert LIST.screen(*near, date(1999, 3, 2), TODAY) == ()
    assert LIST.screen("WOJCIECHOWSKA", "KATARZYNA", date(1999, 3, 2), TODAY)[0].birth_date == "differs"


def test_a_list_says_the_same_after_it_was_kept() -> None:
    again = WatchList.from_content(LIST.content)
    assert again.content_hash == LIST.content_hash
    assert again.screen("IWANOW", "ALEXANDER", None, TODAY) == LIST.screen("IWANOW", "ALEXANDER", None, TODAY)
    assert WatchList(reversed(LIST.entries)).content_hash == LIST.content_hash


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_name_holds(surname: str, given_names: str) -> None:
    LIST.screen(surname, given_names, None, TODAY)
    folded = fold(surname)
    assert similarity(folded, folded) == (100 if folded else 0)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "name,birth_date,list,reason_code,owner,expires\nAleksandr Ivanov,1970-01-02,wanted,W-01,police,\n"
    )
    assert load_lists([path]).entries == (entry("Aleksandr Ivanov", date(1970, 1, 2)),)
    path.write_text("name,birth_date,list,reason_code,owner,expires\nAleksandr Ivanov,1970,wanted,W-01,police,\n")
    with pytest.raises(InvalidList, match="line 2") as refused:
        load_lists([path])
    assert "Ivanov" not in str(refused.value)
    with pytest.raises(InvalidList):
        load_lists([tmp_path / "none.csv"])
