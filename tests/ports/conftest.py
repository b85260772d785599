"""Things that lie on the bench while the drivers are tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.simulators.bench import Bench, BenchServer


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(card=None)
    yield bench
    bench.close()


@pytest.fixture
def bench_server(bench: Bench) -> Iterator[BenchServer]:
    server = BenchServer(bench, token="a token for this test")
    yield server
    server.close()


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), np.full((240, 320, 3), 220, np.uint8))
    return path
