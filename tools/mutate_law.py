"""Mutates the evaluator of the law and runs its tests against every mutant: `make mutate-law`.

mutmut makes the mutants; one warm process holds them all beside the originals, with pytest and every test
collected, and forks once for each mutant. Tests that reach the mutated function run, cheap and deadly ones first,
until one fails. What was found is kept in `results.json`: a second run goes on, and after a change only changed
functions start anew.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import gc
import json
import os
import resource
import shutil
import sys
import time
import types
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
MUTATED = ("answer", "duty", "evaluate", "figures", "judging", "person", "pooling")
# Examples and boundaries; properties and the second reading take too long to meet every mutant.
TESTS = (
    "test_declarations_answer",
    "test_declarations_bad_input",
    "test_declarations_conditions",
    "test_declarations_elsewhere",
    "test_declarations_evaluate",
    "test_declarations_excess",
    "test_declarations_merge",
    "test_declarations_pooling",
    "test_oracle_worked_values",
    "test_worked_values",
    "test_boundaries",
    "test_second_reading",
)
# The second reading of tests/declarations/test_oracle.py, by a few declarations of each country.
SECOND_READING = """
import pytest
from test_oracle import EAEU_BY, GB, OTHERS, compare, eaeu_by, gb

READ = {"eaeu-by": (eaeu_by.judge, EAEU_BY), "gb": (gb.judge, GB), **OTHERS}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("pack", READ)
def test_a_few(pack, seed):
    compare(pack, *READ[pack], 9000 + seed, 60)
"""
MOST_SECONDS, MOST_MEMORY = 20, 4 << 30  # of processor time and of bytes, for one mutant
FAILED, SPENT = 1, 124

ORIGINAL = "_mutmut_orig"
Mutants = dict[str, Callable[..., Any]]


class Stage:
    """Which function plays under its name: the original, or one mutant. Stands in for mutmut's own trampoline."""

    def __init__(self) -> None:
        self.sets: list[Mutants] = []
        self.playing: dict[int, Callable[..., Any]] = {}
        self.reached: set[int] | None = None  # while a test is watched

    def wrap(self, mutants: Mutants, **_: object) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        key = len(self.sets)
        self.sets.append(mutants)

        def decorate(_: Callable[..., Any]) -> Callable[..., Any]:
            def play(*args: Any, **keywords: Any) -> Any:
                if self.reached is not None:
                    self.reached.add(key)
                return self.playing.get(key, mutants[ORIGINAL])(*args, **keywords)

            return play

        return decorate

    def mutants(self) -> Iterator[tuple[int, str]]:
        for key, found in enumerate(self.sets):
            yield from ((key, name) for name in found if name != ORIGINAL)

    def original(self, key: int) -> Callable[..., Any]:
        return self.sets[key][ORIGINAL]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="scratch folder")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after that much processor time")
    parser.add_argument("--again", action="store_true", help="only the survivors, once more")
    parser.add_argument(
        "--show", nargs="*", metavar="MUTANT", help="what was changed; without names: all survivors"
    )
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    stage = Stage()
    stand_in = types.ModuleType("mutmut.mutation.trampoline")
    stand_in.wrap_in_trampoline = stage.wrap  # type: ignore[attr-defined]
    stand_in.MutantDict = dict  # type: ignore[attr-defined]
    hashes = prepare(folder)
    sys.modules[stand_in.__name__] = stand_in
    sys.path[:0] = [str(folder / "mutated"), str(folder / "mutated" / "tests" / "declarations")]
    kept = Results(folder / "results.json", hashes)
    if given.show is not None:
        show(folder, given.show or kept.named("survived"))
        return 0
    import pytest

    court = Court(stage, kept, Watched(folder / "watched.json", hashes), given.seconds, again=given.again)
    tests = [f"tests/declarations/{name}.py" for name in TESTS if Path(f"tests/declarations/{name}.py").exists()]
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:playwright", "-p", "no:randomly"]
    pytest.main([*quiet, *tests], plugins=[court])
    kept.write()
    report(kept, sum(1 for _ in stage.mutants()))
    return 0 if court.sound else 1


