"""Referral reasons in an officer's words: a title, a sentence with its figures, the legal basis. Never a score."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from central.messages import Words
from contracts.checks import CheckName, Verdict
from contracts.decision import ReasonClass, ReferralReason

CLASS_ICONS: Mapping[ReasonClass, str] = {
    ReasonClass.DECLARED: "hand",
    ReasonClass.RULE: "gavel",
    ReasonClass.WATCH_LIST: "list-checks",
    ReasonClass.RANDOM: "shuffle",
    ReasonClass.DOCUMENT: "file-warning",
    ReasonClass.CHIP: "nfc",
    ReasonClass.FACE: "scan-face",
    ReasonClass.BAGGAGE: "luggage",
    ReasonClass.DECLARATION_MISMATCH: "scan-line",
    ReasonClass.ELIGIBILITY: "user",
    ReasonClass.TECHNICAL: "wrench",
    ReasonClass.TRUST_ANCHOR: "unlink",
}
VERDICT_ICONS: Mapping[Verdict, str] = {
    Verdict.PASSED: "check",
    Verdict.FAILED: "x",
    Verdict.NOT_PRESENT: "minus",
    Verdict.NOT_CHECKED: "circle-question-mark",
    Verdict.ERROR: "triangle-alert",
}
_CHECK_CODE = re.compile(
    r"^CHECK_(?P<name>[A-Z0-9_]+?)_(?P<verdict>PASSED|FAILED|NOT_PRESENT|NOT_CHECKED|ERROR|MISSING)$"
)
_GROUP = re.compile(r"^(?P<what>[a-z_]+)_dg(?P<number>[0-9]+)$")
_DIFFERS = re.compile(r"^(?:differs_(?P<field>[a-z_]+)|(?P<printed>[a-z_]+)_differs)$")
_FIELD = re.compile(
    r"^(?P<what>ambiguous|unsupported|not_readable|unread|check_digit|empty|too_long|not_a_date|impossible_date)"
    r"_(?P<field>[a-z_]+)$"
)
_NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]+)?$")
# Statements, broken devices and certificates that we lack are no prediction: a hit rate says something about
# rules, lists and samples only.
PREDICTS = frozenset(ReasonClass) - {
    ReasonClass.DECLARED,
    ReasonClass.ELIGIBILITY,
    ReasonClass.TECHNICAL,
    ReasonClass.TRUST_ANCHOR,
}


class _Facts(dict[str, str]):
    """Facts for a sentence; a figure that is not known is said to be so."""

    def __init__(self, facts: Mapping[str, str], unknown: str) -> None:
        super().__init__(facts)
        self.unknown = unknown

    def __missing__(self, key: str) -> str:
        return self.unknown


def reason_title(code: str, reason_class: str, words: Words, detail: str | None = None) -> str:
    """What was noticed, in a few words: `Alcohol over the norm`, `Chip signature: not checked`.

    `detail` is the reason of the check behind it; a few have a title of their own.
    """
    message_id = f"reason.{code}"
    if detail is not None and words.has(f"{message_id}.{detail}"):
        return words(f"{message_id}.{detail}")
    if words.has(message_id):
        return words(message_id)
    if match := _CHECK_CODE.match(code):
        name, verdict = match["name"].lower(), match["verdict"]
        if name in set(CheckName):
            state = words("verdict.NOT_CHECKED" if verdict == "MISSING" else f"verdict.{verdict}")
            return words("reason.check", check=words(f"check.{name}"), state=state.lower())
    return words("reason.other", kind=words(f"class.{reason_class}"), code=code)


def reason_sentence(reason: ReferralReason, words: Words) -> str:
    """The sentence with the figures of the reason; empty when the title says it all."""
    facts = _Facts(
        {key: _fact(key, value, words) for key, value in reason.facts.items()}, words("reason.fact_unknown")
    )
    message_id = f"reason.{reason.code}.sentence"
    if words.has(message_id):
        return words.catalogue.pattern(message_id, words.language).format_map(facts)
    if reason.detail is not None:
        return check_note(reason.detail, words)
    if {"declared", "norm"} <= facts.keys():
        return (
            words.catalogue.pattern("reason.figures", words.language)
            .format_map(_Facts({"unit": "", **facts}, words("reason.fact_unknown")))
            .strip()
        )
    return ""


def _fact(key: str, value: str, words: Words) -> str:
    """A figure in the reader's form, a unit or a coded fact in words, anything else as it is."""
    if not _NUMBER.match(value):
        return words.either(f"unit.{value}" if key == "unit" else f"fact.{key}.{value}", value)
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    return words.number(number, min(-exponent, 3) if isinstance(exponent, int) and exponent < 0 else 0)


def check_note(detail: str, words: Words) -> str:
    """A check's reason code in words; a code without a sentence is shown as its words."""
    if words.has(f"check_reason.{detail}"):
        return words(f"check_reason.{detail}")
    if (match := _GROUP.match(detail)) and words.has(f"check_group.{match['what']}"):
        return words(f"check_group.{match['what']}", number=match["number"])
    if match := _DIFFERS.match(detail):
        field = match["field"] or match["printed"]
        if words.has(f"field.{field}"):
            return words("check_differs", field=words(f"field.{field}"))
    if (match := _FIELD.match(detail)) and words.has(f"field.{match['field']}"):
        return words(f"check_field.{match['what']}", field=words(f"field.{match['field']}"))
    return detail.replace("_", " ")


@dataclass(frozen=True)
class Rate:
    """How often a reason was right, for the reason block: words always, a drawing from thirty people on."""

    words: str
    drawn: bool = False
    share: float = 0.0
    low: float = 0.0
    high: float = 0.0
    words_interval: str = ""
    random: bool = False


def rate_in_words(
    reason_class: ReasonClass, hits: int, people: int, interval: tuple[float, float], words: Words
) -> Rate:
    """`interval` is the 95 % interval of the share; below thirty people nothing is claimed."""
    if reason_class not in PREDICTS:
        return Rate(words(f"rate.none.{reason_class.value}"))
    if people < 30:
        return Rate(words("rate.too_few", count=people))
    low, high = interval
    share = hits / people
    span = words("rate.interval", low=words.points(low), high=words.points(high))
    return Rate(
        words=words("rate.right", share=words.share(share, 1 if share < 0.1 else 0), people=words.number(people)),
        drawn=True,
        share=share,
        low=low,
        high=high,
        words_interval=span,
        random=reason_class is ReasonClass.RANDOM,
    )
