"""The thesis's first experiment: threads are created and joined, on a kernel with the UArea and on one without it.

What is counted is the kernel's data: the loads and stores of its structures, and the misses among them in the
caches of the cores. The real chip was also asked for its branches and for misses of instructions; a kernel in
Python has neither, and time does not depend on the caches here, so those parts of figure 14 are not simulated. The
timer's ageing of the running threads is not counted either.

Source: thesis 4.3.2, 5, 6 (figure 14).
"""

from dataclasses import dataclass

from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.experiments.meter import Counts, Meter, ObservedSram, Region
from kmigrate.impl.kernel.placement import thread_slots
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.process import Phase

ROUNDS = 100
"""Times that all threads are created and joined, as in the thesis."""

LIMIT = 40_000_000_000
"""Cycles after which the experiment is given up."""


@dataclass(frozen=True, slots=True)
class Stress:
    """What creating and joining all threads has cost one kernel.

    uarea     whether the kernel has the UArea
    rounds    times that all threads were created and joined
    threads   created and joined in a round
    counts    loads and stores of words of kernel data and the misses among them, in all rounds, by region
    cycles    from the start of the program to its end
    """

    uarea: bool
    rounds: int
    threads: int
    counts: dict[Region, Counts]
    cycles: int

    @property
    def accesses(self) -> int:
        """Loads and stores of all regions."""
        return sum(counts.loads + counts.stores for counts in self.counts.values())

    @property
    def misses(self) -> int:
        """Those that the data caches missed."""
        return sum(counts.load_misses + counts.store_misses for counts in self.counts.values())


def stress(*, uarea: bool, rounds: int = ROUNDS, timing: Timing | None = None) -> Stress:
    """Run the experiment on one kernel.

    Raises  ClusterCrashed, NothingHappens, OutOfTime
    """
    system = Machine(timing=timing, uarea=uarea, exact=True, memory=ObservedSram)
    process = system.spawn("stress", 0, rounds)
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "the program runs", limit=LIMIT)
    meter, begun = Meter(system.cluster(0)), system.now
    value = system.wait(process, limit=LIMIT)
    assert value == 0, f"the program says that {value} went wrong"
    return Stress(uarea, rounds, thread_slots(MPPA256) - 1, meter.counts, system.now - begun)
