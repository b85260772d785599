"""Finding JPEG images in a stream, whole and broken."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.camera.jpeg import JpegSplitter, end_of_jpeg, split_jpegs


def _jpeg(seed: int, *, progressive: bool = False, shape: tuple[int, int] = (48, 64)) -> bytes:
    image = np.random.default_rng(seed).integers(0, 255, (*shape, 3), np.uint8)
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive), cv2.IMWRITE_JPEG_RST_INTERVAL, 2]
    return cv2.imencode(".jpg", image, options)[1].tobytes()


def _with_thumbnail(jpeg: bytes, thumbnail: bytes) -> bytes:
    """The image with another one inside its APP1 segment, as cameras write it."""
    segment = b"Exif\0\0" + thumbnail
    return jpeg[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + jpeg[2:]


IMAGES = [_jpeg(1), _jpeg(2, progressive=True), _with_thumbnail(_jpeg(3), _jpeg(4, shape=(32, 32)))]


@given(
    cuts=st.lists(st.integers(1, 5000), max_size=12),
    between=st.lists(st.binary(max_size=60).filter(lambda noise: b"\xff" not in noise), min_size=4, max_size=4),
)
@settings(deadline=None, max_examples=60)
def test_images_come_out_whole_however_the_bytes_arrive(cuts: list[int], between: list[bytes]) -> None:
    data = between[0] + b"".join(image + noise for image, noise in zip(IMAGES, between[1:], strict=True))
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    splitter = JpegSplitter()
    found = [image for start, end in itertools.pairwise(edges) for image in splitter.feed(data[start:end])]
    assert found == IMAGES


@given(
    noise=st.binary(max_size=400),
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
)
@settings(deadline=None, max_examples=150)
def test_broken_bytes_never_raise(noise: bytes, flips: list[tuple[int, int]]) -> None:
    data = bytearray(IMAGES[0] + noise + b"\xff\xd8\xff" + noise + IMAGES[1])
    for place, value in flips:
        data[place % len(data)] = value
    split_jpegs(bytes(data))


def test_a_good_image_after_a_broken_one_is_found() -> None:
    broken = IMAGES[0][: len(IMAGES[0]) // 2]
    assert split_jpegs(b"\xff\xd8\xff\x00rubbish" + broken[:20] + IMAGES[1])[-1] == IMAGES[1]


@pytest.mark.parametrize(("height", "width"), [(65_000, 65_000), (8, 8), (0, 640)])
def test_an_image_of_no_sane_size_is_refused_before_it_is_decoded(height: int, width: int) -> None:
    frame_header = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + bytes(10)
    with pytest.raises(ValueError, match="size"):
        end_of_jpeg(b"\xff\xd8" + frame_header + b"\xff\xd9", 0)
