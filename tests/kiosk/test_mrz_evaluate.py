"""`corridor evaluate mrz`: the figures are the right ones, a bad manifest is explained, a bad picture is a row."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from documents.mrz import compose_mrva
from documents.mrz.settle import settle
from hardware.specimens.page import _ocr_b
from kiosk.mrz.engines import (
    ENGINES,
    Doubt,
    PassportEyeEngine,
    Reading,
    SecondReading,
    TesseractEngine,
    keeps_its_check_digits,
    zone_lines,
)
from kiosk.mrz.evaluate import Item, ManifestError, Row, clopper_pearson, load_manifest, main, measured, summary
from kiosk.mrz.image import Picture, decode_image
from kiosk.mrz.ladder import RUNGS

TODAY = date(2026, 11, 22)
ZONE = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",  # 9303-4 appendix B
)
NOTHING_BURNT = {"burnt_out": 0, "burnt_out_exact": 0}
WRONG = (ZONE[0].replace("ANNA", "HANNA")[:44], ZONE[1])


def manifest(folder: Path, entries: Any) -> Path:
    path = folder / "manifest.json"
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


def noise(folder: Path, name: str, size: tuple[int, int] = (320, 200)) -> str:
    Image.effect_noise(size, 40).convert("RGB").save(folder / name)
    return name


# Figures


@pytest.mark.parametrize(("events", "trials"), [(0, 1), (1, 1), (0, 54), (1, 54), (3, 310), (54, 54), (0, 4000)])
def test_the_interval_is_scipys(events: int, trials: int) -> None:
    low, high = binomtest(events, trials).proportion_ci(0.95, method="exact")
    assert clopper_pearson(events, trials) == pytest.approx([low, high], abs=2e-6)


def test_no_trials_have_no_interval() -> None:
    assert clopper_pearson(0, 0) is None


def row(
    truth: tuple[str, ...],
    lines: tuple[str, ...],
    accepted: bool,
    *,
    negative: bool = False,
    rung: str | None = None,
    cpu_s: float = 0.1,
) -> Row:
    item = Item("a.png", Path("a.png"), truth, "none" if negative else "TD3", negative)
    return Row(item, accepted, lines, "ok" if accepted else "ambiguous_name", cpu_s, 0.2, rung)


def test_the_counts_are_what_their_names_say() -> None:
    rows = [
        row(ZONE, ZONE, True),
        row(ZONE, WRONG, True),  # valid but wrong
        row(ZONE, ZONE, False),  # exact, and not believed
        row(ZONE, (), False),
        row((), ZONE, True),  # nobody knows
        row((), ZONE, True, negative=True),  # a false read
        row((), (), False, negative=True),
    ]
    result = summary(rows)
    assert (result["images"], result["accepted"], result["exact"]) == (7, 4, 2)
    assert (result["valid_but_wrong"], result["false_reads"], result["accepted_exact"]) == (1, 1, 1)
    assert result["valid_but_wrong_ci"] == clopper_pearson(1, 2)
    assert result["by_format"] == {
        "TD3": {"images": 5, "accepted": 3, "exact": 2},
        "none": {"images": 2, "accepted": 1, "exact": 0},
    }
    assert result["reasons"] == {"ok": 4, "ambiguous_name": 3}


@pytest.mark.parametrize(
    ("printed", "wrong"),
    [
        ((ZONE[0], ZONE[1].replace("ZE18", "ZE??")), 0),  # what stands there cannot be told
        ((ZONE[0].replace("ANNA", "H?NNA")[:44], ZONE[1]), 1),  # another character contradicts
        ((ZONE[0], ZONE[1][:43]), 1),
        ((*ZONE, ZONE[1]), 1),
    ],
)
def test_a_character_that_nobody_can_tell_makes_no_reading_wrong(printed: tuple[str, ...], wrong: int) -> None:
    result = summary([row(printed, ZONE, True)], [row(printed, ZONE, True, rung="dark")])
    assert (result["exact"], result["valid_but_wrong"], result["accepted"]) == (0, wrong, 1)
    assert result["valid_but_wrong_ci"] == clopper_pearson(wrong, wrong), "what cannot be told proves nothing"
    assert result["by_rung"]["dark"]["valid_but_wrong"] == wrong


def test_without_truth_there_are_counts_only() -> None:
    result = summary([row((), ZONE, True), row((), (), False)])
    assert (result["images"], result["accepted"]) == (2, 1)
    assert result["exact"] is result["valid_but_wrong"] is result["valid_but_wrong_ci"] is None


def test_the_ladder_is_counted_by_rung_and_nowhere_else() -> None:
    rungs = [
        row(ZONE, ZONE, True, rung="dark"),
        row(ZONE, WRONG, True, rung="dark"),
        row(ZONE, (), False, rung="desk"),
    ]
    result = summary([row(ZONE, ZONE, True)], rungs)
    assert result["images"] == result["exact"] == 1
    assert result["by_rung"] == {
        "dark": {"images": 2, "accepted": 2, "exact": 1, "valid_but_wrong": 1, **NOTHING_BURNT},
        "desk": {"images": 1, "accepted": 0, "exact": 0, "valid_but_wrong": 0, **NOTHING_BURNT},
    }


def test_what_is_burnt_out_is_counted_apart_and_left_in_the_other_counts() -> None:
    rungs = [
        replace(row(ZONE, ZONE, True, rung="glare"), burnt_out=True),
        replace(row(ZONE, (), False, rung="glare"), burnt_out=True),
        row(ZONE, ZONE, True, rung="glare"),
    ]
    glare = summary([row(ZONE, ZONE, True)], rungs)["by_rung"]["glare"]
    assert (glare["images"], glare["exact"], glare["burnt_out"], glare["burnt_out_exact"]) == (3, 2, 2, 1)


def test_times_are_numpys_percentiles() -> None:
    times = [0.01 * number for number in range(1, 61)]
    result = summary([row((), (), False, cpu_s=time) for time in reversed(times)])
    assert result["cpu_s_median"] == pytest.approx(np.percentile(times, 50), abs=1e-4)
    assert result["cpu_s_p95"] == pytest.approx(np.percentile(times, 95), abs=1e-4)


DOUBTFUL = settle([np.full((44, 37), 1 / 37, dtype=np.float32)] * 2, TODAY)


class Doubtful:
    """Works a little, is in doubt, and has a second reader that works much more."""

    detail = "in doubt"

    def read(self, data: bytes) -> Reading:
        if data == b"boom":
            raise RuntimeError("a bug in an engine")
        return Reading(False, ZONE, "ambiguous_name", Doubt(np.zeros((1, 1, 3), dtype=np.uint8), DOUBTFUL))

    def second_look(self, reading: Reading) -> SecondReading | None:
        if reading.doubt is None:
            return None
        sum(number * number for number in range(300_000))
        return SecondReading("agrees")

    def close(self) -> None: ...


def test_the_second_reader_is_measured_apart() -> None:
    result = measured(Doubtful(), Item("a", Path("a")), b"x")
    assert result.second == "agrees"
    assert result.second_cpu_s > result.cpu_s
    figures = summary([result])
    assert figures["second_reader_calls"] == 1
    assert figures["second_reader_cpu_s_median"] > figures["cpu_s_median"]
    assert figures["second_reader_answers"] == {"agrees": 1}


def test_an_engine_that_fails_on_a_picture_is_a_row() -> None:
    result = measured(Doubtful(), Item("a", Path("a")), b"boom")
    assert (result.accepted, result.reason) == (False, "engine_error")


# The manifest


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ("[", "not JSON"),
        ({"image": "a.png"}, "list of objects"),
        ([], "names no picture"),
        (["a.png"], "entry 1 is not an object"),
        ([{"image": "a.png"}, {"mrz": None}], "entry 2 has no image"),
        ([{"image": ""}], "entry 1 has no image"),
        ([{"image": "a.png", "mrz": "P<UTO"}], "mrz must be a list"),
        ([{"image": "a.png", "mrz": [1, 2]}], "mrz must be a list"),
        ([{"image": "a.png", "mrz": [""]}], "mrz must be a list"),
        ([{"image": "a.png", "format": 3}], "format must be"),
        ([{"image": "a.png", "negative": "no"}], "negative must be"),
        ([{"image": "a.png", "negative": True, "mrz": list(ZONE)}], "remove one"),
    ],
)
def test_a_bad_manifest_is_explained(
    tmp_path: Path, entries: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest(tmp_path, entries)
    with pytest.raises(ManifestError, match=words):
        load_manifest(path)
    assert main([str(path), "--engine", "tesseract"]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""


def test_a_manifest_that_is_missing_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_predictions_that_cannot_be_written_are_explained_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest(tmp_path, [{"image": noise(tmp_path, "a.png")}])
    assert main([str(path), "--engine", "tesseract", "--predictions", str(tmp_path / "no" / "p.jsonl")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_truth_is_optional_and_formats_have_one_spelling(tmp_path: Path) -> None:
    visa = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L898902C<3UTO6908061F9406236ZE184226")
    entries = [
        {"image": "a"},
        {"image": "b", "mrz": None, "format": None, "negative": False},
        {"image": "b2", "mrz": []},
        {"image": "c", "mrz": list(ZONE)},
        {"image": "d", "mrz": list(visa)},
        {"image": "e", "mrz": list(visa), "format": "MRVB"},
        {"image": "f", "negative": True},
    ]
    items = load_manifest(manifest(tmp_path, entries))
    assert [item.format for item in items] == ["unknown"] * 3 + ["TD3", "MRV-B", "MRV-B", "none"]
    assert [bool(item.truth) for item in items] == [False, False, False, True, True, True, False]
    assert items[0].path == tmp_path / "a"


# Whole runs


def test_bad_pictures_are_rows_with_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    bomb = io.BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, "PNG")
    (tmp_path / "bomb.png").write_bytes(bomb.getvalue())
    Image.new("L", (90, 60), 128).save(tmp_path / "grey.png")
    endless = "/dev/zero"  # says that it is empty, and is not
    names = ["text.jpg", "empty.png", "bomb.png", "missing.png", "null\0.png", ".", endless, "grey.png"]
    path = manifest(tmp_path, [{"image": name, "negative": True} for name in names])
    output = tmp_path / "predictions.jsonl"
    assert main([str(path), "--engine", "tesseract", "--predictions", str(output)]) == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["image"] for row in rows] == names
    assert [row["reason"] for row in rows] == [
        *("not_an_image", "empty", "too_many_pixels", *["no_such_file"] * 4, "no_zone")
    ]
    assert all(set(row) == {"image", "accepted", "lines", "reason", "cpu_s"} for row in rows)
    assert not any(row["accepted"] for row in rows)
    told = capsys.readouterr()
    result = json.loads(told.out.splitlines()[-1])
    assert (result["images"], result["accepted"], result["false_reads"]) == (8, 0, 0)
    assert "8 of 8 pictures" in told.err


def printed(folder: Path, name: str, lines: tuple[str, ...]) -> str:
    from PIL import ImageDraw

    page = Image.new("RGB", (1200, 700), "white")
    pen = ImageDraw.Draw(page)
    font = _ocr_b()
    scale = 1060 / pen.textlength(lines[0], font=font)
    font = font.font_variant(size=font.size * scale)
    for number, line in enumerate(lines):
        pen.text((70, 540 + 60 * number), line, font=font, fill=(20, 20, 20))
    page.save(folder / name)
    return name


def test_peers_read_a_clean_page_and_their_cost_includes_tesseracts_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = printed(tmp_path, "page.png", ZONE)
    path = manifest(tmp_path, [{"image": name, "mrz": list(ZONE), "format": "TD3"}])
    output = tmp_path / "predictions.jsonl"
    for engine in ("passporteye", "tesseract"):
        assert main([str(path), "--engine", engine, "--predictions", str(output)]) == 0
        result = json.loads(capsys.readouterr().out.splitlines()[-1])
        told = json.loads(output.read_text())
        # Without its MRZ language data tesseract takes fillers for letters; the number it knows.
        assert any(line.startswith("L898902C3") for line in told["lines"]), engine
        assert result["engine"] == engine
        assert "tesseract -l" in result["engine_detail"]
        assert 0.05 < told["cpu_s"] < 60, "seconds of a process, not only the waiting for it"
        assert stat.S_IMODE(output.stat().st_mode) == 0o600


VISA = compose_mrva(
    issuer="UTO",
    surname="Harada",
    given_names="Mei",
    number="K46281937",
    nationality="UTO",
    birth_date=date(1997, 9, 12),
    sex="F",
    expiry_date=date(2032, 5, 19),
)


def test_corridors_own_reader_gives_each_picture_a_verdict_and_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Image.open(tmp_path / printed(tmp_path, "page.png", ZONE))
    two = Image.new("RGB", (1200, 1400), "white")
    two.paste(page, (0, 0))
    two.paste(Image.open(tmp_path / printed(tmp_path, "visa.png", VISA)), (0, 700))
    two.save(tmp_path / "two.png")
    # Behind the 36th of 44 characters: what is left keeps every rule of a smaller visa.
    Image.open(tmp_path / "visa.png").crop((0, 0, 70 + round(1060 * 36.7 / 44), 700)).save(tmp_path / "cut.png")
    jpeg = io.BytesIO()
    page.save(jpeg, "JPEG", quality=95)
    (tmp_path / "early.jpg").write_bytes(jpeg.getvalue()[: len(jpeg.getvalue()) // 3])
    entries = [
        {"image": "page.png", "mrz": list(ZONE)},
        {"image": "visa.png", "mrz": list(VISA)},
        {"image": "cut.png", "mrz": list(VISA)},
        {"image": "two.png"},
        {"image": "early.jpg"},
        {"image": noise(tmp_path, "a.png"), "negative": True},
    ]
    output = tmp_path / "predictions.jsonl"
    assert main([str(manifest(tmp_path, entries)), "--predictions", str(output)]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["accepted"] for row in rows] == [True, True, False, False, False, False]
    assert [row["reason"] for row in rows[2:5]] == ["cut_off", "several_documents", "truncated"]
    assert [tuple(row["lines"]) for row in rows[:2]] == [ZONE, VISA]
    assert (result["exact"], result["valid_but_wrong"], result["false_reads"]) == (2, 0, 0)
    assert result["engine"] == "corridor"
    issue = (
        "images accepted exact valid_but_wrong valid_but_wrong_ci false_reads cpu_s_median cpu_s_p95 wall_s_median"
    )
    assert set(f"{issue} wall_s_p95 peak_mb by_format by_rung".split()) <= set(result)


class Sharp:
    """Reads what is in the manifest, unless the picture has been made darker than a page is."""

    detail = "sharp"

    def read(self, data: bytes) -> Reading:
        picture = decode_image(data)
        assert isinstance(picture, Picture)
        dark = picture.frame.mean() < 60
        return Reading(not dark, () if dark else ZONE, "too_dark" if dark else "ok")

    def second_look(self, reading: Reading) -> SecondReading | None:
        return None

    def close(self) -> None: ...


def test_the_ladder_runs_every_rung_over_the_readable_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "tesseract", lambda today: Sharp())
    entries = [
        {"image": printed(tmp_path, "page.png", ZONE), "mrz": list(ZONE)},
        {"image": noise(tmp_path, "a.png"), "negative": True},
        {"image": "missing.png", "mrz": list(ZONE)},
    ]
    path = manifest(tmp_path, entries)
    output = tmp_path / "predictions.jsonl"
    assert main([str(path), "--engine", "tesseract", "--ladder", "--predictions", str(output)]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(result["by_rung"]) == list(RUNGS)
    for rung, group in result["by_rung"].items():
        read = int(rung != "dark")
        counts = {"images": 1, "accepted": read, "exact": read, "valid_but_wrong": 0}
        assert group == {**counts, **NOTHING_BURNT}, rung
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row.get("rung") for row in rows] == [None, None, None, *RUNGS]
    assert result["images"] == 3, "the figures above are of the pictures as they came"


def test_the_console_script_lists_its_evaluations_and_runs_one(tmp_path: Path) -> None:
    def corridor(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = Path(__file__).parents[2] / "corridor.py"
        command = [sys.executable, str(script), "evaluate", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    listed, unknown = corridor(), corridor("tea")
    assert (listed.returncode, unknown.returncode) == (2, 2)
    assert "mrz" in listed.stdout
    assert "no command 'tea'" in unknown.stderr
    (tmp_path / "page.jpg").write_text("no picture")
    path = manifest(tmp_path, [{"image": "page.jpg"}])
    done = corridor("mrz", str(path), "--engine", "tesseract")
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[-1])["reasons"] == {"not_an_image": 1}


# Engines


def test_the_zone_is_found_in_a_pages_text() -> None:
    text = f"PASSPORT\n\nERIKSSON\n {ZONE[0][:20]} {ZONE[0][20:]}\n\n{ZONE[1]}\n"
    assert zone_lines(text) == ZONE
    assert zone_lines("A SENTENCE THAT IS LONG ENOUGH TO BE A LINE") == ()


def test_a_peer_without_opinion_is_believed_on_its_check_digits() -> None:
    assert keeps_its_check_digits(ZONE, TODAY)
    assert not keeps_its_check_digits((ZONE[0], ZONE[1].replace("L898902C3", "L898902C4")), TODAY)
    assert not keeps_its_check_digits((ZONE[0], ZONE[1][:43]), TODAY)
    assert not keeps_its_check_digits((), TODAY)


@pytest.mark.parametrize("engine", [PassportEyeEngine, TesseractEngine])
def test_peers_never_raise_for_a_picture(engine: Any, tmp_path: Path) -> None:
    reader = engine(TODAY)
    grey = io.BytesIO()
    Image.effect_noise((90, 60), 50).save(grey, "PNG")
    for data in (b"", b"\xff\xd8\xff", grey.getvalue()):
        reading = reader.read(data)
        assert not reading.accepted
        assert reading.reason
