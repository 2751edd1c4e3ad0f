"""Campaigns: many judged runs from one seed, and what they found.

Runs are drawn in rounds; what a round covered for the first time guides later rounds. Failures are told apart by
their signature; the first of each is shrunk and written to a file.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from kmigrate.conformance.campaigns.findings import CampaignReport, Exhibit, Finding, Kept
from kmigrate.conformance.campaigns.plan import Plan
from kmigrate.conformance.campaigns.work import Crew, Shown, difference_elsewhere, hashes_elsewhere, show
from kmigrate.conformance.judging.denominator import Denominator
from kmigrate.conformance.parts.touring import LEAST_PERCENT, Touring, Tourist
from kmigrate.conformance.runs.run import Oracles
from kmigrate.conformance.runs.shrink import Smaller, shrink
from kmigrate.conformance.settings.drivers import TOUR, Schedule
from kmigrate.conformance.settings.runfile import RunFile
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.systems import Systems

ROUND = 16
"""Runs that are drawn at once, from the corpus as it stands before them."""

MOST_GUIDES = 256
"""Runs kept to start from; a new one takes the place of the oldest."""

ONE_IN = 100
"""One run in so many is run again elsewhere, but at least one, and at most MOST_AGAIN."""

MOST_AGAIN = 200


class Campaign:
    """One campaign under way; `report` is valid at any time, and what is needed to go on is in it.

    oracles  what earlier campaigns of the same kind have learnt of the models, if anything
    """

    def __init__(self, plan: Plan, report: CampaignReport | None = None, *, oracles: Oracles | None = None) -> None:
        self.plan = plan
        self.oracles = oracles if oracles is not None else Oracles(plan.pair, plan.planted)
        self.report = report if report is not None else CampaignReport(plan.variant, plan.seed, plan.scope)
        self._began = time.monotonic()
        self._oracles_of_tours = Oracles(Systems(exact=True))
        self._denominator: Denominator | None = None
        if plan.scope == "small":
            self._denominator = Denominator(plan.pair, plan.smallest)

    def run(
        self,
        folder: Path | None = None,
        progress: Callable[[int, int, str], None] | None = None,
        keep: Callable[[bool], None] | None = None,
    ) -> None:
        """Make runs until the plan says that it is enough, or until interrupted; then look at what failed.

        keep  is called after each round, when `report` is whole, and once more, with True, before what failed is
              looked at: also after an interruption, for who is asked to end may soon be made to
        """
        started = time.monotonic()
        report = self.report
        self._began = started - report.seconds
        report.interrupted = False
        try:
            with Crew(self.oracles, self.plan.workers) as crew:
                while not self._enough(started):
                    numbers = range(report.traces, min(report.traces + ROUND, self.plan.traces))
                    jobs = [(number, *self.plan.drawn(number, report.corpus)) for number in numbers]
                    self._count([(shown, self._seconds) for shown in crew.make(jobs)])
                    if progress is not None:
                        progress(report.traces, self.plan.traces, _so_far(report))
                    if keep is not None:
                        keep(False)
            if self.plan.tours is not None:
                self._tour(self.plan.tours, progress)
        except KeyboardInterrupt:
            report.interrupted = True
        if keep is not None and (report.interrupted or report.ahead.failing or report.ahead.hazardous):
            with _uninterrupted():
                keep(True)
        self._conclude(folder)
        report.seconds = self._seconds

    @property
    def _seconds(self) -> float:
        """For how long the campaign has been going on, what was before an interruption included."""
        return time.monotonic() - self._began

    def _tour(self, asked: Touring, progress: Callable[[int, int, str], None] | None) -> None:
        """Tour the small scope. One tour in so many, and what the judge says no to, is a run like any other."""
        report = self.report

        def say(text: str) -> None:
            if progress is not None:
                progress(report.traces, self.plan.traces, text)

        oracles = self._oracles_of_tours
        tourist = Tourist(asked, say)
        tourist.seek()
        whole = []
        for number, trail in enumerate(tourist.tours()):
            say(f"{number:,} tours")
            if number % ONE_IN == 0:
                whole.append(trail)
        jobs = [(one.setting, Schedule(TOUR, values=one.values)) for one in (*whole, *tourist.failures())]
        made = [(show((report.traces + number, *job), oracles), self._seconds) for number, job in enumerate(jobs)]
        if not report.drivers[TOUR]:  # else they were counted before an interruption
            with _uninterrupted():
                for shown, seconds in made:
                    self._take(shown, seconds)
                report.ahead.sample += [shown.kept for shown, _ in made[: len(whole)]]
        report.toured = tourist.shown
        report.summary = tourist.summary()
        report.gate_missed = (
            report.summary.percent < LEAST_PERCENT or report.summary.percent_of_reachable < asked.percent
        )

    def _enough(self, started: float) -> bool:
        plan, report = self.plan, self.report
        if report.traces >= plan.traces:
            return True
        if plan.seconds is not None and time.monotonic() - started >= plan.seconds:
            return True
        if plan.plateau is not None and report.ahead.barren >= plan.plateau:
            return True
        if plan.until_coverage is None or self._denominator is None:
            return False
        return self._denominator.summary(report.coverage).percent >= plan.until_coverage

    def _count(self, runs: list[tuple[Shown, float]]) -> None:
        """Count the runs of a round: all of them or, should the campaign be interrupted before, none."""
        with _uninterrupted():
            self._guide([shown for shown, seconds in runs if self._take(shown, seconds)])

    def _take(self, shown: Shown, seconds: float) -> bool:
        """Count one run that has ended after so many seconds; whether it covered anything new."""
        report, ahead = self.report, self.report.ahead
        report.seconds = self._seconds
        report.traces += 1
        report.events += shown.events
        report.steps += shown.steps
        report.actions.update(shown.actions)
        report.drivers[shown.driver] += 1
        report.chain = blake2b(report.chain + shown.trace_hash.encode(), digest_size=16).digest()
        new = report.coverage.add(shown.coverage) > 0
        ahead.barren = 0 if new else ahead.barren + 1
        if shown.number % ONE_IN == self.plan.seed % ONE_IN or not ahead.sample:
            ahead.sample.append(shown.kept)
        report.sightings.update(shown.hazards)
        known_hazards = {exhibit.hazard for exhibit in report.exhibits}
        for hazard in shown.hazards:
            report.seen_after.setdefault(hazard, seconds)
            if hazard not in known_hazards:
                ahead.hazardous.setdefault(hazard, shown.kept)
        if shown.finding is not None:
            signature = shown.finding.signature
            report.failures[signature] += 1
            report.found_by[shown.driver] += 1
            known = {finding.signature for finding in report.findings}
            if signature not in known:
                ahead.failing.setdefault(signature, shown.kept)
        return new

    def _guide(self, runs: list[Shown]) -> None:
        report = self.report
        report.corpus += [(run.configuration, run.values) for run in runs if run.finding is None]
        del report.corpus[:-MOST_GUIDES]

    def _conclude(self, folder: Path | None) -> None:
        """Shrink what failed, sum up the coverage, make some runs again elsewhere."""
        report, ahead = self.report, self.report.ahead
        try:
            for signature, kept in sorted(ahead.failing.items(), key=lambda one: one[1].number):
                oracles = self._oracles_of_tours if kept.toured else self.oracles
                smaller = shrink(kept.configuration, kept.values, oracles, signature)
                report.findings.append(_finding(kept.number, smaller, self.plan, folder))
                del ahead.failing[signature]
            for hazard, kept in sorted(ahead.hazardous.items(), key=lambda one: int(one[0][1:])):
                report.exhibits.append(self._exhibit(hazard, kept, folder))
                del ahead.hazardous[hazard]
            report.findings.sort(key=lambda finding: finding.first)
            report.exhibits.sort(key=lambda exhibit: exhibit.number)
        except KeyboardInterrupt:
            report.interrupted = True
        self.sum_up()
        try:
            if self.plan.again and not report.interrupted:
                self._make_again()
        except KeyboardInterrupt:
            report.interrupted = True

    def _make_again(self) -> None:
        """Make the sample again elsewhere."""
        report, sample = self.report, self.report.ahead.sample[:MOST_AGAIN]
        if not sample:
            return
        elsewhere = hashes_elsewhere(self.plan, sample)
        pairs = zip(sample, elsewhere, strict=False)
        other = [kept for kept, there in pairs if kept.trace_hash != there]
        found = difference_elsewhere(self.plan, other[0]) if other else None
        report.again = len(elsewhere)
        report.nondeterministic = [kept.number for kept in other]
        report.first_difference = "" if found is None else str(found)

    def sum_up(self) -> None:
        """Say in the report what has been covered so far."""
        report, oracles = self.report, self.oracles
        oracle = oracles.of(self.plan.pair.broadest)
        tied = {instance.name for instance in oracle.model.schema.actions}
        known = {action for row in oracle.table.rows for action in row.actions} & tied - oracle.model.ruled_out()
        report.never_taken = sorted(known - set(report.actions))
        report.cells = list(self.plan.pair.matrix(self.plan.smallest))
        report.scenarios = dict(self.plan.pair.scenarios(self.plan.smallest))
        if self._denominator is not None and report.toured is None:
            report.summary = self._denominator.summary(report.coverage)
            goal = self.plan.until_coverage
            report.gate_missed = goal is not None and report.summary.percent < goal

    def _exhibit(self, hazard: str, kept: Kept, folder: Path | None) -> Exhibit:
        """A smaller run that shows a hazard."""
        smaller = shrink(kept.configuration, kept.values, self.oracles, hazard=hazard)
        sighting = next(one for one in smaller.outcome.hazards if one.hazard == hazard)
        note = f"{hazard}, {sighting.title}: {sighting.where}; found in run {kept.number} of seed {self.plan.seed}"
        name = f"{self.plan.variant}-{hazard.lower()}"
        file = None if folder is None else _saved(folder, name, smaller, note, self.plan.mutant)
        return Exhibit(
            hazard,
            sighting.title,
            kept.number,
            sighting.where,
            sighting.step,
            file,
            smaller.deviations,
            smaller.items,
        )


def _so_far(report: CampaignReport) -> str:
    """What has been found, in a line."""
    found = f"{len(report.coverage.edges):,} edges, {len(report.failures)} ways to fail"
    if not report.seen_after:
        return found
    last = max(report.seen_after, key=lambda hazard: report.seen_after[hazard])
    return f"{found}, {len(report.seen_after)} hazards, the last {last} after {report.seen_after[last]:.0f} s"


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and a kill wait until all of this is done."""
    waiting = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)


