"""`corridor evaluate faces`: what it counts, what it takes, and that no input ends it with a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contracts.party import FaceDecision
from kiosk.faces import evaluate as evaluation
from kiosk.faces.engines import DlibEngine, FusedEngine, Indices, Scores, SFaceEngine
from kiosk.faces.evaluate import GENUINE, IMPOSTOR, UNKNOWN, InputError, all_pairs, load_images, load_pairs, main
from kiosk.faces.fusion import Policy
from kiosk.faces.picture import read_picture

ROOT = Path(__file__).parents[2]
PORTRAITS = ROOT / "hardware" / "specimens" / "portraits"
MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
KEYS = {
    "images", "failure_to_detect", "genuine", "impostor", "eer", "tar_at_fmr", "tar_ci", "threshold", "fmr",
    "fnmr", "by_group", "ms_per_image_median",
}  # fmt: skip


class Grey:
    """An engine for arithmetic: a picture is its mean grey, two are as alike as their greys, black is no face."""

    name = "grey"
    policy = Policy(match=-5.0, doubt=-20.0)

    def expect(self, pictures: int) -> None:
        self.greys = np.zeros(pictures)

    def embed(self, index: int, image: Any) -> bool:
        if image.mean() > 250:
            raise ValueError("a bug")
        self.greys[index] = image.mean()
        return bool(self.greys[index] > 8)

    def compare(self, left: Indices, right: Indices) -> Scores:
        return -np.abs(self.greys[left] - self.greys[right])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(evaluation.ENGINES, "sface", lambda models: Grey())
    for name, grey in {"a1": 100, "a2": 103, "b1": 150, "b2": 190, "c1": 101, "black": 0}.items():
        assert cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((40, 40, 3), grey, dtype=np.uint8))
    return tmp_path


def images(folder: Path, text: str) -> Path:
    path = folder / "images.csv"
    path.write_text(text)
    return path


ALL = "path,identity,group\na1.png,a,x\na2.png,a,x\nb1.png,b,y\nb2.png,b,y\nc1.png,c,x\nblack.png,c,x\n"


def run(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*map(str, arguments), "--engine", "sface"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return result


def test_every_pair_is_counted_once_and_no_face_is_a_false_non_match(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(images(folder, ALL), capsys=capsys)
    assert set(result) >= KEYS
    assert (result["images"], result["failure_to_detect"]) == (6, 1)
    assert (result["genuine"], result["impostor"]) == (3, 12)
    # a1-a2 match; b1-b2 are too far apart; c1-black could not be compared.
    assert result["fnmr"] == pytest.approx(2 / 3, abs=1e-6)
    # c1 is grey like a1 and a2.
    assert result["fmr"] == pytest.approx(2 / 12, abs=1e-6)
    assert result["fmr_ci"][0] < 2 / 12 < result["fmr_ci"][1]
    assert set(result["tar_at_fmr"]) == set(result["tar_ci"]) == {"1e-2", "1e-3", "5e-4", "1e-4"}
    groups = result["by_group"]
    assert groups["x"]["impostor"] == 4
    assert groups["x"]["fmr"] == 0.5
    assert groups["y"]["fnmr"] == 1
    assert groups["x"]["failure_to_detect"] == 1
    assert set(groups["x"]["differences"]) == {"failure_to_detect", "fnmr", "fmr"}


def test_predictions_are_one_row_for_each_pair(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = folder / "predictions.jsonl"
    run(images(folder, ALL), "--predictions", output, capsys=capsys)
    rows = {(row["left"], row["right"]): row for row in map(json.loads, output.read_text().splitlines())}
    assert len(rows) == 15
    assert rows["a1.png", "a2.png"] == {"left": "a1.png", "right": "a2.png", "score": -3.0, "decision": "match"}
    assert rows["a1.png", "b1.png"]["decision"] == "mismatch"
    assert rows["c1.png", "black.png"] == {
        "left": "c1.png",
        "right": "black.png",
        "score": None,
        "decision": "not_captured",
    }
    assert output.stat().st_mode & 0o077 == 0


def test_without_truth_it_predicts_and_counts_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = folder / "pairs.csv"
    pairs.write_text("left,right\na1.png,c1.png\nb1.png,b2.png\n")
    output = folder / "predictions.jsonl"
    listed = images(folder, "path\na1.png\nb1.png\nb2.png\nc1.png\nblack.png\n")
    result = run(listed, "--pairs", pairs, "--predictions", output, capsys=capsys)
    assert (result["images"], result["pairs"], result["genuine"], result["impostor"]) == (4, 2, 0, 0)
    assert result["eer"] is result["fmr"] is result["fnmr"] is None
    assert [json.loads(line)["decision"] for line in output.read_text().splitlines()] == ["match", "mismatch"]
    assert run(listed, capsys=capsys)["pairs"] == 10, "without pairs, every two pictures"


def test_a_picture_on_which_the_engine_fails_does_not_end_the_measurement(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cv2.imwrite(str(folder / "white.png"), np.full((40, 40, 3), 255, dtype=np.uint8))
    result = run(images(folder, ALL + "white.png,d,y\n"), capsys=capsys)
    assert (result["images"], result["failure_to_detect"]) == (7, 2)


def test_pairs_say_who_is_the_same_or_the_identities_do(folder: Path) -> None:
    items = load_images(images(folder, ALL))
    pairs = folder / "pairs.csv"
    pairs.write_text("left,right,same\na1.png,a2.png,\na1.png,b1.png,\na1.png,c1.png,1\nb1.png,b2.png,False\n")
    assert load_pairs(pairs, items).same.tolist() == [GENUINE, IMPOSTOR, GENUINE, IMPOSTOR]
    unknown = load_images(images(folder, "path\na1.png\na2.png\nb1.png\nb2.png\nc1.png\n"))
    assert load_pairs(pairs, unknown).same.tolist() == [UNKNOWN, UNKNOWN, GENUINE, IMPOSTOR]
    assert all_pairs(unknown).same.tolist() == [UNKNOWN] * 10


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column 'path'"),
        ("file\na.png\n", "no column 'path'"),
        ("path\n", "names no picture"),
        ("path,identity\n,a\n", "no path"),
        ("path\na.png\na.png\n", "twice"),
    ],
)
def test_a_list_that_cannot_be_used_says_what_to_do(
    tmp_path: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(images(tmp_path, text))]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("left\na1.png\n", "no column 'right'"),
        ("left,right\na1.png,nobody.png\n", "not in the list"),
        ("left,right,same\na1.png,a2.png,perhaps\n", "same is 'perhaps'"),
        ("left,right\n", "names no pair"),
    ],
)
def test_pairs_that_cannot_be_used_say_what_to_do(folder: Path, text: str, says: str) -> None:
    pairs = folder / "pairs.csv"
    pairs.write_text(text)
    with pytest.raises(InputError, match=says):
        load_pairs(pairs, load_images(images(folder, ALL)))


def test_columns_in_any_case_and_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    path.write_bytes("\ufeffPath, Identity ,extra\na b.jpg,p,1\n\n".encode())
    assert [(item.name, item.identity, item.group) for item in load_images(path)] == [("a b.jpg", "p", "")]


# The engines, on people who do not exist


@pytest.fixture(scope="module")
def specimens() -> list[Any]:
    return [read_picture(PORTRAITS / f"{name}.jpg") for name in ("anna-neutral", "anna-smile", "greta-neutral")]


@pytest.mark.parametrize("make", [FusedEngine, SFaceEngine, DlibEngine])
def test_every_engine_tells_two_specimens_apart(make: Any, specimens: list[Any]) -> None:
    engine = make(MODELS)
    engine.expect(4)
    assert all(engine.embed(index, image) for index, image in enumerate(specimens))
    assert not engine.embed(3, np.zeros((200, 200, 3), dtype=np.uint8))
    same, other = engine.compare(np.array([0, 0]), np.array([1, 2]))
    assert engine.policy.decide(float(same)) is FaceDecision.MATCH
    assert engine.policy.decide(float(other)) is not FaceDecision.MATCH
    assert engine.policy.match > engine.policy.doubt


def test_the_console_script_measures_pictures_and_survives_what_is_none(tmp_path: Path) -> None:
    rows = ["path,identity,group"]
    for person in ("anna", "greta"):
        for mood in ("neutral", "smile"):
            rows.append(f"{PORTRAITS / f'{person}-{mood}.jpg'},{person},f")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    assert cv2.imwrite(str(tmp_path / "one.png"), np.zeros((1, 1, 3), dtype=np.uint8))
    rows += ["broken.jpg,nobody,f", "one.png,anna,f", "missing.jpg,greta,f"]
    command = [
        sys.executable,
        str(ROOT / "corridor.py"),
        "evaluate",
        "faces",
        str(images(tmp_path, "\n".join(rows))),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["images"], result["failure_to_detect"]) == (7, 3)
    assert (result["genuine"], result["fmr"]) == (6, 0)
    assert result["fnmr"] == pytest.approx(4 / 6, abs=1e-6)
    assert "Traceback" not in done.stderr
