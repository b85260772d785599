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
from asked import answers, law_of
from oracle import ca, eaeu_by, eu, gb, us
from oracle.declared import CA, DAY, EAEU_BY, EU, GB, US, Crossing, Law, crossings
from oracle.opinion import Call, Figure, Opinion, quotes_of

from contracts.declaration import GoodsKind, TransportMode
from contracts.party import Direction
from declarations.evaluate import Law as CompiledLaw
from declarations.evaluate import Line, PersonAssessment, RuleHit
from declarations.packs import RulePack, load_pack
from declarations.packs.schema import Rule

NORMS = ("goods_value", "goods_weight")
CALLED = {kind.value for kind in GoodsKind} | {"unaccompanied_baggage", "indivisible_item"}
MONEY = ("EUR", "USD", "GBP", "CAD")
PRESENT = ("all_goods",)  # said to be there, without an amount

DECLARATIONS = 100_000
SHARDS = 8


@cache
def pack_of(name: str) -> RulePack:
    return load_pack(name)


Judge = Callable[..., Opinion]


def differences(
    pack: str, second_author: Judge, crossing: Crossing, law: Callable[..., CompiledLaw] = law_of
) -> list[str]:
    """Every point in which the two answers for a party differ, in words."""
    direction, transport, party, quoted, on = crossing
    quotes = quotes_of(*quoted, on) if quoted is not None else {}
    answer = answers(pack, crossing, law=law)
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
        elif subject in opinion.taxed and age is not None and not _taxed_as(opinion, subject, line):
            found.append(f"{subject}: evaluator taxes {line.dutiable}, oracle {opinion.taxed[subject]}")
        if line is not None and subject in NORMS:
            shared += line.duty or 0
    if shared != opinion.larger_of:
        found.append(f"value and weight: evaluator {shared}, oracle {float(opinion.larger_of)}")
    left = [line for line in lines.values() if line.kind not in CALLED and line.relation != "within"]
    if left:
        found.append(f"evaluator alone: {left}")
    return found


# Rules that doubt the same norm: which of them is named depends on what is not known.
ONE_DOUBT = {
    ("BY-33", "GOODS_VALUE_UNKNOWN"): "BY-03",
    ("BY-33", "GOODS_WEIGHT_UNKNOWN"): "BY-03",
    **{(row, "GOODS_VALUE_UNKNOWN"): "CA-02" for row in ("CA-03", "GAP-absence")},
}


def _call(hit: RuleHit) -> Call:
    row = None if hit.rule_id is None else hit.rule_id.partition(".")[0]
    row = ONE_DOUBT.get((row, hit.code), row)
    relation = hit.relation.value
    return Call(row, hit.code, relation, hit.category, bool(hit.documents) and relation != "unknown")


def _taxed_as(opinion: Opinion, subject: str, line: Line) -> bool:
    """Whether so much of the figure is dutiable. A share of an allowance is taxed in the units it is said in."""
    taxed = opinion.taxed[subject]
    if line.dutiable is None or _shared(line):
        return line.dutiable == line.declared if _shared(line) else not taxed
    most = opinion.taxed_at_most.get(subject, taxed)
    cent = Fraction(1, 100) if line.unit in MONEY else 0
    return taxed - cent <= Fraction(line.dutiable) <= most + cent


def _shared(line: Line) -> bool:
    """Whether several kinds share the allowance of this line by shares of it."""
    return line.kind in ("tobacco", "spirits") or (line.kind == "alcohol" and line.currency == "CAD")


def _same(subject: str, figure: Figure, line: Line, age: int | None) -> bool:
    """Whether a line says what the oracle says of the figure: its amount, its norm, what is left, what it costs.

    An amount that was converted is shown to the cent. A norm that hangs on an unknown age is not compared. What
    shares an allowance with others is said in units of its own or in per cent: there the share is compared.
    """
    if line.relation.value != figure.relation or line.exact is not figure.total.exact:
        return False
    if subject in PRESENT:
        return True
    if subject not in NORMS and line.duty != figure.duty:
        return False
    if line.declared is None:
        return not figure.total.exact and not figure.total.known
    norm, amount = line.norm, line.declared
    if line.difference != abs(amount - norm):
        return False
    if _shared(line):
        share = Fraction(amount) / Fraction(norm) * (figure.norm or 1) if norm else figure.total.known
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


