"""The machine of a campaign: the whole system, from the moment at which its processes have all their threads.

A run ends when every thread has done what it had to do, no attempt is open and nothing is on its way. Bringing a
machine up takes as long as a run; it is done once for each setting, and copied.
"""

from __future__ import annotations

from collections.abc import Mapping

from kmigrate.conformance.look import Whole
from kmigrate.conformance.programs import BEGIN, DONE, IDENTITY, WORD
from kmigrate.conformance.setting import Setting, program_of
from kmigrate.conformance.table import Step
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.names import Record
from kmigrate.impl.kernel.uarea import SYSTEM_NTHREADS
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.snapshot import copy
from kmigrate.impl.system.system import System

UP_EVENTS = 20_000
"""Events after which a machine counts as one that does not come up."""

MOST_PROTOTYPES = 256


class Machine:
    """One machine under way.

    system   what it is
    touched  clusters that may have changed since somebody looked
    """

    def __init__(self, setting: Setting, choices: ChoiceSource) -> None:
        self.setting = setting
        self.system = _fresh(setting)
        prototype = _prototype(setting)
        copy(prototype, self.system)
        self.touched: set[int] = set(range(setting.clusters))
        self.kernels = [self.system.cluster(number).kernel for number in range(setting.clusters)]
        self.daemons = [_hardened(self.system, number) for number in range(setting.clusters)]
        self.loop: Agenda = self.system.agenda
        self.loop.choices = choices
        self._first = self.system.first_compute
        self._kept = self.loop.tape.events
        for kernel in self.kernels[: len(setting.scripts)]:
            kernel.memory.set_word(kernel.placement.sections + BEGIN, 1)
        now = self.system.now
        for wish in setting.wishes:
            process = self.system.process(f"p{wish.process}")
            if wish.to < 0:
                self.system.cancel(process, at=now + wish.at)
            else:
                self.system.move(process, wish.to, at=now + wish.at)
        for crash in setting.crashes:
            self.system.stop(crash.cluster, at=now + crash.at)

    def step(self) -> Step | None:
        """Let one event happen, with all that is told while it does; None when the run is over."""
        if self.over:
            return None
        event = self.system.step()
        if event is None:
            return None
        told = tuple(self._kept[:-1])
        self._kept.clear()
        touched = self.touched
        for one in (*told, event):
            self._touch(one, touched)
        return Step(event.sequence, event.cycle, event.cluster, event.name, event.arguments, told)

    def _touch(self, event: TraceEvent, touched: set[int]) -> None:
        if event.cluster is not None:
            touched.add(event.cluster)

    # -- what it looks like ------------------------------------------------------------------------------

    @property
    def whole(self) -> Whole:
        """What the abstraction looks at."""
        return Whole(self.kernels, self.daemons, self.records, self._first, self.stopped, self.touched)

    def records(self) -> Mapping[int, Record]:
        """The name service's records, by container."""
        return self.system.services.state.records

    def stopped(self, cluster: int) -> bool:
        """Whether a cluster has stopped for good."""
        return self.system.clusters[cluster].crash is not None

    def standing(self, cluster: int) -> int | None:
        """The process whose threads stand on a cluster; None without one."""
        kernel = self.kernels[cluster]
        if self.stopped(cluster) or kernel.uarea.nthreads == SYSTEM_NTHREADS:
            return None
        return kernel.memory.word(kernel.placement.sections + IDENTITY) - 1

    def runs(self, cluster: int) -> bool:
        """Whether what stands on a cluster may run."""
        return not self.stopped(cluster) and not self.kernels[cluster].scheduler.frozen

    def leftovers(self, cluster: int) -> str:
        """What a cluster on which no process stands has not given back, in words; empty if nothing."""
        residence = self.daemons[cluster].station.residence
        pages, frames = residence.kernel_pages, residence.frames
        return f"kernel pages {pages} and frames {frames}" if pages or frames else ""

    @property
    def over(self) -> bool:
        """Whether nothing more is to be expected of the processes, and nothing is under way."""
        system = self.system
        if system.fabric.under_way or system.wishes or system.stops or system.services.pending:
            return False
        for cluster, daemon in enumerate(self.daemons):
            if self.stopped(cluster):
                continue
            if daemon.source.current is not None or daemon.destination.current is not None:
                return False
            if daemon.station.courier.busy or not self._done(cluster):
                return False
        return True

    def _done(self, cluster: int) -> bool:
        """Whether every thread on a cluster has done what it had to do."""
        process = self.standing(cluster)
        if process is None or not 0 <= process < len(self.setting.scripts):
            return True
        kernel = self.kernels[cluster]
        first = kernel.placement.sections + DONE
        threads = 1 + len(self.setting.scripts[process].workers)
        return all(kernel.memory.word(first + WORD * thread) for thread in range(threads))


def _hardened(system: System, cluster: int) -> HardenedDaemon:
    daemon = system.daemon(cluster)
    assert isinstance(daemon, HardenedDaemon)
    return daemon


def _fresh(setting: Setting) -> System:
    return System(setting.geometry, Ordinary(), timing=setting.timing, keep=True)


_prototypes: dict[tuple[object, ...], System] = {}


def _prototype(setting: Setting) -> System:
    """A machine of a setting whose processes are up; made once."""
    key = (setting.clusters, setting.slaves, setting.patience, setting.scripts)
    if key not in _prototypes:
        if len(_prototypes) >= MOST_PROTOTYPES:
            del _prototypes[next(iter(_prototypes))]
        system = _fresh(setting)
        for number, script in enumerate(setting.scripts):
            system.spawn(program_of(script, number, setting.geometry), cluster=number, name=f"p{number}")
        for _ in range(UP_EVENTS):
            if len(system.services.state.records) == len(setting.scripts) and all(
                system.cluster(number).kernel.uarea.nthreads == SYSTEM_NTHREADS + 1 + len(script.workers)
                for number, script in enumerate(setting.scripts)
            ):
                break
            system.step()
        else:
            raise AssertionError(f"the machine of {setting} does not come up")
        _prototypes[key] = system
    return _prototypes[key]
