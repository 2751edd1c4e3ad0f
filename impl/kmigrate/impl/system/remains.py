"""What is left in a cluster of what is over: values that are written anew before anything reads them.

`Remains.clear` sets them to one value each, in the cluster itself, so that an image that is taken later holds the
same bytes wherever a cluster has been before. Nothing that a machine does depends on it; a test lets machines that
are cleared after each event and machines that never are do the same. Where everything may come in any order the
ages of threads and the turns at boards are such values too, beyond their order.

Source: ours. Why each one is dead stands where it is cleared.
"""

from kmigrate.impl.errors import OutOfMemoryBounds
from kmigrate.impl.kernel.calls import ANSWER, DRAW, TURN
from kmigrate.impl.kernel.placement import MASTER_CORE, SYSTEM_THREADS_BESIDE_IDLE
from kmigrate.impl.kernel.structures import BOARD, BOARD_ARGUMENTS, THREAD, WORD_BYTES, word_of
from kmigrate.impl.kernel.task import TaskState
from kmigrate.impl.kernel.thread import (
    BOARD_SHIFT,
    CALL_FRAME,
    CONTEXT_BYTES,
    NULL,
    STAGE_MASK,
    ThreadState,
    context_of,
    frame_of,
)
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.daemons import Daemon

_OVER = (TaskState.COMPLETED, TaskState.STOPPED, TaskState.ERROR)


_CALL, _VALUE = word_of(CALL_FRAME, "call"), word_of(CALL_FRAME, "value")
_REMOTE = word_of(CALL_FRAME, "remote_call")
"""From here on a call frame speaks of the call over the board."""

_PROGRESS, _TICKET = word_of(CALL_FRAME, "remote_progress"), word_of(CALL_FRAME, "ticket")
_REMOTE_ARGUMENTS = word_of(CALL_FRAME, "remote_arguments")
_FRAME_WORDS = CALL_FRAME.itemsize // WORD_BYTES

_THREAD_WORDS, _BOARD_WORDS = THREAD.itemsize // WORD_BYTES, BOARD.itemsize // WORD_BYTES
_AGE, _STATE, _CONTEXT = word_of(THREAD, "age"), word_of(THREAD, "state"), word_of(THREAD, "context")
_POSTED, _RESULT, _PENDING = word_of(BOARD, "call"), word_of(BOARD, "result"), word_of(BOARD, "pending")
_DONE, _OWNER = word_of(BOARD, "done.count"), word_of(BOARD, "mutex.owner")
_NEXT_TICKET, _SERVING = word_of(BOARD, "mutex.next_ticket"), word_of(BOARD, "mutex.serving")

_CONTEXT_WORDS = CONTEXT_BYTES // WORD_BYTES
_ZEROS = memoryview(bytes(1 << 12)).cast("I")


