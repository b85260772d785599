"""Exchange rates: imported from files and an address, kept by day, and never carried over in silence."""

from __future__ import annotations

import datetime
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from central_scene import Clock, MakeConfig, add_user, declaration, person, record, write_config
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from central import rates_import
from central.access.permissions import Role, User
from central.command import main
from central.intake import accept
from central.production import refusals
from central.rates_import import InvalidRates, fetch, import_rates, parse
from central.referrals import NotAllowed
from central.replay import replay
from central.service import Central, build
from contracts.decision import Decision
from contracts.declaration import DeclaredChannel, Money, MoneyKind
from contracts.disposition import Agency
from contracts.events import AuditTag
from declarations.money import Rates, demonstration_rates

TODAY = date(2026, 11, 21)
CSV = b"currency,rate,units\nEUR,3.4450,1\nRUB,3.9200,100\nUSD,3.2100,\n"
NBRB = json.dumps(
    [
        {"Cur_ID": 1, "Date": "2026-11-21T00:00:00", "Cur_Abbreviation": code, "Cur_Scale": scale, "Cur_Name": "x",
         "Cur_OfficialRate": rate}
        for code, scale, rate in (("USD", 1, 3.21), ("EUR", 1, 3.445), ("RUB", 100, 3.92))
    ]
).encode()  # fmt: skip
ECB = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<Cube><Cube time="2026-11-21"><Cube currency="USD" rate="1.0732"/>
<Cube currency="GBP" rate="0.8241"/></Cube></Cube>
</gesmes:Envelope>"""


@pytest.fixture
def nina(central: Central) -> User:
    return add_user(central, "nina", (Role.ADMINISTRATOR, Agency.CUSTOMS))


def rates(day: date = TODAY, **changes: Any) -> Rates:
    said = {"base": "BYN", "date": day, "source": "National Bank", "rates": {"EUR": "3.4450", "USD": "3.2100"}}
    return Rates.model_validate(said | changes)


def refused(action: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(InvalidRates) as raised:
        action()
    return raised.value.reason, raised.value.place


# --- files --------------------------------------------------------------------------------------------------


def test_every_form_of_file() -> None:
    ours = parse(CSV, day=TODAY, base="BYN", source="National Bank")
    assert ours.rates == {"EUR": Decimal("3.4450"), "RUB": Decimal("0.0392"), "USD": Decimal("3.21")}
    assert (ours.base, ours.date, ours.source, ours.valid_through) == ("BYN", TODAY, "National Bank", None)
    bank = parse(NBRB)
    assert (bank.base, bank.date, bank.rates["RUB"]) == ("BYN", TODAY, Decimal("0.0392"))
    euro = parse(ECB, valid_through=date(2026, 11, 23))
    assert (euro.base, euro.date, euro.valid_through) == ("EUR", TODAY, date(2026, 11, 23))
    own = parse(ours.model_dump_json().encode())
    assert own == ours


@pytest.mark.parametrize(
    ("content", "reason", "place"),
    [
        (b"", "csv_columns", ""),
        (b"currency;rate\nEUR;3\n", "csv_columns", ""),
        (b"currency,rate\nEUR,3\nEUR,4\n", "csv_twice", "line 3: EUR"),
        (b"currency,rate\nEUR,3\nUSD,\n", "csv_figure", "line 3"),
        (b"currency,rate\nEUR,NaN\n", "csv_figure", "line 2"),
        (b"currency,rate\nEUR,-3\n", "csv_figure", "line 2"),
        (b"currency,rate\nEUR,Infinity\n", "csv_figure", "line 2"),
        (b"currency,rate,units\nEUR,3,7\n", "csv_figure", "line 2"),
        (b"currency,rate\nEUR,1e400\n", "not_valid", "rates.EUR"),
        (b"currency,rate\nEURO,3\n", "not_valid", "rates.EURO"),
        (b"\xff\xfe", "not_valid", ""),
        (b"[]", "not_valid", ""),
        (b"{}", "not_valid", ""),
        (b"[" * 50_000, "not_valid", ""),
        (b"<x/>", "not_valid", ""),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "not_valid", ""),
        (b" " * (rates_import.LARGEST_FILE + 1), "too_large", ""),
    ],
)
def test_bad_files_are_refused_with_place_and_reason(content: bytes, reason: str, place: str) -> None:
    given, where = refused(lambda: parse(content, day=TODAY, base="BYN", source="National Bank"))
    assert (given, place in where) == (reason, True), where


def test_a_csv_says_its_day_beside_it() -> None:
    assert refused(lambda: parse(CSV, base="BYN", source="x"))[0] == "csv_needs_more"
    assert refused(lambda: parse(CSV, day=TODAY, base="BYN", source=" "))[0] == "csv_needs_more"


# --- what is kept -------------------------------------------------------------------------------------------


def test_a_day_may_have_two_imports_and_the_later_counts(central: Central, nina: User) -> None:
    assert central.rates.demonstration
    first = import_rates(central, nina, rates())
    assert central.rates == rates()
    second = rates(rates={"EUR": "3.5", "USD": "3.2100"})
    import_rates(central, nina, second)
    assert central.rates == second
    assert [(one.date, one.number) for one in central.exchange.history()] == [
        (TODAY, 3),
        (TODAY, 2),
        (demonstration_rates().date, 1),
    ]
    assert central.exchange.version(first.number) == rates()
    with central.storage.read() as session:
        events = central.audit.page(session, tag=AuditTag.RATES_VERSION_IMPORTED.value).events
    assert [(event.actor, event.detail["date"]) for event in events][:2] == [("nina", "2026-11-21")] * 2


def test_an_older_day_never_hides_a_newer_one(central: Central, nina: User, clock: Clock) -> None:
    import_rates(central, nina, rates())
    import_rates(central, nina, rates(date(2026, 11, 19), rates={"EUR": "3.4"}))
    assert central.rates == rates()
    import_rates(central, nina, rates(date(2026, 11, 22), rates={"EUR": "3.45"}))  # of tomorrow
    assert central.rates == rates()
    clock.advance(days=1)
    assert central.rates.rates["EUR"] == Decimal("3.45")
    clock.advance(days=1)  # nothing for that day: the newest, and it says itself that it does not hold
    assert not central.rates.in_force(date(2026, 11, 23))
    assert central.rates.date == date(2026, 11, 22)  # not the demonstration's, which are of an older day


def test_what_is_not_taken(central: Central, nina: User, officer: User) -> None:
    import_rates(central, nina, rates())
    assert refused(lambda: import_rates(central, nina, rates()))[0] == "known_already"
    assert refused(lambda: import_rates(central, nina, rates(TODAY + timedelta(days=8))))[0] == "of_the_future"
    slipped = rates(rates={"EUR": "34.450", "USD": "3.2100"})  # a point in the wrong place
    assert refused(lambda: import_rates(central, nina, slipped)) == ("moved_too_far", "EUR 3.4450 → 34.450")
    import_rates(central, nina, slipped, confirmed=True)
    with pytest.raises(NotAllowed):
        import_rates(central, officer, rates(source="another"))


# --- what a decision says of them ---------------------------------------------------------------------------


def decided(central: Central, currency: str = "EUR") -> Decision:
    cash = (Money(kind=MoneyKind.CASH, amount=Decimal(8000), currency=currency, origin="01", intended_use="01"),)
    began = central.clock() - timedelta(minutes=2)
    said = declaration(money=cash, declared_channel=DeclaredChannel.GREEN, certified_at=began)
    sent = record(person(declaration=said), started_at=began, completed_at=central.clock())
    return accept(central, sent, sent.model_dump_json().encode()).decision


def codes(decision: Decision) -> set[str]:
    return {reason.code for outcome in decision.persons for reason in outcome.reasons}


def test_stale_rates_refer_and_the_referral_says_of_which_day_they_are(
    central: Central, nina: User, clock: Clock
) -> None:
    import_rates(central, nina, rates())
    assert codes(decided(central)) == set()  # about 8,600 USD
    clock.advance(days=2)
    decision = decided(central)
    (reason,) = [one for outcome in decision.persons for one in outcome.reasons if one.code == "RATES_STALE"]
    assert reason.facts == {"date": "2026-11-21", "source": "National Bank"}
    assert codes(decided(central, "USD")) == set()  # nothing to convert: the norm is in dollars
    assert replay(central, decision.record_id).same is True


def test_a_decision_names_the_rates_of_its_day_and_replays_with_them(
    central: Central, nina: User, clock: Clock
) -> None:
    import_rates(central, nina, rates())
    before = decided(central)
    import_rates(central, nina, rates(rates={"EUR": "4.1", "USD": "3.2100"}))  # 8,000 EUR are over 10,000 USD now
    after = decided(central)
    assert (codes(before), "CASH_OVER_THRESHOLD" in codes(after)) == (set(), True), codes(after)
    assert before.versions.rates_hash != after.versions.rates_hash
    assert replay(central, before.record_id).same and replay(central, after.record_id).same


# --- set-up and production ----------------------------------------------------------------------------------


def test_the_file_of_the_configuration_is_taken_in_once(
    make_config: MakeConfig, tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "rates.json"
    path.write_text(rates().model_dump_json())
    config = make_config(rates_file=path)
    for _ in range(2):
        central = build(config, clock)
        assert [(one.origin, one.source) for one in central.exchange.history()] == [("set-up", "National Bank")]
        central.close()


def test_production_has_no_demonstration_rates(tmp_path: Path, clock: Clock) -> None:
    config = write_config(tmp_path, profile="production")
    assert any("no rates were imported" in reason for reason in refusals(config))
    central = build(config, clock)
    assert central.exchange.history() == () and central.rates.rates == {}
    assert any("no rates were imported" in reason for reason in refusals(config))
    assert refused(lambda: import_rates(central, "command line", demonstration_rates()))[0] == "demonstration"
    import_rates(central, "command line", rates())
    assert not any("rates" in reason for reason in refusals(config))
    central.close()


# --- an address ---------------------------------------------------------------------------------------------


class Bank:
    """A bank's server over TLS on loopback; `answer` is what it says next."""

    def __init__(self, directory: Path) -> None:
        self.answer: tuple[int, bytes] = (200, NBRB)
        key = generate_private_key(SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank")])
        moment = datetime.datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(moment - timedelta(days=1))
            .not_valid_after(moment + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.ca_file = directory / "bank.pem"
        self.ca_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_file = directory / "bank.key"
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        bank = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = bank.answer
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key_file)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/rates"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    made = Bank(tmp_path)
    yield made
    made.close()


def test_rates_come_from_an_address_that_is_certified(bank: Bank, make_config: MakeConfig, clock: Clock) -> None:
    central = build(make_config(rates_url=bank.url, rates_ca_file=bank.ca_file), clock)
    got = fetch(central, "command line")
    assert (got.origin, got.date, got.imported_by) == ("endpoint", TODAY, "command line")
    assert central.rates.rates["EUR"] == Decimal("3.445")
    assert refused(lambda: fetch(central, "command line"))[0] == "known_already"
    for answer, reason in (
        ((500, b""), "not_reached"),
        ((302, b""), "not_reached"),  # nobody is sent elsewhere
        ((200, b"x" * (rates_import.LARGEST_FILE + 1)), "too_large"),
        ((200, b"<html>"), "not_valid"),
    ):
        bank.answer = answer
        assert refused(lambda: fetch(central, "command line"))[0] == reason
    central.close()


def test_an_address_is_off_until_named_https_only_and_certified(
    bank: Bank, make_config: MakeConfig, central: Central, nina: User, officer: User, clock: Clock
) -> None:
    assert refused(lambda: fetch(central, nina))[0] == "no_endpoint"
    with pytest.raises(NotAllowed):
        fetch(central, officer)
    with pytest.raises(ValidationError):
        make_config(rates_url="http://127.0.0.1/rates")
    other = build(make_config(rates_url=bank.url), clock)
    assert refused(lambda: fetch(other, "command line")) == ("not_reached", "SSLError")
    other.close()


# --- the command line ---------------------------------------------------------------------------------------


def test_the_command_line_imports_and_says_whether_rates_are_of_today(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path)
    lines = [f'profile = "test"\nsite_id = "{config.site_id}"\nsite_name = "x"\ndata_dir = "."\n']
    lines += [
        f'{name} = "{getattr(config, name)}"\n'
        for name in (
            "master_key_file",
            "receipt_key_file",
            "evidence_key_file",
            "session_secret_file",
            "sampling_seed_file",
        )
    ]
    (tmp_path / "central.toml").write_text("".join(lines))
    (tmp_path / "rates.csv").write_bytes(CSV)
    today = datetime.datetime.now(ZoneInfo(config.timezone)).date()  # the site's, not UTC's

    def rates_command(*arguments: str) -> tuple[int, str, str]:
        status = main(["rates", *arguments, "--config", str(tmp_path / "central.toml")])
        said = capsys.readouterr()
        return status, said.out, said.err

    file = str(tmp_path / "rates.csv")
    assert rates_command("import", file)[::2] == (1, "no rates were imported: csv_needs_more\n")
    status, out, _ = rates_command("import", file, "--day", today.isoformat(), "--base", "BYN", "--source", "Bank")
    assert (status, json.loads(out)["date"]) == (0, today.isoformat())
    status, out, told = rates_command("list")
    assert (status, json.loads(out)["source"], "command line" in told) == (0, "Bank", True)
    assert rates_command("fetch")[::2] == (1, "no rates were imported: no_endpoint\n")
