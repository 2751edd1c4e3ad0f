"""One cluster of the machine: memory, cores and kernel, and when each core does what.

A core that can do something has an event at the cycle at which it is free, one for each thing that it can do next,
interrupts first. What it then does takes as many cycles as the core has executed, or those of a step of the
kernel. A core that can do nothing has no event, so idle and frozen clusters cost nothing.

Cores of one cluster share memory; how finely their accesses interleave is the length of a slice, which is part of
the machine as its geometry is. The timer has an event only while a tick could change anything.

A kernel that panics stops its cluster and nothing else.

A step of the kernel takes longer for each task that the dispatcher takes in it and for each thread that a core
walks past in the READY queue.

Source: nanvix-facts 3.2, 11; `simulation.timing` for the cycles.
"""

from collections.abc import Callable

from kmigrate.impl.chip.core import Cores
from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.chip.stop import Reason
from kmigrate.impl.errors import ImplError
from kmigrate.impl.kernel.errors import UnhandledException
from kmigrate.impl.kernel.kernel import Kernel, Step
from kmigrate.impl.kernel.machinecode import SP, MachineCode
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.kernel.placement import MASTER_CORE, Placement
from kmigrate.impl.kernel.syscall import Call, Request
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.errors import ClusterCrashed, cluster_name

CLOCK_MASK = 0x7FFFFFFF

Armed = tuple[tuple[Step, Pending], ...]
"""What a core can do next: a step, and the event that is pending for it."""


