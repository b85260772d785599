#!/usr/bin/env bash
# Everything a bare Debian 12 needs, in order; each part is skipped when its inputs have not changed.
set -eu
cd "$(dirname "$0")/.."
venv=.venv
stamps=$venv/share/corridor/stamps

say() { printf '\033[1m%s\033[0m\n' "corridor set-up: $*" >&2; }

# 1. Debian packages -------------------------------------------------------------------------------------
packages=$(sed 's/#.*//' requirements/apt.txt | xargs)
missing=()
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" = 0 ]; then become=(); elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then become=(sudo)
  elif command -v sudo >/dev/null && [ -t 0 ]; then become=(sudo)
  else
    say "these Debian packages are missing, and neither root nor sudo is at hand:"
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  say "Debian packages: ${missing[*]}"
  "${become[@]}" apt-get update -qq
  "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# A part is done when the hash of its inputs is in its stamp.
fresh() { # name inputs…
  local name=$1; shift
  wanted=$(cat -- "$@" | sha256sum | cut -d' ' -f1)
  [ -f "$stamps/$name" ] && [ "$(cat "$stamps/$name")" = "$wanted" ]
}
done_with() { mkdir -p "$stamps"; echo "$wanted" > "$stamps/$1"; }

# 2. Python environment, every wheel by hash ---------------------------------------------------------------
if ! fresh python requirements/lock.txt || [ ! -x $venv/bin/python ]; then
  say "Python packages, by hash (about a minute)"
  [ -x $venv/bin/python ] || "${PYTHON:-python3}" -m venv $venv
  $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/lock.txt
  done_with python
fi
if ! fresh corridor pyproject.toml || [ ! -x $venv/bin/corridor ]; then
  $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
  done_with corridor
fi

# 3. Model weights, browser assets, fictional travellers -----------------------------------------------------
if ! fresh models tools/models.json; then
  $venv/bin/python tools/fetch_models.py
  done_with models
fi
if ! fresh web web/package-lock.json web/icons.txt tools/web_assets.py; then
  $venv/bin/python tools/web_assets.py
  done_with web
fi
$venv/bin/corridor specimens build
