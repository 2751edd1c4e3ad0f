"""Our engine, SPIN and the interpreter on the same models: states, transitions, CPU time, memory.

Run it as `python benchmarks/explore.py`, with SPIN and gcc on the path; `--help` says what can be chosen. SPIN is
asked on hand-written text (`benchmarks/spin/`) and on the text that `kmigrate` exports, depth first and breadth
first (not where a text has hidden variables, which SPIN refuses to search breadth first), compiled with
`-O2 -DSAFETY -DNOREDUCE -DNOFAIR`, with a hash table and a stack of the size that the model needs; the time of
`spin -a` and gcc is told apart from that of pan. All runs of a round are interleaved; the least time of each
counts. SPIN checks no invariant, ours checks all.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPIN_TEXTS = ROOT / "benchmarks" / "spin"
sys.path[:0] = [str(ROOT / "spec"), str(ROOT / "checker")]

FLAGS = ("-O2", "-DSAFETY", "-DNOREDUCE", "-DNOFAIR", "-DMEMLIM=12000", "-w")


@dataclass(frozen=True)
class Case:
    """One model at one size."""

    name: str
    model: str
    parameters: dict[str, Any]
    written: str = ""
    """The hand-written text, if there is one, and its size."""
    size: int = 0
    states: int | None = None
    transitions: int | None = None
    """As published, or as pinned by the tests."""
    quick: bool = False


CASES = (
    Case("two-phase commit 6", "two-phase-commit", {"managers": 6}, "two_phase_commit", 6, 50816, 402305, True),
    Case("two-phase commit 8", "two-phase-commit", {"managers": 8}, "two_phase_commit", 8, 1745408, 18507777),
    Case("two-phase commit 9", "two-phase-commit", {"managers": 9}, "two_phase_commit", 9, 10340352, 123558401),
    Case("philosophers 12", "philosophers", {"philosophers": 12}, "philosophers", 12, 39202, None, True),
    Case("philosophers 16", "philosophers", {"philosophers": 16}, "philosophers", 16, 1331714),
    Case("Peterson 3", "peterson", {"processes": 3}, "peterson", 3, 12498, 33369, True),
    Case("Peterson 4", "peterson", {"processes": 4}, "peterson", 4, 1119560, 3864896),
    Case("protocol, 3 attempts", "protocol", {"clusters": 3, "processes": 2, "attempts": 3}),
)


@dataclass
class Result:
    """What one tool did with one case: its best run."""

    states: int = 0
    transitions: int = 0
    cpu_seconds: float = math.inf
    wall_seconds: float = math.inf
    peak_bytes: int = 0
    preparation_seconds: float = 0.0
    """Before the search: tracing and compiling, or spin -a and gcc; CPU time."""
    notes: dict[str, Any] = field(default_factory=dict)

    def better(self, other: Result) -> Result:
        """The faster of two."""
        return self if self.cpu_seconds <= other.cpu_seconds else other


# -- our engine, in a process of its own -----------------------------------------------------------


def make(case: Case) -> Any:
    """The model of a case."""
    from kmigrate.spec.catalogue import find

    if case.model == "philosophers":
        from kmigrate.spec.examples.philosophers import Philosophers

        return Philosophers(**case.parameters)
    return find(case.model)(**case.parameters)


def explore(case: Case, workers: int) -> Result:
    """One warm search: the machine code is ready, the table starts small."""
    from kmigrate.checker.native import program, search
    from kmigrate.spec.language.plain import initial_states
    from kmigrate.spec.language.trace import TracedModel

    began = time.process_time()
    model = make(case)
    written = program.program(TracedModel(model))
    code = search.Compiled(written, shared=workers > 1)
    code.optimise()
    initial = written.layout.array(initial_states(model))
    prepared = time.process_time() - began
    began, wall = time.process_time(), time.perf_counter()
    run = search.Search(code, workers=workers)
    run.start(initial)
    found = run.run()
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    words = written.layout.words
    kept = run.table.bytes + found.states * words * 8
    notes = {"bytes a state": round(kept / found.states, 1), "words": words, "depth": found.depth}
    return Result(found.states, sum(found.edges), cpu, wall, _peak(), prepared, notes)


def _peak() -> int:
    """The largest resident size; from /proc, for a new process may inherit its parent's otherwise."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text(encoding="utf-8"))
        if found is not None:
            return int(found.group(1)) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def ours(case: Case, workers: int) -> Result:
    """`explore` in a new process, and the CPU time of that process as a whole."""
    command = [sys.executable, __file__, "--one", case.name, "--workers", str(workers)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    result = Result(**json.loads(done.stdout))
    result.notes["process"] = round(_cpu_since(before), 2)
    return result


def _cpu_since(before: resource.struct_rusage) -> float:
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def interpreted(case: Case) -> Result:
    """The reference interpreter."""
    from kmigrate.checker import interpret

    model = make(case)
    began, wall = time.process_time(), time.perf_counter()
    found = interpret.search(model)
    spent = time.process_time() - began
    return Result(len(found.level), found.edges, spent, time.perf_counter() - wall, _peak())


# -- SPIN ---------------------------------------------------------------------------------------------


class Pan:
    """SPIN's program for one text."""

    def __init__(self, text: Path, options: tuple[str, ...], breadth: bool, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._run("spin", "-a", *options, str(text))
        self._run("gcc", *FLAGS, *(("-DBFS",) if breadth else ()), "-o", "pan", "pan.c")
        self.preparation = _cpu_since(before)
        self.options: list[str] = []

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode and command[0] != "./pan":
            raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def fit(self, states: int) -> None:
        """Give pan a hash table and a stack that suit the model, as its user would after a first run."""
        self.options = [f"-w{min(max(states.bit_length(), 16), 26)}", "-A", "-E"]
        depth = 10_000
        while "max search depth too small" in self._run("./pan", f"-m{depth}", *self.options):
            depth *= 4
        self.options.append(f"-m{depth}")

    def run(self) -> Result:
        """One search to the end."""
        before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        said = self._run("./pan", *self.options)
        cpu, wall = _cpu_since(before), time.perf_counter() - wall
        states, transitions = (round(float(self._number(said, what))) for what in ("states, stored", "transitions"))
        if "errors: 0" not in said:
            raise SystemExit(f"pan did not go to the end:\n{said}")
        memory = re.search(r"([\d.]+)\s+total actual memory usage", said)
        peak = float(memory.group(1)) * 1e6 if memory else 0.0
        return Result(states, transitions, cpu, wall, int(peak), self.preparation)

    def _number(self, said: str, what: str) -> str:
        found = re.search(rf"^\s*([\d.e+]+) {what}", said, re.MULTILINE)
        if found is None:
            raise SystemExit(f"pan did not say how many {what}:\n{said}")
        return found.group(1)


def pans(case: Case, folder: Path) -> dict[str, Pan]:
    """SPIN's programs for a case: hand-written and exported text, depth and breadth first."""
    from kmigrate.checker.export import promela
    from kmigrate.spec.language.trace import TracedModel

    exported = folder / f"{case.name.replace(' ', '_')}.pml"
    exported.write_text(promela.text(TracedModel(make(case))), encoding="utf-8")
    texts: dict[str, tuple[Path, tuple[str, ...]]] = {"exported": (exported, ())}
    if case.written:
        texts["written"] = (SPIN_TEXTS / f"{case.written}.pml", (f"-DN={case.size}",))
    return {
        f"SPIN {order}, {kind}": Pan(text, options, order == "BFS", folder / f"{case.name}-{kind}-{order}")
        for kind, (text, options) in texts.items()
        for order in ("DFS", "BFS")
        if order == "DFS" or "hidden " not in text.read_text(encoding="utf-8")
    }


# -- the comparison ---------------------------------------------------------------------------------


def compare(case: Case, arguments: argparse.Namespace, folder: Path) -> tuple[float, float] | None:
    """Run everything on one case and print a table; returns the ratios to SPIN's best and best BFS."""
    tools: dict[str, Any] = {"ours": lambda: ours(case, 1), "ours, 2 workers": lambda: ours(case, 2)}
    prepared: dict[str, Pan] = {}
    if not arguments.no_spin:
        prepared = pans(case, folder)
        expected = explore(case, 1).states
        for pan in prepared.values():
            pan.fit(expected)
        tools |= {name: pan.run for name, pan in prepared.items()}
    best: dict[str, Result] = {}
    for _ in range(arguments.rounds):
        for name, run in tools.items():
            result = run()
            best[name] = result.better(best[name]) if name in best else result
    if case.quick:
        best["interpreter"] = interpreted(case)
    print(f"\n{case.name}")
    mine = best["ours"]
    for name, result in best.items():
        _print(name, result, mine)
    _agree(case, best)
    spin = {name: result.cpu_seconds for name, result in best.items() if name.startswith("SPIN")}
    two = best["ours, 2 workers"]
    print(f"  two workers are {mine.wall_seconds / two.wall_seconds:.2f} times as fast in wall time")
    if not spin or case.quick:
        return None
    breadth = min((seconds for name, seconds in spin.items() if "BFS" in name), default=math.nan)
    whole = min(result.cpu_seconds + result.preparation_seconds for n, result in best.items() if n in spin)
    ratios = min(spin.values()) / mine.cpu_seconds, breadth / mine.cpu_seconds
    print(f"  SPIN's best takes {ratios[0]:.1f} times as long, its best BFS {ratios[1]:.1f} times; ", end="")
    print(f"end to end {whole / mine.notes['process']:.1f} times")
    return ratios


def _print(name: str, result: Result, mine: Result) -> None:
    notes = ", ".join(f"{key} {value}" for key, value in result.notes.items())
    print(
        f"  {name:<22} {result.states:>10} states {result.transitions:>11} transitions"
        f" {result.cpu_seconds:>8.3f} s CPU {result.wall_seconds:>8.3f} s wall"
        f" {result.peak_bytes / 1e6:>7.0f} MB {result.cpu_seconds / mine.cpu_seconds:>6.1f}×"
        f"  prepared in {result.preparation_seconds:.2f} s {notes}"
    )


def _agree(case: Case, best: dict[str, Result]) -> None:
    """Say where the counts differ; SPIN counts the way into the initial state as a transition."""
    mine = best["ours"]
    wrong = [f"{case.states} states are published"] if case.states not in (None, mine.states) else []
    if case.transitions not in (None, mine.transitions):
        wrong.append(f"{case.transitions} transitions are published")
    for name, result in best.items():
        extra = 1 if name.startswith("SPIN") else 0
        if result.states not in (mine.states, mine.states + extra):
            wrong.append(f"{name} counts {result.states} states")
        rounded = result.transitions // 10**7 if extra else 0  # pan prints eight digits
        if not mine.transitions - rounded <= result.transitions <= mine.transitions + 2 * extra:
            wrong.append(f"{name} counts {result.transitions} transitions")
    print("  counts agree" if not wrong else "  COUNTS DIFFER: " + "; ".join(wrong))


def main() -> None:
    """Compare on the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="parts of names of cases; all if none is given")
    parser.add_argument("--quick", action="store_true", help="small cases only, with the interpreter")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-spin", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        case = next(case for case in CASES if case.name == arguments.one)
        print(json.dumps(explore(case, arguments.workers).__dict__))
        return
    chosen = [
        case
        for case in CASES
        if (case.quick or not arguments.quick)
        and (not arguments.cases or any(part in case.name for part in arguments.cases))
    ]
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        os.environ["KMIGRATE_CACHE"] = str(Path(name) / "cache")
        for case in chosen:
            found = compare(case, arguments, Path(name))
            if found is not None:
                ratios.append(found)
    for label, column in (("best", 0), ("best BFS", 1)):
        if ratios:
            known = [pair[column] for pair in ratios if not math.isnan(pair[column])]
            mean = math.exp(sum(math.log(ratio) for ratio in known) / len(known))
            print(f"\nSPIN's {label}: geometric mean {mean:.1f}, least {min(known):.1f}")


if __name__ == "__main__":
    main()
