"""`corridor evaluate masterlist`: what a CSCA master list holds, and whether a pinned root vouches for it.

Prints `{"certificates", "usable_keys", "countries", "signature": {"verdict", "reason"}, "self_signed_ok",
"link_certificates"}` as the last line of stdout. A list that is refused is counted all the same; only its
`signature` says whether to believe it; a file that is no such list has no certificates and FAILED
`list_malformed`.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from contracts.checks import Verdict
from documents.master_list import MasterList, parse_master_list
from documents.sod_evaluation import certificate_of, moment, read_file
from documents.trust import ders
from documents.trust_sources import standing

_NO_LIST = {
    "certificates": 0,
    "usable_keys": 0,
    "countries": 0,
    "signature": {"verdict": Verdict.FAILED.value, "reason": "list_malformed"},
    "self_signed_ok": 0,
    "link_certificates": 0,
}


def figures(found: MasterList) -> dict[str, object]:
    """The counts of a list, and its answer.

    `self_signed_ok` counts roots whose own signature holds; all others are `link_certificates`.
    """
    verdict, reason = found.answer
    roots = sum(certificate.is_self_signed for certificate in found.certificates)
    return {
        "certificates": len(found.certificates) + found.unreadable,
        "usable_keys": sum(certificate.has_usable_key for certificate in found.certificates),
        "countries": len({certificate.country for certificate in found.certificates if certificate.country}),
        "signature": {"verdict": verdict.value, "reason": reason},
        "self_signed_ok": roots,
        "link_certificates": len(found.certificates) - roots,
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="corridor evaluate masterlist", description=__doc__)
    parser.add_argument("file", type=Path, help="the master list (CMS, DER)")
    parser.add_argument("--root", type=Path, action="append", required=True, help="the pinned root, DER or PEM")
    parser.add_argument("--at", type=moment, default=None, help="judge at this moment (ISO 8601) instead of now")
    parser.add_argument("--predictions", type=Path, help="write one JSON row per certificate")
    options = parser.parse_args(arguments)
    try:
        roots = [certificate_of(path) for path in options.root]
        content = read_file(options.file)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"corridor evaluate masterlist: {error}\n")
        return 2
    try:
        found = parse_master_list(next(ders(content)), roots, options.at or datetime.now(UTC))
    except ValueError as error:
        sys.stderr.write(f"corridor evaluate masterlist: {options.file}: {error}\n")
        sys.stdout.write(json.dumps(_NO_LIST) + "\n")
        return 0
    sys.stderr.write(f"signature: {found.signature[0]} {found.signature[1]}\n")
    sys.stderr.write(f"signer under the root: {found.standing[0]} {found.standing[1]}\n")
    if found.signer is not None and found.standing[0] is not Verdict.PASSED:
        wanted = found.signer.authority_key_identifier
        pinned = ", ".join((root.key_identifier or b"").hex() for root in roots)
        sys.stderr.write(f"its signer was issued by key {(wanted or b'').hex()}; pinned is {pinned}\n")
    for defect in found.defects:
        sys.stderr.write(f"{options.file.name}: {defect}\n")
    if options.predictions is not None:
        with options.predictions.open("w", encoding="utf-8") as rows:
            for certificate in found.certificates:
                verdict, reason = standing(certificate, found.certificates)
                row = {"id": certificate.fingerprint, "country": certificate.country}
                rows.write(json.dumps(row | {"verdict": verdict.value, "reason": reason}) + "\n")
    sys.stdout.write(json.dumps(figures(found)) + "\n")
    return 0
