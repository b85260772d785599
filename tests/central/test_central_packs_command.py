"""`corridor central packs`: what is asked for goes to stdout; the packs that ship need no configuration."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from central.command import main
from declarations.packs import PACKS, pack_names
from declarations.packs.merge import layer_files


def test_list_names_every_pack_with_how_well_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == list(pack_names())
    by_name = {line.split(":")[0]: line for line in lines}
    assert by_name["eaeu-by"].endswith(" *"), "the pack of the configuration"
    assert "7 rules: 4 V, 1 S, 1 U, 1 without a row; 0 signed for" in by_name["gb"]
    assert "draft: One row for money" in by_name["hk"]


def test_explain_says_which_layer_said_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "explain", "BY-11", "--pack", "eaeu-by-msq"]) == 0
    out = capsys.readouterr().out
    assert "amount          10000  [eaeu]" in out and "layers  eaeu 2026.11.3" in out
    assert main(["packs", "explain", "BY-13"]) == 0
    assert "[by" in capsys.readouterr().out, "without a configuration the pack that is the default"


def test_an_unknown_rule_or_pack_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "explain", "BY-99"]) == 2
    assert "pack eaeu-by: there is no rule BY-99" in capsys.readouterr().err
    assert main(["packs", "explain", "BY-11", "--pack", "xx"]) == 2
    assert "there is no layer xx" in capsys.readouterr().err


def test_check_says_what_is_wrong_and_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["packs", "check"]) == 0
    assert capsys.readouterr().out == ""
    for path in layer_files():
        shutil.copy(path, tmp_path)
    (tmp_path / "hk.json").write_text("{}", encoding="utf-8")
    assert main(["packs", "check", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("hk.json: layer: Field required") and captured.err == "1 complaints\n"


def test_schema_prints_what_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "schema"]) == 0
    assert capsys.readouterr().out == (PACKS / "schema.json").read_text(encoding="utf-8")
    assert json.loads((PACKS / "schema.json").read_text(encoding="utf-8"))["title"] == "Layer"
