"""A camera for tests of what lies on the glass: it shows given frames, each once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import ErrorCode
from hardware.ports import CapturedFrame, DeviceError, Frame, Health


@dataclass
class Film:
    """Frames one after the other, the last one for ever (or fails then)."""

    frames: Sequence[Frame]
    fails: bool = False
    name: str = "film"
    simulated: bool = True
    asked: int = 0

    def latest(self, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        self.asked += 1
        sequence = after + 1
        if self.fails and sequence >= len(self.frames):
            raise DeviceError(ErrorCode.CAMERA_NO_FRAME, "the film is over")
        return CapturedFrame(self.frames[min(sequence, len(self.frames) - 1)], sequence, time.monotonic())

    def health(self) -> Health:
        raise AssertionError("nobody asks a film for its health")

    def close(self) -> None:
        """There is nothing to close."""
