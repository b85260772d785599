"""Every reason that a chip's reading can give is in docs/checks.md, and in words in each language of the staff.

The reasons are taken from the sources themselves, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from central.messages import LANGUAGES, Catalogue, Words
from central.officer.case_view import check_line
from central.officer.reasons import check_note, reason_title
from contracts.checks import Check, CheckName, Verdict
from documents import der
from documents.passive_authentication import LEGACY_TYPE, PLAIN_TYPE
from documents.reading import CHIP_CHECKS
from documents.signed_data import ATTRIBUTES_UNSORTED, OLD_VERSION, SIGNER_BY_NAME, SIGNER_NAME_ORDER

ROOT = Path(__file__).parents[3]
CATALOGUE = Catalogue.load()
# Knowledge of other things than a chip's reading: printed pages, and the sources of trust at an administrator's.
ELSEWHERE = {
    "viz.py",
    "viz_labels.py",
    "printed_dates.py",
    "transliteration.py",
    "trust_sources.py",
    "master_list.py",
    "lds.py",
}
RAISED = {"ChipError", "FileSpoilt", "AccessRefused", "SessionBroken", "SessionLost", "unread_chip", "append"}
DEFECTS = {
    *der.DEFECTS, LEGACY_TYPE, PLAIN_TYPE, SIGNER_BY_NAME, SIGNER_NAME_ORDER, ATTRIBUTES_UNSORTED,
    OLD_VERSION, "record_lengths", "record_unknown",
}  # fmt: skip
REASON = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
# Of a name that a source composes, one example is enough.
EXAMPLES = {
    "differs_": ("differs_number", "differs_birth", "differs_expiry", "differs_issuer", "differs_nationality",
                 "differs_sex", "differs_surname", "differs_given_names"),
    "defect_": tuple(f"defect_{name}" for name in sorted(DEFECTS) if not name.startswith("record_")),
}  # fmt: skip


def sources() -> Iterator[ast.AST]:
    for path in (*sorted((ROOT / "documents").rglob("*.py")), *sorted((ROOT / "hardware/chip").glob("*.py"))):
        if path.name not in ELSEWHERE and path.parent.name != "mrz":
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from texts(body)
            yield from texts(orelse)
        case ast.JoinedStr(values=[ast.Constant(value=str() as begin), *_]):
            if begin.endswith("_dg"):
                yield f"{begin}2"
            elif begin in EXAMPLES:
                yield from EXAMPLES[begin]


def stated() -> Iterator[str]:
    """Reasons beside a verdict, in an error of the conversation, or given back by a function that names one."""
    for node in sources():
        match node:
            case ast.Tuple(elts=[ast.Attribute(value=ast.Name(id="Verdict")), reason]):
                yield from texts(reason)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in RAISED:
                for argument in arguments:
                    yield from texts(argument)
            case ast.Call(func=ast.Attribute(attr="_general_authenticate"), args=arguments):
                yield from texts(arguments[-1])
            case ast.Return(value=ast.expr() as value):
                yield from texts(value)


REASONS = sorted({"ok"} | {reason for reason in stated() if REASON.fullmatch(reason)})


def test_the_sources_name_what_is_known() -> None:
    """A guard of the search itself: kinds of places in which reasons stand."""
    assert {
        "pace_downgraded", "pace_not_supported", "pace_refused_nonce", "pace_refused_agreement", "key_not_proven",
        "cardsecurity_missing", "cardaccess_differs", "cardaccess_malformed", "dg14_malformed", "dg14_not_covered",
        "no_trust_anchor", "signer_expired_since", "signer_usage", "signer_purpose", "crl_stale", "card_mute",
        "hash_mismatch_dg2", "differs_birth", "defect_split_string", "session_lost", "no_chip", "too_many_blocks",
    } <= set(REASONS)  # fmt: skip
    assert len(REASONS) > 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language: str) -> None:
    words = Words(CATALOGUE, language, UTC)
    silent = [reason for reason in REASONS if not words.has(f"check_reason.{reason}")]
    assert [reason for reason in silent if check_note(reason, words) == reason.replace("_", " ")] == []


def test_every_reason_is_in_the_reference() -> None:
    reference = (ROOT / "docs/checks.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9_<>N]+)`", reference))
    patterns = (r"_dg2$", "_dgN"), (r"^differs_\w+$", "differs_<field>"), (r"^defect_\w+$", "defect_<name>")
    missing = []
    for reason in REASONS:
        for pattern, put in patterns:
            if re.search(pattern, reason):
                reason = re.sub(pattern, put, reason)
        if reason not in named:
            missing.append(reason)
    assert sorted(set(missing)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chip_that_opened_the_weaker_way_is_not_said_to_be_shut(language: str) -> None:
    words = Words(CATALOGUE, language, UTC)
    shut, weaker = (
        reason_title("CHECK_ACCESS_FAILED", "chip", words, why) for why in ("key_refused", "pace_downgraded")
    )
    assert shut == words("reason.CHECK_ACCESS_FAILED") != weaker


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_defect_is_told_beside_the_answer(language: str) -> None:
    words = Words(CATALOGUE, language, UTC)
    for defect in sorted(DEFECTS):
        assert words.has(f"defect.{defect}")
        check = Check(
            name=CheckName.SOD_SIGNATURE, verdict=Verdict.PASSED, reason="weak_hash_sha1", defects=(defect,)
        )
        assert words(f"defect.{defect}") in check_line(check, words).note


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_check_of_a_chip_has_a_name_and_words_for_passed(language: str) -> None:
    words = Words(CATALOGUE, language, UTC)
    for name in CHIP_CHECKS:
        line = check_line(Check(name=name, verdict=Verdict.PASSED, reason="ok"), words)
        assert line.name and line.note and line.state
