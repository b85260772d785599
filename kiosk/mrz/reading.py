"""What a page's zone is taken for: the first reader where it is certain, else what two readers agree on.

The second reader is asked only when the first is in doubt. It is trusted with the three fields that stand under
check digits of their own and with nothing else: names, nationality and sex then stay unread, which leads to a
person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np

from contracts.party import PageReading
from documents.mrz import ALPHABET, NO_MRZ, FieldName, Mrz, parse_mrz
from documents.mrz.characters import FILLER
from documents.mrz.settle import Settled
from hardware.ports import Frame
from kiosk.mrz.completed import Completion
from kiosk.mrz.read import Look

SecondAnswer = Literal["not_asked", "agrees", "differs", "silent", "no_answer", "alone"]  # `PageReading`

FIRST, SECOND = "corridor", "passporteye"
_MAY_GO_ON = 36  # characters: a card's or a small visa's line, or the beginning of a passport's or a visa's 44
_CARDS = [ALPHABET.index(letter) for letter in "IAC"]  # 9303-5 and -6; no line of 44 begins with these
_IS_CARD = 0.99
_CLEAR = 2.0  # characters for which there must be room behind it; 9303-6 leaves almost four
_GUARDED: tuple[FieldName, ...] = ("number", "birth_date", "expiry_date")


@dataclass(frozen=True, repr=False)
class ZoneReading:
    """`mrz` is NO_MRZ unless it may be relied upon; `reason` says how it came about, or why it did not.

    Reasons where it may: ok, non_conforming (certain, and against the rules), repaired (a character that the rules
    allow was put in place of one that they do not), second_reader (both agree on number and dates),
    second_reader_alone, completed (light took characters away, the page's print put them back). Where not:
    those of `Settled`, and readers_disagree.
    """

    mrz: Mrz
    reason: str
    record: PageReading


def as_far_as_seen(look: Look, frame: Frame) -> Look:
    """The look, as cut_off where its lines may go on outside of the picture.

    The first 36 characters of a passport or visa have all fields of a card or a small visa, each under its own
    check digit. What tells that nothing follows is a card's own first letter, else the paper behind them, and the
    last character of what is no visa: a check digit.
    """
    if look.problem is not None or not look.posteriors or len(look.posteriors[0]) != _MAY_GO_ON:
        return look
    if look.posteriors[0][0, _CARDS].sum() >= _IS_CARD:
        return look
    cut_off = replace(look, problem="cut_off")
    first, last = (ALPHABET[int(row.argmax())] for row in (look.posteriors[0][0], look.posteriors[-1][-1]))
    if first != "V" and last == FILLER:
        return cut_off
    size = np.array([frame.shape[1], frame.shape[0]])
    for corners in look.corners:
        start, end = corners[[0, 3]].mean(0), corners[[1, 2]].mean(0)
        behind = end + (end - start) * (_CLEAR / _MAY_GO_ON)
        if np.any(behind < 0) or np.any(behind > size):
            return cut_off
    return look


def first_opinion(settled: Settled, looks: int) -> ZoneReading:
    """What the first reader says after `looks` looks."""
    record = PageReading(engine=FIRST, looks=looks, repairs=len(settled.repairs))
    if not settled.accepted:
        return ZoneReading(NO_MRZ, settled.reason, record)
    return ZoneReading(settled.mrz, "repaired" if settled.repairs else settled.reason, record)


def completed_opinion(completion: Completion, today: date, looks: int, second: SecondAnswer) -> ZoneReading | None:
    """What a zone that was completed from the page's print is good for: number and dates, as a second reader's.

    None where a character of them is unknown, or a check digit over them was not seen.
    """
    if not completion.guarded:
        return None
    mrz = parse_mrz(completion.settled.lines, today, guarded_only=True)
    if mrz.key is None:
        return None
    return ZoneReading(mrz, "completed", PageReading(engine=FIRST, looks=looks, second_reader=second))


def second_opinion(
    settled: Settled | None, candidates: Iterable[tuple[str, ...]] | None, today: date, looks: int
) -> ZoneReading:
    """What both together say, when the first is in doubt (`settled`) or saw no zone at all (None).

    `candidates` are what the second reader offers, likeliest first; None where it gave no answer.
    """

    def answer(mrz: Mrz, reason: str, engine: str, second: SecondAnswer) -> ZoneReading:
        return ZoneReading(mrz, reason, PageReading(engine=engine, looks=looks, second_reader=second))

    readings = (parse_mrz(lines, today, guarded_only=True) for lines in candidates or ())
    theirs = next((mrz for mrz in readings if mrz.key is not None), None)
    if theirs is None:
        return answer(
            NO_MRZ,
            settled.reason if settled else "no_zone",
            FIRST,
            "no_answer" if candidates is None else "silent",
        )
    if settled is None or not settled.lines:
        return answer(theirs, "second_reader_alone", SECOND, "alone")
    if not _agree(parse_mrz(settled.lines, today, guarded_only=True), theirs):
        return answer(NO_MRZ, "readers_disagree", FIRST, "differs")
    return answer(theirs, "second_reader", SECOND, "agrees")


def _agree(ours: Mrz, theirs: Mrz) -> bool:
    """Every guarded field that the first reader has under a valid check digit is the same, and two have one."""
    held = [name for name in _GUARDED if ours.verdict(name).passed]
    return len(held) >= 2 and all(_text(ours, name) == _text(theirs, name) for name in held)


def _text(mrz: Mrz, name: FieldName) -> str | None:
    return {"number": mrz.number, "birth_date": mrz.birth, "expiry_date": mrz.expiry}[name]
