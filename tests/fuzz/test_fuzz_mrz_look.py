"""Whatever lies on the glass: a look and what it settles to, never an exception, never a zone out of nothing."""

from __future__ import annotations

from datetime import date

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.mrz.settle import settle
from hardware.ports import Frame
from kiosk.mrz.image import Picture, decode_image
from kiosk.mrz.read import MrzReader

TODAY = date(2026, 11, 22)
PROBLEMS = {"no_zone", "too_far", "cut_off", "blurred", "glare", "too_dark", "other_print", "several_documents"}


@pytest.fixture(scope="module")
def reader() -> MrzReader:
    return MrzReader()


@st.composite
def pictures(draw: st.DrawFn) -> Frame:
    """Noise, stripes, rows of dots and lettering of any size: what an edge filter could take for a zone."""
    sides = st.one_of(st.integers(1, 40), st.integers(41, 500))
    height, width = draw(sides), draw(sides)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["flat", "noise", "stripes", "dots", "letters"]))
    frame = np.full((height, width, 3), draw(st.integers(0, 255)), dtype=np.uint8)
    if kind == "noise":
        frame = random.integers(0, 256, frame.shape, dtype=np.uint8)
    elif kind == "stripes":
        frame[:: draw(st.integers(1, 30))] = draw(st.integers(0, 255))
    elif kind == "dots":
        frame[:: draw(st.integers(2, 20)), :: draw(st.integers(2, 20))] = draw(st.integers(0, 255))
    elif kind == "letters":
        for line in range(draw(st.integers(1, 4))):
            text = "".join(random.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"), 44))
            place = (5, 20 + line * draw(st.integers(8, 40)))
            cv2.putText(frame, text, place, cv2.FONT_HERSHEY_PLAIN, draw(st.floats(0.3, 2)), (0, 0, 0), 1)
    return frame


@settings(max_examples=60, deadline=None)
@given(frame=pictures())
def test_any_picture(reader: MrzReader, frame: Frame) -> None:
    look = reader.look(frame)
    assert look.problem is None or look.problem in PROBLEMS
    assert (len(look.posteriors) > 0) == (look.problem in (None, "several_documents"))
    assert len(look.corners) == len(look.posteriors)
    for line, corners in zip(look.posteriors, look.corners, strict=True):
        assert line.shape in {(30, 37), (36, 37), (44, 37)}
        assert np.allclose(line.sum(axis=1), 1, atol=1e-3)
        assert corners.shape == (4, 2)
        assert np.isfinite(corners).all()
    settled = settle(look.posteriors, TODAY)
    assert not settled.accepted, "no zone is in any of these"


@settings(max_examples=15, deadline=None)
@given(shape=st.sampled_from([(1, 4000), (4000, 1), (24, 4000), (16, 3000), (3000, 16), (40, 2500)]))
def test_extreme_shapes(reader: MrzReader, shape: tuple[int, int]) -> None:
    frame = np.random.default_rng(shape[1]).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert not settle(reader.look(frame).posteriors, TODAY).accepted


def test_a_truncated_page_is_looked_at(reader: MrzReader) -> None:
    page = np.random.default_rng(2).integers(0, 256, (300, 420, 3), dtype=np.uint8)
    done, data = cv2.imencode(".jpg", page)
    assert done
    picture = decode_image(data.tobytes()[: len(data) // 2])
    assert isinstance(picture, Picture)
    assert reader.look(picture.frame).problem in PROBLEMS