def campaign(
    *,
    variant: str = "hardened",
    traces: int,
    seed: int,
    folder: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    workers: int = 1,
    oracles: Oracles | None = None,
) -> CampaignReport:
    """Run `traces` judged runs.

    folder    where the files of failures are written; None writes none
    progress  told (runs done, runs in all, what was found) after each round
    oracles   what earlier campaigns of this variant have learnt of the models
    """
    made = Campaign(Plan(variant, seed, traces, workers=workers), oracles=oracles)
    made.run(folder, progress)
    return made.report


def _finding(number: int, smaller: Smaller, plan: Plan, folder: Path | None) -> Finding:
    outcome = smaller.outcome
    assert outcome.finding is not None
    name = "-".join((smaller.configuration.variant, *outcome.signature)).lower().replace("_", "-")
    note = f"found in run {number} of seed {plan.seed}; {outcome.finding}"
    file = None if folder is None else _saved(folder, name, smaller, note, plan.mutant)
    return Finding(outcome.signature, number, outcome.finding, file, smaller.deviations, smaller.items, smaller)


def _saved(folder: Path, name: str, smaller: Smaller, note: str, mutant: str) -> Path:
    """Write a run to its file."""
    outcome, configuration = smaller.outcome, smaller.configuration
    assert isinstance(configuration, Setting)
    file = folder / f"{name}.run.json"
    hazards = tuple(sighting.hazard for sighting in outcome.hazards)
    RunFile(configuration, outcome.choices, outcome.signature, outcome.trace_hash, note, hazards, mutant).save(file)
    return file
