"""A token handed on, any number of nodes: no two hold it, whatever becomes of the messages.

Who holds the token sends it off under the next number; a message is heeded by a node that has taken none so high.
Messages are never removed, so that one may arrive again at any time: numbers, not the network, keep the token one.
It is the pattern of the hardened commit on a page of its own.

Source: ours, after the lock that is handed on in Hawblitzel et al., "IronFleet" (SOSP 2015), section 2.
"""

from kmigrate.proofs.claim import Claim
from kmigrate.spec.language import (
    Identity,
    Map,
    Member,
    Model,
    Range,
    action,
    array,
    at_most_one,
    forall,
    implies,
    invariant,
    parameter,
    require,
)


class NodeId(Member):
    """One node."""

    letter = "n"


Node = Identity(NodeId, "nodes")
Turn = Range(0, "turns")


class Token(Model):
    """Nodes that hand a token on, with the conjuncts of the invariant."""

    nodes: int = parameter(3, "nodes", low=1, high=8)
    turns: int = parameter(2, "how often the token is handed on: the bound of the search", low=0, high=8)

    holds: Map[NodeId, bool] = array("the node holds the token", Node, of=bool, init=lambda model, n: n.index == 0)
    turn: Map[NodeId, int] = array("the highest turn in which the node has held it", Node, of=Turn, init=0)
    sent: Map[tuple[NodeId, int], bool] = array(
        "the token was sent to the node for a turn", Node, Turn, of=bool, init=False
    )

    @action(holder=Node, receiver=Node, turn=Turn)
    def hand_on(self, holder: NodeId, receiver: NodeId, turn: int) -> None:
        """The holder sends the token off, for the next turn."""
        require(self.holds[holder])
        require(turn == self.turn[holder] + 1)
        self.holds[holder] = False
        self.sent[receiver, turn] = True

    @action(receiver=Node, turn=Turn)
    def take(self, receiver: NodeId, turn: int) -> None:
        """A node takes the token, unless it has held it in this turn or a later one."""
        require(self.sent[receiver, turn])
        require(turn > self.turn[receiver])
        self.holds[receiver] = True
        self.turn[receiver] = turn

    @invariant
    def one_holder(self) -> bool:
        """At most one node holds the token."""
        return at_most_one(Node, lambda n: self.holds[n])

    @invariant
    def holder_is_latest(self) -> bool:
        """No turn is later than the holder's, neither held nor sent."""
        return forall(
            Node,
            lambda n: implies(
                self.holds[n],
                lambda: forall(
                    Node,
                    lambda m: (
                        self.turn[m] <= self.turn[n]
                        and forall(Turn, lambda t: implies(self.sent[m, t], lambda: t <= self.turn[n]))
                    ),
                ),
            ),
        )

    @invariant
    def turns_are_sent_once(self) -> bool:
        """The token was sent to one node for each turn."""
        return forall(Turn, lambda t: at_most_one(Node, lambda n: self.sent[n, t]))

    @invariant
    def token_under_way_is_latest(self) -> bool:
        """While the token is under way, nobody holds it, and no turn is later."""
        return forall(
            Node,
            lambda n: forall(
                Turn,
                lambda t: implies(
                    self.sent[n, t] and t > self.turn[n],
                    lambda: forall(
                        Node,
                        lambda m: (
                            not self.holds[m]
                            and self.turn[m] < t
                            and forall(Turn, lambda later: implies(self.sent[m, later], lambda: later <= t))
                        ),
                    ),
                ),
            ),
        )


CLAIM = Claim(
    name="token",
    title="no two nodes hold the token, however many there are",
    model=Token,
    open=frozenset({"nodes", "turns"}),
    conjuncts=("one_holder", "holder_is_latest", "turns_are_sent_once", "token_under_way_is_latest"),
    safety=("one_holder",),
    sizes=({"nodes": 1, "turns": 1}, {"nodes": 2, "turns": 1}, {"nodes": 2, "turns": 2}, {"nodes": 3, "turns": 2}),
    samples=({"nodes": 3, "turns": 4}, {"nodes": 4, "turns": 6}),
    assumptions=("messages are never removed: each may be lost, repeated and overtaken at will",),
)
