"""The reader's process: whatever kills it, no crop of a page stays behind (rule 5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np

from documents.mrz import compose_td3
from kiosk.mrz.passporteye import EFFORT_SECONDS, PREFIX, PassportEyeReader, _memory, _sweep, _until_certain


def ours() -> list[Path]:
    return list(_memory().glob(f"{PREFIX}{os.getpid()}-*"))


def test_a_reader_that_is_killed_in_the_middle_leaves_no_crop() -> None:
    reader = PassportEyeReader()
    assert reader.wait_until_ready()
    (directory,) = ours()
    assert directory.stat().st_mode & 0o077 == 0
    (directory / "crop.png").write_bytes(b"what was being read")
    noise = np.random.default_rng(1).integers(0, 255, (1200, 1800, 3), dtype=np.uint8)
    assert reader.read(noise, date(2026, 11, 21), seconds=0.0) is None, "too slow, and killed"
    assert ours() == []


def test_a_process_that_takes_nothing_in_any_more_is_killed() -> None:
    reader = PassportEyeReader()
    assert reader.wait_until_ready()
    assert reader._process is not None
    os.kill(reader._process.pid, signal.SIGSTOP)
    large = np.zeros((1200, 1800, 3), dtype=np.uint8)  # more than a pipe holds: sending it would never end
    assert reader.read(large, date(2026, 11, 21), seconds=0.0) is None
    assert ours() == []


TODAY = date(2026, 11, 21)
ZONE = compose_td3(
    number="L898902C3", issuer="UTO", surname="Eriksson", given_names="Anna Maria", nationality="UTO",
    birth_date=date(1974, 8, 12), sex="F", expiry_date=date(2032, 4, 15),
)  # fmt: skip
NOTHING = ("K" * 44, "K" * 44)


def test_what_is_certain_ends_the_search_and_comes_first() -> None:
    readings = iter([NOTHING, ZONE, NOTHING])
    assert _until_certain(readings, TODAY, lambda: 0.0) == (ZONE, NOTHING)
    assert list(readings) == [NOTHING]


def test_the_search_ends_when_it_was_long_enough() -> None:
    spent = iter([0.0, EFFORT_SECONDS / 2, EFFORT_SECONDS + 0.1])
    readings = iter([NOTHING, NOTHING, ZONE])
    assert _until_certain(readings, TODAY, lambda: next(spent)) == (NOTHING, NOTHING)
    assert list(readings) == [ZONE]


def test_what_a_dead_kiosk_left_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, living, other = (
        tmp_path / f"{PREFIX}{dead.pid}-a",
        tmp_path / f"{PREFIX}{os.getpid()}-a",
        tmp_path / "x-1",
    )
    for directory in (left, living, other):
        directory.mkdir()
        (directory / "crop.png").write_bytes(b"a page")
    _sweep(tmp_path)
    assert not left.exists()
    assert living.exists()
    assert other.exists()
