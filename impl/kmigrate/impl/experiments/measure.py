"""One run of an experiment: processes move, and the clock of the I/O cluster says how long that took.

Nothing here computes a down time. The programs are those of the thesis; node 0 reads its clock between two barriers
and keeps the difference in a variable, which is read when its program has ended.

Source: thesis 5; nanvix-facts 8.1.
"""

from dataclasses import dataclass, replace

from kmigrate.impl.chip.geometry import MPPA256, PIECE_BYTES, Geometry
from kmigrate.impl.experiments.machine import Received, received
from kmigrate.impl.image.decoder import DIGEST_BYTES
from kmigrate.impl.programs.catalogue import experiment_argument
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.parts import IO
from kmigrate.impl.system.process import Phase

SETTLED = 200_000
"""Cycles after the start of the programs at which all of them have made their syncs."""

SLICE = 25_000
"""Cycles that a spinning thread runs in one event: longer than elsewhere, since nothing else happens meanwhile."""

APART = Received(PIECE_BYTES + DIGEST_BYTES, 2)
"""What a portal reads of a hardened image besides the process: its size is not known before the manifest is."""

LIMIT = 4_000_000_000
"""Cycles after which an experiment is given up: ten seconds."""


@dataclass(frozen=True, slots=True)
class Load:
    """What moves.

    threads  of each process, the first included: 1..17
    pages    of each process: 0..32
    pairs    migrations at once: 1..8
    calls    further remote calls of the first thread between the barriers
    """

    threads: int = 1
    pages: int = 0
    pairs: int = 1
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured.

    cycles    down time, by the clock of the I/O cluster
    received  what came of the process through the portals, by pair
    apart     what came besides, by pair: of a hardened image the manifest, read as a whole piece, and the digest
    messages  mailbox messages of the whole machine while the time was taken and until all was over
    """

    load: Load
    cycles: int
    received: tuple[Received, ...]
    apart: Received
    messages: int


def measure(
    load: Load,
    timing: Timing | None = None,
    *,
    program: str = "threads",
    geometry: Geometry = MPPA256,
    daemon: DaemonKind | str = DaemonKind.PUBLISHED,
) -> Measurement:
    """Run an experiment once.

    program  "threads": `done` is set before the last barrier; "parallel": after it
    daemon   with hardened ones nothing goes on where a process has left, and nothing is replaced
    Raises   BadArgument, ClusterCrashed, NothingHappens, OutOfTime
    """
    clusters = 2 * load.pairs
    kind = DaemonKind.of(daemon)
    system = Machine(geometry, timing=replace(timing or Timing(), slice=SLICE), daemon=kind)
    argument = experiment_argument(
        helpers=load.threads - 1,
        pages=load.pages,
        clusters=clusters,
        calls=load.calls,
        moved=kind is DaemonKind.HARDENED,
    )
    taking_part = [system.spawn(program, number, argument) for number in range(clusters)]
    system.run_until(
        lambda: all(system.phase(process) is Phase.RUNNING for process in taking_part),
        "the programs run",
        limit=LIMIT,
    )
    system.run(SETTLED)
    keeper = system.spawn(program, IO, argument, name="clock")
    destinations = range(load.pairs, clusters)
    messages = system.fabric.counts["mailbox_message"]
    before = [received(system, number) for number in destinations]
    system.wait(keeper, limit=LIMIT)
    apart = APART if kind is DaemonKind.HARDENED else Received(0, 0)
    came = tuple(
        received(system, number) - known - apart for number, known in zip(destinations, before, strict=True)
    )
    return Measurement(
        load, system.word(keeper, "downtime"), came, apart, system.fabric.counts["mailbox_message"] - messages
    )
