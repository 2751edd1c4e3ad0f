"""What mailboxes, portals and synchronization points keep when processes move, and what the published ones lose."""

from typing import Any

import pytest

from kmigrate.checker import Holds, Report, Violated, check
from kmigrate.checker.refine import refines
from kmigrate.spec.channels import (
    Channel,
    Endpoints,
    Homes,
    Mailboxes,
    Node,
    NodeId,
    Portals,
    PublishedMailboxes,
    PublishedPortals,
    PublishedSyncs,
    Syncs,
)
from kmigrate.spec.channels.endpoints import NO_MESSAGE
from kmigrate.spec.channels.homes import Process
from kmigrate.spec.channels.sync import SYNC_MECHANISMS, Stage
from kmigrate.spec.channels_refinement import MAILBOX_FIFO, PORTAL_FIFO, ReliableFifo
from kmigrate.spec.language import action, exists, require, weakly_fair
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.vocabulary import CHANNEL_MECHANISMS, Mechanism

STILL: dict[str, Any] = {"nodes": 2, "moves": 0}
"""Two processes that stay where they are."""

NAMES, FLOWS = Mechanism.VIRTUAL_NAMES, Mechanism.QUIESCE_FLOWS


def violated(report: Report) -> dict[str, int]:
    """The properties that fail, with the lengths of their traces."""
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


@pytest.mark.parametrize(
    ("model", "states", "edges", "depth"),
    [
        (Mailboxes(), 10532, 34330, 29),
        (Mailboxes(moves=3, ports=1), 1350, 3007, 21),
        (PublishedMailboxes(**STILL), 534, 1307, 21),
        (Portals(), 2262, 5996, 21),
        (Portals(moves=3), 23334, 77890, 25),
        (Portals(nodes=4, processes=3), 1473, 4259, 21),
        (PublishedPortals(**STILL), 259, 516, 17),
        (Syncs(), 801, 2372, 24),
        (Syncs(moves=3), 8940, 34372, 29),
        (PublishedSyncs(moves=0), 107, 244, 21),
    ],
    ids=repr,
)
def test_channels_hold_as_pinned(model: Homes, states: int, edges: int, depth: int) -> None:
    report = check(model)
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert report.verdict == "holds"
    assert report.vacuous == ()


@pytest.mark.parametrize(
    "model", [Mailboxes(moves=2, messages=1), Portals(), Syncs(), Mailboxes(**STILL)], ids=repr
)
def test_every_action_has_a_witness(model: Homes) -> None:
    assert check(model, engine="interpret").never_enabled == []


@pytest.mark.parametrize(
    ("model", "states", "fails"),
    [
        (
            PublishedMailboxes(moves=2, ports=1),
            289,
            {
                "no_message_lost": 3,
                "every_message_arrives": 4,
                "memory_of_others_is_spared": 8,
                "no_credit_lost": 5,
                "deadlock": 4,
            },
        ),
        (
            PublishedPortals(moves=2, ports=1),
            165,
            {
                "no_message_lost": 3,
                "every_message_arrives": 4,
                "memory_of_others_is_spared": 8,
                "no_credit_lost": 4,
                "deadlock": 4,
            },
        ),
        (PublishedSyncs(moves=2), 1284, {"no_signal_lost": 3, "every_barrier_opens": 4, "deadlock": 4}),
    ],
    ids=repr,
)
def test_published_channels_lose_what_is_meant_for_a_process_that_moves(
    model: Homes, states: int, fails: dict[str, int]
) -> None:
    report = check(model)
    assert report.states == states
    assert violated(report) == fails


@pytest.mark.parametrize(
    ("model", "fails"),
    [
        (
            Mailboxes(ports=1, mechanisms=CHANNEL_MECHANISMS - {NAMES}),
            {"no_message_lost": 1, "every_message_arrives": 3, "no_credit_lost": 3, "deadlock": 3},
        ),
        (
            Mailboxes(ports=1, mechanisms=CHANNEL_MECHANISMS - {FLOWS}),
            {
                "received_once_and_in_order": 7,
                "no_message_lost": 3,
                "every_message_arrives": 7,
                "no_credit_lost": 5,
                "deadlock": 7,
            },
        ),
        (
            Portals(ports=1, mechanisms=CHANNEL_MECHANISMS - {NAMES}),
            {"no_message_lost": 1, "every_message_arrives": 3, "no_credit_lost": 2, "deadlock": 3},
        ),
        (
            Portals(ports=1, mechanisms=CHANNEL_MECHANISMS - {FLOWS}),
            {
                "received_once_and_in_order": 7,
                "no_message_lost": 3,
                "every_message_arrives": 5,
                "no_credit_lost": 4,
                "deadlock": 5,
            },
        ),
        (
            Syncs(mechanisms=SYNC_MECHANISMS - {NAMES}),
            {"no_signal_lost": 1, "every_barrier_opens": 2, "deadlock": 2},
        ),
    ],
    ids=repr,
)
def test_without_a_mechanism_these_properties_break(model: Homes, fails: dict[str, int]) -> None:
    assert violated(check(model, engine="interpret")) == fails


