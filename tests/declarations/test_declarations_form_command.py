"""The command for whoever writes declarations: what is wrong, where, and schemas that hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from form_scene import full_form

from declarations.forms.command import main
from declarations.forms.serialise import serialisers


def test_good_files_are_told_and_bad_ones_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = []
    for suffix, serialiser in serialisers().items():
        good.append(tmp_path / f"good.{suffix}")
        good[-1].write_bytes(serialiser.write(full_form()))
    assert main(["check", *map(str, good)]) == 0
    assert capsys.readouterr().out.count("a declaration, version 1, 3 items") == 2
    bad = tmp_path / "bad.xml"
    bad.write_bytes(good[1].read_bytes().replace(b"<amount>12000<", b"<amount>-1<"))
    other = tmp_path / "form.pdf"
    assert main(["check", str(good[0]), str(bad), str(other), str(tmp_path / "none.json")]) == 1
    said = capsys.readouterr().out.splitlines()
    assert "good.json: a declaration" in said[0]
    assert "bad.xml: line " in said[1] and "element amount: not of the shape" in said[1]
    assert "neither .json nor .xml" in said[2] and "No such file" in said[3]


def test_the_schemas_are_written(tmp_path: Path) -> None:
    assert main(["schemas", str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "passenger-declaration.schema.json",
        "passenger-declaration.xsd",
    }
