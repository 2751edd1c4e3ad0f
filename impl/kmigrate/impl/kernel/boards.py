"""The system call boards: one per core, on which a slave core leaves its call for the master.

Source: nanvix-facts 3.3. Board 0 is the master core's own, for the dispatcher; a migration moves the others.
"""

from collections.abc import Iterator

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errors import BadStructure
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.queue import ThreadQueue
from kmigrate.impl.kernel.structures import BOARD, BOARD_ARGUMENTS, WORD_BYTES, Structure, Word, offset_of

_ANSWERS = offset_of(BOARD, "done.waiting.head")
_TURNS = offset_of(BOARD, "mutex.waiting.head")


class Board(Structure):
    """The board of one core.

    call         the number of the call
    result       what the master has answered
    pending      whether the master has not yet served the call
    done         how many answers have not been fetched
    next_ticket  the turn that the next thread of this core draws
    serving      whose turn it is
    owner        the tid of the thread that uses the board
    """

    __slots__ = ()

    call = Word(BOARD, "call")
    result = Word(BOARD, "result")
    pending = Word(BOARD, "pending")
    done = Word(BOARD, "done.count")
    next_ticket = Word(BOARD, "mutex.next_ticket")
    serving = Word(BOARD, "mutex.serving")
    owner = Word(BOARD, "mutex.owner")

    @property
    def waiting_for_answer(self) -> ThreadQueue:
        """The thread that sleeps until its call is served."""
        return ThreadQueue(self.memory, self.address + _ANSWERS)

    @property
    def waiting_for_turn(self) -> ThreadQueue:
        """The threads of this core that sleep until the board is free."""
        return ThreadQueue(self.memory, self.address + _TURNS)

    @property
    def arguments(self) -> tuple[int, ...]:
        """The five arguments, as unsigned words."""
        return tuple(self.memory.word(self.address + WORD_BYTES * i) for i in range(BOARD_ARGUMENTS))

    def post(self, call: int, arguments: tuple[int, ...]) -> None:
        """Write a call, which is pending from now on."""
        for i in range(BOARD_ARGUMENTS):
            self.memory.set_word(self.address + WORD_BYTES * i, arguments[i] if i < len(arguments) else 0)
        self.call = call
        self.pending = 1


class Boards:
    """The boards of a cluster by core."""

    def __init__(self, memory: Sram, placement: Placement) -> None:
        self._memory = memory
        self._base = placement.boards
        self.count = placement.geometry.cores

    def __getitem__(self, core: int) -> Board:
        if not 0 <= core < self.count:
            raise BadStructure("system call boards", core, self.count)
        return Board(self._memory, self._base + core * BOARD.itemsize)

    def __iter__(self) -> Iterator[Board]:
        return (self[core] for core in range(self.count))

    def user_call_pending(self) -> bool:
        """Whether a slave core's call is not yet served (the published look-up, nanvix-facts 5)."""
        return any(self[core].pending for core in range(1, self.count))
