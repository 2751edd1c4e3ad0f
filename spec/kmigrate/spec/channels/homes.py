"""Processes on nodes, and their moves from one node to another.

A move is two steps here, freezing and arriving; what else it takes is the business of other models.

Source: thesis 2.2, 4.1; nanvix-facts 2.1, 3.5. Deviations: spec/README.md.
"""

from collections.abc import Mapping
from typing import Any

from kmigrate.spec.language import (
    Identity,
    Map,
    Member,
    Model,
    Range,
    action,
    array,
    exists,
    parameter,
    require,
    switches,
    variable,
    weakly_fair,
)
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.vocabulary import CHANNEL_MECHANISMS, Mechanism

NOBODY = -1
"""No process."""


class NodeId(Member):
    """One node of the network on chip, with the cluster behind it."""

    letter = "n"


Node = Identity(NodeId, "nodes")
Process = Range(0, "last_process")
"""Processes are numbered: number 0 has another part than the others."""


class Homes(Model):
    """Where processes live, and where they are going."""

    mechanisms: frozenset[Mechanism] = switches(CHANNEL_MECHANISMS, "mechanisms of user communication")

    nodes: int = parameter(3, "nodes", low=2, high=5)
    processes: int = parameter(2, "processes, each on a node of its own", low=2, high=4)
    moves: int = parameter(1, "moves to another node, made in all", low=0, high=4)

    def check_parameters(self) -> None:
        """There is room for one process on a node, and a free node where a process may move."""
        least = self.processes + (1 if self.moves else 0)
        if self.nodes < least:
            raise BadParameter(type(self).__name__, "nodes", f"must be at least {least} here")

    def ruled_out(self) -> frozenset[str]:
        """What cannot happen when nobody moves."""
        return frozenset() if self.moves else frozenset({"freeze", "move"})

    @property
    def last_process(self) -> int:
        """The highest process number."""
        return self.processes - 1

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The process that acts or moves, or else the node."""
        if "process" in arguments:
            return f"process {arguments['process']}"
        return super().lane(action, arguments)

    home: Map[int, NodeId] = array(
        "the node at which a process lives", Process, of=Node, init=lambda model, p: NodeId(p)
    )
    resident: Map[NodeId, int] = array(
        "who lives at a node",
        Node,
        of=Range(NOBODY, "last_process"),
        init=lambda model, n: n.index if n.index < model.processes else NOBODY,
    )
    leaving: Map[int, NodeId] = array("where a frozen process is to go", Process, of=Node.or_null, init=Node.null)
    moved: int = variable("moves begun", of=Range(0, "moves"), init=0)

    def has(self, mechanism: Mechanism) -> bool:
        """Whether a mechanism is switched on."""
        return mechanism in self.mechanisms

    def may_act(self, process: int) -> bool:
        """Whether a process's threads are scheduled."""
        return self.leaving[process] == Node.null

    @action(process=Process, destination=Node)
    def freeze(self, process: int, destination: NodeId) -> None:
        """A process is frozen, to go to a node at which nobody lives and to which nobody else goes."""
        require(self.moved < self.moves)
        require(self.may_act(process))
        require(self.resident[destination] == NOBODY)
        require(not exists(Process, lambda p: self.leaving[p] == destination))
        self.moved = self.moved + 1
        self.leaving[process] = destination

    def quiet(self, process: int) -> bool:
        """Whether nothing that a process has begun is under way."""
        return True

    def is_clear(self, node: NodeId, process: int) -> bool:
        """Whether nothing at a node is still meant for another process, who lived there before."""
        return True

    def follow(self, process: int, destination: NodeId) -> None:
        """With virtual names: what names a process names it where it will live."""

    @weakly_fair
    @action(process=Process, destination=Node)
    def move(self, process: int, destination: NodeId) -> None:
        """The process lives at its destination from now on; its identifiers mean what they mean there."""
        require(self.leaving[process] == destination)
        require(not self.has(Mechanism.QUIESCE_FLOWS) or self.quiet(process))
        require(not self.has(Mechanism.VIRTUAL_NAMES) or self.is_clear(destination, process))
        if self.has(Mechanism.VIRTUAL_NAMES):
            self.follow(process, destination)
        self.resident[self.home[process]] = NOBODY
        self.resident[destination] = process
        self.home[process] = destination
        self.leaving[process] = Node.null
