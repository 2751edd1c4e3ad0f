"""The work of a campaign, run by run, in this process or in several.

What a run shows is a small value, so that it can travel between processes; runs are handed out in chunks and come
back in order, so that nothing depends on how many workers there are.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import zip_longest
from types import TracebackType
from typing import Any, Self

from kmigrate.conformance.campaigns.findings import Kept
from kmigrate.conformance.campaigns.plan import Plan
from kmigrate.conformance.judging.coverage import Collector, Coverage
from kmigrate.conformance.judging.judge import Judge, Nonconformance
from kmigrate.conformance.runs.run import Oracles, judged
from kmigrate.conformance.settings.drivers import TOUR, Schedule
from kmigrate.impl.simulation.choice import ChoiceList
from kmigrate.impl.simulation.trace import TraceEvent

CHUNK = 16
"""Runs handed to a worker at a time."""

LOOK_SECONDS = 0.5
"""A worker looks as often as this whether its campaign is still there."""

Job = tuple[int, Any, Schedule]
"""Number, configuration, schedule."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one run showed.

    values   its choices, the ordinary ones at the end left out
    hazards  ids of the known hazards that it shows
    """

    number: int
    configuration: Any
    driver: str
    finding: Nonconformance | None
    events: int
    steps: int
    actions: Counter[str]
    trace_hash: str
    values: tuple[int, ...]
    coverage: Coverage
    hazards: tuple[str, ...] = ()

    @property
    def kept(self) -> Kept:
        """What is needed to make it again."""
        return Kept(self.number, self.configuration, self.values, self.trace_hash, self.driver == TOUR)


def show(job: Job, oracles: Oracles) -> Shown:
    """Make one run."""
    number, configuration, schedule = job
    collector = Collector(oracles.pair, configuration)
    outcome = judged(configuration, schedule.driver(), oracles, collector)
    return Shown(
        number,
        configuration,
        schedule.kind,
        outcome.finding,
        outcome.events,
        outcome.visible,
        outcome.actions,
        outcome.trace_hash,
        tuple(choice.chosen for choice in outcome.choices),
        collector.coverage,
        tuple(sighting.hazard for sighting in outcome.hazards),
    )


class Crew:
    """Makes runs, in this process if there is one worker. Use it as a context manager."""

    def __init__(self, oracles: Oracles, workers: int) -> None:
        self.oracles = oracles
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._workers > 1:
            self._pool = ProcessPoolExecutor(
                self._workers, initializer=_start, initargs=(self.oracles, os.getpid())
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def make(self, jobs: Sequence[Job]) -> Iterator[Shown]:
        """Every run of the jobs, in their order."""
        if self._pool is None:
            yield from (show(job, self.oracles) for job in jobs)
            return
        chunks = [jobs[start : start + CHUNK] for start in range(0, len(jobs), CHUNK)]
        for shown in self._pool.map(_chunk, chunks):
            yield from shown


_of_this_worker: list[Oracles] = []
"""The oracles of a worker process; empty in any other."""


def _start(oracles: Oracles, campaign: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the campaign, which then lets its workers go
    threading.Thread(target=_end_with, args=(campaign,), daemon=True).start()
    _of_this_worker[:] = [Oracles(oracles.pair, oracles.mutant)]


def _end_with(campaign: int) -> None:
    """A campaign that is killed cannot let its workers go: they wait for work that never comes."""
    while os.getppid() == campaign:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


def _chunk(jobs: Sequence[Job]) -> list[Shown]:
    return [show(job, _of_this_worker[0]) for job in jobs]


# -- once more, elsewhere ----------------------------------------------------------------------------------


def hashes_elsewhere(plan: Plan, runs: Sequence[Kept]) -> list[str]:
    """The trace hashes of the same runs in a fresh process, under another hash seed."""
    answer: list[str] = _elsewhere(plan, runs, "hashes")
    return answer


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event of a run that is another one in another process.

    event  how many happened before
    here   what happens in this process; empty if the run is over
    there  what happens in the other one
    """

    number: int
    event: int
    here: str
    there: str

    def __str__(self) -> str:
        here, there = self.here or "the run is over", self.there or "the run is over"
        return f"run {self.number}, event {self.event}: here {here}; there {there}"


def difference_elsewhere(plan: Plan, run: Kept) -> Difference | None:
    """Where a run first differs in a fresh process; None if it does not."""
    here, there = lines_of(run, Oracles(plan.pair, plan.planted)), _elsewhere(plan, [run], "lines")[0]
    for event, (mine, theirs) in enumerate(zip_longest(here, there, fillvalue="")):
        if mine != theirs:
            return Difference(run.number, event, mine, theirs)
    return None


def lines_of(run: Kept, oracles: Oracles) -> list[str]:
    """Every event of a run that is right, clocks apart."""
    lines: list[str] = []

    def watcher(judge: Judge, event: TraceEvent) -> None:
        lines.append(replace(event, sequence=0).text)

    judged(run.configuration, ChoiceList(run.values), oracles, watcher)
    return lines


def _elsewhere(plan: Plan, runs: Sequence[Kept], wanted: str) -> Any:
    pair = plan.pair
    document = {
        "scope": plan.scope,
        "variant": plan.variant,
        "mutant": plan.mutant,
        "wanted": wanted,
        "runs": [{**pair.as_json(run.configuration), "values": list(run.values)} for run in runs],
    }
    here = os.environ.get("PYTHONHASHSEED", "random")
    environment = {**os.environ, "PYTHONHASHSEED": "4242" if here != "4242" else "2424"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-m", "kmigrate.conformance.campaigns.work"],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return json.loads(done.stdout)


def main() -> None:
    """Read runs from the standard input, make them, and write their trace hashes or all of their events."""
    from kmigrate.conformance.settings.runfile import setting_from_json

    document = json.load(sys.stdin)
    plan = Plan(**{name: document[name] for name in ("variant", "scope", "mutant")})
    oracles = Oracles(plan.pair, plan.planted)
    answers: list[Any] = []
    for run in document["runs"]:
        values = run.pop("values")
        configuration = setting_from_json("the standard input", run)
        if document["wanted"] == "lines":
            answers.append(lines_of(Kept(0, configuration, tuple(values), ""), oracles))
        else:
            answers.append(judged(configuration, ChoiceList(values), oracles).trace_hash)
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
