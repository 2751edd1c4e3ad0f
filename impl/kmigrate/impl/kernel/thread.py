"""A thread as it stands in memory, and the record of the kernel call that it is in.

A thread that sleeps inside a kernel call must be able to wake up on another cluster, so how far the call has come
stands in the thread's kernel stack, above it the registers that the thread had when it left its core.

Source: nanvix-facts 3.1, 3.3. What stands in a kernel stack, and where, is ours.
"""

from enum import IntEnum

import numpy as np

from kmigrate.impl.kernel.structures import (
    BOARD_ARGUMENTS,
    THREAD,
    WORD,
    WORD_BYTES,
    Structure,
    Word,
    offset_of,
    padded,
)

NULL = 0
"""The pointer to nothing."""

CONTEXT_BYTES = 33 * WORD_BYTES
"""Registers of a thread that is not running: the program counter, x1 to x31 and a spare word."""


class ThreadState(IntEnum):
    """Where a thread is in its life."""

    NOT_STARTED = 0
    READY = 1
    RUNNING = 2
    SLEEPING = 3
    STOPPED = 4
    TERMINATED = 5
    ZOMBIE = 6


class Thread(Structure):
    """A thread.

    next      the thread behind it in the queue that it waits in
    affinity  a bit for each core that may run it
    age       ticks since it was given its core
    context   where its registers are saved; NULL while it runs
    """

    __slots__ = ()

    next = Word(THREAD, "next")
    tid = Word(THREAD, "tid")
    core = Word(THREAD, "core")
    state = Word(THREAD, "state")
    affinity = Word(THREAD, "affinity")
    age = Word(THREAD, "age")
    argument = Word(THREAD, "argument")
    start = Word(THREAD, "start")
    context = Word(THREAD, "context")

    def may_run_on(self, core: int) -> bool:
        """Whether the affinity lets a core run the thread."""
        return bool(self.affinity >> core & 1)

    def clear(self) -> None:
        """Make the slot that of a thread that was never started."""
        self.memory.fill(self.address, THREAD.itemsize)


CALL_FRAME = np.dtype(
    [
        ("call", WORD),
        ("stage", WORD),
        ("value", WORD),
        ("arguments", (WORD, (BOARD_ARGUMENTS,))),
        ("remote_call", WORD),
        ("remote_progress", WORD),
        ("ticket", WORD),
        ("remote_arguments", (WORD, (BOARD_ARGUMENTS,))),
    ],
    align=True,
)
"""A kernel call in progress, 64 bytes."""

BOARD_SHIFT = 8
STAGE_MASK = (1 << BOARD_SHIFT) - 1
"""The stage stands in the low byte of the word, the board above it."""

_ARGUMENTS = offset_of(CALL_FRAME, "arguments")
_REMOTE_ARGUMENTS = offset_of(CALL_FRAME, "remote_arguments")


class CallFrame(Structure):
    """The kernel call that a thread is in.

    call             the call that the thread has made; 0 when it is in none
    stage            where the call goes on
    value            result of the remote call that it has made last
    remote_call      the call that stands on the board, or is about to
    remote_progress  how far that one is and over whose board it goes, wherever the thread is by now
    ticket           the thread's turn at the board
    """

    __slots__ = ()

    call = Word(CALL_FRAME, "call")
    stage = Word(CALL_FRAME, "stage")
    value = Word(CALL_FRAME, "value")
    remote_call = Word(CALL_FRAME, "remote_call")
    remote_progress = Word(CALL_FRAME, "remote_progress")
    ticket = Word(CALL_FRAME, "ticket")

    @property
    def remote_stage(self) -> int:
        """How far the remote call is; 0 when there is none."""
        return self.remote_progress & STAGE_MASK

    @remote_stage.setter
    def remote_stage(self, stage: int) -> None:
        self.remote_progress = self.remote_progress & ~STAGE_MASK | stage

    @property
    def board(self) -> int:
        """The core over whose board the remote call goes."""
        return self.remote_progress >> BOARD_SHIFT

    @board.setter
    def board(self, core: int) -> None:
        self.remote_progress = core << BOARD_SHIFT | self.remote_stage

    @property
    def arguments(self) -> tuple[int, ...]:
        """The arguments of the call, as unsigned words."""
        return self._words(_ARGUMENTS)

    @property
    def remote_arguments(self) -> tuple[int, ...]:
        """The arguments of the remote call, as unsigned words."""
        return self._words(_REMOTE_ARGUMENTS)

    def set_arguments(self, arguments: tuple[int, ...]) -> None:
        """Write up to five arguments; the others become 0."""
        self._set_words(_ARGUMENTS, arguments)

    def set_remote_arguments(self, arguments: tuple[int, ...]) -> None:
        """Write up to five arguments of the remote call; the others become 0."""
        self._set_words(_REMOTE_ARGUMENTS, arguments)

    def clear(self) -> None:
        """Leave the call."""
        self.memory.fill(self.address, CALL_FRAME.itemsize)

    def _words(self, offset: int) -> tuple[int, ...]:
        base, word = self.address + offset, self.memory.word
        return tuple([word(base + WORD_BYTES * i) for i in range(BOARD_ARGUMENTS)])

    def _set_words(self, offset: int, words: tuple[int, ...]) -> None:
        base = self.address + offset
        for i in range(BOARD_ARGUMENTS):
            self.memory.set_word(base + WORD_BYTES * i, words[i] if i < len(words) else 0)


def context_of(kernel_stack: int, page_bytes: int) -> int:
    """Where the registers of the thread with this kernel stack are saved: at the stack's upper end."""
    return kernel_stack + page_bytes - CONTEXT_BYTES


def frame_of(kernel_stack: int, page_bytes: int) -> int:
    """Where the call record of the thread with this kernel stack stands: below its registers."""
    return context_of(kernel_stack, page_bytes) - padded(CALL_FRAME.itemsize)
