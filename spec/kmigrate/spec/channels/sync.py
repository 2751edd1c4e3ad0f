"""Synchronization points: process 0 waits for a signal of each other one, then signals each of them.

A point is named by node numbers. One signal to a target is unacknowledged at a time; signals are counted for each
source, so an early one is not lost. The two kinds of point, ALL_TO_ONE and ONE_TO_ALL, together are the barrier
that the experiments use.

Source: thesis 2.2.1, 6; nanvix-facts 2.2, 8.1, 9 H26. Deviations: spec/README.md.
"""

from enum import Enum

from kmigrate.spec.channels.homes import Homes, Node, NodeId, Process
from kmigrate.spec.language import (
    Map,
    Range,
    action,
    array,
    eventually,
    forall,
    invariant,
    parameter,
    recoverable,
    require,
    switches,
    terminal,
    weakly_fair,
)
from kmigrate.spec.vocabulary import Mechanism

SYNC_MECHANISMS: frozenset[Mechanism] = frozenset({Mechanism.VIRTUAL_NAMES})
"""Of the mechanisms of user communication, those that signals need: counting them needs no quiet."""


class Stage(Enum):
    """What a process does next at the barrier."""

    SIGNALLING = "signalling"
    WAITING = "waiting"


Round = Range(0, "rounds")


