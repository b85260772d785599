"""Synthetic pages: the same from the same seed, held back from training, with every character where they say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.party import DocumentFormat
from documents.mrz import parse_mrz
from training.mrz_locator import targets
from training.mrz_page_lines import HIDDEN, samples
from training.mrz_pages import (
    ALPHABET,
    CENTRES,
    CONDITIONS,
    HELD_BACK_SHARE,
    SIZES,
    Page,
    Pool,
    page,
    visible,
    write,
)


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


def _clear_page(pool: Pool, kind: DocumentFormat = DocumentFormat.TD3) -> tuple[Page, Page]:
    """A page on which every character shows, and the same without the zone's ink."""
    for index in range(1, 60):
        shown = page(5, index, pool, kind=kind, negative=False, few=True, long_side=(900, 1000))
        without = page(5, index, pool, kind=kind, negative=False, few=True, long_side=(900, 1000), inkless=True)
        if shown.readable and all(all(row) for row in visible(shown, without)):
            return shown, without
    raise AssertionError("no page shows all of its zone")


def test_a_page_without_its_ink_is_otherwise_the_same(pool: Pool) -> None:
    shown, without = _clear_page(pool)
    assert shown.image.shape == without.image.shape
    assert [line.text for line in shown.lines] == [line.text for line in without.lines]
    far = np.ones(shown.image.shape, np.uint8)
    for line in shown.lines:
        edge = np.concatenate([line.top, line.bottom[::-1]]).astype(np.int32)
        cv2.fillPoly(far, [edge], 0)
    far = cv2.erode(far, np.ones((61, 61), np.uint8))
    # JPEG writes blocks of sixteen pixels; nothing else reaches that far from the zone
    assert np.count_nonzero((shown.image != without.image) & (far > 0)) == 0
    assert np.count_nonzero(shown.image != without.image) > 1000


def test_what_is_covered_is_not_visible(pool: Pool) -> None:
    shown, without = _clear_page(pool)
    line = shown.zones[0][1]
    x, y = line.centre[CENTRES // 2]
    blot = (int(x), int(y)), round(line.height)
    images = [cv2.circle(each.image.copy(), *blot, 255, -1) for each in (shown, without)]
    rows = visible(replace(shown, image=images[0]), replace(without, image=images[1]))
    assert all(rows[0][: len(line.text) // 3]) and all(rows[1][: len(line.text) // 3])
    assert not all(rows[1])
    # half of the contrast is seen, a twentieth is not
    for share, seen in ((0.5, True), (0.05, False)):
        faint = (without.image + (shown.image.astype(float) - without.image) * share).astype(np.uint8)
        assert all(all(row) for row in visible(replace(shown, image=faint), without, least=5.0)) is seen


def test_few_conditions_are_two_at_most(pool: Pool) -> None:
    seen = set()
    for index in range(40):
        names = set(page(6, index, pool, few=True, long_side=(480, 500)).degradations) & set(CONDITIONS)
        assert len(names) <= 2
        seen |= names
    assert len(seen) >= 6


def test_lines_for_the_recogniser_are_cut_with_every_character_in_its_place(pool: Pool) -> None:
    lines = [each for index in range(1, 9) for each in samples(5, index, pool)]
    assert len(lines) >= 5
    for image, found in lines:
        assert image.shape == (32, 640)
        places = np.array([place for place, _ in found])
        assert len(found) >= 20 and (np.diff(places) > 4).all()
        assert all(label < len(ALPHABET) or label == HIDDEN for _, label in found)


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
    hidden = json.loads((tmp_path / "hidden.json").read_text())
    assert all("?" in "".join(row["mrz"]) for row in hidden)
    assert not any("?" in "".join(row["mrz"] or ()) for row in rows)
    assert sum(not row["negative"] for row in rows) == 6
    for row in rows:
        image = cv2.imread(str(tmp_path / row["image"]))
        assert image is not None and image.ndim == 3
        if not row["negative"]:
            read = parse_mrz(row["mrz"], date(2026, 11, 21))
            assert read.verdicts["number"].passed
