"""The whole machine: a chip of clusters with a kernel each, services on the I/O cluster, one network, one clock.

    system = Machine(MPPA256)
    process = system.spawn("benchmark", cluster=3)
    assert system.wait(process) == 0

A process is asked for by a message to the kernel of its cluster and begins when its bytes are there. It is moved
by the migration daemons, which are tasks of the kernels: it asks its own with a system call, and who is outside
asks by a message of the service of moves. The machine is a function of its choices: the same ones give the same
run, cycle by cycle.

Source: nanvix-facts 1, 3, 4; the services are ours.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from kmigrate.impl.chip.geometry import MPPA256, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.daemon.attempt import Refusal
from kmigrate.impl.daemon.published import PublishedDaemon
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.kernel.errno import name_of
from kmigrate.impl.kernel.threads import GONE
from kmigrate.impl.programs.catalogue import names, shipped_image
from kmigrate.impl.programs.console import console_text
from kmigrate.impl.programs.program import UserProgram, read_user_program
from kmigrate.impl.programs.source import ENDINGS, program_from
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.errors import (
    BadName,
    ClusterCrashed,
    NameTaken,
    NoSuchMode,
    NoSuchProcess,
    NothingHappens,
    OutOfTime,
    ProcessLost,
    SpawnRefused,
    cluster_name,
)
from kmigrate.impl.system.faults import NetworkFault
from kmigrate.impl.system.letters import NAME_BYTES, good_name
from kmigrate.impl.system.moves import Moves, MoveStatus, Wish
from kmigrate.impl.system.parts import Parts
from kmigrate.impl.system.pieces import Pieces
from kmigrate.impl.system.process import Phase, Process
from kmigrate.impl.system.remains import Remains
from kmigrate.impl.system.requests import MoveRequest, Spawn, Stage
from kmigrate.spec.vocabulary import Mode, MovePhase

NAME_DIGITS = 3

HEAR = "hear"
"""The name of what happens when a wish is heard."""


class Machine(Parts):
    """A machine of one geometry, its kernels up.

    geometry  of the chip
    choices   decide every tie; None for the ordinary course
    timing    of every cluster
    uarea     whether what belongs to a process lies together in the kernel; without it there are no daemons
    daemon    which migration daemon every cluster has: hardened or published
    exact     whether cores see memory through their caches
    memory    makes the memory of a cluster of so many bytes
    any_order whether every pending event is offered to the choices, and not only those of one cycle
    faults    what goes wrong on the network
    keep      whether the events of the trace are kept, for a picture of the run
    """

    def __init__(
        self,
        geometry: Geometry = MPPA256,
        choices: ChoiceSource | None = None,
        *,
        timing: Timing | None = None,
        uarea: bool = True,
        daemon: DaemonKind | str = DaemonKind.HARDENED,
        exact: bool = False,
        any_order: bool = False,
        faults: Iterable[NetworkFault] = (),
        keep: bool = False,
        memory: Callable[[int], Sram] = Sram,
    ) -> None:
        super().__init__(
            geometry,
            Agenda(choices or Ordinary(), keep=keep, any_order=any_order),
            timing or Timing(),
            DaemonKind.of(daemon) if uarea else None,
            self._told,
            exact=exact,
            memory=memory,
        )
        self.fabric.plan = {fault.position: fault for fault in faults}
        self.services.refused, self.services.tell = self._refused, self._seen
        self.uarea = uarea
        self.daemon_kind = DaemonKind.of(daemon)
        self.moves = Moves()
        self.copied: dict[object, tuple[object, int, int]] = {}
        self.digests: dict[int | None, tuple[int, bytes]] = {}
        self.keys: dict[int | None, tuple[int, bytes]] = {}
        self.remains: dict[int | None, Remains] = {}
        self.pieces: dict[int | None, Pieces] = {}
        self.processes: dict[str, Process] = {}
        self.ended: dict[str, int] = {}
        for cluster in self.clusters.values():
            cluster.left = partial(self._settle, cluster)
        self.wishes: list[tuple[Pending, Wish]] = []
        self.agenda.actions[HEAR] = self._hear

    # -- daemons -----------------------------------------------------------------------------------------

    def _told(self, cluster: Cluster, name: str, facts: Mapping[str, int | str]) -> None:
        """A daemon has told something: it is written into the trace, and the moves are kept up to date."""
        self.agenda.record(cluster.number, name, **facts)
        daemon = self.daemons.get(cluster.node)
        if isinstance(daemon, PublishedDaemon):
            sizes = daemon.section_bytes
            self.moves.heed_published(cluster.node, self.now, name, facts, self._standing_on, sizes)
        elif "by" not in facts:
            self._seen(name, facts)

    def _seen(self, name: str, facts: Mapping[str, int | str]) -> None:
        """Something has happened in an attempt."""
        process = self._by_container(int(facts["process"]))
        if process is not None:
            self.moves.heed(process.name, self.now, name, facts)

    def _refused(self, request: MoveRequest) -> None:
        """The service of moves has refused a request itself; one beside another says nothing of that."""
        process = self._by_container(request.container)
        if process is not None and request.reason is not None and request.reason is not Refusal.UNDER_WAY:
            self.moves.refused(process.name, request.owner, request.node, self.now, request.reason.reason)

    def _standing_on(self, node: int) -> str | None:
        """The name of the process that was last on a node; None without one."""
        found = [name for name, process in self.processes.items() if self.place(process).node == node]
        return found[-1] if found else None

    def _by_container(self, container: int) -> Process | None:
        return next((process for process in self.processes.values() if process.number == container), None)

    def move(
        self,
        process: Process,
        to: int | None,
        *,
        at: int | None = None,
        mode: Mode = Mode.STOP_AND_COPY,
        limits: Limits | None = None,
    ) -> None:
        """Wish for a move of a process to another cluster at a cycle; None: now.

        With hardened daemons the service of moves asks the daemon of the owner, which makes the attempt or refuses;
        `status` says how it stands. The published protocol has no message for that: the call is dispatched on the
        cluster of the process as if a thread of it had made it, and knows one mode.
        limits  of the rounds in which the process is copied while it runs
        Raises  NoSuchPlace, NoDaemon, NoSuchMode
        """
        self.daemon(to)
        if self.daemon_kind is DaemonKind.PUBLISHED and mode is not Mode.STOP_AND_COPY:
            raise NoSuchMode(mode.value)
        self.wish(Wish(process.name, self.cluster(to).node, mode, limits or Limits()), at)

    def cancel(self, process: Process, *, at: int | None = None) -> None:
        """Wish that the move of a process be called off, at a cycle; None: now. Nothing happens without one."""
        self.wish(Wish(process.name, None), at)

    def wish(self, wished: Wish, at: int | None = None) -> None:
        """Let a wish be heard at a cycle; None: now."""
        cycle = self.now if at is None else at
        label = f"io:{'cancel' if wished.node is None else 'move'} {wished.process}"
        event = self.agenda.post_at(cycle, EventClass.WORKLOAD, label, HEAR, wished)
        self.wishes.append((event, wished))

    def _hear(self, wished: Wish) -> TraceEvent:
        self.wishes = [one for one in self.wishes if one[1] is not wished]
        process = self.processes[wished.process]
        if self.daemon_kind is DaemonKind.PUBLISHED:
            place = self.place(process)
            if wished.node is not None:
                daemon = self.daemons[place.node]
                assert isinstance(daemon, PublishedDaemon)
                place.version += 1
                place.guard(partial(place.kernel.tasks.dispatch, daemon.entry, (wished.node,)))
        elif wished.node is None:
            self.services.call_off(process.number)
        else:
            self.services.ask(process.number, wished.node, wished.mode, wished.limits)
        if wished.node is None:
            return self.agenda.record(None, "cancel_wished", process=process.number)
        return self.agenda.record(None, "move_wished", process=process.number, node=wished.node)

    def status(self, process: Process) -> MoveStatus | None:
        """How the last move of a process stands; None without one."""
        status = self.moves.last.get(process.name)
        if status is not None and self.place(process).crash is not None:
            return replace(status, phase=MovePhase.LOST_WITH_NODE)
        return status

    # -- processes ---------------------------------------------------------------------------------------

    def program(self, program: str | Path | bytes | UserProgram) -> UserProgram:
        """A program for this geometry: one that ships, by name; an ELF file or C source, by path; or its bytes.

        Raises  NoSuchProgram, NoSource, BadElf, WrongLayout; for a source NoToolchain, NotBuilt
        """
        match program:
            case UserProgram():
                return program
            case bytes():
                return read_user_program("program", program, self.geometry)
            case Path():
                return program_from(program, self.geometry)
            case str() if program not in names() and (program.endswith(ENDINGS) or "/" in program):
                return program_from(Path(program), self.geometry)
        return read_user_program(program, shipped_image(program), self.geometry)

    def spawn(
        self,
        program: str | Path | bytes | UserProgram,
        cluster: int | None = 0,
        argument: int = 0,
        *,
        name: str | None = None,
    ) -> Process:
        """Ask the spawn service for a process; it begins when its cluster has taken it in.

        name    its logical name; None: that of the program and a number
        Raises  what `program` raises, NoSuchPlace, BadName, NameTaken
        """
        loaded = self.program(program)
        place = self.cluster(cluster)
        number = len(self.services.state.spawns)
        called = name or f"{loaded.name[: NAME_BYTES - NAME_DIGITS - 1]}.{number}"
        if not good_name(called):
            raise BadName(called, NAME_BYTES)
        if called in self.processes:
            raise NameTaken(called)
        process = Process(called, number, loaded)
        self.processes[called] = process
        start = loaded.symbols.get("__OF_CLUSTER_START", 0) if place.runtime == loaded.runtime_digest else 0
        stretches = tuple(stretch for stretch in loaded.stretches if stretch[1] and stretch[0] >= start)
        place.runtime = loaded.runtime_digest
        self.services.spawn(called, place.node, loaded.name, loaded.entry, argument, stretches)
        return process

    def process(self, name: str) -> Process:
        """A process by its name. Raises NoSuchProcess."""
        if name not in self.processes:
            raise NoSuchProcess(name, tuple(self.processes))
        return self.processes[name]

    def spawned(self, process: Process) -> Spawn:
        """What the spawn service knows of a process."""
        return self.services.state.spawns[process.number]

    def place(self, process: Process) -> Cluster:
        """Where a process is, by the name service; before it has begun, where it is to begin.

        With published daemons nobody tells the name service: it is where a daemon has received it last.
        """
        if process.name in self.moves.seen_on:
            return self._by_node[self.moves.seen_on[process.name]]
        record = self.services.state.records.get(process.number)
        return self._by_node[self.spawned(process).node if record is None else record.owner]

    def copies(self, process: Process) -> tuple[int | None, ...]:
        """The clusters on which something of a process stands: threads that have not ended, and the code it runs.

        Copies that are held count, as one that is about to begin does. Processes of one program are not told apart.
        """
        first = next(
            segment for segment in process.program.segments if segment.address >= process.program.user_start
        )
        return tuple(
            number
            for number, cluster in self.clusters.items()
            if cluster.crash is None
            and any(thread.state not in GONE for thread in cluster.kernel.uarea.threads())
            and cluster.memory.holds(first.address, first.content)
        )

    def _settle(self, cluster: Cluster) -> None:
        """Remember what processes have returned that have ended on a cluster, before another one comes there."""
        for process in self.processes.values():
            if self.place(process) is cluster:
                value = self.exit_value(process)
                if value is not None:
                    self.ended[process.name] = value

    def phase(self, process: Process) -> Phase:
        """Where a process is in its life."""
        if process.name in self.ended:
            return Phase.ENDED
        moved = self.moves.last.get(process.name)
        if moved is not None and moved.phase is MovePhase.LOST_WITH_NODE:
            return Phase.LOST
        spawn, place = self.spawned(process), self.place(process)
        if spawn.stage is Stage.REFUSED:
            return Phase.REFUSED
        if spawn.stage is Stage.RUNNING and place.kernel.threads.find(spawn.tid) is None:
            return Phase.ENDED
        if place.crash is not None:
            return Phase.CRASHED
        return Phase(spawn.stage.value)

    def exit_value(self, process: Process) -> int | None:
        """What the first thread of a process has returned; None before it has ended."""
        if process.name in self.ended:
            return self.ended[process.name]
        if self.phase(process) is not Phase.ENDED:
            return None
        return self.place(process).kernel.uarea.retval(self.spawned(process).tid)

    def word(self, process: Process, symbol: str, place: int = 0) -> int:
        """A word of a process's variable. Raises NoSuchSymbol."""
        return self.place(process).memory.word(process.program.symbol(symbol) + 4 * place)

    def console(self, process: Process) -> str:
        """What was written last on the console of the cluster where a process is."""
        return console_text(process.program, self.place(process).memory)

    # -- time --------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Cycles since the machine was switched on."""
        return self.agenda.now

    @property
    def trace_hash(self) -> str:
        """A hash over everything that has happened."""
        return self.agenda.tape.hash

    def step(self) -> TraceEvent | None:
        """Let the next thing happen; None when nothing can."""
        return self.agenda.step()

    def run(self, cycles: int) -> int:
        """Let the machine run for so many cycles; the events that happened. Idle machines just grow older."""
        end = self.agenda.now + cycles
        agenda = self.agenda
        happened = 0
        while (following := agenda.next_cycle) is not None and following <= end:
            agenda.step()
            happened += 1
        agenda.now = max(agenda.now, end)
        return happened

    def run_until(self, condition: Callable[[], bool], what: str, *, limit: int | None = None) -> None:
        """Let the machine run until a condition holds, which is looked at after every event.

        what    what is so until then, for the error: "process p runs"
        limit   cycle that is not to be passed
        Raises  NothingHappens, OutOfTime
        """
        agenda = self.agenda
        while not condition():
            following = agenda.next_cycle
            if following is None:
                raise NothingHappens(what, agenda.now)
            if limit is not None and following > limit:
                raise OutOfTime(what, agenda.now)
            agenda.step()

    def wait(self, process: Process, *, limit: int | None = None) -> int:
        """Let the machine run until a process has ended; its exit value.

        Raises  SpawnRefused, ClusterCrashed, ProcessLost, NothingHappens, OutOfTime
        """
        over = (Phase.ENDED, Phase.REFUSED, Phase.CRASHED, Phase.LOST)
        self.run_until(lambda: self.phase(process) in over, f"process {process.name} has not ended", limit=limit)
        value = self.exit_value(process)
        if value is not None:
            return value
        place, spawn = self.place(process), self.spawned(process)
        if self.phase(process) is Phase.LOST:
            raise ProcessLost(process.name, self.moves.last[process.name].source - self.first_compute)
        if place.crash is not None:
            crash = place.crash
            raise ClusterCrashed(crash.cluster, crash.core, crash.thread, crash.cycle, crash.why)
        raise SpawnRefused(process.name, place.number, name_of(spawn.tid))

    def __repr__(self) -> str:
        names = ", ".join(cluster_name(cluster) for cluster in self.clusters)
        return f"Machine({self.geometry.name}, cycle {self.now}, {names})"
