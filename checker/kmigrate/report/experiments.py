"""The page of experiments: what the machine has measured, beside the thesis, its code and the real chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, select_autoescape

CYCLES_PER_MS = 400_000

MOST_THREADS_OF_EQUATION = 15
"""Up to so many threads the thesis says that its equation 6.1 describes the down time."""

Cell = tuple[int, int]
"""Threads and pages."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What the page shows, as plain numbers.

    parameters  of the machine's time: (name, value, origin, what the measurements tell of it)
    misses      of the first experiment by region: (loads, misses with the UArea, misses without it)
    totals      accesses and misses of all regions: with the UArea, without it
    downtimes   cycles by cell
    traffic     useful bytes and pieces by cell
    measured    medians of the real chip by cell, in cycles
    equation    down time by equation 6.1 by cell, in ms
    equation_bytes  useful bytes by equation 5.4 by cell
    hardened    useful bytes and pieces of a hardened migration by cell, and what comes apart from that
    parallel    cycles by clusters
    hops        clusters through which the process of the ring came
    ring        cycles of the ring, whether it came home whole, and whether its name followed it
    """

    parameters: Sequence[tuple[str, int, str, str]]
    misses: Mapping[str, tuple[int, int, int]]
    totals: tuple[tuple[int, int], tuple[int, int]]
    downtimes: Mapping[Cell, int]
    traffic: Mapping[Cell, tuple[int, int]]
    measured: Mapping[Cell, int]
    equation: Mapping[Cell, float]
    equation_bytes: Mapping[Cell, int]
    hardened: tuple[Mapping[Cell, tuple[int, int]], tuple[int, int]]
    parallel: Mapping[int, int]
    hops: Sequence[int | None]
    ring: tuple[int, bool, bool]

    @property
    def fitted(self) -> int:
        """How many parameters are fitted."""
        return sum(origin == "fitted" for _, _, origin, _ in self.parameters)

    @property
    def errors(self) -> dict[Cell, float]:
        """The machine's relative errors in the measured cells."""
        return {cell: self.downtimes[cell] / cycles - 1 for cell, cycles in self.measured.items()}

    @property
    def mean_error(self) -> float:
        """Mean of their absolute values."""
        return sum(map(abs, self.errors.values())) / len(self.errors)

    @property
    def worst_error(self) -> float:
        """The largest absolute value."""
        return max(map(abs, self.errors.values()))

    @property
    def equation_error(self) -> float:
        """The largest absolute relative error of equation 6.1 in the measured cells of up to 15 threads."""
        return max(
            abs(self.equation[cell] * CYCLES_PER_MS / cycles - 1)
            for cell, cycles in self.measured.items()
            if cell[0] <= MOST_THREADS_OF_EQUATION
        )

    @property
    def more(self) -> str:
        """Bytes that are sent beyond equation 5.4: one number, if it is the same in all cells."""
        found = {self.traffic[cell][0] - self.equation_bytes[cell] for cell in self.traffic}
        return " or ".join(f"{number:,}" for number in sorted(found))

    @property
    def spread(self) -> float:
        """By how much the most migrations at once differ from one."""
        one, *_, most = self.parallel.values()
        return abs(most / one - 1)

    @property
    def way(self) -> str:
        """The clusters of the ring in order."""
        return " → ".join(f"c{cluster}" for cluster in self.hops)


def experiments_page(found: Findings) -> str:
    """The page as Markdown."""
    text = files("kmigrate.report").joinpath("experiments.md.jinja").read_text("utf-8")
    page = Environment(
        autoescape=select_autoescape(default_for_string=False),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return page.from_string(text).render(found=found, ms=lambda cycles: f"{cycles / CYCLES_PER_MS:.2f}")
