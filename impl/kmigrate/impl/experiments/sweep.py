"""The cells of the thesis's second and third experiments, and what both equations of the thesis say of a cell.

Source: thesis 5 (equation 5.4), 6 (equation 6.1); nanvix-facts 7.6, 8.2.
"""

from collections.abc import Iterator

from kmigrate.impl.experiments.measure import Load, Measurement, measure
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.daemons import DaemonKind

THREADS = range(1, 18)
PAGES = (0, 1, 2, 4, 8, 16, 32)
"""The measured cells: 119 of them."""

PAIRS = (1, 2, 4, 8)
"""Migrations at once; each takes two clusters."""

MOST = Load(threads=17, pages=32)
"""What moved in the third experiment."""


def cells() -> tuple[Load, ...]:
    """The loads of the second experiment, by threads, then pages."""
    return tuple(Load(threads, pages) for threads in THREADS for pages in PAGES)


def downtimes(
    loads: tuple[Load, ...], timing: Timing | None = None, daemon: DaemonKind | str = DaemonKind.PUBLISHED
) -> Iterator[Measurement]:
    """Measure each load of the second experiment."""
    for load in loads:
        yield measure(load, timing, daemon=daemon)


def parallels(timing: Timing | None = None) -> Iterator[Measurement]:
    """Measure the third experiment, for 2, 4, 8 and 16 clusters."""
    for pairs in PAIRS:
        yield measure(Load(MOST.threads, MOST.pages, pairs), timing, program="parallel")


def equation_5_4(load: Load) -> int:
    """The useful bytes that the thesis computes; the published code sends a kernel page more."""
    return 23_008 + 4_096 * (2 * load.threads + load.pages + min(load.pages, 1))


def equation_6_1(load: Load) -> float:
    """The down time that the thesis describes for up to 15 threads, in ms."""
    return 17 / 32 * load.pages + load.threads + 18
