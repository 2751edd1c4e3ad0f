"""Programs as machine code on the kernels of clusters, driven by one event loop in the ordinary order."""

from __future__ import annotations

from kmigrate.impl.chip import MPPA256, Cores, Sram
from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.kernel.execution import Execution
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.machinecode import MachineCode
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.structures import BOARD
from kmigrate.impl.programs.console import console_text
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.impl.simulation.loop import Loop

QUANTUM_TICKS = 4
LIMIT = 200_000


class Node:
    """One cluster with a program in its memory."""

    def __init__(self, node: int, program: UserProgram, network: Network, loop: Loop, exact: bool) -> None:
        self.program = program
        self.memory = Sram(MPPA256.memory_bytes)
        for address, content in program.stretches:
            self.memory.write(address, content)
        placement = Placement.of(MPPA256)
        code = MachineCode(Cores(self.memory, MPPA256, exact=exact), placement)
        self.kernel = Kernel(self.memory, placement, code, node=node, quantum=QUANTUM_TICKS, network=network)
        self.main = placement.system_thread_count
        self._execution = Execution(self.kernel, loop, node)

    @property
    def ended(self) -> bool:
        return self.kernel.threads.find(self.main) is None

    @property
    def exit_value(self) -> int:
        """Of the first thread, once it has ended."""
        assert self.ended
        return self.kernel.uarea.retval(self.main)

    def word(self, symbol: str, place: int = 0) -> int:
        return self.memory.word(self.program.symbol(symbol) + 4 * place)

    @property
    def console(self) -> str:
        return console_text(self.program, self.memory)

    @property
    def only_users_are_ready(self) -> bool:
        """Whether no system thread stands in the READY queue, which moves with the process (H22)."""
        return all(thread.tid >= self.main for thread in self.kernel.uarea.ready)

    @property
    def process(self) -> tuple[tuple[int, bytes], ...]:
        """All that belongs to the process: the nine sections of a migration, (address, bytes)."""
        placement = self.kernel.placement
        pool = (MPPA256.kernel_pages - SYSTEM_KERNEL_PAGES) * MPPA256.page_bytes
        regions = (
            (placement.sections, MPPA256.user_bytes),
            (placement.field("nthreads"), placement.uarea_bytes),
            (placement.boards + BOARD.itemsize, (MPPA256.cores - 1) * BOARD.itemsize),
            (placement.directory, MPPA256.page_bytes),
            (placement.table, MPPA256.page_bytes),
            (placement.counters, MPPA256.kernel_pages * 4),
            (placement.bitmap, MPPA256.frames // 8),
            (placement.kernel_page(SYSTEM_KERNEL_PAGES), pool),
            (placement.frame(0), MPPA256.frames * MPPA256.page_bytes),
        )
        return tuple((address, self.memory.read(address, size)) for address, size in regions)


class Nodes:
    """Clusters on one network, by node: all with one program, but for `others`."""

    def __init__(
        self,
        program: UserProgram,
        *nodes: int,
        others: dict[int, UserProgram] | None = None,
        exact: bool = False,
    ) -> None:
        self.loop = Loop(Ordinary())
        network = Network(Interconnect(MPPA256.torus.nodes, self.loop))
        programs = dict.fromkeys(nodes, program) | (others or {})
        self.nodes = {node: Node(node, own, network, self.loop, exact) for node, own in programs.items()}

    def __getitem__(self, node: int) -> Node:
        return self.nodes[node]

    def start(self, argument: int, *nodes: int) -> Nodes:
        """Start a process on each of these nodes."""
        for node in nodes:
            self[node].kernel.start(self[node].program.entry, argument)
        return self

    def run_until_ended(self, *nodes: int) -> Nodes:
        """Run until the first threads of these nodes have ended."""
        for _ in range(LIMIT):
            if all(self[node].ended for node in nodes):
                return self
            assert self.loop.step() is not None, "nothing can happen any more"
        raise AssertionError(f"nodes {nodes} have not ended after {LIMIT} events")

    def run(self, events: int) -> None:
        """Let so many events happen, or all if there are fewer."""
        for _ in range(events):
            if self.loop.step() is None:
                return

    def move(self, source: int, destination: int) -> None:
        """Bring both nodes to rest and carry the process over by hand; it goes on at the destination alone."""
        for node in (source, destination):
            kernel = self[node].kernel
            kernel.freezing.hold()
            while not (kernel.freezing.at_rest and self[node].only_users_are_ready):
                assert self.loop.step() is not None
            assert kernel.freezing.outside_the_image == ()
        for address, content in self[source].process:
            self[destination].memory.write(address, content)
        self[destination].kernel.freezing.release()
