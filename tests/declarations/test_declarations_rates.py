"""Official rates as the banks publish them, and money that is counted with them to the last digit."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from carried_goods import assess, cash, goods
from hypothesis import given
from hypothesis import strategies as st

from declarations.money import Rates, currencies, known_currency
from declarations.packs import RulePack
from declarations.rates import LARGEST, MOST_CURRENCIES, parse_ecb, parse_nbrb, parse_rates

DAY = date(2026, 11, 20)
# The shape of https://api.nbrb.by/exrates/rates?periodicity=0, with other figures.
NBRB: list[dict[str, Any]] = [
    {
        "Cur_ID": 431,
        "Date": "2026-11-20T00:00:00",
        "Cur_Abbreviation": "USD",
        "Cur_Scale": 1,
        "Cur_Name": "Доллар США",
        "Cur_OfficialRate": 3.2101,
    },
    {
        "Cur_ID": 456,
        "Date": "2026-11-20T00:00:00",
        "Cur_Abbreviation": "RUB",
        "Cur_Scale": 100,
        "Cur_Name": "Российских рублей",
        "Cur_OfficialRate": 3.9207,
    },
]
ECB = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube><Cube time='2026-11-20'>
<Cube currency='USD' rate='1.0850'/>
<Cube currency='JPY' rate='164.35'/>
</Cube></Cube></gesmes:Envelope>"""


def nbrb(**changes: Any) -> bytes:
    """The list with its second entry changed."""
    return json.dumps([NBRB[0], {**NBRB[1], **changes}]).encode()


def test_the_national_bank_of_belarus() -> None:
    rates = parse_rates(json.dumps(NBRB).encode())
    assert rates == parse_nbrb(json.dumps(NBRB).encode())
    assert (rates.base, rates.date, rates.valid_through) == ("BYN", DAY, None)
    assert rates.rates == {"USD": Decimal("3.2101"), "RUB": Decimal("0.039207")}
    assert rates.source == "National Bank of the Republic of Belarus"
    assert not rates.demonstration


def test_the_european_central_bank() -> None:
    rates = parse_rates(ECB.encode(), source="file of the desk", valid_through=DAY + timedelta(days=3))
    assert (rates.base, rates.date, rates.quote) == ("EUR", DAY, "units_per_base")
    assert rates.rates == {"USD": Decimal("1.0850"), "JPY": Decimal("164.35")}
    assert rates.source == "European Central Bank, file of the desk"
    assert rates.in_force(DAY + timedelta(days=3)) and not rates.in_force(DAY + timedelta(days=4))
    assert parse_ecb(b"\xef\xbb\xbf" + ECB.encode()).rates == rates.rates


