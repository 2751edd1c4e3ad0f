"""A kernel on the event loop: every step of a core is an event, so every interleaving is a choice list.

A core that can do something has an event for each thing that it can do next, so that an interrupt may be taken
late. The timer has an event only while a tick could change anything; ticks that changed nothing are made up for.

Source: nanvix-facts 3.2, 11. The cycles of a step are assumed; 128 ticks are about 10 ms (nanvix-facts 8.3, 8.5).
"""

from dataclasses import dataclass

from kmigrate.impl.kernel.kernel import Kernel, Step
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.simulation.loop import EventClass, Loop, Pending
from kmigrate.impl.simulation.trace import TraceEvent


@dataclass(frozen=True, slots=True)
class StepCycles:
    """How long things take, in cycles (assumed).

    run     a step of a thread, of the master or of the dispatcher
    switch  taking an interrupt or running a prolog
    tick    the period of the timer
    """

    run: int = 1_000
    switch: int = 500
    tick: int = 31_250


class Execution:
    """One kernel, driven by the loop.

    kernel   what is driven
    cluster  its number in traces
    """

    def __init__(self, kernel: Kernel, loop: Loop, cluster: int, cycles: StepCycles | None = None) -> None:
        self.kernel = kernel
        self.cluster = cluster
        self._loop = loop
        self._cycles = cycles or StepCycles()
        self._armed: list[dict[Step, Pending]] = [{} for _ in range(kernel.scheduler.cores)]
        self._timer: Pending | None = None
        self._ticks = 0
        kernel.scheduler.notice = self._arm
        for core in range(kernel.scheduler.cores):
            self._arm(core)

    def _arm(self, core: int) -> None:
        """Have an event pending for each thing that a core can do, and no other."""
        offered = self.kernel.steps(core)
        armed = self._armed[core]
        for step in [step for step in armed if step not in offered]:
            self._loop.withdraw(armed.pop(step))
        for step in offered:
            if step not in armed:
                delay = self._cycles.run if step is Step.RUN else self._cycles.switch
                label = f"c{self.cluster}.{core}:{step}"
                armed[step] = self._loop.post(delay, EventClass.TASK, label, self._step, core, step)
        if core == MASTER_CORE:
            self._arm_timer()

    def _arm_timer(self) -> None:
        matters = self.kernel.ticks_matter
        if matters and self._timer is None:
            delay = self._cycles.tick - self._loop.now % self._cycles.tick
            self._timer = self._loop.post(delay, EventClass.TASK, f"c{self.cluster}.0:tick", self._tick)
        elif not matters and self._timer is not None:
            self._loop.withdraw(self._timer)
            self._timer = None

    def _step(self, core: int, step: Step) -> TraceEvent:
        del self._armed[core][step]
        self.kernel.clock = self._loop.now
        thread = self.kernel.scheduler.current(core).tid
        self.kernel.step(core, step)
        self._arm(core)
        if core != MASTER_CORE:
            self._arm_timer()
        return self._loop.record(self.cluster, step.value, core=core, thread=thread)

    def _tick(self) -> TraceEvent:
        self._timer = None
        self.kernel.clock = self._loop.now
        passed = self._loop.now // self._cycles.tick
        self.kernel.tick(max(1, passed - self._ticks))
        self._ticks = passed
        self._arm_timer()
        return self._loop.record(self.cluster, "tick", core=MASTER_CORE)