def test_the_native_engine_agrees() -> None:
    for model in (
        Mailboxes(ports=1, mechanisms=CHANNEL_MECHANISMS - {FLOWS}),
        Portals(ports=1, mechanisms=CHANNEL_MECHANISMS - {FLOWS}),
    ):
        native, interpreted = check(model, engine="native"), check(model, engine="interpret")
        assert violated(native) == violated(interpreted)
        assert (native.states, native.edges) == (interpreted.states, interpreted.edges)


def test_a_read_in_flight_writes_into_the_memory_of_the_next_resident() -> None:
    verdict = check(PublishedPortals(moves=2, ports=1)).answer("memory_of_others_is_spared").verdict
    assert isinstance(verdict, Violated)
    labels = verdict.trace.labels
    assert labels[0] == "read(0)"
    assert labels[-1] == "take_in(0)"
    assert "move(0, n2)" in labels
    assert "move(1, n0)" in labels
    calm = PublishedPortals(moves=2, ports=1, mechanisms=frozenset({FLOWS}))
    assert "memory_of_others_is_spared" not in violated(check(calm))


class Overtaking(Mailboxes):
    """A writer's node that looks the name up before what it has sent is acknowledged."""

    @weakly_fair
    @action(channel=Channel)
    def redirect(self, channel: int) -> None:
        """At any moment."""
        require(self.aim[channel] != self.bound[channel])
        self.aim[channel] = self.bound[channel]


class Twice(Mailboxes):
    """A node that takes out what it has sent on already, when the process is back."""

    @weakly_fair
    @action(node=Node, source=Node)
    def take_out(self, node: NodeId, source: NodeId) -> None:
        """As before, but for one guard."""
        require(self.slot[node, source] != NO_MESSAGE)
        require(self.polls(node))
        channel, number = self.slot_of[node, source], self.slot[node, source]
        require(self.bound[channel] == node)
        if self.posted[channel] == node and self.stored[channel, 0] == NO_MESSAGE:
            self.end_read(channel, number, node)
        else:
            self.append(self.stored, channel, number)
        self.empty_slot(node, source)


class Chained(Mailboxes):
    """Nodes that send on what was sent on to them."""

    def is_copy(self, node: NodeId, source: NodeId) -> bool:
        """Nothing is known to be one."""
        return False


class Silent(Mailboxes):
    """A node that takes messages out and does not acknowledge them."""

    def empty_slot(self, node: NodeId, source: NodeId) -> None:
        """Take a message out of its slot."""
        self.slot[node, source] = NO_MESSAGE
        self.slot_of[node, source] = 0


class Repermitting(Portals):
    """A reader's node that permits a writer again before an earlier permission has reached it."""

    def awaits(self, node: NodeId, writer: int) -> bool:
        """Never."""
        return False


class Succeeding(Portals):
    """A process that comes to a node at which a permission for an earlier resident lies."""

    def is_clear(self, node: NodeId, process: int) -> bool:
        """Always."""
        return True


class Leaking(Portals):
    """A read that is taken back without its permission."""

    @weakly_fair
    @action(channel=Channel)
    def take_back(self, channel: int) -> None:
        """The permission stays with the writer."""
        require(self.posted[channel] != Node.null)
        require(not self.may_act(self.reader(channel)))
        self.posted[channel] = Node.null
        self.permitted[channel] = Node.null
        self.waiting[channel] = False


class Hasty(Syncs):
    """A process 0 that waits for one signal, not for all."""

    @weakly_fair
    @action(process=Process)
    def end_waiting(self, process: int) -> None:
        """Some signal is counted."""
        require(self.may_act(process) and self.stage[process] == Stage.WAITING)
        require(exists(Process, lambda q: self.counted[q, process] > 0))
        require(process != 0 or self.arrived[process] < self.rounds)
        self.stage[process] = Stage.SIGNALLING
        for source in range(self.processes):
            if self.counted[source, process] > 0:
                self.counted[source, process] = self.counted[source, process] - 1
        if process == 0:
            self.arrived[process] = self.arrived[process] + 1
        else:
            self.passed[process] = self.passed[process] + 1


class Unforwarding(Syncs):
    """Points go along with processes, and signals that are on their way to the old node stay there."""

    forward = None  # type: ignore[assignment]


