"""Several looks at one page make one reading.

A look gives, for each line of the zone, the probability of each character at each place. Looks that agree on the
zone's shape are added up; one that found another number of places is left out, because its places are not theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Posteriors = tuple[npt.NDArray[np.float32], ...]
"""One array per line, shape (places, 37); each row sums to 1."""

_FLOOR = 1e-6  # no single look may rule a character out for good


def fuse(looks: Sequence[Posteriors]) -> Posteriors:
    """One set of posteriors out of several; () when no look found a zone.

    Logarithms are added, divided by the square root of their number: frames of a page that lies still share their
    glare and their dust, so that ten of them know more than one, and far less than ten times as much. Of looks of
    different shapes the largest group counts; of two equally large ones that which was surer of itself.
    """
    shapes: dict[tuple[int, ...], list[Posteriors]] = defaultdict(list)
    for look in looks:
        if look:
            shapes[tuple(len(line) for line in look)].append(look)
    if not shapes:
        return ()
    group = max(shapes.values(), key=lambda held: (len(held), _sureness(held)))
    return tuple(_together([look[index] for look in group]) for index in range(len(group[0])))


def _together(lines: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    logarithms = np.log(np.maximum(np.stack(lines).astype(np.float64), _FLOOR)).sum(axis=0) / np.sqrt(len(lines))
    weights = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _sureness(looks: Sequence[Posteriors]) -> float:
    """The mean probability of the likeliest characters, over all lines of all looks."""
    return float(np.mean(np.concatenate([line.max(axis=1) for look in looks for line in look])))