@pytest.mark.parametrize(
    ("pack", "second_author", "law", "declarations"),
    [
        ("gb", gb.judge, GB, 10_000),
        ("eu", eu.judge, EU, 800),
        ("us", us.judge, US, 800),
        ("ca", ca.judge, CA, 800),
    ],
    ids=["gb", "eu", "us", "ca"],
)
def test_another_country(pack: str, second_author: Judge, law: Law, declarations: int) -> None:
    compare(pack, second_author, law, 3000, declarations)


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


# The same for the other countries: rule, change, and whose eyes notice it.
ALTERED_ELSEWHERE: dict[str, tuple[str, str, Callable[[Rule], dict[str, Any]]]] = {
    "a step more by air": ("eu", "EU-01.air", lambda rule: {"amount": rule.amount + STEP}),
    "a child's norm is the adult's": ("eu", "EU-01.child", lambda rule: {}),
    "ten thousand euros are free": ("eu", "EU-04", lambda rule: {"comparator": ">"}),
    "wine at 16": ("eu", "EU-03.wine", lambda rule: {"min_age": 16}),
    "a cigarillo is a cigar": ("eu", "EU-02", lambda rule: {"norms": {**rule.norms, "cigarillos": Decimal(50)}}),
    "a resident's exemption, a step less": ("us", "US-02", lambda rule: {"amount": rule.amount - STEP}),
    "alcohol at 20": ("us", "US-03.alcohol", lambda rule: {"min_age": 20}),
    "ten thousand dollars are declared": ("us", "US-01", lambda rule: {"comparator": ">="}),
    "a visitor's gifts, a step more": ("us", "US-02.gifts", lambda rule: {"amount": rule.amount + STEP}),
    "the family does not combine": ("us", "US-02", lambda rule: {"excess": _alone(rule)}),
    "no cliff after a day": ("ca", "CA-02", lambda rule: {"excess": _marginal(rule)}),
    "a gift, a step more": ("ca", "CA-05", lambda rule: {"amount": rule.amount + STEP}),
    "drinks after a day": ("ca", "CA-02.alcohol", lambda rule: {}),
    "cigars, a step fewer": ("ca", "CA-04.cigars", lambda rule: {"amount": rule.amount - STEP}),
    "some goods need no word": ("ca", "CA-05.all", lambda rule: {"kinds": rule.kinds[:5]}),
}  # fmt: skip


def _marginal(rule: Rule) -> Any:
    assert rule.excess is not None
    return rule.excess.model_copy(update={"model": "marginal"})


def _alone(rule: Rule) -> Any:
    assert rule.excess is not None
    bands = [band.model_copy(update={"pool": "none"}) for band in rule.excess.bands]
    return rule.excess.model_copy(update={"bands": tuple(bands)})


OTHERS: dict[str, tuple[Judge, Law]] = {"eu": (eu.judge, EU), "us": (us.judge, US), "ca": (ca.judge, CA)}


@pytest.mark.parametrize("alteration", ALTERED)
def test_an_altered_law_is_noticed(alteration: str) -> None:
    """The comparison can fail: it finds a rule that is gone, or one step beside what the text says."""
    rule_id, changed = ALTERED[alteration]
    noticed("eaeu-by", rule_id, changed, eaeu_by.judge, EAEU_BY)


@pytest.mark.parametrize("alteration", ALTERED_ELSEWHERE)
def test_an_altered_law_of_another_country_is_noticed(alteration: str) -> None:
    country, rule_id, changed = ALTERED_ELSEWHERE[alteration]
    noticed(country, rule_id, changed, *OTHERS[country])


def noticed(
    name: str, rule_id: str, changed: Callable[[Rule], dict[str, Any]], second_author: Judge, law: Law
) -> None:
    """Compare by a pack in which one rule is changed, or gone, until a difference is found."""
    pack = pack_of(name)
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
    for crossing in crossings(4000, law):
        if differences(name, second_author, crossing, altered_law):
            return
        seen += sum(traveller.declaration is not None for traveller in crossing.party)
        assert seen < NOTICED_WITHIN, (name, rule_id)
