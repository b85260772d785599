"""`corridor evaluate pad`: every kind of clip, with labels and without, and honest about what cannot be read."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.camera.jpeg import split_jpegs
from hardware.ports import Frame
from hardware.specimens.attacks import draw_attack
from hardware.specimens.build import PORTRAITS, head_of
from hardware.specimens.feed import Head, draw_feed
from kiosk.faces.detect import Face, FaceDetector
from kiosk.faces.pad import weights
from kiosk.faces.pad.evaluate import Clip, TableError, load_table, main, summary
from kiosk.faces.pad.film import gather
from kiosk.faces.pad.network import RecaptureNetwork

MODELS = Path(sys.prefix) / "share" / "corridor" / "models"


def who(name: str) -> tuple[bytes, Head]:
    return (PORTRAITS / f"{name}-smile.jpg").read_bytes(), head_of(name)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A living specimen as MJPEG, as a film and as a folder; a phone; and what is no clip."""
    folder = tmp_path_factory.mktemp("clips")
    film = draw_feed(*who("anna"), "turn_left", 0)
    (folder / "live.mjpeg").write_bytes(film)
    pictures = [cv2.imdecode(np.frombuffer(part, np.uint8), cv2.IMREAD_COLOR) for part in split_jpegs(film)]
    (folder / "frames").mkdir()
    for number, picture in enumerate(pictures[:6]):
        cv2.imwrite(str(folder / "frames" / f"{number:03d}.jpg"), picture)
    writer = cv2.VideoWriter(str(folder / "live.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 12, (640, 480))
    for picture in pictures[:12]:
        writer.write(picture)
    writer.release()
    (folder / "phone.mjpeg").write_bytes(draw_attack(who("clara"), who("nora"), "phone", "turn_left", 0))
    (folder / "noise.mjpeg").write_bytes(b"\xff\xd8\xff" + bytes(range(256)) * 8)
    cv2.imwrite(str(folder / "wall.jpg"), np.full((240, 320, 3), 170, np.uint8))
    one = (folder / "frames" / "000.jpg").read_bytes()
    (folder / "still.mjpeg").write_bytes(one * 6)
    return folder


def measured(
    clips: Path, table: str, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, object], list[dict[str, object]]]:
    (clips / "clips.csv").write_text(table, encoding="utf-8")
    rows = clips / "rows.jsonl"
    assert main([str(clips / "clips.csv"), "--predictions", str(rows), "--models", str(MODELS)]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    return result, [json.loads(line) for line in rows.read_text().splitlines()]


def test_labelled_clips_are_counted_by_type(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = "path,label,type\nlive.mjpeg,live,\nphone.mjpeg,attack,screen\nstill.mjpeg,attack,frozen\n"
    result, rows = measured(clips, table, capsys)
    assert result["clips"] == 3
    assert result["apcer"] == {"screen": 0.0, "frozen": 0.0}
    assert result["bpcer"] == 0.0
    assert [row["decision"] for row in rows] == ["live", "attack", "attack"]
    assert [set(row) >= {"path", "decision", "score"} for row in rows] == [True] * 3
    assert rows[2]["reason"] == "stream_frozen"


def test_every_form_of_clip_is_read_without_labels(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = "path\nlive.avi\nframes\nphone.mjpeg\nnoise.mjpeg\nmissing.mp4\nwall.jpg\n"
    result, rows = measured(clips, table, capsys)
    assert result["bpcer"] is None
    assert result["apcer"] == {}
    assert [row["decision"] for row in rows] == ["live", "live", "attack", "attack", "attack", "attack"]
    assert [row["reason"] for row in rows[3:]] == ["no_face", "no_such_file", "no_face"]


def test_a_group_that_is_refused_more_often_is_shown_and_a_small_one_is_not_acquitted() -> None:
    def told(group: str, refused: int, live: int) -> list[tuple[Clip, dict[str, object]]]:
        clips = [Clip(f"{group}{each}", Path(), "live", "attack", group) for each in range(live)]
        rows = [
            {"path": clip.name, "decision": "attack" if each < refused else "live", "score": 0.5, "seconds": 0.1}
            for each, clip in enumerate(clips)
        ]
        return list(zip(clips, rows, strict=True))

    clips, rows = zip(*told("one", 4, 400), *told("other", 30, 100), *told("few", 0, 5), strict=True)
    groups = summary(clips, rows)["by_group"]
    assert {group: found["difference"] for group, found in groups.items()} == {
        "one": "not_shown",
        "other": "shown",
        "few": "not_enough_data",
    }
    assert groups["other"]["bpcer"] == 0.3
    assert groups["other"]["live"] == 100


@pytest.mark.parametrize("table", ["file\nx\n", "path,label\nlive.mjpeg,maybe\n", "path\n \n"])
def test_a_table_that_says_nothing_is_refused(tmp_path: Path, table: str) -> None:
    (tmp_path / "clips.csv").write_text(table)
    with pytest.raises(TableError, match="line 2"):
        load_table(tmp_path / "clips.csv")


def test_a_swapped_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.SHA_256, weights.NETWORK, "0" * 64)
    with pytest.raises(weights.WeightsError, match="install Corridor again"):
        weights.verified(weights.NETWORK)


def test_a_wall_that_looks_a_little_like_a_large_face_is_not_the_one_who_is_judged() -> None:
    pictures = [cv2.imdecode(np.frombuffer(part, np.uint8), cv2.IMREAD_COLOR)
                for part in split_jpegs(draw_feed(*who("anna"), "neutral", 0))[:3]]  # fmt: skip
    frames = [np.asarray(picture, np.uint8) for picture in pictures]
    detector, network = FaceDetector(MODELS), RecaptureNetwork()

    def beside_a_wall(confidence: float) -> dict[str, float]:
        def find(frame: Frame) -> tuple[Face, ...]:
            face = detector.find(frame)[0]
            wall = replace(face.moved(1.4, (-150.0, -120.0)), confidence=face.confidence - confidence)
            return wall, face

        evidence = gather(frames, find, network)
        assert not isinstance(evidence, str)
        return evidence.values()

    alone = gather(frames, detector.find, network)
    assert not isinstance(alone, str)
    assert beside_a_wall(0.1) == alone.values()
    assert beside_a_wall(0.02) != alone.values(), "of two that are as certain the larger is meant"
