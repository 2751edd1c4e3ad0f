"""A setting: one machine of a campaign, what its processes do, and what is asked of it from outside.

It is a value: the same setting and the same choices are the same run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from kmigrate.conformance.settings.machinecode import Place, machine_code
from kmigrate.conformance.settings.programs import (
    CALL,
    EXIT,
    GO,
    JOIN,
    LETTER,
    LIVELY,
    PAGE,
    PIECE,
    RECEIVE,
    SHARING,
    TAKE,
    Script,
)
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

ROOMY_BYTES = 1_536
"""Of the sections of a process where what threads do together takes more room than the tiny chip has."""

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
        roomy = any(script.items & SHARING for script in self.scripts)
        return geometry_of(self.clusters, self.slaves, ROOMY_BYTES if roomy else TINY.user_bytes)

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
        """Most threads that a process can have a slot for."""
        return max(script.threads for script in self.scripts)

    @property
    def lively(self) -> bool:
        """Whether threads begin, end, or sleep until others wake them."""
        return any(script.items & LIVELY for script in self.scripts)

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

    @property
    def problem(self) -> str:
        """What the processes do that does not fit together, in words; empty if all does."""
        scripts = self.scripts
        for number, script in enumerate(scripts):
            if script.problem:
                return f"p{number}: {script.problem}"
            before = scripts[number - 1]
            for write, read in ((LETTER, RECEIVE), (PIECE, TAKE)):
                if before.count(write) != script.count(read):
                    what = f"p{number} can {read} {script.count(read)}, and {before.count(write)} come to it"
                    return f"{what}: each {write} must be read"
            if len(scripts) == 1 and PIECE in script.items:
                return f"p0: a {PIECE} goes to another process"
        return ""


WITH_EVERYTHING = Setting(
    scripts=(Script(1, (PAGE, GO, JOIN), ((CALL, EXIT),)),), wishes=(Wish(0, 1),), crashes=(Crash(0, 0),)
)
"""A setting whose model has every action that any has."""


@cache
def geometry_of(clusters: int, slaves: int, user_bytes: int = TINY.user_bytes) -> Geometry:
    """The tiny chip with so many clusters and slave cores, and so much room for the sections of a process."""
    pages = max(TINY.kernel_pages, 6 + 2 * (slaves + 1))
    more = 2 * (user_bytes - TINY.user_bytes)  # the daemon has a buffer of this size as well
    return replace(
        TINY,
        clusters=clusters,
        cores=slaves + 1,
        kernel_pages=pages,
        kernel_bytes=TINY.kernel_bytes + more,
        user_bytes=user_bytes,
        memory_bytes=TINY.memory_bytes + more + (pages - TINY.kernel_pages) * TINY.page_bytes,
        torus=Torus(columns=clusters, rows=1, io_clusters=1, io_nodes=1),
    )


@cache
def program_of(script: Script, number: int, processes: int, geometry: Geometry) -> UserProgram:
    """The program of one of so many processes, for a geometry."""
    base = Placement.of(geometry).sections
    first = geometry.torus.first_compute
    ends = first + (number - 1) % processes, first + (number + 1) % processes
    content = machine_code(
        script, number, Place(first + number, first + script.away, *ends, base, geometry.user_base)
    )
    if len(content) > geometry.user_bytes:
        raise ValueError(f"the script of process {number} is {len(content)} bytes, more than {geometry.user_bytes}")
    symbols = {
        "__OF_CLUSTER_START": base,
        "__USER_START": base,
        "__USER_END": base + geometry.user_bytes,
    }
    segment = Segment(base, content.ljust(geometry.user_bytes, b"\0"), geometry.user_bytes)
    return UserProgram(f"p{number}", base, (segment,), (), symbols, f"p{number}")
