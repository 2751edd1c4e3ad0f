"""How a call is carried through: by the core that makes it, or over its board to the master.

Source: nanvix-facts 3.3. One step of a core carries a call from one point to the next at which others may come in
between: taking the board and posting, and fetching the answer.
"""

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.boards import Boards
from kmigrate.impl.kernel.effort import Effort
from kmigrate.impl.kernel.errors import KernelPanic, Refused
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Event, Scheduler
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import (
    NOT_SERVED,
    Again,
    Leave,
    LocalHandler,
    Outcome,
    Remote,
    RemoteHandler,
    Request,
)
from kmigrate.impl.kernel.thread import CallFrame, Thread, frame_of

DRAW, TURN, ANSWER = 1, 2, 3
"""Stages of a remote call: draw a ticket for the board, wait for the turn and post, fetch the answer."""

FINISHED = 0
"""The stage to which a thread's own remote call returns: its result is the result."""

Progress = int | Leave | Again
"""Where a call stands after a step of its core."""


class Calls:
    """The calls of one cluster.

    local, remote  who serves which call
    """

    def __init__(
        self, memory: Sram, boards: Boards, scheduler: Scheduler, page_bytes: int, effort: Effort | None = None
    ) -> None:
        self._effort = effort or Effort()
        self._memory = memory
        self._boards = boards
        self._scheduler = scheduler
        self._page = page_bytes
        self.local: dict[int, LocalHandler] = {}
        self.remote: dict[int, RemoteHandler] = {}
        self.credits = 0
        self.master_waits = WaitList(memory)
        self._next_core = 0

    # -- the caller's side -------------------------------------------------------------------------------

    def frame(self, thread: Thread) -> CallFrame:
        """The record of the call that a thread is in."""
        return CallFrame(self._memory, frame_of(self._scheduler.kernel_stack(thread), self._page))

    def begin(self, core: int, call: int, arguments: tuple[int, ...]) -> Progress:
        """Let the thread on a core make a call, and carry it as far as one step goes."""
        thread = self._scheduler.current(core)
        frame = self.frame(thread)
        if frame.call:
            raise KernelPanic(f"thread {thread.tid} makes call {call} inside call {frame.call}")
        frame.clear()
        frame.call = call
        frame.set_arguments(arguments)
        if call in self.remote:
            frame.set_remote_arguments(arguments)
            frame.remote_call = call
            frame.remote_stage = DRAW
        return self.go_on(core)

    def go_on(self, core: int) -> Progress:
        """Carry the call of the thread on a core one step further; its result when it has ended."""
        thread = self._scheduler.current(core)
        frame = self.frame(thread)
        if frame.remote_stage:
            progress = self._remote(core, thread, frame)
            if not isinstance(progress, int):
                return progress
            frame.remote_stage = 0
            if frame.call in self.remote:
                frame.call = 0
                return progress
            frame.value = progress
        outcome = self._local(core, thread, frame)
        match outcome:
            case Remote(call=call, arguments=arguments, stage=stage):
                frame.stage = stage
                frame.remote_call = call
                frame.set_remote_arguments(arguments)
                frame.remote_stage = DRAW
                return Again(stage)
            case Leave(stage=stage) | Again(stage=stage):
                frame.stage = stage
                return outcome
        frame.call = 0
        return outcome

    def _local(self, core: int, thread: Thread, frame: CallFrame) -> Outcome:
        handler = self.local.get(frame.call)
        if handler is None:
            return NOT_SERVED
        request = Request(core, thread, frame.arguments, frame.stage, signed(frame.value))
        try:
            return handler(request)
        except Refused as refused:
            return -refused.errno

    def _remote(self, core: int, thread: Thread, frame: CallFrame) -> Progress:
        """A thread may change its core between two steps, so the board is that of the core where it began."""
        if frame.remote_stage == DRAW:
            frame.board = core
            frame.ticket = self._boards[core].next_ticket
            self._boards[core].next_ticket = frame.ticket + 1
            frame.remote_stage = TURN
        board = self._boards[frame.board]
        if frame.remote_stage == TURN:
            if frame.ticket != board.serving:
                self._scheduler.sleep(thread, board.waiting_for_turn)
                return Leave(frame.stage)
            if self._scheduler.held and core != MASTER_CORE:
                return Again(frame.stage)
            board.owner = thread.tid
            board.post(frame.remote_call, frame.remote_arguments)
            self.credits += 1
            self._effort.posted += 1
            self._scheduler.wake_one(self.master_waits)
            self._scheduler.send(MASTER_CORE, Event.WAKEUP)
            frame.remote_stage = ANSWER
            return Again(frame.stage)
        if not board.done:
            self._scheduler.sleep(thread, board.waiting_for_answer)
            return Leave(frame.stage)
        board.done -= 1
        result = signed(board.result)
        board.serving += 1
        self._scheduler.wake_one(board.waiting_for_turn)
        return result

    # -- the master's side -------------------------------------------------------------------------------

    def serve(self) -> bool:
        """Serve one posted call; False, and the master sleeps, when there is none.

        A credit without a pending board makes the master serve board 0 again: it repeats the dispatcher's last
        call and answers it once more (nanvix-facts 3.3, H23).
        """
        if not self.credits:
            self._scheduler.sleep(self._scheduler.master, self.master_waits)
            return False
        self.credits -= 1
        core = next((core for core in self._sweep() if self._boards[core].pending), MASTER_CORE)
        self._next_core = (core + 1) % self._boards.count
        board = self._boards[core]
        handler = self.remote.get(board.call)
        try:
            result = NOT_SERVED if handler is None else handler(core, board.arguments)
        except Refused as refused:
            result = -refused.errno
        board.pending = 0
        board.result = result
        board.done += 1
        self._scheduler.wake_one(board.waiting_for_answer)
        return True

    def _sweep(self) -> list[int]:
        count = self._boards.count
        return [(self._next_core + step) % count for step in range(count)]