class Cluster:
    """A cluster with a kernel that is up, and no process yet.

    number   in the trace; None for the I/O cluster
    node     its node on the network
    crash    how its kernel has stopped; None while it runs
    left     is told when a thread has left a core for good, or for a while
    runtime  digest of the runtime beside the kernel; empty without one
    stepping the core whose step is being taken; None between steps
    version  changes whenever anything here may have changed
    """

    def __init__(
        self,
        number: int | None,
        node: int,
        geometry: Geometry,
        network: Network,
        agenda: Agenda,
        timing: Timing,
        *,
        uarea: bool = True,
        exact: bool = False,
        memory: Callable[[int], Sram] = Sram,
    ) -> None:
        self.number = number
        self.node = node
        self.name = cluster_name(number)
        self.crash: ClusterCrashed | None = None
        self.left: Callable[[], None] = lambda: None
        self.runtime = ""
        self.version = 0
        self.memory = memory(geometry.memory_bytes)
        self.placement = Placement.of(geometry, together=uarea)
        self.cores = Cores(self.memory, geometry, exact=exact)
        code = MachineCode(self.cores, self.placement, timing.slice)
        self.kernel = Kernel(self.memory, self.placement, code, node=node, quantum=timing.quantum, network=network)
        self.kernel.calls.local[Call.CLOCK] = self._clock
        self._agenda = agenda
        self._timing = timing
        self.stepping: int | None = None
        count = self.kernel.scheduler.cores
        self.free_at = [0] * count
        self.armed: list[Armed] = [()] * count
        self.timer: Pending | None = None
        self.ticks = 0
        self._stepping, self._ticking = f"{self.name} step", f"{self.name} tick"
        agenda.actions.update({self._stepping: self._step, self._ticking: self._tick})
        self.kernel.boot()
        self.kernel.scheduler.notice = self.arm
        for core in range(count):
            self.arm(core)

    # -- what is pending ---------------------------------------------------------------------------------

    def arm(self, core: int) -> None:
        """Have an event pending for each thing that a core can do, and no other."""
        self.version += 1
        if self.crash is not None or core == self.stepping:
            return
        offered = self.kernel.steps(core)
        armed = self.armed[core]
        if tuple(step for step, _ in armed) != offered:
            for _, event in armed:
                self._agenda.withdraw(event)
            at = self.free_at[core]
            self.armed[core] = tuple([(step, self._post(core, step, at)) for step in offered])
        if core == MASTER_CORE:
            self.arm_timer()

    def _post(self, core: int, step: Step, at: int) -> Pending:
        label = f"{self.name}.{core}:{step}"
        return self._agenda.post_at(at, EventClass.TASK, label, self._stepping, core, step)

    def arm_timer(self) -> None:
        """Have a tick pending while one could change anything."""
        matters = self.crash is None and self.kernel.ticks_matter
        if matters and self.timer is None:
            now = self._agenda.now
            period = self._timing.tick_cycles
            at = now + period - now % period
            self.timer = self._agenda.post_at(at, EventClass.TASK, f"{self.name}.0:tick", self._ticking)
        elif not matters and self.timer is not None:
            self._agenda.withdraw(self.timer)
            self.timer = None

    # -- what happens ------------------------------------------------------------------------------------

    def _step(self, core: int, step: Step) -> TraceEvent:
        """Let a core do one thing, which begins now and takes its cycles."""
        now = self._agenda.now
        for other, event in self.armed[core]:
            if other is not step:
                self._agenda.withdraw(event)
        self.armed[core] = ()
        self.kernel.clock = now
        self._grow_older()
        thread = self.kernel.scheduler.current(core).tid
        self.cores.set_cycle(core, now)
        self.stepping = core
        self.guard(lambda: self.kernel.step(core, step), core, thread)
        self.stepping = None
        ran = self.cores.cycle(core) - now
        busy = ran + self._kernel_cycles(ran)
        self.free_at[core] = now + busy
        self.guard(lambda: self._rearm(core), core, thread)
        if step is Step.PROLOG:
            self.left()
        return self._agenda.record(self.number, step.value, core=core, thread=thread, cycles=busy)

    def _kernel_cycles(self, ran: int) -> int:
        """What the kernel takes for the step that has just happened, in which user code ran so many cycles."""
        timing, effort = self._timing, self.kernel.effort
        step = timing.post_cycles if effort.posted else timing.step_cycles
        cycles = 0 if ran >= timing.slice else step
        cycles += effort.dispatched * timing.dispatch_cycles + effort.passed * timing.passed_cycles
        effort.forget()
        return cycles

    def _rearm(self, core: int) -> None:
        self.arm(core)
        if core != MASTER_CORE:
            self.arm_timer()

    def _grow_older(self) -> None:
        """Make up for ticks that could change nothing, before a thread comes whose age they do not count for."""
        passed = self._agenda.now // self._timing.tick_cycles
        if self.timer is None and passed > self.ticks and not self._agenda.any_order:
            self.kernel.scheduler.grow_older(passed - self.ticks)
            self.ticks = passed

    def _tick(self) -> TraceEvent:
        """The timer of core 0."""
        self.version += 1
        self.timer = None
        passed = self._agenda.now // self._timing.tick_cycles
        ticks, self.ticks = max(1, passed - self.ticks), passed
        if self._agenda.any_order:
            ticks = 1  # the clock says nothing about what has happened
        self.guard(lambda: self.kernel.tick(ticks))
        self.guard(self.arm_timer)
        return self._agenda.record(self.number, "tick", core=MASTER_CORE)

    def _clock(self, request: Request) -> int:
        """The call that reads the clock: that of the core on which it is made."""
        return self.cores.cycle(request.core) & CLOCK_MASK

    # -- the end -----------------------------------------------------------------------------------------

    def guard(self, action: Callable[[], object], core: int = MASTER_CORE, thread: int | None = None) -> None:
        """Let the kernel do something, and stop if it cannot; a kernel that has stopped does nothing.

        Damaged structures show as values that are none, or as places where nothing is.
        """
        if self.crash is not None:
            return
        try:
            action()
        except (ImplError, ValueError, LookupError) as error:
            self.stop(f"{self._told(error)}{self._overflows()}", core, thread)

    def stop(self, why: str, core: int = MASTER_CORE, thread: int | None = None) -> TraceEvent:
        """Nothing happens in this cluster any more. `thread` is the one on the core if it is not said."""
        self.version += 1
        thread = self.kernel.scheduler.current(core).tid if thread is None else thread
        self.crash = ClusterCrashed(self.number, core, thread, self._agenda.now, why)
        for armed in self.armed:
            for _, event in armed:
                self._agenda.withdraw(event)
        self.armed = [()] * len(self.armed)
        if self.timer is not None:
            self._agenda.withdraw(self.timer)
            self.timer = None
        return self._agenda.record(self.number, "crash", core=core, thread=thread, why=why)

    def _told(self, error: Exception) -> str:
        if isinstance(error, UnhandledException):
            name = Reason(error.exception).name.replace("_", " ").lower()
            return f"{name} {error.address:#x} by the instruction at {error.instruction:#x}, which nobody handles"
        return str(error) if isinstance(error, ImplError) else f"kernel panic: its structures are damaged: {error}"

    def _overflows(self) -> str:
        """Which threads on a core have left their stack at its lower end."""
        uarea, scheduler = self.kernel.uarea, self.kernel.scheduler
        found = []
        for core in range(1, scheduler.cores):
            slot = uarea.slot_of(scheduler.current(core))
            below = 0 if slot is None else uarea.user_stack(slot) - self.cores.register(core, SP)
            if slot is not None and 0 < below < len(self.memory):
                found.append(
                    f"; stack overflow: the stack pointer of core {core} is {below} bytes below its thread's stack"
                )
        return "".join(found)
