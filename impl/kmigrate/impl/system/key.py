"""The key of a machine in which everything may come in any order: its state without clocks.

Machines of one key have the same futures: what can happen next is the same, and leads to machines of one key again.
The key has memories, registers, TLBs and caches, what kernels and daemons keep, and what is pending or on its way;
of cycles only what a rule asks for: the ages of threads as far as the quantum compares them, the ticks that are
left. Turns at a board count from the one that is served. Only a program that reads a clock or a statistic can tell
two machines of one key apart.

Source: ours.
"""

from hashlib import blake2b

from kmigrate.impl.kernel.calls import ANSWER, TURN
from kmigrate.impl.kernel.structures import WORD_BYTES
from kmigrate.impl.kernel.thread import CallFrame, Thread
from kmigrate.impl.simulation.loop import Pending
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.fabric import Transfer
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.snapshot import interfaces

KEY_BYTES = 16

_AGE = Thread.age.offset
_TICKET = CallFrame.ticket.offset


def key(system: Machine) -> bytes:
    """The key of the machine. Raises NoSnapshot."""
    whole = blake2b(repr(_around(system)).encode(), digest_size=KEY_BYTES)
    for number, cluster in system.clusters.items():
        known = system.keys.get(number)
        if known is None or known[0] != cluster.version:
            known = system.keys[number] = (cluster.version, key_of_cluster(system, cluster))
        whole.update(known[1])
    return whole.digest()


# -- what is between the clusters -------------------------------------------------------------------------


def _around(system: Machine) -> tuple[object, ...]:
    fabric = system.fabric
    transfers = sorted(
        ((event.label, number, transfer) for number, (event, transfer) in enumerate(_in_order(system))),
        key=lambda one: one[:2],
    )
    return (
        [(label, transfer.interface, transfer.deliver, transfer.contents) for label, _, transfer in transfers],
        *key_of_services(system),
        [wished for _, wished in system.wishes],
        [cluster for _, cluster in system.stops],
        [
            (fault.position - fabric.carried, fault.kind, fault.amount)
            for fault in fabric.plan.values()
            if fault.position >= fabric.carried
        ],
    )


def key_of_services(system: Machine) -> tuple[object, ...]:
    """What the services' node knows, and what is pending there, without clocks. Raises NoSnapshot."""
    services = system.services
    state = services.state
    keeper = next(iter(system.keepers.values()))
    return (
        [keeper.keep(getattr(part, name)) for part, name in interfaces(system)],
        [(spawn.number, spawn.node, spawn.stage, spawn.tid) for spawn in state.spawns],
        sorted(state.names.items()),
        sorted(state.records.items()),
        state.requests,
        sorted((node, letters) for node, letters in state.letters.items() if letters),
        sorted((node, len(pieces), _digest(pieces)) for node, pieces in state.pieces.items() if pieces),
        sorted(state.heads.items()),
        sorted(sender for _, sender in services.pending),
        sorted(number for _, number in services.alarms),
    )


def _in_order(system: Machine) -> list[tuple[Pending, Transfer]]:
    return sorted(system.fabric.under_way, key=lambda one: one[0].key)


def _digest(pieces: list[bytes]) -> bytes:
    return blake2b(b"".join(pieces), digest_size=KEY_BYTES).digest()


# -- one cluster -----------------------------------------------------------------------------------------


def key_of_cluster(system: Machine, cluster: Cluster) -> bytes:
    """The key of one cluster. Raises NoSnapshot."""
    if cluster.crash is not None:
        return b"stopped".ljust(KEY_BYTES)
    agent, keeper = system.agents[cluster.node], system.keepers[cluster.node]
    memory, ages = _memory(cluster)
    part = blake2b(memory, digest_size=KEY_BYTES)
    part.update(cluster.cores.timeless())
    rest = (
        ages,
        keeper.timeless(),
        keeper.keep(agent.state),
        keeper.keep(agent.waiting),
        system.daemons[cluster.node].said() if system.daemons else (),
        [[step for step, _ in armed] for armed in cluster.armed],
        cluster.timer is not None,
        cluster.runtime,
    )
    part.update(repr(rest).encode())
    return part.digest()


def _memory(cluster: Cluster) -> tuple[bytes, list[int]]:
    """The memory with the ages of threads taken out and turns counted from those that are served; and the ages."""
    kernel = cluster.kernel
    scheduler, uarea, boards = kernel.scheduler, kernel.uarea, kernel.boards
    words = memoryview(bytearray(cluster.memory.data)).cast("I")
    system = [scheduler.master, scheduler.dispatcher, *map(scheduler.idle, range(scheduler.cores))]
    for thread in (*system, *uarea.threads()):
        words[(thread.address + _AGE) // WORD_BYTES] = 0
    for thread in (*system[:2], *uarea.threads()):
        slot = uarea.slot_of(thread)
        if slot is not None and not uarea.kernel_stack(slot):
            continue
        frame = kernel.calls.frame(thread)
        if frame.remote_stage in (TURN, ANSWER) and 0 <= thread.core < boards.count:
            turn = frame.ticket - boards[thread.core].serving
        else:
            turn = 0
        words[(frame.address + _TICKET) // WORD_BYTES] = turn & 0xFFFFFFFF
    for board in boards:
        words[(board.address + type(board).next_ticket.offset) // WORD_BYTES] = (
            board.next_ticket - board.serving
        ) & 0xFFFFFFFF
        words[(board.address + type(board).serving.offset) // WORD_BYTES] = 0
    return words.tobytes(), _ages(cluster)


def _ages(cluster: Cluster) -> list[int]:
    """The ages on the cores: of idle ones and of those above the quantum, only who is older than who."""
    scheduler = cluster.kernel.scheduler
    quantum = scheduler.quantum
    found = [scheduler.current(core).age for core in range(scheduler.cores)]
    idle = sorted({age for core, age in enumerate(found) if scheduler.is_idle(core)})
    over = sorted({age for core, age in enumerate(found) if not scheduler.is_idle(core) and age > quantum})
    return [
        idle.index(age) if scheduler.is_idle(core) else quantum + 1 + over.index(age) if age > quantum else age
        for core, age in enumerate(found)
    ]