def prepare(folder: Path) -> dict[str, str]:
    """Copies of packages and tests, mutants in them; the hash of each mutated function by its mangled name."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    target = folder / "mutated"
    ignored = shutil.ignore_patterns("__pycache__", *(f"{name}.py" for name in MUTATED))
    for package in ("contracts", "declarations", "tests/declarations"):
        shutil.copytree(REPOSITORY / package, target / package, ignore=ignored, dirs_exist_ok=True)
    settings = "[tool.pytest.ini_options]\npythonpath = ['.']\n[tool.mutmut]\nsource_paths = ['declarations']\n"
    (target / "pyproject.toml").write_text(settings, encoding="utf-8")
    os.chdir(target)  # mutmut reads its settings there
    (target / "tests" / "declarations" / "test_second_reading.py").write_text(SECOND_READING, encoding="utf-8")
    hashes = {}
    for name in MUTATED:
        path = target / "declarations" / f"{name}.py"
        source = (REPOSITORY / "declarations" / f"{name}.py").read_text(encoding="utf-8")
        cached = folder / "made" / f"{name}-{sha256(source.encode()).hexdigest()}.py"
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            cached.write_text(mutate_file_contents(str(path), source).code, encoding="utf-8")
        code = cached.read_text(encoding="utf-8")
        if not path.exists() or path.read_text(encoding="utf-8") != code:
            path.write_text(code, encoding="utf-8")
        for mangled, text in functions_of(code):
            if mangled.endswith("__mutmut_orig"):
                hashes[f"{name}.{mangled.removesuffix('_orig')}"] = sha256(text.encode()).hexdigest()[:16]
    return hashes


def functions_of(code: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name:
            yield node.name, ast.unparse(node)


class Results:
    """What became of each mutant, in a file; of those only whose function is still the same."""

    def __init__(self, path: Path, hashes: dict[str, str]) -> None:
        self.path, self.hashes = path, hashes
        kept: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.found = {name: row for name, row in kept.items() if row[0] == self.hash_of(name)}

    def hash_of(self, name: str) -> str:
        return self.hashes.get(name[: name.rindex("_")], "")

    def note(self, name: str, verdict: str, by: str) -> None:
        self.found[name] = [self.hash_of(name), verdict, by]
        if len(self.found) % 25 == 0:
            self.write()

    def write(self) -> None:
        self.path.write_text(json.dumps(self.found), encoding="utf-8")

    def named(self, verdict: str) -> list[str]:
        return sorted(name for name, row in self.found.items() if row[1] == verdict)


class Watched:
    """What each test costs and which functions it reaches, in a file, for as long as no function has changed."""

    def __init__(self, path: Path, hashes: dict[str, str]) -> None:
        self.path, self.of = path, sha256(json.dumps(hashes).encode()).hexdigest()
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        same = kept.get("of") == self.of
        self.cost: dict[str, float] = kept["cost"] if same else {}
        self.reached: dict[str, list[int]] = kept["reached"] if same else {}

    def write(self) -> None:
        self.path.write_text(
            json.dumps({"of": self.of, "cost": self.cost, "reached": self.reached}), encoding="utf-8"
        )


class Court:
    """The pytest plugin: the tests once with the originals, then every mutant against those that reach it."""

    def __init__(self, stage: Stage, kept: Results, watched: Watched, seconds: float, *, again: bool) -> None:
        self.stage, self.kept, self.watched, self.seconds, self.again = stage, kept, watched, seconds, again
        self.cost = watched.cost
        self.reaching: dict[int, list[Any]] = {}
        self.kills: Counter[tuple[str, str]] = Counter()
        self.deadly: Counter[str] = Counter()
        for name, (_, verdict, by) in kept.found.items():
            if verdict == "killed":
                self.kills[name[: name.rindex("_")], by] += 1
                self.deadly[by] += 1
        self.sound = False

    def pytest_runtestloop(self, session: Any) -> bool:
        for item in session.items:
            if item.nodeid not in self.cost and not self.watch(item, session.items):
                print(f"{item.nodeid} fails without a mutant", file=sys.stderr)
                return True
        self.watched.write()
        self.sound = True
        for item in session.items:
            for key in self.watched.reached[item.nodeid]:
                self.reaching.setdefault(key, []).append(item)
        run(
            min(session.items, key=lambda item: (not item.nodeid.count("declarations_evaluate"), item.nodeid)),
            session.items,
        )
        gc.collect()
        gc.freeze()  # what the children share is not written to
        start, spent = time.process_time(), 0.0
        # In no order, so that a part of them is a fair sample.
        waiting = [one for one in self.stage.mutants() if self.due(self.name_of(one))]
        Random(7).shuffle(waiting)
        print(f"{len(session.items)} tests, {len(waiting)} mutants to meet them", file=sys.stderr)
        for place, (key, mutant) in enumerate(waiting):
            if spent + time.process_time() - start > self.seconds:
                break
            verdict, by, seconds = self.trial(key, mutant, session.items)
            spent += seconds
            self.kept.note(self.name_of((key, mutant)), verdict, by)
            if verdict == "survived":
                print(f"{place + 1}/{len(waiting)} {self.name_of((key, mutant))} survived", file=sys.stderr)
        return True

    def name_of(self, one: tuple[int, str]) -> str:
        return f"{self.stage.original(one[0]).__module__.rpartition('.')[2]}.{one[1]}"

    def due(self, name: str) -> bool:
        row = self.kept.found.get(name)
        return row is not None and row[1] == "survived" if self.again else row is None

    def watch(self, item: Any, items: list[Any]) -> bool:
        """Run a test with the originals; note what it costs and which functions it reaches."""
        self.stage.reached, start = set(), time.process_time()
        passed = run(item, items)
        self.cost[item.nodeid] = time.process_time() - start
        self.watched.reached[item.nodeid] = sorted(self.stage.reached)
        self.stage.reached = None
        return passed

    def trial(self, key: int, mutant: str, items: list[Any]) -> tuple[str, str, float]:
        """Verdict, the test that killed the mutant, and the seconds of processor time that it took."""
        function = self.name_of((key, mutant)).rpartition("_")[0]
        wanted = sorted(
            self.reaching.get(key, ()),
            key=lambda item: (
                -self.kills[function, item.nodeid],
                -(1 + self.deadly[item.nodeid]) / (0.01 + self.cost[item.nodeid]),
            ),
        )
        if not wanted:
            return "not reached", "", 0.0
        reading, writing = os.pipe()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        child = os.fork()
        if not child:
            self.stage.playing[key] = self.stage.sets[key][mutant]
            os.close(reading)
            os._exit(meet(wanted, items, writing))
        os.close(writing)
        with os.fdopen(reading) as pipe:
            by = pipe.read()
        _, status = os.waitpid(child, 0)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if os.WIFSIGNALED(status):
            verdict, by = "ran on", ""
        else:
            verdict = "killed" if os.WEXITSTATUS(status) == FAILED else "survived"
        if by:
            self.kills[function, by] += 1
            self.deadly[by] += 1
        return verdict, by, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def meet(wanted: Iterable[Any], items: list[Any], writing: int) -> int:
    """In the child: the tests one by one, until one fails; its name goes up the pipe."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    forget()
    for item in wanted:
        if not run(item, items):
            os.write(writing, item.nodeid.encode())
            return FAILED
    return 0


