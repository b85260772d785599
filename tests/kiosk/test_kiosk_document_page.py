"""The printed page: what lies on the glass, and what its zone says. Real PassportEye on a real page image."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest

from contracts.checks import DOCUMENT_CHECKS, CheckName, Verdict
from documents.mrz import NO_MRZ, parse_mrz
from kiosk.document_page import assess, page_document
from kiosk.mrz.passporteye import PassportEyeReader

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def reader() -> Iterator[PassportEyeReader]:
    reader = PassportEyeReader()
    yield reader
    reader.close()


@pytest.mark.parametrize("shape", [(480, 640, 3), (1, 1, 3), (2, 4000, 3), (1200, 40, 3)])
def test_no_image_stops_the_reader(reader: PassportEyeReader, shape: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    for lines in reader.read(noise, TODAY):
        assert parse_mrz(lines, TODAY, guarded_only=True).key is None


def test_a_reader_that_died_is_started_again(reader: PassportEyeReader) -> None:
    blank = np.full((200, 300, 3), 255, dtype=np.uint8)
    reader.read(blank, TODAY)
    reader.close()
    assert reader.read(blank, TODAY) == ()


def test_the_glass_is_told_from_a_page() -> None:
    noise = np.random.default_rng(2).integers(0, 6, (480, 640, 3), dtype=np.uint8)
    glass = noise + np.uint8(18)
    page = glass.copy()
    page[60:420, 80:560] = 200
    page[300:400:4, 100:540:3] = 20
    assert assess(glass).problem == "no_page"
    assert assess(page).problem is None
    assert assess(page, glass).problem == "moving"
    assert assess(page // 5 + 2).problem in ("too_dark", "blurred")


def test_a_page_that_was_not_read_says_so_in_every_check() -> None:
    document = page_document(NO_MRZ, TODAY, "not_reached", "too_dark")
    assert tuple(check.name for check in document.checks) == DOCUMENT_CHECKS
    read = document.checks[0]
    assert (read.name, read.verdict, read.reason) == (CheckName.MRZ_READ, Verdict.FAILED, "too_dark")
    assert all(check.verdict is not Verdict.PASSED for check in document.checks)
