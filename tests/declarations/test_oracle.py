"""The evaluator against a second author: 100,000 random declarations without a difference.

The other side is `oracle/`, written from the domain text alone. A difference is one of the two being wrong, and
the text says which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from typing import Any

import pytest
from oracle import eaeu_by, gb
from oracle.declared import DAY, EAEU_BY, GB, Crossing, Law, crossings
from oracle.opinion import Call, Figure, Opinion, quotes_of

from contracts.declaration import GoodsKind, TransportMode
from contracts.party import Direction
from declarations.evaluate import Law as CompiledLaw
from declarations.evaluate import Line, PersonAssessment, PersonFacts, RuleHit
from declarations.money import Rates
from declarations.packs import RulePack, load_pack
from declarations.packs.schema import Rule

NORMS = ("goods_value", "goods_weight")
CALLED = {kind.value for kind in GoodsKind} | {"unaccompanied_baggage", "indivisible_item"}
MONEY = ("EUR", "USD", "GBP")
SHARED = ("tobacco", "spirits")

DECLARATIONS = 100_000
SHARDS = 8


@cache
def pack_of(name: str) -> RulePack:
    return load_pack(name)


@cache
def law_of(name: str, direction: Direction, transport: TransportMode) -> CompiledLaw:
    """What `evaluate` makes of a pack before it judges anybody; made once here for all the crossings."""
    return CompiledLaw.of(pack_of(name), direction, transport, DAY)


Judge = Callable[..., Opinion]


def differences(
    pack: str, second_author: Judge, crossing: Crossing, law: Callable[..., CompiledLaw] = law_of
) -> list[str]:
    """Every point in which the two answers for a party differ, in words."""
    direction, transport, party, quoted, on = crossing
    rates, quotes = None, {}
    if quoted is not None:
        rates = Rates(
            base=quoted.base,
            rates=quoted.rates,
            date=quoted.first_day,
            valid_through=quoted.last_day,
            source="test",
        )
        quotes = quotes_of(*quoted, on)
    people = [
        PersonFacts(
            one.name,
            one.age,
            "lead",
            one.declaration,
            one.covered_by,
            earlier=one.earlier,
            crossings=one.crossings,
        )
        for one in party
    ]
    answer = law(pack, direction, transport).judge(people, rates).persons
    found = []
    for traveller in party:
        opinion = second_author(traveller, party, direction, transport, quotes)
        found += [
            f"{traveller.name}: {difference}"
            for difference in _apart(opinion, answer[traveller.name], traveller.age, pack_of(pack).duty_currency)
        ]
    return found


def _apart(opinion: Opinion, answer: PersonAssessment, age: int | None, currency: str) -> list[str]:
    found = []
    calls, expected = Counter(map(_call, answer.hits)), Counter(opinion.calls)
    if calls != expected:
        found.append(f"evaluator calls for {list(calls - expected)}, oracle for {list(expected - calls)}")
    if answer.duty_complete is not opinion.complete:
        found.append(f"complete: evaluator {answer.duty_complete}, oracle {opinion.complete}")
    if answer.duty_total != opinion.duty or answer.currency != currency:
        found.append(f"duty: evaluator {answer.duty_total} {answer.currency}, oracle {float(opinion.duty)}")
    lines, shared = {line.kind: line for line in answer.lines}, Decimal(0)
    for subject, figure in opinion.figures.items():
        line = lines.pop(subject, None)
        if line is None:
            if figure.relation != "within":
                found.append(f"{subject}: no line, oracle {figure}")
        elif not _same(subject, figure, line, age):
            found.append(f"{subject}: evaluator {line}, oracle {figure}")
        elif subject in opinion.taxed and age is not None and not _taxed_as(opinion.taxed[subject], line):
            found.append(f"{subject}: evaluator taxes {line.dutiable}, oracle {opinion.taxed[subject]}")
        if line is not None and subject in NORMS:
            shared += line.duty or 0
    if shared != opinion.larger_of:
        found.append(f"value and weight: evaluator {shared}, oracle {float(opinion.larger_of)}")
    left = [line for line in lines.values() if line.kind not in CALLED and line.relation != "within"]
    if left:
        found.append(f"evaluator alone: {left}")
    return found


def _call(hit: RuleHit) -> Call:
    row = None if hit.rule_id is None else hit.rule_id.partition(".")[0]
    if row == "BY-33":  # a doubt about the norm of BY-03
        row = "BY-03"
    relation = hit.relation.value
    return Call(row, hit.code, relation, hit.category, bool(hit.documents) and relation != "unknown")


def _taxed_as(taxed: Fraction, line: Line) -> bool:
    """Whether so much of the figure is dutiable. A share of an allowance is taxed in the units it is said in."""
    if line.dutiable is None or line.kind in SHARED:
        return line.dutiable == line.declared if line.kind in SHARED else not taxed
    return abs(Fraction(line.dutiable) - taxed) <= (Fraction(1, 100) if line.unit in MONEY else 0)


def _same(subject: str, figure: Figure, line: Line, age: int | None) -> bool:
    """Whether a line says what the oracle says of the figure: its amount, its norm, what is left, what it costs.

    An amount that was converted is shown to the cent. A norm that hangs on an unknown age is not compared. What
    shares an allowance with others is said in units of its own or in per cent: there the share is compared.
    """
    if line.relation.value != figure.relation or line.exact is not figure.total.exact:
        return False
    if subject not in NORMS and line.duty != figure.duty:
        return False
    if line.declared is None:
        return not figure.total.exact and not figure.total.known
    norm, amount = line.norm, line.declared
    if line.difference != abs(amount - norm):
        return False
    if subject in SHARED:
        share = Fraction(amount) / Fraction(norm) if norm else figure.total.known
        return abs(share - figure.total.known) <= (Fraction(1, 10_000) if line.unit == "%" else 0)
    if figure.norm is not None and age is not None and norm != figure.norm:
        return False
    return abs(Fraction(amount) - figure.total.known) < (
        Fraction(1, 100) if line.unit in MONEY else Fraction(1, 10**9)
    )


def compare(pack: str, second_author: Judge, law: Law, seed: int, declarations: int) -> None:
    seen = 0
    for number, crossing in enumerate(crossings(seed, law)):
        found = differences(pack, second_author, crossing)
        assert not found, f"crossing {number} of seed {seed}: {found}\n{crossing}"
        seen += sum(traveller.declaration is not None for traveller in crossing.party)
        if seen >= declarations:
            return


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_second_author_reads_the_law_the_same_way(shard: int) -> None:
    compare("eaeu-by", eaeu_by.judge, EAEU_BY, 1000 + shard, DECLARATIONS // SHARDS)


def test_the_union_without_its_member_state() -> None:
    """By any way of travel: the overlay of Belarus is read by air only."""
    compare("eaeu", partial(eaeu_by.judge, belarus=False), EAEU_BY, 2000, 5_000)


def test_another_country() -> None:
    compare("gb", gb.judge, GB, 3000, 10_000)


STEP = Decimal("0.001")

# One smallest alteration of one rule each, and every one is noticed within this many declarations.
NOTICED_WITHIN = 3_000
ALTERED: dict[str, tuple[str, Callable[[Rule], dict[str, Any]]]] = {
    "value norm, a step higher": ("BY-01", lambda rule: {"amount": rule.amount + STEP}),
    "value norm reached is exceeded": ("BY-01", lambda rule: {"comparator": ">="}),
    "weight norm, a step lower": ("BY-02", lambda rule: {"amount": rule.amount - STEP}),
    "value taxed whole": ("BY-01", lambda rule: {"excess": rule.excess.model_copy(update={"model": "whole"})}),
    "the larger of the two forgotten": ("BY-04", lambda rule: {}),
    "alcohol at 17": ("BY-05", lambda rule: {"min_age": 17}),
    "alcohol over five litres": ("BY-07", lambda rule: {"amount": rule.amount + STEP}),
    "tobacco at 19": ("BY-09", lambda rule: {"min_age": 19}),
    "a cigar is lighter": ("BY-09", lambda rule: {"equivalents": {**rule.equivalents, "cigars": Decimal(4)}}),
    "ten thousand dollars are too much": ("BY-11", lambda rule: {"comparator": ">="}),
    "papers for more money, a step higher": ("BY-13", lambda rule: {"amount": rule.amount + STEP}),
    "food without a certificate": ("BY-19", lambda rule: {"amount": rule.amount + STEP}),
    "drones forgotten": ("BY-23", lambda rule: {}),
    "caviar, a step higher": ("BY-26.caviar", lambda rule: {"amount": rule.amount + STEP}),
    "a declarant of 15": ("BY-28", lambda rule: {"min_age": 15}),
}


@pytest.mark.parametrize("alteration", ALTERED)
def test_an_altered_law_is_noticed(alteration: str) -> None:
    """The comparison can fail: it finds a rule that is gone, or one step beside what the text says."""
    rule_id, changed = ALTERED[alteration]
    pack = pack_of("eaeu-by")
    (rule,) = (rule for rule in pack.rules if rule.id == rule_id)
    changes = changed(rule)
    instead = (rule.model_copy(update=changes),) if changes else ()
    altered = pack.model_copy(
        update={"rules": (*(one for one in pack.rules if one is not rule), *instead)},
    )

    @cache
    def altered_law(_: str, direction: Direction, transport: TransportMode) -> CompiledLaw:
        return CompiledLaw.of(altered, direction, transport, DAY)

    seen = 0
    for crossing in crossings(4000, EAEU_BY):
        if differences("eaeu-by", eaeu_by.judge, crossing, altered_law):
            return
        seen += sum(traveller.declaration is not None for traveller in crossing.party)
        assert seen < NOTICED_WITHIN, alteration
