#!/bin/sh
# Mutates the evaluator of the law and runs its tests against every mutant: `make mutate-law`. A second run goes on
# where the first one stopped. Everything lies in a scratch folder, mutmut in an environment of its own there.
# Usage: tools/mutate_law.sh [FOLDER] [SECONDS]
set -eu
repository=$(cd "$(dirname "$0")/.." && pwd)
scratch=${1:-${TMPDIR:-/tmp}/corridor-mutants}
limit=${2:-0}
mkdir -p "$scratch/tests/declarations"
if [ ! -x "$scratch/venv/bin/mutmut" ]; then
  "$repository/.venv/bin/python" -m venv "$scratch/venv"
  "$scratch/venv/bin/pip" install -q mutmut==3.8.1
  # What the tests need is the repository's own environment.
  "$repository/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' \
    >"$("$scratch/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/corridor.pth"
fi
if [ ! -d "$scratch/declarations" ]; then
  cp -R "$repository/contracts" "$repository/declarations" "$scratch/"
  cp "$repository"/tests/declarations/carried_goods.py "$repository"/tests/declarations/small_packs.py \
    "$repository"/tests/declarations/conftest.py "$scratch/tests/declarations/"
  for name in evaluate excess conditions answer; do
    cp "$repository/tests/declarations/test_declarations_$name.py" "$scratch/tests/declarations/"
  done
  cat >"$scratch/pyproject.toml" <<'TOML'
[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
addopts = "-q -p no:cacheprovider -p no:xdist -p no:playwright"

[tool.mutmut]
source_paths = ["declarations"]
only_mutate = [
    "declarations/answer.py", "declarations/duty.py", "declarations/evaluate.py", "declarations/figures.py",
    "declarations/judging.py", "declarations/person.py", "declarations/pooling.py",
]
also_copy = ["contracts", "declarations"]
TOML
fi
cd "$scratch"
if [ "$limit" -gt 0 ]; then
  timeout "$limit" venv/bin/mutmut run --max-children 1 >run.log 2>&1 || true
else
  venv/bin/mutmut run >run.log 2>&1 || true
fi
venv/bin/mutmut results --all true | sed 's/.*: //' | sort | uniq -c
