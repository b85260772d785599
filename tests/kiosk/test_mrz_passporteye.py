"""The reader's process: whatever kills it, no crop of a page stays behind (rule 5)."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np

from kiosk.mrz.passporteye import PREFIX, PassportEyeReader, _memory, _sweep


def ours() -> list[Path]:
    return list(_memory().glob(f"{PREFIX}{os.getpid()}-*"))


def test_a_reader_that_is_killed_in_the_middle_leaves_no_crop() -> None:
    reader = PassportEyeReader()
    assert reader.wait_until_ready()
    (directory,) = ours()
    assert directory.stat().st_mode & 0o077 == 0
    (directory / "crop.png").write_bytes(b"what was being read")
    noise = np.random.default_rng(1).integers(0, 255, (1200, 1800, 3), dtype=np.uint8)
    assert reader.read(noise, date(2026, 11, 21), seconds=0.0) == (), "too slow, and killed"
    assert ours() == []


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
