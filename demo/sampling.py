"""Finds the demonstration's fixed sampling seed: the one that draws the stories that say so, and no other.

The draw is central's (docs/architecture.md): HMAC-SHA-256 of the traveller's document under a secret seed, below
the rate. In production the seed is secret and of the day; in a demonstration it is fixed, so that a story that
tells of the random sample always comes out the same.
"""

from __future__ import annotations

import hashlib
import hmac


def draws(seed: bytes, period: str, direction: str, issuer: str, number: str, rate: float) -> bool:
    """Whether the document is in the sample. Must say the same as central's own draw; a test compares them."""
    message = "|".join((period, direction, issuer, number)).encode()
    lot = int.from_bytes(hmac.new(seed, message, hashlib.sha256).digest()[:8], "big")
    return lot / 2**64 < rate


def find_seed(wanted: dict[tuple[str, str, str], bool], period: str, rate: float, tries: int = 2_000_000) -> bytes:
    """The first 32-byte seed for which every (direction, issuer, number) is drawn as `wanted` says.

    Raises ValueError when there is none among `tries` (contradicting wishes, or a rate too low for them).
    """
    for counter in range(tries):
        seed = hashlib.sha256(b"corridor demonstration %d" % counter).digest()
        if all(draws(seed, period, *document, rate) is wish for document, wish in wanted.items()):
            return seed
    raise ValueError("no sampling seed fits the stories: fewer travellers of the random sample, or a higher rate")
