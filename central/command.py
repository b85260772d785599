"""`corridor central …`: set up, run and look after the central service."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from central.access.permissions import Role
from central.config import load_config
from contracts.base import Contract
from contracts.disposition import Agency

if TYPE_CHECKING:
    from central.rates import RatesVersion
    from central.service import Central

CONFIG = Path("/etc/corridor/central.toml")
Command = Callable[[argparse.Namespace], int]


class NewUser(Contract):
    """A person to let in; `grants` are ROLE:AGENCY:SITE."""

    id: str
    name: str
    password: str = Field(repr=False)
    grants: tuple[str, ...]
    demo: bool = False


class NewStation(Contract):
    """A kiosk or exit to let in, by its Ed25519 public key."""

    id: str
    public_key: str
    bank: str = ""
    demo: bool = False


class FirstTrust(Contract):
    """The first version of the trust store of a demonstration, and the two people in whose names it is made."""

    files: tuple[Path, ...] = Field(min_length=1)
    proposed_by: str
    approved_by: str


class Admission(Contract):
    """Whom a fresh service knows from the start: one command instead of one for each."""

    users: tuple[NewUser, ...] = ()
    kiosks: tuple[NewStation, ...] = ()
    exits: tuple[NewStation, ...] = ()
    trust: FirstTrust | None = None


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    os.umask(0o077)  # keys, database and its journal are nobody else's
    command: Command = options.command
    if options.needs_config and not options.config.is_file():
        _say(f"corridor central: there is no configuration at {options.config}; name one with --config")
        return 2
    try:
        return command(options)
    except ValidationError as problem:
        for error in problem.errors(include_url=False, include_input=False):
            _say(f"{options.config}: {'.'.join(map(str, error['loc'])) or 'configuration'}: {error['msg']}")
        return 2
    except (OSError, ValueError, LookupError) as problem:
        _say(f"corridor central: {problem}")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="corridor central", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, help_line: str, parent: Any = actions) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = parent.add_parser(name, help=help_line, description=help_line)
        made.set_defaults(command=command, needs_config=True)
        made.add_argument("--config", type=Path, default=CONFIG, help=f"TOML file (central/config.py); {CONFIG}")
        return made

    init = add(
        "init", _init, "make missing key files (mode 0600; outside production marked as demo) and the database"
    )
    init.add_argument(
        "--admit-stdin",
        action="store_true",
        help="let in the users, kiosks and exits that standard input lists as JSON (central.command.Admission)",
    )
    run = add("run", _run, "serve")
    run.add_argument("--profile", choices=("demo", "test", "production"))
    run.add_argument("--port", type=int)
    replay = add("replay", _replay, "decide stored records again and compare; JSON on the last line")
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true")
    which.add_argument("--record", metavar="ID")
    records = add(
        "records", _records, "one JSON row per record: channel, reasons, checks, times; nothing personal"
    )
    records.add_argument("--receipt", metavar="NUMBER", help="only the newest record with this receipt number")
    audit = actions.add_parser("audit", help="the audit chains").add_subparsers(required=True, metavar="COMMAND")
    add("verify", _verify, "verify every chain; exit status 1 when one is broken", audit)
    retention = actions.add_parser("retention", help="retention").add_subparsers(required=True, metavar="COMMAND")
    add("run", _retain, "erase what is past its time", retention)
    packs = actions.add_parser("packs", help="rule packs").add_subparsers(required=True, metavar="COMMAND")
    add("list", _list_packs, "every rule pack: layers, how well its rules are known, drafts and why", packs)
    explain = add("explain", _explain_rule, "which layer said what about a rule, field by field", packs)
    explain.add_argument("rule", metavar="RULE", help="BY-11, UK-01.wine …")
    explain.add_argument("--pack", help="eaeu-by-msq, gb …; without it the pack of the configuration")
    check = add("check", _check_packs, "every layer file and example: what is wrong, with place and reason", packs)
    check.add_argument("directory", nargs="?", type=Path, help="without it the packs that ship")
    add("schema", _pack_schema, "the JSON Schema of a layer file", packs)
    for made in packs.choices.values():
        made.set_defaults(needs_config=False)

    rates = actions.add_parser("rates", help="exchange rates").add_subparsers(required=True, metavar="COMMAND")
    add("list", _list_rates, "the imports by day, and which counts today; exit status 1 when none does", rates)
    add("fetch", _fetch_rates, "ask the address of the configuration (rates_url) for the rates of today", rates)
    brought = add("import", _import_rates, "rates of a file: a bank's JSON or XML, our own JSON, or CSV", rates)
    brought.add_argument("file", type=Path)
    brought.add_argument("--day", type=date.fromisoformat, help="of CSV, YYYY-MM-DD")
    brought.add_argument("--base", default="", help="of CSV: the currency that the rates are in")
    brought.add_argument("--source", default="", help="whose rates they are; a bank's file says so itself")
    brought.add_argument("--valid-through", type=date.fromisoformat, help="the last day on which they hold")
    brought.add_argument("--confirmed", action="store_true", help="what moved by over a fifth is right")

    users = actions.add_parser("users", help="people").add_subparsers(required=True, metavar="COMMAND")
    user = add("add", _add_user, "add a person; the password comes from standard input, one line", users)
    user.add_argument("--id", required=True, dest="user_id")
    user.add_argument("--name")
    user.add_argument(
        "--grant",
        action="append",
        required=True,
        type=_grant,
        metavar="ROLE:AGENCY:SITE",
        help=f"roles: {', '.join(Role)}; agencies: {', '.join(Agency)}",
    )
    user.add_argument("--password-stdin", action="store_true", required=True)
    user.add_argument("--language", default="en", choices=("en", "ru", "be"))
    user.add_argument("--demo", action="store_true")
    add("list", _list_users, "everybody with roles", users)

    for kind in ("kiosk", "exit"):
        group = actions.add_parser(f"{kind}s", help=f"{kind}s").add_subparsers(required=True, metavar="COMMAND")
        station = add("enroll", _enroll, f"let a {kind} in", group)
        station.add_argument("--id", required=True, dest="station_id")
        station.add_argument("--bank", default="", help="the group it stands in")
        station.add_argument("--public-key", required=True, help="43 characters base64url, or a PEM file")
        station.add_argument("--demo", action="store_true")
        station.set_defaults(kind=kind)
    return parser


def _init(options: argparse.Namespace) -> int:
    from central.keys import create_key_file
    from central.production import KEY_FILES
    from central.service import build

    config = load_config(options.config)
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for purpose, name in KEY_FILES:
        path: Path = getattr(config, name)
        if not path.exists():
            key = create_key_file(path, purpose, demo=config.profile != "production")
            _say(f"made {path} ({key.key_id})")
            if purpose == "receipt":
                _say(f'kiosks know this central by central_key = "{key.public_text()}"')
    admission = Admission.model_validate_json(sys.stdin.read()) if options.admit_stdin else Admission()
    central = build(config)
    try:
        _admit(central, admission)
    finally:
        central.close()
    return 0


def _admit(central: Central, admission: Admission) -> None:
    from central import kiosks

    for newcomer in admission.users:
        grants = [_grant(text) for text in newcomer.grants]
        _refuse_other_sites(central.config.site_id, grants)
        with central.storage.write() as session:
            central.users.create(
                session,
                user_id=newcomer.id,
                name=newcomer.name,
                password=newcomer.password,
                grants=tuple((role, agency) for role, agency, _ in grants),
                by="command line",
                now=central.clock(),
                demo=newcomer.demo,
            )
    stations: dict[Literal["kiosk", "exit"], tuple[NewStation, ...]] = {
        "kiosk": admission.kiosks,
        "exit": admission.exits,
    }
    for kind, newcomers in stations.items():
        for station in newcomers:
            kiosks.enroll(
                central,
                station_id=station.id,
                kind=kind,
                public_key=station.public_key,
                by="command line",
                bank=station.bank,
                demo=station.demo,
            )
    if admission.trust is not None:
        _trust(central, admission.trust)


def _trust(central: Central, first: FirstTrust) -> None:
    """What `/admin/trust` is for, done by a command: two people's acts, which only a demonstration may invent."""
    from central import trust

    if central.config.profile == "production":
        raise ValueError("the trust store of a real service is proposed and approved by two administrators")
    with central.storage.read() as session:
        proposer, approver = (central.users.load(session, name) for name in (first.proposed_by, first.approved_by))
    uploads = [trust.Upload(path.name, path.read_bytes()) for path in first.files]
    try:
        version = trust.propose(central, proposer, uploads, note="the demonstration's own authorities")
        trust.decide(central, approver, version.number, approve=True)
    except trust.InvalidTrust as invalid:
        raise ValueError(f"trust store: {invalid.reason} {invalid.place}".strip()) from invalid


