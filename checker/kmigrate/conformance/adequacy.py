"""Adequacy: how many of the mutants campaigns catch, and how soon, driver by driver."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from kmigrate.conformance.drivers import KINDS as DRIVERS
from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.mutants import MACHINE
from kmigrate.conformance.mutation import Mutant, mutated
from kmigrate.conformance.plan import Plan
from kmigrate.conformance.run import Oracles
from kmigrate.conformance.variants import BENIGN, JUDGE
from kmigrate.conformance.work import Job, show

RUNS_EACH = 60
"""Runs that each driver is given to find one mutant."""

COMPARED = tuple(driver for driver in DRIVERS if driver != "guided")
"""Drivers that need nothing from earlier runs."""


@dataclass(frozen=True, slots=True)
class Killed:
    """What one driver did about one mutant: the runs and seconds until it found it; the signature; None: not."""

    runs: int
    seconds: float
    signature: tuple[str, ...] | None


@dataclass(slots=True)
class Trial:
    """One mutant and every driver that was tried on it."""

    mutant: Mutant
    by_driver: dict[str, Killed] = field(default_factory=dict)

    @property
    def caught(self) -> bool:
        """Whether any driver found it."""
        return any(killed.signature is not None for killed in self.by_driver.values())


@dataclass(slots=True)
class Adequacy:
    """The score.

    machines  wrong machines; all should be caught
    judges    weakened judges; `caught` means that a run that was found before is found no more
    benign    machines that are right in another way; none may be caught
    """

    machines: list[Trial] = field(default_factory=list)
    judges: list[Trial] = field(default_factory=list)
    benign: list[Trial] = field(default_factory=list)

    @property
    def missed(self) -> list[Trial]:
        """Wrong machines and weak judges that nothing noticed."""
        return [trial for trial in (*self.machines, *self.judges) if not trial.caught]

    @property
    def false_alarms(self) -> list[Trial]:
        """Machines that are right and were found wrong."""
        return [trial for trial in self.benign if trial.caught]

    @property
    def exit_code(self) -> int:
        """0 if the score is full, 3 if the gate is missed."""
        return 3 if self.missed or self.false_alarms else 0

    def as_json(self) -> dict[str, Any]:
        """As a document, without times, so that it is the same each time."""
        return {
            name: [
                {
                    "name": trial.mutant.name,
                    "part": trial.mutant.part,
                    "why": trial.mutant.why,
                    "difference": trial.mutant.difference(),
                    "caught": trial.caught,
                    "runs_to_kill": {d: k.runs if k.signature else None for d, k in trial.by_driver.items()},
                }
                for trial in trials
            ]
            for name, trials in (("machines", self.machines), ("judges", self.judges), ("benign", self.benign))
        }


@cache
def _unmutated() -> Oracles:
    """What this process has learnt of the models, which no machine mutant changes."""
    return Oracles(Plan().pair)


def try_machine(mutant: Mutant, seed: int, runs: int, first_only: bool) -> Trial:
    """Let drivers look for one mutant, run by run in turn; `first_only`: stop when the first has found it."""
    oracles = _unmutated()
    trial = Trial(mutant, {driver: Killed(0, 0.0, None) for driver in COMPARED})
    for number in range(runs):
        for driver in COMPARED:
            before = trial.by_driver[driver]
            if before.signature is not None or (first_only and trial.caught):
                continue
            job = (number, *Plan(seed=seed, drivers=(driver,)).drawn(number, []))
            started = time.process_time()
            signature = _shown(mutant, job, oracles)
            seconds = before.seconds + time.process_time() - started
            trial.by_driver[driver] = Killed(number + 1, seconds, signature)
    return trial


def _shown(mutant: Mutant, job: Job, oracles: Oracles) -> tuple[str, ...] | None:
    """What one run of a wrong machine shows; None if nothing."""
    oracles.pair.prepare(job[1])
    with mutated(mutant):
        try:
            finding = show(job, oracles).finding
        except ConformanceError as error:
            return ("error", type(error).__name__)
    return None if finding is None else finding.signature


Case = tuple[Mutant, Job, tuple[str, ...]]
"""A wrong machine, a run in which the judge finds it, and what it finds."""


def cases_of(trials: Sequence[Trial], seed: int) -> list[Case]:
    """The runs in which wrong machines were found."""
    cases: list[Case] = []
    for trial in trials:
        for driver, killed in trial.by_driver.items():
            if killed.signature is not None and killed.signature[0] != "error":
                number = killed.runs - 1
                job = (number, *Plan(seed=seed, drivers=(driver,)).drawn(number, []))
                cases.append((trial.mutant, job, killed.signature))
    return cases


def try_judge(mutant: Mutant, cases: Sequence[Case]) -> Trial:
    """Let a weakened judge look at runs that were found wrong; it is caught if it says otherwise of one."""
    trial = Trial(mutant, {"cases": Killed(len(cases), 0.0, None)})
    for place, (wrong, job, signature) in enumerate(cases):
        Plan().pair.prepare(job[1])
        with mutated(wrong), mutated(mutant):
            try:
                shown = show(job, Oracles(Plan().pair))
                said = () if shown.finding is None else shown.finding.signature
            except Exception as error:  # a judge that breaks down says something else as well
                said = ("error", type(error).__name__)
        if said != signature:
            trial.by_driver["cases"] = Killed(place + 1, 0.0, said or ("nothing",))
            break
    return trial


def adequacy(
    *,
    seed: int = 1,
    runs: int = RUNS_EACH,
    benign_runs: int | None = None,
    workers: int = 1,
    first_only: bool = False,
    machines: Sequence[Mutant] = MACHINE,
    judges: Sequence[Mutant] = JUDGE,
    benign: Sequence[Mutant] = BENIGN,
    progress: Callable[[int, int], None] | None = None,
) -> Adequacy:
    """Try every mutant.

    runs        that each driver is given
    benign_runs that each is given to find fault with a benign variant; None: as many
    first_only  stop at the first driver that finds a mutant; otherwise all are compared
    progress    told (mutants done, mutants in all)
    """
    found = Adequacy()
    total = len(machines) + len(judges) + len(benign)
    with ProcessPoolExecutor(workers) as pool:
        fewer = runs if benign_runs is None else benign_runs
        for trials, mutants, most in ((found.machines, machines, runs), (found.benign, benign, fewer)):
            many = partial(try_machine, seed=seed, runs=most, first_only=first_only)
            for trial in pool.map(many, mutants):
                trials.append(trial)
                if progress is not None:
                    progress(len(found.machines) + len(found.benign), total)
        cases = cases_of(found.machines, seed)
        found.judges += pool.map(partial(try_judge, cases=cases), judges)
    return found
