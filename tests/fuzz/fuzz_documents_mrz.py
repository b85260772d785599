"""Coverage-guided fuzzing of the MRZ: `PYTHONPATH=. python tests/fuzz/fuzz_documents_mrz.py [-max_total_time=60]`.

Needs atheris, which set-up does not install; `test_fuzz_documents_mrz.py` runs the same function with hypothesis.
"""

from __future__ import annotations

import inspect
import sys
from datetime import date

import numpy as np

from contracts.checks import Check
from contracts.party import DocumentFormat
from documents.mrz import dates, parse
from documents.mrz import settle as settling

TODAY = date(2026, 11, 21)
_SHAPES = ((2, 44), (2, 36), (3, 30))


def one_input(data: bytes) -> None:
    """The parser gets the bytes as lines of text, the search as logits; neither may raise, nor pass nonsense."""
    kind, rest = data[:1], data[1:]
    if kind and kind[0] % 2:
        _settle(kind[0], rest)
        return
    lines = rest.decode("latin-1").split("\n")
    for guarded_only in (False, True):
        mrz = parse.parse_mrz(lines, TODAY, guarded_only=guarded_only)
        assert all(isinstance(check, Check) for check in mrz.checks(TODAY))
        assert mrz.document.format is mrz.format
        assert mrz.key is None or all(reading.information for reading in mrz.key.readings)
    while len(lines) < 3:
        lines.append("")
    parse.guarded_mrz(lines[0], lines[1], lines[2], TODAY, DocumentFormat.TD3)


def _settle(kind: int, data: bytes) -> None:
    lines, width = _SHAPES[kind // 2 % 3]
    sharpness = kind // 8 / 8
    logits = np.resize(np.frombuffer(data or b"\0", dtype=np.int8).astype(np.float64), (lines, width, 37))
    odds = np.exp((logits - logits.max(axis=2, keepdims=True)) * sharpness)
    settled = settling.settle(tuple(odds / odds.sum(axis=2, keepdims=True)), TODAY)
    assert [len(line) for line in settled.lines] == [width] * lines
    assert [len(line) for line in settled.confidence] == [width] * lines
    assert 0.0 <= settled.certainty <= 1.0 + 1e-9
    if settled.accepted and settled.reason == "ok":
        assert settled.mrz.verdict("number").passed


def main() -> None:
    import atheris

    for module in (dates, parse, settling):  # everything else is libraries, which would take minutes to instrument
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__:
                setattr(module, name, atheris.instrument_func(function))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
