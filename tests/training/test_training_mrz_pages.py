"""Synthetic pages: the same from the same seed, held back from training, with every character where they say."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.party import DocumentFormat
from documents.mrz import parse_mrz
from training.mrz_locator import targets
from training.mrz_pages import HELD_BACK_SHARE, SIZES, Pool, page, write


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool(held_back=True, textures=4, backgrounds=3)


def test_a_page_is_the_same_from_the_same_seed(pool: Pool) -> None:
    first, second = (page(3, 17, pool, held_back=True) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert [line.text for line in first.lines] == [line.text for line in second.lines]
    assert not np.array_equal(first.image, page(3, 18, pool, held_back=True).image)


def test_templates_are_either_trained_on_or_held_back(pool: Pool) -> None:
    trained = {page(3, index, pool).template % HELD_BACK_SHARE for index in range(6)}
    held = {page(3, index, pool, held_back=True).template % HELD_BACK_SHARE for index in range(6)}
    assert held == {0}
    assert 0 not in trained


@pytest.mark.parametrize("kind", list(SIZES))
def test_ink_stands_where_the_lines_are_said_to_be(pool: Pool, kind: DocumentFormat) -> None:
    darker = []
    for index in range(12):
        shown = page(5, index, pool, kind=kind, negative=False, long_side=(700, 800))
        if not shown.readable or {"glare", "dark", "binarised"} & set(shown.degradations):
            continue
        smooth = cv2.GaussianBlur(shown.image, (0, 0), 1).astype(np.float32)
        for line in shown.zones[0]:
            steps = np.linspace(0.02, 0.98, 400) * (len(line.centre) - 1)

            def tone(share: float, line=line, steps=steps, smooth=smooth) -> float:
                edge = line.top + (line.bottom - line.top) * share
                x, y = (
                    np.interp(steps, np.arange(len(edge)), edge[:, axis]).astype(np.float32) for axis in (0, 1)
                )
                return float(cv2.remap(smooth, x[None], y[None], cv2.INTER_LINEAR).mean())

            darker.append(tone(0.5) < max(tone(-0.4), tone(1.4)))  # one side may be off the card
            assert len(line.text) == len(shown.zones[0][0].text)
    assert len(darker) >= 6
    assert np.mean(darker) > 0.9


def test_what_the_network_shall_say_lies_on_the_lines() -> None:
    top = np.stack([np.linspace(40, 280, 12), np.full(12, 100.0)], 1)
    bottom = top + np.array([0.0, 16.0])
    maps = targets(np.array([[top, bottom]]), 320, 320)
    rows, columns = np.nonzero(maps[0] > 0.5)
    assert rows.min() >= 25 and rows.max() <= 28
    assert abs(columns.min() - 10) <= 1 and abs(columns.max() - 69) <= 1
    inside = maps[5] > 0
    assert np.allclose(maps[1][inside], 1) and np.allclose(maps[2][inside], 0)
    assert np.allclose(maps[3][inside], 1)  # sixteen pixels are twice eight


def test_a_held_back_set_is_written_as_it_is_evaluated(pool: Pool, tmp_path: Path) -> None:
    write(tmp_path, 6, 4, pool)
    rows = json.loads((tmp_path / "manifest.json").read_text())
    assert sum(not row["negative"] for row in rows) == 6
    for row in rows:
        image = cv2.imread(str(tmp_path / row["image"]))
        assert image is not None and image.ndim == 3
        if not row["negative"]:
            read = parse_mrz(row["mrz"], date(2026, 11, 21))
            assert read.verdicts["number"].passed