class Syncs(Homes):
    """A barrier of all processes, round after round."""

    mechanisms: frozenset[Mechanism] = switches(SYNC_MECHANISMS, "mechanisms of synchronization points")

    rounds: int = parameter(2, "barriers passed in all", low=1, high=4)

    stage: Map[int, Stage] = array(
        "what a process does next",
        Process,
        of=Stage,
        init=lambda model, p: Stage.WAITING if p == 0 else Stage.SIGNALLING,
    )
    arrived: Map[int, int] = array("barriers that a process has come to", Process, of=Round, init=0)
    passed: Map[int, int] = array("barriers that it has passed", Process, of=Round, init=0)
    point: Map[int, NodeId] = array(
        "the node that knows the point at which a process waits", Process, of=Node, init=lambda model, p: NodeId(p)
    )
    opened: Map[int, NodeId] = array(
        "the node at which a process's identifier of the points of others means something",
        Process,
        of=Node,
        init=lambda model, p: NodeId(p),
    )
    aim: Map[tuple[int, int], NodeId] = array(
        "the node to which a process signals for another",
        Process,
        Process,
        of=Node,
        init=lambda model, p, q: NodeId(q),
    )
    signal: Map[tuple[int, int], NodeId] = array(
        "where a signal of the first process for the second is going",
        Process,
        Process,
        of=Node.or_null,
        init=Node.null,
    )
    told: Map[tuple[int, int], bool] = array(
        "the first has signalled to the second in this round", Process, Process, of=bool, init=False
    )
    unacknowledged: Map[tuple[int, int], bool] = array(
        "the last signal to the target is not acknowledged yet", Process, Process, of=bool, init=False
    )
    acknowledgement: Map[tuple[int, int], bool] = array("it is on its way", Process, Process, of=bool, init=False)
    counted: Map[tuple[int, int], int] = array(
        "signals of the first that the point of the second has counted", Process, Process, of=Round, init=0
    )

    def ruled_out(self) -> frozenset[str]:
        """What cannot happen when nobody moves, or without names that follow processes."""
        named = self.moves and self.has(Mechanism.VIRTUAL_NAMES)
        return super().ruled_out() | (frozenset() if named else frozenset({"forward", "redirect"}))

    def signals(self, process: int, target: int) -> bool:
        """Whether one process signals to another: all to process 0, and process 0 to all."""
        return process != target and (process == 0 or target == 0)

    @weakly_fair
    @action(process=Process, target=Process)
    def send_signal(self, process: int, target: int) -> None:
        """Signal to a target whose last signal is acknowledged (else EAGAIN: the caller spins)."""
        require(self.signals(process, target))
        require(self.may_act(process) and self.opened[process] == self.home[process])
        require(self.stage[process] == Stage.SIGNALLING and not self.told[process, target])
        require(not self.unacknowledged[process, target])
        require(process == 0 or self.arrived[process] < self.rounds)
        self.told[process, target] = True
        self.unacknowledged[process, target] = True
        self.signal[process, target] = self.aim[process, target]
        if process != 0:
            self.arrived[process] = self.arrived[process] + 1

    @weakly_fair
    @action(process=Process)
    def end_signalling(self, process: int) -> None:
        """All that are to be told have been told; process 0 has passed the barrier now."""
        require(self.may_act(process) and self.stage[process] == Stage.SIGNALLING)
        require(forall(Process, lambda q: self.told[process, q] or not self.signals(process, q)))
        self.stage[process] = Stage.WAITING
        for target in range(self.processes):
            self.told[process, target] = False
        if process == 0:
            self.passed[process] = self.passed[process] + 1

    @weakly_fair
    @action(process=Process)
    def end_waiting(self, process: int) -> None:
        """One signal of each is taken off; process 0 has come to the barrier, the others have passed it."""
        require(self.may_act(process) and self.point[process] == self.home[process])
        require(self.stage[process] == Stage.WAITING)
        require(forall(Process, lambda q: self.counted[q, process] > 0 or not self.signals(q, process)))
        self.stage[process] = Stage.SIGNALLING
        for source in range(self.processes):
            if self.signals(source, process):
                self.counted[source, process] = self.counted[source, process] - 1
        if process == 0:
            self.arrived[process] = self.arrived[process] + 1
        else:
            self.passed[process] = self.passed[process] + 1

    @weakly_fair
    @action(process=Process, target=Process)
    def count_signal(self, process: int, target: int) -> None:
        """The signal has come to the node that knows its point: it is counted and acknowledged."""
        require(self.signal[process, target] != Node.null)
        require(self.signal[process, target] == self.point[target])
        self.signal[process, target] = Node.null
        self.counted[process, target] = self.counted[process, target] + 1
        self.acknowledgement[process, target] = True

    @weakly_fair
    @action(process=Process, target=Process)
    def forward(self, process: int, target: int) -> None:
        """The point has gone with its process: the signal is sent on."""
        require(self.has(Mechanism.VIRTUAL_NAMES))
        require(self.signal[process, target] != Node.null)
        require(self.signal[process, target] != self.point[target])
        self.signal[process, target] = self.point[target]

    @weakly_fair
    @action(process=Process, target=Process)
    def acknowledge(self, process: int, target: int) -> None:
        """The acknowledgement has come back."""
        require(self.acknowledgement[process, target])
        self.acknowledgement[process, target] = False
        self.unacknowledged[process, target] = False

    @weakly_fair
    @action(process=Process, target=Process)
    def redirect(self, process: int, target: int) -> None:
        """Look the target's name up again."""
        require(self.has(Mechanism.VIRTUAL_NAMES))
        require(self.signals(process, target))
        require(self.aim[process, target] != self.point[target])
        self.aim[process, target] = self.point[target]

    def follow(self, process: int, destination: NodeId) -> None:
        """Points go along, with the signals that they have counted, and so do identifiers."""
        self.point[process] = destination
        self.opened[process] = destination

    @invariant("I5")
    def none_passes_before_all_have_come(self) -> bool:
        """Nobody has passed a barrier to which somebody has not come."""
        return forall(Process, lambda p: forall(Process, lambda q: self.passed[p] <= self.arrived[q]))

    def all_passed(self) -> bool:
        """Whether everybody has passed all barriers."""
        return forall(Process, lambda p: self.passed[p] == self.rounds)

    @recoverable("I5")
    def no_signal_lost(self) -> bool:
        """It can always still come to it that everybody passes."""
        return self.all_passed()

    @eventually("I5")
    def every_barrier_opens(self) -> bool:
        """If nodes and processes go on (weak fairness of what they do), everybody passes all barriers."""
        return self.all_passed()

    @invariant("I6")
    def credit_is_accounted_for(self) -> bool:
        """An unacknowledged signal is on its way, or its acknowledgement is, and nothing else is."""
        return forall(
            Process,
            lambda p: forall(
                Process,
                lambda q: (
                    self.unacknowledged[p, q] == (self.signal[p, q] != Node.null or self.acknowledgement[p, q])
                    and not (self.signal[p, q] != Node.null and self.acknowledgement[p, q])
                ),
            ),
        )

    @recoverable("I6")
    def no_credit_lost(self) -> bool:
        """Every signal can still be acknowledged."""
        return forall(Process, lambda p: forall(Process, lambda q: not self.unacknowledged[p, q]))

    @terminal
    def all_done(self) -> bool:
        """Everybody has passed all barriers."""
        return self.all_passed()


class PublishedSyncs(Syncs):
    """Synchronization points as published: they stay where they were created."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the published synchronization points", available=SYNC_MECHANISMS
    )
