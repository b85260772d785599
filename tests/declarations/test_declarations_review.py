"""How complete packs are, who said what, what is wrong with files, and the published schema of a layer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from declarations.packs import PACKS, load_draft, load_pack, pack_names
from declarations.packs.merge import layer_files
from declarations.review import complaints, completeness, explanation, layer_schema

DAY = date(2026, 11, 21)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, Callable[[dict[str, Any]], Any]], Path]:
    """`edited("by", change)`: a directory with all layers, one of them changed."""

    def edit(layer: str, change: Callable[[dict[str, Any]], Any]) -> Path:
        for path in layer_files():
            shutil.copy(path, tmp_path)
        words = json.loads((tmp_path / f"{layer}.json").read_text(encoding="utf-8"))
        change(words)
        (tmp_path / f"{layer}.json").write_text(json.dumps(words), encoding="utf-8")
        return tmp_path

    return edit


def test_nothing_is_wrong_with_the_packs_that_ship() -> None:
    assert list(complaints(DAY)) == []


@pytest.mark.parametrize("name", pack_names())
def test_every_rule_of_a_pack_is_counted_once(name: str) -> None:
    pack = load_draft(name)
    known = completeness(pack)
    assert known.judging + known.notes == len(pack.rules)
    assert bool(known.draft) == (name in ("hk", "jp", "kr", "sg"))
    assert known.signed == 0, "nobody has signed for any rule yet"


def test_who_said_what_of_a_rule() -> None:
    told = "\n".join(explanation(load_pack("eaeu-by-msq"), "BY-12"))
    assert "BY-12  Other monetary instruments" in told and "nobody has signed for it" in told
    assert "shown           true  [msq]" in told
    assert "amount          0  [eaeu]" in told
    assert told.endswith("layers  eaeu 2026.11.3, msq 2026.11.3")
    with pytest.raises(KeyError):
        list(explanation(load_pack("gb"), "BY-12"))


def test_who_said_otherwise_is_named_version_by_version(edited: Any) -> None:
    change = {"id": "BY-05", "amount": "2", "effective_from": "2027-01-01"}
    pack = load_pack("eaeu-by", edited("by", lambda by: by["rules"].append(change)))
    before, after = "\n".join(explanation(pack, "BY-05")).split("BY-05  ")[1:]
    assert "from the beginning to 2026-12-31" in before and "amount          3  [eaeu]" in before
    assert "from 2027-01-01, without an end" in after and "amount          2  [by; eaeu said 3]" in after


@pytest.mark.parametrize(
    ("layer", "change", "complaint"),
    [
        ("by", lambda by: by["rules"][0].update(mood="good"), "by.json: rule BY-13, mood: unknown fields"),
        ("gb", lambda gb: gb.update(over="eaeu"), "UK-02: rules of tobacco do not judge the same figure"),
        ("gb", lambda gb: gb.update(over="xx"), "gb.json: there is no layer xx below it"),
        ("eaeu", lambda eaeu: eaeu.update(over="msq"), "loop of layers"),
        ("gb", lambda gb: gb["rules"][0].update(amount="41"), "pack gb: example UK-01.beer-norm: reasons"),
        ("gb", lambda gb: gb["rules"][1].update(amount="17"), "pack gb: example UK-01.wine-norm: reasons"),
        ("gb", lambda gb: gb["examples"][0].update(rule="UK-99"), "there is no rule UK-99"),
        ("msq", lambda msq: msq["rules"][0].update(amount="1"), "msq.json: rule BY-12, amount: a site cannot"),
        ("jp", lambda jp: jp.update(why=""), "jp.json: "),
    ],
)
def test_what_is_wrong_is_said_with_its_place(edited: Any, layer: str, change: Any, complaint: str) -> None:
    found = list(complaints(DAY, edited(layer, change)))
    assert complaint in "\n".join(found), found


def test_two_broken_files_are_both_named(edited: Any) -> None:
    directory = edited("by", lambda by: by.pop("title"))
    (directory / "gb.json").write_text("{", encoding="utf-8")
    found = list(complaints(DAY, directory))
    assert [line.split(":")[0] for line in found] == ["by.json", "gb.json"]


def test_the_published_schema_is_the_one_of_the_models() -> None:
    published = json.loads((PACKS / "schema.json").read_text(encoding="utf-8"))
    assert published == json.loads(json.dumps(layer_schema())), (
        "corridor central packs schema > declarations/packs/schema.json"
    )


def test_the_schema_takes_every_layer_and_refuses_a_word_it_does_not_know() -> None:
    Draft202012Validator.check_schema(layer_schema())
    validator = Draft202012Validator(layer_schema())
    for path in layer_files():
        words = json.loads(path.read_text(encoding="utf-8"))
        assert list(validator.iter_errors(words)) == []
        assert not validator.is_valid({**words, "rules": [{**words["rules"][0], "unit": "pint"}]})
        assert not validator.is_valid({**words, "mood": "good"})
