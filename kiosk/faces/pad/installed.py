"""Which face camera was installed, kept from one start of the kiosk to the next.

The first camera that is seen is the installed one. Another one after a restart is the finding `camera_replaced`
for every traveller, until whoever maintains the kiosk accepts it (`corridor kiosk devices --accept-face-camera`).
Kept are its name (driver, card, bus, serial number) and the size of its pictures, and nothing that it saw: the
pattern of its sensor is learnt anew at each start, for an average of pictures is no thing to leave on a disk.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

NAME = "face_camera.json"


@dataclass(frozen=True)
class Known:
    """A camera by its name, and the (height, width) of its pictures."""

    device: str
    size: tuple[int, int]


_NONE = Known("", (0, 0))


class InstalledCamera:
    """The file in which the installed camera stands."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME

    def read(self) -> Known | None:
        """The installed camera; None where none is noted. A file that cannot be understood names no camera."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            return Known(str(told["device"]), (int(told["height"]), int(told["width"])))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return _NONE

    def note(self, camera: Known) -> None:
        """Take this camera as the installed one. Raises OSError."""
        told = {"device": camera.device, "height": camera.size[0], "width": camera.size[1]}
        written = self._path.with_suffix(".new")
        with written.open("w", encoding="utf-8") as out:
            out.write(json.dumps(told) + "\n")
            out.flush()
            os.fsync(out.fileno())
        written.replace(self._path)

    def forget(self) -> bool:
        """The next camera that is seen will be the installed one. Whether one was noted. Raises OSError."""
        noted = self._path.exists()
        self._path.unlink(missing_ok=True)
        return noted
