"""The card's own process: `python -m hardware.simulators.card_process HOST PORT`, orders as JSON lines on stdin.

{"insert": DIRECTORY, "fault": null, "radio": "none", "after": null} and {"remove": true}; each is answered with
one JSON line, {} or {"error": "…"}. The end of stdin is the end of the process.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from hardware.simulators.card import CardGone, PassportCard
from hardware.simulators.vpcd import CardInSlot

# The daemon looks for cards every 0.4 s, and a swap between two looks confuses it for good. No hand is as quick.
_EMPTY_FIELD_SECONDS = 0.8


class _LiftedAfter:
    """A card that is lifted after a number of command APDUs."""

    def __init__(self, card: PassportCard, apdus: int) -> None:
        self._card = card
        self._left = apdus

    def process(self, apdu: bytes) -> bytes:
        if self._left <= 0:
            raise CardGone
        self._left -= 1
        return self._card.process(apdu)

    def reset(self) -> None:
        self._card.reset()


def _insert(order: dict[str, Any], host: str, port: int) -> CardInSlot:
    card = PassportCard.from_directory(Path(order["insert"]), order.get("fault"), order.get("radio") or "none")
    after = order.get("after")
    return CardInSlot(card if after is None else _LiftedAfter(card, int(after)), host, port)


def main(arguments: list[str]) -> int:
    host, port = arguments[0], int(arguments[1])
    slot: CardInSlot | None = None
    left_at = 0.0
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, str] = {}
        if slot is not None:
            slot.remove()
            left_at = slot.left_at or time.monotonic()
            slot = None
        if "insert" in order:
            time.sleep(max(0.0, left_at + _EMPTY_FIELD_SECONDS - time.monotonic()))
            try:
                slot = _insert(order, host, port)
            except (ValueError, KeyError) as error:
                answer = {"error": f"{error}"}
            except OSError as error:
                answer = {"error": f"no virtual reader at port {port} ({type(error).__name__})"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    if slot is not None:
        slot.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
