"""Clusters that run machine code and have a migration daemon, on one network; and a process that moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from impl.chip import assembly as asm
from impl.daemon.desk import NameService
from kmigrate.impl.chip.core import Cores
from kmigrate.impl.chip.geometry import TINY, Geometry
from kmigrate.impl.chip.mmu import NUMBER_SHIFT
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.daemon.hardened import PATIENCE, HardenedDaemon
from kmigrate.impl.daemon.published import PublishedDaemon
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.kernel.kernel import Kernel, Step
from kmigrate.impl.kernel.machinecode import A0, A7, MachineCode
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.simulation.loop import Loop
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase
from support.cluster import Driver
from support.machinecode import A1, RETURN, S0, S1, S2, T0, T1, call, loop

WORKER, DATA = 0x120, 0x1A0
JOINED, DONE, WHERE, RESULT, READY = 0, 4, 8, 12, 16
"""Offsets in the data: a joined value, the flag that ends the workers, the node after the move, the result of
kmigrate_to, and a word for each worker that is ready."""

NAMES = 0
"""Node of the name service."""

LIMIT = 30_000


class Node(Driver):
    """One cluster: kernel, cores, and its network's ends."""

    def __init__(self, geometry: Geometry, node: int, network: Network, choices: ChoiceSource | None) -> None:
        self.memory = Sram(geometry.memory_bytes)
        self.placement = Placement.of(geometry)
        self.cores = Cores(self.memory, geometry)
        code = MachineCode(self.cores, self.placement, slice_cycles=40)
        super().__init__(Kernel(self.memory, self.placement, code, node=node, quantum=4, network=network), choices)
        self.base = self.placement.sections
        self.data = self.base + DATA
        self.late: list[int] = []
        """Cores that are held up for now."""

    def place(self, offset: int, *words: int | list[int]) -> None:
        """Put code into the user sections."""
        content = asm.code(words)
        assert offset + len(content) <= min(end for end in (WORKER, DATA) if end > offset)
        self.memory.write(self.base + offset, content)

    def next_turn(self) -> list[tuple[int, Step]]:
        turns = [turn for turn in super().next_turn() if turn[0] not in self.late]
        if turns or not self.late:
            return turns
        others = [core for core in range(self.cores.count) if core not in self.late]
        return [(core, self.kernel.steps(core)[0]) for core in others if self.kernel.steps(core)][:1]

    @property
    def only_users_are_ready(self) -> bool:
        """Whether neither the master nor the dispatcher stands in the READY queue, which a migration moves."""
        return all(self.kernel.uarea.slot_of(thread) is not None for thread in self.kernel.uarea.ready)

    def in_user_code(self, core: int) -> bool:
        """Whether a core runs a thread that is in no call."""
        thread = self.kernel.scheduler.current(core)
        return not self.kernel.scheduler.is_idle(core) and not self.kernel.calls.frame(thread).call

    @property
    def stale(self) -> list[int]:
        """User pages for which some core has a translation that the tables do not have."""
        return [
            entry.address
            for core in range(self.cores.count)
            for entry in self.cores.tlb_entries(core)
            if entry.address >= self.placement.geometry.user_base
            and self.kernel.paging.translate(entry.address)
            != (entry.entry >> NUMBER_SHIFT) * self.placement.geometry.page_bytes
        ]

    def word(self, offset: int) -> int:
        """A word of the process's data."""
        return self.memory.word(self.data + offset)

    def ended(self, tid: int) -> bool:
        return self.kernel.threads.find(tid) is None


class Machines:
    """Nodes on one network, driven in turns."""

    def __init__(self, count: int = 2, geometry: Geometry = TINY, choices: ChoiceSource | None = None) -> None:
        self.loop = Loop(choices if choices is not None else Ordinary())
        self.network = Network(Interconnect(geometry.torus.nodes, self.loop))
        self.told: list[tuple[str, Mapping[str, int | str]]] = []
        first = geometry.torus.first_compute
        self.nodes = [Node(geometry, first + k, self.network, choices) for k in range(count)]

    def tell(self, name: str, facts: Mapping[str, int | str]) -> None:
        """Remember what the daemons say."""
        self.told.append((name, facts))

    @property
    def story(self) -> list[str]:
        """The names of the events so far, the same ones in a row as one."""
        names = [name for name, _ in self.told]
        return [name for place, name in enumerate(names) if name not in names[max(0, place - 2) : place]]

    def __getitem__(self, number: int) -> Node:
        return self.nodes[number]

    @property
    def all_nodes(self) -> list[Node]:
        """Every node that has a kernel."""
        return self.nodes

    def step(self) -> bool:
        """Each cluster takes a step, and one transfer arrives; False when nothing can ever happen again."""
        moved = [node.step() for node in self.all_nodes]
        return (self.loop.step() is not None) or any(moved)

    def run(self, until: Callable[[], bool], limit: int = LIMIT) -> bool:
        """Drive until a condition holds; False if nothing can happen any more before."""
        for _ in range(limit):
            if until():
                return True
            if not self.step():
                return False
        raise AssertionError(f"not done after {limit} rounds\n" + "\n".join(node.picture() for node in self.nodes))


