"""A process as pages with versions, at two nodes: what the process does with them, and what a stopped node does.

The process writes for ever. A version tells contents of a page apart; after the last comes the first again, so
that a copy that is one write behind is seen to be. Version 0 is no content of the process: nothing, or zeros.

Source: thesis 2.4.1; nanvix-facts 10. Deviations: spec/README.md.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from kmigrate.spec.language import (
    Map,
    Model,
    Range,
    action,
    array,
    count,
    forall,
    initial,
    one_of,
    parameter,
    require,
    switches,
    variable,
)
from kmigrate.spec.language.model import show
from kmigrate.spec.vocabulary import MODES_MECHANISMS, Mechanism, Mode, MovePhase

NUMBERS: Mapping[Mode, int] = {mode: number for number, mode in enumerate(Mode, 1)}
"""Mode → the value of the parameter `mode` that asks for it alone."""

NETWORK = "network"
"""The lane of what the network does by itself."""


class Side(Enum):
    """The two nodes of a move."""

    SOURCE = "source"
    DESTINATION = "destination"


class Arrival(Enum):
    """How a page stands at the destination."""

    MISSING = "missing"
    REQUESTED = "requested"
    """A thread has touched it and waits; the source is asked until the page is there."""
    HERE = "here"


class Upkeep(Enum):
    """What the source still owes the destination of a page."""

    OWED = "owed"
    """To be sent in this round."""
    SENT = "sent"
    """Sent in this round and not acknowledged yet."""
    DIRTY = "dirty"
    """Written since it was sent: to be sent in the next round."""
    KNOWN = "known"
    """Acknowledged: the destination has it as it was sent last."""


class Channel(Enum):
    """The two ways on which a page travels."""

    STREAM = "stream"
    """Copies and pushes, in the order of the source."""
    REPLY = "reply"
    """Answers to requests; they overtake the stream."""


Page = Range(0, "last_page")
Version = Range(1, "versions")
Content = Range(0, "versions")


class Pages(Model):
    """The process, its pages at both nodes, and the checkpoint."""

    mechanisms: frozenset[Mechanism] = switches(MODES_MECHANISMS, "mechanisms of moving page by page")

    mode: int = parameter(0, "0 any, 1 cold, 2 stop-and-copy, 3 pre-copy, 4 post-copy, 5 hybrid", low=0, high=5)
    pages: int = parameter(2, "pages of the process", low=1, high=4)
    versions: int = parameter(2, "contents of a page that are told apart", low=2, high=3)
    rounds: int = parameter(2, "rounds of pre-copy and hybrid, the first included", low=1, high=4)
    losses: int = parameter(1, "page messages that the network may lose", low=0, high=2)
    stops: int = parameter(1, "nodes that may stop for good", low=0, high=2)

    @property
    def last_page(self) -> int:
        """The highest page number."""
        return self.pages - 1

    way: Mode = variable("the mode of this move", of=Mode, init=Mode.COLD)
    phase: MovePhase = variable("how far the move has come", of=MovePhase, init=MovePhase.SETUP)
    owner: Side = variable("where the process lives by the record", of=Side, init=Side.SOURCE)
    up: Map[Side, bool] = array("the node has not stopped", Side, of=bool, init=True)
    runs: Map[Side, bool] = array(
        "threads of the process are scheduled", Side, of=bool, init=lambda model, side: side == Side.SOURCE
    )
    current: Map[int, int] = array("the version that the process wrote last", Page, of=Version, init=1)
    content: Map[tuple[Side, int], int] = array(
        "the version that stands in a node's memory",
        Side,
        Page,
        of=Content,
        init=lambda model, side, page: 1 if side == Side.SOURCE else 0,
    )
    saved: Map[int, int] = array("the version in the checkpoint (cold)", Page, of=Content, init=0)
    arrival: Map[int, Arrival] = array(
        "how the page stands at the destination", Page, of=Arrival, init=Arrival.MISSING
    )
    landings: Map[int, int] = array(
        "times that the page was put in place while the process ran at the destination",
        Page,
        of=Range(0, 2),
        init=0,
    )
    upkeep: Map[int, Upkeep] = array("what the source owes of the page", Page, of=Upkeep, init=Upkeep.OWED)
    flight: Map[tuple[Channel, int], int] = array(
        "the version on its way to the destination; 0: none", Channel, Page, of=Content, init=0
    )
    losses_left: int = variable("messages that the network may still lose", of=Range(0, "losses"), init=0)
    reserved: bool = variable("the destination has room set aside for the process", of=bool, init=True)

    @initial(mode=Mode)
    def choose(self, mode: Mode) -> None:
        """The mode is the one asked for, or any; nothing has been lost yet."""
        require(self.mode == 0 or self.mode == NUMBERS[mode])
        self.way = mode
        self.losses_left = self.losses

    def has(self, mechanism: Mechanism) -> bool:
        """Whether a mechanism is switched on."""
        return mechanism in self.mechanisms

    def before_switch(self) -> bool:
        """Whether the move is under way and the process still lives at the source."""
        return one_of(self.phase, MovePhase.SETUP, MovePhase.ACTIVE, MovePhase.PRE_SWITCHOVER)

    def under_way(self) -> bool:
        """Whether the move has not ended."""
        return self.before_switch() or self.phase == MovePhase.POSTCOPY_ACTIVE

    def in_rounds(self) -> bool:
        """Whether the mode copies in rounds while the process runs."""
        return one_of(self.way, Mode.PRE_COPY, Mode.HYBRID)

    def pages_follow(self) -> bool:
        """Whether the mode lets pages follow after the switch."""
        return one_of(self.way, Mode.POST_COPY, Mode.HYBRID)

    def whole_at(self, side: Side) -> bool:
        """Whether a node holds every page as the process wrote it last."""
        return forall(Page, lambda p: self.content[side, p] == self.current[p])

    def sealed(self) -> bool:
        """Whether the checkpoint has every page."""
        return forall(Page, lambda p: self.saved[p] != 0)

    def goes_on_from_checkpoint(self) -> bool:
        """Whether the move no longer needs the source: a cold one with a whole checkpoint."""
        return self.way == Mode.COLD and self.phase == MovePhase.PRE_SWITCHOVER

    @action(side=Side, page=Page)
    def write(self, side: Side, page: int) -> None:
        """The process writes a page where it runs; the first write after a copy traps and marks the page."""
        require(self.runs[side])
        require(side == Side.SOURCE or self.arrival[page] == Arrival.HERE)
        version = self.current[page] + 1 if self.current[page] < self.versions else 1
        self.current[page] = version
        self.content[side, page] = version
        copied = one_of(self.upkeep[page], Upkeep.SENT, Upkeep.KNOWN)
        if self.has(Mechanism.WRITE_PROTECT) and self.phase == MovePhase.ACTIVE and copied:
            self.upkeep[page] = Upkeep.DIRTY

    @action(page=Page)
    def touch(self, page: int) -> None:
        """The process touches a page that is not there: it asks for it, or without the fault finds zeros."""
        require(self.runs[Side.DESTINATION])
        require(self.arrival[page] == Arrival.MISSING)
        if self.has(Mechanism.FAULT_ON_MISSING):
            self.arrival[page] = Arrival.REQUESTED
        else:
            self.arrival[page] = Arrival.HERE

    @action(side=Side)
    def stop(self, side: Side) -> None:
        """A node stops for good: its memory is gone. After the end only the source's stop is of interest."""
        require(self.up[side])
        require(count(Side, lambda s: not self.up[s]) < self.stops)
        require(self.under_way() or (self.phase == MovePhase.COMPLETED and side == Side.SOURCE))
        self.up[side] = False
        self.runs[side] = False
        for page in range(self.pages):
            self.content[side, page] = 0
        if side == Side.DESTINATION:
            self.empty_destination()
            self.empty_network()

    def empty_destination(self) -> None:
        """The destination holds nothing of the process and no room for it."""
        self.reserved = False
        for page in range(self.pages):
            self.arrival[page] = Arrival.MISSING
            self.content[Side.DESTINATION, page] = 0
            self.landings[page] = 0

    def empty_network(self) -> None:
        """No page is on its way any more; who would receive it is gone or heeds none."""
        for page in range(self.pages):
            self.flight[Channel.STREAM, page] = 0
            self.flight[Channel.REPLY, page] = 0

    def owe_everything(self) -> None:
        """The source forgets what it knew of the destination."""
        for page in range(self.pages):
            self.upkeep[page] = Upkeep.OWED

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The node that acts; the network by itself."""
        if action == "lose":
            return NETWORK
        if "side" in arguments:
            return show(arguments["side"])
        at_destination = action in ("touch", "land", "switch", "complete", "clear", "declare_lost")
        return show(Side.DESTINATION if at_destination else Side.SOURCE)
