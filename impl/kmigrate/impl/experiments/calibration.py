"""Fitting the parameters of time to down times that were measured on the real chip.

The machine is run for each measured cell, with the present parameters and with each of the fitted ones enlarged
in turn. From what that changes follows, by least squares of the relative errors, what the parameters should be.
Nothing else is known of a down time: how often each mechanism is at work in it comes from the runs.

Source: the measurements are 20 of the 119 cells of the thesis's second experiment, 20 runs each, cycles at 400 MHz
(nanvix-facts 8.3).
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np

from kmigrate.impl.experiments.measure import Load, measure
from kmigrate.impl.simulation.timing import Timing

FITTED = {"dispatch_cycles": 5_000, "passed_cycles": 500, "piece_cycles": 50_000, "tick_cycles": 1_000}
"""The parameters that are fitted, and by how much each is enlarged to see what it changes."""

Progress = Callable[[int, int], None]
"""Is told how many runs are done, of how many."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One measured cell.

    median_cycles  of the down times of all runs
    """

    threads: int
    pages: int
    runs: int
    median_cycles: int
    mean_cycles: int
    stdev_cycles: int


def measured() -> tuple[Cell, ...]:
    """The measurements that ship with the package."""
    text = files("kmigrate.impl.experiments").joinpath("data", "downtime-calibration.csv").read_text("ascii")
    return tuple(
        Cell(**{name: int(value) for name, value in row.items()}) for row in csv.DictReader(text.splitlines())
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """What the machine predicts for the measured cells.

    cells      what was measured
    predicted  down times of the machine, in cycles
    """

    timing: Timing
    cells: tuple[Cell, ...]
    predicted: tuple[int, ...]

    @property
    def errors(self) -> tuple[float, ...]:
        """Relative errors against the medians, by cell."""
        return tuple(
            cycles / cell.median_cycles - 1 for cell, cycles in zip(self.cells, self.predicted, strict=True)
        )

    @property
    def mean_error(self) -> float:
        """Mean of the absolute relative errors."""
        return sum(map(abs, self.errors)) / len(self.errors)

    @property
    def worst_error(self) -> float:
        """The largest absolute relative error."""
        return max(map(abs, self.errors))


def _silent(done: int, total: int) -> None:
    pass


def predict(timing: Timing | None = None, progress: Progress = _silent) -> Fit:
    """Run the machine for every measured cell."""
    asked, cells = timing or Timing(), measured()
    return Fit(asked, cells, tuple(_down_times(asked, cells, progress, 0, len(cells))))


def _down_times(
    timing: Timing, cells: tuple[Cell, ...], progress: Progress, before: int, total: int
) -> Iterator[int]:
    for number, cell in enumerate(cells):
        yield measure(Load(cell.threads, cell.pages), timing).cycles
        progress(before + number + 1, total)


def calibrate(timing: Timing | None = None, *, rounds: int = 2, progress: Progress = _silent) -> Fit:
    """Fit the parameters, beginning from others; what the machine then predicts.

    rounds  times that what each parameter changes is looked at anew
    """
    asked, cells = timing or Timing(), measured()
    total = len(cells) * (rounds * (1 + len(FITTED)) + 1)
    done = 0
    wanted = np.array([cell.median_cycles for cell in cells], float)
    for _ in range(rounds):
        columns = []
        base: list[int] = []
        for name, more in {"": 0, **FITTED}.items():
            tried = replace(asked, **{name: getattr(asked, name) + more}) if name else asked
            found = list(_down_times(tried, cells, progress, done, total))
            done += len(cells)
            if name:
                columns.append((np.array(found) - base) / more / wanted)
            else:
                base = found
        step, *_ = np.linalg.lstsq(np.array(columns).T, 1 - np.array(base) / wanted, rcond=None)
        asked = replace(
            asked,
            **{
                name: max(1, round(getattr(asked, name) + change))
                for name, change in zip(FITTED, step, strict=True)
            },
        )
    return Fit(asked, cells, tuple(_down_times(asked, cells, progress, done, total)))
