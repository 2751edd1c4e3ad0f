"""The table of the whole machine: what a step of a core, and what daemons tell while it is taken, are in the model.

Daemons run inside steps of core 0 and tell what they do; each thing they tell is an action of the protocol. What
else a step has done to its kernel is one of the few actions that a step of this kind can be, or nothing; the first
that explains what is seen is taken.

A piece is a section of the model; of a model with fewer sections than an image has pieces, all the last pieces
together are the last section, and its last one is staged when the image is put in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kmigrate.conformance.judging.table import Arguments, Binder, Binding, Row, Table
from kmigrate.impl.daemon.attempt import Attempt
from kmigrate.impl.system.faults import FaultKind
from kmigrate.spec.language import Model
from kmigrate.spec.protocol import ClusterId, ProcessId


@dataclass(slots=True)
class Numbering:
    """The attempts of a run, numbered in the order of their requests, as the model numbers them.

    numbers  of every attempt so far
    """

    numbers: dict[Attempt, int] = field(default_factory=dict)

    def add(self, attempt: Attempt) -> int:
        """The number of an attempt that is requested."""
        return self.numbers.setdefault(attempt, len(self.numbers))


def attempt_of(arguments: Arguments) -> Attempt:
    """The attempt that an event speaks of."""
    process, source = int(arguments["process"]), int(arguments["source"])
    return Attempt(process, source, int(arguments["destination"]), int(arguments["epoch"]))


SERVICE = "system.services.Services._heed"
"""Where the name service answers COM, FENS and FEND."""

DAEMON: dict[str, tuple[str, str]] = {
    "granted": ("grant", "destination.DestinationSide._grant"),
    "refused": ("refuse", "destination.DestinationSide.heed"),
    "answered_again": ("answer_again", "destination.DestinationSide.heed"),
    "freeze_started": ("start_freeze", "source.SourceSide._heed_want"),
    "barrier_passed": ("pass_barrier", "source.SourceSide._pass_barrier"),
    "cancelled": ("cancel", "source.SourceSide._give_up"),
    "source_asked": ("ask_from_source", "source.SourceSide._give_up_or_ask"),
    "nack_heeded": ("heed_nack", "source.SourceSide.heed"),
    "commit_asked": ("commit", "source.SourceSide.heed"),
    "move_completed": ("complete_move", "source.SourceSide._complete"),
    "rolled_back": ("roll_back", "source.SourceSide.heed"),
    "staging_abandoned": ("time_out_staging", "destination.DestinationSide._abandon"),
    "destination_asked": ("ask_from_destination", "destination.DestinationSide.look"),
    "copy_started": ("start_copy", "destination.DestinationSide._run"),
    "copy_cleared": ("clear_copy", "destination.DestinationSide.heed"),
    "commit_recorded": ("record_commit", SERVICE),
    "source_answered": ("answer_source", SERVICE),
    "destination_answered": ("answer_destination", SERVICE),
}
"""Event of a daemon or of the name service → action, whose argument is the attempt, and who tells it."""

AGAIN = frozenset(
    {"refused", "source_asked", "destination_asked", "section_sent", "section_staged"}
    | {"commit_recorded", "source_answered", "destination_answered"}
)
"""Events that may come once more when the model has nothing more to say: a message is sent or heard again."""

CORES = ("prolog", "sched", "wakeup", "run")
"""Steps of a core, as the kernel names them."""

TRANSFERS = frozenset(
    {"mailbox_message", "mailbox_ack", "portal_piece", "portal_permission", "sync_signal", "sync_ack"}
)

SERVICES = frozenset({"move_wished", "cancel_wished", "request_looked_after", "letters_looked_after"}) | {
    *("letter_forgotten", "told_moving", "told_moved", "told_stayed"),
    "third_party_refused",
    "request_refused",
}

FAULTS = frozenset(f"fault_{kind.value}" for kind in FaultKind)

HIDDEN = TRANSFERS | SERVICES | FAULTS | {"tick", "task"}
"""Steps that change nothing that the model speaks of: transfers arrive, time passes, an emitted task runs, the
services look after what was asked of them."""

_NOT_WITHOUT = "only without a mechanism, which the machine does not lack"


_PUBLISHED = (
    *("migration_called", "receiver_told", "self_told", "nobody_told", "to_taken", "from_taken"),
    *("section_allowed", "section_written", "section_read", "finished"),
)

UNTIED = Table((), HIDDEN | frozenset((*CORES, *_PUBLISHED, "crash")))
"""For machines with published daemons, of which only the end is judged."""


class _Binders:
    """The binders of one model's table.

    first  node of cluster 0
    """

    def __init__(self, model: Model, first: int) -> None:
        parameters = model.parameters
        self._first = first
        self._threads = range(1, parameters["threads"] + 1)
        self._cores = parameters["cores"]
        self._last = parameters["sections"] - 1
        self._foreign = parameters["third_parties"]
        self._changes = (0, 1, -1) if parameters["frames"] else (0,)

    # -- daemons -----------------------------------------------------------------------------------------

    def request(self, arguments: Arguments, numbering: Numbering) -> Binding:
        """The attempt is numbered here."""
        attempt = attempt_of(arguments)
        ends = ClusterId(attempt.source - self._first), ClusterId(attempt.destination - self._first)
        return ((ProcessId(attempt.container), *ends, numbering.add(attempt)),)

    def foreign(self, arguments: Arguments, numbering: Numbering) -> list[Binding]:
        """The same request, made by the next third party."""
        ((process, source, destination, number),) = self.request(arguments, numbering)
        return [((k, process, source, destination, number),) for k in range(1, self._foreign + 1)]

    def attempt(self, arguments: Arguments, numbering: Numbering) -> Binding:
        """The attempt's number."""
        return ((numbering.numbers[attempt_of(arguments)],),)

    def attempt_twice(self, arguments: Arguments, numbering: Numbering) -> Binding:
        """The same, for two actions."""
        return self.attempt(arguments, numbering) * 2

    def sent(self, arguments: Arguments, numbering: Numbering) -> Binding:
        """The attempt and the section that a piece belongs to."""
        return ((numbering.numbers[attempt_of(arguments)], min(int(arguments["piece"]), self._last)),)

    def staged(self, arguments: Arguments, numbering: Numbering) -> list[Binding]:
        """The same, but pieces of the last section are only kept."""
        piece = int(arguments["piece"])
        return [((numbering.numbers[attempt_of(arguments)], piece),)] if piece < self._last else []

    def installed(self, arguments: Arguments, numbering: Numbering) -> Binding:
        """The last section."""
        return ((numbering.numbers[attempt_of(arguments)], self._last),)

    # -- cores -------------------------------------------------------------------------------------------

    def cluster(self, arguments: Arguments, numbering: Numbering) -> Binding:
        """The cluster alone."""
        return ((ClusterId(int(arguments["cluster"])),),)

    def core(self, arguments: Arguments, numbering: Numbering) -> Binding | None:
        """Cluster and slave core."""
        place = self._slave(arguments)
        return None if place is None else (place,)

    def _slave(self, arguments: Arguments) -> tuple[ClusterId, int] | None:
        """Cluster and core of a step of a slave core; None for core 0 and for the I/O cluster."""
        core = int(arguments["core"])
        return (ClusterId(int(arguments["cluster"])), core) if core and "cluster" in arguments else None

    def _master(self, arguments: Arguments) -> ClusterId | None:
        """The cluster of a step of core 0; None for other cores and for the I/O cluster."""
        return None if arguments["core"] or "cluster" not in arguments else ClusterId(int(arguments["cluster"]))

    def _threads_of(self, core: int) -> Iterator[int]:
        """The threads that are fixed to a core."""
        return (thread for thread in self._threads if (thread - 1) % self._cores + 1 == core)

    def core_and_thread(self, arguments: Arguments, numbering: Numbering) -> list[Binding] | None:
        """Cluster, slave core, and each thread that is fixed to it."""
        place = self._slave(arguments)
        return None if place is None else [((*place, thread),) for thread in self._threads_of(place[1])]

    def served(self, arguments: Arguments, numbering: Numbering) -> list[Binding] | None:
        """The master serves the board of any slave core, with any change."""
        cluster, cores = self._master(arguments), range(1, self._cores + 1)
        if cluster is None:
            return None
        return [((cluster, core, change),) for change in self._changes for core in cores]

    def begun(self, arguments: Arguments, numbering: Numbering) -> list[Binding] | None:
        """The master serves the board of any slave core, and there is a new thread."""
        cluster, cores = self._master(arguments), range(1, self._cores + 1)
        if cluster is None:
            return None
        return [((cluster, core, thread),) for core in cores for thread in self._threads]

    def holder(self, arguments: Arguments, numbering: Numbering) -> list[Binding] | None:
        """The attempts whose source a step of core 0 is of."""
        cluster = self._master(arguments)
        if cluster is None:
            return None
        node = cluster.index + self._first
        return [((number,),) for attempt, number in numbering.numbers.items() if attempt.source == node]

    def woken(self, arguments: Arguments, numbering: Numbering) -> list[Binding] | None:
        """Any thread of the cluster."""
        if "cluster" not in arguments:
            return None
        cluster = ClusterId(int(arguments["cluster"]))
        return [((cluster, thread),) for thread in self._threads]


