"""Finds whole JPEG images in a stream of bytes (ITU-T T.81 annex B), without decoding them.

MJPEG over HTTP and `.mjpeg` files are both just JPEG images one after another, with or without something in
between; walking the marker segments finds where each ends, thumbnails inside notwithstanding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_JPEG_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
MIN_SIDE = 32

_SOI = b"\xff\xd8\xff"
_EOI = b"\xff\xd9"
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
# In entropy-coded data 0xFF is followed by a stuffed zero, a restart marker or a fill byte; anything else ends it.
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def end_of_jpeg(data: bytes | bytearray, start: int) -> int | None:
    """The index just behind the JPEG that begins at `start`, or None while its end has not arrived.

    Raises ValueError for what is not a JPEG, or one larger than `MAX_PIXELS` or smaller than `MIN_SIDE`.
    """
    position = start + 2
    while True:
        if position + 4 > len(data):
            return position + 2 if data[position : position + 2] == _EOI else None
        if data[position] != 0xFF:
            raise ValueError("no marker where one belongs")
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0xD9:
            return position + 2
        if marker in _STANDALONE:
            position += 2
            continue
        if marker < 0xC0 or marker == 0xD8:  # reserved, or the next image: this one was cut short
            raise ValueError("no segment of this image")
        length = int.from_bytes(data[position + 2 : position + 4])
        if length < 2:
            raise ValueError("segment without a length")
        if marker in _FRAME_HEADERS:
            if position + 9 > len(data):
                return None
            height = int.from_bytes(data[position + 5 : position + 7])
            width = int.from_bytes(data[position + 7 : position + 9])
            if min(height, width) < MIN_SIDE or height * width > MAX_PIXELS:
                raise ValueError("image size out of bounds")
        position += 2 + length
        if marker == _START_OF_SCAN:
            following = _MARKER_AFTER_SCAN.search(data, position)
            if following is None:
                return None
            position = following.start()


class JpegSplitter:
    """Collects bytes and hands out each JPEG as soon as its last byte is there. Never raises on garbage."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self.skipped = 0  # images or runs of bytes that were thrown away

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._buffer += chunk
        while True:
            start = self._buffer.find(_SOI)
            if start < 0:
                if len(self._buffer) > MAX_JPEG_BYTES:
                    self._drop(len(self._buffer) - 2)
                return
            if start:
                del self._buffer[:start]  # multipart headers
                self._searched = 0
            # A cheap look for an end marker spares walking the segments again for each chunk that arrives.
            if self._buffer.find(_EOI, self._searched) < 0:
                self._searched = max(0, len(self._buffer) - 1)
                if len(self._buffer) > MAX_JPEG_BYTES:
                    self._drop(2)
                    continue
                return
            try:
                end = end_of_jpeg(self._buffer, 0)
            except ValueError:
                self._drop(2)
                continue
            if end is None:
                self._searched = max(0, len(self._buffer) - 1)
                if len(self._buffer) > MAX_JPEG_BYTES:
                    self._drop(2)
                    continue
                return
            image = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._searched = 0
            yield image

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = 0
        self.skipped += 1


def split_jpegs(data: bytes) -> list[bytes]:
    """All whole JPEG images in `data`, in order; what is not one is passed over."""
    return list(JpegSplitter().feed(data))
