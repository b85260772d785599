"""What holds of every passenger law here, whatever its thresholds: shown over random crossings.

Order never matters; splitting never helps; more is never less; an unknown is never free; nobody's goods are
counted against another's norms.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any

import pytest
from asked import answers
from oracle.declared import EAEU_BY, Crossing, crossings
from oracle.traveller import Traveller

from contracts.declaration import GoodsItem, GoodsKind, Money, Unit
from declarations.evaluate import PersonAssessment

STEP = Decimal("0.001")
SEVERITY = ("within", "unknown", "over", "prohibited")


def assessed(
    crossing: Crossing, party: tuple[Traveller, ...] | None = None, pack: str = "eaeu-by"
) -> dict[str, PersonAssessment]:
    return answers(pack, crossing, party)


def outcome(answer: PersonAssessment) -> tuple[Any, ...]:
    """What a person is told: the calls, the figures, the money."""
    calls = sorted(
        (hit.code, hit.relation, str(hit.rule_id), hit.category or "", hit.documents) for hit in answer.hits
    )
    figures = sorted((line.kind, line.relation, line.declared, line.exact, line.duty) for line in answer.lines)
    return calls, figures, answer.duty_total, answer.duty_complete


def severities(answer: PersonAssessment) -> dict[str, int]:
    return {line.kind: SEVERITY.index(line.relation) for line in answer.lines}


def sample(seed: int, count: int) -> Iterator[tuple[Crossing, Random]]:
    for number, crossing in enumerate(islice(crossings(seed, EAEU_BY), count)):
        yield crossing, Random(seed * 1_000_003 + number)


def restated(traveller: Traveller, **changes: Any) -> Traveller:
    """The traveller with another statement."""
    assert traveller.declaration is not None
    return traveller._replace(declaration=traveller.declaration.model_copy(update=changes))


def declarants(crossing: Crossing) -> Iterator[tuple[int, Traveller]]:
    return ((place, one) for place, one in enumerate(crossing.party) if one.declaration is not None)


def with_one(crossing: Crossing, place: int, traveller: Traveller) -> tuple[Traveller, ...]:
    return (*crossing.party[:place], traveller, *crossing.party[place + 1 :])


@pytest.mark.parametrize("law", ["eaeu-by", "gb"])
def test_order_never_matters(law: str) -> None:
    for crossing, draw in sample(1, 250):
        shuffled = []
        for traveller in crossing.party:
            if traveller.declaration is not None:
                items, money = list(traveller.declaration.items), list(traveller.declaration.money)
                draw.shuffle(items)
                draw.shuffle(money)
                traveller = restated(traveller, items=tuple(items), money=tuple(money))
            shuffled.append(traveller)
        draw.shuffle(shuffled)
        before = assessed(crossing, pack=law)
        after = assessed(crossing, tuple(shuffled), law)
        for name, answer in before.items():
            assert outcome(after[name]) == outcome(answer), crossing


def halves(draw: Random, amount: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    if amount is None:
        return None, None
    first = (amount * draw.randint(0, 1000) / 1000).quantize(STEP)
    return first, amount - first


def split_item(draw: Random, item: GoodsItem) -> list[GoodsItem]:
    """Two lines for one, of the same goods. What has a weight by the piece is not cut."""
    if item.unit is Unit.PIECE and item.weight_kg is not None:
        return [item]
    columns = [halves(draw, amount) for amount in (item.quantity, item.value, item.weight_kg)]
    if item.quantity is not None and item.weight_kg is not None and item.unit in (Unit.KILOGRAM, Unit.GRAM):
        return [item]  # the larger of the two counts, line by line
    return [
        item.model_copy(update={"quantity": quantity, "value": value, "weight_kg": weight})
        for quantity, value, weight in zip(*columns, strict=True)
    ]


def split_money(draw: Random, one: Money) -> list[Money]:
    return [one.model_copy(update={"amount": part}) for part in halves(draw, one.amount)]


def test_splitting_never_helps() -> None:
    for crossing, draw in sample(2, 250):
        before = assessed(crossing)
        for place, traveller in declarants(crossing):
            items = [half for item in traveller.declaration.items for half in split_item(draw, item)]
            money = [half for one in traveller.declaration.money for half in split_money(draw, one)]
            split = with_one(crossing, place, restated(traveller, items=tuple(items), money=tuple(money)))
            after = assessed(crossing, split)
            for name, answer in before.items():
                assert outcome(after[name]) == outcome(answer), crossing


def more_of(draw: Random, item: GoodsItem) -> GoodsItem:
    """More of the same: a step, a piece, a hundred. Pieces of goods with a weight stay as many."""
    steps = (Decimal(1), Decimal(100)) if item.unit is Unit.PIECE else (STEP, Decimal(1), Decimal(100))
    grown = {
        field: amount + draw.choice(steps if field == "quantity" else (STEP, Decimal(1), Decimal(100)))
        for field in ("quantity", "value", "weight_kg")
        if (amount := getattr(item, field)) is not None
        and (field != "quantity" or item.unit is not Unit.PIECE or item.weight_kg is None)
    }
    return item.model_copy(update=grown)


def test_more_is_never_less() -> None:
    """More of what is declared never lowers a figure's standing, drops a call, or costs less."""
    for crossing, draw in sample(3, 250):
        before = assessed(crossing)
        for place, traveller in declarants(crossing):
            items = [more_of(draw, item) for item in traveller.declaration.items]
            money = [one.model_copy(update={"amount": one.amount + STEP}) for one in traveller.declaration.money]
            grown = with_one(crossing, place, restated(traveller, items=tuple(items), money=tuple(money)))
            after = assessed(crossing, grown)
            for name, answer in before.items():
                was, now = severities(answer), severities(after[name])
                assert all(now[subject] >= rank for subject, rank in was.items()), crossing
                assert bool(after[name].hits) >= bool(answer.hits)
                if answer.duty_complete and after[name].duty_complete:
                    assert after[name].duty_total >= answer.duty_total, crossing


