"""The runtime of the networks tells nobody that it was used, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LOADED = "from kiosk.mrz.locate import Locator; Locator()"


def left_behind(tmp_path: Path, code: str) -> list[str]:
    """What a process of its own writes into its home and its folder for temporary files."""
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "CI", "GITHUB_"))}
    kept |= {"HOME": str(home), "TMPDIR": str(scratch), "XDG_CACHE_HOME": str(home / ".cache")}
    subprocess.run([sys.executable, "-c", code], env=kept, check=True, cwd=Path(__file__).parents[2])
    return sorted(each.name for each in tmp_path.rglob("*") if each.is_file())


def test_no_identifier_and_no_queue_of_messages_is_written(tmp_path: Path) -> None:
    assert left_behind(tmp_path, LOADED) == []