def in_turn(*binders: Binder) -> Binder:
    """One action after the other: every way to read the first with every way to read the next."""

    def binder(arguments: Arguments, numbering: Numbering) -> list[Binding] | None:
        ways: list[Binding] = [()]
        for own in binders:
            bound = own(arguments, numbering)
            if bound is None:
                return None
            ways = [(*way, *more) for way in ways for more in (bound if isinstance(bound, list) else [bound])]
        return ways

    return binder


def machines(model: Model, first: int) -> Table:
    """The table of machines with the hardened daemon, judged by this model; `first` is the node of cluster 0."""
    bind = _Binders(model, first)
    daemon, staging = "daemon.", "daemon.destination.DestinationSide._stage"
    rows = [Row("requested", ("request",), bind.request, daemon + "source.SourceSide.request")]
    rows.append(Row("requested", ("request_for_another",), bind.foreign, daemon + "source.SourceSide.asked"))
    rows += [
        Row(event, (action,), bind.attempt, code if code == SERVICE else daemon + code)
        for event, (action, code) in DAEMON.items()
    ]
    barrier = "daemon.source.SourceSide._pass_barrier"
    rows += [
        Row("barrier_passed", ("hold", "pass_barrier"), bind.attempt_twice, barrier),
        Row("section_sent", ("send_section",), bind.sent, daemon + "source.SourceSide._send"),
        Row("section_staged", ("stage",), bind.staged, staging),
        Row("crash", ("crash",), bind.cluster, "system.cluster.Cluster.stop"),
        Row("installed", ("stage",), bind.installed, daemon + "destination.DestinationSide._install"),
    ]
    then_another = in_turn(bind.core, bind.core_and_thread)
    kernel, scheduler, calls = "kernel.kernel.Kernel.", "kernel.scheduler.Scheduler.", "kernel.calls.Calls."
    rows += [
        Row("prolog", ("queue_previous",), bind.core, scheduler + "prolog"),
        *(Row(step, ("schedule",), bind.core_and_thread, scheduler + "yield_core") for step in ("sched", "wakeup")),
        Row("sched", ("leave",), bind.core, scheduler + "yield_core"),
        Row("sched", ("leave", "schedule"), then_another, scheduler + "yield_core"),
        Row("run", ("post",), bind.core_and_thread, calls + "begin"),
        Row("run", ("sleep",), bind.core, calls + "go_on"),
        Row("run", ("fetch",), bind.core, calls + "go_on"),
        Row("run", ("leave",), bind.core, scheduler + "yield_core"),
        Row("run", ("sleep", "schedule"), then_another, scheduler + "yield_core"),
        Row("run", ("leave", "schedule"), then_another, scheduler + "yield_core"),
        Row("run", ("serve",), bind.served, calls + "serve"),
        Row("run", ("hold",), bind.holder, daemon + "source.SourceSide._pass_barrier"),
    ]
    if model.parameters["lively"]:
        one, another, woken = bind.core, bind.core_and_thread, bind.woken
        rows += [
            Row("run", actions, in_turn(*binders), code)
            for actions, binders, code in (
                (("begin",), (bind.begun,), "kernel.threads.Threads.create"),
                (("end",), (one,), kernel + "step"),
                (("block",), (one,), scheduler + "sleep"),
                (("unblock",), (woken,), scheduler + "wake"),
                (("end", "schedule"), (one, another), scheduler + "yield_core"),
                (("block", "schedule"), (one, another), scheduler + "yield_core"),
                (("end", "unblock"), (one, woken), scheduler + "wake_all"),
                (("end", "unblock", "schedule"), (one, woken, another), scheduler + "yield_core"),
                (("fetch", "unblock"), (one, woken), scheduler + "wake_one"),
                (("fetch", "block"), (one, one), scheduler + "sleep"),
                (("fetch", "block", "schedule"), (one, one, another), scheduler + "yield_core"),
                (("fetch", "unblock", "block"), (one, woken, one), scheduler + "sleep"),
                (("fetch", "unblock", "block", "schedule"), (one, woken, one, another), scheduler + "yield_core"),
                (("serve", "unblock"), (bind.served, woken), scheduler + "wake"),
            )
        ]
    absent = {"answer_stale": _NOT_WITHOUT}
    return Table(tuple(rows), HIDDEN, absent=absent, quiet=frozenset(CORES), again=AGAIN)
