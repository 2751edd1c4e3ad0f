"""What a cluster's kernel looks like to the model: threads, cores, READY queue, boards and frames, from the bytes.

Everything is read from the cluster's memory and from what the kernel keeps of its cores, never from the trace.
"""

from __future__ import annotations

from typing import Any

from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.thread import ThreadState
from kmigrate.spec.freeze.cluster import Life

LIVES: dict[int, Life] = {
    ThreadState.NOT_STARTED: Life.ABSENT,
    ThreadState.READY: Life.READY,
    ThreadState.RUNNING: Life.RUNNING,
    ThreadState.SLEEPING: Life.SLEEPING,
    ThreadState.STOPPED: Life.STOPPED,
    ThreadState.TERMINATED: Life.ABSENT,
    ThreadState.ZOMBIE: Life.ABSENT,
}
"""State of a thread in memory → life in the model. One that has ended but is not freed yet counts as absent."""

UNKNOWN = -1
"""A code that no slot of a model has: what was read makes no sense, so that no state of the model agrees."""


class KernelLook:
    """Looks at one kernel.

    threads, cores, frames  as many as the model has
    lives                   code of each life in the model
    """

    def __init__(self, kernel: Kernel, threads: int, cores: int, lives: dict[Any, int]) -> None:
        self._kernel = kernel
        self._threads = threads
        self._cores = range(1, cores + 1)
        self._lives = {state: lives[life] for state, life in LIVES.items()}

    def threads(self) -> list[int]:
        """The life in each slot."""
        uarea = self._kernel.uarea
        states = [thread.state for thread in uarea.threads()]
        if any(state != ThreadState.NOT_STARTED for state in states[self._threads :]):
            return [UNKNOWN] * self._threads
        return [self._lives.get(state, UNKNOWN) for state in states[: self._threads]]

    def queued(self) -> list[int]:
        """Whether each slot's thread stands in the READY queue."""
        uarea = self._kernel.uarea
        standing = [uarea.slot_of(thread) for thread in uarea.ready]
        return [standing.count(slot) for slot in range(self._threads)]

    def running(self) -> list[int]:
        """The thread on each slave core; 0 for the idle one."""
        scheduler, uarea = self._kernel.scheduler, self._kernel.uarea
        slots = [uarea.slot_of(scheduler.current(core)) for core in self._cores]
        return [0 if slot is None else slot + 1 for slot in slots]

    def unqueued(self) -> list[int]:
        """The thread that has left each slave core and is not yet queued."""
        found = []
        for core in self._cores:
            previous = self._kernel.scheduler.previous(core)
            slot = None if previous is None else self._kernel.uarea.slot_of(previous)
            waits = slot is not None and previous is not None and previous.state == ThreadState.STOPPED
            found.append(slot + 1 if waits and slot is not None else 0)
        return found

    def boards(self) -> tuple[list[int], list[int]]:
        """For each slave core the thread whose call is pending, and the one whose answer is there."""
        slots = {thread.tid: slot for slot, thread in enumerate(self._kernel.uarea.threads()) if thread.tid}
        pending, answered = [], []
        for core in self._cores:
            board = self._kernel.boards[core]
            owner = slots.get(board.owner, UNKNOWN - 1) + 1
            pending.append(owner if board.pending else 0)
            answered.append(owner if board.done else 0)
        return pending, answered

    def frames(self) -> int:
        """Frames in use."""
        frames = self._kernel.frames
        return sum(frames.taken(frame) for frame in range(self._kernel.placement.geometry.frames))
