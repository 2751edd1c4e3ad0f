"""Adequacy: how many of the mutants campaigns catch, and how soon."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from kmigrate.conformance.campaigns.plan import HARDENED_DRIVERS, Plan
from kmigrate.conformance.campaigns.work import Job, show
from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.judging.table import Reading, Table
from kmigrate.conformance.mutations.infection import watched
from kmigrate.conformance.mutations.mutants import MACHINE
from kmigrate.conformance.mutations.mutation import Mutant, mutated
from kmigrate.conformance.mutations.variants import BENIGN, JUDGE
from kmigrate.conformance.runs.run import Oracles
from kmigrate.conformance.settings.drivers import KINDS as DRIVERS
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.machine import Machine
from kmigrate.conformance.systems.systems import PublishedSystems, Systems
from kmigrate.impl.simulation.trace import TraceEvent

RUNS_EACH = 60
"""Runs in which one mutant is looked for."""

COMPARED = tuple((driver,) for driver in DRIVERS if driver != "guided")
"""Lanes of one driver each, of those that need nothing from earlier runs."""

ONE_CAMPAIGN = (HARDENED_DRIVERS,)
"""One lane: the runs of a campaign of the same seed, but for those that need a corpus."""

MOST_IN_A_BLOCK = 16
"""Runs that are made before it is asked again who is not found yet."""

Lane = tuple[str, ...]
"""The drivers from which the runs of one sequence pick."""


def name_of(lane: Lane) -> str:
    """That of its driver, or of the whole."""
    return lane[0] if len(lane) == 1 else "campaign"


@dataclass(frozen=True, slots=True)
class Killed:
    """What one lane did about one mutant.

    runs       until it found it, or all
    signature  what was found; None: nothing
    job        the run in which it was found, None where that is not a single one
    """

    runs: int
    signature: tuple[str, ...] | None = None
    job: Job | None = None


@dataclass(slots=True)
class Trial:
    """One mutant and every lane that was tried on it.

    infected  runs, of all lanes, in which it could have made a difference, and which were therefore made
    """

    mutant: Mutant
    by_lane: dict[str, Killed] = field(default_factory=dict)
    infected: int = 0

    @property
    def caught(self) -> bool:
        """Whether any lane found it."""
        return any(killed.signature is not None for killed in self.by_lane.values())


@dataclass(slots=True)
class Adequacy:
    """The score.

    least_percent  of the wrong machines that must be caught
    machines       wrong machines
    judges         weakened judges; `caught` means that a run that was found before is found no more; all must be
    benign         machines that are right in another way; none may be caught
    """

    least_percent: float = 100.0
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
    def percent(self) -> float:
        """Wrong machines that were caught, in percent."""
        return 100.0 * sum(trial.caught for trial in self.machines) / len(self.machines) if self.machines else 100.0

    @property
    def exit_code(self) -> int:
        """0, or 3 if the gate is missed."""
        enough = self.percent >= self.least_percent and all(trial.caught for trial in self.judges)
        return 0 if enough and not self.false_alarms else 3

    def as_json(self) -> dict[str, Any]:
        """As a document, without times, so that it is the same each time."""
        trials_of = {
            name: [
                {
                    "name": trial.mutant.name,
                    "part": trial.mutant.part,
                    "why": trial.mutant.why,
                    "difference": trial.mutant.difference(),
                    "caught": trial.caught,
                    "runs_to_kill": {name: k.runs if k.signature else None for name, k in trial.by_lane.items()},
                    "killed_by": {name: k.job[2].kind for name, k in trial.by_lane.items() if k.job},
                    "infected_runs": trial.infected,
                }
                for trial in trials
            ]
            for name, trials in (("machines", self.machines), ("judges", self.judges), ("benign", self.benign))
        }
        return {"percent": round(self.percent, 1), "least_percent": self.least_percent, **trials_of}


class Deaf(Table):
    """A table to which no event says anything."""

    def candidates(self, event: TraceEvent, memory: Any) -> list[Reading]:
        """None."""
        return []


class Unjudged(PublishedSystems):
    """Machines of any variant, whatever they do: to see what a run reaches."""

    name = "unjudged"
    driven = Systems.driven

    def table(self, configuration: Setting) -> Table:
        """No event is an action."""
        return Deaf(())

    def watching(self, machine: Machine, wanted: Collection[str] | None = None) -> None:
        """Nothing is looked for."""
        return

    def at_rest(self, machine: Machine) -> None:
        """Any end will do."""
        return


@cache
def _learnt(judged: bool) -> Oracles:
    """What this process has learnt of the models, which no machine mutant changes."""
    return Oracles(Plan().pair if judged else Unjudged())


def _job(seed: int, lane: Lane, number: int) -> Job:
    return (number, *Plan(seed=seed, drivers=lane).drawn(number, []))


def _infected(job: Job, mutants: Sequence[Mutant]) -> set[str]:
    """The names of the mutants for which a run could be another one than for the machine that is right."""
    oracles = _learnt(False)
    oracles.pair.prepare(job[1])
    with watched(mutants) as names:
        finding = show(job, oracles).finding
    return set(names) if finding is None else {mutant.name for mutant in mutants}


def _first_kill(mutant: Mutant, jobs: Sequence[Job]) -> tuple[Job, tuple[str, ...]] | None:
    """The first of these runs that shows a mutant, and what it shows."""
    oracles = _learnt(True)
    for job in jobs:
        oracles.pair.prepare(job[1])
        with mutated(mutant):
            try:
                finding = show(job, oracles).finding
            except ConformanceError as error:
                return job, ("error", type(error).__name__)
        if finding is not None:
            return job, finding.signature
    return None


def _blocks(runs: int) -> Iterator[range]:
    """Run numbers, in blocks that grow: what is found soon shall cost little."""
    first = 0
    while first < runs:
        last = min(runs, first + min(max(1, first), MOST_IN_A_BLOCK))
        yield range(first, last)
        first = last


def try_machines(
    mutants: Sequence[Mutant],
    *,
    seed: int,
    runs: int,
    lanes: Sequence[Lane] = ONE_CAMPAIGN,
    pool: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Trial]:
    """Look for each mutant in the first `runs` runs of each lane, until that lane has found it.

    Only those runs are made for a mutant that it could change (`kmigrate.conformance.mutations.infection`).
    progress  told how many mutants every lane is done with
    """
    each = map if pool is None else pool.map
    trials = [Trial(mutant, {name_of(lane): Killed(runs) for lane in lanes}) for mutant in mutants]
    for numbers in _blocks(runs):
        for lane in lanes:
            name = name_of(lane)
            open_ = [trial for trial in trials if trial.by_lane[name].signature is None]
            if not open_:
                continue
            jobs = [_job(seed, lane, number) for number in numbers]
            looked_for = [trial.mutant for trial in open_]
            infected = list(each(partial(_infected, mutants=looked_for), jobs))
            own = [
                [job for job, names in zip(jobs, infected, strict=True) if mutant.name in names]
                for mutant in looked_for
            ]
            for trial, tried, kill in zip(open_, own, each(_first_kill, looked_for, own), strict=True):
                trial.infected += len(tried) if kill is None else tried.index(kill[0]) + 1
                if kill is not None:
                    trial.by_lane[name] = Killed(kill[0][0] + 1, kill[1], kill[0])
        done = sum(all(k.signature for k in trial.by_lane.values()) for trial in trials)
        if progress is not None:
            progress(done)
        if done == len(trials):
            break
    return trials


Case = tuple[Mutant, Job, tuple[str, ...]]
"""A wrong machine, a run in which the judge finds it, and what it finds."""


def cases_of(trials: Sequence[Trial]) -> list[Case]:
    """The runs in which wrong machines were found."""
    return [
        (trial.mutant, killed.job, killed.signature)
        for trial in trials
        for killed in trial.by_lane.values()
        if killed.job is not None and killed.signature is not None and killed.signature[0] != "error"
    ]


def try_judge(mutant: Mutant, cases: Sequence[Case]) -> Trial:
    """Let a weakened judge look at runs that were found wrong; it is caught if it says otherwise of one."""
    trial = Trial(mutant, {"cases": Killed(len(cases))})
    for place, (wrong, job, signature) in enumerate(cases):
        Plan().pair.prepare(job[1])
        with mutated(wrong), mutated(mutant):
            try:
                shown = show(job, Oracles(Plan().pair))
                said = () if shown.finding is None else shown.finding.signature
            except Exception as error:  # a judge that breaks down says something else as well
                said = ("error", type(error).__name__)
        if said != signature:
            trial.by_lane["cases"] = Killed(place + 1, said or ("nothing",))
            break
    return trial


def adequacy(
    *,
    seed: int = 1,
    runs: int = RUNS_EACH,
    benign_runs: int | None = None,
    workers: int = 1,
    lanes: Sequence[Lane] = ONE_CAMPAIGN,
    least_percent: float = 100.0,
    machines: Sequence[Mutant] = MACHINE,
    judges: Sequence[Mutant] = JUDGE,
    benign: Sequence[Mutant] = BENIGN,
    progress: Callable[[int, int], None] | None = None,
) -> Adequacy:
    """Try every mutant.

    runs         of each lane
    benign_runs  of each lane, to find fault with a benign variant; None: as many
    lanes        sequences of runs, each of which looks for every mutant
    least_percent  of the wrong machines that must be caught
    progress     told (mutants done, mutants in all)
    """
    found = Adequacy(least_percent)
    total = len(machines) + len(judges) + len(benign)

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, total)

    with ProcessPoolExecutor(workers) as executor:
        pool = None if workers == 1 else executor
        found.machines = try_machines(machines, seed=seed, runs=runs, lanes=lanes, pool=pool, progress=tell)
        fewer = runs if benign_runs is None else benign_runs
        found.benign = try_machines(benign, seed=seed, runs=fewer, lanes=lanes, pool=pool)
        tell(len(machines) + len(benign))
        cases = cases_of(found.machines)
        found.judges += (map if pool is None else pool.map)(partial(try_judge, cases=cases), judges)
        tell(total)
    return found
