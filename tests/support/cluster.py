"""A cluster with scripts as its user code, and a driver that is fair or does what a choice source says."""

from __future__ import annotations

from kmigrate.impl.chip.geometry import MPPA256, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errno import name_of
from kmigrate.impl.kernel.kernel import Kernel, Step
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.structures import BOARD, THREAD
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import ThreadState
from kmigrate.impl.simulation.choice import ChoiceSource
from support.scripts import Routine, Script, Scripts, call

STEPS_PER_TICK = 64
LIMIT = 400_000


class Stuck(AssertionError):
    """Nothing can happen any more, but the main thread has not ended."""


class Driver:
    """Drives one kernel: its cores take turns, or a choice source decides."""

    def __init__(self, kernel: Kernel, choices: ChoiceSource | None = None) -> None:
        self.kernel = kernel
        self.choices = choices
        self.steps = 0
        self._turn = 0

    def offered(self) -> list[tuple[int, Step]]:
        """What can happen next; cores take turns."""
        cores = self.kernel.scheduler.cores
        order = [(self._turn + i) % cores for i in range(cores)]
        return [(core, what) for core in order for what in self.kernel.steps(core)]

    def next_turn(self) -> list[tuple[int, Step]]:
        """The ordinary course alone: what the next core that can do something does."""
        cores = self.kernel.scheduler.cores
        for turn in range(self._turn, self._turn + cores):
            steps = self.kernel.steps(turn % cores)
            if steps:
                return [(turn % cores, steps[0])]
        return []

    def step(self) -> bool:
        """Let one thing happen; False when nothing can."""
        self.steps += 1
        if self.steps % STEPS_PER_TICK == 0:
            self.kernel.tick()
        offered = self.offered() if self.choices is not None else self.next_turn()
        if not offered:
            if not self.kernel.ticks_matter:
                return False
            self.kernel.tick()
            return True
        chosen = 0
        if self.choices is not None:
            labels = [f"core{core}:{what}" for core, what in offered]
            chosen = self.choices.choose(len(offered), "task", labels)
        core, what = offered[chosen]
        self._turn = core + 1
        self.kernel.step(core, what)
        return True

    def run_until_ended(self, tid: int, limit: int = LIMIT) -> None:
        """Drive until a thread has ended."""
        for _ in range(limit):
            if self.kernel.threads.find(tid) is None:
                return
            if not self.step():
                raise Stuck(self.picture())
        raise AssertionError(f"not done after {limit} steps\n{self.picture()}")

    def settle(self, limit: int = LIMIT) -> None:
        """Drive until nothing can happen."""
        for _ in range(limit):
            if not self.step():
                return
        raise AssertionError(f"not quiet after {limit} steps\n{self.picture()}")

    def picture(self) -> str:
        """Threads and boards, for a message."""
        lines = [f"THREAD {THREAD.itemsize} B, BOARD {BOARD.itemsize} B"]
        for thread in self.kernel.uarea.threads():
            if thread.state != ThreadState.NOT_STARTED:
                frame = self.kernel.calls.frame(thread)
                lines.append(
                    f"tid {thread.tid} core {thread.core} {ThreadState(thread.state).name} "
                    f"call {frame.call} stage {frame.stage} remote {frame.remote_call}/{frame.remote_stage}"
                )
        lines.append(f"ready {[thread.tid for thread in self.kernel.uarea.ready]}")
        return "\n".join(lines)


class Cluster(Driver):
    """One kernel with scripts as its user code, and what drives it.

    heap      address of user memory that routines may use as they like
    results   what routines have noted
    """

    def __init__(
        self,
        geometry: Geometry = MPPA256,
        choices: ChoiceSource | None = None,
        *,
        together: bool = True,
        quantum: int = 8,
        node: int = 8,
        network: Network | None = None,
    ) -> None:
        self.memory = Sram(geometry.memory_bytes)
        self.scripts = Scripts(self.memory)
        self.placement = Placement.of(geometry, together=together)
        super().__init__(
            Kernel(self.memory, self.placement, self.scripts, node=node, quantum=quantum, network=network), choices
        )
        self.heap = self.placement.sections
        self.results: list[int] = []
        self._allocated = 0

    def start(self, main: Routine, argument: int = 0) -> int:
        """Bring the kernel up; the tid of the main thread."""
        return self.kernel.start(self.scripts.routine(main), argument).tid

    def run(self, main: Routine, argument: int = 0, limit: int = LIMIT) -> Cluster:
        """Start, and drive until the main thread has ended."""
        self.run_until_ended(self.start(main, argument), limit)
        return self

    # -- memory for routines -----------------------------------------------------------------------------

    def allocate(self, size: int) -> int:
        """Some bytes of user memory, zero."""
        address = self.heap + self._allocated
        self._allocated += -(-size // 8) * 8
        assert self._allocated < self.placement.geometry.user_bytes - 4, "the last word is that of `create`"
        return address

    def word(self, address: int) -> int:
        return self.memory.word(address)

    # -- for routines ------------------------------------------------------------------------------------

    def create(self, routine: Routine, argument: int = 0) -> Script:
        """Create a thread: its tid, or the negative error."""
        place = self.heap + self.placement.geometry.user_bytes - 4
        result = yield from call(Call.THREAD_CREATE, place, self.scripts.routine(routine), argument)
        return result if result < 0 else self.word(place)

    def note(self, value: int) -> None:
        self.results.append(value)

    @property
    def names(self) -> list[str]:
        """The results as `OK` or the name of the error."""
        return [name_of(result) for result in self.results]