def test_our_own_form_and_what_is_none() -> None:
    own = {"base": "BYN", "date": "2026-11-20", "source": "desk", "rates": {"EUR": 3.4411}}
    assert parse_rates(json.dumps(own).encode()).rates == {"EUR": Decimal("3.4411")}
    for content in (b"", b"EUR;3.4", b"\x00\x01"):
        with pytest.raises(ValueError, match="neither XML nor JSON"):
            parse_rates(content)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (nbrb(Cur_Scale=7), r"entry 2 \(RUB\), Cur_Scale: not a power of ten"),
        (nbrb(Cur_Scale=True), r"entry 2 \(RUB\), Cur_Scale"),
        (nbrb(Cur_Scale=10**7), r"entry 2 \(RUB\), Cur_Scale"),
        (nbrb(Cur_OfficialRate=None), r"entry 2 \(RUB\), Cur_OfficialRate: not a number"),
        (nbrb(Cur_OfficialRate="3.9"), r"entry 2 \(RUB\), Cur_OfficialRate: not a number"),
        (nbrb(Cur_OfficialRate=True), r"entry 2 \(RUB\), Cur_OfficialRate: not a number"),
        (nbrb(Cur_OfficialRate=0), "RUB: Input should be greater than 0"),
        (nbrb(Cur_OfficialRate=-1), "RUB: Input should be greater than 0"),
        (nbrb(Cur_OfficialRate=10**40), "RUB: Decimal input should have no more than"),
        (nbrb(Cur_Abbreviation="USD"), r"entry 2 \(USD\): USD is said twice"),
        (nbrb(Cur_Abbreviation="rub"), "rub: String should match"),
        (nbrb(Cur_Abbreviation=None), r"entry 2 \(None\): no code of a currency"),
        (nbrb(Cur_Abbreviation="BYN"), "BYN is the base and its rate is 1"),
        (nbrb(Date="2026-11-19T00:00:00"), "more than one day"),
        (nbrb(Date="yesterday"), r"entry 2 \(RUB\), Date: not a date"),
        (b"[1]", "entry 1: not an object"),
        (b"[]", "a list of 1 to"),
        (json.dumps([NBRB[0]] * (MOST_CURRENCIES + 1)).encode(), "a list of 1 to"),
        (nbrb().replace(b"3.9207", b"NaN"), "NaN is no rate"),
        (nbrb().replace(b"3.9207", b"Infinity"), "Infinity is no rate"),
        (nbrb().replace(b'"Cur_ID": 456', b'"Cur_Scale": 1'), "Cur_Scale is said twice"),
        (b"[" * 100_000, "rates: "),
        (b'[{"a": "\xff"}]', "rates: "),
        (b"[" + b" " * LARGEST, "over"),
        (b"{}", "Field required"),
        (b'{"base": "BYN", "date": "2026-11-20", "source": "s", "rates": {}, "mood": 1}', "mood"),
    ],
)
def test_a_bad_list_is_refused_with_the_place(content: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_rates(content)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("1.0850", "zero", "USD: Input should be a valid decimal"),
        ("1.0850", "NaN", "USD: "),
        ("1.0850", "-1", "USD: Input should be greater than 0"),
        (" rate='1.0850'", "", "USD: "),
        ("currency='USD'", "curr='USD'", "line 7: not the rate of a currency"),
        ("'JPY'", "'USD'", r"line 8 \(USD\): USD is said twice"),
        ("'JPY'", "'EUR'", "EUR is the base"),
        ("2026-11-20", "20 November", "line 6, time: not a date"),
        ("time='2026-11-20'", "", "the Cube of one day"),
        ("gesmes:Envelope", "gesmes:Letter", "an Envelope"),
        ("<?xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><?xml", "line 1"),
        ("</Cube></Cube>", "</Cube>", "line"),
    ],
)
def test_a_bad_envelope_is_refused_with_the_place(old: str, new: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_rates(ECB.replace(old, new).encode())


def test_an_empty_day_is_no_day() -> None:
    empty = ECB.replace("<Cube currency='USD' rate='1.0850'/>", "").replace(
        "<Cube currency='JPY' rate='164.35'/>", ""
    )
    with pytest.raises(ValueError, match="1 to 400 currencies"):
        parse_rates(empty.encode())


@given(st.binary(max_size=400))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    for read in (parse_rates, parse_nbrb, parse_ecb):
        try:
            assert read(content).rates is not None
        except ValueError:
            continue


@given(st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([json.dumps(NBRB).encode(), ECB.encode()]))
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + data.draw(st.binary(max_size=3)) + whole[place + data.draw(st.integers(0, 4)) :]
    try:
        assert parse_rates(damaged).rates
    except ValueError as error:
        assert str(error)


# --- counted to the last digit --------------------------------------------------------------------------------


def test_units_per_euro_are_compared_without_a_division(pack: RulePack) -> None:
    """10,000 USD are 9216.589… EUR: no cent more is within, whatever the quotient is rounded to."""
    rates = parse_rates(ECB.encode())
    for euros, over in (("9216.589", False), ("9216.590", True)):
        person = assess(pack, rates, cash(euros, "EUR"), on=DAY)
        assert bool(person.hits) == over
    (line,) = [line for line in person.lines if line.kind == "cash"]
    assert line.exchange == "1 EUR = 1.0850 USD (2026-11-20, European Central Bank)"
    assert line.declared == Decimal("10000.01")


def test_whole_lists_have_a_common_measure() -> None:
    rates = parse_rates(ECB.encode())
    weights = rates.weights(("EUR", "USD", "JPY", "XTS"), DAY)
    assert set(weights) == {"EUR", "USD", "JPY"}
    assert weights["USD"] * Decimal("1.0850") == weights["EUR"] == weights["JPY"] * Decimal("164.35")
    assert rates.weights(("EUR", "USD"), DAY + timedelta(days=1)) == {}


def test_rates_without_a_common_measure_of_size_are_as_good_as_none(pack: RulePack) -> None:
    primes = ("0.999999999989", "0.999999999961", "0.999999999937", "0.999999999893", "0.999999999871")
    codes = ("USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON")
    figures = [Decimal(prime) + place for place, prime in enumerate(primes * 2)]
    rates = Rates(
        base="EUR", date=DAY, source="test", quote="units_per_base", rates=dict(zip(codes, figures, strict=True))
    )
    assert rates.weights(codes, DAY) == {}
    person = assess(pack, rates, *(goods("1", "0.1", code) for code in codes), on=DAY)
    assert [hit.code for hit in person.hits] == ["GOODS_VALUE_UNKNOWN"]


def test_currencies_of_iso_4217() -> None:
    assert all(known_currency(code) for code in ("BYN", "EUR", "USD", "GBP", "RUB", "JPY", "PLN", "CNY"))
    assert not any(known_currency(code) for code in ("XTS", "XXX", "BYR", "DEM", "SUR", "", "usd", "ABC"))
    assert 140 < len(currencies()) < 180
