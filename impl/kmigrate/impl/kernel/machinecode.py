"""User code as RISC-V machine code on the cores of the cluster.

A call is an `ecall` with its number in a7 and its arguments in a0 to a4; the result comes back in a0. A thread
begins with its argument in a0 and the upper end of its stack in sp, and may return: stubs behind the kernel's
tables turn a return from the start routine into THREAD_EXIT, one from a signal handler into SIGRETURN and one from
a task's function into TASK_RETURN. What a signal interrupts is kept on the user stack.

A core forgets its data cache when it changes threads and when a call ends, as the real one does (nanvix-facts 1).

Source: nanvix-facts 1, 3.3; the RISC-V calling convention. Registers of calls and stubs are ours.
"""

from kmigrate.impl.chip.core import Cores
from kmigrate.impl.kernel.exceptions import EXCEPTIONS_NUM
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.structures import BOARD_ARGUMENTS, WORD_BYTES
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import CONTEXT_BYTES
from kmigrate.impl.kernel.usercode import Fault, Trap, UserEvent

RA, SP, A0, A7 = 1, 2, 10, 17
"""Registers by their numbers: return address, stack pointer, first argument, number of a call."""

SLICE_CYCLES = 1_000
"""Cycles after which a step of user code ends by itself."""

_ECALL = 0x00000073
_LOAD_A7 = 0x00000893
"""`addi a7, zero, 0`; the number goes into the upper twelve bits."""
_IMMEDIATE_SHIFT = 20
_STACK_ALIGNMENT = 16


class MachineCode:
    """What runs machine code for a kernel.

    cores         the cluster's cores
    slice_cycles  most cycles of one step
    """

    def __init__(self, cores: Cores, placement: Placement, slice_cycles: int = SLICE_CYCLES) -> None:
        self._cores = cores
        self._memory = cores.memory
        self._slice = slice_cycles
        self._exit_stub = placement.stubs
        self._signal_stub = placement.stubs + 2 * WORD_BYTES
        self._task_stub = placement.stubs + 4 * WORD_BYTES
        for stub, call in (
            (self._exit_stub, Call.THREAD_EXIT),
            (self._signal_stub, Call.SIGRETURN),
            (self._task_stub, Call.TASK_RETURN),
        ):
            self._memory.set_word(stub, _LOAD_A7 | call << _IMMEDIATE_SHIFT)
            self._memory.set_word(stub + WORD_BYTES, _ECALL)
        for core in range(cores.count):
            cores.set_directory(core, placement.directory)
            cores.set_user(core, True)

    def prepare(self, context: int, start: int, argument: int, stack: int) -> None:
        """Write the context of a thread that is to begin at `start` with its stack's upper end at `stack`."""
        self._memory.fill(context, CONTEXT_BYTES)
        for register, value in ((0, start), (RA, self._exit_stub), (SP, stack), (A0, argument)):
            self._memory.set_word(context + WORD_BYTES * register, value)

    def save(self, core: int, context: int) -> None:
        """Copy the registers of a core into memory."""
        self._cores.save(core, context)

    def restore(self, core: int, context: int) -> None:
        """Copy registers from memory into a core."""
        self._cores.cache_invalidate(core)
        self._cores.restore(core, context)

    def step(self, core: int) -> UserEvent:
        """Run the thread on a core until it makes a call or fails, at most for one slice."""
        stop = self._cores.run(core, self._slice)
        if stop.called:
            arguments = tuple(self._cores.register(core, A0 + number) for number in range(BOARD_ARGUMENTS))
            return Trap(self._cores.register(core, A7), arguments)
        if 0 <= stop.reason < EXCEPTIONS_NUM:
            return Fault(stop.reason, stop.address, stop.pc)
        return None

    def answer(self, core: int, result: int) -> None:
        """End the kernel call that the thread on a core is in with its result, a signed number."""
        self._cores.cache_invalidate(core)
        self._cores.answer(core, result)

    def signal(self, core: int, handler: int, number: int) -> None:
        """Let the thread on a core run a signal handler before it goes on where it is."""
        stack = self._cores.register(core, SP) - CONTEXT_BYTES & -_STACK_ALIGNMENT
        self._cores.save(core, stack)
        for register, value in ((RA, self._signal_stub), (SP, stack), (A0, number)):
            self._cores.set_register(core, register, value)
        self._cores.set_pc(core, handler)

    def end_signal(self, core: int) -> None:
        """The handler is done: the thread on a core goes on where the signal met it."""
        self._cores.restore(core, self._cores.register(core, SP))

    def call(self, core: int, start: int, arguments: tuple[int, ...], stack: int) -> None:
        """Let a core begin a function, whose return is a TASK_RETURN with its value."""
        self._cores.cache_invalidate(core)
        self._cores.set_register(core, RA, self._task_stub)
        self._cores.set_register(core, SP, stack)
        for number, argument in enumerate(arguments):
            self._cores.set_register(core, A0 + number, argument)
        self._cores.set_pc(core, start)

    def skip(self, core: int) -> None:
        """Let the thread on a core pass over the instruction that has failed."""
        self._cores.set_pc(core, self._cores.pc(core) + WORD_BYTES)

    def shoot_down(self, page: int) -> None:
        """Let all cores forget their translation of a virtual page."""
        self._cores.tlb_shootdown(page)
        if self._cores.exact:  # a core's miss handler reads the tables through its data cache
            for core in range(self._cores.count):
                self._cores.cache_invalidate(core)
