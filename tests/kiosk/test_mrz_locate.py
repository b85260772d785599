"""The lines of a zone are found where they are: in what the network says, and in pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kiosk.mrz.locate import LineBand, Locator, lines_of, zones

SIDE = 640


def maps_of(lines: list[tuple[np.ndarray, float]], hidden: list[tuple[float, float]] | None = None) -> np.ndarray:
    """What a perfect network says of lines given as (points, height) in pixels; `hidden`: shares left out."""
    maps = np.zeros((4, SIDE // 4, SIDE // 4), np.float32)
    core = np.zeros((SIDE, SIDE), np.uint8)
    for points, height in lines:
        spots = [(0.0, 1.0)]
        for start, end in hidden or []:
            spots = [(0.0, start), (end, 1.0)]
        for start, end in spots:
            at = np.linspace(start, end, 60) * (len(points) - 1)
            part = np.stack([np.interp(at, np.arange(len(points)), points[:, axis]) for axis in (0, 1)], 1)
            along = np.gradient(part, axis=0)
            along /= np.linalg.norm(along, axis=1)[:, None]
            normal = np.stack([-along[:, 1], along[:, 0]], 1) * max(0.2 * height, 1.8)
            band = np.concatenate([part - normal, (part + normal)[::-1]])
            cv2.fillPoly(core, [np.round(band * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        way = points[-1] - points[0]
        way = way / np.linalg.norm(way)
        box = np.zeros((SIDE, SIDE), np.uint8)
        cv2.polylines(box, [points.astype(np.int32)], False, 1, int(height))
        inside = box[2::4, 2::4] > 0
        maps[1][inside], maps[2][inside], maps[3][inside] = way[0], way[1], np.log2(height / 8)
    share = np.clip(cv2.resize(core, (SIDE // 4, SIDE // 4), interpolation=cv2.INTER_AREA) / 255, 0.001, 0.999)
    maps[0] = np.log(share / (1 - share))
    return maps


def zone(angle: float, pitch: float, rows: int, count: int, bow: float = 0.0) -> list[tuple[np.ndarray, float]]:
    turn = np.radians(angle)
    along, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    run = np.linspace(-0.5, 0.5, 25)
    lines = []
    for row in range(rows):
        across = (row - (rows - 1) / 2) * 2.6 * pitch + bow * pitch * (4 * run**2 - 0.5)
        points = SIDE / 2 + run[:, None] * pitch * count * along + across[:, None] * down
        lines.append((points, 0.95 * pitch))
    return lines


@settings(max_examples=60, deadline=None)
@given(
    angle=st.floats(0, 360),
    layout=st.sampled_from([(2, 44, 12.0), (2, 44, 6.0), (3, 30, 17.0), (3, 30, 8.0), (2, 36, 10.0)]),
    bow=st.floats(-1.5, 1.5),
)
def test_a_zone_is_found_at_every_angle_and_bent(angle: float, layout: tuple[int, int, float], bow: float) -> None:
    rows, count, pitch = layout
    truth = zone(angle, pitch, rows, count, bow)
    found = zones(lines_of(maps_of(truth)))
    assert len(found) == 1
    assert len(found[0]) == rows
    for band, (points, height) in zip(found[0], truth, strict=True):
        assert np.linalg.norm(band.points[0] - points[0]) < pitch
        assert np.linalg.norm(band.points[-1] - points[-1]) < pitch
        assert np.linalg.norm(band.points[4] - points[12]) < 0.4 * height + 1
        assert band.height == pytest.approx(height, rel=0.1)
        assert band.direction > 0.8


@pytest.mark.parametrize("hidden", [(0.4, 0.5), (0.1, 0.2)])
def test_a_line_broken_by_glare_is_one_line(hidden: tuple[float, float]) -> None:
    truth = zone(10, 12, 2, 44)
    maps = maps_of(truth, [hidden])
    (found,) = zones(lines_of(maps))
    assert len(found) == 2
    assert np.linalg.norm(found[0].points[0] - truth[0][0][0]) < 12
    assert np.linalg.norm(found[0].points[-1] - truth[0][0][-1]) < 12


def test_a_line_cut_short_ends_with_its_neighbour() -> None:
    upper, lower = zone(0, 12, 2, 44)
    shortened = (lower[0][: len(lower[0]) * 3 // 4], lower[1])
    (found,) = zones(lines_of(maps_of([upper, shortened])))
    assert np.linalg.norm(found[1].points[-1] - lower[0][-1]) < 12


def test_two_documents_are_two_zones() -> None:
    left = [(points * 0.45 + [0, 40], height * 0.45) for points, height in zone(0, 14, 2, 44)]
    right = [(points * 0.45 + [330, 250], height * 0.45) for points, height in zone(0, 14, 2, 44)]
    assert [len(each) for each in zones(lines_of(maps_of(left + right)))] == [2, 2]


def test_text_as_short_as_a_word_is_no_line() -> None:
    assert lines_of(maps_of([(np.array([[100.0, 100.0], [180.0, 100.0]]), 12.0)])) == []


def test_the_way_a_zone_reads_is_decided_by_all_its_lines() -> None:
    upper, lower = (
        LineBand(np.linspace([50.0, y], [550.0, y], 9), 12.0, 0.9, sure)
        for y, sure in ((100.0, 0.9), (132.0, 0.2))
    )
    (found,) = zones([upper, lower.turned()])
    assert [band.points[0][1] for band in found] == [100.0, 132.0]
    assert all(band.along[0] > 0.99 for band in found)
    (turned,) = zones([upper.turned(), lower])
    assert [band.points[0][1] for band in turned] == [132.0, 100.0]
    assert all(band.along[0] < -0.99 for band in turned)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, (4, 24, 40), elements=st.floats(-20, 20, width=32)))
def test_whatever_the_network_says_gives_lines_or_none(maps: np.ndarray) -> None:
    for band in lines_of(maps):
        assert np.isfinite(band.points).all()
        assert band.height > 0


@pytest.fixture(scope="module")
def locator() -> Locator:
    return Locator()


@settings(max_examples=15, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=90)))
def test_noise_of_any_shape_is_an_answer(grey: np.ndarray) -> None:
    assert isinstance(Locator().locate(grey), list)


@pytest.mark.parametrize("shape", [(1, 5000), (4000, 3), (3000, 3000), (700, 20)])
def test_odd_and_large_pictures_without_a_zone_have_none(locator: Locator, shape: tuple[int, int]) -> None:
    assert locator.locate(np.full(shape, 180, np.uint8)) == []