class Published(Machines):
    """Nodes with the published daemon."""

    def __init__(self, count: int = 2, geometry: Geometry = TINY, choices: ChoiceSource | None = None) -> None:
        super().__init__(count, geometry, choices)
        self.daemons = [PublishedDaemon(node.kernel, node.cores, self.tell) for node in self.nodes]

    def boot(self, *running: int) -> dict[int, int]:
        """Bring all up, these nodes with a process; the tids of the main threads."""
        tids = {}
        for number, node in enumerate(self.nodes):
            if number in running:
                tids[number] = node.kernel.start(node.base).tid
            else:
                node.kernel.boot()
            self.daemons[number].start()
        return tids


class Hardened(Machines):
    """Nodes with the hardened daemon, and the name service on node 0. Process p begins on the p-th node."""

    def __init__(
        self,
        count: int = 2,
        geometry: Geometry = TINY,
        choices: ChoiceSource | None = None,
        patience: int = PATIENCE,
    ) -> None:
        super().__init__(count, geometry, choices)
        self.daemons = [
            HardenedDaemon(node.kernel, node.cores, names=NAMES, patience=patience, tell=self.tell)
            for node in self.nodes
        ]
        self.service = Node(geometry, NAMES, self.network, choices)
        self.names = NameService(self.service.kernel, self.tell)

    def boot(self, *running: int) -> dict[int, int]:
        """Bring all up, these nodes with a process; the tids of the main threads."""
        tids = {}
        for number, (node, daemon) in enumerate(zip(self.nodes, self.daemons, strict=True)):
            node.kernel.boot()
            if number in running:
                tids[number] = node.kernel.threads.create(node.base, 0).tid
                self.names.register(number, node.kernel.node)
                daemon.adopt(number)
            daemon.start()
        self.service.kernel.boot()
        self.names.start()
        return tids

    @property
    def all_nodes(self) -> list[Node]:
        return [*self.nodes, self.service]

    def phases(self, source: int = 0, destination: int = 1) -> tuple[SourcePhase | None, DestinationPhase | None]:
        """The phases of the open attempts of two nodes; None without one."""
        first = self.daemons[source].source.current
        second = self.daemons[destination].destination.current if destination < len(self.daemons) else None
        return None if first is None else first.phase, None if second is None else second.phase

    def where(self, container: int) -> list[int]:
        """The numbers of the nodes on which a process stands and may run."""
        return [
            number
            for number, daemon in enumerate(self.daemons)
            if daemon.station.resident is not None and daemon.station.resident.container == container
        ]


def load_mover(node: Node, target: int, workers: int, pages: int) -> int:
    """Workers, some with a page, spin until main has moved and says so; the exit value of main.

    Worker k returns what it has in its page, or 1000 k without one.
    """
    page, base = node.placement.geometry.page_bytes, node.placement.geometry.user_base
    leader, data = node.placement.system_thread_count, node.data
    node.place(
        0,
        loop(S0, workers, call(Call.THREAD_CREATE, 0, node.base + WORKER, ("register", S0))) if workers else [],
        loop(
            S0,
            workers,
            asm.shift("slli", T0, S0, 2),
            asm.li(T1, data + READY),
            asm.register("add", T0, T0, T1),
            asm.load("lw", T1, T0, 0),
            asm.branch("beq", T1, 0, -4),
        )
        if workers
        else [],
        call(Call.MIGRATE_TO, target),
        asm.li(T0, data),
        asm.store("sw", A0, T0, RESULT),
        call(Call.NODE_GET_NUM),
        asm.li(T0, data),
        asm.store("sw", A0, T0, WHERE),
        asm.store("sw", T0, T0, DONE),
        asm.li(S1, 0),
        loop(
            S0,
            workers,
            asm.immediate("addi", A0, S0, leader),
            asm.li(A1, data),
            asm.li(A7, Call.THREAD_JOIN),
            asm.ECALL,
            asm.li(T0, data),
            asm.load("lw", T1, T0, JOINED),
            asm.register("add", S1, S1, T1),
        )
        if workers
        else [],
        call(Call.THREAD_EXIT, ("register", S1)),
    )
    allocate = [
        *asm.li(T0, base - page),
        asm.shift("slli", T1, S0, page.bit_length() - 1),
        asm.register("add", S2, T0, T1),
        asm.immediate("addi", A0, S2, 0),
        *asm.li(A7, Call.PAGE_ALLOC),
        asm.ECALL,
        asm.store("sw", S1, S2, 8),
    ]
    node.place(
        WORKER,
        asm.immediate("addi", S0, A0, 0),
        asm.li(T1, 1000),
        asm.register("mul", S1, S0, T1),
        asm.immediate("addi", T1, 0, pages),
        asm.branch("blt", T1, S0, 4 * (1 + len(allocate))),
        allocate,
        asm.shift("slli", T0, S0, 2),
        asm.li(T1, data + READY),
        asm.register("add", T0, T0, T1),
        asm.store("sw", S0, T0, 0),
        asm.li(T0, data),
        asm.load("lw", T1, T0, DONE),
        asm.branch("beq", T1, 0, -4),
        asm.immediate("addi", T1, 0, pages),
        asm.branch("blt", T1, S0, 8),
        asm.load("lw", S1, S2, 8),
        asm.immediate("addi", A0, S1, 0),
        RETURN,
    )
    return sum(1000 * k for k in range(1, workers + 1))


def load_spinner(node: Node) -> None:
    """A process that spins until it is overwritten."""
    node.place(0, asm.branch("beq", 0, 0, 0))
