#!/bin/sh
# Mutates the evaluator of the law and runs its tests against every mutant: `make mutate-law`. A second run goes on
# where the first one stopped. Everything lies in a scratch folder, mutmut in an environment of its own there.
# Usage: tools/mutate_law.sh [FOLDER] [--seconds N] [--again] [--show [MUTANT …]]
set -eu
repository=$(cd "$(dirname "$0")/.." && pwd)
scratch=${1:-${TMPDIR:-/tmp}/corridor-mutants}
[ $# -eq 0 ] || shift
mkdir -p "$scratch"
if [ ! -x "$scratch/venv/bin/mutmut" ]; then
  "$repository/.venv/bin/python" -m venv "$scratch/venv"
  "$scratch/venv/bin/pip" install -q mutmut==3.8.1
  # What the tests need is the repository's own environment.
  "$repository/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' \
    >"$("$scratch/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/corridor.pth"
fi
exec nice -n 19 "$scratch/venv/bin/python" "$repository/tools/mutate_law.py" "$scratch" "$@"