def _refuse_other_sites(site_id: str, grants: Sequence[tuple[Role, Agency, str]]) -> None:
    if any(site != site_id for _, _, site in grants):
        raise ValueError(f"this service grants roles at {site_id} only")


def _run(options: argparse.Namespace) -> int:
    from central.production import refusals
    from central.serving import Server

    config = load_config(options.config, profile=options.profile, port=options.port)
    if config.profile == "production":
        reasons = refusals(config)
        for reason in reasons:
            _say(f"refused: {reason}")
        if reasons:
            return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no picture of memory on the disk
    Server(config).run()
    return 0


def _replay(options: argparse.Namespace) -> int:
    from central.replay import replay, replay_all
    from central.service import build

    central = build(load_config(options.config))
    try:
        found = replay_all(central) if options.all else (replay(central, options.record),)
    finally:
        central.close()
    for one in found:
        if one.same is False:
            _say(f"{one.record_id}: {one.difference}")
    if options.record and found[0].explanation is not None:
        _say(json.dumps(found[0].explanation, indent=1, ensure_ascii=False))
    decided = [one for one in found if one.same is not None]
    different = sum(1 for one in decided if not one.same)
    summary = {"records": len(decided), "same": len(decided) - different, "different": different}
    _answer(json.dumps(summary | {"erased": len(found) - len(decided)}))
    return 1 if different else 0


