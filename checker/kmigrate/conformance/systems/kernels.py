"""What a cluster's kernel looks like to the model: threads, cores, READY queue, boards and frames, from the bytes.

Everything is read from the cluster's memory and from what the kernel keeps of its cores, never from the trace.
"""

from __future__ import annotations

from typing import Any

from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.structures import BOARD, QUEUE, THREAD, WORD_BYTES, word_of
from kmigrate.impl.kernel.thread import NULL, ThreadState
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


_THREAD, _BOARD = THREAD.itemsize // WORD_BYTES, BOARD.itemsize // WORD_BYTES
_STATE, _TID, _NEXT = (word_of(THREAD, field) for field in ("state", "tid", "next"))
_OWNER, _PENDING, _DONE = (word_of(BOARD, field) for field in ("mutex.owner", "pending", "done.count"))
_HEAD, _SIZE = word_of(QUEUE, "head"), word_of(QUEUE, "size")


class KernelLook:
    """Looks at one kernel, whose memory it reads by words.

    threads, cores  as many as the model has
    lives           code of each life in the model
    """

    def __init__(self, kernel: Kernel, threads: int, cores: int, lives: dict[Any, int]) -> None:
        placement = kernel.placement
        self._kernel = kernel
        self._threads = threads
        self._cores = range(1, cores + 1)
        self._lives = {int(state): lives[life] for state, life in LIVES.items()}
        self._words = memoryview(kernel.memory.data).cast("I")
        self._first, self._slots = placement.field("threads") // WORD_BYTES, placement.slots
        self._behind = self._first + self._slots * _THREAD
        self._ready = placement.field("scheduling") // WORD_BYTES
        self._boards = placement.boards // WORD_BYTES

    def _slot(self, address: int) -> int | None:
        """The slot of the thread at an address; None for a thread of the system."""
        slot, beside = divmod(address // WORD_BYTES - self._first, _THREAD)
        return slot if not beside and 0 <= slot < self._slots else None

    def threads(self) -> list[int]:
        """The life in each slot."""
        states = self._words[self._first + _STATE : self._behind : _THREAD].tolist()
        if any(states[self._threads :]):
            return [UNKNOWN] * self._threads
        lives = self._lives
        return [lives.get(state, UNKNOWN) for state in states[: self._threads]]

    def queued(self) -> list[int]:
        """Whether each slot's thread stands in the READY queue. Raises KernelPanic if its links do not agree."""
        words, found = self._words, [0] * self._threads
        address, size = words[self._ready + _HEAD], words[self._ready + _SIZE]
        for place in range(size):
            if address == NULL:
                raise KernelPanic(f"the READY queue ends after {place} of {size} threads")
            slot = self._slot(address)
            if slot is not None and slot < self._threads:
                found[slot] += 1
            address = self._kernel.memory.word(address + _NEXT * WORD_BYTES)
        return found

    def running(self) -> list[int]:
        """The thread on each slave core; 0 for the idle one."""
        current = self._kernel.scheduler._current
        slots = [self._slot(current[core]) for core in self._cores]
        return [0 if slot is None else slot + 1 for slot in slots]

    def unqueued(self) -> list[int]:
        """The thread that has left each slave core and is not yet queued."""
        words, previous, found = self._words, self._kernel.scheduler._previous, []
        for core in self._cores:
            address = previous[core]
            slot = self._slot(address) if address else None
            waits = slot is not None and words[address // WORD_BYTES + _STATE] == ThreadState.STOPPED
            found.append(slot + 1 if waits and slot is not None else 0)
        return found

    def boards(self) -> tuple[list[int], list[int]]:
        """For each slave core the thread whose call is pending, and the one whose answer is there."""
        words = self._words
        tids = words[self._first + _TID : self._behind : _THREAD].tolist()
        slots = {tid: slot for slot, tid in enumerate(tids) if tid}
        pending, answered = [], []
        for core in self._cores:
            board = self._boards + core * _BOARD
            owner = slots.get(words[board + _OWNER], UNKNOWN - 1) + 1
            pending.append(owner if words[board + _PENDING] else 0)
            answered.append(owner if words[board + _DONE] else 0)
        return pending, answered

    def frames(self) -> int:
        """Frames in use."""
        return self._kernel.placement.geometry.frames - self._kernel.frames.free_frames
