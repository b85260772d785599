"""`corridor evaluate sod`: what a security object alone proves under given country signing certificates.

Prints `{"checks": {name: {"verdict", "reason"}}}` for sod_signature, ds_chain, ds_validity and revocation as
the last line of stdout; what came of each source, and every defect, goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from contracts.checks import CheckName, Verdict
from documents import tlv
from documents.certificates import Answer, Certificate
from documents.passive_authentication import judge_signer, parse_sod
from documents.trust import TrustStore, ders
from documents.trust_sources import LARGEST_FILE, collect

CHECKS = (CheckName.SOD_SIGNATURE, CheckName.DS_CHAIN, CheckName.DS_VALIDITY, CheckName.REVOCATION)


def evaluate_sod(data: bytes, trust: TrustStore, now: datetime) -> tuple[dict[CheckName, Answer], tuple[str, ...]]:
    """The four answers for EF.SOD, or for its CMS without the outer tag 77, also as PEM, base64 or hexadecimal
    digits; and the defects of its encoding."""
    try:
        data = next(ders(data))
        sod = parse_sod(data if data[:1] == b"\x77" else tlv.encode(0x77, data))
    except ValueError:
        answers: dict[CheckName, Answer] = dict.fromkeys(CHECKS, (Verdict.NOT_CHECKED, "not_read"))
        answers[CheckName.SOD_SIGNATURE] = (Verdict.FAILED, "sod_malformed")
        return answers, ()
    return judge_signer(sod, trust, now), sod.defects


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor evaluate sod", description=__doc__)
    parser.add_argument("file", type=Path, help="EF.SOD, with its tag 77 or without")
    parser.add_argument(
        "--csca",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE|DIR|LIST",
        help="certificates, revocation lists, master lists, LDIF files, or directories of them",
    )
    parser.add_argument(
        "--root", type=Path, action="append", default=[], help="a master list counts only under it"
    )
    parser.add_argument("--at", type=moment, default=None, help="judge at this moment (ISO 8601) instead of now")
    parser.add_argument("--predictions", type=Path, help="write the row with names and reasons as JSON")
    options = parser.parse_args(arguments)
    now = options.at or datetime.now(UTC)
    try:
        content = read_file(options.file)
        roots = [certificate_of(path) for path in options.root]
        collection = collect(named_files(options.csca), roots, now)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"corridor evaluate sod: {error}\n")
        return 2
    for source in collection.sources:
        sys.stderr.write(
            f"{source.name}: {source.kind}, {source.answer[0]} {source.answer[1]}: {source.certificates} "
            f"authorities, {source.revocation_lists} revocation lists, {source.signers} signers, "
            f"{source.duplicates} known before\n"
        )
    answers, defects = evaluate_sod(content, collection.store, now)
    for defect in defects:
        sys.stderr.write(f"{options.file.name}: {defect}\n")
    checks = {
        name.value: {"verdict": verdict.value, "reason": reason}
        for name in CHECKS
        for verdict, reason in (answers[name],)
    }
    if options.predictions is not None:
        row = {"id": options.file.name, "checks": checks, "defects": list(defects)}
        options.predictions.write_text(json.dumps(row) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps({"checks": checks}) + "\n")
    return 0


def moment(text: str) -> datetime:
    """A moment of the command line; without a zone it is UTC. ValueError for anything else."""
    given = datetime.fromisoformat(text)
    return given if given.tzinfo is not None else given.replace(tzinfo=UTC)


def read_file(path: Path) -> bytes:
    """The bytes of a file. OSError, and ValueError for one that is larger than any source of trust."""
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{path}: larger than {LARGEST_FILE} bytes")
    return path.read_bytes()


def certificate_of(path: Path) -> Certificate:
    """The one certificate in a DER or PEM file. OSError or ValueError, with the file's name."""
    try:
        (der,) = ders(read_file(path))
        return Certificate(der)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def named_files(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file, and of each file of a directory and of those within it."""
    for path in paths:
        if path.is_dir():
            yield from named_files(sorted(one for one in path.rglob("*") if one.is_file()))
        else:
            yield path.name, read_file(path)