class Remains:
    """What may be left of what is over in one cluster, found once.

    Memory is read and written by words, for this happens after each event of a search.

    daemon   of the cluster; None without one
    kept     tasks whose value others read
    repeats  whether a credit may be left without a call, for which the master serves its own board's last call once
             more (H23): the hardened daemon leaves none
    """

    def __init__(self, cluster: Cluster, daemon: Daemon | None, kept: tuple[int, ...], *, repeats: bool) -> None:
        self._cluster, self._daemon, self._kept, self._repeats = cluster, daemon, kept, repeats
        kernel, placement = cluster.kernel, cluster.placement
        self._kernel, self._cores = kernel, cluster.cores
        self._words = memoryview(cluster.memory.data).cast("I")
        self._page = placement.geometry.page_bytes
        scheduler = kernel.scheduler
        self._system_frames = [
            frame_of(scheduler.kernel_stack(thread), self._page) // WORD_BYTES
            for thread in (scheduler.master, scheduler.dispatcher)
        ]
        slots = self._slots = placement.slots
        self._threads = placement.field("threads") // WORD_BYTES
        self._stacks = placement.field("kstacks") // WORD_BYTES
        self._boards = placement.boards // WORD_BYTES
        system, of_system = placement.system_threads // WORD_BYTES, SYSTEM_THREADS_BESIDE_IDLE + scheduler.cores
        self._ages = [
            (slice(first + _AGE, first + count * _THREAD_WORDS, _THREAD_WORDS), _ZEROS[:count])
            for first, count in ((system, of_system), (self._threads, slots))
        ]

    def clear(self) -> None:
        """Clear what is dead; nothing in a cluster that has stopped.

        Raises  OutOfMemoryBounds where a thread's stack is not in memory
        """
        if self._cluster.crash is not None:
            return
        self._cluster.version += 1
        self._clear_frames()
        self._clear_boards()
        self._clear_ages()
        self._clear_registers()
        self._clear_tasks()
        if self._daemon is not None:
            self._daemon.wipe()

    def _fill(self, first: int, count: int) -> None:
        """Set words to 0. Raises OutOfMemoryBounds."""
        self._check(first, count)
        self._words[first : first + count] = _ZEROS[:count]

    def _check(self, first: int, count: int) -> None:
        if first < 0 or first + count > len(self._words):
            size = len(self._words) * WORD_BYTES
            raise OutOfMemoryBounds(first * WORD_BYTES, count * WORD_BYTES, size)

    def _clear_frames(self) -> None:
        """Records of calls: all of one that is over, for a new call begins with a record of zeros.

        The result of the last call over a board is written anew when the next one has an answer. What is to be
        posted is read once, when it is; the board and the turn are chosen when the turn is drawn.
        """
        words, page = self._words, self._page
        stacks = words[self._stacks : self._stacks + self._slots].tolist()
        for frame in (*self._system_frames, *[frame_of(one, page) // WORD_BYTES for one in stacks if one]):
            self._check(frame, _FRAME_WORDS)
            if not words[frame + _CALL]:
                words[frame : frame + _FRAME_WORDS] = _ZEROS[:_FRAME_WORDS]
                continue
            progress = words[frame + _PROGRESS]
            stage = progress & STAGE_MASK
            if not stage:
                words[frame + _REMOTE : frame + _FRAME_WORDS] = _ZEROS[: _FRAME_WORDS - _REMOTE]
                continue
            words[frame + _VALUE] = 0
            if stage == DRAW:
                words[frame + _TICKET], words[frame + _PROGRESS] = 0, stage
            elif stage == TURN:
                serving = self._kernel.boards[progress >> BOARD_SHIFT].serving
                words[frame + _TICKET] = (words[frame + _TICKET] - serving) & 0xFFFFFFFF
            elif stage == ANSWER:
                words[frame + _TICKET] = words[frame + _REMOTE] = 0
                arguments = frame + _REMOTE_ARGUMENTS
                words[arguments : arguments + BOARD_ARGUMENTS] = _ZEROS[:BOARD_ARGUMENTS]

    def _clear_boards(self) -> None:
        """Boards: a call that is served, an answer that is fetched, and how many turns there have been."""
        words = self._words
        for core in range(self._kernel.boards.count):
            board = self._boards + core * _BOARD_WORDS
            if not words[board + _PENDING] and not (self._repeats and core == MASTER_CORE):
                words[board : board + BOARD_ARGUMENTS] = _ZEROS[:BOARD_ARGUMENTS]
                words[board + _POSTED] = 0
            if not words[board + _DONE]:
                words[board + _RESULT] = 0
            serving, drawn = words[board + _SERVING], words[board + _NEXT_TICKET]
            if drawn == serving:
                words[board + _OWNER] = 0
            words[board + _NEXT_TICKET] = (drawn - serving) & 0xFFFFFFFF
            words[board + _SERVING] = 0

    def _clear_ages(self) -> None:
        """Ages: all of threads on no core, for a thread is given its core with the age 0.

        Of those on cores the tick asks for the oldest idle one, and then for the oldest above the quantum: who is
        older than who is kept. Whoever comes next begins at 0, so that is among what idle ones are compared to.
        """
        words, scheduler = self._words, self._kernel.scheduler
        quantum = scheduler.quantum
        current = [address // WORD_BYTES + _AGE for address in scheduler._current]
        found = [words[at] for at in current]
        for threads, zeros in self._ages:
            words[threads] = zeros
        if not any(found):
            return
        waits = [thread == idle for thread, idle in zip(scheduler._current, scheduler._idle, strict=True)]
        ages = list(zip(found, waits, strict=True))
        idle = sorted({0, *(age for age, waiting in ages if waiting)})
        over = sorted({age for age, waiting in ages if not waiting and age > quantum})
        for at, (age, waiting) in zip(current, ages, strict=True):
            words[at] = idle.index(age) if waiting else quantum + 1 + over.index(age) if age > quantum else age

    def _clear_registers(self) -> None:
        """Registers: those of a core without a user thread, and those that were saved of a thread on its core.

        A thread's registers are saved before it leaves its core, and restored before it runs on one.
        """
        words, first = self._words, self._threads
        for core, address in enumerate(self._kernel.scheduler._current):
            thread = address // WORD_BYTES
            slot, beside = divmod(thread - first, _THREAD_WORDS)
            if beside or not 0 <= slot < self._slots:
                if core != MASTER_CORE:
                    self._cores.forget_registers(core)
                continue
            stack = words[self._stacks + slot]
            if stack and words[thread + _CONTEXT] == NULL and words[thread + _STATE] == ThreadState.RUNNING:
                self._fill(context_of(stack, self._page) // WORD_BYTES, _CONTEXT_WORDS)

    def _clear_tasks(self) -> None:
        """Values of tasks between their runs, and what flows have done.

        A task that reads its value has it from the task that lets it run. Tasks of flows never read theirs, and
        only those in `kept` have it read by others: a thread's flow keeps it until the thread has it. Of tasks that
        no call can name, nobody asks in which way their last run has ended. Those that were not touched since the
        last key are cleared already.
        """
        graph, flows, kept = self._kernel.tasks.graph, self._kernel.flows, self._kept
        if flows is not None and any(flows.progress.done):
            done = flows.progress.done
            for number, transfer in enumerate(flows.progress.transfers):
                if transfer is None:
                    done[number] = 0
        for task in tuple(graph.unsaid.values()):
            if task.internal and task.state in _OVER:
                graph.touch(task)
                task.state = TaskState.NOT_STARTED
            if task.value and (task.internal or not task.under_way) and task.identity not in kept:
                graph.touch(task)
                task.value = 0