def _records(options: argparse.Namespace) -> int:
    from central.records import rows
    from central.service import build

    central = build(load_config(options.config))
    try:
        for row in rows(central, receipt=options.receipt):
            _answer(json.dumps(row))
    finally:
        central.close()
    return 0


def _verify(options: argparse.Namespace) -> int:
    from central.service import build

    central = build(load_config(options.config))
    try:
        with central.storage.read() as session:
            reports = central.audit.verify(session)
    finally:
        central.close()
    for report in reports:
        if not report.intact:
            _say(f"{report.chain}: broken at {report.broken_at}: {report.reason}")
    broken = sum(not report.intact for report in reports)
    events = sum(report.length for report in reports)
    _answer(json.dumps({"chains": len(reports), "events": events, "broken": broken}))
    return 1 if broken else 0


def _retain(options: argparse.Namespace) -> int:
    from central.retention import run
    from central.service import build

    central = build(load_config(options.config))
    try:
        _answer(json.dumps({"erased": run(central).erased}))
    finally:
        central.close()
    return 0


def _configured_pack(options: argparse.Namespace) -> str:
    from central.config import CentralConfig

    chosen = load_config(options.config).rule_pack if options.config.is_file() else None
    return str(chosen or CentralConfig.model_fields["rule_pack"].default)


def _list_packs(options: argparse.Namespace) -> int:
    from declarations.packs import load_draft, pack_names
    from declarations.review import completeness

    configured = _configured_pack(options)
    for name in pack_names():
        pack = load_draft(name)
        known = completeness(pack)
        if known.draft:
            _answer(f"{pack.label}\tdraft: {known.draft}")
            continue
        _answer(
            f"{pack.label}\t{pack.content_hash[:12]}\tlayers {' < '.join(known.layers)}\t{known.judging} rules: "
            f"{known.seen} V, {known.secondary} S, {known.from_memory} U, {known.gaps} without a row; "
            f"{known.signed} signed for; {known.notes} notes; {known.examples} examples"
            f"{' *' if name == configured else ''}"
        )
    return 0


def _explain_rule(options: argparse.Namespace) -> int:
    from declarations.packs import load_draft
    from declarations.review import explanation

    pack = load_draft(options.pack or _configured_pack(options))
    try:
        lines = list(explanation(pack, options.rule))
    except KeyError:
        raise LookupError(f"pack {pack.id}: there is no rule {options.rule}") from None
    for line in lines:
        _answer(line)
    return 0


