"""Shipped layers, damaged at random: each is refused with place and reason, or makes a pack that can be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from random import Random
from typing import Any

import pytest
from oracle.declared import CA, EAEU_BY, EU, GB, US, crossings

from contracts.declaration import TransportMode
from contracts.party import Direction
from declarations.evaluate import Law, PersonFacts
from declarations.explain import explain, render
from declarations.packs import PACKS, RulePack, merge, read_layer
from declarations.review import completeness, explanation

DAY = date(2026, 11, 21)
LAWS = {"eaeu": EAEU_BY, "eaeu-by": EAEU_BY, "eaeu-by-msq": EAEU_BY, "gb": GB, "eu": EU, "us": US, "ca": CA}
SHIPPED = {name: json.loads((PACKS / f"{name}.json").read_text("utf-8")) for name in "-".join(LAWS).split("-")}
ODD: tuple[Any, ...] = (
    None, "", 0, -1, "-1", "0", "NaN", "1e400", "9" * 41, "0.0000001", True, [], {}, [[]], {"a": 1}, 10**50,
    "EUR", "pint", "<", "any", "2026-02-30", "0001-01-01", "9999-12-31", "\ud800", "\u0000", "a" * 5000, 1.5,
    "note", "undecided", "elsewhere", "larger_of", "share", "mixture", "unaccompanied", ["goods", "goods"], [None],
)  # fmt: skip


def places(words: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = words.items() if isinstance(words, dict) else enumerate(words) if isinstance(words, list) else ()
    for key, value in inner:
        yield (*here, key)
        yield from places(value, (*here, key))


def at(words: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        words = words[key]
    return words


def damaged(draw: Random, layer: dict[str, Any]) -> bytes:
    """A layer with a field left out, replaced, moved or said under another name, or with bytes knocked out."""
    words = deepcopy(layer)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        everywhere = list(places(words))
        place = draw.choice(everywhere)
        parent, key, lot = at(words, place[:-1]), place[-1], draw.random()
        if lot < 0.25:
            del parent[key]
        elif lot < 0.6:
            parent[key] = deepcopy(draw.choice(ODD))
        elif lot < 0.8:
            parent[key] = deepcopy(at(words, draw.choice(everywhere)))
        elif isinstance(parent, list):
            parent.append(deepcopy(parent[key]))
        else:
            parent[draw.choice(["x", *parent])] = deepcopy(parent[key])
    content = bytearray(json.dumps(words).encode())
    if draw.random() < 0.1:
        gap = draw.randrange(len(content))
        del content[gap : gap + draw.randint(1, 30)]
    elif draw.random() < 0.1:
        content[draw.randrange(len(content))] = draw.randrange(256)
    return bytes(content)


def used(pack: RulePack, draw: Random, law: Any) -> None:
    """Whatever kiosk, officer and administrator do with a pack."""
    completeness(pack)
    for rule in pack.rules:
        assert list(explanation(pack, rule.id))
    for direction in Direction:
        for transport in TransportMode:
            pack.allowances(direction, transport, DAY)
            Law.of(pack, direction, transport, DAY)
    crossing = next(crossings(draw.randrange(10**6), law))
    people = [PersonFacts(one.name, one.age, "lead", one.declaration) for one in crossing.party]
    answer = Law.of(pack, crossing.direction, crossing.transport, DAY).judge(people, None)
    assert list(render(explain(answer, pack)))


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_pack_is_refused_with_its_place_or_can_be_used(seed: int) -> None:
    draw = Random(seed)
    refused = accepted = 0
    for _ in range(60):
        name = draw.choice(tuple(LAWS))
        layers = name.split("-")
        spoilt = draw.choice(layers)
        try:
            said = read_layer(damaged(draw, SHIPPED[spoilt]), f"{spoilt}.json")
            pack = merge(name, [said if layer == spoilt else SHIPPED[layer] for layer in layers])
        except ValueError as refusal:
            place, _, reason = str(refusal).partition(": ")
            assert type(refusal) is ValueError
            assert place in (f"{spoilt}.json", f"pack {name}"), refusal
            assert reason
            str(refusal).encode("utf-8")  # can be shown
            refused += 1
        else:
            used(pack, draw, LAWS[name])
            accepted += 1
    assert refused and accepted
