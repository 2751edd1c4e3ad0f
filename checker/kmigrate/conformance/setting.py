"""A setting: one machine of a campaign, what its processes do, and what is asked of it from outside.

It is a value: the same setting and the same choices are the same run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from kmigrate.conformance.programs import CALL, PAGE, Script, machine_code
from kmigrate.impl.chip.elf import Segment
from kmigrate.impl.chip.geometry import TINY, Geometry, Torus
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.scheduler import QUANTUM_TICKS
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.faults import NetworkFault

SLICE_CYCLES = 4_000
"""Cycles of user code in one event, unless it makes a call: many, for what a done thread does is of no interest."""

TICK_CYCLES = 20_000

VARIANTS = ("hardened", "published")

PATIENCE = 24
"""Ticks after which a daemon looks after what has got no answer."""


@dataclass(frozen=True, slots=True, order=True)
class Wish:
    """A third party wishes for a move, or that it be called off (to: -1), at any moment."""

    process: int
    to: int


@dataclass(frozen=True, slots=True, order=True)
class Crash:
    """A cluster stops when so many events have happened."""

    at: int
    cluster: int


@dataclass(frozen=True, slots=True)
class Setting:
    """One machine and what is asked of it.

    variant   of the daemons: hardened or published
    clusters  compute clusters
    slaves    slave cores of each; no process has more threads
    scripts   what each process does; process p begins on cluster p
    wishes    of third parties
    crashes   clusters that stop
    faults    what goes wrong on the network, by the position of the transfer
    patience  ticks after which a daemon looks after what has got no answer
    quantum   ticks after which a thread gives way to another
    """

    variant: str = "hardened"
    clusters: int = 2
    slaves: int = 2
    scripts: tuple[Script, ...] = (Script(1),)
    patience: int = PATIENCE
    quantum: int = QUANTUM_TICKS
    wishes: tuple[Wish, ...] = ()
    crashes: tuple[Crash, ...] = ()
    faults: tuple[NetworkFault, ...] = ()

    @property
    def geometry(self) -> Geometry:
        """The tiny chip with as many clusters and cores."""
        return geometry_of(self.clusters, self.slaves)

    @property
    def timing(self) -> Timing:
        """Transfers take no time of their own: the order of events is what a campaign looks at."""
        return Timing(
            slice=SLICE_CYCLES,
            tick_cycles=TICK_CYCLES,
            message_cycles=0,
            piece_cycles=0,
            signal_cycles=0,
            patience=self.patience,
            quantum=self.quantum,
        )

    @property
    def threads(self) -> int:
        """Most threads of a process."""
        return max(1 + len(script.workers) for script in self.scripts)

    @property
    def pages(self) -> bool:
        """Whether a process takes a page."""
        return any(PAGE in script.main for script in self.scripts)

    @property
    def calls(self) -> bool:
        """Whether a thread besides the first makes remote calls."""
        return any(CALL in worker for script in self.scripts for worker in script.workers)

    @property
    def requests(self) -> int:
        """Most attempts that can be made."""
        return sum(script.requests for script in self.scripts) + len(self.wishes)


@cache
def geometry_of(clusters: int, slaves: int) -> Geometry:
    """The tiny chip with so many clusters and slave cores."""
    pages = max(TINY.kernel_pages, 6 + 2 * (slaves + 1))
    return replace(
        TINY,
        clusters=clusters,
        cores=slaves + 1,
        kernel_pages=pages,
        memory_bytes=TINY.memory_bytes + (pages - TINY.kernel_pages) * TINY.page_bytes,
        torus=Torus(columns=clusters, rows=1, io_clusters=1, io_nodes=1),
    )


@cache
def program_of(script: Script, number: int, geometry: Geometry) -> UserProgram:
    """A process's program for a geometry."""
    base = Placement.of(geometry).sections
    first = geometry.torus.first_compute
    nodes = (first + number, first + script.away)
    content = machine_code(script, nodes, number, base, geometry.user_base)
    if len(content) > geometry.user_bytes:
        raise ValueError(f"the script of process {number} is {len(content)} bytes, more than {geometry.user_bytes}")
    symbols = {
        "__OF_CLUSTER_START": base,
        "__USER_START": base,
        "__USER_END": base + geometry.user_bytes,
    }
    segment = Segment(base, content.ljust(geometry.user_bytes, b"\0"), geometry.user_bytes)
    return UserProgram(f"p{number}", base, (segment,), (), symbols, f"p{number}")
