"""Whatever a rule pack can say to an officer has words in every language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from central.messages import LANGUAGES, Catalogue
from contracts.declaration import GoodsKind
from declarations.packs import Effect, Measure, RulePack, load_pack, pack_names

CATALOGUE = Catalogue.load()
DRAFTS = ("hk", "jp", "kr", "sg")
PACKS = [name for name in pack_names() if name not in DRAFTS]


def said_by(pack: RulePack) -> Iterator[str]:
    """Ids of the catalogue that the reasons and lines of a pack need."""
    for rule in pack.rules:
        if not rule.judges or rule.subject is None:
            continue
        yield f"kind.{rule.subject}"
        if rule.code:
            yield f"reason.{rule.code}"
        if rule.underage_code:
            yield f"reason.{rule.underage_code}"
        # What there is of a kind is always known; how much is not, nor what an undecided rule makes of it.
        if rule.measure is not Measure.PRESENCE or rule.effect is Effect.UNDECIDED:
            yield f"reason.{rule.subject.upper()}_UNKNOWN"
    for exclusion in pack.eligibility:
        yield f"reason.ELIGIBILITY_{exclusion.code}"


@pytest.mark.parametrize("name", PACKS)
def test_every_reason_and_line_of_a_pack_has_words(name: str) -> None:
    wanted = set(said_by(load_pack(name)))
    for language in LANGUAGES:
        assert wanted - CATALOGUE.ids[language] == set()


@pytest.mark.parametrize("name", PACKS)
def test_every_rule_with_an_age_says_what_is_told_below_it(name: str) -> None:
    pack = load_pack(name)
    aged = {rule.subject for rule in pack.rules if rule.judges and rule.min_age is not None}
    told = {rule.subject for rule in pack.rules if rule.underage_code}
    assert aged <= told


def test_every_kind_of_goods_has_a_name() -> None:
    for language in LANGUAGES:
        assert {f"kind.{kind.value}" for kind in GoodsKind} - CATALOGUE.ids[language] == set()
