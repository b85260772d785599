"""Norms that a household may share: what one leaves unused is lent to another, in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from declarations.figures import Sheet
from declarations.judging import Lent, Subject, entitled
from declarations.money import Rates
from declarations.packs import Rule
from declarations.person import PersonFacts, holds

NOUGHT = Fraction(0)


@dataclass(slots=True)
class _Member:
    """One who may lend and borrow."""

    person_id: str
    rule: Rule
    figure: Fraction


def pooled(
    subject: Subject, people: Iterable[tuple[PersonFacts, Sheet]], rates: Rates | None, on: date
) -> Mapping[str, Lent]:
    """What each person borrows for this subject, by person_id. Call it within `money.EXACT`.

    People of unknown household, amount or entitlement take no part.
    """
    households: dict[str, list[_Member]] = {}
    for person, sheet in people:
        member = _member(subject, person, sheet, rates, on)
        if member is not None and person.household is not None:
            households.setdefault(person.household, []).append(member)
    lent: dict[str, Lent] = {}
    for members in households.values():
        members.sort(key=lambda member: member.person_id)
        if len(members) > 1:
            lent |= _shared(members)
    return lent


def _member(subject: Subject, person: PersonFacts, sheet: Sheet, rates: Rates | None, on: date) -> _Member | None:
    if person.household is None or not entitled(subject.whole.aged, person):
        return None
    answers = [(clause.rule, holds(clause.rule.conditions, person)) for clause in subject.whole.clauses]
    normed = [rule for rule, answer in answers if answer and rule.amount is not None and _pools(rule)]
    figure = subject.meter.reading(sheet, rates, on)
    if any(answer is None for _, answer in answers) or not normed or not figure.complete:
        return None
    rule = min(normed, key=lambda rule: rule.amount or 0)
    return _Member(person.person_id, rule, Fraction(figure.scaled) / Fraction(figure.scale))


def _pools(rule: Rule) -> bool:
    return rule.pool != "none" or (
        rule.excess is not None and any(band.pool != "none" for band in rule.excess.bands)
    )


def _shared(members: Sequence[_Member]) -> dict[str, Lent]:
    norms = [Fraction(member.rule.amount or 0) for member in members]
    needs = [member.figure - norm for member, norm in zip(members, norms, strict=True)]
    borrowed = _borrowed(needs, [member.rule.pool for member in members])
    over = [max(need - more, NOUGHT) for need, more in zip(needs, borrowed, strict=True)]
    bands: list[dict[int, Fraction]] = [{} for _ in members]
    for place in range(max(len(_bands(member)) for member in members)):
        # Who has no such band, or one without an end, neither lends nor borrows.
        widths = [_width(member, place) for member in members]
        needs = [NOUGHT if width is None else rest - width for rest, width in zip(over, widths, strict=True)]
        wider = _borrowed(needs, [_band_pool(member, place) for member in members])
        for mine, width, more in zip(range(len(members)), widths, wider, strict=True):
            if width is not None:
                bands[mine][place] = more
                over[mine] = max(over[mine] - width - more, NOUGHT)
    return {
        member.person_id: Lent(more, wide) for member, more, wide in zip(members, borrowed, bands, strict=True)
    }


def _bands(member: _Member) -> Sequence[object]:
    return member.rule.excess.bands if member.rule.excess is not None else ()


def _width(member: _Member, place: int) -> Fraction | None:
    bands = member.rule.excess.bands if member.rule.excess is not None else ()
    width = bands[place].width if place < len(bands) else None
    return None if width is None else Fraction(width)


def _band_pool(member: _Member, place: int) -> str:
    bands = member.rule.excess.bands if member.rule.excess is not None else ()
    return bands[place].pool if place < len(bands) else "none"


def _borrowed(needs: Sequence[Fraction], pools: Sequence[str]) -> list[Fraction]:
    """What each borrows: a need below nought is what there is to lend."""
    sharing = [
        place for place, pool in enumerate(pools) if pool == "household" or (pool == "pair" and len(pools) == 2)
    ]
    pot = sum((-needs[place] for place in sharing if needs[place] < 0), NOUGHT)
    borrowed = [NOUGHT] * len(needs)
    for place in sharing:
        borrowed[place] = min(max(needs[place], NOUGHT), pot)
        pot -= borrowed[place]
    return borrowed
