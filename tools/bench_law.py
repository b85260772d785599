"""How many declarations a second of processor time the one evaluator judges: `make bench-law`. Prints JSON last.

Figures are of the evaluator alone: the law of the day is compiled once, the declarations lie in memory. `evaluate`
is the same with the law compiled anew for every declaration, as a kiosk or an intake does it.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from contracts.declaration import (
    Declaration,
    DeclaredChannel,
    GoodsItem,
    GoodsKind,
    Money,
    MoneyKind,
    TransportMode,
    Unit,
)
from contracts.party import Direction
from declarations.evaluate import Law, PersonFacts, evaluate
from declarations.money import Rates
from declarations.packs import load_pack

DAY = date(2026, 11, 21)
WINDOWS, SECONDS = 40, 0.02  # of processor time; the best window had the core to itself
RATES = Rates(
    base="BYN",
    date=DAY,
    source="bench",
    rates={"EUR": Decimal("3.4411"), "USD": Decimal("3.1702"), "GBP": Decimal("4.18"), "RUB": Decimal("0.0392")},
)


def main() -> int:
    result: dict[str, object] = {"python": platform.python_version(), "windows": WINDOWS, "unit": "declarations/s"}
    for name in ("eaeu-by", "gb"):
        pack = load_pack(name)
        crossing = (pack, Direction.ARRIVAL, TransportMode.AIR)
        law = Law.of(*crossing, DAY)
        for title, declaration in (("nothing", _declaration()), ("twenty_items", _declaration(*_twenty()))):
            people = (PersonFacts("p1", 40, "lead", declaration),)
            figures = {
                "law": _per_second(lambda law=law, people=people: law.judge(people, RATES)),
                "evaluate": _per_second(lambda c=crossing, people=people: evaluate(*c, people, RATES, DAY)),
            }
            result[f"{name} {title}"] = figures
            print(f"{name} {title}: {figures}", file=sys.stderr)
    print(json.dumps(result))
    return 0


def _per_second(work: Callable[[], object]) -> dict[str, int]:
    """The median and the best of many short windows."""
    found = []
    for _ in range(WINDOWS):
        count, start = 0, process_time()
        while (now := process_time()) < start + SECONDS:
            for _ in range(5):
                work()
            count += 5
        found.append(count / (now - start))
    return {"median": round(sorted(found)[WINDOWS // 2]), "best": round(max(found))}


def _declaration(*things: GoodsItem | Money) -> Declaration:
    return Declaration(
        declared_channel=DeclaredChannel.GREEN,
        items=tuple(thing for thing in things if isinstance(thing, GoodsItem)),
        money=tuple(thing for thing in things if isinstance(thing, Money)),
        unaccompanied_baggage=False,
        rule_pack="bench:1",
        notice_version="1",
        language="en",
    )


def _twenty() -> list[GoodsItem | Money]:
    """Twenty items and two sums of money: goods in four currencies, drinks, tobacco, food, medicines."""
    things: list[GoodsItem | Money] = []
    for place in range(12):
        currency = ("EUR", "USD", "GBP", "RUB")[place % 4]
        things.append(_item(GoodsKind.GOODS, value="19.99", currency=currency, weight_kg="1.2"))
    for kind, amount, unit in (
        (GoodsKind.WINE, "0.75", Unit.LITRE),
        (GoodsKind.WINE, "0.75", Unit.LITRE),
        (GoodsKind.SPIRITS, "2", Unit.LITRE),
        (GoodsKind.CIGARETTES, "200", Unit.PIECE),
        (GoodsKind.TOBACCO, "50", Unit.GRAM),
        (GoodsKind.FOOD_ANIMAL, "2.5", Unit.KILOGRAM),
        (GoodsKind.FOOD_PLANT, "1", Unit.KILOGRAM),
    ):
        things.append(_item(kind, quantity=amount, unit=unit))
    things.append(_item(GoodsKind.MEDICINES))
    things.append(Money(kind=MoneyKind.CASH, amount=Decimal("4000"), currency="EUR"))
    things.append(Money(kind=MoneyKind.CASH, amount=Decimal("1200"), currency="USD"))
    return things


def _item(kind: GoodsKind, **said: object) -> GoodsItem:
    return GoodsItem.model_validate({"kind": kind, **said})


if __name__ == "__main__":
    sys.exit(main())