def test_another_line_never_frees_anybody() -> None:
    for (crossing, draw), (donor, _) in zip(sample(4, 250), sample(5, 250), strict=True):
        lines = [item for one in donor.party if one.declaration for item in one.declaration.items]
        before = assessed(crossing)
        for place, traveller in declarants(crossing):
            if not lines or len(traveller.declaration.items) >= 500:
                continue
            items = (*traveller.declaration.items, draw.choice(lines))
            after = assessed(crossing, with_one(crossing, place, restated(traveller, items=items)))
            for name, answer in before.items():
                now = severities(after[name])
                assert all(now[subject] >= rank for subject, rank in severities(answer).items()), crossing
                if answer.duty_complete and after[name].duty_complete:
                    assert after[name].duty_total >= answer.duty_total, crossing


def test_an_unknown_age_is_never_better_than_any_age() -> None:
    for crossing, _ in sample(6, 300):
        for place, traveller in declarants(crossing):
            if traveller.covered_by is not None:
                continue  # whose goods are counted where hangs on the age
            blank = with_one(crossing, place, traveller._replace(age=None))
            unknown = assessed(crossing, blank)[traveller.name]
            assert unknown.hits
            for age in (15, 17, 30):
                known = with_one(crossing, place, traveller._replace(age=age))
                answer = assessed(crossing, known)[traveller.name]
                if unknown.duty_complete:
                    assert answer.duty_complete, crossing
                    assert answer.duty_total == unknown.duty_total, crossing


def test_without_the_rates_of_the_day_nothing_foreign_is_free() -> None:
    """Whoever is free without rates is free with any."""
    for crossing, _ in sample(7, 250):
        without = assessed(crossing._replace(quoted=None))
        for name, answer in assessed(crossing).items():
            if not without[name].hits:
                assert not answer.hits, crossing
            if without[name].duty_complete:
                assert answer.duty_complete, crossing
                assert answer.duty_total == without[name].duty_total, crossing


BLANKS: dict[GoodsKind, tuple[str, ...]] = {
    GoodsKind.GOODS: ("value", "weight_kg"),
    GoodsKind.GIFTS: ("value", "weight_kg"),
    GoodsKind.ALCOHOL: ("quantity",),
    GoodsKind.BEER: ("quantity",),
    GoodsKind.ETHYL_ALCOHOL: ("quantity",),
    GoodsKind.CIGARETTES: ("quantity",),
    GoodsKind.CIGARS: ("quantity",),
    GoodsKind.TOBACCO: ("quantity",),
    GoodsKind.FOOD_PLANT: ("quantity", "weight_kg"),
    GoodsKind.FOOD_ANIMAL: ("quantity", "weight_kg"),
}


def test_an_amount_left_out_always_calls_a_person() -> None:
    blanked = 0
    for crossing, draw in sample(8, 400):
        if crossing.direction != "arrival":
            continue
        for place, traveller in declarants(crossing):
            items = list(traveller.declaration.items)
            known = [number for number, item in enumerate(items) if item.kind in BLANKS and not item.carried_for]
            if not known:
                continue
            number = draw.choice(known)
            blanks: dict[str, Any] = dict.fromkeys(BLANKS[items[number].kind])
            if items[number].kind in (GoodsKind.GOODS, GoodsKind.GIFTS):
                blanks = draw.choice(
                    (
                        {"value": None, "currency": None},
                        {"weight_kg": None, "quantity": None, "unit": None},
                    )
                )
            elif "quantity" in blanks:
                blanks["unit"] = None
            items[number] = items[number].model_copy(update=blanks)
            forgetful = with_one(crossing, place, restated(traveller, items=tuple(items)))
            answer = assessed(crossing, forgetful)[traveller.name]
            assert answer.hits, crossing
            assert not answer.duty_complete, crossing
            blanked += 1
    assert blanked > 100


def test_nobody_is_judged_by_what_another_carries() -> None:
    """A person who speaks for nobody and for whom nobody speaks is told the same alone and in company."""
    for crossing, _ in sample(9, 250):
        together = assessed(crossing)
        for traveller in crossing.party:
            named = any(traveller.name in one.declaration.covers for one in crossing.party if one.declaration)
            speaks = traveller.declaration is not None and traveller.declaration.covers
            if traveller.covered_by is None and not named and not speaks:
                alone = assessed(crossing, (traveller,))
                assert outcome(alone[traveller.name]) == outcome(together[traveller.name]), crossing
