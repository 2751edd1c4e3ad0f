"""Looking into a machine: threads, memory map, page tables, boards, and what is on its way.

All is read from the memories and the network; nothing changes.

Source: nanvix-facts 1, 3.1, 3.3 for what there is to see.
"""

from dataclasses import dataclass

from kmigrate.impl.chip.mmu import NUMBER_SHIFT, VALID
from kmigrate.impl.errors import ImplError
from kmigrate.impl.kernel.placement import UAREA_FIELDS
from kmigrate.impl.kernel.structures import BOARD, LINE_BYTES, THREAD, WORD_BYTES, size_of, uarea
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import ThreadState
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.fabric import WIRES
from kmigrate.impl.system.machine import Machine


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A user thread.

    running  whether it is on its core now
    call     the kernel call that it is in; empty when it is in none
    """

    tid: int
    slot: int
    core: int
    state: str
    running: bool
    call: str


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a cluster's memory. `used` says in words how much of it is taken, where that means something."""

    name: str
    address: int
    size: int
    used: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A user page: its virtual address, and that of the frame behind it."""

    virtual: int
    physical: int


@dataclass(frozen=True, slots=True)
class BoardView:
    """The system call board of one core."""

    core: int
    call: str
    arguments: tuple[int, ...]
    pending: bool
    answers: int
    owner: int


@dataclass(frozen=True, slots=True)
class MessageView:
    """A transfer that is on its way, or a message that stands in a slot (`arrives` is None then)."""

    what: str
    sender: int
    receiver: int
    arrives: int | None


def _call_name(number: int) -> str:
    if not number:
        return ""
    return Call(number).name if number in tuple(Call) else f"call {number}"


def threads(cluster: Cluster) -> tuple[ThreadView, ...]:
    """The user threads of a cluster that were started, by slot."""
    kernel = cluster.kernel
    found = []
    for slot, thread in enumerate(kernel.uarea.threads()):
        if thread.state == ThreadState.NOT_STARTED:
            continue
        try:
            call = _call_name(kernel.calls.frame(thread).call)
        except ImplError:
            call = "damaged"
        known = thread.state in tuple(ThreadState)
        state = ThreadState(thread.state).name.lower() if known else f"state {thread.state}"
        core = thread.core
        running = 0 <= core < kernel.scheduler.cores and kernel.scheduler.current(core) == thread
        found.append(ThreadView(thread.tid, slot, core, state, running, call))
    return tuple(found)


def states(system: Machine) -> dict[str, int]:
    """How many user threads of the whole machine are in each state, by its name; states of none are left out."""
    counts: dict[str, int] = {}
    for cluster in system.clusters.values():
        for thread in cluster.kernel.uarea.threads():
            if thread.state != ThreadState.NOT_STARTED:
                known = thread.state in tuple(ThreadState)
                name = ThreadState(thread.state).name.lower() if known else "damaged"
                counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def memory_map(cluster: Cluster) -> tuple[Region, ...]:
    """What stands where in a cluster's memory, by address."""
    placement, kernel = cluster.placement, cluster.kernel
    geometry = placement.geometry
    page = geometry.page_bytes
    table_entries = sum(bool(entry) for entry in _entries(cluster, placement.directory))
    started = sum(thread.state != ThreadState.NOT_STARTED for thread in kernel.uarea.threads())
    taken_pages = geometry.kernel_pages - kernel.kernel_pages.free_pages
    taken_frames = geometry.frames - kernel.frames.free_frames
    regions = [
        Region("runtime", geometry.kernel_base, placement.stubs - geometry.kernel_base),
        Region("return stubs", placement.stubs, LINE_BYTES),
        Region("system threads", placement.system_threads, placement.system_thread_count * THREAD.itemsize),
        Region("system call boards", placement.boards, geometry.cores * BOARD.itemsize),
        Region("kernel page counters", placement.counters, geometry.kernel_pages * WORD_BYTES),
        Region("frame bitmap", placement.bitmap, -(-geometry.frames // 32) * WORD_BYTES),
        Region("page directory", placement.directory, page, f"{table_entries} tables"),
        Region("kernel page table", placement.table, page),
        Region("user sections", placement.sections, geometry.user_bytes),
        Region(
            "kernel pages",
            geometry.kernel_pool,
            geometry.kernel_pages * page,
            f"{taken_pages} of {geometry.kernel_pages}",
        ),
        Region(
            "user page frames", geometry.frames_base, geometry.frames * page, f"{taken_frames} of {geometry.frames}"
        ),
    ]
    held = f"{started} of {placement.slots} threads"
    if placement.together:
        regions.append(Region("UArea", min(placement.fields), placement.uarea_bytes, held))
    else:
        layout = uarea(placement.slots)
        regions += [
            Region(
                f"UArea: {name}", placement.field(name), size_of(layout, name), held if name == "threads" else ""
            )
            for name in UAREA_FIELDS
        ]
    return tuple(sorted(regions, key=lambda region: region.address))


def user_pages(cluster: Cluster) -> tuple[Mapping, ...]:
    """The user pages that the tables in memory map, by virtual address."""
    geometry = cluster.placement.geometry
    page = geometry.page_bytes
    reach = geometry.entries * page
    found = []
    for place, above in enumerate(_entries(cluster, cluster.placement.directory)):
        table = (above >> NUMBER_SHIFT) * page
        if not above & VALID or table == cluster.placement.table or table + page > len(cluster.memory):
            continue
        for below, entry in enumerate(_entries(cluster, table)):
            if entry & VALID:
                found.append(Mapping(place * reach + below * page, (entry >> NUMBER_SHIFT) * page))
    return tuple(found)


def _entries(cluster: Cluster, table: int) -> tuple[int, ...]:
    page = cluster.placement.geometry.page_bytes
    return tuple(memoryview(cluster.memory.read(table, page)).cast("I"))


def boards(cluster: Cluster) -> tuple[BoardView, ...]:
    """The system call boards of a cluster, by core."""
    return tuple(
        BoardView(core, _call_name(board.call), board.arguments, bool(board.pending), board.done, board.owner)
        for core, board in enumerate(cluster.kernel.boards)
    )


def messages(system: Machine) -> tuple[MessageView, ...]:
    """What is on its way, in the order of arrival, and then what stands in mailbox slots."""
    under_way = sorted(system.fabric.under_way, key=lambda one: one[0].key)
    views = [MessageView(one.what, one.sender, one.receiver, event.cycle) for event, one in under_way]
    for node, mailbox in sorted(system.network.mailboxes.items()):
        views += [MessageView("mailbox_message", sender, node, None) for sender, _ in mailbox.received]
    return tuple(views)


def delivered(system: Machine) -> dict[str, int]:
    """How many transfers of each kind have arrived so far."""
    return {what: system.fabric.counts[what] for what in WIRES}