def _check_packs(options: argparse.Namespace) -> int:
    from datetime import datetime

    from declarations.packs import PACKS
    from declarations.review import complaints

    found = list(complaints(datetime.now().astimezone().date(), options.directory or PACKS))
    for complaint in found:
        _answer(complaint)
    _say(f"{len(found)} complaints")
    return 1 if found else 0


def _pack_schema(_: argparse.Namespace) -> int:
    from declarations.review import layer_schema

    _answer(json.dumps(layer_schema(), indent=1, sort_keys=True, ensure_ascii=False))
    return 0


def _import_rates(options: argparse.Namespace) -> int:
    from central.rates_import import COMMAND_LINE, import_rates, parse

    def bring(central: Central) -> RatesVersion:
        rates = parse(
            options.file.read_bytes(),
            day=options.day,
            base=options.base,
            source=options.source,
            valid_through=options.valid_through,
        )
        return import_rates(central, COMMAND_LINE, rates, confirmed=options.confirmed)

    return _bring_rates(options, bring)


def _fetch_rates(options: argparse.Namespace) -> int:
    from central.rates_import import COMMAND_LINE, fetch

    return _bring_rates(options, lambda central: fetch(central, COMMAND_LINE))


def _bring_rates(options: argparse.Namespace, bring: Callable[[Central], RatesVersion]) -> int:
    from central.rates_import import InvalidRates
    from central.service import build

    central = build(load_config(options.config))
    try:
        made = bring(central)
    except InvalidRates as invalid:
        _say(f"no rates were imported: {invalid.reason}{f' ({invalid.place})' if invalid.place else ''}")
        return 1
    finally:
        central.close()
    _answer(json.dumps({"version": made.number, "date": made.date.isoformat(), "sha256": made.sha256}))
    return 0


def _list_rates(options: argparse.Namespace) -> int:
    from central.service import build

    central = build(load_config(options.config))
    try:
        today = central.clock().astimezone(central.timezone).date()
        for one in central.exchange.history():
            _say(f"{one.number}\t{one.date}\t{one.source}\t{one.origin}\t{one.imported_by}")
        counting = central.exchange.on(today)
        holds = counting.in_force(today)
        _answer(json.dumps({"date": counting.date.isoformat(), "source": counting.source, "of_today": holds}))
    finally:
        central.close()
    return 0 if holds else 1


def _add_user(options: argparse.Namespace) -> int:
    from central.service import build

    config = load_config(options.config)
    _refuse_other_sites(config.site_id, options.grant)
    password = sys.stdin.readline().rstrip("\r\n")
    central = build(config)
    try:
        with central.storage.write() as session:
            central.users.create(
                session,
                user_id=options.user_id,
                name=options.name or options.user_id,
                password=password,
                grants=tuple((role, agency) for role, agency, _ in options.grant),
                by="command line",
                now=central.clock(),
                language=options.language,
                demo=options.demo,
            )
    finally:
        central.close()
    _say(f"added {options.user_id}")
    return 0


def _list_users(options: argparse.Namespace) -> int:
    from central.service import build

    central = build(load_config(options.config))
    try:
        with central.storage.read() as session:
            for row in central.users.all(session):
                roles = ", ".join(f"{grant.role}/{grant.agency}" for grant in row.user.grants)
                _say(f"{row.user.user_id}\t{'disabled' if row.disabled else roles}")
    finally:
        central.close()
    return 0


def _enroll(options: argparse.Namespace) -> int:
    from central import kiosks
    from central.service import build

    text: str = options.public_key
    if len(text) != 43 and Path(text).is_file():
        text = Path(text).read_text(encoding="utf-8")
    central = build(load_config(options.config))
    try:
        key_id = kiosks.enroll(
            central,
            station_id=options.station_id,
            kind=options.kind,
            public_key=text,
            by="command line",
            bank=options.bank,
            demo=options.demo,
        )
    finally:
        central.close()
    _say(f"enrolled {options.kind} {options.station_id} ({key_id})")
    return 0


def _grant(text: str) -> tuple[Role, Agency, str]:
    role, agency, site = text.split(":")
    return Role(role), Agency(agency), site


def _answer(line: str) -> None:
    """What the command is asked for goes to stdout; what it says about it, to stderr."""
    sys.stdout.write(f"{line}\n")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