def forget() -> None:
    """Laws that tests keep were compiled by the originals."""
    for name, module in list(sys.modules.items()):
        if name.startswith("test_"):
            for kept, function in vars(module).items():
                if kept.startswith("law") and hasattr(function, "cache_clear"):
                    function.cache_clear()


def run(item: Any, items: list[Any]) -> bool:
    """Whether a test passes, without the report that pytest makes of a failure: it reads whole files of mutants.

    What the session shares stays, for a test of another file is always said to follow.
    """
    import pytest
    from _pytest.tmpdir import tmppath_result_key

    item._initrequest()
    item.stash[tmppath_result_key] = {}
    try:
        item.session._setupstate.setup(item)
        item.runtest()
    except pytest.skip.Exception:
        pass
    except BaseException:
        return False
    item.session._setupstate.teardown_exact(items[0] if item.path != items[0].path else items[-1])
    return True


def report(kept: Results, made: int) -> None:
    by_file: dict[str, Counter[str]] = {}
    for name, row in kept.found.items():
        by_file.setdefault(name.partition(".")[0], Counter())[row[1]] += 1
    total = sum(by_file.values(), Counter())
    verdicts = ("killed", "ran on", "survived", "not reached")
    print(f"{'':10}{''.join(f'{verdict:>12}' for verdict in verdicts)}")
    for file, counts in (*sorted(by_file.items()), ("all", total)):
        print(f"{file:10}{''.join(f'{counts[verdict]:12}' for verdict in verdicts)}")
    dead = total["killed"] + total["ran on"]
    share = 100 * dead / max(total.total(), 1)
    print(f"{total.total()} of {made} mutants met the tests, {share:.1f} % did not survive")
    for name in (*kept.named("survived"), *kept.named("not reached")):
        print(" ", name)


def show(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        file, _, mutant = name.partition(".")
        texts = dict(
            functions_of((folder / "mutated" / "declarations" / f"{file}.py").read_text(encoding="utf-8"))
        )
        original = mutant[: mutant.rindex("_")] + "_orig"
        lines = difflib.unified_diff(texts[original].splitlines(), texts[mutant].splitlines(), "", "", "", "", 1)
        print(f"== {name}")
        print(
            "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")) and "def " not in line)
        )


if __name__ == "__main__":
    sys.exit(main())
