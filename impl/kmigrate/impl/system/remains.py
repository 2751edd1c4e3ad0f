"""What is left in a cluster of what is over: values that are written anew before anything reads them.

`clear_remains` sets them to one value each, in the cluster itself, so that an image that is taken later holds the
same bytes wherever a cluster has been before. Nothing that a machine does depends on it; a test lets machines that
are cleared after each event and machines that never are do the same. Where everything may come in any order the
ages of threads and the turns at boards are such values too, beyond their order.

Source: ours. Why each one is dead stands where it is cleared.
"""

from kmigrate.impl.kernel.boards import Board
from kmigrate.impl.kernel.calls import ANSWER, DRAW, TURN
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.structures import BOARD_ARGUMENTS, WORD_BYTES, offset_of
from kmigrate.impl.kernel.task import TaskState
from kmigrate.impl.kernel.thread import CALL_FRAME, CONTEXT_BYTES, NULL, Thread, ThreadState, context_of
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.machine import Machine

_AGE = Thread.age.offset
_REMOTE = offset_of(CALL_FRAME, "remote_call")
"""From here on a call frame speaks of the call over the board."""

_REMOTE_ARGUMENTS = offset_of(CALL_FRAME, "remote_arguments")

_OVER = (TaskState.COMPLETED, TaskState.STOPPED, TaskState.ERROR)


def clear_remains(system: Machine, cluster: Cluster) -> None:
    """Clear what is dead in a cluster of a machine in which everything may come in any order."""
    if cluster.crash is not None:
        return
    cluster.version += 1
    kernel = cluster.kernel
    words = memoryview(cluster.memory.data).cast("I")
    _clear_frames(kernel, words)
    _clear_boards(kernel, words, repeats=system.daemon_kind is not DaemonKind.HARDENED)
    _clear_ages(kernel, words)
    _clear_registers(cluster, words)
    _clear_tasks(kernel, system.keepers[cluster.node].waited_for)
    if system.uarea:
        system.daemons[cluster.node].wipe()


def _fill(words: memoryview, address: int, size: int) -> None:
    """Set the bytes at an address to 0."""
    first, count = address // WORD_BYTES, size // WORD_BYTES
    words[first : first + count] = memoryview(bytes(size)).cast("I")


def _clear_frames(kernel: Kernel, words: memoryview) -> None:
    """Records of calls: all of one that is over, for a new call begins with a record of zeros.

    The result of the last call over a board is written anew when the next one has an answer. What is to be posted
    is read once, when it is; the board and the turn are chosen when the turn is drawn.
    """
    scheduler, uarea = kernel.scheduler, kernel.uarea
    threads = [scheduler.master, scheduler.dispatcher]
    threads += [uarea.thread(slot) for slot in range(uarea.slots) if uarea.kernel_stack(slot)]
    for thread in threads:
        frame = kernel.calls.frame(thread)
        if not frame.call:
            _fill(words, frame.address, CALL_FRAME.itemsize)
            continue
        stage = frame.remote_stage
        if not stage:
            _fill(words, frame.address + _REMOTE, CALL_FRAME.itemsize - _REMOTE)
            continue
        frame.value = 0
        if stage == DRAW:
            frame.ticket = frame.board = 0
        elif stage == TURN:
            frame.ticket -= kernel.boards[frame.board].serving
        elif stage == ANSWER:
            frame.ticket = frame.remote_call = 0
            _fill(words, frame.address + _REMOTE_ARGUMENTS, BOARD_ARGUMENTS * WORD_BYTES)


def _clear_boards(kernel: Kernel, words: memoryview, *, repeats: bool) -> None:
    """Boards: a call that is served, an answer that is fetched, and how many turns there have been.

    repeats  whether a credit may be left without a call, for which the master serves its own board's last call once
             more (H23): the hardened daemon leaves none
    """
    for core in range(kernel.boards.count):
        board: Board = kernel.boards[core]
        if not board.pending and not (repeats and core == MASTER_CORE):
            _fill(words, board.address, BOARD_ARGUMENTS * WORD_BYTES)
            board.call = 0
        if not board.done:
            board.result = 0
        if board.next_ticket == board.serving:
            board.owner = 0
        board.next_ticket -= board.serving
        board.serving = 0


def _clear_ages(kernel: Kernel, words: memoryview) -> None:
    """Ages: all of threads on no core, for a thread is given its core with the age 0.

    Of those on cores the tick asks for the oldest idle one, and then for the oldest above the quantum: who is older
    than who is kept. Whoever comes next begins at 0, so that is among what idle ones are compared to.
    """
    scheduler, uarea = kernel.scheduler, kernel.uarea
    quantum, cores = scheduler.quantum, scheduler.cores
    found = [scheduler.current(core).age for core in range(cores)]
    waits = [scheduler.is_idle(core) for core in range(cores)]
    for thread in (scheduler.master, scheduler.dispatcher, *map(scheduler.idle, range(cores)), *uarea.threads()):
        words[(thread.address + _AGE) // WORD_BYTES] = 0
    idle = sorted({0, *(age for age, waiting in zip(found, waits, strict=True) if waiting)})
    over = sorted({age for age, waiting in zip(found, waits, strict=True) if not waiting and age > quantum})
    for core, age in enumerate(found):
        rank = idle.index(age) if waits[core] else quantum + 1 + over.index(age) if age > quantum else age
        words[(scheduler.current(core).address + _AGE) // WORD_BYTES] = rank


def _clear_registers(cluster: Cluster, words: memoryview) -> None:
    """Registers: those of a core without a user thread, and those that were saved of a thread that is on its core.

    A thread's registers are saved before it leaves its core, and restored before it runs on one.
    """
    kernel, cores = cluster.kernel, cluster.cores
    page = kernel.placement.geometry.page_bytes
    for core in range(kernel.scheduler.cores):
        slot = kernel.uarea.slot_of(kernel.scheduler.current(core))
        if slot is None:
            if core != MASTER_CORE:
                cores.forget_registers(core)
            continue
        stack = kernel.uarea.kernel_stack(slot)
        thread = kernel.uarea.thread(slot)
        if stack and thread.context == NULL and thread.state == ThreadState.RUNNING:
            _fill(words, context_of(stack, page), CONTEXT_BYTES)


def _clear_tasks(kernel: Kernel, kept: tuple[int, ...]) -> None:
    """Values of tasks between their runs, and what flows have done.

    A task that reads its value has it from the task that lets it run. Tasks of flows never read theirs, and only
    those in `kept` have it read by others: a thread's flow keeps it until the thread has it. Of tasks that no call
    can name, nobody asks in which way their last run has ended.
    """
    graph, flows = kernel.tasks.graph, kernel.flows
    if flows is not None:
        done = flows.progress.done
        for number, transfer in enumerate(flows.progress.transfers):
            if transfer is None:
                done[number] = 0
    for task in tuple(graph.touched.values()):
        if task.internal and task.state in _OVER:
            graph.touch(task)
            task.state = TaskState.NOT_STARTED
        if task.value and (task.internal or not task.under_way) and task.identity not in kept:
            graph.touch(task)
            task.value = 0