class Unacknowledging(Syncs):
    """Signals are counted and not acknowledged."""

    @weakly_fair
    @action(process=Process, target=Process)
    def count_signal(self, process: int, target: int) -> None:
        """Count it."""
        require(self.signal[process, target] != Node.null)
        require(self.signal[process, target] == self.point[target])
        self.signal[process, target] = Node.null
        self.counted[process, target] = self.counted[process, target] + 1


@pytest.mark.parametrize(
    ("mutant", "breaks", "length"),
    [
        (Overtaking(ports=1), "received_once_and_in_order", 8),
        (Twice(ports=1, moves=2), "received_once_and_in_order", 12),
        (Chained(ports=1, moves=3), "no_message_lost", 10),
        (Silent(ports=1, moves=0), "credit_is_accounted_for", 4),
        (Silent(ports=1, moves=0), "no_credit_lost", 2),
        (Repermitting(), "received_once_and_in_order", 9),
        (Succeeding(nodes=4, processes=3, moves=3, messages=1), "no_message_lost", 8),
        (Leaking(ports=1), "credit_is_accounted_for", 3),
        (Hasty(nodes=3, processes=3, moves=0, rounds=1), "none_passes_before_all_have_come", 6),
        (Unforwarding(), "no_signal_lost", 3),
        (Unacknowledging(moves=0), "credit_is_accounted_for", 2),
        (Unacknowledging(moves=0), "no_credit_lost", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value),
)
def test_mutants_are_found(mutant: Homes, breaks: str, length: int) -> None:
    assert violated(check(mutant, engine="interpret"))[breaks] == length


def test_a_move_needs_a_free_node() -> None:
    with pytest.raises(BadParameter, match="nodes must be at least 3 here"):
        Mailboxes(nodes=2)


# Refinement.


def _said(value: object) -> str:
    """A parameter in a test's name; a refinement by its own name, for its functions have none that lasts."""
    return value.name if isinstance(value, Refinement) else repr(value)


@pytest.mark.parametrize(
    ("model", "refinement"),
    [
        (PublishedMailboxes(**STILL), MAILBOX_FIFO),
        (Mailboxes(), MAILBOX_FIFO),
        (Mailboxes(moves=3, ports=1), MAILBOX_FIFO),
        (PublishedPortals(**STILL), PORTAL_FIFO),
        (Portals(moves=2), PORTAL_FIFO),
    ],
    ids=_said,
)
def test_these_are_reliable_queues(model: Endpoints, refinement: Refinement) -> None:
    report = refines(model, refinement)
    assert isinstance(report.verdict, Holds)
    assert report.seen["receive"] > 0


@pytest.mark.parametrize(
    ("model", "refinement"),
    [(PublishedMailboxes(ports=1), MAILBOX_FIFO), (PublishedPortals(ports=1), PORTAL_FIFO)],
    ids=_said,
)
def test_published_channels_are_none_across_a_move(model: Endpoints, refinement: Refinement) -> None:
    report = refines(model, refinement)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.length == 6
    assert "message 1 of channel 0 is nowhere and was not received" in report.reason


def test_a_writer_that_moves_with_a_write_under_way_overtakes_itself() -> None:
    report = refines(Mailboxes(ports=1, mechanisms=CHANNEL_MECHANISMS - {FLOWS}), MAILBOX_FIFO)
    assert isinstance(report.verdict, Violated)
    assert "channel 0 was received as [2]" in report.reason


def standing_still(endpoints: Endpoints, fifo: ReliableFifo) -> None:
    """Everything looks like the first state."""
    for channel in range(endpoints.ports):
        fifo.written[channel] = 0
        fifo.received[channel] = 0


def test_an_abstraction_that_maps_everything_to_one_state_fails() -> None:
    report = refines(Mailboxes(**STILL), Refinement("blind", Mailboxes, ReliableFifo, standing_still))
    assert isinstance(report.verdict, Violated)
    assert "never seen" in report.reason


def test_the_reliable_queue_has_its_pinned_size() -> None:
    report = check(ReliableFifo())
    assert (report.states, report.edges, report.depth) == (36, 72, 9)
    assert report.verdict == "holds"
    assert report.never_enabled == []


class Conjuring(ReliableFifo):
    """A queue that gives what was not put into it."""

    @action(channel=Channel)
    def receive(self, channel: int) -> None:
        """Take a message, whether there is one or not."""
        require(self.received[channel] < self.messages)
        self.received[channel] = self.received[channel] + 1


def test_a_queue_that_gives_more_than_it_got_is_found() -> None:
    assert violated(check(Conjuring())) == {"nothing_from_nowhere": 1}
