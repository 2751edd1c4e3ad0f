"""EWD 840: a token goes round a ring of nodes to find out whether all have become passive.

Source: Dijkstra, Feijen, van Gasteren, "Derivation of a termination detection algorithm for distributed
computations" (EWD 840, 1983); the atomic steps are those of Merz's TLA+ example, 302 states for three nodes.
"""

from kmigrate.spec.language import (
    ANY,
    Map,
    Model,
    Range,
    action,
    array,
    forall,
    implies,
    invariant,
    leads_to,
    parameter,
    require,
    terminal,
    variable,
    weakly_fair,
)

Node = Range(0, "last_node")


class Ewd840(Model):
    """Termination detection with one token; node 0 begins each round."""

    nodes: int = parameter(3, "nodes in the ring", low=2, high=8)

    @property
    def last_node(self) -> int:
        """The highest node number."""
        return self.nodes - 1

    active: Map[int, bool] = array("the node computes", Node, of=bool, init=ANY)
    black: Map[int, bool] = array("the node has sent a message up the ring", Node, of=bool, init=ANY)
    token: int = variable("where the token is", of=Node, init=ANY)
    token_black: bool = variable("the token knows that the round has failed", of=bool, init=True)

    @weakly_fair
    @action
    def begin_round(self) -> None:
        """Node 0 has the token, and the round has failed: another one."""
        require(self.token == 0)
        require(self.token_black or self.black[0])
        self.token = self.last_node
        self.token_black = False
        self.black[0] = False

    @weakly_fair
    @action(i=Range(1, "last_node"))
    def pass_token(self, i: int) -> None:
        """A node passes the token down the ring."""
        require(self.token == i)
        require(not self.active[i] or self.black[i] or self.token_black)
        self.token = i - 1
        self.token_black = self.token_black or self.black[i]
        self.black[i] = False

    @action(i=Node, j=Node)
    def send(self, i: int, j: int) -> None:
        """An active node sends a message, which makes the other active."""
        require(i != j)
        require(self.active[i])
        self.active[j] = True
        if j > i:
            self.black[i] = True

    @action(i=Node)
    def become_passive(self, i: int) -> None:
        """A node has nothing more to do."""
        require(self.active[i])
        self.active[i] = False

    def all_passive(self) -> bool:
        """Whether no node computes."""
        return forall(Node, lambda i: not self.active[i])

    def detected(self) -> bool:
        """Whether node 0 knows that all is over."""
        return self.token == 0 and not self.token_black and not self.black[0] and not self.active[0]

    @invariant
    def detection_is_right(self) -> bool:
        """Termination is detected only if all nodes are passive."""
        return implies(self.detected(), self.all_passive)

    @leads_to("detection", to=detected)
    def termination_is_detected(self) -> bool:
        """Once all nodes are passive, that is detected."""
        return self.all_passive()

    @terminal
    def over(self) -> bool:
        """All is over, and node 0 knows it."""
        return self.detected()
