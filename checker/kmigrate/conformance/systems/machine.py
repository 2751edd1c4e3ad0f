"""The machine of a campaign: the whole system, from the moment at which its processes have all their threads.

A run ends when every thread has done what it had to do, no attempt is open and nothing is on its way. Bringing a
machine up takes as long as a run; it is done once for each setting, and copied.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from hashlib import blake2b

from kmigrate.conformance.judging.table import Step
from kmigrate.conformance.settings.programs import BEGIN, DONE, IDENTITY, WORD, Script
from kmigrate.conformance.settings.setting import Setting, program_of
from kmigrate.conformance.systems.look import Whole
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.names import Record
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.uarea import SYSTEM_NTHREADS
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.simulation.loop import Pending
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.machine import Machine as WholeMachine
from kmigrate.impl.system.snapshot import copy

UP_EVENTS = 20_000
"""Events after which a machine counts as one that does not come up."""

MOST_PROTOTYPES = 256

TASK = "task"
"""The kind of every choice."""

TICK, RUN, MASTER_RUN = ":tick", ":run", ".0:run"
"""How labels end of timers, of steps of threads, and of those on core 0."""

CLOCKS = ("cycles", "sent")
"""Facts of events that are times."""

HASH_BYTES = 16

IDLE_EVENTS = 2_500
"""Events of spinning threads and timers alone after which a machine with published daemons counts as over: nothing
there wakes anyone up later."""

CODE_WAITS = 24
"""Events in a row for which user code and timers wait for all else, where threads wait for one another: a
dispatcher that tries a write again and again must not hold up the thread that is to read."""

SETTLED_EVENTS = 150
"""The same, where all threads are done or held: those that are ready go round once more."""


class Machine:
    """One machine under way.

    Everything that is pending is offered at every step. The ordinary course takes turns by label, and lets user
    code and timers wait for all else; so no clock decides, and whoever spins holds up nobody.

    system   what it is
    touched  clusters that may have changed since somebody looked
    loop     its events and its choices
    steps    events so far
    turn     the label of what has happened last
    """

    def __init__(self, setting: Setting, choices: ChoiceSource) -> None:
        self.setting = setting
        self.steps = 0
        self.system = _fresh(setting)
        copy(prototype(setting), self.system)
        self.touched: set[int] = set(range(setting.clusters))
        self.kernels = [self.system.cluster(number).kernel for number in range(setting.clusters)]
        found = [self.system.daemon(number) for number in range(setting.clusters)]
        self.daemons = [daemon for daemon in found if isinstance(daemon, HardenedDaemon)]
        self._idle = self._waited = 0
        self._code = ""
        self._first = self.system.first_compute
        self.loop: Agenda = self.system.agenda
        self.loop.choices = choices
        self._kept = self.loop.tape.events
        self.turn = ""
        self._hash = blake2b(digest_size=HASH_BYTES)
        for kernel in self.kernels[: len(setting.scripts)]:
            kernel.memory.set_word(kernel.placement.sections + BEGIN, 1)
        for wish in setting.wishes:
            process = self.system.process(f"p{wish.process}")
            if wish.to < 0:
                self.system.cancel(process)
            else:
                self.system.move(process, wish.to)
        carried = self.system.fabric.carried
        self.system.fabric.plan = {
            carried + fault.position: replace(fault, position=carried + fault.position) for fault in setting.faults
        }

    @property
    def offered(self) -> list[Pending]:
        """What can be next, the ordinary course first."""
        found = {event.label: event for event in self.loop.offered}
        turns = in_turns(found, self.turn)
        if self.setting.lively and self._waited >= CODE_WAITS:
            waiting = [label for label in in_turns(found, self._code) if not _works(label)]
            turns = waiting + [label for label in turns if _works(label)]
        return [found[label] for label in turns]

    def step(self) -> Step | None:
        """Let one event happen, with all that is told while it does; None when the run is over.

        What can be next is one choice of kind "task".
        """
        if self.over:
            return None
        for crash in self.setting.crashes:
            if crash.at == self.steps:
                event = self.system.crash(crash.cluster)
                self.steps += 1
                return self._happened(event)
        offered = self.offered
        if not offered:
            return None
        chosen = 0
        if len(offered) > 1:
            chosen = self.loop.choices.choose(len(offered), TASK, [event.label for event in offered])
        self.turn = offered[chosen].label
        self._idle = 0 if _works(offered[0].label) else self._idle + 1
        self._waited = self._waited + 1 if _works(self.turn) else 0
        if not self._waited:
            self._code = self.turn
        self.steps += 1
        return self._happened(self.loop.take(offered[chosen]))

    def _happened(self, event: TraceEvent) -> Step:
        told = tuple(one for one in self._kept if one is not event)
        self._kept.clear()
        for one in (*told, event):
            if one.cluster is not None:
                self.touched.add(one.cluster)
        step = step_of(self.steps, event, told)
        self._hash.update(line_of(step))
        return step

    @property
    def trace_hash(self) -> str:
        """A hash over everything that has happened, clocks apart; 32 hexadecimal digits."""
        return self._hash.hexdigest()

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
        if not self.daemons:
            return ""
        residence = self.daemons[cluster].station.residence
        pages, frames = residence.kernel_pages, residence.frames
        return f"kernel pages {pages} and frames {frames}" if pages or frames else ""

    def misbelief(self, cluster: int) -> str:
        """What the daemon of a cluster has wrong about who stands there, in words; empty if nothing."""
        if not self.daemons:
            return ""
        resident, standing = self.daemons[cluster].station.resident, self.standing(cluster)
        believed = None if resident is None else resident.container
        if believed == standing:
            return ""
        return f"{_nobody(believed)} stands there, and {_nobody(standing)} does"

    @property
    def over(self) -> bool:
        """Whether nothing more is to be expected of the processes, and nothing is under way."""
        system = self.system
        if system.fabric.under_way or system.wishes or system.services.pending:
            return False
        if not self.daemons:
            return self._idle > IDLE_EVENTS or (self._idle > SETTLED_EVENTS and self._settled)
        return all(self.rests(cluster) for cluster in range(len(self.daemons)))

    def rests(self, cluster: int) -> bool:
        """Whether a cluster has stopped, or no attempt is open there, no letter in hand, no thread at work."""
        if self.stopped(cluster):
            return True
        dispatcher = self.kernels[cluster].dispatcher
        if dispatcher.begun is not None or dispatcher.board.credits:
            return False
        if self.system.network.mailboxes[self._first + cluster].received:
            return False
        daemon = self.daemons[cluster]
        if daemon.source.current is not None or daemon.destination.current is not None:
            return False
        return not daemon.station.courier.busy and self._done(cluster)

    @property
    def _settled(self) -> bool:
        """Whether no thread has anything more to do: all are done, or held by a cluster that nobody thaws."""
        clusters = range(self.setting.clusters)
        return all(self.stopped(c) or self.kernels[c].scheduler.frozen or self._done(c) for c in clusters)

    def _done(self, cluster: int) -> bool:
        """Whether every thread on a cluster has done what it had to do."""
        process = self.standing(cluster)
        if process is None or not 0 <= process < len(self.setting.scripts):
            return True
        kernel, script = self.kernels[cluster], self.setting.scripts[process]
        first = kernel.placement.sections + DONE
        done = all(kernel.memory.word(first + WORD * thread) for thread in range(1 + len(script.workers)))
        return done and kernel.uarea.nthreads == SYSTEM_NTHREADS + script.staying

    def miscount(self, cluster: int) -> str:
        """What the process on a cluster has counted wrong, in words; empty if nothing."""
        process = self.standing(cluster)
        if process is None or not 0 <= process < len(self.setting.scripts):
            return ""
        kernel = self.kernels[cluster]
        for offset, (expected, what) in self.setting.scripts[process].awaited().items():
            found = kernel.memory.word(kernel.placement.sections + offset)
            if found != expected:
                return f"{what}: {found}, not {expected}"
        return ""


def _nobody(process: int | None) -> str:
    return "nobody" if process is None else f"p{process}"


def in_turns(labels: Iterable[str], turn: str) -> list[str]:
    """What can be next, the ordinary course first; `turn` is what has happened last."""
    found = sorted(labels)
    place = bisect_right(found, turn)
    at_work: list[str] = []
    rest: list[str] = []
    for label in (*found[place:], *found[:place]):
        (at_work if _works(label) else rest).append(label)
    return at_work + rest


@cache
def _works(label: str) -> bool:
    """Whether an event is neither a step of user code nor a timer: such events come to an end by themselves."""
    return not label.endswith(TICK) and (not label.endswith(RUN) or label.endswith(MASTER_RUN))


def step_of(number: int, event: TraceEvent, told: tuple[TraceEvent, ...]) -> Step:
    """An event and what was told while it happened as one step, clocks apart."""
    return Step(number, 0, event.cluster, event.name, _timeless(event), tuple(map(_told, told)))


def line_of(step: Step) -> bytes:
    """What a step adds to the hash of a run: all that it says, whatever its number."""
    return step.text_of(0).encode() + b"\n"


def _told(event: TraceEvent) -> TraceEvent:
    return TraceEvent(0, 0, event.cluster, event.name, _timeless(event))


def _timeless(event: TraceEvent) -> dict[str, int | str]:
    """What an event says, clocks apart."""
    return {name: value for name, value in event.arguments.items() if name not in CLOCKS}


def _fresh(setting: Setting) -> WholeMachine:
    return WholeMachine(
        setting.geometry, Ordinary(), timing=setting.timing, daemon=setting.variant, keep=True, any_order=True
    )


def _is_a_further_thread(setting: Setting, event: Pending) -> bool:
    """Whether a slave core but the first goes on: further threads wait, so that a run begins before they do."""
    return setting.variant != "published" and event.label[2:4] in (
        f".{core}" for core in range(2, setting.slaves + 1)
    )


def _is_up(kernel: Kernel, script: Script, variant: str) -> bool:
    """Whether a process has all its threads, and its first one has heard that; published machines are not judged
    step by step and begin at once."""
    if kernel.uarea.nthreads != SYSTEM_NTHREADS + 1 + len(script.workers):
        return False
    first = next(iter(kernel.uarea.threads())).tid
    if not all(kernel.memory.word(kernel.placement.sections + offset) for offset in script.opened()):
        return False
    return variant == "published" or not any(board.owner == first and board.done for board in kernel.boards)


_prototypes: dict[tuple[object, ...], WholeMachine] = {}


def prototype(setting: Setting) -> WholeMachine:
    """A machine of a setting whose processes are up; made once."""
    built = (setting.variant, setting.clusters, setting.slaves, setting.patience, setting.quantum, setting.scripts)
    if built not in _prototypes:
        if len(_prototypes) >= MOST_PROTOTYPES:
            del _prototypes[next(iter(_prototypes))]
        system = _fresh(setting)
        for number, script in enumerate(setting.scripts):
            system.spawn(
                program_of(script, number, len(setting.scripts), setting.geometry),
                cluster=number,
                name=f"p{number}",
            )
        agenda = system.agenda
        for _ in range(UP_EVENTS):
            if len(system.services.state.records) == len(setting.scripts) and all(
                _is_up(system.cluster(number).kernel, script, setting.variant)
                for number, script in enumerate(setting.scripts)
            ):
                break
            agenda.take(
                next(
                    (event for event in agenda.pending if not _is_a_further_thread(setting, event)),
                    agenda.pending[0],
                )
            )
        else:
            raise AssertionError(f"the machine of {setting} does not come up")
        _prototypes[built] = system
    return _prototypes[built]
