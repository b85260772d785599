"""The ladder: the same picture climbs the same way every time, and each rung does what its name says."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.ports import Frame
from kiosk.mrz.image import Picture, decode_image
from kiosk.mrz.ladder import GLARE_HEIGHT, JPEG_QUALITY, RUNGS, burns_out, climb


def page(width: int = 600, height: int = 420) -> Frame:
    random = np.random.default_rng(4)
    frame = np.full((height, width, 3), 190, dtype=np.uint8)
    for row in (0.82, 0.9):
        top = round(row * height)
        for x in range(30, width - 30, 12):
            frame[top : top + 12, x : x + int(random.integers(3, 9))] = 30
    return frame


def climbed(frame: Frame, rung: str, seed: bytes = b"page") -> Frame:
    picture = decode_image(climb(frame, rung, seed))
    assert isinstance(picture, Picture)
    return picture.frame


def contrast(frame: Frame) -> float:
    return float(np.abs(np.diff(frame.astype(float), axis=1)).mean())


def test_the_rungs_are_those_of_the_issue() -> None:
    assert list(RUNGS) == [
        *("blur_1", "blur_2", "rotate_5", "rotate_15", "rotate_45", "rotate_90", "rotate_180"),
        *("perspective", "glare", "jpeg_15", "width_450", "dark", "desk"),
    ]


@pytest.mark.parametrize("rung", RUNGS)
def test_a_rung_is_the_same_every_time_and_never_changes_its_source(rung: str) -> None:
    frame = page()
    assert climb(frame, rung, b"page") == climb(frame, rung, b"page")
    assert np.array_equal(frame, page())


@pytest.mark.parametrize("rung", ["perspective", "glare", "dark", "desk"])
def test_chance_depends_on_the_picture(rung: str) -> None:
    assert climb(page(), rung, b"one") != climb(page(), rung, b"another")


@pytest.mark.parametrize("rung", RUNGS)
def test_odd_sizes_climb_too(rung: str) -> None:
    for size in ((16, 16), (17, 301), (301, 17)):
        assert climb(page(*size), rung, b"page")


def test_blur_grows() -> None:
    assert contrast(climbed(page(), "blur_2")) < contrast(climbed(page(), "blur_1")) < contrast(page())


def test_turning_keeps_all_of_the_picture() -> None:
    assert np.array_equal(np.rot90(climbed(page(), "rotate_90"), -1), page())
    assert np.array_equal(np.rot90(climbed(page(), "rotate_180"), 2), page())
    ink = (page() < 100).sum()
    for degrees in (5, 15, 45):
        turned = climbed(page(), f"rotate_{degrees}")
        assert turned.shape[0] > page().shape[0]
        assert abs(float((turned < 100).sum()) / ink - 1) < 0.25
    # a quarter turn of each pair of eighth turns goes the same way: anticlockwise
    left = climbed(page(), "rotate_45")[:, : climbed(page(), "rotate_45").shape[1] // 2]
    assert (left < 100).sum() < 0.3 * ink, "the zone at the bottom moved to the right"


def test_glare_saturates_a_tenth_of_the_width_over_the_zone_and_leaves_the_rest() -> None:
    before, after = page(), climbed(page(), "glare")
    changed = np.argwhere((after.astype(int) - before > 112).any(axis=2))
    top, bottom = changed[:, 0].min() / 420, changed[:, 0].max() / 420
    assert GLARE_HEIGHT[0] <= (top + bottom) / 2 <= 1
    assert 0.05 < np.ptp(changed[:, 1]) / 600 < 0.12
    assert after.max() == 255
    assert np.array_equal(after[:150], before[:150])


def test_dark_is_dark_and_narrow_is_narrow() -> None:
    assert climbed(page(), "dark").mean() < 0.25 * page().mean()
    assert climbed(page(), "width_450").shape == (315, 450, 3)
    assert climbed(page(300, 200), "width_450").shape == (200, 300, 3)


def test_jpeg_is_written_at_its_quality() -> None:
    data = climb(page(), "jpeg_15", b"page")
    assert data.startswith(b"\xff\xd8")
    table = data.index(b"\xff\xdb") + 5  # the first quantisation table; 16 in its first place at quality 50
    assert data[table] == round(16 * (5000 / JPEG_QUALITY) / 100)


def test_on_the_desk_the_document_takes_six_tenths_of_the_width() -> None:
    desk = climbed(page(), "desk")
    assert desk.shape[1] == 1000
    assert climbed(page(1600, 900), "desk").shape[1] == 2000


def printed(ink: int, text: str) -> tuple[Frame, list[np.ndarray]]:
    """A page whose lower quarter is full of lines, so that the lamp always meets some, and their corners."""
    frame = np.full((420, 600, 3), 190, dtype=np.uint8)
    corners = []
    for top in range(305, 410, 16):
        for place, character in enumerate(text):
            x = 30 + 12 * place
            frame[top + (8 if character == "<" else 0) : top + 12, x + 3 : x + 6] = ink
        corners.append(
            np.array(
                [(30, top), (30 + 12 * len(text), top), (30 + 12 * len(text), top + 12), (30, top + 12)], float
            )
        )
    return frame, corners


@pytest.mark.parametrize(
    ("ink", "text", "gone"),
    [
        (0, "I" * 45, False),
        (15, "I" * 45, False),
        (70, "I" * 45, True),
        (70, "<" * 45, False),
        (0, "<" * 45, False),
    ],
)
def test_characters_whose_ink_is_white_as_paper_are_burnt_out(ink: int, text: str, gone: bool) -> None:
    frame, corners = printed(ink, text)
    before = frame.copy()
    assert burns_out(frame, "glare", b"page", corners, [text] * len(corners)) is gone
    assert np.array_equal(frame, before)
    for rung in set(RUNGS) - {"glare"}:
        assert not burns_out(frame, rung, b"page", corners, [text] * len(corners))


def test_what_the_lamp_does_not_meet_is_not_burnt_out() -> None:
    frame, corners = printed(70, "I" * 45)
    meets = [burns_out(frame, "glare", b"page", [line], ["I" * 45]) for line in corners]
    assert any(meets) and not all(meets)
