"""The network on the chip: who sits where, which way a message takes, and when its links are free.

Compute clusters stand on a two-dimensional torus, row by row; node k of an I/O cluster hangs on column k. The
sender writes the whole way into the message: first along its row, then along the column, each the shorter way
round, east or south where both are as long. There is one such network for data and one for control messages.

A message is a worm: its head takes `hop_cycles` for a link, its body fills the links behind it, and while the head
waits for a link the body keeps those it stands on. All is integers; nothing is kept outside the values.

Source: nanvix-facts 1 (two networks, torus, wormhole without virtual channels, source routing; node numbers).
The places of the clusters, the order of directions and both speeds are assumed.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

from kmigrate.impl.chip.errors import BadMessage, NoSuchNode
from kmigrate.impl.chip.geometry import Torus


class Network(IntEnum):
    """The two networks, which share nothing."""

    DATA = 0
    CONTROL = 1


class Direction(IntEnum):
    """Which way a message leaves a node."""

    EAST = 0
    WEST = 1
    NORTH = 2
    SOUTH = 3
    IO_FIRST = 4
    """From a compute cluster on row 0 to the node of the first I/O cluster on its column."""
    IO_SECOND = 5
    """From a compute cluster on the last row to the node of the second I/O cluster on its column."""
    IN = 6
    """From an I/O node to the compute cluster that it hangs on."""


class Link(NamedTuple):
    """A link of one direction: it leaves a node that way."""

    node: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is: for an I/O node, the place of the compute cluster that it hangs on.

    out  the direction from there to the node; None for the compute cluster itself
    """

    column: int
    row: int
    out: Direction | None


def place_of(torus: Torus, node: int) -> Place:
    """Where a node is. Raises NoSuchNode."""
    if not 0 <= node < torus.nodes:
        raise NoSuchNode(node, torus.nodes)
    if node < torus.first_compute:
        cluster, column = divmod(node, torus.io_nodes)
        if cluster == 0:
            return Place(column, 0, Direction.IO_FIRST)
        return Place(column, torus.rows - 1, Direction.IO_SECOND)
    row, column = divmod(node - torus.first_compute, torus.columns)
    return Place(column, row, None)


def _compute_node(torus: Torus, column: int, row: int) -> int:
    return torus.first_compute + row % torus.rows * torus.columns + column % torus.columns


def _around(size: int, start: int, end: int, up: Direction, down: Direction) -> tuple[Direction, ...]:
    """The steps from one coordinate to another on a ring, the shorter way; `up` where both are as long."""
    steps = (end - start) % size
    return (up,) * steps if steps <= size - steps else (down,) * (size - steps)


def route(torus: Torus, source: int, destination: int) -> tuple[Direction, ...]:
    """The way from a node to another, as the sender writes it into a message; empty to itself.

    Raises  NoSuchNode
    """
    start, end = place_of(torus, source), place_of(torus, destination)
    if source == destination:
        return ()
    return (
        *((Direction.IN,) if start.out is not None else ()),
        *_around(torus.columns, start.column, end.column, Direction.EAST, Direction.WEST),
        *_around(torus.rows, start.row, end.row, Direction.SOUTH, Direction.NORTH),
        *((end.out,) if end.out is not None else ()),
    )


def neighbour(torus: Torus, node: int, direction: Direction) -> int:
    """The node that one leads to in a direction. Raises NoSuchNode, BadMessage if nothing leads that way."""
    place = place_of(torus, node)
    column, row = place.column, place.row
    match direction:
        case Direction.IN if place.out is not None:
            return _compute_node(torus, column, row)
        case Direction.EAST if place.out is None:
            return _compute_node(torus, column + 1, row)
        case Direction.WEST if place.out is None:
            return _compute_node(torus, column - 1, row)
        case Direction.SOUTH if place.out is None:
            return _compute_node(torus, column, row + 1)
        case Direction.NORTH if place.out is None:
            return _compute_node(torus, column, row - 1)
        case Direction.IO_FIRST | Direction.IO_SECOND:
            cluster = direction - Direction.IO_FIRST
            beside = cluster * torus.io_nodes + column
            if place.out is None and cluster < torus.io_clusters and column < torus.io_nodes:
                at = place_of(torus, beside)
                if (at.column, at.row) == (column, row):
                    return beside
        case _:
            pass
    raise BadMessage("direction", direction, f"nothing leads {direction.name} from node {node}")


def links_of(torus: Torus, source: int, directions: tuple[Direction, ...]) -> tuple[Link, ...]:
    """The links of a way that a message carries. Raises NoSuchNode, BadMessage."""
    links = []
    node = source
    for direction in directions:
        links.append(Link(node, direction))
        node = neighbour(torus, node, direction)
    return tuple(links)


# -- time ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Passage:
    """When a message passes: its head enters the network at `departs`, its last byte is there at `arrives`."""

    departs: int
    arrives: int


@dataclass(frozen=True, slots=True)
class Links:
    """When every link of both networks is free again. A value: reserving makes another.

    free  cycle from which a link is free, by network, node and direction; of those not in it, 0
    """

    torus: Torus
    free: tuple[int, ...]

    @classmethod
    def of(cls, torus: Torus) -> "Links":
        """All links free."""
        return cls(torus, (0,) * (len(Network) * torus.nodes * len(Direction)))

    def free_at(self, network: Network, link: Link) -> int:
        """The cycle from which a link is free."""
        return self.free[self._index(network, link)]

    def reserve(
        self, network: Network, source: int, destination: int, size_bytes: int, at: int
    ) -> tuple["Links", Passage]:
        """Send a message into the network at cycle `at`, behind all that were reserved before.

        Raises  NoSuchNode, BadMessage for a message of no bytes or before cycle 0
        """
        if size_bytes < 1:
            raise BadMessage("size_bytes", size_bytes, "it must be at least 1")
        if at < 0:
            raise BadMessage("at", at, "it must be at least 0")
        torus = self.torus
        way = links_of(torus, source, route(torus, source, destination))
        if not way:
            return self, Passage(at, at)
        body = -(-size_bytes // torus.link_bytes_per_cycle)
        indices = [self._index(network, link) for link in way]
        enters = []
        head = at
        for index in indices:
            head = max(head, self.free[index])
            enters.append(head)
            head += torus.hop_cycles
        free = list(self.free)
        for behind, index in enumerate(reversed(indices)):
            free[index] = enters[-1] + body - behind * torus.hop_cycles
        passage = Passage(enters[0], head + body)
        return replace(self, free=tuple(free)), passage

    def _index(self, network: Network, link: Link) -> int:
        return (network * self.torus.nodes + link.node) * len(Direction) + link.direction
