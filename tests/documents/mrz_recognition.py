"""A recogniser that is honest about its doubts: posteriors of simulated, noisy glyphs.

Each character is a point, look-alikes lie near each other, noise moves what is seen, and the posterior is exactly
the probability of each character given what was seen. `overconfidence` above 1 makes it surer than it may be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from documents.mrz import ALPHABET

# Squared distances of characters that look alike in OCR-B; of all others it is 2.
_ALIKE = """0O.35 0D.5 0Q.5 OQ.35 OD.45 DQ.6 CG.5 1I.4 1L.5 IL.6 IT.6 1T.6 7T.7 2Z.4 5S.4 8B.4 6G.5 K<.5 C<.6 L<.7
X<.7 S<.8 <Z.8 EF.5 MN.55 UV.5 VY.6 HN.6 HM.6 PR.6 KX.6 4A.7 38.5 39.7 WM.7 UJ.8 GQ.7 BR.6 B3.7 DP.7
PF.6 1J.7 2S.9 17.6 S8.7 9G.9 6B.8 0U.7 E<.9 0G.7 CO.6"""


def _glyphs() -> NDArray[np.float64]:
    """One point per character, with the distances above as nearly as points can have them."""
    squared = np.full((37, 37), 2.0)
    np.fill_diagonal(squared, 0.0)
    for pair in _ALIKE.split():
        one, other = ALPHABET.index(pair[0]), ALPHABET.index(pair[1])
        squared[one, other] = squared[other, one] = float(pair[2:])
    centred = np.eye(37) - 1 / 37
    values, vectors = np.linalg.eigh(-0.5 * centred @ squared @ centred)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0, None)))


_GLYPHS = _glyphs()


def recognised(
    lines: Sequence[str], seed: int, noise: float, overconfidence: float = 1.0
) -> tuple[NDArray[np.float32], ...]:
    """Posteriors of these lines; `noise` 0.02 is a clean print, at 0.1 most zones have a misread letter."""
    random = np.random.default_rng(seed)
    of_page = noise * np.exp(random.normal(0, 0.25))
    posteriors = []
    for line in lines:
        count = len(line)
        spread = (
            of_page * np.exp(np.abs(random.normal(0, 0.5, count))) * np.where(random.random(count) < 0.01, 2, 1)
        )
        glyphs = _GLYPHS[[ALPHABET.index(character) for character in line]]
        seen = glyphs + random.normal(0, 1, (count, 37)) * spread[:, None]
        logits = -((seen[:, None, :] - _GLYPHS) ** 2).sum(2) / (2 * spread[:, None] ** 2) * overconfidence
        odds = np.exp(logits - logits.max(1, keepdims=True))
        posteriors.append((odds / odds.sum(1, keepdims=True)).astype(np.float32))
    return tuple(posteriors)


def printed(lines: Sequence[str], sure: float = 0.9999) -> tuple[NDArray[np.float32], ...]:
    """Posteriors that give each character `sure` and all others the rest, in equal parts."""
    posteriors = []
    for line in lines:
        one = np.full((len(line), 37), (1 - sure) / 36)
        one[np.arange(len(line)), [ALPHABET.index(character) for character in line]] = sure
        posteriors.append(one.astype(np.float32))
    return tuple(posteriors)


def doubted(
    posteriors: Sequence[NDArray[np.float32]], line: int, column: int, shares: dict[str, float]
) -> tuple[NDArray[np.float32], ...]:
    """The same, but one character's posterior is as in `shares`."""
    changed = [posterior.copy() for posterior in posteriors]
    changed[line][column] = [shares.get(character, 0.0) for character in ALPHABET]
    return tuple(changed)
